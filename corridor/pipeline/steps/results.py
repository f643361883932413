"""What readers get: what decides, map layers, notes, and all of it together."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import corridor
from corridor.flows.model import FlowModel
from corridor.flows.results import FlowResults, flow_map, flow_tables
from corridor.geo.geodesy import WGS84
from corridor.interactions.events import events_frame, transliterate
from corridor.interactions.findings import Names, build_findings
from corridor.interactions.regime_effects import ConnectivityTargets, SplitNetwork
from corridor.io.read.borders import Borders
from corridor.io.read.osm import OsmData
from corridor.io.read.places import PlaceNames, Places, name_places
from corridor.io.read.regimes import load_conditions, load_regime_sources
from corridor.io.read.rivers import BorderRiver, rivers_along_borders
from corridor.mcda.matrix import DecisionMatrix
from corridor.metrics.access import Access
from corridor.metrics.cost import CostLine, breakdown_table
from corridor.metrics.limits import DatedStatus, describe_limits, list_statuses, status_note, stray_notes
from corridor.metrics.population import Population
from corridor.metrics.registry import table_columns
from corridor.metrics.terrain import GradeSupport
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Reachability
from corridor.network.driving_times import TimeFit
from corridor.network.graph import Network, Position
from corridor.pipeline.graph import step
from corridor.pipeline.steps.impacts import Pair
from corridor.report.map.ground import LatLon, border_lines, build_relief, draw_ground
from corridor.report.tables import format_number
from corridor.schema.candidate import Candidate, Profile, route_message
from corridor.schema.catalogue import MAIN_ROADS, Crossing, Node, Section
from corridor.schema.column import Criterion
from corridor.schema.fields import Source
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.parameters import DrivingParameters
from corridor.schema.regime import Regime
from corridor.schema.results import (
    CriticalCrossing,
    Event,
    Finding,
    FirstPlaces,
    IfOpened,
    Layers,
    MapGround,
    NamedPlace,
    PanelFacts,
    PerspectiveWords,
    Relief,
    Results,
)
from corridor.schema.settings import Condition
from corridor.schema.study import Focus, ImpactSpec, Place, Study
from corridor.schema.vocabulary import Mode, SectionStatus
from corridor.terrain.surface import Dem

# What decides.


@step()
def targets(
    split: SplitNetwork,
    access: Access,
    study_focus: Focus,
    impact: ImpactSpec,
    border_crossing: Place,
    capital: Place,
    snap_limit_m: float,
) -> ConnectivityTargets:
    """What must stay within reach: the capital from the border crossing, and places."""
    # Places of one name get the number of their row, so that none replaces another; those with no road near can't be
    # lost.
    domain = access.domain
    places = {
        f"{name} ({row + 1})" if (access.places["place"] == name).sum() > 1 else str(name): _on_network(at, domain.rows)
        for row, (name, at) in enumerate(zip(access.places["place"], access.positions, strict=True))
        if at is not None
    }

    def targets_of(vehicle: str) -> ConnectivityTargets:
        # The capital is looked for on roads at home and the crossing on those abroad: the nearest road may lie on the
        # other side of a border river.
        home, abroad, both = (
            split.closed(Mode.ROAD, countries=countries, access=vehicle)
            for countries in ((study_focus.country,), (impact.neighbour,), (study_focus.country, impact.neighbour))
        )
        return ConnectivityTargets(
            network=split,
            closed=both,
            crossing=split.snap(
                border_crossing.lon, border_crossing.lat, abroad, limit_m=snap_limit_m,
                what=f"border_crossing '{border_crossing.name}'",
            ),
            capital=split.snap(capital.lon, capital.lat, home, limit_m=snap_limit_m, what=f"capital '{capital.name}'"),
            places=places,
            access=vehicle,
        )  # fmt: skip

    goods, people = targets_of("truck_access"), targets_of("car_access")
    # Where the law tells no vehicles apart one search answers for both.
    alike = np.array_equal(goods.closed, people.closed) and split.traffic_for(people.access) is split.traffic_for(
        goods.access
    )
    return goods if alike else replace(goods, by_car=people)


def _on_network(at: Position, rows: NDArray[np.int64]) -> Position:
    """A position in a domain's edge numbers as one in its network's."""
    return replace(at, edge=int(rows[at.edge]))


@step()
def names(
    mapped: OsmData | None,
    places: Places | None,
    borders: Borders,
    study_focus: Focus,
    border_crossing: Place,
    capital: Place,
    local_roads: bool,
) -> Names:
    """Names that findings are told with."""
    # Findings say where a crossing is by villages of the map, which are more than the study's places; abroad they would
    # mislead.
    near = mapped.places if mapped is not None and len(mapped.places) else None
    if near is None and places is not None:
        near = places.frame
    country = study_focus.country
    if near is not None:
        # A village across the border would say that an event lies abroad.
        at = borders.country_at(near["lon"], near["lat"])
        near = near[at == country]
    called = borders.names.get(country, country)
    return Names(border_crossing.name, capital.name, country, called, near, local_roads)


@dataclass(frozen=True)
class Decided:
    """A finding for each candidate and regime, and the crossings whose assumed kind decides."""

    findings: tuple[Finding, ...]
    critical: tuple[CriticalCrossing, ...]


@step(says="finding what decides")
def decided(
    candidates: Mapping[str, Candidate],
    regimes: Mapping[str, Regime],
    met: Mapping[str, Sequence[Event]],
    targets: ConnectivityTargets,
    names: Names,
) -> Decided:
    """What decides each candidate under each regime."""
    findings, critical = build_findings(list(candidates.values()), regimes, met, targets, names)
    return Decided(tuple(findings), tuple(critical))


@step()
def event_table(
    regimes: Mapping[str, Regime],
    applicable: Mapping[Pair, tuple[bool, Message]],
    met: Mapping[str, Sequence[Event]],
    decided: Decided,
) -> gpd.GeoDataFrame:
    """What candidates meet, by candidate and regime: the rows of ``crossings.gpkg``."""
    # An event stands once for each set of rules that applies to its route, since what it means and whether it decides
    # hang on them.
    decides = {(d.candidate_id, d.regime_id, d.event_id) for d in decided.critical}
    tables = []
    for candidate_id, events in met.items():
        fitting = [regime_id for regime_id in regimes if applicable[candidate_id, regime_id][0]]
        if not fitting or not events:
            continue
        frame = events_frame(events).iloc[np.tile(np.arange(len(events)), len(fitting))]
        keys = [(candidate_id, regime_id, event.event_id) for regime_id in fitting for event in events]
        tables.append(frame.assign(decisive=[key in decides for key in keys], regime_id=[key[1] for key in keys]))
    if not tables:
        return gpd.GeoDataFrame({"candidate_id": [], "regime_id": []}, geometry=[], crs=WGS84)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=WGS84)


@step()
def impact_notes(local_roads: bool, population: Population, conflation: Conflation) -> tuple[Message, ...]:
    """What a reader must know of the impacts' figures."""
    notes = []
    if not local_roads:
        notes.append(Message("limit.catalogue_alone"))
    if population.unmatched:
        shown = listing(population.unmatched[:12], ListStyle.COMMA)
        notes.append(Message("limit.places_unmatched", {"count": len(population.unmatched), "names": shown}))
    unknown = len(population.unknown)
    if unknown and population.total is not None:
        low, high = (format_number(end, 0) for end in (population.total.low, population.total.high))
        notes.append(Message("limit.population_bounded", {"count": unknown, "low": low, "high": high}))
    elif unknown and unknown == len(population.places):
        notes.append(Message("limit.population_none"))
    elif unknown:
        notes.append(Message("limit.population_unknown", {"count": unknown}))
    return (*notes, _fit_note(conflation.driving.fit))


