"""The long-distance network of a year: which links are in use, priced, with its exact best ways.

The price of unreliable delays is a square root over the whole way, so costs don't add up link by link. The best way is
still exact: labels carry certain dollars and variance, and one that is worse in both can't be part of a best way
(bicriterion shortest paths: Hansen 1980, doi:10.1007/978-3-642-48782-8_9).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor.flows._search import ARC, NONE, PARENT, Arcs, least_to, links_passed, search
from corridor.flows.changes import LinkChange
from corridor.flows.cost import Charge, End, Passage, Prices, measure_passage, pick, price_terminal, price_transfer
from corridor.flows.rows import FlowLink, FlowTables, Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
State = tuple[str, str]
"""A node and what the load is on there: ``("brenner", "rail-1435")``; on ``door`` it hasn't set out or has arrived."""
DOOR = "door"
_END_OF_WORKS: Mapping[str, End] = {"early": "low", "documented": "mid", "late": "high"}
"""Which of a link's opening years a scenario takes; one that finishes no works takes none."""


@dataclass(frozen=True, slots=True)
class Arc:
    """One passage of a link (or, with an empty ``link_id``, a transfer) from a state to another.

    ``modes`` are those that it needs, ``countries`` those whose ground it lies on; ``cost`` is its certain dollars and
    ``variance`` that of its delays, in dollars squared.
    """

    link_id: str
    tail: State
    head: State
    charge: Charge
    cost: float
    variance: float
    modes: frozenset[str]
    countries: frozenset[str]


