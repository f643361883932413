"""The routable graph: nodes, a table of edges, and positions on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import is_
from typing import Any, Generic, TypeVar, overload

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import WGS84, line_lengths_m, project, substring, utm_crs, vertex_chainage_m
from corridor.network.paths import Arcs, Tree, build_arcs, build_traffic_arcs, search
from corridor.schema.catalogue import TRUCK_OF_LIMIT
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus
from corridor.wording import format_position

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
T = TypeVar("T")

AS_DRIVEN = "as driven"
"""What a network shares to time documented journeys on: itself, with what is shut left out."""
_IN_THE_PLANE = ("planar", "tree", AS_DRIVEN)
_NEAR_IN = "edges of "
UNFIT_CLASSES = ("track", "service")
LEAST_THROUGH_KM = 20.0
"""Roads that hang together for less, joined to the rest by minor roads alone, carry no through traffic. Declared."""
_PIECE = 32
"""Vertices of the pieces of a line that edges near it are looked for by."""
MINUTES = ("minutes_forward", "minutes_backward", "car_minutes_forward", "car_minutes_backward")
TIME_COLUMNS = (*MINUTES, "delay_min")
"""What :meth:`Network.with_minutes` may change."""
EDGE_COLUMNS = [
    *("u", "v", "mode", "class", "status", "oneway", "bridge", "tunnel", "ref", "name", "section_id"),
    *("truck_access", "car_access", *TRUCK_OF_LIMIT, "documented_in", "through"),
    *("country", "border", "crossing_id", "delay_min", "length_m", *MINUTES, "geometry"),
]


@dataclass(frozen=True)
class Position:
    """A point on an edge: ``fraction`` of its length from u, and how far the asked point lay off, in metres."""

    edge: int
    fraction: float
    distance_m: float
    lon: float
    lat: float


@dataclass(frozen=True)
class Route:
    """A way found: edges in travelling order with their direction, cut at both ends.

    ``first`` and ``last`` are the fractions, along each edge's geometry, where travel begins on the first edge and
    ends on the last one. ``cost`` is in the unit that the search was asked in.
    """

    edges: tuple[int, ...]
    forward: tuple[bool, ...]
    first: float
    last: float
    cost: float

    def reversed(self) -> Route:
        """The same way travelled back; its cost is not known.

        Returns:
            The way back.
        """
        turned = tuple(not along for along in self.forward[::-1])
        return Route(self.edges[::-1], turned, self.last, self.first, float("nan"))


class shared_property(Generic[T]):  # noqa: N801 - it is written as property is
    """A property of a network that follows from all of its edges but their minutes.

    It is computed once, and shared by all networks that differ in minutes alone (:meth:`Network.with_minutes`).

    Args:
        make: computes it.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, network: None, owner: type) -> shared_property[T]: ...
    @overload
    def __get__(self, network: Network, owner: type) -> T: ...
    def __get__(self, network: Network | None, owner: type) -> T | shared_property[T]:
        """The value for a network; of the class, the property itself."""
        return self if network is None else network.share(self.name, lambda: self.make(network))


