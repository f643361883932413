"""Terrain of rasters larger than memory: read, computed and written block by block, each with the margin it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from corridor.errors import OutputError, SourceError
from corridor.geo.geodesy import WGS84
from corridor.schema.grid import Grid
from corridor.terrain import kernels
from corridor.terrain.surface import pixel_size_m

Floats = NDArray[np.float64]
Measure = Literal["slope", "ruggedness", "relief", "cost"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
BLOCK = (512, 4096)
TILE = 512
MAX_RADIUS_PX = 256
LOWEST_M, HIGHEST_M = -500, 9000
_CACHE_MB = 128


@dataclass(frozen=True, slots=True)
class _Pixels:
    """Size of a raster's pixels in metres: east-west by row, shape (rows, 1), and north-south."""

    width_m: Floats
    height_m: float


def write_terrain(
    dem: str | Path,
    out: str | Path,
    measure: Measure,
    *,
    radius_px: int = 8,
    block: tuple[int, int] = BLOCK,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write one measure of the ground of an elevation raster, of whatever size, as a tiled GeoTIFF (float32).

    ``slope`` in degrees, ``ruggedness`` in metres, ``relief`` in metres within ``radius_px`` pixels, ``cost`` as a
    multiple of the price on level ground; see :mod:`corridor.terrain.kernels`. The values are those of the functions
    in memory, to the last bit, also where blocks meet. Memory needed depends on the block, not on the raster: about
    0.5 GB. The file appears when it is whole.

    Args:
        dem: heights in metres, in degrees (lon/lat) or in a projected CRS in metres.
        out: the file to write.
        measure: what to compute.
        radius_px: of ``relief``, 1 to 256.
        block: rows and columns computed at a time.
        progress: called with the share done.

    Raises:
        SourceError: the raster can't be used: no CRS, not north-up, units unknown.
        OutputError: the measure or its radius is unknown, or the file can't be written.
    """
    source, target = Path(dem), Path(out).expanduser()
    if measure not in MEASURES:
        raise OutputError(f"measure '{measure}' is unknown; there are: {', '.join(MEASURES)}")
    if not 1 <= radius_px <= MAX_RADIUS_PX:
        raise OutputError(f"radius of {radius_px} pixels: must be 1 to {MAX_RADIUS_PX}")
    if target.resolve() == source.resolve():
        raise OutputError(f"{target}: is the elevation raster itself; name another file with --out")
    if target.is_dir() or not target.parent.is_dir():
        raise OutputError(f"{target}: no file can be written there; name a file in a folder that exists")
    import rasterio
    from rasterio.errors import RasterioError

    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_MB), _open(source) as raster:
            pixels = _pixels(raster, source)
            profile = {
                "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "crs": raster.crs,
                "transform": raster.transform, "height": raster.height, "width": raster.width, "tiled": True,
                "blockxsize": TILE, "blockysize": TILE, "compress": "deflate", "predictor": 3, "zlevel": 1,
                "bigtiff": "if_safer", "num_threads": "all_cpus",
            }  # fmt: skip
            with rasterio.open(part, "w", **profile) as written:
                _write_blocks(raster, written, pixels, measure, radius_px, block, progress)
        part.replace(target)
    except (RasterioError, OSError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise OutputError(f"{source} -> {target}: {reason}; check the raster and the room on the disk") from fault
    finally:
        part.unlink(missing_ok=True)
    return target


def _open(path: Path) -> Any:
    import rasterio
    from rasterio.errors import RasterioError

    if not path.is_file():
        raise SourceError(f"{path}: no such file; give the path of an elevation raster")
    try:
        return rasterio.open(path)
    except RasterioError as fault:
        raise SourceError(f"{path}: not readable as an elevation raster ({str(fault).splitlines()[0]})") from fault


def _pixels(raster: Any, path: Path) -> _Pixels:
    t = raster.transform
    if raster.crs is None:
        raise SourceError(f"{path}: has no coordinate reference system; set one, for instance with gdal_edit -a_srs")
    if t.b or t.d or t.e >= 0 or t.a <= 0:
        raise SourceError(f"{path}: isn't a north-up raster; warp it, for instance with gdalwarp")
    if raster.crs.is_geographic:
        grid = Grid(WGS84, Affine(*t[:6]), (raster.height, raster.width))
        return _Pixels(*pixel_size_m(grid))
    if not raster.crs.is_projected:
        raise SourceError(f"{path}: its CRS is neither in degrees nor projected; warp it, for instance with gdalwarp")
    metres = float(raster.crs.linear_units_factor[1])
    return _Pixels(np.full((raster.height, 1), t.a * metres), float(-t.e * metres))


def _write_blocks(
    raster: Any,
    written: Any,
    pixels: _Pixels,
    measure: Measure,
    radius_px: int,
    block: tuple[int, int],
    progress: Callable[[str], None],
) -> None:
    from rasterio.windows import Window

    reach = radius_px if measure == "relief" else 1
    shape = (int(raster.height), int(raster.width))
    said = -1
    for row, col, rows, cols in _blocks(shape, block):
        top, left = max(0, row - reach), max(0, col - reach)
        bottom, right = min(shape[0], row + rows + reach), min(shape[1], col + cols + reach)
        heights = _heights(raster, Window(left, top, right - left, bottom - top))
        values = _measure(heights, pixels.width_m[top:bottom], pixels.height_m, measure, radius_px)
        inner = values[row - top : row - top + rows, col - left : col - left + cols]
        written.write(inner.astype(np.float32), 1, window=Window(col, row, cols, rows))
        share = 100 * (row * shape[1] + rows * (col + cols)) // (shape[0] * shape[1])
        if share // 5 > said:
            said = share // 5
            progress(f"{measure}: {share} %")


def _blocks(shape: tuple[int, int], block: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """First row and column, and number of rows and columns, of each block, row by row."""
    for row in range(0, shape[0], block[0]):
        for col in range(0, shape[1], block[1]):
            yield row, col, min(block[0], shape[0] - row), min(block[1], shape[1] - col)


def _heights(raster: Any, window: Any) -> NDArray[np.float32]:
    """Heights in a window, NaN where there is none or it can't be metres."""
    heights = raster.read(1, window=window, masked=True).astype(np.float32).filled(np.nan)
    return np.where((heights < LOWEST_M) | (heights > HIGHEST_M), np.nan, heights).astype(np.float32)


def _measure(
    heights: NDArray[np.float32], width_m: Floats, height_m: float, measure: Measure, radius_px: int
) -> Floats:
    if measure == "slope":
        return kernels.slope(heights, width_m, height_m)
    if measure == "ruggedness":
        return kernels.ruggedness(heights)
    if measure == "relief":
        return kernels.relief(heights, radius_px)
    return kernels.cost(heights, width_m, height_m)
