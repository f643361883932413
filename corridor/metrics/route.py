"""What a row of the metric table is about: the route and what it is made from."""

from __future__ import annotations

from corridor.metrics.registry import Subject, Values, derived, metric
from corridor.schema.candidate import Candidate
from corridor.schema.column import Column, Kind, Shown, Unit


@derived
def route(candidate: Candidate) -> Candidate:
    """A continuous route that is travelled: the candidate itself, or one route of a package."""
    return candidate


@metric(
    Subject.ROUTE,
    Column("candidate_id", Unit.NONE, "id of the route in the study", "study file: candidates.id", kind=Kind.TEXT),
    Column("name", Unit.NONE, "descriptive name", "study file or reference catalogue", kind=Kind.TEXT),
    Column(
        "family", Unit.NONE, "what the route is made from",
        "existing (open roads), reference (catalogue sections), new-build (least-cost line), via (places on the way), "
        "drawn (a drawn line), package (several of these together)",
        kind=Kind.TEXT,
    ),
    Column(
        "mode", Unit.NONE, "road or rail; of a package those of its routes", "study file or catalogue", kind=Kind.TEXT,
    ),
    Column(
        "comparator", Unit.NONE, "whether the route is there to compare with and is ranked apart",
        "study file: candidates.comparator", kind=Kind.FLAG,
    ),
    Column(
        "members", Unit.NONE, "ids of the routes of a package; empty for a single route", "study file: candidates.of",
        kind=Kind.TEXT, shown=Shown.FILES,
    ),
)  # fmt: skip
def describe_route(candidate: Candidate) -> Values:
    """Who the route is."""
    return {
        "candidate_id": candidate.candidate_id,
        "name": candidate.name,
        "family": candidate.family,
        "mode": candidate.modes,
        "comparator": candidate.comparator,
        "members": "; ".join(member.candidate_id for member in candidate.members),
    }


@metric(
    Subject.ROUTE,
    Column(
        "trip_by", Unit.NONE, "id of the route that the trip takes: of a package the quicker one under the regime",
        "the route of least trip_time_h", kind=Kind.TEXT, shown=Shown.FILES,
    ),
)  # fmt: skip
def describe_trip(route: Candidate) -> Values:
    """Which route lengths, times and heights are of."""
    return {"trip_by": route.candidate_id}
