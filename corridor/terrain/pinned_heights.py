"""Heights along roads from a coarse elevation model: smoothed along the road, then hung on documented heights.

A pixel of a coarse model is a mean over ground that no road touches, so that the grades of a road sampled on it are
mostly error. Three steps over the posts of the whole network, in which roads are joined at junctions and nothing passes
between roads that only lie beside each other. Where roads have ranks, the first and the third step take main roads
first, and lesser ones end at the heights that those have: streets up the slope beside a road don't lift it.

1. *Smoothing* (implicit diffusion, the screened Poisson equation on a graph): heights h minimise
   ``∫ (h - d)² ds + l² ∫ (dh/ds)² ds`` over all road length s, for the ground d of the model. On a long road each
   height is a mean of the ground with weights ``exp(-|s|/l) / 2l``; ``l = window / sqrt(24)`` gives them the variance
   of a plain mean over the window. On bridges and in tunnels the ground has no weight, which leaves a straight line.
2. *Pins*: the residual of each documented height less the smoothed one is carried along the roads, by simple kriging
   with the correlation ``exp(-distance along roads / reach)``: exact at the pins, nearly linear between two near ones,
   and fading beyond, whatever leaves the road on the way (J.-P. Chilès, P. Delfiner, Geostatistics, 2012,
   doi:10.1002/9781118136188).
3. *Ceiling*: where a road would be steeper than it may be, the heights become the mean of the highest ones under and
   the lowest ones over them that keep the ceiling: what is too steep is spread over the road beside it, where cutting
   the grade alone would lose the climb. Documented heights stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu

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

    def only(self, links: Bools) -> PostGraph:
        """The graph of some of the links, with all posts."""
        return PostGraph(self.start[links], self.end[links], self.length_m[links], self.structure[links], self.n_posts)

    @property
    def posts(self) -> Bools:
        """Which posts a link ends at, shape (n_posts,)."""
        found = np.zeros(self.n_posts, dtype=bool)
        found[self.start] = found[self.end] = True
        return found

    def weighed(self, weight: Floats) -> sparse.csr_matrix:
        """The least weight between posts that are linked, shape (n_posts, n_posts), each pair once."""
        # a sparse matrix would add up links between the same posts
        order = np.argsort(weight, kind="stable")
        low, high = np.minimum(self.start, self.end)[order], np.maximum(self.start, self.end)[order]
        _, first = np.unique(low * self.n_posts + high, return_index=True)
        least = sparse.coo_matrix((weight[order][first], (low[first], high[first])), shape=(self.n_posts,) * 2)
        return least.tocsr()

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
    heights = np.full(graph.n_posts, np.nan)
    # Ranks are smoothed in their order, and what an earlier one has found is held: minor roads bend to meet major ones.
    for level in [0] if rank is None else np.unique(rank).tolist():
        part = graph if rank is None else graph.only(rank == level)
        heights = _Smoothing(part, known, window_m, np.isfinite(heights)).of(ground_m, heights)
    return heights


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
        begun = (self._weight > 0) | (self._held & graph.posts)
        self._solved = np.flatnonzero(~_without(graph, begun) & ~self._held)
        if len(self._solved):
            rows = (graph.laplacian(pull) + sparse.diags(self._weight)).tocsc()[self._solved]
            self._factor = _factored(rows[:, self._solved].tocsc())
            # Held heights are known, so their part of the system goes to the right-hand side.
            self._from_held = rows[:, np.flatnonzero(self._held)]

    def of(self, ground_m: Floats, held_m: Floats | None = None) -> Floats:
        """The smoothed heights of a ground, with those that posts had already."""
        heights = np.full(len(self._weight), np.nan) if held_m is None else held_m.copy()
        if len(self._solved):
            right = (self._weight * np.nan_to_num(ground_m))[self._solved]
            heights[self._solved] = self._factor.solve(right - self._from_held @ heights[self._held])
        return heights


def spread_residuals(graph: PostGraph, pins: Ints, residual_m: Floats, reach_m: float) -> Floats:
    """Residuals of pinned posts carried along the roads, metres, shape (n_posts,); 0 on roads that no pin is on.

    Args:
        graph: the roads.
        pins: posts with a documented height, each once.
        residual_m: documented less smoothed height of each, shape (n_pins,).
        reach_m: distance over which a residual fades to a share of 1/e where no other pin follows.
    """
    return _Spreading(graph, pins, reach_m).of(residual_m)


class _Spreading:
    """Simple kriging of residuals at the same pins, whose distances are found once."""

    def __init__(self, graph: PostGraph, pins: Ints, reach_m: float) -> None:
        self._pins = pins
        self._alike = np.zeros((0, graph.n_posts))
        if len(pins):
            links = graph.weighed(graph.reach_m)
            away = dijkstra(links, directed=False, indices=pins, limit=_FADED * reach_m)
            # Posts beyond the limit are infinitely far, which makes their likeness 0.
            self._alike = np.exp(-away / reach_m)

    def of(self, residual_m: Floats) -> Floats:
        """The residuals of the pins, carried along."""
        # Pins close together make the system nearly singular, which least squares bears and a plain solution does not.
        weights, *_ = np.linalg.lstsq(self._alike[:, self._pins], residual_m, rcond=None)
        return np.asarray(weights @ self._alike)


def distance_to_pins_m(graph: PostGraph, pins: Ints, limit_m: float) -> Floats:
    """Distance of each post along roads to the nearest pin, infinite beyond the limit, shape (n_posts,)."""
    if len(pins) == 0:
        return np.full(graph.n_posts, np.inf)
    links = graph.weighed(graph.reach_m)
    return np.asarray(dijkstra(links, directed=False, indices=pins, min_only=True, limit=limit_m))


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
    held[pins] = np.isfinite(heights[pins])
    for level in np.unique(rank).tolist():
        part = graph.only((rank == level) & np.isfinite(steepest))
        mine = part.posts & np.isfinite(heights)
        if mine.any():
            links = part.weighed(np.maximum(steepest[(rank == level) & np.isfinite(steepest)], 1e-9) * part.reach_m)
            wanted = np.where(mine, heights, np.nan)
            if (mine & held).any():
                # what the heights that stay allow, before anything is spread: else it would pile up before them
                stays = np.where(mine & held, heights, np.nan)
                most, least = (sign * _least_rise(links, sign * stays) for sign in (1, -1))
                wanted[mine] = np.minimum(np.maximum(wanted, least), most)[mine]
            # The mean of the highest heights below and the lowest above departs least from what is wanted, at its worst
            # post.
            under, over = (sign * _least_rise(links, sign * wanted)[mine] for sign in (1, -1))
            near = (under + over) / 2
            heights[mine] = np.where(held[mine], heights[mine], near)
        # Later ranks must not move what this one has settled.
        held |= mine
    return heights


def _least_rise(links: sparse.csr_matrix, value: Floats) -> Floats:
    """The least of each post's own value and others' with what the way there may rise, shape (n_posts,).

    Of heights, this is the highest line under them that keeps the ceiling. Posts without a value begin nothing.

    Args:
        links: what the height may change by between linked posts, shape (n_posts, n_posts).
        value: of each post, shape (n_posts,).
    """
    count, begins = len(value), np.flatnonzero(np.isfinite(value))
    # one search from a post beyond all, from which each way begins at its post's value above the least one
    lowest = float(value[begins].min()) - 1.0
    ways = sparse.vstack([links, sparse.csr_matrix((1, count))])
    start = sparse.csr_matrix(
        (value[begins] - lowest, (np.full(len(begins), count), begins)), shape=(count + 1, count + 1)
    )
    ways = sparse.hstack([ways, sparse.csr_matrix((count + 1, 1))]).tocsr() + start
    return np.asarray(dijkstra(ways, directed=False, indices=count)[:count]) + lowest


class LineHeights:
    """Heights along one line, smoothed and hung on its pins as those of a network, from one ground or from many.

    What doesn't hang on the ground is computed once: draws of the elevation model's error are many grounds.

    Args:
        chainage_m: rising distances along the line, shape (n,).
        how: window, structures and pins.
    """

    def __init__(self, chainage_m: Floats, how: LineSmoothing) -> None:
        count = len(chainage_m)
        self._how = how
        self._graph = PostGraph(np.arange(count - 1), np.arange(1, count), np.diff(chainage_m), how.straight, count)
        self._spreading = _Spreading(self._graph, how.pins, how.reach_m)
        self._smoothings: dict[bytes, _Smoothing] = {}

    def of(self, ground_m: Floats) -> Floats:
        """Heights of a ground, smoothed and hung on the pins, metres, shape (n,).

        Args:
            ground_m: heights of the ground, NaN where they aren't known, shape (n,).
        """
        known = np.isfinite(ground_m)
        # The factors depend only on where ground is known, so all grounds with the same gaps share them.
        at = known.tobytes()
        if at not in self._smoothings:
            self._smoothings[at] = _Smoothing(self._graph, known, self._how.window_m)
        smooth = self._smoothings[at].of(ground_m)
        return smooth + self._spreading.of(self._how.pin_m - smooth[self._how.pins])


def _without(graph: PostGraph, marked: Bools) -> Bools:
    """Posts on connected roads that have no marked post, shape (n_posts,)."""
    links = sparse.coo_matrix((np.ones(len(graph.start)), (graph.start, graph.end)), shape=(graph.n_posts,) * 2)
    count, part = connected_components(links, directed=False)
    return np.asarray(~(np.bincount(part[marked], minlength=count) > 0)[part])


def _factored(system: sparse.csc_matrix) -> Any:
    """Factor a sparse symmetric system; roads are nearly a tree, so elimination by least degree fills little in."""
    return splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
