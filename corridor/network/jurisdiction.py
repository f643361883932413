"""Which country each edge lies in, and where the border may be crossed.

A way is given whole to the country that most of it lies in; islands of another country shorter than the hysteresis
are drawing errors of border or road and join what surrounds them. Ways aren't cut at polygons; those that pass a listed
crossing without a break were cut there before (:func:`corridor.network.ways.cut_at_crossings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from corridor.export.study_file import plain_id
from corridor.geo.geodesy import distance_m
from corridor.io.read.borders import Borders
from corridor.network.graph import UNFIT_CLASSES, Network
from corridor.ragged import spread
from corridor.schema.catalogue import Crossing
from corridor.schema.study import CrossingSpec
from corridor.schema.vocabulary import CrossingStatus, Mode
from corridor.wording import format_position

HYSTERESIS_M = 250.0
"""A shorter stretch in another country is a disagreement of borders and roads, not a passage. Declared."""
CROSSING_REACH_M = 1500.0
"""A road crosses a border at a listed crossing within this. Declared."""
_STEP_DEG = 0.00025  # about 25 m: a tenth of the hysteresis
Objects = NDArray[np.object_]


def country_of_lines(lines: Objects, borders: Borders) -> Objects:
    """Country that most of each line lies in, '' where no country holds any of it."""
    # Asking for one vertex of each line is cheap; only the few lines that meet a border are measured.
    xy = shapely.get_coordinates(lines)
    sizes = shapely.get_num_coordinates(lines)
    countries = borders.country_at(*xy[np.cumsum(sizes) - sizes].T)
    # A line that meets no border lies in one country, which its first vertex tells.
    near = np.unique(borders.tree.query(lines, predicate="intersects")[0])
    countries[near] = _majorities(lines[near], borders)
    return countries


def _majorities(lines: Objects, borders: Borders) -> Objects:
    """Country that most of each line lies in, by the middles of equal steps; what no country holds has no say."""
    count = np.maximum(np.ceil(shapely.length(lines) / _STEP_DEG), 2).astype(np.int64)
    every = np.arange(len(lines))
    line, (step, _) = np.repeat(every, count), spread(np.zeros_like(count), count, every)
    middles = shapely.line_interpolate_point(lines[line], (step + 0.5) / count[line], normalized=True)
    found = borders.country_at(*shapely.get_coordinates(middles).T)
    # of countries with equally many middles the first one by its code has the line
    codes = sorted({str(code) for code in found} - {""})
    shares = np.array([np.bincount(line[found == code], minlength=len(lines)) for code in codes])
    named = np.array([*codes, ""], dtype=object)
    return named[np.where(shares.any(axis=0), np.argmax(shares, axis=0), -1)] if codes else np.full(len(lines), "")


def smooth_islands(
    u: NDArray[np.int64], v: NDArray[np.int64], length_m: NDArray[np.float64], countries: Objects
) -> Objects:
    """Countries with connected islands under the hysteresis given to the neighbour that touches most of them.

    Args:
        u: first node of each edge, shape (n_edges,).
        v: second node of each edge.
        length_m: of each edge.
        countries: of each edge, shape (n_edges,).
    """
    countries = countries.copy()
    # An island may lie beside another that is small too: what the first round settles lets the next one go on.
    for _ in range(4):
        labels, totals = _islands(u, v, length_m, countries)
        small = totals[labels] < HYSTERESIS_M
        if not small.any():
            break
        changed = _absorb(u, v, length_m, countries, small)
        if not changed:
            break
    return countries


def _islands(
    u: NDArray[np.int64], v: NDArray[np.int64], length_m: NDArray[np.float64], countries: Objects
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Components of edges of one country that touch: label per edge and total length per label."""
    _, code = np.unique(countries.astype(str), return_inverse=True)
    n_nodes = int(max(u.max(), v.max())) + 1
    # A node counts once for each country, so that edges of two countries never link.
    a, b = code * n_nodes + u, code * n_nodes + v
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(int(code.max() + 1) * n_nodes,) * 2)
    _, parts = connected_components(graph, directed=False)
    labels = np.asarray(parts[a], dtype=np.int64)
    totals = np.bincount(labels, weights=length_m, minlength=int(labels.max()) + 1)
    return labels, totals.astype(np.float64)


