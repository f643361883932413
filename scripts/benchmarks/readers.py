"""Reading OpenStreetMap files, beside pyrosm and osmnx."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row, growth_rows, in_turn, name_of, rise_mb
from corridor.io.read.osm import read_osm

SIZES = (8_000, 25_000, 80_000)
"""Ways of the files: the last has ten times as many as the first."""
CASE = "reading a PBF"


def write_roads(path: Path, n_ways: int) -> None:
    """Chained roads of ten nodes each, with tags such as mappers give, and twice as many nodes that carry nothing."""
    import osmium
    from osmium.osm.mutable import Node, Way

    random = np.random.default_rng(n_ways)
    n_nodes = n_ways * 9 + 1
    lon, lat = (np.cumsum(random.normal(0, 2e-5, n_nodes)) + at for at in (46.0, 39.0))
    kinds = ("residential", "track", "service", "tertiary", "unclassified", "primary")
    with osmium.SimpleWriter(str(path)) as writer:
        for k in range(n_nodes):
            writer.add_node(Node(id=k + 1, location=(float(lon[k]), float(lat[k]))))
        for k in range(n_nodes, 3 * n_nodes):
            writer.add_node(Node(id=k + 1, location=(46.5, 39.5)))
        for k in range(n_ways):
            tags = {"highway": kinds[k % len(kinds)], "name": f"Road {k // 7}", "surface": "asphalt"}
            writer.add_way(Way(id=k + 1, nodes=list(range(k * 9 + 1, k * 9 + 11)), tags=tags))


def by_corridor(path: Path) -> int:
    """Roads, railways and places, with the ids of all vertices."""
    return len(read_osm(path).ways)


def by_pyrosm(path: Path) -> int:
    """Every way with a highway tag; from a copy under a new name each time, because it remembers files it has read."""
    from pyrosm import OSM

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{time.monotonic_ns()}.osm.pbf"
        shutil.copy(path, copy)
        return len(OSM(str(copy)).get_network(network_type="all"))


def by_osmnx(path: Path) -> int:
    """From XML, the only form that it reads from a file; as a graph, unsimplified."""
    import osmnx

    return int(osmnx.graph_from_xml(path, simplify=False, retain_all=True).number_of_edges())


def measure(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Seconds to read, and memory on top; osmnx at the smallest size only, from the same data as XML."""
    rows: list[Row] = []
    times: dict[str, dict[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n_ways in sizes:
            path = Path(folder) / f"roads{n_ways}.osm.pbf"
            write_roads(path, n_ways)
            jobs: dict[str, Callable[[], Any]] = {
                "corridor": partial(by_corridor, path),
                "pyrosm": partial(by_pyrosm, path),
            }
            timed = in_turn(jobs, 3)
            memory = {tool: rise_mb(job) for tool, job in jobs.items()}
            if n_ways == sizes[0]:
                import osmium

                xml = path.with_suffix(".osm")
                with osmium.SimpleWriter(str(xml)) as writer:
                    for item in osmium.FileProcessor(str(path)):
                        writer.add(item)
                timed |= in_turn({"osmnx": partial(by_osmnx, xml)}, 1)
            rows += _rows(f"{n_ways} ways", timed, memory)
            for tool in jobs:
                times.setdefault(tool, {})[n_ways] = timed[tool].seconds
    extract = os.environ.get("CORRIDOR_EXTRACT")
    if extract:
        path = Path(extract)
        jobs = {"corridor": partial(by_corridor, path), "pyrosm": partial(by_pyrosm, path)}
        rows += _rows(f"a real extract, {path.stat().st_size / 1e6:.0f} MB", in_turn(jobs, 2))
    return rows + growth_rows(CASE, "ways", times)


def _rows(size: str, timed: dict[str, Any], memory: dict[str, float] | None = None) -> list[Row]:
    ours, taken = timed["corridor"].seconds, memory or {}
    return [
        Row(
            CASE,
            size,
            name_of(tool) + (" (as XML)" if tool == "osmnx" else ""),
            t.seconds,
            t.seconds / ours,
            taken.get(tool),
            result=f"{t.result} {'edges' if tool == 'osmnx' else 'ways'}",
            goal="" if tool == "corridor" else "at least as fast",
            held=None if tool == "corridor" else t.seconds >= ours,
        )
        for tool, t in timed.items()
    ]
