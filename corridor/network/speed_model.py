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
from corridor.ragged import spread
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
    """Edges cut into stretches of even grade, and these into short pieces of even bend.

    ``first`` says where each edge's stretches begin, shape (n_edges + 1,), and ``parts`` how many equal pieces each of
    them has, shape (n_edges,). ``length_m`` (of a piece), ``grade`` (rise per metre along the edge) and ``height_m``
    are those of each stretch, shape (n_stretches,); ``curvature_per_m`` (1/radius) is that of each piece, one edge
    after another, shape (n_pieces,).
    """

    first: Ints
    parts: Ints
    length_m: Floats
    grade: Floats
    height_m: Floats
    curvature_per_m: Floats

    def of_edges(self, edges: Ints) -> Pieces:
        """The pieces of some edges, in the order of their rows.

        Args:
            edges: rows.
        """
        stretches = np.diff(self.first)
        pieces = stretches * self.parts
        at, count = spread(self.first[:-1], stretches, edges)
        bent, _ = spread(np.cumsum(pieces) - pieces, pieces, edges)
        first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        parts, curvature = self.parts[edges], self.curvature_per_m[bent]
        return Pieces(first, parts, self.length_m[at], self.grade[at], self.height_m[at], curvature)


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
        pieces.parts,
        pieces.length_m,
        pieces.grade,
        pieces.height_m,
        pieces.curvature_per_m,
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
"""Fall of temperature by height over the temperature at sea level (ISO 2533)."""
_DENSITY_EXPONENT = 4.25588
"""Exponent of the density in the troposphere (ISO 2533)."""


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
    drive, brake = grade_limits(grade, air_limits(height_m, vehicle), vehicle)
    curve = bend_limit(curvature, banking, vehicle)
    return combine_speeds(drive, brake, curve, wanted_speed(desired, vehicle), vehicle[7])


@compiled
def air_limits(height_m, vehicle):
    """Power at the wheels in W and drag in kg per metre at a height above the sea."""
    _, power, loss_per_m, _, _, drag_area, _, _, _, _ = vehicle
    height = max(height_m, 0.0)
    return power * max(1.0 - loss_per_m * height, 0.1), 0.5 * air_density(height) * drag_area


@compiled
def grade_limits(grade, air, vehicle):
    """Speeds that power and brakes allow on a grade, with what :func:`air_limits` gives, m/s."""
    weight, rolling = vehicle[0] * GRAVITY, vehicle[4]
    drive = drive_speed(air[0], weight * (rolling + grade), air[1])
    return drive, brake_speed(vehicle[3], weight, grade, rolling)


@compiled
def bend_limit(curvature, banking, vehicle):
    """Speed that a bend allows, infinite on a straight road, m/s."""
    return math.sqrt(GRAVITY * (vehicle[6] + banking) / curvature) if curvature > 0.0 else np.inf


@compiled
def wanted_speed(desired, vehicle):
    """Speed that the driver wants where that of a level, straight road is ``desired``, m/s."""
    return min(desired * vehicle[8], vehicle[9])


@compiled
def piece_speeds(grade, curvature, height_m, desired, banking, vehicle):
    """:func:`limiting_speed` of many pieces, arrays of shape (n,)."""
    speeds = np.empty(len(grade))
    for i in range(len(grade)):
        speeds[i] = limiting_speed(grade[i], curvature[i], height_m[i], desired[i], banking, vehicle)
    return speeds


@allocating
def edge_seconds(first, parts, length_m, grade, height_m, curvature, desired, banking, vehicle):
    """Seconds along and against each edge.

    Args:
        first: where each edge's stretches begin, and the number of stretches, shape (n_edges + 1,).
        parts: number of pieces in each stretch of an edge, shape (n_edges,).
        length_m, grade, height_m: of each stretch, the length that of its pieces, shape (n_stretches,).
        curvature: of each piece, shape (n_pieces,).
        desired: of each edge, m/s, shape (n_edges,).
        banking, vehicle: see :func:`limiting_speed`.

    Returns:
        Two arrays of shape (n_edges,).
    """
    count = len(parts)
    along, against = np.zeros(count), np.zeros(count)
    piece = 0
    for edge in range(count):
        wanted = wanted_speed(desired[edge], vehicle)
        for i in range(first[edge], first[edge + 1]):
            # Grade and air are those of the stretch; what climbs one way falls the other. A bend is the same both ways.
            air = air_limits(height_m[i], vehicle)
            up_drive, up_brake = grade_limits(grade[i], air, vehicle)
            down_drive, down_brake = grade_limits(-grade[i], air, vehicle)
            bend, up, down = -1.0, 0.0, 0.0
            for _ in range(parts[edge]):
                # Most roads are straight for many pieces on end, and powers take most of the time.
                if curvature[piece] != bend:
                    bend = curvature[piece]
                    curve = bend_limit(bend, banking, vehicle)
                    up = length_m[i] / combine_speeds(up_drive, up_brake, curve, wanted, vehicle[7])
                    down = length_m[i] / combine_speeds(down_drive, down_brake, curve, wanted, vehicle[7])
                along[edge] += up
                against[edge] += down
                piece += 1
    return along, against
