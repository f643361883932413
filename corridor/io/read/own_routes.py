"""Somebody's own routes: places typed in a row, and lines drawn in files of other programs."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pydantic import ValidationError

from corridor.errors import SourceError, StudyError
from corridor.files import odd_character, require_file
from corridor.geo.geodesy import WGS84, distance_m, project
from corridor.io.read.polygons import read_features
from corridor.schema.faults import root_faults
from corridor.schema.study import DrawnCandidate, ViaCandidate, say_fault
from corridor.schema.vocabulary import Family, Mode

Floats = NDArray[np.float64]

MAX_BYTES = 25_000_000
MAX_ROUTES = 50
MAX_POINTS = 200_000
MAX_NAME_LETTERS = 200
SEGMENT_GAP_M = 1000.0
"""Segments of one track that lie no further apart than this are one line. Declared."""
MAX_PLACES = 100
MAX_PLACE_LETTERS = 200
MAX_ID = 56
"""Letters of an id made from a name, so that a number fits behind it (an id has at most 64)."""
_POINT = re.compile(r"\s*-?\d{1,3}(\.\d+)?\s*,\s*-?\d{1,3}(\.\d+)?\s*")


def route_id(name: str, family: Family) -> str:
    """An id for a route of a name: the same in every run, plain letters and hyphens after the family's.

    Args:
        name: in any script; letters without a plain form are left out, and a name without any gets a digest.
        family: what the route is made from.

    >>> route_id("Horadiz-Goris (İkinci)", Family.DRAWN), route_id("Գորիս", Family.VIA)
    ('drawn-horadiz-goris-ikinci', 'via-ab4718')
    """
    return f"{family}-{plain_id(name)}"[:MAX_ID].rstrip("-")


def plain_id(name: str) -> str:
    """A name in plain letters, digits and hyphens; a digest where it has none.

    Args:
        name: in any script; letters without a plain form are left out.

    >>> plain_id("Sharur City"), plain_id("Գորիս")
    ('sharur-city', 'ab4718')
    """
    # Two letters of Latin alphabets that no accent makes of another.
    latin = name.casefold().replace("\u0131", "i").replace("\u0259", "e")
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words or hashlib.blake2b(name.encode(), digest_size=3).hexdigest()


def parse_via(text: str, mode: Mode = Mode.ROAD) -> ViaCandidate:
    """A route by way of places that are written in a row: ``Horadiz; 39.51,46.34; Sisian``.

    Args:
        text: places by name or as ``lat,lon``, with semicolons between them; commas do where none is a point.
        mode: what runs on it.

    Returns:
        The candidate that a study may take; its places aren't looked up yet.

    Raises:
        StudyError: there is no place, too many, or one that can't be a name.
    """
    places = [part.strip() for part in _split(text)]
    if not any(places):
        raise StudyError("--via: names no place; write them with semicolons between: --via 'PLACE; LAT,LON; PLACE'")
    if not all(places):
        raise StudyError(f"--via: place {places.index('') + 1} of {len(places)} is empty; take the sign after it out")
    if len(places) > MAX_PLACES:
        raise StudyError(f"--via: names {len(places)} places; {MAX_PLACES} are allowed, draw a longer route (--route)")
    for place in places:
        odd = odd_character(place)
        if odd or len(place) > MAX_PLACE_LETTERS:
            what = f"holds control characters ({odd})" if odd else f"is longer than {MAX_PLACE_LETTERS} letters"
            raise StudyError(f"--via: a place {what}; write plain text")
    key = route_id("-".join(places), Family.VIA)
    return ViaCandidate(family=Family.VIA, id=key, mode=mode, via=tuple(places))


def _split(text: str) -> list[str]:
    if ";" in text or _POINT.fullmatch(text):
        return text.split(";")
    parts = text.split(",")
    # A number among names may be half of a point that the commas have split.
    if any(re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", part) for part in parts):
        raise StudyError("--via: has a point among names; put semicolons between places: 'PLACE; LAT,LON; PLACE'")
    return parts


@dataclass(frozen=True)
class DrawnLine:
    """A line of a file: its name and vertices, (n, 2) or (n, 3), in degrees and metres; and what else it says."""

    name: str
    xyz: Floats
    says: dict[str, Any]


def read_routes(
    path: Path, mode: Mode = Mode.ROAD, *, taken: Sequence[str] = (), follow_m: float | None = None
) -> tuple[DrawnCandidate, ...]:
    """The lines of a file as candidates: one for each LineString, track or route.

    A feature's ``name`` is the route's. Its properties ``mode``, ``standard``, ``schematic`` and ``note`` count where
    they are given. Of routes of one name the second gets a number.

    Args:
        path: GeoJSON, GeoPackage, KML, GPX, FlatGeobuf or shapefile, in any reference system.
        mode: what runs on lines that don't say.
        taken: ids that aren't free.
        follow_m: how far off a way a line may lie that follows it; 100 m if left out.

    Returns:
        Candidates in the file's order, with their lines.

    Raises:
        SourceError: the file can't be read, has no line, or one that can't be a route.
    """
    return _as_candidates(read_lines(path), str(path), mode, taken, follow_m)


def own_candidates(
    given: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries | str | Path,
    name: str | None,
    mode: str,
    *,
    taken: Sequence[str],
    follow_m: float | None,
) -> tuple[DrawnCandidate | ViaCandidate, ...]:
    """Candidates of what a program gives: a line in degrees, a table of lines, a file of them, or places in a row.

    Args:
        given: the line or lines.
        name: of the first; what the table or file says if left out.
        mode: what runs on lines that don't say.
        taken: ids that aren't free.
        follow_m: how far off a way a line may lie that follows it.

    Raises:
        SourceError: there is no line, or one that can't be a route.
        StudyError: places in a row that can't be places, an unknown mode, or a distance that can't be one.
    """
    if mode not in list(Mode):
        raise StudyError(f"mode: '{mode}' is none; give {' or '.join(Mode)}")
    mode = Mode(mode)
    if not isinstance(given, str | Path | shapely.Geometry | gpd.GeoSeries | gpd.GeoDataFrame):
        what = type(given).__name__
        raise SourceError(f"line: is of type {what}; give a line, a table or file of lines, or places in a row")
    if isinstance(given, str) and not _names_file(given):
        spec = parse_via(given, mode)
        return (spec.model_copy(update={"name": _name(name, "", "name")}) if name else spec,)
    if isinstance(given, str | Path):
        lines, what = read_lines(Path(given)), str(given)
    else:
        what = name or "line"
        rows = [given] if isinstance(given, shapely.Geometry) else given.geometry
        crs = WGS84 if isinstance(given, shapely.Geometry) else given.crs
        frame = given if isinstance(given, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=list(rows), crs=crs)
        lines = lines_of_frame(frame, what)
    if name:
        lines[0] = DrawnLine(_name(name, "", what), lines[0].xyz, lines[0].says)
    return _as_candidates(lines, what, mode, taken, follow_m)


def _names_file(text: str) -> bool:
    """Whether a text is a path: what looks like one is, there or not, so that the fault is told of the file."""
    try:
        there = Path(text).is_file()
    except OSError:
        there = False  # longer than a file's name can be
    return there or re.search(r"[/\\]|\.[A-Za-z]\w*$", text) is not None


def _as_candidates(
    lines: Sequence[DrawnLine], what: str, mode: Mode, taken: Sequence[str], follow_m: float | None
) -> tuple[DrawnCandidate, ...]:
    found: list[DrawnCandidate] = []
    ids = set(taken)
    for line in lines:
        own = _own_words(line, what, mode)
        key, name = route_id(line.name, Family.DRAWN), line.name
        number = 2
        while key in ids:
            # two routes of one name: told apart by a number
            key, name = f"{route_id(line.name, Family.DRAWN)}-{number}", f"{line.name} ({number})"
            number += 1
        ids.add(key)
        if follow_m is not None:
            own["follow_m"] = follow_m
        try:
            found.append(DrawnCandidate(family=Family.DRAWN, id=key, name=name, line=_vertices(line.xyz), **own))
        except ValidationError as faults:
            raise StudyError(f"{what}: " + "; ".join(say_fault(fault) for fault in root_faults(faults))) from faults
    return tuple(found)


def read_drawn(spec: DrawnCandidate, path: Path | None) -> DrawnCandidate:
    """A study's drawn candidate with its line, read from its file if it names one.

    What the feature says of itself counts where the study doesn't say it: a sketch stays one.

    Args:
        spec: of the study.
        path: of the file; None where the study has the line itself.

    Raises:
        SourceError: the file can't be read, has no line or several of the name, or one that says what can't be.
    """
    if path is None:
        return spec
    lines = [line for line in read_lines(path) if spec.feature in {None, line.name}]
    if len(lines) != 1:
        called = f" called '{spec.feature}'" if spec.feature else ""
        raise SourceError(f"{path}: has {len(lines)} lines{called}; name one with feature")
    stated = _own_words(lines[0], str(path), spec.mode)
    unsaid = {field: value for field, value in stated.items() if field not in spec.model_fields_set}
    return spec.model_copy(update={**unsaid, "line": _vertices(lines[0].xyz)})


def lines_of_frame(frame: gpd.GeoDataFrame, what: str) -> list[DrawnLine]:
    """The lines of a table of features, in degrees.

    Args:
        frame: with a geometry; a column ``name`` names them.
        what: what the table is, for errors: a path.

    Raises:
        SourceError: it has no line, or one that can't be a route.
    """
    if frame.crs is None and len(frame):
        west, south, east, north = frame.total_bounds
        if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            raise SourceError(f"{what}: states no reference system, and isn't in degrees; write it with one")
        frame = frame.set_crs(WGS84)
    found: list[DrawnLine] = []
    named = next((column for column in frame.columns if str(column).casefold() == "name"), None)
    for number, (_, row) in enumerate(frame.iterrows(), 1):
        shape = row[frame.geometry.name]
        where = f"{what}: feature {number}"
        # A damaged file has numbers in place of shapes.
        if not isinstance(shape, shapely.Geometry) or shape.is_empty:
            raise SourceError(f"{where}: is empty; draw a line or take the feature out")
        if shape.geom_type in {"Point", "MultiPoint"}:
            continue
        if shape.geom_type not in {"LineString", "MultiLineString", "LinearRing"}:
            raise SourceError(f"{where}: is a {shape.geom_type}; a route is a LineString")
        name = _name(row[named] if named is not None else None, f"{Path(what).stem} {number}", where)
        says = {str(key): row[key] for key in frame.columns if key not in {named, frame.geometry.name}}
        degrees = _in_degrees(shape, frame.crs, where)
        parts = [_ordinates(part) for part in shapely.get_parts(degrees)]
        found.append(DrawnLine(name, _as_one(parts, where), says))
    return _checked(found, what)


def _in_degrees(shape: shapely.Geometry, crs: Any, where: str) -> shapely.Geometry:
    """A shape in lon/lat, its heights kept as they are."""
    if crs == pyproj.CRS(WGS84) or crs == pyproj.CRS("OGC:CRS84"):
        return shape
    try:
        # Only longitude and latitude are transformed: heights are metres already and stay as they are.
        flat = project(shapely.force_2d(shape), crs, WGS84)
    except pyproj.exceptions.ProjError as fault:
        raise SourceError(f"{where}: can't be put into degrees ({str(fault).splitlines()[0][:120]})") from fault
    if not shape.has_z:
        return flat
    heights = shapely.get_coordinates(shape, include_z=True)[:, 2]
    return shapely.set_coordinates(shapely.force_3d(flat), np.column_stack([shapely.get_coordinates(flat), heights]))


def _ordinates(line: shapely.LineString) -> Floats:
    return np.asarray(shapely.get_coordinates(line, include_z=line.has_z), dtype=float)


def read_lines(path: Path) -> list[DrawnLine]:
    """The lines of a file with their names, in degrees.

    Only formats that are known by their content are opened, and nothing that the file names is asked for.

    Args:
        path: GeoJSON, GeoPackage, FlatGeobuf, shapefile, KML or GPX.

    Raises:
        SourceError: the file can't be read, has no line, or one that can't be a route.
    """
    require_file(path, "file of lines", MAX_BYTES)
    with path.open("rb") as stream:
        # A byte order mark or blanks may stand before the first sign that tells the format.
        first = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith(b"<"):
        return _checked(list(_read_xml(path)), str(path))
    if first.startswith(b"PK"):
        raise SourceError(f"{path}: is packed (KMZ or ZIP); unpack it and give the file inside")
    return lines_of_frame(read_features(path, "file of lines"), str(path))


def _read_xml(path: Path) -> Iterator[DrawnLine]:
    """Lines of KML and GPX, whatever their version; links and definitions in them are not followed."""
    content = path.read_bytes()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise SourceError(f"{path}: defines entities or isn't UTF-8; save it as plain KML or GPX")
    try:
        # without definitions of entities nothing in it can grow or be fetched
        root = ElementTree.fromstring(content)  # noqa: S314
    except (ElementTree.ParseError, RecursionError, ValueError) as fault:
        raise SourceError(f"{path}: isn't well-formed XML ({str(fault)[:120]}); save it again") from fault
    kind = _tag(root)
    if kind not in {"kml", "gpx"}:
        raise SourceError(f"{path}: is XML of another kind ('{kind[:40]}'); give KML, GPX, GeoJSON or GeoPackage")
    wanted = ("Placemark",) if kind == "kml" else ("trk", "rte")
    features = [element for element in root.iter() if _tag(element) in wanted]
    for number, element in enumerate(features, 1):
        where = f"{path}: {_tag(element)} {number}"
        parts = list(_kml_parts(element, where) if kind == "kml" else _gpx_parts(element, where))
        if kind == "kml" and not parts:
            continue
        title = next((child.text for child in element if _tag(child) == "name"), None)
        yield DrawnLine(_name(title, f"{path.stem} {number}", where), _as_one(parts, where), {})


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _kml_parts(mark: ElementTree.Element, where: str) -> Iterator[Floats]:
    for element in mark.iter():
        match _tag(element):
            case "Polygon":
                raise SourceError(f"{where}: is a Polygon; a route is a LineString")
            case "LineString":
                text = next((child.text for child in element if _tag(child) == "coordinates"), "") or ""
                yield _numbers([part.split(",") for part in text.split()], where)
            case "Track":
                rows = [(child.text or "").split() for child in element if _tag(child) == "coord"]
                yield _numbers(rows, where)


def _gpx_parts(track: ElementTree.Element, where: str) -> Iterator[Floats]:
    lists = [track] if _tag(track) == "rte" else [child for child in track if _tag(child) == "trkseg"]
    for points in lists:
        rows = []
        for point in points:
            if _tag(point) not in {"trkpt", "rtept"}:
                continue
            height = next((child.text for child in point if _tag(child) == "ele"), None)
            rows.append([point.get("lon", ""), point.get("lat", ""), *([height] if height else [])])
        if rows:
            yield _numbers(rows, where)


def _numbers(rows: Sequence[Sequence[str]], where: str) -> Floats:
    """Vertices from their texts; heights count where every vertex has one."""
    width = min((len(row) for row in rows), default=0)
    if rows and width < 2:
        raise SourceError(f"{where}: a point lacks longitude or latitude")
    try:
        return np.array([row[: min(width, 3)] for row in rows], dtype=float).reshape(len(rows), -1)
    except ValueError as fault:
        raise SourceError(f"{where}: {str(fault)[:80]}; coordinates are numbers") from fault


def _as_one(parts: Sequence[Floats], where: str) -> Floats:
    """Parts of a feature as one line, each turned and put where it goes on from the one before.

    Raises:
        SourceError: they lie apart.
    """
    parts = [part for part in parts if len(part)]
    if not parts:
        raise SourceError(f"{where}: has no points; draw a line")
    # Heights stay only if every part has them.
    width = min(part.shape[1] for part in parts)
    joined = parts[0][:, :width]
    for part in (part[:, :width] for part in parts[1:]):
        gap = float(distance_m(*joined[-1, :2], *part[0, :2]))
        turned = float(distance_m(*joined[-1, :2], *part[-1, :2]))
        if min(gap, turned) > SEGMENT_GAP_M:
            raise SourceError(
                f"{where}: its parts lie {min(gap, turned) / 1000:.1f} km apart; draw one line, or a feature for each"
            )
        joined = np.vstack([joined, part if gap <= turned else part[::-1]])
    return joined


def _name(given: object, otherwise: str, where: str) -> str:
    """A route's name: plain text on one line; markup stays text, since everything that is shown is escaped."""
    text = " ".join(str(given).split()) if isinstance(given, str) else ""
    odd = odd_character(text)
    if odd:
        raise SourceError(f"{where}: its name holds control characters ({odd}); write plain text")
    if len(text) > MAX_NAME_LETTERS:
        raise SourceError(f"{where}: its name is longer than {MAX_NAME_LETTERS} letters; shorten it")
    return text or otherwise


