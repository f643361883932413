"""The registry of metrics: a function with its columns is one metric, and everything that shows it follows from that.

A metric is a function of named inputs (a candidate, its profile, the network's access ...) that gives its columns by
name. What it needs are its parameters: it is measured wherever they are known. An input that follows from others is a
function too (:func:`derived`), computed once for all metrics that need it.

::

    @metric(Subject.DISTANCE, Column("part_count", Unit.COUNT, "parts of the route", "count", kind=Kind.COUNT))
    def count_parts(candidate: Candidate) -> Values:
        return {"part_count": len(candidate.parts)}

A function that can't measure gives :class:`Unmeasured` with the reason: its columns are then empty, and its status
column says why. Figures with a range are given as :class:`~corridor.schema.catalogue.Estimate`, figures of which only
the ends are known as :class:`~corridor.schema.catalogue.Undetermined`; those that hang on what a schematic line meets
become so by themselves (:func:`join_ends`).

What a metric says of a package of routes follows from what it needs, too. A function of the ``candidate`` is computed
of the package itself, with the parts of all its routes and all that they meet at once. A function of the ``route``, or
of anything that hangs on it (its ``profile``, its times), is of a journey: of a package it is that of the route that is
the quickest under the regime, all such figures of one and the same route.

To add a metric add a module to this package (every module here is read when the registry is first asked), or import
one of your own; ``docs/howto/extend.md`` shows how.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import import_module
from math import inf, isclose, isnan
from pkgutil import iter_modules
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from corridor.errors import RegistryError
from corridor.plugins import nearest_name
from corridor.schema.catalogue import Estimate, Undetermined
from corridor.schema.column import Column, Kind, Shown, Unit, find_column, resolve_columns
from corridor.schema.vocabulary import ENDLESS_STATUSES, GAP_STATUSES, MetricStatus

Values = Mapping[str, Any]
"""Figures by column: numbers, texts, or Estimates."""

INPUTS = {
    "candidate": "what is built: a route, or a package of several; its parts with length, grade, status, structures "
    "and sources",
    "lie_of_candidate": "the same without minutes and waits: what hangs on it stands whatever the speeds",
    "profile": "heights along a route",
    "focus": "the study's focus region with its country",
    "dem": "the elevation model",
    "error_draws": "draws of its error, one for all candidates each",
    "grades": "whether it can carry grades",
    "driving_parameters": "parameters of driving times, with the rest that drivers take",
    "border_delays": "hours and dollars at border points, by side, direction and mode",
    "unit_costs": "prices by mode and kind of construction",
    "costing": "rates of upkeep and the other parameters of costs",
    "trip_rates": "trips to the border crossing and to centres, a person and day",
    "bed_road": "whether a road on the bed that a railway takes is replaced or taken",
    "network": "roads and railways, as events name their edges",
    "lie_of_network": "the same without minutes",
    "events": "what the route crosses, shares and runs beside",
    "local_roads": "whether the network has the local roads that places, crossings and disjoint routes need",
    "settlements": "places that access is measured for; None where the network has no local roads",
    "access": "the country's roads, split where routes meet them, with border crossing, capital, centres and places",
    "ground": "the country's outline and the border that it shares with the neighbour",
    "stages": "places between which disjoint routes are counted",
    "axes": "the north-south lines",
    "schematic_half_width_km": "how far off a schematic line may lie",
    "severance_draws": "how often route and border are moved against each other",
    "regime": "the set of rules; None where none applies",
    "effect": "edges that it closes and slows through the route; None for nothing",
    "bounds": "the same with the least and the greatest delays",
    "flow_model": "the long-distance network, where the study names its tables",
    "flow_case": "what the route does to its links under the regime",
    "closes_roads": "whether it closes any road",
    "opens_new_links": "whether it opens the route's own new links to the country's traffic",
}
"""What metrics can be computed from; see :func:`derived` for what follows from these."""
KEYS = ("candidate_id", "regime_id")
"""Columns that say which row of the metric table is meant; they stand first."""
_ENDS = ("_low", "_high")
_BESIDE = ("", *_ENDS, "_best", "_worst", "_status")
"""What may stand behind a column's name, in the order of columns."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Subject(StrEnum):
    """What a metric is about; the order here is the order of columns in files and on the page.

    Each is named as the module of this package that is about it.
    """

    ROUTE = "route"
    DISTANCE = "distance"
    TIME = "travel_time"
    TERRAIN = "terrain"
    COST = "cost"
    BORDER = "border"
    SEVERANCE = "severance"
    CROSSINGS = "crossings"
    AXES = "axes"
    FLOWS = "flows"
    ACCESS = "access"
    POPULATION = "population"
    REDUNDANCY = "redundancy"
    REGIME = "regime_text"


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Why a metric has no figures for a route; ``known`` are those of its columns that stand all the same."""

    status: MetricStatus
    known: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A function with its columns.

    ``needs`` are its parameters; ``status`` names the column that says why there is no figure ('' for none).
    """

    measure: Callable[..., Values | Unmeasured]
    subject: Subject
    columns: tuple[Column, ...]
    needs: tuple[str, ...]
    status: str = ""

    @property
    def name(self) -> str:
        """The function's name with its module's."""
        return _full_name(self.measure)

    def row(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The cells of its columns: every column without holes is there, empty where nothing was measured.

        Args:
            inputs: by name; those that it needs are among them.

        Returns:
            Values by column.

        Raises:
            RegistryError: the function gives a column that it doesn't declare.
        """
        found = self.measure(**{name: inputs[name] for name in self.needs})
        values: Values = found.known if isinstance(found, Unmeasured) else found
        cells: dict[str, Any] = {
            column.name: np.nan for column in self.columns if not column.is_pattern and column.kind is not Kind.STATUS
        }
        if self.status:
            cells[self.status] = str(found.status) if isinstance(found, Unmeasured) else str(MetricStatus.OK)
        for name, value in values.items():
            cells |= self._cells(name, value)
        return cells

    def _cells(self, name: str, value: Any) -> dict[str, Any]:
        """A value as cells: three for an Estimate, its ends and its status for an Undetermined."""
        column = next((own for own in self.columns if own.name == name), None) or find_column(name, self.columns)
        if column is None:
            raise RegistryError(f"metric {self.name}: gives '{name}', which is none of its columns; declare it")
        if isinstance(value, Undetermined):
            return undetermined_cells(name, value)
        if not isinstance(value, Estimate):
            return {name: value}
        if not column.interval:
            raise RegistryError(f"metric {self.name}: gives a range for '{name}'; declare it with interval=True")
        return {name: value.mid, f"{name}_low": value.low, f"{name}_high": value.high}


def undetermined_cells(name: str, value: Undetermined) -> dict[str, Any]:
    """The cells of a figure that isn't determined: no number, its ends, and a status of its own.

    Args:
        name: of the column.
        value: with its ends.

    Returns:
        ``<name>`` as NaN, ``<name>_low``, ``<name>_high`` and ``<name>_status``.
    """
    ends = {f"{name}_low": value.low, f"{name}_high": value.high}
    return {name: np.nan, **ends, f"{name}_status": str(MetricStatus.UNDETERMINED)}


_metrics: list[Metric] = []
_derived: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}


def _full_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def metric(subject: Subject, *columns: Column, status: str = "") -> Callable[[_Function], _Function]:
    """Register a function as a metric; the function itself stays as it is.

    Args:
        subject: what it is about, which decides where its columns stand.
        columns: what it gives.
        status: the column that says why there is no figure: one of ``columns``, or the name of one that is made.

    Returns:
        What registers the function below it.

    Raises:
        RegistryError: a column is there already.
    """

    def register(function: _Function) -> _Function:
        own = [column if column.kind is Kind.STATUS else replace(column, status=status) for column in columns]
        if status and status not in {column.name for column in own}:
            what = status.removesuffix("_status").replace("_", " ")
            own.append(
                Column(
                    status, Unit.NONE, f"whether there are values of: {what}", "ok; otherwise why there is no number",
                    kind=Kind.STATUS, shown=Shown.FILES,
                )
            )  # fmt: skip
        new = Metric(function, subject, tuple(own), _parameters(function), status)
        # A module that is read again (reload, a notebook's cell) replaces itself; anybody else is refused.
        _metrics[:] = [other for other in _metrics if other.name != new.name]
        taken = {column.name: other.name for other in _metrics for column in other.columns}
        twice = [column.name for column in own if column.name in taken]
        if twice:
            raise RegistryError(f"metric {new.name}: column '{twice[0]}' is already given by {taken[twice[0]]}")
        _metrics.append(new)
        return function

    return register


def derived(function: _Function) -> _Function:
    """Register a function whose result is an input of metrics, under the function's name.

    Args:
        function: its name is the input's, its parameters what that follows from.

    Returns:
        The function.

    Raises:
        RegistryError: there is another input of that name.
    """
    name = function.__name__
    other = _full_name(_derived[name][0]) if name in _derived else INPUTS.get(name)
    if other is not None and other != _full_name(function):
        raise RegistryError(f"input '{name}' of {function.__module__} is there already ({other}); rename one")
    _derived[name] = (function, _parameters(function))
    return function


@cache
def _load() -> None:
    """Read every module of this package, so that their metrics register."""
    package = import_module(__package__ or "corridor.metrics")
    for module in sorted(found.name for found in iter_modules(package.__path__)):
        import_module(f"{package.__name__}.{module}")


def all_metrics() -> tuple[Metric, ...]:
    """Every metric: by subject; within one the subject's own module first, then others by name, each in its order.

    Raises:
        RegistryError: a metric needs an input that nothing gives, so that it would never be measured.
    """
    _load()
    for what, needs in [(m.name, m.needs) for m in _metrics] + [
        (_full_name(f), needs) for f, needs in _derived.values()
    ]:
        unknown = next((name for name in needs if name not in INPUTS and name not in _derived), None)
        if unknown:
            near = nearest_name(unknown, [*INPUTS, *_derived])
            raise RegistryError(f"{what}: needs '{unknown}', which is no input{near}")
    subjects = list(Subject)

    def place(each: Metric) -> tuple[int, bool, str]:
        module = each.measure.__module__.rpartition(".")[2]
        return subjects.index(each.subject), module != each.subject, module

    return tuple(sorted(_metrics, key=place))


def all_columns() -> tuple[Column, ...]:
    """Every column of the metric table in its order, names with holes included."""
    return tuple(column for each in all_metrics() for column in each.columns)


def unknown_metric(name: str) -> str:
    """That the metric table has no column of a name, with the nearest name that it has.

    Args:
        name: that was asked for.

    Returns:
        A sentence for messages.
    """
    return f"there is no '{name}'{nearest_name(name, [column.name for column in all_columns()])}"


def derived_functions() -> dict[str, Callable[..., Any]]:
    """Inputs that follow from others, and the functions that give them."""
    _load()
    return {name: function for name, (function, _) in _derived.items()}


def derived_inputs() -> dict[str, str]:
    """Inputs that follow from others, and what each is: the first line of its function's description."""
    _load()
    first = {name: (inspect.getdoc(function) or "").partition("\n")[0] for name, (function, _) in _derived.items()}
    return {name: f"{line[:1].lower()}{line[1:].rstrip('.')}" for name, line in sorted(first.items())}


def table_columns(table: pd.DataFrame) -> tuple[Column, ...]:
    """The columns of a metric table, without the ends of intervals and the statuses of single figures.

    A figure that is undetermined in some row has a status column of its own, which counts before its metric's.
    """
    found = resolve_columns([str(name) for name in table.columns], all_columns())
    own = ((column, f"{column.name}_status") for column in found)
    return tuple(replace(column, status=status) if status in table else column for column, status in own)


def complete_table(rows: Iterable[Values] | pd.DataFrame) -> pd.DataFrame:
    """The metric table of rows: in the registry's order, ranges whole, and what a row lacks said where it can be.

    Where some rows have a range and others an exact figure, the exact ones get it as both ends. A figure that has a
    status of its own in some rows has its metric's in the others. An instance of a column with holes that a measured
    row lacks gets what its absence means (see :attr:`Column.absent`).
    """
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    names = [str(name) for name in table.columns]
    # Hundreds of columns: put back into the table one by one they would lie in as many pieces, and be looked up in it.
    columns = dict(table.items())
    for column in resolve_columns(names, all_columns()):
        own = f"{column.name}_status"
        if own in columns and own != column.status and column.status in columns and columns[own].isna().any():
            # a figure without a status of its own is known, also where others of its metric aren't determined
            of_metric = columns[column.status].replace(str(MetricStatus.UNDETERMINED), str(MetricStatus.OK))
            columns[own] = columns[own].where(columns[own].notna(), of_metric)
    for column in table_columns(table):
        if column.absent is not None and column.status in columns:
            measured = columns[column.status].isin([str(MetricStatus.OK), str(MetricStatus.UNDETERMINED)])
            low = f"{column.name}_low"
            known = columns[column.name].notna() | columns[low if low in columns else column.name].notna()
            columns[column.name] = columns[column.name].where(~measured | known, column.absent)
    # A figure without ends is known exactly: its ends are itself.
    for name in (f"{base}{end}" for base in names for end in _ENDS if f"{base}{end}" in columns):
        lacking = columns[name].isna()
        if lacking.any():
            columns[name] = columns[name].where(~lacking, columns[name.rpartition("_")[0]])
    return pd.DataFrame({name: columns[name] for name in _order(names)}, index=table.index)


def _order(names: list[str]) -> list[str]:
    """Columns of a table in the order of the registry, each with its ends and status behind it, unknown ones last."""
    known = all_columns()
    place = {column.name: index for index, column in enumerate(known)}
    # Longer patterns are the narrower ones, so they are tried first.
    patterns = sorted((column for column in known if column.is_pattern), key=lambda column: -len(column.name))

    def rank(name: str) -> tuple[int, int, str, int]:
        if name in KEYS:
            return (0, KEYS.index(name), "", 0)
        # An ending is one only if the name before it is a column too; a column of its own may end alike.
        near = (end for end in _BESIDE[1:] if name.endswith(end) and name.removesuffix(end) in names)
        end = "" if name in place else next(near, "")
        base = name.removesuffix(end)
        pattern = None if base in place else next((c for c in patterns if c.instance(base)), None)
        index = place.get(base, place[pattern.name] if pattern else len(known))
        return (1, index, base if pattern or index == len(known) else "", _BESIDE.index(end))

    return sorted(names, key=rank)


# --- Figures that a schematic line leaves open: one row from what was measured at its best and at its worst ---
# A line that is only drawn schematically can't tell what it crosses or shares. All metrics are measured with what it
# meets taken best and taken worst (:class:`~corridor.schema.vocabulary.EventsEnd`), and compared here: a figure that
# comes out the same is known all the same, any other is undetermined between the two, with no middle. Where a figure
# has a range of its own, its better end counts at best and its worse one at worst: the longest wait at a gate. What
# ranks go by, the ends with all else at its middle, then stands beside it (``_best``, ``_worst``). So no metric has
# to know of it, and none can forget it.

Cells = Mapping[str, Any]
_SAME = 1e-9


def join_ends(best: Cells, worst: Cells) -> dict[str, Any]:
    """One row from the two ends of what isn't known.

    Args:
        best: cells of all metrics with every open crossing separated and nothing shared.
        worst: the same with every open crossing at grade and axes near the line shared.

    Returns:
        Cells: those that agree as they are, with the wider range; the others undetermined, with their ends (``inf``
        where a figure can't be had because something is unreachable) and a status of their own. Of a figure that is
        known at one end alone nothing is said but why it isn't known at the other.
    """
    names = list(dict.fromkeys([*best, *worst]))
    row: dict[str, Any] = {name: best.get(name, worst.get(name)) for name in names}
    columns = resolve_columns(names, all_columns())
    open_figures: set[str] = set()
    open_statuses: set[str] = set()
    gaps: dict[str, str] = {}
    for column in columns:
        if column.kind not in (Kind.NUMBER, Kind.COUNT):
            continue
        ends = Undetermined(*(_end(cells, column) for cells in (best, worst)))
        own = f"{column.name}_status"
        if isnan(ends.best) or isnan(ends.worst):
            if not (isnan(ends.best) and isnan(ends.worst)):
                row |= {name: np.nan for end in ("", *_ENDS) if (name := f"{column.name}{end}") in row}
                gaps[own] = _gap(column, best if isnan(ends.best) else worst)
            elif column.status == own and best.get(own) != worst.get(own):
                gaps[own] = _gap(column, worst)
            continue
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
        row |= cells if column.status.endswith("_status") else {key: cells[key] for key in cells if key != own}
    for column in columns:
        if column.kind is not Kind.STATUS:
            continue
        # a status that bears the name of one figure speaks for that one
        own = column.name.removesuffix("_status")
        is_open = own in open_figures if own in row and own != column.name else column.name in open_statuses
        if is_open or best.get(column.name) != worst.get(column.name):
            row[column.name] = str(MetricStatus.UNDETERMINED)
    return row | gaps


def _gap(column: Column, cells: Cells) -> str:
    """Why a figure isn't known in some cells: what its status says there, or that nothing does."""
    status = str(cells.get(column.status, ""))
    return status if status in GAP_STATUSES else str(MetricStatus.UNKNOWN)


def _end(cells: Cells, column: Column) -> float:
    """A figure at one end: infinite where its status says that something can't be reached, NaN where there is none."""
    status = cells.get(column.status, "")
    value = cells.get(column.name)
    if value is None or isnan(float(value)):
        if status in ENDLESS_STATUSES:
            return inf
        measured = status == MetricStatus.OK and column.absent is not None
        return float(column.absent) if measured and column.absent is not None else float("nan")
    return float(value)


def _agree(best: float, worst: float) -> bool:
    """Whether two ends are one figure."""
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
