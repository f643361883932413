"""Links from state to state as searches with bends keep them, priced where a line first gets to."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import SHORT_CELLS
from corridor.alignment.chords import CHEAPEST, DX, DY, change_price, enter, least_price, walk_chord, walk_move
from corridor.alignment.links import DENSE_CELLS
from corridor.alignment.spirals import price_loop
from corridor.compiled import allocating, inner, pasted

OLD = -1  # in place of the code of a link: a piece of an old formation
NO_MOVE = -1  # in place of the number of a move: a direct link, full circles, a piece of an old formation

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


class Links(NamedTuple):
    """Links that were priced so far, those from one state one after the other.

    ``of`` has what is known of each link (``LINK``) and ``source`` the state that it starts from; ``at`` tells which
    ones start at each state (``SOURCE``), and ``pending`` which of them later labels there may reach (``PENDING``).
    """

    at: NDArray[np.void]
    source: NDArray[np.int32]
    of: NDArray[np.void]
    pending: NDArray[np.void]


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
    is_long = m >= 0 and metres > DENSE_CELLS * p[DX]
    if is_long and not states.is_far[u % n_states]:
        return used
    for level in range(n_levels):
        if is_long and not states.is_far[states.first[level]]:
            continue
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
def open_link(links, k):
    """Any label may reach a link whose curves leave it long enough."""
    links.pending[k].link, links.pending[k].open_m, links.pending[k].move = k, links.of[k].spare_m, links.of[k].move


@inner
def open_links(links, first, last):
    """Nothing has reached the links of a state yet."""
    for k in range(first, last):
        links.of[k].label = -1
        open_link(links, k)


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
    open_links(links, links.at[u].first, used)
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
