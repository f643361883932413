"""Three ways to turn values and weights into scores: pure functions of arrays, more is better.

Values are ``(..., alternatives, criteria)`` and rise with preference (what should be small comes in with its sign
flipped or already scaled). Weights are ``(criteria,)`` for one set or ``(draws, criteria)`` for many; scores are
``(alternatives,)`` or ``(draws, alternatives)``. Values may have a leading axis of draws too.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["weighted-sum", "topsis", "promethee-ii"]
Preference = Literal["usual", "u-shape", "v-shape", "level", "linear", "gaussian"]

METHODS: tuple[Method, ...] = ("weighted-sum", "topsis", "promethee-ii")


def weighted_sum(values: Floats, weights: Floats) -> Floats:
    """Score by the weighted sum of the values (Fishburn 1967, doi:10.1287/opre.15.3.537).

    Example:
        Values 1.0 and 0.5 with weights 0.6 and 0.4 score 0.8.
    """
    return _combine(values, weights)


def topsis(values: Floats, weights: Floats, ideal: Floats | None = None, anti_ideal: Floats | None = None) -> Floats:
    """Score by relative closeness to the ideal (TOPSIS; Hwang and Yoon 1981, doi:10.1007/978-3-642-48318-9).

    Distances are Euclidean between weighted values, so weights enter squared.

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
    squared = np.square(weights)
    to_best = np.sqrt(_combine(np.square(values - best), squared))
    to_worst = np.sqrt(_combine(np.square(values - worst), squared))
    span = to_best + to_worst
    to_worst[span == 0.0] = 0.5
    span[span == 0.0] = 1.0
    return np.asarray(to_worst / span)


def promethee_ii(
    values: Floats,
    weights: Floats,
    preference: Preference | tuple[Preference, ...] = "usual",
    indifference: Floats | float = 0.0,
    strict: Floats | float = 1.0,
) -> Floats:
    """Score by net outranking flow (PROMETHEE II; Brans, Vincke and Mareschal 1986, doi:10.1016/0377-2217(86)90044-5).

    Flows compare every alternative with every other, so adding one can change the order of the others.

    Returns:
        Net flows between -1 and 1, which sum to 0 over the alternatives (for weights that sum to 1).
    """
    return _combine(unicriterion_flows(values, preference, indifference, strict), weights)


def unicriterion_flows(
    values: Floats,
    preference: Preference | tuple[Preference, ...] = "usual",
    indifference: Floats | float = 0.0,
    strict: Floats | float = 1.0,
) -> Floats:
    """Net flow per criterion, ``(..., alternatives, criteria)``: PROMETHEE II before it is multiplied by weights.

    Args:
        values: ``(..., alternatives, criteria)``.
        preference: One function for all criteria or one each.
        indifference: q per criterion: differences up to it don't count.
        strict: p per criterion: differences from it on count fully; for ``gaussian`` the distance of the inflection.
    """
    count, criteria = values.shape[-2], values.shape[-1]
    kinds = (preference,) * criteria if isinstance(preference, str) else tuple(preference)
    q, p = (np.broadcast_to(np.asarray(bound, dtype=float), (criteria,)) for bound in (indifference, strict))
    flows = np.zeros(values.shape)
    if count < 2:
        return flows
    for k, kind in enumerate(kinds):
        column = values[..., k]
        degree = preference_degree(column[..., :, None] - column[..., None, :], kind, float(q[k]), float(p[k]))
        flows[..., k] = (degree.sum(axis=-1) - degree.sum(axis=-2)) / (count - 1)
    return flows


def preference_degree(difference: Floats, kind: Preference, indifference: float, strict: float) -> Floats:
    """Degree of preference, 0 to 1, for a difference in value: the six functions of Brans, Vincke and Mareschal."""
    positive = np.maximum(difference, 0.0)
    if kind == "usual":
        return np.asarray((difference > 0).astype(float))
    if kind == "u-shape":
        return np.asarray((positive > indifference).astype(float))
    if kind == "v-shape":
        return np.asarray(np.minimum(positive / strict, 1.0))
    if kind == "level":
        return np.asarray(0.5 * (positive > indifference) + 0.5 * (positive > strict))
    if kind == "gaussian":
        return np.asarray(1.0 - np.exp(-np.square(positive) / (2.0 * strict**2)))
    if strict <= indifference:
        return np.asarray((positive > indifference).astype(float))
    return np.asarray(np.clip((positive - indifference) / (strict - indifference), 0.0, 1.0))


def _combine(parts: Floats, weights: Floats) -> Floats:
    """Sum over criteria of parts times weights, for one or many sets of either."""
    if parts.ndim == 2:
        return np.asarray(weights @ parts.T)
    if weights.ndim == 1:
        return np.asarray(parts @ weights)
    return np.asarray(np.matmul(parts, weights[..., None])[..., 0])
