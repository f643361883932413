"""The network of a dated baseline: what is on the map, what the catalogue adds, and who controls what."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from corridor.errors import NetworkError
from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.borders import Borders
from corridor.io.read.catalogue import Catalogue
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
    find_contradictions,
    mostly_used,
    sections_by_edge,
)
from corridor.network.graph import Network, Position
from corridor.network.match import Match, match_section, node_position
from corridor.network.ways import Ways
from corridor.schema.catalogue import THROUGH_CLASSES, Section
from corridor.terrain.surface import Dem

MAX_DEVIATION = 0.25
MAX_DRAWN_DEVIATION = 0.6


@dataclass(frozen=True)
class Conflation:
    """A network and how the catalogue's sections lie on it.

    ``matches`` are sections found on mapped ways; ``schematic`` says why the others that should be there are drawn by
    their waypoints. ``joins`` lists small railway gaps that were closed and breaks of gauge, ``contradictions`` where
    the map and the catalogue say different things of a road.
    """

    network: Network
    matches: dict[str, Match]
    schematic: dict[str, str]
    joins: tuple[str, ...]
    contradictions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConflatedWays:
    """Where ways and the catalogue's sections lie at a date: what speeds, border crossings and heights don't change.

    ``country_of_edge`` is what sections say about the edges that they run over; the rest as in :class:`Conflation`.
    """

    as_of: str
    physical: Physical
    matches: dict[str, Match]
    schematic: dict[str, str]
    country_of_edge: dict[int, str]
    joins: tuple[str, ...]
    contradictions: tuple[str, ...] = ()


def build_conflation(
    catalogue: Catalogue,
    borders: Borders,
    dem: Dem | None,
    osm: OsmData | None,
    *,
    as_of: str,
    grade_effect: bool,
    through_classes: Collection[str] = THROUGH_CLASSES,
    progress: Callable[[str], None],
) -> Conflation:
    """Build the network as it was at a date (ISO, ``2021-08`` or longer).

    With OpenStreetMap data, sections that it shows are looked up on it and the others are put to it; without, the
    catalogue's sections are the network.
    """
    layout = conflate(catalogue, borders, osm, as_of=as_of, through_classes=through_classes, progress=progress)
    return build_on_ways(layout, catalogue, borders, dem if grade_effect else None)


def conflate(
    catalogue: Catalogue,
    borders: Borders,
    osm: OsmData | None,
    *,
    as_of: str,
    through_classes: Collection[str] = THROUGH_CLASSES,
    progress: Callable[[str], None],
) -> ConflatedWays:
    """Join ways and the catalogue's sections into edges, as they were at a date.

    Args:
        catalogue: sections and nodes.
        borders: for roads that go on in another country.
        osm: the map; without it the catalogue's sections are all there is.
        as_of: the date.
        through_classes: classes of roads that carry through traffic.
        progress: told what is being done.
    """
    sections = {key: dated(section, as_of) for key, section in catalogue.sections.items()}
    if osm is None:
        physical = build_physical(ways_of_sections(list(sections.values())))
        return ConflatedWays(as_of, apply_documents(physical, {}, sections, through_classes), {}, {}, {}, ())
    progress("joining ways into a network")
    ways = _with_additions(ways_of_osm(osm), sections, catalogue)
    ways = cut_ways(ways, borders, list(catalogue.crossings.values()))
    physical = build_physical(ways, borders)
    progress("finding the catalogue's sections on the map")
    bare = Network(physical.edges, physical.node_lon, physical.node_lat)
    matches, schematic = _match_all(bare, sections, catalogue)
    decided = {
        edge: sections[key].control or sections[key].country
        for key, match in matches.items()
        if sections[key].mode == "road"
        for edge in mostly_used(bare, match)
    }
    owners = sections_by_edge(bare, matches, sections)
    physical = apply_documents(physical, owners, sections, through_classes)
    contradictions = find_contradictions(bare, owners, sections)
    return ConflatedWays(as_of, physical, matches, schematic, decided, ways.joins, contradictions)


def build_on_ways(layout: ConflatedWays, catalogue: Catalogue, borders: Borders, dem: Dem | None) -> Conflation:
    """The routable network over a layout: times, countries and border crossings; ``dem`` slows climbs if given.

    ``catalogue`` may differ in speeds and crossings from the one that the layout was made with.
    """
    sections = {key: dated(section, layout.as_of) for key, section in catalogue.sections.items()}
    network = build_network(
        layout.physical,
        borders,
        list(catalogue.crossings.values()),
        catalogue.speeds,
        dem,
        sections=sections,
        country_of_edge=layout.country_of_edge,
    )
    return Conflation(network, layout.matches, layout.schematic, layout.joins, layout.contradictions)


def _deviation(section: Section, match: Match) -> str:
    """Why a way found can't be the section, by its length; '' if it can."""
    if section.length_km:
        expected, limit, what = section.length_km.mid, MAX_DEVIATION, "documented"
    else:
        expected, limit, what = float(line_lengths_m([section.line])[0]) / 1000, MAX_DRAWN_DEVIATION, "drawn"
    if abs(match.length_km / expected - 1) <= limit:
        return ""
    return f"the way found is {match.length_km:.1f} km long, {what} are {expected:.1f} km"


def _with_additions(ways: Ways, sections: dict[str, Section], catalogue: Catalogue) -> Ways:
    added = [section for section in sections.values() if not section.follows_osm]
    return add_sections(ways, added, catalogue.nodes, limit_m=2000.0)


def _match_all(
    bare: Network, sections: dict[str, Section], catalogue: Catalogue
) -> tuple[dict[str, Match], dict[str, str]]:
    """Sections on the map, in the edge numbers of the physical network, which later steps keep."""
    matches: dict[str, Match] = {}
    schematic: dict[str, str] = {}
    positions: dict[tuple[str, str], Position] = {}

    def position(node_id: str, mode: str) -> Position:
        if (node_id, mode) not in positions:
            positions[node_id, mode] = node_position(bare, catalogue.nodes[node_id], mode)
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
