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
from corridor.metrics.access import Access, build_access
from corridor.metrics.axes import build_axis
from corridor.metrics.border import border_ground
from corridor.metrics.calibration import Calibration, DocumentedTime, fit_time_factor, time_factors
from corridor.metrics.population import Population, build_population
from corridor.metrics.redundancy import Stage
from corridor.metrics.registry import Context
from corridor.metrics.severance import SeveranceDraws
from corridor.network.conflation import Conflation
from corridor.network.graph import Network
from corridor.network.match import SNAP_LIMIT_M
from corridor.schema.candidate import Candidate
from corridor.schema.interaction import Event
from corridor.schema.regime import Regime
from corridor.schema.study import ImpactSpec, Place, Study
from corridor.schema.vocabulary import LocalAccess, Mode


@dataclass(frozen=True)
class ImpactBaseline:
    """Everything about the candidates of a network that no regime changes.

    ``setting`` is what all candidates are measured on, ``routes`` that with each candidate and its events, by candidate
    id; ``gates`` is the network split where roads meet candidates; ``crossing`` and ``capital`` are the ends of the
    access that is measured.
    """

    setting: Context
    routes: dict[str, Context]
    gates: SplitNetwork
    events: dict[str, list[Event]]
    population: Population
    calibration: Calibration | None
    crossing: Place
    capital: Place

    @property
    def access(self) -> Access:
        """What access is measured on."""
        found: Access = self.setting["access"]
        return found


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
    setting = _setting(study, spec, inputs, assembly, gates, population, crossing, capital, calibration)
    routes = {c.candidate_id: setting.extend(candidate=c, events=events[c.candidate_id]) for c in candidates}
    for route in routes.values():
        _ = route.own_row  # what can't be measured is said now, not under the first regime
    return ImpactBaseline(setting, routes, gates, events, population, calibration, crossing, capital)


def measure_under(
    survey: ImpactBaseline, candidate: Candidate, regime: Regime | None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The metric row of a candidate under a regime (None where none applies), and its places."""
    gates, events = survey.gates, survey.events[candidate.candidate_id]
    context = survey.routes[candidate.candidate_id].extend(
        regime=regime,
        effect=effects(events, regime, gates) if regime else None,
        bounds=(effects(events, regime, gates, end="low"), effects(events, regime, gates, end="high"))
        if regime
        else None,
        opens_new_links=regime is not None and regime.local_access == LocalAccess.OPEN,
    )
    return context.row, context["access_result"].places


def _all_events(
    candidates: Sequence[Candidate], inputs: Inputs, assembly: Conflation, country: str
) -> dict[str, list[Event]]:
    structures = [s for section in inputs.catalogue.sections.values() for s in section.structures]
    barriers = np.asarray(project(inputs.borders.lines, WGS84, assembly.network.crs), dtype=object)
    return {
        c.candidate_id: find_events(c, assembly.network, country, structures=structures, barriers=barriers)
        for c in candidates
    }


def _setting(
    study: Study,
    spec: ImpactSpec,
    inputs: Inputs,
    assembly: Conflation,
    gates: SplitNetwork,
    population: Population,
    crossing: Place,
    capital: Place,
    calibration: Calibration | None,
) -> Context:
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
    return Context(
        network=assembly.network, access=access, ground=ground, stages=stages, axes=axes,
        severance_draws=SeveranceDraws(spec.strip_draws, spec.seed),
    )  # fmt: skip


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
