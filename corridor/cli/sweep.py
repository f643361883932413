"""Commands for many comparisons at once: sweep and sweep-report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corridor.cli.common import (
    BaselineOption,
    DemOption,
    OsmOption,
    QuietOption,
    exit_code_of,
    load_study,
    plain_interrupts,
    plain_path,
    print_error,
    print_line,
    print_plain,
    print_table,
    show_progress,
)


def sweep(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study file, or the name of one that ships with the toolkit.")
    ],
    vary: Annotated[Path, typer.Option("--vary", metavar="FILE", help="TOML file: which inputs vary, and how.")],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", callback=plain_path, help="Folder of the sweep; goes on if it holds it."),
    ],
    osm: OsmOption = None,
    dem: DemOption = None,
    baseline: BaselineOption = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="tcp://HOST:8786", help="A Dask scheduler instead of local processes."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=0, help="Local processes, one per core if left out; 0: no Dask."),
    ] = None,
    memory_limit: Annotated[
        str, typer.Option("--memory-limit", metavar="SIZE", help="Of each local worker, as 4GB; auto shares it out.")
    ] = "auto",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew if the folder holds another sweep.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Compare a study many times with inputs varied: prices, speeds, checks, heights, regimes, borders.

    Runs on Dask, on this machine or on any cluster. Results go to DIR as they finish; the same command goes on where
    a stopped one was. The folder's path goes to stdout.

    **Examples**

    `corridor sweep syunik --vary sweep.toml --out sweep`

    `corridor sweep my-study.toml --vary sweep.toml --out sweep --scheduler tcp://10.0.0.5:8786`

    `corridor sweep-report sweep`
    """
    from corridor.sweeps.dataset import SweepFolder
    from corridor.sweeps.run import sweep as run_sweep

    try:
        with plain_interrupts(), show_progress(quiet) as say:
            found = run_sweep(
                load_study(study, baseline), vary, out, osm=osm, dem=dem or [], scheduler=scheduler,
                workers=workers, memory_limit=memory_limit, restart=restart, progress=say,
            )  # fmt: skip
    except KeyboardInterrupt as interrupt:
        kept = len(SweepFolder(out).done())
        print_error(
            f"corridor: interrupted; {kept} tasks are done and kept in {out}: the same command goes on from there"
        )
        raise typer.Exit(exit_code_of(interrupt)) from None
    if not quiet:
        print_error(found.sentence())
    print_plain(found.folder.path)


def sweep_report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `corridor sweep` wrote, done or not.")],
    perspective: Annotated[
        str | None, typer.Option("--perspective", "-p", help="Whose interest is printed; the study's own if left out.")
    ] = None,
) -> None:
    """Say how often each candidate wins in a sweep, and which inputs that hangs on.

    Writes report.html, wins.csv and drivers.csv into DIR, with all perspectives; prints one of them.

    **Example**

    `corridor sweep-report sweep --perspective border-access`
    """
    from corridor.errors import SweepError
    from corridor.sweeps.report import BEST_POSSIBLE, load_report, write_report

    report = load_report(folder)
    chosen = perspective or report.perspectives[0]
    if chosen not in report.perspectives:
        raise SweepError(f"no perspective '{chosen}' in {folder}; there are: {', '.join(report.perspectives)}")
    page = write_report(report, folder)
    for row in report.faults.to_dict("records"):
        print_line(f"- {row['points']} points: {row['fault']}")
    for panel in report.panels(chosen):
        cells = [
            [
                r["candidate_id"],
                f"{r['win_share']:.0%}",
                f"{r['sure_share']:.0%}",
                f"{r['ranked_share']:.0%}",
                f"{r['mean_rank']:.1f}" if r["mean_rank"] == r["mean_rank"] else "not ranked",
            ]
            for r in panel["wins"]
        ]
        print_table(
            f"{panel['title']}, {panel['points']} points",
            ["candidate", "first", "for sure", "ranked", "mean rank"],
            cells,
        )
        if panel["drivers"]:
            told = ", ".join(
                f"{r['factor']} {r['share']:.0%}" if r["share"] == r["share"] else f"{r['factor']} (too few points)"
                for r in panel["drivers"]
            )
            print_line(f"  the lead of {panel['leader']} hangs on: {told}")
    print_line(f"- {BEST_POSSIBLE}")
    print_plain(page)
