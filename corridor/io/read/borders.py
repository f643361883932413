"""Countries as polygons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84
from corridor.input_files import require_file
from corridor.io.read.data_files import data_source
from corridor.io.read.polygons import read_polygons
from corridor.safe_toml import odd_character
from corridor.schema.source import Source

Floats = NDArray[np.float64]

_MAX_BYTES = 500_000_000
_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Borders:
    """Country polygons (EPSG:4326), ``countries`` with columns country (ISO 3166 two letters), name, geometry."""

    countries: gpd.GeoDataFrame
    source: Source

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
            free = found == ""
            found[free] = np.where(shapely.contains_xy(polygon, x[free], y[free]), code, "")
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
        path: GeoJSON, GeoPackage, shapefile or FlatGeobuf.

    Raises:
        SourceError: the file is missing, unreadable, lacks the column or holds what isn't polygons.
    """
    require_file(path, "borders file", _MAX_BYTES)
    frame = read_polygons(path)
    if "country" not in frame.columns:
        raise SourceError(f"{path}: has no column 'country' with two-letter codes")
    odd = [code for code in frame["country"] if not (isinstance(code, str) and _CODE.fullmatch(code))]
    if odd:
        raise SourceError(f"{path}: country: '{str(odd[0])[:40]}' is no two-letter code such as AM; correct it")
    if frame.crs is None or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise SourceError(f"{path}: countries must be polygons in a stated coordinate reference system")
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
