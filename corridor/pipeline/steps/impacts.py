"""What routes do to everyone else: what they meet, access before, and each candidate under each regime.

Where the study measures none of this, ``impact_rows`` and ``impacts`` are given as None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import StudyError
from corridor.geo.geodesy import WGS84, project
from corridor.interactions.events import (
    find_beside,
    find_crossed,
    has_open_events,
    join_events,
    order_events,
    supports_local_crossings,
    take_events,
)
from corridor.interactions.regime_effects import SplitNetwork, applicable_regimes, effects_at_ends, split_network
from corridor.io.read.borders import Borders
from corridor.io.read.inputs import Gazetteer, regime_dates, require_labels_apart, require_past
from corridor.io.read.osm import OsmData
from corridor.io.read.places import Places
from corridor.io.read.regimes import build_regime, load_regimes, require_points
from corridor.metrics.access import Access, AccessResult, TimeFactors, build_access
from corridor.metrics.axes import Axis, build_axis
from corridor.metrics.border import BorderGround, border_ground
from corridor.metrics.population import Population, build_population
from corridor.metrics.redundancy import Stage
from corridor.metrics.registry import complete_table, join_ends
from corridor.metrics.severance import SeveranceDraws
from corridor.network.conflation import Conflation
from corridor.network.graph import Network
from corridor.network.map_matching import Match
from corridor.pipeline.graph import each, step
from corridor.pipeline.steps.lines import Row
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import BorderDelays, DocumentedStructure, Estimate, Section
from corridor.schema.fields import Source
from corridor.schema.message import Message
from corridor.schema.parameters import PeopleTables
from corridor.schema.regime import OUTSIDE, Applicability, Regime
from corridor.schema.results import EdgeEffect, Event
from corridor.schema.study import Focus, ImpactSpec, Place, Study
from corridor.schema.vocabulary import BedRoad, EventsEnd, LocalAccess

Pair = tuple[str, str]
"""Ids of a candidate and a regime."""
PairAtEnd = tuple[str, str, str]
"""The same with an end of what schematic lines leave open."""
TRIP_BY = "trip_by"
"""The column that names the route which figures of a journey are of."""
_SAME_MIN = 0.5
"""Minutes that make no difference to a place."""

# Regimes, and to whom they apply.


@step(by_value=True)
def regimes(
    study: Study, documents: Mapping[str, Source], border_delays: BorderDelays, today: str
) -> dict[str, Regime]:
    """Regimes of the study's file and its own, by id.

    Raises:
        CatalogueError: the file or a regime of the study has faults, or checks what no row of border delays is of.
        StudyError: there are none, one says something as of a day that hasn't come, or two have the same label.
    """
    if study.impact is None:
        return {}
    # The toolkit's own rules are of one region: a study that names none must not be measured under another's.
    path = study.path(study.impact.regimes) if study.impact.regimes else None
    listed = load_regimes(path, dict(documents)) if path else {}
    # A regime of the study's own replaces one of the file that has its id.
    own = {key: build_regime(key, fields, study.id) for key, fields in study.impact.own_regimes.items()}
    # A rule that names a point of the table that isn't there would fail only once a route passes it.
    require_points(listed, border_delays.points, str(path))
    require_points(own, border_delays.points, study.id)
    found = listed | own
    if not found:
        raise StudyError(f"{study.id}: impact.regimes: none are named; name a file of regimes, or write own_regimes")
    require_past(study, regime_dates(found), today)
    require_labels_apart(study, "regimes", [regime.label for regime in found.values()])
    return found


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
    # Words, sources and what only clocks and tables read are blanked: two regimes that differ in nothing else act
    # alike.
    blank = {"label": "", "summary": "", "text_status": "", "as_of": "", "switches_from": "", "regime_id": ""}
    return regime.model_copy(
        update={
            **blank,
            "counterfactual": False,
            "source_ids": (),
            "attributes": {},
            "checks": (),
            "transit_check_min": None,
            "border_check_min": None,
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
        # A route that no regime applies to keeps one row, outside all of them: it is measured, and ranked nowhere.
        fitting = [(key, regime_id) for regime_id in regimes if applicable[key, regime_id][0]]
        found += fitting or [(key, OUTSIDE)]
    return tuple(found)


# What the candidates meet.


@step()
def network(conflation: Conflation) -> Network:
    """Roads and railways, as events name their edges."""
    return conflation.network


@step()
def barriers(borders: Borders, lie_of_network: Network) -> NDArray[np.object_]:
    """Lines in the network's plane across which nothing runs beside."""
    return np.asarray(project(borders.lines, WGS84, lie_of_network.crs), dtype=object)


