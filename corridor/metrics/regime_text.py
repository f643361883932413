"""What the text of a regime says of a route, and what it leaves open."""

from __future__ import annotations

from corridor.metrics.registry import Subject, Values, metric
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.regime import OUTSIDE, QUESTIONS, Regime
from corridor.schema.vocabulary import MetricStatus


@metric(
    Subject.REGIME,
    Column(
        "regime_id", Unit.NONE, "id of the regime that the row was measured under",
        "regimes file; 'outside' for comparators that pass no regime", kind=Kind.TEXT,
    ),
    Column(
        "clarity_of_6", Unit.COUNT, "how many of six questions the regime's text answers", "regimes file",
        kind=Kind.COUNT, shown=Shown.FILES,
    ),
    Column(
        "transit_status", Unit.NONE, "not_travelable where the regime allows no transit: nothing is ranked under it",
        "regimes file: allows_transit", kind=Kind.STATUS,
    ),
    Column("open_questions", Unit.NONE, "those that it leaves open", "regimes file", kind=Kind.TEXT),
    Column(
        "declared_{question}", Unit.NONE, "what the regime's text says on that question", "regimes file",
        kind=Kind.TEXT,
    ),
)  # fmt: skip
def describe_regime(regime: Regime | None) -> Values:
    """The regime (None where none applies) and what its text declares."""
    if regime is None:
        return {"regime_id": OUTSIDE}
    return {
        "regime_id": regime.regime_id,
        "clarity_of_6": regime.clarity,
        "transit_status": MetricStatus.NONE if regime.allows_transit else MetricStatus.NOT_TRAVELABLE,
        "open_questions": "; ".join(regime.open_questions),
        **{f"declared_{question}": regime.attributes[question].text for question in QUESTIONS},
    }
