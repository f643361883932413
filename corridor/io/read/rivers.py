"""Rivers for the map: the longer named ones, as lines simple enough to draw."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.geo.geodesy import WGS84, line_lengths_m

LEAST_KM = 25.0
"""Shorter rivers aren't drawn."""
_TOLERANCE_DEG = 0.0008
_JUMP_DEG = 1.0
COLUMNS = ["name", "names", "length_km"]


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
        names: of each line; a river is all lines of one name.
        translations: names by language of each line.
        lines: EPSG:4326.
        least_km: what a river measures at least.

    Returns:
        name, names, length_km and geometry (MultiLineString, simplified to about 80 m).
    """
    if not lines:
        return no_rivers()
    table = pd.DataFrame({"name": names, "length_km": line_lengths_m(np.array(lines, dtype=object)) / 1000})
    rows, shapes = [], []
    for name, group in table.groupby("name", sort=True):
        length_km = float(group["length_km"].sum())
        if length_km < least_km:
            continue
        known: dict[str, str] = {}
        for row in group.index:
            known |= translations[row]
        # Ways of one name are joined end to end, so that the drawing has few lines.
        whole = shapely.line_merge(shapely.multilinestrings([lines[row] for row in group.index]))
        simple = shapely.simplify(whole, _TOLERANCE_DEG)
        rows.append((str(name), known, length_km))
        shapes.append(simple if shapely.get_type_id(simple) == 5 else shapely.multilinestrings([simple]))
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=COLUMNS), geometry=shapes, crs=WGS84)
    return frame.sort_values(["length_km", "name"], ascending=[False, True], ignore_index=True)
