"""Searches that begin from what an earlier one found, where arcs were closed or became dearer since.

Costs come out as a new search would give them, digit for digit: a way's cost is the sum of its arcs in their order, and
no sum grows less by a dearer arc, so that the cheapest sum doesn't hang on the order in which states are settled.

- :class:`Grown` mends a tree of cheapest ways: what hangs on a changed arc is searched again and nothing else (G.
  Ramalingam, T. Reps, An incremental algorithm for a generalization of the shortest-path problem, Journal of Algorithms
  21, 1996, doi:10.1006/jagm.1996.0046).
- :func:`search_towards` finds the way to one place, led by what is left to it before the change, which is never more
  than after (P. E. Hart, N. J. Nilsson, B. Raphael, A formal basis for the heuristic determination of minimum cost
  paths, 1968, doi:10.1109/TSSC.1968.300136).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled, inner
from corridor.network.paths import Arcs, Tree, heap_pop, heap_push, search

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]
Starts = Sequence[tuple[int, float]]
_SLACK = 1e-6
"""How far bounds may be off by rounding, as a share of the cost."""


@dataclass(frozen=True)
class Change:
    """What was closed and delayed since: ``changed`` are these edges; ``closed`` and ``delay`` are of all (n_edges,).

    ``starts`` are those of the search before, in the same order, with what reaching them costs now (inf: not reached).
    """

    changed: Ints
    closed: Bools
    delay: Floats
    starts: Starts


class Grown:
    """The tree of cheapest ways from some starts, from which costs after changes are mended.

    Args:
        arcs: the graph.
        starts: nodes to start from and what reaching them costs; inf where it can't be reached.
        forward: cost of each edge along its geometry, >= 0, shape (n_edges,).
        backward: the same against it.
        closed: edges that may not be used, shape (n_edges,).
    """

    def __init__(self, arcs: Arcs, starts: Starts, forward: Floats, backward: Floats, closed: Bools) -> None:
        self.arcs, self.forward, self.backward = arcs, forward, backward
        tree = search(arcs, [start for start in starts if np.isfinite(start[1])], forward, backward, closed)
        # Dozens of trees are kept at a time: of each what mending takes, in numbers of 32 bits.
        self._cost, self._arc = tree.state_cost, tree.arc.astype(np.int32)
        self._spent = _as_arrays(starts)[1]

    @cached_property
    def _branches(self) -> tuple[Ints32, Ints32, Ints32]:
        """States in an order in which all that hangs on one follows it, each one's place there and how many hang."""
        order, place, size = _preorder(self._arc, self.arcs.tails)
        return order, place, size

    def mend(self, change: Change, wanted: Ints) -> Floats:
        """Costs of some nodes after a change, shape (n,).

        Args:
            change: closures and delays; nothing that was closed is open, and no start costs less.
            wanted: nodes, shape (n,).
        """
        arcs = self.arcs
        nodes, spent = _as_arrays(change.starts)
        cost = _mend(
            arcs.indptr, arcs.head, arcs.tails, arcs.edge, arcs.forward, *arcs.into, *arcs.of_edges, self.forward,
            self.backward, change.delay, change.closed, change.changed, self._cost, self._arc, *self._branches,
            nodes, spent, spent != self._spent, wanted, arcs.n_nodes,
        )  # fmt: skip
        return arcs.cost_at(cost, wanted)


@compiled
def _preorder(via, tails):  # type: ignore[no-untyped-def]
    n = len(via)
    first = np.full(n, -1, np.int32)
    following = np.full(n, -1, np.int32)
    for state in range(n):
        if via[state] >= 0:
            parent = tails[via[state]]
            following[state] = first[parent]
            first[parent] = state
    order = np.empty(n, np.int32)
    place = np.empty(n, np.int32)
    size = np.ones(n, np.int32)
    stack = np.empty(n, np.int32)
    count = 0
    for root in range(n):
        if via[root] >= 0:
            continue
        depth = 1
        stack[0] = root
        while depth > 0:
            depth -= 1
            state = stack[depth]
            order[count] = state
            place[state] = count
            count += 1
            child = first[state]
            while child >= 0:
                stack[depth] = child
                depth += 1
                child = following[child]
    # What hangs on a state follows it, so that from behind each is whole before it is added to its parent.
    for at in range(n - 1, -1, -1):
        state = order[at]
        if via[state] >= 0:
            size[tails[via[state]]] += size[state]
    return order, place, size


@inner
def _cost(arc, edge, along, forward, backward, delay):  # type: ignore[no-untyped-def]
    """What an arc costs after the change."""
    return (forward[edge[arc]] if along[arc] else backward[edge[arc]]) + delay[edge[arc]]


