"""The stages of a comparison between study and results, each a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.candidates.existing import build_existing_candidates
from corridor.candidates.new_build import build_new_build_candidate
from corridor.candidates.reference import build_reference_candidate
from corridor.errors import StudyError
from corridor.geo.geodesy import WGS84
from corridor.geo.lines import sample
from corridor.io.read.inputs import Inputs
from corridor.io.read.place_names import name_places
from corridor.io.read.regimes import load_regime_sources
from corridor.mcda.matrix import DecisionMatrix
from corridor.mcda.perspectives import Perspective, build_perspective, load_perspectives
from corridor.mcda.weights import resolve_weights
from corridor.metrics.distance import FocusArea
from corridor.metrics.registry import Context, complete_table
from corridor.metrics.terrain import GradeSupport, judge_grades
from corridor.network.conflation import Conflation, build_conflation
from corridor.network.connectivity import Reachability
from corridor.schema.candidate import Candidate
from corridor.schema.profile import Profile
from corridor.schema.results import Layers, PerspectiveWords
from corridor.schema.source import Source
from corridor.schema.study import ExistingCandidates, NewBuildCandidate, Place, Study
from corridor.terrain.surface import Dem
from corridor.terrain.uncertainty import draw_errors

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Take a step's name and say nothing."""


def conflate_network(study: Study, inputs: Inputs, *, progress: Progress = silent) -> Conflation:
    """The network of the study's baseline."""
    return build_conflation(
        inputs.catalogue, inputs.borders, inputs.dem, inputs.osm,
        as_of=study.chosen_baseline.as_of, grade_effect=study.grade_effect,
        through_classes=study.sources.through_classes, progress=progress,
    )  # fmt: skip


def build_candidates(
    study: Study,
    inputs: Inputs,
    assembly: Conflation,
    origin: Place,
    destination: Place,
    *,
    progress: Progress = silent,
) -> tuple[list[Candidate], list[Reachability]]:
    """All candidates of a study in its order, and what is known of open roads without its assumptions."""
    candidates: list[Candidate] = []
    reach: list[Reachability] = []
    slowed = inputs.dem if study.grade_effect else None
    for spec in study.candidates:
        if isinstance(spec, ExistingCandidates):
            places = (
                inputs.places.frame
                if inputs.places
                else gpd.GeoDataFrame({"name": [], "lon": [], "lat": [], "population": []}, geometry=[])
            )
            found, reachability = build_existing_candidates(
                spec, inputs.catalogue, assembly, places, origin, destination, study.snap_limit_km * 1000
            )
            candidates += found
            reach.append(reachability)
        elif isinstance(spec, NewBuildCandidate):
            candidates.append(
                build_new_build_candidate(
                    spec, inputs.catalogue, inputs.borders, assembly, inputs.dem, study.grade_effect,
                    origin, destination, progress,
                )
            )  # fmt: skip
        else:
            candidates.append(build_reference_candidate(spec, inputs.catalogue, assembly, slowed, origin, destination))
    ids = [candidate.candidate_id for candidate in candidates]
    twice = sorted({key for key in ids if ids.count(key) > 1})
    if twice:
        raise StudyError(
            f"{study.id}: candidates: '{twice[0]}' is the id of one and of a numbered way of another; rename one"
        )
    return candidates, reach


def focus_region(study: Study, inputs: Inputs) -> shapely.Geometry:
    """The study's focus: its outline inside its country."""
    outline = shapely.make_valid(shapely.Polygon(study.focus.outline))
    region = shapely.intersection(outline, inputs.borders.polygon(study.focus.country))
    if region.is_empty:
        raise StudyError(f"{study.id}: focus.outline: lies wholly outside {study.focus.country}; correct the corners")
    return region


def judge_study_grades(study: Study, inputs: Inputs, assembly: Conflation) -> GradeSupport:
    """Whether the DEM carries grades, tested on the level lines that the study names."""
    profiles = []
    for key in study.elevation.level_sections:
        section = inputs.catalogue.section(key, f"{study.id}: elevation.level_sections")
        match = assembly.matches.get(key)
        profiles.append(_line_profile(match.line if match else section.line, inputs.dem, key))
    return judge_grades(inputs.dem, profiles)


def _line_profile(line: shapely.LineString, dem: Dem, what: str) -> Profile:
    chainage, lon, lat = sample(line, min(dem.resolution_m / 2, 100.0))
    ground = dem.require(lon, lat, f"section '{what}'")
    return Profile(chainage / 1000, lon, lat, ground, ground, np.full(len(ground), np.inf), np.zeros(len(ground)), ())


def measure_candidates(
    study: Study,
    inputs: Inputs,
    candidates: Sequence[Candidate],
    profiles: dict[str, Profile],
    grades: GradeSupport,
    focus: shapely.Geometry,
) -> pd.DataFrame:
    """The metric table: one row per candidate, in the study's order."""
    rows = measure_lines(study, inputs, candidates, profiles, grades, focus)
    return price_lines(rows, candidates, inputs)