@step(by_value=True)
def structures(sections_then: Mapping[str, Section]) -> tuple[DocumentedStructure, ...]:
    """The catalogue's tunnels, bridges and galleries as they stand at the baseline."""
    return tuple(found for section in sections_then.values() for found in section.standing_structures)


@step(by_value=True)
def schematic_half_width_km(impact: ImpactSpec) -> float:
    """How far off a schematic line may lie."""
    return impact.schematic_half_width_km


@each(gives="crossed_by_route", says="finding what the routes meet")
def route_crossings(
    lie_of_route: Candidate,
    lie_of_network: Network,
    structures: Sequence[DocumentedStructure],
    study_focus: Focus,
    axes: tuple[Axis, ...],
    schematic_half_width_km: float,
) -> list[Event]:
    """What a route crosses in the focus country or shares, with what its schematic parts leave open."""
    return find_crossed(
        lie_of_route, lie_of_network, study_focus.country, structures=structures,
        axis_rows=frozenset(row for axis in axes for row in axis.edges), half_width_km=schematic_half_width_km,
    )  # fmt: skip


@each(gives="beside_routes", says="finding what the routes meet")
def beside_route(
    lie_of_route: Candidate,
    lie_of_network: Network,
    barriers: NDArray[np.object_],
    study_focus: Focus,
    bed_road: BedRoad,
) -> list[Event]:
    """Roads that run beside a route in the focus country."""
    return find_beside(lie_of_route, lie_of_network, study_focus.country, barriers=barriers, bed_road=bed_road)


@each(gives="met_by_route")
def route_events(
    lie_of_route: Candidate, route_crossings: Sequence[Event], beside_route: Sequence[Event], study_focus: Focus
) -> list[Event]:
    """What a route meets in the focus country, in order of chainage."""
    return order_events(lie_of_route, [*route_crossings, *beside_route], study_focus.country)


@each(gives="met", by_value=True)
def found_events(candidate: Candidate, met_by_route: Mapping[str, Sequence[Event]]) -> list[Event]:
    """What a candidate meets: a package what its routes meet."""
    return join_events(candidate, {route.candidate_id: met_by_route[route.candidate_id] for route in candidate.routes})


@step()
def events_ends() -> dict[str, EventsEnd]:
    """The two ends between which lies what schematic lines leave open."""
    return {end: end for end in EventsEnd}


@each(gives="met_at_ends", by_value=True)
def events(found_events: Sequence[Event], events_end: EventsEnd) -> list[Event]:
    """What a candidate meets, with what isn't known taken best or worst; the same where all is known."""
    return take_events(found_events, events_end)


@step()
def split(conflation: Conflation, met: Mapping[str, Sequence[Event]]) -> SplitNetwork:
    """The network cut where roads meet candidates."""
    return split_network(conflation.network, [event for found in met.values() for event in found])


# Access before, and the frame that all are measured on.


@step()
def population(
    places: Places | None,
    mapped: OsmData | None,
    study_focus: Focus,
    borders: Borders,
    focus_region: shapely.Geometry,
    people_tables: PeopleTables,
    population_total: Estimate | None,
) -> Population:
    """Settlements of the focus and their people."""
    points = mapped.places if mapped is not None else None
    gazetteer = places.frame if places is not None else None
    return build_population(
        gazetteer, points, study_focus.country, borders, focus_region,
        documented=people_tables.places, total=population_total,
    )  # fmt: skip


@step(by_value=True)
def local_roads(lie_of_network: Network) -> bool:
    """Whether the network has the local roads that places, crossings and disjoint routes need."""
    return supports_local_crossings(lie_of_network)


@step()
def settlements(population: Population, local_roads: bool) -> pd.DataFrame | None:
    """Places that access is measured for; None where the network has no local roads."""
    return population.places.reset_index(drop=True) if local_roads else None


