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
from corridor.candidates.parts import SPANNED, designed_works, join_parts, minutes_estimate, span_km
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
from corridor.io.read.borders import Borders
from corridor.io.read.catalogue import Catalogue
from corridor.network.conflation import Conflation
from corridor.network.driving_times import TRUCK, Driving
from corridor.network.speed_model import Pieces, class_speeds_kmh, driving_minutes
from corridor.schema.alignment import Alignment, DesignStandard
from corridor.schema.candidate import Candidate, Design, Part, Span
from corridor.schema.catalogue import Estimate, Section
from corridor.schema.message import Message, Value
from corridor.schema.study import NewBuildCandidate, Place
from corridor.schema.vocabulary import Evidence, GeometryQuality, Mode, SectionStatus, StructureKind
from corridor.terrain.surface import Dem
from corridor.threads import map_parts_in_threads

Floats = NDArray[np.float64]
Point = tuple[float, float]

OPTIONS = SearchOptions()
MIN_RUN_M = 250.0  # a shorter stretch in another country is the border's wobble, not a passage
CLASSES = {Mode.RAIL: "rail", Mode.ROAD: "trunk"}


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
    specs: Sequence[NewBuildCandidate],
    catalogue: Catalogue,
    borders: Borders,
    conflation: Conflation,
    dem: Dem,
    grade_effect: bool,
    origin: Place,
    destination: Place,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Candidate]:
    """Routes whose middle is a new line, found on the elevation model, split at borders.

    Lines between the same points share their ground, and what a search of one grade tells of stricter ones.

    Args:
        specs: what the study asks for.
        catalogue: tables of the study's reference folder.
        borders: whose ground is whose.
        conflation: the network, and where sections lie on it.
        dem: the elevation model.
        grade_effect: whether climbs slow traffic.
        origin: where the routes begin.
        destination: where they end.
        progress: called with a few words about what is done.

    Returns:
        The candidates in the order of ``specs``.

    Raises:
        CatalogueError: a section isn't there.
        StudyError: a node or country isn't known, sections are of another mode or don't lead to the line's ends.
        AlignmentError: the standard isn't known or there is no way; names the candidate.
    """
    # Sections before and after are checked first, since a search takes long and the line must join them.
    plans = [_plan(spec, catalogue, conflation, dem if grade_effect else None) for spec in specs]
    legs = [leg for plan in plans for leg in plan.legs]
    lines = iter(_find_lines(legs, catalogue, borders, dem, progress))
    candidates = []
    for spec, plan in zip(specs, plans, strict=True):
        parts, notes = list(plan.first), list[Value]()
        for leg in plan.legs:
            line = next(lines)
            parts += _parts(line, leg, catalogue, borders, conflation.driving, grade_effect)
            notes += [*line.notes, *say_as_drawn(line, leg.standard)]
        parts += plan.last
        standard = plan.legs[0].standard
        assumptions = [Message("assumption.new_line", {"standard": standard.label}), *dict.fromkeys(notes)]
        ends = end_gaps(parts[0].line.coords[0], parts[-1].line.coords[-1], origin, destination, plan.legs[0].asked_by)
        said = [*assumptions, *assumptions_of(plan.sections)]
        candidates.append(join_parts(spec, standard.mode, parts, catalogue, said, ends))
    return candidates


def _plan(spec: NewBuildCandidate, catalogue: Catalogue, conflation: Conflation, slowed: Dem | None) -> _Plan:
    """What surrounds a candidate's new line, and between which points that runs."""
    asked_by = f"candidate '{spec.id}'"
    try:
        standard = find_standard(spec.standard)
    except AlignmentError as fault:
        raise AlignmentError(f"{asked_by}: {fault}") from fault
    before = _leading(spec.before, spec.from_node, standard, catalogue, asked_by)
    after = _leading(spec.after, spec.to_node, standard, catalogue, asked_by, onward=True)
    around = catalogue.sections, conflation.matches, conflation.driving.model, slowed
    surveyed = [survey_sections(keys, *around) for keys in (spec.before, spec.after)]
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


