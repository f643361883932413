"""Where a straight link crosses the triangles of the ground, and which node heights count there.

Between crossings with grid lines and diagonals the ground is linear along a link, so these are all the places at
which it needs to be known. Links between nodes cross in a few hundred patterns only; those are laid out once.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.compiled import allocating, kernel, pasted
from corridor.alignment.ground import corner_weights

SAME_PLACE = 1e-13  # shares of a link that count as one crossing


class Crossings(NamedTuple):
    """Crossings of links, start and end included, one after the other.

    ``share`` (n,) says how far along the link a crossing lies, ``cell`` (n, 2) row and column of the first node of
    its square, ``weight`` (n, 4) what its corners count (first, next in the row, next in the column, opposite).
    """

    share: NDArray[np.float64]
    cell: NDArray[np.int32]
    weight: NDArray[np.float64]


class Laid(NamedTuple):
    """Crossings of moves between nodes, as if the link started at node (0, 0) and led down and to the right, steeply.

    ``pointer`` (m, 2): first and last crossing of a move, the last one left out; ``turn`` (m, 4): rows and columns
    that a step down, then those that a step to the right of the laid link stands for in the move.
    """

    crossings: Crossings
    pointer: NDArray[np.int32]
    turn: NDArray[np.int32]


@allocating
def room_for(rows: int, cols: int) -> Crossings:
    """Empty crossings with room for any one link over so many rows and columns."""
    n = 3 * (rows + cols) + 8
    return Crossings(np.empty(n), np.empty((n, 2), np.int32), np.empty((n, 4)))


@pasted
def _first_and_every(start, step):
    """Crossings with whole numbers come at shares of ``count * every``: first count and every (infinite: none)."""
    if step == 0.0:
        return 1.0, np.inf
    first = np.floor(start) + 1.0 - start if step > 0.0 else start - (np.ceil(start) - 1.0)
    return first, 1.0 / abs(step)


@kernel
def lay_crossings(r0, c0, r1, c1, last_row, last_col, into):
    """Write out the crossings of the link between two fractional positions; returns how many there are.

    Squares are kept to rows up to ``last_row`` and columns up to ``last_col``.
    """
    share, cell, weight = into
    dr, dc = r1 - r0, c1 - c0
    at_r, every_r = _first_and_every(r0, dr)
    at_c, every_c = _first_and_every(c0, dc)
    at_s, every_s = _first_and_every(r0 + c0, dr + dc)
    at_m, every_m = _first_and_every(r0 - c0, dr - dc)
    n, t = 0, 0.0
    while True:
        if n == 0 or t - share[n - 1] >= SAME_PLACE:
            r, c = r0 + t * dr, c0 + t * dc
            i, j = min(max(int(r), 0), last_row), min(max(int(c), 0), last_col)
            share[n], cell[n, 0], cell[n, 1] = t, i, j
            weight[n, 0], weight[n, 1], weight[n, 2], weight[n, 3] = corner_weights(c - j, r - i)
            n += 1
        if t == 1.0:
            return n
        t_r, t_c, t_s, t_m = at_r * every_r, at_c * every_c, at_s * every_s, at_m * every_m
        t = min(t_r, t_c, t_s, t_m)
        if t > 1.0 - 1e-12:
            t = 1.0
        if t_r <= t:
            at_r += 1.0
        if t_c <= t:
            at_c += 1.0
        if t_s <= t:
            at_s += 1.0
        if t_m <= t:
            at_m += 1.0


def lay_moves(moves: NDArray[np.int32]) -> Laid:
    """Lay out all moves (m, 2). Moves that are each other's image, turned or mirrored, share their crossings."""
    longest, shortest = np.abs(moves).max(axis=1), np.abs(moves).min(axis=1)
    shapes, which = np.unique(np.column_stack([longest, shortest]), axis=0, return_inverse=True)
    scratch = room_for(*(int(n) + 1 for n in np.abs(moves).max(axis=0)))
    parts, ends = [], [0]
    for down, right in shapes.tolist():
        n = lay_crossings(0.0, 0.0, float(down), float(right), max(down - 1, 0), max(right - 1, 0), scratch)
        parts.append(Crossings(*(part[:n].copy() for part in scratch)))
        ends.append(ends[-1] + n)
    pointer = np.column_stack([np.array(ends[:-1])[which.ravel()], np.array(ends[1:])[which.ravel()]])
    sign = np.sign(moves)
    along_rows = np.abs(moves[:, 0]) >= np.abs(moves[:, 1])
    turn = np.zeros((len(moves), 4))
    turn[along_rows, 0], turn[along_rows, 3] = sign[along_rows, 0], sign[along_rows, 1]
    turn[~along_rows, 1], turn[~along_rows, 2] = sign[~along_rows, 1], sign[~along_rows, 0]
    crossings = Crossings(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Laid(crossings, pointer.astype(np.int32), turn.astype(np.int32))
