"""Tables of a long-distance network, and the files that they and its schematic lines are written to."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import StudyError
from corridor.files import unwritable, write_whole
from corridor.flows.changes import Case, cut_case, merge_changes
from corridor.flows.cost import build_prices
from corridor.flows.indicators import (
    DocumentedCheck,
    access_potentials,
    availability,
    check_documented,
    dependence,
    ideal_costs,
    link_regrets,
    measure_rail,
    network_efficiency,
)
from corridor.flows.model import HORIZON, BranchResult, FlowModel, PairResult, WayAsked, describe_control, loads_per_day
from corridor.flows.network import Way
from corridor.flows.notes import describe_notes
from corridor.flows.rows import FlowTables, Pair
from corridor.flows.states import NetworkState
from corridor.report.tables import write_csv
from corridor.schema.message import Message
from corridor.schema.results import FlowMap
from corridor.schema.vocabulary import WayStatus

ROAD_ONLY, ANY_MODE = ("road",), None
"""Modes over which indicators are measured: trucks alone, and whatever there is."""
TABLES = ("flows", "pairs", "control", "ways", "dependence", "potentials", "regret", "counts", "documented")
"""Names of all tables, as fields of :class:`FlowResults`."""
STATE_TABLES = frozenset(("dependence", "potentials", "regret"))
"""Those that hang on the links that are open, and on nothing else."""
_PAIR_TABLES = frozenset(("flows", "pairs", "control", "ways"))
"""Those that are made together, pair by pair."""
HOURS = ("drive_h", "rest_h", "check_h", "transfer_h")
"""What a trip's hours consist of."""
IDEAL_SPEED_KMH = 60.0
"""Speed on the straight roads that network efficiency is measured against. Declared."""
IDEAL_USD_PER_KM = 0.8
"""What a kilometre of these costs. Declared."""
COLUMNS: Mapping[str, Sequence[str]] = {
    name: columns.split()
    for name, columns in {
        "flows": "origin destination mode branch regime_id candidate_id year cost_usd_low cost_usd cost_usd_high "
        "share change_usd share_of_mode status scenario_id",
        "pairs": "origin destination axis regime_id candidate_id year best_branch best_cost_usd best_change_usd "
        "truck_branch truck_cost_usd_low truck_cost_usd truck_cost_usd_high truck_change_usd truck_regret_usd status "
        "logsum_usd logsum_change_usd regret_usd",
        "control": "origin destination of branch regime_id candidate_id year status share km trip_days_low trip_days "
        "trip_days_high drive_h rest_h check_h transfer_h km_by_country own_km borders border_links customs_lines "
        "customs_borders rail_operators rail_unnamed_km rail_missing_km rail_breaks_of_gauge "
        "rail_least_capacity_mt_per_year rail_unknown_capacity_km rail_earliest_year_low rail_earliest_year "
        "rail_earliest_year_high",
        "ways": "origin destination branch regime_id candidate_id year status km drive_h rest_h check_h transfer_h "
        "trip_days_low trip_days trip_days_high distance_usd time_usd fee_usd transfer_usd unreliability_usd "
        "availability_low availability_high km_by_country own_km borders border_links customs_lines customs_borders "
        "rail_operators rail_unnamed_km nodes links rail_missing_km rail_breaks_of_gauge "
        "rail_least_capacity_mt_per_year rail_unknown_capacity_km rail_earliest_year_low rail_earliest_year "
        "rail_earliest_year_high",
        "dependence": "origin destination mode country regime_id candidate_id year cost_usd cost_without_usd "
        "dependence status",
        "potentials": "city name mode regime_id candidate_id year potential_low potential potential_high "
        "network_efficiency cities_reached",
        "regret": "origin destination mode link_id regret_usd status availability_low availability_high hazard_class "
        "regime_id candidate_id year",
        "counts": "screenline_id year_counted observed_loads_per_day explained_loads_per_day residual_loads_per_day "
        "theta_identified theta_per_usd",
        "documented": "check_id name measure year documented_low documented documented_high computed_low computed "
        "computed_high verdict source_ids note",
        "lines": "regime_id candidate_id year link_id share_sum",
    }.items()
}
"""Columns of each table, in the order in which they are written; a table without rows has them too."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class FlowResults:
    """What a long-distance network gives, as tables; see the documentation of their columns.

    ``lines`` adds up, for each link, the shares of the branches that use it: the width of lines on a map. ``notes`` are
    messages that a reader needs: pairs without a way, delays that weren't measured, what counts say, what is declared.
    """

    scenario_id: str
    years: tuple[int, ...]
    flows: pd.DataFrame
    pairs: pd.DataFrame
    control: pd.DataFrame
    ways: pd.DataFrame
    dependence: pd.DataFrame
    potentials: pd.DataFrame
    regret: pd.DataFrame
    counts: pd.DataFrame
    documented: pd.DataFrame
    lines: pd.DataFrame
    notes: tuple[Message, ...] = field(default=())


def measure_flows(
    model: FlowModel,
    cases: Sequence[Case],
    years: Iterable[int] = (),
    progress: Say = lambda _: None,
    *,
    tables: Iterable[str] = TABLES,
) -> FlowResults:
    """Measure all pairs, cities and links of a network.

    Args:
        model: The network under one scenario.
        cases: Candidates with their regimes; :class:`Case` by itself is the network alone.
        years: Years; today, 2030 and 2035 if none are given.
        progress: Told what is being measured.
        tables: Names of the tables that are wanted; the others stay empty.

    Returns:
        The tables. A case is compared with the same year without it.

    Raises:
        StudyError: a year lies before the tables' own.
    """
    # A year that is named twice is measured once.
    chosen = tuple(dict.fromkeys(years)) or default_years(model)
    # What is open today wasn't then, and what has gone since isn't in the tables.
    if min(chosen) < model.today:
        raise StudyError(f"years: {min(chosen)} is past; the tables say what is open in {model.today} and what comes")
    gathered = _Tables(model, frozenset(tables))
    for year in chosen:
        progress(f"measuring long-distance flows of {year}")
        for case in cases:
            gathered.add(case, year)
    counts = _count_rows(model)
    checks = check_documented(model) if "documented" in gathered.wanted else []
    made = {name: rows.table() for name, rows in gathered.rows.items()}
    whole = {"counts": counts, "documented": [_documented_row(check) for check in checks]}
    made |= {name: pd.DataFrame(rows, columns=COLUMNS[name]) for name, rows in whole.items()}
    return FlowResults(model.scenario_id, chosen, **made, notes=describe_notes(model, cases, chosen))


def default_years(model: FlowModel) -> tuple[int, ...]:
    """Today, 2030 and 2035; those of them that are past are left out."""
    return tuple(dict.fromkeys(max(year, model.today) for year in (model.today, 2030, HORIZON)))


def parse_years(text: str) -> tuple[int, ...]:
    """Years between commas; none give none.

    Raises:
        StudyError: something is no year.

    >>> parse_years("2026, 2035")
    (2026, 2035)
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not (part.isascii() and part.isdigit() and 1800 <= int(part[:5]) <= 2200):
            raise StudyError(f"years: '{part[:20]}' is no year; write them like 2026,2030")
    return tuple(int(part) for part in parts)


