"""All live data of a study, by the settings that hold now, as files that the ordinary readers take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import shapely
from pydantic import ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from corridor.errors import FetchError, OfflineError, StudyError
from corridor.files import require_file
from corridor.io.fetch.cache import Cache, CachedFile, CacheEntry
from corridor.io.fetch.elevation import all_providers, get_provider, provider_ids
from corridor.io.fetch.elevation_provider import ElevationProvider
from corridor.io.fetch.fetcher import Fetcher, Meter
from corridor.io.fetch.osm_layers import fetch_borders, fetch_geofabrik, fetch_overpass, fetch_places
from corridor.io.fetch.own_raster import OwnRaster
from corridor.io.fetch.tiles import Bounds
from corridor.io.fetch.wanted import GEOFABRIK, OVERPASS, FetchedInputs, WantedInputs, is_remote, is_source
from corridor.io.read.borders import read_borders
from corridor.plugins import nearest_name
from corridor.schema.faults import fault_words
from corridor.schema.settings import PREFIX, BaseAddress, ExtractName, LiveSettings
from corridor.schema.study import LIVE_OSM, Study

# --- Settings of live data as they hold now: the study's ``[live]`` table under what the environment says instead ---


class _FromEnvironment(LiveSettings, BaseSettings):
    """A study's settings, over each of which ``CORRIDOR_`` and its name in capitals wins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    geofabrik_extracts: Annotated[tuple[ExtractName, ...], NoDecode] = ()

    @field_validator("geofabrik_extracts", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """A variable holds names between commas; JSON, which is the usual form of lists there, is no way to type."""
        return [part.strip() for part in given.split(",")] if isinstance(given, str) else given

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment first, then the study; no file of variables is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def settings_model() -> type[LiveSettings]:
    """The model of all settings that there are: the general ones, and the addresses that sources of elevation add."""
    addresses: dict[str, Any] = {
        key: (BaseAddress, setting.default)
        for provider in all_providers()
        for key, setting in provider.settings.items()
    }
    # Fields that only the registry knows are made at run time; their types are as strict as if they were written.
    dem: Any = (Literal[provider_ids()], LiveSettings.model_fields["dem"].default)
    return create_model("LiveSettingsNow", __base__=_FromEnvironment, dem=dem, **addresses)


def resolve_live(table: LiveSettings) -> LiveSettings:
    """A study's settings with what the environment says instead.

    Args:
        table: The study's ``[live]`` table.

    Returns:
        Settings with a value for every address of every source.

    Raises:
        StudyError: a variable holds what its key can't, or the table has a key that no source knows; all faults at
            once.
    """
    model = settings_model()
    try:
        return model(**{key: getattr(table, key) for key in table.model_fields_set})
    except ValidationError as faults:
        said = []
        for fault in faults.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            # Whoever set it must be named: the variable wins over the table, so a set variable is the culprit.
            variable = PREFIX + key.upper()
            where = variable if os.environ.get(variable) else f"live.{key}".rstrip(".")
            words = fault_words(fault)
            if fault["type"] == "extra_forbidden":
                words = f"no source has such a server{nearest_name(key, model.model_fields)}; correct or remove it"
            said.append(f"{where}: {words}")
        raise StudyError("; ".join(said)) from faults


def fetch(
    study: Study | str | Path,
    *,
    osm: str | None = None,
    dem: Sequence[str] = (),
    cache: str | Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> FetchedInputs:
    """Have the live data of a study's area in the cache, as ``corridor fetch`` does.

    Compare with it so: ``corridor.compare(data.study, osm=data.osm, dem=data.dem)``.

    Args:
        study: a study, the path of its file, or the name of a bundled one. It names the area and, in its ``[live]``
            table, sources and settings.
        osm: ``overpass`` or ``geofabrik`` instead of what the study says.
        dem: names of sources of heights, or addresses of rasters, instead of what the study says.
        cache: folder of fetched data; the system's own if left out.
        offline: forbid the network: what isn't at hand is an error.
        refresh: fetch again what is there; earlier files stay.
        progress: called with a few words at the start of each transfer.

    Returns:
        The study with its live data in files.

    Raises:
        OfflineError: something isn't there and ``offline`` forbids to fetch it: all that is missing, in one line.
        FetchError: something can't be fetched.
        CoverageError: heights are missing over ground.
        StudyError: a setting is wrong.
    """
    folder = Path(cache) if cache is not None else None
    wanted = WantedInputs(osm, tuple(dem))
    return fetch_inputs(
        Study.find(study), wanted, cache=Cache(folder), meter=Meter(progress), offline=offline, refresh=refresh
    )


def fetch_inputs(
    study: Study,
    wanted: WantedInputs,
    *,
    cache: Cache,
    meter: Meter,
    offline: bool = False,
    refresh: bool = False,
    expected: Mapping[tuple[str, str], str] | None = None,
) -> FetchedInputs:
    """Have all live data of a study in the cache.

    Args:
        study: Names the area and, in ``[live]`` and ``[sources]``, what is live.
        wanted: What to fetch instead of what the study says.
        cache: Where fetched files are kept.
        meter: Who hears of progress.
        offline: Forbid the network.
        refresh: Fetch again what is there; earlier files stay.
        expected: SHA-256 that a file must have, by address and file name.

    Returns:
        The study with its live data in files.

    Raises:
        OfflineError: something isn't there and ``offline`` forbids to fetch it: all that is missing, in one line.
        FetchError: something can't be fetched, or differs from what is ``expected``.
        SourceError: a file that is named instead isn't there.
        CoverageError: heights are missing over ground.
        StudyError: a setting is wrong.
    """
    # Without --live the names of sources can only be mistakes for files.
    for name in (wanted.osm, *wanted.dem):
        if not wanted.live and name is not None and is_source(name):
            raise FetchError(f"{name}: is a source of live data; add --live, or give a file")
    settings = resolve_live(study.live)
    names = wanted.dem or ([settings.dem] if wanted.live else [])
    osm = Path(wanted.osm) if wanted.osm not in {None, OVERPASS, GEOFABRIK} else None
    own_borders = study.sources.borders if study.sources.borders != LIVE_OSM else None
    borders = study.path(own_borders) if own_borders else None
    # Nobody should wait for the network to be told that a file is misspelled.
    here = [(osm, "OpenStreetMap file"), (borders, "borders file")]
    here += [(Path(name), "elevation raster") for name in names if _find_provider(name) is None]
    for path, what in here:
        if path is not None:
            require_file(path, what)
    fetcher = Fetcher(cache, settings, meter, offline, refresh, expected or {})
    found = _Gathered()
    files: dict[str, str] = {}
    # Borders first: places need them to know their country, tiles to know whether they may be missing.
    if study.sources.borders == LIVE_OSM and wanted.live:
        borders = found.have("borders", lambda: fetch_borders(fetcher, study))
        files["borders"] = str(borders)
    if wanted.live and study.sources.places == LIVE_OSM and borders:
        files["places"] = str(found.have("places", lambda: fetch_places(fetcher, study, borders)))
    if wanted.live and osm is None:
        source = fetch_geofabrik if (wanted.osm or settings.osm) == GEOFABRIK else fetch_overpass
        osm = found.have("roads and railways", lambda: source(fetcher, study))
    # Without borders nobody knows whether ground without heights is sea.
    countries_on = partial(_countries_on, borders) if study.sources.borders else _nowhere
    dem, changes = _fetch_heights(names, study, fetcher, found, countries_on)
    if found.missing:
        raise OfflineError(
            f"{study.id}: not in the cache {cache.folder}: {'; '.join(found.missing)}; --offline forbids to fetch: "
            "run `corridor fetch` with the same study and options first"
        )
    if files:
        changes["sources"] = study.sources.model_copy(update=files)
    return FetchedInputs(study.model_copy(update=changes), osm, dem, tuple(found.layers), tuple(fetcher.fetched))


@dataclass
class _Gathered:
    """Layers that are at hand by now, and what the network would have to give, in order and each once."""

    layers: list[tuple[str, Path, CacheEntry]] = field(default_factory=list)
    missing: dict[str, None] = field(default_factory=dict)

    def have(self, layer: str, fetch: Callable[[], CachedFile]) -> Path | None:
        """The file of a layer; None, and one more that is missing, where only the network would give it."""
        try:
            path, entry = fetch()
        except OfflineError as fault:
            self.missing[str(fault)] = None
            return None
        self.layers.append((layer, path, entry))
        return path


def _fetch_heights(
    names: Sequence[str], study: Study, fetcher: Fetcher, found: _Gathered, countries_on: Callable[[Bounds], list[str]]
) -> tuple[tuple[Path, ...], dict[str, object]]:
    """Rasters of heights, fetched where a source gives them, and what the study says of their error by it."""
    dem: list[Path] = []
    changes: dict[str, object] = {}
    for name in names:
        provider = _find_provider(name)
        if provider is None:
            dem.append(Path(name))
            continue
        if provider.vertical_error_m is not None:
            changes["elevation"] = study.elevation.model_copy(update={"vertical_error_m": provider.vertical_error_m})
        heights = found.have("heights", partial(provider.fetch, fetcher, study.area, countries_on))
        dem += [heights] if heights else []
    return tuple(dem), changes


def _find_provider(name: str) -> ElevationProvider | None:
    """Who gives the heights that ``--dem`` names: a source by its id, a raster by its address; None for a file here."""
    if name in provider_ids():
        return get_provider(name)
    return OwnRaster(name) if is_remote(name) else None


def _nowhere(_: Bounds) -> list[str]:
    """No country, where none is known."""
    return []


def _countries_on(borders: Path | None, bounds: Bounds) -> list[str]:
    """Countries of a file of borders that have ground within bounds.

    Raises:
        OfflineError: the borders themselves are still to be fetched.
    """
    if borders is None:
        raise OfflineError("borders of countries")
    ground = shapely.box(*bounds)
    countries = read_borders(borders).countries
    return [
        str(code)
        for code, shape in zip(countries["country"], countries.geometry.to_numpy(), strict=True)
        if shapely.area(shapely.intersection(shape, ground)) > 0
    ]
