"""Rasters moved between grids, with rasterio."""

from __future__ import annotations

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from corridor.schema.grid import Grid

Floats32 = NDArray[np.float32]


def warp(values: NDArray[np.floating], grid: Grid, target: Grid, *, smooth: bool = False) -> Floats32:
    """Values of one grid on another, NaN where the source has none; shape is ``target.shape``.

    Bilinear, or with ``smooth`` by cubic splines, for drawing on a finer grid.
    """
    from rasterio.enums import Resampling
    from rasterio.warp import reproject

    # What lies beyond the source keeps NaN, so that no height is made up there.
    out = np.full(target.shape, np.nan, dtype=np.float32)
    reproject(
        source=values.astype(np.float32),
        destination=out,
        src_transform=grid.transform,
        src_crs=grid.crs,
        src_nodata=np.nan,
        dst_transform=target.transform,
        dst_crs=target.crs,
        dst_nodata=np.nan,
        resampling=Resampling.cubic_spline if smooth else Resampling.bilinear,
        num_threads=2,
    )
    return out


def grid_over(grid: Grid, crs: str, resolution: float | None = None) -> Grid:
    """The grid in another CRS that covers ``grid``, of a resolution in units of ``crs`` or of about the same pixels."""
    from rasterio.warp import calculate_default_transform

    rows, cols = grid.shape
    west, south, east, north = grid.bounds
    transform, width, height = calculate_default_transform(
        grid.crs, crs, cols, rows, left=west, bottom=south, right=east, top=north, resolution=resolution
    )
    return Grid(crs, Affine(*transform[:6]), (int(height), int(width)))
