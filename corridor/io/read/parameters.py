"""Declared parameters, a row for each: those of people and of driving times; and documented heights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from corridor.geo.geodesy import locate_m
from corridor.io.read.tables import Faults, Row, added_sources, own_or_packaged, read_rows, source_ids_of
from corridor.schema.catalogue import (
    Estimate,
    Node,
    Section,
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
from corridor.schema.vocabulary import Confidence

_PARAMETER_COLUMNS = "parameter unit value_low value_mid value_high source_ids note"


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
    at, known = own_or_packaged(folder, ("trip_rates.csv",), sources)
    rates, named = read_parameters(at / "trip_rates.csv", _RATES, known, faults)
    more = added_sources(named, known, sources)
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
            row.country("country"),
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
_HEIGHTS = "height_id name node_id section_id lat lon elevation_m confidence source_ids note"
NEEDED_VEHICLES = ("truck", "car")
_PIN_OFF_SECTION_KM = 5.0
"""Farthest that a documented height may lie from its section. Declared."""
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
            value = Estimate.exact(1.0)
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
    for row in read_rows(path, _PARAMETER_COLUMNS.split(), faults):
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
