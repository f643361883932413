"""What lies between a closed route and a border, by topology: faces of the country cut along the route, no buffers.

How far it can be trusted is drawn: route and border are moved against each other, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, join, project
from corridor.interactions.crossings import schematic_runs
from corridor.metrics.border import BorderGround, planar_runs
from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate, Undetermined
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.vocabulary import GeometryQuality, MetricStatus

END_GAP_M = 5000.0
"""A route that ends farther from the country's outline ends inside, and cuts nothing off there. Declared."""
ROUTE_SIGMA_M = 15.0
"""Standard error of where a route is, in each direction. Declared."""
BORDER_SIGMA_M = 20.0
"""The same of the border. Declared."""
_TOUCH_M = 0.05
"""Rounding: what lies so near to the border is on it."""
_OVERSHOOT_M = 2.0
"""A route that ends at the outline is led so far across it, for lines that only touch may cut nothing."""
_REACH_M = 2000.0
"""The border is simplified only where it lies farther than this from the route."""
_COARSE_M = 200.0
"""Farthest that it is moved there."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Strip:
    """What a route cuts off: the faces in metres, the length of border behind the route and its part of the whole."""

    faces: shapely.Geometry
    area_km2: float
    behind_km: float
    behind_share: float


def measure_severance(ground: BorderGround, runs: Sequence[shapely.LineString]) -> Strip:
    """What lies between a route (planar lines, see :func:`~corridor.metrics.border.planar_runs`) and the border.

    Outline and route together are cut into faces. The face of the country with the main part is open; the country's
    other faces that have a stretch of the border are the strip. Border that also bounds a face outside the country,
    where the drawn route strays over it, is behind the route too: the route is taken to run along it there.
    """
    faces, area_km2, share = _cut_off(ground, runs)
    return Strip(shapely.union_all(faces) if runs else shapely.Polygon(), area_km2, share * ground.length_km, share)


def _cut_off(ground: BorderGround, runs: Sequence[shapely.LineString]) -> tuple[NDArray[np.object_], float, float]:
    """Faces of the strip behind a route, their area in km2, and the part of the border that lies behind it."""
    if not runs:
        return np.zeros(0, dtype=object), 0.0, 0.0
    # Outline and route are noded together, so that faces meet exactly at their crossings.
    lines = shapely.node(
        shapely.GeometryCollection([*shapely.get_parts(ground.line), *shapely.get_parts(ground.other), *runs])
    )
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(lines))))
    pieces = shapely.get_parts(lines)
    # Ends of pieces touch other lines as well, so the middle tells which line a piece is of.
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    on_border = shapely.distance(middles, ground.line) < _TOUCH_M
    pieces, middles = pieces[on_border], middles[on_border]
    at = shapely.point_on_surface(faces)
    inside = shapely.contains_properly(ground.polygon, at)
    is_open = shapely.contains(faces, ground.inside)
    # Rounding may put a middle just off the faces that it lies between, hence the millimetre.
    piece, face = shapely.STRtree(faces).query(middles, predicate="dwithin", distance=1e-3)
    # A stretch of border is behind the route if any face beside it isn't the open one.
    behind = np.zeros(len(pieces), dtype=bool)
    behind[piece[~is_open[face]]] = True
    strip = np.zeros(len(faces), dtype=bool)
    strip[face] = True
    strip &= inside & ~is_open
    area = float(shapely.area(faces[strip]).sum()) * ground.scale**2 / 1e6
    lengths = shapely.length(pieces)
    return faces[strip], area, float(lengths[behind].sum() / lengths.sum())


def lengthen(ground: BorderGround, runs: Sequence[shapely.LineString]) -> list[shapely.LineString]:
    """Runs whose ends go straight on to the nearest outline off the shared border, if that is within 5 km."""
    lines = [shapely.get_coordinates(run) for run in runs]
    ways = _ways_out(ground, np.array([xy[end] for xy in lines for end in (0, -1)]).reshape(-1, 2))
    return [
        shapely.LineString(np.concatenate([head[::-1], xy, tail]))
        for xy, head, tail in zip(lines, ways[::2], ways[1::2], strict=True)
    ]


def _ways_out(ground: BorderGround, ends: Floats) -> list[Floats]:
    """From ends of runs to the nearest outline off the shared border and 2 m across it, so that they meet.

    Args:
        ground: the country's.
        ends: where runs end, shape (n, 2).

    Returns:
        For each end the points that lead out, none or two.
    """
    points = shapely.points(ends)
    to = shapely.get_coordinates(shapely.shortest_line(points, ground.other)).reshape(-1, 2, 2)[:, 1]
    # A run that ends far from the outline ends inside the country: it is not led out, and cuts nothing off there.
    near = np.flatnonzero(np.hypot(*(to - ends).T) <= END_GAP_M)
    # The outline may bend at the very place: of points all around, those on its other side tell where it can be
    # crossed.
    angles = np.arange(16) * np.pi / 8
    around = to[near, None] + _OVERSHOOT_M * np.column_stack([np.cos(angles), np.sin(angles)])
    probes = shapely.points(around)
    beyond = shapely.contains(ground.polygon, probes) != shapely.contains(ground.polygon, points[near])[:, None]
    off = np.full(beyond.shape, -1.0)
    if beyond.any():
        which, gap = ground.outline_tree.query_nearest(probes[beyond], return_distance=True, all_matches=False)
        at = np.flatnonzero(beyond)[which[0]]
        off.flat[at] = gap
    ways = [np.zeros((0, 2))] * len(ends)
    # Of the points across the outline the furthest one is taken, so that the line surely crosses it.
    for end, place, of in zip(near.tolist(), around, np.argmax(off, axis=1).tolist(), strict=True):
        ways[end] = np.asarray([to[end], place[of]])
    return ways


def places_behind(ground: BorderGround, strip: Strip, places: pd.DataFrame) -> NDArray[np.int64]:
    """Rows of the places that lie in a strip.

    Args:
        ground: the country's.
        strip: what the route cuts off.
        places: settlements with name, lon and lat.
    """
    at = places[["lon", "lat"]].to_numpy(dtype=float)
    points = project(shapely.points(at), WGS84, ground.crs)
    return np.flatnonzero(shapely.contains(strip.faces, points))


@dataclass(frozen=True)
class SeveranceDraws:
    """How often route and border are moved against each other for an interval (0: no interval), and the seed."""

    count: int
    seed: int = 0


@dataclass(frozen=True)
class RouteSeverance:
    """What a route cuts off, and its planar lines in the country, from which that follows."""

    strip: Strip
    runs: tuple[shapely.LineString, ...]


@derived
def route_severance(
    ground: BorderGround, lie_of_candidate: Candidate, local_roads: bool
) -> RouteSeverance | Unmeasured:
    """What a route would cut off if it were closed.

    Without local roads to compare with, a schematic line is drawn too roughly for this.

    Raises:
        NetworkError: the candidate disagrees with the polygon by more than a kilometre.
    """
    parts = [part for part in lie_of_candidate.parts if part.country == ground.country]
    if not parts:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if not local_roads and any(part.geometry_quality == GeometryQuality.SCHEMATIC for part in parts):
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    runs = planar_runs(ground, lie_of_candidate)
    return RouteSeverance(measure_severance(ground, lengthen(ground, runs)), tuple(runs))


@derived
def severed_ground(ground: BorderGround, route_severance: RouteSeverance | Unmeasured) -> shapely.Geometry:
    """The ground that a route would cut off (lon/lat); empty where that isn't measured."""
    if isinstance(route_severance, Unmeasured):
        return shapely.Polygon()
    return project(route_severance.strip.faces, ground.crs, WGS84)


