"""Roads, railways, rivers and places from OpenStreetMap files (PBF, XML), read by libosmium."""

from __future__ import annotations

import re
import sys
from array import array
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84, line_lengths_m
from corridor.io.read.files import file_source, require_file
from corridor.io.read.osm_guard import refuse_dangerous
from corridor.io.read.place_names import LANGUAGES
from corridor.io.read.provenance import known_source
from corridor.io.read.rivers import Waters, no_rivers
from corridor.schema.source import Source

_LINKS = ("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link")
ROAD_CLASSES = frozenset(
    (
        *("motorway", "trunk", "primary", "secondary", "tertiary"),
        *_LINKS,
        *("unclassified", "residential", "living_street", "service", "track", "road"),
    )
)
RAIL_STATUS = {"rail": "open", "disused": "disused", "abandoned": "abandoned", "construction": "construction"}
PLACE_KINDS = frozenset(("city", "town", "village", "hamlet", "isolated_dwelling"))
_NAME_KEYS = tuple((language, f"name:{language}") for language in LANGUAGES)
_NO = frozenset(("", "no", "0", "false"))
_MAX_WAYS, _MAX_VERTICES = 10_000_000, 50_000_000
_JUMP = 10_000_000  # a degree, in the file's units
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OsmData:
    """What one file gave.

    ``ways`` holds roads and railways together: mode, class, status, oneway (-1|0|1), bridge, tunnel, ref, name,
    length_m, geometry (EPSG:4326). ``node_ids`` are the ids of all their vertices, one after another, and
    ``offsets`` (n_ways + 1) says where each way's begin: ways that share an id meet there. ``remarks`` say what of the
    file couldn't be used. ``places`` has name, kind, population, lon, lat, names (by language), geometry; ``rivers`` is
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
        return self.ways[self.ways["mode"] == "road"]

    @property
    def rails(self) -> gpd.GeoDataFrame:
        """The railways alone, whatever their status."""
        return self.ways[self.ways["mode"] == "rail"]


def _classify(tags: Any) -> tuple[str, str, str] | None:
    """Mode, class and status of a way, or None if it is neither road nor railway of interest."""
    highway = tags.get("highway")
    if highway is not None:
        status = "open"
        if highway in {"construction", "proposed", "disused", "abandoned"}:
            status = "planned" if highway == "proposed" else highway
            highway = tags.get(highway) or tags.get("construction") or "road"
        return ("road", highway, status) if highway in ROAD_CLASSES else None
    railway = tags.get("railway")
    if railway in RAIL_STATUS:
        return "rail", "rail", RAIL_STATUS[railway]
    return None


def _oneway(tags: Any, road_class: str) -> int:
    value = tags.get("oneway", "")
    if value in {"-1", "reverse"}:
        return -1
    if value in {"yes", "true", "1"}:
        return 1
    implied = value == "" and (road_class in {"motorway", "motorway_link"} or tags.get("junction") == "roundabout")
    return 1 if implied else 0


def _clean(text: str | None) -> str:
    """A name as plain text: control characters, which no name needs, are dropped."""
    return "".join(c for c in (text or "")[:1000] if c.isprintable())[:200]


class _Table:
    """Ways as they come from the file; arrays, not lists: 16 bytes a vertex."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.sizes, self.node_ids, self.x, self.y = array("q"), array("q"), array("i"), array("i")

    def add(self, item: Any) -> bool:
        """Keep a way if it is a road or a railway; gives whether it is."""
        tags = item.tags
        kind = _classify(tags)
        if kind is None:
            return False
        size = 0
        for node in item.nodes:
            self.node_ids.append(node.ref)
            self.x.append(node.x)
            self.y.append(node.y)
            size += 1
        self.sizes.append(size)
        flags = (tags.get("bridge", "") not in _NO, tags.get("tunnel", "") not in _NO)
        # most names stand in many ways: one copy of each
        words = (sys.intern(_clean(tags.get("ref"))), sys.intern(_name(tags)))
        self.rows.append((item.id, *kind, _oneway(tags, kind[1]), *flags, *words))
        if len(self.rows) > _MAX_WAYS or len(self.node_ids) > _MAX_VERTICES:
            raise _TooLargeError
        return True


