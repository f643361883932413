"""Driving time by limiting speeds: what power, brakes, bends and the driver's wish allow, piece by piece (compiled).

The form is that of the free-speed models of HDM-III and HDM-4, per direction of travel::

    V = (Vdrive^(-1/b) + Vbrake^(-1/b) + Vcurve^(-1/b) + Vdesired^(-1/b))^(-b)

    Vdrive    P = V (m g (CR + i) + 1/2 rho CD A V^2)        power at the wheels against slope, rolling and air
    Vbrake    Pb = V m g (-i - CR)                           where the slope i is steeper down than CR
    Vcurve    sqrt(g R (f + e))                              side friction f and superelevation e on radius R
    Vdesired  what is driven on a level, straight road of the class

T. Watanatada, A. Dhareshwar, P. Rezende Lima, Vehicle Speeds and Operating Costs (World Bank, 1987); C. Bennett,
I. Greenwood, Modelling Road User and Environmental Effects in HDM-4 (PIARC, 2003). The roughness term is left out:
there is no surface data. Every number of a vehicle is a row of ``vehicles.csv`` with its source and range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError
from corridor.network._speed_kernels import edge_seconds, piece_speeds
from corridor.schema.catalogue import Speed
from corridor.schema.parameters import KMH, Vehicle

# --- Class speeds of the catalogue, level and dry ---

Floats = NDArray[np.float64]


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


Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Edges cut into short pieces of even grade and bend.

    ``first`` says where each edge's pieces begin, shape (n_edges + 1,); the others have shape (n_pieces,):
    ``length_m``, ``grade`` (rise per metre along the edge), ``curvature_per_m`` (1/radius) and ``height_m``.
    """

    first: Ints
    length_m: Floats
    grade: Floats
    curvature_per_m: Floats
    height_m: Floats


def limiting_speed_kmh(
    vehicle: Vehicle,
    grade: ArrayLike,
    desired_kmh: ArrayLike,
    *,
    radius_m: ArrayLike = np.inf,
    height_m: ArrayLike = 0.0,
    superelevation: float = 0.0,
) -> Floats:
    """Speed of a vehicle on pieces of road, km/h, in the broadcast shape of the arguments.

    Args:
        vehicle: see :class:`Vehicle`.
        grade: rise per metre in the direction of travel (0.08 is 8 %).
        desired_kmh: class speed or documented speed of the road; the vehicle's own ratio and cap apply to it.
        radius_m: of the bend; infinite where the road is straight.
        height_m: above the sea: thinner air drags less, and an engine gives less.
        superelevation: banking of the bends, as a ratio.
    """
    shape = np.broadcast_shapes(*(np.shape(value) for value in (grade, desired_kmh, radius_m, height_m)))
    slope, wanted, radius, height = (
        np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=float), shape)).ravel()
        for value in (grade, desired_kmh, radius_m, height_m)
    )
    speeds = piece_speeds(slope, 1.0 / radius, height, wanted / KMH, superelevation, vehicle.as_tuple())
    return np.asarray(speeds * KMH).reshape(shape)


def crawl_speed_kmh(vehicle: Vehicle, grade: ArrayLike, *, height_m: float = 0.0) -> Floats:
    """Speed at which power alone limits a vehicle on a long, straight grade, km/h.

    It is the limiting speed without driver, bend and brakes: what a climb of any length comes down to.
    """
    slope = np.atleast_1d(np.asarray(grade, dtype=float))
    mass, power, loss, _, rolling, drag_area, side, _, ratio, _ = vehicle.as_tuple()
    # brakes of any power, the least speed counts, no cap
    unbound = (mass, power, loss, np.inf, rolling, drag_area, side, 0.0, ratio, np.inf)
    wish = np.full(len(slope), np.inf)
    speeds = piece_speeds(slope, np.zeros(len(slope)), np.full(len(slope), height_m), wish, 0.0, unbound)
    return np.asarray(speeds * KMH).reshape(np.shape(grade))


def driving_minutes(
    pieces: Pieces, vehicle: Vehicle, desired_kmh: Floats, superelevation: float
) -> tuple[Floats, Floats]:
    """Minutes along and against each edge, shape (n_edges,) each.

    Args:
        pieces: the edges, cut up.
        vehicle: who drives.
        desired_kmh: class speed or documented speed of each edge, shape (n_edges,).
        superelevation: banking of the bends, as a ratio.
    """
    along, against = edge_seconds(
        pieces.first,
        pieces.length_m,
        pieces.grade,
        pieces.curvature_per_m,
        pieces.height_m,
        np.asarray(desired_kmh, dtype=float) / KMH,
        superelevation,
        vehicle.as_tuple(),
    )
    return along / 60.0, against / 60.0
