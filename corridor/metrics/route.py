"""What a row of the metric table is about: the route and what it is made from."""

from __future__ import annotations

from corridor.metrics.registry import Subject, Values, metric
from corridor.schema.candidate import Candidate
from corridor.schema.column import Column, Kind, Unit


@metric(
    Subject.ROUTE,
    Column("candidate_id", Unit.NONE, "id of the route in the study", "study file: candidates.id", kind=Kind.TEXT),
    Column("name", Unit.NONE, "descriptive name", "study file or reference catalogue", kind=Kind.TEXT),
    Column(
        "family", Unit.NONE, "what the route is made from",
        "existing (open roads), reference (catalogue sections), new-build (least-cost line), via (places on the way)",
        kind=Kind.TEXT,
    ),
    Column("mode", Unit.NONE, "road or rail", "study file or catalogue", kind=Kind.TEXT),
    Column(
        "comparator", Unit.NONE, "whether the route is there to compare with and is ranked apart",
        "study file: candidates.comparator", kind=Kind.FLAG,
    ),
)  # fmt: skip
def describe_route(candidate: Candidate) -> Values:
    """Who the route is."""
    return {
        "candidate_id": candidate.candidate_id,
        "name": candidate.name,
        "family": candidate.family,
        "mode": candidate.mode,
        "comparator": candidate.comparator,
    }
