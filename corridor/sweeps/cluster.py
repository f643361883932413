"""Who computes the tasks of a sweep: one evaluator here, or many on Dask."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pandas as pd

import corridor
from corridor.errors import CorridorError, ExtraError, SweepError
from corridor.pipeline.comparing import FROM_FILES, comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import impacts, inputs, ranking
from corridor.schema.vocabulary import FirstPlace
from corridor.sweeps.factors import Value
from corridor.sweeps.plan import Task, Vary

# --- One task after another on the same data: what a task's values don't change is taken from the tasks before ---


class SweepEvaluator:
    """A study, its data and a sweep's factors: all that a worker needs, sent to it once.

    :meth:`evaluate` is a function of its values alone; what it keeps from earlier calls only saves time. What is kept
    stays in the process where it arose.

    Args:
        given: values of the comparison's graph by name, so many that no file is left to read.
        vary: which inputs vary, and how.
    """

    def __init__(self, given: Mapping[str, Any], vary: Vary) -> None:
        self.given = dict(given)
        self.vary = vary
        self._start()

    def _start(self) -> None:
        self.run = Run(comparison_graph(), self.given)
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self.given, "vary": self.vary}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    @property
    def metric_columns(self) -> tuple[str, ...]:
        """Metrics that results keep: the scored ones, then those that the sweep asks for."""
        return tuple(dict.fromkeys([*(c.metric for c in self.run[inputs.criteria]), *self.vary.metrics]))

    def evaluate(self, values: Mapping[str, Value]) -> pd.DataFrame:
        """One comparison with the factors at these values: a row per candidate and regime, from the study's order.

        Columns: candidate_id, regime_id, panel, fault, the metrics with ``<metric>_status`` where there is one, and
        ``rank:``, ``sure:`` (1 where it is first for sure) and ``score:`` for each perspective. A comparison that can't
        be made (no way is left, say) has one row whose ``fault`` says why.

        Args:
            values: of each factor, by its name.
        """
        with self._lock:
            try:
                return self._shaped(self._compared(self.run_at(values)))
            except CorridorError as fault:
                return self._shaped(pd.DataFrame({"fault": [" ".join(str(fault).split())]}))

    def run_at(self, values: Mapping[str, Value]) -> Run:
        """The comparison with the factors at these values; it shares what it can with the others.

        Args:
            values: of each factor, by its name.
        """
        # Each factor replaces some inputs, and what doesn't hang on them is shared with the runs before.
        run = self.run
        for name, factor in self.vary.factors.items():
            run = run.replace(**factor.replaced(run, values[name]))
        return run

    def _compared(self, run: Run) -> pd.DataFrame:
        """Metrics that are kept, and ranks and scores beside them."""
        metrics, keys = run[impacts.metrics], ["candidate_id", "regime_id"]
        if "regime_id" not in metrics:
            metrics = metrics.assign(regime_id="")
        kept = [*keys, *self.metric_columns, *(f"{name}_status" for name in self.metric_columns)]
        table = metrics[[name for name in kept if name in metrics]].assign(fault="")
        for name, ranking_table in run[ranking.ranking_of].items():
            # Where metrics are undetermined a rank is the best that they leave possible, a score the greatest.
            best = {"rank_best": f"rank:{name}", "score_high": f"score:{name}"}
            ranked = ranking_table.drop(columns=["rank", "score"]).rename(columns=best)
            # In numbers, so that who isn't ranked has none.
            surely = (ranked["first"] == FirstPlace.FOR_SURE).astype(float)
            ranked[f"sure:{name}"] = surely.where(ranked[f"rank:{name}"].notna())
            wanted = [*keys, f"rank:{name}", f"sure:{name}", f"score:{name}"]
            if "panel" not in table:
                wanted += ["panel", "reason"]
            table = table.merge(ranked[wanted], on=keys, how="left", validate="one_to_one")
        return table

    def _shaped(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with the same columns and types whatever happened."""
        texts = ["candidate_id", "regime_id", "panel", "fault", "reason"]
        texts += [f"{name}_status" for name in self.metric_columns]
        numbers = list(self.metric_columns)
        numbers += [f"{what}:{name}" for name in self.run[ranking.perspectives] for what in ("rank", "sure", "score")]
        frame = pd.DataFrame(index=table.index)
        for name in texts:
            column = table[name] if name in table else pd.Series("", index=table.index)
            frame[name] = column.fillna("").astype(str)
        for name in numbers:
            column = table[name] if name in table else pd.Series(np.nan, index=table.index)
            frame[name] = column.astype("Float64").astype(float)
        return frame