@step(says="measuring access before")
def access(
    split: SplitNetwork,
    impact: ImpactSpec,
    study_focus: Focus,
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
    # Times are fitted to documented ones with some error: their ends, as factors, carry it into every figure of access.
    spread = conflation.driving.spread()
    return build_access(
        split, study_focus.country, border_crossing, capital, centres, population.places,
        snap_limit_m=snap_limit_m, supports_places=local_roads,
        factors=TimeFactors(spread.low, 1.0, spread.high), population_total=population.total,
    )  # fmt: skip


@step()
def ground(borders: Borders, study_focus: Focus, impact: ImpactSpec, capital: Place) -> BorderGround:
    """The border that ground behind routes is measured to."""
    return border_ground(borders, study_focus.country, impact.neighbour, (capital.lon, capital.lat))


@step()
def axes(lie_of_network: Network, section_matches: Mapping[str, Match], impact: ImpactSpec) -> tuple[Axis, ...]:
    """The lines whose continuity matters, on the network."""
    return tuple(
        build_axis(lie_of_network, section_matches, a.id, a.name, a.sections, a.out_of_use_since) for a in impact.axes
    )


@step()
def stages(impact: ImpactSpec, local_roads: bool) -> tuple[Stage, ...]:
    """Places between which disjoint routes are counted; none without local roads."""
    return tuple(Stage(s.name, s.lon, s.lat, s.radius_km) for s in impact.stages) if local_roads else ()


@step(by_value=True)
def severance_draws(impact: ImpactSpec) -> SeveranceDraws:
    """How often route and border are moved against each other."""
    return SeveranceDraws(impact.strip_draws, impact.seed)


# Each candidate under each regime.


@each(gives="effects_at_ends", keep=8)
def effect_at_ends(
    events: Sequence[Event], acting_regime: Regime | None, split: SplitNetwork
) -> tuple[EdgeEffect, EdgeEffect, EdgeEffect] | None:
    """What a regime closes and slows through a candidate, with its middle, least and greatest delays."""
    if acting_regime is None:
        return None
    mid, low, high = effects_at_ends(events, acting_regime, split)
    return mid, low, high


@each(gives="effects", keep=8)
def effect(effect_at_ends: tuple[EdgeEffect, EdgeEffect, EdgeEffect] | None) -> EdgeEffect | None:
    """What a regime closes and slows through a candidate; None for nothing."""
    return None if effect_at_ends is None else effect_at_ends[0]


@each(gives="all_bounds", keep=8)
def bounds(effect_at_ends: tuple[EdgeEffect, EdgeEffect, EdgeEffect] | None) -> tuple[EdgeEffect, EdgeEffect] | None:
    """The same with the least and the greatest delays."""
    return None if effect_at_ends is None else effect_at_ends[1:]


@each(gives="closing", by_value=True)
def closes_roads(acting_regime: Regime | None) -> bool:
    """Whether a regime closes any road."""
    return acting_regime is not None and acting_regime.closes_roads


@each(gives="opening", by_value=True)
def opens_new_links(acting_regime: Regime | None) -> bool:
    """Whether a regime opens the route's own new links to the country's traffic."""
    return acting_regime is not None and acting_regime.local_access == LocalAccess.OPEN


@step()
def impact_rows(
    pairs: Sequence[Pair],
    candidates: Mapping[str, Candidate],
    pair_rows: Mapping[PairAtEnd, Row],
    trip_rows: Mapping[PairAtEnd, Row],
    flow_rows: Mapping[PairAtEnd, Row] | None,
) -> pd.DataFrame:
    """A row per candidate and regime that applies (``outside`` where none does); what the ends differ in is open.

    A package's journey is that of the route by which it is the quickest under the regime, which ``trip_by`` names.
    """
    rows = []
    for candidate_id, regime_id in pairs:
        candidate = candidates[candidate_id]
        best = EventsEnd.BEST
        # Of a package the quicker route is chosen at the best end, the same at both, so that the two rows are of one
        # journey.
        by = min(
            (route.candidate_id for route in candidate.routes),
            key=lambda key: _trip_h(trip_rows[key, regime_id, best]),
        )
        ends = [
            pair_rows[candidate_id, regime_id, end]
            | trip_rows[by, regime_id, end]
            | (flow_rows[candidate_id, regime_id, end] if flow_rows is not None else {})
            for end in EventsEnd
        ]
        rows.append({"candidate_id": candidate_id, TRIP_BY: by} | join_ends(*ends))
    return pd.DataFrame(rows)


def _trip_h(row: Row) -> float:
    """Hours that the quickest route has least of; what nobody knows is never the quickest."""
    hours = float(row["trip_time_h"])
    return np.inf if np.isnan(hours) else hours


@step()
def place_effects(
    pairs: Sequence[Pair], access_results: Mapping[PairAtEnd, AccessResult], met: Mapping[str, Sequence[Event]]
) -> pd.DataFrame:
    """Each place under each candidate and regime: the rows of ``places.csv``.

    A place has two rows where it matters to it what a schematic line meets; ``events_end`` says which end is meant.
    """
    tables: list[pd.DataFrame] = []
    rows: list[tuple[str, str, str]] = []
    for candidate_id, regime_id in pairs:
        if regime_id == OUTSIDE:
            continue
        # One row says all of a place that both ends serve alike, which most are.
        best = access_results[candidate_id, regime_id, EventsEnd.BEST].places
        tables.append(best)
        ends = [""] * len(best)
        if has_open_events(met[candidate_id]):
            worst = access_results[candidate_id, regime_id, EventsEnd.WORST].places
            differs = _differs(best, worst)
            tables.append(worst[differs])
            ends = [str(EventsEnd.BEST) if apart else "" for apart in differs.tolist()]
            ends += [str(EventsEnd.WORST)] * int(differs.sum())
        rows += [(end, candidate_id, regime_id) for end in ends]
    if not tables:
        return pd.DataFrame()
    # What says which rows are meant is added to all tables at once.
    keys = pd.DataFrame(rows, columns=["events_end", "candidate_id", "regime_id"])
    return pd.concat([pd.concat(tables, ignore_index=True), keys], axis=1)


def _differs(best: pd.DataFrame, worst: pd.DataFrame) -> NDArray[np.bool_]:
    """Which places a schematic line serves otherwise at worst than at best: by half a minute, or by losing a way."""
    differs = np.zeros(len(best), dtype=bool)
    for what in ("crossing", "centre"):
        one, other = (table[f"{what}_min_after"].to_numpy(dtype=float) for table in (best, worst))
        # no way is NaN, which is as far from any time as can be, and no way off from itself
        differs |= (np.abs(one - other) > _SAME_MIN) | (np.isnan(one) != np.isnan(other))
        differs |= best[f"lost_{what}"].to_numpy(dtype=bool) != worst[f"lost_{what}"].to_numpy(dtype=bool)
    return differs


@step()
def strips(severed_grounds: Mapping[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    """The ground between each route and the border: candidate_id, geometry."""
    rows = [{"candidate_id": key, "geometry": ground} for key, ground in severed_grounds.items()]
    return gpd.GeoDataFrame(rows, crs=WGS84)


@step()
def metrics(
    candidates: Mapping[str, Candidate],
    line_metrics: pd.DataFrame,
    route_rows: Mapping[str, Row],
    impact_rows: pd.DataFrame | None,
) -> pd.DataFrame:
    """The metric table: by candidate, and by regime with the time of a whole trip where impacts are measured."""
    if impact_rows is None:
        return line_metrics
    # What holds under every regime stands once, in the line's own row.
    new = [name for name in impact_rows.columns if name == "candidate_id" or name not in line_metrics.columns]
    lines = line_metrics.drop(columns=TRIP_BY)
    table = lines.merge(impact_rows[[*new, TRIP_BY]], on="candidate_id", how="inner", validate="one_to_many")
    packages = [key for key, candidate in candidates.items() if candidate.members]
    if packages:
        # which route a package's journey takes depends on the regime, and with it its length and heights
        own = table["candidate_id"].isin(packages)
        journeys = pd.DataFrame([route_rows[key] for key in table[TRIP_BY]], index=table.index)
        for name in journeys:
            table[name] = table[name].where(~own, journeys[name]).astype(table[name].dtype)
    return complete_table(table)
