"""The metric table and the rankings as rows and cells for a reader: rounded, with ranges, best and worst marked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.marks import Mark
from corridor.report.plain_tables import plain_table
from corridor.schema.criterion import Criterion
from corridor.schema.results import Results
from corridor.schema.vocabulary import Direction, MetricStatus

UNITS = {
    "km2": "km²", "km": "km", "musd": "M USD", "min": "min", "h": "h", "m": "m", "deg": "°", "pct": "%", "kmh": "km/h",
}  # fmt: skip
"""Endings of column names and the unit that they stand for."""
_NOT_SHOWN = re.compile(
    r"(truck|train)_time_h|documented_share|relief_m|descent_m|ground_departure_.*|check_h|clarity_of_6|crossings"
    r"|(crossings|north_south_conflicts)_(at_grade|separated)_.+|north_south_conflicts_.+|shared_.+_km|.+_before"
    r"|disjoint_routes_.+|single_point_km_.+|border_behind_km|border_km_within_0p\d+|.+_added_km|openings"
    r"|places_counted|people_reaching_.+|people_delay_centre_.+"
)
"""Kept in the files, left out of the page: they repeat a column that is shown, split it up, or are its state before."""
_NUMBER_COLUMN = re.compile(r"_(low|high|status)$")
THIN_SPACE = "\u202f"
RANGE_SIGN = "\u2013"


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a column: its name, label in English, unit and digits, whether it is scored, and its message."""

    metric: str
    label: str
    unit: str
    digits: int
    scored: bool
    explanation: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric of one candidate: text, range beneath (or nothing), value to sort by, and mark best or worst."""

    text: str
    range_text: str
    value: float | None
    status: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate under a regime."""

    candidate_id: str
    name: str
    regime_id: str
    comparator: bool
    mark: Mark
    cells: tuple[Cell, ...] = field(default=())


def format_number(value: float, digits: int) -> str:
    """A number with a fixed count of decimals and thin spaces between thousands (the same in every language)."""
    if not math.isfinite(value):
        return ""
    text = f"{value:,.{digits}f}".replace(",", THIN_SPACE).replace("-", "\u2212")
    return text.removeprefix("\u2212") if float(f"{value:.{digits}f}") == 0 else text


def metric_columns(results: Results) -> tuple[Column, ...]:
    """Columns to show: scored criteria first, in the study's order, then every other number of the metric table."""
    table = results.metrics
    scored = {criterion.metric: criterion for criterion in results.criteria}
    others = [str(name) for name in table.columns if _is_metric(table, str(name)) and str(name) not in scored]
    hides = "travel_time_h" in table.columns
    shown = [name for name in scored if name in table.columns and table[name].notna().any()]
    names = shown + [name for name in others if not (hides and _NOT_SHOWN.fullmatch(name))]
    columns = (_column(table, name, scored.get(name)) for name in names)
    inside = f"in_{results.focus_id}_km"
    return tuple(
        replace(column, key=f"metric.{'in_focus_km' if column.metric == inside else column.metric}")
        for column in columns
    )


def unmeasured(results: Results) -> tuple[Criterion, ...]:
    """Criteria of the study for which the data give no value to anybody."""
    table = results.metrics
    return tuple(c for c in results.criteria if c.metric not in table.columns or not table[c.metric].notna().any())


def _is_metric(table: pd.DataFrame, name: str) -> bool:
    if _NUMBER_COLUMN.search(name) or name.startswith("dem") or pd.api.types.is_bool_dtype(table[name]):
        return False
    return bool(pd.api.types.is_numeric_dtype(table[name]) and table[name].notna().any())


def _column(table: pd.DataFrame, name: str, criterion: Criterion | None) -> Column:
    stem, _, ending = name.rpartition("_")
    unit = UNITS.get(ending, "") if stem else ""
    words = (stem if unit else name).replace("_", " ").strip().capitalize()
    finite = pd.to_numeric(table[name], errors="coerce").replace([np.inf, -np.inf], np.nan).abs()
    largest = float(finite.max()) if finite.notna().any() else 0.0
    whole = bool(pd.api.types.is_integer_dtype(table[name]))
    digits = 0 if whole or largest >= 200 else 1 if largest >= 5 else 2
    if criterion is None:
        return Column(name, words, unit, digits, False, "")
    return Column(name, criterion.label, criterion.unit, digits, True, criterion.explanation)


