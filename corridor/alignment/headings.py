"""What a line with bends costs at least: by a search that knows where a line heads, and not by which link it came.

Without bends a line may climb by turning back wherever it likes, so that its cost is a poor bound where lines have to
wind: under the Gotthard, with dear tunnels, six tenths of what a line with bends costs. Here a line may only turn as
far as some link that heads as its last one did could. Short links, in which bends hardly fit, are told apart one by
one, longer ones by direction alone. That leaves few labels to a state instead of one a link, and a bound within some
hundredths of the best line, which then leads an exact search straight to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.bends import curve_loss
from corridor.alignment._kernels.headings import ANY, Headings, search_headings
from corridor.alignment._kernels.linegraph import WHOLE_WAY
from corridor.alignment.search import Found, Problem, reversed_reuse, run_watched

Floats = NDArray[np.float64]

APART_CELLS = 4  # links of up to so many cells along rows and along columns are told apart
SECTORS = 64  # of the circle, into which the others fall
MOST_LINKS = 60_000_000  # that the search holds at a time, 14 bytes each
BEYOND = 1.03  # times the cost of the cheapest way up to which costs are sought: the best line is hardly ever dearer
MARGIN_M = 0.02  # off what curves take: arcs are drawn in whole chords


class BendBound(NamedTuple):
    """What the rest of a line costs at least from each state (infinite: no line within the bound passes it), and what
    any whole line does.
    """

    behind_musd: Floats
    least_musd: float


def bound_bends(
    problem: Problem, forward: Found, bound_musd: float, radius_m: float, most_links: int = MOST_LINKS
) -> BendBound:
    """What lines with bends cost at least from each state to the end.

    Args:
        problem: the search as it is laid out.
        forward: costs from the start without bends of all that a line within the bound can pass.
        bound_musd: only lines of at most this cost are looked at.
        radius_m: least radius of curves.
        most_links: that may be held; where that is too few the bound is lower, and holds all the same.
    """
    p, ahead = problem, np.where(forward.settled, forward.cost, np.inf)
    direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
    told = np.zeros(1, dtype=np.int64)
    arguments = (
        p.ground.arrays, p.as_nodes(), p.loops.reversed(), p.as_states(reverse=True), p.parameters, p.state(p.goal),
        p.state(p.start), direct_m, ahead, bound_musd * (1.0 + 1e-9), BEYOND, most_links, reversed_reuse(p.reuse, True),
        sort_headings(p, radius_m), told,
    )  # fmt: skip
    cost, cheapest, come_to = run_watched(search_headings, arguments, told, WHOLE_WAY, p.options.watch)
    # A state that the search didn't settle costs, with the way there, at least what it came to; that falls along a link
    # by no more than the link costs. If it came to its bound, no line of interest passes there.
    beyond = np.full(len(cost), np.inf) if come_to >= bound_musd else come_to - ahead
    behind = np.where(cost + ahead <= come_to, cost, beyond)
    # The margin is for rounding: two sums of the same links may differ in the last digits.
    return BendBound(np.maximum(behind, 0.0) * (1.0 - 1e-9), min(cheapest, come_to, bound_musd))


def sort_headings(problem: Problem, radius_m: float) -> Headings:
    """Classes of a problem's moves by where they head, and which moves may follow links of a class.

    Args:
        problem: the search as it is laid out.
        radius_m: least radius of curves.
    """
    moves, ground = problem.moves, problem.ground
    south, east = (moves * (ground.dy_m, ground.dx_m)).T
    length, angle = np.hypot(south, east), np.arctan2(south, east)
    short = np.flatnonzero(np.abs(moves).max(axis=1) <= APART_CELLS)
    width = 2.0 * np.pi / SECTORS
    class_of = len(short) + np.round(angle / width).astype(np.int16) % SECTORS
    class_of[short] = np.arange(len(short))
    # A class is a direction, how far links of it may be off that, and how long they are at most.
    headed = np.concatenate([angle[short], width * np.arange(SECTORS)])
    off = np.concatenate([np.zeros(len(short)), np.full(SECTORS, 0.5 * width)])
    longest = np.concatenate([length[short], np.full(SECTORS, np.inf)])
    apart = np.abs((angle[None] - headed[:, None] + np.pi) % (2.0 * np.pi) - np.pi)
    tan_half = np.tan(0.5 * np.maximum(apart - off[:, None], 0.0))
    # As the exact search tests bends; the margin is for rounding.
    fits = radius_m * tan_half <= 0.5 * (1.0 + 1e-6) * np.minimum(longest[:, None], length[None])
    fits &= apart - off[:, None] < np.pi - 1e-6
    loss = np.full((len(headed) + 1, len(moves)), np.inf, dtype=np.float32)
    loss[:-1][fits] = [max(curve_loss(t, radius_m) - MARGIN_M, 0.0) if t > 1e-9 else 0.0 for t in tan_half[fits]]
    # Nothing is known of the link that a line comes by: any move may follow.
    loss[-1] = 0.0
    most = int(np.abs(moves).max())
    move_at = np.full((2 * most + 1, 2 * most + 1), ANY, dtype=np.int16)
    move_at[moves[:, 0] + most, moves[:, 1] + most] = np.arange(len(moves))
    return Headings(move_at, class_of.astype(np.int16), loss)
