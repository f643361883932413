"""Access to a border crossing, the capital and provincial centres, before and after a route."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import distance_m
from corridor.metrics.reach import (
    Domain,
    Reached,
    Rooted,
    State,
    build_domain,
    reach,
    reach_towards,
    root,
    with_entries,
)
from corridor.metrics.registry import Subject, Unmeasured, Values, derived, metric
from corridor.network.driving_times import DECLARED_SPREAD
from corridor.network.graph import Network, Position
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Shown, Unit
from corridor.schema.results import EdgeEffect
from corridor.schema.study import Place
from corridor.schema.vocabulary import MetricStatus
from corridor.wording import format_position

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Placed = tuple[Ints, Ints, Floats]
"""Numbers of places near a road, the edges of the domain that they lie on, and where on these."""
T = TypeVar("T")
KEPT_READINGS = 256
ROUNDING_MIN = 1e-9
WAYS_OF_PLACES = ("crossing", "centre")
"""What people of places drive to."""
_ENDS = ("", "_low", "_high")
PLACE_COLUMNS = [
    *("place", "country", "people", "people_low", "people_mid", "people_high"),
    *(f"crossing_{name}{end}" for name in ("min_before", "min_after", "delay_min") for end in _ENDS),
    "centre",
    *(f"centre_{name}{end}" for name in ("min_before", "min_after", "delay_min") for end in _ENDS),
    *("lost_crossing", "lost_centre", "snap_m", "lon", "lat"),
]


@dataclass(frozen=True)
class TimeFactors:
    """What driving times are multiplied by: as computed (mid), and at the ends of what is held possible."""

    low: float = DECLARED_SPREAD.low
    mid: float = 1.0
    high: float = DECLARED_SPREAD.high


@dataclass(frozen=True)
class Reading:
    """Worse-of-both-directions minutes in one state; inf where there is no way.

    ``capital`` are a truck's minutes crossing -> capital and capital -> crossing. ``crossing`` and ``centre`` are a
    car's for each place, the latter to the centre that it belongs to, shape (n_places,): goods travel by truck, people
    of villages by car.
    """

    capital: tuple[float, float]
    crossing: Floats
    centre: Floats

    def within(self, before: Reading, most_min: float) -> Reading:
        """The same with no time longer than before by more than some minutes.

        Args:
            before: times with nothing done to the network.
            most_min: the most that any way is delayed by; infinite where there is no limit.
        """
        if not np.isfinite(most_min):
            return self
        # Where gates are shut at the same hours, whoever has waited for one passes the others: delays don't add up
        # without end.
        there, back = (min(now, was + most_min) for now, was in zip(self.capital, before.capital, strict=True))
        crossing, centre = (
            np.minimum(now, was + most_min)
            for now, was in ((self.crossing, before.crossing), (self.centre, before.centre))
        )
        return Reading((there, back), crossing, centre)


class States(NamedTuple):
    """One state of the roads, as each kind of vehicle meets it."""

    by_truck: State
    by_car: State

    @property
    def digest(self) -> tuple[bytes, bytes]:
        """States with the same one are the same."""
        return self.by_truck.digest, self.by_car.digest


@dataclass(frozen=True)
class Access:
    """What access is measured on: a country's roads, the fixed point abroad, the capital, places and their centres.

    ``domain`` has times and closures of trucks, ``by_car`` the same roads with those of cars. ``places`` has the
    columns of :mod:`corridor.metrics.population`; ``positions`` are theirs on the domain, None for those too far from
    any road.
    ``supports_places`` is False for a network without local roads. ``population_total`` is how many people live in all
    of the places together, by census; None where nothing says it.
    """

    domain: Domain
    by_car: Domain
    capital: Position
    centre_names: tuple[str, ...]
    centres: tuple[Position, ...]
    places: pd.DataFrame
    positions: tuple[Position | None, ...]
    factors: TimeFactors
    supports_places: bool
    population_total: Estimate | None = None

    @property
    def country(self) -> str:
        """The country whose access is measured."""
        return self.domain.country

    @cached_property
    def before(self) -> Reading:
        """Times with nothing done to the network."""
        return self.read(self.states(factor=self.factors.mid))

    @cached_property
    def before_capital(self) -> dict[float, tuple[float, float]]:
        """Minutes crossing -> capital and back by time factor."""
        return {
            f: self.read_capital(self.domain.state(factor=f))
            for f in (self.factors.low, self.factors.mid, self.factors.high)
        }

    @cached_property
    def before_places(self) -> dict[str, dict[float, Floats]]:
        """What :meth:`read_places` gives with nothing done, by what is reached and time factor."""
        ends = {f: self.by_car.state(factor=f) for f in (self.factors.low, self.factors.high)}
        middle = {"crossing": self.before.crossing, "centre": self.before.centre}
        return {
            what: {f: self.read_places(what, state) for f, state in ends.items()} | {self.factors.mid: middle[what]}
            for what in WAYS_OF_PLACES
        }

    @cached_property
    def centre_of_place(self) -> NDArray[np.int64]:
        """The centre of each place: the nearest declared one in minutes, before; the first where none is reached."""
        state = self.by_car.state(factor=self.factors.mid)
        times = [self._by_car(centre, state, self._placed) for centre in range(len(self.centres))]
        return np.argmin(times, axis=0) if times else np.zeros(len(self.places), dtype=np.int64)

    @cached_property
    def _read(self) -> OrderedDict[tuple[str, Hashable], Any]:
        return OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to other processes: without readings and trees."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in {"_read", "_trees", "_bounds", "_to_places"}
        }

    @cached_property
    def _trees(self) -> dict[tuple[int | None, float], Rooted]:
        """A car's trees with nothing done, by centre (None for the fixed point abroad) and time factor."""
        return {}

    @cached_property
    def _bounds(self) -> dict[float, tuple[Floats, Floats]]:
        """A truck's minutes to the capital from each node and back with nothing done, by time factor."""
        return {}

    def states(self, effect: EdgeEffect | None = None, *, factor: float = 1.0) -> States:
        """The roads under a regime's effect, as trucks and cars meet them.

        Args:
            effect: what the regime closes and slows; None for nothing.
            factor: of driving times.
        """
        # A road that is shut to trucks alone is shut to goods before and after, and to people only where it is closed.
        return States(self.domain.state(effect, factor=factor), self.by_car.state(effect, factor=factor))

    def towards_capital(self, state: State) -> tuple[Reached, Reached]:
        """A truck's ways from the fixed point abroad to the capital and back; times hold for the capital alone.

        Args:
            state: Of the roads as trucks meet them.
        """
        if state.changed is None:
            last = _ends_of(self.domain, self.capital.edge)
            return reach(self.domain, None, state, (last, last))
        if state.factor not in self._bounds:
            out, back = reach(self.domain, self.capital, self.domain.state(factor=state.factor))
            self._bounds[state.factor] = back.tree.cost, out.tree.cost
        return reach_towards(self.domain, self.capital, self._bounds[state.factor], state)

    def once(self, what: str, key: Hashable, read: Callable[[], T]) -> T:
        """A reading that is taken once for all rules that leave the roads in one state; the last ones are kept.

        Args:
            what: Its name, different from those of other readings.
            key: The same where the reading comes out the same, as :attr:`State.digest`.
            read: Takes it.
        """
        # Rules that leave the roads in one state have one digest, so the searches are made once for all of them.
        at = what, key
        if at not in self._read:
            self._read[at] = read()
            if len(self._read) > KEPT_READINGS:
                self._read.popitem(last=False)
        self._read.move_to_end(at)
        return self._read[at]  # type: ignore[no-any-return]

    def read_capital(self, state: State) -> tuple[float, float]:
        """A truck's minutes from the fixed point abroad to the capital and back.

        Args:
            state: Of the roads as trucks meet them.
        """
        return self.once("capital", state.digest, lambda: self._read_capital(state))

    def _read_capital(self, state: State) -> tuple[float, float]:
        out, back = self.towards_capital(state)
        return out.minutes(self.capital), back.minutes(self.capital)

    def read_places(self, what: str, state: State) -> Floats:
        """A car's minutes between each place and what it drives to, the worse direction, shape (n_places,).

        Args:
            what: ``crossing``, the fixed point abroad, or ``centre``, the one that the place belongs to.
            state: Of the roads as cars meet them.
        """
        read = {"crossing": self._read_crossing, "centre": self._read_centre}[what]
        return self.once(what, state.digest, lambda: read(state))

    def _read_crossing(self, state: State) -> Floats:
        return self._by_car(None, state, self._placed)

    def _read_centre(self, state: State) -> Floats:
        # A place belongs to one centre before and after, or a longer way could come out as a shorter one to another.
        own = np.full(len(self.positions), np.inf)
        for centre, placed in enumerate(self._placed_by_centre):
            if len(placed[0]):
                own[placed[0]] = self._by_car(centre, state, placed)[placed[0]]
        return own

    @cached_property
    def _placed(self) -> Placed:
        """Places that lie near a road: their numbers, edges and where on these."""
        placed = [(number, at.edge, at.fraction) for number, at in enumerate(self.positions) if at]
        numbers, edges, fractions = zip(*placed, strict=True) if placed else ((), (), ())
        return np.array(numbers, dtype=np.int64), np.array(edges, dtype=np.int64), np.array(fractions, dtype=float)

    @cached_property
    def places_before(self) -> Mapping[str, Any]:
        """The columns of the table of places that no state of the roads changes."""
        return {
            **{name: self.places[name].array for name in PLACE_COLUMNS if name in self.places},
            **_with_range("crossing_min_before", self.minutes_before["crossing"]),
            **_with_range("centre_min_before", self.minutes_before["centre"]),
            "centre": pd.array(self._centre_names_of_places, dtype="str"),
            "snap_m": np.array([p.distance_m if p else np.nan for p in self.positions], dtype=float),
        }

    @property
    def _centre_names_of_places(self) -> list[str]:
        """The name of each place's centre, empty where none is reached."""
        reached = np.isfinite(self.before.centre)
        return [self.centre_names[i] if way else "" for i, way in zip(self.centre_of_place, reached, strict=True)]

    @cached_property
    def minutes_before(self) -> dict[str, Floats]:
        """:attr:`before_places` by middle, low and high factor, NaN for no way, shape (3, n_places)."""
        factors = self.factors.mid, self.factors.low, self.factors.high
        return {
            what: _finite(np.stack([minutes[factor] for factor in factors]))
            for what, minutes in self.before_places.items()
        }

    def _by_car(self, centre: int | None, state: State, placed: Placed) -> Floats:
        """A car's minutes between places and a centre, or the fixed point abroad, the worse direction, (n_places,).

        Of other places than those placed nothing is said.
        """
        origin = None if centre is None else self.centres[centre]
        found = np.full(len(self.positions), np.inf)
        numbers, edges, fractions = placed
        if state.changed is None:
            found[numbers] = np.maximum(
                *(way.minutes_at(edges, fractions) for way in reach(self.by_car, origin, state))
            )
            return found
        # One tree serves all states of the roads: what closures and delays change of it is searched again.
        key = centre, state.factor
        if key not in self._trees:
            self._trees[key] = root(self._to_places, origin, state.factor)
        found[numbers] = self._trees[key].worse_minutes(state, edges, fractions)
        return found

    @cached_property
    def _to_places(self) -> Domain:
        """The roads that cars between places, centres and the fixed point abroad may use."""
        ends = np.concatenate([self._placed[1], [at.edge for at in self.centres]]).astype(np.int64)
        return self.by_car.between(ends, self.by_car.not_open)

    @cached_property
    def _placed_by_centre(self) -> tuple[Placed, ...]:
        """By centre, the places near a road that belong to it."""
        numbers, edges, fractions = self._placed
        mine = [self.centre_of_place[numbers] == centre for centre in range(len(self.centres))]
        return tuple((numbers[own], edges[own], fractions[own]) for own in mine)

    def read(self, states: States) -> Reading:
        """All times in one state: both ways between the crossing and the capital, and for each place.

        Args:
            states: Of the roads.
        """
        return self.once("all", states.digest, lambda: self._read_all(states))

    def _read_all(self, states: States) -> Reading:
        crossing, centre = (self.read_places(what, states.by_car) for what in WAYS_OF_PLACES)
        return Reading(self.read_capital(states.by_truck), crossing, centre)


