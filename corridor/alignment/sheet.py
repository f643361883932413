"""The sheet of a new line as engineers draw it: plan above, long section below, with grades, curves and structures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from textwrap import wrap

import numpy as np
import pandas as pd
from markupsafe import escape
from numpy.typing import NDArray

from corridor.alignment.assembly import turn_angles
from corridor.report.i18n import render
from corridor.schema.alignment import Alignment, Structure
from corridor.schema.message import Message, listing
from corridor.schema.vocabulary import LineKind
from corridor.theme import colour

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT, TOP, PLOT, ROW = 1200, 82, 20, 46, 330, 34
HEIGHTS, GRADES, CURVES, BUILT_AS = (TOP + PLOT + 30 + ROW * row for row in (0, 1, 2, 3))  # their upper edges
LEGEND, HAUL = BUILT_AS + ROW, 64  # upper edge of the legend below them, height of the diagram of mass haul
INK, GROUND, LINE, OTHER = (colour(f"section_{what}") for what in ("ink", "ground", "line", "other"))
PAPER, NOTE, GRID, FRAME, TICK = (colour(what) for what in ("paper", "section_note", "grid", "frame", "tick"))
_PLAIN = {LineKind.SURFACE: GROUND, LineKind.REUSED: OTHER}
INKS = {kind: _PLAIN.get(kind) or colour(f"section_{kind}") for kind in LineKind}
WORDS = {LineKind.SURFACE: "open line", LineKind.BENCH: "bench with walls", LineKind.HALF_BRIDGE: "half-bridge"}
SAME_GRADE = 1e-4  # changes of grade under a tenth of a per mille are drawn as none
LABEL_PX, GRADE_PX, NARROW_PX, LETTER_PX, BOLD_PX = 34, 25, 9, 6.2, 6.8
FEW = 8  # curves of the least radius up to which each is labelled on the plan
NOTE_LETTERS = 190  # that fit in a line of notes
LONG_M = 500.0  # structures from this length are labelled
PLAN_PX, PLAN_MARGIN = 420.0, 46.0  # the plan's greatest height, and what is left free about the line


def draw_sheet(
    line: Alignment, title: str, ends: tuple[str, str] = ("", ""), stations: pd.DataFrame | None = None
) -> str:
    """An SVG of a line: its plan, and below it its long section.

    The plan is turned so that the line leads from left to right, as in the section; an arrow points north. It has
    chainage, structures and the radii of curves. The section has ground, design height, tunnels and bridges with
    portal heights, heights of line and ground, grades, curves, how the line is built and, with ``stations``, the mass
    haul. Its heights are exaggerated; by how much is written on it. Grades are those between the intersection points,
    up and down as travelled; curves are drawn above the row's middle to the left and below it to the right.

    Args:
        line: what is drawn.
        title: written above it.
        ends: names of the places at its ends.
        stations: of :func:`corridor.alignment.earthworks.tabulate_stations`.

    Returns:
        The drawing.
    """
    total = float(line.chainage_m[-1])
    heights = np.concatenate([line.line[:, 2], line.ground_m])
    step = _nice(float(np.ptp(heights)) / 5)
    low, high = np.floor(heights.min() / step) * step, np.ceil((heights.max() + 0.25 * step) / step) * step
    scale = _Scale((WIDTH - LEFT - RIGHT) / total, PLOT / (high - low), low)
    section = [
        *_frame(scale, total, low, high, step),
        _area(scale, line),
        *(part for s in line.structures if s.kind in LABELLED for part in _structure(scale, line, s)),
        f'<polyline points="{scale.points(line.chainage_m, line.line[:, 2])}" fill="none" stroke="{LINE}" '
        f'stroke-width="2"/>',
        *_portals(scale, line),
        *_heights(scale, line),
        *_grades(scale, line),
        *_curves(scale, line),
        *_built_as(scale, line),
        *(() if stations is None else _mass_haul(scale, stations)),
    ]
    plan = _Plan(line)
    times = Message("new_line.exaggerated", {"times": f"{scale.up / scale.along:.0f}"})
    notes = wrap(render(listing((times, *line.notes))), NOTE_LETTERS)
    foot = plan.height + LEGEND + 48 + (0 if stations is None else HAUL + 30)
    bottom = foot + 14 * len(notes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:.0f}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{bottom:.0f}" fill="{PAPER}"/>'
        f'<text x="{LEFT}" y="18" font-size="15" font-weight="bold">{escape(title)}</text>'
        f'<text x="{LEFT}" y="34">{escape(_summary(line))}</text>'
        f'<g class="plan">{"".join(_draw_plan(plan, ends))}</g>'
        f'<g class="section" transform="translate(0 {plan.height + 8:.0f})">{"".join(section)}</g>'
        + "".join(
            f'<text x="{LEFT}" y="{foot + 14 * k:.0f}" fill="{NOTE}">{escape(text)}</text>'
            for k, text in enumerate(notes)
        )
        + "</svg>\n"
    )


LABELLED = (LineKind.TUNNEL, LineKind.BRIDGE, LineKind.REUSED)


class _Plan:
    """The line's course on the sheet: turned, to one scale both ways."""

    def __init__(self, line: Alignment) -> None:
        self.line = line
        xy = line.line[:, :2]
        ahead = xy[-1] - xy[0]
        # A line that ends where it began leads nowhere in particular: north is then up.
        self.ahead = ahead / np.hypot(*ahead) if np.hypot(*ahead) > 1.0 else np.array([1.0, 0.0])
        self.aside = np.array([-self.ahead[1], self.ahead[0]])
        along, across = xy @ self.ahead, xy @ self.aside
        room = WIDTH - LEFT - RIGHT - 2 * PLAN_MARGIN
        self.px = min(room / max(np.ptp(along), 1.0), PLAN_PX / max(np.ptp(across), 1.0))
        self.height = float(np.ptp(across) * self.px + 2 * PLAN_MARGIN)
        self._west = LEFT + PLAN_MARGIN + 0.5 * (room - np.ptp(along) * self.px) - along.min() * self.px
        self._north = TOP + PLAN_MARGIN + across.max() * self.px
        self.taken: list[tuple[float, float]] = []

    def place(self, xy: Floats) -> Floats:
        """Places on the sheet (n, 2) of points in the line's system."""
        return np.column_stack([self._west + xy @ self.ahead * self.px, self._north - xy @ self.aside * self.px])

    def at(self, chainage_m: Floats) -> tuple[Floats, Floats]:
        """Places on the sheet by chainage, (n, 2), and unit vectors there that point to the line's left."""

        def where(s: Floats) -> Floats:
            return np.column_stack([np.interp(s, self.line.chainage_m, self.line.line[:, k]) for k in (0, 1)])

        step = self.place(where(chainage_m + 1.0)) - self.place(where(chainage_m - 1.0))
        step /= np.maximum(np.hypot(*step.T), 1e-9)[:, None]
        return self.place(where(chainage_m)), np.column_stack([step[:, 1], -step[:, 0]])

    def course(self, low_m: float, high_m: float) -> str:
        """Points of the course between two chainages."""
        # The ends of a structure lie between vertices: they are put in, so that it is drawn exactly as long as it is.
        inside = self.line.chainage_m[(self.line.chainage_m > low_m) & (self.line.chainage_m < high_m)]
        places, _ = self.at(np.concatenate([[low_m], inside, [high_m]]))
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    def label(self, place: Floats, text: str, extra: str = "") -> Iterator[str]:
        """A text in the middle of a place, unless it would lie over another one."""
        if any(abs(place[0] - x) < LABEL_PX and abs(place[1] - y) < 12 for x, y in self.taken):
            return
        self.taken.append((float(place[0]), float(place[1])))
        yield f'<text x="{place[0]:.1f}" y="{place[1] + 3:.1f}" text-anchor="middle"{extra}>{escape(text)}</text>'


