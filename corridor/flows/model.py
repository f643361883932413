"""Costs, shares and indicators of all pairs of a long-distance network, by case (candidate and regime) and year."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

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
    pick,
)
from corridor.flows.network import FlowNetwork, PricedArcs, Way, change_links, links_in_use
from corridor.flows.rows import Branch, FlowTables, Pair, Scenario
from corridor.flows.states import Answers, Found, Ints, NetworkState
from corridor.schema.catalogue import ZERO, Estimate

Floats = NDArray[np.float64]
TONNES_PER_LOAD = 20.0
"""Load of a truck, which turns flows in tonnes into trucks. Declared."""
HORIZON = 2035
"""The last year that is looked at where none is asked for."""
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


@dataclass(frozen=True, slots=True)
class WayAsked:
    """What a best way is asked for: where from and to, at which end of the ranges, and what it may and must use.

    ``ends`` are origin and destination; ``cargo_value`` is the value of a load in USD (None: the tables' own);
    ``modes`` are those that may be used (None: all); ``via`` are nodes and links to pass in this order, ``avoid``
    countries and ``without`` links not to touch.
    """

    ends: tuple[str, str]
    end: End = "mid"
    cargo_value: Estimate | None = None
    modes: tuple[str, ...] | None = None
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


Asked = tuple[str, tuple[str, ...] | None, tuple[str, ...]]
"""Costs that are asked for: from which node, by which modes, to which nodes."""
Reached = tuple[Floats, NDArray[np.bool_]]
"""Costs to some nodes, and which of the links each way passes, shapes ``(nodes,)`` and ``(nodes, links)``."""


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
    _ways: dict[object, Answers[Way | None]] = field(default_factory=dict, repr=False)
    _reached: dict[object, Answers[Reached]] = field(default_factory=dict, repr=False)
    _asked: dict[WayAsked, int] = field(default_factory=dict, repr=False)
    _asked_costs: dict[Asked, int] = field(default_factory=dict, repr=False)
    _results: dict[tuple[object, ...], tuple[Sequence[Pair], list[PairResult]]] = field(
        default_factory=dict, repr=False
    )
    _of_pair: dict[Pair, Ints] = field(default_factory=dict, repr=False)
    _slowed: dict[tuple[int, str, float], Way] = field(default_factory=dict, repr=False)
    _pairs: dict[tuple[object, ...], PairResult] = field(default_factory=dict, repr=False)
    _logsums: dict[int, Floats] = field(default_factory=dict, repr=False)
    _changes_of: dict[frozenset[str], frozenset[tuple[str, str]]] = field(default_factory=dict, repr=False)
    _alone: dict[int, frozenset[str]] = field(default_factory=dict, repr=False)
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
        delays = {c.link_id: c.extra_h for c in changes.values() if c.extra_h != ZERO and c.link_id in links}
        return NetworkState(links, tuple(sorted(delays.items())) if built else ())

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
            delays = {link_id: prices.pick("delays", hours) for link_id, hours in state.extra_h}
            self._networks[key] = FlowNetwork(self.tables, state.links, prices, delays, self._priced)
        return self._networks[key]

    def _prices(self, overrides: tuple[tuple[str, End], ...], end: End, cargo_value: Estimate | None) -> Prices:
        key = (overrides, end, cargo_value)
        if key not in self._at_ends:
            self._at_ends[key] = build_prices(self.tables, end, cargo_value, dict(overrides))
        return self._at_ends[key]

    def ways(self, state: NetworkState, asked: Sequence[WayAsked]) -> list[Way | None]:
        """The best ways that are asked for; None where there is none.

        Args:
            state: of :meth:`state`.
            asked: any number of them.

        Returns:
            The ways; one that is the same in two states is the same object.
        """
        known = self._known_ways(state)
        return [known.values[number] for number in known.at(state, self._questions(asked))]

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
        return self.ways(state, [_of_branch(branch, end, cargo_value)])[0]

    def _questions(self, asked: Iterable[WayAsked]) -> Ints:
        """Numbers of questions, the same in all states."""
        return np.array([self._asked.setdefault(one, len(self._asked)) for one in asked], dtype=np.int64)

    def _known_ways(self, state: NetworkState) -> Answers[Way | None]:
        if state.overrides not in self._ways:
            self._ways[state.overrides] = Answers(self._ids, self._find_ways, self._changes, self._optional)
        return self._ways[state.overrides]

    def _find_ways(self, state: NetworkState, questions: Ints) -> Iterable[Found[Way | None]]:
        asked = list(self._asked)
        wanted = [asked[question] for question in questions]
        ways = self._slowed_ways(state, wanted) if self._slows_one(state) else [None] * len(wanted)
        for one, slowed in zip(wanted, ways, strict=True):
            way = slowed or self.network(state, one.end, one.cargo_value).best_way(
                *one.ends, modes=one.modes, via=one.via, avoid_countries=one.avoid, without=one.without
            )
            yield Found(way, way.link_ids, tuple(map(id, way.arcs))) if way else Found(None, (), None)

    def _slows_one(self, state: NetworkState) -> bool:
        """Whether one link is slowed without which loads could change vehicles at the same places."""
        without = state.links - {link_id for link_id, _ in state.extra_h}
        return len(state.extra_h) == 1 and self._changes(without) == self._changes(state.links)

    def _slowed_ways(self, state: NetworkState, asked: Sequence[WayAsked]) -> list[Way | None]:
        """The best ways where one link is slowed, had from those that hold for any delay; None what can't be.

        A delay makes all ways that pass the link once dearer by the same, so the best of them stays the best of them:
        what is best is either that one, slowed, or the best way that doesn't use the link.
        """
        ((link_id, _),) = state.extra_h
        found: list[Way | None] = [None] * len(asked)
        bearing: list[int] = []
        quick = self.ways(replace(state, extra_h=()), asked)
        for place, way in enumerate(quick):
            if way is not None and self._delay(state, asked[place].end) >= 0 and link_id not in way.link_ids:
                found[place] = way
            elif way is not None and way.link_ids.count(link_id) == 1:
                bearing.append(place)
        # Either the old way bears the delay or a way without the link is better: no third one can win.
        without = replace(state, links=state.links - {link_id}, extra_h=())
        others = self.ways(without, [asked[place] for place in bearing])
        for place, other in zip(bearing, others, strict=True):
            slowed = self._slow(quick[place], state, asked[place])
            rivals = [slowed] if other is None else [slowed, other]
            found[place] = min(rivals, key=lambda way: (way.cost_usd, way.link_ids))
        return found

    def _slow(self, way: Way | None, state: NetworkState, asked: WayAsked) -> Way:
        """A way that bears the one delay of a state."""
        ((link_id, _),) = state.extra_h
        extra_h = self._delay(state, asked.end)
        key = (id(way), link_id, extra_h)  # ways that were found are kept, so nothing else gets their identity
        if way is not None and key not in self._slowed:
            prices = self._prices(state.overrides, asked.end, asked.cargo_value)
            self._slowed[key] = way.slowed(link_id, extra_h, prices.hour_usd(self.tables.links[link_id].systems[0]))
        return self._slowed[key]

    def _delay(self, state: NetworkState, end: End) -> float:
        """Hours of the one delay of a state at an end of the ranges."""
        ((_, extra_h),) = state.extra_h
        return self._prices(state.overrides, end, None).pick("delays", extra_h)

    def reach(
        self, state: NetworkState, origins: Sequence[str], goals: tuple[str, ...], modes: tuple[str, ...] | None = None
    ) -> Floats:
        """Least costs from nodes to others, at the middle and for a load of the common value.

        Args:
            state: of :meth:`state`.
            origins: ids of nodes.
            goals: ids of the nodes that are asked for.
            modes: those that may be used; all if left out.

        Returns:
            USD a load, infinite where there is no way, shape ``(origins, goals)``.
        """
        if not origins:
            return np.empty((0, len(goals)))
        if state.extra_h and not self._slows_one(state):
            return np.array([costs for costs, _ in self._reach(state, origins, goals, modes)])
        plain = replace(state, extra_h=())
        found = self._reach(plain, origins, goals, modes)
        costs = np.array([costs for costs, _ in found])
        if state.extra_h:
            # as for a single way: each is slowed, or goes without the link
            ((link_id, _),) = state.extra_h
            hour_usd = self._prices(state.overrides, "mid", None).hour_usd(self.tables.links[link_id].systems[0])
            delay = self._delay(state, "mid") * hour_usd
            bears = np.array([passed[:, self._ids.index(link_id)] for _, passed in found])
            # Only goals whose way passes the slowed link can change: each of them bears the delay or goes round it.
            rows = np.flatnonzero(bears.any(axis=1))
            without = replace(plain, links=state.links - {link_id})
            others = self._reach(without, [origins[row] for row in rows.tolist()], goals, modes)
            for row, (other, _) in zip(rows, others, strict=True):
                costs[row] = np.where(bears[row], np.minimum(costs[row] + delay, other), costs[row])
        return costs

    def _reach(
        self, state: NetworkState, origins: Sequence[str], goals: tuple[str, ...], modes: tuple[str, ...] | None
    ) -> list[Reached]:
        """Costs from each origin to the goals, and which links each way passes."""
        if state.overrides not in self._reached:
            self._reached[state.overrides] = Answers(self._ids, self._find_costs, self._changes, self._optional)
        known, numbers = self._reached[state.overrides], self._asked_costs
        asked: list[Asked] = [(origin, modes, goals) for origin in origins]
        questions = np.array([numbers.setdefault(one, len(numbers)) for one in asked], dtype=np.int64)
        return [known.values[number] for number in known.at(state, questions)]

    def _find_costs(self, state: NetworkState, questions: Ints) -> Iterable[Found[Reached]]:
        asked, network = list(self._asked_costs), self.network(state)
        for origin, modes, goals in (asked[question] for question in questions):
            costs, passed = network.costs_from(origin, modes=modes)
            # what only ways to other nodes use may change without a new search
            at = [self._places[node] for node in goals]
            costs, passed = costs[at], passed[at]
            used = (self._ids[link] for link in np.flatnonzero(passed.any(axis=0)))
            yield Found((costs, passed), used, (costs.tobytes(), passed.tobytes()))

    @cached_property
    def _ids(self) -> list[str]:
        """Ids of the links in their order."""
        return sorted(self.tables.links)

    @cached_property
    def _optional(self) -> frozenset[str]:
        """Links that are ever in use: those of the last year, and those that cases open."""
        opened = links_in_use(self.tables, HORIZON, self.scenario) | {a.link_id for a in self.tables.actions}
        return frozenset(opened & self.tables.links.keys() - {*self.scenario.closed})

    def _changes(self, links: frozenset[str]) -> frozenset[tuple[str, str]]:
        """At which nodes loads can change from or to which systems with some links in use."""
        if links not in self._changes_of:
            self._changes_of[links] = frozenset(
                at for at, those in self._changing.items() if not those.isdisjoint(links)
            )
        return self._changes_of[links]

    @cached_property
    def _changing(self) -> dict[tuple[str, str], frozenset[str]]:
        """Links of each system that ends at a node where loads can change from or to it."""
        at = {(transfer.node_id, system) for transfer in self.tables.transfers for system in transfer.systems}
        return {
            (node, system): frozenset(
                key
                for key, link in self.tables.links.items()
                if node in (link.from_node, link.to_node) and system in link.systems
            )
            for node, system in at
        }

    @cached_property
    def _places(self) -> dict[str, int]:
        """Number of each node in the tables."""
        return {node: place for place, node in enumerate(self.tables.nodes)}

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
            states = (self.open_today, NetworkState(frozenset(links)))
            lengths: list[dict[str, float]] = []
            for branch in self.tables.branches_of(pair):
                ways = (self.branch_way(state, branch, "mid", pair.cargo_value_usd) for state in states)
                way = next((way for way in ways if way is not None), None)
                # A branch without any way shares nothing with the others: a link of its own stands for it.
                ids = way.link_ids if way else (f"{_NO_WAY} {branch.branch_id}",)
                lengths.append({i: links[i].length_km.mid if i in links else 1.0 for i in ids})
            self._sizes[pair.key] = path_sizes(lengths)
        return self._sizes[pair.key]

    @property
    def open_today(self) -> NetworkState:
        """The network of the links that are open, whatever the scenario."""
        return NetworkState(frozenset(i for i, link in self.tables.links.items() if link.status == "open"))

    def theta(self, end: End = "mid") -> float:
        """Sensitivity of the choice, 1/USD: fitted to counts where they tell it, else declared.

        Args:
            end: which end of its range, which is the declared one and holds what is fitted.

        Returns:
            The value.
        """
        value, (fit, _) = self.tables.parameters["theta_per_usd"], self.counts_fit
        if fit.theta is not None:
            value = Estimate(min(value.low, fit.theta), fit.theta, max(value.high, fit.theta))
        return pick(value, end)

    def pair(
        self, pair: Pair, state: NetworkState, *, theta: float | None = None, ends: Iterable[End] = ENDS
    ) -> PairResult:
        """Costs, shares and logsum of a pair in a state of the network; see :meth:`pair_results`.

        Args:
            pair: The pair.
            state: The network's state.
            theta: Sensitivity in 1/USD; the declared middle if None.
            ends: Ends of the ranges at which ways are looked for; the middle always is.

        Returns:
            The pair's result.
        """
        return self.pair_results([pair], state, theta=theta, ends=ends)[0]

    def pair_results(
        self, pairs: Sequence[Pair], state: NetworkState, *, theta: float | None = None, ends: Iterable[End] = ENDS
    ) -> list[PairResult]:
        """Costs, shares and logsums of pairs in a state of the network.

        Args:
            pairs: The pairs.
            state: The network's state.
            theta: Sensitivity in 1/USD; the declared middle if None.
            ends: Ends of the ranges at which ways are looked for; the middle always is.

        Returns:
            The pairs' results; one that is the same in two states is the same object.
        """
        theta = self.theta() if theta is None else theta
        wanted = tuple(k for k, end in enumerate(ENDS) if end in ("mid", *ends))
        # the pairs are held beside their results, so that nothing else gets their identity
        key = (state, theta, wanted, *map(id, pairs))
        if key not in self._results:
            self._results[key] = pairs, self._pair_results(pairs, state, theta, wanted)
        return self._results[key][1]

    def _pair_results(
        self, pairs: Sequence[Pair], state: NetworkState, theta: float, wanted: Sequence[int]
    ) -> list[PairResult]:
        """Results of pairs with ways at the wanted ends, by their places in ``ENDS``."""
        questions = [self._branch_questions(pair)[list(wanted)] for pair in pairs]
        known = self._known_ways(state)
        numbers = known.at(state, np.concatenate([np.empty(0, dtype=np.int64), *(q.ravel() for q in questions)]))
        results, first = [], 0
        for pair, asked in zip(pairs, questions, strict=True):
            found = numbers[first : first + asked.size]
            first += asked.size
            # What a pair comes to hangs on its ways alone.
            key = (pair, state.overrides, theta, len(wanted), found.tobytes())
            if key not in self._pairs:
                ways = [known.values[number] for number in found]
                count = asked.shape[1]
                at_ends = {k: ways[row * count : (row + 1) * count] for row, k in enumerate(wanted)}
                self._pairs[key] = self._pair(pair, theta, [at_ends.get(k) for k in range(len(ENDS))])
            results.append(self._pairs[key])
        return results

    def _branch_questions(self, pair: Pair) -> Ints:
        """What is asked of a pair's branches, shape ``(ends, branches)``."""
        if pair not in self._of_pair:
            branches = self.tables.branches_of(pair)
            asked = [_of_branch(branch, end, pair.cargo_value_usd) for end in ENDS for branch in branches]
            self._of_pair[pair] = self._questions(asked).reshape(len(ENDS), len(branches))
        return self._of_pair[pair]

    def _pair(self, pair: Pair, theta: float, ways: Sequence[Sequence[Way | None] | None]) -> PairResult:
        """A pair's result from the ways of its branches at each end, None for ends that weren't asked for."""
        branches, sizes = self.tables.branches_of(pair), self.path_sizes(pair)
        low, mid, high = (at_end or [None] * len(branches) for at_end in ways)
        # Shares are chosen at the middle: the ends of the ranges say how sure a branch's cost is, not who takes it.
        costs = _costs(mid)
        shares = logit_shares(costs, sizes, theta)
        found = tuple(
            BranchResult(b, low[k], mid[k], high[k], float(shares[k]), float(sizes[k])) for k, b in enumerate(branches)
        )
        return PairResult(pair, found, logsum_usd(costs, sizes, theta))

    def logsums(self, pairs: Sequence[Pair], state: NetworkState) -> Floats:
        """Logsums of pairs at the low, middle and high end of the declared ranges, and at each of those of theta.

        Args:
            pairs: of the tables.
            state: of :meth:`state`.

        Returns:
            USD a load, infinite where there is no way, shape ``(pairs, 3, 3)``.
        """
        return np.array([self._logsums_of(result) for result in self.pair_results(pairs, state)])

    def _logsums_of(self, result: PairResult) -> Floats:
        # results are kept, so nothing else gets their identity
        if id(result) not in self._logsums:
            sizes, thetas = self.path_sizes(result.pair), [self.theta(end) for end in ENDS]
            costs = [_costs(getattr(branch, end) for branch in result.branches) for end in ENDS]
            self._logsums[id(result)] = np.array([[logsum_usd(c, sizes, theta) for theta in thetas] for c in costs])
        return self._logsums[id(result)]

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
        asked = WayAsked(
            pair.key, "mid", pair.cargo_value_usd, None if modes is None else tuple(modes),
            avoid=tuple(avoid_countries), without=tuple(without),
        )  # fmt: skip
        (way,) = self.ways(state, [asked])
        return (way.cost_usd if way else math.inf), way

    def missing_pairs(self, state: NetworkState) -> list[Pair]:
        """Pairs that no branch connects.

        Args:
            state: of :meth:`state`.

        Returns:
            The pairs, in the tables' order.
        """
        return [result.pair for result in self.pair_results(self.tables.pairs, state, ends=()) if result.best is None]

    @cached_property
    def counts_fit(self) -> tuple[ThetaFit, list[str]]:
        """Theta fitted to the screenlines by the pairs whose flow is known, on the links that are open.

        With the ids of the screenlines whose links some branch of these uses, in the fit's order.
        """
        pairs = [pair for pair in self.tables.pairs if pair.flow is not None]
        theta = self.tables.parameters["theta_per_usd"]
        results = self.pair_results(pairs, self.open_today, theta=theta.mid, ends=())
        branches: list[tuple[float, Floats, Floats, list[frozenset[str]]]] = []
        for pair, result in zip(pairs, results, strict=True):
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
        return fit_theta(observed, assign, (theta.low, theta.mid, theta.high)), [line.screenline_id for line in lines]


def _of_branch(branch: Branch, end: End, cargo_value: Estimate | None) -> WayAsked:
    return WayAsked((branch.origin, branch.destination), end, cargo_value, branch.modes, branch.via, branch.avoid)


def _costs(ways: Iterable[Way | None]) -> Floats:
    return np.array([way.cost_usd if way else math.inf for way in ways])


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
