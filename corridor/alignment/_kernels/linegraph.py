"""The compiled loops of the turn-limited search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import SHORT_CELLS, longer_shortlist, no_shortlist
from corridor.alignment.chords import (
    CHEAPEST,
    DX,
    DY,
    change_price,
    enter,
    least_price,
    new_scratch,
    walk_chord,
    walk_move,
)
from corridor.alignment.spirals import ARC_STEP, CORNERS, price_loop
from corridor.compiled import allocating, inner, kernel, pasted

OLD = -1  # in place of the code of a link: a piece of an old formation
NO_ROOM = -2  # instead of a link: the search needs more links than it may hold
MORE_ROOM = -3  # the same: arrays are full
NO_MOVE = -1  # in place of the number of a move: a direct link, full circles, a piece of an old formation
WHOLE_WAY = 1000  # what a search tells where it has come to the end
SAME_WAY = 1.0 - 1e-12  # product of unit vectors above which they count as one direction


@kernel
def curve_loss(tan_half, radius):
    """What a curve takes off each of its two links: tangent less half the drawn curve, in metres.

    The drawn curve is a polygon of chords of at most two degrees; ``tan_half`` is tan(theta / 2).
    """
    theta = 2.0 * np.arctan(tan_half)
    n = max(np.ceil(theta / ARC_STEP), 1.0)
    # The drawn curve is n chords of 2 R sin(theta / 2n), of which each link gets half.
    return radius * tan_half - n * radius * np.sin(theta / (2.0 * n))


@inner
def _curve_fits(
    ground, r, c, height, in_east, in_south, out_east, out_south, radius, tan_half, grade_in, grade_out, p, scratch,
):  # fmt: skip
    """Whether some kind is allowed everywhere along the curve of a bend at a node; directions are unit vectors."""
    theta = 2.0 * np.arctan(tan_half)
    n = int(max(np.ceil(theta / ARC_STEP), 1.0))
    side = 1.0 if in_east * out_south - in_south * out_east > 0.0 else -1.0
    arm_east, arm_south = side * radius * in_south, -side * radius * in_east  # from the centre to the curve's start
    # From the vertex back along the way in by the tangent, then across to the centre.
    centre_east = -in_east * radius * tan_half - arm_east
    centre_south = -in_south * radius * tan_half - arm_south
    chord = 2.0 * radius * np.sin(theta / (2.0 * n))
    r0, c0, h0 = 0.0, 0.0, 0.0
    for k in range(n + 1):
        cos, sin = np.cos(side * theta * k / n), np.sin(side * theta * k / n)
        r1 = r + (centre_south + sin * arm_east + cos * arm_south) / p[DY]
        c1 = c + (centre_east + cos * arm_east - sin * arm_south) / p[DX]
        # The node's height belongs to the middle of the curve; before it the grade is that of the link in, after it
        # that of the link out.
        along = (k - 0.5 * n) * chord
        h1 = height + along * (grade_in if along < 0.0 else grade_out)
        if k > 0:
            # Every kind is free to begin with: what counts is whether one is allowed all along the chord, not what it
            # costs.
            scratch.by_kind[:] = 0.0
            done = walk_chord(
                ground, r0, c0, h0, r1, c1, h1, p, scratch.by_kind, np.inf, scratch, scratch.no_trace, 0, 0.0
            )
            if done < 0:
                return False
        r0, c0, h0 = r1, c1, h1
    return True


@inner
def _is_forbidden(forbidden, state, in_east, in_south, out_east, out_south):
    """Whether the bend at a state from one direction to another is in the list."""
    for k in range(forbidden.shape[0]):
        row = forbidden[k]
        if (
            row[0] == state
            and row[1] * in_east + row[2] * in_south > SAME_WAY
            and row[3] * out_east + row[4] * out_south > SAME_WAY
        ):
            return True
    return False


# What belongs together stands side by side: these searches look at links and labels here and there, and wait for memory
# more than for anything else.

LINK = np.dtype(
    [
        ("price", np.float64), ("target", np.int32), ("label", np.int32), ("spare_m", np.float32), ("down", np.int16),
        ("right", np.int16), ("code", np.int16), ("move", np.int16),
    ]
)  # fmt: skip
"""What is known of a link: its price, the state that it leads to, steps in rows and columns, what it is (0 straight,
``OLD``, or the code of its full circles), its move (or ``NO_MOVE``), and ``spare_m``, what curves may take off a
straight one before it is too steep (infinite for others, which have no one grade). For the search its newest label (-1:
none).
"""

PENDING = np.dtype([("link", np.int32), ("open_m", np.float32), ("move", np.int16), ("unused", np.int16)])
"""A link that a later label may reach, its move, and ``open_m``, what the curve at its start may take off for another
label to be of use.
"""

SOURCE = np.dtype(
    [
        ("first", np.int32), ("last", np.int32), ("pending_to", np.int32), ("unused", np.int32),
        ("priced_at", np.float64), ("come_at", np.float64),
    ]
)  # fmt: skip
"""The links of a state: from ``first`` to ``last`` (-1: not priced yet), and as far as ``pending_to`` the pending ones.

