"""Where a network falls apart: the gaps that keep two places from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from corridor.errors import NoRouteError
from corridor.geo.geodesy import distance_m
from corridor.network.graph import Network, Position
from corridor.network.match import STATION_M

GAP_LIMIT_M = 3000.0
_OPEN_SHARE = 1e-3
CLUSTER_M = 5000.0


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
    """Whether two positions lie in one part, directions ignored."""
    labels = components(network, closed)
    u = network.edges["u"]
    return bool(labels[int(u.iat[start.edge])] == labels[int(u.iat[end.edge])])


def find_missing(
    network: Network, closed: NDArray[np.bool_], usable: NDArray[np.bool_], start: Position, end: Position
) -> tuple[tuple[str, float], ...]:
    """Sections that aren't open on the way from start to end that needs the fewest km of them: names with km.

    ``usable`` are closed edges that may be taken at the price of their length. Empty if there is no such way.
    """
    lengths = network.edges["length_m"].to_numpy(dtype=float)
    cost = np.where(closed, lengths, lengths * _OPEN_SHARE)
    try:
        route = network.route(start, end, cost, cost, closed & ~usable, any_road=True, turn_within_m=STATION_M)
    except NoRouteError:
        return ()
    names = network.edges["name"].to_numpy()
    return tuple(
        (str(names[edge]), float(lengths[edge]) / 1000) for edge in route.edges if closed[edge] and lengths[edge]
    )


def find_gaps(network: Network, closed: NDArray[np.bool_], start: Position, end: Position) -> list[Gap]:
    """Gaps of at most 3 km between the part that ``start`` lies in and the part that ``end`` lies in, shortest first.

    Empty if both are in one part. Gaps within 5 km of a shorter one are the same gap.
    """
    labels = components(network, closed)
    edges = network.edges
    here, there = (labels[int(edges["u"].iat[position.edge])] for position in (start, end))
    if here == there:
        return []
    used = np.zeros(network.n_nodes, dtype=bool)
    used[edges["u"].to_numpy()[~closed]] = used[edges["v"].to_numpy()[~closed]] = True
    a, b = np.flatnonzero((labels == here) & used), np.flatnonzero((labels == there) & used)
    scale = np.cos(np.radians(network.node_lat[b].mean()))
    plane = np.column_stack([network.node_lon * scale, network.node_lat])
    near, which = cKDTree(plane[a]).query(plane[b], distance_upper_bound=GAP_LIMIT_M / 110_000)
    found = np.flatnonzero(np.isfinite(near))
    gaps: list[Gap] = []
    for at in found[np.argsort(near[found], kind="stable")]:
        p, q = a[which[at]], b[at]
        ends = (
            (float(network.node_lon[p]), float(network.node_lat[p])),
            (float(network.node_lon[q]), float(network.node_lat[q])),
        )
        if all(distance_m(*ends[1], *gap.to_lonlat) > CLUSTER_M for gap in gaps):
            gaps.append(Gap(float(distance_m(*ends[0], *ends[1])), *ends))
    return sorted(gaps, key=lambda gap: gap.length_m)
