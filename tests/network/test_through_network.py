"""Minor roads carry nobody past them: a map drawn by hand, read from a file."""

from __future__ import annotations

import pytest

from corridor.errors import NoRouteError
from corridor.io.read.osm import read_osm
from corridor.network.conflate_ways import build_physical, ways_of_osm
from corridor.network.conflation import apply_documents
from corridor.network.graph import Network
from corridor.schema.catalogue import THROUGH_CLASSES
from tests.synthetic.osm import write_osm

WEST, EAST, NORTH = (10.0, 45.0), (10.4, 45.0), (10.2, 45.2)
HAMLET, FARM = (10.2, 45.01), (10.25, 45.02)
MAIN = [WEST, NORTH, EAST]  # 54 km by the trunk road
SHORTCUT = [WEST, (10.1, 45.0), HAMLET, (10.3, 45.0), EAST]  # 32 km of minor road


def network_of(folder, *ways, through=THROUGH_CLASSES, barriers=None):
    physical = build_physical(ways_of_osm(read_osm(write_osm(folder / "a.osm", list(ways), barriers))))
    physical = apply_documents(physical, {}, {}, through)
    minutes = physical.edges["length_m"] / 1000
    edges = physical.edges.assign(minutes_forward=minutes, minutes_backward=minutes)
    return Network(edges, physical.node_lon, physical.node_lat)


def km(network, start, end) -> float:
    return float(network.alternatives(start, end, count=1)["length_km"].iloc[0])


def test_a_minor_road_is_no_short_cut(tmp_path):
    roads = (MAIN, {"highway": "trunk"}), (SHORTCUT, {"highway": "residential"})
    network = network_of(tmp_path, *roads)
    assert km(network, WEST, EAST) == pytest.approx(54.4, abs=0.2)
    everything = network_of(tmp_path, *roads, through=(*THROUGH_CLASSES, "residential"))
    assert km(everything, WEST, EAST) == pytest.approx(31.7, abs=0.2)


def test_a_place_on_a_minor_road_is_reached_by_the_nearer_end(tmp_path):
    lane = [HAMLET, FARM]
    network = network_of(
        tmp_path, (MAIN, {"highway": "trunk"}), (SHORTCUT, {"highway": "residential"}), (lane, {"highway": "road"})
    )
    assert km(network, WEST, FARM) == pytest.approx(15.8 + 4.1, abs=0.2)
    assert km(network, FARM, WEST) == pytest.approx(15.8 + 4.1, abs=0.2)


@pytest.mark.parametrize("tags", [{"motor_vehicle": "destination"}, {"hgv": "delivery"}])
def test_a_road_for_local_traffic_is_first_and_last_leg_whatever_its_class(tags, tmp_path):
    local = {"highway": "primary"} | tags
    network = network_of(tmp_path, (MAIN, {"highway": "trunk"}), (SHORTCUT, local))
    assert km(network, WEST, EAST) == pytest.approx(54.4, abs=0.2)
    assert km(network, WEST, HAMLET) == pytest.approx(15.9, abs=0.2)


@pytest.mark.parametrize(
    ("tags", "by_truck_km", "by_car_km"),
    [
        ({"barrier": "gate"}, 31.7, 31.7),
        ({"barrier": "gate", "hgv": "no"}, 54.4, 31.7),
        ({"barrier": "gate", "hgv": "destination"}, 54.4, 31.7),
        ({"barrier": "gate", "motorcar": "no"}, 31.7, 54.4),
        ({"barrier": "bollard", "hgv": "no"}, 54.4, 54.4),
    ],
)
def test_a_barrier_for_one_vehicle_sends_this_one_round(tags, by_truck_km, by_car_km, tmp_path):
    short = (SHORTCUT, {"highway": "primary"})
    network = network_of(tmp_path, (MAIN, {"highway": "trunk"}), short, barriers={SHORTCUT[1]: tags})
    for access, expected_km in (("truck_access", by_truck_km), ("car_access", by_car_km)):
        edges = network.edges.assign(truck_access=network.edges[access])
        assert km(Network(edges, network.node_lon, network.node_lat), WEST, EAST) == pytest.approx(expected_km, abs=0.2)


def test_a_main_street_that_minor_roads_alone_join_is_a_minor_road(tmp_path):
    """1.6 km of tertiary road in a village, 8 km of track-like road on either side: a way to the village passes it."""
    street = [(10.19, 45.01), HAMLET, (10.21, 45.01)]
    lanes = [[WEST, street[0]], [street[-1], FARM]]
    network = network_of(
        tmp_path,
        (MAIN, {"highway": "trunk"}),
        (street, {"highway": "tertiary"}),
        *((lane, {"highway": "residential"}) for lane in lanes),
    )
    assert not network.is_through[network.edges["class"] == "tertiary"].any()
    assert km(network, WEST, FARM) == pytest.approx(15.0 + 1.6 + 3.3, abs=0.3)


def test_two_through_roads_joined_by_a_minor_one_alone_are_not_joined(tmp_path):
    gap = [(10.2, 45.0), (10.21, 45.0)]
    network = network_of(
        tmp_path,
        ([(9.9, 45.0), gap[0]], {"highway": "primary"}),
        (gap, {"highway": "residential"}),
        ([gap[1], (10.5, 45.0)], {"highway": "primary"}),
    )
    with pytest.raises(NoRouteError):
        km(network, (9.9, 45.0), (10.5, 45.0))
    assert km(network, (9.9, 45.0), (10.205, 45.0)) == pytest.approx(24.0, abs=0.1)
