"""How much of a ranking survives other weights and other metrics: SMAA-2, its random draws, and what is counted.

Stochastic multicriteria acceptability analysis (Lahdelma and Salminen 2001, doi:10.1287/opre.49.3.444.11220; the
computation follows Tervonen and Lahdelma 2007, doi:10.1016/j.ejor.2005.12.037).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import DecisionMatrix, Panel
from corridor.mcda.methods import DEFAULT_METHOD, get_method
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.mcda.rank import ROUNDING, cross_score, rank_intervals, score
from corridor.plugins import nearest_name
from corridor.schema.message import Message
from corridor.schema.results import FirstPlaces
from corridor.schema.vocabulary import FirstPlace, PanelKind

# --- Random weights and random metrics, always from a stated seed ---

Floats = NDArray[np.float64]
Order = tuple[tuple[str, str], ...]
Spread = Literal["uniform", "triangular"]

MOST_ORDERED = 16
_LEAST_ACCEPTED = 1e-3


@dataclass(frozen=True, slots=True)
class WeightSpace:
    """Which weights are thought possible, and how likely each is.

    ``over`` says what is drawn: single ``criteria``, or ``groups`` first and then the criteria inside each.
    ``order`` holds pairs (a, b): a weighs at least as much as b. Without ``centre`` all weights are equally likely
    (Dirichlet with all ones); with it they gather about those weights, the closer the larger ``concentration``.
    """

    over: Literal["criteria", "groups"] = "criteria"
    order: Order = ()
    centre: WeightsLike | None = None
    concentration: float = 20.0


def parse_order(text: str) -> Order:
    """Read ``border_access >= distance >= terrain, people >= terrain``.

    Args:
        text: Chains of names, separated by commas.

    Returns:
        Pairs (a, b): a weighs at least as much as b.

    Raises:
        ScoringError: a part isn't a chain of names joined by ``>=``.
    """
    pairs: list[tuple[str, str]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        names = [name.strip() for name in part.split(">=")]
        if len(names) < 2 or not all(names):
            raise ScoringError(f"order of weights: '{part}' is not of the form a >= b")
        pairs.extend(pairwise(names))
    return tuple(pairs)


def draw_weights(panel: Panel, space: WeightSpace, draws: int, rng: np.random.Generator) -> Floats:
    """Draw weights for the criteria of a panel, ``(draws, criteria)``, each row summing to 1.

    Args:
        panel: Alternatives that are ranked together.
        space: Which weights are possible, and how likely each is.
        draws: How many.
        rng: Generator that the draws come from.

    Raises:
        ScoringError: an unknown name in the order, an order that goes round in a circle, or weights that hardly ever
            meet it.
    """
    centre = None if space.centre is None else panel_weights(panel, space.centre).values
    if space.over == "criteria":
        return _draw(panel.criterion_ids, space, centre, draws, rng)
    if space.over != "groups":
        raise ScoringError(f"weights can be drawn over 'criteria' or 'groups', not '{space.over}'")
    members = panel.columns_by_group
    shares = None if centre is None else np.array([centre[columns].sum() for columns in members.values()])
    # Groups first, then criteria inside each: otherwise a group would weigh more the more criteria it has.
    outer = _draw(tuple(members), space, shares, draws, rng)
    weights = np.zeros((draws, len(panel.criteria)))
    for g, columns in enumerate(members.values()):
        # A group that has no weight at the centre has no shares to keep, so they are drawn evenly; else shares inside a
        # group stay.
        if centre is None or centre[columns].sum() <= 0:
            inner = rng.dirichlet(np.ones(len(columns)), draws)
        else:
            inner = np.broadcast_to(centre[columns] / centre[columns].sum(), (draws, len(columns)))
        weights[:, columns] = outer[:, [g]] * inner
    return weights


def _draw(
    names: Sequence[str], space: WeightSpace, centre: Floats | None, draws: int, rng: np.random.Generator
) -> Floats:
    order = _indices(names, space.order)
    if centre is None:
        # Exponentials over their sum are uniform on the simplex (Dirichlet with all ones).
        uniform = rng.standard_exponential((draws, len(names)))
        uniform /= uniform.sum(axis=1, keepdims=True)
        return _put_in_order(uniform, order, names, rng) if order else uniform
    if not space.concentration > 0:
        raise ScoringError("the concentration of weights about their centre must be above 0")
    kept: list[Floats] = []
    found, tried = 0, 0
    while found < draws:
        batch = _dirichlet(centre * space.concentration, draws, rng)
        # About a centre weights are not exchangeable, so draws that break the order are thrown away (rejection).
        good = batch[np.all([batch[:, a] >= batch[:, b] for a, b in order], axis=0)] if order else batch
        kept.append(good)
        found, tried = found + len(good), tried + draws
        # An order that the centre contradicts would let the loop run on for ever.
        if found < _LEAST_ACCEPTED * tried:
            raise ScoringError("order of weights: it contradicts the stated centre: hardly any draw meets it")
    return np.concatenate(kept)[:draws]


def _dirichlet(alpha: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Dirichlet draws in which a weight of zero stays zero."""
    weights = np.zeros((draws, len(alpha)))
    weights[:, alpha > 0] = rng.dirichlet(alpha[alpha > 0], draws)
    return weights


