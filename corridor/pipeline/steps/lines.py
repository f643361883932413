"""The network of a date, the candidates on it, and what each of them measures by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.candidates.designed import Surroundings
from corridor.candidates.existing import DistinctWays, build_existing_candidates, drop_found_again
from corridor.candidates.package import build_package
from corridor.candidates.parts import untimed, with_followed
from corridor.candidates.reference import build_reference_candidate, survey_sections
from corridor.candidates.via import build_via_candidate, order_stops
from corridor.errors import StudyError
from corridor.geo.geodesy import sample
from corridor.io.read.borders import Borders
from corridor.io.read.catalogue import Catalogue
from corridor.io.read.inputs import Area, Gazetteer
from corridor.io.read.osm import OsmData
from corridor.io.read.places import Places
from corridor.metrics.distance import FocusArea
from corridor.metrics.registry import complete_table
from corridor.metrics.terrain import GradeSupport, judge_grades
from corridor.network.conflate_ways import build_network
from corridor.network.conflation import (
    ConflatedWays,
    Conflation,
    JoinedWays,
    build_on_ways,
    conflate,
    dated_crossings,
    dated_sections,
    join_ways,
    lay_ways,
    survey_ways,
)
from corridor.network.connectivity import Reachability
from corridor.network.driving_times import SurveyedEdges
from corridor.network.graph import Network
from corridor.network.map_matching import Match
from corridor.network.road_survey import RoadCourses, RoadSurvey
from corridor.pipeline.graph import Progress, each, step
from corridor.schema.candidate import Candidate, Profile, route_message
from corridor.schema.catalogue import BorderDelays, Crossing, GradeCeiling, Node, Section, Speed, UnitCost
from corridor.schema.message import Message
from corridor.schema.parameters import DocumentedHeight, DrivingModel, DrivingParameters
from corridor.schema.study import (
    CandidateSpec,
    DrawnCandidate,
    Elevation,
    ExistingCandidates,
    Focus,
    NewBuildCandidate,
    PackageCandidate,
    Place,
    ReferenceCandidate,
    TimeSpec,
    ViaCandidate,
)
from corridor.schema.vocabulary import CrossingStatus
from corridor.terrain.profile import build_profile
from corridor.terrain.surface import Dem, ErrorField, draw_errors

Row = dict[str, Any]

# The network.


@step()
def sections_then(sections: Mapping[str, Section], as_of: str) -> dict[str, Section]:
    """Sections as they were at the baseline's date."""
    return dated_sections(sections, as_of)


@step()
def crossings_then(crossings: Mapping[str, Crossing], as_of: str) -> dict[str, Crossing]:
    """Border crossings as they were at the baseline's date."""
    return dated_crossings(crossings, as_of)


@step(by_value=True)
def lie_of_sections(sections_then: Mapping[str, Section]) -> dict[str, Section]:
    """Sections by where they lie and who controls them: ways needn't be joined again for other speeds."""
    return _without_speeds(sections_then)


def _without_speeds(sections: Mapping[str, Section]) -> dict[str, Section]:
    return {key: replace(section, design_speed_kmh=None) for key, section in sections.items()}


@step(by_value=True)
def lie_of_crossings(crossings: Mapping[str, Crossing]) -> dict[str, Crossing]:
    """Border crossings by where they lie, open or not and whatever the wait."""
    return {
        key: replace(crossing, status=CrossingStatus.UNLISTED, as_of="", since="", delay_min=None, sides=())
        for key, crossing in crossings.items()
    }


@step(says="joining ways into a network")
def joined_ways(
    lie_of_sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    lie_of_crossings: Mapping[str, Crossing],
    borders: Borders,
    osm: OsmData | None,
) -> JoinedWays:
    """Mapped ways as edges, with the sections that the map doesn't show."""
    return join_ways(lie_of_sections, nodes, lie_of_crossings, borders, osm)


@step(says="placing the catalogue's sections")
def conflated_ways(
    joined_ways: JoinedWays,
    lie_of_sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    through_classes: tuple[str, ...],
    enforce_limits: bool,
) -> ConflatedWays:
    """Mapped ways and the catalogue's sections as edges."""
    return conflate(joined_ways, lie_of_sections, nodes, through_classes=through_classes, enforce_limits=enforce_limits)


