"""What a sweep varies, from its file to the list of its tasks."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from corridor.errors import SweepError
from corridor.metrics.registry import all_columns, unknown_metric
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import lines
from corridor.schema.column import find_column
from corridor.schema.faults import root_faults
from corridor.schema.fields import Identifier
from corridor.schema.study import read_toml, say_fault
from corridor.sweeps.factors import BaseFactor, Factor, Value

# --- A sweep's file: which factors vary and how points are chosen. TOML in, validated types out ---

Design = Literal["product", "sobol", "latin-hypercube"]
MAX_TASKS = 1_000_000
_KINDS = tuple(get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(Factor)[0]))


class Vary(BaseModel):
    """What varies.

    ``product`` takes every combination of the factors' values; ``sobol`` and ``latin-hypercube`` take ``n`` points
    spread evenly over all factors at once. ``metrics`` are columns to keep beside those that are scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    design: Design
    n: Annotated[int, Field(ge=1, le=MAX_TASKS)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    metrics: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], ...] = ("length_km", "cost_musd")
    factors: Annotated[dict[Identifier, Factor], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Vary:
        if self.design == "product" and self.n is not None:
            raise ValueError("n: a product takes every combination; take n out, or give another design")
        if self.design != "product" and self.n is None:
            raise ValueError(f"n: is missing; say how many points a {self.design} design has, for instance 64")
        if self.design == "sobol" and self.n is not None and self.n & (self.n - 1):
            # Both neighbours are named, so that the reader needn't work them out.
            above = 1 << self.n.bit_length()
            raise ValueError(f"n: {self.n} is no power of two, which sobol needs; use {above // 2} or {above}")
        return self


def load_vary(path: Path) -> Vary:
    """Read and check a sweep's file.

    Raises:
        StudyError: the file can't be read as TOML.
        SweepError: it has faults: all are named at once, each with its field.
    """
    return build_vary(read_toml(path, "a sweep's TOML file, with design and factors"), str(path))


def build_vary(content: dict[str, Any], name: str) -> Vary:
    """A sweep from parsed TOML; faults are reported for ``name``.

    Raises:
        SweepError: as :func:`load_vary`.
    """
    try:
        return Vary.model_validate(content)
    except ValidationError as faults:
        raise SweepError(f"{name}: " + "; ".join(_say(fault) for fault in root_faults(faults))) from faults


def _say(fault: Any) -> str:
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{field}.kind: must be one of {', '.join(_KINDS)}"
    # A discriminated union puts the kind into the path of a fault, where no such key stands in the file.
    named = {**fault, "loc": tuple(part for part in fault["loc"] if part not in _KINDS)}
    return say_fault(named).replace("the page on study files", "the page on sweeps")


def check_vary(vary: Vary, run: Run, name: str) -> None:
    """Hold the factors against the study: each must change something, and nothing may be changed twice.

    Columns to keep must be ones that are measured.

    Args:
        vary: which inputs vary.
        run: of the comparison.
        name: of the sweep's file, for messages.

    Raises:
        SweepError: names the file, the factor, and what it could have named.
    """
    columns = all_columns()
    faults = [f"metrics: {unknown_metric(metric)}" for metric in vary.metrics if find_column(metric, columns) is None]
    owners: dict[str, str] = {}
    for key, factor in vary.factors.items():
        # A factor says what it moves as texts, so that two that move the same thing by different ways are found out.
        unknown = _unknown_name(factor, run)
        targets = () if unknown else factor.targets(run)
        if not targets:
            faults.append(f"factors.{key}: {unknown or factor.idle}")
        for target in targets:
            if target in owners:
                faults.append(f"factors.{key}: {target} is varied by '{owners[target]}' already; take one out")
                break
            owners[target] = key
    if faults:
        raise SweepError(f"{name}: " + "; ".join(faults))


def _unknown_name(factor: BaseFactor, run: Run) -> str:
    """What a factor names first that the study lacks, with what the study has; nothing if all is known."""
    field, asked, known = factor.named(run)
    unknown = [key for key in asked if key not in known]
    if not unknown:
        return ""
    near = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join([*known][:12]) or 'none'}"
    return f"{field}: '{unknown[0]}' isn't known; {hint}"


_KEY_LENGTH = 20
_DEAR = ("conflated_ways", "conflation", "candidates", "line_rows", "route_rows")
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
    """Each distinct task once, those that share what is dear to compute after one another.

    Args:
        tasks: in any order.
        vary: which inputs vary.
        run: of the comparison.
    """
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