def _checked(lines: list[DrawnLine], what: str) -> list[DrawnLine]:
    """Lines whose vertices can be on Earth, each of two different ones at least, heights kept if all can be meant.

    Raises:
        SourceError: there is none, there are too many, or one can't be a route.
    """
    if not lines:
        raise SourceError(f"{what}: has no line; a route is a LineString, a track or a GPX route")
    if len(lines) > MAX_ROUTES:
        raise SourceError(f"{what}: has {len(lines)} lines; {MAX_ROUTES} are allowed, take the ones that matter")
    found = []
    for line in lines:
        xyz, where = line.xyz, f"{what}: '{line.name}'"
        if not np.isfinite(xyz[:, :2]).all():
            raise SourceError(f"{where}: a coordinate is no number; correct it")
        if (np.abs(xyz[:, 0]) > 180).any() or (np.abs(xyz[:, 1]) > 90).any():
            raise SourceError(f"{where}: a point lies at no longitude and latitude; are the coordinates in metres?")
        # The same vertex twice in a row is no segment.
        moved = np.concatenate([[True], np.any(np.diff(xyz[:, :2], axis=0) != 0, axis=1)])
        xyz = xyz[moved]
        if len(xyz) < 2:
            raise SourceError(f"{where}: has one point only; a route needs two or more")
        if len(xyz) > MAX_POINTS:
            raise SourceError(f"{where}: has {len(xyz):,} points; {MAX_POINTS:,} are allowed, simplify it")
        # A third figure that can't be a height on Earth is something else, and none of the column is taken.
        flat = xyz.shape[1] == 2 or not ((xyz[:, 2] >= -500) & (xyz[:, 2] <= 9000)).all()
        # a column of zeros is what programs write where they know no height
        flat = flat or not xyz[:, 2].any()
        found.append(DrawnLine(line.name, xyz[:, :2] if flat else xyz, line.says))
    return found