def _fit_note(fit: TimeFit | None) -> Message:
    if fit is None:
        return Message("limit.times_not_fitted")
    factor = f"{fit.factor:.2f}"
    if not fit.residuals:
        return Message("limit.times_fitted_one", {"factor": factor, "count": len(fit.fitted)})
    # Residuals are logarithms; a reader gets the percentage by which the fit without that journey missed it.
    pairs = zip(fit.fitted, fit.residuals, strict=True)
    missed = ((time.name, f"{np.expm1(off) * 100:+.0f} %".replace("-", "\u2212")) for time, off in pairs)
    left_out = listing(
        (Message("limit.missed_by", {"name": name, "off": off}) for name, off in missed), ListStyle.COMMA
    )
    spread = f"{np.expm1(fit.spread) * 100:.0f}"
    return Message(
        "limit.times_fitted",
        {"factor": factor, "count": len(fit.fitted), "left_out": left_out, "spread_pct": spread},
    )


@dataclass(frozen=True)
class Impacts:
    """What reports show of impacts beside the metric table."""

    regimes: tuple[Regime, ...]
    findings: tuple[Finding, ...]
    events: gpd.GeoDataFrame
    places: pd.DataFrame
    strips: gpd.GeoDataFrame
    notes: tuple[Message, ...]


