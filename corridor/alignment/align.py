"""The one way in: heights and two terminals go in, a buildable line comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.curves import CORNER_CUTS, FittedLine, fit_curves
from corridor.alignment.ground import Ground, build_ground, ground_heights
from corridor.alignment.links import SearchOptions
from corridor.alignment.narrowing import near_optimal_nodes
from corridor.alignment.pricing import Pieces, price_pieces, split_line, structures_of
from corridor.alignment.search import Found, Node, Problem, build_problem, search, state_points, trace_states
from corridor.alignment.turns import bend_angles, near_optimal_links, search_with_turns
from corridor.alignment.why_not import explain_no_way
from corridor.errors import AlignmentError
from corridor.model.alignment import Alignment
from corridor.model.grid import Grid
from corridor.model.standard import DesignStandard, UnitCosts

Floats = NDArray[np.float64]

TURN_FACTORS = (1.02, 1.06, 1.15, 1.4)  # how far from the best the turn-limited search looks, step by step


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A ground with the frame that puts it on the map."""

    ground: Ground
    grid: Grid

    def node_at(self, xy: tuple[float, float], name: str) -> tuple[Node, float]:
        """Nearest node to a point and how far it lies off, in metres.

        Raises:
            AlignmentError: if the point lies outside the grid.
        """
        row, col = (float(v[0]) for v in self.grid.fractional_index(np.array([xy[0]]), np.array([xy[1]])))
        node = (round(row), round(col))
        rows, cols = self.grid.shape
        if not (0 <= node[0] < rows and 0 <= node[1] < cols):
            raise AlignmentError(f"{name}: the point {xy[0]:.0f}, {xy[1]:.0f} lies outside the elevation grid")
        return node, float(np.hypot((row - node[0]) * self.ground.dy_m, (col - node[1]) * self.ground.dx_m))

    def to_map(self, points: Floats) -> Floats:
        """Rows, columns and heights (n, 3) as x, y and heights."""
        x, y = self.grid.centres(points[:, 0], points[:, 1])
        return np.column_stack([x, y, points[:, 2]])

    def to_grid(self, line: Floats) -> Floats:
        """x, y and heights (n, 3) as fractional rows, columns and heights."""
        rows, cols = self.grid.fractional_index(line[:, 0], line[:, 1])
        return np.column_stack([rows, cols, line[:, 2]])


def build_terrain(
    heights: NDArray[np.floating],
    grid: Grid,
    mask: NDArray[np.integer] | None = None,
    friction_musd_per_km: NDArray[np.floating] | None = None,
) -> Terrain:
    """Put heights (rows, cols) of a grid in a metric system into the form that the search reads.

    Raises:
        AlignmentError: if the grid is rotated, in degrees or differs in shape from the heights.
    """
    t = grid.transform
    if t.b or t.d:
        raise AlignmentError("grid: rotated rasters are not supported; warp to north-up first")
    if abs(t.a) < 0.5:
        raise AlignmentError(f"grid: cells of {abs(t.a)} units look like degrees; warp to a metric system first")
    if tuple(heights.shape) != tuple(grid.shape):
        raise AlignmentError(f"heights: shape {heights.shape} differs from the grid's {grid.shape}")
    return Terrain(build_ground(heights, abs(t.a), abs(t.e), mask, friction_musd_per_km), grid)


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
    return align_on(terrain, start_xy, end_xy, standard, costs, options or SearchOptions())


def align_on(
    terrain: Terrain,
    start_xy: tuple[float, float],
    end_xy: tuple[float, float],
    standard: DesignStandard,
    costs: UnitCosts,
    options: SearchOptions,
) -> Alignment:
    """The same on a terrain that is already built."""
    start, off_start = terrain.node_at(start_xy, "start")
    end, off_end = terrain.node_at(end_xy, "end")
    problem, forward = find_way(terrain.ground, start, end, standard, costs, options)
    if not options.turns:
        points, price = state_points(problem, trace_states(problem, forward)), forward.cost_musd
    else:
        points, price = _turn_limited(problem, forward)
    return _finish(terrain, problem, points, price, forward.cost_musd, (off_start, off_end))


def find_way(
    ground: Ground, start: Node, end: Node, standard: DesignStandard, costs: UnitCosts, options: SearchOptions
) -> tuple[Problem, Found]:
    """The fine search inside what the coarse stages left; over everything where that has no way.

    With a turn limit the search goes on to what its first step needs.

    Raises:
        AlignmentError: if there is no way at all; says which limit closes it.
    """
    near = TURN_FACTORS[0] if options.turns else 1.0
    usable = near_optimal_nodes(ground, start, end, standard, costs, options) if options.narrowing else None
    problem = build_problem(ground, start, end, standard, costs, options, usable)
    forward = search(problem, near)
    if usable is not None and not np.isfinite(forward.cost_musd):
        problem = build_problem(ground, start, end, standard, costs, options)
        forward = search(problem, near)
    if not np.isfinite(forward.cost_musd):
        raise AlignmentError(explain_no_way(problem))
    return problem, forward


