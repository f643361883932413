"""Access to a border crossing, the capital and provincial centres, before and after a route."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84
from corridor.metrics.entries import with_entries
from corridor.metrics.reach import Domain, State, build_domain, reach
from corridor.network.graph import Network, Position
from corridor.schema.interaction import EdgeEffect
from corridor.schema.study import Place
from corridor.schema.vocabulary import MetricStatus

Floats = NDArray[np.float64]
SPEED_UNCERTAINTY = 0.25
PLACE_COLUMNS = [
    *("place", "country", "people", "people_low", "people_high", "crossing_min_before", "crossing_min_after"),
    *("centre", "centre_min_before", "centre_min_after", "lost_crossing", "lost_centre", "snap_m", "lon", "lat"),
]
_PLACE_METRICS = ("places_lost_crossing", "places_lost_centre", "people_lost_crossing", "people_lost_centre")


@dataclass(frozen=True)
class TimeFactors:
    """What driving times are multiplied by: as computed (mid), and at the ends of what is held possible."""

    low: float = 1 / (1 + SPEED_UNCERTAINTY)
    mid: float = 1.0
    high: float = 1 / (1 - SPEED_UNCERTAINTY)


@dataclass(frozen=True)
class Reading:
    """Worse-of-both-directions minutes in one state; inf where there is no way.

    ``capital`` are minutes crossing -> capital and capital -> crossing; ``nodes`` and ``crossing`` are to and from the
    crossing for each node of the domain and each place; ``centres`` for each place and centre, shape (n_places,
    n_centres).
    """

    capital: tuple[float, float]
    nodes: Floats
    crossing: Floats
    centres: Floats


@dataclass(frozen=True)
class Access:
    """What access is measured on: a country's roads, the fixed point abroad, the capital, places and their centres.

    ``places`` has the columns of :mod:`corridor.metrics.population`; ``positions`` are theirs on the domain, None for
    those too far from any road. ``supports_places`` is False for a network without local roads.
    """

    domain: Domain
    capital: Position
    centre_names: tuple[str, ...]
    centres: tuple[Position, ...]
    places: pd.DataFrame
    positions: tuple[Position | None, ...]
    factors: TimeFactors
    supports_places: bool

    @cached_property
    def before(self) -> Reading:
        """Times with nothing done to the network."""
        return self.read(self.domain.state(factor=self.factors.mid))

    @cached_property
    def before_capital(self) -> dict[float, tuple[float, float]]:
        """Minutes crossing -> capital and back by time factor."""
        return {
            f: self.read_capital(self.domain.state(factor=f))
            for f in (self.factors.low, self.factors.mid, self.factors.high)
        }

    @cached_property
    def centre_of_place(self) -> NDArray[np.int64]:
        """The centre of each place: the nearest declared one in minutes, before; the first where none is reached."""
        times = self.before.centres
        return np.argmin(times, axis=1) if times.size else np.zeros(len(self.places), dtype=np.int64)

    def read_capital(self, state: State) -> tuple[float, float]:
        """Minutes from the fixed point abroad to the capital and back."""
        out, back = reach(self.domain, None, state)
        return out.minutes(self.capital), back.minutes(self.capital)

    def read(self, state: State) -> Reading:
        """All times in one state: one search in each direction for the crossing and for each centre."""
        out, back = reach(self.domain, None, state)
        crossing = np.array([_both(out.minutes(p), back.minutes(p)) if p else np.inf for p in self.positions])
        centres = np.full((len(self.positions), len(self.centres)), np.inf)
        for column, centre in enumerate(self.centres):
            pair = reach(self.domain, centre, state)
            centres[:, column] = [_both(*(way.minutes(p) for way in pair)) if p else np.inf for p in self.positions]
        capital = out.minutes(self.capital), back.minutes(self.capital)
        return Reading(capital, np.maximum(out.tree.cost, back.tree.cost), crossing, centres)


@dataclass(frozen=True)
class AccessResult:
    """Metrics of one candidate under one regime, its table of places (PLACE_COLUMNS) and minutes by node after."""

    metrics: dict[str, Any]
    places: pd.DataFrame
    after: Reading


def _both(there: float, back: float) -> float:
    return max(there, back)


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

    Raises:
        NetworkError: crossing, capital or a centre is far from any road, or the capital can't be reached even before.
    """
    domain = with_entries(
        build_domain(network, country, assume_open=assume_open), crossing, limit_m=snap_limit_m, assume_open=assume_open
    )
    at = domain.snap(capital.lon, capital.lat, limit_m=snap_limit_m, what=f"capital '{capital.name}'")
    served = (
        [domain.snap(c.lon, c.lat, limit_m=snap_limit_m, what=f"centre '{c.name}'") for c in centres]
        if supports_places
        else []
    )
    kept = places if supports_places else places.iloc[:0]
    access = Access(
        domain=domain,
        capital=at,
        centre_names=tuple(c.name for c in centres) if supports_places else (),
        centres=tuple(served),
        places=kept.reset_index(drop=True),
        positions=tuple(
            _position(domain, lon, lat, snap_limit_m) for lon, lat in kept[["lon", "lat"]].itertuples(index=False)
        ),
        factors=factors or TimeFactors(),
        supports_places=supports_places,
    )
    if not np.isfinite(access.before_capital[access.factors.mid]).all():
        raise NetworkError(
            f"capital '{capital.name}' can't be reached from '{crossing.name}' over open roads of {country} even "
            "before any route; check the road data, crossings.csv and who controls which section"
        )
    return access


