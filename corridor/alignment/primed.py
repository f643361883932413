"""Searches that begin with what smaller ones found, over the same ground: on it alone, or by short links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.astar import Primes
from corridor.alignment.links import Ground, SearchOptions, build_levels
from corridor.alignment.search import Found, Node, Problem, bound_states, build_problem, prime_with, search
from corridor.schema.alignment import DesignStandard, UnitCosts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Question(NamedTuple):
    """What a search is asked, as ``build_problem`` takes it."""

    ground: Ground
    start: Node
    goal: Node
    standard: DesignStandard
    costs: UnitCosts
    options: SearchOptions

    @property
    def node_states(self) -> int:
        """States of each node: the heights and kinds that it may be passed at."""
        return len(build_levels(self.options.offsets_m, self.standard).kind)

    @property
    def n_states(self) -> int:
        """States of the whole ground, which bound time and memory, not cells."""
        return self.ground.z.size * self.node_states


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
    few_far: bool = False,
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
        few_far: whether to leave out some of the long links; see ``build_problem``.

    Returns:
        The problem over all of these nodes and what the search found; its price is that of the cheapest line there.
    """
    ground, options = question.ground, question.options
    short_km = _priming_km(ground, options)
    flat, short = replace(options, offsets_m=(0.0,)), replace(options, max_structure_km=short_km)
    steps = [step for step in (replace(flat, max_structure_km=short_km), flat, short) if step != options]
    problem = build_problem(*question[:5], steps[0] if steps else options, usable, few_far=few_far)
    found, known = Found.nothing(problem), known_musd
    for step in [*dict.fromkeys(steps), options]:
        before, problem = problem, build_problem(*question[:5], step, usable, few_far=few_far)
        # On the same levels a search follows that looks as far: what was tried for this one holds for that.
        has_all_levels = step.offsets_m == options.offsets_m
        factor, least = near_factor if has_all_levels else 1.0, least_musd
        if least is not None and not has_all_levels:
            levels = build_levels(options.offsets_m, question.standard)
            least = least.reshape(-1, len(levels.kind))[:, levels.terminal].copy()
        primes = primes_on(before, found, problem)
        found = search(problem, factor, reverse, known_musd=known, primes=primes, least_musd=least)
        known = min(known, found.cost_musd)
    return problem, found


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
    primes = primes_on(before, first, problem)
    forward = search(problem, near_factor, known_musd=min(hoped_musd, first.cost_musd), primes=primes)
    if forward.cost_musd > hoped_musd:
        forward = search(problem, near_factor, primes=primes._replace(tried=np.zeros(0, dtype=bool)))
    if not np.isfinite(forward.cost_musd):
        return forward, forward
    return forward, search(problem, near_factor, reverse=True, guide=forward)


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


def primes_on(before: Problem, found: Found, problem: Problem) -> Primes:
    """What a search with as many or fewer levels and links, that looked as far, knows of a problem's states.

    Nodes that the problem hasn't are on no way to those that it has.
    """
    total, n = len(problem.node_of) * problem.n_states, problem.n_states
    cost, parent = np.full(total, np.inf), np.full(total, -1, np.int32)
    # With fewer levels it has some of the states that a node has here.
    here = list(zip(problem.levels.offset_m, problem.levels.kind, strict=True))
    levels = np.array([here.index(one) for one in zip(before.levels.offset_m, before.levels.kind, strict=True)])
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
    beyond = STRICTER * found.cost_musd - bound_states(problem)
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
    primes = primes_on(before, found, problem)._replace(tried=np.zeros(0, dtype=bool))
    return problem, search(problem, near_factor, known_musd=known_musd, primes=primes)
