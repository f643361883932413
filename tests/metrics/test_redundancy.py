"""Disjoint routes, stretches without substitute: oracles on random graphs, closed forms."""

import inspect

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import NetworkError
from corridor.interactions.regime_effects import split_network
from corridor.metrics.reach import build_domain, reach
from corridor.metrics.redundancy import (
    Stage,
    best_way,
    disjoint_legs,
    find_substitutes,
    measure_single_points,
    slug,
)
from corridor.network.connectivity import build_links, disjoint_ways, find_bridges
from tests.interactions.grounds import (
    LAT,
    LON,
    STEP,
    access_to,
    along,
    candidate,
    effect,
    event,
    grid,
    network,
    part,
    with_neighbour,
)
from tests.metrics.context import Context
from tests.metrics.figures import row_of

SEEDS = st.integers(0, 10_000)


def random_graph(seed, n=12, m=22):
    rng = np.random.default_rng(seed)
    u, v = rng.integers(0, n, m), rng.integers(0, n, m)
    return u, v, rng.random(m) < 0.3, rng.random(m) < 0.1, rng


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_disjoint_ways_are_as_many_as_networkx_finds(seed):
    u, v, oneway, closed, _ = random_graph(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(12))
    for a, b, single, shut in zip(u, v, oneway, closed, strict=True):
        if not shut and a != b:
            for x, y in [(a, b)] if single else [(a, b), (b, a)]:
                capacity = graph.get_edge_data(x, y, {"capacity": 0})["capacity"]
                graph.add_edge(x, y, capacity=capacity + 1)
    graph.add_edge("s", 0, capacity=99), graph.add_edge("s", 1, capacity=99)
    graph.add_edge(10, "t", capacity=99), graph.add_edge(11, "t", capacity=99)
    source, sink = np.arange(12) < 2, np.arange(12) > 9
    found, used = disjoint_ways(u, v, oneway, closed, source, sink)
    assert found == nx.maximum_flow_value(graph, "s", "t")
    rest = closed.copy()
    rest[np.setdiff1d(np.arange(len(u)), used)] = True
    assert disjoint_ways(u, v, oneway, rest, source, sink)[0] == found  # the edges named are enough


def test_nothing_open_is_no_way():
    shut = np.ones(len(RUNGS), dtype=bool)
    assert disjoint_legs(ladder(), [stage("a", 0), stage("b", 6)], shut)[0].routes == 0


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_bridges_are_those_of_networkx(seed):
    u, v, _, closed, _ = random_graph(seed, m=16)
    graph = nx.MultiGraph()
    graph.add_edges_from((int(a), int(b)) for a, b in zip(u[~closed], v[~closed], strict=True) if a != b)
    plain = nx.Graph(graph)
    expected = {frozenset(pair) for pair in nx.bridges(plain) if graph.number_of_edges(*pair) == 1}
    found = find_bridges(build_links(u, v, 12), closed)
    assert {frozenset((int(u[e]), int(v[e]))) for e in np.flatnonzero(found)} == expected
    assert not found[closed].any()


LADDER = [(LON + STEP * x, LAT + STEP * y) for y in range(4) for x in range(2)]
RUNGS = [(0, 2), (2, 4), (4, 6), (1, 3), (3, 5), (5, 7), (0, 1), (6, 7), (2, 3)]


def ladder(**columns):
    return build_domain(network(LADDER, RUNGS, **columns), "AA")


def stage(name, *nodes, radius=0.5):
    lon, lat = np.mean([LADDER[n] for n in nodes], axis=0)
    return Stage(name, float(lon), float(lat), radius)


def test_a_ladder_has_two_disjoint_routes_and_loses_them_one_by_one():
    domain = ladder()
    stages = [stage("South", 0), stage("North", 6)]
    closed = np.zeros(len(RUNGS), dtype=bool)
    before = disjoint_legs(domain, stages, closed)
    assert before[0].routes == 2
    closed[4] = True
    assert disjoint_legs(domain, stages, closed, before)[0].routes == 1
    closed[1] = True
    after = disjoint_legs(domain, stages, closed, before)
    assert [(leg.from_stage, leg.to_stage, leg.routes) for leg in after] == [("South", "North", 0)]


def test_a_dual_carriageway_is_one_route():
    domain = build_domain(network(LADDER[:4], [(0, 2), (2, 0), (0, 1), (2, 3)], oneway=[1, 1, 0, 0]), "AA")
    assert disjoint_legs(domain, [stage("a", 1), stage("b", 3)], np.zeros(4, dtype=bool))[0].routes == 1


def test_a_whole_disc_counts_as_one_place():
    domain = ladder()
    wide = [stage("a", 0, 1, radius=2.0), stage("b", 6, 7, radius=2.0)]
    assert disjoint_legs(domain, wide, np.zeros(len(RUNGS), dtype=bool))[0].routes == 2


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([Stage("Nowhere", 10.0, 10.0, 1.0), stage("b", 6)], "'Nowhere'.*radius_km"),
        ([stage("a", 0, radius=9), stage("b", 6, radius=9)], "overlap.*smaller"),
    ],
)
def test_stages_that_cannot_be_used_are_refused(stages, words):
    with pytest.raises(NetworkError, match=words):
        disjoint_legs(ladder(), stages, np.zeros(len(RUNGS), dtype=bool))


NEEDS = inspect.signature(measure_single_points).parameters
NODES_NEAR = [(LON, LAT - 3 * STEP)]


