"""Measure the search for new lines: exactness, speed ratios within one run, memory, limits; prints one table.

Run from the top folder: ``python scripts/benchmark_alignment.py [quick|all|tiles|FILE] [--tiles FOLDER]``. ``quick``
leaves out random terminals and a million cells; a file name does all and writes the page of the documentation; ``tiles``
does random terminals on tiles alone. The tiles of one degree (``*.hgt``, ``*.hgt.zip``, ``*.tif``) are those of a folder,
``$CORRIDOR_DATA/alps`` if it isn't named; without one they are skipped. Times are processor times. How the raster search
compares with scikit-image, pyorps and GRASS is measured by ``scripts/benchmark.py``. ``make bench-new-lines`` runs this.
"""

# ruff: noqa: ANN201, B023, E501

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import machine

import corridor.alignment.narrowing as limits
from corridor.alignment.align import Way, align, find_way
from corridor.alignment.curves import bend_angles
from corridor.alignment.links import SearchOptions, build_ground, build_levels
from corridor.alignment.narrowing import SMALL_NODES, default_narrowing, narrow, search_left
from corridor.alignment.pricing import price_line
from corridor.alignment.primed import Question
from corridor.alignment.problem import AlignmentProblem, Terrain, unit_costs
from corridor.alignment.raster import find_raster_path
from corridor.alignment.search import build_problem, search
from corridor.errors import AlignmentError
from corridor.files import data_root
from corridor.geo.geodesy import utm_crs
from corridor.geo.rasters import grid_over, warp
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.elevation import read_dem
from corridor.schema.alignment import DesignStandard, PriceRange, UnitCosts
from corridor.schema.fields import Grid

PLACES = {
    "Kapan": (46.4068, 39.2076),
    "Ordubad": (46.0227, 38.9096),
    "Mincivan": (46.7233, 39.0302),
    "Julfa": (45.6296, 38.9540),
}
BOUNDS = {("Kapan", "Ordubad"): (45.85, 38.7, 46.95, 39.4), ("Mincivan", "Julfa"): (45.5, 38.7, 46.95, 39.3)}
ROUTES = [("Kapan", "Ordubad", 1.2), ("Kapan", "Ordubad", 2.5), ("Mincivan", "Julfa", 1.2), ("Mincivan", "Julfa", 2.5)]
BIG_CELL_M = 86.0  # cells of which there are a million between Kapan and Ordubad
TILE_CELL_M = 400.0  # a search of a whole tile then takes seconds
COSTS = UnitCosts(*(PriceRange.flat(v) for v in (5.0, 25.0, 30.0)))
SAID: list[tuple[str, ...]] = []
PAGE = """# Benchmarks of new lines

Measured by `python scripts/benchmark_alignment.py docs/benchmarks-new-lines.md`, which overwrites this page, on the
bundled elevation model warped to the cell size named ({machine}, one core, processor times). Each *bar* is what the
search has to keep; ratios are within one run. Rows that name a tile are on its SRTM heights of three seconds (public
domain), at the catalogue's prices and with all heights above and below the ground. How the raster search compares with other tools: [benchmarks](benchmarks.md).

{table}
"""


def say(check: str, value: str, bar: str, held: bool | None) -> None:
    mark = {True: "holds", False: "MISSED", None: ""}[held]
    SAID.append((check, value, bar, mark))
    print(f"{check:66s} | {value:44s} | {bar:16s} | {mark}", flush=True)


def seconds(run):
    begin = time.process_time()
    result = run()
    return result, time.process_time() - begin


def rail(grade: float) -> DesignStandard:
    return DesignStandard("bench", "bench", "rail", grade, grade, 300.0, 5000.0)


def warped(pair: tuple[str, str], cell_m: float):
    import rasterio
    from rasterio.warp import Resampling, reproject, transform_bounds

    west, south, east, north = transform_bounds("EPSG:4326", "EPSG:32638", *BOUNDS[pair])
    shape = (int((north - south) / cell_m), int((east - west) / cell_m))
    transform = Affine(cell_m, 0, west, 0, -cell_m, north)
    out = np.full(shape, np.nan)
    with rasterio.open(data_root() / "bundled" / "elevation_globe_30s.tif") as source:
        reproject(rasterio.band(source, 1), out, dst_transform=transform, dst_crs="EPSG:32638", dst_nodata=np.nan,
                  resampling=Resampling.cubic)  # fmt: skip
    return out, Grid("EPSG:32638", transform, shape)


def place(name: str) -> tuple[float, float]:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True).transform(*PLACES[name])


def nodes(grid, a: str, b: str) -> list[tuple[int, int]]:
    rows, cols = grid.fractional_index(*np.array([place(a), place(b)]).T)
    return [(round(float(r)), round(float(c))) for r, c in zip(rows, cols, strict=True)]


