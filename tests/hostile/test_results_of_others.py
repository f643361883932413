"""Folders of results that somebody else changed: one line each; and tables that a spreadsheet opens."""

from __future__ import annotations

import copy
import json
import os
import sqlite3

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from corridor.errors import CorridorError, SourceError, SweepError
from corridor.export.folder import is_results_folder
from corridor.export.gis import write_layer
from corridor.io.read.data_files import read_pinned_inputs
from corridor.pipeline.saved_results import load_results
from corridor.report.tables import write_csv
from corridor.sweeps.report import load_report, write_report

CRITERIA = [
    {"criterion_id": "km", "label": "Length", "metric": "length_km", "unit": "km", "direction": "min",
     "group": "distance", "best": 10.0, "worst": 90.0, "shape": 1.0, "tolerance": 1.0, "explanation": "", "factor": ""},
]  # fmt: skip
MANIFEST = {"tool": "corridor", "study": "made-up", "inputs": [], "criteria": CRITERIA,
            "perspectives": {"equal": {"km": 1.0}}, "default_perspective": "equal"}  # fmt: skip
METRICS = "candidate_id,name,length_km\nnull,Road,20\nnan,'=1+1,30\n"
VARY = {"design": "product", "factors": {"rules": {"kind": "regime", "values": ["a", "b"]}}}
SWEEP = {"format": 2, "study": "made-up", "title": "Made up", "default_perspective": "equal", "tasks": 2,
         "vary": VARY, "inputs": {"study": "0"}}  # fmt: skip
ROWS = {"key": ["aa", "aa"], "factor:rules": ["a", "a"], "fault": ["", ""], "regime_id": ["a", "a"],
        "panel": ["through", "through"], "candidate_id": ["r", "s"], "rank:equal": [1.0, 2.0],
        "sure:equal": [1.0, 0.0], "score:equal": [0.9, 0.4]}  # fmt: skip


def results(folder, manifest=MANIFEST, metrics=METRICS):
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    (folder / "metrics.csv").write_text(metrics)
    return folder


