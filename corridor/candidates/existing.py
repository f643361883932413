"""Candidates over roads that are open today: the quickest ways that differ."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.candidates.parts import (
    documented_grades,
    join_parts,
    require_assumptions,
    route_parts,
    say_unknown_waits,
)
from corridor.errors import NoRouteError
from corridor.geo.geodesy import WGS84, locate_m, project, utm_crs
from corridor.io.read.catalogue import Catalogue
from corridor.io.read.own_routes import plain_id
from corridor.network.alternatives import find_alternatives, find_quicker
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Gap, Reachability, are_connected, find_gaps, find_missing
from corridor.network.graph import Network, Position
from corridor.network.map_matching import STATION_M
from corridor.report.i18n import render
from corridor.schema.candidate import Candidate, ViaName, route_message
from corridor.schema.message import Message
from corridor.schema.study import ExistingCandidates, Place
from corridor.schema.vocabulary import SectionStatus
from corridor.wording import format_position

_VIA_KM = 4.0
"""Farthest that a place may lie from a way that is named by it. Declared."""
_VIA_COUNT = 3
"""So many of the largest places name a way."""
SAME_ROUTE = 0.9
"""A way that shares more of its length with a route of the catalogue is that route found again."""
_BESIDE_M = 150.0
"""Two lines that run no farther apart are one route, drawn twice. Declared."""
_MAX_ID = 64


def build_existing_candidates(
    spec: ExistingCandidates,
    catalogue: Catalogue,
    conflation: Conflation,
    places: gpd.GeoDataFrame,
    origin: Place,
    destination: Place,
    snap_limit_m: float,
) -> tuple[list[Candidate], Reachability]:
    """Up to ``spec.count`` ways that differ, and whether there would be any without the study's assumptions.

    Args:
        spec: what the study asks for.
        catalogue: tables of the study's reference folder.
        conflation: the network, and where sections lie on it.
        places: settlements with name, lon, lat and population, to name ways by.
        origin: where the route begins.
        destination: where it ends.
        snap_limit_m: farthest that a place may lie from a road, metres.

    Raises:
        StudyError: an assumption names neither a section nor a crossing.
        NetworkError: origin or destination is too far from any open way.
        NoRouteError: there is no way even with what is assumed open; names the gaps.
    """
    require_assumptions(spec.assume_open, catalogue, f"candidates '{spec.id}'")
    network = conflation.network
    closed = network.closed(spec.mode, countries=spec.countries or None, assume_open=spec.assume_open)
    grades = documented_grades(catalogue, conflation)
    start = network.snap(origin.lon, origin.lat, closed, limit_m=snap_limit_m, what=f"origin {origin.name}")
    end = network.snap(
        destination.lon, destination.lat, closed, limit_m=snap_limit_m, what=f"destination {destination.name}"
    )
    reach = measure_reachability(spec, network, start, end)
    try:
        routes = find_alternatives(
            network, start, end, closed, count=spec.count, max_shared=spec.max_shared, max_stretch=spec.max_stretch,
            turn_within_m=STATION_M,
        )  # fmt: skip
    except NoRouteError as fault:
        why = _say_why(reach, find_gaps(network, closed, start, end))
        raise NoRouteError(
            f"candidates '{spec.id}': no open road from {origin.name} to {destination.name} in "
            f"{', '.join(spec.countries) or 'any country'}{why}; name a crossing or section in assume_open, or allow "
            f"a country{', or begin or end on this side of a gap' if 'gaps' in why else ''}"
        ) from fault
    quicker = find_quicker(
        network, routes[0], start, end, closed, *(network.column(f"minutes_{way}") for way in ("forward", "backward")),
        turn_within_m=STATION_M,
    )  # fmt: skip
    candidates = []
    for route in routes:
        parts = tuple(route_parts(network, route, grades, catalogue.sections, conflation.driving))
        used = network.edges.iloc[list(route.edges)]
        named = {key for column in ("section_id", "documented_in", "crossing_id") for key in used[column]}
        assumed = sorted(named & set(spec.assume_open))
        taken = [Message("assumption.taken_open", {"name": _name_of(key, catalogue)}) for key in assumed]
        gaps_km = (start.distance_m / 1000, end.distance_m / 1000)
        found = join_parts(spec, spec.mode, parts, catalogue, taken, gaps_km)
        passed_over = (quicker,) if quicker and route is routes[0] else ()
        candidates.append(say_unknown_waits(found, catalogue, passed_over))
    return _name_by_places(candidates, spec, places), reach


def _say_why(reach: Reachability, gaps: Sequence[Gap]) -> str:
    """What keeps the places apart: closed borders alone, sections that aren't open, or gaps that would stay anyway."""
    on_the_ground = [gap for gap in gaps if gap.length_m > 1]  # the two sides of a closed border are at one place
    if reach.connected and not on_the_ground:
        return " (closed borders alone are in the way)"
    if reach.missing:
        # pieces of one road follow each other
        names = list(dict.fromkeys(name or "a road without a name" for name, _ in reach.missing))
        return f" ({', '.join(names[:4])} {'is' if len(names) == 1 else 'are'} not open)"
    return say_gaps(on_the_ground or reach.gaps)


