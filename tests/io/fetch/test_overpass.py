"""A real Overpass server's ways: slots, a query that counts as running, its own words, redirects, one query a tile."""

from __future__ import annotations

import pytest
import shapely

from corridor.geo.geodesy import distance_m
from corridor.io.fetch.cache import Cache
from corridor.io.fetch.overpass import _tiles
from corridor.io.read.borders import read_borders
from tests.io.fetch import server as fault
from tests.io.fetch.conftest import QUERY
from tests.io.fetch.server import OsmMap, bare

DUPLICATE = "Dispatcher_Client::request_read_and_idx::duplicate_query"
LIMITED = "Dispatcher_Client::request_read_and_idx::rate_limited. Please check /api/status for the quota"


def test_a_tile_is_one_query(server, study, cache, call, monkeypatch):
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert len(server.asked(QUERY)) == 1
    monkeypatch.setenv("CORRIDOR_QUERY_AREA_KM2", "1000")
    code, _, err = call("fetch", study, "--cache", cache / "other")
    assert code == 0
    count = len(server.asked(QUERY)) - 1
    assert count > 3
    assert f"answer 2 of {count}" in err


@pytest.mark.parametrize("most_km2", [50.0, 400.0, 3000.0, 1e6])
def test_tiles_are_the_area_and_small_enough(most_km2):
    area = (44.2, 38.8, 46.9, 40.1)
    tiles = _tiles(area, most_km2)
    boxes = [shapely.box(*tile) for tile in tiles]
    assert shapely.union_all(boxes).equals(shapely.box(*area))
    assert sum(box.area for box in boxes) == pytest.approx(shapely.box(*area).area)
    for west, south, east, north in tiles:
        middle = (south + north) / 2
        sides = distance_m([west, west], [middle, south], [east, west], [middle, north]) / 1000
        assert sides.prod() <= most_km2 * 1.02


def test_a_query_that_counts_as_running_is_asked_in_other_words(server, study, cache, call):
    """The server strips comments and spaces before it compares, so the words must differ otherwise."""
    server.keeps_slots = True
    server.faults += [(QUERY, fault.status(504))] * 2
    code, _, err = call("fetch", study, "--cache", cache)
    assert code == 0, err
    assert len({bare(query) for query in server.queries}) == len(server.queries) == 3
    assert DUPLICATE not in err


def test_a_page_that_says_duplicate_is_tried_again_and_said(server, study, cache, call):
    server.faults.append((QUERY, fault.overpass_page(DUPLICATE)))
    code, _, err = call("fetch", study, "--cache", cache)
    assert code == 0, err
    assert "duplicate_query" in err


def test_a_busy_server_is_asked_when_it_has_a_slot(server, study, cache, call, monkeypatch):
    """It says so under /api/status; the time that it names is kept, and never less than the setting."""
    waits = []
    monkeypatch.setattr("corridor.io.fetch.fetcher.time.sleep", waits.append)
    server.status = "Rate limit: 2\nSlot available after: 2026-01-01T00:00:00Z, in 7 seconds.\n" + (
        "Slot available after: 2026-01-01T00:00:00Z, in 12 seconds.\n"
    )
    server.faults.append((QUERY, fault.overpass_page(LIMITED, 429)))
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert max(waits) == 8
    assert server.asked("/api/status")


def test_a_busy_server_is_left_alone_at_least_so_long(server, study, cache, call, monkeypatch):
    waits = []
    monkeypatch.setattr("corridor.io.fetch.fetcher.time.sleep", waits.append)
    monkeypatch.setenv("CORRIDOR_BUSY_PAUSE_S", "11")
    server.faults.append((QUERY, fault.status(429)))
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert max(waits) == 11


