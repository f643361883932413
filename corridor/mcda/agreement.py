"""What a ranking owes to its method, to its company and to the rules: agreement, reversals, regret across regimes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, End, Panel, not_ranked, orient
from corridor.mcda.methods import DEFAULT_METHOD, all_methods, get_method, method_ids
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.mcda.rank import ROUNDING, competition_ranks, score, tie_widths
from corridor.schema.column import Criterion
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.vocabulary import PanelKind, Scaling

Floats = NDArray[np.float64]

HIGH_CORRELATION = 0.8
"""Criteria that go together more closely may count one thing twice."""
_FEWEST = 3


def correlated_criteria(panel: Panel) -> pd.DataFrame:
    """List pairs of criteria that may measure the same thing.

    Metrics are turned so that more is better, so a positive correlation means that the two speak for the same
    alternatives and count them twice. Constant criteria and panels of fewer than three have no correlation.

    Args:
        panel: Alternatives that are ranked together.

    Returns:
        Pairs whose Pearson or Spearman correlation reaches :data:`HIGH_CORRELATION` in size: ``first``, ``second``,
        ``pearson``, ``spearman``, ``alternatives``, and a message ``note``; largest first.
    """
    from scipy.stats import spearmanr

    panel.require_determined("correlation")
    oriented = orient(panel.metrics, panel.criteria)
    count = len(oriented)
    rows = []
    for i, j in combinations(range(len(panel.criteria)), 2):
        left, right = oriented[:, i], oriented[:, j]
        # A correlation over two points is always 1, and one with a constant is not defined.
        if count < _FEWEST or np.ptp(left) == 0 or np.ptp(right) == 0:
            continue
        pearson = float(np.corrcoef(left, right)[0, 1])
        spearman = float(spearmanr(left, right).statistic)
        # The tolerance keeps pairs that would lie on the threshold but for rounding.
        if max(abs(pearson), abs(spearman)) >= HIGH_CORRELATION - ROUNDING:
            first, second = panel.criteria[i], panel.criteria[j]
            note = _together(first, second, pearson, count)
            rows.append((first.criterion_id, second.criterion_id, pearson, spearman, count, note))
    table = pd.DataFrame(rows, columns=["first", "second", "pearson", "spearman", "alternatives", "note"])
    return table.sort_values("pearson", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def _together(first: Criterion, second: Criterion, pearson: float, count: int) -> Message:
    """That two criteria order the alternatives alike, or against each other."""
    values: dict[str, Value] = {
        "first": first.label,
        "second": second.label,
        "r": f"{pearson:.2f}",
        "count": count,
    }
    return Message("note.same_order", values) if pearson > 0 else Message("note.opposite_order", values)


def method_agreement(panel: Panel, weights: WeightsLike) -> pd.DataFrame:
    """Kendall's tau-b between the rankings of the methods, a square table; 1 is the same order, -1 the reverse.

    1 also where both tie everybody; NaN where one of them does, or there are fewer than two alternatives.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
    """
    from scipy.stats import kendalltau

    methods = method_ids()
    # Ranks, not scores: scores of two methods share neither zero nor unit. Tau-b allows for ties.
    ranks = {method: panel_ranks(panel, weights, method) for method in methods}
    table = pd.DataFrame(np.eye(len(methods)), index=list(methods), columns=list(methods))
    for first, second in combinations(methods, 2):
        # One alternative has no order, so tau is not defined for it.
        enough = len(panel.candidate_ids) > 1
        alike = bool(enough and np.array_equal(ranks[first], ranks[second]))
        tau = 1.0 if alike else float(kendalltau(ranks[first], ranks[second]).statistic) if enough else float("nan")
        table.loc[first, second] = table.loc[second, first] = tau
    return table


def panel_ranks(panel: Panel, weights: WeightsLike, method: str = DEFAULT_METHOD) -> NDArray[np.int64]:
    """Ranks of one panel, ties shared within tolerance, in the order of its alternatives.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a ranking method.

    Returns:
        ``(n,)``, from 1.
    """
    resolved = panel_weights(panel, weights).values
    return competition_ranks(score(panel, resolved, method), tie_widths(panel, resolved, method))[0]


def rank_reversals(panel: Panel, weights: WeightsLike, method: str = DEFAULT_METHOD) -> pd.DataFrame:
    """Leave out one alternative at a time and list every pair of others that changes places.

    Empty under anchor scaling with a method that doesn't compare alternatives with each other, by construction.
    Under min-max scaling, and with PROMETHEE II under any, the order of two alternatives can hang on a third that
    nobody would choose.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a ranking method.

    Returns:
        One row per change: ``left_out``, ``first`` (ahead with everybody present) and ``second`` (ahead without).
    """
    get_method(method)
    # Weights are fixed before anybody is left out, so that only the company changes.
    resolved = panel_weights(panel, weights).values
    whole = score(panel, resolved, method)
    rows = []
    # Two alternatives less one leave no pair that could change places.
    for out in range(len(whole) if len(whole) > _FEWEST - 1 else 0):
        kept = np.delete(np.arange(len(whole)), out)
        part = score(panel.take(kept), resolved, method)
        # The pair reverses if its lead changes sign; leads within rounding are no order that could be reversed.
        for i, j in combinations(range(len(kept)), 2):
            before, after = whole[kept[i]] - whole[kept[j]], part[i] - part[j]
            if before * after < 0 and min(abs(before), abs(after)) > ROUNDING:
                ahead, behind = (kept[i], kept[j]) if before > 0 else (kept[j], kept[i])
                rows.append(tuple(panel.candidate_ids[who] for who in (out, ahead, behind)))
    return pd.DataFrame(rows, columns=["left_out", "first", "second"])


def minimax_regret(
    matrix: DecisionMatrix,
    weights: WeightsLike,
    regimes: Sequence[str],
    *,
    kind: str = PanelKind.THROUGH,
    method: str = DEFAULT_METHOD,
    end: End = End.WORST,
) -> pd.DataFrame:
    """Rank across regimes by the largest regret over those that are stated to be plausible.

    Regret in a regime is the best score there less one's own (Savage 1951, doi:10.1080/01621459.1951.10500768).
    Nothing is averaged over regimes and none is given a probability. Who can't be ranked in one of the regimes is
    shown with the reason.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: As in ranking.
        regimes: Ids of the regimes that are held plausible.
        kind: Which panel of each regime.
        method: Id of a ranking method that doesn't compare alternatives with each other.
        end: Where undetermined metrics are taken for the rank and the regrets; who can't be reached there is not ranked
            in that regime.

    Returns:
        ``candidate_id``, ``name``, ``rank``, ``max_regret``, ``worst_regime``, ``reason`` and one
        ``regret:<regime_id>`` each. ``max_regret_low`` and ``max_regret_high`` are the least and the most that the
        largest regret can be while undetermined metrics lie anywhere between their ends: own ends against the others'
        reverse; infinite for who can't be reached at an end. ``rank_best`` and ``rank_worst`` hold the ranks that
        these ends allow.

    Raises:
        ScoringError: no regime, an unknown one, min-max scaling or a method that compares alternatives with each
            other (such scores don't compare across regimes), or criteria that differ between the regimes.
    """
    if matrix.scaling != Scaling.ANCHORS or get_method(method).compares_alternatives:
        others = " or ".join(other.id for other in all_methods() if not other.compares_alternatives)
        raise ScoringError(f"regret across regimes needs scores on fixed anchors: use anchors and {others}")
    if not regimes:
        raise ScoringError("regret: name at least one plausible regime")
    wholes = [matrix.panel(regime, kind) for regime in dict.fromkeys(regimes)]
    panels = [panel.pinned(end) for panel in wholes]
    empty = [panel.regime_id for panel in panels if not panel.candidate_ids]
    if empty:
        raise ScoringError(f"regret: nobody is ranked under '{empty[0]}': leave it out")
    if len({panel.criterion_ids for panel in panels}) > 1:
        raise ScoringError("regret: the regimes are not scored on the same criteria, so regrets don't compare")
    regrets: dict[str, pd.Series] = {}
    for panel in panels:
        resolved = panel_weights(panel, weights).values
        scores = pd.Series(score(panel, resolved, method), index=list(panel.candidate_ids), dtype=float)
        # Series align on the candidate ids, since regimes need not rank the same candidates in the same order.
        regrets[panel.regime_id] = scores.max() - scores
    # Who can't be reached at this end under any of the regimes may be ranked at the other, and is shown too.
    everybody = dict.fromkeys(who for panel in (*panels, *wholes) for who in panel.candidate_ids)
    table = pd.DataFrame(regrets, index=list(everybody))
    # The largest regret is known only for those that are ranked in every regime: a gap is not a regret of zero.
    complete = table.dropna()
    out = pd.DataFrame({"candidate_id": table.index, "name": [_name(wholes, matrix, who) for who in table.index]})
    ranks = pd.Series(competition_ranks(-complete.max(axis=1).to_numpy())[0], index=complete.index)
    out["rank"] = ranks.reindex(table.index).astype("Int64").array
    out["max_regret"] = complete.max(axis=1).reindex(table.index).to_numpy()
    worst = complete.idxmax(axis=1) if len(complete) else pd.Series(dtype=object)
    out["worst_regime"] = worst.reindex(table.index).fillna("").to_numpy()
    out["reason"] = [_gap(row) for _, row in table.iterrows()]
    out = out.assign(**_regret_ends(wholes, weights, method, list(table.index)))
    for regime in table.columns:
        out[f"regret:{regime}"] = table[regime].to_numpy()
    return out.sort_values(["rank", "max_regret"], kind="stable", ignore_index=True)


def _regret_ends(panels: Sequence[Panel], weights: WeightsLike, method: str, ids: list[str]) -> dict[str, Floats]:
    """Least and greatest largest regret of each alternative, and the ranks between that these allow, ``(n,)`` each.

    A score rises with each of its own metrics and hangs on nobody else's, so that a regret is least at the own best
    ends against the others' worst ones, and greatest at the reverse.
    """
    least, most = pd.DataFrame(index=ids), pd.DataFrame(index=ids)
    for panel in panels:
        resolved = panel_weights(panel, weights).values
        worst, best = (score(panel, resolved, method, panel.metrics_at(end)) for end in (End.WORST, End.BEST))
        # Who may be lost is, at its worst, in nobody's way.
        sunk = np.where(panel.may_be_lost, -np.inf, worst)
        # Regret is least with the alternative at its best end and all others at their worst, and greatest the other way
        # round.
        for name, own, others, found in (("low", best, sunk, least), ("high", worst, best, most)):
            values = [
                max(float(np.delete(others, row).max(initial=-np.inf)) - float(own[row]), 0.0)
                for row in range(len(panel.candidate_ids))
            ]
            if name == "high":
                # Where an alternative may be lost, nothing bounds its regret.
                values = [np.inf if lost else value for value, lost in zip(values, panel.may_be_lost, strict=True)]
            found[panel.regime_id] = pd.Series(values, index=list(panel.candidate_ids), dtype=float).reindex(ids)
    # A gap in one regime makes the largest regret unknown, so gaps are not skipped.
    low, high = (found.max(axis=1, skipna=False).to_numpy(dtype=float) for found in (least, most))
    known = ~np.isnan(low)
    # For i against j: is j behind i whatever the metrics are, and is j ahead of i whatever they are. The first place
    # possible lies behind those surely ahead, and the last one before those surely behind.
    ahead = [
        [low[j] > high[i] + ROUNDING, high[j] < low[i] - ROUNDING] for i in range(len(ids)) for j in range(len(ids))
    ]
    table = np.array(ahead, dtype=bool).reshape(len(ids), len(ids), 2) & known[None, :, None]
    count = int(known.sum())
    first = np.where(known, 1.0 + table[:, :, 1].sum(axis=1), np.nan)
    last = np.where(known, count - table[:, :, 0].sum(axis=1), np.nan)
    return {"max_regret_low": low, "max_regret_high": high, "rank_best": first, "rank_worst": last}


def _gap(row: pd.Series) -> Value:
    absent = [str(regime) for regime in row.index[row.isna()]]
    if not absent:
        return ""
    return not_ranked(Message("reason.not_ranked_in", {"regimes": listing(absent, ListStyle.COMMA)}))


def _name(panels: Sequence[Panel], matrix: DecisionMatrix, candidate_id: str) -> str:
    for panel in panels:
        if candidate_id in panel.candidate_ids:
            return panel.names[panel.candidate_ids.index(candidate_id)]
    found = matrix.excluded.loc[matrix.excluded["candidate_id"] == candidate_id, "name"]
    return str(found.iloc[0]) if len(found) else candidate_id
