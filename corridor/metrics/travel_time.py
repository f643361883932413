"""Time of a trip: driving, checks at borders and in transit, and both together."""

from __future__ import annotations

from corridor.metrics.distance import total
from corridor.metrics.registry import Subject, Values, derived, metric
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Shown, Unit
from corridor.schema.regime import Regime
from corridor.schema.vocabulary import Mode


@derived
def driving_h(candidate: Candidate) -> Estimate:
    """Hours of driving, without checks. A part's factor documented/drawn applies to its time."""
    return total(part.minutes for part in candidate.parts).scaled(1 / 60)


@derived
def regime_check_h(candidate: Candidate, regime: Regime | None) -> Estimate:
    """Hours of checks on one trip: at each border passed and in transit as the regime says.

    Where a route passes no regime (None), the listed delays of its crossings stand.
    """
    if regime is None:
        return _listed_check_h(candidate)
    borders = [regime.border_check_min.minutes] * len(candidate.passages)
    return total([*borders, regime.transit_check_min.minutes]).scaled(1 / 60)


def _listed_check_h(candidate: Candidate) -> Estimate:
    delays = [passage.delay_min for passage in candidate.passages if passage.delay_min]
    return total(delays).scaled(1 / 60)


@metric(
    Subject.TIME,
    Column(
        "truck_time_h", Unit.H, "driving time of a loaded truck without border checks; empty for railways",
        "class speeds slowed on grades; +/- 25 %", interval=True, shown=Shown.FILES,
    ),
    Column(
        "train_time_h", Unit.H, "running time of a goods train without border checks; empty for roads",
        "class speeds; +/- 25 %", interval=True, shown=Shown.FILES,
    ),
    Column(
        "travel_time_h", Unit.H, "truck or train time without checks", "truck_time_h or train_time_h", interval=True,
    ),
    Column(
        "border_check_h", Unit.H, "delays listed for the border crossings passed", "crossings.csv: delay",
        interval=True,
    ),
)  # fmt: skip
def measure_driving(candidate: Candidate, driving_h: Estimate) -> Values:
    """Time under way, and what the crossings passed are listed to cost.

    Checks at borders depend on the regime and are never part of the time under way.
    """
    own = "truck_time_h" if candidate.mode == Mode.ROAD else "train_time_h"
    return {own: driving_h, "travel_time_h": driving_h, "border_check_h": _listed_check_h(candidate)}


@metric(
    Subject.TIME,
    Column(
        "check_h", Unit.H, "checks on a whole trip under the regime", "border checks x passages + transit check",
        interval=True, shown=Shown.FILES,
    ),
    Column(
        "trip_time_h", Unit.H, "travel time with the regime's checks", "travel_time_h + check_h", interval=True,
    ),
)  # fmt: skip
def measure_trip(driving_h: Estimate, regime_check_h: Estimate) -> Values:
    """Time of a whole trip under a regime."""
    return {"check_h": regime_check_h, "trip_time_h": driving_h + regime_check_h}
