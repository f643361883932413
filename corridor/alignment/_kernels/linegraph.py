"""The compiled loops of the turn-limited search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

import numpy as np

from corridor.alignment._kernels.heap import DONE, new_heap, pop, push
from corridor.alignment.chords import new_scratch, walk_chord, walk_move
from corridor.alignment.pieces import CHEAPEST, DX, DY
from corridor.compiled import allocating, kernel

ARC_STEP = np.pi / 90.0  # a curve is drawn by chords of two degrees
SAME_WAY = 1.0 - 1e-12  # product of unit vectors above which they count as one direction


@kernel
def curve_loss(tan_half, radius):
    """What a curve takes off each of its two links: tangent less half the drawn curve, in metres.

    The drawn curve is a polygon of chords of at most two degrees; ``tan_half`` is tan(theta / 2).
    """
    theta = 2.0 * np.arctan(tan_half)
    n = max(np.ceil(theta / ARC_STEP), 1.0)
    return radius * tan_half - n * radius * np.sin(theta / (2.0 * n))


@allocating
def list_links(
    ground, index_of, node_of, moves, laid, offsets, kinds, first, begin, end, up, down, p, direct_m, ahead, behind,
    bound, capacity,
):  # fmt: skip
    """Write out all links u -> v with cost to u (``ahead``) + price + cost from v (``behind``) <= ``bound``.

    Returns source and target states, prices, and whether all fitted into ``capacity``.
    """
    z = ground[0]
    rows, cols = z.shape
    n_states, n_levels, n_nodes = kinds.shape[0], first.shape[0] - 1, node_of.shape[0]
    source, target, price = np.empty(4096, np.int32), np.empty(4096, np.int32), np.empty(4096)
    used = 0
    scratch = new_scratch()
    by_kind = scratch.by_kind
    for u in range(n_nodes * n_states):
        if not ahead[u] + behind[u] <= bound:
            continue
        index, state = u // n_states, u % n_states
        r, c = node_of[index] // cols, node_of[index] % cols
        height = z[r, c] + offsets[state]
        tries = n_nodes if u == begin else moves.shape[0] + 1
        for m in range(tries):
            if u == begin:
                t_r, t_c = node_of[m] // cols, node_of[m] % cols
            elif m == moves.shape[0]:
                t_r, t_c = node_of[end // n_states] // cols, node_of[end // n_states] % cols
            else:
                t_r, t_c = r + moves[m, 0], c + moves[m, 1]
            if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
                continue
            t_index = index_of[t_r * cols + t_c]
            metres = np.sqrt(((t_r - r) * p[DY]) ** 2 + ((t_c - c) * p[DX]) ** 2)
            if t_index < 0 or metres == 0.0 or (metres > direct_m and (u == begin or m == moves.shape[0])):
                continue
            for level in range(n_levels):
                if m == moves.shape[0] and u != begin and offsets[first[level]] != 0.0:
                    continue
                rise = z[t_r, t_c] + offsets[first[level]] - height
                if rise > up * metres or -rise > down * metres:
                    continue
                rest = np.inf
                for q in range(first[level], first[level + 1]):
                    rest = min(rest, behind[t_index * n_states + q])
                if not ahead[u] + p[CHEAPEST] * metres + rest <= bound:
                    continue
                by_kind[0], by_kind[1], by_kind[2] = np.inf, np.inf, np.inf
                by_kind[kinds[state]] = ahead[u]
                if u == begin or m == moves.shape[0]:
                    done = walk_chord(
                        ground, float(r), float(c), height, float(t_r), float(t_c), height + rise, p, by_kind,
                        bound - rest, scratch, scratch.no_trace, 0, 0.0,
                    )  # fmt: skip
                else:
                    done = walk_move(
                        ground, laid, m, r, c, height, t_r - r, t_c - c, rise, metres, p, by_kind, bound - rest, scratch
                    )
                if done < 0:
                    continue
                for q in range(first[level], first[level + 1]):
                    if by_kind[kinds[q]] + behind[t_index * n_states + q] <= bound:
                        if used == source.shape[0]:
                            if 2 * used > capacity:
                                return source, target, price, False
                            source = np.concatenate((source, np.empty(used, np.int32)))
                            target = np.concatenate((target, np.empty(used, np.int32)))
                            price = np.concatenate((price, np.empty(used)))
                        source[used], target[used] = u, t_index * n_states + q
                        price[used] = by_kind[kinds[q]] - ahead[u]
                        used += 1
    return source[:used].copy(), target[:used].copy(), price[:used].copy(), True


@kernel
def _curve_fits(
    ground, r, c, height, in_east, in_south, out_east, out_south, radius, tan_half, grade_in, grade_out, p, scratch,
):  # fmt: skip
    """Whether some kind is allowed everywhere along the curve of a bend at a node; directions are unit vectors."""
    theta = 2.0 * np.arctan(tan_half)
    n = int(max(np.ceil(theta / ARC_STEP), 1.0))
    side = 1.0 if in_east * out_south - in_south * out_east > 0.0 else -1.0
    arm_east, arm_south = side * radius * in_south, -side * radius * in_east  # from the centre to the curve's start
    centre_east = -in_east * radius * tan_half - arm_east
    centre_south = -in_south * radius * tan_half - arm_south
    chord = 2.0 * radius * np.sin(theta / (2.0 * n))
    r0, c0, h0 = 0.0, 0.0, 0.0
    for k in range(n + 1):
        cos, sin = np.cos(side * theta * k / n), np.sin(side * theta * k / n)
        r1 = r + (centre_south + sin * arm_east + cos * arm_south) / p[DY]
        c1 = c + (centre_east + cos * arm_east - sin * arm_south) / p[DX]
        along = (k - 0.5 * n) * chord
        h1 = height + along * (grade_in if along < 0.0 else grade_out)
        if k > 0:
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


@allocating
def search_links(
    ground, node_of, offsets, p, up, down, radius, source, target, price, reused, pointer,
    begin, end, behind, clear_m, forbidden,
):  # fmt: skip
    """Shortest path from link to link (Dijkstra with the exact cost without turns as bound).

    ``clear_m`` is each node's distance to the nearest one where some kind is forbidden (empty: none is): the curves
    of bends that come near are tested. ``forbidden`` (n, 5) lists bends that may not be used: state, then the unit
    vectors (east, south) in and out.

    Returns the last link of the best line (-1: none), its price and the predecessor of each link.
    """
    z = ground[0]
    n, n_states, cols = source.shape[0], offsets.shape[0], z.shape[1]
    scratch = new_scratch()
    wider = max(p[DX], p[DY])
    cost, before, start_loss = np.full(n, np.inf), np.full(n, -1, np.int32), np.zeros(n)
    east, south, metres, rise = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for e in range(n):
        a, b = node_of[source[e] // n_states], node_of[target[e] // n_states]
        east[e], south[e] = (b % cols - a % cols) * p[DX], (b // cols - a // cols) * p[DY]
        metres[e] = np.sqrt(east[e] ** 2 + south[e] ** 2)
        rise[e] = z[b // cols, b % cols] + offsets[target[e] % n_states]
        rise[e] -= z[a // cols, a % cols] + offsets[source[e] % n_states]
    keys, items, position = new_heap(n)
    size = 0
    for e in range(pointer[begin], pointer[begin + 1]):
        cost[e] = price[e]
        size = push(keys, items, position, size, e, price[e] + behind[target[e]])
    while size > 0:
        e, size = pop(keys, items, position, size)
        v = target[e]
        if v == end:
            return e, cost[e], before
        for f in range(pointer[v], pointer[v + 1]):
            if position[f] == DONE or cost[e] + price[f] >= cost[f]:
                continue
            if reused[e] or reused[f]:  # an old formation has its own curves, and joins are not designed here
                cost[f], before[f], start_loss[f] = cost[e] + price[f], e, 0.0
                size = push(keys, items, position, size, f, cost[f] + behind[target[f]])
                continue
            cross = abs(east[e] * south[f] - south[e] * east[f])
            whole = metres[e] * metres[f] + east[e] * east[f] + south[e] * south[f]
            if whole <= 1e-9 * metres[e] * metres[f]:
                continue
            tan_half = cross / whole
            if radius * tan_half > 0.5 * min(metres[e], metres[f]):
                continue
            loss = curve_loss(tan_half, radius) if tan_half > 1e-9 else 0.0
            left, following = metres[e] - start_loss[e] - loss, metres[f] - loss
            if rise[e] > up * left or -rise[e] > down * left:
                continue
            if rise[f] > up * following or -rise[f] > down * following:
                continue
            in_east, in_south = east[e] / metres[e], south[e] / metres[e]
            out_east, out_south = east[f] / metres[f], south[f] / metres[f]
            if _is_forbidden(forbidden, v, in_east, in_south, out_east, out_south):
                continue
            node = node_of[v // n_states]
            if clear_m.shape[0] > 0 and loss > 0.0 and clear_m[node] <= radius * tan_half + wider:
                r, c = node // cols, node % cols
                if not _curve_fits(
                    ground, float(r), float(c), z[r, c] + offsets[v % n_states], in_east, in_south, out_east, out_south,
                    radius, tan_half, rise[e] / left, rise[f] / following, p, scratch,
                ):  # fmt: skip
                    continue
            cost[f], before[f], start_loss[f] = cost[e] + price[f], e, loss
            size = push(keys, items, position, size, f, cost[f] + behind[target[f]])
    return -1, np.inf, before
