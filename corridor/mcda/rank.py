"""Ranks, ties and the reasons behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, Panel
from corridor.mcda.methods import METHODS, Method, topsis, unicriterion_flows, weighted_sum
from corridor.mcda.values import nearest_name, scale
from corridor.mcda.weights import WeightsLike, panel_weights
from corridor.schema.vocabulary import Direction, Scaling

Floats = NDArray[np.float64]

FULL_PREFERENCE = 0.25
"""PROMETHEE II counts a difference of this share of the anchor range as full preference; with the whole range it
would be the weighted sum again."""
_ROUNDING = 1e-12


def check_method(method: str) -> None:
    """Refuse an unknown method.

    Raises:
        ScoringError: with the nearest known name.
    """
    if method not in METHODS:
        raise ScoringError(f"method '{method}' is unknown{nearest_name(method, METHODS)}: use {', '.join(METHODS)}")


def score(panel: Panel, weights: Floats, method: Method = "weighted-sum", metrics: Floats | None = None) -> Floats:
    """Score a panel; 0 to 1 for the weighted sum and TOPSIS, -1 to 1 for PROMETHEE II.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(m,)`` or ``(draws, m)``, each summing to 1.
        method: TOPSIS measures from the anchors, not from the best of those present; PROMETHEE II uses linear
            preference with the criterion's tolerance as indifference and a quarter of the anchor range as full.
        metrics: Other metrics than the panel's own, ``(..., n, m)`` in the same units.
    """
    values = panel.values if metrics is None else scale(metrics, panel.criteria, panel.scaling)
    if method == "topsis":
        return topsis(values, weights, np.ones(values.shape[-1]), np.zeros(values.shape[-1]))
    return weighted_sum(linear_parts(panel, values, method), weights)


def cross_score(panel: Panel, weights: Floats, method: Method, metrics: Floats) -> Floats:
    """Score every draw of metrics under every set of weights.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(sets, m)``.
        method: Any of the three.
        metrics: ``(draws, n, m)``.

    Returns:
        Scores ``(sets, draws, n)``.
    """
    values = scale(metrics, panel.criteria, panel.scaling)
    if method == "topsis":
        ends = np.ones(values.shape[-1]), np.zeros(values.shape[-1])
        return np.array([topsis(values, row, *ends) for row in weights]).reshape(len(weights), *values.shape[:2])
    return np.asarray(np.moveaxis(linear_parts(panel, values, method) @ weights.T, -1, 0))


def linear_parts(panel: Panel, values: Floats, method: Method) -> Floats:
    """What the weights multiply in a method that is linear in them, ``(..., n, m)``.

    Raises:
        ScoringError: TOPSIS, or a method that is unknown.
    """
    check_method(method)
    if method == "weighted-sum":
        return values
    if method == "topsis":
        raise ScoringError("TOPSIS is not linear in the weights: use weighted-sum or promethee-ii here")
    return unicriterion_flows(values, "linear", tolerance_in_value(panel), FULL_PREFERENCE)


def tolerance_in_value(panel: Panel) -> Floats:
    """Tolerances as a share of the range that values are scaled on, ``(m,)``."""
    return np.array([c.tolerance / abs(c.worst - c.best) for c in fix_ends(panel).criteria])


def fix_ends(panel: Panel) -> Panel:
    """The same panel with the ends that it is scaled on as anchors: nothing changes under anchor scaling.

    A criterion that is the same for all gets any range and no tolerance, since it orders nobody.
    """
    if panel.scaling == Scaling.ANCHORS or not panel.candidate_ids:
        return panel
    criteria = []
    for criterion, low, high in zip(panel.criteria, panel.metrics.min(axis=0), panel.metrics.max(axis=0), strict=True):
        best, worst = (float(high), float(low)) if criterion.direction == Direction.MAX else (float(low), float(high))
        if best == worst:
            worst = best + (1.0 if criterion.direction == Direction.MIN else -1.0)
            criteria.append(replace(criterion, best=best, worst=worst, tolerance=0.0))
        else:
            criteria.append(replace(criterion, best=best, worst=worst))
    return replace(panel, criteria=tuple(criteria), scaling=Scaling.ANCHORS)


def competition_ranks(scores: Floats, width: Floats | float = 0.0) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rank scores, best first; whoever is within tolerance of the best of a rank shares it and the next are skipped.

    Ties are counted from the best of each group, not from neighbour to neighbour, so that a long chain of small steps
    does not become one tie.

    Args:
        scores: ``(n,)``, more is better.
        width: Per alternative, how far its score moves within measurement tolerance; two tie if they differ by no
            more than the mean of theirs.

    Returns:
        Ranks from 1, and whether the rank is shared.

    Example:
        Scores 0.9, 0.5, 0.9 get ranks 1, 3, 1.
    """
    count = len(scores)
    widths = np.broadcast_to(np.asarray(width, dtype=float), (count,))
    order = np.lexsort((np.arange(count), -scores))
    ranks = np.zeros(count, dtype=np.int64)
    leader = -1
    for position, who in enumerate(order):
        slack = 0.5 * (widths[leader] + widths[who]) + _ROUNDING
        if leader < 0 or scores[leader] - scores[who] > slack:
            leader = int(who)
            ranks[who] = position + 1
        else:
            ranks[who] = ranks[leader]
    tied = np.array([int(np.sum(ranks == rank)) > 1 for rank in ranks], dtype=bool)
    return ranks, tied


