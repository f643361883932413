"""The map of notebooks: built with Folium over a relief, complete in itself, so that it works without a network."""

from __future__ import annotations

from typing import cast

import folium
from branca.element import Element, MacroElement
from folium.map import CustomPane
from folium.raster_layers import ImageOverlay
from folium.template import Template

from corridor.leaflet import icon_script, leaflet_css, leaflet_js
from corridor.report.i18n import read_asset
from corridor.report.map.pieces import (
    MAP_SCRIPTS,
    MAP_STYLES,
    RELIEF,
    RELIEF_Z,
    ZOOM,
    ZOOM_SNAP,
    data_block,
    draw_script,
)
from corridor.report.view import ReportView
from corridor.theme import css_theme, js_theme
from corridor.webmap import OfflineMap, figure_of, inline

MAP_ID = "corridor"


class RouteLayers(MacroElement):
    """Everything that is drawn over the relief, from one block of data."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}{{ this.data }}{% endmacro %}
        {% macro script(this, kwargs) %}{{ this.draw() }}{% endmacro %}
        """
    )

    def __init__(self, data: str, relief: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "RouteLayers"
        self.data = data
        self.relief = relief

    def draw(self) -> str:
        """The script's statement, for the map that it was added to."""
        return draw_script(cast(Element, self._parent).get_name(), self.relief)


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
    west, south, east, north = relief.bounds
    picture = _named(
        ImageOverlay(
            image=relief.uri,
            bounds=[[south, west], [north, east]],
            pixelated=False,
            control=False,
            pane=RELIEF,
            alt="",
        ),
        "relief",
    )
    map_ = OfflineMap(
        location=[(south + north) / 2, (west + east) / 2], tiles=None, zoom_start=ZOOM, zoom_snap=ZOOM_SNAP
    )
    _rename_root(map_)
    _named(CustomPane(RELIEF, z_index=RELIEF_Z), "pane").add_to(map_)
    if online_tiles:
        folium.TileLayer("OpenStreetMap", control=False).add_to(map_)
    else:
        picture.add_to(map_)
    layers = _named(RouteLayers(data_block(view), "null" if online_tiles else picture.get_name()), "routes")
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
