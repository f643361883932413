"""What a regime does to the road network through a candidate, and which single crossings decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import StudyError
from corridor.geo.geodesy import WGS84, points_at, project, substring, vertex_chainage_m
from corridor.network.connectivity import Condensed
from corridor.network.graph import MINUTES, Network, Position
from corridor.network.paths import Arcs, reachable
from corridor.ragged import spread
from corridor.report.i18n import render
from corridor.schema.candidate import Candidate, Part, route_message
from corridor.schema.catalogue import Estimate
from corridor.schema.message import ListStyle, Message, listing
from corridor.schema.regime import Regime, class_rank
from corridor.schema.results import CriticalCrossing, EdgeEffect, Event
from corridor.schema.vocabulary import (
    CrossingRuleKind,
    EventKind,
    Mode,
    RoadsInUse,
    SectionStatus,
    Separation,
    SharedRuleKind,
)

# --- A network on which roads can be cut or slowed at the very point where a route meets them ---
# Closing the whole edge would also cut off those who live on the near side of the point. So each point becomes a pair
# of nodes at one place, joined by an edge of no length, the gate: closing the gate cuts the road there and nowhere
# else.

_DIGITS = 9  # fractions alike to a billionth of an edge are one point: under a millimetre
_END = 1e-7  # a point this near to an edge's end is its node
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SplitNetwork(Network):
    """A network with gates.

    ``origin``, ``from_fraction`` and ``to_fraction`` (n_edges,) say which stretch of which row of the network that it
    was made from each row is; a gate's fractions are equal. ``gates`` gives the rows that cut the road of each crossing
    event. The first rows are those of the network that it was made from, ``base``, cut short where they were split;
    ``changed`` are the rows whose lines aren't those of their origin.
    """

    base: Network
    changed: Ints
    origin: Ints
    from_fraction: Floats
    to_fraction: Floats
    is_gate: Bools
    gates: dict[str, tuple[int, ...]]

    @property
    def crs(self) -> str:
        """The UTM zone of the network that it was made from."""
        return self.base.crs

    @cached_property
    def planar(self) -> NDArray[np.object_]:
        """Edge geometries in metres; only those of split edges are made anew."""
        lines = self.base.planar[self.origin]
        lines[self.changed] = project(self.edges.geometry.to_numpy()[self.changed], WGS84, self.crs)
        return np.asarray(lines, dtype=object)

    def forget_plane(self) -> None:
        """The same for what this network has of its own, and for the one that it was made from."""
        super().forget_plane()
        self.__dict__.pop("planar", None)
        self.base.forget_plane()

    def snap(self, lon: float, lat: float, closed: Bools, *, limit_m: float, what: str) -> Position:
        """The nearest point of the nearest edge that is neither closed nor a gate; see :meth:`Network.snap`.

        Args:
            lon: degrees east.
            lat: degrees north.
            closed: edges that may not be used, shape (n_edges,).
            limit_m: farthest that it may lie, metres.
            what: what it is, for the message.
        """
        return super().snap(lon, lat, closed | self.is_gate, limit_m=limit_m, what=what)

    def rows_of(self, portions: Iterable[tuple[int, float, float]]) -> Ints:
        """Rows, gates left out, that lie on portions (edge, from fraction, to fraction) of the ungated network."""
        order, starts, sizes = self._rows_by_origin
        asked = np.array(list(portions), dtype=float).reshape(-1, 3)
        edge = asked[:, 0].astype(np.int64)
        # The rows of each portion's edge follow one another in this order: all of them at once, portion by portion.
        places, counts = spread(starts, sizes, edge)
        rows, of = order[places], np.repeat(np.arange(len(edge)), counts)
        # A row lies wholly inside a portion or outside it: its middle tells, whatever rounding does at the cuts.
        middle = (self.from_fraction[rows] + self.to_fraction[rows]) / 2
        return np.unique(rows[(middle > asked[of, 1]) & (middle < asked[of, 2]) & ~self.is_gate[rows]])

    @cached_property
    def _rows_by_origin(self) -> tuple[Ints, Ints, Ints]:
        """All rows in order of their origin, where each origin's begin, and how many it has."""
        sizes = np.bincount(self.origin)
        return np.argsort(self.origin, kind="stable"), np.cumsum(sizes) - sizes, sizes


