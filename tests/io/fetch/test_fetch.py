"""Live data from a server on this machine: fetched once, kept with its origin, used by a run, refused if it differs."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rasterio

import corridor
from corridor.cli.common import load_study
from corridor.geo.geodesy import line_lengths_m
from corridor.io.fetch.cache import Cache
from corridor.io.fetch.fetch_inputs import fetch_inputs
from corridor.io.fetch.fetcher import Meter
from corridor.io.fetch.wanted import WantedInputs
from corridor.io.read.data_files import read_pinned_inputs
from corridor.io.read.osm import read_osm
from corridor.pipeline.comparing import open_run
from tests.io.fetch.conftest import QUERY, TILE
from tests.io.fetch.server import hgt
from tests.synthetic.ground import height_m

METER = Meter(lambda _: None)


def layers(cache) -> dict[str, object]:
    """Path by record of what is in a cache, by the beginning of its name."""
    here = Cache(cache)
    return {entry.file.split("-")[0]: here.path(entry) for entry in here.entries()}


def test_fetch_brings_roads_and_heights_with_their_origin(server, study, cache, call):
    code, out, err = call("fetch", study, "--cache", cache)
    assert (code, err.count("Traceback")) == (0, 0)
    printed = [line for line in out.splitlines() if line.startswith(str(cache))]
    assert len(printed) == 2
    entries = {entry.file: entry for entry in Cache(cache).entries()}
    tile = entries["N45E010.hgt.gz"]
    assert (tile.address, tile.bytes) == (f"{server.url}{TILE}", len(server.files[TILE]))
    assert "public domain" in tile.licence
    assert tile.fetched.endswith("Z")
    assert Cache(cache).verify() == []


def test_the_roads_are_those_of_the_map(server, study, cache, call, midland_map):
    call("fetch", study, "--cache", cache)
    fetched, given = read_osm(layers(cache)["osm"]), read_osm(midland_map / "map.osm")
    columns = ["way_id", "mode", "class", "status", "oneway", "bridge", "tunnel", "ref", "name"]
    given_rows = given.ways.sort_values("way_id")
    assert fetched.ways[columns].values.tolist() == given_rows[columns].values.tolist()
    assert line_lengths_m(fetched.ways.geometry) == pytest.approx(line_lengths_m(given_rows.geometry))
    assert set(fetched.node_ids) == set(given.node_ids)
    assert fetched.places["name"].tolist() == given.places["name"].tolist()
    assert fetched.source.date == "2026-01-02"
    assert [part.address for part in fetched.source.fetched] == [f"{server.url}{QUERY}"]


def test_the_heights_are_those_of_the_ground(server, study, cache, call):
    call("fetch", study, "--cache", cache)
    with rasterio.open(layers(cache)["srtm"]) as raster:
        rows, columns = np.mgrid[20 : raster.height - 20 : 17, 20 : raster.width - 20 : 17]
        lon, lat = raster.transform * (columns + 0.5, rows + 0.5)
        # whole metres in the tile, means over 6 seconds on a slope of 400 m in a tenth of a degree
        assert raster.read(1)[rows, columns] == pytest.approx(height_m(lon, lat), abs=3.5)
        assert raster.bounds == pytest.approx((10, 45, 11, 46), abs=7 / 3600)


def test_a_run_on_a_warm_cache_asks_nothing(server, study, cache, call, tmp_path):
    call("fetch", study, "--cache", cache)
    asked = len(server.seen)
    code, _, err = call("run", study, "--live", "--offline", "--cache", cache, "--out", tmp_path / "out")
    assert (code, len(server.seen)) == (0, asked), err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    inputs = {row["id"]: row for row in manifest["inputs"]}
    assert [part["address"] for part in inputs["elevation"]["fetched"]] == [f"{server.url}{TILE}"]
    assert inputs["osm"]["fetched"][0]["sha256"] == inputs["osm"]["sha256"]
    assert "fetched" not in inputs["borders"]


def test_one_raster_gives_the_same_figures_live_and_as_a_file(server, study, cache, call, tmp_path):
    """The study states 10 m for heights that nobody knows; these are SRTM's by whatever way and name they come."""
    call("fetch", study, "--cache", cache)
    live, file = tmp_path / "live", tmp_path / "file"
    assert call("run", study, "--live", "--offline", "--cache", cache, "--out", live, "-q")[0] == 0
    mine, roads = tmp_path / "mine.tif", layers(cache)["osm"]
    shutil.copy(layers(cache)["srtm"], mine)
    assert call("run", study, "--dem", mine, "--osm", roads, "--out", file, "-q")[0] == 0
    renamed = (file / "metrics.csv").read_text().replace("Elevation model mine.tif", "SRTM heights in skadi tiles")
    assert (live / "metrics.csv").read_text() == renamed
    for folder in (live, file):
        assert json.loads((folder / "manifest.json").read_text())["dem"]["vertical_error_m"] == 9.7


def test_offline_names_all_that_is_missing_and_the_way_to_get_it(server, study, cache, call, tmp_path):
    code, out, err = call("run", study, "--live", "--offline", "--cache", cache, "--out", tmp_path / "out", "-q")
    assert (code, out, server.seen) == (2, "", [])
    (line,) = err.splitlines()
    for word in ("OpenStreetMap", "SRTM tile N45E010", "--offline", "corridor fetch", str(cache)):
        assert word in line
    assert not (tmp_path / "out").exists()


