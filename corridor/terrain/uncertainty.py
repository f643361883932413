"""Draws of a DEM's error: a smooth random field, one draw shared by everything that is measured on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from corridor.schema.grid import Grid
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]
_NODES_PER_RANGE = 3.0


@dataclass(frozen=True)
class ErrorField:
    """One draw of height errors in metres, smooth over the DEM's error range."""

    values_m: Floats
    grid: Grid

    def sample(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """Error in metres at points, bilinear."""
        rows, cols = self.grid.fractional_index(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return np.asarray(ndimage.map_coordinates(self.values_m, [rows, cols], order=1, mode="nearest"))


def draw_errors(dem: Dem, count: int, seed: int) -> Iterator[ErrorField]:
    """Draws of Gaussian error with the DEM's standard error and a Gaussian correlation over its error range.

    White noise on nodes a third of the range apart is smoothed and scaled back to the standard error, so that the
    cost doesn't depend on the DEM's resolution. The same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = dem.grid.bounds
    step_lat = dem.error_range_m / _NODES_PER_RANGE / 111_000
    step_lon = step_lat / np.cos(np.radians((south + north) / 2))
    shape = (int(np.ceil((north - south) / step_lat)) + 2, int(np.ceil((east - west) / step_lon)) + 2)
    grid = Grid(dem.grid.crs, Affine(step_lon, 0, west - step_lon / 2, 0, -step_lat, north + step_lat / 2), shape)
    sigma = _NODES_PER_RANGE / 2
    unit = np.zeros((64, 64))
    unit[32, 32] = 1.0
    gain = float(np.sqrt((ndimage.gaussian_filter(unit, sigma, mode="wrap") ** 2).sum()))
    for _ in range(count):
        noise = ndimage.gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap") / gain
        yield ErrorField(noise * dem.vertical_error_m, grid)
