"""Ways cut where they pass a border at a listed crossing, whether or not their mappers split them there.

A way lies whole in the country that most of it lies in, so that one which nobody split at the border would move the
passage to its end, kilometres from the crossing that allows it. It is cut at its vertex nearest to the border, or at
the border itself where no vertex is near. Ways that pass a border elsewhere stay whole: what no crossing allows is
closed wherever the passage lies.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, distance_m, line_lengths_m
from corridor.io.read.borders import Borders
from corridor.network.jurisdiction import CROSSING_REACH_M, HYSTERESIS_M
from corridor.schema.catalogue import Crossing

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DEGREE_M = 110_000.0


def cut_at_crossings(
    frame: gpd.GeoDataFrame, node_ids: Ints, offsets: Ints, borders: Borders, crossings: Sequence[Crossing]
) -> tuple[gpd.GeoDataFrame, Ints, Ints]:
    """Ways with those cut in two that pass the border of a listed crossing without a break.

    Args:
        frame: ways with ``mode``, ``length_m`` and geometry (EPSG:4326).
        node_ids: ids of all vertices, one way after another, shape (n_vertices,); new ones are negative.
        offsets: where each way's vertices begin, shape (n_ways + 1,).
        borders: countries.
        crossings: listed crossings of any status.

    Returns:
        The same three, unchanged where nothing is cut.
    """
    lines = frame.geometry.to_numpy()
    tree = shapely.STRtree(lines)
    modes = frame["mode"].to_numpy()
    cuts: dict[int, tuple[int, tuple[float, float] | None]] = {}
    for crossing in crossings:
        # degrees of longitude are the shorter ones: as many as the reach needs
        reach = CROSSING_REACH_M / _DEGREE_M / max(np.cos(np.radians(crossing.lat)), 0.1)
        for row in tree.query(shapely.Point(crossing.lon, crossing.lat), predicate="dwithin", distance=reach).tolist():
            if modes[row] == crossing.mode and row not in cuts:
                cut = _find_cut(shapely.get_coordinates(lines[row]), borders, crossing)
                if cut is not None:
                    cuts[row] = cut
    return _apply(frame, node_ids, offsets, cuts) if cuts else (frame, node_ids, offsets)


def _find_cut(xy: Floats, borders: Borders, crossing: Crossing) -> tuple[int, tuple[float, float] | None] | None:
    """Where a way is to be cut: the index of a vertex, or of the one behind a new vertex at the border; None if not."""
    countries = borders.country_at(xy[:, 0], xy[:, 1])
    if {countries[0], countries[-1]} != set(crossing.countries):
        return None
    # of several changes of country the one at the crossing counts
    changes = np.flatnonzero(countries[1:] != countries[:-1])
    middles = (xy[changes] + xy[changes + 1]) / 2
    k = int(changes[np.argmin(distance_m(middles[:, 0], middles[:, 1], crossing.lon, crossing.lat))])
    at = _passage(xy[k], xy[k + 1], borders)
    if float(distance_m(*at, crossing.lon, crossing.lat)) > CROSSING_REACH_M:
        return None
    gaps = distance_m(xy[k : k + 2, 0], xy[k : k + 2, 1], *at)
    nearest = int(np.argmin(gaps))
    if gaps[nearest] > HYSTERESIS_M:
        return k + 1, at
    vertex = k + nearest
    return (vertex, None) if 0 < vertex < len(xy) - 1 else None


def _passage(a: Floats, b: Floats, borders: Borders) -> tuple[float, float]:
    """Where the straight line between two vertices of different countries meets a border."""
    segment = shapely.LineString([a, b])
    met = shapely.get_coordinates(shapely.intersection(borders.lines, segment))
    if not len(met):  # polygons that don't share their border: half-way
        return float((a[0] + b[0]) / 2), float((a[1] + b[1]) / 2)
    first = met[np.argmin(np.hypot(*(met - a).T))]
    return float(first[0]), float(first[1])


def _apply(
    frame: gpd.GeoDataFrame, node_ids: Ints, offsets: Ints, cuts: dict[int, tuple[int, tuple[float, float] | None]]
) -> tuple[gpd.GeoDataFrame, Ints, Ints]:
    """Ways with some cut in two at a vertex; the second half follows the first."""
    rows: list[int] = []
    ids: list[Ints] = []
    lines: list[shapely.LineString] = []
    new_id = min(0, int(node_ids.min()))
    for row in range(len(frame)):
        own = node_ids[offsets[row] : offsets[row + 1]]
        if row not in cuts:
            rows.append(row)
            ids.append(own)
            lines.append(frame.geometry.iat[row])
            continue
        vertex, at = cuts[row]
        xy = shapely.get_coordinates(frame.geometry.iat[row])
        if at is not None:
            new_id -= 1
            xy, own = np.insert(xy, vertex, at, axis=0), np.insert(own, vertex, new_id)
        for half in (slice(0, vertex + 1), slice(vertex, None)):
            rows.append(row)
            ids.append(own[half])
            lines.append(shapely.LineString(xy[half]))
    cut = gpd.GeoDataFrame(frame.iloc[rows].reset_index(drop=True)).set_geometry(gpd.GeoSeries(lines, crs=WGS84))
    halves = np.isin(rows, list(cuts))
    cut.loc[halves, "length_m"] = line_lengths_m(cut.geometry.to_numpy()[halves])
    sizes = np.array([len(part) for part in ids], dtype=np.int64)
    return cut, np.concatenate(ids), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
