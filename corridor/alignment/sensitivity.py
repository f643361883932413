"""How price and tunnel length answer to the ruling grade and to the price of a tunnel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from corridor.alignment.align import solve
from corridor.alignment.problem import AlignmentProblem
from corridor.errors import AlignmentError
from corridor.schema.alignment import Alignment

DEFAULT_GRADES_PCT = (1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class TradeoffPoint:
    """One line of a sweep: the value that was varied and the line, or why there is none."""

    parameter: str
    value: float
    alignment: Alignment | None
    reason: str = ""

    def as_row(self) -> dict[str, float | str]:
        """The figures for a table or chart; empty text where there is no line."""
        a = self.alignment
        if a is None:
            return {"parameter": self.parameter, "value": self.value, "reason": self.reason}
        total = a.price.total
        return {
            "parameter": self.parameter,
            "value": self.value,
            "cost_musd_low": total.low,
            "cost_musd_mid": total.mid,
            "cost_musd_high": total.high,
            "length_km": a.length_km,
            "tunnel_km": a.tunnel_km,
            "longest_tunnel_km": a.longest_tunnel_km,
            "bridge_km": a.bridge_km,
            "max_grade_pct": a.max_grade_pct,
            "reason": "",
        }


def sweep_grade(asked: AlignmentProblem, grades_pct: Iterable[float] = DEFAULT_GRADES_PCT) -> list[TradeoffPoint]:
    """One line per ruling grade (the same up and down), other limits unchanged.

    A line that keeps a stricter grade keeps a looser one too. Curves can make the line found for a looser grade dearer
    than that one once both are drawn; then that one is taken.
    """
    points = [
        _point("max_grade_pct", grade, replace(asked, standard=asked.standard.with_grade(grade)))
        for grade in grades_pct
    ]
    cheapest: Alignment | None = None
    taken: dict[float, Alignment | None] = {}
    for point in sorted(points, key=lambda p: p.value):
        line = point.alignment
        if line is not None and (cheapest is None or line.price.total_musd < cheapest.price.total_musd):
            cheapest = line
        taken[point.value] = cheapest
    return [p if taken[p.value] is None else replace(p, alignment=taken[p.value], reason="") for p in points]


def sweep_tunnel_price(asked: AlignmentProblem, prices_musd_per_km: Iterable[float]) -> list[TradeoffPoint]:
    """One line per price of a kilometre of tunnel, other prices unchanged."""
    return [
        _point("tunnel_musd_per_km", price, replace(asked, costs=asked.costs.with_tunnel(price)))
        for price in prices_musd_per_km
    ]


def _point(parameter: str, value: float, asked: AlignmentProblem) -> TradeoffPoint:
    """One line of a sweep; where there is none the reason stands instead."""
    try:
        return TradeoffPoint(parameter, value, solve(asked))
    except AlignmentError as fault:
        return TradeoffPoint(parameter, value, None, str(fault))


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest value over error draws, and how many of the draws had a line at all."""

    low: float
    median: float
    high: float
    found: int
    draws: int


def draw_errors(
    shape: tuple[int, int], cell_m: float, sigma_m: float, range_m: float, draws: int, seed: int
) -> Iterable[Floats]:
    """Fields of vertical error: normal, standard deviation ``sigma_m``, correlated over about ``range_m``.

    White noise smoothed by a Gaussian kernel of half the range (its correlation falls to 1/e at the range) and
    scaled back; the frame is widened while smoothing so that the rim is no calmer than the middle.
    """
    rng = np.random.default_rng(seed)
    width = max(range_m / cell_m / 2.0, 1e-6)
    # Smoothing wraps round the frame: the part that is cut off is as wide as the kernel, so that opposite rims stay
    # unrelated.
    pad = int(np.ceil(4 * width))
    scale = _kernel_norm(width)
    for _ in range(draws):
        noise = rng.standard_normal((shape[0] + 2 * pad, shape[1] + 2 * pad))
        smooth = gaussian_filter(noise, width, mode="wrap", truncate=4.0)
        inner = smooth[pad : pad + shape[0], pad : pad + shape[1]]
        yield sigma_m * inner / scale


def _kernel_norm(width: float) -> float:
    """Standard deviation of unit white noise after the smoothing, from the kernel itself."""
    reach = int(4.0 * width + 0.5)
    at = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (at / width) ** 2)
    kernel /= kernel.sum()
    # Along one axis this would be the variance; the filter runs along both, which makes it the standard deviation.
    return float((kernel**2).sum())


def measure_price_spread(
    asked: AlignmentProblem, sigma_m: float, range_m: float, draws: int = 10, seed: int = 0
) -> dict[str, Spread]:
    """Spread of price, length and tunnel length when the line is sought anew on each draw of the heights.

    Raises:
        AlignmentError: if none of the draws has a line.
    """
    values: dict[str, list[float]] = {"cost_musd": [], "length_km": [], "tunnel_km": []}
    g = asked.terrain.ground
    for error in draw_errors(g.shape, max(g.dx_m, g.dy_m), sigma_m, range_m, draws, seed):
        try:
            line = solve(asked.on(g.z + error, g.mask, g.friction))
        except AlignmentError:
            continue
        values["cost_musd"].append(line.price.total_musd)
        values["length_km"].append(line.length_km)
        values["tunnel_km"].append(line.tunnel_km)
    found = len(values["cost_musd"])
    if not found:
        raise AlignmentError(f"none of {draws} draws of the heights (sigma {sigma_m:g} m) has a line")
    return {name: Spread(min(v), float(np.median(v)), max(v), found, draws) for name, v in values.items()}
