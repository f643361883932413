"""The cheapest line whose bends a curve of the minimum radius fits into.

A search over nodes knows nothing of bends. Inside what the two-way search left, every link that a near-optimal line
can use is written out, and a second search runs from link to link: a bend by the angle theta between two links is
allowed if the tangents of its curve, R tan(theta / 2), fit into half of the shorter one. Bends shorten the line, so
the grade is tested again with what the curves at both ends of a link take away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from corridor.alignment._kernels.linegraph import list_links, search_links
from corridor.alignment.search import Found, Problem, reuse_edges, state_points
from corridor.errors import AlignmentError

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

MAX_LINKS = 12_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LinkList:
    """Links between states that near-optimal lines use: source and target state, price in million USD, and whether it
    is a piece of an old formation.
    """

    source: Ints
    target: Ints
    price: Floats
    reused: NDArray[np.bool_]


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


def near_optimal_links(problem: Problem, forward: Found, backward: Found, factor: float) -> LinkList:
    """Every link on some line within ``factor`` of the best, sorted by source.

    Raises:
        AlignmentError: if there are more than twelve million of them.
    """
    p = problem
    bound = factor * forward.cost_musd * (1.0 + 1e-9)
    up, down = p.standard.max_grade_up_pct / 100.0, p.standard.max_grade_down_pct / 100.0
    direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
    source, target, price, complete = list_links(
        p.ground.arrays, p.index_of, p.node_of, p.moves, p.laid, p.levels.offset_m, p.levels.kind, p.levels.first,
        p.state(p.start), p.state(p.goal), up, down, p.parameters, direct_m,
        np.where(forward.settled, forward.cost, np.inf), np.where(backward.settled, backward.cost, np.inf),
        bound, MAX_LINKS,
    )  # fmt: skip
    if not complete:
        raise AlignmentError(f"turn limit: over {MAX_LINKS} near-optimal links; use coarser cells or fewer levels")
    reused = np.zeros(len(source), dtype=bool)
    extra = reuse_edges(p)
    if extra:
        source = np.concatenate([source, np.array([e[0] for e in extra], np.int32)])
        target = np.concatenate([target, np.array([e[1] for e in extra], np.int32)])
        price = np.concatenate([price, np.array([e[2] for e in extra])])
        reused = np.concatenate([reused, np.ones(len(extra), dtype=bool)])
        order = np.argsort(source, kind="stable")
        source, target, price, reused = source[order], target[order], price[order], reused[order]
    return LinkList(source, target, price, reused)


def search_with_turns(
    problem: Problem, links: LinkList, backward: Found, radius_m: float, forbidden: Sequence[Bend] = ()
) -> tuple[list[int], float]:
    """States of the cheapest line that keeps the radius at every bend, and its price; ([], inf) if there is none.

    Where a kind is forbidden near a bend, its curve of the smallest radius must keep to what is allowed.
    """
    p = problem
    bends = np.array([b.row(p) for b in forbidden]).reshape(-1, 5)
    pointer = np.searchsorted(links.source, np.arange(len(p.node_of) * p.n_states + 1)).astype(np.int32)
    up, down = p.standard.max_grade_up_pct / 100.0, p.standard.max_grade_down_pct / 100.0
    last, price, before = search_links(
        p.ground.arrays, p.node_of, p.levels.offset_m, p.parameters, up, down, radius_m,
        links.source, links.target, links.price, links.reused, pointer, p.state(p.start), p.state(p.goal),
        backward.cost, _clearance(p), bends,
    )  # fmt: skip
    if last < 0:
        return [], np.inf
    states = [int(links.target[last])]
    while last >= 0:
        states.append(int(links.source[last]))
        last = int(before[last])
    return states[::-1], float(price)


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
