"""Documented figures of long-distance ways held against computed ones; nothing is fitted to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from corridor.flows.cost import ENDS
from corridor.flows.model import FlowModel
from corridor.flows.network import Way
from corridor.flows.rows import DocumentedWay
from corridor.schema.catalogue import Estimate

_CLOSE = 0.02


@dataclass(frozen=True, slots=True)
class DocumentedCheck:
    """A documented figure beside the computed one (None: no way), with what comes of it.

    ``verdict`` is ``inside`` where the computed middle lies in the documented range, ``close`` where it lies within 2 %
    of its nearer end, ``ranges meet`` where only the computed range reaches it, else ``differs``, or ``no way``.
    """

    documented: DocumentedWay
    computed: Estimate | None
    verdict: str


def check_documented(model: FlowModel) -> list[DocumentedCheck]:
    """Hold each row of ``documented.csv`` against the network of its year.

    Args:
        model: The network under one scenario.

    Returns:
        A check per row, in the order of the table.
    """
    return [_check(model, row) for row in model.tables.documented]


def _check(model: FlowModel, row: DocumentedWay) -> DocumentedCheck:
    found = _compute(model, row, row.via)
    if found is not None and row.against_via:
        other = _compute(model, row, row.against_via)
        # a way is compared with another at the same end of the ranges: what is dear to one is dear to both
        found = other and _difference(other, found)
    if found is None:
        return DocumentedCheck(row, None, "no way")
    if row.value.low <= found.mid <= row.value.high:
        return DocumentedCheck(row, found, "inside")
    # What lies outside is held against the nearer end of the documented range, not against its middle.
    nearest = min(max(found.mid, row.value.low), row.value.high)
    if abs(found.mid - nearest) <= _CLOSE * abs(nearest):
        return DocumentedCheck(row, found, "close")
    meets = found.low <= row.value.high and row.value.low <= found.high
    return DocumentedCheck(row, found, "ranges meet" if meets else "differs")


def _difference(other: Estimate, found: Estimate) -> Estimate:
    """How much more the other takes: the middle of both, and the least and most at one end of the ranges."""
    each = [getattr(other, end) - getattr(found, end) for end in ENDS]
    return Estimate(min(each), each[1], max(each))


def _compute(model: FlowModel, row: DocumentedWay, via: tuple[str, ...]) -> Estimate | None:
    state = model.state(row.year)
    ways = [model.network(state, end).best_way(row.from_node, row.to_node, modes=row.modes, via=via) for end in ENDS]
    # Another way may be the best at each end of the prices, so the cheapest end need not give the least measure: the
    # figures are sorted afresh.
    values = sorted(_measure(way, row.measure) for way in ways if way is not None)
    middle = ways[1]
    if middle is None or len(values) < len(ENDS):
        return None
    return Estimate(values[0], _measure(middle, row.measure), values[-1])


def _measure(way: Way, measure: str) -> float:
    if measure == "trip_days":
        return way.trip_h / 24
    if measure == "trip_speed_kmh":
        return way.total("km") / way.trip_h if way.trip_h else math.inf
    if measure == "speed_without_rest_kmh":
        return way.total("km") / (way.trip_h - way.total("rest_h")) if way.trip_h else math.inf
    if measure == "usd_per_500km":
        # what is paid on the way: no hours, which the surveys don't price
        return 500 * sum(way.total(part) for part in ("distance_usd", "fee_usd", "transfer_usd")) / way.total("km")
    return way.total(measure)
