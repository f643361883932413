"""Costs, shares and indicators of all pairs of a long-distance network, by case (candidate and regime) and year."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.errors import CatalogueError
from corridor.flows.changes import NETWORK_ALONE, Case, merge_changes
from corridor.flows.cost import (
    ENDS,
    End,
    Prices,
    ThetaFit,
    build_prices,
    fit_theta,
    logit_shares,
    logsum_usd,
    path_sizes,
)
from corridor.flows.network import FlowNetwork, PricedArcs, Way, change_links, links_in_use
from corridor.flows.rows import Branch, FlowTables, Pair, Scenario
from corridor.schema.catalogue import Estimate

Floats = NDArray[np.float64]
T = TypeVar("T")
TONNES_PER_LOAD = 20.0
_NO_WAY = "no way"
AT_SEA = "sea"
"""Among countries, where nobody's ground is."""


@dataclass(frozen=True, slots=True)
class BranchResult:
    """A branch of a pair in a case and year: its way at each end of the declared ranges (None: no way) and share."""

    branch: Branch
    low: Way | None
    mid: Way | None
    high: Way | None
    share: float
    path_size: float

    @property
    def cost_usd(self) -> float:
        """Generalised cost at the middle, infinite where there is no way."""
        return self.mid.cost_usd if self.mid else math.inf


@dataclass(frozen=True, slots=True)
class PairResult:
    """A pair in a case and year: its branches and their logsum (infinite where no branch has a way)."""

    pair: Pair
    branches: tuple[BranchResult, ...]
    logsum_usd: float

    @property
    def best(self) -> BranchResult | None:
        """The branch of least cost, None where none has a way."""
        return self._least(self.branches)

    @property
    def best_by_truck(self) -> BranchResult | None:
        """The branch of least cost without a railway (it may begin or end at sea), None where none has a way."""
        return self._least(b for b in self.branches if "rail" not in b.branch.modes)

    @staticmethod
    def _least(branches: Iterable[BranchResult]) -> BranchResult | None:
        found = [b for b in branches if b.mid is not None]
        # Ties go by the id, so that the answer hangs on no order of rows.
        return min(found, key=lambda b: (b.cost_usd, b.branch.branch_id), default=None)


@dataclass(frozen=True)
class NetworkState:
    """Which links are in use, with which added hours, and which factors stand at another end than the others."""

    links: frozenset[str]
    extra_h: tuple[tuple[str, float], ...] = ()
    overrides: tuple[tuple[str, End], ...] = ()

    def delays_beside(self, other: NetworkState, used: int, bits: Mapping[str, int]) -> bool:
        """Whether no link is quicker than in another state, and none of those that are used is slower.

        Args:
            other: the other state.
            used: links that count, as a number of bits.
            bits: of each link, by id.
        """
        if self.extra_h == other.extra_h:
            return True
        mine, theirs = dict(self.extra_h), dict(other.extra_h)
        # Delays elsewhere may only have grown: a link that became faster could draw the way to itself.
        return all(mine.get(i, 0.0) >= h for i, h in theirs.items() if i in self.links) and all(
            mine.get(i, 0.0) == theirs.get(i, 0.0) for i in {*mine, *theirs} if used & bits[i]
        )


