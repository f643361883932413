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
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from corridor.flows.changes import LinkChange, merge_changes
from corridor.flows.cost import Charge, Prices, pick, price_link, price_terminal, price_transfer
from corridor.flows.rows import FlowLink, FlowTables, Scenario

K = TypeVar("K")
V = TypeVar("V")
State = tuple[str, str]
"""A node and what the load is on there: ``("brenner", "rail-1435")``; on ``door`` it hasn't set out or has arrived."""
DOOR = "door"


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
        """The same way with hours of delay on one of its links, which it passes once."""
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


class _OnDemand(dict[K, V]):
    """Values that are made when they are first asked for, and kept."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self[key] = self._make(key)
        return value


def _links_by_node(tables: FlowTables) -> dict[str, list[FlowLink]]:
    """Links at each node, in the order of their ids; one that ends where it begins stands once."""
    found: dict[str, list[FlowLink]] = defaultdict(list)
    for _, link in sorted(tables.links.items()):
        for node in dict.fromkeys((link.from_node, link.to_node)):
            found[node].append(link)
    return dict(found)


class FlowNetwork:
    """Links in use, priced at one end of the declared ranges.

    Args:
        tables: The network's tables.
        links: Ids of the links in use.
        prices: Prices of hours and uncertainty.
        extra_h: Hours of delay that a candidate adds to each passage of a link.
        priced: Links as they were priced before, shared by networks of the same tables; filled on the way.
        whole: The network of all links at the same prices and without delays: no way costs less here than there, so
            that its least costs to a goal guide the searches here too. Its own, if left out.
    """

    def __init__(
        self,
        tables: FlowTables,
        links: Iterable[str],
        prices: Prices,
        extra_h: Mapping[str, float] | None = None,
        priced: dict[Prices, dict[tuple[str, float], list[Arc]]] | None = None,
        whole: FlowNetwork | None = None,
    ) -> None:
        self.tables, self.prices = tables, prices
        self.link_ids = frozenset(links)
        self._delays = dict(extra_h or {})
        self._known = {} if priced is None else priced.setdefault(prices, {})
        self._whole = whole or self
        self._links_at: dict[str, list[FlowLink]] = whole._links_at if whole else _links_by_node(tables)
        # A search sees a part of the network: arcs are made where one comes by.
        self._systems = _OnDemand(self._systems_at)
        self._out = _OnDemand(self._make_arcs)
        self._ends: dict[tuple[str, bool], list[Arc]] = {}
        self._allowed: dict[tuple[object, frozenset[str]], _OnDemand[State, list[Arc]]] = {}
        self._bounds: dict[object, dict[tuple[State, int], float]] = {}
        self._into: dict[object, dict[State, list[tuple[State, float, str]]]] = {}
        self._steps: dict[object, _OnDemand[State, list[tuple[State, float, float, str]]]] = {}

    def _systems_at(self, node: str) -> frozenset[str]:
        """What runs on the links in use at a node."""
        return frozenset(
            system for link in self._links_at.get(node, ()) if link.link_id in self.link_ids for system in link.systems
        )

    def _make_arcs(self, state: State) -> list[Arc]:
        """Passages and transfers from a state; links in the order of their ids, so that ties come out alike."""
        node, system = state
        arcs = []
        for link in self._links_at.get(node, ()):
            if link.link_id not in self.link_ids or system not in link.systems:
                continue
            key = (link.link_id, self._delays.get(link.link_id, 0.0))
            if key not in self._known:
                self._known[key] = self._price(link, key[1])
            arcs += [arc for arc in self._known[key] if arc.tail == state]
        for transfer in self.tables.transfers:
            if transfer.node_id != node or not self._systems[node].issuperset(transfer.systems):
                continue  # a railway that isn't there yet has no change of gauge either
            for systems in (transfer.systems, transfer.systems[::-1]):
                if systems[0] == system:
                    charge = price_transfer(transfer, systems, self.prices)
                    arcs.append(self._arc("", state, (node, systems[1]), charge))
        return arcs

    def states(self) -> list[State]:
        """Each node with each system that is there, first and last legs aside."""
        return [(node, system) for node in self._links_at for system in sorted(self._systems[node])]

    def arcs_from(self, state: State) -> list[Arc]:
        """Passages and transfers from a state.

        Args:
            state: of :meth:`states`.
        """
        return self._out[state]

    def _price(self, link: FlowLink, extra_h: float) -> list[Arc]:
        """Both directions of a link, for each system that it carries."""
        arcs = []
        for system in link.systems:
            for backward in (False, True):
                ends = (link.to_node, link.from_node) if backward else (link.from_node, link.to_node)
                charge = price_link(self.tables, link, system, self.prices, backward=backward, extra_h=extra_h)
                arcs.append(self._arc(link.link_id, (ends[0], system), (ends[1], system), charge, link.countries))
        return arcs

    def _arc(self, link_id: str, tail: State, head: State, charge: Charge, countries: Iterable[str] = ()) -> Arc:
        cost, variance = charge.certain_usd, charge.delay_variance
        if self.prices.correlated:  # deviations add up plainly: then costs do, too
            cost, variance = cost + sum(charge.delay_usd), 0.0
        modes = frozenset(system.split("-")[0] for system in (tail[1], head[1])) - {DOOR}
        return Arc(link_id, tail, head, charge, cost, variance, modes, frozenset(countries))

    def _doors(self, node: str, *, arriving: bool) -> list[Arc]:
        """First or last legs at a node, one for each system that is there."""
        if (node, arriving) not in self._ends:
            self._ends[node, arriving] = self._price_doors(node, arriving=arriving)
        return self._ends[node, arriving]

    def _price_doors(self, node: str, *, arriving: bool) -> list[Arc]:
        systems = self._systems[node]
        # where trucks drive to a ferry they wait for it, so no way sets out on board
        aboard = {"ferry"} if "road" in systems else set()
        return [self._door(node, system, arriving=arriving) for system in sorted(systems - aboard)]

    def _door(self, node: str, system: str, *, arriving: bool) -> Arc:
        tail, head = (node, DOOR), (node, system)
        ends = (head, tail) if arriving else (tail, head)
        return self._arc("", *ends, price_terminal(system, self.prices))

    def _arcs_within(self, modes: Collection[str] | None, avoid: frozenset[str]) -> _OnDemand[State, list[Arc]]:
        """Arcs by their tail that need no other modes and touch none of the countries to avoid."""
        key = (None if modes is None else frozenset(modes), avoid)
        if key not in self._allowed:
            self._allowed[key] = _OnDemand(
                lambda tail: [
                    arc for arc in self._out[tail] if _needs_only(arc, key[0]) and avoid.isdisjoint(arc.countries)
                ]
            )
        return self._allowed[key]

    def _into_within(
        self, modes: Collection[str] | None, avoid: frozenset[str]
    ) -> dict[State, list[tuple[State, float, str]]]:
        """The same arcs by their head: tail, cost and link."""
        key = (None if modes is None else frozenset(modes), avoid)
        if key not in self._into:
            into: dict[State, list[tuple[State, float, str]]] = defaultdict(list)
            out = self._arcs_within(modes, avoid)
            for tail in self.states():
                for arc in out[tail]:
                    into[arc.head].append((tail, arc.cost, arc.link_id))
            self._into[key] = dict(into)
        return self._into[key]

    def _steps_within(self, modes: Collection[str] | None) -> _OnDemand[State, list[tuple[State, float, float, str]]]:
        """What a search takes of each arc by its tail: head, cost, variance and link."""
        key = None if modes is None else frozenset(modes)
        if key not in self._steps:
            arcs = self._arcs_within(modes, frozenset())
            self._steps[key] = _OnDemand(
                lambda tail: [(arc.head, arc.cost, arc.variance, arc.link_id) for arc in arcs[tail]]
            )
        return self._steps[key]

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
        avoid, closed = frozenset(avoid_countries), frozenset(without)
        doors: dict[State, list[Arc]] = defaultdict(list)
        for arc in (*self._doors(origin, arriving=False), *self._doors(destination, arriving=True)):
            if _needs_only(arc, modes):
                doors[arc.tail].append(arc)
        bounds = self._whole._bounds_to(destination, modes, via, avoid)
        search = _Search(self._arcs_within(modes, avoid), doors, bounds, via, (destination, DOOR), closed)
        return search.run((origin, DOOR))

    def _bounds_to(
        self, destination: str, modes: Collection[str] | None, via: tuple[str, ...], avoid: frozenset[str]
    ) -> dict[tuple[State, int], float]:
        """Least certain dollars from each state and stage to a destination: a lower bound of what is still to pay."""
        key = (destination, None if modes is None else frozenset(modes), via, avoid)
        if key not in self._bounds:
            into = dict(self._into_within(modes, avoid))
            # a network without the roads of a node may let ways end on board there, so every system has its door
            doors = (self._door(destination, system, arriving=True) for system in sorted(self._systems[destination]))
            into[destination, DOOR] = [(arc.tail, arc.cost, "") for arc in doors if _needs_only(arc, modes)]
            self._bounds[key] = _least_to((destination, DOOR), into, via)
        return self._bounds[key]

    def costs_from(
        self, origin: str, *, modes: Collection[str] | None = None
    ) -> dict[str, tuple[float, frozenset[str]]]:
        """Least generalised cost from a node to each node that can be reached, itself at 0.

        Args:
            origin: Node where loads set out, on any system that is there.
            modes: Modes that may be used; all if None.

        Returns:
            By node the dollars per load, as :meth:`best_way` would find them, and the links of that way.
        """
        out = self._steps_within(modes)
        last = {
            arc.tail: arc
            for node in self._links_at
            for arc in self._doors(node, arriving=True)
            if _needs_only(arc, modes)
        }
        # Dollars and variances add up along a way, but the root of a variance does not: each state keeps all labels
        # that no other beats in both.
        fronts: dict[State, list[tuple[float, float]]] = defaultdict(list)
        steps: list[tuple[int, str]] = []  # of each label: the label before it, and the link taken
        heap: list[tuple[float, float, float, int, State]] = []
        for arc in self._doors(origin, arriving=False):
            if _needs_only(arc, modes):
                heapq.heappush(heap, (arc.cost + math.sqrt(arc.variance), arc.cost, arc.variance, len(steps), arc.head))
                steps.append((-1, ""))
        best: dict[str, tuple[float, int]] = {origin: (0.0, -1)}
        while heap:
            _, cost, variance, label, state = heapq.heappop(heap)
            front = fronts[state]
            if _is_beaten(front, cost, variance):
                continue
            front.append((cost, variance))
            if state in last:
                end = last[state]
                arrived = cost + end.cost + math.sqrt(variance + end.variance)
                best[state[0]] = min((arrived, label), best.get(state[0], (math.inf, -1)))
            for head, step, spread, link_id in out[state]:
                paid, varied = cost + step, variance + spread
                # what is beaten already will be when it leaves the heap
                if not _is_beaten(fronts[head], paid, varied):
                    heapq.heappush(heap, (paid + math.sqrt(varied), paid, varied, len(steps), head))
                    steps.append((label, link_id))
        found = {}
        for node, (cost, final) in best.items():
            used, at = set(), final
            while at >= 0:
                at, link_id = steps[at]
                used.add(link_id)
            found[node] = (cost, frozenset(used - {""}))
        return found


def _is_beaten(front: list[tuple[float, float]], cost: float, variance: float) -> bool:
    """Whether a label of a front costs no more and varies no more."""
    for least, spread in front:  # noqa: SIM110 (a generator takes three times as long)
        if least <= cost and spread <= variance:
            return True
    return False


def _needs_only(arc: Arc, modes: Collection[str] | None) -> bool:
    return modes is None or arc.modes <= frozenset(modes)


def _advance(via: tuple[str, ...], node: str, stage: int, link_id: str = "") -> int:
    """The stage (how many of what is to be passed are behind) after passing a link and standing at a node."""
    if stage < len(via) and link_id and via[stage] == link_id:
        stage += 1
    while stage < len(via) and via[stage] == node:
        stage += 1
    return stage


def _least_to(
    goal: State, into: Mapping[State, list[tuple[State, float, str]]], via: tuple[str, ...]
) -> dict[tuple[State, int], float]:
    """Least certain dollars from each state and stage to a goal, of those from which it can be reached."""
    best = {(goal, len(via)): 0.0}
    heap = [(0.0, (goal, len(via)))]
    while heap:
        cost, at = heapq.heappop(heap)
        if cost > best[at]:
            continue
        (node, _), stage = at
        for tail, step, link_id in into.get(at[0], ()):
            paid = cost + step
            for before in _stages_before(via, tail[0], link_id, node, stage):
                if paid < best.get((tail, before), math.inf):
                    best[(tail, before)] = paid
                    heapq.heappush(heap, (paid, (tail, before)))
    # where a way sets out nothing is paid but the door, so the least over its systems holds for any of them
    for (node, system), stage in list(best):
        at = ((node, DOOR), stage)
        if system != DOOR and at != (goal, len(via)):
            best[at] = min(best.get(at, math.inf), best[(node, system), stage])
    return best


def _stages_before(via: tuple[str, ...], tail: str, link_id: str, node: str, stage: int) -> Iterable[int]:
    """Stages at which a way may stand at a node to be at another's ``stage`` after a link."""
    if not via:
        return (0,)
    return [
        before
        for before in range(stage + 1)
        if _advance(via, tail, before) == before and _advance(via, node, before, link_id) == stage
    ]


