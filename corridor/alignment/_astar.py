"""The compiled loop of the search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from corridor.alignment.chords import least_price, walk_chord
from corridor.alignment.heap import DONE, new_heap, pop, push
from corridor.alignment.pieces import CHEAPEST, DX, DY


class Nodes(NamedTuple):
    """Which nodes there are and how links lead from one to another (see ``Problem``); lengths of moves in metres."""

    index_of: NDArray[np.int32]
    node_of: NDArray[np.int32]
    moves: NDArray[np.int32]
    move_m: NDArray[np.float64]


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

    ``guide`` holds a better bound per state, if there is one (exact costs of the search the other way round), and
    ``known`` a cost that is known to be possible.
    """

    near_factor: float
    abort: bool
    informed: bool
    guide: NDArray[np.float64]
    known: float


class Labels(NamedTuple):
    """What is known of each state: cost, parent, place in the heap of keys and items."""

    cost: NDArray[np.float64]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    position: NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def _bound(z, r, c, height, states, ends, p):
    """Least that the rest can cost: cheapest price times the shortest length that distance and climb allow."""
    east, south = (c - ends.col) * p[DX], (r - ends.row) * p[DY]
    metres = np.sqrt(east * east + south * south)
    rise = z[ends.row, ends.col] - height
    needed = rise / states.up if rise > 0.0 else -rise / states.down
    return p[CHEAPEST] * (metres if metres > needed else needed)


@njit(cache=True, nogil=True, error_model="numpy")
def _label(labels, size, target, value, parent, rest, informed):
    """Note a better cost of a state; it waits in the heap if a way leads on from it. Returns the heap's size."""
    labels.cost[target] = value
    labels.parent[target] = parent
    if rest < np.inf:
        key = value + rest if informed else value
        size = push(labels.keys, labels.items, labels.position, size, target, key)
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def _is_hopeful(z, r, c, height, cost_u, metres, index, level_from, level_to, states, labels, effort, bound, p):
    """Whether a link keeps the grade and could improve some state at its target."""
    n_states, guided = states.kind.shape[0], effort.guide.shape[0] > 0
    lower = cost_u + p[CHEAPEST] * metres
    for level in range(level_from, level_to):
        rise = z[r, c] + states.offset_m[states.first[level]] - height
        if rise <= states.up * metres and -rise <= states.down * metres:
            for q in range(index * n_states + states.first[level], index * n_states + states.first[level + 1]):
                improves = labels.position[q] != DONE and lower < labels.cost[q]
                if improves and (not guided or lower + effort.guide[q] <= bound):
                    return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _price_link(
    ground, u, r, c, height, t_r, t_c, index, metres, level, states, ends, labels, effort, bound, p, scratch, size
):
    """Price the link from a state to a node at one of its levels and keep what improves; returns the heap's size."""
    n_states, guided = states.kind.shape[0], effort.guide.shape[0] > 0
    by_kind, cuts, no_trace = scratch
    first, last = index * n_states + states.first[level], index * n_states + states.first[level + 1]
    t_height = ground[0][t_r, t_c] + states.offset_m[states.first[level]]
    rise = t_height - height
    if rise > states.up * metres or -rise > states.down * metres:
        return size
    worst, rest = -np.inf, np.inf
    for target in range(first, last):
        if labels.position[target] != DONE:
            worst = max(worst, labels.cost[target])
        if guided:
            rest = min(rest, effort.guide[target])
    if not guided:
        rest = _bound(ground[0], t_r, t_c, t_height, states, ends, p)
    cost_u = labels.cost[u]
    lower = cost_u + p[CHEAPEST] * metres
    if lower >= worst:
        return size
    limit = np.inf
    if effort.abort:
        limit = min(worst, bound - rest)
        if lower > limit:
            return size
        if metres > 6.0 * p[DX]:
            at_least = least_price(ground[0], float(r), float(c), height, float(t_r), float(t_c), t_height, p)
            if cost_u + at_least > limit:
                return size
    by_kind[0], by_kind[1], by_kind[2] = np.inf, np.inf, np.inf
    by_kind[states.kind[u % n_states]] = cost_u
    z, slope, floors, mask, friction = ground
    done = walk_chord(
        z, slope, floors, mask, friction, float(r), float(c), height, float(t_r), float(t_c), t_height,
        p, by_kind, limit, cuts, no_trace, 0, 0.0,
    )  # fmt: skip
    if done < 0:
        return size
    for target in range(first, last):
        value = by_kind[states.kind[target - index * n_states]]
        if value < labels.cost[target] and labels.position[target] != DONE:
            ahead = effort.guide[target] if guided else rest
            size = _label(labels, size, target, value, u, ahead, effort.informed)
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def _follow_old(ground, u, index, nodes, states, ends, reuse, labels, effort, p, size):
    """Follow the pieces of an old formation that start at a node; returns the heap's size."""
    pointer, targets, prices = reuse
    n_states, cols = states.kind.shape[0], ground[0].shape[1]
    for e in range(pointer[index], pointer[index + 1]):
        target = targets[e] * n_states + states.terminal
        value = labels.cost[u] + prices[e]
        if value < labels.cost[target] and labels.position[target] != DONE:
            r, c = nodes.node_of[targets[e]] // cols, nodes.node_of[targets[e]] % cols
            rest = _bound(ground[0], r, c, ground[0][r, c], states, ends, p)
            if effort.guide.shape[0] > 0:
                rest = effort.guide[target]
            size = _label(labels, size, target, value, u, rest, effort.informed)
    return size