def sweep(folder, manifest=SWEEP, rows=ROWS):
    (folder / "results" / "shard=aa").mkdir(parents=True, exist_ok=True)
    (folder / "sweep.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    pq.write_table(pa.table({"task": [0], "key": ["aa"], "rules": ["a"]}), folder / "plan.parquet")
    pq.write_table(pa.table(rows), folder / "results" / "shard=aa" / "aa.parquet")
    return folder


STRANGE = ["x", 3, 1e308, float("inf"), None, True, [], {}, [[]], {"a": {"b": []}}, "\ud800", "a\x1b[2J"]


def changed(sound):
    """A sound object with each of its values in turn taken away or put as something strange."""

    def walk(value, path):
        yield path
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from walk(value[key], (*path, key))

    for path in list(walk(sound, ()))[1:]:
        for strange in (*STRANGE, KeyError):
            copied = copy.deepcopy(sound)
            inside = copied
            for key in path[:-1]:
                inside = inside[key]
            if strange is KeyError:
                del inside[path[-1]]
            else:
                inside[path[-1]] = strange
            yield path, copied


def one_line(use):
    """What comes of reading a file: nothing, or one line that can be printed."""
    said = ""
    try:
        use()
    except CorridorError as fault:
        said = str(fault)
    assert said.encode() is not None
    assert len(said) < 2000
    return said


def test_every_field_of_a_manifest_may_be_strange(tmp_path):
    refused = 0
    for _, manifest in changed(MANIFEST):
        folder = results(tmp_path / "out", manifest)
        refused += bool(one_line(lambda folder=folder: load_results(folder).rank()))
        one_line(lambda folder=folder: read_pinned_inputs(folder / "manifest.json"))
        is_results_folder(folder)
    assert refused > 100


def test_every_field_of_a_sweep_may_be_strange(tmp_path):
    refused = 0
    for _, manifest in changed(SWEEP):
        folder = sweep(tmp_path / "sw", manifest)
        refused += bool(one_line(lambda folder=folder: write_report(load_report(folder), folder)))
    assert refused > 100
    sweep(tmp_path / "sw")
    assert not one_line(lambda: write_report(load_report(tmp_path / "sw"), tmp_path / "sw"))


@pytest.mark.parametrize("name", ROWS)
def test_every_column_of_a_sweep_may_be_strange(name, tmp_path):
    for strange in (["x", "x"], [3, 4], [None, None], [b"\xff", b"a"], [[1], [2]], [True, False]):
        folder = sweep(tmp_path / "sw", rows={**ROWS, name: strange})
        one_line(lambda folder=folder: write_report(load_report(folder), folder))
    folder = sweep(tmp_path / "sw", rows={key: value for key, value in ROWS.items() if key != name})
    if not name.startswith("factor"):
        assert one_line(lambda: load_report(folder))


def test_files_that_are_no_files_or_too_deep(tmp_path):
    deep = results(tmp_path / "deep", "[" * 100_000)
    for use in (load_results, lambda folder: read_pinned_inputs(folder / "manifest.json")):
        with pytest.raises(SourceError, match=r"manifest\.json: isn\'t"):
            use(deep)
    assert not is_results_folder(deep)
    with pytest.raises(SweepError, match=r"sweep\.json: isn\'t"):
        load_report(sweep(tmp_path / "sw", "[" * 100_000))
    pipe = results(tmp_path / "pipe")
    for name, says in (("metrics.csv", "is a device or a pipe"), ("manifest.json", "is a device or a pipe")):
        (pipe / name).unlink()
        os.mkfifo(pipe / name)
        with pytest.raises(SourceError, match=says):
            load_results(pipe)
    with pytest.raises(SourceError, match="is a device or a pipe"):
        read_pinned_inputs(pipe / "manifest.json")
    table = sweep(tmp_path / "sw") / "results" / "shard=aa" / "aa.parquet"
    content = table.read_bytes()
    for spoilt in (b"", content[:40], content[:-9] + b"\xff" * 9, content.replace(b"regime_id", b"\xff\xferegime")):
        table.write_bytes(spoilt)
        assert one_line(lambda: load_report(tmp_path / "sw"))


def test_semicolons_are_named(tmp_path):
    with pytest.raises(SourceError, match="parted by semicolons; save it with commas"):
        load_results(results(tmp_path / "out", metrics=METRICS.replace(",", ";")))


@pytest.mark.parametrize(
    ("metrics", "says"),
    [("candidate_id,name,length_km\n", "no rows"), (METRICS.replace(",20", ",inf"), "column 'length_km' is infinite"),
     (METRICS.replace(",20", ",zwei"), "column 'length_km' holds something"),
     (METRICS + "null,Road,20\n", "comes twice"), (METRICS.replace("length_km", "length"), "no column 'length_km'")],
)  # fmt: skip
def test_faults_of_a_table_name_its_file(metrics, says, tmp_path):
    with pytest.raises(SourceError, match=rf"out/metrics\.csv: .*{says}.*; make the results again"):
        load_results(results(tmp_path / "out", metrics=metrics))


@pytest.mark.parametrize("manifest", ["null", "[]", "5"])
def test_a_manifest_that_is_no_table(manifest, tmp_path):
    with pytest.raises(SourceError, match=r"out/manifest\.json: isn't what .* writes \(no table by name\); run it"):
        load_results(results(tmp_path / "out", manifest=manifest))


def test_names_that_look_like_nothing_or_like_formulas_come_back(tmp_path):
    found = load_results(results(tmp_path / "out")).metrics
    assert found["candidate_id"].tolist() == ["null", "nan"]
    assert found["name"].tolist() == ["Road", "=1+1"]


def test_cells_that_a_spreadsheet_would_work_out_are_quoted(tmp_path):
    names = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1 road", "-x", "-5", "Road", "a=b", None]
    numbers = [-1.5, 2.0, float("nan"), 4, 5, 6, 7, 8]
    write_csv(pd.DataFrame({"name": names, "km": numbers}), tmp_path / "t.csv")
    cells = pd.read_csv(tmp_path / "t.csv", dtype=str)
    assert cells["name"].tolist()[:7] == ["'=cmd|' /C calc'!A0", "'@SUM(1)", "'+1+1 road", "'-x", "-5", "Road", "a=b"]
    assert cells["km"].tolist()[:2] == ["-1.5", "2"]


def test_geopackages_are_of_version_1_3(tmp_path):
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(10, 45)], crs="EPSG:4326")
    write_layer(frame, "a", tmp_path / "a.gpkg")
    assert sqlite3.connect(tmp_path / "a.gpkg").execute("pragma user_version").fetchone() == (10300,)