@step()
def section_matches(conflated_ways: ConflatedWays) -> Mapping[str, Match]:
    """The catalogue's sections on the map: who asks for these alone needs no ways any more."""
    return conflated_ways.matches


@step(by_value=True)
def undelayed_crossings(crossings_then: Mapping[str, Crossing]) -> dict[str, Crossing]:
    """Border crossings with their status, whatever the wait."""
    return {key: replace(crossing, delay_min=None, sides=()) for key, crossing in crossings_then.items()}


@step()
def lie_of_network(
    conflated_ways: ConflatedWays,
    lie_of_sections: Mapping[str, Section],
    undelayed_crossings: Mapping[str, Crossing],
    borders: Borders,
) -> Network:
    """Roads and railways in their countries, as events name their edges; its minutes are none."""
    return build_network(
        conflated_ways.physical, borders, list(undelayed_crossings.values()), sections=lie_of_sections,
        country_of_edge=conflated_ways.country_of_edge,
    )  # fmt: skip


@step(by_value=True)
def slowing_dem(dem: Dem, grade_effect: bool) -> Dem | None:
    """The elevation model where it slows climbs; None where the study doesn't want that."""
    return dem if grade_effect else None


@step()
def surveying_model(
    grade_ceilings: Sequence[GradeCeiling], driving_parameters: DrivingParameters, heights: Sequence[DocumentedHeight]
) -> DrivingModel:
    """The rows that grades and bends of roads are computed from: whoever drives, and however fast."""
    return DrivingModel((), grade_ceilings, {}, driving_parameters, heights)


@step()
def road_courses(
    joined_ways: JoinedWays,
    lie_of_sections: Mapping[str, Section],
    driving_parameters: DrivingParameters,
    slowing_dem: Dem | None,
) -> RoadCourses:
    """How the network's roads run over the ground."""
    return lay_ways(joined_ways, lie_of_sections, driving_parameters, slowing_dem)


@step()
def road_survey(
    conflated_ways: ConflatedWays,
    road_courses: RoadCourses,
    lie_of_sections: Mapping[str, Section],
    surveying_model: DrivingModel,
) -> RoadSurvey:
    """Grades and bends of the network's roads."""
    return survey_ways(conflated_ways, road_courses, lie_of_sections, surveying_model)


@step()
def conflation(
    conflated_ways: ConflatedWays,
    road_survey: RoadSurvey,
    lie_of_network: Network,
    sections_then: Mapping[str, Section],
    nodes: Mapping[str, Node],
    crossings_then: Mapping[str, Crossing],
    border_delays: BorderDelays,
    driving_model: DrivingModel,
    times: tuple[TimeSpec, ...],
) -> Conflation:
    """The routable network, with minutes, countries and border crossings, and how sections lie on it."""
    return build_on_ways(
        conflated_ways, road_survey, lie_of_network, sections_then, nodes, crossings_then, border_delays,
        driving_model, times,
    )  # fmt: skip


# The candidates.


@step()
def route_catalogue(
    reference_folder: Path,
    nodes: Mapping[str, Node],
    sections_then: Mapping[str, Section],
    crossings_then: Mapping[str, Crossing],
    speeds: Sequence[Speed],
    border_delays: BorderDelays,
) -> Catalogue:
    """What of the catalogue decides where a route runs, how long it takes and what is to be built of it: no prices."""
    return Catalogue(
        reference_folder, {}, dict(nodes), dict(sections_then), dict(crossings_then), tuple(speeds), (), (),
        border_delays=border_delays,
    )  # fmt: skip


@dataclass(frozen=True)
class FoundWays:
    """Candidates over open roads, and what is known of those roads without the study's assumptions."""

    candidates: tuple[Candidate, ...]
    reach: Reachability


