"""Flips and stability of weights: how little they must change for somebody else to win, and who never can.

Both answers are exact for methods that are linear in the weights (weighted sum, and PROMETHEE II through its flows per
criterion). Others, such as TOPSIS, are refused rather than guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import Panel, orient
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.mcda.rank import linear_parts

Floats = NDArray[np.float64]

Over = Literal["criteria", "groups"]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Flip:
    """The smallest change of weights after which ``challenger`` is as good as everybody.

    ``moved`` is the weight that changes hands (half the sum of absolute changes, L1): 0.07 means seven points out of
    a hundred. ``new_weights`` is one set of weights that does it; others may do it with the same ``moved``. For a
    challenger that no weights can put first ``moved`` is infinite and ``new_weights`` is empty. ``only_ties`` says that
    somebody else is at least as good on every count, so that it can draw level but never lead.
    """

    winner: str
    challenger: str
    moved: float
    new_weights: dict[str, float]
    changes: dict[str, float]
    only_ties: bool


def smallest_flips(
    panel: Panel, weights: WeightsLike, *, method: str = DEFAULT_METHOD, over: Over = "groups"
) -> list[Flip]:
    """Find for every other alternative the smallest change of weights that puts it first; the easiest comes first.

    For each challenger a linear programme minimises the L1 distance to the stated weights over all weights that are
    not negative, sum to one and make it at least as good as everybody (Triantaphyllou and Sanchez 1997,
    doi:10.1111/j.1540-5915.1997.tb01306.x, treat one weight at a time; here all may move).

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a method that is linear in the weights.
        over: Move weight between ``groups``, shares inside a group staying as they are, or between ``criteria``.

    Returns:
        One flip per alternative other than the winner, by ``moved``, those that can only tie last; the first answers
        "how little, and to whom".

    Raises:
        ScoringError: a method that isn't linear in the weights, no alternatives, or weights that can't be used.
    """
    names, parts, base = _terms(panel, weights, method, over)
    winner = int(np.argmax(parts @ base))
    flips = []
    for challenger in range(len(parts)):
        if challenger != winner:
            found = _nearest_weights(parts, base, challenger)
            # Somebody who is at least as good on every part stays level or ahead under any weights.
            only_ties = bool((np.delete(parts, challenger, axis=0) >= parts[challenger]).all(axis=1).any())
            flips.append(_flip(panel, names, base, (winner, challenger), found, only_ties))
    return sorted(flips, key=lambda flip: (flip.only_ties, flip.moved))


def _terms(panel: Panel, weights: WeightsLike, method: str, over: Over) -> tuple[tuple[str, ...], Floats, Floats]:
    """Names of what is weighed, the score parts ``(n, terms)`` and the weights ``(terms,)``."""
    resolved = panel_weights(panel, weights).values
    parts = linear_parts(panel, panel.values, method)
    if over not in get_args(Over):
        raise ScoringError(f"weight can move over 'groups' or 'criteria', not '{over}'")
    if not len(parts):
        raise ScoringError(f"weight change: {panel.label} has no alternatives that can be ranked")
    if over == "criteria":
        return panel.criterion_ids, parts, resolved
    groups = panel.columns_by_group
    merged, base = np.zeros((len(parts), len(groups))), np.zeros(len(groups))
    for g, columns in enumerate(groups.values()):
        base[g] = resolved[columns].sum()
        # Inside a group the shares stay as they are; one that weighs nothing is shared out evenly.
        inner = resolved[columns] / base[g] if base[g] > 0 else np.full(len(columns), 1.0 / len(columns))
        merged[:, g] = parts[:, columns] @ inner
    return tuple(groups), merged, base


def _nearest_weights(parts: Floats, base: Floats, challenger: int) -> Floats | None:
    """Weights nearest to ``base`` (L1) that make one alternative as good as all, or None if there are none.

    The unknowns are what each weight gains and what it loses; both are at least zero and no more is lost than there
    is.
    """
    from scipy.optimize import linprog

    terms = len(base)
    # With weights base + gain - loss: behind @ (base + gain - loss) <= 0 says that nobody beats the challenger, the
    # equality keeps the sum, and the objective is the L1 distance.
    behind = np.delete(parts, challenger, axis=0) - parts[challenger]
    solution = linprog(
        np.ones(2 * terms),
        A_ub=np.hstack([behind, -behind]),
        b_ub=-(behind @ base),
        A_eq=np.hstack([np.ones((1, terms)), -np.ones((1, terms))]),
        b_eq=[0.0],
        bounds=[(0.0, None)] * terms + [(0.0, float(limit)) for limit in base],
        method="highs",
    )
    # No weights at all bring the challenger level with everybody.
    if not solution.success:
        return None
    # The solver may leave a weight below zero by rounding.
    return np.asarray(np.maximum(base + solution.x[:terms] - solution.x[terms:], 0.0))


def _flip(
    panel: Panel,
    names: tuple[str, ...],
    base: Floats,
    pair: tuple[int, int],
    found: Floats | None,
    only_ties: bool,
) -> Flip:
    winner, challenger = (panel.candidate_ids[index] for index in pair)
    if found is None:
        return Flip(winner, challenger, float("inf"), {}, {}, only_ties)
    change = found - base
    # What one term gains another loses, so half of the L1 distance is the weight that moved.
    moved = 0.5 * float(np.abs(change).sum())
    changes = {name: float(step) for name, step in zip(names, change, strict=True) if abs(step) > _ROUNDING}
    return Flip(winner, challenger, moved, dict(zip(names, found.tolist(), strict=True)), changes, only_ties)


def weight_stability(
    panel: Panel, weights: WeightsLike, *, method: str = DEFAULT_METHOD, over: Over = "groups"
) -> pd.DataFrame:
    """Interval of each single weight within which the winner stays first, the others keeping their proportions.

    Closed form: with one weight t and the rest scaled by (1 - t), every lead is linear in t.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a method that is linear in the weights.
        over: Vary the weight of whole ``groups`` or of single ``criteria``.

    Returns:
        One row per weight: ``name``, ``weight``, ``low``, ``high`` and who takes over below and above
        (``below``, ``above``; empty where nobody does).

    Raises:
        ScoringError: a method that isn't linear in the weights, no alternatives, or weights that can't be used.
    """
    names, parts, base = _terms(panel, weights, method, over)
    winner = int(np.argmax(parts @ base))
    rows = []
    for term, name in enumerate(names):
        # The others keep their proportions; where one criterion has all the weight, they come in evenly.
        rest = np.delete(base, term)
        rest = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1.0 / max(len(rest), 1))
        alone, others = parts[winner] - parts, np.delete(parts[winner] - parts, term, axis=1) @ rest
        low, high, below, above = _hold(alone[:, term], others, float(base[term]))
        who = [panel.candidate_ids[index] if index >= 0 else "" for index in (below, above)]
        rows.append((name, float(base[term]), low, high, *who))
    return pd.DataFrame(rows, columns=["name", "weight", "low", "high", "below", "above"])


def _hold(alone: Floats, others: Floats, weight: float) -> tuple[float, float, int, int]:
    """Largest interval about ``weight`` in which all leads t * alone + (1 - t) * others stay at or above zero."""
    low, high, below, above = 0.0, 1.0, -1, -1
    for rival, (at_one, at_zero) in enumerate(zip(alone, others, strict=True)):
        slope = at_one - at_zero
        # A lead that no weight changes bounds nothing.
        if abs(slope) <= _ROUNDING:
            continue
        # The lead over this rival is zero at t = turn: a rising lead bounds the interval from below, a falling one from
        # above.
        turn = min(max(float(-at_zero / slope), 0.0), 1.0)
        if slope > 0 and at_zero < -_ROUNDING and turn > low:
            low, below = min(turn, weight), rival
        elif slope < 0 and at_one < -_ROUNDING and turn < high:
            high, above = max(turn, weight), rival
    return low, high, below, above


def dominance(metrics: Floats) -> NDArray[np.bool_]:
    """Whether row i dominates row j: nowhere worse and somewhere better.

    Args:
        metrics: ``(n, m)``, more is better everywhere.

    Returns:
        ``(n, n)``; ``[i, j]`` is true where i dominates j.

    Example:
        Of (2, 2), (1, 2) and (3, 0) the first dominates the second; nobody dominates the third.
    """
    # (n, 1, m) against (1, n, m): every pair on every criterion.
    left, right = metrics[:, None, :], metrics[None, :, :]
    return np.asarray((left >= right).all(axis=2) & (left > right).any(axis=2))


def pareto_front(panel: Panel) -> pd.DataFrame:
    """Say of each alternative whether another one is at least as good everywhere and better somewhere.

    Metrics are compared as measured, before scaling and without tolerance, so that no value function hides a
    difference.

    Args:
        panel: Alternatives that are ranked together.

    Returns:
        One row per alternative: ``candidate_id``, ``name``, ``on_front`` and ``dominated_by`` (names, joined by
        semicolons).

    Raises:
        ScoringError: metrics that are undetermined.
    """
    panel.require_determined("Pareto front")
    beats = dominance(orient(panel.metrics, panel.criteria))
    rows = []
    for column, (candidate_id, name) in enumerate(zip(panel.candidate_ids, panel.names, strict=True)):
        winners = [panel.names[row] for row in np.flatnonzero(beats[:, column])]
        rows.append((candidate_id, name, not winners, "; ".join(winners)))
    return pd.DataFrame(rows, columns=["candidate_id", "name", "on_front", "dominated_by"])
