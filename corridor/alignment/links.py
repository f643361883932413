"""The ground as a surface, and which of its nodes a link may join."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import allocating, kernel, pasted
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard

# --- One single-valued ground surface, shared by the search and by every price ---
# Heights belong to nodes (pixel centres). Each square of four nodes is cut into four triangles at its centre, whose
# height is the mean of the four: the ground between nodes is then defined once, whichever way a line crosses it, and
# no line can lie on a ground of its own making. The steepness that counts as cross-slope is taken from central
# differences at the nodes and runs linearly over the same triangles.

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN201


Floats = NDArray[np.float64]

NO_SURFACE = 1
NO_BRIDGE = 2
NO_TUNNEL = 4
CLOSED = NO_SURFACE | NO_BRIDGE | NO_TUNNEL
BLOCK = 8  # cells along the side of a block whose lowest height is kept


class GroundArrays(NamedTuple):
    """What compiled walks read of a ground (see ``Ground``).

    Most is flat: a walk goes from node to node by their numbers, and to flatten an array anew at each of its millions
    of calls takes a twentieth of a search.
    """

    grid: NDArray[np.float64]
    z: NDArray[np.float64]
    slope: NDArray[np.float32]
    steepest: NDArray[np.float32]
    friction: NDArray[np.float32]
    shut: NDArray[np.uint8]
    floors: NDArray[np.float64]
    mask: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Node heights with what steers a line over them.

    ``z`` is (rows, cols) in metres; ``slope`` (rows, cols, 2) holds the tangents of the ground along rows and along
    columns; ``mask`` is (rows, cols) of bits that forbid a kind (0 x 0: no mask); ``friction`` is (rows, cols) in
    million USD per km added to open line while searching and never reported (0 x 0: none). ``dx_m`` and ``dy_m`` are
    the cell's width and height in metres; ``steepest`` (rows, cols) holds the tangent of the steepest triangle in the
    cell that begins at a node and the eight around it; ``shut`` (rows, cols) all bits of the corners of the square that
    begins at a node (0 x 0: no mask).
    """

    z: Floats
    slope: NDArray[np.float32]
    floors: Floats
    mask: NDArray[np.uint8]
    friction: NDArray[np.float32]
    dx_m: float
    dy_m: float
    steepest: NDArray[np.float32]
    shut: NDArray[np.uint8]

    @property
    def arrays(self) -> GroundArrays:
        """What compiled walks read."""
        flat = self.slope.reshape(-1, 2), self.steepest.ravel(), self.friction.ravel(), self.shut.ravel()
        return GroundArrays(self.z, self.z.ravel(), *flat, self.floors, self.mask)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of nodes."""
        return (int(self.z.shape[0]), int(self.z.shape[1]))


def build_ground(
    heights: NDArray[np.floating],
    dx_m: float,
    dy_m: float | None = None,
    mask: NDArray[np.integer] | None = None,
    friction_musd_per_km: NDArray[np.floating] | None = None,
) -> Ground:
    """Make the surface from node heights.

    Nodes without a height (NaN) are closed to every kind. In a mask, bit 1 forbids open line, bit 2 bridges, bit 4
    tunnels; a kind that is forbidden at a node is forbidden in every triangle that has the node as a corner, so that
    no line slips between two forbidden nodes that touch by a corner.

    Args:
        heights: node heights in metres, (rows, cols), at least 2 x 2.
        dx_m: distance between columns in metres.
        dy_m: distance between rows in metres; the same as ``dx_m`` if left out.
        mask: bits per node, (rows, cols).
        friction_musd_per_km: 0 or more per node, (rows, cols).

    Raises:
        AlignmentError: if shapes differ, a cell size is not above 0 or friction is negative.
    """
    z = np.array(heights, dtype=np.float64, order="C")
    dy = dx_m if dy_m is None else dy_m
    if z.ndim != 2 or min(z.shape) < 2:
        raise AlignmentError(f"heights: expected at least 2 x 2 nodes, got {z.shape}")
    if not (dx_m > 0 and dy > 0):
        raise AlignmentError(f"cell size: must be above 0, got {dx_m} x {dy} m")
    bits = np.zeros((0, 0), dtype=np.uint8)
    if mask is not None:
        if mask.shape != z.shape:
            raise AlignmentError(f"mask: shape {mask.shape} differs from that of the heights {z.shape}")
        bits = np.ascontiguousarray(mask, dtype=np.uint8)
    missing = ~np.isfinite(z)
    if missing.any():
        bits = np.where(missing, np.uint8(CLOSED), bits if bits.size else np.uint8(0)).astype(np.uint8)
        # Closed nodes still are corners of triangles: they need some height that leaves slopes finite.
        z[missing] = float(np.nanmean(z)) if not missing.all() else 0.0
    steer = np.zeros((0, 0), dtype=np.float32)
    if friction_musd_per_km is not None:
        steer = np.ascontiguousarray(friction_musd_per_km, dtype=np.float32)
        if steer.shape != z.shape or not (steer >= 0).all():
            raise AlignmentError("friction: needs one value of 0 or more per node")
    return Ground(
        z,
        _node_slopes(z, dx_m, dy),
        _block_floors(z, bits),
        bits,
        steer,
        float(dx_m),
        float(dy),
        _steepest_around(z, dx_m, dy),
        _around_squares(bits),
    )


def _around_squares(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All bits of the corners of the square that begins at each node; of those that there are at the rim."""
    out = bits.copy()
    out[:-1] |= bits[1:]
    out[:, :-1] |= out[:, 1:].copy()
    return out


