"""What differs between two results: inputs, notes, figures beyond their intervals, ranks, each with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from corridor.errors import SourceError
from corridor.pipeline.saved_results import SavedResults, load_results
from corridor.report.view import describe_notes
from corridor.schema.results import Results
from corridor.svg_repr import table_html

SAME = 1e-9
"""Numbers agree that differ by no more than this share of the larger one; files hold ten significant digits."""
_KEYS = ["candidate_id", "regime_id"]
_RANKED = [*_KEYS, "panel", "perspective"]
_FIGURES = ["candidate_id", "regime_id", "figure", "before", "after", "beyond"]
_INPUTS = ["what", "before", "after"]
_NOTES = ["about", "before", "after"]
_NO_NOTES = "not in the files of this run"
_RANKS = ["perspective", "regime_id", "panel", "candidate_id", "before", "after", "why"]
_Row = Mapping[str, Any]
"""A row of a table, cells by column."""


class Compared(Protocol):
    """A comparison that was just made, so far as it is held against another."""

    @property
    def results(self) -> Results:
        """All that it found."""


@dataclass(frozen=True)
class Difference:
    """What differs from one run to another, as tables.

    ``inputs`` (what, before, after): version, study, dates, baseline, criteria, and data files by their content.
    ``routes`` (candidate_id, before, after): routes of one run alone, by their stable ids, and new names. ``notes``
    (about, before, after): assumptions of routes and other notes of one run alone, by subject, those that went before
    those that came. ``figures`` (candidate_id, regime_id, figure, before, after, beyond): numbers and words of the
    metric table, with their ends where these alone changed or are all that is known; ``beyond`` says whether each value
    lies outside the other's interval, so that the change is more than what was uncertain anyway.
    ``ranks`` (perspective, regime_id, panel, candidate_id, before, after, why).
    """

    inputs: pd.DataFrame
    routes: pd.DataFrame
    notes: pd.DataFrame
    figures: pd.DataFrame
    ranks: pd.DataFrame

    @property
    def differs(self) -> bool:
        """Whether anything does, the time of the run apart."""
        return any(len(table) for table in self.tables().values())

    def __bool__(self) -> bool:
        return self.differs

    def __repr__(self) -> str:
        beyond = int(self.figures["beyond"].sum()) if len(self.figures) else 0
        return (
            f"<Difference: {len(self.inputs)} inputs, {len(self.routes)} routes, {len(self.notes)} notes, "
            f"{len(self.figures)} figures ({beyond} beyond their intervals), {len(self.ranks)} ranks>"
        )

    def _repr_html_(self) -> str:
        return "".join(
            table_html(
                name, list(table.columns), [[say_cell(cell) for cell in row] for row in table.itertuples(index=False)]
            )
            for name, table in self.tables().items()
            if len(table)
        )

    def tables(self, *, beyond_only: bool = False) -> dict[str, pd.DataFrame]:
        """The tables by name.

        Args:
            beyond_only: of the figures only those that changed by more than their intervals.

        Returns:
            inputs, routes, notes, figures and ranks; empty ones too.
        """
        figures = self.figures[self.figures["beyond"]] if beyond_only and len(self.figures) else self.figures
        return {
            "inputs": self.inputs, "routes": self.routes, "notes": self.notes, "figures": figures, "ranks": self.ranks,
        }  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """One of the two: facts by name, the metric table, the rankings, names of routes by id, notes by subject."""

    facts: Mapping[str, str]
    metrics: pd.DataFrame
    ranking: pd.DataFrame
    names: Mapping[str, str]
    notes: Mapping[str, Sequence[str]] | None


def diff(before: str | Path | SavedResults | Compared, after: str | Path | SavedResults | Compared) -> Difference:
    """Hold two results against each other: folders, opened results, or comparisons that were just made.

    Args:
        before: the earlier one.
        after: the later one.

    Returns:
        What changed; empty tables where nothing did.

    Raises:
        SourceError: a folder holds no results, or what was changed into something unreadable.
    """
    old, new = _side(before), _side(after)
    figures = pd.DataFrame(list(_changed_figures(old.metrics, new.metrics)), columns=_FIGURES)
    inputs = pd.DataFrame(list(_changed_facts(old.facts, new.facts)), columns=_INPUTS)
    routes = pd.DataFrame(list(_changed_facts(old.names, new.names)), columns=["candidate_id", "before", "after"])
    notes = pd.DataFrame(list(_changed_notes(old.notes, new.notes)), columns=_NOTES)
    ranks = pd.DataFrame(list(_changed_ranks(old.ranking, new.ranking)), columns=_RANKS)
    return Difference(inputs, routes, notes, figures, ranks)


def _side(given: str | Path | SavedResults | Compared) -> _Side:
    if isinstance(given, str | Path):
        given = load_results(given)
    if isinstance(given, SavedResults):
        facts = dict(given.facts)
        files = given.inputs
        criteria, metrics, ranking = given.criteria, given.metrics, given.ranking
        weights = given.weights_of
        notes: Mapping[str, Sequence[str]] | None = given.notes
    elif isinstance(results := getattr(given, "results", None), Results):
        facts = {
            "study": results.study_id, "title": results.title, "as_of": results.as_of, "baseline": results.baseline,
            "version": results.version,
        }  # fmt: skip
        files = tuple({"id": s.source_id, "file": s.file, "date": s.date, "sha256": s.sha256} for s in results.sources)
        criteria, metrics, ranking = results.criteria, results.metrics, results.ranking
        weights = {view.perspective_id: view.weights for view in results.perspectives}
        notes = describe_notes(results)
    else:
        raise SourceError(f"diff: {type(given).__name__} holds no results; give folders, opened results or comparisons")
    # Whatever the figures follow from is told as text by name, so that one comparison of texts says which input moved.
    for item in files:
        facts[f"data: {item.get('id', '')}"] = " ".join(
            part for part in (item.get("file", ""), item.get("date", ""), item.get("sha256", "")[:12]) if part
        )
    for criterion in criteria:
        facts[f"criterion: {criterion.criterion_id}"] = (
            f"{criterion.metric}, {criterion.best:g} to {criterion.worst:g} {criterion.unit}, "
            f"tolerance {criterion.tolerance:g}, group {criterion.group}"
        )
    for name, shares in weights.items():
        told = ", ".join(f"{key} {share:.3g}" for key, share in shares.items())
        facts[f"weights: {name}"] = told
    # A candidate has a row for each set of rules, and one name.
    named = metrics.drop_duplicates("candidate_id") if {"candidate_id", "name"} <= set(metrics) else metrics.iloc[:0]
    names = dict(zip(named["candidate_id"], named["name"], strict=True)) if len(named) else {}
    return _Side(facts, _keyed(metrics, _KEYS), _keyed(ranking, _RANKED), names, notes)


def _keyed(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """A table with its keys as index, empty texts where a run has no such key; of rows that stand twice the first."""
    missing = {key: "" for key in keys if key not in table}
    # Runs with and without rules are held against each other by the keys that both can have.
    found = table.assign(**missing)
    for key in keys:
        found[key] = ["" if _empty(cell) else str(cell) for cell in found[key]]
    return found.drop_duplicates(keys).set_index(keys)


def _changed_facts(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What isn't the same in two tables of texts; '' on the side that lacks it."""
    for key in dict.fromkeys([*old, *new]):
        was, now = str(old.get(key, "")), str(new.get(key, ""))
        if was != now or (key in old) != (key in new):
            yield key, was, now


