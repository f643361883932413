"""The long-distance network of a year: which links are in use, priced, with its exact best ways.

The price of unreliable delays is a square root over the whole way, so costs don't add up link by link. The best way is
still exact: labels carry certain dollars and variance, and one that is worse in both can't be part of a best way
(bicriterion shortest paths: Hansen 1980, doi:10.1007/978-3-642-48782-8_9).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from corridor.flows.changes import LinkChange, merge_changes
from corridor.flows.cost import Charge, Prices, pick, price_link, price_terminal, price_transfer
from corridor.flows.rows import FlowLink, FlowTables, Scenario

State = tuple[str, str]
"""A node and what the load is on there: ``("julfa", "rail-1520")``; on ``door`` it hasn't set out or has arrived."""
DOOR = "door"


@dataclass(frozen=True, slots=True)
class Arc:
    """One passage of a link (or, with an empty ``link_id``, a transfer) from a state to another."""

    link_id: str
    tail: State
    head: State
    charge: Charge
    cost: float
    variance: float


@dataclass(frozen=True, slots=True)
class Way:
    """A way through the network with what it costs and takes.

    ``cost_usd`` is its generalised cost per load; the hours and dollars are sums over ``arcs``.
    """

    arcs: tuple[Arc, ...]
    cost_usd: float

    @property
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

    @property
    def trip_h(self) -> float:
        """Hours from origin to destination: driving or sailing, rest, checks and transfers."""
        return sum(self.total(field) for field in ("drive_h", "rest_h", "check_h", "transfer_h"))


class FlowNetwork:
    """Links in use, priced at one end of the declared ranges.

    Args:
        tables: The network's tables.
        links: Ids of the links in use.
        prices: Prices of hours and uncertainty.
        extra_h: Hours of delay that a candidate adds to each passage of a link.
    """

    def __init__(
        self, tables: FlowTables, links: Iterable[str], prices: Prices, extra_h: Mapping[str, float] | None = None
    ) -> None:
        self.tables, self.prices = tables, prices
        self.link_ids = frozenset(links)
        self._out: dict[State, list[Arc]] = defaultdict(list)
        delays = extra_h or {}
        for link_id in sorted(self.link_ids):
            self._add_link(tables.links[link_id], delays.get(link_id, 0.0))
        self._systems: dict[str, set[str]] = defaultdict(set)
        for link in (tables.links[link_id] for link_id in self.link_ids):
            for node in (link.from_node, link.to_node):
                self._systems[node].update(link.systems)
        for transfer in tables.transfers:
            if not set(transfer.systems) <= self._systems.get(transfer.node_id, set()):
                continue  # a railway that isn't there yet has no change of gauge either
            for systems in (transfer.systems, transfer.systems[::-1]):
                charge = price_transfer(transfer, systems, prices)
                self._add("", (transfer.node_id, systems[0]), (transfer.node_id, systems[1]), charge)

    def _add_link(self, link: FlowLink, extra_h: float) -> None:
        for system in link.systems:
            for backward in (False, True):
                ends = (link.to_node, link.from_node) if backward else (link.from_node, link.to_node)
                charge = price_link(self.tables, link, system, self.prices, backward=backward, extra_h=extra_h)
                self._add(link.link_id, (ends[0], system), (ends[1], system), charge)

    def _add(self, link_id: str, tail: State, head: State, charge: Charge) -> None:
        self._out[tail].append(self._arc(link_id, tail, head, charge))

    def _arc(self, link_id: str, tail: State, head: State, charge: Charge) -> Arc:
        cost, variance = charge.certain_usd, charge.delay_variance
        if self.prices.correlated:  # deviations add up plainly: then costs do, too
            cost, variance = cost + sum(charge.delay_usd), 0.0
        return Arc(link_id, tail, head, charge, cost, variance)

    def _doors(self, node: str, *, arriving: bool) -> list[Arc]:
        """First or last legs at a node, one for each system that is there."""
        arcs = []
        systems = self._systems.get(node, set())
        # where trucks drive to a ferry they wait for it, so no way sets out on board
        for system in sorted(systems - ({"ferry"} if "road" in systems else set())):
            tail, head = (node, DOOR), (node, system)
            ends = (head, tail) if arriving else (tail, head)
            arcs.append(self._arc("", *ends, price_terminal(system, self.prices)))
        return arcs

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
        allowed = _Filter(self.tables, modes, frozenset(avoid_countries), frozenset(without))
        ends = self._doors(origin, arriving=False) + self._doors(destination, arriving=True)
        return _Search(self._out, ends, allowed, via, destination).run((origin, DOOR))

    def costs_from(self, origin: str, *, modes: Collection[str] | None = None) -> dict[str, float]:
        """Least generalised cost from a node to each node that can be reached, itself at 0.

        Args:
            origin: Node where loads set out, on any system that is there.
            modes: Modes that may be used; all if None.

        Returns:
            Dollars per load by node, each as :meth:`best_way` would find it.
        """
        allowed = _Filter(self.tables, modes, frozenset(), frozenset())
        fronts: dict[State, list[tuple[float, float]]] = defaultdict(list)
        last = {arc.tail: arc for node in self._systems for arc in self._doors(node, arriving=True)}
        heap = [
            (arc.cost + math.sqrt(arc.variance), arc.cost, arc.variance, arc.head)
            for arc in self._doors(origin, arriving=False)
            if allowed.passes(arc)
        ]
        heapq.heapify(heap)
        best = {origin: 0.0}
        while heap:
            _, cost, variance, state = heapq.heappop(heap)
            front = fronts[state]
            if any(c <= cost and v <= variance for c, v in front):
                continue
            front.append((cost, variance))
            if state in last:
                end = last[state]
                arrived = cost + end.cost + math.sqrt(variance + end.variance)
                best[state[0]] = min(arrived, best.get(state[0], math.inf))
            for arc in self._out.get(state, ()):
                if allowed.passes(arc):
                    paid, spread = cost + arc.cost, variance + arc.variance
                    heapq.heappush(heap, (paid + math.sqrt(spread), paid, spread, arc.head))
        return best


