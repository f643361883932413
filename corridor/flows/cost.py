"""Generalised cost of links, borders and transfers, and the choice that it makes between branches.

``GC = c km + VOT (drive + rest) + sum(fee + VOT mu) + RR VOT sqrt(sum sigma^2) + transshipment``, in US dollars a load
(one truck or one 40-foot container). The value of time has a vehicle part (truck and driver, while the truck itself
travels) and a cargo part (a share of the goods' value a day: Hummels and Schaur 2013, doi:10.1257/aer.103.7.2935). The
reliability ratio RR prices a standard deviation of delay by the value of time (de Jong et al. 2009). The high end takes
delays as fully correlated, so that their deviations add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corridor.flows.rows import TRUCK_MODES, FlowLink, FlowTables, Transfer
from corridor.schema.catalogue import ZERO, BorderDelay, Estimate
from corridor.schema.message import Message

End = Literal["low", "mid", "high"]
ENDS: tuple[End, ...] = ("low", "mid", "high")
FACTORS = ("length", "speed", "running_cost", "fees", "border_hours", "transfers", "delays")
"""Ranges of the tables, and of the delays that candidates add, as factors that a sensitivity moves; the parameters are
the others."""
_Z95 = 1.6448536269514722


def lognormal_variation(mean: float, p95: float) -> float:
    """Coefficient of variation of the lognormal law with a mean and a 95th percentile.

    Args:
        mean: Mean, above 0.
        p95: 95th percentile, from the mean to ``exp(1.645^2 / 2)`` = 3.87 times the mean; no lognormal law has more.

    Returns:
        Standard deviation over mean: ``sqrt(exp(s^2) - 1)`` with ``s`` the smaller root of
        ``ln(p95 / mean) = 1.645 s - s^2 / 2``.

    Raises:
        ValueError: no lognormal law has this mean and 95th percentile.

    >>> round(lognormal_variation(10.0, 24.0), 2)
    0.75
    """
    # With s the deviation of the logarithm, ln(p95 / mean) = z s - s^2 / 2. Of the two roots the smaller one is meant:
    # the larger one belongs to a law of extreme spread.
    rest = _Z95**2 - 2 * math.log(p95 / mean) if mean > 0 and p95 >= mean else -1.0
    if rest < 0:
        raise ValueError(f"no lognormal law has the mean {mean:g} and the 95th percentile {p95:g}")
    spread = _Z95 - math.sqrt(rest)
    return math.sqrt(math.expm1(spread**2))


@dataclass(frozen=True, slots=True)
class Prices:
    """What an hour and an uncertainty cost at one end of the declared ranges.

    ``overrides`` name factors that stand at another end than ``end``. ``vehicle_usd_per_h`` is paid while the truck
    itself travels or waits, ``cargo_usd_per_h`` always.
    ``delay_variation`` is the standard deviation over the mean of a delay where no percentile is known.
    """

    end: End
    overrides: tuple[tuple[str, End], ...]
    vehicle_usd_per_h: float
    cargo_usd_per_h: float
    reliability_ratio: float
    delay_variation: float
    rest_h_per_driven_h: float
    terminal_h: float
    terminal_usd: float
    correlated: bool

    def hour_usd(self, system: str) -> float:
        """Value of an hour of a load on a system, in dollars.

        Args:
            system: ``road`` or ``rail``.

        Returns:
            USD.
        """
        return self.cargo_usd_per_h + (self.vehicle_usd_per_h if system in TRUCK_MODES else 0.0)

    def pick(self, factor: str, value: Estimate) -> float:
        """The end of a range at which a factor stands; speeds are cheap where they are high.

        Args:
            factor: name of the range.
            value: the range.

        Returns:
            The value at that end.
        """
        end = dict(self.overrides).get(factor, self.end)
        if factor == "speed":
            return {"low": value.high, "mid": value.mid, "high": value.low}[end]
        return pick(value, end)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one passage of a link or transfer costs and takes; dollars are per load.

    ``delay_usd`` is the standard deviation of its delays times the value of time and the reliability ratio; deviations
    of a way add up in squares, or plainly where prices say that delays are correlated.
    """

    km: float = 0.0
    drive_h: float = 0.0
    rest_h: float = 0.0
    check_h: float = 0.0
    transfer_h: float = 0.0
    distance_usd: float = 0.0
    time_usd: float = 0.0
    fee_usd: float = 0.0
    transfer_usd: float = 0.0
    delay_usd: tuple[float, ...] = ()

    @property
    def certain_usd(self) -> float:
        """Dollars without the price of unreliable delays."""
        return self.distance_usd + self.time_usd + self.fee_usd + self.transfer_usd

    @property
    def delay_variance(self) -> float:
        """Sum of squares of the deviations, in dollars squared."""
        return sum(usd**2 for usd in self.delay_usd)


