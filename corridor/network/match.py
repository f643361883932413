"""Catalogue sections on the ground: which edges of a network a documented section runs over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, join, project
from corridor.network.graph import UNFIT_CLASSES, Network, Position, Route
from corridor.schema.candidate import Span
from corridor.schema.catalogue import Node, Section
from corridor.schema.vocabulary import Evidence, Mode, RoadAccess, SectionStatus, StructureKind

SNAP_LIMIT_M = 3000.0
REACH_M = 6000.0
HALF_COST_M = 400.0
STATION_M = 2000.0
"""Sections of railways end in stations: so near to a section's end a train may turn round."""
MAIN_WITHIN_M = 1000.0
"""So far off a node of the catalogue still lies on a classified road rather than on the street beside it."""
MAIN_CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary")


@dataclass(frozen=True)
class Match:
    """A section found on a network: the way over its edges, the line, its drawn length and its structures."""

    section_id: str
    route: Route
    line: shapely.LineString
    length_km: float
    spans: tuple[Span, ...]

    def spans_reversed(self) -> tuple[Span, ...]:
        """The structures by chainage from the other end."""
        return tuple(
            replace(s, from_km=self.length_km - s.to_km, to_km=self.length_km - s.from_km) for s in self.spans[::-1]
        )


def match_section(network: Network, section: Section, start: Position, end: Position) -> Match:
    """The way over a network's edges between two positions that keeps closest to a section's schematic line.

    Edges cost their length times 1 + d / 400 m, for d the distance from the schematic line; only edges within 6 km of
    it count. Roads must be open (tracks, service roads and those closed to trucks cost more). Railways may have any
    status, since an old formation is still where the line lies; plans count for sections that are plans only.

    Raises:
        NoRouteError: the network has no way between them near the line.
    """
    closed, cost = _costs(network, section)
    try:
        # a section may run over minor roads: that is what makes them through roads
        route = network.route(start, end, cost, cost, closed, any_road=True, turn_within_m=STATION_M)
    except NoRouteError as fault:
        raise NoRouteError(f"section '{section.section_id}': the network has no way near its line") from fault
    return measure_route(network, route, section.section_id)


def node_position(network: Network, node: Node, mode: str) -> Position:
    """Where a catalogue node lies on the network, the same for all sections of a mode that meet there.

    Roads of the classified network are preferred to streets and tracks within 1 km.

    Raises:
        NetworkError: no way of the mode is within 3 km.
    """
    edges = network.edges
    closed = ((edges["mode"] != mode) | (edges["section_id"] != "")).to_numpy()
    if mode == Mode.ROAD:
        closed = closed | (edges["status"] != SectionStatus.OPEN).to_numpy()
        main = edges["class"].isin(MAIN_CLASSES).to_numpy()
        try:
            away = f"node '{node.node_id}'"
            return network.snap(node.lon, node.lat, closed | ~main, limit_m=MAIN_WITHIN_M, what=away)
        except NetworkError:
            closed = closed | edges["class"].isin(UNFIT_CLASSES).to_numpy()
    return network.snap(node.lon, node.lat, closed, limit_m=SNAP_LIMIT_M, what=f"node '{node.node_id}'")


def _costs(network: Network, section: Section) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    edges = network.edges
    line = project(section.line, WGS84, network.crs)
    near = network.tree.query(shapely.buffer(line, REACH_M), predicate="intersects")
    allowed = np.zeros(len(edges), dtype=bool)
    allowed[near] = True
    allowed &= (edges["mode"] == section.mode).to_numpy() & (edges["section_id"] == "").to_numpy()
    if section.mode == Mode.ROAD:
        allowed &= (edges["status"] == SectionStatus.OPEN).to_numpy() | network.is_border
    elif section.status not in {SectionStatus.PLANNED, SectionStatus.CONSTRUCTION}:
        allowed &= (edges["status"] != SectionStatus.PLANNED).to_numpy()
    off = np.zeros(len(edges))
    off[near] = shapely.distance(shapely.line_interpolate_point(network.planar[near], 0.5, normalized=True), line)
    # beside a road that all may use lies many a lane for buses or a private one
    minor = (edges["class"].isin(UNFIT_CLASSES) | (edges["truck_access"] == RoadAccess.NO)).to_numpy()
    return ~allowed, edges["length_m"].to_numpy() * (1 + off / HALF_COST_M) * np.where(minor, 4.0, 1.0)


def measure_route(network: Network, route: Route, section_id: str = "") -> Match:
    """Line, length and structures of a way over a network's edges."""
    lengths = part_lengths_km(network, route)
    line = join([network.part(route, index) for index in range(len(route.edges))])
    return Match(section_id, route, line, float(lengths.sum()), route_spans(network, route, lengths))


def route_spans(network: Network, route: Route, lengths_km: NDArray[np.float64]) -> tuple[Span, ...]:
    """Mapped tunnels and bridges along a route, by chainage; neighbouring edges of one kind make one structure."""
    rows = list(route.edges)
    tunnel, bridge, names = (network.column(name)[rows] for name in ("tunnel", "bridge", "name"))
    ends = np.cumsum(lengths_km)
    spans: list[Span] = []
    kinds = np.where(tunnel, StructureKind.TUNNEL, np.where(bridge, StructureKind.BRIDGE, ""))
    for kind, name, end, length in zip(kinds, names, ends, lengths_km, strict=True):
        if not kind or length <= 0:
            continue
        if spans and spans[-1].kind == kind and abs(spans[-1].to_km - (end - length)) < 1e-6:
            spans[-1] = replace(spans[-1], to_km=float(end))
        else:
            spans.append(Span(StructureKind(kind), float(end - length), float(end), str(name), Evidence.MAPPED))
    return tuple(spans)


def part_lengths_km(network: Network, route: Route) -> NDArray[np.float64]:
    """Length in km of each step of a route, ends cut."""
    lengths = network.edges["length_m"].to_numpy()[list(route.edges)] / 1000
    share = np.ones(len(lengths))
    if len(lengths) == 1:
        share[0] = abs(route.last - route.first)
    elif len(lengths):
        share[0] = 1 - route.first if route.forward[0] else route.first
        share[-1] = route.last if route.forward[-1] else 1 - route.last
    return np.asarray(lengths * share)
