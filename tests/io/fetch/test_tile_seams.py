"""Tiles without their neighbours' first samples: a plane is exact under interpolation, also where tiles meet."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import rasterio

from corridor.io.fetch.tiles import write_mosaic


def plane(lon, lat):
    return 300 + 9000 * (lon - 46) + 3000 * (lat - 39)


@lru_cache(maxsize=4)
def tile(lat, lon, rows=1200, cols=1200):
    # an odd number means that the neighbours' first samples are among them
    at = lon + np.arange(cols) / (cols - cols % 2), lat + 1 - np.arange(rows) / (rows - rows % 2)
    return plane(at[0][None, :], at[1][:, None]).astype("float32")


def errors_m(path):
    with rasterio.open(path) as raster:
        heights, t = raster.read(1), raster.transform
    lon = t.c + t.a * (np.arange(heights.shape[1]) + 0.5)
    lat = t.f + t.e * (np.arange(heights.shape[0]) + 0.5)
    return heights - plane(lon[None, :], lat[:, None])


# the factor changes first, so that the tiles stay
@pytest.mark.parametrize("factor", [1, 3, 6])
@pytest.mark.parametrize("shape", [(1200, 1200), (3600, 2400), (1200, 800)])
def test_four_tiles_of_a_plane_are_a_plane(factor, shape, tmp_path):
    tiles = [(38, 46), (38, 47), (39, 46), (39, 47)]
    write_mosaic(tmp_path / "m.tif", (46.95, 38.95, 47.05, 39.05), tiles, factor, lambda at: tile(*at, *shape))
    found = errors_m(tmp_path / "m.tif")
    assert np.isfinite(found).all()
    # Means of samples that don't fit into pixels weigh whole samples: off by less than half the rise over one of them.
    fits = 3600 // factor >= shape[0] or shape == (1200, 1200)
    np.testing.assert_allclose(found, 0, atol=0.02 if fits else 0.5 * 9000 / shape[1])


def test_neighbours_of_other_steps_and_none(tmp_path):
    shapes = {(39, 46): (1200, 800), (39, 47): (3600, 3600), (38, 46): (1201, 1201)}
    area = (46.95, 38.95, 47.05, 39.05)
    write_mosaic(tmp_path / "m.tif", area, shapes, 1, lambda at: tile(*at, *shapes[at]))
    found = errors_m(tmp_path / "m.tif")
    there = np.isfinite(found)
    np.testing.assert_allclose(found[there], 0, atol=0.02)
    side = found.shape[0] // 2
    assert there[: side - 1].all()
    assert there[:, : side - 1].all()
    assert not there[side + 2 :, side + 2 :].any()
