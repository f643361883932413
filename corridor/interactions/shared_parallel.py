"""Where a route runs on a road, and where it runs beside one.

On the same line: the route's edges are roads in use, or its part is the catalogue section that a road's edge is. Only
that can be cut. Beside: a road within 15, 30 or 60 m, parallel within 20 degrees, for 200 m or more, in the same
country and with no barrier (border, river) between. Whether such a stretch shares the ground can't be told from maps,
so it is an interval and never cut. Possibly shared: an axis near a line that is only drawn schematically.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, join, project, substring
from corridor.interactions.crossings import own_rows, part_offsets_km, schematic_runs
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate, Part
from corridor.schema.results import Event
from corridor.schema.vocabulary import Cause, EventKind, GeometryQuality, Separation

PARALLEL_DEG = 20.0
"""A road whose course departs by more does not run beside. Declared."""
MIN_RUN_M = 200.0
"""Running beside for less is no running together. Declared."""
_STEP_M = 10.0
"""Routes are held against roads at points so far apart."""
_AHEAD = 0.1  # of the distance: room for bends
_PART_END = 1e-6
"""Rounding: fractions of an edge so near to its ends are its ends."""
Floats = NDArray[np.float64]


def shared_rows(part: Part, network: Network) -> list[int]:
    """Roads in use that a part runs over, in travelling order: its own edges, or the edge that is its section."""
    rows = list(part.edges)
    if not rows and part.section_id:
        rows = network.section_rows.get(part.section_id, np.zeros(0, dtype=np.int64)).tolist()
    return [row for row in rows if network.is_road_in_use[row]]


def find_shared(candidate: Candidate, network: Network) -> list[Event]:
    """Stretches on roads in use: one for each run of edges of one class, ref and country inside a part."""
    found: list[Event] = []
    for part, offset in zip(candidate.parts, part_offsets_km(candidate), strict=True):
        rows = shared_rows(part, network)
        if not rows:
            continue
        key = np.column_stack([network.column(name)[rows] for name in ("class", "ref", "country")])
        portions = _portions(part, rows, network)
        lengths = network.column("length_m")[rows] * np.array([high - low for _, low, high in portions]) / 1000
        ends = np.cumsum(lengths)
        # Lengths of edges and of the drawn part may differ; each edge keeps its share of the whole.
        scale = part.drawn_km / ends[-1] if ends[-1] > 0 else 1.0
        breaks = np.flatnonzero((key[1:] != key[:-1]).any(axis=1)) + 1
        for run in np.split(np.arange(len(rows)), breaks):
            low, high = (ends[run[0]] - lengths[run[0]]) * scale, ends[run[-1]] * scale
            if high > low:
                pieces = tuple(portions[i] for i in run)
                found.append(_same_line_event(candidate, part, network, pieces, offset, float(low), float(high)))
    return found


def _same_line_event(
    candidate: Candidate,
    part: Part,
    network: Network,
    portions: tuple[tuple[int, float, float], ...],
    offset: float,
    low: float,
    high: float,
) -> Event:
    # A run is of one class, number and country, so that its first edge speaks for all.
    first = {name: network.column(name)[portions[0][0]] for name in ("class", "ref", "name", "country")}
    return Event(
        event_id="", candidate_id=candidate.candidate_id, kind=EventKind.SHARED, separation=Separation.NONE,
        road_class=first["class"], road_ref=first["ref"], road_name=first["name"], country=first["country"],
        chainage_km=offset + low, to_chainage_km=offset + high, distance_m=0.0, length_km=high - low,
        edges=tuple(dict.fromkeys(edge for edge, _, _ in portions)), structure=None, cause=Cause.ROAD_IN_USE,
        section_id=part.section_id,
        geometry=substring(part.line, low * 1000, high * 1000), portions=portions,
    )  # fmt: skip


def _portions(part: Part, rows: Sequence[int], network: Network) -> list[tuple[int, float, float]]:
    """How much of each edge a part runs over: all of it, except where the part begins or ends inside an edge."""
    portions = [(row, 0.0, 1.0) for row in rows]
    if not part.edges:
        return portions
    # Only the first and the last edge can be cut short; an end at a node cuts nothing.
    ends = project(shapely.points([part.line.coords[0], part.line.coords[-1]]), WGS84, network.crs)
    for index, point in ((0, ends[0]), (len(rows) - 1, ends[1])):
        row, low, high = portions[index]
        road = network.planar[row]
        at = float(shapely.line_locate_point(road, point, normalized=True))
        if not _PART_END < at < 1 - _PART_END or shapely.distance(road, point) > 1.0:
            continue
        portions[index] = (row, low, at) if _goes_below(part, index, at, road, network) else (row, at, high)
    return portions


def _goes_below(part: Part, index: int, at: float, road: shapely.LineString, network: Network) -> bool:
    """Whether a part runs over the stretch of its first or last edge that lies before fraction ``at``."""
    line = project(part.line, WGS84, network.crs)
    reach = min(5.0, line.length / 2)
    inner = shapely.line_interpolate_point(line, reach if index == 0 else line.length - reach)
    return bool(shapely.line_locate_point(road, inner, normalized=True) < at)


def find_possibly_shared(
    candidate: Candidate, network: Network, axis_rows: Collection[int], half_width_m: float
) -> list[Event]:
    """Stretches of axes that a schematic line may come to run on: all that lies within its half-width.

    The line joins what is known at both of its ends, so that it strays by no more than half of its length.

    Args:
        candidate: the route.
        network: roads and railways, not gated.
        axis_rows: edges of the axes.
        half_width_m: how far off a schematic line may lie.
    """
    runs = schematic_runs(candidate, network)
    rows = np.setdiff1d(np.fromiter(axis_rows, dtype=np.int64), own_rows(candidate, network))
    offsets = part_offsets_km(candidate)
    found = []
    for number in range(max(runs, default=-1) + 1):
        of = [index for index, run in enumerate(runs) if run == number]
        parts = [candidate.parts[index] for index in of]
        ends = offsets[of[0]], offsets[of[-1]] + parts[-1].drawn_km
        line = join([part.line for part in parts])
        near = rows[network.column("country")[rows] == parts[0].country]
        # 500 times kilometres is half the length in metres.
        reach = min(half_width_m, 500 * (ends[1] - ends[0]))
        band = shapely.buffer(project(line, WGS84, network.crs), reach, cap_style="flat")
        near = near[shapely.intersects(network.planar[near], band)]
        key = np.column_stack([network.column(name)[near] for name in ("class", "ref", "status")])
        for kind in dict.fromkeys(map(tuple, key.tolist())):
            alike = near[(key == np.array(kind, dtype=object)).all(axis=1)]
            portions = tuple(piece for row in alike.tolist() for piece in _inside(network.planar[row], band, row))
            if portions:
                found.append(_possible_event(candidate, network, portions, ends, parts[0].country))
    return found


def _inside(road: shapely.LineString, band: shapely.Geometry, row: int) -> list[tuple[int, float, float]]:
    """Which fractions of an edge lie inside a band."""
    pieces = [piece for piece in shapely.get_parts(shapely.intersection(road, band)) if shapely.length(piece) > 0]
    merged = shapely.get_parts(shapely.line_merge(shapely.MultiLineString(pieces))) if pieces else []
    found = []
    for piece in merged:
        ends = shapely.points([piece.coords[0], piece.coords[-1]])
        low, high = sorted(shapely.line_locate_point(road, ends, normalized=True).tolist())
        if high > low:
            found.append((row, low, high))
    return found


def _possible_event(
    candidate: Candidate,
    network: Network,
    portions: tuple[tuple[int, float, float], ...],
    ends_km: tuple[float, float],
    country: str,
) -> Event:
    first = network.edges.iloc[portions[0][0]]
    lengths_km = network.edges["length_m"].to_numpy() / 1000
    lines = [
        shapely.ops.substring(network.edges.geometry.iat[row], low, high, normalized=True)
        for row, low, high in portions
    ]
    return Event(
        event_id="", candidate_id=candidate.candidate_id, kind=EventKind.POSSIBLY_SHARED, separation=Separation.NONE,
        road_class=first["class"], road_ref=first["ref"], road_name=first["name"], country=country,
        chainage_km=ends_km[0], to_chainage_km=ends_km[1], distance_m=0.0,
        length_km=float(sum(lengths_km[row] * (high - low) for row, low, high in portions)),
        edges=tuple(dict.fromkeys(row for row, _, _ in portions)), structure=None, cause=Cause.SCHEMATIC_LINE,
        geometry=shapely.MultiLineString(lines), portions=portions, is_open=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Run:
    """Samples of a part beside roads: from and to along the part in metres, rows and mean distance."""

    from_m: float
    to_m: float
    rows: tuple[int, ...]
    distance_m: float


def find_parallel(
    candidate: Candidate,
    network: Network,
    *,
    country: str | None = None,
    limit_m: float = 60.0,
    barriers: NDArray[np.object_] | None = None,
) -> list[Event]:
    """Stretches beside roads in use.

    Schematic parts run beside nothing: their place isn't known to that accuracy.

    Args:
        candidate: the route.
        network: roads and railways.
        country: only what lies there; everywhere if left out.
        limit_m: how far beside the route.
        barriers: planar lines across which nothing runs beside.
    """
    allowed = _roads_beside(candidate, network)
    found = []
    for part, offset in zip(candidate.parts, part_offsets_km(candidate), strict=True):
        if part.geometry_quality == GeometryQuality.SCHEMATIC or country not in {None, part.country}:
            continue
        for run in _runs(part, network, allowed, limit_m, barriers):
            found.append(_beside_event(candidate, part, network, run, offset))
    return found


def _roads_beside(candidate: Candidate, network: Network) -> NDArray[np.bool_]:
    allowed = network.is_road_in_use & network.is_in("section_id", "") & ~network.is_unfit
    allowed[own_rows(candidate, network)] = False
    return allowed


def _runs(
    part: Part, network: Network, allowed: NDArray[np.bool_], limit_m: float, barriers: NDArray[np.object_] | None
) -> list[_Run]:
    line = project(part.line, WGS84, network.crs)
    near = network.rows_near(line, limit_m, part.country)
    near = near[allowed[near]]
    if len(near) == 0 or line.length < MIN_RUN_M:
        return []
    xy, owner = shapely.get_coordinates(network.planar[near], return_index=True)
    # Vertices of all roads lie in one array: a step from one road to the next is no segment.
    joined = owner[:-1] == owner[1:]
    starts, ends, of = xy[:-1][joined], xy[1:][joined], near[owner[:-1][joined]]
    segments = shapely.linestrings(np.stack([starts, ends], axis=1))
    along: Floats = (np.arange(int(line.length // _STEP_M), dtype=np.float64) + 0.5) * _STEP_M
    points = shapely.points(_at(line, along))
    # The route's course over the step about each sample.
    course = np.arctan2(*(_at(line, along + _STEP_M / 2) - _at(line, along - _STEP_M / 2)).T)
    tree = shapely.STRtree(segments)
    sample, segment = tree.query(points, predicate="dwithin", distance=limit_m)
    heading = np.arctan2(*(ends - starts).T)
    # Folded to 0 to 90 degrees: a road is parallel whichever way it is drawn.
    turn = np.abs((np.degrees(course[sample] - heading[segment]) + 90) % 180 - 90)
    keep = turn <= PARALLEL_DEG
    keep &= _abreast(points[sample], segments[segment], course[sample], turn)
    if barriers is not None and len(barriers):
        keep &= ~_parted(points[sample], segments[segment], barriers)
    sample, segment = sample[keep], segment[keep]
    gap: Floats = shapely.distance(points[sample], segments[segment])
    return _gather(along, sample, of[segment], gap)


def _at(line: shapely.LineString, along: Floats) -> Floats:
    """Points (n, 2) along a planar line, all at once: shapely walks the line from its start for each."""
    xy = shapely.get_coordinates(line)
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return np.column_stack([np.interp(along, reached, xy[:, 0]), np.interp(along, reached, xy[:, 1])])


def _abreast(
    points: NDArray[np.object_], segments: NDArray[np.object_], course: Floats, turn_deg: Floats
) -> NDArray[np.bool_]:
    """Whether a road is to the side of a point rather than ahead of it or behind: its ends don't count from afar."""
    across = shapely.get_coordinates(shapely.shortest_line(points, segments)).reshape(-1, 2, 2)
    east, north = (across[:, 1] - across[:, 0]).T
    ahead = np.abs(east * np.sin(course) + north * np.cos(course))
    return np.asarray(ahead <= (np.sin(np.radians(turn_deg)) + _AHEAD) * np.hypot(east, north) + _STEP_M / 2)


