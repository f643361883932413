"""The command line: turns what people type into calls, and errors into one line and exit code 2."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

import corridor
from corridor.errors import CorridorError

app = typer.Typer(
    name="corridor",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Compare land routes across contested, mountainous ground.\n\n"
    "A *study* (one TOML file) says from where to where, on which data, which candidates and which criteria. "
    "`corridor run` builds the candidates, measures and ranks them, and writes one HTML page with a map, tables and "
    "GIS files.",
)
_out = Console(width=None if sys.stdout.isatty() else 140)
_err = Console(stderr=True, highlight=False)

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


@app.command()
def run(
    study: StudyArg = "syunik",
    osm: OsmOption = None,
    dem: DemOption = None,
    baseline: BaselineOption = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the results; written whole or not at all.")
    ] = Path("out"),
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print the page as brief.pdf (needs Chromium).")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Compare the candidate routes of a study and write page, tables and GIS files.

    Writes comparison.html (opens anywhere, needs no network), metrics.csv, ranking.csv, candidates.geojson,
    candidates.gpkg and manifest.json. Progress goes to stderr, the page's path to stdout.

    **Examples**

    `corridor run` - the bundled study on the bundled data, into ./out

    `corridor run --osm armenia.osm.pbf --dem N39E046.hgt --out syunik-osm` - the same on your own data

    `corridor run my-study.toml --out my-results`
    """
    from corridor.report.export import BRIEF, check_target
    from corridor.report.pdf import write_pdf

    check_target(out)
    from corridor.comparison import compare

    with _progress(quiet) as say:
        comparison = compare(load_study(study, baseline), osm=osm, dem=dem or [], progress=say)
        say("writing results")
        page = comparison.write(out)
        if pdf:
            say("printing the brief")
            write_pdf(page, page.parent / BRIEF)
    typer.echo(page)


@app.command()
def doctor(
    study: StudyArg = "syunik", osm: OsmOption = None, dem: DemOption = None, baseline: BaselineOption = None
) -> None:
    """Say what data a study would use, its date, how much of the area it covers, and what is missing.

    Also says what was decided on the way: kilometres by country, borders found and which crossings are open, sections
    of the catalogue that were found on the map, and gaps that keep the open roads apart.

    **Examples**

    `corridor doctor`

    `corridor doctor my-study.toml --osm region.osm.pbf`
    """
    from corridor.diagnosis import diagnose

    with _progress(False) as say:
        report = diagnose(load_study(study, baseline), osm, dem or [], say)
    for title, columns, rows in report.tables:
        _print_table(title, columns, rows)
    for line in report.remarks:
        _out.print(f"- {line}", markup=False, soft_wrap=True)


@app.command()
def check(study: StudyArg = "syunik", osm: OsmOption = None, baseline: BaselineOption = None) -> None:
    """Hold computed lengths against documented ones and say where they differ by more than the tolerance.

    Exit code 1 if any does.

    **Example**

    `corridor check --osm south-caucasus.osm.pbf`
    """
    from corridor.diagnosis import check_lengths

    with _progress(False) as say:
        rows = check_lengths(load_study(study, baseline), osm, say)
    columns = ["what", "mode", "documented km", "computed km", "tolerance", "verdict", "source"]
    cells = [
        [
            *(r.name, r.mode, f"{r.low_km:g}-{r.high_km:g}"),
            f"{r.computed_km:.1f}" if r.computed_km is not None else "no way",
            *(f"{r.tolerance_pct:g} %", r.verdict, r.source),
        ]
        for r in rows
    ]
    _print_table("Documented against computed", columns, cells)
    if any(row.verdict != "agrees" for row in rows):
        raise typer.Exit(1)


