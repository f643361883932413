"""What the map draws, as plain data for its script."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from corridor.geo.geodesy import substring
from corridor.report.i18n import render
from corridor.report.map.lines import (
    axis_lines,
    border_lines,
    country_names,
    lat_lon,
    letter_points,
    place_changes,
    river_lines,
    road_lines,
    route_line,
)
from corridor.report.marks import Mark
from corridor.report.page.tables import texts
from corridor.report.view import ReportView
from corridor.schema.candidate import Candidate, route_message
from corridor.schema.message import Message, Value, to_json
from corridor.schema.results import Results
from corridor.schema.vocabulary import EventKind, Separation, Works

Window = tuple[float, float, float, float]
_MARGIN_DEG = 0.12
_NAMED = 10_000_000
"""Added to the population of places that routes are named after, so that their labels come first."""


def build_map_data(view: ReportView, bounds: Window) -> dict[str, Any]:
    """Candidates, borders, focus, places and crossings; ``bounds`` is what the relief covers."""
    results, marks = view.results, view.marks
    first = _first_window(results, bounds)
    letters = letter_points([candidate.line for candidate in results.candidates], first)
    return {
        "bounds": _corners(bounds),
        "view": _corners(first),
        "candidates": [
            _candidate(results, candidate, marks[candidate.candidate_id], letter)
            for candidate, letter in zip(results.candidates, letters, strict=True)
        ],
        "borders": border_lines(results.layers.countries, bounds),
        "countries": country_names(results.layers.countries, first),
        "focus": _rings(results.layers.focus),
        "focusName": results.focus_name,
        "places": _places(results, bounds),
        "aliases": place_aliases(results),
        "crossings": _crossings(results, bounds),
        "events": _events(results),
        "strips": _strips(results),
        "axes": axis_lines(results),
        "changes": place_changes(results),
        "rivers": river_lines(results, bounds),
        "riversFromBorders": results.layers.rivers_from_borders,
        "roads": road_lines(results, bounds),
        "sources": {key: _source_title(results, key) for key in ("borders", "osm")},
        "regime": view.regime_ids[0],
    }


def _first_window(results: Results, bounds: Window) -> Window:
    """What the map shows first: all through routes, with a margin."""
    through = [c.line for c in results.candidates if not c.comparator] or [c.line for c in results.candidates]
    west, south, east, north = shapely.total_bounds(through) if through else bounds
    return (
        max(west - _MARGIN_DEG, bounds[0]), max(south - _MARGIN_DEG, bounds[1]),
        min(east + _MARGIN_DEG, bounds[2]), min(north + _MARGIN_DEG, bounds[3]),
    )  # fmt: skip


def _corners(window: Window) -> list[list[float]]:
    west, south, east, north = (round(float(value), 4) for value in window)
    return [[south, west], [north, east]]


def _candidate(results: Results, candidate: Candidate, mark: Mark, letter: tuple[float, float]) -> dict[str, Any]:
    profile = results.profiles.get(candidate.candidate_id)
    return {
        "id": candidate.candidate_id,
        "name": candidate.name,
        "words": route_message(candidate).to_json(),
        "letter": mark.letter,
        "colour": mark.colour,
        "comparator": candidate.comparator,
        "at": list(letter),
        "parts": [
            {
                "name": part.name,
                "status": part.status,
                "dashed": part.works is not Works.NONE,
                "km": round(part.length_km.mid, 1),
                "line": route_line(part.line),
            }
            for part in candidate.parts
        ],
        "spans": [
            {
                "kind": span.kind,
                "name": span.name,
                "km": round(span.to_km - span.from_km, 2),
                "line": lat_lon(substring(candidate.line, span.from_km * 1000, span.to_km * 1000)),
            }
            for span in (profile.spans if profile else ())
        ],
    }


def _rings(shape: shapely.Geometry) -> list[list[list[float]]]:
    polygons = [part for part in shapely.get_parts(shape) if shapely.get_type_id(part) == 3]
    thinned = [shapely.simplify(part.exterior, 0.002) for part in polygons if part.area > 1e-4]
    return [lat_lon(ring) for ring in thinned]


def _places(results: Results, bounds: Window) -> list[list[Any]]:
    """Name, lat, lon, population (null where unknown), priority, names by language: largest priority first."""
    frame = results.layers.places
    if frame.empty:
        return []
    spoken = " ".join([c.name for c in results.candidates] + [p.name for c in results.candidates for p in c.parts])
    words = set(spoken.replace("-", " ").replace(",", " ").replace("(", " ").replace(")", " ").split())
    rows: list[list[Any]] = []
    names = frame["names"] if "names" in frame.columns else [{}] * len(frame)
    for name, point, people, others in zip(frame["name"], frame.geometry, frame["population"], names, strict=True):
        known = None if people is None or not np.isfinite(people) else int(people)
        if bounds[0] < point.x < bounds[2] and bounds[1] < point.y < bounds[3]:
            spoken_of = words & {str(name), others.get("en", "")}
            priority = (known or 0) + (_NAMED if spoken_of and (known or 0) > 500 else 0)
            rows.append([str(name), round(point.y, 4), round(point.x, 4), known, priority, dict(others)])
    return sorted(rows, key=lambda row: (-row[4], row[0], row[1], row[2]))


def place_aliases(results: Results) -> dict[str, str]:
    """The map's name of a place by each other name of it, in lower case, as the catalogue gives them.

    Names in other languages count too.
    """
    places = results.layers.places
    shown = {str(name).casefold(): str(name) for name in places["name"]} if len(places) else {}
    found: dict[str, str] = {}
    for name, others in zip(places["name"], places["names"], strict=True) if "names" in places else ():
        for other in others.values():
            if other.casefold() not in shown:
                found.setdefault(other.lower(), str(name))
    for place in results.layers.named:
        names = place.spellings
        known = [shown[name.casefold()] for name in names if name.casefold() in shown]
        if known:
            found = {name.lower(): known[0] for name in names if name.casefold() not in shown} | found
    return found


def _source_title(results: Results, source_id: str) -> str:
    """What a data file is called in the list of sources, for the legend."""
    return next((source.title for source in results.sources if source.source_id == source_id), "")


def _crossings(results: Results, bounds: Window) -> list[dict[str, Any]]:
    frame = results.layers.crossings
    rows = []
    for row in frame.drop(columns="geometry").to_dict("records") if len(frame) else []:
        rows.append({str(key): ("" if value is None else str(value)) for key, value in row.items()})
    return [
        row | {"lat": round(point.y, 4), "lon": round(point.x, 4)}
        for row, point in zip(rows, frame.geometry, strict=True)
        if bounds[0] < point.x < bounds[2] and bounds[1] < point.y < bounds[3]
    ]


def _events(results: Results) -> list[dict[str, Any]]:
    """Where candidates meet roads: each event once, with the regimes under which it counts and decides."""
    table = results.events
    if table is None or table.empty:
        return []
    found: dict[tuple[str, str], dict[str, Any]] = {}
    regimes = texts(table, "regime_id")
    for row, regime, shape in zip(
        table.drop(columns="geometry").to_dict("records"), regimes, table.geometry, strict=True
    ):
        key = (str(row["candidate_id"]), str(row["event_id"]))
        if key not in found:
            found[key] = {
                "id": key[0],
                "kind": _event_kind(row),
                "road": " ".join(str(row.get(name) or "") for name in ("road_ref", "road_name")).strip()
                or str(row.get("road_class") or ""),
                "structure": _said(row.get("structure") or ""),
                "regimes": [],
                "decisive": [],
            } | _event_shape(shape)
        if regime:
            found[key]["regimes"].append(regime)
        if bool(row.get("decisive")):
            found[key]["decisive"].append(regime)
    return list(found.values())


def _said(value: Value) -> Any:
    """A value as the map's script takes it, with its English words for a map that stands alone."""
    return to_json(replace(value, fallback=render(value)) if isinstance(value, Message) else render(value))


def _event_kind(row: dict[Any, Any]) -> str:
    return str(row.get("separation") or Separation.AT_GRADE) if row["kind"] == EventKind.CROSSING else str(row["kind"])


def _event_shape(shape: shapely.Geometry) -> dict[str, Any]:
    if shapely.get_type_id(shape) == 1 and shapely.length(shape) > 0:
        return {"line": route_line(shape)}
    point = shapely.centroid(shape)
    return {"at": [round(point.y, 4), round(point.x, 4)]}


def _strips(results: Results) -> dict[str, Any]:
    """Ground between a route and the border, as rings by candidate."""
    table = results.strips
    if table is None or table.empty:
        return {}
    rings = {str(key): _rings(shape) for key, shape in zip(table["candidate_id"], table.geometry, strict=True)}
    return {key: shape for key, shape in rings.items() if shape}
