"""The map: built with Folium over a relief, complete in itself, so that it works without a network."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import folium
import numpy as np
from affine import Affine
from branca.element import Element, MacroElement
from folium.map import CustomPane
from folium.raster_layers import ImageOverlay
from folium.template import Template
from numpy.typing import NDArray

from corridor.geo.rasters import WEB_MERCATOR, grid_over, warp
from corridor.report.i18n import read_asset, read_messages, script_json
from corridor.report.map.layers import build_map_data
from corridor.report.view import ReportView
from corridor.schema.fields import Grid
from corridor.theme import css_theme, js_theme
from corridor.webmap import OfflineMap, figure_of, icon_script, inline, leaflet_css, leaflet_js

# --- Relief as one picture for the map: tinted by height, shaded by slope, in the projection of web maps ---

Floats32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SHADE_ALTITUDE_DEG = 45.0
SHADE_AZIMUTH_DEG = 315.0
LONGEST_SIDE_PX = 2000
_STRIP_PX = 64
FINER = 2
"""A coarse model is drawn on pixels this many times finer, smoothly, so that its pixels don't show as squares."""

TINTS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (-100.0, (205, 221, 203)),
    (300.0, (219, 229, 207)),
    (800.0, (237, 237, 214)),
    (1500.0, (241, 230, 203)),
    (2200.0, (230, 211, 184)),
    (2900.0, (218, 203, 190)),
    (3600.0, (238, 235, 232)),
    (4800.0, (255, 255, 255)),
)
"""Heights in metres and colours, pale so that lines and names stand out; in print as well."""


@dataclass(frozen=True, slots=True)
class Relief:
    """A picture as a data URI and its bounds in degrees (west, south, east, north)."""

    uri: str
    bounds: tuple[float, float, float, float]


def build_relief(heights_m: Floats32, grid: Grid, *, quality: int = 80) -> Relief:
    """Draw heights ``(rows, cols)`` as tinted, shaded relief in EPSG:3857, as WebP.

    The heights are moved once, by cubic spline, onto Mercator pixels; shade and tint are made there.

    Args:
        heights_m: heights, shape (rows, cols).
        grid: where they lie.
        quality: of the picture, 1 to 100.
    """
    frame = _mercator_frame(grid)
    heights = warp(heights_m, grid, frame, smooth=frame.shape[0] >= grid.shape[0])
    picture = _paint(heights, frame)
    return Relief(_encode(picture, quality), _degrees(frame))


def _mercator_frame(grid: Grid) -> Grid:
    """A frame over the grid whose pixels are finer than its own, but at most ``LONGEST_SIDE_PX`` on a side."""
    natural = grid_over(grid, WEB_MERCATOR)
    rows, cols = natural.shape
    west, south, east, north = natural.bounds
    factor = min(FINER, LONGEST_SIDE_PX / max(rows, cols))
    rows, cols = max(round(rows * factor), 1), max(round(cols * factor), 1)
    transform = Affine((east - west) / cols, 0.0, west, 0.0, (south - north) / rows, north)
    return Grid(WEB_MERCATOR, transform, (rows, cols))


def _paint(heights: Floats32, frame: Grid) -> Bytes:
    """Colours ``(rows, cols, 3)``: tint by height times shade; a fourth band hides what has no height, if anything."""
    known = np.isfinite(heights)
    whole = bool(known.all())
    filled = heights if whole else np.where(known, heights, np.float32(0.0))
    steps = np.linspace(TINTS[0][0], TINTS[-1][0], 512)
    stops = [height for height, _ in TINTS]
    table = [np.interp(steps, stops, [colour[band] for _, colour in TINTS]).astype(np.float32) for band in range(3)]
    steepness = _steepness(frame)
    picture: Bytes = np.empty((*heights.shape, 3 if whole else 4), dtype=np.uint8)
    # A strip at a time, so that what is computed on the way stays in the processor's cache; slopes need a row more.
    for top in range(0, len(filled), _STRIP_PX):
        above = min(top, 1)
        shade = _shade(filled[top - above : top + _STRIP_PX + 1], steepness)[above : above + _STRIP_PX]
        strip = filled[top : top + _STRIP_PX]
        index = (strip - np.float32(steps[0])) * np.float32(511.0 / (steps[-1] - steps[0]))
        step = np.clip(index, 0, 511).astype(np.intp)
        for band, tints in enumerate(table):
            picture[top : top + _STRIP_PX, :, band] = np.minimum(tints[step] * shade, 255)
    if not whole:
        picture[..., 3] = 255 * known
    return picture


def _steepness(frame: Grid) -> np.float32:
    """What a metre between two pixels counts as slope.

    Mercator stretches lengths by 1 / cos(latitude); heights are stretched alike, and a little more, because kilometre
    pixels flatten every slope.
    """
    _, south, _, north = _degrees(frame)
    stretch = 1.0 / np.cos(np.radians((south + north) / 2.0))
    pixel = float(frame.transform.a)
    return np.float32(stretch * float(np.clip(pixel / 150.0, 1.0, 2.5)) / pixel)


def _shade(heights: Floats32, steepness: np.float32) -> Floats32:
    """Brightness of the ground lit from the north-west (Lambert), around 1 on level ground."""
    down, right = np.gradient(heights * steepness)
    azimuth, altitude = np.radians(SHADE_AZIMUTH_DEG), np.radians(SHADE_ALTITUDE_DEG)
    light = (np.sin(azimuth) * np.cos(altitude), np.cos(azimuth) * np.cos(altitude), np.sin(altitude))
    lit = (-right * light[0] + down * light[1] + light[2]) / np.sqrt(1.0 + right**2 + down**2)
    shade: Floats32 = (1.0 + 0.55 * (np.clip(lit, 0.0, 1.0) - light[2])).astype(np.float32)
    return shade


def _degrees(frame: Grid) -> tuple[float, float, float, float]:
    """Bounds of a Mercator frame in degrees; edges of pixels map to straight lines, so that four corners suffice."""
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds(WEB_MERCATOR, "EPSG:4326", *frame.bounds)
    return (round(west, 6), round(south, 6), round(east, 6), round(north, 6))


def _encode(picture: Bytes, quality: int) -> str:
    # named here, it is the one plugin that is loaded: asked to save as WebP, Pillow would load all of them
    from PIL import Image, WebPImagePlugin  # noqa: F401

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="WEBP", quality=quality, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


MAP_SCRIPTS = ("labels.js", "measure.js", "overlays.js", "search.js", "map.js")
MAP_STYLES = ("map.css",)
MAP_ID = "corridor"
MAP_DATA_ID = "corridor-map-data"


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
    ground = view.results.layers
    relief = build_relief(ground.heights_m, ground.grid)
    data = build_map_data(view, relief.bounds)
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
