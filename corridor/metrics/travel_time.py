"""Time of a trip: driving, checks at borders and in transit, and both together."""

from __future__ import annotations

import math

from corridor.errors import StudyError
from corridor.metrics.distance import total
from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.schema.candidate import BorderPassage, Candidate
from corridor.schema.catalogue import CHANGE_OF_GAUGE, IN_TRANSIT, INBOUND, OUTBOUND, ZERO, BorderDelays, Estimate
from corridor.schema.column import Column, Shown, Unit
from corridor.schema.parameters import DrivingParameters
from corridor.schema.regime import CheckRule, Regime
from corridor.schema.vocabulary import MetricStatus, Mode

_ROUNDING = 1e-9


@derived
def driving_h(route: Candidate) -> Estimate:
    """Hours of driving, without checks. A part's factor documented/drawn applies to its time."""
    return total(part.minutes for part in route.parts).scaled(1 / 60)


@derived
def rest_h(route: Candidate, driving_h: Estimate, driving_parameters: DrivingParameters) -> Estimate:
    """Hours that a truck's driver rests on the way; none on a railway, whose crews change."""
    if route.mode != Mode.ROAD:
        return ZERO
    low, mid, high = (rest_hours(hours, driving_parameters) for hours in (driving_h.low, driving_h.mid, driving_h.high))
    return Estimate(low, mid, high)


def rest_hours(driving_h: float, parameters: DrivingParameters) -> float:
    """Hours of rest on a journey: a break after each spell of driving, a night instead after each day of it.

    Nothing is rested on arrival. AETR, articles 6 to 8: 45 minutes after four and a half hours, eleven hours after
    nine.

    Args:
        driving_h: hours at the wheel.
        parameters: how long is driven and rested.
    """
    # spells that end before the journey does; the last one ends with it
    spells = _ended(driving_h, parameters.drive_before_break_h)
    days = _ended(driving_h, parameters.drive_per_day_h)
    breaks = spells - _ended_together(days, parameters)
    return breaks * parameters.break_h + days * parameters.daily_rest_h


def _ended(driving_h: float, spell_h: float) -> int:
    # No rest follows a spell that ends with the journey, and rounding must not add one.
    return max(math.ceil(driving_h / spell_h - _ROUNDING) - 1, 0)


def _ended_together(days: int, parameters: DrivingParameters) -> int:
    """How many of the days end with a spell, so that the night takes the break's place."""
    # A break that is due when a daily rest begins is taken with it.
    ends = [day * parameters.drive_per_day_h / parameters.drive_before_break_h for day in range(1, days + 1)]
    return sum(abs(end - round(end)) < _ROUNDING for end in ends)


@derived
def regime_check_h(route: Candidate, regime: Regime | None, border_delays: BorderDelays) -> Estimate | None:
    """Hours of checks on one trip: at the sides of borders and in transit that the regime has checked.

    Where transit may pass at some hours of the day alone, it waits for them. Where a route passes no regime (None), the
    listed delays of its crossings stand, and None where those of one aren't known. A change of gauge is no check, so
    that no regime takes it away.

    Raises:
        StudyError: a side is checked for which the table has no row.
    """
    if regime is None:
        return _listed_check_h(route)
    borders = [_passage_check_h(passage, regime, border_delays) for passage in route.passages]
    on_the_way = _transit_checks_h(route.mode, regime, border_delays)
    return total([*borders, *on_the_way, regime.transit_wait_h])


def _passage_check_h(passage: BorderPassage, regime: Regime, delays: BorderDelays) -> Estimate:
    if regime.border_check_min is not None:
        return regime.border_check_min.minutes.scaled(1 / 60)
    found = [side.hours for side in passage.sides if side.direction == CHANGE_OF_GAUGE]
    for country, direction in zip(passage.countries, (OUTBOUND, INBOUND), strict=True):
        at_side = (r for r in regime.checks if r.at == "border" and r.fits(country, passage.crossing_id, passage.mode))
        if (rule := next(at_side, None)) is not None:
            found.append(rule.taken(_side_h(passage, country, direction, rule, regime, delays)))
    return total(found)


