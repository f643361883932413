"""Tables for readers: rows and cells of metrics and rankings, marks of candidates, and CSV."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.report.i18n import THIN_SPACE, clean_text, render_table, words
from corridor.schema.candidate import Candidate
from corridor.schema.column import Column, Criterion, Kind, Unit, ends_for_ranks
from corridor.schema.message import Message, Value
from corridor.schema.regime import OUTSIDE
from corridor.schema.results import Results
from corridor.schema.vocabulary import (
    ENDLESS_STATUSES,
    GAP_STATUSES,
    Direction,
    Family,
    FirstPlace,
    MetricStatus,
    Works,
)
from corridor.theme import sequence
from corridor.wording import join_range

# --- Colour and letter of each candidate: the letter tells them apart where colours can't ---

_LETTERS = (*ascii_uppercase, *(f"{letter}{turn}" for turn in range(2, 9) for letter in ascii_uppercase))
_FOR_FOUND = "RSTHIJ"
_FOUND = (Family.EXISTING, Family.VIA, Family.DRAWN)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a candidate is shown everywhere: one letter (or two) and one colour."""

    letter: str
    colour: str


def assign_marks(candidates: Sequence[Candidate]) -> dict[str, Mark]:
    """Give each candidate, by id, its mark; comparators are grey.

    The letter is the study's where it gives one; routes of the catalogue without one take the free letters in their
    order. Ways that were found, and a reader's own, take a free letter that follows from their id, so that nobody's
    mark hangs on what else was found. The colour follows the letter.

    Args:
        candidates: in the study's order.

    Returns:
        Marks by id.
    """
    letters = {candidate.candidate_id: candidate.letter for candidate in candidates if candidate.letter}
    free = [letter for letter in _LETTERS if letter not in letters.values()]
    found = sorted(
        (c.candidate_id for c in candidates if not c.letter and c.family in _FOUND),
        key=lambda key: (crc32(key.encode()), key),
    )
    for candidate in candidates:
        if not candidate.letter and candidate.family not in _FOUND:
            letters[candidate.candidate_id] = free.pop(0)
    for key in found:
        # From the letter that its id asks for on to the next free one; the colours of these come last in the palette.
        start = crc32(key.encode()) % len(_FOR_FOUND)
        turned = (*_FOR_FOUND[start:], *_FOR_FOUND[:start], *free)
        letters[key] = next(letter for letter in turned if letter in free)
        free.remove(letters[key])
    return {c.candidate_id: Mark(letters[c.candidate_id], _colour(letters[c.candidate_id], c)) for c in candidates}


def _colour(letter: str, candidate: Candidate | None = None) -> str:
    """The colour of a letter, grey for a comparator, and of its own kind for a package."""
    kind = "routes"
    if candidate is not None and (candidate.comparator or candidate.members):
        kind = "comparators" if candidate.comparator else "packages"
    colours = sequence(kind)
    return colours[_LETTERS.index(letter) % len(colours)]


# --- Tables as CSV: a number is finite or absent, never a stand-in for something that can't be reached ---

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
NO_NUMBER = (*ENDLESS_STATUSES, *GAP_STATUSES, MetricStatus.UNDETERMINED)
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
        elif (cleaned := clean_cells(out[column])) is not None:
            out[column] = cleaned
    for status in [str(name) for name in out.columns if str(name).endswith("_status")]:
        metric = status.removesuffix("_status")
        said = [text.strip().replace(" ", "_") for text in texts(out, status)]
        # What a status says has no value is blank, whatever was left in the cell: a stale number would be read as one.
        blank = np.array([text in NO_NUMBER for text in said], dtype=bool)
        ends_blank = blank & np.array([text != MetricStatus.UNDETERMINED for text in said], dtype=bool)
        for column in (f"{metric}{end}" for end in ("", "_low", "_high", "_best", "_worst")):
            gone = blank if column == metric else ends_blank
            if column in out.columns and gone.any():
                out[column] = out[column].mask(gone)
    return out


def clean_cells(column: pd.Series) -> list[Any] | None:
    """Cells of a column with their texts cleaned; None for a column of other things, or that is clean already.

    Args:
        column: of a table. What is no text stays; put back, cells decide by themselves what they are made of: objects
            that are all numbers become numbers.
    """
    if not _is_text(column):
        return None
    cells = _objects(column)
    cleaned = _told_once(clean_text, cells)
    return cleaned if cleaned != cells or column.dtype == object else None