_NO_LABEL: Mapping[str, Any] = {"regime_id": "", "candidate_id": "", "year": 0}
"""Cells that say which case and year a row is of; they are filled in last."""
_Row = dict[str, Any]


class _Rows:
    """Rows of a table that come in blocks: cases and years share most of them, and differ in their labels alone.

    Args:
        columns: names of the table's columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._rows: list[_Row] = []
        self._spans: list[tuple[int, int]] = []
        self._blocks: dict[Hashable, int] = {}
        self._used: list[tuple[int, Mapping[str, Any]]] = []

    def block(self, key: Hashable, build: Callable[[], Iterable[_Row]]) -> int:
        """Number of the block of a key, whose rows are made where there is none yet."""
        if key not in self._blocks:
            first = len(self._rows)
            self._rows += build()
            self._blocks[key] = len(self._spans)
            self._spans.append((first, len(self._rows)))
        return self._blocks[key]

    def use(self, blocks: Iterable[int], label: Mapping[str, Any]) -> None:
        """Append the rows of blocks with a label."""
        self._used += [(block, label) for block in blocks]

    def table(self) -> pd.DataFrame:
        """All rows that were appended, with their labels.

        Raises:
            KeyError: they say what no column is for.
        """
        if not self._rows:
            return pd.DataFrame(columns=self._columns)
        spans = [self._spans[block] for block, _ in self._used]
        rows = np.concatenate([np.arange(*span) for span in spans])
        found = pd.DataFrame(self._rows).take(rows).reset_index(drop=True)
        labels = pd.DataFrame([label for _, label in self._used])
        at = np.repeat(np.arange(len(spans)), [end - first for first, end in spans])
        for name in labels:
            found[name] = labels[name].take(at).array
        if strange := sorted(set(found) - set(self._columns)):
            raise KeyError(f"there is no column for {', '.join(strange)}")
        # no row of a network without railways says anything of them
        return found.reindex(columns=self._columns)


class _Tables:
    """Rows as they are gathered; what depends on some ways alone is measured once for them."""

    def __init__(self, model: FlowModel, wanted: frozenset[str]) -> None:
        self.model, self.tables, self.wanted = model, model.tables, wanted
        self.rows = {name: _Rows(columns) for name, columns in COLUMNS.items()}
        by_state = {"dependence": self._dependence, "potentials": self._potentials, "regret": self._regret}
        self._by_state = {name: build for name, build in by_state.items() if name in wanted}
        self._kept: dict[object, dict[str, list[int]]] = {}
        self._whole: dict[tuple[str, str, str], Way | None] = {}
        self._rails: dict[tuple[str, str], tuple[str, ...]] = {}

    def add(self, case: Case, year: int) -> None:
        """All rows of a case in a year."""
        state, before = self.model.state(year, case), self.model.state(year, case, built=False)
        shut = self.model.state(year, cut_case(case))
        label = {"regime_id": case.regime_id, "candidate_id": case.candidate_id, "year": year}
        opened = frozenset(key for key, change in merge_changes(case.changes).items() if change.opens)
        # Many cases do the same to the links, and a year often adds nothing to the one before.
        by_pair = (state, before, shut, opened)
        if by_pair not in self._kept:
            self._kept[by_pair] = self._pair_blocks(state, before, shut, opened) if self.wanted & _PAIR_TABLES else {}
        if state not in self._kept:
            self._kept[state] = {name: build(state) for name, build in self._by_state.items()}
        for name, blocks in (*self._kept[by_pair].items(), *self._kept[state].items()):
            self.rows[name].use(blocks, label)

    def _pair_blocks(
        self, state: NetworkState, before: NetworkState, shut: NetworkState, opened: frozenset[str]
    ) -> dict[str, list[int]]:
        """Blocks of rows of all pairs by table. Results are kept by the model, so they go by their identity."""
        pairs = self.tables.pairs
        now, then = self.model.pair_results(pairs, state), self.model.pair_results(pairs, before)
        cut = self.model.pair_results(pairs, shut, ends=())
        found: dict[str, list[int]] = {"flows": [], "pairs": [], "control": [], "ways": []}
        for pair, a, b, c in zip(pairs, now, then, cut, strict=True):
            found["flows"].append(self.rows["flows"].block((id(a), id(b)), partial(self._flow_rows, a, b)))
            cells = {**_ends(pair), "axis": pair.axis, **_NO_LABEL}
            row = self.rows["pairs"].block((id(a), id(b), id(c)), partial(_pair_rows, cells, a, b, c))
            found["pairs"].append(row)
            # what a railway still lacks hangs on the links that are there, beside the ways
            lacking = tuple(link for link in self._rail_links(a) if link not in state.links)
            if "control" in self.wanted:
                control = partial(self._control_rows, a, state, opened)
                found["control"].append(self.rows["control"].block((id(a), lacking, opened), control))
            if "ways" in self.wanted:
                found["ways"].append(self.rows["ways"].block((id(a), lacking), partial(self._way_rows, a, state)))
        shares = partial(_share_rows, now)
        return found | {"lines": [self.rows["lines"].block(tuple(map(id, now)), shares)]}

    def _flow_rows(self, now: PairResult, then: PairResult) -> list[_Row]:
        scenario = self.model.scenario_id
        return [
            {
                **_ends(now.pair), **_NO_LABEL, "mode": a.branch.mode, "branch": a.branch.branch_id,
                "status": _status_of(a.mid is not None, b.mid is not None), **_cost_cells(a, b),
                "share_of_mode": _share_of_mode(a, now), "scenario_id": scenario,
            }
            for a, b in zip(now.branches, then.branches, strict=True)
        ]  # fmt: skip

    def _control_rows(self, now: PairResult, state: NetworkState, opened: frozenset[str]) -> list[_Row]:
        return [{**_ends(now.pair), **_NO_LABEL, **cells} for cells in self._control(now, state, opened)]

    def _way_rows(self, now: PairResult, state: NetworkState) -> list[_Row]:
        return [
            {**_ends(now.pair), "branch": b.branch.branch_id, **_NO_LABEL, **self._way_cells(b, state)}
            for b in now.branches
        ]

    def _rail_links(self, now: PairResult) -> tuple[str, ...]:
        """Links of the ways of a pair's railways where everything in the tables is there."""
        if now.pair.key not in self._rails:
            ways = (self._whole_way(found) for found in now.branches if "rail" in found.branch.modes)
            self._rails[now.pair.key] = tuple(link for way in ways if way for link in way.link_ids)
        return self._rails[now.pair.key]

    def _control(self, now: PairResult, state: NetworkState, own: frozenset[str]) -> Iterable[dict[str, Any]]:
        """Who controls the best way by truck and the best railway of a pair, which may still have to be built."""
        rails = [found for found in now.branches if "rail" in found.branch.modes]
        by_rail = min(rails, key=lambda found: (found.cost_usd, self._whole_cost(found)), default=None)
        for kind, found in (("truck", now.best_by_truck), ("rail", by_rail)):
            if found is None:
                continue
            cells: dict[str, Any] = {"of": kind, "branch": found.branch.branch_id, "share": found.share}
            way = found.mid or self._whole_way(found)
            if way is not None:
                cells |= _trip_cells(found, way) | describe_control(self.tables, way, own)
            yield cells | (self._rail_cells(found, state) if kind == "rail" else {})

    def _whole_way(self, found: BranchResult) -> Way | None:
        """A branch's way where everything in the tables is there."""
        branch = found.branch
        key = (branch.origin, branch.destination, branch.branch_id)
        if key not in self._whole:
            everything = NetworkState(frozenset(self.tables.links))
            self._whole[key] = self.model.branch_way(everything, branch, "mid", None)
        return self._whole[key]

    def _whole_cost(self, found: BranchResult) -> float:
        way = self._whole_way(found)
        return way.cost_usd if way else math.inf

    def _way_cells(self, found: BranchResult, state: NetworkState) -> dict[str, Any]:
        """What a branch's way consists of, and what a railway of that branch still lacks."""
        way = found.mid
        cells: dict[str, Any] = {"status": WayStatus.NONE}
        if way is not None:
            links = [self.tables.links[i] for i in way.link_ids]
            low, high = availability(links, self.tables.parameters["undocumented_closure_days"])
            certain = math.fsum(arc.charge.certain_usd for arc in way.arcs)
            cells |= {
                **_trip_cells(found, way),
                **{name: way.total(name) for name in ("distance_usd", "time_usd", "fee_usd", "transfer_usd")},
                "unreliability_usd": way.cost_usd - certain,
                "availability_low": low,
                "availability_high": high,
                **describe_control(self.tables, way),
                "nodes": "; ".join(way.nodes),
                "links": "; ".join(way.link_ids),
            }
        return cells | self._rail_cells(found, state)

    def _rail_cells(self, found: BranchResult, state: NetworkState) -> dict[str, Any]:
        branch = found.branch
        if "rail" not in branch.modes:
            return {}
        whole = self._whole_way(found)
        if whole is None:
            return {}
        arcs = [arc for arc in whole.arcs if arc.link_id and self.tables.links[arc.link_id].mode == "rail"]
        facts = measure_rail(
            [self.tables.links[arc.link_id] for arc in arcs], [arc.head[1] for arc in arcs], state.links,
            self.model.today,
        )  # fmt: skip
        years = facts.earliest_year
        return {
            "rail_missing_km": facts.missing_km.mid,
            "rail_breaks_of_gauge": facts.breaks_of_gauge,
            "rail_least_capacity_mt_per_year": facts.least_capacity_mt_per_year,
            "rail_unknown_capacity_km": facts.unknown_capacity_km,
            "rail_earliest_year_low": years.low if years else math.nan,
            "rail_earliest_year": years.mid if years else math.nan,
            "rail_earliest_year_high": years.high if years else math.nan,
        }

    def _each_best(self, state: NetworkState) -> list[tuple[str, WayAsked, Way]]:
        """The best way of each pair by each kind of modes that is looked at, where there is one."""
        asked = [
            (name, WayAsked(pair.key, "mid", pair.cargo_value_usd, modes))
            for pair in self.tables.pairs
            for name, modes in (("road", ROAD_ONLY), ("any", ANY_MODE))
        ]
        ways = self.model.ways(state, [one for _, one in asked])
        return [(name, one, way) for (name, one), way in zip(asked, ways, strict=True) if way is not None]

    def _best_blocks(
        self,
        name: str,
        state: NetworkState,
        losses: Callable[[WayAsked, Way], Iterable[tuple[str, WayAsked]]],
        build: Callable[[str, str, WayAsked, Way, Way | None], _Row],
    ) -> list[int]:
        """Blocks of rows of best ways, one for each of the things that may be lost to a way.

        Args:
            name: of the table.
            state: the network's.
            losses: names what may be lost to a way, with what is asked for then.
            build: makes a row of a mode's name, what is lost, what was asked, the way and the way without it.
        """
        best = self._each_best(state)
        lost = [list(losses(one, way)) for _, one, way in best]
        others = iter(self.model.ways(state, [one for each in lost for _, one in each]))
        blocks = []
        for (mode, one, way), each in zip(best, lost, strict=True):
            without = [next(others) for _ in each]
            rows = partial(_lost_rows, build, mode, one, way, [key for key, _ in each], without)
            # ways are kept by the model, so they go by their identity
            blocks.append(self.rows[name].block((one, id(way), *map(id, without)), rows))
        return blocks

    def _dependence(self, state: NetworkState) -> list[int]:
        def countries(asked: WayAsked, way: Way) -> Iterable[tuple[str, WayAsked]]:
            ends = {self.tables.nodes[node].country for node in asked.ends}
            passed = {c for i in way.link_ids for c in self.tables.links[i].countries} - ends
            return ((country, replace(asked, avoid=(country,))) for country in sorted(passed))

        return self._best_blocks("dependence", state, countries, _dependence_row)

    def _regret(self, state: NetworkState) -> list[int]:
        def links(asked: WayAsked, way: Way) -> Iterable[tuple[str, WayAsked]]:
            return ((link, replace(asked, without=(link,))) for link in dict.fromkeys(way.link_ids))

        return self._best_blocks("regret", state, links, self._regret_row)

    def _regret_row(self, mode: str, link: str, asked: WayAsked, way: Way, other: Way | None) -> _Row:
        without = other.cost_usd if other else math.inf
        regret = link_regrets([link], way.cost_usd, lambda _: without)[link]
        low, high = availability([self.tables.links[link]], self.tables.parameters["undocumented_closure_days"])
        return {
            "origin": asked.ends[0], "destination": asked.ends[1], "mode": mode, "link_id": link,
            "regret_usd": _finite(regret), "status": "no other way" if math.isinf(regret) else "other way",
            "availability_low": low, "availability_high": high, "hazard_class": self.tables.links[link].hazard_class,
            **_NO_LABEL,
        }  # fmt: skip

    @cached_property
    def _cities(self) -> tuple[str, ...]:
        return tuple(node.node_id for node in self.tables.nodes.values() if node.people_k)

    @cached_property
    def _ideal_usd(self) -> NDArray[np.float64]:
        """Costs between cities by straight roads, shape ``(cities, cities)``."""
        hour = build_prices(self.tables, "mid").hour_usd("road")
        return ideal_costs(self.tables, self._cities, IDEAL_USD_PER_KM, hour, IDEAL_SPEED_KMH)

    def _potentials(self, state: NetworkState) -> list[int]:
        blocks = []
        for name, modes in (("road", ROAD_ONLY), ("any", ANY_MODE)):
            costs = self.model.reach(state, self._cities, self._cities, modes)
            rows = partial(self._potential_rows, name, costs)
            blocks.append(self.rows["potentials"].block((name, costs.tobytes()), rows))
        return blocks

    def _potential_rows(self, mode: str, costs: NDArray[np.float64]) -> list[_Row]:
        cities, half_life = self._cities, self.tables.parameters["half_life_usd"]
        masses = np.array([self.tables.nodes[city].people_k or 0.0 for city in cities]) * 1000
        # the longer the half-life, the more a far city counts
        at = {end: access_potentials(costs, masses, getattr(half_life, end)) for end in ("low", "mid", "high")}
        efficiency = network_efficiency(costs, self._ideal_usd, masses)
        return [
            {
                "city": city, "name": self.tables.name(city), "mode": mode, "potential_low": at["low"][k],
                "potential": at["mid"][k], "potential_high": at["high"][k], "network_efficiency": efficiency[k],
                "cities_reached": int(np.isfinite(costs[k]).sum()) - 1, **_NO_LABEL,
            }
            for k, city in enumerate(cities)
        ]  # fmt: skip


