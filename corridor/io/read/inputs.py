"""All data of a study, read and checked."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from corridor.errors import StudyError
from corridor.io.read.borders import Borders, read_borders
from corridor.io.read.catalogue import Catalogue, load_catalogue
from corridor.io.read.dem_checks import compare_known
from corridor.io.read.elevation import read_dem
from corridor.io.read.files import require_file
from corridor.io.read.osm import OsmData, read_osm
from corridor.io.read.place_names import PlaceNames, load_place_names
from corridor.io.read.places import Places, read_places
from corridor.io.read.provenance import known_source
from corridor.schema.source import Source
from corridor.schema.study import Place, Study
from corridor.terrain.surface import Dem
from corridor.wording import format_position


@dataclass(frozen=True)
class Inputs:
    """What a study is computed from."""

    catalogue: Catalogue
    borders: Borders
    places: Places | None
    dem: Dem
    osm: OsmData | None
    place_names: PlaceNames

    @property
    def sources(self) -> tuple[Source, ...]:
        """The data files used."""
        found = [self.dem.source, self.borders.source]
        if self.places:
            found.append(self.places.source)
        if self.osm:
            found.append(self.osm.source)
        return tuple(found)


def load_inputs(study: Study, *, osm: Path | None, dem: Sequence[Path], progress: Callable[[str], None]) -> Inputs:
    """Read a study's data; ``osm`` and ``dem`` replace what the study names.

    Raises:
        StudyError: the study names no elevation model, or places that nobody knows: all of them at once.
        SourceError: a file can't be used; see the readers.
    """
    progress("reading the reference catalogue")
    catalogue = load_catalogue(study.path(study.sources.reference))
    names = load_place_names(study.path(study.sources.reference), set(catalogue.sources))
    progress("reading borders and places")
    borders = read_borders(study.path(study.sources.borders))
    places = read_places(study.path(study.sources.places)) if study.sources.places else None
    require_file(study.path(study.sources.perspectives), "file of perspectives")
    _require_known(study, catalogue, places)
    progress("reading heights")
    heights = load_dem(study, dem, catalogue=catalogue, places=places)
    osm_path = osm or (study.path(study.sources.osm) if study.sources.osm else None)
    if osm_path is not None:
        progress(f"reading OpenStreetMap data from {osm_path.name}")
    osm_data = read_osm(osm_path) if osm_path is not None else None
    return Inputs(catalogue, borders, places, heights, osm_data, names)


def load_dem(
    study: Study, paths: Sequence[Path] = (), *, catalogue: Catalogue | None = None, places: Places | None = None
) -> Dem:
    """The elevation model of a study, or of the given files, over the study's area.

    Heights that the catalogue or the table of places knows must agree with it.

    Raises:
        StudyError: the study names no elevation model.
        SourceError: a file can't be used; see :func:`corridor.io.read.elevation.read_dem`.
    """
    files = list(paths) or [study.path(name) for name in study.sources.elevation]
    if not files:
        raise StudyError(f"{study.id}: sources.elevation is empty and no --dem was given; name an elevation raster")
    dem = read_dem(
        files,
        study.area,
        source=known_source(files[0], "elevation") if len(files) == 1 else None,
        vertical_error_m=study.elevation.vertical_error_m,
        error_range_km=study.elevation.error_range_km,
    )
    known = [(n.lon, n.lat, n.elevation_m) for n in catalogue.nodes.values() if n.elevation_m] if catalogue else []
    if places is not None and "elevation_m" in places.frame:
        known += list(places.frame[["lon", "lat", "elevation_m"]].dropna().itertuples(index=False, name=None))
    if known:
        compare_known(dem, *zip(*known, strict=True))
    return dem


def find_place(wanted: Place | str, field: str, study: Study, inputs: Inputs) -> Place:
    """A place of the study: as given, or looked up by name among catalogue nodes, then settlements.

    Raises:
        StudyError: no place has that name, or it lies outside the study's area; gives the nearest names.
    """
    return _locate(wanted, field, study, inputs.catalogue, inputs.places)


def _require_known(study: Study, catalogue: Catalogue, places: Places | None) -> None:
    """Find every place, node and axis section that the study names before anything long is read."""
    faults = []
    for field in ("origin", "destination", "border_crossing", "capital"):
        try:
            _locate(getattr(study, field), field, study, catalogue, places)
        except StudyError as fault:
            faults.append(str(fault))
    for row in study.checks:
        faults += [
            f"{study.id}: checks '{row.name}': '{node}' is no node of the catalogue; correct it"
            for node in (row.from_node, *row.via, row.to_node)
            if node not in catalogue.nodes
        ]
    for axis in study.impact.axes if study.impact else ():
        faults += [
            f"{study.id}: impact.axes '{axis.id}': '{key}' is no section of the catalogue; correct it"
            for key in axis.sections
            if key not in catalogue.sections
        ]
    if faults:
        raise StudyError("; ".join(faults))


def _locate(wanted: Place | str, field: str, study: Study, catalogue: Catalogue, places: Places | None) -> Place:
    place = wanted if isinstance(wanted, Place) else _look_up(wanted, field, study, catalogue, places)
    west, south, east, north = study.area
    if not (west <= place.lon <= east and south <= place.lat <= north):
        raise StudyError(
            f"{study.id}: {field}: {place.name} ({format_position(place.lat, place.lon, 3)}) lies outside the study's "
            "area"
        )
    return place


def _look_up(name: str, field: str, study: Study, catalogue: Catalogue, places: Places | None) -> Place:
    wanted = name.casefold()
    for node in catalogue.nodes.values():
        aliases = (alias.rsplit(" (", 1)[0] for alias in node.aliases)
        if wanted in {node.node_id.casefold(), node.name.casefold(), *(alias.casefold() for alias in aliases)}:
            return _place(node.name, node.lon, node.lat, node.country, f"{study.id}: {field}")
    known = [node.name for node in catalogue.nodes.values()]
    if places is not None:
        frame = places.frame
        hits = frame[frame["name"].str.casefold() == wanted]
        if len(hits):
            best = hits.sort_values("population", ascending=False).iloc[0]
            return _place(best["name"], best["lon"], best["lat"], best["country"], f"{study.id}: {field}")
        known += list(frame["name"])
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; give name, lon, lat and country instead"
    raise StudyError(f"{study.id}: {field}: no place is called '{name}'{hint}")


def _place(name: str, lon: float, lat: float, country: str, asked_by: str) -> Place:
    try:
        return Place(name=name, lon=lon, lat=lat, country=country)
    except ValidationError as fault:
        raise StudyError(
            f"{asked_by}: '{name}' has no two-letter country code where it is listed; correct it"
        ) from fault
