"""Rivers for the map: the longer named ones of a map's data, or those that a catalogue says borders run in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from corridor.geo.geodesy import WGS84, line_lengths_m
from corridor.io.read.tables import Faults, read_rows, source_ids_of
from corridor.schema.settings import LANGUAGES

LEAST_KM = 25.0
"""Shorter rivers aren't drawn."""
_TOLERANCE_DEG = 0.0008
_JUMP_DEG = 1.0
_SAME_END_DEG = 5e-4
_APART_DEG = 0.1
"""Lines of one name this far apart (about 10 km) are of two rivers; lakes and unmapped reaches are shorter."""
_SEVERAL = re.compile(r"[/;()]| - ")
COLUMNS = ["name", "names", "length_km"]
BORDERS_FILE = "rivers.csv"
_FRAME = ("west", "south", "east", "north")
_BORDER_COLUMNS = ["name", *LANGUAGES, "countries", *_FRAME, "source_ids", "note"]


def no_rivers() -> gpd.GeoDataFrame:
    """A table of rivers without rows."""
    return gpd.GeoDataFrame(pd.DataFrame(columns=COLUMNS), geometry=[], crs=WGS84)


class Waters:
    """Rivers as they come from a file, way by way."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._translations: list[dict[str, str]] = []
        self._lines: list[shapely.LineString] = []

    def add(self, name: str, translations: dict[str, str], points: Sequence[tuple[float, float]]) -> None:
        """Keep a way that has a name, cut where a vertex is missing or the next one is far away (lon, lat).

        Args:
            name: As the map has it; nothing is kept of one without.
            translations: Names by language.
            points: Longitude and latitude of each vertex; out of range where a vertex is missing.
        """
        lonlat = np.array(points)
        if not name or len(lonlat) < 2:
            return
        # A line is cut on both sides of a vertex that isn't in the file, and where the next is too far to be joined to.
        known = (np.abs(lonlat) <= (180, 90)).all(axis=1)
        far = (np.abs(np.diff(lonlat, axis=0)) > _JUMP_DEG).any(axis=1)
        for piece in np.split(np.arange(len(lonlat)), np.flatnonzero(far | ~known[1:] | ~known[:-1]) + 1):
            if len(piece) > 1:
                self._names.append(name)
                self._translations.append(translations)
                self._lines.append(shapely.linestrings(lonlat[piece]))

    def collect(self) -> gpd.GeoDataFrame:
        """The rivers that are long enough to draw."""
        return collect_rivers(self._names, self._translations, self._lines)


def collect_rivers(
    names: Sequence[str],
    translations: Sequence[dict[str, str]],
    lines: Sequence[shapely.LineString],
    *,
    least_km: float = LEAST_KM,
) -> gpd.GeoDataFrame:
    """Rivers of at least ``least_km``, the longest first.

    Args:
        names: of each line.
        translations: names by language of each line.
        lines: EPSG:4326.
        least_km: what a river measures at least.

    Returns:
        name, names, length_km and geometry (MultiLineString, simplified to about 80 m). A river is all lines that share
        a name in some language, and those that it goes on in under another name (see :func:`join_names`).
    """
    if not lines:
        return no_rivers()
    table = pd.DataFrame({"name": names, "length_km": line_lengths_m(np.array(lines, dtype=object)) / 1000})
    rows, shapes = [], []
    for _, group in table.groupby(join_names(names, translations, lines), sort=True):
        length_km = float(group["length_km"].sum())
        if length_km < least_km:
            continue
        known: dict[str, str] = {}
        for row in group.index:
            known |= translations[row]
        # Ways of one river are joined end to end, so that the drawing has few lines.
        whole = shapely.line_merge(shapely.multilinestrings([lines[row] for row in group.index]))
        simple = shapely.simplify(whole, _TOLERANCE_DEG)
        rows.append((_called(group), known, length_km))
        shapes.append(simple if shapely.get_type_id(simple) == 5 else shapely.multilinestrings([simple]))
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=COLUMNS), geometry=shapes, crs=WGS84)
    return frame.sort_values(["length_km", "name"], ascending=[False, True], ignore_index=True)


def join_names(
    names: Sequence[str], translations: Sequence[dict[str, str]], lines: Sequence[shapely.LineString]
) -> NDArray[np.int64]:
    """Which river each line belongs to, whatever each country's pieces are called.

    Two lines are of one river if they share a name (of the several that a map may write as ``A / B``, or of their
    names by language), or if one goes on in the other, their ends meeting where no third line ends, under a name in
    other letters or of almost the same letters (Aras, Araz). A tributary makes three ends meet, or has another name in
    the same letters, and stays a river of its own. Rivers of one name in different valleys are told apart.

    Args:
        names: of each line.
        translations: names by language of each line.
        lines: EPSG:4326.

    Returns:
        Number of the river of each line, shape (lines,).
    """
    pairs: list[tuple[int, int]] = []
    first: dict[str, int] = {}
    for row, (name, others) in enumerate(zip(names, translations, strict=True)):
        for said in {part.strip().casefold() for text in (name, *others.values()) for part in _SEVERAL.split(text)}:
            if said:
                pairs.append((row, first.setdefault(said, row)))
    # Ends on a grid of about 50 m: where just two lines end, one is the other's continuation.
    ends: dict[tuple[int, int], list[int]] = {}
    for row, line in enumerate(lines):
        xy = shapely.get_coordinates(line)
        # The ends of a closed line are one place, which counts once.
        for x, y in {tuple(np.round(xy[at] / _SAME_END_DEG).astype(int)) for at in (0, -1)}:
            ends.setdefault((int(x), int(y)), []).append(row)
    pairs += [
        (a, b) for a, b in (found for found in ends.values() if len(found) == 2) if _may_be_one(names[a], names[b])
    ]
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    alike = _components(left, right, len(lines))
    near = shapely.STRtree(list(lines)).query(list(lines), predicate="dwithin", distance=_APART_DEG)
    near = near[:, alike[near[0]] == alike[near[1]]]
    return _components(near[0], near[1], len(lines))


def _components(left: NDArray[np.int64], right: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Which connected part each of ``count`` nodes belongs to, from pairs of nodes."""
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class BorderRiver:
    """A river that the border between two countries runs in, inside a frame.

    Attributes:
        name: as pages show it where a language has no name of its own.
        names: by language.
        countries: codes of both.
        frame: west, south, east, north in degrees; elsewhere the border lies on land or in another river.
    """

    name: str
    names: dict[str, str]
    countries: tuple[str, str]
    frame: tuple[float, float, float, float]


