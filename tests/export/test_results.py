import json
import re
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from corridor import files as workspace
from corridor.errors import OutputError
from corridor.export.folder import FILES
from corridor.export.results import write_results
from corridor.report.tables import plain_table
from tests.report.synthetic import HOSTILE, hostile_results, results


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "made-up"
    write_results(results(), folder)
    return folder


def test_all_files_and_a_manifest_that_knows_them(written):
    manifest = json.loads((written / "manifest.json").read_text())
    there = {p.name for p in written.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == {*FILES, "places.csv"} == there
    assert manifest["inputs"][0]["sha256"] == "ab" * 32
    assert manifest["dem"] == {"title": "Made-up heights", "resolution_m": 900.0, "vertical_error_m": 20.0}


def test_same_input_gives_the_same_bytes_but_for_the_date(written, tmp_path):
    write_results(results(), tmp_path / "again")
    for name in FILES:
        assert (written / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    first, second = (json.loads((f / "manifest.json").read_text()) for f in (written, tmp_path / "again"))
    assert first.pop("created")
    assert second.pop("created")
    assert first == second


def test_an_unreachable_metric_is_never_a_number(written):
    table = pd.read_csv(written / "metrics.csv")
    cut = table[table["candidate_id"] == "cut"]
    assert cut["openings"].isna().all()
    assert (cut["openings_status"] == "unreachable").all()
    assert not re.search(r"\binf\b", (written / "metrics.csv").read_text())


def test_endless_numbers_without_a_status_get_one():
    table = plain_table(pd.DataFrame({"delay_min": [1.0, np.inf], "delay_min_high": [2.0, np.inf]}))
    assert table["delay_min"].isna().tolist() == [False, True]
    assert table["delay_min_status"].tolist() == ["", "unreachable"]


def test_layers_of_the_geopackage(written):
    layers = set(gpd.list_layers(written / "candidates.gpkg")["name"])
    assert layers == {"candidates", "parts", "structures", "layer_styles"}
    parts = gpd.read_file(written / "candidates.gpkg", layer="parts")
    assert len(parts) == 10
    assert set(parts["status"]) == {"open", "planned"}
    structures = gpd.read_file(written / "candidates.gpkg", layer="structures")
    assert np.allclose(structures["length_km"], 4.0)
    lines = gpd.read_file(written / "candidates.geojson")
    assert lines["candidate_id"].tolist() == ["north", "middle", "south", "cut", "far"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds other files"):
        write_results(results(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        write_results(results(), tmp_path / "out")


def test_an_older_run_is_replaced_and_foreign_files_are_kept(tmp_path):
    write_results(results(), tmp_path / "out")
    (tmp_path / "out" / "my notes.txt").write_text("mine")
    (tmp_path / "out" / "brief.pdf").write_text("stale")
    write_results(replace(results(), title="Another title"), tmp_path / "out")
    assert "Another title" in (tmp_path / "out" / "comparison.html").read_text()
    assert (tmp_path / "out" / "my notes.txt").read_text() == "mine"
    assert not (tmp_path / "out" / "brief.pdf").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_older_run_untouched(tmp_path, monkeypatch):
    write_results(results(), tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corridor.export.results.write_geopackage", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_results(replace(results(), title="Half"), tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failing_swap_puts_the_older_run_back(tmp_path, monkeypatch):
    write_results(results(), tmp_path / "out")
    real = Path.replace

    def replace_once(self, target):
        if self.name == "new":
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(workspace, "_exchange", lambda *_: False)
    monkeypatch.setattr(Path, "replace", replace_once)
    with pytest.raises(OutputError, match="Permission denied"):
        write_results(results(), tmp_path / "out")
    assert (tmp_path / "out" / "comparison.html").is_file()


def test_no_control_or_override_signs_reach_the_files(tmp_path):
    write_results(hostile_results(), tmp_path / "out")
    for name in ("metrics.csv", "ranking.csv", "candidates.geojson", "comparison.html"):
        text = (tmp_path / "out" / name).read_text()
        assert not set("\u202e\u2066\u2028\u2029") & set(text), name
    assert HOSTILE[0] not in (tmp_path / "out" / "comparison.html").read_text()
