"""What the commands share: options, consoles, progress and tables."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

import corridor
from corridor.errors import OutputError, StudyError
from corridor.report.i18n import clean_line

# Streams that are closed (`>&-`) take nothing, and nothing fails.
for _name in ("stdout", "stderr"):
    if getattr(sys, _name) is None:
        setattr(sys, _name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
# Terminals of few letters, as that of the locale C may be, show others as codes rather than fail on them.
for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="backslashreplace")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise what Rich caught: it would end the program with the code of a fault.

        Raises:
            BrokenPipeError: who reads has had enough.
        """
        raise BrokenPipeError


# What is printed comes from files, names and addresses: it is shown as it is, never read as Rich's markup or as emoji
# codes (a file "no:x:such" has colons in its name). Nothing prints but the functions below, which clean it.
_out_console = _Console(width=None if sys.stdout.isatty() else 140, markup=False, emoji=False)
err_console = _Console(stderr=True, markup=False, emoji=False, highlight=False)

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

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
BaselineOption = Annotated[
    str | None, typer.Option("--baseline", metavar="ID", help="Dated state of the network instead of the study's own.")
]


def load_study(name: str, baseline: str | None = None) -> corridor.Study:
    """A study by path or by the name of a bundled one, on its own or another baseline."""
    found = corridor.Study.find(name)
    return found if baseline is None else found.on_baseline(baseline)


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


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raise an interrupt as such that came while a compiled kernel was called: Python makes a fault of that call of it.

    Raises:
        KeyboardInterrupt: with the signal's number, unless it is Python's own of Ctrl-C.
    """
    try:
        yield
    except SystemError as fault:
        if isinstance(fault.__cause__, KeyboardInterrupt):
            raise fault.__cause__ from None
        raise


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """The exit code of a process that a signal ended, as shells give it.

    Args:
        interrupt: holds the signal's number; Python itself raises it of Ctrl-C, without one.
    """
    return 128 + int(*interrupt.args or [signal.SIGINT])


def print_line(text: object) -> None:
    """Print a line on stdout, however long, without what could direct a terminal."""
    _out_console.print(clean_line(text), soft_wrap=True)


def print_error(text: object) -> None:
    """Print a line on stderr, as :func:`print_line` does on stdout; where a full disk takes none, nobody is told."""
    try:
        err_console.print(clean_line(text), soft_wrap=True)
    except BrokenPipeError:
        raise
    except OSError:
        drop_stream(sys.stderr)


def drop_stream(stream: TextIO) -> None:
    """Let what is left in a stream's buffer, and what is still to come, go nowhere.

    Args:
        stream: stdout or stderr.
    """
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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


QUIET_S = 30.0
"""Seconds of silence after which a step that goes on is named again, where lines are printed."""


@contextmanager
def show_progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Steps on stderr: a bar with the share done and the time on a terminal; elsewhere lines, again if one lasts."""
    if quiet:
        yield lambda _: None
    elif err_console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
                   TimeElapsedColumn())  # fmt: skip
        with Bar(*columns, console=err_console, transient=True) as bar:
            task = bar.add_task("starting", total=None)

            def show(step: str, share: float | None = None) -> None:
                if share is None:
                    bar.update(task, description=clean_line(step))
                else:
                    bar.update(task, description=clean_line(step), completed=share, total=1.0)

            from corridor.pipeline.graph import FractionalProgress

            yield FractionalProgress(show)
    else:
        with _lines() as say:
            yield say


@contextmanager
def _lines() -> Iterator[Callable[[str], None]]:
    started, ended = time.monotonic(), Event()
    last = ("", started)

    def say(step: str) -> None:
        nonlocal last
        last = (step, time.monotonic())
        print_error(f"[{time.monotonic() - started:5.1f} s] {step}")

    def remind() -> None:
        while not ended.wait(QUIET_S / 6):
            step, at = last
            if step and time.monotonic() - at >= QUIET_S:
                say(step if step.startswith("still ") else f"still {step}")

    reminder = Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield say
    finally:
        ended.set()
        reminder.join()
