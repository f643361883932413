"""A new line in three dimensions with what it is made of and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from corridor.errors import AlignmentError
from corridor.schema.message import Value
from corridor.schema.vocabulary import LineKind, Mode

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Structure:
    """A stretch of one kind that isn't open line on earth slopes, by chainage in metres from the start.

    ``extent_m`` is the greatest height of a bridge above the ground or depth of a tunnel below it; of the others the
    greatest height or depth on the centre line.
    """

    kind: LineKind
    from_m: float
    to_m: float
    extent_m: float

    @property
    def length_m(self) -> float:
        """Length along the line."""
        return self.to_m - self.from_m


@dataclass(frozen=True, slots=True)
class Spiral:
    """Full circles by which a line gains or loses height, ``turns`` of them over each other.

    ``x`` and ``y`` are the centre in the line's system; ``rise_m`` is negative where the line falls. ``crossings`` is
    what bridges and roofs cost where circles pass over their own start, in million USD.
    """

    x: float
    y: float
    radius_m: float
    turns: int
    is_left: bool
    from_m: float
    to_m: float
    rise_m: float
    crossings: PriceRange


@dataclass(frozen=True, slots=True)
class LinePrice:
    """Kilometres and price in million USD of each kind that a line has, and of its portals and abutments.

    ``ends`` is the price of the latter, with what full circles cost where they pass over themselves.
    """

    km: Mapping[LineKind, float]
    musd: Mapping[LineKind, PriceRange]
    portals: int
    abutments: int
    ends: PriceRange

    def km_of(self, kind: LineKind) -> float:
        """Length of a kind.

        Args:
            kind: what is asked for.

        Returns:
            Kilometres, 0 where the line has none of it.
        """
        return self.km.get(kind, 0.0)

    def musd_of(self, kind: LineKind) -> PriceRange:
        """Price of a kind.

        Args:
            kind: what is asked for.

        Returns:
            Million USD, 0 where the line has none of it.
        """
        return self.musd.get(kind, PriceRange(0.0, 0.0, 0.0))

    @property
    def tunnel_km(self) -> float:
        """Length in tunnels."""
        return self.km_of(LineKind.TUNNEL)

    @property
    def bridge_km(self) -> float:
        """Length on bridges."""
        return self.km_of(LineKind.BRIDGE)

    @property
    def reused_km(self) -> float:
        """Length on a formation that is there."""
        return self.km_of(LineKind.REUSED)

    def __add__(self, other: LinePrice) -> LinePrice:
        """The price of two stretches, one after the other."""
        kinds = [kind for kind in LineKind if kind in self.km or kind in other.km]
        return LinePrice(
            {kind: self.km_of(kind) + other.km_of(kind) for kind in kinds},
            {kind: self.musd_of(kind) + other.musd_of(kind) for kind in kinds},
            self.portals + other.portals,
            self.abutments + other.abutments,
            self.ends + other.ends,
        )

    @property
    def total(self) -> PriceRange:
        """All kinds with portals and abutments."""
        return sum(self.musd.values(), self.ends)

    @property
    def total_musd(self) -> float:
        """The middle total, in million USD."""
        return self.total.mid


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A buildable line between two terminals under one standard.

    ``line`` is (n, 3): x, y in ``crs`` and height in metres; straights, arcs and vertical curves as short chords.
    ``vertices`` is (m, 3): the intersection points that the curves were fitted to, ``vertex_m`` (m) their chainage.
    ``radius_m`` has one value per inner vertex (infinite where the line runs straight through, and where stretches
    meet at a station), ``vertical_radius_m`` likewise the radii of vertical curves. ``ground_m`` is the
    ground under each row of ``line`` and ``chainage_m`` its distance from the start in the grid's plane. ``sections``
    is (k, 3): chainage, ground and the ground's slope square to the line (tangent, never negative) at each row, at the
    ends of structures and at least every 10 m, since the ground bends between rows. ``gap_musd`` is the certificate of
    the search: no line over the same nodes and links costs less than ``search_price_musd - gap_musd`` (None: not
    known). ``spirals`` are the places where the line turns full circles.
    """

    standard_id: str
    crs: str
    line: Floats
    vertices: Floats
    vertex_m: Floats
    chainage_m: Floats
    ground_m: Floats
    sections: Floats
    radius_m: Floats
    vertical_radius_m: Floats
    structures: tuple[Structure, ...]
    price: LinePrice
    search_price_musd: float
    unconstrained_price_musd: float
    max_grade_pct: float
    cell_m: float
    snapped_m: tuple[float, float]
    notes: tuple[Value, ...] = field(default=())
    gap_musd: float | None = None
    spirals: tuple[Spiral, ...] = ()

    @property
    def gap_pct(self) -> float | None:
        """``gap_musd`` in percent of the least that any line can cost: the line is within so much of the optimum."""
        if self.gap_musd is None:
            return None
        return 100.0 * self.gap_musd / (self.search_price_musd - self.gap_musd)

    @property
    def length_km(self) -> float:
        """Plan length."""
        return float(self.chainage_m[-1]) / 1000.0

    @property
    def tunnel_km(self) -> float:
        """Length in tunnels."""
        return self.price.tunnel_km

    @property
    def bridge_km(self) -> float:
        """Length on bridges."""
        return self.price.bridge_km

    @property
    def longest_tunnel_km(self) -> float:
        """The longest single tunnel, 0 without one."""
        return max((s.length_m for s in self.structures if s.kind == LineKind.TUNNEL), default=0.0) / 1000.0

    @property
    def min_radius_m(self) -> float:
        """The tightest fitted curve; infinite for a straight line."""
        return float(self.radius_m.min()) if len(self.radius_m) else float("inf")

    @property
    def min_vertical_radius_m(self) -> float:
        """The tightest vertical curve; infinite where the grade never changes."""
        return float(self.vertical_radius_m.min()) if len(self.vertical_radius_m) else float("inf")

    @property
    def ascent_m(self) -> float:
        """Metres climbed from start to end."""
        return float(np.clip(np.diff(self.line[:, 2]), 0.0, None).sum())

    @property
    def descent_m(self) -> float:
        """Metres descended from start to end."""
        return float(np.clip(-np.diff(self.line[:, 2]), 0.0, None).sum())

    @property
    def max_elevation_m(self) -> float:
        """Highest point of the line itself."""
        return float(self.line[:, 2].max())


