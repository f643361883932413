"""A Folium map that brings Leaflet with it, and lines on it that can be pointed at."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, cast

import folium
import shapely
from branca.element import Element, Figure
from folium.template import Template

from corridor.errors import OutputError

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_CSS_URL = re.compile(r"url\(\s*['\"]?(?!data:)([^)'\"]+)['\"]?\s*\)")


class OfflineMap(folium.Map):
    """A Folium map that brings Leaflet with it instead of linking to it."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012  (Folium's own class attributes)
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>html, body { margin: 0; height: 100%; } .folium-map { height: 100%; width: 100%; }</style>
        {% endmacro %}
        {% macro html(this, kwargs) %}
            <div class="folium-map" id={{ this.get_name()|tojson }}></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map(
                {{ this.get_name()|tojson }},
                {center: {{ this.location|tojson }}, crs: L.CRS.{{ this.crs }}, ...{{ this.options|tojavascript }}}
            );
        {% endmacro %}
        """
    )


def figure_of(map_: folium.Map) -> Figure:
    """The document that a map stands in."""
    return cast(Figure, map_.get_root())


def inline(map_: folium.Map, *, styles: Sequence[str], scripts: Sequence[str]) -> None:
    """Put style sheets and scripts into the head of a map's document.

    Args:
        map_: the map.
        styles: texts of style sheets.
        scripts: texts of scripts.
    """
    header = figure_of(map_).header
    for style in styles:
        header.add_child(_AsItIs(f"<style>{style}</style>"))
    for script in scripts:
        header.add_child(_AsItIs(f"<script>{script}</script>"))


class _AsItIs(Element):
    """HTML that no template engine reads: it would take longer over a library's script than over all of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._html = html

    def render(self, **_: object) -> str:
        """The HTML."""
        return self._html


def blank_map(*, width: str | int = "100%", height: str | int = "100%", tiles: str | None = None) -> folium.Map:
    """An empty map that loads nothing from anywhere, unless ``tiles`` name a provider that Folium knows.

    Args:
        width: of the map.
        height: of the map.
        tiles: a provider that Folium knows; none if left out.
    """
    map_ = OfflineMap(tiles=tiles, width=width, height=height, control_scale=True, zoom_snap=0.25)
    inline(map_, styles=[leaflet_css()], scripts=[leaflet_js(), icon_script()])
    return map_


def add_lines(
    map_: folium.Map,
    name: str,
    lines: Sequence[tuple[shapely.Geometry, str, Mapping[str, object]]],
    *,
    tooltip: bool = True,
    popup: bool = False,
    style: Mapping[str, object] | None = None,
) -> None:
    """Draw lines or points (lon, lat), each with a colour and facts shown as text when pointed at or clicked.

    ``style`` has Leaflet's path options, for instance ``{"weight": 5, "opacity": 0.5}``.

    Args:
        map_: the map.
        name: of the layer.
        lines: geometry, colour and facts of each.
        tooltip: show facts when pointed at.
        popup: show facts when clicked.
        style: Leaflet's path options.
    """
    fields = list(dict.fromkeys(key for _, _, facts in lines for key in facts))
    features = [
        {
            "type": "Feature",
            "properties": {key: _harmless(facts.get(key, "")) for key in fields} | {"__colour": colour},
            "geometry": shapely.geometry.mapping(shapely.transform(shape, lambda xy: xy.round(6))),
        }
        for shape, colour, facts in lines
    ]
    labels = [_harmless(key) for key in fields]
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        name=_harmless(name),
        style_function=_painter(style or {}),
        marker=folium.CircleMarker(radius=6, fill=True, fill_opacity=0.9),
        tooltip=folium.GeoJsonTooltip(fields, labels) if tooltip and fields else None,
        popup=folium.GeoJsonPopup(fields, labels) if popup and fields else None,
    ).add_to(map_)


def fit(map_: folium.Map, shapes: Sequence[shapely.Geometry]) -> None:
    """Let a map open on some geometries (lon, lat)."""
    west, south, east, north = shapely.total_bounds(list(shapes)).tolist()
    map_.fit_bounds([[south, west], [north, east]])


def _painter(style: Mapping[str, object]) -> Callable[[dict[str, Any]], dict[str, object]]:
    def paint(feature: dict[str, Any]) -> dict[str, object]:
        return {"color": feature["properties"]["__colour"], "weight": 4, "opacity": 0.9, **style}

    return paint


def _harmless(value: object) -> str:
    """Text that neither Leaflet, which takes HTML, nor Folium's template engine can read as anything else."""
    return escape(" ".join(str(value).split())).replace("{", "&#123;")


@cache
def leaflet_js() -> str:
    """Leaflet's script with its licence line, without the reference to its source map."""
    return _SOURCE_MAP.sub("", _leaflet("leaflet.js")).strip()


@cache
def leaflet_css() -> str:
    """Leaflet's style sheet with its pictures inlined."""
    return _CSS_URL.sub(
        lambda found: f'url("{_leaflet_picture(found[1])}")' if "#" not in found[1] else found[0],
        _leaflet("leaflet.css"),
    )


@cache
def leaflet_marker_icons() -> dict[str, str]:
    """Pictures of Leaflet's default marker as data URIs, for its options ``iconUrl`` and so on."""
    names = {"iconUrl": "marker-icon.png", "iconRetinaUrl": "marker-icon-2x.png", "shadowUrl": "marker-shadow.png"}
    return {option: _leaflet_picture(f"images/{name}") for option, name in names.items()}


def icon_script() -> str:
    """Script that gives Leaflet's default marker its inlined pictures."""
    return f"L.Icon.Default.imagePath='';L.Icon.Default.mergeOptions({json.dumps(leaflet_marker_icons())});"


def _leaflet_folder() -> Path:
    from xstatic.pkg import leaflet

    return Path(leaflet.BASE_DIR)


def _leaflet(name: str) -> str:
    path = _leaflet_folder() / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: Leaflet's file is missing: install XStatic-Leaflet anew") from error


def _leaflet_picture(name: str) -> str:
    path = _leaflet_folder() / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OutputError(f"{path}: Leaflet's picture is missing: install XStatic-Leaflet anew") from error
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
