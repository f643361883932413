"""Roads, railways, rivers and places from OpenStreetMap files (PBF, XML), read by libosmium."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84, line_lengths_m
from corridor.input_files import require_file
from corridor.io.read.data_files import file_source, known_source
from corridor.io.read.osm_guard import refuse_dangerous
from corridor.io.read.osm_scan import MAX_VERTICES, MAX_WAYS, WAY_COLUMNS, Scan, TooLargeError, clean, scan_file
from corridor.io.read.osm_segments import cut_pieces
from corridor.io.read.osm_tags import Doubt
from corridor.io.read.rivers import no_rivers
from corridor.schema.source import Source
from corridor.schema.vocabulary import Mode

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OsmData:
    """What one file gave.

    ``ways`` holds roads and railways together: mode, class, status, oneway (-1|0|1), bridge, tunnel, layer,
    truck_access, car_access (yes|local|no), max_weight_t, max_height_m (NaN where no limit is signed), gauges_mm
    (``1435;1520``), ref, name, length_m, geometry (EPSG:4326); a way that is both stands
    twice. ``node_ids`` are the ids of all their vertices, one after another, and ``offsets`` (n_ways + 1) says where
    each way's begin: ways that share an id meet there. ``remarks`` say what of the file couldn't be used or wasn't
    understood. ``places`` has name, kind, population, lon, lat, names (by language), geometry; ``rivers`` is
    as :func:`corridor.io.read.rivers.collect_rivers` gives it.
    """

    ways: gpd.GeoDataFrame
    node_ids: Ints
    offsets: Ints
    places: gpd.GeoDataFrame
    source: Source
    remarks: tuple[str, ...] = ()
    rivers: gpd.GeoDataFrame = field(default_factory=no_rivers)

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """The roads alone."""
        return self.ways[self.ways["mode"] == Mode.ROAD]

    @property
    def rails(self) -> gpd.GeoDataFrame:
        """The railways alone, whatever their status."""
        return self.ways[self.ways["mode"] == Mode.RAIL]


def read_osm(path: Path) -> OsmData:
    """Read roads, railways, named rivers and places of a PBF, XML or OPL file, in whatever order it is.

    Memory: 16 bytes a node of the file while it is read, about 100 bytes a vertex of the roads and railways kept, and
    about 600 bytes a way. What can't be used is left out, and what isn't understood is counted, in ``remarks``: see
    :func:`corridor.io.read.osm_segments.cut_pieces` and :class:`corridor.io.read.osm_tags.Doubt`.

    Args:
        path: ``.osm.pbf``, ``.osm``, ``.opl``, packed or not.

    Raises:
        SourceError: the file is missing, isn't OpenStreetMap data, is truncated, holds the history of objects, holds
            no usable road or railway, or more of them than a country has.
    """
    import osmium

    require_file(path, "OpenStreetMap file")
    # Before libosmium sees it: it trusts what a file says of its own size.
    refuse_dangerous(path)
    try:
        date = _file_date(path)
        scan = scan_file(path)
    except TooLargeError as fault:
        raise SourceError(
            f"{path}: holds more than {MAX_WAYS // 1_000_000} million roads or {MAX_VERTICES // 1_000_000} million "
            "vertices; cut it to the study's area, for instance with osmium extract"
        ) from fault
    except (RuntimeError, OSError, ValueError, MemoryError, osmium.InvalidLocationError) as fault:
        if isinstance(fault, SourceError):
            raise
        reason = clean(str(fault).replace("\n", " ")) or "unreadable"
        raise SourceError(f"{path}: not readable as OpenStreetMap data ({reason}); fetch the file again") from fault
    table = scan.ways
    if not table.rows:
        raise SourceError(f"{path}: holds no road and no railway; is it the right extract, and whole?")
    frame = pd.DataFrame(table.rows, columns=WAY_COLUMNS)
    sizes, node_ids, x, y = (np.asarray(a, dtype=np.int64) for a in (table.sizes, table.node_ids, table.x, table.y))
    pieces = cut_pieces(frame, sizes, node_ids, x, y, scan.blocked)
    if not len(pieces.owner):
        raise SourceError(
            f"{path}: none of its {len(table.rows):,} roads and railways can be used ({'; '.join(pieces.remarks)}); "
            "use an extract with complete ways and positive ids"
        )
    xy = np.column_stack([pieces.x, pieces.y]) / 1e7
    # One call for all pieces: vertex i belongs to piece indices[i].
    lines = shapely.linestrings(xy, indices=np.repeat(np.arange(len(pieces.owner)), np.diff(pieces.offsets)))
    # Cutting may have left out ways and made several of one: the table follows, row by row.
    if len(pieces.owner) != len(frame) or (np.diff(pieces.owner) != 1).any():
        frame = frame.iloc[pieces.owner].reset_index(drop=True)
    ways = gpd.GeoDataFrame(frame, geometry=lines, crs=WGS84)
    ways["length_m"] = line_lengths_m(lines)
    places = scan.settlements.frame()
    return OsmData(
        ways=ways,
        node_ids=pieces.node_ids,
        offsets=pieces.offsets,
        places=places,
        source=_source(path, date),
        remarks=tuple(f"{path.name}: {remark}" for remark in [*pieces.remarks, *_remarks(scan, pieces.node_ids)]),
        rivers=scan.waters.collect(),
    )


def _remarks(scan: Scan, node_ids: Ints) -> list[str]:
    """What of a file wasn't understood or isn't followed, counted."""
    strange = np.isin(np.fromiter(scan.strange_barriers, dtype=np.int64), node_ids).sum()
    counts = [
        (scan.renewed, "ways stand in several versions; the newest of each is used"),
        *((scan.ways.doubts[doubt], doubt.value) for doubt in Doubt),
        (int(strange), "barriers on roads whose kind isn't known; taken as passable"),
        (scan.restrictions, "turn restrictions; not followed"),
        (scan.settlements.drawn_twice, "settlements stand as a point and as an outline; the point counts"),
        (scan.settlements.not_numbers, "populations that aren't a number; taken as unknown"),
    ]
    return [f"{count:,} {what}" for count, what in counts if count]


def _source(path: Path, date: str) -> Source:
    """The file's Source; the date is the one in the file, for fetched files too."""
    known = known_source(path, "osm")
    if known is not None:
        return replace(known, date=date)
    return file_source(path, "osm", "OpenStreetMap extract", "OpenStreetMap contributors", date, "ODbL 1.0")


def _file_date(path: Path) -> str:
    """The replication date in the file's header, or a date (YYYY-MM) in its name, or nothing."""
    import osmium

    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        stamp = str(reader.header().get("osmosis_replication_timestamp", ""))[:10]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stamp):
        return stamp
    found = re.search(r"(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?", path.name)
    return "-".join(part for part in found.groups() if part) if found else ""