def point_row(access, change):
    """The figures of the best way under an effect, and its stretches."""
    setting = Context(candidate=candidate(part(shapely.LineString([(LON, LAT), (LON, LAT + STEP)]))), access=access)
    context = setting.extend(effect=change)
    return row_of(measure_single_points, **{name: context[name] for name in NEEDS}), context["single_points_after"]


def test_single_points_are_the_stretches_outside_the_loop():
    # 0 - 1 =(loop over 2 and 3)= 4 - 5: the first and last edges have no substitute
    nodes = [(LON, LAT + STEP * y) for y in (0, 1)] + [(LON + STEP, LAT + STEP * 1.5), (LON - STEP, LAT + STEP * 1.5)]
    nodes += [(LON, LAT + STEP * y) for y in (2, 3)]
    net = with_neighbour(nodes, [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 5)])
    access = access_to(net, along(net, 5, 0.5))
    km = access.domain.length_km
    row, table = point_row(access, effect(net, closed=[1]))
    before = row["single_point_km_before"]
    assert before == pytest.approx(km[0] + km[5] / 2, rel=1e-4)
    assert row["single_point_km"] == pytest.approx(km[0] + km[2] + km[4] + km[5] / 2, rel=1e-4)
    assert len(table) == 1  # one unbroken stretch
    split = split_network(net, [event(edges=(0,), portions=((0, 0.4, 0.4),))])
    gated = access_to(split, along(net, 5, 0.5), NODES_NEAR)
    again, parts = point_row(gated, None)
    assert again["single_point_km"] == pytest.approx(before, rel=1e-4)
    assert parts["near"].tolist() == ["p0", ""]  # a gate breaks no stretch; the second is far from any place
    lost, _ = point_row(access, effect(net, closed=[0]))
    assert lost["single_point_km_status"] == "unreachable"
    assert lost["single_point_km_before"] == before
    assert np.isnan(lost["single_point_km"])


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_best_way_has_the_length_of_its_parts_and_the_time_of_the_tree(seed):
    nodes, edges, oneway = grid(seed, oneways=0.2)
    net = network(nodes, edges, oneway=oneway)
    domain = build_domain(net, "AA")
    start = domain.snap(*along(net, 0, 0.3), limit_m=500, what="start")
    end = domain.snap(*along(net, len(edges) - 1, 0.6), limit_m=500, what="end")
    reached = reach(domain, start, domain.state())[0]
    way = best_way(reached, end)
    if way is None:
        assert not np.isfinite(reached.minutes(end))
    else:
        assert way.minutes == pytest.approx(way.km.sum(), rel=1e-9)  # a kilometre takes a minute here


def test_slug_is_safe_in_metric_names():
    assert slug("Вайк / Vayk (new)") == "vayk_new"


def parallel_roads(middle):
    """Three roads side by side from node 0 to node 1: two trunk roads, and a third with the columns ``middle``."""
    nodes = [(LON, LAT), (LON, LAT + 4 * STEP), (LON + STEP, LAT + 2 * STEP), (LON - STEP, LAT + 2 * STEP)]
    edges = [(0, 1), (0, 2), (2, 1), (0, 3), (3, 1), (1, 4)]
    nodes.append((LON, LAT + 5 * STEP))
    columns = {name: [default] * 3 + [value] * 2 + [default] for name, (default, value) in middle.items()}
    return with_neighbour(nodes, edges, **columns)


@pytest.mark.parametrize(
    ("third", "fewest", "middle", "most"),
    [
        ({}, 3, 3, 3),
        ({"through": (True, False)}, 2, 2, 3),
        ({"status": ("open", "unknown"), "documented_in": ("", "x")}, 2, 3, 3),
        ({"status": ("open", "closed"), "documented_in": ("", "x")}, 2, 2, 2),
        ({"truck_access": ("yes", "no")}, 2, 2, 2),
    ],
    ids=["through", "minor", "unknown", "closed", "shut to trucks"],
)
def test_redundancy_lies_between_the_fewest_and_the_most_substitutes(third, fewest, middle, most):
    net = parallel_roads(third)
    domain = access_to(net, along(net, 5, 0.5)).domain
    stages = [stage_at(LON, LAT), stage_at(LON, LAT + 4 * STEP)]
    found = [disjoint_legs(domain, stages, closed)[0].routes for closed in find_substitutes(domain, domain.state()).all]
    assert found == [fewest, middle, most]


def stage_at(lon, lat):
    return Stage(f"{lat}", lon, lat, 0.3)


def test_nobody_passes_a_road_documented_as_closed_but_its_places_are_reached():
    """One road joins two ends: closed by the catalogue it carries nobody through, and serves its village."""
    nodes = [(LON, LAT + y) for y in (0, 0.3, 0.35, 0.65)]  # ends of 33 km are no islands
    closed = {"status": ["open", "closed", "open"], "documented_in": ["", "x", ""]}
    net = with_neighbour(nodes, [(0, 1), (1, 2), (2, 3)], **closed)
    domain = build_domain(net, "AA")
    start = domain.snap(*along(net, 0, 0.5), limit_m=100, what="start")
    village, beyond = (domain.snap(*along(net, row, 0.5), limit_m=100, what="place") for row in (1, 2))
    reached = reach(domain, start, domain.state())[0]
    assert np.isfinite(reached.minutes(village))
    assert not np.isfinite(reached.minutes(beyond))