def _draw_plan(plan: _Plan, ends: tuple[str, str]) -> Iterator[str]:
    """Course with structures, chainage, radii, names of the ends, scale and north arrow."""
    line, total = plan.line, float(plan.line.chainage_m[-1])
    for s in line.structures:
        dashes = ' stroke-dasharray="6 3"' if s.kind == LineKind.TUNNEL else ""
        yield (
            f'<polyline points="{plan.course(s.from_m, s.to_m)}" fill="none" stroke="{INKS[s.kind]}" '
            f'stroke-width="6"{dashes}/>'
        )
    yield f'<polyline points="{plan.course(0.0, total)}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
    places = plan.at(np.array([0.0, total]))[0]
    for place, name, anchor, off in zip(places, ends, ("end", "start"), (-10, 10), strict=True):
        yield f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="4" fill="{PAPER}" stroke="{LINE}" stroke-width="2"/>'
        if not name:
            continue
        # A long name is moved inwards, so that it stays on the sheet.
        needed = BOLD_PX * len(name) + 4.0
        x = max(place[0] + off, needed) if anchor == "end" else min(place[0] + off, WIDTH - needed)
        # Room for the name, which other labels have to leave free.
        reach = np.arange(0.0, needed + LABEL_PX, LABEL_PX) * np.sign(off)
        plan.taken += [(float(x + away), float(place[1] - 10)) for away in reach]
        yield (
            f'<text x="{x:.1f}" y="{place[1] - 10:.1f}" text-anchor="{anchor}" font-weight="bold">{escape(name)}</text>'
        )
    yield from _draw_chainage(plan, total)
    yield from _draw_radii(plan)
    yield from _draw_scale(plan)


