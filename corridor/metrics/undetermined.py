"""Figures that a schematic line leaves open: one row from what was measured at its best and at its worst.

A line that is only drawn schematically can't tell what it crosses or shares. All metrics are measured with what it
meets taken best and taken worst (:class:`~corridor.schema.vocabulary.EventsEnd`), and compared here: a figure that
comes out the same is known all the same, any other is undetermined between the two, with no middle. Where a figure has
a range of its own, its better end counts at best and its worse one at worst: the longest wait at a gate. What ranks go
by, the ends with all else at its middle, then stands beside it (``_best``, ``_worst``). So no metric has to know of it,
and none can forget it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isclose, isnan
from typing import Any

from corridor.metrics.registry import all_columns, undetermined_cells
from corridor.schema.catalogue import Undetermined
from corridor.schema.column import Column, Kind, resolve_columns
from corridor.schema.vocabulary import VETO_STATUSES, MetricStatus

Cells = Mapping[str, Any]
_SAME = 1e-9


def join_ends(best: Cells, worst: Cells) -> dict[str, Any]:
    """One row from the two ends of what isn't known.

    Args:
        best: cells of all metrics with every open crossing separated and nothing shared.
        worst: the same with every open crossing at grade and axes near the line shared.

    Returns:
        Cells: those that agree as they are, with the wider range; the others undetermined, with their ends (``inf``
        where a figure can't be had because something is unreachable) and a status of their own.
    """
    names = list(dict.fromkeys([*best, *worst]))
    row: dict[str, Any] = {name: best.get(name, worst.get(name)) for name in names}
    columns = resolve_columns(names, all_columns())
    open_figures: set[str] = set()
    open_statuses: set[str] = set()
    for column in columns:
        if column.kind not in (Kind.NUMBER, Kind.COUNT):
            continue
        ends = Undetermined(*(_end(cells, column) for cells in (best, worst)))
        if _agree(ends.best, ends.worst):
            row |= _range(column.name, best, worst)
            continue
        whole = _widened(ends, column.name, best, worst)
        if whole != ends:
            row |= {f"{column.name}_best": ends.best, f"{column.name}_worst": ends.worst}
        ends = whole
        open_figures.add(column.name)
        open_statuses.add(column.status)
        cells = undetermined_cells(column.name, ends)
        # where a metric's status is a figure in itself, that one says it
        own = f"{column.name}_status"
        row |= cells if column.status.endswith("_status") else {key: cells[key] for key in cells if key != own}
    for column in columns:
        if column.kind is not Kind.STATUS:
            continue
        # a status that bears the name of one figure speaks for that one
        own = column.name.removesuffix("_status")
        is_open = own in open_figures if own in row and own != column.name else column.name in open_statuses
        if is_open or best.get(column.name) != worst.get(column.name):
            row[column.name] = str(MetricStatus.UNDETERMINED)
    return row


def _end(cells: Cells, column: Column) -> float:
    """A figure at one end: infinite where its status says that something can't be reached, NaN where there is none."""
    status = cells.get(column.status, "")
    value = cells.get(column.name)
    if value is None or isnan(float(value)):
        if status in VETO_STATUSES:
            return inf
        measured = status == MetricStatus.OK and column.absent is not None
        return float(column.absent) if measured and column.absent is not None else float("nan")
    return float(value)


def _agree(best: float, worst: float) -> bool:
    """Whether two ends are one figure, or neither is one: what isn't measured at all isn't undetermined."""
    if isnan(best) or isnan(worst):
        return True
    return best == worst or isclose(best, worst, rel_tol=_SAME, abs_tol=_SAME)


def _widened(ends: Undetermined, name: str, best: Cells, worst: Cells) -> Undetermined:
    """Ends with the range that the figure has at each of them: the best of all there is, and the worst."""
    around = [
        float(cells[f"{name}{end}"])
        for cells in (best, worst)
        for end in ("_low", "_high")
        if not isnan(float(cells.get(f"{name}{end}", float("nan"))))
    ]
    low, high = min((ends.low, *around)), max((ends.high, *around))
    return Undetermined(low, high) if ends.best <= ends.worst else Undetermined(high, low)


def _range(name: str, best: Cells, worst: Cells) -> dict[str, Any]:
    """The wider of two ranges about one figure."""
    found: dict[str, Any] = {}
    for end, outer in ((f"{name}_low", min), (f"{name}_high", max)):
        known = [cells[end] for cells in (best, worst) if end in cells]
        if known:
            found[end] = outer(known)
    return found