def split_network(network: Network, events: Iterable[Event]) -> SplitNetwork:
    """Split a network's edges where events cut them or where shared stretches begin and end.

    One gated network serves all candidates and regimes: gates stay open unless an effect closes them. It is the same
    network for every search as long as they do.
    """
    events = list(events)
    splits: dict[int, dict[float, bool]] = defaultdict(dict)
    for event in events:
        for edge, low, high in event.portions:
            # Rounded, so that events that end at one place share its node.
            for fraction in {round(low, _DIGITS), round(high, _DIGITS)}:
                gate = event.kind == EventKind.CROSSING
                shared = event.kind in (EventKind.SHARED, EventKind.POSSIBLY_SHARED)
                if gate or (shared and _END < fraction < 1 - _END):
                    splits[edge][fraction] = splits[edge].get(fraction, False) or gate
    pieces = _Pieces(network)
    for edge in sorted(splits):
        pieces.split(edge, sorted(splits[edge].items()))
    return pieces.network({event.event_id: event.portions for event in events if event.kind == EventKind.CROSSING})


class _Pieces:
    """Edges being split: the first piece of each takes its row, the others and then the gates follow all rows."""

    def __init__(self, network: Network) -> None:
        self.base = network
        self.u, self.v = network.edges["u"].to_numpy(), network.edges["v"].to_numpy()
        self.first: list[tuple[int, int, int, float, float]] = []
        self.others: list[tuple[int, int, int, float, float]] = []
        self.made: dict[tuple[int, float], tuple[int, int]] = {}
        self.nodes: list[tuple[int, float]] = []

    def _node(self, edge: int, fraction: float) -> int:
        self.nodes.append((edge, fraction))
        return self.base.n_nodes + len(self.nodes) - 1

    def split(self, edge: int, points: list[tuple[float, bool]]) -> None:
        """Split one edge at fractions in rising order; each with whether a gate stands there."""
        here, begin = int(self.u[edge]), 0.0
        stretches: list[tuple[int, int, int, float, float]] = []
        for fraction, gate in points:
            # At an edge's end no piece is cut off: the gate stands between the old node and a new one at its place.
            if fraction <= _END:
                beyond = self._node(edge, 0.0)
                self.made[edge, fraction] = (here, beyond)
                here = beyond
            elif fraction >= 1 - _END:
                before = self._node(edge, 1.0)
                self.made[edge, fraction] = (before, int(self.v[edge]))
                stretches.append((edge, here, before, begin, 1.0))
                here, begin = int(self.v[edge]), 1.0
            else:
                before = self._node(edge, fraction)
                stretches.append((edge, here, before, begin, fraction))
                here, begin = before, fraction
                if gate:
                    here = self._node(edge, fraction)
                    self.made[edge, fraction] = (before, here)
        if begin < 1.0:
            stretches.append((edge, here, int(self.v[edge]), begin, 1.0))
        self.first.append(stretches[0])
        self.others += stretches[1:]

    def network(self, portions: dict[str, tuple[tuple[int, float, float], ...]]) -> SplitNetwork:
        """The network of all rows, split or not."""
        base, edges = self.base, self.base.edges
        n = len(edges)
        gates = [(edge, *ends, fraction, fraction) for (edge, fraction), ends in self.made.items()]
        # rows of whole edges as they are; split ones have their first piece, the others and then the gates follow
        more = np.array([*self.others, *gates], dtype=float).reshape(-1, 5)
        first = np.array(self.first, dtype=float).reshape(-1, 5)
        whole = np.column_stack([np.arange(n), self.u, self.v, np.zeros(n), np.ones(n)]).astype(float)
        rows = first[:, 0].astype(np.int64)
        whole[rows] = first
        table = np.vstack([whole, more])
        origin, u, v = (table[:, column].astype(np.int64) for column in range(3))
        # copies: views would keep the whole table
        low, high = table[:, 3].copy(), table[:, 4].copy()
        is_gate = np.arange(len(table)) >= len(table) - len(gates)
        changed = np.sort(np.concatenate([rows, np.arange(n, len(table))]))
        frame = self._frame(origin, u, v, low, high, changed)
        lon = np.concatenate([base.node_lon, np.zeros(len(self.nodes))])
        lat = np.concatenate([base.node_lat, np.zeros(len(self.nodes))])
        for index, (edge, fraction) in enumerate(self.nodes, base.n_nodes):
            lon[index], lat[index] = _point(edges.geometry.iat[edge], fraction)
        # Gates are the last rows, in the order in which they were made.
        row_of = {key: len(table) - len(gates) + index for index, key in enumerate(self.made)}
        named = {
            event: tuple(row_of[edge, round(low, _DIGITS)] for edge, low, _ in cuts) for event, cuts in portions.items()
        }
        return SplitNetwork(frame, lon, lat, base, changed, origin, low, high, is_gate, named)

    def _frame(self, origin: Ints, u: Ints, v: Ints, low: Floats, high: Floats, changed: Ints) -> gpd.GeoDataFrame:
        # Column by column: of a table some of whose columns are replaced, the old ones would stay in memory.
        columns = {name: column.array.take(origin) for name, column in self.base.edges.items()}
        for row in changed:
            columns["geometry"][row] = _stretch(columns["geometry"][row], float(low[row]), float(high[row]))
        columns |= {"u": u, "v": v} | {name: columns[name] * (high - low) for name in ("length_m", *MINUTES)}
        return gpd.GeoDataFrame(columns, crs=WGS84, copy=False)


