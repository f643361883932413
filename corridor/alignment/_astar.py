"""The compiled loop of the search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

import numpy as np
from numba import njit

from corridor.alignment.chords import least_price, walk_chord
from corridor.alignment.heap import DONE, new_heap, pop, push
from corridor.alignment.pieces import CHEAPEST, DX, DY


@njit(cache=True, nogil=True, error_model="numpy")
def _bound(r, c, height, end_r, end_c, end_height, up, down, p):
    """Least that the rest can cost: cheapest price times the shortest length that distance and climb allow."""
    east, south = (c - end_c) * p[DX], (r - end_r) * p[DY]
    metres = np.sqrt(east * east + south * south)
    rise = end_height - height
    needed = rise / up if rise > 0.0 else -rise / down
    return p[CHEAPEST] * (metres if metres > needed else needed)


@njit(cache=True, nogil=True, error_model="numpy")
def _rest(guide, target, first, level, r, c, height, end_r, end_c, end_height, up, down, p):
    """Bound at a node's level: from the guide (least of its kinds) where there is one, else from geometry."""
    if guide.shape[0] == 0:
        return _bound(r, c, height, end_r, end_c, end_height, up, down, p)
    least = np.inf
    for q in range(first[level], first[level + 1]):
        least = min(least, guide[target + q])
    return least


