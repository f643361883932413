"""Border access and north-south metrics of one candidate under one regime, from a frame built once per study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from corridor.geo.geodesy import WGS84
from corridor.metrics.access import Access, AccessResult, measure_access
from corridor.metrics.axes import (
    Axis,
    measure_gain,
    measure_if_closed,
    measure_north_south_delay,
    new_links,
    shared_with_axes,
)
from corridor.metrics.crossing_counts import count_crossings, count_openings
from corridor.metrics.reach import State
from corridor.metrics.redundancy import (
    POINT_COLUMNS,
    Leg,
    Stage,
    count_whole_routes,
    disjoint_legs,
    disjoint_metrics,
    single_point_metrics,
)
from corridor.metrics.severance import BorderGround, border_km_within
from corridor.metrics.severance_interval import severance_metrics
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate
from corridor.schema.interaction import EdgeEffect, Event
from corridor.schema.vocabulary import GeometryQuality, MetricStatus

MAX_SCHEMATIC_SHARE = 0.1
"""Above this part of a schematic line, crossings of roads can't be counted."""

_COUNTS = ("crossings", "crossings_at_grade", "crossings_separated", "openings", "openings_per_10km")
_ROUTES = ("disjoint_routes", "disjoint_routes_before", "disjoint_routes_whole", "disjoint_routes_whole_before")


@dataclass(frozen=True)
class ImpactFrame:
    """What all candidates and regimes are measured on.

    ``access`` may be measured on a network split at crossings (see :mod:`corridor.interactions.split_network`);
    ``network`` is the unsplit one, whose rows candidates, events and axes name. ``ground`` is the border that strips
    are measured to, ``stages`` the places between which disjoint routes are counted, ``axes`` the north-south lines.
    """

    network: Network
    access: Access
    ground: BorderGround
    stages: tuple[Stage, ...]
    axes: tuple[Axis, ...]
    strip_draws: int = 100
    seed: int = 0

    @property
    def country(self) -> str:
        """The country whose access is measured."""
        return self.access.domain.country

    @property
    def local_roads(self) -> bool:
        """Whether the network has the local roads that places, crossings and disjoint routes need."""
        return self.access.supports_places

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """Disjoint routes by stage with nothing done to the network."""
        return tuple(disjoint_legs(self.access.domain, self.stages, self.access.domain.state().closed))

    @cached_property
    def whole_routes(self) -> int:
        """Disjoint routes from the crossing to the last stage with nothing done to the network."""
        return count_whole_routes(self.access.domain, self.access.domain.state(), self.stages[-1])

    @cached_property
    def single_points(self) -> dict[str, Any]:
        """Metrics of the stretches without substitute with nothing done to the network."""
        domain = self.access.domain
        return single_point_metrics(domain, self.access.capital, domain.state())[0]


@dataclass(frozen=True)
class ImpactRow:
    """Metrics by name, and tables: places (PLACE_COLUMNS of access), stages, axes, stretches without substitute."""

    metrics: dict[str, Any]
    places: pd.DataFrame
    stages: pd.DataFrame
    axes: pd.DataFrame
    single_points: gpd.GeoDataFrame
    result: AccessResult


@dataclass(frozen=True)
class OwnMeasures:
    """What of a candidate doesn't depend on the regime.

    Metrics, the strip (lon/lat), shared stretches by axis, and rows of the unsplit network that are its new links.
    """

    metrics: dict[str, Any]
    strip: shapely.Geometry
    axes: pd.DataFrame
    links: tuple[int, ...] = ()


def touches(candidate: Candidate, country: str) -> bool:
    """Whether any part of a candidate lies in a country."""
    return any(part.country == country for part in candidate.parts)


def _schematic_share(candidate: Candidate, country: str) -> float:
    """Part of a candidate's length in a country whose place isn't known: there crossings can't be counted."""
    parts = [part for part in candidate.parts if part.country == country]
    rough = sum(part.drawn_km for part in parts if part.geometry_quality == GeometryQuality.SCHEMATIC)
    return rough / sum(part.drawn_km for part in parts)