@allocating
def _node_slopes(z, dx, dy):
    """Central differences (one-sided at the rim) along rows and columns."""
    rows, cols = z.shape
    out = np.empty((rows, cols, 2), np.float32)
    for r in range(rows):
        up, down = max(r - 1, 0), min(r + 1, rows - 1)
        for c in range(cols):
            left, right = max(c - 1, 0), min(c + 1, cols - 1)
            out[r, c, 0] = (z[down, c] - z[up, c]) / ((down - up) * dy)
            out[r, c, 1] = (z[r, right] - z[r, left]) / ((right - left) * dx)
    return out


@allocating
def _steepest_around(z, dx, dy):
    """Tangent of the steepest triangle in each cell and the eight around it, rounded up."""
    rows, cols = z.shape
    out = np.zeros((rows, cols), np.float32)
    for r in range(rows - 1):
        for c in range(cols - 1):
            a, b, d, e = z[r, c], z[r, c + 1], z[r + 1, c], z[r + 1, c + 1]
            # A triangle has one side of the square and the centre: its tangent along the side is the side's, across it
            # that of the square's means.
            across, along = 0.5 * (d + e - a - b) / dy, 0.5 * (b + e - a - d) / dx
            most = max(((b - a) / dx) ** 2 + across**2, ((e - d) / dx) ** 2 + across**2)
            most = max(most, ((d - a) / dy) ** 2 + along**2, ((e - b) / dy) ** 2 + along**2)
            tangent = np.float32(np.sqrt(most) * (1.0 + 1e-6))
            for i in range(max(r - 1, 0), min(r + 2, rows)):
                for j in range(max(c - 1, 0), min(c + 2, cols)):
                    out[i, j] = max(out[i, j], tangent)
    return out


