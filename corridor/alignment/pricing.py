"""What a line is made of and what it costs, by the walk that the search uses and by an independent one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.chords import (
    BENCH,
    EARTH,
    IN_GALLERY,
    ON_HALF_BRIDGE,
    TRACED,
    choose_kinds,
    new_scratch,
    pack_parameters,
    walk_chord,
    walk_line,
)
from corridor.alignment.links import Ground, build_ground, cross_slopes, ground_heights
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard, LinePrice, PriceRange, Structure, UnitCosts
from corridor.schema.fields import Grid
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]

KINDS = (
    LineKind.SURFACE,
    LineKind.BRIDGE,
    LineKind.TUNNEL,
    LineKind.BENCH,
    LineKind.GALLERY,
    LineKind.HALF_BRIDGE,
)
"""Kinds by their numbers here: the states of a search first, then how open line is built."""
OPEN_KINDS = {EARTH: 0, BENCH: 3, IN_GALLERY: 4, ON_HALF_BRIDGE: 5}


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Consecutive pieces of a line, each of one kind, with linear depth.

    ``from_m``, ``to_m``: chainage; ``depth_from_m``, ``depth_to_m``: below ground; ``open_m``: length weighted by
    earthwork and cross-slope, as if it were level open line, of which ``wall_m`` for walls; ``kind``: place in
    ``KINDS``.
    """

    from_m: Floats
    to_m: Floats
    depth_from_m: Floats
    depth_to_m: Floats
    open_m: Floats
    wall_m: Floats
    kind: NDArray[np.int64]


def change_prices(costs: UnitCosts) -> Floats:
    """Price of changing from kind to kind, (3, 3), in million USD."""
    ab, po = costs.abutment.mid, costs.portal.mid
    return np.array([[0.0, ab, po], [ab, 0.0, ab + po], [po, ab + po, 0.0]])


def split_line(points: Floats, ground: Ground, standard: DesignStandard, costs: UnitCosts) -> Pieces:
    """Cut a line into pieces of the cheapest sequence of kinds; both ends of the line are in the open.

    Args:
        points: (n, 3) fractional rows, columns and heights in metres; straight with constant grade between.
        ground: the surface.
        standard: limits of the kinds.
        costs: unit prices; the middle ones choose.

    Raises:
        AlignmentError: if some stretch of the line is of no allowed kind, with its chainage.
    """
    p = pack_parameters(ground, standard, costs)
    cost, scratch = np.array([0.0, np.inf, np.inf]), new_scratch()
    trace = np.empty((_trace_rows(points), TRACED))
    metres = np.hypot(np.diff(points[:, 1]) * ground.dx_m, np.diff(points[:, 0]) * ground.dy_m)
    along_m = np.concatenate([[0.0], np.cumsum(metres)])
    used, walked = walk_line(ground.arrays, np.ascontiguousarray(points), along_m, p, cost, scratch, trace)
    if walked < len(metres):
        begin_km, end_km = along_m[walked : walked + 2] / 1000
        raise AlignmentError(
            f"line: no allowed kind between {begin_km:.3f} and {end_km:.3f} km "
            "(too high for a bridge, or closed by the mask)"
        )
    return _choose(trace[:used], change_prices(costs))


def find_closed(points: Floats, ground: Ground, standard: DesignStandard, costs: UnitCosts) -> Floats:
    """Chainage of the middles of those stretches between points on which no kind is allowed all along.

    Args:
        points: fractional rows, columns and heights, shape (n, 3).
        ground: the ground's surface.
        standard: the design standard to keep.
        costs: prices by kind.
    """
    p = pack_parameters(ground, standard, costs)
    arrays, scratch = ground.arrays, new_scratch()
    metres = np.hypot(np.diff(points[:, 0]) * ground.dy_m, np.diff(points[:, 1]) * ground.dx_m)
    middles = np.cumsum(metres) - 0.5 * metres
    closed = [
        walk_chord(arrays, *a, *b, p, np.zeros(3), np.inf, scratch, scratch.no_trace, 0, 0.0) < 0
        for a, b in pairwise(points)
    ]
    return np.asarray(middles[np.array(closed, dtype=bool)])


