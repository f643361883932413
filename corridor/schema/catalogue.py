"""Rows of the reference catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Final

from pydantic import ConfigDict, Field, with_config
from shapely import LineString

from corridor.schema.message import Alias
from corridor.schema.vocabulary import (
    Confidence,
    CrossingStatus,
    GeometryQuality,
    Mode,
    SectionStatus,
    StructureKind,
    WorkKind,
    Works,
)

TRUCK_T, TRUCK_AXLE_T = 40.0, 11.5
"""Greatest gross mass of the truck that limits of roads are held against, and greatest load of its driving axle."""
TRUCK_HEIGHT_M, TRUCK_WIDTH_M, TRUCK_LENGTH_M = 4.0, 2.55, 16.5
"""Its greatest height, width and length. The truck is an articulated one of 40 t, legal in the region; axle, width and
length as in Council Directive 96/53/EC, annex I (a road train may have 18.75 m)."""
TRUCK_OF_LIMIT: Final = {
    "max_weight_t": TRUCK_T,
    "max_height_m": TRUCK_HEIGHT_M,
    "max_width_m": TRUCK_WIDTH_M,
    "max_length_m": TRUCK_LENGTH_M,
    "max_axle_t": TRUCK_AXLE_T,
}
"""The truck's measure for each kind of limit, by the column of limits."""
MAIN_ROADS: Final = ("motorway", "trunk", "primary")
"""Classes of roads that maps show as ground for the routes; a link counts with its road."""
THROUGH_CLASSES: Final = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified")
"""Classes of roads on which traffic passes through to somewhere else, unless a study says otherwise."""


Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number where models read one: neither true nor "10" is."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Estimate:
    """A documented figure with the lowest and highest value that sources give; ``mid`` is the one computed with."""

    low: Figure
    mid: Figure
    high: Figure

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A figure whose ends are its middle.

        Args:
            value: all three.

        Returns:
            The figure.
        """
        return cls(value, value, value)

    def scaled(self, factor: float) -> Estimate:
        """All three values times a factor.

        Args:
            factor: what they are multiplied by.

        Returns:
            The product.
        """
        return Estimate(self.low * factor, self.mid * factor, self.high * factor)

    def __add__(self, other: Estimate) -> Estimate:
        """Sum of two figures, low with low and high with high (no error is assumed to cancel)."""
        return Estimate(self.low + other.low, self.mid + other.mid, self.high + other.high)


ZERO: Final = Estimate.exact(0.0)
"""Nothing at all, for certain."""


@dataclass(frozen=True, slots=True)
class Undetermined:
    """A figure that may be anything between two ends, with no middle: nothing known says where between them it is.

    Args:
        best: as it is if what isn't known turns out best.
        worst: as it is if that turns out worst; ``inf`` where something can't be reached then.
    """

    best: float
    worst: float

    @property
    def low(self) -> float:
        """The lesser end."""
        return min(self.best, self.worst)

    @property
    def high(self) -> float:
        """The greater end."""
        return max(self.best, self.worst)


@dataclass(frozen=True, slots=True)
class Node:
    """A named point that sections begin and end at.

    ``place`` is the place that it lies in or at: its name up to the first comma (``Kapan, junction of M2 and M17``).
    """

    node_id: str
    name: str
    place: str
    kind: str
    lon: float
    lat: float
    country: str
    elevation_m: float | None
    aliases: tuple[Alias, ...]
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentedStructure:
    """A named tunnel, bridge or gallery on a section; ``lon``, ``lat`` is its middle, None where it isn't known."""

    structure_id: str
    section_id: str
    kind: StructureKind
    name: str
    lon: float | None
    lat: float | None
    length_km: float | None
    status: SectionStatus
    decisive: bool
    source_ids: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class VehicleLimit:
    """A documented limit of a section of road: the greatest measures of vehicles, as in ``TRUCK_OF_LIMIT``.

    None is a measure that it doesn't state. ``as_of`` is when it was documented; it may have been lifted since.
    """

    section_id: str
    max_weight_t: float | None
    max_height_m: float | None
    as_of: str
    source_ids: tuple[str, ...]
    note: str
    max_width_m: float | None = None
    max_length_m: float | None = None
    max_axle_t: float | None = None


_WORKS_OF: Final = {
    SectionStatus.PLANNED: Works.NEW,
    SectionStatus.CONSTRUCTION: Works.UNFINISHED,
    SectionStatus.ABANDONED: Works.UPGRADE,
    SectionStatus.DISUSED: Works.UPGRADE,
    SectionStatus.CLOSED: Works.UPGRADE,
}


@dataclass(frozen=True, slots=True)
class SectionWorks:
    """What documents say of the works on a section.

    ``stated`` is what is to be done where that doesn't follow from the status (a gap; a closed road that needs
    nothing). ``progress_pct`` is how much was built on ``progress_as_of``, None where no document says; its sources are
    ``progress_source_ids``. ``road_on_bed_km`` of the section's bed are a road today.
    """

    stated: Works | None = None
    progress_pct: float | None = None
    progress_as_of: str = ""
    progress_source_ids: tuple[str, ...] = ()
    road_on_bed_km: Estimate | None = None


