"""Which single crossings decide whether somewhere can be reached.

A crossing's kind is an assumption: at grade where no bridge is mapped, apart where one is. Each is turned over, and
what can be reached from the border crossing and back is searched again; that is exact, and one crossing costs two
searches. A crossing is left out without a search only where turning it over changes nothing for the regime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor.interactions.regime_effects import acts_in, effects, is_cut
from corridor.interactions.split_network import SplitNetwork
from corridor.network.graph import Position
from corridor.network.paths import search
from corridor.schema.interaction import CriticalCrossing, Event
from corridor.schema.regime import Regime, class_rank
from corridor.schema.vocabulary import CrossingRuleKind, EventKind, Separation

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ConnectivityTargets:
    """What must stay within reach: the border crossing and the capital, and places by name, on a gated network.

    ``closed`` (n_edges,) is what nobody may use whatever the regime: other modes, other countries, closed borders.
    """

    network: SplitNetwork
    closed: Bools
    crossing: Position
    capital: Position
    places: Mapping[str, Position]

    def linked(self, closed: Bools) -> tuple[bool, frozenset[str]]:
        """Whether capital and crossing reach each other, and the places that the crossing reaches both ways."""
        shut = closed | self.closed
        there = search(self.network.traffic_arcs, self._starts(self.crossing, shut), self._zero, self._zero, shut).cost
        home = search(
            self.network.traffic_arcs_back, self._ends(self.crossing, shut), self._zero, self._zero, shut
        ).cost
        touched = self._touched(np.isfinite(there), np.isfinite(home), shut)
        return bool(touched[0]), frozenset(name for name, met in zip(self.places, touched[1:], strict=True) if met)

    @cached_property
    def _zero(self) -> Floats:
        return np.zeros(len(self.closed))

    @cached_property
    def _asked(self) -> tuple[Ints, Ints, Ints, Bools]:
        """Edges of the capital and of the places, with their ends and whether traffic has one direction: (1 + n,)."""
        edges = self.network.edges
        rows = np.array([self.capital.edge, *(at.edge for at in self.places.values())], dtype=np.int64)
        u, v = (edges[name].to_numpy(dtype=np.int64)[rows] for name in ("u", "v"))
        return rows, u, v, edges["oneway"].to_numpy(dtype=bool)[rows]

    def _starts(self, at: Position, shut: Bools) -> list[tuple[int, float]]:
        if shut[at.edge]:
            return []
        edge = self.network.edges.iloc[at.edge]
        return [(int(edge["v"]), 0.0)] + ([] if edge["oneway"] else [(int(edge["u"]), 0.0)])

    def _ends(self, at: Position, shut: Bools) -> list[tuple[int, float]]:
        if shut[at.edge]:
            return []
        edge = self.network.edges.iloc[at.edge]
        return [(int(edge["u"]), 0.0)] + ([] if edge["oneway"] else [(int(edge["v"]), 0.0)])

    def _touched(self, there: Bools, home: Bools, shut: Bools) -> Bools:
        """Which positions can be driven to from the crossing and back, over their own edges' ends: (1 + n,)."""
        rows, u, v, oneway = self._asked
        # A one-way edge is entered at its start and left at its end only.
        arrives = there[u] | (~oneway & there[v])
        leaves = home[v] | (~oneway & home[u])
        return np.asarray(~shut[rows] & ((rows == self.crossing.edge) | (arrives & leaves)))


def find_critical_crossings(
    events: Sequence[Event], regime: Regime, stakes: ConnectivityTargets
) -> list[CriticalCrossing]:
    """Crossings of one candidate that decide, under a regime, whether the capital or any place keeps the crossing.

    Only regimes that cut roads have any. Those that decide about the capital come first, then by places concerned.
    """
    if regime.crossing.kind not in {CrossingRuleKind.CLOSED, CrossingRuleKind.GRADE_SEPARATED}:
        return []
    # What the regime closes as assumed; each crossing is turned over against this.
    base = effects(events, regime, stakes.network).closed
    linked, places = stakes.linked(base)
    found = []
    for event in events:
        if event.kind != EventKind.CROSSING or not acts_in(regime, event.country) or not _matters(event, regime):
            continue
        flipped = _flipped(events, event, regime, stakes.network, base)
        linked_then, places_then = stakes.linked(flipped)
        lost, regained = tuple(sorted(places - places_then)), tuple(sorted(places_then - places))
        if linked_then != linked or lost or regained:
            apart = event.separation == Separation.SEPARATED
            kind = Separation.AT_GRADE if apart else Separation.SEPARATED
            found.append(
                CriticalCrossing(
                    event.event_id, event.candidate_id, regime.regime_id, kind, linked, linked_then, lost, regained
                )
            )
    return sorted(
        found, key=lambda d: (d.linked_as_assumed == d.linked_if_flipped, -len(d.places_lost) - len(d.places_regained))
    )


def _matters(event: Event, regime: Regime) -> bool:
    """Whether turning a crossing over opens or cuts its road under a regime."""
    if event.separation == Separation.AT_GRADE:
        return is_cut(event, regime)
    rule = regime.crossing
    return rule.kind == CrossingRuleKind.CLOSED or class_rank(event.road_class) > class_rank(rule.min_class)


def _flipped(events: Sequence[Event], event: Event, regime: Regime, network: SplitNetwork, base: Bools) -> Bools:
    closed = base.copy()
    gates = list(network.gates[event.event_id])
    if event.separation == Separation.SEPARATED:
        closed[gates] = True
        return closed
    # a gate that another crossing of the route cuts too stays shut
    others = [g for e in events if e is not event and is_cut(e, regime) for g in network.gates[e.event_id]]
    closed[[gate for gate in gates if gate not in set(others)]] = False
    return closed
