"""One pass after another over an OpenStreetMap file: which version of each object counts, and what of it is kept.

Identity comes before filtering: of an object that stands more than once (histories, merged files, unsaved edits) the
newest version counts, and if that is deleted or no longer a road, there is no road.
"""

from __future__ import annotations

import bz2
import gzip
import re
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.io.read.osm_tags import PLACE_KINDS, WAY_KEYS, Barrier, Doubt, Meaning, read_barrier, read_way
from corridor.io.read.places import Settlements
from corridor.io.read.rivers import Waters
from corridor.ragged import spread
from corridor.schema.catalogue import TRUCK_OF_LIMIT
from corridor.schema.settings import LANGUAGES

MAX_WAYS, MAX_VERTICES = 10_000_000, 50_000_000
NOWHERE = 2_147_483_647
"""The coordinate that libosmium gives a vertex that the file doesn't hold."""
FARTHEST_X, FARTHEST_Y = 1_800_000_000, 900_000_000
"""The ends of the globe, in 1e-7 degrees."""
_KIND_COLUMNS = [
    *("mode", "class", "status", "oneway", "bridge", "tunnel", "layer", "truck_access", "car_access"),
    *TRUCK_OF_LIMIT,
    "gauges_mm",
]
_WORD_COLUMNS = ["ref", "name"]
WAY_COLUMNS = ["way_id", *_KIND_COLUMNS, *_WORD_COLUMNS]
NAME_KEYS = tuple((language, f"name:{language}") for language in LANGUAGES)
NAMING_KEYS = frozenset(("ref", "name", *(key for _, key in NAME_KEYS)))
"""Keys whose values are words to show: what a way is doesn't depend on them."""
_DELETED = re.compile(rb"<(node|way|relation)\b([^<>]*?\baction\s*=\s*[\"']delete[\"'][^<>]*)>")
_ID = re.compile(rb"\bid\s*=\s*[\"'](-?\d{1,19})[\"']")
_READ = 1 << 20
_BATCH = 20_000
_ESCAPED = re.compile("%([0-9a-fA-F]+)%")
_WKB_HEAD = 9
"""Bytes before the coordinates of a line: order of bytes, type, number of vertices."""
Ints = NDArray[np.int64]
Outline = tuple[dict[str, str], list[int]]
"""A settlement as a relation: its tags, and the ids of the ways around it."""


class TooLargeError(Exception):
    """The file holds more roads than fit in memory."""


def clean(text: str | None) -> str:
    """A name as plain text: control characters, which no name needs, are dropped.

    Args:
        text: As the file has it.
    """
    begin = (text or "")[:1000]
    return (begin if begin.isprintable() else "".join(c for c in begin if c.isprintable()))[:200]


def name_of(tags: Any) -> str:
    """The English name, else the local one.

    Args:
        tags: Of a way, a node or a relation.
    """
    return clean(tags.get("name:en") or tags.get("name"))


def names_of(tags: Any) -> dict[str, str]:
    """Names by language; the joiner that parts Persian words becomes a space.

    Args:
        tags: Of a way, a node or a relation.
    """
    return {language: clean(tags[key].replace("\u200c", " ")) for language, key in NAME_KEYS if key in tags}


@dataclass(frozen=True)
class WayBatch:
    """Ways on their way into a scan: ids, the numbers of what their tags say and of their names, sizes, each (n_ways,).

    ``node_ids``, ``x`` and ``y`` (1e-7 degrees; NOWHERE where a vertex isn't in the file) are those of all vertices,
    one way after another, (n_vertices,).
    """

    ids: Ints
    said: Ints
    called: Ints
    sizes: Ints
    node_ids: Ints
    x: Ints
    y: Ints


