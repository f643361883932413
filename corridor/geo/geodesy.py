"""Lengths, distances and lines by chainage on the WGS 84 ellipsoid (Karney's geodesics, through PROJ)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod, Transformer
from shapely import LineString

from corridor.threads import map_in_threads

Floats = NDArray[np.float64]
T = TypeVar("T")
WGS84 = "EPSG:4326"
_GEOD = Geod(ellps="WGS84")
_PIECE = 20_000
_LEAST_M_PER_DEGREE = 110_000.0  # of a great circle on the ellipsoid: 110,574 at the equator, along the meridian


def distance_m(lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike) -> Floats:
    """Geodesic distance in metres between points given in degrees; broadcasts like numpy.

    Args:
        lon_a: degrees east of the first point.
        lat_a: degrees north.
        lon_b: of the second point.
        lat_b: likewise.
    """
    lon1, lat1, lon2, lat2 = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (lon_a, lat_a, lon_b, lat_b)))
    _, _, metres = _GEOD.inv(lon1.ravel(), lat1.ravel(), lon2.ravel(), lat2.ravel())
    return np.asarray(metres, dtype=float).reshape(lon1.shape)


def within_m(lon: Floats, lat: Floats, lon_0: float, lat_0: float, radius_m: float) -> NDArray[np.bool_]:
    """Which points lie within a geodesic distance of a point, in the shape of ``lon``.

    Distances are computed only for those that a box of degrees, a little too large, leaves in question.

    Args:
        lon: longitudes of the points, degrees.
        lat: latitudes of the points, degrees.
        lon_0: longitude of the middle, degrees.
        lat_0: latitude of the middle, degrees.
        radius_m: greatest distance, metres.

    >>> within_m(np.array([46.0, 46.1, 47.0]), np.array([39.0, 39.0, 39.0]), 46.0, 39.0, 9000.0).tolist()
    [True, True, False]
    """
    reach_deg = radius_m / _LEAST_M_PER_DEGREE
    inside = np.abs(lat - lat_0) <= reach_deg
    widest = min(abs(lat_0) + reach_deg, 90.0)
    turn = np.abs((lon - lon_0 + 180.0) % 360.0 - 180.0)
    inside &= turn * np.cos(np.radians(widest)) <= reach_deg
    at = np.flatnonzero(inside)
    inside[at] = distance_m(lon[at], lat[at], lon_0, lat_0) <= radius_m
    return np.asarray(inside)


def line_lengths_m(lines: ArrayLike) -> Floats:
    """Geodesic length in metres of each line (lon/lat degrees); missing or empty lines have length 0.

    >>> import shapely
    >>> line_lengths_m([shapely.LineString([(46.0, 39.0), (46.0, 40.0)])]).round(0).tolist()
    [111025.0]
    """
    return np.concatenate([np.zeros(0), *_piece_by_piece(_lengths_m, np.atleast_1d(np.asarray(lines, dtype=object)))])


def _piece_by_piece(function: Callable[[NDArray[np.object_]], T], array: NDArray[np.object_]) -> list[T]:
    """What a function gives for each piece of an array of geometries.

    A country's roads have ten million vertices, and each needs a dozen numbers on the way. PROJ holds no lock while it
    works.
    """
    return map_in_threads(function, [array[at : at + _PIECE] for at in range(0, len(array), _PIECE)])


def _lengths_m(array: NDArray[np.object_]) -> Floats:
    xy, owner = shapely.get_coordinates(array, return_index=True)
    lengths = np.zeros(len(array))
    if len(xy) < 2:
        return lengths
    # All lines are measured in one call; the steps from one line to the next are left out after.
    steps = distance_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    same = owner[:-1] == owner[1:]
    np.add.at(lengths, owner[:-1][same], steps[same])
    return lengths


def utm_crs(lon: float, lat: float) -> str:
    """EPSG code of the UTM zone that a point lies in, as ``EPSG:326xx`` (north) or ``EPSG:327xx`` (south)."""
    # 180 degrees east is the first zone again.
    zone = int((lon + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def pairs_within_m(
    lon_a: Floats, lat_a: Floats, lon_b: Floats, lat_b: Floats, radius_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Which points of two sets lie within a geodesic distance of each other, without trying each with every other one.

    Args:
        lon_a: longitudes of the first set, degrees, shape (n,); none of them within the distance of the 180th meridian.
        lat_a: their latitudes.
        lon_b: of the second set, shape (m,).
        lat_b: their latitudes.
        radius_m: greatest distance, metres.

    Returns:
        Numbers of the first point and of the second and the metres between them, in the order of these numbers.

    >>> ours, theirs = np.array([[46.0, 47.0], [39.0, 39.0]]), np.array([[47.0, 46.0], [39.0, 39.0]])
    >>> [column.tolist() for column in pairs_within_m(ours[0], ours[1], theirs[0], theirs[1], 9.0)]
    [[0, 1], [1, 0], [0.0, 0.0]]
    """
    # A box of degrees about each point, a little too large, leaves few pairs in question.
    high = radius_m / _LEAST_M_PER_DEGREE
    wide = high / np.maximum(np.cos(np.radians(np.minimum(np.abs(lat_a) + high, 90.0))), 1e-3)
    boxes = shapely.box(lon_a - wide, lat_a - high, lon_a + wide, lat_a + high)
    a, b = shapely.STRtree(shapely.points(lon_b, lat_b)).query(boxes)
    metres = distance_m(lon_a[a], lat_a[a], lon_b[b], lat_b[b])
    near = np.flatnonzero(metres <= radius_m)
    near = near[np.lexsort((b[near], a[near]))]
    return a[near], b[near], metres[near]