@each(gives="found_ways", says="building candidates")
def ways_of_spec(
    existing_spec: ExistingCandidates,
    route_catalogue: Catalogue,
    conflation: Conflation,
    shown_places: Places | None,
    origin: Place,
    destination: Place,
    snap_limit_m: float,
) -> FoundWays:
    """Ways over roads that are open today."""
    nowhere = gpd.GeoDataFrame({"name": [], "lon": [], "lat": [], "population": []}, geometry=[])
    found, reach = build_existing_candidates(
        existing_spec, route_catalogue, conflation, shown_places.frame if shown_places else nowhere, origin,
        destination, snap_limit_m,
    )  # fmt: skip
    return FoundWays(tuple(found), reach)


@step(by_value=True)
def lie_of_listed_sections(sections: Mapping[str, Section]) -> dict[str, Section]:
    """Sections of any date by where they lie: drawn ones needn't be surveyed again for other speeds."""
    return _without_speeds(sections)


@each(gives="chain_surveys", says="building candidates")
def chain_survey(
    reference_spec: ReferenceCandidate,
    lie_of_listed_sections: Mapping[str, Section],
    section_matches: Mapping[str, Match],
    surveying_model: DrivingModel,
    slowing_dem: Dem | None,
) -> SurveyedEdges | None:
    """Grades and bends of catalogue sections that a route is made of."""
    return survey_sections(
        reference_spec.sections, lie_of_listed_sections, section_matches, surveying_model, slowing_dem
    )


@each(gives="chains", says="building candidates")
def chain(
    reference_spec: ReferenceCandidate,
    route_catalogue: Catalogue,
    conflation: Conflation,
    chain_survey: SurveyedEdges | None,
    origin: Place,
    destination: Place,
) -> Candidate:
    """A route of catalogue sections."""
    return build_reference_candidate(reference_spec, route_catalogue, conflation, chain_survey, origin, destination)


@step()
def surroundings(
    area: Area,
    origin: Place,
    destination: Place,
    borders: Borders,
    route_catalogue: Catalogue,
    unit_costs: Sequence[UnitCost],
    conflation: Conflation,
    dem: Dem,
    grade_effect: bool,
) -> Surroundings:
    """What lines off the network are laid into; they hang on prices and heights."""
    priced = replace(route_catalogue, unit_costs=tuple(unit_costs))
    return Surroundings(area, origin, destination, borders, priced, conflation, dem, grade_effect)


def _new_lines_at_once(asked: Sequence[Mapping[str, Any]], progress: Progress) -> list[Candidate]:
    """All new lines of a study, which have the same surroundings."""
    # The search for lines is read only where a study asks for one.
    from corridor.candidates.new_build import build_new_build_candidates

    return build_new_build_candidates([one["new_build_spec"] for one in asked], asked[0]["surroundings"], progress)


@each(gives="new_lines", says="building candidates", at_once=_new_lines_at_once)
def new_line(new_build_spec: NewBuildCandidate, surroundings: Surroundings, progress: Progress) -> Candidate:
    """A route whose middle is designed here."""
    return _new_lines_at_once([{"new_build_spec": new_build_spec, "surroundings": surroundings}], progress)[0]


@each(gives="via_routes", says="building candidates")
def via_route(
    via_spec: ViaCandidate,
    route_catalogue: Catalogue,
    conflation: Conflation,
    stop_gazetteer: Gazetteer,
    borders: Borders,
    study_focus: Focus,
    origin: Place,
    destination: Place,
    snap_limit_m: float,
) -> Candidate:
    """A route by way of places."""
    # Stops are looked up under the name of the field that holds them, which a fault then tells.
    field = f"candidate '{via_spec.id}': via"
    named = [stop_gazetteer.find_stop(stop, field, borders) for stop in via_spec.via]
    stops = order_stops(named, origin, destination)
    # without borders every way lies in the country '', and none is closed
    own = sorted({study_focus.country, *(stop.country for stop in stops)}) if len(borders.countries) else ("",)
    countries = via_spec.countries or own
    return build_via_candidate(via_spec, stops, countries, route_catalogue, conflation, snap_limit_m)


