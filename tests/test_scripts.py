"""The batch script: several studies in one table, whole or not at all."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from corridor.comparison import compare
from corridor.schema.study import Study
from tests.conftest import ROOT
from tests.synthetic import NAME, build, write_study
from tests.synthetic.study import OPENED

SCRIPT = ROOT / "scripts" / "compare_routes.py"
_spec = importlib.util.spec_from_file_location("compare_routes", SCRIPT)
compare_routes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(compare_routes)


@pytest.fixture(scope="module")
def midland(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("scripts") / "midland")


@pytest.fixture
def dale(midland, tmp_path) -> Path:
    """The same ground as a study of another name that asks for one route only."""
    shutil.copytree(midland.parent, tmp_path / "dale")
    return write_study(tmp_path / "dale", {'id = "midland"\ntitle': 'id = "dale"\ntitle', "count = 2": "count = 1"})


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_rows_of_all_studies_with_their_metrics_and_ranks(midland, dale, tmp_path, capsys):
    out = tmp_path / "routes.csv"
    assert compare_routes.main([str(midland), str(dale), "--out", str(out), "--perspective", "flat", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert said.err == ""
    table = pd.read_csv(out)
    assert table["study"].tolist() == ["midland"] * 5 + ["dale"] * 4
    expected = compare(Study.load(midland))
    metrics = expected.metrics.set_index("candidate_id")
    mine = table[table["study"] == "midland"].set_index("candidate_id")
    for column in ("length_km", "in_midland_km", "ascent_m_low", "cost_musd_high", "train_time_h"):
        assert mine[column].tolist() == pytest.approx(metrics[column].tolist(), nan_ok=True)
    ranks = expected.rank("flat").set_index("candidate_id")["rank"]
    assert mine["rank"].to_dict() == ranks.loc[mine.index].to_dict()
    assert set(table["perspective"]) == {"flat"}


def test_the_same_input_gives_the_same_bytes(midland, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    for out in (first, second):
        assert compare_routes.main([str(midland), "--osm", str(midland.parent / "map.osm"), "--out", str(out)]) == 0
    assert first.read_bytes() == second.read_bytes()


def no_way(path: Path) -> list[str]:
    write_study(
        path.parent, {'id = "midland"\ntitle': 'id = "dale"\ntitle', f"assume_open = {OPENED}": "assume_open = []"}
    )
    return [str(path)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (no_way, "study 'dale': candidates 'driven': no open road"),
        (lambda path: [str(path.parent / "none.toml")], "none.toml: no such file"),
        (lambda path: [str(path), "nowhere"], "no bundled study 'nowhere'; there are: "),
        (lambda path: [str(path), str(path)], "two studies have the id 'dale'"),
        (
            lambda path: [str(path), "--perspective", "round"],
            "study 'midland': perspective 'round' is unknown; there are: equal",
        ),
        (lambda path: [str(path), "--osm", str(path)], f"{NAME}: not readable as OpenStreetMap data"),
    ],
)
def test_a_fault_in_any_study_leaves_the_earlier_table_alone(midland, dale, tmp_path, capsys, words, says):
    out = tmp_path / "routes.csv"
    out.write_text("earlier", encoding="utf-8")
    asked = words(dale)
    before = names_in(tmp_path)
    assert compare_routes.main([str(midland), *asked, "--out", str(out), "--quiet"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("compare_routes: ")
    assert said.err.count("\n") == 1
    assert says in said.err
    assert out.read_text(encoding="utf-8") == "earlier"
    assert names_in(tmp_path) == before


@pytest.mark.parametrize(
    ("out", "says"),
    [
        (".", "is a folder; name a file"),
        ("none/routes.csv", "there is no folder"),
        ("midland.toml/routes.csv", "there is no folder"),
    ],
)
def test_a_table_that_has_no_place_is_refused_before_the_work(midland, monkeypatch, capsys, out, says):
    monkeypatch.setattr(compare_routes, "compare", None)
    assert compare_routes.main([str(midland), "--out", str(midland.parent / out)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert says in said.err


def test_a_failed_write_leaves_nothing_behind(midland, tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compare_routes, "write_csv", fail)
    out = tmp_path / "routes.csv"
    assert compare_routes.main([str(midland), "--out", str(out), "--quiet"]) == 2
    assert capsys.readouterr().err == (
        f"compare_routes: {out}: can't be written (No space left on device); "
        "make room on the disk, or name another folder\n"
    )
    assert names_in(tmp_path) == set()


def test_help_teaches_with_an_example_as_a_script():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True, timeout=300)
    assert "python scripts/compare_routes.py syunik my-study.toml --out routes.csv" in done.stdout
    assert done.stderr == ""