def project(geometries: Any, crs_from: str, crs_to: str) -> Any:
    """Reproject shapely geometries (one or an array) with x before y on both sides.

    Args:
        geometries: one or an array.
        crs_from: reference system that they are in.
        crs_to: the one wanted.
    """
    transformer = _transformer(crs_from, crs_to)

    def move(xy: Floats) -> Floats:
        x, y = transformer.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    if np.size(geometries) <= _PIECE:
        return shapely.transform(geometries, move)
    return np.concatenate(_piece_by_piece(lambda piece: shapely.transform(piece, move), geometries))


@lru_cache(maxsize=64)
def _transformer(crs_from: str, crs_to: str) -> Transformer:
    """Making one takes longer than most of its uses."""
    return Transformer.from_crs(crs_from, crs_to, always_xy=True)


def vertex_chainage_m(line: LineString) -> Floats:
    """Geodesic chainage of each vertex in metres, shape (n_vertices,), starting at 0."""
    return _chainage_m(line).copy()


@lru_cache(maxsize=64)
def _chainage_m(line: LineString) -> Floats:
    """Chainage of a line that is cut, sampled and searched again and again; lines are equal by their coordinates."""
    xy = shapely.get_coordinates(line)
    steps = distance_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    return np.concatenate([[0.0], np.cumsum(steps)])


def points_at(line: LineString, chainage_m: ArrayLike) -> tuple[Floats, Floats]:
    """Longitude and latitude at chainages (metres), clamped to the line's ends."""
    xy = shapely.get_coordinates(line)
    along = vertex_chainage_m(line)
    wanted = np.asarray(chainage_m, dtype=float)
    return np.interp(wanted, along, xy[:, 0]), np.interp(wanted, along, xy[:, 1])


def sample(line: LineString, step_m: float) -> tuple[Floats, Floats, Floats]:
    """Chainage, longitude and latitude at even steps of at most ``step_m``, both ends included."""
    total = float(vertex_chainage_m(line)[-1])
    count = max(int(np.ceil(total / step_m)), 1)
    chainage = np.linspace(0.0, total, count + 1)
    lon, lat = points_at(line, chainage)
    return chainage, lon, lat


def locate_m(line: LineString, lon: float, lat: float) -> tuple[float, float]:
    """Chainage of the point of a line nearest to a position, and the distance to it, both in metres.

    Nearness is judged in a local plane scaled by the cosine of the latitude, good to parts in a thousand at the
    lengths (tens of kilometres) that this is used for.

    Args:
        line: in degrees (lon, lat).
        lon: degrees east.
        lat: degrees north.
    """
    scale = np.cos(np.radians(lat))
    flat = shapely.transform(line, lambda xy: xy * [scale, 1.0])
    fraction = shapely.line_locate_point(flat, shapely.Point(lon * scale, lat), normalized=True)
    nearest = shapely.line_interpolate_point(flat, fraction, normalized=True)
    near_lon, near_lat = nearest.x / scale, nearest.y
    xy = shapely.get_coordinates(flat)
    # The fraction is of the flat line; between vertices it carries over to geodesic chainage.
    planar = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    along = np.interp(fraction * planar[-1], planar, vertex_chainage_m(line))
    return float(along), float(distance_m(lon, lat, near_lon, near_lat))


def substring(line: LineString, from_m: float, to_m: float) -> LineString:
    """The stretch of a line between two chainages in metres (from < to), its interior vertices kept.

    Args:
        line: in degrees (lon, lat).
        from_m: chainage where it begins.
        to_m: where it ends.
    """
    along = _chainage_m(line)
    start, end = max(from_m, 0.0), min(to_m, float(along[-1]))
    # of a long line only the vertices between, and one more at each end
    first, last = int(np.searchsorted(along, start, side="right")), int(np.searchsorted(along, end, side="left"))
    chain = np.concatenate([[start], along[first:last], [end]])
    near = slice(max(first - 1, 0), last + 1)
    lon, lat = shapely.get_coordinates(line)[near].T
    return LineString(np.column_stack([np.interp(chain, along[near], lon), np.interp(chain, along[near], lat)]))


def join(lines: Sequence[LineString]) -> LineString:
    """One line through all vertices of lines given in travelling order; a vertex met twice in a row is kept once."""
    xy = np.concatenate([shapely.get_coordinates(line) for line in lines])
    keep = np.concatenate([[True], np.any(np.diff(xy, axis=0) != 0, axis=1)])
    return LineString(xy[keep] if keep.sum() > 1 else xy[:2])