def _parted(
    points: NDArray[np.object_], segments: NDArray[np.object_], barriers: NDArray[np.object_]
) -> NDArray[np.bool_]:
    between = shapely.shortest_line(points, segments)
    parted = np.zeros(len(points), dtype=bool)
    parted[np.unique(shapely.STRtree(barriers).query(between, predicate="intersects")[0])] = True
    return parted


def _gather(
    along: NDArray[np.float64], sample: NDArray[np.int64], row: NDArray[np.int64], gap: NDArray[np.float64]
) -> list[_Run]:
    """Samples in a row with a road beside them, as runs of 200 m or more."""
    # Samples with a road beside them; a gap in their numbers ends a run.
    beside = np.unique(sample)
    runs = []
    for run in np.split(beside, np.flatnonzero(np.diff(beside) > 1) + 1):
        if len(run) * _STEP_M < MIN_RUN_M:
            continue
        inside = (sample >= run[0]) & (sample <= run[-1])
        # Several segments lie near one sample: the nearest one counts.
        nearest = np.full(len(run), np.inf)
        np.minimum.at(nearest, sample[inside] - run[0], gap[inside])
        rows = tuple(np.unique(row[inside]).tolist())
        runs.append(_Run(along[run[0]] - _STEP_M / 2, along[run[-1]] + _STEP_M / 2, rows, float(nearest.mean())))
    return runs


def _beside_event(candidate: Candidate, part: Part, network: Network, run: _Run, offset: float) -> Event:
    longest = run.rows[int(np.argmax(network.column("length_m")[list(run.rows)]))]
    lead = {name: network.column(name)[longest] for name in ("class", "ref", "name")}
    scale = part.drawn_km / project(part.line, WGS84, network.crs).length
    low, high = run.from_m * scale, min(run.to_m * scale, part.drawn_km)
    return Event(
        event_id="", candidate_id=candidate.candidate_id, kind=EventKind.PARALLEL, separation=Separation.NONE,
        road_class=lead["class"], road_ref=lead["ref"], road_name=lead["name"], country=part.country,
        chainage_km=offset + low, to_chainage_km=offset + high, distance_m=run.distance_m, length_km=high - low,
        edges=run.rows, structure=None, cause=Cause.RUNS_PARALLEL,
        geometry=substring(part.line, low * 1000, high * 1000),
    )  # fmt: skip
