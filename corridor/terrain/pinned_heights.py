"""Heights along roads from a coarse elevation model: smoothed along the road, then hung on documented heights.

A pixel of a coarse model is a mean over ground that no road touches, so that the grades of a road sampled on it are
mostly error. Two steps, each one sparse linear system over the posts of the whole network, in which roads are joined
at junctions and nothing passes between roads that only lie beside each other:

1. *Smoothing* (implicit diffusion, the screened Poisson equation on a graph): heights h minimise
   ``∫ (h - d)² ds + l² ∫ (dh/ds)² ds`` over all road length s, for the ground d of the model. On a long road each
   height is a mean of the ground with weights ``exp(-|s|/l) / 2l``; ``l = window / sqrt(24)`` gives them the variance
   of a plain mean over the window. On bridges and in tunnels the ground has no weight, which leaves a straight line.
2. *Pins*: the residual r of each documented height less the smoothed one is carried along the roads; it minimises
   ``∫ (dr/ds)² ds + ∫ r²/reach² ds`` and is exact at the pins: nearly linear between two near pins, and fading beyond.
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

    @property
    def reach_m(self) -> Floats:
        """Length of each link, none shorter than 0.1 m, shape (n_links,)."""
        return np.maximum(self.length_m, _SHORTEST_M)

    def laplacian(self, pull: Floats) -> sparse.csc_matrix:
        """The graph's Laplacian with a weight on each link, shape (n_posts, n_posts)."""
        ends = np.concatenate([self.start, self.end])
        others = np.concatenate([self.end, self.start])
        off = sparse.coo_matrix((-np.tile(pull, 2), (ends, others)), shape=(self.n_posts,) * 2)
        degree = np.bincount(ends, np.tile(pull, 2), minlength=self.n_posts)
        return (off + sparse.diags(degree)).tocsc()

    def road_length_m(self) -> Floats:
        """Half the length of the links at each post, structures apart, in metres, shape (n_posts,)."""
        half = np.where(self.structure, 0.0, self.reach_m / 2)
        begin, end = (np.bincount(at, half, minlength=self.n_posts) for at in (self.start, self.end))
        return np.asarray(begin + end)


def smoothing_length_m(window_m: float) -> float:
    """The length l whose exponential weights have the variance of a plain mean over a window.

    The variances are ``2 l²`` and ``window² / 12``.
    """
    return float(window_m / np.sqrt(24.0))


def smooth_heights(graph: PostGraph, ground_m: Floats, window_m: float) -> Floats:
    """Ground heights smoothed along roads, metres, shape (n_posts,); NaN where no ground is known on a whole road.

    Args:
        graph: the roads.
        ground_m: height of the ground at each post, NaN where it isn't known, shape (n_posts,).
        window_m: length of road that a height stands for; 0 leaves the ground as it is, structures apart.
    """
    return _Smoothing(graph, np.isfinite(ground_m), window_m).of(ground_m)


class _Smoothing:
    """The smoothing system of a graph, factored once for all grounds that are known at the same posts."""

    def __init__(self, graph: PostGraph, known: Bools, window_m: float) -> None:
        self._weight = np.where(known, graph.road_length_m(), 0.0)
        # structures only carry the height across: their pull is too weak to draw their ends together
        pull = np.where(graph.structure, _CARRY, max(smoothing_length_m(window_m), _SHORTEST_M) ** 2) / graph.reach_m
        self._solved = np.flatnonzero(~_without(graph, self._weight > 0))
        if len(self._solved):
            system = (graph.laplacian(pull) + sparse.diags(self._weight)).tocsc()
            self._factor = _factored(system[self._solved][:, self._solved])

    def of(self, ground_m: Floats) -> Floats:
        """The smoothed heights of a ground."""
        heights = np.full(len(self._weight), np.nan)
        if len(self._solved):
            right = (self._weight * np.nan_to_num(ground_m))[self._solved]
            heights[self._solved] = self._factor.solve(right)
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
    """The system that carries residuals from the same pins, factored once."""

    def __init__(self, graph: PostGraph, pins: Ints, reach_m: float) -> None:
        self._count, self._pins = graph.n_posts, pins
        self._held = np.zeros(graph.n_posts, dtype=bool)
        self._held[pins] = True
        self._free = np.zeros(0, dtype=np.int64)
        if len(pins):
            self._free = np.flatnonzero(~self._held & ~_without(graph, self._held))
        if len(self._free):
            fading = sparse.diags(graph.road_length_m() / reach_m**2)
            rows = (graph.laplacian(1.0 / graph.reach_m) + fading).tocsc()[self._free]
            self._factor = _factored(rows[:, self._free].tocsc())
            self._from_pins = rows[:, np.flatnonzero(self._held)]

    def of(self, residual_m: Floats) -> Floats:
        """The residuals of the pins, carried along."""
        spread = np.zeros(self._count)
        spread[self._pins] = residual_m
        if len(self._free):
            spread[self._free] = self._factor.solve(-(self._from_pins @ spread[self._held]))
        return spread


def distance_to_pins_m(graph: PostGraph, pins: Ints, limit_m: float) -> Floats:
    """Distance of each post along roads to the nearest pin, infinite beyond the limit, shape (n_posts,)."""
    if len(pins) == 0:
        return np.full(graph.n_posts, np.inf)
    # of two links between the same posts the shorter one counts; a sparse matrix would add them up
    order = np.argsort(graph.reach_m, kind="stable")
    low, high = np.minimum(graph.start, graph.end)[order], np.maximum(graph.start, graph.end)[order]
    _, first = np.unique(low * graph.n_posts + high, return_index=True)
    links = sparse.coo_matrix((graph.reach_m[order][first], (low[first], high[first])), shape=(graph.n_posts,) * 2)
    return np.asarray(dijkstra(links.tocsr(), directed=False, indices=pins, min_only=True, limit=limit_m))


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
