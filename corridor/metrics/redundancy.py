"""How much the way to a crossing hangs on single roads: disjoint routes by stage, single points."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, distance_m, within_m
from corridor.metrics.access import Access, passes
from corridor.metrics.reach import Domain, Reached, State
from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.network.conflation import exceeding
from corridor.network.connectivity import disjoint_ways, find_bridges
from corridor.network.graph import Position
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Kind, Shown, Unit, with_before
from corridor.schema.results import EdgeEffect
from corridor.schema.vocabulary import MetricStatus
from corridor.wording import format_position

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
POINT_COLUMNS = ["from_km", "to_km", "length_km", "road", "near"]
NEAR_M = 10_000.0
"""A stretch without substitute is told by the nearest place within this."""
_ROUNDING_KM = 1e-6
_ENDS = "through roads, those of unknown status open; interval: fewest with those shut, most with minor roads"


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


@dataclass(frozen=True)
class Substitutes:
    """Which roads of a country may stand in for others, shape (n_edges,) each: those closed to it.

    ``fewest``: the through network alone, roads of unknown status shut. ``middle``: the through network, roads of
    unknown status open. ``most``: minor roads too. How redundant a road is lies between the first and the last.
    """

    domain: Domain
    fewest: Bools
    middle: Bools
    most: Bools

    @cached_property
    def bridges(self) -> tuple[Bools, Bools, Bools]:
        """Edges that nothing stands in for, by the three; many routes ask for them under one state of the roads."""
        fewest, middle, most = (find_bridges(self.domain.links, closed) for closed in self.all)
        return fewest, middle, most

    @property
    def all(self) -> tuple[Bools, Bools, Bools]:
        """The three, from the fewest substitutes to the most."""
        return self.fewest, self.middle, self.most


def find_substitutes(domain: Domain, state: State) -> Substitutes:
    """The closures that redundancy is measured between, in a state of the roads."""
    shut = state.closed
    passed = domain.through | domain.unknown
    # At the fewest only through roads that are surely open count, at the middle those of unknown status too, and at the
    # most minor roads as well.
    return Substitutes(domain, shut | ~domain.through, shut | ~passed, shut | (domain.local_only & ~domain.unknown))


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
        # Closures can take ways away but add none: as long as no edge of the old ways is shut, their number stands.
        if index < len(known) and not closed[list(known[index].edges)].any():
            legs.append(known[index])
            continue
        begin, end = _disc(domain, a), _disc(domain, b)
        there, used = disjoint_ways(domain.u, domain.v, domain.oneway, closed, begin, end)
        back, used_back = disjoint_ways(domain.u, domain.v, domain.oneway, closed, end, begin)
        # A route must lead there and back, so the lesser number counts; the edges of both searches are kept for the
        # test above.
        legs.append(Leg(a.name, b.name, min(there, back), frozenset(used.tolist()) | frozenset(used_back.tolist())))
    return legs


@dataclass(frozen=True)
class WholeRoutes:
    """Routes from the point abroad to the last stage that share no road: their number, what one choice of them uses.

    ``doors`` are the nodes of the open crossings, ``edges`` domain edges.
    """

    routes: int
    doors: frozenset[int] = frozenset()
    edges: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def find_whole_routes(
    domain: Domain, state: State, last: Stage, closed: Bools | None = None, known: WholeRoutes | None = None
) -> WholeRoutes:
    """Edge-disjoint routes from the point abroad to the last stage, the fewer of the two directions.

    Each open crossing is one road: a single bridge at the border caps the whole.

    Args:
        domain: the country's roads.
        state: which crossings are open.
        last: where the routes end.
        closed: domain edges that may not be used; those of ``state`` if not given.
        known: the same with fewer closures; if all that it uses is still open, its number stands.
    """
    shut = state.closed if closed is None else closed
    # An entry that the regime shuts is no door.
    opened = zip(domain.entries, state.entry_min, strict=True)
    doors = frozenset(entry.node for entry, more in opened if np.isfinite(more))
    if not doors:
        return WholeRoutes(0)
    if known is not None and known.doors == doors and not shut[known.edges].any():
        return known
    source = np.zeros(domain.n_nodes, dtype=bool)
    source[list(doors)] = True
    ends = (source, _disc(domain, last))
    (there, used), (back, used_back) = (
        disjoint_ways(domain.u, domain.v, domain.oneway, shut, a, b) for a, b in (ends, ends[::-1])
    )
    # Ways that fan out behind one door all hang on that door, so there are no more routes than doors.
    return WholeRoutes(min(len(doors), there, back), doors, np.union1d(used, used_back))


def _disc(domain: Domain, stage: Stage) -> Bools:
    lon, lat = domain.network.node_lon[domain.nodes], domain.network.node_lat[domain.nodes]
    inside = within_m(lon, lat, stage.lon, stage.lat, stage.radius_km * 1000)
    if not inside.any():
        raise NetworkError(
            f"stage '{stage.name}' at {format_position(stage.lat, stage.lon, 4)} has no road junction within "
            f"{stage.radius_km:g} km; correct its place or raise its radius_km"
        )
    return np.asarray(inside)


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
    # Between two places on one edge the direct piece may be the way, which no search from node to node sees.
    if origin and origin.edge == to.edge and domain.leg(state, to.edge, origin.fraction, to.fraction) <= minutes:
        share = abs(to.fraction - origin.fraction) * domain.length_km[to.edge]
        return Way(np.array([to.edge]), np.array([to.fraction >= origin.fraction]), np.array([share]), minutes)
    ends = domain.seeds(to, state, inbound=True)
    which = int(np.argmin([reached.tree.cost[node] + spent for node, spent in ends]))
    steps = reached.tree.path(ends[which][0])
    km = [float(domain.length_km[edge]) for edge, _ in steps]
    if origin:
        # The first edge is left by the end that the way goes on from, and driven from the origin's place on it.
        first = steps[0][0] if steps else to.edge
        start = ends[which][0] if not steps else int(domain.u[first] if steps[0][1] else domain.v[first])
        leaves = start == int(domain.v[origin.edge])
        steps = [(origin.edge, leaves), *steps]
        km = [float(domain.length_km[origin.edge] * ((1 - origin.fraction) if leaves else origin.fraction)), *km]
    steps = [*steps, (to.edge, which == 0)]
    km.append(float(domain.length_km[to.edge] * (to.fraction if which == 0 else 1 - to.fraction)))
    return Way(np.array([s[0] for s in steps]), np.array([s[1] for s in steps]), np.array(km), minutes)


def best_way_in(access: Access, state: State) -> Way | None:
    """The quickest way from the fixed point abroad to the capital in a state of the roads; None if there is none."""
    return access.once("best way", state.digest, lambda: best_way(access.towards_capital(state)[0], access.capital))


def single_points(domain: Domain, closed: Bools, way: Way, places: pd.DataFrame | None = None) -> gpd.GeoDataFrame:
    """Stretches of a way that have no substitute: bridges of the graph of roads not ``closed``, one-ways ignored.

    One row per unbroken stretch: from_km, to_km, length_km along the way, road, near (the place nearest to its middle,
    of ``places`` with place, lon and lat), geometry (EPSG:4326). The two carriageways of a dual carriageway and the
    halves of a roundabout stand in for each other.

    Args:
        domain: a country's roads.
        closed: domain edges that may not stand in.
        way: the way.
        places: to tell a stretch by; none if left out.
    """
    # Bridges are edges whose loss parts the graph: whoever can't use one of them has no other way.
    bridge = find_bridges(domain.links, closed)[way.edges]
    ends = np.cumsum(way.km)
    edges = domain.network.edges.iloc[domain.rows[way.edges]]
    names = np.where(edges["ref"] != "", edges["ref"], edges["name"])
    at = np.flatnonzero(bridge)
    rows, lines = [], []
    # Edges in a row that nothing replaces are one point, however often the map splits the road.
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


@derived
def state_after(access: Access, effect: EdgeEffect | None) -> State:
    """The country's roads under the regime."""
    return access.domain.state(effect)


