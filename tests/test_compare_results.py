"""The script that holds two folders of results against each other: what differs is said, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "compare_results.py"
_spec = importlib.util.spec_from_file_location("compare_results", SCRIPT)
compare_results = importlib.util.module_from_spec(_spec)
sys.modules["compare_results"] = compare_results  # dataclasses look their module up
_spec.loader.exec_module(compare_results)

PAGE = (
    '<html><style>p {{}}</style><p>{text}</p><script type="application/json" id="page-data">{data}</script>'
    "<script>run()</script></html>"
)


def write(folder: Path) -> Path:
    folder.mkdir()
    metrics = pd.DataFrame(
        {
            "candidate_id": ["a", "a", "b"],
            "regime_id": ["open", "shut", "open"],
            "length_km": [100.0, 100.0, 250.5],
            "strip_area_km2": [1.5, 2.5, None],
            "strip_status": ["ok", "ok", "not_supported"],
        }
    )
    metrics.to_csv(folder / "metrics.csv", index=False)
    line = gpd.GeoDataFrame(
        {"candidate_id": ["a"], "note": ["x"]}, geometry=[LineString([(45, 39), (46, 39.5)])], crs=4326
    )
    for name in ("candidates.geojson", "candidates.gpkg"):
        line.to_file(folder / name)
    line.to_parquet(folder / "candidates.parquet")
    findings = [{"candidate_id": "a", "regime_id": "open", "text": "It stays open.", "evidence": ["a:1", "a:2"]}]
    (folder / "findings.json").write_text(json.dumps(findings), encoding="utf-8")
    data = {"candidates": [{"id": "a", "letter": "A"}], "profiles": {"a": {"km": [0, 1.5, None]}}}
    (folder / "comparison.html").write_text(PAGE.format(text="Two routes.", data=json.dumps(data)), encoding="utf-8")
    manifest = {
        "tool": "corridor",
        "created": "2026-01-01",
        "files": {"metrics.csv": "ab12"},
        "inputs": [{"id": "dem"}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def old(tmp_path) -> Path:
    return write(tmp_path / "old")


@pytest.fixture
def new(old, tmp_path) -> Path:
    return shutil.copytree(old, tmp_path / "new")


def edit(path: Path, was: str, now: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, now), encoding="utf-8")


def told(capsys, old: Path, new: Path, *more: str) -> tuple[int, list[str]]:
    code = compare_results.main([str(old), str(new), *more])
    return code, capsys.readouterr().out.splitlines()


def test_the_same_results_written_at_another_time_are_the_same(old, new, capsys):
    edit(new / "manifest.json", "2026-01-01", "2027-07-07")
    edit(new / "manifest.json", "ab12", "cd34")
    assert told(capsys, old, new) == (0, ["the same, within what is allowed"])


def test_numbers_differ_beyond_the_tolerance_only(old, new, capsys):
    edit(new / "metrics.csv", "250.5", "250.5000000002")
    assert told(capsys, old, new)[0] == 0
    edit(new / "metrics.csv", "250.5000000002", "250.501")
    code, lines = told(capsys, old, new)
    assert code == 1
    assert lines == [
        "DIFFERENT metrics.csv: length_km: 1 of 3 cells changed, by up to 4e-06 of the value",
        "            b/open: 250.5 -> 250.501",
        "differences: 1",
    ]
    assert told(capsys, old, new, "--tolerance", "1e-4")[0] == 0


@pytest.mark.parametrize(
    ("file", "was", "now", "says"),
    [
        ("metrics.csv", "not_supported", "unknown", "metrics.csv: strip_status: 1 of 3 cells changed"),
        ("metrics.csv", "a,open,100.0,1.5", "a,open,100.0,", "metrics.csv: strip_area_km2: 1 of 3 cells changed"),
        ("metrics.csv", "b,open", "c,open", "metrics.csv: rows removed: 1: b/open"),
        ("candidates.geojson", "39.5", "39.6", "candidates.geojson: geometry: 1 of 1 cells changed"),
        ("findings.json", "a:2", "a:3", "findings.json: evidence: 1 of 1 cells changed"),
        ("manifest.json", '"dem"', '"dem2"', "manifest.json: rows removed: 1: dem"),
        ("comparison.html", "Two routes", "Three routes", "comparison.html|text: lines: 1 of 1 cells changed"),
        ("comparison.html", "1.5", "1.6", "comparison.html|page-data: profiles.a.km: 1 of 1 cells changed"),
        ("comparison.html", "page-data", "data", "comparison.html|page-data: part removed"),
    ],
)
def test_what_changed_is_named(old, new, capsys, file, was, now, says):
    edit(new / file, was, now)
    code, lines = told(capsys, old, new)
    assert code == 1
    assert any(line.startswith(f"DIFFERENT {says}") for line in lines), lines


def test_layers_of_gis_files_are_compared_by_their_features(old, new, capsys):
    moved = gpd.read_file(new / "candidates.gpkg").assign(note="y")
    moved.to_file(new / "candidates.gpkg")
    moved.to_parquet(new / "candidates.parquet")
    _, lines = told(capsys, old, new)
    assert [line for line in lines if "DIFFERENT" in line] == [
        "DIFFERENT candidates.gpkg|candidates: note: 1 of 1 cells changed",
        "DIFFERENT candidates.parquet: note: 1 of 1 cells changed",
    ]


def test_a_column_under_a_new_name_is_seen_and_may_be_allowed(old, new, tmp_path, capsys):
    edit(new / "metrics.csv", "strip_area_km2", "severed_area_km2")
    code, lines = told(capsys, old, new)
    assert code == 1
    assert lines[0] == "DIFFERENT metrics.csv: column strip_area_km2 is now severed_area_km2, values as before"
    allow = tmp_path / "allow.toml"
    allow.write_text('[renamed."metrics.csv"]\nstrip_area_km2 = "severed_area_km2"\n', encoding="utf-8")
    assert told(capsys, old, new, "--allow", str(allow)) == (0, ["the same, within what is allowed"])
    edit(new / "metrics.csv", "2.5,ok", "2.6,ok")
    assert told(capsys, old, new, "--allow", str(allow))[0] == 1


def test_words_that_were_replaced_may_be_allowed_in_keys_too(old, new, tmp_path, capsys):
    edit(new / "metrics.csv", "not_supported", "no_data")
    edit(new / "metrics.csv", "open", "free")
    edit(new / "findings.json", '"open"', '"free"')
    allow = tmp_path / "allow.toml"
    allow.write_text(
        '[values."metrics.csv"]\nstrip_status = { not_supported = "no_data" }\n'
        '[values."*"]\nregime_id = { open = "free" }\n',
        encoding="utf-8",
    )
    assert told(capsys, old, new, "--allow", str(allow))[0] == 0


def test_differences_that_are_allowed_are_listed_and_those_not_met_noted(old, new, tmp_path, capsys):
    table = pd.read_csv(new / "metrics.csv").drop(columns="length_km").assign(vikor_q=0.5)
    table.loc[len(table)] = {"candidate_id": "c", "regime_id": "open"}
    table.to_csv(new / "metrics.csv", index=False)
    (new / "findings.json").unlink()
    edit(new / "comparison.html", "Two", "Three")
    allow = tmp_path / "allow.toml"
    allow.write_text(
        """
