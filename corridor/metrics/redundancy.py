"""How much the way to a crossing hangs on single roads: disjoint routes by stage, single points, criticality."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, distance_m
from corridor.metrics.reach import Domain, Reached, State, reach
from corridor.network.flows import arc_costs, disjoint_ways, find_bridges, replacement_costs
from corridor.network.graph import Position
from corridor.schema.vocabulary import MetricStatus
from corridor.wording import format_position

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
POINT_COLUMNS = ["from_km", "to_km", "length_km", "road", "near"]
NEAR_M = 10_000.0


@dataclass(frozen=True)
class Stage:
    """A place that routes pass between: all junctions within ``radius_km`` count as it."""

    name: str
    lon: float
    lat: float
    radius_km: float


@dataclass(frozen=True)
class Leg:
    """Routes between two stages that share no road: their number, and the domain edges that one choice of them uses."""

    from_stage: str
    to_stage: str
    routes: int
    edges: frozenset[int]


def disjoint_legs(domain: Domain, stages: Sequence[Stage], closed: Bools, known: Sequence[Leg] = ()) -> list[Leg]:
    """Edge-disjoint road routes between each stage and the next, the fewer of the two directions.

    Args:
        domain: the country's roads.
        stages: in order along the way.
        closed: domain edges that may not be used.
        known: legs of the same stages with fewer closures; one whose routes are all still open keeps its number.

    Raises:
        NetworkError: a stage holds no junction, or two neighbouring ones overlap.
    """
    legs = []
    for index, (a, b) in enumerate(pairwise(stages)):
        if index < len(known) and not closed[list(known[index].edges)].any():
            legs.append(known[index])
            continue
        begin, end = _disc(domain, a), _disc(domain, b)
        there, used = disjoint_ways(domain.u, domain.v, domain.oneway, closed, begin, end)
        back, used_back = disjoint_ways(domain.u, domain.v, domain.oneway, closed, end, begin)
        legs.append(Leg(a.name, b.name, min(there, back), frozenset(used.tolist()) | frozenset(used_back.tolist())))
    return legs


def count_whole_routes(domain: Domain, state: State, last: Stage) -> int:
    """Edge-disjoint routes from the point abroad to the last stage, the fewer of the two directions.

    Each open crossing is one road: a single bridge at the border caps the whole.
    """
    doors = [entry.node for entry, more in zip(domain.entries, state.entry_min, strict=True) if np.isfinite(more)]
    source = np.zeros(domain.n_nodes, dtype=bool)
    source[doors] = True
    if not doors:
        return 0
    ends = (source, _disc(domain, last))
    flows = [disjoint_ways(domain.u, domain.v, domain.oneway, state.closed, a, b)[0] for a, b in (ends, ends[::-1])]
    return min(len(set(doors)), *flows)


def _disc(domain: Domain, stage: Stage) -> Bools:
    lon, lat = domain.network.node_lon[domain.nodes], domain.network.node_lat[domain.nodes]
    inside = distance_m(lon, lat, stage.lon, stage.lat) <= stage.radius_km * 1000
    if not inside.any():
        raise NetworkError(
            f"stage '{stage.name}' at {format_position(stage.lat, stage.lon, 4)} has no road junction within "
            f"{stage.radius_km:g} km; correct its place or raise its radius_km"
        )
    return np.asarray(inside)


def disjoint_metrics(before: Sequence[Leg], after: Sequence[Leg]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Metrics ``disjoint_routes_<from>_<to>`` with ``_before``, their least, and the table of legs."""
    table = pd.DataFrame(
        [(a.from_stage, a.to_stage, a.routes, b.routes) for a, b in zip(before, after, strict=True)],
        columns=["from_stage", "to_stage", "routes_before", "routes_after"],
    )
    found: dict[str, Any] = {
        "disjoint_routes": int(table["routes_after"].min()),
        "disjoint_routes_before": int(table["routes_before"].min()),
    }
    for row in table.itertuples():
        name = f"disjoint_routes_{slug(row.from_stage)}_{slug(row.to_stage)}"
        found |= {name: row.routes_after, f"{name}_before": row.routes_before}
    return found, table


def slug(name: str) -> str:
    """A name as part of a metric's name.

    >>> slug("Karmir Shuka (old)")
    'karmir_shuka_old'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


@dataclass(frozen=True)
class Way:
    """The best way between two positions: domain edges in order, their direction, and the km driven on each."""

    edges: Ints
    forward: Bools
    km: Floats
    minutes: float


def best_way(reached: Reached, to: Position) -> Way | None:
    """The quickest way from an outbound tree's origin to a position; None if there is none."""
    domain, state = reached.domain, reached.state
    minutes = reached.minutes(to)
    if not np.isfinite(minutes):
        return None
    origin = reached.origin
    if origin and origin.edge == to.edge and domain.leg(state, to.edge, origin.fraction, to.fraction) <= minutes:
        share = abs(to.fraction - origin.fraction) * domain.length_km[to.edge]
        return Way(np.array([to.edge]), np.array([to.fraction >= origin.fraction]), np.array([share]), minutes)
    ends = domain.seeds(to, state, inbound=True)
    which = int(np.argmin([reached.tree.cost[node] + spent for node, spent in ends]))
    steps = reached.tree.path(ends[which][0])
    km = [float(domain.length_km[edge]) for edge, _ in steps]
    if origin:
        first = steps[0][0] if steps else to.edge
        start = ends[which][0] if not steps else int(domain.u[first] if steps[0][1] else domain.v[first])
        leaves = start == int(domain.v[origin.edge])
        steps = [(origin.edge, leaves), *steps]
        km = [float(domain.length_km[origin.edge] * ((1 - origin.fraction) if leaves else origin.fraction)), *km]
    steps = [*steps, (to.edge, which == 0)]
    km.append(float(domain.length_km[to.edge] * (to.fraction if which == 0 else 1 - to.fraction)))
    return Way(np.array([s[0] for s in steps]), np.array([s[1] for s in steps]), np.array(km), minutes)