@derived
def substitutes_before(access: Access) -> Substitutes:
    """What may stand in for what with nothing done to the network."""
    return find_substitutes(access.domain, access.domain.state())


@derived
def substitutes_after(access: Access, state_after: State) -> Substitutes:
    """What may stand in for what under the regime."""
    return access.once("substitutes", state_after.closures, lambda: find_substitutes(access.domain, state_after))


@derived
def legs_before(
    access: Access, stages: tuple[Stage, ...], substitutes_before: Substitutes
) -> tuple[tuple[Leg, ...], ...]:
    """Disjoint routes by stage with nothing done to the network, from the fewest substitutes to the most."""
    if not access.supports_places:
        return ((), (), ())
    return tuple(tuple(disjoint_legs(access.domain, stages, closed)) for closed in substitutes_before.all)


@derived
def whole_routes_before(
    access: Access, stages: tuple[Stage, ...], substitutes_before: Substitutes
) -> tuple[WholeRoutes, ...]:
    """Disjoint routes from the crossing to the last stage before, from the fewest substitutes to the most."""
    if not stages:
        return (WholeRoutes(0),) * 3
    state = access.domain.state()
    return tuple(find_whole_routes(access.domain, state, stages[-1], closed) for closed in substitutes_before.all)


@metric(
    Subject.REDUNDANCY,
    *with_before(
        Column(
            "disjoint_routes", Unit.COUNT, "edge-disjoint roads, on the stage that has fewest, under the regime",
            "max flow (Dinic) between stages; " + _ENDS, kind=Kind.COUNT, interval=True,
        ),
        interval_before=True,
    ),
    *with_before(
        Column(
            "disjoint_routes_{stage}", Unit.COUNT, "edge-disjoint roads on that stage under the regime",
            "max flow; " + _ENDS, kind=Kind.COUNT, interval=True, shown=Shown.FILES,
        ),
        interval_before=True,
    ),
    *with_before(
        Column(
            "disjoint_routes_whole", Unit.COUNT,
            "edge-disjoint roads from the crossing to the last stage under the regime", "max flow; " + _ENDS,
            kind=Kind.COUNT, interval=True, shown=Shown.FILES,
        ),
        interval_before=True,
    ),
    status="disjoint_routes_status",
)  # fmt: skip
def measure_disjoint_routes(
    candidate: Candidate,
    access: Access,
    stages: tuple[Stage, ...],
    state_after: State,
    substitutes_after: Substitutes,
    legs_before: tuple[tuple[Leg, ...], ...],
    whole_routes_before: tuple[WholeRoutes, ...],
) -> Values | Unmeasured:
    """Disjoint routes by stage and over the whole, before and after."""
    lack = _lack(candidate, access)
    if lack is not None:
        return Unmeasured(lack)
    if len(stages) < 2:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    after, whole = access.once(
        "disjoint routes",
        (state_after.closures, stages),
        lambda: _disjoint_routes(
            access.domain, stages, state_after, substitutes_after, legs_before, whole_routes_before
        ),
    )
    # Ranges are of closures, from the fewest substitutes to the most: not of chance.
    found: dict[str, Any] = {
        "disjoint_routes_whole": Estimate(*(each.routes for each in whole)),
        "disjoint_routes_whole_before": Estimate(*(each.routes for each in whole_routes_before)),
    }
    for ending, legs in (("", after), ("_before", legs_before)):
        found[f"disjoint_routes{ending}"] = Estimate(*(min(leg.routes for leg in each) for each in legs))
        for fewest, middle, most in zip(*legs, strict=True):
            name = f"disjoint_routes_{slug(middle.from_stage)}_{slug(middle.to_stage)}{ending}"
            found[name] = Estimate(fewest.routes, middle.routes, most.routes)
    return found


