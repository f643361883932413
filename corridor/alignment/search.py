"""Shortest paths over ground nodes and their levels: A* with an admissible bound, whole or from coarse to fine.

The bound is the cheapest price of any kind times the shortest length that the remaining distance and the remaining
difference in height allow. A link is tested for grade before it is priced, and pricing stops as soon as the link
can't improve on what is known (Hart, Nilsson and Raphael 1968, doi:10.1109/TSSC.1968.300136).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import (
    DONE,
    Effort,
    Ends,
    Held,
    Nodes,
    Primes,
    States,
    bound_direct_links,
    run_search,
)
from corridor.alignment.chords import CHEAPEST, DX, DY, pack_parameters
from corridor.alignment.links import (
    CLOSED,
    Ground,
    Laid,
    Levels,
    SearchOptions,
    all_moves,
    build_levels,
    lay_moves,
)
from corridor.alignment.spirals import Loops, lay_loops
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard, UnitCosts

Floats = NDArray[np.float64]
Node = tuple[int, int]

WATCH_S = 1.0
"""Seconds after which whoever watches a search hears of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A search that is ready to run: ground, links, levels, prices and which nodes may be used.

    ``index_of`` maps a flat node number to its place among the usable ones (-1: not usable), ``node_of`` back.
    """

    ground: Ground
    standard: DesignStandard
    costs: UnitCosts
    options: SearchOptions
    start: Node
    goal: Node
    levels: Levels
    moves: NDArray[np.int32]
    laid: Laid
    loops: Loops
    parameters: NDArray[np.float64]
    index_of: NDArray[np.int32]
    node_of: NDArray[np.int32]
    reuse: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]

    @property
    def n_states(self) -> int:
        """States per node."""
        return len(self.levels.kind)

    def as_nodes(self) -> Nodes:
        """Nodes and moves as the compiled searches read them."""
        move_m = np.hypot(self.moves[:, 0] * self.ground.dy_m, self.moves[:, 1] * self.ground.dx_m)
        return Nodes(self.index_of, self.node_of, self.moves, move_m, self.laid)

    def as_states(self, reverse: bool = False) -> States:
        """States and grades as the compiled searches read them, grades turned round for a ``reverse`` search."""
        up, down = self.standard.max_grade_up_pct / 100.0, self.standard.max_grade_down_pct / 100.0
        lv = self.levels
        return States(lv.offset_m, lv.kind, lv.first, lv.terminal, lv.is_far, *((down, up) if reverse else (up, down)))

    def state(self, node: Node) -> int:
        """Number of the state of open line on the ground at a node."""
        flat = node[0] * self.ground.shape[1] + node[1]
        return int(self.index_of[flat]) * self.n_states + self.levels.terminal


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search leaves behind: cost so far and predecessor per state, which states are settled, and the best cost.

    ``cost_musd`` is infinite where there is no way.
    """

    cost: NDArray[np.float64]
    parent: NDArray[np.int32]
    settled: NDArray[np.bool_]
    cost_musd: float
    expanded: int

    @classmethod
    def nothing(cls, problem: Problem) -> Found:
        """What is known before any search."""
        n = len(problem.node_of) * problem.n_states
        return cls(np.full(n, np.inf), np.full(n, -1, np.int32), np.zeros(n, dtype=bool), np.inf, 0)


def build_problem(
    ground: Ground,
    start: Node,
    goal: Node,
    standard: DesignStandard,
    costs: UnitCosts,
    options: SearchOptions,
    usable: NDArray[np.bool_] | None = None,
    thin: bool = False,
    few_far: bool = False,
) -> Problem:
    """Lay out a search between two nodes, over all nodes or over those marked ``usable`` (rows, cols).

    ``thin`` leaves out some of the long links (see ``structure_moves``).

    Args:
        ground: the ground's surface.
        start: row and column.
        goal: row and column.
        standard: the design standard to keep.
        costs: prices by kind.
        options: of the search.
        usable: nodes that count, shape (rows, cols); all if left out.
        thin: whether to leave out some of the long links.
        few_far: whether to leave out those of them that join other heights than coarser cells have.

    Raises:
        AlignmentError: if a terminal lies outside the grid, is closed, or both are the same node.
    """
    rows, cols = ground.shape
    for name, (row, col) in (("start", start), ("end", goal)):
        if not (0 <= row < rows and 0 <= col < cols):
            raise AlignmentError(f"{name}: node ({row}, {col}) lies outside the grid of {rows} x {cols}")
        if ground.mask.size and ground.mask[row, col] & CLOSED == CLOSED:
            raise AlignmentError(f"{name}: node ({row}, {col}) is closed by the mask or has no height")
    if start == goal:
        raise AlignmentError("start and end fall on the same node of the grid: nothing to search")
    keep = np.ones(rows * cols, dtype=bool) if usable is None else usable.ravel().copy()
    if ground.mask.size:
        keep &= (ground.mask.ravel() & CLOSED) != CLOSED
    # Terminals are nodes of the search whatever an earlier, coarser stage kept.
    keep[start[0] * cols + start[1]] = keep[goal[0] * cols + goal[1]] = True
    node_of = np.flatnonzero(keep).astype(np.int32)
    index_of = np.full(rows * cols, -1, dtype=np.int32)
    index_of[node_of] = np.arange(len(node_of), dtype=np.int32)
    parameters = pack_parameters(ground, standard, costs)
    reuse = _reuse_table(ground, standard, options, index_of, len(node_of), parameters)
    levels = build_levels(options.offsets_m, standard, options.coarse_offsets_m if few_far else None)
    moves = all_moves(options, ground.dx_m, ground.dy_m, thin)
    laid = lay_moves(moves)
    loops = lay_loops(options, standard, ground.dx_m, ground.dy_m)
    return Problem(
        ground, standard, costs, options, start, goal, levels, moves, laid, loops, parameters, index_of, node_of, reuse
    )


