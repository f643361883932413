"""Grades and bends of every edge of a road network: posts along the roads, heights on them, pieces between.

Roads are cut into posts about 250 m apart, at which the elevation model is read; its heights are smoothed along the
roads, hung on documented ones and kept to the steepest grade of each road, main roads first
(:mod:`corridor.terrain.pinned_heights`). The bends of a schematic line aren't the road's, so that it counts as
straight; its grades are those of the ground under it, and it moves no road that is drawn as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import distance_m
from corridor.network.match import MAIN_CLASSES
from corridor.network.road_pieces import Cuts, continue_edges, cut_edges, piece_curvature_per_m, road_lines
from corridor.network.speed_model import Pieces
from corridor.schema.driving import DrivingParameters
from corridor.terrain.pinned_heights import (
    PostGraph,
    distance_to_pins_m,
    limit_slopes,
    smooth_heights,
    spread_residuals,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POST_M = 250.0
PIECE_M = 50.0
PIN_LIMIT_M = 2000.0


@dataclass(frozen=True)
class Ground:
    """The elevation model as roads are surveyed on it.

    ``sample`` gives heights at longitudes and latitudes, NaN where there is none; ``window_m`` is the length of road
    that heights are smoothed over.
    """

    sample: Callable[[Floats, Floats], Floats]
    window_m: float


@dataclass(frozen=True)
class Pin:
    """A documented height: where, how high, and the edges (rows) that it may lie on, all if none are named."""

    pin_id: str
    lon: float
    lat: float
    elevation_m: float
    edges: tuple[int, ...] = ()


@dataclass(frozen=True)
class PinFit:
    """A pin on the roads: how far off the nearest one, and its height less the smoothed one of the elevation model.

    ``distance_m`` is infinite and ``residual_m`` NaN where no road lies within 2 km.
    """

    pin_id: str
    distance_m: float
    residual_m: float


@dataclass(frozen=True)
class RoadSurvey:
    """What driving times are computed from.

    ``pieces`` has grades and bends, ``unpinned`` the same without the documented heights; ``post_height_m`` are the
    heights of the graph's nodes and, after them, of the posts between; ``pinned`` says which edges have a documented
    height within its reach, shape (n_edges,).
    """

    pieces: Pieces
    unpinned: Pieces
    post_height_m: Floats
    pinned: Bools
    pins: tuple[PinFit, ...]


@dataclass(frozen=True)
class _Posts:
    """Posts of all edges: the links between them, each with its edge and rank, and where they are."""

    graph: PostGraph
    edge: Ints
    rank: Ints
    lon: Floats
    lat: Floats


def survey_roads(
    edges: gpd.GeoDataFrame,
    n_nodes: int,
    ground: Ground | None,
    parameters: DrivingParameters,
    *,
    pins: Sequence[Pin] = (),
    max_grade: Floats | None = None,
    schematic: Bools | None = None,
    carried: Mapping[int, Sequence[tuple[float, float]]] | None = None,
) -> RoadSurvey:
    """Grades and bends of roads.

    Args:
        edges: ``u``, ``v``, ``length_m``, ``ref``, ``class``, ``bridge``, ``tunnel`` and lines in degrees.
        n_nodes: number of nodes that ``u`` and ``v`` count.
        ground: the elevation model; None leaves all roads level.
        parameters: windows and reaches.
        pins: documented heights.
        max_grade: steepest grade of each edge as a ratio, shape (n_edges,): a steeper one is the model's error, and the
            climb is spread over the road beside it.
        schematic: edges whose line isn't the road's own, shape (n_edges,); none if left out.
        carried: stretches of edges in tunnels and on bridges beside those that are one as a whole, by row: fractions of
            the edge's length from its begin.
    """
    drawn = np.zeros(len(edges), dtype=bool) if schematic is None else schematic
    length = edges["length_m"].to_numpy(dtype=float)
    cuts = cut_edges(length, POST_M, PIECE_M)
    bends = _bends(edges, n_nodes, cuts, parameters.bend_window_m)
    bends[np.repeat(drawn, np.diff(cuts.first))] = 0.0
    posts = _set_posts(edges, n_nodes, cuts, carried or {}, _ranks(edges, drawn))
    steepest = np.full(len(edges), np.inf) if max_grade is None else max_grade
    smooth = heights = np.full(posts.graph.n_posts, np.nan)
    found: tuple[PinFit, ...] = ()
    near = np.zeros(posts.graph.n_posts, dtype=bool)
    if ground is not None and len(edges):
        smooth = _smoothed(posts, ground)
        heights, near, found = _pinned(posts, smooth, pins, parameters, steepest)
        smooth = limit_slopes(posts.graph, smooth, steepest[posts.edge], posts.rank, np.zeros(0, dtype=np.int64))
    pieces, unpinned = (_pieces(posts, cuts, bends, level, steepest) for level in (heights, smooth))
    # an edge is pinned if both its ends are within reach
    pinned = near[edges["u"].to_numpy()] & near[edges["v"].to_numpy()]
    return RoadSurvey(pieces, unpinned, heights, np.asarray(pinned), found)


def _bends(edges: gpd.GeoDataFrame, n_nodes: int, cuts: Cuts, window_m: float) -> Floats:
    """Curvature of each piece, measured through junctions along the road that goes on."""
    if not len(edges):
        return np.zeros(0)
    lines = road_lines(edges.geometry.to_numpy())
    road = edges.groupby(["ref", "class"], sort=False).ngroup().to_numpy().astype(np.int64)
    u, v = edges["u"].to_numpy().astype(np.int64), edges["v"].to_numpy().astype(np.int64)
    return piece_curvature_per_m(lines, continue_edges(u, v, lines, road, n_nodes), cuts, window_m)


def _ranks(edges: gpd.GeoDataFrame, schematic: Bools) -> Ints:
    """Which roads give way to which, shape (n_edges,): main classes first, a link with its road, drawn lines last."""
    order = {name: rank for rank, name in enumerate(MAIN_CLASSES)}
    rank = edges["class"].str.removesuffix("_link").map(order).fillna(len(order)).to_numpy(dtype=np.int64)
    return np.asarray(rank + np.where(schematic, len(order) + 1, 0))


def _set_posts(
    edges: gpd.GeoDataFrame, n_nodes: int, cuts: Cuts, carried: Mapping[int, Sequence[tuple[float, float]]], rank: Ints
) -> _Posts:
    """The posts of every edge: its nodes, numbered as they are, and the ones between, numbered after all nodes."""
    count = cuts.posts
    u, v = edges["u"].to_numpy().astype(np.int64), edges["v"].to_numpy().astype(np.int64)
    before = n_nodes + np.concatenate([[0], np.cumsum(count - 1)])
    edge = np.repeat(np.arange(len(edges)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    # link k of an edge joins post k to post k + 1; post 0 is the node u and the last one the node v
    start = np.where(step == 0, u[edge], before[edge] + step - 1)
    end = np.where(step == count[edge] - 1, v[edge], before[edge] + step)
    lines = edges.geometry.to_numpy()
    lon, lat = np.full(int(before[-1]), np.nan), np.full(int(before[-1]), np.nan)
    for at, node in ((0, u), (-1, v)):
        tips = shapely.get_point(lines, at)
        lon[node], lat[node] = shapely.get_x(tips), shapely.get_y(tips)
    inner = step < count[edge] - 1
    share = (step[inner] + 1) / count[edge[inner]]
    between = shapely.line_interpolate_point(lines[edge[inner]], share, normalized=True)
    lon[end[inner]], lat[end[inner]] = shapely.get_x(between), shapely.get_y(between)
    whole = edges["bridge"].to_numpy(dtype=bool) | edges["tunnel"].to_numpy(dtype=bool)
    structure, middle = whole[edge], (step + 0.5) / count[edge]
    for row, stretches in carried.items():
        for low, high in stretches:
            structure |= (edge == row) & (middle > low) & (middle < high)
    length = (edges["length_m"].to_numpy(dtype=float) / count)[edge]
    return _Posts(PostGraph(start, end, length, structure, int(before[-1])), edge, rank[edge], lon, lat)


def _smoothed(posts: _Posts, ground: Ground) -> Floats:
    """Heights of the elevation model along the roads, straight on structures."""
    at = np.isfinite(posts.lon)
    sampled = np.full(len(posts.lon), np.nan)
    sampled[at] = ground.sample(posts.lon[at], posts.lat[at])
    return smooth_heights(posts.graph, sampled, ground.window_m, posts.rank)


def _pinned(
    posts: _Posts, heights: Floats, pins: Sequence[Pin], parameters: DrivingParameters, steepest: Floats
) -> tuple[Floats, Bools, tuple[PinFit, ...]]:
    """Heights hung on the pins and kept to the steepest grades, the posts within their reach, and how each pin fits."""
    reach = parameters.pin_reach_km * 1000.0
    places, residuals, fits = [], [], []
    for pin in pins:
        post, off = _nearest_post(posts, heights, pin)
        if post < 0:
            fits.append(PinFit(pin.pin_id, float("inf"), float("nan")))
            continue
        residual = pin.elevation_m - float(heights[post])
        fits.append(PinFit(pin.pin_id, off, residual))
        if post not in places:
            places.append(post)
            residuals.append(residual)
    held = np.array(places, dtype=np.int64)
    lifted = heights + spread_residuals(posts.graph, held, np.array(residuals, dtype=float), reach)
    lifted = limit_slopes(posts.graph, lifted, steepest[posts.edge], posts.rank, held)
    return lifted, np.isfinite(distance_to_pins_m(posts.graph, held, reach)), tuple(fits)


def _nearest_post(posts: _Posts, heights: Floats, pin: Pin) -> tuple[int, float]:
    """The post with a height nearest to a pin, on the edges that it names, and how far off; -1 if over 2 km."""
    links = np.isin(posts.edge, pin.edges) if pin.edges else np.ones(len(posts.edge), dtype=bool)
    near = np.unique(np.concatenate([posts.graph.start[links], posts.graph.end[links]]))
    window = PIN_LIMIT_M / 111_000
    near = near[np.isfinite(heights[near]) & (np.abs(posts.lat[near] - pin.lat) <= window)]
    if not len(near):
        return -1, float("inf")
    off = distance_m(pin.lon, pin.lat, posts.lon[near], posts.lat[near])
    best = int(np.argmin(off))
    return (int(near[best]), float(off[best])) if off[best] <= PIN_LIMIT_M else (-1, float("inf"))


def _pieces(posts: _Posts, cuts: Cuts, bends: Floats, heights: Floats, steepest: Floats) -> Pieces:
    """Pieces with the grade between their posts, level where no height is known."""
    graph = posts.graph
    rise = heights[graph.end] - heights[graph.start]
    grade = np.nan_to_num(rise / graph.reach_m)
    # what is steeper still lies between heights of other roads, whose difference is the model's error
    limit = steepest[posts.edge]
    grade = np.clip(grade, -limit, limit)
    times = cuts.per_post[posts.edge]
    middle = np.nan_to_num((heights[graph.end] + heights[graph.start]) / 2)
    return Pieces(
        cuts.first,
        np.repeat(graph.length_m / times, times),
        np.repeat(grade, times),
        bends,
        np.repeat(middle, times),
    )