def pick(value: Estimate, end: End) -> float:
    """One end of a range.

    Args:
        value: the range.
        end: ``low``, ``mid`` or ``high``.

    Returns:
        The value there.
    """
    return {"low": value.low, "mid": value.mid, "high": value.high}[end]


def build_prices(
    tables: FlowTables,
    end: End,
    cargo_value: Estimate | None = None,
    overrides: Mapping[str, End] | None = None,
) -> Prices:
    """Prices at one end of all declared ranges.

    Args:
        tables: The network's tables, whose parameters are taken.
        end: ``low``, ``mid`` or ``high`` cost.
        cargo_value: Value of a load in dollars where the pair has one of its own.
        overrides: Factors that stand at another end: names of parameters, or of :data:`FACTORS`.

    Returns:
        Prices of hours and uncertainty.
    """
    other = dict(overrides or {})
    at = {name: pick(value, other.get(name, end)) for name, value in tables.parameters.items()}
    value = pick(cargo_value, other.get("cargo_value_usd", end)) if cargo_value else at["cargo_value_usd"]
    return Prices(
        end=end,
        overrides=tuple(sorted(other.items())),
        vehicle_usd_per_h=at["vehicle_usd_per_h"],
        cargo_usd_per_h=value * at["cargo_pct_per_day"] / 100 / 24,
        reliability_ratio=at["reliability_ratio"],
        delay_variation=at["delay_variation"],
        rest_h_per_driven_h=at["rest_h_per_driven_h"],
        terminal_h=at["terminal_h"],
        terminal_usd=at["terminal_usd"],
        correlated=end == "high",
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """What one passage of a link takes and costs, whatever an hour of a load is worth.

    ``deviations_h`` are the standard deviations of its delays.
    """

    km: float
    drive_h: float
    rest_h: float
    check_h: float
    distance_usd: float
    fee_usd: float
    deviations_h: tuple[float, ...]

    def charge(self, hour_usd: float, reliability_ratio: float) -> Charge:
        """Its charge for a load.

        Args:
            hour_usd: value of an hour.
            reliability_ratio: what an hour's standard deviation is worth beside an hour.

        Returns:
            Money and hours by what they are spent on.
        """
        # Unreliability is priced by the standard deviation of the delay, at the value of an hour times the reliability
        # ratio.
        deviations = (hours * hour_usd * reliability_ratio for hours in self.deviations_h)
        return Charge(
            km=self.km,
            drive_h=self.drive_h,
            rest_h=self.rest_h,
            check_h=self.check_h,
            distance_usd=self.distance_usd,
            time_usd=(self.drive_h + self.rest_h + self.check_h) * hour_usd,
            fee_usd=self.fee_usd,
            delay_usd=tuple(usd for usd in deviations if usd > 0),
        )


def measure_passage(
    tables: FlowTables, link: FlowLink, prices: Prices, *, backward: bool, extra_h: float = 0.0
) -> Passage:
    """What one passage of a link takes, at one end of the declared ranges.

    Args:
        tables: The network's tables (tariffs and border formalities).
        link: The link.
        prices: The end at which ranges are taken.
        backward: From its ``to_node`` to its ``from_node``.
        extra_h: Hours of delay that a candidate adds to each passage.

    Returns:
        Its length, hours and fees: those of its fare, of entering the country at its end, and of both sides of its
        border.
    """
    km = prices.pick("length", link.length_km)
    drive_h = km / prices.pick("speed", link.speed_kmh)
    # A driver's clock stands anywhere in its cycle when a way is long, so rest is expected hours per driven hour.
    rest_h = drive_h * prices.rest_h_per_driven_h if link.mode == "road" else 0.0
    # Each country prices its own part of the link. The parts are shares of the middle length, so they hold for any
    # length that is picked.
    per_km = math.fsum(
        part / link.length_km.mid * prices.pick("running_cost", _running_cost(tables, link.mode, country))
        for country, part in link.km_by_country().items()
    )
    fee = prices.pick("fees", _tariff(tables, "fare", link.mode, link.link_id))
    check_h, deviations = extra_h, []
    if link.crosses_border:
        # Countries are named in the order of the link, so the way back leaves the last one and enters the first one.
        left, entered = link.countries[::-1] if backward else link.countries
        fee += prices.pick("fees", _tariff(tables, "entry_fee", link.mode, entered))
        for country, direction in ((left, "outbound"), (entered, "inbound")):
            found = tables.formality(link, country, direction)
            if found is not None:
                hours = prices.pick("border_hours", found.hours)
                fee += prices.pick("fees", found.fee_usd) if found.fee_usd else 0.0
                check_h += hours
                deviations.append(hours * _variation(found, prices))
    return Passage(km, drive_h, rest_h, check_h, km * per_km, fee, tuple(deviations))


def price_link(
    tables: FlowTables, link: FlowLink, system: str, prices: Prices, *, backward: bool, extra_h: float = 0.0
) -> Charge:
    """Price one passage of a link.

    Args:
        tables: The network's tables (tariffs and border formalities).
        link: The link.
        system: What runs on it (``road``, ``rail-1520`` ...).
        prices: Prices of hours and uncertainty.
        backward: From its ``to_node`` to its ``from_node``.
        extra_h: Hours of delay that a candidate adds to each passage.

    Returns:
        Its charge; see :func:`measure_passage`.
    """
    passage = measure_passage(tables, link, prices, backward=backward, extra_h=extra_h)
    return passage.charge(prices.hour_usd(system), prices.reliability_ratio)


def price_transfer(transfer: Transfer, systems: tuple[str, str], prices: Prices) -> Charge:
    """Price one change of vehicle or gauge: the cargo waits, and so does the truck that boards a ferry.

    Args:
        transfer: The transfer.
        systems: From which system to which.
        prices: Prices of hours and uncertainty.

    Returns:
        Its charge.
    """
    hours = prices.pick("transfers", transfer.hours)
    # between road and ferry the truck stays with its load, elsewhere the load leaves the truck
    hour = prices.hour_usd("road" if set(systems) <= set(TRUCK_MODES) else "sea")
    deviation = hours * _variation(transfer, prices) * hour * prices.reliability_ratio
    return Charge(
        transfer_h=hours,
        time_usd=hours * hour,
        transfer_usd=prices.pick("transfers", transfer.price_usd),
        delay_usd=(deviation,) if deviation > 0 else (),
    )


def price_terminal(system: str, prices: Prices) -> Charge:
    """Price the first or last leg of a load: nothing for a truck, else a terminal's handling, drayage and waiting.

    Args:
        system: What the load sets out or arrives on.
        prices: Prices of hours and uncertainty.

    Returns:
        Its charge.
    """
    if system in TRUCK_MODES:
        return Charge()
    hour = prices.hour_usd(system)
    deviation = prices.terminal_h * prices.delay_variation * hour * prices.reliability_ratio
    return Charge(
        transfer_h=prices.terminal_h,
        time_usd=prices.terminal_h * hour,
        transfer_usd=prices.terminal_usd,
        delay_usd=(deviation,) if deviation > 0 else (),
    )


def _variation(found: BorderDelay | Transfer, prices: Prices) -> float:
    # A measured deviation is the best evidence, then one that a 95th percentile implies, and last what is declared for
    # all.
    if isinstance(found, BorderDelay) and found.sd_h is not None and found.hours.mid > 0:
        return found.sd_h / found.hours.mid
    if found.p95_h is None or found.hours.mid <= 0:
        return prices.delay_variation
    return lognormal_variation(found.hours.mid, found.p95_h)


def _running_cost(tables: FlowTables, mode: str, country: str) -> Estimate:
    # A price of the country itself goes before the one for all countries.
    own = tables.tariffs.get(("running_cost", mode, country)) or tables.tariffs[("running_cost", mode, "*")]
    return own.price


def _tariff(tables: FlowTables, kind: str, mode: str, target: str) -> Estimate:
    own = tables.tariffs.get((kind, mode, target))
    return own.price if own else ZERO


# --- Choice between branches: path sizes, path-size logit shares, logsum, and what counts say of theta ---
# Ben-Akiva and Bierlaire 1999, Discrete choice methods and their applications to short term travel decisions,
# doi:10.1007/978-1-4615-5203-1_2: ways that overlap aren't independent alternatives, so each counts by its path size.

Floats = NDArray[np.float64]
_WELL_EXPLAINED = 0.25
"""Root mean square of the relative residuals up to which counts are explained."""


def path_sizes(ways: Sequence[Mapping[str, float]]) -> Floats:
    """Path size of each way: the part of it that is its own.

    ``PS_k = sum over its links a of (l_a / L_k) / (number of ways that use a)``.

    Args:
        ways: Length of each link of each way, by the link's id.

    Returns:
        Path sizes, shape ``(ways,)``, above 0 and at most 1; 1 is a way that shares nothing.

    >>> path_sizes([{"a": 1.0, "b": 1.0}, {"a": 1.0, "c": 1.0}, {"d": 2.0}]).tolist()
    [0.75, 0.75, 1.0]
    """
    users: dict[str, int] = {}
    for way in ways:
        for link in way:
            users[link] = users.get(link, 0) + 1
    # A link that n ways share counts for 1/n of its length to each, so ways that are nearly one do not draw double
    # traffic.
    sizes = [sum(km / users[link] for link, km in way.items()) / sum(way.values()) for way in ways]
    return np.asarray(sizes, dtype=float)


def logit_shares(costs_usd: Floats, sizes: Floats, theta: float) -> Floats:
    """Share of each branch: ``PS_k exp(-theta GC_k)`` over the sum.

    Args:
        costs_usd: Generalised costs, shape ``(branches,)``; infinite where there is no way.
        sizes: Path sizes, shape ``(branches,)``.
        theta: Sensitivity in 1/USD, above 0.

    Returns:
        Shares, shape ``(branches,)``; they sum to 1, or are all 0 where no branch has a way.

    >>> logit_shares(np.array([100.0, 100.0, np.inf]), np.array([1.0, 1.0, 1.0]), 0.01).tolist()
    [0.5, 0.5, 0.0]
    """
    if not np.isfinite(costs_usd).any():
        return np.zeros(len(costs_usd))
    # Costs count from the least one: shares stay the same, and large costs do not underflow to zero over zero. A closed
    # branch costs infinitely much, which gives it a share of 0.
    weights = sizes * np.exp(-theta * (costs_usd - np.min(costs_usd)))
    return np.asarray(weights / weights.sum(), dtype=float)


def logsum_usd(costs_usd: Floats, sizes: Floats, theta: float) -> float:
    """Cost of a pair over all its branches: ``L = -ln(sum PS_k exp(-theta GC_k)) / theta``.

    Args:
        costs_usd: Generalised costs, shape ``(branches,)``; infinite where there is no way.
        sizes: Path sizes, shape ``(branches,)``.
        theta: Sensitivity in 1/USD, above 0.

    Returns:
        Dollars per load; infinite where no branch has a way. At most ``GC_k - ln(PS_k) / theta`` for each branch.
    """
    if not np.isfinite(costs_usd).any():
        return math.inf
    # The least cost is taken out of the exponentials and added again after the logarithm, so that large costs do not
    # underflow.
    least = float(np.min(costs_usd))
    return least - math.log(float(np.sum(sizes * np.exp(-theta * (costs_usd - least))))) / theta


@dataclass(frozen=True, slots=True)
class ThetaFit:
    """What counts say of theta.

    ``identified`` is whether they tell it; then ``theta`` is fitted, else it is None, the declared range stands and
    ``reason`` says why.
    ``observed``, ``fitted`` and ``residual`` are per count, shape ``(counts,)``, at the fitted theta or, where it isn't
    identified, at the declared middle.
    """

    identified: bool
    theta: float | None
    reason: Message | None
    observed: Floats
    fitted: Floats
    residual: Floats


def fit_theta(
    observed: Floats, assign: Callable[[float], Floats], declared: tuple[float, float, float], *, worsening: float = 1.1
) -> ThetaFit:
    """Fit theta to counts by least squares of relative residuals, if they identify it.

    They do where there are at least two counts with a flow to explain them, the best theta lies inside the range looked
    at (a tenth of the declared low to ten times the declared high) and explains the counts to a quarter, and both ends
    of the declared range explain them worse by a factor.

    Args:
        observed: Counts, shape ``(counts,)``, above 0.
        assign: Flow on each count's links at a theta, shape ``(counts,)``.
        declared: Declared low, middle and high theta in 1/USD.
        worsening: How many times worse the sum of squares must be at the ends of the declared range.

    Returns:
        The fit, or why there is none.
    """
    low, mid, high = declared

    def loss(log_theta: float) -> float:
        return float(np.sum((assign(math.exp(log_theta)) / observed - 1) ** 2))

    def give(theta: float | None, reason: Message | None = None) -> ThetaFit:
        fitted = assign(theta if theta is not None else mid) if len(observed) else np.zeros(0)
        return ThetaFit(theta is not None, theta, reason, observed, fitted, observed - fitted)

    if len(observed) < 2:
        return give(None, Message("flows.counts_too_few", {"count": len(observed)}))
    # the sum of squares may have several valleys: a grid finds the deepest, then it is measured exactly
    grid = np.linspace(math.log(low / 10), math.log(high * 10), 121)
    losses = np.array([loss(x) for x in grid])
    at = int(np.argmin(losses))
    # Where an end of the declared range fits nearly as well as the best theta, the counts tell no more than what was
    # declared. The 1e-12 lets a perfect fit, whose loss is 0, be compared too.
    ends = min(loss(math.log(low)), loss(math.log(high)))
    if ends <= worsening * losses[at] + 1e-12:
        return give(None, Message("flows.counts_flat"))
    if math.sqrt(losses[at] / len(observed)) > _WELL_EXPLAINED:
        return give(None, Message("flows.counts_unexplained"))
    # A least value at the edge of the grid is no valley: the true one lies further out.
    if at in (0, len(grid) - 1):
        return give(None, Message("flows.counts_outside"))
    from scipy.optimize import minimize_scalar

    # The neighbours on the grid bracket the valley, so the search cannot slip into another one.
    found = minimize_scalar(loss, bounds=(grid[at - 1], grid[at + 1]), method="bounded", options={"xatol": 1e-9})
    return give(float(math.exp(found.x)))
