"""The map: built with Folium over a relief, complete in itself, so that it works without a network."""

from __future__ import annotations

from typing import Any

import folium
from branca.element import Element, MacroElement
from folium.map import CustomPane
from folium.raster_layers import ImageOverlay
from folium.template import Template

from corridor.report.i18n import read_asset, read_messages, script_json
from corridor.report.map.layers import build_map_data
from corridor.report.view import ReportView
from corridor.theme import css_theme, js_theme
from corridor.webmap import OfflineMap, figure_of, icon_script, inline, leaflet_css, leaflet_js

MAP_SCRIPTS = ("labels.js", "measure.js", "overlays.js", "search.js", "map.js")
MAP_STYLES = ("map.css",)
MAP_ID = "corridor"


class RouteLayers(MacroElement):
    """Everything that is drawn over the relief, from one block of data."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}
            <script type="application/json" id="corridor-map-data">{{ this.data }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            var corridorLayers = corridorMap.draw(
                {{ this._parent.get_name() }},
                JSON.parse(document.getElementById("corridor-map-data").textContent),
                {{ this.relief }}
            );
        {% endmacro %}
        """
    )

    def __init__(self, data: dict[str, Any], relief: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "RouteLayers"
        self.data = script_json(data)
        self.relief = relief


def build_map(view: ReportView, *, online_tiles: bool = False) -> folium.Map:
    """Draw candidates, borders, places and crossings over the relief.

    Args:
        view: what a comparison found, as it is shown.
        online_tiles: put OpenStreetMap's tiles under the routes instead of the relief; they need a network.

    Returns:
        A Folium map that shows itself in notebooks and takes further Folium layers. Without ``online_tiles`` it loads
        nothing from anywhere.
    """
    relief = view.ground.relief
    data = build_map_data(view)
    west, south, east, north = relief.bounds
    picture = _named(
        ImageOverlay(
            image=relief.uri,
            bounds=[[south, west], [north, east]],
            pixelated=False,
            control=False,
            pane="relief",
            alt="",
        ),
        "relief",
    )
    map_ = OfflineMap(location=[(south + north) / 2, (west + east) / 2], tiles=None, zoom_start=8, zoom_snap=0.25)
    _rename_root(map_)
    _named(CustomPane("relief", z_index=150), "pane").add_to(map_)
    if online_tiles:
        folium.TileLayer("OpenStreetMap", control=False).add_to(map_)
    else:
        picture.add_to(map_)
    data["words"] = {
        key: text
        for key, text in read_messages("en").items()
        if key.startswith(("map.", "status.", "cut.", "event.", "card.", "unit."))
    }
    layers = _named(RouteLayers(data, "null" if online_tiles else picture.get_name()), "routes")
    layers.add_to(map_)
    _add_head(map_)
    return map_


def _named(element: Element, name: str) -> Element:
    """Replace Folium's random id, so that the same results give the same page."""
    element._id = name
    return element


def _rename_root(map_: folium.Map) -> None:
    """The same for the map, which has entered its figure under its random name already."""
    figure = figure_of(map_)
    figure._children.clear()
    _named(map_, MAP_ID)
    figure._id = "figure"
    figure.add_child(map_)


def _add_head(map_: folium.Map) -> None:
    """Leaflet, styles and scripts, inlined in the head of the map's own document (notebooks and saved maps)."""
    inline(
        map_,
        styles=[leaflet_css(), css_theme(), *(read_asset(name) for name in MAP_STYLES)],
        scripts=[leaflet_js(), icon_script(), js_theme(), *(read_asset(name) for name in MAP_SCRIPTS)],
    )


def map_pieces(map_: folium.Map) -> tuple[str, str]:
    """HTML and script of a map, for a page that brings Leaflet and the styles itself."""
    figure = figure_of(map_)
    for child in figure._children.values():
        child.render()
    return figure.html.render(), figure.script.render()
