"""The ground of the map, which hangs on no result: a shaded relief, and the borders, rivers and roads upon it."""

from __future__ import annotations

import base64
import io
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import LineString

from corridor.geo.rasters import WEB_MERCATOR, grid_over, warp
from corridor.schema.fields import Grid
from corridor.schema.results import Layers, MapGround, Relief

Window = tuple[float, float, float, float]
"""West, south, east and north in degrees."""


def draw_ground(layers: Layers, relief: Relief | None = None, borders: list[LatLon] | None = None) -> MapGround:
    """Draw what lies under the routes.

    Args:
        layers: heights, countries, rivers and roads.
        relief: of these heights, if it is drawn already.
        borders: of these countries, if they are.
    """
    if relief is None:
        relief = build_relief(layers.heights_m, layers.grid)
    return MapGround(
        relief,
        borders=border_lines(layers.countries, relief.bounds) if borders is None else borders,
        rivers=river_lines(layers.rivers, relief.bounds),
        roads=road_lines(layers.roads, relief.bounds),
    )


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
    return Relief(_encode(_paint(heights, frame), quality), _degrees(frame))


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


def _degrees(frame: Grid) -> Window:
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


# --- Lines of the ground, thinned for a screen ---

BORDER_TOLERANCE_DEG = 0.002
ROAD_TOLERANCE_DEG = 0.0015

LatLon = list[list[float]]


def lat_lon(line: LineString, digits: int = 4) -> LatLon:
    """Vertices as [lat, lon], rounded (four digits are about ten metres)."""
    return np.round(shapely.get_coordinates(line)[:, ::-1], digits).tolist()  # type: ignore[no-any-return]


def border_lines(countries: gpd.GeoDataFrame, window: Window) -> list[LatLon]:
    """Borders between and around countries, each stretch once, thinned; only what lies in the window.

    Stretches are thinned between the points where three borders meet, so that neighbours stay fitted to each other.
    The frame at which the polygons themselves were cut off is left out.
    """
    if countries.empty:
        return []
    # Neighbours share their border: joined into one set of lines, each stretch stands once.
    outlines = shapely.boundary(shapely.make_valid(countries.geometry.to_numpy()))
    frame = shapely.boundary(shapely.box(*countries.total_bounds)).buffer(1e-6)
    lines = shapely.line_merge(shapely.difference(shapely.union_all(outlines), frame))
    thinned = shapely.simplify(shapely.get_parts(lines), BORDER_TOLERANCE_DEG)
    inside = shapely.get_parts(shapely.intersection(thinned, shapely.box(*window)))
    kept = [part for part in inside if shapely.get_type_id(part) == 1 and shapely.length(part) > 0]
    return [lat_lon(part) for part in kept]


def river_lines(frame: gpd.GeoDataFrame | None, window: Window) -> list[dict[str, Any]]:
    """Rivers inside a window: name, names by language, lines."""
    if frame is None or frame.empty:
        return []
    box = shapely.box(*window)
    found = []
    for name, names, shape in zip(frame["name"], frame["names"], frame.geometry, strict=True):
        parts = shapely.get_parts(shapely.intersection(shape, box))
        lines = [lat_lon(part) for part in parts if shapely.get_type_id(part) == 1 and shapely.length(part) > 0]
        if lines:
            found.append({"name": str(name), "names": dict(names), "lines": lines})
    return found


def road_lines(frame: gpd.GeoDataFrame | None, window: Window) -> list[dict[str, Any]]:
    """Main roads inside a window for the ground of the map: ref, name, whether of the highest class, lines.

    Pieces of one road are joined end to end and thinned to about 150 m; a road without number and name is drawn with
    others of its class.
    """
    if frame is None or frame.empty:
        return []
    high = frame["class"].str.startswith("motorway")
    groups = frame.groupby(["ref", "name", high], sort=True)
    road_of, keys = groups.ngroup().to_numpy(), list(groups.groups)
    # Joined before they are thinned, so that pieces of one road still meet. All roads at once, a row of lines each.
    order = np.argsort(road_of, kind="stable")
    order = order[road_of[order] >= 0]
    roads = shapely.multilinestrings(frame.geometry.to_numpy()[order], indices=road_of[order])
    thinned = shapely.simplify(shapely.line_merge(roads), ROAD_TOLERANCE_DEG)
    parts, number = shapely.get_parts(shapely.intersection(thinned, shapely.box(*window)), return_index=True)
    kept = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0)
    lines: dict[int, list[LatLon]] = {}
    for part, road in zip(parts[kept], number[kept].tolist(), strict=True):
        lines.setdefault(road, []).append(lat_lon(part, 3))
    return [
        {"ref": str(keys[road][0]), "name": str(keys[road][1]), "high": bool(keys[road][2]), "lines": own}
        for road, own in lines.items()
    ]
