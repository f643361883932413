"""All candidates under all regimes: events, metrics, places, findings, on one network that is built once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, project
from corridor.impact.access import build_access
from corridor.impact.calibration import Calibration, DocumentedTime, fit_time_factor, time_factors
from corridor.impact.decisive import Stakes
from corridor.impact.effects import applicable_regimes, effects
from corridor.impact.events import events_frame, find_events, supports_local_crossings
from corridor.impact.findings import Words, build_findings
from corridor.impact.gates import GatedNetwork, build_gates
from corridor.impact.measures import ImpactFrame, OwnMeasures, measure_own, measure_regime
from corridor.impact.north_south import build_axis
from corridor.impact.population import Population, build_population
from corridor.impact.redundancy import Stage
from corridor.impact.strip import border_ground
from corridor.model.candidate import Candidate
from corridor.model.impact import Event, Finding
from corridor.model.regime import QUESTIONS, Regime
from corridor.model.section import Range
from corridor.network.assemble import Assembly
from corridor.network.graph import Network, Position
from corridor.network.match import SNAP_LIMIT_M
from corridor.sources.inputs import Inputs, find_place
from corridor.sources.regimes import build_regime, load_regimes
from corridor.study import ImpactSpec, Place, Study

OUTSIDE = "outside"
"""Stands for the regime of candidates to which none applies, because they don't pass the focus country."""


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
    assembly: Assembly,
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
    country = study.focus.country
    regimes = load_regimes(study.path(spec.regimes), inputs.catalogue.sources)
    regimes |= {key: build_regime(key, fields, study.id) for key, fields in spec.own_regimes.items()}
    applicable = applicable_regimes(regimes, candidates)
    progress("finding what the routes meet")
    events = _all_events(candidates, inputs, assembly, country)
    gates = build_gates(assembly.network, [event for met in events.values() for event in met])
    crossing, capital = (find_place(getattr(study, end), end, study, inputs) for end in ("border_crossing", "capital"))
    mapped = inputs.osm.places if inputs.osm is not None else None
    gazetteer = inputs.places.frame if inputs.places is not None else None
    population = build_population(gazetteer, mapped, country, inputs.borders, focus)
    progress("measuring access before")
    calibration = calibrate(spec, inputs, assembly.network)
    frame = _frame(study, spec, inputs, assembly, gates, population, crossing, capital, calibration)
    progress("measuring access under each regime")
    rows, places, strips = [], [], []
    for candidate in candidates:
        own = measure_own(frame, candidate, events[candidate.candidate_id])
        strips.append({"candidate_id": candidate.candidate_id, "geometry": own.strip})
        fitting = [regimes[key] for key in regimes if applicable[candidate.candidate_id, key][0]]
        for regime in fitting:
            row, table = _measure(frame, candidate, events[candidate.candidate_id], own, regime, gates)
            rows.append(row)
            places.append(table.assign(candidate_id=candidate.candidate_id, regime_id=regime.regime_id))
        if not fitting:
            row, _ = _measure(frame, candidate, events[candidate.candidate_id], own, None, gates)
            rows.append(row)
    progress("finding what decides")
    stakes = _stakes(frame, gates, spec.neighbour, crossing, capital, study)
    words = _words(study, inputs, crossing, capital, frame.local_roads)
    findings, decisive = build_findings(candidates, regimes, events, stakes, words)
    decides = {(d.candidate_id, d.regime_id, d.event_id) for d in decisive}
    return Assessment(
        metrics=pd.DataFrame(rows),
        events=_event_rows(candidates, regimes, applicable, events, decides),
        places=pd.concat(places, ignore_index=True) if places else pd.DataFrame(),
        findings=tuple(findings),
        strips=gpd.GeoDataFrame(strips, crs=WGS84),
        regimes=regimes,
        population=population,
        notes=(*_notes(frame, population), _say_calibration(calibration)),
    )


def _all_events(
    candidates: Sequence[Candidate], inputs: Inputs, assembly: Assembly, country: str
) -> dict[str, list[Event]]:
    structures = [s for section in inputs.catalogue.sections.values() for s in section.structures]
    barriers = np.asarray(project(inputs.borders.lines, WGS84, assembly.network.crs), dtype=object)
    return {
        c.candidate_id: find_events(c, assembly.network, country, structures=structures, barriers=barriers)
        for c in candidates
    }


def _frame(
    study: Study,
    spec: ImpactSpec,
    inputs: Inputs,
    assembly: Assembly,
    gates: GatedNetwork,
    population: Population,
    crossing: Place,
    capital: Place,
    calibration: Calibration | None,
) -> ImpactFrame:
    country = study.focus.country
    centres = [find_place(centre, "impact.centres", study, inputs) for centre in spec.centres]
    local = supports_local_crossings(assembly.network)
    access = build_access(
        gates, country, crossing, capital, centres, population.places,
        snap_limit_m=study.snap_limit_km * 1000, supports_places=local, factors=time_factors(calibration),
    )  # fmt: skip
    stages = tuple(Stage(s.name, s.lon, s.lat, s.radius_km) for s in spec.stages) if local else ()
    axes = tuple(build_axis(assembly.network, assembly.matches, a.id, a.name, a.sections) for a in spec.axes)
    ground = border_ground(inputs.borders, country, spec.neighbour, (capital.lon, capital.lat))
    return ImpactFrame(assembly.network, access, ground, stages, axes, strip_draws=spec.strip_draws, seed=spec.seed)


