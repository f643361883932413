"""Candidates from a drawn line: on the network where it follows a way, new where it doesn't.

The line is matched to the network (:mod:`corridor.network.map_matching`). Stretches on it have its figures and its
status; what lies off it counts as planned, with heights, tunnels and bridges by a design standard on the elevation
model, cut at borders. Ends are joined to the study's ends up to a stated distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from corridor.alignment.pricing import price_pieces, split_line, structures_of
from corridor.alignment.problem import find_standard, frame_terrain, unit_costs
from corridor.candidates.designed import SPANNED, Surroundings, countries_along, designed_part, designed_works
from corridor.candidates.parts import documented_grades, join_parts, route_parts, say_what_is_closed
from corridor.candidates.reference import END_LIMIT_KM
from corridor.errors import AlignmentError, NetworkError, StudyError
from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m, project, utm_crs, vertex_chainage_m
from corridor.io.read.inputs import Area
from corridor.network.graph import Network, Position, Route
from corridor.network.map_matching import OffNetwork, OnNetwork, match_line
from corridor.schema.alignment import DesignStandard, LinePrice, Structure
from corridor.schema.candidate import Candidate, DesignedWork, Part, Span
from corridor.schema.catalogue import Estimate
from corridor.schema.message import Message, Value
from corridor.schema.study import DrawnCandidate, Place
from corridor.schema.vocabulary import Evidence, GeometryQuality, LineKind, Mode
from corridor.terrain.profile import grade_limited, grade_limited_under
from corridor.wording import ask_if_swapped, format_position

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STANDARDS = {Mode.ROAD: "road-60", Mode.RAIL: "rail-18"}
"""What new stretches are laid out by where a line doesn't say. Declared."""
SAME_M = 30.0
"""What lies no farther apart lies at the same place: a line over itself, or its end and that of the study. Declared."""
REPEAT_M = 500.0
"""A line that runs over itself for less than this, as at a crossing, is taken as it is. Declared."""
JOIN_DETOUR = 5.0
"""An end is joined over open ways up to this times the straight line, as roads in bends are long. Declared."""
_DENSE_M = 100.0
"""Vertices of new stretches are at most this far apart, so that borders cut them where they are."""


def build_drawn_candidate(spec: DrawnCandidate, xyz: Floats, around: Surroundings) -> Candidate:
    """The route along a line: its parts on the network and off it, borders, and what was done to the line.

    Args:
        spec: what is asked.
        xyz: vertices of the line, (n, 2) or (n, 3): degrees east and north, metres above the sea or NaN.
        around: what the line is put into.

    Returns:
        The route, from the study's origin to its destination.

    Raises:
        StudyError: the line lies outside the study's area or ends too far from the study's ends.
        CoverageError: the elevation model has no height somewhere along it.
        AlignmentError: the standard isn't known.
    """
    asked_by = f"route '{spec.name}'"
    standard = find_standard(spec.standard or STANDARDS[spec.mode])
    if standard.mode != spec.mode:
        raise StudyError(f"{asked_by}: standard '{standard.standard_id}' isn't for {spec.mode}; choose another")
    _require_inside(xyz, around.area, asked_by)
    remarks: list[Value] = []
    # First the line itself is put right, then it is matched: a loop or a wrong direction would spoil every stretch
    # after it.
    xyz, gaps_km = _between_ends(xyz, around, asked_by, remarks)
    xyz = _without_repeats(xyz, asked_by, remarks)
    line = shapely.LineString(xyz[:, :2])
    network = around.conflation.network
    stretches = match_line(network, line, spec.mode, follow_m=spec.follow_m)
    pieces = _join_ends(stretches, xyz, spec, around, remarks)
    grades = documented_grades(around.catalogue, around.conflation)
    parts: list[Part] = []
    for piece in pieces:
        if isinstance(piece, Route):
            parts += route_parts(network, piece, grades, around.catalogue.sections, around.conflation.driving)
        else:
            parts += _new_parts(piece, spec, standard, around, remarks)
    fresh = sum(part.drawn_km for part in parts if part.design or part.geometry_quality == GeometryQuality.DRAWN)
    total = sum(part.drawn_km for part in parts)
    on_km, off_km, follow_m = f"{total - fresh:.1f}", f"{fresh:.1f}", f"{spec.follow_m:g}"
    matched = Message("line.matched", {"on_km": on_km, "off_km": off_km, "follow_m": follow_m})
    whole = join_parts(spec, spec.mode, parts, around.catalogue, (), gaps_km, remarks=(matched, *remarks))
    return say_what_is_closed(whole, around.catalogue)


