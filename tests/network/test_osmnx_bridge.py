"""What osmnx's graphs may lack or be, and what goes back to it."""

from __future__ import annotations

import networkx as nx
import numpy as np
import osmnx as ox
import pytest
from shapely import LineString

from corridor.errors import NetworkError
from corridor.geo.geodesy import line_lengths_m
from corridor.network.graph import TIME_COLUMNS, Network
from tests.network.test_network import lattice

POINTS = ((44.0, 40.0), (44.1, 40.0))
LINE = LineString([POINTS[0], (44.05, 40.02), POINTS[1]])
LENGTH_M = float(line_lengths_m([LINE])[0])


def graph(*edges: dict[str, object], **attributes: object) -> nx.MultiDiGraph:
    """Two places and both directions of a road for each dictionary of edge attributes."""
    made = nx.MultiDiGraph(crs="EPSG:4326", **attributes)
    for node, (x, y) in enumerate(POINTS):
        made.add_node(node, x=x, y=y)
    for data in edges:
        made.add_edge(0, 1, highway="primary", geometry=LINE, **data)
        made.add_edge(1, 0, highway="primary", geometry=LINE.reverse(), **data)
    return made


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -1.0, "ten", "12 min"])
def test_a_time_that_some_edges_lack_is_refused_with_their_number(value):
    other = {} if value is None else {"travel_time": value}
    with pytest.raises(NetworkError, match=r"2 of 4 edges .*'travel_time'"):
        Network.from_osmnx(graph({"length": 5.0, "travel_time": 60.0}, {"length": 5.0, **other}))


def test_without_any_time_lengths_can_still_be_searched():
    network = Network.from_osmnx(graph({"length": 9000.0}))
    assert network.edges["minutes_forward"].tolist() == [0.0]
    with pytest.raises(NetworkError, match="no edge has minutes"):
        network.alternatives(*POINTS)


@pytest.mark.parametrize("value", [float("nan"), None, "long", 0.0, -4.0])
def test_a_length_that_is_no_length_is_measured_along_the_line(value):
    network = Network.from_osmnx(graph({"length": value, "travel_time": 60.0}))
    assert network.edges["length_m"].tolist() == pytest.approx([LENGTH_M])


def test_graphs_of_every_type_give_the_same_roads_both_ways():
    given = graph({"length": 9000.0, "travel_time": 540.0})
    for kind in (given, nx.DiGraph(given), ox.convert.to_undirected(given), nx.Graph(given)):
        network = Network.from_osmnx(kind)
        assert network.edges["oneway"].tolist() == [0]
        for origin, destination in (POINTS, POINTS[::-1]):
            (way,) = network.alternatives(origin, destination).itertuples()
            assert way.minutes == pytest.approx(9.0)
            assert way.length_km == pytest.approx(9.0)
            assert way.geometry.coords[0] == pytest.approx(origin)


def test_what_is_no_graph_or_has_places_in_words_is_one_line():
    with pytest.raises(NetworkError, match=r"not a dict"):
        Network.from_osmnx({})
    words = graph({"length": 9000.0})
    words.nodes[1]["x"] = "44.1"
    with pytest.raises(NetworkError, match=r"1 of 2 nodes .*load_graphml"):
        Network.from_osmnx(words)


@pytest.mark.parametrize("nowhere", [float("nan"), float("inf")])
def test_a_place_that_is_no_number_is_refused(nowhere):
    made = graph({})
    made.nodes[0]["x"] = nowhere
    with pytest.raises(NetworkError, match="1 of 2 nodes of the graph have no numbers as 'x' and 'y'"):
        Network.from_osmnx(made)


def test_only_what_may_be_travelled_goes_back():
    network = lattice(2, 3)
    status = np.array(["open"] * len(network.edges), dtype=object)
    status[:2] = "closed", "construction"
    arcs = network.with_edges(network.edges.assign(status=status)).to_osmnx()
    assert arcs.number_of_edges() == 2 * (len(network.edges) - 2)
    assert {data["status"] for *_, data in arcs.edges(data=True)} == {"open"}


def test_a_border_where_nobody_knows_the_wait_is_left_out_of_what_goes_back():
    network = lattice(2, 3)
    minutes = {name: network.column(name).copy() for name in TIME_COLUMNS}
    for column in minutes.values():
        column[0] = np.nan
    assert network.with_minutes(minutes).to_osmnx().number_of_edges() == 2 * (len(network.edges) - 1)
