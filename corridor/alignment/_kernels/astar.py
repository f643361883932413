"""The compiled loop of the search, and the heap of its states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from corridor.alignment.links import DENSE_CELLS, Laid
from corridor.alignment.spirals import CORNERS, price_loop
from corridor.compiled import allocating, inner, pasted

# --- A four-way heap of states with decrease-key, in flat arrays (compiled) ---

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"


OUT, DONE = -1, -2  # in the position array: not in the heap yet; taken out for good


@inner
def _up(keys, items, position, i):
    # Those above sink one place each, and the item is written once, where it comes to rest. ``position`` follows every
    # move, so that an item's key can be lowered without a search for it.
    key, item = keys[i], items[i]
    while i > 0:
        above = (i - 1) >> 2
        if keys[above] <= key:
            break
        keys[i], items[i] = keys[above], items[above]
        position[items[i]] = i
        i = above
    keys[i], items[i] = key, item
    position[item] = i


@inner
def push(keys, items, position, size, item, key):
    """Insert an item or lower its key; returns the new size."""
    at = np.int64(position[item])
    if at >= 0:
        # Keys only ever fall while an item waits, so that it moves up and never down.
        if key < keys[at]:
            keys[at] = key
            _up(keys, items, position, at)
        return size
    keys[size], items[size] = key, item
    _up(keys, items, position, size)
    return size + 1


@inner
def pop(keys, items, position, size):
    """Take out the item with the lowest key; returns (item, new size) and marks the item as done."""
    top = items[0]
    position[top] = DONE
    size -= 1
    if size > 0:
        key, item = keys[size], items[size]
        i = 0
        while True:
            child = 4 * i + 1
            if child >= size:
                break
            # Four children to a node: half the depth of a binary heap, and keys that lie side by side in memory.
            best, best_key = child, keys[child]
            for other in range(child + 1, min(child + 4, size)):
                if keys[other] < best_key:
                    best, best_key = other, keys[other]
            if best_key >= key:
                break
            keys[i], items[i] = best_key, items[best]
            position[items[i]] = i
            i = best
        keys[i], items[i] = key, item
        position[item] = i
    return top, size


@allocating
def new_heap(capacity):
    """Empty arrays for up to ``capacity`` items: keys, items, positions."""
    return np.empty(capacity, np.float64), np.empty(capacity, np.int32), np.full(capacity, OUT, np.int32)


# --- The search: labels of states, links priced where they may lead to something cheaper, moves tried ---

SHORT_CELLS = 2.5  # moves up to this long are priced at once; a bound on their price would hardly save anything


class Nodes(NamedTuple):
    """Which nodes there are and how links lead from one to another (see ``Problem``); lengths of moves in metres and
    where they cross the ground's triangles.
    """

    index_of: NDArray[np.int32]
    node_of: NDArray[np.int32]
    moves: NDArray[np.int32]
    move_m: NDArray[np.float64]
    laid: Laid


class States(NamedTuple):
    """The states at a node (see ``Levels``), and the steepest that a line may climb and fall, as tangents."""

    offset_m: NDArray[np.float64]
    kind: NDArray[np.int32]
    first: NDArray[np.int32]
    terminal: int
    is_far: NDArray[np.bool_]
    up: float
    down: float


class Ends(NamedTuple):
    """Row and column of the nodes that a search starts from and leads to, and how far direct links from and to them
    go, in metres.
    """

    begin_row: int
    begin_col: int
    row: int
    col: int
    direct_m: float


class Held(NamedTuple):
    """Targets of direct links from the begin terminal by rising lower bound of a line that uses the link."""

    order: NDArray[np.int32]
    lowest: NDArray[np.float32]


class Effort(NamedTuple):
    """What a search may leave out; see ``search``.

    ``guide`` holds a better bound per state, if there is one. It orders states if it is ``consistent``: if it falls
    along a link by no more than the link costs, as the costs of a search the other way round do. Else it serves to drop
    links alone. ``known`` is a cost that is known to be possible.
    """

    near_factor: float
    abort: bool
    informed: bool
    guide: NDArray[np.float64]
    consistent: bool
    known: float


class Primes(NamedTuple):
    """What a smaller search found, with which a search begins; empty if there was none.

    ``cost`` and ``parent`` per state are of lines that are known to be possible. Where ``tried``, the smaller search
    went on from the state by the first ``n_moves`` moves, by full circles and by old formations, and found nothing
    cheaper there than the labels say: while a state costs no less than it did, that need not be done again.
    """

    cost: NDArray[np.float64]
    parent: NDArray[np.int32]
    tried: NDArray[np.bool_]
    n_moves: int


class Shortlist(NamedTuple):
    """Moves from a node that may lead to something, made when the first of its states is expanded.

    ``first`` and ``last`` mark each node's part of ``move`` and of ``least``, a lower bound on the price of the move
    whatever the heights at its ends (-1: not made yet). ``made_at`` tells the state that it was made for: its cost, or
    where bends are limited what it had left to spare.
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    made_at: NDArray[np.float64]
    move: NDArray[np.int16]
    least: NDArray[np.float32]


