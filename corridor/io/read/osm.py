"""Roads, railways, rivers and places from OpenStreetMap files (PBF, XML), read by libosmium."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.compiled import compiled
from corridor.errors import SourceError
from corridor.files import require_file
from corridor.geo.geodesy import WGS84
from corridor.io.read.data_files import file_source, known_source
from corridor.io.read.osm_blocks import READ_BYTES, iterate_blocks, iterate_fields, refuse_dangerous, unpack
from corridor.io.read.osm_pbf import scan_blocks
from corridor.io.read.osm_scan import MAX_VERTICES, MAX_WAYS, Scan, TooLargeError, clean, scan_file
from corridor.io.read.osm_tags import ROAD_CLASSES, Barrier, Doubt, stricter
from corridor.io.read.rivers import no_rivers
from corridor.schema.catalogue import TRUCK_OF_LIMIT
from corridor.schema.fields import Source
from corridor.schema.message import Message
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus

# --- Which parts of the ways of a file are drawn, and that each road is drawn once ---

_JUMP = 10_000_000  # a degree, in the file's units
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """Runs of vertices to draw: for each piece its row of the ways, and all vertices one after another.

    ``owner`` (n_pieces) is the row; ``offsets`` (n_pieces + 1) says where each piece's vertices begin in ``node_ids``,
    ``x`` and ``y`` (1e-7 degrees).
    """

    owner: Ints
    offsets: Ints
    node_ids: Ints
    x: Ints
    y: Ints
    remarks: tuple[tuple[int, str], ...]


def cut_pieces(
    ways: pd.DataFrame, sizes: Ints, node_ids: Ints, x: Ints, y: Ints, barriers: Mapping[int, Barrier]
) -> Pieces:
    """What of the ways can be drawn.

    A way is cut where vertices are missing or lie off the globe (a straight line over the hole would be a road that
    nobody built), where two neighbours are more than a degree apart, at a barrier that ends the road, before and behind
    one that stops some vehicles, and where it runs over the very vertices of another way; what has no length is left
    out.

    Args:
        ways: a row per way, with the columns of :data:`corridor.io.read.osm_scan.WAY_COLUMNS`.
        sizes: number of vertices of each way, shape (n_ways,).
        node_ids: ids of the vertices of all ways, one after another, shape (n_vertices,).
        x: longitudes in 1e-7 degrees, shape (n_vertices,).
        y: latitudes.
        barriers: those that don't let every vehicle pass, by the id of their node.
    """
    way = np.repeat(np.arange(len(sizes)), sizes)
    # The file counts in ten-millionths of a degree.
    known = (abs(x) <= 1_800_000_000) & (abs(y) <= 900_000_000)
    near = (abs(np.diff(x)) <= _JUMP) & (abs(np.diff(y)) <= _JUMP)
    # Entry i tells of the stretch from vertex i to vertex i + 1; all vertices of all ways lie in one row.
    joined = (way[1:] == way[:-1]) & known[1:] & known[:-1]
    linked = joined & near
    # libosmium keeps no place of a node whose id is below 0, though the file has it
    unsaved = ~known & (node_ids < 0)
    said = [
        (len(np.unique(way[~known & ~unsaved])), "ways lack vertices that the file doesn't hold; cut there"),
        (len(np.unique(way[unsaved])), "ways have vertices with ids below 0, of edits that weren't saved; cut there"),
        (int((joined & ~near).sum()), "stretches of over a degree between two vertices; cut there"),
        (int((sizes < 2).sum()), "ways of fewer than two vertices; left out"),
    ]
    linked, node_ids, twice = _draw_once(ways, way, node_ids, x, y, linked)
    said.append((twice, "ways run over the vertices of another way; such parts count once"))
    stops = _on_roads([number for number, barrier in barriers.items() if barrier.blocks], ways, way, node_ids)
    said.append((len(np.unique(node_ids[stops])), "barriers on roads that let no vehicle pass; roads end there"))
    way, node_ids, x, y, linked = _end_at(stops, way, node_ids, x, y, linked)
    # The ended ones have other ids now: what is found are those that let some pass.
    narrow = _on_roads(list(barriers), ways, way, node_ids)
    said.append((len(np.unique(node_ids[narrow])), "barriers on roads that let some vehicles pass; followed"))
    way, node_ids, x, y, linked = _part_beside(narrow, way, node_ids, x, y, linked)
    owner, vertices, offsets, without_length = _runs(way, x, y, linked)
    said.append((without_length, "ways or pieces without length; left out"))
    remarks = tuple((count, what) for count, what in said if count)
    return Pieces(owner, offsets, node_ids[vertices], x[vertices], y[vertices], remarks)


def _on_roads(numbers: list[int], ways: pd.DataFrame, way: Ints, node_ids: Ints) -> Bools:
    """Which vertices are one of some nodes, and of a road."""
    if not numbers:
        return np.zeros(len(way), dtype=bool)
    return np.asarray((ways["mode"] == Mode.ROAD).to_numpy()[way] & pd.Index(node_ids).isin(numbers))


def _runs(way: Ints, x: Ints, y: Ints, linked: Bools) -> tuple[Ints, Ints, Ints, int]:
    """Row of each run of linked vertices, their places, each run's first, and how many runs have no length."""
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
    return way[vertices[offsets[:-1]]], vertices, offsets, int((~long).sum())