def build_evaluator(run: Run, vary: Vary) -> SweepEvaluator:
    """Everything that the tasks of a sweep need, with no file left to read.

    Error draws of the comparison itself are left out: in a sweep heights vary as a factor, or not at all.

    Args:
        run: a comparison, whose data is read now.
        vary: which inputs vary, and how.

    Raises:
        CorridorError: study or data can't be used.
    """
    plain = {"elevation": run[inputs.elevation].model_copy(update={"draws": 0})}
    return SweepEvaluator(run.pinned(FROM_FILES) | plain, vary)


def evaluate_task(evaluator: SweepEvaluator, values: Mapping[str, Value]) -> tuple[pd.DataFrame, float]:
    """What a worker does: one comparison, and the seconds it took.

    Args:
        evaluator: the sweep's.
        values: of each factor, by its name.
    """
    started = time.perf_counter()
    return evaluator.evaluate(values), time.perf_counter() - started


TIMEOUT_S = 15.0
SEND_TIMEOUT_S = 600
MAX_TRIES = 5
_PER_WORKER = 2
Take = Callable[[Task, pd.DataFrame, float], None]


def run_here(evaluator: SweepEvaluator, tasks: Iterable[Task], take: Take) -> None:
    """Compute tasks one after another in this process.

    Args:
        evaluator: computes a task.
        tasks: those to compute.
        take: takes each result as it comes.
    """
    for task in tasks:
        take(task, *evaluate_task(evaluator, task.values))


def run_on_dask(
    evaluator: SweepEvaluator,
    tasks: Sequence[Task],
    take: Take,
    *,
    scheduler: str | None,
    workers: int | None,
    memory_limit: str,
    say: Callable[[str], None],
) -> None:
    """Compute tasks on a cluster; ``take`` gets each result in this process as it comes.

    The data is sent to each worker once. Two tasks a worker are under way at a time. What a worker was computing when
    it died is computed by another; if the last copy of the data died with it, it is sent again.

    Args:
        evaluator: computes a task.
        tasks: those to compute.
        take: takes each result as it comes.
        scheduler: address of one that runs; workers are started here if None.
        workers: how many to start; one per core if None.
        memory_limit: of each local worker, as ``4GB`` or ``auto``.
        say: called with a few words about what is done.

    Raises:
        ExtraError: Dask isn't installed.
        SweepError: the scheduler or its workers don't answer or run other versions, or a task
            kills every worker that it is given to.
    """
    _require_dask()
    with _quiet_logs(), _connected(scheduler, workers, memory_limit) as client:
        if scheduler is not None:
            _check_versions(client, scheduler)
        say("sending the data to the workers")
        _Feeder(client, evaluator, take, memory_limit).run(tasks)


