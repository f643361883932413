"""Ways that differ beside networkx's Yen."""

from __future__ import annotations

from functools import partial
from itertools import combinations, islice, pairwise
from typing import Any

import numpy as np
import shapely

from benchmarks.harness import Row, growth_rows, in_turn, name_of
from corridor.network.alternatives import find_alternatives, shared_part
from corridor.network.graph import Network, Position, Route, edge_frame

SIZES = (20, 40, 80)
TURNS = 20
COUNT, MAX_SHARED, MAX_STRETCH = 3, 0.6, 1.5


def road_grid(side: int) -> Network:
    """A jittered grid of two-way roads, ``side`` x ``side`` nodes, with speeds of 30 to 90 km/h at random."""
    random = np.random.default_rng(side)
    col, row = np.meshgrid(np.arange(side), np.arange(side))
    lon = 45 + 0.01 * (col + random.uniform(-0.3, 0.3, col.shape)).ravel()
    lat = 39 + 0.01 * (row + random.uniform(-0.3, 0.3, row.shape)).ravel()
    number = np.arange(side * side).reshape(side, side)
    u = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    v = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    xy = np.column_stack([lon, lat])
    frame = edge_frame(
        {
            "u": u,
            "v": v,
            "geometry": shapely.linestrings(np.stack([xy[u], xy[v]], axis=1)),
            "country": np.full(len(u), "AA", dtype=object),
            "class": np.full(len(u), "primary", dtype=object),
        }
    )
    minutes = frame["length_m"] / 1000 / random.uniform(30, 90, len(u)) * 60
    frame["minutes_forward"] = frame["minutes_backward"] = minutes
    frame["car_minutes_forward"] = frame["car_minutes_backward"] = minutes
    return Network(frame, lon, lat)


def _corners(network: Network) -> tuple[Position, Position]:
    last = len(network.edges) - 1
    return Position(0, 0.0, 0.0, 0.0, 0.0), Position(last, 1.0, 0.0, 0.0, 0.0)


def _graph(network: Network) -> Any:
    import networkx as nx

    graph = nx.Graph()
    edges = network.edges
    graph.add_weighted_edges_from(zip(edges["u"], edges["v"], edges["minutes_forward"], strict=True))
    return graph


def _terminals(network: Network) -> tuple[int, int]:
    return int(network.edges["u"].iloc[0]), int(network.edges["v"].iloc[-1])


def _by_yen(network: Network, count: int) -> list[list[int]]:
    import networkx as nx

    return list(islice(nx.shortest_simple_paths(_graph(network), *_terminals(network), weight="weight"), count))


def _overlap(network: Network, routes: list[Route]) -> float:
    return max((shared_part(network, a, b) for a, b in combinations(routes, 2)), default=0.0)


def _overlap_of_nodes(network: Network, paths: list[list[int]]) -> float:
    km = {
        frozenset(p): m for *p, m in zip(network.edges["u"], network.edges["v"], network.edges["length_m"], strict=True)
    }
    sets = [{frozenset(p) for p in pairwise(path)} for path in paths]
    total = [sum(km[e] for e in s) for s in sets]
    pairs = combinations(range(len(sets)), 2)
    return max((sum(km[e] for e in sets[i] & sets[j]) / min(total[i], total[j]) for i, j in pairs), default=0.0)


def measure_alternatives(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Time for three ways; Yen's are the three shortest, however alike."""
    case, rows = "three ways that differ", []
    times: dict[str, dict[float, float]] = {}
    for side in sizes:
        network = road_grid(side)
        start, end = _corners(network)
        closed = np.zeros(len(network.edges), dtype=bool)

        ours = partial(
            find_alternatives, network, start, end, closed, count=COUNT, max_shared=MAX_SHARED, max_stretch=MAX_STRETCH
        )
        _by_yen(network, 1)
        # Parts of a millisecond are told from what else the machine does by many turns alone.
        quick = in_turn({"corridor": ours}, TURNS)["corridor"]
        yen = in_turn({"yen": partial(_by_yen, network, COUNT)}, TURNS if side <= SIZES[0] else 1)["yen"]
        overlap, likeness = _overlap(network, quick.result), _overlap_of_nodes(network, yen.result)
        ratio = yen.seconds / quick.seconds
        size = f"{side * side} nodes, {len(network.edges)} edges"
        rows.append(
            Row(
                case,
                size,
                name_of("corridor"),
                quick.seconds,
                1.0,
                goal=f"share at most {MAX_SHARED:.0%}",
                result=f"{len(quick.result)} ways sharing at most {overlap:.0%}",
                held=overlap <= MAX_SHARED and len(quick.result) == COUNT,
            )
        )
        rows.append(
            Row(
                case,
                size,
                f"{name_of('networkx')} shortest_simple_paths (Yen)",
                yen.seconds,
                ratio,
                result=f"{len(yen.result)} ways sharing up to {likeness:.1%}",
                goal="at least 100 times as fast",
                held=ratio >= 100,
            )
        )
        times.setdefault("corridor", {})[side * side] = quick.seconds
        times.setdefault("networkx Yen", {})[side * side] = yen.seconds
    return rows + growth_rows(case, "nodes", times)