class WayTable:
    """Ways as they come from the file: arrays and one copy of what many ways say, not a row of objects for each.

    A way that is both a road and a railway stands twice, once as each.
    """

    def __init__(self) -> None:
        self.doubts: Counter[Doubt] = Counter()
        self._kinds: dict[tuple[Any, ...], int] = {}
        self._names: dict[tuple[str, str], int] = {}
        self._parts: list[WayBatch] = []

    def __len__(self) -> int:
        return sum(len(part.ids) for part in self._parts)

    def add(self, ways: WayBatch, said: Sequence[WaySaid], names: Sequence[Mapping[str, str]]) -> None:
        """Keep ways as what they are.

        Args:
            ways: of which those are kept that are a road or a railway.
            said: what the tags of ways say, by number.
            names: tags of NAMING_KEYS, by number.
        """
        for number, count in enumerate(np.bincount(ways.said, minlength=len(said)).tolist()):
            self.doubts.update(dict.fromkeys(said[number].doubts, count))
        kinds = [[self._kinds.setdefault(row, len(self._kinds)) for row in one.rows] for one in said]
        numbers = np.array([number for own in kinds for number in own], dtype=np.int64)
        several = np.array([len(own) for own in kinds], dtype=np.int64)
        at, times = spread(np.cumsum(several) - several, several, ways.said)
        # the way of each row: of a way that is no row none, of one that is two rows twice
        kind, rows = numbers[at], np.repeat(np.arange(len(times)), times)
        words = [(clean(tags.get("ref")), name_of(tags)) for tags in names]
        called = np.array([self._names.setdefault(own, len(self._names)) for own in words], dtype=np.int64)
        kept, vertices = ways.sizes, (ways.node_ids, ways.x, ways.y)
        if (times != 1).any():  # as a rule each is a road or a railway, and its vertices stay where they are
            places, kept = spread(np.cumsum(ways.sizes) - ways.sizes, ways.sizes, rows)
            vertices = ways.node_ids[places], ways.x[places], ways.y[places]
        part = WayBatch(ways.ids[rows], kind, called[ways.called[rows]], kept, *vertices)
        self._parts.append(part)
        if len(self) > MAX_WAYS or sum(len(part.x) for part in self._parts) > MAX_VERTICES:
            raise TooLargeError

    def frame(self) -> pd.DataFrame:
        """A row for each way, with the columns WAY_COLUMNS."""
        kinds = pd.DataFrame(list(self._kinds), columns=_KIND_COLUMNS).take(self._column("said"))
        names = pd.DataFrame(list(self._names), columns=_WORD_COLUMNS).take(self._column("called"))
        frame = pd.concat([kinds.reset_index(drop=True), names.reset_index(drop=True)], axis=1)
        frame.insert(0, "way_id", self._column("ids"))
        return frame

    def vertices(self) -> tuple[Ints, Ints, Ints, Ints]:
        """How many vertices each row has, and ids, longitudes and latitudes (1e-7 degrees) of all of them."""
        return self._column("sizes"), self._column("node_ids"), self._column("x"), self._column("y")

    def _column(self, name: str) -> Ints:
        first, *others = [getattr(part, name) for part in self._parts] or [np.zeros(0, dtype=np.int64)]
        return np.concatenate([first, *others]) if others else first

    def move(self, moved: Mapping[int, tuple[int, int]]) -> None:
        """Put vertices where they lie by the newest version of their node; libosmium's index keeps any of them.

        Args:
            moved: coordinates (1e-7 degrees) by id of the node.
        """
        for part in self._parts if moved else ():
            for at in np.flatnonzero(pd.Index(part.node_ids).isin(moved)).tolist():
                part.x[at], part.y[at] = moved[int(part.node_ids[at])]


@dataclass(frozen=True)
class WaySaid:
    """What the tags of a way say, its names apart.

    ``rows`` have WAY_COLUMNS without id, ref and name; there are none if it is no road and no railway.
    """

    tags: dict[str, str]
    rows: tuple[tuple[Any, ...], ...]
    doubts: frozenset[Doubt]

    @classmethod
    def of(cls, tags: dict[str, str], *, is_ring: bool) -> WaySaid:
        """Read the tags of a way.

        Args:
            tags: keys and values as the file has them.
            is_ring: whether the way ends where it begins.
        """
        reading = read_way(tags, is_ring=is_ring)
        return cls(tags, tuple(map(_row, reading.meanings)), reading.doubts)


