"""Links that wind up: a straight chord with full circles at its middle, for ground that is steeper than the grade.

The line runs straight to the middle of the chord, turns full circles of one radius about a point beside it, back to
the same place higher up or lower down, and goes on as it came. Its grade is constant and allows for the resistance of
the curve. A circle is a polygon whose sides touch it: curves fitted to the corners give the true circle back.

Where a circle passes over its own start one track needs a bridge over the other, or the other a roof. That is priced,
unless at their depths there the one is bored or the other stands on a bridge anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.chords import (
    ABUTMENT,
    BRIDGE,
    CHEAPEST,
    CUT2,
    DX,
    DY,
    FILL2,
    MAX_BRIDGE,
    MAX_CUT,
    MAX_FILL,
    MIN_BRIDGE,
    MIN_TUNNEL,
    PORTAL,
    RISE,
    SURFACE,
    TUNNEL,
    enter,
    new_scratch,
    walk_chord,
)
from corridor.alignment.earthworks import FORMATION_M
from corridor.alignment.links import SearchOptions, corner_weights, ground_heights, neighbour_moves
from corridor.compiled import inner, kernel
from corridor.schema.alignment import DesignStandard, PriceRange

if TYPE_CHECKING:
    from corridor.alignment.search import Problem

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201

Floats = NDArray[np.float64]

CORNERS = 24
"""Corners of the polygon about a circle: its tangents then take little of the chord on either side."""
ARC_STEP = math.pi / 90.0
"""A curve is drawn by chords of two degrees."""
CLEARANCE_M = 10.0
"""Least height between a circle's end and its start, which lie above each other: a train, its wire and a deck."""
SPREADS = (1, 2, 4)
"""Chords are steps to neighbours times these, and times what gives the tangents their room on small cells."""
LEFT = 0  # the side of a circle; the other one is 1


class Loops(NamedTuple):
    """Chords with circles, as the compiled searches read them.

    ``moves`` (m, 2) are steps to the end of the chord and ``move_m`` their lengths; ``corners`` (m, 2, 24, 2) rows and
    columns of the circle's corners from the start of the chord, to the left and to the right. ``turns`` is the most
    circles on a chord, of ``radius_m``; ``side_m`` is a side of the polygon, ``arc_m`` the drawn arc that belongs to a
    corner; ``up`` and ``down`` the steepest that the line may climb and fall, as tangents; ``overlap_m`` how far the
    tracks lie over each other where a circle closes.
    """

    moves: NDArray[np.int32]
    move_m: Floats
    corners: Floats
    turns: int
    radius_m: float
    side_m: float
    arc_m: float
    up: float
    down: float
    overlap_m: float

    def reversed(self) -> Loops:
        """As a search from the other end sees them: grades turned round."""
        return self._replace(up=self.down, down=self.up)


def lay_loops(options: SearchOptions, standard: DesignStandard, dx_m: float, dy_m: float) -> Loops:
    """Chords with circles on a grid; none where the options ask for none or curves have no radius.

    Args:
        options: of the search.
        standard: the design standard to keep.
        dx_m: east-west side of a cell.
        dy_m: north-south side.
    """
    # a whole number of metres is a number as any other: as a type of its own it would compile both searches once more
    radius = float(standard.min_radius_m if options.spiral_radius_m is None else options.spiral_radius_m)
    half = radius * math.tan(math.pi / CORNERS)
    angle = 2.0 * math.pi / CORNERS
    arcs = math.ceil(angle / ARC_STEP)
    arc_m = arcs * 2.0 * radius * math.sin(angle / arcs / 2.0)
    turns = options.spirals if radius > 0 and radius >= standard.min_radius_m else 0
    # The curve resists like a grade of its own, which is taken off what the line may climb.
    eased = standard.curve_resistance_permille_m / radius / 1000.0 if turns else 0.0
    up, down = (max(g / 100.0 - eased, 0.0) for g in (standard.max_grade_up_pct, standard.max_grade_down_pct))
    least = max(math.ceil(2.0 * half / min(dx_m, dy_m)), 1)
    steps = np.vstack([neighbour_moves(16) * spread * least for spread in SPREADS]) if turns else np.zeros((0, 2))
    moves = np.unique(steps, axis=0).astype(np.int32).reshape(-1, 2)
    corners = np.stack([_corners(moves, radius, dx_m, dy_m, side) for side in (1.0, -1.0)], axis=1)
    move_m = np.hypot(moves[:, 0] * dy_m, moves[:, 1] * dx_m)
    # A circle leaves its tangent by s^2 / 2 R: over so much on either side two tracks are less than their width apart.
    overlap_m = 2.0 * math.sqrt(2.0 * radius * FORMATION_M[standard.mode])
    return Loops(moves, move_m, corners, turns, radius, 2.0 * half, arc_m, up, down, overlap_m)


