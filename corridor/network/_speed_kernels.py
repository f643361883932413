"""The compiled loops of the limiting-speed model: a power balance per piece of road, minutes per edge.

Speeds are in m/s here. Formulas and their sources stand in :mod:`corridor.network.speed_model`.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: D417

from __future__ import annotations

import math

import numpy as np

from corridor.compiled import compiled

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
    free = (-q) ** (1.0 / 3.0)  # the root without resistance
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
    total = (least / drive) ** power + (least / brake) ** power + (least / curve) ** power + (least / desired) ** power
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
    mass, power, loss_per_m, brake_power, rolling, drag_area, side, shape_b, ratio, top = vehicle
    weight = mass * GRAVITY
    height = max(height_m, 0.0)
    available = power * max(1.0 - loss_per_m * height, 0.1)
    drive = drive_speed(available, weight * (rolling + grade), 0.5 * air_density(height) * drag_area)
    brake = brake_speed(brake_power, weight, grade, rolling)
    curve = math.sqrt(GRAVITY * (side + banking) / curvature) if curvature > 0.0 else np.inf
    return combine_speeds(drive, brake, curve, min(desired * ratio, top), shape_b)


@compiled
def piece_speeds(grade, curvature, height_m, desired, banking, vehicle):
    """:func:`limiting_speed` of many pieces, arrays of shape (n,)."""
    speeds = np.empty(len(grade))
    for i in range(len(grade)):
        speeds[i] = limiting_speed(grade[i], curvature[i], height_m[i], desired[i], banking, vehicle)
    return speeds


@compiled
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
            ahead = limiting_speed(grade[i], curvature[i], height_m[i], desired[edge], banking, vehicle)
            back = limiting_speed(-grade[i], curvature[i], height_m[i], desired[edge], banking, vehicle)
            along[edge] += length_m[i] / ahead
            against[edge] += length_m[i] / back
    return along, against