@each(gives="drawn_routes", says="building candidates")
def drawn_route(drawn_spec: DrawnCandidate, surroundings: Surroundings) -> Candidate:
    """A route along a drawn line, with structures of new stretches."""
    from corridor.candidates.drawn import build_drawn_candidate

    return build_drawn_candidate(drawn_spec, np.array(drawn_spec.line, dtype=float), surroundings)


@step()
def distinct_ways(
    found_ways: Mapping[str, FoundWays],
    existing_specs: Mapping[str, ExistingCandidates],
    chains: Mapping[str, Candidate],
) -> dict[str, DistinctWays]:
    """By family of ways over open roads: those that aren't a route of the catalogue found again, and those that are."""
    # A study that asks for ways found again keeps them all: then nothing is known to them.
    known = list(chains.values())
    return {
        key: drop_found_again(found.candidates, () if existing_specs[key].keep_found_again else known)
        for key, found in found_ways.items()
    }


@step()
def found_again(distinct_ways: Mapping[str, DistinctWays]) -> tuple[Message, ...]:
    """What is said of ways that are left out because the catalogue has them."""
    return tuple(
        Message(
            "remark.found_again",
            {"name": route_message(way), "route": route_message(route), "share": f"{100 * share:.0f}"},
        )
        for ways in distinct_ways.values()
        for way, route, share in ways.again
    )


@step(by_value=True)
def candidates(
    study_id: str,
    candidate_specs: Sequence[CandidateSpec],
    distinct_ways: Mapping[str, DistinctWays],
    chains: Mapping[str, Candidate],
    new_lines: Mapping[str, Candidate],
    via_routes: Mapping[str, Candidate],
    unconfirmed_crossings: Mapping[str, str],
    drawn_routes: Mapping[str, Candidate],
    route_catalogue: Catalogue,
    conflation: Conflation,
) -> dict[str, Candidate]:
    """All candidates by id, in the study's order, with the letters that it gives them.

    Each says which of its border crossings nobody confirmed, and which other section's crossings it has.

    Raises:
        StudyError: two have the same id, or more routes of a package than one may lie on one bed.
    """
    found: list[Candidate] = []
    for spec in candidate_specs:
        match spec:
            case PackageCandidate():
                continue
            case ExistingCandidates():
                found += distinct_ways[spec.id].kept
            case NewBuildCandidate():
                found.append(replace(new_lines[spec.id], letter=spec.letter))
            case ViaCandidate():
                found.append(replace(via_routes[spec.id], letter=spec.letter))
            case DrawnCandidate():
                found.append(replace(drawn_routes[spec.id], letter=spec.letter))
            case _:
                found.append(replace(chains[spec.id], letter=spec.letter))
    # Ways over open roads get their ids from the crossings that they pass, which the study's author doesn't know.
    ids = [candidate.candidate_id for candidate in found]
    twice = sorted({key for key in ids if ids.count(key) > 1})
    if twice:
        raise StudyError(
            f"{study_id}: candidates: '{twice[0]}' is the id of one and of a way over open roads; rename one"
        )
    # Packages come last, since they are made of routes that must be whole by then.
    whole = (with_followed(candidate, route_catalogue, conflation) for candidate in found)
    routes = dict(zip(ids, (_say_unconfirmed(candidate, unconfirmed_crossings) for candidate in whole), strict=True))
    packages = {
        spec.id: build_package(spec, [routes[key] for key in spec.of], conflation.network.crs, study_id)
        for spec in candidate_specs
        if isinstance(spec, PackageCandidate)
    }
    return _in_order(routes, packages, candidate_specs, distinct_ways)


def _in_order(
    routes: Mapping[str, Candidate],
    packages: Mapping[str, Candidate],
    specs: Sequence[CandidateSpec],
    distinct_ways: Mapping[str, DistinctWays],
) -> dict[str, Candidate]:
    """Routes and packages in the study's order."""
    keys: list[str] = []
    for spec in specs:
        several = isinstance(spec, ExistingCandidates)
        keys += [way.candidate_id for way in distinct_ways[spec.id].kept] if several else [spec.id]
    return {key: packages[key] if key in packages else routes[key] for key in keys}


