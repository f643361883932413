"""Ways of trains over a network's tracks: over switches from side to side, turning round nowhere but in stations."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import NoRouteError
from corridor.geo.geodesy import within_m
from corridor.network.graph import Network, Position, Route
from corridor.network.paths import Arcs, arcs_of_states, search

# --- How trains pass a switch: from its one side to the other, never back on the side that they came from ---
# A switch parts one track into two that leave it in nearly the same direction. A train that comes from one of them
# goes on over the stem; to reach the other branch it would have to stop and drive backwards. So each end of a track
# at a node lies on one of two sides, told by its direction there, and a way leads from one side to the other. It is
# the angle rule of a track's least radius: no train turns by more than a right angle at a point.

HEADING_M = 30.0
"""Directions are taken from a node to the point so far along the track: nearer ones show how it was drawn."""
_LEAST_AXIS = 0.35
"""Below this agreement of directions (0 to 1) tracks have no common axis: they cross, or lie schematically."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def sides_of_ends(u: Ints, v: Ints, lines: NDArray[np.object_], free: Bools, n_nodes: int) -> tuple[Ints, Ints]:
    """On which side of its nodes each track ends: 0 or 1, or -1 where a way may go on as it likes.

    Where two tracks meet they lie on either side, whatever their angle. Where more meet, directions decide; not where
    one of them is ``free``, or where they have no common axis.

    Args:
        u: start node of each track, shape (n_tracks,).
        v: end node.
        lines: their geometries in a plane, in metres.
        free: tracks whose direction says nothing: schematic sections, passages of borders.
        n_nodes: number of nodes.

    Returns:
        Sides at u and at v, shape (n_tracks,) each.
    """
    n = len(u)
    node = np.concatenate([u, v])
    heading = np.concatenate([_headings(lines), _headings(shapely.reverse(lines))]) if n else np.zeros(0)
    degree = np.bincount(node, minlength=n_nodes)[node]
    # the axis of a node is the mean of the doubled angles: opposite directions agree
    axis = np.zeros(n_nodes, dtype=complex)
    np.add.at(axis, node, np.exp(2j * heading))
    strength = np.abs(axis[node]) / np.maximum(degree, 1)
    side = (np.cos(heading - np.angle(axis[node]) / 2) < 0).astype(np.int64)
    loose = np.zeros(n_nodes, dtype=bool)
    loose[node[np.concatenate([free, free])]] = True
    side[(degree > 2) & (loose[node] | (strength < _LEAST_AXIS))] = -1
    # ends in order of their nodes: of two the first lies on side 0, the second on side 1
    order = np.argsort(node, kind="stable")
    place = np.empty(2 * n, dtype=np.int64)
    place[order] = np.arange(2 * n) - np.searchsorted(node[order], node[order])
    few = degree <= 2
    side[few] = place[few]
    return side[:n], side[n:]


def _headings(lines: NDArray[np.object_]) -> Floats:
    """Direction of each line at its start, in radians anticlockwise from east."""
    reach = np.minimum(HEADING_M, shapely.length(lines))
    begin, beyond = shapely.get_point(lines, 0), shapely.line_interpolate_point(lines, reach)
    x, y = shapely.get_x(beyond) - shapely.get_x(begin), shapely.get_y(beyond) - shapely.get_y(begin)
    return np.asarray(np.arctan2(y, x))


def build_rail_arcs(rows: Ints, u: Ints, v: Ints, sides: tuple[Ints, Ints], n_nodes: int) -> Arcs:
    """Arcs of tracks: a node's two states say on which side it was reached, and it is left on the other one.

    Args:
        rows: number of each track among the network's edges, shape (n_tracks,).
        u: start node of each track.
        v: end node.
        sides: from :func:`sides_of_ends`.
        n_nodes: number of nodes.
    """
    (leave_u, reach_u), (leave_v, reach_v) = (
        track_states(end, side, n_nodes) for end, side in zip((u, v), sides, strict=True)
    )
    tail, head = np.concatenate([leave_u, leave_v]), np.concatenate([reach_v, reach_u])
    along = np.concatenate([np.ones(len(u), dtype=bool), np.zeros(len(u), dtype=bool)])
    return arcs_of_states(tail, head, np.concatenate([rows, rows]), along, n_nodes)