def measure_own(frame: ImpactFrame, candidate: Candidate, events: Sequence[Event]) -> OwnMeasures:
    """Metrics of a candidate that hold under every regime: strip, border distances, crossings, shared axes, if closed.

    Raises:
        NetworkError: the candidate disagrees with the borders.
    """
    country = frame.country
    if not touches(candidate, country):
        empty = dict.fromkeys(
            (*_COUNTS[:3], "north_south_shared_km", "north_south_conflicts", "north_south_if_closed_ratio"), np.nan
        )
        strip, shape = severance_metrics(frame.ground, candidate, None)
        words = {
            "crossings_status": MetricStatus.NOT_APPLICABLE,
            "north_south_status": MetricStatus.NOT_APPLICABLE,
            "north_south_if_closed": MetricStatus.NOT_APPLICABLE,
        }
        return OwnMeasures(strip | empty | words, shape, pd.DataFrame())
    places = frame.access.places if frame.local_roads else None
    surveyed = all(
        p.geometry_quality != GeometryQuality.SCHEMATIC or frame.local_roads
        for p in candidate.parts
        if p.country == country
    )
    strip, shape = severance_metrics(
        frame.ground, candidate, places, draws=frame.strip_draws, seed=frame.seed, supported=surveyed
    )
    placed = frame.local_roads and _schematic_share(candidate, country) <= MAX_SCHEMATIC_SHARE
    counted = count_crossings(events, country) if placed else dict.fromkeys(_COUNTS[:3], np.nan)
    shared, axes = shared_with_axes(frame.network, candidate, events, frame.axes)
    metrics = strip | border_km_within(frame.ground, candidate) | counted | shared
    metrics |= {
        "crossings_status": MetricStatus.OK if placed else MetricStatus.NOT_SUPPORTED,
        "north_south_status": MetricStatus.OK,
    }
    metrics |= measure_if_closed(frame.access, events, country)
    return OwnMeasures(metrics, shape, axes, new_links(frame.network, candidate, country))


def measure_regime(
    frame: ImpactFrame,
    candidate: Candidate,
    events: Sequence[Event],
    effect: EdgeEffect | None,
    own: OwnMeasures,
    *,
    bounds: tuple[EdgeEffect, EdgeEffect] | None = None,
    opens_own_links: bool = False,
) -> ImpactRow:
    """All border access and north-south metrics of a candidate under a regime.

    Args:
        frame: the study's frame.
        candidate: the route.
        events: its events.
        effect: what the regime closes and slows, on the network of ``frame.access``; None for nothing.
        own: from :func:`measure_own`.
        bounds: the effect with the least and the greatest delays, for the interval.
        opens_own_links: whether the regime lets the country's own traffic use the candidate's new links.
    """
    country, domain = frame.country, frame.access.domain
    applicable = touches(candidate, country)
    result = measure_access(frame.access, effect, bounds=bounds, applicable=applicable)
    metrics = dict(own.metrics) | result.metrics | measure_north_south_delay(result.metrics)
    metrics |= measure_gain(frame.access, own.links if opens_own_links else ())
    if not applicable or not frame.local_roads:
        metrics |= _without_roads(MetricStatus.NOT_SUPPORTED if applicable else MetricStatus.NOT_APPLICABLE)
        return ImpactRow(metrics, result.places, pd.DataFrame(), own.axes, _no_points(), result)
    after = domain.state(effect)
    routes, stages = _count_routes(frame, after)
    single, points = single_point_metrics(domain, frame.access.capital, after, frame.single_points, frame.access.places)
    metrics |= count_openings(candidate, events, effect, country, domain.network) | routes | single
    return ImpactRow(metrics, result.places, stages, own.axes, points, result)


def _without_roads(status: MetricStatus) -> dict[str, Any]:
    """What stands in for metrics that need local roads."""
    empty = dict.fromkeys((*_COUNTS[3:], *_ROUTES, "single_point_km", "single_point_km_before"), np.nan)
    return empty | {"disjoint_routes_status": status, "single_point_km_status": status}


def _no_points() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({name: [] for name in POINT_COLUMNS}, geometry=[], crs=WGS84)


def _count_routes(frame: ImpactFrame, after: State) -> tuple[dict[str, Any], pd.DataFrame]:
    """Disjoint routes by stage and over the whole, before and after."""
    if len(frame.stages) < 2:
        return dict.fromkeys(_ROUTES, np.nan) | {"disjoint_routes_status": MetricStatus.NOT_APPLICABLE}, pd.DataFrame()
    domain = frame.access.domain
    metrics, table = disjoint_metrics(frame.legs, disjoint_legs(domain, frame.stages, after.closed, frame.legs))
    whole = {
        "disjoint_routes_whole": count_whole_routes(domain, after, frame.stages[-1]),
        "disjoint_routes_whole_before": frame.whole_routes,
    }
    return metrics | whole | {"disjoint_routes_status": MetricStatus.OK}, table
