"""What a route does to long-distance flows: the cost of north-south pairs, and what they lose if it is closed."""

from __future__ import annotations

from collections.abc import Callable

from corridor.flows.changes import Case
from corridor.flows.indicators import cost_to_flows, pairs_of_axis, regret_if_closed
from corridor.flows.model import FlowModel
from corridor.flows.results import default_years
from corridor.metrics.registry import Subject, Unmeasured, Values, metric
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Unit
from corridor.schema.vocabulary import MetricStatus


@metric(
    Subject.FLOWS,
    Column(
        "flow_cost_usd", Unit.USD_PER_LOAD, "what north-south loads pay more because of the route, on average",
        "mean change of the logsum over north-south pairs in the last year, against that year without the route",
        interval=True,
    ),
    status="flow_cost_usd_status",
)  # fmt: skip
def measure_flow_cost(flow_model: FlowModel, flow_case: Case) -> Values | Unmeasured:
    """Mean change of the cost of north-south pairs, all branches together."""
    return _in_last_year(flow_model, flow_case, "flow_cost_usd", cost_to_flows)


@metric(
    Subject.FLOWS,
    Column(
        "flow_regret_usd", Unit.USD_PER_LOAD, "what north-south loads pay more if the route is closed, on average",
        "mean rise of the logsum over north-south pairs in the last year, without the route's own links and those shut "
        "with it",
        interval=True,
    ),
    status="flow_regret_usd_status",
)  # fmt: skip
def measure_flow_regret(flow_model: FlowModel, flow_case: Case) -> Values | Unmeasured:
    """Mean rise of the cost of north-south pairs if the route and what would be shut with it were closed."""
    return _in_last_year(flow_model, flow_case, "flow_regret_usd", regret_if_closed)


def _in_last_year(
    model: FlowModel, case: Case, name: str, measure: Callable[[FlowModel, Case, int], Estimate | None]
) -> Values | Unmeasured:
    """A figure of the last year; none where what a route changes isn't known, or where loads get through no more."""
    # No north-south pair to pay anything and pairs that pay nothing are two things.
    if not pairs_of_axis(model):
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if any(change.unknown for change in case.changes):
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    found = measure(model, case, default_years(model)[-1])
    return Unmeasured(MetricStatus.UNREACHABLE) if found is None else {name: found}
