"""The graph: snapping, routes, alternatives, borders, gaps and the way to osmnx and back."""

from __future__ import annotations

import weakref
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pytest
import shapely
from shapely import LineString

from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m, project
from corridor.interactions.regime_effects import SplitNetwork
from corridor.io.read.borders import Borders
from corridor.network.alternatives import find_alternatives, route_minutes, shared_part
from corridor.network.conflate_ways import Ways, _is_near_any, _split_at_borders, build_physical, time_network
from corridor.network.connectivity import are_connected, find_gaps
from corridor.network.graph import MINUTES, Network, edge_frame
from corridor.network.jurisdiction import country_of_lines, smooth_islands
from corridor.network.map_matching import measure_route
from corridor.schema.catalogue import TRUCK_OF_LIMIT, BorderDelay, BorderDelays, Crossing, Estimate, Node
from corridor.schema.fields import Source

STEP = 0.01


def lattice(rows, cols, seed=0):
    """A street lattice with minutes of one per edge, a little noise added."""
    number = np.arange(rows * cols).reshape(rows, cols)
    u = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    v = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    lat, lon = (a.ravel() for a in np.mgrid[0:rows, 0:cols])
    x, y = 10 + lon * STEP, 45 + lat * STEP
    lines = [LineString([(x[a], y[a]), (x[b], y[b])]) for a, b in zip(u, v, strict=True)]
    minutes = 1 + np.random.default_rng(seed).uniform(0, 0.3, len(u))
    columns = {"u": u, "v": v, "geometry": lines, "minutes_forward": minutes, "minutes_backward": minutes}
    return Network(edge_frame(columns), x.astype(float), y.astype(float))


def minutes_of(network):
    return network.edges["minutes_forward"].to_numpy(), network.edges["minutes_backward"].to_numpy()


def test_positions_lie_on_the_nearest_open_edge():
    network = lattice(3, 3)
    closed = np.zeros(len(network.edges), dtype=bool)
    at = network.snap(10.004, 45.0005, closed, limit_m=500, what="place")
    assert (at.edge, at.fraction) == (0, pytest.approx(0.4, abs=0.01))
    assert at.distance_m == pytest.approx(55.6, abs=0.5)
    closed[0] = True
    assert network.snap(10.004, 45.0005, closed, limit_m=2000, what="place").edge != 0
    with pytest.raises(NetworkError, match=r"place at 44\.0000 N 10\.0000 E: the nearest usable way is 111\.\d km off"):
        network.snap(10.0, 44.0, closed, limit_m=2000, what="place")


def test_networks_share_what_does_not_hang_on_minutes():
    network = lattice(3, 4)
    other = network.with_minutes({"minutes_forward": np.full(len(network.edges), 7.0)})
    assert other.tree is network.tree
    assert other.traffic_for("truck_access") is network.traffic_for("truck_access")
    assert other.column("class") is network.column("class")
    assert other.column("minutes_forward").tolist() == [7.0] * len(network.edges)
    assert network.column("minutes_forward").max() < 2
    shut = network.with_edges(network.edges.assign(status="closed"))
    assert shut.tree is network.tree
    assert network.is_road_in_use.all()
    assert not shut.is_road_in_use.any()
    moved = network.with_edges(network.edges.set_geometry(shapely.reverse(network.edges.geometry.to_numpy()), crs=4326))
    assert moved.tree is not network.tree
    with pytest.raises(ValueError, match="'status' is no column of minutes"):
        network.with_minutes({"status": np.zeros(len(network.edges))})