def _turn_limited(problem: Problem, forward: Found) -> tuple[Floats, float]:
    """Points and price of the cheapest line that keeps the minimum radius.

    Raises:
        AlignmentError: if no near-optimal line can be bent so.
    """
    radius = problem.standard.min_radius_m
    for factor in TURN_FACTORS:
        if factor > TURN_FACTORS[0]:
            forward = search(problem, factor)
        backward = search(problem, factor, reverse=True, guide=forward)
        links = near_optimal_links(problem, forward, backward, factor)
        states, price = search_with_turns(problem, links, backward, radius)
        if states:
            return state_points(problem, states), price
    raise AlignmentError(
        f"no way: the minimum radius of {radius:g} m closes it; within {TURN_FACTORS[-1]:g} times the price without "
        f"it no line keeps its bends inside half a link. Use finer cells or a smaller radius"
    )


def _finish(
    terrain: Terrain, problem: Problem, points: Floats, price: float, free_price: float, snapped: tuple[float, float]
) -> Alignment:
    """Fit curves, split into kinds and price what is drawn."""
    vertices = terrain.to_map(merge_straight(points))
    fitted, pieces, notes = _fit_and_split(terrain, problem, vertices)
    at = terrain.to_grid(fitted.points)
    run = np.hypot(*np.diff(fitted.points[:, :2], axis=0).T)
    cell = max(terrain.ground.dx_m, terrain.ground.dy_m)
    return Alignment(
        standard_id=problem.standard.standard_id,
        crs=terrain.grid.crs,
        line=fitted.points,
        vertices=vertices,
        chainage_m=fitted.chainage_m,
        ground_m=ground_heights(terrain.ground, at[:, 0], at[:, 1]),
        radius_m=fitted.radius_m,
        structures=structures_of(pieces),
        price=price_pieces(pieces, problem.costs),
        search_price_musd=price,
        unconstrained_price_musd=free_price,
        max_grade_pct=float(np.abs(np.diff(fitted.points[:, 2]) / run).max() * 100.0),
        cell_m=cell,
        snapped_m=snapped,
        notes=(*notes, *_honesty(cell)),
    )


def _fit_and_split(
    terrain: Terrain, problem: Problem, vertices: Floats
) -> tuple[FittedLine, Pieces, tuple[str, ...]]:
    """Curves and kinds: of several widths of curves the one that comes out cheapest."""
    cell = max(terrain.ground.dx_m, terrain.ground.dy_m)
    if not problem.options.turns:
        run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices[:, :2], axis=0).T))])
        straight = FittedLine(vertices, run, np.zeros(len(vertices) - 2))
        pieces = split_line(terrain.to_grid(vertices), terrain.ground, problem.standard, problem.costs)
        return straight, pieces, ("drawn without curves: not a line that can be built",)
    best: tuple[FittedLine, Pieces] | None = None
    for cut in CORNER_CUTS:
        fitted = fit_curves(vertices, problem.standard, cut * cell)
        try:
            pieces = split_line(terrain.to_grid(fitted.points), terrain.ground, problem.standard, problem.costs)
        except AlignmentError:  # wide curves can leave the ground too far; tighter ones follow
            continue
        if best is None or _price(pieces, problem) < _price(best[1], problem):
            best = fitted, pieces
    if best is None:
        raise AlignmentError("curves: a fitted curve needs a bridge above its limit; use finer cells or a higher limit")
    return *best, ()


def _price(pieces: Pieces, problem: Problem) -> float:
    """Middle price of a line cut into pieces, million USD."""
    return price_pieces(pieces, problem.costs).total_musd


def merge_straight(points: Floats) -> Floats:
    """Drop inner vertices at which neither direction nor grade changes."""
    if len(points) < 3:
        return points
    run = np.hypot(*np.diff(points[:, :2], axis=0).T)
    grade = np.diff(points[:, 2]) / run
    straight = (bend_angles(points) < 1e-9) & (np.abs(np.diff(grade)) < 1e-12)
    return points[np.concatenate([[True], ~straight, [True]])]


def _honesty(cell_m: float) -> tuple[str, ...]:
    """What elevation of this cell size can't say."""
    if cell_m >= 400.0:
        return (
            f"heights every {cell_m:.0f} m: a regional sketch; lengths of base tunnels are meaningful, "
            "grades, cuts and bridges in valleys are not",
        )
    if cell_m > 100.0:
        return (f"heights every {cell_m:.0f} m: earthworks and short structures are indicative only",)
    return ()
