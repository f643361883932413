"""What a candidate under a regime does to the flows of an axis, as two figures that can be scored."""

from __future__ import annotations

import math

import numpy as np

from corridor.flows.changes import Case, cut_case
from corridor.flows.choice import logsum_usd
from corridor.flows.cost import ENDS
from corridor.flows.model import FlowModel, NetworkState
from corridor.flows.rows import Pair
from corridor.schema.catalogue import Estimate

NORTH_SOUTH = "north-south"


def cost_to_flows(model: FlowModel, case: Case, year: int, axis: str = NORTH_SOUTH) -> Estimate | None:
    """Mean change of the logsum over the pairs of an axis, against the same year without the case.

    Args:
        model: The network under one scenario.
        case: A candidate under a regime.
        year: The year.
        axis: The axis whose pairs count, each alike.

    Returns:
        Dollars per load, above 0 where flows pay more; the ends are those of all declared ranges together. None where a
        pair is left without any way.
    """
    return _mean_change(model, model.state(year, case), model.state(year, case, built=False), axis)


def regret_if_closed(model: FlowModel, case: Case, year: int, axis: str = NORTH_SOUTH) -> Estimate | None:
    """Mean rise of the logsum over the pairs of an axis if the candidate and what would go with it were shut.

    Args:
        model: The network under one scenario.
        case: A candidate under a regime; what it opens and what is at stake with it is shut.
        year: The year.
        axis: The axis whose pairs count, each alike.

    Returns:
        Dollars per load, never below 0. None where a pair is left without any way.
    """
    return _mean_change(model, model.state(year, cut_case(case)), model.state(year, case), axis)


def _mean_change(model: FlowModel, now: NetworkState, then: NetworkState, axis: str) -> Estimate | None:
    pairs = [pair for pair in model.tables.pairs if pair.axis == axis]
    if now == then or not pairs:
        return Estimate(0.0, 0.0, 0.0)
    changes = [np.subtract(_logsums(model, pair, now), _logsums(model, pair, then)) for pair in pairs]
    means = np.mean(changes, axis=0)
    if not np.isfinite(means).all():
        return None
    return Estimate(float(means.min()), float(means[1]), float(means.max()))


def _logsums(model: FlowModel, pair: Pair, state: NetworkState) -> list[float]:
    """Logsum at the low, middle and high end of the declared ranges, with the declared middle of theta."""
    result, sizes = model.pair(pair, state), model.path_sizes(pair)
    found = []
    for end in ENDS:
        ways = [getattr(branch, end) for branch in result.branches]
        costs = np.array([way.cost_usd if way else math.inf for way in ways])
        found.append(logsum_usd(costs, sizes, model.theta()))
    return found
