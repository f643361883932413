"""Roads cut into short pieces with the bend of each, followed through junctions along the road that goes on.

At each junction an edge is continued by the one that leaves with the least turn, of the same number or class before
others: the *natural road* or stroke (R. Thomson, D. Richardson, The good continuation principle, 1999; B. Jiang,
S. Zhao, J. Yin 2008, doi:10.1088/1742-5468/2008/07/P07008). So a bend that a side road divides is still one bend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STRAIGHT_ON_DEG = 60.0
_EARTH_M_PER_DEG = 111_195.0  # mean radius 6,371 km


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


def road_lines(geometry: NDArray[np.object_]) -> RoadLines:
    """Vertices of edges in metres (equirectangular about each line's first point), good to parts in a thousand.

    Args:
        geometry: lines in degrees, shape (n_edges,).
    """
    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    first = np.searchsorted(owner, np.arange(len(geometry) + 1)).astype(np.int64)
    start = first[:-1][owner]
    scale = np.cos(np.radians(xy[start, 1]))
    x = (xy[:, 0] - xy[start, 0]) * scale * _EARTH_M_PER_DEG
    y = (xy[:, 1] - xy[start, 1]) * _EARTH_M_PER_DEG
    steps = np.hypot(np.diff(x, prepend=0.0), np.diff(y, prepend=0.0))
    steps[first[:-1]] = 0.0
    total = np.cumsum(steps)
    return RoadLines(x, y, total - total[start], first)


def cut_edges(length_m: Floats, post_m: float, piece_m: float) -> Cuts:
    """Even posts at most about ``post_m`` apart on each edge and even pieces of about ``piece_m`` between them.

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
    at = np.column_stack([u, v]).ravel()
    away = _leaving_headings(lines)
    order = np.argsort(at, kind="stable")
    begins = np.searchsorted(at[order], np.arange(n_nodes + 1)).astype(np.int64)
    return np.asarray(_pair_ends(order, begins, away, same_road, np.radians(STRAIGHT_ON_DEG)))


def _leaving_headings(lines: RoadLines) -> Floats:
    """Heading in which an edge leaves its begin and its end, radians, shape (2 n_edges,)."""
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
    for _ in range(64):
        low, high = first[edge], first[edge + 1] - 1
        here_x, here_y = _point(x, y, chainage, low, high, at)
        room = chainage[high] - at if ahead else at
        go = min(room, left)
        there_x, there_y = _point(x, y, chainage, low, high, at + go if ahead else at - go)
        dx, dy, left = dx + there_x - here_x, dy + there_y - here_y, left - go
        if left <= 1e-9:
            break
        follower = partner[2 * edge + 1 if ahead else 2 * edge]
        if follower < 0:
            break
        edge, ahead = follower // 2, follower % 2 == 0
        at = 0.0 if ahead else chainage[first[edge + 1] - 1]
    return dx, dy, arm - left


@compiled
def _curvature(x, y, chainage, first, partner, pieces, arm):  # type: ignore[no-untyped-def]
    bend = np.zeros(pieces.sum())
    k = 0
    for edge in range(len(pieces)):
        total = chainage[first[edge + 1] - 1]
        for i in range(pieces[edge]):
            at = total * (i + 0.5) / pieces[edge]
            ahead_x, ahead_y, ahead = _reach(x, y, chainage, first, partner, edge, at, True, arm)
            back_x, back_y, back = _reach(x, y, chainage, first, partner, edge, at, False, arm)
            if min(ahead, back) >= 0.25 * arm:
                cross = -back_x * ahead_y + back_y * ahead_x
                dot = -back_x * ahead_x - back_y * ahead_y
                bend[k] = abs(np.arctan2(cross, dot)) / (0.5 * (ahead + back))
            k += 1
    return bend
