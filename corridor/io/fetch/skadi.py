"""Heights of the Shuttle Radar Topography Mission in HGT tiles, as Tilezen's skadi layout serves them."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.io.fetch.cache import CacheEntry, key_of
from corridor.io.fetch.tiles import Tile, tile_name
from corridor.schema.live_settings import LiveSettings

_SIDES = (3601, 1201)
_LARGEST = _SIDES[0] ** 2 * 2
_VOID = -32768
TITLE = "SRTM heights in skadi tiles"
PUBLISHER = "Mapzen terrain tiles (Tilezen); SRTM courtesy of the U.S. Geological Survey"
LICENCE = "public domain (SRTM); sources of other tiles at github.com/tilezen/joerd"
DATE = "2000"
VERTICAL_ERROR_M = 9.7  # the mission's goal: 16 m for nine tenths, over 1.645


def tile_records(tile: Tile, settings: LiveSettings) -> list[CacheEntry]:
    """What to ask for a tile, for instance ``.../N39/N39E046.hgt.gz``."""
    name = tile_name(tile)
    address = f"{settings.skadi_url}/{name[:3]}/{name}.hgt.gz"
    return [
        CacheEntry(key_of("file", address), f"{name}.hgt.gz", f"SRTM tile {name}", PUBLISHER, LICENCE, address, DATE)
    ]


def check_tile(path: Path) -> None:
    """Raise a SourceError unless the file is a whole tile."""
    _unpack(path)


def read_tile(path: Path) -> NDArray[np.float32]:
    """Heights in metres (3601 x 3601 or 1201 x 1201), north up, NaN where the mission saw nothing.

    Raises:
        SourceError: the file isn't a packed tile, is damaged, or unpacks to more than a tile.
    """
    data = _unpack(path)
    side = next(side for side in _SIDES if len(data) == side**2 * 2)
    heights = np.frombuffer(data, dtype=">i2").reshape(side, side).astype(np.float32)
    heights[heights == _VOID] = np.nan
    return heights


def _unpack(path: Path) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(path.read_bytes(), _LARGEST + 1)
    except zlib.error as fault:
        raise SourceError("is not a sound gzip file") from fault
    if len(data) > _LARGEST:
        raise SourceError(f"unpacks to more than the {_LARGEST:,} bytes of a tile")
    if not unpacker.eof:
        raise SourceError("is cut short")
    if len(data) not in {side**2 * 2 for side in _SIDES}:
        raise SourceError(f"unpacks to {len(data):,} bytes, which is no tile of 1 or 3 seconds")
    return data