@metric(
    Subject.SEVERANCE,
    Column(
        "strip_area_km2", Unit.KM2, "ground between the route and the neighbour's border",
        "faces of the country cut along the route; interval from 15 m and 20 m position errors", interval=True,
    ),
    Column(
        "border_behind_share", Unit.NONE, "part of the neighbour's border that lies behind the route",
        "border_behind_km / border length", interval=True, digits=2, shown=Shown.FILES,
    ),
    Column(
        "border_behind_km", Unit.KM, "length of the neighbour's border that lies behind the route",
        "shared border of the strip", shown=Shown.FILES,
    ),
    Column("strip_places", Unit.COUNT, "settlements in that ground", "places inside the strip", kind=Kind.COUNT),
    status="strip_status",
)  # fmt: skip
def describe_severance(severance_row: Values | Unmeasured, closes_roads: bool) -> Values | Unmeasured:
    """Area, share of the border and places behind a route; nothing lies behind it where the regime closes no road."""
    if isinstance(severance_row, Unmeasured):
        return severance_row
    if not closes_roads:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    return severance_row


@derived
def severance_row(
    ground: BorderGround,
    lie_of_candidate: Candidate,
    lie_of_network: Network,
    route_severance: RouteSeverance | Unmeasured,
    severance_draws: SeveranceDraws,
    settlements: pd.DataFrame | None,
    schematic_half_width_km: float,
) -> Values | Unmeasured:
    """Area, share of the border and places behind a route if it were closed.

    The intervals are the 2.5 and 97.5 per cent points of the draws of :func:`draw_severance`. Within the half-width of
    a line that is drawn schematically, the ground may lie on either side of it.
    """
    if isinstance(route_severance, Unmeasured):
        return route_severance
    strip, runs = route_severance.strip, route_severance.runs
    found: dict[str, Any] = {
        "strip_area_km2": strip.area_km2,
        "border_behind_share": strip.behind_share,
        "border_behind_km": strip.behind_km,
        "strip_places": np.nan if settlements is None else len(places_behind(ground, strip, settlements)),
    }
    if severance_draws.count:
        drawn = draw_severance(ground, runs, strip, severance_draws.count, severance_draws.seed)
        for name, values in zip(("strip_area_km2", "border_behind_share"), drawn, strict=True):
            low, high = (float(q) for q in np.quantile(values, [0.025, 0.975]))
            found[name] = Estimate(low, found[name], high)
    ends = _ends_of_ground(ground, lie_of_candidate, lie_of_network, strip, schematic_half_width_km)
    return found | _open_ground(ground, strip, ends, settlements)


