"""Coarse to fine: search a coarser ground both ways and keep only what a near-optimal line can pass.

A buffer about the one coarse path loses the best line where two valleys cost nearly the same; the set of all nodes
with ``cost from start + cost to end <= factor x best`` keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from corridor.alignment.ground import CLOSED, Ground, build_ground
from corridor.alignment.links import SearchOptions, Stage, default_narrowing
from corridor.alignment.search import Found, Node, Problem, build_problem, search
from corridor.schema.alignment import DesignStandard, UnitCosts

Floats = NDArray[np.float64]
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
    """Cheapest way from start to end through each node (any level), (rows, cols); infinite where not settled."""
    both = np.where(forward.settled & backward.settled, forward.cost + backward.cost, np.inf)
    best = both.reshape(-1, problem.n_states).min(axis=1)
    out = np.full(problem.ground.z.size, np.inf)
    out[problem.node_of] = best
    return out.reshape(problem.ground.shape)


def search_both_ways(problem: Problem, near_factor: float, hoped_musd: float = np.inf) -> tuple[Found, Found]:
    """Forward and backward costs of everything that a line within ``near_factor`` of the best can pass.

    ``hoped_musd`` is a guess at a cost that is possible; it only saves time, and is dropped if it is too low.
    """
    forward = search(problem, near_factor, known_musd=hoped_musd)
    if forward.cost_musd > hoped_musd:
        forward = search(problem, near_factor)
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


@dataclass(frozen=True, slots=True, eq=False)
class Narrowed:
    """What is left of a search: ``usable`` marks nodes (rows, cols), None means all of them.

    ``known_musd`` is a cost that is known to be possible for it, ``hoped_musd`` one that a coarser ground promises.
    ``thin`` is the last search on the same ground and levels with fewer links, with its costs from the end.
    """

    usable: Flags | None = None
    known_musd: float = np.inf
    hoped_musd: float = np.inf
    thin: tuple[Problem, Found] | None = None

    def promise(self, problem: Problem) -> Floats | None:
        """What the rest of a line costs at least from each state of a problem; 0 where nothing is known."""
        if self.thin is None:
            return None
        before, backward = self.thin
        # Nodes that the last search didn't have, and states that it didn't settle, promise nothing.
        index = before.index_of[problem.node_of]
        known = np.where(backward.settled, PROMISED * backward.cost, 0.0).reshape(-1, before.n_states)
        return np.where(index[:, None] >= 0, known[np.maximum(index, 0)], 0.0).ravel()


PRIMING_CELLS = 6.0  # the longest links of the searches that prime


def search_primed(question: Question, near_factor: float = 1.0) -> tuple[Problem, Found]:
    """The search over the whole ground, with nothing left out, in a third of the time of one that begins anew.

    Smaller searches go first: over the ground alone, with short links and with all, then with short links at all
    levels. Each line of a smaller search is a line of the larger one too, so that its costs are labels that the larger
    one begins with: most of the links that lead to nothing cheaper are then dropped by a bound on their price.

    Returns:
        The problem over all nodes and what the search found; its price is that of the cheapest line there is.
    """
    ground, start, goal, standard, costs, options = question
    short_km = min(options.max_structure_km, PRIMING_CELLS * max(ground.dx_m, ground.dy_m) / 1000.0)
    flat, short = replace(options, offsets_m=(0.0,)), replace(options, max_structure_km=short_km)
    steps = [step for step in (replace(flat, max_structure_km=short_km), flat, short) if step != options]
    problem = build_problem(ground, start, goal, standard, costs, steps[0] if steps else options)
    found, known = Found.nothing(problem), np.inf
    for step in [*dict.fromkeys(steps), options]:
        before, problem = problem, build_problem(ground, start, goal, standard, costs, step)
        factor = near_factor if step is options else 1.0
        found = search(problem, factor, known_musd=known, prime=_labels_on(before, found, problem))
        known = min(known, found.cost_musd)
    return problem, found


def _labels_on(before: Problem, found: Found, problem: Problem) -> tuple[Floats, NDArray[np.int32]]:
    """Costs and parents of the states of a problem by a search over the same nodes with the same or fewer levels."""
    if before.n_states == problem.n_states:
        return found.cost, found.parent
    total, n, terminal = len(problem.node_of) * problem.n_states, problem.n_states, problem.levels.terminal
    cost, parent = np.full(total, np.inf), np.full(total, -1, np.int32)
    # A search on the ground alone has one state a node, which is the terminals' state here.
    cost[terminal::n] = found.cost
    parent[terminal::n] = np.where(found.parent >= 0, found.parent * n + terminal, -1)
    return cost, parent


def narrow(
    ground: Ground,
    start: Node,
    goal: Node,
    standard: DesignStandard,
    costs: UnitCosts,
    options: SearchOptions,
    within: float = 1.0,
) -> Narrowed:
    """Find out which nodes of the fine ground a search for lines ``within`` a factor of the best has to look at.

    Runs the stages of ``options.narrowing``; a later, finer stage searches only what the one before left. Where no
    stage finds a way between the terminals, all nodes are left.
    """
    stages = options.narrowing
    if stages is None:
        stages = default_narrowing(max(ground.dx_m, ground.dy_m), len(options.offsets_m), ground.z.size)
    question = Question(ground, start, goal, standard, costs, options)
    left = Narrowed()
    for stage in stages:
        left = _run_stage(question, stage, stage.near_factor * within, left)
    return left


def _run_stage(question: Question, stage: Stage, near_factor: float, left: Narrowed) -> Narrowed:
    """One stage: what is left after it; what was left before, if it finds no way."""
    ground, start, goal, standard, costs, options = question
    factor = stage.factor
    coarse = coarsen(ground, factor) if factor > 1 else ground
    ends = [(r // factor, c // factor) for r, c in (start, goal)]
    # Cells this coarse tell nothing about where a line runs.
    if ends[0] == ends[1] or min(coarse.shape) < 4:
        return left
    if coarse.mask.size and factor > 1:
        # A terminal is open even where most of its block is closed.
        for end in ends:
            coarse.mask[end] = 0
    offsets = (options.coarse_offsets_m if factor > 1 else options.offsets_m) if stage.levels else (0.0,)
    plain = replace(options, offsets_m=offsets, reuse=options.reuse if factor == 1 else ())
    inside = left.usable
    if inside is not None and factor > 1:
        inside = np.asarray(_blocks(inside, factor, False).astype(bool).any(axis=(1, 3)))
    problem = build_problem(coarse, ends[0], ends[1], standard, costs, plain, inside, thin=True)
    forward, backward = search_both_ways(problem, near_factor, min(left.known_musd, left.hoped_musd))
    if not np.isfinite(forward.cost_musd):
        return left
    near = node_cost_through(problem, forward, backward) <= near_factor * forward.cost_musd
    if options.dilate_cells:
        near = binary_dilation(near, np.ones((3, 3), dtype=bool), iterations=options.dilate_cells)
    # On the same ground a cost is known to be possible; on coarser ground heights differ and the cost is only a hope.
    if factor == 1:
        same = offsets == options.offsets_m
        return Narrowed(near, forward.cost_musd, thin=(problem, backward) if same else None)
    fine = np.repeat(np.repeat(near, factor, axis=0), factor, axis=1)
    return Narrowed(
        np.ascontiguousarray(fine[: ground.shape[0], : ground.shape[1]]), hoped_musd=HOPE * forward.cost_musd
    )
