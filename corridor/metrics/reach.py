"""One country's roads as its traffic meets them: entries from abroad, closures and delays, times both ways."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled
from corridor.errors import NetworkError
from corridor.geo.geodesy import distance_m
from corridor.interactions.regime_effects import SplitNetwork
from corridor.network.connectivity import Links, build_links, edges_between
from corridor.network.graph import MINUTES, Network, Position
from corridor.network.mend import Change, Goal, Grown, search_towards
from corridor.network.paths import Arcs, Tree, build_traffic_arcs, search
from corridor.schema.message import Message
from corridor.schema.results import EdgeEffect
from corridor.schema.study import Place
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus
from corridor.wording import format_position

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where traffic from the fixed point abroad comes in: a node of the domain and the way there, in network rows."""

    node: int
    inward_min: float
    outward_min: float
    edges: tuple[int, ...]


@dataclass(frozen=True)
class State:
    """The domain under an effect: ``closed`` and ``delay_min`` by domain edge.

    ``entry_min`` is what each entry costs more, inf if it is closed. ``factor`` scales driving times. ``changed`` are
    the edges that an effect closes or slows, None where edges are open that aren't with nothing done.
    """

    closed: Bools
    delay_min: Floats
    entry_min: tuple[float, ...]
    factor: float = 1.0
    changed: Ints | None = None

    @cached_property
    def digest(self) -> bytes:
        """States of one domain with the same digest are the same."""
        sums = hashlib.blake2b(digest_size=16)
        slowed = np.flatnonzero(self.delay_min)
        for values in (self.closed, slowed, self.delay_min[slowed], np.array([*self.entry_min, self.factor])):
            sums.update(values.tobytes())
        return sums.digest()

    @cached_property
    def closures(self) -> bytes:
        """States of one domain with the same one close the same roads and entries."""
        sums = hashlib.blake2b(self.closed.tobytes(), digest_size=16)
        sums.update(np.isfinite(self.entry_min).tobytes())
        return sums.digest()


