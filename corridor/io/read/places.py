"""Settlements with their population and their names in other languages: from tables, and from OpenStreetMap files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from math import nan
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.errors import SourceError
from corridor.files import odd_character, require_commas, require_file
from corridor.geo.geodesy import WGS84, distance_m
from corridor.io.read.data_files import data_source
from corridor.io.read.osm_tags import read_population
from corridor.io.read.tables import Faults, read_rows, source_ids_of
from corridor.schema.fields import Source, is_country
from corridor.schema.settings import LANGUAGES

_MAX_BYTES, _MAX_TEXT = 100_000_000, 10_000
_BOUNDS = {"population": (0.0, 1e10), "elevation_m": (-500.0, 9000.0)}
_COLUMNS = ("name", "lat", "lon", "country", "population")
_MORE = ("elevation_m", "alternate_names")


@dataclass(frozen=True)
class Places:
    """Settlements: name, lat, lon, country, population (people, NaN if unknown), alternate_names, geometry."""

    frame: gpd.GeoDataFrame
    source: Source


def _numbers(cells: pd.Series, column: str, path: Path) -> pd.Series:
    """Cells as numbers, NaN where they are empty.

    Raises:
        SourceError: one is neither, or can't be meant (people below 0 or over 10 thousand million, heights off Earth).
    """
    low, high = _BOUNDS[column]
    values = pd.to_numeric(cells, errors="coerce").astype(float)
    # NaN is between nothing, so a text that isn't a number is bad, and so is an empty cell; that one is allowed.
    bad = ~values.between(low, high) & (cells.str.strip() != "")
    if bad.any():
        given = str(cells[bad.idxmax()])[:40]
        raise SourceError(
            f"{path}: row {int(bad.idxmax()) + 2}: {column} is '{given}'; write a number from {low:g} to {high:g} "
            "or nothing where it isn't known"
        )
    return values


def read_places(path: Path) -> Places:
    """Read a CSV of settlements with at least name, lat, lon, country and population.

    Args:
        path: CSV in UTF-8.

    Raises:
        SourceError: the file is missing, isn't such a table, or has coordinates that no place on Earth has.
    """
    require_file(path, "table of places", _MAX_BYTES)
    require_commas(path)
    try:
        # all as text: a village called 77 or True is none the less called that
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as fault:
        reason = " ".join(str(fault).split())[:200]
        raise SourceError(f"{path}: not readable as a table of places ({reason}); write UTF-8 with commas") from fault
    if not isinstance(table.index, pd.RangeIndex):
        raise SourceError(f"{path}: its rows have more cells than there are columns; quote text with commas")
    # A second column of a name is read as "name.1", and nobody would say which of both counts.
    if twice := [column for column in (*_COLUMNS, *_MORE) if f"{column}.1" in table.columns]:
        raise SourceError(f"{path}: column {twice[0]} stands twice; keep one of each")
    missing = [column for column in _COLUMNS if column not in table.columns]
    if missing:
        raise SourceError(f"{path}: columns missing: {', '.join(missing)}")
    # A row off Earth is a swapped or shifted column: it is told by its number, which a person can look up.
    for column, bound in (("lat", 90), ("lon", 180)):
        given = table[column]
        table[column] = pd.to_numeric(given, errors="coerce")
        bad = ~table[column].between(-bound, bound)
        if bad.any():
            raise SourceError(
                f"{path}: row {int(bad.idxmax()) + 2}: {column} is '{str(given[bad.idxmax()])[:40]}'; write a number "
                f"from -{bound} to {bound}"
            )
    for column in ("population", "elevation_m"):
        if column in table.columns:
            table[column] = _numbers(table[column], column, path)
    if "alternate_names" not in table.columns:
        table["alternate_names"] = ""
    for column in ("name", "country", "alternate_names"):
        for row, text in enumerate(table[column], 2):
            odd = odd_character(text)
            if odd or len(text) > _MAX_TEXT:
                what = f"holds control characters ({odd})" if odd else f"is longer than {_MAX_TEXT:,} letters"
                raise SourceError(f"{path}: row {row}: {column} {what}; write plain text")
    for row, code in enumerate(table["country"], 2):
        if code and not is_country(code):
            raise SourceError(
                f"{path}: row {row}: country is '{code[:40]}'; write two capital letters, or nothing where it isn't "
                "known"
            )
    again = table.duplicated(["name", "country", "lat", "lon"])
    if again.any():
        row = int(again.idxmax())
        raise SourceError(
            f"{path}: row {row + 2}: '{table['name'][row]}' stands above already, at the same place, and its people "
            "would count twice; leave out one of both rows"
        )
    frame = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
    return Places(frame, data_source(path, "places", f"Places {path.name}"))


_NEAR_DEG = 0.03
"""An outline's point within this of it (about 3 km) may be the settlement of the same name drawn a second time."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Settlement:
    name: str
    kind: str
    population: float
    lon: float
    lat: float
    names: dict[str, str]


