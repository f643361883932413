"""Dijkstra on arrays against scipy, and laws of closures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from corridor.network.paths import build_arcs, search


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