def _ends_of(domain: Domain, edges: Ints | int) -> Bools:
    """Which nodes are ends of some edges, shape (n_nodes,)."""
    ends = np.zeros(domain.n_nodes, dtype=bool)
    ends[domain.u[edges]] = ends[domain.v[edges]] = True
    return ends


@dataclass(frozen=True)
class AccessResult:
    """Access after what a regime does through a candidate.

    ``delay_min`` is what it adds to the way between crossing and capital, in the worse direction; None where that way
    is lost or the candidate doesn't touch the country (``applicable`` False). ``places`` is the table of places
    (PLACE_COLUMNS), ``after`` all times; results with the same ``digest`` have the same.
    """

    applicable: bool
    delay_min: Estimate | None
    places: pd.DataFrame
    after: Reading
    digest: Hashable


def build_access(
    network: Network,
    country: str,
    crossing: Place,
    capital: Place,
    centres: Sequence[Place],
    places: pd.DataFrame,
    *,
    snap_limit_m: float = 2000.0,
    factors: TimeFactors | None = None,
    assume_open: Collection[str] = (),
    supports_places: bool = True,
    population_total: Estimate | None = None,
) -> Access:
    """The frame that all candidates and regimes are measured on.

    Args:
        network: the whole network; only roads in ``country`` and its open crossings to ``crossing``'s country count.
        country: whose access is measured.
        crossing: a fixed point on the far side of the border.
        capital: where goods go.
        centres: provincial centres; each place belongs to the nearest.
        places: settlements, see :func:`corridor.metrics.population.build_population`.
        snap_limit_m: farthest that a place may lie from a road.
        factors: what driving times are multiplied by.
        assume_open: crossings and sections that count as open.
        supports_places: whether the network has the local roads that places need.
        population_total: how many people live in all places together; None if nothing says it.

    Raises:
        NetworkError: crossing, capital or a centre is far from any road, or the capital can't be reached even before.
    """
    # Goods come by truck and people by car: what is closed to one may be open to the other.
    domain, by_car = (
        with_entries(
            build_domain(network, country, assume_open=assume_open, by_car=car),
            crossing,
            limit_m=snap_limit_m,
            assume_open=assume_open,
            by_car=car,
        )
        for car in (False, True)
    )
    at = domain.snap(capital.lon, capital.lat, limit_m=snap_limit_m, what=f"capital '{capital.name}'")
    # Without local roads no place can be reached, which says nothing of the places: none is measured then.
    served = (
        [by_car.snap(c.lon, c.lat, limit_m=snap_limit_m, what=f"centre '{c.name}'") for c in centres]
        if supports_places
        else []
    )
    kept = places if supports_places else places.iloc[:0]
    access = Access(
        domain=domain,
        by_car=by_car,
        capital=at,
        centre_names=tuple(c.name for c in centres) if supports_places else (),
        centres=tuple(served),
        places=kept.reset_index(drop=True),
        # A place far from any road stays in the table, with no way known to it, instead of stopping the run.
        positions=tuple(
            by_car.snap_all(*(kept[name].to_numpy(dtype=float) for name in ("lon", "lat")), limit_m=snap_limit_m)
        ),
        factors=factors or TimeFactors(),
        supports_places=supports_places,
        population_total=population_total,
    )
    # A delay to a way that isn't there even before has no meaning: the data are wrong or don't fit the question.
    if not np.isfinite(access.before_capital[access.factors.mid]).all():
        raise NetworkError(
            f"capital '{capital.name}' can't be reached from '{crossing.name}' over open roads of {country} even "
            f"before any route: {_where_it_ends(access, crossing, capital)}; check the road data there (a one-way road "
            "cut off at the edge?), crossings.csv and who controls which section"
        )
    return access


