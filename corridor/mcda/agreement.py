"""What a ranking owes to its method, to its weights and to its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, End, Panel, not_ranked, orient
from corridor.mcda.methods import DEFAULT_METHOD, all_methods, get_method, method_ids
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.mcda.rank import competition_ranks, linear_parts, score, tie_widths
from corridor.schema.column import Criterion
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.vocabulary import PanelKind, Scaling

Floats = NDArray[np.float64]

HIGH_CORRELATION = 0.8
_FEWEST = 3


def correlated_criteria(panel: Panel, threshold: float = HIGH_CORRELATION) -> pd.DataFrame:
    """List pairs of criteria that may measure the same thing.

    Metrics are turned so that more is better, so a positive correlation means that the two speak for the same
    alternatives and count them twice. Constant criteria and panels of fewer than three have no correlation.

    Args:
        panel: Alternatives that are ranked together.
        threshold: Size of a correlation from which on a pair is listed.

    Returns:
        Pairs whose Pearson or Spearman correlation reaches the threshold in size: ``first``, ``second``,
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
        if max(abs(pearson), abs(spearman)) >= threshold - 1e-12:
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


def method_agreement(panel: Panel, weights: WeightsLike, methods: Sequence[str] = ()) -> pd.DataFrame:
    """Kendall's tau-b between the rankings of the methods, a square table; 1 is the same order, -1 the reverse.

    NaN where a method ties everybody or there are fewer than two alternatives.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        methods: Ids of the methods to compare; all that there are if left out.
    """
    from scipy.stats import kendalltau

    methods = tuple(methods) or method_ids()
    # Ranks, not scores: scores of two methods share neither zero nor unit. Tau-b allows for ties.
    ranks = {method: panel_ranks(panel, weights, method) for method in methods}
    table = pd.DataFrame(np.eye(len(methods)), index=list(methods), columns=list(methods))
    for first, second in combinations(methods, 2):
        # One alternative has no order, so tau is not defined for it.
        enough = len(panel.candidate_ids) > 1
        tau = float(kendalltau(ranks[first], ranks[second]).statistic) if enough else float("nan")
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
            if before * after < 0 and min(abs(before), abs(after)) > 1e-12:
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
    panels = [matrix.panel(regime, kind).pinned(end) for regime in dict.fromkeys(regimes)]
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
    table = pd.DataFrame(regrets)
    # The largest regret is known only for those that are ranked in every regime: a gap is not a regret of zero.
    complete = table.dropna()
    out = pd.DataFrame({"candidate_id": table.index, "name": [_name(panels, matrix, who) for who in table.index]})
    ranks = pd.Series(competition_ranks(-complete.max(axis=1).to_numpy())[0], index=complete.index)
    out["rank"] = ranks.reindex(table.index).astype("Int64").array
    out["max_regret"] = complete.max(axis=1).reindex(table.index).to_numpy()
    worst = complete.idxmax(axis=1) if len(complete) else pd.Series(dtype=object)
    out["worst_regime"] = worst.reindex(table.index).fillna("").to_numpy()
    out["reason"] = [_gap(row) for _, row in table.iterrows()]
    wholes = [matrix.panel(regime, kind) for regime in dict.fromkeys(regimes)]
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
        # Regret is least with the alternative at its best end and all others at their worst, and greatest the other way
        # round.
        for name, own, others, found in (("low", best, worst, least), ("high", worst, best, most)):
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
    ahead = [[low[j] > high[i] + 1e-12, high[j] < low[i] - 1e-12] for i in range(len(ids)) for j in range(len(ids))]
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


# --- How little the weights must change for somebody else to win, and who that is ---
# Both answers are exact for methods that are linear in the weights (weighted sum, and PROMETHEE II through its flows
# per criterion). Others, such as TOPSIS, are refused rather than guessed at.

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
    groups = tuple(dict.fromkeys(criterion.group for criterion in panel.criteria))
    merged, base = np.zeros((len(parts), len(groups))), np.zeros(len(groups))
    for g, group in enumerate(groups):
        columns = [k for k, criterion in enumerate(panel.criteria) if criterion.group == group]
        base[g] = resolved[columns].sum()
        # Inside a group the shares stay as they are; one that weighs nothing is shared out evenly.
        inner = resolved[columns] / base[g] if base[g] > 0 else np.full(len(columns), 1.0 / len(columns))
        merged[:, g] = parts[:, columns] @ inner
    return groups, merged, base