def _point(line: shapely.LineString, fraction: float) -> tuple[float, float]:
    lon, lat = points_at(line, [fraction * float(vertex_chainage_m(line)[-1])])
    return float(lon[0]), float(lat[0])


def _stretch(line: shapely.LineString, low: float, high: float) -> shapely.LineString:
    if (low, high) == (0.0, 1.0):
        return line
    if low == high:
        return shapely.LineString([_point(line, low)] * 2)
    total = float(vertex_chainage_m(line)[-1])
    return substring(line, low * total, high * total)


End = Literal["low", "mid", "high"]
_TOUCH_KM = 0.01
"""Stretches with a shorter gap between are one: the gap is a cut of the map."""
_MIN_KM = 0.5
"""Shorter use of roads, or new ways, doesn't decide whether a regime applies. Declared."""


def effects(events: Sequence[Event], regime: Regime, network: SplitNetwork, *, end: End = "mid") -> EdgeEffect:
    """Edges closed and minutes added when a regime is applied to what a candidate meets.

    Crossings act on their gates alone, so that nobody is cut off who needn't cross; shared stretches act on the
    stretch: its minutes are spread along it, so that who drives a part of it is charged that part. A crossing that is
    ``separated`` is left alone by every regime, and so is a road that runs beside. Only events in the regime's
    countries count. ``end`` chooses low, middle or high minutes of checks.

    Args:
        events: what the candidate meets.
        regime: the set of rules.
        network: split where roads meet the candidate.
        end: of the ranges of minutes.
    """
    return effects_at_ends(events, regime, network, (end,))[0]