@inner
def _drop(top, order, place, size, lost, lost_states, count):  # type: ignore[no-untyped-def]
    """Note as lost a state and all that hangs on it; returns how many are."""
    if lost[top]:
        return count
    for number in range(place[top], place[top] + size[top]):
        if not lost[order[number]]:
            lost[order[number]] = True
            lost_states[count] = order[number]
            count += 1
    return count


@inner
def _drop_dearer(  # type: ignore[no-untyped-def]
    head, edge_first, of_edge, changed, before, via, order, place, size, starts, is_dearer, lost, lost_states
):  # fmt: skip
    """Mark what hangs on a changed arc, or on a start that costs more: it may cost more, and nothing else does."""
    count = 0
    for changed_edge in changed:
        if changed_edge + 1 >= len(edge_first):
            continue  # no arc is of it
        for at in range(edge_first[changed_edge], edge_first[changed_edge + 1]):
            top = head[of_edge[at]]
            if via[top] == of_edge[at]:
                count = _drop(top, order, place, size, lost, lost_states, count)
    for k in range(len(starts)):
        if is_dearer[k] and via[starts[k]] < 0 and before[starts[k]] < np.inf:
            count = _drop(starts[k], order, place, size, lost, lost_states, count)
    return count


@compiled
def _mend(  # type: ignore[no-untyped-def]
    indptr, head, tails, edge, along, into_first, into, edge_first, of_edge, forward, backward, delay, closed, changed,
    before, via, order, place, size, starts, spent, is_dearer, wanted, n_nodes,
):  # fmt: skip
    n = len(before)
    lost = np.zeros(n, np.bool_)
    lost_states = np.empty(n, np.int64)
    count = _drop_dearer(
        head, edge_first, of_edge, changed, before, via, order, place, size, starts, is_dearer, lost, lost_states
    )
    if count == 0:
        return before
    best = before.copy()
    for k in range(count):
        best[lost_states[k]] = np.inf
    for k in range(len(starts)):
        best[starts[k]] = min(best[starts[k]], spent[k])
    asked = np.zeros(n_nodes, np.bool_)
    left = 0
    for node in wanted:
        if not asked[node]:
            other = node + n_nodes
            if lost[node] or (other < n and lost[other]):
                asked[node] = True
                left += 1
    if left == 0:
        return best
    # They are reached first from what stands.
    arcs = 0
    for k in range(count):
        arcs += indptr[lost_states[k] + 1] - indptr[lost_states[k]]
    keys = np.empty(arcs + count + 1, np.float64)
    items = np.empty(arcs + count + 1, np.int64)
    heap = 0
    for k in range(count):
        state = lost_states[k]
        for at in range(into_first[state], into_first[state + 1]):
            arc = into[at]
            if not lost[tails[arc]] and not closed[edge[arc]]:
                cost = _cost(arc, edge, along, forward, backward, delay)
                best[state] = min(best[state], best[tails[arc]] + cost)
        if best[state] < np.inf:
            heap = heap_push(keys, items, heap, best[state], state)
    while heap > 0:
        key, state = keys[0], items[0]
        heap = heap_pop(keys, items, heap)
        if key > best[state]:
            continue
        node = state % n_nodes
        # Of the two states of a node the first that is settled is the cheaper one.
        if asked[node]:
            asked[node] = False
            left -= 1
            if left == 0:
                break
        for arc in range(indptr[state], indptr[state + 1]):
            if closed[edge[arc]]:
                continue
            cost = _cost(arc, edge, along, forward, backward, delay)
            if key + cost < best[head[arc]]:
                best[head[arc]] = key + cost
                heap = heap_push(keys, items, heap, key + cost, np.int64(head[arc]))
    return best


@dataclass(frozen=True)
class Goal:
    """A place to search for: ``ends`` are the nodes beside it, each with what is left from there.

    ``bound`` is what was left from each node before anything was closed or delayed, shape (n_nodes,).
    """

    bound: Floats
    ends: Starts


def search_towards(arcs: Arcs, goal: Goal, forward: Floats, backward: Floats, change: Change) -> Tree:
    """The cheapest way to a place after a change.

    Args:
        arcs: the graph.
        goal: the place.
        forward: cost of each edge along its geometry before the change, >= 0, shape (n_edges,).
        backward: the same against it.
        change: closures and delays.

    Returns:
        A tree that holds the way to the place, the same that a search of everything finds. Of nodes off the way it says
        nothing: they may cost less than it has, or be reached another way.
    """
    nodes, spent = _as_arrays(change.starts)
    ends, after = _as_arrays(goal.ends)
    twice = np.zeros(0, dtype=np.bool_) if arcs.ends_twice is None else arcs.ends_twice
    cost, arc, is_sure = _towards(
        arcs.indptr, arcs.head, arcs.tails, arcs.edge, arcs.forward, *arcs.into, forward, backward, change.delay,
        change.closed, nodes, spent, goal.bound, ends, after, twice, _SLACK,
    )  # fmt: skip
    if not is_sure:
        # Of ways of equal cost a search takes that which it comes to first.
        starts = [start for start in change.starts if np.isfinite(start[1])]
        return search(arcs, starts, forward + change.delay, backward + change.delay, change.closed)
    return Tree(arcs.cost_at(cost), cost, arc, arcs)


