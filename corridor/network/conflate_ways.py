"""OpenStreetMap ways and catalogue sections into one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m
from corridor.io.read.border_delays import passed_at
from corridor.io.read.borders import Borders
from corridor.io.read.osm import OsmData
from corridor.network.driving_times import CAR, TRUCK
from corridor.network.graph import MINUTES, UNFIT_CLASSES, Network, edge_frame
from corridor.network.jurisdiction import country_of_lines, find_crossing, smooth_islands
from corridor.network.map_matching import MAIN_CLASSES, MAIN_WITHIN_M
from corridor.network.ways import DEGREE_M, Ways, append_ways, build_chains, cut_at_crossings, join_rails
from corridor.schema.catalogue import TRUCK_OF_LIMIT, BorderDelays, Crossing, Node, Section
from corridor.schema.vocabulary import SectionStatus

_KEY = [
    *("mode", "class", "status", "oneway", "bridge", "tunnel", "truck_access", "car_access"),
    *TRUCK_OF_LIMIT,
    *("ref", "name", "section_id"),
]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ways_of_osm(data: OsmData) -> Ways:
    """OpenStreetMap ways with railways' small gaps joined; each join is listed."""
    # Roads that are one-way against their drawing are turned round here, once: whoever comes later knows two cases
    # only, both ways or along the line.
    # ways of a map have no length of their own: what is drawn is measured once, as edges
    frame = data.ways.assign(section_id="", length_m=np.nan)
    turned = np.flatnonzero(frame["oneway"].to_numpy() < 0)
    node_ids = data.node_ids.copy()
    if len(turned):
        for way in turned:
            span = slice(data.offsets[way], data.offsets[way + 1])
            # The numbers of the vertices turn with the line, since it is by them that ways meet.
            node_ids[span] = node_ids[span][::-1]
        lines = frame.geometry.to_numpy().copy()
        lines[turned] = shapely.reverse(lines[turned])
        frame = frame.set_geometry(gpd.GeoSeries(lines, index=frame.index, crs=WGS84))
        frame["oneway"] = frame["oneway"].abs()
    return join_rails(Ways(frame, node_ids, data.offsets))


def cut_ways(ways: Ways, borders: Borders, crossings: Sequence[Crossing]) -> Ways:
    """Ways cut where they pass a border at a listed crossing; see :mod:`corridor.network.ways`.

    Args:
        ways: of the map.
        borders: whose ground is whose.
        crossings: border crossings.
    """
    frame, node_ids, offsets = cut_at_crossings(ways.frame, ways.node_ids, ways.offsets, borders, crossings)
    return Ways(frame, node_ids, offsets, ways.joins)


def ways_of_sections(sections: Sequence[Section]) -> Ways:
    """Catalogue sections as ways; sections meet in their named nodes, and nowhere else."""
    names = sorted({node for section in sections for node in (section.from_node, section.to_node)})
    # Numbers below zero can't clash with those of OpenStreetMap; vertices inside a section are nobody else's.
    number = {name: -1 - index for index, name in enumerate(names)}
    next_id = -1 - len(names)
    node_ids: list[int] = []
    sizes = []
    for section in sections:
        # Ends are shared with other sections; vertices between get fresh numbers, so that lines that cross on paper
        # don't meet.
        inner = len(section.line.coords) - 2
        node_ids += [number[section.from_node], *range(next_id, next_id - inner, -1), number[section.to_node]]
        next_id -= inner
        sizes.append(inner + 2)
    frame = gpd.GeoDataFrame(
        {
            "way_id": np.zeros(len(sections), dtype=np.int64),
            "mode": [s.mode for s in sections],
            "class": [s.road_class for s in sections],
            "status": [s.status for s in sections],
            "oneway": 0,
            "bridge": False,
            "tunnel": False,
            "truck_access": "yes",
            "car_access": "yes",
            **dict.fromkeys(TRUCK_OF_LIMIT, np.nan),
            "gauges_mm": "",
            "ref": "",
            "name": [s.name for s in sections],
            "section_id": [s.section_id for s in sections],
        },
        geometry=[s.line for s in sections],
        crs=WGS84,
    )
    # A documented length wins over that of the drawn line, which may be schematic.
    frame["length_m"] = [s.length_km.mid * 1000 if s.length_km else 0.0 for s in sections]
    drawn = line_lengths_m(frame.geometry.to_numpy())
    frame["length_m"] = np.where(frame["length_m"] > 0, frame["length_m"], drawn)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Ways(frame, np.array(node_ids, dtype=np.int64), offsets)


