"""Two processes on one cache; a fetch that is ended in the middle; links in the cache; a piece of the real extract."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from corridor.cli.common import load_study
from corridor.errors import OutputError
from corridor.geo.geodesy import line_lengths_m
from corridor.io.fetch.cache import Cache, CacheEntry, key_of
from corridor.io.fetch.fetch_inputs import fetch_inputs
from corridor.io.fetch.fetcher import Meter
from corridor.io.fetch.wanted import WantedInputs, inputs_at_hand
from corridor.io.read.osm import read_osm
from corridor.io.read.osm_tags import PLACE_KINDS
from tests.io.fetch import server as fault
from tests.io.fetch.conftest import QUERY, TILE
from tests.io.fetch.server import OsmMap, Server, hgt


def start(study, cache) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "corridor.cli", "fetch", str(study), "--cache", str(cache), "-q"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_fetch_each_file_once(server, study, cache):
    server.faults += [(QUERY, fault.wait(0.5)), (TILE, fault.wait(0.5))]
    both = [start(study, cache) for _ in range(2)]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert len(server.asked(TILE)) == 1
    assert len(server.asked(QUERY)) == 1
    assert Cache(cache).verify() == []


def test_after_a_kill_the_next_fetch_completes(server, study, cache):
    server.faults.append((TILE, fault.drip(1000, 0.01)))
    killed = start(study, cache)
    end = time.monotonic() + 300
    while not server.asked(TILE) and time.monotonic() < end:
        time.sleep(0.01)
    assert server.asked(TILE)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=300)
    assert Cache(cache).verify() == []
    again = start(study, cache)
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert len(out.splitlines()) > 2
    assert Cache(cache).verify() == []


@pytest.fixture
def no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CORRIDOR_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize(("osm", "dem"), [(None, ()), ("roads.osm", ()), ("roads.osm", ("heights.tif", "more.hgt"))])
def test_what_is_at_hand_is_what_a_fetch_without_the_network_gives(osm, dem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in filter(None, (osm, *dem)):
        (tmp_path / name).write_text("something")
    study, wanted = load_study("syunik"), WantedInputs(osm, dem, live=False)
    fetched = fetch_inputs(study, wanted, cache=Cache(tmp_path / "cache"), meter=Meter(lambda _: None))
    assert inputs_at_hand(study, wanted) == fetched


@pytest.mark.usefixtures("no_settings")
def test_names_of_sources_addresses_and_settings_are_looked_at_more_closely(monkeypatch):
    study, own = load_study("syunik"), WantedInputs(live=False)
    for wanted in (WantedInputs(), WantedInputs("overpass", live=False), WantedInputs(dem=("srtm",), live=False),
                   WantedInputs(dem=("https://example.org/a.tif",), live=False)):  # fmt: skip
        assert inputs_at_hand(study, wanted) is None
    for wrong in ({"dem": "lidar"}, {"skady_url": "https://example.org"}):
        live = study.live.model_validate(wrong)
        assert inputs_at_hand(study.model_copy(update={"live": live}), own) is None
    monkeypatch.setenv("CORRIDOR_HTTP_TRIES", "many")
    assert inputs_at_hand(study, own) is None


def entry(name: str = "a.txt") -> CacheEntry:
    return CacheEntry(key_of("test", name), name, "a file", "nobody", "CC0-1.0", "https://example.org/a")


def test_links_are_not_followed_out_of_the_cache(tmp_path):
    here, outside = Cache(tmp_path / "cache"), tmp_path / "outside"
    outside.write_text("one")
    with here.open(entry().key, 1) as part:
        part.write_text("one")
        path, held = here.add(part, entry())
    path.unlink()
    path.symlink_to(outside)
    assert here.find(held.key) is None
    assert "link" in here.verify()[0]
    here.clear()
    assert outside.read_text() == "one"
    (tmp_path / "cache" / "files").symlink_to(tmp_path)
    assert here.entries() == []
    here.clear()
    assert outside.exists()


@pytest.mark.parametrize("name", ["../a", "/a", ".hidden", "", "a/b", "a\n", "x" * 200])
def test_a_name_can_t_lead_out_of_the_cache(name, tmp_path):
    here = Cache(tmp_path / "cache")
    with here.open(entry().key, 1) as part:
        part.write_text("one")
        with pytest.raises(ValueError, match="name"):
            here.add(part, entry(name))
    assert here.entries() == []


def test_a_folder_that_is_no_cache_is_left_alone(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="no cache"):
        Cache(tmp_path).clear()
    with pytest.raises(ValueError, match="no cache"), Cache(tmp_path).open(entry().key, 1):
        pass
    assert (tmp_path / "files" / "mine.txt").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_can_t_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="can't be written"), Cache(tmp_path / "cache").open(entry().key, 1):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", '[{"key": 1}]', "[" * 100_000])
def test_a_listing_that_is_none_hides_its_file_and_is_reported(text, tmp_path):
    here = Cache(tmp_path / "cache")
    with here.open(entry().key, 1) as part:
        part.write_text("one")
        path, held = here.add(part, entry())
    (path.parent / "provenance.json").write_text(text)
    assert here.find(held.key) is None
    assert len(here.verify()) > 0
    with here.open(held.key, 1) as part:
        part.write_text("one")
        here.add(part, entry())
    assert here.verify() == []
    assert here.find(held.key) is not None


@pytest.mark.extract
@pytest.mark.slow
def test_a_piece_of_the_real_map_arrives_whole(extract_path, tmp_path, monkeypatch, server):
    """Roads, railways and places about Meghri: what the file has there is what comes through the server."""
    import osmium

    area = west, south, east, north = (46.05, 38.82, 46.45, 39.05)
    with osmium.BackReferenceWriter(str(tmp_path / "piece.osm.pbf"), str(extract_path)) as writer:
        # what has no tags is neither a way nor a place, and is most of the map: it is passed over before it gets here
        tagged = osmium.filter.EmptyTagFilter()
        for item in osmium.FileProcessor(str(extract_path)).with_locations().with_filter(tagged):
            near = item.is_way() and any(west < n.lon < east and south < n.lat < north for n in item.nodes)
            if near or (item.is_node() and item.tags.get("place") in PLACE_KINDS):
                writer.add(item)
    study = load_study("syunik").model_copy(update={"area": area})
    monkeypatch.setenv("CORRIDOR_QUERY_AREA_KM2", "150")
    with Server(OsmMap(tmp_path / "piece.osm.pbf")) as running:
        running.files["/skadi/N38/N38E046.hgt.gz"] = hgt(lambda lon, lat: 1000 + 0 * lon * lat, 38, 46)
        running.files["/skadi/N39/N39E046.hgt.gz"] = hgt(lambda lon, lat: 1000 + 0 * lon * lat, 39, 46)
        monkeypatch.setenv("CORRIDOR_OVERPASS_URL", f"{running.url}/api/interpreter")
        monkeypatch.setenv("CORRIDOR_SKADI_URL", f"{running.url}/skadi/")
        found = fetch_inputs(study, WantedInputs(), cache=Cache(tmp_path / "cache"), meter=Meter(lambda _: None))
        # 35 by 26 km in tiles of 150 km2, one query each
        assert len(running.asked(QUERY)) == 6
    fetched, given = read_osm(found.osm), read_osm(tmp_path / "piece.osm.pbf")
    ways = [data.ways.assign(km=line_lengths_m(data.ways.geometry) / 1000) for data in (fetched, given)]
    km = [table.groupby(["mode", "class", "status"])["km"].sum().to_dict() for table in ways]
    assert km[0] == pytest.approx(km[1])
    assert sum(length for (mode, _, status), length in km[0].items() if mode == "rail" and status != "open") > 30
    there = given.places.cx[area[0] : area[2], area[1] : area[3]]
    assert sorted(fetched.places["name"]) == sorted(there["name"])
    assert len(there) > 5
