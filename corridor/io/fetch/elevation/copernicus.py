"""Heights of the Copernicus DEM in tiles: GLO-30, and GLO-90 where GLO-30 is withheld, which is much of this region."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from corridor.io.fetch.elevation_provider import AddressSetting, TiledElevation, register
from corridor.io.fetch.tiles import Tile, read_geotiff_tile, tile_name
from corridor.schema.settings import LiveSettings

_MAX_SIDE = 3601


@register
class Copernicus(TiledElevation):
    """Copernicus DEM in cloud-optimised GeoTIFFs, a folder for each."""

    id = "copernicus"
    summary = "Copernicus GLO-30, GLO-90 where it is withheld"
    title = "Copernicus DEM, GLO-30 filled with GLO-90"
    publisher = "European Space Agency"
    licence = "Copernicus DEM licence; (c) DLR e.V. 2010-2014 and (c) Airbus Defence and Space GmbH 2014-2018"
    date = "2021"
    vertical_error_m = 2.4  # as specified: 4 m for nine tenths, over 1.645
    settings: ClassVar = {
        "copernicus_url": AddressSetting(
            "https://copernicus-dem-30m.s3.amazonaws.com", "server of Copernicus GLO-30 tiles"
        ),
        "copernicus_90_url": AddressSetting(
            "https://copernicus-dem-90m.s3.amazonaws.com", "server of GLO-90 tiles, asked where GLO-30 has none"
        ),
    }

    def tile_files(self, tile: Tile, settings: LiveSettings) -> Sequence[tuple[str, str]]:
        """The tile of one arc-second, then that of three; names count tenths of seconds."""
        found = []
        for key, seconds, product in (("copernicus_url", 10, "GLO-30"), ("copernicus_90_url", 30, "GLO-90")):
            name = tile_name(tile)
            stem = f"Copernicus_DSM_COG_{seconds}_{name[:3]}_00_{name[3:]}_00_DEM"
            found.append((f"{settings.address(key)}/{stem}/{stem}.tif", f"Copernicus DEM {product}, {name}"))
        return found

    def read_tile(self, path: Path) -> NDArray[np.float32]:
        """Heights in metres (rows, columns), north up, NaN where none is known.

        Raises:
            SourceError: the file isn't a GeoTIFF of heights over one degree, or is damaged.
        """
        return read_geotiff_tile(path, _MAX_SIDE)
