"""Compute the headline figures of a folder of results anew, by other code, and hold them against what was written.

Nothing of the package is imported: prices, delays, criteria and perspectives are read from the data's tables with
pandas, lengths are measured with pyproj, chains of sections walked with networkx. So an error of the package can't hide
behind itself. What is computed anew: lengths of lines and chains; driving, rest, checks and trips; whole, spent and
remaining cost with their ends; bounds of people; weighted-sum scores, all ranks with their intervals, and first places.

    python scripts/recompute.py RESULTS [--data data] [--study data/studies/syunik.toml]

Exit code 0 if all agrees, 1 if something doesn't, with a line for each.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

DATA = Path(__file__).resolve().parent.parent / "data"
GEOD = Geod(ellps="WGS84")
ENDS = ("_low", "", "_high")
SAME = 1e-6


@dataclass(frozen=True)
class Finding:
    """A figure as written and as computed anew, with where it stands."""

    what: str
    where: str
    written: float
    anew: float

    @property
    def agrees(self) -> bool:
        """Whether both are one figure, or neither is one."""
        if math.isnan(self.written) or math.isnan(self.anew):
            return math.isnan(self.written) and math.isnan(self.anew)
        return self.written == self.anew or abs(self.written - self.anew) <= SAME * max(1.0, abs(self.anew))


@dataclass(frozen=True)
class Written:
    """What a run wrote, and the tables that it was made from."""

    metrics: pd.DataFrame
    ranking: pd.DataFrame
    parts: pd.DataFrame
    manifest: dict[str, Any]
    routes: dict[str, Any]
    reference: Path
    study: dict[str, Any]

    @cached_property
    def by_route(self) -> pd.DataFrame:
        """One row of metrics for each route: what holds under all rules."""
        return self.metrics.drop_duplicates("candidate_id").set_index("candidate_id")

    @property
    def packages(self) -> dict[str, dict[str, Any]]:
        """Tables of the study that ask for several of its routes as one candidate, by id."""
        return {spec["id"]: spec for spec in self.study["candidates"] if spec["family"] == "package"}

    def table(self, name: str) -> pd.DataFrame:
        """A table of the catalogue."""
        return pd.read_csv(self.reference / f"{name}.csv")


def read(results: Path, data: Path, study: Path) -> Written:
    """Read a folder of results and what it was made from."""
    parts = pd.read_parquet(results / "parts.parquet")
    return Written(
        pd.read_csv(results / "metrics.csv"),
        pd.read_csv(results / "ranking.csv"),
        parts.assign(geometry=shapely.from_wkb(parts["geometry"])),
        json.loads((results / "manifest.json").read_text(encoding="utf-8")),
        json.loads((results / "candidates.geojson").read_text(encoding="utf-8")),
        data / "reference",
        tomllib.loads(study.read_text(encoding="utf-8")),
    )


# Lengths.


def lengths(written: Written) -> Iterator[Finding]:
    """Geodesic length of each written line, documented length part by part, and that chains of sections join up."""
    rows = written.by_route
    for feature in written.routes["features"]:
        facts = feature["properties"]
        key = facts["candidate_id"]
        if key in written.packages:
            continue
        line = shapely.geometry.shape(feature["geometry"])
        own = written.parts[written.parts["candidate_id"] == key]
        drawn = sum(GEOD.geometry_length(part) for part in own["geometry"]) / 1000
        yield Finding("drawn_km", key, rows.at[key, "drawn_km"], drawn)
        # coordinates of the lines are written to a centimetre or so
        whole = GEOD.geometry_length(line) / 1000
        yield Finding("drawn_km of the line", key, rows.at[key, "drawn_km"], round_to(rows.at[key, "drawn_km"], whole))
        for end in ENDS:
            yield Finding(f"length_km{end}", key, rows.at[key, f"length_km{end}"], own[f"length_km{end}"].sum())
    yield from chains(written)


def round_to(written: float, anew: float, km: float = 0.01) -> float:
    """A figure as written where it is within a tolerance of it."""
    return written if abs(written - anew) <= km else anew


def chains(written: Written) -> Iterator[Finding]:
    """Walk each chain of sections through a graph of nodes: it is one way, as long as its sections together."""
    sections = written.table("sections").set_index("section_id")
    graph = nx.MultiGraph()
    for key, row in sections.iterrows():
        graph.add_edge(row["from_node"], row["to_node"], key=key)
    rows = written.by_route
    for spec in written.study["candidates"]:
        if spec["family"] != "reference" or spec["id"] not in rows.index:
            continue
        own = written.parts[written.parts["candidate_id"] == spec["id"]]
        ends = {key: {sections.at[key, "from_node"], sections.at[key, "to_node"]} for key in spec["sections"]}
        way = graph.edge_subgraph([(*ends[k], k) if len(ends[k]) == 2 else (*ends[k], *ends[k], k) for k in ends])
        odd = sum(degree % 2 for _, degree in way.degree())
        yield Finding("loose ends of the chain", spec["id"], 2.0, float(odd))
        yield Finding("pieces of the chain", spec["id"], 1.0, float(nx.number_connected_components(way)))
        listed = sections.loc[list(spec["sections"]), "length_km_mid"].to_numpy(dtype=float)
        drawn = own.set_index("section_id")["drawn_km"].reindex(spec["sections"]).to_numpy(dtype=float)
        total = float(np.where(np.isnan(listed), drawn, listed).sum())
        yield Finding("length_km of the chain", spec["id"], rows.at[spec["id"], "length_km"], total)


# Time.


def times(written: Written) -> Iterator[Finding]:
    """Driving and rest of each route, and that a trip is what it takes under way and at checks."""
    for _, row in written.metrics.iterrows():
        where = f"{row.candidate_id}, {row.regime_id}"
        by_road = written.by_route.at[row["trip_by"], "mode"] == "road"
        for end in ENDS:
            driving = row[f"truck_time_h{end}"] if by_road else row[f"train_time_h{end}"]
            rest = rest_of(driving) if by_road else 0.0
            yield Finding(f"travel_time_h{end}", where, row[f"travel_time_h{end}"], driving + rest)
            trip = row[f"travel_time_h{end}"] + row[f"check_h{end}"]
            yield Finding(f"trip_time_h{end}", where, row[f"trip_time_h{end}"], trip)
    for key, own in written.parts.groupby("candidate_id"):
        if key in written.packages:
            continue
        name = "truck_time_h" if written.by_route.at[key, "mode"] == "road" else "train_time_h"
        yield Finding(name, str(key), written.by_route.at[key, name], own["minutes"].sum() / 60)


def rest_of(driving_h: float) -> float:
    """45 minutes after each 4.5 h at the wheel, 11 h instead after each 9 h, nothing on arrival."""
    rest, spent = 0.0, 4.5
    while spent < driving_h - 1e-9:
        rest += 11.0 if spent % 9 == 0 else 0.75
        spent += 4.5
    return rest


def checks(written: Written) -> Iterator[Finding]:
    """Hours of checks from the table of border delays, for routes that pass borders between two countries only."""
    rules = tomllib.loads((written.reference / "regimes.toml").read_text(encoding="utf-8"))["regimes"]
    rows = written.table("border_delays").sort_values("year", kind="stable")
    delays: Delays = dict(iter(rows.groupby(["point", "country", "direction", "mode"])))
    crossings = written.table("crossings")
    for _, row in written.metrics.iterrows():
        mode = written.by_route.at[row["trip_by"], "mode"]
        if row["regime_id"] not in rules or mode not in ("road", "rail"):
            continue
        rule = rules[row["regime_id"]]
        own = written.parts[written.parts["candidate_id"] == row["trip_by"]].sort_values("part")
        hours = list(passages(own, mode, rule, delays, crossings))
        if rule.get("transit_hours"):
            closed = [24 - rule["transit_hours"][end] for end in ("high", "mid", "low")]
            hours.append((0.0, closed[1] ** 2 / 48, closed[2]))
        for at, end in enumerate(ENDS):
            anew = sum(found[at] for found in hours)
            yield Finding(f"check_h{end}", f"{row.candidate_id}, {row.regime_id}", row[f"check_h{end}"], anew)


Hours = tuple[float, float, float]
Delays = dict[Any, pd.DataFrame]
"""Rows of border delays in the order of their years, by point, country, direction and mode."""


def passages(
    parts: pd.DataFrame, mode: str, rule: dict[str, Any], delays: Delays, crossings: pd.DataFrame
) -> Iterator[Hours]:
    """Hours of each side that the rules have checked, of changes of gauge, and of checks on the way."""
    rows = list(parts.itertuples())
    for before, after in pairwise(rows):
        if before.country == after.country:
            continue
        point = crossing_at(before, after, mode, crossings)
        gauges = [delays_of(delays, point, c, "gauge", mode) for c in (before.country, after.country)] if point else []
        yield from (found for found in gauges if found)
        for country, direction in ((before.country, "outbound"), (after.country, "inbound")):
            fits = (
                check for check in rule["checks"]
                if check.get("at", "border") == "border" and {country, "*"} & set(check["countries"])
            )  # fmt: skip
            check = next(fits, None)
            if check is None:
                continue
            if check.get("point"):
                found = delays_of(delays, check["point"], country, direction, mode)
            else:
                found = (delays_of(delays, point, country, direction, mode) if point else None) or delays_of(
                    delays, "all", country, direction, mode
                )
            if found is None:
                raise SystemExit(f"no row of border delays for {point or 'all'}, {country}, {direction}, {mode}")
            yield (found[0] if check.get("stated", True) else 0.0, found[1], found[2])
    for check in rule["checks"]:
        if check.get("at") == "transit":
            found = delays_of(delays, check["point"], check["countries"][0], "transit", mode)
            if found:
                yield (found[0] if check.get("stated", True) else 0.0, found[1], found[2])


def crossing_at(before: Any, after: Any, mode: str, crossings: pd.DataFrame) -> str:
    """The listed crossing of two countries within 1.5 km of where a route passes from one to the other."""
    lon, lat = before.geometry.coords[-1][:2]
    pair = {before.country, after.country}
    near = [
        (GEOD.inv(lon, lat, row.lon, row.lat)[2], row.crossing_id)
        for row in crossings.itertuples()
        if row.mode == mode and {row.country_a, row.country_b} == pair
    ]
    return min(near)[1] if near and min(near)[0] <= 1500 else ""


def delays_of(delays: Delays, point: str, country: str, direction: str, mode: str) -> Hours | None:
    """Lowest, middle and highest hours of rows of one side: the latest year in the middle, all years at the ends."""
    directions = (direction, "both") if direction in ("outbound", "inbound") else (direction,)
    for side in (country, "*"):
        for way in directions:
            fit = delays.get((point, side, way, mode))
            if fit is not None:
                return fit["hours_low"].min(), fit["hours_mid"].iloc[-1], fit["hours_high"].max()
    return None


# Cost.


def costs(written: Written) -> Iterator[Finding]:
    """Whole, spent and remaining cost with their ends, from kilometres, prices and documented progress."""
    prices = written.table("unit_costs").set_index(["mode", "kind"])
    sections = written.table("sections").set_index("section_id")
    unknown = written.table("costing").set_index("parameter").loc["unknown_progress_pct"]
    for key, own in written.parts.groupby("candidate_id"):
        # where a road of the same package stands in for the one on the bed, no other is built
        stands_in = "bed_road_by" in written.packages.get(str(key), {})
        replaced = written.study.get("bed_road", "replaced") == "replaced" and not stands_in
        whole, spent, left = (np.zeros(3) for _ in range(3))
        for part in own[own["works"] != "none"].itertuples():
            section = sections.loc[part.section_id] if part.section_id in sections.index else None
            built = progress(part, section, unknown)
            for price, km in priced(part, prices):
                money = price * km
                whole += money
                spent += money * built / 100
                left += money * (1 - built[::-1] / 100)
            if replaced and section is not None and part.mode == "rail" and not pd.isna(section["road_on_bed_km_mid"]):
                bed = ends_of(section, "road_on_bed_km") * price_of(prices, "road", "surface")
                whole, left = whole + bed, left + bed
        row = written.by_route.loc[key]
        for name, found in (("cost_musd", whole), ("cost_spent_musd", spent), ("cost_remaining_musd", left)):
            for end, value in zip(ENDS, found, strict=True):
                yield Finding(f"{name}{end}", str(key), row[f"{name}{end}"], float(value))


# Packages of several routes.

JOURNEY = ("length_km", "drawn_km", "travel_time_h", "check_h", "trip_time_h", "ascent_m", "detour_factor")


def packages(written: Written) -> Iterator[Finding]:
    """A journey as that of the quickest route, all its figures of the same one; lines and works as those of all."""
    rows = written.metrics.set_index(["candidate_id", "regime_id"])
    lines = {f["properties"]["candidate_id"]: shapely.geometry.shape(f["geometry"]) for f in written.routes["features"]}
    for key, spec in written.packages.items():
        km = sum(GEOD.geometry_length(lines[member]) for member in spec["of"]) / 1000
        yield Finding("km of the lines", key, km, GEOD.geometry_length(lines[key]) / 1000)
        for regime in rows.loc[key].index:
            where, own = f"{key}, {regime}", rows.loc[(key, regime)]
            members = rows.loc[[(member, regime) for member in spec["of"]]]
            quickest = members.loc[(members["travel_time_h"] + members["check_h"]).idxmin()]
            for name in (f"{name}{end}" for name in JOURNEY for end in ENDS if f"{name}{end}" in rows.columns):
                yield Finding(f"{name} of the journey", where, own[name], quickest[name])
            for end in ENDS:
                built = members[f"new_build_km{end}"].sum()
                yield Finding(f"new_build_km{end}", where, own[f"new_build_km{end}"], built)


def ends_of(row: pd.Series, name: str) -> np.ndarray:
    """Low, middle and high cells; an empty end is the middle."""
    low, mid, high = (float(row[f"{name}_{end}"]) for end in ("low", "mid", "high"))
    return np.array([mid if math.isnan(low) else low, mid, mid if math.isnan(high) else high])


def price_of(prices: pd.DataFrame, mode: str, kind: str) -> np.ndarray:
    """Low, middle and high price of a kilometre."""
    return ends_of(prices.loc[(mode, kind)], "cost_musd_per_km")


def progress(part: Any, section: pd.Series | None, unknown: pd.Series) -> np.ndarray:
    """Least, middle and most percent built."""
    if section is not None and not pd.isna(section["progress_pct"]):
        return np.full(3, float(section["progress_pct"]))
    return ends_of(unknown, "value") if part.works == "unfinished" else np.zeros(3)


def priced(part: Any, prices: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Prices and kilometres of a part: put back into use as a whole, or new with its structures once."""
    km = np.array([part.length_km_low, part.length_km, part.length_km_high])
    if part.works == "upgrade":
        yield price_of(prices, part.mode, "upgrade"), km
        return
    held = str(prices.loc[(part.mode, "surface"), "includes"]).split(";")
    apart = {kind: getattr(part, f"{kind}_km") for kind in ("tunnel", "bridge") if kind not in held}
    apart = {kind: each for kind, each in apart.items() if not math.isnan(each) and each > 0}
    yield price_of(prices, part.mode, "surface"), np.maximum(km - sum(apart.values()), 0)
    for kind, each in apart.items():
        yield price_of(prices, part.mode, kind), np.full(3, each)