[files]
removed = ["findings.*"]
[columns]
removed = { "metrics.csv" = ["length_km"] }
added = { "*" = ["vikor_?"], "places.csv" = ["nothing"] }
changed = { "comparison.html|*" = ["lines"] }
[rows]
added = ["metrics.csv"]
""",
        encoding="utf-8",
    )
    code, lines = told(capsys, old, new, "--allow", str(allow))
    assert code == 0
    assert lines == [
        "allowed   findings.json: file removed",
        "allowed   comparison.html|text: lines: 1 of 1 cells changed",
        "            -Two routes.",
        "            +Three routes.",
        "allowed   metrics.csv: rows added: 1: c/open",
        "allowed   metrics.csv: column removed: length_km",
        "allowed   metrics.csv: column added: vikor_q",
        "note      allowed, and not met: columns.added: places.csv: nothing",
        "the same, within what is allowed",
    ]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda new, allow: shutil.rmtree(new), "is no folder of results"),
        (lambda new, allow: (new / "findings.json").write_text("{"), "Expecting property name"),
        (lambda new, allow: (new / "candidates.gpkg").write_bytes(b"no"), "candidates.gpkg"),
        (lambda new, allow: allow.write_text("[column]\n"), "'column' is unknown; it may hold files"),
        (lambda new, allow: allow.write_text("["), "Invalid"),
    ],
)
def test_what_cant_be_read_ends_in_one_line(old, new, tmp_path, capsys, spoil, says):
    allow = tmp_path / "allow.toml"
    allow.write_text("")
    spoil(new, allow)
    assert compare_results.main([str(old), str(new), "--allow", str(allow)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("compare_results: ")
    assert said.err.count("\n") == 1
    assert says in said.err


def test_help_shows_the_file_of_intended_differences_as_a_script():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True, timeout=300)
    assert '[renamed."metrics.csv"]' in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't be read (No such file"),
        ("[", "is no TOML file"),
        ("\x00", "is no TOML"),
    ],
)
def test_a_file_of_what_is_allowed_that_can_not_be_read_is_named(text, said, old, new, tmp_path, capsys):
    allow = tmp_path / "allow.toml"
    if text is not None:
        allow.write_text(text, encoding="utf-8")
    assert compare_results.main([str(old), str(new), "--allow", str(allow)]) == 2
    assert f"{allow}: {said}" in capsys.readouterr().err
