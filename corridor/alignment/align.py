"""The way in: a buildable line between two terminals, lines that differ, answers to grade and price."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from shapely.geometry import LineString

from corridor.alignment.assembly import BendError, finish_alignment
from corridor.alignment.links import SearchOptions, build_ground
from corridor.alignment.narrowing import Narrowed, estimate_share, narrow, search_left, search_nearby
from corridor.alignment.primed import Question, find_start_costs, search_primed, search_whole
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.alignment.refine import (
    HUGE_REACHES,
    REACHES,
    is_huge,
    near_free_lines,
    search_beside,
    search_close,
    sketch_bends,
)
from corridor.alignment.search import Found, Problem, build_problem, prime_with, search, trace_states
from corridor.alignment.spirals import codes_along
from corridor.alignment.turning import Bend, Course, TurnSearch, bends_near
from corridor.errors import AlignmentError, SearchRoomError
from corridor.schema.alignment import Alignment, DesignStandard, UnitCosts
from corridor.schema.fields import Grid
from corridor.schema.message import Message
from corridor.schema.vocabulary import LineKind
from corridor.threads import map_in_threads
from corridor.wording import format_millions

Floats = NDArray[np.float64]

TURN_FACTORS = (1.05, 1.1, 1.2, 1.4, 2.0, 4.0)  # how far from the best the turn-limited search looks, step by step
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
    states = trace_states(way.problem, way.found)
    course = Course(states, codes_along(way.problem, states))
    price = way.found.cost_musd
    gap = price - way.least_musd if way.least_musd is not None else None
    return finish_alignment(asked.terrain, way.problem, course, price, price, snapped, gap)


def solve_on_cells(asked: AlignmentProblem, framed: Callable[[float], AlignmentProblem]) -> Alignment:
    """The cheapest line that answers a problem; where bends leave its search no room, that on cells twice as wide.

    Twice as wide again if need be. A note says on which cells the line was sought, and what any on the finer ones costs
    at least, if all of the ground was searched there; its certificate is about the cells that it was found on.

    Args:
        asked: the question.
        framed: gives the same question on cells of a side in metres.

    Raises:
        AlignmentError: as :func:`align`; on wider cells there is no line either, or old formations are laid on these.
    """
    try:
        return solve(asked)
    except SearchRoomError as fault:
        # Old formations are links between nodes of these cells alone.
        if asked.options.reuse:
            raise
        first = fault
    cell_m = given_m = max(asked.terrain.ground.dx_m, asked.terrain.ground.dy_m)
    while True:
        cell_m *= 2.0
        try:
            found = solve(framed(cell_m))
        except SearchRoomError:
            continue
        except AlignmentError:  # too wide for the places, or for the grade
            raise first from None
        cell, given = f"{found.cell_m:.0f}", f"{given_m:.0f}"
        if first.least_musd is None:
            note = Message("new_line.wider_in_part", {"cell_m": cell, "given_m": given})
        else:
            least = format_millions(first.least_musd)
            note = Message("new_line.wider", {"cell_m": cell, "given_m": given, "least": least})
        return replace(found, notes=(note, *found.notes))


MOST_STATES = 2_500_000  # up to these the whole ground is searched by default; beyond them what narrowing leaves


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The cheapest way without a turn limit: the search that it was found on, from the start or ``from_end``, and
    ``least_musd``, what any line costs at least (None where parts of the ground were left out, so that nobody knows).
    ``ahead_musd`` is what the rest costs at least by state, where a search of a looser grade told that.
    """

    problem: Problem
    found: Found
    from_end: bool
    least_musd: float | None
    ahead_musd: Floats | None = None


