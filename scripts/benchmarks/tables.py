"""Measurements as a table for the terminal and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from benchmarks.harness import Row

HEADS = ("size", "tool", "seconds", "ratio", "MB", "result", "goal")
_INTRO = """# Benchmarks

Measured by `make bench`, which overwrites this page. Seconds are those of processors, of started processes too, which
other work on the machine changes less than those of the clock; under a high load they still grow. A **ratio** is the
tool's time through corridor's in the same run: above 1, corridor is quicker. All data are synthetic with fixed seeds
unless a row says otherwise, so that the table can be made again anywhere; ratios travel between machines, seconds
don't. Where a goal was missed, the row says so. GRASS is run as its users run it, one process per command: about a
third of a second of its time is its start.
*True cost* is the exact line integral of the path found, over cells of one price each, whatever the search assumed.

"""


def cells(row: Row) -> tuple[str, ...]:
    """A measurement as words."""
    goal = "" if row.held is None else f"{row.goal}: {'met' if row.held else 'MISSED'}"
    numbers = (
        "" if row.seconds is None else f"{row.seconds:.3g}",
        "" if row.ratio is None else f"{row.ratio:.3g}",
        "" if row.memory_mb is None else f"{row.memory_mb:.0f}",
    )
    return (row.size, row.tool, *numbers, row.result, goal)


def print_rows(rows: Sequence[Row], about: dict[str, str]) -> None:
    """One table with a section for each case."""
    table = Table(title="; ".join(f"{k} {v}" for k, v in about.items() if k != "packages"), title_justify="left")
    for head in ("case", *HEADS):
        table.add_column(head, justify="right" if head in ("seconds", "ratio", "MB") else "left")
    for case, found in groupby(rows, lambda row: row.case):
        for k, row in enumerate(found):
            table.add_row("" if k else case, *cells(row))
        table.add_section()
    Console(width=190).print(table)


def as_markdown(rows: Sequence[Row], about: dict[str, str]) -> str:
    """The page with the machine, and a section with a table for each case."""
    lines = [_INTRO + "| machine | |", "|---|---|", *(f"| {k} | {v} |" for k, v in about.items())]
    for case, found in groupby(rows, lambda row: row.case):
        lines += [
            "",
            f"## {case[0].upper()}{case[1:]}",
            "",
            f"| {' | '.join(HEADS)} |",
            "|---|---|--:|--:|--:|---|---|",
        ]
        lines += [f"| {' | '.join(cells(row))} |" for row in found]
    return "\n".join(lines) + "\n"
