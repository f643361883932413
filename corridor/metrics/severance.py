"""What lies between a closed route and a border, by topology: faces of the country cut along the route, no buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, line_lengths_m, project, utm_crs
from corridor.geo.lines import join
from corridor.io.read.borders import Borders
from corridor.schema.candidate import Candidate
from corridor.wording import format_position

DISAGREEMENT_M = 1000.0
END_GAP_M = 5000.0
BANDS_KM = (0.1, 0.25, 0.5, 1.0, 5.0, 10.0)
_TOUCH_M = 0.05
_OVERSHOOT_M = 2.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BorderGround:
    """A country and the line that it shares with a neighbour, in metres (``crs``).

    ``inside`` is a point of the country's main part.
    ``other`` is the rest of the country's outline. ``scale`` turns planar lengths into geodesic ones, its square areas.
    """

    country: str
    neighbour: str
    polygon: shapely.Geometry
    line: shapely.Geometry
    other: shapely.Geometry
    inside: shapely.Point
    crs: str
    scale: float

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The country's whole boundary."""
        return shapely.boundary(self.polygon)

    @cached_property
    def length_km(self) -> float:
        """Geodesic length of the shared line on the polygon's own vertices."""
        return _length_km(self.line, self.crs)


@dataclass(frozen=True)
class Strip:
    """What a route cuts off: the faces in metres, the length of border behind the route and its part of the whole."""

    faces: shapely.Geometry
    area_km2: float
    behind_km: float
    behind_share: float


def border_ground(
    borders: Borders, country: str, neighbour: str, inside: tuple[float, float], tolerance_deg: float = 2e-4
) -> BorderGround:
    """The ground that strips are measured on; ``inside`` is (lon, lat) of a point of the main part, the capital's.

    Raises:
        NetworkError: the countries share no border, or ``inside`` lies outside the country.
    """
    home = borders.polygon(country)
    shared, rest = _part_outline(home, borders.polygon(neighbour), tolerance_deg)
    if shared.is_empty:
        raise NetworkError(f"{country} and {neighbour} share no border in the borders file; name two neighbours")
    if not shapely.contains_xy(home, *inside):
        raise NetworkError(
            f"point {format_position(inside[1], inside[0], 4)} lies outside {country}; correct the capital's place"
        )
    middle = shapely.centroid(shared)
    crs = utm_crs(middle.x, middle.y)
    polygon, line, other, point = (project(g, WGS84, crs) for g in (home, shared, rest, shapely.Point(inside)))
    for shape in (polygon, other):
        shapely.prepare(shape)
    scale = float(line_lengths_m(shapely.get_parts(shared)).sum() / line.length)
    return BorderGround(country, neighbour, polygon, line, other, point, crs, scale)


def _part_outline(
    home: shapely.Geometry, other: shapely.Geometry, tolerance_deg: float
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """The outline of a country, segment by segment: what it shares with another, and the rest."""
    parts: tuple[list[shapely.Geometry], list[shapely.Geometry]] = ([], [])
    shapely.prepare(other)
    for ring in shapely.get_parts(shapely.boundary(home)):
        xy = shapely.get_coordinates(ring)
        near = shapely.dwithin(other, shapely.points(xy), tolerance_deg)
        shared = near[:-1] & near[1:]
        segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
        parts[0].extend(segments[shared])
        parts[1].extend(segments[~shared])
    merged = [
        shapely.line_merge(shapely.MultiLineString(pieces)) if pieces else shapely.LineString() for pieces in parts
    ]
    return merged[0], merged[1]


def _length_km(line: shapely.Geometry, crs: str) -> float:
    return float(line_lengths_m(shapely.get_parts(project(line, crs, WGS84))).sum() / 1000)


def runs_in_country(candidate: Candidate, country: str) -> list[shapely.LineString]:
    """The candidate's lines in its declared country (lon/lat), one for each unbroken run of parts, in order."""
    runs: list[list[shapely.LineString]] = []
    open_run = False
    for part in candidate.parts:
        if part.country == country:
            if not open_run:
                runs.append([])
            runs[-1].append(part.line)
        open_run = part.country == country
    return [join(run) for run in runs]


def check_declared(ground: BorderGround, candidate: Candidate, tolerance_m: float = DISAGREEMENT_M) -> None:
    """Refuse a candidate whose parts declared in the country lie outside its polygon by more than a tolerance.

    Raises:
        NetworkError: says how far, where, and what to do.
    """
    for part in candidate.parts:
        if part.country != ground.country:
            continue
        points = shapely.points(shapely.get_coordinates(project(part.line, WGS84, ground.crs)))
        off = shapely.distance(ground.polygon, points)
        if off.max() > tolerance_m:
            lon, lat = shapely.get_coordinates(part.line)[int(np.argmax(off))]
            raise NetworkError(
                f"candidate '{candidate.candidate_id}': '{part.name}' is declared in {ground.country} but lies "
                f"{off.max() / 1000:.1f} km outside its polygon at {format_position(lat, lon, 4)}; correct the part's "
                "country, its line or the borders file"
            )


def measure_severance(ground: BorderGround, runs: Sequence[shapely.LineString]) -> Strip:
    """What lies between a route (planar lines, see :func:`planar_runs`) and the border.

    Outline and route together are cut into faces. The face of the country with the main part is open; the country's
    other faces that have a stretch of the border are the strip. Border that also bounds a face outside the country,
    where the drawn route strays over it, is behind the route too: the route is taken to run along it there.
    """
    if not runs:
        return Strip(shapely.Polygon(), 0.0, 0.0, 0.0)
    lines = shapely.node(
        shapely.GeometryCollection([*shapely.get_parts(ground.line), *shapely.get_parts(ground.other), *runs])
    )
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(lines))))
    pieces = shapely.get_parts(lines)
    on_border = shapely.distance(shapely.line_interpolate_point(pieces, 0.5, normalized=True), ground.line) < _TOUCH_M
    pieces = pieces[on_border]
    at = shapely.point_on_surface(faces)
    inside = shapely.contains_properly(ground.polygon, at)
    is_open = shapely.contains(faces, ground.inside)
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, face = shapely.STRtree(faces).query(middles, predicate="dwithin", distance=1e-3)
    behind = np.zeros(len(pieces), dtype=bool)
    behind[piece[~is_open[face]]] = True
    strip = np.zeros(len(faces), dtype=bool)
    strip[face] = True
    strip &= inside & ~is_open
    area = float(shapely.area(faces[strip]).sum()) * ground.scale**2 / 1e6
    lengths = shapely.length(pieces)
    share = float(lengths[behind].sum() / lengths.sum())
    return Strip(shapely.union_all(faces[strip]), area, share * ground.length_km, share)