def find_way(asked: AlignmentProblem, within: float = 1.0, from_end: bool = False) -> Way:
    """The fine search for lines ``within`` a factor of the best: over the whole ground, or inside what narrowing left.

    Unless the options say how to narrow, the whole ground is searched where it has up to 2.5 million states (nodes
    times the heights and kinds that each may be passed at), or where a search on wide cells makes believe that it will
    look at no more, so that nothing cheaper exists. Beyond that it is on request (``options.certify``), for lines that
    cost less than the one found on what narrowing left and beside that one.

    A search that may begin at the end (``from_end``) gives the costs that a search with bends is guided by; it leaves
    nothing out where a certificate is asked for.

    Raises:
        AlignmentError: if there is no way at all; says which limit closes it.
    """
    options, question = asked.options, _question(asked)
    whole = _leaves_nothing_out(asked) or (from_end and options.certify)
    from_end, ahead = from_end and whole, None
    if options.narrowing == ():
        problem = build_problem(*question)
        found = search(problem, within, from_end)
    elif whole:
        if from_end and asked.start_costs is not None and asked.start_costs.hold_for(question):
            ahead = asked.start_costs.least_musd
        problem, found = search_primed(question, within, from_end, ahead)
    else:
        # Much of a large ground may cost more to get to than the whole line: a search of all of it doesn't look there.
        is_small = options.narrowing is None and estimate_share(question) * question.n_states <= MOST_STATES
        left = Narrowed() if is_small else narrow(question)
        whole = left.usable is None
        problem, found = search_primed(question, within) if whole else search_left(question, left, within)
        # Narrowing may have cut the only way off; before saying that there is none, all of the ground is searched.
        if not whole and not np.isfinite(found.cost_musd):
            problem, found = search_primed(question, within)
            whole = True
        elif left.usable is not None:
            nearer = search_nearby(question, problem, found, left.usable)
            if options.certify:
                nearer = search_whole(question, problem, found, nearer[1].cost_musd, within)
            (problem, found), whole = nearer, options.certify
    if not np.isfinite(found.cost_musd):
        raise AlignmentError(explain_no_way(problem))
    return Way(problem, found, from_end, found.cost_musd if whole else None, ahead)


def _leaves_nothing_out(asked: AlignmentProblem) -> bool:
    """Whether a search looks at the whole ground, from the start."""
    options = asked.options
    return options.narrowing == () or (options.narrowing is None and _question(asked).n_states <= MOST_STATES)


class _Builder:
    """Takes the lines of searches until the curves of one can be built; bends whose curves can't are forbidden then.

    ``reason`` says what the last of them would have left.
    """

    def __init__(self, asked: AlignmentProblem, snapped: tuple[float, float]) -> None:
        self.asked, self.snapped, self.reason = asked, snapped, ""
        self._forbidden: list[Bend] = []

    def build(self, find: _Find, free_price: float, proves: bool = True) -> Alignment | None:
        """The first line that can be built; None where no more lines are found.

        Args:
            find: gives a search, the line that it finds without bends that are forbidden, and its price.
            free_price: what the cheapest line costs without a turn limit.
            proves: whether it is known what any line costs at least.
        """
        while len(self._forbidden) < MAX_FORBIDDEN:
            turning, course, price = find(self._forbidden)
            if not course.states:
                break
            gap = max(price - turning.least_musd, 0.0) if proves else None
            # A search of other links may have found something cheaper without bends, too.
            free_price = min(free_price, turning.free_musd)
            terrain, problem = self.asked.terrain, turning.problem
            try:
                return finish_alignment(terrain, problem, course, price, free_price, self.snapped, gap)
            except BendError as fault:
                self.reason = f" without leaving what {fault} allows"
                bad = bends_near(problem, course, fault.places)
                self._forbidden += bad
                if not bad:
                    break
        return None


_Find = Callable[[Sequence[Bend]], tuple[TurnSearch, Course, float]]


