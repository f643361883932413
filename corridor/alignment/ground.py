"""One single-valued ground surface, shared by the search and by every price.

Heights belong to nodes (pixel centres). Each square of four nodes is cut into four triangles at its centre, whose
height is the mean of the four: the ground between nodes is then defined once, whichever way a line crosses it, and
no line can lie on a ground of its own making. The steepness that counts as cross-slope is taken from central
differences at the nodes and runs linearly over the same triangles.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN201

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import allocating, pasted
from corridor.errors import AlignmentError

Floats = NDArray[np.float64]

NO_SURFACE = 1
NO_BRIDGE = 2
NO_TUNNEL = 4
CLOSED = NO_SURFACE | NO_BRIDGE | NO_TUNNEL
BLOCK = 8  # cells along the side of a block whose lowest height is kept


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Node heights with what steers a line over them.

    ``z`` is (rows, cols) in metres; ``slope`` (rows, cols, 2) holds the tangents of the ground along rows and along
    columns; ``mask`` is (rows, cols) of bits that forbid a kind (0 x 0: no mask); ``friction`` is (rows, cols) in
    million USD per km added to open line while searching and never reported (0 x 0: none). ``dx_m`` and ``dy_m`` are
    the cell's width and height in metres; ``steepest`` (rows, cols) holds the tangent of the steepest triangle in the
    cell that begins at a node and the eight around it.
    """

    z: Floats
    slope: NDArray[np.float32]
    floors: Floats
    mask: NDArray[np.uint8]
    friction: NDArray[np.float32]
    dx_m: float
    dy_m: float
    steepest: NDArray[np.float32]

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """The arrays that compiled walks read, in their order."""
        return (self.z, self.slope, self.floors, self.mask, self.friction, self.steepest)

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
    )


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

    >>> g = build_ground(np.array([[0.0, 0.0], [0.0, 4.0]]), 100.0)
    >>> ground_heights(g, np.array([0.5, 0.5]), np.array([0.5, 0.75])).tolist()
    [1.0, 1.5]
    """
    return _on_triangles(ground.z, rows, cols)


def cross_slopes(ground: Ground, rows: Floats, cols: Floats, d_row: Floats, d_col: Floats) -> Floats:
    """Squared cross-slope at points of a line that heads (d_row, d_col) in cells, as search and prices use it."""
    east, south = d_col * ground.dx_m, d_row * ground.dy_m
    length = np.hypot(east, south)
    total = np.zeros(np.broadcast(rows, cols).shape)
    r0, c0, weights = _corners(ground.shape, rows, cols)
    for (step_r, step_c), weight in weights.items():
        gr = ground.slope[r0 + step_r, c0 + step_c, 0].astype(float)
        gc = ground.slope[r0 + step_r, c0 + step_c, 1].astype(float)
        total += weight * ((gr * east - gc * south) / length) ** 2
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
