"""From the nodes of a search to a finished line: curves, kinds, price, figures, and pieces of an old formation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from corridor.alignment._kernels.linegraph import NO_ROOM, WHOLE_WAY, curve_loss, new_links, search_turns
from corridor.alignment.headings import bound_bends
from corridor.alignment.links import ReuseLink, cross_slopes, ground_heights
from corridor.alignment.pricing import (
    add_prices,
    find_closed,
    price_pieces,
    price_reused,
    split_line,
    structures_of,
)
from corridor.alignment.problem import Terrain, note_coarse_heights
from corridor.alignment.search import Found, Problem, run_watched, search, state_points
from corridor.alignment.spirals import ARC_STEP, LEFT, Winding, insert_windings, price_own_crossings, wind
from corridor.errors import AlignmentError
from corridor.schema.alignment import Alignment, DesignStandard, LinePrice, Spiral, Structure, UnitCosts
from corridor.schema.message import Message
from corridor.schema.vocabulary import LineKind

# --- Sections of an old formation as cheap links: where a new line may join, what a piece costs, what it looks
#     like ---

Floats = NDArray[np.float64]

SKIPS = (1, 2, 4, 8)  # a link may pass by that many joining points, whose heights may be off


def build_reuse_links(
    terrain: Terrain,
    path_xy: Floats,
    costs: UnitCosts,
    length_km: float | None = None,
    tunnel_km: float = 0.0,
    join_every_km: float = 3.0,
) -> tuple[ReuseLink, ...]:
    """Links along an old formation, at the price of an upgrade per kilometre, its tunnels included.

    A new line may join or leave at points every ``join_every_km``, on the nearest ground node. The grade between
    two joining points is tested like any other, over the documented length.

    Args:
        terrain: the ground and its frame.
        path_xy: (n, 2) drawn line in the grid's system.
        costs: ``upgrade`` gives the price per km.
        length_km: documented length; the drawn length is scaled to it. The drawn length if left out.
        tunnel_km: documented tunnel length of the whole path, spread evenly.
        join_every_km: spacing of joining points, about.

    Raises:
        AlignmentError: if the path has no length, has no price or lies outside the grid.
    """
    path = np.asarray(path_xy, dtype=float)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))]) if len(path) > 1 else np.zeros(1)
    if run[-1] <= 0:
        raise AlignmentError("reuse: the path needs two points apart")
    if not costs.upgrade.mid > 0:
        raise AlignmentError("reuse: the unit cost of an upgrade must be above 0")
    # A drawn line may be shorter than what it stands for: lengths and grades go by the documented one.
    stretch = 1.0 if length_km is None else length_km * 1000.0 / run[-1]
    # Every pair of joining points up to eight apart is a link of its own: where one point's height is off, a link
    # passes it by.
    n = max(round(run[-1] / (join_every_km * 1000.0)), 1)
    stations = np.linspace(0.0, run[-1], n + 1)
    nodes = [terrain.node_at(_at(path, run, s), "reuse")[0] for s in stations]
    links = []
    for skip in SKIPS:
        for i in range(0, n + 1 - skip):
            a, b = nodes[i], nodes[i + skip]
            if a == b:
                continue
            metres = (stations[i + skip] - stations[i]) * stretch
            inside = path[(run > stations[i]) & (run < stations[i + skip])]
            rows, cols = terrain.grid.fractional_index(inside[:, 0], inside[:, 1])
            between = tuple((float(r), float(c)) for r, c in zip(rows, cols, strict=True))
            share = (stations[i + skip] - stations[i]) / run[-1]
            links.append(
                ReuseLink(a, b, metres, costs.upgrade.mid * metres / 1000.0, tunnel_km * 1000.0 * share, between)
            )
    return tuple(links)


def _at(path: Floats, run: Floats, station: float) -> tuple[float, float]:
    """Point of a path at a distance from its start."""
    return float(np.interp(station, run, path[:, 0])), float(np.interp(station, run, path[:, 1]))


def link_between(problem: Problem, a: Floats, b: Floats) -> ReuseLink | None:
    """The old piece that a search used between two points (row, column, height); None where it built anew.

    Where both are possible a search takes the cheaper one.

    Args:
        problem: the search as it is laid out.
        a: row, column and height of the link's start.
        b: of its end.
    """
    # A piece may be travelled either way.
    ends = ((int(a[0]), int(a[1])), (int(b[0]), int(b[1])))
    fitting = [x for x in problem.options.reuse if ends in ((x.start, x.end), (x.end, x.start))]
    z = problem.ground.z
    # An old piece ends on the ground; a line that passes its nodes at another level was built anew.
    if not fitting or a[2] != z[ends[0]] or b[2] != z[ends[1]]:
        return None
    link = min(fitting, key=lambda x: x.price_musd)
    if _new_price(problem, a, b) < link.price_musd:
        return None
    return link if link.start == ends[0] else replace(link, start=ends[0], end=ends[1], path=link.path[::-1])


def _new_price(problem: Problem, a: Floats, b: Floats) -> float:
    """Price of building straight between two points; infinite where that is not possible."""
    ground, standard = problem.ground, problem.standard
    metres = float(np.hypot((b[0] - a[0]) * ground.dy_m, (b[1] - a[1]) * ground.dx_m))
    rise = (b[2] - a[2]) / metres * 100.0
    if rise > standard.max_grade_up_pct or -rise > standard.max_grade_down_pct:
        return float("inf")
    try:
        pieces = split_line(np.array([a, b]), ground, standard, problem.costs)
    except AlignmentError:
        return float("inf")
    return price_pieces(pieces, standard, problem.costs).total_musd


# --- From intersection points to a line that can be built: arcs in plan, parabolas in profile ---
# Between two intersection points the grade is constant; each bend is an arc that touches both links, with tangents of
# at most half the shorter one, drawn as chords of two degrees. Heights belong to the middles of the arcs. Chainage is
# counted along what is drawn, so that the grade of the drawn line is the grade of the design.

SECTION_M = 10.0  # ground and cross-slope are known at least this often, since volumes go by more than the depth
STATION_M = 100.0  # the line has a point at least this often, so that the ground under it can be drawn
STRAIGHT = 1e-9  # tan(theta / 2) below which a vertex is no bend
CORNER_CUTS = (0.1, 0.03, 0.0)  # how far, in cells, an arc may stay off its intersection point: all are tried


@dataclass(frozen=True, slots=True, eq=False)
class FittedLine:
    """A drawn line (n, 3) in metres with the chainage of its points, and radius and chainage of each inner vertex."""

    points: Floats
    chainage_m: Floats
    radius_m: Floats
    vertex_m: Floats


def fit_curves(vertices: Floats, standard: DesignStandard, corner_cut_m: Floats) -> FittedLine:
    """Fit arcs and vertical curves to intersection points.

    Radii are as large as the tangents allow while each arc stays within its ``corner_cut_m`` of its intersection
    point, and never below the minimum; where the shortened link would be too steep they fall back to the minimum, for
    which the search has tested the grade.

    Args:
        vertices: (n, 3) x, y and height in metres, in order.
        standard: grades, minimum radius and radius of vertical curves.
        corner_cut_m: (n - 2) how far each arc may stay off its intersection point; 0 gives the minimum radius.
    """
    lengths = np.hypot(*np.diff(vertices[:, :2], axis=0).T)
    tan_half = np.tan(bend_angles(vertices) / 2.0)
    # Plan first, then profile: what arcs cut off the corners decides how long each grade is.
    radius = _choose_radii(vertices, lengths, tan_half, standard, corner_cut_m)
    loss = _losses(tan_half, radius)
    plan = _draw_plan(vertices, tan_half, radius)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(plan, axis=0).T))])
    vertex_s = np.concatenate([[0.0], np.cumsum(lengths - loss[:-1] - loss[1:])])
    stations, heights = _profile(vertex_s, vertices[:, 2], along, standard.vertical_radius_m)
    x, y = (np.interp(stations, along, plan[:, k]) for k in (0, 1))
    return FittedLine(np.column_stack([x, y, heights]), stations, radius, vertex_s[1:-1])


def _losses(tan_half: Floats, radius: Floats) -> Floats:
    """What the curve at each vertex (ends included) takes off the links that meet there."""
    inner = [curve_loss(t, r) if t > STRAIGHT else 0.0 for t, r in zip(tan_half, radius, strict=True)]
    return np.array([0.0, *inner, 0.0])


def _choose_radii(
    vertices: Floats, lengths: Floats, tan_half: Floats, standard: DesignStandard, corner_cut_m: Floats
) -> Floats:
    """Radius per inner vertex, infinite where the line runs straight on."""
    bend = tan_half > STRAIGHT
    safe = np.where(bend, tan_half, 1.0)
    # Tangents take at most half the shorter link, so that neighbouring arcs never overlap.
    room = 0.5 * np.minimum(lengths[:-1], lengths[1:]) / safe
    off_corner = np.sqrt(1.0 + safe**2) - 1.0  # of the arc's middle from the vertex, in radii
    wished = np.maximum(standard.min_radius_m, corner_cut_m / off_corner)
    floor = np.minimum(room, standard.min_radius_m)
    radius = np.minimum(room, wished)
    rise = np.diff(vertices[:, 2])
    limit = np.where(rise > 0, standard.max_grade_up_pct, standard.max_grade_down_pct) / 100.0
    for _ in range(2):
        # A wide arc shortens its links and so steepens them: both bends of a link that comes out too steep fall back.
        loss = _losses(np.where(bend, tan_half, 0.0), radius)
        steep = np.abs(rise) > limit * (lengths - loss[:-1] - loss[1:])
        back = (steep[:-1] | steep[1:]) & bend
        radius = np.where(back, floor, radius)
    return np.asarray(np.where(bend, radius, np.inf))


def _draw_plan(vertices: Floats, tan_half: Floats, radius: Floats) -> Floats:
    """Straights and arcs as one polyline (n, 2)."""
    xy = vertices[:, :2]
    out = [xy[:1]]
    for i in range(1, len(xy) - 1):
        if tan_half[i - 1] <= STRAIGHT:
            out.append(xy[i : i + 1])
            continue
        before, after = xy[i] - xy[i - 1], xy[i + 1] - xy[i]
        before, after = before / np.hypot(*before), after / np.hypot(*after)
        tangent = radius[i - 1] * tan_half[i - 1]
        theta = 2.0 * np.arctan(tan_half[i - 1])
        n = max(int(np.ceil(theta / ARC_STEP)), 1)
        # The centre lies on the side that the line turns to; the arm to the arc's start is turned about it in equal
        # steps.
        side = np.sign(before[0] * after[1] - before[1] * after[0])
        begin = xy[i] - before * tangent
        centre = begin + side * radius[i - 1] * np.array([-before[1], before[0]])
        turn = side * theta * np.arange(n + 1) / n
        arm = begin - centre
        cos, sin = np.cos(turn), np.sin(turn)
        out.append(centre + np.column_stack([cos * arm[0] - sin * arm[1], sin * arm[0] + cos * arm[1]]))
    out.append(xy[-1:])
    plan = np.vstack(out)
    apart = np.hypot(*np.diff(plan, axis=0).T) > 1e-6  # neighbouring arcs may touch
    return np.asarray(plan[np.concatenate([[True], apart])])


def _profile(vertex_s: Floats, z: Floats, along: Floats, vertical_radius_m: float) -> tuple[Floats, Floats]:
    """Stations and heights: tangents of constant grade with a parabola at each change of grade."""
    grade = np.diff(z) / np.diff(vertex_s)
    change = np.diff(grade)
    # A parabola of the standard's radius if there is room: like arcs, it takes at most half of either neighbour.
    half = np.minimum(
        0.5 * np.abs(change) * vertical_radius_m, 0.5 * np.minimum(np.diff(vertex_s)[:-1], np.diff(vertex_s)[1:])
    )
    extra = [s + h * np.linspace(-1.0, 1.0, 9) if h > 1.0 else [s] for s, h in zip(vertex_s[1:-1], half, strict=True)]
    wanted = np.concatenate([*extra, np.arange(0.0, along[-1], STATION_M)])
    # A station within 5 cm of a drawn point would only add a step too short to have a grade.
    nearest = np.abs(
        wanted[:, None] - along[np.clip(np.searchsorted(along, wanted)[:, None] - [[1, 0]], 0, len(along) - 1)]
    )
    wanted = np.unique(np.round(wanted[nearest.min(axis=1) > 0.05], 3))
    merged = np.sort(np.concatenate([along, wanted]))
    heights = np.interp(merged, vertex_s, z)
    for i in range(len(half)):
        if half[i] > 1.0:
            inside = np.abs(merged - vertex_s[i + 1]) < half[i]
            beyond = half[i] - np.abs(merged[inside] - vertex_s[i + 1])
            # A parabola leaves its tangents with the square of the distance from where it touches them.
            heights[inside] += change[i] * beyond**2 / (4.0 * half[i])
    return merged, heights


MAX_LINKS = 10_000_000  # that a turn-limited search holds at a time, about 50 bytes each with what is known of them
FEW_LINKS = 1_000_000  # up to which a search goes on without a line that it must stay below
HASTY = ((150, 0.01), (150, 0.04), (600, 0.16))
"""Quotas of searches that only look for a line, and what a link may lose, as a share of the price without bends."""
ENOUGH = 0.04  # of these shares: where a line is known and links were allowed to lose so much, no more is tried
FIRST_SHARE = 0.01  # above what any line costs at least, up to where the cheapest is sought first; then twice as far


@dataclass(frozen=True, slots=True)
class Bend:
    """A bend at a state of a node (flat number), from one direction to another (unit vectors to the east and south)."""

    node: int
    state: int
    in_east: float
    in_south: float
    out_east: float
    out_south: float

    def row(self, problem: Problem) -> tuple[float, float, float, float, float]:
        """The bend as the compiled search reads it."""
        state = int(problem.index_of[self.node]) * problem.n_states + self.state
        return (float(state), self.in_east, self.in_south, self.out_east, self.out_south)


class Course(NamedTuple):
    """A line of a search: its states, and of each link what it is (0 straight, below 0 old, else with full circles)."""

    states: list[int]
    codes: list[int]

    def on(self, before: Problem, problem: Problem) -> Course:
        """The same line as another problem numbers its states.

        Args:
            before: the problem that it was found on.
            problem: one over at least the nodes of that, with the same levels.
        """
        n = problem.n_states
        return Course([int(problem.index_of[before.node_of[s // n]]) * n + s % n for s in self.states], self.codes)


class TurnSearch:
    """A search for the cheapest line that keeps a radius.

    ``backward`` has the costs to the end without turns of everything that a line of at most ``bound_musd`` can pass,
    and ``least_musd`` is what any line is known to cost at least. Links priced for one search are kept for the
    next one of its kind. What each search gives is a line and its price: an empty line and an infinite price where it
    found none. ``found_share`` is what a hasty one had to let links lose for a line. Where a kind is forbidden near a
    bend, its curve of the smallest radius must keep to what is allowed.
    """

    def __init__(
        self, problem: Problem, backward: Found, bound_musd: float, radius_m: float, least_musd: float = 0.0
    ) -> None:
        self.problem, self.bound_musd, self.radius_m = problem, bound_musd, float(radius_m)
        self.least_musd, self.found_share = least_musd, 0.0
        self._backward = backward
        self._behind, self._ahead_to = self._settled(), 0.0
        self._links, self._used = new_links(len(self._behind), 65_536), 0
        self._kept_for = (0.0, 0.0, 0)

    @property
    def free_musd(self) -> float:
        """What the cheapest line costs without turns."""
        return float(self._backward.cost[self.problem.state(self.problem.start)])

    @property
    def leaves_room(self) -> bool:
        """Whether a search for lines within a larger bound may be exact from the start too."""
        return self._used <= FEW_LINKS // 10

    @property
    def is_exhausted(self) -> bool:
        """Whether every line within the bound was looked at: what wasn't found then doesn't exist."""
        return self.least_musd >= self.bound_musd

    def _settled(self) -> Floats:
        """Costs to the end without bends."""
        # A cost that isn't settled is no more than an upper bound: no line near the best passes there.
        return np.where(self._backward.settled, self._backward.cost, np.inf)

    def exact(self, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line, unless that would need many links.

        Args:
            forbidden: bends that may not be used.
        """
        last = self._prove(forbidden, self.bound_musd, FEW_LINKS)
        return self._line(last), self._cost(last)

    def cheapest(self, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line as far as there is room to find it.

        Args:
            forbidden: bends that may not be used.
        """
        course, price = self.hasty(forbidden)
        return self.certify(course, min(price, self.bound_musd), forbidden)

    def hasty(self, forbidden: Sequence[Bend] = (), from_share: float = 0.0) -> tuple[Course, float]:
        """A line of which nothing is known but that it keeps the radius.

        Args:
            forbidden: bends that may not be used.
            from_share: the least that links may lose, as a share of the price without bends; less isn't tried.
        """
        course, price = Course([], []), np.inf
        for quota, share in HASTY:
            if share < from_share:
                continue
            # Once a line is known, a closer look needs few links: those that may make a cheaper one.
            last, _ = self._run(forbidden, min(self.bound_musd, price), share * self.free_musd, quota, MAX_LINKS)
            if last >= 0:
                self.found_share = share if not course.states else self.found_share
                course, price = self._line(last), self._cost(last)
            if course.states and share >= ENOUGH:
                break
        return course, price

    def certify(self, course: Course, price: float, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line as far as there is room to find it, else the one that is given.

        A search that knows where lines head says what any costs at least, and leads exact searches: up to a little more
        than that, then up to more, until one finds the cheapest line or needs more room.

        Args:
            course: a line, or an empty one.
            price: what it costs, at most the bound; without a line what one may cost.
            forbidden: bends that may not be used.
        """
        self._look_ahead(price)
        share = FIRST_SHARE
        while self.least_musd < price:
            last = self._prove(forbidden, min((1.0 + share) * self.least_musd, price), MAX_LINKS)
            if last >= 0:
                return self._line(last), self._cost(last)
            if last == NO_ROOM:
                # What leads exact searches leads hasty ones too.
                nearer, its_price = self.hasty(forbidden)
                return (nearer, its_price) if its_price < price or not course.states else (course, price)
            share *= 2.0
        return course, price if course.states else np.inf

    def _look_ahead(self, price: float) -> None:
        """Find what lines up to a price cost at least from each state, with bends, and any line at all."""
        if price <= self._ahead_to:
            return
        # What the search without bends settled within the price leads that one the other way round.
        free = self.free_musd
        forward = search(self.problem, price / free, guide=self._backward)
        bound = bound_bends(self.problem, forward, price, self.radius_m)
        self._behind, self._ahead_to = np.maximum(self._settled(), bound.behind_musd), price
        self.least_musd = max(self.least_musd, bound.least_musd)

    def _prove(self, forbidden: Sequence[Bend], bound: float, room: int) -> int:
        """Last label of the cheapest line up to a bound by an exact search, which raises what any line costs at least.

        Forbidden bends only make lines dearer, so that what was proved without them holds.
        """
        last, least = self._run(forbidden, bound, np.inf, 0, room)
        self.least_musd = max(self.least_musd, least)
        return last

    def _run(self, forbidden: Sequence[Bend], bound: float, slack: float, quota: int, room: int) -> tuple[int, float]:
        """Last label of the line that a search finds (negative without one) and what any line costs at least."""
        p = self.problem
        direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
        if self._kept_for != (bound, slack, quota):
            self._links, self._used = new_links(len(self._behind), 65_536), 0
            self._kept_for = (bound, slack, quota)
        told = np.zeros(1, dtype=np.int64)
        arguments = (
            p.ground.arrays, p.as_nodes(), p.loops, p.as_states(), p.parameters, self.radius_m, p.state(p.start),
            p.state(p.goal), direct_m, self._behind, bound * (1.0 + 1e-9), slack, quota, room, p.reuse, _clearance(p),
            np.array([b.row(p) for b in forbidden]).reshape(-1, 5), self._links, self._used, told,
        )  # fmt: skip
        last, least, self._labels, self._links, self._used = run_watched(
            search_turns, arguments, told, WHOLE_WAY, p.options.watch
        )
        return int(last), min(float(least), bound)

    def _cost(self, last: int) -> float:
        """Of the line that ends with a label; infinite if there is no such label."""
        return float(self._labels.of[last]["cost"]) if last >= 0 else np.inf

    def _line(self, last: int) -> Course:
        """The line that ends with a label; an empty one if there is no such label."""
        if last < 0:
            return Course([], [])
        # Labels know the one before them: the line is read from its end and turned round.
        links, labels = self._links, self._labels
        states, codes = [int(links.of[labels.of[last]["link"]]["target"])], []
        while last >= 0:
            link = labels.of[last]["link"]
            states.append(int(links.source[link]))
            codes.append(int(links.of[link]["code"]))
            last = int(labels.of[last]["before"])
        return Course(states[::-1], codes[::-1])


def _clearance(problem: Problem) -> Floats:
    """Metres from each node to the nearest one where a kind is forbidden, one after the other; empty without a mask."""
    ground = problem.ground
    if not (ground.mask.size and ground.mask.any()):
        return np.zeros(0)
    return np.asarray(distance_transform_edt(ground.mask == 0, sampling=(ground.dy_m, ground.dx_m))).ravel()


def bends_near(problem: Problem, course: Course, places: Floats) -> list[Bend]:
    """The bends of a line at places (n, 3) that are vertices of it, or next to them where it has full circles there.

    Args:
        problem: the search as it is laid out.
        course: the line.
        places: rows, columns and heights, shape (n, 3).
    """
    points = state_points(problem, course.states)
    windings = wind(problem, points, course.codes)
    vertices = insert_windings(points, windings)
    # A circle has no bend of its own to forbid: it goes with the bend at the end of its link.
    at = insert_windings(
        np.arange(len(points), dtype=float)[:, None],
        [replace(w, corners=np.full((len(w.corners), 1), w.after + 1.0)) for w in windings],
    )
    # The drawn line has fewer vertices than the search, since straight ones fall out: the nearest one is meant.
    nearest = np.abs(vertices[None] - places[:, None]).max(axis=2).argmin(axis=1)
    inner = np.clip(at[nearest, 0].astype(int), 1, max(len(points) - 2, 1))
    return [_bend_at(problem, course.states, int(i)) for i in np.unique(inner)] if len(points) > 2 else []


def _bend_at(problem: Problem, states: Sequence[int], at: int) -> Bend:
    """The bend of a line at one of its inner states."""
    points = state_points(problem, list(states[at - 1 : at + 2]))
    steps = np.diff(points[:, :2], axis=0) * (problem.ground.dy_m, problem.ground.dx_m)
    (in_south, in_east), (out_south, out_east) = steps / np.hypot(*steps.T)[:, None]
    index, state = divmod(int(states[at]), problem.n_states)
    return Bend(int(problem.node_of[index]), state, float(in_east), float(in_south), float(out_east), float(out_south))


def bend_angles(points: Floats) -> Floats:
    """Angle of the bend at each inner vertex of a plan line (n, 2+), in radians, 0 for straight on."""
    return np.abs(turn_angles(points))


def turn_angles(points: Floats) -> Floats:
    """The same with a sign: above 0 from the first axis towards the second, which is to the left on a map."""
    steps = np.diff(points[:, :2], axis=0)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    return np.asarray(np.arctan2(cross, (steps[:-1] * steps[1:]).sum(axis=1)))


EDGE_CELLS = 3.0  # a line so near to the edge of the ground would rather have passed outside
COARSE_M, MEDIUM_M = 400.0, 100.0  # cells above which heights carry only a sketch, only indications


class BendError(AlignmentError):
    """Curves that can't be built where the line has its bends: ``places`` (n, 3) are rows, columns and heights."""

    def __init__(self, message: str, places: Floats) -> None:
        super().__init__(message)
        self.places = places


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """A stretch that is all new or all reused: what is drawn, its intersection points, structures and price."""

    fitted: FittedLine
    vertices: Floats
    structures: tuple[Structure, ...]
    price: LinePrice
    max_grade_pct: float


def finish_alignment(
    terrain: Terrain,
    problem: Problem,
    course: Course,
    price: float,
    free_price: float,
    snapped: tuple[float, float],
    gap_musd: float | None = None,
) -> Alignment:
    """Fit curves, split into kinds and price what is drawn.

    Args:
        terrain: ground and frame.
        problem: the search that the line came from.
        course: the line.
        price: what the search said, and ``free_price`` what it said without a turn limit, in million USD.
        free_price: see ``price``.
        snapped: how far the terminals lie from their nodes, in metres.
        gap_musd: how much less another line could cost at most, None where that isn't known.

    Raises:
        BendError: if the curve at some bend, even with the minimum radius, leaves what bridges and the mask allow.
    """
    points = state_points(problem, course.states)
    windings = wind(problem, points, course.codes)
    # New stretches get curves and kinds, old ones stay as they lie: each is finished by itself, then all are joined.
    parts = _split_reused(problem, insert_windings(points, windings))
    legs = [_leg(terrain, problem, part, link) for part, link in parts]
    starts = np.concatenate([[0.0], np.cumsum([leg.fitted.chainage_m[-1] for leg in legs])])
    line = np.vstack([legs[0].fitted.points, *(leg.fitted.points[1:] for leg in legs[1:])])
    chainage = np.concatenate(
        [[0.0], *(s + leg.fitted.chainage_m[1:] for s, leg in zip(starts[:-1], legs, strict=True))]
    )
    radii = [legs[0].fitted.radius_m]
    for leg in legs[1:]:
        # Where two legs join is a vertex without a curve.
        radii += [np.array([np.inf]), leg.fitted.radius_m]
    # Where two legs join is a vertex too, at the chainage where the next one starts.
    vertices = np.vstack([legs[0].vertices, *(leg.vertices[1:] for leg in legs[1:])])
    vertex_m = np.concatenate(
        [part for s, leg in zip(starts, legs, strict=False) for part in ([s], s + leg.fitted.vertex_m)]
    )
    vertex_m = np.append(vertex_m, chainage[-1])
    at = terrain.to_grid(line)
    cell = max(terrain.ground.dx_m, terrain.ground.dy_m)
    spirals = tuple(_spiral(terrain, problem, winding, vertices, vertex_m) for winding in windings)
    structures = tuple(
        replace(s, from_m=s.from_m + start, to_m=s.to_m + start)
        for start, leg in zip(starts[:-1], legs, strict=True)
        for s in leg.structures
    )
    total = add_prices([leg.price for leg in legs])
    return Alignment(
        standard_id=problem.standard.standard_id,
        crs=terrain.grid.crs,
        line=line,
        vertices=vertices,
        vertex_m=vertex_m,
        chainage_m=chainage,
        ground_m=ground_heights(terrain.ground, at[:, 0], at[:, 1]),
        sections=_cut_sections(terrain, at, chainage, structures),
        radius_m=np.concatenate(radii),
        structures=structures,
        price=replace(total, ends=sum((spiral.crossings for spiral in spirals), total.ends)),
        search_price_musd=price,
        unconstrained_price_musd=free_price,
        max_grade_pct=max(leg.max_grade_pct for leg in legs),
        cell_m=cell,
        snapped_m=snapped,
        gap_musd=gap_musd,
        spirals=spirals,
        notes=(
            *_says_edge(terrain, at),
            *_notes(cell, problem.options.turns, any(leg.price.reused_km > 0 for leg in legs)),
            *_says_gap(price, gap_musd),
        ),
    )


def _cut_sections(terrain: Terrain, at: Floats, chainage: Floats, structures: Sequence[Structure]) -> Floats:
    """Chainage, ground and cross-slope (k, 3) along a line given by rows, columns (n, 2 or more) and chainages."""
    ends = [end for s in structures for end in (s.from_m, s.to_m)]
    # Rounded, so that places which are one but for rounding don't lie too near for a direction.
    along = np.unique(np.concatenate([chainage, ends, np.arange(0.0, chainage[-1], SECTION_M)]).round(3))
    rows, cols = (np.interp(along, chainage, at[:, k]) for k in (0, 1))
    across = cross_slopes(terrain.ground, rows, cols, *_headings(np.column_stack([rows, cols])).T)
    return np.column_stack([along, ground_heights(terrain.ground, rows, cols), np.sqrt(across)])


def _headings(points: Floats) -> Floats:
    """Direction of a plan line (n, 2) at each of its points, of any length above 0: the mean of the steps there."""
    headings = np.gradient(points, axis=0)
    # Without a turn limit a line may turn right back at another height; there the step that follows counts.
    back = np.flatnonzero(np.abs(headings).max(axis=1) < 1e-9)
    headings[back] = points[back + 1] - points[back]
    return np.asarray(headings)


def _spiral(terrain: Terrain, problem: Problem, winding: Winding, vertices: Floats, vertex_m: Floats) -> Spiral:
    """Full circles as they lie on the finished line, found by their first and last corner."""
    ends = terrain.to_map(winding.corners[[0, -1]])
    first, last = (int(np.abs(vertices - end).max(axis=1).argmin()) for end in ends)
    x, y = terrain.to_map(np.array([[*winding.centre, 0.0]]))[0, :2]
    arc_m = problem.loops.arc_m
    return Spiral(
        x=float(x),
        y=float(y),
        radius_m=problem.loops.radius_m,
        turns=winding.turns,
        is_left=winding.side == LEFT,
        from_m=float(vertex_m[first]) - 0.5 * arc_m,
        to_m=float(vertex_m[last]) + 0.5 * arc_m,
        rise_m=winding.rise_m * winding.turns,
        crossings=price_own_crossings(problem, winding),
    )


def join_alignments(legs: Sequence[Alignment]) -> Alignment:
    """Lines that follow each other, as one line: each begins where the one before ends, in the same system.

    Args:
        legs: one or more, in the order of travel.

    Returns:
        The whole line. At the joints, which are stations, it may turn as sharply as it likes.
    """
    if len(legs) == 1:
        return legs[0]
    starts = np.concatenate([[0.0], np.cumsum([leg.chainage_m[-1] for leg in legs])])[:-1]
    # What other lines could save adds up over the legs; unknown in one, it is unknown of the whole.
    gaps = [leg.gap_musd for leg in legs]
    said = [note for leg in legs for note in _says_gap(leg.search_price_musd, leg.gap_musd)]
    radii = [legs[0].radius_m]
    for leg in legs[1:]:
        radii += [np.array([np.inf]), leg.radius_m]
    return replace(
        legs[0],
        line=np.vstack([legs[0].line, *(leg.line[1:] for leg in legs[1:])]),
        vertices=np.vstack([legs[0].vertices, *(leg.vertices[1:] for leg in legs[1:])]),
        vertex_m=np.concatenate(
            [legs[0].vertex_m, *(start + leg.vertex_m[1:] for start, leg in zip(starts[1:], legs[1:], strict=True))]
        ),
        chainage_m=np.concatenate(
            [legs[0].chainage_m, *(start + leg.chainage_m[1:] for start, leg in zip(starts[1:], legs[1:], strict=True))]
        ),
        ground_m=np.concatenate([legs[0].ground_m, *(leg.ground_m[1:] for leg in legs[1:])]),
        sections=np.vstack(
            [
                legs[0].sections,
                *(np.add(leg.sections[1:], [start, 0, 0]) for start, leg in zip(starts[1:], legs[1:], strict=True)),
            ]
        ),
        radius_m=np.concatenate(radii),
        structures=tuple(
            replace(s, from_m=s.from_m + start, to_m=s.to_m + start)
            for start, leg in zip(starts, legs, strict=True)
            for s in leg.structures
        ),
        spirals=tuple(
            replace(s, from_m=s.from_m + start, to_m=s.to_m + start)
            for start, leg in zip(starts, legs, strict=True)
            for s in leg.spirals
        ),
        price=add_prices([leg.price for leg in legs]),
        search_price_musd=sum(leg.search_price_musd for leg in legs),
        unconstrained_price_musd=sum(leg.unconstrained_price_musd for leg in legs),
        max_grade_pct=max(leg.max_grade_pct for leg in legs),
        cell_m=max(leg.cell_m for leg in legs),
        snapped_m=(legs[0].snapped_m[0], legs[-1].snapped_m[1]),
        notes=tuple(dict.fromkeys([*max(legs, key=lambda leg: leg.cell_m).notes, *said])),
        gap_musd=None if None in gaps else sum(gap for gap in gaps if gap is not None),
    )


def _split_reused(problem: Problem, points: Floats) -> list[tuple[Floats, ReuseLink | None]]:
    """Consecutive parts of the node line: each a run of new links or one piece of an old formation."""
    parts: list[tuple[Floats, ReuseLink | None]] = []
    run = [points[0]]
    for a, b in pairwise(points):
        # A run of new links ends where an old piece begins, and its last point is the piece's first.
        link = link_between(problem, a, b) if problem.options.reuse else None
        if link is None:
            run.append(b)
            continue
        if len(run) > 1:
            parts.append((np.array(run), None))
        parts.append((np.array([a, b]), link))
        run = [b]
    if len(run) > 1:
        parts.append((np.array(run), None))
    return parts


def _leg(terrain: Terrain, problem: Problem, points: Floats, link: ReuseLink | None) -> Leg:
    """A finished stretch."""
    if link is not None:
        return _reused_leg(terrain, problem, points, link)
    nodes = merge_straight(points)
    vertices = terrain.to_map(nodes)
    if not problem.options.turns:
        run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices[:, :2], axis=0).T))])
        return _new_leg(terrain, problem, vertices, FittedLine(vertices, run, np.zeros(len(vertices) - 2), run[1:-1]))
    buildable, fault = [], None
    # Which arcs come out cheapest depends on the ground that they cross, so that all are drawn and priced.
    for cut in CORNER_CUTS:
        try:
            buildable.append(_curved_leg(terrain, problem, nodes, vertices, cut))
        except BendError as caught:
            fault = caught
    if fault is not None and not buildable:
        raise fault
    return min(buildable, key=lambda leg: leg.price.total_musd)


