"""Earthworks of a new line: cross-sections, cut and fill from station to station, mass haul, rock from tunnels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.integrate import simpson

from corridor.schema.alignment import Alignment
from corridor.schema.vocabulary import LineKind, Mode

Floats = NDArray[np.float64]

FORMATION_M = {Mode.RAIL: 7.0, Mode.ROAD: 12.0}  # width of single track, of two lanes with shoulders: general practice
BATTER = 1.5  # metres across to one of height, of the sides of cuts and fills
WALLED = 0.5  # cross-slope (tangent) from which walls hold the sides, as prices have it
TUNNEL_M2 = {Mode.RAIL: 50.0, Mode.ROAD: 80.0}
"""Rock bored per metre of tunnel: general practice. The new Albula tunnel (single track, metre gauge) took 42 m2."""
OPEN = (LineKind.SURFACE, LineKind.BENCH)
PANELS = 8  # parts of a stretch between cross-sections, along which depth and cross-slope are linear


def section_areas(depth_m: Floats, cross_slope: Floats, width_m: float) -> tuple[Floats, Floats]:
    """Areas of cut and fill of a cross-section on ground that slopes evenly across.

    With half-width ``h``, batter ``n`` and cross-slope ``s``: all cut has ``n (d + h/n)^2 / (1 - n^2 s^2) - h^2 / n``,
    all fill the same of ``-d``. Where the ground meets the formation at ``-d / s`` within its width, each side is a
    triangle of ``w^2 s / (2 (1 - n s))``, ``w`` being that side's width on the formation. Sides that ground steeper
    than 1 in 2 wouldn't meet are held by walls, so that it counts as 1 in 2.

    Args:
        depth_m: of the formation below the ground in its middle, any shape; negative for a fill.
        cross_slope: of the ground, tangent, of that shape.
        width_m: of the formation.

    Returns:
        Cut and fill in m2, of that shape.

    >>> [area.round(2).tolist() for area in section_areas(np.array([4.0, 0.0]), np.array([0.0, 0.5]), 7.0)]
    [[52.0, 12.25], [0.0, 12.25]]
    """
    half, slope = width_m / 2.0, np.clip(cross_slope, 1e-9, WALLED)
    areas = []
    for depth in (depth_m, -depth_m):
        whole = BATTER * (depth + half / BATTER) ** 2 / (1.0 - (BATTER * slope) ** 2) - half**2 / BATTER
        wide = np.clip(half + depth / slope, 0.0, 2.0 * half)
        part = wide**2 * slope / (2.0 * (1.0 - BATTER * slope))
        areas.append(np.where(depth >= slope * half, whole, part))
    return areas[0], areas[1]


def tabulate_stations(line: Alignment, mode: Mode) -> pd.DataFrame:
    """A row per station of a drawn line, with heights, kind and the earthworks of the stretch to the next one.

    Volumes are those of a formation of 7 m (railway) or 12 m (road) with sides of 1 in 1.5, in place: rock swells when
    it is dug. Between the line's cross-sections depth and cross-slope run evenly; the areas of :func:`section_areas`
    are integrated by Simpson's rule. Only open line, on benches too, moves any; tunnels yield rock.

    Args:
        line: what is drawn.
        mode: railway or road.

    Returns:
        ``chainage_m``, ``height_m``, ``ground_m``, ``cross_slope`` (tangent), ``grade_permille`` (to the next station,
        up positive), ``kind`` (of the stretch to the next station), ``cut_m`` and ``fill_m`` (on the centre line, 0 in
        structures), ``cut_m3``, ``fill_m3``, ``tunnel_m3`` and ``mass_haul_m3`` (cuts less fills up to here, without
        tunnels).
    """
    at = line.chainage_m
    ends = np.array([s.from_m for s in line.structures] + [s.to_m for s in line.structures])
    # Ends of structures become stations, so that each stretch is of one kind.
    at = np.unique(np.concatenate([at, ends[(ends > at[0]) & (ends < at[-1])]]).round(3))
    height, ground, across = _along(line, at)
    steps, middles = np.diff(at), 0.5 * (at[1:] + at[:-1])
    kind = np.full(len(steps), str(LineKind.SURFACE), dtype=object)
    for s in line.structures:
        kind[(middles > s.from_m) & (middles < s.to_m)] = str(s.kind)
    is_open = np.isin(kind.astype(str), OPEN)
    depth = ground - height
    # The ground bends between stations too: each stretch is the sum of those between its cross-sections.
    fine = np.unique(np.concatenate([line.sections[:, 0].round(3).clip(at[0], at[-1]), at]))
    stretch = np.searchsorted(at, 0.5 * (fine[1:] + fine[:-1])) - 1
    fine_height, fine_ground, fine_across = _along(line, fine)
    cut, fill = (
        np.where(is_open, np.bincount(stretch, volume, len(steps)), 0.0)
        for volume in _volumes(fine_ground - fine_height, fine_across, np.diff(fine), FORMATION_M[mode])
    )
    # At a portal or abutment the open side still has its depth.
    touches_open = np.concatenate([is_open, [False]]) | np.concatenate([[False], is_open])
    return pd.DataFrame(
        {
            "chainage_m": at,
            "height_m": height,
            "ground_m": ground,
            "cross_slope": across,
            "grade_permille": [*(np.diff(height) / steps * 1000.0), np.nan],
            "kind": [*kind, ""],
            "cut_m": np.where(touches_open, np.maximum(depth, 0.0), 0.0),
            "fill_m": np.where(touches_open, np.maximum(-depth, 0.0), 0.0),
            "cut_m3": [*cut, 0.0],
            "fill_m3": [*fill, 0.0],
            "tunnel_m3": [*np.where(kind == str(LineKind.TUNNEL), TUNNEL_M2[mode] * steps, 0.0), 0.0],
            "mass_haul_m3": np.concatenate([[0.0], np.cumsum(cut - fill)]),
        }
    )


def _along(line: Alignment, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Height of the line, ground, and cross-slope at chainages."""
    chainage, ground, across = line.sections.T
    return (
        np.interp(at, line.chainage_m, line.line[:, 2]),
        np.interp(at, chainage, ground),
        np.interp(at, chainage, across),
    )


