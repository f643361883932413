"""From ways with shared vertices to edges between junctions: split where ways meet, merge where nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled

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
