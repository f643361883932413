"""The network of a dated baseline: what is on the map, what the catalogue adds and closes, and who controls what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.borders import Borders
from corridor.io.read.osm import OsmData
from corridor.network.conflate_ways import (
    Physical,
    add_sections,
    build_physical,
    cut_ways,
    time_network,
    ways_of_osm,
    ways_of_sections,
)
from corridor.network.driving_times import (
    Driving,
    SurveyedEdges,
    TimeFit,
    fit_time_factor,
    lay_edges,
    survey_edges,
    time_edges,
    time_journeys,
)
from corridor.network.graph import Network, Position
from corridor.network.map_matching import Match, match_section, node_position, part_lengths_km
from corridor.network.road_survey import RoadCourses, RoadSurvey
from corridor.network.ways import Ways
from corridor.schema.catalogue import (
    THROUGH_CLASSES,
    TRUCK_OF_LIMIT,
    BorderDelays,
    Crossing,
    Node,
    Section,
    VehicleLimit,
)
from corridor.schema.fields import lies_after
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.parameters import DrivingModel, DrivingParameters
from corridor.schema.study import TimeSpec
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus
from corridor.terrain.surface import Dem

# --- What the catalogue documents about roads that the map shows: which are closed, and which carry through
#     traffic ---
# A map shows a road for as long as its surface lies there; that nobody may use it is known from documents. So a road
# that the catalogue documents as closed is closed on the map too, however new the map is, until a later row of the
# catalogue documents it as open. Where map and catalogue contradict each other is listed.

_SHUT = (SectionStatus.CLOSED, SectionStatus.UNKNOWN)
_WORDS_OF_LIMIT = {
    "max_weight_t": "limit.of_weight",
    "max_height_m": "limit.of_height",
    "max_width_m": "limit.of_width",
    "max_length_m": "limit.of_length",
    "max_axle_t": "limit.of_axle",
}
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def dated(section: Section, as_of: str) -> Section:
    """A section as it was on a date (ISO, ``2021-08`` or longer).

    It wasn't open before ``opened``, not yet closed (or unknown, disused, abandoned) before ``closed``, and nobody
    else's before ``control_from``; works weren't as far as a later document says.
    """
    # Rows describe the present. What happened after the date is taken back, one fact at a time.
    status, works = _status_then(section, as_of), section.works
    if status != section.status:
        works = replace(works, stated=None)
    if lies_after(works.progress_as_of, as_of):
        works = replace(works, progress_pct=None, progress_as_of="", progress_source_ids=())
    control = "" if lies_after(section.control_from, as_of) else section.control
    return replace(section, status=status, works=works, control=control)


def _status_then(section: Section, as_of: str) -> SectionStatus:
    """The status after the last of the openings and closures that a date has seen."""
    present = section.status
    is_open = present == SectionStatus.OPEN
    # Of ways that are to be built, the day of opening is yet to come.
    opening = ("" if present.is_unbuilt else section.opened, SectionStatus.OPEN)
    closure = (section.closed, SectionStatus.CLOSED if is_open else present)
    # Of both the one that left the status came last, even where both are of one year.
    events = [event for event in ((closure, opening) if is_open else (opening, closure)) if event[0]]
    past = [status for date, status in events if not lies_after(date, as_of)]
    if len(past) == len(events):
        return present
    if past:
        return past[-1]
    return SectionStatus.CONSTRUCTION if events[0][1] == SectionStatus.OPEN else SectionStatus.OPEN


def mostly_used(network: Network, match: Match) -> list[int]:
    """Edges that a match runs over by more than half: a section says nothing about the rest."""
    # The route is cut at its ends, where the section begins inside an edge.
    lengths = network.edges["length_m"].to_numpy()[list(match.route.edges)] / 1000
    used = part_lengths_km(network, match.route) > lengths / 2
    return [edge for edge, much in zip(match.route.edges, used, strict=True) if much]


def sections_by_edge(network: Network, matches: Mapping[str, Match], sections: Mapping[str, Section]) -> dict[int, str]:
    """The road section that documents each mapped edge; of several the one of the edge's class, then the latest row.

    A lesser road is documented to the middle of its junction with a greater one, so that its row reaches over a few
    metres of that road: what closes the one doesn't close the other. The date of a row is when the section was opened
    or closed, else when its status was documented. Of rows of one date one that closes counts: a road that is closed on
    a part of its length leads nowhere. Rows of roads that are planned or being built say nothing about what the map
    shows.

    Args:
        network: of mapped ways.
        matches: sections found on the map, by id.
        sections: of the catalogue, by id.
    """
    found: dict[int, str] = {}
    classes = network.edges["class"].to_numpy()
    for key, match in matches.items():
        section = sections[key]
        if section.mode != Mode.ROAD or section.status not in {SectionStatus.OPEN, *_SHUT}:
            continue
        for edge in mostly_used(network, match):
            # A later row replaces an earlier one only if it weighs more, so that the order of the table decides nothing
            # but ties.
            if edge not in found or _weight(sections[key], classes[edge]) > _weight(
                sections[found[edge]], classes[edge]
            ):
                found[edge] = key
    return found


def _weight(section: Section, edge_class: str) -> tuple[bool, str, bool, bool]:
    # Compared from left to right: class before date, date before closure, and closed before unknown.
    changed = section.closed if section.status in _SHUT else section.opened
    date, shut = changed or section.as_of, section.status in _SHUT
    return section.road_class == edge_class, date, shut, section.status == SectionStatus.CLOSED


def apply_documents(
    physical: Physical,
    section_of_edge: Mapping[int, str],
    sections: Mapping[str, Section],
    through_classes: Collection[str],
    *,
    enforce_limits: bool = False,
) -> Physical:
    """Edges with what the catalogue says of them: ``documented_in``, ``status``, limits of vehicles and ``through``.

    Open edges of a section that is closed, or of which nobody documents that it is open, get its status. Through
    traffic runs on the catalogue's sections and on roads of the through classes (a link ranks with its road) that
    aren't for local traffic only; railways carry through traffic whatever their class. A limit below the truck's mass
    or measures is kept and reported; with ``enforce_limits`` it closes the road to trucks.

    Args:
        physical: the edges.
        section_of_edge: the section that documents each edge.
        sections: of the catalogue, by id.
        through_classes: classes of roads that carry through traffic.
        enforce_limits: whether a limit below the truck's closes a road to trucks.
    """
    edges = physical.edges
    documented = edges["section_id"].to_numpy().astype(object)
    status = edges["status"].to_numpy().astype(object)
    for edge, key in section_of_edge.items():
        documented[edge] = key
        if sections[key].status in _SHUT and status[edge] == SectionStatus.OPEN:
            status[edge] = sections[key].status.value
    edges = _with_limits(edges.assign(documented_in=documented, status=status), sections)
    if enforce_limits:
        access = np.where(exceeds_limits(edges), RoadAccess.NO.value, edges["truck_access"].to_numpy().astype(object))
        edges = edges.assign(truck_access=access)
    return replace(physical, edges=edges.assign(through=carries_through_traffic(edges, through_classes)))


def _with_limits(edges: gpd.GeoDataFrame, sections: Mapping[str, Section]) -> gpd.GeoDataFrame:
    """Edges with the lower of the signed and the documented limit."""
    # Sign and document may both be right, of two places of one section: the stricter one counts for all of it.
    limits = {key: section.limit for key, section in sections.items() if section.limit is not None}
    for column in TRUCK_OF_LIMIT:
        documented = {key: getattr(limit, column) for key, limit in limits.items()}
        known = {key: value for key, value in documented.items() if value is not None}
        if not known:
            continue
        stated = edges["documented_in"].map(known)
        least = np.fmin(edges[column].to_numpy(dtype=float), stated.to_numpy(dtype=float))
        edges = edges.assign(**{column: least})
    return edges


def exceeds_limits(edges: gpd.GeoDataFrame) -> Bools:
    """Which edges have a limit that the truck exceeds, shape (n_edges,)."""
    # No limit is NaN, and a comparison with NaN is false: unlimited edges need no case of their own.
    over = [edges[column].to_numpy(dtype=float) < truck for column, truck in TRUCK_OF_LIMIT.items()]
    return np.asarray(np.logical_or.reduce(over))


def exceeding(network: Network) -> Bools:
    """Which edges of a network have a limit that the truck exceeds, shape (n_edges,).

    Args:
        network: any.
    """
    return network.share("exceeding", lambda: exceeds_limits(network.edges))


def truck_exceeds(limit: VehicleLimit | None) -> bool:
    """Whether the truck is more in any measure than a documented limit allows."""
    stated = ((getattr(limit, column, None), truck) for column, truck in TRUCK_OF_LIMIT.items())
    return any(most is not None and most < truck for most, truck in stated)


def describe_limits_of_vehicles(sections: Mapping[str, Section], *, enforced: bool) -> tuple[Message, ...]:
    """Documented limits that the truck exceeds, one message each.

    Args:
        sections: of the catalogue, by id.
        enforced: whether the study closes such roads to trucks.
    """
    said = []
    for key, section in sections.items():
        limit = section.limit
        if limit is None or not truck_exceeds(limit):
            continue
        over: list[Value] = [
            Message(_WORDS_OF_LIMIT[column], {"limit": f"{most:g}", "truck": f"{truck:g}"})
            for column, truck in TRUCK_OF_LIMIT.items()
            if (most := getattr(limit, column)) is not None and most < truck
        ]
        since = Message("limit.since", {"date": limit.as_of}) if limit.as_of else Message("limit.undated")
        what = Message("limit.enforced") if enforced else Message("limit.reported")
        said.append(
            Message(
                "limit.of_section",
                {"section_id": key, "limits": listing(over, ListStyle.AND), "since": since, "what": what},
            )
        )
    return tuple(said)


def carries_through_traffic(edges: gpd.GeoDataFrame, through_classes: Collection[str]) -> Bools:
    """Which edges may be driven on the way to somewhere else by who may drive through, shape (n_edges,)."""
    # A documented section carries through traffic whatever its class on the map; railways and passages aren't meant by
    # the rule.
    in_class = edges["class"].isin([c for c in edges["class"].unique() if c.removesuffix("_link") in through_classes])
    through = in_class | (edges["documented_in"] != "") | (edges["mode"] != Mode.ROAD)
    return np.asarray(through, dtype=bool)


def find_contradictions(
    network: Network, section_of_edge: Mapping[int, str], sections: Mapping[str, Section]
) -> tuple[Message, ...]:
    """Where the catalogue and the map say different things of a road: the catalogue's word holds.

    ``network`` is the map's, before the catalogue closed anything on it.

    Args:
        network: of the map, before the catalogue closed anything on it.
        section_of_edge: the section that documents each edge.
        sections: of the catalogue, by id.
    """
    edges = network.edges
    lengths, status = edges["length_m"].to_numpy() / 1000, edges["status"].to_numpy()
    access = edges["truck_access"].to_numpy()
    said = []
    for key, section in sections.items():
        mine = np.array([edge for edge, owner in section_of_edge.items() if owner == key], dtype=np.int64)
        if not len(mine):
            continue
        # Only what differs for somebody who drives is a contradiction: open here and shut there, or the reverse.
        passable = (status[mine] == SectionStatus.OPEN) & (access[mine] != RoadAccess.NO)
        if section.status in _SHUT and passable.any():
            closed = section.status == SectionStatus.CLOSED
            state = Message("conflict.state_closed") if closed else Message("conflict.state_unknown")
            km = f"{lengths[mine][passable].sum():.1f}"
            date = section.closed or section.as_of
            said.append(Message("conflict.open_on_map", {"section_id": key, "state": state, "date": date, "km": km}))
        elif section.status == SectionStatus.OPEN and not passable.all():
            km = f"{lengths[mine][~passable].sum():.1f}"
            date = section.opened or section.as_of
            said.append(Message("conflict.closed_on_map", {"section_id": key, "date": date, "km": km}))
    return tuple(said)


MAX_DEVIATION = 0.25
"""How far, as a share, a way's length may be off the documented one of the section that it is taken for. Declared."""
MAX_DRAWN_DEVIATION = 0.6
"""The same of the drawn line's length, where none is documented. Declared."""


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
class JoinedWays:
    """Ways and the sections that no map shows as edges, before the rest of the catalogue is looked up on them.

    ``joins`` is as in :class:`Conflation`; ``mapped`` says whether any of the ways is of a map.
    """

    physical: Physical
    joins: tuple[Message, ...]
    mapped: bool


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
    """Sections as they were on a date; see :func:`~corridor.network.conflation.dated`.

    Args:
        sections: by id.
        as_of: ISO date, ``2021-08`` or longer.
    """
    return {key: dated(section, as_of) for key, section in sections.items()}