def _require_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as fault:
        raise ExtraError(
            "a sweep on several processes needs Dask: pip install 'corridor[sweep]', or use --workers 0"
        ) from fault


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """What goes wrong is said in words of our own; Dask's log lines about restarts would only confuse."""
    loggers = [logging.getLogger(name) for name in ("distributed", "bokeh", "tornado")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _connected(scheduler: str | None, workers: int | None, memory_limit: str) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as fault:  # TimeoutError is an OSError
            raise SweepError(
                f"--scheduler {scheduler}: no scheduler answers there; start one with `dask scheduler` and give its "
                f"address as tcp://HOST:8786"
            ) from fault
        try:
            yield client
        finally:
            client.close(timeout=5)
        return
    # before the workers' processes start, so that their own logs are as quiet
    quiet = {"distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical"}
    with dask.config.set(quiet):
        with _interrupts_ignored():
            try:
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=memory_limit,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            except ValueError as fault:
                raise SweepError(f"--memory-limit {memory_limit}: {fault}; give for instance 4GB") from fault
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes that start inside don't see Ctrl-C: this one answers it, and then ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_versions(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=TIMEOUT_S)
    except TimeoutError as fault:
        raise SweepError(
            f"--scheduler {scheduler}: has no workers; start some with `dask worker {scheduler} --nthreads 1`"
        ) from fault
    try:
        client.get_versions(check=True)
    except ValueError as fault:
        raise SweepError(
            f"--scheduler {scheduler}: its workers run other versions than this process: "
            f"{' '.join(str(fault).split())[:600]}; install the same packages on all"
        ) from fault
    try:
        there = set(client.run(_corridor_version).values())
    except ImportError as fault:
        raise SweepError(f"--scheduler {scheduler}: its workers lack corridor; install it there too") from fault
    if there - {corridor.__version__}:
        raise SweepError(
            f"--scheduler {scheduler}: its workers have corridor {', '.join(sorted(map(str, there)))}, "
            f"this process {corridor.__version__}; install the same version on all"
        )


def _corridor_version() -> str:
    import corridor as there

    return there.__version__


class _Feeder:
    """Keeps workers busy without handing everything out at once, and hands out again what was lost."""

    def __init__(self, client: Any, evaluator: SweepEvaluator, take: Take, memory_limit: str) -> None:
        self.client = client
        self.evaluator = evaluator
        self.take = take
        self.memory_limit = memory_limit
        self.tries: dict[str, int] = {}

    def run(self, tasks: Sequence[Task]) -> None:
        from distributed import as_completed

        # Tasks are taken off the end, so that one that was lost comes next.
        waiting = list(reversed(tasks))
        under_way: dict[Any, Task] = {}
        data = self._send()
        finished = as_completed([], loop=self.client.loop, raise_errors=False)
        while waiting or under_way:
            # Room is asked anew each time, since workers may come and go.
            while waiting and len(under_way) < self._room():
                task = waiting.pop()
                future = self._submit(data, task)
                under_way[future] = task
                finished.add(future)
            future = next(finished)
            task = under_way.pop(future)
            if future.status == "finished":
                try:
                    table, seconds = future.result(timeout=TIMEOUT_S)
                except Exception:  # noqa: BLE001 - a result can be lost between its end and its coming
                    self._again(task, waiting, "its result was lost")
                    continue
                finally:
                    future.release()
                self.take(task, table, seconds)
            elif future.status == "error" and not self._worker_died(future):
                fault = future.exception()
                raise SweepError(f"task {task.number}: failed with {type(fault).__name__}: {fault}"[:800]) from fault
            else:
                self._again(task, waiting, "the workers that it was given to died")
                if data.status != "finished":
                    data = self._send()

    def _again(self, task: Task, waiting: list[Task], why: str) -> None:
        self.tries[task.key] = self.tries.get(task.key, 0) + 1
        if self.tries[task.key] >= MAX_TRIES:
            raise SweepError(
                f"task {task.number}: given up after {MAX_TRIES} tries, because {why}; if memory was short, give fewer "
                f"workers or a higher --memory-limit (now {self.memory_limit}), and the same command goes on"
            )
        waiting.append(task)

    def _worker_died(self, future: Any) -> bool:
        from distributed.scheduler import KilledWorker

        return isinstance(future.exception(), KilledWorker)

    def _room(self) -> int:
        """How many tasks may be under way."""
        threads: dict[str, int] = self.client.nthreads()
        return max(2, _PER_WORKER * sum(threads.values()))

    def _send(self) -> Any:
        with suppress(TimeoutError):
            self.client.wait_for_workers(1, timeout=TIMEOUT_S)
        if not self.client.nthreads():
            raise SweepError("no worker is left; start some, and the same command goes on where this one stopped")
        try:
            return self.client.scatter(self.evaluator, broadcast=True, hash=False, timeout=SEND_TIMEOUT_S)
        except TimeoutError as fault:
            raise SweepError(
                f"the workers didn't take the study's data within {SEND_TIMEOUT_S} s; see their logs, and the same "
                "command goes on where this one stopped"
            ) from fault

    def _submit(self, data: Any, task: Task) -> Any:
        tries = self.tries.get(task.key, 0)
        # A name that failed is known to the scheduler as failed: another try needs another name.
        name = f"corridor-{task.key}" + (f"-{tries}" if tries else "")
        return self.client.submit(evaluate_task, data, dict(task.values), key=name, pure=True)
