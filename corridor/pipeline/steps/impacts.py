"""What routes do to everyone else: what they meet, access before, and each candidate under each regime.

Where the study measures none of this, ``impact_rows``, ``joint`` and ``impacts`` are given as None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, project
from corridor.interactions.events import find_events, supports_local_crossings
from corridor.interactions.regime_effects import applicable_regimes, effects
from corridor.interactions.split_network import SplitNetwork, split_network
from corridor.io.read.borders import Borders
from corridor.io.read.inputs import Gazetteer
from corridor.io.read.osm import OsmData
from corridor.io.read.places import Places
from corridor.io.read.regimes import build_regime, load_regimes
from corridor.metrics.access import Access, TimeFactors, build_access
from corridor.metrics.axes import Axis, build_axis
from corridor.metrics.border import BorderGround, border_ground
from corridor.metrics.population import Population, build_population
from corridor.metrics.redundancy import Stage
from corridor.metrics.regime_text import OUTSIDE
from corridor.metrics.registry import Context, complete_table
from corridor.metrics.severance import SeveranceDraws
from corridor.network.conflation import Conflation
from corridor.pipeline.graph import each, step
from corridor.pipeline.steps.lines import Row, line_and_price
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import DocumentedStructure, Section, UnitCost
from corridor.schema.driving import DrivingParameters
from corridor.schema.interaction import Event
from corridor.schema.message import Message
from corridor.schema.profile import Profile
from corridor.schema.regime import Applicability, Regime
from corridor.schema.source import Source
from corridor.schema.study import Focus, ImpactSpec, Place, Study
from corridor.schema.vocabulary import LocalAccess

Pair = tuple[str, str]
"""Ids of a candidate and a regime."""

# Regimes, and to whom they apply.


@step(by_value=True)
def regimes(study: Study, documents: Mapping[str, Source]) -> dict[str, Regime]:
    """Regimes of the study's file and its own, by id.

    Raises:
        CatalogueError: the file or a regime of the study has faults.
    """
    if study.impact is None:
        return {}
    listed = load_regimes(study.path(study.impact.regimes), dict(documents))
    return listed | {key: build_regime(key, fields, study.id) for key, fields in study.impact.own_regimes.items()}


@step()
def regimes_or_none(regimes: Mapping[str, Regime]) -> dict[str, Regime | None]:
    """The regimes, and none for candidates that lie outside all of them."""
    return {**regimes, OUTSIDE: None}


@each(gives="acting_regimes", by_value=True)
def acting_regime(regime: Regime | None) -> Regime | None:
    """A regime with everything blank that doesn't act on the network: what acts alike is searched once.

    Whatever isn't blanked here counts as acting, so that a new switch can't be left out by mistake.
    """
    if regime is None:
        return None
    blank = {"label": "", "summary": "", "text_status": "", "as_of": "", "switches_from": "", "regime_id": ""}
    nothing = {"low": 0.0, "mid": 0.0, "high": 0.0, "source_ids": (), "note": ""}
    return regime.model_copy(
        update={
            **blank,
            "counterfactual": False,
            "source_ids": (),
            "attributes": {},
            "transit_check_min": regime.transit_check_min.model_copy(update=nothing),
            "border_check_min": regime.border_check_min.model_copy(update=nothing),
            "applies_to": Applicability(through=regime.applies_to.through),
        }
    )


@step()
def applicable(regimes: Mapping[str, Regime], candidates: Mapping[str, Candidate]) -> dict[Pair, tuple[bool, Message]]:
    """Whether a regime applies to a candidate, and why.

    Raises:
        StudyError: a regime applies to no candidate.
    """
    return applicable_regimes(regimes, list(candidates.values()))


@step()
def pairs(
    candidates: Mapping[str, Candidate], regimes: Mapping[str, Regime], applicable: Mapping[Pair, tuple[bool, Message]]
) -> tuple[Pair, ...]:
    """The rows of the metric table: each candidate under each regime that applies to it, or outside all."""
    found: list[Pair] = []
    for key in candidates:
        fitting = [(key, regime_id) for regime_id in regimes if applicable[key, regime_id][0]]
        found += fitting or [(key, OUTSIDE)]
    return tuple(found)


# What the candidates meet.


@step()
def barriers(borders: Borders, conflation: Conflation) -> NDArray[np.object_]:
    """Lines in the network's plane across which nothing runs beside."""
    return np.asarray(project(borders.lines, WGS84, conflation.network.crs), dtype=object)


