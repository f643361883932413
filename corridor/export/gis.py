"""Candidates for other programs: GIS files with styles for QGIS, KML and GPX tracks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, Literal
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent, tostring

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from markupsafe import escape
from numpy.typing import NDArray
from shapely import LineString

from corridor.geo.geodesy import WGS84, substring, vertex_chainage_m
from corridor.report.i18n import clean_text, render
from corridor.report.tables import Mark, clean_cells
from corridor.report.view import ReportView
from corridor.schema.candidate import Candidate, Part, Profile
from corridor.schema.results import Results
from corridor.schema.vocabulary import StructureKind
from corridor.theme import colour

# --- Styles for QGIS (QML): candidates in the page's colours, parts by status, structures and events by kind ---

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_STATUS = (
    ("open", "open", colour("in_use"), "solid"),
    ("construction", "under construction", colour("in_work"), "dash"),
    ("planned", "planned", colour("blue"), "dot"),
    ("disused", "disused", colour("out_of_use"), "dash dot"),
    ("abandoned", "abandoned", colour("out_of_use"), "dot"),
    ("closed", "closed", colour("shut"), "dash"),
    ("unknown", "status unknown", colour("shut"), "dot"),
)
_EVENTS = (
    ("at_grade_assumed", "crossing, at grade as far as known", colour("in_work")),
    ("separated", "crossing by bridge or tunnel", colour("blue")),
    ("undetermined", "crossing of a schematic line: where and of what kind isn't known", colour("out_of_use")),
    ("decisive", "decides what can be reached", colour("shut")),
)
_STRUCTURES = (("tunnel", "tunnel", colour("tunnel"), "dash"), ("bridge", "bridge", colour("bridge"), "solid"))


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of a layer: value of the attribute, its words, colour and, for lines, dash (a QGIS pen style)."""

    value: str
    label: str
    colour: str
    dash: str = "solid"


def layer_styles(view: ReportView) -> dict[str, str]:
    """QML by layer of ``candidates.gpkg``: candidates, parts, structures."""
    results, marks = view.results, view.marks
    # A class for each candidate by its id, since names may stand twice and may be changed.
    routes = [
        Kind(c.candidate_id, f"{marks[c.candidate_id].letter}  {c.name}", marks[c.candidate_id].colour)
        for c in results.candidates
    ]
    return {
        "candidates": line_style("candidate_id", routes, width_mm=0.9, label="letter"),
        "parts": line_style("status", [Kind(*row) for row in _STATUS], width_mm=0.7),
        "structures": line_style("kind", [Kind(*row) for row in _STRUCTURES], width_mm=1.4),
    }


def event_style() -> str:
    """QML for the points where routes cross roads: by separation, and apart where it decides what can be reached.

    QGIS shows points and stretches of the layer apart and gives this style to the points.
    """
    kind = 'CASE WHEN "decisive" THEN \'decisive\' ELSE "separation" END'
    return _document(kind, [Kind(*row) for row in _EVENTS], _marker, geometry="0")


def line_style(attribute: str, classes: Sequence[Kind], *, width_mm: float, label: str = "") -> str:
    """A QML document that draws a line layer in classes of an attribute, over a white casing.

    Args:
        attribute: what tells the classes apart.
        classes: in the order of the legend.
        width_mm: width of the lines.
        label: attribute to label with; none if empty.
    """

    def draw(symbol: Element, line: Kind) -> None:
        _stroke(symbol, colour("paper").upper(), "solid", width_mm + 0.6, level=0)
        _stroke(symbol, line.colour, line.dash, width_mm, level=1)

    return _document(attribute, classes, draw, geometry="1", label=label)


