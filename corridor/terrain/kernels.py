"""Slope, roughness and price of ground as functions of heights and pixel sizes alone.

Heights are metres, shape (rows, cols), NaN where unknown. What needs all eight neighbours is NaN where one is missing,
so also in the outermost rows and columns: half a neighbourhood shows half a slope. Relief looks at the pixels that
there are. Each value depends on a square of pixels around its own, at most ``reach`` away: a part of a raster with that
margin gives the same values, to the last bit, as the whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
CROSS_SLOPE_DOUBLES = 0.5
_NONE_BEYOND: dict[str, Any] = {"mode": "constant", "cval": np.nan}
"""There is no ground beyond the edge."""


def horn_gradient(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> tuple[Floats, Floats]:
    """Rise per metre towards the east and the north, from Horn's 3 x 3 weighted differences; reach 1.

    ``width_m`` is the east-west size of a pixel by row, shape (rows, 1), ``height_m`` the north-south size.
    B. K. P. Horn, Hill shading and the reflectance map, Proc. IEEE 69 (1981), doi:10.1109/PROC.1981.11918.
    """
    heights = heights_m.astype(np.float64)
    # Horn's kernel is a product of a difference along one axis and a smoothing across it, so two short passes do for
    # nine terms.
    smooth = np.array([1.0, 2.0, 1.0]) / 4
    east = ndimage.correlate1d(
        ndimage.correlate1d(heights, [-1, 0, 1], axis=1, **_NONE_BEYOND), smooth, axis=0, **_NONE_BEYOND
    )
    # Rows run from north to south, so the difference is turned round to rise towards the north.
    north = ndimage.correlate1d(
        ndimage.correlate1d(heights, [1, 0, -1], axis=0, **_NONE_BEYOND), smooth, axis=1, **_NONE_BEYOND
    )
    return east / (2 * width_m), north / (2 * height_m)


def slope(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> Floats:
    """Slope in degrees; reach 1."""
    return np.degrees(np.arctan(np.hypot(*horn_gradient(heights_m, width_m, height_m))))


def ruggedness(heights_m: NDArray[np.floating]) -> Floats:
    """Terrain ruggedness index in metres: root of the summed squared differences to the 8 neighbours; reach 1.

    S. J. Riley, S. D. DeGloria and R. Elliot, A terrain ruggedness index that quantifies topographic heterogeneity,
    Intermountain Journal of Sciences 5 (1999).
    """
    rows, cols = heights_m.shape
    # Pixels at the edge lack neighbours: the NaN around makes them unknown instead of smooth.
    heights = np.pad(heights_m.astype(np.float64), 1, constant_values=np.nan)
    centre = heights[1:-1, 1:-1]
    total = np.zeros((rows, cols))
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            total += (heights[down : down + rows, right : right + cols] - centre) ** 2
    return np.sqrt(total)


def relief(heights_m: NDArray[np.floating], radius_px: int) -> Floats:
    """Highest less lowest height in metres in the square of ``2 radius_px + 1`` pixels; reach ``radius_px``.

    Pixels without height don't count; where the middle one has none, the answer is NaN.

    >>> relief(np.array([[0.0, 0.0, 5.0, np.nan]]), 1).tolist()
    [[0.0, 5.0, 5.0, nan]]
    """
    heights = heights_m.astype(np.float64)
    unknown = np.isnan(heights)
    size = 2 * radius_px + 1
    # a NaN would spoil the running extremes of its whole row
    highest = ndimage.maximum_filter(np.where(unknown, -np.inf, heights), size, mode="nearest")
    lowest = ndimage.minimum_filter(np.where(unknown, np.inf, heights), size, mode="nearest")
    return np.where(unknown, np.nan, np.subtract(highest, lowest, out=np.zeros_like(heights), where=~unknown))


def cost(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> Floats:
    """Price of a kilometre of open line as a multiple of its price on level ground; reach 1.

    It grows with the square of the slope and is doubled at a tangent of one half, as design standards have it for the
    slope across a line.
    """
    tangent = np.hypot(*horn_gradient(heights_m, width_m, height_m))
    return np.asarray(1 + (tangent / CROSS_SLOPE_DOUBLES) ** 2)