def _absorb(
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    length_m: NDArray[np.float64],
    countries: Objects,
    small: NDArray[np.bool_],
) -> bool:
    """Give small edges the country of the longest edge beside them that isn't small; True if any changed."""
    # For each node the longest edge that isn't small: its country is what surrounds the island there.
    best: dict[int, tuple[float, str]] = {}
    touched = np.zeros(int(max(u.max(), v.max())) + 1, dtype=bool)
    touched[u[small]] = touched[v[small]] = True
    for edge in np.flatnonzero(~small & (touched[u] | touched[v])):
        for node in (int(u[edge]), int(v[edge])):
            if length_m[edge] > best.get(node, (0.0, ""))[0]:
                best[node] = (float(length_m[edge]), str(countries[edge]))
    changed = False
    for edge in np.flatnonzero(small):
        beside = max(best.get(int(u[edge]), (0.0, "")), best.get(int(v[edge]), (0.0, "")))
        if beside[1] and beside[1] != countries[edge]:
            countries[edge] = beside[1]
            changed = True
    return changed


def find_crossing(
    lon: float, lat: float, pair: frozenset[str], mode: str, crossings: Iterable[Crossing]
) -> Crossing | None:
    """The listed crossing between two countries for a mode nearest to a point, if within reach (1.5 km).

    Args:
        lon: degrees east.
        lat: degrees north.
        pair: codes of the two countries.
        mode: road or rail.
        crossings: those that are listed.
    """
    fitting = [c for c in crossings if c.countries == pair and c.mode == mode]
    if not fitting:
        return None
    gaps = distance_m([c.lon for c in fitting], [c.lat for c in fitting], lon, lat)
    nearest = int(np.argmin(gaps))
    return fitting[nearest] if gaps[nearest] <= CROSSING_REACH_M else None


GREATER_CLASSES = frozenset(
    f"{name}{link}" for name in ("motorway", "trunk", "primary", "secondary", "tertiary") for link in ("", "_link")
)
SAME_CROSSING_M = 1500.0
"""Roads that cross a border no farther apart cross it at one crossing. Declared."""
CONTROL_M = 1000.0
"""A mapped border control so near is that of a crossing. Declared."""
NEAR_PLACE_M = 20_000.0
"""A crossing is named after the nearest place within this."""
MAP_EDGE_M = 500.0
"""A road that stops this near to a border, where the map has nothing beyond, was cut off there. Declared."""


def find_border_roads(
    network: Network,
    borders: Borders,
    places: gpd.GeoDataFrame,
    controls: Sequence[tuple[float, float]],
    area: Sequence[float],
    *,
    as_of: str,
    map_name: str,
) -> list[CrossingSpec]:
    """Places where usable roads of a network lead from one country into another, as crossings that nobody confirmed.

    Passages of one pair of countries within 1.5 km of each other are one crossing. Where only minor roads pass and no
    border control is mapped, it counts as closed until somebody confirms it: a village street over a border proves no
    gate. Extracts of one country end at its border: a main road that stops within 500 m of it, with no road of the
    other country near, is a crossing too.

    Args:
        network: with countries and border passages.
        borders: the countries.
        places: settlements (name, lon, lat), to name crossings by.
        controls: longitudes and latitudes of mapped border controls.
        area: west, south, east, north, in degrees; crossings elsewhere don't count.
        as_of: the map's date.
        map_name: the map's file, for the notes.

    Returns:
        Crossings by pair of countries, from north to south.
    """
    edges = network.edges
    usable = ((edges["mode"] == Mode.ROAD) & ~edges["class"].isin(UNFIT_CLASSES) & ~network.is_border).to_numpy()
    ends = set(np.unique(edges.loc[usable, ["u", "v"]].to_numpy()).tolist())
    greater = usable & edges["class"].isin(GREATER_CLASSES).to_numpy()
    greater_ends = set(np.unique(edges.loc[greater, ["u", "v"]].to_numpy()).tolist())
    passages: dict[str, list[tuple[float, float]]] = {}
    great: dict[str, list[tuple[float, float]]] = {}
    west, south, east, north = area
    # Where ways of two countries meet, the network has an edge of no length: each is a passage.
    links = edges[network.is_border & (edges["mode"] == Mode.ROAD)]
    for u, v, pair in links[["u", "v", "border"]].itertuples(index=False):
        lon, lat = float(network.node_lon[u]), float(network.node_lat[u])
        # Both sides must be roads that traffic uses, in countries that are known ("AA-BB").
        if u in ends and v in ends and len(pair) == 5 and west <= lon <= east and south <= lat <= north:
            passages.setdefault(pair, []).append((lon, lat))
            if u in greater_ends and v in greater_ends:
                great.setdefault(pair, []).append((lon, lat))
    cut_off: set[tuple[float, float]] = set()
    for pair, (lon, lat) in _ends_at_borders(network, usable, greater, borders):
        if west <= lon <= east and south <= lat <= north:
            passages.setdefault(pair, []).append((lon, lat))
            great.setdefault(pair, []).append((lon, lat))
            cut_off.add((lon, lat))
    found: list[CrossingSpec] = []
    for pair, at in sorted(passages.items()):
        # a passage goes before an end that lies near it
        for lon, lat in _apart(sorted(at, key=lambda point: (point in cut_off, -point[1]))):
            near = nearest_place(places, lon, lat, NEAR_PLACE_M)
            key = _unused(plain_id(f"{pair} {near}"), {row.id for row in found})
            control = any(float(distance_m(lon, lat, *point)) <= CONTROL_M for point in controls)
            # A main road or a mapped control speaks for an open gate; a minor road by itself doesn't.
            carries = any(float(distance_m(lon, lat, *point)) <= SAME_CROSSING_M for point in great.get(pair, ()))
            kind = "road" if carries else "minor road"
            stops = (lon, lat) in cut_off
            does = "ends at the border here, and the map with it" if stops else "leads over the border here"
            note = f"a {kind} of {map_name} {does}"
            found.append(
                CrossingSpec(
                    id=key,
                    name=_unlike(near, pair, format_position(lat, lon, 3), {row.name for row in found}),
                    lon=round(lon, 6),
                    lat=round(lat, 6),
                    countries=(pair[:2], pair[3:]),
                    status=CrossingStatus.OPEN if carries or control else CrossingStatus.CLOSED,
                    as_of=as_of,
                    note=f"{note}, with a border control" if control else note,
                )
            )
    return found


