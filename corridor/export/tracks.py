"""Routes in three dimensions, line and profile joined, for programs that take altitudes: KML for Google Earth and GPX.

KML has the profile as a curtain at absolute altitude and the line draped on the ground; GPX 1.1 a track each.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np
import shapely
from markupsafe import escape
from numpy.typing import NDArray

from corridor.geo.geodesy import vertex_chainage_m
from corridor.report.escape import clean_text
from corridor.report.i18n import render
from corridor.report.marks import Mark
from corridor.report.view import ReportView
from corridor.schema.candidate import Candidate, Profile
from corridor.schema.results import Results
from corridor.schema.vocabulary import StructureKind

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
    mark = _placemark(folder, f"{candidate.name}, on the ground", "", style)
    line = SubElement(mark, "LineString")
    _text(line, "tessellate", "1")
    _text(line, "altitudeMode", "clampToGround")
    _text(line, "coordinates", _coordinates(shapely.get_coordinates(candidate.line)))


def _about(candidate: Candidate) -> str:
    length = candidate.length_km
    lines = [
        f"{candidate.mode}, {candidate.family}, {length.mid:.1f} km",
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
    digits = ("{:.6f}", "{:.6f}", "{:.1f}")[: points.shape[1]]
    return " ".join(",".join(form.format(value) for form, value in zip(digits, row, strict=True)) for row in points)


def _style(document: Element, key: str, mark: Mark) -> None:
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
    """Write a track per candidate; elevations are the route's own, in tunnels and on bridges straight."""
    root = Element("gpx", xmlns=GPX_NAMESPACE, version="1.1", creator=f"corridor {results.version}")
    about = SubElement(root, "metadata")
    _text(about, "name", results.title)
    _text(about, "desc", f"{results.question} As of {results.as_of}, {results.baseline}.")
    for candidate in results.candidates:
        track = SubElement(root, "trk")
        _text(track, "name", candidate.name)
        _text(track, "desc", f"{candidate.candidate_id}: {candidate.length_km.mid:.1f} km. {candidate.note}")
        _text(track, "src", ", ".join(candidate.source_ids))
        _text(track, "type", candidate.mode)
        segment = SubElement(track, "trkseg")
        profile = results.profiles.get(candidate.candidate_id)
        points = solid_line(candidate, profile)[1] if profile else shapely.get_coordinates(candidate.line)
        for lon, lat, *height in points.tolist():
            point = SubElement(segment, "trkpt", lat=f"{lat:.6f}", lon=f"{lon:.6f}")
            if height:
                _text(point, "ele", f"{height[0]:.1f}")
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


Floats = NDArray[np.float64]
HEIGHT_TOLERANCE_M = 1.0


def solid_line(candidate: Candidate, profile: Profile) -> tuple[Floats, Floats]:
    """The route with its heights: every vertex of the line, and as many more as keep the profile within a metre.

    Returns:
        Drawn chainage in km, shape (n,), and longitude, latitude, height in metres, shape (n, 3).
    """
    flat = shapely.get_coordinates(candidate.line)
    vertices = vertex_chainage_m(candidate.line) / 1000
    side = np.column_stack([profile.chainage_km * 1000, profile.height_m])
    thinned = shapely.get_coordinates(shapely.simplify(shapely.linestrings(side), HEIGHT_TOLERANCE_M))[:, 0] / 1000
    ends = [km for span in profile.spans for km in (span.from_km, span.to_km)]
    chainage = np.unique(np.clip(np.concatenate([vertices, thinned, ends]), 0.0, vertices[-1]))
    return chainage, at_chainage(chainage, vertices, flat, profile)


def at_chainage(chainage_km: Floats, vertices_km: Floats, flat: Floats, profile: Profile) -> Floats:
    """Longitude, latitude and height at chainages; ``vertices_km`` (n,) and ``flat`` (n, 2) are the line's vertices."""
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
    middle = (chainage_km[1:] + chainage_km[:-1]) / 2
    for span in profile.spans:
        if span.kind == StructureKind.TUNNEL:
            inside |= (middle > span.from_km) & (middle < span.to_km)
    cuts = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), len(inside)]
    return [(slice(a, b + 1), bool(inside[a])) for a, b in pairwise(cuts) if b > a]