@njit(cache=True, nogil=True, error_model="numpy")
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
    z = ground[0]
    rows, cols = z.shape
    n_states, n_levels, n_moves = states.kind.shape[0], states.first.shape[0] - 1, nodes.moves.shape[0]
    total = nodes.node_of.shape[0] * n_states
    keys, items, position = new_heap(total)
    labels = Labels(np.full(total, np.inf), np.full(total, -1, np.int32), keys, items, position)
    scratch = (np.empty(3), np.empty(24), np.zeros((0, 8)))
    ground_level = 0
    while states.first[ground_level + 1] <= states.terminal:
        ground_level += 1
    begin = nodes.index_of[ends.begin_row * cols + ends.begin_col] * n_states + states.terminal
    end = nodes.index_of[ends.row * cols + ends.col] * n_states + states.terminal
    start_height = z[ends.begin_row, ends.begin_col]
    start_bound = _bound(z, ends.begin_row, ends.begin_col, start_height, states, ends, p)
    size = _label(labels, 0, begin, 0.0, -1, start_bound, effort.informed)
    waiting, expanded = 0, 0
    while True:
        bound = effort.near_factor * min(labels.cost[end], effort.known) * (1.0 + 1e-9)
        top = keys[0] if size > 0 else np.inf
        direct = waiting < held.order.shape[0] and (held.lowest[waiting] <= top or not effort.informed)
        if direct and held.lowest[waiting] > bound:
            waiting = held.order.shape[0]
            continue
        if direct:
            u, m_from, m_to = np.int64(begin), -2, -1
        elif size == 0 or top > bound:
            break
        else:
            popped, size = pop(keys, items, position, size)
            u, m_from, m_to = np.int64(popped), -1, n_moves
            if u == end and effort.near_factor == 1.0:
                break
            expanded += 1
        index, state = u // n_states, u % n_states
        r, c = nodes.node_of[index] // cols, nodes.node_of[index] % cols
        height, cost_u = z[r, c] + states.offset_m[state], labels.cost[u]
        for m in range(m_from, m_to):
            level_from, level_to = 0, n_levels
            if m >= 0:
                t_r, t_c, metres = r + nodes.moves[m, 0], c + nodes.moves[m, 1], nodes.move_m[m]
                if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
                    continue
            else:
                t_r, t_c = ends.row, ends.col
                if m == -2:
                    t_r, t_c = nodes.node_of[held.order[waiting]] // cols, nodes.node_of[held.order[waiting]] % cols
                    waiting += 1
                else:
                    level_from, level_to = ground_level, ground_level + 1
                metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
                if metres == 0.0 or metres > ends.direct_m:
                    continue
            t_index = nodes.index_of[t_r * cols + t_c]
            if t_index < 0:
                continue
            bound = effort.near_factor * min(labels.cost[end], effort.known) * (1.0 + 1e-9)
            if not _is_hopeful(
                z, t_r, t_c, height, cost_u, metres, t_index, level_from, level_to, states, labels, effort, bound, p
            ):
                continue
            for level in range(level_from, level_to):
                size = _price_link(
                    ground, u, r, c, height, t_r, t_c, t_index, metres, level,
                    states, ends, labels, effort, bound, p, scratch, size,
                )  # fmt: skip
        if not direct and reuse[0].shape[0] > 0 and state == states.terminal:
            size = _follow_old(ground, u, index, nodes, states, ends, reuse, labels, effort, p, size)
    return labels.cost, labels.parent, position, expanded