@step()
def impacts(
    regimes: Mapping[str, Regime],
    place_effects: pd.DataFrame,
    strips: gpd.GeoDataFrame,
    decided: Decided,
    event_table: gpd.GeoDataFrame,
    impact_notes: tuple[Message, ...],
) -> Impacts | None:
    """All of it; given as None where the study measures none."""
    return Impacts(tuple(regimes.values()), decided.findings, event_table, place_effects, strips, impact_notes)


# What maps and pages show.


@step()
def named_places(shown_places: Places | None, place_names: PlaceNames, mapped: OsmData | None) -> list[dict[str, str]]:
    """Names by language of each place that maps show."""
    return name_places(shown_places.frame, place_names, mapped.places if mapped else None) if shown_places else []


@step()
def relief(dem: Dem) -> Relief:
    """The picture of the heights that maps are drawn on."""
    return build_relief(dem.heights_m, dem.grid)


@step()
def drawn_borders(borders: Borders, relief: Relief) -> list[LatLon]:
    """Borders as maps draw them."""
    return border_lines(borders.countries, relief.bounds)


@step()
def layers(
    dem: Dem,
    borders: Borders,
    shown_places: Places | None,
    named_places: list[dict[str, str]],
    border_rivers: tuple[BorderRiver, ...],
    mapped: OsmData | None,
    crossings_then: Mapping[str, Crossing],
    nodes: Mapping[str, Node],
    sections_then: Mapping[str, Section],
    conflation: Conflation,
    impact: ImpactSpec | None,
    focus_region: shapely.Geometry,
) -> Layers:
    """What maps show beside the candidates."""
    listed = list(crossings_then.values())
    # All crossings of the study are shown, also those that no route passes: where a border is shut is part of the map.
    gates = gpd.GeoDataFrame(
        {
            "crossing_id": [c.crossing_id for c in listed],
            "name": [c.name for c in listed],
            "mode": [c.mode for c in listed],
            "status": [c.status for c in listed],
            "as_of": [c.as_of for c in listed],
            "countries": ["-".join(sorted(c.countries)) for c in listed],
        },
        geometry=gpd.points_from_xy([c.lon for c in listed], [c.lat for c in listed]),
        crs=WGS84,
    )
    shown = gpd.GeoDataFrame({"name": [], "country": [], "population": [], "names": []}, geometry=[], crs=WGS84)
    if shown_places:
        shown = shown_places.frame.assign(names=named_places)
    # Without mapped rivers the one that a reader needs most, along the border, is drawn from the border itself.
    rivers = mapped.rivers if mapped is not None and len(mapped.rivers) else None
    return Layers(
        heights_m=dem.heights_m,
        grid=dem.grid,
        countries=borders.countries,
        places=shown,
        crossings=gates,
        focus=focus_region,
        axes=_axis_table(sections_then, conflation, impact),
        named=tuple(NamedPlace(n.place, n.aliases, n.lon, n.lat) for n in nodes.values() if n.aliases),
        rivers=rivers_along_borders(border_rivers, borders.countries) if rivers is None else _spelled(rivers),
        rivers_from_borders=rivers is None,
        roads=_main_roads(conflation),
    )


@step()
def map_ground(layers: Layers, relief: Relief, drawn_borders: list[LatLon]) -> MapGround:
    """What is drawn under the routes on maps."""
    return draw_ground(layers, relief, drawn_borders)


def _spelled(rivers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rivers with their names in Latin letters, as roads have them; a name in Armenian ones is kept as such."""
    latin = [transliterate(str(name)) for name in rivers["name"]]
    names = [
        ({} if plain == name else {"hy": str(name)}) | dict(known)
        for name, plain, known in zip(rivers["name"], latin, rivers["names"], strict=True)
    ]
    return rivers.assign(name=latin, names=names)


def _main_roads(conflation: Conflation) -> gpd.GeoDataFrame:
    """Roads of the upper classes that are open, with number and name, for the ground of the map."""
    edges = conflation.network.edges
    upper = edges["class"].str.removesuffix("_link").isin(MAIN_ROADS)
    shown = edges[
        (edges["mode"] == Mode.ROAD) & (edges["status"] == SectionStatus.OPEN) & upper & (edges["border"] == "")
    ]
    return shown[["class", "ref", "name", "geometry"]].reset_index(drop=True)


def _axis_table(sections: Mapping[str, Section], conflation: Conflation, impact: ImpactSpec | None) -> gpd.GeoDataFrame:
    """The study's axes, a row per section, on the map where they are mapped."""
    rows, lines = [], []
    for axis in impact.axes if impact else ():
        for key in axis.sections:
            match = conflation.matches.get(key)
            rows.append({"axis_id": axis.id, "name": axis.name, "status": sections[key].status})
            # A section that was found on the map is drawn as it runs there.
            lines.append(match.line if match else sections[key].line)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=["axis_id", "name", "status"]), geometry=lines, crs=WGS84)