@allocating
def _block_floors(z, mask):
    """Lowest node of each block of cells, nodes on its rim included."""
    rows, cols = z.shape
    out = np.full(((rows - 2) // BLOCK + 1, (cols - 2) // BLOCK + 1), np.inf)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for r in range(i * BLOCK, min((i + 1) * BLOCK, rows - 1) + 1):
                for c in range(j * BLOCK, min((j + 1) * BLOCK, cols - 1) + 1):
                    out[i, j] = min(out[i, j], z[r, c])
                    # A block is a short cut for tunnels: where one is forbidden anywhere in it, none may be taken.
                    if mask.size > 0 and mask[r, c] & 4:
                        out[i, j] = -np.inf
    return out


@pasted
def corner_weights(u, v):
    """Weights of the corners (top-left, top-right, bottom-left, bottom-right) at (u along columns, v along rows).

    Each of the four triangles has two corners and the centre, whose weight is spread evenly over all four.
    """
    a, b = (u if u < 1.0 - u else 1.0 - u), (v if v < 1.0 - v else 1.0 - v)
    near = a if a < b else b  # distance from the nearest side: half the weight of the centre
    quarter = 0.5 * near
    if b <= a:
        if v <= 0.5:
            return quarter + 1.0 - v - u, quarter + u - v, quarter, quarter
        return quarter, quarter, quarter + v - u, quarter + u + v - 1.0
    if u <= 0.5:
        return quarter + 1.0 - u - v, quarter, quarter + v - u, quarter
    return quarter, quarter + u - v, quarter, quarter + u + v - 1.0


def ground_heights(ground: Ground, rows: Floats, cols: Floats) -> Floats:
    """Heights of the surface at fractional node positions, in metres.

    Written apart from the compiled walk along chords, so that one can check the other.

    Args:
        ground: the ground's surface.
        rows: fractional, shape (n,).
        cols: likewise.

    >>> g = build_ground(np.array([[0.0, 0.0], [0.0, 4.0]]), 100.0)
    >>> ground_heights(g, np.array([0.5, 0.5]), np.array([0.5, 0.75])).tolist()
    [1.0, 1.5]
    """
    return _on_triangles(ground.z, rows, cols)


def cross_slopes(
    ground: Ground,
    rows: Floats,
    cols: Floats,
    d_row: Floats,
    d_col: Floats,
    surcharge: Callable[[Floats], Floats] = lambda squared: squared,
) -> Floats:
    """What the cross-slope adds at points of a line that heads (d_row, d_col) in cells, as search and prices use it.

    Args:
        ground: the surface.
        rows: fractional rows of the points.
        cols: their fractional columns.
        d_row: steps of the line along rows.
        d_col: steps along columns.
        surcharge: of the squared cross-slope at nodes, between which it runs linearly over the triangles.

    Returns:
        The surcharge at each point; the squared cross-slope itself if none is given.
    """
    east, south = d_col * ground.dx_m, d_row * ground.dy_m
    length = np.hypot(east, south)
    total = np.zeros(np.broadcast(rows, cols).shape)
    r0, c0, weights = _corners(ground.shape, rows, cols)
    for (step_r, step_c), weight in weights.items():
        gr = ground.slope[r0 + step_r, c0 + step_c, 0].astype(float)
        gc = ground.slope[r0 + step_r, c0 + step_c, 1].astype(float)
        total += weight * surcharge(((gr * east - gc * south) / length) ** 2)
    return total


def _corners(
    shape: tuple[int, int], rows: Floats, cols: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[tuple[int, int], Floats]]:
    """The square that each point lies in and the barycentric weights of its corners."""
    r0 = np.clip(np.floor(rows).astype(np.int64), 0, shape[0] - 2)
    c0 = np.clip(np.floor(cols).astype(np.int64), 0, shape[1] - 2)
    v, u = rows - r0, cols - c0
    centre = 2.0 * np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    # The rest of the weight goes to the two corners of the nearest side.
    by_row = np.minimum(v, 1 - v) <= np.minimum(u, 1 - u)
    along = np.where(by_row, u, v) - centre / 2
    rest = 1.0 - centre
    far, near = along, rest - along
    top, left = v <= 0.5, u <= 0.5
    zero = np.zeros_like(u)
    weights = {
        (0, 0): np.where(by_row, np.where(top, near, zero), np.where(left, near, zero)),
        (0, 1): np.where(by_row, np.where(top, far, zero), np.where(left, zero, near)),
        (1, 0): np.where(by_row, np.where(top, zero, near), np.where(left, far, zero)),
        (1, 1): np.where(by_row, np.where(top, zero, far), np.where(left, zero, far)),
    }
    return r0, c0, {corner: weight + centre / 4 for corner, weight in weights.items()}


def _on_triangles(values: NDArray[np.floating], rows: Floats, cols: Floats) -> Floats:
    """Piecewise-linear interpolation of node values over the triangles."""
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    r0, c0, weights = _corners((values.shape[0], values.shape[1]), rows, cols)
    total = np.zeros(np.broadcast(rows, cols).shape)
    for (step_r, step_c), weight in weights.items():
        total += weight * values[r0 + step_r, c0 + step_c]
    return total


DEFAULT_OFFSETS_M = (-20.0, -10.0, -5.0, 0.0, 7.0, 14.0)
DENSE_CELLS = 8.0  # searches that only look for a line leave out some of the links that are longer than this

_STEPS = {
    8: ((0, 1), (1, 1)),
    16: ((0, 1), (1, 1), (1, 2)),
    32: ((0, 1), (1, 1), (1, 2), (1, 3), (2, 3)),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A search that only finds out where the next one has to look.

    It runs both ways with fewer links, over cells ``factor`` times as large, at all ``levels`` or on the ground
    alone, and keeps the nodes that a line within ``near_factor`` of the cheapest can pass, and what lies within
    ``dilate_cells`` of its own cells of them. Coarser cells have fewer levels than the search itself; with ``few`` they
    have no more where they are as fine.
    """

    factor: int
    near_factor: float
    levels: bool = False
    few: bool = False
    dilate_cells: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no stage.

        Raises:
            AlignmentError: naming what is wrong.
        """
        if self.factor < 1 or self.near_factor < 1:
            raise AlignmentError(
                f"narrowing stage: factor and near_factor must be 1 or more, got {self.factor}, {self.near_factor:g}"
            )
        if self.dilate_cells < 0:
            raise AlignmentError(f"narrowing stage: dilate_cells must be 0 or more, got {self.dilate_cells}")


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How the search lays links.

    ``offsets_m`` are the heights above the ground (negative: below) that a node may be passed at; 0 must be among
    them, because terminals lie on the ground. ``max_structure_km`` bounds structure links; links from and to the
    terminals go as far as ``max_direct_km`` (None: any distance), because a base tunnel often starts right there.
    ``narrowing`` lists stages that narrow the search, coarsest first (empty: none, None: by cell size). Coarser cells
    have the levels ``coarse_offsets_m``.
    ``spirals`` is the most full circles that a link may turn to gain height (0: none), of ``spiral_radius_m`` (None:
    the standard's least radius). ``certify`` has the whole ground searched where it would be narrowed, so that it is
    known how good the line is.
    ``watch`` hears, while a search runs, how far it is, 0 to 1: what share of its states it has been at, and with bends
    what share of the way. It changes nothing.
    """

    neighbours: int = 16
    directions: int = 64
    growth: float = 1.35
    max_structure_km: float = 25.0
    max_direct_km: float | None = None
    offsets_m: tuple[float, ...] = DEFAULT_OFFSETS_M
    narrowing: tuple[Stage, ...] | None = None
    coarse_offsets_m: tuple[float, ...] = (-10.0, 0.0, 7.0)
    abort: bool = True
    turns: bool = True
    spirals: int = 0
    spiral_radius_m: float | None = None
    certify: bool = False
    reuse: tuple[ReuseLink, ...] = field(default=())
    watch: Callable[[float], None] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse options that make no search.

        Raises:
            AlignmentError: naming every option that is wrong.
        """
        faults = []
        if self.neighbours not in _STEPS:
            faults.append(f"neighbours must be 8, 16 or 32, got {self.neighbours}")
        if self.directions < 0 or self.directions % 4:
            faults.append(f"directions must be 0 or a multiple of 4, got {self.directions}")
        if not self.growth > 1:
            faults.append("growth must be above 1")
        if 0.0 not in self.offsets_m or len(set(self.offsets_m)) != len(self.offsets_m):
            faults.append("offsets_m must be distinct and contain 0")
        if self.spirals < 0:
            faults.append("spirals must be 0 or more")
        if faults:
            raise AlignmentError("search options: " + "; ".join(faults))


@dataclass(frozen=True, slots=True)
class ReuseLink:
    """A piece of an old formation between two nodes (row, column), usable both ways at a price of its own.

    ``path`` holds the positions in between as (row, column, height) so that the line can be drawn; ``tunnel_m`` is
    documented tunnel length inside the piece. The heights at the ends are the ground's.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    length_m: float
    price_musd: float
    tunnel_m: float = 0.0
    path: tuple[tuple[float, float], ...] = ()


def neighbour_moves(neighbours: int) -> NDArray[np.int32]:
    """Row and column steps to 8, 16 or 32 neighbours, (n, 2); each set contains the smaller ones.

    >>> len(neighbour_moves(32))
    32
    """
    moves = {
        (sr * r, sc * c) for a, b in _STEPS[neighbours] for r, c in ((a, b), (b, a)) for sr in (1, -1) for sc in (1, -1)
    }
    return np.array(sorted(moves), dtype=np.int32)


def structure_moves(options: SearchOptions, dx_m: float, dy_m: float, thin: bool = False) -> NDArray[np.int32]:
    """Steps of structure links: evenly spread directions, lengths growing from one cell to ``max_structure_km``.

    The set is the same upside down and left to right, so that a search from the other end sees the same links.
    ``thin`` leaves out half of the lengths and three of four directions where links are long: these make most of the
    work, and short ones more of the difference in price.

    Args:
        options: of the search.
        dx_m: east-west side of a cell.
        dy_m: north-south side.
        thin: whether to leave some of them out.
    """
    moves: set[tuple[int, int]] = set()
    cell = max(dx_m, dy_m)
    length, number = cell, 0
    while options.directions and length <= options.max_structure_km * 1000.0:
        is_long = thin and length > DENSE_CELLS * cell
        if not (is_long and number % 2):
            # A quarter of the circle is laid out and mirrored, so that the set is symmetrical whatever rounding does.
            for k in range(0, options.directions // 4 + 1, 4 if is_long else 1):
                angle = 2 * math.pi * k / options.directions
                row, col = round(length * math.sin(angle) / dy_m), round(length * math.cos(angle) / dx_m)
                moves |= {(sr * row, sc * col) for sr in (1, -1) for sc in (1, -1)}
        length *= options.growth
        number += 1
    moves.discard((0, 0))
    return np.array(sorted(moves), dtype=np.int32).reshape(-1, 2)


def all_moves(options: SearchOptions, dx_m: float, dy_m: float, thin: bool = False) -> NDArray[np.int32]:
    """Neighbour and structure steps without duplicates, shortest first, (n, 2).

    Args:
        options: of the search.
        dx_m: east-west side of a cell.
        dy_m: north-south side.
        thin: whether to leave some of the structure steps out.
    """
    both = np.vstack([neighbour_moves(options.neighbours), structure_moves(options, dx_m, dy_m, thin)])
    both = np.unique(both, axis=0)
    # By length first, ties by row and column: the search counts on rising lengths, and its answer must not depend on
    # chance.
    order = np.lexsort((both[:, 1], both[:, 0], np.hypot(both[:, 0] * dy_m, both[:, 1] * dx_m)))
    return np.ascontiguousarray(both[order], dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """States at a node: a height above the ground together with a kind that is allowed there.

    ``offset_m`` and ``kind`` (0 open line, 1 bridge, 2 tunnel) have one value per state; ``first`` marks where each
    distinct offset starts (and has one more value at the end); ``terminal`` is the state of open line on the ground.
    ``is_far`` tells which states long links may begin and end at.
    """

    offset_m: NDArray[np.float64]
    kind: NDArray[np.int32]
    first: NDArray[np.int32]
    terminal: int
    is_far: NDArray[np.bool_]


def build_levels(
    offsets_m: tuple[float, ...], standard: DesignStandard, far_offsets_m: tuple[float, ...] | None = None
) -> Levels:
    """Every combination of offset and kind that the standard allows.

    A line may change kind at a node or anywhere between; giving each kind a state of its own lets a tunnel or a
    bridge run on through a node without paying for portals that aren't there.

    Args:
        offsets_m: heights above the ground that a node may be passed at.
        standard: says which kinds are allowed at which of them.
        far_offsets_m: the only heights that long links join, beside the ground itself; any if left out.
    """
    offsets, kinds, first = [], [], [0]
    # Offsets rise: searches read the lowest and the highest off the ends.
    for offset in sorted(offsets_m):
        allowed = []
        if -standard.max_cut_m <= offset <= standard.max_fill_m:
            allowed.append(0)
        if standard.min_bridge_height_m <= offset <= standard.max_bridge_height_m:
            allowed.append(1)
        if -offset >= standard.min_tunnel_depth_m:
            allowed.append(2)
        if allowed:
            offsets += [offset] * len(allowed)
            kinds += allowed
            first.append(len(offsets))
    terminal = next(i for i, (o, k) in enumerate(zip(offsets, kinds, strict=True)) if o == 0.0 and k == 0)
    is_far = np.isin(offsets, offsets if far_offsets_m is None else (0.0, *far_offsets_m))
    return Levels(np.array(offsets), np.array(kinds, dtype=np.int32), np.array(first, dtype=np.int32), terminal, is_far)


# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201


SAME_PLACE = 1e-13  # shares of a link that count as one crossing


class Crossings(NamedTuple):
    """Crossings of links, start and end included, one after the other.

    ``share`` (n,) says how far along the link a crossing lies, ``cell`` (n, 2) row and column of the first node of
    its square, ``weight`` (n, 4) what its corners count (first, next in the row, next in the column, opposite).
    """

    share: NDArray[np.float64]
    cell: NDArray[np.int32]
    weight: NDArray[np.float64]


class Laid(NamedTuple):
    """Crossings of moves between nodes, as if the link started at node (0, 0) and led down and to the right, steeply.

    ``pointer`` (m, 2): first and last crossing of a move, the last one left out; ``turn`` (m, 4): rows and columns
    that a step down, then those that a step to the right of the laid link stands for in the move.
    """

    crossings: Crossings
    pointer: NDArray[np.int32]
    turn: NDArray[np.int32]


@allocating
def room_for(rows: int, cols: int) -> Crossings:
    """Empty crossings with room for any one link over so many rows and columns."""
    n = 3 * (rows + cols) + 8
    return Crossings(np.empty(n), np.empty((n, 2), np.int32), np.empty((n, 4)))


@pasted
def _first_and_every(start, step):
    """Crossings with whole numbers come at shares of ``count * every``: first count and every (infinite: none)."""
    if step == 0.0:
        return 1.0, np.inf
    first = np.floor(start) + 1.0 - start if step > 0.0 else start - (np.ceil(start) - 1.0)
    return first, 1.0 / abs(step)


@kernel
def lay_crossings(r0, c0, r1, c1, last_row, last_col, into):
    """Write out the crossings of the link between two fractional positions; returns how many there are.

    Squares are kept to rows up to ``last_row`` and columns up to ``last_col``.
    """
    share, cell, weight = into
    dr, dc = r1 - r0, c1 - c0
    # Four families of lines bound the triangles: rows, columns, and both diagonals, where r + c or r - c is whole.
    at_r, every_r = _first_and_every(r0, dr)
    at_c, every_c = _first_and_every(c0, dc)
    at_s, every_s = _first_and_every(r0 + c0, dr + dc)
    at_m, every_m = _first_and_every(r0 - c0, dr - dc)
    n, t = 0, 0.0
    while True:
        # Where several lines meet in one place, rounding gives it several shares; it is written once.
        if n == 0 or t - share[n - 1] >= SAME_PLACE:
            r, c = r0 + t * dr, c0 + t * dc
            i, j = min(max(int(r), 0), last_row), min(max(int(c), 0), last_col)
            share[n], cell[n, 0], cell[n, 1] = t, i, j
            weight[n, 0], weight[n, 1], weight[n, 2], weight[n, 3] = corner_weights(c - j, r - i)
            n += 1
        if t == 1.0:
            return n
        # Shares come from counts and aren't summed up, so that errors don't grow along the link.
        t_r, t_c, t_s, t_m = at_r * every_r, at_c * every_c, at_s * every_s, at_m * every_m
        t = min(t_r, t_c, t_s, t_m)
        if t > 1.0 - 1e-12:
            t = 1.0
        if t_r <= t:
            at_r += 1.0
        if t_c <= t:
            at_c += 1.0
        if t_s <= t:
            at_s += 1.0
        if t_m <= t:
            at_m += 1.0


def lay_moves(moves: NDArray[np.int32]) -> Laid:
    """Lay out all moves (m, 2). Moves that are each other's image, turned or mirrored, share their crossings."""
    longest, shortest = np.abs(moves).max(axis=1), np.abs(moves).min(axis=1)
    shapes, which = np.unique(np.column_stack([longest, shortest]), axis=0, return_inverse=True)
    scratch = room_for(*(int(n) + 1 for n in np.abs(moves).max(axis=0)))
    parts, ends = [], [0]
    for down, right in shapes.tolist():
        n = lay_crossings(0.0, 0.0, float(down), float(right), max(down - 1, 0), max(right - 1, 0), scratch)
        parts.append(Crossings(*(part[:n].copy() for part in scratch)))
        ends.append(ends[-1] + n)
    pointer = np.column_stack([np.array(ends[:-1])[which.ravel()], np.array(ends[1:])[which.ravel()]])
    sign = np.sign(moves)
    along_rows = np.abs(moves[:, 0]) >= np.abs(moves[:, 1])
    # The laid link runs down along the longer side of the move: down stands for rows where these are more, else for
    # columns.
    turn = np.zeros((len(moves), 4))
    turn[along_rows, 0], turn[along_rows, 3] = sign[along_rows, 0], sign[along_rows, 1]
    turn[~along_rows, 1], turn[~along_rows, 2] = sign[~along_rows, 1], sign[~along_rows, 0]
    crossings = Crossings(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Laid(crossings, pointer.astype(np.int32), turn.astype(np.int32))