def _indices(names: Sequence[str], order: Order) -> list[tuple[int, int]]:
    pairs = []
    for pair in order:
        for name in pair:
            if name not in names:
                raise ScoringError(f"order of weights: '{name}' is not weighted here{nearest_name(name, names)}")
        pairs.append((names.index(pair[0]), names.index(pair[1])))
    return pairs


def _put_in_order(
    weights: Floats, order: Sequence[tuple[int, int]], names: Sequence[str], rng: np.random.Generator
) -> Floats:
    """Rearrange each row of uniform weights so that a partial order holds, keeping it uniform under the order.

    Uniform weights are exchangeable: given their sizes every arrangement is equally likely. So a row sorted from
    large to small is dealt out along an arrangement drawn evenly from all that respect the order. These are counted
    exactly over sets of names already dealt (dynamic programme), so nothing is ever rejected. Names that no order
    mentions keep their weight.
    """
    involved = sorted({index for pair in order for index in pair})
    count = len(involved)
    if count > MOST_ORDERED:
        raise ScoringError(f"order of weights: {count} weights are too many: at most {MOST_ORDERED} can be ordered")
    # Sets of names are bit masks: before[k] holds everybody who must be dealt a larger weight than k.
    before = np.zeros(count, dtype=np.int64)
    for larger, smaller in order:
        before[involved.index(smaller)] |= 1 << involved.index(larger)
    ways = _count_completions(count, before)
    if ways[0] == 0:
        listed = ", ".join(f"{names[a]} >= {names[b]}" for a, b in order)
        raise ScoringError(f"order of weights: it goes round in a circle: {listed}")
    # From the largest weight down: each place goes to one of those whose betters all have theirs, with a chance in
    # proportion to the ways in which the rest can then be dealt.
    sizes = -np.sort(-weights[:, involved], axis=1)
    arranged = np.empty_like(sizes)
    dealt = np.zeros(len(weights), dtype=np.int64)
    rows = np.arange(len(weights))
    bits = 1 << np.arange(count)
    for place in range(count):
        free = ((dealt[:, None] & bits) == 0) & ((dealt[:, None] & before) == before)
        chances = np.where(free, ways[np.minimum(dealt[:, None] | bits, len(ways) - 1)], 0.0)
        cumulative = np.cumsum(chances, axis=1)
        # Inverse of the cumulative chances, all draws at once.
        pick = (cumulative <= rng.random(len(weights))[:, None] * cumulative[:, [-1]]).sum(axis=1)
        arranged[rows, pick] = sizes[:, place]
        dealt |= bits[pick]
    weights[:, involved] = arranged
    return weights