def effects_at_ends(
    events: Sequence[Event], regime: Regime, network: SplitNetwork, ends: Sequence[End] = ("mid", "low", "high")
) -> tuple[EdgeEffect, ...]:
    """The same at several ends of the ranges of minutes, which close the same edges.

    Args:
        events: what the candidate meets.
        regime: the set of rules.
        network: split where roads meet the candidate.
        ends: of the ranges of minutes.

    Returns:
        An effect for each end.
    """
    closed = np.zeros(len(network.edges), dtype=bool)
    delays = np.zeros((len(ends), len(closed)))
    here = [event for event in events if acts_in(regime, event.country)]
    for event in here:
        if event.kind != EventKind.CROSSING:
            continue
        gates = list(network.gates[event.event_id])
        if is_cut(event, regime):
            closed[gates] = True
        elif event.separation != Separation.SEPARATED and regime.crossing.kind == CrossingRuleKind.GATED:
            # through a junction a road passes two gates, one on each arm
            for delay, end in zip(delays, ends, strict=True):
                minutes = _minutes(regime.crossing.minutes, end) / (2 if event.joins else 1)
                delay[gates] = np.maximum(delay[gates], minutes)
    if regime.allows_transit:
        # the railway takes the bed of these roads, whatever its rules
        taken = [(edge, 0.0, 1.0) for event in here if event.kind == EventKind.ON_BED for edge in event.edges]
        closed[network.rows_of(taken)] = True
    for stretch in shared_stretches(here) if regime.same_line.kind != SharedRuleKind.OPEN else ():
        rows = network.rows_of(portion for event in stretch for portion in event.portions)
        rows = rows[network.is_road_in_use[rows]]  # an axis that is only planned slows nobody
        if regime.same_line.kind == SharedRuleKind.TRANSIT_ONLY:
            closed[rows] = True
        else:
            lengths = network.column("length_m")[rows]
            total = lengths.sum()
            if total > 0:
                for delay, end in zip(delays, ends, strict=True):
                    delay[rows] += _minutes(regime.same_line.minutes, end) * lengths / total
    slowed = np.flatnonzero(delays.any(axis=0))
    return tuple(
        EdgeEffect(closed, slowed, delay[slowed], _most_min(regime, closed, end))
        for delay, end in zip(delays, ends, strict=True)
    )


def _most_min(regime: Regime, closed: NDArray[np.bool_], end: End) -> float:
    """The longest wait where all gates are shut at the same hours; without limit else, or where a road is closed."""
    if regime.transit_hours is None or closed.any():
        return np.inf
    return max(_minutes(rule.minutes, end) for rule in (regime.crossing, regime.same_line))


def acts_in(regime: Regime, country: str) -> bool:
    """Whether a regime's switches act in a country."""
    return not regime.applies_to.through or country in regime.applies_to.through


def is_cut(event: Event, regime: Regime) -> bool:
    """Whether a crossing's road is closed under a regime."""
    if event.kind != EventKind.CROSSING or event.separation == Separation.SEPARATED:
        return False
    rule = regime.crossing
    if rule.kind == CrossingRuleKind.GRADE_SEPARATED:
        return class_rank(event.road_class) > class_rank(rule.min_class)
    return rule.kind == CrossingRuleKind.CLOSED


def _minutes(minutes: Estimate | None, end: End) -> float:
    return 0.0 if minutes is None else float(getattr(minutes, end))


def shared_stretches(events: Iterable[Event]) -> list[list[Event]]:
    """Same-line events in a row that follow one another without a gap, in one country: checked once, not at each."""
    stretches: list[list[Event]] = []
    shared = (e for e in events if e.kind == EventKind.SHARED)
    for event in sorted(shared, key=lambda e: (e.route_id, e.chainage_km)):
        last = stretches[-1][-1] if stretches else None
        # A gap of metres is a cut of the map: traffic is checked where it gets on, and not again.
        follows = (
            last is not None
            and (last.country, last.route_id) == (event.country, event.route_id)
            and event.chainage_km - last.to_chainage_km < _TOUCH_KM
        )
        if follows:
            stretches[-1].append(event)
        else:
            stretches.append([event])
    return stretches


