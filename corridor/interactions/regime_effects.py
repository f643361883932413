"""What a regime does to the road network through a candidate, and to which candidates it can be applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corridor.errors import StudyError
from corridor.interactions.split_network import SplitNetwork
from corridor.report.i18n import render
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Estimate
from corridor.schema.interaction import EdgeEffect, Event
from corridor.schema.message import ListStyle, Message, listing
from corridor.schema.regime import Regime, class_rank
from corridor.schema.vocabulary import (
    CrossingRuleKind,
    EventKind,
    Mode,
    RoadsInUse,
    SectionStatus,
    Separation,
    SharedRuleKind,
)

End = Literal["low", "mid", "high"]
_TOUCH_KM = 0.01
_MIN_KM = 0.5


def effects(events: Sequence[Event], regime: Regime, network: SplitNetwork, *, end: End = "mid") -> EdgeEffect:
    """Edges closed and minutes added when a regime is applied to what a candidate meets.

    Crossings act on their gates alone, so that nobody is cut off who needn't cross; shared stretches act on the
    stretch: its minutes are spread along it, so that who drives a part of it is charged that part. A crossing that is
    ``separated`` is left alone by every regime, and so is a road that runs beside. Only events in the regime's
    countries count. ``end`` chooses low, middle or high minutes of checks.
    """
    closed = np.zeros(len(network.edges), dtype=bool)
    delay = np.zeros(len(network.edges))
    here = [event for event in events if acts_in(regime, event.country)]
    for event in here:
        if event.kind != EventKind.CROSSING:
            continue
        gates = list(network.gates[event.event_id])
        if is_cut(event, regime):
            closed[gates] = True
        elif event.separation != Separation.SEPARATED and regime.crossing.kind == CrossingRuleKind.GATED:
            # through a junction a road passes two gates, one on each arm
            minutes = _minutes(regime.crossing.minutes, end) / (2 if event.joins else 1)
            delay[gates] = np.maximum(delay[gates], minutes)
    if regime.allows_transit:
        # the railway takes the bed of these roads, whatever its rules
        taken = [(edge, 0.0, 1.0) for event in here if event.kind == EventKind.ON_BED for edge in event.edges]
        closed[network.rows_of(taken)] = True
    most = _most_min(regime, closed, end)
    if regime.same_line.kind == SharedRuleKind.OPEN:
        return EdgeEffect(closed, delay, most)
    for stretch in shared_stretches(here):
        rows = network.rows_of(portion for event in stretch for portion in event.portions)
        rows = rows[network.is_road_in_use[rows]]  # an axis that is only planned slows nobody
        if regime.same_line.kind == SharedRuleKind.TRANSIT_ONLY:
            closed[rows] = True
        else:
            lengths = network.edges["length_m"].to_numpy()[rows]
            total = lengths.sum()
            if total > 0:
                delay[rows] += _minutes(regime.same_line.minutes, end) * lengths / total
    return EdgeEffect(closed, delay, _most_min(regime, closed, end))


def _most_min(regime: Regime, closed: NDArray[np.bool_], end: End) -> float:
    """The longest wait where all gates are shut at the same hours; without limit else, or where a road is closed."""
    if regime.transit_hours is None or closed.any():
        return np.inf
    return max(_minutes(rule.minutes, end) for rule in (regime.crossing, regime.same_line))


def acts_in(regime: Regime, country: str) -> bool:
    """Whether a regime's switches act in a country."""
    return not regime.applies_to.through or country in regime.applies_to.through


def is_cut(event: Event, regime: Regime) -> bool:
    """Whether a crossing's road is closed under a regime."""
    if event.kind != EventKind.CROSSING or event.separation == Separation.SEPARATED:
        return False
    rule = regime.crossing
    if rule.kind == CrossingRuleKind.GRADE_SEPARATED:
        return class_rank(event.road_class) > class_rank(rule.min_class)
    return rule.kind == CrossingRuleKind.CLOSED


def _minutes(minutes: Estimate | None, end: End) -> float:
    return 0.0 if minutes is None else float(getattr(minutes, end))


def shared_stretches(events: Iterable[Event]) -> list[list[Event]]:
    """Same-line events in a row that follow one another without a gap, in one country: checked once, not at each."""
    stretches: list[list[Event]] = []
    for event in sorted((e for e in events if e.kind == EventKind.SHARED), key=lambda e: e.chainage_km):
        last = stretches[-1][-1] if stretches else None
        follows = (
            last is not None and last.country == event.country and event.chainage_km - last.to_chainage_km < _TOUCH_KM
        )
        if follows:
            stretches[-1].append(event)
        else:
            stretches.append([event])
    return stretches


def applies(regime: Regime, candidate: Candidate) -> tuple[bool, Message]:
    """Whether a regime can be applied to a candidate, and why not (or on what ground).

    The declared applicability decides: families, modes and ids of candidates, whether comparators are meant, countries
    that it must run through or avoid, and whether its parts there are roads in use.
    """
    rule = regime.applies_to
    for what, value, allowed in (
        ("family", candidate.family, rule.families),
        ("mode", candidate.mode, rule.modes),
        ("candidate", candidate.candidate_id, rule.candidates),
    ):
        if allowed and value not in allowed:
            wanted = listing(allowed, ListStyle.OR_ALL)
            return False, Message("applies.other_kind", {"what": what, "wanted": wanted, "value": value})
    if candidate.comparator and not rule.comparators:
        return False, Message("applies.comparator")
    countries = {part.country for part in candidate.parts}
    if rule.through and not countries & set(rule.through):
        return False, Message("applies.elsewhere", {"countries": listing(rule.through, ListStyle.OR_ALL)})
    if met := sorted(countries & set(rule.avoids)):
        barred, entered = listing(rule.avoids, ListStyle.AND), listing(met, ListStyle.AND)
        return False, Message("applies.not_avoided", {"countries": barred, "met": entered})
    parts = [part for part in candidate.parts if not rule.through or part.country in rule.through]
    used = sum(part.drawn_km for part in parts if _in_use(part))
    fresh = sum(part.drawn_km for part in parts if not _exists(part))
    if rule.roads_in_use == RoadsInUse.NONE and used > _MIN_KM:
        return False, Message("applies.roads_in_use", {"km": f"{used:.0f}"})
    if rule.roads_in_use == RoadsInUse.ONLY and fresh > _MIN_KM:
        return False, Message("applies.not_existing", {"km": f"{fresh:.0f}"})
    return True, Message("applies.as_declared")


def _in_use(part: Part) -> bool:
    return part.mode == Mode.ROAD and part.status == SectionStatus.OPEN


def _exists(part: Part) -> bool:
    return part.mode == Mode.ROAD and part.status in {SectionStatus.OPEN, SectionStatus.CLOSED}


def applicable_regimes(
    regimes: Mapping[str, Regime], candidates: Sequence[Candidate]
) -> dict[tuple[str, str], tuple[bool, Message]]:
    """By (candidate_id, regime_id) whether the regime applies, and why.

    Raises:
        StudyError: a regime applies to no candidate at all; says why it misses each.
    """
    table = {(c.candidate_id, key): applies(regime, c) for key, regime in regimes.items() for c in candidates}
    for key in regimes:
        misses = {c.candidate_id: table[c.candidate_id, key] for c in candidates}
        if candidates and not any(fits for fits, _ in misses.values()):
            first, (_, reason) = next(iter(misses.items()))
            raise StudyError(
                f"regime '{key}' applies to none of {len(candidates)} candidates ({first}: {render(reason)}); "
                f"widen its applies_to, add a candidate that fits, or leave the regime out"
            )
    return table
