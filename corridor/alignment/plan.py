"""The plan on the sheet of a new line: course, structures, chainage, radii, scale and north; what both parts share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from corridor.alignment.curves import turn_angles
from corridor.schema.alignment import Alignment
from corridor.schema.vocabulary import LineKind
from corridor.theme import colour

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT, TOP = 1200, 82, 20, 46  # of the sheet, and what is left free about its drawings
INK, GROUND, LINE, OTHER = (colour(f"section_{what}") for what in ("ink", "ground", "line", "other"))
PAPER, NOTE = colour("paper"), colour("section_note")
HALO = f' paint-order="stroke" stroke="{PAPER}" stroke-width="3"'  # of texts that may lie on the line
_PLAIN = {LineKind.SURFACE: GROUND, LineKind.REUSED: OTHER}
INKS = {kind: _PLAIN.get(kind) or colour(f"section_{kind}") for kind in LineKind}
LABEL_PX, LABEL_LETTER_PX, BOLD_PX = 34, 6.2, 6.8
FEW = 8  # curves of the least radius up to which each is labelled
STRAIGHT_M = 20_000.0  # radius from which a curve is a straight on a sheet
PLAN_PX, PLAN_MARGIN = 420.0, 46.0  # the plan's greatest height, and what is left free about the line
PLAN_FOOT = 24.0  # more of it below, where scale and north arrow stand clear of a line that ends there


def nice_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten.

    >>> nice_step(130.0)
    200.0
    """
    power = 10.0 ** np.floor(np.log10(max(step, 1e-3)))
    return float(next(power * m for m in (1, 2, 5, 10) if power * m >= step * (1 - 1e-9)))


class Plan:
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
        self.height = float(np.ptp(across) * self.px + 2 * PLAN_MARGIN + PLAN_FOOT)
        self._west = LEFT + PLAN_MARGIN + 0.5 * (room - np.ptp(along) * self.px) - along.min() * self.px
        self._north = TOP + PLAN_MARGIN + across.max() * self.px
        self.taken: list[tuple[float, float, float]] = []  # middles of labels, and half of the room that each needs

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

    def crowds(self, x: float, y: float, half: float) -> int:
        """How much of the course runs through a line of text about a place, in steps of two pixels."""
        steps = int(self.line.chainage_m[-1] * self.px / 2.0) + 2
        course, _ = self.at(np.linspace(0.0, float(self.line.chainage_m[-1]), steps))
        return int(((np.abs(course[:, 0] - x) < half) & (np.abs(course[:, 1] - y) < 8.0)).sum())

    def take(self, place: Floats, half: float = 0.0) -> None:
        """Leave a place free of further labels, with so much room to its left and right."""
        self.taken.append((float(place[0]), float(place[1]), half))

    def label(self, place: Floats, text: str, extra: str = "") -> Iterator[str]:
        """A text in the middle of a place, unless it would lie over another one."""
        half = max(0.5 * LABEL_PX, 0.5 * LABEL_LETTER_PX * len(text))
        if any(abs(place[0] - x) < half + room and abs(place[1] - y) < 12 for x, y, room in self.taken):
            return
        self.take(place, half)
        where = f'x="{place[0]:.1f}" y="{place[1] + 3:.1f}" text-anchor="middle"{HALO}{extra}'
        yield f"<text {where}>{escape(text)}</text>"


def draw_plan(plan: Plan, ends: tuple[str, str], stops: Sequence[tuple[str, float]] = ()) -> Iterator[str]:
    """Course with structures, chainage, radii, names of the ends and of places on the way, scale and north arrow."""
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
        plan.take(place, 0.5 * LABEL_PX)
        if not name:
            continue
        # A long name is moved inwards, so that it stays on the sheet.
        needed = BOLD_PX * len(name) + 4.0
        x = max(place[0] + off, needed) if anchor == "end" else min(place[0] + off, WIDTH - needed)
        # Above the end, or below it where less of the course runs through the name.
        middle = x + 0.5 * needed * np.sign(off)
        base = min((place[1] - 10.0, place[1] + 20.0), key=lambda y: plan.crowds(middle, y - 4.0, 0.5 * needed))
        # Room for the name, which other labels have to leave free.
        plan.take(np.array([middle, base - 3.0]), 0.5 * needed)
        yield (
            f'<text x="{x:.1f}" y="{base:.1f}" text-anchor="{anchor}" font-weight="bold"{HALO}>{escape(name)}</text>'
        )
    middle = float(plan.place(line.line[:, :2])[:, 1].mean())
    for (name, _), place in zip(stops, plan.at(np.array([at for _, at in stops]))[0], strict=True):
        yield f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="4" fill="{PAPER}" stroke="{LINE}" stroke-width="2"/>'
        # Away from the rest of the line.
        yield from plan.label(place + np.array([0.0, 18.0 if place[1] > middle else -14.0]), name)
    yield from _draw_chainage(plan, total)
    yield from _draw_radii(plan)
    yield from _draw_scale(plan)


def _draw_chainage(plan: Plan, total: float) -> Iterator[str]:
    """A tick at each kilometre to the line's left, those of the section's axis longer and with their number."""
    # About fourteen numbers fit the sheet's width, whatever the line's length.
    every = nice_step(total / 1000 / 14)
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


def _draw_radii(plan: Plan) -> Iterator[str]:
    """Radii of curves, tightest first, on the outer side of the bend where there is room."""
    line = plan.line
    stations = line.vertex_m[1:-1]
    turn = turn_angles(line.vertices)
    curved = is_curve(line.radius_m)
    # A line in the mountains has the least radius nearly everywhere: only what differs is told then.
    if tightest(line).sum() > FEW:
        curved &= ~tightest(line)
    places, left = plan.at(stations)
    for i in np.flatnonzero(curved)[np.argsort(line.radius_m[curved], kind="stable")]:
        outside = places[i] - np.sign(turn[i]) * left[i] * 15
        yield from plan.label(outside, f"R {line.radius_m[i]:.0f}", f' font-size="9" fill="{NOTE}"')


def is_curve(radius_m: Floats) -> NDArray[np.bool_]:
    """Which vertices have a curve, of a radius that is drawn and told as one."""
    return np.asarray((radius_m > 0) & (radius_m < STRAIGHT_M))


def tightest(line: Alignment) -> NDArray[np.bool_]:
    """Which inner vertices have the least radius of the line."""
    return np.asarray(line.radius_m < line.min_radius_m + 0.5)


def _draw_scale(plan: Plan) -> Iterator[str]:
    """A bar of a round length and an arrow to the north, at the right of the plan's foot."""
    metres = nice_step(110.0 / plan.px)
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
