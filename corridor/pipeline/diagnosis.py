"""What a study's data is worth before anything is computed with it, and computed lengths beside documented ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.candidates.parts import known_directions
from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, project
from corridor.io.read.elevation import LEAST_KNOWN, remark_on_heights
from corridor.io.read.inputs import known_heights
from corridor.io.read.places import Places
from corridor.mcda.robustness import silent_criteria
from corridor.metrics.limits import DatedStatus, gap_message, old_statuses, status_note, stray_notes
from corridor.metrics.reach import check_crossings
from corridor.network.connectivity import Reachability
from corridor.network.driving_times import TimeFit
from corridor.network.graph import Network, Position
from corridor.network.map_matching import STATION_M, Match, measure_route, node_position
from corridor.network.paths import as_last_resort
from corridor.network.road_survey import PIN_LIMIT_M
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Progress, Run
from corridor.pipeline.steps import impacts, inputs, lines, ranking, results
from corridor.schema.catalogue import Crossing, Node
from corridor.schema.message import ListStyle, Message, Value, country_message, listing
from corridor.schema.study import Check, Study
from corridor.schema.vocabulary import CrossingStatus, Mode, SectionStatus

Table = tuple[str, list[str], list[list[str]]]
STATUSES_SHOWN = 6


@dataclass(frozen=True)
class Diagnosis:
    """Tables (title, columns, rows) as text, and remarks as messages; ``refusal`` is why no candidate can be built."""

    tables: tuple[Table, ...]
    remarks: tuple[Value, ...]
    refusal: NoRouteError | None = None


@dataclass(frozen=True)
class Checked:
    """A documented length range and what was computed; ``computed_km`` is None where there is no way.

    ``elsewhere`` names the places that the documented way passes and the routed one doesn't, with their distances.
    """

    name: str
    mode: str
    low_km: float
    high_km: float
    tolerance_pct: float
    computed_km: float | None
    verdict: str
    source: str
    elsewhere: str = ""


def diagnose(
    study: Study, osm: Path | None, dem: Sequence[Path], progress: Progress, today: str | None = None
) -> Diagnosis:
    """Read a study's data, build its network and say what was found and what is missing.

    Args:
        study: what would be compared.
        osm: an OpenStreetMap file instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        progress: called with a few words at the start of each step.
        today: ISO date that statuses are held against; the clock's if None.

    Raises:
        CorridorError: study or data can't be used; the message says what to mend.
    """
    run = open_run(study, osm=osm, dem=dem, progress=progress)
    if today is not None:
        run = run.replace(today=today)
    run[inputs.known_names]
    run[ranking.perspectives]
    run[inputs.data_sources]
    origin, destination = run[inputs.origin], run[inputs.destination]
    conflation, places, crossings = run[lines.conflation], run[inputs.places], run[lines.crossings_then]
    chosen = study.chosen_baseline
    remarks: list[Value] = [Message("remark.baseline", {"baseline": chosen.id, "name": chosen.name})]
    reach: Sequence[Reachability] = ()
    refusal: NoRouteError | None = None
    try:
        built = len(run[lines.candidates])
        remarks += [
            Message("remark.candidates", {"count": built, "origin": origin.name, "destination": destination.name})
        ]
        reach = run[lines.reach]
        remarks += run[lines.found_again]
        remarks += stray_notes(run[lines.candidates].values(), run[inputs.borders])
        if study.impact is not None:
            _require_measurable(run)
        remarks += _silent(run)
    except NoRouteError as fault:
        # what is closed, and why, is what somebody asks next: it is told before the refusal
        refusal = fault
    remarks += [_reach_remark(item, origin.name, destination.name, places) for item in reach]
    remarks += [
        Message("remark.schematic", {"section_id": key, "why": why})
        for key, why in sorted(conflation.schematic.items())
    ]
    remarks += [*conflation.contradictions, *conflation.joins]
    if run[inputs.osm] is not None:
        # Only a map can lack a crossing: without one the catalogue's sections are all the roads that there are.
        listed = {key: (c.lon, c.lat) for key, c in crossings.items() if _is_wanted(c, study)}
        remarks += check_crossings(conflation.network, listed, run[inputs.snap_limit_m])
    served = set(conflation.network.column("crossing_id")) - {""}
    remarks += _say_unknown_then([crossings[key] for key in sorted(served)], study.chosen_baseline.as_of)
    remarks += _say_waits([crossings[key] for key in sorted(served)])
    remarks += _missing(run)
    remarks += _would_gain(study, run)
    remarks += _say_heights(run)
    tables = [
        _data_table(study, run),
        _country_table(conflation.network),
        _border_table(conflation.network, crossings),
    ]
    if conflation.driving.fit is not None:
        tables.append(time_table(conflation.driving.fit))
    statuses, day = run[results.statuses], run[inputs.today]
    if old := old_statuses(statuses, day):
        tables.append(status_table(old, day))
    remarks += status_note(statuses, day)
    return Diagnosis(tuple(tables), tuple(remarks), refusal)


def _require_measurable(run: Run) -> None:
    """What a run would refuse after its candidates are built: regimes that apply to none, ways that aren't there.

    Raises:
        CorridorError: as the run would.
    """
    # To ask for a value is to compute it, with all that it would refuse; the values themselves are not needed here.
    checks, candidates = run["regime_check_hs"], run[lines.candidates]
    for candidate_id, regime_id in run[impacts.pairs]:
        for route in candidates[candidate_id].routes:
            checks[route.candidate_id, regime_id]
    for step in (impacts.access, impacts.ground, impacts.axes, impacts.stages):
        run[step]


def _silent(run: Run) -> list[Message]:
    """Criteria that tell no routes apart under any rules: everything is measured as a run would, and ranked."""
    found = silent_criteria(run[ranking.matrix])
    labels = {criterion.criterion_id: criterion.label for criterion in run[inputs.criteria]}
    return [Message("remark.silent_criterion", {"criterion": labels[key]}) for key in found]


def _say_heights(run: Run) -> list[Message]:
    """Documented heights that the elevation model or the roads disagree with."""
    # Two ways to disagree: with the ground at the place itself, and with the road that a height is said to lie on.
    heights, driving = run[inputs.heights], run[lines.conflation].driving
    found = remark_on_heights(run[inputs.dem], heights, run[inputs.driving_parameters].pin_remark_errors)
    beside = {height.height_id: height.section_id for height in heights if height.section_id}
    found += [
        Message(
            "remark.height_far",
            {"height_id": pin.pin_id, "limit_km": f"{PIN_LIMIT_M / 1000:g}", "section_id": beside[pin.pin_id]},
        )
        for pin in driving.edge_times.pins
        if pin.pin_id in beside and not np.isfinite(pin.distance_m)
    ]
    return found


def time_table(fit: TimeFit) -> Table:
    """Documented journeys beside computed ones: before the fit, after it, and foretold from the others."""
    # A journey's error without itself in the fit is what says how well others are foretold.
    left_out = {time.name: residual for time, residual in zip(fit.fitted, fit.residuals, strict=False)}
    rows = []
    for time in fit.times:
        span = f"{time.low_min:.0f}" if time.low_min == time.high_min else f"{time.low_min:.0f}-{time.high_min:.0f}"
        factor = fit.factor_of(time.vehicle)
        off = f"{np.expm1(left_out[time.name]):+.0%}" if time.name in left_out else "not fitted"
        rows.append(
            [
                time.name,
                time.vehicle,
                f"{time.length_km:.0f}",
                f"{span} or more" if time.at_least else span,
                f"{time.computed_min:.0f}",
                f"{time.computed_min * factor:.0f}",
                off,
                time.source_id,
            ]
        )
    columns = ["journey", "vehicle", "km", "documented min", "computed", "fitted", "off, left out", "source"]
    return (f"Driving times: computed times {fit.factor:.2f}", columns, rows)


def status_table(old: Sequence[DatedStatus], today: str) -> Table:
    """Statuses that are over a year old, those of one day and kind together.

    Args:
        old: the oldest first.
        today: ISO date that they are held against.

    Returns:
        The table.
    """
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in old:
        grouped.setdefault((one.as_of, one.kind, one.status), []).append(one.key)
    rows = []
    for (as_of, kind, status), keys in grouped.items():
        more = f" and {len(keys) - STATUSES_SHOWN} more" if len(keys) > STATUSES_SHOWN else ""
        rows.append([as_of, kind, status, str(len(keys)), ", ".join(keys[:STATUSES_SHOWN]) + more])
    return (f"Statuses over a year old on {today}", ["as of", "what", "status", "how many", "which"], rows)


def _reach_remark(item: Reachability, origin: str, destination: str, places: Places | None) -> Message:
    """Whether open roads of some countries join the study's ends, and the gaps in them."""
    countries: Value = listing(item.countries, ListStyle.COMMA) if item.countries else Message("limit.all_countries")
    if item.connected:
        return Message("remark.connected", {"countries": countries, "origin": origin, "destination": destination})
    if not item.gaps:
        return Message("remark.not_connected", {"countries": countries, "origin": origin, "destination": destination})
    gaps = listing(gap_message(gap, places) for gap in item.gaps)
    return Message(
        "remark.not_connected_gaps",
        {"countries": countries, "origin": origin, "destination": destination, "gaps": gaps},
    )