@dataclass(frozen=True)
class Domain:
    """All roads of one country, whatever their status, in edge and node numbers of their own.

    ``rows`` are the network's rows of the edges, ``local`` the edge of each network row (-1 where it isn't here),
    ``nodes`` the network's nodes. ``not_open`` are edges that nobody may use unless a state opens them. ``forward`` and
    ``backward`` are driving minutes along and against each edge. ``through`` are roads that may be driven on the way to
    somewhere else, ``ends_legs`` those of them at whose nodes a first or last leg ends. ``local_only`` are mapped roads
    that the catalogue documents as closed, or no longer as open: those with a place on them drive there, nobody passes.
    ``unknown`` are those of them that may be open after all.
    """

    network: Network
    country: str
    rows: Ints
    local: Ints
    nodes: Ints
    u: Ints
    v: Ints
    oneway: Bools
    length_km: Floats
    forward: Floats
    backward: Floats
    not_open: Bools
    local_only: Bools
    unknown: Bools
    through: Bools
    ends_legs: Bools
    entries: tuple[Entry, ...] = field(default=())

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @cached_property
    def arcs(self) -> Arcs:
        """The directed graph of traffic, see :func:`corridor.network.paths.build_traffic_arcs`."""
        return self._traffic(reverse=False)

    @cached_property
    def reverse(self) -> Arcs:
        """The graph with every arc turned round."""
        return self._traffic(reverse=True)

    @cached_property
    def _driving_min(self) -> dict[float, tuple[Floats, Floats]]:
        return {}

    @cached_property
    def _no_delay_min(self) -> Floats:
        """One copy for all states in which nobody is checked, of which there are many."""
        return np.zeros(len(self.rows))

    def driving_min(self, factor: float) -> tuple[Floats, Floats]:
        """Minutes along and against each edge, not to be changed: one copy for all searches at a factor.

        Args:
            factor: of driving times.
        """
        if factor not in self._driving_min:
            self._driving_min[factor] = self.forward * factor, self.backward * factor
        return self._driving_min[factor]

    @cached_property
    def links(self) -> Links:
        """Edges by the nodes that they end at, one-ways ignored."""
        return build_links(self.u, self.v, self.n_nodes)

    def between(self, edges: Ints, closed: Bools) -> Domain:
        """The same for searches between the ends of some edges and the entries: dead ends aside are left out.

        Args:
            edges: rows of the domain.
            closed: edges that no state of the roads opens, shape (n_edges,).
        """
        ends = np.concatenate([self.u[edges], self.v[edges], [entry.node for entry in self.entries]]).astype(np.int64)
        # Whoever turns round in a dead end is back where he was, later: no cheapest way between others needs it.
        used = edges_between(self.u, self.v, closed, ends, self.n_nodes)
        lean = replace(self)
        vars(lean).update(arcs=self.arcs.over(used), reverse=self.reverse.over(used))
        return lean

    def _traffic(self, *, reverse: bool) -> Arcs:
        ends = self.u, self.v, self.oneway.astype(np.int64), self.n_nodes
        return build_traffic_arcs(*ends, self.through, self.ends_legs, reverse=reverse)

    def snap(self, lon: float, lat: float, *, limit_m: float, what: str) -> Position:
        """The nearest point of an open road of the country, in domain edge numbers.

        Args:
            lon: degrees east.
            lat: degrees north.
            limit_m: farthest that it may lie, metres.
            what: what it is, for the message.

        Raises:
            NetworkError: none is within ``limit_m``.
        """
        at = self.network.snap(lon, lat, self._shut(), limit_m=limit_m, what=what)
        return Position(int(self.local[at.edge]), at.fraction, at.distance_m, at.lon, at.lat)

    def snap_all(self, lon: Floats, lat: Floats, *, limit_m: float) -> list[Position | None]:
        """The same for many points at once; None for one that no open road is near enough to.

        Args:
            lon: degrees east, shape (n,).
            lat: degrees north.
            limit_m: farthest that it may lie, metres.
        """
        found = self.network.snap_all(lon, lat, self._shut(), limit_m=limit_m)
        return [replace(at, edge=int(self.local[at.edge])) if at else None for at in found]

    def _shut(self) -> Bools:
        """Rows of the network that are no open road of the country."""
        shut = np.ones(len(self.local), dtype=bool)
        shut[self.rows[~self.not_open]] = False
        return shut

    def rows_of(self, base_rows: Collection[int]) -> Ints:
        """Rows of the network that lie on rows of the network it was split from (itself if it wasn't split)."""
        wanted = np.fromiter(base_rows, dtype=np.int64)
        if isinstance(self.network, SplitNetwork):
            return np.flatnonzero(np.isin(self.network.origin, wanted))
        return np.unique(wanted)

    def state(self, effect: EdgeEffect | None = None, *, opened: Collection[int] = (), factor: float = 1.0) -> State:
        """The domain under a regime's effect; ``opened`` are network rows that count as open although they aren't.

        Args:
            effect: what the regime closes and slows; None for nothing.
            opened: network rows that count as open.
            factor: of driving times.

        Raises:
            NetworkError: the effect belongs to another network.
        """
        # What is assumed open is opened first, so that an effect can still close it.
        closed = self.not_open.copy()
        mine = self.local[np.fromiter(opened, dtype=np.int64)]
        closed[mine[mine >= 0]] = False
        if effect is None:
            changed = None if len(mine) else np.zeros(0, dtype=np.int64)
            return State(closed, self._no_delay_min, (0.0,) * len(self.entries), factor, changed)
        if len(effect.closed) != len(self.local):
            raise NetworkError(
                f"an effect on {len(effect.closed)} edges was given for a network of {len(self.local)}; "
                "compute it on the network that access is measured on"
            )
        ways = [list(entry.edges) for entry in self.entries]
        # A way in takes the delays of all its edges, and is shut as soon as one of them is.
        delay_min = effect.delay_min
        entry_min = tuple(np.inf if effect.closed[w].any() else float(delay_min[w].sum()) for w in ways)
        more = effect.closed[self.rows]
        delays = delay_min[self.rows] if len(effect.slowed) else self._no_delay_min
        changed = None if len(mine) else np.flatnonzero((more & ~closed) | (delays != 0))
        return State(closed | more, delays, entry_min, factor, changed)

    def leg(self, state: State, edge: int, start: float, end: float) -> float:
        """Minutes from one fraction of an edge to another on it; inf if that can't be driven.

        Args:
            state: of the domain: what is closed and slowed.
            edge: row of the domain.
            start: fraction of its length.
            end: likewise.
        """
        return float(_leg(*self._costs(state), edge, start, end))

    def _costs(self, state: State) -> tuple[Floats, Floats, Bools, Bools, Floats, float]:
        """What minutes on an edge follow from, as kernels take it."""
        return self.forward, self.backward, self.oneway, state.closed, state.delay_min, state.factor

    def minutes_at(
        self, state: State, edges: Ints, fractions: Floats, costs: tuple[Floats, Floats], origin: Position | None, *,
        inbound: bool,
    ) -> Floats:  # fmt: skip
        """Minutes between an origin and positions, shape (n,); inf if there is no way.

        Args:
            state: of the domain: what is closed and slowed.
            edges: rows of the domain that the positions are on, shape (n,).
            fractions: where on these they lie.
            costs: minutes between the origin and the start nodes of these edges, and their end nodes, shape (n,) each.
            origin: the position; None for the fixed point abroad.
            inbound: whether minutes are those to the origin.
        """
        # Two places on one edge may be nearest along it, without a node between.
        own = (-1, 0.0) if origin is None else (origin.edge, origin.fraction)
        return np.asarray(_minutes_at(*self._costs(state), edges, fractions, *costs, *own, inbound))

    def tree_from(
        self, seeds: Sequence[tuple[int, float]], state: State, *, inbound: bool = False, until: Bools | None = None
    ) -> Tree:
        """Cheapest minutes from seeds (node, minutes spent) to all nodes; ``inbound``: from all nodes to the seeds.

        Args:
            seeds: nodes with the minutes spent to them.
            state: of the domain: what is closed and slowed.
            inbound: whether to search towards the seeds.
            until: nodes after the last of which the search ends, shape (n_nodes,); it never does if left out.
        """
        arcs = self.reverse if inbound else self.arcs
        forward, backward = (way + state.delay_min for way in self.driving_min(state.factor))
        return search(arcs, [s for s in seeds if np.isfinite(s[1])], forward, backward, state.closed, until)

    def grow(self, at: Position | None, factor: float, *, inbound: bool = False) -> Grown:
        """The same from a position with nothing done to the roads, which searches of other states are mended from.

        Args:
            at: the position; None for the fixed point abroad.
            factor: of driving times.
            inbound: whether ways lead to it.
        """
        state = self.state(factor=factor)
        arcs = self.reverse if inbound else self.arcs
        seeds = self.seeds(at, state, inbound=inbound)
        return Grown(arcs, seeds, *self.driving_min(factor), state.closed)

    def seeds(self, at: Position | None, state: State, *, inbound: bool = False) -> list[tuple[int, float]]:
        """Nodes that a position leads to, with the minutes spent (``inbound``: from them); None is the point abroad.

        Args:
            at: the position; None for the fixed point abroad.
            state: of the domain: what is closed and slowed.
            inbound: whether ways lead to it.
        """
        if at is None:
            pairs = zip(self.entries, state.entry_min, strict=True)
            return [(e.node, (e.outward_min if inbound else e.inward_min) * state.factor + more) for e, more in pairs]
        ends = ((int(self.u[at.edge]), 0.0), (int(self.v[at.edge]), 1.0))
        if inbound:
            return [(node, self.leg(state, at.edge, end, at.fraction)) for node, end in ends]
        return [(node, self.leg(state, at.edge, at.fraction, end)) for node, end in ends]


