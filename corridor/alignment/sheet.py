"""The sheet of a new line as engineers draw it: plan above, long section below, with grades, curves and structures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import wrap

import numpy as np
import pandas as pd
from markupsafe import escape
from numpy.typing import NDArray

from corridor.alignment.curves import turn_angles
from corridor.alignment.plan import (
    FEW,
    GROUND,
    HALO,
    INK,
    INKS,
    LABEL_PX,
    LEFT,
    LINE,
    NOTE,
    PAPER,
    RIGHT,
    TOP,
    WIDTH,
    Plan,
    draw_plan,
    is_curve,
    nice_step,
    tightest,
)
from corridor.report.i18n import render
from corridor.schema.alignment import Alignment, Structure
from corridor.schema.message import Message, listing
from corridor.schema.vocabulary import LineKind
from corridor.theme import colour
from corridor.wording import format_millions

Floats = NDArray[np.float64]

PLOT, ROW = 330, 34
HEIGHTS, GRADES, CURVES, BUILT_AS = (TOP + PLOT + 30 + ROW * row for row in (0, 1, 2, 3))  # their upper edges
LEGEND, HAUL = BUILT_AS + ROW, 64  # upper edge of the legend below them, height of the diagram of mass haul
WORDS = {LineKind.SURFACE: "open line", LineKind.BENCH: "bench with walls", LineKind.HALF_BRIDGE: "half-bridge"}
GRID, FRAME, TICK = (colour(what) for what in ("grid", "frame", "tick"))
SAME_GRADE = 1e-4  # changes of grade under a tenth of a per mille are drawn as none
GRADE_PX, NARROW_PX, LETTER_PX = 30, 9, 6.2
NOTE_LETTERS = 190  # that fit in a line of notes
MOST_EXAGGERATED = 100.0  # times that heights are drawn larger than lengths
LONG_M = 500.0  # structures from this length are labelled


def draw_sheet(
    line: Alignment,
    title: str,
    ends: tuple[str, str] = ("", ""),
    stations: pd.DataFrame | None = None,
    stops: Sequence[tuple[str, float]] = (),
    basis: Sequence[str] = (),
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
        stops: names of places on the way and their chainages, metres.
        basis: what it was sought on, a line each at the foot.

    Returns:
        The drawing.
    """
    total = float(line.chainage_m[-1])
    heights = np.concatenate([line.line[:, 2], line.ground_m])
    along = (WIDTH - LEFT - RIGHT) / total
    # On level ground centimetres would become cliffs: heights are then shown over more than they span.
    spare = max(0.5 * (PLOT / (MOST_EXAGGERATED * along) - float(np.ptp(heights))), 0.0)
    least, most = heights.min() - spare, heights.max() + spare
    step = nice_step(float(most - least) / 8)
    low, high = np.floor(least / step) * step, np.ceil((most + 0.25 * step) / step) * step
    scale = _Scale(along, PLOT / (high - low), low)
    section = [
        *_frame(scale, total, low, high, step),
        _area(scale, line),
        *(part for s in line.structures if s.kind in LABELLED for part in _structure(scale, line, s)),
        f'<polyline points="{scale.points(line.chainage_m, line.line[:, 2])}" fill="none" stroke="{LINE}" '
        f'stroke-width="2"/>',
        *_portals(scale, line),
        *_stops(scale, line, stops),
        *_heights(scale, line),
        *_grades(scale, line),
        *_curves(scale, line),
        *_built_as(scale, line),
        *(() if stations is None else _mass_haul(scale, stations)),
    ]
    plan = Plan(line)
    larger = scale.up / scale.along
    times = Message("new_line.exaggerated", {"times": f"{larger:.{0 if larger >= 10 else 1}f}"})
    notes = [row for text in (*basis, render(listing((times, *line.notes)))) for row in wrap(text, NOTE_LETTERS)]
    foot = plan.height + LEGEND + 48 + (0 if stations is None else HAUL + 30)
    bottom = foot + 14 * len(notes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:.0f}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{bottom:.0f}" fill="{PAPER}"/>'
        f'<text x="{LEFT}" y="18" font-size="15" font-weight="bold">{escape(title)}</text>'
        f'<text x="{LEFT}" y="34">{escape(_summary(line))}</text>'
        f'<g class="plan">{"".join(draw_plan(plan, ends, stops))}</g>'
        f'<g class="section" transform="translate(0 {plan.height + 8:.0f})">{"".join(section)}</g>'
        + "".join(
            f'<text x="{LEFT}" y="{foot + 14 * k:.0f}" fill="{NOTE}">{escape(text)}</text>'
            for k, text in enumerate(notes)
        )
        + "</svg>\n"
    )


