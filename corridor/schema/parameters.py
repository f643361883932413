"""Rows of the reference catalogue that models take: vehicles, parameters of driving times, heights, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from corridor.schema.catalogue import Estimate, GradeCeiling, Speed
from corridor.schema.vocabulary import Confidence

# --- Vehicles, the parameters of driving times, and documented heights: rows of the reference catalogue ---

KMH = 3.6


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle as the limiting-speed model takes it; each number is a parameter of ``vehicles.csv``.

    ``shape_b`` is the spread of the limiting speeds: 0 gives the least of them. ``desired_ratio`` is the speed wanted
    on a level, straight road over the class speed (which is a truck's); ``top_speed_kmh`` caps it.
    ``power_loss_pct_per_km`` is what an engine loses with height. ``side_friction`` is the part of a vehicle's weight
    that its driver lets a bend push it aside with. ``ranges`` has the lowest and highest value of each parameter.
    """

    vehicle_id: str
    mass_kg: float
    mass_per_power_kg_per_kw: float
    driveline_efficiency: float
    power_loss_pct_per_km: float
    braking_power_kw: float
    rolling_resistance: float
    drag_coefficient: float
    frontal_area_m2: float
    side_friction: float
    shape_b: float
    desired_ratio: float
    top_speed_kmh: float
    ranges: dict[str, Estimate] = field(default_factory=dict, compare=False)
    source_ids: tuple[str, ...] = field(default=(), compare=False)

    @property
    def wheel_power_w(self) -> float:
        """Power at the wheels at sea level, W."""
        return self.mass_kg / self.mass_per_power_kg_per_kw * 1000.0 * self.driveline_efficiency

    def as_tuple(self) -> tuple[float, ...]:
        """The ten numbers that the compiled loops take, in SI units."""
        return (
            float(self.mass_kg),
            self.wheel_power_w,
            self.power_loss_pct_per_km / 100.0 / 1000.0,
            self.braking_power_kw * 1000.0,
            float(self.rolling_resistance),
            self.drag_coefficient * self.frontal_area_m2,
            float(self.side_friction),
            float(self.shape_b),
            float(self.desired_ratio),
            self.top_speed_kmh / KMH,
        )


VEHICLE_PARAMETERS = tuple(f.name for f in fields(Vehicle) if f.name not in ("vehicle_id", "ranges", "source_ids"))


@dataclass(frozen=True, slots=True)
class DrivingParameters:
    """What driving times take beside vehicles; each number is a row of ``driving.csv`` with its source and range.

    ``superelevation`` banks every bend. A bend is measured over ``bend_window_m``. Heights are smoothed over
    ``smoothing_pixels`` pixels of the elevation model, at least over ``smoothing_least_km``. Documented heights (pins)
    act over ``pin_reach_km``; one that is off the model by over ``pin_remark_errors`` of its local errors is a remark,
    by ``pin_fault_m`` a fault. Climbs of under ``ascent_threshold_m`` are no ascent. A driver rests ``break_h`` after
    ``drive_before_break_h`` and ``daily_rest_h`` instead after ``drive_per_day_h``.
    """

    superelevation: float
    bend_window_m: float
    smoothing_pixels: float
    smoothing_least_km: float
    pin_reach_km: float
    pin_remark_errors: float
    pin_fault_m: float
    ascent_threshold_m: float
    drive_before_break_h: float
    break_h: float
    drive_per_day_h: float
    daily_rest_h: float
    ranges: dict[str, Estimate] = field(default_factory=dict, compare=False)
    source_ids: tuple[str, ...] = field(default=(), compare=False)

    def smoothing_window_m(self, resolution_m: float) -> float:
        """Length of road that a smoothed height stands for, for pixels of a size in metres."""
        return max(self.smoothing_pixels * resolution_m, self.smoothing_least_km * 1000.0)


DRIVING_PARAMETERS = tuple(f.name for f in fields(DrivingParameters) if f.name not in ("ranges", "source_ids"))


@dataclass(frozen=True, slots=True)
class DocumentedHeight:
    """A height that a document gives for a place on a road or railway: at a node, or beside a section.

    Exactly one of ``node_id`` and ``section_id`` is set.
    """

    height_id: str
    name: str
    node_id: str
    section_id: str
    lon: float
    lat: float
    elevation_m: float
    confidence: Confidence
    source_ids: tuple[str, ...]


@dataclass(frozen=True)
class DrivingModel:
    """All rows that driving times are computed from."""

    speeds: Sequence[Speed]
    grade_ceilings: Sequence[GradeCeiling]
    vehicles: Mapping[str, Vehicle]
    parameters: DrivingParameters
    heights: Sequence[DocumentedHeight]


# --- People: census totals, documented populations of places, and how often people travel ---


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
