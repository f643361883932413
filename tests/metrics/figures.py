"""Figures of the registry's metrics, from made-up inputs."""

from __future__ import annotations

from corridor.metrics.access import AccessResult, measure_access
from corridor.metrics.registry import all_metrics
from corridor.metrics.severance import SeveranceDraws
from corridor.schema.catalogue import Estimate
from corridor.schema.parameters import TripRates
from tests.metrics.context import Context

RATES = TripRates(Estimate(0.005, 0.01, 0.02), Estimate(0.05, 0.1, 0.2))
"""Trips a person and day to the border crossing and to a centre."""


def row_of(function, **inputs):
    """The cells of one metric."""
    found = next(metric for metric in all_metrics() if metric.measure is function)
    return found.row(Context(**inputs))


def figures(access, result: AccessResult):
    """What follows from access alone."""
    return Context(access=access, access_result=result, trip_rates=RATES, local_roads=access.supports_places).row


def access_figures(access, effect=None, **options):
    """The same for an effect."""
    return figures(access, measure_access(access, effect, **options))


def route_context(setting: Context, candidate, events=()) -> Context:
    """A candidate with what it meets."""
    return setting.extend(candidate=candidate, lie_of_candidate=candidate, events=list(events))


def under(route: Context, effect, *, bounds=None, opens_new_links=False, closes_roads=True) -> Context:
    """The same with what a regime closes and slows."""
    return route.extend(effect=effect, bounds=bounds, opens_new_links=opens_new_links, closes_roads=closes_roads)


def setting_of(network, access, ground, stages, axes, draws=100) -> Context:
    """What candidates are measured on."""
    return Context(
        network=network, lie_of_network=network, access=access, ground=ground, stages=tuple(stages), axes=tuple(axes),
        local_roads=access.supports_places, settlements=access.places if access.supports_places else None,
        severance_draws=SeveranceDraws(draws), schematic_half_width_km=1.0,
    )  # fmt: skip