def _reuse_table(
    ground: Ground,
    standard: DesignStandard,
    options: SearchOptions,
    index_of: NDArray[np.int32],
    n_nodes: int,
    parameters: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Old pieces as adjacency (pointer, target, price), each both ways where the grade allows; lowers the bound."""
    cols = ground.shape[1]
    found: list[tuple[int, int, float]] = []
    for link in options.reuse:
        a, b = (int(index_of[r * cols + c]) for r, c in (link.start, link.end))
        if a < 0 or b < 0:
            continue
        climb = ground.z[link.end] - ground.z[link.start]
        chord = np.hypot((link.end[0] - link.start[0]) * ground.dy_m, (link.end[1] - link.start[1]) * ground.dx_m)
        up, down = (g / 100.0 * link.length_m for g in (standard.max_grade_up_pct, standard.max_grade_down_pct))
        for u, v, rise in ((a, b, climb), (b, a, -climb)):
            if -down <= rise <= up:
                found.append((u, v, link.price_musd))
        if chord > 0:
            # The bound stays a bound only if the cheapest price is no higher than an old piece's per metre that the
            # bound counts.
            shortest = max(chord, abs(climb) / max(standard.max_grade_up_pct, standard.max_grade_down_pct) * 100.0)
            parameters[CHEAPEST] = min(parameters[CHEAPEST], link.price_musd / max(shortest, link.length_m))
    if not found:
        return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
    found.sort()
    source = np.array([f[0] for f in found])
    pointer = np.searchsorted(source, np.arange(n_nodes + 1)).astype(np.int32)
    return pointer, np.array([f[1] for f in found], np.int32), np.array([f[2] for f in found])


def search(
    problem: Problem,
    near_factor: float = 1.0,
    reverse: bool = False,
    informed: bool = True,
    guide: Found | None = None,
    known_musd: float = np.inf,
    promised: Floats | None = None,
    primes: Primes | None = None,
    least_musd: Floats | None = None,
) -> Found:
    """Run the search from start to end, or from end to start over the same links (``reverse``).

    With a ``near_factor`` above 1 it goes on until every state is settled that a path within that factor of the best
    can pass. ``informed`` off searches without the bound (Dijkstra), for checks. ``guide`` is what a search the other
    way round found with at least the same ``near_factor``: its costs are the best bound there is. ``known_musd`` is
    a cost that is known to be possible: links that can't stay below it are dropped early. ``promised`` says per state
    what the rest will cost at least, if that is known better than by the bound. ``primes`` is what a smaller search
    found, the same way round, which this one begins with. ``least_musd`` says per state what the rest costs at least,
    and so leads the search where that is more than the bound: along a link it falls by no more than the link costs.

    Args:
        problem: the search as it is laid out.
        near_factor: how many times the best cost a line may have that is still looked at.
        reverse: whether to search from the end.
        informed: whether a bound on the rest steers the search.
        guide: what a search the other way round found.
        known_musd: a cost that is known to be possible.
        promised: what the rest will cost at least, by state.
        primes: what a smaller search found, the same way round.
        least_musd: what the rest costs at least, by state.
    """
    p = problem
    begin, end = (p.goal, p.start) if reverse else (p.start, p.goal)
    direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
    ahead = np.zeros(0) if promised is None else promised
    if guide is not None:
        ahead = np.where(guide.settled, guide.cost, np.inf)
    elif least_musd is not None:
        ahead = np.maximum(least_musd, bound_states(p, reverse))
    known = known_musd if guide is None else guide.cost_musd
    nodes, states, ends = p.as_nodes(), p.as_states(reverse), Ends(*begin, *end, direct_m)
    is_consistent = guide is not None or least_musd is not None
    lowest = bound_direct_links(p.ground.arrays, nodes, states, ends, p.parameters)
    lowest += ahead.reshape(-1, p.n_states).min(axis=1) if is_consistent else _bound_rest(p, end)
    # Rounded down, so that 32 bits never lift the bound above the true price.
    lowest = (lowest * (1.0 - 1e-6)).astype(np.float32)
    # Links that can't be built have infinite bounds, which come last and are left out.
    order = np.argsort(lowest, kind="stable")[: np.isfinite(lowest).sum()].astype(np.int32)
    told = np.zeros(1, dtype=np.int64)
    arguments = (
        p.ground.arrays,
        nodes,
        p.loops.reversed() if reverse else p.loops,
        states,
        ends,
        Held(order, lowest[order]),
        reversed_reuse(p.reuse, reverse),
        Effort(near_factor, p.options.abort, informed, ahead, is_consistent, known),
        p.parameters,
        primes or prime_with(np.zeros(0), np.zeros(0, np.int32)),
        told,
    )
    cost, parent, position, expanded = run_watched(
        run_search, arguments, told, len(p.node_of) * p.n_states, p.options.watch
    )
    return Found(cost, parent, position == DONE, float(cost[p.state(end)]), int(expanded))


def _bound_rest(problem: Problem, end: Node) -> Floats:
    """Least that the rest costs from each node to a terminal: the cheapest price times the distance."""
    rows, cols = np.divmod(problem.node_of, problem.ground.shape[1])
    p = problem.parameters
    return np.asarray(p[CHEAPEST] * np.hypot((rows - end[0]) * p[DY], (cols - end[1]) * p[DX]))


def bound_states(problem: Problem, reverse: bool = False) -> Floats:
    """The same for each state, where the climb may need a longer way: what leads searches that know no better."""
    end = problem.start if reverse else problem.goal
    states = problem.as_states(reverse)
    height = problem.ground.z.ravel()[problem.node_of][:, None] + states.offset_m
    rise = problem.ground.z[end] - height
    needed = np.where(rise > 0.0, rise / states.up, -rise / states.down)
    return np.asarray(np.maximum(_bound_rest(problem, end)[:, None], problem.parameters[CHEAPEST] * needed).ravel())


def prime_with(cost: Floats, parent: NDArray[np.int32]) -> Primes:
    """Costs and parents per state of lines that are known to be possible, as a search begins with them."""
    return Primes(cost, parent, np.zeros(0, dtype=bool), 0)


def run_watched(
    run: Callable[..., Any],
    arguments: tuple[Any, ...],
    told: NDArray[np.int64],
    whole: int,
    watch: Callable[[float], None] | None,
) -> Any:
    """What a compiled loop gives; whoever watches hears now and then how far it is.

    The loop holds no lock while it runs, so that it can be waited for. Most searches end before they were everywhere.

    Args:
        run: the loop.
        arguments: its words.
        told: one whole number, in which the loop says how far it is.
        whole: what it says where it has been everywhere.
        watch: who hears the share, 0 to 1; nobody if left out.
    """
    if watch is None:
        return run(*arguments)
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(run, *arguments)
        while wait([running], timeout=WATCH_S).not_done:
            watch(min(float(told[0]) / max(whole, 1), 1.0))
    return running.result()


def reversed_reuse(
    reuse: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]], reverse: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Old formations as a problem has them, with every link turned round.

    Args:
        reuse: as adjacency (pointer, target, price).
        reverse: whether to turn them.
    """
    pointer, target, price = reuse
    if not reverse or not len(target):
        return reuse
    source = np.repeat(np.arange(len(pointer) - 1), np.diff(pointer))
    # What was a target is now a source: sorted by it, the links of a node are a run again.
    order = np.argsort(target, kind="stable")
    turned = np.searchsorted(target[order], np.arange(len(pointer))).astype(np.int32)
    return turned, source[order].astype(np.int32), price[order]


def trace_states(problem: Problem, found: Found, reverse: bool = False) -> list[int]:
    """States along the best path, from start to end whichever way it was searched; empty if there is none.

    Args:
        problem: the search as it is laid out.
        found: what the search found.
        reverse: whether it ran from the end.
    """
    begin, end = (problem.goal, problem.start) if reverse else (problem.start, problem.goal)
    state, first = problem.state(end), problem.state(begin)
    if not np.isfinite(found.cost[state]):
        return []
    states = [state]
    while state != first:
        state = int(found.parent[state])
        states.append(state)
    return states if reverse else states[::-1]


def state_points(problem: Problem, states: list[int]) -> NDArray[np.float64]:
    """Row, column and height of states, (n, 3)."""
    index, level = np.divmod(np.asarray(states), problem.n_states)
    rows, cols = np.divmod(problem.node_of[index], problem.ground.shape[1])
    heights = problem.ground.z[rows, cols] + problem.levels.offset_m[level]
    return np.column_stack([rows, cols, heights]).astype(float)
