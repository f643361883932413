"""A study from two places: what the map and the heights say of the ground between them, as a study file that runs."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from corridor.errors import AlignmentError, CoverageError, OutputError, StudyError
from corridor.export.study_file import plain_id, write_study_toml
from corridor.files import data_root, write_whole
from corridor.geo.geodesy import distance_m
from corridor.io.read.borders import Borders, no_borders, read_borders, read_mapped_borders
from corridor.io.read.elevation import read_extent
from corridor.io.read.osm import OsmData, read_border_controls, read_osm
from corridor.io.read.places import read_places
from corridor.network.jurisdiction import find_border_roads, nearest_place
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Progress, silent
from corridor.pipeline.new_line import End, checked_point, parse_point
from corridor.pipeline.steps import lines
from corridor.plugins import nearest_name
from corridor.schema.message import Value
from corridor.schema.study import LIVE_OSM, UNKNOWN_COUNTRY, CrossingSpec, Place, Study
from corridor.schema.vocabulary import CrossingStatus
from corridor.wording import ask_if_swapped, format_position

AREA_MARGIN, MIN_MARGIN_KM = 0.5, 20.0
AT_PLACE_M = 1000.0
"""A point so near to a place is called by it."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NOWHERE = gpd.GeoDataFrame({"name": [], "lon": [], "lat": [], "names": []}, geometry=[])
"""Places of no map."""


@dataclass(frozen=True)
class NewStudy:
    """A study of two places: its file's text, the study itself, and what was found on the way, a line each."""

    text: str
    study: Study
    remarks: tuple[Value, ...]


def draft_study(
    start: End,
    end: End,
    *,
    osm: str | Path,
    dem: str | Path | Sequence[str | Path],
    borders: str | Path | None = None,
    countries: Sequence[str] = (),
    name: str = "",
    folder: Path | None = None,
    fetched: Collection[str] = (),
    live_dem: str = "",
    data: OsmData | None = None,
    progress: Progress = silent,
) -> NewStudy:
    """Make a study of the ways between two places out of a map and heights.

    Border crossings are where a road of the map leads from one country into another; nobody confirmed them, and every
    route that passes one says so.

    Args:
        start: a settlement of the map, ``"lat,lon"``, ``(lat, lon)``, or a :class:`Place`.
        end: the same.
        osm: an OpenStreetMap file (PBF or XML).
        dem: elevation rasters.
        borders: a file of country polygons; if left out those that the map holds whole, else those that ship with the
            package, where both ends lie in them.
        countries: two-letter codes of the only countries that may be driven through; any if empty.
        name: the study's id; made of the places' names if left out.
        folder: where the study's file will lie; the working directory if left out.
        fetched: which of ``osm``, ``dem`` and ``borders`` the file leaves to ``--live``.
        live_dem: where heights that are left to it come from; the usual source if left out.
        data: what the map holds, where it has been read already.
        progress: called with a few words at the start of each step.

    Returns:
        The study, its file's text and remarks.

    Raises:
        StudyError: a place or country isn't known, or the name is no id.
        CoverageError: map or heights don't reach to a place.
        SourceError: a file can't be used.
    """
    home = (folder or Path()).resolve()
    map_file = Path(osm)
    if data is None:
        progress(f"reading OpenStreetMap data from {map_file.name}")
        data = read_osm(map_file)
    rasters = [Path(path) for path in ([dem] if isinstance(dem, str | Path) else dem)]
    places = _known_places(data)
    # Names are looked up on the map that the study will run on: a gazetteer's place may have no road there.
    points = [_find(place, which, places) for place, which in ((start, "--from"), (end, "--to"))]
    known, border_file = _choose_borders(borders, points, map_file)
    ends = _told_apart([_settle(point, known) for point in points])
    study_id = name or plain_id(f"{ends[0].name} {ends[1].name}") or "new-study"
    if not _ID.fullmatch(study_id):
        raise StudyError(f"name: '{study_id[:80]}' is no id; use small letters a-z, digits and hyphens")
    _require_countries(countries, known)
    area = _area(ends, rasters)
    content: dict[str, Any] = {
        "id": study_id,
        "title": f"From {ends[0].name} to {ends[1].name}",
        "question": f"Which ways lead from {ends[0].name} to {ends[1].name}, and what does each take?",
        "as_of": data.source.date or _this_month(),
        "is_dated": bool(data.source.date),
        "area": area,
        "focus": _focus(ends, area, known),
        "ends": ends,
        "osm": "" if "osm" in fetched else _written(map_file, home),
        "dem": [] if "dem" in fetched else [_written(path, home) for path in rasters],
        "live_dem": live_dem,
        "borders": LIVE_OSM if "borders" in fetched else border_file and _written(border_file, home),
        "countries": tuple(countries),
    }
    crossings: list[CrossingSpec] = []
    if len(known.countries):
        progress("looking for roads that lead over borders")
        # The network of the study without its crossings says where they are.
        bare = Study.build(tomllib.loads(write_study_toml(content, ())), home, study_id)
        given = {"osm": data, "borders": known, "slowing_dem": None}
        network = open_run(bare, given=given, progress=progress)[lines.conflation].network
        crossings = find_border_roads(
            network, known, places, read_border_controls(map_file), area,
            as_of=content["as_of"], map_name=map_file.name,
        )  # fmt: skip
    text = write_study_toml(content, crossings)
    study = Study.build(tomllib.loads(text), home, study_id)
    return NewStudy(text, study, tuple(_remarks(ends, known, crossings)))


