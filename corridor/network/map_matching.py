"""Lines on the network: which edges a documented section runs over, which stretches of a drawn line follow it.

A hidden Markov model after Newson and Krumm 2009 (doi:10.1145/1653771.1653818): the line is observed at even steps;
the states are points of edges near each observation; how far a point lies off the line is Gaussian, and the difference
between the way over the network and along the line from one observation to the next is exponential. A further state,
off the network, is what Haunert and Budig 2012 (doi:10.1145/2424321.2424402) add for roads that a map lacks. The most
likely states together (Viterbi) are the answer, so a road that merely comes near or crosses isn't followed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from corridor.compiled import compiled
from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, join, project
from corridor.network.graph import UNFIT_CLASSES, Network, Position, Route
from corridor.network.paths import Arcs, build_arcs, heap_pop, heap_push
from corridor.schema.candidate import Span
from corridor.schema.catalogue import Node, Section
from corridor.schema.vocabulary import Evidence, Mode, RoadAccess, SectionStatus, StructureKind

# --- Catalogue sections on the ground: which edges of a network a documented section runs over ---

SNAP_LIMIT_M = 3000.0
"""Farthest that a node of the catalogue may lie from a way. Declared."""
REACH_M = 6000.0
"""A section is looked for on ways within this of its line. Declared."""
HALF_COST_M = 400.0
"""So far from a section's line a metre costs twice as much as on it. Declared."""
MINOR_COST = 4.0
"""A metre of a track, of a service road or of a lane for others than trucks counts for so many."""
CLOSED_COST = 1 + REACH_M / HALF_COST_M
"""The same where trucks may not drive through, for a section that is open: any other road within reach comes first."""
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
    it count. Roads must be open; tracks, service roads and those closed to trucks cost more, and a section that is
    documented as open runs on a road that trucks may drive through if there is one. Railways may have any status,
    since an old formation is still where the line lies; plans count for sections that are plans only.

    Args:
        network: roads and railways.
        section: of the catalogue.
        start: where it begins.
        end: where it ends.

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

    Args:
        network: roads and railways.
        node: of the catalogue.
        mode: road or rail.

    Raises:
        NetworkError: no way of the mode is within 3 km.
    """
    # Nodes are looked up on the map, never on other sections that are drawn by their waypoints.
    closed = ~(network.is_in("mode", mode) & network.is_in("section_id", ""))
    if mode == Mode.ROAD:
        closed = closed | ~network.is_in("status", SectionStatus.OPEN)
        main = network.is_in("class", *MAIN_CLASSES)
        try:
            away = f"node '{node.node_id}'"
            return network.snap(node.lon, node.lat, closed | ~main, limit_m=MAIN_WITHIN_M, what=away)
        except NetworkError:
            closed = closed | network.is_unfit
    return network.snap(node.lon, node.lat, closed, limit_m=SNAP_LIMIT_M, what=f"node '{node.node_id}'")


def _costs(network: Network, section: Section) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    line = project(section.line, WGS84, network.crs)
    # Everything out of reach stays closed, so that the search never looks at the rest of a country.
    near = network.tree.query(shapely.buffer(line, REACH_M), predicate="intersects")
    allowed = (network.is_in("mode", section.mode) & network.is_in("section_id", ""))[near]
    if section.mode == Mode.ROAD:
        allowed &= (network.is_in("status", SectionStatus.OPEN) | network.is_border)[near]
    # What exists can't run on what is only planned.
    elif not section.status.is_unbuilt:
        allowed &= ~network.is_in("status", SectionStatus.PLANNED)[near]
    closed = np.ones(len(network.edges), dtype=bool)
    closed[near] = ~allowed
    # The middle of an edge stands for all of it: edges are short beside the half-cost distance.
    off = shapely.distance(shapely.line_interpolate_point(network.planar[near], 0.5, normalized=True), line)
    # beside a road that all may use lies many a lane for buses or a private one
    minor = (network.is_unfit | network.is_in("truck_access", RoadAccess.NO))[near]
    weight = np.where(minor, MINOR_COST, 1.0)
    if section.status == SectionStatus.OPEN:
        weight[~network.is_in("truck_access", RoadAccess.YES)[near]] = CLOSED_COST
    cost = network.column("length_m").copy()
    cost[near] *= (1 + off / HALF_COST_M) * weight
    return closed, cost


def measure_route(network: Network, route: Route, section_id: str = "") -> Match:
    """Line, length and structures of a way over a network's edges.

    Args:
        network: roads and railways.
        route: a way over the network.
        section_id: of the section that it is, if any.
    """
    lengths = part_lengths_km(network, route)
    line = join([network.part(route, index) for index in range(len(route.edges))])
    return Match(section_id, route, line, float(lengths.sum()), route_spans(network, route, lengths))


def route_spans(network: Network, route: Route, lengths_km: NDArray[np.float64]) -> tuple[Span, ...]:
    """Mapped tunnels and bridges along a route, by chainage; neighbouring edges of one kind make one structure.

    Args:
        network: roads and railways.
        route: a way over the network.
        lengths_km: of the route's steps, ends cut.
    """
    rows = list(route.edges)
    tunnel, bridge, names = (network.column(name)[rows] for name in ("tunnel", "bridge", "name"))
    ends = np.cumsum(lengths_km)
    spans: list[Span] = []
    kinds = np.where(tunnel, StructureKind.TUNNEL, np.where(bridge, StructureKind.BRIDGE, ""))
    for kind, name, end, length in zip(kinds, names, ends, lengths_km, strict=True):
        if not kind or length <= 0:
            continue
        # Mappers cut structures at every change of a tag: pieces that touch are one tunnel or bridge.
        if spans and spans[-1].kind == kind and abs(spans[-1].to_km - (end - length)) < 1e-6:
            spans[-1] = replace(spans[-1], to_km=float(end))
        else:
            spans.append(Span(StructureKind(kind), float(end - length), float(end), str(name), Evidence.MAPPED))
    return tuple(spans)


def part_lengths_km(network: Network, route: Route) -> NDArray[np.float64]:
    """Length in km of each step of a route, ends cut."""
    lengths = network.length_km[list(route.edges)]
    # On a single edge travel both begins and ends; on more, the first loses what lies before its start and the last
    # what lies behind its end.
    share = np.ones(len(lengths))
    if len(lengths) == 1:
        share[0] = abs(route.last - route.first)
    elif len(lengths):
        share[0] = 1 - route.first if route.forward[0] else route.first
        share[-1] = route.last if route.forward[-1] else 1 - route.last
    return np.asarray(lengths * share)


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FOLLOW_M = 100.0
"""A line that runs no further than this from a road follows it. Declared; a study or a call may say another."""
SCHEMATIC_FOLLOW_M = 1000.0
"""The same for sections that are drawn by a few waypoints: the half-width that they are good for. Declared."""
STEP_M = 100.0
"""Distance between observations along the line."""
DETOUR_M = 50.0
"""Scale of the difference between way and line from one observation to the next: beta of the exponential law."""
LEAVING = 4.0
"""Price of leaving the network or joining it, as a logarithm of odds: what crosses a road doesn't follow it."""
AGAINST = 0.2
"""A metre against a one-way road counts for this much more, so that of two carriageways the right one is taken."""
BRIDGED_M = 1000.0
"""Between two stretches on the network a shorter one off it is taken over the network too, if that is hardly longer."""
_BRIDGED_DETOUR = 1.3
"""A way that stands in for a drawn stretch is at most so many times as long. Declared."""
_NEAR_M = 3000.0
"""Ways so near to a line are looked at."""
_OFF = 2.0
"""Price of an observation off the network: that of one at the farthest distance from a way, two standard deviations."""
_HOPELESS = 40.0
"""Ways that cost so much more than the best, in logarithms of probability, are given up."""