@dataclass(frozen=True)
class DistinctWays:
    """Ways that are no route of the catalogue, and those that are, each with that route and the share of its length."""

    kept: tuple[Candidate, ...]
    again: tuple[tuple[Candidate, Candidate, float], ...]


def drop_found_again(found: Sequence[Candidate], known: Sequence[Candidate]) -> DistinctWays:
    """Ways that aren't a route of the catalogue found again, and those that are.

    Args:
        found: Ways over open roads.
        known: Routes of the catalogue.

    Returns:
        Ways that are kept; and each that isn't with the route that it is, and the share (0-1) of its length within
        150 m of that.
    """
    # Each line is brought into a plane, and each route's band found, once for all that they are held against.
    planar: dict[tuple[int, str], shapely.LineString] = {}
    bands: dict[tuple[int, str], shapely.Geometry] = {}

    def flat(candidate: Candidate, zone: str) -> shapely.LineString:
        key = id(candidate), zone
        if key not in planar:
            # Bends of 20 m don't matter to a band of 150 m, and the band is found much faster without them.
            planar[key] = project(candidate.line, WGS84, zone).simplify(20.0)
        return planar[key]

    def shared(candidate: Candidate, route: Candidate) -> float:
        """Share of a candidate's line that runs within 150 m of another's."""
        zone = _zone_of(candidate.line)
        key = id(route), zone
        if key not in bands:
            bands[key] = flat(route, zone).buffer(_BESIDE_M, quad_segs=2)
        own = flat(candidate, zone)
        return float(own.intersection(bands[key]).length / own.length)

    kept: list[Candidate] = []
    again: list[tuple[Candidate, Candidate, float]] = []
    for candidate in found:
        shares = [
            (shared(candidate, route), index) for index, route in enumerate(known) if route.mode == candidate.mode
        ]
        share, index = max(shares, default=(0.0, -1))
        if share > SAME_ROUTE:
            again.append((candidate, known[index], share))
        else:
            kept.append(candidate)
    return DistinctWays(tuple(kept), tuple(again))


def _zone_of(line: shapely.LineString) -> str:
    """The UTM zone of a line's middle."""
    middle = line.interpolate(0.5, normalized=True)
    return utm_crs(middle.x, middle.y)


def measure_reachability(spec: ExistingCandidates, network: Network, start: Position, end: Position) -> Reachability:
    """Whether open ways alone, in the spec's countries with borders between them passable, lead from start to end.

    Args:
        spec: what the study asks for.
        network: roads and railways.
        start: where ways begin.
        end: where they end.
    """
    closed = network.closed(spec.mode, countries=spec.countries or None)
    passable = network.edges["border"].isin(_pairs(spec.countries)).to_numpy() if spec.countries else True
    closed = closed & ~(network.is_border & passable)
    gaps = find_gaps(network, closed, start, end)
    edges = network.edges
    fitting = (edges["mode"] == spec.mode) & (edges["country"].isin(list(spec.countries)) | (not spec.countries))
    usable = (
        fitting
        & edges["status"].isin([SectionStatus.CLOSED, SectionStatus.CONSTRUCTION, SectionStatus.UNKNOWN])
        & (edges["documented_in"] != "")
    ).to_numpy()
    connected = are_connected(network, closed, start, end)
    missing = () if connected else find_missing(network, closed, usable, start, end)
    return Reachability(spec.id, spec.countries, connected, tuple(gaps), missing)


def _pairs(countries: Sequence[str]) -> list[str]:
    return [f"{a}-{b}" for a in sorted(countries) for b in sorted(countries) if a < b]


