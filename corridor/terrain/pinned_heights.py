"""Heights along roads from a coarse elevation model: smoothed along the road, then hung on documented heights.

A pixel of a coarse model is a mean over ground that no road touches, so that the grades of a road sampled on it are
mostly error. Three steps over the posts of the whole network, in which roads are joined at junctions and nothing
passes between roads that only lie beside each other. Where roads have ranks, the first and the third step take main
roads first, and lesser ones end at the heights that those have: streets up the slope beside a road don't lift it.

1. *Smoothing* (implicit diffusion, the screened Poisson equation on a graph): heights h minimise ``∫ (h - d)² ds +
   l² ∫ (dh/ds)² ds`` over all road length s, for the ground d of the model. On a long road each height is a mean of
   the ground with weights ``exp(-|s|/l) / 2l``; ``l = window / sqrt(24)`` gives them the variance of a plain mean
   over the window. On bridges and in tunnels the ground has no weight, which leaves a straight line.
2. *Pins*: the residual of each documented height less the smoothed one is carried along the roads, by simple
   kriging with the correlation ``exp(-distance along roads / reach)``: exact at the pins, nearly linear between two
   near ones, and fading beyond, whatever leaves the road on the way (J.-P. Chilès, P. Delfiner, Geostatistics,
   2012, doi:10.1002/9781118136188).
3. *Ceiling*: where a road would be steeper than it may be, the heights become the mean of the highest ones under
   and the lowest ones over them that keep the ceiling: what is too steep is spread over the road beside it, where
   cutting the grade alone would lose the climb. Documented heights stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu

from corridor.compiled import allocating
from corridor.schema.candidate import LineSmoothing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SHORTEST_M = 0.1  # links of no length would tie their ends by an infinite number
_FADED = 10.0  # reaches beyond which a residual, of under 1/20,000, is left out
_CARRY = 1e-3  # m2; enough to solve for posts on structures, too little to move their ends


@dataclass(frozen=True)
class PostGraph:
    """Posts joined by stretches of road.

    ``start`` and ``end`` are the posts at the ends of each link, ``length_m`` its length and ``structure`` whether the
    ground isn't the road's there (a bridge, a tunnel), shape (n_links,).
    """

    start: Ints
    end: Ints
    length_m: Floats
    structure: Bools
    n_posts: int

    def only(self, links: Bools) -> tuple[PostGraph, Ints]:
        """The graph of some of the links and the posts that they end at, in the order in which it numbers them."""
        start, end = self.start[links], self.end[links]
        ended = np.zeros(self.n_posts, dtype=bool)
        ended[start] = ended[end] = True
        posts = np.flatnonzero(ended)
        number = np.empty(self.n_posts, dtype=np.int64)
        number[posts] = np.arange(len(posts))
        return PostGraph(number[start], number[end], self.length_m[links], self.structure[links], len(posts)), posts

    def weighed(self, weight: Floats) -> sparse.csr_matrix:
        """The least weight between posts that are linked, shape (n_posts, n_posts), each pair once."""
        # a sparse matrix would add up links between the same posts
        order = np.argsort(weight, kind="stable")
        low, high = np.minimum(self.start, self.end)[order], np.maximum(self.start, self.end)[order]
        _, first = np.unique(low * self.n_posts + high, return_index=True)
        least = sparse.coo_matrix((weight[order][first], (low[first], high[first])), shape=(self.n_posts,) * 2)
        return least.tocsr()

    def rises(self, rise_m: Floats) -> tuple[Ints, Ints, Floats]:
        """Links from each post in compressed rows: where each post's begin, where they lead, and what they may rise."""
        ends, others = np.concatenate([self.start, self.end]), np.concatenate([self.end, self.start])
        order = np.argsort(ends, kind="stable")
        begins = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=self.n_posts))]).astype(np.int64)
        return begins, others[order], np.tile(rise_m, 2)[order]

    @property
    def reach_m(self) -> Floats:
        """Length of each link, none shorter than 0.1 m, shape (n_links,)."""
        return np.maximum(self.length_m, _SHORTEST_M)

    def laplacian(self, pull: Floats) -> sparse.csc_matrix:
        """The graph's Laplacian with a weight on each link, shape (n_posts, n_posts)."""
        # Each link pulls at both of its ends, so it stands twice. The pulls of links between the same posts add up.
        ends = np.concatenate([self.start, self.end])
        others = np.concatenate([self.end, self.start])
        off = sparse.coo_matrix((-np.tile(pull, 2), (ends, others)), shape=(self.n_posts,) * 2)
        degree = np.bincount(ends, np.tile(pull, 2), minlength=self.n_posts)
        return (off + sparse.diags(degree)).tocsc()

    def road_length_m(self) -> Floats:
        """Half the length of the links at each post, structures apart, in metres, shape (n_posts,)."""
        # Ground counts by the length of road that it stands for; a structure stands on none.
        half = np.where(self.structure, 0.0, self.reach_m / 2)
        begin, end = (np.bincount(at, half, minlength=self.n_posts) for at in (self.start, self.end))
        return np.asarray(begin + end)


