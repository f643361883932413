"""From coarse to fine: search a coarser ground both ways and keep only what a near-optimal line can pass.

A buffer about the one coarse path loses the best line where two valleys cost nearly the same; the set of all nodes with
``cost from start + cost to end <= factor x best`` keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt, minimum_filter

from corridor.alignment._kernels.astar import Primes
from corridor.alignment.links import Stage
from corridor.alignment.primed import (
    Flags,
    Floats,
    Question,
    node_cost_through,
    primes_on,
    search_both_ways,
    search_primed,
)
from corridor.alignment.search import Found, Problem, build_problem, search, state_points, trace_states
from corridor.alignment.wider import over_blocks, under_blocks, widen_cells

PROMISED = 0.97  # of what the rest costs with fewer links: with all of them it hardly ever costs less
HOPE = 1.1  # a line on finer ground is hardly ever dearer than this beside one on coarser ground
KEPT_STATES = 2_500_000  # that narrowing keeps about at most, of the cells of the search that follows
COARSE_CELL_M = 1250.0
SMALL_NODES, HUGE_NODES = 50_000, 1_000_000  # from these on a grid is searched by way of one coarser one, or two


def default_narrowing(cell_m: float, n_offsets: int, n_nodes: int) -> tuple[Stage, ...]:
    """Stages for a cell size: with several levels one on the ground's own cells, which misses levels and long links.

    Cells even three times as wide tell which valleys a line may take where it lies on the ground, and not where it has
    to wind: on the mean of a slope there is no room for that. So cells stay as they are with several levels. A line
    with few of them costs a third more, but what the others are worth is much the same along all lines.

    Lines on the ground alone have less to choose from, and there wide cells will do: of about 1.2 km, on a huge ground
    three times as wide as its own, then its own without long links.

    Args:
        cell_m: side of a cell.
        n_offsets: heights above and below the ground that a search has at each node.
        n_nodes: of the fine ground.
    """
    if n_offsets > 1:
        return (Stage(1, 1.1, levels=True, few=True, dilate_cells=2),)
    stages: list[Stage] = []
    factor, is_large = min(round(COARSE_CELL_M / cell_m), 8), n_nodes >= SMALL_NODES
    if factor >= 3 and is_large:
        stages.append(Stage(factor, 1.3))
    if factor >= 6 and n_nodes >= HUGE_NODES:
        stages.append(Stage(3, 1.05))
    if is_large:
        stages.append(Stage(1, 1.03, levels=True))
    return tuple(stages)


def estimate_share(question: Question) -> float:
    """Share of the ground's states that a search of all of it would look at, as one on cells of 1.2 km makes believe.

    Args:
        question: what is asked.

    Returns:
        The share, 1 where such cells tell nothing.
    """
    ground, options = question.ground, question.options
    factor = max(round(COARSE_CELL_M / max(ground.dx_m, ground.dy_m)), 1)
    wide = widen_cells(question, factor, options.coarse_offsets_m if len(options.offsets_m) > 1 else (0.0,))
    found = None if wide is None else search(build_problem(*wide, thin=True))
    return 1.0 if found is None or not np.isfinite(found.cost_musd) else float(found.settled.mean())


class Thin(NamedTuple):
    """A search on the ground of the one that follows, with fewer links or levels: what it found from the start (of the
    states that it settled alone) and from the end, of lines within ``near_factor`` of the best.
    """

    problem: Problem
    forward: Found
    backward: Found
    near_factor: float


@dataclass(frozen=True, slots=True, eq=False)
class Narrowed:
    """What is left of a search: ``usable`` marks nodes (rows, cols), None means all of them.

    ``known_musd`` is a cost that is known to be possible for it, ``hoped_musd`` one that a coarser ground promises.
    ``thin`` is the last search on the same ground, all of whose ways to usable nodes are left.
    """

    usable: Flags | None = None
    known_musd: float = np.inf
    hoped_musd: float = np.inf
    thin: Thin | None = None

    def promise(self, problem: Problem) -> Floats | None:
        """What the rest of a line costs at least from each state of a problem; 0 where nothing is known."""
        # What a search with fewer levels found costs much more than the rest with all of them.
        if self.thin is None or self.thin.problem.n_states != problem.n_states:
            return None
        before, backward = self.thin.problem, self.thin.backward
        # Nodes that the last search didn't have, and states that it didn't settle, promise nothing.
        index = before.index_of[problem.node_of]
        known = np.where(backward.settled, PROMISED * backward.cost, 0.0).reshape(-1, before.n_states)
        return np.where(index[:, None] >= 0, known[np.maximum(index, 0)], 0.0).ravel()

    def primes(self, problem: Problem, near_factor: float) -> Primes | None:
        """What is known of the states of a problem over what is left before it is searched, for lines so near."""
        if self.thin is None:
            return None
        primes = primes_on(self.thin.problem, self.thin.forward, problem)
        return primes if near_factor <= self.thin.near_factor else primes._replace(tried=np.zeros(0, dtype=bool))


def narrow(question: Question) -> Narrowed:
    """Find out which nodes of the fine ground a search has to look at.

    Runs the stages of ``options.narrowing``; a later, finer stage searches only what the one before left. Where no
    stage finds a way between the terminals, all nodes are left.

    Args:
        question: what is asked.
    """
    ground, options = question.ground, question.options
    stages = options.narrowing
    if stages is None:
        stages = default_narrowing(max(ground.dx_m, ground.dy_m), len(options.offsets_m), ground.z.size)
    left = Narrowed()
    # What a stage leaves has to do for the cells of the next one, or for those of the search itself.
    finer = [stage.factor for stage in stages[1:]] + [1]
    for stage, next_factor in zip(stages, finer, strict=False):
        left = _run_stage(question, stage, left, KEPT_STATES * next_factor**2)
    return left


def _run_stage(question: Question, stage: Stage, left: Narrowed, most_states: int) -> Narrowed:
    """One stage: what is left after it, about so many states at most; what was left before, if it finds no way."""
    options, (factor, near_factor) = question.options, (stage.factor, stage.near_factor)
    offsets: tuple[float, ...] = (0.0,)
    if stage.levels:
        offsets = options.coarse_offsets_m if factor > 1 or stage.few else options.offsets_m
    coarse = widen_cells(question, factor, offsets)
    if coarse is None:
        return left
    problem = build_problem(*coarse, over_blocks(left.usable, factor), thin=True)
    forward, backward = search_both_ways(problem, near_factor, min(left.known_musd, left.hoped_musd))
    if not np.isfinite(forward.cost_musd):
        return left
    # A block counts as near as the best of those around it. Where too many are, the nearest have the room there is.
    through = minimum_filter(node_cost_through(problem, forward, backward), 2 * stage.dilate_cells + 1)
    room = min(most_states // (question.node_states * factor**2), through.size - 1)
    limit = min(near_factor * forward.cost_musd, float(np.partition(through, room, axis=None)[room]))
    usable = under_blocks(through <= limit, factor, question.ground.shape)
    # On the same ground a cost is known to be possible; on coarser ground heights differ and the cost is only a hope.
    if factor == 1 and set(offsets) <= set(options.offsets_m):
        forward = _settled_alone(forward)
        usable = _with_ways(problem, forward, usable)
        return Narrowed(usable, forward.cost_musd, thin=Thin(problem, forward, backward, near_factor))
    return Narrowed(usable, hoped_musd=HOPE * forward.cost_musd)


def _settled_alone(found: Found) -> Found:
    """The same without what was found of states that it didn't settle."""
    cost, parent = np.where(found.settled, found.cost, np.inf), np.where(found.settled, found.parent, np.int32(-1))
    return replace(found, cost=cost, parent=parent)


