"""Railways go on over small gaps of the map, never over a break of gauge."""

from __future__ import annotations

import pytest

from corridor.errors import NoRouteError
from corridor.io.read.osm import read_osm
from corridor.network.conflate_ways import build_physical, ways_of_osm
from corridor.network.graph import Network
from corridor.report.i18n import render
from tests.synthetic.osm import write_osm

WEST, MIDDLE, EAST = (10.0, 45.0), (10.1, 45.0), (10.2, 45.0)
BEYOND_GAP = (10.1003, 45.0)  # 24 m east of the middle


def rail(*points, **tags):
    return list(points), {"railway": "rail"} | tags


def network_of(folder, *ways):
    joined = ways_of_osm(read_osm(write_osm(folder / "a.osm", list(ways))))
    physical = build_physical(joined)
    edges = physical.edges.assign(minutes_forward=1.0, minutes_backward=1.0)
    return Network(edges, physical.node_lon, physical.node_lat), tuple(map(render, joined.joins))


def goes_through(network) -> bool:
    try:
        return len(network.alternatives(WEST, EAST, mode="rail", count=1)) == 1
    except NoRouteError:
        return False


@pytest.mark.parametrize(
    ("west", "east", "joined"),
    [("1520", "1520", True), ("1520", "", True), ("1520;1435", "1435", True), ("1520", "1435", False)],
)
def test_a_gap_is_joined_unless_both_ends_name_gauges_that_differ(west, east, joined, tmp_path):
    network, said = network_of(tmp_path, rail(WEST, MIDDLE, gauge=west), rail(BEYOND_GAP, EAST, gauge=east))
    assert goes_through(network) is joined
    place = "at 45.0000 N 10.1000 E"
    expected = f"joined {place}" if joined else f"not joined {place}: break of gauge (1435 and 1520 mm)"
    assert said == (f"railway gap of 24 m {expected}",)


@pytest.mark.parametrize(("east", "goes"), [("1520", True), ("", True), ("1435", False), ("1435;1520", True)])
def test_where_gauges_break_at_one_node_no_train_goes_on(east, goes, tmp_path):
    network, said = network_of(tmp_path, rail(WEST, MIDDLE, gauge="1520"), rail(MIDDLE, EAST, gauge=east))
    assert goes_through(network) is goes
    assert len(said) == (not goes)


def test_a_track_without_gauge_stays_with_the_greater_number(tmp_path):
    """Two tracks of 1520 mm, one of 1435 mm and one that says nothing meet: the last goes on to those of 1520 mm."""
    north = (10.1, 45.1)
    network, said = network_of(
        tmp_path,
        rail(WEST, MIDDLE, gauge="1520"),
        rail(north, MIDDLE, gauge="1520"),
        rail((10.1, 44.9), MIDDLE, gauge="1435"),
        rail(MIDDLE, EAST),
    )
    assert goes_through(network)
    assert said == ("break of gauge (1435 and 1520 mm) at 45.0000 N 10.1000 E: no train goes on there",)


def test_a_tram_is_no_continuation_of_a_railway(tmp_path):
    tram = ([BEYOND_GAP, EAST], {"railway": "construction", "construction": "tram"})
    network, said = network_of(tmp_path, rail(WEST, MIDDLE), tram)
    assert said == ()
    assert len(network.edges) == 1


def test_roads_closed_to_trucks_are_closed_and_keep_apart_from_those_that_are_not(tmp_path):
    """One straight road in two ways, the eastern one private: no truck leads through, and they don't merge."""
    road = {"highway": "primary"}
    ways = [([WEST, MIDDLE], road), ([MIDDLE, EAST], road | {"access": "private", "maxweight": "36"})]
    network, _ = network_of(tmp_path, *ways)
    assert network.edges["truck_access"].tolist() == ["yes", "no"]
    assert network.edges["max_weight_t"].tolist()[1] == 36
    assert network.closed("road").tolist() == [False, True]
    assert network.closed("road", any_status=True).tolist() == [False, False]
