"""Tables on people: census totals, documented populations of places, rates of trips."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from corridor.io.read.costing import read_parameters
from corridor.io.read.tables import Faults, load_sources, read_rows, source_ids_of
from corridor.packaged import data_root
from corridor.schema.people import PeopleTables, PlacePopulation, PopulationTotal, TripRates
from corridor.schema.source import Source

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