def _curved_leg(terrain: Terrain, problem: Problem, nodes: Floats, vertices: Floats, cut: float) -> Leg:
    """A new stretch with arcs that stay within ``cut`` cells of their vertices, tighter ones where those don't fit.

    Raises:
        BendError: if the minimum radius doesn't fit either.
    """
    cell = max(terrain.ground.dx_m, terrain.ground.dy_m)
    cuts = np.full(max(len(vertices) - 2, 0), cut)
    while True:
        fitted = fit_curves(vertices, problem.standard, cuts * cell)
        try:
            return _new_leg(terrain, problem, vertices, fitted)
        except AlignmentError:
            closed = find_closed(terrain.to_grid(fitted.points), terrain.ground, problem.standard, problem.costs)
        if not (len(closed) and len(cuts)):
            raise AlignmentError("curves: the line itself is of no allowed kind somewhere")
        # Each stretch that can't be built is put down to the vertex that is nearest by chainage.
        at = np.unique(np.abs(closed[:, None] - fitted.vertex_m[None, :]).argmin(axis=1))
        # Arcs that are as tight as they may be can't give way: if only such are left, the bend itself is at fault.
        wide = at[cuts[at] > 0.0]
        if not len(wide):
            raise BendError(_why_closed(terrain, problem, fitted, closed), nodes[1:-1][at])
        for i in wide:
            cuts[i] = next(smaller for smaller in CORNER_CUTS if smaller < cuts[i])


