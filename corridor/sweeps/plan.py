"""The tasks of a sweep: points of its design, each known by a hash of what it is computed from."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import SweepError
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import lines
from corridor.sweeps.factor import Value
from corridor.sweeps.vary import MAX_TASKS, Vary

_KEY_LENGTH = 20
_DEAR = ("conflated_ways", "conflation", "candidates", "line_rows")
"""Values that take long to compute, of which few are kept at a time."""


@dataclass(frozen=True, slots=True)
class Task:
    """One comparison: its number in the design, its key, and the value of each factor."""

    number: int
    key: str
    values: Mapping[str, Value]


def plan_tasks(vary: Vary, fingerprint: str) -> tuple[Task, ...]:
    """The points of a design in its order; ``fingerprint`` stands for the study and all its data.

    Equal points (of a sample over few values) share a key: they are computed once and count as often as they occur.

    Raises:
        SweepError: the product has over a million combinations.
    """
    meanings = {
        "factors": {name: factor.meaning() for name, factor in vary.factors.items()},
        "metrics": list(vary.metrics),
    }
    return tuple(
        Task(number, _key(fingerprint, meanings, values), values) for number, values in enumerate(_points(vary))
    )


def _key(fingerprint: str, meanings: Mapping[str, Any], values: Mapping[str, Value]) -> str:
    text = json.dumps([fingerprint, meanings, values], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def _points(vary: Vary) -> Iterable[dict[str, Value]]:
    if vary.design == "product":
        return _product(vary)
    return _sample(vary)


def _product(vary: Vary) -> Iterable[dict[str, Value]]:
    lists = [factor.grid() for factor in vary.factors.values()]
    count = math.prod(len(values) for values in lists)
    if count > MAX_TASKS:
        raise SweepError(
            f"design: the product has {count:,} combinations, over {MAX_TASKS:,}; give fewer values, "
            f"or use design 'sobol' or 'latin-hypercube' with n"
        )
    return [dict(zip(vary.factors, point, strict=True)) for point in itertools.product(*lists)]


def _sample(vary: Vary) -> Iterable[dict[str, Value]]:
    """Sobol points (scrambled after Owen) or a Latin hypercube; a prefix of a longer Sobol sample is the shorter one.

    Sobol 1967, doi:10.1016/0041-5553(67)90144-9; McKay, Beckman and Conover 1979, doi:10.2307/1268522.
    """
    from scipy.stats import qmc

    rng = np.random.default_rng(vary.seed)
    dimensions, n = len(vary.factors), vary.n or 0
    if vary.design == "sobol":
        unit = qmc.Sobol(dimensions, scramble=True, seed=rng).random_base2(n.bit_length() - 1)
    else:
        unit = qmc.LatinHypercube(dimensions, seed=rng).random(n)
    columns = [_scaled(factor, unit[:, column]) for column, factor in enumerate(vary.factors.values())]
    return [dict(zip(vary.factors, row, strict=True)) for row in zip(*columns, strict=True)]


def _scaled(factor: Any, unit: NDArray[np.float64]) -> list[Value]:
    choices = factor.choices()
    if choices is None:
        low, high = factor.ends
        return [float(v) for v in low + unit * (high - low)]
    # Equal shares of the unit interval; rounding must not lead past the last choice.
    at = np.minimum((unit * len(choices)).astype(int), len(choices) - 1)
    return [choices[i] for i in at]


def plan_table(tasks: Iterable[Task]) -> pd.DataFrame:
    """The plan as a table: task, key, and a column ``factor:<name>`` for each factor."""
    rows = [
        {"task": task.number, "key": task.key} | {f"factor:{name}": value for name, value in task.values.items()}
        for task in tasks
    ]
    return pd.DataFrame(rows)


def in_order_of_work(tasks: Iterable[Task], vary: Vary, run: Run) -> list[Task]:
    """Each distinct task once, those that share what is dear to compute after one another."""
    graph = run.graph
    # parts that don't count here: no line is designed, or heights slow no traffic
    idle = [step.declared.name for step in (lines.new_line, lines.slowing_dem) if not run[step.declared.name]]
    shared = [
        [name for name, factor in vary.factors.items() if graph.upstream(dear, idle).intersection(factor.replaces)]
        for dear in _DEAR
    ]
    seen: dict[tuple[Any, ...], int] = {}

    def place(task: Task) -> tuple[int, ...]:
        groups = ((at, *(task.values[name] for name in names)) for at, names in enumerate(shared))
        return tuple(seen.setdefault(group, len(seen)) for group in groups)

    # The list is turned round, so that of tasks with one key the first one stays.
    distinct = {task.key: task for task in reversed(list(tasks))}.values()
    return sorted(sorted(distinct, key=lambda task: task.number), key=place)
