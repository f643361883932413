"""Grades and bends of every edge of a road network: short pieces along the road that goes on, heights on posts.

Roads are cut into posts about 250 m apart, at which the elevation model is read; its heights are smoothed along the
roads, hung on documented ones and kept to the steepest grade of each road, main roads first
(:mod:`corridor.terrain.pinned_heights`). The bends of a schematic line aren't the road's, so that it counts as
straight; its grades are those of the ground under it, and it moves no road that is drawn as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.compiled import allocating, compiled
from corridor.geo.geodesy import distance_m
from corridor.network.map_matching import MAIN_CLASSES
from corridor.network.speed_model import Pieces
from corridor.schema.parameters import DrivingParameters
from corridor.terrain.pinned_heights import PostGraph, Spreading, limit_slopes, smooth_heights

# --- Roads cut into short pieces with the bend of each, followed through junctions along the road that goes on ---
# At each junction an edge is continued by the one that leaves with the least turn, of the same number or class before
# others: the *natural road* or stroke (R. Thomson, D. Richardson, The good continuation principle, 1999; B. Jiang, S.
# Zhao, J. Yin 2008, doi:10.1088/1742-5468/2008/07/P07008). So a bend that a side road divides is still one bend.

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STRAIGHT_ON_DEG = 60.0
"""A road goes on at a junction by an edge that turns by less. Declared."""
_EARTH_M_PER_DEG = 111_195.0  # mean radius 6,371 km


@dataclass(frozen=True)
class Vertices:
    """Vertices of edges in degrees, one edge after another; ``first`` says where each edge's begin, shape (n + 1,)."""

    lon: Floats
    lat: Floats
    first: Ints

    @classmethod
    def of(cls, geometry: NDArray[np.object_]) -> Vertices:
        """Those of lines (lon, lat), shape (n_edges,)."""
        lon, lat = np.ascontiguousarray(shapely.get_coordinates(geometry).T)
        first = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(geometry))]).astype(np.int64)
        return cls(lon, lat, first)


@dataclass(frozen=True)
class RoadLines:
    """Lines of edges in metres about each line's own latitude, one after the other.

    ``x``, ``y`` and ``chainage_m`` (from the edge's begin) have one value per vertex; ``first`` says where each edge's
    vertices begin, shape (n_edges + 1,). Headings and chainages are right; places of different lines don't compare.
    """

    x: Floats
    y: Floats
    chainage_m: Floats
    first: Ints


@dataclass(frozen=True)
class Cuts:
    """Edges cut into posts, where heights are known, and pieces between them.

    ``posts`` is the number of stretches between posts of each edge and ``per_post`` the number of equal pieces in each
    of these, shape (n_edges,); ``first`` says where each edge's pieces begin, shape (n_edges + 1,).
    """

    posts: Ints
    per_post: Ints
    first: Ints


def road_lines(vertices: Vertices) -> RoadLines:
    """Vertices of edges in metres (equirectangular about each line's first point), good to parts in a thousand.

    Args:
        vertices: of the edges, in degrees.
    """
    lon, lat, first = vertices.lon, vertices.lat, vertices.first
    # Each line is flattened about its own first point, so that no projection of the whole network is needed for
    # headings.
    begin, size = first[:-1], np.diff(first)
    x = (lon - np.repeat(lon[begin], size)) * np.repeat(np.cos(np.radians(lat[begin])), size) * _EARTH_M_PER_DEG
    y = (lat - np.repeat(lat[begin], size)) * _EARTH_M_PER_DEG
    # One sum over all lines at once; the step from the end of one line to the begin of the next is no road.
    steps = np.hypot(np.diff(x, prepend=0.0), np.diff(y, prepend=0.0))
    steps[begin] = 0.0
    total = np.cumsum(steps)
    return RoadLines(x, y, total - np.repeat(total[begin], size), first)


def cut_edges(length_m: Floats, post_m: float, piece_m: float) -> Cuts:
    """Even posts at most about ``post_m`` apart on each edge and even pieces of about ``piece_m`` between them.

    Args:
        length_m: of the edges, shape (n_edges,).
        post_m: wanted distance of posts.
        piece_m: wanted length of pieces.

    >>> cuts = cut_edges(np.array([1000.0, 40.0]), 250.0, 50.0)
    >>> cuts.posts.tolist(), cuts.per_post.tolist(), cuts.first.tolist()
    ([4, 1], [5, 1], [0, 20, 21])
    """
    posts = np.maximum(np.rint(length_m / post_m), 1).astype(np.int64)
    per_post = np.maximum(np.rint(length_m / posts / piece_m), 1).astype(np.int64)
    return Cuts(posts, per_post, np.concatenate([[0], np.cumsum(posts * per_post)]).astype(np.int64))


