"""Computed driving times held against documented journeys: one common factor, and how well each is foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor.errors import NetworkError, NoRouteError
from corridor.network.graph import Network, Position
from corridor.network.match import node_position, part_lengths_km
from corridor.schema.catalogue import Node
from corridor.schema.study import TimeSpec
from corridor.schema.vocabulary import Mode, SectionStatus

Floats = NDArray[np.float64]
SPEED_UNCERTAINTY = 0.25
OWN_FACTOR_FROM = 3
NODE_LIMIT_M = 3000.0


@dataclass(frozen=True)
class TimeSpread:
    """Factors that driving times are multiplied by at the ends of what is held possible."""

    low: float
    high: float


DECLARED_SPREAD = TimeSpread(1 / (1 + SPEED_UNCERTAINTY), 1 / (1 - SPEED_UNCERTAINTY))
"""Speeds a quarter up and down: for trains, and where no journey is documented."""


@dataclass(frozen=True)
class DocumentedTime:
    """A journey of which a document states the time, and what the network computes for it before any fit.

    ``low_min`` and ``high_min`` are driving, the documented breaks taken off. ``fitted`` says whether it takes part in
    the fit; ``at_least`` that the document only gives a lower bound.
    """

    name: str
    vehicle: str
    length_km: float
    low_min: float
    high_min: float
    computed_min: float
    source_id: str
    fitted: bool = True
    at_least: bool = False

    @property
    def log_ratio(self) -> float:
        """Logarithm of documented over computed time, for the geometric middle of a range."""
        return float((np.log(self.low_min) + np.log(self.high_min)) / 2 - np.log(self.computed_min))

    @property
    def is_exact(self) -> bool:
        """Whether the document gives one figure that takes part in the fit."""
        return self.fitted and not self.at_least and self.low_min == self.high_min


@dataclass(frozen=True)
class TimeFit:
    """Factors from computed to documented driving times.

    ``factor`` is common to all vehicles; ``own`` has those of vehicles with at least three exact times. ``residuals``
    are ln(documented / fitted) of each journey that took part, where the fit was made without it; ``spread`` is their
    root mean square. With a single journey neither can be known: ``residuals`` is empty and ``spread`` NaN.
    """

    factor: float
    own: dict[str, float]
    spread: float
    residuals: tuple[float, ...]
    times: tuple[DocumentedTime, ...]

    def factor_of(self, vehicle: str) -> float:
        """The factor that a vehicle's computed times are multiplied by."""
        return self.own.get(vehicle, self.factor)

    @property
    def fitted(self) -> tuple[DocumentedTime, ...]:
        """The journeys that took part, in the order of the residuals."""
        return tuple(time for time in self.times if time.fitted and not time.at_least)

    def time_spread(self, pin_effect: float) -> TimeSpread:
        """Ends of the interval about fitted times.

        Args:
            pin_effect: what lacking documented heights may add, as a logarithm; independent of the residuals.
        """
        if not np.isfinite(self.spread):
            return DECLARED_SPREAD
        half = float(np.hypot(self.spread, pin_effect))
        return TimeSpread(float(np.exp(-half)), float(np.exp(half)))


def fit_time_factor(times: Sequence[DocumentedTime]) -> TimeFit:
    """Least squares of the logarithms of documented over computed times, with leave-one-out residuals.

    >>> times = [DocumentedTime("a-b", "bus", 20, 50, 72, 30, "x"), DocumentedTime("b-c", "bus", 20, 60, 60, 30, "x")]
    >>> fit_time_factor(times).factor
    2.0

    Raises:
        NetworkError: a time isn't positive or not in order, or none takes part in the fit.
    """
    wrong = [t.name for t in times if not (0 < t.low_min <= t.high_min and 0 < t.computed_min < np.inf)]
    if wrong:
        raise NetworkError(
            f"documented times must be above 0 with their breaks taken off, low before high, and the way reachable: "
            f"see {', '.join(wrong)}"
        )
    used = [time for time in times if time.fitted and not time.at_least]
    if not used:
        raise NetworkError("times: none of the documented journeys takes part in the fit; give one, or leave all out")
    logs = np.array([time.log_ratio for time in used])
    exact: dict[str, list[float]] = {}
    for time in used:
        if time.is_exact:
            exact.setdefault(time.vehicle, []).append(time.log_ratio)
    own = {key: _factor(np.array(found)) for key, found in exact.items() if len(found) >= OWN_FACTOR_FROM}
    if len(logs) == 1:
        return TimeFit(_factor(logs), own, float("nan"), (), tuple(times))
    # without the journey itself, the mean of the others: its residual grows by n / (n - 1)
    left_out = (logs - logs.mean()) * len(logs) / (len(logs) - 1)
    spread = float(np.sqrt((left_out**2).mean()))
    return TimeFit(_factor(logs), own, spread, tuple(left_out.tolist()), tuple(times))