def _as_arrays(starts: Starts) -> tuple[Ints, Floats]:
    nodes = np.array([node for node, _ in starts], dtype=np.int64)
    return nodes, np.array([spent for _, spent in starts], dtype=np.float64)


@compiled
def _towards(  # type: ignore[no-untyped-def]
    indptr, head, tails, edge, along, into_first, into, forward, backward, delay, closed, starts, spent, bound, ends,
    after, ends_twice, slack,
):  # fmt: skip
    n = len(indptr) - 1
    n_nodes = len(bound)
    best = np.full(n, np.inf)
    via = np.full(n, -1, np.int64)
    keys = np.empty(1024, np.float64)
    items = np.empty(1024, np.int64)
    size = 0
    for k in range(len(starts)):
        if spent[k] < best[starts[k]]:
            best[starts[k]] = spent[k]
            size = heap_push(keys, items, size, spent[k] + bound[starts[k]], starts[k])
    limit, last, end = np.inf, -1, -1
    while size > 0:
        key, state = keys[0], items[0]
        # Bounds are sums from the other end and off by rounding: a little beyond the cost all is known that matters.
        if key > limit + slack * limit or key == np.inf:
            break
        size = heap_pop(keys, items, size)
        node = state % n_nodes
        if key > best[state] + bound[node]:
            continue
        for k in range(len(ends)):
            if ends[k] == node and (state < n_nodes or ends_twice[node]):
                # Of ends, and of states of one, that lead there alike the first counts.
                whole = best[state] + after[k]
                if whole < limit or (whole == limit and (k < end or (k == end and state < last))):
                    limit, last, end = whole, state, k
        for arc in range(indptr[state], indptr[state + 1]):
            if closed[edge[arc]]:
                continue
            cost = best[state] + _cost(arc, edge, along, forward, backward, delay)
            target = np.int64(head[arc])
            # Off by rounding, bounds may lead to a state by a dearer way first: it is gone on from again then.
            if cost < best[target]:
                best[target] = cost
                if size == len(keys):
                    keys = np.concatenate((keys, np.empty_like(keys)))
                    items = np.concatenate((items, np.empty_like(items)))
                size = heap_push(keys, items, size, cost + bound[target % n_nodes], target)
    is_sure = _way_back(
        tails, edge, along, into_first, into, forward, backward, delay, closed, starts, spent, best, last, via
    )
    return best, via, is_sure


@inner
def _way_back(  # type: ignore[no-untyped-def]
    tails, edge, along, into_first, into, forward, backward, delay, closed, starts, spent, best, last, via
):  # fmt: skip
    """Write into ``via`` by which arc each state of the way to ``last`` was reached; whether a search takes that way.

    A search reaches a state from that which it settles first, the one that costs least.
    """
    state = last
    while state >= 0:
        for k in range(len(starts)):
            if starts[k] == state and spent[k] == best[state]:
                return True
        chosen = -1
        for at in range(into_first[state], into_first[state + 1]):
            arc = into[at]
            if closed[edge[arc]]:
                continue
            cost = _cost(arc, edge, along, forward, backward, delay)
            tail = tails[arc]
            if best[tail] + cost != best[state] or best[state] == np.inf:
                continue
            # Over an arc that costs nothing (a gate) a state seems to be reached from what it is itself gone on to.
            if cost == 0.0:
                is_before = False
                for k in range(len(starts)):
                    is_before |= starts[k] == tail and spent[k] == best[tail]
                for other in range(into_first[tail], into_first[tail + 1]):
                    up = into[other]
                    step = _cost(up, edge, along, forward, backward, delay)
                    if not closed[edge[up]] and tails[up] != state and best[tails[up]] + step == best[tail]:
                        is_before = True
                if not is_before:
                    continue
            if chosen < 0 or best[tail] < best[tails[chosen]]:
                chosen = arc
            elif best[tail] == best[tails[chosen]] and tail != tails[chosen]:
                return False
        if chosen < 0:
            return False
        via[state] = chosen
        state = tails[chosen]
    return True