@dataclass(frozen=True, slots=True)
class _Filter:
    tables: FlowTables
    modes: Collection[str] | None
    avoid: frozenset[str]
    without: frozenset[str]

    def passes(self, arc: Arc) -> bool:
        if not arc.link_id:
            used = {system.split("-")[0] for system in (arc.tail[1], arc.head[1])} - {DOOR}
            return self.modes is None or used <= set(self.modes)
        link = self.tables.links[arc.link_id]
        if self.modes is not None and link.mode not in self.modes:
            return False
        return arc.link_id not in self.without and not self.avoid.intersection(link.countries)


class _Search:
    """One search: states times how many of the nodes to pass are behind."""

    def __init__(
        self, out: Mapping[State, list[Arc]], ends: list[Arc], allowed: _Filter, via: tuple[str, ...], destination: str
    ) -> None:
        self._out = {tail: [arc for arc in arcs if allowed.passes(arc)] for tail, arcs in out.items()}
        for arc in ends:
            if allowed.passes(arc):
                self._out.setdefault(arc.tail, []).append(arc)
        self._via, self._goal = via, (destination, DOOR)

    def _advance(self, node: str, stage: int, link_id: str = "") -> int:
        """The stage after passing a link and standing at a node."""
        if stage < len(self._via) and link_id and self._via[stage] == link_id:
            stage += 1
        while stage < len(self._via) and self._via[stage] == node:
            stage += 1
        return stage

    def _bounds(self) -> dict[tuple[State, int], float]:
        """Least certain dollars from each state and stage to the end: a lower bound of what is still to pay."""
        into: dict[tuple[State, int], list[tuple[tuple[State, int], float]]] = defaultdict(list)
        goals = []
        states = set(self._out) | {arc.head for arcs in self._out.values() for arc in arcs}
        for stage in range(len(self._via) + 1):
            for state in states:
                if self._advance(state[0], stage) != stage:
                    continue
                if stage == len(self._via) and state == self._goal:
                    goals.append((state, stage))
                for arc in self._out.get(state, ()):
                    into[(arc.head, self._advance(arc.head[0], stage, arc.link_id))].append(((state, stage), arc.cost))
        best = dict.fromkeys(goals, 0.0)
        heap = [(0.0, goal) for goal in sorted(goals)]
        while heap:
            cost, at = heapq.heappop(heap)
            if cost > best[at]:
                continue
            for before, step in into[at]:
                if cost + step < best.get(before, math.inf):
                    best[before] = cost + step
                    heapq.heappush(heap, (cost + step, before))
        return best

    def run(self, start: State) -> Way | None:
        bounds = self._bounds()
        fronts: dict[tuple[State, int], list[tuple[float, float]]] = defaultdict(list)
        heap: list[tuple[float, float, float, tuple[str, ...], int, State, int, tuple[Arc, ...]]] = []
        serial = itertools.count()  # tells labels apart that are alike in all that counts
        first = (start, self._advance(start[0], 0))
        if first in bounds:
            heap.append((bounds[first], 0.0, 0.0, (), next(serial), *first, ()))
        while heap:
            # the first label of the goal that leaves the heap is best: what is left can only cost more
            total, cost, variance, ids, _, state, stage, arcs = heapq.heappop(heap)
            if stage == len(self._via) and state == self._goal:
                return Way(arcs, total)
            front = fronts[(state, stage)]
            if any(c <= cost and v <= variance for c, v in front):
                continue
            front.append((cost, variance))
            for arc in self._out.get(state, ()):
                after = (arc.head, self._advance(arc.head[0], stage, arc.link_id))
                if after not in bounds:
                    continue
                paid, spread = cost + arc.cost, variance + arc.variance
                bound = paid + bounds[after] + math.sqrt(spread)
                name = (*ids, arc.link_id)
                heapq.heappush(heap, (bound, paid, spread, name, next(serial), *after, (*arcs, arc)))
        return None


