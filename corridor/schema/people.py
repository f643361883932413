"""People: census totals, documented populations of places, and how often people travel."""

from __future__ import annotations

from dataclasses import dataclass

from corridor.schema.catalogue import Estimate


@dataclass(frozen=True, slots=True)
class PopulationTotal:
    """How many people live in an area by a count of one year; ``low`` and ``high`` are what sources say of it."""

    area: str
    year: str
    low: float
    high: float
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacePopulation:
    """The documented population of a place that tables of settlements lack it for."""

    place: str
    country: str
    lon: float
    lat: float
    people: float
    year: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TripRates:
    """Trips one way, a person and day, to the border crossing and to one's centre: declared, with their ranges."""

    crossing: Estimate
    centre: Estimate
    source_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleTables:
    """What a catalogue says of people. ``totals`` and ``places`` may be empty."""

    totals: tuple[PopulationTotal, ...]
    places: tuple[PlacePopulation, ...]
    trips: TripRates

    def total_of(self, area: str) -> Estimate | None:
        """The people of an area: the latest count in the middle, least and most of all counts at the ends.

        >>> of = lambda year, people: PopulationTotal("hills", year, people, people, ("census",))
        >>> rates = TripRates(Estimate(0, 0, 0), Estimate(0, 0, 0))
        >>> PeopleTables((of("2011", 900.0), of("2022", 700.0)), (), rates).total_of("hills")
        Estimate(low=700.0, mid=700.0, high=900.0)

        Args:
            area: as in ``population_totals.csv``.

        Returns:
            Its total, None where nothing is known of the area.
        """
        counts = [total for total in self.totals if total.area == area]
        if not counts:
            return None
        last = max(counts, key=lambda total: total.year)
        return Estimate(
            min(total.low for total in counts), (last.low + last.high) / 2, max(total.high for total in counts)
        )
