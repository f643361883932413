"""The one way in: heights and two terminals go in, a buildable line comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.assembly import BendError, finish_alignment
from corridor.alignment.curves import Bend, TurnSearch, bend_at
from corridor.alignment.ground import build_ground
from corridor.alignment.links import SearchOptions, build_levels
from corridor.alignment.narrowing import Question, narrow, search_primed
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.alignment.search import Found, Problem, build_problem, search, state_points, trace_states
from corridor.errors import AlignmentError
from corridor.schema.alignment import Alignment, DesignStandard, UnitCosts
from corridor.schema.grid import Grid

Floats = NDArray[np.float64]

TURN_FACTORS = (1.05, 1.4)  # how far from the best the turn-limited search looks, step by step
MAX_FORBIDDEN = 200  # bends that are given up because their curves can't be built, before the search is


def align(
    heights: NDArray[np.floating],
    grid: Grid,
    start_xy: tuple[float, float],
    end_xy: tuple[float, float],
    standard: DesignStandard,
    costs: UnitCosts,
    options: SearchOptions | None = None,
    mask: NDArray[np.integer] | None = None,
    friction_musd_per_km: NDArray[np.floating] | None = None,
) -> Alignment:
    """Find the cheapest line from start to end that keeps the standard.

    Args:
        heights: (rows, cols) in metres at pixel centres, NaN where unknown.
        grid: frame of the heights in a metric reference system.
        start_xy: terminal in the grid's system; the nearest node is taken, on the ground.
        end_xy: the other terminal.
        standard: hard limits.
        costs: unit prices; the middle ones steer.
        options: links, levels, narrowing, turns.
        mask: bits per node: 1 forbids open line, 2 bridges, 4 tunnels.
        friction_musd_per_km: steers open line and is not reported.

    Raises:
        AlignmentError: if a terminal is outside or closed, or if there is no way; then it says why.
    """
    terrain = build_terrain(heights, grid, mask, friction_musd_per_km)
    return solve(AlignmentProblem(terrain, start_xy, end_xy, standard, costs, options or SearchOptions()))


def solve(asked: AlignmentProblem) -> Alignment:
    """Find the cheapest line that answers a problem, and say how much cheaper another could be at most.

    Raises:
        AlignmentError: as :func:`align`.
    """
    terrain = asked.terrain
    snapped = terrain.node_at(asked.start_xy, "start")[1], terrain.node_at(asked.end_xy, "end")[1]
    if asked.options.turns:
        return _turn_limited(asked, snapped)
    way = find_way(asked)
    points = state_points(way.problem, trace_states(way.problem, way.forward))
    price = way.forward.cost_musd
    gap = price - way.least_musd if way.least_musd is not None else None
    return finish_alignment(asked.terrain, way.problem, points, price, price, snapped, gap)


MOST_STATES = 2_500_000  # up to these the whole ground is searched by default; beyond them what narrowing leaves


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The cheapest way without a turn limit: the search that it was found on, and ``least_musd``, what any line costs
    at least (None where parts of the ground were left out, so that nobody knows).
    """

    problem: Problem
    forward: Found
    least_musd: float | None


def find_way(asked: AlignmentProblem, within: float = 1.0) -> Way:
    """The fine search for lines ``within`` a factor of the best: over the whole ground, or inside what narrowing left.

    Unless the options say how to narrow, the whole ground is searched up to 2.5 million states (nodes times the heights
    and kinds that each may be passed at), so that nothing cheaper exists.

    Raises:
        AlignmentError: if there is no way at all; says which limit closes it.
    """
    terrain, options = asked.terrain, asked.options
    start, end = terrain.node_at(asked.start_xy, "start")[0], terrain.node_at(asked.end_xy, "end")[0]
    question = Question(terrain.ground, start, end, asked.standard, asked.costs, options)
    # What bounds time and memory are states, not cells: levels and kinds multiply them.
    states = terrain.ground.z.size * len(build_levels(options.offsets_m, asked.standard).kind)
    whole = options.narrowing == () or (options.narrowing is None and states <= MOST_STATES)
    if options.narrowing == ():
        problem = build_problem(*question)
        forward = search(problem, within)
    elif whole:
        problem, forward = search_primed(question, within)
    else:
        left = narrow(*question, within)
        problem = build_problem(*question, left.usable)
        forward = search(problem, within, known_musd=left.known_musd, promised=left.promise(problem))
        # Narrowing may have cut the only way off; before saying that there is none, all of the ground is searched.
        if left.usable is not None and not np.isfinite(forward.cost_musd):
            problem, forward = search_primed(question, within)
    if not np.isfinite(forward.cost_musd):
        raise AlignmentError(explain_no_way(problem))
    return Way(problem, forward, forward.cost_musd if whole else None)


