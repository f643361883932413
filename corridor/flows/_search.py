"""The compiled searches of a long-distance network: bicriterion best ways by labels, and the bounds that guide them."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import allocating, inner
from corridor.network.paths import heap_pop, heap_push

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

NONE = -1
_KEY, _COST, _VARIANCE = 0, 1, 2
_PLACE, PARENT, ARC, _LINK, _DEPTH, _NEXT = 0, 1, 2, 3, 4, 5


class Arcs(NamedTuple):
    """Passages, transfers, first and last legs, sorted by the state that they leave.

    A state is a node with a system; after the states come the doors of all nodes, one each, where loads set out and
    arrive. ``first`` has the first arc of each state and door (and, last, the number of arcs), ``into_first`` and
    ``into`` list the same arcs by the state that they lead to. ``link`` is the rank of an arc's link by its id, 0 for
    none. ``node`` is the number of each state's and door's node, ``doors`` the number of the first door.
    """

    first: NDArray[np.int64]
    into_first: NDArray[np.int64]
    into: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    link: NDArray[np.int64]
    cost: NDArray[np.float64]
    variance: NDArray[np.float64]
    node: NDArray[np.int64]
    doors: int


@inner
def _advance(via_nodes, via_links, node, stage, link):
    """The stage (how many of what is to be passed are behind) after passing a link and standing at a node."""
    if stage < len(via_links) and link > 0 and via_links[stage] == link:
        stage += 1
    while stage < len(via_nodes) and via_nodes[stage] == node:
        stage += 1
    return stage


@allocating
def least_to(arcs, usable, via_nodes, via_links, goal):
    """Least certain dollars from each stage and state to a goal (Dijkstra, backwards).

    Args:
        arcs: :class:`Arcs`.
        usable: which of them may be passed, shape ``(arcs,)``; last legs matter at the goal alone, first legs nowhere.
        via_nodes: node that each part of the way has to pass, -1 where it is a link, shape ``(stages,)``.
        via_links: link that it has to pass, -1 where it is a node.
        goal: a door.

    Returns:
        Dollars, shape ``(stages + 1, states and doors)``; infinite where the goal can't be reached.
    """
    stages = len(via_nodes)
    best = np.full((stages + 1, len(arcs.node)), np.inf)
    best[stages, goal] = 0.0
    # a heap in arrays: one of tuples takes longer to compile than this function; each passage enters it at most once
    most = 1 + len(arcs.into) * (stages + 1) * (stages + 2) // 2
    keys, items = np.empty(most), np.empty(most, dtype=np.int64)
    size = heap_push(keys, items, 0, 0.0, stages * len(arcs.node) + goal)
    while size > 0:
        cost = keys[0]
        stage, state = items[0] // len(arcs.node), items[0] % len(arcs.node)
        size = heap_pop(keys, items, size)
        if cost > best[stage, state]:
            continue
        for at in range(arcs.into_first[state], arcs.into_first[state + 1]):
            arc = arcs.into[at]
            before = arcs.tail[arc]
            if not usable[arc] or before >= arcs.doors:
                continue
            paid = cost + arcs.cost[arc]
            # the stages at which a way may stand before the arc to be at this one after it
            for earlier in range(stage + 1):
                if (
                    paid < best[earlier, before]
                    and _advance(via_nodes, via_links, arcs.node[before], earlier, 0) == earlier
                    and _advance(via_nodes, via_links, arcs.node[state], earlier, arcs.link[arc]) == stage
                ):
                    best[earlier, before] = paid
                    size = heap_push(keys, items, size, paid, earlier * len(arcs.node) + before)
    # where a way sets out nothing is paid but the door, so the least over its systems holds for any of them
    for stage in range(stages + 1):
        for state in range(arcs.doors):
            door = arcs.doors + arcs.node[state]
            if stage < stages or door != goal:
                best[stage, door] = min(best[stage, door], best[stage, state])
    return best


@inner
def _comes_first(amounts, labels, a, b):
    """Whether a label leaves the heap before another: by its least cost, its dollars, its variance, then its links.

    Ties go by the ids of the links passed, so that the answer hangs on no order of the arcs.
    """
    for field in (_KEY, _COST, _VARIANCE):
        if amounts[a, field] != amounts[b, field]:
            return amounts[a, field] < amounts[b, field]
    # Both ways are followed back to where they part: the difference nearest to their beginning counts.
    x, y, earlier, later = a, b, False, False
    while labels[x, _DEPTH] > labels[y, _DEPTH]:
        x = labels[x, PARENT]
    while labels[y, _DEPTH] > labels[x, _DEPTH]:
        y = labels[y, PARENT]
    while x != y:
        if labels[x, _LINK] != labels[y, _LINK]:
            earlier = labels[x, _LINK] < labels[y, _LINK]
            later = not earlier
        x, y = labels[x, PARENT], labels[y, PARENT]
    if earlier or later:
        return earlier
    if labels[a, _DEPTH] != labels[b, _DEPTH]:
        return labels[a, _DEPTH] < labels[b, _DEPTH]
    return a < b


@inner
def _push(heap, size, amounts, labels, label):
    """Insert a label; returns the new size."""
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if not _comes_first(amounts, labels, label, heap[above]):
            break
        heap[at] = heap[above]
        at = above
    heap[at] = label
    return size + 1


@inner
def _pop(heap, size, amounts, labels):
    """Take out the first label; returns it with the new size."""
    top, last = heap[0], heap[size - 1]
    size -= 1
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _comes_first(amounts, labels, heap[child + 1], heap[child]):
            child += 1
        if not _comes_first(amounts, labels, heap[child], last):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = last
    return top, size


@inner
def _is_beaten(newest, amounts, labels, cost, variance):
    """Whether a label of a front, of which the newest is named, costs no more and varies no more."""
    while newest != NONE:
        if amounts[newest, _COST] <= cost and amounts[newest, _VARIANCE] <= variance:
            return True
        newest = labels[newest, _NEXT]
    return False


@allocating
def search(arcs, usable, bounds, via_nodes, via_links, origin, goal):
    """Labels of the best way to a goal, or of the best ways to all nodes.

    Dollars and variances add up along a way, but the root of a variance does not: each state keeps all labels that no
    other beats in both. The first label of the goal that leaves the heap is best, as what is left can only cost more.

    Args:
        arcs: :class:`Arcs`.
        usable: which of them may be passed, shape ``(arcs,)``.
        bounds: least dollars from each stage and state to the goal, never more than they are with what may be passed;
            infinite where there is no way, shape ``(stages + 1, states and doors)``.
        via_nodes: as in :func:`least_to`.
        via_links: as in :func:`least_to`.
        origin: the door where the way sets out.
        goal: the door where it arrives, or -1 for all doors.

    Returns:
        Cost by node (infinite where there is no way, 0 at the origin), shape ``(nodes,)``; the label with which each is
        reached, -1 for none; and the labels, with their parents and last arcs in columns ``PARENT`` and ``ARC``, shape
        ``(labels, 6)``. A way to the goal lays its arrival down as a label, ways to all nodes don't.
    """
    stages, places = len(via_nodes), len(arcs.node)
    costs = np.full(places - arcs.doors, np.inf)
    reached = np.full(places - arcs.doors, NONE)
    newest = np.full((stages + 1) * places, NONE)  # of each state's front, the label that came last
    amounts, labels = np.empty((512, 3)), np.empty((512, 6), np.int64)
    heap = np.empty(512, np.int64)
    stage = _advance(via_nodes, via_links, arcs.node[origin], 0, 0)
    count = size = 0
    if np.isfinite(bounds[stage, origin]):
        # one by one: to assign to a whole row would compile what numba says of wrong shapes too, longer than the rest
        amounts[0, _KEY], amounts[0, _COST], amounts[0, _VARIANCE] = bounds[stage, origin], 0.0, 0.0
        labels[0, _PLACE], labels[0, PARENT], labels[0, ARC] = stage * places + origin, NONE, NONE
        labels[0, _LINK], labels[0, _DEPTH], labels[0, _NEXT] = 0, 0, NONE
        count = size = heap[0] = 1
        heap[0] = 0
    if goal == NONE:
        costs[arcs.node[origin]] = 0.0
    while size > 0:
        label, size = _pop(heap, size, amounts, labels)
        place = labels[label, _PLACE]
        stage, state = place // places, place % places
        if stage == stages and state == goal:
            costs[arcs.node[goal]], reached[arcs.node[goal]] = amounts[label, _KEY], label
            break
        cost, variance = amounts[label, _COST], amounts[label, _VARIANCE]
        if _is_beaten(newest[place], amounts, labels, cost, variance):
            continue
        labels[label, _NEXT], newest[place] = newest[place], label
        # loads set out at the origin's door alone
        legs = 0 if state >= arcs.doors and state != origin else arcs.first[state + 1] - arcs.first[state]
        for arc in range(arcs.first[state], arcs.first[state] + legs):
            if not usable[arc]:
                continue
            head, node = arcs.head[arc], arcs.node[arcs.head[arc]]
            paid, spread = cost + arcs.cost[arc], variance + arcs.variance[arc]
            if head >= arcs.doors and goal == NONE:
                arrived = paid + sqrt(spread)
                if arrived < costs[node] or (arrived == costs[node] and label < reached[node]):
                    costs[node], reached[node] = arrived, label
                continue
            after = _advance(via_nodes, via_links, node, stage, arcs.link[arc])
            # what is beaten already will be when it leaves the heap
            if (
                (head >= arcs.doors and head != goal)
                or not np.isfinite(bounds[after, head])
                or _is_beaten(newest[after * places + head], amounts, labels, paid, spread)
            ):
                continue
            if count == len(labels):
                amounts = np.concatenate((amounts, np.empty_like(amounts)))
                labels = np.concatenate((labels, np.empty_like(labels)))
                heap = np.concatenate((heap, np.empty_like(heap)))
            # what is left costs at least its certain dollars, and further variance can only add
            amounts[count, _KEY] = paid + bounds[after, head] + sqrt(spread)
            amounts[count, _COST], amounts[count, _VARIANCE] = paid, spread
            labels[count, _PLACE], labels[count, PARENT] = after * places + head, label
            labels[count, ARC], labels[count, _LINK] = arc, arcs.link[arc]
            labels[count, _DEPTH], labels[count, _NEXT] = labels[label, _DEPTH] + 1, NONE
            size = _push(heap, size, amounts, labels, count)
            count += 1
    return costs, reached, labels


@allocating
def links_passed(arcs, reached, labels, count):
    """Which links the ways to some nodes pass.

    Args:
        arcs: :class:`Arcs`.
        reached: label of each way, -1 for none, shape ``(ways,)``.
        labels: of :func:`search`.
        count: number of links.

    Returns:
        Whether a way passes a link, by its rank, shape ``(ways, count + 1)``.
    """
    passed = np.zeros((len(reached), count + 1), np.bool_)
    for way in range(len(reached)):
        label = reached[way]
        while label != NONE:
            if labels[label, ARC] != NONE:
                passed[way, arcs.link[labels[label, ARC]]] = True
            label = labels[label, PARENT]
        passed[way, 0] = False
    return passed
