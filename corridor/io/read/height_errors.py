"""How far heights are off, by what the data is: the same for a file, an address and what a live run has fetched.

A raster is recognised by a tag that says its data set, by its title where it is listed, by the name that its publisher
gives its files, or as a copy of a file that ships with the toolkit. What isn't recognised has the error that a study
states.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.files import data_root
from corridor.io.read.data_files import LISTING
from corridor.io.read.tables import Faults, load_sources, read_rows, source_ids_of
from corridor.schema.fields import file_sha256

FILE_NAME = "height_errors.csv"
DATASET_TAG, ERROR_TAG = "HEIGHTS_DATASET", "HEIGHTS_ERROR_M"
"""Tags of a GeoTIFF that say which data set its heights are of, and their standard error where no table has it."""
_COLUMNS = "dataset_id title_begins file_names from_slope_deg error_m source_ids note"
_MOST_M = 1000.0
_LONGEST_NAME = 200
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeightError:
    """Standard error of the heights of one data set, by the slope of the ground as the data itself shows it.

    ``steps`` are pairs of a slope in degrees, from which on, and an error in metres; the first begins at 0.
    ``file_names`` are patterns of names in small letters.
    """

    dataset_id: str
    steps: tuple[tuple[float, float], ...]
    title_begins: str = ""
    file_names: tuple[str, ...] = ()

    def by_slope(self, slope_deg: NDArray[np.floating]) -> Floats32:
        """The error of each pixel, metres; where the slope is unknown, as a raster's rim, that of its likely ground.

        Args:
            slope_deg: any shape, NaN where unknown.

        >>> HeightError("x", ((0, 16), (4, 61))).by_slope(np.array([0.5, 4.0])).tolist()
        [16.0, 61.0]
        """
        slopes, errors = np.array(self.steps, dtype=float).T
        if len(errors) == 1:
            return np.full(slope_deg.shape, errors[0], dtype=np.float32)
        known = slope_deg[np.isfinite(slope_deg)]
        # Where no slope is known, the middle slope of the raster is taken, and the steepest step if none is known at
        # all.
        likely = float(np.median(known)) if known.size else np.inf
        at = np.searchsorted(slopes, np.where(np.isnan(slope_deg), likely, slope_deg), side="right") - 1
        return np.asarray(errors[at], dtype=np.float32)


def load_height_errors(folder: Path | None = None) -> tuple[HeightError, ...]:
    """The table of errors of a folder of reference tables, or the packaged one where it has none.

    Args:
        folder: Of reference tables; the packaged one if left out.

    Raises:
        CatalogueError: rows are wrong: all are named at once.
        SourceError: the table can't be read.
    """
    if folder is None or not (folder / FILE_NAME).is_file():
        return _packaged()
    return _load(folder)


@cache
def _packaged() -> tuple[HeightError, ...]:
    return _load(data_root() / "reference")


def _load(folder: Path) -> tuple[HeightError, ...]:
    faults = Faults()
    sources = load_sources(folder, faults)
    found: dict[str, HeightError] = {}
    for row in read_rows(folder / FILE_NAME, _COLUMNS.split(), faults):
        key = row.text("dataset_id", required=True)
        step = row.number("from_slope_deg", 0, 90), row.number("error_m", 0.01, _MOST_M)
        source_ids_of(row, sources)
        before = found.get(key)
        if step[0] <= (before.steps[-1][0] if before else -1.0) or (before is None and step[0] != 0):
            row.fault("from_slope_deg", f"{step[0]:g}: must begin at 0 and rise within a data set")
        names = tuple(row.text("file_names").lower().split())
        if before is None:
            found[key] = HeightError(key, (step,), row.text("title_begins"), names)
        else:
            found[key] = HeightError(key, (*before.steps, step), before.title_begins, before.file_names)
    faults.raise_any()
    return tuple(found.values())


def recognise(
    raster: Any, name: str, title: str, known: tuple[HeightError, ...], path: Path | None = None
) -> HeightError | None:
    """The data set that the heights of an open raster are of, or None where nothing tells.

    Args:
        raster: Open in rasterio.
        name: Name of its file or the last part of its address.
        title: As its data is listed; empty if it isn't.
        known: The table.
        path: The file, where it is one.

    Raises:
        SourceError: its tag of an error isn't a number of metres.
    """
    tags = raster.tags()
    by_id = {item.dataset_id: item for item in known}
    said = by_id.get(str(tags.get(DATASET_TAG, "")).strip().lower())
    if said is None and ERROR_TAG in tags:
        said = HeightError("stated", ((0.0, _stated_error(tags[ERROR_TAG], name)),))
    plain = name.lower()[-_LONGEST_NAME:]
    for item in known:
        if said is None and item.title_begins and title.startswith(item.title_begins):
            said = item
    for item in known:
        if said is None and any(fnmatchcase(plain, pattern) for pattern in item.file_names):
            said = item
    if said is None and path is not None and (listed := _packaged_title(path)):
        return recognise(raster, "", listed, known)
    return said


def _stated_error(text: object, name: str) -> float:
    try:
        error = float(str(text)[:40])
    except ValueError:
        error = np.nan
    if not 0 < error <= _MOST_M:
        raise SourceError(
            f"{name}: its tag {ERROR_TAG} is '{str(text)[:40]}', which is no error in metres; correct it with "
            "gdal_edit -mo"
        )
    return error


def _packaged_title(path: Path) -> str:
    """Title of the file that ships with the toolkit and has the same content; empty if none has."""
    listing = data_root() / "bundled" / LISTING
    size = path.stat().st_size
    for entry in json.loads(listing.read_text(encoding="utf-8")):
        own = listing.parent / entry["file"]
        # Sizes first: most files need not be read for this.
        if own.is_file() and own.stat().st_size == size and file_sha256(path) == entry["sha256"]:
            return str(entry["title"])
    return ""


def tags_of(error: HeightError | None) -> dict[str, str]:
    """Tags that a raster of these heights is to be written with, so that it is recognised as its origin was.

    Args:
        error: Of its data set; None where it isn't known.
    """
    if error is None:
        return {}
    if error.dataset_id == "stated":
        return {ERROR_TAG: f"{error.steps[0][1]:g}"}
    return {DATASET_TAG: error.dataset_id}