def test_what_is_forgotten_of_the_plane_is_made_again_alike():
    network = lattice(4, 4)
    split = SplitNetwork(
        network.edges, network.node_lon, network.node_lat, base=network, changed=np.zeros(0, dtype=np.int64),
        origin=np.arange(len(network.edges)), from_fraction=np.zeros(len(network.edges)),
        to_fraction=np.ones(len(network.edges)), is_gate=np.zeros(len(network.edges), dtype=bool), gates={},
    )  # fmt: skip
    closed = np.zeros(len(network.edges), dtype=bool)
    line = project(LineString([(10.0, 45.002), (10.03, 45.02)]), WGS84, network.crs)

    def asked():
        places = [net.snap(10.004, 45.0005, closed, limit_m=900.0, what="place") for net in (network, split)]
        near = [net.rows_near(line, 500.0, country).tolist() for net in (network, split) for country in (None, "")]
        return places, near, network.is_road_in_use.tolist()

    before, tree, planar = asked(), weakref.ref(network.tree), network.planar
    split.forget_plane()
    assert tree() is None
    assert network.planar is not planar
    assert asked() == before


def test_many_points_are_put_where_each_is_by_itself():
    network = lattice(4, 4)
    random = np.random.default_rng(3)
    closed = random.random(len(network.edges)) < 0.4
    lon, lat = random.uniform(9.98, 10.05, 60), random.uniform(44.98, 45.05, 60)
    # a node is equally near to all of its edges
    lon[0], lat[0] = 10.01, 45.01
    for point, found in zip(zip(lon, lat, strict=True), network.snap_all(lon, lat, closed, limit_m=900.0), strict=True):
        try:
            alone = network.snap(*point, closed, limit_m=900.0, what="place")
        except NetworkError:
            alone = None
        assert found == alone
    assert network.snap_all(lon, lat, np.ones(len(closed), dtype=bool), limit_m=900.0) == [None] * 60
    assert network.snap_all(lon[:0], lat[:0], closed, limit_m=900.0) == []


def test_vertices_that_may_be_near_a_node_are_all_those_in_its_cell_and_around():
    random = np.random.default_rng(9)
    xy = np.column_stack([random.uniform(9.9, 10.3, 4000), random.uniform(44.9, 45.2, 4000)])
    nodes = [
        Node(f"n{i}", "", "", "place", lon, lat, "", None, (), ())
        for i, (lon, lat) in enumerate([(10.0, 45.0), (10.2, 45.1), (10.2, 45.1001)])
    ]
    scale = np.cos(np.radians(45.0))
    near = _is_near_any(xy, nodes, scale, 2000.0)
    off = np.min([distance_m(node.lon, node.lat, *xy.T) for node in nodes], axis=0)
    # none within reach is left out; cells are as wide as the reach both ways, and those around count
    assert near[off <= 2000.0].all()
    assert off[near].max() < 2000.0 * 2**0.5 * 2 * 2**0.5 * 1.02
    assert 0 < near.sum() < 1000


def test_edges_near_a_line_of_many_vertices_are_all_that_lie_within_the_distance():
    network = lattice(4, 5)
    along = np.linspace(0.0, 1.0, 101)
    drawn = LineString(np.column_stack([10.0 + 0.03 * along, 45.005 + 0.02 * along**2]))
    line = project(drawn, WGS84, network.crs)
    for within_m in (0.03, 200.0, 900.0):
        inside = np.flatnonzero(shapely.dwithin(network.planar, line, within_m))
        assert network.rows_near(line, within_m).tolist() == inside.tolist()
        for country in (*network.edges["country"].unique(), "ZZ"):
            own = inside[(network.edges["country"] == country).to_numpy()[inside]]
            assert network.rows_near(line, within_m, country).tolist() == own.tolist()


def test_a_route_is_cut_where_it_begins_and_ends():
    network = lattice(2, 4)
    closed = np.zeros(len(network.edges), dtype=bool)
    start = network.snap(10.0025, 45.0, closed, limit_m=100, what="a")
    end = network.snap(10.0275, 45.0, closed, limit_m=100, what="b")
    forward, backward = minutes_of(network)
    route = network.route(start, end, forward, backward, closed)
    match = measure_route(network, route)
    straight = line_lengths_m([LineString([(10.0025, 45), (10.0275, 45)])])[0]
    assert match.length_km * 1000 == pytest.approx(straight, rel=1e-4)
    assert match.line.coords[0] == pytest.approx((10.0025, 45.0), abs=1e-6)
    assert match.line.coords[-1] == pytest.approx((10.0275, 45.0), abs=1e-6)
    assert route_minutes(network, route) == pytest.approx(route.cost)
    back = network.route(end, start, forward, backward, closed)
    assert back.cost == pytest.approx(route.cost)
    assert route_minutes(network, route.reversed()) == pytest.approx(back.cost)


