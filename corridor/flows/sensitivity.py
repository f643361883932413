"""What the results of a long-distance network hang on: one declared range at a time, at its low and its high end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from corridor.flows.changes import NETWORK_ALONE, Case
from corridor.flows.cost import FACTORS, End
from corridor.flows.model import FlowModel, PairResult
from corridor.flows.rows import Pair
from corridor.flows.states import NetworkState
from corridor.schema.message import ListStyle, Message, listing

_LEAST_USD = 1.0
"""Changes below a dollar a load are none."""
BEST, BEST_ROAD, SIGN = "best branch", "best branch without rail", "sign of the change"
_COLUMNS = ["origin", "destination", "regime_id", "candidate_id", "year", "result", "value", "holds", "hangs_on"]
_NOT_PRICES = ("theta_per_usd", "half_life_usd", "undocumented_closure_days")


def measure_sensitivity(model: FlowModel, cases: Sequence[Case], year: int) -> pd.DataFrame:
    """Move one factor at a time and see what changes its sign or its order.

    Args:
        model: The network under one scenario.
        cases: Candidates with their regimes.
        year: The year looked at.

    Returns:
        A row per pair, case and ``result``: :data:`BEST` and :data:`BEST_ROAD` for the network alone, else :data:`SIGN`
        (lower, higher or none, of the logsum against the same year without the case). ``value`` is what comes with all
        factors at their middle, ``holds`` whether each factor's two ends give the same, ``hangs_on`` which factors and
        ends give another, and what.
    """
    rows = []
    for case in cases:
        alone = case == NETWORK_ALONE
        if not alone and model.state(year, case) == model.state(year, case, built=False):
            continue
        for pair in model.tables.pairs:
            for result in (BEST, BEST_ROAD) if alone else (SIGN,):
                middle = _answer(model, pair, case, year, result)
                other = {f"{f} {end}": _answer(model, pair, case, year, result, f, end) for f, end in factors(model)}
                changed = [f"{name}: {value}" for name, value in other.items() if value != middle]
                rows.append(
                    {
                        "origin": pair.origin, "destination": pair.destination, "regime_id": case.regime_id,
                        "candidate_id": case.candidate_id, "year": year, "result": result, "value": middle,
                        "holds": not changed, "hangs_on": "; ".join(changed),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def describe_sensitivity(table: pd.DataFrame) -> tuple[Message, ...]:
    """Which results survive all declared ranges, moved one at a time, and what the others hang on most.

    Args:
        table: of :func:`measure_sensitivity`.

    Returns:
        Messages: best ways that stay the same, signs that stay, signs that turn round, and the ranges that change most.
    """
    if table.empty:
        return ()
    signs = table["result"] == SIGN
    best, changes = table[~signs], table[signs]
    found = [Message("flows.best_holds", {"holds": int(best["holds"].sum()), "count": len(best)})]
    if len(changes):
        opposite = {"lower": ": higher", "higher": ": lower"}
        pairs = zip(changes["value"], changes["hangs_on"], strict=True)
        turned = sum(opposite.get(value, "?") in hangs for value, hangs in pairs)
        found.append(
            Message("flows.signs_hold", {"holds": int(changes["holds"].sum()), "count": len(changes), "turned": turned})
        )
    moved = Counter(part.split(" ")[0] for cell in table["hangs_on"] for part in cell.split("; ") if part)
    if moved:
        names = listing((f"{name} {count}" for name, count in moved.most_common(5)), ListStyle.COMMA)
        found.append(Message("flows.hang_on", {"ranges": names}))
    return tuple(found)


def _answer(
    model: FlowModel, pair: Pair, case: Case, year: int, result: str, factor: str = "", end: End = "mid"
) -> str:
    """A result of a pair and case with one factor at another end."""
    theta = model.theta(end) if factor == "theta_per_usd" else None

    def measure(built: bool) -> PairResult:
        state = moved(model.state(year, case, built=built), factor, end)
        return model.pair(pair, state, theta=theta, ends=())

    now = measure(True)
    return _sign(now, measure(False)) if result == SIGN else _best(now, result)


def factors(model: FlowModel) -> Iterator[tuple[str, End]]:
    """Each declared range with its low and its high end."""
    names = [*(name for name in model.tables.parameters if name not in _NOT_PRICES), *FACTORS, "theta_per_usd"]
    ends: tuple[End, ...] = ("low", "high")
    return ((name, end) for name in names for end in ends)


def moved(state: NetworkState, factor: str, end: End) -> NetworkState:
    """A state with one factor at another end; theta moves no cost."""
    return state if factor in ("", "theta_per_usd") else replace(state, overrides=((factor, end),))


def _best(found: PairResult, result: str) -> str:
    """Id of the branch of least cost."""
    best = found.best if result == BEST else found.best_by_truck
    return best.branch.branch_id if best else "no way"


def _sign(now: PairResult, then: PairResult) -> str:
    if not (math.isfinite(now.logsum_usd) or math.isfinite(then.logsum_usd)):
        return "none"  # who has no way with it and without it pays neither more nor less
    change = now.logsum_usd - then.logsum_usd
    if abs(change) < _LEAST_USD:
        return "none"
    return "lower" if change < 0 else "higher"