@dataclass(frozen=True)
class OnNetwork:
    """A stretch of a line that follows the network, between two chainages of the line in metres."""

    route: Route
    start: Position
    end: Position
    from_m: float
    to_m: float


@dataclass(frozen=True)
class OffNetwork:
    """A stretch of a line that follows no way (lon, lat), with the chainages in metres where it begins and ends."""

    from_m: float
    to_m: float


@dataclass(frozen=True)
class _Local:
    """The part of a network about a line: rows of its edge table, nodes numbered anew, costs along and against."""

    rows: Ints
    u: Ints
    v: Ints
    forward: Floats
    backward: Floats
    arcs: Arcs

    @property
    def kernel(self) -> tuple[NDArray[np.generic], ...]:
        """The graph as compiled searches take it."""
        arcs = self.arcs
        cost = np.where(arcs.forward, self.forward[arcs.edge], self.backward[arcs.edge])
        return arcs.indptr, arcs.head, cost, self.u, self.v, self.forward, self.backward


@dataclass(frozen=True)
class _Observed:
    """What is seen at each observation: candidates ``pointer[t]`` to ``pointer[t + 1]``, each a point on a local edge.

    ``along_m`` are chainages of the line, shape (n,); ``edge``, ``fraction`` and ``unlikely`` (half the squared
    distance in standard deviations) have a row for each candidate. ``schematic`` says whether any is of a section
    that is drawn by waypoints.
    """

    along_m: Floats
    pointer: Ints
    edge: Ints
    fraction: Floats
    unlikely: Floats
    schematic: bool