def _disjoint_routes(
    domain: Domain,
    stages: tuple[Stage, ...],
    state: State,
    substitutes: Substitutes,
    legs_before: tuple[tuple[Leg, ...], ...],
    whole_routes_before: tuple[WholeRoutes, ...],
) -> tuple[list[list[Leg]], list[WholeRoutes]]:
    """Disjoint routes by stage and over the whole in a state of the roads, from the fewest substitutes to the most."""
    legs = [
        disjoint_legs(domain, stages, closed, known) for closed, known in zip(substitutes.all, legs_before, strict=True)
    ]
    whole = [
        find_whole_routes(domain, state, stages[-1], closed, known)
        for closed, known in zip(substitutes.all, whole_routes_before, strict=True)
    ]
    return legs, whole


def _lack(candidate: Candidate, access: Access) -> MetricStatus | None:
    """Why redundancy can't be measured for a candidate; None if it can."""
    if not passes(candidate, access.country):
        return MetricStatus.NOT_APPLICABLE
    return None if access.supports_places else MetricStatus.NOT_SUPPORTED


@derived
def best_way_before(access: Access) -> Way | None:
    """The best way from the crossing to the capital with nothing done to the network."""
    return best_way_in(access, access.domain.state())


@derived
def single_point_km_before(access: Access, substitutes_before: Substitutes, best_way_before: Way | None) -> Estimate:
    """Length without substitute of the best way with nothing done to the network."""
    return _single_point_km(access.domain, substitutes_before, best_way_before)