def _position(domain: Domain, lon: float, lat: float, limit_m: float) -> Position | None:
    try:
        return domain.snap(float(lon), float(lat), limit_m=limit_m, what="place")
    except NetworkError:
        return None


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
        applicable: False for a candidate that doesn't touch the country: metrics are then empty, not zero.
    """
    after = access.before if effect is None else access.read(access.domain.state(effect, factor=access.factors.mid))
    table = _place_table(access, after)
    if not applicable:
        return AccessResult(_not_applicable(), table, after)
    ends = bounds or (effect, effect)
    return AccessResult(_capital_metrics(access, after, ends) | _place_metrics(access, table), table, after)


def _capital_metrics(
    access: Access, after: Reading, ends: tuple[EdgeEffect | None, EdgeEffect | None]
) -> dict[str, Any]:
    before = access.before.capital
    found: dict[str, Any] = {"access_min_before": max(before)}
    if not np.isfinite(after.capital).all():
        empty = dict.fromkeys(
            ("access_min_after", "access_delay_min", "access_delay_min_low", "access_delay_min_high", "access_ratio"),
            np.nan,
        )
        return found | empty | {"access_delay_min_status": MetricStatus.UNREACHABLE}
    delays = [_delay(before, after.capital)]
    for factor, effect in zip((access.factors.low, access.factors.high), ends, strict=True):
        state = access.domain.state(effect, factor=factor)
        delays.append(_delay(access.before_capital[factor], access.read_capital(state)))
    ratios = [b / a for a, b in zip(before, after.capital, strict=True) if a > 0]
    return found | {
        "access_min_after": max(after.capital),
        "access_delay_min": delays[0],
        "access_delay_min_low": min(delays),
        "access_delay_min_high": max(delays),
        "access_ratio": max(ratios, default=1.0),
        "access_delay_min_status": MetricStatus.OK,
    }


def _delay(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The worse of the two directions; a difference of rounding is none."""
    delay = max(b - a for a, b in zip(before, after, strict=True))
    return delay if abs(delay) > 1e-9 else 0.0


