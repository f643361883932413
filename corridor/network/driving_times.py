"""Minutes of every edge for each vehicle, and computed times held against documented journeys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import line_lengths_m, locate_m
from corridor.network.graph import AS_DRIVEN, UNFIT_CLASSES, Network, Position
from corridor.network.map_matching import Match, node_position, part_lengths_km
from corridor.network.road_survey import Ground, Pin, PinFit, RoadCourses, RoadSurvey, lay_roads, survey_roads
from corridor.network.speed_model import class_speeds_kmh, driving_minutes
from corridor.schema.catalogue import GradeCeiling, Node, Section
from corridor.schema.parameters import DocumentedHeight, DrivingModel, DrivingParameters
from corridor.schema.study import TimeSpec
from corridor.schema.vocabulary import Mode, SectionStatus
from corridor.terrain.surface import Dem

# --- Computed driving times held against documented journeys: one common factor, and how well each is foretold ---

Floats = NDArray[np.float64]
SPEED_UNCERTAINTY = 0.25
"""By how much speeds may be off either way, as a share. Declared."""
OWN_FACTOR_FROM = 3
"""From so many exact journeys on a vehicle has a factor of its own."""
NODE_LIMIT_M = 3000.0
"""Farthest that an end of a documented journey may lie from a road. Declared."""


@dataclass(frozen=True)
class TimeSpread:
    """Factors that driving times are multiplied by at the ends of what is held possible."""

    low: float
    high: float


DECLARED_SPREAD = TimeSpread(1 / (1 + SPEED_UNCERTAINTY), 1 / (1 - SPEED_UNCERTAINTY))
"""Speeds a quarter up and down: for trains, and where no journey is documented."""


@dataclass(frozen=True)
class DocumentedTime:
    """A journey of which a document states the time, and what the network computes for it before any fit.

    ``low_min`` and ``high_min`` are driving, the documented breaks taken off. ``fitted`` says whether it takes part in
    the fit; ``at_least`` that the document only gives a lower bound.
    """

    name: str
    vehicle: str
    length_km: float
    low_min: float
    high_min: float
    computed_min: float
    source_id: str
    fitted: bool = True
    at_least: bool = False

    @property
    def log_ratio(self) -> float:
        """Logarithm of documented over computed time, for the geometric middle of a range."""
        return float((np.log(self.low_min) + np.log(self.high_min)) / 2 - np.log(self.computed_min))

    @property
    def is_exact(self) -> bool:
        """Whether the document gives one figure that takes part in the fit."""
        return self.fitted and not self.at_least and self.low_min == self.high_min


@dataclass(frozen=True)
class TimeFit:
    """Factors from computed to documented driving times.

    ``factor`` is common to all vehicles; ``own`` has those of vehicles with at least three exact times. ``residuals``
    are ln(documented / fitted) of each journey that took part, where the fit was made without it; ``spread`` is their
    root mean square. With a single journey neither can be known: ``residuals`` is empty and ``spread`` NaN.
    """

    factor: float
    own: dict[str, float]
    spread: float
    residuals: tuple[float, ...]
    times: tuple[DocumentedTime, ...]

    def factor_of(self, vehicle: str) -> float:
        """The factor that a vehicle's computed times are multiplied by."""
        return self.own.get(vehicle, self.factor)

    @property
    def fitted(self) -> tuple[DocumentedTime, ...]:
        """The journeys that took part, in the order of the residuals."""
        return tuple(time for time in self.times if time.fitted and not time.at_least)

    def time_spread(self, pin_effect: float) -> TimeSpread:
        """Ends of the interval about fitted times.

        Args:
            pin_effect: what lacking documented heights may add, as a logarithm; independent of the residuals.
        """
        if not np.isfinite(self.spread):
            return DECLARED_SPREAD
        # Independent errors add as squares.
        half = float(np.hypot(self.spread, pin_effect))
        return TimeSpread(float(np.exp(-half)), float(np.exp(half)))


