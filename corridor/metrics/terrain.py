"""Terrain of a candidate: heights, climbs, grades, roughness and structures, each only as far as the DEM carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.schema.candidate import Candidate, Profile
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.message import Message
from corridor.schema.vocabulary import MetricStatus, StructureKind
from corridor.terrain.profile import GroundLayer, climbs_m
from corridor.terrain.surface import GRADE_WINDOW_M, Dem, ErrorField, ruggedness_m, sample_errors, slope_deg

Floats = NDArray[np.float64]
BAND_M = 500.0
"""Slope and ruggedness are those of the ground within this of the line."""
HIGH_M = 2000.0
"""Height above which length is counted."""
LEVEL_P95_PCT = 3.0
"""A model on which a railway known to be near level climbs as steeply carries no grades. Declared."""


@dataclass(frozen=True)
class GradeSupport:
    """Whether the DEM can carry grades, and why."""

    supported: bool
    reason: Message


def judge_grades(dem: Dem, level_profiles: Sequence[Profile]) -> GradeSupport:
    """Grades need pixels of at most half the design window (1 km) and near-level lines that come out near level.

    Args:
        dem: the elevation model.
        level_profiles: profiles of lines known to be nearly level (the study names them); their 95th percentile of
            the grade over 1 km must be under 3 %.
    """
    if not dem.carries_grades:
        pixel, limit = f"{dem.resolution_m:.0f}", f"{GRADE_WINDOW_M / 2:.0f}"
        return GradeSupport(False, Message("limit.pixels_too_coarse", {"pixel_m": pixel, "limit_m": limit}))
    for profile in level_profiles:
        coarsest_m = float(dem.resolution_at_m(profile.lon, profile.lat).max())
        if coarsest_m > GRADE_WINDOW_M / 2:
            pixel, limit = f"{coarsest_m:.0f}", f"{GRADE_WINDOW_M / 2:.0f}"
            return GradeSupport(False, Message("limit.pixels_too_coarse", {"pixel_m": pixel, "limit_m": limit}))
        p95 = grade_p95_pct(profile)
        if p95 >= LEVEL_P95_PCT:
            return GradeSupport(False, Message("limit.level_line_climbs", {"p95_pct": f"{p95:.1f}"}))
    if not level_profiles:
        return GradeSupport(False, Message("limit.no_level_line"))
    pixel, limit = f"{dem.resolution_m:.0f}", f"{LEVEL_P95_PCT:g}"
    return GradeSupport(True, Message("limit.level_line_holds", {"pixel_m": pixel, "limit_pct": limit}))


def grade_p95_pct(profile: Profile) -> float:
    """95th percentile of the absolute grade over 1 km, in percent."""
    return float(np.percentile(_grades_pct(profile), 95))


def _grades_pct(profile: Profile) -> Floats:
    return np.abs(profile_gradient_pct(profile.chainage_km, profile.height_m, GRADE_WINDOW_M / 1000))


def profile_gradient_pct(chainage_km: Floats, height_m: Floats, window_km: float) -> Floats:
    """Grade in percent between points ``window_km`` apart, at every chainage that has such a point ahead.

    Args:
        chainage_km: along the line, rising, shape (n,).
        height_m: heights there, shape (n,).
        window_km: length over which a grade is taken.
    """
    ahead = np.interp(chainage_km + window_km, chainage_km, height_m)
    # The last kilometre has no point ahead: a shorter window there would show grades that no kilometre has.
    usable = chainage_km + window_km <= chainage_km[-1]
    return np.asarray((ahead - height_m)[usable] / (window_km * 10))


@metric(
    Subject.TERRAIN,
    Column(
        "max_elevation_m", Unit.M, "highest point of the route (tunnels straight)", "max of the profile",
        interval=True,
    ),
    Column(
        "relief_m", Unit.M, "highest less lowest point", "max - min of the profile", interval=True, shown=Shown.FILES,
    ),
    Column(
        "ascent_m", Unit.M, "metres climbed, climbs under 20 m left out",
        "hysteresis over the smoothed profile", interval=True,
    ),
    Column(
        "descent_m", Unit.M, "metres descended, falls under 20 m left out",
        "hysteresis over the smoothed profile", interval=True, shown=Shown.FILES,
    ),
    Column(
        "km_above_2000_m", Unit.KM, "length above 2000 m", "sum of profile steps whose middle is higher",
        interval=True,
    ),
)  # fmt: skip
def measure_heights(profile: Profile, error_draws: Sequence[ErrorField]) -> Values:
    """Heights and climbs of the DEM's own profile.

    Their ranges lay the 5th and 95th percentile of the error draws, less their median, about that value: draws add
    error to heights that have it already and so inflate climbs, hence only their spread is used.
    """
    found = _height_metrics(profile.chainage_km, profile.height_m[None], profile.threshold_m)
    if not error_draws:
        return {name: float(values[0]) for name, values in found.items()}
    # Errors belong to the ground: each draw lays the route over its own ground, structures and all. A design keeps its
    # heights; what the error does is cuts and fills.
    grounds = profile.ground_m + sample_errors(error_draws, profile.lon, profile.lat)
    laid = GroundLayer(profile).lay(grounds, profile.height_m)
    drawn = _height_metrics(profile.chainage_km, laid, profile.threshold_m)
    ranged = {}
    for name, values in found.items():
        value = float(values[0])
        low, middle, high = (float(v) for v in np.percentile(drawn[name], [5, 50, 95]))
        ranged[name] = Estimate(max(value - (middle - low), 0.0), value, value + (high - middle))
    return ranged


@derived
def ground_rasters(dem: Dem) -> tuple[Floats, Floats]:
    """Slope in degrees and ruggedness in metres on the DEM's grid, shape (rows, cols) each."""
    return slope_deg(dem), ruggedness_m(dem)


