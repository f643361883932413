"""Measure `corridor terrain` on a made-up raster of any size: core seconds, pixels a second and peak memory.

    python scripts/large_terrain.py --rows 20000 --cols 20000

writes 0.5 GB of heights and up to 1.4 GB for each measure into a temporary folder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

from corridor.terrain.surface import MEASURES, TILE, write_terrain


def make_heights(path: Path, rows: int, cols: int) -> None:
    """Ridges, hills and noise at 1 arc-second, written in bands of rows."""
    rng = np.random.default_rng(0)
    profile = {
        "driver": "GTiff", "dtype": "int16", "count": 1, "crs": "EPSG:4326", "height": rows, "width": cols,
        "transform": Affine(1 / 3600, 0, 40, 0, -1 / 3600, 44), "tiled": True, "blockxsize": TILE, "blockysize": TILE,
        "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer", "num_threads": "all_cpus",
    }  # fmt: skip
    x = np.arange(cols)
    with rasterio.open(path, "w", **profile) as raster:
        for row in range(0, rows, TILE):
            y = np.arange(row, min(row + TILE, rows))[:, None]
            heights = 1500 + 900 * np.sin(x / 700) * np.cos(y / 900) + 300 * np.sin(x / 97 + y / 131)
            noisy = (heights + rng.normal(0, 5, heights.shape)).astype(np.int16)
            raster.write(noisy, 1, window=Window(0, row, cols, len(y)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--cols", type=int, default=20_000)
    parser.add_argument("--measure", choices=MEASURES, nargs="+", default=list(MEASURES))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dem = Path(folder) / "heights.tif"
        making = multiprocessing.get_context("spawn").Process(target=make_heights, args=(dem, asked.rows, asked.cols))
        making.start()  # in a process of its own, so that its memory isn't counted
        making.join()
        for measure in asked.measure:
            wall, core = time.perf_counter(), time.process_time()
            out = write_terrain(dem, Path(folder) / "out.tif", measure)
            wall, core = time.perf_counter() - wall, time.process_time() - core
            rate = asked.rows * asked.cols / core / 1e6
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            size = out.stat().st_size / 1e6
            print(
                f"{measure:12s} {core:7.1f} core s {wall:7.1f} s {rate:6.2f} Mpx/core s {peak:6.0f} MB {size:6.0f} MB"
            )


if __name__ == "__main__":
    main()
