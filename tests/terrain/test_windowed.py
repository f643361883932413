"""Block by block as in memory: equal to the last bit wherever blocks meet, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from corridor.errors import OutputError, SourceError
from corridor.schema.fields import Grid, Source
from corridor.terrain import surface
from corridor.terrain.surface import MEASURES, Dem, ruggedness_m, slope_deg, write_terrain

ROOT = Path(__file__).resolve().parents[2]
DEGREES = Affine(1 / 3600, 0, 46.0, 0, -1 / 3600, 40.0)
METRES = Affine(30.0, 0, 500_000, 0, -20.0, 4_300_000)


def write_dem(path, heights, crs="EPSG:4326", transform=DEGREES, **more):
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": -9999.0, "crs": crs, "transform": transform}
    with rasterio.open(path, "w", height=heights.shape[0], width=heights.shape[1], **profile | more) as raster:
        raster.write(np.where(np.isnan(heights), -9999.0, heights).astype(np.float32), 1)
    return path


def rough(shape, seed=0, holes=0):
    rng = np.random.default_rng(seed)
    heights = rng.normal(1500, 400, shape).astype(np.float32)
    heights.ravel()[rng.integers(0, heights.size, holes)] = np.nan
    return heights


def in_memory(heights, measure, radius):
    dem = Dem(heights, Grid("EPSG:4326", DEGREES, heights.shape), Source("d", "", "", "", ""), 1, 1)
    if measure == "slope":
        return slope_deg(dem)
    if measure == "ruggedness":
        return ruggedness_m(dem)
    if measure == "relief":
        return surface.relief(heights, radius)
    return surface.cost(heights, *dem.pixel_size_m())


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=12)
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    block=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    radius=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_blocks_give_what_memory_gives(tmp_path_factory, measure, shape, block, radius, seed):
    folder = tmp_path_factory.mktemp("blocks")
    heights = rough(shape, seed, holes=seed % 4)
    dem = write_dem(folder / "dem.tif", heights)
    out = write_terrain(dem, folder / "out.tif", measure, radius_px=radius, block=block)
    with rasterio.open(out) as raster:
        assert raster.profile["tiled"] or min(shape) < 512
        np.testing.assert_array_equal(raster.read(1), in_memory(heights, measure, radius).astype(np.float32))
        assert (raster.crs.to_epsg(), raster.transform) == (4326, DEGREES)
    assert not list(folder.glob(".*"))


def test_a_projected_plane_has_its_slope(tmp_path):
    rows, cols = np.mgrid[0:40, 0:50]
    dem = write_dem(tmp_path / "dem.tif", 500 + cols * 30.0 * 0.3 - rows * 20.0 * 0.4, "EPSG:32638", METRES)
    slope = write_terrain(dem, tmp_path / "slope.tif", "slope", block=(16, 16))
    cost = write_terrain(dem, tmp_path / "cost.tif", "cost", block=(16, 16))
    inner = np.s_[1:-1, 1:-1]
    with rasterio.open(slope) as raster:
        np.testing.assert_allclose(raster.read(1)[inner], np.degrees(np.arctan(0.5)), rtol=1e-5)
    with rasterio.open(cost) as raster:  # a tangent of one half doubles the price
        np.testing.assert_allclose(raster.read(1)[inner], 2.0, rtol=1e-5)


def test_relief_against_brute_force():
    heights = rough((12, 15), 3, holes=5)
    found = surface.relief(heights, 2)
    for r in range(12):
        for c in range(15):
            square = heights[max(0, r - 2) : r + 3, max(0, c - 2) : c + 3].astype(float)
            expected = np.nan if np.isnan(heights[r, c]) else np.nanmax(square) - np.nanmin(square)
            np.testing.assert_equal(found[r, c], expected)


def test_what_cannot_be_used_is_said_and_nothing_is_left(tmp_path):
    heights = rough((10, 10))
    with pytest.raises(SourceError, match="no such file"):
        write_terrain(tmp_path / "none.tif", tmp_path / "o.tif", "slope")
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    with pytest.raises(SourceError, match="not readable as an elevation raster"):
        write_terrain(tmp_path / "text.tif", tmp_path / "o.tif", "slope")
    bare = write_dem(tmp_path / "bare.tif", heights, crs=None)
    with pytest.raises(SourceError, match="has no coordinate reference system"):
        write_terrain(bare, tmp_path / "o.tif", "slope")
    dem = write_dem(tmp_path / "dem.tif", heights)
    with pytest.raises(OutputError, match="measure 'steepness' is unknown; there are: slope"):
        write_terrain(dem, tmp_path / "o.tif", "steepness")
    with pytest.raises(OutputError, match="must be 1 to 256"):
        write_terrain(dem, tmp_path / "o.tif", "relief", radius_px=0)
    with pytest.raises(OutputError, match="is the elevation raster itself"):
        write_terrain(dem, dem, "slope")
    with pytest.raises(OutputError, match="name a file in a folder that exists"):
        write_terrain(dem, tmp_path / "no" / "o.tif", "slope")
    for name in ("o.png", "o", "o.tif.gz"):
        with pytest.raises(OutputError, match=rf"{name}: a GeoTIFF is written; name a file that ends in .tif"):
            write_terrain(dem, tmp_path / name, "slope")
        assert not (tmp_path / name).exists()
    assert write_terrain(dem, tmp_path / "o.TIFF", "slope").exists()
    data = dem.read_bytes()
    cut = tmp_path / "cut.tif"
    cut.write_bytes(data[: len(data) // 2])
    (tmp_path / "o.tif").write_text("earlier", encoding="utf-8")
    with pytest.raises((OutputError, SourceError)):
        write_terrain(cut, tmp_path / "o.tif", "slope")
    assert (tmp_path / "o.tif").read_text(encoding="utf-8") == "earlier"
    assert not list(tmp_path.glob(".*"))


_MEASURED = """
import resource, sys
from corridor.terrain.surface import write_terrain
def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
write_terrain(sys.argv[1], sys.argv[3], "slope")  # loads everything once
before = peak_mb()
write_terrain(sys.argv[2], sys.argv[3], "slope")
print(peak_mb() - before)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_raster(tmp_path):
    """A raster of ten times the rows costs no more memory: its heights alone would be 90 MB more in float32."""
    paths = []
    for rows in (512, 5120):
        path = tmp_path / f"{rows}.tif"
        profile = {"driver": "GTiff", "dtype": "int16", "count": 1, "crs": "EPSG:4326", "transform": DEGREES}
        with rasterio.open(path, "w", height=rows, width=5000, tiled=True, compress="deflate", **profile) as raster:
            for row in range(0, rows, 512):
                heights = np.add.outer(np.arange(row, row + 512) % 1999, np.arange(5000) % 777).astype(np.int16)
                raster.write(heights, 1, window=rasterio.windows.Window(0, row, 5000, 512))
        paths.append(str(path))
    command = [sys.executable, "-c", _MEASURED, *paths, str(tmp_path / "out.tif")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(said.stdout) < 60


def test_rasters_of_whole_numbers_and_in_memory(tmp_path):
    heights = np.arange(64, dtype=np.int16).reshape(8, 8)
    with (
        MemoryFile() as memory,
        memory.open(
            driver="GTiff", dtype="int16", count=1, height=8, width=8, crs="EPSG:4326", transform=DEGREES, nodata=-1
        ) as raster,
    ):
        raster.write(heights, 1)
        raster.close()
        (tmp_path / "dem.tif").write_bytes(memory.read())
    out = write_terrain(tmp_path / "dem.tif", tmp_path / "out.tif", "ruggedness")
    with rasterio.open(out) as found:
        np.testing.assert_array_equal(found.read(1), surface.ruggedness(heights.astype(np.float32)).astype(np.float32))


@pytest.mark.parametrize("block", [(512, 4096), (7, 5)])
def test_zeros_beside_cliffs_are_remarked_whatever_the_blocks(block, tmp_path):
    heights = np.full((30, 30), 300, dtype=np.float32)
    heights[10:14, 10:16] = 0  # its 16 outermost pixels touch the ground of 300 m
    heights[20:, 20:] = 0
    heights[19, 19:] = heights[19:, 19] = 5  # a lake at sea level has a shore
    said = []
    write_terrain(write_dem(tmp_path / "a.tif", heights), tmp_path / "o.tif", "slope", block=block, remark=said.append)
    (line,) = said
    assert "16 pixels of exactly 0 m border on ground over 20 m" in line
