"""Commands that compare: run, doctor, check, rank and studies."""

from __future__ import annotations

from contextlib import ExitStack
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import corridor
from corridor.cli.common import (
    DEFAULT_STUDY,
    BaselineOption,
    DemOption,
    OsmOption,
    QuietOption,
    StudyArg,
    iso_date,
    load_study,
    plain_path,
    print_error,
    print_line,
    print_plain,
    print_table,
    show_progress,
)
from corridor.cli.fetch import CacheOption, OfflineOption, fetch_live
from corridor.io.fetch.elevation import provider_ids
from corridor.mcda.methods import DEFAULT_METHOD, method_ids
from corridor.schema.vocabulary import Mode

# What is offered is what there is: one file per method in corridor/mcda/methods.
if TYPE_CHECKING:
    import pandas as pd

    MethodId = str
else:
    MethodId = Literal[method_ids()]


RouteOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--route",
        metavar="FILE",
        help="Also compare the lines of this file (GeoJSON, GeoPackage, KML, GPX, FlatGeobuf), each under its name; "
        "may be given again.",
    ),
]
FollowOption = Annotated[
    float | None,
    typer.Option("--follow", metavar="M", min=0, max=5000, help="How far off a road a line may lie that follows it."),
]
ViaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--via",
        metavar="'PLACE; PLACE; ...'",
        help="Also compare the quickest way by these places: names or LAT,LON, semicolons between them; may be given "
        "again.",
    ),
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="What runs on the routes that are added.")]