def say_gaps(gaps: Sequence[Gap]) -> str:
    """Gaps in a few words, for a message."""
    if not gaps:
        return ""
    # a break of metres, as extracts have them, isn't 0.0 km
    sizes = [f"{gap.length_m / 1000:.1f} km" if gap.length_m >= 100 else f"{gap.length_m:.0f} m" for gap in gaps[:4]]
    shown = [
        f"{size} at {format_position(gap.to_lonlat[1], gap.to_lonlat[0], 3)}"
        for size, gap in zip(sizes, gaps[:4], strict=True)
    ]
    return " (gaps: " + ", ".join(shown) + ")"


def _name_of(key: str, catalogue: Catalogue) -> str:
    if key in catalogue.sections:
        return catalogue.sections[key].name
    return catalogue.crossings[key].name if key in catalogue.crossings else key


def _name_by_places(candidates: list[Candidate], spec: ExistingCandidates, places: gpd.GeoDataFrame) -> list[Candidate]:
    """Keys and names that say by which larger places each way runs.

    They follow from the way itself: its three largest places, in the order in which it passes them. So a way keeps its
    key in every run, whatever else is found. Ways with the same three say more of their places until they differ, and
    where no place parts them, the position at which each is farthest from the others.
    """
    plane: dict[str, NDArray[np.object_]] = {}
    along_each = (_places_along(candidate.line, places, plane) for candidate in candidates)
    passed = [sorted(along, key=lambda place: (-place[2], place[0])) for along in along_each]
    chosen = [list(along[:_VIA_COUNT]) for along in passed]
    # Ways with the same largest places each take one more place that the others don't pass.
    for index, others in _alike(chosen):
        elsewhere = {name for other in others for name, _, _ in passed[other]}
        chosen[index] += [place for place in passed[index][_VIA_COUNT:] if place[0] not in elsewhere][:1]
    labels = [tuple(name for name, _, _ in sorted(own, key=lambda place: place[1])) for own in chosen]
    # Ways that are still alike are told by the position at which they lie furthest from the others.
    for index, others in _alike(labels):
        lines = [candidates[other].line for other in others]
        labels[index] = (*labels[index], _farthest(candidates[index].line, lines))
    named = []
    for candidate, along in zip(candidates, labels, strict=True):
        placed = replace(candidate, candidate_id=_key(spec.id, along), via=ViaName(spec.id, spec.name, along))
        named.append(replace(placed, name=render(route_message(placed))) if along else replace(placed, via=None))
    return named


def _alike(labels: Sequence[Sequence[object]]) -> list[tuple[int, list[int]]]:
    """Ways that are told by nothing from others, with those."""
    found = []
    for index, own in enumerate(labels):
        others = [other for other, label in enumerate(labels) if other != index and list(label) == list(own)]
        if others or (not own and len(labels) > 1):
            found.append((index, others or [other for other in range(len(labels)) if other != index]))
    return found


def _farthest(line: shapely.LineString, others: Sequence[shapely.LineString]) -> str:
    """The position at which a line is farthest from others, as words."""
    points = shapely.get_coordinates(line)
    away = shapely.distance(shapely.points(points), shapely.union_all(list(others)))
    lon, lat = points[int(np.argmax(away))]
    return format_position(float(lat), float(lon), 2)


def _key(group: str, along: Sequence[str]) -> str:
    """An id made of a group's and the places on the way: ASCII letters, digits and hyphens, 64 at most."""
    whole = "-".join((group, *(plain_id(name) for name in along)))
    if len(whole) <= _MAX_ID:
        return whole
    # Cut short, and told from others that begin alike.
    return f"{whole[: _MAX_ID - 7].rstrip('-')}-{hashlib.blake2b(whole.encode(), digest_size=3).hexdigest()}"


def _places_along(
    line: shapely.LineString, places: gpd.GeoDataFrame, plane: dict[str, NDArray[np.object_]]
) -> list[tuple[str, float, float]]:
    """Name, chainage and people of the places within 4 km of a line, ends excluded.

    ``plane`` keeps the places in the systems that lines have needed so far.
    """
    zone = _zone_of(line)
    if zone not in plane:
        plane[zone] = project(places.geometry.to_numpy(), WGS84, zone)
    near = project(line, WGS84, zone)
    shapely.prepare(near)
    inside = places[shapely.dwithin(near, plane[zone], _VIA_KM * 1000)]
    found = []
    total = locate_m(line, *line.coords[-1])[0]
    for name, lon, lat, people in zip(inside["name"], inside["lon"], inside["lat"], inside["population"], strict=True):
        along, _ = locate_m(line, lon, lat)
        # Places near the ends are passed by all ways and tell none apart.
        if 15_000 < along < total - 15_000 and np.isfinite(people):
            found.append((str(name), along, float(people)))
    return found
