"""The compiled loop of a search that knows of the link that a line came by little more than where it heads."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import OUT, longer_shortlist, no_shortlist, pop, push
from corridor.alignment._kernels.linegraph import WHOLE_WAY
from corridor.alignment._kernels.links import cheapest_by_node, most_links, new_links, price_all_from, price_from_begin
from corridor.alignment.chords import new_scratch
from corridor.compiled import allocating, inner

ROUNDED = 1.0 - 1e-7  # a price times this is no more than the price, whichever way 32 bits round it
ANY = -1  # in place of a move: a link of which nobody asks where it heads


class Headings(NamedTuple):
    """What is known of links by where they head.

    ``move_at`` gives the number of a move by its steps in rows and columns, each plus the longest (``ANY``: there is
    none), ``class_of`` the class of each move, and ``loss_m`` (classes, moves) the least that the curve between a link
    of the class and the move takes off the move, infinite where no such curve fits. The last class is that of links of
    which nothing is known.
    """

    move_at: NDArray[np.int16]
    class_of: NDArray[np.int16]
    loss_m: NDArray[np.float32]


class Pool(NamedTuple):
    """Links from states that were reached, those from one state one after the other: where they lead, price, what
    curves may take off them, and their move.
    """

    target: NDArray[np.int32]
    price: NDArray[np.float32]
    spare_m: NDArray[np.float32]
    move: NDArray[np.int16]


class Reached(NamedTuple):
    """States that were reached, as they come: ``place`` of each state among them (-1: not reached yet), and which state
    has a place.

    ``first`` and ``last`` mark the links of each place that a later label there may use (-1: not priced yet). ``cost``
    has one value for each class of links that may lead there; with its place in the heap, and the heap.
    """

    place: NDArray[np.int32]
    state: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    cost: NDArray[np.float64]
    position: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]


@allocating
def _new_pool(room):
    """No links yet, and room for some."""
    return Pool(
        np.empty(room, np.int32), np.empty(room, np.float32), np.empty(room, np.float32), np.empty(room, np.int16)
    )


@allocating
def _more_pool(pool, used):
    """The same with twice the room."""
    more = _new_pool(2 * pool.target.shape[0])
    for k in range(used):
        more.target[k], more.price[k], more.spare_m[k], more.move[k] = (
            pool.target[k], pool.price[k], pool.spare_m[k], pool.move[k],
        )  # fmt: skip
    return more


@allocating
def _none_reached(place, room, n_classes):
    """No states reached yet, and room for some. Labels are written when a state is: memory is taken for those alone."""
    n = room * n_classes
    return Reached(
        place, np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64), np.empty(n),
        np.empty(n, np.int32), np.empty(n), np.empty(n, np.int32),
    )  # fmt: skip


@inner
def _reach(state, reached, n_reached, n_classes):
    """Give a state a place; returns how many have one."""
    reached.place[state], reached.state[n_reached], reached.first[n_reached] = n_reached, state, -1
    for label in range(n_reached * n_classes, (n_reached + 1) * n_classes):
        reached.cost[label], reached.position[label] = np.inf, OUT
    return n_reached + 1


@allocating
def _more_reached(reached, n_reached, n_classes, size):
    """The same with twice the room."""
    more = _none_reached(reached.place, 2 * reached.state.shape[0], n_classes)
    for at in range(n_reached):
        more.state[at], more.first[at], more.last[at] = reached.state[at], reached.first[at], reached.last[at]
    for label in range(n_reached * n_classes):
        more.cost[label], more.position[label] = reached.cost[label], reached.position[label]
    for k in range(size):
        more.keys[k], more.items[k] = reached.keys[k], reached.items[k]
    return more


@inner
def _pour(links, n, headings, pool, used):
    """Put priced links into the pool; returns how many are there."""
    longest = headings.move_at.shape[0] // 2
    for k in range(n):
        down, right, move = np.int64(links.of[k].down), np.int64(links.of[k].right), ANY
        if links.of[k].code == 0 and abs(down) <= longest and abs(right) <= longest:
            move = np.int64(headings.move_at[longest + down, longest + right])
        pool.target[used], pool.move[used], pool.spare_m[used] = links.of[k].target, move, links.of[k].spare_m
        pool.price[used] = links.of[k].price * ROUNDED
        used += 1
    return used


@inner
def _go_on(at, heading, cost, headings, behind, bound, pool, reached, n_reached, size):
    """Go on from a label by the links that it may use; returns how many states are reached and how many labels wait.

    Labels come up at a state in order of cost: a link that one has used, or that is too dear for one, is done with.
    """
    n_classes, kept = headings.loss_m.shape[0], reached.first[at]
    for k in range(reached.first[at], reached.last[at]):
        target, move = np.int64(pool.target[k]), np.int64(pool.move[k])
        value = cost + pool.price[k]
        if not value + behind[target] <= bound:
            continue
        if move != ANY and headings.loss_m[heading, move] > pool.spare_m[k]:
            pool.target[kept], pool.price[kept] = target, pool.price[k]
            pool.spare_m[kept], pool.move[kept] = pool.spare_m[k], move
            kept += 1
            continue
        if reached.place[target] < 0:
            n_reached = _reach(target, reached, n_reached, n_classes)
        label = np.int64(reached.place[target]) * n_classes + n_classes - 1
        if move != ANY:
            label += headings.class_of[move] - n_classes + 1
        if value < reached.cost[label]:
            reached.cost[label] = value
            size = push(reached.keys, reached.items, reached.position, size, label, value + behind[target])
    reached.last[at] = kept
    return n_reached, size


@allocating
def search_headings(
    ground, nodes, loops, states, p, begin, end, direct_m, behind, bound, beyond, capacity, reuse, headings, told,
):  # fmt: skip
    """What lines from a terminal to each state cost at least, if bends are tested by what ``headings`` knows of links.

    As ``search_turns``, but lines that come to a state by links of one class are one, the cheapest of them, and what
    curves take off the link before isn't remembered. So no line with bends costs less.

    Args:
        ground: the ground's arrays.
        nodes: see the type.
        loops: see the type.
        states: see the type.
        p: parameter vector.
        begin: state of the terminal that lines start from.
        end: state of the other one.
        direct_m: how far links from and to the terminals go.
        behind: cost from each state, without turns; infinite where nothing near the best passes.
        bound: only lines that cost at most this.
        beyond: times the cost of the cheapest way, once that is known, the search ends.
        capacity: of links that may be held; the search stops there.
        reuse: pieces of old formations as adjacency (pointer, target, price).
        headings: see the type.
        told: as for ``search_turns``.

    Returns:
        Least cost of each state, what the cheapest way costs (infinite if there was none), and how far the search came:
        what isn't known by then costs, with the rest, at least that.
    """
    scratch, noted, n_states, n_classes = new_scratch(), 0, states.kind.shape[0], headings.loss_m.shape[0]
    ahead = no_shortlist(nodes.node_of.shape[0], nodes.moves.shape[0])
    behind_node = cheapest_by_node(behind, nodes, n_states)
    room = most_links(nodes, loops, n_states, reuse[0])
    links, n = price_from_begin(
        ground, nodes, loops, states, begin, p, direct_m, behind, behind_node, bound, reuse, scratch, room,
        new_links(behind.shape[0], 4 * room), 0,
    )  # fmt: skip
    pool = _new_pool(max(2 * n, 65_536))
    used = _pour(links, n, headings, pool, 0)
    reached = _none_reached(np.full(behind.shape[0], -1, np.int32), max(2 * n + 2, 4096), n_classes)
    n_reached = _reach(begin, reached, 0, n_classes)
    reached.first[0], reached.last[0] = 0, used
    n_reached, size = _go_on(0, n_classes - 1, 0.0, headings, behind, bound, pool, reached, n_reached, 0)
    cheapest, limit, key = np.inf, bound, 0.0
    while True:
        if size == 0 or reached.keys[0] > limit:
            key = limit
            break
        key = reached.keys[0]
        popped, size = pop(reached.keys, reached.items, reached.position, size)
        at, heading = np.int64(popped) // n_classes, np.int64(popped) % n_classes
        v, cost = np.int64(reached.state[at]), reached.cost[popped]
        if v == end:
            if cheapest == np.inf:
                cheapest, limit = cost, min(bound, beyond * cost)
            continue
        if reached.first[at] < 0:
            told[0] = max(told[0], np.int64(WHOLE_WAY * (1.0 - behind[v] / behind[begin])))
            if used > capacity:
                break
            if noted + nodes.moves.shape[0] > ahead.move.shape[0]:
                ahead = longer_shortlist(ahead)
            while used + room > pool.target.shape[0]:
                pool = _more_pool(pool, used)
            # In order of cost plus a true bound, the first label at a state is the cheapest way there.
            n, noted = price_all_from(
                ground, nodes, loops, states, v, cost, end, p, direct_m, behind, behind_node, bound, reuse, scratch,
                ahead, noted, links, 0,
            )  # fmt: skip
            reached.first[at] = used
            used = _pour(links, n, headings, pool, used)
            reached.last[at] = used
        while n_reached + reached.last[at] - reached.first[at] > reached.state.shape[0]:
            reached = _more_reached(reached, n_reached, n_classes, size)
        n_reached, size = _go_on(at, heading, cost, headings, behind, bound, pool, reached, n_reached, size)
    least = np.full(behind.shape[0], np.inf)
    for at in range(n_reached):
        least[reached.state[at]] = reached.cost[at * n_classes : (at + 1) * n_classes].min()
    least[begin] = 0.0
    return least, cheapest, key