def score_widths(panel: Panel, weights: Floats, method: Method) -> Floats:
    """How far each score moves when all metrics of that alternative move through their tolerance, ``(n,)``.

    Twice the larger of half a tolerance better and half a tolerance worse, so that an alternative at the end of a
    scale, which can move one way only, is not taken to be measured more finely.
    """
    count = len(panel.candidate_ids)
    fixed = fix_ends(panel)
    half = 0.5 * np.array([c.tolerance if c.direction == Direction.MAX else -c.tolerance for c in fixed.criteria])
    if not np.any(half) or not count:
        return np.zeros(count)
    step, own = np.eye(count)[:, :, None] * half, np.arange(count)
    here = score(fixed, weights, method)
    better = score(fixed, weights, method, panel.metrics + step)[own, own] - here
    worse = here - score(fixed, weights, method, panel.metrics - step)[own, own]
    return np.asarray(2.0 * np.maximum(better, worse))


def rank_alternatives(matrix: DecisionMatrix, weights: WeightsLike, method: Method = "weighted-sum") -> pd.DataFrame:
    """Rank every panel of a decision matrix.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: A perspective, a mapping of groups or of criteria, or a number per criterion.
        method: ``weighted-sum``, ``topsis`` or ``promethee-ii``.

    Returns:
        A row per alternative, also of those that can't be ranked: ``candidate_id``, ``name``, ``regime_id``,
        ``panel``, ``rank`` (nullable integer), ``score``, ``tied``, ``reason`` (empty where ranked), then one
        ``contribution:<criterion_id>`` per criterion. For the linear methods contributions sum to the score; for
        TOPSIS they are weight times value and are not a part of the closeness. ``attrs["notes"]`` has what a reader
        must be told.

    Raises:
        ScoringError: unknown method, or weights that can't rank a panel.
    """
    check_method(method)
    notes = list(matrix.notes)
    frames = []
    for panel in matrix.panels:
        if panel.candidate_ids:
            resolved = panel_weights(panel, weights)
            notes.extend(f"{panel.where}: {note}" for note in resolved.notes)
            frames.append(_rank_panel(panel, resolved.values, method))
    frames.append(_not_ranked(matrix.excluded))
    columns = ["candidate_id", "name", "regime_id", "panel", "rank", "score", "tied", "reason"]
    columns += [f"contribution:{criterion.criterion_id}" for criterion in matrix.criteria]
    filled = [frame for frame in frames if not frame.empty]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    table = table.reindex(columns=columns)
    table["rank"] = table["rank"].astype("Int64")
    table["tied"] = table["tied"].astype(bool)
    if method == "promethee-ii":
        notes.append("PROMETHEE II compares with everybody in the list: adding an alternative can change the order")
    table.attrs["notes"] = list(dict.fromkeys(notes))
    return table


def _rank_panel(panel: Panel, weights: Floats, method: Method) -> pd.DataFrame:
    scores = score(panel, weights, method)
    ranks, tied = competition_ranks(scores, score_widths(panel, weights, method))
    table = pd.DataFrame(
        {
            "candidate_id": panel.candidate_ids,
            "name": panel.names,
            "regime_id": panel.regime_id,
            "panel": panel.kind,
            "rank": ranks,
            "score": scores,
            "tied": tied,
            "reason": "",
        }
    )
    parts = panel.values if method == "topsis" else linear_parts(panel, panel.values, method)
    for column, criterion in enumerate(panel.criteria):
        table[f"contribution:{criterion.criterion_id}"] = parts[:, column] * weights[column]
    return table.sort_values(["rank", "candidate_id"], kind="stable")


def _not_ranked(excluded: pd.DataFrame) -> pd.DataFrame:
    """One row per alternative that can't be ranked, its reasons joined."""
    keys = ["candidate_id", "name", "regime_id", "panel"]
    rows = []
    for key, reasons in excluded.groupby(keys, sort=False):
        words = [reason.removeprefix("not ranked: ") for reason in dict.fromkeys(reasons["reason"])]
        rows.append((*key, f"not ranked: {'; '.join(words)}"))
    table = pd.DataFrame(rows, columns=[*keys, "reason"])
    table["rank"], table["score"], table["tied"] = pd.NA, np.nan, False
    return table
