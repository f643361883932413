"""How price and tunnel length answer to the ruling grade and to the price of a tunnel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