def _draw_chainage(plan: _Plan, total: float) -> Iterator[str]:
    """A tick at each kilometre to the line's left, those of the section's axis longer and with their number."""
    # About fourteen numbers fit the sheet's width, whatever the line's length.
    every = _nice(total / 1000 / 14)
    km = np.arange(1.0, total / 1000)
    if not len(km):
        return
    places, left = plan.at(km * 1000.0)
    for number, place, to_left in zip(km, places, left, strict=True):
        numbered = abs(number / every - round(number / every)) < 1e-9
        tip = place + to_left * (9 if numbered else 5)
        yield f'<path d="M{place[0]:.1f} {place[1]:.1f}L{tip[0]:.1f} {tip[1]:.1f}" stroke="{INK}"/>'
        if numbered:
            yield from plan.label(place + to_left * 20, f"km {number:g}")


def _draw_radii(plan: _Plan) -> Iterator[str]:
    """Radii of curves, tightest first, on the outer side of the bend where there is room."""
    line = plan.line
    stations = line.vertex_m[1:-1]
    turn = turn_angles(line.vertices)
    curved = np.isfinite(line.radius_m) & (line.radius_m > 0)
    # A line in the mountains has the least radius nearly everywhere: only what differs is told then.
    if _tightest(line).sum() > FEW:
        curved &= ~_tightest(line)
    places, left = plan.at(stations)
    for i in np.flatnonzero(curved)[np.argsort(line.radius_m[curved], kind="stable")]:
        outside = places[i] - np.sign(turn[i]) * left[i] * 15
        yield from plan.label(outside, f"R {line.radius_m[i]:.0f}", f' font-size="9" fill="{NOTE}"')


def _tightest(line: Alignment) -> NDArray[np.bool_]:
    """Which inner vertices have the least radius of the line."""
    return np.asarray(np.abs(line.radius_m - line.min_radius_m) < 0.5)


def _draw_scale(plan: _Plan) -> Iterator[str]:
    """A bar of a round length and an arrow to the north, at the right of the plan's foot."""
    metres = _nice(110.0 / plan.px)
    right, foot = WIDTH - RIGHT - 60, TOP + plan.height - 6
    left = right - metres * plan.px
    yield f'<path d="M{left:.1f} {foot - 5:.1f}v5H{right:.1f}v-5" fill="none" stroke="{INK}" stroke-width="1.5"/>'
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    yield f'<text x="{(left + right) / 2:.1f}" y="{foot - 5:.1f}" text-anchor="middle">{words}</text>'
    # The sheet's axes have these northward parts: their angle is that of north on the sheet.
    north = float(np.degrees(np.arctan2(plan.ahead[1], plan.aside[1])))
    yield (
        f'<g class="north" transform="translate({right + 36} {foot - 16:.1f}) rotate({north:.1f})">'
        f'<path d="M0 -20L6 10L0 5L-6 10Z" fill="{INK}"/>'
        f'<text y="-23" text-anchor="middle" font-weight="bold">N</text></g>'
    )


