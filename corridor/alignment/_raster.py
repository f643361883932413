"""The compiled loop of the raster search: Dijkstra's algorithm over buckets.

Nodes wait in buckets as wide as the cheapest possible step, so that all in the lowest bucket are final whatever their
order (Dinic's and Denardo and Fox's observation); the result is exact and no heap is needed.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: D417

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def run_raster(flat, begin, end, shortest, jumps, pointer, offsets, weights, plain, per_bucket, ring):
    """Settle nodes of a padded raster in order of cost.

    Args:
        flat: prices of the padded raster (infinite at the rim), one row after the other.
        begin, end: flat numbers of the terminals.
        shortest: length of each move times the cheapest price.
        jumps: change of the flat number by each move.
        pointer, offsets, weights: stencil of each move, as flat number changes.
        plain: whether every stencil is just the two ends of the move.
        per_bucket: buckets per unit of cost, no wider than the cheapest step.
        ring: number of buckets, a power of two, together wider than the dearest step.

    Returns:
        Cost at the end and, per node, the number of the move that led there.
    """
    total, n_moves = flat.shape[0], jumps.shape[0]
    both, parent = np.empty((total, 2)), np.full(total, -1, np.int8)  # cost and price side by side: one cache line
    for u in range(total):
        both[u, 0], both[u, 1] = np.inf, flat[u]
    heads, wrap = np.full(ring, -1, np.int32), ring - 1
    item, following = np.empty(total // 4 + 1024, np.int32), np.empty(total // 4 + 1024, np.int32)
    used, free, waiting = 1, -1, 1
    both[begin, 0] = 0.0
    item[0], following[0], heads[0] = begin, -1, 0
    bucket = 0
    while waiting > 0:
        slot = bucket & wrap
        entry = heads[slot]
        if entry < 0:
            bucket += 1
            continue
        heads[slot] = following[entry]
        u = item[entry]
        following[entry], free = free, entry
        waiting -= 1
        if parent[u] >= 64:
            continue
        parent[u] += 64 if u != begin else 65
        if u == end:
            break
        cost_u, price_u = both[u, 0], both[u, 1]
        for m in range(n_moves):
            v = u + jumps[m]
            known = both[v, 0]
            if cost_u + shortest[m] >= known:
                continue
            if plain:
                value = cost_u + weights[2 * m] * (price_u + both[v, 1])
            else:
                value = cost_u
                for k in range(pointer[m], pointer[m + 1]):
                    value += weights[k] * both[u + offsets[k], 1]
            if value < known:
                both[v, 0], parent[v] = value, m
                if free >= 0:
                    entry, free = free, following[free]
                else:
                    if used == item.shape[0]:
                        item = np.concatenate((item, np.empty(used, np.int32)))
                        following = np.concatenate((following, np.empty(used, np.int32)))
                    entry = used
                    used += 1
                slot = int(value * per_bucket) & wrap
                item[entry], following[entry], heads[slot] = v, heads[slot], entry
                waiting += 1
    return both[end, 0], parent & 63
