"""Rasters moved between grids: planes stay planes, holes stay holes."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from corridor.geo.rasters import grid_over, warp
from corridor.schema.fields import Grid


def plane(shape=(60, 50), step=0.01):
    grid = Grid("EPSG:4326", Affine(step, 0, 46.0, 0, -step, 39.6), shape)
    lon, lat = grid.centres(*np.mgrid[0 : shape[0], 0 : shape[1]].astype(float))
    return grid, (1000 * (lon - 46) + 500 * (lat - 39)).astype(np.float32)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_plane_stays_a_plane(smooth):
    grid, heights = plane()
    target = Grid("EPSG:4326", Affine(0.005, 0, 46.1, 0, -0.005, 39.5), (60, 50))
    lon, lat = target.centres(*np.mgrid[0:60, 0:50].astype(float))
    moved = warp(heights, grid, target, smooth=smooth)
    np.testing.assert_allclose(moved, 1000 * (lon - 46) + 500 * (lat - 39), atol=0.05)


def test_outside_is_nan_and_the_frame_covers():
    grid, heights = plane()
    metric = grid_over(grid, "EPSG:32638", 1000.0)
    assert metric.transform.a == 1000.0
    moved = warp(heights, grid, metric)
    assert np.isnan(moved).any()
    assert np.isfinite(moved).mean() > 0.9
    assert np.nanmax(moved) <= heights.max() + 1
