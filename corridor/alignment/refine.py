"""Where a line with bends runs on large ground: one on wide cells first, then beside it on ever narrower ones.

Bends are what a search over nodes knows nothing of, and the finer the cells are, the more a line without them differs
from one with them: it follows every fold of the ground. So what guides on wide cells, its cost, misleads on narrow
ones. Lines with bends of neighbouring widths lie near each other. But wide cells may miss a valley in which there is no
room for a line of theirs: on the cells asked for, where there are few enough, all is looked at too that lines without
bends pass. And a hasty search loses lines on its way, mostly near the one that it finds: all is looked at there, one
stretch of the line after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from corridor.alignment.links import build_levels
from corridor.alignment.narrowing import WORTH_MORE, mark_line, narrow
from corridor.alignment.primed import Flags, Question, search_primed
from corridor.alignment.search import state_points
from corridor.alignment.turning import Bend, Course, TurnSearch
from corridor.alignment.wider import over_blocks, under_blocks, widen_cells

STEP = 3  # how many times as wide cells are as those that follow
FIRST_STATES = 250_000  # cells are so wide at first that there are at most so many states
REACHES = (6, 12)  # cells on either side of a line that the next search looks at; the second where the first has none
FREE_STATES = 5_000_000  # up to which it is found out where lines without bends run; ground is huge beyond them
HUGE_REACHES = (3, *REACHES)  # the same on huge ground, where less is looked at first
CLOSE, STRETCH = 8, 120.0  # cells on either side of a line and along it, where all is looked at in the end
HUGE_CLOSE, HUGE_STRETCH = 4, np.inf  # the same on huge ground: along the whole line at once
CLOSE_STATES = 100_000  # up to which it is
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
    return None if is_huge(question) else narrow(question).usable


def is_huge(question: Question) -> bool:
    """Whether ground is so large that a line with bends is looked for with less effort.

    Args:
        question: what is asked.
    """
    return question.n_states > FREE_STATES


def search_beside(
    question: Question, usable: Flags | None, free: Flags | None = None, rough: bool = False
) -> TurnSearch | None:
    """The search for a line with bends over usable nodes (None: all) and where old formations may be joined.

    Args:
        question: what is asked.
        usable: nodes, (rows, cols).
        free: further ones, where lines without bends run.
        rough: whether what is left to the end may be found by few of the long links. It is then too much here and
            there: a hasty search may be led so, and takes all links itself, but none that proves.

    Returns:
        The search; None where there is no way even without bends.
    """
    if usable is not None:
        usable = usable if free is None else usable | free
        for link in question.options.reuse:
            usable[link.start] = usable[link.end] = True
    problem, backward = search_primed(question, WITHIN, reverse=True, usable=usable, few_far=rough)
    if not np.isfinite(backward.cost_musd):
        return None
    if rough:
        problem = replace(problem, levels=build_levels(problem.options.offsets_m, question.standard))
    return TurnSearch(problem, backward, WITHIN * backward.cost_musd, question.standard.min_radius_m)


def search_close(
    question: Question, turning: TurnSearch, course: Course, price: float, forbidden: Sequence[Bend] = ()
) -> tuple[TurnSearch, Course, float]:
    """A line that a hasty search found, or a cheaper one that differs from it in stretches.

    From start to end a stretch at a time is freed: there all ground near the line is looked at exactly, and of the rest
    of the line its own nodes alone, so that there is little to look at and lines join as they must. Stretches overlap
    by half, and each begins with the line that the one before left. While a round gains a thousandth or more, those
    where the line changed are looked at once more.

    Args:
        question: what is asked.
        turning: the search that found the line.
        course: the line, or an empty one.
        price: what it costs.
        forbidden: bends that may not be used.

    Returns:
        The search that found the cheapest of these lines, that line and its price.
    """
    reach, stretch = (HUGE_CLOSE, HUGE_STRETCH) if is_huge(question) else (CLOSE, STRETCH)
    before, changed = np.inf, None  # what it cost before a round, and nodes that it had before the last one
    while course.states and price <= WORTH_MORE * before:
        before, old = price, _nodes_of(turning, course)
        begin, length = 0.0, np.inf
        while begin < length:
            nodes = _nodes_of(turning, course)
            along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(nodes, axis=0).T))])
            length = max(along[-1] - stretch / 2, stretch / 2)
            is_in = (along >= begin) & (along <= begin + stretch)
            if changed is None or not _are_among(nodes[is_in], changed).all():
                freed = _around_stretch(nodes, along, (begin, begin + stretch), reach, question.ground.shape)
                near = None
                if np.count_nonzero(freed) * question.node_states <= CLOSE_STATES:
                    near = search_beside(question, freed)
                found, its_price = (Course([], []), np.inf) if near is None else near.closer(price, forbidden)
                if near is not None and found.states:
                    turning, course, price = near, found, its_price
            begin += stretch / 2
        changed = old
    return turning, course, price


def _nodes_of(turning: TurnSearch, course: Course) -> NDArray[np.intp]:
    """Rows and columns of the nodes of a line, (n, 2)."""
    return state_points(turning.problem, course.states)[:, :2].astype(np.intp)


def _are_among(nodes: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which nodes, (n, 2), are among others."""
    return np.asarray((nodes[:, None] == others[None]).all(axis=2).any(axis=1))


def _around_stretch(
    nodes: NDArray[np.intp],
    along: NDArray[np.float64],
    stretch: tuple[float, float],
    reach: int,
    shape: tuple[int, int],
) -> Flags:
    """The nodes, (rows, cols), within so many cells of a stretch of a line (cells along it), and all of the line."""
    ends = np.clip(stretch, 0.0, along[-1])
    places = np.concatenate([ends[:1], along[(along > ends[0]) & (along < ends[1])], ends[1:]])
    passed = mark_line(np.column_stack([np.interp(places, along, nodes[:, k]) for k in (0, 1)]), shape)
    freed = binary_dilation(passed, np.ones((3, 3)), iterations=reach)
    freed[tuple(nodes.T)] = True
    return np.asarray(freed)