def join_ways(
    sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    crossings: Mapping[str, Crossing],
    borders: Borders,
    osm: OsmData | None,
) -> JoinedWays:
    """Join ways into edges between junctions.

    With OpenStreetMap data, sections that it doesn't show are put to it; without, the catalogue's sections are the
    network.

    Args:
        sections: as they were at a date (:func:`dated_sections`); their speeds don't matter here.
        nodes: of the catalogue, by id.
        crossings: where ways are cut that cross a border there, open or not.
        borders: where ways leave a country.
        osm: mapped ways, if any.
    """
    if osm is None:
        return JoinedWays(build_physical(ways_of_sections(list(sections.values()))), (), mapped=False)
    ways = _with_additions(ways_of_osm(osm), sections, nodes)
    ways = cut_ways(ways, borders, list(crossings.values()))
    return JoinedWays(build_physical(ways, borders), ways.joins, mapped=True)


def dated_crossings(crossings: Mapping[str, Crossing], as_of: str) -> dict[str, Crossing]:
    """Border crossings as they were on a date.

    One whose status is documented from a later day on was what its row says of the time before: unknown, where it says
    nothing. What is open today needn't have been open then.

    Args:
        crossings: by id.
        as_of: ISO date, ``2021-08`` or longer.
    """
    return {
        key: replace(crossing, status=crossing.before) if lies_after(crossing.since, as_of) else crossing
        for key, crossing in crossings.items()
    }