@njit(cache=True, nogil=True, error_model="numpy")
def _try_links(
    z,
    slope,
    floors,
    mask,
    friction,
    u,
    cost_u,
    kind_u,
    r,
    c,
    height,
    t_r,
    t_c,
    t_index,
    metres,
    offsets,
    kinds,
    first,
    levels_from,
    levels_to,
    end_r,
    end_c,
    end_height,
    up,
    down,
    p,
    bound,
    abort,
    informed,
    guide,
    cost,
    parent,
    keys,
    items,
    position,
    size,
    by_kind,
    cuts,
    no_trace,
):
    """Price the link from a state to a node at each of its levels and keep what improves; returns the heap's size."""
    n_states = kinds.shape[0]
    lower = cost_u + p[CHEAPEST] * metres
    for level in range(levels_from, levels_to):
        t_height = z[t_r, t_c] + offsets[first[level]]
        rise = t_height - height
        if rise > up * metres or -rise > down * metres:
            continue
        worst = -np.inf
        for q in range(first[level], first[level + 1]):
            target = t_index * n_states + q
            if position[target] != DONE and cost[target] > worst:
                worst = cost[target]
        rest = _rest(guide, t_index * n_states, first, level, t_r, t_c, t_height, end_r, end_c, end_height, up, down, p)
        if lower >= worst:
            continue
        limit = np.inf
        if abort:
            limit = min(worst, bound - rest)
            if lower > limit:
                continue
            if metres > 6.0 * p[DX]:
                at_least = least_price(z, float(r), float(c), height, float(t_r), float(t_c), t_height, p)
                if cost_u + at_least > limit:
                    continue
        by_kind[0], by_kind[1], by_kind[2] = np.inf, np.inf, np.inf
        by_kind[kind_u] = cost_u
        done = walk_chord(
            z,
            slope,
            floors,
            mask,
            friction,
            float(r),
            float(c),
            height,
            float(t_r),
            float(t_c),
            t_height,
            p,
            by_kind,
            limit,
            cuts,
            no_trace,
            0,
            0.0,
        )
        if done < 0:
            continue
        for q in range(first[level], first[level + 1]):
            target = t_index * n_states + q
            value = by_kind[kinds[q]]
            if value < cost[target] and position[target] != DONE:
                cost[target] = value
                parent[target] = u
                ahead = guide[target] if guide.shape[0] > 0 else rest
                if ahead < np.inf:
                    size = push(keys, items, position, size, target, value + ahead if informed else value)
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def run_search(
    z,
    slope,
    floors,
    mask,
    friction,
    index_of,
    node_of,
    moves,
    offsets,
    kinds,
    first,
    terminal,
    begin_r,
    begin_c,
    end_r,
    end_c,
    up,
    down,
    p,
    reuse_pointer,
    reuse_target,
    reuse_price,
    order,
    lowest,
    direct_m,
    near_factor,
    abort,
    informed,
    guide,
    known,
):
    """Settle states in order of cost plus bound; see ``search`` for what the arguments are.

    ``guide`` holds a better bound per state, if there is one (exact costs of the search the other way round), and
    ``known`` a cost that is known to be possible. Direct links from the begin terminal to every node are held back in
    ``order`` until their lower bound comes up.
    Returns cost and parent per state, heap positions (DONE: settled) and how many states were expanded.
    """
    rows, cols = z.shape
    n_states, n_levels = kinds.shape[0], first.shape[0] - 1
    total = node_of.shape[0] * n_states
    cost, parent = np.full(total, np.inf), np.full(total, -1, np.int32)
    keys, items, position = new_heap(total)
    by_kind, cuts, no_trace = np.empty(3), np.empty(24), np.zeros((0, 8))
    lengths = np.empty(moves.shape[0])
    for m in range(moves.shape[0]):
        lengths[m] = np.sqrt((moves[m, 0] * p[DY]) ** 2 + (moves[m, 1] * p[DX]) ** 2)
    ground_level = 0
    while first[ground_level + 1] <= terminal:
        ground_level += 1
    begin_height, end_height = z[begin_r, begin_c], z[end_r, end_c]
    end_index = index_of[end_r * cols + end_c]
    begin_state = index_of[begin_r * cols + begin_c] * n_states + terminal
    end_state = end_index * n_states + terminal
    cost[begin_state] = 0.0
    start_key = _bound(begin_r, begin_c, begin_height, end_r, end_c, end_height, up, down, p) if informed else 0.0
    size = push(keys, items, position, 0, begin_state, start_key)
    waiting, expanded, guided = 0, 0, guide.shape[0] > 0
    while True:
        bound = near_factor * min(cost[end_state], known) * (1.0 + 1e-9)
        top = keys[0] if size > 0 else np.inf
        if waiting < order.shape[0] and (lowest[waiting] <= top or not informed):
            if lowest[waiting] > bound:
                waiting = order.shape[0]
                continue
            t_index = order[waiting]
            waiting += 1
            t_r, t_c = node_of[t_index] // cols, node_of[t_index] % cols
            metres = np.sqrt(((t_r - begin_r) * p[DY]) ** 2 + ((t_c - begin_c) * p[DX]) ** 2)
            if metres > 0.0 and metres <= direct_m:
                size = _try_links(
                    z,
                    slope,
                    floors,
                    mask,
                    friction,
                    begin_state,
                    0.0,
                    0,
                    begin_r,
                    begin_c,
                    begin_height,
                    t_r,
                    t_c,
                    t_index,
                    metres,
                    offsets,
                    kinds,
                    first,
                    0,
                    n_levels,
                    end_r,
                    end_c,
                    end_height,
                    up,
                    down,
                    p,
                    bound,
                    abort,
                    informed,
                    guide,
                    cost,
                    parent,
                    keys,
                    items,
                    position,
                    size,
                    by_kind,
                    cuts,
                    no_trace,
                )
            continue
        if size == 0 or top > bound:
            break
        u, size = pop(keys, items, position, size)
        if u == end_state and near_factor == 1.0:
            break
        expanded += 1
        index, state = u // n_states, u % n_states
        r, c = node_of[index] // cols, node_of[index] % cols
        height, cost_u, kind_u = z[r, c] + offsets[state], cost[u], kinds[state]
        for m in range(-1, moves.shape[0]):
            levels_from, levels_to = 0, n_levels
            if m < 0:  # the direct link to the end
                t_r, t_c = end_r, end_c
                metres = np.sqrt(((end_r - r) * p[DY]) ** 2 + ((end_c - c) * p[DX]) ** 2)
                if metres == 0.0 or metres > direct_m:
                    continue
                levels_from, levels_to = ground_level, ground_level + 1
            else:
                t_r, t_c = r + moves[m, 0], c + moves[m, 1]
                if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
                    continue
                metres = lengths[m]
            t_index = index_of[t_r * cols + t_c]
            if t_index < 0:
                continue
            lower, ground_z = cost_u + p[CHEAPEST] * metres, z[t_r, t_c]
            bound = near_factor * min(cost[end_state], known) * (1.0 + 1e-9)
            hopeful = False  # tested here, because handing everything on costs more than the test
            for level in range(levels_from, levels_to):
                rise = ground_z + offsets[first[level]] - height
                if rise <= up * metres and -rise <= down * metres:
                    for q in range(t_index * n_states + first[level], t_index * n_states + first[level + 1]):
                        if position[q] != DONE and lower < cost[q] and (not guided or lower + guide[q] <= bound):
                            hopeful = True
            if not hopeful:
                continue
            size = _try_links(
                z,
                slope,
                floors,
                mask,
                friction,
                u,
                cost_u,
                kind_u,
                r,
                c,
                height,
                t_r,
                t_c,
                t_index,
                metres,
                offsets,
                kinds,
                first,
                levels_from,
                levels_to,
                end_r,
                end_c,
                end_height,
                up,
                down,
                p,
                bound,
                abort,
                informed,
                guide,
                cost,
                parent,
                keys,
                items,
                position,
                size,
                by_kind,
                cuts,
                no_trace,
            )
        if reuse_pointer.shape[0] > 0 and state == terminal:
            for e in range(reuse_pointer[index], reuse_pointer[index + 1]):
                t_index = reuse_target[e]
                target = t_index * n_states + terminal
                value = cost_u + reuse_price[e]
                if value < cost[target] and position[target] != DONE:
                    cost[target] = value
                    parent[target] = u
                    t_r, t_c = node_of[t_index] // cols, node_of[t_index] % cols
                    rest = _bound(t_r, t_c, z[t_r, t_c], end_r, end_c, end_height, up, down, p) if informed else 0.0
                    rest = guide[target] if guide.shape[0] > 0 else rest
                    if rest < np.inf:
                        size = push(keys, items, position, size, target, value + rest)
    return cost, parent, position, expanded
