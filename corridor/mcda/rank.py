"""Scores and ranks, the intervals that they have where metrics are undetermined, ties and the reasons behind them.

A rank interval holds the ranks that an alternative can have while undetermined metrics lie anywhere between their ends.
Only they vary; every other metric stays at its middle. What varies in a quoted range is the business of
:mod:`corridor.mcda.robustness`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, End, Panel, not_ranked, reasons_of, scale
from corridor.mcda.method import LinearMethod
from corridor.mcda.methods import DEFAULT_METHOD, all_methods, get_method
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.plugins import nearest_name
from corridor.schema.message import Message, Value
from corridor.schema.vocabulary import Direction, FirstPlace, Scaling

# --- Scores of a panel, and ranks of scores with ties within measurement tolerance ---

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


def competition_ranks(scores: Floats, width: float | Floats = 0.0) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rank scores, best first: one more than the number of alternatives that are ahead by more than the tolerance.

    Nobody's rank hangs on how others tie among themselves, a better score never gives a worse rank, and whoever is
    within tolerance of the best is first too. A chain of small steps isn't one tie.

    Args:
        scores: ``(n,)``, more is better.
        width: Differences up to it are within measurement tolerance; one for all, or ``(n, n)`` pair by pair.

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


def tie_widths(panel: Panel, weights: Floats, method: str) -> Floats:
    """How far two scores may lie apart within measurement tolerance, pair by pair.

    It is :func:`tie_width`, but nothing between a package and a route that it holds: both were measured on the same
    line with the same errors, and what sets them apart is what the package adds, which is known to be there.

    Args:
        panel: ``n`` alternatives and ``m`` criteria.
        weights: ``(m,)``, summing to 1.
        method: Id of a ranking method.

    Returns:
        ``(n, n)``, symmetric.
    """
    return np.where(panel.holds, 0.0, tie_width(panel, weights, method))


Ranks = NDArray[np.int64]

RANK_COLUMNS = ("rank", "rank_best", "rank_worst", "ranks", "first")
SCORE_COLUMNS = ("score", "score_low", "score_high")
NOT_RANKED = "not ranked"

MOST_CORNERS = 4096
"""Combinations of ends that are all looked at; of more, this many are drawn."""
INNER_DRAWS = 1000
"""Points drawn between the ends for methods whose extreme ranks need not lie at them."""


@dataclass(frozen=True, slots=True, eq=False)
class RankIntervals:
    """Ranks that the ``n`` alternatives of a panel can have.

    ``best`` and ``worst`` are ranks from 1. ``may_be_lost`` are alternatives that can't be reached at an end of an
    undetermined metric: there they have no rank at all, ``worst`` is the worst while they have one, and they are never
    first for sure. ``low`` and ``high`` are the ends of their scores, NaN where there is none. ``exact`` is false where
    the ranks were looked for at all ends and at points between (an inner bound: a rank outside may be possible).
    """

    best: Ranks
    worst: Ranks
    may_be_lost: NDArray[np.bool_]
    low: Floats
    high: Floats
    exact: bool

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Which alternatives have one rank whatever the undetermined metrics are."""
        return np.asarray((self.best == self.worst) & ~self.may_be_lost)

    @property
    def first(self) -> tuple[FirstPlace, ...]:
        """Who is first for sure, and who is at best."""
        sure = (self.best == 1) & self.certain
        return tuple(
            FirstPlace.FOR_SURE if for_sure else FirstPlace.AT_BEST if best == 1 else FirstPlace.NO
            for for_sure, best in zip(sure, self.best, strict=True)
        )


def rank_intervals(panel: Panel, weights: WeightsLike, method: str = DEFAULT_METHOD, *, seed: int = 0) -> RankIntervals:
    """Best and worst rank of every alternative over its own and the others' undetermined metrics.

    An alternative has rank ``1 + number of others ahead by more than the tolerance``. For the weighted sum on anchors
    this is exact: a score rises with each of its own metrics and hangs on nobody else's, so the best rank is that of
    the own best ends against the worst ends of all others, the worst rank the reverse. For other methods ranks are
    looked for at all combinations of ends (a sample of :data:`MOST_CORNERS` where there are more) and at
    :data:`INNER_DRAWS` points between.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        method: Id of a ranking method.
        seed: Of what is drawn; the same seed gives the same answer.

    Raises:
        ScoringError: unknown method, or weights that can't be used.

    Example:
        Scores 0.8, [0.5, 0.9] and 0.6 give ranks 1-2, 1-3 and 2-3.
    """
    return _intervals(panel, panel_weights(panel, weights).values, method, seed)


