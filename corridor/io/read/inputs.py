"""What a study names, found in its data: heights of its area, and places by their names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from corridor.errors import StudyError
from corridor.io.read.borders import Borders
from corridor.io.read.data_files import known_source
from corridor.io.read.elevation import compare_known, read_dem, require_heights_near
from corridor.io.read.height_errors import load_height_errors
from corridor.io.read.places import Places
from corridor.schema.catalogue import BorderDelays, Crossing, Node, Section
from corridor.schema.fields import lies_after
from corridor.schema.parameters import DocumentedHeight
from corridor.schema.regime import Regime
from corridor.schema.study import UNKNOWN_COUNTRY, PackageCandidate, Place, Study, TimeSpec
from corridor.terrain.surface import Dem
from corridor.wording import ask_if_swapped, format_position

Area = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""
MAX_FAULTS = 12
_POINT = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*")
"""A point as people write it: latitude and longitude in degrees."""


@dataclass(frozen=True)
class HeightDraw:
    """A draw of an elevation model's error, known by its seed."""

    seed: int


def load_dem(
    study: Study,
    paths: Sequence[Path] = (),
    *,
    nodes: Mapping[str, Node] | None = None,
    places: Places | None = None,
    heights: Sequence[DocumentedHeight] = (),
    fault_m: float = np.inf,
) -> Dem:
    """The elevation model of a study, or of the given files, over the study's area.

    Args:
        study: names files and area.
        paths: files instead of those that it names.
        nodes: of the catalogue; heights that they know must agree with the model's.
        places: settlements; as for nodes.
        heights: documented heights of roads and railways.
        fault_m: how far one of these may be off the model, in metres.

    Raises:
        StudyError: the study names no elevation model.
        CatalogueError: a documented height is so far off the model that one of the two is of another place.
        SourceError: a file can't be used; see :func:`corridor.io.read.elevation.read_dem`.
    """
    # Rasters given by hand replace those of the study as a whole: tiles of two data sets are never mixed.
    files = list(paths) or [study.path(name) for name in study.sources.elevation]
    if not files:
        raise StudyError(
            f"{study.id}: sources.elevation is empty and no --dem was given; name an elevation raster, or fetch one "
            "with --live"
        )
    dem = read_dem(
        files,
        study.area,
        source=known_source(files[0], "elevation") if len(files) == 1 else None,
        vertical_error_m=study.elevation.vertical_error_m,
        error_range_km=study.elevation.error_range_km,
        known_errors=load_height_errors(study.path(study.sources.reference) if study.sources.reference else None),
    )
    # Heights known otherwise tell feet, swapped axes and the wrong ground before anything is measured on them.
    known = known_heights(nodes or {}, places)
    if known:
        compare_known(dem, *zip(*known, strict=True))
    require_heights_near(dem, heights, fault_m)
    return dem


def known_heights(nodes: Mapping[str, Node], places: Places | None) -> list[tuple[float, float, float]]:
    """Longitude, latitude and height of what the catalogue and the table of places know the height of.

    Args:
        nodes: of the catalogue.
        places: settlements.
    """
    known = [(n.lon, n.lat, n.elevation_m) for n in nodes.values() if n.elevation_m]
    if places is not None and "elevation_m" in places.frame:
        known += list(places.frame[["lon", "lat", "elevation_m"]].dropna().itertuples(index=False, name=None))
    return known