def continue_edges(u: Ints, v: Ints, lines: RoadLines, same_road: Ints, n_nodes: int) -> Ints:
    """The edge end that each edge end goes on to, -1 where the road ends; shape (2 n_edges,).

    End ``2 e`` is the begin of edge e and ``2 e + 1`` its end. Where just two edges meet the road goes on whatever the
    turn; at a junction only within 60 degrees.

    Args:
        u: node at the begin of each edge, shape (n_edges,).
        v: node at its end.
        lines: their geometry.
        same_road: a number that edges of one road share (of the same number or name and class), shape (n_edges,).
        n_nodes: number of nodes.
    """
    # End 2 e lies at u and end 2 e + 1 at v. Sorted by node, the ends that meet stand together.
    at = np.column_stack([u, v]).ravel()
    away = _leaving_headings(lines)
    order = np.argsort(at, kind="stable")
    begins = np.searchsorted(at[order], np.arange(n_nodes + 1)).astype(np.int64)
    return np.asarray(_pair_ends(order, begins, away, same_road, np.radians(STRAIGHT_ON_DEG)))


def _leaving_headings(lines: RoadLines) -> Floats:
    """Heading in which an edge leaves its begin and its end, radians, shape (2 n_edges,)."""
    # Headings point away from the node at either end, so that a road that goes straight on has opposite ones.
    begin, end = lines.first[:-1], lines.first[1:] - 1
    out = np.arctan2(lines.y[begin + 1] - lines.y[begin], lines.x[begin + 1] - lines.x[begin])
    back = np.arctan2(lines.y[end - 1] - lines.y[end], lines.x[end - 1] - lines.x[end])
    return np.column_stack([out, back]).ravel()


