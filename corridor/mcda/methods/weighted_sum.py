"""Weighted sum of values (simple additive weighting)."""

from __future__ import annotations

from corridor.mcda.method import Floats, LinearMethod, combine, register


@register
class WeightedSum(LinearMethod):
    """``score = sum over criteria of weight * value``: a loss on one criterion is made good by a gain on another."""

    id = "weighted-sum"
    label = "Weighted sum"
    reference = "Fishburn 1967, doi:10.1287/opre.15.3.537"
    score_range = (0.0, 1.0)
    higher_is_better = True
    compares_alternatives = False
    notes = ()

    def parts(self, values: Floats, tolerances: Floats) -> Floats:
        """The values themselves."""
        del tolerances
        return values


def weighted_sum(values: Floats, weights: Floats) -> Floats:
    """Score by the weighted sum of the values (Fishburn 1967, doi:10.1287/opre.15.3.537).

    Args:
        values: ``(..., alternatives, criteria)``, more is better.
        weights: ``(criteria,)`` or ``(draws, criteria)``.

    Returns:
        ``(alternatives,)`` or ``(draws, alternatives)``.

    Example:
        >>> import numpy as np
        >>> weighted_sum(np.array([[1.0, 0.5]]), np.array([0.6, 0.4])).tolist()
        [0.8]
    """
    return combine(values, weights)