def _count_rows(model: FlowModel) -> list[_Row]:
    """Each count beside what the pairs of known flow explain of it, with theta."""
    fit, ids = model.counts_fit
    explained = dict(zip(ids, zip(fit.fitted, fit.residual, strict=True), strict=True))
    rows = []
    for line in model.tables.screenlines:
        fitted, residual = explained.get(line.screenline_id, (math.nan, math.nan))
        rows.append(
            {
                "screenline_id": line.screenline_id, "year_counted": line.origin.as_of,
                "observed_loads_per_day": loads_per_day(line.value, line.unit), "explained_loads_per_day": fitted,
                "residual_loads_per_day": residual, "theta_identified": fit.identified,
                "theta_per_usd": model.theta(),
            }
        )  # fmt: skip
    return rows


def _ends(pair: Pair) -> Mapping[str, str]:
    return {"origin": pair.origin, "destination": pair.destination}


def _share_rows(results: Iterable[PairResult]) -> list[_Row]:
    """For each link the sum of the shares of the branches that use it."""
    shares: dict[str, float] = {}
    for branch in (branch for result in results for branch in result.branches):
        for link_id in branch.mid.link_ids if branch.mid else ():
            shares[link_id] = shares.get(link_id, 0.0) + branch.share
    return [{**_NO_LABEL, "link_id": key, "share_sum": value} for key, value in sorted(shares.items())]