class _TooLargeError(Exception):
    """The file holds more roads than fit in memory."""


def read_osm(path: Path) -> OsmData:
    """Read roads, railways, named rivers and places of a PBF, XML or OPL file, in whatever order it is.

    Memory: 16 bytes a node of the file while it is read, about 100 bytes a vertex of the roads and railways kept, and
    about 600 bytes a way. What can't be used is left out and said in ``remarks``: see :func:`_pieces`.

    Raises:
        SourceError: the file is missing, isn't OpenStreetMap data, is truncated, holds the history of objects, holds
            no usable road or railway, or more of them than a country has.
    """
    import osmium

    require_file(path, "OpenStreetMap file")
    refuse_dangerous(path)
    places: list[tuple[Any, ...]] = []
    table, waters = _Table(), Waters()
    try:
        date = _file_date(path)
        _scan(path, table, waters, places)
    except _TooLargeError as fault:
        raise SourceError(
            f"{path}: holds more than {_MAX_WAYS // 1_000_000} million roads or {_MAX_VERTICES // 1_000_000} million "
            "vertices; cut it to the study's area, for instance with osmium extract"
        ) from fault
    except (RuntimeError, OSError, ValueError, MemoryError, osmium.InvalidLocationError) as fault:
        if isinstance(fault, SourceError):
            raise
        reason = _clean(str(fault).replace("\n", " ")) or "unreadable"
        raise SourceError(f"{path}: not readable as OpenStreetMap data ({reason}); fetch the file again") from fault
    if not table.rows:
        raise SourceError(f"{path}: holds no road and no railway; is it the right extract, and whole?")
    way, vertices, offsets, remarks = _pieces(table)
    if not len(way):
        raise SourceError(
            f"{path}: none of its {len(table.rows):,} roads and railways can be used ({'; '.join(remarks)}); use an "
            "extract with complete ways and positive ids"
        )
    xy = np.column_stack([np.asarray(table.x)[vertices], np.asarray(table.y)[vertices]]) / 1e7
    lines = shapely.linestrings(xy, indices=np.repeat(np.arange(len(way)), np.diff(offsets)))
    columns = ["way_id", "mode", "class", "status", "oneway", "bridge", "tunnel", "ref", "name"]
    frame = pd.DataFrame(table.rows, columns=columns)
    if len(way) != len(frame) or (np.diff(way) != 1).any():
        frame = frame.iloc[way].reset_index(drop=True)
    ways = gpd.GeoDataFrame(frame, geometry=lines, crs=WGS84)
    ways["length_m"] = line_lengths_m(lines)
    return OsmData(
        ways=ways,
        node_ids=np.asarray(table.node_ids, dtype=np.int64)[vertices],
        offsets=offsets,
        places=_places_frame(places),
        source=_source(path, date),
        remarks=tuple(f"{path.name}: {remark}" for remark in remarks),
        rivers=waters.collect(),
    )


def _scan(path: Path, table: _Table, waters: Waters, places: list[tuple[Any, ...]]) -> None:
    """All nodes first, then all ways: in an unsorted file a way may stand before its nodes."""
    import osmium

    # packs without the room that a growing vector holds in reserve, where the system has it
    kind = "sparse_mmap_array" if "sparse_mmap_array" in osmium.index.map_types() else "flex_mem"
    # each in a name of its own: the iterator keeps none of them alive
    index = osmium.index.create_map(kind)
    locations = osmium.NodeLocationsForWays(index)
    settlements, lines = osmium.filter.KeyFilter("place"), osmium.filter.KeyFilter("highway", "railway", "waterway")
    locations.ignore_errors()
    with osmium.io.Reader(str(path), osmium.osm.NODE) as reader:
        if reader.header().has_multiple_object_versions:
            raise SourceError(f"{path}: holds changes or the history of objects; use an extract of one date")
        found: Any = osmium.OsmFileIterator(reader, locations, settlements)
        for item in found:
            tags = item.tags
            if tags.get("place") in PLACE_KINDS and item.location.valid():
                if len(places) == _MAX_WAYS:
                    raise _TooLargeError
                people = _clean(tags.get("population"))
                places.append((_name(tags), tags["place"], people, item.lon, item.lat, _names(tags)))
    with osmium.io.Reader(str(path), osmium.osm.WAY) as reader:
        found = osmium.OsmFileIterator(reader, locations, lines)
        for item in found:
            if not table.add(item) and item.tags.get("waterway") == "river":
                waters.add(_name(item.tags), _names(item.tags), [(n.x / 1e7, n.y / 1e7) for n in item.nodes])