NO_WORKS_STATED: Final = SectionWorks()


def works_of(status: SectionStatus, documented: SectionWorks) -> Works:
    """What is to be done to a stretch: as a document says, else as its status has it.

    Open ways need nothing, and those whose status nobody documents are taken as they were.

    Args:
        status: at the baseline.
        documented: of the section that it is.

    Returns:
        The works, ``Works.NONE`` for none.
    """
    return documented.stated or _WORKS_OF.get(status, Works.NONE)


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one road or railway in one country, documented as a whole.

    ``length_km`` is the documented length, or None where no document gives one; ``line`` is the drawn line (lon, lat)
    from ``from_node`` to ``to_node`` and its own length is kept beside, never mixed in. ``control`` is the country
    that controls the stretch in fact since ``control_from`` (the row's ``as_of``) where that differs from ``country``.
    ``opened`` is when it came into use, ISO date, where that is recent enough to matter. ``follows_osm`` says that
    OpenStreetMap shows this formation, so that its geometry may be taken from there. ``crossings_follow`` names another
    section beside it: a document says that this one, drawn schematically, meets what that one meets there.
    """

    section_id: str
    name: str
    aliases: tuple[Alias, ...]
    from_node: str
    to_node: str
    mode: Mode
    road_class: str
    status: SectionStatus
    as_of: str
    opened: str
    closed: str
    length_km: Estimate | None
    tunnel_km: float | None
    bridge_km: float | None
    max_grade_pct: float | None
    design_speed_kmh: float | None
    country: str
    control: str
    control_from: str
    geometry_quality: GeometryQuality
    follows_osm: bool
    source_ids: tuple[str, ...]
    confidence: Confidence
    note: str
    line: LineString
    structures: tuple[DocumentedStructure, ...]
    limit: VehicleLimit | None = None
    works: SectionWorks = NO_WORKS_STATED
    crossings_follow: str = ""
    crossings_follow_source_ids: tuple[str, ...] = ()

    @property
    def standing_structures(self) -> tuple[DocumentedStructure, ...]:
        """Its structures that are part of it as it is: a way in use doesn't run over a bridge that is yet to come."""
        in_use = self.status == SectionStatus.OPEN
        return tuple(own for own in self.structures if not in_use or own.status == SectionStatus.OPEN)


ALL_POINTS, ANY_COUNTRY = "all", "*"
"""What stands for every point of a country, and for every country, in a table of border delays."""
OUTBOUND, INBOUND, BOTH_WAYS, CHANGE_OF_GAUGE, IN_TRANSIT = "outbound", "inbound", "both", "gauge", "transit"
DIRECTIONS: Final = (OUTBOUND, INBOUND, BOTH_WAYS, CHANGE_OF_GAUGE, IN_TRANSIT)
"""Of a side's checks; a change of gauge and a check on the way are no side's."""


@dataclass(frozen=True, slots=True)
class BorderDelay:
    """What one side of a border point takes in one direction, as found in one year.

    ``country`` is the side, ``direction`` one of :data:`DIRECTIONS`. ``hours`` is the mean with the lowest and the
    highest one that sources give; ``sd_h`` and ``p95_h`` (standard deviation, 95th percentile) are None where nobody
    knows them, ``fee_usd`` where nobody quotes one. ``basis`` says whether it was measured.
    """

    point: str
    country: str
    direction: str
    mode: Mode
    year: int
    hours: Estimate
    sd_h: float | None
    p95_h: float | None
    fee_usd: Estimate | None
    basis: str
    source_ids: tuple[str, ...]
    as_of: str
    confidence: Confidence
    note: str


@dataclass(frozen=True)
class BorderDelays:
    """The table of border delays: one for every model that counts hours at borders."""

    rows: tuple[BorderDelay, ...] = ()

    @property
    def points(self) -> frozenset[str]:
        """Points that rows are of."""
        return frozenset(row.point for row in self.rows)

    @cached_property
    def _by_passage(self) -> dict[tuple[str, str, str, Mode], BorderDelay]:
        """Figures of all years by point, country, direction and mode."""
        found: dict[tuple[str, str, str, Mode], list[BorderDelay]] = {}
        for row in self.rows:
            found.setdefault((row.point, row.country, row.direction, row.mode), []).append(row)
        return {key: _over_years(rows) for key, rows in found.items()}

    def at(self, point: str, country: str, direction: str, mode: Mode) -> BorderDelay | None:
        """What a point itself has: one direction before both, the country before any country.

        Rows of several years are one figure: the latest year is its middle, and all years together its ends.

        Args:
            point: as the rows name it.
            country: whose side.
            direction: one of :data:`DIRECTIONS`.
            mode: road or rail.

        Returns:
            The figure, or None where the point has none.
        """
        # From the particular to the general: the country's own rows before those of any, one direction before both.
        directions = (direction, BOTH_WAYS) if direction in (OUTBOUND, INBOUND) else (direction,)
        for side in (country, ANY_COUNTRY):
            for way in directions:
                if found := self._by_passage.get((point, side, way, mode)):
                    return found
        return None

    def find(self, point: str, country: str, direction: str, mode: Mode) -> BorderDelay | None:
        """What a point has, or else what all points of its country have, or all points there are.

        Args:
            point: as the rows name it.
            country: whose side.
            direction: one of :data:`DIRECTIONS`.
            mode: road or rail.

        Returns:
            The figure, or None where no row fits.
        """
        return self.at(point, country, direction, mode) or self.at(ALL_POINTS, country, direction, mode)


def passed_sides(sides: Iterable[BorderDelay], left: str, entered: str) -> tuple[BorderDelay, ...]:
    """What is passed from one country to another: the sides in their directions, and a change of gauge.

    Args:
        sides: rows of one crossing.
        left: country that is left.
        entered: country that is entered.

    Returns:
        Rows, the one of the country that is left first.
    """
    rows = tuple(sides)
    wanted = ((left, OUTBOUND), (entered, INBOUND))
    # A passage is out of the one country and into the other; rows of the way back don't count.
    own = [row for pair in wanted for row in rows if (row.country, row.direction) == pair]
    return (*own, *(row for row in rows if row.direction == CHANGE_OF_GAUGE))


def minutes_of(sides: Iterable[BorderDelay]) -> Estimate | None:
    """Minutes that the two sides of a border take together; None where one of them isn't known: it isn't nothing.

    Args:
        sides: rows that are passed one after another, as :func:`passed_sides` gives them.

    Returns:
        Minutes.
    """
    rows = tuple(sides)
    is_whole = {OUTBOUND, INBOUND} <= {row.direction for row in rows}
    return sum((row.hours.scaled(60.0) for row in rows), ZERO) if is_whole else None


def _over_years(rows: list[BorderDelay]) -> BorderDelay:
    # The latest year speaks for today; what earlier years had says how far it may be off.
    rows = sorted(rows, key=lambda row: row.year)
    fees = [row.fee_usd for row in rows if row.fee_usd is not None]
    return replace(rows[-1], hours=_spanned([row.hours for row in rows]), fee_usd=_spanned(fees) if fees else None)


def _spanned(figures: list[Estimate]) -> Estimate:
    """The last figure's middle within the ends of all."""
    return Estimate(min(each.low for each in figures), figures[-1].mid, max(each.high for each in figures))


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing: the only authority on whether the border may be crossed there.

    ``sides`` is what each side takes in each direction, from the table of border delays; ``delay_min`` is the delay of
    both sides together where it isn't told by sides. ``status`` is documented for ``as_of``, and to have been the same
    back to ``since``; ``before`` is what it was until then.
    """

    crossing_id: str
    name: str
    lon: float
    lat: float
    countries: frozenset[str]
    mode: Mode
    status: CrossingStatus
    as_of: str
    delay_min: Estimate | None
    source_ids: tuple[str, ...]
    note: str
    sides: tuple[BorderDelay, ...] = ()
    since: str = ""
    before: CrossingStatus = CrossingStatus.UNKNOWN

    @property
    def is_open(self) -> bool:
        """Whether traffic may cross, as documented."""
        return self.status == CrossingStatus.OPEN

    def wait_min(self, left: str, entered: str) -> Estimate | None:
        """Minutes that a passage takes, both sides together; None where they aren't known of both.

        Args:
            left: country that is left.
            entered: country that is entered.

        Returns:
            Minutes.
        """
        return self.delay_min or minutes_of(passed_sides(self.sides, left, entered))


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Price of a kilometre of one kind of construction, in millions of US dollars.

    ``includes`` are the structures that the price holds already, so that they aren't added to it.
    """

    mode: Mode
    kind: WorkKind
    cost_musd_per_km: Estimate
    price_year: str
    source_ids: tuple[str, ...]
    includes: frozenset[StructureKind] = frozenset()


@dataclass(frozen=True, slots=True)
class UpkeepCost:
    """What a kilometre of one kind of way takes to keep for a year, in millions of US dollars."""

    mode: Mode
    kind: WorkKind
    musd_per_km_year: Estimate
    price_year: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Costing:
    """What prices of works take beside unit costs; each number is a row of ``costing.csv`` with its source and range.

    ``unknown_progress_pct`` is how much may be built of an unfinished section of which no document says it. Upkeep runs
    over ``upkeep_years`` at the rates of ``upkeep``, discounted by ``discount_rate_pct`` a year.
    """

    unknown_progress_pct: Estimate
    upkeep_years: Estimate
    discount_rate_pct: Estimate
    upkeep: tuple[UpkeepCost, ...] = ()
    source_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speed:
    """Free-flow speed of a truck (or goods train) on one class of way, level and dry."""

    mode: Mode
    road_class: str
    speed_kmh: Estimate
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GradeCeiling:
    """Steepest grade that a class of way can be expected to have where none is documented, in percent."""

    mode: Mode
    road_class: str
    ceiling_pct: float
    source_ids: tuple[str, ...]