def _is_wanted(crossing: Crossing, study: Study) -> bool:
    """Whether a map of the study's area should show a road at a crossing."""
    west, south, east, north = study.area
    inside = west <= crossing.lon <= east and south <= crossing.lat <= north
    return inside and crossing.is_open and crossing.mode == Mode.ROAD


def _say_unknown_then(crossings: Sequence[Crossing], as_of: str) -> list[Message]:
    """Crossings of which no document says whether they were open at the baseline's date."""
    names = [crossing.name for crossing in crossings if crossing.status == CrossingStatus.UNKNOWN]
    if not names:
        return []
    facts: dict[str, Value] = {"count": len(names), "as_of": as_of, "names": listing(names, ListStyle.COMMA)}
    return [Message("remark.crossings_unknown_then", facts)]


def _say_waits(crossings: Sequence[Crossing]) -> list[Message]:
    """Crossings at which nobody knows the wait, or that of one direction alone."""
    known = [(crossing.name, known_directions(crossing)) for crossing in crossings]
    unknown = [name for name, ways in known if not ways]
    half = [_say_half_known(name, ways[0]) for name, ways in known if len(ways) == 1]
    found = []
    if unknown:
        names = listing(unknown, ListStyle.COMMA)
        found.append(Message("remark.unknown_waits", {"count": len(unknown), "names": names}))
    if half:
        found.append(Message("remark.half_known_waits", {"names": listing(half, ListStyle.COMMA)}))
    return found


