"""Settlements with their population."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84
from corridor.input_files import require_file
from corridor.io.read.data_files import data_source
from corridor.safe_toml import odd_character
from corridor.schema.source import Source

_MAX_BYTES, _MAX_TEXT = 100_000_000, 10_000
_BOUNDS = {"population": (0.0, 1e10), "elevation_m": (-500.0, 9000.0)}
_COLUMNS = ("name", "lat", "lon", "country", "population")


@dataclass(frozen=True)
class Places:
    """Settlements: name, lat, lon, country, population (people, NaN if unknown), alternate_names, geometry."""

    frame: gpd.GeoDataFrame
    source: Source


def _numbers(cells: pd.Series, column: str, path: Path) -> pd.Series:
    """Cells as numbers, NaN where they are empty.

    Raises:
        SourceError: one is neither, or can't be meant (people below 0 or over 10 thousand million, heights off Earth).
    """
    low, high = _BOUNDS[column]
    values = pd.to_numeric(cells, errors="coerce").astype(float)
    # NaN is between nothing, so a text that isn't a number is bad, and so is an empty cell; that one is allowed.
    bad = ~values.between(low, high) & (cells.str.strip() != "")
    if bad.any():
        given = str(cells[bad.idxmax()])[:40]
        raise SourceError(
            f"{path}: row {int(bad.idxmax()) + 2}: {column} is '{given}'; write a number from {low:g} to {high:g} "
            "or nothing where it isn't known"
        )
    return values


def read_places(path: Path) -> Places:
    """Read a CSV of settlements with at least name, lat, lon, country and population.

    Args:
        path: CSV in UTF-8.

    Raises:
        SourceError: the file is missing, isn't such a table, or has coordinates that no place on Earth has.
    """
    require_file(path, "table of places", _MAX_BYTES)
    try:
        # all as text: a village called 77 or True is none the less called that
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as fault:
        reason = " ".join(str(fault).split())[:200]
        raise SourceError(f"{path}: not readable as a table of places ({reason}); write UTF-8 with commas") from fault
    if not isinstance(table.index, pd.RangeIndex):
        raise SourceError(f"{path}: its rows have more cells than there are columns; quote text with commas")
    missing = [column for column in _COLUMNS if column not in table.columns]
    if missing:
        raise SourceError(f"{path}: columns missing: {', '.join(missing)}")
    for column, bound in (("lat", 90), ("lon", 180)):
        table[column] = pd.to_numeric(table[column], errors="coerce")
        bad = ~table[column].between(-bound, bound)
        if bad.any():
            raise SourceError(f"{path}: row {int(bad.idxmax()) + 2}: {column} must be from -{bound} to {bound}")
    for column in ("population", "elevation_m"):
        if column in table.columns:
            table[column] = _numbers(table[column], column, path)
    if "alternate_names" not in table.columns:
        table["alternate_names"] = ""
    for column in ("name", "country", "alternate_names"):
        for row, text in enumerate(table[column], 2):
            odd = odd_character(text)
            if odd or len(text) > _MAX_TEXT:
                what = f"holds control characters ({odd})" if odd else f"is longer than {_MAX_TEXT:,} letters"
                raise SourceError(f"{path}: row {row}: {column} {what}; write plain text")
    frame = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
    return Places(frame, data_source(path, "places", f"Places {path.name}"))