def _require_inside(xyz: Floats, area: Area, asked_by: str) -> None:
    """Refuse a line that leaves the study's area.

    Raises:
        StudyError: it does; says where, and whether latitude and longitude seem to be swapped.
    """
    outside = ~_inside(xyz[:, 0], xyz[:, 1], area)
    if not outside.any():
        return
    at = format_position(float(xyz[outside][0, 1]), float(xyz[outside][0, 0]), 3)
    # The commonest fault of lines from elsewhere: GeoJSON has longitude first, many programs latitude.
    swapped = ask_if_swapped(xyz[:, 0], xyz[:, 1], lambda lon, lat: _inside(lon, lat, area).all())
    remedy = swapped or "correct the line or widen area in the study"
    raise StudyError(f"{asked_by}: lies outside the study's area at {at}; {remedy}")


def _inside(lon: Floats, lat: Floats, area: Area) -> NDArray[np.bool_]:
    west, south, east, north = area
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _between_ends(
    xyz: Floats, around: Surroundings, asked_by: str, remarks: list[Value]
) -> tuple[Floats, tuple[float, float]]:
    """The line from the study's origin to its destination, turned round if it was drawn the other way.

    Raises:
        StudyError: it begins or ends more than 5 km from where the study's routes do.
    """
    ends = (around.origin, around.destination)
    ahead = [float(distance_m(p.lon, p.lat, *xyz[i, :2])) for p, i in zip(ends, (0, -1), strict=True)]
    back = [float(distance_m(p.lon, p.lat, *xyz[i, :2])) for p, i in zip(ends, (-1, 0), strict=True)]
    # The further of the two ends tells which way the line was drawn.
    if max(back) < max(ahead):
        xyz, ahead = xyz[::-1], back
        remarks.append(Message("line.turned"))
    for place, gap, verb in zip(ends, ahead, ("begins", "ends"), strict=True):
        if gap > END_LIMIT_KM * 1000:
            raise StudyError(
                f"{asked_by}: {verb} {gap / 1000:.1f} km from {place.name}; draw it to within {END_LIMIT_KM:g} km of "
                f"{place.name} ({format_position(place.lat, place.lon, 4)}), the rest is joined"
            )
    return xyz, (ahead[0] / 1000, ahead[1] / 1000)


def _without_repeats(xyz: Floats, asked_by: str, remarks: list[Value]) -> Floats:
    """The line with every stretch left out by which it comes back to where it was: loops and ways there and back.

    A stretch counts if the line follows itself there for 500 m or more within 30 m; crossing itself is none.
    """
    flat = shapely.LineString(xyz[:, :2])
    crs = utm_crs(*np.median(xyz[:, :2], axis=0))
    planar = project(flat, WGS84, crs)
    count = max(int(np.ceil(planar.length / SAME_M)), 2)
    along = np.linspace(0.0, planar.length, count + 1)
    points = shapely.get_coordinates(shapely.line_interpolate_point(planar, along))
    # the last earlier place that each point comes back to, further back along the line than a bend can bring it
    repeats = np.full(len(points), -1)
    # Samples lie one such distance apart, so that neighbours on the line are pairs as well: the chainage rules them
    # out.
    near = cKDTree(points).query_pairs(SAME_M, output_type="ndarray")
    near = near[along[near[:, 1]] - along[near[:, 0]] > 2 * REPEAT_M]
    np.maximum.at(repeats, near[:, 1], near[:, 0])
    path = _erase_repeats(repeats, along)
    if len(path) == len(points):
        return xyz
    runs = np.split(path, np.flatnonzero(np.diff(path) != 1) + 1)
    kept_m = float(sum(along[run[-1]] - along[run[0]] for run in runs))
    if kept_m < REPEAT_M:
        raise StudyError(f"{asked_by}: comes back to where it began; draw it from one end to the other")
    remarks.append(Message("line.repeats", {"km": f"{(planar.length - kept_m) / 1000:.1f}"}))
    chainage = vertex_chainage_m(flat)
    # Lengths on the plane and on the ellipsoid differ a little: scaled, both end at the same vertex.
    at = along * float(chainage[-1] / planar.length)
    return np.concatenate([_cut(xyz, chainage, at[run[0]], at[run[-1]]) for run in runs if len(run) > 1])


def _erase_repeats(repeats: Ints, along_m: Floats) -> Ints:
    """Points that stay when every long run of repeated ones takes out all since the place that it comes back to."""
    path: list[int] = []
    at, count = 0, len(repeats)
    while at < count:
        run = at
        while run < count and repeats[run] >= 0:
            run += 1
        if run > at and along_m[run - 1] - along_m[at] >= REPEAT_M:
            # Back to the place that the line came back to: all since then was a detour.
            while path and path[-1] > repeats[run - 1]:
                path.pop()
            path.append(run - 1)
            at = run
        else:
            path += range(at, max(run, at + 1))
            at = max(run, at + 1)
    return np.array(path, dtype=np.int64)


