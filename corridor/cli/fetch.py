"""Commands for live data: fetch, and what the cache holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from corridor.cli.common import (
    DEFAULT_STUDY,
    QuietOption,
    StudyArg,
    err_console,
    load_study,
    print_line,
    print_plain,
    print_table,
    show_progress,
)
from corridor.io.fetch.elevation import provider_ids
from corridor.report.i18n import clean_line

if TYPE_CHECKING:
    import corridor
    from corridor.io.fetch.fetcher import Meter
    from corridor.io.fetch.wanted import FetchedInputs

CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache", metavar="DIR", envvar="CORRIDOR_CACHE", help="Folder of fetched data; the system's own if left out."
    ),
]
OfflineOption = Annotated[
    bool,
    typer.Option("--offline", envvar="CORRIDOR_OFFLINE", help="Forbid the network: what isn't at hand is an error."),
]
cache_app = typer.Typer(no_args_is_help=True, help="What was fetched: list it, hold it against its hashes, remove it.")


def fetch(
    study: StudyArg = DEFAULT_STUDY,
    osm: Annotated[
        Literal["overpass", "geofabrik"] | None,
        typer.Option("--osm", help="Roads and railways: an Overpass server, or whole country extracts."),
    ] = None,
    dem: Annotated[
        list[str] | None,
        typer.Option(
            "--dem",
            metavar="NAME|ADDRESS",
            help=f"Heights: {', '.join(provider_ids())}, or the address of your own raster.",
        ),
    ] = None,
    cache: CacheOption = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what is there; earlier files stay.")] = False,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch the live data of a study's area into the cache, so that later runs need no network.

    Roads and railways come from OpenStreetMap (those under construction, disused and abandoned too), heights from the
    source that `--dem` names. Files are kept under their SHA-256 with address, time and licence.

    **Settings**: each key of the study's `[live]` table is also a variable of the environment, which wins: `http_tries`
    is CORRIDOR_HTTP_TRIES, `overpass_url` is CORRIDOR_OVERPASS_URL, and so on. The page on study files lists them all.

    **Examples**

    `corridor fetch` - the bundled study's area

    `corridor fetch my-study.toml --osm geofabrik --dem copernicus`

    `CORRIDOR_OVERPASS_URL=http://localhost:12345/api corridor fetch my-study.toml`
    """
    found = fetch_live(load_study(study), osm, dem, cache=cache, offline=offline, refresh=refresh, quiet=quiet)
    rows = [
        [layer, entry.file, f"{entry.bytes / 1e6:.1f} MB", entry.fetched, entry.address, entry.licence]
        for layer, _, entry in found.layers
    ]
    print_table(f"Live data of {study}", ["what", "file", "size", "fetched", "from", "licence"], rows)
    for _, path, _ in found.layers:
        print_plain(path)


def fetch_live(
    study: corridor.Study,
    osm: str | None,
    dem: list[str] | None,
    *,
    live: bool = True,
    cache: Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    quiet: bool = False,
    expected: dict[tuple[str, str], str] | None = None,
) -> FetchedInputs:
    """A study's live data in files, with progress on stderr."""
    from corridor.io.fetch.wanted import WantedInputs, inputs_at_hand

    wanted = WantedInputs(osm, tuple(dem or ()), live)
    at_hand = inputs_at_hand(study, wanted)
    if at_hand is not None:
        return at_hand
    from corridor.io.fetch.cache import Cache
    from corridor.io.fetch.fetch_inputs import fetch_inputs

    with _show_transfers(quiet) as meter:
        return fetch_inputs(
            study, wanted, cache=Cache(cache), meter=meter, offline=offline, refresh=refresh, expected=expected
        )


@contextmanager
def _show_transfers(quiet: bool) -> Iterator[Meter]:
    """Bars with size, speed and time left on a terminal; plain lines elsewhere."""
    from corridor.io.fetch.fetcher import Meter

    if quiet or not err_console.is_terminal:
        with show_progress(quiet) as say:
            yield Meter(say)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err_console, transient=True) as progress:
        task = progress.add_task("asking", total=None)

        def say(step: str) -> None:
            progress.reset(task, description=clean_line(step), total=None)

        yield Meter(say, lambda _, done, total: progress.update(task, completed=done, total=total or None))


@cache_app.command("list")
def list_cache(cache: CacheOption = None) -> None:
    """List what was fetched: file, size, time, address, licence, SHA-256.

    **Example**

    `corridor cache list`
    """
    from corridor.io.fetch.cache import Cache

    here = Cache(cache)
    rows = [[r.file, f"{r.bytes / 1e6:.1f} MB", r.fetched, r.address, r.licence, r.sha256[:12]] for r in here.entries()]
    print_table(str(here.folder), ["file", "size", "fetched", "from", "licence", "SHA-256"], rows)


@cache_app.command("verify")
def verify_cache(cache: CacheOption = None) -> None:
    """Hold every file against its SHA-256. Exit code 1 if any differs, or has no record.

    **Example**

    `corridor cache verify`
    """
    from corridor.io.fetch.cache import Cache

    here = Cache(cache)
    faults = here.verify()
    for fault in faults:
        print_line(f"- {fault}")
    print_line(f"{len(here.entries())} files, {len(faults)} faults")
    if faults:
        raise typer.Exit(1)


@cache_app.command("clear")
def clear_cache(cache: CacheOption = None) -> None:
    """Remove everything that was fetched.

    **Example**

    `corridor cache clear`
    """
    from corridor.io.fetch.cache import Cache

    here = Cache(cache)
    files, size = here.clear()
    print_line(f"removed {files} files ({size / 1e6:.1f} MB) from {here.folder}")
