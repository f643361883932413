"""All files of a comparison in one folder: complete, or not there at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import pandas as pd

from corridor.errors import OutputError
from corridor.export.folder import (
    COSTS,
    DICTIONARY,
    EVENT_LAYER,
    FORMATS,
    IMPACT_FILES,
    MANIFEST,
    OURS,
    PAGE,
    PLACES,
    TABLES,
    check_target,
    choose_formats,
)
from corridor.export.gis import (
    candidate_layers,
    event_style,
    layer_styles,
    write_geojson,
    write_geopackage,
    write_geoparquet,
    write_gpx,
    write_kml,
    write_layer,
    writing_errors,
)
from corridor.files import put_in_place, unwritable, workspace
from corridor.processes import Fork
from corridor.report.i18n import clean, clean_text, render, render_table
from corridor.report.page.build import build_page, draw_map
from corridor.report.tables import plain_table, write_csv, write_plain_csv
from corridor.report.view import ReportView, describe_run
from corridor.schema.column import Column, Criterion, Kind, find_column
from corridor.schema.fields import file_sha256
from corridor.schema.results import Results
from corridor.schema.vocabulary import MetricStatus
from corridor.threads import map_in_threads

# --- What every column of every file means: unit, meaning, and where it comes from or how it is computed ---


def describe_column(name: str, results: Results | None = None) -> Column | None:
    """What a column of a file is; None if nothing is known of it.

    Columns of the metric table come with the results, from the functions that measure them; ``columns.csv`` has those
    of the other files; a study's own scored metrics are described by their criterion.

    >>> describe_column("contribution:length").meaning
    'what that criterion adds to the score (criterion: length)'
    """
    return _describer(results)(name)


def _describer(results: Results | None) -> Callable[[str], Column | None]:
    """:func:`describe_column` of one comparison, for many names."""
    known = (results.columns, file_columns(), tuple(map(_scored, results.criteria))) if results else (file_columns(),)

    def describe(name: str) -> Column | None:
        found = next((column for columns in known if (column := find_column(name, columns))), None)
        if found is None and name.endswith("_status"):
            metric = describe(name.removesuffix("_status"))
            return _status_of(name, metric) if metric else None
        return found

    return describe


def _scored(criterion: Criterion) -> Column:
    meaning = clean_text(f"{criterion.label}. {criterion.explanation}").strip()
    return Column(criterion.metric, criterion.unit, meaning, "study file: criteria", interval=True)


def _status_of(name: str, metric: Column) -> Column:
    return Column(
        name, "", f"whether there is a value of: {metric.meaning}",
        f"{MetricStatus.OK}; otherwise why there is no number", kind=Kind.STATUS,
    )  # fmt: skip


@cache
def file_columns() -> tuple[Column, ...]:
    """Columns of the files beside the metric table."""
    try:
        text = files("corridor.export").joinpath("columns.csv").read_text(encoding="utf-8")
    except FileNotFoundError as fault:
        raise OutputError("columns.csv is missing from the installed package: install corridor anew") from fault
    return tuple(
        Column(row["column"], row["unit"], row["meaning"], row["formula"], interval=True)
        for row in csv.DictReader(text.splitlines())
    )


def build_dictionary(results: Results, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per column of each table: file, column, type, unit, meaning, source.

    Args:
        results: whose criteria describe metrics that only the study knows.
        tables: by file; layers of a GeoPackage as ``name.gpkg|layername=...``, as GDAL and QGIS write it.
    """
    rows = []
    names = dict.fromkeys(str(column) for table in tables.values() for column in table.columns)
    describe = _describer(results)
    entries = {name: describe(name) or Column(name, "", name.replace("_", " "), "") for name in names}
    for file, table in tables.items():
        for column in map(str, table.columns):
            # what a name means in one file alone
            entry = find_column(f"{file}:{column}", file_columns()) or entries[column]
            kind = "geometry" if column == "geometry" else _kind(table[column])
            rows.append((file, column, kind, entry.unit, entry.meaning, entry.formula))
    return pd.DataFrame(rows, columns=["file", "column", "type", "unit", "meaning", "source"])


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "true or false"
    if pd.api.types.is_integer_dtype(values):
        return "whole number"
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


