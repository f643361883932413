"""Heights of the Shuttle Radar Topography Mission in HGT tiles, as Tilezen's skadi layout serves them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.io.fetch.elevation_provider import AddressSetting, TiledElevation, register
from corridor.io.fetch.tiles import Tile, tile_name
from corridor.schema.settings import LiveSettings

_SIDES = (3601, 1201)
_LARGEST = _SIDES[0] ** 2 * 2
_VOID = -32768


@register
class Srtm(TiledElevation):
    """SRTM in tiles such as ``.../N39/N39E046.hgt.gz``."""

    id = "srtm"
    summary = "SRTM tiles of one second"
    title = "SRTM heights in skadi tiles"
    publisher = "Mapzen terrain tiles (Tilezen); SRTM courtesy of the U.S. Geological Survey"
    licence = "public domain (SRTM); sources of other tiles at github.com/tilezen/joerd"
    date = "2000"
    vertical_error_m = 9.7  # the mission's goal: 16 m for nine tenths, over 1.645
    settings: ClassVar = {
        "skadi_url": AddressSetting(
            "https://elevation-tiles-prod.s3.amazonaws.com/skadi", "server of SRTM tiles in the skadi layout"
        )
    }

    def tile_files(self, tile: Tile, settings: LiveSettings) -> Sequence[tuple[str, str]]:
        """One file, in a folder for its latitude."""
        name = tile_name(tile)
        return [(f"{settings.address('skadi_url')}/{name[:3]}/{name}.hgt.gz", f"SRTM tile {name}")]

    def read_tile(self, path: Path) -> NDArray[np.float32]:
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