def _nearest_weights(parts: Floats, base: Floats, challenger: int) -> Floats | None:
    """Weights nearest to ``base`` (L1) that make one alternative as good as all, or None if there are none.

    The unknowns are what each weight gains and what it loses; both are at least zero and no more is lost than there
    is.
    """
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


# --- Which inputs the winner's margin hangs on: global sensitivity with SALib ---

Screening = Literal["sobol", "morris"]


def winner_margin(
    panel: Panel,
    weights: WeightsLike,
    candidate_id: str,
    *,
    method: str = DEFAULT_METHOD,
    metrics: Floats | None = None,
) -> Floats:
    """Lead of one alternative over the best of the others; negative where it is not first.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        candidate_id: Whose lead.
        method: Id of a ranking method.
        metrics: Other metrics than the panel's own, ``(..., n, m)``.

    Raises:
        ScoringError: the candidate is not in the panel, or it is alone there.
    """
    if candidate_id not in panel.candidate_ids or len(panel.candidate_ids) < 2:
        raise ScoringError(f"margin: '{candidate_id}' has nobody to be compared with here")
    who = panel.candidate_ids.index(candidate_id)
    scores = score(panel, panel_weights(panel, weights).values, method, metrics)
    return np.asarray(scores[..., who] - np.delete(scores, who, axis=-1).max(axis=-1))


