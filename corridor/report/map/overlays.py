"""What lies under and over the routes on the map: rivers, axes, and places that a route cuts off or delays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

from corridor.report.map.linework import lat_lon, route_line
from corridor.report.page.tables import RANGE_SIGN, format_number
from corridor.schema.results import Results

LEAST_DELAY_MIN = 1.0
"""Places that reach the crossing later by less count as not delayed."""


def axis_lines(results: Results) -> list[dict[str, Any]]:
    """The north-south axes, each stretch of ground once, with the names of all axes that run along it."""
    frame = results.layers.axes
    if frame is None or frame.empty:
        return []
    found: dict[tuple[bytes, str], dict[str, Any]] = {}
    for name, status, shape in zip(frame["name"], frame["status"], frame.geometry, strict=True):
        for line in shapely.get_parts(shape):
            if shapely.get_type_id(line) != 1 or shapely.is_empty(line):
                continue
            stretch = found.setdefault(
                (shapely.to_wkb(shapely.normalize(line)), str(status)),
                {"names": [], "status": str(status), "line": route_line(line)},
            )
            if str(name) not in stretch["names"]:
                stretch["names"].append(str(name))
    return list(found.values())


def river_lines(results: Results, window: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    """Rivers inside a window: name, names by language, lines."""
    frame = results.layers.rivers
    if frame is None or frame.empty:
        return []
    box = shapely.box(*window)
    found = []
    for name, names, shape in zip(frame["name"], frame["names"], frame.geometry, strict=True):
        parts = shapely.get_parts(shapely.intersection(shape, box))
        lines = [lat_lon(part) for part in parts if shapely.get_type_id(part) == 1 and shapely.length(part) > 0]
        if lines:
            found.append({"name": str(name), "names": dict(names), "lines": lines})
    return found


def place_changes(results: Results) -> dict[str, Any]:
    """Places that lose a way or reach the crossing later, by candidate and regime.

    Gives ``places``: [name, lat, lon, people as text, centre], and ``by``: candidate -> regime -> list of [row of
    ``places``, loses the crossing, loses its centre, minutes later at the crossing or null]. Where the data support no
    places (a network without local roads), there are none.
    """
    table = results.place_effects
    places: dict[tuple[Any, ...], int] = {}
    by: dict[str, dict[str, list[list[Any]]]] = {}
    if table is None or table.empty:
        return {"places": [], "by": by}
    later = delays_min(table)
    changed = _lost(table, "crossing") | _lost(table, "centre") | (later >= LEAST_DELAY_MIN)
    for row, minutes in zip(table[changed].to_dict("records"), later[changed], strict=True):
        place = (
            str(row["place"]), round(float(row["lat"]), 4), round(float(row["lon"]), 4),
            people_text(row["people_low"], row["people_high"]), str(row["centre"]),
        )  # fmt: skip
        late = round(float(minutes)) if minutes >= LEAST_DELAY_MIN else None
        index = places.setdefault(place, len(places))
        change = [index, int(bool(row["lost_crossing"])), int(bool(row["lost_centre"])), late]
        by.setdefault(str(row["candidate_id"]), {}).setdefault(str(row["regime_id"]), []).append(change)
    return {"places": [list(place) for place in places], "by": by}


def delays_min(table: pd.DataFrame) -> pd.Series:
    """Minutes by which each place reaches the crossing later; 0 where it loses it or nothing is known."""
    if "crossing_min_after" not in table.columns:
        return pd.Series(0.0, index=table.index)
    later = (table["crossing_min_after"] - table["crossing_min_before"]).astype(float)
    return later.where(np.isfinite(later) & ~_lost(table, "crossing"), 0.0)


def cut_off_totals(results: Results, candidate_id: str) -> list[dict[str, Any]]:
    """Per regime: how many places and people lose the crossing, and their centre; how many reach it later."""
    table = results.place_effects
    if table is None or table.empty:
        return []
    rows = table[table["candidate_id"].astype(str) == candidate_id]
    said = []
    for regime, group in rows.groupby("regime_id", sort=False):
        totals: dict[str, Any] = {"regime_id": str(regime), "places": len(group)}
        for what in ("crossing", "centre"):
            lost = group[_lost(group, what)]
            totals[what] = len(lost)
            totals[f"{what}_people"] = people_text(lost["people_low"].sum(), lost["people_high"].sum())
        later = delays_min(group)
        totals["delayed"] = int((later >= LEAST_DELAY_MIN).sum())
        totals["minutes"] = f"{later.max():.0f}"
        said.append(totals)
    return said


def people_text(low: float, high: float) -> str:
    """A count of people, as a range where its ends differ; nothing where it is unknown."""
    ends = [format_number(float(value), 0) for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else RANGE_SIGN.join(ends) if all(ends) else ""


def _lost(table: pd.DataFrame, what: str) -> pd.Series:
    return table[f"lost_{what}"].fillna(False).astype(bool)