@step(by_value=True)
def routes(candidates: Mapping[str, Candidate]) -> dict[str, Candidate]:
    """Continuous routes by id: candidates, and what packages are made of."""
    return {route.candidate_id: route for candidate in candidates.values() for route in candidate.routes}


def _say_unconfirmed(candidate: Candidate, unconfirmed: Mapping[str, str]) -> Candidate:
    """The candidate, with an assumption for each crossing on its way that only a map shows."""
    passed = dict.fromkeys(p.crossing_id for p in candidate.passages if p.crossing_id in unconfirmed)
    said = tuple(Message("assumption.unconfirmed", {"name": unconfirmed[key]}) for key in passed)
    return replace(candidate, assumptions=(*candidate.assumptions, *said)) if said else candidate


@each(gives="lies_of_candidates", by_value=True)
def lie_of_candidate(candidate: Candidate) -> Candidate:
    """A candidate by where it lies: what it cuts off stands, however long anything takes."""
    return untimed(candidate)


@each(gives="lies_of_routes", by_value=True)
def lie_of_route(route: Candidate) -> Candidate:
    """A route by where it lies: its heights and what it meets stand, however long anything takes."""
    return untimed(route)


@step()
def reach(found_ways: Mapping[str, FoundWays]) -> tuple[Reachability, ...]:
    """What open roads alone allow, for each family of ways over them."""
    return tuple(found.reach for found in found_ways.values())


# What each measures by itself.


@each(gives="profiles", says="measuring terrain")
def profile(
    lie_of_route: Candidate,
    dem: Dem,
    grade_ceilings: Sequence[GradeCeiling],
    driving_parameters: DrivingParameters,
    heights: Sequence[DocumentedHeight],
) -> Profile:
    """Heights along a route."""
    return build_profile(lie_of_route, dem, grade_ceilings, driving_parameters, heights)


@step(by_value=True)
def grades(
    study_id: str, elevation: Elevation, lie_of_listed_sections: Mapping[str, Section],
    section_matches: Mapping[str, Match], dem: Dem, reference_folder: Path,
) -> GradeSupport:  # fmt: skip
    """Whether the elevation model carries grades, tested on the level lines that the study names."""
    profiles = []
    # A catalogue of sections alone, so that this step hangs on nothing else of it.
    listed = Catalogue(reference_folder, {}, {}, dict(lie_of_listed_sections), {}, (), (), ())
    for key in elevation.level_sections:
        section = listed.section(key, f"{study_id}: elevation.level_sections")
        match = section_matches.get(key)
        profiles.append(_line_profile(match.line if match else section.line, dem, key))
    return judge_grades(dem, profiles)


def _line_profile(line: shapely.LineString, dem: Dem, what: str) -> Profile:
    chainage, lon, lat = sample(line, min(dem.resolution_m / 2, 100.0))
    ground = dem.require(lon, lat, f"section '{what}'")
    return Profile(chainage / 1000, lon, lat, ground, ground, np.full(len(ground), np.inf), np.zeros(len(ground)), ())


@step()
def error_draws(dem: Dem, elevation: Elevation) -> tuple[ErrorField, ...]:
    """Draws of the elevation model's error, one draw shared by all candidates of a sample."""
    return tuple(draw_errors(dem, elevation.draws, elevation.seed))


@step()
def focus(study_focus: Focus, focus_region: shapely.Geometry, borders: Borders) -> FocusArea:
    """The region that the study looks at; in no country where no border is known."""
    return FocusArea(study_focus.id, study_focus.country if len(borders.countries) else "", focus_region)


@step()
def line_metrics(
    candidates: Mapping[str, Candidate], line_rows: Mapping[str, Row], route_rows: Mapping[str, Row]
) -> pd.DataFrame:
    """A row per candidate with what holds under every regime; a package's journey is that of its quickest route."""
    rows = []
    for key, candidate in candidates.items():
        quickest = min((route_rows[route.candidate_id] for route in candidate.routes), key=_travel_time_h)
        rows.append(line_rows[key] | quickest)
    return complete_table(rows)


def _travel_time_h(row: Row) -> float:
    return float(row["travel_time_h"])
