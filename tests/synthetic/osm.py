"""The same lines as OpenStreetMap shows them, in an XML file: longer where the catalogue is schematic.

Beyond the catalogue: the ridge road makes two steps of 0.02 degree in the first country and has a bridge there and a
tunnel under the summit; the railway has a hole of 31 m; ways that are neither road nor railway; a track. STREETS meet
the roads at the border gates and elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

from tests.synthetic.catalogue import LINK

Point = tuple[float, float]
BRIDGE, TUNNEL = (10.34, 10.343), (10.54, 10.56)
STEP_NORTH = 45.52
RAIL_HOLE = (10.2, 10.2004)
_RIDGE = {"highway": "primary", "ref": "R1", "name": "Ridge road"}
_VALLEY = {"highway": "trunk", "ref": "V2", "name": "Valley </script><script>alert(1)</script> road"}
_OLD = {"railway": "disused", "name": "Old line"}

WAYS: list[tuple[list[Point], dict[str, str]]] = [
    ([(10.1, 45.5), (10.2, 45.5), (10.2, STEP_NORTH), (10.3, STEP_NORTH), (10.3, 45.5), (BRIDGE[0], 45.5)], _RIDGE),
    ([(BRIDGE[0], 45.5), (BRIDGE[1], 45.5)], _RIDGE | {"bridge": "yes"}),
    ([(BRIDGE[1], 45.5), (10.4, 45.5)], _RIDGE),
    ([(10.4, 45.5), (TUNNEL[0], 45.5)], _RIDGE),
    ([(TUNNEL[0], 45.5), (TUNNEL[1], 45.5)], _RIDGE | {"tunnel": "yes", "name": "Summit tunnel"}),
    ([(TUNNEL[1], 45.5), (10.62, 45.5)], _RIDGE),
    ([(10.63, 45.5), (10.7, 45.5)], _RIDGE),
    ([(10.7, 45.5), (10.8, 45.5), (10.9, 45.5)], _RIDGE),
    ([(10.1, 45.5), (10.1, 45.3), (10.25, 45.3), (10.4, 45.3)], _VALLEY),
    ([(10.4, 45.3), (10.52, 45.3), (10.64, 45.3)], _VALLEY),
    ([(10.645, 45.3), (10.7, 45.3)], _VALLEY),
    ([(10.7, 45.3), (10.9, 45.3), (10.9, 45.5)], _VALLEY),
    ([(10.1, 45.5), (10.1, 45.7), (RAIL_HOLE[0], 45.7)], {"railway": "rail", "name": "West line"}),
    ([(RAIL_HOLE[1], 45.7), (10.4, 45.7)], {"railway": "rail", "name": "West line"}),
    ([(10.4, 45.7), (10.48, 45.7)], _OLD),
    ([(10.48, 45.7), (10.62, 45.7)], _OLD | {"tunnel": "yes"}),
    ([(10.62, 45.7), (10.7, 45.7)], _OLD),
    ([(10.7, 45.7), (10.9, 45.7), (10.9, 45.5)], {"railway": "rail", "name": "East line"}),
    # what must not count: a footpath and a track across the gap, a wall
    ([(10.62, 45.5), (10.63, 45.5)], {"highway": "footway"}),
    ([(10.62, 45.5), (10.625, 45.505), (10.63, 45.5)], {"highway": "track"}),
    ([(10.25, 45.3), (10.26, 45.31)], {"barrier": "wall"}),
]
STREETS: list[tuple[list[Point], dict[str, str]]] = [
    (LINK, {"highway": "residential", "name": "Link"}),
    ([(10.4, 45.5), (10.401, 45.503)], {"highway": "service"}),
    ([(10.7, 45.5), (10.701, 45.503)], {"highway": "service"}),
    ([(10.8, 45.5), (10.8, 45.503)], {"highway": "residential"}),
    ([(10.25, 45.3), (10.25, 45.304)], {"highway": "residential"}),
    ([(10.4, 45.3), (10.401, 45.303)], {"highway": "residential"}),
    ([(10.52, 45.3), (10.52, 45.303)], {"highway": "residential"}),
    ([(10.7, 45.3), (10.701, 45.303)], {"highway": "residential"}),
]
_PLACES = [((10.55, 45.51), {"place": "village", "name": "Highfold <b>", "population": "900"})]
_GATE = (10.4, 45.5)


_NORTH, _SOUTH, _INNER = 46.2, 44.8, 45.4
_BORDER_WAYS: dict[int, list[Point]] = {
    701: [(10.4, _SOUTH), (10.4, _INNER)],
    702: [(10.4, _INNER), (10.4, _NORTH)],
    703: [(10.7, _NORTH), (10.7, _SOUTH)],
    704: [(10.4, _NORTH), (10.7, _NORTH)],
    705: [(10.7, _SOUTH), (10.4, _SOUTH)],
}
_OUTER_WAYS: dict[int, list[Point]] = {
    798: [(10.4, _NORTH), (9.0, _NORTH), (9.0, _SOUTH), (10.4, _SOUTH)],
    799: [(10.7, _SOUTH), (12.0, _SOUTH), (12.0, _NORTH), (10.7, _NORTH)],
}
COUNTRY_WAYS = {"XA": (701, 702, 798), "XB": (701, 702, 703, 704, 705), "XC": (703, 799)}


def with_countries(path: Path, *, lacking: tuple[int, ...] = (), outer: bool = False) -> Path:
    """Add the boundaries of the made-up countries to a map that :func:`write_osm` wrote, some ways left out.

    The middle country is whole; of the outer ones the map has the common borders alone unless ``outer`` is asked for.
    """
    lines, refs = [], 7001
    for number, points in (_BORDER_WAYS | (_OUTER_WAYS if outer else {})).items():
        if number in lacking:
            continue
        lines += [_node(refs + at, point, {}) for at, point in enumerate(points)]
        nodes = "".join(f'<nd ref="{refs + at}"/>' for at in range(len(points)))
        border = {"boundary": "administrative", "admin_level": "2"}
        lines.append(f'<way id="{number}" version="1">{nodes}{_tags(border)}</way>')
        refs += len(points)
    for number, (code, ways) in enumerate(COUNTRY_WAYS.items(), 901):
        tags = {"type": "boundary", "boundary": "administrative", "admin_level": "2", "name": f"Land {code}"}
        members = "".join(f'<member type="way" ref="{way}" role="outer"/>' for way in ways)
        code_tag = _tags(tags | {"ISO3166-1": code.lower()})
        lines.append(f'<relation id="{number}" version="1">{members}{code_tag}</relation>')
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</osm>", "\n".join([*lines, "</osm>"])), encoding="utf-8")
    return path


def write_osm(
    path: Path,
    ways: list[tuple[list[Point], dict[str, str]]] | None = None,
    barriers: dict[Point, dict[str, str]] | None = None,
) -> Path:
    """The ways as OSM XML; ways that name the same point share its node. The border gate is a tagged node."""
    ways = [*WAYS, *STREETS] if ways is None else ways
    numbers: dict[Point, int] = {}
    for points, _ in ways:
        for point in points:
            numbers.setdefault(point, 1001 + len(numbers))
    tags_at = {_GATE: {"barrier": "border_control"}} | (barriers or {})
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6" generator="tests">']
    lines += [_node(number, point, tags_at.get(point, {})) for point, number in numbers.items()]
    lines += [_node(9001 + at, point, tags) for at, (point, tags) in enumerate(_PLACES)]
    for at, (points, tags) in enumerate(ways):
        refs = "".join(f'<nd ref="{numbers[point]}"/>' for point in points)
        lines.append(f'<way id="{1 + at}" version="1">{refs}{_tags(tags)}</way>')
    path.write_text("\n".join([*lines, "</osm>"]) + "\n", encoding="utf-8")
    return path


def _node(number: int, point: Point, tags: dict[str, str]) -> str:
    return f'<node id="{number}" version="1" lon="{point[0]:.7f}" lat="{point[1]:.7f}">{_tags(tags)}</node>'


def _tags(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