def _pieces(table: _Table) -> tuple[Ints, Ints, Ints, list[str]]:
    """What of the ways can be drawn: for each piece its row, the vertices of all, each piece's first, and remarks.

    A way is cut where vertices are missing or lie off the globe (a straight line over the hole would be a road that
    nobody built), and where two neighbours are more than a degree apart; what has no length is left out. Of ways that
    share an id the last one counts.
    """
    sizes = np.asarray(table.sizes, dtype=np.int64)
    ids = np.array([row[0] for row in table.rows], dtype=np.int64)
    last = np.zeros(len(ids), dtype=bool)
    last[len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]] = True
    way = np.repeat(np.arange(len(sizes)), sizes)
    x, y = np.asarray(table.x, dtype=np.int64), np.asarray(table.y, dtype=np.int64)
    known = (abs(x) <= 1_800_000_000) & (abs(y) <= 900_000_000)
    near = (abs(np.diff(x)) <= _JUMP) & (abs(np.diff(y)) <= _JUMP)
    joined = (way[1:] == way[:-1]) & known[1:] & known[:-1] & last[way[1:]]
    linked = joined & near
    before, after = np.zeros(len(x), dtype=bool), np.zeros(len(x), dtype=bool)
    before[1:], after[:-1] = linked, linked
    vertices = np.flatnonzero(before | after)
    starts = np.flatnonzero(~before[vertices])
    stops = np.append(starts[1:], len(vertices))
    # the bounding box of a piece has no size if and only if the piece has no length
    moves = np.append((np.diff(x[vertices]) != 0) | (np.diff(y[vertices]) != 0), False)
    moves[stops - 1] = False
    long = np.add.reduceat(moves, starts) > 0 if len(starts) else np.zeros(0, dtype=bool)
    vertices = vertices[np.repeat(long, stops - starts)]
    offsets = np.concatenate([[0], np.cumsum((stops - starts)[long])]).astype(np.int64)
    owner = way[vertices[offsets[:-1]]]
    remarks = [
        f"{count:,} {what}"
        for count, what in (
            (len(np.unique(way[~known & last[way]])), "ways lack vertices that the file doesn't hold; cut there"),
            (int((joined & ~near).sum()), "stretches of over a degree between two vertices; cut there"),
            (int((~last).sum()), "ways whose id stands twice; the last of each is used"),
            (int((~long).sum()), "ways or pieces without length; left out"),
            (int((last & (sizes < 2)).sum()), "ways of fewer than two vertices; left out"),
        )
        if count
    ]
    return owner, vertices, offsets, remarks


def _source(path: Path, date: str) -> Source:
    """The file's Source; the date is the one in the file, for fetched files too."""
    known = known_source(path, "osm")
    if known is not None:
        return replace(known, date=date)
    return file_source(path, "osm", "OpenStreetMap extract", "OpenStreetMap contributors", date, "ODbL 1.0")


def _name(tags: Any) -> str:
    return _clean(tags.get("name:en") or tags.get("name"))


def _names(tags: Any) -> dict[str, str]:
    """Names by language; the joiner that parts Persian words becomes a space."""
    return {language: _clean(tags[key].replace("\u200c", " ")) for language, key in _NAME_KEYS if key in tags}


def _places_frame(rows: list[tuple[Any, ...]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["name", "kind", "population", "lon", "lat", "names"])
    table["population"] = pd.to_numeric(table["population"], errors="coerce")
    table = table.astype({"lon": float, "lat": float})  # an empty column is of objects
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)


def _file_date(path: Path) -> str:
    """The replication date in the file's header, or a date (YYYY-MM) in its name, or nothing."""
    import osmium

    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        stamp = str(reader.header().get("osmosis_replication_timestamp", ""))[:10]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stamp):
        return stamp
    found = re.search(r"(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?", path.name)
    return "-".join(part for part in found.groups() if part) if found else ""