def _lost_rows(
    build: Callable[[str, str, WayAsked, Way, Way | None], _Row],
    mode: str, asked: WayAsked, way: Way, lost: Sequence[str], others: Sequence[Way | None],
) -> list[_Row]:  # fmt: skip
    """A row for each thing that may be lost to a way."""
    return [build(mode, key, asked, way, other) for key, other in zip(lost, others, strict=True)]


def _dependence_row(mode: str, country: str, asked: WayAsked, way: Way, other: Way | None) -> _Row:
    without = other.cost_usd if other else math.inf
    return {
        "origin": asked.ends[0], "destination": asked.ends[1], "mode": mode, "country": country,
        "cost_usd": way.cost_usd, "cost_without_usd": _finite(without),
        "dependence": _finite(dependence(way.cost_usd, without)),
        "status": "other way" if other else "no way without it", **_NO_LABEL,
    }  # fmt: skip


def _trip_cells(found: BranchResult, way: Way) -> dict[str, Any]:
    """Whether a branch is open, what a way of it takes, and the days of its own ways at each end of the ranges."""
    ends = ("_low", found.low), ("", found.mid), ("_high", found.high)
    return {
        "status": WayStatus.OPEN if found.mid else WayStatus.NONE,
        **{name: way.total(name) for name in ("km", *HOURS)},
        **{f"trip_days{end}": each.trip_h / 24 if each else math.nan for end, each in ends},
    }


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _status_of(now: bool, then: bool) -> WayStatus:
    """Whether there is a way, now and without the case."""
    if not now:
        return WayStatus.CLOSED if then else WayStatus.NONE
    return WayStatus.OPEN if then else WayStatus.OPENED