def _turn_limited(asked: AlignmentProblem, snapped: tuple[float, float]) -> Alignment:
    """The cheapest line that keeps the minimum radius and can be built as drawn.

    Where a fitted curve leaves what bridges and the mask allow, its bend is forbidden and the line sought again.

    Raises:
        AlignmentError: if no near-optimal line can be bent so; names the limit.
    """
    radius, builder = asked.standard.min_radius_m, _Builder(asked, snapped)
    if not (asked.options.certify or _leaves_nothing_out(asked)):
        line = _refine(asked, builder)
        if line is not None:
            return line
        # A line may lie where nobody looked: nothing is closed, and nothing known of any line's price.
        raise SearchRoomError(
            f"no line found that keeps the minimum radius of {radius:g} m on the part of the ground that was searched"
            f"{builder.reason}. Search all of it (certify), use other cells or a smaller radius",
            None,
        )
    way = find_way(asked, TURN_FACTORS[0], from_end=True)
    turning = _turning(way, TURN_FACTORS[0])
    for factor in TURN_FACTORS:
        if factor > TURN_FACTORS[0]:
            way = _widen(way, factor)
            turning = _turning(way, factor, turning.least_musd)
        line = builder.build(_found_by(turning, turning.exact), way.found.cost_musd)
        if line is not None:
            return line
        # A wider search needs so much more room that a line is looked for first, which it must stay below.
        if not (turning.is_exhausted and turning.leaves_room):
            break
    widest = TURN_FACTORS[-1]
    if not (turning.is_exhausted and factor == widest):
        line = _refine(asked, builder, way, turning.least_musd)
        if line is not None:
            return line
        turning = _turning(_widen(way, widest), widest, turning.least_musd)
        line = builder.build(_found_by(turning, turning.cheapest), way.found.cost_musd)
        if line is not None:
            return line
    if not turning.is_exhausted:
        least_musd = turning.least_musd
        raise SearchRoomError(
            f"no line found that keeps the minimum radius of {radius:g} m: any costs at least "
            f"{format_millions(least_musd)} million USD, and there was no room to search through all that may. "
            "Use other cells or a smaller radius",
            least_musd,
        )
    free = format_millions(way.found.cost_musd)
    raise AlignmentError(
        f"no way found: within {widest:g} times what a line without bends costs ({free} million USD) none keeps "
        f"the minimum radius of {radius:g} m inside half a link{builder.reason}. Use finer cells or a smaller radius"
    )


def _found_by(turning: TurnSearch, run: Callable[[Sequence[Bend]], tuple[Course, float]]) -> _Find:
    """What one of a search's own ways to search finds."""

    def find(forbidden: Sequence[Bend]) -> tuple[TurnSearch, Course, float]:
        return (turning, *run(forbidden))

    return find


def _turning(way: Way, factor: float, least_musd: float = 0.0) -> TurnSearch:
    """The search with bends for lines within a factor of the price without them, which what is known leads."""
    problem, free = way.problem, way.found.cost_musd
    return TurnSearch(problem, way.found, factor * free, problem.standard.min_radius_m, max(least_musd, free))


def _refine(
    asked: AlignmentProblem, builder: _Builder, way: Way | None = None, least_musd: float = 0.0
) -> Alignment | None:
    """A line with bends beside one on wider cells, and where lines without bends run; the latter alone, if wider cells
    have none. The whole ground proves how good it is, if that was searched.

    Args:
        asked: the question.
        builder: takes the line.
        way: what the search of the whole ground found without bends; None if it wasn't searched.
        least_musd: what any line is known to cost at least.
    """
    question = _question(asked)
    sketch, shape = sketch_bends(question), question.ground.shape
    huge = is_huge(question)
    reaches = HUGE_REACHES if huge else REACHES
    proof: TurnSearch | None = None
    # What is missed here a proof finds.
    free = near_free_lines(question) if way is None else None
    # On wide cells a place may be too steep to get away from.
    nowhere = [] if free is None else [np.zeros(shape, dtype=bool)]
    share, regions = (0.0, nowhere) if sketch is None else (sketch.share, [sketch.around(r, shape) for r in reaches])
    for region in regions:
        beside = search_beside(question, region, free, rough=huge)
        if beside is None:
            continue

        def find(forbidden: Sequence[Bend], beside: TurnSearch = beside) -> tuple[TurnSearch, Course, float]:
            nonlocal proof
            close, course, price = search_close(question, beside, *beside.hasty(forbidden, share), forbidden)
            if way is None or not course.states:
                return close, course, price
            # All that a line of that price may pass has to be known; what it costs itself is the bound.
            if proof is None or price > proof.bound_musd:
                factor = price / way.found.cost_musd
                proof = _turning(_widen(way, factor), factor, least_musd)
            return proof, *proof.certify(course.on(close.problem, way.problem), price, forbidden)

        free_price = beside.free_musd if way is None else way.found.cost_musd
        line = builder.build(find, free_price, proves=way is not None)
        if line is not None:
            return line
    return None


