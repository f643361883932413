"""Distance of a candidate, documented and drawn lengths kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import shapely

from corridor.geo.geodesy import distance_m, line_lengths_m
from corridor.metrics.registry import Subject, Values, metric
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import ZERO, Estimate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.vocabulary import Works


@dataclass(frozen=True)
class FocusArea:
    """The region that a study looks at: its id, its country, and its outline (lon/lat polygon)."""

    area_id: str
    country: str
    region: shapely.Geometry


@metric(
    Subject.DISTANCE,
    Column(
        "length_km", Unit.KM, "length: documented where there is a document and drawn elsewhere",
        "sum over parts; of a package those of the route that it travels by, on maps those of all its routes",
        interval=True,
    ),
    Column(
        "drawn_km", Unit.KM, "geodesic length of the drawn line (WGS 84)", "sum over the line's segments",
    ),
    Column(
        "documented_share", Unit.NONE, "part of the length that is documented", "documented km / length_km",
        digits=2, shown=Shown.FILES,
    ),
)  # fmt: skip
def measure_length(route: Candidate) -> Values:
    """Length as documented and as drawn."""
    length = route.length_km
    documented_km = sum(part.length_km.mid for part in route.parts if part.documented)
    return {"length_km": length, "drawn_km": route.drawn_km, "documented_share": documented_km / length.mid}


@metric(
    Subject.DISTANCE,
    Column(
        "new_build_km", Unit.KM, "length with works: new, unfinished, gaps, and what is put back into use",
        "sum of parts with works",
        interval=True,
    ),
    Column(
        "over_limit_km", Unit.KM, "length of roads with a limit that a truck of 40 t exceeds",
        "sum of lengths with a signed or documented limit below the truck's; not closed unless the study asks for it",
    ),
)  # fmt: skip
def measure_works(candidate: Candidate) -> Values:
    """What is to be built, and roads that bear no truck."""
    return {
        "new_build_km": total(part.length_km for part in candidate.parts if part.works is not Works.NONE),
        "over_limit_km": sum(part.over_limit_km for part in candidate.parts),
    }


@metric(
    Subject.DISTANCE,
    Column(
        "detour_factor", Unit.NONE, "length against the straight line between the ends",
        "length_km / geodesic distance", interval=True, digits=2,
    ),
    Column(
        "border_passages", Unit.COUNT, "borders passed", "changes of country along the parts", kind=Kind.COUNT,
    ),
)  # fmt: skip
def measure_detour(route: Candidate) -> Values:
    """Length against the straight line, and borders passed."""
    first, last = route.line.coords[0], route.line.coords[-1]
    straight_km = float(distance_m(*first, *last)) / 1000
    return {"detour_factor": route.length_km.scaled(1 / straight_km), "border_passages": len(route.passages)}


@metric(
    Subject.DISTANCE,
    Column(
        "in_{focus}_km", Unit.KM, "length inside the study's focus region",
        "sum of part lengths x share of the drawn line inside", interval=True, label_key="metric.in_focus_km",
    ),
)  # fmt: skip
def measure_inside(route: Candidate, focus: FocusArea) -> Values:
    """Length inside the focus region.

    Only parts in the region's country count as inside, so that a road on the far bank of a border river doesn't. A
    part's factor documented/drawn applies to its length inside.
    """
    inside = total(
        part.length_km.scaled(_share_inside(part, focus.region))
        for part in route.parts
        if focus.country in {"", part.country}
    )
    return {f"in_{focus.area_id}_km": inside}


def _share_inside(part: Part, focus: shapely.Geometry) -> float:
    inside = shapely.intersection(part.line, focus)
    return float(line_lengths_m(shapely.get_parts(inside)).sum() / 1000 / part.drawn_km) if part.drawn_km else 0.0


def total(figures: Iterable[Estimate]) -> Estimate:
    """The sum of figures with their ranges.

    Args:
        figures: low, middle and high each.

    Returns:
        Low with low, high with high.
    """
    return sum(figures, ZERO)
