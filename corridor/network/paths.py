"""Shortest paths on arrays: Dijkstra's algorithm with a binary heap, closures as masks on edges.

E. W. Dijkstra, A note on two problems in connexion with graphs, Numerische Mathematik 1 (1959), doi:10.1007/BF01386390.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]
"""Of states, arcs and edges, in half the room: no network has as many as 32 bits count."""


@dataclass(frozen=True)
class Arcs:
    """A directed graph in compressed rows: arcs ``indptr[n]:indptr[n + 1]`` leave state n.

    ``head`` is where an arc leads, ``edge`` the undirected edge it belongs to, ``forward`` whether it runs along it. A
    state is a node, or one of two that a node has where it matters how it was reached: node n is then the states n and
    ``n_nodes`` + n. A search begins in the first; ``ends_twice`` (n_nodes,) says where a way may end in the second too.
    """

    indptr: Numbers
    head: Numbers
    edge: Numbers
    forward: NDArray[np.bool_]
    ends_twice: NDArray[np.bool_] | None = None

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1 if self.ends_twice is None else len(self.ends_twice)

    @cached_property
    def tails(self) -> Numbers:
        """The state that each arc leaves, shape (n_arcs,)."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    @cached_property
    def into(self) -> tuple[Numbers, Numbers]:
        """Where the arcs that lead to each state begin, shape (n_states + 1,), and these, shape (n_arcs,)."""
        return _grouped(self.head, len(self.indptr) - 1)

    @cached_property
    def of_edges(self) -> tuple[Numbers, Numbers]:
        """Where the arcs of each edge begin, and these, as :attr:`into`."""
        return _grouped(self.edge, int(self.edge.max(initial=-1)) + 1)

    def cost_at(self, state_cost: Floats, nodes: Ints | None = None) -> Floats:
        """Costs of nodes, by those of states: of two states where a way may end the cheaper one counts.

        Args:
            state_cost: cost of each state.
            nodes: which; all if left out.
        """
        which = slice(self.n_nodes) if nodes is None else nodes
        by_node: Floats = state_cost[which]
        if self.ends_twice is None:
            return by_node
        # A place on a minor road may be reached on the first leg or on the last.
        last_leg = state_cost[self.n_nodes :][which]
        return np.where(self.ends_twice[which], np.minimum(by_node, last_leg), by_node)

    def over(self, edges: NDArray[np.bool_]) -> Arcs:
        """The arcs of some edges, in states as they are.

        Args:
            edges: which, shape (n_edges,).
        """
        kept = edges[self.edge]
        counts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)
        return Arcs(counts[self.indptr], self.head[kept], self.edge[kept], self.forward[kept], self.ends_twice)

    def end_states(self, node: int) -> tuple[int, ...]:
        """States in which a way to a node may end."""
        if self.ends_twice is None or not self.ends_twice[node]:
            return (node,)
        return node, self.n_nodes + node

    def reverse(self) -> Arcs:
        """The same arcs, each turned round: a search on it gives costs *to* its start. For graphs of one state a node.

        Raises:
            ValueError: nodes have two states; build the arcs of the turned edges instead.
        """
        if self.ends_twice is not None:
            raise ValueError("arcs of two states a node can't be turned round one by one")
        # Only ends change places: an arc keeps its edge and direction, so that it keeps its cost.
        return _arcs(self.head, self.tails, self.edge, self.forward, len(self.indptr) - 1)