def explicit_graphs() -> None:
    from tests.alignment.oracle import explicit_cost
    from tests.alignment.test_search import random_problem

    worst, same, abort, reverse = 0.0, True, 0.0, 0.0
    for seed in range(60):
        problem = random_problem(seed)
        expected, found = explicit_cost(problem), search(problem).cost_musd
        same &= np.isfinite(expected) == np.isfinite(found)
        if np.isfinite(expected):
            worst = max(worst, abs(found / expected - 1))
            plain = search(replace(problem, options=replace(problem.options, abort=False))).cost_musd
            abort = max(abort, abs(plain / found - 1))
            reverse = max(reverse, abs(search(problem, reverse=True).cost_musd / found - 1))
    say("60 random grids against an explicit graph in scipy", f"{worst:.1e}, reachability same: {same}", "1e-12",
        worst <= 1e-12 and same)  # fmt: skip
    say(
        "pricing aborted or not; forward against reverse",
        f"{abort:.1e}; {reverse:.1e}",
        "1e-12",
        max(abort, reverse) <= 1e-12,
    )


def narrowed(*asked: Any):
    question = Question(*asked)
    return search_left(question, narrow(question))[1]


def narrowed_at_250() -> None:
    for a, b, grade in ROUTES:
        z, grid = warped((a, b), 250.0)
        ground, (start, end) = build_ground(z, 250.0), nodes(grid, a, b)
        question = ground, start, end, rail(grade), COSTS, SearchOptions(offsets_m=(0.0,))
        full, t_full = seconds(lambda: search(build_problem(*question)))
        near, t_near = seconds(lambda: narrowed(*question))
        ratio, faster = near.cost_musd / full.cost_musd, t_full / t_near
        say(f"narrowed against full, 250 m, {a}-{b} rail {grade:g} %",
            f"cost {ratio:.5f}, {faster:.1f} x as fast ({t_full:.1f} s)", "1.001, 5 x",
            ratio <= 1.001 and faster >= 5)  # fmt: skip


def offsets_and_lines() -> None:
    every = (-30.0, -20.0, -15.0, -10.0, -5.0, 0.0, 3.5, 7.0, 10.5, 14.0, 20.0)
    for a, b, grade in ROUTES:  # compiling isn't what is asked
        align(*warped((a, b), 1800.0), place(a), place(b), rail(grade), COSTS)
    for a, b, grade in ROUTES:
        z, grid = warped((a, b), 900.0)
        ground, (start, end) = build_ground(z, 900.0), nodes(grid, a, b)
        if grade == 1.2:
            best = [
                search(build_problem(ground, start, end, rail(grade), COSTS, o)).cost_musd
                for o in (SearchOptions(), SearchOptions(offsets_m=every))
            ]
            say(f"default against {len(every)} offsets, 900 m, {a}-{b} rail {grade:g} %", f"{best[0] / best[1]:.4f}", "1.02",
                best[0] <= 1.02 * best[1])  # fmt: skip
        line, took = seconds(lambda: align(z, grid, place(a), place(b), rail(grade), COSTS))
        again = price_line(line.line, z, grid, rail(grade), COSTS).total_musd
        error = abs(again / line.price.total_musd - 1)
        say(f"{a}-{b} rail {grade:g} %: {line.length_km:.1f} km, tunnels {line.tunnel_km:.1f}, priced again",
            f"{error:.1e} ({line.price.total_musd:.0f} M, {took:.1f} s)", "1e-4", error <= 1e-4)  # fmt: skip
        over = line.max_grade_pct - grade
        highest = max((s.extent_m for s in line.structures if s.kind == "bridge"), default=0.0)
        say("  grade over the limit; highest bridge", f"{over:+.1e} %; {highest:.1f} m", "1e-9; 100 m",
            over <= 1e-9 and highest <= 100.0 + 1e-9)  # fmt: skip
        links = np.hypot(*np.diff(line.vertices[:, :2], axis=0).T)
        room = 0.5 * np.minimum(links[:-1], links[1:]) - 300.0 * np.tan(bend_angles(line.vertices) / 2)
        ratio = line.search_price_musd / line.unconstrained_price_musd
        drawn = line.price.total_musd / line.unconstrained_price_musd
        say("  turn limit: least room; price to unconstrained; drawn line", f"{room.min():.1f} m; {ratio:.3f}; {drawn:.3f}",
            "0; 1.00-1.06", bool(room.min() >= -1e-6 and 1 - 1e-12 <= ratio <= 1.06))  # fmt: skip