def track_states(node: Ints, side: Ints, n_nodes: int) -> tuple[Ints, Ints]:
    """States of nodes in which a track that ends there on a side is entered, and those in which a train leaves it.

    Args:
        node: at the track's end, shape (n,).
        side: of the switch there, 0 or 1.
        n_nodes: how many nodes there are.
    """
    reached = np.where(side == 1, node + n_nodes, node)
    entered = np.where(side == 0, node + n_nodes, node)
    return entered, reached


def route_train(
    network: Network,
    start: Position,
    end: Position,
    forward: Floats,
    backward: Floats,
    closed: Bools,
    *,
    turn_within_m: float = 0.0,
) -> Route:
    """The cheapest way of a train between two positions on tracks.

    Args:
        network: the graph.
        start: where the way begins, with the train standing in either direction.
        end: where it ends.
        forward: cost of each edge along its geometry, shape (n_edges,).
        backward: cost against it.
        closed: edges that may not be used.
        turn_within_m: so near to either end, in a station, a train may turn round.

    Raises:
        NoRouteError: there is none.
    """
    n_nodes, rows = network.n_nodes, np.flatnonzero(network.is_rail)
    u, v = (ends[rows] for ends in network.ends)
    free = (network.is_border | ~network.is_in("section_id", ""))[rows]
    side_u, side_v = network.share("sides of tracks", lambda: sides_of_ends(u, v, network.planar[rows], free, n_nodes))
    if turn_within_m > 0:
        station = np.zeros(n_nodes, dtype=bool)
        for at in (start, end):
            station |= within_m(network.node_lon, network.node_lat, at.lon, at.lat, turn_within_m)
        side_u, side_v = (np.where(station[node], -1, side) for node, side in ((u, side_u), (v, side_v)))
    arcs = build_rail_arcs(rows, u, v, (side_u, side_v), n_nodes)
    # places of the first and the last track among the tracks
    first, last = np.searchsorted(rows, [start.edge, end.edge])
    ahead = _state(v[first], side_v[first], n_nodes, entered=False)
    back = _state(u[first], side_u[first], n_nodes, entered=False)
    costs = forward[start.edge] * (1 - start.fraction), backward[start.edge] * start.fraction
    tree = search(arcs, [(ahead, float(costs[0])), (back, float(costs[1]))], forward, backward, closed)
    by_u = _state(u[last], side_u[last], n_nodes, entered=True)
    by_v = _state(v[last], side_v[last], n_nodes, entered=True)
    cost, state, along = min(
        (float(tree.state_cost[by_u] + forward[end.edge] * end.fraction), by_u, True),
        (float(tree.state_cost[by_v] + backward[end.edge] * (1 - end.fraction)), by_v, False),
    )
    if start.edge == end.edge:
        direct = network.direct(start, end, forward, backward)
        if direct is not None and direct.cost <= cost:
            return direct
    if not np.isfinite(cost) or closed[end.edge]:
        raise NoRouteError("there is no way between the two places that a train could take without turning round")
    root = tree.root(state)
    begin = root == ahead and (root != back or costs[0] <= costs[1])
    steps = [(start.edge, begin), *tree.path_to(state), (end.edge, along)]
    return Route(tuple(e for e, _ in steps), tuple(f for _, f in steps), start.fraction, end.fraction, cost)


def _state(node: int, side: int, n_nodes: int, *, entered: bool) -> int:
    """The state of a node in which a track that ends there on a side is entered, or in which it leaves a train."""
    states = track_states(np.array([node]), np.array([side]), n_nodes)
    return int(states[0 if entered else 1][0])
