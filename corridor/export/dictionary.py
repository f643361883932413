"""What every column of every file means: unit, meaning, and where it comes from or how it is computed."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from corridor.errors import OutputError
from corridor.report.escape import clean_text
from corridor.report.plain_tables import plain_table, write_csv
from corridor.schema.results import Results

NAME = "data_dictionary.csv"
_HOLE = re.compile(r"\\\{(\w+)\\\}")
_ENDS = {
    "_low": ("lower end of: ", "low ends of the inputs, or what the heights' error allows"),
    "_high": ("upper end of: ", "high ends of the inputs, or what the heights' error allows"),
    "_status": ("whether there is a value of: ", "ok; otherwise why there is no number"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One column as the dictionary has it."""

    unit: str
    meaning: str
    formula: str


def describe_column(name: str, results: Results | None = None) -> Entry | None:
    """Look a column up; None if nothing is known of it.

    Columns of ranges and statuses are described by their metric, numbered ones (by class of road, stage, criterion)
    by their pattern, scored metrics of a study's own by its criterion.

    >>> describe_column("length_km_low").unit
    'km'
    """
    for pattern, entry in _entries():
        found = pattern.fullmatch(name)
        if found is None:
            continue
        words = found.groupdict()
        inner = describe_column(words["metric"], results) if "metric" in words else None
        if inner:
            return Entry(inner.unit, f"before, with nothing done: {inner.meaning}", inner.formula)
        if "metric" not in words:
            meaning = entry.meaning + "".join(f" ({hole}: {text})" for hole, text in words.items())
            return Entry(entry.unit, meaning, entry.formula)
    for end, (before, formula) in _ENDS.items():
        inner = describe_column(name.removesuffix(end), results) if name.endswith(end) else None
        if inner:
            return Entry("" if end == "_status" else inner.unit, before + inner.meaning, formula)
    for criterion in results.criteria if results else ():
        if criterion.metric == name:
            return Entry(
                criterion.unit, clean_text(f"{criterion.label}. {criterion.explanation}"), "study file: criteria"
            )
    return None


@cache
def _entries() -> tuple[tuple[re.Pattern[str], Entry], ...]:
    """Patterns with their entries; exact names first, then ``{metric}_...``, then longer before shorter."""
    path = files("corridor.report").joinpath("columns.csv")
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as fault:
        raise OutputError("columns.csv is missing from the installed package: install corridor anew") from fault
    rows.sort(key=lambda row: ("{" in row["column"], not row["column"].startswith("{"), -len(row["column"])))
    return tuple(
        (
            re.compile(_HOLE.sub(r"(?P<\1>.+?)", re.escape(row["column"]))),
            Entry(row["unit"], row["meaning"], row["formula"]),
        )
        for row in rows
    )


def build_dictionary(results: Results, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per column of each table: file, column, type, unit, meaning, source.

    Args:
        results: whose criteria describe metrics that only the study knows.
        tables: by file; layers of a GeoPackage as ``name.gpkg|layername=...``, as GDAL and QGIS write it.
    """
    rows = []
    for file, table in tables.items():
        for column in map(str, table.columns):
            entry = describe_column(column, results) or Entry("", column.replace("_", " "), "")
            kind = "geometry" if column == "geometry" else _kind(table[column])
            rows.append((file, column, kind, entry.unit, entry.meaning, entry.formula))
    return pd.DataFrame(rows, columns=["file", "column", "type", "unit", "meaning", "source"])


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "true or false"
    if pd.api.types.is_integer_dtype(values):
        return "whole number"
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


def write_dictionary(results: Results, tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write the dictionary of the tables as CSV."""
    plain = {file: table if "geometry" in table else plain_table(table) for file, table in tables.items()}
    write_csv(build_dictionary(results, plain), path)