@metric(
    Subject.TERRAIN,
    Column(
        "mean_slope_deg", Unit.DEGREE, "mean slope of the ground within 500 m of the line",
        "Horn slope of the elevation model",
    ),
    Column(
        "ruggedness_m", Unit.M, "mean ruggedness of the ground within 500 m of the line",
        "Terrain Ruggedness Index (Riley et al. 1999)",
    ),
)  # fmt: skip
def measure_surroundings(profile: Profile, dem: Dem, ground_rasters: tuple[Floats, Floats]) -> Values:
    """The ground beside the route."""
    slope, ruggedness = _band_means(profile, dem, ground_rasters)
    return {"mean_slope_deg": slope, "ruggedness_m": ruggedness}


@metric(
    Subject.TERRAIN,
    Column(
        "ground_departure_p95_m", Unit.M, "how far the route's height departs from the ground on open stretches",
        "95th percentile of |ground - route|", shown=Shown.FILES,
    ),
)  # fmt: skip
def measure_ground_departure(profile: Profile) -> Values:
    """How far the route lies off the ground where no structure carries it."""
    off = np.abs(profile.ground_m - profile.height_m)[_open_ground(profile)]
    # a route that lies in a tunnel all along departs from no ground
    return {"ground_departure_p95_m": float(np.percentile(off, 95)) if len(off) else float("nan")}


@metric(
    Subject.TERRAIN,
    Column("tunnel_km", Unit.KM, "length in tunnels", "sum over parts; empty where a part's isn't quoted"),
    Column("tunnel_quoted_km", Unit.KM, "length in tunnels that maps and documents give", "sum over parts"),
    status="tunnel_km_status",
)  # fmt: skip
def measure_tunnels(candidate: Candidate) -> Values | Unmeasured:
    """Length in tunnels; no figure where no map and no document gives that of a part, which isn't 0."""
    return _structures(candidate, StructureKind.TUNNEL, sum(part.tunnel_km for part in candidate.parts))


@metric(
    Subject.TERRAIN,
    Column("bridge_km", Unit.KM, "length on bridges", "sum over parts; empty where a part's isn't quoted"),
    Column("bridge_quoted_km", Unit.KM, "length on bridges that maps and documents give", "sum over parts"),
    status="bridge_km_status",
)  # fmt: skip
def measure_bridges(candidate: Candidate) -> Values | Unmeasured:
    """Length on bridges; no figure where no map and no document gives that of a part, which isn't 0."""
    return _structures(candidate, StructureKind.BRIDGE, sum(part.bridge_km for part in candidate.parts))


