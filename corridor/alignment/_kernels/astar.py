"""The compiled loop of the search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.heap import DONE, new_heap, pop, push
from corridor.alignment.chords import least_price, new_scratch, walk_chord, walk_move
from corridor.alignment.links import Laid
from corridor.alignment.pieces import CHEAPEST, DX, DY
from corridor.compiled import allocating, kernel, pasted


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

    ``guide`` holds a better bound per state, if there is one: exact costs of the search the other way round if
    ``exact``, else a bound that serves to drop links but not to order states, because it may rise faster than a link
    costs. ``known`` is a cost that is known to be possible.
    """

    near_factor: float
    abort: bool
    informed: bool
    guide: NDArray[np.float64]
    exact: bool
    known: float


class Labels(NamedTuple):
    """What is known of each state: cost, parent, place in the heap of keys and items."""

    cost: NDArray[np.float64]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    position: NDArray[np.int32]


@kernel
def _bound(z, r, c, height, states, ends, p):
    """Least that the rest can cost: cheapest price times the shortest length that distance and climb allow."""
    east, south = (c - ends.col) * p[DX], (r - ends.row) * p[DY]
    metres = np.sqrt(east * east + south * south)
    rise = z[ends.row, ends.col] - height
    needed = rise / states.up if rise > 0.0 else -rise / states.down
    return p[CHEAPEST] * (metres if metres > needed else needed)


@allocating
def bound_direct_links(ground, nodes, states, ends, p):
    """Least cost of a line that goes straight from the begin terminal to each node; infinite if it can't."""
    z = ground[0]
    cols = z.shape[1]
    r, c = ends.begin_row, ends.begin_col
    height = z[r, c] + states.offset_m[states.terminal]
    over, under = states.offset_m.max(), -states.offset_m.min()
    lowest = np.full(nodes.node_of.shape[0], np.inf, np.float32)
    for index in range(nodes.node_of.shape[0]):
        t_r, t_c = nodes.node_of[index] // cols, nodes.node_of[index] % cols
        metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
        rise = z[t_r, t_c] - height
        if metres == 0.0 or metres > ends.direct_m or rise - under > states.up * metres:
            continue
        if -rise - over <= states.down * metres:
            price = least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, over, under, np.inf, p)
            rest = p[CHEAPEST] * np.sqrt(((t_r - ends.row) * p[DY]) ** 2 + ((t_c - ends.col) * p[DX]) ** 2)
            lowest[index] = (price + rest) * (1.0 - 1e-6)
    return lowest


@kernel
def _label(labels, size, target, value, parent, rest, informed):
    """Note a better cost of a state; it waits in the heap if a way leads on from it. Returns the heap's size."""
    labels.cost[target] = value
    labels.parent[target] = parent
    if rest < np.inf:
        key = value + rest if informed else value
        size = push(labels.keys, labels.items, labels.position, size, target, key)
    return size


@kernel
def _barrier(labels, goal, effort):
    """Cost above which nothing is of interest any more."""
    return effort.near_factor * min(labels.cost[goal], effort.known) * (1.0 + 1e-9)


@pasted
def _worst_label(labels, first, last):
    """The dearest label of those states that aren't settled; a link has to come in below it."""
    worst = -np.inf
    for target in range(first, last):
        if labels.position[target] != DONE and labels.cost[target] > worst:
            worst = labels.cost[target]
    return worst


@kernel
def _price_link(
    ground, u, r, c, height, move, laid, t_r, t_c, rise, metres, first, last, worst, states, ends, labels, effort,
    barrier, p, scratch, size,
):  # fmt: skip
    """Price the link from a state to states ``first`` to ``last`` of a node, which have the same height, and keep what
    improves; returns the heap's size.
    """
    n_states, guided = states.kind.shape[0], effort.guide.shape[0] > 0
    cost_u, t_height = labels.cost[u], height + rise
    rest = np.inf
    if guided:
        for target in range(first, last):
            rest = min(rest, effort.guide[target])
    plain = np.inf
    if not effort.exact:
        plain = _bound(ground[0], t_r, t_c, t_height, states, ends, p)
        rest = max(plain, rest) if guided else plain
    limit = np.inf
    if effort.abort:
        limit = min(worst, barrier - rest)
        if cost_u + p[CHEAPEST] * metres > limit:
            return size
        if metres > 6.0 * p[DX]:
            spare = limit - cost_u
            if least_price(ground, r, c, height, t_r - r, t_c - c, rise, metres, 0.0, 0.0, spare, p) > spare:
                return size
    by_kind = scratch.by_kind
    by_kind[0], by_kind[1], by_kind[2] = np.inf, np.inf, np.inf
    by_kind[states.kind[u % n_states]] = cost_u
    if move < 0:
        done = walk_chord(
            ground, float(r), float(c), height, float(t_r), float(t_c), t_height, p, by_kind, limit, scratch,
            scratch.no_trace, 0, 0.0,
        )  # fmt: skip
    else:
        done = walk_move(ground, laid, move, r, c, height, t_r - r, t_c - c, rise, metres, p, by_kind, limit, scratch)
    if done < 0:
        return size
    for target in range(first, last):
        value = by_kind[states.kind[target % n_states]]
        if value < labels.cost[target] and labels.position[target] != DONE:
            ahead = effort.guide[target] if effort.exact else plain
            size = _label(labels, size, target, value, u, ahead, effort.informed)
    return size