def _row(meaning: Meaning) -> tuple[Any, ...]:
    access, limits = meaning.access, meaning.limits
    gauges = ";".join(f"{gauge:g}" for gauge in meaning.gauges_mm)
    # plain texts, not enumeration members: a column of one kind
    kind = (meaning.mode.value, meaning.road_class, meaning.status.value)
    shape = (meaning.oneway, meaning.bridge, meaning.tunnel, meaning.layer)
    use = (access.truck.value, access.car.value, *limits.all, gauges)
    return (*kind, *shape, *use)


@dataclass
class Scan:
    """What a file gave, before anything of it is drawn.

    ``barriers`` are those that don't let every truck and car pass, by the id of their node; ``strange_barriers`` are
    nodes with one of which not all is understood.
    ``renewed`` counts ways of which the file holds several versions; ``restrictions`` counts turn restrictions.
    ``date`` (ISO) is that of the file's state, '' where it states none.
    """

    ways: WayTable = field(default_factory=WayTable)
    waters: Waters = field(default_factory=Waters)
    settlements: Settlements = field(default_factory=Settlements)
    barriers: dict[int, Barrier] = field(default_factory=dict)
    strange_barriers: set[int] = field(default_factory=set)
    renewed: int = 0
    restrictions: int = 0
    date: str = ""

    def add_node(self, number: int, tags: Mapping[str, str], x: int, y: int) -> None:
        """Keep a node that is a settlement or a barrier.

        Args:
            number: its id.
            tags: keys and values.
            x: longitude in 1e-7 degrees.
            y: latitude.
        """
        # A barrier of which not all is understood is counted as a doubt, whomever the rest of it stops.
        if "barrier" in tags:
            barrier, known = read_barrier(tags)
            if not known:
                self.strange_barriers.add(number)
            if not barrier.lets_all_pass:
                self.barriers[number] = barrier
        if tags.get("place") in PLACE_KINDS and abs(x) <= FARTHEST_X and abs(y) <= FARTHEST_Y:
            self.settlements.add_point(tags, name_of(tags), names_of(tags), x / 1e7, y / 1e7)
            if len(self.settlements) > MAX_WAYS:
                raise TooLargeError

    def add_ways(self, ways: WayBatch, said: Sequence[WaySaid], names: Sequence[Mapping[str, str]]) -> None:
        """Keep ways that are roads, railways, rivers or the outline of a settlement.

        Args:
            ways: any.
            said: what the tags of ways say, by number.
            names: tags of NAMING_KEYS, by number.
        """
        self.ways.add(ways, said, names)
        is_river = [not one.rows and one.tags.get("waterway") == "river" for one in said]
        is_place = [one.tags.get("place") in PLACE_KINDS for one in said]
        ends = np.cumsum(ways.sizes)
        special = np.array(is_river, dtype=bool) | np.array(is_place, dtype=bool)
        for at in np.flatnonzero(special[ways.said]).tolist():
            number = int(ways.said[at])
            tags = {**said[number].tags, **names[int(ways.called[at])]}
            line = slice(int(ends[at] - ways.sizes[at]), int(ends[at]))
            points = list(zip((ways.x[line] / 1e7).tolist(), (ways.y[line] / 1e7).tolist(), strict=True))
            if is_place[number]:
                ring = [point for point, x in zip(points, ways.x[line].tolist(), strict=True) if x != NOWHERE]
                self.settlements.add_outline(tags, name_of(tags), names_of(tags), [ring])
            if is_river[number]:
                self.waters.add(name_of(tags), names_of(tags), points)

    def add_relation(self, tags: Mapping[str, str], outer: list[int]) -> list[Outline]:
        """Count a turn restriction, or give the outline of a settlement.

        Args:
            tags: keys and values.
            outer: ids of the ways that are its outer line.
        """
        if tags.get("type") == "restriction":
            self.restrictions += 1
        elif tags.get("place") in PLACE_KINDS and tags.get("type") in {"multipolygon", "boundary"}:
            return [(dict(tags), outer)]
        return []

    def add_outlines(self, outlines: Sequence[Outline], lines: Mapping[int, list[tuple[float, float]]]) -> None:
        """Keep settlements whose outline is several ways.

        Args:
            outlines: from :meth:`add_relation`.
            lines: vertices (lon, lat) of the ways that they name, by id, as far as the file has them.
        """
        for tags, members in outlines:
            rings = [lines[number] for number in members if number in lines]
            self.settlements.add_outline(tags, name_of(tags), names_of(tags), rings)


