"""Truck and train times from class speeds and grades."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError
from corridor.schema.catalogue import Speed
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]
GRAVITY = 9.81
POWER_W_PER_KG = 1000 / 120  # a loaded truck of 120 kg per kW
DRIVELINE = 0.85
ROLLING = 0.009
TRUCK_LIMIT_KMH = 80.0


def climbing_speed_kmh(grade: ArrayLike) -> Floats:
    """Speed in km/h at which a loaded truck's power balances gravity and rolling; inf where it needs no power.

    v = eta P / (m g (i + f)), for i the grade as a ratio; about 38 km/h at 6 % and 29 at 8 %.
    """
    resistance = np.asarray(grade, dtype=float) + ROLLING
    with np.errstate(divide="ignore"):
        speed = 3.6 * DRIVELINE * POWER_W_PER_KG / (GRAVITY * resistance)
    return np.where(resistance > 0, speed, np.inf)


def class_speeds_kmh(modes: ArrayLike, classes: ArrayLike, speeds: Sequence[Speed], end: str = "mid") -> Floats:
    """Free-flow speed of each way from its mode and class; ``end`` low, mid or high of the stated range.

    Raises:
        CatalogueError: a class has no speed.
    """
    table = {(speed.mode, speed.road_class): getattr(speed.speed_kmh, end) for speed in speeds}
    modes, classes = np.asarray(modes, dtype=object), np.asarray(classes, dtype=object)
    pairs = list(zip(modes, classes, strict=True))
    missing = sorted({f"{mode} {road_class}" for mode, road_class in pairs if (mode, road_class) not in table})
    if missing:
        raise CatalogueError(f"speeds.csv: no speed for {', '.join(missing)}; add a row for each")
    return np.array([table[pair] for pair in pairs], dtype=float)


def edge_minutes(
    edges: gpd.GeoDataFrame, speeds: Sequence[Speed], dem: Dem | None, *, design_kmh: Floats | None = None
) -> tuple[Floats, Floats]:
    """Minutes along and against each edge, delays at borders not included, shape (n_edges,) each.

    The climb slows road traffic only where the DEM carries grades, so that long edges of main roads aren't slowed
    alone: with pixels of at most 500 m, on edges at least two pixels long, from the heights at their ends, never across
    a tunnel or a bridge. A coarse DEM so gives shorter times than a fine one.
    ``design_kmh`` overrides the class speed where it isn't NaN; on roads no truck runs faster than 80 km/h.
    """
    speed = class_speeds_kmh(edges["mode"], edges["class"], speeds)
    if design_kmh is not None:
        design = np.where(edges["mode"] == "road", np.minimum(design_kmh, TRUCK_LIMIT_KMH), design_kmh)
        speed = np.where(np.isnan(design), speed, design)
    length = edges["length_m"].to_numpy()
    along, against = speed, speed
    if dem is not None and dem.carries_grades:
        grade = _end_grades(edges, dem)
        along = np.minimum(speed, climbing_speed_kmh(grade))
        against = np.minimum(speed, climbing_speed_kmh(-grade))
    return length / along * 0.06, length / against * 0.06


def _end_grades(edges: gpd.GeoDataFrame, dem: Dem) -> Floats:
    """Rise over length of each edge, 0 where the DEM can't tell it."""
    lines = edges.geometry.to_numpy()
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    rise = dem.sample(shapely.get_x(last), shapely.get_y(last)) - dem.sample(shapely.get_x(first), shapely.get_y(first))
    length = edges["length_m"].to_numpy()
    known = (
        (length >= 2 * dem.resolution_m) & ~edges["tunnel"].to_numpy() & ~edges["bridge"].to_numpy() & np.isfinite(rise)
    )
    known &= (edges["mode"] == "road").to_numpy()
    return np.where(known, rise / np.maximum(length, 1.0), 0.0)
