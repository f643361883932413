"""What the commands share: options, consoles, progress and tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import corridor

out_console = Console(width=None if sys.stdout.isatty() else 140)
err_console = Console(stderr=True, highlight=False)

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


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table on stdout, its cells as they are (no markup)."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    out_console.print(table)


@contextmanager
def show_progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Steps on stderr with the seconds since the start: a spinner on a terminal, plain lines elsewhere."""
    started = time.monotonic()
    if quiet:
        yield lambda _: None
    elif err_console.is_terminal:
        with err_console.status("starting") as status:
            yield lambda step: status.update(f"{step} ({time.monotonic() - started:.0f} s)")
    else:
        yield lambda step: err_console.print(f"[{time.monotonic() - started:5.1f} s] {step}", markup=False)