def _document(
    attribute: str,
    classes: Sequence[Kind],
    draw: Callable[[Element, Kind], None],
    *,
    geometry: Literal["0", "1"],
    label: str = "",
) -> str:
    """A QML document with a symbol per class; geometry is 0 for points and 1 for lines."""
    root = Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")
    # Symbol levels draw the light casing of all lines below the lines themselves, also where routes overlap.
    renderer = SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=attribute, symbollevels="1", forceraster="0"
    )
    categories, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    kind = "marker" if geometry == "0" else "line"
    for number, line in enumerate(classes):
        SubElement(
            categories,
            "category",
            value=clean_text(line.value),
            label=clean_text(line.label),
            symbol=str(number),
            render="true",
        )
        draw(SubElement(symbols, "symbol", type=kind, name=str(number), alpha="1", clip_to_extent="1"), line)
    if label:
        _labels(root, label)
    SubElement(root, "layerGeometryType").text = geometry
    indent(root)
    return _HEAD + tostring(root, encoding="unicode") + "\n"


def _marker(symbol: Element, line: Kind) -> None:
    layer = SubElement(symbol, "layer", {"class": "SimpleMarker", "enabled": "1", "locked": "0", "pass": "0"})
    _options(
        layer,
        {
            "color": f"{_rgb(line.colour)},255",
            "name": "circle",
            "outline_color": "255,255,255,255",
            "outline_width": "0.3",
            "size": "3.4" if line.value == "decisive" else "2.4",
            "size_unit": "MM",
        },
    )


def _stroke(symbol: Element, colour: str, dash: str, width_mm: float, *, level: int) -> None:
    layer = SubElement(symbol, "layer", {"class": "SimpleLine", "enabled": "1", "locked": "0", "pass": str(level)})
    _options(
        layer,
        {
            "line_color": f"{_rgb(colour)},255",
            "line_style": dash,
            "line_width": f"{width_mm:g}",
            "line_width_unit": "MM",
            "capstyle": "flat" if level else "round",
            "joinstyle": "round",
        },
    )


def _options(layer: Element, options: Mapping[str, str]) -> None:
    holder = SubElement(layer, "Option", type="Map")
    for name, value in options.items():
        SubElement(holder, "Option", type="QString", name=name, value=value)


def _labels(root: Element, attribute: str) -> None:
    settings = SubElement(SubElement(root, "labeling", type="simple"), "settings")
    style = SubElement(
        settings,
        "text-style",
        {
            "fieldName": attribute,
            "isExpression": "0",
            "fontSize": "10",
            "fontSizeUnit": "Point",
            "fontWeight": "75",
            "textColor": "20,20,20,255",
        },
    )
    SubElement(
        style, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor="255,255,255,255"
    )
    SubElement(settings, "placement", placement="3", placementFlags="10")
    SubElement(settings, "rendering", drawLabels="1", obstacle="1")


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


_GEOPACKAGE = {"driver": "GPKG", "VERSION": "1.3"}
"""QGIS 3.22 warns of later versions."""
_OPTIONS = {
    "OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z",
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
    "CPL_LOG": os.devnull,
}
"""GeoPackages hold the time of their last change: a fixed one keeps files the same for the same input.

They are new files, which appear when they are whole: SQLite needn't wait for the disk after each of its steps. What
fails is raised; GDAL needn't print it too, statement by statement.
"""
_OPTIONS_LOCK = Lock()


def candidate_lines(view: ReportView) -> gpd.GeoDataFrame:
    """One row per candidate: what it is, its lengths in km, its sources, and its whole line; of a package all lines."""
    results, marks = view.results, view.marks
    rows = [
        {
            "candidate_id": candidate.candidate_id,
            "name": candidate.name,
            "family": candidate.family,
            "mode": candidate.modes,
            "comparator": candidate.comparator,
            "aliases": "; ".join(str(alias) for alias in candidate.aliases),
            "length_km": candidate.length_km.mid,
            "length_km_low": candidate.length_km.low,
            "length_km_high": candidate.length_km.high,
            "drawn_km": candidate.drawn_km,
            "assumptions": "; ".join(render(said) for said in candidate.assumptions),
            "remarks": "; ".join(render(said) for said in candidate.remarks),
            "note": candidate.note,
            "sources": "; ".join(candidate.source_ids),
            "letter": marks[candidate.candidate_id].letter,
            "colour": marks[candidate.candidate_id].colour,
        }
        for candidate in results.candidates
    ]
    return _frame(rows, [candidate.geometry for candidate in results.candidates])