def _ends_of_ground(
    ground: BorderGround, candidate: Candidate, network: Network, strip: Strip, half_width_km: float
) -> tuple[shapely.Geometry, shapely.Geometry] | None:
    """The least and the most ground behind a candidate, in metres; None where its lines are known.

    What one route of a package cuts off for certain is cut off wherever the others lie.
    """
    bands = [_open_band(ground, route, network, half_width_km) for route in candidate.routes]
    if all(shapely.is_empty(band) for band in bands):
        return None
    # What a route cuts off for certain hangs on its own band alone: the routes of a package are measured one by one.
    faces = [strip.faces]
    if candidate.members:
        runs = (planar_runs(ground, route) for route in candidate.members)
        faces = [measure_severance(ground, lengthen(ground, own)).faces for own in runs]
    sure = [shapely.difference(own, band) for own, band in zip(faces, bands, strict=True)]
    return shapely.union_all(sure), shapely.union_all([strip.faces, *bands])


def _open_band(ground: BorderGround, route: Candidate, network: Network, half_width_km: float) -> shapely.Geometry:
    """The ground of the country in which the schematic parts of a route may lie, in metres."""
    runs = schematic_runs(route, network)
    bands = []
    for number in range(max(runs, default=-1) + 1):
        parts = [part for part, run in zip(route.parts, runs, strict=True) if run == number]
        if parts[0].country == ground.country:
            # Both ends of a schematic stretch are known, so that it strays no further than half its length.
            reach_m = min(half_width_km, sum(part.drawn_km for part in parts) / 2) * 1000 / ground.scale
            line = project(join([part.line for part in parts]), WGS84, ground.crs)
            bands.append(shapely.buffer(line, reach_m, cap_style="flat"))
    return shapely.intersection(shapely.union_all(bands), ground.polygon)


