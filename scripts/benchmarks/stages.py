"""How the time of single stages grows with the size of what they work on: made-up roads and settlements, seeded."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.harness import Row, growth
from benchmarks.networks import road_grid
from corridor.geo.geodesy import WGS84
from corridor.io.read.borders import Borders
from corridor.metrics.population import build_population
from corridor.metrics.reach import build_domain, reach
from corridor.network.connectivity import disjoint_ways, find_bridges
from corridor.network.graph import Network, Position
from corridor.schema.fields import Source

CASE = "growth of stages"
SIDES = (80, 160, 320)
PLACES = (10_000, 30_000, 100_000)
STEEPEST = 1.3
"""Greatest exponent that needs no explanation: n log n over these sizes is 1.1."""
WHY = "more than n log n is memory: what a search jumps through no longer fits the processor's caches"


def measure(sides: tuple[int, ...] = SIDES, places: tuple[int, ...] = PLACES) -> list[Row]:
    """The best of three times of each stage at three sizes, in processor seconds, with the exponent over them.

    Args:
        sides: of grids of roads, nodes a side.
        places: numbers of settlements.
    """
    grids = {side * side: road_grid(side) for side in sides}
    rows: list[Row] = []
    for name, stage in (("cheapest ways from and to a place", _search), ("roads that nothing replaces", _bridges),
                        ("disjoint routes between two places", _disjoint)):  # fmt: skip
        rows += _rows(name, "nodes", {nodes: stage(network) for nodes, network in grids.items()})
    largest = grids[max(grids)]
    rows += _rows("settlements joined to roads", "settlements", {n: _snap(largest, n) for n in places})
    rows += _rows("settlements of a list found on a map", "settlements", {n: _match(n) for n in places})
    return rows


def _rows(stage: str, what: str, jobs: dict[int, Callable[[], Any]]) -> list[Row]:
    seconds = {}
    for size, job in jobs.items():
        spent = []
        job()  # compiles, and fills what a network computes once
        for _ in range(3):
            begin = time.process_time()
            job()
            spent.append(time.process_time() - begin)
        seconds[size] = min(spent)
    exponent = growth(list(seconds), list(seconds.values()))
    return [
        *(Row(CASE, f"{size:,} {what}", stage, value) for size, value in seconds.items()),
        Row(
            CASE, f"growth over {len(seconds)} sizes", stage, None,
            result=f"time ~ {what}^{exponent:.2f}" + (f"; {WHY}" if what == "nodes" else ""),
            goal=f"at most {STEEPEST:g}", held=exponent <= STEEPEST,
        ),
    ]  # fmt: skip


def _search(network: Network) -> Callable[[], Any]:
    domain = build_domain(network, "AA")
    return partial(reach, domain, Position(0, 0.0, 0.0, 0.0, 0.0), domain.state())


def _ends(network: Network) -> tuple[Any, ...]:
    u, v = (network.edges[name].to_numpy(dtype=np.int64) for name in ("u", "v"))
    return u, v, np.zeros(len(u), dtype=bool)


def _bridges(network: Network) -> Callable[[], Any]:
    u, v, closed = _ends(network)
    return partial(find_bridges, u, v, closed, network.n_nodes)


def _disjoint(network: Network) -> Callable[[], Any]:
    u, v, closed = _ends(network)
    begin, end = np.zeros((2, network.n_nodes), dtype=bool)
    begin[0] = end[-1] = True
    return partial(disjoint_ways, u, v, closed, closed, begin, end)


def _snap(network: Network, count: int) -> Callable[[], Any]:
    random = np.random.default_rng(count)
    lon, lat = (random.uniform(at.min(), at.max(), count) for at in (network.node_lon, network.node_lat))
    return partial(network.snap_all, lon, lat, np.zeros(len(network.edges), dtype=bool), limit_m=2000.0)


def _match(count: int) -> Callable[[], Any]:
    """As many settlements as a list has, one in ten square kilometres, every other one on the map too."""
    random = np.random.default_rng(count)
    side = np.sqrt(10.0 * count) / 100  # degrees
    lon, lat = 10 + random.uniform(0, side, count), 40 + random.uniform(0, side, count)
    names = np.array(["".join(chr(97 + letter) for letter in word) for word in random.integers(0, 26, (count, 8))])
    listed = pd.DataFrame(
        {"name": names, "lon": lon, "lat": lat, "country": "AA", "population": 100.0, "alternate_names": ""}
    )
    shown = listed.assign(kind="village", lon=lon + 0.005)[["name", "kind", "population", "lon", "lat"]].iloc[::2]
    region = shapely.box(9, 39, 11 + side, 41 + side)
    countries = gpd.GeoDataFrame({"country": ["AA"], "name": ["A"]}, geometry=[region], crs=WGS84)
    borders = Borders(countries, Source("made-up", "Made up", "nobody", "2026", "CC0-1.0"))
    return partial(build_population, listed, shown.reset_index(drop=True), "AA", borders, region)