def _find_lines(
    legs: Sequence[_Leg], catalogue: Catalogue, borders: Borders, dem: Dem, progress: Callable[[str], None]
) -> list[Alignment]:
    """The cheapest line of each leg, found on all cores; its searches say in the leg's words how far they are."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, leg in enumerate(legs):
        groups.setdefault((leg.start, leg.end, leg.standard.mode, tuple(leg.spec.countries)), []).append(number)

    def framed(leg: _Leg, cell_m: float | None = None) -> AlignmentProblem:
        allowed = borders.inside(leg.spec.countries) if leg.spec.countries else None
        terrain, a, b = frame_terrain(
            dem, leg.start, leg.end, f"ends of {leg.spec.name}", allowed, cell_m=cell_m, lakes="shut"
        )
        costs = unit_costs(catalogue.unit_costs, leg.standard.mode)
        return AlignmentProblem(terrain, a, b, leg.standard, costs, OPTIONS)

    def begin(group: Sequence[int]) -> list[tuple[_Leg, AlignmentProblem]]:
        leg = legs[group[0]]
        lon, lat = zip(leg.start, leg.end, strict=True)
        dem.require(lon, lat, leg.asked_by)
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


def _parts(
    line: Alignment, leg: _Leg, catalogue: Catalogue, borders: Borders, driving: Driving, grade_effect: bool
) -> list[Part]:
    """The line as a part per country."""
    spec = leg.spec
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    lon_lat = shapely.get_coordinates(flat)
    # Projecting there and back moves ends by centimetres; parts must meet to the last digit.
    lon_lat[0], lon_lat[-1] = leg.start, leg.end
    along_m = np.concatenate([[0.0], np.cumsum(distance_m(*lon_lat[:-1].T, *lon_lat[1:].T))])
    country = countries_along(lon_lat, along_m, borders, spec.countries)
    cuts = np.flatnonzero(country[1:] != country[:-1]) + 1
    bounds = [0, *cuts.tolist(), len(lon_lat) - 1]
    return [
        _part(line, spec, leg.standard, catalogue, driving, grade_effect, lon_lat, along_m, a, b, str(country[a]))
        for a, b in pairwise(bounds)
    ]


def countries_along(lon_lat: Floats, along_m: Floats, borders: Borders, passed: Sequence[str]) -> NDArray[np.object_]:
    """Country of each point; stretches in a country that isn't to be passed, or too short, go to the one before.

    Args:
        lon_lat: degrees, shape (n, 2).
        along_m: chainage, shape (n,).
        borders: whose ground is whose.
        passed: codes of the countries that the line may pass; any if empty.
    """
    country = borders.country_at(lon_lat[:, 0], lon_lat[:, 1])
    known = np.isin(country, passed) if passed else country != ""
    country[~known] = ""
    while True:
        # The shortest weak stretch is given away first, and runs are found anew: a longer one may gain enough from it
        # to stay.
        edges = np.concatenate([[0], np.flatnonzero(country[1:] != country[:-1]) + 1, [len(country)]])
        runs = list(pairwise(edges.tolist()))
        lengths = [along_m[min(b, len(along_m) - 1)] - along_m[a] for a, b in runs]
        weak = [i for i, (a, _) in enumerate(runs) if country[a] == "" or lengths[i] < MIN_RUN_M]
        if not weak or len(runs) == 1:
            return np.asarray(country)
        i = min(weak, key=lambda k: lengths[k])
        a, b = runs[i]
        country[a:b] = country[a - 1] if i else country[b]


def _part(
    line: Alignment,
    spec: NewBuildCandidate,
    standard: DesignStandard,
    catalogue: Catalogue,
    driving: Driving,
    grade_effect: bool,
    lon_lat: Floats,
    along_m: Floats,
    a: int,
    b: int,
    country: str,
) -> Part:
    """The stretch between two points of a line."""
    low_m, high_m = line.chainage_m[a], line.chainage_m[b]
    spans = []
    for s in line.structures:
        if s.from_m < high_m and s.to_m > low_m and s.kind in SPANNED:
            # Structures have chainages on the plane, parts on the ellipsoid.
            at = np.interp([max(s.from_m, low_m), min(s.to_m, high_m)], line.chainage_m, along_m)
            first, last = ((float(v) - along_m[a]) / 1000 for v in at)
            spans.append(Span(SPANNED[s.kind], first, last, "", Evidence.DESIGNED))
    km = float(along_m[b] - along_m[a]) / 1000
    tunnel, bridge = span_km(spans, StructureKind.TUNNEL), span_km(spans, StructureKind.BRIDGE)
    works, ends_musd = designed_works(line.price, line.structures, low_m, high_m)
    height = line.line[a : b + 1, 2]
    return Part(
        name=spec.name,
        section_id="",
        mode=standard.mode,
        road_class=CLASSES[standard.mode],
        status=SectionStatus.PLANNED,
        country=country,
        line=shapely.LineString(lon_lat[a : b + 1]),
        length_km=Estimate.exact(km),
        drawn_km=km,
        documented=False,
        geometry_quality=GeometryQuality.SCHEMATIC if line.cell_m >= COARSE_M else GeometryQuality.DESIGNED,
        minutes=minutes_estimate(
            design_minutes(standard, driving, along_m[a : b + 1], height if grade_effect else 0.0 * height),
            driving.spread(standard.mode),
        ),
        tunnel_km=tunnel,
        bridge_km=bridge,
        max_grade_pct=max(standard.max_grade_up_pct, standard.max_grade_down_pct),
        spans=tuple(spans),
        source_ids=(standard.source_id,),
        design=Design(
            standard.standard_id,
            tuple(((along_m[a : b + 1] - along_m[a]) / 1000).tolist()),
            tuple(height.tolist()),
            works,
            ends_musd,
        ),
    )


def design_minutes(standard: DesignStandard, driving: Driving, along_m: Floats, height_m: Floats) -> float:
    """Minutes over a stretch: of a truck by the model of the network's roads, its bends built for its speed.

    Args:
        standard: the design standard to keep.
        driving: the model of driving times.
        along_m: chainage, shape (n,).
        height_m: of the line there, shape (n,).
    """
    metres = np.diff(along_m)
    usual = class_speeds_kmh([standard.mode], [CLASSES[standard.mode]], driving.model.speeds)[0]
    speed = standard.speed_kmh or usual
    if standard.mode != Mode.ROAD:
        return float(metres.sum() / speed * 0.06)
    # A new road is built for its speed: its bends slow nobody, and only climbs do.
    pieces = Pieces(
        np.array([0, len(metres)]),
        np.array([1]),
        metres,
        np.diff(height_m) / np.maximum(metres, 1e-9),
        (height_m[1:] + height_m[:-1]) / 2,
        np.zeros(len(metres)),
    )
    model = driving.model
    along, _ = driving_minutes(pieces, model.vehicles[TRUCK], np.array([speed]), model.parameters.superelevation)
    return float(along[0] * driving.factor_of(TRUCK))
