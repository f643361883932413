"""All candidates under all regimes: events, metrics, places, findings, on one network that is built once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84
from corridor.interactions.critical_crossings import ConnectivityTargets
from corridor.interactions.events import events_frame
from corridor.interactions.findings import Names, build_findings
from corridor.interactions.regime_effects import applicable_regimes
from corridor.io.read.inputs import Inputs
from corridor.io.read.regimes import build_regime, load_regimes
from corridor.metrics.access import Access
from corridor.metrics.calibration import Calibration
from corridor.metrics.impact_baseline import ImpactBaseline, build_impact_baseline, measure_under
from corridor.metrics.population import Population
from corridor.network.conflation import Conflation
from corridor.network.graph import Position
from corridor.schema.candidate import Candidate
from corridor.schema.interaction import Event, Finding
from corridor.schema.regime import Regime
from corridor.schema.study import ImpactSpec, Place, Study
from corridor.schema.vocabulary import Mode


@dataclass(frozen=True)
class Assessment:
    """What routes do to everyone else.

    ``metrics`` has one row per candidate and regime that applies (``outside`` where none does); ``events`` the rows of
    ``crossings.gpkg`` by candidate and regime; ``places`` those of ``places.csv``; ``strips`` the ground between each
    route and the border (candidate_id, geometry).
    """

    metrics: pd.DataFrame
    events: gpd.GeoDataFrame
    places: pd.DataFrame
    findings: tuple[Finding, ...]
    strips: gpd.GeoDataFrame
    regimes: dict[str, Regime]
    population: Population
    notes: tuple[str, ...]


def assess(
    study: Study,
    spec: ImpactSpec,
    inputs: Inputs,
    assembly: Conflation,
    candidates: Sequence[Candidate],
    focus: shapely.Geometry,
    progress: Callable[[str], None],
) -> Assessment:
    """Measure every candidate under every regime that applies to it.

    Raises:
        StudyError: a place isn't known, or a regime applies to no candidate.
        CatalogueError: the regimes' file has faults.
        NetworkError: the capital can't be reached even before, or a candidate disagrees with the borders.
    """
    regimes = study_regimes(study, spec, inputs)
    applicable = applicable_regimes(regimes, candidates)
    survey = build_impact_baseline(study, spec, inputs, assembly, candidates, focus, progress)
    access, events = survey.access, survey.events
    progress("measuring access under each regime")
    rows, places, strips = [], [], []
    for candidate in candidates:
        severed = survey.routes[candidate.candidate_id]["severed_ground"]
        strips.append({"candidate_id": candidate.candidate_id, "geometry": severed})
        fitting = [regimes[key] for key in regimes if applicable[candidate.candidate_id, key][0]]
        for regime in fitting:
            row, table = measure_under(survey, candidate, regime)
            rows.append(row)
            places.append(table.assign(candidate_id=candidate.candidate_id, regime_id=regime.regime_id))
        if not fitting:
            rows.append(measure_under(survey, candidate, None)[0])
    progress("finding what decides")
    stakes = _stakes(survey, spec.neighbour, study)
    names = _names(study, inputs, survey.crossing, survey.capital, access.supports_places)
    findings, decisive = build_findings(candidates, regimes, events, stakes, names)
    decides = {(d.candidate_id, d.regime_id, d.event_id) for d in decisive}
    return Assessment(
        metrics=pd.DataFrame(rows),
        events=_event_rows(candidates, regimes, applicable, events, decides),
        places=pd.concat(places, ignore_index=True) if places else pd.DataFrame(),
        findings=tuple(findings),
        strips=gpd.GeoDataFrame(strips, crs=WGS84),
        regimes=regimes,
        population=survey.population,
        notes=(*_notes(access, survey.population), _say_calibration(survey.calibration)),
    )


def study_regimes(study: Study, spec: ImpactSpec, inputs: Inputs) -> dict[str, Regime]:
    """Regimes of the study's file and its own, by id.

    Raises:
        CatalogueError: the file or a regime of the study has faults.
    """
    regimes = load_regimes(study.path(spec.regimes), inputs.catalogue.sources)
    return regimes | {key: build_regime(key, fields, study.id) for key, fields in spec.own_regimes.items()}


def _say_calibration(calibration: Calibration | None) -> str:
    if calibration is None:
        return (
            "Truck times follow from the stated class speeds: no documented time of a journey inside the data is "
            "listed, so none was fitted; read ratios rather than minutes."
        )
    return (
        f"Documented times are {calibration.factor:.2f} times the computed ones ({len(calibration.times)} journeys, "
        f"within a factor of {calibration.spread:.2f}); ranges reach as far as that."
    )


def _stakes(survey: ImpactBaseline, neighbour: str, study: Study) -> ConnectivityTargets:
    access, gates, crossing, capital = survey.access, survey.gates, survey.crossing, survey.capital
    limit = study.snap_limit_km * 1000
    home, abroad = gates.closed(Mode.ROAD, countries=(access.country,)), gates.closed(Mode.ROAD, countries=(neighbour,))
    domain = access.domain
    places = {
        f"{name} ({row + 1})" if (access.places["place"] == name).sum() > 1 else str(name): _on_network(at, domain.rows)
        for row, (name, at) in enumerate(zip(access.places["place"], access.positions, strict=True))
        if at is not None
    }
    return ConnectivityTargets(
        network=gates,
        closed=gates.closed(Mode.ROAD, countries=(access.country, neighbour)),
        crossing=gates.snap(
            crossing.lon, crossing.lat, abroad, limit_m=limit, what=f"border_crossing '{crossing.name}'"
        ),
        capital=gates.snap(capital.lon, capital.lat, home, limit_m=limit, what=f"capital '{capital.name}'"),
        places=places,
    )


def _on_network(at: Position, rows: NDArray[np.int64]) -> Position:
    """A position in a domain's edge numbers as one in its network's."""
    return replace(at, edge=int(rows[at.edge]))


def _names(study: Study, inputs: Inputs, crossing: Place, capital: Place, local: bool) -> Names:
    near = inputs.osm.places if inputs.osm is not None and len(inputs.osm.places) else None
    if near is None and inputs.places is not None:
        near = inputs.places.frame
    country = study.focus.country
    if near is not None:
        at = inputs.borders.country_at(near["lon"], near["lat"])
        near = near[at == country]
    return Names(crossing.name, capital.name, country, inputs.borders.names.get(country, country), near, local)


def _event_rows(
    candidates: Sequence[Candidate],
    regimes: dict[str, Regime],
    applicable: dict[tuple[str, str], tuple[bool, str]],
    events: dict[str, list[Event]],
    decides: set[tuple[str, str, str]],
) -> gpd.GeoDataFrame:
    tables = []
    for candidate in candidates:
        for key in regimes:
            if not applicable[candidate.candidate_id, key][0] or not events[candidate.candidate_id]:
                continue
            ids = {event_id for c, r, event_id in decides if (c, r) == (candidate.candidate_id, key)}
            table = events_frame(events[candidate.candidate_id], ids)
            tables.append(table.assign(regime_id=key))
    if not tables:
        return gpd.GeoDataFrame({"candidate_id": [], "regime_id": []}, geometry=[], crs=WGS84)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=WGS84)


def _notes(access: Access, population: Population) -> tuple[str, ...]:
    notes = []
    if not access.supports_places:
        notes.append(
            "The network is the reference catalogue alone: local crossings, settlements and disjoint routes aren't "
            "supported by this data; give OpenStreetMap data with --osm."
        )
    if population.unmatched:
        shown = ", ".join(population.unmatched[:12])
        notes.append(f"{len(population.unmatched)} places of the gazetteer aren't on the map: {shown}.")
    if population.unknown:
        notes.append(
            f"{len(population.unknown)} settlements have no known population; each counts as nobody at least and as "
            "the largest known place of its kind at most."
        )
    return tuple(notes)