def neighbours() -> None:
    """What more directions are worth on prices that vary over 3, 6 and 12 cells; ``make bench`` times the same search."""
    from scipy.ndimage import gaussian_filter

    for cells in (3, 6, 12):
        noise = gaussian_filter(np.random.default_rng(0).normal(size=(2000, 2000)), cells)
        price = (1 + 9 * (noise - noise.min()) / np.ptp(noise)) ** 2
        ends = (150, 100), (1850, 1100)
        ratio = find_raster_path(price, *ends, 1.0, 32, True).cost / find_raster_path(price, *ends).cost
        say(f"32 neighbours to 8, 2000 x 2000, prices vary over {cells} cells", f"{ratio:.4f}", "0.97", ratio <= 0.97)


def random_pairs(shape: tuple[int, int], cell_m: float, seed: int):
    """Any two nodes 25 km or more apart, on summits and slopes too, each with one of four ruling grades."""
    rng = np.random.default_rng(seed)
    for number in range(10_000):
        start, end = ((int(rng.integers(shape[0])), int(rng.integers(shape[1]))) for _ in range(2))
        if np.hypot(start[0] - end[0], start[1] - end[1]) * cell_m >= 25_000.0:
            yield start, end, rail((1.2, 1.8, 2.5, 6.0)[number % 4])


def problems(z: Any, cell_m: float, name: str, options: SearchOptions, costs: UnitCosts):
    """What is asked between random pairs on a ground."""
    grid = Grid("EPSG:32632", Affine(cell_m, 0, 0, 0, -cell_m, 0), z.shape)
    terrain = Terrain(build_ground(z, cell_m), grid)
    for start, end, design in random_pairs(z.shape, cell_m, seed=len(name)):
        x, y = grid.centres(*np.array([start, end], dtype=float).T)
        yield AlignmentProblem(terrain, *zip(x.tolist(), y.tolist(), strict=True), design, costs, options)


def is_proved(way: Way) -> bool:
    return way.least_musd is not None and way.least_musd >= 0.99 * way.found.cost_musd


def compare_ways(asked, count: int, before: SearchOptions, after: SearchOptions):
    """Prices of lines by one search through those by another, their times, and the lines; pairs without one left out."""
    ratios, times, ways = [], [], []
    for problem in asked:
        try:
            first, t_first = seconds(lambda: find_way(replace(problem, options=before)))
        except AlignmentError:
            continue
        second, t_second = seconds(lambda: find_way(replace(problem, options=after)))
        ratios.append(second.found.cost_musd / first.found.cost_musd)
        times.append((t_first, t_second))
        ways.append((first, second))
        if len(ratios) == count:
            break
    return ratios, times, ways


def by_default(pair: tuple[str, str], count: int = 8) -> None:
    """What the search loses by default against one of the whole ground that begins anew, and what it saves."""
    name, options = f"{'-'.join(pair)}, one level", SearchOptions(offsets_m=(0.0,))
    asked = problems(warped(pair, 250.0)[0], 250.0, name, options, COSTS)
    ratios, times, pairs = compare_ways(asked, count, replace(options, narrowing=()), options)
    t_full, took = np.array(times).T
    proved = [is_proved(way) for _, way in pairs]
    say(f"default against the whole ground anew, {len(ratios)} random pairs, {name}",
        f"worst {max(ratios):.5f}, proved within 1 %: {sum(proved)}", "1.02, proved",
        max(ratios) <= 1.02 and all(proved))  # fmt: skip
    say("  its time and certificate over that search, all pairs; worst",
        f"{took.sum() / t_full.sum():.2f} of {t_full.sum():.0f} s; {(took / t_full).max():.2f}", "1.00",
        took.sum() <= t_full.sum())  # fmt: skip


def on_tiles(folder: Path | None, count: int = 6) -> None:
    """Random pairs on tiles of fine heights: how many are proved, and what is lost where too much ground is left out.

    A whole tile in its own cells is too large to be searched here. So wider cells stand for it, of which narrowing then
    keeps a third, as it does there.
    """
    tiles = (
        [] if folder is None else sorted(p for p in folder.iterdir() if p.name.endswith((".hgt", ".hgt.zip", ".tif")))
    )
    if not tiles:
        say("random pairs on tiles of fine heights", "skipped: no tiles (--tiles FOLDER)", "1.02, proved", None)
    costs, options = unit_costs(load_catalogue(data_root() / "reference").unit_costs, "rail"), SearchOptions()
    narrowing = default_narrowing(TILE_CELL_M, len(options.offsets_m), SMALL_NODES)
    for tile in tiles:
        z, name = tile_heights(tile, TILE_CELL_M), tile.name.partition(".")[0]
        limits.KEPT_STATES = z.size * len(build_levels(options.offsets_m, rail(1.0)).kind) // 3
        asked = problems(z, TILE_CELL_M, name, options, costs)
        ratios, times, pairs = compare_ways(asked, count, options, replace(options, narrowing=narrowing))
        t_whole, took = np.array(times).T.sum(axis=1)
        proved = [is_proved(whole) for whole, _ in pairs]
        say(f"{len(ratios)} random pairs, {name}, {TILE_CELL_M:.0f} m, proved by default", f"{sum(proved)} in {t_whole:.0f} s", "all",
            all(proved))  # fmt: skip
        say("  narrowed to a third of the ground, as beyond 2.5 million states",
            f"worst {max(ratios):.4f}, mean {np.mean(ratios):.4f}, {took / t_whole:.2f} of that time", "1.02",
            max(ratios) <= 1.02)  # fmt: skip