def test_a_route_inside_one_edge_and_against_a_oneway():
    network = lattice(2, 2)
    closed = np.zeros(4, dtype=bool)
    a = network.snap(10.002, 45.0, closed, limit_m=100, what="a")
    b = network.snap(10.008, 45.0, closed, limit_m=100, what="b")
    forward, backward = minutes_of(network)
    assert network.route(a, b, forward, backward, closed).edges == (0,)
    assert network.route(b, a, forward, backward, closed).forward == (False,)
    one = network.with_edges(network.edges.assign(oneway=[1, 0, 0, 0]))
    around = one.route(b, a, forward, backward, closed)
    assert len(around.edges) == 5
    assert around.cost == pytest.approx(forward.sum() - 0.6 * forward[0], rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_alternatives_differ_and_aren_t_stretched(seed):
    network = lattice(7, 9, seed)
    closed = np.zeros(len(network.edges), dtype=bool)
    start = network.snap(10.0, 45.0, closed, limit_m=10, what="a")
    end = network.snap(10.08, 45.06, closed, limit_m=10, what="b")
    routes = find_alternatives(network, start, end, closed, count=4, max_shared=0.5, max_stretch=1.4)
    costs = [route.cost for route in routes]
    assert len(routes) >= 3
    assert costs == sorted(costs)
    graph = nx.Graph()
    for u, v, minutes in network.edges[["u", "v", "minutes_forward"]].itertuples(index=False):
        graph.add_edge(u, v, weight=minutes)
    assert costs[0] == pytest.approx(nx.dijkstra_path_length(graph, 0, network.n_nodes - 1))
    assert costs[-1] <= costs[0] * 1.4
    for i, a in enumerate(routes):
        for b in routes[:i]:
            assert shared_part(network, a, b) <= 0.5


def test_no_way_is_an_error():
    network = lattice(1, 3)
    start = network.snap(10.0, 45.0, np.zeros(2, bool), limit_m=10, what="a")
    end = network.snap(10.02, 45.0, np.zeros(2, bool), limit_m=10, what="b")
    with pytest.raises(NoRouteError):
        network.route(start, end, np.ones(2), np.ones(2), np.array([False, True]))


def squares():
    west = shapely.box(9.9, 44.9, 10.025, 45.2)
    east = shapely.box(10.025, 44.9, 10.3, 45.2)
    frame = gpd.GeoDataFrame({"country": ["XA", "XB"], "name": ["A", "B"]}, geometry=[west, east], crs=4326)
    return Borders(frame, Source("b", "made up", "", "", ""))


def crossing(status, lat):
    return Crossing(
        "gate", "Gate", 10.025, lat, frozenset(("XA", "XB")), "road", status, "", Estimate(5, 10, 20), (), ""
    )


def with_countries(crossings):
    network = lattice(2, 6)
    countries = country_of_lines(network.edges.geometry.to_numpy(), squares())
    return _split_at_borders(network.edges.assign(country=countries), network.node_lon, network.node_lat, crossings)


def test_a_border_is_passed_only_at_an_open_listed_crossing():
    for status, passable in (("open", True), ("closed", False)):
        network = with_countries([crossing(status, 45.0)])
        assert set(network.edges.loc[network.is_border, "border"]) == {"XA-XB"}
        closed = network.closed("road")
        start = network.snap(10.0, 45.0, closed, limit_m=10, what="a")
        end = network.snap(10.05, 45.0, closed, limit_m=10, what="b")
        assert are_connected(network, closed, start, end) is passable
    gate = crossing("open", 45.0)
    open_ = with_countries([gate])
    ways = np.ones(int((~open_.is_border).sum()))
    by_vehicle = {"truck": (ways, 2 * ways), "car": (3 * ways, 4 * ways)}
    timed = time_network(open_, by_vehicle, {"gate": gate}, BorderDelays())
    for number, name in enumerate(MINUTES, 1):
        assert timed.edges.loc[timed.edges["crossing_id"] == "gate", name].tolist() == [10, 10]
        assert (timed.edges.loc[~timed.is_border, name] == number).all()
    # known in one direction alone, and of one side alone, which says nothing of the passage
    sides = [
        BorderDelay(
            "gate", country, way, "road", 2020, Estimate(1, 2, 3), None, None, None, "declared", (), "", "L", ""
        )
        for country, way in (("XA", "outbound"), ("XB", "inbound"))
    ]
    for known, minutes in ((sides, [240]), (sides[:1], [np.nan])):
        half = replace(gate, delay_min=None, sides=tuple(known))
        timed = time_network(open_, by_vehicle, {"gate": half}, BorderDelays())
        for name in ("delay_min", *MINUTES):
            np.testing.assert_equal(timed.edges.loc[timed.edges["crossing_id"] == "gate", name].unique(), minutes)
    assumed = with_countries([crossing("closed", 45.0)])
    assert not assumed.closed("road", assume_open=["gate"])[assumed.is_border].any()
    assert not assumed.closed("road", countries=["XA"])[(assumed.edges["country"] == "XA")].any()
    assert assumed.closed("road", countries=["XA"])[(assumed.edges["country"] == "XB")].all()


def test_where_no_crossing_is_listed_the_countries_own_means_are_waited():
    unlisted = with_countries([])
    ways = np.ones(int((~unlisted.is_border).sum()))
    rows = tuple(
        BorderDelay("all", country, "both", "road", 2020, hours, None, None, None, "measured", (), "", "L", "")
        for country, hours in (("XA", Estimate(1, 2, 3)), ("*", Estimate(2, 4, 9)))
    )
    for delays, minutes in ((rows, 360), (rows[:1], np.nan), ((), np.nan)):
        timed = time_network(unlisted, {"truck": (ways, ways), "car": (ways, ways)}, {}, BorderDelays(delays))
        np.testing.assert_equal(timed.edges.loc[timed.is_border, "minutes_forward"].unique(), [minutes])


def test_every_edge_lies_in_one_country_by_its_greater_part():
    lines = np.array([LineString([(10.0, 45), (10.03, 45)]), LineString([(10.02, 45), (10.1, 45)])], dtype=object)
    assert country_of_lines(lines, squares()).tolist() == ["XA", "XB"]


def test_islands_under_the_hysteresis_join_their_surroundings():
    u, v = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])
    short = smooth_islands(u, v, np.array([900.0, 240.0, 900.0, 900.0]), np.array(["A", "B", "A", "A"], dtype=object))
    assert short.tolist() == ["A", "A", "A", "A"]
    long = smooth_islands(u, v, np.array([900.0, 260.0, 900.0, 900.0]), np.array(["A", "B", "A", "A"], dtype=object))
    assert long.tolist() == ["A", "B", "A", "A"]


