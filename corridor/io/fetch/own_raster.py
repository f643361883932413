"""A person's own elevation raster on a server, read through GDAL only where the study needs it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ClassVar
from urllib.parse import urlsplit

import numpy as np

from corridor.errors import CoverageError, FetchError, SourceError
from corridor.geo.rasters import refuse_unfit
from corridor.io.fetch.cache import CachedFile, CacheEntry, key_of
from corridor.io.fetch.elevation_provider import AddressSetting, CountriesOn
from corridor.io.fetch.fetcher import Fetcher, TransientError, keep_trying, settled, user_agent
from corridor.io.fetch.tiles import Bounds
from corridor.io.fetch.wanted import VSICURL
from corridor.io.read.height_errors import load_height_errors, recognise, tags_of
from corridor.schema.fields import NO_LICENCE, NO_PUBLISHER
from corridor.schema.settings import LOOPBACK, MOST_HEIGHTS, LiveSettings, fault_of_address

_DRIVERS = {".hgt": "SRTMHGT", ".vrt": "VRT"}
_MARGIN_DEG = 0.01


class OwnRaster:
    """A raster at an address, which only its owner can say anything of; a file on this machine needs no fetching.

    Args:
        name: ``https://...`` or ``/vsicurl/https://...``.
    """

    id = "own-raster"
    summary = "your own raster on a server, only the part over the area"
    title = "Elevation model from an address"
    publisher = NO_PUBLISHER
    licence = NO_LICENCE
    date = ""
    vertical_error_m: float | None = None
    settings: ClassVar[dict[str, AddressSetting]] = {}

    def __init__(self, name: str) -> None:
        self.address = name.removeprefix(VSICURL)

    def fetch(self, fetcher: Fetcher, area: Bounds, countries_on: CountriesOn) -> CachedFile:
        """The part of the raster over an area, with the raster's own pixels.

        Args:
            fetcher: Cache, settings, limits and who hears of progress.
            area: west, south, east, north in degrees.
            countries_on: Not asked.

        Raises:
            CoverageError: the raster doesn't reach the area.
            FetchError: the address may not be asked, the server can't be used, or what it serves isn't a raster.
        """
        del countries_on  # whoever gives a raster means it as it is; what it lacks is told when it is read
        settings = fetcher.settings
        fault = fault_of_address(self.address, settings.allow_http)
        if fault:  # told without the name or password that it may hold: lines are kept in logs
            raise FetchError(f"{re.sub('//[^/]*@', '//', self.address)}: {fault}")
        key = key_of("raster", self.address, ",".join(f"{bound:.6f}" for bound in area))
        entry = CacheEntry(key, f"heights-{key[:8]}.tif", self.title, self.publisher, self.licence, self.address)

        def copy(part: Path) -> None:
            once = partial(_copy_once, self.address, area, part, settings)
            keep_trying(lambda _: once(), self.address, settings, fetcher.meter.say)

        return fetcher.get(entry, copy)


def _copy_once(address: str, area: Bounds, part: Path, settings: LiveSettings) -> None:
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window, from_bounds

    driver = _DRIVERS.get(PurePosixPath(urlsplit(address).path).suffix.lower(), "GTiff")
    # GDAL would follow a redirect to anywhere, this machine and its network too.
    target = settled(address, settings)
    try:
        with _gdal(settings, target), rasterio.open(VSICURL + target, driver=driver) as raster:
            refuse_unfit(raster, address)
            # What is copied is recognised as the raster itself would be, were it a file here.
            name = PurePosixPath(urlsplit(address).path).name
            tags = tags_of(recognise(raster, name, "", load_height_errors()))
            west, south, east, north = area
            wide = (west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
            # The area in the raster's own reference system, moved out to whole pixels and cut to the raster: nothing is
            # resampled.
            window = from_bounds(*transform_bounds("EPSG:4326", raster.crs, *wide), transform=raster.transform)
            left, top = max(0, math.floor(window.col_off)), max(0, math.floor(window.row_off))
            right = min(raster.width, math.ceil(window.col_off + window.width))
            bottom = min(raster.height, math.ceil(window.row_off + window.height))
            # An empty window is no fault of GDAL, which would give a raster of no pixels.
            if left >= right or top >= bottom:
                raise CoverageError(f"{address}: doesn't reach the study area; name a raster that covers it")
            window = Window(left, top, right - left, bottom - top)
            if window.width * window.height > MOST_HEIGHTS:
                raise FetchError(f"{address}: has over {MOST_HEIGHTS:,} pixels in the study area; use a coarser one")
            heights = raster.read(1, window=window, masked=True, out_dtype="float32").filled(np.nan)
            profile = {
                "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "compress": "deflate",
                "tiled": True, "crs": raster.crs, "transform": raster.window_transform(window),
                "height": heights.shape[0], "width": heights.shape[1],
            }  # fmt: skip
    except (RasterioError, OSError, ValueError) as fault:
        if isinstance(fault, SourceError):
            raise
        reason = str(fault).splitlines()[0][:160] if str(fault) else "unreadable"
        raise TransientError(f"can't be read as an elevation raster ({reason})") from fault
    with rasterio.open(part, "w", **profile) as target:
        target.write(heights, 1)
        target.update_tags(**tags)


@contextmanager
def _gdal(settings: LiveSettings, address: str) -> Iterator[None]:
    """GDAL asks for nothing but the file, waits as long as we do, and keeps nothing for the next try."""
    from rasterio.env import Env

    options = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_USERAGENT": user_agent(settings),
        "GDAL_HTTP_CONNECTTIMEOUT": str(max(1, round(settings.http_timeout_s))),
        "GDAL_HTTP_LOW_SPEED_TIME": str(max(1, round(settings.http_timeout_s))),
        "GDAL_HTTP_LOW_SPEED_LIMIT": "200",
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_VRT_ENABLE_PYTHON": "NO",
        "GDAL_PAM_ENABLED": "NO",
        "CPL_VSIL_CURL_NON_CACHED": VSICURL + address,
        "CPL_VSIL_CURL_USE_HEAD": "NO",
    }
    if any(f"//{host}" in address for host in LOOPBACK):
        options["GDAL_HTTP_PROXY"] = ""
    with Env(**options):
        yield
