"""Candidates that are still to be designed: the cheapest line by a standard on the elevation model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.alignment.align import share_searches, solve_on_cells
from corridor.alignment.assembly import COARSE_M
from corridor.alignment.drawn import say_as_drawn
from corridor.alignment.links import SearchOptions
from corridor.alignment.problem import AlignmentProblem, find_standard, frame_terrain, unit_costs
from corridor.candidates.designed import SPANNED, Surroundings, countries_along, designed_part, designed_works
from corridor.candidates.parts import join_parts
from corridor.candidates.reference import (
    assumptions_of,
    chain_parts,
    end_gaps,
    orient_chain,
    sections_of_mode,
    survey_sections,
)
from corridor.errors import AlignmentError, StudyError
from corridor.geo.geodesy import WGS84, distance_m, project
from corridor.io.read.catalogue import Catalogue
from corridor.schema.alignment import Alignment, DesignStandard
from corridor.schema.candidate import Candidate, Part, Span
from corridor.schema.catalogue import Section
from corridor.schema.message import Message, Value
from corridor.schema.study import NewBuildCandidate
from corridor.schema.vocabulary import Evidence, GeometryQuality
from corridor.threads import map_parts_in_threads

Floats = NDArray[np.float64]
Point = tuple[float, float]

OPTIONS = SearchOptions()


@dataclass(frozen=True, slots=True)
class _Leg:
    """A stretch of new line between two points, for a candidate."""

    spec: NewBuildCandidate
    standard: DesignStandard
    start: Point
    end: Point
    words: str

    @property
    def asked_by(self) -> str:
        """Who asks for it, in an error."""
        return f"candidate '{self.spec.id}'"


@dataclass(frozen=True, slots=True)
class _Plan:
    """A candidate before its lines are found: sections that lead to them and on from them, and the legs between."""

    sections: tuple[Section, ...]
    first: tuple[Part, ...]
    legs: tuple[_Leg, ...]
    last: tuple[Part, ...]


def build_new_build_candidates(
    specs: Sequence[NewBuildCandidate], around: Surroundings, progress: Callable[[str], None]
) -> list[Candidate]:
    """Routes whose middle is a new line, found on the elevation model, split at borders.

    Lines between the same points share their ground, and what a search of one grade tells of stricter ones.

    Args:
        specs: what the study asks for.
        around: what the lines are laid into.
        progress: called with a few words about what is done.

    Returns:
        The candidates in the order of ``specs``.

    Raises:
        CatalogueError: a section isn't there.
        StudyError: a node or country isn't known, sections are of another mode or don't lead to the line's ends.
        AlignmentError: the standard isn't known or there is no way; names the candidate.
    """
    # Sections before and after are checked first, since a search takes long and the line must join them.
    plans = [_plan(spec, around) for spec in specs]
    legs = [leg for plan in plans for leg in plan.legs]
    lines = iter(_find_lines(legs, around, progress))
    candidates = []
    for spec, plan in zip(specs, plans, strict=True):
        parts, notes = list(plan.first), list[Value]()
        for leg in plan.legs:
            line = next(lines)
            parts += _parts(line, leg, around)
            notes += [*line.notes, *say_as_drawn(line, leg.standard)]
        parts += plan.last
        standard, asked_by = plan.legs[0].standard, plan.legs[0].asked_by
        assumptions = [Message("assumption.new_line", {"standard": standard.label}), *dict.fromkeys(notes)]
        first, last = parts[0].line.coords[0], parts[-1].line.coords[-1]
        ends = end_gaps(first, last, around.origin, around.destination, asked_by)
        said = [*assumptions, *assumptions_of(plan.sections)]
        candidates.append(join_parts(spec, standard.mode, parts, around.catalogue, said, ends))
    return candidates


def _plan(spec: NewBuildCandidate, around: Surroundings) -> _Plan:
    """What surrounds a candidate's new line, and between which points that runs."""
    catalogue, conflation = around.catalogue, around.conflation
    asked_by = f"candidate '{spec.id}'"
    try:
        standard = find_standard(spec.standard)
    except AlignmentError as fault:
        raise AlignmentError(f"{asked_by}: {fault}") from fault
    before = _leading(spec.before, spec.from_node, standard, catalogue, asked_by)
    after = _leading(spec.after, spec.to_node, standard, catalogue, asked_by, onward=True)
    slowed = around.dem if around.grade_effect else None
    known = catalogue.sections, conflation.matches, conflation.driving.model, slowed
    surveyed = [survey_sections(keys, *known) for keys in (spec.before, spec.after)]
    first = chain_parts(*before, catalogue, conflation, surveyed[0], asked_by) if spec.before else []
    last = chain_parts(*after, catalogue, conflation, surveyed[1], asked_by) if spec.after else []
    # The new line begins where the mapped sections end on the ground, which may be off the node by some hundred metres.
    stops = [
        _point(first[-1].line.coords[-1]) if first else _node(spec.from_node, catalogue, asked_by),
        *(_node(key, catalogue, asked_by) for key in spec.via),
        _point(last[0].line.coords[0]) if last else _node(spec.to_node, catalogue, asked_by),
    ]
    legs = (
        _Leg(spec, standard, start, end, f"{spec.name}: leg {number} of {len(stops) - 1}")
        for number, (start, end) in enumerate(pairwise(stops), 1)
    )
    return _Plan((*before[0], *after[0]), tuple(first), tuple(legs), tuple(last))


