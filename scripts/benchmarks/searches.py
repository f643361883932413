"""Least-cost paths over a raster, beside scikit-image, pyorps and GRASS."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Row, growth_rows, in_turn, name_of, peak_memory_mb
from corridor.alignment.raster import find_raster_path

CASE = "raster search"
SIZES = (500, 1000, 2000)
MEMORY_SIZE = 4000
NEIGHBOURS = (8, 16, 32)
_RINGS = {8: "r1", 16: "r2", 32: "r3"}
Floats = NDArray[np.float64]


def price_raster(size: int) -> tuple[Floats, tuple[int, int], tuple[int, int]]:
    """Whole prices per cell from 600 to 60,000 on smooth noise, (size, size), and two far nodes.

    Whole numbers, because pyorps keeps prices in 16 bits.
    """
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).normal(size=(size, size)), 3)
    price = np.rint(600 * (1 + 9 * (noise - noise.min()) / np.ptp(noise)) ** 2)
    return price, (int(size * 0.075), int(size * 0.05)), (int(size * 0.925), int(size * 0.55))


def integral_over_cells(price: Floats, nodes: NDArray[np.integer]) -> float:
    """The exact line integral of a path between cell centres, every cell a square of one price.

    Each straight piece is cut where it enters another square; independent of every search measured here.
    """
    total = 0.0
    for (r0, c0), (r1, c1) in zip(nodes[:-1].tolist(), nodes[1:].tolist(), strict=True):
        cuts = {0.0, 1.0}
        for begin, end in ((r0, r1), (c0, c1)):
            if begin != end:
                low, high = sorted((begin, end))
                cuts |= {(k + 0.5 - begin) / (end - begin) for k in range(low, high)}
        t = np.array(sorted(cuts))
        middle = (t[1:] + t[:-1]) / 2
        # Along a cell's edge or through a corner the middle of a piece is unambiguous except on the edge itself.
        rows, cols = np.rint(r0 + middle * (r1 - r0)).astype(int), np.rint(c0 + middle * (c1 - c0)).astype(int)
        total += float((np.diff(t) * price[rows, cols]).sum() * np.hypot(r1 - r0, c1 - c0))
    return total


def by_corridor(price: Floats, start: tuple[int, int], end: tuple[int, int], neighbours: int) -> NDArray[np.integer]:
    """Eight neighbours by the mean of both nodes, as the peers price; more with the exact integral along each step."""
    return find_raster_path(price, start, end, 1.0, neighbours, exact=neighbours > 8).nodes


def by_scikit_image(price: Floats, start: tuple[int, int], end: tuple[int, int], _: int) -> NDArray[np.integer]:
    """``MCP_Geometric``: eight neighbours."""
    from skimage.graph import MCP_Geometric

    search = MCP_Geometric(price)
    search.find_costs([start], [end])
    return np.array(search.traceback(end))


def by_pyorps(price: Floats, start: tuple[int, int], end: tuple[int, int], neighbours: int) -> NDArray[np.integer]:
    """Its own Cython search over the whole raster, Dijkstra."""
    from pyorps import PathFinder
    from rasterio.transform import from_origin

    rows = len(price)
    finder = PathFinder(
        price.astype(np.uint16),
        *((c + 0.5, rows - r - 0.5) for r, c in (start, end)),
        crs="EPSG:32638",
        transform=from_origin(0, rows, 1, 1),
        neighborhood_str=_RINGS[neighbours],
        search_space_buffer_m=2.0 * rows,
        ignore_max_cost=False,
    )
    path = finder.find_route(algorithm="dijkstra", calculate_metrics=False)
    # A path in the raster's own coordinates, whatever window the finder cut.
    x, y = np.asarray(path.path_coords, dtype=float).T
    return np.column_stack([np.rint(rows - y - 0.5), np.rint(x - 0.5)]).astype(int)


TOOLS: dict[str, Callable[..., NDArray[np.integer]]] = {
    "corridor": by_corridor,
    "scikit-image": by_scikit_image,
    "pyorps": by_pyorps,
}


class Grass:
    """``r.cost`` and ``r.path`` of an installed GRASS GIS, in a location of its own."""

    def __init__(self, price: Floats, folder: Path) -> None:
        """Import the raster; that isn't counted."""
        self.rows, self.cols = price.shape
        self.mapset = folder / "location" / "PERMANENT"
        raw = folder / "price.bin"
        price.astype("<f8").tofile(raw)
        subprocess.run(["grass", "-c", "EPSG:32638", "-e", str(folder / "location")], check=True, capture_output=True)
        self.call(
            "r.in.bin",
            "-d",
            f"input={raw}",
            "output=price",
            f"rows={self.rows}",
            f"cols={self.cols}",
            "bytes=8",
            f"north={self.rows}",
            "south=0",
            "west=0",
            f"east={self.cols}",
        )
        self.call("g.region", "raster=price")

    def call(self, *words: str) -> str:
        """Run one GRASS command."""
        command = ["grass", str(self.mapset), "--exec", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def search(self, start: tuple[int, int], end: tuple[int, int], neighbours: int) -> None:
        """Accumulate from the start until the end is reached."""
        a, b = (f"{c + 0.5},{self.rows - r - 0.5}" for r, c in (start, end))
        knight = ["-k"] if neighbours == 16 else []
        self.call(
            "r.cost",
            *knight,
            "--overwrite",
            "input=price",
            "output=cost",
            "outdir=way",
            f"start_coordinates={a}",
            f"stop_coordinates={b}",
            "memory=4000",
        )

    def nodes(self, end: tuple[int, int]) -> NDArray[np.integer]:
        """The path found last, from its end to its start."""
        b = f"{end[1] + 0.5},{self.rows - end[0] - 0.5}"
        self.call("r.path", "--overwrite", "input=way", "format=degree", f"start_coordinates={b}", "vector_path=path")
        text = self.call("v.out.ascii", "input=path", "format=standard", "precision=6")
        points = [line.split() for line in text.splitlines() if line.startswith(" ") and len(line.split()) >= 2]
        xy = np.array([[float(p[0]), float(p[1])] for p in points if "." in p[0] or p[0].isdigit()])
        xy = xy[(xy[:, 0] % 1 == 0.5) & (xy[:, 1] % 1 == 0.5)]
        return np.column_stack([np.rint(self.rows - xy[:, 1] - 0.5), np.rint(xy[:, 0] - 0.5)]).astype(int)


def measure(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Time and exact cost of the path found, by tool, size and neighbours."""
    rows: list[Row] = []
    cheapest: dict[int, list[tuple[str, int, float]]] = {}
    for neighbours in NEIGHBOURS:
        times: dict[str, dict[float, float]] = {}
        for size in sizes:
            seconds, costs = _one(size, neighbours)
            rows += _rows(neighbours, size, seconds, costs)
            cheapest.setdefault(size, []).extend((tool, neighbours, cost) for tool, cost in costs.items())
            for tool, took in seconds.items():
                times.setdefault(_label(tool, neighbours), {})[float(size * size)] = took
        rows += growth_rows(f"{CASE}, {neighbours} neighbours", "cells", times)
    for size, found in cheapest.items():
        ours = next(c for tool, n, c in found if tool == "corridor" and n == 32)
        share = ours / min(c for tool, _, c in found if tool != "corridor")
        rows.append(
            Row(
                f"{CASE}, true cost",
                f"{size} x {size}",
                "corridor, 32 neighbours",
                None,
                result=f"{share:.5f} of the cheapest peer's",
                goal="cheaper than every peer",
                held=share < 1,
            )
        )
    return rows


def _one(size: int, neighbours: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds and true cost by tool; scikit-image has eight neighbours only and is shown beside more."""
    price, start, end = price_raster(size)
    jobs: dict[str, Callable[[], Any]] = {
        tool: partial(run, price, start, end, neighbours) for tool, run in TOOLS.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        grass = Grass(price, Path(folder)) if shutil.which("grass") and neighbours < 32 else None
        if grass is not None:
            jobs["grass"] = partial(grass.search, start, end, neighbours)
        # At the largest size once: by then all is compiled, and a search takes long beside what else the machine does.
        timed = in_turn(jobs, 3 if size < max(SIZES) else 1)
        paths = {tool: t.result for tool, t in timed.items()}
        if grass is not None:
            paths["grass"] = grass.nodes(end)
    costs = {tool: integral_over_cells(price, path) for tool, path in paths.items()}
    return {tool: t.seconds for tool, t in timed.items()}, costs


def _rows(neighbours: int, size: int, seconds: dict[str, float], costs: dict[str, float]) -> list[Row]:
    ours, best = seconds["corridor"], min(costs.values())
    rows = []
    for tool, took in seconds.items():
        ratio = took / ours
        goal, held = "", None
        if tool == "scikit-image" and neighbours == 8:
            goal, held = "at least 4 times as fast", ratio >= 4
        elif tool != "corridor" and neighbours == 8:
            goal, held = "no slower than any other peer", ratio >= 1
        rows.append(
            Row(
                f"{CASE}, {neighbours} neighbours",
                f"{size} x {size}",
                _label(tool, neighbours),
                took,
                ratio,
                result=f"true cost {costs[tool] / best:.5f} of the best",
                goal=goal,
                held=held,
            )
        )
    return rows


def _label(tool: str, neighbours: int) -> str:
    if tool == "grass":
        told = subprocess.run(["grass", "--version"], capture_output=True, text=True, check=False)
        number = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
        return f"GRASS {number.group() if number else ''} r.cost"
    return name_of(tool) + (" (8 neighbours)" if tool == "scikit-image" and neighbours > 8 else "")


def measure_memory(size: int = MEMORY_SIZE) -> list[Row]:
    """Memory above the raster itself, eight neighbours."""
    taken = {tool: peak_memory_mb("raster", tool, size) for tool in TOOLS}
    share = taken["corridor"] / taken["scikit-image"]
    return [
        Row(
            f"{CASE}, memory",
            f"{size} x {size}",
            name_of(tool),
            None,
            memory_mb=mb,
            result=f"{mb / taken['scikit-image']:.2f} of scikit-image's",
            goal="below half of scikit-image's" if tool == "corridor" else "",
            held=share < 0.5 if tool == "corridor" else None,
        )
        for tool, mb in taken.items()
    ]
