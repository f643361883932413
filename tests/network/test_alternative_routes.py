"""Routes that differ on a graph as osmnx gives it: a valley with a quick road, a slower one, and a side street."""

from __future__ import annotations

import networkx as nx
import numpy as np
import osmnx as ox
import pytest
from shapely import Point

import corridor
from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, project
from corridor.network.graph import TIME_COLUMNS
from tests.network.test_network import lattice

PLACES = {1: (46.0, 39.0), 2: (46.1, 39.0), 3: (46.2, 39.0), 4: (46.1, 39.05), 5: (46.1, 39.001)}
ROADS = [(1, 2, 90), (2, 3, 90), (1, 4, 70), (4, 3, 70), (2, 5, 30), (5, 3, 80)]


@pytest.fixture
def graph():
    made = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (lon, lat) in PLACES.items():
        made.add_node(node, x=lon, y=lat)
    for u, v, speed in ROADS:
        for a, b in ((u, v), (v, u)):
            made.add_edge(a, b, 0, osmid=u * 10 + v, highway="primary", maxspeed=str(speed), oneway=False)
    return ox.distance.add_edge_lengths(made)


@pytest.fixture
def network(graph):
    return corridor.Network.from_osmnx(ox.add_edge_travel_times(ox.add_edge_speeds(graph.copy())))


def test_ways_differ_and_are_measured(network):
    ways = network.alternatives(PLACES[1], PLACES[3], count=3, max_shared=0.4)
    assert ways.crs.to_epsg() == 4326
    assert ways["route"].tolist() == [1, 2]
    assert ways["minutes"].is_monotonic_increasing
    # Along the parallel at 39 degrees north: 0.2 degrees of longitude, at 90 km/h.
    assert ways["length_km"][0] == pytest.approx(17.3, abs=0.1)
    assert ways["minutes"][0] == pytest.approx(17.3 / 90 * 60, rel=0.02)
    assert ways["shared_part"].tolist() == [0.0, 0.0]
    for line in ways.geometry:
        assert line.coords[0] == pytest.approx(PLACES[1], abs=1e-6)
        assert line.coords[-1] == pytest.approx(PLACES[3], abs=1e-6)


def test_a_side_street_is_another_way_only_if_much_may_be_shared(network):
    ways = network.alternatives(PLACES[1], PLACES[3], count=3, max_shared=0.6)
    assert len(ways) == 3
    assert ways["shared_part"].max() == pytest.approx(0.5, abs=0.01)


def test_a_closed_road_is_not_used(network):
    closed = network.closed("road") | (network.edges["length_m"] < 9000).to_numpy()
    (way,) = network.alternatives(PLACES[1], PLACES[3], closed=closed, limit_m=20_000).itertuples()
    assert max(lat for _, lat in way.geometry.coords) == pytest.approx(39.05)


def test_ways_over_borders_where_nobody_knows_the_wait_come_after_those_where_it_is_known():
    # three rows of streets, the middle one straight from end to end; its middle street is one where nobody knows
    network = lattice(3, 6)
    ends = (10.0, 45.01), (10.05, 45.01)
    (straight,) = network.alternatives(*ends, count=1).itertuples()
    middle = network.tree.nearest(project(Point(10.025, 45.01), WGS84, network.crs))
    minutes = {name: network.column(name).copy() for name in TIME_COLUMNS}
    for column in minutes.values():
        column[middle] = np.nan
    doubtful = network.with_minutes(minutes)
    ways = doubtful.alternatives(*ends, count=4, max_shared=0.5)
    assert ways["minutes"][0] > straight.minutes
    # the straight way is told too, and comes last: how long it takes, nobody knows
    assert ways["minutes"].isna().tolist() == [*[False] * (len(ways) - 1), True]
    assert ways.geometry.iloc[-1].equals(straight.geometry)
    (alone,) = doubtful.alternatives(*ends, count=1).itertuples()
    assert alone.geometry.equals(ways.geometry[0])


def test_what_can_t_be_searched_says_why(graph, network):
    with pytest.raises(NetworkError, match="no edge has minutes: add travel times"):
        corridor.Network.from_osmnx(graph).alternatives(PLACES[1], PLACES[3])
    with pytest.raises(NetworkError, match="origin at 10"):
        network.alternatives((10.0, 10.0), PLACES[3])
    alone = nx.compose(graph, nx.relabel_nodes(graph, {n: n + 10 for n in PLACES}))
    for node in PLACES:
        alone.nodes[node + 10]["x"] += 2.0
    far = corridor.Network.from_osmnx(ox.add_edge_travel_times(ox.add_edge_speeds(alone)))
    with pytest.raises(NoRouteError):
        far.alternatives(PLACES[1], (48.0, 39.0))
