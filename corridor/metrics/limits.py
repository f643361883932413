"""What a reader needs to judge the figures, as messages made from the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from corridor.geo.geodesy import distance_m
from corridor.io.read.borders import Borders
from corridor.io.read.places import Places
from corridor.metrics.terrain import GradeSupport
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Gap, Reachability
from corridor.schema.candidate import Candidate, route_message
from corridor.schema.catalogue import Crossing, Section
from corridor.schema.message import ListStyle, Message, Value, country_message, listing
from corridor.schema.regime import Regime
from corridor.schema.vocabulary import GeometryQuality
from corridor.terrain.surface import Dem
from corridor.wording import format_position

LEAST_STRAY_KM = 1.0
"""Less than this beyond a border is how borders and roads are drawn, on the two banks of a river for one. Declared."""
_STRAY_STEP_M = 100.0
"""Lines are held against borders at points so far apart."""


def describe_limits(
    candidates: Sequence[Candidate],
    dem: Dem,
    grades: GradeSupport,
    reach: Sequence[Reachability],
    conflation: Conflation,
    places: Places | None,
    country_names: Mapping[str, str],
    ascent_threshold_m: float,
) -> dict[str, tuple[Value, ...]]:
    """Notes by subject: heights, grades, open roads and their gaps, schematic lines, assumptions."""
    assumed = [candidate for candidate in candidates if candidate.assumptions]
    return {
        "heights": (_heights_note(dem, ascent_threshold_m),),
        "grades": (
            Message("limit.grades_shown", {"reason": grades.reason})
            if grades.supported
            else Message("limit.grades_not_shown", {"reason": grades.reason}),
        ),
        "open roads": tuple(_reach_note(item, places, country_names) for item in reach),
        "lines": (
            *(_line_note(candidate) for candidate in candidates),
            *(
                Message(
                    "limit.route_remarks", {"name": route_message(candidate), "remarks": listing(candidate.remarks)}
                )
                for candidate in candidates
                if candidate.remarks
            ),
        ),
        "not on the map": tuple(
            Message("limit.not_on_map", {"section_id": key, "why": why})
            for key, why in sorted(conflation.schematic.items())
        ),
        "map and catalogue": conflation.contradictions,
        "joins": conflation.joins,
        "assumptions": tuple(
            Message("limit.assumed", {"name": route_message(candidate), "assumed": listing(candidate.assumptions)})
            for candidate in assumed
        ),
    }


@dataclass(frozen=True, slots=True)
class DatedStatus:
    """A status of the catalogue or of a regime, with the date that it is documented for."""

    kind: str
    key: str
    status: str
    as_of: str


def list_statuses(
    sections: Iterable[Section], crossings: Iterable[Crossing], regimes: Iterable[Regime]
) -> tuple[DatedStatus, ...]:
    """Every status that has a date.

    Args:
        sections: of the catalogue.
        crossings: of the catalogue.
        regimes: of the study.

    Returns:
        Statuses in this order, as their tables have them.
    """
    found = [DatedStatus("section", s.section_id, s.status, s.as_of) for s in sections]
    found += [DatedStatus("crossing", c.crossing_id, c.status, c.as_of) for c in crossings]
    found += [DatedStatus("regime", r.regime_id, r.text_status, r.as_of) for r in regimes]
    return tuple(status for status in found if status.as_of)


def old_statuses(statuses: Iterable[DatedStatus], today: str) -> tuple[DatedStatus, ...]:
    """Statuses of more than a year before a date: what has happened since, nobody has looked up.

    Args:
        statuses: with their dates.
        today: ISO date, or a month or year.

    Returns:
        Those whose date, taken as its last day, is over a year old, the oldest first.
    """
    year_ago = f"{int(today[:4]) - 1:04}{today[4:]}"
    # a month or a year counts to its end, on both sides: of "2025-11" nobody can say that it is before 2025-11-28
    old = (status for status in statuses if status.as_of[: len(year_ago)] < year_ago[: len(status.as_of)])
    return tuple(sorted(old, key=lambda status: (status.as_of, status.kind, status.key)))


def status_note(statuses: Sequence[DatedStatus], today: str) -> tuple[Message, ...]:
    """What a reader is told of the age of statuses.

    Args:
        statuses: all of them.
        today: ISO date.

    Returns:
        One remark, or none where no status is old.
    """
    old = old_statuses(statuses, today)
    if not old:
        return ()
    kinds: dict[str, Value] = {"count": len(old), "total": str(len(statuses)), "today": today, "oldest": old[0].as_of}
    return (Message("limit.old_statuses", kinds),)


def stray_notes(candidates: Iterable[Candidate], borders: Borders) -> tuple[Message, ...]:
    """What runs on ground of another country than it counts as, where no crossing is listed at which it could enter.

    A way of the map counts whole as the country that most of it lies in (:mod:`corridor.network.jurisdiction`), so that
    an enclave on it, or a claim of both, would pass in silence.

    Args:
        candidates: the routes.
        borders: the countries.

    Returns:
        One remark for each route and each two countries, of at least a kilometre.
    """
    found = []
    for candidate in candidates:
        parts = [part for part in candidate.parts if part.geometry_quality == GeometryQuality.OSM]
        # Only what meets a border can lie in two countries; where a schematic line runs nobody knows.
        lines = np.array([part.line for part in parts], dtype=object)
        near = np.unique(borders.tree.query(lines, predicate="intersects")[0]) if parts and len(borders.lines) else ()
        strays: dict[tuple[str, str], float] = {}
        for part in (parts[row] for row in near):
            count = max(round(part.drawn_km * 1000 / _STRAY_STEP_M), 2)
            middles = shapely.line_interpolate_point(part.line, (np.arange(count) + 0.5) / count, normalized=True)
            for code in borders.country_at(shapely.get_x(middles), shapely.get_y(middles)):
                if code not in ("", part.country):
                    strays[part.country, code] = strays.get((part.country, code), 0.0) + part.drawn_km / count
        found += [
            Message(
                "limit.strays",
                {
                    "name": route_message(candidate),
                    "km": f"{km:.1f}",
                    "ground": country_message(code, borders.names.get(code, "")),
                    "own": country_message(own, borders.names.get(own, "")),
                },
            )
            for (own, code), km in strays.items()
            if km >= LEAST_STRAY_KM
        ]
    return tuple(found)


def _heights_note(dem: Dem, ascent_threshold_m: float) -> Message:
    return Message(
        "limit.heights",
        {
            "dem": dem.source.title,
            "pixel_m": f"{dem.resolution_m:.0f}",
            "error_m": f"{dem.vertical_error_m:.3g}",
            "climb_m": f"{ascent_threshold_m:g}",
            "range_km": f"{dem.error_range_m / 1000:g}",
        },
    )


def _reach_note(item: Reachability, places: Places | None, names: Mapping[str, str]) -> Message:
    """Whether open roads of the countries alone lead from origin to destination, and what they lack if not."""
    countries: Value = listing((country_message(code, names.get(code, "")) for code in item.countries), ListStyle.AND)
    if not item.countries:
        countries = Message("limit.all_countries")
    if item.connected:
        return Message("limit.roads_connect", {"countries": countries})
    lacking: list[Value] = []
    if item.gaps:
        gaps = listing((gap_message(gap, places) for gap in item.gaps), ListStyle.COMMA)
        lacking.append(Message("limit.road_gaps", {"gaps": gaps}))
    if item.missing:
        named = (Message("limit.length_of", {"name": name, "km": f"{km:.1f}"}) for name, km in item.missing)
        lacking.append(Message("limit.least_lacking", {"missing": listing(named, ListStyle.COMMA)}))
    if not lacking:
        return Message("limit.roads_end", {"countries": countries})
    return Message("limit.roads_end_lacking", {"countries": countries, "lacking": listing(lacking)})


def gap_message(gap: Gap, places: Places | None) -> Message:
    """A gap by its length and the nearest place."""
    lon, lat = gap.to_lonlat
    at, km = format_position(lat, lon, 3), f"{gap.length_m / 1000:.1f}"
    if places is None or not len(places.frame):
        return Message("limit.gap_at", {"km": km, "at": at})
    frame = places.frame
    gaps = distance_m(frame["lon"].to_numpy(), frame["lat"].to_numpy(), lon, lat)
    nearest = int(gaps.argmin())
    return Message(
        "limit.gap_near",
        {
            "km": km,
            "away_km": f"{gaps[nearest] / 1000:.0f}",
            "place": str(frame["name"].iloc[nearest]),
            "at": at,
        },
    )


def _line_note(candidate: Candidate) -> Message:
    schematic = sum(part.drawn_km for part in candidate.parts if part.geometry_quality == GeometryQuality.SCHEMATIC)
    documented = sum(part.length_km.mid for part in candidate.parts if part.documented)
    return Message(
        "limit.line",
        {
            "name": route_message(candidate),
            "drawn_km": f"{candidate.drawn_km:.0f}",
            "share": f"{100.0 * schematic / candidate.drawn_km:.0f} %",
            "documented_km": f"{documented:.0f}",
        },
    )