def _where_it_ends(access: Access, crossing: Place, capital: Place) -> str:
    """Which directions between crossing and capital have no way, and how near to its end each gets."""
    domain, said = access.domain, []
    found = reach(domain, None, domain.state(factor=access.factors.mid))
    for way, (start, end) in zip(found, ((crossing, capital), (capital, crossing)), strict=True):
        if np.isfinite(way.minutes(access.capital)):
            continue
        # both searches run from the crossing, with traffic or against it: they end short of the capital
        nodes = domain.nodes[np.isfinite(way.tree.cost)]
        lon, lat = domain.network.node_lon[nodes], domain.network.node_lat[nodes]
        if not len(nodes):
            said.append(f"no way from {start.name} to {end.name}")
            continue
        off_m = distance_m(lon, lat, capital.lon, capital.lat)
        near = int(np.argmin(off_m))
        at = format_position(float(lat[near]), float(lon[near]), 4)
        gap = f"{off_m[near] / 1000:.1f} km from {capital.name}"
        said.append(f"from {start.name} to {end.name} the roads part at {at}, {gap}")
    return ", ".join(said)


def measure_access(
    access: Access,
    effect: EdgeEffect | None,
    *,
    bounds: tuple[EdgeEffect, EdgeEffect] | None = None,
    applicable: bool = True,
) -> AccessResult:
    """Access before and after what a regime does through a candidate.

    Args:
        access: from :func:`build_access`.
        effect: edges closed and slowed, on the same network; None for nothing.
        bounds: the same with the least and the greatest delays, for the interval; both as ``effect`` if not given.
        applicable: False for a candidate that doesn't touch the country, whose delay isn't asked for.
    """
    after, ends = access.before, bounds or (effect, effect)
    middle = access.states(effect, factor=access.factors.mid)
    if effect is not None:
        after = access.read(middle).within(access.before, effect.most_min)
    # Each end of an interval is searched by itself: the best way may be another one where driving is slower.
    factors = access.factors.low, access.factors.high
    states = [access.states(end, factor=factor) for factor, end in zip(factors, ends, strict=True)]
    # The most that a regime can add holds for slow driving and fast driving alike.
    most = [np.inf if end is None else end.most_min for end in ends]
    delay = None
    if applicable and np.isfinite(after.capital).all():
        delay = _delay_range(access, after, [one.by_truck for one in states], most)
    alike = middle.digest, *(end.digest for end in states), None if effect is None else effect.most_min, *most
    places = access.once("places", alike, lambda: _place_table(access, after, [one.by_car for one in states], most))
    return AccessResult(applicable, delay, places, after, alike)


