"""Dijkstra on arrays against scipy, and laws of closures."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from corridor.network.paths import as_last_resort, build_arcs, build_traffic_arcs, reachable, search


@st.composite
def graphs(draw):
    n_nodes = draw(st.integers(2, 25))
    n_edges = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    u, v = rng.integers(0, n_nodes, n_edges), rng.integers(0, n_nodes, n_edges)
    return n_nodes, u, v, rng.integers(0, 2, n_edges), rng.uniform(0.1, 9, n_edges), rng.uniform(0.1, 9, n_edges)


def scipy_costs(n_nodes, u, v, oneway, forward, backward, start):
    both = oneway == 0
    tail, head = np.concatenate([u, v[both]]), np.concatenate([v, u[both]])
    cost = np.concatenate([forward, backward[both]])
    matrix = np.full((n_nodes, n_nodes), np.inf)
    np.minimum.at(matrix, (tail, head), cost)
    np.fill_diagonal(matrix, np.inf)
    rows, cols = np.nonzero(np.isfinite(matrix))
    graph = sparse.csr_matrix((matrix[rows, cols], (rows, cols)), shape=(n_nodes, n_nodes))
    return dijkstra(graph, indices=start)


@given(graphs())
@settings(max_examples=120, deadline=None)
def test_costs_equal_scipy(graph):
    n_nodes, u, v, oneway, forward, backward = graph
    tree = search(build_arcs(u, v, oneway, n_nodes), [(0, 0.0)], forward, backward)
    np.testing.assert_allclose(tree.cost, scipy_costs(n_nodes, u, v, oneway, forward, backward, 0), rtol=1e-12)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_path_costs_what_the_tree_says(graph):
    n_nodes, u, v, oneway, forward, backward = graph
    tree = search(build_arcs(u, v, oneway, n_nodes), [(0, 0.0)], forward, backward)
    for node in np.flatnonzero(np.isfinite(tree.cost)):
        at, total = 0, 0.0
        for edge, along in tree.path(int(node)):
            assert (u if along else v)[edge] == at
            at = (v if along else u)[edge]
            total += (forward if along else backward)[edge]
        assert at == node
        assert total == pytest.approx(tree.cost[node], rel=1e-12)


@given(graphs(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_closing_edges_never_helps(graph, seed):
    n_nodes, u, v, oneway, forward, backward = graph
    arcs = build_arcs(u, v, oneway, n_nodes)
    closed = np.random.default_rng(seed).random(len(u)) < 0.3
    free, shut = search(arcs, [(0, 0.0)], forward, backward), search(arcs, [(0, 0.0)], forward, backward, closed)
    assert (shut.cost >= free.cost - 1e-12).all()


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_reverse_search_gives_costs_to_the_start(graph):
    n_nodes, u, v, oneway, forward, backward = graph
    arcs = build_arcs(u, v, oneway, n_nodes)
    towards = search(arcs.reverse(), [(0, 0.0)], forward, backward)
    for node in range(n_nodes):
        there = search(arcs, [(node, 0.0)], forward, backward).cost[0]
        assert towards.cost[node] == pytest.approx(there, rel=1e-12)


def test_start_costs_count():
    arcs = build_arcs(np.array([0, 1]), np.array([2, 2]), np.array([0, 0]), 3)
    tree = search(arcs, [(0, 5.0), (1, 1.0)], np.array([1.0, 7.0]))
    assert tree.cost.tolist() == [5.0, 1.0, 6.0]
    assert tree.path(2) == [(0, True)]


def leg_costs(n_nodes, arcs, seeds):
    """Costs over some arcs (tail, head, cost) from seeds (node: cost spent), by scipy from a node beyond all."""
    rows = [*arcs, *((n_nodes, node, spent) for node, spent in seeds.items())]
    matrix = np.full((n_nodes + 1, n_nodes + 1), np.inf)
    for tail, head, cost in rows:
        matrix[tail, head] = min(matrix[tail, head], cost + 1e-300)  # scipy takes 0 for no arc
    tails, heads = np.nonzero(np.isfinite(matrix))
    graph = sparse.csr_matrix((matrix[tails, heads], (tails, heads)), shape=matrix.shape)
    return dijkstra(graph, indices=n_nodes)[:n_nodes]


def three_layers(n_nodes, u, v, oneway, forward, backward, through, start):
    """Costs from a node by the definition: minor roads to a through node, through roads, minor roads to the end."""
    arcs = [(a, b, f, t) for a, b, f, t in zip(u, v, forward, through, strict=True)]
    arcs += [(b, a, w, t) for a, b, o, w, t in zip(u, v, oneway, backward, through, strict=True) if not o]
    met = set(u[through]) | set(v[through])
    minor = [(a, b, c) for a, b, c, t in arcs if not t]
    first = leg_costs(n_nodes, [arc for arc in minor if arc[0] not in met], {start: 0.0})
    reached = {node: first[node] for node in met if np.isfinite(first[node])}
    second = leg_costs(n_nodes, [(a, b, c) for a, b, c, t in arcs if t], reached)
    ends = {node: second[node] for node in met if np.isfinite(second[node])}
    third = leg_costs(n_nodes, [arc for arc in minor if arc[1] not in met], ends)
    return np.where(np.isin(np.arange(n_nodes), list(met)), second, np.minimum(first, third))


@given(graphs(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_minor_roads_are_first_and_last_leg_only(graph, seed):
    """Against three searches one after another, from a node and to it."""
    n_nodes, u, v, oneway, forward, backward = graph
    through = np.random.default_rng(seed).random(len(u)) < 0.5
    expected = three_layers(n_nodes, u, v, oneway, forward, backward, through, 0)
    tree = search(build_traffic_arcs(u, v, oneway, n_nodes, through), [(0, 0.0)], forward, backward)
    np.testing.assert_allclose(tree.cost, expected, rtol=1e-12, atol=1e-12)
    for node in np.flatnonzero(np.isfinite(tree.cost)):
        steps = tree.path(int(node))
        assert sum((forward if along else backward)[e] for e, along in steps) == pytest.approx(
            tree.cost[node], rel=1e-12
        )
        # minor, through, minor: the through part is one unbroken run
        kinds = [bool(through[e]) for e, _ in steps]
        assert sum(a != b for a, b in pairwise(kinds)) <= 2 or kinds.count(True) == 0
    back = search(build_traffic_arcs(u, v, oneway, n_nodes, through, reverse=True), [(0, 0.0)], forward, backward)
    for goal in range(min(n_nodes, 6)):
        there = three_layers(n_nodes, u, v, oneway, forward, backward, through, goal)
        assert back.cost[goal] == pytest.approx(there[0], rel=1e-12, abs=1e-12)


def test_where_all_roads_are_through_roads_nothing_changes():
    u, v = np.array([0, 1, 2, 0]), np.array([1, 2, 3, 3])
    oneway, cost = np.zeros(4, dtype=int), np.array([1.0, 1.0, 1.0, 9.0])
    plain = search(build_arcs(u, v, oneway, 4), [(0, 0.0)], cost)
    layered = search(build_traffic_arcs(u, v, oneway, 4, np.ones(4, dtype=bool)), [(0, 0.0)], cost)
    assert layered.cost.tolist() == plain.cost.tolist() == [0, 1, 2, 3]


def test_arcs_of_two_states_are_not_turned_round():
    arcs = build_traffic_arcs(np.array([0]), np.array([1]), np.array([0]), 2, np.array([False]))
    with pytest.raises(ValueError, match="two states"):
        arcs.reverse()


@given(graphs(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_what_is_reachable_is_what_a_search_reaches(graph, seed):
    n_nodes, u, v, oneway, forward, backward = graph
    through, closed = np.random.default_rng(seed).random((2, len(u))) < 0.4
    for arcs in (build_arcs(u, v, oneway, n_nodes), build_traffic_arcs(u, v, oneway, n_nodes, through)):
        tree = search(arcs, [(0, 0.0)], forward, backward, closed)
        assert np.array_equal(reachable(arcs, [0], closed), np.isfinite(tree.cost))


def fewest_unknown_first(n_nodes, tail, head, cost, start):
    """Least (edges of unknown cost, known cost) of each node: Dijkstra's algorithm on pairs, which are ordered too."""
    best, queue = {}, [((0, 0.0), start)]
    while queue:
        (unknown, known), node = heappop(queue)
        if node in best:
            continue
        best[node] = unknown, known
        for other, value in zip(head[tail == node].tolist(), cost[tail == node].tolist(), strict=True):
            step = (unknown + 1, known) if np.isnan(value) else (unknown, known + value)
            heappush(queue, (step, other))
    return best