@dataclass(frozen=True)
class Reached:
    """Times from one position (None: the fixed point abroad) to everywhere, or to it from everywhere (``inbound``)."""

    domain: Domain
    state: State
    origin: Position | None
    inbound: bool
    tree: Tree

    def minutes(self, at: Position) -> float:
        """Minutes between the origin and a position; inf if there is no way."""
        return float(self.minutes_at(np.array([at.edge]), np.array([at.fraction]))[0])

    def minutes_at(self, edges: Ints, fractions: Floats) -> Floats:
        """The same for many positions at once: their edges and where on these they lie, shape (n,) each."""
        cost = self.tree.cost
        costs = cost[self.domain.u[edges]], cost[self.domain.v[edges]]
        return self.domain.minutes_at(self.state, edges, fractions, costs, self.origin, inbound=self.inbound)


@compiled
def _leg(forward, backward, oneway, closed, delay_min, factor, edge, start, end):  # type: ignore[no-untyped-def]
    if start == end:
        return 0.0
    ahead = start < end
    if closed[edge] or (oneway[edge] and not ahead):
        return np.inf
    # The factor scales driving; a delay is waited whatever the speed.
    return ((forward[edge] if ahead else backward[edge]) * factor + delay_min[edge]) * abs(end - start)


@compiled
def _minutes_at(  # type: ignore[no-untyped-def]
    forward, backward, oneway, closed, delay_min, factor, edges, fractions, at_start, at_end, own_edge, own_fraction,
    inbound,
):  # fmt: skip
    found = np.full(len(edges), np.inf)
    for k in range(len(edges)):
        edge, at = edges[k], fractions[k]
        for which in range(3 if edge == own_edge else 2):
            begin, spent = 0.0, at_start[k]
            if which == 1:
                begin, spent = 1.0, at_end[k]
            elif which == 2:
                begin, spent = own_fraction, 0.0
            start, end = (at, begin) if inbound else (begin, at)
            leg = _leg(forward, backward, oneway, closed, delay_min, factor, edge, start, end)
            found[k] = min(found[k], spent + leg)
    return found


