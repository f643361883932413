"""All live data of a study: from the cache or the network, as files that the ordinary readers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from corridor.errors import FetchError, OfflineError
from corridor.io.fetch.cache import Cache, CachedFile, CacheEntry
from corridor.io.fetch.fetching import Fetcher
from corridor.io.fetch.heights import VERTICAL_ERROR_M, fetch_heights, fetch_window
from corridor.io.fetch.osm_layers import fetch_borders, fetch_geofabrik, fetch_overpass, fetch_places
from corridor.io.fetch.remote_raster import is_remote
from corridor.io.fetch.transfer import Meter
from corridor.schema.live_settings import resolve_live
from corridor.schema.study import LIVE_OSM, Study


@dataclass(frozen=True)
class Wanted:
    """What to fetch: ``osm`` and ``dem`` name a source, a file or an address, or nothing for the study's own."""

    osm: str | None = None
    dem: Sequence[str] = ()
    live: bool = True


@dataclass(frozen=True)
class Gathered:
    """A study with its live data in files.

    ``study`` names the fetched borders and places and has the vertical error of the fetched heights; ``osm`` and
    ``dem`` are for the readers; ``layers`` names what was asked, with its record; ``fetched`` is what wasn't at hand.
    """

    study: Study
    osm: Path | None
    dem: tuple[Path, ...]
    layers: tuple[tuple[str, Path, CacheEntry], ...]
    fetched: tuple[str, ...]


def gather(
    study: Study,
    wanted: Wanted,
    *,
    cache: Cache,
    meter: Meter,
    offline: bool = False,
    refresh: bool = False,
    expected: Mapping[tuple[str, str], str] | None = None,
) -> Gathered:
    """Have all live data of a study in the cache.

    Raises:
        OfflineError: something isn't there and ``offline`` forbids to fetch it: all that is missing, in one line.
        FetchError: something can't be fetched, or differs from what is ``expected``.
        CoverageError: heights are missing over ground.
        StudyError: a setting is wrong.
    """
    for name in (wanted.osm, *wanted.dem):
        if not wanted.live and name in {"overpass", "geofabrik", *VERTICAL_ERROR_M}:
            raise FetchError(f"{name}: is a source of live data; add --live, or give a file")
    settings = resolve_live(study.live)
    fetcher = Fetcher(cache, settings, meter, offline, refresh, expected or {})
    layers: list[tuple[str, Path, CacheEntry]] = []
    missing: list[str] = []

    def have(layer: str, fetch: Callable[[], CachedFile]) -> Path | None:
        try:
            path, record = fetch()
        except OfflineError as fault:
            missing.append(str(fault))
            return None
        layers.append((layer, path, record))
        return path

    files: dict[str, str] = {}
    borders: Path | None = None
    if study.sources.borders != LIVE_OSM:
        borders = study.path(study.sources.borders)
    elif wanted.live:
        borders = have("borders", lambda: fetch_borders(fetcher, study))
        files["borders"] = str(borders)
    if wanted.live and study.sources.places == LIVE_OSM and borders:
        files["places"] = str(have("places", lambda: fetch_places(fetcher, study, borders)))
    osm = Path(wanted.osm) if wanted.osm not in {None, "overpass", "geofabrik"} else None
    if wanted.live and osm is None:
        source = fetch_geofabrik if (wanted.osm or settings.osm) == "geofabrik" else fetch_overpass
        osm = have("roads and railways", lambda: source(fetcher, study))
    dem: list[Path] = []
    changes: dict[str, object] = {}
    for name in wanted.dem or ([settings.dem] if wanted.live else []):
        heights: Path | None = Path(name)
        if name in VERTICAL_ERROR_M:
            changes["elevation"] = study.elevation.model_copy(update={"vertical_error_m": VERTICAL_ERROR_M[name]})
            heights = have("heights", partial(fetch_heights, fetcher, study, name, borders)) if borders else None
        elif is_remote(name):
            heights = have("heights", partial(fetch_window, fetcher, study, name))
        dem += [heights] if heights else []
    if missing:
        raise OfflineError(
            f"{study.id}: not in the cache {cache.folder}: {'; '.join(missing)}; --offline forbids to fetch: "
            "run `corridor fetch` with the same study and options first"
        )
    if files:
        changes["sources"] = study.sources.model_copy(update=files)
    return Gathered(study.model_copy(update=changes), osm, tuple(dem), tuple(layers), tuple(fetcher.fetched))