def fit_time_factor(times: Sequence[DocumentedTime]) -> TimeFit:
    """Least squares of the logarithms of documented over computed times, with leave-one-out residuals.

    >>> times = [DocumentedTime("a-b", "bus", 20, 50, 72, 30, "x"), DocumentedTime("b-c", "bus", 20, 60, 60, 30, "x")]
    >>> fit_time_factor(times).factor
    2.0

    Raises:
        NetworkError: a time isn't positive or not in order, or none takes part in the fit.
    """
    # Logarithms are fitted: a time of 0 or a way that isn't there would make the factor infinite without a word.
    wrong = [t.name for t in times if not (0 < t.low_min <= t.high_min and 0 < t.computed_min < np.inf)]
    if wrong:
        raise NetworkError(
            f"documented times must be above 0 with their breaks taken off, low before high, and the way reachable: "
            f"see {', '.join(wrong)}"
        )
    used = [time for time in times if time.fitted and not time.at_least]
    if not used:
        raise NetworkError("times: none of the documented journeys takes part in the fit; give one, or leave all out")
    logs = np.array([time.log_ratio for time in used])
    # A vehicle with enough exact journeys of its own gets a factor of its own: buses are driven unlike trucks.
    exact: dict[str, list[float]] = {}
    for time in used:
        if time.is_exact:
            exact.setdefault(time.vehicle, []).append(time.log_ratio)
    own = {key: _factor(np.array(found)) for key, found in exact.items() if len(found) >= OWN_FACTOR_FROM}
    if len(logs) == 1:
        return TimeFit(_factor(logs), own, float("nan"), (), tuple(times))
    # without the journey itself, the mean of the others: its residual grows by n / (n - 1)
    left_out = (logs - logs.mean()) * len(logs) / (len(logs) - 1)
    spread = float(np.sqrt((left_out**2).mean()))
    return TimeFit(_factor(logs), own, spread, tuple(left_out.tolist()), tuple(times))


def _factor(logs: Floats) -> float:
    return round(float(np.exp(logs.mean())), 12)


def time_journeys(
    specs: Sequence[TimeSpec],
    network: Network,
    nodes: Mapping[str, Node],
    minutes: Mapping[str, tuple[Floats, Floats]],
    *,
    on_map: bool,
) -> tuple[DocumentedTime, ...]:
    """What the network computes for documented journeys.

    A journey runs from node to node by way of those between, over roads of any country that exist: who may pass a
    stretch today is no part of how long it took then, and checks at borders are left out. What is shut to trucks alone
    is shut to no other vehicle.

    Args:
        specs: the study's documented journeys.
        network: the roads; rows of ``minutes`` are its first edges.
        nodes: of the catalogue, by id.
        minutes: minutes along and against each edge by vehicle, borders left out.
        on_map: whether the network was made of a map, on which nodes are looked up with preference for main roads.

    Raises:
        NetworkError: a vehicle or node isn't known, or there is no way between two nodes; one line names the journey.
    """
    # Every fit of one network asks for the same opened copy, whatever the minutes: it is made once.
    network = network.share(AS_DRIVEN, lambda: _as_driven(network))
    # Buses drive where cars may.
    access_of = {vehicle: "truck_access" if vehicle == TRUCK else "car_access" for vehicle in minutes}
    shut = {access: network.closed(Mode.ROAD, access=access) for access in access_of.values()}
    # Journeys share ends: each node is looked up on the network once.
    at: dict[tuple[str, str], Position] = {}

    def position(key: str, name: str, access: str) -> Position:
        if key not in nodes:
            raise NetworkError(f"times: '{name}': '{key}' is no node of the catalogue; correct it")
        if (key, access) not in at:
            node = nodes[key]
            at[key, access] = (
                node_position(network, node, Mode.ROAD)
                if on_map
                else network.snap(node.lon, node.lat, shut[access], limit_m=NODE_LIMIT_M, what=f"node '{key}'")
            )
        return at[key, access]

    found = []
    for spec in specs:
        if spec.vehicle not in minutes:
            known = ", ".join(sorted(minutes))
            raise NetworkError(f"times: '{spec.name}': vehicle '{spec.vehicle}' is not in vehicles.csv; use {known}")
        # Passages of borders were added after the minutes were computed: their checks are no part of driving.
        forward, backward = (_padded(way, len(network.edges)) for way in minutes[spec.vehicle])
        access = access_of[spec.vehicle]
        total, km = 0.0, 0.0
        for start, end in pairwise((spec.from_node, *spec.via, spec.to_node)):
            try:
                from_at, to_at = (position(node, spec.name, access) for node in (start, end))
                leg = network.route(from_at, to_at, forward, backward, shut[access], access=access)
            except NoRouteError as fault:
                raise NetworkError(
                    f"times: '{spec.name}': '{start}' and '{end}' aren't joined by open roads of this network; "
                    "correct the nodes or take the journey out"
                ) from fault
            total, km = total + leg.cost, km + float(part_lengths_km(network, leg).sum())
        # Breaks are documented with the journey and aren't driven; what is left is what the model must explain.
        driving = (spec.low_min - spec.breaks_min, spec.high_min - spec.breaks_min)
        found.append(
            DocumentedTime(
                spec.name, spec.vehicle, km, *driving, total, spec.source, fitted=spec.fitted, at_least=spec.at_least
            )
        )
    return tuple(found)