def _cost_cells(now: BranchResult, then: BranchResult) -> Mapping[str, Any]:
    return {
        "cost_usd_low": now.low.cost_usd if now.low else math.nan,
        "cost_usd": now.mid.cost_usd if now.mid else math.nan,
        "cost_usd_high": now.high.cost_usd if now.high else math.nan,
        "share": now.share,
        "change_usd": now.cost_usd - then.cost_usd if now.mid and then.mid else math.nan,
    }


def _share_of_mode(found: BranchResult, result: PairResult) -> float:
    """Share among the pair's branches of the same mode."""
    alike = sum(b.share for b in result.branches if b.branch.mode == found.branch.mode)
    return found.share / alike if alike > 0 else 0.0


def _pair_rows(cells: Mapping[str, Any], now: PairResult, then: PairResult, cut: PairResult) -> list[_Row]:
    return [{**cells, **_pair_cells(now, then, cut)}]


def _pair_cells(now: PairResult, then: PairResult, cut: PairResult) -> Mapping[str, Any]:
    best, before = now.best, then.best
    truck, truck_before = now.best_by_truck, then.best_by_truck
    return {
        "best_branch": best.branch.branch_id if best else "",
        "best_cost_usd": best.cost_usd if best else math.nan,
        "best_change_usd": best.cost_usd - before.cost_usd if best and before else math.nan,
        "truck_branch": truck.branch.branch_id if truck else "",
        "truck_cost_usd_low": truck.low.cost_usd if truck and truck.low else math.nan,
        "truck_cost_usd": truck.cost_usd if truck else math.nan,
        "truck_cost_usd_high": truck.high.cost_usd if truck and truck.high else math.nan,
        "truck_change_usd": truck.cost_usd - truck_before.cost_usd if truck and truck_before else math.nan,
        "truck_regret_usd": _difference(_truck_cost(cut), _truck_cost(now)),
        "status": _status_of(math.isfinite(now.logsum_usd), math.isfinite(then.logsum_usd)),
        "logsum_usd": _finite(now.logsum_usd),
        "logsum_change_usd": _difference(now.logsum_usd, then.logsum_usd),
        "regret_usd": _difference(cut.logsum_usd, now.logsum_usd),
    }


