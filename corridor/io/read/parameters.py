"""Tables of parameters: delays at borders, costs, people, driving times."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from corridor.files import data_root
from corridor.geo.geodesy import locate_m
from corridor.io.read.tables import Faults, Row, load_sources, read_rows, source_ids_of
from corridor.schema.catalogue import (
    CHANGE_OF_GAUGE,
    DIRECTIONS,
    INBOUND,
    OUTBOUND,
    BorderDelay,
    BorderDelays,
    Costing,
    Crossing,
    Estimate,
    Node,
    Section,
    SectionWorks,
    UnitCost,
    UpkeepCost,
)
from corridor.schema.fields import Source
from corridor.schema.parameters import (
    DRIVING_PARAMETERS,
    VEHICLE_PARAMETERS,
    DocumentedHeight,
    DrivingParameters,
    PeopleTables,
    PlacePopulation,
    PopulationTotal,
    TripRates,
    Vehicle,
)
from corridor.schema.vocabulary import Confidence, Mode, StructureKind, WorkKind, Works

# --- The table of border delays: hours and dollars by point, side, direction, mode and year ---

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
        hours = Estimate(0.0, 0.0, 0.0)
    elif hours.high > 2000:
        row.fault("hours_high", f"is {hours.high:g}; at most 2000 hours are taken")
    return BorderDelay(
        point=row.text("point", required=True),
        country=row.text("country", required=True),
        direction=row.choice("direction", DIRECTIONS),
        mode=row.member("mode", Mode),
        year=int(row.number("year", 1990, 2200)),
        hours=hours,
        sd_h=row.optional("hours_sd", 0, 10_000),
        p95_h=read_p95(row, hours),
        fee_usd=row.range("fee_usd"),
        basis=row.choice("basis", BASES),
        source_ids=source_ids_of(row, sources),
        as_of=row.text("as_of", required=True),
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


# --- Tables of costs: prices of works, how far works have come, upkeep, and the parameters of both ---

WORKS_COLUMNS = (
    *("works", "progress_pct", "progress_as_of", "progress_source_ids"),
    *("road_on_bed_km_low", "road_on_bed_km_mid", "road_on_bed_km_high"),
)
"""Columns of ``sections.csv`` on works; a table may leave them out."""
_COSTS = "mode kind cost_musd_per_km_low cost_musd_per_km_mid cost_musd_per_km_high price_year source_ids note"
_UPKEEP = (
    "mode kind upkeep_musd_per_km_year_low upkeep_musd_per_km_year_mid upkeep_musd_per_km_year_high price_year "
    "source_ids note"
)
_PARAMETER_COLUMNS = "parameter unit value_low value_mid value_high source_ids note"
_PARAMETERS = {"unknown_progress_pct": 100.0, "upkeep_years": 200.0, "discount_rate_pct": 100.0}
_NOT_STATED = (Works.REPLACEMENT, Works.NEW, Works.UNFINISHED)


def read_works(row: Row, sources: Collection[str]) -> SectionWorks:
    """What a row of ``sections.csv`` says of works: those that its status doesn't say, progress, a road on the bed.

    Args:
        row: of a table that may have WORKS_COLUMNS.
        sources: ids that it may name as the source of its progress.

    Returns:
        Its works; progress is None where the cell is empty, which is no 0.
    """
    stated = row.member("works", Works, without=_NOT_STATED) if row.text("works") else None
    progress = row.optional("progress_pct", 0, 100)
    as_of, named = row.text("progress_as_of"), row.items("progress_source_ids")
    if progress is not None and not (as_of and named):
        row.fault("progress_as_of/progress_source_ids", "is empty; progress needs its date and a source")
    for key in named:
        if key not in sources:
            row.fault("progress_source_ids", f"'{key}' is not in sources.csv")
    return SectionWorks(stated, progress, as_of, named, row.range("road_on_bed_km"))


def load_unit_costs(path: Path, sources: Collection[str], faults: Faults) -> list[UnitCost]:
    """Prices of a kilometre by mode and kind of work (``unit_costs.csv``).

    Args:
        path: the table; portals and abutments are priced by the piece. Its column ``includes`` says which structures a
            price holds already (``tunnel;bridge``); prices of a table without it hold none.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.
    """
    rows = (_unit_cost(row, sources) for row in read_rows(path, _COSTS.split(), faults, optional=("includes",)))
    return [cost for cost in rows if cost is not None]


def _unit_cost(row: Row, sources: Collection[str]) -> UnitCost | None:
    cost = row.range("cost_musd_per_km")
    kind, mode = row.member("kind", WorkKind), row.member("mode", Mode)
    included = row.items("includes")
    if unknown := [item for item in included if item not in list(StructureKind)]:
        row.fault("includes", f"is '{unknown[0][:40]}'; use {', '.join(StructureKind)}, parted by semicolons")
    if cost is None:
        row.fault("cost_musd_per_km", "is empty; a price is needed")
        return None
    holds = frozenset(StructureKind(item) for item in included if item not in unknown)
    return UnitCost(mode, kind, cost, row.text("price_year"), source_ids_of(row, sources), holds)


def load_price_books(path: Path, sources: Collection[str], faults: Faults) -> dict[str, tuple[UnitCost, ...]]:
    """Prices of other times, for new lines as they would have been built then (``price_books.csv``).

    Args:
        path: the table: rows of ``unit_costs.csv`` with the name of the book that they belong to.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.

    Returns:
        Prices by the name of their book; none where there is no such file.
    """
    books: dict[str, list[UnitCost]] = defaultdict(list)
    if path.is_file():
        for row in read_rows(path, ["book", *_COSTS.split()], faults):
            if (cost := _unit_cost(row, sources)) is not None:
                books[row.text("book", required=True)].append(cost)
    return {book: tuple(rows) for book, rows in books.items()}


def load_costing_tables(
    folder: Path, sources: dict[str, Source], faults: Faults
) -> tuple[Costing | None, dict[str, Source]]:
    """Parameters of costs of a folder, or the packaged ones where it has none, with the packaged sources they name.

    Args:
        folder: of the catalogue.
        sources: its own, by id.
        faults: gathers what is wrong.
    """
    own = (folder / "costing.csv").is_file() and (folder / "upkeep.csv").is_file()
    at = folder if own else data_root() / "reference"
    known = sources if own else load_sources(at, faults)
    costing = load_costing(at / "costing.csv", at / "upkeep.csv", known, faults)
    named = costing.source_ids if costing else ()
    return costing, {key: known[key] for key in named if key in known and key not in sources}


def load_costing(path: Path, upkeep: Path, sources: Collection[str], faults: Faults) -> Costing | None:
    """Parameters of costs and rates of upkeep; None where a parameter is missing, which is a fault.

    Args:
        path: ``costing.csv``, one row for each parameter.
        upkeep: ``upkeep.csv``, one row for each mode and kind of way.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.
    """
    values, named = read_parameters(path, _PARAMETERS, sources, faults)
    rates = _load_upkeep(upkeep, sources, faults)
    if len(values) < len(_PARAMETERS):
        return None
    used = dict.fromkeys([*named, *(key for rate in rates for key in rate.source_ids)])
    return Costing(**values, upkeep=tuple(rates), source_ids=tuple(used))


def read_parameters(
    path: Path, most: Mapping[str, float], sources: Collection[str], faults: Faults
) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    """Declared parameters of a table with a row for each: name, unit, range, sources.

    Args:
        path: the table.
        most: the greatest value of each parameter that it must have; the least is 0.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong: parameters that are unknown, doubled, missing or too great.

    Returns:
        Those without faults by name, and the sources of all.
    """
    values: dict[str, Estimate] = {}
    named: list[str] = []
    for row in read_rows(path, _PARAMETER_COLUMNS.split(), faults):
        name = row.choice("parameter", most)
        value = row.range("value")
        named += source_ids_of(row, sources)
        if name in values:
            row.fault("parameter", f"'{name}' stands twice; keep one row")
        if value is None or value.high > most.get(name, 0.0):
            row.fault(
                "value_low/mid/high",
                f"of '{name}' must be {'given' if value is None else f'at most {most.get(name, 0.0):g}'}",
            )
            continue
        values[name] = value
    if lacking := [name for name in most if name not in values]:
        faults.add(f"{path}: no row for {', '.join(lacking)}; add each with its source")
    return values, tuple(dict.fromkeys(named))


def _load_upkeep(path: Path, sources: Collection[str], faults: Faults) -> list[UpkeepCost]:
    found = []
    for row in read_rows(path, _UPKEEP.split(), faults):
        rate = row.range("upkeep_musd_per_km_year")
        kind, mode, year = row.member("kind", WorkKind), row.member("mode", Mode), row.text("price_year")
        cited = source_ids_of(row, sources)
        if rate is None:
            row.fault("upkeep_musd_per_km_year", "is empty; what a year of upkeep costs is needed")
            continue
        found.append(UpkeepCost(mode, kind, rate, year, cited))
    return found


# --- Tables on people: census totals, documented populations of places, rates of trips ---

_TOTALS = "area year people_low people_high source_ids note"
_PLACES = "place country lat lon people year source_ids note"
_RATES = {"crossing_trips_per_person_day": 100.0, "centre_trips_per_person_day": 100.0}
_MOST_PEOPLE = 2e9


def load_people(
    folder: Path, sources: dict[str, Source], faults: Faults
) -> tuple[PeopleTables | None, dict[str, Source]]:
    """What a folder says of people, and the packaged sources of its rates of trips where these are the packaged ones.

    Totals (``population_totals.csv``) and populations of places (``population_places.csv``) are the folder's own or
    none, rates of trips (``trip_rates.csv``) its own or the packaged ones.

    Args:
        folder: of the catalogue.
        sources: its own, by id.
        faults: gathers what is wrong; None is given where a rate is missing, which is a fault.
    """
    own = (folder / "trip_rates.csv").is_file()
    at = folder if own else data_root() / "reference"
    known = sources if own else load_sources(at, faults)
    rates, named = read_parameters(at / "trip_rates.csv", _RATES, known, faults)
    more = {key: known[key] for key in named if key in known and key not in sources}
    totals = _load_totals(folder / "population_totals.csv", sources, faults)
    places = _load_places(folder / "population_places.csv", sources, faults)
    if len(rates) < len(_RATES):
        return None, more
    crossing, centre = (rates[name] for name in _RATES)
    return PeopleTables(tuple(totals), tuple(places), TripRates(crossing, centre, named)), more


def _load_totals(path: Path, sources: Collection[str], faults: Faults) -> list[PopulationTotal]:
    if not path.is_file():
        return []
    found, seen = [], set()
    for row in read_rows(path, _TOTALS.split(), faults):
        area, year = row.text("area", required=True), row.text("year", required=True)
        low, high = row.number("people_low", 1, _MOST_PEOPLE), row.number("people_high", 1, _MOST_PEOPLE)
        if low > high:
            row.fault("people_low/high", f"{low:g}, {high:g} are not in rising order")
        if (area, year) in seen:
            row.fault("area", f"'{area}' stands twice for {year}; keep one row with its low and high")
        seen.add((area, year))
        found.append(PopulationTotal(area, year, low, high, source_ids_of(row, sources)))
    return found


def _load_places(path: Path, sources: Collection[str], faults: Faults) -> list[PlacePopulation]:
    if not path.is_file():
        return []
    return [
        PlacePopulation(
            row.text("place", required=True),
            row.text("country", required=True),
            row.number("lon", -180, 180),
            row.number("lat", -90, 90),
            row.number("people", 1, _MOST_PEOPLE),
            row.text("year"),
            source_ids_of(row, sources),
        )
        for row in read_rows(path, _PLACES.split(), faults)
    ]


# --- Tables of the driving-time model: vehicles, its other parameters, and documented heights ---

_VEHICLES = "vehicle_id parameter unit value_low value_mid value_high source_ids note"
_DRIVING = "parameter unit value_low value_mid value_high source_ids note"
_HEIGHTS = "height_id name node_id section_id lat lon elevation_m confidence source_ids note"
NEEDED_VEHICLES = ("truck", "car")
_PIN_OFF_SECTION_KM = 5.0
# powers, masses and shares that a division or a root can't do without
_POSITIVE = frozenset(VEHICLE_PARAMETERS) - {"power_loss_pct_per_km", "shape_b"} | {
    "bend_window_m",
    "pin_reach_km",
    "drive_before_break_h",
    "drive_per_day_h",
}


class _Values:
    """Parameters gathered row by row under one head (a vehicle, say)."""

    def __init__(self) -> None:
        self.ranges: dict[str, Estimate] = {}
        self.source_ids: list[str] = []

    def take(self, row: Row, allowed: Collection[str], sources: Collection[str]) -> None:
        """Read one row: its range, in rising order, and its sources."""
        name = row.choice("parameter", allowed)
        row.text("unit", required=True)
        value = row.range("value")
        self.source_ids += [key for key in source_ids_of(row, sources) if key not in self.source_ids]
        if name in self.ranges:
            row.fault("parameter", f"'{name}' stands twice; keep one row")
        if value is None or (name in _POSITIVE and value.low <= 0):
            row.fault("value_low/mid/high", f"of '{name}' must be {'given' if value is None else 'above 0'}")
            # A possible value stands in, so that reading goes on and tells the other faults as well.
            value = Estimate(1.0, 1.0, 1.0)
        self.ranges[name] = value

    def lacking(self, wanted: Collection[str]) -> list[str]:
        """Parameters that no row gives."""
        return [name for name in wanted if name not in self.ranges]


def load_vehicles(path: Path, sources: Collection[str], faults: Faults) -> dict[str, Vehicle]:
    """Vehicles of a table with one row for each parameter of each.

    Args:
        path: the table, ``vehicles.csv``.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong: unknown, doubled or missing parameters, rows without a source.

    Returns:
        The vehicles without faults, by id.
    """
    found: dict[str, _Values] = defaultdict(_Values)
    for row in read_rows(path, _VEHICLES.split(), faults):
        found[row.text("vehicle_id", required=True)].take(row, VEHICLE_PARAMETERS, sources)
    vehicles = {}
    for key, values in found.items():
        if lacking := values.lacking(VEHICLE_PARAMETERS):
            faults.add(f"{path}: vehicle '{key}' has no row for {', '.join(lacking)}; add each with its source")
            continue
        middle = {name: values.ranges[name].mid for name in VEHICLE_PARAMETERS}
        vehicles[key] = Vehicle(key, **middle, ranges=values.ranges, source_ids=tuple(values.source_ids))
    for key in NEEDED_VEHICLES:
        if key not in found:
            faults.add(f"{path}: has no vehicle '{key}'; goods travel by truck and people of villages by car")
    return vehicles


def load_driving(path: Path, sources: Collection[str], faults: Faults) -> DrivingParameters | None:
    """The other parameters of driving times (``driving.csv``); None where some are missing, which is a fault.

    Args:
        path: The table, ``driving.csv``.
        sources: Ids that rows may name as their source.
        faults: Gathers what is wrong.
    """
    values = _Values()
    for row in read_rows(path, _DRIVING.split(), faults):
        values.take(row, DRIVING_PARAMETERS, sources)
    if lacking := values.lacking(DRIVING_PARAMETERS):
        faults.add(f"{path}: no row for {', '.join(lacking)}; add each with its source")
        return None
    middle = {name: values.ranges[name].mid for name in DRIVING_PARAMETERS}
    return DrivingParameters(**middle, ranges=values.ranges, source_ids=tuple(values.source_ids))


def load_heights(
    path: Path,
    sources: Collection[str],
    nodes: dict[str, Node],
    sections: dict[str, Section],
    faults: Faults,
) -> list[DocumentedHeight]:
    """Documented heights on the catalogue's roads and railways (``heights.csv``).

    A row names a node, whose place it then has, or a section with a place beside it. It is a fault if it names
    neither or both, one that isn't there, or a place over 5 km off the section's line.

    Args:
        path: The table, ``heights.csv``.
        sources: Ids that rows may name as their source.
        nodes: Of the catalogue, by id.
        sections: Of the catalogue, by id.
        faults: Gathers what is wrong.
    """
    found, seen = [], set()
    for row in read_rows(path, _HEIGHTS.split(), faults):
        height_id = row.text("height_id", required=True)
        if height_id in seen:
            row.fault("height_id", f"'{height_id}' stands twice; keep one row")
        seen.add(height_id)
        place = _place(row, height_id, nodes, sections)
        elevation = row.number("elevation_m", -500, 9000)
        name = row.text("name", required=True)
        confidence = row.member("confidence", Confidence, without=(Confidence.UNSTATED,))
        cited = source_ids_of(row, sources)
        if place is not None:
            node_id, section_id, lon, lat = place
            found.append(DocumentedHeight(height_id, name, node_id, section_id, lon, lat, elevation, confidence, cited))
    return found


def _place(
    row: Row, height_id: str, nodes: dict[str, Node], sections: dict[str, Section]
) -> tuple[str, str, float, float] | None:
    """Node, section, longitude and latitude of a row, or None where it is on neither."""
    node_id, section_id = row.text("node_id"), row.text("section_id")
    if bool(node_id) == bool(section_id):
        row.fault("node_id/section_id", f"'{height_id}' must name a node or a section, one of the two")
        return None
    if node_id:
        node = nodes.get(node_id)
        if node is None:
            row.fault("node_id", f"'{node_id}' of height '{height_id}' is not in nodes.csv; correct it")
            return None
        return node_id, "", node.lon, node.lat
    section = sections.get(section_id)
    if section is None:
        row.fault("section_id", f"'{section_id}' of height '{height_id}' is not in sections.csv; correct it")
        return None
    lon, lat = row.number("lon", -180, 180), row.number("lat", -90, 90)
    off_km = locate_m(section.line, lon, lat)[1] / 1000
    if off_km > _PIN_OFF_SECTION_KM:
        row.fault(
            "lat/lon",
            f"height '{height_id}' lies {off_km:.1f} km off section '{section_id}', "
            f"the limit is {_PIN_OFF_SECTION_KM:g} km; correct its place",
        )
        return None
    return "", section_id, lon, lat