class _Scale:
    """From chainage and height in metres to places on the sheet."""

    def __init__(self, along: float, up: float, low: float) -> None:
        self.along, self.up, self.low = along, up, low

    def x(self, chainage_m: float) -> float:
        return LEFT + chainage_m * self.along

    def y(self, height_m: float) -> float:
        return TOP + PLOT - (height_m - self.low) * self.up

    def points(self, chainage_m: Floats, height_m: Floats) -> str:
        return " ".join(f"{self.x(s):.1f},{self.y(z):.1f}" for s, z in zip(chainage_m, height_m, strict=True))


def _nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten.

    >>> _nice(130.0)
    200.0
    """
    power = 10.0 ** np.floor(np.log10(max(step, 1e-3)))
    return float(next(power * m for m in (1, 2, 5, 10) if power * m >= step * (1 - 1e-9)))


def _summary(line: Alignment) -> str:
    price = line.price.total
    unmarked = " (where the plan has none)" if _tightest(line).sum() > FEW else ""
    radius = f", least radius {line.min_radius_m:.0f} m{unmarked}" if np.isfinite(line.min_radius_m) else ""
    return (
        f"{line.length_km:.1f} km, {line.tunnel_km:.1f} km in tunnels (the longest {line.longest_tunnel_km:.1f}), "
        f"{line.bridge_km:.1f} km on bridges; steepest {line.max_grade_pct * 10:.1f} per mille{radius}; "
        f"{price.mid:,.0f} million USD ({price.low:,.0f}-{price.high:,.0f})"
    )


def _frame(scale: _Scale, total: float, low: float, high: float, step: float) -> Iterator[str]:
    """Axes with kilometres and heights."""
    right, foot = scale.x(total), TOP + PLOT
    for z in np.arange(low, high + step / 2, step):
        y = scale.y(float(z))
        yield f'<line x1="{LEFT}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{z:.0f}</text>'
    yield f'<text x="14" y="{TOP + PLOT / 2:.0f}" transform="rotate(-90 14 {TOP + PLOT / 2:.0f})">height, m</text>'
    for km in _axis_km(total):
        x = scale.x(float(km) * 1000)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{foot}" y2="{foot + 5}" stroke="{INK}"/>'
        yield f'<text x="{x:.1f}" y="{foot + 17}" text-anchor="middle">{km:g}</text>'
    yield f'<text x="{LEFT - 6}" y="{foot + 17}" text-anchor="end">km</text>'
    for y, name in (
        (HEIGHTS, "rail, ground, m"),
        (GRADES, "grade, ‰"),
        (CURVES, "curves, R m"),
        (BUILT_AS, "built as"),
    ):
        yield f'<rect x="{LEFT}" y="{y}" width="{right - LEFT:.1f}" height="{ROW}" fill="none" stroke="{FRAME}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + ROW / 2 + 4:.0f}" text-anchor="end">{name}</text>'


def _axis_km(total: float) -> Floats:
    """Kilometres that the section's axis is numbered at."""
    return np.arange(0.0, total / 1000 + 1e-9, _nice(total / 1000 / 14))


def _area(scale: _Scale, line: Alignment) -> str:
    foot = TOP + PLOT
    ends = f"{scale.x(float(line.chainage_m[-1])):.1f},{foot} {LEFT},{foot}"
    return f'<polygon points="{scale.points(line.chainage_m, line.ground_m)} {ends}" fill="{GROUND}"/>'


def _structure(scale: _Scale, line: Alignment, s: Structure) -> Iterator[str]:
    """A tunnel or bridge as a thick stretch of the line; a long one with kind and length."""
    inside = line.chainage_m[(line.chainage_m > s.from_m) & (line.chainage_m < s.to_m)]
    at = np.concatenate([[s.from_m], inside, [s.to_m]])
    height = np.interp(at, line.chainage_m, line.line[:, 2])
    ink = INKS[s.kind]
    yield f'<polyline points="{scale.points(at, height)}" fill="none" stroke="{ink}" stroke-width="7"/>'
    word = f"{s.kind} {s.length_m / 1000:.1f} km"
    if s.length_m >= LONG_M and s.length_m * scale.along > LETTER_PX * len(word):
        x, y = scale.x(0.5 * (s.from_m + s.to_m)), scale.y(float(height.min())) + 22
        yield f'<text x="{x:.1f}" y="{min(y, TOP + PLOT - 4):.1f}" text-anchor="middle" fill="{ink}">{word}</text>'