def calibrate(spec: ImpactSpec, inputs: Inputs, network: Network) -> Calibration | None:
    """The factor between documented and computed truck times; None where the study lists no documented time.

    Raises:
        NetworkError: a journey's end is far from any road, or there is no way between its ends.
    """
    if not spec.documented_times:
        return None
    closed = network.closed("road")
    forward, backward = (network.edges[f"minutes_{way}"].to_numpy(dtype=float) for way in ("forward", "backward"))
    times = []
    for row in spec.documented_times:
        nodes = [inputs.catalogue.nodes[key] for key in (row.from_node, row.to_node)]
        start, end = (
            network.snap(n.lon, n.lat, closed, limit_m=SNAP_LIMIT_M, what=f"node '{n.node_id}'") for n in nodes
        )
        computed = network.route(start, end, forward, backward, closed).cost
        times.append(DocumentedTime(row.name, row.low_min, row.high_min, computed, row.source))
    return fit_time_factor(times)


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


def _measure(
    frame: ImpactFrame,
    candidate: Candidate,
    events: Sequence[Event],
    own: OwnMeasures,
    regime: Regime | None,
    gates: GatedNetwork,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The metric row of a candidate under a regime, and its places."""
    effect = effects(events, regime, gates) if regime else None
    bounds = (effects(events, regime, gates, end="low"), effects(events, regime, gates, end="high")) if regime else None
    opens = regime is not None and regime.local_access == "open"
    measured = measure_regime(frame, candidate, events, effect, own, bounds=bounds, opens_own_links=opens)
    row: dict[str, Any] = {
        "candidate_id": candidate.candidate_id,
        "regime_id": regime.regime_id if regime else OUTSIDE,
        **_regime_checks(candidate, regime),
        **measured.metrics,
        **_by_axis(measured.axes),
    }
    if regime:
        row |= {"clarity_of_6": regime.clarity, "open_questions": "; ".join(regime.open_questions)}
        row |= {f"declared_{question}": regime.attributes[question].text for question in QUESTIONS}
    return row, measured.places


def _by_axis(axes: pd.DataFrame) -> dict[str, float]:
    """Shared kilometres with each axis, certain and with what runs beside it."""
    found: dict[str, float] = {}
    for axis in axes.itertuples(index=False):
        name = f"shared_{axis.axis_id.replace('-', '_')}_km"
        found |= {name: axis.shared_km_low, f"{name}_low": axis.shared_km_low, f"{name}_high": axis.shared_km_high}
    return found


def _regime_checks(candidate: Candidate, regime: Regime | None) -> dict[str, float]:
    """Hours of checks on one trip: at each border passed and in transit as the regime says, else as the crossings list.

    Where a route passes no regime, the listed delays of its crossings stand.
    """
    if regime is None:
        delays = [passage.delay_min for passage in candidate.passages if passage.delay_min]
    else:
        borders = [regime.border_check_min.minutes] * len(candidate.passages)
        delays = [*borders, regime.transit_check_min.minutes]
    total = Range(0.0, 0.0, 0.0)
    for delay in delays:
        total = total + delay
    return {"check_h": total.mid / 60, "check_h_low": total.low / 60, "check_h_high": total.high / 60}


def _stakes(
    frame: ImpactFrame, gates: GatedNetwork, neighbour: str, crossing: Place, capital: Place, study: Study
) -> Stakes:
    limit = study.snap_limit_km * 1000
    home, abroad = gates.closed("road", countries=(frame.country,)), gates.closed("road", countries=(neighbour,))
    domain, access = frame.access.domain, frame.access
    places = {
        f"{name} ({row + 1})" if (access.places["place"] == name).sum() > 1 else str(name): _on_network(at, domain.rows)
        for row, (name, at) in enumerate(zip(access.places["place"], access.positions, strict=True))
        if at is not None
    }
    return Stakes(
        network=gates,
        closed=gates.closed("road", countries=(frame.country, neighbour)),
        crossing=gates.snap(
            crossing.lon, crossing.lat, abroad, limit_m=limit, what=f"border_crossing '{crossing.name}'"
        ),
        capital=gates.snap(capital.lon, capital.lat, home, limit_m=limit, what=f"capital '{capital.name}'"),
        places=places,
    )


def _on_network(at: Position, rows: NDArray[np.int64]) -> Position:
    """A position in a domain's edge numbers as one in its network's."""
    return replace(at, edge=int(rows[at.edge]))


def _words(study: Study, inputs: Inputs, crossing: Place, capital: Place, local: bool) -> Words:
    near = inputs.osm.places if inputs.osm is not None and len(inputs.osm.places) else None
    if near is None and inputs.places is not None:
        near = inputs.places.frame
    country = study.focus.country
    if near is not None:
        at = inputs.borders.country_at(near["lon"], near["lat"])
        near = near[at == country]
    return Words(crossing.name, capital.name, country, inputs.borders.names.get(country, country), near, local)


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


def _notes(frame: ImpactFrame, population: Population) -> tuple[str, ...]:
    notes = []
    if not frame.local_roads:
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