class _Search:
    """One search: states times how many of the nodes and links to pass are behind.

    ``bounds`` are least dollars from a state and stage to the goal, never more than they are with what is closed.
    """

    def __init__(
        self,
        out: _OnDemand[State, list[Arc]],
        doors: Mapping[State, list[Arc]],
        bounds: Mapping[tuple[State, int], float],
        via: tuple[str, ...],
        goal: State,
        closed: frozenset[str],
    ) -> None:
        self._out, self._doors, self._bounds = out, doors, bounds
        self._via, self._goal, self._closed = via, goal, closed

    def run(self, start: State) -> Way | None:
        bounds = self._bounds
        fronts: dict[tuple[State, int], list[tuple[float, float]]] = defaultdict(list)
        heap: list[tuple[float, float, float, tuple[str, ...], int, State, int, tuple[Arc, ...]]] = []
        serial = itertools.count()  # tells labels apart that are alike in all that counts
        first = (start, _advance(self._via, start[0], 0))
        if first in bounds:
            heap.append((bounds[first], 0.0, 0.0, (), next(serial), *first, ()))
        while heap:
            # the first label of the goal that leaves the heap is best: what is left can only cost more
            total, cost, variance, ids, _, state, stage, arcs = heapq.heappop(heap)
            if stage == len(self._via) and state == self._goal:
                return Way(arcs, total)
            front = fronts[(state, stage)]
            if _is_beaten(front, cost, variance):
                continue
            front.append((cost, variance))
            for arc in (*self._out[state], *self._doors.get(state, ())):
                after = (arc.head, _advance(self._via, arc.head[0], stage, arc.link_id) if self._via else 0)
                if after not in bounds or arc.link_id in self._closed:
                    continue
                paid, spread = cost + arc.cost, variance + arc.variance
                if _is_beaten(fronts[after], paid, spread):
                    continue
                # What is left costs at least its certain dollars, and further variance can only add, so the bound is
                # never too high.
                bound = paid + bounds[after] + math.sqrt(spread)
                # Ties go by the links passed, so that the answer hangs on no order of the arcs.
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
        # Closures come last, so that they win over every opening.
        if link.link_id in scenario.closed or (built and change is not None and change.closes):
            usable = False
        if usable:
            found.add(link.link_id)
    return frozenset(found)


def _finished(link: FlowLink, year: int, end: str | None, own_year: int | None = None) -> bool:
    if own_year is not None:
        return own_year <= year
    return link.opens_year is not None and pick(link.opens_year, end or "mid") <= year  # type: ignore[arg-type]