def _truck_cost(found: PairResult) -> float:
    """Cost of the best way by truck, infinite where there is none."""
    best = found.best_by_truck
    return best.cost_usd if best else math.inf


def _documented_row(check: DocumentedCheck) -> dict[str, Any]:
    row, found = check.documented, check.computed
    return {
        "check_id": row.check_id, "name": row.name, "measure": row.measure, "year": row.year,
        "documented_low": row.value.low, "documented": row.value.mid, "documented_high": row.value.high,
        "computed_low": found.low if found else math.nan, "computed": found.mid if found else math.nan,
        "computed_high": found.high if found else math.nan, "verdict": check.verdict,
        "source_ids": ";".join(row.origin.source_ids), "note": row.origin.note,
    }  # fmt: skip


def _difference(now: float, then: float) -> float:
    return now - then if math.isfinite(now) and math.isfinite(then) else math.nan


# --- Writing the tables of a long-distance network and its schematic map lines ---

RESULT_TABLES = ("flows", "pairs", "control", "dependence", "potentials")
"""Those that a comparison keeps; the others are for `corridor flows`."""
MAP_LINES = "long_distance.geojson"


def flow_tables(results: FlowResults, names: Iterable[str] = RESULT_TABLES) -> dict[str, pd.DataFrame]:
    """Tables by name."""
    return {name: getattr(results, name) for name in names}


