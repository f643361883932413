"""Minutes of every edge for each vehicle: class or documented speeds, grades and bends, and what pins are worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from corridor.geo.geodesy import line_lengths_m, locate_m
from corridor.network.graph import UNFIT_CLASSES
from corridor.network.match import Match
from corridor.network.road_survey import Ground, Pin, RoadSurvey, survey_roads
from corridor.network.speed_model import driving_minutes
from corridor.network.speeds import class_speeds_kmh
from corridor.network.time_fit import DECLARED_SPREAD, TimeFit, TimeSpread
from corridor.schema.catalogue import GradeCeiling, Section
from corridor.schema.driving import DocumentedHeight, DrivingModel, DrivingParameters
from corridor.schema.vocabulary import Mode
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STRUCTURE_LIMIT_M = 5000.0
TRUCK, CAR = "truck", "car"
"""Vehicles that goods and people of villages travel by; every vehicles.csv has them."""


@dataclass(frozen=True)
class EdgeTimes:
    """Minutes along and against each edge by vehicle; those of railways are a train's whatever the vehicle.

    ``roads`` are the rows of roads, which ``survey`` was made of. ``pinned`` says which edges have a documented height
    within its reach, shape (n_edges,). ``pin_effect`` is the root mean square of the logarithm of what pins change a
    truck's minutes by, on the edges that have them: how far times may be off where there is none.
    """

    minutes: dict[str, tuple[Floats, Floats]]
    roads: Ints
    survey: RoadSurvey
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
        pinned = self.edge_times.pinned
        rows = [edge for edge in edges or () if edge < len(pinned)]
        share = 1.0 - float(pinned[rows].mean()) if rows else 1.0
        return self.fit.time_spread(self.edge_times.pin_effect * share)


def ground_of(dem: Dem | None, parameters: DrivingParameters) -> Ground | None:
    """The elevation model as roads are surveyed on it; None for level roads."""
    return None if dem is None else Ground(dem.sample, parameters.smoothing_window_m(dem.resolution_m))


def time_edges(
    edges: gpd.GeoDataFrame,
    n_nodes: int,
    model: DrivingModel,
    dem: Dem | None,
    matches: Mapping[str, Match],
    sections: Mapping[str, Section],
    vehicles: Collection[str] = (),
) -> EdgeTimes:
    """Driving times of all edges, delays at borders not included.

    Args:
        edges: the edge table, before it is split at borders.
        n_nodes: number of its nodes.
        model: speeds, vehicles, parameters, grade ceilings and documented heights.
        dem: the elevation model; None leaves all roads level.
        matches: sections found on edges, whose documented grades count there.
        sections: the catalogue's sections as they are at the network's date.
        vehicles: whose times are wanted beside those of trucks and cars; unknown ones are left out.

    Raises:
        CatalogueError: a class has no speed.
    """
    speed = _speeds_kmh(edges, model, matches, sections)
    roads = np.flatnonzero((edges["mode"] == Mode.ROAD).to_numpy())
    local = np.full(len(edges), -1, dtype=np.int64)
    local[roads] = np.arange(len(roads))
    road = edges.iloc[roads]
    survey = survey_roads(
        road,
        n_nodes,
        ground_of(dem, model.parameters),
        model.parameters,
        pins=road_pins(model.heights, sections, edges, local, matches),
        max_grade=_max_grades(edges, model.grade_ceilings, matches, sections)[roads],
        schematic=(road["section_id"] != "").to_numpy(),
        carried=_documented_structures(road, sections),
    )
    minutes = {}
    level = edges["length_m"].to_numpy(dtype=float) / speed * 0.06
    for key in sorted({TRUCK, CAR, *vehicles} & set(model.vehicles)):
        along, against = level.copy(), level.copy()
        along[roads], against[roads] = driving_minutes(
            survey.pieces, model.vehicles[key], speed[roads], model.parameters.superelevation
        )
        minutes[key] = along, against
    pinned = np.zeros(len(edges), dtype=bool)
    pinned[roads] = survey.pinned
    return EdgeTimes(minutes, roads, survey, pinned, _pin_effect(survey, minutes[TRUCK], roads, speed, model))


def _speeds_kmh(
    edges: gpd.GeoDataFrame, model: DrivingModel, matches: Mapping[str, Match], sections: Mapping[str, Section]
) -> Floats:
    """Class speed of each edge, or the documented one of the section that it is or that runs over it."""
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
    """
    own = {str(key): rows for key, rows in edges.groupby("section_id").indices.items() if key}
    fit = local[np.flatnonzero(((local >= 0) & ~edges["class"].isin(UNFIT_CLASSES)).to_numpy())]
    pins = []
    for height in heights:
        wanted = (
            [height.section_id]
            if height.section_id
            else [s.section_id for s in sections.values() if height.node_id in (s.from_node, s.to_node)]
        )
        rows = [int(row) for key in wanted for row in (*own.get(key, ()), *_matched(matches, key))]
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
        for structure in sections[roads["section_id"].iat[row]].structures:
            if structure.length_km is None or structure.lon is None or structure.lat is None or total <= 0:
                continue
            middle, off = locate_m(line, structure.lon, structure.lat)
            half = structure.length_km * 500.0
            if off <= STRUCTURE_LIMIT_M:
                found.setdefault(int(row), []).append(((middle - half) / total, (middle + half) / total))
    return found


def _pin_effect(
    survey: RoadSurvey, with_pins: tuple[Floats, Floats], roads: Ints, speed_kmh: Floats, model: DrivingModel
) -> float:
    """Root mean square of ln(minutes with pins / without) on pinned edges, weighted by minutes."""
    if not survey.pinned.any():
        return 0.0
    truck, banking = model.vehicles[TRUCK], model.parameters.superelevation
    without = driving_minutes(survey.unpinned, truck, speed_kmh[roads], banking)
    weight = np.concatenate([way[roads][survey.pinned] for way in with_pins])
    change = np.log(weight / np.concatenate([way[survey.pinned] for way in without]))
    return float(np.sqrt((weight * change**2).sum() / weight.sum()))
