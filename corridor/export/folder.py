"""The folder that results stand in: which files are ours, and whether it may be written to.

Nothing here loads what computes or draws, so that a wrong folder is told at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from corridor.errors import OutputError, SourceError
from corridor.files import TOOL, WRITING, read_json, unwritable

MANIFEST = "manifest.json"
MAX_BYTES = 20_000_000
"""A manifest that is larger isn't ours."""
_SIBLINGS = (("alignment.json", "alignment.geojson"), ("sweep.json", "plan.parquet"))
"""Files by which folders of new lines and of sweeps are known."""
_DEPTH = 4
"""How many folders deep results are looked for."""
PAGE = "comparison.html"
BRIEF = "brief.pdf"
FORMATS = {
    "geojson": ("candidates.geojson",),
    "gpkg": ("candidates.gpkg",),
    "parquet": ("candidates.parquet", "parts.parquet", "structures.parquet"),
    "kml": ("candidates.kml",),
    "gpx": ("candidates.gpx",),
}
"""GIS formats that may be chosen, and the files of candidates that each gives."""
STYLES = ("candidates.qml", "parts.qml", "structures.qml")
"""Beside files of the same name that QGIS reads without a style of their own."""
TABLES = ("metrics.csv", "ranking.csv")
DICTIONARY = "data_dictionary.csv"
COSTS = "cost_breakdown.csv"
"""The bills of the candidates, line by line."""
FILES = (PAGE, *TABLES, DICTIONARY, *(name for names in FORMATS.values() for name in names), *STYLES)
PLACES = "places.csv"
IMPACT_FILES = ("crossings.gpkg", "crossings.parquet", "crossings.qml", PLACES, "findings.json")
EVENT_LAYER = "events"
FLOW_FILES = ("flows.csv", "pairs.csv", "control.csv", "dependence.csv", "potentials.csv")
"""Tables of the long-distance network, where the study names one."""
OURS = frozenset((*FILES, COSTS, *IMPACT_FILES, *FLOW_FILES, BRIEF, MANIFEST))


def choose_formats(wanted: str | Iterable[str] | None) -> tuple[str, ...]:
    """Check names of GIS formats, comma-separated or one by one; all of them if nothing is asked, none for ``none``.

    Raises:
        OutputError: a name is unknown; lists those that there are.
    """
    if wanted is None:
        return tuple(FORMATS)
    names = [name.strip().lower() for name in (wanted.split(",") if isinstance(wanted, str) else wanted)]
    names = [name for name in names if name and name != "none"]
    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise OutputError(f"formats: '{unknown[0]}' is unknown; choose from {', '.join(FORMATS)}, or none")
    return tuple(name for name in FORMATS if name in names)


def is_results_folder(folder: Path) -> bool:
    """Whether a folder holds results that this package wrote."""
    try:
        content = read_json(folder / MANIFEST, "manifest", MAX_BYTES)
    except (SourceError, OSError):
        return False
    return isinstance(content, dict) and content.get("tool") == TOOL


def holds_only_results(folder: Path, depth: int = _DEPTH) -> bool:
    """Whether a folder holds nothing but folders that this package wrote, or folders of such folders.

    The default folder ``out`` becomes one when results are written to ``out/demo``. Results may be put beside them, for
    nothing of anybody else's is there. Folders that a run is just writing in, or was killed in, count as ours.
    """
    return all(entry.is_dir() and not entry.is_symlink() and _is_ours(entry, depth) for entry in folder.iterdir())


def _is_ours(folder: Path, depth: int) -> bool:
    if is_results_folder(folder) or (folder / WRITING).is_file():
        return True
    if any(all((folder / name).is_file() for name in names) for names in _SIBLINGS):
        return True
    return depth > 0 and any(folder.iterdir()) and holds_only_results(folder, depth - 1)


def check_target(folder: Path) -> Path:
    """Say before long work whether results may be written to a folder, and give its full path.

    A new or an empty folder may be written to, one of earlier results (they are replaced), and one that holds only
    folders of results (they stay).

    Raises:
        OutputError: it is a file, or holds what isn't results of this tool.
    """
    try:
        target = folder.expanduser().resolve()
        if not target.exists():
            above = next(parent for parent in target.parents if parent.exists())
            if not above.is_dir():
                raise OutputError(f"{target}: can't be written ({above} is a file); choose another folder")
            if not os.access(above, os.W_OK | os.X_OK):
                raise OutputError(f"{target}: can't be written (no permission in {above}); choose another folder")
            return target
        if not target.is_dir():
            raise OutputError(f"{target}: is a file; name a folder")
        if not is_results_folder(target) and not holds_only_results(target):
            raise OutputError(
                f"{target}: holds other files and no results of an earlier run; name a new or an empty folder"
            )
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise OutputError(f"{target}: can't be written (no permission in {target.parent}); choose another folder")
    except (OSError, RuntimeError, ValueError) as error:  # names too long, loops of links, a NUL
        if isinstance(error, OutputError):
            raise
        raise unwritable(repr(str(folder)[:200]), error, "choose another folder") from error
    return target
