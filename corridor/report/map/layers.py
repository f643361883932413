"""What the map draws, as plain data for its script, thinned for a screen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import LineString

from corridor.geo.geodesy import substring
from corridor.report.i18n import render
from corridor.report.map.ground import LatLon, Window, lat_lon
from corridor.report.tables import Mark, format_number, texts
from corridor.report.view import ReportView
from corridor.schema.candidate import Candidate, route_message
from corridor.schema.message import ListStyle, Message, Value, listing, to_json
from corridor.schema.regime import class_message
from corridor.schema.results import Results
from corridor.schema.vocabulary import EventKind, Separation, Works
from corridor.wording import join_range

# --- Lines of the map, thinned for a screen: borders, routes, rivers, axes, and places that a route cuts off or
#     delays ---

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
            # Two axes over one stretch of ground would be drawn over each other and told apart by nobody: they are one
            # line with both names.
            stretch = found.setdefault(
                (shapely.to_wkb(shapely.normalize(line)), str(status)),
                {"names": [], "status": str(status), "line": route_line(line)},
            )
            if str(name) not in stretch["names"]:
                stretch["names"].append(str(name))
    return list(found.values())


def place_changes(results: Results) -> dict[str, Any]:
    """Places that lose a way or reach the crossing later, by candidate and regime.

    Gives ``places``: [name, lat, lon, people as text, centre], and ``by``: candidate -> regime -> list of [row of
    ``places``, loses the crossing, loses its centre, minutes later at the crossing or null]. Where the data support no
    places (a network without local roads), there are none.
    """
    table = _known_effects(results)
    places: dict[tuple[Any, ...], int] = {}
    by: dict[str, dict[str, list[list[Any]]]] = {}
    if table is None or table.empty:
        return {"places": [], "by": by}
    later = delays_min(table)
    # Places for which nothing changes are most of them: they aren't sent to the page.
    changed = _lost(table, "crossing") | _lost(table, "centre") | (later >= LEAST_DELAY_MIN)
    for row, minutes in zip(table[changed].to_dict("records"), later[changed], strict=True):
        place = (
            str(row["place"]), round(float(row["lat"]), 4), round(float(row["lon"]), 4),
            _place_people(row), str(row["centre"]),
        )  # fmt: skip
        late = round(float(minutes)) if minutes >= LEAST_DELAY_MIN else None
        index = places.setdefault(place, len(places))
        change = [index, int(bool(row["lost_crossing"])), int(bool(row["lost_centre"])), late]
        by.setdefault(str(row["candidate_id"]), {}).setdefault(str(row["regime_id"]), []).append(change)
    return {"places": [list(place) for place in places], "by": by}


def place_reach(results: Results) -> dict[str, Any]:
    """Minutes from each place to the border crossing, before and after each route.

    Gives ``places``: [name, lat, lon, minutes before], and ``by``: candidate -> regime -> list of [row of ``places``,
    minutes after, or null where the crossing is lost], of those places alone whose minutes change.
    """
    table = _known_effects(results)
    by: dict[str, dict[str, list[list[Any]]]] = {}
    if table is None or table.empty or "crossing_min_before" not in table.columns:
        return {"places": [], "by": by}
    known = table[np.isfinite(table["crossing_min_before"].astype(float))]
    places: dict[tuple[Any, ...], int] = {}
    lost, later = _lost(known, "crossing"), delays_min(known)
    for row, cut, minutes in zip(known.to_dict("records"), lost, later, strict=True):
        before = float(row["crossing_min_before"])
        place = (str(row["place"]), round(float(row["lat"]), 4), round(float(row["lon"]), 4), round(before))
        index = places.setdefault(place, len(places))
        if cut or abs(minutes) >= LEAST_DELAY_MIN:
            after = None if cut else round(before + float(minutes))
            by.setdefault(str(row["candidate_id"]), {}).setdefault(str(row["regime_id"]), []).append([index, after])
    return {"places": [list(place) for place in places], "by": by}


def _known_effects(results: Results) -> pd.DataFrame | None:
    """Effects on places, without those that hang on what a schematic line meets."""
    table = results.place_effects
    return table if table is None or "events_end" not in table else table[table["events_end"] == ""]


def delays_min(table: pd.DataFrame) -> pd.Series:
    """Minutes by which each place reaches the crossing later; 0 where it loses it or nothing is known."""
    if "crossing_min_after" not in table.columns:
        return pd.Series(0.0, index=table.index)
    later = (table["crossing_min_after"] - table["crossing_min_before"]).astype(float)
    return later.where(np.isfinite(later) & ~_lost(table, "crossing"), 0.0)


def cut_off_totals(results: Results) -> dict[str, list[dict[str, Any]]]:
    """By candidate and for each regime: how many places and people lose the crossing, and their centre; how many later.

    Nothing is said of a regime under which that isn't known for some places.
    """
    table = results.place_effects
    if table is None or table.empty:
        return {}
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, case in enumerate(zip(texts(table, "candidate_id"), texts(table, "regime_id"), strict=True)):
        rows_of.setdefault(case, []).append(row)
    # columns as arrays of the whole table once, of which each case takes its rows
    unknown = np.array([end != "" for end in texts(table, "events_end")], dtype=bool)
    later = delays_min(table).to_numpy(dtype=float)
    lost = {what: _lost(table, what).to_numpy() for what in ("crossing", "centre")}
    people = {what: _people_lost(results, table, what) for what in lost}
    said: dict[str, list[dict[str, Any]]] = {}
    for (candidate, regime), rows in rows_of.items():
        if unknown[rows].any():
            continue
        totals: dict[str, Any] = {"regime_id": regime, "places": len(rows)}
        for what, gone in lost.items():
            totals[what] = int(gone[rows].sum())
            ends = people[what](candidate, regime, np.compress(gone[rows], rows))
            totals[f"{what}_people"] = people_text(*ends) or "?"
        totals["delayed"] = int((later[rows] >= LEAST_DELAY_MIN).sum())
        totals["minutes"] = f"{later[rows].max():.0f}"
        said.setdefault(candidate, []).append(totals)
    return said


def _people_lost(
    results: Results, table: pd.DataFrame, what: str
) -> Callable[[str, str, NDArray[np.int64]], tuple[float, float]]:
    """What says how many people at least and at most lose the crossing or their centre, by candidate and regime.

    The metric table's figure, which a census total bounds; without that column those of the places in the given rows of
    ``table`` are added up.
    """
    metrics, name = results.metrics, f"people_lost_{what}"
    if name not in metrics.columns or "regime_id" not in metrics.columns:
        ends_of_places = [table[column].to_numpy(dtype=float) for column in ("people_low", "people_high")]
        return lambda _candidate, _regime, rows: (ends_of_places[0][rows].sum(), ends_of_places[1][rows].sum())
    columns = (f"{name}{end}" if f"{name}{end}" in metrics.columns else name for end in ("_low", "_high"))
    low, high = (metrics[column].to_numpy(dtype=float, na_value=np.nan).tolist() for column in columns)
    cases = zip(texts(metrics, "candidate_id"), texts(metrics, "regime_id"), strict=True)
    known: dict[tuple[str, str], tuple[float, float]] = {}
    for case, *ends in zip(cases, low, high, strict=True):
        known.setdefault(case, (ends[0], ends[1]))
    return lambda candidate, regime, _rows: known.get((candidate, regime), (np.nan, np.nan))


def _place_people(row: Mapping[Hashable, Any]) -> str:
    """People of one place: the figure, or about how many where only a census total says it."""
    if row["people_low"] != row["people_high"] and row.get("people_mid", 0.0) > 0:
        return f"\u2248 {format_number(float(row['people_mid']), 0)}"
    return people_text(row["people_low"], row["people_high"])


def people_text(low: float, high: float) -> str:
    """A count of people, as a range where its ends differ; nothing where it is unknown."""
    ends = [format_number(float(value), 0) for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else join_range(*ends) if all(ends) else ""


def _lost(table: pd.DataFrame, what: str) -> pd.Series:
    return table[f"lost_{what}"].fillna(False).astype(bool)


ROUTE_TOLERANCE_DEG = 0.0002
_SAMPLES = 60
_SAME_LINE_DEG = 0.02
_COARSE_DEG = 0.003
_LETTER = 0.05
"""Width of a letter's disc, a little widened, as a share of the map that it is on."""