def _corners(moves: NDArray[np.int32], radius: float, dx_m: float, dy_m: float, side: float) -> Floats:
    """Rows and columns (m, 24, 2) of the corners from the start of each chord; ``side`` 1 turns left, -1 right."""
    east, north = moves[:, 1] * dx_m, -moves[:, 0] * dy_m
    metres = np.hypot(east, north)
    ahead = np.column_stack([east, north]) / np.where(metres > 0, metres, 1.0)[:, None]
    aside = side * np.column_stack([-ahead[:, 1], ahead[:, 0]])
    # Seen from the centre the chord touches the circle at -aside; the first corner lies half a side further on.
    at = 2.0 * math.pi * (np.arange(CORNERS) + 0.5) / CORNERS
    reach = radius / math.cos(math.pi / CORNERS)
    offset = 0.5 * metres[:, None, None] * ahead[:, None, :] + radius * aside[:, None, :]
    spoke = np.sin(at)[None, :, None] * ahead[:, None, :] - np.cos(at)[None, :, None] * aside[:, None, :]
    place = offset + reach * spoke
    return np.stack([-place[..., 1] / dy_m, place[..., 0] / dx_m], axis=-1)


@inner
def is_within_grades(loops, m, turns, rise):
    """Whether a chord with so many circles may rise so much: no steeper than allowed, and clear of itself."""
    circle = CORNERS * loops.arc_m
    drawn = loops.move_m[m] + turns * circle
    if rise > loops.up * drawn or -rise > loops.down * drawn:
        return False
    return abs(rise) * circle >= CLEARANCE_M * drawn


@inner
def least_loop_price(ground, loops, m, turns, side, r, c, h0, rise, limit, p):
    """Lower bound on the price of a chord with circles, from the corners alone; infinite if it can't be built.

    The same reasoning as in ``least_price``: where a corner lies too deep or too high for open line, so does the line
    on both sides of it until the steepest ground around and the grade could have made up the difference.
    """
    z, steepest = ground.grid, ground.steepest
    rows, cols = z.shape
    drawn = loops.move_m[m] + turns * CORNERS * loops.arc_m
    bound = p[CHEAPEST] * (loops.move_m[m] + turns * CORNERS * loops.side_m)
    bridge = p[BRIDGE] + p[RISE] * p[MAX_FILL]  # over such a stretch the line is at least so high
    # The steepest ground is known one cell around; half a side belongs to each corner.
    reach, grade = min(0.5 * loops.side_m, p[DX], p[DY]), abs(rise) / drawn
    for j in range(CORNERS):
        y, x = r + loops.corners[m, side, j, 0], c + loops.corners[m, side, j, 1]
        if y < 0.0 or x < 0.0 or y > rows - 1.0 or x > cols - 1.0:
            return np.inf
        i, k = min(int(y), rows - 2), min(int(x), cols - 2)
        a, b, d, e = corner_weights(x - k, y - i)
        over = a * z[i, k] + b * z[i, k + 1] + d * z[i + 1, k] + e * z[i + 1, k + 1] - h0
        for turn in range(turns):
            along = 0.5 * loops.move_m[m] + (turn * CORNERS + j + 0.5) * loops.arc_m
            depth = over - rise * along / drawn
            if depth < -p[MAX_BRIDGE]:
                return np.inf
            # No stretch reaches further than half a side, so that none is counted twice.
            if depth > p[MAX_CUT]:
                stretch = min(reach, (depth - p[MAX_CUT]) / (steepest[i * cols + k] + grade))
                bound += 2.0 * (1.0 - 1e-9) * stretch * (p[TUNNEL] - p[CHEAPEST])
            elif depth < -p[MAX_FILL]:
                stretch = min(reach, (-depth - p[MAX_FILL]) / (steepest[i * cols + k] + grade))
                bound += 2.0 * (1.0 - 1e-9) * stretch * (bridge - p[CHEAPEST])
        if bound > limit:
            break
    return bound