class Labels(NamedTuple):
    """What is known of each state: cost, parent, place in the heap of keys and items.

    ``worst`` is the dearest label of each node's states that aren't settled: a link has to come in below it.
    """

    cost: NDArray[np.float64]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    position: NDArray[np.int32]
    worst: NDArray[np.float64]


@inner
def _bound(z, r, c, height, states, ends, p):
    """Least that the rest can cost: cheapest price times the shortest length that distance and climb allow."""
    east, south = (c - ends.col) * p[DX], (r - ends.row) * p[DY]
    metres = np.sqrt(east * east + south * south)
    rise = z[ends.row, ends.col] - height
    # Where the straight way is too steep, the line must be at least as long as the climb needs at the ruling grade.
    needed = rise / states.up if rise > 0.0 else -rise / states.down
    return p[CHEAPEST] * (metres if metres > needed else needed)


@allocating
def bound_direct_links(ground, nodes, states, ends, p):
    """Least price of the link that goes straight from the begin terminal to each node; infinite if it can't."""
    z = ground.grid
    cols = z.shape[1]
    r, c = ends.begin_row, ends.begin_col
    height = z[r, c] + states.offset_m[states.terminal]
    # The link may end at any level of the node, so that the bound has to hold for the highest and the lowest.
    over, under = states.offset_m.max(), -states.offset_m.min()
    lowest = np.full(nodes.node_of.shape[0], np.inf)
    for index in range(nodes.node_of.shape[0]):
        t_r, t_c = nodes.node_of[index] // cols, nodes.node_of[index] % cols
        metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
        rise = z[t_r, t_c] - height
        if metres == 0.0 or metres > ends.direct_m or rise - under > states.up * metres:
            continue
        if -rise - over <= states.down * metres:
            lowest[index] = least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, over, under, np.inf, p)
    return lowest


@pasted
def _worst_label(labels, first, last):
    """The dearest label of those states that aren't settled; a link has to come in below it."""
    worst = -np.inf
    for target in range(first, last):
        if labels.position[target] != DONE and labels.cost[target] > worst:
            worst = labels.cost[target]
    return worst


@inner
def _label(labels, size, target, value, parent, rest, informed, n_states):
    """Note a better cost of a state; it waits in the heap if a way leads on from it. Returns the heap's size."""
    labels.cost[target] = value
    labels.parent[target] = parent
    index = target // n_states
    labels.worst[index] = _worst_label(labels, index * n_states, (index + 1) * n_states)
    if rest < np.inf:
        key = value + rest if informed else value
        size = push(labels.keys, labels.items, labels.position, size, target, key)
    return size