``priced_at`` is the cost that a line to the state had when its links were priced, and ``come_at`` that of the last one
which went on from there.
"""

LABEL = np.dtype([("cost", np.float64), ("loss", np.float64), ("link", np.int32), ("before", np.int32)])
"""A way to the end of a link: its cost, what the curve at the link's start takes off that, the link, the label before.

The loss counts where the link is so steep that a bend at its other end could be too much; elsewhere it is 0, and one
label a link is enough.
"""

WAITING = np.dtype([("key", np.float64), ("label", np.int32)])
"""A label that waits in the heap."""


class Links(NamedTuple):
    """Links that were priced so far, those from one state one after the other.

    ``of`` has what is known of each link (``LINK``) and ``source`` the state that it starts from; ``at`` tells which
    ones start at each state (``SOURCE``), and ``pending`` which of them later labels there may reach (``PENDING``).
    """

    at: NDArray[np.void]
    source: NDArray[np.int32]
    of: NDArray[np.void]
    pending: NDArray[np.void]


class Labels(NamedTuple):
    """Ways to the ends of links (``LABEL``), and the heap of those that wait (``WAITING``)."""

    of: NDArray[np.void]
    waiting: NDArray[np.void]


@allocating
def new_links(n_states, room):
    """No links yet, and room for some."""
    at, of = np.empty(n_states, SOURCE), np.empty(room, LINK)
    for v in range(n_states):
        at[v].first = at[v].last = -1
    for k in range(room):
        of[k].spare_m = np.inf
    return Links(at, np.empty(room, np.int32), of, np.empty(room, PENDING))


@allocating
def more_links(links):
    """The same with twice the room."""
    n = links.source.shape[0]
    more = new_links(0, 2 * n)
    for k in range(n):
        more.source[k], more.of[k], more.pending[k] = links.source[k], links.of[k], links.pending[k]
    return Links(links.at, more.source, more.of, more.pending)


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
def _look_ahead(ground, nodes, states, here, spare, p, behind_node, ahead, used):
    """Put down which moves from a node some line with so much to spare may use; returns how many places are used."""
    z, (rows, cols) = ground.grid, ground.grid.shape
    node = nodes.node_of[here]
    r, c = node // cols, node % cols
    # One list serves all states of the node, and offsets rise: the line may start and end anywhere between the two.
    over, under = states.offset_m[-1], -states.offset_m[0]
    ahead.first[here], ahead.made_at[here] = used, spare
    for m in range(nodes.moves.shape[0]):
        t_r, t_c = r + nodes.moves[m, 0], c + nodes.moves[m, 1]
        if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
            continue
        index = np.int64(nodes.index_of[t_r * cols + t_c])
        if index < 0:
            continue
        metres, left = nodes.move_m[m], spare - behind_node[index]
        # Turned round, so that a difference of infinities (NaN) fails too.
        if not p[CHEAPEST] * metres <= left:
            continue
        least = p[CHEAPEST] * metres
        if metres > SHORT_CELLS * p[DX]:
            rise = z[t_r, t_c] - z[r, c]
            # The mildest grade between any two levels of both ends counts.
            if rise - over - under > states.up * metres or -rise - over - under > states.down * metres:
                continue
            least = least_price(ground, r, c, z[r, c], t_r - r, t_c - c, rise, metres, over, under, left, p)
            if least > left:
                continue
        ahead.move[used] = m
        # Rounded down, so that 32 bits never lift the bound above the true price.
        ahead.least[used] = least * (1.0 - 1e-6)
        used += 1
    ahead.last[here] = used
    return used


@inner
def _adds_nothing(q, first, last, base, by_kind, states, behind, bound, p):
    """Whether to arrive as a state costs no less than to arrive as another one, of the same height, and change kind."""
    for other in range(first, last):
        spent, change = by_kind[states.kind[other]], change_price(states.kind[other], states.kind[q], p)
        # Only another one that is put down itself counts. Of two that cost the same, with changes that cost nothing,
        # the first one stays.
        is_kept = spent + behind[base + other] <= bound and (change > 0.0 or other < q)
        if other != q and is_kept and spent + change <= by_kind[states.kind[q]]:
            return True
    return False


@inner
def _price_to(ground, nodes, states, u, cost_u, p, behind, bound, m, flat, to_end, scratch, links, used):
    """Put down the links from a state to a node, if some line with them costs at most ``bound``; returns how many links
    there are.

    ``m`` is the move that leads there, ``NO_MOVE`` for a direct link. One that leads ``to_end`` arrives on the ground.
    """
    z, cols = ground.grid, ground.grid.shape[1]
    n_states, n_levels = states.kind.shape[0], states.first.shape[0] - 1
    node, t_index = nodes.node_of[u // n_states], np.int64(nodes.index_of[flat])
    r, c, t_r, t_c = node // cols, node % cols, flat // cols, flat % cols
    height = z[r, c] + states.offset_m[u % n_states]
    metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
    for level in range(n_levels):
        if to_end and states.offset_m[states.first[level]] != 0.0:
            continue
        rise = z[t_r, t_c] + states.offset_m[states.first[level]] - height
        if rise > states.up * metres or -rise > states.down * metres:
            continue
        # No line gets to the state for less, and none leads on for less than without turns: a link is of use only if
        # its price and the two come to at most the bound.
        rest, by_kind = np.inf, scratch.by_kind
        for q in range(states.first[level], states.first[level + 1]):
            rest = min(rest, behind[t_index * n_states + q])
        spare = bound - rest - cost_u
        if not p[CHEAPEST] * metres <= spare:
            continue
        least = p[CHEAPEST] * metres
        if metres > SHORT_CELLS * p[DX]:
            least = least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, 0.0, 0.0, spare, p)
        if least > spare:
            continue
        enter(by_kind, states.kind[u % n_states], cost_u)
        if m < 0:
            done = walk_chord(
                ground, float(r), float(c), height, float(t_r), float(t_c), height + rise, p, by_kind, bound - rest,
                scratch, scratch.no_trace, 0, 0.0,
            )  # fmt: skip
        else:
            done = walk_move(
                ground, nodes.laid, m, r, c, height, t_r - r, t_c - c, rise, metres, p, by_kind, bound - rest, scratch
            )
        if done < 0:
            continue
        for q in range(states.first[level], states.first[level + 1]):
            target = t_index * n_states + q
            # A line by a state that adds nothing would run the same way as one by another state, and cost no less.
            if by_kind[states.kind[q]] + behind[target] <= bound and not _adds_nothing(
                q, states.first[level], states.first[level + 1], t_index * n_states, by_kind, states, behind, bound, p
            ):
                links.source[used], links.of[used].target = u, target
                links.of[used].price, links.of[used].code = by_kind[states.kind[q]] - cost_u, 0
                links.of[used].down, links.of[used].right, links.of[used].move = t_r - r, t_c - c, m
                links.of[used].spare_m = metres - max(rise / states.up, -rise / states.down)
                used += 1
    return used


@inner
def _price_direct(
    ground, nodes, states, u, cost_u, p, direct_m, behind, behind_node, bound, index, to_end, scratch, links, used
):  # fmt: skip
    """Put down the direct links from a state to a node, as ``_price_to`` does; returns how many links there are."""
    z, cols = ground.grid, ground.grid.shape[1]
    n_states = states.kind.shape[0]
    node, flat = nodes.node_of[u // n_states], np.int64(nodes.node_of[index])
    r, c, t_r, t_c = node // cols, node % cols, flat // cols, flat % cols
    metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
    spare = bound - behind_node[index] - cost_u
    # Turned round, so that a difference of infinities (NaN) fails too.
    if metres == 0.0 or metres > direct_m or not p[CHEAPEST] * metres <= spare:
        return used
    # One bound for all levels of the node there comes first: most links fail it.
    height = z[r, c] + states.offset_m[u % n_states]
    over, under, rise = states.offset_m[-1], -states.offset_m[0], z[t_r, t_c] - height
    if rise - under > states.up * metres or -rise - over > states.down * metres:
        return used
    if least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, over, under, spare, p) > spare:
        return used
    return _price_to(ground, nodes, states, u, cost_u, p, behind, bound, NO_MOVE, flat, to_end, scratch, links, used)


@inner
def _wind_from(ground, nodes, loops, states, u, cost_u, p, behind, bound, m, scratch, links, used):
    """Put down the ways to wind up or down one chord from a state, as ``_price_from`` does with straight links."""
    z, (rows, cols) = ground.grid, ground.grid.shape
    n_states, node = states.kind.shape[0], nodes.node_of[u // states.kind.shape[0]]
    r, c, height = node // cols, node % cols, z[node // cols, node % cols] + states.offset_m[u % n_states]
    t_r, t_c = r + loops.moves[m, 0], c + loops.moves[m, 1]
    if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols or nodes.index_of[t_r * cols + t_c] < 0:
        return used
    t_index, by_kind = np.int64(nodes.index_of[t_r * cols + t_c]), scratch.by_kind
    kind = states.kind[u % n_states]
    for level in range(states.first.shape[0] - 1):
        rise, rest = z[t_r, t_c] + states.offset_m[states.first[level]] - height, np.inf
        for q in range(states.first[level], states.first[level + 1]):
            rest = min(rest, behind[t_index * n_states + q])
        if not bound - rest - cost_u > 0.0:
            continue
        for way in range(2 * loops.turns):
            code = price_loop(ground, loops, m, way, r, c, height, rise, kind, cost_u, p, bound - rest, scratch)
            if code == 0:
                continue
            for q in range(states.first[level], states.first[level + 1]):
                target = t_index * n_states + q
                if by_kind[states.kind[q]] + behind[target] <= bound:
                    links.source[used], links.of[used].target = u, target
                    links.of[used].price, links.of[used].code = by_kind[states.kind[q]] - cost_u, code
                    links.of[used].down, links.of[used].right, links.of[used].move = t_r - r, t_c - c, NO_MOVE
                    used += 1
    return used


@inner
def _price_other(ground, nodes, loops, states, u, cost_u, p, behind, bound, reuse, scratch, links, used):
    """Put down the old pieces and the ways to wind that begin at a state; returns how many links there are."""
    n_states = states.kind.shape[0]
    if reuse[0].shape[0] > 0 and u % n_states == states.terminal:
        pointer, targets, prices = reuse
        for e in range(pointer[u // n_states], pointer[u // n_states + 1]):
            links.source[used], links.of[used].target = u, targets[e] * n_states + states.terminal
            links.of[used].price, links.of[used].code = prices[e], OLD
            links.of[used].down, links.of[used].right, links.of[used].move = 0, 0, NO_MOVE  # nobody asks for steps
            used += 1
    for m in range(loops.moves.shape[0]):
        used = _wind_from(ground, nodes, loops, states, u, cost_u, p, behind, bound, m, scratch, links, used)
    return used


@pasted
def _open_link(links, k):
    """Any label may reach a link whose curves leave it long enough."""
    links.pending[k].link, links.pending[k].open_m, links.pending[k].move = k, links.of[k].spare_m, links.of[k].move


@inner
def _open_links(links, first, last):
    """Nothing has reached the links of a state yet."""
    for k in range(first, last):
        links.of[k].label = -1
        _open_link(links, k)


@inner
def price_all_from(
    ground, nodes, loops, states, u, cost_u, end, p, direct_m, behind, behind_node, bound, reuse, scratch, ahead, noted,
    links, used,
):  # fmt: skip
    """Put down all links from a state, old pieces too; returns how many links and places of the shortlist are used.

    Of direct links it is the one to the end; ``price_from_begin`` puts down those from the begin terminal.
    """
    n_states, cols = states.kind.shape[0], ground.grid.shape[1]
    here, spare = u // n_states, bound - cost_u
    links.at[u].first = used
    used = _price_direct(
        ground, nodes, states, u, cost_u, p, direct_m, behind, behind_node, bound, end // n_states, True, scratch,
        links, used,
    )  # fmt: skip
    # A list that was made for a state with less to spare may lack what is of use to this one.
    if ahead.first[here] < 0 or spare > ahead.made_at[here]:
        noted = _look_ahead(ground, nodes, states, here, spare, p, behind_node, ahead, noted)
    for k in range(ahead.first[here], ahead.last[here]):
        m, node = np.int64(ahead.move[k]), nodes.node_of[here]
        flat = np.int64(node + nodes.moves[m, 0] * cols + nodes.moves[m, 1])
        if np.float64(ahead.least[k]) <= spare - behind_node[nodes.index_of[flat]]:
            used = _price_to(ground, nodes, states, u, cost_u, p, behind, bound, m, flat, False, scratch, links, used)
    used = _price_other(ground, nodes, loops, states, u, cost_u, p, behind, bound, reuse, scratch, links, used)
    links.at[u].last = links.at[u].pending_to = used
    _open_links(links, links.at[u].first, used)
    return used, noted


@inner
def _price_first(
    ground, nodes, states, begin, p, direct_m, behind, behind_node, bound, index, room, scratch, links, used
):
    """Put down the direct links from the begin terminal to nodes from one on, while ``room`` is left.

    Returns the node that comes next, and how many links there are.
    """
    n_states = states.kind.shape[0]
    while index < nodes.node_of.shape[0] and used + room + n_states <= links.source.shape[0]:
        used = _price_direct(
            ground, nodes, states, begin, 0.0, p, direct_m, behind, behind_node, bound, index, False, scratch, links,
            used,
        )  # fmt: skip
        index += 1
    return index, used


@allocating
def price_from_begin(
    ground, nodes, loops, states, begin, p, direct_m, behind, behind_node, bound, reuse, scratch, room, links, used
):
    """Put down all links from the begin terminal, with twice the room as often as it takes; returns them and how many.

    ``room`` is what :func:`most_links` gives.
    """
    index, n_states = 0, states.kind.shape[0]
    links.at[begin].first = used
    while index < nodes.node_of.shape[0]:
        while used + room + n_states > links.source.shape[0]:
            links = more_links(links)
        index, used = _price_first(
            ground, nodes, states, begin, p, direct_m, behind, behind_node, bound, index, room, scratch, links, used
        )
    used = _price_other(ground, nodes, loops, states, begin, 0.0, p, behind, bound, reuse, scratch, links, used)
    links.at[begin].last = used
    return links, used


@allocating
def cheapest_by_node(behind, nodes, n_states):
    """The least of what the states of each node cost."""
    least = np.full(nodes.node_of.shape[0], np.inf)
    for q in range(behind.shape[0]):
        least[q // n_states] = min(least[q // n_states], behind[q])
    return least


@allocating
def most_links(nodes, loops, n_states, pointer):
    """The most links that may begin at a state other than the begin terminal's."""
    old = 0
    for index in range(pointer.shape[0] - 1):
        old = max(old, pointer[index + 1] - pointer[index])
    # A move gives at most one link for each state of the node that it leads to, and so does the direct link to the end.
    return (1 + nodes.moves.shape[0] + 2 * loops.turns * loops.moves.shape[0]) * n_states + old


