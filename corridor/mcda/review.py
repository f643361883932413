"""Everything that there is to say of one ranking: who is first, how firmly, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from corridor.mcda.agreement import correlated_criteria, method_agreement, panel_ranks, rank_reversals
from corridor.mcda.flips import Flip, pareto_front, smallest_flips, weight_stability
from corridor.mcda.matrix import DecisionMatrix, End, Panel
from corridor.mcda.methods import DEFAULT_METHOD, get_method
from corridor.mcda.perspectives import WeightsLike
from corridor.mcda.robustness import Robustness, WeightSpace, has_intervals, measure_robustness
from corridor.schema.message import ListStyle, Message, Value, listing

_SMALL = 0.0005


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """How firm a panel's ranking under some weights is.

    ``winners`` has more than one candidate id where they tie. ``flips`` and ``stability`` are those of the weighted
    sum where the method is not linear in the weights; ``flip_method`` says which. ``end`` says where the panel's
    undetermined metrics were taken, if it has any: everything then holds at that end alone.
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
    end: End | None = None

    def messages(self) -> tuple[Message, ...]:
        """The review in messages, most important first.

        Returns:
            The messages.
        """
        names = dict(zip(self.panel.candidate_ids, self.panel.names, strict=True))
        told: list[Message | None] = [_at_end(self.end)]
        told += [_first(self, names), _flip(self, names)]
        for name, front, by in zip(*(self.pareto[key] for key in ("name", "on_front", "dominated_by")), strict=True):
            told.append(None if front else Message("review.dominated", {"name": str(name), "by": str(by)}))
        told.append(_methods(self, names))
        told += [Message("review.counted_twice", {"note": note}) for note in _doubles(self.correlated)]
        for row in self.reversals.itertuples(index=False):
            out, first, second = (names[who] for who in (row.left_out, row.first, row.second))
            told.append(Message("review.reversal", {"left_out": out, "first": first, "second": second}))
        return tuple(dict.fromkeys(sentence for sentence in told if sentence))


def review_panel(
    panel: Panel,
    weights: WeightsLike,
    *,
    method: str = DEFAULT_METHOD,
    space: WeightSpace | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> Review:
    """Put one ranking to every test.

    Args:
        panel: Alternatives that are ranked together; at least one.
        weights: As in ranking: whose point of view.
        method: How they are ranked.
        space: Which other weights are possible; evenly over the groups if left out.
        draws: How many weights (and metrics) are drawn.
        seed: Any whole number from 0 on.

    Raises:
        ScoringError: an empty panel, or weights that can't be used.
    """
    # Smallest flips are exact for linear methods only; for the others the default answers, and the review says which
    # did.
    linear = method if get_method(method).linear_in_weights else DEFAULT_METHOD
    robustness = measure_robustness(
        panel, method=method, space=space or WeightSpace(over="groups"), draws=draws, seed=seed
    )
    # Winners are those of the weights that were asked, not the most frequent of the draws.
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
) -> tuple[Review, ...]:
    """Review every panel that has somebody to rank; see :func:`review_panel`.

    An order of importance holds where both of its names are weighted: comparators may lack a whole group. A panel with
    undetermined metrics is reviewed twice: with all of them at what is best for their alternative, and at what is
    worst, where those that can't be reached there take no part.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        weights: As in ranking: whose point of view.
        method: Id of a ranking method.
        space: Which other weights are possible; evenly over the groups if left out.
        draws: How many weights (and metrics) are drawn per panel.
        seed: Any whole number from 0 on.

    Raises:
        ScoringError: as there; also if an order names what no panel weights.
    """
    asked = space or WeightSpace(over="groups")
    panels = [panel for panel in matrix.panels if panel.candidate_ids]
    weighted = [frozenset(p.columns_by_group if asked.over == "groups" else p.criterion_ids) for p in panels]
    anywhere = frozenset().union(*weighted)
    reviews: list[Review] = []
    for panel, names in zip(panels, weighted, strict=True):
        # A pair that isn't weighted in any panel is kept, so that drawing refuses it as a misspelt name.
        order = tuple(pair for pair in asked.order if set(pair) <= names or not set(pair) <= anywhere)
        own = replace(asked, order=order)
        open_ends = bool(panel.undetermined.any() or panel.may_be_lost.any())
        for end in (End.BEST, End.WORST) if open_ends else (None,):
            pinned = panel.pinned(end) if end else panel
            if pinned.candidate_ids:
                found = review_panel(
                    pinned, weights, method=method, space=own, draws=draws, seed=seed
                )  # fmt: skip
                reviews.append(replace(found, end=end))
    return tuple(reviews)


def _at_end(end: End | None) -> Message | None:
    if end is None:
        return None
    return Message("review.best_ends") if end is End.BEST else Message("review.worst_ends")


def _first(review: Review, names: dict[str, str]) -> Message:
    first = review.robustness.acceptability[:, 0]
    shares = dict(zip(review.panel.candidate_ids, first.tolist(), strict=True))
    if len(review.winners) > 1:
        return Message("review.tie", {"names": listing(names[who] for who in review.winners)})
    (winner,) = review.winners
    # Who is first by the weights that were asked may be first less often than another over all weights: that must be
    # said with it.
    rest = max((share for who, share in shares.items() if who != winner), default=0.0)
    drawn = Message("review.weights_and_metrics") if has_intervals(review.panel) else Message("review.weights")
    share, error = f"{shares[winner]:.0%}", f"{review.robustness.error_95:.1%}"
    if rest > shares[winner]:
        other = max(shares, key=lambda who: shares[who])
        return Message(
            "review.first_but_other",
            {
                "name": names[winner],
                "share": share,
                "drawn": drawn,
                "error": error,
                "other": names[other],
                "other_share": f"{shares[other]:.0%}",
            },
        )
    return Message("review.first", {"name": names[winner], "share": share, "drawn": drawn, "error": error})


def _flip(review: Review, names: dict[str, str]) -> Message | None:
    # Who can only draw level, or not even that, is no answer to what it takes to overtake.
    reachable = [flip for flip in review.flips if not flip.only_ties and flip.moved != float("inf")]
    if not review.flips:
        return None
    if not reachable:
        return Message("review.no_weights_flip", {"name": names[review.flips[0].winner]})
    flip = reachable[0]
    challenger, winner = names[flip.challenger], names[flip.winner]
    # Under a twentieth of a point nothing is worth saying in points.
    if flip.moved < _SMALL:
        return Message("review.level", {"challenger": challenger, "winner": winner})
    gains = [name for name, step in flip.changes.items() if step > 0]
    losses = [name for name, step in flip.changes.items() if step < 0]
    return Message(
        "review.flip",
        {
            "challenger": challenger,
            "winner": winner,
            "points": f"{100 * flip.moved:.1f}",
            "losses": listing(losses, ListStyle.ENUMERATION),
            "gains": listing(gains, ListStyle.ENUMERATION),
        },
    )


def _methods(review: Review, names: dict[str, str]) -> Message | None:
    if len(names) < 2:
        return None
    # Where one method ties everybody and another doesn't, no pair has the same order in both.
    lowest = float(review.agreement.fillna(0.0).min().min())
    compared = listing((get_method(method).label for method in review.agreement.index), ListStyle.ENUMERATION)
    if lowest > 1.0 - 1e-9:
        return Message("review.methods_agree", {"methods": compared})
    return Message("review.methods_differ", {"methods": compared, "tau": f"{lowest:.2f}"})


def _doubles(correlated: pd.DataFrame) -> list[Value]:
    return [note for note, r in zip(correlated["note"], correlated["pearson"], strict=True) if r > 0]