def _cut(xyz: Floats, chainage_m: Floats, from_m: float, to_m: float) -> Floats:
    """Vertices of a line between two chainages, with both ends."""
    inner = (chainage_m > from_m) & (chainage_m < to_m)
    at = np.concatenate([[from_m], chainage_m[inner], [to_m]])
    return np.column_stack([np.interp(at, chainage_m, column) for column in xyz.T])


def _join_ends(
    stretches: Sequence[OnNetwork | OffNetwork],
    xyz: Floats,
    spec: DrawnCandidate,
    around: Surroundings,
    remarks: list[Value],
) -> list[Route | Floats]:
    """Ways over the network and new stretches (n, 3) from the study's origin to its destination, end to end."""
    chainage = vertex_chainage_m(shapely.LineString(xyz[:, :2]))
    # Stretches were measured on the plane, the line's vertices on the ellipsoid.
    scale = float(chainage[-1]) / stretches[-1].to_m
    heights = xyz if xyz.shape[1] == 3 else np.column_stack([xyz, np.full(len(xyz), np.nan)])
    pieces: list[Route | Floats] = []
    for number, stretch in enumerate(stretches):
        if isinstance(stretch, OnNetwork):
            pieces.append(stretch.route)
            continue
        cut = _cut(heights, chainage, stretch.from_m * scale, stretch.to_m * scale)
        before = stretches[number - 1] if number else None
        after = stretches[number + 1] if number + 1 < len(stretches) else None
        # the new stretch begins and ends on the ways that it joins
        if isinstance(before, OnNetwork):
            cut = np.vstack([[before.end.lon, before.end.lat, np.nan], cut[1:]])
        if isinstance(after, OnNetwork):
            cut = np.vstack([cut[:-1], [after.start.lon, after.start.lat, np.nan]])
        pieces.append(cut)
    head = _join(around.origin, stretches[0], heights[0], spec.mode, around, remarks)
    tail = _join(around.destination, stretches[-1], heights[-1], spec.mode, around, remarks)
    # Two new stretches in a row are one, which is laid out as a whole; else the joint is a piece of its own.
    if isinstance(head, np.ndarray) and isinstance(pieces[0], np.ndarray):
        pieces[0] = np.vstack([head[:1], pieces[0]])
    elif head is not None:
        pieces.insert(0, head)
    if isinstance(tail, np.ndarray) and isinstance(pieces[-1], np.ndarray):
        pieces[-1] = np.vstack([pieces[-1], tail[:1]])
    elif tail is not None:
        pieces.append(tail.reversed() if isinstance(tail, Route) else tail[::-1])
    return pieces


def _join(
    place: Place, stretch: OnNetwork | OffNetwork, end: Floats, mode: Mode, around: Surroundings, remarks: list[Value]
) -> Route | Floats | None:
    """From an end of the study to the line: over open ways if the line is on the network there, else straight."""
    first = place is around.origin
    at = (stretch.start if first else stretch.end) if isinstance(stretch, OnNetwork) else None
    lon, lat = (at.lon, at.lat) if at else (float(end[0]), float(end[1]))
    gap_m = float(distance_m(place.lon, place.lat, lon, lat))
    if gap_m <= SAME_M:
        return None
    remarks.append(Message("line.joined", {"place": place.name, "km": f"{gap_m / 1000:.1f}"}))
    way = _way_to(around.conflation.network, place, at, mode, gap_m) if at else None
    return way or np.array([[place.lon, place.lat, np.nan], [lon, lat, np.nan]])


def _way_to(network: Network, place: Place, at: Position, mode: Mode, gap_m: float) -> Route | None:
    """The shortest open way from a place to a position, if it isn't much longer than straight."""
    # An end is joined over what is open: a way that would have to be opened first isn't for a joint to choose.
    closed = network.closed(mode)
    length = network.edges["length_m"].to_numpy(dtype=float)
    try:
        start = network.snap(place.lon, place.lat, closed, limit_m=gap_m, what=place.name)
        route = network.route(start, at, length, length, closed, any_road=True)
    except NetworkError:
        return None
    return route if route.cost <= JOIN_DETOUR * gap_m else None