def _with_ways(problem: Problem, found: Found, usable: Flags) -> Flags:
    """Usable nodes (rows, cols), and those on the ways to them that a search found."""
    is_here, n = usable.ravel()[problem.node_of], problem.n_states
    new = np.flatnonzero(is_here)
    while len(new):
        parents = found.parent.reshape(-1, n)[new]
        on_way = parents[parents >= 0] // n
        # Most are here already: only the few others are put in order.
        new = np.unique(on_way[~is_here[on_way]]).astype(np.intp)
        is_here[new] = True
    out = usable.copy()
    out.flat[problem.node_of[is_here]] = True
    return out


def search_left(question: Question, left: Narrowed, near_factor: float = 1.0) -> tuple[Problem, Found]:
    """The search over what narrowing left, led by what that learnt.

    Args:
        question: what is asked.
        left: by narrowing.
        near_factor: see ``search``.

    Returns:
        The problem over these nodes and what the search found.
    """
    if not np.isfinite(left.known_musd):
        return search_primed(question, near_factor, usable=left.usable)
    problem = build_problem(*question, left.usable)
    primes, promised = left.primes(problem, near_factor), left.promise(problem)
    return problem, search(problem, near_factor, known_musd=left.known_musd, promised=promised, primes=primes)


REACH_M = 5_000.0  # on either side of a line on a part of the ground, where all is searched too
WORTH_MORE = 0.999  # of a line's price: a cheaper one beside it is worth looking beside that one too


def search_nearby(question: Question, problem: Problem, found: Found, searched: Flags) -> tuple[Problem, Found]:
    """The line that was found on a part of the ground, or one that is cheaper within 5 km of it.

    Wide cells, or few heights, tell which valleys a line takes, and little of how it winds in them: all of the ground
    beside the line is looked at, and beside the one found there, until a round gains less than a thousandth.

    Args:
        question: what is asked.
        problem: the search on a part of the ground.
        found: what it found; there is a way.
        searched: that part, (rows, cols).

    Returns:
        The search that the cheapest of these lines was found on, and what it found.
    """
    while True:
        beside = _around_line(problem, found)
        if (searched | ~beside).all():
            return problem, found
        searched, before = beside, found.cost_musd
        # The line itself is one of those beside it; the margin is for rounding.
        nearer = search_primed(question, usable=beside, known_musd=before * (1.0 + 1e-9))
        if nearer[1].cost_musd < before:
            problem, found = nearer
        if found.cost_musd > WORTH_MORE * before:
            return problem, found


def _around_line(problem: Problem, found: Found) -> Flags:
    """The nodes, (rows, cols), within 5 km of the cheapest line."""
    ground = problem.ground
    on_line = mark_line(state_points(problem, trace_states(problem, found))[:, :2], ground.shape)
    return np.asarray(distance_transform_edt(~on_line, sampling=(ground.dy_m, ground.dx_m)) <= REACH_M)


def mark_line(points: Floats, shape: tuple[int, int]) -> Flags:
    """The cells, (rows, cols), that a line passes.

    Args:
        points: rows and columns, fractional, shape (n, 2).
        shape: rows and columns of cells.
    """
    passed = np.zeros(shape, dtype=bool)
    for a, b in pairwise(points):
        steps = np.linspace(a, b, 2 * int(np.abs(b - a).max()) + 2).round().astype(int)
        passed[steps[:, 0], steps[:, 1]] = True
    return passed