def _this_month() -> str:
    return datetime.now(tz=UTC).strftime("%Y-%m")


def _told_apart(ends: list[Place]) -> list[Place]:
    """Two ends under two names: two villages of one name are told apart by their positions.

    Raises:
        StudyError: both are one place.
    """
    if (ends[0].lon, ends[0].lat) == (ends[1].lon, ends[1].lat):
        raise StudyError(f"--to: is where --from is ({ends[0].name}); a route needs two places")
    if ends[0].name != ends[1].name:
        return ends
    return [p.model_copy(update={"name": f"{p.name}, {format_position(p.lat, p.lon, 3)}"}) for p in ends]


def require_new(name: str, folder: Path, *, force: bool = False) -> Path:
    """Where a study of a name will lie, said before long work if it can't.

    Args:
        name: the study's id.
        folder: where to.
        force: replace a file of that name.

    Raises:
        StudyError: the name is no id.
        OutputError: there is such a file.
    """
    if not _ID.fullmatch(name):
        raise StudyError(f"name: '{name[:80]}' is no id; use small letters a-z, digits and hyphens")
    path = folder / f"{name}.toml"
    if path.exists() and not force:
        raise OutputError(f"{path}: is there already; choose another name, or --force to replace it")
    return path


def are_points(*ends: End) -> bool:
    """Whether no map is needed to find places: a country's takes a while to read.

    Args:
        ends: settlements of a map, ``"lat,lon"``, ``(lat, lon)``, or places.

    Raises:
        StudyError: one is no position.
    """
    return all(isinstance(end, Place) or _point(end, "--from") is not None for end in ends)


def minimal_study(name: str, start: End, end: End, borders: Path | None, data: OsmData | None = None) -> Study:
    """A study of two points that says no more than what ground is to be fetched.

    Args:
        name: its id.
        start: ``lat,lon``, or a place of the map that is given, else of the table that ships with the package.
        end: the same.
        borders: polygons of countries, where they needn't be fetched.
        data: what a map holds that needn't be fetched.

    Raises:
        StudyError: a place isn't known.
    """
    places = _NOWHERE if data is None else _known_places(data)
    ends = [_find(place, which, places) for place, which in ((start, "--from"), (end, "--to"))]
    content = {
        "id": name, "title": name, "question": name, "as_of": _this_month(), "is_dated": False,
        "area": _area(ends, ()), "ends": ends, "focus": None, "osm": "", "dem": [], "live_dem": "", "countries": (),
        "borders": str(borders.resolve()) if borders else LIVE_OSM,
    }  # fmt: skip
    return Study.build(tomllib.loads(write_study_toml(content, ())), Path(), name)