@dataclass(frozen=True)
class Newest:
    """Of objects that stand more than once or are deleted: which of those with one id counts, -1 for none.

    ``place`` is by id the number of the version that counts, in the file's order from 0; ``repeated`` is how many ids
    stand more than once; ``moved`` are the coordinates (1e-7 degrees) of nodes among them.
    """

    place: dict[int, int] = field(default_factory=dict)
    repeated: int = 0
    moved: dict[int, tuple[int, int]] = field(default_factory=dict)

    def chooser(self) -> Callable[[int], bool]:
        """A function that, asked for each object's id in the file's order, says whether this version counts."""
        if not self.place:
            return lambda _: True
        seen: Counter[int] = Counter()

        def counts(number: int) -> bool:
            if number not in self.place:
                return True
            seen[number] += 1
            return self.place[number] == seen[number] - 1

        return counts


def scan_file(path: Path) -> Scan:
    """Read a file: relations, then all nodes, then all ways; in an unsorted file a way may stand before its nodes.

    Args:
        path: PBF, XML or OPL, packed or not.

    Raises:
        SourceError: the file's header says that it holds the history of objects.
        TooLargeError: it holds more roads than a country has.
        RuntimeError: libosmium can't read it; and OSError, ValueError, MemoryError of the same kind.
    """
    import osmium

    try:
        return _scan_in_passes(path)
    except osmium.InvalidLocationError as fault:  # of no kind of its own
        raise ValueError(str(fault)) from fault


def _scan_in_passes(path: Path) -> Scan:
    import osmium

    # A file of changes holds what isn't there any more: its header alone tells.
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        header = reader.header()
        if header.has_multiple_object_versions:
            raise SourceError(f"{path}: holds changes or the history of objects; use an extract of one date")
        stamp = str(header.get("osmosis_replication_timestamp", ""))[:10]
    found = Scan(date=stamp if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stamp) else "")
    # Order matters: which versions count must be known before anything is kept, and where nodes lie before ways are
    # drawn.
    deleted = _deleted_in_text(path)
    as_text = ".pbf" not in path.suffixes
    nodes = _find_newest(path, osmium.osm.NODE, deleted["node"]) if as_text else Newest()
    ways = _find_newest(path, osmium.osm.WAY, deleted["way"])
    if ways.place and not as_text:
        # no program writes a PBF whose nodes alone stand twice; looking for them takes longer than reading the file
        nodes = _find_newest(path, osmium.osm.NODE, deleted["node"])
    found.renewed = ways.repeated
    outlines = _scan_relations(path, found)
    # packs without the room that a growing vector holds in reserve, where the system has it
    kind = "sparse_mmap_array" if "sparse_mmap_array" in osmium.index.map_types() else "flex_mem"
    # each in a name of its own: the iterator keeps none of them alive
    index = osmium.index.create_map(kind)
    locations = osmium.NodeLocationsForWays(index)
    locations.ignore_errors()
    _scan_nodes(path, found, locations, nodes)
    _scan_ways(path, found, locations, ways)
    if outlines:
        _scan_outlines(path, found, locations, ways, outlines)
    found.ways.move(nodes.moved)
    return found


def _scan_nodes(path: Path, found: Scan, locations: Any, newest: Newest) -> None:
    import osmium

    wanted = osmium.filter.KeyFilter("place", "barrier")
    counts = newest.chooser()
    with osmium.io.Reader(str(path), osmium.osm.NODE) as reader:
        # the newest version of a node may have lost the tag that the filter looks for
        filters = [locations] if newest.place else [locations, wanted]
        items: Any = osmium.OsmFileIterator(reader, *filters)
        for item in items:
            if not counts(item.id) or item.deleted:
                continue
            if newest.place and not ("place" in item.tags or "barrier" in item.tags):
                continue
            found.add_node(item.id, {tag.k: tag.v for tag in item.tags}, item.location.x, item.location.y)


