"""The network of a dated baseline: what is on the map, what the catalogue adds, and who controls what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from corridor.errors import NetworkError
from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.borders import Borders
from corridor.io.read.osm import OsmData
from corridor.network.conflate_ways import (
    Physical,
    add_sections,
    build_network,
    build_physical,
    cut_ways,
    ways_of_osm,
    ways_of_sections,
)
from corridor.network.documented import (
    apply_documents,
    dated,
    describe_limits_of_vehicles,
    find_contradictions,
    mostly_used,
    sections_by_edge,
)
from corridor.network.driving_times import CAR, TRUCK, Driving, time_edges
from corridor.network.graph import MINUTES, Network, Position
from corridor.network.match import Match, match_section, node_position
from corridor.network.time_fit import TimeFit, fit_time_factor, time_journeys
from corridor.network.ways import Ways
from corridor.schema.catalogue import THROUGH_CLASSES, Crossing, Node, Section
from corridor.schema.driving import DrivingModel
from corridor.schema.message import Message, Value
from corridor.schema.study import TimeSpec
from corridor.schema.vocabulary import Mode
from corridor.terrain.surface import Dem

MAX_DEVIATION = 0.25
MAX_DRAWN_DEVIATION = 0.6


@dataclass(frozen=True)
class Conflation:
    """A network and how the catalogue's sections lie on it.

    ``matches`` are sections found on mapped ways; ``schematic`` says why the others that should be there are drawn by
    their waypoints. ``joins`` lists small railway gaps that were closed and breaks of gauge, ``contradictions`` where
    the map and the catalogue say different things of a road, and documented limits that the truck exceeds. ``driving``
    is what the minutes of the network were made of.
    """

    network: Network
    matches: dict[str, Match]
    schematic: dict[str, Value]
    joins: tuple[Message, ...]
    driving: Driving
    contradictions: tuple[Message, ...] = ()


@dataclass(frozen=True)
class ConflatedWays:
    """Where ways and the catalogue's sections lie at a date: what speeds, border crossings and heights don't change.

    ``country_of_edge`` is what sections say about the edges that they run over; the rest as in :class:`Conflation`.
    """

    physical: Physical
    matches: dict[str, Match]
    schematic: dict[str, Value]
    country_of_edge: dict[int, str]
    joins: tuple[Message, ...]
    contradictions: tuple[Message, ...] = ()


def dated_sections(sections: Mapping[str, Section], as_of: str) -> dict[str, Section]:
    """Sections as they were on a date; see :func:`~corridor.network.documented.dated`.

    Args:
        sections: by id.
        as_of: ISO date, ``2021-08`` or longer.
    """
    return {key: dated(section, as_of) for key, section in sections.items()}


def conflate(
    sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    crossings: Mapping[str, Crossing],
    borders: Borders,
    osm: OsmData | None,
    *,
    through_classes: Collection[str] = THROUGH_CLASSES,
    enforce_limits: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> ConflatedWays:
    """Join ways and the catalogue's sections into edges.

    With OpenStreetMap data, sections that it shows are looked up on it and the others are put to it; without, the
    catalogue's sections are the network.

    Args:
        sections: as they were at a date (:func:`dated_sections`); their speeds don't matter here.
        nodes: of the catalogue, by id.
        crossings: where ways are cut that cross a border there, open or not.
        borders: where ways leave a country.
        osm: mapped ways, if any.
        through_classes: classes of roads that carry through traffic.
        enforce_limits: whether a limit below the truck's mass or height closes a road to trucks.
        progress: called with a few words at the start of each part.
    """
    limits = describe_limits_of_vehicles(sections, enforced=enforce_limits)
    if osm is None:
        physical = build_physical(ways_of_sections(list(sections.values())))
        physical = apply_documents(physical, {}, sections, through_classes, enforce_limits=enforce_limits)
        return ConflatedWays(physical, {}, {}, {}, (), limits)
    progress("joining ways into a network")
    ways = _with_additions(ways_of_osm(osm), sections, nodes)
    ways = cut_ways(ways, borders, list(crossings.values()))
    physical = build_physical(ways, borders)
    progress("finding the catalogue's sections on the map")
    bare = Network(physical.edges, physical.node_lon, physical.node_lat)
    matches, schematic = _match_all(bare, sections, nodes)
    decided = {
        edge: sections[key].control or sections[key].country
        for key, match in matches.items()
        if sections[key].mode == Mode.ROAD
        for edge in mostly_used(bare, match)
    }
    owners = sections_by_edge(bare, matches, sections)
    physical = apply_documents(physical, owners, sections, through_classes, enforce_limits=enforce_limits)
    contradictions = find_contradictions(bare, owners, sections) + limits
    return ConflatedWays(physical, matches, schematic, decided, ways.joins, contradictions)


def build_on_ways(
    ways: ConflatedWays,
    sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    crossings: Mapping[str, Crossing],
    model: DrivingModel,
    borders: Borders,
    dem: Dem | None,
    times: Sequence[TimeSpec] = (),
) -> Conflation:
    """The routable network over conflated ways: times, countries and border crossings.

    Args:
        ways: from :func:`conflate`.
        sections: those that the ways were conflated with; they may differ in speeds.
        nodes: between which documented journeys run.
        crossings: which borders may be passed.
        model: what driving times are computed with.
        borders: polygons of countries.
        dem: the elevation model that slows climbs; None leaves all roads level.
        times: documented journeys that driving times are fitted to.

    Raises:
        NetworkError: a documented journey can't be made on the network.
    """
    physical = ways.physical
    plain = time_edges(
        physical.edges, len(physical.node_lon), model, dem, ways.matches, sections,
        vehicles=[time.vehicle for time in times],
    )  # fmt: skip
    network = build_network(
        physical, borders, list(crossings.values()), plain, sections=sections, country_of_edge=ways.country_of_edge
    )
    driving = Driving(model, plain, None)
    if times:
        on_map = bool((physical.edges["section_id"] == "").any())
        fit = fit_time_factor(time_journeys(times, network, nodes, plain.minutes, on_map=on_map))
        driving = Driving(model, plain, fit)
        network = network.with_edges(_scaled(network, fit))
    return Conflation(network, ways.matches, ways.schematic, ways.joins, driving, ways.contradictions)


def _scaled(network: Network, fit: TimeFit) -> gpd.GeoDataFrame:
    """The edges with the minutes of roads multiplied by the fitted factors; passages of borders keep theirs."""
    edges = network.edges
    roads = ((edges["mode"] == Mode.ROAD) & ~network.is_border).to_numpy()
    factors = dict(zip(MINUTES, (TRUCK, TRUCK, CAR, CAR), strict=True))
    columns = {
        name: np.where(roads, edges[name].to_numpy() * fit.factor_of(vehicle), edges[name].to_numpy())
        for name, vehicle in factors.items()
    }
    return edges.assign(**columns)


def _deviation(section: Section, match: Match) -> Message | None:
    """Why a way found can't be the section, by its length; None if it can."""
    if section.length_km:
        expected, limit = section.length_km.mid, MAX_DEVIATION
    else:
        expected, limit = float(line_lengths_m([section.line])[0]) / 1000, MAX_DRAWN_DEVIATION
    if abs(match.length_km / expected - 1) <= limit:
        return None
    found_km, expected_km = f"{match.length_km:.1f}", f"{expected:.1f}"
    if section.length_km:
        return Message("join.not_documented_length", {"found_km": found_km, "expected_km": expected_km})
    return Message("join.not_drawn_length", {"found_km": found_km, "expected_km": expected_km})


def _with_additions(ways: Ways, sections: Mapping[str, Section], nodes: Mapping[str, Node]) -> Ways:
    added = [section for section in sections.values() if not section.follows_osm]
    return add_sections(ways, added, nodes, limit_m=2000.0)


def _match_all(
    bare: Network, sections: Mapping[str, Section], nodes: Mapping[str, Node]
) -> tuple[dict[str, Match], dict[str, Value]]:
    """Sections on the map, in the edge numbers of the physical network, which later steps keep."""
    matches: dict[str, Match] = {}
    schematic: dict[str, Value] = {}
    positions: dict[tuple[str, str], Position] = {}

    def position(node_id: str, mode: str) -> Position:
        if (node_id, mode) not in positions:
            positions[node_id, mode] = node_position(bare, nodes[node_id], mode)
        return positions[node_id, mode]

    for key, section in sections.items():
        if not section.follows_osm:
            continue
        try:
            ends = position(section.from_node, section.mode), position(section.to_node, section.mode)
            match = match_section(bare, section, *ends)
        except NetworkError as fault:
            schematic[key] = str(fault)
            continue
        if wrong := _deviation(section, match):
            schematic[key] = wrong
            continue
        matches[key] = match
    return matches, schematic