def _portals(scale: _Scale, line: Alignment) -> Iterator[str]:
    """Heights of the portals of long tunnels, where there is room for them."""
    taken = -1e9
    for s in line.structures:
        if s.kind != LineKind.TUNNEL or s.length_m < LONG_M:
            continue
        for at in (s.from_m, s.to_m):
            x, z = scale.x(at), float(np.interp(at, line.chainage_m, line.line[:, 2]))
            if x - taken < LABEL_PX:
                continue
            taken = x
            yield f'<circle cx="{x:.1f}" cy="{scale.y(z):.1f}" r="3" fill="{PAPER}" stroke="{INKS[LineKind.TUNNEL]}"/>'
            yield f'<text x="{x:.1f}" y="{scale.y(z) - 9:.1f}" text-anchor="middle" font-weight="bold">{z:.0f}</text>'


def _heights(scale: _Scale, line: Alignment) -> Iterator[str]:
    """Height of the line and of the ground below each other, at the kilometres of the axis."""
    for km in _axis_km(float(line.chainage_m[-1])):
        x = scale.x(float(km) * 1000)
        for values, down, ink in ((line.line[:, 2], 14, INK), (line.ground_m, 27, NOTE)):
            height = float(np.interp(km * 1000, line.chainage_m, values))
            # The first one would lie on the edge of the row.
            where = f'x="{x + 3:.1f}"' if km == 0 else f'x="{x:.1f}" text-anchor="middle"'
            yield f'<text {where} y="{HEIGHTS + down}" fill="{ink}">{height:.0f}</text>'


def _grades(scale: _Scale, line: Alignment) -> Iterator[str]:
    """A box per stretch of one grade, its diagonal rising or falling with it, with its grade and, if wide, length."""
    stations, top = line.vertex_m, GRADES
    # Vertices of one place would give grades of rounding errors alone.
    apart = np.concatenate([[True], np.diff(stations) > 1.0])
    stations, z = stations[apart], line.vertices[apart, 2]
    grade = np.diff(z) / np.diff(stations)
    # Stretches of one grade are one box, however many vertices lie on them.
    keep = np.concatenate([[True], np.abs(np.diff(grade)) > SAME_GRADE, [True]])
    for (s0, z0), (s1, z1) in pairwise(zip(stations[keep], z[keep], strict=True)):
        rise = (z1 - z0) / (s1 - s0)
        x0, x1 = scale.x(float(s0)), scale.x(float(s1))
        tilt = float(np.clip(rise * 400, -1, 1)) * (ROW / 2 - 3)
        yield f'<line x1="{x0:.1f}" x2="{x0:.1f}" y1="{top}" y2="{top + ROW}" stroke="{TICK}"/>'
        yield (
            f'<line x1="{x0:.1f}" y1="{top + ROW / 2 + tilt:.1f}" x2="{x1:.1f}" y2="{top + ROW / 2 - tilt:.1f}" '
            f'stroke="{LINE}"/>'
        )
        # The corners that the diagonal leaves free: below its upper end, above its lower one.
        low, high = (ROW - 4, 10) if rise > 0 else (10, ROW - 4)
        if x1 - x0 > GRADE_PX:
            yield f'<text x="{x1 - 2:.1f}" y="{top + low}" text-anchor="end" font-size="9">{rise * 1000:+.1f}</text>'
        elif x1 - x0 > NARROW_PX:
            place = f"{(x0 + x1) / 2 + 3:.1f} {top + ROW / 2:.1f}"
            yield (
                f'<text transform="translate({place}) rotate(-90)" text-anchor="middle" font-size="9" '
                f'paint-order="stroke" stroke="{PAPER}" stroke-width="3">{rise * 1000:+.1f}</text>'
            )
        if x1 - x0 > 3 * GRADE_PX:
            length = f"{(s1 - s0) / 1000:.1f} km"
            yield f'<text x="{x0 + 3:.1f}" y="{top + high}" font-size="9" fill="{NOTE}">{length}</text>'


