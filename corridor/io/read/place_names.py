"""Names of places in the languages of the page: from a table of the catalogue, then from the map."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import geopandas as gpd

from corridor.geo.geodesy import distance_m
from corridor.io.read.tables import Faults, read_rows

NAMES_FILE = "place_names.csv"
LANGUAGES = ("en", "ru", "hy", "az", "fa")
_COLUMNS = ["name", "country", *LANGUAGES, "source_ids"]
_REACH_M = 3000.0

PlaceNames = dict[tuple[str, str], dict[str, str]]


def load_place_names(folder: Path, source_ids: set[str]) -> PlaceNames:
    """Names by language of (name, country) as the table of places writes them; nothing where there is no such table.

    Args:
        folder: Of the catalogue.
        source_ids: That rows may name as their source.

    Raises:
        CatalogueError: faults in the table, all of them, with row and column.
    """
    path = folder / NAMES_FILE
    if not path.is_file():
        return {}
    faults = Faults()
    found: PlaceNames = {}
    for row in read_rows(path, _COLUMNS, faults):
        key = (row.text("name", required=True), row.text("country", required=True))
        if key in found:
            row.fault("name", f"'{key[0]}' in {key[1]} stands twice")
        named = row.items("source_ids")
        unknown = [source_id for source_id in named if source_id not in source_ids]
        if unknown or not named:
            row.fault("source_ids", f"'{unknown[0]}' is not in sources.csv" if unknown else "is empty; name a source")
        found[key] = {language: text for language in LANGUAGES if (text := row.text(language))}
    faults.raise_any()
    return found


def name_places(places: gpd.GeoDataFrame, listed: PlaceNames, mapped: gpd.GeoDataFrame | None) -> list[dict[str, str]]:
    """Names by language for each row of a table of places.

    Args:
        places: name, alternate_names, country, lon, lat.
        listed: names from the catalogue; they win.
        mapped: places of a map with ``name`` and ``names`` (dicts by language), lon, lat: taken for a place within 3 km
            that shares a name with it.
    """
    by_name: dict[str, list[int]] = {}
    for row, (name, translated) in enumerate(
        zip(mapped["name"], mapped["names"], strict=True) if mapped is not None else ()
    ):
        # Every spelling of a mapped place leads to it, in whichever language or script.
        for spelling in {_plain(text) for text in (name, *translated.values())} - {""}:
            by_name.setdefault(spelling, []).append(row)
    found = []
    others = places["alternate_names"] if "alternate_names" in places else [""] * len(places)
    for name, aliases, country, lon, lat in zip(
        places["name"], others, places["country"], places["lon"], places["lat"], strict=True
    ):
        spellings = {_plain(text) for text in (name, *str(aliases).split("|"))}
        rows = sorted({row for spelling in spellings for row in by_name.get(spelling, ())})
        names: dict[str, str] = {}
        if rows and mapped is not None:
            near = mapped.iloc[rows]
            # Of several that share a name the nearest, if it is near: names come again in other valleys.
            gaps = distance_m(near["lon"].to_numpy(), near["lat"].to_numpy(), lon, lat)
            names = dict(near["names"].iloc[int(gaps.argmin())]) if gaps.min() <= _REACH_M else {}
        found.append(names | listed.get((str(name), str(country)), {}))
    return found


def _plain(name: str) -> str:
    """A name without case, accents and signs."""
    return "".join(c for c in unicodedata.normalize("NFKD", str(name).casefold()) if c.isalnum())
