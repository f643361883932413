"""Crossings of a route counted: by road class, and how many stay passable under a regime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corridor.interactions.split_network import SplitNetwork
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.interaction import EdgeEffect, Event
from corridor.schema.vocabulary import EventKind, Separation


def count_crossings(events: Sequence[Event], country: str) -> dict[str, Any]:
    """Crossings at grade and separated in a country, in all and by road class (``crossings_at_grade_<class>``)."""
    met = [event for event in events if event.kind == EventKind.CROSSING and event.country == country]
    level = [event for event in met if event.separation != Separation.SEPARATED]
    found: dict[str, Any] = {
        "crossings": len(met),
        "crossings_at_grade": len(level),
        "crossings_separated": len(met) - len(level),
    }
    for road_class in sorted({event.road_class for event in met}):
        found[f"crossings_at_grade_{road_class}"] = sum(event.road_class == road_class for event in level)
        found[f"crossings_separated_{road_class}"] = (
            sum(event.road_class == road_class for event in met) - found[f"crossings_at_grade_{road_class}"]
        )
    return found


def count_openings(
    candidate: Candidate, events: Sequence[Event], effect: EdgeEffect | None, country: str, network: Network
) -> dict[str, Any]:
    """Crossings in a country that stay passable, and how many there are per 10 km of the route there.

    A crossing is an opening if the regime leaves the road open there; the route's length is the documented one where
    there is one. ``network`` is the one that the effect is of. Empty for a candidate that isn't in the country.
    """
    length = sum((part.length_km for part in candidate.parts if part.country == country), Estimate(0.0, 0.0, 0.0)).mid
    if length <= 0:
        return {"openings": np.nan, "openings_per_10km": np.nan}
    met = [event for event in events if event.kind == EventKind.CROSSING and event.country == country]
    passable = sum(effect is None or not effect.closed[_cut_rows(network, event)].any() for event in met)
    return {"openings": passable, "openings_per_10km": passable / length * 10}


def _cut_rows(network: Network, event: Event) -> list[int]:
    """Rows whose closing would cut the road of a crossing: its gates where the network has them."""
    rows = network.gates.get(event.event_id, ()) if isinstance(network, SplitNetwork) else event.edges
    return list(rows)