@dataclass
class FlowModel:
    """A long-distance network under one scenario; what it has computed is kept and used again.

    Args:
        tables: The network's tables.
        scenario_id: Which works are finished, and what is opened or shut besides; the first of the table if empty.

    Raises:
        CatalogueError: there is no scenario of that id; lists those that there are.
    """

    tables: FlowTables
    scenario_id: str = ""
    _networks: dict[tuple[NetworkState, End, Estimate | None], FlowNetwork] = field(default_factory=dict, repr=False)
    _at_ends: dict[tuple[object, ...], Prices] = field(default_factory=dict, repr=False)
    _priced: dict[Prices, PricedArcs] = field(default_factory=dict, repr=False)
    _found: dict[tuple[object, ...], list[tuple[NetworkState, int, Any, int]]] = field(default_factory=dict, repr=False)
    _at_state: dict[tuple[object, ...], dict[NetworkState, Any]] = field(default_factory=dict, repr=False)
    _pairs: dict[tuple[object, ...], PairResult] = field(default_factory=dict, repr=False)
    _alone: dict[int, frozenset[str]] = field(default_factory=dict, repr=False)
    _logsums: dict[tuple[Pair, NetworkState], Floats] = field(default_factory=dict, repr=False)
    _masks: dict[frozenset[str], int] = field(default_factory=dict, repr=False)
    _sizes: dict[tuple[str, str], Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.scenario_id = self.scenario_id or next(iter(self.tables.scenarios))
        if self.scenario_id not in self.tables.scenarios:
            known = ", ".join(self.tables.scenarios)
            raise CatalogueError(f"{self.tables.folder}: scenario '{self.scenario_id}' is none of {known}")

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.tables.scenarios[self.scenario_id]

    @property
    def today(self) -> int:
        """Year of the newest row of the links."""
        return int(self.tables.as_of[:4])

    def state(self, year: int, case: Case = NETWORK_ALONE, *, built: bool = True) -> NetworkState:
        """The network of a year with a case, or (``built`` False) the one that the case is compared with.

        Args:
            year: as in the tables.
            case: what is changed in it; nothing by default.
            built: whether what the case builds is there.

        Returns:
            The network's state.
        """
        # What is in use without any case is the same for all cases of a year.
        if year not in self._alone:
            self._alone[year] = links_in_use(self.tables, year, self.scenario)
        changes = merge_changes(case.changes)
        links = change_links(self.tables, self._alone[year], year, self.scenario, changes, built=built)
        delays = sorted((c.link_id, c.extra_h) for c in changes.values() if c.extra_h and c.link_id in links)
        return NetworkState(links, tuple(delays) if built else ())

    def network(self, state: NetworkState, end: End = "mid", cargo_value: Estimate | None = None) -> FlowNetwork:
        """The priced network of a state.

        Args:
            state: of :meth:`state`.
            end: which end of the declared ranges.
            cargo_value: value of a load, USD; the tables' own if left out.

        Returns:
            The network with its costs.
        """
        # Networks share their priced arcs: only which of them may be passed differs from state to state.
        key = (state, end, cargo_value)
        if key not in self._networks:
            prices = self._prices(state.overrides, end, cargo_value)
            self._networks[key] = FlowNetwork(self.tables, state.links, prices, dict(state.extra_h), self._priced)
        return self._networks[key]

    def _prices(self, overrides: tuple[tuple[str, End], ...], end: End, cargo_value: Estimate | None) -> Prices:
        key = (overrides, end, cargo_value)
        if key not in self._at_ends:
            self._at_ends[key] = build_prices(self.tables, end, cargo_value, dict(overrides))
        return self._at_ends[key]

    def branch_way(self, state: NetworkState, branch: Branch, end: End, cargo_value: Estimate | None) -> Way | None:
        """The best way of a branch, or None.

        Args:
            state: of :meth:`state`.
            branch: of a pair.
            end: which end of the declared ranges.
            cargo_value: value of a load, USD; the tables' own if None.

        Returns:
            The way, if there is one.
        """
        return self._way(
            state, end, cargo_value, (branch.origin, branch.destination), branch.modes, branch.via, branch.avoid
        )

    def _way(
        self,
        state: NetworkState,
        end: End,
        cargo_value: Estimate | None,
        ends: tuple[str, str],
        modes: tuple[str, ...] | None = None,
        via: tuple[str, ...] = (),
        avoid: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
    ) -> Way | None:
        def find() -> tuple[Way | None, int]:
            way = self._slowed_way(state, end, cargo_value, ends, modes, via, avoid, without)
            if way is None:
                way = self.network(state, end, cargo_value).best_way(
                    *ends, modes=modes, via=via, avoid_countries=avoid, without=without
                )
            return way, self._mask(way.link_ids) if way else 0

        return self._once(state, (end, cargo_value, ends, modes, via, avoid, without), find)

    def _slowed_way(self, state: NetworkState, end: End, cargo_value: Estimate | None, *asked: Any) -> Way | None:
        """The best way where one link is slowed, had from two that hold for any delay; None if it can't be.

        A delay makes all ways that pass the link once dearer by the same, so the best of them stays the best of them:
        what is best is either that one, slowed, or the best way that doesn't use the link.
        """
        if len(state.extra_h) != 1:
            return None
        ((link_id, extra_h),) = state.extra_h
        quick = self._way(replace(state, extra_h=()), end, cargo_value, *asked)
        if quick is not None and extra_h >= 0 and link_id not in quick.link_ids:
            return quick
        if quick is None or quick.link_ids.count(link_id) != 1:
            return None
        prices = self._prices(state.overrides, end, cargo_value)
        slowed = quick.slowed(link_id, extra_h, prices.hour_usd(self.tables.links[link_id].systems[0]))
        # Either the old way bears the delay or a way without the link is better: no third one can win.
        other = self._way(replace(state, links=state.links - {link_id}, extra_h=()), end, cargo_value, *asked)
        rivals = [slowed] if other is None else [slowed, other]
        return min(rivals, key=lambda way: (way.cost_usd, way.link_ids))

    def reach(
        self,
        state: NetworkState,
        origin: str,
        goals: tuple[str, ...],
        modes: tuple[str, ...] | None = None,
    ) -> Floats:
        """Least cost from a node to others, at the middle and for a load of the common value.

        Args:
            state: of :meth:`state`.
            origin: id of a node.
            goals: ids of the nodes that are asked for.
            modes: those that may be used; all if left out.

        Returns:
            USD a load, infinite where there is no way, shape ``(goals,)``.
        """
        costs, passed = self._reach(replace(state, extra_h=()), origin, modes, goals)
        if len(state.extra_h) == 1:
            # as for a single way: each is slowed, or goes without the link
            ((link_id, extra_h),) = state.extra_h
            prices = self._prices(state.overrides, "mid", None)
            delay = extra_h * prices.hour_usd(self.tables.links[link_id].systems[0])
            bears = passed[:, self._ids.index(link_id)]
            # Only goals whose way passes the slowed link can change: each of them bears the delay or goes round it.
            if bears.any():
                other, _ = self._reach(replace(state, links=state.links - {link_id}, extra_h=()), origin, modes, goals)
                costs = np.where(bears, np.minimum(costs + delay, other), costs)
        elif state.extra_h:
            costs, _ = self._reach(state, origin, modes, goals)
        return costs

    def _reach(
        self, state: NetworkState, origin: str, modes: tuple[str, ...] | None, goals: tuple[str, ...]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Costs to the goals, and which of the links each way passes, shape ``(goals, links)``."""

        def find() -> tuple[tuple[Floats, NDArray[np.bool_]], int]:
            costs, passed = self.network(state).costs_from(origin, modes=modes)
            # what only ways to other nodes use may change without a new search
            at = [self._places[node] for node in goals]
            costs, passed = costs[at], passed[at]
            used = np.flatnonzero(passed.any(axis=0))
            return (costs, passed), self._mask(self._ids[link] for link in used)

        return self._once(state, (origin, modes, goals), find)

    @cached_property
    def _ids(self) -> list[str]:
        """Ids of the links in their order."""
        return sorted(self.tables.links)

    @cached_property
    def _places(self) -> dict[str, int]:
        """Number of each node in the tables."""
        return {node: place for place, node in enumerate(self.tables.nodes)}

    @cached_property
    def _bits(self) -> dict[str, int]:
        """A bit for each link, so that sets of links are numbers and quickly compared."""
        return {link_id: 1 << at for at, link_id in enumerate(self._ids)}

    def _mask(self, links: Iterable[str]) -> int:
        """A set of links as a number: the bits of all of them."""
        return functools.reduce(operator.or_, map(self._bits.__getitem__, links), 0)

    def _once(self, state: NetworkState, asked: tuple[object, ...], find: Callable[[], tuple[T, int]]) -> T:
        """A value that is computed once for all states in which it must come out the same.

        A best way stays the best if links that it doesn't use are shut or slowed; so what was found in a state holds in
        every state with fewer links and more delay, as long as the links that it uses are there and no slower.
        """
        at_state = self._at_state.setdefault(asked, {})
        if state not in at_state:
            at_state[state] = self._found_beside(state, asked, find)
        return at_state[state]  # type: ignore[no-any-return]

    def _found_beside(self, state: NetworkState, asked: tuple[object, ...], find: Callable[[], tuple[T, int]]) -> T:
        known = self._found.setdefault((state.overrides, *asked), [])
        links = self._masks.get(state.links) or self._masks.setdefault(state.links, self._mask(state.links))
        for other, others, value, used in known:
            # With links only taken away, and none that the best way uses, that way is still the best.
            if not (links & ~others or used & ~links) and state.delays_beside(other, used, self._bits):
                return value  # type: ignore[no-any-return]
        value, used = find()
        known.append((state, links, value, used))
        return value

    def path_sizes(self, pair: Pair) -> Floats:
        """Path sizes of a pair's branches, the same in all years, scenarios and cases.

        Each branch is represented by its best way over the links that are open today or, where it has none there, over
        all links of the tables; a branch that has none at all counts by itself.

        Returns:
            Path sizes, shape ``(branches,)``.

        Args:
            pair: of the tables.
        """
        if pair.key not in self._sizes:
            links = self.tables.links
            # Sizes must not change with cases, so they come from what is open today; a branch that is not open yet is
            # measured with all links.
            open_today = NetworkState(frozenset(i for i, link in links.items() if link.status == "open"))
            everything = NetworkState(frozenset(links))
            lengths: list[dict[str, float]] = []
            for branch in self.tables.branches_of(pair):
                ways = (
                    self.branch_way(state, branch, "mid", pair.cargo_value_usd) for state in (open_today, everything)
                )
                way = next((way for way in ways if way is not None), None)
                # A branch without any way shares nothing with the others: a link of its own stands for it.
                ids = way.link_ids if way else (f"{_NO_WAY} {branch.branch_id}",)
                lengths.append({i: links[i].length_km.mid if i in links else 1.0 for i in ids})
            self._sizes[pair.key] = path_sizes(lengths)
        return self._sizes[pair.key]

    def theta(self, end: End = "mid") -> float:
        """Declared sensitivity of the choice, 1/USD.

        Args:
            end: which end of its range.

        Returns:
            The value.
        """
        value = self.tables.parameters["theta_per_usd"]
        return {"low": value.low, "mid": value.mid, "high": value.high}[end]

    def pair(
        self, pair: Pair, state: NetworkState, *, theta: float | None = None, ends: Iterable[End] = ENDS
    ) -> PairResult:
        """Costs, shares and logsum of a pair in a state of the network.

        Args:
            pair: The pair.
            state: The network's state.
            theta: Sensitivity in 1/USD; the declared middle if None.
            ends: Ends of the ranges at which ways are looked for; the middle always is.

        Returns:
            The pair's result.
        """
        theta, wanted = self.theta() if theta is None else theta, frozenset(("mid", *ends))
        key = (pair, state, theta, wanted)
        if key not in self._pairs:
            self._pairs[key] = self._pair(pair, state, theta, wanted)
        return self._pairs[key]

    def _pair(self, pair: Pair, state: NetworkState, theta: float, wanted: frozenset[End]) -> PairResult:
        branches, sizes = self.tables.branches_of(pair), self.path_sizes(pair)
        ways = {
            end: [self.branch_way(state, b, end, pair.cargo_value_usd) if end in wanted else None for b in branches]
            for end in ENDS
        }
        # Shares are chosen at the middle: the ends of the ranges say how sure a branch's cost is, not who takes it.
        costs = np.array([way.cost_usd if way else math.inf for way in ways["mid"]])
        shares = logit_shares(costs, sizes, theta)
        found = tuple(
            BranchResult(b, ways["low"][k], ways["mid"][k], ways["high"][k], float(shares[k]), float(sizes[k]))
            for k, b in enumerate(branches)
        )
        return PairResult(pair, found, logsum_usd(costs, sizes, theta))

    def logsums(self, pair: Pair, state: NetworkState) -> Floats:
        """Logsums of a pair at the low, middle and high end of the declared ranges, at the declared middle of theta.

        Args:
            pair: of the tables.
            state: of :meth:`state`.

        Returns:
            USD a load, infinite where there is no way, shape ``(3,)``.
        """
        if (pair, state) not in self._logsums:
            branches, sizes, theta = self.pair(pair, state).branches, self.path_sizes(pair), self.theta()
            found = []
            for end in ENDS:
                ways = [getattr(branch, end) for branch in branches]
                costs = np.array([way.cost_usd if way else math.inf for way in ways])
                found.append(logsum_usd(costs, sizes, theta))
            self._logsums[pair, state] = np.array(found)
        return self._logsums[pair, state]

    def best_cost(
        self,
        pair: Pair,
        state: NetworkState,
        *,
        modes: Collection[str] | None = None,
        avoid_countries: Collection[str] = (),
        without: Collection[str] = (),
    ) -> tuple[float, Way | None]:
        """Cost of the best way of a pair over all of the network, at the middle; infinite where there is none.

        Args:
            pair: of the tables.
            state: of :meth:`state`.
            modes: those that may be used; all if left out.
            avoid_countries: codes of countries that may not be passed.
            without: ids of links that may not be used.

        Returns:
            USD a load, and the way.
        """
        way = self._way(
            state, "mid", pair.cargo_value_usd, pair.key, None if modes is None else tuple(modes), (),
            tuple(avoid_countries), tuple(without),
        )  # fmt: skip
        return (way.cost_usd if way else math.inf), way

    def missing_pairs(self, state: NetworkState) -> list[Pair]:
        """Pairs that no branch connects.

        Args:
            state: of :meth:`state`.

        Returns:
            The pairs, in the tables' order.
        """
        return [pair for pair in self.tables.pairs if self.pair(pair, state, ends=()).best is None]

    def fit_counts(self, state: NetworkState) -> tuple[ThetaFit, list[str]]:
        """Fit theta to the screenlines by the pairs whose flow is known.

        Returns:
            The fit, and the ids of the screenlines whose links some such branch uses, in its order.

        Args:
            state: of the year of the counts.
        """
        pairs = [pair for pair in self.tables.pairs if pair.flow is not None]
        branches: list[tuple[float, Floats, Floats, list[frozenset[str]]]] = []
        for pair in pairs:
            result = self.pair(pair, state, ends=())
            costs = np.array([b.cost_usd for b in result.branches])
            used = [frozenset(b.mid.link_ids) if b.mid else frozenset() for b in result.branches]
            branches.append((loads_per_day(pair.flow, pair.flow_unit), costs, self.path_sizes(pair), used))
        # A count that no branch passes says nothing of the choice between them.
        lines = [
            s for s in self.tables.screenlines
            if s.value.mid > 0 and any(set(s.link_ids) & links for *_, used in branches for links in used)
        ]  # fmt: skip

        def assign(theta: float) -> Floats:
            flows = np.zeros(len(lines))
            for loads, costs, sizes, used in branches:
                shares = logit_shares(costs, sizes, theta)
                for at, line in enumerate(lines):
                    flows[at] += loads * sum(
                        share for share, links in zip(shares, used, strict=True) if links.intersection(line.link_ids)
                    )
            return flows

        observed = np.array([loads_per_day(line.value, line.unit) for line in lines])
        # The declared range says where theta is looked for, and how well counts must tell it from the range's ends.
        declared = (self.theta("low"), self.theta("mid"), self.theta("high"))
        return fit_theta(observed, assign, declared), [line.screenline_id for line in lines]


def loads_per_day(flow: Estimate | None, unit: str) -> float:
    """Middle of a flow in loads a day: trucks as they are, a million tonnes a year at 20 t a load.

    >>> loads_per_day(Estimate(0.0, 0.73, 1.0), "mt_per_year")
    100.0
    """
    if flow is None:
        return 0.0
    return flow.mid if unit == "trucks_per_day" else flow.mid * 1e6 / TONNES_PER_LOAD / 365


def describe_control(tables: FlowTables, way: Way, own: Collection[str] = ()) -> dict[str, object]:
    """Whose ground a way lies on: kilometres by country, borders passed, and entries into a customs union.

    Args:
        tables: The network's tables.
        way: The way.
        own: Ids of links that a route opens, where the rules for the route say who secures and checks.

    Returns:
        ``km_by_country`` (as ``IT 231; AT 111``), ``own_km`` (of them on ``own`` links), ``borders`` (as ``IT-AT``),
        ``border_links`` (the links that pass them), ``customs_lines`` (how many borders begin or end a customs union),
        ``customs_borders`` (which, as ``IR-AM: EAEU``), ``rail_operators`` of the railways in use, and
        ``rail_unnamed_km`` of those that aren't, by country. Ships are at ``sea``. Described, never scored.
    """
    km: dict[str, float] = {}
    unnamed: dict[str, float] = {}
    borders, border_links, customs, operators = [], [], [], []
    for arc in (arc for arc in way.arcs if arc.link_id):
        link = tables.links[arc.link_id]
        # Countries stand in the order of the link; a way back passes them in reverse.
        countries = link.countries if arc.tail[0] == link.from_node else link.countries[::-1]
        parts = link.km_by_country()
        for country in countries:
            ground = AT_SEA if link.mode in ("sea", "ferry") else country
            km[ground] = km.get(ground, 0.0) + parts[country]
            operator = tables.countries[country].rail_operator
            if link.mode == "rail" and link.status == "open" and operator:
                operators.append(operator)
            elif link.mode == "rail":  # who will run what isn't in use yet is for an agreement to say
                unnamed[country] = unnamed.get(country, 0.0) + parts[country]
        if link.crosses_border:
            borders.append("-".join(countries))
            border_links.append(link.link_id)
            unions = [tables.countries[country].customs_union for country in countries]
            if unions[0] != unions[1]:
                customs.append(f"{borders[-1]}: {' / '.join(filter(None, unions))}")
    return {
        "km_by_country": _by_ground(km),
        "own_km": math.fsum(arc.charge.km for arc in way.arcs if arc.link_id in own),
        "borders": "; ".join(borders),
        "border_links": "; ".join(border_links),
        "customs_lines": len(customs),
        "customs_borders": "; ".join(customs),
        "rail_operators": "; ".join(dict.fromkeys(operators)),
        "rail_unnamed_km": _by_ground(unnamed),
    }


def _by_ground(km: Mapping[str, float]) -> str:
    """Kilometres by country, as ``IT 231; AT 111``."""
    return "; ".join(f"{ground} {value:.0f}" for ground, value in km.items())