def _volumes(depth: Floats, across: Floats, steps: Floats, width_m: float) -> tuple[Floats, Floats]:
    """Cut and fill between neighbouring cross-sections, as if all of it were open line."""
    share = np.linspace(0.0, 1.0, PANELS + 1)
    deep, steep = (np.outer(values[:-1], 1.0 - share) + np.outer(values[1:], share) for values in (depth, across))
    cut, fill = (simpson(area, x=share, axis=1) * steps for area in section_areas(deep, steep, width_m))
    return cut, fill


def sum_earthworks(stations: pd.DataFrame) -> pd.DataFrame:
    """Cut, fill and rock from tunnels of each kilometre of a table of stations, and what is left over up to its end.

    Args:
        stations: of :func:`tabulate_stations`.

    Returns:
        ``from_km``, ``to_km``, ``cut_m3``, ``fill_m3``, ``tunnel_m3``, ``mass_haul_m3``; a stretch counts where its
        middle lies.
    """
    at = stations["chainage_m"].to_numpy()
    middles = np.append(0.5 * (at[1:] + at[:-1]), at[-1])
    # The last station lies at the very end and must not open a kilometre of its own.
    km = np.minimum(middles // 1000.0, (at[-1] - 1e-6) // 1000.0).astype(int)
    total = stations.groupby(km)[["cut_m3", "fill_m3", "tunnel_m3"]].sum().reset_index(names="from_km")
    total.insert(1, "to_km", np.minimum(total["from_km"] + 1.0, at[-1] / 1000.0).round(3))
    total["mass_haul_m3"] = (total["cut_m3"] - total["fill_m3"]).cumsum()
    return total