_TRUTH = {**dict.fromkeys(("true", "yes", "1", "1.0"), True), **dict.fromkeys(("false", "no", "0", "0.0"), False)}


def _own_words(line: DrawnLine, path: str, mode: Mode) -> dict[str, Any]:
    """What a feature says of itself among what a candidate takes."""
    own: dict[str, Any] = {"mode": mode}
    if stated := _word(line.says.get("mode")):
        if stated not in tuple(Mode):
            raise SourceError(f"{path}: '{line.name}': mode is '{stated[:40]}'; write road or rail")
        own["mode"] = Mode(stated)
    standard = line.says.get("standard")
    if isinstance(standard, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", standard):
        own["standard"] = standard
    # Formats without truth values write numbers or words, and one that isn't understood must not pass for exact.
    if word := _word(line.says.get("schematic")).casefold():
        if word not in _TRUTH:
            raise SourceError(f"{path}: '{line.name}': schematic is '{word[:40]}'; write true or false")
        own["schematic"] = _TRUTH[word]
    note = line.says.get("note")
    if isinstance(note, str) and note and not odd_character(note):
        own["note"] = " ".join(note.split())[:2000]
    return own


def _word(value: object) -> str:
    """What a cell says; '' where it is empty, as a table's are that has the column for other lines' sake."""
    return "" if value is None or (isinstance(value, float) and isnan(value)) else str(value).strip()


def _vertices(xyz: Floats) -> Any:
    return tuple(map(tuple, xyz.tolist()))