def _intervals(panel: Panel, resolved: Floats, method: str, seed: int = 0) -> RankIntervals:
    """As :func:`rank_intervals`, of weights ``(m,)`` that sum to 1."""
    found = get_method(method)
    lost = panel.may_be_lost
    # Who may be lost by a figure that isn't scored leaves its place open to others too.
    if not panel.undetermined.any() and not lost.any():
        scores = score(panel, resolved, method)
        ranks, _ = competition_ranks(scores, tie_widths(panel, resolved, method))
        return RankIntervals(ranks, ranks, lost, scores, scores, True)
    apart = panel.scaling == Scaling.ANCHORS and not found.compares_alternatives
    if apart:
        # A score hangs on nobody else: the ends of each alternative's own suffice, in whatever company.
        exact = isinstance(found, LinearMethod)
        low, high = _own_ends(panel, resolved, method, exact, seed)
        width = tie_widths(panel, resolved, method)
        best, worst = _ranks_of_ends(low, high, lost, width)
        return RankIntervals(best, worst, lost, _gone(low, lost), high, exact)
    return _searched(panel, resolved, method, seed)


def _gone(scores: Floats, lost: NDArray[np.bool_]) -> Floats:
    """Lower ends of scores: there is none where an alternative may not be ranked at all."""
    return np.where(lost, np.nan, scores)


def _own_ends(panel: Panel, weights: Floats, method: str, exact: bool, seed: int) -> tuple[Floats, Floats]:
    """Least and greatest score of each alternative over its own undetermined metrics."""
    if exact:
        worst, best = (score(panel, weights, method, panel.metrics_at(end)) for end in (End.WORST, End.BEST))
        return worst, best
    scores = score(panel, weights, method, _tables(panel, seed, own=True))
    return scores.min(axis=0), scores.max(axis=0)


def _ranks_of_ends(low: Floats, high: Floats, lost: NDArray[np.bool_], width: Floats) -> tuple[Ranks, Ranks]:
    """Ranks from independent ranges of scores: own best against the others' worst, and the reverse."""
    # Who may be lost is, at its worst, in nobody's way.
    sunk = np.where(lost, -np.inf, low)
    others = ~np.eye(len(low), dtype=bool)
    slack = width + ROUNDING
    # [i, j]: j is ahead of i beyond tolerance, whatever happens; or it can be.
    surely = (sunk[None, :] - high[:, None] > slack) & others
    perhaps = (high[None, :] - low[:, None] > slack) & others
    return 1 + surely.sum(axis=1), 1 + perhaps.sum(axis=1)


def _searched(panel: Panel, weights: Floats, method: str, seed: int) -> RankIntervals:
    """Least and greatest rank over many tables, with and without those that may be lost."""
    tables = _tables(panel, seed, own=False)
    count = len(panel.candidate_ids)
    best, worst = np.full(count, count), np.ones(count, dtype=np.int64)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    everybody = np.arange(count)
    # Who may be lost can change the ranks of others, so all tables are looked at with it and without it.
    companies = [everybody]
    if panel.may_be_lost.any():
        companies.append(np.flatnonzero(~panel.may_be_lost))
    for who in companies:
        if not len(who):
            continue
        part = panel.take(who)
        scores = score(part, weights, method, tables[:, who])
        slack = tie_widths(part, weights, method) + ROUNDING
        # (tables, i, j): j is ahead of i beyond tolerance.
        ranks = 1 + (scores[:, None, :] - scores[:, :, None] > slack).sum(axis=2)
        best[who] = np.minimum(best[who], ranks.min(axis=0))
        worst[who] = np.maximum(worst[who], ranks.max(axis=0))
        low[who] = np.minimum(low[who], scores.min(axis=0))
        high[who] = np.maximum(high[who], scores.max(axis=0))
    return RankIntervals(best, worst, panel.may_be_lost, _gone(low, panel.may_be_lost), high, False)