def _count_completions(count: int, before: NDArray[np.int64]) -> Floats:
    """In how many ways the names left can be dealt, for every set of names dealt (a bit each)."""
    ways = np.zeros(1 << count)
    ways[-1] = 1.0
    # Backwards from the full set: adding a bit always gives a larger number, so what is needed is there already.
    for dealt in range((1 << count) - 2, -1, -1):
        ways[dealt] = sum(
            ways[dealt | (1 << k)]
            for k in range(count)
            if not dealt & (1 << k) and dealt & int(before[k]) == int(before[k])
        )
    return ways


def draw_metrics(panel: Panel, draws: int, rng: np.random.Generator, spread: Spread = "uniform") -> Floats:
    """Draw metrics from their intervals, ``(draws, alternatives, criteria)``, in the units of the criteria.

    Criteria with the same ``factor`` share one draw, for all alternatives: a unit price is high for everybody or for
    nobody. Without a factor every alternative is drawn by itself. Intervals are quoted ranges, not confidence
    intervals: ``uniform`` spreads evenly over them, ``triangular`` peaks at the stated metric.

    Args:
        panel: Alternatives that are ranked together.
        draws: How many.
        rng: Generator that the draws come from.
        spread: ``uniform`` or ``triangular``.

    Raises:
        ScoringError: unknown spread.
    """
    if spread not in ("uniform", "triangular"):
        raise ScoringError(f"spread '{spread}' is unknown: use 'uniform' or 'triangular'")
    panel.require_determined("draws of metrics")
    factors = tuple(dict.fromkeys(c.factor for c in panel.criteria if c.factor))
    # Shared draws come first, so that they stay the same when an alternative is added.
    shared = rng.random((draws, len(factors)))
    share = rng.random((draws, *panel.metrics.shape))
    # Criteria of one factor move together: each takes the same share of its own range.
    for column, criterion in enumerate(panel.criteria):
        if criterion.factor:
            share[:, :, column] = shared[:, [factors.index(criterion.factor)]]
    if spread == "uniform":
        return np.asarray(panel.low + share * (panel.high - panel.low))
    return _triangular(panel.low, np.clip(panel.metrics, panel.low, panel.high), panel.high, share)


def _triangular(low: Floats, mode: Floats, high: Floats, share: Floats) -> Floats:
    """Quantile of the triangular distribution."""
    span = high - low
    # The distribution function is a parabola on either side of the mode; share * span <= mode - low tells the side.
    below = np.sqrt(share * span * (mode - low))
    above = np.sqrt((1.0 - share) * span * (high - mode))
    return np.asarray(np.where(share * span <= mode - low, low + below, high - above))


def has_intervals(panel: Panel) -> bool:
    """Whether any metric of the panel is a range."""
    return bool(np.any(panel.high > panel.low))


# --- What is counted of rankings: which criteria tell routes apart, and who comes first how often ---
# A ranking is counted by its inputs, the criteria matrix and the weights: the same inputs under another perspective
# or set of rules are the same ranking said again and count once; equal orders from different inputs count each.

_DIGITS = 9


def telling_weight(panel: Panel, weights: WeightsLike) -> float:
    """Share of the weight that lies on criteria which tell the alternatives of a panel apart, 0 to 1.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
    """
    return float(panel_weights(panel, weights).values[panel.tells_apart].sum())


def distinct_views(panel: Panel, perspectives: Mapping[str, WeightsLike]) -> tuple[str, ...]:
    """Perspectives that weigh the criteria of a panel differently; of those that weigh them alike the first, by name.

    Args:
        panel: Alternatives that are ranked together.
        perspectives: Weights by name.
    """
    found: dict[tuple[float, ...], str] = {}
    for name, weights in perspectives.items():
        # Weights that differ by rounding alone are one point of view.
        found.setdefault(tuple(np.round(panel_weights(panel, weights).values, _DIGITS).tolist()), name)
    return tuple(found.values())


