"""The map as a page holds it: a piece of HTML and a script, for pages that bring Leaflet and the styles themselves.

Nothing of Folium is in it, which takes a quarter of a second to load and is needed for maps in notebooks alone.
"""

from __future__ import annotations

import json

from corridor.report.i18n import read_messages, script_json
from corridor.report.map.layers import build_map_data
from corridor.report.view import ReportView

MAP_SCRIPTS = ("labels.js", "measure.js", "overlays.js", "search.js", "map.js")
MAP_STYLES = ("map.css",)
ZOOM = 8
ZOOM_SNAP = 0.25
RELIEF = "relief"
"""The pane that the relief has to itself, under all others."""
RELIEF_Z = 150
_DATA_ID = "corridor-map-data"
_WORDS = ("map.", "status.", "cut.", "event.", "card.", "unit.")
"""How keys of the messages begin that the map's script takes."""


def data_block(view: ReportView) -> str:
    """The element that holds everything that is drawn over the relief."""
    said = {key: text for key, text in read_messages("en").items() if key.startswith(_WORDS)}
    data = script_json(build_map_data(view) | {"words": said})
    return f'<script type="application/json" id="{_DATA_ID}">{data}</script>'


def draw_script(map_name: str, relief_name: str) -> str:
    """The statement that draws what :func:`data_block` holds.

    Args:
        map_name: variable of the Leaflet map.
        relief_name: variable of the relief under it; ``null`` if there is none.
    """
    data = f'JSON.parse(document.getElementById("{_DATA_ID}").textContent)'
    return f"var corridorLayers = corridorMap.draw({map_name}, {data}, {relief_name});"


def map_pieces(view: ReportView) -> tuple[str, str]:
    """HTML and script of the map that Folium makes of :func:`corridor.report.map.build.build_map`."""
    relief = view.ground.relief
    west, south, east, north = relief.bounds
    center = json.dumps([(south + north) / 2, (west + east) / 2])
    bounds = json.dumps([[south, west], [north, east]])
    html = f'<div class="folium-map" id="map_corridor"></div>\n{data_block(view)}'
    script = f"""\
var map_corridor = L.map("map_corridor", {{center: {center}, zoom: {ZOOM}, zoomSnap: {ZOOM_SNAP}}});
map_corridor.createPane("{RELIEF}").style.zIndex = {RELIEF_Z};
map_corridor.getPane("{RELIEF}").style.pointerEvents = "none";
var image_overlay_relief = L.imageOverlay({json.dumps(relief.uri)}, {bounds}, {{pane: "{RELIEF}", alt: ""}});
image_overlay_relief.addTo(map_corridor);
{draw_script("map_corridor", "image_overlay_relief")}"""
    return html, script