def _end_at(
    stops: Bools, way: Ints, node_ids: Ints, x: Ints, y: Ints, linked: Bools
) -> tuple[Ints, Ints, Ints, Ints, Bools]:
    """End all roads at some vertices: each stands once for either side, with an id that no other vertex has."""
    if not stops.any():
        return way, node_ids, x, y, linked
    source, linked = _stand_twice(stops, linked)
    fresh = node_ids[source]
    ended = stops[source]
    # New ids lie below all that the file has, so they meet no other vertex.
    fresh[ended] = min(0, int(node_ids.min())) - 1 - np.arange(int(ended.sum()))
    return way[source], fresh, x[source], y[source], linked


def _part_beside(
    narrow: Bools, way: Ints, node_ids: Ints, x: Ints, y: Ints, linked: Bools
) -> tuple[Ints, Ints, Ints, Ints, Bools]:
    """Part roads at the vertices before and behind some, so that what holds there holds for nothing else of the way."""
    if not narrow.any():
        return way, node_ids, x, y, linked
    beside = np.zeros(len(way), dtype=bool)
    beside[1:] |= narrow[:-1] & linked
    beside[:-1] |= narrow[1:] & linked
    source, linked = _stand_twice(beside & ~narrow, linked)
    return way[source], node_ids[source], x[source], y[source], linked


def _stand_twice(parted: Bools, linked: Bools) -> tuple[Ints, Bools]:
    """The vertices with some of them once for either side, as places of the vertices so far, and their links."""
    both = np.zeros(len(parted), dtype=bool)
    # A vertex with a link on either side stands twice, so that each side ends for itself; the end of a way needs no
    # copy.
    both[1:-1] = parted[1:-1] & linked[1:] & linked[:-1]
    source = np.repeat(np.arange(len(parted)), 1 + both)
    # the second of a doubled vertex isn't linked to the first
    again = np.append(False, source[1:] == source[:-1])
    links = np.append(False, linked)[source]
    links[again] = False
    return source, links[1:]


def _restrict(frame: pd.DataFrame, pieces: Pieces, barriers: Mapping[int, Barrier]) -> pd.DataFrame:
    """The table of pieces, where those with a barrier let pass only what it and the way let pass."""
    owner = np.repeat(np.arange(len(frame)), np.diff(pieces.offsets))
    at = np.flatnonzero(_on_roads(list(barriers), frame, owner, pieces.node_ids))
    if not len(at):
        return frame
    columns = ["truck_access", "car_access", *TRUCK_OF_LIMIT]
    said = {name: frame[name].to_numpy(copy=True) for name in columns}
    for row, number in zip(owner[at].tolist(), pieces.node_ids[at].tolist(), strict=True):
        access, limits = barriers[number].access, barriers[number].limits
        for name, allowed in (("truck_access", access.truck), ("car_access", access.car)):
            said[name][row] = stricter(RoadAccess(said[name][row]), allowed).value
        for name in TRUCK_OF_LIMIT:
            said[name][row] = np.fmin(said[name][row], getattr(limits, name))
    return frame.assign(**said)


