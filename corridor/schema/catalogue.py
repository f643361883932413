"""Rows of the reference catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import ConfigDict, Field, with_config
from shapely import LineString

from corridor.schema.names import Alias
from corridor.schema.vocabulary import (
    Confidence,
    CrossingStatus,
    GeometryQuality,
    Mode,
    SectionStatus,
    StructureKind,
    WorkKind,
)

TRUCK_T, TRUCK_HEIGHT_M = 40.0, 4.0
"""Greatest gross mass and height of the truck that limits of roads are held against (legal in the region)."""
THROUGH_CLASSES: Final = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified")
"""Classes of roads on which traffic passes through to somewhere else, unless a study says otherwise."""
USABLE: frozenset[str] = frozenset((SectionStatus.OPEN,))
TO_BUILD: frozenset[str] = frozenset((SectionStatus.PLANNED, SectionStatus.CONSTRUCTION, SectionStatus.ABANDONED))


Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number where models read one: neither true nor "10" is."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Estimate:
    """A documented figure with the lowest and highest value that sources give; ``mid`` is the one computed with."""

    low: Figure
    mid: Figure
    high: Figure

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
    """A documented limit of a section of road: greatest gross mass and height of vehicles, None where none is stated.

    ``as_of`` is when it was documented; it may have been lifted since.
    """

    section_id: str
    max_weight_t: float | None
    max_height_m: float | None
    as_of: str
    source_ids: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one road or railway in one country, documented as a whole.

    ``length_km`` is the documented length, or None where no document gives one; ``line`` is the drawn line (lon, lat)
    from ``from_node`` to ``to_node`` and its own length is kept beside, never mixed in. ``control`` is the country
    that controls the stretch in fact since ``control_from`` (the row's ``as_of``) where that differs from ``country``.
    ``opened`` is when it came into use, ISO date, where that is recent enough to matter. ``follows_osm`` says that
    OpenStreetMap shows this formation, so that its geometry may be taken from there.
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


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing: the only authority on whether the border may be crossed there."""

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

    @property
    def is_open(self) -> bool:
        """Whether traffic may cross today, as documented."""
        return self.status == CrossingStatus.OPEN


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Price of a kilometre of one kind of construction, in millions of US dollars."""

    mode: Mode
    kind: WorkKind
    cost_musd_per_km: Estimate
    price_year: str
    source_ids: tuple[str, ...]


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