LABELLED = (LineKind.TUNNEL, LineKind.BRIDGE, LineKind.REUSED)


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


def _summary(line: Alignment) -> str:
    price = line.price.total
    unmarked = " (curves without a radius have this)" if tightest(line).sum() > FEW else ""
    radius = f", least radius {line.min_radius_m:.0f} m{unmarked}" if np.isfinite(line.min_radius_m) else ""
    return (
        f"{line.length_km:.1f} km, {line.tunnel_km:.1f} km in tunnels (the longest {line.longest_tunnel_km:.1f}), "
        f"{line.bridge_km:.1f} km on bridges; steepest {line.max_grade_pct * 10:.1f} per mille{radius}; "
        f"{format_millions(price.mid)} million USD ({format_millions(price.low)}-{format_millions(price.high)})"
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
        (HEIGHTS, "line, ground, m"),
        (GRADES, "grade, ‰"),
        (CURVES, "curves, R m"),
        (BUILT_AS, "built as"),
    ):
        yield f'<rect x="{LEFT}" y="{y}" width="{right - LEFT:.1f}" height="{ROW}" fill="none" stroke="{FRAME}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + ROW / 2 + 4:.0f}" text-anchor="end">{name}</text>'


def _axis_km(total: float) -> Floats:
    """Kilometres that the section's axis is numbered at."""
    return np.arange(0.0, total / 1000 + 1e-9, nice_step(total / 1000 / 14))


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
    tall = f", {s.extent_m:.0f} m high" if s.kind == LineKind.BRIDGE else ""
    word = f"{s.kind} {s.length_m / 1000:.1f} km{tall}"
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


def _stops(scale: _Scale, line: Alignment, stops: Sequence[tuple[str, float]]) -> Iterator[str]:
    """A thin line with its name at each place on the way."""
    for name, at in stops:
        x, z = scale.x(at), float(np.interp(at, line.chainage_m, line.line[:, 2]))
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP + 14}" y2="{scale.y(z):.1f}" stroke="{FRAME}"/>'
        yield f'<text x="{x:.1f}" y="{TOP + 10}" text-anchor="middle">{escape(name)}</text>'


