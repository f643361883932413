"""What a route does to the north-south axes: stretches shared, conflicts, and the way if it were closed or opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from corridor.interactions.regime_effects import SplitNetwork
from corridor.metrics.access import Access, AccessResult, passes
from corridor.metrics.reach import State
from corridor.metrics.redundancy import best_way_in
from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.network.graph import Network
from corridor.network.map_matching import Match
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.results import EdgeEffect, Event
from corridor.schema.vocabulary import EventKind, MetricStatus, Mode, SectionStatus, Separation

AXIS_COLUMNS = ["axis_id", "name", "shared_km_low", "shared_km_high", "conflicts", "at_grade", "separated"]
SLOWER_MIN = 0.5  # less is no change that anybody would plan for


@dataclass(frozen=True)
class Axis:
    """A north-south line: its reference sections and the rows of the network's edge table that they run over.

    ``out_of_use_since`` is the year since which no through traffic has passed it, None where it is in use.
    """

    axis_id: str
    name: str
    sections: tuple[str, ...]
    edges: frozenset[int]
    out_of_use_since: int | None = None


def build_axis(
    network: Network,
    matches: Mapping[str, Match],
    axis_id: str,
    name: str,
    sections: Sequence[str],
    out_of_use_since: int | None = None,
) -> Axis:
    """An axis from reference sections: those found on the map by their match, the others as edges of their own.

    Args:
        network: roads and railways.
        matches: sections found on the map, by id.
        axis_id: id of the axis.
        name: what to call it.
        sections: ids of its sections, from end to end.
        out_of_use_since: year since which no through traffic has passed, if any.
    """
    # A section is either drawn as an edge or found on the map: both count, whichever the network has.
    own = network.rows_of_sections(sections)
    for key in sections:
        if key in matches:
            own |= set(matches[key].route.edges)
    return Axis(axis_id, name, tuple(sections), frozenset(own), out_of_use_since)


@derived
def axis_overlap(
    lie_of_network: Network, lie_of_candidate: Candidate, events: Sequence[Event], axes: tuple[Axis, ...]
) -> pd.DataFrame:
    """Kilometres that a candidate runs on each axis, and crossings with it; then axes in use together, then the others.

    Events name rows of ``lie_of_network``, the unsplit one. A stretch that two axes share counts once in the last rows.
    Columns: AXIS_COLUMNS; ``shared_km_low`` is what is the axis itself, by common edges or membership of a reference
    section, ``shared_km_high`` adds what runs beside it.
    """
    rows = []
    used, idle = (_together(a for a in axes if (a.out_of_use_since is None) is in_use) for in_use in (True, False))
    for axis in (*axes, used, idle):
        same, beside = _shared_km(lie_of_network, lie_of_candidate, events, axis)
        met = [e for e in events if e.kind == EventKind.CROSSING and axis.edges & set(e.edges)]
        level = sum(e.separation != Separation.SEPARATED for e in met)
        # what a schematic line leaves open isn't there at best
        count = sum(e.separation != Separation.SEPARATED or not e.is_open for e in met)
        rows.append((axis.axis_id, axis.name, same, same + beside, count, level, len(met) - level))
    return pd.DataFrame(rows, columns=AXIS_COLUMNS)


def _together(axes: Iterable[Axis]) -> Axis:
    """Several axes as one."""
    several = list(axes)
    return Axis("", "", tuple(s for a in several for s in a.sections), frozenset(e for a in several for e in a.edges))


@metric(
    Subject.AXES,
    Column(
        "north_south_shared_km", Unit.KM, "length that runs on a north-south axis in use",
        "same line; high: with what runs beside within 60 m", interval=True,
    ),
    Column(
        "north_south_restored_km", Unit.KM, "length of axes out of use that the route would put back into use",
        "same line as an axis that no through traffic passes; a gain",
    ),
    Column(
        "shared_{axis}_km", Unit.KM, "length that runs on that axis",
        "same line; high: with what runs beside within 60 m", interval=True, shown=Shown.FILES,
    ),
    Column("north_south_conflicts", Unit.COUNT, "crossings of north-south axes", "as crossings", kind=Kind.COUNT),
    Column(
        "north_south_conflicts_at_grade", Unit.COUNT, "of these at grade", "as crossings", kind=Kind.COUNT,
        shown=Shown.FILES,
    ),
    Column(
        "north_south_conflicts_separated", Unit.COUNT, "of these separated", "as crossings", kind=Kind.COUNT,
        shown=Shown.FILES,
    ),
    status="north_south_status",
)  # fmt: skip
def measure_axis_overlap(candidate: Candidate, access: Access, axis_overlap: pd.DataFrame) -> Values | Unmeasured:
    """What the candidate shares with all axes together and with each, and crossings with them."""
    *each, together, idle = axis_overlap.itertuples(index=False)
    # Nothing shared with an axis and no axis to share anything with are two things.
    if not each or not passes(candidate, access.country):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    return {
        "north_south_shared_km": _shared(together),
        "north_south_restored_km": float(idle.shared_km_low),
        "north_south_conflicts": int(together.conflicts),
        "north_south_conflicts_at_grade": int(together.at_grade),
        "north_south_conflicts_separated": int(together.separated),
        **{f"shared_{axis.axis_id.replace('-', '_')}_km": _shared(axis) for axis in each},
    }


def _shared(axis: Any) -> Estimate:
    """What is shared for certain, which is also the value, and with what runs beside."""
    low, high = float(axis.shared_km_low), float(axis.shared_km_high)
    return Estimate(low, low, high)


def _shared_km(network: Network, candidate: Candidate, events: Sequence[Event], axis: Axis) -> tuple[float, float]:
    lengths_m = network.column("length_m")
    member = [part for part in candidate.parts if part.section_id and part.section_id in axis.sections]
    same = sum(part.drawn_km for part in member)
    # Parts on a section of the axis count by their own length, so events over the same edges must not count them again.
    counted = {edge for part in member for edge in part.edges} | network.rows_of_sections(p.section_id for p in member)
    beside = 0.0
    for kind in (EventKind.SHARED, EventKind.PARALLEL):
        for event in (e for e in events if e.kind == kind):
            hit = [edge for edge in event.edges if edge in axis.edges and edge not in counted]
            # An event may cover a piece of an edge only; an edge without pieces is covered whole.
            shares: dict[int, float] = defaultdict(float)
            for edge, low, high in event.portions:
                shares[edge] += high - low
            km = min(event.length_km, sum(float(lengths_m[edge] / 1000) * shares.get(edge, 1.0) for edge in hit))
            if kind == EventKind.SHARED:
                same += km
                counted |= set(hit)
            else:
                beside += km
    return same, beside


@metric(
    Subject.AXES,
    Column(
        "north_south_if_closed", Unit.NONE,
        "the way from the border crossing to the capital if all road that the route runs on were closed: open, slower "
        "or unreachable",
        "shortest paths before and after", kind=Kind.STATUS,
    ),
    Column(
        "north_south_if_closed_ratio", Unit.NONE, "how many times slower that way then is", "minutes after / before",
        digits=2,
    ),
    status="north_south_if_closed",
)  # fmt: skip
def measure_if_closed(candidate: Candidate, access: Access, events: Sequence[Event]) -> Values | Unmeasured:
    """The way from the crossing to the capital if all road that the candidate runs on in the country were closed."""
    if not passes(candidate, access.country):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    shared = [event for event in events if event.kind == EventKind.SHARED and event.country == access.country]
    network = access.domain.network
    closed = np.zeros(len(network.edges), dtype=bool)
    # Where edges are split at the ends of shared stretches, these stretches alone are closed and not whole edges.
    if isinstance(network, SplitNetwork):
        closed[network.rows_of(portion for event in shared for portion in event.portions)] = True
    else:
        closed[[edge for event in shared for edge in event.edges]] = True
    state = access.domain.state(EdgeEffect(closed), factor=access.factors.mid)
    before, after = access.before.capital, access.read_capital(state)
    if not np.isfinite(after).all():
        return Unmeasured(MetricStatus.UNREACHABLE)
    added = max(b - a for a, b in zip(before, after, strict=True))
    ratio = max((b / a for a, b in zip(before, after, strict=True) if a > 0), default=1.0)
    return {
        "north_south_if_closed": str(MetricStatus.SLOWER if added > SLOWER_MIN else MetricStatus.OPEN),
        "north_south_if_closed_ratio": ratio,
    }


@derived
def new_links(network: Network, candidate: Candidate, access: Access) -> tuple[int, ...]:
    """Rows of the candidate's own road links in the country that aren't open today."""
    country = access.country
    own = {
        part.section_id
        for part in candidate.parts
        if part.country == country and part.section_id and part.mode == Mode.ROAD
    }
    is_shut = network.column("status") != SectionStatus.OPEN
    rows = {edge for edge in network.rows_of_sections(own) if is_shut[edge]}
    for part in candidate.parts:
        if part.country == country and part.mode == Mode.ROAD:
            rows |= {edge for edge in part.edges if is_shut[edge]}
    return tuple(sorted(rows))


@metric(
    Subject.AXES,
    Column(
        "north_south_gain_min", Unit.MIN,
        "time that the route's own new links would save north-south traffic where the regime opens them",
        "minutes before - after",
    ),
    Column(
        "north_south_gain_added_km", Unit.KM, "km that this way is longer", "km after - before", shown=Shown.FILES,
    ),
    status="north_south_gain_min_status",
)  # fmt: skip
def measure_gain(access: Access, new_links: Collection[int], opens_new_links: bool) -> Values | Unmeasured:
    """Minutes that the candidate's new links would save from the crossing to the capital, and the km added to the way.

    ``new_links`` are rows of the unsplit network. Only measured where the regime opens them to this traffic
    (``opens_new_links``); never set off against harm.
    """
    if not new_links or not opens_new_links:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    plain = access.domain.state(factor=access.factors.mid)
    wider = access.domain.state(opened=access.domain.rows_of(new_links).tolist(), factor=access.factors.mid)
    before, after = access.before.capital, access.read_capital(wider)
    # The lesser gain of the two directions counts, as the greater delay does elsewhere.
    gain = min(b - a for b, a in zip(before, after, strict=True))
    return {
        "north_south_gain_min": gain if abs(gain) > 1e-9 else 0.0,
        "north_south_gain_added_km": _way_km(access, wider) - _way_km(access, plain),
    }


def _way_km(access: Access, state: State) -> float:
    way = best_way_in(access, state)
    return float(way.km.sum()) if way else float("nan")


@metric(
    Subject.AXES,
    Column(
        "north_south_delay_min", Unit.MIN, "change of truck time along the north-south way under the regime",
        "as access_delay_min", interval=True,
    ),
    status="north_south_delay_min_status",
)  # fmt: skip
def measure_north_south_delay(access_result: AccessResult) -> Values | Unmeasured:
    """Change of truck time along the best way from the crossing to the capital: the access delay, under its own name.

    One mechanism, two readers: only one of the two should be scored.
    """
    if not access_result.applicable:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if access_result.delay_min is None:
        return Unmeasured(MetricStatus.UNREACHABLE)
    return {"north_south_delay_min": access_result.delay_min}