@kernel
def _go_straight(ground, u, flat, level_from, level_to, nodes, states, ends, goal, labels, effort, p, scratch, size):
    """Try the direct link from a state to a node at some of its levels; returns the heap's size."""
    n_states, cols = states.kind.shape[0], ground[0].shape[1]
    index, start = nodes.index_of[flat], nodes.node_of[u // n_states]
    r, c, t_r, t_c = start // cols, start % cols, flat // cols, flat % cols
    metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
    if metres == 0.0 or metres > ends.direct_m:
        return size
    height = ground[0][r, c] + states.offset_m[u % n_states]
    for level in range(level_from, level_to):
        rise = ground[0][t_r, t_c] + states.offset_m[states.first[level]] - height
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


@kernel
def _move_on(ground, u, nodes, states, ends, goal, labels, effort, p, scratch, size):
    """Try all moves from a state; returns the heap's size."""
    z = ground[0]
    rows, cols = z.shape
    n_states, n_levels = states.kind.shape[0], states.first.shape[0] - 1
    node = nodes.node_of[u // n_states]
    r, c = node // cols, node % cols
    height, cost_u = z[r, c] + states.offset_m[u % n_states], labels.cost[u]
    for m in range(nodes.moves.shape[0]):
        t_r, t_c = r + nodes.moves[m, 0], c + nodes.moves[m, 1]
        if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
            continue
        index = nodes.index_of[t_r * cols + t_c]
        if index < 0:
            continue
        metres, ground_there = nodes.move_m[m], z[t_r, t_c]
        for level in range(n_levels):
            rise = ground_there + states.offset_m[states.first[level]] - height
            if rise > states.up * metres or -rise > states.down * metres:
                continue
            first, last = index * n_states + states.first[level], index * n_states + states.first[level + 1]
            worst = _worst_label(labels, first, last)
            if cost_u + p[CHEAPEST] * metres < worst:
                size = _price_link(
                    ground, u, r, c, height, m, nodes.laid, t_r, t_c, rise, metres, first, last, worst, states, ends,
                    labels, effort, _barrier(labels, goal, effort), p, scratch, size,
                )  # fmt: skip
    return size


@kernel
def _follow_old(ground, u, nodes, states, ends, reuse, labels, effort, p, size):
    """Follow the pieces of an old formation that start at a node; returns the heap's size."""
    pointer, targets, prices = reuse
    n_states, cols = states.kind.shape[0], ground[0].shape[1]
    index = u // n_states
    for e in range(pointer[index], pointer[index + 1]):
        target = targets[e] * n_states + states.terminal
        value = labels.cost[u] + prices[e]
        if value < labels.cost[target] and labels.position[target] != DONE:
            r, c = nodes.node_of[targets[e]] // cols, nodes.node_of[targets[e]] % cols
            rest = _bound(ground[0], r, c, ground[0][r, c], states, ends, p)
            if effort.exact:
                rest = effort.guide[target]
            size = _label(labels, size, target, value, u, rest, effort.informed)
    return size


@allocating
def run_search(ground, nodes, states, ends, held, reuse, effort, p):
    """Settle states in order of cost plus bound.

    Direct links from the begin terminal are held back until their lower bound comes up.

    Args:
        ground: the ground's arrays.
        nodes: see the type, like the next three and ``effort``.
        states: what a node may be passed as.
        ends: the terminals.
        held: direct links.
        reuse: pieces of old formations as adjacency (pointer, target, price).
        effort: what may be left out.
        p: parameter vector.

    Returns:
        Cost and parent per state, heap positions (DONE: settled) and how many states were expanded.
    """
    z, cols = ground[0], ground[0].shape[1]
    n_states, n_levels = states.kind.shape[0], states.first.shape[0] - 1
    total = nodes.node_of.shape[0] * n_states
    keys, items, position = new_heap(total)
    labels = Labels(np.full(total, np.inf), np.full(total, -1, np.int32), keys, items, position)
    scratch = new_scratch()
    ground_level = 0
    while states.first[ground_level + 1] <= states.terminal:
        ground_level += 1
    end_node = ends.row * cols + ends.col
    begin = np.int64(nodes.index_of[ends.begin_row * cols + ends.begin_col]) * n_states + states.terminal
    goal = np.int64(nodes.index_of[end_node]) * n_states + states.terminal
    start_height = z[ends.begin_row, ends.begin_col]
    start_bound = _bound(z, ends.begin_row, ends.begin_col, start_height, states, ends, p)
    size = _label(labels, 0, begin, 0.0, -1, start_bound, effort.informed)
    waiting, expanded = 0, 0
    while True:
        barrier = _barrier(labels, goal, effort)
        top = keys[0] if size > 0 else np.inf
        if waiting < held.order.shape[0] and held.lowest[waiting] > barrier:
            waiting = held.order.shape[0]
        if waiting < held.order.shape[0] and (held.lowest[waiting] <= top or not effort.informed):
            flat = np.int64(nodes.node_of[held.order[waiting]])
            waiting += 1
            size = _go_straight(
                ground, begin, flat, 0, n_levels, nodes, states, ends, goal, labels, effort, p, scratch, size
            )
            continue
        if size == 0 or top > barrier:
            break
        popped, size = pop(keys, items, position, size)
        u = np.int64(popped)
        if u == goal and effort.near_factor == 1.0:
            break
        expanded += 1
        size = _go_straight(
            ground, u, end_node, ground_level, ground_level + 1, nodes, states, ends, goal, labels, effort, p, scratch,
            size,
        )  # fmt: skip
        size = _move_on(ground, u, nodes, states, ends, goal, labels, effort, p, scratch, size)
        if reuse[0].shape[0] > 0 and u % n_states == states.terminal:
            size = _follow_old(ground, u, nodes, states, ends, reuse, labels, effort, p, size)
    return labels.cost, labels.parent, position, expanded
