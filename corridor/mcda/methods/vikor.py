"""VIKOR: a compromise between the sum of losses and the largest single loss."""

from __future__ import annotations

import numpy as np

from corridor.mcda.method import Floats, Method, register
from corridor.schema.message import Message

UTILITY_SHARE = 0.5
"""v of the paper: what the sum of losses counts beside the largest one; 0.5 is "by consensus"."""


@register
class Vikor(Method):
    """``1 - Q`` on the anchors, with both measures counted half.

    The paper scales S and R between the best and the worst of the alternatives present. Here they are scaled between
    those of an alternative at every best anchor (S = R = 0) and at every worst anchor (S = 1, R = the largest weight),
    so that a score is the same whoever else is in the list. Q falls with preference; the score is ``1 - Q``.
    """

    id = "vikor"
    label = "VIKOR"
    reference = "Opricovic and Tzeng 2004, doi:10.1016/S0377-2217(03)00020-1"
    score_range = (0.0, 1.0)
    higher_is_better = False
    compares_alternatives = False
    notes = (Message("method.vikor"),)

    def index(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Q of the paper on the anchors, 0 (best) to 1."""
        del tolerances
        criteria = values.shape[-1]
        return vikor(values, weights, np.ones(criteria), np.zeros(criteria))


def vikor(
    values: Floats,
    weights: Floats,
    ideal: Floats | None = None,
    anti_ideal: Floats | None = None,
    utility_share: float = UTILITY_SHARE,
) -> Floats:
    """Compromise index Q, less is better (Opricovic and Tzeng 2004, doi:10.1016/S0377-2217(03)00020-1).

    ::

        Q = v (S - S*) / (S- - S*) + (1 - v) (R - R*) / (R- - R*)

    with S and R from :func:`losses`. S*, R* are the least and S-, R- the largest of the alternatives present; where
    ideal and anti-ideal are given, they are those of alternatives that lie there: 0, and the sum and the maximum of
    the weights. A measure that is the same for all tells nobody apart and adds nothing.

    Args:
        values: ``(..., alternatives, criteria)``, more is better.
        weights: ``(criteria,)`` or ``(draws, criteria)``.
        ideal: Best value per criterion; the best of the alternatives present if left out, as in the paper.
        anti_ideal: Worst value per criterion, likewise; both are given or neither.
        utility_share: v, what S counts beside R, 0 to 1.

    Returns:
        Q between 0 (best) and 1, ``(alternatives,)`` or ``(draws, alternatives)``.
    """
    total, largest = losses(values, weights, ideal, anti_ideal)
    # As in the paper: ends are those present, so that adding an alternative can move the others.
    if ideal is None or anti_ideal is None:
        total_ends = total.min(axis=-1, keepdims=True), total.max(axis=-1, keepdims=True)
        largest_ends = largest.min(axis=-1, keepdims=True), largest.max(axis=-1, keepdims=True)
    else:
        # On anchors: at the ideal both measures are 0; at the anti-ideal every loss is 1, so S is the sum of weights, R
        # the largest.
        zero = np.zeros((*weights.shape[:-1], 1))
        total_ends = zero, weights.sum(axis=-1, keepdims=True)
        largest_ends = zero, weights.max(axis=-1, keepdims=True)
    return np.asarray(
        utility_share * _between(total, *total_ends) + (1.0 - utility_share) * _between(largest, *largest_ends)
    )


def losses(
    values: Floats, weights: Floats, ideal: Floats | None = None, anti_ideal: Floats | None = None
) -> tuple[Floats, Floats]:
    """Group utility S, the sum of weighted losses, and individual regret R, the largest of them; less is better.

    A criterion's loss is 0 at the ideal and 1 at the anti-ideal. Arguments as in :func:`vikor`.

    Args:
        values: ``(..., alternatives, criteria)``, more is better.
        weights: ``(criteria,)`` or ``(draws, criteria)``.
        ideal: Best value per criterion; the best of the alternatives present if left out.
        anti_ideal: Worst value per criterion, likewise.

    Returns:
        S and R, each ``(alternatives,)`` or ``(draws, alternatives)``.
    """
    best = values.max(axis=-2, keepdims=True) if ideal is None else np.asarray(ideal, dtype=float)
    worst = values.min(axis=-2, keepdims=True) if anti_ideal is None else np.asarray(anti_ideal, dtype=float)
    # (draws, 1, criteria) * (alternatives, criteria): every alternative of a draw has the draw's weights.
    weighted = weights[..., None, :] * _between(values, best, worst)
    return np.asarray(weighted.sum(axis=-1)), np.asarray(weighted.max(axis=-1))


def _between(figure: Floats, zero: Floats, one: Floats) -> Floats:
    """Where a figure lies between two ends, 0 to 1; 0 where the ends are the same."""
    span = one - zero
    return np.asarray((figure - zero) / np.where(span == 0.0, 1.0, span))