@dataclass(frozen=True)
class Gazetteer:
    """Places by name: nodes of the catalogue first, then settlements, all inside the study's area.

    ``study_id`` is what messages begin with; ``area`` is west, south, east, north.
    """

    study_id: str
    area: Area
    nodes: Mapping[str, Node]
    places: Places | None

    def find(
        self, wanted: Place | str, field: str, *, otherwise: str = "give name, lon, lat and country instead"
    ) -> Place:
        """A place as given, or looked up by name.

        Args:
            wanted: a place, or its name, also an alias or a node's id, in any case of letters.
            field: of the study that names it.
            otherwise: what to do where no name is like it.

        Raises:
            StudyError: no place has that name, or it lies outside the study's area; gives the nearest names.
        """
        place = wanted if isinstance(wanted, Place) else self._look_up(wanted, field, otherwise)
        if not self._holds(place.lon, place.lat):
            at = format_position(place.lat, place.lon, 3)
            remedy = ask_if_swapped(place.lon, place.lat, self._holds) or "correct it, or widen area"
            raise StudyError(f"{self.study_id}: {field}: {place.name} ({at}) lies outside the study's area; {remedy}")
        return place

    def find_stop(self, wanted: Place | str, field: str, borders: Borders) -> Place:
        """A place as :meth:`find` gives it, or a point written ``lat,lon`` in degrees.

        Args:
            wanted: a place, its name, or a point.
            field: of the study that names it.
            borders: give a point its country.

        Raises:
            StudyError: no place has that name, a point lies in no country, or it lies outside the study's area; says
                where the two numbers of a point seem to be swapped.
        """
        point = _POINT.fullmatch(wanted) if isinstance(wanted, str) else None
        if point is None:
            return self.find(wanted, field, otherwise="give lat,lon instead")
        lat, lon = (float(number) for number in point.groups())
        if not self._holds(lon, lat):
            swapped = "; write latitude before longitude" if self._holds(lat, lon) else ""
            raise StudyError(f"{self.study_id}: {field}: {wanted} lies outside the study's area{swapped}")
        country = str(borders.country_at(lon, lat)[0])
        if not country and len(borders.countries):
            raise StudyError(f"{self.study_id}: {field}: {wanted} lies in no country of the borders file; correct it")
        return Place(name=format_position(lat, lon, 3), lon=lon, lat=lat, country=country or UNKNOWN_COUNTRY)

    def _holds(self, lon: float, lat: float) -> bool:
        west, south, east, north = self.area
        return west <= lon <= east and south <= lat <= north

    def _look_up(self, name: str, field: str, otherwise: str) -> Place:
        wanted, asked_by = name.casefold(), f"{self.study_id}: {field}"
        for node in self.nodes.values():
            # Nodes of the catalogue come first, since their places are the ones that sections end in.
            spellings = (node.node_id, node.name, *(alias.name for alias in node.aliases))
            if wanted in {spelling.casefold() for spelling in spellings}:
                return _place(node.name, node.lon, node.lat, node.country, asked_by)
        known = [node.name for node in self.nodes.values()]
        if self.places is not None:
            frame = self.places.frame
            hits = frame[frame["name"].str.casefold() == wanted]
            if len(hits):
                # Of several places of one name the largest of the area is meant, as people mean it.
                west, south, east, north = self.area
                inside = hits[hits["lon"].between(west, east) & hits["lat"].between(south, north)]
                best = (inside if len(inside) else hits).sort_values("population", ascending=False).iloc[0]
                return _place(best["name"], best["lon"], best["lat"], best["country"], asked_by)
            known += list(frame["name"])
        near = difflib.get_close_matches(name, sorted(set(known)), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; {otherwise}"
        raise StudyError(f"{asked_by}: no place is called '{name}'{hint}")


DatedCell = tuple[str, str, str, str]
"""Table, key, column and date of what is said as of a day."""


def catalogue_dates(
    sections: Collection[Section], crossings: Iterable[Crossing], delays: BorderDelays
) -> list[DatedCell]:
    """Dates of what a catalogue says to have happened."""
    return [
        *(("sections.csv", section.section_id, "as_of", section.as_of) for section in sections),
        *(("sections.csv", section.section_id, "progress_as_of", section.works.progress_as_of) for section in sections),
        *(("crossings.csv", crossing.crossing_id, "as_of", crossing.as_of) for crossing in crossings),
        *(("border_delays.csv", row.point, "year", f"{row.year}") for row in delays.rows),
    ]


def regime_dates(regimes: Mapping[str, Regime]) -> list[DatedCell]:
    """Dates of what regimes say, each by itself and attribute by attribute."""
    return [
        ("regimes", key, column, date)
        for key, regime in regimes.items()
        for column, date in (
            ("as_of", regime.as_of),
            *((f"{name}.as_of", said.as_of) for name, said in regime.attributes.items()),
        )
    ]


def require_labels_apart(study: Study, what: str, labels: Iterable[str]) -> None:
    """Refuse labels that stand for two of a kind: readers of tables and pages know them by nothing else.

    Args:
        study: is named in the error.
        what: they are labels of.
        labels: of all of that kind.

    Raises:
        StudyError: one stands twice.
    """
    said = list(labels)
    if twice := sorted({label for label in said if said.count(label) > 1}):
        raise StudyError(f"{study.id}: {what}: label '{twice[0]}' stands twice; readers couldn't tell the two apart")


def latest_day(study: Study, today: str) -> str:
    """The last day that statuses may be of: today, or the study's own date where that is later.

    Args:
        study: what is asked.
        today: ISO date.
    """
    return max([today, study.as_of, *(baseline.as_of for baseline in study.baselines)])


def require_past(study: Study, dated: Iterable[DatedCell], today: str) -> None:
    """Refuse statuses of a day that hasn't come: neither today nor at the study's own date.

    Args:
        study: what is asked.
        dated: statuses with their dates.
        today: ISO date.

    Raises:
        StudyError: some lie in the future: names all of them at once.
    """
    latest = latest_day(study, today)
    faults = [
        f"{study.id}: {table}, {key}, {column}: {date} lies in the future; correct the date"
        for table, key, column, date in dated
        if lies_after(date, latest)
    ]
    if faults:
        more = f"; and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise StudyError("; ".join(faults[:MAX_FAULTS]) + more)


def require_known(
    study: Study,
    gazetteer: Gazetteer,
    nodes: Mapping[str, Node],
    sections: Mapping[str, Section],
    vehicles: Collection[str],
    sources: Collection[str],
    regime_sources: Collection[str] = (),
) -> None:
    """Find every place, node, axis section and documented journey's vehicle and source that the study names.

    Args:
        study: what is asked.
        gazetteer: the places that are known.
        nodes: of the catalogue, by id.
        sections: of the catalogue, by id.
        vehicles: ids of the catalogue's vehicles.
        sources: ids of its documents.
        regime_sources: ids of documents on regimes, which a package of routes may cite too.

    Raises:
        StudyError: some aren't known: names all of them at once.
    """
    faults = []
    for field in ("origin", "destination", "border_crossing", "capital"):
        place = getattr(study, field)
        try:
            if place is not None:
                gazetteer.find(place, field)
        except StudyError as fault:
            faults.append(str(fault))
    for row in study.checks:
        faults += [
            f"{study.id}: checks '{row.name}': '{node}' is no node of the catalogue; correct it"
            for node in (row.from_node, *row.via, row.to_node)
            if node not in nodes
        ]
    for time in study.times:
        faults += [
            f"{study.id}: times '{time.name}': {problem}"
            for problem in _unknown_in_time(time, nodes, vehicles, sources)
        ]
    for spec in study.candidates:
        faults += [
            f"{study.id}: candidates '{spec.id}': sources: '{key}' is no document that is known; add it to sources.csv"
            for key in (spec.sources if isinstance(spec, PackageCandidate) else ())
            if key not in {*sources, *regime_sources}
        ]
    for axis in study.impact.axes if study.impact else ():
        faults += [
            f"{study.id}: impact.axes '{axis.id}': '{key}' is no section of the catalogue; correct it"
            for key in axis.sections
            if key not in sections
        ]
    if faults:
        raise StudyError("; ".join(faults))


def _unknown_in_time(
    time: TimeSpec, nodes: Mapping[str, Node], vehicles: Collection[str], sources: Collection[str]
) -> list[str]:
    """What a documented journey names that the catalogue doesn't have."""
    found = [
        f"'{node}' is no node of the catalogue; correct it"
        for node in (time.from_node, *time.via, time.to_node)
        if node not in nodes
    ]
    if time.vehicle not in vehicles:
        found.append(f"vehicle '{time.vehicle}' is not in vehicles.csv; use {', '.join(sorted(vehicles))}")
    if time.source not in sources:
        found.append(f"source '{time.source}' is not in sources.csv; add its row")
    return found


def _place(name: str, lon: float, lat: float, country: str, asked_by: str) -> Place:
    try:
        return Place(name=name, lon=lon, lat=lat, country=country)
    except ValidationError as fault:
        raise StudyError(
            f"{asked_by}: '{name}' has no two-letter country code where it is listed; correct it"
        ) from fault
