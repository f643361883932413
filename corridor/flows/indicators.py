"""Figures of the flows of an axis, and documented ones held against computed ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.flows.changes import Case, cut_case, pin_delays
from corridor.flows.cost import ENDS
from corridor.flows.model import FlowModel
from corridor.flows.network import Way
from corridor.flows.rows import DocumentedWay, FlowLink, FlowTables, Pair
from corridor.flows.states import NetworkState
from corridor.geo.geodesy import distance_m
from corridor.schema.catalogue import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RailFacts:
    """What a railway lacks along a way.

    ``missing_km`` isn't open by the year; ``breaks_of_gauge`` counts changes of gauge or between rail and another mode;
    ``least_capacity_mt_per_year`` is the least of the links whose capacity is known, ``unknown_capacity_km`` the length
    of the others; ``earliest_year`` is when its last link may open (early, middle, late), None if nobody says of one.
    """

    missing_km: Estimate
    breaks_of_gauge: int
    least_capacity_mt_per_year: float | None
    unknown_capacity_km: float
    earliest_year: Estimate | None


def measure_rail(links: Sequence[FlowLink], systems: Sequence[str], in_use: Iterable[str], today: int) -> RailFacts:
    """What a railway lacks along a way over links that may still have to be built.

    Args:
        links: Links of the way in order.
        systems: System on each of them, in the same order.
        in_use: Ids of the links in use in the year looked at.
        today: Year from which an open link is in use.

    Returns:
        Missing kilometres, breaks of gauge, least capacity and earliest year.
    """
    open_ids = set(in_use)
    missing = [link.length_km for link in links if link.link_id not in open_ids]
    known = [link for link in links if link.capacity_mt_per_year is not None]
    years = [Estimate.exact(today) if link.status == "open" else link.opens_year for link in links]
    earliest = None
    # A way is open with its last link, so the latest year counts; one unknown year leaves the whole unknown.
    if all(year is not None for year in years) and years:
        ends = [year for year in years if year is not None]
        earliest = Estimate(max(y.low for y in ends), max(y.mid for y in ends), max(y.high for y in ends))
    return RailFacts(
        missing_km=Estimate(*(math.fsum(getattr(km, end) for km in missing) for end in ("low", "mid", "high"))),
        breaks_of_gauge=sum(a != b for a, b in itertools.pairwise(systems)),
        least_capacity_mt_per_year=min((link.capacity_mt_per_year or 0.0 for link in known), default=None),
        unknown_capacity_km=math.fsum(link.length_km.mid for link in links if link.capacity_mt_per_year is None),
        earliest_year=earliest,
    )


def availability(links: Iterable[FlowLink], undocumented: Estimate) -> tuple[float, float]:
    """Part of a year in which a way is open, as an interval, since closures may coincide or not.

    ``[1 - min(1, sum d / 365), 1 - max d / 365]`` over its links; the lower end takes the high days of each link, the
    upper end the low ones.

    Args:
        links: Links of the way.
        undocumented: Days a year for a link of which nobody says any.

    Returns:
        Lower and upper end, each from 0 to 1.
    """
    days = [link.closure_days or undocumented for link in links]
    # At worst no two closures coincide, at best all fall into the longest one.
    worst = min(1.0, math.fsum(day.high for day in days) / 365)
    best = min(1.0, max((day.low for day in days), default=0.0) / 365)
    return 1 - worst, 1 - best


def dependence(best_usd: float, without_usd: float) -> float:
    """Cost of the best way without a country over that of the best way: 1 is independence, infinite no other way.

    Args:
        best_usd: cost of the best way.
        without_usd: cost of the best way without the country.

    Returns:
        The ratio.
    """
    return without_usd / best_usd


def access_potentials(costs_usd: Floats, masses: Floats, half_life_usd: float) -> Floats:
    """Access potential of each city: ``A_i = sum over j of M_j exp(-beta GC_ij)``, with ``beta = ln 2 / half-life``.

    Args:
        costs_usd: Generalised costs, shape ``(cities, cities)``; infinite where there is no way.
        masses: Population of each city, shape ``(cities,)``.
        half_life_usd: Dollars over which a city counts half.

    Returns:
        Potentials in the unit of the masses, shape ``(cities,)``; a city's own mass isn't counted.

    >>> access_potentials(np.array([[0.0, 500.0], [500.0, 0.0]]), np.array([100.0, 40.0]), 500.0).tolist()
    [20.0, 50.0]
    """
    weights = np.exp(-math.log(2) / half_life_usd * costs_usd)
    # A city is no market of its own: at no cost its own mass would drown all others.
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights @ masses, dtype=float)


def network_efficiency(costs_usd: Floats, ideal_usd: Floats, masses: Floats) -> Floats:
    """Detour of each city in cost: mean of ``GC_ij / ideal_ij`` over the others that it reaches, weighted by mass.

    Gutierrez, Monzon and Pinero 1998, Accessibility, network efficiency, and transport infrastructure planning,
    doi:10.1068/a301337. The ideal is a straight road without borders.

    Args:
        costs_usd: Generalised costs, shape ``(cities, cities)``; infinite where there is no way.
        ideal_usd: Cost on the ideal network, shape ``(cities, cities)``.
        masses: Population of each city, shape ``(cities,)``.

    Returns:
        Ratios, shape ``(cities,)``: 1 is ideal; NaN for a city that reaches none. Cities at one spot have no ideal to
        be held against.
    """
    reached = np.isfinite(costs_usd) & (ideal_usd > 0) & ~np.eye(len(masses), dtype=bool)
    weights = np.where(reached, masses[np.newaxis, :], 0.0)
    # Pairs without a way divide 0 by 1, so that infinite costs raise no warning; they weigh nothing.
    ratios = np.where(reached, costs_usd, 0.0) / np.where(reached, ideal_usd, 1.0)
    totals = weights.sum(axis=1)
    sums = (weights * ratios).sum(axis=1)
    return np.asarray(np.divide(sums, totals, out=np.full(len(masses), np.nan), where=totals > 0), dtype=float)


def ideal_costs(tables: FlowTables, cities: Sequence[str], usd_per_km: float, usd_per_h: float, kmh: float) -> Floats:
    """Cost of a straight road without borders or rest between cities.

    Args:
        tables: The network's tables, for the cities' positions.
        cities: Node ids.
        usd_per_km: Running cost.
        usd_per_h: Value of an hour.
        kmh: Speed.

    Returns:
        Dollars per load, shape ``(cities, cities)``.
    """
    lon = np.array([tables.nodes[city].lon for city in cities])
    lat = np.array([tables.nodes[city].lat for city in cities])
    km = distance_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :]) / 1000
    return np.asarray(km * (usd_per_km + usd_per_h / kmh), dtype=float)


def link_regrets(links: Iterable[str], best_usd: float, cost_without: Callable[[str], float]) -> Mapping[str, float]:
    """Regret of each link: cost of the best way without it less that of the best way; infinite if there is no other.

    Args:
        links: Ids of links, as a rule those of the best way (others have a regret of 0).
        best_usd: Cost of the best way.
        cost_without: Cost of the best way without a link, infinite if there is none.

    Returns:
        Dollars per load by link, never below 0.
    """
    return {link: max(0.0, cost_without(link) - best_usd) for link in links}


NORTH_SOUTH = "north-south"


def pairs_of_axis(model: FlowModel, axis: str = NORTH_SOUTH) -> list[Pair]:
    """The pairs of an axis.

    Args:
        model: The network.
        axis: The axis.

    Returns:
        Its pairs, in the tables' order.
    """
    return [pair for pair in model.tables.pairs if pair.axis == axis]


def cost_to_flows(model: FlowModel, case: Case, year: int, axis: str = NORTH_SOUTH) -> Estimate | None:
    """Mean change of the logsum over the pairs of an axis, against the same year without the case.

    Args:
        model: The network under one scenario.
        case: A candidate under a regime.
        year: The year.
        axis: The axis whose pairs count, each alike; those that have no way without the case neither pay nor gain.

    Returns:
        Dollars per load, above 0 where flows pay more; the ends are those of all declared ranges of prices together,
        with theta at any of its ends and delays anywhere between theirs. None where a pair is left without any way, or
        none had one.
    """
    alone = model.state(year, case, built=False)
    return _mean_change(model, [(model.state(year, each), alone) for each in _at_delays(case)], axis)


def regret_if_closed(model: FlowModel, case: Case, year: int, axis: str = NORTH_SOUTH) -> Estimate | None:
    """Mean rise of the logsum over the pairs of an axis if the candidate and what would go with it were shut.

    Args:
        model: The network under one scenario.
        case: A candidate under a regime; what it opens and what is at stake with it is shut.
        year: The year.
        axis: The axis whose pairs count, each alike; those that have no way with the case lose none.

    Returns:
        Dollars per load, never below 0; ends as in :func:`cost_to_flows`. None where a pair is left without any way,
        or none had one.
    """
    states = [(model.state(year, cut_case(each)), model.state(year, each)) for each in _at_delays(case)]
    return _mean_change(model, states, axis)


def _at_delays(case: Case) -> tuple[Case, ...]:
    """A case, and with its delays at their low and at their high ends.

    What a route saves and what its gates cost have opposite signs: prices at one end don't say where delays must be
    for the least and the most of both together.
    """
    return case, pin_delays(case, "low"), pin_delays(case, "high")


def _mean_change(model: FlowModel, states: Iterable[tuple[NetworkState, NetworkState]], axis: str) -> Estimate | None:
    """The change of the mean from the second to the first state: of the first two at its middle, of all at its ends."""
    pairs = pairs_of_axis(model, axis)
    means = []
    for now, then in dict.fromkeys(states):
        if now == then:
            means.append(np.zeros((len(ENDS), len(ENDS))))
            continue
        after, before = model.logsums(pairs, now), model.logsums(pairs, then)
        # Who has no way before and after is touched by nothing, and a way where there was none has no price to save.
        reached = np.isfinite(before).all(axis=(1, 2))
        if not reached.any() or not np.isfinite(after[reached]).all():
            return None
        means.append((after[reached] - before[reached]).mean(axis=0))
    # A change need not grow with the prices or with theta, so its ends are sorted and only the middle keeps its place.
    return Estimate(float(np.min(means)), float(means[0][1, 1]), float(np.max(means)))


# --- Documented figures of long-distance ways held against computed ones; nothing is fitted to them ---

_CLOSE = 0.02
"""So near to the documented range, as a share of its nearer end, a figure agrees with it. Declared."""


@dataclass(frozen=True, slots=True)
class DocumentedCheck:
    """A documented figure beside the computed one (None: no way), with what comes of it.

    ``verdict`` is ``inside`` where the computed middle lies in the documented range, ``close`` where it lies within 2 %
    of its nearer end, ``ranges meet`` where only the computed range reaches it, else ``differs``, or ``no way``.
    """

    documented: DocumentedWay
    computed: Estimate | None
    verdict: str


def check_documented(model: FlowModel) -> list[DocumentedCheck]:
    """Hold each row of ``documented.csv`` against the network of its year.

    Args:
        model: The network under one scenario.

    Returns:
        A check per row, in the order of the table.
    """
    return [_check(model, row) for row in model.tables.documented]


def _check(model: FlowModel, row: DocumentedWay) -> DocumentedCheck:
    found = _compute(model, row, row.via)
    if found is not None and row.against_via:
        other = _compute(model, row, row.against_via)
        # a way is compared with another at the same end of the ranges: what is dear to one is dear to both
        found = other and _difference(other, found)
    if found is None:
        return DocumentedCheck(row, None, "no way")
    if row.value.low <= found.mid <= row.value.high:
        return DocumentedCheck(row, found, "inside")
    # What lies outside is held against the nearer end of the documented range, not against its middle.
    nearest = min(max(found.mid, row.value.low), row.value.high)
    if abs(found.mid - nearest) <= _CLOSE * abs(nearest):
        return DocumentedCheck(row, found, "close")
    meets = found.low <= row.value.high and row.value.low <= found.high
    return DocumentedCheck(row, found, "ranges meet" if meets else "differs")


def _difference(other: Estimate, found: Estimate) -> Estimate:
    """How much more the other takes: the middle of both, and the least and most at one end of the ranges."""
    each = [getattr(other, end) - getattr(found, end) for end in ENDS]
    return Estimate(min(each), each[1], max(each))


def _compute(model: FlowModel, row: DocumentedWay, via: tuple[str, ...]) -> Estimate | None:
    state = model.state(row.year)
    ways = [model.network(state, end).best_way(row.from_node, row.to_node, modes=row.modes, via=via) for end in ENDS]
    # Another way may be the best at each end of the prices, so the cheapest end need not give the least measure: the
    # figures are sorted afresh.
    values = sorted(_measure(way, row.measure) for way in ways if way is not None)
    middle = ways[1]
    if middle is None or len(values) < len(ENDS):
        return None
    return Estimate(values[0], _measure(middle, row.measure), values[-1])


def _measure(way: Way, measure: str) -> float:
    if measure == "trip_days":
        return way.trip_h / 24
    if measure == "trip_speed_kmh":
        return way.total("km") / way.trip_h if way.trip_h else math.inf
    if measure == "speed_without_rest_kmh":
        return way.total("km") / (way.trip_h - way.total("rest_h")) if way.trip_h else math.inf
    if measure == "usd_per_500km":
        # what is paid on the way: no hours, which the surveys don't price
        return 500 * sum(way.total(part) for part in ("distance_usd", "fee_usd", "transfer_usd")) / way.total("km")
    return way.total(measure)