def tile_heights(path: Path, cell_m: float):
    """Heights of a tile of one degree in cells of a side in metres."""
    dem = read_dem([path], (-180.0, -90.0, 180.0, 90.0), source=None, vertical_error_m=0.0, error_range_km=1.0)
    west, south, east, north = dem.grid.bounds
    crs = utm_crs((west + east) / 2, (south + north) / 2)
    left, bottom, right, top = grid_over(dem.grid, crs).bounds
    inner = 4000.0  # the tile is no rectangle in metres
    shape = (int((top - bottom - 2 * inner) / cell_m), int((right - left - 2 * inner) / cell_m))
    grid = Grid(crs, Affine(cell_m, 0, left + inner, 0, -cell_m, top - inner), shape)
    return warp(dem.heights_m, dem.grid, grid)


def one_big(kind: str) -> None:
    """Print cost, seconds and peak memory above the bare process of one search of a million cells."""
    options = SearchOptions(offsets_m=(0.0,), max_structure_km=3.0, max_direct_km=10.0)
    standard = replace(rail(6.0), mode="road", min_radius_m=150.0)

    def run(z, cell_m, a, b):
        ground = build_ground(z, cell_m)
        question = ground, a, b, standard, COSTS, options
        return narrowed(*question) if kind == "narrowed" else search(build_problem(*question))

    small, small_grid = warped(("Kapan", "Ordubad"), 900.0)
    run(small, 900.0, *nodes(small_grid, "Kapan", "Ordubad"))
    z, grid = warped(("Kapan", "Ordubad"), BIG_CELL_M)
    bare = int(Path("/proc/self/statm").read_text().split()[1]) * 4
    found, took = seconds(lambda: run(z, BIG_CELL_M, *nodes(grid, "Kapan", "Ordubad")))
    # The peak that ``getrusage`` knows is also that of the process which started this one.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(found.cost_musd, took, (peak - bare) / 1024, found.expanded, z.size)


def a_million() -> None:
    results = {}
    for kind in ("narrowed", "full"):
        text = subprocess.run(
            [sys.executable, __file__, f"big-{kind}"], capture_output=True, text=True, check=True
        ).stdout
        results[kind] = [float(v) for v in text.split()]
    (cost, took, memory, _, _), (full_cost, full_took, full_memory, _, _) = results["narrowed"], results["full"]
    say("a million cells, narrowed against full", f"cost {cost / full_cost:.5f} in {took / full_took:.2f} of {full_took:.0f} s",
        "1.001 in 0.15", cost <= 1.001 * full_cost and took <= 0.15 * full_took)  # fmt: skip
    say("  peak memory above the bare process, narrowed; full", f"{memory:.0f} MB; {full_memory:.0f} MB", "100 MB",
        max(memory, full_memory) <= 100)  # fmt: skip


def write_page(path: Path) -> None:
    """The table as a page of the documentation."""
    head, *rows = [" | ".join(cell.strip() for cell in row) for row in SAID]
    table = "\n".join(f"| {row} |" for row in [head, " | ".join(["---"] * 4), *rows])
    path.write_text(PAGE.format(table=table, machine=machine()["processor"]))


def main(mode: str, tiles: Path | None) -> None:
    if mode.startswith("big-"):
        one_big(mode.removeprefix("big-"))
        return
    say("check", "measured", "bar", None)
    if mode == "tiles":
        on_tiles(tiles)
        return
    explicit_graphs()
    neighbours()
    offsets_and_lines()
    narrowed_at_250()
    if mode != "quick":
        for pair in BOUNDS:
            by_default(pair)
        on_tiles(tiles)
        a_million()
    if mode not in {"quick", "all"}:
        write_page(Path(mode))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the search for new lines.")
    parser.add_argument("mode", nargs="?", default="quick")
    data = os.environ.get("CORRIDOR_DATA")
    parser.add_argument("--tiles", type=Path, default=Path(data) / "alps" if data else None)
    asked = parser.parse_args()
    main(asked.mode, asked.tiles)
