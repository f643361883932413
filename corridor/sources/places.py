"""Settlements with their population."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84
from corridor.model.source import Source
from corridor.sources.files import require_file
from corridor.sources.provenance import data_source

_COLUMNS = ("name", "lat", "lon", "country", "population")


@dataclass(frozen=True)
class Places:
    """Settlements: name, lat, lon, country, population (people, NaN if unknown), alternate_names, geometry."""

    frame: gpd.GeoDataFrame
    source: Source


def read_places(path: Path) -> Places:
    """Read a CSV of settlements with at least name, lat, lon, country and population.

    Raises:
        SourceError: the file is missing, isn't such a table, or has coordinates that no place on Earth has.
    """
    require_file(path, "table of places")
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values={"population": [""], "elevation_m": [""]})
    except (ValueError, UnicodeDecodeError) as fault:
        raise SourceError(f"{path}: not readable as a table of places ({str(fault).splitlines()[0]})") from fault
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
    table["population"] = pd.to_numeric(table["population"], errors="coerce")
    if "alternate_names" not in table.columns:
        table["alternate_names"] = ""
    frame = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
    return Places(frame, data_source(path, "places", f"Places {path.name}"))