def _factor(logs: Floats) -> float:
    return round(float(np.exp(logs.mean())), 12)


def time_journeys(
    specs: Sequence[TimeSpec],
    network: Network,
    nodes: Mapping[str, Node],
    minutes: Mapping[str, tuple[Floats, Floats]],
    *,
    on_map: bool,
) -> tuple[DocumentedTime, ...]:
    """What the network computes for documented journeys.

    A journey runs from node to node by way of those between, over roads of any country that exist: who may pass a
    stretch today is no part of how long it took then, and checks at borders are left out.

    Args:
        specs: the study's documented journeys.
        network: the roads; rows of ``minutes`` are its first edges.
        nodes: of the catalogue, by id.
        minutes: minutes along and against each edge by vehicle, borders left out.
        on_map: whether the network was made of a map, on which nodes are looked up with preference for main roads.

    Raises:
        NetworkError: a vehicle or node isn't known, or there is no way between two nodes; one line names the journey.
    """
    network = _as_driven(network)
    closed = network.closed(Mode.ROAD)
    at: dict[str, Position] = {}

    def position(key: str, name: str) -> Position:
        if key not in nodes:
            raise NetworkError(f"times: '{name}': '{key}' is no node of the catalogue; correct it")
        if key not in at:
            node = nodes[key]
            at[key] = (
                node_position(network, node, Mode.ROAD)
                if on_map
                else network.snap(node.lon, node.lat, closed, limit_m=NODE_LIMIT_M, what=f"node '{key}'")
            )
        return at[key]

    found = []
    for spec in specs:
        if spec.vehicle not in minutes:
            known = ", ".join(sorted(minutes))
            raise NetworkError(f"times: '{spec.name}': vehicle '{spec.vehicle}' is not in vehicles.csv; use {known}")
        forward, backward = (_padded(way, len(network.edges)) for way in minutes[spec.vehicle])
        total, km = 0.0, 0.0
        for start, end in pairwise((spec.from_node, *spec.via, spec.to_node)):
            try:
                leg = network.route(position(start, spec.name), position(end, spec.name), forward, backward, closed)
            except NoRouteError as fault:
                raise NetworkError(
                    f"times: '{spec.name}': '{start}' and '{end}' aren't joined by open roads of this network; "
                    "correct the nodes or take the journey out"
                ) from fault
            total, km = total + leg.cost, km + float(part_lengths_km(network, leg).sum())
        driving = (spec.low_min - spec.breaks_min, spec.high_min - spec.breaks_min)
        found.append(
            DocumentedTime(
                spec.name, spec.vehicle, km, *driving, total, spec.source, fitted=spec.fitted, at_least=spec.at_least
            )
        )
    return tuple(found)


def _as_driven(network: Network) -> Network:
    """The network with borders passable and closed or doubtful roads open: as they were when a journey was made."""
    edges = network.edges
    shut = edges["status"].isin([SectionStatus.CLOSED, SectionStatus.UNKNOWN]) | network.is_border
    opened = shut & (edges["mode"] == Mode.ROAD)
    return network.with_edges(edges.assign(status=edges["status"].where(~opened, SectionStatus.OPEN)))


def _padded(minutes: Floats, n_edges: int) -> Floats:
    """Minutes with 0 for what stands after them: passages of no length between countries."""
    return np.concatenate([minutes, np.zeros(n_edges - len(minutes))])