def candidate_parts(results: Results) -> gpd.GeoDataFrame:
    """One row per part of each candidate, in travelling order, with status, country, lengths in km and sources."""
    rows: list[dict[str, Any]] = []
    lines: list[LineString] = []
    for candidate in results.candidates:
        for order, part in enumerate(candidate.parts, start=1):
            rows.append({"candidate_id": candidate.candidate_id, "part": order} | _part_row(part))
            lines.append(part.line)
    return _frame(rows, lines)


def _part_row(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "section_id": part.section_id,
        "mode": part.mode,
        "class": part.road_class,
        "status": part.status,
        "works": part.works,
        "country": part.country,
        "length_km": part.length_km.mid,
        "length_km_low": part.length_km.low,
        "length_km_high": part.length_km.high,
        "documented": part.documented,
        "drawn_km": part.drawn_km,
        "geometry_quality": part.geometry_quality,
        "minutes": part.minutes.mid,
        # What nobody quotes stays empty: 0 would say that there is no tunnel.
        "tunnel_km": np.nan if StructureKind.TUNNEL in part.not_quoted else part.tunnel_km,
        "bridge_km": np.nan if StructureKind.BRIDGE in part.not_quoted else part.bridge_km,
        "max_grade_pct": np.nan if part.max_grade_pct is None else part.max_grade_pct,
        "sources": "; ".join(part.source_ids),
    }