def test_gaps_between_parts_are_found_and_measured():
    network = lattice(1, 6)
    closed = np.array([False, False, True, False, False])
    start = network.snap(10.0, 45.0, closed, limit_m=10, what="a")
    end = network.snap(10.05, 45.0, closed, limit_m=10, what="b")
    (gap,) = find_gaps(network, closed, start, end)
    assert gap.length_m == pytest.approx(788.5, abs=1)
    assert find_gaps(network, np.zeros(5, bool), start, end) == []


def test_osmnx_takes_the_graph_and_gives_it_back():
    network = lattice(3, 4)
    network = network.with_edges(network.edges.assign(oneway=[1, *[0] * (len(network.edges) - 1)]))
    graph = network.to_osmnx()
    path = ox.routing.shortest_path(graph, 0, network.n_nodes - 1, weight="travel_time")
    assert path[0] == 0
    back = Network.from_osmnx(graph)
    assert len(back.edges) == len(network.edges)
    assert back.edges["oneway"].sum() == 1
    assert back.edges["length_m"].sum() == pytest.approx(network.edges["length_m"].sum())
    assert sorted(back.edges["minutes_forward"].round(9)) == sorted(network.edges["minutes_forward"].round(9))


def test_a_graph_made_by_osmnx_alone_is_taken():
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (x, y) in enumerate([(10, 45), (10.01, 45), (10.02, 45.01)]):
        graph.add_node(node, x=x, y=y)
    for a, b in ((0, 1), (1, 0), (1, 2)):
        bridge = "yes" if (a, b) == (1, 2) else "no"
        graph.add_edge(a, b, highway=["primary", "secondary"], name="x", oneway=False, bridge=bridge)
    network = Network.from_osmnx(ox.distance.add_edge_lengths(graph))
    assert network.edges[["u", "v", "oneway", "class", "bridge"]].to_numpy().tolist() == [
        [0, 1, 0, "primary", False], [1, 2, 1, "primary", True],
    ]  # fmt: skip
    with pytest.raises(NetworkError, match="no edges"):
        Network.from_osmnx(nx.MultiDiGraph())


