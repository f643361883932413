"""Reading a metric table: columns, types, statuses and intervals, checked before anything is ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.plugins import nearest_name
from corridor.schema.column import Criterion, ends_for_ranks
from corridor.schema.message import Message, Value
from corridor.schema.vocabulary import ENDLESS_STATUSES, GAP_STATUSES, VALUE_STATUSES, VETO_STATUSES, MetricStatus

Floats = NDArray[np.float64]


WHAT_IF = "_if_closed"
"""In the names of metrics that say what would be if the route were closed."""


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """A metric table as arrays ``(rows, criteria)``; a hole is NaN and its ``statuses`` entry says why.

    An undetermined cell is NaN too, and its ends stand in ``low`` and ``high``, infinite where an end can't be reached.
    ``vetoes`` maps a row to (criterion id or metric, status, reason). ``may_be_lost`` are rows of which a metric,
    scored or not, has an end that can't be reached. ``members`` are the ids of the routes that a row's package holds.
    """

    candidate_ids: tuple[str, ...]
    regime_ids: tuple[str, ...]
    names: tuple[str, ...]
    comparator: NDArray[np.bool_]
    metrics: Floats
    low: Floats
    high: Floats
    statuses: tuple[tuple[str, ...], ...]
    vetoes: Mapping[int, tuple[str, str, Value]]
    notes: tuple[Message, ...]
    may_be_lost: frozenset[int] = frozenset()
    members: tuple[frozenset[str], ...] = ()

    def label(self, row: int) -> tuple[str, str]:
        """Id and name of the candidate of a row."""
        return self.candidate_ids[row], self.names[row]


def read_metrics(
    table: pd.DataFrame, criteria: Sequence[Criterion], veto_on_any_status: bool, as_if_opened: bool = False
) -> Intake:
    """Check and read a metric table; see :func:`corridor.mcda.matrix.build_matrix` for its columns.

    Args:
        table: A row per candidate and regime.
        criteria: What is scored.
        veto_on_any_status: Let the status of metrics that are not scored veto too.
        as_if_opened: Let rows pass whose rules allow no transit.

    Raises:
        ScoringError: no rows, a column missing or not numeric, an infinite metric, an interval upside down, an
            unknown status, or the same candidate twice in a regime.
    """
    if "candidate_id" not in table.columns:
        raise ScoringError("metric table: no column 'candidate_id'")
    if table.empty:
        raise ScoringError("metric table: no rows, so there is nothing to rank")
    candidate_ids = _texts(table, "candidate_id")
    regime_ids = _texts(table, "regime_id") if "regime_id" in table.columns else ("",) * len(table)
    _refuse_doubles(candidate_ids, regime_ids)
    # The first column that there is; ids where nobody is named.
    name_column = next((name for name in ("candidate_name", "name") if name in table.columns), "candidate_id")
    names = tuple(name or key for name, key in zip(_texts(table, name_column), candidate_ids, strict=True))
    comparator = _flags(table, "comparator")
    statuses = tuple(zip(*(_statuses(table, criterion.metric) for criterion in criteria), strict=True))
    metrics = np.column_stack([_numbers(table, criterion.metric) for criterion in criteria])
    # A status that stands for a gap beats whatever number stands beside it; a gap without a status is "missing".
    without = (*ENDLESS_STATUSES, *GAP_STATUSES, MetricStatus.UNDETERMINED)
    blocked = np.array([[status in without for status in row] for row in statuses])
    metrics = np.where(blocked, np.nan, metrics)
    low, high, notes = _intervals(table, criteria, metrics, candidate_ids, statuses)
    filled = tuple(
        tuple(MetricStatus.MISSING if np.isnan(metrics[i, k]) and s not in without else s for k, s in row)
        for i, row in enumerate([tuple(enumerate(row)) for row in statuses])
    )
    vetoes = _vetoes(table, criteria, filled, veto_on_any_status, as_if_opened)
    for row, cells in enumerate(filled):
        for k, status in enumerate(cells):
            # Unreachable at either end is unreachable, however it was written.
            if status == MetricStatus.UNDETERMINED and np.isinf(low[row, k]) and np.isinf(high[row, k]):
                why = _blocked(criteria[k].label, MetricStatus.UNREACHABLE)
                vetoes.setdefault(row, (criteria[k].criterion_id, MetricStatus.UNREACHABLE, why))
    lost = _may_be_lost(table, {c.metric for c in criteria}, veto_on_any_status)
    held = _texts(table, "members") if "members" in table.columns else ("",) * len(table)
    members = tuple(frozenset(text.split("; ")) - {""} for text in held)
    return Intake(
        candidate_ids, regime_ids, names, comparator, metrics, low, high, filled, vetoes, notes, lost, members
    )


def _may_be_lost(table: pd.DataFrame, scored: set[str], any_status: bool) -> frozenset[int]:
    """Rows with an undetermined metric one end of which is infinite: unreachable there."""
    rows: set[int] = set()
    for column in table.columns:
        metric = str(column).removesuffix("_status")
        if metric == str(column) or not (metric in scored or (any_status and WHAT_IF not in metric)):
            continue
        open_rows = np.array([text.strip() == MetricStatus.UNDETERMINED for text in _texts(table, str(column))])
        for end in ("_low", "_high") if open_rows.any() else ():
            if f"{metric}{end}" in table.columns:
                endless = np.isinf(_numbers(table, f"{metric}{end}", open_rows))
                rows.update(int(row) for row in np.flatnonzero(endless & open_rows))
    return frozenset(rows)


def _texts(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    return tuple("" if pd.isna(value) else str(value) for value in table[column])


def _flags(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    if column not in table.columns:
        return np.zeros(len(table), dtype=bool)
    flags = list(table[column])
    if not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise ScoringError(f"metric table: column '{column}' must hold only true or false")
    return np.array(flags, dtype=bool)


def _numbers(table: pd.DataFrame, column: str, may_be_endless: NDArray[np.bool_] | None = None) -> Floats:
    if column not in table.columns:
        known = [str(name) for name in table.columns]
        raise ScoringError(f"metric table: no column '{column}'{nearest_name(column, known)}")
    try:
        numbers = pd.to_numeric(table[column]).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ScoringError(f"metric table: column '{column}' holds something that is not a number: {error}") from error
    wrong = np.isinf(numbers) if may_be_endless is None else np.isinf(numbers) & ~may_be_endless
    endless = np.flatnonzero(wrong)
    if endless.size:
        raise ScoringError(
            f"metric table: column '{column}' is infinite for '{table['candidate_id'].iloc[endless[0]]}': "
            f"what can't be reached is a status in '{column}_status', never a number"
        )
    return np.asarray(numbers)


def _statuses(table: pd.DataFrame, metric: str) -> tuple[str, ...]:
    column = f"{metric}_status"
    if column not in table.columns:
        return ("",) * len(table)
    statuses = tuple(text.strip().replace(" ", "_").replace("-", "_") for text in _texts(table, column))
    known = (*ENDLESS_STATUSES, *GAP_STATUSES, *VALUE_STATUSES, MetricStatus.UNDETERMINED)
    for status in statuses:
        if status not in known:
            raise ScoringError(f"metric table: column '{column}' says '{status}'{nearest_name(status, known)}")
    return statuses


def _intervals(
    table: pd.DataFrame,
    criteria: Sequence[Criterion],
    metrics: Floats,
    candidate_ids: tuple[str, ...],
    statuses: tuple[tuple[str, ...], ...],
) -> tuple[Floats, Floats, tuple[Message, ...]]:
    low, high = metrics.copy(), metrics.copy()
    notes = []
    for column, criterion in enumerate(criteria):
        undetermined = np.array([row[column] == MetricStatus.UNDETERMINED for row in statuses])
        middles = ends_for_ranks(table, criterion.metric)
        for bound, suffix, taken in zip((low, high), ("_low", "_high"), middles, strict=True):
            if f"{criterion.metric}{suffix}" in table.columns:
                stated = np.where(undetermined, taken, _numbers(table, f"{criterion.metric}{suffix}", undetermined))
                keeps = np.isnan(stated) | (np.isnan(metrics[:, column]) & ~undetermined)
                bound[:, column] = np.where(keeps, bound[:, column], stated)
        endless = np.flatnonzero(undetermined & (np.isnan(low[:, column]) | np.isnan(high[:, column])))
        if endless.size:
            raise ScoringError(
                f"metric table: '{criterion.metric}' of '{candidate_ids[endless[0]]}' is undetermined and has no ends: "
                f"write them as '{criterion.metric}_low' and '{criterion.metric}_high'"
            )
        upside_down = np.flatnonzero(low[:, column] > high[:, column])
        if upside_down.size:
            who = candidate_ids[upside_down[0]]
            raise ScoringError(f"metric table: '{criterion.metric}' of '{who}': low is above high")
        # A metric may be its own bound, written with other rounding.
        slack = 1e-9 * (np.abs(metrics[:, column]) + 1.0)
        outside = (metrics[:, column] < low[:, column] - slack) | (metrics[:, column] > high[:, column] + slack)
        for row in np.flatnonzero(outside):
            values: dict[str, Value] = {"criterion": criterion.label, "candidate": candidate_ids[row]}
            notes.append(Message("note.outside_interval", values))
    return low, high, tuple(dict.fromkeys(notes))


def _vetoes(
    table: pd.DataFrame,
    criteria: Sequence[Criterion],
    statuses: tuple[tuple[str, ...], ...],
    any_status: bool,
    as_if_opened: bool,
) -> dict[int, tuple[str, str, Value]]:
    """First reason per row: a stated veto, then a scored metric, then any other metric with a status."""
    vetoes: dict[int, tuple[str, str, Value]] = {}
    if "veto" in table.columns:
        if any(isinstance(value, bool | np.bool_) for value in table["veto"]):
            raise ScoringError("metric table: column 'veto' must hold the reason as text, empty where there is none")
        for row, text in enumerate(_texts(table, "veto")):
            if text:
                vetoes[row] = ("", "veto", text)
    for row, line in enumerate(statuses):
        for criterion, status in zip(criteria, line, strict=True):
            if status in ENDLESS_STATUSES:
                vetoes.setdefault(row, (criterion.criterion_id, status, _blocked(criterion.label, status)))
    # Statuses of what isn't scored veto too: who can't reach the border is infeasible whatever is weighed.
    scored = {criterion.metric for criterion in criteria}
    others = [str(name).removesuffix("_status") for name in table.columns if str(name).endswith("_status")]
    for metric in others if any_status else ():
        # what would be if a route were closed bars nobody from being ranked while it is open
        if metric not in scored and WHAT_IF not in metric:
            for row, text in enumerate(_texts(table, f"{metric}_status")):
                status = text.strip()
                if status == MetricStatus.NOT_TRAVELABLE:
                    if not as_if_opened:
                        vetoes.setdefault(row, ("", status, Message("reason.not_travelable")))
                elif status in VETO_STATUSES:
                    vetoes.setdefault(row, (metric, status, _blocked(metric, status)))
    return vetoes


def _blocked(what: str, status: str) -> Message:
    return Message("reason.status", {"what": what, "status": Message(f"status.{status}", fallback=status)})


def _refuse_doubles(candidate_ids: tuple[str, ...], regime_ids: tuple[str, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for pair in zip(candidate_ids, regime_ids, strict=True):
        if not pair[0]:
            raise ScoringError("metric table: a row has no candidate_id")
        if pair in seen:
            raise ScoringError(f"metric table: candidate '{pair[0]}' comes twice in regime '{pair[1]}'")
        seen.add(pair)
