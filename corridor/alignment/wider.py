"""The same question on wider cells, and which of these hold which nodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.links import CLOSED, Ground, build_ground
from corridor.alignment.primed import Flags, Floats, Question


def coarsen(ground: Ground, factor: int) -> Ground:
    """Average blocks of ``factor`` x ``factor`` nodes; a kind stays forbidden only where the whole block forbids it."""
    # Heights of closed nodes may be made up and must not enter the means.
    z = np.where(_closed(ground), np.nan, ground.z) if ground.mask.size else ground.z
    mask = friction = None
    if ground.mask.size:
        bits = _blocks(ground.mask, factor, CLOSED)
        mask = np.bitwise_and.reduce(np.bitwise_and.reduce(bits, axis=3), axis=1)
    if ground.friction.size:
        friction = _block_means(ground.friction, factor)
    return build_ground(_block_means(z, factor), ground.dx_m * factor, ground.dy_m * factor, mask, friction)


def _closed(ground: Ground) -> Flags:
    """Nodes that no kind may pass."""
    return np.asarray((ground.mask & CLOSED) == CLOSED)


def _blocks(values: NDArray[np.generic], factor: int, fill: float) -> NDArray[np.generic]:
    """View as (block rows, rows in block, block columns, columns in block), padded at the south and east."""
    rows, cols = (-(-n // factor) * factor for n in values.shape)
    padded = np.full((rows, cols), fill, dtype=values.dtype)
    padded[: values.shape[0], : values.shape[1]] = values
    return padded.reshape(rows // factor, factor, cols // factor, factor)


def _block_means(values: NDArray[np.floating], factor: int) -> Floats:
    """Means of blocks over the nodes that have a value; NaN where none has."""
    blocks = _blocks(values, factor, np.nan)
    known = np.isfinite(blocks.astype(np.float64))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3), dtype=np.float64)
    count = known.sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def widen_cells(question: Question, factor: int, offsets_m: tuple[float, ...]) -> Question | None:
    """The question on cells ``factor`` times as wide, at other heights above the ground.

    Args:
        question: what is asked.
        factor: how many times as wide; 1 leaves the ground as it is.
        offsets_m: heights above the ground that a node may be passed at.

    Returns:
        The question, without old formations on wider cells; None where these tell nothing about where a line runs.
    """
    ground, start, goal, standard, costs, options = question
    coarse = coarsen(ground, factor) if factor > 1 else ground
    ends = [(r // factor, c // factor) for r, c in (start, goal)]
    if ends[0] == ends[1] or min(coarse.shape) < 4:
        return None
    if coarse.mask.size and factor > 1:
        # A terminal is open even where most of its block is closed.
        for end in ends:
            coarse.mask[end] = 0
    plain = replace(options, offsets_m=offsets_m, reuse=options.reuse if factor == 1 else ())
    return Question(coarse, ends[0], ends[1], standard, costs, plain)


def over_blocks(usable: Flags | None, factor: int) -> Flags | None:
    """Which blocks of ``factor`` x ``factor`` nodes hold a usable one; None, all of them, stays so.

    Args:
        usable: nodes, (rows, cols).
        factor: nodes along a side of a block.
    """
    if usable is None or factor == 1:
        return usable
    return np.asarray(_blocks(usable, factor, False).astype(bool).any(axis=(1, 3)))


def under_blocks(blocks: Flags, factor: int, shape: tuple[int, int]) -> Flags:
    """The nodes, (rows, cols), that lie in marked blocks.

    Args:
        blocks: which are marked.
        factor: nodes along a side of a block.
        shape: rows and columns of nodes.
    """
    fine = blocks if factor == 1 else np.repeat(np.repeat(blocks, factor, axis=0), factor, axis=1)
    return np.ascontiguousarray(fine[: shape[0], : shape[1]])
