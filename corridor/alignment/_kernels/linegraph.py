"""The compiled loops of the turn-limited search: from link to link, by labels that wait in a heap."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import longer_shortlist, no_shortlist
from corridor.alignment._kernels.bends import bend_loss, binding_loss, cannot_bend, make_row, no_bends
from corridor.alignment._kernels.links import (
    NO_MOVE,
    cheapest_by_node,
    more_links,
    most_links,
    open_link,
    open_links,
    price_all_from,
    price_from_begin,
)
from corridor.alignment.chords import new_scratch
from corridor.compiled import allocating, inner

NO_ROOM = -2  # instead of a link: the search needs more links than it may hold
MORE_ROOM = -3  # the same: arrays are full
WHOLE_WAY = 1000  # what a search tells where it has come to the end

LABEL = np.dtype([("cost", np.float64), ("loss", np.float64), ("link", np.int32), ("before", np.int32)])
"""A way to the end of a link: its cost, what the curve at the link's start takes off that, the link, the label before.

The loss counts where the link is so steep that a bend at its other end could be too much; elsewhere it is 0, and one
label a link is enough.
"""

WAITING = np.dtype([("key", np.float64), ("label", np.int32)])
"""A label that waits in the heap."""


class Labels(NamedTuple):
    """Ways to the ends of links (``LABEL``), and the heap of those that wait (``WAITING``)."""

    of: NDArray[np.void]
    waiting: NDArray[np.void]


@allocating
def _new_labels(room):
    """No labels yet, and room for some."""
    return Labels(np.empty(room, LABEL), np.empty(room, WAITING))


@allocating
def _more_labels(labels):
    """The same with twice the room."""
    n = labels.of.shape[0]
    more = _new_labels(2 * n)
    for k in range(n):
        more.of[k], more.waiting[k] = labels.of[k], labels.waiting[k]
    return more


@inner
def _wait(waiting, size, label, key):
    """Put a label into the four-way heap; returns how many wait. No key changes, so that none has to be found there."""
    i = size
    while i > 0:
        above = (i - 1) >> 2
        if waiting[above].key <= key:
            break
        waiting[i].key, waiting[i].label = waiting[above].key, waiting[above].label
        i = above
    waiting[i].key, waiting[i].label = key, label
    return size + 1


@inner
def _take(waiting, size):
    """Take the label with the lowest key out of the heap; returns it and how many wait."""
    top = waiting[0].label
    size -= 1
    key, label, i = waiting[size].key, waiting[size].label, 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        best, best_key = child, waiting[child].key
        for other in range(child + 1, min(child + 4, size)):
            if waiting[other].key < best_key:
                best, best_key = other, waiting[other].key
        if best_key >= key:
            break
        waiting[i].key, waiting[i].label = best_key, waiting[best].label
        i = best
    waiting[i].key, waiting[i].label = key, label
    return top, size


@inner
def _note(links, labels, n, size, f, value, loss, before, ahead):
    """Note a way to the end of a link; returns how many labels there are and wait.

    One is of use only if it costs less than the last or leaves the next bend more freedom.
    """
    other = np.int64(links.of[f].label)
    if other >= 0:
        if labels.of[other].loss <= loss and labels.of[other].cost <= value:
            return n, size
        # What the new one makes useless is passed over when it comes up.
        if labels.of[other].cost >= value and labels.of[other].loss >= loss:
            labels.of[other].cost = np.inf
    labels.of[n].link, labels.of[n].cost, labels.of[n].loss, labels.of[n].before = f, value, loss, before
    links.of[f].label = n
    return n + 1, _wait(labels.waiting, size, n, value + ahead)


LAYERS = 256  # stretches of what is left to the end, each of which a hasty search looks at as closely


@inner
def _follow_links(
    ground, nodes, loops, states, p, radius, begin, end, direct_m, behind, behind_node, bound, slack, quota, capacity,
    reuse, clear_m, forbidden, scratch, looked_at, room, bends, links, labels, ahead, n, size, used, noted, told,
):  # fmt: skip
    """Go on from label to label until the end is reached, nothing is left, or more room is needed.

    Nothing is allocated in here, so that no references are counted in the loop that all time is spent in.

    Returns:
        The last label of the best line or why there is none, what any line costs at least, and how many labels there
        are and wait, and places of the links and of the shortlist are used.
    """
    most = max(room, links.at[begin].last - links.at[begin].first)
    while size > 0:
        if (
            used + room > links.source.shape[0]
            or noted + nodes.moves.shape[0] > ahead.move.shape[0]
            or n + most > labels.of.shape[0]
        ):
            return MORE_ROOM, 0.0, n, size, used, noted
        key = labels.waiting[0].key
        popped, size = _take(labels.waiting, size)
        at = np.int64(popped)
        cost, start_loss = labels.of[at].cost, labels.of[at].loss
        if cost == np.inf:
            continue
        e = np.int64(labels.of[at].link)
        v = np.int64(links.of[e].target)
        if v == end:
            return at, cost, n, size, used, noted
        is_new = links.at[v].first < 0
        if is_new:
            told[0] = max(told[0], np.int64(WHOLE_WAY * (1.0 - behind[v] / behind[begin])))
            if used > capacity:
                return NO_ROOM, key, n, size, used, noted
            if quota > 0:
                layer = np.int64(min(LAYERS * behind[v] / behind[begin], LAYERS))
                if looked_at[layer] >= quota:
                    continue
                looked_at[layer] += 1
        # What is left to the end with bends is known of a state, and not of the link that a line comes by: the cheapest
        # way there may come up after dearer ones. Links that were too dear for those, or reached by them, are then
        # looked at once more. A hasty search, which proves nothing, lets them be.
        margin = 1e-9 * bound
        if is_new or (quota == 0 and cost < links.at[v].priced_at - margin):
            used, noted = price_all_from(
                ground, nodes, loops, states, v, cost, end, p, direct_m, behind, behind_node,
                min(bound, cost + behind[v] + slack), reuse, scratch, ahead, noted, links, used,
            )  # fmt: skip
            links.at[v].priced_at = links.at[v].come_at = cost
        in_order = cost >= links.at[v].come_at - margin
        if quota == 0 and not in_order:
            links.at[v].pending_to, in_order = links.at[v].last, True
            for k in range(np.int64(links.at[v].first), np.int64(links.at[v].last)):
                open_link(links, k)
        links.at[v].come_at = cost
        came_by, left_m = np.int64(links.of[e].move), links.of[e].spare_m - start_loss
        if came_by != NO_MOVE and not bends.is_made[came_by]:
            make_row(bends, came_by, nodes.moves, radius, p)
        kept = np.int64(links.at[v].first)
        for k in range(kept, np.int64(links.at[v].pending_to)):
            f, open_m, move = np.int64(links.pending[k].link), links.pending[k].open_m, links.pending[k].move
            # The cheapest test, which most links fail. They may still be reached by another bend.
            if min(came_by, move) > NO_MOVE:
                least = bends.loss_m[came_by, move]
                can_bend = least <= left_m and (least <= open_m or not in_order)
            else:
                can_bend = not cannot_bend(links, e, f, start_loss, open_m, radius, p)
            if can_bend:
                value, rest = cost + links.of[f].price, behind[links.of[f].target]
                # What is too dear for this label is so for all later ones that cost as much.
                if not value + rest <= bound:
                    continue
                # The bend is the dearest test and so the last one.
                loss = bend_loss(
                    ground, nodes, loops, states, p, radius, links, e, f, start_loss, clear_m, forbidden, scratch
                )
                if loss >= 0.0:
                    loss = binding_loss(ground, nodes, loops, states, p, radius, links, f, loss)
                    before = n
                    n, size = _note(links, labels, n, size, f, value, loss, at, rest)
                    # No later label that costs as much reaches it for less.
                    if loss == 0.0:
                        continue
                    open_m = loss if n > before else open_m
            links.pending[kept].link, links.pending[kept].open_m, links.pending[kept].move = f, open_m, move
            kept += 1
        links.at[v].pending_to = kept
    return -1, bound, n, size, used, noted


@allocating
def search_turns(
    ground, nodes, loops, states, p, radius, begin, end, direct_m, behind, bound, slack, quota, capacity, reuse,
    clear_m, forbidden, links, used, told,
):  # fmt: skip
    """Shortest path from link to link: A* with the exact cost without turns as bound.

    Links are priced when a line first reaches the state that they start from, and are kept for the next search. With a
    ``quota`` the search is hasty: lines without turns get on so much more cheaply that A* would look about near the
    start for long; it then leaves each stretch of the way after so many states (a beam search).

    Args:
        ground: the ground's arrays.
        nodes: see the type.
        loops: see the type.
        states: see the type.
        p: parameter vector.
        radius: the smallest allowed, in metres.
        begin: state of the terminal that lines start from.
        end: state of the other one.
        direct_m: how far links from and to the terminals go.
        behind: cost from each state, without turns; infinite where nothing near the best passes.
        bound: only lines that cost at most this.
        slack: only links that, turns left aside, lose at most this against the best way on (infinite: all).
        quota: of states whose links are priced, for each of ``LAYERS`` stretches of what is left to the end (0: all).
        capacity: of links that may be held; the search stops there.
        reuse: pieces of old formations as adjacency (pointer, target, price).
        clear_m: each node's distance to the nearest one where some kind is forbidden (empty: none is): the curves of
            bends that come near are tested.
        forbidden: (n, 5) bends that may not be used: state, then the unit vectors (east, south) in and out.
        links: links that are priced already.
        used: how many.
        told: one whole number, in which whoever waits can read how near to the end the search has come, of
            ``WHOLE_WAY``.

    Returns:
        The last label of the best line (-1: none, ``NO_ROOM``: more would be needed), what any line costs at least if
        there are no slack and no quota, the labels, the links and how many of these there are.
    """
    scratch, n, size, noted = new_scratch(), 0, 0, 0
    n_states = states.kind.shape[0]
    ahead, looked_at = no_shortlist(nodes.node_of.shape[0], nodes.moves.shape[0]), np.zeros(LAYERS + 1, np.int64)
    behind_node = cheapest_by_node(behind, nodes, n_states)
    # Prices are kept between searches and labels aren't: other bends may be forbidden.
    open_links(links, 0, used)
    for v in range(links.at.shape[0]):
        links.at[v].pending_to, links.at[v].come_at = links.at[v].last, np.inf
    room, bends = most_links(nodes, loops, n_states, reuse[0]), no_bends(nodes.moves.shape[0])
    if links.at[begin].first < 0:
        links, used = price_from_begin(
            ground, nodes, loops, states, begin, p, direct_m, behind, behind_node, min(bound, behind[begin] + slack),
            reuse, scratch, room, links, used,
        )  # fmt: skip
        open_links(links, 0, used)
        links.at[begin].priced_at = 0.0
    links.at[begin].come_at = 0.0
    labels = _new_labels(max(used, 65_536))
    for e in range(np.int64(links.at[begin].first), np.int64(links.at[begin].last)):
        links.pending[e].open_m = 0.0
        n, size = _note(links, labels, n, size, e, links.of[e].price, 0.0, -1, behind[links.of[e].target])
    while True:
        # Whatever the next step may need there is room for.
        while used + room > links.source.shape[0]:
            links = more_links(links)
        if noted + nodes.moves.shape[0] > ahead.move.shape[0]:
            ahead = longer_shortlist(ahead)
        while n + max(room, links.at[begin].last - links.at[begin].first) > labels.of.shape[0]:
            labels = _more_labels(labels)
        last, least, n, size, used, noted = _follow_links(
            ground, nodes, loops, states, p, radius, begin, end, direct_m, behind, behind_node, bound, slack, quota,
            capacity, reuse, clear_m, forbidden, scratch, looked_at, room, bends, links, labels, ahead, n, size, used,
            noted, told,
        )  # fmt: skip
        if last != MORE_ROOM:
            return last, least, labels, links, used
