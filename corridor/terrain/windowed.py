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
from scipy import ndimage

from corridor.errors import OutputError, SourceError
from corridor.geo.geodesy import WGS84, distance_m
from corridor.geo.height_rasters import clean_heights, no_heights, open_heights
from corridor.schema.grid import Grid
from corridor.terrain import kernels
from corridor.terrain.surface import pixel_size_m

Floats = NDArray[np.float64]
Measure = Literal["slope", "ruggedness", "relief", "cost"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
BLOCK = (512, 4096)
TILE = 512
MAX_RADIUS_PX = 256
_MOST_DISTORTION = 0.05
_CACHE_MB = 128
_CLIFF_M, _LEAST_ODD = 20.0, 4


@dataclass(frozen=True, slots=True)
class _Pixels:
    """Size of a raster's pixels in metres: east-west by row, shape (rows, 1), and north-south."""

    width_m: Floats
    height_m: float


@dataclass(frozen=True, slots=True)
class _Found:
    """Whether there was a height at all, and how many zeros may stand for unknown."""

    known: bool
    odd_zeros: int


def write_terrain(
    dem: str | Path,
    out: str | Path,
    measure: Measure,
    *,
    radius_px: int = 8,
    block: tuple[int, int] = BLOCK,
    progress: Callable[[str], None] = lambda _: None,
    remark: Callable[[str], None] = lambda _: None,
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
        remark: called with what was odd in the heights: zeros beside cliffs, which may stand for unknown.

    Raises:
        SourceError: the raster can't be used; see :mod:`corridor.geo.height_rasters`. Or its map's metres aren't
            metres on the ground.
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
        with open_heights(source, cache_mb=_CACHE_MB) as raster:
            pixels = _pixels(raster, source)
            profile = {
                "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "crs": raster.crs,
                "transform": raster.transform, "height": raster.height, "width": raster.width, "tiled": True,
                "blockxsize": TILE, "blockysize": TILE, "compress": "deflate", "predictor": 3, "zlevel": 1,
                "bigtiff": "if_safer", "num_threads": "all_cpus",
            }  # fmt: skip
            with rasterio.open(part, "w", **profile) as written:
                found = _write_blocks(raster, str(source), written, pixels, measure, radius_px, block, progress)
        if not found.known:
            raise no_heights(str(source))
        if found.odd_zeros >= _LEAST_ODD:
            remark(
                f"{source}: {found.odd_zeros:,} pixels of exactly 0 m border on ground over {_CLIFF_M:g} m above or "
                "below and on none near it; if they stand for unknown, declare it with gdal_edit -a_nodata 0"
            )
        part.replace(target)
    except (RasterioError, OSError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise OutputError(f"{source} -> {target}: {reason}; check the raster and the room on the disk") from fault
    finally:
        part.unlink(missing_ok=True)
    return target


def _pixels(raster: Any, path: Path) -> _Pixels:
    t = raster.transform
    if raster.crs.is_geographic:
        unit, radians = raster.crs.units_factor
        if not np.isclose(radians, np.radians(1)):
            raise SourceError(
                f"{path}: its map is in units of '{unit}', not degrees; warp it, for instance with gdalwarp"
            )
        grid = Grid(WGS84, Affine(*t[:6]), (raster.height, raster.width))
        return _Pixels(*pixel_size_m(grid))
    metres = float(raster.crs.linear_units_factor[1])
    _refuse_distortion(raster, path, metres)
    return _Pixels(np.full((raster.height, 1), t.a * metres), float(-t.e * metres))


def _refuse_distortion(raster: Any, path: Path, unit_m: float) -> None:
    """Refuse a map whose metres are far from metres on the ground, as those of EPSG:3857 are away from the equator.

    Geodesic distances over a pixel at the corners and the middle are held against the pixel's size on the map.
    """
    import pyproj

    to_degrees = pyproj.Transformer.from_crs(
        pyproj.CRS.from_user_input(raster.crs.to_wkt()).to_2d(), WGS84, always_xy=True
    )
    t, (rows, cols) = raster.transform, raster.shape
    across, down = np.meshgrid([0, cols / 2, cols], [0, rows / 2, rows])
    x, y = t.c + t.a * across.ravel(), t.f + t.e * down.ravel()
    here = to_degrees.transform(x, y)
    for beside, size_m in (
        (to_degrees.transform(x + t.a, y), t.a * unit_m),
        (to_degrees.transform(x, y + t.e), -t.e * unit_m),
    ):
        ground = distance_m(*here, *beside) / size_m
        # Corners of an askew map may lie where it means nothing; what can't be told isn't held against it.
        odd = np.isfinite(ground) & (np.abs(ground - 1) > _MOST_DISTORTION)
        if odd.any():
            raise SourceError(
                f"{path}: a metre of its map ({str(raster.crs)[:40]}) is {ground[odd][0]:.2f} m on the ground, so its "
                "slopes would be wrong; warp it to degrees or to the UTM zone, for instance with gdalwarp"
            )


def _write_blocks(
    raster: Any,
    name: str,
    written: Any,
    pixels: _Pixels,
    measure: Measure,
    radius_px: int,
    block: tuple[int, int],
    progress: Callable[[str], None],
) -> _Found:
    """Compute and write every block; gives what was seen of the heights."""
    from rasterio.windows import Window

    reach = radius_px if measure == "relief" else 1
    shape = (int(raster.height), int(raster.width))
    said, known, odd_zeros = -1, False, 0
    for row, col, rows, cols in _blocks(shape, block):
        # A block is read with a rim as wide as the measure reaches, and written without it, so that no seams show.
        top, left = max(0, row - reach), max(0, col - reach)
        bottom, right = min(shape[0], row + rows + reach), min(shape[1], col + cols + reach)
        heights = _heights(raster, Window(left, top, right - left, bottom - top), name)
        known = known or bool(np.isfinite(heights).any())
        odd = _odd_zeros(heights)
        odd_zeros += int(odd[row - top : row - top + rows, col - left : col - left + cols].sum())
        values = _measure(heights, pixels.width_m[top:bottom], pixels.height_m, measure, radius_px)
        inner = values[row - top : row - top + rows, col - left : col - left + cols]
        written.write(inner.astype(np.float32), 1, window=Window(col, row, cols, rows))
        share = 100 * (row * shape[1] + rows * (col + cols)) // (shape[0] * shape[1])
        if share // 5 > said:
            said = share // 5
            progress(f"{measure}: {share} %")
    return _Found(known, odd_zeros)


def _odd_zeros(heights: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels of exactly 0 m that touch ground far above or below and no ground near 0 m but zeros."""
    zero = np.asarray(heights == 0)
    if not zero.any():
        return zero
    off = np.where(zero | np.isnan(heights), np.nan, np.abs(heights))
    lowest = ndimage.minimum_filter(np.where(np.isnan(off), np.inf, off), 3, mode="constant", cval=np.inf)
    return np.asarray(zero & np.isfinite(lowest) & (lowest > _CLIFF_M))


def _blocks(shape: tuple[int, int], block: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """First row and column, and number of rows and columns, of each block, row by row."""
    for row in range(0, shape[0], block[0]):
        for col in range(0, shape[1], block[1]):
            yield row, col, min(block[0], shape[0] - row), min(block[1], shape[1] - col)


def _heights(raster: Any, window: Any, name: str) -> NDArray[np.float32]:
    """Heights in a window, NaN where there is none."""
    values = raster.read(1, window=window, masked=True)
    return clean_heights(values.astype(np.float32).filled(np.nan), name)


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
