"""How much of a ranking survives other weights and other metrics: SMAA-2.

Stochastic multicriteria acceptability analysis (Lahdelma and Salminen 2001, doi:10.1287/opre.49.3.444.11220; the
computation follows Tervonen and Lahdelma 2007, doi:10.1016/j.ejor.2005.12.037).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.draws import Spread, WeightSpace, draw_metrics, draw_weights, has_intervals
from corridor.mcda.matrix import Panel
from corridor.mcda.methods import DEFAULT_METHOD, get_method
from corridor.mcda.scores import cross_score, score
from corridor.schema.message import Message

Floats = NDArray[np.float64]
Ranks = NDArray[np.int16]

# Small enough that the matrix products stay on one thread: on a busy machine more threads make them four times slower.
_CHUNK = 512
_ROUNDING = 1e-12
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """What SMAA says of one panel of ``n`` alternatives and ``m`` criteria.

    ``acceptability[i, r]`` is the share of draws in which alternative i has rank r + 1; a tie is split evenly over the
    ranks that it takes, so that rows and columns sum to 1. ``central_weights[i]`` is the mean of the weights that put i
    first, NaN if none did. ``confidence[i]`` is the chance that i comes first with its central weights, given the
    metric intervals. ``pairwise[i, j]`` is the share of draws in which i ranks better than j.
    """

    candidate_ids: tuple[str, ...]
    names: tuple[str, ...]
    criterion_ids: tuple[str, ...]
    acceptability: Floats
    central_weights: Floats
    confidence: Floats
    pairwise: Floats
    draws: int
    seed: int
    method: str
    notes: tuple[Message, ...]

    @property
    def error_95(self) -> float:
        """Half-width of the 95 % interval of the least certain acceptability, from the number of draws alone."""
        return convergence_error(self.acceptability, self.draws)

    def acceptability_table(self) -> pd.DataFrame:
        """Rank acceptabilities: a row per candidate, a column per rank.

        Returns:
            Shares between 0 and 1.
        """
        ranks = [f"rank {rank}" for rank in range(1, len(self.candidate_ids) + 1)]
        return pd.DataFrame(self.acceptability, index=self._index(), columns=ranks)

    def central_weights_table(self) -> pd.DataFrame:
        """Central weights and confidence factor: a row per candidate.

        Returns:
            A column per criterion, and the factor.
        """
        table = pd.DataFrame(self.central_weights, index=self._index(), columns=list(self.criterion_ids))
        table.insert(0, "confidence", self.confidence)
        table.insert(0, "first", self.acceptability[:, 0])
        return table

    def pairwise_table(self) -> pd.DataFrame:
        """Share of draws in which the row ranks better than the column.

        Returns:
            Shares between 0 and 1.
        """
        return pd.DataFrame(self.pairwise, index=self._index(), columns=list(self.candidate_ids))

    def _index(self) -> pd.Index:
        return pd.Index(self.candidate_ids, name="candidate_id")


def convergence_error(acceptability: Floats, draws: int) -> float:
    """Half-width of the 95 % interval of the least certain of some shares found by counting draws.

    Args:
        acceptability: Shares between 0 and 1, any shape.
        draws: From how many draws they were counted.

    Example:
        A share of 0.5 from 9604 draws is known to 0.01 (Tervonen and Lahdelma 2007).
    """
    return float(_NORMAL_95 * np.sqrt(np.max(acceptability * (1.0 - acceptability)) / draws))


def measure_robustness(
    panel: Panel,
    *,
    method: str = DEFAULT_METHOD,
    space: WeightSpace | None = None,
    draws: int = 10_000,
    seed: int = 0,
    spread: Spread = "uniform",
    metric_draws: Floats | None = None,
) -> Robustness:
    """Rank a panel under many weights and metrics (SMAA-2).

    Args:
        panel: Alternatives that are ranked together.
        method: Id of a ranking method.
        space: Which weights are possible; evenly over all criteria if left out.
        draws: How many.
        seed: Any whole number from 0 on; the same seed gives the same answer.
        spread: How metrics vary inside their intervals.
        metric_draws: ``(draws, n, m)`` metrics drawn elsewhere (correlated errors of a terrain model), in place of
            the intervals.

    Raises:
        ScoringError: no alternatives, fewer than one draw, a negative seed, or weights that can't be drawn.
    """
    get_method(method)
    panel.require_determined("robustness")
    count, criteria = panel.metrics.shape
    if not count:
        raise ScoringError(f"robustness: {panel.label} has no alternatives that can be ranked")
    if draws < 1 or seed < 0:
        raise ScoringError("robustness: draws must be at least 1 and the seed 0 or more")
    if metric_draws is not None and metric_draws.shape != (draws, count, criteria):
        raise ScoringError(f"robustness: metric draws must have shape {(draws, count, criteria)}")
    if metric_draws is not None and not np.isfinite(metric_draws).all():
        raise ScoringError("robustness: metric draws hold something that is not a finite number")
    # Independent streams: asking for more metrics doesn't change which weights are drawn.
    weight_rng, metric_rng, confidence_rng = np.random.default_rng(seed).spawn(3)
    weights = draw_weights(panel, space or WeightSpace(), draws, weight_rng)
    # Counted chunk by chunk, so that memory doesn't grow with the draws.
    first = np.zeros(count)
    rank_counts, wins = np.zeros((count, count)), np.zeros((count, count))
    central = np.zeros((count, criteria))
    for rows, metrics in _metric_chunks(panel, draws, metric_rng, spread, metric_draws):
        ranks = rank_draws(score(panel, weights[rows], method, metrics))
        rank_counts += _count_ranks(ranks)
        wins += _count_wins(ranks)
        leads = (ranks == 1).astype(float)
        first += leads.sum(axis=0)
        # Sum of the weights of those draws that put each alternative first; the mean follows below.
        central += leads.T @ weights[rows]
    central = np.where(first[:, None] > 0, central / np.maximum(first, 1.0)[:, None], np.nan)
    confidence = _confidence(panel, method, central, draws, confidence_rng, spread, metric_draws)
    return Robustness(
        panel.candidate_ids,
        panel.names,
        panel.criterion_ids,
        rank_counts / draws,
        central,
        confidence,
        wins / draws,
        draws,
        seed,
        method,
        _notes(panel, metric_draws),
    )


def rank_draws(scores: Floats) -> Ranks:
    """Ranks from 1 for each row of scores ``(draws, n)``, more is better; ties share the better rank.

    Args:
        scores: ``(draws, n)``.
    """
    order = np.argsort(-scores, axis=1)
    falling = np.take_along_axis(scores, order, axis=1)
    # Along falling scores everybody has the place where they stand; who is level with the one before gets 0, and the
    # running maximum hands down the place of the first of the tie.
    place = np.broadcast_to(np.arange(scores.shape[1], dtype=np.int16), scores.shape).copy()
    place[:, 1:][falling[:, :-1] - falling[:, 1:] <= _ROUNDING] = 0
    shared = np.maximum.accumulate(place, axis=1) + np.int16(1)
    ranks = np.empty(scores.shape, dtype=np.int16)
    np.put_along_axis(ranks, order, shared, axis=1)
    return ranks


def _count_ranks(ranks: Ranks) -> Floats:
    """How often each alternative has each rank, ``(n, n)``; who ties with g - 1 others has 1/g of each of g ranks."""
    count = ranks.shape[1]
    tied = (ranks[:, :, None] == ranks[:, None, :]).sum(axis=2)
    # One flat index for (alternative, rank) counts all draws at once.
    cells = ranks.astype(np.int64) - 1 + count * np.arange(count)
    total = np.zeros(count * count)
    for further in range(int(tied.max(initial=1))):
        inside = tied > further
        total += np.bincount((cells + further)[inside], weights=1.0 / tied[inside], minlength=count * count)
    return total.reshape(count, count)


def _count_wins(ranks: Ranks) -> Floats:
    # (n, draws): each comparison runs along contiguous memory.
    by_candidate = np.ascontiguousarray(ranks.T)
    return np.array([np.count_nonzero(own < by_candidate, axis=1) for own in by_candidate], dtype=float)


def _metric_chunks(
    panel: Panel, draws: int, rng: np.random.Generator, spread: Spread, given: Floats | None
) -> Iterator[tuple[slice, Floats | None]]:
    """Rows of draws and their metrics, a thousand at a time; None where the metrics are certain."""
    certain = given is None and not has_intervals(panel)
    for start in range(0, draws, _CHUNK):
        rows = slice(start, min(start + _CHUNK, draws))
        if given is not None:
            yield rows, given[rows]
        else:
            yield rows, None if certain else draw_metrics(panel, rows.stop - start, rng, spread)


def _confidence(
    panel: Panel,
    method: str,
    central: Floats,
    draws: int,
    rng: np.random.Generator,
    spread: Spread,
    given: Floats | None,
) -> Floats:
    """Chance of coming first with one's own central weights."""
    # Who was never first has no central weights, hence no confidence.
    seen = np.flatnonzero(~np.isnan(central).any(axis=1))
    leads = np.zeros(len(seen))
    total = 0
    # Without intervals every draw is the panel itself: one tells all.
    if given is None and not has_intervals(panel):
        draws = 1
    for rows, metrics in _metric_chunks(panel, draws, rng, spread, given):
        total += rows.stop - rows.start
        scores = cross_score(panel, central[seen], method, panel.metrics[None] if metrics is None else metrics)
        # scores is (sets, draws, n), a set of central weights for each seen alternative: take each one's own score.
        own = np.take_along_axis(scores, seen[:, None, None], axis=2)[..., 0]
        leads += np.sum(own >= scores.max(axis=2) - _ROUNDING, axis=1)
    confidence = np.full(len(central), np.nan)
    confidence[seen] = leads / max(total, 1)
    return confidence


def _notes(panel: Panel, given: Floats | None) -> tuple[Message, ...]:
    if given is not None:
        return (Message("note.drawn_from_errors"),)
    if has_intervals(panel):
        return (Message("note.drawn_over_ranges"),)
    return (Message("note.drawn_weights"),)
