"""OpenStreetMap for a study, from a server's answers or from extracts of whole countries."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from corridor.errors import FetchError, MissingError, SourceError, StudyError
from corridor.io.fetch.cache import CachedFile, CacheEntry, drop_partial, key_of
from corridor.io.fetch.fetcher import Fetcher, download
from corridor.io.fetch.overpass import (
    Bounds,
    OsmPieces,
    download_countries,
    download_places,
    download_ways,
    iterate_filters,
)
from corridor.io.read.borders import read_borders
from corridor.io.read.osm_tags import PLACE_KINDS
from corridor.io.read.places import Settlements
from corridor.schema.settings import LiveSettings
from corridor.schema.study import Study

# --- OpenStreetMap extracts of whole countries, as Geofabrik serves them: large, resumed after a drop, checked by
#     MD5 ---

_SUFFIX = "-latest.osm.pbf"
_HEADER = b"\n\tOSMHeader"
EXTRACT_PUBLISHER = "OpenStreetMap contributors, extract by Geofabrik GmbH"
LICENCE = "ODbL 1.0"


def extract_entries(study_id: str, settings: LiveSettings) -> list[CacheEntry]:
    """What to ask for the study's extracts.

    Args:
        study_id: For an error's words.
        settings: Name the server and the extracts.

    Raises:
        StudyError: the study names none.
    """
    if not settings.geofabrik_extracts:
        raise StudyError(
            f"{study_id}: live.geofabrik_extracts: name the extracts that cover the area, for instance "
            'geofabrik_extracts = ["europe/malta"], or take --osm overpass'
        )
    found = []
    for name in settings.geofabrik_extracts:
        address = f"{settings.geofabrik_url}/{name}{_SUFFIX}"
        file = name.replace("/", "-") + _SUFFIX
        found.append(
            CacheEntry(
                key_of("extract", name), file, f"OpenStreetMap extract {name}", EXTRACT_PUBLISHER, LICENCE, address
            )
        )
    return found


def fetch_extract(fetcher: Fetcher, entry: CacheEntry) -> CachedFile:
    """One extract, held against the MD5 that the server states beside it, if it does.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        entry: One of :func:`extract_entries`.

    Raises:
        FetchError: it can't be had, or isn't whole.
    """
    wrong: set[str] = set()

    def check(part: Path) -> None:
        with part.open("rb") as stream:
            # The first block of a PBF says so after four bytes of length; a web page or a cut-off file doesn't.
            if stream.read(15)[4:] != _HEADER:
                raise SourceError("is no OpenStreetMap PBF")
        stated = _stated_md5(fetcher, entry, part)
        if not stated:
            return
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        # Extracts are renewed daily, file and MD5 one after the other: the MD5 is asked for once more, and the file is
        # fetched once more at most, since it may be hundreds of megabytes.
        if found == stated or found == (stated := _stated_md5(fetcher, entry, part)):
            return
        words = f"has MD5 {found}, the server states {stated}"
        if wrong:
            raise FetchError(f"{entry.address}: {words} (fetched twice); try again later or set another address")
        wrong.add(found)
        raise SourceError(words)

    return fetcher.download(entry, check, keep_partial=True)


def _stated_md5(fetcher: Fetcher, entry: CacheEntry, part: Path) -> str:
    """The MD5 in the file beside an extract, or nothing where there is none."""
    beside = part.with_name(part.name + ".md5")
    try:
        download(f"{entry.address}.md5", beside, fetcher.settings, fetcher.meter)
        found = re.match(rb"([0-9a-f]{32})\b", beside.read_bytes()[:200])
    except MissingError:
        return ""
    finally:
        drop_partial(beside)
    if not found:
        raise FetchError(f"{entry.address}.md5: holds no MD5; is it the right address?")
    return found[1].decode()


PUBLISHER = "OpenStreetMap contributors"
_COUNTRY_TAGS = ("ISO3166-1:alpha2", "ISO3166-1")
_MARGIN_DEG = 1.0


def fetch_overpass(fetcher: Fetcher, study: Study) -> CachedFile:
    """Roads and railways of the study's area from Overpass.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        study: Whose area.

    Raises:
        FetchError: the server can't be used, or knows no road and no railway there.
    """
    entry = _entry(
        fetcher,
        study,
        "ways",
        ".osm.pbf",
        ",".join((*iterate_filters(), *sorted(PLACE_KINDS))),
        "roads and railways",
    )

    def make(part: Path) -> None:
        work = part.with_name(part.name + ".answers")
        pieces = download_ways(study.area, work, fetcher.settings, fetcher.meter)
        drop_partial(work)
        _write(pieces, part, entry)

    return fetcher.get(entry, make)


def fetch_geofabrik(fetcher: Fetcher, study: Study) -> CachedFile:
    """Roads and railways of the study's area from its country extracts.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        study: Whose area.

    Raises:
        StudyError: the study names no extract.
        FetchError: one can't be had, or none has a road in the area.
    """
    wanted = extract_entries(study.id, fetcher.settings)
    # A clip is made from extracts, which have records of their own; it is found by what they are and where it is cut.
    key = key_of("clip", *(entry.key for entry in wanted), _window(study.area))
    asked = CacheEntry(
        key, f"osm-{key[:8]}.osm.pbf", "OpenStreetMap roads and railways of extracts", EXTRACT_PUBLISHER, LICENCE,
        fetcher.settings.geofabrik_url,
    )  # fmt: skip
    found = fetcher.find_made(asked)
    if found:
        return found
    extracts = [fetch_extract(fetcher, entry) for entry in wanted]
    entry = replace(asked, made_from=tuple(origin for _, extract in extracts for origin in extract.origins))

    def make(part: Path) -> None:
        pieces = OsmPieces()
        for path, extract in extracts:
            try:
                pieces.add_extract(path, study.area, fetcher.meter.say)
            except SourceError as fault:
                raise FetchError(f"{extract.address}: {fault}; fetch it again with --refresh") from fault
        _write(pieces, part, entry)

    return fetcher.make(entry, make)


def fetch_borders(fetcher: Fetcher, study: Study) -> CachedFile:
    """Countries that touch the study's area, from Overpass: GeoJSON with country (two letters), name.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        study: Whose area.

    Raises:
        FetchError: the server can't be used.
        MissingError: it knows no country with its code there.
    """
    entry = _entry(fetcher, study, "borders", ".geojson", "admin_level=2", "borders of countries")

    def make(part: Path) -> None:
        work = part.with_name(part.name + ".answers")
        frame = download_countries(study.area, work, fetcher.settings, fetcher.meter)
        west, south, east, north = study.area
        near = shapely.box(west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
        features = [
            {
                "type": "Feature",
                "properties": {"country": code, "name": name},
                "geometry": shapely.geometry.mapping(shape),
            }
            for code, name, shape in _countries(frame, near)
        ]
        if not features:
            raise MissingError(
                f"{entry.address}: gives no border with a country code (ISO3166-1); name a file of borders"
            )
        part.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
        drop_partial(work)

    return fetcher.get(entry, make)


def fetch_places(fetcher: Fetcher, study: Study, borders: Path) -> CachedFile:
    """Settlements of the study's area from Overpass: CSV with name, lat, lon, country, population, alternate_names.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        study: Whose area.
        borders: File of countries, which say whose a settlement is.

    Raises:
        FetchError: the server can't be used, or knows no settlement there.
    """
    entry = _entry(fetcher, study, "places", ".csv", ",".join(sorted(PLACE_KINDS)), "settlements")

    def make(part: Path) -> None:
        work = part.with_name(part.name + ".answers")
        frame = download_places(study.area, work, fetcher.settings, fetcher.meter)
        # a settlement mapped as a point and as an area is one
        settled = Settlements()
        local, english = _text(frame, "name"), _text(frame, "name:en", "name")
        cells = zip(frame.geometry, _text(frame, "place"), _text(frame, "population"), english, local, strict=True)
        for shape, kind, people, name, own in cells:
            settled.add_shape({"place": kind, "population": people}, name, {"local": own}, shape)
        found = settled.frame()
        table = pd.DataFrame({
            "name": found["name"],
            "lat": found["lat"].round(6),
            "lon": found["lon"].round(6),
            "country": read_borders(borders).country_at(found["lon"].to_numpy(), found["lat"].to_numpy()),
            "population": found["population"].astype("Float64").astype("Int64"),
            "alternate_names": [names["local"] for names in found["names"]],
        })  # fmt: skip
        table = table[table["name"] != ""].drop_duplicates(["name", "lat", "lon"]).sort_values(["name", "lat", "lon"])
        table.to_csv(part, index=False, lineterminator="\n")
        drop_partial(work)

    return fetcher.get(entry, make)


def _entry(fetcher: Fetcher, study: Study, layer: str, suffix: str, asked: str, words: str) -> CacheEntry:
    address = f"{fetcher.settings.overpass_url}/interpreter"
    # A mirror has the same map: its address is noted with the file, and is no part of what was asked.
    key = key_of("overpass", layer, _window(study.area), asked)
    return CacheEntry(
        key, f"osm-{layer}-{key[:8]}{suffix}", f"OpenStreetMap {words} (Overpass)", PUBLISHER, LICENCE, address
    )


def _write(pieces: OsmPieces, part: Path, entry: CacheEntry) -> None:
    if not len(pieces):
        raise FetchError(f"{entry.address}: knows no road and no railway in the study's area; is it the right server?")
    pieces.write(part)


def _window(area: Bounds) -> str:
    return ",".join(f"{bound:.6f}" for bound in area)


def _countries(frame: gpd.GeoDataFrame, near: shapely.Geometry) -> list[tuple[str, str, shapely.Geometry]]:
    """Code, name and ground of each country, by code; what isn't an area or has no code is left out."""
    # Borders come as lines too; only closed ones are ground.
    areas = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    codes, names = _text(areas, *_COUNTRY_TAGS).str.upper(), _text(areas, "name:en", "name")
    shapes = shapely.intersection(shapely.make_valid(areas.geometry.to_numpy()), near)
    rows = [
        (code, name or code, _areal(shape))
        for code, name, shape in zip(codes, names, shapes, strict=True)
        # Disputed areas and unions have no code of two capitals; they are no countries here.
        if len(code) == 2 and code.isascii() and code.isalpha()
    ]
    return sorted((row for row in rows if not row[2].is_empty), key=lambda row: row[0])


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


def _text(frame: pd.DataFrame, *columns: str) -> pd.Series[Any]:
    """The first of several columns that says something, row by row, as plain text."""
    said = pd.Series("", index=frame.index, dtype=object)
    for column in columns:
        if column in frame.columns:
            cells = frame[column].map(
                lambda cell: "".join(c for c in cell if c.isprintable())[:200] if isinstance(cell, str) else ""
            )
            said = said.where(said != "", cells)
    return said
