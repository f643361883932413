"""Settlements of a domain with their people: a documented figure where there is one, else what a census leaves."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import distance_m, pairs_within_m
from corridor.interactions.events import transliterate
from corridor.io.read.borders import Borders
from corridor.metrics.access import Access, AccessResult
from corridor.metrics.distance import total as total_of
from corridor.metrics.registry import Subject, Unmeasured, Values, metric
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.parameters import PlacePopulation, TripRates
from corridor.schema.vocabulary import MetricStatus
from corridor.wording import format_position

POPULATION_COLUMNS = (
    *("place", "local_name", "country", "kind", "lon", "lat"),
    *("people", "people_low", "people_mid", "people_high", "source", "check"),
)
NAME_REACH_M = 5000.0  # gazetteer and map put some villages up to 4 km apart
LIKENESS_REACH_M = 3000.0
"""Places of like names, and not the same, are one no farther apart than this. Declared."""
LIKENESS = 0.8
"""Least ratio of matching letters (difflib's) of names that are alike. Declared."""
BORDER_TOLERANCE_M = 1000.0
"""How far beyond its border a place may lie: places are points, and borders drawn coarsely. Declared."""
PLACEHOLDERS = frozenset(("check", "fixme", "todo", "test", "unknown", "noname"))  # mappers' marks, not names
_KINDS = ("city", "town", "village", "hamlet", "isolated_dwelling")
_LEAST_HOURS = 1e-11  # a difference of rounding is none
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Settlements of a domain.

    ``places`` has POPULATION_COLUMNS: ``place`` is the name in Latin letters where that can be had, ``local_name`` as
    the source writes it; ``people`` is NaN where no source knows it, then ``people_low`` is 0, and ``people_mid`` and
    ``people_high`` are what the total leaves for it (see :func:`build_population`); ``source`` is gazetteer, map,
    document or unknown; ``check`` says what a person should look at ('' = nothing). ``unmatched`` are gazetteer places
    that the map doesn't show, ``unknown`` places without any figure. ``total`` is how many people live in all of them,
    None where nothing says it.
    """

    places: pd.DataFrame
    unmatched: tuple[str, ...]
    unknown: tuple[str, ...]
    total: Estimate | None = None


def build_population(
    gazetteer: pd.DataFrame | None,
    mapped: pd.DataFrame | None,
    country: str,
    borders: Borders,
    region: shapely.Geometry,
    *,
    documented: Sequence[PlacePopulation] = (),
    total: Estimate | None = None,
) -> Population:
    """Settlements of a country inside a region, with people.

    Gazetteer and map are matched one to one: by a name or alias that is the same within 5 km, then by names that are
    much alike within 3 km; the nearest pair first. Where a name fits two places, both are marked in ``check``.

    The ``n`` places of unknown population share what a census total leaves: ``max(0, total - known) / n`` people each
    in the middle, nobody at least, and at most all that the highest total leaves or as many as the largest known place
    of their kind, whichever is less. Without a total they have nobody in the middle, and only the latter bound.

    Args:
        gazetteer: name, lon, lat, country, population (NaN: unknown), alternate_names (parted by '|'); None for none.
        mapped: name, kind, population (NaN: unknown), lon, lat; None for none.
        country: whose places count.
        borders: polygons, which decide the country of a mapped place.
        region: the domain (lon/lat polygon).
        documented: populations of places, taken for those of the same name within 5 km that have none.
        total: how many people live in the domain, by census; None if nothing says it.

    Raises:
        NetworkError: a place lies in two countries.
    """
    # A gazetteer states the country of a place, a map doesn't: there the borders tell it.
    listed = _inside(gazetteer, region)
    listed = listed[listed["country"] == country].reset_index(drop=True)
    check_countries(listed, borders)
    shown = _inside(mapped, region)
    shown = (
        shown[borders.country_at(shown["lon"], shown["lat"]) == country].reset_index(drop=True) if len(shown) else shown
    )
    pairs, doubtful = _match(listed, shown)
    rows = [_row(listed, shown, i, pairs.get(i), country, doubtful) for i in range(len(listed))]
    # Rows in a fixed order: the gazetteer's places as listed, then those that only the map shows.
    alone = sorted(set(range(len(shown))) - set(pairs.values()))
    rows += [_mapped_row(shown, j, country, doubtful) for j in alone]
    table = pd.DataFrame(rows, columns=list(POPULATION_COLUMNS))
    table = _bounds(_filled(table, [own for own in documented if own.country == country]), total)
    unmatched = tuple(str(listed["name"][i]) for i in range(len(listed)) if i not in pairs) if len(shown) else ()
    return Population(table, unmatched, tuple(table.loc[table["people"].isna(), "place"].astype(str)), total)


def check_countries(listed: pd.DataFrame, borders: Borders) -> None:
    """Refuse places whose stated country isn't the one that the borders put them in, by more than 1 km.

    Args:
        listed: name, country, lon and lat.
        borders: whose ground is whose.

    Raises:
        NetworkError: names the places and how far inside the other country they lie.
    """
    if not len(listed):
        return
    drawn = borders.country_at(listed["lon"], listed["lat"])
    faults = []
    for row in np.flatnonzero((drawn != listed["country"].to_numpy()) & (drawn != "")):
        place = listed.iloc[int(row)]
        point = shapely.Point(place["lon"], place["lat"])
        # Coarse borders put villages beside them on the wrong side: only what lies deep in the other country is a
        # fault.
        near = shapely.ops.nearest_points(borders.polygon(place["country"]), point)[0]
        gap = float(distance_m(place["lon"], place["lat"], near.x, near.y))
        if gap > BORDER_TOLERANCE_M:
            faults.append(
                f"'{place['name']}' is listed in {place['country']} but lies {gap / 1000:.1f} km inside {drawn[row]}"
            )
    if faults:
        raise NetworkError(
            f"places in two countries: {'; '.join(faults[:3])}; correct the country or position in the table of places"
        )


def _inside(frame: pd.DataFrame | None, region: shapely.Geometry) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame({"name": [], "country": [], "kind": [], "lon": [], "lat": [], "population": []})
    table = pd.DataFrame(frame.drop(columns="geometry")) if isinstance(frame, gpd.GeoDataFrame) else frame
    return table[shapely.contains_xy(region, table["lon"], table["lat"])].reset_index(drop=True)


def plain_name(name: str) -> str:
    """A name without case, accents, signs and spaces, for comparing.

    >>> plain_name("Nrnadzor (Nüvədi)")
    'nrnadzornuvədi'
    """
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in parts if c.isalnum())


def _names(row: Mapping[Hashable, Any]) -> set[str]:
    aliases = str(row.get("alternate_names", "") or "").split("|")
    names = {plain_name(str(name)) for name in (row["name"], row.get("asciiname", ""), *aliases)}
    return names - {"", "nan"}


def _match(listed: pd.DataFrame, shown: pd.DataFrame) -> tuple[dict[int, int], set[tuple[str, int]]]:
    """Pairs gazetteer row -> map row, and the rows (``g`` or ``m``, row) of names that fitted more than one place."""
    pairs: dict[int, int] = {}
    if not len(listed) or not len(shown):
        return pairs, set()
    # Maps write a name in its own letters, gazetteers often in Latin ones: both spellings may match.
    names = [{plain_name(str(name)), plain_name(transliterate(str(name)))} - {""} for name in shown["name"]]
    exact, alike = [], []
    own_names = [_names(row) for row in listed.to_dict("records")]
    ours, theirs = (table[["lon", "lat"]].to_numpy(dtype=float).T for table in (listed, shown))
    found = pairs_within_m(ours[0], ours[1], theirs[0], theirs[1], NAME_REACH_M)
    for i, j, gap in zip(*(column.tolist() for column in found), strict=True):
        if names[j] & own_names[i]:
            exact.append((gap, i, j))
        elif gap <= LIKENESS_REACH_M and _alike(names[j], own_names[i]):
            alike.append((gap, i, j))
    doubtful: set[tuple[str, int]] = set()
    # A name that fits several places nearby may have been paired with the wrong one: all of them are marked for a
    # check.
    hits_of = (Counter(i for _, i, _ in exact), Counter(j for _, _, j in exact))
    for _, i, j in exact:
        if hits_of[0][i] > 1 or hits_of[1][j] > 1:
            doubtful |= {("g", i), ("m", j)}
    taken: set[int] = set()
    # Names that are the same go before those that are alike, near pairs before far ones, and each place is taken once.
    for _, i, j in [*sorted(exact), *sorted(alike)]:
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs, doubtful


def _alike(names: set[str], own: set[str]) -> bool:
    pairs = ((name, other) for name in names for other in own)
    return any(difflib.SequenceMatcher(None, name, other).ratio() >= LIKENESS for name, other in pairs)


def _row(
    listed: pd.DataFrame, shown: pd.DataFrame, i: int, j: int | None, country: str, doubtful: set[tuple[str, int]]
) -> tuple[object, ...]:
    """A gazetteer place; where the map shows it, it stands there, since that is where the roads are."""
    own = listed.iloc[i]
    people, source = float(own["population"]), "gazetteer"
    at, kind, check = own, _kind_of(people), ""
    if j is not None:
        at, kind = shown.iloc[j], str(shown["kind"][j])
        if not people > 0:
            people, source = float(at["population"]), "map"
        if ("g", i) in doubtful or ("m", j) in doubtful:
            check = "the name fits more than one place nearby"
    elif len(shown):
        check = "not found on the map"
    local = str(at["name"]) if j is not None else str(own["name"])
    return _entry(str(own["name"]), local, country, kind, at, people, source, check)


def _mapped_row(shown: pd.DataFrame, j: int, country: str, doubtful: set[tuple[str, int]]) -> tuple[object, ...]:
    own = shown.iloc[j]
    people = float(own["population"])
    check = "the name fits more than one place nearby" if ("m", j) in doubtful else ""
    name = str(own["name"])
    if not name or name.casefold() in PLACEHOLDERS:
        check = f"the map calls it '{name}', which is no name" if name else "the map gives it no name"
        name = f"unnamed {own['kind']} at {format_position(own['lat'], own['lon'], 4)}"
    return _entry(transliterate(name), str(own["name"]), country, str(own["kind"]), own, people, "map", check)


def _entry(
    name: str, local: str, country: str, kind: str, at: pd.Series, people: float, source: str, check: str
) -> tuple[object, ...]:
    """A row of POPULATION_COLUMNS, its bounds still open."""
    known = people > 0
    figure, origin = (people, source) if known else (np.nan, "unknown")
    return (name, local, country, kind, at["lon"], at["lat"], figure, 0.0, 0.0, 0.0, origin, check)


def _kind_of(people: float) -> str:
    return "city" if people >= 50_000 else "town" if people >= 5_000 else "village"


def _filled(table: pd.DataFrame, documented: Sequence[PlacePopulation]) -> pd.DataFrame:
    """The table with documented populations for places that have none: the nearest of that name within 5 km."""
    names = [
        {plain_name(str(text)) for text in (place, local, transliterate(str(local)))}
        for place, local in zip(table["place"], table["local_name"], strict=True)
    ]
    for own in documented:
        gaps = np.asarray(distance_m(table["lon"], table["lat"], own.lon, own.lat), dtype=float)
        same = np.array([plain_name(own.place) in found for found in names], dtype=bool)
        # A document fills a gap and replaces nothing: figures of gazetteer and map may be of another year.
        fits = np.flatnonzero(same & (gaps <= NAME_REACH_M) & table["people"].isna().to_numpy())
        if len(fits):
            row = table.index[fits[np.argmin(gaps[fits])]]
            table.loc[row, ["people", "source"]] = (own.people, "document")
    return table


def _bounds(table: pd.DataFrame, total: Estimate | None) -> pd.DataFrame:
    """Least, middle and most people of each place: the figure itself, or what is left for it."""
    # A hamlet that nobody counted is hardly larger than the largest hamlet that somebody did.
    unknown, most = table["people"].isna(), _largest_of_kind(table)
    middle = pd.Series(0.0, index=table.index)
    if total is not None:
        left = _left_by(total, table["people"].to_numpy(dtype=float))
        most = most.fillna(left.high).clip(upper=left.high)
        middle = most.clip(upper=left.mid / max(int(unknown.sum()), 1))
    for column, value in (("people_low", 0.0), ("people_mid", middle), ("people_high", most)):
        table[column] = table["people"].where(~unknown, value)
    return table


def _left_by(total: Estimate, people: Floats) -> Estimate:
    """What a total leaves for the places whose people aren't known (NaN)."""
    known = float(np.nansum(people))
    return Estimate(*(max(0.0, end - known) for end in (total.low, total.mid, total.high)))


def _largest_of_kind(table: pd.DataFrame) -> pd.Series:
    """The largest known population of a place of each row's kind, else of the next larger kind."""
    known = table[table["people"].notna()]
    top = known.groupby("kind")["people"].max()
    overall = float(known["people"].max()) if len(known) else np.nan
    highest: dict[str, float] = {}
    larger = overall
    for kind in _KINDS:
        larger = float(top.get(kind, larger))
        highest[kind] = larger
    return table["kind"].map(highest).fillna(overall)


def sum_people(places: pd.DataFrame, weight: Floats, total: Estimate | None) -> Estimate | None:
    """People of places, each times a weight: least, middle and most.

    Wherever the people lived whom a total leaves for the places of unknown population, the sum lies between the ends.
    Without a total each place has its own range.

    Args:
        places: ``people`` (NaN: unknown), ``people_mid`` and ``people_high`` of each (NaN: nothing says how many live
            there at most).
        weight: of each place, shape (n_places,); may be negative.
        total: how many people live in all places of the domain; None if nothing says it.

    Returns:
        The sum; people themselves (weights of 0 and 1) are never more than the total. None where nothing bounds it: an
        unknown number of people is not nobody.
    """
    people = places["people"].to_numpy(dtype=float)
    known = float((people * weight)[~np.isnan(people)].sum())
    asked = np.isnan(people) & (weight != 0)
    middle, most = (places[name].to_numpy(dtype=float)[asked] for name in ("people_mid", "people_high"))
    if np.isnan(most).any():
        return None
    # The least sum is the greatest of the opposite one, so that one search serves both ends.
    own, left = weight[asked], np.inf if total is None else _left_by(total, people).high
    low = -_greatest_sum(-own, most, left)
    found = Estimate(known + low, known + float((own * middle).sum()), known + _greatest_sum(own, most, left))
    if total is None:
        return found
    # sums over some of the people can't pass the total at the greatest weight, whatever mixed years add up to
    cap = total.high * max(float(weight.max(initial=0.0)), 0.0)
    return Estimate(min(found.low, cap), min(found.mid, cap), min(found.high, cap))


def _greatest_sum(weight: Floats, most: Floats, left: float) -> float:
    """The greatest sum of weight x people where each place has 0 to ``most`` people, and all together ``left``.

    The places that count most are filled first (the fractional knapsack; Dantzig 1957, doi:10.1287/opre.5.2.266).
    """
    order = np.argsort(-weight, kind="stable")
    filled = np.minimum(np.cumsum(most[order]), left)
    return float((np.maximum(weight[order], 0.0) * np.diff(filled, prepend=0.0)).sum())


_WHERE = {"crossing": "the border crossing", "centre": "their centre, the nearest of those declared"}


@metric(
    Subject.POPULATION,
    Column(
        "places_counted", Unit.COUNT, "settlements that are counted", "places of the region", kind=Kind.COUNT,
        shown=Shown.FILES,
    ),
    *(
        column
        for what, where in _WHERE.items()
        for column in (
            Column(
                f"places_lost_{what}", Unit.COUNT, f"settlements that can't reach {where} any more",
                "reachable before and not after", kind=Kind.COUNT,
            ),
            Column(
                f"people_lost_{what}", Unit.PEOPLE,
                f"inhabitants of settlements that can't reach {where} any more; those of unknown population share what "
                "the census total leaves",
                "sum over places, at most the total", interval=True,
            ),
            Column(
                f"people_reaching_{what}", Unit.PEOPLE, f"inhabitants of places that still reach {where}",
                "sum over places, at most the total", interval=True, shown=Shown.FILES,
            ),
        )
    ),
    status="places_status",
)  # fmt: skip
def measure_people(local_roads: bool, access: Access, access_result: AccessResult) -> Values | Unmeasured:
    """Places and people that lose the crossing or their centre, and those who keep them."""
    if not access_result.applicable:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    # Where no settlement is known nobody can be said to lose anything, nor to lose nothing.
    if not local_roads or access_result.places.empty:
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    return access.once(
        "people", access_result.digest, lambda: _count_people(access_result.places, access.population_total)
    )


def _count_people(table: pd.DataFrame, total: Estimate | None) -> Values | Unmeasured:
    found: dict[str, Any] = {"places_counted": len(table)}
    for what in _WHERE:
        lost, reaching = table[f"lost_{what}"].to_numpy(), table[f"{what}_min_after"].notna().to_numpy()
        found[f"places_lost_{what}"] = int(lost.sum())
        for name, who in (("lost", lost), ("reaching", reaching)):
            if (people := sum_people(table, who.astype(float), total)) is not None:
                found[f"people_{name}_{what}"] = people
    # How many places lose their way stands without knowing who lives there.
    said = all(f"people_lost_{what}" in found for what in _WHERE)
    return found if said else Unmeasured(MetricStatus.NOT_SUPPORTED, found)


@metric(
    Subject.POPULATION,
    Column(
        "people_hours_per_day", Unit.PERSON_HOURS_PER_DAY,
        "hours a day that people of places spend more on the way to the border crossing and to their centre",
        "sum of people x trips a day x car hours added; no number where a place loses the way to one of them",
        interval=True,
    ),
    Column(
        "people_hours_per_day_crossing", Unit.PERSON_HOURS_PER_DAY, "of these on the way to the border crossing",
        "crossing trips of trip_rates.csv", interval=True, shown=Shown.FILES,
    ),
    Column(
        "people_hours_per_day_centre", Unit.PERSON_HOURS_PER_DAY, "of these on the way to their centre",
        "centre trips of trip_rates.csv", interval=True, shown=Shown.FILES,
    ),
    status="people_hours_per_day_status",
)  # fmt: skip
def measure_person_hours(
    local_roads: bool, access: Access, access_result: AccessResult, trip_rates: TripRates
) -> Values | Unmeasured:
    """Person-hours a day on the way to the crossing and to centres: a car's minutes, at declared rates of trips.

    Where a place loses one of them no number of hours holds for its people, and a sum over the others would be the less
    the more are cut off: there is none then. The interval takes the ends of people, rates, driving times and checks
    together.
    """
    if not access_result.applicable:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if not local_roads or access_result.places.empty:
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    return access.once(
        "person-hours", (access_result.digest, trip_rates), lambda: _sum_hours(access_result.places, access, trip_rates)
    )


def _sum_hours(table: pd.DataFrame, access: Access, trip_rates: TripRates) -> Values | Unmeasured:
    found: dict[str, Estimate] = {}
    rates = {"crossing": trip_rates.crossing, "centre": trip_rates.centre}
    kept = [what for what in rates if not table[f"lost_{what}"].any()]
    for what in kept:
        low, mid, high = (_people_times_hours(table, f"{what}_delay_min{end}", access) for end in ("_low", "", "_high"))
        if low is None or mid is None or high is None:
            return Unmeasured(MetricStatus.NOT_SUPPORTED)
        rate = rates[what]
        found[f"people_hours_per_day_{what}"] = Estimate(low.low * rate.low, mid.mid * rate.mid, high.high * rate.high)
    if len(kept) < len(rates):
        return Unmeasured(MetricStatus.CUT_OFF, found)
    return {"people_hours_per_day": total_of(found.values()), **found}


def _people_times_hours(table: pd.DataFrame, minutes: str, access: Access) -> Estimate | None:
    """People of places, each times the hours of a column of minutes; None where nothing bounds them."""
    added = table[minutes].to_numpy(dtype=float) / 60.0
    # Places that never had a way have no minutes, and so no hours here.
    return sum_people(table, np.where(np.abs(added) > _LEAST_HOURS, added, 0.0), access.population_total)