def conflate(
    joined: JoinedWays,
    sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    *,
    through_classes: Collection[str] = THROUGH_CLASSES,
    enforce_limits: bool = False,
) -> ConflatedWays:
    """Look up the catalogue's sections on mapped ways, and say what it documents of them.

    Args:
        joined: from :func:`join_ways`.
        sections: those that the ways were joined with.
        nodes: of the catalogue, by id.
        through_classes: classes of roads that carry through traffic.
        enforce_limits: whether a limit below the truck's mass or height closes a road to trucks.
    """
    limits = describe_limits_of_vehicles(sections, enforced=enforce_limits)
    physical = joined.physical
    if not joined.mapped:
        physical = apply_documents(physical, {}, sections, through_classes, enforce_limits=enforce_limits)
        return ConflatedWays(physical, {}, {}, {}, joined.joins, limits)
    # Sections are looked up on a graph without closures and borders: what may be driven is decided only once it is
    # known which edges are whose.
    bare = Network(physical.edges, physical.node_lon, physical.node_lat)
    matches, schematic = _match_all(bare, sections, nodes)
    # Who controls a section outweighs the polygons of countries, which are too coarse for enclaves and roads along
    # borders.
    decided = {
        edge: sections[key].control or sections[key].country
        for key, match in matches.items()
        if sections[key].mode == Mode.ROAD
        for edge in mostly_used(bare, match)
    }
    owners = sections_by_edge(bare, matches, sections)
    physical = apply_documents(physical, owners, sections, through_classes, enforce_limits=enforce_limits)
    physical = replace(physical, planar=(bare.crs, bare.planar))
    contradictions = find_contradictions(bare, owners, sections) + limits
    return ConflatedWays(physical, matches, schematic, decided, joined.joins, contradictions)