def _widen(way: Way, factor: float) -> Way:
    """The same search for lines within a larger factor of the best; it begins with what is known."""
    known = way.found
    primes = prime_with(known.cost, known.parent)
    wider = search(
        way.problem, factor, way.from_end, known_musd=known.cost_musd, primes=primes, least_musd=way.ahead_musd
    )
    return replace(way, found=wider)


def share_searches(asked: Sequence[AlignmentProblem]) -> list[AlignmentProblem]:
    """The same questions, which now know what a search of the loosest grade among them found on the whole ground.

    That search takes as long as one of theirs, and each of them then takes a fraction. Questions stay as they are where
    there are too few to gain by it, or where they differ in more than their grades.

    Args:
        asked: the questions, on one ground.
    """
    if len(asked) < 2:
        return list(asked)
    loosest = max(asked, key=lambda one: one.standard.max_grade_up_pct)
    shares = (one.options.turns and _leaves_nothing_out(one) and one.options.narrowing is None for one in asked)
    if not all(shares) or not all(loosest.standard.is_looser_than(one.standard) for one in asked):
        return list(asked)
    try:
        costs = find_start_costs(_question(loosest))
    except AlignmentError:  # of a terminal, say: each question will tell it
        return list(asked)
    return [replace(one, start_costs=costs) for one in asked]


def _question(asked: AlignmentProblem) -> Question:
    """What is asked, between nodes of the ground."""
    ends = asked.terrain.node_at(asked.start_xy, "start")[0], asked.terrain.node_at(asked.end_xy, "end")[0]
    return Question(asked.terrain.ground, *ends, asked.standard, asked.costs, asked.options)


STEPS = 7  # halvings of the interval in which a limit is sought
MOST_LOOKS = 1_500_000  # states that such searches look at before halving ends


def explain_no_way(problem: Problem) -> str:
    """One line for a person: each limit that opens a way when it alone is loosened, with about the least that does."""
    tries = _Tries(problem)
    openings = [
        tries.smallest("ruling grade", "%", problem.standard.max_grade_up_pct, 60.0, _with_grade),
        tries.smallest("bridge height", "m", problem.standard.max_bridge_height_m, 2000.0, _with_bridge),
        tries.smallest("structure length", "km", problem.options.max_structure_km, 400.0, _with_structure),
    ]
    if problem.options.max_direct_km is not None:
        limit = max(problem.options.max_direct_km, 0.1)
        openings.append(tries.smallest("length of links at terminals", "km", limit, 1000.0, _with_direct))
    if problem.ground.mask.size and tries.opening(lambda given, _: _without_mask(given), 0.0) is not None:
        openings.append("entering masked ground (without height, of countries that aren't named, or lakes) opens it")
    found = [o for o in openings if o]
    head = (
        f"no way from start to end at {problem.standard.max_grade_up_pct:g} % up and "
        f"{problem.standard.max_grade_down_pct:g} % down"
    )
    if not found:
        return f"{head}; no single limit (grade, bridge height, structure length, mask) opens one"
    return f"{head}: " + "; ".join(found)


Change = Callable[[Problem, float], Problem]