def single_points(domain: Domain, state: State, way: Way, places: pd.DataFrame | None = None) -> gpd.GeoDataFrame:
    """Stretches of a way that have no substitute: bridges of the graph of open roads, one-ways ignored.

    One row per unbroken stretch: from_km, to_km, length_km along the way, road, near (the place nearest to its middle,
    of ``places`` with place, lon and lat), geometry (EPSG:4326). The two carriageways of a dual carriageway and the
    halves of a roundabout stand in for each other.
    """
    bridge = find_bridges(domain.u, domain.v, state.closed, domain.n_nodes)[way.edges]
    ends = np.cumsum(way.km)
    edges = domain.network.edges.iloc[domain.rows[way.edges]]
    names = np.where(edges["ref"] != "", edges["ref"], edges["name"])
    at = np.flatnonzero(bridge)
    rows, lines = [], []
    for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
        km = float(way.km[run].sum())
        if km > 0:
            lines.append(shapely.MultiLineString(list(edges.geometry.iloc[run])))
            road = "; ".join(dict.fromkeys(str(n) for n in names[run] if n))
            rows.append((float(ends[run[-1]]) - km, float(ends[run[-1]]), km, road, _near(lines[-1], places)))
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=POINT_COLUMNS), geometry=lines, crs=WGS84)


def _near(line: shapely.MultiLineString, places: pd.DataFrame | None) -> str:
    """The place nearest to the middle of a line, '' if none is within 10 km."""
    if places is None or not len(places):
        return ""
    middle = shapely.centroid(line)
    gaps = distance_m(places["lon"], places["lat"], middle.x, middle.y)
    return str(places["place"].iloc[int(np.argmin(gaps))]) if gaps.min() <= NEAR_M else ""


def single_point_metrics(
    domain: Domain,
    capital: Position,
    state: State,
    before: dict[str, float] | None = None,
    places: pd.DataFrame | None = None,
) -> tuple[dict[str, Any], gpd.GeoDataFrame]:
    """``single_point_km`` of the best way crossing -> capital and the way's length, and the stretches themselves.

    ``before`` are the metrics of the untouched network, which are repeated as ``..._before``.
    """
    found: dict[str, Any] = {f"{name}_before": value for name, value in (before or {}).items() if name.endswith("_km")}
    way = best_way(reach(domain, None, state)[0], capital)
    if way is None:
        empty = gpd.GeoDataFrame({name: [] for name in POINT_COLUMNS}, geometry=[], crs=WGS84)
        lost = {"single_point_km": np.nan, "best_way_km": np.nan, "single_point_km_status": MetricStatus.UNREACHABLE}
        return found | lost, empty
    table = single_points(domain, state, way, places)
    own = {"single_point_km": float(table["length_km"].sum()), "best_way_km": float(way.km.sum())}
    return found | own | {"single_point_km_status": MetricStatus.OK}, table


def measure_criticality(domain: Domain, state: State, origin: Position | None, goal: Position) -> gpd.GeoDataFrame:
    """What closing each single edge of the best way costs, exactly.

    One row per edge in travelling order: edge (row of the network), chainage_km, length_km, added_min (NaN where
    nothing replaces it), ratio, status ok | unreachable, geometry.

    Raises:
        NetworkError: there is no way at all.
    """
    reached = reach(domain, origin, state)[0]
    way = best_way(reached, goal)
    if way is None:
        raise NetworkError(
            "criticality needs a way to measure: there is none between the two places; open a road or choose others"
        )
    minutes = minutes_without(reached, goal, way.edges)
    lost = ~np.isfinite(minutes)
    added = np.where(lost, np.nan, minutes - way.minutes)
    edges = domain.network.edges.iloc[domain.rows[way.edges]]
    columns = {
        "edge": domain.rows[way.edges],
        "chainage_km": np.cumsum(way.km) - way.km,
        "length_km": way.km,
        "added_min": np.where(np.abs(added) < 1e-9, 0.0, added),
        "ratio": (way.minutes + added) / way.minutes if way.minutes > 0 else np.ones(len(added)),
        "status": np.where(lost, MetricStatus.UNREACHABLE, MetricStatus.OK),
    }
    return gpd.GeoDataFrame(columns, geometry=edges.geometry.to_numpy(), crs=WGS84)


def minutes_without(reached: Reached, goal: Position, edges: Ints) -> Floats:
    """Minutes from an outbound tree's origin to a position without each of some domain edges, one at a time.

    For the edges of a candidate, say: those that the best way doesn't use cost nothing. inf where no way is left; a
    place on a closed edge is cut off. Shape (n_edges,).
    """
    domain, state = reached.domain, reached.state
    forward, backward = (m * state.factor + state.delay_min for m in (domain.forward, domain.backward))
    cost = arc_costs(domain.arcs, forward, backward, state.closed)
    best = np.full(len(edges), np.inf)
    for node, spent in domain.seeds(goal, state, inbound=True):
        if np.isfinite(spent):
            best = np.minimum(best, replacement_costs(domain.arcs, cost, reached.tree, node, edges) + spent)
    if reached.origin and reached.origin.edge == goal.edge:
        best = np.minimum(best, reached.minutes(goal))
    ends = {goal.edge} | ({reached.origin.edge} if reached.origin else set())
    return np.where(np.isin(edges, list(ends)), np.inf, best)
