"""Scores of a panel, and ranks of scores with ties within measurement tolerance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import End, Panel
from corridor.mcda.method import LinearMethod
from corridor.mcda.methods import DEFAULT_METHOD, all_methods, get_method
from corridor.mcda.values import scale
from corridor.schema.vocabulary import Direction, Scaling

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Differences of scores up to this are rounding."""


def score(panel: Panel, weights: Floats, method: str = DEFAULT_METHOD, metrics: Floats | None = None) -> Floats:
    """Score a panel, more is better, within the method's ``score_range``.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(m,)`` or ``(draws, m)``, each summing to 1.
        method: Id of a ranking method.
        metrics: Other metrics than the panel's own, ``(..., n, m)`` in the same units.

    Returns:
        ``(n,)`` or ``(draws, n)``.

    Raises:
        ScoringError: unknown method, or metrics that are undetermined.
    """
    if metrics is None:
        panel.require_determined("scores")
    values = panel.values if metrics is None else scale(metrics, panel.criteria, panel.scaling)
    return get_method(method).score(values, weights, tolerance_in_value(panel))


def cross_score(panel: Panel, weights: Floats, method: str, metrics: Floats) -> Floats:
    """Score every draw of metrics under every set of weights.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(sets, m)``.
        method: Id of a ranking method.
        metrics: ``(draws, n, m)``.

    Returns:
        Scores ``(sets, draws, n)``.

    Raises:
        ScoringError: unknown method.
    """
    values = scale(metrics, panel.criteria, panel.scaling)
    return get_method(method).cross_score(values, weights, tolerance_in_value(panel))


def linear_parts(panel: Panel, values: Floats, method: str) -> Floats:
    """What the weights multiply in a method that is linear in them.

    Args:
        panel: ``n`` alternatives and ``m`` criteria, whose tolerances count.
        values: ``(..., n, m)`` between 0 and 1.
        method: Id of a ranking method.

    Returns:
        ``(..., n, m)``.

    Raises:
        ScoringError: the method is unknown or not linear in the weights; names those that are.
    """
    panel.require_determined("weight change")
    found = get_method(method)
    if not isinstance(found, LinearMethod):
        linear = " or ".join(other.id for other in all_methods() if other.linear_in_weights)
        raise ScoringError(f"{found.label} is not linear in the weights: use {linear} here")
    return found.parts(values, tolerance_in_value(panel))


def tolerance_in_value(panel: Panel) -> Floats:
    """Tolerances as a share of the range that values are scaled on, ``(m,)``.

    Args:
        panel: Alternatives that are ranked together.
    """
    return np.array([c.tolerance / abs(c.worst - c.best) for c in fix_ends(panel).criteria])


def fix_ends(panel: Panel) -> Panel:
    """The same panel with the ends that it is scaled on as anchors: nothing changes under anchor scaling.

    A criterion that is the same for all gets any range and no tolerance, since it orders nobody.

    Args:
        panel: Alternatives that are ranked together.
    """
    if panel.scaling == Scaling.ANCHORS or not panel.candidate_ids:
        return panel
    criteria = []
    # The best end is the largest metric of a criterion that should be large, else the smallest.
    metrics = panel.metrics_at(End.BEST)
    for criterion, low, high in zip(panel.criteria, metrics.min(axis=0), metrics.max(axis=0), strict=True):
        best, worst = (float(high), float(low)) if criterion.direction == Direction.MAX else (float(low), float(high))
        # A criterion that is alike for all has no range: a made-up one gives everybody the best value and takes its
        # tolerance out.
        if best == worst:
            worst = best + (1.0 if criterion.direction == Direction.MIN else -1.0)
            criteria.append(replace(criterion, best=best, worst=worst, tolerance=0.0))
        else:
            criteria.append(replace(criterion, best=best, worst=worst))
    return replace(panel, criteria=tuple(criteria), scaling=Scaling.ANCHORS)


def competition_ranks(scores: Floats, width: float = 0.0) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rank scores, best first: one more than the number of alternatives that are ahead by more than the tolerance.

    Nobody's rank hangs on how others tie among themselves, a better score never gives a worse rank, and whoever is
    within tolerance of the best is first too. A chain of small steps isn't one tie.

    Args:
        scores: ``(n,)``, more is better.
        width: Differences up to it are within measurement tolerance.

    Returns:
        Ranks from 1, and whether the rank is shared.

    Example:
        Scores 0.9, 0.5, 0.9 get ranks 1, 3, 1.
    """
    # [i, j]: j is ahead of i.
    ahead = scores[None, :] - scores[:, None] > width + ROUNDING
    ranks = (1 + ahead.sum(axis=1)).astype(np.int64)
    tied = np.asarray((ranks[:, None] == ranks[None, :]).sum(axis=1) > 1)
    return ranks, tied


def tie_width(panel: Panel, weights: Floats, method: str) -> float:
    """How far two scores may lie apart within measurement tolerance, one figure for all of a panel.

    It is what a score gains when every metric gets better by its tolerance. For methods that don't compare
    alternatives that is taken in the middle of all scales, so that it hangs on no alternative: with the weighted sum it
    is the sum of weight times tolerance as a share of the scale. For methods that compare it is the most that any
    alternative's score moves, half a tolerance to either side of where it stands.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(m,)``, summing to 1.
        method: Id of a ranking method.
    """
    tolerances = tolerance_in_value(panel)
    count = len(panel.candidate_ids)
    if not np.any(tolerances) or not count:
        return 0.0
    found = get_method(method)
    if not found.compares_alternatives:
        # On fixed anchors the width is the same for every pair; in the middle of the range no end cuts it short.
        around = np.clip(0.5 + np.array([[0.5], [-0.5]]) * tolerances, 0.0, 1.0)
        better, worse = found.score(around, weights, tolerances)
        return float(better - worse)
    fixed = fix_ends(panel)
    here = fixed.metrics_at(End.BEST)
    half = 0.5 * np.array([c.tolerance if c.direction == Direction.MAX else -c.tolerance for c in fixed.criteria])
    # step[i] moves alternative i alone, all its metrics at once; of the scores (i, j) only the own one, i = j, is
    # wanted. One alternative moves at a time, since the others are what it is compared with.
    step, own = np.eye(count)[:, :, None] * half, np.arange(count)
    middle = score(fixed, weights, method, here)
    better_by = score(fixed, weights, method, here + step)[own, own] - middle
    worse_by = middle - score(fixed, weights, method, here - step)[own, own]
    return float(2.0 * np.maximum(better_by, worse_by).max())