# People.


def people(written: Written) -> Iterator[Finding]:
    """No figure of people is above the census, and who loses a place and who reaches it are all together at most."""
    total = float(
        written.table("population_totals").query(f"area == '{written.study['focus']['id']}'")["people_high"].max()
    )
    names = [n for n in written.metrics.columns if n.startswith("people_") and "hours" not in n]
    for name in names:
        values = pd.to_numeric(written.metrics[name], errors="coerce")
        if values.notna().any():
            most = float(values.max())
            yield Finding(f"{name} at most {total:.0f}", "all rows", most, min(most, total))


# Ranks.


def ranks(written: Written) -> Iterator[Finding]:
    """Weighted-sum scores and all ranks with their intervals, under every perspective and all rules."""
    for (view, regime, panel), group in written.ranking.groupby(["perspective", "regime_id", "panel"], dropna=False):
        rows = group[group["rank_best"].notna()].set_index("candidate_id")
        if not len(rows):
            continue
        table = written.metrics[written.metrics["regime_id"] == regime].set_index("candidate_id").loc[rows.index]
        best, worst, ends, lost = ranked(table, written.manifest, str(view))
        for at, key in enumerate(rows.index):
            where = f"{key}, {regime}, {view}, {panel}"
            score = ends[at, 0] if ends[at, 0] == ends[at, 1] else float("nan")
            if not lost[at]:
                yield Finding("score", where, rows.at[key, "score"], score)
                yield Finding("score_low", where, rows.at[key, "score_low"], ends[at, 0])
                yield Finding("score_high", where, rows.at[key, "score_high"], ends[at, 1])
                yield Finding("rank_worst", where, rows.at[key, "rank_worst"], float(worst[at]))
            yield Finding("rank_best", where, rows.at[key, "rank_best"], float(best[at]))


