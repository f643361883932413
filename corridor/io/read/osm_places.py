"""Settlements of an OpenStreetMap file: points, outlines, and those that stand as both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.geo.geodesy import WGS84
from corridor.io.read.osm_tags import read_population

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
        index = shapely.STRtree([shapely.Point(row.lon, row.lat) for row in self._points])
        self.drawn_twice = 0
        for row, area in self._outlines:
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
