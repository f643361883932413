"""From intersection points to a line that can be built: arcs in plan, parabolas in profile.

Between two intersection points the grade is constant; each bend is an arc that touches both links, with tangents of
at most half the shorter one, drawn as chords of two degrees. Heights belong to the middles of the arcs. Chainage is
counted along what is drawn, so that the grade of the drawn line is the grade of the design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from corridor.alignment._kernels.linegraph import ARC_STEP, NO_ROOM, curve_loss, new_links, search_turns
from corridor.alignment.search import Found, Problem, state_points
from corridor.schema.alignment import DesignStandard

Floats = NDArray[np.float64]

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


MAX_LINKS = 2_000_000  # that a turn-limited search holds at a time, about 60 bytes each
WEIGHTS = (2.0, 1.25, 1.1, 1.05, 1.02)  # where the exact search needs too many links, as far as these have room
FIRST_ROOM = 4  # times the usual room for the first of them, so that there is a line


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


class TurnSearch:
    """A search for the cheapest line that keeps a radius, among lines of at most ``bound_musd``.

    ``forward`` and ``backward`` are costs without turns of everything that such a line can pass. Links that were priced
    for one search are kept for the next one.
    """

    def __init__(self, problem: Problem, forward: Found, backward: Found, bound_musd: float) -> None:
        self.problem, self.bound_musd = problem, bound_musd
        # A cost that isn't settled is no more than an upper bound: no line near the best passes there.
        self._ahead = np.where(forward.settled, forward.cost, np.inf)
        self._behind = np.where(backward.settled, backward.cost, np.inf)
        self._links, self._used = new_links(len(self._ahead), 65_536), 0
        self._is_small = True

    def cheapest(self, radius_m: float, forbidden: Sequence[Bend] = ()) -> tuple[list[int], float, float]:
        """States of the line, its price, and the least that any such line costs.

        Where a kind is forbidden near a bend, its curve of the smallest radius must keep to what is allowed. Without a
        line the states are empty and the price is infinite; no line then costs less than the third value.

        The exact search comes first. Where it needs more links than there is room for, searches with a weight go
        straight for the end, with less and less of it until there is no room again.
        """
        if self._is_small:
            last = self._run(radius_m, forbidden, 1.0)
            if last != NO_ROOM:
                price = float(self._links.cost[last]) if last >= 0 else self.bound_musd
                return self._trace(last), price if last >= 0 else np.inf, price
            self._is_small = False
        best: tuple[list[int], float] = ([], np.inf)
        least = 0.0
        for weight in WEIGHTS:
            last = self._run(radius_m, forbidden, weight)
            if last < 0:
                return (*best, self.bound_musd if last != NO_ROOM else least)
            price = float(self._links.cost[last])
            # A line found with a weight costs at most that many times the best, so that the best costs at least this.
            least = max(least, min(price / weight, self.bound_musd))
            if price < best[1]:
                best = self._trace(last), price
        return (*best, least)

    def _run(self, radius_m: float, forbidden: Sequence[Bend], weight: float) -> int:
        """Last link of the line that a search with a weight finds; negative without one."""
        p, room = self.problem, MAX_LINKS * (FIRST_ROOM if weight == WEIGHTS[0] else 1)
        direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
        last, self._links, self._used = search_turns(
            p.ground.arrays, p.as_nodes(), p.as_states(), p.parameters, radius_m, p.state(p.start), p.state(p.goal),
            direct_m, self._ahead, self._behind, self.bound_musd * (1.0 + 1e-9), weight, room, p.reuse,
            _clearance(p), np.array([b.row(p) for b in forbidden]).reshape(-1, 5), self._links, self._used,
        )  # fmt: skip
        # Links of a search that ran full would leave the next one no room.
        if last == NO_ROOM:
            self._links, self._used = new_links(len(self._ahead), 65_536), 0
        return int(last)

    def _trace(self, last: int) -> list[int]:
        """States along the line that ends with a link; none if there is no such link."""
        if last < 0:
            return []
        states = [int(self._links.target[last])]
        while last >= 0:
            states.append(int(self._links.source[last]))
            last = int(self._links.before[last])
        return states[::-1]


def _clearance(problem: Problem) -> Floats:
    """Metres from each node to the nearest one where a kind is forbidden, one after the other; empty without a mask."""
    ground = problem.ground
    if not (ground.mask.size and ground.mask.any()):
        return np.zeros(0)
    return np.asarray(distance_transform_edt(ground.mask == 0, sampling=(ground.dy_m, ground.dx_m))).ravel()


def bend_at(problem: Problem, states: Sequence[int], at: int) -> Bend:
    """The bend of a line at one of its inner states."""
    points = state_points(problem, list(states[at - 1 : at + 2]))
    steps = np.diff(points[:, :2], axis=0) * (problem.ground.dy_m, problem.ground.dx_m)
    (in_south, in_east), (out_south, out_east) = steps / np.hypot(*steps.T)[:, None]
    index, state = divmod(int(states[at]), problem.n_states)
    return Bend(int(problem.node_of[index]), state, float(in_east), float(in_south), float(out_east), float(out_south))


def bend_angles(points: Floats) -> Floats:
    """Angle of the bend at each inner vertex of a plan line (n, 2+), in radians, 0 for straight on."""
    steps = np.diff(points[:, :2], axis=0)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    along = (steps[:-1] * steps[1:]).sum(axis=1)
    return np.asarray(np.arctan2(np.abs(cross), along))