def ranked(table: pd.DataFrame, manifest: dict[str, Any], view: str) -> tuple[np.ndarray, ...]:
    """Best and worst ranks, score ends and who may be lost, of the routes of one table."""
    low, high, kept, lost = cells(table, manifest["criteria"])
    weights = weights_of(manifest["criteria"], kept, manifest["perspectives"][view])
    values, width = [], 0.0
    for rule, share, ends in zip(kept, weights, zip(low, high, strict=True), strict=True):
        span = rule["worst"] - rule["best"]
        loss = [np.clip((end - rule["best"]) / span, 0, 1) ** rule["shape"] for end in ends]
        # what is best for a route is taken criterion by criterion
        values.append(share * np.sort(1 - np.array(loss), axis=0))
        width += share * rule["tolerance"] / abs(span)
    both = np.sum(values, axis=0)
    scores = both.T
    held = [str(table["members"].fillna("").iloc[at]).split("; ") for at in range(len(table))]
    best, worst = [], []
    for at, key in enumerate(table.index):
        # a package and a route that it holds are told apart by what the package adds, however little
        slack = [1e-12 + width * (key not in held[k] and other not in held[at]) for k, other in enumerate(table.index)]
        others = [k for k in range(len(table)) if k != at]
        best.append(1 + sum(scores[k, 0] - scores[at, 1] > slack[k] for k in others))
        worst.append(1 + sum(scores[k, 1] - scores[at, 0] > slack[k] for k in others))
    return np.array(best), np.array(worst), scores, lost


