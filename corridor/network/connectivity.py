"""Where a network falls apart: the gaps that keep two places from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, maximum_flow

from corridor.compiled import compiled
from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import distance_m
from corridor.network.graph import Network, Position
from corridor.network.map_matching import STATION_M
from corridor.network.paths import Arcs, build_arcs, reachable

GAP_LIMIT_M = 3000.0
"""Farthest that the ends of a gap in the map lie apart. Declared."""
_OPEN_SHARE = 1e-3
"""Of the cost of a closed metre: what one of an open way costs."""
CLUSTER_M = 5000.0
"""Gaps no farther apart are told as one, the shortest."""


@dataclass(frozen=True)
class Gap:
    """The shortest gap between two parts of a network in one neighbourhood; ends as (lon, lat)."""

    length_m: float
    from_lonlat: tuple[float, float]
    to_lonlat: tuple[float, float]


@dataclass(frozen=True)
class Reachability:
    """Whether the destination can be reached over open ways in some countries, and what is missing if not.

    ``gaps`` are short distances between the two parts; ``missing`` the sections that aren't open, with their km, on
    the way that needs the fewest kilometres of them.
    """

    spec_id: str
    countries: tuple[str, ...]
    connected: bool
    gaps: tuple[Gap, ...]
    missing: tuple[tuple[str, float], ...] = ()


def components(network: Network, closed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of the connected part that each node lies in, edges that are closed left out, directions ignored."""
    keep = ~closed
    u, v = network.edges["u"].to_numpy()[keep], network.edges["v"].to_numpy()[keep]
    graph = sparse.coo_matrix((np.ones(len(u)), (u, v)), shape=(network.n_nodes,) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def are_connected(network: Network, closed: NDArray[np.bool_], start: Position, end: Position) -> bool:
    """Whether two positions lie in one part, directions ignored.

    Args:
        network: roads and railways.
        closed: edges that may not be used, shape (n_edges,).
        start: one position.
        end: the other.
    """
    labels = components(network, closed)
    u = network.edges["u"]
    return bool(labels[int(u.iat[start.edge])] == labels[int(u.iat[end.edge])])


def find_missing(
    network: Network, closed: NDArray[np.bool_], usable: NDArray[np.bool_], start: Position, end: Position
) -> tuple[tuple[str, float], ...]:
    """Sections that aren't open on the way from start to end that needs the fewest km of them: names with km.

    ``usable`` are closed edges that may be taken at the price of their length. Empty if there is no such way.

    Args:
        network: roads and railways.
        closed: edges that may not be used, shape (n_edges,).
        usable: closed edges that may be taken, shape (n_edges,).
        start: where ways begin.
        end: where they end.
    """
    lengths = network.edges["length_m"].to_numpy(dtype=float)
    # Open ways cost next to nothing, so that closed kilometres decide and open ones only break ties.
    cost = np.where(closed, lengths, lengths * _OPEN_SHARE)
    try:
        route = network.route(start, end, cost, cost, closed & ~usable, any_road=True, turn_within_m=STATION_M)
    except NoRouteError:
        return ()
    # a road that the map doesn't name is known by the section that documents it
    names = network.edges["name"].mask(network.edges["name"] == "", network.edges["documented_in"]).to_numpy()
    return tuple(
        (str(names[edge]), float(lengths[edge]) / 1000) for edge in route.edges if closed[edge] and lengths[edge]
    )


def find_gaps(network: Network, closed: NDArray[np.bool_], start: Position, end: Position) -> list[Gap]:
    """Gaps of at most 3 km between the part that ``start`` lies in and the part that ``end`` lies in, shortest first.

    Empty if both are in one part. Gaps within 5 km of a shorter one are the same gap.

    Args:
        network: roads and railways.
        closed: edges that may not be used, shape (n_edges,).
        start: a position in one part.
        end: a position in the other.
    """
    labels = components(network, closed)
    edges = network.edges
    here, there = (labels[int(edges["u"].iat[position.edge])] for position in (start, end))
    if here == there:
        return []
    # A node that only closed edges touch is a part of its own: a gap to it would lead nowhere.
    used = np.zeros(network.n_nodes, dtype=bool)
    used[edges["u"].to_numpy()[~closed]] = used[edges["v"].to_numpy()[~closed]] = True
    a, b = np.flatnonzero((labels == here) & used), np.flatnonzero((labels == there) & used)
    if not (len(a) and len(b)):
        return []
    scale = np.cos(np.radians(network.node_lat[b].mean()))
    # The plane only picks pairs, with a degree counted short so that none is missed; their lengths are geodesic.
    plane = np.column_stack([network.node_lon * scale, network.node_lat])
    limit = GAP_LIMIT_M / 110_000
    # Only what lies in the frame of the other part, or near it, has anything of it near.
    a, b = (own[_is_in_frame(plane[own], plane[other], limit)] for own, other in ((a, b), (b, a)))
    (other, one), near = shapely.STRtree(shapely.points(plane[a])).query_nearest(
        shapely.points(plane[b]), max_distance=limit, return_distance=True, all_matches=False
    )
    gaps: list[Gap] = []
    for at in np.argsort(near, kind="stable"):
        p, q = a[one[at]], b[other[at]]
        ends = (
            (float(network.node_lon[p]), float(network.node_lat[p])),
            (float(network.node_lon[q]), float(network.node_lat[q])),
        )
        if all(distance_m(*ends[1], *gap.to_lonlat) > CLUSTER_M for gap in gaps):
            gaps.append(Gap(float(distance_m(*ends[0], *ends[1])), *ends))
    return sorted(gaps, key=lambda gap: gap.length_m)


def _is_in_frame(xy: NDArray[np.float64], others: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
    """Which places lie in the frame around others, widened by a margin."""
    return np.asarray(((xy >= others.min(axis=0) - margin) & (xy <= others.max(axis=0) + margin)).all(axis=1))


Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Links = tuple[Ints, Ints, Ints]
"""Edges by the nodes that they end at; see :func:`build_links`."""


def disjoint_ways(u: Ints, v: Ints, oneway: Bools, closed: Bools, source: Bools, sink: Bools) -> tuple[int, Ints]:
    """Number of ways from any source node to any sink node that share no edge, and the edges that they use.

    One-ways count in their direction only, so that the two carriageways of one road are one way in each direction.

    Args:
        u: start node of each edge, shape (n_edges,).
        v: end node.
        oneway: edges that may be driven from u to v only.
        closed: edges that may not be used.
        source: nodes where ways begin, shape (n_nodes,).
        sink: nodes where they end.

    Raises:
        NetworkError: a node is both source and sink, so that the number has no bound.
    """
    if (source & sink).any():
        raise NetworkError("two stages overlap: a junction lies within the radius of both; make the radii smaller")
    # All sources become node 0 and all sinks node 1. With one unit an edge the greatest flow between these is the
    # number of ways (Menger).
    number = np.arange(len(source), dtype=np.int64) + 2
    number[source], number[sink] = 0, 1
    used = np.flatnonzero(~closed & (number[u] != number[v]))
    if not len(used):
        return 0, used
    both = used[~oneway[used]]
    tail = np.concatenate([number[u[used]], number[v[both]]])
    head = np.concatenate([number[v[used]], number[u[both]]])
    # What comes back to the source or goes on from the sink is no part of a way.
    keep = (head != 0) & (tail != 1)
    size = len(source) + 2
    ones = np.ones(int(keep.sum()), dtype=np.int32)
    capacity = sparse.csr_matrix((ones, (tail[keep], head[keep])), shape=(size, size))
    result = maximum_flow(capacity, 0, 1)
    flow = result.flow
    # Flow is net: where it runs against an edge the value is negative, and the edge is used all the same.
    forward = np.asarray(flow[number[u[used]], number[v[used]]]).ravel()
    return int(result.flow_value), used[forward != 0]


def find_bridges(links: Links, closed: Bools) -> Bools:
    """Which open edges are bridges: without one, its two ends can't reach each other, one-ways ignored.

    Args:
        links: edges by the nodes that they end at.
        closed: edges that may not be used, shape (n_edges,).
    """
    return np.asarray(_bridges(*links, closed))


def edges_between(u: Ints, v: Ints, closed: Bools, nodes: Ints, n_nodes: int) -> Bools:
    """Open edges that ways between some nodes may lead over: no part that hangs on the rest by a bridge alone is.

    Args:
        u: first node of each edge, shape (n_edges,).
        v: second node of each edge.
        closed: edges that may not be used.
        nodes: between which ways lead.
        n_nodes: how many nodes there are.
    """
    # A node beyond all, joined to each of these: a bridge then parts off what none of them lies in.
    ends = np.unique(nodes)
    tails, heads = np.concatenate([u, np.full(len(ends), n_nodes)]), np.concatenate([v, ends])
    shut = np.concatenate([closed, np.zeros(len(ends), dtype=bool)])
    kept = ~shut & ~find_bridges(build_links(tails, heads, n_nodes + 1), shut)
    graph = sparse.coo_matrix((np.ones(int(kept.sum())), (tails[kept], heads[kept])), shape=(n_nodes + 1,) * 2)
    part = connected_components(graph, directed=False)[1]
    return np.asarray(kept[: len(u)] & (part[u] == part[n_nodes]))


class Condensed:
    """A directed graph for many questions about what can be reached when this and that of some edges is closed.

    States that reach each other whatever is closed of these edges are one part: they are reached together.

    Args:
        arcs: the graph.
        closed: edges that are closed always, shape (n_edges,).
        closable: edges that may be closed besides.
    """

    def __init__(self, arcs: Arcs, closed: Bools, closable: Bools) -> None:
        n_states = len(arcs.indptr) - 1
        kept = ~closed[arcs.edge]
        sure = kept & ~closable[arcs.edge]
        ends = arcs.tails[sure], arcs.head[sure]
        graph = sparse.coo_matrix((np.ones(len(ends[0]), dtype=bool), ends), shape=(n_states, n_states))
        count, self._part = connected_components(graph, directed=True, connection="strong")
        tail, head = self._part[arcs.tails], self._part[arcs.head]
        kept &= tail != head
        one_way = np.ones(int(kept.sum()), dtype=np.int64)
        self._arcs, self._edge = build_arcs(tail[kept], head[kept], one_way, count), arcs.edge[kept]
        self._whole = arcs

    def reached(self, starts: Sequence[int], closed: Bools, nodes: Ints) -> Bools:
        """Which of some nodes can be reached, as :func:`corridor.network.paths.reachable` says, shape (n,).

        Args:
            starts: nodes to start from.
            closed: edges that may not be used: those that are always, and closable ones, shape (n_edges,).
            nodes: those asked about, shape (n,).
        """
        met = reachable(self._arcs, [int(self._part[start]) for start in starts], closed[self._edge])
        found = met[self._part[nodes]]
        twice = self._whole.ends_twice
        if twice is not None:
            found = found | (twice[nodes] & met[self._part[self._whole.n_nodes + nodes]])
        return np.asarray(found)


def build_links(u: Ints, v: Ints, n_nodes: int) -> Links:
    """Edges by the nodes that they end at, in compressed rows.

    Args:
        u: first node of each edge, shape (n_edges,).
        v: second node of each edge.
        n_nodes: how many nodes there are.

    Returns:
        Where each node's begin, shape (n_nodes + 1,), the node at the other end and the edge, shape (2 n_edges,) each.
    """
    tail, head = np.concatenate([u, v]), np.concatenate([v, u])
    edge = np.tile(np.arange(len(u)), 2)
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n_nodes))]).astype(np.int64)
    return indptr, head[order].astype(np.int64), edge[order].astype(np.int64)


