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

from corridor.impact.access import Access, AccessResult, measure_access
from corridor.impact.crossing_counts import count_crossings, count_openings
from corridor.impact.north_south import (
    Axis,
    measure_gain,
    measure_if_closed,
    measure_north_south_delay,
    new_links,
    shared_with_axes,
)
from corridor.impact.redundancy import POINT_COLUMNS, Leg, Stage, disjoint_legs, disjoint_metrics, single_point_metrics
from corridor.impact.strip import BorderGround, border_km_within
from corridor.impact.strip_interval import strip_metrics
from corridor.model.candidate import Candidate
from corridor.model.impact import EdgeEffect, Event
from corridor.network.graph import Network

_COUNTS = ("crossings", "crossings_at_grade", "crossings_separated", "openings", "openings_per_10km")


@dataclass(frozen=True)
class ImpactFrame:
    """What all candidates and regimes are measured on.

    ``access`` may be measured on a network split at crossings (see :mod:`corridor.impact.gates`); ``network`` is the
    unsplit one, whose rows candidates, events and axes name. ``ground`` is the border that strips are measured to,
    ``stages`` the places between which disjoint routes are counted, ``axes`` the north-south lines.
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
        strip, shape = strip_metrics(frame.ground, candidate, None)
        words = {
            "crossings_status": "not_applicable",
            "north_south_status": "not_applicable",
            "north_south_if_closed": "not_applicable",
        }
        return OwnMeasures(strip | empty | words, shape, pd.DataFrame())
    places = frame.access.places if frame.local_roads else None
    surveyed = all(
        p.geometry_quality != "schematic" or frame.local_roads for p in candidate.parts if p.country == country
    )
    strip, shape = strip_metrics(
        frame.ground, candidate, places, draws=frame.strip_draws, seed=frame.seed, supported=surveyed
    )
    counted = count_crossings(events, country) if frame.local_roads else dict.fromkeys(_COUNTS[:3], np.nan)
    shared, axes = shared_with_axes(frame.network, candidate, events, frame.axes)
    metrics = strip | border_km_within(frame.ground, candidate) | counted | shared
    metrics |= {"crossings_status": "ok" if frame.local_roads else "not_supported", "north_south_status": "ok"}
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
    no_points = gpd.GeoDataFrame({name: [] for name in POINT_COLUMNS}, geometry=[], crs="EPSG:4326")
    metrics |= measure_gain(frame.access, own.links if opens_own_links else ())
    if not applicable or not frame.local_roads:
        status = "not_applicable" if not applicable else "not_supported"
        names = (
            "openings",
            "openings_per_10km",
            "disjoint_routes",
            "disjoint_routes_before",
            "single_point_km",
            "single_point_km_before",
        )
        metrics |= dict.fromkeys(names, np.nan) | {"disjoint_routes_status": status, "single_point_km_status": status}
        return ImpactRow(metrics, result.places, pd.DataFrame(), own.axes, no_points, result)
    after = domain.state(effect)
    disjoint, stages = disjoint_metrics(frame.legs, disjoint_legs(domain, frame.stages, after.closed, frame.legs))
    single, points = single_point_metrics(domain, frame.access.capital, after, frame.single_points, frame.access.places)
    metrics |= (
        count_openings(candidate, events, effect, country, domain.network)
        | disjoint
        | {"disjoint_routes_status": "ok"}
        | single
    )
    return ImpactRow(metrics, result.places, stages, own.axes, points, result)