def applies(regime: Regime, candidate: Candidate) -> tuple[bool, Message]:
    """Whether a regime can be applied to a candidate, and why not (or on what ground).

    The declared applicability decides: families, modes and ids of candidates, whether comparators are meant, countries
    that it must run through or avoid, and whether its parts there are roads in use. To a package it applies if it does
    to each of its routes: otherwise nothing says by which rules the others run.
    """
    for member in candidate.members:
        fits, reason = applies(regime, member)
        if not fits:
            return False, Message("applies.not_to_member", {"route": route_message(member), "reason": reason})
    rule = regime.applies_to
    if candidate.members:
        return True, Message("applies.as_declared")
    for what, value, allowed in (
        ("family", candidate.family, rule.families),
        ("mode", candidate.mode, rule.modes),
        ("candidate", candidate.candidate_id, rule.candidates),
    ):
        if allowed and value not in allowed:
            wanted = listing(allowed, ListStyle.OR_ALL)
            return False, Message("applies.other_kind", {"what": what, "wanted": wanted, "value": value})
    if candidate.comparator and not rule.comparators:
        return False, Message("applies.comparator")
    # Where a route runs is decided by its parts as declared, schematic ones too.
    countries = {part.country for part in candidate.parts}
    if rule.through and not countries & set(rule.through):
        return False, Message("applies.elsewhere", {"countries": listing(rule.through, ListStyle.OR_ALL)})
    if met := sorted(countries & set(rule.avoids)):
        barred, entered = listing(rule.avoids, ListStyle.AND), listing(met, ListStyle.AND)
        return False, Message("applies.not_avoided", {"countries": barred, "met": entered})
    parts = [part for part in candidate.parts if not rule.through or part.country in rule.through]
    used = sum(part.drawn_km for part in parts if _in_use(part))
    fresh = sum(part.drawn_km for part in parts if not _exists(part))
    if rule.roads_in_use == RoadsInUse.NONE and used > _MIN_KM:
        return False, Message("applies.roads_in_use", {"km": f"{used:.0f}"})
    if rule.roads_in_use == RoadsInUse.ONLY and fresh > _MIN_KM:
        return False, Message("applies.not_existing", {"km": f"{fresh:.0f}"})
    return True, Message("applies.as_declared")


def _in_use(part: Part) -> bool:
    return part.mode == Mode.ROAD and part.status == SectionStatus.OPEN


def _exists(part: Part) -> bool:
    return part.mode == Mode.ROAD and part.status in {SectionStatus.OPEN, SectionStatus.CLOSED}


def applicable_regimes(
    regimes: Mapping[str, Regime], candidates: Sequence[Candidate]
) -> dict[tuple[str, str], tuple[bool, Message]]:
    """By (candidate_id, regime_id) whether the regime applies, and why.

    Raises:
        StudyError: a regime applies to no candidate at all; says why it misses each.
    """
    table = {(c.candidate_id, key): applies(regime, c) for key, regime in regimes.items() for c in candidates}
    for key in regimes:
        misses = {c.candidate_id: table[c.candidate_id, key] for c in candidates}
        if candidates and not any(fits for fits, _ in misses.values()):
            first, (_, reason) = next(iter(misses.items()))
            raise StudyError(
                f"regime '{key}' applies to none of {len(candidates)} candidates ({first}: {render(reason)}); "
                f"widen its applies_to, add a candidate that fits, or leave the regime out"
            )
    return table


# --- Which single crossings decide whether somewhere can be reached ---
# A crossing's kind is an assumption: at grade where no bridge is mapped, apart where one is. Each is turned over, and
# what can be reached from the border crossing and back is searched again; that is exact, and one crossing costs two
# searches. A crossing is left out without a search only where turning it over changes nothing for the regime.