def _tables(panel: Panel, seed: int, own: bool) -> Floats:
    """Tables of metrics ``(tables, n, m)`` with undetermined cells at their ends and between.

    Args:
        panel: Alternatives that are ranked together.
        seed: Of what is drawn.
        own: Whether each alternative's combinations are needed by themselves only: all of them then take as many tables
            as the alternative with most undetermined cells has combinations.
    """
    rng = np.random.default_rng(seed)
    worst, best = panel.metrics_at(End.WORST), panel.metrics_at(End.BEST)
    open_cells = panel.undetermined
    count = int(open_cells.sum(axis=1).max() if own else open_cells.sum())
    # Each row is a combination: True takes the best end of a cell.
    if 2**count <= MOST_CORNERS:
        picks = np.array(list(product((False, True), repeat=count)), dtype=bool)
    else:
        picks = rng.random((MOST_CORNERS, count)) < 0.5
        # The corners where all is worst or all is best are always among those looked at.
        picks[0], picks[1] = False, True
    share = np.zeros((len(picks) + INNER_DRAWS, *open_cells.shape))
    share[len(picks) :] = rng.random((INNER_DRAWS, *open_cells.shape))
    # With scores that hang on nobody else, each alternative runs through the combinations of its own cells; who has
    # fewer repeats some.
    if own:
        for row, cells in enumerate(open_cells):
            columns = np.flatnonzero(cells)
            share[: len(picks), row, columns] = picks[:, : len(columns)]
    else:
        share[: len(picks), open_cells] = picks
    # Determined cells are the same at both ends.
    return np.asarray(worst + share * (best - worst))


def rank_alternatives(matrix: DecisionMatrix, weights: WeightsLike, method: str = DEFAULT_METHOD) -> pd.DataFrame:
    """Rank every panel of a decision matrix.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: A perspective, a mapping of groups or of criteria, or a number per criterion.
        method: Id of a ranking method; :func:`corridor.mcda.methods.method_ids` lists them.

    Returns:
        A row per alternative, also of those that can't be ranked: ``candidate_id``, ``name``, ``regime_id``,
        ``panel``, ``rank`` (nullable integer; empty where it hangs on what is undetermined), ``rank_best`` and
        ``rank_worst``, ``ranks`` (both in words: ``1-4``; ``1-not ranked`` where an end can't be reached, and
        ``rank_worst`` is empty), ``first`` (``for sure``, ``at best`` or nothing), ``score``, ``score_low``,
        ``score_high``, ``tied``, ``reason`` (a message, empty where ranked), then one
        ``contribution:<criterion_id>`` per criterion, empty where the metric is undetermined. For methods that are
        linear in the weights contributions sum to the score; for the others they are weight times value, which says
        what speaks for an alternative. ``undetermined`` names the criteria whose metrics are, and ``telling_weight``
        is the share of the weight that lies on criteria which tell the alternatives of the panel apart. Within equal
        ranks the better score comes first, and equal scores stand in the order of the matrix. ``attrs["notes"]`` has
        what a reader must be told, as messages.

    Raises:
        ScoringError: unknown method, or weights that can't rank a panel.
    """
    found = get_method(method)
    notes: list[Value] = list(matrix.notes)
    parts = []
    for panel in matrix.panels:
        if panel.candidate_ids:
            resolved = panel_weights(panel, weights)
            notes.extend(Message("note.in_panel", {"where": panel.where, "note": note}) for note in resolved.notes)
            found_ranks = _intervals(panel, resolved.values, method)
            if not found_ranks.exact:
                notes.append(Message("note.inner_bound", {"where": panel.where, "method": found.label}))
            parts.append(_rank_panel(panel, resolved.values, method, found_ranks))
    parts.append(_not_ranked(matrix.excluded))
    columns = ["candidate_id", "name", "regime_id", "panel", *RANK_COLUMNS, *SCORE_COLUMNS]
    columns += ["tied", "undetermined", "telling_weight", "reason"]
    columns += [f"contribution:{criterion.criterion_id}" for criterion in matrix.criteria]
    # One table made at once: joining one of each panel takes longer than ranking them.
    cells = {
        name: [cell for part in parts for cell in part.get(name, [np.nan] * len(part["candidate_id"]))]
        for name in columns
    }
    table = pd.DataFrame(cells)
    for column in ("rank", "rank_best", "rank_worst"):
        table[column] = table[column].astype("Int64")
    table["tied"] = table["tied"].astype(bool)
    # What holds for every ranking by this method comes after what holds for these weights and data.
    notes.extend(found.notes)
    table.attrs["notes"] = list(dict.fromkeys(notes))
    return table