def _open_ground(
    ground: BorderGround,
    strip: Strip,
    ends: tuple[shapely.Geometry, shapely.Geometry] | None,
    settlements: pd.DataFrame | None,
) -> dict[str, Any]:
    """Area and places behind a candidate at least and at most; nothing where both are one."""
    if ends is None:
        return {}
    found: dict[str, Any] = {
        "strip_area_km2": Undetermined(*(float(shapely.area(end)) * ground.scale**2 / 1e6 for end in ends))
    }
    if settlements is not None:
        least, most = (len(places_behind(ground, replace(strip, faces=end), settlements)) for end in ends)
        found["strip_places"] = Undetermined(least, most) if least != most else least
    return found


def draw_severance(
    ground: BorderGround, runs: Sequence[shapely.LineString], strip: Strip, draws: int, seed: int
) -> tuple[Floats, Floats]:
    """Areas in km2 and shares of the border over draws, shape (draws,) each.

    In each draw the route and the border are moved as a whole by independent normal errors (15 m and 20 m in either
    axis), so that only their difference counts. ``strip`` is the one without errors. Outlines more than 2 km from the
    route are drawn coarsely meanwhile, and the area that this changes is put right by what it changes without errors.

    Args:
        ground: the country's.
        runs: planar lines of the route.
        strip: without errors.
        draws: how many are made.
        seed: of the draws; the same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    # Only the difference of both errors matters, so the border stays and the route bears the error of both.
    shifts = rng.normal(0, ROUTE_SIGMA_M, (draws, 2)) - rng.normal(0, BORDER_SIGMA_M, (draws, 2))
    coarse = coarse_ground(ground, runs)
    # The coarse outline makes every area a little wrong alike; the difference to the exact one is put back. No strip
    # stays none.
    bias = strip.area_km2 - _cut_off(coarse, lengthen(coarse, runs))[1]
    moved = lengthen(coarse, [_moved(run, shift) for shift in shifts for run in runs])
    drawn = [_cut_off(coarse, moved[draw * len(runs) : (draw + 1) * len(runs)])[1:] for draw in range(draws)]
    areas = np.array([area + bias if area > 0 else 0.0 for area, _ in drawn])
    return areas, np.array([share for _, share in drawn])


def _moved(line: shapely.LineString, by: Floats) -> shapely.LineString:
    return shapely.transform(line, lambda xy: xy + by)


def coarse_ground(ground: BorderGround, runs: Sequence[shapely.LineString]) -> BorderGround:
    """The same ground with outlines off the shared border simplified to 200 m where they are far from the route."""
    near = shapely.union_all(list(runs))
    shapely.prepare(near)
    lines = [_coarse(xy, points, near) for xy, points in ground.other_vertices]
    return ground.with_other(shapely.MultiLineString(lines))


def _coarse(xy: Floats, points: NDArray[np.object_], near: shapely.Geometry) -> shapely.LineString:
    """A line whose stretches beyond reach are simplified, all other vertices and its ends kept."""
    # Most vertices lie beyond the frame around the route: only those inside are held against the route itself.
    west, south, east, north = shapely.bounds(near) + np.array([-1, -1, 1, 1]) * (_REACH_M + 1.0)
    close = np.asarray((xy >= (west, south)).all(axis=1) & (xy <= (east, north)).all(axis=1))
    close[close] = shapely.dwithin(near, points[close], _REACH_M)
    # The ends stay, so that the lines still meet and close the faces.
    close[[0, -1]] = True
    kept = np.flatnonzero(close)
    pieces = [xy[:1]]
    for a, b in pairwise(kept.tolist()):
        stretch = xy[a : b + 1]
        if b - a > 1:
            stretch = shapely.get_coordinates(shapely.simplify(shapely.LineString(stretch), _COARSE_M))
        pieces.append(stretch[1:])
    return shapely.LineString(np.concatenate(pieces))
