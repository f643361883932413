"""Ways of trains over a network's tracks: over switches from side to side, turning round nowhere but in stations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor.errors import NoRouteError
from corridor.geo.geodesy import distance_m
from corridor.network.graph import Network, Position, Route
from corridor.network.paths import search
from corridor.network.rail_turns import build_rail_arcs, sides_of_ends, track_states
from corridor.schema.vocabulary import Mode

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
    edges, n_nodes = network.edges, network.n_nodes
    rows = np.flatnonzero((edges["mode"] == Mode.RAIL).to_numpy())
    u, v = edges["u"].to_numpy()[rows], edges["v"].to_numpy()[rows]
    free = (network.is_border | (edges["section_id"] != "").to_numpy())[rows]
    side_u, side_v = sides_of_ends(u, v, network.planar[rows], free, n_nodes)
    if turn_within_m > 0:
        station = np.zeros(n_nodes, dtype=bool)
        for at in (start, end):
            station |= distance_m(network.node_lon, network.node_lat, at.lon, at.lat) <= turn_within_m
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
