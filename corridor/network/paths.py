"""Shortest paths on arrays: Dijkstra's algorithm with a binary heap, closures as masks on edges.

E. W. Dijkstra, A note on two problems in connexion with graphs, Numerische Mathematik 1 (1959), doi:10.1007/BF01386390.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arcs:
    """A directed graph in compressed rows: arcs ``indptr[n]:indptr[n + 1]`` leave node n.

    ``head`` is where an arc leads, ``edge`` the undirected edge it belongs to, ``forward`` whether it runs along it.
    """

    indptr: Ints
    head: Ints
    edge: Ints
    forward: NDArray[np.bool_]

    def reverse(self) -> Arcs:
        """The same arcs, each turned round: a search on it gives costs *to* its start."""
        tail = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        return _arcs(self.head, tail, self.edge, self.forward, len(self.indptr) - 1)


def build_arcs(u: Ints, v: Ints, oneway: Ints, n_nodes: int) -> Arcs:
    """Arcs of edges u-v: both ways where ``oneway`` is 0, only u to v where it is 1."""
    both = oneway == 0
    index = np.arange(len(u))
    tail = np.concatenate([u, v[both]])
    head = np.concatenate([v, u[both]])
    edge = np.concatenate([index, index[both]])
    forward = np.concatenate([np.ones(len(u), bool), np.zeros(int(both.sum()), bool)])
    return _arcs(tail, head, edge, forward, n_nodes)


def _arcs(tail: Ints, head: Ints, edge: Ints, forward: NDArray[np.bool_], n_nodes: int) -> Arcs:
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n_nodes))]).astype(np.int64)
    return Arcs(indptr, head[order].astype(np.int64), edge[order].astype(np.int64), forward[order])


@dataclass(frozen=True)
class Tree:
    """Cheapest ways from a start to everywhere: ``cost`` (inf = unreachable) and the arc by which each was reached."""

    cost: Floats
    arc: Ints
    arcs: Arcs

    def path(self, node: int) -> list[tuple[int, bool]]:
        """Edges from the start to ``node`` in travelling order, each with whether it is run along its geometry."""
        steps: list[tuple[int, bool]] = []
        arc = int(self.arc[node])
        tails = self._tails
        while arc >= 0:
            steps.append((int(self.arcs.edge[arc]), bool(self.arcs.forward[arc])))
            arc = int(self.arc[tails[arc]])
        return steps[::-1]

    @property
    def _tails(self) -> Ints:
        return np.repeat(np.arange(len(self.arcs.indptr) - 1), np.diff(self.arcs.indptr))


def search(
    arcs: Arcs,
    starts: Sequence[tuple[int, float]],
    forward_cost: Floats,
    backward_cost: Floats | None = None,
    closed: NDArray[np.bool_] | None = None,
) -> Tree:
    """Cheapest costs from any of ``starts`` (node, cost already spent) to all nodes.

    Args:
        arcs: the graph.
        starts: nodes to start from and what reaching them has cost.
        forward_cost: cost of each edge along its geometry, >= 0, shape (n_edges,); inf closes a direction.
        backward_cost: the same against it; as forward if not given.
        closed: edges that may not be used, shape (n_edges,).
    """
    backward = forward_cost if backward_cost is None else backward_cost
    cost = np.where(arcs.forward, forward_cost[arcs.edge], backward[arcs.edge])
    if closed is not None:
        cost = np.where(closed[arcs.edge], np.inf, cost)
    nodes = np.array([s[0] for s in starts], dtype=np.int64)
    spent = np.array([s[1] for s in starts], dtype=np.float64)
    reached, arc = _dijkstra(arcs.indptr, arcs.head, cost, nodes, spent)
    return Tree(reached, arc, arcs)


@compiled
def _dijkstra(indptr, head, cost, starts, spent):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    best = np.full(n, np.inf)
    via = np.full(n, -1, np.int64)
    done = np.zeros(n, np.bool_)
    size = 0
    keys = np.empty(len(head) + len(starts) + 1, np.float64)
    items = np.empty(len(head) + len(starts) + 1, np.int64)
    for k in range(len(starts)):
        if spent[k] < best[starts[k]]:
            best[starts[k]] = spent[k]
            size = _push(keys, items, size, spent[k], starts[k])
    while size > 0:
        node = items[0]
        size = _pop(keys, items, size)
        if done[node]:
            continue
        done[node] = True
        for arc in range(indptr[node], indptr[node + 1]):
            reach = best[node] + cost[arc]
            target = head[arc]
            if reach < best[target]:
                best[target] = reach
                via[target] = arc
                size = _push(keys, items, size, reach, target)
    return best, via


@compiled
def _push(keys, items, size, key, item):  # type: ignore[no-untyped-def]
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] <= key:
            break
        keys[at], items[at] = keys[parent], items[parent]
        at = parent
    keys[at], items[at] = key, item
    return size + 1


@compiled
def _pop(keys, items, size):  # type: ignore[no-untyped-def]
    size -= 1
    key, item = keys[size], items[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], items[at] = keys[child], items[child]
        at = child
    keys[at], items[at] = key, item
    return size
