"""How far the strip behind a route can be trusted: route and border moved against each other, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, project
from corridor.metrics.severance import BorderGround, Strip, lengthen, measure_severance, places_behind, planar_runs
from corridor.schema.candidate import Candidate
from corridor.schema.vocabulary import MetricStatus

ROUTE_SIGMA_M = 15.0
BORDER_SIGMA_M = 20.0
_REACH_M = 2000.0
_COARSE_M = 200.0
Floats = NDArray[np.float64]


def severance_metrics(
    ground: BorderGround,
    candidate: Candidate,
    places: pd.DataFrame | None,
    *,
    draws: int = 100,
    seed: int = 0,
    supported: bool = True,
) -> tuple[dict[str, Any], shapely.Geometry]:
    """Area, share of the border and places behind a route if it were closed, and the strip itself (lon/lat).

    The intervals are the 2.5 and 97.5 per cent points of the draws of :func:`draw_severance`.

    Args:
        ground: the country and its border.
        candidate: the route.
        places: settlements with lon, lat; None where there are none.
        draws: number of draws, 0 for no interval.
        seed: of the draws.
        supported: False where the route is drawn too roughly for this; metrics are then empty.

    Raises:
        NetworkError: the candidate disagrees with the polygon by more than a kilometre.
    """
    names = ("strip_area_km2", "border_behind_share", "border_behind_km", "strip_places")
    passes = any(part.country == ground.country for part in candidate.parts)
    if not passes or not supported:
        status = MetricStatus.NOT_SUPPORTED if passes else MetricStatus.NOT_APPLICABLE
        return dict.fromkeys(names, np.nan) | {"strip_status": status}, shapely.Polygon()
    runs = planar_runs(ground, candidate)
    strip = measure_severance(ground, [lengthen(ground, run) for run in runs])
    found: dict[str, Any] = {
        "strip_area_km2": strip.area_km2,
        "border_behind_share": strip.behind_share,
        "border_behind_km": strip.behind_km,
        "strip_status": MetricStatus.OK,
    }
    if draws:
        areas, shares = draw_severance(ground, runs, strip, draws, seed)
        for name, values in (("strip_area_km2", areas), ("border_behind_share", shares)):
            found[f"{name}_low"], found[f"{name}_high"] = (float(q) for q in np.quantile(values, [0.025, 0.975]))
    found["strip_places"] = np.nan if places is None else len(places_behind(ground, strip, places))
    return found, project(strip.faces, ground.crs, WGS84)


def draw_severance(
    ground: BorderGround, runs: Sequence[shapely.LineString], strip: Strip, draws: int, seed: int
) -> tuple[Floats, Floats]:
    """Areas in km2 and shares of the border over draws, shape (draws,) each.

    In each draw the route and the border are moved as a whole by independent normal errors (15 m and 20 m in either
    axis), so that only their difference counts. ``strip`` is the one without errors. Outlines more than 2 km from the
    route are drawn coarsely meanwhile, and the area that this changes is put right by what it changes without errors.
    """
    rng = np.random.default_rng(seed)
    shifts = rng.normal(0, ROUTE_SIGMA_M, (draws, 2)) - rng.normal(0, BORDER_SIGMA_M, (draws, 2))
    coarse = coarse_ground(ground, runs)
    bias = strip.area_km2 - measure_severance(coarse, [lengthen(coarse, run) for run in runs]).area_km2
    drawn = [measure_severance(coarse, [lengthen(coarse, _moved(run, shift)) for run in runs]) for shift in shifts]
    areas = np.array([d.area_km2 + bias if d.area_km2 > 0 else 0.0 for d in drawn])
    return areas, np.array([d.behind_share for d in drawn])


def _moved(line: shapely.LineString, by: Floats) -> shapely.LineString:
    return shapely.transform(line, lambda xy: xy + by)


def coarse_ground(ground: BorderGround, runs: Sequence[shapely.LineString]) -> BorderGround:
    """The same ground with outlines off the shared border simplified to 200 m where they are far from the route."""
    near = shapely.union_all(list(runs))
    shapely.prepare(near)
    lines = [_coarse(line, near) for line in shapely.get_parts(ground.other)]
    return replace(ground, other=shapely.MultiLineString(lines))


def _coarse(line: shapely.LineString, near: shapely.Geometry) -> shapely.LineString:
    """A line whose stretches beyond reach are simplified, all other vertices and its ends kept."""
    xy = shapely.get_coordinates(line)
    close = shapely.dwithin(near, shapely.points(xy), _REACH_M)
    close[[0, -1]] = True
    kept = np.flatnonzero(close)
    pieces = [xy[:1]]
    for a, b in pairwise(kept.tolist()):
        stretch = xy[a : b + 1]
        if b - a > 1:
            stretch = shapely.get_coordinates(shapely.simplify(shapely.LineString(stretch), _COARSE_M))
        pieces.append(stretch[1:])
    return shapely.LineString(np.concatenate(pieces))
