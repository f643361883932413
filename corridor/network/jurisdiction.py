"""Which country each edge lies in, and where the border may be crossed.

A way is given whole to the country that most of it lies in; islands of another country shorter than the hysteresis
are drawing errors of border or road and join what surrounds them. No way is ever cut at a polygon.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from corridor.geo.geodesy import distance_m
from corridor.io.read.borders import Borders
from corridor.schema.catalogue import Crossing

HYSTERESIS_M = 250.0
CROSSING_REACH_M = 1500.0
_STEP_DEG = 0.00025  # about 25 m: a tenth of the hysteresis
Objects = NDArray[np.object_]


def country_of_lines(lines: Objects, borders: Borders) -> Objects:
    """Country that most of each line lies in, '' where no country holds any of it."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    first = np.searchsorted(owner, np.arange(len(lines)))
    countries = borders.country_at(xy[first, 0], xy[first, 1])
    tree = shapely.STRtree(borders.lines)
    near = np.unique(tree.query(lines, predicate="intersects")[0])
    for index in near:
        countries[index] = _majority(lines[index], borders)
    return countries


def _majority(line: shapely.LineString, borders: Borders) -> str:
    count = max(int(np.ceil(line.length / _STEP_DEG)), 2)
    at = shapely.get_coordinates(
        shapely.line_interpolate_point(line, (np.arange(count) + 0.5) / count, normalized=True)
    )
    names, counts = np.unique(borders.country_at(at[:, 0], at[:, 1]).astype(str), return_counts=True)
    known = names != ""
    return str(names[known][np.argmax(counts[known])]) if known.any() else ""


def smooth_islands(
    u: NDArray[np.int64], v: NDArray[np.int64], length_m: NDArray[np.float64], countries: Objects
) -> Objects:
    """Countries with connected islands under the hysteresis given to the neighbour that touches most of them."""
    countries = countries.copy()
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
    """The listed crossing between two countries for a mode nearest to a point, if within reach (1.5 km)."""
    fitting = [c for c in crossings if c.countries == pair and c.mode == mode]
    if not fitting:
        return None
    gaps = distance_m([c.lon for c in fitting], [c.lat for c in fitting], lon, lat)
    nearest = int(np.argmin(gaps))
    return fitting[nearest] if gaps[nearest] <= CROSSING_REACH_M else None