@dataclass(frozen=True)
class Way:
    """A way through the network with what it costs and takes.

    ``cost_usd`` is its generalised cost per load; the hours and dollars are sums over ``arcs``.
    """

    arcs: tuple[Arc, ...]
    cost_usd: float

    @cached_property
    def link_ids(self) -> tuple[str, ...]:
        """Its links in order, without transfers."""
        return tuple(arc.link_id for arc in self.arcs if arc.link_id)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its nodes in order, each once in a row."""
        passed = [self.arcs[0].tail[0], *(arc.head[0] for arc in self.arcs)]
        return tuple(node for at, node in enumerate(passed) if at == 0 or node != passed[at - 1])

    def total(self, field: str) -> float:
        """Sum of a field of its charges: ``km``, ``drive_h``, ``rest_h``, ``check_h``, ``fee_usd`` and the like."""
        return math.fsum(getattr(arc.charge, field) for arc in self.arcs)

    def slowed(self, link_id: str, extra_h: float, hour_usd: float) -> Way:
        """The same way with hours of delay on one of its links, which it passes once.

        Args:
            link_id: of the link.
            extra_h: hours of delay.
            hour_usd: price of an hour.
        """
        arcs = []
        for arc in self.arcs:
            if arc.link_id == link_id:
                charge = replace(
                    arc.charge,
                    check_h=arc.charge.check_h + extra_h,
                    time_usd=arc.charge.time_usd + extra_h * hour_usd,
                )
                arc = replace(arc, charge=charge, cost=arc.cost + extra_h * hour_usd)  # noqa: PLW2901
            arcs.append(arc)
        return Way(tuple(arcs), self.cost_usd + extra_h * hour_usd)

    @cached_property
    def trip_h(self) -> float:
        """Hours from origin to destination: driving or sailing, rest, checks and transfers."""
        return sum(self.total(field) for field in ("drive_h", "rest_h", "check_h", "transfer_h"))


class PricedArcs:
    """All that the tables let a load pass, at one set of prices and without delays, with the arrays that searches take.

    Args:
        tables: The network's tables.
        prices: Prices of hours and uncertainty.
        others: The same tables at other prices: what hangs on no price is shared with them.
    """

    def __init__(self, tables: FlowTables, prices: Prices, others: Iterable[PricedArcs] = ()) -> None:
        self.tables, self.prices = tables, prices
        known = list(others)
        # Loads differ in what an hour of them is worth: what a passage takes is the same for all of them.
        alike = (other._passages for other in known if _but_for_load(other.prices) == _but_for_load(prices))
        self._passages: dict[tuple[str, bool, float], Passage] = next(alike, {})
        self._by_delay: dict[tuple[str, float], list[Arc]] = {}
        self.bounds: dict[object, Floats] = {}
        self.links = sorted(tables.links)
        passages = [arc for link_id in self.links for arc in self.price(tables.links[link_id])]
        self.layout: _Layout = known[0].layout if known else _Layout(tables, {arc.tail for arc in passages})
        states = self.layout.states
        # links in the order of their ids, then transfers, so that ties come out alike; last the leg to the door
        made = [*passages, *self._transfers(), *(self._door(*at, arriving=True) for at in states)]
        made += [self._door(*at, arriving=False) for at in states]
        tails = np.array([self.layout.places[arc.tail] for arc in made])
        self.all = [made[at] for at in np.argsort(tails, kind="stable")]
        self.arrays = self.layout.arrays(self.all)

    @property
    def ranks(self) -> dict[str, int]:
        """Place of each link among all by their ids, from 1."""
        return self.layout.ranks

    @property
    def nodes(self) -> dict[str, int]:
        """Number of each node in the tables."""
        return self.layout.nodes

    @property
    def places(self) -> dict[State, int]:
        """Number of each state, and after them of each node's door."""
        return self.layout.places

    def price(self, link: FlowLink, extra_h: float = 0.0) -> list[Arc]:
        """Both directions of a link, for each system that it carries, with hours of delay on each passage."""
        key = (link.link_id, extra_h)
        if key not in self._by_delay:
            self._by_delay[key] = [
                self._arc(
                    link.link_id, (tail, system), (head, system), self._charge(link, system, backward, extra_h),
                    link.countries,
                )
                for system in link.systems
                for backward, tail, head in (
                    (False, link.from_node, link.to_node), (True, link.to_node, link.from_node)
                )
            ]  # fmt: skip
        return self._by_delay[key]

    def _charge(self, link: FlowLink, system: str, backward: bool, extra_h: float) -> Charge:
        key = (link.link_id, backward, extra_h)
        if key not in self._passages:
            self._passages[key] = measure_passage(self.tables, link, self.prices, backward=backward, extra_h=extra_h)
        return self._passages[key].charge(self.prices.hour_usd(system), self.prices.reliability_ratio)

    def _transfers(self) -> Iterable[Arc]:
        """Both directions of each transfer between systems that are ever there."""
        there = set(self.layout.states)
        for transfer in self.tables.transfers:
            for a, b in (transfer.systems, transfer.systems[::-1]):
                if {(transfer.node_id, a), (transfer.node_id, b)} <= there:
                    charge = price_transfer(transfer, (a, b), self.prices)
                    yield self._arc("", (transfer.node_id, a), (transfer.node_id, b), charge)

    def _door(self, node: str, system: str, *, arriving: bool) -> Arc:
        """The first or last leg at a node."""
        tail, head = (node, DOOR), (node, system)
        ends = (head, tail) if arriving else (tail, head)
        return self._arc("", *ends, price_terminal(system, self.prices))

    def _arc(self, link_id: str, tail: State, head: State, charge: Charge, countries: Iterable[str] = ()) -> Arc:
        cost, variance = charge.certain_usd, charge.delay_variance
        if self.prices.correlated:  # deviations add up plainly: then costs do, too
            cost, variance = cost + sum(charge.delay_usd), 0.0
        modes = frozenset(system.split("-")[0] for system in (tail[1], head[1])) - {DOOR}
        return Arc(link_id, tail, head, charge, cost, variance, modes, frozenset(countries))

    def within(self, modes: Collection[str] | None, avoid: frozenset[str]) -> Bools:
        """Arcs that need no other modes and touch none of the countries to avoid, shape ``(arcs,)``."""
        key = (None if modes is None else frozenset(modes), avoid)
        if key not in self.layout.within:
            self.layout.within[key] = np.array(
                [(key[0] is None or arc.modes <= key[0]) and avoid.isdisjoint(arc.countries) for arc in self.all]
            )
        return self.layout.within[key]


