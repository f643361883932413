"""Searches mended after closures and delays against searches anew: the same numbers to the last digit, and ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.network.connectivity import Condensed, edges_between
from corridor.network.mend import Change, Goal, Grown, search_towards
from corridor.network.paths import build_arcs, build_traffic_arcs, reachable, search

N_EXAMPLES = 150


@st.composite
def grounds(draw):
    """Roads, some of them of one way, minor or closed, and what is closed and delayed of them later.

    Costs of few values make ways of equal cost common; gates cost nothing.
    """
    n_nodes, n_edges = draw(st.integers(2, 25)), draw(st.integers(1, 60))
    costs = draw(st.sampled_from(["any", "ties", "gates"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    u, v, oneway = rng.integers(0, n_nodes, n_edges), rng.integers(0, n_nodes, n_edges), rng.integers(0, 2, n_edges)
    values = {"any": None, "ties": [0.1, 0.2, 0.3], "gates": [0.0, 0.0, 0.1, 0.7]}[costs]
    forward, backward = (rng.uniform(0.1, 9, n_edges) if values is None else rng.choice(values, n_edges) for _ in "ab")
    layered = draw(st.booleans())
    through = rng.random(n_edges) < 0.6
    arcs = {
        turned: build_traffic_arcs(u, v, oneway, n_nodes, through, reverse=turned)
        if layered
        else (build_arcs(u, v, oneway, n_nodes).reverse() if turned else build_arcs(u, v, oneway, n_nodes))
        for turned in (False, True)
    }
    closed = rng.random(n_edges) < 0.1
    more = closed | (rng.random(n_edges) < rng.choice([0.0, 0.1, 0.3]))
    delay = np.where(rng.random(n_edges) < rng.choice([0.0, 0.1, 0.5]), rng.choice([0.1, 2.5, 60.0], n_edges), 0.0)
    starts = [(int(node), float(rng.choice([0.0, 0.5]))) for node in rng.integers(0, n_nodes, 2)]
    later = [(node, float(spent + rng.choice([0.0, 0.0, 3.0, np.inf]))) for node, spent in starts]
    change = Change(np.flatnonzero((more & ~closed) | (delay != 0)), more, delay, later)
    return arcs, (u, v, n_nodes), forward, backward, closed, starts, change


def anew(arcs, forward, backward, change, starts=None):
    seeds = [start for start in starts or change.starts if np.isfinite(start[1])]
    return search(arcs, seeds, forward + change.delay, backward + change.delay, change.closed)


@given(grounds(), st.integers(0, 2**32 - 1))
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_mended_costs_are_those_of_a_search_anew(ground, seed):
    arcs, (_, _, n_nodes), forward, backward, closed, starts, change = ground
    grown = Grown(arcs[False], starts, forward, backward, closed)
    expected = anew(arcs[False], forward, backward, change).cost
    rng = np.random.default_rng(seed)
    for wanted in (np.arange(n_nodes), rng.integers(0, n_nodes, 3), np.zeros(0, dtype=np.int64)):
        assert np.array_equal(grown.mend(change, wanted), expected[wanted])
    # what a tree is mended to leaves it as it is
    nothing = Change(np.zeros(0, dtype=np.int64), closed, np.zeros(len(closed)), starts)
    assert np.array_equal(grown.mend(nothing, np.arange(n_nodes)), anew(arcs[False], forward, backward, nothing).cost)


@given(grounds(), st.integers(0, 2**32 - 1))
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_the_way_to_a_place_is_that_of_a_search_anew(ground, seed):
    arcs, (u, v, _), forward, backward, closed, _, change = ground
    rng = np.random.default_rng(seed)
    # between two ends of a road with something left from either
    edge = int(rng.integers(0, len(u)))
    ends = [(int(u[edge]), float(rng.choice([0.0, 0.2, 1.7]))), (int(v[edge]), float(rng.choice([0.0, 0.1, 9.0])))]
    bound = search(arcs[True], ends, forward, backward, closed).cost
    found = search_towards(arcs[False], Goal(bound, ends), forward, backward, change)
    expected = anew(arcs[False], forward, backward, change)
    totals = [[tree.cost[node] + left for node, left in ends] for tree in (found, expected)]
    assert min(totals[0]) == min(totals[1])
    if np.isfinite(min(totals[1])):
        node = ends[int(np.argmin(totals[1]))][0]
        assert int(np.argmin(totals[0])) == int(np.argmin(totals[1]))
        assert found.path(node) == expected.path(node)


@given(grounds(), st.integers(0, 2**32 - 1))
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_no_way_between_nodes_needs_what_hangs_on_a_bridge(ground, seed):
    arcs, (u, v, n_nodes), forward, backward, closed, _, change = ground
    nodes = np.random.default_rng(seed).integers(0, n_nodes, 3)
    lean = arcs[False].over(edges_between(u, v, closed, nodes, n_nodes))
    seeds = [(int(node), 0.0) for node in nodes[:2]]
    for some in (Change(change.changed, closed, np.zeros(len(closed)), seeds), change):
        costs = [anew(graph, forward, backward, some, seeds).cost for graph in (arcs[False], lean)]
        assert np.array_equal(costs[0][nodes], costs[1][nodes])


@given(grounds(), st.integers(0, 2**32 - 1))
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_a_condensed_graph_reaches_what_the_whole_one_does(ground, seed):
    arcs, (_, _, n_nodes), _, _, closed, _, change = ground
    rng = np.random.default_rng(seed)
    condensed = Condensed(arcs[False], closed, change.closed)
    for share in (0.0, 0.5, 1.0):
        shut = closed | (change.closed & (rng.random(len(closed)) < share))
        starts = rng.integers(0, n_nodes, 2).tolist()
        nodes = rng.permutation(n_nodes)
        assert np.array_equal(condensed.reached(starts, shut, nodes), reachable(arcs[False], starts, shut)[nodes])


def test_a_detour_round_a_closed_road_in_closed_form():
    """A square: 0-1-2 costs 2, 0-3-2 costs 5; node 4 hangs on 2, node 5 on nothing."""
    u, v = np.array([0, 1, 0, 3, 2]), np.array([1, 2, 3, 2, 4])
    cost, closed = np.array([1.0, 1.0, 2.0, 3.0, 1.0]), np.zeros(5, dtype=bool)
    grown = Grown(build_arcs(u, v, np.zeros(5, dtype=np.int64), 6), [(0, 0.0)], cost, cost, closed)
    shut = closed.copy()
    shut[1] = True
    change = Change(np.array([1]), shut, np.zeros(5), [(0, 0.5)])
    assert grown.mend(change, np.arange(6)).tolist() == pytest.approx([0.5, 1.5, 5.5, 2.5, 6.5, np.inf])
