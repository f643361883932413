"""What a route does to the north-south axes: stretches shared, conflicts, and the way if it were closed or opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from corridor.interactions.split_network import SplitNetwork
from corridor.metrics.access import Access
from corridor.metrics.reach import State, reach
from corridor.metrics.redundancy import best_way
from corridor.network.graph import Network
from corridor.network.match import Match
from corridor.schema.candidate import Candidate
from corridor.schema.interaction import EdgeEffect, Event
from corridor.schema.vocabulary import EventKind, MetricStatus, Mode, SectionStatus, Separation

SLOWER_MIN = 0.5  # less is no change that anybody would plan for


@dataclass(frozen=True)
class Axis:
    """A north-south line: its reference sections and the rows of the network's edge table that they run over."""

    axis_id: str
    name: str
    sections: tuple[str, ...]
    edges: frozenset[int]


def build_axis(
    network: Network, matches: Mapping[str, Match], axis_id: str, name: str, sections: Sequence[str]
) -> Axis:
    """An axis from reference sections: those found on the map by their match, the others as edges of their own."""
    own = set(np.flatnonzero(network.edges["section_id"].isin(list(sections)).to_numpy()).tolist())
    for key in sections:
        if key in matches:
            own |= set(matches[key].route.edges)
    return Axis(axis_id, name, tuple(sections), frozenset(own))


