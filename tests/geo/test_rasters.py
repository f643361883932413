"""Rasters moved between grids: planes stay planes, holes stay holes."""

from __future__ import annotations

import multiprocessing
import sys

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(4, 40), st.integers(4, 40), st.floats(0.2, 1.0), st.floats(-60, 60))
def test_splines_by_rows_and_columns_are_those_of_gdal(seed, rows, cols, finer, north):
    heights = np.random.default_rng(seed).normal(1500, 400, (rows, cols)).astype(np.float32)
    grid = Grid("EPSG:4326", Affine(0.01, 0, 46.0, 0, -0.01, north), (rows, cols))
    covering = grid_over(grid, "EPSG:3857")
    pixel = covering.transform.a * finer
    beyond = Affine(pixel, 0, covering.bounds[0] - 2 * pixel, 0, -pixel, covering.bounds[3] + 2 * pixel)
    target = Grid("EPSG:3857", beyond, (rows * 2 + 5, cols * 2 + 5))
    moved = warp(heights, grid, target, smooth=True)
    # a height that is missing sends the whole raster to GDAL; it lies where no pixel of the target reaches
    margin = np.pad(heights, ((0, 12), (0, 0)), constant_values=np.nan)
    by_gdal = warp(margin, Grid(grid.crs, grid.transform, margin.shape), target, smooth=True)
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(by_gdal))
    np.testing.assert_allclose(moved, by_gdal, rtol=1e-6)


def test_outside_is_nan_and_the_frame_covers():
    grid, heights = plane()
    metric = grid_over(grid, "EPSG:32638", 1000.0)
    assert metric.transform.a == 1000.0
    moved = warp(heights, grid, metric)
    assert np.isnan(moved).any()
    assert np.isfinite(moved).mean() > 0.9
    assert np.nanmax(moved) <= heights.max() + 1


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_copy_of_a_process_that_warped_warps_the_same():
    grid, heights = plane((600, 500), 0.001)  # large enough that GDAL shares it out
    target = grid_over(grid, "EPSG:32638")
    expected = warp(heights, grid, target)
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    copy = fork.Process(target=lambda: sender.send(warp(heights, grid, target)), daemon=True)
    copy.start()
    # a copy that waits for threads which it hasn't never answers
    answered = receiver.poll(30)
    found = receiver.recv() if answered else None
    copy.kill()
    copy.join()
    assert answered
    np.testing.assert_array_equal(found, expected)