def _draw_once(
    ways: pd.DataFrame, way: Ints, node_ids: Ints, x: Ints, y: Ints, linked: Bools
) -> tuple[Bools, Ints, int]:
    """Links without those that another way draws too, ids with those of the dropped vertices replaced, ways concerned.

    Two links are one road if they have the same two nodes, or the same two places on the same layer (an import that
    brought nodes of its own). The better one stays: in use, open to trucks, of the higher class, both ways. Two
    one-way links of opposite directions are the two sides of one road, and stay.
    """
    # One whole number holds both coordinates, which makes equal places quick to find.
    place = (x << 32) + y
    at = _may_be_repeated(place, linked)
    if not len(at):
        return linked, node_ids, 0
    ends = np.concatenate([place[at], place[at + 1]])
    a, b = np.unique(ends, return_inverse=True)[1].reshape(2, -1)
    is_rail = (ways["mode"] == Mode.RAIL).to_numpy()[way[at]]
    # a way that runs to and fro over the same vertices is drawn as it is
    key = (np.minimum(a, b) * len(ends) + np.maximum(a, b)) * 2 + is_rail
    order = np.argsort(key, kind="stable")
    same = (key[order][1:] == key[order][:-1]) & (a != b)[order][1:]
    if not same.any():
        return linked, node_ids, 0
    linked = linked.copy()
    alias: dict[int, int] = {}
    rank = _rank(ways)
    layer, oneway = (ways[name].to_numpy() for name in ("layer", "oneway"))
    dropped: set[int] = set()
    # In the sorted order, links between the same two places lie in runs.
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for first, stop in bounds.reshape(-1, 2).tolist():
        group = at[order[first : stop + 1]]
        for links in _one_road(layer, way, node_ids, group):
            kept, lost = _choose(oneway, way, place, rank, links)
            linked[lost] = False
            dropped |= set(way[lost].tolist())
            pairs = [(i + d, j) for i in lost for d in (0, 1) for j in (kept, kept + 1)]
            alias |= {int(node_ids[i]): int(node_ids[j]) for i, j in pairs if place[i] == place[j]}
    return linked, _renamed(node_ids, alias), len(dropped)


def _may_be_repeated(place: Ints, linked: Bools) -> Ints:
    """Links that may have the same two ends as another one: most have not, by a hash of both, and need no ordering."""
    # Four drawers or more for each link: few share one with a link that isn't theirs.
    bits = (4 * len(place)).bit_length()
    drawers, found = np.zeros(1 << bits, dtype=np.uint8), np.empty(len(linked), dtype=np.int64)
    return found[: _share_drawer(place, linked, drawers, 64 - bits, found)]


@compiled
def _share_drawer(place, linked, drawers, shift, found):  # type: ignore[no-untyped-def]
    """Count the links of each drawer, up to two; write those that aren't alone in theirs, and give their number."""
    for link in range(len(linked)):
        if linked[link]:
            drawer = _drawer(place[link], place[link + 1], shift)
            drawers[drawer] = min(2, drawers[drawer] + 1)
    count = 0
    for link in range(len(linked)):
        if linked[link] and drawers[_drawer(place[link], place[link + 1], shift)] == 2:
            found[count] = link
            count += 1
    return count