def smoothing_length_m(window_m: float) -> float:
    """The length l whose exponential weights have the variance of a plain mean over a window.

    The variances are ``2 l²`` and ``window² / 12``.
    """
    return float(window_m / np.sqrt(24.0))


def smooth_heights(graph: PostGraph, ground_m: Floats, window_m: float, rank: Ints | None = None) -> Floats:
    """Ground heights smoothed along roads, metres, shape (n_posts,); NaN where no ground is known on a whole road.

    Args:
        graph: the roads.
        ground_m: height of the ground at each post, NaN where it isn't known, shape (n_posts,).
        window_m: length of road that a height stands for; 0 leaves the ground as it is, structures apart.
        rank: of each link, main roads lowest, shape (n_links,); None for one rank.
    """
    known = np.isfinite(ground_m)
    if rank is None:
        return _Smoothing(graph, known, window_m).of(ground_m)
    heights = np.full(graph.n_posts, np.nan)
    # Ranks are smoothed in their order, and what an earlier one has found is held: minor roads bend to meet major ones.
    for links in _by_rank(rank):
        part, posts = graph.only(links)
        found = heights[posts]
        heights[posts] = _Smoothing(part, known[posts], window_m, np.isfinite(found)).of(ground_m[posts], found)
    return heights


def _by_rank(rank: Ints) -> Iterator[Bools]:
    """Which links have each rank, main roads first."""
    for level in np.flatnonzero(np.bincount(rank)).tolist():
        yield rank == level


class _Smoothing:
    """The smoothing system of a graph, factored once for all grounds that are known at the same posts.

    ``held`` says which posts have a height already, shape (n_posts,).
    """

    def __init__(self, graph: PostGraph, known: Bools, window_m: float, held: Bools | None = None) -> None:
        self._held = np.zeros(graph.n_posts, dtype=bool) if held is None else held
        self._weight = np.where(known & ~self._held, graph.road_length_m(), 0.0)
        # structures only carry the height across: their pull is too weak to draw their ends together
        pull = np.where(graph.structure, _CARRY, max(smoothing_length_m(window_m), _SHORTEST_M) ** 2) / graph.reach_m
        # Roads with neither ground nor a held height have no solution and would make the system singular, so they stay
        # NaN.
        begun = (self._weight > 0) | self._held
        self._solved = np.flatnonzero(~_without(graph, begun) & ~self._held)
        if len(self._solved):
            rows = (graph.laplacian(pull) + sparse.diags(self._weight)).tocsc()[self._solved]
            # Held heights are known, so their part of the system goes to the right-hand side.
            self._from_held = rows[:, np.flatnonzero(self._held)]
            system = rows[:, self._solved].tocsc()
            del rows  # factoring takes more memory than anything else here
            self._factor = _factored(system)

    def of(self, ground_m: Floats, held_m: Floats | None = None) -> Floats:
        """The smoothed heights of a ground, with those that posts had already, or of several grounds (grounds, n)."""
        heights = np.full(ground_m.shape, np.nan) if held_m is None else held_m.copy()
        if len(self._solved):
            right = (self._weight * np.nan_to_num(ground_m))[..., self._solved]
            if held_m is not None:
                right = right - self._from_held @ heights[self._held]
            # the solver takes a column for each ground
            heights[..., self._solved] = self._factor.solve(right.T).T
        return heights


class Spreading:
    """Simple kriging of residuals at the same pins, whose distances are found once.

    ``within_reach`` says which posts have a pin within the reach, shape (n_posts,).

    Args:
        graph: the roads.
        pins: posts with a documented height, each once.
        reach_m: distance over which a residual fades to a share of 1/e where no other pin follows.
    """

    def __init__(self, graph: PostGraph, pins: Ints, reach_m: float) -> None:
        self._pins = pins
        self._alike = np.zeros((0, graph.n_posts))
        self.within_reach = np.zeros(graph.n_posts, dtype=bool)
        if len(pins):
            links = graph.weighed(graph.reach_m)
            away = dijkstra(links, directed=False, indices=pins, limit=_FADED * reach_m)
            self.within_reach = np.asarray(away.min(axis=0) <= reach_m)
            # Posts beyond the limit are infinitely far, which makes their likeness 0.
            self._alike = np.exp(np.divide(away, -reach_m, out=away), out=away)

    def of(self, residual_m: Floats) -> Floats:
        """The residuals of the pins, shape (pins,) or (grounds, pins), carried along."""
        # Pins close together make the system nearly singular, which least squares bears and a plain solution does not.
        weights, *_ = np.linalg.lstsq(self._alike[:, self._pins], residual_m.T, rcond=None)
        return np.asarray(weights.T @ self._alike)


