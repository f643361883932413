"""What a reader needs to judge the figures, as messages made from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corridor.geo.geodesy import distance_m
from corridor.io.read.places import Places
from corridor.metrics.terrain import GradeSupport
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Gap, Reachability
from corridor.schema.candidate import Candidate
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.vocabulary import GeometryQuality
from corridor.terrain.surface import Dem
from corridor.wording import format_position


def describe_limits(
    candidates: Sequence[Candidate],
    dem: Dem,
    grades: GradeSupport,
    reach: Sequence[Reachability],
    assembly: Conflation,
    places: Places | None,
    country_names: Mapping[str, str],
) -> dict[str, tuple[Value, ...]]:
    """Notes by subject: heights, grades, open roads and their gaps, schematic lines, assumptions."""
    assumed = [candidate for candidate in candidates if candidate.assumptions]
    return {
        "heights": (_heights_note(dem),),
        "grades": (
            Message("limit.grades_shown", {"reason": grades.reason})
            if grades.supported
            else Message("limit.grades_not_shown", {"reason": grades.reason}),
        ),
        "open roads": tuple(_reach_note(item, places, country_names) for item in reach),
        "lines": tuple(_line_note(candidate) for candidate in candidates),
        "not on the map": tuple(
            Message("limit.not_on_map", {"section_id": key, "why": why})
            for key, why in sorted(assembly.schematic.items())
        ),
        "map and catalogue": assembly.contradictions,
        "joins": assembly.joins,
        "assumptions": tuple(
            Message("limit.assumed", {"name": candidate.name, "assumed": listing(candidate.assumptions)})
            for candidate in assumed
        ),
    }


def _heights_note(dem: Dem) -> Message:
    return Message(
        "limit.heights",
        {
            "dem": dem.source.title,
            "pixel_m": f"{dem.resolution_m:.0f}",
            "error_m": f"{dem.vertical_error_m:g}",
            "range_km": f"{dem.error_range_m / 1000:g}",
        },
    )


def _reach_note(item: Reachability, places: Places | None, names: Mapping[str, str]) -> Message:
    """Whether open roads of the countries alone lead from origin to destination, and what they lack if not."""
    countries = listing((names.get(code, code) for code in item.countries), ListStyle.AND)
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
            "name": candidate.name,
            "drawn_km": f"{candidate.drawn_km:.0f}",
            "share": f"{schematic / candidate.drawn_km:.0%}",
            "documented_km": f"{documented:.0f}",
        },
    )