def _side_h(
    passage: BorderPassage, country: str, direction: str, rule: CheckRule, regime: Regime, delays: BorderDelays
) -> Estimate:
    """Hours of one side by the rule's row, by the crossing's own, or half of what is listed for both sides."""
    if rule.point:
        row = delays.at(rule.point, country, direction, passage.mode)
    else:
        row = next((side for side in passage.sides if (side.country, side.direction) == (country, direction)), None)
    if row is not None:
        return row.hours
    # Minutes of a whole crossing are shared evenly between its two sides: half of them, in hours.
    if passage.delay_min is not None and not rule.point and not passage.sides:
        return passage.delay_min.scaled(1 / 120)
    where = f"point '{rule.point}'" if rule.point else f"crossing '{passage.crossing_id or 'unlisted'}'"
    raise StudyError(
        f"regimes.{regime.regime_id}.checks: border_delays.csv has no row of {where} for {country}, {direction}, "
        f"{passage.mode}; add one, or name another point"
    )


def _transit_checks_h(mode: Mode, regime: Regime, delays: BorderDelays) -> list[Estimate]:
    """Checks on the way, once a trip each."""
    if regime.transit_check_min is not None:
        return [regime.transit_check_min.minutes.scaled(1 / 60)]
    found = []
    for rule in regime.checks:
        if rule.at == "transit" and rule.of_mode(mode):
            rows = [delays.at(rule.point, country, IN_TRANSIT, mode) for country in rule.countries]
            found += [rule.taken(row.hours) for row in rows if row is not None]
    return found


def _listed_check_h(route: Candidate) -> Estimate | None:
    """Hours listed for the crossings passed; None where those of one aren't known."""
    delays = [passage.delay_min for passage in route.passages]
    known = [delay for delay in delays if delay is not None]
    return total(known).scaled(1 / 60) if len(known) == len(delays) else None


@metric(
    Subject.TIME,
    Column(
        "truck_time_h", Unit.H, "driving time of a loaded truck without border checks; empty for railways",
        "limiting speeds of power, brakes, bends and class; fitted to documented journeys", interval=True,
        shown=Shown.FILES,
    ),
    Column(
        "train_time_h", Unit.H, "running time of a goods train without border checks; empty for roads",
        "class speeds; +/- 25 %", interval=True, shown=Shown.FILES,
    ),
    Column(
        "rest_h", Unit.H, "rest of a truck's driver on the way; empty for railways",
        "AETR: 45 min after 4.5 h of driving, 11 h instead after each 9 h, none on arrival", interval=True,
        shown=Shown.FILES,
    ),
    Column(
        "travel_time_h", Unit.H, "driving with rest, or train time, without checks",
        "truck_time_h + rest_h, or train_time_h", interval=True,
    ),
)  # fmt: skip
def measure_driving(route: Candidate, driving_h: Estimate, rest_h: Estimate) -> Values:
    """Time under way with the rest that it takes; checks at borders depend on the regime and are never part of it."""
    by_truck = {"truck_time_h": driving_h, "rest_h": rest_h}
    own = by_truck if route.mode == Mode.ROAD else {"train_time_h": driving_h}
    return own | {"travel_time_h": driving_h + rest_h}


@metric(
    Subject.TIME,
    Column(
        "border_check_h", Unit.H, "delays listed for the border crossings passed, both sides, and changes of gauge",
        "border_delays.csv: outbound of the country left + inbound of the country entered",
        interval=True,
        shown=Shown.FILES,
    ),
    status="border_check_h_status",
)  # fmt: skip
def measure_listed_checks(route: Candidate) -> Values | Unmeasured:
    """What the crossings passed are listed to cost; what is listed of some of them is no sum of all."""
    listed = _listed_check_h(route)
    return Unmeasured(MetricStatus.MISSING) if listed is None else {"border_check_h": listed}


@metric(
    Subject.TIME,
    Column(
        "check_h", Unit.H, "checks on a whole trip of the route's own mode under the regime",
        "border_delays.csv: sides of borders that the regime has checked + checks in transit + changes of gauge + "
        "wait for the hours of transit",
        interval=True,
    ),
    Column(
        "trip_time_h", Unit.H, "driving, rest and the regime's checks", "travel_time_h + check_h", interval=True,
    ),
    status="check_h_status",
)  # fmt: skip
def measure_trip(driving_h: Estimate, rest_h: Estimate, regime_check_h: Estimate | None) -> Values | Unmeasured:
    """Time of a whole trip under a regime; unknown where the checks on it are."""
    if regime_check_h is None:
        return Unmeasured(MetricStatus.MISSING)
    return {"check_h": regime_check_h, "trip_time_h": driving_h + rest_h + regime_check_h}