def run(
    study: StudyArg = DEFAULT_STUDY,
    osm: Annotated[
        str | None,
        typer.Option(
            "--osm",
            metavar="FILE",
            help="OpenStreetMap roads and railways (.osm.pbf, .osm) instead of the study's; with --live also overpass "
            "or geofabrik.",
        ),
    ] = None,
    dem: Annotated[
        list[str] | None,
        typer.Option(
            "--dem",
            metavar="FILE",
            help="Elevation raster (GeoTIFF, HGT, VRT) instead of the study's, or its address (https://..., "
            f"/vsicurl/...); may be given again; with --live also {' or '.join(provider_ids())}.",
        ),
    ] = None,
    route: RouteOption = None,
    via: ViaOption = None,
    follow: FollowOption = None,
    mode: ModeOption = Mode.ROAD,
    baseline: BaselineOption = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", callback=plain_path, help="Folder for the results; written whole or not at all."
        ),
    ] = Path("out"),
    formats: Annotated[
        str | None,
        typer.Option(
            "--formats", metavar="NAME,...", help="GIS formats: geojson, gpkg, parquet, kml, gpx; all if left out."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Fetch roads, railways and heights (see `corridor fetch`), once.")
    ] = False,
    cache: CacheOption = None,
    offline: OfflineOption = False,
    locked: Annotated[
        Path | None,
        typer.Option("--locked", metavar="MANIFEST", help="Refuse data that isn't that of an earlier manifest.json."),
    ] = None,
    as_if_opened: Annotated[
        bool, typer.Option("--as-if-opened", help="Rank under rules that allow no transit as if they did.")
    ] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print the page as brief.pdf (needs Chromium).")] = False,
    pdf_language: Annotated[
        str | None, typer.Option("--pdf-language", metavar="CODE", help="Language of brief.pdf: en, ru, hy, az or fa.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Compare the candidate routes of a study and write page, tables and GIS files.

    Writes comparison.html (opens anywhere, needs no network), metrics.csv, ranking.csv, the routes for GIS programs
    and Google Earth, data_dictionary.csv and manifest.json. Progress goes to stderr, the page's path to stdout.

    **Examples**

    `corridor run` - the bundled study on the bundled data, into ./out

    `corridor run --osm armenia.osm.pbf --dem N39E046.hgt --out syunik-osm` - the same on your own data

    `corridor run my-study.toml --out my-results`

    `corridor run --route my-line.gpx` - how does my line compare?

    `corridor run --via "Horadiz; Goris; Sisian; Nakhchivan"` - what if it went by Goris and Sisian?

    `corridor run --live` - on live data, fetched at the first run; `--live --offline` asks nothing of the network

    `corridor run --live --locked my-results/manifest.json` - only if the data is still the same

    `corridor run --formats gpkg,kml` - only these beside page and tables
    """
    from corridor.export.folder import BRIEF, check_target, choose_formats

    chosen = choose_formats(formats)
    check_target(out)
    if pdf:
        from corridor.export.pdf import require_printing, write_pdf

        require_printing(out / BRIEF, language=pdf_language)
    elif pdf_language is not None:
        raise typer.BadParameter("is the language of brief.pdf; add --pdf", param_hint="'--pdf-language'")
    from corridor.pipeline.ahead import map_path, read_ahead

    with ExitStack() as running:
        # A copy reads the roads while this process loads all that comes now, before it has a thread that shows
        # progress: from the beginning where they are named.
        ahead = None if live or osm is None else running.enter_context(read_ahead(Path(osm), _load_page))
        from corridor.io.read.data_files import read_pinned_inputs
        from corridor.report.i18n import render

        # What somebody adds is read before anything is fetched or computed: its faults are told at once.
        asked = load_study(study, baseline)
        if via or route:
            from corridor.io.read.own_routes import parse_via, read_routes

            asked = asked.with_candidates(*(parse_via(text, mode) for text in via or []))
            for path in route or []:
                taken = [spec.id for spec in asked.candidates]
                asked = asked.with_candidates(*read_routes(path, mode, taken=taken, follow_m=follow))
        lock = read_pinned_inputs(locked) if locked else None
        found = fetch_live(
            asked, osm, dem, live=live, cache=cache, offline=offline, quiet=quiet,
            expected=lock.fetched if lock else None,
        )  # fmt: skip
        chosen_study = found.study.model_copy(update={"as_if_opened": True}) if as_if_opened else found.study
        if ahead is None:
            ahead = running.enter_context(read_ahead(map_path(chosen_study, found.osm), _load_page))
        say = running.enter_context(show_progress(quiet))
        from corridor.comparison import compute_results
        from corridor.export.results import write_results

        results = compute_results(
            chosen_study, osm=found.osm, dem=found.dem, locked=lock, progress=say, may_fork=True, ahead=ahead
        )
        say("writing results")
        page = write_results(results, out, formats=chosen, may_fork=True)
        if pdf:
            say("printing the brief")
            write_pdf(page, page.parent / BRIEF, language=pdf_language)
    for candidate in results.candidates:
        for remark in candidate.remarks:
            print_error(f"{candidate.name}: {render(remark)}")
    print_plain(page)


def _load_page() -> None:
    """Load what makes a page, and what compiled kernels need, while there is nothing else to do."""
    from corridor import compiled
    from corridor.report.page.build import load_page

    compiled.load_compiler()
    load_page()


def doctor(
    study: StudyArg = DEFAULT_STUDY,
    osm: OsmOption = None,
    dem: DemOption = None,
    baseline: BaselineOption = None,
    live: Annotated[bool, typer.Option("--live", help="Of the data that `corridor run --live` fetches.")] = False,
    cache: CacheOption = None,
    offline: OfflineOption = False,
    today: Annotated[
        str | None,
        typer.Option(
            "--today",
            metavar="DATE",
            callback=iso_date,
            help="Day that statuses are held against, such as 2027-03-01; the clock's if left out.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Say what data a study would use, its date, how much of the area it covers, and what is missing.

    Also says what was decided on the way: kilometres by country, borders found and which crossings are open, sections
    of the catalogue that were found on the map, gaps that keep the open roads apart, and statuses over a year
    old. Refuses what a run would refuse.

    **Examples**

    `corridor doctor`

    `corridor doctor --today 2027-03-01`

    `corridor doctor my-study.toml --osm region.osm.pbf`
    """
    from corridor.pipeline.diagnosis import diagnose
    from corridor.report.i18n import render

    asked = load_study(study, baseline)
    rasters: list[Path] = list(dem or [])
    if live:
        # With --live the data is what a live run would fetch, given files among them.
        heights = [str(path) for path in rasters] or None
        found = fetch_live(asked, str(osm) if osm else None, heights, cache=cache, offline=offline, quiet=quiet)
        asked, osm, rasters = found.study, found.osm, list(found.dem)
    with show_progress(quiet) as say:
        report = diagnose(asked, osm, rasters, say, today)
    for title, columns, rows in report.tables:
        print_table(title, columns, rows)
    for remark in report.remarks:
        print_line(f"- {render(remark)}")
    if report.refusal is not None:
        raise report.refusal


def check(
    study: StudyArg = DEFAULT_STUDY,
    osm: OsmOption = None,
    baseline: BaselineOption = None,
    quiet: QuietOption = False,
) -> None:
    """Hold the ways that are routed against documented ones: their lengths, and the places that they pass.

    Exit code 1 if any way is missing, longer or shorter than the tolerance allows, or passes elsewhere.

    **Example**

    `corridor check --osm south-caucasus.osm.pbf`
    """
    from corridor.pipeline.diagnosis import check_lengths
    from corridor.report.i18n import render
    from corridor.schema.message import Message

    with show_progress(quiet) as say:
        rows = check_lengths(load_study(study, baseline), osm, say)
    if not rows:
        print_line(f"- {render(Message('remark.gain_checks'))}")
        return
    columns = ["what", "mode", "documented km", "computed km", "tolerance", "verdict", "source"]
    cells = [
        [
            *(r.name, r.mode, f"{r.low_km:g}-{r.high_km:g}"),
            f"{r.computed_km:.1f}" if r.computed_km is not None else "no way",
            *(f"{r.tolerance_pct:g} %", f"{r.verdict}: {r.elsewhere}" if r.elsewhere else r.verdict, r.source),
        ]
        for r in rows
    ]
    print_table("Documented against computed", columns, cells)
    if any(row.verdict != "agrees" for row in rows):
        raise typer.Exit(1)


def rank(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `corridor run` wrote.")],
    perspective: Annotated[
        str | None, typer.Option("--perspective", "-p", help="Whose interest; the study's own if left out.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", "-w", metavar="NAME=NUMBER,...", help="Weights of criteria or groups instead."),
    ] = None,
    method: Annotated[MethodId, typer.Option("--method", "-m", help="How values are combined.")] = DEFAULT_METHOD,
    robust: Annotated[
        bool, typer.Option("--robust", "-r", help="Also say how firm the ranking is (10,000 draws).")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 0,
    as_if_opened: Annotated[
        bool, typer.Option("--as-if-opened", help="Rank under rules that allow no transit as if they did.")
    ] = False,
) -> None:
    """Rank results again under another perspective, other weights or another method, with the reasons.

    A rank is one more than the number of routes that are ahead by more than the measurement can tell: several routes
    of rank `5=` share it, and a `6` after them is surely behind one of them, perhaps not behind the others. A rank
    such as `2-4` hangs on what isn't determined.

    **Examples**

    `corridor rank out --perspective border-access`

    `corridor rank out --weights distance=0.3,terrain=0.7 --method topsis --robust`
    """
    from corridor.mcda.matrix import reasons_of
    from corridor.mcda.perspectives import parse_weights
    from corridor.pipeline.saved_results import load_results
    from corridor.report.i18n import render
    from corridor.schema.message import listing

    results, given = load_results(folder), None if weights is None else parse_weights(weights)
    table = results.rank(perspective, weights=given, method=method, as_if_opened=as_if_opened)
    parts = [c for c in table.columns if c.startswith("contribution:") and table[c].notna().any()]
    columns = ["rank", "candidate", "first", "score", *(part.removeprefix("contribution:") for part in parts)]
    for (regime, panel), rows in table.groupby(["regime_id", "panel"], sort=False):
        ranked, left_out = rows[rows["rank_best"].notna()], rows[rows["rank_best"].isna()]
        cells = [
            [
                f"{r['ranks']}{'=' if r['tied'] else ''}",
                r["candidate_id"],
                r["first"],
                _span(r["score_low"], r["score_high"]),
            ]
            + [_part(r, part) for part in parts]
            for _, r in ranked.iterrows()
        ]
        if cells:
            print_table(f"{panel.capitalize()} routes{f' under {regime}' if regime else ''}", columns, cells)
            if len(ranked) > 1:
                print_line(f"{ranked['telling_weight'].iloc[0]:.0%} of the weight tells them apart.")
        # A series, not a list: one word alone would be taken for the name of a column.
        why = left_out["reason"].map(lambda reason: render(listing(reasons_of(reason))))
        for reason, group in left_out.groupby(why, sort=False):
            verb = "isn't" if len(group) == 1 else "aren't"
            who = "nobody is" if len(group) == len(rows) > 1 else f"{', '.join(group['candidate_id'])} {verb}"
            print_line(f"- {f'{regime}: ' if regime else ''}{who} ranked: {reason}")
    for note in table.attrs.get("notes", ()):
        print_line(f"- {render(note)}")
    if robust:
        for review in results.robustness(
            perspective, weights=given, method=method, seed=seed, as_if_opened=as_if_opened
        ):
            for message in review.messages():
                print_line(f"- {review.panel.regime_id or 'all'}, {review.panel.kind}: {render(message)}")


def _part(row: pd.Series, part: str) -> str:
    """What a criterion adds to a score; nothing where it takes no part in the panel."""
    if not isnan(row[part]):
        return f"{row[part]:.3f}"
    return "undetermined" if part.removeprefix("contribution:") in row["undetermined"].split("; ") else ""


def _span(low: float, high: float) -> str:
    """A score between two ends; the lower one is missing where the route may not be ranked at all."""
    if isnan(low):
        return f"at most {high:.3f}"
    ends = f"{low:.3f}", f"{high:.3f}"
    return ends[0] if ends[0] == ends[1] else (" to " if low < 0 else "-").join(ends)


def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A folder that `corridor run` wrote.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another one.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if anything differs, for scripts.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also figures that changed by less than their intervals.")
    ] = False,
) -> None:
    """Say what differs between two results: inputs, notes, figures beyond their intervals, ranks with their reasons.

    Routes are told apart by their ids, which are the same in every run. The time of a run is no difference.

    **Examples**

    `corridor diff results-may results-june`

    `corridor diff results-may results-june --exit-code > changes.txt`
    """
    from corridor.pipeline.difference import diff as compare_results
    from corridor.pipeline.difference import say_cell

    found = compare_results(before, after)
    for name, table in found.tables(beyond_only=not everything).items():
        if len(table):
            shown = table.drop(columns="beyond", errors="ignore")
            rows = [[say_cell(cell) for cell in row] for row in shown.itertuples(index=False)]
            print_table(name.capitalize(), list(shown.columns), rows)
    within = int((~found.figures["beyond"]).sum()) if len(found.figures) and not everything else 0
    if within:
        print_line(f"- {within} more figures changed by less than their intervals: --all lists them")
    if not found.differs:
        print_line("the same")
    if exit_code and found.differs:
        raise typer.Exit(1)


def studies() -> None:
    """List the studies that ship with the toolkit, with their titles.

    **Example**

    `corridor studies`
    """
    from corridor.files import data_root

    for path in sorted((data_root() / "studies").glob("*.toml")):
        print_plain(f"{path.stem}: {corridor.Study.load(path).title}")
