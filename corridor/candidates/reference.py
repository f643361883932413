"""Candidates from the catalogue: sections joined in a chain, on the map where they are mapped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np
import shapely

from corridor.candidates.parts import join_parts, section_part
from corridor.errors import StudyError
from corridor.geo.geodesy import distance_m
from corridor.io.read.catalogue import Catalogue
from corridor.network.alternatives import route_minutes
from corridor.network.conflate_ways import build_physical, ways_of_sections
from corridor.network.conflation import Conflation
from corridor.network.driving_times import TRUCK, SurveyedEdges, lay_edges, survey_edges, time_edges
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Section
from corridor.schema.message import Message
from corridor.schema.parameters import DrivingModel
from corridor.schema.study import Place, ReferenceCandidate
from corridor.schema.vocabulary import Mode, SectionStatus
from corridor.terrain.surface import Dem

GAP_LIMIT_M = 100.0
"""Sections that end farther apart than this make no route. Declared."""
END_LIMIT_KM = 5.0
"""Farthest that a route may end from the study's places. Declared."""


def build_reference_candidate(
    spec: ReferenceCandidate,
    catalogue: Catalogue,
    conflation: Conflation,
    surveyed: SurveyedEdges | None,
    origin: Place,
    destination: Place,
) -> Candidate:
    """One continuous route from a chain of sections, each turned as the chain needs it.

    Args:
        spec: the chain.
        catalogue: its sections.
        conflation: the network, and where sections lie on it.
        surveyed: the sections of the chain, from :func:`survey_sections`.
        origin: where the route begins.
        destination: where it ends.

    Raises:
        CatalogueError: the chain names a section that isn't there.
        StudyError: sections don't meet (names both), are of another mode, leave a gap of over 100 m, or the chain
            ends more than 5 km from the origin or the destination.
    """
    asked_by = f"candidate '{spec.id}'"
    sections = sections_of_mode(spec.sections, spec.mode, catalogue, asked_by)
    parts = chain_parts(
        sections, orient_chain(sections, asked_by, catalogue), catalogue, conflation, surveyed, asked_by
    )
    ends = end_gaps(parts[0].line.coords[0], parts[-1].line.coords[-1], origin, destination, asked_by)
    return join_parts(spec, spec.mode, parts, catalogue, assumptions_of(sections), ends)


def sections_of_mode(keys: Sequence[str], mode: str, catalogue: Catalogue, asked_by: str) -> list[Section]:
    """Sections by id, all of one mode.

    Args:
        keys: ids of the sections.
        mode: road or rail.
        catalogue: tables of the study's reference folder.
        asked_by: what to name in an error.

    Raises:
        CatalogueError: one isn't there.
        StudyError: some are of another mode.
    """
    sections = [catalogue.section(key, asked_by) for key in keys]
    wrong = [section.section_id for section in sections if section.mode != mode]
    if wrong:
        raise StudyError(f"{asked_by}: sections of another mode than {mode}: {', '.join(wrong)}")
    return sections


def assumptions_of(sections: Sequence[Section]) -> tuple[Message, ...]:
    """What of a chain is taken as open or built that isn't."""
    return tuple(
        Message("assumption.section", {"name": s.name, "status": Message(f"status.{s.status}", fallback=s.status)})
        for s in sections
        if s.status != SectionStatus.OPEN
    )


def chain_parts(
    sections: Sequence[Section],
    turned: Sequence[bool],
    catalogue: Catalogue,
    conflation: Conflation,
    surveyed: SurveyedEdges | None,
    asked_by: str,
) -> list[Part]:
    """A part for each section of a chain, in travelling direction.

    Args:
        sections: of the chain, in order.
        turned: whether each is travelled from its end.
        catalogue: tables of the study's reference folder.
        conflation: the network, and where sections lie on it.
        surveyed: grades and bends of those that are drawn.
        asked_by: what to name in an error.

    Raises:
        StudyError: two leave a gap of over 100 m.
    """
    # Lines and minutes are worked out for the section as it is drawn, and turned with it.
    lines = _ground(sections, conflation)
    minutes = section_minutes(sections, catalogue, conflation, surveyed)
    parts = []
    for section, reverse in zip(sections, turned, strict=True):
        line = lines[section.section_id]
        match = conflation.matches.get(section.section_id)
        along, against = minutes[section.section_id]
        parts.append(
            section_part(
                section,
                line.reverse() if reverse else line,
                against if reverse else along,
                match,
                reverse,
                conflation.driving.spread(section.mode, match.route.edges if match else None),
            )
        )
    _require_continuous(parts, sections, asked_by)
    return parts


def orient_chain(sections: Sequence[Section], asked_by: str, catalogue: Catalogue) -> list[bool]:
    """Whether each section is travelled from its end to its beginning.

    Args:
        sections: of the chain, in order.
        asked_by: what to name in an error.
        catalogue: tables of the study's reference folder.

    Raises:
        StudyError: two neighbours share no node (names the two), or the chain passes a section or a node twice.
    """
    names = [section.section_id for section in sections]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(f"{asked_by}: section '{twice[0]}' stands twice in its chain; a route passes each once")
    turned: list[bool] = []
    for before, after in pairwise(sections):
        ends = {before.from_node, before.to_node}
        shared = ends & {after.from_node, after.to_node}
        # From the second section on the direction is known: the chain goes on from where the one before ends.
        if turned:
            here = before.from_node if turned[-1] else before.to_node
            shared &= {here}
        if not shared:
            raise StudyError(
                f"{asked_by}: gap between sections '{before.section_id}' and '{after.section_id}': they share no node; "
                f"put the missing section between them"
            )
        # Two sections may share both nodes: the first by name, the same in every run.
        node = sorted(shared)[0]
        if not turned:
            turned.append(before.from_node == node and before.to_node != node)
        turned.append(after.to_node == node)
    turned = turned or [False]
    # Every section adds the node that it leads to; the first node of all is added by itself.
    passed = [s.from_node if back else s.to_node for s, back in zip(sections, turned, strict=True)]
    passed.append(sections[0].to_node if turned[0] else sections[0].from_node)
    again = sorted({node for node in passed if passed.count(node) > 1})
    if again:
        raise StudyError(f"{asked_by}: its chain passes node '{again[0]}' twice; take the loop out")
    return turned


