"""What the results of a long-distance network hang on: one declared range at a time, at its low and its high end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from corridor.flows.changes import NETWORK_ALONE, Case
from corridor.flows.cost import FACTORS, End
from corridor.flows.model import FlowModel, NetworkState, PairResult
from corridor.flows.rows import Pair

_LEAST_USD = 1.0
"""Changes below a dollar a load are none."""
_NOT_PRICES = ("theta_per_usd", "half_life_usd", "undocumented_closure_days")


def measure_sensitivity(model: FlowModel, cases: Sequence[Case], year: int) -> pd.DataFrame:
    """Move one factor at a time and see what changes its sign or its order.

    Args:
        model: The network under one scenario.
        cases: Candidates with their regimes.
        year: The year looked at.

    Returns:
        A row per pair and case: ``result`` (``best branch`` for the network alone, else ``sign of the change``: lower,
        higher or none, of the logsum), ``value`` with all factors at their middle, ``holds`` (whether each factor's two
        ends give the same), and ``hangs_on`` (the factors and ends that give another, with what they give).
    """
    rows = []
    for case in cases:
        state, before = model.state(year, case), model.state(year, case, built=False)
        if case is not NETWORK_ALONE and state == before:
            continue
        for pair in model.tables.pairs:

            def answer(factor: str, end: End, pair: Pair = pair, case: Case = case) -> str:
                return _answer(model, pair, case, year, factor, end)

            middle = answer("", "mid")
            other = {f"{factor} {end}": answer(factor, end) for factor, end in factors(model)}
            changed = [f"{name}: {value}" for name, value in other.items() if value != middle]
            rows.append(
                {
                    "origin": pair.origin, "destination": pair.destination, "regime_id": case.regime_id,
                    "candidate_id": case.candidate_id, "year": year,
                    "result": "best branch" if case is NETWORK_ALONE else "sign of the change",
                    "value": middle, "holds": not changed, "hangs_on": "; ".join(changed),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _answer(model: FlowModel, pair: Pair, case: Case, year: int, factor: str, end: End) -> str:
    """The result of a pair and case with one factor at another end."""
    theta = model.theta(end) if factor == "theta_per_usd" else None
    states = (model.state(year, case), model.state(year, case, built=False))
    now, then = (model.pair(pair, moved(state, factor, end), theta=theta, ends=()) for state in states)
    return _best(now) if case is NETWORK_ALONE else _sign(now, then)


def factors(model: FlowModel) -> Iterator[tuple[str, End]]:
    """Each declared range with its low and its high end."""
    names = [*(name for name in model.tables.parameters if name not in _NOT_PRICES), *FACTORS, "theta_per_usd"]
    ends: tuple[End, ...] = ("low", "high")
    return ((name, end) for name in names for end in ends)


def moved(state: NetworkState, factor: str, end: End) -> NetworkState:
    """A state with one factor at another end; theta moves no cost."""
    return state if factor in ("", "theta_per_usd") else replace(state, overrides=((factor, end),))


def _best(result: PairResult) -> str:
    return result.best.branch.branch_id if result.best else "no way"


def _sign(now: PairResult, then: PairResult) -> str:
    change = now.logsum_usd - then.logsum_usd if math.isfinite(then.logsum_usd) else -math.inf
    if math.isnan(change) or abs(change) < _LEAST_USD:
        return "none"
    return "lower" if change < 0 else "higher"
