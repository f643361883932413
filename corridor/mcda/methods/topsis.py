"""TOPSIS: technique for order preference by similarity to the ideal solution."""

from __future__ import annotations

import numpy as np

from corridor.mcda.method import Floats, Method, combine, register


@register
class Topsis(Method):
    """Relative closeness to the ideal, with the anchors (values 1 and 0) as ideal and anti-ideal.

    The book takes the best and the worst of the alternatives present; anchors keep a score the same whoever else is
    in the list.
    """

    id = "topsis"
    label = "TOPSIS"
    reference = "Hwang and Yoon 1981, doi:10.1007/978-3-642-48318-9"
    score_range = (0.0, 1.0)
    higher_is_better = True
    compares_alternatives = False
    notes = ()

    def index(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Closeness to the anchors."""
        del tolerances
        criteria = values.shape[-1]
        return topsis(values, weights, np.ones(criteria), np.zeros(criteria))


def topsis(values: Floats, weights: Floats, ideal: Floats | None = None, anti_ideal: Floats | None = None) -> Floats:
    """Score by relative closeness to the ideal (Hwang and Yoon 1981, doi:10.1007/978-3-642-48318-9).

    Distances are Euclidean between weighted values, so weights enter squared::

        d_plus = sqrt(sum w^2 (v - ideal)^2), d_minus = sqrt(sum w^2 (v - anti_ideal)^2)
        closeness = d_minus / (d_plus + d_minus)

    Args:
        values: ``(..., alternatives, criteria)``, normalised.
        weights: ``(criteria,)`` or ``(draws, criteria)``.
        ideal: Best value per criterion; the best of the alternatives present if left out, as in the book. Give the
            anchors (1 for scaled values) to keep scores independent of who else is in the list.
        anti_ideal: Worst value per criterion, likewise.

    Returns:
        Closeness between 0 (at the anti-ideal) and 1 (at the ideal); 0.5 where both coincide.
    """
    best = values.max(axis=-2, keepdims=True) if ideal is None else np.asarray(ideal, dtype=float)
    worst = values.min(axis=-2, keepdims=True) if anti_ideal is None else np.asarray(anti_ideal, dtype=float)
    # The book weights values before it measures distances, so a squared distance has the squared weight.
    squared = np.square(weights)
    to_best = np.sqrt(combine(np.square(values - best), squared))
    to_worst = np.sqrt(combine(np.square(values - worst), squared))
    # No span means that nothing tells ideal from anti-ideal: 0.5 / 1 in place of 0 / 0.
    span = to_best + to_worst
    to_worst[span == 0.0] = 0.5
    span[span == 0.0] = 1.0
    return np.asarray(to_worst / span)