def _place_table(access: Access, after: Reading) -> pd.DataFrame:
    places, rows = access.places, np.arange(len(access.places))
    columns = {name: places[name].to_numpy() for name in PLACE_COLUMNS if name in places}
    pick = access.centre_of_place
    has_centre = bool(access.centres)
    times = {
        "crossing_min_before": access.before.crossing,
        "crossing_min_after": after.crossing,
        "centre_min_before": access.before.centres[rows, pick] if has_centre else np.full(len(rows), np.inf),
        "centre_min_after": after.centres[rows, pick] if has_centre else np.full(len(rows), np.inf),
    }
    table = pd.DataFrame(
        columns | {name: np.where(np.isfinite(values), values, np.nan) for name, values in times.items()}
    )
    table["centre"] = [access.centre_names[i] for i in pick] if has_centre else ""
    for what in ("crossing", "centre"):
        table[f"lost_{what}"] = table[f"{what}_min_before"].notna() & table[f"{what}_min_after"].isna()
    table["snap_m"] = [p.distance_m if p else np.nan for p in access.positions]
    return table[PLACE_COLUMNS]


def _place_metrics(access: Access, table: pd.DataFrame) -> dict[str, Any]:
    names = [
        *_PLACE_METRICS,
        "people_reaching_crossing",
        "people_reaching_centre",
        "people_delay_person_min",
        "people_delay_centre_person_min",
    ]
    if not access.supports_places:
        return dict.fromkeys(names, np.nan) | {"places_status": MetricStatus.NOT_SUPPORTED}
    found: dict[str, Any] = {"places_status": MetricStatus.OK, "places_counted": len(table)}
    for what, delay_name in (("crossing", "people_delay_person_min"), ("centre", "people_delay_centre_person_min")):
        lost, reaching = table[f"lost_{what}"].to_numpy(), table[f"{what}_min_after"].notna().to_numpy()
        added = np.where(reaching, table[f"{what}_min_after"] - table[f"{what}_min_before"], 0.0)
        found[f"places_lost_{what}"] = int(lost.sum())
        found |= _people(table, f"people_lost_{what}", lost.astype(float))
        found |= _people(table, f"people_reaching_{what}", reaching.astype(float))
        found |= _people(table, delay_name, np.where(np.abs(added) > 1e-9, added, 0.0))
    return found


def _people(table: pd.DataFrame, name: str, weight: Floats) -> dict[str, float]:
    """People times a weight: at least (``_low``, and the value itself), and at most where populations are unknown."""
    low, high = (
        float((table[column].to_numpy(dtype=float) * weight).sum()) for column in ("people_low", "people_high")
    )
    return {name: low, f"{name}_low": low, f"{name}_high": high}


def _not_applicable() -> dict[str, Any]:
    names = (
        "access_min_before",
        "access_min_after",
        "access_delay_min",
        "access_delay_min_low",
        "access_delay_min_high",
        "access_ratio",
    )
    return dict.fromkeys(
        (*names, *_PLACE_METRICS, "people_delay_person_min", "people_delay_centre_person_min"), np.nan
    ) | {
        "access_delay_min_status": MetricStatus.NOT_APPLICABLE,
        "places_status": MetricStatus.NOT_APPLICABLE,
    }


def isochrone_points(access: Access, result: AccessResult) -> gpd.GeoDataFrame:
    """Minutes to the crossing at each node that could reach it before: before, after, added, and whether it is lost."""
    before, after = access.before.nodes, result.after.nodes
    could = np.flatnonzero(np.isfinite(before))
    network, nodes = access.domain.network, access.domain.nodes[could]
    left = np.where(np.isfinite(after[could]), after[could], np.nan)
    frame = {
        "crossing_min_before": before[could],
        "crossing_min_after": left,
        "added_min": left - before[could],
        "lost": np.isnan(left),
    }
    points = gpd.points_from_xy(network.node_lon[nodes], network.node_lat[nodes])
    return gpd.GeoDataFrame(frame, geometry=points, crs=WGS84)