def measure_lines(
    study: Study,
    inputs: Inputs,
    candidates: Sequence[Candidate],
    profiles: dict[str, Profile],
    grades: GradeSupport,
    focus: shapely.Geometry,
) -> list[dict[str, Any]]:
    """What of the metric table doesn't hang on prices: a row per candidate with names, distances and terrain."""
    setting = Context(
        dem=inputs.dem,
        error_draws=list(draw_errors(inputs.dem, study.elevation.draws, study.elevation.seed)),
        grades=grades,
        focus=FocusArea(study.focus.id, study.focus.country, focus),
    )
    return [setting.extend(candidate=c, profile=profiles[c.candidate_id]).row for c in candidates]


def price_lines(rows: Sequence[dict[str, Any]], candidates: Sequence[Candidate], inputs: Inputs) -> pd.DataFrame:
    """The metric table: what was measured of each candidate, and its price."""
    prices = Context(unit_costs=inputs.catalogue.unit_costs)
    return complete_table(
        row | prices.extend(candidate=candidate).row for row, candidate in zip(rows, candidates, strict=True)
    )


def with_impacts(metrics: pd.DataFrame, impacts: pd.DataFrame) -> pd.DataFrame:
    """The metric table by candidate and regime."""
    new = [name for name in impacts.columns if name == "candidate_id" or name not in metrics.columns]
    return complete_table(metrics.merge(impacts[new], on="candidate_id", how="inner", validate="one_to_many"))


def documents_of(study: Study, inputs: Inputs) -> dict[str, Source]:
    """Documents of the catalogue and of the regimes, by id."""
    found = dict(inputs.catalogue.sources)
    if study.impact:
        found |= load_regime_sources(study.path(study.impact.regimes))
    return found


def study_perspectives(study: Study) -> dict[str, Perspective]:
    """Perspectives of the study's file and its own, by id.

    Raises:
        StudyError: its default is none of them.
        ScoringError: one of them has faults.
    """
    found = load_perspectives(study.path(study.sources.perspectives))
    found |= {key: build_perspective(key, fields, study.id) for key, fields in study.perspectives.items()}
    if study.default_perspective not in found:
        raise StudyError(
            f"{study.id}: default_perspective: '{study.default_perspective}' is none of {', '.join(found)}"
        )
    return found


def perspective_words(perspectives: dict[str, Perspective], matrix: DecisionMatrix) -> tuple[PerspectiveWords, ...]:
    """Perspectives as reports show them, with the weight of each criterion."""
    words = []
    for name, view in perspectives.items():
        weights = resolve_weights(view, matrix.criteria)
        shares = dict(zip((c.criterion_id for c in matrix.criteria), np.asarray(weights.values).tolist(), strict=True))
        words.append(PerspectiveWords(name, view.label, view.weights_from, shares))
    return tuple(words)


def build_layers(study: Study, inputs: Inputs, assembly: Conflation, focus: shapely.Geometry) -> Layers:
    """What maps show beside the candidates."""
    crossings = inputs.catalogue.crossings.values()
    frame = gpd.GeoDataFrame(
        {
            "crossing_id": [c.crossing_id for c in crossings],
            "name": [c.name for c in crossings],
            "mode": [c.mode for c in crossings],
            "status": [c.status for c in crossings],
            "as_of": [c.as_of for c in crossings],
            "countries": ["-".join(sorted(c.countries)) for c in crossings],
        },
        geometry=gpd.points_from_xy([c.lon for c in crossings], [c.lat for c in crossings]),
        crs=WGS84,
    )
    places = gpd.GeoDataFrame({"name": [], "country": [], "population": [], "names": []}, geometry=[], crs=WGS84)
    if inputs.places:
        listed = inputs.places.frame
        mapped = inputs.osm.places if inputs.osm else None
        places = listed.assign(names=name_places(listed, inputs.place_names, mapped))
    aliases = {node.name: node.aliases for node in inputs.catalogue.nodes.values() if node.aliases}
    axes = _axes(study, inputs, assembly)
    return Layers(
        inputs.dem.heights_m,
        inputs.dem.grid,
        inputs.borders.countries,
        places,
        frame,
        focus,
        axes,
        aliases,
        inputs.osm.rivers if inputs.osm else None,
    )


def _axes(study: Study, inputs: Inputs, assembly: Conflation) -> gpd.GeoDataFrame:
    """The study's axes, a row per section, on the map where they are mapped."""
    rows, lines = [], []
    for axis in study.impact.axes if study.impact else ():
        for key in axis.sections:
            section = inputs.catalogue.sections[key]
            match = assembly.matches.get(key)
            rows.append({"axis_id": axis.id, "name": axis.name, "status": section.status})
            lines.append(match.line if match else section.line)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=["axis_id", "name", "status"]), geometry=lines, crs=WGS84)