def _but_for_load(prices: Prices) -> Prices:
    return replace(prices, cargo_usd_per_h=0.0)


class _Layout:
    """What of a network's arcs hangs on no price: states, numbers, which arc leads where, and which may be passed."""

    def __init__(self, tables: FlowTables, states: Collection[State]) -> None:
        self.ranks = {link_id: rank for rank, link_id in enumerate(sorted(tables.links), 1)}
        self.nodes = {node: at for at, node in enumerate(tables.nodes)}
        self.states = sorted(states, key=lambda state: (self.nodes[state[0]], state[1]))
        self.places = {state: place for place, state in enumerate(self.states)}
        for node in self.nodes:
            self.places[node, DOOR] = len(self.places)
        # ferries with the road at the same port
        roads = (
            (place, self.places.get((node, "road")))
            for (node, system), place in self.places.items()
            if system == "ferry"
        )
        self._ferries = [(place, road) for place, road in roads if road is not None]
        self.within: dict[object, Bools] = {}
        self._passable: dict[frozenset[str], Bools] = {}
        self._arcs: Arcs | None = None

    def arrays(self, arcs: Sequence[Arc]) -> Arcs:
        """The arrays of arcs that are sorted by the places of their tails."""
        cost, variance = np.array([arc.cost for arc in arcs]), np.array([arc.variance for arc in arcs])
        if self._arcs is None:
            tail, head = (
                np.array([self.places[state] for state in ends], dtype=np.int64)
                for ends in ([arc.tail for arc in arcs], [arc.head for arc in arcs])
            )
            edges = np.arange(len(self.places) + 1)
            into = np.argsort(head, kind="stable")
            self._arcs = Arcs(
                first=np.searchsorted(tail, edges),
                into_first=np.searchsorted(head[into], edges),
                into=into,
                tail=tail,
                head=head,
                link=np.array([self.ranks.get(arc.link_id, 0) for arc in arcs], dtype=np.int64),
                cost=cost,
                variance=variance,
                node=np.array([self.nodes[node] for node, _ in self.places], dtype=np.int64),
                doors=len(self.states),
            )
        return self._arcs._replace(cost=cost, variance=variance)

    def passable(self, link_ids: frozenset[str], arcs: Arcs) -> Bools:
        """Arcs that a way may pass with some links in use, shape ``(arcs,)``."""
        if link_ids not in self._passable:
            self._passable[link_ids] = self._find_passable(link_ids, arcs)
        return self._passable[link_ids]

    def _find_passable(self, link_ids: frozenset[str], arcs: Arcs) -> Bools:
        links = np.zeros(len(self.ranks) + 1, dtype=bool)
        links[[self.ranks[link_id] for link_id in link_ids]] = True
        there = np.zeros(len(arcs.node), dtype=bool)
        there[arcs.tail[links[arcs.link]]] = True
        there[arcs.doors :] = True
        # Where trucks drive to a ferry they wait for it, so none sets out on board. That holds for those of the port
        # itself while no road leads there: a road that is shut must not spare them the waiting.
        aboard = np.zeros(len(arcs.node), dtype=bool)
        for ferry, road in self._ferries:
            aboard[ferry], there[road] = True, there[road] or there[ferry]
        # a railway that isn't there yet has no change of gauge either
        in_use = np.where(arcs.link > 0, links[arcs.link], there[arcs.tail] & there[arcs.head])
        legs = (arcs.tail >= arcs.doors) | (arcs.head >= arcs.doors)
        return in_use & ~(legs & (aboard[arcs.tail] | aboard[arcs.head]))