def _as_driven(network: Network) -> Network:
    """The network with borders passable and closed or doubtful roads open: as they were when a journey was made."""
    edges, _ = network.edges, network.tree  # the tree is of both
    shut = edges["status"].isin([SectionStatus.CLOSED, SectionStatus.UNKNOWN]) | network.is_border
    opened = shut & (edges["mode"] == Mode.ROAD)
    return network.with_edges(edges.assign(status=edges["status"].where(~opened, SectionStatus.OPEN)))


def _padded(minutes: Floats, n_edges: int) -> Floats:
    """Minutes with 0 for what stands after them: passages of no length between countries."""
    return np.concatenate([minutes, np.zeros(n_edges - len(minutes))])


Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STRUCTURE_LIMIT_M = 5000.0
"""A documented structure farther off the line belongs to another road. Declared."""
_SURVEYED = ["u", "v", "length_m", "ref", "class", "bridge", "tunnel", "section_id", "geometry"]
"""What of the edge table a survey reads."""
TRUCK, CAR = "truck", "car"
"""Vehicles that goods and people of villages travel by; every vehicles.csv has them."""


@dataclass(frozen=True)
class SurveyedEdges:
    """Edges with the grades and bends of the roads among them: what no speed changes."""

    edges: gpd.GeoDataFrame
    survey: RoadSurvey

    @cached_property
    def rows(self) -> Ints:
        """Rows of roads, which the survey was made of."""
        return _road_rows(self.edges)


@dataclass(frozen=True)
class EdgeTimes:
    """Minutes along and against each edge by vehicle; those of railways are a train's whatever the vehicle.

    ``pins`` says how documented heights fit the roads, and ``pinned`` which edges have one within its reach, shape
    (n_edges,). ``pin_effect`` is the root mean square of the logarithm of what pins change a truck's minutes by, on the
    edges that have them: how far times may be off where there is none.
    """

    minutes: dict[str, tuple[Floats, Floats]]
    pins: tuple[PinFit, ...]
    pinned: Bools
    pin_effect: float


@dataclass(frozen=True)
class Driving:
    """What driving times are computed with, those before any fit, and the fit to documented journeys, if any."""

    model: DrivingModel
    edge_times: EdgeTimes
    fit: TimeFit | None

    def factor_of(self, vehicle: str) -> float:
        """What a vehicle's computed road times are multiplied by."""
        return self.fit.factor_of(vehicle) if self.fit else 1.0

    def spread(self, mode: str = Mode.ROAD, edges: Sequence[int] | None = None) -> TimeSpread:
        """Ends of the interval about times, wider where no documented height is in reach.

        Args:
            mode: of the way; trains have the declared interval.
            edges: rows that are travelled; None for roads that no edge is known of, which count as unpinned.
        """
        if self.fit is None or mode != Mode.ROAD:
            return DECLARED_SPREAD
        # What lacking heights add counts by the share of edges that lack them; passages of borders stand after all
        # edges and have none.
        pinned = self.edge_times.pinned
        rows = [edge for edge in edges or () if edge < len(pinned)]
        share = 1.0 - float(pinned[rows].mean()) if rows else 1.0
        return self.fit.time_spread(self.edge_times.pin_effect * share)


def ground_of(dem: Dem | None, parameters: DrivingParameters) -> Ground | None:
    """The elevation model as roads are surveyed on it; None for level roads."""
    return None if dem is None else Ground(dem.sample, parameters.smoothing_window_m(dem.resolution_m))


def lay_edges(
    edges: gpd.GeoDataFrame,
    n_nodes: int,
    parameters: DrivingParameters,
    dem: Dem | None,
    sections: Mapping[str, Section],
) -> RoadCourses:
    """How the roads among edges run: bends, and heights of the elevation model along them.

    Args:
        edges: the edge table, before it is split at borders.
        n_nodes: number of its nodes.
        parameters: windows that heights and bends are measured over.
        dem: the elevation model; None leaves all roads level.
        sections: the catalogue's sections, whose documented structures count where they are edges of their own.
    """
    road = edges[_SURVEYED].iloc[_road_rows(edges)]
    return lay_roads(
        road,
        n_nodes,
        ground_of(dem, parameters),
        parameters,
        schematic=(road["section_id"] != "").to_numpy(),
        carried=_documented_structures(road, sections),
    )


