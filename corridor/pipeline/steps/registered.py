"""Metrics of the registry, and what they follow from, as steps: each is kept by what it is computed from.

Nothing is said here of single metrics: their functions say by their parameters what they need. Those that need no
more than a candidate and its ground make its row under every regime (``line_rows``), all others its row under one
(``pair_rows``), but for those of long-distance flows, which follow from that row (``flow_rows``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from corridor.metrics.registry import Metric, all_metrics, derived_functions
from corridor.pipeline.graph import AnyStep, Declared, Each, Graph, Step, parameters

OF_FLOWS = frozenset(("flow_model",))
UNDER_REGIMES = frozenset(("impact", "met", "regimes"))
"""Values that stand behind whatever isn't of a line alone."""
_SAYS = {
    "line_row": "measuring terrain",
    "pair_row": "measuring access under each regime",
    "flow_row": "measuring long-distance flows",
}
_KEEP_CELLS = 4096
_KEEP = {"access_result": 256, "route_severance": 256, "severed_ground": 256}
_KEEP_OTHERS = 32
"""States of a network are large: few more of them are kept than are in use at a time."""


def with_registered(steps: Iterable[AnyStep], items: Mapping[str, str]) -> list[AnyStep]:
    """Steps, those of the registry, and those that put cells of metrics together to rows.

    Args:
        steps: all others, among them what gives the inputs of metrics.
        items: kinds of item, as :class:`~corridor.pipeline.graph.Graph` takes them.
    """
    found = list(steps)
    singles = {*items, *_SAYS, *(each.element for each in found if isinstance(each, Each))}
    found += _derived_steps(singles)
    cells = {cells_of(metric): metric for metric in all_metrics()}
    bare = Graph([*found, *(_cells_step(name, metric, singles, "") for name, metric in cells.items())], items)
    rows_of = {name: _rows_of(bare.upstream(name)) for name in cells}
    measured = [_cells_step(name, metric, singles, _SAYS[rows_of[name]]) for name, metric in cells.items()]
    rows = [_rows_step(row, [step for step in measured if rows_of[step.declared.name] == row]) for row in _SAYS]
    return [*found, *measured, *rows]


def _rows_of(upstream: frozenset[str]) -> str:
    """In which rows a metric stands, by all that it hangs on."""
    if upstream & OF_FLOWS:
        return "flow_row"
    return "pair_row" if upstream & UNDER_REGIMES else "line_row"


def cells_of(metric: Metric) -> str:
    """The name of a metric's cells in the graph.

    Args:
        metric: of the registry.
    """
    return f"cells of {metric.name}"


def _derived_steps(singles: set[str]) -> list[AnyStep]:
    """What metrics follow from; names of those that are computed item by item are added to ``singles``."""
    waiting = dict(derived_functions())
    while more := [name for name in waiting if name not in singles and set(parameters(waiting[name])) & singles]:
        singles.update(more)
    return [_made(function, name, f"{name}s", parameters(function), singles) for name, function in waiting.items()]


def _cells_step(name: str, metric: Metric, singles: set[str], says: str) -> AnyStep:
    @wraps(metric.measure)
    def cells(**values: Any) -> dict[str, Any]:
        return metric.row(values)

    return _made(cells, f"{name} for one", name, metric.needs, singles, says, _KEEP_CELLS)


def _rows_step(element: str, measured: Iterable[AnyStep]) -> AnyStep:
    """Cells of several metrics as one row, in the registry's order."""
    needs = tuple(step.element if isinstance(step, Each) else step.declared.name for step in measured)

    def row(**cells: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for each in cells.values() for name, value in each.items()}

    row.__doc__ = "Cells of metrics by column."
    return Each(row, Declared(f"{element}s", needs, "", _KEEP_CELLS, by_value=False, takes_progress=False), element)


def _made(
    function: Callable[..., Any],
    single: str,
    several: str,
    needs: tuple[str, ...],
    singles: set[str],
    says: str = "",
    keep: int = 0,
) -> AnyStep:
    """A step that gives one value, or one for each item if it needs single items."""
    if not singles.intersection(needs):
        name = several if says or keep else single
        return Step(function, Declared(name, needs, says, 1, by_value=False, takes_progress=False))
    kept = keep or _KEEP.get(single, _KEEP_OTHERS)
    return Each(function, Declared(several, needs, says, kept, by_value=False, takes_progress=False), single)
