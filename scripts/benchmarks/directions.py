"""How much cheaper a path over a raster gets with more directions, beyond those that the search offers: the limit."""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.harness import Row, in_turn
from corridor.alignment.raster import find_raster_path, segment_weights

CASE = "more directions on a rough raster"
GOAL = 0.97
"""Greatest cost with 32 neighbours as a share of the cost with 8."""
Node = tuple[int, int]


def measure(size: int = 2000, levels: tuple[int, ...] = (3, 4)) -> list[Row]:
    """Costs with exact integrals as shares of the cost with 8 neighbours, on prices that vary over 3 cells.

    Args:
        size: rows and columns.
        levels: of wider sets of moves, see :func:`directions`; 2 are the search's 32.
    """
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).normal(size=(size, size)), 3)
    price = (1 + 9 * (noise - noise.min()) / np.ptp(noise)) ** 2
    ends = (round(size * 0.075), size // 20), (round(size * 0.925), round(size * 0.55))
    name = f"{size} x {size}, prices vary over 3 cells"
    found = {8: find_raster_path(price, *ends)}
    rows = []
    for neighbours in (16, 32):
        timed = in_turn({"": lambda count=neighbours: find_raster_path(price, *ends, 1.0, count, True)}, 1)[""]
        found[neighbours] = timed.result
        share = timed.result.cost / found[8].cost
        aimed = neighbours == 32
        rows.append(
            Row(CASE, name, f"corridor, {neighbours} neighbours", timed.seconds, None,
                result=f"{share:.4f} of the cost with 8", goal=f"at most {GOAL:g}" if aimed else "",
                held=share <= GOAL if aimed else None)
        )  # fmt: skip
    for level in levels:
        moves = directions(level)
        cost = cheapest(price, *ends, moves, found[32].cost)
        said = f"{cost / found[8].cost:.4f} of the cost with 8"
        rows.append(Row(CASE, name, f"plain Dijkstra, {len(moves)} directions", None, None, result=said))
    return rows


def directions(level: int) -> list[Node]:
    """Steps (rows, columns) in 8 x 2^level directions: fractions of the Stern-Brocot tree down to a level, mirrored.

    Args:
        level: 0 gives a king's moves, 1 a knight's too.
    """
    row = [(1, 0), (1, 1)]
    for _ in range(level):
        row = [step for a, b in pairwise(row) for step in (a, (a[0] + b[0], a[1] + b[1]))] + [row[-1]]
    turned = [step for r, c in row for step in ((r, c), (c, r))]
    return sorted({(s * r, t * c) for r, c in turned for s in (1, -1) for t in (1, -1)})


def cheapest(price: NDArray[np.float64], start: Node, end: Node, moves: list[Node], bound: float) -> float:
    """The cost of the cheapest path with any moves, each integrated exactly.

    Args:
        price: per unit of length, (rows, cols).
        start: row and column.
        end: row and column.
        moves: rows and columns that a step may go.
        bound: a cost that it can't exceed.
    """
    reach = max(abs(step) for move in moves for step in move)
    padded = np.pad(price, reach, constant_values=np.inf)
    wide = padded.shape[1]
    pointer, offsets, weights = [0], [], []
    for move in moves:
        for (r, c), weight in segment_weights(*move).items():
            offsets.append(r * wide + c)
            weights.append(weight * float(np.hypot(*move)))
        pointer.append(len(offsets))
    jumps = [r * wide + c for r, c in moves]
    first, last = ((r + reach) * wide + c + reach for r, c in (start, end))
    table = (np.array(values) for values in (jumps, pointer, offsets, weights))
    return float(_dijkstra(padded.ravel(), first, last, *table, bound * (1 + 1e-9)))


@njit
def _dijkstra(
    price: Any, first: Any, last: Any, jumps: Any, pointer: Any, offsets: Any, weights: Any, bound: Any
) -> Any:
    cost = np.full(len(price), np.inf)
    settled = np.zeros(len(price), np.bool_)
    cost[first] = 0.0
    heap = [(0.0, first)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if node == last:
            return so_far
        if settled[node]:
            continue
        settled[node] = True
        for move in range(len(jumps)):
            to = node + jumps[move]
            if settled[to] or price[to] == np.inf:
                continue
            value = so_far
            for k in range(pointer[move], pointer[move + 1]):
                value += weights[k] * price[node + offsets[k]]
            if value < cost[to] and value <= bound:
                cost[to] = value
                heapq.heappush(heap, (value, to))
    return np.inf