class Settlements:
    """Settlements as they come from a file."""

    def __init__(self) -> None:
        self._points: list[_Settlement] = []
        self._outlines: list[tuple[_Settlement, shapely.Geometry]] = []
        self.not_numbers = 0
        self.drawn_twice = 0

    def __len__(self) -> int:
        return len(self._points) + len(self._outlines)

    def add_point(self, tags: Any, name: str, names: dict[str, str], lon: float, lat: float) -> None:
        """Keep a settlement that is a point (lon, lat).

        Args:
            tags: With ``place``, and ``population`` where the map has it.
            name: What it is called.
            names: By language.
            lon: Degrees.
            lat: Degrees.
        """
        self._points.append(_Settlement(name, tags["place"], self._population(tags), lon, lat, names))

    def add_outline(self, tags: Any, name: str, names: dict[str, str], lines: Sequence[Sequence[Point]]) -> None:
        """Keep a settlement whose outline is one line or several that join (lon, lat); others are no area.

        Args:
            tags: With ``place``, and ``population`` where the map has it.
            name: What it is called.
            names: By language.
            lines: Longitude and latitude of each vertex, line by line.
        """
        parts = shapely.polygonize([shapely.LineString(line) for line in lines if len(line) > 1])
        if len(parts.geoms):
            self.add_shape(tags, name, names, shapely.union_all(parts.geoms))

    def add_shape(self, tags: Any, name: str, names: dict[str, str], shape: shapely.Geometry) -> None:
        """Keep a settlement that is a point or an area; of a line, which is neither, a point on it."""
        at = shapely.point_on_surface(shape)
        row = _Settlement(name, tags["place"], self._population(tags), at.x, at.y, names)
        if shape.geom_type in {"Polygon", "MultiPolygon"}:
            self._outlines.append((row, shape))
        else:
            self._points.append(row)

    def _population(self, tags: Any) -> float:
        text = tags.get("population", "")
        people = read_population(text)
        self.not_numbers += bool(text.strip()) and people is None
        return nan if people is None else people

    def frame(self) -> gpd.GeoDataFrame:
        """A table of name, kind, population, lon, lat, names, geometry (EPSG:4326), each settlement once.

        An outline that holds a point of its name, or has one within 3 km, is that settlement again: the point is where
        people say that it lies. Its number of people counts where the point has none.
        """
        rows = list(self._points)
        index = shapely.STRtree(shapely.points([(row.lon, row.lat) for row in rows] or np.zeros((0, 2))))
        self.drawn_twice = 0
        for row, area in self._outlines:
            # The first point in the file's order counts, so that the same file gives the same settlements.
            near = index.query(area, predicate="dwithin", distance=_NEAR_DEG)
            inside = set(index.query(area, predicate="contains").tolist())
            twins = [int(i) for i in np.sort(near) if _same_name(row, self._points[i], inside=int(i) in inside)]
            if not twins:
                rows.append(row)
                continue
            self.drawn_twice += 1
            point = rows[twins[0]]
            people = row.population if np.isnan(point.population) else point.population
            names = row.names | point.names
            rows[twins[0]] = _Settlement(point.name or row.name, point.kind, people, point.lon, point.lat, names)
        cells = [(r.name, r.kind, r.population, r.lon, r.lat, r.names) for r in rows]
        table = pd.DataFrame(cells, columns=["name", "kind", "population", "lon", "lat", "names"])
        # an empty column is of objects
        table = table.astype({"population": float, "lon": float, "lat": float})
        return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)


def _same_name(a: _Settlement, b: _Settlement, *, inside: bool) -> bool:
    """Whether two settlements share a name in any language; an outline without name is named by a point inside."""
    words = [{text.casefold() for text in (row.name, *row.names.values()) if text} for row in (a, b)]
    return bool(words[0] & words[1]) or (inside and a.kind == b.kind and not words[0])