@compiled
def _drawer(a, b, shift):  # type: ignore[no-untyped-def]
    """The highest bits of a hash of two places, whichever comes first."""
    mixed = (np.uint64(min(a, b)) * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(max(a, b))
    return (mixed * np.uint64(0xC2B2AE3D27D4EB4F)) >> np.uint64(shift)


def _one_road(layer: Ints, way: Ints, node_ids: Ints, group: Ints) -> list[list[int]]:
    """Links of the same two places, parted where other nodes on another layer say that one lies above the other."""
    found: list[list[int]] = []
    for link in group.tolist():
        for links in found:
            other = links[0]
            ids = {int(node_ids[link]), int(node_ids[link + 1])}, {int(node_ids[other]), int(node_ids[other + 1])}
            if ids[0] == ids[1] or layer[way[link]] == layer[way[other]]:
                links.append(link)
                break
        else:
            found.append([link])
    return [links for links in found if len({int(way[link]) for link in links}) > 1]


def _choose(oneway: Ints, way: Ints, place: Ints, rank: Ints, links: list[int]) -> tuple[int, list[int]]:
    """The link that stays and those that go: all of other ways, but one of the opposite direction if it is one-way."""
    order = sorted(links, key=lambda link: (int(rank[way[link]]), link))
    kept = order[0]

    def direction(link: int) -> int:
        along = 1 if place[link] < place[link + 1] else -1
        return int(oneway[way[link]]) * along

    others = [link for link in order[1:] if way[link] != way[kept]]
    # The opposite direction of a one-way road is no repetition: without it the way back would be lost.
    if direction(kept):
        back = next((link for link in others if direction(link) != direction(kept)), None)
        others = [link for link in others if link != back]
    return kept, others


def _rank(ways: pd.DataFrame) -> Ints:
    """The order in which ways are preferred, 0 the best: in use, open to trucks, of the higher class, both ways."""
    classes = {name: at for at, name in enumerate(ROAD_CLASSES)}
    # The last key decides first here: use, then trucks, class and direction, and the order of the file where all are
    # alike.
    keys: Sequence[Any] = (
        np.arange(len(ways)),
        (ways["oneway"] != 0).to_numpy(),
        ways["class"].map(classes).fillna(len(classes)).to_numpy(),
        (ways["truck_access"] != "yes").to_numpy(),
        (ways["status"] != SectionStatus.OPEN).to_numpy(),
    )
    rank = np.empty(len(ways), dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(len(ways))
    return rank


def _renamed(node_ids: Ints, alias: dict[int, int]) -> Ints:
    """Ids with each dropped one replaced by the one that stays."""
    if not alias:
        return node_ids
    alias = {old: new for old, new in alias.items() if old != new}
    renamed = node_ids.copy()
    for at in np.flatnonzero(pd.Index(node_ids).isin(alias)).tolist():
        number = int(node_ids[at])
        # a name may lead to one that was replaced itself; none leads in a circle for longer than there are names
        for _ in range(len(alias)):
            if number not in alias:
                break
            number = alias[number]
        renamed[at] = number
    return renamed


@dataclass(frozen=True)
class OsmParts:
    """What one file gave, before its ways are drawn: plain columns, which another process hands over in no time.

    ``table`` has a row for each piece that is to be drawn; the rest is as in :class:`OsmData`.
    """

    table: pd.DataFrame
    pieces: Pieces
    places: gpd.GeoDataFrame
    source: Source
    remarks: tuple[Message, ...]
    rivers: gpd.GeoDataFrame

    def draw(self) -> OsmData:
        """The same with a line for each piece."""
        pieces = self.pieces
        xy = np.column_stack([pieces.x, pieces.y]) / 1e7
        # One call for all pieces: vertex i belongs to piece indices[i].
        lines = shapely.linestrings(xy, indices=np.repeat(np.arange(len(pieces.owner)), np.diff(pieces.offsets)))
        ways = gpd.GeoDataFrame(self.table, geometry=lines, crs=WGS84)
        return OsmData(ways, pieces.node_ids, pieces.offsets, self.places, self.source, self.remarks, self.rivers)


@dataclass(frozen=True)
class OsmData:
    """What one file gave.

    ``ways`` holds roads and railways together: mode, class, status, oneway (-1|0|1), bridge, tunnel, layer,
    truck_access, car_access (yes|local|no), the limits of ``TRUCK_OF_LIMIT`` (NaN where none is signed), gauges_mm
    (``1435;1520``), ref, name, geometry (EPSG:4326; :func:`corridor.geo.geodesy.line_lengths_m` measures it); a way
    that is both stands twice. ``node_ids`` are the ids of all their vertices, one after another, and
    ``offsets`` (n_ways + 1) says where each way's begin: ways that share an id meet there. ``remarks`` say what of the
    file couldn't be used or wasn't understood. ``places`` has name, kind, population, lon, lat, names (by language),
    geometry; ``rivers`` is as :func:`corridor.io.read.rivers.collect_rivers` gives it.
    """

    ways: gpd.GeoDataFrame
    node_ids: Ints
    offsets: Ints
    places: gpd.GeoDataFrame
    source: Source
    remarks: tuple[Message, ...] = ()
    rivers: gpd.GeoDataFrame = field(default_factory=no_rivers)

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """The roads alone."""
        return self.ways[self.ways["mode"] == Mode.ROAD]

    @property
    def rails(self) -> gpd.GeoDataFrame:
        """The railways alone, whatever their status."""
        return self.ways[self.ways["mode"] == Mode.RAIL]

    def without_ways(self) -> OsmData:
        """What a file gave beside roads and railways.

        Returns:
            The same with a table of no ways.
        """
        return replace(
            self, ways=self.ways.iloc[:0].copy(), node_ids=self.node_ids[:0].copy(), offsets=self.offsets[:1].copy()
        )


def read_osm(path: Path) -> OsmData:
    """Read roads, railways, named rivers and places of a PBF, XML or OPL file, and draw them.

    Takes and raises what :func:`read_parts` does.

    Args:
        path: ``.osm.pbf``, ``.osm``, ``.opl``, packed or not.
    """
    return read_parts(path).draw()


def read_parts(path: Path) -> OsmParts:
    """Read roads, railways, named rivers and places of a PBF, XML or OPL file, in whatever order it is.

    Memory: 16 bytes a node of the file while it is read, about 100 bytes a vertex of the roads and railways kept, and
    about 400 bytes a way. What can't be used is left out, and what isn't understood is counted, in ``remarks``: see
    :func:`corridor.io.read.osm.cut_pieces` and :class:`corridor.io.read.osm_tags.Doubt`.

    Args:
        path: ``.osm.pbf``, ``.osm``, ``.opl``, packed or not.

    Raises:
        SourceError: the file is missing, isn't OpenStreetMap data, is truncated, holds the history of objects, holds
            no usable road or railway, or more of them than a country has.
    """
    require_file(path, "OpenStreetMap file")
    try:
        scan = scan_blocks(path) if ".pbf" in path.suffixes else None
        if scan is None:
            # Before libosmium sees it: it trusts what a file says of its own size, and passes over remarks.
            refuse_dangerous(path)
            _refuse_broken_off(path)
            scan = scan_file(path)
    except TooLargeError as fault:
        raise SourceError(
            f"{path}: holds more than {MAX_WAYS // 1_000_000} million roads or {MAX_VERTICES // 1_000_000} million "
            "vertices; cut it to the study's area, for instance with osmium extract"
        ) from fault
    except (RuntimeError, OSError, ValueError, IndexError, MemoryError) as fault:
        if isinstance(fault, SourceError):
            raise
        reason = clean(str(fault).replace("\n", " ")) or "unreadable"
        if os.strerror(errno.EAGAIN) in reason:  # libosmium reads in threads of its own
            raise SourceError(
                f"{path}: can't be read, for no more threads may be started; raise the limit (ulimit -u, and ulimit -v "
                "for their stacks)"
            ) from fault
        if os.strerror(errno.ENOMEM) in reason or isinstance(fault, MemoryError):
            raise SourceError(
                f"{path}: can't be read, for there isn't enough memory; cut it to the study's area, or raise the limit"
            ) from fault
        raise SourceError(
            f"{path}: not readable as OpenStreetMap data ({reason}); {_remedy_of_reason(path, reason)}"
        ) from fault
    if not len(scan.ways):
        raise SourceError(f"{path}: holds no road and no railway; is it the right extract, and whole?")
    frame = scan.ways.frame()
    sizes, node_ids, x, y = scan.ways.vertices()
    pieces = cut_pieces(frame, sizes, node_ids, x, y, scan.barriers)
    if not len(pieces.owner):
        counted = "; ".join(f"{count:,} {what}" for count, what in pieces.remarks)
        raise SourceError(
            f"{path}: none of its {len(frame):,} roads and railways can be used ({counted}); "
            f"{_remedy_of_vertices(path, node_ids)}"
        )
    # Cutting may have left out ways and made several of one: the table follows, row by row.
    if len(pieces.owner) != len(frame) or (np.diff(pieces.owner) != 1).any():
        frame = frame.iloc[pieces.owner].reset_index(drop=True)
    return OsmParts(
        table=_restrict(frame, pieces, scan.barriers),
        pieces=pieces,
        places=scan.settlements.frame(),
        source=_source(path, scan.date or _date_in_name(path)),
        remarks=tuple(
            Message("map_data.counted", {"file": path.name, "number": _in_groups(count), "what": what})
            for count, what in [*pieces.remarks, *_remarks(scan, pieces.node_ids)]
        ),
        rivers=scan.waters.collect(),
    )


_TAIL_BYTES = 10_000
_REMARK = re.compile(rb"<remark>([^<]*error[^<]*)")


def _refuse_broken_off(path: Path) -> None:
    """An answer of an Overpass server that ran out of time or memory is sound XML, and says so at its end.

    Raises:
        SourceError: it is one.
    """
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        remark = _REMARK.search(stream.read())
    if remark:
        said = clean(" ".join(remark[1].decode(errors="replace").split()))
        raise SourceError(f"{path}: isn't whole, as it says itself ({said}); ask for a smaller area, or longer")


def read_border_controls(path: Path) -> list[tuple[float, float]]:
    """Longitude and latitude of the border controls that are mapped as points (``barrier=border_control``).

    Args:
        path: a file that :func:`read_osm` could read.
    """
    import osmium

    wanted = osmium.filter.TagFilter(("barrier", "border_control"))
    with osmium.io.Reader(str(path), osmium.osm.NODE) as reader:
        items: Any = osmium.OsmFileIterator(reader, wanted)
        return [(item.lon, item.lat) for item in items if item.location.valid() and not item.deleted]


def _in_groups(count: int) -> str:
    """A count with its digits in groups of three, set apart by thin spaces."""
    return f"{count:,}".replace(",", "\u202f")


def _remarks(scan: Scan, node_ids: Ints) -> list[tuple[int, str]]:
    """What of a file wasn't understood or isn't followed, counted."""
    strange = pd.Index(node_ids).isin(scan.strange_barriers)
    counts = [
        (scan.renewed, "ways stand in several versions; the newest of each is used"),
        *((scan.ways.doubts[doubt], doubt.value) for doubt in Doubt),
        (
            len(np.unique(node_ids[strange])),
            "barriers on roads with a kind, key or condition that isn't understood or followed; it stops nobody",
        ),
        (scan.restrictions, "turn restrictions; not followed"),
        (scan.settlements.drawn_twice, "settlements stand as a point and as an outline; the point counts"),
        (scan.settlements.not_numbers, "populations that aren't a number; taken as unknown"),
    ]
    return [(count, what) for count, what in counts if count]


def _source(path: Path, date: str) -> Source:
    """The file's Source; the date is the one in the file, for fetched files too."""
    known = known_source(path, "osm")
    if known is not None:
        return replace(known, date=date)
    return file_source(path, "osm", "OpenStreetMap extract", "OpenStreetMap contributors", date, "ODbL 1.0")


def _date_in_name(path: Path) -> str:
    """A date (YYYY-MM) in a file's name, or nothing."""
    found = re.search(r"(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?", path.name)
    return "-".join(part for part in found.groups() if part) if found else ""


def _remedy_of_vertices(path: Path, node_ids: NDArray[np.int64]) -> str:
    """What helps where no way has vertices."""
    if (node_ids < 0).any():
        return "save the edits, or renumber with osmium renumber"
    with path.open("rb") as stream:
        if ".pbf" in map(str.lower, path.suffixes):
            size, block = next(iterate_blocks(stream, whole=True))
            begin = b"".join(unpack(number, data, size) for number, data in iterate_fields(block, 100))
        else:
            begin = stream.read(READ_BYTES)
    if b"LocationsOnWays" in begin or _PLACE_ON_WAY.search(begin):
        return (
            "it holds coordinates on its ways and not as nodes: write it again with "
            "osmium add-locations-to-ways --keep-untagged-nodes"
        )
    return "use an extract with complete ways and positive ids"


_PLACE_ON_WAY = re.compile(rb"<nd\b[^<>]*\blat\s*=")
_REMEDIES = {
    "detect file format": "name it as what it is: .osm.pbf, .osm or .opl",
}
"""What helps where fetching the file again gives the same: by what libosmium says."""
_CONTENTS: tuple[tuple[bytes, tuple[str, ...], str], ...] = (
    (rb"....\x0a\x09OSMHeader", (".pbf",), "it is a PBF: name it .osm.pbf"),
    (rb"\x1f\x8b", (".gz",), "it is packed by gzip: unpack it, or name it .osm.gz if there is XML in it"),
    (rb"BZh", (".bz2",), "it is packed by bzip2: unpack it, or name it .osm.bz2 if there is XML in it"),
    (rb"PK\x03\x04", (), "it is a zip archive: unpack it"),
    (rb"\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd", (), "it is packed by xz, 7-Zip or zstd: unpack it"),
    (rb"(?:\xef\xbb\xbf)?\s*[{\[]", (), "it is JSON: ask for XML or PBF, which are read"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:gpx|kml)\b", (), "it is a line and no map: give it with --route"),
    (
        rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype )?html\b",
        (),
        "it is a web page, which says why: open it, and fetch the file again",
    ),
    (rb"\xff\xfe|\xfe\xff", (), "it is in UTF-16: write it in UTF-8"),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|osm)\b", (".osm", ".xml"), "it is XML: name it .osm"),
)
"""What helps where a file is another than its name says: how it begins, names that it may have then, and what to do."""


def _remedy_of_reason(path: Path, reason: str) -> str:
    """What helps where libosmium can't read a file, by what it says and by how the file begins."""
    with path.open("rb") as stream:
        begin = stream.read(100)
    for sign, names, words in _CONTENTS:
        if re.match(sign, begin, re.DOTALL | re.IGNORECASE) and not path.name.endswith(names):
            return words
    return next((words for sign, words in _REMEDIES.items() if sign in reason), "fetch the file again")
