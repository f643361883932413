"""A network on which roads can be cut or slowed at the very point where a route meets them.

Closing the whole edge would also cut off those who live on the near side of the point. So each point becomes a pair
of nodes at one place, joined by an edge of no length, the gate: closing the gate cuts the road there and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, points_at, project, substring, vertex_chainage_m
from corridor.network.graph import MINUTES, Network, Position
from corridor.schema.interaction import Event
from corridor.schema.vocabulary import EventKind

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

    def snap(self, lon: float, lat: float, closed: Bools, *, limit_m: float, what: str) -> Position:
        """The nearest point of the nearest edge that is neither closed nor a gate; see :meth:`Network.snap`."""
        return super().snap(lon, lat, closed | self.is_gate, limit_m=limit_m, what=what)

    def rows_of(self, portions: Iterable[tuple[int, float, float]]) -> Ints:
        """Rows, gates left out, that lie on portions (edge, from fraction, to fraction) of the ungated network."""
        order, starts = self._rows_by_origin
        found = [np.zeros(0, dtype=np.int64)]
        for edge, low, high in portions:
            rows = order[starts[edge] : starts[edge + 1]]
            # A row lies wholly inside a portion or outside it: its middle tells, whatever rounding does at the cuts.
            middle = (self.from_fraction[rows] + self.to_fraction[rows]) / 2
            found.append(rows[(middle > low) & (middle < high) & ~self.is_gate[rows]])
        return np.unique(np.concatenate(found))

    @cached_property
    def _rows_by_origin(self) -> tuple[Ints, Ints]:
        """All rows in order of their origin, and where each origin's begin."""
        order = np.argsort(self.origin, kind="stable")
        return order, np.concatenate([[0], np.cumsum(np.bincount(self.origin))])


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
        low, high = table[:, 3], table[:, 4]
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
        frame = self.base.edges.iloc[origin].reset_index(drop=True)
        share = high - low
        lines = frame.geometry.to_numpy().copy()
        for row in changed:
            lines[row] = _stretch(lines[row], float(low[row]), float(high[row]))
        scaled = {name: frame[name].to_numpy() * share for name in ("length_m", *MINUTES)}
        frame = pd.DataFrame(frame.drop(columns="geometry")).assign(u=u, v=v, **scaled)
        return gpd.GeoDataFrame(frame, geometry=lines, crs=WGS84)[list(self.base.edges.columns)]


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