def add_sections(ways: Ways, sections: Sequence[Section], nodes: Mapping[str, Node], limit_m: float) -> Ways:
    """Ways with sections put to them: a section's end becomes a vertex of its mode within ``limit_m``.

    That is the nearest one on the classified roads within 1 km, as for the ends of sections that the map shows, or
    else the nearest of all: through traffic could not get on and off a section that begins in a village street.
    Ends that have none near meet only other sections. Ends of sections that meet in a node stay together.

    Args:
        ways: of the map.
        sections: those to add.
        nodes: of the catalogue, by id.
        limit_m: farthest that a section's end may lie from a way, metres.
    """
    if not sections:
        return ways
    extra = ways_of_sections(sections)
    lines = extra.frame.geometry.to_numpy().copy()
    node_ids = extra.node_ids.copy()
    xy = shapely.get_coordinates(ways.frame.geometry.to_numpy())
    for mode in sorted({section.mode for section in sections}):
        names = sorted({name for s in sections if s.mode == mode for name in (s.from_node, s.to_node)})
        vertex_of = _vertices_near(ways, xy, mode, [nodes[name] for name in names], limit_m)
        # The end of a section takes the number of the vertex that it is joined to, so that both are one node of the
        # graph, and its line is moved there.
        for row, section in enumerate(sections):
            if section.mode != mode:
                continue
            for which, end in ((0, section.from_node), (-1, section.to_node)):
                vertex = vertex_of.get(end)
                if vertex is not None:
                    place = extra.offsets[row] if which == 0 else extra.offsets[row + 1] - 1
                    node_ids[place] = ways.node_ids[vertex]
                    lines[row] = _move_end(lines[row], which, xy[vertex])
    frame = extra.frame.set_geometry(gpd.GeoSeries(lines, index=extra.frame.index, crs=WGS84))
    # Maps that are being edited have numbers below zero too: those of sections go below all of them.
    inner = node_ids < 0
    node_ids[inner] += min(0, int(ways.node_ids.min()))
    return append_ways(ways, frame, node_ids, np.diff(extra.offsets))


def _vertices_near(
    ways: Ways, xy: NDArray[np.float64], mode: str, nodes: Sequence[Node], limit_m: float
) -> dict[str, int]:
    """The vertex of ways that each node is joined to, by its id, without nodes that have none near."""
    frame = ways.frame
    fit = ((frame["mode"] == mode) & ~frame["class"].isin(UNFIT_CLASSES)).to_numpy()
    main = fit & (frame["class"].isin(MAIN_CLASSES) & (frame["status"] == SectionStatus.OPEN)).to_numpy()
    found: dict[str, int] = {}
    # Main roads are asked first, and minor ones only by nodes that have found none: the nearest of all is often a
    # street.
    for wanted, reach_m in ((main, min(MAIN_WITHIN_M, limit_m)), (fit, limit_m)):
        eligible = np.flatnonzero(np.repeat(wanted, np.diff(ways.offsets)))
        left = [node for node in nodes if node.node_id not in found]
        if not len(eligible) or not left:
            continue
        # Degrees east are shrunk by the cosine of the latitude, so that the tree's order is that of distances on the
        # ground; the limit itself is tested in metres.
        scale = np.cos(np.radians(xy[eligible, 1].mean()))
        eligible = eligible[_is_near_any(xy[eligible], left, scale, reach_m)]
        if not len(eligible):
            continue
        ground = shapely.STRtree(shapely.points(xy[eligible] * [scale, 1.0]))
        at = ground.nearest(shapely.points([[node.lon * scale, node.lat] for node in left]))
        for node, vertex in zip(left, eligible[at].tolist(), strict=True):
            if float(distance_m(node.lon, node.lat, *xy[vertex])) <= reach_m:
                found[node.node_id] = vertex
    return found


