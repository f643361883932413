"""From a metric in its unit to a value between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.schema.criterion import Criterion
from corridor.schema.vocabulary import Direction, Scaling

Floats = NDArray[np.float64]


def check_criteria(criteria: Sequence[Criterion]) -> None:
    """Refuse criteria that can't order anything; all faults in one line.

    Args:
        criteria: What is to be scored.

    Raises:
        ScoringError: no criterion, an id twice, or anchors, shape or tolerance that make no value function.
    """
    faults: list[str] = []
    if not criteria:
        faults.append("no criterion is given: name at least one")
    seen: set[str] = set()
    for criterion in criteria:
        if criterion.criterion_id in seen:
            faults.append(f"criterion '{criterion.criterion_id}' is given twice")
        seen.add(criterion.criterion_id)
        faults.extend(f"criterion '{criterion.criterion_id}': {fault}" for fault in _criterion_faults(criterion))
    if faults:
        raise ScoringError("; ".join(faults))


def _criterion_faults(criterion: Criterion) -> list[str]:
    faults = []
    numbers = (criterion.best, criterion.worst, criterion.shape, criterion.tolerance)
    if not all(math.isfinite(number) for number in numbers):
        return ["best, worst, shape and tolerance must be finite numbers"]
    if criterion.direction not in ("min", "max"):
        faults.append(f"direction must be 'min' or 'max', not '{criterion.direction}'")
    elif criterion.best == criterion.worst:
        faults.append("best and worst are the same, so it can't tell alternatives apart")
    elif (criterion.best < criterion.worst) != (criterion.direction == Direction.MIN):
        faults.append(
            f"direction '{criterion.direction}' contradicts best {criterion.best:g} and worst {criterion.worst:g}"
        )
    if criterion.shape <= 0:
        faults.append("shape must be above 0")
    if criterion.tolerance < 0:
        faults.append("tolerance must not be negative")
    return faults


def scale(metrics: Floats, criteria: Sequence[Criterion], scaling: Scaling = Scaling.ANCHORS) -> Floats:
    """Turn metrics into values between 0 (worst) and 1 (best).

    With ``anchors`` the value depends on the alternative and the stated anchors alone. With ``min-max`` the worst and
    the best of the alternatives present take the place of the anchors, so that adding one can change the order of
    the others; a criterion that is the same for all is then worth 1 to everyone.

    Args:
        metrics: ``(..., alternatives, criteria)`` in the units of the criteria.
        criteria: One per column.
        scaling: ``anchors`` or ``min-max``.

    Returns:
        Values of the same shape. A loss of a share t between best and worst is worth ``1 - t ** shape``.

    Example:
        Best 100 km, worst 300 km: 150 km is worth 0.75.
    """
    if scaling == Scaling.MIN_MAX:
        highest, lowest = metrics.max(axis=-2, keepdims=True), metrics.min(axis=-2, keepdims=True)
        rising = np.array([criterion.direction == Direction.MAX for criterion in criteria])
        # (..., 1, criteria): ends are those of each table of a stack by itself.
        best, worst = np.where(rising, highest, lowest), np.where(rising, lowest, highest)
    else:
        best = np.array([criterion.best for criterion in criteria], dtype=float)
        worst = np.array([criterion.worst for criterion in criteria], dtype=float)
    # Signed: for a criterion that should be small the span is positive, for the other kind negative, and the loss rises
    # away from the best either way.
    span = worst - best
    loss = np.clip((metrics - best) / np.where(span == 0.0, 1.0, span), 0.0, 1.0)
    shape = np.array([criterion.shape for criterion in criteria], dtype=float)
    return np.asarray(1.0 - loss if np.all(shape == 1.0) else 1.0 - loss**shape)


def orient(metrics: Floats, criteria: Sequence[Criterion]) -> Floats:
    """Flip the sign of what should be small, so that more is better everywhere; units stay.

    Args:
        metrics: ``(..., alternatives, criteria)`` in the units of the criteria.
        criteria: One per column.
    """
    signs = np.array([1.0 if criterion.direction == Direction.MAX else -1.0 for criterion in criteria])
    return np.asarray(metrics * signs)
