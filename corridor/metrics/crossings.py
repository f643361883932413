"""Crossings of a route counted: by road class, and how many stay passable under a regime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corridor.interactions.regime_effects import SplitNetwork
from corridor.metrics.access import Access, passes
from corridor.metrics.distance import total
from corridor.metrics.registry import Subject, Unmeasured, Values, metric
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.results import EdgeEffect, Event
from corridor.schema.vocabulary import EventKind, MetricStatus, Separation


@metric(
    Subject.CROSSINGS,
    Column(
        "crossings", Unit.COUNT, "roads that the route crosses in the focus country",
        "intersections merged within 25 m per road", kind=Kind.COUNT, shown=Shown.FILES,
    ),
    Column(
        "crossings_at_grade", Unit.COUNT, "of these at grade; assumed where no bridge or tunnel is mapped",
        "as crossings", kind=Kind.COUNT,
    ),
    Column("crossings_separated", Unit.COUNT, "of these by bridge or tunnel", "as crossings", kind=Kind.COUNT),
    Column(
        "crossings_at_grade_{class}", Unit.COUNT, "crossings at grade of roads of that OpenStreetMap class",
        "as crossings", kind=Kind.COUNT, shown=Shown.FILES, absent=0.0,
    ),
    Column(
        "crossings_separated_{class}", Unit.COUNT, "separated crossings of roads of that OpenStreetMap class",
        "as crossings", kind=Kind.COUNT, shown=Shown.FILES, absent=0.0,
    ),
    status="crossings_status",
)  # fmt: skip
def measure_crossings(candidate: Candidate, events: Sequence[Event], access: Access) -> Values | Unmeasured:
    """Crossings in the country, where the local roads are known."""
    if not passes(candidate, access.country):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if not access.supports_places:
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    return count_crossings(events, access.country)


@metric(
    Subject.CROSSINGS,
    Column(
        "openings", Unit.COUNT, "crossings that stay passable under the regime", "crossings less those that it closes",
        kind=Kind.COUNT, shown=Shown.FILES,
    ),
    Column(
        "openings_per_10km", Unit.PER_10KM, "passable crossings by length of the route in the country",
        "10 x openings / km",
    ),
    status="openings_status",
)  # fmt: skip
def measure_openings(
    candidate: Candidate, events: Sequence[Event], effect: EdgeEffect | None, access: Access
) -> Values | Unmeasured:
    """Crossings that a regime leaves passable."""
    if not passes(candidate, access.country):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if not access.supports_places:
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    return count_openings(candidate, events, effect, access.country, access.domain.network)


def count_crossings(events: Sequence[Event], country: str) -> dict[str, Any]:
    """Crossings at grade and separated in a country, in all and by road class (``crossings_at_grade_<class>``).

    What a schematic line leaves open counts among all where it is taken to be at grade: at best it isn't there.
    """
    met = [event for event in events if event.kind == EventKind.CROSSING and event.country == country]
    level = [event for event in met if event.separation != Separation.SEPARATED]
    found: dict[str, Any] = {
        "crossings": sum(event.separation != Separation.SEPARATED or not event.is_open for event in met),
        "crossings_at_grade": len(level),
        "crossings_separated": len(met) - len(level),
    }
    for road_class in sorted({event.road_class for event in met}):
        found[f"crossings_at_grade_{road_class}"] = sum(event.road_class == road_class for event in level)
        found[f"crossings_separated_{road_class}"] = (
            sum(event.road_class == road_class for event in met) - found[f"crossings_at_grade_{road_class}"]
        )
    return found


def count_openings(
    candidate: Candidate, events: Sequence[Event], effect: EdgeEffect | None, country: str, network: Network
) -> dict[str, Any]:
    """Crossings in a country that stay passable, and how many there are per 10 km of the route there.

    A crossing is an opening if the regime leaves the road open there; the route's length is the documented one where
    there is one. ``network`` is the one that the effect is of. The candidate passes the country. What a schematic line
    leaves open is an opening where it is taken to be separated: at worst it isn't there.

    Args:
        candidate: the route.
        events: what the candidate meets.
        effect: what the regime closes; None for nothing.
        country: where crossings count.
        network: that the effect is of.
    """
    length_km = total(part.length_km for part in candidate.parts if part.country == country).mid
    met = [event for event in events if event.kind == EventKind.CROSSING and event.country == country]
    met = [event for event in met if event.separation == Separation.SEPARATED or not event.is_open]
    passable = sum(effect is None or not effect.closed[_cut_rows(network, event)].any() for event in met)
    return {"openings": passable, "openings_per_10km": passable / length_km * 10}


def _cut_rows(network: Network, event: Event) -> list[int]:
    """Rows whose closing would cut the road of a crossing: its gates where the network has them."""
    rows = network.gates.get(event.event_id, ()) if isinstance(network, SplitNetwork) else event.edges
    return list(rows)
