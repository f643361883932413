"""What a new line must keep to, and what it costs by the kilometre."""

from __future__ import annotations

from dataclasses import dataclass, replace

from corridor.errors import AlignmentError
from corridor.schema.vocabulary import Mode


@dataclass(frozen=True, slots=True)
class DesignStandard:
    """Limits and earthwork shape of a class of railway or road.

    Grades are hard limits in percent, both positive: ``max_grade_up_pct`` climbing from start to end,
    ``max_grade_down_pct`` descending. Open line costs ``unit price x (1 + (depth / doubles)^2 + (cross-slope /
    cross_slope_doubles)^2)``: a cut of ``cut_doubles_m`` doubles the price of level ground, and so does a cross-slope
    of ``cross_slope_doubles`` (a tangent). Open line is allowed down to ``max_cut_m`` and up to ``max_fill_m``; a
    bridge from ``min_bridge_height_m`` to ``max_bridge_height_m`` above the ground; a tunnel from
    ``min_tunnel_depth_m`` below it.
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
    source_id: str = ""
    confidence: str = ""
    note: str = ""

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
        ]
        faults = [f"{name} must be above 0" for name in positive if not getattr(self, name) > 0]
        not_negative = ["min_radius_m", "vertical_radius_m", "min_bridge_height_m", "min_tunnel_depth_m"]
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

    ``surface`` is open line on level ground; ``upgrade`` is putting an old formation back into use. The search uses
    the middle prices; low and high are carried to the result.
    """

    surface: PriceRange
    bridge: PriceRange
    tunnel: PriceRange
    upgrade: PriceRange = PriceRange(0.0, 0.0, 0.0)
    portal: PriceRange = PriceRange(1.0, 2.0, 4.0)
    abutment: PriceRange = PriceRange(0.3, 0.5, 1.0)

    def __post_init__(self) -> None:
        """Refuse free kinds, on which a shortest path would be arbitrary.

        Raises:
            AlignmentError: if a middle price per kilometre is not above 0.
        """
        for name in ("surface", "bridge", "tunnel"):
            if not getattr(self, name).mid > 0:
                raise AlignmentError(f"unit cost {name}: the middle price per km must be above 0")

    def scaled(self, factor: float) -> UnitCosts:
        """All prices times a factor.

        Args:
            factor: what prices are multiplied by.

        Returns:
            The changed prices.
        """
        return UnitCosts(
            self.surface * factor,
            self.bridge * factor,
            self.tunnel * factor,
            self.upgrade * factor,
            self.portal * factor,
            self.abutment * factor,
        )

    def with_tunnel(self, mid: float) -> UnitCosts:
        """The same prices with another middle price of a tunnel (million USD per km); its range scales along.

        Args:
            mid: middle price of a tunnel, million USD per km.

        Returns:
            The changed prices.
        """
        return replace(self, tunnel=self.tunnel * (mid / self.tunnel.mid))