def reach(
    domain: Domain, origin: Position | None, state: State, until: tuple[Bools, Bools] | None = None
) -> tuple[Reached, Reached]:
    """Times from a position and to it, one search each.

    Args:
        domain: a country's roads.
        origin: the position; None for the fixed point abroad.
        state: of the domain: what is closed and slowed.
        until: nodes after the last of which each search ends, shape (n_nodes,): nothing is said of what lies beyond.
    """
    found = []
    for inbound, last in zip((False, True), until or (None, None), strict=True):
        seeds = domain.seeds(origin, state, inbound=inbound)
        tree = domain.tree_from(seeds, state, inbound=inbound, until=last)
        found.append(Reached(domain, state, origin, inbound, tree))
    return found[0], found[1]


@dataclass(frozen=True)
class Rooted:
    """Trees from a position and to it with nothing done, from which times in other states are mended."""

    domain: Domain
    origin: Position | None
    out: Grown
    back: Grown

    def worse_minutes(self, state: State, edges: Ints, fractions: Floats) -> Floats:
        """Minutes between positions and the origin, the worse direction; inf if there is no way. Shape (n,).

        Args:
            state: of the domain, with nothing open that isn't with nothing done, and the factor of the trees.
            edges: rows of the domain that the positions are on, shape (n,).
            fractions: where on these they lie.
        """
        nodes = np.concatenate([self.domain.u[edges], self.domain.v[edges]])
        found = []
        for grown, inbound in ((self.out, False), (self.back, True)):
            costs = grown.mend(change_of(self.domain, self.origin, state, inbound=inbound), nodes)
            ends = costs[: len(edges)], costs[len(edges) :]
            found.append(self.domain.minutes_at(state, edges, fractions, ends, self.origin, inbound=inbound))
        return np.maximum(*found)


def root(domain: Domain, origin: Position | None, factor: float) -> Rooted:
    """Trees from a position and to it with nothing done to the roads.

    Args:
        domain: a country's roads.
        origin: the position; None for the fixed point abroad.
        factor: of driving times.
    """
    out, back = (domain.grow(origin, factor, inbound=inbound) for inbound in (False, True))
    return Rooted(domain, origin, out, back)


def change_of(domain: Domain, origin: Position | None, state: State, *, inbound: bool) -> Change:
    """What a state changes for searches from a position, or to it.

    Args:
        domain: a country's roads.
        origin: the position; None for the fixed point abroad.
        state: of the domain, with nothing open that isn't with nothing done.
        inbound: whether ways lead to the position.

    Raises:
        ValueError: something is open.
    """
    if state.changed is None:
        raise ValueError("roads that are opened make ways cheaper: search anew")
    return Change(state.changed, state.closed, state.delay_min, domain.seeds(origin, state, inbound=inbound))


