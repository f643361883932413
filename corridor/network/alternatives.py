"""Ways that differ: the penalty method, with bounds on shared length and on stretch.

Edges of each way found are made dearer before the next search; a way is kept if it shares at most a stated part of
its length with every way kept before and is at most a stated factor dearer than the best. Never Yen's algorithm:
its next-best paths differ by a street. Y. Chen, M. Bell, K. Bogenberger, Reliable pretrip multipath planning,
IEEE Trans. ITS 8 (2007), doi:10.1109/TITS.2006.889437, compare such methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84
from corridor.network.graph import Network, Position, Route
from corridor.network.map_matching import part_lengths_km
from corridor.network.paths import as_last_resort

Floats = NDArray[np.float64]
PENALTY = 1.4
"""Edges of ways that were found cost so many times as much in the next search. Declared."""
MAX_SEARCHES = 60
"""So many searches end the search for ways that differ."""
SAME_POINT_M = 0.1
"""Ends no farther apart on an edge are one place."""


def find_alternatives(
    network: Network,
    start: Position,
    end: Position,
    closed: NDArray[np.bool_],
    *,
    count: int,
    max_shared: float,
    max_stretch: float,
    turn_within_m: float = 0.0,
) -> list[Route]:
    """Up to ``count`` ways from start to end, the quickest first, in minutes.

    A border at which nobody knows the wait wins nothing: ways with fewer of them come first, whatever their minutes,
    and ``cost`` is the minutes that are known.

    Args:
        network: the graph, with minutes along and against each edge.
        start: where the ways begin.
        end: where they end.
        closed: edges that may not be used, shape (n_edges,).
        count: how many are wanted; fewer are given if no more differ enough.
        max_shared: greatest part of the shorter way's length that two kept ways may share, 0 to 1.
        max_stretch: greatest ratio of a kept way's minutes to the quickest one's.
        turn_within_m: trains may turn round so near to either end, where that is a station.

    Raises:
        NoRouteError: there is no way at all.
    """
    minutes = _minutes(network)
    known = _known(*minutes)
    # First ways with as few unknown waits as there are; then, where more ways are wanted, by what of all is known.
    rounds = [as_last_resort(*minutes), *([known] if _is_passable(minutes[0], closed) else [])]
    kept: list[tuple[Route, _Driven]] = []
    best = (len(network.edges), np.inf)
    for counted in rounds:
        for found in _penalised(network, start, end, closed, *counted, turn_within_m=turn_within_m):
            # Penalties steer the search only: what a way costs is told in minutes without them.
            lengths = part_lengths_km(network, found)
            route = replace(found, cost=_cost(network, found, lengths, *known))
            best = min(best, (len(unknown_waits(network, route)), route.cost))
            limit = best[1] * max_stretch
            # Penalised costs only rise. Once a way is dearer than the limit by a whole penalty, later ones won't come
            # back under it.
            if route.cost > limit * PENALTY:
                break
            driven = _km_by_edge(route, lengths)
            if route.cost <= limit and all(_shared(driven, other) <= max_shared for _, other in kept):
                kept.append((route, driven))
            # asked before the next way is sought
            if len(kept) >= count:
                break
        if len(kept) >= count:
            break
    return sorted((route for route, _ in kept), key=lambda route: (len(unknown_waits(network, route)), route.cost))


def _penalised(
    network: Network,
    start: Position,
    end: Position,
    closed: NDArray[np.bool_],
    forward: Floats,
    backward: Floats,
    *,
    turn_within_m: float,
) -> Iterator[Route]:
    """The cheapest way, and again with the edges of all ways before it made dearer."""
    factor = np.ones(len(forward))
    for _ in range(MAX_SEARCHES):
        found = network.route(start, end, forward * factor, backward * factor, closed, turn_within_m=turn_within_m)
        yield found
        # Ways that aren't kept are penalised too, or the next search would find the same one again.
        factor[list(found.edges)] *= PENALTY


def _is_passable(minutes: Floats, closed: NDArray[np.bool_]) -> bool:
    """Whether there are borders that may be passed where nobody knows the wait."""
    return bool((np.isnan(minutes) & ~closed).any())


def unknown_waits(network: Network, route: Route) -> tuple[str, ...]:
    """The borders on a route at which nobody knows the wait: ids of their crossings, or countries where none is listed.

    Args:
        network: roads and railways, with minutes.
        route: a way over it.
    """
    edges = np.array(route.edges, dtype=np.int64)
    rows = edges[np.isnan(network.column("delay_min")[edges])].tolist()
    return tuple(network.column("crossing_id")[row] or network.column("border")[row] for row in rows)


@dataclass(frozen=True)
class QuickerWay:
    """A way that is quicker than the one taken by ``saved_min``, less what is waited at ``crossings``: nobody knows."""

    crossings: tuple[str, ...]
    saved_min: float


def find_quicker(
    network: Network,
    route: Route,
    start: Position,
    end: Position,
    closed: NDArray[np.bool_],
    forward: Floats,
    backward: Floats,
    *,
    turn_within_m: float = 0.0,
) -> QuickerWay | None:
    """The way that would be taken if nobody waited where the wait isn't known, if that is a quicker one.

    Args:
        network: roads and railways, with minutes.
        route: the way that was found with unknown waits as the last resort.
        start: where both begin.
        end: where they end.
        closed: edges that may not be used, shape (n_edges,).
        forward: what each edge counts for along its geometry in the choice; NaN where nobody knows, shape (n_edges,).
        backward: what it counts for against it.
        turn_within_m: trains may turn round so near to either end, where that is a station.
    """
    if not _is_passable(forward, closed):
        return None
    other = network.route(start, end, *_known(forward, backward), closed, turn_within_m=turn_within_m)
    added = [key for key in unknown_waits(network, other) if key not in unknown_waits(network, route)]
    known = _known(*_minutes(network))
    own, its = (_cost(network, way, part_lengths_km(network, way), *known) for way in (route, other))
    return QuickerWay(tuple(added), own - its) if added and own > its else None


def alternative_routes(
    network: Network,
    origin: tuple[float, float],
    destination: tuple[float, float],
    *,
    count: int = 3,
    max_shared: float = 0.6,
    max_stretch: float = 1.6,
    mode: str = "road",
    closed: NDArray[np.bool_] | None = None,
    limit_m: float = 2000.0,
) -> gpd.GeoDataFrame:
    """Ways between two points that differ, as a table: route, minutes, length_km, shared_part, geometry (EPSG:4326).

    ``minutes`` are NaN of a way over a border where nobody knows the wait; such ways come after those without.
    ``shared_part`` is the greatest part of its length that a way shares with a quicker one of the table.

    Args:
        network: the graph; its edges need minutes.
        origin: (lon, lat); the nearest usable way is taken.
        destination: (lon, lat).
        count: how many are wanted; fewer are given if no more differ enough.
        max_shared: see :func:`find_alternatives`.
        max_stretch: see :func:`find_alternatives`.
        mode: road or rail.
        closed: edges that may not be used, shape (n_edges,); what isn't open to the mode if left out.
        limit_m: how far the points may lie from a usable way.

    Raises:
        NetworkError: the points are the same, one is too far from any usable way, or edges have no minutes.
        NoRouteError: there is no way.
    """
    if tuple(origin) == tuple(destination):
        raise NetworkError("origin and destination are the same point; a route needs two places")
    shut = network.closed(mode) if closed is None else closed
    if not network.edges.loc[~shut, "minutes_forward"].any():
        raise NetworkError(
            "no edge has minutes: add travel times (osmnx.routing.add_edge_travel_times) or speeds first"
        )
    ends = [
        network.snap(lon, lat, shut, limit_m=limit_m, what=what)
        for (lon, lat), what in ((origin, "origin"), (destination, "destination"))
    ]
    # Ends on one edge may still be two places: what counts is how far they lie apart along it.
    apart_m = abs(ends[0].fraction - ends[1].fraction) * float(network.edges["length_m"].iat[ends[0].edge])
    if ends[0].edge == ends[1].edge and apart_m < SAME_POINT_M:
        raise NetworkError("origin and destination lie at the same point of the network; a route needs two places")
    found = find_alternatives(
        network, ends[0], ends[1], shut, count=count, max_shared=max_shared, max_stretch=max_stretch
    )
    # What a way shares is told against all quicker ones, since a reader meets those first.
    rows = [
        {
            "route": number,
            "minutes": route_minutes(network, route),
            "length_km": float(part_lengths_km(network, route).sum()),
            "shared_part": max((shared_part(network, route, other) for other in found[: number - 1]), default=0.0),
        }
        for number, route in enumerate(found, start=1)
    ]
    return gpd.GeoDataFrame(rows, geometry=[route_geometry(network, route) for route in found], crs=WGS84)


def route_geometry(network: Network, route: Route) -> shapely.LineString:
    """The line of a route from its start to its end (lon, lat)."""
    # Edges share their end points: a point that equals the one before it is left out.
    xy = np.concatenate([shapely.get_coordinates(network.part(route, i)) for i in range(len(route.edges))])
    return shapely.LineString(xy[np.concatenate([[True], np.any(np.diff(xy, axis=0) != 0, axis=1)])])


def route_minutes(network: Network, route: Route) -> float:
    """Travel time of a route in minutes, ends cut, waits at borders included; NaN where nobody knows one of these."""
    return _cost(network, route, part_lengths_km(network, route), *_minutes(network))


def _minutes(network: Network) -> tuple[Floats, Floats]:
    return network.column("minutes_forward"), network.column("minutes_backward")


def _known(forward: Floats, backward: Floats) -> tuple[Floats, Floats]:
    """Minutes as far as they are known: the least that an edge takes."""
    return np.where(np.isnan(forward), 0.0, forward), np.where(np.isnan(backward), 0.0, backward)


def _cost(network: Network, route: Route, lengths_km: Floats, forward: Floats, backward: Floats) -> float:
    """Sum of what each edge costs along and against it over a route, ends cut."""
    # Minutes are those of whole edges; the first and the last count by the share that is driven.
    edges = list(route.edges)
    minutes = np.where(route.forward, forward[edges], backward[edges])
    whole = network.length_km[edges]
    share = np.divide(lengths_km, whole, out=np.ones(len(edges)), where=whole > 0)
    return float((minutes * share).sum())


def shared_part(network: Network, a: Route, b: Route) -> float:
    """Length of the edges that two routes share, as a part of the shorter route's length.

    Args:
        network: roads and railways.
        a: one route.
        b: the other.
    """
    return _shared(*(_km_by_edge(route, part_lengths_km(network, route)) for route in (a, b)))


class _Driven(NamedTuple):
    """How much of each edge a way drives, and of all of them."""

    of_edge_km: dict[int, float]
    total_km: float


def _shared(a: _Driven, b: _Driven) -> float:
    """The same of ways by what they drive."""
    # Of the shorter way, so that a short one that lies wholly on a long one counts as the same way.
    # A way that begins or ends on an edge shares no more of it than it drives, be it nothing.
    shared = sum(min(km, b.of_edge_km.get(edge, 0.0)) for edge, km in a.of_edge_km.items())
    return float(shared / min(a.total_km, b.total_km))


def _km_by_edge(route: Route, lengths_km: Floats) -> _Driven:
    km: dict[int, float] = {}
    for edge, length in zip(route.edges, lengths_km.tolist(), strict=True):
        km[edge] = km.get(edge, 0.0) + length
    return _Driven(km, float(lengths_km.sum()))
