"""Ways with the ids of their vertices, split where they meet: what conflation works on before there is a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from corridor.compiled import compiled
from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m
from corridor.io.read.borders import Borders
from corridor.network.jurisdiction import CROSSING_REACH_M, HYSTERESIS_M
from corridor.schema.catalogue import Crossing
from corridor.schema.message import ListStyle, Message, listing
from corridor.schema.vocabulary import Mode
from corridor.wording import format_position

# --- From ways with shared vertices to edges between junctions: split where ways meet, merge where nothing else
#     does ---

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Chains:
    """Edges as runs of vertex positions.

    ``positions[offsets[i]:offsets[i + 1]]`` are the places, in the flat vertex arrays, of edge i's vertices in order.
    ``way`` (n_edges) is the row of the way that the first vertex belongs to. ``u`` and ``v`` are dense node numbers;
    ``node_position`` (n_nodes) is a place of each node in the flat vertex arrays.
    """

    positions: Ints
    offsets: Ints
    way: Ints
    u: Ints
    v: Ints
    node_position: Ints


def build_chains(node_ids: Ints, offsets: Ints, attribute: Ints, oneway: Ints, forced: Ints) -> Chains:
    """Split ways at shared vertices and merge the pieces through vertices where only two alike pieces meet.

    Args:
        node_ids: vertex ids of all ways, flat, shape (n_vertices,); ways that share an id meet there.
        offsets: where each way's vertices begin, shape (n_ways + 1,).
        attribute: a number per way; pieces merge only within the same number, shape (n_ways,).
        oneway: 0 both directions, 1 along the way; -1 must have been turned round before, shape (n_ways,).
        forced: vertex ids that stay nodes whatever meets there.

    Pieces against the direction of a oneway never merge. Closed rings without a junction stay one edge from a vertex
    to itself.
    """
    ids, dense = np.unique(node_ids, return_inverse=True)
    dense = dense.astype(np.int64)
    is_end = np.zeros(len(node_ids), dtype=bool)
    is_end[offsets[:-1]] = True
    is_end[offsets[1:] - 1] = True
    uses = np.bincount(dense, minlength=len(ids))
    # Ways are broken at their ends, where they share a vertex or pass one twice, and where they are told to.
    breaks = is_end | (uses[dense] > 1) | np.isin(ids, forced)[dense]
    at = np.flatnonzero(breaks)
    way_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    starts, ends = at[:-1], at[1:]
    # From the last vertex of one way to the first of the next there is no piece.
    inside = way_of[starts] == way_of[ends]
    starts, ends = starts[inside], ends[inside]
    # A vertex that is written twice in a row would be a ring of no length.
    keep = ~((dense[starts] == dense[ends]) & (ends - starts < 2))
    starts, ends = starts[keep], ends[keep]
    way = way_of[starts]
    forced_dense = np.isin(ids, forced)
    order, chain_offsets = _link(dense[starts], dense[ends], attribute[way], oneway[way], forced_dense)
    positions, position_offsets = _unroll(order, chain_offsets, starts, ends)
    first = np.abs(order[chain_offsets[:-1]]) - 1
    u = dense[positions[position_offsets[:-1]]]
    v = dense[positions[position_offsets[1:] - 1]]
    used, compact = np.unique(np.concatenate([u, v]), return_inverse=True)
    # A vertex of several ways has several places; one of them stands for the node.
    place = np.zeros(len(ids), dtype=np.int64)
    place[dense] = np.arange(len(dense))
    n = len(u)
    return Chains(positions, position_offsets, way[first], compact[:n], compact[n:], place[used])


@compiled
def _link(u, v, attribute, oneway, forced):  # type: ignore[no-untyped-def]
    """Order pieces into chains: signed piece numbers from 1 (negative = travelled backwards) and chain offsets."""
    n, n_nodes = len(u), len(forced)
    # Only nodes where just two pieces meet can be passed, so that two places a node are enough.
    degree = np.zeros(n_nodes, np.int64)
    a = np.full(n_nodes, -1, np.int64)
    b = np.full(n_nodes, -1, np.int64)
    for i in range(n):
        for end in (u[i], v[i]):
            degree[end] += 1
            if a[end] < 0:
                a[end] = i
            else:
                b[end] = i
    through = np.zeros(n_nodes, np.bool_)
    for k in range(n_nodes):
        i, j = a[k], b[k]
        if degree[k] != 2 or forced[k] or i == j or j < 0:
            continue
        if attribute[i] != attribute[j] or oneway[i] != oneway[j]:
            continue
        # Two one-ways are one road only if one ends where the other begins.
        if oneway[i] == 1 and not ((v[i] == k and u[j] == k) or (v[j] == k and u[i] == k)):
            continue
        through[k] = True
    order = np.empty(n, np.int64)
    offsets = np.empty(n + 1, np.int64)
    seen = np.zeros(n, np.bool_)
    filled, chains = 0, 0
    for sweep in range(2):  # first chains with loose ends, then rings
        for i in range(n):
            if seen[i]:
                continue
            if sweep == 0 and through[u[i]] and through[v[i]]:
                continue
            forward = sweep == 1 or not through[u[i]] or oneway[i] == 1
            if sweep == 0 and oneway[i] == 1 and through[u[i]]:
                continue  # the chain of a oneway starts at its own first piece
            offsets[chains] = filled
            chains += 1
            piece = i
            while True:
                seen[piece] = True
                order[filled] = piece + 1 if forward else -(piece + 1)
                filled += 1
                tip = v[piece] if forward else u[piece]
                if not through[tip]:
                    break
                # At a node that is passed the chain goes on with the other of its two pieces.
                other = b[tip] if a[tip] == piece else a[tip]
                if seen[other]:
                    break
                forward = u[other] == tip
                piece = other
    offsets[chains] = filled
    return order[:filled], offsets[: chains + 1]


@compiled
def _unroll(order, offsets, starts, ends):  # type: ignore[no-untyped-def]
    """Vertex positions of each chain, a vertex between two pieces written once."""
    total = 0
    for k in range(len(order)):
        piece = abs(order[k]) - 1
        total += ends[piece] - starts[piece] + 1
    positions = np.empty(total, np.int64)
    bounds = np.empty(len(offsets), np.int64)
    filled = 0
    for c in range(len(offsets) - 1):
        bounds[c] = filled
        for k in range(offsets[c], offsets[c + 1]):
            piece = abs(order[k]) - 1
            skip = 1 if k > offsets[c] else 0
            count = ends[piece] - starts[piece] + 1
            for step in range(skip, count):
                positions[filled] = starts[piece] + step if order[k] > 0 else ends[piece] - step
                filled += 1
    bounds[len(offsets) - 1] = filled
    return positions[:filled], bounds


@dataclass(frozen=True)
class Ways:
    """Ways and the ids of their vertices, as :class:`corridor.io.read.osm.OsmData` has them.

    ``frame`` has ``section_id`` for catalogue sections besides; ``joins`` says what was joined or kept apart.
    """

    frame: gpd.GeoDataFrame
    node_ids: Ints
    offsets: Ints
    joins: tuple[Message, ...] = ()


def append_ways(ways: Ways, added: gpd.GeoDataFrame, node_ids: Ints, sizes: Ints) -> Ways:
    """Ways with others after them.

    Args:
        ways: the ways so far.
        added: rows with the same columns.
        node_ids: ids of the added ways' vertices, one after another, shape (n_vertices,).
        sizes: number of vertices of each added way, shape (n_added,).
    """
    frame = pd.concat([ways.frame, added], ignore_index=True)
    offsets = np.concatenate([ways.offsets, ways.offsets[-1] + np.cumsum(sizes)])
    both = np.concatenate([ways.node_ids, node_ids])
    return Ways(gpd.GeoDataFrame(frame, crs=WGS84), both, offsets, ways.joins)


Floats = NDArray[np.float64]
Cut = tuple[int, tuple[float, float] | None]
"""A vertex at which a way is cut, or the one behind a new vertex, with that."""
DEGREE_M = 110_000.0
"""A degree of latitude counted short, so that a reach in degrees leaves nothing out."""


def cut_at_crossings(
    frame: gpd.GeoDataFrame, node_ids: Ints, offsets: Ints, borders: Borders, crossings: Sequence[Crossing]
) -> tuple[gpd.GeoDataFrame, Ints, Ints]:
    """Ways cut wherever they pass the border of a listed crossing without a break.

    Args:
        frame: ways with ``mode``, ``length_m`` and geometry (EPSG:4326).
        node_ids: ids of all vertices, one way after another, shape (n_vertices,); new ones are negative.
        offsets: where each way's vertices begin, shape (n_ways + 1,).
        borders: countries.
        crossings: listed crossings of any status.

    Returns:
        The same three, unchanged where nothing is cut.
    """
    lines = frame.geometry.to_numpy()
    tree = shapely.STRtree(lines)
    modes = frame["mode"].to_numpy()
    beside: dict[int, list[Crossing]] = {}
    for crossing in crossings:
        # degrees of longitude are the shorter ones: as many as the reach needs
        reach = CROSSING_REACH_M / DEGREE_M / max(np.cos(np.radians(crossing.lat)), 0.1)
        near = tree.query(shapely.Point(crossing.lon, crossing.lat), predicate="dwithin", distance=reach)
        for row in near[modes[near] == crossing.mode].tolist():
            beside.setdefault(row, []).append(crossing)
    rows = np.array(sorted(beside), dtype=np.int64)
    # most ways near a border lie on one side of it
    meeting = rows[np.unique(borders.tree.query(lines[rows], predicate="intersects")[0])].tolist()
    cuts = {row: _find_cuts(lines[row], borders, beside[row]) for row in meeting}
    cuts = {row: found for row, found in cuts.items() if found}
    return _apply(frame, node_ids, offsets, cuts) if cuts else (frame, node_ids, offsets)


def _find_cuts(line: shapely.LineString, borders: Borders, crossings: Sequence[Crossing]) -> tuple[Cut, ...]:
    """Where a way of one mode is to be cut, along it: at each of the crossings where its country changes."""
    met = shapely.get_coordinates(shapely.intersection(borders.lines[borders.tree.query(line)], line))
    # stretches from border to border, each with the country of its middle
    bounds = np.unique([0.0, *shapely.line_locate_point(line, shapely.points(met)), line.length])
    middles = shapely.line_interpolate_point(line, (bounds[1:] + bounds[:-1]) / 2)
    countries = borders.country_at(*shapely.get_coordinates(middles).T)
    known = np.flatnonzero(countries != "").tolist()
    passed: dict[str, list[tuple[float, float]]] = {}
    listed = {crossing.crossing_id: crossing for crossing in crossings}
    for before, after in pairwise(known):
        pair = frozenset((countries[before], countries[after]))
        # Where no country holds what lies between, the border is passed as near to the crossing as the way comes there.
        between = float(bounds[before + 1]), float(bounds[after])
        found = [(*_nearest_place(line, between, c), c.crossing_id) for c in crossings if c.countries == pair]
        gap, along, key = min(found, default=(np.inf, 0.0, ""))
        if gap <= CROSSING_REACH_M:
            passed.setdefault(key, []).append((gap, along))
    # Who goes over the border and back at one crossing stays; a border that weaves about a road is passed once.
    ends = frozenset(countries[[known[0], known[-1]]]) if known else frozenset()
    nearest = sorted(min(at)[1] for key, at in passed.items() if len(at) % 2 or listed[key].countries == ends)
    return tuple(dict.fromkeys(filter(None, (_cut_at(line, along) for along in nearest))))


def _nearest_place(line: shapely.LineString, between: tuple[float, float], crossing: Crossing) -> tuple[float, float]:
    """Metres from a crossing to the nearest place on a stretch of a way, and how far along the way that lies.

    Args:
        line: the way.
        between: where the stretch begins and ends along it, in degrees.
        crossing: one that is listed.
    """
    along = float(np.clip(line.project(shapely.Point(crossing.lon, crossing.lat)), *between))
    place = line.interpolate(along)
    return float(distance_m(place.x, place.y, crossing.lon, crossing.lat)), along


def _cut_at(line: shapely.LineString, along: float) -> Cut | None:
    """How a way is cut so far along it, in degrees; None where that is its end."""
    xy, place = shapely.get_coordinates(line), line.interpolate(along)
    steps = np.cumsum(np.hypot(*np.diff(xy, axis=0).T))
    k = min(int(np.searchsorted(steps, along)), len(steps) - 1)
    gaps = distance_m(xy[k : k + 2, 0], xy[k : k + 2, 1], place.x, place.y)
    nearest = int(np.argmin(gaps))
    if gaps[nearest] > HYSTERESIS_M:
        return k + 1, (place.x, place.y)
    vertex = k + nearest
    return (vertex, None) if 0 < vertex < len(xy) - 1 else None


def _apply(
    frame: gpd.GeoDataFrame, node_ids: Ints, offsets: Ints, cuts: Mapping[int, tuple[Cut, ...]]
) -> tuple[gpd.GeoDataFrame, Ints, Ints]:
    """Ways with some cut at vertices; their pieces follow each other."""
    counts = np.ones(len(frame), dtype=np.int64)
    counts[list(cuts)] += [len(found) for found in cuts.values()]
    rows = np.repeat(np.arange(len(frame)), counts)
    first = np.cumsum(counts) - counts
    lines = frame.geometry.to_numpy()[rows]
    sizes = np.diff(offsets)[rows]
    ids: list[Ints] = []
    # New vertices are numbered downwards from all there are, so that no id is given twice.
    new_id = min(0, int(node_ids.min()))
    done = 0
    for row, found in sorted(cuts.items()):
        own = node_ids[offsets[row] : offsets[row + 1]]
        xy = shapely.get_coordinates(lines[first[row]])
        bounds = [0]
        for vertex, at in found:
            place = vertex + len(xy) - (offsets[row + 1] - offsets[row])  # vertices that are new lie before it
            if at is not None:
                new_id -= 1
                xy, own = np.insert(xy, place, at, axis=0), np.insert(own, place, new_id)
            bounds.append(int(place))
        ids.append(node_ids[done : offsets[row]])
        # the vertex at a cut ends one piece and begins the next
        for piece, (begin, end) in enumerate(pairwise((*bounds, len(xy) - 1)), int(first[row])):
            lines[piece], sizes[piece] = shapely.LineString(xy[begin : end + 1]), end + 1 - begin
            ids.append(own[begin : end + 1])
        done = int(offsets[row + 1])
    ids.append(node_ids[done:])
    cut = gpd.GeoDataFrame(frame.iloc[rows].reset_index(drop=True)).set_geometry(gpd.GeoSeries(lines, crs=WGS84))
    # Only pieces are measured anew: other ways keep the length that they came with.
    pieces = counts[rows] > 1
    cut.loc[pieces, "length_m"] = line_lengths_m(lines[pieces])
    return cut, np.concatenate(ids), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


JOIN_LIMIT_M = 60.0
"""Loose ends of railways no farther apart are joined. Declared."""


def join_rails(ways: Ways) -> Ways:
    """Railways parted where gauges break and joined across small gaps; each of both is said in ``joins``."""
    rail = np.flatnonzero((ways.frame["mode"] == Mode.RAIL).to_numpy())
    if len(rail) < 2:
        return ways
    gauges = [frozenset(text.split(";")) - {""} for text in ways.frame["gauges_mm"].iloc[rail]]
    return _join_gaps(_part_gauges(ways, rail, gauges), rail, gauges)


def _part_gauges(ways: Ways, rail: Ints, gauges: list[frozenset[str]]) -> Ways:
    """Ways whose railways no longer meet in a node where their gauges have none in common: no train goes on there.

    A way that names no gauge stays with the greater number of those that meet there.
    """
    if len({gauge for gauge in gauges if gauge}) < 2:
        return ways
    inside = _vertices(ways, rail)
    owner = np.repeat(np.arange(len(rail)), np.diff(ways.offsets)[rail])
    order = np.argsort(ways.node_ids[inside], kind="stable")
    number = ways.node_ids[inside][order]
    # Sorted by node, vertices that meet are a run.
    starts = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    node_ids, joins = ways.node_ids.copy(), list(ways.joins)
    xy = shapely.get_coordinates(ways.frame.geometry.to_numpy())
    fresh = min(0, int(node_ids.min())) - 1
    for first, stop in zip(starts, np.append(starts[1:], len(number)), strict=True):
        at = order[first:stop]
        groups = _common_gauges([gauges[owner[i]] for i in at])
        if len(groups) < 2:
            continue
        # The greatest group keeps the node, each other one gets its own at the same place.
        for group in groups[1:]:
            node_ids[inside[at[group]]] = fresh
            fresh -= 1
        lon, lat = xy[inside[at[0]]]
        named = sorted({gauge for i in at for gauge in gauges[owner[i]]}, key=float)
        place = format_position(lat, lon, 4)
        joins.append(Message("join.gauge_break", {"gauges": listing(named, ListStyle.AND), "place": place}))
    return replace(ways, node_ids=node_ids, joins=tuple(joins))


def _common_gauges(gauges: list[frozenset[str]]) -> list[list[int]]:
    """Numbers of the ends that meet in a node, in groups that share gauges; the greatest, with unknowns, first."""
    groups: list[tuple[set[str], list[int]]] = []
    for index, gauge in enumerate(gauges):
        if not gauge:
            continue
        mine = [group for group in groups if group[0] & gauge]
        merged = (
            set(gauge).union(*(group[0] for group in mine)),
            sorted([index, *(i for group in mine for i in group[1])]),
        )
        groups = [group for group in groups if group not in mine] + [merged]
    numbers = sorted((members for _, members in groups), key=lambda members: (-len(members), members[0]))
    unknown = [index for index, gauge in enumerate(gauges) if not gauge]
    return [[*numbers[0], *unknown], *numbers[1:]] if numbers else [unknown]


@dataclass(frozen=True)
class _LooseEnds:
    """Ends of railways where none goes on: row of the way among railways, node, piece of track, place (lon, lat)."""

    way: Ints
    node: Ints
    component: Ints
    xy: Floats


def _join_gaps(ways: Ways, rail: Ints, gauges: list[frozenset[str]]) -> Ways:
    """Add a way across each gap of at most 60 m between loose ends of railways that nothing else connects.

    The shortest gaps are joined first (Kruskal), so that no join is made twice or where the line is whole already.
    Ends that both name gauges and have none in common aren't joined.
    """
    # It brings all of scipy's spatial part, which a run without railways on a map doesn't need.
    from scipy.cluster.hierarchy import DisjointSet

    loose = _loose_ends(ways, rail)
    pairs, gaps = _near_pairs(loose.xy)
    connected = DisjointSet(np.unique(loose.component).tolist())
    rows, new_ids, lines, said = [], [], [], []
    for at in np.argsort(gaps, kind="stable"):
        a, b = (int(i) for i in pairs[at])
        sides = [int(loose.component[end]) for end in (a, b)]
        if gaps[at] > JOIN_LIMIT_M or connected.connected(*sides):
            continue
        place = format_position(loose.xy[a][1], loose.xy[a][0], 4)
        mine, other = gauges[loose.way[a]], gauges[loose.way[b]]
        if mine and other and not mine & other:
            by_width: list[str] = sorted(mine | other, key=float)
            named = listing(by_width, ListStyle.AND)
            # where they lie at one place the map joined them, and that they were parted is said already
            if gaps[at] > 0:
                gap_m = f"{gaps[at]:.0f}"
                said.append(Message("join.gap_of_gauge", {"gap_m": gap_m, "place": place, "gauges": named}))
            continue
        connected.merge(*sides)
        rows.append(ways.frame.iloc[rail[loose.way[a]]].drop("geometry"))
        new_ids += [loose.node[a], loose.node[b]]
        lines.append(shapely.LineString([loose.xy[a], loose.xy[b]]))
        said.append(Message("join.gap_joined", {"gap_m": f"{gaps[at]:.0f}", "place": place}))
    joined = replace(ways, joins=(*ways.joins, *said))
    if not rows:
        return joined
    added = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=lines, crs=WGS84)
    added["length_m"] = line_lengths_m(lines)
    return append_ways(joined, added, np.array(new_ids, dtype=np.int64), np.full(len(rows), 2))


def _loose_ends(ways: Ways, rail: Ints) -> _LooseEnds:
    sizes = np.diff(ways.offsets)[rail]
    ids, vertex = np.unique(ways.node_ids[_vertices(ways, rail)], return_inverse=True)
    way = np.repeat(np.arange(len(rail)), sizes)
    # ways and nodes in one graph: its components are the pieces of track that hang together
    links = sparse.coo_matrix((np.ones(len(way)), (vertex, len(ids) + way)), shape=(len(ids) + len(rail),) * 2)
    _, component = connected_components(links, directed=False)
    first = np.concatenate([[0], np.cumsum(sizes)])
    ends = np.concatenate([first[:-1], first[1:] - 1])
    # An end is loose if its node occurs once in all railways.
    loose = np.unique(ends[np.bincount(vertex)[vertex[ends]] == 1])
    xy = shapely.get_coordinates(ways.frame.geometry.to_numpy()[rail])[loose]
    return _LooseEnds(way[loose], ids[vertex[loose]], component[vertex[loose]], xy)


def _near_pairs(xy: Floats) -> tuple[Ints, Floats]:
    """Pairs of places (lon, lat) that may lie within the limit, shape (n, 2), and their distances in m."""
    if len(xy) < 2:
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0)
    scale = np.cos(np.radians(xy[:, 1].mean()))
    points = shapely.points(xy * [scale, 1.0])
    found = shapely.STRtree(points).query(points, predicate="dwithin", distance=JOIN_LIMIT_M / 110_000).T
    # each pair once; of pairs that are as far apart the first is joined first
    pairs = np.unique(found[found[:, 0] < found[:, 1]], axis=0)
    return pairs, distance_m(*xy[pairs[:, 0]].T, *xy[pairs[:, 1]].T) if len(pairs) else np.zeros(0)


def _vertices(ways: Ways, rows: Ints) -> Ints:
    """Places of the vertices of some ways, in the flat vertex arrays."""
    return np.concatenate([np.arange(ways.offsets[row], ways.offsets[row + 1]) for row in rows])
