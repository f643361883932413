"""Everything that there is to say of one ranking: who is first, how firmly, and what would change it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd

from corridor.mcda.agreement import correlated_criteria, method_agreement, panel_ranks, rank_reversals
from corridor.mcda.draws import Spread, WeightSpace, has_intervals
from corridor.mcda.flips import Flip, smallest_flips, weight_stability
from corridor.mcda.matrix import DecisionMatrix, Panel
from corridor.mcda.methods import DEFAULT_METHOD, get_method
from corridor.mcda.pareto import pareto_front
from corridor.mcda.robustness import Robustness, measure_robustness
from corridor.mcda.weights import WeightsLike

_SMALL = 0.0005


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """How firm a panel's ranking under some weights is.

    ``winners`` has more than one candidate id where they tie. ``flips`` and ``stability`` are those of the weighted
    sum where the method is not linear in the weights; ``flip_method`` says which.
    """

    panel: Panel
    method: str
    winners: tuple[str, ...]
    robustness: Robustness
    pareto: pd.DataFrame
    flip_method: str
    flips: tuple[Flip, ...]
    stability: pd.DataFrame
    agreement: pd.DataFrame
    correlated: pd.DataFrame
    reversals: pd.DataFrame

    def sentences(self) -> tuple[str, ...]:
        """The review in words, most important first."""
        names = dict(zip(self.panel.candidate_ids, self.panel.names, strict=True))
        told = [_first(self, names), _flip(self, names)]
        for name, front, by in zip(*(self.pareto[key] for key in ("name", "on_front", "dominated_by")), strict=True):
            told.append("" if front else f"{name} is better on no criterion, and worse on some, than {by}.")
        told.append(_methods(self, names))
        told += [f"{note}: they may count the same thing twice." for note in _doubles(self.correlated)]
        for row in self.reversals.itertuples(index=False):
            out, first, second = (names[who] for who in (row.left_out, row.first, row.second))
            told.append(f"Without {out}, {second} would come before {first}: their order hangs on who else is listed.")
        return tuple(dict.fromkeys(sentence for sentence in told if sentence))


def review_panel(
    panel: Panel,
    weights: WeightsLike,
    *,
    method: str = DEFAULT_METHOD,
    space: WeightSpace | None = None,
    draws: int = 10_000,
    seed: int = 0,
    spread: Spread = "uniform",
) -> Review:
    """Put one ranking to every test.

    Args:
        panel: Alternatives that are ranked together; at least one.
        weights: As in ranking: whose point of view.
        method: How they are ranked.
        space: Which other weights are possible; evenly over the groups if left out.
        draws: How many weights (and metrics) are drawn.
        seed: Any whole number from 0 on.
        spread: How metrics vary inside their intervals.

    Raises:
        ScoringError: an empty panel, or weights that can't be used.
    """
    linear = method if get_method(method).linear_in_weights else DEFAULT_METHOD
    robustness = measure_robustness(
        panel, method=method, space=space or WeightSpace(over="groups"), draws=draws, seed=seed, spread=spread
    )
    ranks = panel_ranks(panel, weights, method)
    return Review(
        panel,
        method,
        tuple(who for who, rank in zip(panel.candidate_ids, ranks, strict=True) if rank == 1),
        robustness,
        pareto_front(panel),
        linear,
        tuple(smallest_flips(panel, weights, method=linear)),
        weight_stability(panel, weights, method=linear),
        method_agreement(panel, weights),
        correlated_criteria(panel),
        rank_reversals(panel, weights, method),
    )


def review_matrix(
    matrix: DecisionMatrix,
    weights: WeightsLike,
    *,
    method: str = DEFAULT_METHOD,
    space: WeightSpace | None = None,
    draws: int = 10_000,
    seed: int = 0,
    spread: Spread = "uniform",
) -> tuple[Review, ...]:
    """Review every panel that has somebody to rank; see :func:`review_panel`.

    An order of importance holds where both of its names are weighted: comparators may lack a whole group.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: As in ranking: whose point of view.
        method: Id of a ranking method.
        space: Which other weights are possible; evenly over the groups if left out.
        draws: How many weights (and metrics) are drawn per panel.
        seed: Any whole number from 0 on.
        spread: How metrics vary inside their intervals.

    Raises:
        ScoringError: as there; also if an order names what no panel weights.
    """
    asked = space or WeightSpace(over="groups")
    panels = [panel for panel in matrix.panels if panel.candidate_ids]
    weighted = [frozenset(c.group if asked.over == "groups" else c.criterion_id for c in p.criteria) for p in panels]
    anywhere = frozenset().union(*weighted)
    reviews = []
    for panel, names in zip(panels, weighted, strict=True):
        # A pair that isn't weighted in any panel is kept, so that drawing refuses it as a misspelt name.
        order = tuple(pair for pair in asked.order if set(pair) <= names or not set(pair) <= anywhere)
        own = replace(asked, order=order)
        reviews.append(review_panel(panel, weights, method=method, space=own, draws=draws, seed=seed, spread=spread))
    return tuple(reviews)


def _first(review: Review, names: dict[str, str]) -> str:
    first = review.robustness.acceptability[:, 0]
    shares = dict(zip(review.panel.candidate_ids, first.tolist(), strict=True))
    error = review.robustness.error_95
    if len(review.winners) > 1:
        return f"{'; '.join(names[who] for who in review.winners)} tie for first within measurement tolerance."
    (winner,) = review.winners
    rest = max((share for who, share in shares.items() if who != winner), default=0.0)
    drawn = "weights and metrics" if has_intervals(review.panel) else "weights"
    share = f"{shares[winner]:.0%} of all draws of {drawn} (give or take {error:.1%})"
    told = f"{names[winner]} is first, and is so in {share}"
    if rest > shares[winner]:
        other = max(shares, key=lambda who: shares[who])
        return f"{told}; {names[other]} is first in more of them, {shares[other]:.0%}."
    return f"{told}."


def _flip(review: Review, names: dict[str, str]) -> str:
    reachable = [flip for flip in review.flips if not flip.only_ties and flip.moved != float("inf")]
    if not review.flips:
        return ""
    if not reachable:
        return f"No weights put anybody else before {names[review.flips[0].winner]}."
    flip = reachable[0]
    if flip.moved < _SMALL:
        return f"{names[flip.challenger]} is level with {names[flip.winner]}: any change of weights decides."
    gains = [name for name, step in flip.changes.items() if step > 0]
    losses = [name for name, step in flip.changes.items() if step < 0]
    return (
        f"The smallest change of weights that puts {names[flip.challenger]} level with {names[flip.winner]}: "
        f"{100 * flip.moved:.1f} points of a hundred from {_listed(losses)} to {_listed(gains)}."
    )


def _methods(review: Review, names: dict[str, str]) -> str:
    lowest = float(review.agreement.min().min())
    if len(names) < 2 or math.isnan(lowest):
        return ""
    compared = _listed([get_method(method).label for method in review.agreement.index])
    if lowest > 1.0 - 1e-9:
        return f"{compared} give the same order."
    return f"{compared} differ in order: Kendall's tau at least {lowest:.2f} (1 is the same)."


def _doubles(correlated: pd.DataFrame) -> list[str]:
    return [str(note) for note, r in zip(correlated["note"], correlated["pearson"], strict=True) if r > 0]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
