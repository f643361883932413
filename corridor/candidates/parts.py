"""Parts of candidates from sections and from routes over the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from corridor.errors import StudyError
from corridor.geo.geodesy import join, line_lengths_m, locate_m, substring
from corridor.io.read.border_delays import passed_at
from corridor.io.read.catalogue import Catalogue
from corridor.network.alternatives import QuickerWay, route_minutes
from corridor.network.conflation import Conflation, exceeding, truck_exceeds
from corridor.network.driving_times import Driving, TimeSpread
from corridor.network.graph import Network, Route
from corridor.network.jurisdiction import find_crossing
from corridor.network.map_matching import Match, part_lengths_km, route_spans
from corridor.schema.candidate import BorderPassage, Candidate, Part, Span
from corridor.schema.catalogue import ZERO, Crossing, Estimate, Section, SectionWorks
from corridor.schema.message import ListStyle, Message, Value, country_message, listing
from corridor.schema.study import CandidateSpec
from corridor.schema.vocabulary import (
    CrossingStatus,
    Evidence,
    GeometryQuality,
    Mode,
    SectionStatus,
    StructureKind,
)
from corridor.wording import format_position

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NEAR_LINE_M = 5000.0
"""A documented structure farther from its section's line isn't placed on it. Declared."""


def minutes_estimate(minutes: float, spread: TimeSpread) -> Estimate:
    """Travel time with the ends of its interval."""
    return Estimate(minutes * spread.low, minutes, minutes * spread.high)


def section_part(
    section: Section, line: LineString, minutes: float, match: Match | None, reverse: bool, spread: TimeSpread
) -> Part:
    """A section as a part of a route.

    Args:
        section: the catalogue's row.
        line: in travelling direction.
        minutes: for the length that counts.
        match: where it lies on the network, None if it is only drawn.
        reverse: whether it is travelled from its end to its begin.
        spread: ends of the interval about ``minutes``.
    """
    drawn = float(line_lengths_m([line])[0]) / 1000
    length = section.length_km or Estimate.exact(drawn)
    # Structures are those of the map where the section was found there, and else the documented ones of known place.
    spans = (match.spans_reversed() if reverse else match.spans) if match else _documented_spans(section, line)
    mapped_tunnel, mapped_bridge = span_km(spans, StructureKind.TUNNEL), span_km(spans, StructureKind.BRIDGE)
    return Part(
        name=section.name,
        section_id=section.section_id,
        mode=section.mode,
        road_class=section.road_class,
        status=section.status,
        country=section.country,
        line=line,
        length_km=length,
        drawn_km=drawn,
        documented=section.length_km is not None,
        geometry_quality=GeometryQuality.OSM if match else section.geometry_quality,
        minutes=minutes_estimate(minutes, spread),
        tunnel_km=mapped_tunnel if section.tunnel_km is None else section.tunnel_km,
        bridge_km=mapped_bridge if section.bridge_km is None else section.bridge_km,
        max_grade_pct=section.max_grade_pct,
        spans=spans,
        source_ids=section.source_ids,
        edges=(match.route.reversed() if reverse else match.route).edges if match else (),
        over_limit_km=length.mid if section.mode == Mode.ROAD and truck_exceeds(section.limit) else 0.0,
        documented_works=section.works,
        on_old_formation=section.follows_osm,
        not_quoted=frozenset() if match else _not_quoted(section),
    )


def untimed(candidate: Candidate) -> Candidate:
    """A candidate by where it lies: without minutes of its parts and of waiting at borders.

    Args:
        candidate: the route.
    """

    def still(part: Part) -> Part:
        return replace(part, minutes=ZERO, follows=still(part.follows) if part.follows else None)

    passages = tuple(replace(passage, delay_min=None, sides=()) for passage in candidate.passages)
    parts, members = tuple(map(still, candidate.parts)), tuple(map(untimed, candidate.members))
    return replace(candidate, parts=parts, passages=passages, members=members)


def with_followed(candidate: Candidate, catalogue: Catalogue, conflation: Conflation) -> Candidate:
    """A candidate whose parts know the stretches that documents say they have the crossings of.

    Args:
        candidate: the route.
        catalogue: sections.
        conflation: where sections lie on the network.

    Returns:
        The same route; it says of each such part whose crossings it has, and by which source.
    """
    sections = catalogue.sections
    following = {
        part.section_id: sections[part.section_id]
        for part in candidate.parts
        if part.section_id in sections and sections[part.section_id].crossings_follow
    }
    if not following:
        return candidate
    parts = [
        _following(part, following[part.section_id], catalogue, conflation) if part.section_id in following else part
        for part in candidate.parts
    ]
    said = tuple(
        Message(
            "assumption.crossings_follow",
            {
                "name": section.name,
                "followed": sections[section.crossings_follow].name,
                "sources": listing(section.crossings_follow_source_ids),
            },
        )
        for section in following.values()
    )
    return replace(candidate, parts=tuple(parts), assumptions=(*candidate.assumptions, *said))


def _following(part: Part, section: Section, catalogue: Catalogue, conflation: Conflation) -> Part:
    """A part with the stretch of the followed section that lies between its own ends."""
    followed = catalogue.section(section.crossings_follow, f"section '{section.section_id}': crossings_follow")
    match = conflation.matches.get(followed.section_id)
    line = match.line if match else followed.line
    # The followed section may be longer, and may be drawn the other way: its stretch is the one beside this part's
    # ends.
    start_m, end_m = (locate_m(line, *part.line.coords[index][:2])[0] for index in (0, -1))
    reverse = end_m < start_m
    whole = section_part(
        followed, line.reverse() if reverse else line, part.minutes.mid, match, reverse, TimeSpread(1.0, 1.0)
    )
    ends_km = (start_m / 1000, end_m / 1000)
    if reverse:
        ends_km = (whole.drawn_km - ends_km[0], whole.drawn_km - ends_km[1])
    # whose bed is a road today is a matter of the section itself
    stretch = replace(_cut(whole, *ends_km, conflation.network), documented_works=section.works)
    cited = tuple(dict.fromkeys((*part.source_ids, *section.crossings_follow_source_ids)))
    return replace(part, follows=stretch, source_ids=cited)


def _cut(part: Part, from_km: float, to_km: float, network: Network) -> Part:
    """What of a part lies between two chainages: its line, the edges that it runs over, and its structures."""
    line = substring(part.line, from_km * 1000, to_km * 1000)
    lengths = network.edges["length_m"].to_numpy()[list(part.edges)] / 1000
    # The drawn line and the edges are measured on different vertices: the edges are stretched to the drawn length, so
    # that both end together.
    ends = np.cumsum(lengths) * (part.drawn_km / lengths.sum() if len(lengths) else 1.0)
    begins = np.concatenate([[0.0], ends[:-1]]) if len(ends) else ends
    inside = (ends > from_km) & (begins < to_km)
    spans = tuple(
        replace(span, from_km=max(span.from_km, from_km) - from_km, to_km=min(span.to_km, to_km) - from_km)
        for span in part.spans
        if span.to_km > from_km and span.from_km < to_km
    )
    return replace(
        part,
        line=line,
        drawn_km=float(line_lengths_m([line])[0]) / 1000,
        edges=tuple(edge for edge, kept in zip(part.edges, inside, strict=True) if kept),
        spans=spans,
    )


def _not_quoted(section: Section) -> frozenset[StructureKind]:
    """Kinds of structures of a schematic section of which no document gives the length."""
    if section.geometry_quality != GeometryQuality.SCHEMATIC:
        return frozenset()
    stated = {StructureKind.TUNNEL: section.tunnel_km, StructureKind.BRIDGE: section.bridge_km}
    return frozenset(kind for kind, km in stated.items() if km is None)


def span_km(spans: Iterable[Span], kind: str) -> float:
    """Kilometres of the spans of one kind of structures.

    Args:
        spans: tunnels and bridges.
        kind: those that count.

    Returns:
        Their sum.
    """
    return sum(span.to_km - span.from_km for span in spans if span.kind == kind)


def _documented_spans(section: Section, line: LineString) -> tuple[Span, ...]:
    """Structures of known place and length, on the schematic line."""
    found = []
    total = float(line_lengths_m([line])[0]) / 1000
    for structure in section.standing_structures:
        if structure.length_km is None or structure.lon is None or structure.lat is None:
            continue
        middle, off = locate_m(line, structure.lon, structure.lat)
        if off > _NEAR_LINE_M:
            continue
        half = structure.length_km / 2
        kind = StructureKind.BRIDGE if structure.kind == StructureKind.BRIDGE else StructureKind.TUNNEL
        low, high = max(middle / 1000 - half, 0.0), min(middle / 1000 + half, total)
        found.append(Span(kind, low, high, structure.name, Evidence.DOCUMENTED))
    return tuple(sorted(found, key=lambda span: span.from_km))


def route_parts(
    network: Network,
    route: Route,
    documented_grade_pct: Mapping[int, float],
    sections: Mapping[str, Section],
    driving: Driving,
) -> list[Part]:
    """Parts of a route over the network: one for each run of edges of like class, country and road number.

    ``documented_grade_pct`` gives the steepest documented grade of edges that a catalogue section runs over. Edges
    that are a section of ``sections`` keep what is documented of it: length, tunnels, bridges and sources. ``driving``
    gives the interval of times.

    Args:
        network: roads and railways.
        route: a way over the network.
        documented_grade_pct: by edge.
        sections: of the catalogue, by id.
        driving: gives the interval of times.
    """
    # What a reader would call one road: a change of class, status, country or number begins a new part.
    edges = network.edges.iloc[list(route.edges)]
    lengths = part_lengths_km(network, route)
    grades = np.array([documented_grade_pct.get(edge, np.nan) for edge in route.edges])
    key = (
        edges["class"] + "|" + edges["status"] + "|" + edges["country"] + "|" + edges["ref"] + "|" + edges["section_id"]
    ).to_numpy()
    # A documented grade holds for its own edges, so it begins a new part. It is compared as text, as NaN never equals
    # NaN.
    key = key + "|" + grades.astype(str)
    # Edges at borders and edges of no length are passed, but are no ground of any part.
    real = np.flatnonzero((lengths > 0) & ~network.is_border[list(route.edges)])
    runs = np.split(real, np.flatnonzero(key[real][1:] != key[real][:-1]) + 1) if len(real) else []
    parts = []
    for run in runs:
        part = _run_part(network, route, run, lengths, grades, driving)
        section = sections.get(part.section_id)
        # A route may begin or end inside a section: documented lengths count by the share that is travelled.
        whole_km = float(edges["length_m"].to_numpy()[run].sum()) / 1000
        parts.append(_documented(part, section, part.length_km.mid / whole_km) if section else part)
    return parts


def _documented(part: Part, section: Section, share: float) -> Part:
    """A part that runs over a share (0-1) of a section, with what is documented of the section in place."""
    return replace(
        part,
        length_km=section.length_km.scaled(share) if section.length_km else part.length_km,
        documented=section.length_km is not None,
        geometry_quality=section.geometry_quality,
        tunnel_km=part.tunnel_km if section.tunnel_km is None else section.tunnel_km * share,
        bridge_km=part.bridge_km if section.bridge_km is None else section.bridge_km * share,
        spans=_documented_spans(section, part.line),
        source_ids=section.source_ids,
        documented_works=_share_of_works(section, share),
        not_quoted=_not_quoted(section),
    )


def _share_of_works(section: Section, share: float) -> SectionWorks:
    """Works on a share (0-1) of a section."""
    bed = section.works.road_on_bed_km
    return replace(section.works, road_on_bed_km=bed.scaled(share)) if bed else section.works


def _run_part(network: Network, route: Route, run: Ints, lengths: Floats, grades_pct: Floats, driving: Driving) -> Part:
    rows = [route.edges[i] for i in run]
    first = {
        name: network.column(name)[rows[0]]
        for name in ("name", "ref", "class", "section_id", "mode", "status", "country")
    }
    lines = [network.part(route, int(i)) for i in run]
    line = join(lines)
    # Only the first and the last run may begin or end inside an edge; between them edges are taken whole.
    piece = Route(
        tuple(route.edges[i] for i in run), tuple(route.forward[i] for i in run),
        route.first if run[0] == 0 else (0.0 if route.forward[run[0]] else 1.0),
        route.last if run[-1] == len(route.edges) - 1 else (1.0 if route.forward[run[-1]] else 0.0), 0.0,
    )  # fmt: skip
    length = float(lengths[run].sum())
    spans = route_spans(network, piece, lengths[run])
    return Part(
        name=str(first["name"] or first["ref"] or first["class"]),
        section_id=str(first["section_id"]),
        mode=first["mode"],
        road_class=str(first["class"]),
        status=first["status"],
        country=str(first["country"]),
        line=line,
        length_km=Estimate.exact(length),
        drawn_km=float(line_lengths_m([line])[0]) / 1000,
        documented=False,
        geometry_quality=GeometryQuality.OSM,
        minutes=minutes_estimate(route_minutes(network, piece), driving.spread(first["mode"], piece.edges)),
        tunnel_km=span_km(spans, StructureKind.TUNNEL),
        bridge_km=span_km(spans, StructureKind.BRIDGE),
        max_grade_pct=None if np.isnan(grades_pct[run[0]]) else float(grades_pct[run[0]]),
        spans=spans,
        source_ids=("osm",),
        edges=piece.edges,
        over_limit_km=float(lengths[run][exceeding(network)[rows]].sum()),
    )


def border_passages(parts: Sequence[Part], catalogue: Catalogue) -> tuple[BorderPassage, ...]:
    """Where consecutive parts lie in different countries, with the listed crossing there, if any."""
    found = []
    for before, after in pairwise(parts):
        if before.country == after.country:
            continue
        at = shapely.get_point(before.line, -1)
        pair = frozenset((before.country, after.country))
        crossing = find_crossing(at.x, at.y, pair, after.mode, catalogue.crossings.values())
        passed, wait = passed_at(crossing, before.country, after.country, after.mode, catalogue.border_delays)
        found.append(
            BorderPassage(
                (before.country, after.country),
                at.x,
                at.y,
                crossing.crossing_id if crossing else "",
                crossing.status if crossing else CrossingStatus.UNLISTED,
                wait,
                after.mode,
                passed,
            )
        )
    return tuple(found)


def join_parts(
    spec: CandidateSpec,
    mode: Mode,
    parts: Sequence[Part],
    catalogue: Catalogue,
    assumptions: Sequence[Value],
    end_gaps_km: tuple[float, float],
    *,
    name: str = "",
    remarks: Sequence[Value] = (),
) -> Candidate:
    """The candidate that a study asks for, of parts from origin to destination; ``name`` instead of the study's.

    Args:
        spec: what the study asks for.
        mode: road or rail.
        parts: from origin to destination.
        catalogue: tables of the study's reference folder.
        assumptions: what is taken as open or built that isn't.
        end_gaps_km: how far the ends lie from the places asked for.
        name: instead of the study's.
        remarks: what was done to the line.
    """
    return Candidate(
        candidate_id=spec.id,
        name=name or spec.name,
        family=spec.family,
        mode=mode,
        comparator=spec.comparator,
        aliases=spec.aliases,
        note=spec.note,
        parts=tuple(parts),
        passages=border_passages(parts, catalogue),
        assumptions=tuple(assumptions),
        end_gaps_km=end_gaps_km,
        remarks=tuple(remarks),
    )


def require_assumptions(keys: Sequence[str], catalogue: Catalogue, asked_by: str) -> None:
    """Refuse assumptions about what the catalogue doesn't have.

    Args:
        keys: ids that are assumed open.
        catalogue: tables of the study's reference folder.
        asked_by: what to name in an error.

    Raises:
        StudyError: names the keys that are neither a section nor a crossing.
    """
    unknown = [key for key in keys if key not in catalogue.sections and key not in catalogue.crossings]
    if unknown:
        names = ", ".join(f"'{key}'" for key in unknown)
        raise StudyError(f"{asked_by}: assume_open: {names} is neither a section nor a crossing; correct it")


def documented_grades(catalogue: Catalogue, conflation: Conflation) -> dict[int, float]:
    """Steepest documented grade in per cent by edge, for edges that are a section or that one runs over."""
    by_section = {key: s.max_grade_pct for key, s in catalogue.sections.items() if s.max_grade_pct is not None}
    sections = conflation.network.column("section_id")
    # Sections that are edges themselves, then those found on mapped edges.
    own = np.flatnonzero(sections != "").tolist()
    grades = {edge: by_section[sections[edge]] for edge in own if sections[edge] in by_section}
    for key, match in conflation.matches.items():
        if key in by_section:
            grades |= dict.fromkeys(match.route.edges, by_section[key])
    return grades


def say_what_is_closed(candidate: Candidate, catalogue: Catalogue) -> Candidate:
    """A route with assumptions that name what of it isn't open: its stretches, and the borders that it passes.

    Args:
        candidate: the route.
        catalogue: its listed crossings.

    Returns:
        The same route.
    """
    closed = (*_say_closed_parts(candidate.parts), *_say_passages(candidate.passages, catalogue))
    return replace(candidate, assumptions=closed)


def say_unknown_waits(candidate: Candidate, catalogue: Catalogue, passed_over: Sequence[QuickerWay] = ()) -> Candidate:
    """A route found by its minutes, with assumptions that name the crossings where nobody knows what is waited.

    Args:
        candidate: the route.
        catalogue: its listed crossings.
        passed_over: ways that were not taken because nobody knows what is waited on them.

    Returns:
        The same route.
    """
    said: list[Value] = []
    for passage in candidate.passages:
        crossing = catalogue.crossings.get(passage.crossing_id)
        waits = known_directions(crossing) if crossing else ()
        if crossing and not waits:
            said.append(Message("assumption.unknown_wait", {"name": crossing.name}))
        elif crossing and len(waits) == 1:
            left, entered = map(country_message, waits[0])
            facts: dict[str, Value] = {"name": crossing.name, "left": left, "entered": entered}
            said.append(Message("assumption.half_known_wait", facts))
    for way in passed_over:
        names = (catalogue.crossings[key].name if key in catalogue.crossings else key for key in way.crossings)
        by: dict[str, Value] = {
            "names": listing(dict.fromkeys(names), ListStyle.AND),
            "minutes": f"{way.saved_min:.0f}",
        }
        said.append(Message("assumption.unknown_wait_passed_over", by))
    return replace(candidate, assumptions=(*candidate.assumptions, *said))


def known_directions(crossing: Crossing) -> tuple[tuple[str, str], ...]:
    """In which directions (country left, country entered) somebody knows what is waited at a crossing: 0 to 2 of them.

    Args:
        crossing: a listed one.
    """
    a, b = sorted(crossing.countries)
    return tuple(way for way in ((a, b), (b, a)) if crossing.wait_min(*way) is not None)


def _say_closed_parts(parts: Sequence[Part]) -> tuple[Value, ...]:
    """What of a route isn't open, each stretch once, with its length."""
    lengths: dict[tuple[str, str], float] = {}
    for part in parts:
        if part.status != SectionStatus.OPEN:
            key = (part.name, part.status)
            lengths[key] = lengths.get(key, 0.0) + part.length_km.mid
    return tuple(
        Message(
            "assumption.not_open",
            {"name": name, "status": Message(f"status.{status}", fallback=str(status)), "km": f"{km:.1f}"},
        )
        for (name, status), km in lengths.items()
    )


def _say_passages(passages: Sequence[BorderPassage], catalogue: Catalogue) -> tuple[Value, ...]:
    """The borders of a route that may not be passed today: at a listed crossing that isn't open, or at none."""
    said: list[Value] = []
    for passage in passages:
        if passage.status == CrossingStatus.UNLISTED:
            pair, at = listing(sorted(passage.countries), ListStyle.AND), format_position(passage.lat, passage.lon, 1)
            said.append(Message("assumption.unlisted_border", {"countries": pair, "at": at}))
        elif passage.status != CrossingStatus.OPEN:
            name = catalogue.crossings[passage.crossing_id].name
            status = Message(f"status.{passage.status}", fallback=str(passage.status))
            said.append(Message("assumption.crossing", {"name": name, "status": status}))
    return tuple(said)