@compiled
def _pair_ends(order, begins, away, same_road, limit):  # type: ignore[no-untyped-def]
    """Greedy pairs at each node: ends of one road first, then the least turn."""
    partner = np.full(len(away), -1, np.int64)
    for node in range(len(begins) - 1):
        low, high = begins[node], begins[node + 1]
        degree = high - low
        while True:
            best, one, other = np.inf, -1, -1
            for i in range(low, high):
                a = order[i]
                if partner[a] >= 0:
                    continue
                for j in range(i + 1, high):
                    b = order[j]
                    if partner[b] >= 0:
                        continue
                    # two ends go straight on if they leave in opposite directions
                    turn = abs((away[a] - away[b]) % (2 * np.pi) - np.pi)
                    if degree > 2 and turn > limit:
                        continue
                    # Ten is more than any turn (pi), so that pairs of one road come before all others.
                    rank = turn if same_road[a // 2] == same_road[b // 2] else turn + 10.0
                    if rank < best:
                        best, one, other = rank, a, b
            if one < 0:
                break
            partner[one], partner[other] = other, one
    return partner


def piece_curvature_per_m(lines: RoadLines, partner: Ints, cuts: Cuts, window_m: float) -> Floats:
    """Bend of each piece, 1/radius per metre, shape (n_pieces,).

    It is the turn from the chord over half a window behind the piece's middle to the chord over half a window ahead,
    over the half window; exact on a circle, and a single vertex counts over the window once. Where the road ends, the
    arms are cut short; under a quarter of a half window nothing can be said, and the piece counts as straight.

    Args:
        lines: geometry of the edges.
        partner: how they go on; see :func:`continue_edges`.
        cuts: how they are cut.
        window_m: length of road that the bend is measured over.
    """
    pieces = cuts.posts * cuts.per_post
    return np.asarray(_curvature(lines.x, lines.y, lines.chainage_m, lines.first, partner, pieces, window_m / 2))


@compiled
def _point(x, y, chainage, low, high, at):  # type: ignore[no-untyped-def]
    """Place on one edge's line at a chainage; ``low`` and ``high`` are its first and last vertex."""
    while high - low > 1:
        middle = (low + high) // 2
        if chainage[middle] <= at:
            low = middle
        else:
            high = middle
    span = chainage[high] - chainage[low]
    share = (at - chainage[low]) / span if span > 0.0 else 0.0
    return x[low] + share * (x[high] - x[low]), y[low] + share * (y[high] - y[low])


@compiled
def _reach(x, y, chainage, first, partner, edge, at, ahead, arm):  # type: ignore[no-untyped-def]
    """Vector from a place on the road to the one an arm's length on, along edges that continue each other."""
    dx, dy, left = 0.0, 0.0, arm
    # Bounded, since edges that continue each other may form a circle shorter than the arm.
    for _ in range(64):
        low, high = first[edge], first[edge + 1] - 1
        here_x, here_y = _point(x, y, chainage, low, high, at)
        room = chainage[high] - at if ahead else at
        go = min(room, left)
        there_x, there_y = _point(x, y, chainage, low, high, at + go if ahead else at - go)
        dx, dy, left = dx + there_x - here_x, dy + there_y - here_y, left - go
        if left <= 1e-9:
            break
        # The next edge is entered by the end that was paired, and driven from its begin or from its end accordingly.
        follower = partner[2 * edge + 1 if ahead else 2 * edge]
        if follower < 0:
            break
        edge, ahead = follower // 2, follower % 2 == 0
        at = 0.0 if ahead else chainage[first[edge + 1] - 1]
    return dx, dy, arm - left


@allocating
def _curvature(x, y, chainage, first, partner, pieces, arm):  # type: ignore[no-untyped-def]
    bend = np.zeros(pieces.sum())
    k = 0
    for edge in range(len(pieces)):
        total = chainage[first[edge + 1] - 1]
        for i in range(pieces[edge]):
            at = total * (i + 0.5) / pieces[edge]
            ahead_x, ahead_y, ahead = _reach(x, y, chainage, first, partner, edge, at, True, arm)
            back_x, back_y, back = _reach(x, y, chainage, first, partner, edge, at, False, arm)
            # Angle between the chords behind and ahead, over the half window that they stand for.
            if min(ahead, back) >= 0.25 * arm:
                cross = -back_x * ahead_y + back_y * ahead_x
                dot = -back_x * ahead_x - back_y * ahead_y
                bend[k] = abs(np.arctan2(cross, dot)) / (0.5 * (ahead + back))
            k += 1
    return bend


POST_M = 250.0
"""About how far posts, at which the elevation model is read, stand apart."""
PIECE_M = 50.0
"""About how long the pieces are that have a grade and a bend each."""
PIN_LIMIT_M = 2000.0
"""Farthest that a documented height may lie from the road that it is of. Declared."""


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


@dataclass(frozen=True)
class RoadCourses:
    """How roads run: what follows from their lines and the ground alone.

    ``cuts`` and ``posts`` say where heights are known, ``height_m`` are those of the elevation model there, smoothed,
    NaN where it has none; None of roads that stay level. ``bends`` is the curvature of each piece, 1/m.
    """

    cuts: Cuts
    posts: _Posts
    height_m: Floats | None
    bends: Floats


def lay_roads(
    edges: gpd.GeoDataFrame,
    n_nodes: int,
    ground: Ground | None,
    parameters: DrivingParameters,
    *,
    schematic: Bools | None = None,
    carried: Mapping[int, Sequence[tuple[float, float]]] | None = None,
) -> RoadCourses:
    """Posts along roads with the ground's smoothed heights, and bends.

    Args:
        edges: ``u``, ``v``, ``length_m``, ``ref``, ``class``, ``bridge``, ``tunnel`` and lines in degrees.
        n_nodes: number of nodes that ``u`` and ``v`` count.
        ground: the elevation model; None leaves all roads level.
        parameters: the window that bends are measured over.
        schematic: edges whose line isn't the road's own, shape (n_edges,); none if left out.
        carried: stretches of edges in tunnels and on bridges beside those that are one as a whole, by row: fractions of
            the edge's length from its begin.
    """
    drawn = np.zeros(len(edges), dtype=bool) if schematic is None else schematic
    # Posts carry heights and pieces carry grades and bends. Both follow from lengths alone, so that they are the same
    # with and without an elevation model.
    length = edges["length_m"].to_numpy(dtype=float)
    cuts = cut_edges(length, POST_M, PIECE_M)
    lines = Vertices.of(edges.geometry.to_numpy())
    posts = _set_posts(edges, lines, n_nodes, cuts, carried or {}, _ranks(edges, drawn))
    smooth = None
    # Bends are measured by compiled code that lets heights be found at the same time.
    with ThreadPoolExecutor(1) as aside:
        bent = aside.submit(_bends, edges, lines, n_nodes, cuts, parameters.bend_window_m)
        if ground is not None and len(edges):
            smooth = _smoothed(posts, ground)
        bends = bent.result()
    # A line drawn by waypoints has corners that the road doesn't have.
    bends[np.repeat(drawn, np.diff(cuts.first))] = 0.0
    return RoadCourses(cuts, posts, smooth, bends)


def survey_roads(
    edges: pd.DataFrame,
    courses: RoadCourses,
    parameters: DrivingParameters,
    *,
    pins: Sequence[Pin] = (),
    max_grade: Floats | None = None,
) -> RoadSurvey:
    """Grades and bends of roads.

    Args:
        edges: those that were laid: their nodes ``u`` and ``v``.
        courses: how they run, from :func:`lay_roads`.
        parameters: reaches of documented heights.
        pins: documented heights.
        max_grade: steepest grade of each edge as a ratio, shape (n_edges,): a steeper one is the model's error, and the
            climb is spread over the road beside it.
    """
    posts = courses.posts
    steepest = np.full(len(edges), np.inf) if max_grade is None else max_grade
    # Without an elevation model heights stay unknown and roads level.
    smooth = heights = np.full(posts.graph.n_posts, np.nan)
    found: tuple[PinFit, ...] = ()
    near = np.zeros(posts.graph.n_posts, dtype=bool)
    if courses.height_m is not None:
        smooth = courses.height_m
        heights, near, found = _pinned(posts, smooth, pins, parameters, steepest)
        # The survey without pins keeps to the same ceilings, so that the two differ by the pins and nothing else.
        smooth = limit_slopes(posts.graph, smooth, steepest[posts.edge], posts.rank, np.zeros(0, dtype=np.int64))
    pieces, unpinned = (_pieces(posts, courses.cuts, courses.bends, of, steepest) for of in (heights, smooth))
    # an edge is pinned if both its ends are within reach
    pinned = near[edges["u"].to_numpy()] & near[edges["v"].to_numpy()]
    return RoadSurvey(pieces, unpinned, heights, np.asarray(pinned), found)


def _bends(edges: gpd.GeoDataFrame, vertices: Vertices, n_nodes: int, cuts: Cuts, window_m: float) -> Floats:
    """Curvature of each piece, measured through junctions along the road that goes on."""
    if not len(edges):
        return np.zeros(0)
    lines = road_lines(vertices)
    # A road goes on under its number and class; the number alone would join a road with its own links.
    road = edges.groupby(["ref", "class"], sort=False).ngroup().to_numpy().astype(np.int64)
    u, v = edges["u"].to_numpy().astype(np.int64), edges["v"].to_numpy().astype(np.int64)
    return piece_curvature_per_m(lines, continue_edges(u, v, lines, road, n_nodes), cuts, window_m)


def _ranks(edges: gpd.GeoDataFrame, schematic: Bools) -> Ints:
    """Which roads give way to which, shape (n_edges,): main classes first, a link with its road, drawn lines last."""
    order = {name: rank for rank, name in enumerate(MAIN_CLASSES)}
    ranks = {name: order.get(name.removesuffix("_link"), len(order)) for name in edges["class"].unique()}
    rank = edges["class"].map(ranks).to_numpy(dtype=np.int64)
    return np.asarray(rank + np.where(schematic, len(order) + 1, 0))


@allocating
def _points_along(lon, lat, first, edge, share):  # type: ignore[no-untyped-def]
    """Places at shares of edges' lengths in degrees, straight between vertices; as GEOS finds them, without objects.

    Args:
        lon: of the vertices of all edges, one edge after another.
        lat: the same.
        first: where each edge's vertices begin, and their number.
        edge: row of each place, edges one after another.
        share: of the edge's length, rising within an edge.
    """
    x, y = np.empty(len(edge)), np.empty(len(edge))
    last, total, at, passed = -1, 0.0, 0, 0.0
    for i in range(len(edge)):
        low, high = first[edge[i]], first[edge[i] + 1] - 1
        # A new edge: its length is summed first, since shares are of the whole.
        if edge[i] != last:
            last, total, at, passed = edge[i], 0.0, low, 0.0
            for k in range(low, high):
                total += math.sqrt((lon[k + 1] - lon[k]) ** 2 + (lat[k + 1] - lat[k]) ** 2)
        wanted = share[i] * total
        x[i], y[i] = lon[high], lat[high]
        while at < high:
            step = math.sqrt((lon[at + 1] - lon[at]) ** 2 + (lat[at + 1] - lat[at]) ** 2)
            if passed + step > wanted:
                part = (wanted - passed) / step
                x[i] = lon[at] + part * (lon[at + 1] - lon[at])
                y[i] = lat[at] + part * (lat[at + 1] - lat[at])
                break
            passed += step
            at += 1
    return x, y


def _set_posts(
    edges: gpd.GeoDataFrame,
    lines: Vertices,
    n_nodes: int,
    cuts: Cuts,
    carried: Mapping[int, Sequence[tuple[float, float]]],
    rank: Ints,
) -> _Posts:
    """The posts of every edge: its nodes, numbered as they are, and the ones between, numbered after all nodes."""
    count = cuts.posts
    u, v = edges["u"].to_numpy().astype(np.int64), edges["v"].to_numpy().astype(np.int64)
    # An edge of n stretches has n - 1 posts of its own; they are numbered after the nodes, edge by edge.
    before = n_nodes + np.concatenate([[0], np.cumsum(count - 1)])
    edge = np.repeat(np.arange(len(edges)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    # link k of an edge joins post k to post k + 1; post 0 is the node u and the last one the node v
    start = np.where(step == 0, u[edge], before[edge] + step - 1)
    end = np.where(step == count[edge] - 1, v[edge], before[edge] + step)
    lon, lat = np.full(int(before[-1]), np.nan), np.full(int(before[-1]), np.nan)
    # Nodes lie at the ends of the lines, and posts between at even shares of them.
    for at, node in ((lines.first[:-1], u), (lines.first[1:] - 1, v)):
        lon[node], lat[node] = lines.lon[at], lines.lat[at]
    inner = step < count[edge] - 1
    share = (step[inner] + 1) / count[edge[inner]]
    lon[end[inner]], lat[end[inner]] = _points_along(lines.lon, lines.lat, lines.first, edge[inner], share)
    whole = edges["bridge"].to_numpy(dtype=bool) | edges["tunnel"].to_numpy(dtype=bool)
    structure, middle = whole[edge], (step + 0.5) / count[edge]
    # On a structure heights run straight, whatever the ground below does; a stretch counts by its middle.
    for row, stretches in carried.items():
        for low, high in stretches:
            structure |= (edge == row) & (middle > low) & (middle < high)
    length = (edges["length_m"].to_numpy(dtype=float) / count)[edge]
    return _Posts(PostGraph(start, end, length, structure, int(before[-1])), edge, rank[edge], lon, lat)


def _smoothed(posts: _Posts, ground: Ground) -> Floats:
    """Heights of the elevation model along the roads, straight on structures."""
    # Nodes without a road have no place and are never sampled.
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
    spreading = Spreading(posts.graph, held, reach)
    lifted, within_reach = heights + spreading.of(np.array(residuals, dtype=float)), spreading.within_reach
    del spreading  # it has a number for each pin and post
    lifted = limit_slopes(posts.graph, lifted, steepest[posts.edge], posts.rank, held)
    return lifted, within_reach, tuple(fits)


def _nearest_post(posts: _Posts, heights: Floats, pin: Pin) -> tuple[int, float]:
    """The post with a height nearest to a pin, on the edges that it names, and how far off; -1 if over 2 km."""
    chosen = np.full(int(posts.edge[-1]) + 1, not pin.edges)
    chosen[list(pin.edges)] = True
    links = chosen[posts.edge]
    joined = np.zeros(len(heights), dtype=bool)
    joined[posts.graph.start[links]] = joined[posts.graph.end[links]] = True
    window = PIN_LIMIT_M / 111_000
    near = np.flatnonzero(joined & np.isfinite(heights) & (np.abs(posts.lat - pin.lat) <= window))
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
    middle = np.nan_to_num((heights[graph.end] + heights[graph.start]) / 2)
    first = np.concatenate([[0], np.cumsum(cuts.posts)]).astype(np.int64)
    return Pieces(first, cuts.per_post, graph.length_m / cuts.per_post[posts.edge], grade, middle, bends)