def _heights(scale: _Scale, line: Alignment) -> Iterator[str]:
    """Height of the line and of the ground below each other, at the kilometres of the axis."""
    total = float(line.chainage_m[-1])
    # The line's end has its heights too: the last place on the axis that would lie under them gives way.
    at_km = [km for km in _axis_km(total) if (total - km * 1000) * scale.along > 1.5 * LABEL_PX]
    for km in (*at_km, total / 1000):
        x = scale.x(float(km) * 1000)
        for values, down, ink in ((line.line[:, 2], 14, INK), (line.ground_m, 27, NOTE)):
            height = float(np.interp(km * 1000, line.chainage_m, values))
            # The first and the last one would lie on the edges of the row.
            off = 3 if x < LEFT + GRADE_PX else -3 if x > WIDTH - RIGHT - GRADE_PX else 0
            anchor = {3: "start", 0: "middle", -3: "end"}[off]
            where = f'x="{x + off:.1f}" text-anchor="{anchor}"'
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
        word = f"{rise * 1000:+.1f}" if abs(rise) >= 0.5 * SAME_GRADE else "0.0"
        tilt = float(np.clip(rise * 400, -1, 1)) * (ROW / 2 - 3)
        yield f'<line x1="{x0:.1f}" x2="{x0:.1f}" y1="{top}" y2="{top + ROW}" stroke="{TICK}"/>'
        yield (
            f'<line x1="{x0:.1f}" y1="{top + ROW / 2 + tilt:.1f}" x2="{x1:.1f}" y2="{top + ROW / 2 - tilt:.1f}" '
            f'stroke="{LINE}"/>'
        )
        # The corners that the diagonal leaves free: below its upper end, above its lower one.
        low, high = (ROW - 4, 10) if rise > 0 else (10, ROW - 4)
        if x1 - x0 > GRADE_PX:
            yield f'<text x="{x1 - 2:.1f}" y="{top + low}" text-anchor="end" font-size="9">{word}</text>'
        elif x1 - x0 > NARROW_PX:
            place = f"{(x0 + x1) / 2 + 3:.1f} {top + ROW / 2:.1f}"
            where = f'transform="translate({place}) rotate(-90)" text-anchor="middle" font-size="9"{HALO}'
            yield f"<text {where}>{word}</text>"
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
    curved = is_curve(line.radius_m)
    for s, radius, turn in zip(stations[curved], line.radius_m[curved], angle[curved], strict=True):
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
        km = line.price.km_of(kind)
        if km < 0.005:
            continue
        word = f"{WORDS.get(kind, str(kind))} {km:.{1 if km >= 0.05 else 2}f} km"
        yield f'<path d="M{x:.1f} {top + ROW + 7}h14v10h-14Z" fill="{INKS[kind]}"/>'
        yield f'<text x="{x + 19:.1f}" y="{top + ROW + 16}">{word}</text>'
        x += 34 + LETTER_PX * len(word)


def _mass_haul(scale: _Scale, stations: pd.DataFrame) -> Iterator[str]:
    """What cuts yield less what fills take up to each place, and the sums of earthworks beside its name."""
    at, haul = (stations[name].to_numpy(dtype=float) for name in ("chainage_m", "mass_haul_m3"))
    volumes = [float(stations[name].sum()) for name in ("cut_m3", "fill_m3", "tunnel_m3")]
    # A short line moves thousands, which would be hundredths of a million.
    unit, digits, word = (1e6, 2, "million") if max(volumes) >= 1e6 else (1e3, 1, "thousand")
    cut, fill, bored = (f"{volume / unit:.{digits}f}" for volume in volumes)
    top, foot = LEGEND + 46, LEGEND + 46 + HAUL
    low, high = min(float(haul.min()), 0.0), max(float(haul.max()), 1.0)
    y = foot - (haul - low) / (high - low) * HAUL
    zero = foot - (0.0 - low) / (high - low) * HAUL
    # As many points as the sheet can show, since a station stands every few metres.
    kept = np.unique(np.linspace(0, len(at) - 1, 600).astype(int))
    points = " ".join(f"{scale.x(s):.1f},{v:.1f}" for s, v in zip(at[kept], y[kept], strict=True))
    right = scale.x(float(at[-1]))
    rock = f"; tunnels yield {bored} of rock more, which is not in the curve" if volumes[2] > 0.0 else ""
    yield f'<text x="{LEFT}" y="{top - 8}">mass haul, {word} m³: cuts {cut}, fills {fill} in place{rock}</text>'
    yield f'<polygon points="{points} {right:.1f},{zero:.1f} {LEFT},{zero:.1f}" fill="{GROUND}"/>'
    yield f'<polyline points="{points}" fill="none" stroke="{INK}"/>'
    yield f'<line x1="{LEFT}" x2="{right:.1f}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="{FRAME}"/>'
    yield f'<text x="{LEFT - 6}" y="{zero + 4:.1f}" text-anchor="end">0</text>'
    for value, place in ((low, foot), (high, top)):
        if abs(place - zero) > 12.0:
            yield f'<text x="{LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{value / unit:.{digits}f}</text>'
