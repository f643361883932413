"""Who is beaten on every count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.mcda.matrix import Panel
from corridor.mcda.values import orient

Floats = NDArray[np.float64]


def dominance(metrics: Floats) -> NDArray[np.bool_]:
    """Whether row i dominates row j: nowhere worse and somewhere better.

    Args:
        metrics: ``(n, m)``, more is better everywhere.

    Returns:
        ``(n, n)``; ``[i, j]`` is true where i dominates j.

    Example:
        Of (2, 2), (1, 2) and (3, 0) the first dominates the second; nobody dominates the third.
    """
    # (n, 1, m) against (1, n, m): every pair on every criterion.
    left, right = metrics[:, None, :], metrics[None, :, :]
    return np.asarray((left >= right).all(axis=2) & (left > right).any(axis=2))


def pareto_front(panel: Panel) -> pd.DataFrame:
    """Say of each alternative whether another one is at least as good everywhere and better somewhere.

    Metrics are compared as measured, before scaling and without tolerance, so that no value function hides a
    difference.

    Args:
        panel: Alternatives that are ranked together.

    Returns:
        One row per alternative: ``candidate_id``, ``name``, ``on_front`` and ``dominated_by`` (names, joined by
        semicolons).
    """
    beats = dominance(orient(panel.metrics, panel.criteria))
    rows = []
    for column, (candidate_id, name) in enumerate(zip(panel.candidate_ids, panel.names, strict=True)):
        winners = [panel.names[row] for row in np.flatnonzero(beats[:, column])]
        rows.append((candidate_id, name, not winners, "; ".join(winners)))
    return pd.DataFrame(rows, columns=["candidate_id", "name", "on_front", "dominated_by"])
