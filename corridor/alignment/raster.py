"""Least-cost path over a raster of price per metre: no heights, no structures; the plain case, done fast.

With 8 neighbours a step costs the mean of both nodes times its length, as least-cost tools in general have it. The
exact form takes the price as linear over the four triangles of each square and integrates it along each chord; that
integral is a fixed weighted sum of a few nodes, so that longer steps cost little more to price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.raster import MOVE, pad_raster, run_raster
from corridor.alignment.links import build_ground, ground_heights, neighbour_moves
from corridor.errors import AlignmentError

Floats = NDArray[np.float64]
Node = tuple[int, int]

MAX_BUCKETS = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class RasterPath:
    """Cost and nodes (n, 2) of a path, from start to end."""

    cost: float
    nodes: NDArray[np.int64]


def find_raster_path(
    price_per_m: NDArray[np.floating],
    start: Node,
    end: Node,
    cell_m: float = 1.0,
    neighbours: int = 8,
    exact: bool = False,
) -> RasterPath:
    """Find the cheapest path between two nodes of a raster of prices.

    Args:
        price_per_m: (rows, cols), above 0; infinite or NaN is closed.
        start: row and column.
        end: row and column.
        cell_m: side of a cell.
        neighbours: 8, 16 or 32.
        exact: integrate along each step instead of taking the mean of its ends.

    Raises:
        AlignmentError: if a price is not above 0, a terminal is closed or outside, or there is no way.

    >>> find_raster_path(np.ones((3, 5)), (1, 0), (1, 4), 10.0).cost
    40.0
    """
    for name, (r, c) in (("start", start), ("end", end)):
        inside = 0 <= r < price_per_m.shape[0] and 0 <= c < price_per_m.shape[1]
        if not inside or not np.isfinite(price_per_m[r, c]):
            raise AlignmentError(f"{name}: node ({r}, {c}) is outside the raster or closed")
    moves = neighbour_moves(neighbours)
    moves = moves[np.argsort((moves**2).sum(axis=1), kind="stable")]
    reach = int(np.abs(moves).max())
    wide = price_per_m.shape[1] + 2 * reach
    both, cheapest, dearest = pad_raster(np.ascontiguousarray(price_per_m), reach)
    if not cheapest > 0:
        raise AlignmentError("raster prices must be above 0 (use infinity for closed cells)")
    if start == end:
        return RasterPath(0.0, np.array([start]))
    lengths = np.hypot(moves[:, 0], moves[:, 1]) * cell_m
    # No bucket may be wider than the cheapest step, or a node of the lowest one could still become cheaper.
    width = cheapest * float(lengths.min()) * (1 - 1e-9)
    # A power of two, so that a bucket's slot is a mask of its number.
    ring = 1 << (int(dearest * lengths.max() / width) + 3).bit_length()
    if ring > MAX_BUCKETS:
        raise AlignmentError(
            f"raster prices range over a factor of {dearest / cheapest:.3g}: close the dear cells instead"
        )
    ends, pointer, steps, weights = _stencils(moves, cell_m, exact)
    begin, last = ((r + reach) * wide + c + reach for r, c in (start, end))
    jumps = moves[:, 0].astype(np.int64) * wide + moves[:, 1]
    # Costs and prices alternate: the price of a node lies one place after its cost.
    offsets = 2 * (steps[:, 0].astype(np.int64) * wide + steps[:, 1]) + 1
    # The weights of a move sum up to its length: what its ends leave over costs at least the cheapest price, less
    # rounding.
    cost, u, v, mark = run_raster(
        both, begin, last, jumps.astype(np.uint64), ends, (lengths - 2 * ends) * cheapest * (1 - 1e-12), pointer,
        offsets.astype(np.uint64), weights, 1.0 / width, ring,
    )  # fmt: skip
    if not np.isfinite(cost):
        raise AlignmentError("no way between the terminals: closed cells part them")
    # Either node where the sides meet leads back to its own terminal.
    halves = {}
    for node in (int(u), int(v)):
        way = [node]
        while way[-1] not in (begin, last):
            way.append(way[-1] - int(jumps[mark[way[-1]] & MOVE]))
        halves[way[-1]] = way
    nodes = np.array(halves[begin][::-1] + halves[last])
    return RasterPath(float(cost), np.column_stack(np.divmod(nodes, wide)) - reach)


def _stencils(
    moves: NDArray[np.int32], cell_m: float, exact: bool
) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32], Floats]:
    """Weights whose sum is the integral along each move: of either end, then of the nodes between.

    Those are listed move by move as pointer, row and column steps, weights; there are none unless ``exact``.
    """
    ends, pointer, steps, weights = [], [0], [], []
    for dr, dc in moves.tolist():
        length = float(np.hypot(dr, dc)) * cell_m
        between = segment_weights(dr, dc) if exact else {(0, 0): 0.5, (dr, dc): 0.5}
        ends.append(between.pop((0, 0)) * length)
        del between[dr, dc]  # the same: a step is symmetrical
        steps += list(between)
        weights += [weight * length for weight in between.values()]
        pointer.append(len(steps))
    return np.array(ends), np.array(pointer, np.int32), np.array(steps, np.int32).reshape(-1, 2), np.array(weights)


def segment_weights(dr: int, dc: int) -> dict[Node, float]:
    """Weights of nodes in the mean of the triangulated surface along a step, found by unit heights.

    Args:
        dr: rows that the step goes.
        dc: columns that it goes.
    """
    pad = max(abs(dr), abs(dc)) + 1
    crossings = {0.0, 1.0}
    for change in (dr, dc, dr + dc, dr - dc):
        crossings |= {k / abs(change) for k in range(1, abs(change))}
    # The surface is linear between crossings, so that the trapezoid rule is exact there.
    t = np.array(sorted(crossings))
    found: dict[Node, float] = {}
    for r in range(min(0, dr), max(0, dr) + 1):
        for c in range(min(0, dc), max(0, dc) + 1):
            unit = np.zeros((2 * pad + 1, 2 * pad + 1))
            unit[pad + r, pad + c] = 1.0
            values = ground_heights(build_ground(unit, 1.0), pad + t * dr, pad + t * dc)
            weight = float((np.diff(t) * (values[1:] + values[:-1]) / 2).sum())
            if weight > 1e-15:
                found[r, c] = weight
    return found
