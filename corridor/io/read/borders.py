"""Countries as polygons: of a file of them, or of the boundaries that an OpenStreetMap file holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

from corridor.errors import SourceError
from corridor.files import odd_character, require_file
from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m
from corridor.io.read.data_files import data_source
from corridor.io.read.polygons import read_polygons
from corridor.schema.fields import Source
from corridor.schema.message import ListStyle, Message, listing

Floats = NDArray[np.float64]

_MAX_BYTES = 500_000_000
_CODE = re.compile(r"[A-Z]{2}")
_OSM_SUFFIXES = frozenset((".osm", ".pbf", ".opl"))
_COUNTRY_TAGS = ("ISO3166-1:alpha2", "ISO3166-1")
GAP_M, GAP_SHARE = 5000.0, 0.05
"""A mapped border that lacks a way is closed straight over gaps up to this, if all are this share of it. Declared."""
_BEYOND_DEG = 1.0
_APART_DEG = 0.005
"""Every how many degrees a border is asked which country lies beyond it."""
_LEAST_OVERLAP_KM2 = 0.1
"""Less ground than this in two countries is a border drawn twice, not a claim. Declared."""
_KM_PER_DEG = 111.195


@dataclass(frozen=True)
class Borders:
    """Country polygons (EPSG:4326), ``countries`` with columns country (ISO 3166 two letters), name, geometry.

    ``remarks`` say what was done to a map's boundaries to make them. Ground of two polygons is the first one's.
    """

    countries: gpd.GeoDataFrame
    source: Source
    remarks: tuple[Message, ...] = ()

    @cached_property
    def overlaps(self) -> tuple[Message, ...]:
        """A message for each two countries that share ground, and whose it counts as."""
        shapes, codes = self.countries.geometry.to_numpy(), self.countries["country"].to_numpy()
        pairs = np.sort(shapely.STRtree(shapes).query(shapes).T, axis=1)
        found = []
        for a, b in np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0):
            # Most countries that meet share a line: whether they share ground is quicker asked than measured.
            if not shapely.relate_pattern(shapes[a], shapes[b], "T********"):
                continue
            shared = shapely.intersection(shapes[a], shapes[b])
            lat = np.radians(shapely.get_y(shapely.centroid(shared)))
            km2 = float(shapely.area(shared) * _KM_PER_DEG**2 * np.cos(lat))
            if km2 >= _LEAST_OVERLAP_KM2:
                values = {"file": self.source.file, "a": codes[a], "b": codes[b], "km2": f"{km2:,.1f}"}
                found.append(Message("borders.overlap", values))
        return tuple(found)

    @property
    def names(self) -> dict[str, str]:
        """Country names by code."""
        return dict(zip(self.countries["country"], self.countries["name"], strict=True))

    @cached_property
    def _polygons(self) -> dict[str, shapely.Geometry]:
        polygons = dict(zip(self.countries["country"], self.countries.geometry, strict=True))
        for polygon in polygons.values():
            shapely.prepare(polygon)
        return polygons

    def country_at(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.object_]:
        """Country code of each point, '' where no polygon holds it.

        Args:
            lon: Longitudes, degrees, ``(n,)`` or one.
            lat: Latitudes likewise.

        Returns:
            ``(n,)``.
        """
        x, y = np.atleast_1d(np.asarray(lon, dtype=float)), np.atleast_1d(np.asarray(lat, dtype=float))
        found = np.full(x.shape, "", dtype=object)
        for code, polygon in self._polygons.items():
            # The first polygon that holds a point has it; later ones are asked for the rest alone.
            free = np.flatnonzero(found == "")
            found[free[shapely.contains_xy(polygon, x[free], y[free])]] = code
        return found

    def inside(self, countries: Iterable[str]) -> Inside:
        """The ground of some countries, against that of all others.

        Args:
            countries: Two-letter codes.

        Returns:
            A test of longitudes and latitudes, with the ground of the others.

        Raises:
            SourceError: the file has no such country.
        """
        codes = [code for code in countries if self.polygon(code)]
        return Inside(self, tuple(codes))

    def polygon(self, country: str) -> shapely.Geometry:
        """The polygon of a country.

        Args:
            country: Two-letter code.

        Raises:
            SourceError: the file has none.
        """
        if country not in self._polygons:
            raise SourceError(f"{self.source.file}: has no country '{country}'; it has {', '.join(self._polygons)}")
        return self._polygons[country]

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """All boundaries cut into short pieces, for quick tests of what comes near a border."""
        pieces: list[shapely.Geometry] = []
        for ring in shapely.get_parts(shapely.boundary(np.array(list(self._polygons.values()), dtype=object))):
            # Pieces of 32 edges: short enough that a tree of their boxes tells near from far.
            xy = shapely.get_coordinates(ring)
            pieces += [shapely.LineString(xy[i : i + 33]) for i in range(0, len(xy) - 1, 32)]
        return np.array(pieces, dtype=object)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Finds the pieces of boundaries that come near a shape, by their numbers in ``lines``."""
        return shapely.STRtree(self.lines)


