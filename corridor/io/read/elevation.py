"""Elevation models from raster files, cut to the study area."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from corridor.errors import CoverageError, SourceError
from corridor.geo.geodesy import WGS84
from corridor.io.read.data_files import require_file
from corridor.io.read.dem_checks import clean_heights, refuse_unfit, refuse_wrong_hgt, try_reading, where_it_lies
from corridor.schema.grid import Grid
from corridor.schema.source import Source, file_sha256
from corridor.schema.vocabulary import SourceKind
from corridor.terrain.surface import Dem

_MARGIN_DEG = 0.05
_MAX_PIXELS = 200_000_000
_MIN_PIXELS = 10
_DRIVERS = frozenset(
    ("GTiff", "COG", "VRT", "SRTMHGT", "AAIGrid", "EHdr", "ENVI", "HFA", "DTED", "USGSDEM", "JP2OpenJPEG", "netCDF")
)
"""Formats that hold heights; GDAL knows many more."""
_GDAL = {"GDAL_HTTP_TIMEOUT": 60, "GDAL_HTTP_CONNECTTIMEOUT": 10, "GDAL_VRT_ENABLE_PYTHON": "NO"}
Bounds = tuple[float, float, float, float]
Floats32 = NDArray[np.float32]


def read_dem(
    paths: Sequence[Path],
    bounds: Bounds,
    *,
    source: Source | None,
    vertical_error_m: float,
    error_range_km: float,
) -> Dem:
    """Heights over ``bounds`` (west, south, east, north) from one or more rasters in lon/lat or any other CRS.

    Earlier files win where files overlap. ``source`` describes the data where it is known; else the files' names do.

    Args:
        paths: Rasters, the most trusted first.
        bounds: west, south, east, north in degrees.
        source: What is known of the data; its file names if nothing is.
        vertical_error_m: Standard error of a height.
        error_range_km: Distance over which errors are alike.

    Raises:
        SourceError: a file isn't a raster, or can't be heights in metres; see :mod:`corridor.io.read.dem_checks`.
        CoverageError: the files together don't reach over the whole of ``bounds``.
    """
    import rasterio

    for path in paths:
        require_file(path, "elevation raster")
        refuse_wrong_hgt(path)
    # inside an environment of its own, what GDAL says becomes an exception and not a line on stderr
    with rasterio.Env(**_GDAL), ExitStack() as open_files:
        data, transform = _merged(paths, bounds, open_files)
    grid = Grid(WGS84, Affine(*transform[:6]), data.shape)
    heights = clean_heights(data, str(paths[0]) if len(paths) == 1 else ", ".join(path.name for path in paths))
    return Dem(heights, grid, source or _describe(paths), vertical_error_m, error_range_km * 1000)


def _merged(paths: Sequence[Path], bounds: Bounds, open_files: ExitStack) -> tuple[Floats32, Affine]:
    """Heights as the files have them, NaN where they declare none, over ``bounds`` and a margin."""
    from rasterio._err import CPLE_BaseError  # GDAL's own, which rasterio lets through when it builds a warp
    from rasterio.errors import RasterioError
    from rasterio.merge import merge

    path = paths[0]
    try:
        opened = []
        for path in paths:
            raster = open_files.enter_context(_open(path))
            refuse_unfit(raster, path)
            try_reading(raster, path)
            opened.append(open_files.enter_context(_in_degrees(raster)))
        path = paths[0]
        # A margin, so that slopes and bands at the edge of the area have neighbours.
        west, south, east, north = bounds
        wanted = (west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
        clipped = _clip(wanted, [raster.bounds for raster in opened])
        if clipped is None:
            where = where_it_lies(bounds, [raster.bounds for raster in opened])
            raise CoverageError(f"{path}: doesn't reach the study area ({where}); add a DEM that covers it with --dem")
        pixel = max(opened[0].transform.a, -opened[0].transform.e)
        if min(east - west, north - south) < _MIN_PIXELS * pixel:
            raise SourceError(f"{path}: its pixels of {pixel:g} degrees are too coarse for the area; use a finer DEM")
        # Checked before memory is asked for: merge would allocate the whole raster first.
        fine = opened[0].transform.a * -opened[0].transform.e
        if (clipped[2] - clipped[0]) * (clipped[3] - clipped[1]) / fine > _MAX_PIXELS:
            raise SourceError(f"{path}: the study area has over {_MAX_PIXELS:,} pixels; use a coarser DEM")
        data, transform = merge(opened, bounds=_snap(clipped, opened[0].transform), nodata=np.nan, dtype="float32")
    except (RasterioError, CPLE_BaseError, ValueError, ArithmeticError, OSError, MemoryError) as fault:
        if isinstance(fault, SourceError):
            raise
        deepest: BaseException = fault
        while deepest.__cause__ is not None:  # rasterio's own words only point there
            deepest = deepest.__cause__
        reason = " ".join(str(deepest).split())[:200] or "unreadable"
        raise SourceError(f"{path}: not readable as an elevation raster ({reason}); fetch the file again") from fault
    return data[0], transform


def _open(path: Path) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # such rasters are refused
        packed = path.name.lower().endswith(".hgt.gz")
        raster = rasterio.open(f"/vsigzip/{path.absolute()}" if packed else path)
    if raster.driver not in _DRIVERS:
        raster.close()
        raise SourceError(f"{path}: not readable as an elevation raster ({raster.driver} holds none); use a GeoTIFF")
    return raster


def _in_degrees(raster: Any) -> Any:
    """The raster in EPSG:4326, with NaN where warping leaves a corner without heights."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    if raster.crs.to_epsg() == 4326:
        return nullcontext(raster)
    return WarpedVRT(raster, crs=WGS84, resampling=Resampling.bilinear, nodata=np.nan, dtype="float32")


def _clip(wanted: Bounds, have: list[Bounds]) -> Bounds | None:
    """The part of ``wanted`` inside the common frame of all rasters, or None."""
    west, south = max(wanted[0], min(b[0] for b in have)), max(wanted[1], min(b[1] for b in have))
    east, north = min(wanted[2], max(b[2] for b in have)), min(wanted[3], max(b[3] for b in have))
    return (west, south, east, north) if west < east and south < north else None


def _snap(bounds: Bounds, transform: Affine) -> Bounds:
    """Bounds moved out to whole pixels, so that cutting resamples nothing."""
    t = transform
    west, south, east, north = bounds
    # The tolerance keeps an edge that lies on a pixel's edge, up to rounding, from taking in one more.
    columns = np.floor((west - t.c) / t.a + 1e-6), np.ceil((east - t.c) / t.a - 1e-6)
    rows = np.ceil((south - t.f) / t.e - 1e-6), np.floor((north - t.f) / t.e + 1e-6)
    return (t.c + t.a * columns[0], t.f + t.e * rows[0], t.c + t.a * columns[1], t.f + t.e * rows[1])


def _describe(paths: Sequence[Path]) -> Source:
    names = ", ".join(path.name for path in paths)
    digest = " ".join(file_sha256(path) for path in paths)
    return Source(
        "elevation",
        f"Elevation model {names}",
        "as given",
        "",
        "as given",
        kind=SourceKind.DATA,
        file=names,
        sha256=digest,
    )