@kernel
def price_crossing(depth, rise, overlap_m, p):
    """What it costs that a track passes ``rise`` metres over another one, which lies ``depth`` below the ground.

    A bridge with its abutments, or a roof with its portals over the lower track; nothing where level ground would have
    the lower one bored or the upper one on a bridge anyway.
    """
    over = rise - depth
    if depth >= p[MIN_TUNNEL] and (depth > p[MAX_CUT] or p[SURFACE] * (1.0 + depth * depth / p[CUT2]) >= p[TUNNEL]):
        return 0.0
    bridge = p[BRIDGE] + p[RISE] * over
    if over >= p[MIN_BRIDGE] and (over > p[MAX_FILL] or p[SURFACE] * (1.0 + over * over / p[FILL2]) >= bridge):
        return 0.0
    return min(overlap_m * (p[BRIDGE] + p[RISE] * rise) + 2.0 * p[ABUTMENT], overlap_m * p[TUNNEL] + 2.0 * p[PORTAL])


@inner
def price_crossings(ground, loops, m, turns, r, c, h0, rise, p):
    """The same for all circles on a chord from a node: each passes over the one before, where the chord has its middle.

    Circles are known to lie on the ground's grid, and the chord with them.
    """
    z = ground.grid
    drawn = loops.move_m[m] + turns * CORNERS * loops.arc_m
    y, x = r + 0.5 * loops.moves[m, 0], c + 0.5 * loops.moves[m, 1]
    i, k = min(int(y), z.shape[0] - 2), min(int(x), z.shape[1] - 2)
    a, b, d, e = corner_weights(x - k, y - i)
    over = a * z[i, k] + b * z[i, k + 1] + d * z[i + 1, k] + e * z[i + 1, k + 1] - h0
    circle = rise * CORNERS * loops.arc_m / drawn
    price = 0.0
    for turn in range(turns):
        # Of the two passes of a circle the lower one is the first where the line climbs, else the last.
        lower = rise * 0.5 * loops.move_m[m] / drawn + circle * (turn if rise > 0.0 else turn + 1)
        price += price_crossing(over - lower, abs(circle), loops.overlap_m, p)
    return price


@inner
def walk_loop(ground, loops, m, turns, side, r, c, h0, rise, p, cost, limit, scratch):
    """Add the price of a chord with circles from a node to the cheapest costs by kind, in place.

    Returns -1 if it is dearer than ``limit`` or not possible; see ``price_link``.
    """
    drawn = loops.move_m[m] + turns * CORNERS * loops.arc_m
    to_go = p[CHEAPEST] * (loops.move_m[m] + turns * CORNERS * loops.side_m)
    y, x, h, along = float(r), float(c), h0, 0.5 * loops.move_m[m] - 0.5 * loops.arc_m
    n = turns * CORNERS
    for k in range(n + 1):
        along += loops.arc_m
        if k < n:
            y1, x1 = r + loops.corners[m, side, k % CORNERS, 0], c + loops.corners[m, side, k % CORNERS, 1]
            h1 = h0 + rise * along / drawn
        else:
            y1, x1, h1 = float(r + loops.moves[m, 0]), float(c + loops.moves[m, 1]), h0 + rise
        to_go -= p[CHEAPEST] * (loops.side_m if 0 < k < n else 0.5 * (loops.move_m[m] + loops.side_m))
        done = walk_chord(ground, y, x, h, y1, x1, h1, p, cost, limit - to_go, scratch, scratch.no_trace, 0, 0.0)
        if done < 0:
            return -1
        y, x, h = y1, x1, h1
    return 0