def _say_half_known(name: str, way: tuple[str, str]) -> Message:
    left, entered = map(country_message, way)
    return Message("remark.half_known_wait", {"name": name, "left": left, "entered": entered})


def _missing(run: Run) -> list[Value]:
    osm = run[inputs.osm]
    found: list[Value] = []
    if osm is None:
        found.append(Message("remark.no_osm"))
    else:
        found += osm.remarks
    found += [*run[inputs.borders].remarks, *run[inputs.borders].overlaps]
    if run[inputs.shown_places] is None:
        found.append(Message("remark.no_places"))
    # Missing heights and heights that nothing vouches for are told apart: the first can be filled, the second only be
    # checked.
    holes = float(np.isnan(run[inputs.dem].heights_m).mean())
    if holes > 0:
        found.append(Message("remark.no_heights", {"share": f"{holes:.1%}"}))
    known = known_heights(run[inputs.catalogue].nodes, run[inputs.places])
    near = int(run[inputs.dem].covers(*zip(*[row[:2] for row in known], strict=True)).sum()) if known else 0
    if near < LEAST_KNOWN:
        found.append(Message("remark.unchecked_heights", {"count": near, "needed": LEAST_KNOWN}))
    return found


def _would_gain(study: Study, run: Run) -> list[Message]:
    """What the study leaves out, a line each, with what giving it would add."""
    own = study.crossings
    unconfirmed = [row.name for row in own if not row.confirmed]
    missing = {
        "borders": not study.sources.borders,
        "catalogue": study.sources.reference is None,
        "impact": study.impact is None,
        "long_distance": study.sources.long_distance is None,
        "perspectives": study.sources.perspectives is None and not study.perspectives,
        "checks": not study.checks,
        "times": not study.times,
    }
    found = [Message(f"remark.gain_{what}") for what, is_missing in missing.items() if is_missing]
    if unconfirmed:
        names = listing(unconfirmed, ListStyle.COMMA)
        found.insert(0, Message("remark.crossings_unconfirmed", {"count": len(unconfirmed), "names": names}))
    return found