def _why_closed(terrain: Terrain, problem: Problem, fitted: FittedLine, closed: Floats) -> str:
    """Which limit the curves break where the line is of no allowed kind."""
    at = terrain.to_grid(fitted.points)
    above = np.interp(closed, fitted.chainage_m, at[:, 2] - ground_heights(terrain.ground, at[:, 0], at[:, 1]))
    limit = problem.standard.max_bridge_height_m
    if (above > limit - 1.0).any() or not terrain.ground.mask.size:
        return f"the greatest bridge height of {limit:g} m"
    return "the mask"


def _new_leg(terrain: Terrain, problem: Problem, vertices: Floats, fitted: FittedLine) -> Leg:
    """A new stretch, split into kinds and priced as drawn."""
    pieces = split_line(terrain.to_grid(fitted.points), terrain.ground, problem.standard, problem.costs)
    run = np.hypot(*np.diff(fitted.points[:, :2], axis=0).T)
    grade = float(np.abs(np.diff(fitted.points[:, 2]) / run).max() * 100.0)
    price = price_pieces(pieces, problem.standard, problem.costs)
    return Leg(fitted, vertices, structures_of(pieces), price, grade)


def _reused_leg(terrain: Terrain, problem: Problem, points: Floats, link: ReuseLink) -> Leg:
    """A stretch of old formation as it was drawn, its height running evenly between its ends."""
    plan = np.array([points[0, :2], *link.path, points[1, :2]])
    on_map = terrain.to_map(np.column_stack([plan, np.zeros(len(plan))]))
    apart = np.concatenate([[True], np.hypot(*np.diff(on_map[:, :2], axis=0).T) > 1e-6])
    on_map = on_map[apart]
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(on_map[:, :2], axis=0).T))])
    on_map[:, 2] = np.interp(run, [0.0, run[-1]], points[:, 2])
    structure = Structure(LineKind.REUSED, 0.0, float(run[-1]), 0.0)
    grade = abs(points[1, 2] - points[0, 2]) / link.length_m * 100.0
    fitted = FittedLine(on_map, run, np.zeros(0), np.zeros(0))
    price = price_reused(link.length_m / 1000.0, problem.costs)
    return Leg(fitted, on_map[[0, -1]], (structure,), price, float(grade))