def _changed_notes(
    old: Mapping[str, Sequence[str]] | None, new: Mapping[str, Sequence[str]] | None
) -> Iterator[tuple[str, str, str]]:
    """Sentences that one of both lacks, those that went before those that came; nothing is said of what isn't known."""
    if old is None or new is None:
        if old is not new:
            yield "all", _NO_NOTES if old is None else "", _NO_NOTES if new is None else ""
        return
    for subject in dict.fromkeys([*old, *new]):
        was, now = old.get(subject, ()), new.get(subject, ())
        yield from ((subject, note, "") for note in was if note not in now)
        yield from ((subject, "", note) for note in now if note not in was)


def _changed_figures(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[tuple[str, str, str, Any, Any, bool]]:
    """Cells of the metric table that differ, for rows that both have; ends of intervals go with their middle.

    Where a figure isn't known its ends stand in for it, and where its ends alone changed they stand beside it: a range
    that became wider has changed.
    """
    old_rows, new_rows = _rows(old), _rows(new)
    pairs = [(key, row, new_rows[key]) for key, row in old_rows.items() if key in new_rows]
    columns = [
        c
        for c in dict.fromkeys([*old.columns, *new.columns])
        if not c.endswith(("_low", "_high", "_best", "_worst")) and c != "name"
    ]
    for column in columns:
        for key, before, after in pairs:
            a, b = before.get(column), after.get(column)
            same = _agree(a, b)
            if same and all(map(_agree, _ends(before, column), _ends(after, column))):
                continue
            told = (a, b)
            if same or _empty(a) or _empty(b):
                told = _told(a, before, column), _told(b, after, column)
            yield str(key[0]), str(key[1]), column, *told, _apart(before, after, column)


def _rows(table: pd.DataFrame) -> dict[tuple[str, ...], _Row]:
    """Rows by key: to take one out of a table takes pandas longer than to compare all of its cells."""
    return dict(zip(table.index, table.to_dict("records"), strict=True))


def _ends(row: _Row, column: str) -> tuple[Any, Any]:
    """The ends of a figure, None where it has no such number."""
    low, high = (
        end if _number(end) and not _empty(end) else None
        for end in (row.get(f"{column}_low"), row.get(f"{column}_high"))
    )
    return low, high


def _told(value: Any, row: _Row, column: str) -> Any:
    """A cell with its ends, or between what its figure lies where that is all that is known."""
    ends = _ends(row, column)
    if ends == (None, None) or not (_empty(value) or _number(value)):
        return value
    low, high = ("?" if end is None else f"{end:g}" for end in ends)
    return f"[{low}, {high}]" if _empty(value) else f"{value:g} [{low}, {high}]"


def _agree(a: Any, b: Any) -> bool:
    if _empty(a) or _empty(b):
        return bool(_empty(a) and _empty(b))
    numbers = _as_number(a), _as_number(b)
    if numbers[0] is not None and numbers[1] is not None:
        a, b = numbers
        # ends that can't be reached are infinite, and have no difference
        return bool(a == b or abs(a - b) <= SAME * max(abs(a), abs(b)) < np.inf)
    return str(a) == str(b)


def _as_number(value: Any) -> float | None:
    """A number, also where it is written as text: a file doesn't tell a text of digits from a number."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _empty(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or (isinstance(value, float) and np.isnan(value))


def _apart(old: _Row, new: _Row, column: str) -> bool:
    """Whether each run's value lies outside the interval of the other; what isn't a number is apart when it differs.

    Where neither is known, whether there is nothing that both can be.
    """
    ranges = [_ends(row, column) for row in (old, new)]
    if all(_empty(row.get(column)) and None not in ends for row, ends in zip((old, new), ranges, strict=True)):
        (least_a, most_a), (least_b, most_b) = ranges
        return bool(most_a < least_b or most_b < least_a)
    ends = []
    for row in (old, new):
        cells: list[Any] = [row.get(f"{column}{end}") for end in ("_low", "", "_high")]
        low, mid, high = cells
        if not _number(mid) or _empty(mid):
            return True
        ends.append(
            (low if _number(low) and not _empty(low) else mid, mid, high if _number(high) and not _empty(high) else mid)
        )
    (low_a, a, high_a), (low_b, b, high_b) = ends
    return not (low_a <= b <= high_a or low_b <= a <= high_b)


def _changed_ranks(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Ranks that differ, for what both rank; where a status or a reason changed, that too."""
    old_rows, new_rows = _rows(old), _rows(new)
    for key in dict.fromkeys([*old_rows, *new_rows]):
        was, now = old_rows.get(key), new_rows.get(key)
        before, after = _rank(was), _rank(now)
        if before != after:
            candidate, regime, panel, perspective = key
            yield perspective, regime, panel, candidate, before, after, _why(was, now)


def _rank(row: _Row | None) -> str:
    if row is None:
        return "not in the run"
    rank, ranks = row.get("rank"), row.get("ranks")
    has_ranks = ranks is not None and not _empty(ranks) and not _number(ranks)
    # What isn't known may leave a route a place at best, or none.
    if rank is None or _empty(rank):
        return str(ranks) if has_ranks else "not ranked"
    words = str(ranks) if has_ranks else f"{float(rank):g}"
    return f"{words}=" if str(row.get("tied")) == "True" else words


def _why(was: _Row | None, now: _Row | None) -> str:
    """Why a rank changed: the reason that it isn't ranked, else the criteria that moved its score most."""
    if was is None or now is None:
        return "the route or the rules are in one run alone"
    for row in (now, was):
        reason = row.get("reason")
        if _rank(row) == "not ranked" and reason is not None and not _empty(reason):
            return str(reason)
    moved = {}
    for column in was:
        if str(column).startswith("contribution:") and column in now:
            a, b = was[column], now[column]
            if _number(a) and _number(b) and not _agree(a, b):
                moved[str(column).removeprefix("contribution:")] = float(b) - float(a)
    largest = sorted(moved.items(), key=lambda item: -abs(item[1]))[:2]
    told = [f"{name} {change:+.3f}" for name, change in largest]
    # What isn't known has no contribution: it shows in the ends of the score alone.
    spans = [tuple(row.get(end) for end in ("score_low", "score_high")) for row in (was, now)]
    alike = _agree(was.get("undetermined"), now.get("undetermined"))
    if not alike or not (moved or all(map(_agree, *spans))):
        told.append(f"what isn't known: its score was {_span(*spans[0])} and is now {_span(*spans[1])}")
    return ", ".join(told) or "others moved; its own score is the same"


def _span(low: Any, high: Any) -> str:
    """Between what a score lies; without a least one it may have none."""
    if _empty(high):
        return "none"
    if _empty(low):
        return f"at most {high:.3f}"
    return f"{high:.3f}" if _agree(low, high) else f"{low:.3f} to {high:.3f}"


def say_cell(value: Any) -> str:
    """A cell as people read it: six significant digits, nothing where there is nothing.

    Args:
        value: of a table of differences.
    """
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:,.6g}"
    return "" if value is None else str(value)
