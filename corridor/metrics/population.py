"""Settlements of a domain with their people: a gazetteer's figure where there is one, a range where there is none."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import distance_m
from corridor.interactions.event_messages import transliterate
from corridor.io.read.borders import Borders
from corridor.metrics.access import Access, AccessResult
from corridor.metrics.registry import Subject, Unmeasured, Values, metric
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.vocabulary import MetricStatus
from corridor.wording import format_position

POPULATION_COLUMNS = (
    *("place", "local_name", "country", "kind", "lon", "lat"),
    *("people", "people_low", "people_high", "source", "check"),
)
NAME_REACH_M = 5000.0  # gazetteer and map put some villages up to 4 km apart
LIKENESS_REACH_M = 3000.0
LIKENESS = 0.8
BORDER_TOLERANCE_M = 1000.0
PLACEHOLDERS = frozenset(("check", "fixme", "todo", "test", "unknown", "noname"))  # mappers' marks, not names
_DELAYS = {"crossing": "people_delay_person_min", "centre": "people_delay_centre_person_min"}
_KINDS = ("city", "town", "village", "hamlet", "isolated_dwelling")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Settlements of a domain.

    ``places`` has POPULATION_COLUMNS: ``place`` is the name in Latin letters where that can be had, ``local_name`` as
    the source writes it; ``people`` is NaN where no source knows it, then ``people_low`` is 0 and
    ``people_high`` the largest population known for a place of its kind; ``source`` is gazetteer, map or unknown;
    ``check`` says what a person should look at ('' = nothing). ``unmatched`` are gazetteer places that the map doesn't
    show, ``unknown`` map places without any figure.
    """

    places: pd.DataFrame
    unmatched: tuple[str, ...]
    unknown: tuple[str, ...]


def build_population(
    gazetteer: pd.DataFrame | None,
    mapped: pd.DataFrame | None,
    country: str,
    borders: Borders,
    region: shapely.Geometry,
) -> Population:
    """Settlements of a country inside a region, with people.

    Gazetteer and map are matched one to one: by a name or alias that is the same within 5 km, then by names that are
    much alike within 3 km; the nearest pair first. Where a name fits two places, both are marked in ``check``.

    Args:
        gazetteer: name, lon, lat, country, population (NaN: unknown), alternate_names (parted by '|'); None for none.
        mapped: name, kind, population (NaN: unknown), lon, lat; None for none.
        country: whose places count.
        borders: polygons, which decide the country of a mapped place.
        region: the domain (lon/lat polygon).

    Raises:
        NetworkError: a place lies in two countries.
    """
    listed = _inside(gazetteer, region)
    listed = listed[listed["country"] == country].reset_index(drop=True)
    check_countries(listed, borders)
    shown = _inside(mapped, region)
    shown = (
        shown[borders.country_at(shown["lon"], shown["lat"]) == country].reset_index(drop=True) if len(shown) else shown
    )
    pairs, doubtful = _match(listed, shown)
    rows = [_row(listed, shown, i, pairs.get(i), country, doubtful) for i in range(len(listed))]
    alone = sorted(set(range(len(shown))) - set(pairs.values()))
    rows += [_mapped_row(shown, j, country, doubtful) for j in alone]
    table = pd.DataFrame(rows, columns=list(POPULATION_COLUMNS))
    table = _bounds(table)
    unmatched = tuple(str(listed["name"][i]) for i in range(len(listed)) if i not in pairs) if len(shown) else ()
    return Population(table, unmatched, tuple(table.loc[table["people"].isna(), "place"].astype(str)))