def _told_once(tell: Callable[[str], str], cells: Sequence[Any]) -> list[Any]:
    """Cells with each text told anew, once however many cells hold it."""
    try:
        distinct = set(cells)
    except TypeError:  # cells that hold lists
        return [tell(cell) if isinstance(cell, str) else cell for cell in cells]
    # nearly all texts are told as they are
    changed = {cell: told for cell in distinct if isinstance(cell, str) and (told := tell(cell)) != cell}
    return [changed.get(cell, cell) for cell in cells] if changed else list(cells)


def _is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column))


def _objects(column: pd.Series) -> list[Any]:
    """The cells of a column as Python has them."""
    return column.to_numpy(dtype=object).tolist()  # type: ignore[no-any-return]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV with ten significant digits (what lies beyond is rounding).

    Texts that a spreadsheet would work out as formulas get an apostrophe before them; see :func:`quote_formula`.
    """
    write_plain_csv(plain_table(table), path)


def write_plain_csv(table: pd.DataFrame, path: Path) -> None:
    """The same for a table that :func:`plain_table` gave."""
    columns = [_csv_cells(table[name]) for name in table.columns]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(zip(*columns, strict=True))


def _csv_cells(column: pd.Series) -> list[Any]:
    """Cells of a column as they are written, empty where a value is missing."""
    if pd.api.types.is_float_dtype(column):
        # each number once, by its bits, as 0 and -0 are equal
        at, bits = pd.factorize(_floats(column).view(np.int64))
        told = [f"{value:.10g}" if value == value else "" for value in bits.view(np.float64).tolist()]  # noqa: PLR0124
        return np.array(told, dtype=object)[at].tolist()  # type: ignore[no-any-return]
    missing = column.isna().to_numpy()
    cells = _told_once(quote_formula, _objects(column))
    return ["" if gone else cell for cell, gone in zip(cells, missing, strict=True)] if missing.any() else cells


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


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


# --- The metric table and the rankings as rows and cells for a reader: rounded, with ranges, best and worst marked ---


@dataclass(frozen=True, slots=True)
class PageColumn:
    """A column of the page's table.

    ``key`` is the message of its label, ``label`` stands where there is none; ``unit`` is as in headings; ``status``
    names the column that says why there is no figure.
    """

    metric: str
    label: str
    unit: str
    digits: int
    scored: bool
    explanation: str
    key: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric of one candidate: text, range beneath (or nothing), finite value to sort by, and mark best or worst.

    ``ends`` says between what an undetermined figure lies, ``between`` has the two; ``most`` is the end of a known one
    that is furthest from 0.
    """

    text: str
    range_text: str
    value: float | None
    status: str = ""
    mark: str = ""
    ends: Message | None = None
    most: float = 0.0
    between: tuple[float, float] | None = None


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


_MEASURED = (str(Unit.KM), str(Unit.M))
"""Units of what is measured or documented: lengths and heights keep their decimals."""
_ROUGH_DIGITS = 3


def rough_number(value: float, digits: int, whole: float = 0.0) -> str:
    """A number that rests on rough inputs (prices, waits, rates of trips): three significant digits at most.

    More would say what isn't known.

    Args:
        value: the number.
        digits: decimals that its column has at most.
        whole: a sum that it is a part of and stands beside: parts are told to the place to which their sum is, so that
            they add up to it, small ones to their first digit.
    """
    # rounded once: a figure rounded to three digits first and then to the column's decimals may end up one too high
    decimals = min(digits, _rough_decimals(value, whole))
    return format_number(round(value, decimals) if math.isfinite(value) else value, max(0, decimals))


def rough_value(value: float, whole: float = 0.0) -> float:
    """The number that :func:`rough_number` tells, for scripts that write it themselves; what isn't finite stays.

    Args:
        value: the number.
        whole: a sum that it is a part of and stands beside.
    """
    return round(value, _rough_decimals(value, whole)) if math.isfinite(value) else value