def reach_towards(
    domain: Domain, goal: Position, bounds: tuple[Floats, Floats], state: State
) -> tuple[Reached, Reached]:
    """The ways from the fixed point abroad to a position and back, a search each that is led there.

    Args:
        domain: a country's roads.
        goal: the position.
        bounds: minutes from each node to it and from it with nothing done, by the state's factor, (n_nodes,) each.
        state: of the domain, with nothing open that isn't with nothing done.

    Returns:
        Times that hold for the position alone.
    """
    found = []
    forward, backward = domain.driving_min(state.factor)
    for inbound, bound in zip((False, True), bounds, strict=True):
        ends = domain.seeds(goal, state, inbound=not inbound)
        change = change_of(domain, None, state, inbound=inbound)
        arcs = domain.reverse if inbound else domain.arcs
        tree = search_towards(arcs, Goal(bound, ends), forward, backward, change)
        found.append(Reached(domain, state, None, inbound, tree))
    return found[0], found[1]


def _columns_of(*, by_car: bool) -> tuple[tuple[str, ...], str]:
    """Columns of a vehicle's minutes along and against each edge, and that of its access."""
    return (MINUTES[2:], "car_access") if by_car else (MINUTES[:2], "truck_access")


def build_domain(
    network: Network,
    country: str,
    *,
    assume_open: Collection[str] = (),
    by_car: bool = False,
) -> Domain:
    """The domain of a country's roads without entries from abroad; tracks and service roads are no part of it.

    Args:
        network: the whole network.
        country: whose roads.
        assume_open: sections that count as open.
        by_car: whether times and access are those of a car instead of a truck.

    Raises:
        NetworkError: the country has no such road on this network.
    """
    mine = network.is_in("country", country) & network.is_in("mode", Mode.ROAD) & ~network.is_unfit
    rows = np.flatnonzero(mine & ~network.is_border)
    if not len(rows):
        raise NetworkError(f"the network has no road in {country}; check the country code and that the data cover it")
    # Edges and nodes get numbers of their own, so that searches look at one country alone.
    local = np.full(len(network.edges), -1, dtype=np.int64)
    local[rows] = np.arange(len(rows))

    def column(name: str) -> NDArray[Any]:
        return np.asarray(network.edges[name].to_numpy()[rows])

    def is_in(name: str, *values: str) -> Bools:
        return network.is_in(name, *values)[rows]

    nodes, number = np.unique(np.concatenate([column("u"), column("v")]), return_inverse=True)
    assumed = is_in("section_id", *assume_open) | is_in("documented_in", *assume_open)
    minutes, access = _columns_of(by_car=by_car)
    shut, is_unknown = is_in(access, RoadAccess.NO), is_in("status", SectionStatus.UNKNOWN)
    mapped = ~is_in("documented_in", "") & is_in("section_id", "")
    documented_shut = is_in("status", SectionStatus.CLOSED) | is_unknown
    # goods keep to what is documented as open; people of villages drive where nobody says that it is closed
    local_only = mapped & documented_shut & ~shut & ~assumed & ~(is_unknown & by_car)
    return Domain(
        network=network,
        country=country,
        rows=rows,
        local=local,
        nodes=nodes,
        u=number[: len(rows)].astype(np.int64),
        v=number[len(rows) :].astype(np.int64),
        oneway=column("oneway") != 0,
        length_km=column("length_m") / 1000,
        forward=column(minutes[0]),
        backward=column(minutes[1]),
        not_open=(~is_in("status", SectionStatus.OPEN) & ~(mapped & documented_shut) | shut) & ~assumed,
        local_only=local_only,
        unknown=local_only & is_unknown,
        through=network.through_for(access)[rows] & ~local_only,
        ends_legs=network.leg_ends_for(access)[rows],
    )


