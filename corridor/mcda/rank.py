"""Ranks, ties and the reasons behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, Panel, not_ranked, reasons_of
from corridor.mcda.method import LinearMethod
from corridor.mcda.methods import DEFAULT_METHOD, all_methods, get_method
from corridor.mcda.values import scale
from corridor.mcda.weights import WeightsLike, panel_weights
from corridor.schema.message import Message, Value
from corridor.schema.vocabulary import Direction, Scaling

Floats = NDArray[np.float64]

_ROUNDING = 1e-12


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
        ScoringError: unknown method.
    """
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
    # Best first; equal scores in the order of the table, so that the same input gives the same output.
    order = np.lexsort((np.arange(count), -scores))
    ranks = np.zeros(count, dtype=np.int64)
    leader = -1
    for position, who in enumerate(order):
        # The leader is the best of the current rank, not the neighbour: see above.
        slack = 0.5 * (widths[leader] + widths[who]) + _ROUNDING
        if leader < 0 or scores[leader] - scores[who] > slack:
            leader = int(who)
            ranks[who] = position + 1
        else:
            ranks[who] = ranks[leader]
    tied = np.array([int(np.sum(ranks == rank)) > 1 for rank in ranks], dtype=bool)
    return ranks, tied


def score_widths(panel: Panel, weights: Floats, method: str) -> Floats:
    """How far each score moves when all metrics of that alternative move through their tolerance, ``(n,)``.

    Twice the larger of half a tolerance better and half a tolerance worse, so that an alternative at the end of a
    scale, which can move one way only, is not taken to be measured more finely.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(m,)``, summing to 1.
        method: Id of a ranking method.
    """
    count = len(panel.candidate_ids)
    fixed = fix_ends(panel)
    half = 0.5 * np.array([c.tolerance if c.direction == Direction.MAX else -c.tolerance for c in fixed.criteria])
    if not np.any(half) or not count:
        return np.zeros(count)
    # step[i] moves alternative i alone, all its metrics at once; of the scores (i, j) only the own one, i = j, is
    # wanted. One alternative moves at a time because of methods that compare.
    step, own = np.eye(count)[:, :, None] * half, np.arange(count)
    here = score(fixed, weights, method)
    better = score(fixed, weights, method, panel.metrics + step)[own, own] - here
    worse = here - score(fixed, weights, method, panel.metrics - step)[own, own]
    return np.asarray(2.0 * np.maximum(better, worse))


def rank_alternatives(matrix: DecisionMatrix, weights: WeightsLike, method: str = DEFAULT_METHOD) -> pd.DataFrame:
    """Rank every panel of a decision matrix.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: A perspective, a mapping of groups or of criteria, or a number per criterion.
        method: Id of a ranking method; :func:`corridor.mcda.methods.method_ids` lists them.

    Returns:
        A row per alternative, also of those that can't be ranked: ``candidate_id``, ``name``, ``regime_id``,
        ``panel``, ``rank`` (nullable integer), ``score``, ``tied``, ``reason`` (a message, empty where ranked), then
        one ``contribution:<criterion_id>`` per criterion. For methods that are linear in the weights contributions
        sum to the score; for the others they are weight times value, which says what speaks for an alternative.
        ``attrs["notes"]`` has what a reader must be told, as messages.

    Raises:
        ScoringError: unknown method, or weights that can't rank a panel.
    """
    found = get_method(method)
    notes: list[Value] = list(matrix.notes)
    frames = []
    for panel in matrix.panels:
        if panel.candidate_ids:
            resolved = panel_weights(panel, weights)
            notes.extend(Message("note.in_panel", {"where": panel.where, "note": note}) for note in resolved.notes)
            frames.append(_rank_panel(panel, resolved.values, method))
    frames.append(_not_ranked(matrix.excluded))
    columns = ["candidate_id", "name", "regime_id", "panel", "rank", "score", "tied", "reason"]
    columns += [f"contribution:{criterion.criterion_id}" for criterion in matrix.criteria]
    filled = [frame for frame in frames if not frame.empty]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    table = table.reindex(columns=columns)
    table["rank"] = table["rank"].astype("Int64")
    table["tied"] = table["tied"].astype(bool)
    # What holds for every ranking by this method comes after what holds for these weights and data.
    notes.extend(found.notes)
    table.attrs["notes"] = list(dict.fromkeys(notes))
    return table


def _rank_panel(panel: Panel, weights: Floats, method: str) -> pd.DataFrame:
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
    added = get_method(method).contributions(panel.values, weights, tolerance_in_value(panel))
    for column, criterion in enumerate(panel.criteria):
        table[f"contribution:{criterion.criterion_id}"] = added[:, column]
    return table.sort_values(["rank", "candidate_id"], kind="stable")


def _not_ranked(excluded: pd.DataFrame) -> pd.DataFrame:
    """One row per alternative that can't be ranked, its reasons joined."""
    keys = ["candidate_id", "name", "regime_id", "panel"]
    rows = []
    # An alternative may lack several values: one row, all reasons.
    for key, reasons in excluded.groupby(keys, sort=False):
        why = dict.fromkeys(part for reason in reasons["reason"] for part in reasons_of(reason))
        rows.append((*key, not_ranked(*why)))
    table = pd.DataFrame(rows, columns=[*keys, "reason"])
    table["rank"], table["score"], table["tied"] = pd.NA, np.nan, False
    return table