def survey_edges(
    edges: gpd.GeoDataFrame,
    courses: RoadCourses,
    model: DrivingModel,
    matches: Mapping[str, Match],
    sections: Mapping[str, Section],
) -> RoadSurvey:
    """Grades and bends of the roads among edges.

    Args:
        edges: the edge table, before it is split at borders.
        courses: of its roads, from :func:`lay_edges`.
        model: parameters, grade ceilings and documented heights; its speeds and vehicles don't matter.
        matches: sections found on edges, whose documented grades count there.
        sections: the catalogue's sections; their speeds don't matter.
    """
    roads = _road_rows(edges)
    # The survey knows roads alone; ``local`` turns rows of the edge table into its rows.
    local = np.full(len(edges), -1, dtype=np.int64)
    local[roads] = np.arange(len(roads))
    return survey_roads(
        edges[["u", "v"]].iloc[roads],
        courses,
        model.parameters,
        pins=road_pins(model.heights, sections, edges, local, matches),
        max_grade=_max_grades(edges, model.grade_ceilings, matches, sections)[roads],
    )


def _road_rows(edges: gpd.GeoDataFrame) -> Ints:
    return np.flatnonzero((edges["mode"] == Mode.ROAD).to_numpy())


def time_edges(
    surveyed: SurveyedEdges,
    model: DrivingModel,
    matches: Mapping[str, Match],
    sections: Mapping[str, Section],
    vehicles: Collection[str] = (),
) -> EdgeTimes:
    """Driving times of all edges, delays at borders not included.

    Args:
        surveyed: the edges, with what :func:`survey_edges` says of them.
        model: speeds, vehicles, and the rows that the survey was made with.
        matches: sections found on edges, whose documented speeds count there.
        sections: the catalogue's sections as they are at the network's date.
        vehicles: whose times are wanted beside those of trucks and cars; unknown ones are left out.

    Raises:
        CatalogueError: a class has no speed.
    """
    edges, roads, survey = surveyed.edges, surveyed.rows, surveyed.survey
    speed = _speeds_kmh(edges, model, matches, sections)
    minutes = {}
    # Railways keep the time of their speed on the level; roads get what their grades and bends allow.
    level = edges["length_m"].to_numpy(dtype=float) / speed * 0.06

    def minutes_of(vehicle: str) -> tuple[Floats, Floats]:
        # Vehicles are computed at the same time: each writes on copies of its own.
        along, against = level.copy(), level.copy()
        along[roads], against[roads] = driving_minutes(
            survey.pieces, model.vehicles[vehicle], speed[roads], model.parameters.superelevation
        )
        return along, against

    keys = sorted({TRUCK, CAR, *vehicles} & set(model.vehicles))
    # compiled code that lets other threads run: each vehicle takes as long as all the rest of this
    with ThreadPoolExecutor() as pool:
        minutes = dict(zip(keys, pool.map(minutes_of, keys), strict=True))
    pinned = np.zeros(len(edges), dtype=bool)
    pinned[roads] = survey.pinned
    return EdgeTimes(minutes, survey.pins, pinned, _pin_effect(survey, minutes[TRUCK], roads, speed, model))


def _speeds_kmh(
    edges: gpd.GeoDataFrame, model: DrivingModel, matches: Mapping[str, Match], sections: Mapping[str, Section]
) -> Floats:
    """Class speed of each edge, or the documented one of the section that it is or that runs over it."""
    # From the general to the particular, each beating the one before: class, section matched on mapped edges, section
    # drawn as an edge of its own.
    speed = class_speeds_kmh(edges["mode"], edges["class"], model.speeds)
    documented = {key: section.design_speed_kmh for key, section in sections.items() if section.design_speed_kmh}
    for key, match in matches.items():
        if key in documented:
            speed[list(match.route.edges)] = documented[key]
    own = edges["section_id"].map(documented).to_numpy(dtype=float)
    return np.asarray(np.where(np.isnan(own), speed, own))