def _new_parts(
    xyz: Floats, spec: DrawnCandidate, standard: DesignStandard, around: Surroundings, remarks: list[Value]
) -> list[Part]:
    """A stretch off the network as a part per country, with heights and structures by the standard."""
    line = shapely.LineString(xyz[:, :2])
    vertices = vertex_chainage_m(line)
    # dense enough to be cut at borders, with the vertices kept
    along = np.unique(np.concatenate([np.arange(0.0, vertices[-1], _DENSE_M), vertices]))
    if len(along) < 2:
        return []
    lon, lat = (np.interp(along, vertices, column) for column in xyz.T[:2])
    ground, _ = around.dem.require_along(lon, lat, along, f"route '{spec.name}'")
    stated = np.isfinite(xyz[:, 2])
    # The ends may lack a height, as they were put onto the ways that they join; one gap between them and no height is
    # taken.
    heights = np.interp(along, vertices[stated], xyz[stated, 2]) if stated.sum() > 1 and stated[1:-1].all() else None
    laid = _lay(lon, lat, along, ground, heights, standard, around)
    if laid is None:
        at = format_position(float(lat[0]), float(lon[0]), 2)
        remarks.append(Message("line.not_quoted", {"km": f"{along[-1] / 1000:.1f}", "at": at}))
    country = countries_along(np.column_stack([lon, lat]), along, around.borders, ())
    cuts = [0, *(np.flatnonzero(country[1:] != country[:-1]) + 1).tolist(), len(along) - 1]
    bounds = [(a, b) for a, b in pairwise(cuts) if b > a]
    quality = GeometryQuality.SCHEMATIC if spec.schematic else GeometryQuality.DRAWN
    parts = []
    for a, b in bounds:
        own = slice(a, b + 1)
        own_line = shapely.LineString(np.column_stack([lon[own], lat[own]]))
        spans, works = _structures(laid, float(along[a]), float(along[b]))
        part = designed_part(
            spec.name, standard, around, str(country[a]), own_line, along[own],
            laid.height_m[own] if laid else None, spans, works, quality,
            drawn_km=float(line_lengths_m([own_line])[0]) / 1000,
        )  # fmt: skip
        parts.append(part)
    return parts


@dataclass(frozen=True)
class _Laid:
    """Heights of a new stretch at its samples, its structures by chainage along it, and its price."""

    height_m: Floats
    structures: tuple[Structure, ...]
    price: LinePrice


def _lay(
    lon: Floats,
    lat: Floats,
    along_m: Floats,
    ground_m: Floats,
    stated_m: Floats | None,
    standard: DesignStandard,
    around: Surroundings,
) -> _Laid | None:
    """Heights within the standard's grade and the cheapest structures under and over them; None if there are none.

    The heights that the line states are kept. Else they are the nearest to the ground that keep the grade, and the
    highest under the ground if the first ask for bridges that are too high.
    """
    limit = np.full(len(along_m), max(standard.max_grade_up_pct, standard.max_grade_down_pct))
    costs = unit_costs(around.catalogue.unit_costs, standard.mode)
    corners = (float(lon.min()), float(lat.min())), (float(lon.max()), float(lat.max()))
    try:
        terrain, *_ = frame_terrain(around.dem, *corners, "ends of a new stretch")
    except AlignmentError:  # too short for the elevation model to say anything of its structures
        height = ground_m if stated_m is None else stated_m
        km = float(along_m[-1]) / 1000
        surface = LineKind.SURFACE
        price = LinePrice({surface: km}, {surface: costs.surface * km}, 0, 0, costs.portal * 0.0)
        return _Laid(height, (), price)
    xy = shapely.get_coordinates(project(shapely.LineString(np.column_stack([lon, lat])), WGS84, terrain.grid.crs))
    planar = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    chainage_km = along_m / 1000
    # What the line itself says is tried first; a standard may still refuse it.
    tries = [stated_m] if stated_m is not None else []
    tries += [grade_limited(chainage_km, ground_m, limit), grade_limited_under(chainage_km, ground_m, limit)]
    for height in tries:
        try:
            pieces = split_line(terrain.to_grid(np.column_stack([xy, height])), terrain.ground, standard, costs)
        except AlignmentError:
            continue
        found = tuple(
            replace(
                s, from_m=float(np.interp(s.from_m, planar, along_m)), to_m=float(np.interp(s.to_m, planar, along_m))
            )
            for s in structures_of(pieces)
        )
        return _Laid(np.asarray(height, dtype=float), found, price_pieces(pieces, standard, costs))
    return None


def _structures(
    laid: _Laid | None, low_m: float, high_m: float
) -> tuple[list[Span], tuple[tuple[DesignedWork, ...], Estimate] | None]:
    """Tunnels and bridges of a part of a new stretch, by kilometres from its start, and what all of it is built of."""
    if laid is None:
        return [], None
    spans = [
        Span(
            SPANNED[s.kind], (max(s.from_m, low_m) - low_m) / 1000, (min(s.to_m, high_m) - low_m) / 1000, "",
            Evidence.INFERRED,
        )
        for s in laid.structures
        if s.from_m < high_m and s.to_m > low_m and s.kind in SPANNED
    ]  # fmt: skip
    return spans, designed_works(laid.price, laid.structures, low_m, high_m)