def with_entries(
    domain: Domain,
    start: Place,
    *,
    limit_m: float,
    assume_open: Collection[str] = (),
    by_car: bool = False,
) -> Domain:
    """A domain with its entries from a fixed point in a neighbouring country.

    Driving abroad is along the quickest way from the point to each open crossing; the check at the border itself is not
    counted, since it is the same before and after. Nothing is driven through the neighbour and back.

    Args:
        domain: a country's roads.
        start: the point abroad.
        limit_m: farthest that it may lie from a road, metres.
        assume_open: sections and crossings that count as open.
        by_car: whether times and access are those of a car instead of a truck.

    Raises:
        NetworkError: the point is far from any road, or no open crossing joins the countries.
    """
    network = domain.network
    pair = "-".join(sorted((domain.country, start.country)))
    minutes, access = _columns_of(by_car=by_car)
    closed = network.closed(Mode.ROAD, countries=(start.country,), assume_open=assume_open, access=access)
    at = network.snap(start.lon, start.lat, closed, limit_m=limit_m, what=f"border_crossing '{start.name}'")
    links = _open_links(network, domain.country, pair, assume_open)
    forward, backward = (network.edges[name].to_numpy(dtype=float) for name in minutes)
    # One search with the traffic from the point and one against it: to each crossing and from it.
    inward = network.search(at, forward, backward, closed, access=access)
    back = network.traffic_for(access, reverse=True)
    outward = search(back, _arrivals(network, at, forward, backward), forward, backward, closed)
    entries = []
    for row, home, foreign in links:
        spent = float(inward.cost[foreign]), float(outward.cost[foreign])
        # A crossing serves only if it can be reached and left; all edges of both ways are kept, since a route may cut
        # any.
        if np.isfinite(spent).all():
            rows = {
                at.edge,
                row,
                *(edge for edge, _ in inward.path(foreign)),
                *(edge for edge, _ in outward.path(foreign)),
            }
            node = int(np.searchsorted(domain.nodes, home))
            entries.append(Entry(node, spent[0], spent[1], tuple(sorted(rows))))
    if not entries:
        raise NetworkError(
            f"border_crossing '{start.name}': no open crossing {pair} can be reached from it on the network; "
            "check crossings.csv (place within 1.5 km of the road, status) and the point's position"
        )
    return replace(domain, entries=tuple(entries))


def _open_links(network: Network, country: str, pair: str, assume_open: Collection[str]) -> list[tuple[int, int, int]]:
    """Open border passages of a pair of countries: row, node at home, node abroad."""
    mine = network.is_in("border", pair) & network.is_in("mode", Mode.ROAD)
    mine &= network.is_in("status", SectionStatus.OPEN) | network.is_in("crossing_id", *assume_open)
    rows, u, v = np.flatnonzero(mine), network.column("u"), network.column("v")
    at_home = network.is_in("country", country)
    # a passage joins two nodes of one place, one in each country
    home = set(np.concatenate([u[at_home], v[at_home]]).tolist()) & set(u[rows].tolist() + v[rows].tolist())
    return [
        (row, a, b) if a in home else (row, b, a)
        for row, a, b in zip(rows.tolist(), u[rows].tolist(), v[rows].tolist(), strict=True)
    ]


def _arrivals(network: Network, at: Position, forward: Floats, backward: Floats) -> list[tuple[int, float]]:
    """Ends of an edge from which a position on it can be reached, with the minutes that takes."""
    edge = network.edges.iloc[at.edge]
    ends = [(int(edge["u"]), float(forward[at.edge] * at.fraction))]
    if not edge["oneway"]:
        ends.append((int(edge["v"]), float(backward[at.edge] * (1 - at.fraction))))
    return ends


def check_crossings(network: Network, crossings: dict[str, tuple[float, float]], limit_m: float) -> list[Message]:
    """What to say of listed open crossings (id: lon, lat) that no passage of the network took up, a remark each.

    A crossing may lie outside the data; it is said, so that nobody takes it for open on this network.

    Args:
        network: roads and railways.
        crossings: lon and lat by id.
        limit_m: how far the nearest road's end may lie from a crossing that is no remark, metres.
    """
    served = set(network.edges["crossing_id"]) - {""}
    missing = {key: place for key, place in crossings.items() if key not in served}
    lines = []
    roads = np.flatnonzero((network.edges["mode"] == Mode.ROAD).to_numpy())
    nodes = np.union1d(network.edges["u"].to_numpy()[roads], network.edges["v"].to_numpy()[roads])
    for key, (lon, lat) in missing.items():
        gap = float(distance_m(network.node_lon[nodes], network.node_lat[nodes], lon, lat).min())
        if gap > limit_m:
            facts = {"crossing_id": key, "place": format_position(lat, lon, 3), "gap_km": f"{gap / 1000:.1f}"}
            lines.append(Message("remark.crossing_far", facts))
    return lines
