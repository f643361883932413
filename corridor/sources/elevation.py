"""Elevation models from raster files, cut to the study area."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from corridor.errors import CoverageError, SourceError
from corridor.geo.geodesy import WGS84
from corridor.model.grid import Grid
from corridor.model.source import Source
from corridor.sources.files import require_file, sha256_of
from corridor.terrain.surface import Dem

_MARGIN_DEG = 0.05
_MAX_PIXELS = 400_000_000


def read_dem(
    paths: Sequence[Path],
    bounds: tuple[float, float, float, float],
    *,
    source: Source | None,
    vertical_error_m: float,
    error_range_km: float,
) -> Dem:
    """Heights over ``bounds`` (west, south, east, north) from one or more rasters in lon/lat or any other CRS.

    Earlier files win where files overlap. ``source`` describes the data where it is known; else the files' names do.

    Raises:
        SourceError: a file isn't a raster, has no CRS, or holds heights that can't be metres.
        CoverageError: the files together don't reach over the whole of ``bounds``.
    """
    from rasterio.errors import RasterioError
    from rasterio.merge import merge

    for path in paths:
        require_file(path, "elevation raster")
    opened = []
    try:
        for path in paths:
            opened.append(_in_degrees(_checked(_open(path), path)))
        west, south, east, north = bounds
        wanted = (west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
        clipped = _clip(wanted, [raster.bounds for raster in opened])
        if clipped is None:
            raise CoverageError(f"{paths[0]}: doesn't reach the study area; add a DEM that covers it with --dem")
        pixel = opened[0].transform.a
        if (clipped[2] - clipped[0]) * (clipped[3] - clipped[1]) / pixel**2 > _MAX_PIXELS:
            raise SourceError(f"{paths[0]}: the study area has over {_MAX_PIXELS:,} pixels; use a coarser DEM")
        data, transform = merge(opened, bounds=_snap(clipped, opened[0].transform), nodata=np.nan, dtype="float32")
    except (RasterioError, ValueError, OSError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError(f"{paths[0]}: not readable as an elevation raster ({str(fault).splitlines()[0]})") from fault
    finally:
        for raster in opened:
            raster.close()
    heights = np.where((data[0] < -500) | (data[0] > 9000), np.nan, data[0]).astype(np.float32)
    if np.isnan(heights).all():
        raise SourceError(f"{paths[0]}: holds no height between -500 and 9000 m; are its heights in metres?")
    grid = Grid(WGS84, Affine(*transform[:6]), heights.shape)
    return Dem(heights, grid, source or _describe(paths), vertical_error_m, error_range_km * 1000)


def _open(path: Path) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # such rasters are refused
        return rasterio.open(path)


def _checked(raster: Any, path: Path) -> Any:
    """The raster, if it has a CRS, one band of numbers and north up."""
    if raster.crs is None:
        raise SourceError(f"{path}: has no coordinate reference system; set one, for instance with gdal_edit -a_srs")
    if raster.transform.b or raster.transform.d or raster.transform.e >= 0 or raster.transform.a <= 0:
        raise SourceError(f"{path}: isn't a north-up raster; warp it, for instance with gdalwarp")
    if raster.dtypes[0].startswith("complex"):
        raise SourceError(f"{path}: holds complex numbers, not heights")
    return raster


def _in_degrees(raster: Any) -> Any:
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    if raster.crs.to_epsg() == 4326:
        return raster
    return WarpedVRT(raster, crs=WGS84, resampling=Resampling.bilinear)


def _clip(
    wanted: tuple[float, float, float, float], have: list[tuple[float, float, float, float]]
) -> tuple[float, float, float, float] | None:
    """The part of ``wanted`` inside the common frame of all rasters, or None."""
    west, south = max(wanted[0], min(b[0] for b in have)), max(wanted[1], min(b[1] for b in have))
    east, north = min(wanted[2], max(b[2] for b in have)), min(wanted[3], max(b[3] for b in have))
    return (west, south, east, north) if west < east and south < north else None


def _snap(bounds: tuple[float, float, float, float], transform: Affine) -> tuple[float, float, float, float]:
    """Bounds moved out to whole pixels, so that cutting resamples nothing."""
    t = transform
    west, south, east, north = bounds
    columns = np.floor((west - t.c) / t.a + 1e-6), np.ceil((east - t.c) / t.a - 1e-6)
    rows = np.ceil((south - t.f) / t.e - 1e-6), np.floor((north - t.f) / t.e + 1e-6)
    return (t.c + t.a * columns[0], t.f + t.e * rows[0], t.c + t.a * columns[1], t.f + t.e * rows[1])


def _describe(paths: Sequence[Path]) -> Source:
    names = ", ".join(path.name for path in paths)
    digest = " ".join(sha256_of(path) for path in paths)
    return Source(
        "elevation", f"Elevation model {names}", "as given", "", "as given", kind="data", file=names, sha256=digest
    )