def measure_sensitivity(
    model: Callable[[Mapping[str, float]], float],
    ranges: Mapping[str, tuple[float, float]],
    *,
    screening: Screening = "sobol",
    samples: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Share the variation of a model's answer out over its inputs.

    ``sobol`` gives variance shares (Saltelli 2010, doi:10.1016/j.cpc.2009.09.018): ``first`` of the input alone and
    ``total`` with all its interactions, from ``samples * (inputs + 2)`` runs. ``morris`` gives mean absolute
    elementary effects ``mu_star`` and their spread ``sigma`` (Morris 1991, doi:10.1080/00401706.1991.10484804) from
    ``samples * (inputs + 1)`` runs: cheaper, for a ranking of inputs only.

    Args:
        model: From input values to one number, such as a margin.
        ranges: Lower and upper end per input (unit costs, speeds, check times, error of heights).
        screening: ``sobol`` or ``morris``.
        samples: Base samples; a power of two for ``sobol``.
        seed: Any whole number from 0 on.

    Returns:
        One row per input, the most influential first, with ``_conf`` columns (95 %, from resampling). All zero
        where the answer never changes.

    Raises:
        ScoringError: a range that is empty or upside down, samples that don't suit, SALib not installed, or an
            answer that is not a finite number.
    """
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ScoringError(f"sensitivity: the range of '{name}' is {low:g} to {high:g}: it must rise")
    if not ranges or samples < 2 or seed < 0:
        raise ScoringError("sensitivity: needs an input, at least 2 samples and a seed of 0 or more")
    if screening == "sobol" and samples & (samples - 1):
        raise ScoringError(f"sensitivity: {samples} samples is not a power of two, which sobol needs")
    if screening not in ("sobol", "morris"):
        raise ScoringError(f"sensitivity: '{screening}' is unknown: use 'sobol' or 'morris'")
    names = list(ranges)
    problem = {"num_vars": len(names), "names": names, "bounds": [list(ranges[name]) for name in names]}
    inputs = _sample(problem, screening, samples, seed)
    answers = np.array([float(model(dict(zip(names, row.tolist(), strict=True)))) for row in inputs])
    if not np.isfinite(answers).all():
        raise ScoringError("sensitivity: the model gave an answer that is not a finite number")
    columns = ("total", "total_conf", "first", "first_conf")
    if screening == "morris":
        columns = ("mu_star", "mu_star_conf", "mu", "sigma")
    # Shares of no variance are 0 / 0; nothing moves the answer, so every input moves it by nothing.
    if np.ptp(answers) == 0:
        found = {column: np.zeros(len(names)) for column in columns}
    else:
        found = _analyse(problem, screening, inputs, answers, seed)
    table = pd.DataFrame({"input": names} | {column: found[column] for column in columns})
    return table.sort_values(columns[0], ascending=False, kind="stable", ignore_index=True)


def measure_interval_sensitivity(
    panel: Panel,
    weights: WeightsLike,
    *,
    method: str = DEFAULT_METHOD,
    screening: Screening = "sobol",
    samples: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Which of the inputs behind the metrics' intervals the winner's lead hangs on.

    Criteria that name the same factor (unit costs, speeds, check times, heights) move together, all alternatives at
    once, from their low ends (0) over the metrics themselves (0.5) to their high ends (1); a criterion without a factor
    is an input of its own.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a ranking method.
        screening: ``sobol`` or ``morris``.
        samples: Base samples; a power of two for ``sobol``.
        seed: Any whole number from 0 on.

    Returns:
        As :func:`measure_sensitivity`; empty where no metric has an interval.

    Raises:
        ScoringError: fewer than two alternatives, or weights that can't be used.
    """
    if len(panel.candidate_ids) < 2:
        raise ScoringError(f"sensitivity: {panel.label}: fewer than two are ranked, so nobody leads")
    moving = np.any(panel.high > panel.low, axis=0)
    # Criteria of one factor are one input, as they move together.
    inputs = [c.factor or c.criterion_id for c in panel.criteria]
    names = list(dict.fromkeys(name for name, moves in zip(inputs, moving, strict=True) if moves))
    scores = score(panel, panel_weights(panel, weights).values, method)
    winner = panel.candidate_ids[int(np.argmax(scores))]

    def margin(at: Mapping[str, float]) -> float:
        share = np.array([at.get(name, 0.5) for name in inputs])
        # share 0 is the low end, 0.5 the metric itself, 1 the high end: two straight pieces, since a metric need not
        # lie in the middle of its interval.
        below, above = np.clip(1 - 2 * share, 0, 1), np.clip(2 * share - 1, 0, 1)
        metrics = panel.metrics + below * (panel.low - panel.metrics) + above * (panel.high - panel.metrics)
        return float(winner_margin(panel, weights, winner, method=method, metrics=metrics))

    if not names:
        return pd.DataFrame(columns=["input", "total", "total_conf", "first", "first_conf"])
    ranges = dict.fromkeys(names, (0.0, 1.0))
    return measure_sensitivity(margin, ranges, screening=screening, samples=samples, seed=seed)


def join_ends_of(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of sensitivities from those at the ends of what is undetermined.

    Args:
        tables: from :func:`measure_interval_sensitivity`, the one whose indices stand first.

    Returns:
        The first, with ``<index>_low`` and ``<index>_high``: the least and the greatest of its first index over all; an
        input that moves nothing at an end counts 0 there. One table alone stays as it is.
    """
    first, *others = tables
    if not others:
        return first
    index = str(first.columns[1])
    inputs = dict.fromkeys(name for table in tables for name in table["input"])
    # An input that is certain at one of the ends moves nothing there.
    shares = pd.DataFrame(
        {at: table.set_index("input")[index].astype(float) for at, table in enumerate(tables)}, index=list(inputs)
    ).fillna(0.0)
    found = first.set_index("input").reindex(list(inputs)).astype(float).fillna(0.0)
    found.insert(1, f"{index}_low", shares.min(axis=1))
    found.insert(2, f"{index}_high", shares.max(axis=1))
    return found.rename_axis("input").reset_index()


def _sample(problem: dict[str, Any], screening: Screening, samples: int, seed: int) -> Floats:
    try:
        sampler = import_module(f"SALib.sample.{screening}")
    except ImportError as error:
        raise ScoringError("sensitivity needs SALib: install it with pip install SALib") from error
    # A generator, because SALib takes the number 0 for "no seed" in places.
    options = {"calc_second_order": False} if screening == "sobol" else {}
    drawn = sampler.sample(problem, samples, seed=np.random.default_rng(seed), **options)
    return np.asarray(drawn, dtype=float)


def _analyse(
    problem: dict[str, Any], screening: Screening, inputs: Floats, answers: Floats, seed: int
) -> dict[str, Floats]:
    analyser = import_module(f"SALib.analyze.{screening}")
    rng = np.random.default_rng([seed, 1])
    if screening == "morris":
        found = analyser.analyze(problem, inputs, answers, seed=rng)
        return {name: np.asarray(found[name], dtype=float) for name in ("mu_star", "mu_star_conf", "mu", "sigma")}
    found = analyser.analyze(problem, answers, calc_second_order=False, seed=rng)
    keys = {"total": "ST", "total_conf": "ST_conf", "first": "S1", "first_conf": "S1_conf"}
    return {name: np.asarray(found[key], dtype=float) for name, key in keys.items()}