def _is_near_any(xy: NDArray[np.float64], nodes: Sequence[Node], scale: float, reach_m: float) -> NDArray[np.bool_]:
    """Which places may be the nearest one to a node that has any within reach; an index of all takes far longer."""
    # Whatever is within reach of a node has no greater distance in shrunken degrees than this one, nor has the nearest.
    high = reach_m / DEGREE_M
    wide = high / max(np.cos(np.radians(min(max(abs(node.lat) for node in nodes) + high, 90.0))), 1e-3)
    far = np.hypot(high, wide * scale)
    places = np.array([[node.lon, node.lat] for node in nodes])
    columns, rows = (np.floor(places[:, axis] / size) for axis, size in ((0, far / scale), (1, far)))
    # one whole number for a cell: there are fewer rows than this from pole to pole, one beyond each with them
    width = 2 + np.ceil(360.0 / far)
    around = [(columns + i) * width + rows + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
    # a search in the few cells that are asked for: numpy would sort the places, millions of them, instead
    cells = np.unique(np.concatenate(around))
    own = np.floor(xy[:, 0] * (scale / far)) * width + np.floor(xy[:, 1] / far)
    return np.asarray(cells[np.minimum(np.searchsorted(cells, own), len(cells) - 1)] == own)


def _move_end(line: shapely.LineString, which: int, to: NDArray[np.float64]) -> shapely.LineString:
    xy = shapely.get_coordinates(line)
    xy[which] = to
    return shapely.LineString(xy)


@dataclass(frozen=True)
class Physical:
    """Edges between junctions before anybody has asked whose they are: columns of the ways, u, v, geometry.

    ``planar`` is a metric system (EPSG code) and the lines of the edges in it, where sections were looked up on them.
    """

    edges: gpd.GeoDataFrame
    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    planar: tuple[str, NDArray[np.object_]] | None = None


def build_physical(ways: Ways, borders: Borders | None = None) -> Physical:
    """Split ways at shared vertices, merge what nothing else meets; see :mod:`corridor.network.ways`.

    With ``borders`` ways of two countries don't merge, so that a border between two ways stays between two edges.

    Raises:
        NetworkError: the ways lie on both sides of the 180th meridian.
    """
    frame = ways.frame
    west, _, east, _ = frame.total_bounds
    if east - west > 180.0:
        raise NetworkError(
            "the roads lie on both sides of the 180th meridian, and ground across it isn't supported; cut the data to "
            "one side of it"
        )
    countries = country_of_lines(frame.geometry.to_numpy(), borders) if borders is not None else ""
    # a limit that nobody signed is NaN, which no group has for a key
    keyed = frame[_KEY].fillna(dict.fromkeys(TRUCK_OF_LIMIT, np.inf)).assign(country=countries)
    key = keyed.groupby([*_KEY, "country"], sort=False).ngroup().to_numpy().astype(np.int64)
    del keyed  # as large as the roads themselves
    chains = build_chains(
        ways.node_ids,
        ways.offsets.astype(np.int64),
        key,
        frame["oneway"].to_numpy().astype(np.int64),
        np.zeros(0, np.int64),
    )
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    # A chain of merged ways takes its columns from its first way: the key says that all its ways agree in them.
    owner = np.repeat(np.arange(len(chains.u)), np.diff(chains.offsets))
    lines = shapely.linestrings(xy[chains.positions], indices=owner)
    drawn = line_lengths_m(lines)
    columns = {name: frame[name].to_numpy()[chains.way] for name in _KEY}
    columns |= {"u": chains.u, "v": chains.v, "geometry": lines}
    # A documented length stays that of its edge; other edges are as long as they are drawn.
    columns["length_m"] = np.where(columns["section_id"] != "", frame["length_m"].to_numpy()[chains.way], drawn)
    at = xy[chains.node_position]
    return Physical(edge_frame(columns), at[:, 0], at[:, 1])


def build_network(
    physical: Physical,
    borders: Borders,
    crossings: Sequence[Crossing],
    *,
    sections: Mapping[str, Section],
    country_of_edge: dict[int, str],
) -> Network:
    """The routable network: countries and border passages. Nobody knows yet how long anything takes.

    Args:
        physical: the edges.
        borders: whose ground they are on.
        crossings: where a border may be passed.
        sections: gives their country to edges that are sections.
        country_of_edge: what reference rows say about single edges (who controls them); beats the polygons.
    """
    edges = physical.edges
    # Three answers, each beating the one before: polygons, the control that a section documents, and sections found on
    # the map.
    countries = country_of_lines(edges.geometry.to_numpy(), borders)
    countries = smooth_islands(edges["u"].to_numpy(), edges["v"].to_numpy(), edges["length_m"].to_numpy(), countries)
    for row, section_id in zip(
        np.flatnonzero(edges["section_id"] != ""), edges["section_id"][edges["section_id"] != ""], strict=True
    ):
        section = sections[section_id]
        countries[row] = section.control or section.country
    countries[list(country_of_edge)] = list(country_of_edge.values())
    edges = edges.assign(country=countries)
    network = _split_at_borders(edges, physical.node_lon, physical.node_lat, crossings)
    if physical.planar is not None:
        network.take_planar(*physical.planar)
    return network


def _split_at_borders(
    edges: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64], crossings: Sequence[Crossing]
) -> Network:
    """Double the nodes where countries meet and join each pair by an edge of no length."""
    # A node becomes one for each country whose edges meet in it: (node, country) as one whole number gives each pair
    # its own row.
    _, code = np.unique(edges["country"].to_numpy().astype(str), return_inverse=True)
    names = np.unique(edges["country"].to_numpy().astype(str))
    width = len(names)
    keys = np.concatenate([edges["u"].to_numpy() * width + code, edges["v"].to_numpy() * width + code])
    unique, number = np.unique(keys, return_inverse=True)
    n = len(edges)
    edges = edges.assign(u=number[:n], v=number[n:])
    original, country = unique // width, names[unique % width]
    node_lon, node_lat = lon[original], lat[original]
    links = _border_links(edges, original, country, node_lon, node_lat, crossings)
    if links is not None:
        edges = gpd.GeoDataFrame(pd.concat([edges, links], ignore_index=True), crs=WGS84)
    return Network(edges, node_lon, node_lat)