def check_countries(listed: pd.DataFrame, borders: Borders, tolerance_m: float = BORDER_TOLERANCE_M) -> None:
    """Refuse places whose stated country isn't the one that the borders put them in, by more than a tolerance.

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
        near = shapely.ops.nearest_points(borders.polygon(place["country"]), point)[0]
        gap = float(distance_m(place["lon"], place["lat"], near.x, near.y))
        if gap > tolerance_m:
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


def _names(row: pd.Series) -> set[str]:
    aliases = str(row.get("alternate_names", "") or "").split("|")
    names = {plain_name(str(name)) for name in (row["name"], row.get("asciiname", ""), *aliases)}
    return names - {"", "nan"}


def _match(listed: pd.DataFrame, shown: pd.DataFrame) -> tuple[dict[int, int], set[tuple[str, int]]]:
    """Pairs gazetteer row -> map row, and the rows (``g`` or ``m``, row) of names that fitted more than one place."""
    pairs: dict[int, int] = {}
    if not len(listed) or not len(shown):
        return pairs, set()
    names = [{plain_name(str(name)), plain_name(transliterate(str(name)))} - {""} for name in shown["name"]]
    exact, alike = [], []
    for i in range(len(listed)):
        own = _names(listed.iloc[i])
        gaps = distance_m(shown["lon"], shown["lat"], listed["lon"][i], listed["lat"][i])
        for j in np.flatnonzero(gaps <= NAME_REACH_M).tolist():
            if names[j] & own:
                exact.append((float(gaps[j]), i, j))
            elif gaps[j] <= LIKENESS_REACH_M and _alike(names[j], own):
                alike.append((float(gaps[j]), i, j))
    doubtful: set[tuple[str, int]] = set()
    hits_of = (Counter(i for _, i, _ in exact), Counter(j for _, _, j in exact))
    for _, i, j in exact:
        if hits_of[0][i] > 1 or hits_of[1][j] > 1:
            doubtful |= {("g", i), ("m", j)}
    taken: set[int] = set()
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
    return (name, local, country, kind, at["lon"], at["lat"], figure, 0.0, 0.0, origin, check)


def _kind_of(people: float) -> str:
    return "city" if people >= 50_000 else "town" if people >= 5_000 else "village"


def _bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Low and high people: the figure itself, or 0 to the largest known for the kind (else for the next larger)."""
    known = table[table["people"].notna()]
    top = known.groupby("kind")["people"].max()
    overall = float(known["people"].max()) if len(known) else np.nan
    highest: dict[str, float] = {}
    larger = overall
    for kind in _KINDS:
        larger = float(top.get(kind, larger))
        highest[kind] = larger
    bound = table["kind"].map(highest).fillna(overall)
    unknown = table["people"].isna()
    table["people_low"] = table["people"].where(~unknown, 0.0)
    table["people_high"] = table["people"].where(~unknown, bound)
    return table


@metric(
    Subject.POPULATION,
    Column(
        "places_counted", Unit.COUNT, "settlements that are counted", "places of the region", kind=Kind.COUNT,
        shown=Shown.FILES,
    ),
    *(
        column
        for what, where in (("crossing", "the border crossing"), ("centre", "their provincial centre"))
        for column in (
            Column(
                f"places_lost_{what}", Unit.COUNT, f"settlements that can't reach {where} any more",
                "reachable before and not after", kind=Kind.COUNT,
            ),
            Column(
                f"people_lost_{what}", Unit.PEOPLE,
                f"inhabitants of settlements that can't reach {where} any more; unknown counts as [0; largest known "
                "of its kind]",
                "sum over places", interval=True,
            ),
            Column(
                f"people_reaching_{what}", Unit.PEOPLE, f"inhabitants of places that still reach {where}",
                "sum over places", interval=True, shown=Shown.FILES,
            ),
            Column(
                _DELAYS[what], Unit.PERSON_MIN, f"delay to {where} of those who still reach it",
                "sum of people x minutes added", interval=True,
                shown=Shown.PAGE if what == "crossing" else Shown.FILES,
            ),
        )
    ),
    status="places_status",
)  # fmt: skip
def measure_people(local_roads: bool, access: Access, access_result: AccessResult) -> Values | Unmeasured:
    """Places and people that lose the crossing or their centre, and the delay of those who don't.

    The value and the low end count only people that a source knows, the high end also the most that may live in
    places of unknown population. Delays are a car's, with the interval of driving times beside that of people.
    """
    if not access_result.applicable:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    if not local_roads:
        return Unmeasured(MetricStatus.NOT_SUPPORTED)
    table = access_result.places
    found: dict[str, Any] = {"places_counted": len(table)}
    for what, delay in _DELAYS.items():
        lost, reaching = table[f"lost_{what}"].to_numpy(), table[f"{what}_min_after"].notna().to_numpy()
        added = np.where(reaching, table[f"{what}_min_after"] - table[f"{what}_min_before"], 0.0)
        found[f"places_lost_{what}"] = int(lost.sum())
        found[f"people_lost_{what}"] = _people(table, lost.astype(float))
        found[f"people_reaching_{what}"] = _people(table, reaching.astype(float))
        person_min = _people(table, np.where(np.abs(added) > 1e-9, added, 0.0))
        ends = [person_min.low * access.factors.low, person_min.mid, person_min.high * access.factors.high]
        found[delay] = Estimate(min(ends), person_min.mid, max(ends))
    return found


def _people(table: pd.DataFrame, weight: Floats) -> Estimate:
    """People times a weight: at least, which is also the value, and at most where populations are unknown."""
    low, high = (
        float((table[column].to_numpy(dtype=float) * weight).sum()) for column in ("people_low", "people_high")
    )
    return Estimate(low, low, high)