def _rough_decimals(value: float, whole: float) -> int:
    """Decimals up to which a number is told; negative before the decimal point."""
    places = _places(value)
    # A part is told as roughly as its sum, or the parts would seem to disagree with it.
    decimals = _ROUGH_DIGITS - places
    if abs(whole) > abs(value):
        decimals = min(decimals, max(_ROUGH_DIGITS - _places(whole), 1 - places))
    return decimals


def _places(value: float) -> int:
    """Digits before the decimal point; negative for zeros after it."""
    return math.floor(math.log10(abs(value))) + 1 if value and math.isfinite(value) else 0


def cost_rows(results: Results, candidate_id: str) -> list[dict[str, str]]:
    """What a candidate's card says of its cost: a row per kind of works, of structure and country, and their sum.

    Args:
        results: with the lines that candidates are priced by.
        candidate_id: whose.

    Returns:
        Texts: ``works`` and ``kind`` as messages name them (``total`` for the sum), country, km, whole price, spent,
        remaining with its range, and upkeep; none where nothing is to be built.
    """
    if results.cost_lines is None or results.cost_lines.empty:
        return []
    # Lines of one kind in one country are one row: a reader compares kinds, not parts.
    own = results.cost_lines[results.cost_lines["candidate_id"] == candidate_id]
    if own.empty:
        return []
    lines_of: dict[tuple[str, str, str], list[int]] = {}
    for line, kind in enumerate(zip(*(texts(own, name) for name in ("works", "kind", "country")), strict=True)):
        lines_of.setdefault(kind, []).append(line)
    sums = {name: own[name].to_numpy(dtype=float) for name in _SUMMED}
    rows = [
        {"works": works, "kind": kind, "country": country} | _cost_cells(sums, of)
        for (works, kind, country), of in lines_of.items()
    ]
    # another road is no part of the route's own length to build
    own_km = float(np.nansum(sums["works_km"][[works != Works.REPLACEMENT for works in texts(own, "works")]]))
    total = {"works": "total", "kind": "", "country": ""} | _cost_cells(sums, slice(None))
    return [*rows, total | {"km": format_number(own_km, 1)}]


_SUMMED = (
    "works_km", "cost_musd", "cost_spent_musd", "cost_remaining_musd", "cost_remaining_musd_low",
    "cost_remaining_musd_high", "upkeep_musd",
)  # fmt: skip


def _cost_cells(columns: Mapping[str, NDArray[np.float64]], lines: Sequence[int] | slice) -> dict[str, str]:
    """Sums of some lines as texts."""
    km, whole, spent, remaining, low, high, upkeep = (float(np.nansum(columns[name][lines])) for name in _SUMMED)
    return {
        "km": format_number(km, 1),
        "whole": rough_number(whole, 0),
        "spent": rough_number(spent, 0),
        "remaining": rough_number(remaining, 0),
        "range": join_range(rough_number(low, 0), rough_number(high, 0)),
        "upkeep": rough_number(upkeep, 0),
    }


def price_years(results: Results, candidate_id: str | None = None) -> str:
    """Years of the prices that costs are made of.

    Args:
        results: with the lines that candidates are priced by.
        candidate_id: whose costs; everybody's if left out.
    """
    lines = results.cost_lines
    if lines is None or lines.empty:
        return ""
    own = lines if candidate_id is None else lines[lines["candidate_id"] == candidate_id]
    return ", ".join(sorted({str(year) for year in own["price_year"] if year}))


def metric_columns(results: Results) -> tuple[PageColumn, ...]:
    """Columns to show: scored criteria first, in the study's order, then every other figure that is for the page.

    A figure that is the same for all routes under all rules tells nothing apart: files have it, tables don't, unless it
    is scored.
    """
    table = results.metrics
    known = {column.name: column for column in results.columns}
    scored = {criterion.metric: criterion for criterion in results.criteria}
    # What is ranked by comes first, as the study orders it.
    names = [*scored, *(name for name, column in known.items() if column.on_page and name not in scored)]
    return tuple(
        _page_column(table, known.get(name), name, scored.get(name), results.focus_name)
        for name in names
        if name in table.columns and _has_figures(table, name) and (name in scored or not _is_constant(table, name))
    )