def test_pauses_grow_over_answers(server, study, cache, call, monkeypatch):
    """One answer between two refusals is no sign that the server is free."""
    waits = []
    monkeypatch.setattr("corridor.io.fetch.fetcher.time.sleep", waits.append)
    monkeypatch.setenv("CORRIDOR_QUERY_AREA_KM2", "1000")
    monkeypatch.setenv("CORRIDOR_HTTP_PAUSE_S", "1")
    answers = iter([True, False, True, False, True, False] + [False] * 100)
    busy = fault.status(504)
    server.faults += [(QUERY, lambda handler: next(answers) and busy(handler))] * 100
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert [wait for wait in waits if wait >= 1] == [1, 2, 4]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (fault.overpass_page("line 1: parse error: ';' expected", 400), "parse error"),
        (fault.overpass_page("Query timed out in query"), "CORRIDOR_QUERY_AREA_KM2"),
        (fault.status(406), "CORRIDOR_CONTACT"),
        (fault.status(403), "refuses"),
        (fault.body(b'{"elements": [], "remark": "runtime error: Query run out of memory"}'), "smaller tiles"),
    ],
)
def test_what_no_second_try_helps_is_said_at_once(bad, says, server, study, cache, call):
    server.faults += [(QUERY, bad)] * 5
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert says in err
    assert len(server.asked(QUERY)) == 1


def test_a_server_that_moved_is_asked_the_same_there(server, study, cache, call):
    """A redirect of a post isn't to become a get without the question."""
    server.faults.append((QUERY, fault.redirect(f"{server.url}{QUERY}?moved")))
    code, _, err = call("fetch", study, "--cache", cache)
    assert code == 0, err
    assert [method for method, path, _ in server.seen if QUERY in path] == ["POST", "POST"]
    assert server.queries[0] == server.queries[1]


def test_an_answer_that_dies_in_the_middle_is_asked_again(server, study, cache, call):
    server.faults.append((QUERY, fault.dies_within(b'{"elements": [' + b" " * 1000, 500)))
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert len(server.asked(QUERY)) == 2


def test_who_asks_is_told(server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_CONTACT", "maps@example.org")
    assert call("fetch", study, "--cache", cache)[0] == 0
    agents = {headers["User-Agent"] for _, _, headers in server.seen}
    assert all(agent.startswith("corridor/") and agent.endswith("; maps@example.org)") for agent in agents)
    assert not any("python" in agent for agent in agents)


def test_a_mirror_needs_no_second_fetch(server, study, cache, call, monkeypatch):
    assert call("fetch", study, "--cache", cache)[0] == 0
    before = len(server.seen)
    monkeypatch.setenv("CORRIDOR_OVERPASS_URL", f"{server.url}/mirror")
    monkeypatch.setenv("CORRIDOR_SKADI_URL", f"{server.url}/mirror/skadi")
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert len(server.seen) == before


ISLAND = """<osm version="0.6">
<node id="1" lat="40" lon="5"/><node id="2" lat="40" lon="15"/><node id="3" lat="50" lon="15"/>
<node id="4" lat="50" lon="5"/><way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/></way>
<node id="10" lat="45.5" lon="10.1"/><node id="11" lat="45.4" lon="10.9"/>
<way id="20"><nd ref="10"/><nd ref="11"/><tag k="highway" v="primary"/></way>
<relation id="1"><member type="way" ref="1" role="outer"/><tag k="type" v="boundary"/>
<tag k="boundary" v="administrative"/><tag k="admin_level" v="2"/><tag k="ISO3166-1" v="xa"/>
<tag k="name" v="Allground"/></relation></osm>"""


def test_an_area_within_one_country_has_that_country(server, study, cache, call, tmp_path):
    """No piece of its border lies there; and its code may be in small letters."""
    (tmp_path / "world.osm").write_text(ISLAND, encoding="utf-8")
    server.osm = OsmMap(tmp_path / "world.osm")
    study.write_text(study.read_text().replace('"borders.geojson"', '"live:osm"'))
    code, _, err = call("fetch", study, "--cache", cache)
    assert code == 0, err
    (entry,) = [entry for entry in Cache(cache).entries() if "borders" in entry.file]
    assert read_borders(Cache(cache).path(entry)).names == {"XA": "Allground"}
