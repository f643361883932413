"""What routes meet and how the ground is reached before any regime, and each route under one regime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from corridor.geo.geodesy import WGS84, project
from corridor.interactions.events import find_events, supports_local_crossings
from corridor.interactions.regime_effects import effects
from corridor.interactions.split_network import SplitNetwork, split_network
from corridor.io.read.inputs import Inputs, find_place
from corridor.metrics.access import build_access
from corridor.metrics.axes import build_axis
from corridor.metrics.calibration import Calibration, DocumentedTime, fit_time_factor, time_factors
from corridor.metrics.measures import ImpactFrame, OwnMeasures, measure_own, measure_regime
from corridor.metrics.population import Population, build_population
from corridor.metrics.redundancy import Stage
from corridor.metrics.severance import border_ground
from corridor.network.conflation import Conflation
from corridor.network.graph import Network
from corridor.network.match import SNAP_LIMIT_M
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.interaction import Event
from corridor.schema.regime import QUESTIONS, Regime
from corridor.schema.study import ImpactSpec, Place, Study
from corridor.schema.vocabulary import LocalAccess, Mode

OUTSIDE = "outside"
"""Stands for the regime of candidates to which none applies, because they don't pass the focus country."""


@dataclass(frozen=True)
class ImpactBaseline:
    """Everything about the candidates of a network that no regime changes.

    ``events`` and ``own`` are by candidate id; ``gates`` is the network split where roads meet candidates; ``crossing``
    and ``capital`` are the ends of the access that is measured.
    """

    frame: ImpactFrame
    gates: SplitNetwork
    events: dict[str, list[Event]]
    own: dict[str, OwnMeasures]
    population: Population
    calibration: Calibration | None
    crossing: Place
    capital: Place


def build_impact_baseline(
    study: Study,
    spec: ImpactSpec,
    inputs: Inputs,
    assembly: Conflation,
    candidates: Sequence[Candidate],
    focus: shapely.Geometry,
    progress: Callable[[str], None],
) -> ImpactBaseline:
    """Find what candidates meet and measure access before.

    Raises:
        StudyError: a place isn't known.
        NetworkError: the capital can't be reached even before, or a candidate disagrees with the borders.
    """
    country = study.focus.country
    progress("finding what the routes meet")
    events = _all_events(candidates, inputs, assembly, country)
    gates = split_network(assembly.network, [event for met in events.values() for event in met])
    crossing, capital = (find_place(getattr(study, end), end, study, inputs) for end in ("border_crossing", "capital"))
    mapped = inputs.osm.places if inputs.osm is not None else None
    gazetteer = inputs.places.frame if inputs.places is not None else None
    population = build_population(gazetteer, mapped, country, inputs.borders, focus)
    progress("measuring access before")
    calibration = calibrate(spec, inputs, assembly.network)
    frame = _frame(study, spec, inputs, assembly, gates, population, crossing, capital, calibration)
    own = {c.candidate_id: measure_own(frame, c, events[c.candidate_id]) for c in candidates}
    return ImpactBaseline(frame, gates, events, own, population, calibration, crossing, capital)


def measure_under(
    survey: ImpactBaseline, candidate: Candidate, regime: Regime | None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The metric row of a candidate under a regime (None where none applies), and its places."""
    frame, gates = survey.frame, survey.gates
    events, own = survey.events[candidate.candidate_id], survey.own[candidate.candidate_id]
    effect = effects(events, regime, gates) if regime else None
    bounds = (effects(events, regime, gates, end="low"), effects(events, regime, gates, end="high")) if regime else None
    opens = regime is not None and regime.local_access == LocalAccess.OPEN
    measured = measure_regime(frame, candidate, events, effect, own, bounds=bounds, opens_own_links=opens)
    row: dict[str, Any] = {
        "candidate_id": candidate.candidate_id,
        "regime_id": regime.regime_id if regime else OUTSIDE,
        **regime_checks(candidate, regime),
        **measured.metrics,
        **_by_axis(measured.axes),
    }
    if regime:
        row |= {"clarity_of_6": regime.clarity, "open_questions": "; ".join(regime.open_questions)}
        row |= {f"declared_{question}": regime.attributes[question].text for question in QUESTIONS}
    return row, measured.places


def _all_events(
    candidates: Sequence[Candidate], inputs: Inputs, assembly: Conflation, country: str
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
    assembly: Conflation,
    gates: SplitNetwork,
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
    closed = network.closed(Mode.ROAD)
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


def _by_axis(axes: pd.DataFrame) -> dict[str, float]:
    """Shared kilometres with each axis, certain and with what runs beside it."""
    found: dict[str, float] = {}
    for axis in axes.itertuples(index=False):
        name = f"shared_{axis.axis_id.replace('-', '_')}_km"
        found |= {name: axis.shared_km_low, f"{name}_low": axis.shared_km_low, f"{name}_high": axis.shared_km_high}
    return found


def regime_checks(candidate: Candidate, regime: Regime | None) -> dict[str, float]:
    """Hours of checks on one trip: at each border passed and in transit as the regime says, else as the crossings list.

    Where a route passes no regime, the listed delays of its crossings stand.
    """
    if regime is None:
        delays = [passage.delay_min for passage in candidate.passages if passage.delay_min]
    else:
        borders = [regime.border_check_min.minutes] * len(candidate.passages)
        delays = [*borders, regime.transit_check_min.minutes]
    total = Estimate(0.0, 0.0, 0.0)
    for delay in delays:
        total = total + delay
    return {"check_h": total.mid / 60, "check_h_low": total.low / 60, "check_h_high": total.high / 60}