class FlowNetwork:
    """Links in use, priced at one end of the declared ranges.

    Args:
        tables: The network's tables.
        links: Ids of the links in use.
        prices: Prices of hours and uncertainty.
        extra_h: Hours of delay that a candidate adds to each passage of a link.
        priced: What is priced already, shared by networks of the same tables; filled on the way.
    """

    def __init__(
        self,
        tables: FlowTables,
        links: Iterable[str],
        prices: Prices,
        extra_h: Mapping[str, float] | None = None,
        priced: dict[Prices, PricedArcs] | None = None,
    ) -> None:
        self.tables, self.prices = tables, prices
        self.link_ids = frozenset(links)
        known = {} if priced is None else priced
        if prices not in known:
            known[prices] = PricedArcs(tables, prices, known.values())
        self._priced = known[prices]
        self._arcs = self._priced.arrays
        self._slowed: dict[int, Arc] = {}
        delays = {link_id: hours for link_id, hours in (extra_h or {}).items() if link_id in self.link_ids}
        self._slow(delays)
        # No way costs less than on all links without delays, so the bounds found there guide the searches of every
        # network; only where a link is made quicker they would be too high.
        quicker = any(hours < 0 for hours in delays.values())
        self._bounding, self._bounds = (self._arcs, {}) if quicker else (self._priced.arrays, self._priced.bounds)
        self._passable = self._priced.layout.passable(self.link_ids, self._arcs)

    def _slow(self, delays: Mapping[str, float]) -> None:
        """Price the arcs of links with delays anew."""
        if not delays:
            return
        cost, variance = self._arcs.cost.copy(), self._arcs.variance.copy()
        for link_id, hours in delays.items():
            # both have the link's arcs by system and direction
            plain, slowed = (self._priced.price(self.tables.links[link_id], h) for h in (0.0, hours))
            new = {id(arc): other for arc, other in zip(plain, slowed, strict=True)}
            for at in np.flatnonzero(self._arcs.link == self._priced.ranks[link_id]):
                arc = self._slowed[int(at)] = new[id(self._priced.all[at])]
                cost[at], variance[at] = arc.cost, arc.variance
        self._arcs = self._arcs._replace(cost=cost, variance=variance)

    def _arc(self, at: int) -> Arc:
        return self._slowed.get(at) or self._priced.all[at]

    def best_way(
        self,
        origin: str,
        destination: str,
        *,
        modes: Collection[str] | None = None,
        via: tuple[str, ...] = (),
        avoid_countries: Collection[str] = (),
        without: Collection[str] = (),
    ) -> Way | None:
        """The way of least generalised cost, or None where there is none.

        Args:
            origin: Node where the load sets out, on any system that is there.
            destination: Node where it arrives, on any system.
            modes: Modes that it may use; all if None.
            via: Nodes and links that it passes, in this order.
            avoid_countries: Countries whose ground it doesn't touch.
            without: Ids of links that it may not use.

        Returns:
            The way, exact: no other has a lower cost. Equal ones are told apart by the ids of their links.
        """
        priced = self._priced
        if not {origin, destination} <= priced.nodes.keys():
            return None
        start, goal = (priced.places[node, DOOR] for node in (origin, destination))
        usable = self._passable & priced.within(modes, frozenset(avoid_countries))
        if without:
            closed = [priced.ranks[link_id] for link_id in without if link_id in priced.ranks]
            usable &= ~np.isin(self._arcs.link, closed)
        passed = self._stages(via)
        bounds = self._bounds_to(goal, modes, via, frozenset(avoid_countries))
        costs, reached, labels = search(self._arcs, usable, bounds, *passed, start, goal)
        label, arcs = int(reached[priced.nodes[destination]]), []
        if label < 0:
            return None
        while labels[label, PARENT] >= 0:
            arcs.append(self._arc(int(labels[label, ARC])))
            label = int(labels[label, PARENT])
        return Way(tuple(arcs[::-1]), float(costs[priced.nodes[destination]]))

    def _stages(self, via: tuple[str, ...]) -> tuple[Ints, Ints]:
        """Numbers of the nodes and links that a way passes, -1 for what is none."""
        nodes = [self._priced.nodes.get(name, NONE) for name in via]
        links = [self._priced.ranks.get(name, NONE) for name in via]
        return np.array(nodes, dtype=np.int64), np.array(links, dtype=np.int64)

    def _bounds_to(
        self, goal: int, modes: Collection[str] | None, via: tuple[str, ...], avoid: frozenset[str]
    ) -> Floats:
        """Least certain dollars from each stage and state to a goal: a lower bound of what is still to pay."""
        key = (goal, None if modes is None else frozenset(modes), via, avoid)
        if key not in self._bounds:
            within = self._priced.within(modes, avoid)
            self._bounds[key] = least_to(self._bounding, within, *self._stages(via), goal)
        return self._bounds[key]

    def costs_from(self, origin: str, *, modes: Collection[str] | None = None) -> tuple[Floats, Bools]:
        """Least generalised cost from a node to all nodes, itself at 0.

        Args:
            origin: Node where loads set out, on any system that is there.
            modes: Modes that may be used; all if None.

        Returns:
            Dollars per load, as :meth:`best_way` would find them, infinite where there is no way, shape ``(nodes,)``
            in the order of the tables; and whether that way passes each link, in the order of their ids, shape
            ``(nodes, links)``.
        """
        usable = self._passable & self._priced.within(modes, frozenset())
        # without a goal nothing guides the search
        free, none = np.zeros((1, len(self._arcs.node))), np.empty(0, dtype=np.int64)
        costs, reached, labels = search(self._arcs, usable, free, none, none, self._priced.places[origin, DOOR], NONE)
        return costs, links_passed(self._arcs, reached, labels, len(self._priced.links))[:, 1:]


