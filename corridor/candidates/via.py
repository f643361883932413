"""Candidates by way of places: the quickest way over the through network from one to the next.

Where open ways don't lead from one place to the next, catalogue sections that are closed, out of use or not finished
yet are driven too, then planned ones and borders at which no crossing is listed: the way is found in the first of
these three states of the network that has one, and everything on it that isn't open is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corridor.candidates.parts import (
    documented_grades,
    join_parts,
    require_assumptions,
    route_parts,
    say_unknown_waits,
    say_what_is_closed,
)
from corridor.candidates.reference import END_LIMIT_KM
from corridor.errors import NetworkError, NoRouteError
from corridor.geo.geodesy import distance_m
from corridor.io.read.catalogue import Catalogue
from corridor.network.alternatives import QuickerWay, find_quicker
from corridor.network.conflation import Conflation
from corridor.network.graph import Network, Position, Route
from corridor.network.map_matching import STATION_M
from corridor.network.paths import as_last_resort
from corridor.schema.candidate import Candidate, Part
from corridor.schema.study import Place, ViaCandidate
from corridor.schema.vocabulary import SectionStatus

Bools = NDArray[np.bool_]

CLOSED_FACTOR = 2.0
"""A minute on what isn't open counts as two where there is no open way: open roads are kept to if that takes no more
than twice as long. A declared parameter."""


def build_via_candidate(
    spec: ViaCandidate,
    stops: Sequence[Place],
    countries: Sequence[str],
    catalogue: Catalogue,
    conflation: Conflation,
    snap_limit_m: float,
) -> Candidate:
    """The quickest way from stop to stop, with everything on it that isn't open named.

    Args:
        spec: what is asked.
        stops: from origin to destination, both included; at least two.
        countries: codes of those that may be passed.
        catalogue: gives documented parts their figures, and borders their crossings.
        conflation: the network.
        snap_limit_m: farthest that a stop may lie from a way, in metres.

    Returns:
        The route.

    Raises:
        StudyError: an assumption names neither a section nor a crossing.
        NetworkError: a stop is too far from any way.
        NoRouteError: two stops have no way between them, not even over what isn't open; names them.
    """
    asked_by = f"candidate '{spec.id}'"
    require_assumptions(spec.assume_open, catalogue, asked_by)
    network = conflation.network
    states = network_states(network, spec, countries)
    at = [_snap(network, stop, states, snap_limit_m, asked_by) for stop in stops]
    grades = documented_grades(catalogue, conflation)
    parts: list[Part] = []
    passed_over: list[QuickerWay] = []
    for (start, end), (here, there) in zip(pairwise(at), pairwise(stops), strict=True):
        if _same_point(start, end):
            continue
        route, quicker = _leg(network, start, end, states, f"{asked_by}: {here.name} to {there.name}", countries)
        passed_over += [quicker] if quicker else []
        parts += route_parts(network, route, grades, catalogue.sections, conflation.driving)
    if not parts:
        raise NoRouteError(f"{asked_by}: all its places lie at one point of the network; a route needs two places")
    gaps_km = (at[0].distance_m / 1000, at[-1].distance_m / 1000)
    name = spec.name or "-".join(dict.fromkeys(stop.name for stop in stops))
    found = say_what_is_closed(join_parts(spec, spec.mode, parts, catalogue, (), gaps_km, name=name), catalogue)
    return say_unknown_waits(found, catalogue, passed_over)


def order_stops(stops: Sequence[Place], origin: Place, destination: Place) -> tuple[Place, ...]:
    """Stops from the study's origin to its destination.

    A stop within 5 km of an end is that end. Stops that are named from the destination to the origin are turned round.

    Args:
        stops: as they were named, perhaps with the ends, perhaps without.
        origin: where the study's routes begin.
        destination: where they end.

    Returns:
        Origin, what lies between, destination.
    """
    # Whether ends are named is left to the author: named ones are taken off, so that none stands twice.
    found = list(stops)
    if found and (_is_at(found[0], destination) or _is_at(found[-1], origin)):
        found.reverse()
    if found and _is_at(found[0], origin):
        found = found[1:]
    if found and _is_at(found[-1], destination):
        found = found[:-1]
    return origin, *found, destination


def _is_at(a: Place, b: Place) -> bool:
    return float(distance_m(a.lon, a.lat, b.lon, b.lat)) <= END_LIMIT_KM * 1000


@dataclass(frozen=True)
class NetworkState:
    """Edges that may not be used, shape (n_edges,), and the minutes that the others count for along and against.

    These are NaN at borders where nobody knows the wait.
    """

    closed: Bools
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]


def network_states(network: Network, spec: ViaCandidate, countries: Sequence[str]) -> tuple[NetworkState, ...]:
    """What may be driven: what is open; then with the catalogue's closed sections; then with its plans as well.

    Args:
        network: roads and railways.
        spec: gives the mode and what counts as open.
        countries: codes of those that may be passed.

    Returns:
        Three states, each with all that the one before allows.
    """
    edges = network.edges
    shut = network.closed(spec.mode, countries=countries, assume_open=spec.assume_open)
    # what the catalogue knows may be taken although it isn't open; what only a map has may not
    known = ((edges["section_id"] != "") | (edges["documented_in"] != "")).to_numpy()
    here = (edges["country"].isin(list(countries)) & (edges["mode"] == spec.mode)).to_numpy()
    unfinished = (edges["status"] == SectionStatus.PLANNED).to_numpy()
    # A border has the names of both its countries in alphabetical order.
    pairs = {f"{a}-{b}" for a in countries for b in countries if a < b}
    passage = edges["border"].isin(sorted(pairs)).to_numpy() & (edges["mode"] == spec.mode).to_numpy()
    listed = passage & (edges["crossing_id"] != "").to_numpy()
    # Plans may cross a border where no crossing is listed, but only where a documented way leads to it.
    documented_node = np.zeros(network.n_nodes, dtype=bool)
    documented_node[edges["u"].to_numpy()[known]] = documented_node[edges["v"].to_numpy()[known]] = True
    met = passage & (documented_node[edges["u"].to_numpy()] | documented_node[edges["v"].to_numpy()])
    # Each state opens what the one before leaves shut, so that the first way found is the one that supposes least.
    with_closed = shut & ~(known & here & ~unfinished) & ~listed
    with_plans = with_closed & ~(known & here) & ~met
    factor = np.where(shut, CLOSED_FACTOR, 1.0)
    forward = edges["minutes_forward"].to_numpy(dtype=float) * factor
    backward = edges["minutes_backward"].to_numpy(dtype=float) * factor
    return tuple(NetworkState(closed, forward, backward) for closed in (shut, with_closed, with_plans))


def _snap(network: Network, stop: Place, states: Sequence[NetworkState], limit_m: float, asked_by: str) -> Position:
    """Where a stop lies on the network: on an open way if one is near enough."""
    try:
        return network.snap(stop.lon, stop.lat, states[0].closed, limit_m=limit_m, what=f"{asked_by}: {stop.name}")
    except NetworkError:
        return network.snap(stop.lon, stop.lat, states[-1].closed, limit_m=limit_m, what=f"{asked_by}: {stop.name}")


def _same_point(a: Position, b: Position) -> bool:
    return a.edge == b.edge and abs(a.fraction - b.fraction) < 1e-9


def _leg(
    network: Network,
    start: Position,
    end: Position,
    states: Sequence[NetworkState],
    what: str,
    countries: Sequence[str],
) -> tuple[Route, QuickerWay | None]:
    """The quickest way in the first state of the network that has one, and a quicker one if nobody waited on it."""
    for state in states:
        counted = state.forward, state.backward
        try:
            found = network.route(start, end, *as_last_resort(*counted), state.closed, turn_within_m=STATION_M)
        except NoRouteError:
            continue
        return found, find_quicker(network, found, start, end, state.closed, *counted, turn_within_m=STATION_M)
    within = f" in {', '.join(countries)}" if any(countries) else ""
    raise NoRouteError(
        f"{what}: no way{within}, not even over closed or planned sections of the catalogue; "
        "name a place between them, allow a country, or draw the line"
    )
