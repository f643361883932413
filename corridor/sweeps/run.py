"""A sweep from start to end: plan, data, tasks that are still missing, results as they come."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from corridor.errors import SweepError
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Progress, silent
from corridor.pipeline.steps import inputs
from corridor.schema.study import Study
from corridor.sweeps.cluster import build_evaluator, run_here, run_on_dask
from corridor.sweeps.dataset import SweepFolder, describe_inputs, describe_sweep, fingerprint
from corridor.sweeps.plan import Task, Vary, check_vary, in_order_of_work, load_vary, plan_tasks

_SAY_EVERY_S = 2.0


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: its folder, how many tasks it has, and what this run did of them."""

    folder: SweepFolder
    tasks: int
    computed: int
    seconds: float
    seconds_per_task: float

    @cached_property
    def results(self) -> pd.DataFrame:
        """All rows: task, key, factors, candidate, regime, metrics, ranks and scores; see :class:`SweepFolder`."""
        return self.folder.read()

    def sentence(self) -> str:
        """What was done, in words.

        Returns:
            One sentence.
        """
        if not self.computed:
            return f"all {self.tasks} tasks were done already"
        return (
            f"{self.computed} of {self.tasks} tasks computed in {self.seconds:.1f} s "
            f"({self.seconds_per_task:.2f} s of work a task)"
        )


class _Tally:
    """Takes results as they come: into the folder, and into words about how long the rest will take."""

    def __init__(self, folder: SweepFolder, total: int, done: int, say: Progress) -> None:
        self.folder, self.total, self.before, self.say = folder, total, done, say
        self.started = time.monotonic()
        self.said = 0.0
        self.computed = 0
        self.work_s = 0.0

    def take(self, task: Task, table: pd.DataFrame, seconds: float) -> None:
        """Keep one task's rows."""
        self.folder.write(task.key, task.values, table)
        self.computed += 1
        self.work_s += seconds
        now = time.monotonic()
        done = self.before + self.computed
        if now - self.said < _SAY_EVERY_S and done < self.total:
            return
        self.said = now
        # By the clock and not by work, since several workers compute at once.
        left = (now - self.started) / self.computed * (self.total - done)
        self.say(f"{done} of {self.total} tasks, {self.work_s / self.computed:.2f} s each, {_duration(left)} left")


def sweep(
    study: Study,
    vary: Vary | str | Path,
    out: str | Path,
    *,
    osm: str | Path | None = None,
    dem: Sequence[str | Path] = (),
    scheduler: str | None = None,
    workers: int | None = None,
    memory_limit: str = "auto",
    restart: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Compare a study's candidates many times, with inputs varied, and keep every result.

    Results come as files into ``out``, one per task, as they are computed. A sweep that was stopped, by Ctrl-C, a
    power cut or a killed process, goes on where it was when it is called again with the same arguments.

    Args:
        study: what is asked.
        vary: which inputs vary, and how: a TOML file, or what :func:`corridor.sweeps.plan.build_vary` gives.
        out: folder of the sweep.
        osm: an OpenStreetMap file instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        scheduler: address of a Dask scheduler, as ``tcp://HOST:8786``; workers there need this package.
        workers: processes on this machine where no scheduler is given, by default one per core; 0 computes in this
            process, without Dask.
        memory_limit: of each local worker, as ``4GB``; ``auto`` shares the memory of the machine out.
        restart: begin anew if the folder holds a sweep of other data.
        progress: called with a few words at each step.

    Returns:
        The sweep's folder, and what this run did of it.

    Raises:
        CorridorError: study, data or sweep can't be used, the folder holds another sweep, or the cluster fails.
    """
    say = progress or silent
    _check_arguments(scheduler, workers)
    name = "sweep" if isinstance(vary, Vary) else str(vary)
    factors = vary if isinstance(vary, Vary) else load_vary(Path(vary))
    osm_path, dem_paths = Path(osm) if osm else None, [Path(path) for path in dem]
    comparison = open_run(study, osm=osm_path, dem=dem_paths, progress=say)
    comparison[inputs.known_names]  # wrong names are told before anything long is read
    evaluator = build_evaluator(comparison, factors)
    check_vary(factors, evaluator.run, name)
    hashes = describe_inputs(study, osm_path, dem_paths)
    tasks = plan_tasks(factors, fingerprint(hashes))
    folder = SweepFolder(Path(out))
    is_new = not folder.path.exists()
    done = folder.open(describe_sweep(study, factors, hashes, len(tasks)), tasks, restart=restart)
    # Tasks that share most of what they need come one after the other, so that little is computed twice.
    ordered = in_order_of_work(tasks, factors, evaluator.run)
    missing = [task for task in ordered if task.key not in done]
    tally = _Tally(folder, len(ordered), len(ordered) - len(missing), say)
    try:
        if missing and workers == 0:
            run_here(evaluator, missing, tally.take)
        elif missing:
            count = None if workers is None else min(workers, len(missing))
            run_on_dask(
                evaluator, missing, tally.take,
                scheduler=scheduler, workers=count, memory_limit=memory_limit, say=say,
            )  # fmt: skip
    except Exception:
        # What failed before its first result leaves nothing to go on from.
        if is_new and not tally.computed:
            shutil.rmtree(folder.path, ignore_errors=True)
        raise
    seconds = time.monotonic() - tally.started
    return Sweep(folder, len(ordered), tally.computed, seconds, tally.work_s / max(tally.computed, 1))


def _check_arguments(scheduler: str | None, workers: int | None) -> None:
    if scheduler is not None and workers is not None:
        raise SweepError("--scheduler and --workers exclude each other: workers of a cluster are started there")
    if workers is not None and workers < 0:
        raise SweepError(f"--workers {workers}: must be 0 (this process, no Dask) or more")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
