"""Tables as CSV: a number is finite or absent, never a stand-in for something that can't be reached."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from corridor.report.escape import clean_text
from corridor.report.i18n import render_table
from corridor.schema.vocabulary import GAP_STATUSES, VETO_STATUSES, MetricStatus

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
NO_NUMBER = (*VETO_STATUSES, *GAP_STATUSES, MetricStatus.UNDETERMINED)
"""Statuses under which a metric has no number."""


def plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table fit for files: endless numbers and numbers under a status without value are blank.

    Where ``<metric>_status`` says that a metric has no value, the metric and its ``_low`` and ``_high`` are blank,
    whatever stood there; where it says ``undetermined``, the ends stay, ``inf`` where one can't be reached. Any other
    infinite number is blank, and without a status column one is made that says ``unreachable``, so that nobody reads
    the blank as unknown.
    """
    out = render_table(table).copy()
    for column in [str(name) for name in table.columns]:
        if pd.api.types.is_float_dtype(out[column]):
            base = re.sub(r"_(low|high|best|worst)$", "", column)
            status = f"{base}_status"
            endless = np.isinf(out[column].to_numpy(dtype=float, na_value=np.nan))
            if base != column:
                # an end of a figure that isn't determined
                endless &= out[base].notna().to_numpy() if base in out.columns else True
            if endless.any():
                out[column] = out[column].mask(endless)
                known = out[status] if status in out.columns else pd.Series("", index=out.index, dtype=object)
                out[status] = known.astype(object).where(
                    ~(endless & known.fillna("").eq("").to_numpy()), MetricStatus.UNREACHABLE
                )
        elif _is_text(out[column]):
            out[column] = [clean_text(value) if isinstance(value, str) else value for value in out[column].tolist()]
    for status in [str(name) for name in out.columns if str(name).endswith("_status")]:
        metric = status.removesuffix("_status")
        said = out[status].fillna("").astype(str).str.strip().str.replace(" ", "_")
        blank = said.isin(NO_NUMBER)
        for column in (f"{metric}{end}" for end in ("", "_low", "_high", "_best", "_worst")):
            if column in out.columns:
                kept = (said == MetricStatus.UNDETERMINED) & (column != metric)
                out[column] = out[column].mask(blank & ~kept)
    return out


def _is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV with ten significant digits (what lies beyond is rounding).

    Texts that a spreadsheet would work out as formulas get an apostrophe before them; see :func:`quote_formula`.
    """
    out = plain_table(table)
    for column in [str(name) for name in out.columns if _is_text(out[name])]:
        out[column] = [quote_formula(value) if isinstance(value, str) else value for value in out[column].tolist()]
    out.to_csv(path, index=False, float_format="%.10g", lineterminator="\n", encoding="utf-8")


def quote_formula(text: str) -> str:
    """Give a text with an apostrophe before it where a spreadsheet would take it for a formula; numbers stay.

    Args:
        text: of a cell; names and notes of others may begin with anything.

    >>> [quote_formula(text) for text in ("=1+1", "@SUM(A1)", "-5.2", "-", "Road")]
    ["'=1+1", "'@SUM(A1)", '-5.2', "'-", 'Road']
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unquote_formula(text: str) -> str:
    """Give a cell's text as it was before :func:`quote_formula`.

    Args:
        text: of a cell that :func:`write_csv` wrote.

    >>> [unquote_formula(text) for text in ("'=1+1", "'tis", "Road")]
    ['=1+1', "'tis", 'Road']
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