def _delay_range(access: Access, after: Reading, states: Sequence[State], most_min: Sequence[float]) -> Estimate:
    """Minutes added as computed, and with the slowest and fastest driving and the least and greatest checks."""
    delays = [_delay(access.before.capital, after.capital)]
    for state, most in zip(states, most_min, strict=True):
        delays.append(min(_delay(access.before_capital[state.factor], access.read_capital(state)), most))
    return Estimate(min(delays), delays[0], max(delays))


def _delay(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The worse of the two directions; a difference of rounding is none."""
    delay = max(b - a for a, b in zip(before, after, strict=True))
    return delay if abs(delay) > ROUNDING_MIN else 0.0


def _place_ranges(
    access: Access, what: str, after: Floats, states: Sequence[State], most_min: Sequence[float]
) -> dict[str, Floats]:
    """Minutes of each place to what it drives to after, and what is added, with the ends of what is possible.

    The ends are those of the capital: the fastest driving with the least checks, the slowest with the most.
    """
    times = [after]
    for state, most in zip(states, most_min, strict=True):
        times.append(np.minimum(access.read_places(what, state), access.before_places[what][state.factor] + most))
    minutes = _finite(np.stack(times))
    delays = minutes - access.minutes_before[what]
    # a difference of rounding is none
    delays = np.where(np.abs(delays) > ROUNDING_MIN, delays, np.where(np.isnan(delays), np.nan, 0.0))
    return _with_range(f"{what}_min_after", minutes) | _with_range(f"{what}_delay_min", delays)


def _finite(minutes: Floats) -> Floats:
    """Minutes with NaN for no way: the difference of two infinite times would be none, but with a warning."""
    return np.where(np.isfinite(minutes), minutes, np.nan)


def _with_range(name: str, values: Floats) -> dict[str, Floats]:
    """Columns of the middle values, the first row of ``values``, and of the least and greatest of all rows."""
    return {name: values[0], f"{name}_low": values.min(axis=0), f"{name}_high": values.max(axis=0)}


def _place_table(access: Access, after: Reading, states: Sequence[State], most_min: Sequence[float]) -> pd.DataFrame:
    columns: dict[str, NDArray[Any]] = dict(access.places_before)
    for what, minutes in (("crossing", after.crossing), ("centre", after.centre)):
        columns |= _place_ranges(access, what, minutes, states, most_min)
        columns[f"lost_{what}"] = ~np.isnan(columns[f"{what}_min_before"]) & np.isnan(columns[f"{what}_min_after"])
    return pd.DataFrame({name: columns[name] for name in PLACE_COLUMNS})


def passes(candidate: Candidate, country: str) -> bool:
    """Whether any part of a candidate lies in a country."""
    return any(part.country == country for part in candidate.parts)


@derived
def access_result(
    access: Access, candidate: Candidate, effect: EdgeEffect | None, bounds: tuple[EdgeEffect, EdgeEffect] | None
) -> AccessResult:
    """Access under the regime at hand."""
    return measure_access(access, effect, bounds=bounds, applicable=passes(candidate, access.country))


@metric(
    Subject.ACCESS,
    Column(
        "access_min_before", Unit.MIN, "truck time between border crossing and capital as it is",
        "shortest path; the worse direction", shown=Shown.FILES,
    ),
    Column(
        "access_min_after", Unit.MIN, "the same under the regime", "shortest path; the worse direction; its ends are "
        "access_min_before and the ends of access_delay_min", interval=True,
    ),
    Column(
        "access_delay_min", Unit.MIN, "what the regime adds to it; empty where the crossing is lost",
        "access_min_after - access_min_before", interval=True,
    ),
    Column(
        "access_ratio", Unit.NONE, "how many times longer it takes", "access_min_after / access_min_before", digits=2,
        interval=True,
    ),
    status="access_delay_min_status",
)  # fmt: skip
def measure_capital_access(access: Access, access_result: AccessResult) -> Values | Unmeasured:
    """The way between the crossing and the capital before and after."""
    if not access_result.applicable:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    before, after = access.before.capital, access_result.after.capital
    if access_result.delay_min is None:
        return Unmeasured(MetricStatus.UNREACHABLE, {"access_min_before": max(before)})
    delay, usual = access_result.delay_min, max(before)
    # A capital at the crossing takes no time, and no ratio is defined for it.
    ratios = [b / a for a, b in zip(before, after, strict=True) if a > 0]
    minutes = _around(max(after), usual + delay.low, usual + delay.high)
    return {
        "access_min_before": usual,
        "access_min_after": minutes,
        "access_delay_min": delay,
        "access_ratio": _around(max(ratios, default=1.0), minutes.low / usual, minutes.high / usual)
        if usual > 0
        else Estimate.exact(1.0),
    }


def _around(mid: float, low: float, high: float) -> Estimate:
    """A figure within ends that are computed with one direction each."""
    return Estimate(min(mid, low), mid, max(mid, high))