def _data_table(study: Study, run: Run) -> Table:
    west, south, east, north = study.area
    # A sample of 3,600 points tells shares to a per cent, whatever the size of the rasters.
    grid = np.meshgrid(np.linspace(west, east, 60), np.linspace(south, north, 60))
    covered = float(np.isfinite(run[inputs.dem].sample(grid[0].ravel(), grid[1].ravel())).mean())
    # Ground on the line between two countries is no gap between them.
    shapes = run[inputs.borders].countries.geometry.to_numpy()
    held = [shapely.intersects_xy(shape, grid[0].ravel(), grid[1].ravel()) for shape in shapes]
    in_land = float(np.logical_or.reduce(held).mean()) if held else 0.0
    rows = [
        [s.title, s.file, s.date or "unknown", s.licence, _coverage(s.source_id, covered, in_land, run)]
        for s in run[inputs.data_sources]
    ]
    catalogue = run[inputs.catalogue]
    holds = f"{len(catalogue.sections)} sections, {len(catalogue.crossings)} border crossings"
    named = str(catalogue.folder.name) if study.sources.reference else "general values only"
    listed = ["Reference catalogue", named, study.as_of, f"{len(catalogue.sources)} sources"]
    return ("Data", ["what", "file", "date", "licence", "covers"], [*rows, [*listed, holds]])


def _coverage(source_id: str, dem: float, land: float, run: Run) -> str:
    places, osm = run[inputs.places], run[inputs.osm]
    if source_id == "elevation":
        return f"{dem:.0%} of the area; pixels of {run[inputs.dem].resolution_m:.0f} m"
    if source_id == "borders":
        return f"{land:.0%} of the area; {', '.join(run[inputs.borders].countries['country'])}"
    if source_id == "places" and places is not None:
        west, south, east, north = run[inputs.area]
        inside = places.frame["lon"].between(west, east) & places.frame["lat"].between(south, north)
        return f"{len(places.frame)} places, {int(inside.sum())} in the area"
    if osm is not None:
        return f"{len(osm.roads):,} roads, {len(osm.rails):,} railways, {len(osm.places):,} places"
    return ""


def _country_table(network: Network) -> Table:
    edges = network.edges[~network.is_border]
    grouped = edges.groupby(["country", "mode"])["length_m"].agg(["count", "sum"])
    rows = [
        [str(c) or "none", str(m), f"{int(r['count']):,}", f"{r['sum'] / 1000:,.0f}"]
        for (c, m), r in grouped.iterrows()
    ]
    return ("Network by country", ["country", "mode", "edges", "km"], rows)


def _border_table(network: Network, crossings: Mapping[str, Crossing]) -> Table:
    links = network.edges[network.is_border]
    rows = []
    for (border, mode), group in links.groupby(["border", "mode"]):
        listed = sorted({c for c in group["crossing_id"] if c})
        opened = sorted({crossings[c].name for c in listed if crossings[c].is_open})
        closed = int((group["status"] != SectionStatus.OPEN).sum())
        rows.append(
            [
                str(border),
                str(mode),
                str(len(group)),
                str(closed),
                ", ".join(listed) or "none",
                ", ".join(opened) or "none",
            ]
        )
    return ("Passages between countries", ["border", "mode", "found", "closed", "listed crossings found", "open"], rows)