def links_in_use(tables: FlowTables, year: int, scenario: Scenario) -> frozenset[str]:
    """Ids of the links that are in use in a year.

    A link that is under works or planned is in use from its opening year, as early, in the middle or late as the
    scenario says; one that is closed or disused only where the scenario opens it.

    Args:
        tables: The network's tables.
        year: The year.
        scenario: Which works are finished, and what is opened or shut besides.

    Returns:
        Link ids.
    """
    return frozenset(key for key, link in tables.links.items() if _is_in_use(link, year, scenario))


def change_links(
    tables: FlowTables,
    alone: frozenset[str],
    year: int,
    scenario: Scenario,
    changes: Mapping[str, LinkChange],
    *,
    built: bool = True,
) -> frozenset[str]:
    """Ids of the links that are in use with what a candidate does, where those without it are known.

    Args:
        tables: The network's tables.
        alone: Those in use in the year if nothing is changed.
        year: The year.
        scenario: Which works are finished, and what is opened or shut besides.
        changes: What a candidate does, by link. Links that it opens are in use from their opening year with it (or
            from the first, if they are open or the scenario opens them), and never without it.
        built: With the candidate's own links; False gives the network that it is compared with.

    Returns:
        Link ids.
    """
    changed = {key: tables.links[key] for key in changes if key in tables.links}
    used = {key for key, link in changed.items() if _is_in_use(link, year, scenario, changes[key], built=built)}
    return alone.difference(changed) | used if changed else alone


def _is_in_use(
    link: FlowLink, year: int, scenario: Scenario, change: LinkChange | None = None, *, built: bool = True
) -> bool:
    end = _END_OF_WORKS.get(scenario.works)
    there = link.status == "open" or link.link_id in scenario.opened
    if change is not None and change.opens:
        # What a scenario opens from the first year on, a candidate that opens it later doesn't shut until then.
        usable = built and (there or _finished(link, year, end or "mid", change.opens_year))
    else:
        works = link.status in ("construction", "planned")
        usable = there or (works and end is not None and _finished(link, year, end))
    # Closures come last, so that they win over every opening.
    return usable and not (link.link_id in scenario.closed or (built and change is not None and change.closes))


def _finished(link: FlowLink, year: int, end: End, own_year: int | None = None) -> bool:
    if own_year is not None:
        return own_year <= year
    return link.opens_year is not None and pick(link.opens_year, end) <= year