def lay_ways(
    joined: JoinedWays, sections: Mapping[str, Section], parameters: DrivingParameters, dem: Dem | None
) -> RoadCourses:
    """How the roads among joined ways run, before edges are split at borders: no climb is cut where a country ends.

    Args:
        joined: from :func:`join_ways`.
        sections: those that the ways were joined with.
        parameters: windows that heights and bends are measured over.
        dem: the elevation model that slows climbs; None leaves all roads level.
    """
    physical = joined.physical
    return lay_edges(physical.edges, len(physical.node_lon), parameters, dem, sections)


def survey_ways(
    ways: ConflatedWays, courses: RoadCourses, sections: Mapping[str, Section], model: DrivingModel
) -> RoadSurvey:
    """Grades and bends of conflated ways.

    Args:
        ways: from :func:`conflate`.
        courses: of the same ways, from :func:`lay_ways`.
        sections: those that the ways were conflated with; they may differ in speeds.
        model: parameters, grade ceilings and documented heights.
    """
    return survey_edges(ways.physical.edges, courses, model, ways.matches, sections)


def build_on_ways(
    ways: ConflatedWays,
    survey: RoadSurvey,
    network: Network,
    sections: Mapping[str, Section],
    nodes: Mapping[str, Node],
    crossings: Mapping[str, Crossing],
    delays: BorderDelays,
    model: DrivingModel,
    times: Sequence[TimeSpec] = (),
) -> Conflation:
    """The routable network over conflated ways, with its times.

    Args:
        ways: from :func:`conflate`.
        survey: of the same ways, from :func:`survey_ways`.
        network: the same ways in their countries, from :func:`~corridor.network.conflate_ways.build_network`.
        sections: those that the ways were conflated with; they may differ in speeds.
        nodes: between which documented journeys run.
        crossings: what is waited at borders.
        delays: what is waited at those where no crossing is listed.
        model: what driving times are computed with.
        times: documented journeys that driving times are fitted to.

    Raises:
        NetworkError: a documented journey can't be made on the network.
    """
    surveyed = SurveyedEdges(ways.physical.edges, survey)
    # Times come in two rounds: plain ones, on which documented journeys are computed, and those that the fit makes of
    # them.
    plain = time_edges(surveyed, model, ways.matches, sections, vehicles=[time.vehicle for time in times])
    # Without documented journeys plain times stand as they are.
    fit, minutes = None, plain.minutes
    if times:
        # Edges without a section come from a map: documented journeys are then looked up on its main roads.
        on_map = bool((surveyed.edges["section_id"] == "").any())
        fit = fit_time_factor(time_journeys(times, network, nodes, plain.minutes, on_map=on_map))
        minutes = _scaled(plain.minutes, surveyed.rows, fit)
    network = time_network(network, minutes, crossings, delays)
    driving = Driving(model, plain, fit)
    return Conflation(network, ways.matches, ways.schematic, ways.joins, driving, ways.contradictions)


