"""Where a raster lies: coordinate reference system, transform and shape, kept together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster frame.

    ``transform`` maps (column, row) of pixel *corners* to x, y in ``crs``, as in rasterio; a value belongs to the
    centre of its pixel. ``shape`` is (rows, cols).
    """

    crs: str
    transform: Affine
    shape: tuple[int, int]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges (west, south, east, north) in units of ``crs``."""
        rows, cols = self.shape
        t = self.transform
        return (t.c, t.f + t.e * rows, t.c + t.a * cols, t.f)

    def fractional_index(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Rows and columns, as floats, of points; whole numbers are pixel centres.

        Args:
            x: coordinates in the grid's system, any shape.
            y: the same of the other axis.

        Returns:
            Rows and columns, of that shape.
        """
        inverse = ~self.transform
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        cols = inverse.a * x + inverse.b * y + inverse.c
        rows = inverse.d * x + inverse.e * y + inverse.f
        return rows - 0.5, cols - 0.5

    def centres(self, rows: Floats, cols: Floats) -> tuple[Floats, Floats]:
        """Coordinates x, y of the centres of pixels (fractional indices allowed).

        Args:
            rows: any shape.
            cols: of the same shape.

        Returns:
            x and y, of that shape.
        """
        right, down = np.asarray(cols, dtype=float) + 0.5, np.asarray(rows, dtype=float) + 0.5
        t = self.transform
        return t.a * right + t.b * down + t.c, t.d * right + t.e * down + t.f