def links_in_use(
    tables: FlowTables, year: int, scenario: Scenario, changes: Iterable[LinkChange] = (), *, built: bool = True
) -> frozenset[str]:
    """Ids of the links that are in use in a year.

    A link that is under works or planned is in use from its opening year, as early, in the middle or late as the
    scenario says; one that is closed or disused only where the scenario or a change opens it.

    Args:
        tables: The network's tables.
        year: The year.
        scenario: Which works are finished, and what is opened or shut besides.
        changes: What a candidate does. Links that it opens are in use from their opening year with it, and never
            without it.
        built: With the candidate's own links; False gives the network that it is compared with.

    Returns:
        Link ids.
    """
    end = {"early": "low", "documented": "mid", "late": "high"}.get(scenario.works)
    merged = merge_changes(changes)
    found = set()
    for link in tables.links.values():
        change = merged.get(link.link_id)
        finished = _finished(link, year, end)
        usable = link.status == "open" or link.link_id in scenario.opened
        if link.status in ("construction", "planned"):
            usable = usable or (finished and end is not None)
        if change is not None and change.opens:
            usable = built and (link.status == "open" or _finished(link, year, end or "mid", change.opens_year))
        if link.link_id in scenario.closed or (built and change is not None and change.closes):
            usable = False
        if usable:
            found.add(link.link_id)
    return frozenset(found)


def _finished(link: FlowLink, year: int, end: str | None, own_year: int | None = None) -> bool:
    if own_year is not None:
        return own_year <= year
    return link.opens_year is not None and pick(link.opens_year, end or "mid") <= year  # type: ignore[arg-type]
