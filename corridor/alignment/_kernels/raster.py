"""The compiled loop of the raster search: Dijkstra's algorithm from both ends at once, over buckets.

Nodes wait in buckets as wide as the cheapest possible step, so that all in the lowest bucket are final whatever their
order (Dinic's and Denardo and Fox's observation); the result is exact and no heap is needed. A step costs the same
either way, so both terminals are sources of one search: every node gets its cost to the nearer one, the cheapest path
crosses once from the nodes of one to those of the other, and all is known when half its cost is settled.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: D417

from __future__ import annotations

import numpy as np

from corridor.compiled import allocating

MOVE, SIDE, FINAL, UNSEEN = 31, 32, 64, 128  # of a node's mark: move that led there, end's side, settled, no cost yet


@allocating
def pad_raster(price, reach):
    """Cost (none yet) and price of each node side by side, in one cache line, with a closed rim of ``reach`` cells.

    Args:
        price: (rows, cols); infinite or NaN is closed.
        reach: longest step in cells.

    Returns:
        The padded raster as one row of pairs, and the lowest and the highest price that is not closed.
    """
    rows, cols = price.shape
    wide = cols + 2 * reach
    # The rim stays infinite, so that no step has to ask whether it leaves the raster.
    both = np.full((rows + 2 * reach) * wide * 2, np.inf)
    low, high = np.inf, -np.inf
    for r in range(rows):
        for c in range(cols):
            value = np.float64(price[r, c])
            # Minus infinity counts too, so that the lowest price gives it away and it is refused.
            if np.isfinite(value) or value < 0.0:
                both[2 * ((r + reach) * wide + c + reach) + 1] = value
                low, high = min(low, value), max(high, value)
    return both, low, high


@allocating
def run_raster(both, begin, end, jumps, ends, between, pointer, offsets, weights, per_bucket, ring):
    """Settle nodes of a padded raster in order of cost to the nearer terminal until the cheapest path is known.

    Numbers of nodes are unsigned, because numba tests signed ones for counting from the back at every access.

    Args:
        both: cost and price of each node (see ``pad_raster``); costs are filled in.
        begin, end: flat numbers of the terminals.
        jumps: change of the flat number by each move, as unsigned numbers that wrap round.
        ends: weight of the price at either end of each move.
        between: least that the nodes between add, for each move.
        pointer, offsets, weights: the nodes between, as changes of the place of the price in ``both``.
        per_bucket: buckets per unit of cost, no wider than the cheapest step.
        ring: number of buckets, a power of two, together wider than the dearest step.

    Returns:
        Cost, the two nodes where the sides meet, and the marks of the nodes.
    """
    total, n_moves = both.shape[0] // 2, jumps.shape[0]
    mark = np.full(total, UNSEEN, np.uint8)
    # Buckets are linked lists in a ring, which is wider than the dearest step: costs that wait at one time never share
    # a slot unless they share the bucket.
    heads, wrap = np.full(ring, -1, np.int32), ring - 1
    item, following = np.empty(total // 4 + 1024, np.uint32), np.empty(total // 4 + 1024, np.int32)
    both[2 * begin], mark[begin] = 0.0, 0
    both[2 * end], mark[end] = 0.0, SIDE
    item[0], item[1], following[0], following[1], heads[0] = begin, end, -1, 0, 1
    used, free, waiting, bucket = 2, -1, 2, 0
    one, two = np.uint64(1), np.uint64(2)
    best, last, meet_u, meet_v = np.inf, np.inf, np.uint64(begin), np.uint64(end)
    while waiting > 0 and bucket <= last:
        entry = heads[bucket & wrap]
        if entry < 0:
            bucket += 1
            continue
        u = np.uint64(item[entry])
        heads[bucket & wrap], following[entry], free = following[entry], free, entry
        waiting -= 1
        # A node that gets cheaper is entered again; its stale entry comes up later.
        if mark[u] & FINAL:
            continue
        mark[u] |= FINAL
        side = mark[u] & SIDE
        u2 = two * u
        cost_u, price_u = both[u2], both[u2 + one]
        for m in range(n_moves):
            v = u + jumps[m]
            v2 = two * v
            known = both[v2]
            value = cost_u + ends[m] * (price_u + both[v2 + one]) + between[m]
            # A step to a settled node of the other side joins the two halves of a whole path.
            meets = not value < known and value + known < best and mark[v] & (FINAL | SIDE) == FINAL | (side ^ SIDE)
            if value < known or meets:  # only then is it worth reading the nodes between
                # The nodes between entered by a lower bound so far; now the exact price takes its place.
                value -= between[m]
                for k in range(pointer[m], pointer[m + 1]):
                    value += weights[k] * both[u2 + offsets[k]]
            if value < known:
                both[v2], mark[v] = value, side | np.uint8(m)
                if free >= 0:
                    entry, free = free, following[free]
                else:
                    if used == item.shape[0]:
                        item = np.concatenate((item, np.empty(used, np.uint32)))
                        following = np.concatenate((following, np.empty(used, np.int32)))
                    entry = used
                    used += 1
                slot = int(value * per_bucket) & wrap
                item[entry], following[entry], heads[slot] = v, heads[slot], entry
                waiting += 1
            elif meets and value + known < best:
                best, meet_u, meet_v = value + known, u, v
                # All is known once half the best cost is settled; one bucket more allows for the bucket's width.
                last = 0.5 * best * per_bucket + 1.0
    return best, meet_u, meet_v, mark