def match_line(
    network: Network,
    line: LineString,
    mode: str,
    *,
    follow_m: float = FOLLOW_M,
) -> list[OnNetwork | OffNetwork]:
    """Cut a line into stretches that follow the network and stretches that don't, in order, end to end.

    Ways of any status but planned ones are followed, tracks and service roads aren't: a line on these is to be built.

    Args:
        network: roads and railways.
        line: in degrees (lon, lat), in travelling direction; its heights don't matter.
        mode: road or rail.
        follow_m: farthest that the line may lie from a mapped way which it follows, in metres, or
            ``SCHEMATIC_FOLLOW_M`` from a catalogue section that is drawn by waypoints where that is more.

    Returns:
        Stretches in travelling order. Stretches on the network carry their route.
    """
    planar = project(shapely.force_2d(line), WGS84, network.crs)
    near = _near(network, planar, mode, max(follow_m, SCHEMATIC_FOLLOW_M))
    count = max(int(np.ceil(planar.length / STEP_M)), 1)
    seen = _observe(network, near, planar, np.linspace(0.0, 1.0, count + 1), follow_m)
    if not len(seen.edge):
        return [OffNetwork(0.0, float(planar.length))]
    # far enough for the way from one end of the strip that counts as near to the other
    reach_m = 3 * STEP_M + 4 * (max(follow_m, SCHEMATIC_FOLLOW_M) if seen.schematic else follow_m)
    chosen = _viterbi(
        seen.along_m, seen.pointer, seen.edge, seen.fraction, seen.unlikely, *near.kernel, DETOUR_M, LEAVING, reach_m
    )
    return _stretches(network, near, seen, _bridge(near, seen, chosen), reach_m)


def _near(network: Network, planar: LineString, mode: str, follow_m: float) -> _Local:
    """Ways of a mode near a line that it may follow, with the passages of borders between them."""
    edges = network.edges
    near = network.tree.query(planar, predicate="dwithin", distance=max(_NEAR_M, 2 * follow_m))
    table = edges.iloc[near]
    fit = (table["mode"] == mode) & (table["status"] != SectionStatus.PLANNED) & ~table["class"].isin(UNFIT_CLASSES)
    ways = near[(fit & (table["border"] == "")).to_numpy()]
    # the passage of a border is of no length, and always open to a line that is drawn over it; it is found by its nodes
    met = np.zeros(network.n_nodes, dtype=bool)
    u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
    met[u[ways]] = met[v[ways]] = True
    passages = np.flatnonzero(network.is_border & network.is_in("mode", mode) & met[u] & met[v])
    rows = np.sort(np.concatenate([ways, passages])).astype(np.int64)
    table = edges.iloc[rows]
    length = shapely.length(network.planar[rows])
    against = length * np.where(table["oneway"].to_numpy() != 0, 1 + AGAINST, 1.0)
    # nodes are numbered anew, so that searches look at this part of the network alone
    ends = np.concatenate([table["u"].to_numpy(), table["v"].to_numpy()])
    nodes, number = np.unique(ends, return_inverse=True)
    u, v = number[: len(rows)].astype(np.int64), number[len(rows) :].astype(np.int64)
    # an arc each way of every edge: a one-way road against its direction is dear, not closed
    arcs = build_arcs(u, v, np.zeros(len(rows), dtype=np.int64), len(nodes))
    return _Local(rows, u, v, length, against, arcs)


