"""Distance and time of a candidate, documented and drawn kept apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import distance_m, line_lengths_m
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import TO_BUILD, Estimate
from corridor.schema.vocabulary import Mode

Floats = NDArray[np.float64]


def measure_distance(
    candidate: Candidate, focus: shapely.Geometry, focus_id: str, focus_country: str
) -> dict[str, Any]:
    """Length, parts inside the focus region and to be built, detour, driving time and border checks.

    Args:
        candidate: the route.
        focus: the study's focus region (lon/lat polygon).
        focus_id: names the column of the length inside it, ``in_<id>_km``.
        focus_country: only parts in this country count as inside, so that a road on the far bank of a border river
            doesn't.

    Gives metrics by name, with ``_low`` and ``_high`` where the inputs are ranges. A part's factor documented/drawn
    applies to its length inside the focus and to its time. ``truck_time_h`` is empty for railways and
    ``train_time_h`` for roads; ``travel_time_h`` is whichever applies. Checks at borders depend on the
    regime and are never part of it: ``border_check_h`` sums the listed delays of the crossings passed.
    """
    length = candidate.length_km
    first, last = candidate.line.coords[0], candidate.line.coords[-1]
    straight_km = float(distance_m(*first, *last)) / 1000
    inside = _sum(
        [part.length_km.scaled(_share_inside(part, focus)) for part in candidate.parts if part.country == focus_country]
    )
    to_build = _sum([part.length_km for part in candidate.parts if part.status in TO_BUILD])
    driving_h = _sum([part.minutes for part in candidate.parts]).scaled(1 / 60)
    checks_h = _sum([passage.delay_min for passage in candidate.passages if passage.delay_min]).scaled(1 / 60)
    is_road = candidate.mode == Mode.ROAD
    metrics: dict[str, Any] = {
        **_ranged("length_km", length),
        "drawn_km": candidate.drawn_km,
        "documented_share": _documented_km(candidate) / length.mid,
        **_ranged(f"in_{focus_id}_km", inside),
        **_ranged("new_build_km", to_build),
        **_ranged("detour_factor", length.scaled(1 / straight_km)),
        **_ranged("truck_time_h" if is_road else "train_time_h", driving_h),
        "border_passages": len(candidate.passages),
        **_ranged("border_check_h", checks_h),
        **_ranged("travel_time_h", driving_h),
    }
    return metrics


def _share_inside(part: Part, focus: shapely.Geometry) -> float:
    inside = shapely.intersection(part.line, focus)
    return float(line_lengths_m(shapely.get_parts(inside)).sum() / 1000 / part.drawn_km) if part.drawn_km else 0.0


def _documented_km(candidate: Candidate) -> float:
    return sum(part.length_km.mid for part in candidate.parts if part.documented)


def _sum(ranges: list[Estimate]) -> Estimate:
    total = Estimate(0.0, 0.0, 0.0)
    for item in ranges:
        total = total + item
    return total


def _ranged(name: str, value: Estimate) -> dict[str, float]:
    """A metric with its low and high ends; exact values have none."""
    if value.low == value.mid == value.high:
        return {name: value.mid}
    return {name: value.mid, f"{name}_low": value.low, f"{name}_high": value.high}


def profile_gradient_pct(chainage_km: Floats, height_m: Floats, window_km: float) -> Floats:
    """Grade in percent between points ``window_km`` apart, at every chainage that has such a point ahead."""
    ahead = np.interp(chainage_km + window_km, chainage_km, height_m)
    usable = chainage_km + window_km <= chainage_km[-1]
    return np.asarray((ahead - height_m)[usable] / (window_km * 10))
