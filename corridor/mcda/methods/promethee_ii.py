"""PROMETHEE II: net outranking flows from comparing alternatives pair by pair."""

from __future__ import annotations

from typing import Literal

import numpy as np

from corridor.mcda.method import Floats, LinearMethod, combine, register
from corridor.schema.message import Message

Preference = Literal["usual", "u-shape", "v-shape", "level", "linear", "gaussian"]

FULL_PREFERENCE = 0.25
"""A difference of this share of the anchor range counts as full preference; with the whole range net flows would be
the weighted sum again."""


@register
class PrometheeII(LinearMethod):
    """Net flow with linear preference between a criterion's tolerance and a quarter of its anchor range."""

    id = "promethee-ii"
    label = "PROMETHEE II"
    reference = "Brans, Vincke and Mareschal 1986, doi:10.1016/0377-2217(86)90044-5"
    score_range = (-1.0, 1.0)
    higher_is_better = True
    compares_alternatives = True
    notes = (Message("method.promethee_ii"),)

    def parts(self, values: Floats, tolerances: Floats) -> Floats:
        """Net flow per criterion."""
        return unicriterion_flows(values, "linear", tolerances, FULL_PREFERENCE)


def promethee_ii(
    values: Floats,
    weights: Floats,
    preference: Preference | tuple[Preference, ...] = "usual",
    indifference: Floats | float = 0.0,
    strict: Floats | float = 1.0,
) -> Floats:
    """Score by net outranking flow (PROMETHEE II; Brans, Vincke and Mareschal 1986, doi:10.1016/0377-2217(86)90044-5).

    Flows compare every alternative with every other, so adding one can change the order of the others.

    Args:
        values: ``(..., alternatives, criteria)``, more is better, in any unit.
        weights: ``(criteria,)`` or ``(draws, criteria)``.
        preference: One function for all criteria or one each.
        indifference: q per criterion, as in :func:`unicriterion_flows`.
        strict: p per criterion, likewise.

    Returns:
        Net flows between -1 and 1, which sum to 0 over the alternatives (for weights that sum to 1).
    """
    return combine(unicriterion_flows(values, preference, indifference, strict), weights)


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
        # (..., n, n): entry (i, j) is how much i is preferred to j. Criterion by criterion, since all at once would
        # take m times the memory and each may have a function of its own.
        degree = preference_degree(column[..., :, None] - column[..., None, :], kind, float(q[k]), float(p[k]))
        # Leaving flow (row sums) less entering flow (column sums), over the others.
        flows[..., k] = (degree.sum(axis=-1) - degree.sum(axis=-2)) / (count - 1)
    return flows


def preference_degree(difference: Floats, kind: Preference, indifference: float, strict: float) -> Floats:
    """Degree of preference, 0 to 1, for a difference in value: the six functions of Brans, Vincke and Mareschal.

    Args:
        difference: Value of one alternative less that of another, any shape.
        kind: Which of the six functions.
        indifference: q: differences up to it don't count.
        strict: p: differences from it on count fully; for ``gaussian`` the distance of the inflection.
    """
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
    # No ramp between q and p: the step at q.
    if strict <= indifference:
        return np.asarray((positive > indifference).astype(float))
    return np.asarray(np.clip((positive - indifference) / (strict - indifference), 0.0, 1.0))
