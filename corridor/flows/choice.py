"""Choice between branches: path sizes, path-size logit shares, logsum, and what counts say of theta.

Ben-Akiva and Bierlaire 1999, Discrete choice methods and their applications to short term travel decisions,
doi:10.1007/978-1-4615-5203-1_2: ways that overlap aren't independent alternatives, so each counts by its path size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.schema.message import Message

Floats = NDArray[np.float64]
_WELL_EXPLAINED = 0.25
"""Root mean square of the relative residuals up to which counts are explained."""


def path_sizes(ways: Sequence[Mapping[str, float]]) -> Floats:
    """Path size of each way: the part of it that is its own.

    ``PS_k = sum over its links a of (l_a / L_k) / (number of ways that use a)``.

    Args:
        ways: Length of each link of each way, by the link's id.

    Returns:
        Path sizes, shape ``(ways,)``, above 0 and at most 1; 1 is a way that shares nothing.

    >>> path_sizes([{"a": 1.0, "b": 1.0}, {"a": 1.0, "c": 1.0}, {"d": 2.0}]).tolist()
    [0.75, 0.75, 1.0]
    """
    users: dict[str, int] = {}
    for way in ways:
        for link in way:
            users[link] = users.get(link, 0) + 1
    # A link that n ways share counts for 1/n of its length to each, so ways that are nearly one do not draw double
    # traffic.
    sizes = [sum(km / users[link] for link, km in way.items()) / sum(way.values()) for way in ways]
    return np.asarray(sizes, dtype=float)


def logit_shares(costs_usd: Floats, sizes: Floats, theta: float) -> Floats:
    """Share of each branch: ``PS_k exp(-theta GC_k)`` over the sum.

    Args:
        costs_usd: Generalised costs, shape ``(branches,)``; infinite where there is no way.
        sizes: Path sizes, shape ``(branches,)``.
        theta: Sensitivity in 1/USD, above 0.

    Returns:
        Shares, shape ``(branches,)``; they sum to 1, or are all 0 where no branch has a way.

    >>> logit_shares(np.array([100.0, 100.0, np.inf]), np.array([1.0, 1.0, 1.0]), 0.01).tolist()
    [0.5, 0.5, 0.0]
    """
    if not np.isfinite(costs_usd).any():
        return np.zeros(len(costs_usd))
    # Costs count from the least one: shares stay the same, and large costs do not underflow to zero over zero. A closed
    # branch costs infinitely much, which gives it a share of 0.
    weights = sizes * np.exp(-theta * (costs_usd - np.min(costs_usd)))
    return np.asarray(weights / weights.sum(), dtype=float)


def logsum_usd(costs_usd: Floats, sizes: Floats, theta: float) -> float:
    """Cost of a pair over all its branches: ``L = -ln(sum PS_k exp(-theta GC_k)) / theta``.

    Args:
        costs_usd: Generalised costs, shape ``(branches,)``; infinite where there is no way.
        sizes: Path sizes, shape ``(branches,)``.
        theta: Sensitivity in 1/USD, above 0.

    Returns:
        Dollars per load; infinite where no branch has a way. At most ``GC_k - ln(PS_k) / theta`` for each branch.
    """
    if not np.isfinite(costs_usd).any():
        return math.inf
    # The least cost is taken out of the exponentials and added again after the logarithm, so that large costs do not
    # underflow.
    least = float(np.min(costs_usd))
    return least - math.log(float(np.sum(sizes * np.exp(-theta * (costs_usd - least))))) / theta


@dataclass(frozen=True, slots=True)
class ThetaFit:
    """What counts say of theta.

    ``identified`` is whether they tell it; then ``theta`` is fitted, else it is None, the declared range stands and
    ``reason`` says why.
    ``observed``, ``fitted`` and ``residual`` are per count, shape ``(counts,)``, at the fitted theta or, where it isn't
    identified, at the declared middle.
    """

    identified: bool
    theta: float | None
    reason: Message | None
    observed: Floats
    fitted: Floats
    residual: Floats


def fit_theta(
    observed: Floats, assign: Callable[[float], Floats], declared: tuple[float, float, float], *, worsening: float = 1.1
) -> ThetaFit:
    """Fit theta to counts by least squares of relative residuals, if they identify it.

    They do where there are at least two counts with a flow to explain them, the best theta lies inside the range looked
    at (a tenth of the declared low to ten times the declared high) and explains the counts to a quarter, and both ends
    of the declared range explain them worse by a factor.

    Args:
        observed: Counts, shape ``(counts,)``, above 0.
        assign: Flow on each count's links at a theta, shape ``(counts,)``.
        declared: Declared low, middle and high theta in 1/USD.
        worsening: How many times worse the sum of squares must be at the ends of the declared range.

    Returns:
        The fit, or why there is none.
    """
    from scipy.optimize import minimize_scalar

    low, mid, high = declared

    def loss(log_theta: float) -> float:
        return float(np.sum((assign(math.exp(log_theta)) / observed - 1) ** 2))

    def give(theta: float | None, reason: Message | None = None) -> ThetaFit:
        fitted = assign(theta if theta is not None else mid) if len(observed) else np.zeros(0)
        return ThetaFit(theta is not None, theta, reason, observed, fitted, observed - fitted)

    if len(observed) < 2:
        return give(None, Message("flows.counts_too_few", {"count": len(observed)}))
    # the sum of squares may have several valleys: a grid finds the deepest, then it is measured exactly
    grid = np.linspace(math.log(low / 10), math.log(high * 10), 121)
    losses = np.array([loss(x) for x in grid])
    at = int(np.argmin(losses))
    # Where an end of the declared range fits nearly as well as the best theta, the counts tell no more than what was
    # declared. The 1e-12 lets a perfect fit, whose loss is 0, be compared too.
    ends = min(loss(math.log(low)), loss(math.log(high)))
    if ends <= worsening * losses[at] + 1e-12:
        return give(None, Message("flows.counts_flat"))
    if math.sqrt(losses[at] / len(observed)) > _WELL_EXPLAINED:
        return give(None, Message("flows.counts_unexplained"))
    # A least value at the edge of the grid is no valley: the true one lies further out.
    if at in (0, len(grid) - 1):
        return give(None, Message("flows.counts_outside"))
    # The neighbours on the grid bracket the valley, so the search cannot slip into another one.
    found = minimize_scalar(loss, bounds=(grid[at - 1], grid[at + 1]), method="bounded", options={"xatol": 1e-9})
    return give(float(math.exp(found.x)))
