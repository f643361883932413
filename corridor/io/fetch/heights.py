"""Heights for a study from tiles or from a person's own address, as one raster in the cache."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import CoverageError, FetchError, MissingError, SourceError
from corridor.io.fetch import copernicus, skadi
from corridor.io.fetch.cache import CachedFile, CacheEntry, key_of
from corridor.io.fetch.fetching import Fetcher
from corridor.io.fetch.remote_raster import copy_window, remote_record
from corridor.io.fetch.tiles import Tile, coarsen_by, tile_name, tiles_over, write_mosaic
from corridor.io.read.borders import Borders, read_borders
from corridor.schema.live_settings import LiveSettings
from corridor.schema.study import Study

VERTICAL_ERROR_M = {"srtm": skadi.VERTICAL_ERROR_M, "copernicus": copernicus.VERTICAL_ERROR_M}


def fetch_heights(fetcher: Fetcher, study: Study, product: str, borders: Path) -> CachedFile:
    """Heights over the study's area from the tiles of ``srtm`` or ``copernicus``.

    A tile that the server doesn't have is left open where no country of the file ``borders`` has ground.

    Raises:
        CoverageError: a tile is missing over ground.
        FetchError: one can't be had.
    """
    module, servers = _products(fetcher)[product]
    factor = coarsen_by(study.area, fetcher.settings.dem_megapixels)
    key = key_of("mosaic", *servers, repr(study.area), str(factor))
    file, note = f"{product}-{key[:8]}.tif", f"joined at {factor} arc-second{'s' if factor > 1 else ''}"
    asked = CacheEntry(key, file, module.TITLE, module.PUBLISHER, module.LICENCE, servers[0], module.DATE, note)
    found = fetcher.find_made(asked)
    if found:
        return found
    tiles = _gather(fetcher, study, read_borders(borders), module.tile_records, module.check_tile, servers[0])
    record = replace(asked, made_from=tuple(origin for _, record in tiles.values() for origin in record.origins))

    def read_tile(tile: Tile) -> NDArray[np.float32] | None:
        return module.read_tile(tiles[tile][0]) if tile in tiles else None

    def make(part: Path) -> None:
        try:
            write_mosaic(part, study.area, tiles, factor, read_tile)
        except SourceError as fault:
            raise FetchError(f"{module.TITLE}: {fault} in the study's area; choose another --dem") from fault

    return fetcher.make(record, make)


def fetch_window(fetcher: Fetcher, study: Study, name: str) -> CachedFile:
    """The part of a person's own remote raster over the study's area.

    Raises:
        FetchError: it can't be had, or is no raster.
        CoverageError: it doesn't reach the area.
    """
    record = remote_record(name, study.area, fetcher.settings)
    return fetcher.get(
        record, lambda part: copy_window(record.address, study.area, part, fetcher.settings, fetcher.meter)
    )


def _products(fetcher: Fetcher) -> dict[str, tuple[ModuleType, tuple[str, ...]]]:
    """Module and servers of each product."""
    settings = fetcher.settings
    return {
        "srtm": (skadi, (settings.skadi_url,)),
        "copernicus": (copernicus, (settings.copernicus_url, settings.copernicus_90_url)),
    }


def _gather(
    fetcher: Fetcher,
    study: Study,
    borders: Borders,
    records: Callable[[Tile, LiveSettings], list[CacheEntry]],
    check: Callable[[Path], None],
    server: str,
) -> dict[Tile, CachedFile]:
    """Every tile that the server has; those that it lacks must be sea."""
    found: dict[Tile, CachedFile] = {}
    for tile in tiles_over(study.area):
        held = None
        for record in records(tile, fetcher.settings):
            with suppress(MissingError):
                held = fetcher.download(record, check)
                break
        if held:
            found[tile] = held
            continue
        countries = _countries_on(tile, study, borders)
        if countries:
            raise CoverageError(
                f"{server}: has no tile {tile_name(tile)}, needed over ground of {', '.join(countries)}; "
                "choose another --dem or another server"
            )
    if not found:
        raise CoverageError(f"{server}: has no tile over the study's area; choose another --dem or another server")
    return found


def _countries_on(tile: Tile, study: Study, borders: Borders) -> list[str]:
    lat, lon = tile
    ground = shapely.intersection(shapely.box(lon, lat, lon + 1, lat + 1), shapely.box(*study.area))
    shapes = borders.countries.geometry.to_numpy()
    return [
        str(code)
        for code, shape in zip(borders.countries["country"], shapes, strict=True)
        if shapely.area(shapely.intersection(shape, ground)) > 0
    ]
