"""Relief as one picture for the map: tinted by height, shaded by slope, in the projection of web maps."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from corridor.geo.rasters import grid_over, warp
from corridor.schema.grid import Grid

Floats32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

WEB_MERCATOR = "EPSG:3857"
SHADE_ALTITUDE_DEG = 45.0
SHADE_AZIMUTH_DEG = 315.0
LONGEST_SIDE_PX = 2000
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
    """
    frame = _mercator_frame(grid)
    heights = warp(heights_m, grid, frame, smooth=frame.shape[0] >= grid.shape[0])
    picture = np.dstack([_paint(heights, frame), np.where(np.isfinite(heights), 255, 0).astype(np.uint8)])
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
    """Colours ``(rows, cols, 3)``: tint by height times shade."""
    filled = np.where(np.isfinite(heights), heights, np.float32(0.0))
    steps = np.linspace(TINTS[0][0], TINTS[-1][0], 512)
    stops = [height for height, _ in TINTS]
    table = np.stack([np.interp(steps, stops, [colour[band] for _, colour in TINTS]) for band in range(3)], axis=1)
    index = ((filled - np.float32(steps[0])) * np.float32(511.0 / (steps[-1] - steps[0]))).astype(np.int32)
    tint = table.astype(np.float32)[np.clip(index, 0, 511)]
    colours: Bytes = np.clip(tint * _shade(filled, frame)[..., None], 0, 255).astype(np.uint8)
    return colours


def _shade(heights: Floats32, frame: Grid) -> Floats32:
    """Brightness of the ground lit from the north-west (Lambert), around 1 on level ground.

    Mercator stretches lengths by 1 / cos(latitude); heights are stretched alike, and a little more, because kilometre
    pixels flatten every slope.
    """
    _, south, _, north = _degrees(frame)
    stretch = 1.0 / np.cos(np.radians((south + north) / 2.0))
    pixel = float(frame.transform.a)
    exaggeration = stretch * float(np.clip(pixel / 150.0, 1.0, 2.5))
    down, right = np.gradient(heights * np.float32(exaggeration / pixel))
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
    from PIL import Image

    image = Image.fromarray(picture)
    if not np.any(picture[..., 3] < 255):
        image = image.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=quality, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
