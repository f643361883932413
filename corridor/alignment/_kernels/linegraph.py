"""The compiled loops of the turn-limited search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import DONE, OUT, SHORT_CELLS, new_heap, pop, push
from corridor.alignment.chords import CHEAPEST, DX, DY, enter, least_price, new_scratch, walk_chord, walk_move
from corridor.alignment.spirals import ARC_STEP, CORNERS, price_loop
from corridor.compiled import allocating, kernel, pasted

OLD = -1  # in place of the code of a link: a piece of an old formation
NO_ROOM = -2  # instead of a link: the search needs more links than it may hold
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


@kernel
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


@kernel
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


class Links(NamedTuple):
    """Links that were priced so far, those from one state one after the other.

    ``first`` and ``last`` mark each state's links (-1: not priced yet). Of a link: states at its ends, price, what it
    is (0 straight, ``OLD``, or the code of its full circles); for the search cost up to its end, the link before, and
    what the curve at its start takes off it.
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    price: NDArray[np.float64]
    code: NDArray[np.int16]
    cost: NDArray[np.float64]
    before: NDArray[np.int32]
    start_loss: NDArray[np.float64]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    position: NDArray[np.int32]


@allocating
def new_links(n_states, room):
    """No links yet, and room for some."""
    keys, items, position = new_heap(room)
    return Links(
        np.full(n_states, -1, np.int32), np.full(n_states, -1, np.int32), np.empty(room, np.int32),
        np.empty(room, np.int32), np.empty(room), np.zeros(room, np.int16), np.full(room, np.inf),
        np.full(room, -1, np.int32), np.zeros(room), keys, items, position,
    )  # fmt: skip


@allocating
def _more_links(links):
    """The same with twice the room."""
    n = links.source.shape[0]
    more = new_links(0, 2 * n)
    for k in range(n):
        more.source[k], more.target[k], more.price[k], more.code[k] = (
            links.source[k], links.target[k], links.price[k], links.code[k],
        )  # fmt: skip
        more.cost[k], more.before[k], more.start_loss[k] = links.cost[k], links.before[k], links.start_loss[k]
        more.keys[k], more.items[k], more.position[k] = links.keys[k], links.items[k], links.position[k]
    return Links(
        links.first, links.last, more.source, more.target, more.price, more.code, more.cost, more.before,
        more.start_loss, more.keys, more.items, more.position,
    )  # fmt: skip


