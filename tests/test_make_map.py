"""The script that draws one map: whole, offline, or not written at all."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.synthetic import build

SCRIPT = ROOT / "scripts" / "make_map.py"
_spec = importlib.util.spec_from_file_location("make_map", SCRIPT)
make_map = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_map)


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    return build(tmp_path_factory.mktemp("maps") / "midland")


def loads(page: str) -> list[str]:
    return re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"'](?!data:)([^\"']+)", page)


@pytest.mark.parametrize("options", [[], ["--only", "driven-highfold-rifton"]])
def test_one_map_that_asks_nothing_of_a_network(midland, tmp_path, capsys, options):
    out = tmp_path / "map.html"
    assert make_map.main([str(midland), "--out", str(out), "--quiet", *options]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert said.err == ""
    page = out.read_text(encoding="utf-8")
    assert loads(page) == []
    assert "L.map(" in page
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "moon"], "no candidate 'moon'; there are: "),
        (["--regime", "moon"], "no regime 'moon'"),
        (["--osm", "none.osm"], "none.osm"),
    ],
)
def test_a_fault_leaves_the_earlier_map_alone(midland, tmp_path, capsys, options, says):
    out = tmp_path / "map.html"
    out.write_text("earlier", encoding="utf-8")
    assert make_map.main([str(midland), "--out", str(out), "--quiet", *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("make_map: ")
    assert said.err.count("\n") == 1
    assert says in said.err
    assert out.read_text(encoding="utf-8") == "earlier"


def test_a_map_that_has_no_place_is_refused_before_the_work(midland, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_map, "compare", None)
    assert make_map.main([str(midland), "--out", str(tmp_path)]) == 2
    assert make_map.main([str(midland), "--out", str(tmp_path / "none" / "map.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_help_teaches_with_an_example_as_a_script():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True, timeout=300)
    assert "python scripts/make_map.py syunik --out map.html" in done.stdout
    assert done.stderr == ""


def test_scripts_stay_thin():
    for path in (ROOT / "scripts").glob("*.py"):
        if path.stem in {"make_map", "compare_routes", "bundle_data", "benchmark"}:
            assert len(path.read_text(encoding="utf-8").splitlines()) < 150, path.name