def _scan_ways(path: Path, found: Scan, locations: Any, newest: Newest) -> None:
    import osmium

    wanted = osmium.filter.KeyFilter(*WAY_KEYS, "waterway", "place")
    counts = newest.chooser()
    with (
        tempfile.TemporaryDirectory(prefix="corridor-") as folder,
        osmium.io.Reader(str(path), osmium.osm.WAY) as reader,
    ):
        batch = _Batch(Path(folder) / "ways.opl", found)
        filters = [locations] if newest.place else [locations, wanted]
        items: Any = osmium.OsmFileIterator(reader, *filters)
        for item in items:
            if not counts(item.id) or item.deleted:
                continue
            batch.add(item)
        batch.flush()


class _Batch:
    """Ways on their way into a scan, some thousands at once.

    Asking libosmium for each tag and vertex takes many times as long as reading the file. It writes tags and ids of
    vertices as text just as fast (OPL: a line a way), and a way's coordinates in one go (WKB); columns come from these.
    """

    def __init__(self, path: Path, found: Scan) -> None:
        import osmium

        self._path, self._found = path, found
        self._writer: Any = None
        self._drawn: list[bytes] = []
        self._factory = osmium.geom.WKBFactory()

    def add(self, item: Any) -> None:
        """Take a way as osmium gives it, with the places of its nodes; it is not kept.

        Args:
            item: The way.
        """
        import osmium

        if self._writer is None:
            form = osmium.io.File(str(self._path), "opl,add_metadata=false")
            self._writer = osmium.SimpleWriter(form, overwrite=True)
        self._writer.add_way(item)
        try:
            drawn = bytes.fromhex(self._factory.create_linestring(item, use_nodes=osmium.geom.ALL))[_WKB_HEAD:]
        except (osmium.InvalidLocationError, RuntimeError):
            # it has a vertex that the file doesn't hold or that lies outside the world, or fewer than two
            drawn = array("d", (at / 1e7 for node in item.nodes for at in (node.x, node.y))).tobytes()
        self._drawn.append(drawn)
        if len(self._drawn) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Read what was taken into the scan."""
        if self._writer is None:
            return
        self._writer.close()
        self._writer = None
        # w5 Thighway=primary,ref=M2 Nn1,n2,n3
        ways = [line.split(" ") for line in self._path.read_text(encoding="utf-8").split("\n") if line]
        x, y = np.rint(np.frombuffer(b"".join(self._drawn)).reshape(-1, 2).T * 1e7).astype(np.int64)
        sizes = np.array([len(drawn) for drawn in self._drawn], dtype=np.int64) // 16
        self._drawn = []
        # All ids of a batch are parsed at once: number by number takes most of the time of reading a file.
        nodes = ",".join(way[2][1:] for way in ways if len(way[2]) > 1).replace("n", "")
        node_ids = np.fromstring(nodes, dtype=np.int64, sep=",")
        ends = np.cumsum(sizes)
        starts = ends - sizes
        long = np.flatnonzero(sizes > 3)
        # A way of at least four vertices that ends where it begins: fewer can't go round anything.
        rings = np.zeros(len(sizes), dtype=bool)
        rings[long] = node_ids[starts[long]] == node_ids[ends[long] - 1]
        # Most ways say the same as many others.
        known: dict[tuple[str, bool], int] = {}
        said = [known.setdefault((way[1], ring), len(known)) for way, ring in zip(ways, rings.tolist(), strict=True)]
        ids = np.array([int(way[0][1:]) for way in ways], dtype=np.int64)
        numbers = np.array(said, dtype=np.int64)
        tags = [_tags_of(text) for text, _ in known]
        readings = [WaySaid.of(own, is_ring=is_ring) for own, (_, is_ring) in zip(tags, known, strict=True)]
        self._found.add_ways(WayBatch(ids, numbers, numbers, sizes, node_ids, x, y), readings, tags)


def _tags_of(text: str) -> dict[str, str]:
    """The tags of a way as OPL writes them (``Thighway=primary,ref=M2``)."""
    pairs = (word.partition("=") for word in text[1:].split(",") if word)
    return {_unescape(key): _unescape(value) for key, _, value in pairs}


def _unescape(text: str) -> str:
    """A word of OPL as it is: signs that mean something there stand as their numbers (``%2c%``)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text