@inner
def _barrier(labels, goal, effort):
    """Cost above which nothing is of interest any more."""
    # A line that equals the limit but for rounding must not be dropped.
    return effort.near_factor * min(labels.cost[goal], effort.known) * (1.0 + 1e-9)


@pasted
def _least_rest(z, t_r, t_c, t_height, first, last, states, ends, effort, p):
    """Least that the rest costs from states ``first`` to ``last`` of a node, by the plain bound and by the best known.

    The best is a consistent guide where there is one, else the better of two bounds.
    """
    plain, rest = np.inf, np.inf
    if effort.guide.shape[0] > 0:
        for target in range(first, last):
            rest = min(rest, effort.guide[target])
    if not effort.consistent:
        plain = _bound(z, t_r, t_c, t_height, states, ends, p)
        rest = max(plain, rest) if effort.guide.shape[0] > 0 else plain
    return plain, rest


@inner
def _keep(by_kind, u, first, last, plain, states, labels, effort, size):
    """Note the costs by kind at the end of a link where they improve on what is known; returns the heap's size."""
    n_states = states.kind.shape[0]
    for target in range(first, last):
        value = by_kind[states.kind[target % n_states]]
        if value < labels.cost[target] and labels.position[target] != DONE:
            # A guide that isn't consistent drops links but must not order states.
            ahead = effort.guide[target] if effort.consistent else plain
            size = _label(labels, size, target, value, u, ahead, effort.informed, n_states)
    return size


@inner
def _price_link(
    ground, u, r, c, height, move, laid, t_r, t_c, rise, metres, first, last, worst, states, ends, labels, effort,
    barrier, p, scratch, size,
):  # fmt: skip
    """Price the link from a state to states ``first`` to ``last`` of a node, which have the same height, and keep what
    improves; returns the heap's size.
    """
    cost_u, t_height = labels.cost[u], height + rise
    plain, rest = _least_rest(ground.grid, t_r, t_c, t_height, first, last, states, ends, effort, p)
    # A link is of use only below the dearest label that it could improve, and below the barrier less the rest. The
    # cheap tests of that come before the walk along the chord.
    limit = np.inf
    if effort.abort:
        limit = min(worst, barrier - rest)
        if cost_u + p[CHEAPEST] * metres > limit:
            return size
        if metres > SHORT_CELLS * p[DX]:
            spare = limit - cost_u
            if least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, 0.0, 0.0, spare, p) > spare:
                return size
    by_kind = scratch.by_kind
    enter(by_kind, states.kind[u % states.kind.shape[0]], cost_u)
    if move < 0:
        done = walk_chord(
            ground, float(r), float(c), height, float(t_r), float(t_c), t_height, p, by_kind, limit, scratch,
            scratch.no_trace, 0, 0.0,
        )  # fmt: skip
    else:
        done = walk_move(ground, laid, move, r, c, height, t_r - r, t_c - c, rise, metres, p, by_kind, limit, scratch)
    if done < 0:
        return size
    return _keep(by_kind, u, first, last, plain, states, labels, effort, size)


