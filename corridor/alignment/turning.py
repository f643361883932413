"""The search for the cheapest line that keeps a radius, and the bends that it may not use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from corridor.alignment._kernels.linegraph import NO_ROOM, WHOLE_WAY, search_turns
from corridor.alignment._kernels.links import new_links
from corridor.alignment.headings import MOST_LINKS, bound_bends
from corridor.alignment.search import Found, Problem, run_watched, search, state_points
from corridor.alignment.spirals import insert_windings, wind

Floats = NDArray[np.float64]

MAX_LINKS = 10_000_000  # that a turn-limited search holds at a time, about 50 bytes each with what is known of them
FEW_LINKS = 1_000_000  # up to which a search goes on without a line that it must stay below

HASTY = ((150, 0.01), (150, 0.04), (600, 0.16))
"""Quotas of searches that only look for a line, and what a link may lose, as a share of the price without bends."""

ENOUGH = 0.04  # of these shares: where a line is known and links were allowed to lose so much, no larger one is tried
FEW_STATES = 60_000  # up to which it is found out what bends cost at least where only a cheaper line is sought
CLOSER = 150, 2_000_000
"""Quota of a hasty search for a cheaper line, by all links that may make one, and how many it may hold."""
FIRST_SHARE = 0.01  # above what any line costs at least, up to where the cheapest is sought first; then twice as far


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


class Course(NamedTuple):
    """A line of a search: its states, and of each link what it is (0 straight, below 0 old, else with full circles)."""

    states: list[int]
    codes: list[int]

    def on(self, before: Problem, problem: Problem) -> Course:
        """The same line as another problem numbers its states.

        Args:
            before: the problem that it was found on.
            problem: one over at least the nodes of that, with the same levels.
        """
        n = problem.n_states
        return Course([int(problem.index_of[before.node_of[s // n]]) * n + s % n for s in self.states], self.codes)


class TurnSearch:
    """A search for the cheapest line that keeps a radius.

    ``backward`` has the costs to the end without turns of everything that a line of at most ``bound_musd`` can pass,
    and ``least_musd`` is what any line is known to cost at least. Links priced for one search are kept for the
    next one of its kind. What each search gives is a line and its price: an empty line and an infinite price where it
    found none. ``found_share`` is what a hasty one had to let links lose for a line. Where a kind is forbidden near a
    bend, its curve of the smallest radius must keep to what is allowed.
    """

    def __init__(
        self, problem: Problem, backward: Found, bound_musd: float, radius_m: float, least_musd: float = 0.0
    ) -> None:
        self.problem, self.bound_musd, self.radius_m = problem, bound_musd, float(radius_m)
        self.least_musd, self.found_share = least_musd, 0.0
        self._backward = backward
        self._behind, self._ahead_to = self._settled(), 0.0
        self._links, self._used = new_links(len(self._behind), 65_536), 0
        self._kept_for = (0.0, 0.0, 0)

    @property
    def free_musd(self) -> float:
        """What the cheapest line costs without turns."""
        return float(self._backward.cost[self.problem.state(self.problem.start)])

    @property
    def leaves_room(self) -> bool:
        """Whether a search for lines within a larger bound may be exact from the start too."""
        return self._used <= FEW_LINKS // 10

    @property
    def is_exhausted(self) -> bool:
        """Whether every line within the bound was looked at: what wasn't found then doesn't exist."""
        return self.least_musd >= self.bound_musd

    def _settled(self) -> Floats:
        """Costs to the end without bends."""
        # A cost that isn't settled is no more than an upper bound: no line near the best passes there.
        return np.where(self._backward.settled, self._backward.cost, np.inf)

    def exact(self, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line, unless that would need many links.

        Args:
            forbidden: bends that may not be used.
        """
        last = self._prove(forbidden, self.bound_musd, FEW_LINKS)
        return self._line(last), self._cost(last)

    def cheapest(self, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line as far as there is room to find it.

        Args:
            forbidden: bends that may not be used.
        """
        course, price = self.hasty(forbidden)
        return self.certify(course, min(price, self.bound_musd), forbidden)

    def hasty(self, forbidden: Sequence[Bend] = (), from_share: float = 0.0) -> tuple[Course, float]:
        """A line of which nothing is known but that it keeps the radius.

        Args:
            forbidden: bends that may not be used.
            from_share: the least that links may lose, as a share of the price without bends; less isn't tried.
        """
        course, price = Course([], []), np.inf
        for quota, share in HASTY:
            if share < from_share:
                continue
            # Once a line is known, a closer look needs few links: those that may make a cheaper one.
            last, _ = self._run(forbidden, min(self.bound_musd, price), share * self.free_musd, quota, MAX_LINKS)
            if last >= 0:
                self.found_share = share if not course.states else self.found_share
                course, price = self._line(last), self._cost(last)
            if course.states and share >= ENOUGH:
                break
        return course, price

    def closer(self, price: float, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line, if it costs less than a price; where that needs too much, any that a hasty search finds.

        What a link loses says little of lines that wind: any that stays below the price may begin a cheaper one.

        Args:
            price: what a line costs that is known.
            forbidden: bends that may not be used.
        """
        # The margin is for rounding: the line that is known need not be found again.
        bound = (1.0 - 1e-6) * price
        last = self._prove(forbidden, bound, FEW_LINKS // 5)
        if last == NO_ROOM and len(self._behind) <= FEW_STATES:
            self._look_ahead(bound, MAX_LINKS)
            last = self._prove(forbidden, bound, 3 * FEW_LINKS)
        if last == NO_ROOM:
            last = self._run(forbidden, bound, np.inf, *CLOSER)[0]
        return self._line(last), self._cost(last)

    def certify(self, course: Course, price: float, forbidden: Sequence[Bend] = ()) -> tuple[Course, float]:
        """The cheapest line as far as there is room to find it, else the one that is given.

        A search that knows where lines head says what any costs at least, and leads exact searches: up to a little more
        than that, then up to more, until one finds the cheapest line or needs more room.

        Args:
            course: a line, or an empty one.
            price: what it costs, at most the bound; without a line what one may cost.
            forbidden: bends that may not be used.
        """
        self._look_ahead(price)
        share = FIRST_SHARE
        while self.least_musd < price:
            last = self._prove(forbidden, min((1.0 + share) * self.least_musd, price), MAX_LINKS)
            if last >= 0:
                return self._line(last), self._cost(last)
            if last == NO_ROOM:
                # What leads exact searches leads hasty ones too.
                nearer, its_price = self.hasty(forbidden)
                return (nearer, its_price) if its_price < price or not course.states else (course, price)
            share *= 2.0
        return course, price if course.states else np.inf

    def _look_ahead(self, price: float, most_links: int = MOST_LINKS) -> None:
        """Find what lines up to a price cost at least from each state, with bends, and any line at all."""
        if price <= self._ahead_to:
            return
        # What the search without bends settled within the price leads that one the other way round.
        free = self.free_musd
        forward = search(self.problem, price / free, guide=self._backward)
        bound = bound_bends(self.problem, forward, price, self.radius_m, most_links)
        self._behind, self._ahead_to = np.maximum(self._settled(), bound.behind_musd), price
        self.least_musd = max(self.least_musd, bound.least_musd)

    def _prove(self, forbidden: Sequence[Bend], bound: float, room: int) -> int:
        """Last label of the cheapest line up to a bound by an exact search, which raises what any line costs at least.

        Forbidden bends only make lines dearer, so that what was proved without them holds.
        """
        last, least = self._run(forbidden, bound, np.inf, 0, room)
        self.least_musd = max(self.least_musd, least)
        return last

    def _run(self, forbidden: Sequence[Bend], bound: float, slack: float, quota: int, room: int) -> tuple[int, float]:
        """Last label of the line that a search finds (negative without one) and what any line costs at least."""
        p = self.problem
        direct_m = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000.0
        if self._kept_for != (bound, slack, quota):
            self._links, self._used = new_links(len(self._behind), 65_536), 0
            self._kept_for = (bound, slack, quota)
        told = np.zeros(1, dtype=np.int64)
        arguments = (
            p.ground.arrays, p.as_nodes(), p.loops, p.as_states(), p.parameters, self.radius_m, p.state(p.start),
            p.state(p.goal), direct_m, self._behind, bound * (1.0 + 1e-9), slack, quota, room, p.reuse, _clearance(p),
            np.array([b.row(p) for b in forbidden]).reshape(-1, 5), self._links, self._used, told,
        )  # fmt: skip
        last, least, self._labels, self._links, self._used = run_watched(
            search_turns, arguments, told, WHOLE_WAY, p.options.watch
        )
        return int(last), min(float(least), bound)

    def _cost(self, last: int) -> float:
        """Of the line that ends with a label; infinite if there is no such label."""
        return float(self._labels.of[last]["cost"]) if last >= 0 else np.inf

    def _line(self, last: int) -> Course:
        """The line that ends with a label; an empty one if there is no such label."""
        if last < 0:
            return Course([], [])
        # Labels know the one before them: the line is read from its end and turned round.
        links, labels = self._links, self._labels
        states, codes = [int(links.of[labels.of[last]["link"]]["target"])], []
        while last >= 0:
            link = labels.of[last]["link"]
            states.append(int(links.source[link]))
            codes.append(int(links.of[link]["code"]))
            last = int(labels.of[last]["before"])
        return Course(states[::-1], codes[::-1])


def _clearance(problem: Problem) -> Floats:
    """Metres from each node to the nearest one where a kind is forbidden, one after the other; empty without a mask."""
    ground = problem.ground
    if not (ground.mask.size and ground.mask.any()):
        return np.zeros(0)
    return np.asarray(distance_transform_edt(ground.mask == 0, sampling=(ground.dy_m, ground.dx_m))).ravel()


def bends_near(problem: Problem, course: Course, places: Floats) -> list[Bend]:
    """The bends of a line at places (n, 3) that are vertices of it, or next to them where it has full circles there.

    Args:
        problem: the search as it is laid out.
        course: the line.
        places: rows, columns and heights, shape (n, 3).
    """
    points = state_points(problem, course.states)
    windings = wind(problem, points, course.codes)
    vertices = insert_windings(points, windings)
    # A circle has no bend of its own to forbid: it goes with the bend at the end of its link.
    at = insert_windings(
        np.arange(len(points), dtype=float)[:, None],
        [replace(w, corners=np.full((len(w.corners), 1), w.after + 1.0)) for w in windings],
    )
    # The drawn line has fewer vertices than the search, since straight ones fall out: the nearest one is meant.
    nearest = np.abs(vertices[None] - places[:, None]).max(axis=2).argmin(axis=1)
    inner = np.clip(at[nearest, 0].astype(int), 1, max(len(points) - 2, 1))
    return [_bend_at(problem, course.states, int(i)) for i in np.unique(inner)] if len(points) > 2 else []


def _bend_at(problem: Problem, states: Sequence[int], at: int) -> Bend:
    """The bend of a line at one of its inner states."""
    points = state_points(problem, list(states[at - 1 : at + 2]))
    steps = np.diff(points[:, :2], axis=0) * (problem.ground.dy_m, problem.ground.dx_m)
    (in_south, in_east), (out_south, out_east) = steps / np.hypot(*steps.T)[:, None]
    index, state = divmod(int(states[at]), problem.n_states)
    return Bend(int(problem.node_of[index]), state, float(in_east), float(in_south), float(out_east), float(out_south))
