"""Sentences that a reader needs to judge the figures, made from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corridor.geo.geodesy import distance_m
from corridor.io.read.places import Places
from corridor.metrics.terrain import GradeSupport
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Gap, Reachability
from corridor.schema.candidate import Candidate
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
) -> dict[str, tuple[str, ...]]:
    """Notes by subject: heights, grades, open roads and their gaps, schematic lines, assumptions."""
    return {
        "heights": (
            f"Heights are from {dem.source.title}: pixels of {dem.resolution_m:.0f} m, "
            f"standard error {dem.vertical_error_m:g} m. "
            "In steep ground a road may lie far from its pixel's mean height: "
            "swings under three local errors are no climb. "
            f"Ranges of heights and climbs are the 5th to 95th percentile over draws of that error, smooth over "
            f"{dem.error_range_m / 1000:g} km.",
        ),
        "grades": (
            f"Grades are {'shown' if grades.supported else 'not shown'}: {grades.reason}."
            + ("" if grades.supported else " Documented grades stand instead where the catalogue has them."),
        ),
        "open roads": tuple(_say_reach(item, places, country_names) for item in reach),
        "lines": tuple(_say_lines(candidate) for candidate in candidates),
        "not on the map": tuple(f"{key}: {why}" for key, why in sorted(assembly.schematic.items())),
        "map and catalogue": assembly.contradictions,
        "joins": assembly.joins,
        "assumptions": tuple(
            f"{candidate.name} takes as open or built: {'; '.join(candidate.assumptions)}."
            for candidate in candidates
            if candidate.assumptions
        ),
    }


def _say_reach(item: Reachability, places: Places | None, names: Mapping[str, str]) -> str:
    countries = " and ".join(names.get(code, code) for code in item.countries)
    if item.connected:
        return f"Open roads inside {countries} alone lead from origin to destination, if their borders could be passed."
    gaps = [say_gap(gap, places) for gap in item.gaps]
    missing = f"; the road gaps are {', '.join(gaps)}" if gaps else ""
    if item.missing:
        listed = ", ".join(f"{name} ({km:.1f} km)" for name, km in item.missing)
        missing += f"; the way that needs least lacks {listed}"
    return f"Open roads inside {countries} alone don't reach the destination, even if borders could be passed{missing}."


def say_gap(gap: Gap, places: Places | None) -> str:
    """A gap by its length and the nearest place."""
    lon, lat = gap.to_lonlat
    where = f"at {format_position(lat, lon, 3)}"
    if places is not None and len(places.frame):
        frame = places.frame
        gaps = distance_m(frame["lon"].to_numpy(), frame["lat"].to_numpy(), lon, lat)
        nearest = int(gaps.argmin())
        where = f"{gaps[nearest] / 1000:.0f} km from {frame['name'].iloc[nearest]} ({format_position(lat, lon, 3)})"
    return f"{gap.length_m / 1000:.1f} km, {where}"


def _say_lines(candidate: Candidate) -> str:
    schematic = sum(part.drawn_km for part in candidate.parts if part.geometry_quality == GeometryQuality.SCHEMATIC)
    share = schematic / candidate.drawn_km
    return (
        f"{candidate.name}: drawn {candidate.drawn_km:.0f} km, {share:.0%} of it schematic; "
        f"{sum(part.length_km.mid for part in candidate.parts if part.documented):.0f} km measured by documents."
    )