def _observe(network: Network, near: _Local, planar: LineString, share: Floats, follow_m: float) -> _Observed:
    """Points of ways near each observation, no further than the line may lie from a way that it follows."""
    points = shapely.line_interpolate_point(planar, share, normalized=True)
    table = network.edges.iloc[near.rows]
    drawn, passage = (table["section_id"] != "").to_numpy(), (table["border"] != "").to_numpy()
    lines = network.planar[near.rows]
    # Mapped ways and sections drawn by waypoints are looked for separately, each within its own tolerance.
    found = [np.zeros((2, 0), dtype=np.int64)]
    for members, limit_m in ((~drawn & ~passage, follow_m), (drawn & ~passage, max(SCHEMATIC_FOLLOW_M, follow_m))):
        local = np.flatnonzero(members)
        if len(local):
            at, hit = shapely.STRtree(lines[local]).query(points, predicate="dwithin", distance=limit_m)
            found.append(np.stack([at, local[hit]]))
    at, edge = np.concatenate(found, axis=1).astype(np.int64)
    order = np.lexsort((edge, at))
    at, edge = at[order], edge[order]
    fraction = shapely.line_locate_point(lines[edge], points[at], normalized=True)
    # two standard deviations are the limit, so that a way at the limit is as likely as none
    limits = np.where(drawn, max(SCHEMATIC_FOLLOW_M, follow_m), follow_m)
    unlikely = _OFF * (shapely.distance(lines[edge], points[at]) / limits[edge]) ** 2
    # Candidates are sorted by observation: the pointer says where those of each begin.
    pointer = np.searchsorted(at, np.arange(len(points) + 1)).astype(np.int64)
    return _Observed(
        share * planar.length, pointer, edge, np.asarray(fraction), np.asarray(unlikely), bool(drawn[edge].any())
    )


def _runs(on: Bools) -> list[Ints]:
    return np.split(np.arange(len(on)), np.flatnonzero(on[1:] != on[:-1]) + 1)


def _bridge(near: _Local, seen: _Observed, chosen: Ints) -> Ints:
    """States with short stretches off the network taken over it where that is hardly longer: -2 marks these."""
    chosen = chosen.copy()
    for run in _runs(chosen >= 0):
        before, after = run[0] - 1, run[-1] + 1
        # Only what lies between two stretches on the network is bridged, never an end of the line.
        if chosen[run[0]] >= 0 or before < 0 or after >= len(chosen):
            continue
        drawn_m = float(seen.along_m[after] - seen.along_m[before])
        limit_m = _BRIDGED_DETOUR * drawn_m + 2 * STEP_M
        if drawn_m <= BRIDGED_M:
            way = _way_between(near, seen, int(chosen[before]), int(chosen[after]), limit_m)
            chosen[run] = -1 if way[0] == _NO_WAY else -2
    return chosen


def _way_between(near: _Local, seen: _Observed, a: int, b: int, limit_m: float) -> Ints:
    """The shortest way from one candidate to another: what kind, the node where it arrives, and its arcs in order."""
    edge, fraction = seen.edge, seen.fraction
    return np.asarray(
        _way(int(edge[a]), float(fraction[a]), int(edge[b]), float(fraction[b]), *near.kernel, limit_m), dtype=np.int64
    )


def _stretches(
    network: Network, near: _Local, seen: _Observed, chosen: Ints, reach_m: float
) -> list[OnNetwork | OffNetwork]:
    """Stretches from the states that were chosen: rows of candidates, -1 for off the network, -2 for taken over it."""
    found: list[OnNetwork | OffNetwork] = []
    for run in _runs(chosen != -1):
        # stretches meet in the middle between observations
        first = float(seen.along_m[max(run[0] - 1, 0)] + seen.along_m[run[0]]) / 2
        last = float(seen.along_m[run[-1]] + seen.along_m[min(run[-1] + 1, len(chosen) - 1)]) / 2
        states = chosen[run][chosen[run] >= 0]
        route = None
        if len(states) > 1:
            route = _as_route(near, seen, states, max(reach_m, 2 * BRIDGED_M))
        if route is None:
            found.append(OffNetwork(first, last))
            continue
        start, end = (_position(network, near, seen, int(state)) for state in (states[0], states[-1]))
        found.append(OnNetwork(route, start, end, first, last))
    return _merge_off(found)


def _merge_off(stretches: list[OnNetwork | OffNetwork]) -> list[OnNetwork | OffNetwork]:
    merged: list[OnNetwork | OffNetwork] = []
    for stretch in stretches:
        if merged and isinstance(stretch, OffNetwork) and isinstance(merged[-1], OffNetwork):
            merged[-1] = OffNetwork(merged[-1].from_m, stretch.to_m)
        else:
            merged.append(stretch)
    return merged