def _max_grades(
    edges: gpd.GeoDataFrame,
    ceilings: Sequence[GradeCeiling],
    matches: Mapping[str, Match],
    sections: Mapping[str, Section],
) -> Floats:
    """Steepest grade of each edge as a ratio: documented, else of its class, infinite where neither is known."""
    table = {item.road_class: item.ceiling_pct / 100 for item in ceilings if item.mode == Mode.ROAD}
    # A link is as steep as its road may be; a class that has no ceiling is believed whatever the heights say.
    usual = {name: table.get(name.removesuffix("_link"), np.inf) for name in edges["class"].unique()}
    limit = edges["class"].map(usual).to_numpy(dtype=float, copy=True)
    documented = {key: s.max_grade_pct / 100 for key, s in sections.items() if s.max_grade_pct}
    for key, match in matches.items():
        if key in documented:
            limit[list(match.route.edges)] = documented[key]
    own = edges["section_id"].map(documented).to_numpy(dtype=float)
    return np.asarray(np.where(np.isnan(own), limit, own))


def road_pins(
    heights: Sequence[DocumentedHeight],
    sections: Mapping[str, Section],
    edges: gpd.GeoDataFrame,
    local: Ints,
    matches: Mapping[str, Match],
) -> tuple[Pin, ...]:
    """Documented heights with the roads that each may lie on, as row numbers of ``local``.

    A height at a node belongs to the sections that meet there, one beside a section to that section; where none of them
    is on the network, to any road that goods travel on.

    Args:
        heights: documented ones.
        sections: of the catalogue, by id.
        edges: the edge table.
        local: row of each edge among the roads, -1 for others, shape (n_edges,).
        matches: sections found on the map, by id.
    """
    own = {str(key): rows for key, rows in edges.groupby("section_id").indices.items() if key}
    fit = local[np.flatnonzero(((local >= 0) & ~edges["class"].isin(UNFIT_CLASSES)).to_numpy())]
    pins = []
    for height in heights:
        # Which sections a height speaks of: the one that it names, or those that meet in its node.
        wanted = (
            [height.section_id]
            if height.section_id
            else [s.section_id for s in sections.values() if height.node_id in (s.from_node, s.to_node)]
        )
        rows = [int(row) for key in wanted for row in (*own.get(key, ()), *_matched(matches, key))]
        # Rows of railways have no local number: roads alone are surveyed.
        mine = sorted({int(local[row]) for row in rows} - {-1})
        if height.section_id and not mine:
            continue  # a road that this network doesn't have, or a railway
        chosen = tuple(mine) or tuple(fit.tolist())
        pins.append(Pin(height.height_id, height.lon, height.lat, height.elevation_m, chosen))
    return tuple(pins)


def _matched(matches: Mapping[str, Match], key: str) -> tuple[int, ...]:
    return matches[key].route.edges if key in matches else ()


def _documented_structures(
    roads: gpd.GeoDataFrame, sections: Mapping[str, Section]
) -> dict[int, list[tuple[float, float]]]:
    """Where the catalogue's tunnels and bridges of known place and length lie on drawn sections, as fractions."""
    found: dict[int, list[tuple[float, float]]] = {}
    for row in np.flatnonzero((roads["section_id"] != "").to_numpy()):
        line = roads.geometry.iat[row]
        total = float(line_lengths_m([line])[0])
        for structure in sections[roads["section_id"].iat[row]].standing_structures:
            if structure.length_km is None or structure.lon is None or structure.lat is None or total <= 0:
                continue
            # A schematic line may pass kilometres beside a structure; one that lies further off than that belongs to
            # some other road.
            middle, off = locate_m(line, structure.lon, structure.lat)
            # The place of a structure is that of its middle, so that half its length lies on either side.
            half = structure.length_km * 500.0
            if off <= STRUCTURE_LIMIT_M:
                found.setdefault(int(row), []).append(((middle - half) / total, (middle + half) / total))
    return found


def _pin_effect(
    survey: RoadSurvey, with_pins: tuple[Floats, Floats], roads: Ints, speed_kmh: Floats, model: DrivingModel
) -> float:
    """Root mean square of ln(minutes with pins / without) on pinned edges, weighted by minutes."""
    pinned = np.flatnonzero(survey.pinned)
    if not len(pinned):
        return 0.0
    # Only pinned edges can tell what pins change: they are driven once more on the heights that the model alone would
    # give.
    truck, banking = model.vehicles[TRUCK], model.parameters.superelevation
    without = driving_minutes(survey.unpinned.of_edges(pinned), truck, speed_kmh[roads[pinned]], banking)
    weight = np.concatenate([way[roads[pinned]] for way in with_pins])
    change = np.log(weight / np.concatenate(without))
    return float(np.sqrt((weight * change**2).sum() / weight.sum()))
