"""Shortest paths over ground nodes and their levels: A* with an admissible bound, whole or from coarse to fine.

The bound is the cheapest price of any kind times the shortest length that the remaining distance and the remaining
difference in height allow. A link is tested for grade before it is priced, and pricing stops as soon as the link
can't improve on what is known (Hart, Nilsson and Raphael 1968, doi:10.1109/TSSC.1968.300136).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, minimum_filter

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
    Stage,
    all_moves,
    build_ground,
    build_levels,
    default_narrowing,
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
        return States(lv.offset_m, lv.kind, lv.first, lv.terminal, *((down, up) if reverse else (up, down)))

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
    levels = build_levels(options.offsets_m, standard)
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
        ahead = np.maximum(least_musd, _bound_states(p, reverse))
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


def _bound_states(problem: Problem, reverse: bool = False) -> Floats:
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


# --- Coarse to fine: search a coarser ground both ways and keep only what a near-optimal line can pass ---
# A buffer about the one coarse path loses the best line where two valleys cost nearly the same; the set of all nodes
# with ``cost from start + cost to end <= factor x best`` keeps both.

Flags = NDArray[np.bool_]

PROMISED = 0.97  # of what the rest costs with fewer links: with all of them it hardly ever costs less
HOPE = 1.1  # a line on finer ground is hardly ever dearer than this beside one on coarser ground


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


def node_cost_through(problem: Problem, forward: Found, backward: Found) -> Floats:
    """Cheapest way from start to end through each node (any level), (rows, cols); infinite where not settled.

    Args:
        problem: the search as it is laid out.
        forward: what a search from the start found.
        backward: what one from the end found.
    """
    both = np.where(forward.settled & backward.settled, forward.cost + backward.cost, np.inf)
    best = both.reshape(-1, problem.n_states).min(axis=1)
    out = np.full(problem.ground.z.size, np.inf)
    out[problem.node_of] = best
    return out.reshape(problem.ground.shape)


def search_both_ways(problem: Problem, near_factor: float, hoped_musd: float = np.inf) -> tuple[Found, Found]:
    """Forward and backward costs of everything that a line within ``near_factor`` of the best can pass.

    ``hoped_musd`` is a guess at a cost that is possible; it only saves time, and is dropped if it is too low.

    Args:
        problem: the search as it is laid out.
        near_factor: how many times the best cost a line may have that is still looked at.
        hoped_musd: a guess at a cost that is possible.
    """
    # As in ``search_primed``, short links go first.
    options, usable = problem.options, (problem.index_of >= 0).reshape(problem.ground.shape)
    short = replace(options, max_structure_km=_priming_km(problem.ground, options))
    before = build_problem(problem.ground, problem.start, problem.goal, problem.standard, problem.costs, short, usable)
    first = search(before, near_factor, known_musd=hoped_musd)
    primes = _primes_on(before, first, problem)
    forward = search(problem, near_factor, known_musd=min(hoped_musd, first.cost_musd), primes=primes)
    if forward.cost_musd > hoped_musd:
        forward = search(problem, near_factor, primes=primes._replace(tried=np.zeros(0, dtype=bool)))
    if not np.isfinite(forward.cost_musd):
        return forward, forward
    return forward, search(problem, near_factor, reverse=True, guide=forward)


class Question(NamedTuple):
    """What a search is asked, as ``build_problem`` takes it."""

    ground: Ground
    start: Node
    goal: Node
    standard: DesignStandard
    costs: UnitCosts
    options: SearchOptions


class Thin(NamedTuple):
    """A search on the ground and levels of the one that follows, with fewer links: what it found from the start (of the
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
    ``looked_at`` is the share of states that a search for the cheapest line settled on the first, coarsest ground.
    ``thin`` is the last search on the same ground and levels, all of whose ways to usable nodes are left.
    """

    usable: Flags | None = None
    known_musd: float = np.inf
    hoped_musd: float = np.inf
    looked_at: float = 1.0
    thin: Thin | None = None

    def promise(self, problem: Problem) -> Floats | None:
        """What the rest of a line costs at least from each state of a problem; 0 where nothing is known."""
        if self.thin is None:
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
        primes = _primes_on(self.thin.problem, self.thin.forward, problem)
        return primes if near_factor <= self.thin.near_factor else primes._replace(tried=np.zeros(0, dtype=bool))


KEPT_STATES = 2_500_000  # that narrowing keeps about at most, of the cells of the search that follows
PRIMING_CELLS = 6.0  # the longest links of the searches that prime


def _priming_km(ground: Ground, options: SearchOptions) -> float:
    """The longest links of searches that prime."""
    return min(options.max_structure_km, PRIMING_CELLS * max(ground.dx_m, ground.dy_m) / 1000.0)


def search_primed(
    question: Question,
    near_factor: float = 1.0,
    reverse: bool = False,
    least_musd: Floats | None = None,
    usable: Flags | None = None,
    known_musd: float = np.inf,
) -> tuple[Problem, Found]:
    """The search over the whole ground, with nothing left out, in a third of the time of one that begins anew.

    Smaller searches go first: over the ground alone, with short links and with all, then with short links at all
    levels. Each line of a smaller search is a line of the larger one too, so that its costs are labels that the larger
    one begins with: most of the links that lead to nothing cheaper are then dropped by a bound on their price.

    Args:
        question: what is asked.
        near_factor: see ``search``.
        reverse: whether to search from the end.
        least_musd: what the rest costs at least, by state; see ``search``.
        usable: nodes that count, (rows, cols); all if left out.
        known_musd: a cost that is known to be possible.

    Returns:
        The problem over all of these nodes and what the search found; its price is that of the cheapest line there.
    """
    ground, options = question.ground, question.options
    short_km = _priming_km(ground, options)
    flat, short = replace(options, offsets_m=(0.0,)), replace(options, max_structure_km=short_km)
    steps = [step for step in (replace(flat, max_structure_km=short_km), flat, short) if step != options]
    problem = build_problem(*question[:5], steps[0] if steps else options, usable)
    found, known = Found.nothing(problem), known_musd
    for step in [*dict.fromkeys(steps), options]:
        before, problem = problem, build_problem(*question[:5], step, usable)
        # On the same levels a search follows that looks as far: what was tried for this one holds for that.
        has_all_levels = step.offsets_m == options.offsets_m
        factor, least = near_factor if has_all_levels else 1.0, least_musd
        if least is not None and not has_all_levels:
            levels = build_levels(options.offsets_m, question.standard)
            least = least.reshape(-1, len(levels.kind))[:, levels.terminal].copy()
        primes = _primes_on(before, found, problem)
        found = search(problem, factor, reverse, known_musd=known, primes=primes, least_musd=least)
        known = min(known, found.cost_musd)
    return problem, found


STRICTER = 1.12
"""Up to how many times its own price a search of a looser grade looks for the sake of stricter ones."""


@dataclass(frozen=True, slots=True, eq=False)
class StartCosts:
    """What a line costs at least from the start to each state, as a search that allowed steeper grades found it.

    Led by them, searches from the end for stricter grades look at a fraction of the ground and find the same.
    """

    question: Question
    least_musd: Floats

    def hold_for(self, question: Question) -> bool:
        """Whether each line that answers a question was one for that search too, at the same price."""
        searched, asked = self.question, question
        # Full circles depend on the grade, so that those of a stricter one aren't among those of a looser one.
        return (
            searched.ground is asked.ground
            and (searched.start, searched.goal) == (asked.start, asked.goal)
            and (searched.costs, searched.options) == (asked.costs, asked.options)
            and asked.options.spirals == 0
            and searched.standard.is_looser_than(asked.standard)
        )


def find_start_costs(question: Question) -> StartCosts | None:
    """Search the whole ground from the start; None where there is no way.

    What the search didn't get to costs more than what it looked for, less the bound on the rest. Along a link that
    rises by no more than the link costs, so that it may lead a search.

    Args:
        question: with the loosest of the grades that are asked for.
    """
    problem, found = search_primed(question, STRICTER)
    if not np.isfinite(found.cost_musd):
        return None
    beyond = STRICTER * found.cost_musd - _bound_states(problem)
    # The margin is for rounding: two sums of the same links may differ in the last digits.
    return StartCosts(question, np.where(found.settled, found.cost, beyond) * (1.0 - 1e-9))


def search_whole(
    question: Question, before: Problem, found: Found, known_musd: float, near_factor: float = 1.0
) -> tuple[Problem, Found]:
    """The search over the whole ground for what costs less than a line that was found on a part of it.

    What was found begins it, so that it takes less time than one that begins anew, and proves how good the line is.

    Args:
        question: what is asked.
        before: the search on a part of the ground, with the same levels.
        found: what it found.
        known_musd: a cost that is known to be possible.
        near_factor: see ``search``.

    Returns:
        The problem over all nodes and what the search found; its price is that of the cheapest line there is.
    """
    problem = build_problem(*question)
    # What was promised to the search before may have kept it from links that this one needs.
    primes = _primes_on(before, found, problem)._replace(tried=np.zeros(0, dtype=bool))
    return problem, search(problem, near_factor, known_musd=known_musd, primes=primes)


REACH_M = 5_000.0  # on either side of a line on a part of the ground, where all is searched too
WORTH_MORE = 0.999  # of a line's price: a cheaper one beside it is worth looking beside that one too


def search_nearby(question: Question, problem: Problem, found: Found, searched: Flags) -> tuple[Problem, Found]:
    """The line that was found on a part of the ground, or one that is cheaper within 5 km of it.

    Wide cells tell which valleys a line takes, and little of how it winds in them: all of the ground beside the line is
    looked at, and beside the one found there, until a round gains less than a thousandth.

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


def _primes_on(before: Problem, found: Found, problem: Problem) -> Primes:
    """What a search with as many or fewer levels and links, that looked as far, knows of a problem's states.

    Nodes that the problem hasn't are on no way to those that it has.
    """
    total, n = len(problem.node_of) * problem.n_states, problem.n_states
    cost, parent = np.full(total, np.inf), np.full(total, -1, np.int32)
    # A search on the ground alone has one state a node, which is the terminals' state here.
    levels = np.arange(n) if before.n_states == n else np.array([problem.levels.terminal])
    index = problem.index_of[before.node_of]
    state = (index[:, None] * n + levels).ravel().astype(np.int32)
    is_here = np.repeat(index >= 0, len(levels))
    cost[state[is_here]] = found.cost[is_here]
    parents = found.parent[is_here]
    parent[state[is_here]] = np.where(parents >= 0, state[parents], -1)
    if before.n_states != n or not (before.index_of[problem.node_of] >= 0).all():
        return prime_with(cost, parent)
    tried = np.zeros(total, dtype=bool)
    tried[state[is_here]] = found.settled[is_here]
    # Moves are sorted by length, so that those of a search with shorter links come first.
    most = min(len(before.moves), len(problem.moves))
    is_same = (before.moves[:most] == problem.moves[:most]).all(axis=1)
    return Primes(cost, parent, tried, most if is_same.all() else int(is_same.argmin()))


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


def narrow(
    ground: Ground,
    start: Node,
    goal: Node,
    standard: DesignStandard,
    costs: UnitCosts,
    options: SearchOptions,
) -> Narrowed:
    """Find out which nodes of the fine ground a search has to look at.

    Runs the stages of ``options.narrowing``; a later, finer stage searches only what the one before left. Where no
    stage finds a way between the terminals, all nodes are left.

    Args:
        ground: the ground's surface.
        start: row and column.
        goal: row and column.
        standard: the design standard to keep.
        costs: prices by kind.
        options: of the search.
    """
    stages = options.narrowing
    if stages is None:
        stages = default_narrowing(max(ground.dx_m, ground.dy_m), len(options.offsets_m), ground.z.size)
    question = Question(ground, start, goal, standard, costs, options)
    left = Narrowed()
    # What a stage leaves has to do for the cells of the next one, or for those of the search itself.
    finer = [stage.factor for stage in stages[1:]] + [1]
    for stage, next_factor in zip(stages, finer, strict=False):
        left = _run_stage(question, stage, left, KEPT_STATES * next_factor**2)
    return left


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
        on_way = np.unique(parents[parents >= 0] // n).astype(np.intp)
        new = on_way[~is_here[on_way]]
        is_here[new] = True
    out = usable.copy()
    out.flat[problem.node_of[is_here]] = True
    return out


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
    n_states = len(build_levels(options.offsets_m, question.standard).kind)
    room = min(most_states // (n_states * factor**2), through.size - 1)
    limit = min(near_factor * forward.cost_musd, float(np.partition(through, room, axis=None)[room]))
    usable = under_blocks(through <= limit, factor, question.ground.shape)
    looked_at = left.looked_at
    if left.usable is None:
        in_reach = forward.settled & (forward.cost + _bound_states(problem) <= forward.cost_musd)
        looked_at = float(in_reach.mean())
    # On the same ground a cost is known to be possible; on coarser ground heights differ and the cost is only a hope.
    if factor == 1 and set(offsets) <= set(options.offsets_m):
        thin = None
        if offsets == options.offsets_m:
            forward = _settled_alone(forward)
            usable, thin = _with_ways(problem, forward, usable), Thin(problem, forward, backward, near_factor)
        return Narrowed(usable, forward.cost_musd, looked_at=looked_at, thin=thin)
    return Narrowed(usable, hoped_musd=HOPE * forward.cost_musd, looked_at=looked_at)
