"""What lies under and over the routes on the map: the north-south axes, and places that a route cuts off."""

from __future__ import annotations

from typing import Any

import pandas as pd
import shapely

from corridor.model.results import Results
from corridor.report.linework import route_line
from corridor.report.tables import RANGE_SIGN, format_number


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


def cut_off_places(results: Results) -> dict[str, dict[str, list[list[Any]]]]:
    """Places that lose a way, by candidate and regime.

    Each is [name, lat, lon, people as text, loses the crossing, loses its centre, centre]. Where the data support no
    places (a network without local roads), there are none.
    """
    table = results.place_effects
    if table is None or table.empty:
        return {}
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for row in table[_lost(table, "crossing") | _lost(table, "centre")].to_dict("records"):
        place = [
            str(row["place"]), round(float(row["lat"]), 4), round(float(row["lon"]), 4),
            people_text(row["people_low"], row["people_high"]),
            bool(row["lost_crossing"]), bool(row["lost_centre"]), str(row["centre"]),
        ]  # fmt: skip
        found.setdefault(str(row["candidate_id"]), {}).setdefault(str(row["regime_id"]), []).append(place)
    return found


def cut_off_totals(results: Results, candidate_id: str) -> list[dict[str, Any]]:
    """Per regime under which places were measured: how many places and people lose the crossing, and their centre."""
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
        said.append(totals)
    return said


def people_text(low: float, high: float) -> str:
    """A count of people, as a range where its ends differ; nothing where it is unknown."""
    ends = [format_number(float(value), 0) for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else RANGE_SIGN.join(ends) if all(ends) else ""


def _lost(table: pd.DataFrame, what: str) -> pd.Series:
    return table[f"lost_{what}"].fillna(False).astype(bool)
