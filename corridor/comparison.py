"""The one place where the stages meet: a study in, a comparison out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import corridor
from corridor.candidates.existing import build_existing_candidates
from corridor.candidates.reference import build_reference_candidate
from corridor.errors import StudyError
from corridor.geo.geodesy import WGS84
from corridor.geo.lines import sample
from corridor.impact.assess import assess
from corridor.impact.distance import measure_distance
from corridor.impact.terrain_metrics import GradeSupport, judge_grades, measure_cost, measure_terrain
from corridor.impact.words import describe_limits
from corridor.model.candidate import Candidate
from corridor.model.profile import Profile
from corridor.model.results import Layers, PerspectiveWords, Results
from corridor.model.source import Source
from corridor.network.assemble import Assembly, assemble
from corridor.network.connectivity import Reachability
from corridor.scoring.draws import WeightSpace, parse_order
from corridor.scoring.matrix import DecisionMatrix, build_matrix
from corridor.scoring.methods import Method
from corridor.scoring.perspectives import Perspective, load_perspectives
from corridor.scoring.rank import rank_alternatives
from corridor.scoring.review import Review, review_matrix
from corridor.scoring.sensitivity import Screening, measure_interval_sensitivity
from corridor.scoring.weights import WeightsLike, resolve_weights
from corridor.sources.inputs import Inputs, find_place, load_inputs
from corridor.sources.regimes import load_regime_sources
from corridor.study import ExistingCandidates, Place, Study
from corridor.terrain.profile import build_profile
from corridor.terrain.surface import Dem, ruggedness_m, slope_deg
from corridor.terrain.uncertainty import draw_errors

if TYPE_CHECKING:
    import folium

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


class Comparison:
    """Candidates, their metrics and ranks, and the files and maps made of them."""

    def __init__(
        self, study: Study, results: Results, matrix: DecisionMatrix, perspectives: dict[str, Perspective]
    ) -> None:
        self.study = study
        self.results = results
        self._matrix = matrix
        self._perspectives = perspectives

    @cached_property
    def candidates(self) -> gpd.GeoDataFrame:
        """One row per candidate, EPSG:4326: id, name, family, mode, aliases, assumptions, sources, geometry."""
        rows = [
            {
                "candidate_id": c.candidate_id,
                "name": c.name,
                "family": c.family,
                "mode": c.mode,
                "comparator": c.comparator,
                "aliases": "; ".join(f"{name} ({by})" for name, by in c.aliases),
                "assumptions": "; ".join(c.assumptions),
                "note": c.note,
                "sources": "; ".join(c.source_ids),
            }
            for c in self.results.candidates
        ]
        return gpd.GeoDataFrame(rows, geometry=[c.line for c in self.results.candidates], crs=WGS84)

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per candidate; a column per metric, unit in its name, ``_low``/``_high`` where it is a range."""
        return self.results.metrics

    @property
    def crossings(self) -> gpd.GeoDataFrame:
        """What the routes meet: one row per event and regime (EPSG:4326); empty where the study measures no impacts."""
        empty = gpd.GeoDataFrame({"candidate_id": [], "regime_id": []}, geometry=[], crs=WGS84)
        return empty if self.results.events is None else self.results.events

    @property
    def findings(self) -> pd.DataFrame:
        """What decides each candidate under each regime: candidate_id, regime_id, text, evidence (ids)."""
        rows = [(f.candidate_id, f.regime_id, f.text, "; ".join(f.evidence)) for f in self.results.findings]
        return pd.DataFrame(rows, columns=["candidate_id", "regime_id", "text", "evidence"])

    @property
    def perspectives(self) -> tuple[str, ...]:
        """Names that :meth:`rank` takes."""
        return tuple(self._perspectives)

    def rank(
        self, perspective: str | None = None, *, weights: WeightsLike | None = None, method: Method = "weighted-sum"
    ) -> pd.DataFrame:
        """Candidates from best to worst under a perspective (the study's own by default) or under given weights.

        Comparators are ranked among themselves. The columns say each criterion's contribution and the reason.

        Raises:
            ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        """
        chosen: WeightsLike = weights if weights is not None else self._perspective(perspective)
        return rank_alternatives(self._matrix, chosen, method)

    def robustness(
        self,
        perspective: str | None = None,
        *,
        weights: WeightsLike | None = None,
        method: Method = "weighted-sum",
        order: Sequence[str] = (),
        draws: int = 10_000,
        seed: int = 0,
    ) -> tuple[Review, ...]:
        """How firm a ranking is: rank acceptability, Pareto front, smallest flips, agreement of the methods.

        Args:
            perspective: whose ranking is put to the test; the study's own by default.
            weights: weights instead of a perspective.
            method: ``weighted-sum``, ``topsis`` or ``promethee-ii``.
            order: what is known of importance, for instance ``"border_access >= distance"`` (groups of criteria).
            draws: how many weights and metrics are drawn.
            seed: of the draws; the same seed gives the same answer.

        Gives one review per panel (regime, and through routes or comparators).
        """
        chosen: WeightsLike = weights if weights is not None else self._perspective(perspective)
        space = WeightSpace(over="groups", order=tuple(pair for text in order for pair in parse_order(text)))
        return review_matrix(self._matrix, chosen, method=method, space=space, draws=draws, seed=seed)

    def sensitivity(
        self,
        regime: str,
        perspective: str | None = None,
        *,
        screening: Screening = "sobol",
        samples: int = 256,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Which inputs (unit costs, speeds, heights ...) the lead of a regime's best through route hangs on.

        Needs SALib (``pip install corridor[sensitivity]``).
        """
        panel = self._matrix.panel(regime, "through")
        return measure_interval_sensitivity(
            panel, self._perspective(perspective), screening=screening, samples=samples, seed=seed
        )

    def _perspective(self, name: str | None) -> Perspective:
        wanted = name or self.study.default_perspective
        if wanted not in self._perspectives:
            raise StudyError(f"no perspective '{wanted}'; there are: {', '.join(self._perspectives)}")
        return self._perspectives[wanted]

    def map(self) -> folium.Map:
        """A Folium map of the candidates over the relief that loads nothing from the network."""
        from corridor.report.map import build_map

        return build_map(self.results)

    def write(self, folder: str | Path) -> Path:
        """Write page, tables and GIS files into ``folder``: all of them, or none. Gives the page's path.

        Raises:
            OutputError: the folder can't be written.
        """
        from corridor.report.export import write_results

        return write_results(self.results, Path(folder))


def compare(
    study: Study, *, osm: str | Path | None = None, dem: Sequence[str | Path] = (), progress: Progress | None = None
) -> Comparison:
    """Build, measure and rank the candidates of a study.

    Args:
        study: what is asked.
        osm: an OpenStreetMap file (PBF or XML) instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        progress: called with a few words at the start of each step.

    Raises:
        CorridorError: study or data can't be used; the message says what to mend.
    """
    say = progress or _silent
    inputs = load_inputs(study, osm=Path(osm) if osm else None, dem=[Path(path) for path in dem], progress=say)
    origin, destination = (find_place(getattr(study, end), end, study, inputs) for end in ("origin", "destination"))
    if (origin.lon, origin.lat) == (destination.lon, destination.lat):
        raise StudyError(f"{study.id}: destination: is the origin ({origin.name}); a route needs two places")
    assembly = assemble_network(study, inputs, progress=say)
    say("building candidates")
    candidates, reach = build_candidates(study, inputs, assembly, origin, destination)
    say("measuring terrain")
    profiles = {c.candidate_id: build_profile(c, inputs.dem, inputs.catalogue.grade_ceilings) for c in candidates}
    grades = judge_study_grades(study, inputs, assembly)
    focus = focus_region(study, inputs)
    metrics = measure_candidates(study, inputs, candidates, profiles, grades, focus)
    impacts = assess(study, study.impact, inputs, assembly, candidates, focus, say) if study.impact else None
    if impacts is not None:
        metrics = _with_impacts(metrics, impacts.metrics)
    say("ranking")
    perspectives = load_perspectives(study.path(study.sources.perspectives))
    criteria = tuple(spec.build() for spec in study.criteria)
    matrix = build_matrix(metrics, criteria)
    notes = describe_limits(candidates, inputs.dem, grades, reach, assembly, inputs.places)
    notes["scoring"] = matrix.notes
    notes["impacts"] = impacts.notes if impacts else ()
    ranking = pd.concat(
        [rank_alternatives(matrix, view).assign(perspective=name) for name, view in perspectives.items()],
        ignore_index=True,
    )
    used = {source for candidate in candidates for source in candidate.source_ids}
    used |= {source for regime in impacts.regimes.values() for source in regime.source_ids} if impacts else set()
    results = Results(
        study_id=study.id,
        title=study.title,
        question=study.question,
        as_of=study.as_of,
        baseline=f"{study.baseline}: {study.chosen_baseline.name}",
        version=corridor.__version__,
        area=study.area,
        focus_id=study.focus.id,
        focus_name=study.focus.name,
        candidates=tuple(candidates),
        profiles=profiles,
        metrics=metrics,
        ranking=ranking,
        excluded=matrix.excluded,
        criteria=criteria,
        perspectives=_perspective_words(perspectives, matrix),
        default_perspective=study.default_perspective,
        sources=inputs.sources,
        documents=tuple(source for key, source in _documents(study, inputs).items() if key in used),
        layers=_layers(inputs, focus),
        notes=notes,
        regimes=tuple(impacts.regimes.values()) if impacts else (),
        findings=impacts.findings if impacts else (),
        events=impacts.events if impacts else None,
        place_effects=impacts.places if impacts else None,
        strips=impacts.strips if impacts else None,
    )
    return Comparison(study, results, matrix, perspectives)


def assemble_network(study: Study, inputs: Inputs, *, progress: Progress = _silent) -> Assembly:
    """The network of the study's baseline."""
    return assemble(
        inputs.catalogue, inputs.borders, inputs.dem, inputs.osm,
        as_of=study.chosen_baseline.as_of, grade_effect=study.grade_effect, progress=progress,
    )  # fmt: skip


def build_candidates(
    study: Study, inputs: Inputs, assembly: Assembly, origin: Place, destination: Place
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
        else:
            candidates.append(build_reference_candidate(spec, inputs.catalogue, assembly, slowed, origin, destination))
    return candidates, reach


def focus_region(study: Study, inputs: Inputs) -> shapely.Geometry:
    """The study's focus: its outline inside its country."""
    outline = shapely.make_valid(shapely.Polygon(study.focus.outline))
    region = shapely.intersection(outline, inputs.borders.polygon(study.focus.country))
    if region.is_empty:
        raise StudyError(f"{study.id}: focus.outline: lies wholly outside {study.focus.country}; correct the corners")
    return region


def judge_study_grades(study: Study, inputs: Inputs, assembly: Assembly) -> GradeSupport:
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
    dem = inputs.dem
    slope, rugged = slope_deg(dem), ruggedness_m(dem)
    draws = list(draw_errors(dem, study.elevation.draws, study.elevation.seed))
    rows: list[dict[str, Any]] = []
    for candidate in candidates:
        row: dict[str, Any] = {
            "candidate_id": candidate.candidate_id,
            "name": candidate.name,
            "family": candidate.family,
            "mode": candidate.mode,
            "comparator": candidate.comparator,
        }
        row |= measure_distance(candidate, focus, study.focus.id, study.focus.country)
        row |= measure_terrain(candidate, profiles[candidate.candidate_id], dem, slope, rugged, grades, draws)
        row |= measure_cost(candidate, inputs.catalogue.unit_costs)
        row |= {
            "dem": dem.source.title,
            "dem_resolution_m": round(dem.resolution_m, 1),
            "dem_vertical_error_m": dem.vertical_error_m,
        }
        rows.append(row)
    return _complete_ranges(pd.DataFrame(rows))


def _with_impacts(metrics: pd.DataFrame, impacts: pd.DataFrame) -> pd.DataFrame:
    """The metric table by candidate and regime, with the time of a whole trip, checks of the regime included."""
    table = metrics.merge(impacts, on="candidate_id", how="inner", validate="one_to_many")
    for end in ("", "_low", "_high"):
        table[f"trip_time_h{end}"] = table[f"travel_time_h{end}"] + table[f"check_h{end}"]
    first = ["candidate_id", "regime_id", "name", "family", "mode", "comparator"]
    return _complete_ranges(table[[*first, *(column for column in table.columns if column not in first)]])


def _documents(study: Study, inputs: Inputs) -> dict[str, Source]:
    """Documents of the catalogue and of the regimes, by id."""
    found = dict(inputs.catalogue.sources)
    if study.impact:
        found |= load_regime_sources(study.path(study.impact.regimes))
    return found


def _complete_ranges(table: pd.DataFrame) -> pd.DataFrame:
    """Where some rows have a range and others an exact value, the exact ones get it as both ends."""
    for column in [c for c in table.columns if c.endswith(("_low", "_high"))]:
        base = column.rsplit("_", 1)[0]
        table[column] = table[column].where(table[column].notna(), table[base])
    return table


def _perspective_words(perspectives: dict[str, Perspective], matrix: DecisionMatrix) -> tuple[PerspectiveWords, ...]:
    words = []
    for name, view in perspectives.items():
        weights = resolve_weights(view, matrix.criteria)
        shares = dict(zip((c.criterion_id for c in matrix.criteria), np.asarray(weights.values).tolist(), strict=True))
        words.append(PerspectiveWords(name, view.label, view.weights_from, shares))
    return tuple(words)


def _layers(inputs: Inputs, focus: shapely.Geometry) -> Layers:
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
    places = (
        inputs.places.frame
        if inputs.places
        else gpd.GeoDataFrame({"name": [], "country": [], "population": []}, geometry=[], crs=WGS84)
    )
    return Layers(inputs.dem.heights_m, inputs.dem.grid, inputs.borders.countries, places, frame, focus)
