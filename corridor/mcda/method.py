"""What every ranking method states and does, whichever formula it has.

Values are ``(..., alternatives, criteria)``, between 0 (worst anchor) and 1 (best anchor), and rise with preference.
Weights are ``(criteria,)`` for one set or ``(draws, criteria)`` for many, each set summing to 1; scores are
``(alternatives,)`` or ``(draws, alternatives)``. Values may have a leading axis of draws too. Tolerances are shares of
the anchor range, ``(criteria,)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.mcda.methods import REGISTRY
from corridor.schema.message import Value

Floats = NDArray[np.float64]


class Method(ABC):
    """A way to combine values and weights into one score per alternative.

    Attributes:
        id: What people type; the module's name with hyphens.
        label: The method's name in a sentence that it begins.
        reference: Authors, year and DOI of the publication whose formula this is.
        score_range: Lowest and highest score that can come out.
        higher_is_better: Whether the published figure rises with preference. Where it falls, :meth:`score` turns it
            round inside ``score_range``, so that everybody else may rely on more being better.
        linear_in_weights: Whether a score is a sum of weight times something that no weight enters.
        compares_alternatives: Whether a score hangs on who else is in the list even with values on fixed anchors.
        notes: What a reader of a ranking must be told, in sentences without a full stop: messages, or plain text.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    reference: ClassVar[str]
    score_range: ClassVar[tuple[float, float]]
    higher_is_better: ClassVar[bool]
    linear_in_weights: ClassVar[bool] = False
    compares_alternatives: ClassVar[bool]
    notes: ClassVar[tuple[Value, ...]]

    @abstractmethod
    def index(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """The figure as it is published, whether or not more of it is better.

        Args:
            values: ``(..., alternatives, criteria)`` between 0 and 1.
            weights: ``(criteria,)`` or ``(draws, criteria)``.
            tolerances: ``(criteria,)``: differences in value that measurement can't tell apart.

        Returns:
            ``(alternatives,)`` or ``(draws, alternatives)``.
        """

    def contributions(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """What each criterion adds to each alternative's standing, ``(alternatives, criteria)``; one set of weights.

        Weight times value, which speaks for an alternative even where the score is no sum of it.

        Args:
            values: ``(alternatives, criteria)`` between 0 and 1.
            weights: ``(criteria,)``.
            tolerances: ``(criteria,)``.

        Returns:
            Shape ``(alternatives, criteria)``.
        """
        del tolerances
        return np.asarray(values * weights)

    def score(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Score the alternatives, more is better; arguments as in :meth:`index`.

        Args:
            values: ``(..., alternatives, criteria)`` between 0 and 1.
            weights: ``(criteria,)`` or ``(draws, criteria)``.
            tolerances: ``(criteria,)``.

        Returns:
            Shape ``(..., alternatives)``.
        """
        found = self.index(values, weights, tolerances)
        # Mirrored in the middle of its range: the best published figure becomes the best score, distances stay.
        return found if self.higher_is_better else np.asarray(sum(self.score_range) - found)

    def cross_score(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Score every draw of values under every set of weights.

        Args:
            values: ``(draws, alternatives, criteria)``.
            weights: ``(sets, criteria)``.
            tolerances: ``(criteria,)``.

        Returns:
            ``(sets, draws, alternatives)``.
        """
        # One set of weights at a time: all at once would hold sets x draws x alternatives x criteria numbers.
        scores = np.array([self.score(values, one_set, tolerances) for one_set in weights])
        return scores.reshape(len(weights), *values.shape[:2])


AnyMethod = TypeVar("AnyMethod", bound=Method)


def register(method: type[AnyMethod]) -> type[AnyMethod]:
    """Make a class a ranking method that everything takes; for use as a decorator.

    Args:
        method: A class derived from :class:`Method`, which is made without arguments.

    Returns:
        The class.

    Raises:
        ScoringError: it lacks a fact or a formula, or another has its id.
    """
    return REGISTRY.register(method)


class LinearMethod(Method):
    """A method whose score is the sum over criteria of weight times a part that no weight enters.

    Then contributions sum to the score, and the smallest change of weights that another alternative needs to win can
    be computed exactly.
    """

    linear_in_weights: ClassVar[bool] = True

    @abstractmethod
    def parts(self, values: Floats, tolerances: Floats) -> Floats:
        """What the weights multiply, ``(..., alternatives, criteria)``; arguments as in :meth:`Method.index`.

        Args:
            values: ``(..., alternatives, criteria)`` between 0 and 1.
            tolerances: ``(criteria,)``: differences in value that measurement can't tell apart.

        Returns:
            Shape ``(..., alternatives, criteria)``.
        """

    def index(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Sum of weight times part over the criteria.

        Args:
            values: ``(..., alternatives, criteria)`` between 0 and 1.
            weights: ``(criteria,)`` or ``(draws, criteria)``.
            tolerances: ``(criteria,)``.

        Returns:
            Shape ``(..., alternatives)``.
        """
        return combine(self.parts(values, tolerances), weights)

    def contributions(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """Weight times part, which sums to the score.

        Args:
            values: ``(alternatives, criteria)`` between 0 and 1.
            weights: ``(criteria,)``.
            tolerances: ``(criteria,)``.

        Returns:
            Shape ``(alternatives, criteria)``.
        """
        return np.asarray(self.parts(values, tolerances) * weights)

    def cross_score(self, values: Floats, weights: Floats, tolerances: Floats) -> Floats:
        """As :meth:`Method.cross_score`, in one product of matrices since the parts are the same for all weights.

        Args:
            values: as there.
            weights: as there.
            tolerances: as there.

        Returns:
            As there.
        """
        # (draws, alternatives, criteria) @ (criteria, sets): the sets come out last and are wanted first.
        return np.asarray(np.moveaxis(self.parts(values, tolerances) @ weights.T, -1, 0))


def combine(parts: Floats, weights: Floats) -> Floats:
    """Sum over criteria of parts times weights, for one or many sets of either.

    Args:
        parts: ``(alternatives, criteria)`` or ``(draws, alternatives, criteria)``.
        weights: ``(criteria,)`` or ``(draws, criteria)``; draws of both are taken pair by pair.

    Returns:
        ``(alternatives,)`` or ``(draws, alternatives)``.
    """
    if parts.ndim == 2:
        return np.asarray(weights @ parts.T)
    if weights.ndim == 1:
        return np.asarray(parts @ weights)
    # One matrix-vector product per draw; a plain @ would pair every draw of weights with every draw of parts.
    return np.asarray(np.matmul(parts, weights[..., None])[..., 0])
