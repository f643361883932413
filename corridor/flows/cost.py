"""Generalised cost of links, borders and transfers, each at the low, middle and high end of what is declared.

``GC = c km + VOT (drive + rest) + sum(fee + VOT mu) + RR VOT sqrt(sum sigma^2) + transshipment``, in US dollars a load
(one truck or one 40-foot container). The value of time has a vehicle part (truck and driver, while the truck itself
travels) and a cargo part (a share of the goods' value a day: Hummels and Schaur 2013, doi:10.1257/aer.103.7.2935). The
reliability ratio RR prices a standard deviation of delay by the value of time (de Jong et al. 2009). The high end takes
delays as fully correlated, so that their deviations add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from corridor.flows.rows import TRUCK_MODES, FlowLink, FlowTables, Transfer
from corridor.schema.catalogue import BorderDelay, Estimate

End = Literal["low", "mid", "high"]
ENDS: tuple[End, ...] = ("low", "mid", "high")
FACTORS = ("length", "speed", "running_cost", "fees", "border_hours", "transfers")
"""Ranges of the tables, as factors that a sensitivity moves; the parameters are the others."""
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
        Its charge; fees are those of its fare, of entering the country at its end, and of both sides of its border.
    """
    hour = prices.hour_usd(system)
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
                # Unreliability is priced by the standard deviation of the delay, at the value of an hour times the
                # reliability ratio.
                deviations.append(hours * _variation(found, prices) * hour * prices.reliability_ratio)
    return Charge(
        km=km,
        drive_h=drive_h,
        rest_h=rest_h,
        check_h=check_h,
        distance_usd=km * per_km,
        time_usd=(drive_h + rest_h + check_h) * hour,
        fee_usd=fee,
        delay_usd=tuple(usd for usd in deviations if usd > 0),
    )


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
    return own.price if own else Estimate(0.0, 0.0, 0.0)
