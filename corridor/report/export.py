"""All files of a comparison in one folder: complete, or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from corridor.errors import OutputError
from corridor.model.results import Results
from corridor.report.csvs import write_csv
from corridor.report.gis import write_geojson, write_geopackage
from corridor.report.impacts import FILES as IMPACT_FILES
from corridor.report.impacts import write_impacts
from corridor.report.manifest import NAME, is_results_folder, write_manifest
from corridor.report.page import build_page

PAGE = "comparison.html"
BRIEF = "brief.pdf"
FILES = (PAGE, "metrics.csv", "ranking.csv", "candidates.geojson", "candidates.gpkg")
_OURS = frozenset((*FILES, *IMPACT_FILES, BRIEF, NAME))


def write_results(results: Results, folder: Path) -> Path:
    """Write page, tables, GIS files and manifest into a folder: all of them, or none.

    Everything is written into a new folder beside the wanted one, which then takes its place. An older folder of
    results is replaced; files that others put into it are carried over.

    Returns:
        The path of the page.

    Raises:
        OutputError: the folder holds something else, or can't be written; what was there before is untouched.
    """
    target = check_target(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as work:
            fresh = Path(work) / "new"
            fresh.mkdir()
            _write_files(results, fresh)
            _swap(fresh, target, Path(work) / "old")
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: can't be written ({reason}): choose another folder with --out") from error
    return target / PAGE


def check_target(folder: Path) -> Path:
    """Say before long work whether results may be written to a folder, and give its full path.

    Raises:
        OutputError: it is a file, or holds what isn't results of this tool.
    """
    target = folder.expanduser().resolve()
    if not target.exists():
        return target
    if not target.is_dir():
        raise OutputError(f"{target}: is a file; name a folder")
    if any(target.iterdir()) and not is_results_folder(target):
        raise OutputError(
            f"{target}: holds other files and no results of an earlier run; name a new or an empty folder"
        )
    return target


def _write_files(results: Results, folder: Path) -> None:
    (folder / PAGE).write_text(build_page(results), encoding="utf-8", newline="\n")
    write_csv(results.metrics, folder / "metrics.csv")
    write_csv(results.ranking, folder / "ranking.csv")
    write_geojson(results, folder / "candidates.geojson")
    write_geopackage(results, folder / "candidates.gpkg")
    write_manifest(results, folder, (*FILES, *write_impacts(results, folder)))


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put ``fresh`` in the place of ``target``; put the old folder back if that fails."""
    if not target.exists():
        fresh.replace(target)
        return
    target.replace(old)
    try:
        fresh.replace(target)
    except OSError:
        old.replace(target)
        raise
    for entry in old.iterdir():
        if entry.name not in _OURS:
            shutil.move(str(entry), target / entry.name)