@inner
def loop_code(loops, m, turns, side):
    """One number above 0 for a chord with circles; 0 stands for a straight link."""
    return 1 + (m * 2 + side) * loops.turns + turns - 1


@kernel
def price_loop(ground, loops, m, way, r, c, h0, rise, kind, spent, p, limit, scratch):
    """Price a chord with circles from a state of a kind, into ``scratch.by_kind``.

    ``way`` tells how many circles to which side, from 0 to below twice ``loops.turns``. Returns the link's code; 0 if
    it costs more than ``limit`` with what was ``spent`` before, or can't be built.
    """
    turns, side = 1 + way // 2, way % 2
    if not is_within_grades(loops, m, turns, rise):
        return 0
    # Even along its corners alone the link is too dear, or leaves the ground that is known.
    if least_loop_price(ground, loops, m, turns, side, r, c, h0, rise, limit - spent, p) > limit - spent:
        return 0
    spent += price_crossings(ground, loops, m, turns, r, c, h0, rise, p)
    enter(scratch.by_kind, kind, spent)
    if walk_loop(ground, loops, m, turns, side, r, c, h0, rise, p, scratch.by_kind, limit, scratch) < 0:
        return 0
    return loop_code(loops, m, turns, side)


def split_code(loops: Loops, code: int) -> tuple[int, int, int]:
    """Move, circles and side of a code."""
    rest, turns = divmod(code - 1, loops.turns)
    return (*divmod(rest, 2), turns + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Winding:
    """Circles on the link that follows a node of a line: the corners (n, 3) as rows, columns and heights.

    ``centre`` is a row and column; ``side`` 0 turns left, 1 right.
    """

    after: int
    corners: Floats
    centre: tuple[float, float]
    turns: int
    side: int

    @property
    def rise_m(self) -> float:
        """Height that one circle gains, below 0 where it loses some."""
        return float(self.corners[1, 2] - self.corners[0, 2]) * CORNERS


def price_self_crossings(problem: Problem, winding: Winding) -> PriceRange:
    """What it costs where circles of a line pass over themselves, in million USD, as searches price it.

    Args:
        problem: the search that the line came from.
        winding: the circles.

    Returns:
        Low, middle and high price of bridges or roofs over lower tracks.
    """
    costs, design, overlap_km = problem.costs, problem.standard, problem.loops.overlap_m / 1000.0
    corners, rise = winding.corners, winding.rise_m
    # The first and the last corner lie half a side before and behind the place where the circle leaves its chord.
    row, col = 0.5 * (corners[0, :2] + corners[-1, :2])
    ground = float(ground_heights(problem.ground, np.array([row]), np.array([col]))[0])
    taller = (1.0 + abs(rise) / design.bridge_doubles_m) / (1.0 + design.bridge_reference_m / design.bridge_doubles_m)
    deck = costs.bridge * (taller * overlap_km) + costs.abutment * 2.0
    roof = costs.tunnel * overlap_km + costs.portal * 2.0
    total = PriceRange.flat(0.0)
    for turn in range(winding.turns):
        lower = corners[0, 2] + rise * (turn + (rise < 0.0) - 0.5 / CORNERS)
        if price_crossing(ground - lower, abs(rise), problem.loops.overlap_m, problem.parameters) > 0.0:
            total += min(deck, roof, key=lambda price: price.mid)
    return total


def codes_along(problem: Problem, states: Sequence[int]) -> list[int]:
    """How a search without turn limit went from each state of a line to the next: 0 straight, else with circles.

    Where several ways are possible a search takes the cheapest one.
    """
    loops, k = problem.loops, problem.n_states
    number = {(int(r), int(c)): m for m, (r, c) in enumerate(loops.moves)}
    codes = []
    for u, v in pairwise(states):
        (r0, c0), (r1, c1) = (divmod(int(problem.node_of[s // k]), problem.ground.shape[1]) for s in (u, v))
        m = number.get((r1 - r0, c1 - c0))
        codes.append(0 if m is None else _cheapest_code(problem, m, (r0, c0), u, v))
    return codes


def _cheapest_code(problem: Problem, m: int, node: tuple[int, int], u: int, v: int) -> int:
    """Straight (0) or with which circles a state leads to another at the least price."""
    states, ground, loops = problem.as_states(), problem.ground, problem.loops
    a, b = u % problem.n_states, v % problem.n_states
    to = node[0] + int(loops.moves[m, 0]), node[1] + int(loops.moves[m, 1])
    height = float(ground.z[node] + states.offset_m[a])
    rise = float(ground.z[to] + states.offset_m[b]) - height
    kinds, limits = (int(states.kind[a]), int(states.kind[b])), (states.up, states.down)
    link = (ground.arrays, loops, m, *node, height, rise, *kinds, *limits, problem.parameters, new_scratch())
    return int(_cheapest_on(*link))


@kernel
def _cheapest_on(ground, loops, m, r, c, h0, rise, kind_from, kind_to, up, down, p, scratch):
    """Code of the cheapest way along a chord between two kinds."""
    best, code, cost = np.inf, 0, scratch.by_kind
    if -down * loops.move_m[m] <= rise <= up * loops.move_m[m]:
        enter(cost, kind_from, 0.0)
        y, x = float(r + loops.moves[m, 0]), float(c + loops.moves[m, 1])
        done = walk_chord(
            ground, float(r), float(c), h0, y, x, h0 + rise, p, cost, np.inf, scratch, scratch.no_trace, 0, 0.0
        )
        if done >= 0:
            best = cost[kind_to]
    for way in range(2 * loops.turns):
        found = price_loop(ground, loops, m, way, r, c, h0, rise, kind_from, 0.0, p, best, scratch)
        # Rounding must not make a circle of a straight link that costs the same.
        if found > 0 and cost[kind_to] < best * (1.0 - 1e-12):
            best, code = cost[kind_to], found
    return code


def wind(problem: Problem, points: Floats, codes: Sequence[int]) -> list[Winding]:
    """The circles of a line whose nodes are ``points`` (n, 3) and whose links have these codes.

    Args:
        problem: the search as it is laid out.
        points: rows, columns and heights of its nodes, shape (n, 3).
        codes: of its links, in order.
    """
    loops, found = problem.loops, []
    for i, code in enumerate(codes):
        if code <= 0:
            continue
        m, side, turns = split_code(loops, code)
        (r, c, h), rise = points[i], points[i + 1, 2] - points[i, 2]
        drawn = loops.move_m[m] + turns * CORNERS * loops.arc_m
        along = 0.5 * loops.move_m[m] + (np.arange(turns * CORNERS) + 0.5) * loops.arc_m
        plan = np.tile(loops.corners[m, side], (turns, 1)) + np.array([r, c])
        centre = plan[:CORNERS].mean(axis=0)
        corners = np.column_stack([plan, h + rise * along / drawn])
        found.append(Winding(i, corners, (float(centre[0]), float(centre[1])), turns, side))
    return found


def insert_windings(points: Floats, windings: Sequence[Winding]) -> Floats:
    """Nodes of a line with the corners of its circles between them, (n, 3)."""
    parts, before = [], 0
    for winding in windings:
        parts += [points[before : winding.after + 1], winding.corners]
        before = winding.after + 1
    return np.vstack([*parts, points[before:]])