def write_study(new: NewStudy, folder: Path, *, force: bool = False) -> Path:
    """Write a study's file, whole, into a folder.

    Args:
        new: the study.
        folder: where to.
        force: replace a file of that name.

    Returns:
        The file's path.

    Raises:
        OutputError: there is such a file, or it can't be written.
    """
    path = require_new(new.study.id, folder, force=force)
    write_whole(path, lambda part: part.write_text(new.text, encoding="utf-8"))
    return path


# Where it is.


def _known_places(data: OsmData) -> gpd.GeoDataFrame:
    """Named settlements of the map, the largest first."""
    found = data.places[data.places["name"] != ""]
    return found.sort_values("population", ascending=False, na_position="last", kind="stable")


def _point(place: str | tuple[float, float], which: str) -> tuple[float, float] | None:
    """Latitude and longitude, None of a name.

    Raises:
        StudyError: two numbers that are no point on Earth.
    """
    try:
        return parse_point(place, which) if isinstance(place, str) else checked_point(*place, which)
    except AlignmentError as fault:
        raise StudyError(str(fault)) from fault


def _find(place: End, which: str, places: gpd.GeoDataFrame) -> Place:
    """A place of the map by name, or a point, named after the settlement that it lies in.

    Raises:
        StudyError: no settlement has that name; gives the one that is spelled most like it.
    """
    if isinstance(place, Place):
        return place
    point = _point(place, which)
    if point is not None:
        lat, lon = point
        name = nearest_place(places, lon, lat, AT_PLACE_M) or format_position(lat, lon, 3)
        return Place(name=name, lon=lon, lat=lat, country=UNKNOWN_COUNTRY)
    # Any spelling that the map knows will do; the largest settlement of a name comes first.
    wanted = str(place).strip().casefold()
    for row in places.itertuples():
        if wanted in {str(row.name).casefold(), *(text.casefold() for text in row.names.values())}:
            return Place(name=str(row.name)[:200], lon=float(row.lon), lat=float(row.lat), country=UNKNOWN_COUNTRY)
    packaged = read_places(data_root() / "bundled" / "places.csv").frame
    hits = packaged[packaged["name"].str.casefold() == wanted].sort_values("population", ascending=False)
    if len(hits):
        row = hits.iloc[0]
        return Place(name=row["name"], lon=float(row["lon"]), lat=float(row["lat"]), country=UNKNOWN_COUNTRY)
    where = "of the map" if len(places) else "that ships with the toolkit"
    raise StudyError(
        f"{which}: no place {where} is called '{str(place)[:80]}'{nearest_name(str(place), places['name'])}; "
        "give lat,lon instead"
    )


def _settle(place: Place, known: Borders) -> Place:
    """The place with its country."""
    return place.model_copy(update={"country": str(known.country_at(place.lon, place.lat)[0]) or UNKNOWN_COUNTRY})


def _choose_borders(given: str | Path | None, points: Sequence[Place], map_file: Path) -> tuple[Borders, Path | None]:
    """The borders given, else the map's own or the packaged ones where both places lie in them, else none."""
    if given is not None:
        return read_borders(Path(given)), Path(given)
    # The map's own borders run as its roads do; the packaged ones cover one region alone.
    mapped = read_mapped_borders(map_file)
    if mapped is not None and _hold(mapped, points):
        return mapped, map_file
    path = data_root() / "bundled" / "borders.geojson"
    packaged = read_borders(path)
    return (packaged, path) if _hold(packaged, points) else (no_borders(), None)


def _hold(borders: Borders, points: Sequence[Place]) -> bool:
    """Whether each place lies in a country."""
    return all(borders.country_at(place.lon, place.lat)[0] for place in points)


def _require_countries(countries: Sequence[str], known: Borders) -> None:
    unknown = [code for code in countries if code not in known.names]
    if unknown and not len(known.countries):
        raise StudyError(f"--country: '{unknown[0]}' can't be told from others without borders; give --borders FILE")
    if unknown:
        raise StudyError(f"--country: the borders have no '{unknown[0]}'; they have {', '.join(known.names)}")


