"""The relief under the map, beside folium's own way of warping a picture."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Row, growth_rows, in_turn, name_of
from corridor.report.map.ground import build_relief
from corridor.schema.fields import Grid

SIZES = (500, 1000, 2000)


def measure(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Seconds from heights to an encoded picture; folium's are for ``mercator_project`` of its ImageOverlay."""
    from affine import Affine
    from folium.raster_layers import ImageOverlay

    case, rows = "relief overlay", []
    times: dict[str, dict[float, float]] = {}
    for size in sizes:
        random = np.random.default_rng(size)
        heights = np.cumsum(np.cumsum(random.normal(size=(size, size)), 0), 1).astype(np.float32)
        step = 1.0 / size
        grid = Grid("EPSG:4326", Affine(step, 0, 46, 0, -step, 40), (size, size))
        picture = np.zeros((size, size, 4), dtype=np.uint8)
        picture[..., :3] = np.clip(heights[..., None], 0, 255)
        jobs = {
            "corridor": lambda heights=heights, grid=grid: build_relief(heights, grid),
            "folium": lambda picture=picture: ImageOverlay(picture, [[39, 46], [40, 47]], mercator_project=True),
        }
        timed = in_turn(jobs, 5 if size <= 1000 else 1)
        for tool, t in timed.items():
            ours = tool == "corridor"
            rows.append(
                Row(
                    case,
                    f"{size} x {size}",
                    name_of(tool),
                    t.seconds,
                    t.seconds / timed["corridor"].seconds,
                    result="tint, shade, warp, WebP" if ours else "warp and PNG of a finished picture",
                    goal="under 2 s" if ours else "no slower than folium",
                    held=t.seconds < 2 if ours else t.seconds >= timed["corridor"].seconds,
                )
            )
            times.setdefault(tool, {})[size * size] = t.seconds
    return rows + growth_rows(case, "cells", times)
