"""What a figure hangs on, told from any sample of its inputs: shares of its variance, and the way it goes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
_LEAST_IN_GROUP = 4


def variance_share(values: pd.Series, answer: Floats, *, balanced: bool) -> float:
    """Share of an answer's variance that one input explains by itself, 0 to 1: its first-order index.

    The answer's means over groups of like input are compared with its variance (correlation ratio); numbers with many
    values are grouped by quantile. In a ``balanced`` product that is exact for the values taken, and
    nearly so in Sobol points, whose groups lie evenly over the other inputs; else what groups would explain by chance
    is taken off (Kelley 1935, doi:10.1073/pnas.21.9.554; for indices from given data
    see Plischke, Borgonovo and Smith 2013, doi:10.1016/j.ejor.2012.11.047). 0 where the answer never changes, NaN
    where there are too few points.

    >>> variance_share(pd.Series(["a", "a", "b", "b"]), np.array([0.0, 1.0, 2.0, 3.0]), balanced=True)
    0.8
    """
    groups = _groups(values)
    count, kinds = len(answer), int(groups.max(initial=-1)) + 1
    if count < 2 or (not balanced and count <= kinds):
        return float("nan")
    total = float(((answer - answer.mean()) ** 2).sum())
    if total <= 1e-24 * max(1.0, float((answer**2).sum())):
        return 0.0
    sizes = np.bincount(groups, minlength=kinds)
    means = np.bincount(groups, answer, minlength=kinds) / sizes
    within = float(((answer - means[groups]) ** 2).sum())
    between = total - within
    if not balanced:
        between -= (kinds - 1) * within / (count - kinds)
    return float(np.clip(between / total, 0.0, 1.0))


def _groups(values: pd.Series) -> NDArray[np.int64]:
    """Number of the group that each value belongs to, from 0."""
    if 2 * values.nunique() <= len(values) or not pd.api.types.is_numeric_dtype(values):
        return np.asarray(pd.factorize(values)[0], dtype=np.int64)
    # as many groups as balance what each hides inside against how well its mean is known
    count = min(max(2, round(1.5 * len(values) ** (1 / 3))), max(2, len(values) // _LEAST_IN_GROUP))
    order = stats.rankdata(values, method="ordinal") - 1
    return np.asarray(order * count // len(values), dtype=np.int64)


def rank_correlation(values: pd.Series, answer: Floats) -> float:
    """Spearman's rank correlation, -1 to 1; NaN for inputs that are no numbers and where either never changes."""
    if not pd.api.types.is_numeric_dtype(values) or values.nunique() < 2 or np.ptp(answer) == 0:
        return float("nan")
    return float(stats.spearmanr(values, answer).statistic)
