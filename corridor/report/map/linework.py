"""Lines thinned for a screen: borders, routes, and where a route's letter stands."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from shapely import LineString

BORDER_TOLERANCE_DEG = 0.002
ROUTE_TOLERANCE_DEG = 0.0002
_SAMPLES = 60
_SAME_LINE_DEG = 0.02
_COARSE_DEG = 0.003

LatLon = list[list[float]]


def lat_lon(line: LineString, digits: int = 4) -> LatLon:
    """Vertices as [lat, lon], rounded (four digits are about ten metres)."""
    return np.round(shapely.get_coordinates(line)[:, ::-1], digits).tolist()  # type: ignore[no-any-return]


def border_lines(countries: gpd.GeoDataFrame, window: tuple[float, float, float, float]) -> list[LatLon]:
    """Borders between and around countries, each stretch once, thinned; only what lies in the window.

    Stretches are thinned between the points where three borders meet, so that neighbours stay fitted to each other.
    The frame at which the polygons themselves were cut off is left out.
    """
    if countries.empty:
        return []
    outlines = shapely.boundary(shapely.make_valid(countries.geometry.to_numpy()))
    frame = shapely.boundary(shapely.box(*countries.total_bounds)).buffer(1e-6)
    lines = shapely.line_merge(shapely.difference(shapely.union_all(outlines), frame))
    thinned = shapely.simplify(shapely.get_parts(lines), BORDER_TOLERANCE_DEG)
    inside = shapely.get_parts(shapely.intersection(thinned, shapely.box(*window)))
    kept = [part for part in inside if shapely.get_type_id(part) == 1 and shapely.length(part) > 0]
    return [lat_lon(part) for part in kept]


def country_names(
    countries: gpd.GeoDataFrame, window: tuple[float, float, float, float]
) -> list[tuple[str, float, float, str]]:
    """Name, lat and lon of a point inside each country's largest piece in the window, and the country's code."""
    out: list[tuple[str, float, float, str]] = []
    for name, code, shape in zip(countries.get("name", ()), countries["country"], countries.geometry, strict=True):
        pieces = shapely.get_parts(shapely.intersection(shapely.make_valid(shape), shapely.box(*window)))
        areas = shapely.area(pieces)
        if len(areas) and areas.max() > 0:
            point = shapely.maximum_inscribed_circle(pieces[int(np.argmax(areas))], tolerance=0.05).coords[0]
            out.append((str(name), round(point[1], 3), round(point[0], 3), str(code)))
    return out


def route_line(line: LineString) -> LatLon:
    """A route's vertices, thinned to about twenty metres."""
    return lat_lon(shapely.simplify(line, ROUTE_TOLERANCE_DEG))


def letter_points(lines: Sequence[LineString], window: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """One point (lat, lon) per line, inside the window, as far as possible from other lines and earlier letters."""
    frame = shapely.box(*window)
    lines = [shapely.simplify(line, _COARSE_DEG) for line in lines]
    placed: list[shapely.Point] = []
    for index, line in enumerate(lines):
        samples = shapely.line_interpolate_point(line, np.linspace(0.06, 0.94, _SAMPLES), normalized=True)
        inside = samples[shapely.contains(frame, samples)]
        samples = inside if len(inside) else samples
        others = [o for k, o in enumerate(lines) if k != index and shapely.hausdorff_distance(line, o) > _SAME_LINE_DEG]
        room = shapely.distance(samples, shapely.union_all(others)) if others else np.full(len(samples), 1.0)
        if placed:
            room = np.minimum(np.minimum(room, 0.25) + 0.02, shapely.distance(samples, shapely.union_all(placed)) * 0.5)
        best = samples[int(np.argmax(room))]
        placed.append(best)
    return [(round(point.y, 4), round(point.x, 4)) for point in placed]
