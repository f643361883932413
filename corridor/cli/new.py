"""The command that begins a study: new."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from corridor.cli.common import QuietOption, plain_path, print_line, print_plain, show_progress
from corridor.cli.fetch import CacheOption, OfflineOption, fetch_live
from corridor.errors import MissingError, StudyError
from corridor.io.fetch.elevation import provider_ids


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study's id, and its file's name: NAME.toml.")],
    start: Annotated[str, typer.Option("--from", metavar="PLACE", help="A settlement of the map, or lat,lon.")],
    end: Annotated[str, typer.Option("--to", metavar="PLACE", help="A settlement of the map, or lat,lon.")],
    osm: Annotated[
        Path | None, typer.Option("--osm", metavar="FILE", help="OpenStreetMap roads (.osm.pbf, .osm).")
    ] = None,
    dem: Annotated[
        list[Path] | None,
        typer.Option(
            "--dem",
            metavar="FILE",
            help="Elevation raster (GeoTIFF, HGT, VRT); may be given again; with --live also one of "
            f"{', '.join(provider_ids())}.",
        ),
    ] = None,
    borders: Annotated[
        Path | None,
        typer.Option(
            "--borders",
            metavar="FILE",
            help='Country polygons with a column "country", or a map; else the --osm map\'s own.',
        ),
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option("--country", metavar="AA", help="May be driven through, no other; may be given again."),
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Also compare the ways, and write the results to --out.")] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", callback=plain_path, help="Folder for the results of --run.")
    ] = Path("out"),
    force: Annotated[bool, typer.Option("--force", help="Replace a NAME.toml that is there.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Fetch map, heights and borders, as far as not given.")] = False,
    cache: CacheOption = None,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
) -> None:
    """Begin a study of the ways between two places, anywhere: writes NAME.toml into this folder, ready to run.

    The file is small and says in comments what may be changed. Border crossings are where roads of the map lead over
    borders or are cut off at one; nobody confirmed them, and every route that passes one says so. Without borders
    countries are unknown.

    **Examples**

    `corridor new andorra --from "Andorra la Vella" --to 42.547,1.731 --osm andorra.osm.pbf --dem N42E001.hgt --run`

    `corridor new pass --from 46.82,8.65 --to 46.35,8.97 --live` - on live data; then `corridor run pass.toml --live`
    """
    from corridor.export.folder import check_target
    from corridor.pipeline.new_study import are_points, draft_study, minimal_study, require_new, write_study

    require_new(name, Path(), force=force)
    if run:
        check_target(out)
    files, heights, fetched, without, data = osm, list(dem or []), set(), "", None
    source = next((str(path) for path in heights if str(path) in provider_ids()), "")
    if source and not (live and len(heights) == 1):
        raise StudyError(f"--dem: '{source}' is fetched; name it alone, with --live, or files")
    if live:
        ask = partial(
            fetch_live, osm=str(osm) if osm else None, dem=[str(path) for path in heights] or None,
            cache=cache, offline=offline, quiet=quiet,
        )  # fmt: skip
        # A named place is looked for on the map that is given, before anything is fetched around it.
        if osm is not None and not are_points(start, end):
            from corridor.io.read.osm import read_osm

            data = read_osm(osm)
        bare = minimal_study(name, start, end, borders, data)
        given = {"osm": osm, "dem": dem and not source, "borders": borders}
        fetched = {what for what, file in given.items() if not file}
        try:
            found = ask(bare)
        except MissingError as fault:
            # what a server doesn't know of countries keeps nobody from asking for the way
            if borders:
                raise
            found = ask(bare.model_copy(update={"sources": bare.sources.model_copy(update={"borders": None})}))
            fetched.discard("borders")
            without = f"{fault}"
        files, heights = found.osm, list(found.dem)
        borders = Path(found.study.sources.borders) if found.study.sources.borders else None
    if files is None:
        raise StudyError("no map is given; name an OpenStreetMap file with --osm, or fetch one with --live")
    if not heights:
        raise StudyError("no heights are given; name an elevation raster with --dem, or fetch one with --live")
    with show_progress(quiet) as say:
        drafted = draft_study(
            start, end, osm=files, dem=heights, borders=borders, countries=[code.upper() for code in country or []],
            name=name, fetched=fetched, live_dem=source, data=data, progress=say,
        )  # fmt: skip
        page = None
        if run:
            from corridor.comparison import compare

            # Nothing is written before the study has been shown to run; what its file leaves to --live is here by now.
            sources = drafted.study.sources.model_copy(update={"borders": str(borders)} if "borders" in fetched else {})
            here = drafted.study.model_copy(update={"sources": sources})
            page = compare(here, osm=files, dem=heights, progress=say).write(out)
        path = write_study(drafted, Path(), force=force)
    from corridor.report.i18n import render

    for remark in (*([without] if without else []), *drafted.remarks):
        print_line(f"- {render(remark)}")
    if page is None:
        words = f"{path.name}{' --live' if fetched else ''}"
        print_line(f"- next: corridor run {words}; what is missing: corridor doctor {words}")
    print_plain(path)
    if page is not None:
        print_plain(page)