def _ends_at_borders(
    network: Network, usable: NDArray[np.bool_], greater: NDArray[np.bool_], borders: Borders
) -> list[tuple[str, tuple[float, float]]]:
    """Pair of countries and place of each main road that the map cuts off at a border.

    Args:
        network: with countries.
        usable: roads that traffic uses, by edge.
        greater: those of them that are main roads.
        borders: the countries.
    """
    u, v = (network.edges[end].to_numpy() for end in ("u", "v"))
    # an end is a node of one edge alone; a passage between two countries is an edge too
    degree = np.bincount(np.concatenate([u[usable | network.is_border], v[usable | network.is_border]]))
    # Both ends of each main road, then only those at which nothing else ends or begins.
    edge = np.tile(np.flatnonzero(greater), 2)
    node = np.concatenate([u[greater], v[greater]])
    edge, node = edge[degree[node] == 1], node[degree[node] == 1]
    countries = network.edges["country"].to_numpy()
    lon, lat = network.node_lon, network.node_lat
    # what lies around each: countries at points of two circles, the inner one first
    radius = np.repeat([MAP_EDGE_M / 2, MAP_EDGE_M], 16) / 111_000
    turn = np.tile(np.arange(16) * np.pi / 8, 2)
    x = lon[node][:, None] + radius * np.cos(turn) / np.cos(np.radians(lat[node]))[:, None]
    y = lat[node][:, None] + radius * np.sin(turn)
    around = borders.country_at(x.ravel(), y.ravel()).reshape(x.shape)
    found = []
    for at, own, codes in zip(node, countries[edge], around, strict=True):
        beyond = next((str(code) for code in codes if code and code != own), "")
        if not beyond or not own:
            continue
        # roads there would mean that the map goes on, and that this one simply ends
        there = usable & (countries == beyond)
        theirs = np.concatenate([u[there], v[there]])
        place = float(lon[at]), float(lat[at])
        if not len(theirs) or distance_m(lon[theirs], lat[theirs], *place).min() > SAME_CROSSING_M:
            found.append(("-".join(sorted((str(own), beyond))), place))
    return found


def nearest_place(places: gpd.GeoDataFrame, lon: float, lat: float, within_m: float) -> str:
    """Name of the nearest settlement, '' if none lies within reach.

    Args:
        places: name, lon, lat.
        lon: degrees.
        lat: degrees.
        within_m: how far it may lie.
    """
    if not len(places):
        return ""
    gaps = distance_m(places["lon"].to_numpy(), places["lat"].to_numpy(), lon, lat)
    return str(places["name"].iloc[int(gaps.argmin())])[:200] if gaps.min() <= within_m else ""


def _apart(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points with those left out that lie near one before."""
    kept: list[tuple[float, float]] = []
    for lon, lat in points:
        if all(float(distance_m(lon, lat, *other)) > SAME_CROSSING_M for other in kept):
            kept.append((lon, lat))
    return kept


def _unlike(near: str, pair: str, position: str, taken: set[str]) -> str:
    """A crossing's name: by the nearest place if there is one, and by its position where that tells too little."""
    name = f"{near} ({pair})"
    return f"{near or pair}, {position}" if not near or name in taken else name


def _unused(key: str, taken: set[str]) -> str:
    if key not in taken:
        return key
    return next(f"{key}-{number}" for number in range(2, 10_000) if f"{key}-{number}" not in taken)