def metric_rows(results: Results, columns: Sequence[Column], marks: dict[str, Mark]) -> tuple[Row, ...]:
    """One row per candidate and regime, in the order of the metric table."""
    table = plain_table(results.metrics).reset_index(drop=True)
    regimes = texts(table, "regime_id")
    comparator = [bool(value) for value in table.get("comparator", pd.Series(False, index=table.index))]
    names = texts(table, "name")
    cells = [_cells(table, column, _extremes(results, table, column, regimes, comparator)) for column in columns]
    rows: list[Row] = []
    for index, candidate_id in enumerate(table["candidate_id"]):
        key = str(candidate_id)
        own = tuple(column[index] for column in cells)
        rows.append(Row(key, names[index], regimes[index], comparator[index], marks[key], own))
    return tuple(rows)


def texts(table: pd.DataFrame, column: str) -> list[str]:
    """A column as text, empty where a value or the column is missing."""
    if column not in table.columns:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[column]]


def _extremes(
    results: Results, table: pd.DataFrame, column: Column, regimes: list[str], comparator: list[bool]
) -> dict[int, str]:
    """Which rows are best and worst among the through routes of their regime; only where a direction is declared."""
    criterion = next((c for c in results.criteria if c.metric == column.metric), None)
    if criterion is None:
        return {}
    marks: dict[int, str] = {}
    numbers = pd.to_numeric(table[column.metric], errors="coerce")
    for regime in dict.fromkeys(regimes):
        rows = [i for i in table.index if regimes[i] == regime and not comparator[i] and pd.notna(numbers[i])]
        values = [float(numbers[i]) for i in rows]
        if len(rows) < 2 or max(values) - min(values) <= criterion.tolerance:
            continue
        low, high = ("best", "worst") if criterion.direction == Direction.MIN else ("worst", "best")
        for i, value in zip(rows, values, strict=True):
            if value - min(values) <= criterion.tolerance:
                marks[i] = low
            elif max(values) - value <= criterion.tolerance:
                marks[i] = high
    return marks


def _cells(table: pd.DataFrame, column: Column, marks: dict[int, str]) -> list[Cell]:
    """A column's cells; ``marks`` says which rows are best and worst."""
    statuses = texts(table, f"{column.metric}_status")
    values, lows, highs = (_numbers(table, f"{column.metric}{end}") for end in ("", "_low", "_high"))
    return [
        _cell(column, status, value, low, high, marks.get(index, ""))
        for index, (status, value, low, high) in enumerate(zip(statuses, values, lows, highs, strict=True))
    ]


def _cell(column: Column, status: str, value: float | None, low: float | None, high: float | None, mark: str) -> Cell:
    if value is None:
        status = status.strip().replace(" ", "_")
        return Cell("", "", None, status if status not in (MetricStatus.NONE, MetricStatus.OK) else "no_value", mark)
    text, bounds = format_number(value, column.digits), ""
    if low is not None and high is not None:
        ends = [format_number(end, column.digits) for end in (low, high)]
        bounds = RANGE_SIGN.join(ends) if ends[0] != ends[1] else ""
    return Cell(text, bounds, value, "", mark)


def _numbers(table: pd.DataFrame, column: str) -> list[float | None]:
    if column not in table.columns:
        return [None] * len(table)
    return [None if pd.isna(value) else float(value) for value in table[column]]


def regime_ids(results: Results) -> tuple[str, ...]:
    """Regimes of the results in order; one empty name where the study has none."""
    return tuple(dict.fromkeys(texts(results.ranking, "regime_id"))) or ("",)


def ranking_rows(results: Results, perspective_id: str) -> list[dict[str, Any]]:
    """The ranking under a perspective as plain rows, best first within each regime and panel; not ranked ones last."""
    table = results.ranking[results.ranking["perspective"] == perspective_id]
    rows = []
    for row in table.to_dict("records"):
        ranked = pd.notna(row["rank"])
        rows.append(
            {
                "candidate_id": str(row["candidate_id"]),
                "regime_id": "" if pd.isna(row["regime_id"]) else str(row["regime_id"]),
                "panel": str(row["panel"]),
                "rank": int(row["rank"]) if ranked else None,
                "score": float(row["score"]) if ranked else None,
                "tied": bool(row["tied"]),
                "reason": "" if pd.isna(row["reason"]) else str(row["reason"]),
            }
        )
    return rows