@step(by_value=True)
def structures(sections: Mapping[str, Section]) -> tuple[DocumentedStructure, ...]:
    """The catalogue's tunnels, bridges and galleries."""
    return tuple(found for section in sections.values() for found in section.structures)


@each(gives="events", says="finding what the routes meet")
def events_of(
    candidate: Candidate,
    conflation: Conflation,
    structures: Sequence[DocumentedStructure],
    barriers: NDArray[np.object_],
    focus: Focus,
) -> list[Event]:
    """What a candidate meets in the focus country, in order of chainage."""
    return find_events(candidate, conflation.network, focus.country, structures=structures, barriers=barriers)


@step()
def split(conflation: Conflation, events: Mapping[str, Sequence[Event]]) -> SplitNetwork:
    """The network cut where roads meet candidates."""
    return split_network(conflation.network, [event for met in events.values() for event in met])


# Access before, and the frame that all are measured on.


@step()
def population(
    places: Places | None, osm: OsmData | None, focus: Focus, borders: Borders, focus_region: shapely.Geometry
) -> Population:
    """Settlements of the focus and their people."""
    mapped = osm.places if osm is not None else None
    gazetteer = places.frame if places is not None else None
    return build_population(gazetteer, mapped, focus.country, borders, focus_region)


@step(by_value=True)
def local_roads(conflation: Conflation) -> bool:
    """Whether the network has the local roads that places, crossings and disjoint routes need."""
    return supports_local_crossings(conflation.network)


@step(says="measuring access before")
def access(
    split: SplitNetwork,
    impact: ImpactSpec,
    focus: Focus,
    gazetteer: Gazetteer,
    border_crossing: Place,
    capital: Place,
    population: Population,
    local_roads: bool,
    conflation: Conflation,
    snap_limit_m: float,
) -> Access:
    """Roads of the focus country, the fixed point abroad, the capital, places and their centres.

    Raises:
        StudyError: a centre isn't known.
        NetworkError: the capital can't be reached even before.
    """
    centres = [gazetteer.find(centre, "impact.centres") for centre in impact.centres]
    spread = conflation.driving.spread()
    return build_access(
        split, focus.country, border_crossing, capital, centres, population.places,
        snap_limit_m=snap_limit_m, supports_places=local_roads,
        factors=TimeFactors(spread.low, 1.0, spread.high),
    )  # fmt: skip


@step()
def ground(borders: Borders, focus: Focus, impact: ImpactSpec, capital: Place) -> BorderGround:
    """The border that ground behind routes is measured to."""
    return border_ground(borders, focus.country, impact.neighbour, (capital.lon, capital.lat))


@step()
def axes(conflation: Conflation, impact: ImpactSpec) -> tuple[Axis, ...]:
    """The lines whose continuity matters, on the network."""
    return tuple(build_axis(conflation.network, conflation.matches, a.id, a.name, a.sections) for a in impact.axes)


@step()
def stages(impact: ImpactSpec, local_roads: bool) -> tuple[Stage, ...]:
    """Places between which disjoint routes are counted; none without local roads."""
    return tuple(Stage(s.name, s.lon, s.lat, s.radius_km) for s in impact.stages) if local_roads else ()


@step()
def baseline(
    conflation: Conflation,
    access: Access,
    ground: BorderGround,
    axes: tuple[Axis, ...],
    stages: tuple[Stage, ...],
    impact: ImpactSpec,
) -> Context:
    """What all candidates and regimes are measured on."""
    return Context(
        network=conflation.network, access=access, ground=ground, stages=stages, axes=axes,
        severance_draws=SeveranceDraws(impact.strip_draws, impact.seed),
    )  # fmt: skip


@each(gives="routes", says="measuring access before")
def route(candidate: Candidate, events_of: Sequence[Event], baseline: Context) -> Context:
    """A candidate on that ground, with what holds under every regime.

    Raises:
        NetworkError: the candidate disagrees with the borders.
    """
    found = baseline.extend(candidate=candidate, events=events_of)
    _ = found.own_row  # what can't be measured is said now, not under the first regime
    return found


# Each candidate under each regime.


