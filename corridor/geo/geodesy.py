"""Lengths and distances on the WGS 84 ellipsoid (Karney's geodesics, through PROJ)."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod, Transformer

Floats = NDArray[np.float64]
WGS84 = "EPSG:4326"
_GEOD = Geod(ellps="WGS84")
_PIECE = 50_000


def distance_m(lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike) -> Floats:
    """Geodesic distance in metres between points given in degrees; broadcasts like numpy."""
    lon1, lat1, lon2, lat2 = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (lon_a, lat_a, lon_b, lat_b)))
    _, _, metres = _GEOD.inv(lon1.ravel(), lat1.ravel(), lon2.ravel(), lat2.ravel())
    return np.asarray(metres, dtype=float).reshape(lon1.shape)


def line_lengths_m(lines: ArrayLike) -> Floats:
    """Geodesic length in metres of each line (lon/lat degrees); missing or empty lines have length 0.

    >>> import shapely
    >>> line_lengths_m([shapely.LineString([(46.0, 39.0), (46.0, 40.0)])]).round(0).tolist()
    [111025.0]
    """
    array = np.atleast_1d(np.asarray(lines, dtype=object))
    # piece by piece: a country's roads have ten million vertices, and each needs a dozen numbers on the way
    return np.concatenate([_lengths_m(array[at : at + _PIECE]) for at in range(0, len(array), _PIECE)] or [np.zeros(0)])


def _lengths_m(array: NDArray[np.object_]) -> Floats:
    xy, owner = shapely.get_coordinates(array, return_index=True)
    lengths = np.zeros(len(array))
    if len(xy) < 2:
        return lengths
    steps = distance_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    same = owner[:-1] == owner[1:]
    np.add.at(lengths, owner[:-1][same], steps[same])
    return lengths


def utm_crs(lon: float, lat: float) -> str:
    """EPSG code of the UTM zone that a point lies in, as ``EPSG:326xx`` (north) or ``EPSG:327xx`` (south)."""
    zone = int((lon + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def project(geometries: Any, crs_from: str, crs_to: str) -> Any:
    """Reproject shapely geometries (one or an array) with x before y on both sides."""
    transformer = Transformer.from_crs(crs_from, crs_to, always_xy=True)

    def move(xy: Floats) -> Floats:
        x, y = transformer.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    return shapely.transform(geometries, move)
