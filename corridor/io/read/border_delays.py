"""The table of border delays: hours and dollars by point, side, direction, mode and year."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from corridor.io.read.tables import Faults, Row, read_rows, source_ids_of
from corridor.schema.catalogue import (
    CHANGE_OF_GAUGE,
    DIRECTIONS,
    INBOUND,
    OUTBOUND,
    ZERO,
    BorderDelay,
    BorderDelays,
    Crossing,
    Estimate,
    minutes_of,
    passed_sides,
)
from corridor.schema.vocabulary import Confidence, Mode

FILE_NAME = "border_delays.csv"
COLUMNS = (
    "point country direction mode year hours_low hours_mid hours_high hours_sd hours_p95 fee_usd_low fee_usd_mid "
    "fee_usd_high basis source_ids as_of confidence note"
)
BASES = ("measured", "reported", "analogue", "declared")
MAX_P95_RATIO = math.floor(100 * math.exp(1.6448536269514722**2 / 2)) / 100
"""Of a given mean, no lognormal law has a 95th percentile above exp(1.645^2 / 2) = 3.87 times the mean."""


def load_border_delays(path: Path, sources: Collection[str], faults: Faults) -> BorderDelays:
    """Read the table.

    Args:
        path: CSV file.
        sources: ids that rows may name.
        faults: gathers what is wrong with rows.

    Returns:
        The table; empty where there is no such file.
    """
    if not path.is_file():
        return BorderDelays()
    rows, seen = [], set()
    for row in read_rows(path, COLUMNS.split(), faults):
        found = _delay(row, sources)
        key = (found.point, found.country, found.direction, found.mode, found.year)
        if key in seen:
            row.fault("point", f"'{found.point}' stands twice for this side, direction, mode and year; keep one row")
        seen.add(key)
        rows.append(found)
    return BorderDelays(tuple(rows))


def _delay(row: Row, sources: Collection[str]) -> BorderDelay:
    hours = row.range("hours")
    if hours is None:
        row.fault("hours_mid", "is empty; a mean number of hours is needed")
        hours = ZERO
    elif hours.high > 2000:
        row.fault("hours_high", f"is {hours.high:g}; at most 2000 hours are taken")
    return BorderDelay(
        point=row.text("point", required=True),
        country=row.text("country", required=True),
        direction=row.choice("direction", DIRECTIONS),
        mode=row.member("mode", Mode),
        year=row.whole("year", 1990, 2200),
        hours=hours,
        sd_h=row.optional("hours_sd", 0, 10_000),
        p95_h=read_p95(row, hours),
        fee_usd=row.range("fee_usd"),
        basis=row.choice("basis", BASES),
        source_ids=source_ids_of(row, sources),
        as_of=row.date("as_of", required=True),
        confidence=row.member("confidence", Confidence, without=(Confidence.UNSTATED,)),
        note=row.text("note"),
    )


def read_p95(row: Row, hours: Estimate) -> float | None:
    """The 95th percentile of a row, which a lognormal law of its mean must be able to have.

    Args:
        row: a row with a column ``hours_p95``.
        hours: its mean.

    Returns:
        Hours, or None where nobody knows it (or it is a fault).
    """
    p95 = row.optional("hours_p95", 0, 10_000)
    if p95 is None:
        return None
    if not hours.mid <= p95 <= MAX_P95_RATIO * hours.mid:
        row.fault(
            "hours_p95",
            f"is {p95:g} at a mean of {hours.mid:g}; it must lie from the mean to {MAX_P95_RATIO:g} times it "
            "(is hours_mid a median?)",
        )
        return None
    return p95


def sides_of(point: str, countries: Collection[str], mode: Mode, delays: BorderDelays) -> tuple[BorderDelay, ...]:
    """What each side of a point takes in each direction, and a change of gauge there.

    Args:
        point: id of the crossing; where it has no rows, those of all points of a country stand for it.
        countries: that meet there.
        mode: road or rail.
        delays: the table.

    Returns:
        Rows with their own country and direction; only what the table has.
    """
    wanted = [(country, way) for country in sorted(countries) for way in (OUTBOUND, INBOUND)]
    found = [(country, way, delays.find(point, country, way, mode)) for country, way in wanted]
    sides = tuple(replace(row, country=country, direction=way) for country, way, row in found if row is not None)
    changes = (delays.at(point, country, CHANGE_OF_GAUGE, mode) for country in sorted(countries))
    return (*sides, *(row for row in changes if row is not None))


def passed_at(
    crossing: Crossing | None, left: str, entered: str, mode: Mode, delays: BorderDelays
) -> tuple[tuple[BorderDelay, ...], Estimate | None]:
    """What is passed at a border, and the minutes that it takes; None where they aren't known of both sides.

    Args:
        crossing: the listed one there; where none is listed, the countries' own means of waiting stand in.
        left: country that is left.
        entered: country that is entered.
        mode: road or rail.
        delays: the table.

    Returns:
        Rows as :func:`~corridor.schema.catalogue.passed_sides` gives them, and minutes.
    """
    if crossing is not None:
        return passed_sides(crossing.sides, left, entered), crossing.wait_min(left, entered)
    passed = passed_sides(sides_of("", (left, entered), mode, delays), left, entered)
    return passed, minutes_of(passed)


def with_sides(crossing: Crossing, delays: BorderDelays, where: str, faults: Faults) -> Crossing:
    """A crossing with what its sides take.

    Args:
        crossing: as its row says; a delay of its own stands where the table has no row of this point.
        delays: the table.
        where: names the crossings' file in a fault.
        faults: gathers a delay that is given in both tables.

    Returns:
        The crossing, with sides unless it has a delay of its own.
    """
    if crossing.delay_min is None:
        return replace(crossing, sides=sides_of(crossing.crossing_id, crossing.countries, crossing.mode, delays))
    if crossing.crossing_id in delays.points:
        faults.add(
            f"{where}, {crossing.crossing_id}, delay_min: {FILE_NAME} has rows of this point; leave one of both out"
        )
    return crossing
