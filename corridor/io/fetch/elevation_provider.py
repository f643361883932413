"""What a source of elevation states and does: anything that gives a raster over an area, and tiles of one degree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.errors import CoverageError, FetchError, ForbiddenError, MissingError, SourceError
from corridor.io.fetch.cache import CachedFile, CacheEntry, key_of
from corridor.io.fetch.elevation import REGISTRY
from corridor.io.fetch.fetcher import Fetcher
from corridor.io.fetch.tiles import Bounds, Tile, coarsen_by, tile_name, tiles_over, write_mosaic
from corridor.io.read.height_errors import DATASET_TAG, ERROR_TAG
from corridor.schema.settings import LiveSettings

CountriesOn = Callable[[Bounds], Sequence[str]]
"""Countries that have ground within bounds (west, south, east, north): heights are needed there."""


class AddressSetting(NamedTuple):
    """A server's address as a setting: what it is if nobody says otherwise, and what it means in a table's words."""

    default: str
    meaning: str


class ElevationProvider(Protocol):
    """A source of elevation: what it is, and how the heights over an area are had from it."""

    @property
    def id(self) -> str:
        """What people type after ``--dem``; the module's name with hyphens."""

    @property
    def summary(self) -> str:
        """What it has, for a table in the documentation."""

    @property
    def title(self) -> str:
        """Its name in the list of sources of a run."""

    @property
    def publisher(self) -> str:
        """Who publishes it."""

    @property
    def licence(self) -> str:
        """Its licence, with the credit that it asks for."""

    @property
    def date(self) -> str:
        """Year of the heights; empty where nobody says."""

    @property
    def vertical_error_m(self) -> float | None:
        """Standard error of a height, metres; None where only the study can say."""

    @property
    def settings(self) -> Mapping[str, AddressSetting]:
        """Keys of ``[live]``, each ending in ``_url``, that hold the addresses of its servers."""

    def fetch(self, fetcher: Fetcher, area: Bounds, countries_on: CountriesOn) -> CachedFile:
        """Have the heights over an area in the cache, as one raster.

        Args:
            fetcher: Cache, settings, limits and who hears of progress.
            area: west, south, east, north in degrees.
            countries_on: Says where heights are needed.

        Returns:
            The heights as one raster, with its entry in the cache.

        Raises:
            CoverageError: heights are missing over ground.
            FetchError: they can't be had, or are damaged.
            OfflineError: they aren't in the cache, and the network is forbidden.
        """


Source = TypeVar("Source", bound=ElevationProvider)


def register(source: type[Source]) -> type[Source]:
    """Make a class a source that ``--dem`` takes; for use as a decorator.

    Args:
        source: A class with what :class:`ElevationProvider` has, which is made without arguments.

    Returns:
        The class.

    Raises:
        FetchError: it lacks a fact or a method, or another has its id.
    """
    return REGISTRY.register(source)


class TiledElevation(ABC):
    """A source whose servers have one file for each degree of latitude and longitude.

    A class derived from it states the facts of :class:`ElevationProvider` and says two things: where a tile lies and
    how its file is read. Tiles are fetched, checked, and joined into one raster at as many seconds as the setting
    ``dem_megapixels`` allows.
    """

    id: str
    summary: str
    title: str
    publisher: str
    licence: str
    date: str
    vertical_error_m: float
    settings: ClassVar[Mapping[str, AddressSetting]]

    @abstractmethod
    def tile_files(self, tile: Tile, settings: LiveSettings) -> Sequence[tuple[str, str]]:
        """Address and title of the files that may hold a tile, the best first.

        Args:
            tile: South-west corner (lat, lon) in whole degrees.
            settings: ``settings.address(key)`` is a server's address, without a slash at its end.

        Returns:
            Pairs of address and title.
        """

    @abstractmethod
    def read_tile(self, path: Path) -> NDArray[np.float32]:
        """Heights in metres ``(rows, cols)``, north up, NaN where none is known; samples begin on whole degrees.

        Args:
            path: A file from one of the addresses.

        Returns:
            Heights in metres, shape (rows, cols).

        Raises:
            SourceError: the file is no tile, or is damaged; it is then fetched again.
        """

    def fetch(self, fetcher: Fetcher, area: Bounds, countries_on: CountriesOn) -> CachedFile:
        """As :meth:`ElevationProvider.fetch`; a tile that the servers lack is left open where no country has ground.

        Args:
            fetcher: as there.
            area: as there.
            countries_on: as there.

        Returns:
            As there.
        """
        servers = [fetcher.settings.address(key) for key in self.settings]
        factor = coarsen_by(area, fetcher.settings.dem_megapixels)
        # What the raster depends on; a mirror has the same tiles, and its address is noted with each.
        key = key_of("mosaic", self.id, repr(area), str(factor))
        note = f"joined at {factor} arc-second{'s' if factor > 1 else ''}"
        asked = self._entry(key, f"{self.id}-{key[:8]}.tif", self.title, servers[0], note)
        made = fetcher.find_made(asked)
        if made:
            return made
        tiles = self._fetch_tiles(fetcher, area, countries_on, servers[0])
        # The raster's record carries those of its tiles, so that a manifest names what came from the network.
        entry = replace(asked, made_from=tuple(origin for _, tile in tiles.values() for origin in tile.origins))

        tags = {DATASET_TAG: self.id, ERROR_TAG: f"{self.vertical_error_m:g}"}

        def write(part: Path) -> None:
            try:
                write_mosaic(part, area, tiles, factor, lambda tile: self.read_tile(tiles[tile][0]), tags)
            except SourceError as fault:
                raise FetchError(f"{self.title}: {fault} in the study's area; choose another --dem") from fault

        return fetcher.make(entry, write)

    def _fetch_tiles(
        self, fetcher: Fetcher, area: Bounds, countries_on: CountriesOn, server: str
    ) -> dict[Tile, CachedFile]:
        """Every tile that a server has; those that all lack must be sea."""
        found: dict[Tile, CachedFile] = {}
        west, south, east, north = area
        for tile in tiles_over(area):
            # The first server that has the tile gives it; only "there is no such file" leads on to the next.
            refused = ""
            for address, title in self.tile_files(tile, fetcher.settings):
                file = address.rsplit("/", 1)[-1]
                entry = self._entry(key_of("tile", self.id, file), file, title, address)
                try:
                    found[tile] = fetcher.download(entry, self.read_tile)
                    break
                except MissingError:
                    continue
                except ForbiddenError:
                    # Buckets that may not be listed say so of what they don't have.
                    refused = " (or refuses it: status 403)"
            else:
                # Only the part of the tile inside the area counts: beyond it nobody asks for heights.
                lat, lon = tile
                countries = countries_on((max(lon, west), max(lat, south), min(lon + 1, east), min(lat + 1, north)))
                if countries:
                    raise CoverageError(
                        f"{server}: has no tile {tile_name(tile)}{refused}, needed over ground of "
                        f"{', '.join(countries)}; choose another --dem or another server"
                    )
        if not found:
            raise CoverageError(f"{server}: has no tile over the study's area; choose another --dem or another server")
        return found

    def _entry(self, key: str, file: str, title: str, address: str, note: str = "") -> CacheEntry:
        return CacheEntry(key, file, title, self.publisher, self.licence, address, self.date, note)