def _as_route(near: _Local, seen: _Observed, states: Ints, limit_m: float) -> Route | None:
    """The way through candidates in rows of the network, without loops; None if they are all at one point.

    Whenever the way comes back to a node, what it did since falls out: noise that turns back, or into a side street at
    a crossing.
    """
    nodes, edges = _loopless(near, seen, states, limit_m)
    first, last = int(seen.edge[states[0]]), int(seen.edge[states[-1]])
    from_, to = float(seen.fraction[states[0]]), float(seen.fraction[states[-1]])
    # who begins or ends on an edge doesn't drive it twice
    if edges and edges[0] == first:
        nodes, edges = nodes[1:], edges[1:]
    if edges and edges[-1] == last:
        nodes, edges = nodes[:-1], edges[:-1]
    rows = near.rows
    if not nodes or (first == last and not edges):
        return None if from_ == to else Route((int(rows[first]),), (to > from_,), from_, to, float("nan"))
    forward = [bool(near.v[first] == nodes[0]), *(bool(near.u[e] == n) for e, n in zip(edges, nodes, strict=False))]
    forward.append(bool(near.u[last] == nodes[-1]))
    return Route(tuple(int(rows[e]) for e in (first, *edges, last)), tuple(forward), from_, to, float("nan"))


def _loopless(near: _Local, seen: _Observed, states: Ints, limit_m: float) -> tuple[list[int], list[int]]:
    """Nodes passed from the first candidate to the last, each once, and the edges between them."""
    nodes: list[int] = []
    edges: list[int] = []
    at: dict[int, int] = {}

    def visit(node: int, edge: int) -> None:
        if node in at:
            # The loop since the first visit falls out, with its edges.
            for gone in nodes[at[node] + 1 :]:
                del at[gone]
            del nodes[at[node] + 1 :], edges[at[node] :]
            return
        at[node] = len(nodes)
        if nodes:
            edges.append(edge)
        nodes.append(node)

    for a, b in pairwise(states):
        kind, arrival, *arcs = _way_between(near, seen, int(a), int(b), limit_m).tolist()
        if kind != _BY_NODES:
            continue
        # the edge of the candidate is driven whole if it is left by the other end than it was reached by
        visit(int(near.arcs.tails[arcs[0]]) if arcs else arrival, int(seen.edge[a]))
        for arc in arcs:
            visit(int(near.arcs.head[arc]), int(near.arcs.edge[arc]))
    return nodes, edges


def _position(network: Network, near: _Local, seen: _Observed, state: int) -> Position:
    row = int(near.rows[seen.edge[state]])
    at = shapely.line_interpolate_point(network.planar[row], float(seen.fraction[state]), normalized=True)
    back = project(at, network.crs, WGS84)
    return Position(row, float(seen.fraction[state]), 0.0, float(back.x), float(back.y))


_NO_WAY, _DIRECT, _BY_NODES = 0, 1, 2


@compiled
def _reach(indptr, head, cost, u, v, forward, backward, edge, fraction, limit, dist, via, touched, keys, items):  # type: ignore[no-untyped-def]
    """Cheapest costs from a point on an edge to the nodes within a limit; gives how many were touched."""
    size = 0
    count = 0
    # The point lies inside an edge, so that the search begins at both of its ends.
    for side in range(2):
        node = u[edge] if side == 0 else v[edge]
        spent = fraction * backward[edge] if side == 0 else (1 - fraction) * forward[edge]
        if spent <= limit and spent < dist[node]:
            if dist[node] == np.inf:
                touched[count] = node
                count += 1
            dist[node] = spent
            via[node] = -1
            size = heap_push(keys, items, size, spent, node)
    while size > 0:
        key = keys[0]
        node = items[0]
        size = heap_pop(keys, items, size)
        # A cheaper cost was pushed since: this item is stale.
        if key > dist[node]:
            continue
        for arc in range(indptr[node], indptr[node + 1]):
            total = key + cost[arc]
            target = np.int64(head[arc])
            if total <= limit and total < dist[target]:
                if dist[target] == np.inf:
                    touched[count] = target
                    count += 1
                dist[target] = total
                via[target] = arc
                size = heap_push(keys, items, size, total, target)
    return count


