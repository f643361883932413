"""A second opinion on a price: from the heights alone, by walking the line in short steps.

Shares nothing with the compiled walk but the definition of the ground, and that in a form of its own.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.ground import Ground, build_ground, cross_slopes, ground_heights
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard, LinePrice, PriceRange, UnitCosts
from corridor.schema.grid import Grid

Floats = NDArray[np.float64]


def price_line(
    line: Floats,
    heights: NDArray[np.floating],
    grid: Grid,
    standard: DesignStandard,
    costs: UnitCosts,
    step_m: float = 2.0,
) -> LinePrice:
    """Price a line by steps of ``step_m`` over the heights of a grid in a metric reference system.

    Each step is open line, bridge or tunnel, at the price in its middle; the sequence with the lowest sum of steps,
    portals and abutments is taken, starting and ending in the open.

    Args:
        line: (n, 3) x, y in the grid's system and height in metres.
        heights: (rows, cols) at pixel centres, in metres.
        grid: frame of the heights.
        standard: limits of the kinds.
        costs: unit prices.
        step_m: length of a step.

    Raises:
        AlignmentError: if a stretch of the line is of no allowed kind.
    """
    rows, cols = grid.fractional_index(line[:, 0], line[:, 1])
    ground = build_ground(heights, abs(grid.transform.a), abs(grid.transform.e))
    return price_steps(np.column_stack([rows, cols, line[:, 2]]), ground, standard, costs, step_m)


def price_steps(
    points: Floats, ground: Ground, standard: DesignStandard, costs: UnitCosts, step_m: float = 2.0
) -> LinePrice:
    """The same for a line given by fractional rows, columns and heights."""
    metres, depth, cross2 = _sample(points, ground, step_m)
    doubling = np.where(depth > 0, standard.cut_doubles_m, standard.fill_doubles_m)
    weight = 1.0 + (depth / doubling) ** 2 + cross2 / standard.cross_slope_doubles**2
    per_km = np.stack(
        [costs.surface.mid * weight, np.full_like(depth, costs.bridge.mid), np.full_like(depth, costs.tunnel.mid)]
    )
    allowed = np.stack(
        [
            (depth <= standard.max_cut_m) & (depth >= -standard.max_fill_m),
            (-depth >= standard.min_bridge_height_m) & (-depth <= standard.max_bridge_height_m),
            depth >= standard.min_tunnel_depth_m,
        ]
    )
    # argmin finds the first step that is of no allowed kind.
    if not allowed.any(axis=0).all():
        at = float(metres[: int(np.argmin(allowed.any(axis=0)))].sum()) / 1000.0
        raise AlignmentError(f"line: no allowed kind at {at:.3f} km (too high for a bridge)")
    kinds = _cheapest_kinds(np.where(allowed, per_km * metres / 1000.0, np.inf), costs)
    return _sum_up(kinds, metres, weight, costs)


def _sample(points: Floats, ground: Ground, step_m: float) -> tuple[Floats, Floats, Floats]:
    """Step lengths, depths below ground and squared cross-slopes in the middle of each step."""
    parts = []
    for a, b in pairwise(points):
        d_row, d_col = b[0] - a[0], b[1] - a[1]
        length = float(np.hypot(d_row * ground.dy_m, d_col * ground.dx_m))
        if length == 0.0:
            continue
        n = max(int(np.ceil(length / step_m)), 1)
        at = (np.arange(n) + 0.5) / n
        rows, cols = a[0] + at * d_row, a[1] + at * d_col
        depth = ground_heights(ground, rows, cols) - (a[2] + at * (b[2] - a[2]))
        cross2 = cross_slopes(ground, rows, cols, np.full(n, d_row), np.full(n, d_col))
        parts.append(np.stack([np.full(n, length / n), depth, cross2]))
    metres, depth, cross2 = np.concatenate(parts, axis=1)
    return metres, depth, cross2


def _cheapest_kinds(price: Floats, costs: UnitCosts) -> NDArray[np.int64]:
    """Kinds per step with the lowest sum of prices and changes (Viterbi's recursion), open at both ends."""
    ab, po = costs.abutment.mid, costs.portal.mid
    change = np.array([[0.0, ab, po], [ab, 0.0, ab + po], [po, ab + po, 0.0]])
    best = np.array([0.0, np.inf, np.inf])
    came_from = np.zeros((price.shape[1], 3), dtype=np.int64)
    for i in range(price.shape[1]):
        ways = best[:, None] + change
        came_from[i] = ways.argmin(axis=0)
        best = ways.min(axis=0) + price[:, i]
    kinds = np.zeros(price.shape[1], dtype=np.int64)
    # What ends in a structure still has to come out of it.
    last = int(np.argmin(best + change[:, 0]))
    for i in range(price.shape[1] - 1, -1, -1):
        kinds[i] = last
        last = int(came_from[i, last])
    return kinds


def _sum_up(kinds: NDArray[np.int64], metres: Floats, weight: Floats, costs: UnitCosts) -> LinePrice:
    """Quantities and prices of a line whose kinds are known step by step."""
    km = [float(metres[kinds == k].sum()) / 1000.0 for k in range(3)]
    open_km = float((metres * weight)[kinds == 0].sum()) / 1000.0
    padded = np.concatenate([[0], kinds, [0]])
    pairs = list(pairwise(padded))
    abutments = sum(1 for a, b in pairs if a != b and 1 in (a, b))
    portals = sum(1 for a, b in pairs if a != b and 2 in (a, b))
    return LinePrice(
        *(km[0], open_km, km[1], km[2], 0.0, portals, abutments),
        surface=costs.surface * open_km,
        bridge=costs.bridge * km[1],
        tunnel=costs.tunnel * km[2],
        reused=PriceRange(0.0, 0.0, 0.0),
        ends=costs.portal * portals + costs.abutment * abutments,
    )