def flow_map(tables: FlowTables, results: FlowResults) -> FlowMap:
    """What a page draws and names of the network."""
    nodes = tables.nodes
    links = [
        {
            "link_id": link.link_id, "mode": link.mode, "status": link.status, "from_node": link.from_node,
            "to_node": link.to_node, "border": "-".join(link.countries) if link.crosses_border else "",
            "lon_from": nodes[link.from_node].lon, "lat_from": nodes[link.from_node].lat,
            "lon_to": nodes[link.to_node].lon, "lat_to": nodes[link.to_node].lat,
        }
        for link in tables.links.values()
    ]  # fmt: skip
    return FlowMap(
        links=pd.DataFrame(links),
        lines=results.lines,
        cities={n.node_id: (n.name, n.lon, n.lat) for n in nodes.values() if n.people_k},
        places={node.node_id: node.name for node in nodes.values()},
        countries={
            c.country: (c.name, c.rail_operator, c.origin.note, c.customs_union) for c in tables.countries.values()
        },
        branches={(b.origin, b.destination, b.branch_id): b.name for b in tables.branches},
    )


def schematic_lines(tables: FlowTables, results: FlowResults, year: int) -> dict[str, Any]:
    """The network as GeoJSON: a straight line per link, with the share of each pair that uses it.

    Args:
        tables: The network's tables.
        results: What was measured on them; the network alone is drawn.
        year: The year drawn.

    Returns:
        A GeoJSON feature collection (EPSG:4326). ``geometry_quality`` is ``schematic``: links run straight between
        their nodes, and lengths are not those of the lines. ``share_sum`` adds up, over the pairs, the shares of the
        branches that use the link: a width, not a traffic.
    """
    lines = results.lines[(results.lines["candidate_id"] == "") & (results.lines["year"] == year)]
    shares = dict(zip(lines["link_id"], lines["share_sum"], strict=True))
    features = []
    for link in tables.links.values():
        ends = [tables.nodes[node] for node in (link.from_node, link.to_node)]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": [[node.lon, node.lat] for node in ends]},
                "properties": {
                    "link_id": link.link_id, "mode": link.mode, "status": link.status, "as_of": link.origin.as_of,
                    "from": ends[0].name, "to": ends[1].name, "length_km": link.length_km.mid,
                    "geometry_quality": "schematic", "share_sum": round(shares.get(link.link_id, 0.0), 4),
                },
            }
        )  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def write_lines(collection: dict[str, Any], path: Path) -> None:
    """Write a GeoJSON feature collection."""
    path.write_text(json.dumps(collection, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_flows(
    tables: FlowTables, results: FlowResults, folder: Path, sensitivity: pd.DataFrame | None = None
) -> Path:
    """Write all tables of a long-distance network into a folder, each file whole or not at all.

    Args:
        tables: The network's tables.
        results: What was measured on them.
        folder: Where to; made if it isn't there. Files of other names are left alone.
        sensitivity: What the results hang on, if it was measured.

    Returns:
        The path of ``flows.csv``. Beside it stand ``dependence.csv``, ``potentials.csv``, ``pairs.csv``,
        ``control.csv``, ``ways.csv``, ``regret.csv``, ``counts.csv``, ``documented.csv``, ``long_distance.geojson``
        and, where measured, ``sensitivity.csv``.

    Raises:
        OutputError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise unwritable(folder, fault, "choose another folder with --out") from fault
    frames = flow_tables(results, TABLES)
    if sensitivity is not None:
        frames["sensitivity"] = sensitivity
    for name, table in frames.items():
        write_whole(folder / f"{name}.csv", partial(write_csv, table))
    lines = schematic_lines(tables, results, results.years[0])
    write_whole(folder / MAP_LINES, partial(write_lines, lines))
    return folder / "flows.csv"