def test_refresh_fetches_again_and_keeps_what_was(server, study, cache, call):
    call("fetch", study, "--cache", cache)
    asked = len(server.seen)
    assert call("fetch", study, "--cache", cache, "--refresh")[0] == 0
    assert len(server.seen) == 2 * asked


def test_locked_takes_the_same_data_and_refuses_other(server, study, cache, call, tmp_path):
    out, manifest = tmp_path / "out", tmp_path / "out" / "manifest.json"
    assert call("run", study, "--live", "--cache", cache, "--out", out)[0] == 0
    lock = read_pinned_inputs(manifest)

    def held(folder) -> dict[str, str]:
        asked = fetch_inputs(
            load_study(str(study)), WantedInputs(), cache=Cache(folder), meter=METER, expected=lock.fetched
        )
        return {entry.file: entry.sha256 for _, _, entry in asked.layers}

    # a new cache gets the same answers, so the same bytes
    assert held(cache) == held(tmp_path / "other")
    server.files[TILE] = hgt(lambda lon, lat: height_m(lon, lat) + 5, 45, 10)
    before, there = manifest.read_bytes(), lock.fetched[f"{server.url}{TILE}", "N45E010.hgt.gz"]
    third = ("--cache", tmp_path / "third", "--out", out, "-q")
    code, _, err = call("run", study, "--live", "--locked", manifest, *third)
    assert code == 2
    assert "N45E010.hgt.gz" in err
    assert there in err
    assert err.count("\n") == 1
    assert manifest.read_bytes() == before
    # the cache that holds the earlier tile still can, even after it took the new one
    assert call("fetch", study, "--cache", cache, "--refresh")[0] == 0
    assert held(cache) == held(tmp_path / "other")
    assert call("run", study, "--locked", manifest, *third)[0] == 2


@pytest.fixture(scope="module")
def manifest(midland_map, tmp_path_factory):
    """The manifest of a run of the study, made once for all tests that lock to it."""
    comparison = corridor.compare(corridor.Study.load(midland_map / "midland.toml"))
    return comparison.write(tmp_path_factory.mktemp("locked") / "out").parent / "manifest.json"


def test_locked_holds_files_too(study, manifest, call, tmp_path):
    digest = next(row["sha256"] for row in json.loads(manifest.read_text())["inputs"] if row["id"] == "places")
    run = open_run(load_study(str(study)))
    read_pinned_inputs(manifest).require("midland", run["data_sources"], run["rules"])
    with (study.parent / "places.csv").open("a") as stream:
        stream.write("New Town,45.4,10.5,XB,100\n")
    code, _, err = call("run", study, "--out", tmp_path / "third", "--locked", manifest, "-q")
    assert code == 2
    assert "places.csv" in err
    assert digest in err
    code, _, err = call("run", "syunik", "--out", tmp_path / "third", "--locked", manifest, "-q")
    assert code == 2
    assert "midland" in err
    for text in ("", "[]", '{"inputs": [{"id": 1}]}', '{"inputs": [], "study": "x"'):
        (tmp_path / "bad.json").write_text(text)
        code, _, err = call("run", study, "--locked", tmp_path / "bad.json", "--out", tmp_path / "third", "-q")
        assert (code, err.count("\n")) == (2, 1)
        assert "bad.json" in err


RULES = {
    "study": ("midland.toml", "draws = 8", "draws = 9"),
    "reference/speeds.csv": ("reference/speeds.csv", "road,primary,80.0,", "road,primary,79.0,"),
    "reference/unit_costs.csv": ("reference/unit_costs.csv", "road,surface,3,", "road,surface,2,"),
}


@pytest.mark.parametrize("name", RULES)
def test_locked_holds_what_decides_too(name, study, manifest, call, tmp_path):
    """Speeds, prices and the study itself change figures as much as heights do."""
    file, old, new = RULES[name]
    path = study.parent / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    code, _, err = call("run", study, "--locked", manifest, "--out", tmp_path / "third", "-q")
    assert (code, err.count("\n")) == (2, 1), err
    assert f"{name} was another then" in err
    assert not (tmp_path / "third").exists()


def test_a_locked_study_may_lie_elsewhere(study, manifest, call, tmp_path):
    """Where the same files lie decides nothing."""
    study.parent.rename(tmp_path / "moved")
    moved = tmp_path / "moved" / study.name
    assert call("run", moved, "--locked", manifest, "--out", tmp_path / "again", "-q")[0] == 0


def test_cache_commands(server, study, cache, call):
    call("fetch", study, "--cache", cache)
    code, out, _ = call("cache", "list", "--cache", cache)
    assert code == 0
    assert "N45E010" in out
    assert call("cache", "verify", "--cache", cache)[0] == 0
    tile = layers(cache)["N45E010.hgt.gz"]
    content = bytearray(tile.read_bytes())
    content[len(content) // 2] ^= 1
    tile.write_bytes(content)
    code, out, _ = call("cache", "verify", "--cache", cache)
    assert code == 1
    assert "SHA-256" in out
    # a damaged file is fetched again; the raster made of it was sound and asks nothing
    layers(cache)["srtm"].unlink()
    asked = len(server.asked("skadi"))
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert len(server.asked("skadi")) == asked + 1
    assert call("cache", "verify", "--cache", cache)[0] == 0
    assert call("cache", "clear", "--cache", cache)[0] == 0
    assert Cache(cache).entries() == []