@step()
def statuses(
    sections: Mapping[str, Section], crossings: Mapping[str, Crossing], regimes: Mapping[str, Regime]
) -> tuple[DatedStatus, ...]:
    """Every status with its date."""
    return list_statuses(sections.values(), crossings.values(), regimes.values())


@step()
def notes(
    candidates: Mapping[str, Candidate],
    dem: Dem,
    grades: GradeSupport,
    found_again: tuple[Message, ...],
    reach: Sequence[Reachability],
    conflation: Conflation,
    places: Places | None,
    borders: Borders,
    mapped: OsmData | None,
    matrix: DecisionMatrix,
    profiles: Mapping[str, Profile],
    impacts: Impacts | None,
    statuses: Sequence[DatedStatus],
    study: Study,
    sections: Mapping[str, Section],
    driving_parameters: DrivingParameters,
) -> dict[str, tuple[Value, ...]]:
    """What a reader needs to judge the figures, by subject."""
    # Notes of the network name sections by id, as their tables do; readers know names.
    threshold_m = driving_parameters.ascent_threshold_m
    found = describe_limits(
        list(candidates.values()), dem, grades, reach, conflation, places, borders.names, threshold_m
    )
    named = {key: section.name for key, section in sections.items()}
    found = {subject: tuple(_by_name(note, named) for note in said) for subject, said in found.items()}
    remarks = mapped.remarks if mapped is not None else ()
    # held against the study's own date, so that results of another day are the same; doctor goes by the clock
    found["statuses"] = status_note(statuses, study.as_of)
    bridged = {key: profile.bridged_m / 1000 for key, profile in profiles.items() if profile.bridged_m > 0}
    if bridged:
        lengths = (
            Message("limit.length_of", {"name": route_message(candidates[key]), "km": f"{km:.1f}"})
            for key, km in bridged.items()
        )
        shown = listing(lengths, ListStyle.COMMA)
        found["heights"] = (*found["heights"], Message("limit.heights_bridged", {"routes": shown}))
    unmeasured_km = _km_without_heights(conflation.network, dem, study.focus.country)
    if unmeasured_km > _FEW_KM:
        found["heights"] = (*found["heights"], Message("limit.level_roads", {"km": f"{unmeasured_km:.0f}"}))
    if not len(borders.countries):
        found["open roads"] = (*found["open roads"], Message("limit.no_borders"))
    found["open roads"] += (*stray_notes(candidates.values(), borders), *found_again)
    found["map data"] = (*remarks, *borders.remarks, *borders.overlaps)
    return found | {"scoring": matrix.notes, "impacts": impacts.notes if impacts else ()}


_FEW_KM = 1.0
"""Roads without heights that are worth no note, in all. Declared."""


def _km_without_heights(network: Network, dem: Dem, country: str) -> float:
    """Roads of a country (of all, where none is named) that the elevation model doesn't reach, in kilometres."""
    edges = network.edges
    here = edges["country"].isin([country]) if country else True
    roads = ((edges["mode"] == Mode.ROAD) & here & ~network.is_border).to_numpy()
    nodes = np.unique(edges.loc[roads, ["u", "v"]].to_numpy())
    known = np.ones(network.n_nodes, dtype=bool)
    known[nodes] = np.isfinite(dem.sample(network.node_lon[nodes], network.node_lat[nodes]))
    u, v = (edges[name].to_numpy()[roads] for name in ("u", "v"))
    return float(edges["length_m"].to_numpy()[roads][~(known[u] & known[v])].sum() / 1000)


def _by_name(note: Value, sections: Mapping[str, str]) -> Value:
    """A note that tells a section by its id, with the section's name instead."""
    if not isinstance(note, Message) or note.values.get("section_id") not in sections:
        return note
    return replace(note, values={**note.values, "section_id": sections[str(note.values["section_id"])]})


@step()
def conditions(
    study: Study, documents: Mapping[str, Source], regime_documents: Mapping[str, Source]
) -> tuple[Condition, ...]:
    """Conditions that the study holds its routes against; none where it names no file of them."""
    if study.report.conditions is None:
        return ()
    return load_conditions(study.path(study.report.conditions), {*documents, *regime_documents})