def cells(table: pd.DataFrame, criteria: list[dict[str, Any]]) -> tuple[list[Any], list[Any], list[Any], np.ndarray]:
    """Ends of each scored figure that anybody has; an end that can't be reached is left to the other one."""
    low, high, kept = [], [], []
    lost = np.zeros(len(table), dtype=bool)
    for rule in criteria:
        name = rule["metric"]
        value = pd.to_numeric(table[name]).to_numpy(dtype=float)
        status = table[f"{name}_status"].fillna("ok") if f"{name}_status" in table else pd.Series("ok", table.index)
        ends = [value.copy(), value.copy()]
        is_open = (status == "undetermined").to_numpy()
        for at, suffixes in enumerate((("_best", "_low"), ("_worst", "_high"))):
            for suffix in suffixes:
                if f"{name}{suffix}" in table:
                    stated = pd.to_numeric(table[f"{name}{suffix}"]).to_numpy(dtype=float)
                    ends[at] = np.where(is_open & np.isnan(ends[at]), stated, ends[at])
        lost |= is_open & (np.isinf(ends[0]) | np.isinf(ends[1]))
        ends = [np.where(np.isfinite(own), own, other) for own, other in (ends, ends[::-1])]
        if np.isnan(ends[0]).all():
            continue
        kept.append(rule)
        low.append(ends[0])
        high.append(ends[1])
    return low, high, kept, lost