def load_border_rivers(folder: Path, source_ids: Collection[str]) -> tuple[BorderRiver, ...]:
    """Rivers that borders run in, as a catalogue lists them; none where it has no such table.

    Args:
        folder: of the catalogue.
        source_ids: that rows may name as their source.

    Raises:
        CatalogueError: faults in the table, all of them, with row and column.
    """
    path = folder / BORDERS_FILE
    if not path.is_file():
        return ()
    faults = Faults()
    found = []
    for row in read_rows(path, _BORDER_COLUMNS, faults):
        sides = row.text("countries", required=True).split("-")
        if len(sides) != 2:
            row.fault("countries", f"is '{'-'.join(sides)[:40]}'; two codes are needed, as ISO 3166 has them")
            continue
        west, south, east, north = (
            row.number(side, -limit, limit) for side, limit in zip(_FRAME, (180, 90, 180, 90), strict=True)
        )
        if west >= east or south >= north:
            row.fault("west", "the frame is empty: west must be below east, and south below north")
        source_ids_of(row, source_ids)
        names = {language: text for language in LANGUAGES if (text := row.text(language))}
        found.append(
            BorderRiver(row.text("name", required=True), names, (sides[0], sides[1]), (west, south, east, north))
        )
    faults.raise_any()
    return tuple(found)


def rivers_along_borders(listed: Sequence[BorderRiver], countries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The courses of rivers that borders run in, taken from the borders.

    Args:
        listed: from :func:`load_border_rivers`.
        countries: country and geometry (polygons whose common borders have common vertices; EPSG:4326).

    Returns:
        As :func:`collect_rivers` gives it; no row for a river none of whose borders is there.
    """
    outlines = dict(zip(countries["country"], shapely.boundary(countries.geometry.to_numpy()), strict=True))
    names, translations, lines = [], [], []
    for river in listed:
        if not all(side in outlines for side in river.countries):
            continue
        shared = shapely.intersection(*(outlines[side] for side in river.countries))
        whole = shapely.intersection(shapely.line_merge(shared), shapely.box(*river.frame))
        for line in shapely.get_parts(whole):
            if shapely.get_type_id(line) == 1 and shapely.length(line) > 0:
                names.append(river.name)
                translations.append(river.names)
                lines.append(line)
    return collect_rivers(names, translations, lines, least_km=0.0)


def _may_be_one(one: str, other: str) -> bool:
    """Whether two names of one river may be the same word: in other letters, or with one letter exchanged."""
    pairs = [(a.strip(), b.strip()) for a in _SEVERAL.split(one) for b in _SEVERAL.split(other)]
    return _letters(one) != _letters(other) or any(_almost_alike(a.casefold(), b.casefold()) for a, b in pairs)


def _letters(name: str) -> str:
    """The script of a name's first letter, as its name in Unicode begins."""
    return next((unicodedata.name(sign, "").split(" ")[0] for sign in name if sign.isalpha()), "")


def _almost_alike(one: str, other: str) -> bool:
    return len(one) == len(other) >= 4 and sum(a != b for a, b in zip(one, other, strict=True)) <= 1


def _called(group: pd.DataFrame) -> str:
    """A river's name: that of most of its length, one in Latin letters before others."""
    lengths = group.groupby("name")["length_km"].sum()
    return str(max(lengths.index, key=lambda name: (str(name).isascii(), lengths[name], name)))
