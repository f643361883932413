"""What a line is made of and what it costs, by the walk that the search uses and by an independent one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.chords import new_scratch, pack_parameters, walk_chord
from corridor.alignment.links import Ground, build_ground, cross_slopes, ground_heights
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard, LinePrice, PriceRange, Structure, UnitCosts
from corridor.schema.fields import Grid
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]

KINDS = (LineKind.SURFACE, LineKind.BRIDGE, LineKind.TUNNEL)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Consecutive pieces of a line, each of one kind, with linear depth.

    ``from_m``, ``to_m``: chainage; ``depth_from_m``, ``depth_to_m``: below ground; ``open_m``: length weighted by
    earthwork, as if it were open line; ``kind``: 0 open line, 1 bridge, 2 tunnel.
    """

    from_m: Floats
    to_m: Floats
    depth_from_m: Floats
    depth_to_m: Floats
    open_m: Floats
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
    trace = np.zeros((_trace_rows(points), 8))
    used, chainage = 0, 0.0
    for a, b in pairwise(points):
        done = walk_chord(ground.arrays, *a, *b, p, cost, np.inf, scratch, trace, used, chainage)
        metres = float(np.hypot((b[0] - a[0]) * ground.dy_m, (b[1] - a[1]) * ground.dx_m))
        if done < 0:
            raise AlignmentError(
                f"line: no allowed kind between {chainage / 1000:.3f} and {(chainage + metres) / 1000:.3f} km "
                "(too high for a bridge, or closed by the mask)"
            )
        used, chainage = done, chainage + metres
    return _choose(trace[:used], change_prices(costs))


def find_closed(points: Floats, ground: Ground, standard: DesignStandard, costs: UnitCosts) -> Floats:
    """Chainage of the middles of those stretches between points on which no kind is allowed all along."""
    p = pack_parameters(ground, standard, costs)
    scratch = new_scratch()
    metres = np.hypot(np.diff(points[:, 0]) * ground.dy_m, np.diff(points[:, 1]) * ground.dx_m)
    middles = np.cumsum(metres) - 0.5 * metres
    closed = [
        walk_chord(ground.arrays, *a, *b, p, np.zeros(3), np.inf, scratch, scratch.no_trace, 0, 0.0) < 0
        for a, b in pairwise(points)
    ]
    return np.asarray(middles[np.array(closed, dtype=bool)])


def _trace_rows(points: Floats) -> int:
    """Room for every piece: each crossing can be split by eight thresholds and four roots."""
    crossings = np.abs(np.diff(points[:, :2], axis=0)).sum() * 4 + 6 * len(points)
    return int(crossings * 11) + 64


def _choose(trace: Floats, change: Floats) -> Pieces:
    """Walk back through the costs by kind and read off the cheapest sequence of kinds."""
    kinds = np.zeros(len(trace), dtype=np.int64)
    # The line ends in the open. Costs by kind after each piece and the price of the change decide which kind came
    # before.
    after = 0
    for i in range(len(trace) - 1, -1, -1):
        after = int(np.argmin(trace[i, 5:8] + change[:, after]))
        kinds[i] = after
    return Pieces(trace[:, 0], trace[:, 1], trace[:, 2], trace[:, 3], trace[:, 4], kinds)


def structures_of(pieces: Pieces) -> tuple[Structure, ...]:
    """Bridges and tunnels as runs of pieces of one kind."""
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


def price_pieces(pieces: Pieces, costs: UnitCosts) -> LinePrice:
    """Price by kind, low, middle and high, of a line that was cut into pieces (kinds as the middle prices chose)."""
    metres = pieces.to_m - pieces.from_m
    by_kind = [float(metres[pieces.kind == k].sum()) / 1000.0 for k in range(3)]
    open_km = float(pieces.open_m[pieces.kind == 0].sum()) / 1000.0
    # Both ends are in the open, so that a structure that reaches one has its portal or abutment there too.
    along = np.concatenate([[0], pieces.kind, [0]])
    changed = along[1:] != along[:-1]
    abutments = int((changed & ((along[1:] == 1) | (along[:-1] == 1))).sum())
    portals = int((changed & ((along[1:] == 2) | (along[:-1] == 2))).sum())
    nothing = PriceRange(0.0, 0.0, 0.0)
    return LinePrice(
        surface_km=by_kind[0],
        surface_equivalent_km=open_km,
        bridge_km=by_kind[1],
        tunnel_km=by_kind[2],
        reused_km=0.0,
        portals=portals,
        abutments=abutments,
        surface=costs.surface * open_km,
        bridge=costs.bridge * by_kind[1],
        tunnel=costs.tunnel * by_kind[2],
        reused=nothing,
        ends=costs.portal * portals + costs.abutment * abutments,
    )


def price_reused(length_km: float, costs: UnitCosts) -> LinePrice:
    """Price of a stretch of old formation: an upgrade per kilometre, its structures included."""
    none = PriceRange(0.0, 0.0, 0.0)
    return LinePrice(0.0, 0.0, 0.0, 0.0, length_km, 0, 0, none, none, none, costs.upgrade * length_km, none)


def add_prices(prices: Sequence[LinePrice]) -> LinePrice:
    """The price of stretches one after the other."""
    total = prices[0]
    for price in prices[1:]:
        total = LinePrice(*(getattr(total, f.name) + getattr(price, f.name) for f in fields(LinePrice)))
    return total


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