def _curves(scale: _Scale, line: Alignment) -> Iterator[str]:
    """A block per curve, above the middle to the left and below it to the right, with its radius where it fits."""
    stations, middle = line.vertex_m[1:-1], CURVES + 0.5 * ROW
    angle = turn_angles(line.vertices)
    yield (
        f'<line x1="{LEFT}" x2="{scale.x(float(line.chainage_m[-1])):.1f}" y1="{middle}" y2="{middle}" '
        f'stroke="{FRAME}"/>'
    )
    labelled = -1e9
    for s, radius, turn in zip(stations, line.radius_m, angle, strict=True):
        if not np.isfinite(radius) or radius <= 0:
            continue
        # Half an arc's length; the shortest curves still show as a stroke.
        half = max(abs(turn) * radius / 2 * scale.along, 0.75)
        x, up = scale.x(float(s)), turn > 0
        yield (
            f'<rect x="{x - half:.1f}" y="{middle - 6 if up else middle}" width="{2 * half:.1f}" height="6" '
            f'fill="{LINE}" fill-opacity="0.7"/>'
        )
        if x - labelled > LABEL_PX:
            labelled = x
            y = middle + 14 if up else middle - 5
            yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="9">{radius:.0f}</text>'


def _built_as(scale: _Scale, line: Alignment) -> Iterator[str]:
    """A band that says how each stretch is built, and a legend with the kilometres of each kind."""
    top, total = BUILT_AS, float(line.chainage_m[-1])
    # Open line lies under all of it, and structures are drawn over it.
    stretches = [(0.0, total, LineKind.SURFACE), *((s.from_m, s.to_m, s.kind) for s in line.structures)]
    for low, high, kind in stretches:
        yield (
            f'<path d="M{scale.x(low):.1f} {top + 6}H{scale.x(high):.1f}V{top + ROW - 6}H{scale.x(low):.1f}Z" '
            f'fill="{INKS[kind]}"/>'
        )
    x = float(LEFT)
    for kind in LineKind:
        if line.price.km_of(kind) < 0.005:
            continue
        word = f"{WORDS.get(kind, str(kind))} {line.price.km_of(kind):.1f} km"
        yield f'<path d="M{x:.1f} {top + ROW + 7}h14v10h-14Z" fill="{INKS[kind]}"/>'
        yield f'<text x="{x + 19:.1f}" y="{top + ROW + 16}">{word}</text>'
        x += 34 + LETTER_PX * len(word)


def _mass_haul(scale: _Scale, stations: pd.DataFrame) -> Iterator[str]:
    """What cuts yield less what fills take up to each place, and the sums of earthworks beside its name."""
    at, haul = (stations[name].to_numpy(dtype=float) for name in ("chainage_m", "mass_haul_m3"))
    cut, fill, bored = (float(stations[name].sum()) / 1e6 for name in ("cut_m3", "fill_m3", "tunnel_m3"))
    top, foot = LEGEND + 46, LEGEND + 46 + HAUL
    low, high = min(float(haul.min()), 0.0), max(float(haul.max()), 1.0)
    y = foot - (haul - low) / (high - low) * HAUL
    zero = foot - (0.0 - low) / (high - low) * HAUL
    # As many points as the sheet can show, since a station stands every few metres.
    kept = np.unique(np.linspace(0, len(at) - 1, 600).astype(int))
    points = " ".join(f"{scale.x(s):.1f},{v:.1f}" for s, v in zip(at[kept], y[kept], strict=True))
    right = scale.x(float(at[-1]))
    yield (
        f'<text x="{LEFT}" y="{top - 8}">mass haul: cuts {cut:.2f}, fills {fill:.2f} million m³ in place; '
        f"tunnels yield {bored:.2f} million m³ of rock more, which is not in the curve</text>"
    )
    yield f'<polygon points="{points} {right:.1f},{zero:.1f} {LEFT},{zero:.1f}" fill="{GROUND}"/>'
    yield f'<polyline points="{points}" fill="none" stroke="{INK}"/>'
    yield f'<line x1="{LEFT}" x2="{right:.1f}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="{FRAME}"/>'
    yield f'<text x="{LEFT - 6}" y="{zero + 4:.1f}" text-anchor="end">0</text>'
    for value, place in ((low, foot), (high, top)):
        if abs(place - zero) > 12.0:
            yield f'<text x="{LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{value / 1e6:.2f}</text>'