def test_a_route_that_begins_on_a_loop_leaves_it_the_short_way():
    ring = LineString([(10.0, 45.0), (10.01, 45.01), (10.02, 45.0), (10.01, 44.99), (10.0, 45.0)])
    on = LineString([(10.0, 45.0), (9.95, 45.0)])
    columns = {"u": [0, 0], "v": [0, 1], "geometry": [ring, on], "minutes_forward": [4.0, 2.0]}
    network = Network(edge_frame(columns | {"minutes_backward": [4.0, 2.0]}), np.array([10.0, 9.95]), np.full(2, 45.0))
    closed = network.closed("road")
    end = network.snap(9.95, 45.0, closed, limit_m=10, what="end")
    for lat, ahead in ((44.995, True), (45.005, False)):  # the last and the first quarter of the ring
        start = network.snap(10.005, lat, closed, limit_m=10, what="start")
        route = network.route(start, end, *minutes_of(network), closed)
        assert route.cost == pytest.approx(2.0 + 0.5, rel=1e-3)
        assert route.forward[0] is ahead
        assert measure_route(network, route).length_km == pytest.approx(
            float(line_lengths_m([on])[0] + line_lengths_m([ring])[0] / 8) / 1000, rel=1e-2
        )


def test_a_route_needs_two_places():
    network = lattice(2, 3)
    with pytest.raises(NetworkError, match="same point"):
        network.alternatives((10.005, 45.0), (10.005, 45.0))
    with pytest.raises(NetworkError, match="same point of the network"):
        network.alternatives((10.005, 45.0001), (10.005, 44.9999))


def test_ground_across_the_180th_meridian_is_refused_in_a_line():
    lines = [LineString([(179.97, 67.0), (180.0, 67.0)]), LineString([(-180.0, 67.0), (-179.97, 67.0)])]
    frame = gpd.GeoDataFrame({"geometry": lines}, crs=4326)
    with pytest.raises(NetworkError, match="180th meridian"):
        build_physical(Ways(frame, np.arange(4), np.array([0, 2, 4])))


def test_names_stay_with_the_stretch_that_bears_them():
    lines = [LineString([(10.0 + i * STEP, 45.0), (10.0 + (i + 1) * STEP, 45.0)]) for i in range(3)]
    names = ["Alder lane", "Birch road", "Birch road"]
    columns = {"mode": "road", "class": "primary", "status": "open", "oneway": 0, "bridge": False, "tunnel": False}
    columns |= {"truck_access": "yes", "car_access": "yes", **dict.fromkeys(TRUCK_OF_LIMIT, np.inf)}
    frame = gpd.GeoDataFrame(columns | {"ref": "", "name": names, "section_id": "", "length_m": 0.0}, geometry=lines)
    physical = build_physical(Ways(frame.set_crs(4326), np.array([1, 2, 2, 3, 3, 4]), np.array([0, 2, 4, 6])))
    assert sorted(physical.edges["name"]) == ["Alder lane", "Birch road"]