@pasted
def _step_of(z, node_of, offsets, loops, links, e, p):
    """East, south, length in plan and rise of a link, in metres, and what curves inside it take off.

    Of a link with full circles these are those of the straight at either end, up to the corner where its circles begin.
    """
    cols, n_states = z.shape[1], offsets.shape[0]
    source, target = np.int64(links.source[e]), np.int64(links.of[e].target)
    a, b = node_of[source // n_states], node_of[target // n_states]
    east, south = links.of[e].right * p[DX], links.of[e].down * p[DY]
    rise = z[b // cols, b % cols] + offsets[target % n_states] - z[a // cols, a % cols] - offsets[source % n_states]
    metres, inner = np.sqrt(east * east + south * south), 0.0
    if links.of[e].code > 0:
        turns = 1 + (links.of[e].code - 1) % loops.turns
        share = 0.5 * (metres + loops.side_m) / metres
        rise *= 0.5 * (metres + loops.arc_m) / (metres + turns * CORNERS * loops.arc_m)
        east, south, metres, inner = share * east, share * south, share * metres, 0.5 * (loops.side_m - loops.arc_m)
    return east, south, metres, rise, inner


@pasted
def _cannot_bend(links, e, f, start_loss, open_m, radius, p):
    """Whether the bend between two straight links leaves its tangents no room, or a curve there makes one too steep.

    For links that are no moves, whose bends stand in no row. Of full circles and old formations nothing is said here.
    """
    fails = False
    if links.of[e].code == 0 and links.of[f].code == 0:
        east_e, south_e = links.of[e].right * p[DX], links.of[e].down * p[DY]
        east_f, south_f = links.of[f].right * p[DX], links.of[f].down * p[DY]
        e2, f2 = east_e * east_e + south_e * south_e, east_f * east_f + south_f * south_f
        # The same numbers as in the full test, with a margin for rounding.
        whole = np.sqrt(e2 * f2) + east_e * east_f + south_e * south_f
        cross = abs(east_e * south_f - south_e * east_f)
        across = radius * cross
        # What a curve takes off is at least R (t - arctan t), t = tan(theta / 2), of which these are the first terms.
        tan_half = cross / whole
        square = tan_half * tan_half
        loss = radius * tan_half * square * (1.0 / 3.0 - 0.2 * square) - 0.01
        fails = 4.0 * across * across > (1.0 + 1e-9) * whole * whole * min(e2, f2)
        fails = fails or loss > open_m or loss > links.of[e].spare_m - start_loss
    return fails


class Bends(NamedTuple):
    """What the curve between two moves takes off each of them at least, (moves, moves), infinite where none fits.

    Most bends fail by this alone, and a row is read from end to end. ``is_made`` tells which rows are: those of moves
    by which a line came somewhere.
    """

    loss_m: NDArray[np.float32]
    is_made: NDArray[np.bool_]


LOSS_MARGIN_M = 0.01  # off what curves take at least: spare lengths are kept in 32 bits


@allocating
def _no_bends(n_moves):
    """No rows yet, and room for all: memory is taken for those alone that are written."""
    return Bends(np.empty((n_moves, n_moves), np.float32), np.zeros(n_moves, np.bool_))


@inner
def _make_row(bends, m, moves, radius, p):
    """Write out what the curves between a move and each other one take off at least."""
    east_e, south_e = moves[m, 1] * p[DX], moves[m, 0] * p[DY]
    metres_e = np.sqrt(east_e * east_e + south_e * south_e)
    bends.is_made[m] = True
    for k in range(moves.shape[0]):
        east_f, south_f = moves[k, 1] * p[DX], moves[k, 0] * p[DY]
        metres_f = np.sqrt(east_f * east_f + south_f * south_f)
        cross = abs(east_e * south_f - south_e * east_f)
        whole = metres_e * metres_f + east_e * east_f + south_e * south_f
        loss = np.inf
        # The same numbers as in the full test, with a margin for rounding.
        if radius * cross <= (1.0 + 1e-9) * 0.5 * min(metres_e, metres_f) * whole and whole > 0.0:
            loss = (curve_loss(cross / whole, radius) if cross > 1e-9 * whole else 0.0) - LOSS_MARGIN_M
        bends.loss_m[m, k] = loss


@inner
def _bend_loss(ground, nodes, loops, states, p, radius, links, e, f, start_loss, clear_m, forbidden, scratch):
    """What the curve between two links takes off each of them, in metres; -1 if it doesn't fit or is too steep.

    ``start_loss`` is what the curve at the start of the first one takes off that.
    """
    # An old formation has its own curves, and joins are not designed here.
    if links.of[e].code == OLD or links.of[f].code == OLD:
        return 0.0
    z, offsets = ground.grid, states.offset_m
    east_e, south_e, metres_e, rise_e, inner_e = _step_of(z, nodes.node_of, offsets, loops, links, e, p)
    east_f, south_f, metres_f, rise_f, inner_f = _step_of(z, nodes.node_of, offsets, loops, links, f, p)
    # tan(theta / 2) = sin / (1 + cos) needs no angle. The denominator vanishes where the line turns right back.
    cross = abs(east_e * south_f - south_e * east_f)
    whole = metres_e * metres_f + east_e * east_f + south_e * south_f
    if whole <= 1e-9 * metres_e * metres_f:
        return -1.0
    tan_half = cross / whole
    # Each link lends at most half of itself to the curve at either end, so that neighbouring curves never overlap.
    if radius * tan_half > 0.5 * min(metres_e, metres_f):
        return -1.0
    loss = curve_loss(tan_half, radius) if tan_half > 1e-9 else 0.0
    # A curve cuts the corner and the rise stays, so that the grade is tested over what is left. What the next bend
    # takes off the second link isn't known yet; that bend tests it.
    left = metres_e - (inner_e if links.of[e].code > 0 else start_loss) - loss
    following = metres_f - inner_f - loss
    if rise_e > states.up * left or -rise_e > states.down * left:
        return -1.0
    if rise_f > states.up * following or -rise_f > states.down * following:
        return -1.0
    in_east, in_south = east_e / metres_e, south_e / metres_e
    out_east, out_south = east_f / metres_f, south_f / metres_f
    v = np.int64(links.of[e].target)
    if _is_forbidden(forbidden, v, in_east, in_south, out_east, out_south):
        return -1.0
    node, cols = nodes.node_of[v // offsets.shape[0]], z.shape[1]
    # The curve keeps within a tangent's length of its vertex: beyond that and a cell it can meet nothing forbidden.
    if clear_m.shape[0] > 0 and loss > 0.0 and clear_m[node] <= radius * tan_half + max(p[DX], p[DY]):
        r, c = node // cols, node % cols
        if not _curve_fits(
            ground, float(r), float(c), z[r, c] + offsets[v % offsets.shape[0]], in_east, in_south, out_east, out_south,
            radius, tan_half, rise_e / left, rise_f / following, p, scratch,
        ):  # fmt: skip
            return -1.0
    return loss


@pasted
def _binding_loss(ground, nodes, loops, states, p, radius, links, f, loss):
    """What of the loss at its start a bend at the end of a link has to know: 0 where no bend there is too much."""
    binding = 0.0
    # Of a link with full circles the straights before and after them are tested apart.
    if loss > 0.0 and links.of[f].code == 0:
        _, _, metres, rise, _ = _step_of(ground.grid, nodes.node_of, states.offset_m, loops, links, f, p)
        # Tangents take half of the link at most. The margin is for arcs that are drawn in whole chords.
        left = metres - loss - 1.001 * curve_loss(0.5 * metres / radius, radius) - 0.01
        if rise > states.up * left or -rise > states.down * left:
            binding = loss
    return binding


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
                _open_link(links, k)
        links.at[v].come_at = cost
        came_by, left_m = np.int64(links.of[e].move), links.of[e].spare_m - start_loss
        if came_by != NO_MOVE and not bends.is_made[came_by]:
            _make_row(bends, came_by, nodes.moves, radius, p)
        kept = np.int64(links.at[v].first)
        for k in range(kept, np.int64(links.at[v].pending_to)):
            f, open_m, move = np.int64(links.pending[k].link), links.pending[k].open_m, links.pending[k].move
            # The cheapest test, which most links fail. They may still be reached by another bend.
            if min(came_by, move) > NO_MOVE:
                least = bends.loss_m[came_by, move]
                can_bend = least <= left_m and (least <= open_m or not in_order)
            else:
                can_bend = not _cannot_bend(links, e, f, start_loss, open_m, radius, p)
            if can_bend:
                value, rest = cost + links.of[f].price, behind[links.of[f].target]
                # What is too dear for this label is so for all later ones that cost as much.
                if not value + rest <= bound:
                    continue
                # The bend is the dearest test and so the last one.
                loss = _bend_loss(
                    ground, nodes, loops, states, p, radius, links, e, f, start_loss, clear_m, forbidden, scratch
                )
                if loss >= 0.0:
                    loss = _binding_loss(ground, nodes, loops, states, p, radius, links, f, loss)
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
    _open_links(links, 0, used)
    for v in range(links.at.shape[0]):
        links.at[v].pending_to, links.at[v].come_at = links.at[v].last, np.inf
    room, bends = most_links(nodes, loops, n_states, reuse[0]), _no_bends(nodes.moves.shape[0])
    if links.at[begin].first < 0:
        links, used = price_from_begin(
            ground, nodes, loops, states, begin, p, direct_m, behind, behind_node, min(bound, behind[begin] + slack),
            reuse, scratch, room, links, used,
        )  # fmt: skip
        _open_links(links, 0, used)
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
