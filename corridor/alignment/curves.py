"""From intersection points to a line that can be built: arcs in plan, parabolas in profile.

Between two intersection points the grade is constant; each bend is an arc that touches both links, with tangents of at
most half the shorter one, drawn as chords of two degrees. Heights belong to the middles of the arcs. Chainage is
counted along what is drawn, so that the grade of the drawn line is the grade of the design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.bends import curve_loss
from corridor.alignment.spirals import ARC_STEP
from corridor.schema.alignment import DesignStandard

Floats = NDArray[np.float64]

STATION_M = 100.0  # the line has a point at least this often, so that the ground under it can be drawn
STRAIGHT = 1e-9  # tan(theta / 2) below which a vertex is no bend
FLAT = 1e-5  # change of grade (tangent) below which a vertex has no vertical curve


@dataclass(frozen=True, slots=True, eq=False)
class FittedLine:
    """A drawn line (n, 3) in metres with the chainage of its points, and radii and chainage of each inner vertex.

    ``radius_m`` are the radii of curves in plan, ``vertical_radius_m`` those of the vertical curves, infinite where the
    line runs straight on or its grade doesn't change.
    """

    points: Floats
    chainage_m: Floats
    radius_m: Floats
    vertical_radius_m: Floats
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
    half, change = _vertical_curves(vertex_s, vertices[:, 2], standard.vertical_radius_m)
    stations, heights = _profile(vertex_s, vertices[:, 2], along, half, change)
    x, y = (np.interp(stations, along, plan[:, k]) for k in (0, 1))
    vertical = np.divide(2.0 * half, np.abs(change), out=np.full(len(half), np.inf), where=np.abs(change) > FLAT)
    return FittedLine(np.column_stack([x, y, heights]), stations, radius, vertical, vertex_s[1:-1])


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


def _vertical_curves(vertex_s: Floats, z: Floats, vertical_radius_m: float) -> tuple[Floats, Floats]:
    """Half the length of the parabola at each inner vertex, metres, and the change of grade there, as a tangent."""
    steps = np.diff(vertex_s)
    change = np.diff(np.diff(z) / steps)
    # A parabola of the standard's radius if there is room: like arcs, it takes at most half of either neighbour.
    half = np.minimum(0.5 * np.abs(change) * vertical_radius_m, 0.5 * np.minimum(steps[:-1], steps[1:]))
    return half, change


def _profile(vertex_s: Floats, z: Floats, along: Floats, half: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Stations and heights: tangents of constant grade with a parabola at each change of grade."""
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


def bend_angles(points: Floats) -> Floats:
    """Angle of the bend at each inner vertex of a plan line (n, 2+), in radians, 0 for straight on."""
    return np.abs(turn_angles(points))


def turn_angles(points: Floats) -> Floats:
    """The same with a sign: above 0 from the first axis towards the second, which is to the left on a map."""
    steps = np.diff(points[:, :2], axis=0)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    return np.asarray(np.arctan2(cross, (steps[:-1] * steps[1:]).sum(axis=1)))


def merge_straight(points: Floats) -> Floats:
    """Drop inner vertices at which neither direction nor grade changes."""
    if len(points) < 3:
        return points
    run = np.hypot(*np.diff(points[:, :2], axis=0).T)
    grade = np.diff(points[:, 2]) / run
    straight = (bend_angles(points) < 1e-9) & (np.abs(np.diff(grade)) < 1e-12)
    return np.asarray(points[np.concatenate([[True], ~straight, [True]])])