def weights_of(criteria: list[dict[str, Any]], kept: list[dict[str, Any]], stated: dict[str, float]) -> list[float]:
    """Weights of those that are scored: what a group loses goes to its others, an empty group's to all."""
    groups: dict[str, float] = {}
    for rule in criteria:
        groups[rule["group"]] = groups.get(rule["group"], 0.0) + stated[rule["criterion_id"]]
    shares = []
    for rule in kept:
        inside = [stated[other["criterion_id"]] for other in kept if other["group"] == rule["group"]]
        own = stated[rule["criterion_id"]] / sum(inside) if sum(inside) else 1 / len(inside)
        shares.append(groups[rule["group"]] * own)
    return [share / sum(shares) for share in shares]


def first_places(written: Written) -> Iterator[Finding]:
    """Shares of first places over distinct rankings, a shared place split; they sum to 1."""
    stated = written.manifest["first_places"]
    seen: dict[Any, dict[str, float]] = {}
    for (view, regime), group in written.ranking.groupby(["perspective", "regime_id"], dropna=False):
        rows = group[group["rank_best"].notna() & (group["panel"] == "through")]
        if len(rows) < 2:
            continue
        table = (
            written.metrics[written.metrics["regime_id"] == regime].set_index("candidate_id").loc[rows["candidate_id"]]
        )
        low, high, kept, lost = cells(table.sort_index(), written.manifest["criteria"])
        weights = weights_of(written.manifest["criteria"], kept, written.manifest["perspectives"][str(view)])
        inputs = (
            tuple(sorted(rows["candidate_id"])), tuple(rule["criterion_id"] for rule in kept),
            np.round([low, high], 9).tobytes(), tuple(np.round(weights, 9)), tuple(lost),
        )  # fmt: skip
        firsts = rows.loc[rows["rank_best"] == 1, "candidate_id"].tolist()
        seen[inputs] = dict.fromkeys(firsts, 1 / len(firsts))
    yield Finding("distinct rankings", "all", float(stated["count"]), float(len(seen)))
    for key in sorted({name for found in seen.values() for name in found}):
        anew = sum(found.get(key, 0.0) for found in seen.values()) / len(seen)
        yield Finding("share of first places", key, stated["shares"].get(key, 0.0), anew)
    yield Finding("sum of shares", "all", sum(stated["shares"].values()), 1.0)


PARTS = (lengths, times, checks, costs, packages, people, ranks, first_places)


def recompute(written: Written) -> list[Finding]:
    """All figures, as written and anew."""
    return [finding for part in PARTS for finding in part(written)]


def main() -> int:
    """Compare a folder and say what disagrees."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--study", type=Path, default=DATA / "studies" / "syunik.toml")
    given = parser.parse_args()
    try:
        written = read(given.results, given.data, given.study)
    except OSError as fault:
        parser.error(f"can't be read ({fault}); give the folder that `corridor run` wrote, and its data and study")
    found = recompute(written)
    wrong = [finding for finding in found if not finding.agrees]
    for finding in wrong:
        print(f"{finding.what} of {finding.where}: written {finding.written:.6g}, anew {finding.anew:.6g}")
    kinds = len({finding.what for finding in found})
    print(f"{len(found)} figures of {kinds} kinds computed anew, {len(wrong)} disagree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