class _Tries:
    """Searches for what opens a way: over the ground alone where that will do, from the end that sees less of it.

    A way over the ground alone is a way. A search that finds none looks at all that it can reach, which from a summit
    or an island is little and towards it everything.
    """

    def __init__(self, problem: Problem) -> None:
        flat = _rebuilt(problem, options=replace(problem.options, offsets_m=(0.0,)))
        forward, backward = (search(flat, reverse=reverse).expanded for reverse in (False, True))
        self._problems = (flat, problem) if len(problem.levels.kind) > len(flat.levels.kind) else (problem,)
        self._reverse, self._looks = backward < forward, 0

    def _opens(self, problem: Problem) -> bool:
        found = search(problem, reverse=self._reverse)
        self._looks += found.expanded
        return bool(np.isfinite(found.cost_musd))

    def opening(self, change: Change, value: float) -> Problem | None:
        """The first of the problems that a change opens a way in; None if it does so in neither."""
        return next((problem for problem in self._problems if self._opens(change(problem, value))), None)

    def smallest(self, name: str, unit: str, low: float, high: float, change: Change) -> str:
        """Text with about the least value of a limit that opens a way, or an empty one if even the highest doesn't."""
        given = low
        problem = self.opening(change, high)
        if problem is None:
            return ""
        for _ in range(STEPS):
            # What was found so far opens a way in any case; on large ground it isn't pinned down further.
            if self._looks > MOST_LOOKS:
                break
            # Limits range over orders of magnitude: halving their logarithm keeps the relative error alike.
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self._opens(change(problem, middle)) else (middle, high)
        # Rounded up to three digits, since a little less might not do.
        digit = 10.0 ** (math.floor(math.log10(high)) - 2)
        return f"the {name} of {given:g} {unit} closes it, {math.ceil(high / digit) * digit:.3g} {unit} opens it"


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


# --- Lines that differ from the cheapest one ---

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
    """Share of a line's length that lies within a distance of another line (0 to 1).

    Args:
        line: x and y of its points, metres, shape (n, 2) or more columns.
        other: the other line likewise.
        within_m: how near counts.
    """
    drawn = LineString(line[:, :2])
    return float(drawn.intersection(LineString(other[:, :2]).buffer(within_m)).length / drawn.length)


# --- How price and tunnel length answer to the ruling grade and to the price of a tunnel ---