def _rank_panel(panel: Panel, weights: Floats, method: str, ranks: RankIntervals) -> dict[str, list[Any]]:
    """Columns of the table of one panel, its alternatives from best to worst."""
    certain, worst = ranks.certain, np.where(ranks.may_be_lost, -1, ranks.worst)
    # One figure where both ends are the same; else neither end is a middle.
    scores = np.where(ranks.high - ranks.low <= ROUNDING, ranks.high, np.nan)
    exact = np.where(certain, ranks.best, -1)
    tied = [bool(certain[i]) and int(np.sum(exact == rank)) > 1 for i, rank in enumerate(exact)]
    count = len(panel.candidate_ids)
    table: dict[str, list[Any]] = {
        "candidate_id": list(panel.candidate_ids),
        "name": list(panel.names),
        "regime_id": [panel.regime_id] * count,
        "panel": [panel.kind] * count,
        "rank": [rank if rank >= 0 else pd.NA for rank in exact.tolist()],
        "rank_best": ranks.best.tolist(),
        "rank_worst": [rank if rank >= 0 else pd.NA for rank in worst.tolist()],
        "ranks": [rank_words(*ends) for ends in zip(ranks.best.tolist(), worst.tolist(), strict=True)],
        "first": [str(first) for first in ranks.first],
        "score": scores.tolist(),
        "score_low": ranks.low.tolist(),
        "score_high": ranks.high.tolist(),
        "tied": tied,
        "undetermined": ["; ".join(np.array(panel.criterion_ids)[cells].tolist()) for cells in panel.undetermined],
        "telling_weight": [float(weights[panel.tells_apart].sum())] * count,
        "reason": [""] * count,
    }
    added = get_method(method).contributions(panel.values, weights, tolerance_in_value(panel))
    for criterion, column in zip(panel.criteria, added.T.tolist(), strict=True):
        table[f"contribution:{criterion.criterion_id}"] = column
    # Who may be lost comes after who is surely ranked as well; never by name.
    order = np.lexsort((-ranks.high, ranks.worst, ranks.may_be_lost, ranks.best)).tolist()
    return {name: [cells[index] for index in order] for name, cells in table.items()}


def rank_words(best: int, worst: int) -> str:
    """Ranks as they are written: ``2``, ``1-4``, or ``1-not ranked`` where the worst is no rank (below 1).

    Args:
        best: From 1.
        worst: From 1; less where there is none.
    """
    if worst < 1:
        return f"{best}-{NOT_RANKED}"
    return str(best) if best == worst else f"{best}-{worst}"


def _not_ranked(excluded: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns of the alternatives that can't be ranked, a row each with its reasons joined."""
    keys = ["candidate_id", "name", "regime_id", "panel"]
    rows = []
    # An alternative may lack several values: one row, all reasons.
    for key, reasons in excluded.groupby(keys, sort=False):
        why = dict.fromkeys(part for reason in reasons["reason"] for part in reasons_of(reason))
        rows.append((*key, not_ranked(*why)))
    table = {name: [row[index] for row in rows] for index, name in enumerate((*keys, "reason"))}
    table |= {name: [pd.NA] * len(rows) for name in ("rank", "rank_best", "rank_worst")}
    table |= {name: [np.nan] * len(rows) for name in SCORE_COLUMNS}
    table |= {name: [""] * len(rows) for name in ("ranks", "first", "undetermined")}
    return table | {"tied": [False] * len(rows)}


def under_regime(ranking: pd.DataFrame, regime: str | None) -> pd.DataFrame:
    """The rows of a ranking under one set of rules; all of them if none is named.

    Args:
        ranking: with ``regime_id``.
        regime: its id.

    Raises:
        ScoringError: nothing is ranked under it; lists those that there are.
    """
    if regime is None:
        return ranking
    known = [key for key in dict.fromkeys(ranking["regime_id"]) if key]
    if regime not in known:
        there = f"there are: {', '.join(known)}" if known else "the study has none"
        raise ScoringError(f"regime '{regime}' is unknown{nearest_name(regime, known)}; {there}")
    kept = ranking[ranking["regime_id"] == regime].reset_index(drop=True)
    # Notes of a ranking travel with the table: pandas drops them where rows are chosen.
    kept.attrs = dict(ranking.attrs)
    return kept