def silent_criteria(matrix: DecisionMatrix) -> tuple[str, ...]:
    """Criteria that tell through routes apart in no regime, by id; none where no panel has two of them.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
    """
    panels = [p for p in matrix.panels if p.kind == PanelKind.THROUGH and len(p.candidate_ids) > 1]
    telling = {
        key for panel in panels for key, tells in zip(panel.criterion_ids, panel.tells_apart, strict=True) if tells
    }
    return tuple(c.criterion_id for c in matrix.criteria if panels and c.criterion_id not in telling)


def count_first_places(matrix: DecisionMatrix, perspectives: Mapping[str, WeightsLike]) -> FirstPlaces:
    """Who comes first how often, over distinct rankings of through routes by weighted sum.

    Rankings of fewer than two routes aren't counted. A first place that is shared, or that undetermined metrics leave
    open between several, is split evenly, so that shares sum to 1.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        perspectives: Weights by name.
    """
    seen: set[bytes] = set()
    count, repeated = 0, 0
    shares: dict[str, float] = {}
    sure: dict[str, int] = {}
    best: dict[str, int] = {}
    for weights in perspectives.values():
        for panel in matrix.panels:
            if panel.kind != PanelKind.THROUGH or len(panel.candidate_ids) < 2:
                continue
            # Regimes that change nothing and perspectives with like weights repeat a ranking; counted twice, it would
            # seem twice as sure.
            key = _inputs(panel, panel_weights(panel, weights).values)
            if key in seen:
                repeated += 1
                continue
            seen.add(key)
            count += 1
            places = rank_intervals(panel, weights).first
            leading = [who for who, place in zip(panel.candidate_ids, places, strict=True) if place != FirstPlace.NO]
            for who, place in zip(panel.candidate_ids, places, strict=True):
                if place != FirstPlace.NO:
                    # A first place that several may take is shared out evenly, so that each ranking counts for 1 in
                    # all.
                    shares[who] = shares.get(who, 0.0) + 1.0 / len(leading)
                    counts = sure if place == FirstPlace.FOR_SURE else best
                    counts[who] = counts.get(who, 0) + 1
    return FirstPlaces(count, repeated, {who: share / count for who, share in shares.items()}, sure, best)


def _inputs(panel: Panel, weights: Floats) -> bytes:
    """All that ranks follow from: who, by which criteria, with which metrics and which weights."""
    # Rows go by id, so that the same routes in another order are the same input.
    order = sorted(range(len(panel.candidate_ids)), key=lambda row: panel.candidate_ids[row])
    # An undetermined metric has no value of its own: its bounds stand for it. The bounds of the others play no part in
    # ranks.
    known = np.where(panel.undetermined, 0.0, panel.metrics)
    ends = [np.where(panel.undetermined, bound, 0.0) for bound in (panel.low, panel.high)]
    # Adding 0.0 turns -0.0 into 0.0: the two are equal, but their bytes are not.
    numbers = [*(np.round(table[order], _DIGITS) + 0.0 for table in (known, *ends)), np.round(weights, _DIGITS) + 0.0]
    who = "\n".join((*(panel.candidate_ids[row] for row in order), *panel.criterion_ids))
    lost = np.asarray(panel.may_be_lost[order], dtype=np.float64)
    return b"\0".join([who.encode(), *(np.ascontiguousarray(table).tobytes() for table in (*numbers, lost))])


Ranks = NDArray[np.int16]

# Small enough that the matrix products stay on one thread: on a busy machine more threads make them four times slower.
_CHUNK = 512
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
    place[:, 1:][falling[:, :-1] - falling[:, 1:] <= ROUNDING] = 0
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
        leads += np.sum(own >= scores.max(axis=2) - ROUNDING, axis=1)
    confidence = np.full(len(central), np.nan)
    confidence[seen] = leads / max(total, 1)
    return confidence


def _notes(panel: Panel, given: Floats | None) -> tuple[Message, ...]:
    if given is not None:
        return (Message("note.drawn_from_errors"),)
    if has_intervals(panel):
        return (Message("note.drawn_over_ranges"),)
    return (Message("note.drawn_weights"),)
