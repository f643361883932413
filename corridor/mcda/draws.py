"""Random weights and random metrics, always from a stated seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import Panel
from corridor.mcda.weights import WeightsLike, panel_weights
from corridor.plugins import nearest_name

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
    groups = tuple(dict.fromkeys(criterion.group for criterion in panel.criteria))
    members = [[k for k, c in enumerate(panel.criteria) if c.group == group] for group in groups]
    shares = None if centre is None else np.array([centre[columns].sum() for columns in members])
    # Groups first, then criteria inside each: otherwise a group would weigh more the more criteria it has.
    outer = _draw(groups, space, shares, draws, rng)
    weights = np.zeros((draws, len(panel.criteria)))
    for g, columns in enumerate(members):
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