def _grouped(of: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Numbers of arcs by what each is of: where each group begins, (size + 1,), and the arcs in their order."""
    first = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=size))]).astype(np.int32)
    return first, np.argsort(of, kind="stable").astype(np.int32)


def as_last_resort(forward: Floats, backward: Floats) -> tuple[Floats, Floats]:
    """Costs in which an edge whose cost nobody knows (NaN) is dearer than all that are known together.

    What is unknown wins nothing: the cheapest way is then one with the fewest of such edges, and of those the one whose
    known costs are least.

    Args:
        forward: cost of each edge along its geometry, shape (n_edges,).
        backward: cost against it.
    """
    unknown = np.isnan(forward) | np.isnan(backward)
    if not unknown.any():
        return forward, backward
    most = 1.0 + float(np.nansum(forward) + np.nansum(backward))
    return np.where(unknown, most, forward), np.where(unknown, most, backward)


def build_arcs(u: Ints, v: Ints, oneway: Ints, n_nodes: int) -> Arcs:
    """Arcs of edges u-v: both ways where ``oneway`` is 0, only u to v where it is 1.

    Args:
        u: first node of each edge, shape (n_edges,).
        v: second node of each edge.
        oneway: 0 both ways, 1 along the edge, shape (n_edges,).
        n_nodes: how many nodes there are.
    """
    tail, head, edge, forward = _directed(u, v, oneway)
    return _arcs(tail, head, edge, forward, n_nodes)


def build_traffic_arcs(
    u: Ints,
    v: Ints,
    oneway: Ints,
    n_nodes: int,
    through: NDArray[np.bool_],
    met: NDArray[np.bool_] | None = None,
    *,
    reverse: bool = False,
) -> Arcs:
    """Arcs of a search in three layers: first leg, through network, last leg.

    A way leads over minor edges until it reaches a node of a through edge, then over through edges, then over minor
    edges to its end without touching a through edge again. So no minor road is driven on the way to somewhere else, and
    every place on one is reached. A node of a through edge has one state; any other node has one for the first leg and
    one for the last.

    Args:
        u: start node of each edge, shape (n_edges,).
        v: end node.
        oneway: 1 where only u to v may be driven, else 0.
        n_nodes: number of nodes.
        through: which edges carry through traffic.
        met: through edges at whose nodes a leg ends; all if not given. A road that isn't in use ends no leg.
        reverse: arcs turned round, for costs *to* the start of a search.
    """
    tail, head, edge, forward = _directed(u, v, oneway)
    if reverse:
        tail, head = head, tail
    # At a node of a through edge the first leg is over, so that it needs no state of its own for that leg.
    on_through = np.zeros(n_nodes, dtype=bool)
    ending = through if met is None else met
    on_through[u[ending]] = on_through[v[ending]] = True
    minor = ~through[edge]
    leaves = on_through[tail] & minor
    last_leg = minor & ~on_through[tail]
    # in order: through edges and the first leg; from the through network into the last leg; the last leg itself
    rows = [np.flatnonzero(~leaves), np.flatnonzero(leaves), np.flatnonzero(last_leg)]
    tails = np.concatenate([tail[rows[0]], tail[rows[1]], n_nodes + tail[rows[2]]])
    heads = np.concatenate([head[rows[0]], n_nodes + head[rows[1]], n_nodes + head[rows[2]]])
    chosen = np.concatenate(rows)
    return _arcs(tails, heads, edge[chosen], forward[chosen], 2 * n_nodes, ends_twice=~on_through)


def arcs_of_states(tail: Ints, head: Ints, edge: Ints, forward: NDArray[np.bool_], n_nodes: int) -> Arcs:
    """Arcs between states of nodes, of which a way may end in either.

    Args:
        tail: state that each arc leaves, shape (n_arcs,); node n has the states n and ``n_nodes`` + n.
        head: state that it leads to.
        edge: edge that it belongs to.
        forward: whether it runs along it.
        n_nodes: number of nodes.
    """
    return _arcs(tail, head, edge, forward, 2 * n_nodes, ends_twice=np.ones(n_nodes, dtype=bool))


def _directed(u: Ints, v: Ints, oneway: Ints) -> tuple[Ints, Ints, Ints, NDArray[np.bool_]]:
    """Tail, head, edge and whether it runs along it of each direction that may be travelled."""
    both = oneway == 0
    index = np.arange(len(u))
    tail = np.concatenate([u, v[both]])
    head = np.concatenate([v, u[both]])
    edge = np.concatenate([index, index[both]])
    forward = np.concatenate([np.ones(len(u), bool), np.zeros(int(both.sum()), bool)])
    return tail, head, edge, forward


def _arcs(
    tail: Ints | Numbers,
    head: Ints | Numbers,
    edge: Ints | Numbers,
    forward: NDArray[np.bool_],
    n_states: int,
    ends_twice: NDArray[np.bool_] | None = None,
) -> Arcs:
    # A stable order leaves the arcs of a state as they were given: ways of equal cost come out the same each time.
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n_states))]).astype(np.int32)
    return Arcs(indptr, head[order].astype(np.int32), edge[order].astype(np.int32), forward[order], ends_twice)


@dataclass(frozen=True)
class Tree:
    """Cheapest ways from a start to everywhere.

    ``cost`` is by node (inf = unreachable); ``state_cost`` and ``arc``, by which each was reached, are by state.
    """

    cost: Floats
    state_cost: Floats
    arc: Ints
    arcs: Arcs

    def path(self, node: int) -> list[tuple[int, bool]]:
        """Edges from the start to ``node`` in travelling order, each with whether it is run along its geometry."""
        return self.path_to(min(self.arcs.end_states(node), key=lambda end: float(self.state_cost[end])))

    def root(self, state: int) -> int:
        """The state that the way to a state begins in."""
        while self.arc[state] >= 0:
            state = int(self.arcs.tails[self.arc[state]])
        return state

    def path_to(self, state: int) -> list[tuple[int, bool]]:
        """The same to one state of a node."""
        arcs, tails, came = [], self.arcs.tails, self.arc
        arc = int(came[state])
        while arc >= 0:
            arcs.append(arc)
            arc = int(came[tails[arc]])
        at = np.array(arcs[::-1], dtype=np.int64)
        return list(zip(self.arcs.edge[at].tolist(), self.arcs.forward[at].tolist(), strict=True))


def search(
    arcs: Arcs,
    starts: Sequence[tuple[int, float]],
    forward_cost: Floats,
    backward_cost: Floats | None = None,
    closed: NDArray[np.bool_] | None = None,
    until: NDArray[np.bool_] | None = None,
) -> Tree:
    """Cheapest costs from any of ``starts`` (node, cost already spent) to all nodes.

    Args:
        arcs: the graph.
        starts: nodes to start from and what reaching them has cost.
        forward_cost: cost of each edge along its geometry, >= 0, shape (n_edges,); inf closes a direction.
        backward_cost: the same against it; as forward if not given.
        closed: edges that may not be used, shape (n_edges,).
        until: nodes after the last of which the search ends, shape (n_nodes,): what it hasn't come to costs ``inf``.
    """
    backward = forward_cost if backward_cost is None else backward_cost
    shut = np.zeros(len(forward_cost), dtype=np.bool_) if closed is None else closed
    nodes = np.array([s[0] for s in starts], dtype=np.int64)
    spent = np.array([s[1] for s in starts], dtype=np.float64)
    reached, arc = _dijkstra(
        arcs.indptr, arcs.head, arcs.edge, arcs.forward, _read_only(forward_cost), _read_only(backward), shut,
        nodes, spent, np.zeros(0, dtype=np.bool_) if until is None else until,
    )  # fmt: skip
    return Tree(arcs.cost_at(reached), reached, arc, arcs)


def reachable(arcs: Arcs, starts: Sequence[int], closed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which nodes can be reached from any of some nodes over edges that aren't closed, shape (n_nodes,).

    Args:
        arcs: the graph.
        starts: nodes to start from.
        closed: edges that may not be used, shape (n_edges,).
    """
    met = _spread(arcs.indptr, arcs.head, arcs.edge, closed, np.array(starts, dtype=np.int64))
    if arcs.ends_twice is None:
        return np.asarray(met)
    return np.asarray(met[: arcs.n_nodes] | (arcs.ends_twice & met[arcs.n_nodes :]))


@compiled
def _spread(indptr, head, edge, closed, starts):  # type: ignore[no-untyped-def]
    met = np.zeros(len(indptr) - 1, np.bool_)
    stack = np.empty(len(indptr) - 1, np.int64)
    size = 0
    for start in starts:
        if not met[start]:
            met[start] = True
            stack[size] = start
            size += 1
    while size > 0:
        size -= 1
        node = stack[size]
        for arc in range(indptr[node], indptr[node + 1]):
            if not closed[edge[arc]] and not met[head[arc]]:
                met[head[arc]] = True
                stack[size] = head[arc]
                size += 1
    return met


def _read_only(costs: Floats) -> Floats:
    """Costs that can't be written to, as columns of a table are: the search compiles once for them and for others."""
    seen = np.asarray(costs, dtype=np.float64).view()
    seen.flags.writeable = False
    return seen


@compiled
def _dijkstra(indptr, head, edge, along, forward, backward, closed, starts, spent, until):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    best = np.full(n, np.inf)
    via = np.full(n, -1, np.int64)
    done = np.zeros(n, np.bool_)
    wanted = until.copy()
    left = np.sum(wanted)
    # A state is settled once, so that each arc enters at most one item: the heap never outgrows these arrays.
    size = 0
    keys = np.empty(len(head) + len(starts) + 1, np.float64)
    items = np.empty(len(head) + len(starts) + 1, np.int64)
    for k in range(len(starts)):
        if spent[k] < best[starts[k]]:
            best[starts[k]] = spent[k]
            size = heap_push(keys, items, size, spent[k], starts[k])
    while size > 0:
        node = items[0]
        size = heap_pop(keys, items, size)
        # There is no decrease-key: a cheaper cost is pushed beside the old one, whose item is passed over here.
        if done[node]:
            continue
        done[node] = True
        # Of the two states of a node the first that is settled is the cheaper one.
        if left > 0 and wanted[node % len(wanted)]:
            wanted[node % len(wanted)] = False
            left -= 1
            if left == 0:
                best[~done] = np.inf
                via[~done] = -1
                break
        for arc in range(indptr[node], indptr[node + 1]):
            if closed[edge[arc]]:
                continue
            reach = best[node] + (forward[edge[arc]] if along[arc] else backward[edge[arc]])
            target = np.int64(head[arc])
            if reach < best[target]:
                best[target] = reach
                via[target] = arc
                size = heap_push(keys, items, size, reach, target)
    return best, via


@compiled
def heap_push(keys, items, size, key, item):  # type: ignore[no-untyped-def]  # noqa: ANN201 - compiled
    """Put an item into a binary heap of ``size`` items in arrays, the least key first; returns the new size."""
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
def heap_pop(keys, items, size):  # type: ignore[no-untyped-def]  # noqa: ANN201 - compiled
    """Take the first item, which stands at 0, out of such a heap; returns the new size."""
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