@inner
def _wind(ground, u, loops, nodes, states, ends, goal, labels, effort, p, scratch, size):
    """Try all chords with full circles from a state; returns the heap's size."""
    z = ground.grid
    rows, cols = z.shape
    n_states = states.kind.shape[0]
    node = nodes.node_of[u // n_states]
    r, c, cost_u = node // cols, node % cols, labels.cost[u]
    height, barrier = z[r, c] + states.offset_m[u % n_states], _barrier(labels, goal, effort)
    kind = states.kind[u % n_states]
    for m in range(loops.moves.shape[0]):
        t_r, t_c = r + loops.moves[m, 0], c + loops.moves[m, 1]
        if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols or nodes.index_of[t_r * cols + t_c] < 0:
            continue
        index = np.int64(nodes.index_of[t_r * cols + t_c])
        if cost_u + p[CHEAPEST] * (loops.move_m[m] + CORNERS * loops.side_m) >= labels.worst[index]:
            continue
        for level in range(states.first.shape[0] - 1):
            rise = z[t_r, t_c] + states.offset_m[states.first[level]] - height
            first, last = index * n_states + states.first[level], index * n_states + states.first[level + 1]
            plain, rest = _least_rest(z, t_r, t_c, height + rise, first, last, states, ends, effort, p)
            for way in range(2 * loops.turns):
                limit = _worst_label(labels, first, last)
                if effort.abort:
                    limit = min(limit, barrier - rest)
                if price_loop(ground, loops, m, way, r, c, height, rise, kind, cost_u, p, limit, scratch) > 0:
                    size = _keep(scratch.by_kind, u, first, last, plain, states, labels, effort, size)
    return size


@inner
def _go_straight(ground, u, flat, level_from, level_to, nodes, states, ends, goal, labels, effort, p, scratch, size):
    """Try the direct link from a state to a node at some of its levels; returns the heap's size."""
    n_states, cols = states.kind.shape[0], ground.grid.shape[1]
    index, start = nodes.index_of[flat], nodes.node_of[u // n_states]
    r, c, t_r, t_c = start // cols, start % cols, flat // cols, flat % cols
    metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
    if metres == 0.0 or metres > ends.direct_m:
        return size
    height = ground.grid[r, c] + states.offset_m[u % n_states]
    for level in range(level_from, level_to):
        rise = ground.grid[t_r, t_c] + states.offset_m[states.first[level]] - height
        if rise > states.up * metres or -rise > states.down * metres:
            continue
        first, last = index * n_states + states.first[level], index * n_states + states.first[level + 1]
        worst = _worst_label(labels, first, last)
        if labels.cost[u] + p[CHEAPEST] * metres < worst:
            size = _price_link(
                ground, u, r, c, height, -1, nodes.laid, t_r, t_c, rise, metres, first, last, worst, states, ends,
                labels, effort, _barrier(labels, goal, effort), p, scratch, size,
            )  # fmt: skip
    return size


@inner
def _try_move(ground, u, m, least, nodes, states, ends, goal, labels, effort, p, scratch, size):
    """Try one move from a state to all levels of the node that it leads to; returns the heap's size."""
    z = ground.grid
    rows, cols = z.shape
    n_states, n_levels = states.kind.shape[0], states.first.shape[0] - 1
    node = nodes.node_of[u // n_states]
    r, c = node // cols, node % cols
    t_r, t_c = r + nodes.moves[m, 0], c + nodes.moves[m, 1]
    if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
        return size
    index = nodes.index_of[t_r * cols + t_c]
    if index < 0:
        return size
    cost_u, metres = labels.cost[u], nodes.move_m[m]
    # Even at its least price the move improves no label of the node.
    if cost_u + least >= labels.worst[index]:
        return size
    is_long = metres > DENSE_CELLS * p[DX]
    if is_long and not states.is_far[u % n_states]:
        return size
    height, ground_there = z[r, c] + states.offset_m[u % n_states], z[t_r, t_c]
    for level in range(n_levels):
        if is_long and not states.is_far[states.first[level]]:
            continue
        rise = ground_there + states.offset_m[states.first[level]] - height
        if rise > states.up * metres or -rise > states.down * metres:
            continue
        first, last = index * n_states + states.first[level], index * n_states + states.first[level + 1]
        worst = _worst_label(labels, first, last)
        if cost_u + least < worst:
            size = _price_link(
                ground, u, r, c, height, m, nodes.laid, t_r, t_c, rise, metres, first, last, worst, states, ends,
                labels, effort, _barrier(labels, goal, effort), p, scratch, size,
            )  # fmt: skip
    return size


@inner
def _shorten(ground, u, n_short, nodes, states, ends, labels, effort, barrier, p, shortlist, used):
    """Put down which long moves from a node may lead to something cheaper; returns how many places are used.

    Labels and the barrier only fall: what is no use now never is for a state that costs as much or more.
    """
    z = ground.grid
    rows, cols = z.shape
    n_states = states.kind.shape[0]
    here = u // n_states
    node = nodes.node_of[here]
    r, c = node // cols, node % cols
    # One list serves all states of the node, and offsets rise: the line may start and end anywhere between the two.
    over, under = states.offset_m[-1], -states.offset_m[0]
    shortlist.first[here], shortlist.made_at[here] = used, labels.cost[u]
    for m in range(n_short, nodes.moves.shape[0]):
        t_r, t_c = r + nodes.moves[m, 0], c + nodes.moves[m, 1]
        if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
            continue
        index = nodes.index_of[t_r * cols + t_c]
        if index < 0:
            continue
        metres = nodes.move_m[m]
        rest = 0.0
        if effort.consistent:
            rest = np.inf
            for target in range(index * n_states, (index + 1) * n_states):
                rest = min(rest, effort.guide[target])
        else:
            rest = p[CHEAPEST] * np.sqrt(((t_r - ends.row) * p[DY]) ** 2 + ((t_c - ends.col) * p[DX]) ** 2)
        spare = min(labels.worst[index], barrier - rest) - labels.cost[u]
        if p[CHEAPEST] * metres >= spare:
            continue
        rise = z[t_r, t_c] - z[r, c]
        # The mildest grade between any two levels of both ends counts.
        if rise - over - under > states.up * metres or -rise - over - under > states.down * metres:
            continue
        least = least_price(ground, r, c, z[r, c], t_r - r, t_c - c, rise, metres, over, under, spare, p)
        if least < spare:
            shortlist.move[used] = m
            # Rounded down, so that 32 bits never lift the bound above the true price.
            shortlist.least[used] = least * (1.0 - 1e-6)
            used += 1
    shortlist.last[here] = used
    return used


@allocating
def no_shortlist(n_nodes, n_moves):
    """A shortlist that holds nothing yet."""
    room = 2 * n_nodes + n_moves
    return Shortlist(
        np.full(n_nodes, -1, np.int32), np.full(n_nodes, -1, np.int32), np.empty(n_nodes), np.empty(room, np.int16),
        np.empty(room, np.float32),
    )  # fmt: skip


@allocating
def longer_shortlist(shortlist):
    """The same with twice the room."""
    return Shortlist(
        shortlist.first, shortlist.last, shortlist.made_at,
        np.concatenate((shortlist.move, np.empty_like(shortlist.move))),
        np.concatenate((shortlist.least, np.empty_like(shortlist.least))),
    )  # fmt: skip


@inner
def _terminal_level(states):
    """The level of the terminals' state: direct links to the end arrive at it alone."""
    level = 0
    while states.first[level + 1] <= states.terminal:
        level += 1
    return level


@inner
def _first_labels(z, begin, primes, nodes, states, ends, labels, effort, p):
    """Label the begin terminal and what is known before the search; returns the heap's size."""
    n_states, cols = states.kind.shape[0], z.shape[1]
    start_height = z[ends.begin_row, ends.begin_col]
    start_bound = _bound(z, ends.begin_row, ends.begin_col, start_height, states, ends, p)
    if effort.consistent:
        start_bound = effort.guide[begin]
    size = _label(labels, 0, begin, 0.0, -1, start_bound, effort.informed, n_states)
    # Lines that are known to be possible give the first labels. They wait in the heap like others, so that anything
    # cheaper still replaces them.
    for u in range(primes.cost.shape[0]):
        if primes.cost[u] < labels.cost[u]:
            r, c = nodes.node_of[u // n_states] // cols, nodes.node_of[u // n_states] % cols
            rest = _bound(z, r, c, z[r, c] + states.offset_m[u % n_states], states, ends, p)
            if effort.consistent:
                rest = effort.guide[u]
            before = np.int64(primes.parent[u])
            size = _label(labels, size, u, primes.cost[u], before, rest, effort.informed, n_states)
    return size


@inner
def _move_on(ground, u, n_short, n_tried, nodes, states, ends, goal, labels, effort, p, scratch, shortlist, size):
    """Try all moves from a state but the first that were tried already; returns the heap's size."""
    for m in range(n_tried, n_short):
        size = _try_move(
            ground, u, m, p[CHEAPEST] * nodes.move_m[m], nodes, states, ends, goal, labels, effort, p, scratch, size
        )
    here = u // states.kind.shape[0]
    for k in range(shortlist.first[here], shortlist.last[here]):
        m = np.int64(shortlist.move[k])
        if m >= n_tried:
            size = _try_move(
                ground, u, m, np.float64(shortlist.least[k]), nodes, states, ends, goal, labels, effort, p, scratch,
                size,
            )  # fmt: skip
    return size


@inner
def _follow_old(ground, u, nodes, states, ends, reuse, labels, effort, p, size):
    """Follow the pieces of an old formation that start at a node; returns the heap's size."""
    pointer, targets, prices = reuse
    n_states, cols = states.kind.shape[0], ground.grid.shape[1]
    index = u // n_states
    for e in range(pointer[index], pointer[index + 1]):
        target = targets[e] * n_states + states.terminal
        value = labels.cost[u] + prices[e]
        if value < labels.cost[target] and labels.position[target] != DONE:
            r, c = nodes.node_of[targets[e]] // cols, nodes.node_of[targets[e]] % cols
            rest = _bound(ground.grid, r, c, ground.grid[r, c], states, ends, p)
            if effort.consistent:
                rest = effort.guide[target]
            size = _label(labels, size, target, value, u, rest, effort.informed, n_states)
    return size


@inner
def _adds_nothing(u, states, labels, p):
    """Whether a state costs no less than to change kind on the spot from another one that was gone on from.

    Whatever leads on from it then leads on from the other one, by the same way and for no more.
    """
    kind, n_states = states.kind, states.kind.shape[0]
    here = u % n_states
    for other in range(max(here - 1, 0), min(here + 2, n_states)):
        v = u - here + other
        if other == here or labels.position[v] != DONE or states.offset_m[other] != states.offset_m[here]:
            continue
        if labels.cost[v] + change_price(kind[other], kind[here], p) <= labels.cost[u]:
            return True
    return False


@inner
def _settle(
    ground, nodes, loops, states, ends, begin, goal, n_short, held, reuse, effort, p, primes, told, scratch, labels,
    shortlist, size, waiting, used,
):  # fmt: skip
    """Settle states until the search is over or the shortlist is full.

    Nothing is allocated in here, so that no references are counted in the loop that all time is spent in.

    Returns:
        Whether the search is over, the heap's size, how many held links were tried, and places of the shortlist used.
    """
    n_states, n_levels, cols = states.kind.shape[0], states.first.shape[0] - 1, ground.grid.shape[1]
    end_node, ground_level = ends.row * cols + ends.col, _terminal_level(states)
    while True:
        if used + nodes.moves.shape[0] > shortlist.move.shape[0]:
            return False, size, waiting, used
        barrier = _barrier(labels, goal, effort)
        top = labels.keys[0] if size > 0 else np.inf
        # Held links come by rising bound: the first above the barrier ends them all.
        if waiting < held.order.shape[0] and held.lowest[waiting] > barrier:
            waiting = held.order.shape[0]
        # A held link goes before every state whose key is no lower than its bound. Without bounds all of them go first.
        if waiting < held.order.shape[0] and (held.lowest[waiting] <= top or not effort.informed):
            flat = np.int64(nodes.node_of[held.order[waiting]])
            waiting += 1
            size = _go_straight(
                ground, begin, flat, 0, n_levels, nodes, states, ends, goal, labels, effort, p, scratch, size
            )
            continue
        if size == 0 or top > barrier:
            return True, size, waiting, used
        popped, size = pop(labels.keys, labels.items, labels.position, size)
        u = np.int64(popped)
        first = u // n_states * n_states
        labels.worst[u // n_states] = _worst_label(labels, first, first + n_states)  # without the one that is done
        # The bound never exceeds what the rest costs, so that the goal is final once it is settled. A wider search goes
        # on up to the barrier.
        if u == goal and effort.near_factor == 1.0:
            return True, size, waiting, used
        told[0] += 1
        if not _adds_nothing(u, states, labels, p):
            size = _go_straight(
                ground, u, end_node, ground_level, ground_level + 1, nodes, states, ends, goal, labels, effort, p,
                scratch, size,
            )  # fmt: skip
            here = u // n_states
            # A list that was made for a dearer state may lack what is of use to a cheaper one.
            if shortlist.first[here] < 0 or labels.cost[u] < shortlist.made_at[here]:
                used = _shorten(ground, u, n_short, nodes, states, ends, labels, effort, barrier, p, shortlist, used)
            is_tried = primes.tried.shape[0] > 0 and primes.tried[u] and labels.cost[u] == primes.cost[u]
            size = _move_on(
                ground, u, n_short, primes.n_moves if is_tried else 0, nodes, states, ends, goal, labels, effort, p,
                scratch, shortlist, size,
            )  # fmt: skip
            if is_tried:
                continue
            size = _wind(ground, u, loops, nodes, states, ends, goal, labels, effort, p, scratch, size)
        if reuse[0].shape[0] > 0 and u % n_states == states.terminal:
            size = _follow_old(ground, u, nodes, states, ends, reuse, labels, effort, p, size)


@allocating
def run_search(ground, nodes, loops, states, ends, held, reuse, effort, p, primes, told):
    """Settle states in order of cost plus bound.

    Direct links from the begin terminal are held back until their lower bound comes up.

    Args:
        ground: the ground's arrays.
        nodes: see the type, like the next four and ``effort``.
        loops: chords with full circles.
        states: what a node may be passed as.
        ends: the terminals.
        held: direct links.
        reuse: pieces of old formations as adjacency (pointer, target, price).
        effort: what may be left out.
        p: parameter vector.
        primes: what a smaller search found.
        told: one whole number, in which whoever waits can read how many states were expanded so far.

    Returns:
        Cost and parent per state, heap positions (DONE: settled) and how many states were expanded.
    """
    n_states, cols = states.kind.shape[0], ground.grid.shape[1]
    total = nodes.node_of.shape[0] * n_states
    keys, items, position = new_heap(total)
    labels = Labels(
        np.full(total, np.inf), np.full(total, -1, np.int32), keys, items, position,
        np.full(nodes.node_of.shape[0], np.inf),
    )  # fmt: skip
    scratch = new_scratch()
    begin = np.int64(nodes.index_of[ends.begin_row * cols + ends.begin_col]) * n_states + states.terminal
    goal = np.int64(nodes.index_of[ends.row * cols + ends.col]) * n_states + states.terminal
    size = _first_labels(ground.grid, begin, primes, nodes, states, ends, labels, effort, p)
    # Moves are sorted by length. Those before the first long one need no shortlist; where nothing may be left out, none
    # does.
    n_short = 0
    while n_short < nodes.moves.shape[0] and not (effort.abort and nodes.move_m[n_short] > SHORT_CELLS * p[DX]):
        n_short += 1
    shortlist = no_shortlist(nodes.node_of.shape[0], nodes.moves.shape[0])
    is_over, waiting, used = False, 0, 0
    while not is_over:
        is_over, size, waiting, used = _settle(
            ground, nodes, loops, states, ends, begin, goal, n_short, held, reuse, effort, p, primes, told, scratch,
            labels, shortlist, size, waiting, used,
        )  # fmt: skip
        if not is_over:
            shortlist = longer_shortlist(shortlist)
    return labels.cost, labels.parent, position, told[0]