def check_lengths(study: Study, osm: Path | None, progress: Progress) -> list[Checked]:
    """Ways as they are routed beside the documented ones that the study lists under ``checks``.

    The way taken is the quickest one for a truck (for railways the shortest, whatever its status), borders passable. It
    must be as long as documented, and pass where the documented one passes.

    Args:
        study: what lists the documented lengths.
        osm: an OpenStreetMap file instead of what the study names.
        progress: called with a few words at the start of each step.

    Raises:
        CorridorError: study or data can't be used; the message says what to mend.
    """
    run = open_run(study, osm=osm, progress=progress)
    run[inputs.known_names]
    network, nodes, mapped = run[lines.conflation].network, run[inputs.nodes], run[inputs.osm] is not None
    return [check_length(row, network, nodes, mapped=mapped) for row in study.checks]


def check_length(row: Check, network: Network, nodes: Mapping[str, Node], *, mapped: bool) -> Checked:
    """One documented length beside the computed one.

    Args:
        row: what a document says.
        network: where the way is looked for.
        nodes: of the catalogue, by id.
        mapped: whether the network has mapped ways, on which nodes are looked up by their kind.
    """
    low, high = row.low_km * (1 - row.tolerance_pct / 100), row.high_km * (1 + row.tolerance_pct / 100)
    figures = row.name, row.mode, row.low_km, row.high_km, row.tolerance_pct
    try:
        found = routed_way(row, network, nodes, mapped=mapped)
    except (NoRouteError, NetworkError):
        return Checked(*figures, None, "no way", row.source)
    # A length that fits by chance proves nothing: a way that passes elsewhere is told as such whatever its length.
    elsewhere = _passed_by(row, found.line, network, nodes)
    verdict = "elsewhere" if elsewhere else "agrees" if low <= found.length_km <= high else "differs"
    return Checked(*figures, found.length_km, verdict, row.source, elsewhere)


def routed_way(row: Check, network: Network, nodes: Mapping[str, Node], *, mapped: bool) -> Match:
    """The way that traffic takes between two catalogue nodes: its line and its length.

    Args:
        row: names the nodes.
        network: where the way is looked for.
        nodes: of the catalogue, by id.
        mapped: as for :func:`check_length`.

    Raises:
        NetworkError: a node has no way of the mode near it.
        NoRouteError: there is no way between them.
    """
    rail = row.mode == Mode.RAIL
    # Lengths are documented over borders that may be shut today, so passages between countries count as passable.
    passable = network.is_border & (network.edges["mode"] == row.mode).to_numpy()
    closed = network.closed(row.mode, any_status=rail) & ~passable
    if row.countries:
        closed |= network.closed(row.mode, any_status=True, countries=row.countries) & ~passable
    start, end = (_position(network, nodes[node], row.mode, closed, mapped) for node in (row.from_node, row.to_node))
    # Where a road passes a border that no crossing is listed for, no document counts a wait in either.
    unlisted = network.is_border & (network.column("crossing_id") == "")
    counted = as_last_resort(
        *(
            np.where(unlisted, 0.0, network.column("length_m" if rail else name))
            for name in ("minutes_forward", "minutes_backward")
        )
    )
    return measure_route(network, network.route(start, end, *counted, closed, turn_within_m=STATION_M))


def _passed_by(row: Check, line: shapely.LineString, network: Network, nodes: Mapping[str, Node]) -> str:
    """Places that the documented way passes and a line passes by, with their distances; '' if there are none."""
    way = project(line, WGS84, network.crs)
    gaps = {
        nodes[key].name: float(
            shapely.distance(way, project(shapely.Point(nodes[key].lon, nodes[key].lat), WGS84, network.crs))
        )
        for key in row.via
    }
    missed = [f"{gap / 1000:.1f} km from {name}" for name, gap in gaps.items() if gap > row.passes_within_km * 1000]
    return f"passes {', '.join(missed)}" if missed else ""


def _position(network: Network, node: Node, mode: str, closed: NDArray[np.bool_], mapped: bool) -> Position:
    if mapped:
        return node_position(network, node, mode)
    return network.snap(node.lon, node.lat, closed, limit_m=3000.0, what=f"node '{node.node_id}'")
