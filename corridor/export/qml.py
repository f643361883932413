"""Styles for QGIS (QML): candidates in the page's colours, parts by status, structures and events by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from corridor.report.escape import clean_text
from corridor.report.view import ReportView
from corridor.theme import colour

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
