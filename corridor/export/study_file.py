"""A study's file: text that people go on writing, with comments that say what stands where."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corridor.files import odd_character
from corridor.geo.geodesy import distance_m
from corridor.schema.study import CrossingSpec, Place

SLOW_KMH = 25.0
"""Average speed that a trip's worst anchor is set by, over twice the straight distance."""
CLIMB_M_PER_KM = 40.0
"""Climb for each kilometre of straight distance that the ascent's worst anchor is set by."""
TIME_TOLERANCE_H, ASCENT_TOLERANCE_M = 0.05, 20.0
"""Differences that count as ties: three minutes, and the least climb that is counted. Declared."""


def write_study_toml(content: Mapping[str, Any], crossings: Sequence[CrossingSpec]) -> str:
    """The text of a study file of two places, with comments.

    Args:
        content: id, title, question, as_of and whether that is the map's date (``is_dated``), area, ``ends`` (two
            places), focus (a table or None), and what the candidates use: osm, dem, live_dem (where heights are fetched
            from, if it isn't the usual source), borders, countries.
        crossings: border crossings, each nobody's word but the map's.

    Returns:
        TOML that is a whole study.
    """
    return "\n".join(_lines_of(content, crossings)).rstrip() + "\n"


def plain_id(text: str) -> str:
    """Plain small letters, digits and hyphens, at most 56; '' of a name in letters that have no plain form.

    Args:
        text: a name.

    >>> plain_id("Sant Julià (AD-ES)"), plain_id("Գորիս")
    ('sant-julia-ad-es', '')
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:56].rstrip("-")


def _lines_of(content: Mapping[str, Any], crossings: Sequence[CrossingSpec]) -> Iterator[str]:
    # Written by hand rather than by a TOML library: the comments teach what to change, and no writer keeps them.
    first, last = content["ends"]
    yield f"# {_comment(content['title'])}. Change what you like; `corridor doctor {content['id']}.toml` says what is"
    yield "# missing and what it would add. Paths are taken from this file's folder."
    yield ""
    for key in ("id", "title", "question"):
        yield f"{key} = {_text(content[key])}"
    day = "the map's date" if content["is_dated"] else "this study's date: the map states none of its own"
    yield f"as_of = {_text(content['as_of'])}  # {day}"
    yield f"area = {list(content['area'])}  # west, south, east, north: heights are read here"
    yield f"origin = {_place(first)}"
    yield f"destination = {_place(last)}"
    focus = content["focus"]
    if focus is not None:
        yield from (
            "",
            "# The region that figures are given for: this country inside these corners (lon, lat).",
            "[focus]",
        )
        for key in ("id", "name", "country"):
            yield f"{key} = {_text(focus[key])}"
        yield f"outline = {focus['outline']}"
    yield from ("", "[sources]")
    yield from _source_lines(content)
    if content["live_dem"]:
        yield from ("", "[live]", f"dem = {_text(content['live_dem'])}  # where heights are fetched from")
    yield from ("", "[[candidates]]", 'family = "existing"  # the quickest ways over open roads that differ')
    yield from ('id = "existing"', 'name = "Existing roads"', "count = 3")
    if content["countries"]:
        yield f"countries = [{', '.join(_text(code) for code in content['countries'])}]  # no others may be passed"
    else:
        yield '# countries = ["AA", "BB"]  # the only ones that may be driven through; any if left out'
    yield from _crossing_lines(crossings)
    yield from _criterion_lines(first, last)


def _source_lines(content: Mapping[str, Any]) -> Iterator[str]:
    if content["osm"]:
        yield f"osm = {_text(content['osm'])}"
    else:
        yield "# Map and heights are fetched: corridor run with --live."
    if content["dem"]:
        yield f"elevation = [{', '.join(_text(path) for path in content['dem'])}]"
    if content["borders"]:
        yield f"borders = {_text(content['borders'])}"
    else:
        yield '# borders = "borders.geojson"  # polygons with a column "country"; without them no border is known'
    yield '# places = "places.csv"  # name, lat, lon, country, population; without it settlements are the map\'s'
    yield '# reference = "reference"  # a catalogue of documented sections, crossings, prices and speeds'


def _crossing_lines(crossings: Sequence[CrossingSpec]) -> Iterator[str]:
    yield ""
    if not crossings:
        yield "# No road of the map leads over a border that is known. A crossing would stand here as [[crossings]]."
        return
    yield "# Crossings: roads of the map that lead over a border. Nobody confirmed that traffic may pass; minor roads"
    yield "# without a border control are taken as closed, and a border is closed elsewhere. Correct the status"
    yield '# ("open", "closed", "planned"), and say confirmed = true where you know.'
    for row in crossings:
        yield from ("", "[[crossings]]", f"id = {_text(row.id)}", f"name = {_text(row.name)}")
        yield from (f"lon = {row.lon}", f"lat = {row.lat}")
        yield f"countries = [{', '.join(_text(code) for code in row.countries)}]"
        yield from (f"status = {_text(row.status)}", f"as_of = {_text(row.as_of)}")
        yield from ("confirmed = false", f"note = {_text(row.note)}")


def _criterion_lines(first: Place, last: Place) -> Iterator[str]:
    apart_km = float(distance_m(first.lon, first.lat, last.lon, last.lat)) / 1000
    yield from ("", "# What is scored: 1 at best, 0 at worst. Groups may have any name; weights go by group.")
    slow_h = max(math.ceil(apart_km / SLOW_KMH * 2), 1)
    climb_m = max(math.ceil(apart_km * CLIMB_M_PER_KM / 500) * 500, 500)
    rows = (
        ("travel_time", "Travel time", "travel_time_h", "h", "distance", slow_h, TIME_TOLERANCE_H),
        ("ascent", "Ascent", "ascent_m", "m", "terrain", climb_m, ASCENT_TOLERANCE_M),
    )
    for key, label, metric, unit, group, worst, tolerance in rows:
        yield from ("[[criteria]]", f"id = {_text(key)}", f"label = {_text(label)}", f"metric = {_text(metric)}")
        yield from (f"unit = {_text(unit)}", f"group = {_text(group)}", "best = 0", f"worst = {worst}")
        yield from (f"tolerance = {tolerance:g}  # a smaller difference is a tie", "")


def _place(place: Place) -> str:
    return (
        f"{{ name = {_text(place.name)}, lon = {round(place.lon, 6)}, lat = {round(place.lat, 6)}, "
        f"country = {_text(place.country)} }}"
    )


def _text(value: str) -> str:
    """A TOML string: what comes from a map is data, without control characters, its quotes escaped."""
    clean = "".join(letter for letter in value if odd_character(letter) is None)
    return json.dumps(clean, ensure_ascii=False)


def _comment(value: str) -> str:
    """Words for a comment, on one line."""
    return " ".join("".join(letter for letter in value if odd_character(letter) is None).split())
