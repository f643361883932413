"""Junctions that are places, not nodes: rings of one-way road, and what hangs on them.

A roundabout is mapped as a ring of one-way pieces with an arm at each of its nodes. Whether the roads that meet in it
cross a route can't be asked of one node: the ring as a whole is the junction. Rings are found by their shape, as faces
of the one-way network that are nearly round and small, since not every source keeps ``junction=roundabout``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.network.graph import Network

MAX_RING_M = 400.0
"""The longest way round that counts as a roundabout; the largest of standards have a diameter of about 100 m."""
MIN_ROUNDNESS = 0.6
"""Least 4 pi area / perimeter squared: 1 for a circle, 0.79 for a square, 0.35 for two lanes of 100 m with turns."""
_TOUCH_M = 0.05

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rings:
    """Rings of a network.

    ``of_edge`` (n_edges,) and ``of_node`` (n_nodes,) give the ring that an edge or node is part of, -1 for none.
    """

    of_edge: Ints
    of_node: Ints


def find_rings(network: Network) -> Rings:
    """Rings of one-way roads whose pieces all run the same way round."""
    edges = network.edges
    of_edge = np.full(len(edges), -1, dtype=np.int64)
    of_node = np.full(network.n_nodes, -1, dtype=np.int64)
    length_m = edges["length_m"].to_numpy()
    rows = np.flatnonzero(network.is_road_in_use & (edges["oneway"] == 1).to_numpy() & (length_m <= MAX_RING_M))
    if not len(rows):
        return Rings(of_edge, of_node)
    lines = network.planar[rows]
    faces = shapely.get_parts(shapely.polygonize(lines))
    around = shapely.length(faces)
    round_ = 4 * np.pi * shapely.area(faces) >= MIN_ROUNDNESS * around**2
    tree = shapely.STRtree(lines)
    u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
    for number, face in enumerate(faces[round_ & (around <= MAX_RING_M)]):
        # a piece is of the ring if all of it lies on the face's rim
        rim = shapely.buffer(face.exterior, _TOUCH_M)
        pieces = rows[np.sort(tree.query(rim, predicate="covers"))]
        if len(pieces) and _runs_round(u[pieces], v[pieces]):
            of_edge[pieces] = number
            of_node[u[pieces]] = of_node[v[pieces]] = number
    return Rings(of_edge, of_node)


def _runs_round(u: Ints, v: Ints) -> bool:
    """Whether directed pieces form one cycle: each node is left once and reached once."""
    return bool(np.array_equal(np.sort(u), np.sort(v)) and len(np.unique(u)) == len(u))