def _scaled(
    minutes: Mapping[str, tuple[Floats, Floats]], roads: Ints, fit: TimeFit
) -> dict[str, tuple[Floats, Floats]]:
    """Minutes by vehicle, those of roads multiplied by the fitted factors; checks at borders are no part of them."""

    def fitted(way: Floats, vehicle: str) -> Floats:
        scaled = way.copy()
        scaled[roads] *= fit.factor_of(vehicle)
        return scaled

    return {key: (fitted(along, key), fitted(against, key)) for key, (along, against) in minutes.items()}


def _deviation(section: Section, match: Match) -> Message | None:
    """Why a way found can't be the section, by its length; None if it can."""
    if section.length_km:
        # A documented length is trusted more than a drawn one, and allows less deviation.
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
    # What the map shows isn't drawn a second time beside it.
    added = [section for section in sections.values() if not section.follows_osm]
    return add_sections(ways, added, nodes, limit_m=2000.0)


def _match_all(
    bare: Network, sections: Mapping[str, Section], nodes: Mapping[str, Node]
) -> tuple[dict[str, Match], dict[str, Value]]:
    """Sections on the map, in the edge numbers of the physical network, which later steps keep."""
    matches: dict[str, Match] = {}
    schematic: dict[str, Value] = {}
    # Sections share nodes: each is looked up once for each mode.
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
        # A way that is far too long or short is another road: the section stays as it is drawn.
        if wrong := _deviation(section, match):
            schematic[key] = wrong
            continue
        matches[key] = match
    return matches, schematic