BESIDE_PRICES = (
    "standard_id", "label", "max_grade_up_pct", "max_grade_down_pct", "min_radius_m", "vertical_radius_m", "speed_kmh",
    "source_id", "confidence", "note",
)  # fmt: skip
"""What of a standard says nothing of what a line without bends costs where its grades are kept."""


@dataclass(frozen=True, slots=True)
class DesignStandard:
    """Limits and earthwork shape of a class of railway or road.

    Grades are hard limits in percent, both positive: ``max_grade_up_pct`` climbing from start to end,
    ``max_grade_down_pct`` descending. Open line costs ``unit price x (1 + (depth / doubles)^2 + (cross-slope /
    cross_slope_doubles)^2)``: a cut of ``cut_doubles_m`` doubles the price of level ground, and so does a cross-slope
    of ``cross_slope_doubles`` (a tangent). Steeper across than ``bench_cross_slope`` it stands on a bench with
    retaining walls, whose price grows more slowly; there a gallery or a half-bridge may take its place. A bridge
    costs what is quoted at a height of ``bridge_reference_m``; one of no height costs half of one that is
    ``bridge_doubles_m`` high. Open line is allowed down to ``max_cut_m`` and up to ``max_fill_m``; a bridge from
    ``min_bridge_height_m`` to ``max_bridge_height_m`` above the ground; a tunnel from ``min_tunnel_depth_m`` below it.
    A curve resists like a grade of ``curve_resistance_permille_m / radius`` per mille, which full circles allow for.
    """

    standard_id: str
    label: str
    mode: Mode
    max_grade_up_pct: float
    max_grade_down_pct: float
    min_radius_m: float
    vertical_radius_m: float
    speed_kmh: float = 0.0
    max_cut_m: float = 30.0
    max_fill_m: float = 20.0
    min_bridge_height_m: float = 6.0
    max_bridge_height_m: float = 100.0
    min_tunnel_depth_m: float = 12.0
    cut_doubles_m: float = 10.0
    fill_doubles_m: float = 8.0
    cross_slope_doubles: float = 0.5
    bench_cross_slope: float = 0.5
    bridge_doubles_m: float = 50.0
    bridge_reference_m: float = 30.0
    curve_resistance_permille_m: float = 0.0
    source_id: str = ""
    confidence: str = ""
    note: str = ""

    def is_looser_than(self, other: DesignStandard) -> bool:
        """Whether each line by another standard keeps the limits of this one, bends aside, at the same price.

        That is so where grades are no stricter and all else that limits or prices a line is the same.

        Args:
            other: the other standard.

        Returns:
            True where a line of the other standard's is one of this one's.
        """
        aside = {name: getattr(self, name) for name in BESIDE_PRICES}
        return (
            replace(other, **aside) == self
            and self.max_grade_up_pct >= other.max_grade_up_pct
            and self.max_grade_down_pct >= other.max_grade_down_pct
        )

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other.

        Raises:
            AlignmentError: naming every field that is wrong.
        """
        positive = [
            "max_grade_up_pct",
            "max_grade_down_pct",
            "max_cut_m",
            "max_fill_m",
            "max_bridge_height_m",
            "cut_doubles_m",
            "fill_doubles_m",
            "cross_slope_doubles",
            "bridge_doubles_m",
        ]
        faults = [f"{name} must be above 0" for name in positive if not getattr(self, name) > 0]
        not_negative = ["min_radius_m", "vertical_radius_m", "min_bridge_height_m", "min_tunnel_depth_m"]
        not_negative += ["bench_cross_slope", "bridge_reference_m", "curve_resistance_permille_m"]
        faults += [f"{name} must be 0 or more" for name in not_negative if not getattr(self, name) >= 0]
        if self.min_bridge_height_m > self.max_fill_m or self.min_bridge_height_m > self.max_bridge_height_m:
            faults.append(
                "min_bridge_height_m must not exceed max_fill_m or max_bridge_height_m (heights without a kind)"
            )
        if self.min_tunnel_depth_m > self.max_cut_m:
            faults.append("min_tunnel_depth_m must not exceed max_cut_m (depths without a kind)")
        if faults:
            raise AlignmentError(f"design standard {self.standard_id!r}: " + "; ".join(faults))

    def with_grade(self, up_pct: float, down_pct: float | None = None) -> DesignStandard:
        """The same standard with another ruling grade (both ways, unless ``down_pct`` is given).

        Args:
            up_pct: ruling grade, in percent.
            down_pct: ruling grade downhill, where it differs.

        Returns:
            The changed standard.
        """
        down = up_pct if down_pct is None else down_pct
        return replace(self, max_grade_up_pct=up_pct, max_grade_down_pct=down)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """A quoted low, middle and high price; not a confidence interval."""

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        """Refuse ranges that are out of order or negative.

        Raises:
            AlignmentError: if not 0 <= low <= mid <= high.
        """
        if not 0 <= self.low <= self.mid <= self.high:
            raise AlignmentError(f"price range {self.low}, {self.mid}, {self.high} must be rising and not negative")

    def __mul__(self, factor: float) -> PriceRange:
        """The range scaled by a quantity or factor of 0 or more."""
        return PriceRange(self.low * factor, self.mid * factor, self.high * factor)

    def __add__(self, other: PriceRange) -> PriceRange:
        """The sum, low with low and high with high (prices that move together)."""
        return PriceRange(self.low + other.low, self.mid + other.mid, self.high + other.high)

    @classmethod
    def flat(cls, value: float) -> PriceRange:
        """A price without a range.

        Args:
            value: low, middle and high at once.

        Returns:
            The price.
        """
        return cls(value, value, value)


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """Prices of one mode: per kilometre in million USD by kind, and per portal and per abutment in million USD.

    ``surface`` is open line on level ground, ``bridge`` a bridge of the standard's reference height; ``upgrade`` is
    putting an old formation back into use. ``retaining_wall`` is what walls add where the squared cross-slope grows by
    one; without it earth slopes go on however steep the ground. A kind without a price (``gallery``,
    ``half_bridge``) isn't built. The search uses the middle prices; low and high are carried to the result.
    """

    surface: PriceRange
    bridge: PriceRange
    tunnel: PriceRange
    upgrade: PriceRange = PriceRange(0.0, 0.0, 0.0)
    portal: PriceRange = PriceRange(1.0, 2.0, 4.0)
    abutment: PriceRange = PriceRange(0.3, 0.5, 1.0)
    retaining_wall: PriceRange | None = None
    gallery: PriceRange | None = None
    half_bridge: PriceRange | None = None

    def __post_init__(self) -> None:
        """Refuse free kinds, on which a shortest path would be arbitrary.

        Raises:
            AlignmentError: if a middle price per kilometre is not above 0.
        """
        for name in ("surface", "bridge", "tunnel", "retaining_wall", "gallery", "half_bridge"):
            price = getattr(self, name)
            if price is not None and not price.mid > 0:
                raise AlignmentError(f"unit cost {name}: the middle price per km must be above 0")

    def scaled(self, factor: float) -> UnitCosts:
        """All prices times a factor.

        Args:
            factor: what prices are multiplied by.

        Returns:
            The changed prices.
        """
        prices = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: price * factor for name, price in prices.items() if price is not None})

    def with_tunnel(self, mid: float) -> UnitCosts:
        """The same prices with another middle price of a tunnel (million USD per km); its range scales along.

        Args:
            mid: middle price of a tunnel, million USD per km.

        Returns:
            The changed prices.
        """
        return replace(self, tunnel=self.tunnel * (mid / self.tunnel.mid))

    def with_bridge(self, mid: float) -> UnitCosts:
        """The same prices with another middle price of a bridge (million USD per km); its range scales along.

        Args:
            mid: middle price of a bridge, million USD per km.

        Returns:
            The changed prices.
        """
        return replace(self, bridge=self.bridge * (mid / self.bridge.mid))
