"""Sections of an old formation as cheap links: where a new line may join, what a piece costs, what it looks like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.links import ReuseLink
from corridor.alignment.pricing import price_pieces, split_line
from corridor.alignment.problem import Terrain
from corridor.alignment.search import Problem
from corridor.errors import AlignmentError
from corridor.schema.alignment import UnitCosts

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
