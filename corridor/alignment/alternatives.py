"""Lines that differ from the cheapest one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

from corridor.alignment.align import solve
from corridor.alignment.problem import AlignmentProblem
from corridor.errors import AlignmentError
from corridor.schema.alignment import Alignment
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]

WITHIN_M = 2000.0
MAX_OVERLAP = 0.5
MAX_PRICE_FACTOR = 1.5
FIRST_PENALTY = 0.5  # friction near kept lines, as a share of the surface price; trebles until a line leaves them
ROUNDS = 4


def find_alternatives(asked: AlignmentProblem, count: int = 3) -> list[Alignment]:
    """The cheapest line and up to ``count - 1`` others that differ, by rising price.

    Penalty method: friction near the lines that were kept pushes the next search elsewhere, harder from round to
    round. A line is kept if at most half of its length lies within 2 km of each kept one and its true price, without
    friction, is at most 1.5 times the best. Where the penalty finds nothing more the list is shorter than asked.

    Raises:
        AlignmentError: if there is no way at all.
    """
    kept = [solve(asked)]
    while len(kept) < count:
        found = _next_line(asked, kept)
        if found is None:
            break
        kept.append(found)
    return sorted(kept, key=lambda a: a.price.total_musd)


def _next_line(asked: AlignmentProblem, kept: Sequence[Alignment]) -> Alignment | None:
    """A line that differs enough from all kept ones, or None after the last round."""
    best = min(a.price.total_musd for a in kept)
    penalty = FIRST_PENALTY * asked.costs.surface.mid
    for _ in range(ROUNDS):
        try:
            line = solve(_with_penalty(asked, kept, penalty))
        except AlignmentError:
            return None
        differs = all(overlap(line.line, other.line) <= MAX_OVERLAP for other in kept)
        if differs:
            # A harder penalty makes lines no cheaper: one over the limit ends the search.
            return line if line.price.total_musd <= MAX_PRICE_FACTOR * best else None
        penalty *= 3.0
    return None


def _with_penalty(asked: AlignmentProblem, kept: Sequence[Alignment], penalty: float) -> AlignmentProblem:
    """The problem with friction within 2 km of kept lines, in tunnels and bridges as well as in the open.

    Tunnels know no friction, so the nodes near the middle of kept tunnels are closed to tunnels.
    """
    ground = asked.terrain.ground
    rows, cols = np.indices(ground.shape)
    x, y = asked.terrain.grid.centres(rows.ravel().astype(float), cols.ravel().astype(float))
    near = np.zeros(rows.size, dtype=bool)
    bored = np.zeros(rows.size, dtype=bool)
    points = shapely.points(x, y)
    for line in kept:
        near |= shapely.dwithin(points, LineString(line.line[:, :2]), WITHIN_M)
        for structure in line.structures:
            if structure.kind == LineKind.TUNNEL and structure.length_m > 2 * WITHIN_M:
                middle = 0.5 * (structure.from_m + structure.to_m)
                spot = [np.interp(middle, line.chainage_m, line.line[:, k]) for k in (0, 1)]
                bored |= np.hypot(x - spot[0], y - spot[1]) < WITHIN_M
    friction = np.where(near, penalty, 0.0).reshape(ground.shape)
    if ground.friction.size:
        friction += ground.friction
    mask = ground.mask if ground.mask.size else np.zeros(ground.shape, dtype=np.uint8)
    mask = np.where(bored.reshape(ground.shape), mask | np.uint8(4), mask)
    # Heights of closed nodes may have been filled in; they are handed on as unknown again.
    z = np.where((ground.mask & 7) == 7, np.nan, ground.z) if ground.mask.size else ground.z
    return asked.on(z, mask, friction)


def overlap(line: Floats, other: Floats, within_m: float = WITHIN_M) -> float:
    """Share of a line's length that lies within a distance of another line (0 to 1)."""
    drawn = LineString(line[:, :2])
    return float(drawn.intersection(LineString(other[:, :2]).buffer(within_m)).length / drawn.length)