def _is_constant(table: pd.DataFrame, name: str) -> bool:
    """Whether several routes have a figure under all of their rules, and all of them the same one and ends."""
    ends = [column for column in (f"{name}_low", name, f"{name}_high") if column in table.columns]
    columns = [table[column].to_numpy() for column in ends]
    measured = np.any([pd.notna(values) for values in columns], axis=0)
    ids = texts(table, "candidate_id")
    routes = {key for key, known in zip(ids, measured, strict=True) if known}
    # what is lost or undetermined under some rules has no figure there, and differs by that
    rows = [row for row, key in enumerate(ids) if key in routes]
    return len(routes) > 1 and all(len(pd.unique(values[rows])) == 1 for values in columns)


def _has_figures(table: pd.DataFrame, name: str) -> bool:
    """Whether any row has a figure, or at least the ends of one."""
    return any(
        pd.to_numeric(table[column], errors="coerce").notna().any()
        for column in (name, f"{name}_low")
        if column in table.columns
    )


def unmeasured(results: Results) -> tuple[Criterion, ...]:
    """Criteria of the study for which the data give no value to anybody."""
    table = results.metrics
    return tuple(c for c in results.criteria if c.metric not in table.columns or not _has_figures(table, c.metric))


def _page_column(
    table: pd.DataFrame, column: Column | None, name: str, criterion: Criterion | None, focus: str
) -> PageColumn:
    """A column as the page has it; a study may score what no metric of this package declares (``column`` None)."""
    column = column or Column(name, "", "", "")
    digits = _digits(table, name, column)
    if criterion is None:
        return PageColumn(name, column.words, column.symbol, digits, False, "", column.key, column.status)
    # without a key the label is said as the study has it
    key = column.key if says_metric(criterion.label, column.key, focus) else ""
    return PageColumn(name, criterion.label, criterion.unit, digits, True, criterion.explanation, key, column.status)


def says_metric(label: str, key: str, focus: str) -> bool:
    """Whether a criterion's label is the metric's own name, which every language has a word for.

    Any other label is the study's own, and is said wherever the criterion is named, in every language.

    Args:
        label: of the criterion.
        key: of the metric's name among the messages.
        focus: the study's focus region, which names may hold.
    """
    return words().known(key) and words().say(key, {"focus": focus}) == clean_text(label)


def criterion_name(results: Results, criterion: Criterion) -> Value:
    """A criterion's name as a reader meets it: the study's label, or the metric's name where that is the label.

    Args:
        results: the study's.
        criterion: one of its criteria.
    """
    declared = next((column for column in results.columns if column.name == criterion.metric), None)
    key = declared.key if declared else f"metric.{criterion.metric}"
    if says_metric(criterion.label, key, results.focus_name):
        return Message(key, {"focus": results.focus_name}, criterion.label)
    return clean_text(criterion.label)


def _digits(table: pd.DataFrame, name: str, column: Column) -> int:
    """Decimals: as declared, none for what is counted, else fewer the greater the figures are.

    Where no figure is above 0, the ends of those that aren't determined decide.
    """
    if column.digits is not None:
        return column.digits
    if column.kind is Kind.COUNT or column.unit == Unit.PEOPLE or pd.api.types.is_integer_dtype(table[name]):
        return 0
    ends = [end for end in (f"{name}_low", f"{name}_high") if end in table.columns]
    largest = _largest(table, [name]) or _largest(table, ends)
    return 0 if largest >= 200 else 1 if largest >= 5 else 2


def _largest(table: pd.DataFrame, columns: Sequence[str]) -> float:
    """The greatest finite size of any figure in some columns; 0 for none."""
    figures = (pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for name in columns)
    sizes = (np.abs(column) for column in figures)
    return max((float(np.max(size, initial=0.0, where=np.isfinite(size))) for size in sizes), default=0.0)


def metric_rows(
    results: Results, columns: Sequence[PageColumn], marks: dict[str, Mark], table: pd.DataFrame
) -> tuple[Row, ...]:
    """One row per candidate and regime, in the order of the metric table, whose plain values ``table`` has.

    Args:
        results: of a comparison.
        columns: those to show.
        marks: letter and colour by candidate.
        table: the metric table with plain values.
    """
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
    cells, missing = _objects(table[column]), table[column].isna().tolist()
    return ["" if gone else str(cell) for cell, gone in zip(cells, missing, strict=True)]