@dataclass(frozen=True)
class Measured:
    """What a regime does through a candidate: metrics by name, and a row for each place."""

    metrics: Row
    places: pd.DataFrame


def under_regime(
    route: Context, events_of: Sequence[Event], split: SplitNetwork, acting_regime: Regime | None
) -> Context:
    """A candidate on its ground with what a regime closes and slows through it."""
    effect, bounds, opens = None, None, False
    if acting_regime is not None:
        effect, low, high = (effects(events_of, acting_regime, split, end=end) for end in ("mid", "low", "high"))
        bounds, opens = (low, high), acting_regime.local_access == LocalAccess.OPEN
    return route.extend(effect=effect, bounds=bounds, opens_new_links=opens)


@each(gives="measured", says="measuring access under each regime", keep=4096)
def under(acting_regime: Regime | None, events_of: Sequence[Event], route: Context, split: SplitNetwork) -> Measured:
    """Access, redundancy and axes with a candidate under a regime."""
    found = under_regime(route, events_of, split, acting_regime)
    return Measured(found.row, found["access_result"].places)


@each(gives="declared", keep=4096)
def declared_row(candidate: Candidate, regime: Regime | None, driving_parameters: DrivingParameters) -> Row:
    """What a regime says and charges by itself, without acting on the network."""
    return Context(candidate=candidate, regime=regime, driving_parameters=driving_parameters).row


@each(gives="joint_rows", keep=4096)
def joint_row(
    candidate: Candidate,
    profile: Profile,
    line_setting: Context,
    unit_costs: Sequence[UnitCost],
    route: Context,
    events_of: Sequence[Event],
    split: SplitNetwork,
    regime: Regime | None,
    driving_parameters: DrivingParameters,
) -> Row:
    """Metrics that need inputs of several of these steps, if any are registered.

    The steps are apart so that a change of heights or prices leaves access as it is; a metric across them pays for
    that by being measured anew.
    """
    by_itself = Context(candidate=candidate, regime=regime, driving_parameters=driving_parameters)
    others = line_and_price(candidate, profile, line_setting, unit_costs), by_itself
    # which metrics there are doesn't hang on what the regime does, so that is worked out only for one
    if not Context(*others, under_regime(route, events_of, split, None)).metrics:
        return {}
    return Context(*others, under_regime(route, events_of, split, regime)).own_row


@step()
def joint(pairs: Sequence[Pair], joint_rows: Mapping[Pair, Row]) -> pd.DataFrame:
    """Those metrics as a table beside :func:`impact_rows`."""
    return pd.DataFrame([joint_rows[pair] for pair in pairs], index=range(len(pairs)))


@step()
def impact_rows(
    pairs: Sequence[Pair],
    measured: Mapping[Pair, Measured],
    declared: Mapping[Pair, Row],
    flow_rows: Mapping[Pair, Row],
) -> pd.DataFrame:
    """A row per candidate and regime that applies (``outside`` where none does)."""
    return pd.DataFrame([measured[pair].metrics | declared[pair] | flow_rows[pair] for pair in pairs])


@step()
def place_effects(pairs: Sequence[Pair], measured: Mapping[Pair, Measured]) -> pd.DataFrame:
    """Each place under each candidate and regime: the rows of ``places.csv``."""
    tables = [
        measured[candidate_id, regime_id].places.assign(candidate_id=candidate_id, regime_id=regime_id)
        for candidate_id, regime_id in pairs
        if regime_id != OUTSIDE
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


@step()
def strips(routes: Mapping[str, Context]) -> gpd.GeoDataFrame:
    """The ground between each route and the border: candidate_id, geometry."""
    rows = [{"candidate_id": key, "geometry": found["severed_ground"]} for key, found in routes.items()]
    return gpd.GeoDataFrame(rows, crs=WGS84)


@step()
def metrics(line_metrics: pd.DataFrame, impact_rows: pd.DataFrame | None, joint: pd.DataFrame | None) -> pd.DataFrame:
    """The metric table: by candidate, and by regime with the time of a whole trip where impacts are measured."""
    if impact_rows is None or joint is None:
        return line_metrics
    new = [name for name in impact_rows.columns if name == "candidate_id" or name not in line_metrics.columns]
    found = line_metrics.merge(impact_rows[new].join(joint), on="candidate_id", how="inner", validate="one_to_many")
    return complete_table(found)