def _trace_rows(points: Floats) -> int:
    """Room for every piece: each crossing can be split by seven thresholds and eight roots."""
    crossings = np.abs(np.diff(points[:, :2], axis=0)).sum() * 4 + 6 * len(points)
    return int(crossings * 16) + 64


def _choose(trace: Floats, change: Floats) -> Pieces:
    """The cheapest sequence of kinds that the costs by kind allow."""
    kinds = np.empty(len(trace), dtype=np.int64)
    choose_kinds(trace, change, kinds)
    opened = kinds == 0
    kinds[opened] = np.array([OPEN_KINDS[built] for built in range(4)])[trace[opened, 8].astype(int)]
    return Pieces(trace[:, 0], trace[:, 1], trace[:, 2], trace[:, 3], trace[:, 4], trace[:, 9], kinds)


def structures_of(pieces: Pieces) -> tuple[Structure, ...]:
    """Runs of pieces of one kind, all but open line on earth slopes."""
    found = []
    starts = np.flatnonzero(np.diff(pieces.kind, prepend=-1))
    for a, b in zip(starts, [*starts[1:], len(pieces.kind)], strict=True):
        if pieces.kind[a]:
            depth = np.concatenate([pieces.depth_from_m[a:b], pieces.depth_to_m[a:b]])
            kind = KINDS[int(pieces.kind[a])]
            found.append(
                Structure(kind, float(pieces.from_m[a]), float(pieces.to_m[b - 1]), float(np.abs(depth).max()))
            )
    return tuple(found)


def price_pieces(pieces: Pieces, standard: DesignStandard, costs: UnitCosts) -> LinePrice:
    """Price by kind, low, middle and high, of a line that was cut into pieces (kinds as the middle prices chose).

    Args:
        pieces: of the line, in order.
        standard: the design standard to keep.
        costs: prices by kind.
    """
    height = 0.5 * (np.abs(pieces.depth_from_m) + np.abs(pieces.depth_to_m))
    return _sum_up(pieces.kind, pieces.to_m - pieces.from_m, height, pieces.open_m, pieces.wall_m, standard, costs)


def _sum_up(
    kinds: NDArray[np.int64],
    metres: Floats,
    height: Floats,
    open_m: Floats,
    wall_m: Floats,
    standard: DesignStandard,
    costs: UnitCosts,
) -> LinePrice:
    """Quantities and prices of stretches whose kinds, lengths, mean heights and weighted lengths are known."""
    km: dict[LineKind, float] = {}
    musd: dict[LineKind, PriceRange] = {}
    taller = (1.0 + height / standard.bridge_doubles_m) / (
        1.0 + standard.bridge_reference_m / standard.bridge_doubles_m
    )
    # What walls add is counted in level open line, at whose middle price it is worth so many walls.
    walls = costs.surface * 0.0 if costs.retaining_wall is None else costs.retaining_wall
    walls = walls * (costs.surface.mid / walls.mid if walls.mid else 0.0)
    for number, kind in enumerate(KINDS):
        of = kinds == number
        if not of.any():
            continue
        km[kind] = float(metres[of].sum()) / 1000.0
        if kind == LineKind.BRIDGE:
            musd[kind] = costs.bridge * (float((metres * taller)[of].sum()) / 1000.0)
        elif kind in (LineKind.SURFACE, LineKind.BENCH):
            for_walls = float(wall_m[of].sum()) / 1000.0
            musd[kind] = costs.surface * (float(open_m[of].sum()) / 1000.0 - for_walls) + walls * for_walls
        else:
            flat = {LineKind.GALLERY: costs.gallery, LineKind.HALF_BRIDGE: costs.half_bridge}.get(kind, costs.tunnel)
            musd[kind] = (flat or costs.tunnel) * km[kind]
    # Both ends are in the open, so that a structure that reaches one has its portal or abutment there too. Ways to
    # build open line follow each other without either.
    along = np.concatenate([[0], np.where(kinds > 2, 0, kinds), [0]])
    changed = along[1:] != along[:-1]
    abutments = int((changed & ((along[1:] == 1) | (along[:-1] == 1))).sum())
    portals = int((changed & ((along[1:] == 2) | (along[:-1] == 2))).sum())
    return LinePrice(km, musd, portals, abutments, costs.portal * portals + costs.abutment * abutments)