def limit_slopes(graph: PostGraph, height_m: Floats, steepest: Floats, rank: Ints, pins: Ints) -> Floats:
    """Heights of which no link is steeper than it may be, as near to the given ones as that allows, metres.

    Args:
        graph: the roads.
        height_m: heights of the posts, NaN where none is known, shape (n_posts,).
        steepest: of each link, as a ratio, infinite where nothing bounds it, shape (n_links,).
        rank: of each link, main roads lowest, shape (n_links,): lesser roads keep to the heights of main ones.
        pins: posts whose height stays.

    Returns:
        Heights, shape (n_posts,). A link is still steeper where heights that stay leave no other way.
    """
    heights = height_m.copy()
    held = np.zeros(graph.n_posts, dtype=bool)
    held[pins] = True
    for links in _by_rank(rank):
        chosen = links & np.isfinite(steepest)
        part, posts = graph.only(chosen)
        wanted = heights[posts]
        known, stays = np.isfinite(wanted), held[posts]
        if not known.any():
            continue
        rises = part.rises(np.maximum(steepest[chosen], 1e-9) * part.reach_m)
        if (known & stays).any():
            # what the heights that stay allow, before anything is spread: else it would pile up before them
            fixed = np.where(stays, wanted, np.nan)
            most, least = (sign * _least_rise(rises, sign * fixed) for sign in (1, -1))
            wanted = np.minimum(np.maximum(wanted, least), most)
        # The mean of the highest heights below and the lowest above departs least from what is wanted, at its worst
        # post.
        moved = known & ~stays
        under, over = (sign * _least_rise(rises, sign * wanted)[moved] for sign in (1, -1))
        heights[posts[moved]] = (under + over) / 2
        # Later ranks must not move what this one has settled.
        held[posts[known]] = True
    return heights


def _least_rise(links: tuple[Ints, Ints, Floats], value: Floats) -> Floats:
    """The least of each post's own value and others' with what the way there may rise, shape (n_posts,).

    Of heights, this is the highest line under them that keeps the ceiling. Posts without a value begin nothing.

    Args:
        links: from :meth:`PostGraph.rises`.
        value: of each post, shape (n_posts,).
    """
    # counted from below all values, so that sums are rounded alike wherever the heights lie
    lowest = float(np.nanmin(value)) - 1.0
    return np.asarray(_raised(*links, np.where(np.isfinite(value), value - lowest, np.inf))) + lowest


@allocating
def _raised(begins, head, rise, value):  # type: ignore[no-untyped-def]
    """The least value of each post that is reached from another's; only posts from which one gets less are looked at.

    They wait in a ring (the method of Bellman, Ford and Moore): nearly all roads keep their grades, so that few do.
    """
    count = len(value)
    least = value.copy()
    waits = value < np.inf
    ring = np.empty(count, np.int64)
    first, size = 0, 0
    for post in range(count):
        if waits[post]:
            ring[size] = post
            size += 1
    while size > 0:
        post = ring[first]
        first = first + 1 if first + 1 < count else 0
        size -= 1
        waits[post] = False
        for link in range(begins[post], begins[post + 1]):
            reached = least[post] + rise[link]
            other = head[link]
            if reached < least[other]:
                least[other] = reached
                if not waits[other]:
                    waits[other] = True
                    last = first + size
                    ring[last if last < count else last - count] = other
                    size += 1
    return least


class LineHeights:
    """Heights along one line, smoothed and hung on its pins as those of a network, from one ground or from many.

    What doesn't hang on the ground is computed once, and many grounds at a time: draws of the elevation model's error.

    Args:
        chainage_m: rising distances along the line, shape (n,).
        how: window, structures and pins.
    """

    def __init__(self, chainage_m: Floats, how: LineSmoothing) -> None:
        count = len(chainage_m)
        self._how = how
        self._graph = PostGraph(np.arange(count - 1), np.arange(1, count), np.diff(chainage_m), how.straight, count)
        self._spreading = Spreading(self._graph, how.pins, how.reach_m)
        self._smoothings: dict[bytes, _Smoothing] = {}

    def of(self, ground_m: Floats) -> Floats:
        """Heights of a ground, smoothed and hung on the pins, metres, in the shape of ``ground_m``.

        Args:
            ground_m: heights of the ground, NaN where they aren't known, shape (n,), or of several grounds with the
                same gaps, (grounds, n).
        """
        known = np.isfinite(ground_m if ground_m.ndim == 1 else ground_m[0])
        # The factors depend only on where ground is known, so all grounds with the same gaps share them.
        at = known.tobytes()
        if at not in self._smoothings:
            self._smoothings[at] = _Smoothing(self._graph, known, self._how.window_m)
        smooth = self._smoothings[at].of(ground_m)
        return smooth + self._spreading.of(self._how.pin_m - smooth[..., self._how.pins])


def _without(graph: PostGraph, marked: Bools) -> Bools:
    """Posts on connected roads that have no marked post, shape (n_posts,)."""
    links = sparse.coo_matrix((np.ones(len(graph.start)), (graph.start, graph.end)), shape=(graph.n_posts,) * 2)
    count, part = connected_components(links, directed=False)
    return np.asarray(~(np.bincount(part[marked], minlength=count) > 0)[part])


def _factored(system: sparse.csc_matrix) -> Any:
    """Factor a sparse symmetric system; roads are nearly a tree, so elimination by least degree fills little in."""
    return splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
