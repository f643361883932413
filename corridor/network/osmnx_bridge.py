"""Networks to and from osmnx, so that people who work with it can bring theirs and go on with it."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, line_lengths_m, project
from corridor.network.graph import Network, edge_frame
from corridor.schema.vocabulary import SectionStatus

_TWO_WAY = "corridor_two_way"
_OURS = ("mode", "class", "status", "section_id", "country", "border", "crossing_id", "delay_min")


def from_osmnx(graph: Any) -> Network:
    """A network from an osmnx graph (networkx.MultiDiGraph, projected or not; other graph types of networkx too).

    Two opposite arcs with the same line become one edge for both directions, and so does an edge of an undirected
    graph. ``travel_time`` (seconds, as osmnx adds it) becomes minutes; in a graph without it minutes are 0 and only
    lengths can be searched. Lengths that are missing are measured along the line.

    Args:
        graph: with ``crs`` and, for its nodes, ``x`` and ``y``, as osmnx makes them.

    Raises:
        NetworkError: it is no graph, has no edges, no coordinate reference system or nodes without numbers for
            places, or some of its edges have a number that others lack: a missing one is no 0.
    """
    graph = _as_multidigraph(graph)
    two_way = bool(graph.graph.pop(_TWO_WAY, False))
    nodes, edges = ox.graph_to_gdfs(graph, fill_edge_geometry=True)
    crs = str(edges.crs)
    geometry = edges.geometry.to_numpy()
    at = np.column_stack([nodes["x"], nodes["y"]])
    if edges.crs.to_epsg() != 4326:
        geometry = project(geometry, crs, WGS84)
        at = shapely.get_coordinates(project(shapely.points(at), crs, WGS84))
    number = {node: i for i, node in enumerate(nodes.index)}
    index = edges.index.to_frame(index=False)
    u, v = index["u"].map(number).to_numpy(), index["v"].map(number).to_numpy()
    keep, twin = _pair(u, v, np.asarray(geometry, dtype=object))
    table = edges.reset_index(drop=True)
    minutes = _numbers(table, "travel_time") / 60
    if two_way:
        # one arc an edge: it counts both ways
        twin = np.arange(len(u))
    columns: dict[str, Any] = {
        "u": u[keep],
        "v": v[keep],
        "geometry": np.asarray(geometry, dtype=object)[keep],
        "oneway": (twin[keep] < 0).astype(np.int64),
        "minutes_forward": minutes[keep],
        "minutes_backward": np.where(twin[keep] >= 0, minutes[twin[keep]], 0.0),
        "class": _texts(table, "class" if "class" in table else "highway", "unclassified")[keep],
        "ref": _texts(table, "ref", "")[keep],
        "name": _texts(table, "name", "")[keep],
        "bridge": _flags(table, "bridge")[keep],
        "tunnel": _flags(table, "tunnel")[keep],
    }
    for name in _OURS:
        if name in table and name != "class":
            columns[name] = (_numbers(table, name) if name == "delay_min" else _texts(table, name, ""))[keep]
    columns["length_m"] = _lengths_m(table, np.asarray(geometry, dtype=object))[keep]
    return Network(edge_frame(columns), at[:, 0].astype(float), at[:, 1].astype(float))


def to_osmnx(network: Network) -> Any:
    """An osmnx graph (networkx.MultiDiGraph, EPSG:4326) with ``length`` in metres and ``travel_time`` in seconds.

    Every direction that may be travelled is an arc: ways that are closed, disused or not built yet, border passages
    without an open crossing, and those at which nobody knows the wait, are left out, since whoever searches the graph
    would drive over them. Edge columns of the network go along under their own names.
    """
    # osmnx wants its nodes with coordinates as columns and as geometry, under the name that it gives to OpenStreetMap's
    # numbers.
    nodes = gpd.GeoDataFrame(
        {"x": network.node_lon, "y": network.node_lat},
        geometry=gpd.points_from_xy(network.node_lon, network.node_lat),
        crs=WGS84,
    )
    nodes.index.name = "osmid"
    edges = network.edges[(network.edges["status"] == SectionStatus.OPEN) & network.edges["delay_min"].notna()]
    # A two-way edge is two arcs in osmnx, each with its own minutes and its line in the direction of travel.
    ahead = _arc_table(edges, "minutes_forward", reverse=False)
    back = _arc_table(edges[edges["oneway"] == 0], "minutes_backward", reverse=True)
    arcs = pd.concat([ahead, back], ignore_index=True)
    arcs["key"] = arcs.groupby(["u", "v"]).cumcount()
    frame = gpd.GeoDataFrame(arcs, crs=WGS84).set_index(["u", "v", "key"])
    return ox.graph_from_gdfs(nodes, frame, graph_attrs={"crs": WGS84, "simplified": True})


def _arc_table(edges: gpd.GeoDataFrame, minutes: str, *, reverse: bool) -> pd.DataFrame:
    # Times of both directions would be read as those of the arc: each arc keeps its own alone.
    times = [name for name in edges.columns if name.endswith(("minutes_forward", "minutes_backward"))]
    table = edges.drop(columns=times).rename(columns={"length_m": "length"})
    table = table.assign(
        highway=edges["class"],
        travel_time=edges[minutes] * 60,
        reversed=reverse,
        oneway=edges["oneway"] == 1,
        osmid=edges.index,
    )
    if reverse:
        table = table.rename(columns={"u": "v", "v": "u"})
        table["geometry"] = shapely.reverse(edges.geometry.to_numpy())
    return pd.DataFrame(table)


def _pair(u: NDArray[Any], v: NDArray[Any], lines: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which arcs to keep, and for every arc its opposite with the same line (-1 if there is none)."""
    waiting: dict[tuple[int, int, bytes], list[int]] = {}
    twin = np.full(len(u), -1, dtype=np.int64)
    keep = np.ones(len(u), dtype=bool)
    for i, (a, b) in enumerate(zip(u.tolist(), v.tolist(), strict=True)):
        # Arcs wait for their opposite under ends and line, bit by bit: parallel roads between the same nodes stay
        # apart.
        opposite = waiting.get((b, a, shapely.to_wkb(shapely.reverse(lines[i]))))
        if opposite and a != b:
            other = opposite.pop()
            twin[i], twin[other], keep[i] = other, i, False
        else:
            waiting.setdefault((a, b, shapely.to_wkb(lines[i])), []).append(i)
    return np.flatnonzero(keep), twin


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _texts(table: pd.DataFrame, column: str, missing: str) -> NDArray[Any]:
    if column not in table:
        return np.full(len(table), missing, dtype=object)
    # osmnx lists the values of ways that it has merged; the first stands for all, as in its own drawings.
    values = [_first(value) for value in table[column]]
    return np.array([str(v) if isinstance(v, str) and v else missing for v in values], dtype=object)