def candidate_structures(results: Results) -> gpd.GeoDataFrame:
    """One row per tunnel or bridge whose place is known, as a line; those of packages stand with their routes."""
    rows: list[dict[str, Any]] = []
    lines: list[LineString] = []
    for candidate in results.candidates:
        profile = results.profiles.get(candidate.candidate_id)
        for span in profile.spans if profile else ():
            length_km = span.to_km - span.from_km
            row = {
                "candidate_id": candidate.candidate_id,
                "kind": span.kind,
                "name": span.name,
                "located": span.located,
            }
            rows.append(row | {"from_km": span.from_km, "to_km": span.to_km, "length_km": length_km})
            lines.append(substring(candidate.line, span.from_km * 1000, span.to_km * 1000))
    columns = ["candidate_id", "kind", "name", "located", "from_km", "to_km", "length_km"]
    return _frame(rows, lines, columns)


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a table of lines as GeoJSON (RFC 7946)."""
    frame.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")


def candidate_layers(view: ReportView) -> dict[str, gpd.GeoDataFrame]:
    """The tables of candidates by the name of their layer."""
    return {
        "candidates": candidate_lines(view),
        "parts": candidate_parts(view.results),
        "structures": candidate_structures(view.results),
    }


def write_geopackage(view: ReportView, layers: Mapping[str, gpd.GeoDataFrame], path: Path) -> None:
    """Write the layers ``candidates``, ``parts`` and ``structures``, with the styles in which QGIS opens them.

    The same bytes for the same results.

    Args:
        view: the comparison as it is shown.
        layers: those of :func:`candidate_layers`.
        path: of the file.
    """
    with _geopackage_options():
        for name, frame in layers.items():
            # a layer is of one type: where a package has several lines, all candidates may
            several = bool((frame.geom_type == "MultiLineString").any())
            kind = "MultiLineString" if several else "LineString"
            frame.to_file(
                path, layer=name, engine="pyogrio", geometry_type=kind, promote_to_multi=several, **_GEOPACKAGE
            )
        _write_styles(layer_styles(view), path)


def _write_styles(styles: dict[str, str], path: Path) -> None:
    """Add the table ``layer_styles``, where QGIS keeps the styles of a GeoPackage's layers."""
    table = pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": list(styles),
            "f_geometry_column": "geom",
            "styleName": list(styles),
            "styleQML": list(styles.values()),
            "styleSLD": "",
            "useAsDefault": True,
            "description": "",
            "owner": "",
            "ui": "",
            "update_time": pd.NaT,
        }
    )
    # With it a second GDAL is loaded, 30 MB of memory: only when files are written.
    import pyogrio

    pyogrio.write_dataframe(table, path, layer="layer_styles", driver="GPKG", layer_options={"FID": "id"})


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a table as GeoParquet, texts cleaned and stored alike however the table holds them."""
    cleaned = _cleaned(frame)
    # Versions of pandas keep texts in different ways, which would show in the file.
    texts = [name for name, kind in cleaned.dtypes.items() if isinstance(kind, pd.StringDtype)]
    arrow = pd.StringDtype("pyarrow", na_value=np.nan)
    plain = cleaned.astype(dict.fromkeys(texts, arrow))
    # Opened here, so that it is closed on a full disk as well: left to itself, the library holds it open then.
    with path.open("wb") as stream:
        plain.to_parquet(stream, index=False)


def write_layer(frame: gpd.GeoDataFrame, layer: str, path: Path) -> None:
    """Write one table of geometries as a layer of a GeoPackage, texts cleaned; the same bytes for the same table.

    Args:
        frame: the table.
        layer: its name.
        path: of the file.
    """
    with _geopackage_options():
        _cleaned(frame).to_file(path, layer=layer, engine="pyogrio", **_GEOPACKAGE)


def _cleaned(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    cells = {name: clean_cells(frame[name]) for name in frame.columns if name != "geometry"}
    return frame.assign(**{name: cleaned for name, cleaned in cells.items() if cleaned is not None})


def writing_errors() -> tuple[type[Exception], ...]:
    """What writing may raise: the system's errors and GDAL's own, which a full disk gives too."""
    from pyogrio import errors

    return OSError, errors.DataSourceError, errors.DataLayerError, errors.FeatureError, errors.GeometryError


@contextmanager
def _geopackage_options() -> Iterator[None]:
    import pyogrio

    # Options are the whole process' own: one file is written at a time, and what stood there is put back, also after a
    # fault.
    with _OPTIONS_LOCK:
        before = {option: pyogrio.get_gdal_config_option(option) for option in _OPTIONS}
        pyogrio.set_gdal_config_options(_OPTIONS)
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options(before)


def _frame(
    rows: Sequence[dict[str, Any]], lines: Sequence[LineString], columns: Sequence[str] | None = None
) -> gpd.GeoDataFrame:
    table = pd.DataFrame(list(rows), columns=list(columns) if columns else None)
    for column in table.columns:
        if any(isinstance(value, str) for value in table[column]):
            table[column] = [clean_text(value) for value in table[column]]
        elif table[column].dtype == float:
            table[column] = table[column].round(6)
    return gpd.GeoDataFrame(table, geometry=list(lines), crs=WGS84)


# --- Routes in three dimensions, line and profile joined, for programs that take altitudes: KML for Google Earth
#     and GPX ---
# KML has the profile as a curtain at absolute altitude and the line draped on the ground; GPX 1.1 a track each.

KML_NAMESPACE = "http://www.opengis.net/kml/2.2"
_CURTAIN_ALPHA = "66"


def write_kml(view: ReportView, path: Path) -> None:
    """Write one folder per candidate: its profile, its line on the ground, and its tunnels and bridges.

    Altitudes are the route's own, in metres above sea level. Open stretches and bridges are extruded to the ground;
    tunnels aren't, as they lie under it.
    """
    results, marks = view.results, view.marks
    root = Element("kml", xmlns=KML_NAMESPACE)
    document = SubElement(root, "Document")
    _text(document, "name", results.title)
    _text(document, "description", f"{results.question} As of {results.as_of}, {results.baseline}.")
    for number, candidate in enumerate(results.candidates):
        _style(document, f"route-{number}", marks[candidate.candidate_id])
    for number, candidate in enumerate(results.candidates):
        folder = SubElement(document, "Folder")
        _text(folder, "name", f"{marks[candidate.candidate_id].letter}  {candidate.name}")
        profile = results.profiles.get(candidate.candidate_id)
        if profile is not None:
            _profile(folder, candidate, profile, f"#route-{number}")
        _ground(folder, candidate, f"#route-{number}")
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _profile(folder: Element, candidate: Candidate, profile: Profile, style: str) -> None:
    # Tunnels are pieces of their own: a curtain from them to the ground would hang upside down.
    chainage, points = solid_line(candidate, profile)
    whole = _placemark(folder, candidate.name, _about(candidate), style)
    pieces = SubElement(whole, "MultiGeometry")
    for run, in_tunnel in tunnel_runs(chainage, profile):
        _line(pieces, points[run], extrude=not in_tunnel)
    for span in profile.spans:
        inside = (chainage >= span.from_km) & (chainage <= span.to_km)
        if inside.sum() >= 2:
            about = f"{span.to_km - span.from_km:.2f} km, {span.located}"
            mark = _placemark(folder, f"{span.kind}: {span.name}", about, style)
            _line(mark, points[inside], extrude=False)


def _ground(folder: Element, candidate: Candidate, style: str) -> None:
    for route in candidate.routes:
        mark = _placemark(folder, f"{route.name}, on the ground", "", style)
        line = SubElement(mark, "LineString")
        _text(line, "tessellate", "1")
        _text(line, "altitudeMode", "clampToGround")
        _text(line, "coordinates", _coordinates(shapely.get_coordinates(route.line)))


def _about(candidate: Candidate) -> str:
    length = candidate.length_km
    lines = [
        f"{candidate.modes}, {candidate.family}, {length.mid:.1f} km",
        *(str(alias) for alias in candidate.aliases),
        *(render(said) for said in (*candidate.assumptions, *candidate.remarks)),
        candidate.note,
        f"Sources: {', '.join(candidate.source_ids)}",
    ]
    return ". ".join(line for line in lines if line)


def _placemark(folder: Element, name: str, about: str, style: str) -> Element:
    mark = SubElement(folder, "Placemark")
    _text(mark, "name", name)
    if about:
        _text(mark, "description", escape(about))  # viewers read descriptions as HTML
    _text(mark, "styleUrl", style)
    return mark


def _line(parent: Element, points: NDArray[np.float64], *, extrude: bool) -> None:
    line = SubElement(parent, "LineString")
    _text(line, "extrude", str(int(extrude)))
    _text(line, "altitudeMode", "absolute")
    _text(line, "coordinates", _coordinates(points))


def _coordinates(points: NDArray[np.float64]) -> str:
    return _each_point(("%.6f,%.6f ", "%.6f,%.6f,%.1f ")[points.shape[1] - 2], points).rstrip()


def _each_point(form: str, points: NDArray[np.float64]) -> str:
    """A text for each point, all in one formatting: routes have tens of thousands of them."""
    return form * len(points) % tuple(points.ravel().tolist())


def _style(document: Element, key: str, mark: Mark) -> None:
    # KML writes opacity first and then blue, green, red.
    red, green, blue = (mark.colour[i : i + 2].lower() for i in (1, 3, 5))
    style = SubElement(document, "Style", id=key)
    line = SubElement(style, "LineStyle")
    _text(line, "color", f"ff{blue}{green}{red}")
    _text(line, "width", "3")
    _text(SubElement(style, "PolyStyle"), "color", f"{_CURTAIN_ALPHA}{blue}{green}{red}")


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = clean_text(text)


GPX_NAMESPACE = "http://www.topografix.com/GPX/1/1"


def write_gpx(results: Results, path: Path) -> None:
    """Write a track per route; elevations are the route's own, in tunnels and on bridges straight.

    Packages have no tracks but those of their routes.
    """
    found: list[str] = []
    root = Element("gpx", xmlns=GPX_NAMESPACE, version="1.1", creator=f"corridor {results.version}")
    about = SubElement(root, "metadata")
    _text(about, "name", results.title)
    _text(about, "desc", f"{results.question} As of {results.as_of}, {results.baseline}.")
    for candidate in (found for found in results.candidates if not found.members):
        # One track for each route: devices list tracks by name and take the first point for the start.
        track = SubElement(root, "trk")
        _text(track, "name", candidate.name)
        _text(track, "desc", f"{candidate.candidate_id}: {candidate.length_km.mid:.1f} km. {candidate.note}")
        _text(track, "src", ", ".join(candidate.source_ids))
        _text(track, "type", candidate.modes)
        SubElement(track, "trkseg")
        profile = results.profiles.get(candidate.candidate_id)
        points = solid_line(candidate, profile)[1] if profile else shapely.get_coordinates(candidate.line)
        found.append(_track_points(points))
    indent(root)
    # Points are most of the file and hold numbers alone: they are put as text where the tree has empty segments.
    parts = tostring(root, encoding="unicode").split("<trkseg />")
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("<?xml version='1.0' encoding='utf-8'?>\n" + parts[0])
        for points_text, part in zip(found, parts[1:], strict=True):
            stream.write(f"<trkseg>\n{points_text}    </trkseg>{part}")


def _track_points(points: NDArray[np.float64]) -> str:
    """Points (lon, lat, and height where it is known), indented as they stand in a segment."""
    start = '      <trkpt lat="%.6f" lon="%.6f"'
    form = f"{start} />\n" if points.shape[1] == 2 else f"{start}>\n        <ele>%.1f</ele>\n      </trkpt>\n"
    return _each_point(form, points[:, [1, 0, *range(2, points.shape[1])]])


Floats = NDArray[np.float64]
HEIGHT_TOLERANCE_M = 1.0


def solid_line(candidate: Candidate, profile: Profile) -> tuple[Floats, Floats]:
    """The route with its heights: every vertex of the line, and as many more as keep the profile within a metre.

    Returns:
        Drawn chainage in km, shape (n,), and longitude, latitude, height in metres, shape (n, 3).
    """
    flat = shapely.get_coordinates(candidate.line)
    # The plan keeps every vertex; of the profile only what a metre's tolerance needs, and both ends of each structure,
    # so that a tunnel begins where it is said to.
    vertices = vertex_chainage_m(candidate.line) / 1000
    side = np.column_stack([profile.chainage_km * 1000, profile.height_m])
    # a profile never crosses itself, so that nothing has to be looked after while it is thinned: eight times as fast
    kept = shapely.simplify(shapely.linestrings(side), HEIGHT_TOLERANCE_M, preserve_topology=False)
    thinned = shapely.get_coordinates(kept)[:, 0] / 1000
    ends = [km for span in profile.spans for km in (span.from_km, span.to_km)]
    chainage = np.unique(np.clip(np.concatenate([vertices, thinned, ends]), 0.0, vertices[-1]))
    return chainage, at_chainage(chainage, vertices, flat, profile)


def at_chainage(chainage_km: Floats, vertices_km: Floats, flat: Floats, profile: Profile) -> Floats:
    """Longitude, latitude and height at chainages; ``vertices_km`` (n,) and ``flat`` (n, 2) are the line's vertices.

    Args:
        chainage_km: where, shape (m,).
        vertices_km: chainage of the line's vertices, shape (n,).
        flat: their lon and lat, shape (n, 2).
        profile: heights along the line.
    """
    return np.column_stack(
        [
            np.interp(chainage_km, vertices_km, flat[:, 0]),
            np.interp(chainage_km, vertices_km, flat[:, 1]),
            np.interp(chainage_km, profile.chainage_km, profile.height_m),
        ]
    )


def tunnel_runs(chainage_km: Floats, profile: Profile) -> list[tuple[slice, bool]]:
    """Stretches of a line in order, each with whether it lies in a tunnel; neighbours share their end point."""
    inside = np.zeros(max(len(chainage_km) - 1, 0), dtype=bool)
    # Middles tell on which side of a portal a step lies: its ends may be the portals themselves.
    middle = (chainage_km[1:] + chainage_km[:-1]) / 2
    for span in profile.spans:
        if span.kind == StructureKind.TUNNEL:
            inside |= (middle > span.from_km) & (middle < span.to_km)
    cuts = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), len(inside)]
    return [(slice(a, b + 1), bool(inside[a])) for a, b in pairwise(cuts) if b > a]