def shared_with_axes(
    network: Network, candidate: Candidate, events: Sequence[Event], axes: Sequence[Axis]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Kilometres that a candidate runs on the axes, and crossings with them.

    ``north_south_shared_km`` is [same line, same line + beside]: the value and ``_low`` count what is the axis itself,
    by common edges or membership of a reference section; ``_high`` adds what runs beside it. A stretch that two axes
    share counts once. ``network`` is the unsplit one, whose rows events name. The table has one row per axis.
    """
    rows = []
    everything = Axis("", "", tuple(s for a in axes for s in a.sections), frozenset(e for a in axes for e in a.edges))
    for axis in (*axes, everything):
        same, beside = _shared_km(network, candidate, events, axis)
        met = [e for e in events if e.kind == EventKind.CROSSING and axis.edges & set(e.edges)]
        level = sum(e.separation != Separation.SEPARATED for e in met)
        rows.append((axis.axis_id, axis.name, same, same + beside, len(met), level, len(met) - level))
    columns = ["axis_id", "name", "shared_km_low", "shared_km_high", "conflicts", "at_grade", "separated"]
    table = pd.DataFrame(rows, columns=columns)
    total = table.iloc[-1]
    return {
        "north_south_shared_km": float(total["shared_km_low"]),
        "north_south_shared_km_low": float(total["shared_km_low"]),
        "north_south_shared_km_high": float(total["shared_km_high"]),
        "north_south_conflicts": int(total["conflicts"]),
        "north_south_conflicts_at_grade": int(total["at_grade"]),
        "north_south_conflicts_separated": int(total["separated"]),
    }, table.iloc[:-1]


def _shared_km(network: Network, candidate: Candidate, events: Sequence[Event], axis: Axis) -> tuple[float, float]:
    lengths_km = network.edges["length_m"].to_numpy() / 1000
    member = [part for part in candidate.parts if part.section_id and part.section_id in axis.sections]
    same = sum(part.drawn_km for part in member)
    own = network.edges["section_id"].isin([part.section_id for part in member]).to_numpy()
    counted = {edge for part in member for edge in part.edges} | set(np.flatnonzero(own).tolist())
    beside = 0.0
    for kind in (EventKind.SHARED, EventKind.PARALLEL):
        for event in (e for e in events if e.kind == kind):
            hit = [edge for edge in event.edges if edge in axis.edges and edge not in counted]
            shares = {edge: high - low for edge, low, high in event.portions}
            km = min(event.length_km, sum(float(lengths_km[edge]) * shares.get(edge, 1.0) for edge in hit))
            if kind == EventKind.SHARED:
                same += km
                counted |= set(hit)
            else:
                beside += km
    return same, beside


def measure_if_closed(access: Access, events: Sequence[Event], country: str) -> dict[str, Any]:
    """The way from the crossing to the capital if all road that the candidate runs on in the country were closed.

    ``north_south_if_closed`` is open, slower or unreachable; ``north_south_if_closed_ratio`` how much slower, empty if
    unreachable.
    """
    shared = [event for event in events if event.kind == EventKind.SHARED and event.country == country]
    network = access.domain.network
    closed = np.zeros(len(network.edges), dtype=bool)
    if isinstance(network, SplitNetwork):
        closed[network.rows_of(portion for event in shared for portion in event.portions)] = True
    else:
        closed[[edge for event in shared for edge in event.edges]] = True
    state = access.domain.state(EdgeEffect(closed, np.zeros(len(closed))), factor=access.factors.mid)
    before, after = access.before.capital, access.read_capital(state)
    if not np.isfinite(after).all():
        return {"north_south_if_closed": MetricStatus.UNREACHABLE, "north_south_if_closed_ratio": np.nan}
    added = max(b - a for a, b in zip(before, after, strict=True))
    ratio = max((b / a for a, b in zip(before, after, strict=True) if a > 0), default=1.0)
    status = MetricStatus.SLOWER if added > SLOWER_MIN else MetricStatus.OPEN
    return {"north_south_if_closed": status, "north_south_if_closed_ratio": ratio}


def new_links(network: Network, candidate: Candidate, country: str) -> tuple[int, ...]:
    """Rows of the candidate's own road links in the country that aren't open today."""
    own = {
        part.section_id
        for part in candidate.parts
        if part.country == country and part.section_id and part.mode == Mode.ROAD
    }
    edges = network.edges
    rows = set(
        np.flatnonzero((edges["section_id"].isin(own) & (edges["status"] != SectionStatus.OPEN)).to_numpy()).tolist()
    )
    for part in candidate.parts:
        if part.country == country and part.mode == Mode.ROAD:
            rows |= {edge for edge in part.edges if edges["status"].iat[edge] != SectionStatus.OPEN}
    return tuple(sorted(rows))


def measure_gain(access: Access, links: Collection[int]) -> dict[str, Any]:
    """Minutes that the candidate's new links would save from the crossing to the capital, and the km added to the way.

    ``links`` are rows of the unsplit network. Only asked where the regime opens them to this traffic; never set off
    against harm. Without links both are empty.
    """
    if not links:
        return {
            "north_south_gain_min": np.nan,
            "north_south_gain_added_km": np.nan,
            "north_south_gain_min_status": MetricStatus.NOT_APPLICABLE,
        }
    plain = access.domain.state(factor=access.factors.mid)
    wider = access.domain.state(opened=access.domain.rows_of(links).tolist(), factor=access.factors.mid)
    before, after = access.before.capital, access.read_capital(wider)
    gain = min(b - a for b, a in zip(before, after, strict=True))
    return {
        "north_south_gain_min": gain if gain > 1e-9 else 0.0,
        "north_south_gain_added_km": _way_km(access, wider) - _way_km(access, plain),
        "north_south_gain_min_status": MetricStatus.OK,
    }


def _way_km(access: Access, state: State) -> float:
    way = best_way(reach(access.domain, None, state)[0], access.capital)
    return float(way.km.sum()) if way else float("nan")


def measure_north_south_delay(access_metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Change of truck time along the best way from the crossing to the capital: the access delay, under its own name.

    One mechanism, two readers: only one of the two should be scored.
    """
    ends = ("", "_low", "_high", "_status")
    return {
        f"north_south_delay_min{end}": access_metrics[f"access_delay_min{end}"]
        for end in ends
        if f"access_delay_min{end}" in access_metrics
    }