def _leading(
    keys: Sequence[str],
    node: str,
    standard: DesignStandard,
    catalogue: Catalogue,
    asked_by: str,
    onward: bool = False,
) -> tuple[list[Section], list[bool]]:
    """Sections that lead to a node, or on from it, and whether each is travelled backwards.

    Raises:
        StudyError: they don't begin or end there.
    """
    sections = sections_of_mode(keys, standard.mode, catalogue, asked_by)
    if not sections:
        return [], []
    turned = orient_chain(sections, asked_by, catalogue)
    section = sections[0 if onward else -1]
    # A single section has no neighbour to tell its direction by: the node that it must meet does.
    if len(sections) == 1:
        turned = [(section.to_node if onward else section.from_node) == node]
    backwards = turned[0 if onward else -1]
    met = section.to_node if backwards == onward else section.from_node
    if met != node:
        raise StudyError(
            f"{asked_by}: {'after' if onward else 'before'}: section '{section.section_id}' "
            f"{'begins' if onward else 'ends'} at '{met}', not at '{node}'"
        )
    return sections, turned


def _node(key: str, catalogue: Catalogue, asked_by: str) -> Point:
    if key not in catalogue.nodes:
        raise StudyError(f"{asked_by}: node '{key}' is not in nodes.csv")
    return catalogue.nodes[key].lon, catalogue.nodes[key].lat


def _point(position: Sequence[float]) -> Point:
    return position[0], position[1]


def _find_lines(legs: Sequence[_Leg], around: Surroundings, progress: Callable[[str], None]) -> list[Alignment]:
    """The cheapest line of each leg, found on all cores; its searches say in the leg's words how far they are."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, leg in enumerate(legs):
        groups.setdefault((leg.start, leg.end, leg.standard.mode, tuple(leg.spec.countries)), []).append(number)

    def framed(leg: _Leg, cell_m: float | None = None) -> AlignmentProblem:
        allowed = around.borders.inside(leg.spec.countries) if leg.spec.countries else None
        terrain, a, b = frame_terrain(
            around.dem, leg.start, leg.end, f"ends of {leg.spec.name}", allowed, cell_m=cell_m, lakes="shut"
        )
        costs = unit_costs(around.catalogue.unit_costs, leg.standard.mode)
        return AlignmentProblem(terrain, a, b, leg.standard, costs, OPTIONS)

    def begin(group: Sequence[int]) -> list[tuple[_Leg, AlignmentProblem]]:
        leg = legs[group[0]]
        lon, lat = zip(leg.start, leg.end, strict=True)
        around.dem.require(lon, lat, leg.asked_by)
        with _naming(leg):
            problem = framed(leg).watched(progress, leg.words)
        asked = share_searches([replace(problem, standard=legs[number].standard) for number in group])
        return [(legs[number], one) for number, one in zip(group, asked, strict=True)]

    def find(asked: tuple[_Leg, AlignmentProblem]) -> Alignment:
        leg, problem = asked
        progress(leg.words)
        with _naming(leg):
            return solve_on_cells(
                problem.watched(progress, leg.words), lambda cell_m: framed(leg, cell_m).watched(progress, leg.words)
            )

    # What is sought once, without a search that it shares, takes the longest and begins first.
    order = sorted(groups.values(), key=len)
    found = map_parts_in_threads(begin, find, order)
    lines = {
        number: line for group, of in zip(order, found, strict=True) for number, line in zip(group, of, strict=True)
    }
    return [lines[number] for number in range(len(legs))]


@contextmanager
def _naming(leg: _Leg) -> Iterator[None]:
    """Name the candidate in what a search raises."""
    try:
        yield
    except AlignmentError as fault:
        raise AlignmentError(f"{leg.asked_by}: {fault}") from fault


def _parts(line: Alignment, leg: _Leg, around: Surroundings) -> list[Part]:
    """The line as a part per country."""
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    lon_lat = shapely.get_coordinates(flat)
    # Projecting there and back moves ends by centimetres; parts must meet to the last digit.
    lon_lat[0], lon_lat[-1] = leg.start, leg.end
    along_m = np.concatenate([[0.0], np.cumsum(distance_m(*lon_lat[:-1].T, *lon_lat[1:].T))])
    country = countries_along(lon_lat, along_m, around.borders, leg.spec.countries)
    cuts = np.flatnonzero(country[1:] != country[:-1]) + 1
    bounds = [0, *cuts.tolist(), len(lon_lat) - 1]
    quality = GeometryQuality.SCHEMATIC if line.cell_m >= COARSE_M else GeometryQuality.DESIGNED
    parts = []
    for a, b in pairwise(bounds):
        own, low_m, high_m = slice(a, b + 1), line.chainage_m[a], line.chainage_m[b]
        part = designed_part(
            leg.spec.name, leg.standard, around, str(country[a]), shapely.LineString(lon_lat[own]),
            along_m[own], line.line[own, 2], _spans(line, along_m, a, b),
            designed_works(line.price, line.structures, low_m, high_m), quality,
        )  # fmt: skip
        parts.append(part)
    return parts


def _spans(line: Alignment, along_m: Floats, a: int, b: int) -> list[Span]:
    """Structures between two points of a line, by kilometres from the first of them."""
    low_m, high_m = line.chainage_m[a], line.chainage_m[b]
    spans = []
    for s in line.structures:
        if s.from_m < high_m and s.to_m > low_m and s.kind in SPANNED:
            # Structures have chainages on the plane, parts on the ellipsoid.
            at = np.interp([max(s.from_m, low_m), min(s.to_m, high_m)], line.chainage_m, along_m)
            first, last = ((float(v) - along_m[a]) / 1000 for v in at)
            spans.append(Span(SPANNED[s.kind], first, last, "", Evidence.DESIGNED))
    return spans
