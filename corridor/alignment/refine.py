"""Where a line with bends runs on large ground: one on wide cells first, then beside it on ever narrower ones.

Bends are what a search over nodes knows nothing of, and the finer the cells are, the more a line without them differs
from one with them: it follows every fold of the ground. So what guides on wide cells, its cost, misleads on narrow
ones. Lines with bends of neighbouring widths lie near each other. But wide cells may miss a valley in which there is no
room for a line of theirs: on the cells asked for, where there are few enough, all is looked at too that lines without
bends pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from corridor.alignment.narrowing import mark_line, narrow
from corridor.alignment.primed import Flags, Question, search_primed
from corridor.alignment.search import state_points
from corridor.alignment.turning import Course, TurnSearch
from corridor.alignment.wider import over_blocks, under_blocks, widen_cells

STEP = 3  # how many times as wide cells are as those that follow
FIRST_STATES = 250_000  # cells are so wide at first that there are at most so many states
REACHES = (6, 12)  # cells on either side of a line that the next search looks at; the second where the first has none
FREE_STATES = 5_000_000  # up to which it is found out where lines without bends run
WITHIN = 4.0  # times the price without bends that a line with bends may cost


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A line on cells ``factor`` times as wide as asked for: fractional rows and columns of these, (n, 2).

    ``share`` is what links had to be allowed to lose there for one to be found (see ``TurnSearch.hasty``).
    """

    points: NDArray[np.float64]
    factor: int
    share: float

    def around(self, reach: int, shape: tuple[int, int]) -> Flags:
        """The nodes of the ground that was asked for within so many wide cells of the line.

        Args:
            reach: wide cells on either side.
            shape: rows and columns of nodes.
        """
        passed = mark_line(self.points, (-(-shape[0] // self.factor), -(-shape[1] // self.factor)))
        return under_blocks(binary_dilation(passed, np.ones((3, 3)), iterations=reach), self.factor, shape)


def sketch_bends(question: Question) -> Sketch | None:
    """The line with bends on cells three times as wide as asked for, found by way of still wider ones.

    Args:
        question: what is asked.

    Returns:
        The line on the narrowest cells that one was found on; None where there is none.
    """
    factors = [STEP]
    while question.n_states > FIRST_STATES * factors[-1] ** 2:
        factors.append(factors[-1] * STEP)
    sketch: Sketch | None = None
    for factor in reversed(factors):
        wide = widen_cells(question, factor, question.options.coarse_offsets_m)
        if wide is None:
            continue
        for usable in [None] if sketch is None else [sketch.around(r, question.ground.shape) for r in REACHES]:
            turning = search_beside(wide, over_blocks(usable, factor))
            course, _ = (Course([], []), np.inf) if turning is None else turning.hasty()
            if turning is not None and course.states:
                sketch = Sketch(state_points(turning.problem, course.states)[:, :2], factor, turning.found_share)
                break
    return sketch


def near_free_lines(question: Question) -> Flags | None:
    """The nodes, (rows, cols), that are near the cheapest lines without bends; None where nobody looked.

    Args:
        question: what is asked.
    """
    return narrow(question).usable if question.n_states <= FREE_STATES else None


def search_beside(question: Question, usable: Flags | None, free: Flags | None = None) -> TurnSearch | None:
    """The search for a line with bends over usable nodes (None: all) and where old formations may be joined.

    Args:
        question: what is asked.
        usable: nodes, (rows, cols).
        free: further ones, where lines without bends run.

    Returns:
        The search; None where there is no way even without bends.
    """
    if usable is not None:
        usable = usable if free is None else usable | free
        for link in question.options.reuse:
            usable[link.start] = usable[link.end] = True
    problem, backward = search_primed(question, WITHIN, reverse=True, usable=usable)
    if not np.isfinite(backward.cost_musd):
        return None
    return TurnSearch(problem, backward, WITHIN * backward.cost_musd, question.standard.min_radius_m)