@kernel
def _price_from(ground, nodes, states, u, cost_u, begin, end, p, direct_m, behind, bound, m, scratch, links, used):
    """Put down one move from a state, if some line with it costs at most ``bound``; returns how many links there are.

    Moves from the begin terminal lead to every node; beyond the moves there is one that leads straight to the end.
    """
    z, (rows, cols) = ground[0], ground[0].shape
    n_states, n_levels, n_moves = states.kind.shape[0], states.first.shape[0] - 1, nodes.moves.shape[0]
    node = nodes.node_of[u // n_states]
    r, c, height = node // cols, node % cols, z[node // cols, node % cols] + states.offset_m[u % n_states]
    straight = u == begin or m == n_moves
    if straight:
        there = nodes.node_of[m] if u == begin else nodes.node_of[end // n_states]
        t_r, t_c = there // cols, there % cols
    else:
        t_r, t_c = r + nodes.moves[m, 0], c + nodes.moves[m, 1]
    if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
        return used
    t_index = np.int64(nodes.index_of[t_r * cols + t_c])
    metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
    if t_index < 0 or metres == 0.0 or (metres > direct_m and straight):
        return used
    # One bound for all levels of the node there comes first: most links fail it.
    rest = np.inf
    for q in range(t_index * n_states, (t_index + 1) * n_states):
        rest = min(rest, behind[q])
    spare = bound - rest - cost_u
    # Turned round, so that a difference of infinities (NaN) fails too.
    if not p[CHEAPEST] * metres <= spare:
        return used
    if metres > SHORT_CELLS * p[DX]:
        over, under, rise = states.offset_m[-1], -states.offset_m[0], z[t_r, t_c] - height
        if rise - under > states.up * metres or -rise - over > states.down * metres:
            return used
        if least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, over, under, spare, p) > spare:
            return used
    for level in range(n_levels):
        # The direct link to the end arrives at the terminal, which lies on the ground.
        if m == n_moves and u != begin and states.offset_m[states.first[level]] != 0.0:
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
        if straight:
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
            if by_kind[states.kind[q]] + behind[target] <= bound:
                links.source[used], links.target[used] = u, target
                links.price[used], links.code[used] = by_kind[states.kind[q]] - cost_u, 0
                used += 1
    return used


@kernel
def _wind_from(ground, nodes, loops, states, u, cost_u, p, behind, bound, m, scratch, links, used):
    """Put down the ways to wind up or down one chord from a state, as ``_price_from`` does with straight links."""
    z, (rows, cols) = ground[0], ground[0].shape
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
                    links.source[used], links.target[used] = u, target
                    links.price[used] = by_kind[states.kind[q]] - cost_u
                    links.code[used] = code
                    used += 1
    return used


@allocating
def _price_all_from(
    ground, nodes, loops, states, u, cost_u, begin, end, p, direct_m, behind, bound, reuse, scratch, links, used
):  # fmt: skip
    """Put down all links from a state, old pieces too; returns the links and how many there are."""
    n_states = states.kind.shape[0]
    links.first[u] = used
    for m in range(nodes.node_of.shape[0] if u == begin else nodes.moves.shape[0] + 1):
        # A move gives at most one link for each state of the node that it leads to.
        if used + n_states > links.source.shape[0]:
            links = _more_links(links)
        used = _price_from(
            ground, nodes, states, u, cost_u, begin, end, p, direct_m, behind, bound, m, scratch, links, used
        )
    if reuse[0].shape[0] > 0 and u % n_states == states.terminal:
        pointer, targets, prices = reuse
        for e in range(pointer[u // n_states], pointer[u // n_states + 1]):
            if used == links.source.shape[0]:
                links = _more_links(links)
            links.source[used], links.target[used] = u, targets[e] * n_states + states.terminal
            links.price[used], links.code[used] = prices[e], OLD
            used += 1
    for m in range(loops.moves.shape[0]):
        while used + 2 * loops.turns * n_states > links.source.shape[0]:
            links = _more_links(links)
        used = _wind_from(ground, nodes, loops, states, u, cost_u, p, behind, bound, m, scratch, links, used)
    links.last[u] = used
    return links, used


@pasted
def _step_of(z, node_of, offsets, loops, links, e, p):
    """East, south, length in plan and rise of a link, in metres, and what curves inside it take off.

    Of a link with full circles these are those of the straight at either end, up to the corner where its circles begin.
    """
    cols, n_states = z.shape[1], offsets.shape[0]
    source, target = np.int64(links.source[e]), np.int64(links.target[e])
    a, b = node_of[source // n_states], node_of[target // n_states]
    east, south = (b % cols - a % cols) * p[DX], (b // cols - a // cols) * p[DY]
    rise = z[b // cols, b % cols] + offsets[target % n_states] - z[a // cols, a % cols] - offsets[source % n_states]
    metres, inner = np.sqrt(east * east + south * south), 0.0
    if links.code[e] > 0:
        turns = 1 + (links.code[e] - 1) % loops.turns
        share = 0.5 * (metres + loops.side_m) / metres
        rise *= 0.5 * (metres + loops.arc_m) / (metres + turns * CORNERS * loops.arc_m)
        east, south, metres, inner = share * east, share * south, share * metres, 0.5 * (loops.side_m - loops.arc_m)
    return east, south, metres, rise, inner


@kernel
def _bend_loss(ground, nodes, loops, states, p, radius, links, e, f, clear_m, forbidden, scratch):
    """What the curve between two links takes off each of them, in metres; -1 if it doesn't fit or is too steep."""
    if (
        links.code[e] == OLD or links.code[f] == OLD
    ):  # an old formation has its own curves, and joins are not designed here
        return 0.0
    z, offsets = ground[0], states.offset_m
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
    left = metres_e - (inner_e if links.code[e] > 0 else links.start_loss[e]) - loss
    following = metres_f - inner_f - loss
    if rise_e > states.up * left or -rise_e > states.down * left:
        return -1.0
    if rise_f > states.up * following or -rise_f > states.down * following:
        return -1.0
    in_east, in_south = east_e / metres_e, south_e / metres_e
    out_east, out_south = east_f / metres_f, south_f / metres_f
    v = np.int64(links.target[e])
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


@allocating
def search_turns(
    ground, nodes, loops, states, p, radius, begin, end, direct_m, behind, bound, slack, weight, capacity, reuse,
    clear_m, forbidden, links, used,
):  # fmt: skip
    """Shortest path from link to link: A* with ``weight`` times the exact cost without turns as bound.

    Links are priced when a line first reaches the state that they start from, and are kept for the next search. A
    weight above 1 makes the search go straight for the end (I. Pohl 1970, doi:10.1016/0004-3702(70)90007-X).

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
        weight: of the bound, 1 or more.
        capacity: of links that may be held; the search stops there.
        reuse: pieces of old formations as adjacency (pointer, target, price).
        clear_m: each node's distance to the nearest one where some kind is forbidden (empty: none is): the curves of
            bends that come near are tested.
        forbidden: (n, 5) bends that may not be used: state, then the unit vectors (east, south) in and out.
        links: links that are priced already.
        used: how many.

    Returns:
        The last link of the best line (-1: none, ``NO_ROOM``: more would be needed), what any line costs at least if
        there are no slack and no weight, the links and how many there are.
    """
    scratch, size = new_scratch(), 0
    # Prices are kept between searches and labels aren't: other bends may be forbidden.
    links.cost[:used] = np.inf
    links.position[:used] = OUT
    if links.first[begin] < 0:
        links, used = _price_all_from(
            ground, nodes, loops, states, begin, 0.0, begin, end, p, direct_m, behind,
            min(bound, behind[begin] + slack), reuse, scratch, links, used,
        )  # fmt: skip
    for e in range(np.int64(links.first[begin]), np.int64(links.last[begin])):
        links.cost[e], links.before[e], links.start_loss[e] = links.price[e], -1, 0.0
        key = links.price[e] + weight * behind[links.target[e]]
        size = push(links.keys, links.items, links.position, size, e, key)
    while size > 0:
        key = links.keys[0]
        popped, size = pop(links.keys, links.items, links.position, size)
        e = np.int64(popped)
        v = np.int64(links.target[e])
        if v == end:
            return e, links.cost[e], links, used
        if links.first[v] < 0:
            if used > capacity:
                return NO_ROOM, key, links, used
            # In order of cost plus a true bound, the first link into a state is the cheapest way there with turns.
            links, used = _price_all_from(
                ground, nodes, loops, states, v, links.cost[e], begin, end, p, direct_m, behind,
                min(bound, links.cost[e] + behind[v] + slack), reuse, scratch, links, used,
            )  # fmt: skip
        for f in range(np.int64(links.first[v]), np.int64(links.last[v])):
            value = links.cost[e] + links.price[f]
            ahead_of_it = behind[links.target[f]]
            if links.position[f] == DONE or value >= links.cost[f] or not value + ahead_of_it <= bound:
                continue
            # The bend is the dearest test and so the last one. A link that fails it may still be reached by another
            # bend.
            loss = _bend_loss(ground, nodes, loops, states, p, radius, links, e, f, clear_m, forbidden, scratch)
            if loss >= 0.0:
                links.cost[f], links.before[f], links.start_loss[f] = value, e, loss
                size = push(links.keys, links.items, links.position, size, f, value + weight * ahead_of_it)
    return -1, bound, links, used