def _scan_relations(path: Path, found: Scan) -> list[Outline]:
    import osmium

    outlines: list[Outline] = []
    # in a name of its own: the iterator doesn't keep it alive
    wanted = osmium.filter.KeyFilter("place", "restriction")
    with osmium.io.Reader(str(path), osmium.osm.RELATION) as reader:
        items: Any = osmium.OsmFileIterator(reader, wanted)
        for item in items:
            outer = [m.ref for m in item.members if m.type == "w" and m.role in {"outer", ""}]
            outlines += found.add_relation({tag.k: tag.v for tag in item.tags}, outer)
    return outlines


def _scan_outlines(path: Path, found: Scan, locations: Any, newest: Newest, outlines: list[Outline]) -> None:
    import osmium

    # Only ways that an outline names are read once more, which are few.
    needed = ways_of_outlines(outlines)
    if not needed:
        return
    lines: dict[int, list[tuple[float, float]]] = {}
    counts, wanted = newest.chooser(), osmium.filter.IdFilter(needed)
    with osmium.io.Reader(str(path), osmium.osm.WAY) as reader:
        items: Any = osmium.OsmFileIterator(reader, locations, wanted)
        for item in items:
            if counts(item.id) and not item.deleted:
                lines[item.id] = [(n.x / 1e7, n.y / 1e7) for n in item.nodes if n.x != NOWHERE]
    found.add_outlines(outlines, lines)


def ways_of_outlines(outlines: Sequence[Outline]) -> list[int]:
    """Ids of the ways around settlements, sorted.

    Args:
        outlines: of the settlements.
    """
    return sorted({number for _, members in outlines for number in members})


def _find_newest(path: Path, entity: Any, deleted: set[int]) -> Newest:
    """Which version of each object counts: the highest number, of equal ones the last in the file."""
    import osmium

    ids, versions, gone = array("q"), array("q"), array("b")
    x, y = array("i"), array("i")
    is_node = entity == osmium.osm.NODE
    with osmium.io.Reader(str(path), entity) as reader:
        items: Any = osmium.OsmFileIterator(reader)
        for item in items:
            ids.append(item.id)
            versions.append(item.version)
            gone.append(item.deleted or item.id in deleted)
            if is_node:
                x.append(item.location.x)
                y.append(item.location.y)
    number, version = np.asarray(ids, dtype=np.int64), np.asarray(versions, dtype=np.int64)
    lost = np.asarray(gone, dtype=bool)
    # by id, then version, then place in the file: the last of each id counts
    order = np.lexsort((np.arange(len(number)), version, number))
    last = np.append(number[order][1:] != number[order][:-1], True) if len(order) else np.zeros(0, dtype=bool)
    winner = order[last]
    starts = np.append(0, np.flatnonzero(last)[:-1] + 1) if len(order) else np.zeros(0, dtype=np.int64)
    ends = np.flatnonzero(last) + 1
    # Most objects stand once and aren't deleted: only the others are remembered, so that memory stays small.
    several = ends - starts > 1
    special = np.flatnonzero(several | lost[winner])
    place, moved = {}, {}
    for at in special.tolist():
        best, one = int(winner[at]), int(number[winner[at]])
        # the versions of one id in the file's order
        same = np.sort(order[starts[at] : ends[at]])
        place[one] = -1 if lost[best] else int(np.flatnonzero(same == best)[0])
        if is_node:
            moved[one] = (NOWHERE, NOWHERE) if lost[best] else (x[best], y[best])
    return Newest(place, int(several.sum()), moved)


def _deleted_in_text(path: Path) -> dict[str, set[int]]:
    """Ids that an editor's file marks with ``action="delete"``, which libosmium doesn't know."""
    found: dict[str, set[int]] = {"node": set(), "way": set(), "relation": set()}
    if ".pbf" in path.suffixes or ".opl" in path.suffixes:
        return found
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
    tail = b""
    with openers.get(path.suffix, open)(path, "rb") as stream:
        while piece := stream.read(_READ):
            text = tail + piece
            if b"delete" in text:
                for kind, attributes in _DELETED.findall(text):
                    if number := _ID.search(attributes):
                        found[kind.decode()].add(int(number[1]))
            # an element may go on in the next piece
            tail = text[max(text.rfind(b"<"), len(text) - _READ) :] if b"<" in text[-_READ:] else b""
    return found
