"""The main job, ``corridor run``, split by stage."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import corridor
from benchmarks.harness import Row


def stages(osm: Path | None) -> list[tuple[str, float]]:
    """Each stage of a run of the bundled study with its seconds, in order, writing included."""
    marks: list[tuple[str, float]] = []
    say: Callable[[str], None] = lambda step: marks.append((step, time.perf_counter()))  # noqa: E731
    comparison = corridor.compare(corridor.Study.bundled("syunik"), osm=osm, progress=say)
    say("writing results")
    with tempfile.TemporaryDirectory() as folder:
        comparison.write(Path(folder) / "out")
    ends = [at for _, at in marks[1:]] + [time.perf_counter()]
    return [(step, end - begin) for (step, begin), end in zip(marks, ends, strict=True)]


def measure() -> list[Row]:
    """The bundled data, and a real extract where CORRIDOR_EXTRACT names one; the second of two runs."""
    rows: list[Row] = []
    extract = os.environ.get("CORRIDOR_EXTRACT")
    stages(None)
    for size, osm in [("bundled data", None), *([("a real extract", Path(extract))] if extract else [])]:
        found = stages(osm)
        total = sum(seconds for _, seconds in found)
        rows.append(Row("corridor run", size, "all stages", total))
        rows += [Row("corridor run", size, step, seconds, result=f"{seconds / total:.0%}") for step, seconds in found]
    return rows
