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

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.compiled import allocating, compiled
from corridor.errors import CatalogueError
from corridor.schema.catalogue import Speed
from corridor.schema.parameters import KMH, Vehicle

# --- Class speeds of the catalogue, level and dry ---

Floats = NDArray[np.float64]


def class_speeds_kmh(modes: ArrayLike, classes: ArrayLike, speeds: Sequence[Speed], end: str = "mid") -> Floats:
    """Free-flow speed of each way from its mode and class; ``end`` low, mid or high of the stated range.

    Args:
        modes: of the ways.
        classes: of the ways.
        speeds: by mode and class.
        end: low, mid or high of the stated range.

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

    def of_edges(self, edges: Ints) -> Pieces:
        """The pieces of some edges, in the order of their rows.

        Args:
            edges: rows.
        """
        count = np.diff(self.first)[edges]
        first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        at = np.arange(first[-1]) + np.repeat(self.first[edges] - first[:-1], count)
        return Pieces(first, self.length_m[at], self.grade[at], self.curvature_per_m[at], self.height_m[at])


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

    Args:
        vehicle: its power, mass and resistances.
        grade: rise over run.
        height_m: above the sea, where engines lose power.
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


# --- The compiled loops: a power balance per piece of road, minutes per edge; speeds are in m/s here ---
# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# ruff: noqa: ANN201, D417

GRAVITY = 9.80665  # standard gravity, m/s2
_SEA_LEVEL_DENSITY = 1.225  # International Standard Atmosphere (ISO 2533), kg/m3
_LAPSE_PER_M = 2.25577e-5
_DENSITY_EXPONENT = 4.25588


@compiled
def air_density(height_m):
    """Density of the standard atmosphere at a height up to 11 km, kg/m3 (ISO 2533)."""
    return _SEA_LEVEL_DENSITY * (1.0 - _LAPSE_PER_M * height_m) ** _DENSITY_EXPONENT


@compiled
def drive_speed(power_w, resistance_n, drag_kg_per_m):
    """The one positive root of ``drag V^3 + resistance V = power``: where power at the wheels is all used.

    The depressed cubic has one positive root whatever the sign of the resistance (Descartes). It is taken from the
    hyperbolic or trigonometric form, which lose no digits where the plain formula of Cardano subtracts near equals.
    """
    if drag_kg_per_m <= 0.0:
        return power_w / resistance_n if resistance_n > 0.0 else np.inf
    # V^3 + p V + q = 0
    p = resistance_n / drag_kg_per_m
    q = -power_w / drag_kg_per_m
    # Where resistance is next to nothing the root is that without it. Its cube tells when it can't be, and is cheap.
    if abs(p) * p * p < 1e-40 * q * q:
        free = (-q) ** (1.0 / 3.0)
        if abs(p) < 1e-14 * free * free:
            return free
    if p > 0.0:
        scale = 2.0 * math.sqrt(p / 3.0)
        return -scale * math.sinh(math.asinh(3.0 * q / (scale * p)) / 3.0)
    # down a slope: three real roots if the drag is weak, of which the greatest is the positive one, else one
    scale = 2.0 * math.sqrt(-p / 3.0)
    argument = 3.0 * q / (scale * p)
    if argument <= 1.0:
        return scale * math.cos(math.acos(argument) / 3.0)
    return scale * math.cosh(math.acosh(argument) / 3.0)


@compiled
def brake_speed(brake_power_w, weight_n, grade, rolling):
    """Speed at which braking power holds the slope, infinite where rolling resistance holds it alone."""
    excess = -grade - rolling
    return brake_power_w / (weight_n * excess) if excess > 0.0 else np.inf


@compiled
def combine_speeds(drive, brake, curve, desired, shape_b):
    """``(sum of V^(-1/b))^(-b)``, the least of the four for b = 0; scaled by the least so that nothing overflows."""
    least = min(drive, brake, curve, desired)
    if shape_b <= 0.0 or least <= 0.0:
        return least
    power = 1.0 / shape_b
    total = 0.0
    for speed in (drive, brake, curve, desired):
        # most terms are those of the least speed, and of brakes and bends that limit nothing: 1 and 0
        if speed == least:
            total += 1.0
        elif speed < np.inf:
            total += (least / speed) ** power
    return least * total ** (-shape_b)


@compiled
def limiting_speed(grade, curvature, height_m, desired, banking, vehicle):
    """Speed on one piece of road in one direction, m/s.

    Args:
        grade: rise per metre in the direction of travel.
        curvature: 1/radius, per metre.
        height_m: height above the sea, for the air.
        desired: speed wanted on a level, straight road, m/s.
        banking: superelevation of the road.
        vehicle: the numbers of :meth:`corridor.schema.parameters.Vehicle.as_tuple`.
    """
    return graded_speed(grade, flat_limits(curvature, height_m, desired, banking, vehicle), vehicle)


@compiled
def flat_limits(curvature, height_m, desired, banking, vehicle):
    """What limits the speed on a piece of road whichever way it slopes; see :func:`limiting_speed`.

    Returns:
        Power at the wheels in W, drag in kg per metre, speed in the bend and wanted speed in m/s.
    """
    _, power, loss_per_m, _, _, drag_area, side, _, ratio, top = vehicle
    height = max(height_m, 0.0)
    available = power * max(1.0 - loss_per_m * height, 0.1)
    curve = math.sqrt(GRAVITY * (side + banking) / curvature) if curvature > 0.0 else np.inf
    return available, 0.5 * air_density(height) * drag_area, curve, min(desired * ratio, top)


@compiled
def graded_speed(grade, limits, vehicle):
    """Speed on a piece of road with what limits it on the flat, from :func:`flat_limits`, m/s."""
    available, drag, curve, wanted = limits
    weight, brake_power, rolling, shape_b = vehicle[0] * GRAVITY, vehicle[3], vehicle[4], vehicle[7]
    drive = drive_speed(available, weight * (rolling + grade), drag)
    return combine_speeds(drive, brake_speed(brake_power, weight, grade, rolling), curve, wanted, shape_b)


@compiled
def piece_speeds(grade, curvature, height_m, desired, banking, vehicle):
    """:func:`limiting_speed` of many pieces, arrays of shape (n,)."""
    speeds = np.empty(len(grade))
    for i in range(len(grade)):
        speeds[i] = limiting_speed(grade[i], curvature[i], height_m[i], desired[i], banking, vehicle)
    return speeds


@allocating
def edge_seconds(first_piece, length_m, grade, curvature, height_m, desired, banking, vehicle):
    """Seconds along and against each edge.

    Args:
        first_piece: where each edge's pieces begin, and the number of pieces, shape (n_edges + 1,).
        length_m, grade, curvature, height_m: of each piece along the edge, shape (n_pieces,).
        desired: of each edge, m/s, shape (n_edges,).
        banking, vehicle: see :func:`limiting_speed`.

    Returns:
        Two arrays of shape (n_edges,).
    """
    count = len(first_piece) - 1
    along, against = np.zeros(count), np.zeros(count)
    for edge in range(count):
        for i in range(first_piece[edge], first_piece[edge + 1]):
            # what climbs one way falls the other; a bend is the same both ways
            limits = flat_limits(curvature[i], height_m[i], desired[edge], banking, vehicle)
            along[edge] += length_m[i] / graded_speed(grade[i], limits, vehicle)
            against[edge] += length_m[i] / graded_speed(-grade[i], limits, vehicle)
    return along, against
