"""Tables of features from files of others, by formats that are known by their content and ask for no other file."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyproj
import shapely

from corridor.errors import SourceError
from corridor.files import read_json

_MAX_JSON_BYTES = 250_000_000
_FORMATS = {b"SQLite format 3\0": "GeoPackage", b"\0\0\x27\x0a": "shapefile", b"fgb\x03": "FlatGeobuf"}
"""First bytes of the formats that GDAL is given; each holds a byte that ends a text, so that none passes for markup."""
_NAMED_CRS = re.compile(
    r"(?:urn:ogc:def:crs:)?(?:OGC:(?:1\.3)?:?CRS84|CRS84|EPSG:[0-9.]{0,9}:?(\d{4,6}))|http://www\.opengis\.net/def/crs/"
    r"(?:OGC/1\.3/CRS84|EPSG/0/(\d{4,6}))"
)
_RESULT_FIELDS = 64
_FAULTS = (
    shapely.errors.GEOSException, pyproj.exceptions.ProjError, RuntimeError, ValueError, TypeError, LookupError,
    AttributeError, ArithmeticError, MemoryError, OSError,
)  # fmt: skip
"""What the readers of damaged files raise."""


def read_polygons(path: Path) -> gpd.GeoDataFrame:
    """Read a map of countries as :func:`read_features` does, without heights.

    Args:
        path: The file, which is there and has a size that may be read.

    Returns:
        Geometries with the file's columns, and its reference system if it states one.

    Raises:
        SourceError: it is no file that may be read, or damaged.
    """
    found = read_features(path, "map of countries")
    return found.set_geometry(shapely.force_2d(found.geometry.to_numpy()), crs=found.crs)


def read_features(path: Path, what: str) -> gpd.GeoDataFrame:
    """Read a GeoJSON, GeoPackage, shapefile or FlatGeobuf, without a request for anything else than the file.

    GDAL finds out by itself what a file is, and takes a text that names an address for a source to be asked. So it is
    given only binary files of three formats; GeoJSON is read here.

    Args:
        path: The file, which is there and has a size that may be read.
        what: What it should be, in a few words, for an error.

    Returns:
        Geometries with the file's columns, and its reference system if it states one.

    Raises:
        SourceError: it is none of these, or damaged.
    """
    with path.open("rb") as stream:
        first = stream.read(256)
    kind = next((kind for mark, kind in _FORMATS.items() if first.startswith(mark)), None)
    try:
        if kind is not None:
            return _read_with_gdal(path)
        if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return _read_geojson(path, what)
    except _FAULTS as fault:
        if isinstance(fault, SourceError):
            raise
        reason = (str(fault).splitlines() or [""])[0][:160]
        raise SourceError(f"{path}: not readable as a {what} ({reason}); write it again with ogr2ogr") from fault
    raise SourceError(
        f"{path}: not readable as a {what} (it is no GeoJSON, GeoPackage, shapefile or FlatGeobuf); convert "
        "it with ogr2ogr"
    )


def _read_with_gdal(path: Path) -> gpd.GeoDataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what GDAL only warns of is refused by who asked
        return gpd.read_file(path.absolute())


def _read_geojson(path: Path, what: str) -> gpd.GeoDataFrame:
    content = read_json(path, "GeoJSON map", _MAX_JSON_BYTES)
    features = [content] if content.get("type") == "Feature" else content.get("features")
    if features is None and "coordinates" in content:
        features = [{"geometry": content}]
    if not isinstance(features, list) or not all(isinstance(row, dict) for row in features):
        raise SourceError(
            f"{path}: not readable as a {what} (it has no list of features); write it as a FeatureCollection"
        )
    rows: list[dict[str, Any]] = [row.get("properties") or {} for row in features]
    names = list(dict.fromkeys(name for row in rows for name in row))[:_RESULT_FIELDS]
    shapes = [json.dumps(row["geometry"]) if row.get("geometry") else None for row in features]
    for number, row in enumerate(features, 1):
        shape = row.get("geometry")
        if isinstance(shape, dict) and shape.get("type") == "LineString" and len(shape.get("coordinates") or ()) == 1:
            raise SourceError(f"{path}: feature {number}: has one point only; a line needs two or more")
    geometry = shapely.from_geojson(shapes)
    columns = {name: [row.get(name) for row in rows] for name in names if name != "geometry"}
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=_stated_crs(content, path))


def _stated_crs(content: dict[str, Any], path: Path) -> pyproj.CRS | None:
    """The reference system of a GeoJSON by its name; that of RFC 7946 where it states none.

    Raises:
        SourceError: it links to one, or has a name that isn't known.
    """
    if "crs" not in content:
        # GeoJSON that states no system is in longitude and latitude (RFC 7946).
        return pyproj.CRS("OGC:CRS84")
    stated = content["crs"]
    if stated is None:
        return None
    found = None
    if isinstance(stated, dict) and stated.get("type") == "name" and isinstance(stated.get("properties"), dict):
        found = _NAMED_CRS.fullmatch(str(stated["properties"].get("name")))
    if found is None:
        raise SourceError(
            f"{path}: its reference system isn't named as EPSG or CRS84 (a link is not followed); write it again in "
            "degrees, for instance with ogr2ogr -t_srs EPSG:4326"
        )
    code = found.group(1) or found.group(2)
    return pyproj.CRS.from_epsg(int(code)) if code else pyproj.CRS("OGC:CRS84")
