"""Winners and what drives them, against functions whose shares are known in closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc

import corridor
from corridor.errors import SweepError
from corridor.sweeps.plan import build_vary
from corridor.sweeps.report import (
    BEST_POSSIBLE,
    SweepReport,
    load_report,
    rank_correlation,
    variance_share,
    write_report,
)
from tests.command import run_command


def sobol(n, d, seed=0):
    return pd.DataFrame(qmc.Sobol(d, seed=np.random.default_rng(seed)).random(n))


def test_shares_of_the_ishigami_function():
    """Ishigami and Homma 1990 with a = 7, b = 0.1: first-order indices 0.3139, 0.4424 and 0."""
    x = (sobol(4096, 3) * 2 - 1) * np.pi
    answer = (np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])).to_numpy()
    shares = [variance_share(x[k], answer, balanced=True) for k in range(3)]
    assert shares == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)


def test_shares_of_a_sum_are_those_of_its_terms():
    x = sobol(1024, 3)
    answer = (4 * x[0] + 2 * x[1] + x[2]).to_numpy()
    shares = [variance_share(x[k], answer, balanced=True) for k in range(3)]
    assert shares == pytest.approx([16 / 21, 4 / 21, 1 / 21], abs=0.02)
    assert [rank_correlation(x[k], answer) > 0 for k in range(3)] == [True] * 3
    assert rank_correlation(x[0], -(x[0] ** 3).to_numpy()) == pytest.approx(-1)


def test_a_product_is_taken_apart_exactly():
    grid = pd.MultiIndex.from_product([["a", "b"], [0.0, 1.0, 2.0]]).to_frame(index=False)
    answer = (3.0 * (grid[0] == "b") + grid[1]).to_numpy()
    parts = [variance_share(grid[k], answer, balanced=True) for k in (0, 1)]
    assert parts == pytest.approx([2.25 / (2.25 + 2 / 3), (2 / 3) / (2.25 + 2 / 3)])
    assert np.isnan(rank_correlation(grid[0], answer))


def test_noise_drives_nothing():
    rng = np.random.default_rng(3)
    shares = [
        variance_share(pd.Series(rng.uniform(size=200)), rng.normal(size=200), balanced=False) for _ in range(100)
    ]
    assert np.mean(shares) < 0.03


def test_what_never_changes_and_what_is_too_little():
    assert variance_share(pd.Series([1.0, 2.0, 3.0]), np.full(3, 0.1 + 0.2), balanced=False) == 0.0
    assert np.isnan(variance_share(pd.Series([1.0, 2.0]), np.array([1.0, 2.0]), balanced=False))


def report_of(rows, *, sure=None, **factors):
    table = pd.DataFrame(rows, columns=["task", "candidate_id", "rank:equal", "score:equal"])
    table = table.assign(regime_id="free", panel="through", fault="")
    table["sure:equal"] = table["rank:equal"].eq(1).astype(float) if sure is None else sure
    for name, values in factors.items():
        table[f"factor:{name}"] = table["task"].map(dict(enumerate(values)))
    kinds = {name: {"kind": "unit-costs"} for name in factors}
    manifest = {"title": "t", "tasks": 4, "default_perspective": "equal", "vary": {"design": "sobol", "factors": kinds}}
    return SweepReport(manifest, table)


def test_wins_are_counted_and_shared_places_divided():
    rows = [(0, "a", 1, 0.9), (0, "b", 2, 0.5), (1, "a", 1, 0.9), (1, "b", 2, 0.8)]
    rows += [(2, "a", 1, 0.7), (2, "b", 1, 0.7), (3, "a", np.nan, np.nan), (3, "b", 1, 0.6)]
    wins = report_of(rows, p=[0, 1, 2, 3]).wins.set_index("candidate_id")
    assert wins["points"].tolist() == [4, 4]
    assert wins["win_share"].to_dict() == {"a": 0.625, "b": 0.375}
    assert wins["ranked_share"].to_dict() == {"a": 0.75, "b": 1.0}
    assert wins["win_share"].sum() == pytest.approx(1.0)
    assert wins["sure_share"].to_dict() == wins["win_share"].to_dict()


def test_a_first_place_that_an_unknown_figure_leaves_open_is_no_sure_one():
    """Of three points a is first for sure in one, shares an open first place in one, and may be first alone in one."""
    rows = [(0, "a", 1, 0.9), (0, "b", 2, 0.5), (1, "a", 1, 0.9), (1, "b", 1, 0.9), (2, "a", 1, 0.9), (2, "b", 2, 0.8)]
    wins = report_of(rows, sure=[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], p=[0, 1, 2]).wins.set_index("candidate_id")
    assert wins["win_share"].to_dict() == pytest.approx({"a": 2.5 / 3, "b": 0.5 / 3})
    assert wins["sure_share"].to_dict() == pytest.approx({"a": 1 / 3, "b": 0.0})


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    factors = {
        "prices": {"kind": "unit-costs"},
        "speeds": {"kind": "speeds", "measure": "multiple", "values": [0.8, 1.25]},
        "gates": {"kind": "crossing-status", "crossings": ["ridge-gate-east", "valley-gate-east"]},
    }
    vary = build_vary({"design": "sobol", "n": 16, "factors": factors}, "test")
    return corridor.sweep(study, vary, tmp_path_factory.mktemp("report") / "sweep", workers=0).folder.path


def test_a_real_sweep_is_told_in_tables_and_a_page(folder):
    report = load_report(folder)
    assert report.points == 16
    assert report.faults["points"].sum() == 8  # with both gates closed no road is left
    sums = report.wins.groupby(["regime_id", "panel", "perspective"])["win_share"].sum()
    np.testing.assert_allclose(sums, 1.0)
    assert report.perspectives[0] == "equal"
    page = write_report(report, folder)
    text = page.read_text(encoding="utf-8")
    assert "16 of 16 points of a sobol design over 3 inputs" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert len(pd.read_csv(folder / "wins.csv")) == len(report.wins)
    assert set(pd.read_csv(folder / "drivers.csv")["factor"]) == {"prices", "speeds", "gates"}


def test_places_of_unknown_figures_and_missing_ones_are_called_what_they_are(folder, monkeypatch, capsys):
    """A mean of no place is no number, and whoever reads places is told that unknowns count at their best."""
    whole = load_report(folder)
    table = whole.results.copy()
    key = table["candidate_id"].iloc[0]
    names = [name for name in table.columns if name.startswith(("rank:", "sure:", "score:"))]
    table.loc[table["candidate_id"] == key, names] = np.nan
    monkeypatch.setattr("corridor.sweeps.report.load_report", lambda _: SweepReport(whole.manifest, table))
    code, said, _ = run_command(monkeypatch, capsys, "sweep-report", folder)
    assert code == 0
    assert BEST_POSSIBLE in " ".join(said.split())
    assert "not ranked" in said
    assert "nan" not in said
    assert BEST_POSSIBLE in (folder / "report.html").read_text(encoding="utf-8").replace("&#39;", "'")


def test_outside_text_is_escaped(folder):
    report = load_report(folder)
    report.manifest["title"] = "<script>alert(1)</script>"
    report.results["candidate_id"] = "<img src=x onerror=alert(1)>" + report.results["candidate_id"]
    text = write_report(report, folder).read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<img" not in text


def test_a_sweep_without_one_comparison_says_why(study, tmp_path):
    gates = {"kind": "crossing-status", "crossings": ["ridge-gate-east", "valley-gate-east"], "values": ["closed"]}
    vary = build_vary({"design": "product", "factors": {"gates": gates}}, "test")
    corridor.sweep(study, vary, tmp_path / "s", workers=0)
    with pytest.raises(SweepError, match=r"none of its 1 points could be compared: .*no open road"):
        load_report(tmp_path / "s")