def _extremes(
    results: Results, table: pd.DataFrame, column: PageColumn, regimes: list[str], comparator: list[bool]
) -> dict[int, str]:
    """Which rows are best and worst among the through routes of their regime; only where a direction is declared."""
    criterion = next((c for c in results.criteria if c.metric == column.metric), None)
    if criterion is None:
        return {}
    marks: dict[int, str] = {}
    sign = 1.0 if criterion.direction == Direction.MIN else -1.0
    losses = sign * pd.to_numeric(table[column.metric], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    least, most = _open_losses(table, column, sign)
    for regime in dict.fromkeys(regimes):
        # Best and worst of those that compete: a comparator may be the shortest and yet is nobody's choice.
        rows = [i for i in table.index if regimes[i] == regime and not comparator[i]]
        known = [i for i in rows if not np.isnan(losses[i])]
        # A figure of which only ends are known may be better or worse than all others: then none is that for sure.
        best = min((end for i in rows for end in (losses[i], least[i]) if not np.isnan(end)), default=np.nan)
        worst = max((end for i in rows for end in (losses[i], most[i]) if not np.isnan(end)), default=np.nan)
        if len(known) < 2 or worst - best <= criterion.tolerance:
            continue
        for i in known:
            if losses[i] - best <= criterion.tolerance:
                marks[i] = "best"
            elif worst - losses[i] <= criterion.tolerance:
                marks[i] = "worst"
    return marks


def _open_losses(table: pd.DataFrame, column: PageColumn, sign: float) -> tuple[NDArray[np.float64], ...]:
    """The least and the greatest loss of figures that have no one number, by row; NaN for the others.

    What can't be reached is a greater loss than any number.

    Args:
        table: the metric table with plain values.
        column: whose figures.
        sign: 1 where less is better, else -1.
    """
    statuses = _statuses(table, column)
    ends = [sign * end.to_numpy(dtype=float, na_value=np.nan) for end in ends_for_ranks(table, column.metric)]
    # an end without a number is the worst, whichever way the figure counts
    endless = np.isinf(ends).any(axis=0)
    finite = [np.where(np.isinf(end), np.nan, end) for end in ends]
    is_open = np.array([status == MetricStatus.UNDETERMINED for status in statuses], dtype=bool)
    least = np.where(is_open, np.fmin(*finite), np.nan)
    most = np.where(is_open, np.where(endless, np.inf, np.fmax(*finite)), np.nan)
    most[[status in ENDLESS_STATUSES for status in statuses]] = np.inf
    return least, most


def _statuses(table: pd.DataFrame, column: PageColumn) -> list[str]:
    """Why a column has no figures, by row: of its own status where it has one, else of its metric's."""
    own = f"{column.metric}_status"
    found = texts(table, own if own in table.columns else column.status)
    return [status.strip().replace(" ", "_") for status in found]


def _cells(table: pd.DataFrame, column: PageColumn, marks: dict[int, str]) -> list[Cell]:
    """A column's cells; ``marks`` says which rows are best and worst."""
    statuses = _statuses(table, column)
    values, lows, highs = (_numbers(table, f"{column.metric}{end}") for end in ("", "_low", "_high"))
    return [
        _cell(column, status, value, low, high, marks.get(index, ""))
        for index, (status, value, low, high) in enumerate(zip(statuses, values, lows, highs, strict=True))
    ]


def _cell(
    column: PageColumn, status: str, value: float | None, low: float | None, high: float | None, mark: str
) -> Cell:
    if value is None:
        if status == MetricStatus.UNDETERMINED and low is not None and high is not None:
            least, most = _end_text(low, column.digits), _end_text(high, column.digits)
            between = Message("cell.undetermined", {"low": least, "high": most})
            return Cell("", "", None, status, mark, between, between=(low, high))
        return Cell("", "", None, status if status not in (MetricStatus.NONE, MetricStatus.OK) else "no_value", mark)
    # A figure with a range rests on rough inputs and is told roughly; lengths and heights are measured.
    ranged = low is not None and high is not None and low != high
    say = rough_number if ranged and column.unit not in _MEASURED else format_number
    text, bounds = say(value, column.digits), ""
    if low is not None and high is not None:
        ends = [say(end, column.digits) for end in (low, high)]
        bounds = join_range(*ends) if ends[0] != ends[1] else ""
    return Cell(
        text, bounds, value, "", mark, most=max((end for end in (value, low, high) if end is not None), key=abs)
    )


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _end_text(value: float, digits: int) -> Value:
    """An end of an undetermined figure with three significant digits at most: more would say what isn't known."""
    if math.isinf(value):
        return Message("status.unreachable")
    return rough_number(value, digits)


def _numbers(table: pd.DataFrame, column: str) -> list[float | None]:
    if column not in table.columns:
        return [None] * len(table)
    cells, missing = _objects(table[column]), table[column].isna().tolist()
    return [None if gone else float(cell) for cell, gone in zip(cells, missing, strict=True)]


@dataclass(frozen=True, slots=True)
class MetricCells:
    """The cells of one metric by candidate and regime, and how its column is headed."""

    column: PageColumn
    cells: Mapping[tuple[str, str], Cell]

    def get(self, candidate_id: str, regime_id: str) -> Cell | None:
        """The cell of a candidate under a regime; what is the same under all rules for one that no rules touch."""
        return self.cells.get((candidate_id, regime_id)) or self.cells.get((candidate_id, OUTSIDE))


def metric_cells(results: Results, metric: str, table: pd.DataFrame) -> MetricCells | None:
    """One metric of the table, whether or not the page's table shows it; None where the results lack it.

    Args:
        results: of a comparison.
        metric: name of its column.
        table: the results' metric table with plain values.

    Returns:
        Its cells.
    """
    if metric not in table.columns:
        return None
    known = {column.name: column for column in results.columns}
    scored = next((c for c in results.criteria if c.metric == metric), None)
    column = _page_column(table, known.get(metric), metric, scored, results.focus_name)
    keys = list(zip(table["candidate_id"].astype(str), texts(table, "regime_id"), strict=True))
    return MetricCells(column, dict(zip(keys, _cells(table, column, {}), strict=True)))


def regime_ids(results: Results) -> tuple[str, ...]:
    """Regimes of the results in order; one empty name where the study has none."""
    return tuple(dict.fromkeys(texts(results.ranking, "regime_id"))) or ("",)


def ranking_cells(results: Results) -> MetricCells:
    """Places in the ranking under the default perspective, with the interval that unknown figures leave."""
    column = PageColumn("rank", "rank", "", 0, False, "", "page.place_in_ranking")
    cells = {}
    for row in ranking_rows(results, results.default_perspective):
        key = (row["candidate_id"], row["regime_id"])
        if row["rank"] is None:
            cells[key] = Cell("", "", None, "not_ranked")
            continue
        best, worst = row["rank"], row["worst"]
        places = str(best) if worst in (None, best) else join_range(f"{best}", f"{worst}")
        cells[key] = Cell(places, "", float(best), "" if worst is not None else "or_not_ranked")
    return MetricCells(column, cells)


def ranking_rows(results: Results, perspective_id: str) -> list[dict[str, Any]]:
    """The ranking under a perspective as plain rows, best first within each regime and panel; not ranked ones last.

    ``rank`` is the best that undetermined metrics leave possible, ``worst`` the worst; None where the route may not be
    ranked at all.
    """
    table = results.ranking[results.ranking["perspective"] == perspective_id]
    rows = []
    for row in table.to_dict("records"):
        ranked = pd.notna(row["rank_best"])
        rows.append(
            {
                "candidate_id": str(row["candidate_id"]),
                "regime_id": "" if pd.isna(row["regime_id"]) else str(row["regime_id"]),
                "panel": str(row["panel"]),
                "rank": int(row["rank_best"]) if ranked else None,
                "worst": int(row["rank_worst"]) if pd.notna(row["rank_worst"]) else None,
                "first": FirstPlace(row["first"] if pd.notna(row["first"]) else ""),
                "score": float(row["score"]) if pd.notna(row["score"]) else None,
                "ends": (_number(row["score_low"]), _number(row["score_high"])) if ranked else (None, None),
                "tied": bool(row["tied"]),
                "reason": "" if row["reason"] is None or row["reason"] != row["reason"] else row["reason"],
            }
        )
    return rows
