"""What belongs to rows of a table, as many as it be for each: all in one array, row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def spread(starts: Ints, sizes: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Places of what belongs to some rows in an array that holds what belongs to all, and how many each row has.

    Args:
        starts: where that of each row begins, shape (n,).
        sizes: how many each has.
        rows: those wanted, in any order, shape (n_rows,).

    Returns:
        Places, row by row in the order of ``rows``, and how many of them are of each, shape (n_rows,).
    """
    kept = sizes[rows]
    before = np.cumsum(kept) - kept
    return np.repeat(starts[rows] - before, kept) + np.arange(int(kept.sum())), kept