def _border_links(
    edges: gpd.GeoDataFrame,
    original: Ints,
    country: NDArray[np.str_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    crossings: Sequence[Crossing],
) -> gpd.GeoDataFrame | None:
    modes: dict[int, set[str]] = {}
    # Nodes are sorted by what they were before, so that the copies of one node are neighbours in the table.
    starts = np.flatnonzero(np.diff(original) == 0)
    doubled = np.unique(np.concatenate([starts, starts + 1]))
    touching = np.isin(edges["u"], doubled) | np.isin(edges["v"], doubled)
    for u, v, mode in edges.loc[touching, ["u", "v", "mode"]].itertuples(index=False):
        modes.setdefault(u, set()).add(mode)
        modes.setdefault(v, set()).add(mode)
    rows: dict[str, list[object]] = {k: [] for k in ("u", "v", "mode", "class", "status", "border", "crossing_id")}
    # Every pair of copies is joined for each mode that both sides have; without a listed crossing the passage stays
    # shut.
    for a in doubled.tolist():
        b = a + 1
        while b < len(original) and original[b] == original[a]:
            for mode in sorted(modes.get(int(a), set()) & modes.get(int(b), set())):
                pair = sorted((str(country[a]), str(country[b])))
                crossing = find_crossing(float(lon[a]), float(lat[a]), frozenset(pair), mode, crossings)
                status = crossing.status if crossing else "closed"
                row = (a, b, mode, "border", status, "-".join(pair), crossing.crossing_id if crossing else "")
                for key, value in zip(rows, row, strict=True):
                    rows[key].append(value)
            b += 1
    if not rows["u"]:
        return None
    # A passage has no length, but a line all the same: files and trees of geometries take no empty one.
    at = np.array(rows["u"], dtype=np.int64)
    points = np.column_stack([lon[at], lat[at]])
    lines = shapely.linestrings(np.stack([points, points], axis=1))
    columns = {key: np.array(values) for key, values in rows.items()} | {"geometry": lines}
    return edge_frame(columns)


def time_network(
    network: Network,
    minutes: Mapping[str, tuple[Floats, Floats]],
    crossings: Mapping[str, Crossing],
    delays: BorderDelays,
) -> Network:
    """A network with minutes: of edges those given, of passages of borders what is waited there.

    A wait that is known in one direction alone stands for both; one that nobody knows is NaN.

    Args:
        network: from :func:`build_network`; passages stand after all other edges.
        minutes: along and against each edge by vehicle, passages left out.
        crossings: by id.
        delays: gives countries their means, for passages at which no crossing is listed.
    """
    delay = np.zeros(len(network.edges))
    columns_of_passage = (network.column(name) for name in ("border", "crossing_id", "mode"))
    passages = np.flatnonzero(network.is_border)
    for row, border, key, mode in zip(passages.tolist(), *(c[passages] for c in columns_of_passage), strict=True):
        left, entered = border.split("-")
        both = (passed_at(crossings.get(key), *way, mode, delays)[1] for way in ((left, entered), (entered, left)))
        waits = [wait.mid for wait in both if wait is not None]
        delay[row] = sum(waits) / len(waits) if waits else np.nan
    columns = (*minutes[TRUCK], *minutes[CAR])
    timed = {name: np.concatenate([way, delay[len(way) :]]) for name, way in zip(MINUTES, columns, strict=True)}
    return network.with_minutes({**timed, "delay_min": delay})
