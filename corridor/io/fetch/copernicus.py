"""Heights of the Copernicus DEM in tiles: GLO-30, and GLO-90 where GLO-30 is withheld, which is much of this region."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.io.fetch.cache import CacheEntry, key_of
from corridor.io.fetch.tiles import Tile, tile_name
from corridor.schema.live_settings import LiveSettings

_MAX_SIDE = 3601
TITLE = "Copernicus DEM, GLO-30 filled with GLO-90"
PUBLISHER = "European Space Agency"
LICENCE = "Copernicus DEM licence; (c) DLR e.V. 2010-2014 and (c) Airbus Defence and Space GmbH 2014-2018"
DATE = "2021"
VERTICAL_ERROR_M = 2.4  # as specified: 4 m for nine tenths, over 1.645


def tile_records(tile: Tile, settings: LiveSettings) -> list[CacheEntry]:
    """What to ask for a tile: first the fine one, then the coarse one."""
    found = []
    for base, seconds, product in ((settings.copernicus_url, 10, "GLO-30"), (settings.copernicus_90_url, 30, "GLO-90")):
        name = tile_name(tile)
        stem = f"Copernicus_DSM_COG_{seconds}_{name[:3]}_00_{name[3:]}_00_DEM"
        address = f"{base}/{stem}/{stem}.tif"
        title = f"Copernicus DEM {product}, {name}"
        found.append(CacheEntry(key_of("file", address), f"{stem}.tif", title, PUBLISHER, LICENCE, address, DATE))
    return found


def check_tile(path: Path) -> None:
    """Raise a SourceError unless the file is a tile that can be read to its end."""
    read_tile(path)


def read_tile(path: Path) -> NDArray[np.float32]:
    """Heights in metres (rows, columns), north up, NaN where none is known.

    Raises:
        SourceError: the file isn't a GeoTIFF of heights over one degree, or is damaged.
    """
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path, driver="GTiff") as raster:
            west, south, east, north = raster.bounds
            if max(raster.shape) > _MAX_SIDE or abs(east - west - 1) > 0.01 or abs(north - south - 1) > 0.01:
                raise SourceError("is no tile of one degree")
            heights = raster.read(1, masked=True, out_dtype="float32")
    except (RasterioError, ValueError, OSError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError("is not a sound GeoTIFF") from fault
    return np.asarray(heights.filled(np.nan), dtype=np.float32)
