"""A new line in three dimensions with what it is made of and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from corridor.schema.standard import PriceRange
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Structure:
    """A bridge, a tunnel or a reused piece, by chainage in metres from the start.

    ``extent_m`` is the greatest height of a bridge above the ground or depth of a tunnel below it.
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
class LinePrice:
    """Price by kind in million USD, with the quantities that it is made of.

    ``surface_equivalent_km`` is the open length weighted by earthwork: kilometres of level ground for the same money.
    """

    surface_km: float
    surface_equivalent_km: float
    bridge_km: float
    tunnel_km: float
    reused_km: float
    portals: int
    abutments: int
    surface: PriceRange
    bridge: PriceRange
    tunnel: PriceRange
    reused: PriceRange
    ends: PriceRange

    @property
    def total(self) -> PriceRange:
        """All kinds with portals and abutments."""
        return self.surface + self.bridge + self.tunnel + self.reused + self.ends

    @property
    def total_musd(self) -> float:
        """The middle total, in million USD."""
        return self.total.mid


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A buildable line between two terminals under one standard.

    ``line`` is (n, 3): x, y in ``crs`` and height in metres; straights, arcs and vertical curves as short chords.
    ``vertices`` is (m, 3): the intersection points that the curves were fitted to. ``radius_m`` has one value per
    inner vertex (infinite where the line runs straight through). ``ground_m`` is the ground under each row of ``line``
    and ``chainage_m`` its distance from the start in the grid's plane.
    """

    standard_id: str
    crs: str
    line: Floats
    vertices: Floats
    chainage_m: Floats
    ground_m: Floats
    radius_m: Floats
    structures: tuple[Structure, ...]
    price: LinePrice
    search_price_musd: float
    unconstrained_price_musd: float
    max_grade_pct: float
    cell_m: float
    snapped_m: tuple[float, float]
    notes: tuple[str, ...] = field(default=())

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