@dataclass(frozen=True)
class ConnectivityTargets:
    """What must stay within reach: the border crossing and the capital, and places by name, on a gated network.

    ``closed`` (n_edges,) is what no vehicle may use whatever the regime: other modes, other countries, closed borders;
    the vehicle is the one whose ``access`` it is, see :meth:`~corridor.network.graph.Network.through_for`.
    ``closable`` are edges that closures asked about are of; None where that isn't known. ``by_car`` are the same for
    the people of places, where the law tells cars from trucks.
    """

    network: SplitNetwork
    closed: Bools
    crossing: Position
    capital: Position
    places: Mapping[str, Position]
    closable: Bools | None = None
    access: str = "truck_access"
    by_car: ConnectivityTargets | None = None

    def watching(self, events: Iterable[Event]) -> ConnectivityTargets:
        """The same, made quick for many questions about closures of what is met.

        Args:
            events: what routes meet.
        """
        closable, whole = self.network.is_gate.copy(), set()
        for event in events:
            whole |= {edge for edge, _, _ in event.portions} | set(event.edges)
        closable[self.network.rows_of((edge, 0.0, 1.0) for edge in whole)] = True
        by_car = self.by_car and replace(self.by_car, closable=closable)
        return replace(self, closable=closable, by_car=by_car)

    @cached_property
    def _arcs(self) -> tuple[Arcs, Arcs]:
        """Traffic, and traffic turned round."""
        return self.network.traffic_for(self.access), self.network.traffic_for(self.access, reverse=True)

    @cached_property
    def _condensed(self) -> tuple[Condensed, Condensed]:
        """Traffic and traffic turned round, with what nothing that is watched keeps apart as one."""
        closable = self.network.is_gate if self.closable is None else self.closable
        there, home = (Condensed(each, self.closed, closable) for each in self._arcs)
        return there, home

    def linked(self, closed: Bools) -> tuple[bool, frozenset[str]]:
        """Whether goods go to and fro between capital and crossing, and the places whose people reach it both ways."""
        shut = closed | self.closed
        _, u, v, *_ = self._asked
        ends = np.concatenate([u, v])
        starts = self._starts(self.crossing, shut), self._ends(self.crossing, shut)
        if self.closable is not None and not (closed & ~self.closable & ~self.closed).any():
            there, home = (each.reached(at, shut, ends) for each, at in zip(self._condensed, starts, strict=True))
        else:
            there, home = (reachable(each, at, shut)[ends] for each, at in zip(self._arcs, starts, strict=True))
        touched = self._touched(there.reshape(2, -1), home.reshape(2, -1), shut)
        if self.by_car is not None:
            return bool(touched[0]), self.by_car.linked(closed)[1]
        return bool(touched[0]), frozenset(name for name, met in zip(self.places, touched[1:], strict=True) if met)

    @cached_property
    def _asked(self) -> tuple[Ints, Ints, Ints, Bools, Floats]:
        """Edges of the capital and of the places, their ends, whether traffic has one direction, and where on them.

        Shape (1 + n,) each.
        """
        edges, asked = self.network.edges, [self.capital, *self.places.values()]
        rows = np.array([at.edge for at in asked], dtype=np.int64)
        u, v = (edges[name].to_numpy(dtype=np.int64)[rows] for name in ("u", "v"))
        fractions = np.array([at.fraction for at in asked], dtype=float)
        return rows, u, v, edges["oneway"].to_numpy(dtype=bool)[rows], fractions

    def _starts(self, at: Position, shut: Bools) -> list[int]:
        u, v = (int(ends[at.edge]) for ends in self.network.ends)
        if shut[at.edge]:
            return _junction(at, u, v)
        return [v] if self.network.is_oneway[at.edge] else [v, u]

    def _ends(self, at: Position, shut: Bools) -> list[int]:
        u, v = (int(ends[at.edge]) for ends in self.network.ends)
        if shut[at.edge]:
            return _junction(at, u, v)
        return [u] if self.network.is_oneway[at.edge] else [u, v]

    def _touched(self, there: Bools, home: Bools, shut: Bools) -> Bools:
        """Which positions can be driven to from the crossing and back, over their own edges' ends: (1 + n,).

        ``there`` and ``home`` say it of these, start and end of each edge, shape (2, 1 + n).
        """
        rows, _, _, oneway, fractions = self._asked
        usable, at_start, at_end = ~shut[rows], fractions == 0, fractions == 1
        # A one-way edge is entered at its start and left at its end only; whoever lives at one of its ends needs no
        # stretch of it, so that what is closed of it doesn't matter there.
        arrives = there[0] & (usable | at_start) | there[1] & (usable & ~oneway | at_end)
        leaves = home[1] & (usable | at_end) | home[0] & (usable & ~oneway | at_start)
        return np.asarray(usable & (rows == self.crossing.edge) | arrives & leaves)


def _junction(at: Position, u: int, v: int) -> list[int]:
    """The node that a position at an end of an edge from u to v lies at; none where it lies between."""
    return {0.0: [u], 1.0: [v]}.get(at.fraction, [])


def find_critical_crossings(
    events: Sequence[Event], regime: Regime, stakes: ConnectivityTargets
) -> list[CriticalCrossing]:
    """Crossings of one candidate that decide, under a regime, whether the capital or any place keeps the crossing.

    Only regimes that cut roads have any. Those that decide about the capital come first, then by places concerned.

    Args:
        events: what the candidate meets.
        regime: the set of rules.
        stakes: what must stay within reach.
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