def _structures(candidate: Candidate, kind: StructureKind, known_km: float) -> Values | Unmeasured:
    """What is known of one kind of structures, and the whole where every part's is quoted."""
    quoted = {f"{kind}_quoted_km": known_km}
    if any(kind in part.not_quoted for part in candidate.parts):
        return Unmeasured(MetricStatus.NOT_QUOTED, quoted)
    return {f"{kind}_km": known_km, **quoted}


@metric(
    Subject.TERRAIN,
    Column("documented_max_grade_pct", Unit.PERCENT, "steepest documented grade", "max over parts"),
)
def measure_documented_grade(route: Candidate) -> Values:
    """The steepest grade that documents state, NaN where none does."""
    documented = [part.max_grade_pct for part in route.parts if part.max_grade_pct is not None]
    return {"documented_max_grade_pct": max(documented, default=np.nan)}


@metric(
    Subject.TERRAIN,
    Column(
        "grade_p95_pct", Unit.PERCENT,
        "grade over 1 km that 95 % of the route keep under; only where the heights carry grades",
        "percentile of |rise| / 1 km",
    ),
    Column(
        "max_grade_1km_pct", Unit.PERCENT, "steepest grade over 1 km; only where the heights carry grades",
        "max of |rise| / 1 km",
    ),
    status="grades_status",
)  # fmt: skip
def measure_grades(profile: Profile, grades: GradeSupport, dem: Dem) -> Values | Unmeasured:
    """Grades of the profile, where the DEM can carry them (:func:`judge_grades`), all along the line."""
    # Coarse heights show grades that are too mild: no figure is better than one that is wrong to the same side every
    # time.
    if not grades.supported or not dem.carries_grades_at(profile.lon, profile.lat).all():
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    steep = _grades_pct(profile)
    if not len(steep):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)  # a route of less than a kilometre has no grade over one
    return {"grade_p95_pct": float(np.percentile(steep, 95)), "max_grade_1km_pct": float(steep.max())}


@metric(
    Subject.TERRAIN,
    Column("dem", Unit.NONE, "elevation model that the heights come from", "study file: sources.elevation", Kind.TEXT),
    Column("dem_resolution_m", Unit.M, "its pixel size", "elevation file", shown=Shown.FILES),
    Column(
        "dem_vertical_error_m", Unit.M, "its standard error", "data/reference/height_errors.csv, else the study file",
        shown=Shown.FILES,
    ),
)  # fmt: skip
def describe_heights(dem: Dem) -> Values:
    """The elevation model that heights come from."""
    return {
        "dem": dem.source.title,
        "dem_resolution_m": round(dem.resolution_m, 1),
        "dem_vertical_error_m": dem.vertical_error_m,
    }


def _open_ground(profile: Profile) -> NDArray[np.bool_]:
    """Samples outside every structure."""
    outside = np.ones(len(profile.chainage_km), dtype=bool)
    for span in profile.spans:
        # Samples at a portal itself belong to the structure.
        outside &= (profile.chainage_km < span.from_km) | (profile.chainage_km > span.to_km)
    return outside


def _height_metrics(chainage_km: Floats, heights_m: Floats, threshold_m: Floats) -> dict[str, Floats]:
    """Figures of each of several lines of heights (lines, n), shape (lines,)."""
    up, down = np.array([climbs_m(line, threshold_m) for line in heights_m]).T
    # Steps are of unequal length where vertices were added: each counts by its own.
    steps = np.diff(chainage_km)
    high = (heights_m[:, 1:] + heights_m[:, :-1]) / 2 > HIGH_M
    top = heights_m.max(axis=1)
    return {
        "max_elevation_m": top,
        "relief_m": top - heights_m.min(axis=1),
        "ascent_m": up,
        "descent_m": down,
        "km_above_2000_m": np.array([steps[above].sum() for above in high]),
    }


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