@step()
def cited(
    study: Study,
    documents: Mapping[str, Source],
    regime_documents: Mapping[str, Source],
    candidates: Mapping[str, Candidate],
    impacts: Impacts | None,
    conditions: tuple[Condition, ...],
    flow_model: FlowModel | None,
) -> tuple[Source, ...]:
    """Documents that candidates, regimes, conditions and long-distance tables rest on, of all files that name them."""
    # Ids of sources are looked up in every file that may hold them.
    carried = dict(flow_model.tables.sources) if flow_model else {}
    known = carried | dict(documents) | dict(regime_documents)
    if study.report.conditions:
        known |= load_regime_sources(study.path(study.report.conditions))
    used = {source for candidate in candidates.values() for source in candidate.source_ids}
    # Delays have sources of their own, which no candidate names.
    passed = (side for candidate in candidates.values() for gate in candidate.passages for side in gate.sides)
    used |= {source for side in passed for source in side.source_ids}
    used |= {source for regime in impacts.regimes for _, source in regime.cited} if impacts else set()
    used |= {condition.source_id for condition in conditions}
    used |= {row.source_id for condition in conditions for row in condition.indicators if row.source_id}
    used |= set(carried)
    return tuple(source for key, source in known.items() if key in used)


@step()
def cost_table(candidates: Mapping[str, Candidate], cost_bills: Mapping[str, Sequence[CostLine]]) -> pd.DataFrame:
    """What candidates are priced by, line by line: the rows of ``cost_breakdown.csv``."""
    return breakdown_table({key: cost_bills[key] for key in candidates})


@step()
def asked_as(
    study: Study,
    osm_path: Path | None,
    dem_paths: tuple[Path, ...],
    data_sources: tuple[Source, ...],
    as_if_opened: bool,
) -> str:
    """What people type to compute the same again: the study with the files given beside it, by their names."""
    fetched = {source.source_id for source in data_sources if source.fetched}
    given = [("osm", "--osm", osm_path)] if osm_path else []
    given += [("elevation", "--dem", path) for path in dem_paths]
    files = (word for role, flag, path in given if role not in fetched for word in (flag, path.name))
    live, opened = ["--live"] if fetched else [], ["--as-if-opened"] if as_if_opened else []
    return shlex.join([study.asked_as, *live, *files, *opened])


@step()
def results(
    study: Study,
    asked_as: str,
    candidates: Mapping[str, Candidate],
    profiles: Mapping[str, Profile],
    metrics: pd.DataFrame,
    cost_table: pd.DataFrame,
    impacts: Impacts | None,
    matrix: DecisionMatrix,
    rankings: Mapping[str, pd.DataFrame],
    criteria: tuple[Criterion, ...],
    perspective_words: tuple[PerspectiveWords, ...],
    data_sources: tuple[Source, ...],
    rules: Mapping[str, str],
    cited: tuple[Source, ...],
    layers: Layers,
    notes: dict[str, tuple[Value, ...]],
    flows: FlowResults | None,
    flow_model: FlowModel | None,
    conditions: tuple[Condition, ...],
    panels: tuple[PanelFacts, ...],
    first_places: FirstPlaces,
    as_if_opened: bool,
    if_opened: IfOpened | None,
) -> Results:
    """Everything that reports are made from."""
    # One long table for all points of view, told apart by a column: files and page filter it.
    ranking = pd.concat([table.assign(perspective=name) for name, table in rankings.items()], ignore_index=True)
    return Results(
        study_id=study.id,
        asked_as=asked_as,
        title=study.title,
        question=study.question,
        as_of=study.as_of,
        baseline=f"{study.baseline}: {study.chosen_baseline.name}",
        version=corridor.__version__,
        area=study.area,
        focus_id=study.focus.id,
        focus_name=study.focus.name,
        candidates=tuple(candidates.values()),
        profiles=dict(profiles),
        metrics=metrics,
        columns=table_columns(metrics),
        cost_lines=cost_table,
        ranking=ranking,
        excluded=matrix.excluded,
        criteria=criteria,
        perspectives=perspective_words,
        default_perspective=study.default_perspective,
        sources=data_sources,
        rules=dict(rules),
        documents=cited,
        layers=layers,
        notes=notes | ({"flows": flows.notes} if flows and flows.notes else {}),
        flows=flow_tables(flows) if flows else {},
        flow_map=flow_map(flow_model.tables, flows) if flow_model and flows else None,
        regimes=impacts.regimes if impacts else (),
        findings=impacts.findings if impacts else (),
        events=impacts.events if impacts else None,
        place_effects=impacts.places if impacts else None,
        strips=impacts.strips if impacts else None,
        report=study.report,
        conditions=conditions,
        neighbour=study.impact.neighbour if study.impact else "",
        panels=panels,
        first_places=first_places,
        as_if_opened=as_if_opened,
        if_opened=if_opened,
    )