def _flags(table: pd.DataFrame, column: str) -> NDArray[Any]:
    if column not in table:
        return np.zeros(len(table), dtype=bool)
    return np.array([v is True or (isinstance(v, str) and v not in {"no", ""}) for v in map(_first, table[column])])


def _numbers(table: pd.DataFrame, column: str) -> NDArray[Any]:
    """A column of numbers of 0 or more; zeros where no edge has it at all.

    Raises:
        NetworkError: some edges lack it, or hold what is no such number.
    """
    if column not in table or table[column].isna().all():
        return np.zeros(len(table))
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=float)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise NetworkError(
            f"{int(wrong.sum())} of {len(values)} edges of the osmnx graph have no number of 0 or more as "
            f"'{column}'; add it to all of them (osmnx.routing.add_edge_travel_times for travel_time) or to none"
        )
    return values


def _lengths_m(table: pd.DataFrame, lines: NDArray[Any]) -> NDArray[Any]:
    """Lengths in metres as the graph has them, measured along the line where one is missing or no number above 0."""
    drawn = line_lengths_m(lines)
    if "length" not in table:
        return drawn
    # Graphs of others may carry lengths as texts, or none for edges that were added by hand.
    given = np.asarray(pd.to_numeric(table["length"], errors="coerce"), dtype=float)
    return np.where(np.isfinite(given) & (given > 0), given, drawn)


def _as_multidigraph(graph: Any) -> Any:
    """The graph as osmnx takes it; of an undirected one each edge once, along its line, and marked as such.

    Raises:
        NetworkError: it is none, or lacks what a network needs.
    """
    if not isinstance(graph, nx.Graph):
        raise NetworkError(f"a networkx graph is wanted, as osmnx.graph_from_* gives it, not a {type(graph).__name__}")
    if graph.number_of_edges() == 0 or "crs" not in graph.graph:
        raise NetworkError("the osmnx graph has no edges or no 'crs'; make it with osmnx.graph_from_*")
    numbers = (int, float, np.number)
    placed = [
        all(isinstance(data.get(key), numbers) and math.isfinite(data[key]) for key in ("x", "y"))
        for _, data in graph.nodes.data()
    ]
    if not all(placed):
        raise NetworkError(
            f"{len(placed) - sum(placed)} of {len(placed)} nodes of the graph have no numbers as 'x' and 'y'; read "
            "files with osmnx.load_graphml, not with networkx"
        )
    if isinstance(graph, nx.MultiDiGraph):
        return graph.copy()
    # Made by hand: networkx would give each undirected edge twice, and of its two directions only one runs along the
    # line.
    made = nx.MultiDiGraph(**graph.graph)
    made.add_nodes_from(graph.nodes.data())
    for a, b, data in graph.edges(data=True):
        made.add_edge(*(_along(graph, a, b, data) if not graph.is_directed() else (a, b)), **data)
    made.graph[_TWO_WAY] = not graph.is_directed()
    return made


def _along(graph: Any, a: Any, b: Any, data: dict[str, Any]) -> tuple[Any, Any]:
    """The ends of an undirected edge in the order in which its line runs."""
    line = data.get("geometry")
    if line is None:
        return a, b
    x, y = shapely.get_coordinates(line)[0]
    near = [np.hypot(graph.nodes[node]["x"] - x, graph.nodes[node]["y"] - y) for node in (a, b)]
    return (a, b) if near[0] <= near[1] else (b, a)