NAMES_FILE = "place_names.csv"
_NAME_COLUMNS = ["name", "country", *LANGUAGES, "source_ids"]
_REACH_M = 3000.0
"""Places of one name no farther apart are one place. Declared."""

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
    for row in read_rows(path, _NAME_COLUMNS, faults):
        key = (row.text("name", required=True), row.country("country"))
        if key in found:
            row.fault("name", f"'{key[0]}' in {key[1]} stands twice")
        source_ids_of(row, source_ids)
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
    at = {} if mapped is None else {key: mapped[key].to_numpy() for key in ("lon", "lat", "names")}
    found = []
    others = places["alternate_names"] if "alternate_names" in places else [""] * len(places)
    for name, aliases, country, lon, lat in zip(
        places["name"], others, places["country"], places["lon"], places["lat"], strict=True
    ):
        spellings = {_plain(text) for text in (name, *str(aliases).split("|"))}
        rows = sorted({row for spelling in spellings for row in by_name.get(spelling, ())})
        names: dict[str, str] = {}
        if rows:
            # Of several that share a name the nearest, if it is near: names come again in other valleys.
            gaps = distance_m(at["lon"][rows], at["lat"][rows], lon, lat)
            names = dict(at["names"][rows[int(gaps.argmin())]]) if gaps.min() <= _REACH_M else {}
        spelled = names_by_script(str(name), str(aliases).split("|"))
        found.append(spelled | names | listed.get((str(name), str(country)), {}))
    return found


_SCRIPTS = {"ARMENIAN": "hy", "CYRILLIC": "ru", "ARABIC": "fa"}
"""Languages by the script that their names are told by."""
_FOREIGN = {"ru": re.compile("[^а-яёА-ЯЁ -]"), "fa": re.compile("[^آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیئأؤ \u200c-]")}
"""Letters of a script that a language of it doesn't have: such a name is in another language."""
_PERSIAN = str.maketrans({"ي": "ی", "ك": "ک", "ة": "ه", "أ": "ا"})
_VOWELS = frozenset("aeiouwy")
# Consonants that languages exchange for each other are one sound, as in Soundex.
_SOUNDS = {letter: group[0] for group in ("bpfv", "cgjkqsxzh", "dt", "mn") for letter in group}
_LEAST_ALIKE = 0.5
"""Least likeness, 0 to 1, of the consonants of two spellings of one name. Declared."""


def names_by_script(name: str, aliases: Iterable[str]) -> dict[str, str]:
    """Names in other scripts among the aliases of a place, by the language that writes so.

    Of several in one script that is taken which sounds most like the name: an older name of the place isn't it.

    Args:
        name: in Latin letters.
        aliases: its other names, in any script.

    >>> names_by_script("Vayk", ["Soylan", "Азизбеков", "Вайк", "Вајк", "Սոյլան", "Վայք", "وايك"])
    {'ru': 'Вайк', 'hy': 'Վայք', 'fa': 'وایک'}
    """
    best: dict[str, tuple[float, float, str]] = {}
    asked = _sounds(name)
    for alias in aliases:
        letter = next((c for c in alias if c.isalpha()), " ")
        language = _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], "")
        # as Persian writes it: its own forms of letters, and no signs for vowels
        told = _unmarked(alias.translate(_PERSIAN)) if language == "fa" else alias
        if not language or (language in _FOREIGN and _FOREIGN[language].search(told)):
            continue
        # consonants first, as scripts and languages write vowels least alike; all sounds where those are the same
        sounds, before = _sounds(told), best.get(language, (0.0, 0.0, ""))[:2]
        consonants = _ratio(_consonants(asked), _consonants(sounds))
        if consonants < max(_LEAST_ALIKE, before[0]):
            continue
        alike = (consonants, _ratio(asked, sounds))
        if alike > before:
            best[language] = (*alike, told)
    return {language: text for language, (_, _, text) in best.items()}


def _unmarked(text: str) -> str:
    return "".join(c for c in text if not unicodedata.combining(c))


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _consonants(sounds: str) -> str:
    return "".join(sound for sound in sounds if sound not in _VOWELS)


def _sounds(name: str) -> str:
    """A name as rough sounds, each once in a row.

    What a letter of another script sounds like is read off its Unicode name, which spells it: VEW, ZHE, SHEEN.
    """
    found: list[str] = []
    for letter in unicodedata.normalize("NFKD", name.casefold()):
        sound = _sound(letter)
        if sound and found[-1:] != [sound]:
            found.append(sound)
    return "".join(found)


@cache
def _sound(letter: str) -> str:
    """The rough sound of a letter; nothing for signs and other scripts."""
    script, _, spelled = unicodedata.name(letter, "").partition(" ")
    if not letter.isalpha() or not (letter.isascii() or script in _SCRIPTS):
        return ""
    sound = letter if letter.isascii() else spelled.lower().rpartition(" ")[2]
    # EL, EM and ER are spelled with a vowel before the sound
    sound = sound[1] if sound in ("ef", "el", "em", "en", "er", "es") else "o" if sound == "vo" else sound[0]
    return _SOUNDS.get(sound, sound)


def _plain(name: str) -> str:
    """A name without case, accents and signs."""
    return "".join(c for c in unicodedata.normalize("NFKD", str(name).casefold()) if c.isalnum())
