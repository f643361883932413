"""What the commands share: options, consoles, progress and tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import corridor
from corridor.errors import OutputError, StudyError
from corridor.report.escape import clean_line

# What is printed comes from files, names and addresses: it is shown as it is, never read as Rich's markup or as emoji
# codes (a file "no:x:such" has colons in its name). Nothing prints but the functions below, which clean it.
_out_console = Console(width=None if sys.stdout.isatty() else 140, markup=False, emoji=False)
err_console = Console(stderr=True, markup=False, emoji=False, highlight=False)

DEFAULT_STUDY = "syunik"
"""The bundled study that commands take where none is named."""

StudyArg = Annotated[
    str,
    typer.Argument(
        metavar="[STUDY]", help="A study file, or the name of one that ships with the toolkit.", show_default=True
    ),
]
OsmOption = Annotated[
    Path | None,
    typer.Option(
        "--osm", metavar="FILE", help="OpenStreetMap roads and railways (.osm.pbf, .osm) instead of the study's."
    ),
]
DemOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--dem", metavar="FILE", help="Elevation raster (GeoTIFF, HGT, VRT) instead of the study's; may be given again."
    ),
]

BaselineOption = Annotated[
    str | None, typer.Option("--baseline", metavar="ID", help="Dated state of the network instead of the study's own.")
]


def load_study(name: str, baseline: str | None = None) -> corridor.Study:
    """A study by path or by the name of a bundled one, on its own or another baseline."""
    found = _find_study(name)
    return found if baseline is None else found.on_baseline(baseline)


def _find_study(name: str) -> corridor.Study:
    if name.endswith(".toml") or Path(name).is_file() or "/" in name:
        return corridor.Study.load(name)
    return corridor.Study.bundled(name)


def plain_path(path: Path) -> Path:
    """A path to write to, as given.

    Raises:
        OutputError: its name has control characters or bytes that are no text: it couldn't be printed as it is.
    """
    if clean_line(path) != str(path):
        raise OutputError(f"{str(path)!r}: holds characters that can't be shown; choose another name")
    return path


def iso_date(text: str | None) -> str | None:
    """A day as given.

    Raises:
        StudyError: it is no day such as 2027-03-01.
    """
    if text is None:
        return None
    try:
        if len(text) != len("2027-03-01"):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError as wrong:
        raise StudyError(f"--today: '{text[:20]}' is no day; write one such as 2027-03-01") from wrong


def print_line(text: object) -> None:
    """Print a line on stdout, however long, without what could direct a terminal."""
    _out_console.print(clean_line(text), soft_wrap=True)


def print_error(text: object) -> None:
    """Print a line on stderr, as :func:`print_line` does on stdout."""
    err_console.print(clean_line(text), soft_wrap=True)


def print_plain(text: object) -> None:
    """Print what programs read, such as a path, on stdout: a line of its own without colours."""
    typer.echo(clean_line(text))


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table on stdout, its cells as they are but for what could direct a terminal."""
    table = Table(title=Text(clean_line(title), style="table.title"), title_justify="left")
    for column in columns:
        table.add_column(Text(clean_line(column)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean_line(cell)) for cell in row))
    _out_console.print(table)


@contextmanager
def show_progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Steps on stderr with the seconds since the start: a spinner on a terminal, plain lines elsewhere."""
    started = time.monotonic()
    if quiet:
        yield lambda _: None
    elif err_console.is_terminal:
        with err_console.status("starting") as status:
            yield lambda step: status.update(Text(clean_line(f"{step} ({time.monotonic() - started:.0f} s)")))
    else:
        yield lambda step: print_error(f"[{time.monotonic() - started:5.1f} s] {step}")
