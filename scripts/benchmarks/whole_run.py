"""The main job, ``corridor run``, split by stage; one route more; and tasks of a sweep."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import corridor
from benchmarks.harness import Row
from corridor.pipeline.comparing import open_run
from corridor.sweeps.cluster import build_evaluator, run_here
from corridor.sweeps.plan import build_vary, plan_tasks

WITH_ROUTE_GOAL = 0.1
"""Greatest time of one route more as a share of the run that it is added to."""
SPEEDS_GOAL_S = 4.0
"""Greatest time of a sweep's task whose speeds changed, on a real extract."""
WAY = "Kapan; Sisian"


def stages(osm: Path | None) -> tuple[list[tuple[str, float]], corridor.Comparison]:
    """Each stage of a run of the bundled study with its processor seconds, in order, writing included."""
    marks: list[tuple[str, float]] = []
    say: Callable[[str], None] = lambda step: marks.append((step, time.process_time()))  # noqa: E731
    comparison = corridor.compare(corridor.Study.bundled("syunik"), osm=osm, progress=say)
    say("writing results")
    with tempfile.TemporaryDirectory() as folder:
        comparison.write(Path(folder) / "out")
    ends = [at for _, at in marks[1:]] + [time.process_time()]
    return [(step, end - begin) for (step, begin), end in zip(marks, ends, strict=True)], comparison


def measure() -> list[Row]:
    """The bundled data, and a real extract where CORRIDOR_EXTRACT names one; the second of two runs.

    Processor time, which other work on the machine hardly changes. A stage counts from when it is first named to when
    the next one is: steps are computed when something needs them.
    """
    case, extract = "corridor run", os.environ.get("CORRIDOR_EXTRACT")
    rows: list[Row] = []
    stages(None)
    for size, osm in [("bundled data", None), *([("a real extract", Path(extract))] if extract else [])]:
        found, comparison = stages(osm)
        total = sum(seconds for _, seconds in found)
        rows.append(Row(case, size, "all stages", total))
        rows += [Row(case, size, step, seconds, result=f"{seconds / total:.0%}") for step, seconds in found]
        rows += [_one_more(case, size, comparison, total), *_sweep(case, size, osm)]
    return rows


def _one_more(case: str, size: str, comparison: corridor.Comparison, total: float) -> Row:
    begin = time.process_time()
    comparison.with_route(WAY, name="One more")
    seconds = time.process_time() - begin
    share = seconds / total
    return Row(
        case, size, "one route more (with_route)", seconds, result=f"{share:.2f} of the run",
        goal=f"at most {WITH_ROUTE_GOAL:g} of the run", held=share <= WITH_ROUTE_GOAL,
    )  # fmt: skip


def _sweep(case: str, size: str, osm: Path | None) -> list[Row]:
    """A first task, then the same with other speeds of trucks."""
    speeds = {"kind": "speeds", "mode": "road", "measure": "multiple", "values": [1.0, 0.9, 1.1]}
    vary = build_vary({"design": "product", "factors": {"speeds": speeds}}, "benchmark")
    evaluator = build_evaluator(open_run(corridor.Study.bundled("syunik"), osm=osm), vary)
    marks = [time.process_time()]
    run_here(evaluator, plan_tasks(vary, ""), lambda task, table, seconds: marks.append(time.process_time()))
    first, *others = (end - begin for begin, end in itertools.pairwise(marks))
    changed = sum(others) / len(others)
    aimed = osm is not None
    return [
        Row(case, size, "a sweep's first task", first),
        Row(
            case, size, "a sweep's task with other speeds", changed, result=f"{changed / first:.2f} of the first",
            goal=f"at most {SPEEDS_GOAL_S:g} s" if aimed else "", held=changed <= SPEEDS_GOAL_S if aimed else None,
        ),
    ]  # fmt: skip