def merge_straight(points: Floats) -> Floats:
    """Drop inner vertices at which neither direction nor grade changes."""
    if len(points) < 3:
        return points
    run = np.hypot(*np.diff(points[:, :2], axis=0).T)
    grade = np.diff(points[:, 2]) / run
    straight = (bend_angles(points) < 1e-9) & (np.abs(np.diff(grade)) < 1e-12)
    return np.asarray(points[np.concatenate([[True], ~straight, [True]])])


def _says_edge(terrain: Terrain, points: Floats) -> tuple[Message, ...]:
    """That a line runs along the end of the ground, so that a better one may lie beyond."""
    last = np.array(terrain.ground.shape) - 1.0
    off = np.minimum(points[:, :2], last - points[:, :2]).min(axis=1)
    # A place near the edge is given; what lies away from both tells that there was no room.
    away = np.hypot(*(points[:, None, :2] - points[[0, -1], :2]).transpose(2, 0, 1)).min(axis=1) > 2.0 * EDGE_CELLS
    return (Message("new_line.edge"),) if off[away].min(initial=np.inf) < EDGE_CELLS else ()


def _says_gap(price_musd: float, gap_musd: float | None) -> tuple[Message, ...]:
    """What the certificate of a line says, unless it is within 1 % of the optimum."""
    if gap_musd is None:
        return (Message("new_line.narrowed"),)
    gap_pct = 100.0 * gap_musd / (price_musd - gap_musd)
    return (Message("new_line.gap", {"gap_pct": f"{gap_pct:.0f}"}),) if gap_pct > 1.0 else ()


def _notes(cell_m: float, turns: bool, reused: bool) -> tuple[Message, ...]:
    """What the reader of the line has to know."""
    notes = []
    if cell_m >= COARSE_M:
        notes.append(Message("new_line.coarse", {"cell_m": f"{cell_m:.0f}"}))
        notes.append(note_coarse_heights())
    elif cell_m > MEDIUM_M:
        notes.append(Message("new_line.medium", {"cell_m": f"{cell_m:.0f}"}))
    if not turns:
        notes.append(Message("new_line.without_curves"))
    if reused:
        notes.append(Message("new_line.reused"))
    return tuple(notes)
