"""A package: several routes of a study that are built and opened together, as one candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import shapely

from corridor.errors import StudyError
from corridor.geo.geodesy import WGS84, project
from corridor.interactions.events import BED_M
from corridor.schema.candidate import Candidate, OldBed, Part, route_message
from corridor.schema.message import Message, Value, listing
from corridor.schema.study import PackageCandidate
from corridor.schema.vocabulary import GeometryQuality, Mode

SCHEMATIC_M = 1000.0
"""How far off a line may lie that is only drawn schematically."""
MIN_ON_BED_KM = 0.5
"""A road that runs on the bed for less only crosses it. Declared."""


def build_package(spec: PackageCandidate, members: Sequence[Candidate], crs: str, asked_by: str) -> Candidate:
    """Routes as one candidate: the parts, borders and assumptions of all, each once.

    Args:
        spec: what the study asks for.
        members: its routes, in the order of the study.
        crs: a plane in metres.
        asked_by: id of the study, for errors.

    Raises:
        StudyError: more than one of the routes may lie on the bed of an old railway and the study doesn't say which
            has it, or it says so of one that doesn't.
    """
    bed = _old_bed(spec, members, crs, asked_by)
    said = (value for member in members for value in member.assumptions)
    return Candidate(
        candidate_id=spec.id,
        name=spec.name,
        family=spec.family,
        mode=members[0].mode,
        comparator=spec.comparator or any(member.comparator for member in members),
        aliases=spec.aliases,
        note=spec.note,
        parts=tuple(dict.fromkeys(part for member in members for part in member.parts)),
        passages=tuple(dict.fromkeys(passage for member in members for passage in member.passages)),
        assumptions=(*_say_bed(bed, members, spec.sources), *_once(said)),
        end_gaps_km=(max(m.end_gaps_km[0] for m in members), max(m.end_gaps_km[1] for m in members)),
        remarks=_once(value for member in members for value in member.remarks),
        letter=spec.letter,
        members=tuple(members),
        old_bed=bed,
        own_source_ids=spec.sources,
    )


def _once(values: Iterable[Value]) -> tuple[Value, ...]:
    """Each once, in order; messages have no hash."""
    kept: list[Value] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return tuple(kept)


def _say_bed(bed: OldBed | None, members: Sequence[Candidate], sources: Sequence[str]) -> tuple[Value, ...]:
    """Who has the old bed, and what the study declares to become of the road on it; no document needs to say that."""
    if bed is None:
        return ()
    names = {member.candidate_id: route_message(member) for member in members}
    said: list[Value] = [Message("assumption.bed_had_by", {"name": names[bed.had_by]})]
    if bed.road_by:
        said.append(Message("assumption.bed_road_by", {"name": names[bed.road_by], "sources": listing(sources)}))
    return tuple(said)


def _old_bed(spec: PackageCandidate, members: Sequence[Candidate], crs: str, asked_by: str) -> OldBed | None:
    """Who has the bed that a road lies on today, as the study says it.

    Raises:
        StudyError: it says nothing where several may lie there, or something that can't be.
    """
    at = f"{asked_by}: candidates '{spec.id}'"
    # A bed is known by documents alone; who may claim it is told by where the routes lie.
    beds = [part for member in members for part in member.parts if _is_bed(part)]
    on_it = {part.section_id for part in beds}
    claims = [member.candidate_id for member in members if any(_may_lie_on(member, bed, crs) for bed in beds)]
    # routes that share the section itself run on one track
    apart = [m for m in members if m.candidate_id in claims and not on_it & {part.section_id for part in m.parts}]
    if apart and spec.bed is None:
        who, where = " and ".join(f"'{key}'" for key in claims), beds[0].section_id
        raise StudyError(
            f"{at}: {who} may both lie on the old bed of section '{where}', and only one can have it: add "
            f'bed = "{claims[0]}" (or another of them), or name routes that keep apart'
        )
    if spec.bed is None:
        return None
    if spec.bed not in claims:
        listed = f"those that may are {', '.join(claims)}" if claims else "leave it out"
        raise StudyError(f"{at}: bed: '{spec.bed}' lies on no old bed that is a road today; {listed}")
    by_id = {member.candidate_id: member for member in members}
    if spec.bed_road_by and by_id[spec.bed_road_by].mode is not Mode.ROAD:
        raise StudyError(f"{at}: bed_road_by: '{spec.bed_road_by}' is no road; name the one that stands in for it")
    return OldBed(spec.bed, spec.bed_road_by or "")


def _is_bed(part: Part) -> bool:
    """Whether documents know a road to lie on a railway's old bed."""
    return part.mode is Mode.RAIL and part.documented_works.road_on_bed_km is not None


def _may_lie_on(route: Candidate, bed: Part, crs: str) -> bool:
    """Whether a route is laid on a bed, or drawn so near to it that it may be.

    A line is near within 30 m, or within a kilometre where either of the two is only drawn schematically.
    """
    if any(part.section_id == bed.section_id for part in route.parts):
        return True
    line = project(bed.line, WGS84, crs)
    for part in route.parts:
        # A line drawn by waypoints may in truth lie anywhere within its half-width: it is near unless it keeps that far
        # off.
        rough = GeometryQuality.SCHEMATIC in {part.geometry_quality, bed.geometry_quality}
        near = shapely.buffer(line, SCHEMATIC_M if rough else BED_M)
        other = project(part.line, WGS84, crs)
        if shapely.length(shapely.intersection(other, near)) > MIN_ON_BED_KM * 1000:
            return True
    return False
