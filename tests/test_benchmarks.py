"""The benchmark's own sums: exact integrals, growth, tables; and its cases run at small sizes."""

from __future__ import annotations

import json
import runpy
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import itertools

from benchmarks import stages
from benchmarks.against import Spent, compare_rows, environment, first_row, spend
from benchmarks.directions import cheapest, directions
from benchmarks.harness import Row, growth, rise_mb
from benchmarks.searches import integral_over_cells
from benchmarks.tables import as_markdown

from corridor.alignment.raster import find_raster_path


def test_integral_over_cells_of_one_price_is_price_times_length():
    path = np.array([[0, 0], [1, 2], [1, 5], [4, 6], [5, 5]])
    length = sum(np.hypot(*step) for step in np.diff(path, axis=0))
    assert integral_over_cells(np.full((7, 7), 3.0), path) == pytest.approx(3 * length, rel=1e-12)


def test_integral_over_cells_is_split_where_the_line_enters_another_cell():
    price = np.array([[1.0, 10.0, 100.0], [1000.0, 10_000.0, 100_000.0]])
    # One row down over two columns: through (0,0), (0,1) until the middle, then (1,1), (1,2); a quarter in each.
    knight = np.array([[0, 0], [1, 2]])
    assert integral_over_cells(price, knight) == pytest.approx((1 + 10 + 10_000 + 100_000) / 4 * np.sqrt(5))
    assert integral_over_cells(price, np.array([[0, 0], [0, 2]])) == pytest.approx(0.5 + 10 + 50)
    assert integral_over_cells(price, np.array([[0, 0], [1, 1]])) == pytest.approx((1 + 10_000) / 2 * np.sqrt(2))


def test_integral_over_cells_agrees_with_dense_sampling():
    random = np.random.default_rng(3)
    price, path = random.uniform(1, 9, (20, 20)), random.integers(0, 20, (12, 2))
    total = 0.0
    for a, b in itertools.pairwise(path):
        at = a + (np.arange(200_000)[:, None] + 0.5) / 200_000 * (b - a)
        rows, cols = np.floor(at + 0.5).astype(int).T
        total += price[rows, cols].mean() * np.hypot(*(b - a))
    assert integral_over_cells(price, path) == pytest.approx(total, rel=1e-4)


def test_more_directions_are_those_of_the_search_and_wider_ones_never_cost_more():
    price = np.random.default_rng(1).uniform(1, 9, (30, 30))
    assert {len(directions(level)) for level in range(4)} == {8, 16, 32, 64}
    ends = (3, 2), (27, 22)
    search = [find_raster_path(price, *ends, 1.0, count, True).cost for count in (8, 16, 32)]
    plain = [cheapest(price, *ends, directions(level), np.inf) for level in range(4)]
    np.testing.assert_allclose(plain[:3], search, rtol=1e-12)
    assert plain == sorted(plain, reverse=True)


def test_growth_of_a_power_law_is_its_exponent():
    sizes = [10.0, 20.0, 80.0]
    assert growth(sizes, [3 * s**1.5 for s in sizes]) == pytest.approx(1.5)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_rise_of_memory_is_about_what_was_allocated():
    assert rise_mb(lambda: np.ones(20_000_000)) == pytest.approx(160, rel=0.15)


def test_missed_goals_are_said():
    page = as_markdown([Row("a case", "3 x 3", "tool", 1.0, 2.0, goal="quick", held=False)], {"cores": "2"})
    assert "## A case" in page
    assert "quick: MISSED" in page


def test_a_process_is_charged_with_what_it_took(tmp_path):
    made = spend([sys.executable, "-c", "import os; block = bytearray(10**8); print(os.getcwd())"], tmp_path)
    assert made.cpu_s > 0
    assert made.wall_s > 0
    assert made.memory_mb > 100
    with pytest.raises(RuntimeError, match="ended with 3"):
        spend([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_whole_runs_are_held_against_the_goals_by_their_medians():
    before = [Spent(10.0, 9.0, 500.0), Spent(30.0, 9.0, 500.0), Spent(11.0, 9.0, 500.0)]
    now = [Spent(4.4, 4.5, 300.0), Spent(4.0, 4.5, 300.0), Spent(9.0, 4.5, 300.0)]
    new, old = compare_rows("bundled data", "before", before, now)
    assert (new.seconds, old.seconds, old.ratio) == (4.4, 11.0, pytest.approx(2.5))
    assert new.result == "0.40 of the time, 0.50 of the processor time, 0.60 of the memory"
    assert new.held is True
    assert [row.held for row in compare_rows("a real extract", "before", before, now)] == [False, None, True]


def test_both_sides_keep_what_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = environment(tmp_path, tmp_path / "kernels")
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert (found["PYTHONPATH"], found["NUMBA_CACHE_DIR"]) == (str(tmp_path), str(tmp_path / "kernels"))


def test_a_first_run_is_told_apart():
    row = first_row("bundled data", "before", Spent(40.0, 30.0, 500.0), Spent(20.0, 24.0, 300.0))
    assert (row.seconds, row.ratio) == (20.0, 2.0)
    assert row.result == "0.50 of the time, 0.80 of the processor time"


def run_script(monkeypatch, *words):
    """``scripts/benchmark.py`` in this process, which has loaded what it needs."""
    script = str(ROOT / "scripts" / "benchmark.py")
    monkeypatch.setattr(sys, "argv", [script, *map(str, words)])
    runpy.run_path(script, run_name="__main__")


def test_cases_run_and_leave_their_ratios(monkeypatch, tmp_path):
    out = tmp_path / "bench.json"
    run_script(monkeypatch, "--quick", "--json", out, "alternatives", "ranking")
    cases = json.loads(out.read_text())["cases"]
    assert "three ways that differ" in {row["case"] for row in cases}
    same = [row["held"] for row in cases if row["goal"].startswith("same")]
    assert same
    assert all(same)


def test_stages_and_a_network_ten_times_as_large_are_measured():
    rows = stages.measure((4, 5, 6), (10, 20, 40))
    assert {row.tool for row in rows if row.case == stages.CASE} == {
        "cheapest ways from and to a place",
        "roads that nothing replaces",
        "disjoint routes between two places",
        "settlements joined to roads",
        "settlements of a list found on a map",
    }
    assert [row.result for row in stages.measure_ten_times((4, 8))[:2]] == ["24 edges", "112 edges"]


def test_an_unknown_case_is_named(monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        run_script(monkeypatch, "nonsense")
    assert end.value.code == 2
    assert "no such case: nonsense" in capsys.readouterr().err