def country_names(countries: gpd.GeoDataFrame, window: Window) -> list[tuple[str, float, float, str]]:
    """Name, lat and lon of a point inside each country's largest piece in the window, and the country's code."""
    out: list[tuple[str, float, float, str]] = []
    for name, code, shape in zip(countries.get("name", ()), countries["country"], countries.geometry, strict=True):
        # The name stands in the roomiest part of what is seen, not at the centre of a country that is mostly out of
        # view.
        pieces = shapely.get_parts(shapely.intersection(shapely.make_valid(shape), shapely.box(*window)))
        areas = shapely.area(pieces)
        if len(areas) and areas.max() > 0:
            point = shapely.maximum_inscribed_circle(pieces[int(np.argmax(areas))], tolerance=0.05).coords[0]
            out.append((str(name), round(point[1], 3), round(point[0], 3), str(code)))
    return out


def route_line(line: LineString) -> LatLon:
    """A route's vertices, thinned to about twenty metres."""
    return lat_lon(shapely.simplify(line, ROUTE_TOLERANCE_DEG, preserve_topology=False))


def letter_points(lines: Sequence[LineString], window: Window) -> list[tuple[float, float]]:
    """One point (lat, lon) per line, inside the window, as far as possible from other lines and earlier letters."""
    frame = shapely.box(*window)
    gap = _LETTER * max(window[2] - window[0], window[3] - window[1])
    coarse = shapely.simplify(np.array(lines), _COARSE_DEG, preserve_topology=False)
    apart = _apart(coarse)
    placed: list[shapely.Point] = []
    for index, line in enumerate(coarse):
        samples = shapely.line_interpolate_point(line, np.linspace(0.06, 0.94, _SAMPLES), normalized=True)
        inside = samples[shapely.contains(frame, samples)]
        samples = inside if len(inside) else samples
        # A line that runs with this one all the way leaves no room anywhere: it doesn't count, or the letter would land
        # at random.
        room = _nearest(samples, coarse[apart[index]])
        if placed:
            letters = _nearest(samples, np.array(placed))
            room = np.minimum(np.minimum(room, 0.25) + 0.02, letters * 0.5)
            # On a line that others run along there is room nowhere: the letters must not hide each other even so.
            room = np.where(letters < gap, letters - gap, room)
        best = samples[int(np.argmax(room))]
        placed.append(best)
    return [(round(point.y, 4), round(point.x, 4)) for point in placed]