def no_borders() -> Borders:
    """No country at all: no point is in any, and no border is ever met."""
    columns = {"country": np.array([], dtype=object), "name": np.array([], dtype=object)}
    return Borders(gpd.GeoDataFrame(columns, geometry=[], crs=WGS84), Source("borders", "", "", "", ""))


@dataclass(frozen=True)
class Inside:
    """Some countries of a file of borders: a test of points, and ``barred``, the ground of all its other countries."""

    borders: Borders
    codes: tuple[str, ...]

    def __call__(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points lie in one of the countries.

        Args:
            lon: Longitudes, degrees, ``(n,)``.
            lat: Latitudes likewise.

        Returns:
            ``(n,)``.
        """
        return np.isin(self.borders.country_at(lon, lat), self.codes)

    @cached_property
    def barred(self) -> shapely.Geometry:
        """Polygons of the other countries (EPSG:4326)."""
        own = self.borders.countries
        return shapely.union_all(own.geometry[~own["country"].isin(self.codes)].to_numpy())


def read_borders(path: Path) -> Borders:
    """Read country polygons with a ``country`` column of two-letter codes; no other file or address is asked for.

    Args:
        path: GeoJSON, GeoPackage, shapefile or FlatGeobuf; or an OpenStreetMap file, as
            :func:`read_mapped_borders` reads it.

    Raises:
        SourceError: the file is missing, unreadable, lacks the column or holds what isn't polygons; or no country's
            boundary is whole in it.
    """
    if is_osm_file(path):
        mapped = read_mapped_borders(path)
        if mapped is None:
            raise SourceError(f"{path}: holds no country's boundary whole; name a file of country polygons")
        return mapped
    require_file(path, "borders file", _MAX_BYTES)
    frame = read_polygons(path)
    if not len(frame):
        raise SourceError(f"{path}: holds no polygon; name a file of countries, or leave sources.borders out")
    if "country" not in frame.columns:
        raise SourceError(
            f"{path}: has no column 'country' with two-letter codes; name the one that has them so, or add it"
        )
    odd = [code for code in frame["country"] if not (isinstance(code, str) and _CODE.fullmatch(code))]
    if odd:
        raise SourceError(f"{path}: country: '{str(odd[0])[:40]}' is no two-letter code such as AM; correct it")
    if frame.crs is None:
        raise SourceError(f"{path}: states no coordinate reference system; write it again with ogr2ogr -a_srs")
    others = frame.loc[~frame.geom_type.isin(["Polygon", "MultiPolygon"]), "country"]
    if len(others):
        raise SourceError(f"{path}: what it draws of {others.iloc[0]} is no polygon; leave it out, or draw its ground")
    try:
        frame = frame.to_crs(WGS84)
    except (pyproj.exceptions.ProjError, ValueError) as fault:
        raise SourceError(
            f"{path}: its reference system can't be turned into degrees ({fault}); use another"
        ) from fault
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    if not (np.isfinite(xy).all() and (np.abs(xy) <= (181, 91)).all()):
        raise SourceError(f"{path}: has coordinates that are no numbers on Earth; correct its polygons")
    frame["geometry"] = shapely.make_valid(frame.geometry.to_numpy())
    empty = sorted(frame["country"][shapely.area(frame.geometry.to_numpy()) == 0])
    if empty:
        raise SourceError(f"{path}: the polygon of {empty[0]} has no area; correct it")
    # One row per country, however many parts its file has.
    frame = frame.dissolve("country", as_index=False)
    if "name" not in frame.columns:
        frame["name"] = frame["country"]
    texts = [isinstance(name, str) and not odd_character(name) for name in frame["name"]]
    frame["name"] = frame["name"].where(texts, frame["country"]).str[:200]
    return Borders(frame[["country", "name", "geometry"]], data_source(path, "borders", f"Borders {path.name}"))


# Boundaries of an OpenStreetMap file.


def is_osm_file(path: Path) -> bool:
    """Whether a file is OpenStreetMap data by its name.

    Args:
        path: of the file.
    """
    return not _OSM_SUFFIXES.isdisjoint(path.suffixes)


@dataclass(frozen=True)
class _Boundary:
    """A country's relation: its code, name and the ids of its outer and inner ways."""

    code: str
    name: str
    outer: tuple[int, ...]
    inner: tuple[int, ...]


def read_mapped_borders(path: Path) -> Borders | None:
    """Countries of the relations ``boundary=administrative``, ``admin_level=2`` that a map holds whole.

    Extracts cut boundaries. A country counts if its outer ways close, over gaps of 5 km each and 5 % together at most,
    which are closed straight and said. Beyond its border lie the countries whose relations share its ways: the ground
    outside, up to a degree, is given to the one whose stretch of border is nearest (Voronoi cells of points on it), so
    that only the border itself is exact.

    Args:
        path: PBF, XML or OPL, that is OpenStreetMap data.

    Returns:
        The countries, or None where no country's boundary is whole.

    Raises:
        SourceError: the file is missing or isn't OpenStreetMap data.
    """
    require_file(path, "OpenStreetMap file")
    try:
        boundaries, lines = _scan_boundaries(path)
    except (RuntimeError, OSError, ValueError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError(f"{path}: not readable as OpenStreetMap data; fetch the file again") from fault
    ground: dict[str, shapely.Geometry] = {}
    remarks = []
    for row in boundaries:
        closed = _close_rings([lines[way] for way in row.outer if way in lines])
        if closed is None or row.code in ground:
            continue
        shape, gap_m = closed
        inner = [lines[way] for way in row.inner if way in lines]
        ground[row.code] = shapely.difference(shape, shapely.build_area(shapely.MultiLineString(inner)))
        if gap_m:
            values = {"file": path.name, "km": f"{gap_m / 1000:.1f}", "country": row.name}
            remarks.append(Message("borders.gap_closed", values))
    if not ground:
        return None
    beyond = _ground_beyond(ground, boundaries, lines)
    if len(beyond) > 1:
        whole, around = (listing(codes, ListStyle.COMMA) for codes in (ground, sorted(beyond)))
        remarks.append(Message("borders.beyond", {"file": path.name, "whole": whole, "around": around}))
    names_of = {row.code: row.name for row in reversed(boundaries)}
    rows = [(code, names_of[code], shape) for code, shape in sorted((ground | beyond).items())]
    codes, names_, shapes = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame({"country": codes, "name": names_}, geometry=list(shapes), crs=WGS84)
    return Borders(frame, data_source(path, "borders", f"Borders of {path.name}"), tuple(remarks))


def _scan_boundaries(path: Path) -> tuple[list[_Boundary], dict[int, shapely.LineString]]:
    """Relations of countries that have a code, and the lines of their ways that the file holds with all nodes."""
    import osmium

    from corridor.io.read.osm_blocks import refuse_dangerous
    from corridor.io.read.osm_scan import name_of

    refuse_dangerous(path)
    found: list[_Boundary] = []
    # filters in names of their own: the iterator keeps none of them alive
    of_countries = osmium.filter.TagFilter(("admin_level", "2"))
    with osmium.io.Reader(str(path), osmium.osm.RELATION) as reader:
        items: Any = osmium.OsmFileIterator(reader, of_countries)
        for item in items:
            tags = item.tags
            code = next((tags[key].upper() for key in _COUNTRY_TAGS if key in tags), "")
            if tags.get("boundary") != "administrative" or not _CODE.fullmatch(code) or item.deleted:
                continue
            members = [(m.ref, m.role) for m in item.members if m.type == "w"]
            outer = tuple(ref for ref, role in members if role in {"outer", ""})
            inner = tuple(ref for ref, role in members if role == "inner")
            if outer:
                found.append(_Boundary(code, name_of(tags) or code, outer, inner))
    nodes: dict[int, tuple[int, ...]] = {}
    at: dict[int, tuple[float, float]] = {}
    if found:
        of_ways = osmium.filter.IdFilter({way for row in found for way in (*row.outer, *row.inner)})
        with osmium.io.Reader(str(path), osmium.osm.WAY) as reader:
            items = osmium.OsmFileIterator(reader, of_ways)
            nodes = {item.id: tuple(node.ref for node in item.nodes) for item in items}
    if nodes:
        of_nodes = osmium.filter.IdFilter({node for row in nodes.values() for node in row})
        with osmium.io.Reader(str(path), osmium.osm.NODE) as reader:
            items = osmium.OsmFileIterator(reader, of_nodes)
            at = {item.id: (item.lon, item.lat) for item in items if item.location.valid()}
    lines = {
        way: shapely.LineString([at[node] for node in row])
        for way, row in nodes.items()
        if len(row) > 1 and all(node in at for node in row)
    }
    return found, lines


def _close_rings(lines: Sequence[shapely.LineString]) -> tuple[shapely.Geometry, float] | None:
    """The ground within a boundary's lines and the metres of its gaps that were closed; None if it can't be closed."""
    if not lines:
        return None
    chains = list(shapely.get_parts(shapely.line_merge(shapely.MultiLineString(list(lines)))))
    rings = [line for line in chains if line.is_closed]
    ends = [line for line in chains if not line.is_closed]
    gap_m = 0.0
    if ends:
        # in turn from each end to the nearest end that is left, round to the first
        chain, rest = shapely.get_coordinates(ends[0]), [shapely.get_coordinates(line) for line in ends[1:]]
        while rest:
            tips = [
                (float(distance_m(*chain[-1], *line[end])), i, end) for i, line in enumerate(rest) for end in (0, -1)
            ]
            gap, index, end = min(tips)
            if gap > GAP_M:
                return None
            line = rest.pop(index)
            chain, gap_m = np.vstack([chain, line if end == 0 else line[::-1]]), gap_m + gap
        last = float(distance_m(*chain[-1], *chain[0]))
        gap_m += last
        if last > GAP_M or gap_m > GAP_SHARE * float(line_lengths_m(list(lines)).sum()):
            return None
        rings.append(shapely.LineString(np.vstack([chain, chain[:1]])))
    ground = shapely.build_area(shapely.MultiLineString(rings))
    return None if ground.is_empty else (shapely.make_valid(ground), gap_m)


def _ground_beyond(
    ground: Mapping[str, shapely.Geometry], boundaries: Sequence[_Boundary], lines: Mapping[int, shapely.LineString]
) -> dict[str, shapely.Geometry]:
    """What lies outside the countries that are whole, by the country whose stretch of their borders is nearest."""
    inside = {way for row in boundaries if row.code in ground for way in row.outer}
    points: dict[str, list[tuple[float, float]]] = {}
    for row in boundaries:
        shared = [lines[way] for way in row.outer if way in inside and way in lines] if row.code not in ground else []
        for line in shared:
            points.setdefault(row.code, []).extend(
                shapely.get_coordinates(shapely.segmentize(line, _APART_DEG)).tolist()
            )
    if not points:
        return {}
    taken = shapely.union_all(list(ground.values()))
    west, south, east, north = shapely.bounds(taken)
    frame = shapely.box(west - _BEYOND_DEG, south - _BEYOND_DEG, east + _BEYOND_DEG, north + _BEYOND_DEG)
    outside = shapely.difference(frame, taken)
    if len(points) == 1:
        return dict.fromkeys(points, outside)
    codes = [code for code, own in points.items() for _ in own]
    xy = np.array([point for own in points.values() for point in own])
    # a vertex that two stretches share is asked once
    _, first = np.unique(xy, axis=0, return_index=True)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(xy[first]), extend_to=frame))
    of_point, of_cell = shapely.STRtree(cells).query(shapely.points(xy[first]), predicate="intersects")
    by_code: dict[str, list[shapely.Geometry]] = {}
    for point, cell in zip(of_point, of_cell, strict=True):
        by_code.setdefault(codes[first[point]], []).append(cells[cell])
    return {code: shapely.intersection(shapely.union_all(own), outside) for code, own in by_code.items()}