def planar_runs(ground: BorderGround, candidate: Candidate) -> list[shapely.LineString]:
    """The candidate's lines in the country in metres.

    Raises:
        NetworkError: the candidate disagrees with the polygon.
    """
    check_declared(ground, candidate)
    return [project(run, WGS84, ground.crs) for run in runs_in_country(candidate, ground.country)]


def lengthen(ground: BorderGround, run: shapely.LineString) -> shapely.LineString:
    """A run whose ends go straight on to the nearest outline off the shared border, if that is within 5 km."""
    xy = shapely.get_coordinates(run)
    head, tail = (_way_out(ground, xy[i]) for i in (0, -1))
    return shapely.LineString(np.concatenate([head[::-1], xy, tail]))


def _way_out(ground: BorderGround, end: Floats) -> Floats:
    """From the end of a run to the nearest outline off the shared border and 2 m across it, so that they meet."""
    to = shapely.get_coordinates(shapely.shortest_line(shapely.Point(end), ground.other))[1]
    if np.hypot(*(to - end)) > END_GAP_M:
        return np.zeros((0, 2))
    angles = np.arange(16) * np.pi / 8
    around = to + _OVERSHOOT_M * np.column_stack([np.cos(angles), np.sin(angles)])
    points = shapely.points(around)
    inside = shapely.contains(ground.polygon, points)
    beyond = inside != shapely.contains(ground.polygon, shapely.Point(end))
    off = np.where(beyond, shapely.distance(ground.outline, points), -1.0)
    return np.asarray([to, around[int(np.argmax(off))]])


def places_behind(ground: BorderGround, strip: Strip, places: pd.DataFrame) -> NDArray[np.int64]:
    """Rows of the places that lie in a strip."""
    at = places[["lon", "lat"]].to_numpy(dtype=float)
    points = project(shapely.points(at), WGS84, ground.crs)
    return np.flatnonzero(shapely.contains(strip.faces, points))


def border_km_within(
    ground: BorderGround, candidate: Candidate, bands_km: Sequence[float] = BANDS_KM
) -> dict[str, float]:
    """Length of the candidate in the country within distances of the shared border.

    Documented length counts where there is one. Metric names are ``border_km_within_0p1`` and so on, in km.
    """
    found = dict.fromkeys((_band(km) for km in bands_km), 0.0)
    zones = [shapely.buffer(ground.line, km * 1000 / ground.scale, quad_segs=32) for km in bands_km]
    for zone in zones:
        shapely.prepare(zone)
    for part in candidate.parts:
        if part.country == ground.country and part.drawn_km > 0:
            line = project(part.line, WGS84, ground.crs)
            for km, zone in zip(bands_km, zones, strict=True):
                share = shapely.length(shapely.intersection(line, zone)) / line.length
                found[_band(km)] += float(share) * part.length_km.mid
    return found


def _band(km: float) -> str:
    return f"border_km_within_{km:g}".replace(".", "p")