@derived
def best_way_after(candidate: Candidate, access: Access, state_after: State) -> Way | None:
    """The best way from the crossing to the capital under the regime; None if there is none, or none is asked for."""
    if _lack(candidate, access) is not None:
        return None
    return best_way_in(access, state_after)


@derived
def single_points_after(access: Access, substitutes_after: Substitutes, best_way_after: Way | None) -> gpd.GeoDataFrame:
    """Stretches of the best way under the regime that nothing on the through network stands in for.

    See :func:`single_points`.
    """
    if best_way_after is None:
        return _no_points()
    return single_points(access.domain, substitutes_after.middle, best_way_after, access.places)


def _single_point_km(domain: Domain, substitutes: Substitutes, way: Way | None) -> Estimate:
    """Length of a way's through roads without substitute: at least (most substitutes), middle, at most (fewest)."""
    if way is None:
        return Estimate.exact(np.nan)
    through = domain.through[way.edges]
    bridges = (of_all[way.edges] for of_all in substitutes.bridges)
    # The fewest substitutes leave the most single points, so the ends change places.
    most, middle, least = (float(way.km[bridge & through].sum()) for bridge in bridges)
    return Estimate(least, middle, most)


def _no_points() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({name: [] for name in POINT_COLUMNS}, geometry=[], crs=WGS84)


@metric(
    Subject.REDUNDANCY,
    *with_before(
        Column(
            "single_point_km", Unit.KM, "length of the best way to the capital without any substitute",
            "bridges of the road graph on that way; " + _ENDS, interval=True,
        ),
        interval_before=True,
    ),
    Column(
        "single_point_added_km", Unit.KM, "length without substitute that the regime adds to that way; below 0: takes",
        "single_point_km - single_point_km_before", interval=True,
    ),
    *with_before(
        Column(
            "best_way_km", Unit.KM, "length of the best way from the crossing to the capital under the regime",
            "shortest path",
        )
    ),
    *with_before(
        Column(
            "best_way_over_limit_km", Unit.KM,
            "length of that way with a limit that a truck of 40 t exceeds", "as over_limit_km",
            shown=Shown.FILES,
        )
    ),
    status="single_point_km_status",
)  # fmt: skip
def measure_single_points(
    candidate: Candidate,
    access: Access,
    best_way_before: Way | None,
    single_point_km_before: Estimate,
    best_way_after: Way | None,
    substitutes_after: Substitutes,
) -> Values | Unmeasured:
    """The best way to the capital, and how much of it nothing can stand in for, before and after."""
    lack = _lack(candidate, access)
    if lack is not None:
        return Unmeasured(lack)
    before: dict[str, Any] = {}
    if best_way_before is not None:
        before = {
            "single_point_km_before": single_point_km_before,
            "best_way_km_before": float(best_way_before.km.sum()),
            "best_way_over_limit_km_before": _over_limit_km(access.domain, best_way_before),
        }
    if best_way_after is None:
        return Unmeasured(MetricStatus.UNREACHABLE, before)
    after = _single_point_km(access.domain, substitutes_after, best_way_after)
    return before | {
        "single_point_km": after,
        "single_point_added_km": _added(single_point_km_before, after),
        "best_way_km": float(best_way_after.km.sum()),
        "best_way_over_limit_km": _over_limit_km(access.domain, best_way_after),
    }


def _added(before: Estimate, after: Estimate) -> Estimate:
    """What is added, with the same roads standing in for others before and after."""
    pairs = ((before.low, after.low), (before.mid, after.mid), (before.high, after.high))
    low, mid, high = (0.0 if abs(b - a) < _ROUNDING_KM else b - a for a, b in pairs)
    # Differences of ends need not keep the order of the ends.
    return Estimate(min(low, mid, high), mid, max(low, mid, high))


def _over_limit_km(domain: Domain, way: Way) -> float:
    return float(way.km[exceeding(domain.network)[domain.rows[way.edges]]].sum())