def price_reused(length_km: float, costs: UnitCosts) -> LinePrice:
    """Price of a stretch of old formation: an upgrade per kilometre, its structures included."""
    reused = LineKind.REUSED
    return LinePrice({reused: length_km}, {reused: costs.upgrade * length_km}, 0, 0, PriceRange(0.0, 0.0, 0.0))


def add_prices(prices: Sequence[LinePrice]) -> LinePrice:
    """The price of stretches one after the other."""
    return reduce(add, prices)


# --- A second opinion on a price: from the heights alone, by walking the line in short steps ---
# Shares nothing with the compiled walk but the definition of the ground, and that in a form of its own.


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
    """The same for a line given by fractional rows, columns and heights.

    Args:
        points: fractional rows, columns and heights, shape (n, 3).
        ground: the ground's surface.
        standard: the design standard to keep.
        costs: prices by kind.
        step_m: length of a step at most.
    """
    metres, depth, slope, walls = _sample(points, ground, standard, costs, step_m)
    doubling = np.where(depth > 0, standard.cut_doubles_m, standard.fill_doubles_m)
    weight = 1.0 + (depth / doubling) ** 2 + slope
    taller = 1.0 + np.clip(-depth, 0.0, None) / standard.bridge_doubles_m
    taller /= 1.0 + standard.bridge_reference_m / standard.bridge_doubles_m
    # The ways to build open line: on a hillside that wants walls a gallery or a half-bridge may be cheaper.
    hillside = walls > 0
    ways = {0: np.where(hillside, np.inf, costs.surface.mid * weight), 3: np.where(hillside, weight, np.inf)}
    ways[3] = ways[3] * costs.surface.mid
    if costs.gallery:
        ways[4] = np.where(hillside & (depth >= 0) & (depth <= standard.min_tunnel_depth_m), costs.gallery.mid, np.inf)
    if costs.half_bridge:
        low = (depth < 0) & (-depth <= standard.min_bridge_height_m)
        ways[5] = np.where(hillside & low, costs.half_bridge.mid, np.inf)
    number, price = np.array(list(ways)), np.stack(list(ways.values()))
    per_km = np.stack([price.min(axis=0), costs.bridge.mid * taller, np.full_like(depth, costs.tunnel.mid)])
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
    kinds = np.where(kinds == 0, number[price.argmin(axis=0)], kinds)
    return _sum_up(kinds, metres, np.abs(depth), metres * weight, metres * walls, standard, costs)


def _sample(
    points: Floats, ground: Ground, standard: DesignStandard, costs: UnitCosts, step_m: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """In the middle of each step: its length, the depth below ground, the surcharge for the cross-slope, and what of
    that is for walls (both in prices of level open line).
    """
    steep = (standard.bench_cross_slope / standard.cross_slope_doubles) ** 2 if costs.retaining_wall else np.inf

    def surcharge(squared: Floats) -> Floats:
        earth = squared / standard.cross_slope_doubles**2
        if costs.retaining_wall is None:
            return earth
        beyond = np.clip(squared - standard.bench_cross_slope**2, 0.0, None)
        return np.minimum(earth, steep) + beyond * costs.retaining_wall.mid / costs.surface.mid

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
        slope = cross_slopes(ground, rows, cols, np.full(n, d_row), np.full(n, d_col), surcharge)
        parts.append(np.stack([np.full(n, length / n), depth, slope, np.clip(slope - steep, 0.0, None)]))
    metres, depth, slope, walls = np.concatenate(parts, axis=1)
    return metres, depth, slope, walls


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
