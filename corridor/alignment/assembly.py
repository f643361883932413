"""From the nodes of a search to a finished line: legs with curves and kinds, joined and priced, and notes about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.curves import FittedLine, fit_curves, merge_straight
from corridor.alignment.links import ReuseLink, cross_slopes, ground_heights
from corridor.alignment.pricing import add_prices, find_closed, price_pieces, price_reused, split_line, structures_of
from corridor.alignment.problem import Terrain, note_coarse_heights
from corridor.alignment.reuse import link_between
from corridor.alignment.search import Problem, state_points
from corridor.alignment.spirals import LEFT, Winding, insert_windings, price_self_crossings, wind
from corridor.alignment.turning import Course
from corridor.errors import AlignmentError
from corridor.schema.alignment import Alignment, LinePrice, Spiral, Structure
from corridor.schema.message import Message
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]

SECTION_M = 10.0  # ground and cross-slope are known at least this often, since volumes go by more than the depth
CORNER_CUTS = (0.1, 0.03, 0.0)  # how far, in cells, an arc may stay off its intersection point: all are tried
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
    radii, vertical = [legs[0].fitted.radius_m], [legs[0].fitted.vertical_radius_m]
    for leg in legs[1:]:
        # Where two legs join is a vertex without a curve.
        radii += [np.array([np.inf]), leg.fitted.radius_m]
        vertical += [np.array([np.inf]), leg.fitted.vertical_radius_m]
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
        vertical_radius_m=np.concatenate(vertical),
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
        crossings=price_self_crossings(problem, winding),
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
    radii, vertical = [legs[0].radius_m], [legs[0].vertical_radius_m]
    for leg in legs[1:]:
        radii += [np.array([np.inf]), leg.radius_m]
        vertical += [np.array([np.inf]), leg.vertical_radius_m]
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
        vertical_radius_m=np.concatenate(vertical),
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
        return _new_leg(terrain, problem, vertices, _uncurved(vertices, run))
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


def _uncurved(vertices: Floats, run: Floats) -> FittedLine:
    """A line without curves, which has no radius at its bends and breaks of grade."""
    none = np.zeros(len(vertices) - 2)
    return FittedLine(vertices, run, none, none, run[1:-1])


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
    fitted = FittedLine(on_map, run, np.zeros(0), np.zeros(0), np.zeros(0))
    price = price_reused(link.length_m / 1000.0, problem.costs)
    return Leg(fitted, on_map[[0, -1]], (structure,), price, float(grade))


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
