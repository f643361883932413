"""Command for the long-distance network: flows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corridor.cli.common import (
    DEFAULT_STUDY,
    QuietOption,
    StudyArg,
    load_study,
    plain_path,
    print_error,
    print_plain,
    show_progress,
)

if TYPE_CHECKING:
    from corridor.flows.results import FlowResults
    from corridor.flows.rows import FlowTables
    from corridor.schema.message import Message


def flows(
    study: StudyArg = DEFAULT_STUDY,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", callback=plain_path, help="Folder for the tables.")
    ] = Path("flows"),
    scenario: Annotated[
        str,
        typer.Option("--scenario", metavar="ID", help="Which works are finished; the first of the table if left out."),
    ] = "",
    years: Annotated[str, typer.Option("--years", metavar="Y,Y", help="Years; today, 2030 and 2035 if left out.")] = "",
    metrics: Annotated[
        Path | None,
        typer.Option(
            "--metrics", metavar="FILE", help="metrics.csv of an earlier `corridor run`: regimes and minutes."
        ),
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also move each declared range to both ends (sensitivity.csv).")
    ] = False,
    tables: Annotated[
        Path | None, typer.Option("--tables", metavar="DIR", help="Long-distance tables instead of the study's.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Measure what a long-distance network costs: its flows, what they depend on and what a candidate changes.

    The tables under a study's `long_distance` give nodes, links, borders, tariffs and pairs of places. For each pair
    and branch of ways this finds the generalised cost of a load (one truck or 40-foot container) with its low and high
    end, the share of the branch, and what each candidate changes against the same year without it.

    Writes flows.csv, pairs.csv, control.csv, ways.csv, dependence.csv, potentials.csv, regret.csv, counts.csv,
    documented.csv and long_distance.geojson. Progress goes to stderr, the path of flows.csv to stdout.

    **Examples**

    `corridor flows` - the bundled study, into ./flows

    `corridor flows --scenario late --years 2026,2035 --out flows-late` - works end as late as anybody says

    `corridor run --out out` and then `corridor flows --metrics out/metrics.csv` - with the regimes, and the minutes
    that the regional model measured

    `corridor flows --sensitivity` - and which declared range each result hangs on

    `corridor flows --tables my-network --out flows-mine` - another region's tables
    """
    from corridor.errors import OutputError
    from corridor.export.folder import is_results_folder
    from corridor.flows.changes import build_cases, packages_of, read_measured, without_undetermined
    from corridor.flows.model import FlowModel
    from corridor.flows.notes import describe_left_out
    from corridor.flows.results import measure_flows, parse_years, write_flows
    from corridor.flows.sensitivity import describe_sensitivity, measure_sensitivity
    from corridor.flows.tables import find_tables, load_tables
    from corridor.io.read.inputs import latest_day
    from corridor.schema.fields import date_today

    if is_results_folder(out):
        raise OutputError(f"{out}: holds the results of a run, which has tables of the same names; name another folder")
    packages: Mapping[str, Collection[str]] = {}
    latest = None
    if tables is None:
        asked = load_study(study)
        tables, packages = find_tables(asked), asked.packages
        latest = latest_day(asked, date_today())
    found = load_tables(tables, latest)
    model = FlowModel(found, scenario)
    measured = read_measured(metrics) if metrics else {}
    kept = without_undetermined(found, measured)
    cases = build_cases(found, kept if metrics else None, packages_of(measured) or packages)
    with show_progress(quiet) as say:
        results = measure_flows(model, cases, parse_years(years), say)
        moved = None
        if sensitivity:
            say("moving each declared range")
            moved = measure_sensitivity(model, cases, results.years[-1])
        path = write_flows(found, results, out, moved)
    if not quiet:
        more = describe_sensitivity(moved) if moved is not None else ()
        _print_pairs(results, found, (*describe_left_out(measured.keys() - kept.keys()), *more))
    print_plain(path)


def _print_pairs(results: FlowResults, tables: FlowTables, more: tuple[Message, ...]) -> None:
    """Best branches of the network alone, year by year, and the notes; all on stderr, so that stdout is the path."""
    from corridor.report.i18n import render

    alone = results.pairs[results.pairs["candidate_id"] == ""]
    names = {(b.origin, b.destination, b.branch_id): b.name for b in tables.branches}
    for row in alone.itertuples():
        pair = f"{tables.name(row.origin)} to {tables.name(row.destination)}"
        way = names.get((row.origin, row.destination, row.best_branch), "no way")
        # three digits: most inputs are of low confidence
        cost = f", about {float(f'{row.best_cost_usd:.3g}'):,.0f} USD a load" if row.best_branch else ""
        print_error(f"{row.year}, {pair}: {way}{cost}")
    for note in (*results.notes, *more):
        print_error(f"- {render(note)}")
