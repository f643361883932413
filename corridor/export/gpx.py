"""Routes as GPX 1.1: one track each, with elevation."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import shapely

from corridor.export.lines_3d import solid_line
from corridor.report.escape import clean_text
from corridor.schema.results import Results

NAMESPACE = "http://www.topografix.com/GPX/1/1"


def write_gpx(results: Results, path: Path) -> None:
    """Write a track per candidate; elevations are the route's own, in tunnels and on bridges straight."""
    root = Element("gpx", xmlns=NAMESPACE, version="1.1", creator=f"corridor {results.version}")
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


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = clean_text(text)