@dataclass(frozen=True)
class Network:
    """One graph of roads and railways.

    ``edges`` has the columns of EDGE_COLUMNS in EPSG:4326. Each edge lies in one country; where a way goes on in
    another, the two edges end in two nodes at the same place, joined by an edge of no length whose ``border`` names
    the countries (``AM-IR``), whose ``crossing_id`` is the crossing that allows it ('' = none) and whose status is
    that crossing's. ``oneway`` is 0 or 1 (along the geometry). ``truck_access`` and ``car_access`` are yes, local (only
    to places on the road) or no; the limits of ``TRUCK_OF_LIMIT`` are NaN where none is signed.
    ``documented_in`` is the catalogue section whose course an edge is part of ('' = none), ``through`` whether an edge
    may be driven on the way to somewhere else, rather than to and from places on it only, by whoever may use it freely.
    ``minutes_forward`` and ``minutes_backward`` are those of a truck or goods train along and against the geometry,
    ``car_minutes_forward`` and ``car_minutes_backward`` those of a car; at a passage they are ``delay_min``, the wait
    there, and NaN where nobody knows it (:func:`corridor.network.paths.as_last_resort` makes costs of a search of it).
    """

    edges: gpd.GeoDataFrame
    node_lon: Floats
    node_lat: Floats

    def __repr__(self) -> str:
        edges = self.edges[~self.is_border]
        km = edges.groupby("mode")["length_m"].sum() / 1000
        lengths = ", ".join(f"{length:,.0f} km of {mode}" for mode, length in km.items())
        return (
            f"<Network: {len(edges):,} edges, {self.n_nodes:,} nodes, {lengths}, {int(self.is_border.sum())} passages>"
        )

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_lon)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return {}

    def share(self, name: str, make: Callable[[], T]) -> T:
        """What others compute from a network whose minutes don't matter, computed once; see :meth:`keep`.

        Args:
            name: of what is computed, the same for the same.
            make: computes it.

        Returns:
            What ``make`` gave when it was first asked for, of this network or one that differs in minutes alone.
        """
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]  # type: ignore[no-any-return]

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """What others compute from the network alone, computed once.

        Args:
            name: of what is computed, the same for the same.
            make: computes it.

        Returns:
            What ``make`` gave when it was first asked for.
        """
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]  # type: ignore[no-any-return]

    def column(self, name: str) -> NDArray[Any]:
        """A column of ``edges`` as an array, not to be changed; texts of a table are converted once, not at each use.

        Args:
            name: of the column.

        Returns:
            Its values, shape (n_edges,).
        """
        once = self.keep if name in TIME_COLUMNS else self.share
        return once(f"column {name}", lambda: _values(self.edges[name]))

    def is_in(self, name: str, *values: str) -> Bools:
        """Which edges have one of some values in a column, not to be changed; looked up once for the same values.

        Args:
            name: of the column.
            *values: that count.

        Returns:
            Whether each edge has one, shape (n_edges,).
        """
        return self.share(f"{name} in {values}", lambda: self.edges[name].isin(values).to_numpy(dtype=bool))

    @shared_property
    def is_unfit(self) -> Bools:
        """Which edges are tracks and service roads, on which no goods travel."""
        return self.is_in("class", *UNFIT_CLASSES)

    @shared_property
    def arcs(self) -> Arcs:
        """The directed graph in compressed rows."""
        edges = self.edges
        return build_arcs(edges["u"].to_numpy(), edges["v"].to_numpy(), edges["oneway"].to_numpy(), self.n_nodes)

    @shared_property
    def is_through(self) -> Bools:
        """Which edges trucks may drive on the way to somewhere else, see :meth:`through_for`."""
        return self.through_for("truck_access")

    @shared_property
    def ends_legs(self) -> Bools:
        """Which edges end a first and begin a last leg of trucks, see :meth:`leg_ends_for`."""
        return self.leg_ends_for("truck_access")

    def through_for(self, access: str) -> Bools:
        """Which edges a kind of vehicle may drive on the way to somewhere else.

        These are railways, borders and roads that are ``through`` and not for local traffic alone. Roads in use that
        hang together for less than 20 km and are joined to the rest by minor roads alone, such as the main street of a
        village, are minor roads too.

        Args:
            access: the column of the vehicle's access, ``truck_access`` or ``car_access``.

        Returns:
            Shape (n_edges,).
        """
        other = self.is_border | ~self.is_in("mode", Mode.ROAD)
        return np.asarray(other | (self._is_free(access) & ~self._is_island(access)))

    def leg_ends_for(self, access: str) -> Bools:
        """Which edges end a first and begin a last leg: roads in use of the through network, and open borders.

        Args:
            access: as in :meth:`through_for`.

        Returns:
            Shape (n_edges,).
        """
        opened = self.is_border & self.is_in("status", SectionStatus.OPEN)
        return np.asarray((self.through_for(access) & self._is_driven(access)) | opened)

    def _is_free(self, access: str) -> Bools:
        """Which edges are of the through network and not for local traffic alone."""
        # A documented section carries through traffic whatever the map says of it.
        local = self.is_in(access, RoadAccess.LOCAL) & self.is_in("documented_in", "")
        return np.asarray(self.edges["through"].to_numpy(dtype=bool) & ~local)

    def _is_driven(self, access: str) -> Bools:
        """Which edges are roads in use that a kind of vehicle may drive."""
        return self.is_road_in_use & ~(self.is_unfit | self.is_in(access, RoadAccess.NO))

    def _is_island(self, access: str) -> Bools:
        """Which edges are roads in use of a through class that hang together for too short a length for a vehicle."""
        # A street between roads without lorries leads those nowhere, and joins these for everybody else.
        return self.share(f"islands by {access}", lambda: self._find_islands(access))

    def _find_islands(self, access: str) -> Bools:
        edges = self.edges
        usable = self._is_driven(access) & self._is_free(access)
        # Roads that hang together across an open border are one: a pass road may be short on either side of it.
        joined = usable | (self.is_border & self.is_in("status", SectionStatus.OPEN))
        u, v = self.ends
        ones = np.ones(int(joined.sum()))
        graph = sparse.coo_matrix((ones, (u[joined], v[joined])), shape=(self.n_nodes,) * 2)
        parts, part = connected_components(graph, directed=False)
        length_km = np.bincount(part[u[usable]], edges["length_m"].to_numpy()[usable] / 1000, minlength=parts)
        # a small network is no island in itself
        least = min(LEAST_THROUGH_KM, float(length_km.max(initial=0.0)))
        return np.asarray(usable & (length_km[part[u]] < least))

    def traffic_for(self, access: str, *, reverse: bool = False) -> Arcs:
        """The directed graph of a vehicle: minor roads are first and last leg only, see :func:`build_traffic_arcs`.

        Args:
            access: as in :meth:`through_for`.
            reverse: whether it is turned round.

        Returns:
            Its arcs, between states of nodes.
        """
        return self.share(f"traffic by {access}, turned {reverse}", lambda: self._traffic(access, reverse=reverse))

    def _traffic(self, access: str, *, reverse: bool) -> Arcs:
        through, ends_legs = self.through_for(access), self.leg_ends_for(access)
        alike = np.array_equal(through, self.is_through) and np.array_equal(ends_legs, self.ends_legs)
        if alike and access != "truck_access":
            return self.traffic_for("truck_access", reverse=reverse)
        u, v, oneway = (self.edges[name].to_numpy() for name in ("u", "v", "oneway"))
        return build_traffic_arcs(u, v, oneway, self.n_nodes, through, ends_legs, reverse=reverse)

    @shared_property
    def is_border(self) -> Bools:
        """Which edges are the passage from one country to another."""
        return ~self.is_in("border", "")

    @shared_property
    def is_road_in_use(self) -> Bools:
        """Which edges are open roads, border passages apart."""
        return self.is_in("mode", Mode.ROAD) & self.is_in("status", SectionStatus.OPEN) & ~self.is_border

    @shared_property
    def section_rows(self) -> dict[str, Ints]:
        """Rows of the edges of each catalogue section."""
        return {str(key): rows for key, rows in self.edges.groupby("section_id").indices.items() if key}

    def rows_of_sections(self, sections: Iterable[str]) -> set[int]:
        """Rows of the edges that are catalogue sections.

        Args:
            sections: their ids; one that is no edge of its own has no rows.

        Returns:
            Rows of all of them.
        """
        return {row for key in sections for row in self.section_rows.get(key, np.zeros(0, dtype=np.int64)).tolist()}

    def closed(
        self,
        mode: str,
        *,
        countries: Collection[str] | None = None,
        assume_open: Collection[str] = (),
        any_status: bool = False,
        access: str = "truck_access",
    ) -> Bools:
        """Edges that may not be used: another mode, not open, closed to trucks, a border without open crossing.

        Tracks and service roads never count: what is measured is goods traffic. Edges of other than the named
        ``countries`` are closed too.
        ``assume_open`` names sections and crossings that count as open. ``any_status`` lets disused, abandoned and
        unfinished ways count too: where a line lies rather than who may use it.

        Args:
            mode: ``road`` or ``rail``.
            countries: codes of those that may be used; all if left out.
            assume_open: sections and crossings that count as open.
            any_status: whether ways out of use count too.
            access: as in :meth:`through_for`.

        Returns:
            Whether each edge is closed, shape (n_edges,).
        """
        # A name may be that of a section of its own, of one that lies on mapped roads, or of a crossing: each has its
        # own column.
        assumed = np.zeros(len(self.edges), dtype=bool)
        for name in ("section_id", "documented_in", "crossing_id") if assume_open else ():
            assumed |= self.is_in(name, *assume_open)
        # What is assumed to be open is open to all vehicles: that is what the assumption says.
        usable = assumed | any_status | self.is_in("status", SectionStatus.OPEN)
        shut = ~usable | ~self.is_in("mode", mode) | self.is_unfit
        if not any_status:
            shut |= self.is_in(access, RoadAccess.NO) & ~assumed
        if countries is not None:
            shut |= ~self.is_in("country", *countries) & ~self.is_border
            # A passage has two countries and belongs to neither: it stays where both may be used.
            pairs = np.unique(self.column("border")[self.is_border])
            shut |= self.is_in("border", *(pair for pair in pairs if not set(pair.split("-")) <= set(countries)))
        return shut

    @shared_property
    def ends(self) -> tuple[Ints, Ints]:
        """Start and end node of each edge, shape (n_edges,) each."""
        u, v = (self.edges[name].to_numpy(dtype=np.int64) for name in ("u", "v"))
        return u, v

    @shared_property
    def is_oneway(self) -> Bools:
        """Edges that may be driven along their geometry alone."""
        return np.asarray(self.edges["oneway"].to_numpy() != 0)

    @shared_property
    def is_rail(self) -> Bools:
        """Edges of railways."""
        return self.is_in("mode", Mode.RAIL)

    @shared_property
    def length_km(self) -> Floats:
        """Length of each edge."""
        return np.asarray(self.edges["length_m"].to_numpy(dtype=float) / 1000)

    @shared_property
    def crs(self) -> str:
        """The UTM zone of the network's middle."""
        return utm_crs(float(np.median(self.node_lon)), float(np.median(self.node_lat)))

    @shared_property
    def planar(self) -> NDArray[np.object_]:
        """Edge geometries in metres, in the UTM zone of the network's middle."""
        return np.asarray(project(self.edges.geometry.to_numpy(), WGS84, self.crs), dtype=object)

    def take_planar(self, crs: str, lines: NDArray[np.object_]) -> None:
        """Take lines of the first edges that were projected before; the rest is projected now.

        Args:
            crs: the system that they are in; those of another than the network's own are no use.
            lines: of as many edges as there are.
        """
        if crs == self.crs:
            rest = project(self.edges.geometry.to_numpy()[len(lines) :], WGS84, crs)
            self.share("planar", lambda: np.concatenate([lines, rest]))

    @shared_property
    def tree(self) -> shapely.STRtree:
        """Index of the planar geometries."""
        return shapely.STRtree(self.planar)

    def forget_plane(self) -> None:
        """Let go what was made to find ways by where they lie; whoever asks for it again has it made again."""
        for name in [name for name in self._shared if name in _IN_THE_PLANE or name.startswith(_NEAR_IN)]:
            del self._shared[name]

    def rows_near(self, line: shapely.LineString, distance_m: float, country: str | None = None) -> Ints:
        """Edges within a distance of a planar line, in rising order.

        Args:
            line: in the network's plane.
            distance_m: greatest distance, metres.
            country: those of one country alone; of all if left out.

        Returns:
            Rows of the edge table.
        """
        # The frame around a long line holds half a network: short pieces of it have few edges in theirs.
        xy = shapely.get_coordinates(line)
        pieces = [shapely.LineString(xy[at : at + _PIECE + 1]) for at in range(0, len(xy) - 1, _PIECE)]
        rows, tree = None, self.tree
        if country is not None:
            # Most of a long route runs through others: an index of the country's own edges finds nothing there.
            rows, tree = self.share(_NEAR_IN + country, lambda: self._of_country(country))
        near = np.unique(tree.query(pieces, predicate="dwithin", distance=distance_m)[1])
        return near if rows is None else rows[near]

    def _of_country(self, country: str) -> tuple[Ints, shapely.STRtree]:
        """Rows of the edges in a country, and an index of their planar geometries."""
        rows = np.flatnonzero(self.is_in("country", country))
        return rows, shapely.STRtree(self.planar[rows])

    def snap(self, lon: float, lat: float, closed: Bools, *, limit_m: float, what: str) -> Position:
        """The nearest point of the nearest edge that isn't closed.

        Args:
            lon: of the point, degrees east.
            lat: degrees north.
            closed: edges that don't count, shape (n_edges,).
            limit_m: farthest that it may lie.
            what: what the point is, for the message.

        Returns:
            The position on the edge.

        Raises:
            NetworkError: there is none within ``limit_m``; says how far the nearest is.
        """
        # Distances are measured in the plane of the network's UTM zone; degrees differ in length by direction.
        point = project(shapely.Point(lon, lat), WGS84, self.crs)
        shut = closed | self.is_border
        # The index gives boxes that overlap; sorted, the first of edges equally near is the same in every run.
        near = self.tree.query(shapely.buffer(point, limit_m))
        near = np.sort(near[~shut[near]])
        gaps = shapely.distance(self.planar[near], point) if len(near) else np.array([np.inf])
        if gaps.min() > limit_m:
            raise NetworkError(self._too_far(point, lon, lat, shut, limit_m, what))
        (found,) = self._on_edges(near[[np.argmin(gaps)]], np.array([point]))
        return found

    def snap_all(self, lon: Floats, lat: Floats, closed: Bools, *, limit_m: float) -> list[Position | None]:
        """The same for many points at once; None for one that no edge is near enough to.

        Args:
            lon: of the points, degrees east, shape (n,).
            lat: degrees north.
            closed: edges that don't count, shape (n_edges,).
            limit_m: farthest that a point may lie.

        Returns:
            A position on an edge for each point, in their order, or None.
        """
        usable = np.flatnonzero(~(closed | self.is_border))
        found: list[Position | None] = [None] * len(lon)
        if not len(usable) or not len(lon):
            return found
        points = project(shapely.points(lon, lat), WGS84, self.crs)
        # The index of all edges can't leave out closed ones, and the nearest edge of all may be closed: usable ones get
        # an index of their own.
        which, near = shapely.STRtree(self.planar[usable]).query_nearest(points, max_distance=limit_m)
        # of edges that are equally near the first counts
        order = np.lexsort((near, which))
        which, near = which[order], usable[near[order]]
        first = np.append(True, which[1:] != which[:-1]) if len(which) else np.zeros(0, dtype=bool)
        which = which[first]
        for point, position in zip(which.tolist(), self._on_edges(near[first], points[which]), strict=True):
            found[point] = position
        return found

    def _on_edges(self, edges: Ints, points: NDArray[np.object_]) -> list[Position]:
        """Where on an edge each point (in the network's own system) is nearest to it, shape (n,) each."""
        lines = self.planar[edges]
        gaps = shapely.distance(lines, points)
        fractions = shapely.line_locate_point(lines, points, normalized=True)
        # The position is told where it is on the edge, since the point itself may lie beside it.
        back = project(shapely.line_interpolate_point(lines, fractions, normalized=True), self.crs, WGS84)
        columns = edges, fractions, gaps, shapely.get_x(back), shapely.get_y(back)
        return [Position(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def _too_far(self, point: shapely.Point, lon: float, lat: float, shut: Bools, limit_m: float, what: str) -> str:
        if shut.all():
            return f"{what}: the network has no usable way of that kind at all; check mode, countries and data"
        gap = float(shapely.distance(self.planar[~shut], point).min())
        # A point without a name is called by its position, which needn't be said twice.
        at = "" if what.endswith(format_position(lat, lon, 3)) else f" at {format_position(lat, lon, 4)}"
        return (
            f"{what}{at}: the nearest usable way is {gap / 1000:.1f} km off, the limit "
            f"is {limit_m / 1000:g} km; correct the place or raise snap_limit_km"
        )

    def starts(self, at: Position, forward: Floats, backward: Floats) -> list[tuple[int, float]]:
        """Where a search from a position begins: the edge's ends that may be driven to, with what that costs.

        Args:
            at: where the search begins.
            forward: cost of each edge along its geometry, shape (n_edges,).
            backward: cost against it.

        Returns:
            Nodes with their costs.
        """
        u, v = self.ends
        # Forwards to the far end, and where traffic may run both ways back to the near one.
        starts = [(int(v[at.edge]), float(forward[at.edge] * (1 - at.fraction)))]
        if not self.is_oneway[at.edge]:
            starts.append((int(u[at.edge]), float(backward[at.edge] * at.fraction)))
        return starts

    def search(
        self,
        at: Position,
        forward: Floats,
        backward: Floats,
        closed: Bools,
        *,
        any_road: bool = False,
        until: Bools | None = None,
        access: str = "truck_access",
    ) -> Tree:
        """Cheapest costs from a position on a road to every node.

        Args:
            at: where ways begin.
            forward: cost of each edge along its geometry, shape (n_edges,).
            backward: cost against it.
            closed: edges that may not be used.
            any_road: minor roads may be driven on the way to somewhere else too.
            until: nodes after the last of which the search ends, shape (n_nodes,); it never does if left out.
            access: as in :meth:`through_for`.

        Returns:
            Costs by node, and where each was reached from.
        """
        arcs = self.arcs if any_road else self.traffic_for(access)
        return search(arcs, self.starts(at, forward, backward), forward, backward, closed, until)

    def route(
        self,
        start: Position,
        end: Position,
        forward: Floats,
        backward: Floats,
        closed: Bools,
        *,
        any_road: bool = False,
        turn_within_m: float = 0.0,
        access: str = "truck_access",
    ) -> Route:
        """The cheapest way between two positions; of a train, which turns round nowhere, between two on tracks.

        Args:
            start: where the way begins.
            end: where it ends.
            forward: cost of each edge along its geometry, shape (n_edges,).
            backward: cost against it.
            closed: edges that may not be used.
            any_road: minor roads may be driven on the way to somewhere else too.
            turn_within_m: trains may turn round so near to either end, where that is a station.
            access: as in :meth:`through_for`.

        Returns:
            Its edges in order, and its cost.

        Raises:
            NoRouteError: there is none.
        """
        if self.is_rail[start.edge]:
            from corridor.network.trains import route_train

            return route_train(self, start, end, forward, backward, closed, turn_within_m=turn_within_m)
        # The tree holds costs to nodes; both positions lie inside edges, so that what is driven on these is added by
        # hand.
        u, v = (int(ends[end.edge]) for ends in self.ends)
        until = np.zeros(self.n_nodes, dtype=bool)
        until[[u, v]] = True
        tree = self.search(start, forward, backward, closed, any_road=any_road, until=until, access=access)
        # The way ends on an edge: it comes over one end of it or, where traffic may run both ways, over the other.
        ways = [(tree.cost[u] + forward[end.edge] * end.fraction, u, True)]
        if not self.is_oneway[end.edge]:
            ways.append((tree.cost[v] + backward[end.edge] * (1 - end.fraction), v, False))
        cost, node, along = min(ways)
        if start.edge == end.edge:
            # Two places on one edge may be nearest along it, without a node between.
            direct = self.direct(start, end, forward, backward, oneway=bool(self.is_oneway[end.edge]))
            if direct is not None and direct.cost <= cost:
                return direct
        if not np.isfinite(cost) or closed[end.edge]:
            raise NoRouteError("there is no way between the two places")
        steps = self._with_start(start, [*tree.path(node), (end.edge, along)], forward, backward)
        return Route(tuple(e for e, _ in steps), tuple(f for _, f in steps), start.fraction, end.fraction, float(cost))

    def _with_start(
        self, start: Position, steps: list[tuple[int, bool]], forward: Floats, backward: Floats
    ) -> list[tuple[int, bool]]:
        """Steps with the part of the first edge put before them; a loop is left by its cheaper end."""
        edge, along = steps[0]
        first_node = int(self.ends[0 if along else 1][edge])
        ahead = [cost for node, cost in self.starts(start, forward, backward)[:1] if node == first_node]
        back = [cost for node, cost in self.starts(start, forward, backward)[1:] if node == first_node]
        leaves_forward = bool(ahead) and (not back or ahead[0] <= back[0])
        return [(start.edge, leaves_forward), *steps]

    def direct(
        self, start: Position, end: Position, forward: Floats, backward: Floats, *, oneway: bool = False
    ) -> Route | None:
        """The way between two positions on one edge; None if that is one-way the other way.

        Args:
            start: where the way begins.
            end: where it ends.
            forward: cost of each edge along its geometry, shape (n_edges,).
            backward: cost against it.
            oneway: whether the edge may be driven along its geometry alone.

        Returns:
            The way along the edge.
        """
        share = end.fraction - start.fraction
        if share < 0 and oneway:
            return None
        cost = share * forward[start.edge] if share >= 0 else -share * backward[start.edge]
        return Route((start.edge,), (share >= 0,), start.fraction, end.fraction, float(cost))

    def part(self, route: Route, index: int) -> shapely.LineString:
        """The geometry of one step of a route in travelling direction, cut at the route's ends.

        Args:
            route: of this network.
            index: of the step.

        Returns:
            A line (lon, lat).
        """
        line = self.column("geometry")[route.edges[index]]
        forward = route.forward[index]
        # Fractions run along the geometry whatever the direction of travel: travelled backwards, an edge begins at its
        # high end.
        low, high = 0.0, 1.0
        if index == 0:
            low, high = (route.first, high) if forward else (low, route.first)
        if index == len(route.edges) - 1:
            low, high = (low, min(high, route.last)) if forward else (max(low, route.last), high)
        if (low, high) != (0.0, 1.0):
            total = float(vertex_chainage_m(line)[-1])
            line = substring(line, low * total, high * total)
        return line if forward else line.reverse()

    def with_edges(self, edges: gpd.GeoDataFrame) -> Network:
        """The same nodes with another edge table of the same shape.

        Args:
            edges: a row for each of this network's.

        Returns:
            The changed network.
        """
        other = replace(self, edges=edges)
        # where ways lie needn't be computed again where only what is said of them changes
        if all(map(is_, self.edges.geometry.to_numpy(), edges.geometry.to_numpy())):
            known = self._shared
            other._shared.update({name: known[name] for name in ("crs", "planar", "tree") if name in known})
        return other

    def with_minutes(self, minutes: Mapping[str, Floats]) -> Network:
        """The same ways with other times: whatever else is known of them needn't be computed again.

        Args:
            minutes: by column of TIME_COLUMNS, shape (n_edges,) each.

        Returns:
            The changed network.

        Raises:
            ValueError: another column is named.
        """
        if others := sorted(set(minutes) - set(TIME_COLUMNS)):
            raise ValueError(f"'{others[0]}' is no column of minutes")
        timed = replace(self, edges=self.edges.assign(**minutes))
        timed.__dict__["_shared"] = self._shared
        return timed

    def alternatives(
        self, origin: tuple[float, float], destination: tuple[float, float], **options: Any
    ) -> gpd.GeoDataFrame:
        """Ways that differ between points (lon, lat): :func:`corridor.network.alternatives.alternative_routes`.

        Args:
            origin: where ways begin.
            destination: where they end.
            **options: ``count``, ``max_shared``, ``max_stretch`` and others of that function.

        Returns:
            A row per way.
        """
        from corridor.network.alternatives import alternative_routes

        return alternative_routes(self, origin, destination, **options)

    @staticmethod
    def from_osmnx(graph: Any) -> Network:
        """A network from an osmnx graph; see :func:`corridor.network.osmnx_bridge.from_osmnx`.

        Args:
            graph: a ``networkx.MultiDiGraph`` as osmnx makes it.

        Returns:
            The network.
        """
        from corridor.network.osmnx_bridge import from_osmnx

        return from_osmnx(graph)

    def to_osmnx(self) -> Any:
        """An osmnx graph (networkx.MultiDiGraph); see :func:`corridor.network.osmnx_bridge.to_osmnx`.

        Returns:
            The graph, with the columns of the edge table as attributes.
        """
        from corridor.network.osmnx_bridge import to_osmnx

        return to_osmnx(self)


def _values(column: pd.Series) -> NDArray[Any]:
    """The values of a column; of texts that are no Python strings yet, and which most edges share, one copy of each."""
    if not isinstance(column.dtype, pd.StringDtype) or column.dtype.storage == "python":
        return np.asarray(column.to_numpy())
    which, words = pd.factorize(column, use_na_sentinel=False)
    return np.asarray(words.to_numpy(dtype=object)[which])


def edge_frame(columns: dict[str, Any]) -> gpd.GeoDataFrame:
    """An edge table from columns; what is missing gets its neutral value and lengths are measured."""
    n = len(columns["u"])
    # A value that says nothing: open, for all, in no country, of no section, without a limit.
    neutral: dict[str, Any] = {
        "mode": "road", "class": "unclassified", "status": "open", "oneway": 0, "bridge": False, "tunnel": False,
        "truck_access": "yes", "car_access": "yes", **dict.fromkeys(TRUCK_OF_LIMIT, np.nan),
        "documented_in": "", "through": True,
        "ref": "", "name": "", "section_id": "", "country": "", "border": "", "crossing_id": "", "delay_min": 0.0,
        "minutes_forward": 0.0, "minutes_backward": 0.0,
    }  # fmt: skip
    data = {name: columns.get(name, np.full(n, value)) for name, value in neutral.items()}
    # cars take as long as trucks where nobody says otherwise
    data |= {f"car_{name}": columns.get(f"car_{name}", data[name]) for name in MINUTES[:2]}
    data |= {"u": columns["u"], "v": columns["v"]}
    data["length_m"] = columns["length_m"] if "length_m" in columns else line_lengths_m(columns["geometry"])
    data["geometry"] = columns["geometry"]
    return gpd.GeoDataFrame({name: data[name] for name in EDGE_COLUMNS}, crs=WGS84, copy=False)