def _apart(lines: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which lines run apart from which others at least somewhere, shape (n, n)."""
    first, second = np.triu_indices(len(lines), 1)
    found = np.zeros((len(lines), len(lines)), dtype=bool)
    # the distance is the same both ways
    found[first, second] = shapely.hausdorff_distance(lines[first], lines[second]) > _SAME_LINE_DEG
    return found | found.T


def _nearest(points: NDArray[np.object_], others: NDArray[np.object_]) -> NDArray[np.float64]:
    """Distance in degrees from each point to the nearest of some shapes; 1 where there are none."""
    if not len(others):
        return np.full(len(points), 1.0)
    shapely.prepare(others)
    return shapely.distance(points[:, np.newaxis], others).min(axis=1)  # type: ignore[no-any-return]


_MARGIN_DEG = 0.12
_NAMED = 10_000_000
"""Added to the population of places that routes are named after, so that their labels come first."""


def build_map_data(view: ReportView) -> dict[str, Any]:
    """Candidates, borders, focus, places and crossings, as far as the relief covers them."""
    results, marks, ground = view.results, view.marks, view.ground
    bounds = ground.relief.bounds
    first = _first_window(results, bounds)
    letters = letter_points([candidate.routes[0].line for candidate in results.candidates], first)
    return {
        "bounds": _corners(bounds),
        "view": _corners(first),
        "candidates": [
            _candidate(results, candidate, marks[candidate.candidate_id], letter)
            for candidate, letter in zip(results.candidates, letters, strict=True)
        ],
        "borders": ground.borders,
        "countries": country_names(results.layers.countries, first),
        "focus": _rings(results.layers.focus),
        "focusName": results.focus_name,
        "places": _places(results, bounds),
        "aliases": place_aliases(results),
        "named": _named_places(results, bounds),
        "crossings": _crossings(results, bounds),
        "events": _events(results),
        "strips": _strips(results),
        "axes": axis_lines(results),
        "changes": place_changes(results),
        "rivers": ground.rivers,
        "riversFromBorders": results.layers.rivers_from_borders,
        "roads": ground.roads,
        "sources": {key: _source_title(results, key) for key in ("borders", "osm")},
        "regime": view.regime_ids[0],
    }


def _first_window(results: Results, bounds: Window) -> Window:
    """What the map shows first: all through routes, with a margin."""
    through = [c.geometry for c in results.candidates if not c.comparator] or [c.geometry for c in results.candidates]
    west, south, east, north = shapely.total_bounds(through) if through else bounds
    return (
        max(west - _MARGIN_DEG, bounds[0]), max(south - _MARGIN_DEG, bounds[1]),
        min(east + _MARGIN_DEG, bounds[2]), min(north + _MARGIN_DEG, bounds[3]),
    )  # fmt: skip


def _corners(window: Window) -> list[list[float]]:
    west, south, east, north = (round(float(value), 4) for value in window)
    return [[south, west], [north, east]]


def _candidate(results: Results, candidate: Candidate, mark: Mark, letter: tuple[float, float]) -> dict[str, Any]:
    # structures of a package are those of its routes, each by its own chainage
    spans = ((r, span) for r in candidate.routes if (p := results.profiles.get(r.candidate_id)) for span in p.spans)
    return {
        "id": candidate.candidate_id,
        "name": candidate.name,
        "words": route_message(candidate).to_json(),
        "letter": mark.letter,
        "colour": mark.colour,
        "comparator": candidate.comparator,
        "lengths": [round(route.length_km.mid, 1) for route in candidate.routes],
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
                "line": lat_lon(substring(route.line, span.from_km * 1000, span.to_km * 1000)),
            }
            for route, span in spans
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
    # Places that routes are named after are looked for first: their labels stay when others give way.
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


def _named_places(results: Results, bounds: Window) -> list[list[Any]]:
    """All names and the position of the catalogue's places that the map has no place for, each once."""
    shown = {str(name).casefold() for name in results.layers.places["name"]} if len(results.layers.places) else set()
    found: dict[str, list[Any]] = {}
    for place in results.layers.named:
        inside = bounds[0] < place.lon < bounds[2] and bounds[1] < place.lat < bounds[3]
        if inside and not any(name.casefold() in shown for name in place.spellings):
            found.setdefault(place.name, [list(place.spellings), round(place.lat, 4), round(place.lon, 4)])
    return list(found.values())


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
                "road": _said(_road(row)),
                "structure": _said(row.get("structure") or ""),
                "regimes": [],
                "decisive": [],
            } | _event_shape(shape)
        if regime:
            found[key]["regimes"].append(regime)
        if bool(row.get("decisive")):
            found[key]["decisive"].append(regime)
    return list(found.values())


def _road(row: Mapping[Any, Any]) -> Value:
    """Number and name of the road of an event, or what roads of its class are called."""
    known = [str(row[name]) for name in ("road_ref", "road_name") if row.get(name)]
    return listing(known, ListStyle.SENTENCES) if known else class_message(str(row.get("road_class") or ""))


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