# --- What a folder of results was made from: enough to make it again and to see that nothing changed ---


def write_manifest(results: Results, folder: Path, names: tuple[str, ...]) -> None:
    """Write the manifest of a folder whose other files are complete; ``created`` is the only time of the run itself.

    Args:
        results: of a comparison.
        folder: of the results.
        names: of the files that it lists.
    """
    run = describe_run(results)
    run["files"] = {name: file_sha256(folder / name) for name in names}
    run["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(clean(run), ensure_ascii=False, indent=2, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def write_results(
    results: Results, folder: Path, *, formats: str | Iterable[str] | None = None, may_fork: bool = False
) -> Path:
    """Write page, tables, GIS files and manifest into a folder: all of them, or none.

    Everything is written into a new folder beside the wanted one, which then takes its place. An older folder of
    results is replaced; files that others put into it are carried over.

    Args:
        results: what a comparison found.
        folder: where to.
        formats: GIS formats (see FORMATS); all of them by default. Page, tables and manifest are always written.
        may_fork: make the page and its map in forked copies of this process; for programs of which no other thread
            is at work.

    Returns:
        The path of the page.

    Raises:
        OutputError: a format is unknown, the folder holds something else, or it can't be written; what was there before
            is untouched.
    """
    chosen = choose_formats(formats)
    target = check_target(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with workspace(target.parent, target.name) as work:
            fresh = work / "new"
            fresh.mkdir()
            _write_files(results, fresh, chosen, may_fork)
            put_in_place(fresh, target, work, OURS)
    except OutputError:
        raise
    except writing_errors() as error:
        raise unwritable(folder, error, "choose another folder with --out") from error
    return target / PAGE


_MAP = "map"
"""What the copy that draws the map gives."""
Write = Callable[[Path], object]
"""What makes a file at a path."""


def _write_files(results: Results, folder: Path, formats: Collection[str], may_fork: bool) -> None:
    """Write all files at once, as encoders and disks wait for nobody, and the manifest when they are complete."""
    view = ReportView(results)
    # No thread may move heights onto the map's pixels: rasterio silences a warning of its own meanwhile, for the whole
    # process, and whatever else silences warnings in another thread would undo that.
    _ = view.ground

    def write_page(drawing: Fork | None = None) -> str:
        """Write the page, with the map that a copy of this process draws, if one does."""

        def drawn_map(view: ReportView) -> tuple[str, str]:
            pieces: tuple[tuple[str, str], ...] = drawing.take(_MAP) if drawing else ()
            return pieces[0] if pieces else draw_map(view)

        _write_text(build_page(view, drawn_map=drawn_map), folder / PAGE)
        return PAGE

    jobs: dict[str, Write] = {PAGE: lambda _: write_page()}

    def write(name: str) -> None:
        jobs[name](folder / name)

    # The page is most of the work, and holds Python's lock for most of it: copies begin before all else, one with the
    # map, for which the other one waits at last.
    with (
        Fork([_MAP] if may_fork else [], lambda: [(_MAP, draw_map(view))]) as drawing,
        Fork([PAGE] if may_fork else [], lambda: [(PAGE, write_page(drawing))]) as paging,
    ):
        jobs |= _other_files(results, view, formats)
        map_in_threads(write, [name for name in jobs if name not in paging.names])
        if PAGE in paging.names and not paging.take(PAGE):
            write(PAGE)
    write_manifest(results, folder, tuple(jobs))


def _other_files(results: Results, view: ReportView, formats: Collection[str]) -> dict[str, Write]:
    """What makes each file but the page and the manifest, by its name."""
    layers = candidate_layers(view)
    # each table is made plain once, for its file and for what the dictionary says of it
    tables = {name: view.plain if table is results.metrics else plain_table(table) for name, table in _tables(results)}
    jobs: dict[str, Write] = {
        name: partial(write_plain_csv, tables[name]) for name in (*TABLES, COSTS) if name in tables
    }
    jobs |= _gis_files(view, layers, formats)
    jobs |= _impact_files(results, tables, formats)
    jobs |= {name: partial(write_plain_csv, table) for name, table in tables.items() if name not in jobs}
    described = _described(results, tables, layers, jobs)
    return jobs | {DICTIONARY: lambda path: write_csv(build_dictionary(results, described), path)}


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _tables(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by the name of the CSV file that each becomes, where there is anything for it."""
    yield from zip(TABLES, (results.metrics, results.ranking), strict=True)
    if results.cost_lines is not None:
        yield COSTS, results.cost_lines
    if results.place_effects is not None and len(results.place_effects):
        yield PLACES, results.place_effects
    for name, table in results.flows.items():
        yield f"{name}.csv", table


def _gis_files(view: ReportView, layers: Mapping[str, gpd.GeoDataFrame], formats: Collection[str]) -> dict[str, Write]:
    """The candidates in the formats asked for, with styles for those that carry none."""
    every: dict[str, Write] = {
        "candidates.geojson": partial(write_geojson, layers["candidates"]),
        "candidates.gpkg": partial(write_geopackage, view, layers),
        "candidates.kml": partial(write_kml, view),
        "candidates.gpx": partial(write_gpx, view.results),
        **{f"{layer}.parquet": partial(write_geoparquet, frame) for layer, frame in layers.items()},
    }
    jobs = {name: every[name] for chosen in formats for name in FORMATS[chosen]}
    # A GeoPackage carries its styles inside; GeoJSON and GeoParquet can't, and QGIS looks for a file of their name
    # beside them.
    stems = {Path(name).stem for name in jobs if Path(name).suffix in (".geojson", ".parquet")}
    styles = {layer: style for layer, style in layer_styles(view).items() if layer in stems}
    return jobs | {f"{layer}.qml": partial(_write_text, style) for layer, style in styles.items()}


def _impact_files(results: Results, tables: Mapping[str, pd.DataFrame], formats: Collection[str]) -> dict[str, Write]:
    """The impact files that there is something for; events are written in the GIS formats asked for."""
    jobs: dict[str, Write] = {}
    events, parquet, style, places, findings = IMPACT_FILES
    if results.events is not None and len(results.events):
        table = render_table(results.events)
        if "gpkg" in formats:
            jobs[events] = partial(write_layer, table, EVENT_LAYER)
        if "parquet" in formats:
            jobs[parquet] = partial(write_geoparquet, table)
        if jobs:
            jobs[style] = partial(_write_text, event_style())
    if places in tables:
        jobs[places] = partial(write_plain_csv, tables[places])
    if results.findings:
        jobs[findings] = partial(_write_findings, results)
    return jobs


def _write_findings(results: Results, path: Path) -> None:
    rows = [
        {
            "candidate_id": f.candidate_id,
            "regime_id": f.regime_id,
            "text": render(f.message),
            "evidence": list(f.evidence),
        }
        for f in results.findings
    ]
    _write_text(json.dumps(clean(rows), ensure_ascii=False, indent=2) + "\n", path)


def _described(
    results: Results,
    tables: Mapping[str, pd.DataFrame],
    layers: Mapping[str, gpd.GeoDataFrame],
    written: Collection[str],
) -> dict[str, pd.DataFrame]:
    """What stands in each of the written files that has columns, for the dictionary."""
    found = {name: tables[name] for name in TABLES} | {"candidates.geojson": layers["candidates"]}
    for layer, frame in layers.items():
        found |= {f"candidates.gpkg|layername={layer}": frame, f"{layer}.parquet": frame}
    found |= {name: tables[name] for name in (COSTS, PLACES) if name in tables}
    if results.events is not None:
        events, parquet, *_ = IMPACT_FILES
        found |= {f"{events}|layername={EVENT_LAYER}": results.events, parquet: results.events}
    found |= tables
    return {name: table for name, table in found.items() if name.split("|")[0] in written}