DEFAULT_GRADES_PCT = (1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class TradeoffPoint:
    """One line of a sweep: the value that was varied and the line, or why there is none."""

    parameter: str
    value: float
    alignment: Alignment | None
    reason: str = ""

    def as_row(self) -> dict[str, float | str]:
        """The figures for a table or chart; empty text where there is no line."""
        a = self.alignment
        if a is None:
            return {"parameter": self.parameter, "value": self.value, "reason": self.reason}
        total = a.price.total
        return {
            "parameter": self.parameter,
            "value": self.value,
            "cost_musd_low": total.low,
            "cost_musd_mid": total.mid,
            "cost_musd_high": total.high,
            "length_km": a.length_km,
            "tunnel_km": a.tunnel_km,
            "longest_tunnel_km": a.longest_tunnel_km,
            "bridge_km": a.bridge_km,
            "max_grade_pct": a.max_grade_pct,
            "reason": "",
        }


def sweep_grade(asked: AlignmentProblem, grades_pct: Iterable[float] = DEFAULT_GRADES_PCT) -> list[TradeoffPoint]:
    """One line per ruling grade (the same up and down), other limits unchanged.

    A line that keeps a stricter grade keeps a looser one too. Curves can make the line found for a looser grade dearer
    than that one once both are drawn; then that one is taken.
    """
    grades = list(grades_pct)
    by_grade = share_searches([replace(asked, standard=asked.standard.with_grade(grade)) for grade in grades])

    def find(point: tuple[float, AlignmentProblem]) -> TradeoffPoint:
        return _point("max_grade_pct", *point)

    points = map_in_threads(find, zip(grades, by_grade, strict=True))
    cheapest: Alignment | None = None
    taken: dict[float, Alignment | None] = {}
    for point in sorted(points, key=lambda p: p.value):
        line = point.alignment
        if line is not None and (cheapest is None or line.price.total_musd < cheapest.price.total_musd):
            cheapest = line
        taken[point.value] = cheapest
    return [p if taken[p.value] is None else replace(p, alignment=taken[p.value], reason="") for p in points]


def sweep_tunnel_price(asked: AlignmentProblem, prices_musd_per_km: Iterable[float]) -> list[TradeoffPoint]:
    """One line per price of a kilometre of tunnel, other prices unchanged."""

    def find(price: float) -> TradeoffPoint:
        return _point("tunnel_musd_per_km", price, replace(asked, costs=asked.costs.with_tunnel(price)))

    return map_in_threads(find, prices_musd_per_km)


def _point(parameter: str, value: float, asked: AlignmentProblem) -> TradeoffPoint:
    """One line of a sweep; where there is none the reason stands instead."""
    try:
        return TradeoffPoint(parameter, value, solve(asked))
    except AlignmentError as fault:
        return TradeoffPoint(parameter, value, None, str(fault))


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest value over error draws, and how many of the draws had a line at all."""

    low: float
    median: float
    high: float
    found: int
    draws: int


def draw_errors(
    shape: tuple[int, int], cell_m: float, sigma_m: float, range_m: float, draws: int, seed: int
) -> Iterable[Floats]:
    """Fields of vertical error: normal, standard deviation ``sigma_m``, correlated over about ``range_m``.

    White noise smoothed by a Gaussian kernel of half the range (its correlation falls to 1/e at the range) and
    scaled back; the frame is widened while smoothing so that the rim is no calmer than the middle.

    Args:
        shape: rows and columns of a field.
        cell_m: side of a cell.
        sigma_m: standard deviation.
        range_m: distance over which errors are alike.
        draws: how many are made.
        seed: of the draws; the same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    width = max(range_m / cell_m / 2.0, 1e-6)
    # Smoothing wraps round the frame: the part that is cut off is as wide as the kernel, so that opposite rims stay
    # unrelated.
    pad = int(np.ceil(4 * width))
    scale = _kernel_norm(width)
    for _ in range(draws):
        noise = rng.standard_normal((shape[0] + 2 * pad, shape[1] + 2 * pad))
        smooth = gaussian_filter(noise, width, mode="wrap", truncate=4.0)
        inner = smooth[pad : pad + shape[0], pad : pad + shape[1]]
        yield sigma_m * inner / scale


def _kernel_norm(width: float) -> float:
    """Standard deviation of unit white noise after the smoothing, from the kernel itself."""
    reach = int(4.0 * width + 0.5)
    at = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (at / width) ** 2)
    kernel /= kernel.sum()
    # Along one axis this would be the variance; the filter runs along both, which makes it the standard deviation.
    return float((kernel**2).sum())


def measure_price_spread(
    asked: AlignmentProblem, sigma_m: float, range_m: float, draws: int = 10, seed: int = 0
) -> dict[str, Spread]:
    """Spread of price, length and tunnel length when the line is sought anew on each draw of the heights.

    Args:
        asked: the line that is sought.
        sigma_m: standard error of heights.
        range_m: distance over which errors are alike.
        draws: how many are made.
        seed: of the draws; the same seed gives the same draws.

    Raises:
        AlignmentError: if none of the draws has a line.
    """
    g = asked.terrain.ground

    def figures(error: Floats) -> dict[str, float] | None:
        try:
            line = solve(asked.on(g.z + error, g.mask, g.friction))
        except AlignmentError:
            return None
        return {"cost_musd": line.price.total_musd, "length_km": line.length_km, "tunnel_km": line.tunnel_km}

    fields = draw_errors(g.shape, max(g.dx_m, g.dy_m), sigma_m, range_m, draws, seed)
    lines = [line for line in map_in_threads(figures, fields) if line is not None]
    if not lines:
        raise AlignmentError(f"none of {draws} draws of the heights (sigma {sigma_m:g} m) has a line")
    values = {name: [line[name] for line in lines] for name in lines[0]}
    return {name: Spread(min(v), float(np.median(v)), max(v), len(lines), draws) for name, v in values.items()}
