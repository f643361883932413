"""How the time of single stages grows with the size of what they work on: made-up roads and settlements, seeded."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.harness import Row, growth, rise_mb
from benchmarks.networks import road_grid
from corridor.geo.geodesy import WGS84
from corridor.io.read.borders import Borders
from corridor.io.read.osm import read_osm
from corridor.metrics.population import build_population
from corridor.metrics.reach import build_domain, reach
from corridor.network.conflate_ways import build_network
from corridor.network.conflation import conflate, join_ways
from corridor.network.connectivity import build_links, disjoint_ways, find_bridges
from corridor.network.graph import Network, Position
from corridor.schema.fields import Source

CASE = "growth of stages"
SIDES = (80, 160, 320)
PLACES = (10_000, 30_000, 100_000)
STEEPEST = 1.3
"""Greatest exponent that needs no explanation: n log n over these sizes is 1.1."""
WHY = "more than n log n is memory: what a search jumps through no longer fits the processor's caches"


LONG_S = 3.0
"""From here on a stage is measured once: what it compiles was compiled at smaller sizes."""
TEN_TIMES = (60, 189)
"""Nodes a side of two grids of roads in files: the larger has ten times as many roads."""
TEN_TIMES_GOAL = 11.0
"""Greatest time of ten times the network as a multiple of the time of the network."""


def measure(sides: tuple[int, ...] = SIDES, places: tuple[int, ...] = PLACES) -> list[Row]:
    """The best of up to three times of each stage at three sizes, in processor seconds, with the exponent over them.

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


def measure_ten_times(sides: tuple[int, int] = TEN_TIMES) -> list[Row]:
    """A made-up file of roads and one with ten times as many, read and joined into a network, with the memory it takes.

    Args:
        sides: of the grids of roads, nodes a side.
    """
    case, seconds, rows = "a network ten times as large", [], []
    with tempfile.TemporaryDirectory() as folder:
        for side in sides:
            path = Path(folder) / f"{side}.osm.pbf"
            count = write_grid(path, side)
            job = partial(_file_to_network, path)
            job()
            # the least of three: a ratio of two single runs says more of the machine than of growth
            spent = []
            for _ in range(3):
                begin = time.process_time()
                edges = job()
                spent.append(time.process_time() - begin)
            seconds.append(min(spent))
            said = f"{edges:,} edges"
            rows.append(Row(case, f"{count:,} ways", "file to network", seconds[-1], None, rise_mb(job), said))
    times, more = seconds[1] / seconds[0], sides[1] * (sides[1] - 1) / (sides[0] * (sides[0] - 1))
    goal = f"at most {TEN_TIMES_GOAL:g} times"
    said = f"{times:.1f} times the time for {more:.1f} times the roads"
    return [*rows, Row(case, "growth", "file to network", None, result=said, goal=goal, held=times <= TEN_TIMES_GOAL)]


def write_grid(path: Path, side: int) -> int:
    """Roads between all neighbours of a jittered grid, each with two vertices on the way; gives how many.

    Args:
        path: of the PBF file to write.
        side: nodes a side.
    """
    import osmium
    from osmium.osm.mutable import Node, Way

    grid = road_grid(side)
    kinds = ("residential", "tertiary", "secondary", "primary", "unclassified", "track")
    first = side * side + 1
    with osmium.SimpleWriter(str(path)) as writer:
        for k, (lon, lat) in enumerate(zip(grid.node_lon.tolist(), grid.node_lat.tolist(), strict=True)):
            writer.add_node(Node(id=k + 1, location=(lon, lat)))
        between = shapely.line_interpolate_point(
            grid.edges.geometry.to_numpy()[:, None], [1 / 3, 2 / 3], normalized=True
        )
        for k, (lon, lat) in enumerate(shapely.get_coordinates(between).tolist()):
            writer.add_node(Node(id=first + k, location=(lon, lat)))
        for k, (u, v) in enumerate(zip(grid.edges["u"].tolist(), grid.edges["v"].tolist(), strict=True)):
            tags = {"highway": kinds[k % len(kinds)], "name": f"Road {k // 7}"}
            writer.add_way(Way(id=k + 1, nodes=[u + 1, first + 2 * k, first + 2 * k + 1, v + 1], tags=tags))
    return len(grid.edges)


def _file_to_network(path: Path) -> int:
    """Read a file and join its roads into one network; gives the number of edges."""
    borders = _one_country(shapely.box(40, 30, 60, 50))
    ways = conflate(join_ways({}, {}, {}, borders, read_osm(path)), {}, {})
    return len(build_network(ways.physical, borders, (), sections={}, country_of_edge={}).edges)


def _one_country(region: shapely.Polygon) -> Borders:
    countries = gpd.GeoDataFrame({"country": ["AA"], "name": ["A"]}, geometry=[region], crs=WGS84)
    return Borders(countries, Source("made-up", "Made up", "nobody", "2026", "CC0-1.0"))


def _rows(stage: str, what: str, jobs: dict[int, Callable[[], Any]]) -> list[Row]:
    seconds = {}
    for size, job in jobs.items():
        seconds[size] = _best_of_three(job)
    exponent = growth(list(seconds), list(seconds.values()))
    return [
        *(Row(CASE, f"{size:,} {what}", stage, value) for size, value in seconds.items()),
        Row(
            CASE, f"growth over {len(seconds)} sizes", stage, None,
            result=f"time ~ {what}^{exponent:.2f}" + (f"; {WHY}" if what == "nodes" else ""),
            goal=f"at most {STEEPEST:g}", held=exponent <= STEEPEST,
        ),
    ]  # fmt: skip


def _best_of_three(job: Callable[[], Any]) -> float:
    """Processor seconds of a job, once more first to compile and to fill what is computed once; what is long, once."""
    spent: list[float] = []
    for turn in range(4):
        begin = time.process_time()
        job()
        took = time.process_time() - begin
        if turn or took > LONG_S:
            spent.append(took)
        if took > LONG_S:
            break
    return min(spent)


def _search(network: Network) -> Callable[[], Any]:
    domain = build_domain(network, "AA")
    return partial(reach, domain, Position(0, 0.0, 0.0, 0.0, 0.0), domain.state())


def _ends(network: Network) -> tuple[Any, ...]:
    u, v = (network.edges[name].to_numpy(dtype=np.int64) for name in ("u", "v"))
    return u, v, np.zeros(len(u), dtype=bool)


def _bridges(network: Network) -> Callable[[], Any]:
    u, v, closed = _ends(network)
    return lambda: find_bridges(build_links(u, v, network.n_nodes), closed)


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
    borders = _one_country(region)
    return partial(build_population, listed, shown.reset_index(drop=True), "AA", borders, region)