def _ground(sections: Sequence[Section], conflation: Conflation) -> dict[str, shapely.LineString]:
    """The line of each section: mapped where matched, else schematic with its ends moved to mapped neighbours."""
    at: dict[str, tuple[float, float]] = {}
    for section in sections:
        match = conflation.matches.get(section.section_id)
        if match:
            at[section.from_node], at[section.to_node] = match.line.coords[0], match.line.coords[-1]
    lines = {}
    for section in sections:
        match = conflation.matches.get(section.section_id)
        if match:
            lines[section.section_id] = match.line
            continue
        xy = shapely.get_coordinates(section.line)
        # A schematic line begins and ends where its mapped neighbours do, else the chain would have gaps.
        xy[0], xy[-1] = at.get(section.from_node, xy[0]), at.get(section.to_node, xy[-1])
        lines[section.section_id] = shapely.LineString(xy)
    return lines


def survey_sections(
    keys: Sequence[str],
    sections: Mapping[str, Section],
    matches: Collection[str],
    model: DrivingModel,
    dem: Dem | None,
) -> SurveyedEdges | None:
    """Grades and bends of the drawn lines of a chain of sections; None where all of them lie on the map.

    Args:
        keys: of the chain's sections; those that aren't there are left out.
        sections: of the catalogue, by id; their speeds don't matter.
        matches: ids of those that were found on the map.
        model: the rows that roads are surveyed with.
        dem: the elevation model that slows climbs; None leaves all roads level.
    """
    chain = [sections[key] for key in keys if key in sections]
    if all(section.section_id in matches for section in chain):
        return None
    drawn = build_physical(ways_of_sections(chain))
    courses = lay_edges(drawn.edges, len(drawn.node_lon), model.parameters, dem, sections)
    return SurveyedEdges(drawn.edges, survey_edges(drawn.edges, courses, model, {}, sections))


def section_minutes(
    sections: Sequence[Section], catalogue: Catalogue, conflation: Conflation, surveyed: SurveyedEdges | None
) -> dict[str, tuple[float, float]]:
    """Minutes along and against each section, without border checks, for the documented length where there is one.

    On the map they are the sum over its edges, scaled to the documented length; else those of the drawn line, as on the
    network.

    Args:
        sections: whose minutes are wanted.
        catalogue: tables of the study's reference folder.
        conflation: the network, and where sections lie on it.
        surveyed: grades and bends of those that are drawn.
    """
    found: dict[str, tuple[float, float]] = {}
    if surveyed is not None:
        edges = surveyed.edges
        times = time_edges(surveyed, conflation.driving.model, {}, catalogue.sections)
        # The fit is of road journeys: railways keep their own times.
        fitted = np.where(edges["mode"] == Mode.ROAD, conflation.driving.factor_of(TRUCK), 1.0)
        along, against = (way * fitted for way in times.minutes[TRUCK])
        found = dict(zip(edges["section_id"], zip(along, against, strict=True), strict=True))
    for section in sections:
        match = conflation.matches.get(section.section_id)
        if match is None:
            continue
        # Times of the mapped way go with its length, so they are stretched to the documented one.
        scale = section.length_km.mid / match.length_km if section.length_km else 1.0
        network = conflation.network
        found[section.section_id] = (
            scale * route_minutes(network, match.route),
            scale * route_minutes(network, match.route.reversed()),
        )
    return found


def _require_continuous(parts: Sequence[Part], sections: Sequence[Section], asked_by: str) -> None:
    for (before, after), (left, right) in zip(pairwise(parts), pairwise(sections), strict=True):
        gap = float(distance_m(*before.line.coords[-1], *after.line.coords[0]))
        if gap > GAP_LIMIT_M:
            raise StudyError(
                f"{asked_by}: gap of {gap:.0f} m between sections '{left.section_id}' and '{right.section_id}'; "
                f"make their lines meet in the catalogue"
            )


def end_gaps(
    first: tuple[float, ...], last: tuple[float, ...], origin: Place, destination: Place, asked_by: str
) -> tuple[float, float]:
    """How far a route's ends lie from the places asked for, in km.

    Args:
        first: lon and lat of the route's beginning.
        last: of its end.
        origin: where it should begin.
        destination: where it should end.
        asked_by: what to name in an error.

    Raises:
        StudyError: more than 5 km.
    """
    gaps = []
    for place, end in ((origin, first), (destination, last)):
        gap = float(distance_m(place.lon, place.lat, end[0], end[1])) / 1000
        if gap > END_LIMIT_KM:
            raise StudyError(
                f"{asked_by}: its sections end {gap:.1f} km from {place.name}, the limit is {END_LIMIT_KM:g} km; "
                f"add the section that leads there"
            )
        gaps.append(gap)
    return gaps[0], gaps[1]