def _area(ends: Sequence[Place], rasters: Sequence[Path]) -> tuple[float, float, float, float]:
    """The ground about both places, as far as the heights reach: west, south, east, north.

    Raises:
        CoverageError: the heights don't reach to one of them.
    """
    lon, lat = [p.lon for p in ends], [p.lat for p in ends]
    apart_km = float(distance_m(lon[0], lat[0], lon[1], lat[1])) / 1000
    margin = max(AREA_MARGIN * apart_km, MIN_MARGIN_KM) / 111
    across = margin / max(math.cos(math.radians(sum(lat) / 2)), 0.05)
    area = min(lon) - across, min(lat) - margin, max(lon) + across, max(lat) + margin
    west, south, east, north = read_extent(rasters) if rasters else (-180.0, -90.0, 180.0, 90.0)
    for place in ends:
        if not (west < place.lon < east and south < place.lat < north):
            # A point outside the map is called by its position, which needn't be said twice.
            where = format_position(place.lat, place.lon, 3)
            name = "" if place.name == where else f"{place.name} at "
            swapped = ask_if_swapped(place.lon, place.lat, lambda lon, lat: west < lon < east and south < lat < north)
            raise CoverageError(
                f"{', '.join(path.name for path in rasters)}: doesn't reach {name}{where}"
                f"{f' ({swapped})' if swapped else ''}; add a DEM that covers it with --dem"
            )
    # Inside the rasters' edges, rounded inwards.
    low = max(area[0], west, -180.0), max(area[1], south, -90.0)
    high = min(area[2], east, 180.0), min(area[3], north, 90.0)
    return (
        math.ceil(low[0] * 1000) / 1000, math.ceil(low[1] * 1000) / 1000,
        math.floor(high[0] * 1000) / 1000, math.floor(high[1] * 1000) / 1000,
    )  # fmt: skip


def _focus(ends: Sequence[Place], area: Sequence[float], known: Borders) -> dict[str, Any] | None:
    """The country that lies between the two: the one that most of the straight line passes, ends' own apart."""
    if not len(known.countries):
        return None
    along = np.linspace(0, 1, 201)
    lon, lat = (
        getattr(ends[0], what) + along * (getattr(ends[1], what) - getattr(ends[0], what)) for what in ("lon", "lat")
    )
    passed = pd.Series(known.country_at(lon, lat)).value_counts()
    own = {place.country for place in ends}
    between = [code for code in passed.index if code and code not in own]
    code = str((between or [c for c in passed.index if c] or [ends[0].country])[0])
    if code not in known.names:
        return None
    west, south, east, north = area
    corners = [[west, south], [east, south], [east, north], [west, north]]
    return {"id": "focus", "name": known.names[code], "country": code, "outline": corners}


def _written(path: Path, folder: Path) -> str:
    """A path as the study names it: what ships with the package by its name there, else from the folder if inside."""
    whole, packaged = path.resolve(), data_root().resolve()
    if whole.is_relative_to(packaged):
        return f"package:{whole.relative_to(packaged).as_posix()}"
    return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)


def _remarks(ends: Sequence[Place], known: Borders, crossings: Sequence[CrossingSpec]) -> Iterator[Value]:
    for place in ends:
        where = known.names.get(place.country, "country unknown")
        yield f"{place.name}: {format_position(place.lat, place.lon, 4)}, {where}"
    yield from (*known.remarks, *known.overlaps)
    if not len(known.countries):
        yield "no borders: countries are unknown and no border is ever closed; give --borders FILE"
    elif crossings:
        # those that are taken as open first
        crossings = sorted(crossings, key=lambda row: row.status != CrossingStatus.OPEN)
        names = ", ".join(row.name for row in crossings[:12])
        more = f" and {len(crossings) - 12} more" if len(crossings) > 12 else ""
        count = "1 border crossing" if len(crossings) == 1 else f"{len(crossings)} border crossings"
        shut = sum(row.status == CrossingStatus.CLOSED for row in crossings)
        minor = f" ({shut} of minor roads, taken as closed)" if shut else ""
        yield f"{count} found on the map, to be confirmed{minor}: {names}{more}"
    else:
        yield "no road of the map leads over a known border"