@given(graphs(), st.floats(0.05, 0.9))
@settings(max_examples=80, deadline=None)
def test_what_nobody_knows_is_passed_only_where_no_way_leads_past_it(graph, share):
    n_nodes, u, v, oneway, forward, backward = graph
    unknown = np.random.default_rng(len(u)).random(len(u)) < share
    forward, backward = np.where(unknown, np.nan, forward), np.where(unknown, np.nan, backward)
    counted = as_last_resort(forward, backward)
    tree = search(build_arcs(u, v, oneway, n_nodes), [(0, 0.0)], *counted, np.zeros(len(u), dtype=bool))
    both = oneway == 0
    tail, head = np.concatenate([u, v[both]]), np.concatenate([v, u[both]])
    best = fewest_unknown_first(n_nodes, tail, head, np.concatenate([forward, backward[both]]), 0)
    assert set(best) == set(np.flatnonzero(np.isfinite(tree.cost)).tolist())
    for node, (passed, known) in best.items():
        steps = tree.path(node)
        costs = np.array([forward[edge] if along else backward[edge] for edge, along in steps])
        assert np.isnan(costs).sum() == passed
        assert np.nansum(costs) == pytest.approx(known)


def test_costs_that_are_all_known_stay_the_arrays_that_they_are():
    forward, backward = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert all(a is b for a, b in zip(as_last_resort(forward, backward), (forward, backward), strict=True))
