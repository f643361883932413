"""A ground together with the frame that puts it on the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.ground import Ground, build_ground
from corridor.errors import AlignmentError
from corridor.model.grid import Grid

Floats = NDArray[np.float64]
Node = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A ground with the frame that puts it on the map."""

    ground: Ground
    grid: Grid

    def node_at(self, xy: tuple[float, float], name: str) -> tuple[Node, float]:
        """Nearest node to a point and how far it lies off, in metres.

        Raises:
            AlignmentError: if the point lies outside the grid.
        """
        row, col = (float(v[0]) for v in self.grid.fractional_index(np.array([xy[0]]), np.array([xy[1]])))
        node = (round(row), round(col))
        rows, cols = self.grid.shape
        if not (0 <= node[0] < rows and 0 <= node[1] < cols):
            raise AlignmentError(f"{name}: the point {xy[0]:.0f}, {xy[1]:.0f} lies outside the elevation grid")
        return node, float(np.hypot((row - node[0]) * self.ground.dy_m, (col - node[1]) * self.ground.dx_m))

    def to_map(self, points: Floats) -> Floats:
        """Rows, columns and heights (n, 3) as x, y and heights."""
        x, y = self.grid.centres(points[:, 0], points[:, 1])
        return np.column_stack([x, y, points[:, 2]])

    def to_grid(self, line: Floats) -> Floats:
        """x, y and heights (n, 3) as fractional rows, columns and heights."""
        rows, cols = self.grid.fractional_index(line[:, 0], line[:, 1])
        return np.column_stack([rows, cols, line[:, 2]])


def build_terrain(
    heights: NDArray[np.floating],
    grid: Grid,
    mask: NDArray[np.integer] | None = None,
    friction_musd_per_km: NDArray[np.floating] | None = None,
) -> Terrain:
    """Put heights (rows, cols) of a grid in a metric system into the form that the search reads.

    Raises:
        AlignmentError: if the grid is rotated, in degrees or differs in shape from the heights.
    """
    t = grid.transform
    if t.b or t.d:
        raise AlignmentError("grid: rotated rasters are not supported; warp to north-up first")
    if abs(t.a) < 0.5:
        raise AlignmentError(f"grid: cells of {abs(t.a)} units look like degrees; warp to a metric system first")
    if tuple(heights.shape) != tuple(grid.shape):
        raise AlignmentError(f"heights: shape {heights.shape} differs from the grid's {grid.shape}")
    return Terrain(build_ground(heights, abs(t.a), abs(t.e), mask, friction_musd_per_km), grid)
