"""Cost of what of a candidate is still to be built or renewed."""

from __future__ import annotations

from collections.abc import Sequence

from corridor.errors import CatalogueError
from corridor.metrics.registry import Subject, Values, metric
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Estimate, UnitCost
from corridor.schema.column import Column, Unit
from corridor.schema.vocabulary import SectionStatus, WorkKind

_NEW = frozenset((SectionStatus.PLANNED, SectionStatus.CONSTRUCTION))
_RENEW = frozenset((SectionStatus.ABANDONED, SectionStatus.DISUSED))


@metric(
    Subject.COST,
    Column(
        "cost_musd", Unit.MUSD, "price of what is still to be built or renewed", "km by kind x unit_costs.csv",
        interval=True,
    ),
)  # fmt: skip
def measure_cost(candidate: Candidate, unit_costs: Sequence[UnitCost]) -> Values:
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
    return {"cost_musd": total}


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