@compiled
def _bridges(indptr, head, edge, closed):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    bridge = np.zeros(len(closed), np.bool_)
    # Tarjan's depth-first search with a stack of its own. ``low`` is the earliest node that a subtree reaches by an
    # edge back up.
    order = np.full(n, -1, np.int64)
    low = np.zeros(n, np.int64)
    into = np.full(n, -1, np.int64)
    parent = np.full(n, -1, np.int64)
    at = indptr[:-1].copy()
    stack = np.empty(n, np.int64)
    clock = 0
    for root in range(n):
        if order[root] >= 0:
            continue
        size = 1
        stack[0] = root
        order[root] = low[root] = clock
        clock += 1
        while size > 0:
            node = stack[size - 1]
            if at[node] < indptr[node + 1]:
                slot = at[node]
                at[node] += 1
                other = head[slot]
                # The edge is left out and not the node, so that a second edge between the two saves both from being
                # bridges.
                if edge[slot] == into[node] or closed[edge[slot]]:
                    continue
                if order[other] < 0:
                    parent[other], into[other] = node, edge[slot]
                    order[other] = low[other] = clock
                    clock += 1
                    stack[size] = other
                    size += 1
                elif order[other] < low[node]:
                    low[node] = order[other]
                continue
            size -= 1
            up = parent[node]
            if up >= 0:
                low[up] = min(low[up], low[node])
                # Nothing below leads back to ``up`` or above it, but for this edge.
                if low[node] > order[up]:
                    bridge[into[node]] = True
    return bridge