def _turn_limited(asked: AlignmentProblem, snapped: tuple[float, float]) -> Alignment:
    """The cheapest line that keeps the minimum radius and can be built as drawn.

    Where a fitted curve leaves what bridges and the mask allow, its bend is forbidden and the line sought again.

    Raises:
        AlignmentError: if no near-optimal line can be bent so; names the limit.
    """
    radius, reason = asked.standard.min_radius_m, ""
    forbidden: list[Bend] = []
    way: Way | None = None
    least_musd = 0.0  # that any line with turns costs, as far as is known
    for factor in TURN_FACTORS:
        way = find_way(asked, factor) if way is None else _widen(way, factor)
        problem, free_price = way.problem, way.forward.cost_musd
        backward = search(problem, factor, reverse=True, guide=way.forward)
        turning = TurnSearch(problem, way.forward, backward, factor * free_price)
        while len(forbidden) < MAX_FORBIDDEN:
            states, price, least = turning.cheapest(radius, forbidden)
            # Each search proves a lower bound, and the best one holds for all. It says nothing of ground that was left
            # out.
            least_musd = max(least_musd, least, free_price)
            if not states:
                break
            points = state_points(problem, states)
            gap = max(price - least_musd, 0.0) if way.least_musd is not None else None
            try:
                return finish_alignment(asked.terrain, problem, points, price, free_price, snapped, gap)
            except BendError as fault:
                reason = f" without leaving what {fault} allows"
                # The drawn line has fewer vertices than the search, since straight ones fall out: the state nearest to
                # each bad bend is the one to forbid.
                inner = np.abs(points[None, 1:-1] - fault.places[:, None]).max(axis=2)
                forbidden += [bend_at(problem, states, int(i) + 1) for i in inner.argmin(axis=1)]
    raise AlignmentError(
        f"no way: the minimum radius of {radius:g} m closes it; within {TURN_FACTORS[-1]:g} times the price without "
        f"it no line keeps its bends inside half a link{reason}. Use finer cells or a smaller radius"
    )


def _widen(way: Way, factor: float) -> Way:
    """The same search for lines within a larger factor of the best; it begins with what is known."""
    known = way.forward
    forward = search(way.problem, factor, known_musd=known.cost_musd, prime=(known.cost, known.parent))
    return replace(way, forward=forward)


STEPS = 7  # halvings of the interval in which a limit is sought


def explain_no_way(problem: Problem) -> str:
    """One line for a person: each limit that opens a way when it alone is loosened, with its smallest such value."""
    openings = [
        _smallest("ruling grade", "%", problem.standard.max_grade_up_pct, 60.0, _with_grade, problem),
        _smallest("bridge height", "m", problem.standard.max_bridge_height_m, 2000.0, _with_bridge, problem),
        _smallest("structure length", "km", problem.options.max_structure_km, 400.0, _with_structure, problem),
    ]
    if problem.options.max_direct_km is not None:
        limit = problem.options.max_direct_km
        openings.append(_smallest("length of links at terminals", "km", max(limit, 0.1), 1000.0, _with_direct, problem))
    if problem.ground.mask.size and _opens(_without_mask(problem)):
        openings.append("taking the mask away opens it")
    found = [o for o in openings if o]
    head = (
        f"no way from start to end at {problem.standard.max_grade_up_pct:g} % up and "
        f"{problem.standard.max_grade_down_pct:g} % down"
    )
    if not found:
        return f"{head}; no single limit (grade, bridge height, structure length, mask) opens one"
    return f"{head}: " + "; ".join(found)


def _opens(problem: Problem) -> bool:
    """Whether there is a way."""
    return bool(np.isfinite(search(problem).cost_musd))


def _smallest(
    name: str, unit: str, low: float, high: float, change: Callable[[Problem, float], Problem], problem: Problem
) -> str:
    """Text with the smallest value of a limit that opens a way, or an empty one if even the largest doesn't."""
    given = low
    if not _opens(change(problem, high)):
        return ""
    for _ in range(STEPS):
        # Limits range over orders of magnitude: halving their logarithm keeps the relative error alike.
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _opens(change(problem, middle)) else (middle, high)
    return f"the {name} of {given:g} {unit} closes it, {high:.3g} {unit} opens it"


def _rebuilt(problem: Problem, **changes: object) -> Problem:
    """The problem with other parts, over all nodes."""
    parts: dict[str, object] = {
        name: getattr(problem, name) for name in ("ground", "start", "goal", "standard", "costs", "options")
    }
    return build_problem(**{**parts, **changes})  # type: ignore[arg-type]


def _with_grade(problem: Problem, grade_pct: float) -> Problem:
    ratio = grade_pct / problem.standard.max_grade_up_pct
    down = problem.standard.max_grade_down_pct * ratio
    return _rebuilt(problem, standard=problem.standard.with_grade(grade_pct, down))


def _with_bridge(problem: Problem, height_m: float) -> Problem:
    return _rebuilt(problem, standard=replace(problem.standard, max_bridge_height_m=height_m))


def _with_structure(problem: Problem, length_km: float) -> Problem:
    return _rebuilt(problem, options=replace(problem.options, max_structure_km=length_km))


def _with_direct(problem: Problem, length_km: float) -> Problem:
    return _rebuilt(problem, options=replace(problem.options, max_direct_km=length_km))


def _without_mask(problem: Problem) -> Problem:
    g = problem.ground
    friction = g.friction if g.friction.size else None
    return _rebuilt(problem, ground=build_ground(g.z, g.dx_m, g.dy_m, None, friction))