@compiled
def _way(edge_a, fraction_a, edge_b, fraction_b, indptr, head, cost, u, v, forward, backward, limit):  # type: ignore[no-untyped-def]
    """The shortest way between two points on edges: its kind, the node where it arrives, then its arcs in order."""
    n = len(indptr) - 1
    dist = np.full(n, np.inf)
    via = np.full(n, -1, np.int64)
    touched = np.empty(n, np.int64)
    keys = np.empty(len(head) + 3, np.float64)
    items = np.empty(len(head) + 3, np.int64)
    _reach(indptr, head, cost, u, v, forward, backward, edge_a, fraction_a, limit, dist, via, touched, keys, items)
    # From its start the edge is driven along, from its end against: each by its own cost.
    by_u = dist[u[edge_b]] + fraction_b * forward[edge_b]
    by_v = dist[v[edge_b]] + (1 - fraction_b) * backward[edge_b]
    best = min(by_u, by_v)
    if edge_a == edge_b:
        ahead = fraction_b - fraction_a
        direct = ahead * forward[edge_a] if ahead >= 0 else -ahead * backward[edge_a]
        if direct <= best:
            return np.array([_DIRECT, -1])
    if best > limit:
        return np.array([_NO_WAY, -1])
    found = np.empty(n + 2, np.int64)
    found[0] = _BY_NODES
    found[1] = u[edge_b] if by_u <= by_v else v[edge_b]
    count = 2
    arc = via[found[1]]
    while arc >= 0:
        found[count] = arc
        count += 1
        # the tail of an arc: the row of the pointer that it stands in
        arc = via[np.searchsorted(indptr, arc, side="right") - 1]
    return np.concatenate((found[:2], found[2:count][::-1]))


@compiled
def _viterbi(  # type: ignore[no-untyped-def]
    along, pointer, edge, fraction, unlikely, indptr, head, cost, u, v, forward, backward, detour, leaving, reach
):
    """The likeliest states: a candidate of each observation, -1 where the line is off the network."""
    n = len(along)
    score = np.full(len(edge), np.inf)
    back = np.full(len(edge), -1, np.int64)
    off = np.full(n, np.inf)
    off_back = np.full(n, -1, np.int64)
    nodes = len(indptr) - 1
    dist = np.full(nodes, np.inf)
    via = np.full(nodes, -1, np.int64)
    touched = np.empty(nodes, np.int64)
    keys = np.empty(len(head) + 3, np.float64)
    items = np.empty(len(head) + 3, np.int64)
    # The line may begin on the network or off it without paying for a change.
    off[0] = _OFF
    for j in range(pointer[0], pointer[1]):
        score[j] = unlikely[j]
    for t in range(n - 1):
        step = along[t + 1] - along[t]
        best, which = np.inf, -1
        for i in range(pointer[t], pointer[t + 1]):
            if score[i] < best:
                best, which = score[i], i
        # off the network: from off it, or by leaving it at the best candidate
        off[t + 1] = off[t] + _OFF
        if best + leaving < off[t]:
            off[t + 1] = best + leaving + _OFF
            off_back[t + 1] = which
        for j in range(pointer[t + 1], pointer[t + 2]):
            score[j] = off[t] + leaving + unlikely[j]
        # on the network: by a way of about the line's length
        for i in range(pointer[t], pointer[t + 1]):
            if pointer[t + 1] == pointer[t + 2] or score[i] > best + _HOPELESS:
                continue
            a = edge[i]
            count = _reach(
                indptr, head, cost, u, v, forward, backward, a, fraction[i], reach, dist, via, touched, keys, items
            )
            for j in range(pointer[t + 1], pointer[t + 2]):
                b = edge[j]
                way = min(dist[u[b]] + fraction[j] * forward[b], dist[v[b]] + (1 - fraction[j]) * backward[b])
                if a == b:
                    ahead = fraction[j] - fraction[i]
                    way = min(way, ahead * forward[b] if ahead >= 0 else -ahead * backward[b])
                if way <= reach:
                    total = score[i] + abs(way - step) / detour + unlikely[j]
                    if total < score[j]:
                        score[j] = total
                        back[j] = i
            # Only what was touched is put back, since a search reaches a small part of the network.
            for k in range(count):
                dist[touched[k]] = np.inf
    chosen = np.full(n, -1, np.int64)
    state = -1
    # The cheapest last state decides, and the states before it follow from where it came from.
    least = off[n - 1]
    for j in range(pointer[n - 1], pointer[n]):
        if score[j] < least:
            least, state = score[j], j
    for t in range(n - 1, -1, -1):
        chosen[t] = state
        if t > 0:
            state = back[state] if state >= 0 else off_back[t]
    return chosen