@app.command()
def rank(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `corridor run` wrote.")],
    perspective: Annotated[
        str | None, typer.Option("--perspective", "-p", help="Whose interest; the study's own if left out.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", "-w", metavar="NAME=NUMBER,...", help="Weights of criteria or groups instead."),
    ] = None,
    method: Annotated[
        Literal["weighted-sum", "topsis", "promethee-ii"],
        typer.Option("--method", "-m", help="How values are combined."),
    ] = "weighted-sum",
    robust: Annotated[
        bool, typer.Option("--robust", "-r", help="Also say how firm the ranking is (10,000 draws).")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 0,
) -> None:
    """Rank results again under another perspective, other weights or another method, with the reasons.

    **Examples**

    `corridor rank out --perspective border-access`

    `corridor rank out --weights distance=0.3,terrain=0.7 --method topsis --robust`
    """
    from corridor.rerank import rerank, review_sentences

    table = rerank(folder, perspective=perspective, weights=weights, method=method)
    parts = [c for c in table.columns if c.startswith("contribution:") and table[c].notna().any()]
    columns = ["rank", "candidate", "score", *(part.removeprefix("contribution:") for part in parts)]
    for (regime, panel), rows in table.groupby(["regime_id", "panel"], sort=False):
        ranked, left_out = rows[rows["rank"].notna()], rows[rows["rank"].isna()]
        cells = [
            [
                f"{r['rank']:.0f}{'=' if r['tied'] else ''}",
                r["candidate_id"],
                *(f"{r[c]:.3f}" for c in ("score", *parts)),
            ]
            for _, r in ranked.iterrows()
        ]
        if cells:
            _print_table(f"{panel.capitalize()} routes{f' under {regime}' if regime else ''}", columns, cells)
        for _, r in left_out.iterrows():
            _out.print(f"- {regime}: {r['candidate_id']} isn't ranked: {r['reason']}", markup=False, soft_wrap=True)
    for note in table.attrs.get("notes", ()):
        _out.print(f"- {note}", markup=False, soft_wrap=True)
    if robust:
        for line in review_sentences(
            folder, perspective=perspective, weights=weights, method=method, draws=10_000, seed=seed
        ):
            _out.print(f"- {line}", markup=False, soft_wrap=True)


@app.command()
def align(
    start: Annotated[str, typer.Argument(metavar="FROM", help="A place of the study, or lat,lon.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="A place of the study, or lat,lon.")],
    standard: Annotated[
        str, typer.Option("--standard", "-s", help="rail-12 ... rail-30, road-30 ... road-120.")
    ] = "rail-18",
    sweep: Annotated[
        Literal["grade", "tunnel-price"] | None, typer.Option("--sweep", help="Also vary this and draw the trade-off.")
    ] = None,
    study: Annotated[
        str, typer.Option("--study", help="Whose data and prices: a study file or a bundled one.")
    ] = "syunik",
    dem: DemOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")] = Path("out/alignment"),
) -> None:
    """Find the cheapest new road or railway between two places, with tunnels and bridges, under a design standard.

    Writes alignment.geojson (3-D line and structures) and alignment.json (price by kind, lengths, grade, radius), and
    with --sweep tradeoff.csv and a chart. Where there is no way, it says which limit closes it and what would open it.

    **Examples**

    `corridor align Mincivan Julfa --standard rail-18`

    `corridor align 39.2076,46.4068 38.9096,46.0227 --standard rail-12 --sweep grade --dem N39E046.hgt`
    """
    from corridor.new_line import describe_new_line, find_new_line, write_new_line

    with _progress(False) as say:
        new = find_new_line(load_study(study), start, end, standard, dem=dem or [], sweep=sweep, progress=say)
        path = write_new_line(new, out)
    facts = describe_new_line(new)
    cost = facts["cost_musd"]
    rows = [
        ["length", f"{facts['length_km']:.1f} km"],
        ["in tunnels", f"{facts['tunnel_km']:.1f} km, the longest {facts['longest_tunnel_km']:.1f} km"],
        ["on bridges", f"{facts['bridge_km']:.1f} km"],
        ["steepest grade", f"{facts['max_grade_pct']:.2f} %"],
        ["price", f"{cost['mid']:,.0f} million USD ({cost['low']:,.0f}-{cost['high']:,.0f})"],
    ]
    _print_table(f"{new.start.name} - {new.end.name}, {standard}", ["what", "value"], rows)
    for note in facts["notes"]:
        _out.print(f"- {note}", markup=False, soft_wrap=True)
    typer.echo(path)


@app.command()
def studies() -> None:
    """List the studies that ship with the toolkit, with their titles.

    **Example**

    `corridor studies`
    """
    from corridor.packaged import data_root

    for path in sorted((data_root() / "studies").glob("*.toml")):
        typer.echo(f"{path.stem}: {corridor.Study.load(path).title}")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(corridor.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def _print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    _out.print(table)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Steps on stderr with the seconds since the start: a spinner on a terminal, plain lines elsewhere."""
    started = time.monotonic()
    if quiet:
        yield lambda _: None
    elif _err.is_terminal:
        with _err.status("starting") as status:
            yield lambda step: status.update(f"{step} ({time.monotonic() - started:.0f} s)")
    else:
        yield lambda step: _err.print(f"[{time.monotonic() - started:5.1f} s] {step}", markup=False)


def main() -> None:
    """Entry point of the ``corridor`` command."""
    try:
        app(prog_name="corridor")
    except CorridorError as error:
        _err.print(f"corridor: {' '.join(str(error).split())}", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        _err.print("corridor: interrupted; nothing was written")
        sys.exit(130)


if __name__ == "__main__":
    main()
