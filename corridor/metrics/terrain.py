"""Terrain of a candidate: heights, climbs, roughness, structures and price, each only as far as the DEM carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.errors import CatalogueError
from corridor.metrics.distance import profile_gradient_pct
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Estimate, UnitCost
from corridor.schema.profile import Profile
from corridor.schema.vocabulary import SectionStatus, WorkKind
from corridor.terrain.profile import climbs_m, fit_vertical_alignment
from corridor.terrain.surface import GRADE_WINDOW_M, Dem
from corridor.terrain.uncertainty import ErrorField

Floats = NDArray[np.float64]
BAND_M = 500.0
HIGH_M = 2000.0
LEVEL_P95_PCT = 3.0
_NEW = frozenset((SectionStatus.PLANNED, SectionStatus.CONSTRUCTION))
_RENEW = frozenset((SectionStatus.ABANDONED, SectionStatus.DISUSED))


@dataclass(frozen=True)
class GradeSupport:
    """Whether the DEM can carry grades, and the reason in words."""

    supported: bool
    reason: str


def judge_grades(dem: Dem, level_profiles: Sequence[Profile]) -> GradeSupport:
    """Grades need pixels of at most half the design window (1 km) and near-level lines that come out near level.

    Args:
        dem: the elevation model.
        level_profiles: profiles of lines known to be nearly level (the study names them); their 95th percentile of
            the grade over 1 km must be under 3 %.
    """
    if not dem.carries_grades:
        limit = GRADE_WINDOW_M / 2
        return GradeSupport(
            False, f"pixels of {dem.resolution_m:.0f} m are coarser than the {limit:.0f} m that grades need"
        )
    for profile in level_profiles:
        p95 = grade_p95_pct(profile)
        if p95 >= LEVEL_P95_PCT:
            return GradeSupport(
                False, f"a line known to be nearly level shows grades of {p95:.1f} % (95th percentile) on it"
            )
    if not level_profiles:
        return GradeSupport(False, "the study names no level line to test the DEM's noise on")
    return GradeSupport(True, f"pixels of {dem.resolution_m:.0f} m, and the level line stays under {LEVEL_P95_PCT:g} %")


def grade_p95_pct(profile: Profile) -> float:
    """95th percentile of the absolute grade over 1 km, in percent."""
    return float(
        np.percentile(np.abs(profile_gradient_pct(profile.chainage_km, profile.height_m, GRADE_WINDOW_M / 1000)), 95)
    )


def measure_terrain(
    candidate: Candidate,
    profile: Profile,
    dem: Dem,
    slope_deg: Floats,
    ruggedness_m: Floats,
    grades: GradeSupport,
    draws: Sequence[ErrorField],
) -> dict[str, Any]:
    """Terrain metrics by name; ``_low``/``_high`` lay the 5th and 95th percentile of the error draws, less their
    median, about the DEM's own value.

    ``slope_deg`` and ``ruggedness_m`` are rasters on the DEM's grid, shape (rows, cols). Grades are left out where the
    DEM can't carry them; the steepest documented grade stands beside, from the catalogue.
    """
    metrics = _height_metrics(profile.chainage_km, profile.height_m, profile.threshold_m)
    if draws:
        samples = [_drawn(profile, field) for field in draws]
        for name in tuple(metrics):
            values = np.array([sample[name] for sample in samples])
            low, middle, high = (float(v) for v in np.percentile(values, [5, 50, 95]))
            # Draws add error to heights that have it already and so inflate climbs: only their spread is used.
            metrics[f"{name}_low"] = max(metrics[name] - (middle - low), 0.0)
            metrics[f"{name}_high"] = metrics[name] + (high - middle)
    band_slope, band_ruggedness = _band_means(profile, dem, (slope_deg, ruggedness_m))
    metrics |= {
        "mean_slope_deg": band_slope,
        "ruggedness_m": band_ruggedness,
        "ground_departure_p95_m": float(
            np.percentile(np.abs(profile.ground_m - profile.height_m)[_open_ground(profile)], 95)
        ),
        "tunnel_km": sum(part.tunnel_km for part in candidate.parts),
        "bridge_km": sum(part.bridge_km for part in candidate.parts),
        "documented_max_grade_pct": max(
            (p.max_grade_pct for p in candidate.parts if p.max_grade_pct is not None), default=np.nan
        ),
    }
    if grades.supported:
        gradient = np.abs(profile_gradient_pct(profile.chainage_km, profile.height_m, GRADE_WINDOW_M / 1000))
        metrics |= {"grade_p95_pct": float(np.percentile(gradient, 95)), "max_grade_1km_pct": float(gradient.max())}
    return metrics


def _open_ground(profile: Profile) -> NDArray[np.bool_]:
    """Samples outside every structure."""
    outside = np.ones(len(profile.chainage_km), dtype=bool)
    for span in profile.spans:
        outside &= (profile.chainage_km < span.from_km) | (profile.chainage_km > span.to_km)
    return outside


def _height_metrics(chainage_km: Floats, height_m: Floats, threshold_m: Floats) -> dict[str, float]:
    up, down = climbs_m(height_m, threshold_m)
    steps = np.diff(chainage_km)
    middle = (height_m[1:] + height_m[:-1]) / 2
    return {
        "max_elevation_m": float(height_m.max()),
        "relief_m": float(height_m.max() - height_m.min()),
        "ascent_m": up,
        "descent_m": down,
        "km_above_2000_m": float(steps[middle > HIGH_M].sum()),
    }


def _drawn(profile: Profile, field: ErrorField) -> dict[str, float]:
    ground = profile.ground_m + field.sample(profile.lon, profile.lat)
    if profile.designed is not None:  # a design keeps its heights; what the error does is cuts and fills
        ground = np.where(profile.designed, profile.height_m, ground)
    laid = fit_vertical_alignment(profile.chainage_km, ground, profile.limit_pct, profile.spans)
    return _height_metrics(profile.chainage_km, laid, profile.threshold_m)


def _band_means(profile: Profile, dem: Dem, rasters: tuple[Floats, ...]) -> tuple[float, ...]:
    """Means over the pixels within 500 m of the line, each pixel once."""
    east = np.array([0.0, 1.0, -1.0, 0.0, 0.0, 0.7, 0.7, -0.7, -0.7]) * BAND_M
    north = np.array([0.0, 0.0, 0.0, 1.0, -1.0, 0.7, -0.7, 0.7, -0.7]) * BAND_M
    lat = profile.lat[:, None] + north / 111_200
    lon = profile.lon[:, None] + east / (111_200 * np.cos(np.radians(profile.lat[:, None])))
    rows, cols = dem.grid.fractional_index(lon.ravel(), lat.ravel())
    height, width = dem.grid.shape
    at = np.clip(np.rint(rows), 0, height - 1).astype(int) * width + np.clip(np.rint(cols), 0, width - 1).astype(int)
    cells = np.unique(at)
    return tuple(float(np.nanmean(raster.ravel()[cells])) for raster in rasters)


def measure_cost(candidate: Candidate, unit_costs: Sequence[UnitCost]) -> dict[str, float]:
    """Price in millions of US dollars of what is still to be built or renewed, low, mid and high.

    Planned and unfinished parts are priced whole, by kind; disused and abandoned ones as renewal of the formation with
    their tunnels and bridges kept. Open parts cost nothing.

    Raises:
        CatalogueError: a kind of construction has no unit cost.
    """
    table = {(cost.mode, cost.kind): cost.cost_musd_per_km for cost in unit_costs}
    total = Estimate(0.0, 0.0, 0.0)
    for part in candidate.parts:
        for kind, km in _priced_km(part):
            if (part.mode, kind) not in table:
                raise CatalogueError(
                    f"unit_costs.csv: no row for {part.mode} {kind}; candidate '{candidate.candidate_id}' needs it"
                )
            price = table[part.mode, kind]
            total = total + Estimate(price.low * km.low, price.mid * km.mid, price.high * km.high)
        if part.design:
            total = total + part.design.ends_musd
    return {"cost_musd": total.mid, "cost_musd_low": total.low, "cost_musd_high": total.high}


def _priced_km(part: Part) -> list[tuple[WorkKind, Estimate]]:
    if part.status in _RENEW:
        return [(WorkKind.UPGRADE, part.length_km)]
    if part.status not in _NEW:
        return []
    exact: list[tuple[WorkKind, float]] = [(WorkKind.TUNNEL, part.tunnel_km), (WorkKind.BRIDGE, part.bridge_km)]
    structures = part.tunnel_km + part.bridge_km
    length = part.length_km
    if part.design:
        surface = Estimate(part.design.open_km, part.design.open_km, part.design.open_km)
        return [(WorkKind.SURFACE, surface), *((kind, Estimate(km, km, km)) for kind, km in exact if km > 0)]
    surface = Estimate(
        max(length.low - structures, 0), max(length.mid - structures, 0), max(length.high - structures, 0)
    )
    return [(WorkKind.SURFACE, surface), *((kind, Estimate(km, km, km)) for kind, km in exact if km > 0)]
