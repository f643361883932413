"""What every column of every file means: unit, meaning, and where it comes from or how it is computed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from corridor.errors import OutputError
from corridor.report.escape import clean_text
from corridor.report.plain_tables import plain_table, write_csv
from corridor.schema.column import Column, Kind, find_column
from corridor.schema.criterion import Criterion
from corridor.schema.results import Results
from corridor.schema.vocabulary import MetricStatus

DICTIONARY = "data_dictionary.csv"


def describe_column(name: str, results: Results | None = None) -> Column | None:
    """What a column of a file is; None if nothing is known of it.

    Columns of the metric table come with the results, from the functions that measure them; ``columns.csv`` has those
    of the other files; a study's own scored metrics are described by their criterion.

    >>> describe_column("contribution:length").meaning
    'what that criterion adds to the score (criterion: length)'
    """
    measured = results.columns if results else ()
    scored = [_scored(criterion) for criterion in (results.criteria if results else ())]
    found = find_column(name, measured) or find_column(name, file_columns()) or find_column(name, scored)
    if found is None and name.endswith("_status"):
        metric = describe_column(name.removesuffix("_status"), results)
        return _status_of(name, metric) if metric else None
    return found


def _scored(criterion: Criterion) -> Column:
    meaning = clean_text(f"{criterion.label}. {criterion.explanation}").strip()
    return Column(criterion.metric, criterion.unit, meaning, "study file: criteria", interval=True)


def _status_of(name: str, metric: Column) -> Column:
    return Column(
        name, "", f"whether there is a value of: {metric.meaning}",
        f"{MetricStatus.OK}; otherwise why there is no number", kind=Kind.STATUS,
    )  # fmt: skip


@cache
def file_columns() -> tuple[Column, ...]:
    """Columns of the files beside the metric table."""
    try:
        text = files("corridor.export").joinpath("columns.csv").read_text(encoding="utf-8")
    except OSError as fault:
        raise OutputError("columns.csv is missing from the installed package: install corridor anew") from fault
    return tuple(
        Column(row["column"], row["unit"], row["meaning"], row["formula"], interval=True)
        for row in csv.DictReader(text.splitlines())
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
            entry = describe_column(column, results) or Column(column, "", column.replace("_", " "), "")
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
