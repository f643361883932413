"""Ways, nodes and relations of a PBF as arrays, without an object of Python for each.

libosmium gives an object at a time, which takes many times as long as to decode the file. Here a block at a time is
unpacked, and Python sees only objects that have a tag which matters. Whatever is out of the ordinary (a broken block,
several versions of an object, nodes that aren't packed together) is left to libosmium, which says what is wrong. Who
changed an object, and when, isn't looked at: nothing here hangs on it.
Formats: https://wiki.openstreetmap.org/wiki/PBF_Format, https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled
from corridor.io.read.osm_blocks import MAX_BLOCK, read_number, sums, unfolded, unpack, unpack_limit
from corridor.io.read.osm_scan import (
    MAX_VERTICES,
    MAX_WAYS,
    NAMING_KEYS,
    NOWHERE,
    Outline,
    Scan,
    TooLargeError,
    WayBatch,
    WaySaid,
    ways_of_outlines,
)
from corridor.io.read.osm_tags import READ_KEYS, WAY_KEYS

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Bounds = tuple[int, int]

_VARINT, _BYTES = 0, 2
_BLOBS = {1: 1, 3: 3, 6: 6}
"""Fields of a blob that hold its content: as it is, packed by zlib, by LZ4."""
_FEATURES = frozenset((b"OsmSchema-V0.6", b"DenseNodes"))
_LONGEST_WORD = 1024
"""Bytes; libosmium takes no longer one for a tag."""
_TAKEN = (*WAY_KEYS, "waterway", "place")
_WANTED = READ_KEYS | {*_TAKEN, "population"}
_DENSE, _WAY, _RELATION = 2, 3, 4


class UnusualError(ValueError):
    """A file has what only libosmium is asked to read or to name the fault of."""


@dataclass
class _Found:
    """What of a file is kept, block by block.

    ``ways`` are ids, numbers in ``said`` and ``names``, and sizes; ``refs`` the ids of all their vertices. ``way_ids``
    are those of all ways of the file, whatever they are. ``nodes`` are ids (n,) and places (n, 2) in 1e-7 degrees.
    """

    scan: Scan
    ways: list[Ints] = field(default_factory=list)
    way_ids: list[Ints] = field(default_factory=list)
    refs: list[Ints] = field(default_factory=list)
    said: list[WaySaid] = field(default_factory=list)
    number_of: dict[tuple[tuple[tuple[str, str], ...], bool], int] = field(default_factory=dict)
    names: list[dict[str, str]] = field(default_factory=list)
    number_of_names: dict[tuple[str, ...], int] = field(default_factory=dict)
    nodes: list[tuple[Ints, NDArray[np.int32]]] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)


def scan_blocks(path: Path) -> Scan | None:
    """Read a PBF in one pass.

    Args:
        path: a PBF.

    Returns:
        The same as :func:`corridor.io.read.osm_scan.scan_file`; None where that has to read the file, because something
        is out of the ordinary.

    Raises:
        TooLargeError: it holds more roads than a country has.
        OSError: it can't be read.
    """
    found = _Found(Scan())
    try:
        with path.open("rb") as stream:
            found.scan.date = _read_header(next(_contents(stream, b"OSMHeader", MAX_BLOCK), b""))
            for content in _contents(stream, b"OSMData", unpack_limit(path)):
                _read_block(content, found)
        _finish(found, path)
    except (UnusualError, UnicodeDecodeError, zlib.error):
        return None
    return found.scan


# -- Messages ---------------------------------------------------------------------------------------------------------


def _fields(data: Bytes, start: int, end: int) -> Ints:
    """Number, kind and value of the fields of a message: a row each, (n, 4); bytes have their bounds, numbers twice.

    Raises:
        UnusualError: the message isn't whole.
    """
    # a field has two bytes at least
    found = np.empty(((end - start) // 2 + 1, 4), dtype=np.int64)
    count = _split(data, start, end, found)
    if count < 0:
        raise UnusualError
    return found[:count]


def _parts(data: Bytes, bounds: Bounds) -> dict[int, Bounds]:
    """Bounds of the fields of a message that are bytes, by number.

    Raises:
        UnusualError: one stands twice, or the message isn't whole.
    """
    rows = _fields(data, *bounds)
    rows = rows[rows[:, 1] == _BYTES]
    found = {number: (start, end) for number, _, start, end in rows.tolist()}
    if len(found) < len(rows):
        raise UnusualError
    return found


@compiled
def _split(data, start, end, found):  # type: ignore[no-untyped-def]
    """Write number, kind and bounds or value of each field of a message and give how many; -1 if it isn't whole."""
    at, count = np.int64(start), 0
    while at < end:
        key, at = read_number(data, at)
        kind = key & 7
        if key < 8 or kind not in {0, 1, 2, 5} or at >= end:
            return -1
        first = at
        if kind == 0:
            first, at = read_number(data, at)
            last = first
            whole = data[at - 1] < 128
        elif kind == 2:
            size, first = read_number(data, at)
            whole = data[first - 1] < 128 and 0 <= size <= end - first
            at = last = first + size
        else:
            at = last = at + (8 if kind == 1 else 4)
            whole = True
        if not whole or at > end or count >= len(found):
            return -1
        found[count, 0], found[count, 1], found[count, 2], found[count, 3] = key >> 3, kind, first, last
        count += 1
    return count


def _contents(stream: BinaryIO, kind: bytes, limit: int) -> Iterator[bytes]:
    """What each block of a file unpacks to; of the header, which is the first, that alone."""
    total = 0
    while word := stream.read(4):
        size = int.from_bytes(word, "big")
        head = stream.read(size) if len(word) == 4 and size <= 1 << 16 else b""
        data = np.frombuffer(head, dtype=np.uint8)
        stated = {number: (start, end) for number, _, start, end in _fields(data, 0, len(data)).tolist()}
        first, last = stated.get(1, (0, 0))
        length = stated.get(3, (-1, -1))[0]
        if head[first:last] != kind or not 0 <= length <= MAX_BLOCK:
            raise UnusualError
        blob = stream.read(length)
        content = _unpacked(blob, length)
        total += len(content)
        if total > limit:
            raise UnusualError
        yield content
        if kind == b"OSMHeader":
            return


def _unpacked(blob: bytes, length: int) -> bytes:
    data = np.frombuffer(blob, dtype=np.uint8)
    rows = _fields(data, 0, len(data)).tolist()
    packed = [(number, blob[start:end]) for number, kind, start, end in rows if kind == _BYTES]
    if len(blob) != length or len(packed) != 1 or packed[0][0] not in _BLOBS:
        raise UnusualError
    stated = next((value for number, kind, value, _ in rows if (number, kind) == (2, _VARINT)), len(packed[0][1]))
    content = unpack(*packed[0], stated)
    if len(content) != stated or stated > MAX_BLOCK:
        raise UnusualError
    return content


def _read_header(content: bytes) -> str:
    """The date of the file's state (ISO), '' where it states none.

    Raises:
        UnusualError: it isn't an ordinary file of one date.
    """
    data = np.frombuffer(content, dtype=np.uint8)
    rows = _fields(data, 0, len(data)).tolist()
    needed = {content[start:end] for number, kind, start, end in rows if (number, kind) == (4, _BYTES)}
    offered = {content[start:end] for number, kind, start, end in rows if (number, kind) == (5, _BYTES)}
    if not content or not needed <= _FEATURES or b"LocationsOnWays" in offered:
        raise UnusualError
    seconds = next((value for number, kind, value, _ in rows if (number, kind) == (32, _VARINT)), 0)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if 0 < seconds < 1 << 32 else ""


# -- Blocks -----------------------------------------------------------------------------------------------------------


def _read_block(content: bytes, found: _Found) -> None:
    data = np.frombuffer(content, dtype=np.uint8)
    rows = _fields(data, 0, len(data)).tolist()
    # Steps of other than 100 nanodegrees, or places that are counted from elsewhere than 0, are rare.
    stated = {number: value for number, kind, value, _ in rows if kind == _VARINT}
    tables = [(start, end) for number, _, start, end in rows if number == 1]
    if stated.get(17, 100) != 100 or stated.get(19, 0) or stated.get(20, 0) or len(tables) != 1:
        raise UnusualError
    words = _read_words(content, data, *tables[0])
    for number, _, start, end in rows:
        if number != 2:
            continue
        parts = _fields(data, start, end)
        kinds = set(parts[:, 0].tolist())
        if not kinds <= {_DENSE, _WAY, _RELATION} or (parts[:, 1] != _BYTES).any():
            raise UnusualError
        for one in parts[parts[:, 0] == _DENSE, 2:].tolist():
            _read_nodes(content, data, words, (one[0], one[1]), found)
        if _WAY in kinds:
            _read_ways(data, words, parts[parts[:, 0] == _WAY, 2:], found)
        if _RELATION in kinds:
            _read_relations(content, data, words, parts[parts[:, 0] == _RELATION, 2:], found)


def _read_words(content: bytes, data: Bytes, start: int, end: int) -> list[str]:
    """The words that tags of a block are made of."""
    rows = _fields(data, start, end)
    if not len(rows):
        return []
    if (rows[:, :2] != (1, _BYTES)).any() or (rows[:, 3] - rows[:, 2]).max() > _LONGEST_WORD:
        raise UnusualError
    # All at once: a word at a time takes longer than all the rest of a block.
    words = b"\0".join([content[first:last] for _, _, first, last in rows.tolist()]).decode().split("\0")
    if len(words) != len(rows):
        raise UnusualError
    return words


def _is_one_of(words: list[str], keys: frozenset[str] | tuple[str, ...]) -> Bools:
    """Which words are one of some keys, shape (n_words,)."""
    return np.fromiter(map(frozenset(keys).__contains__, words), dtype=bool, count=len(words))


def _read_nodes(content: bytes, data: Bytes, words: list[str], bounds: Bounds, found: _Found) -> None:
    """Places of nodes, settlements and barriers."""
    parts = _parts(data, bounds)

    def packed(number: int) -> bytes:
        start, end = parts.get(number, (0, 0))
        return content[start:end]

    ids, lat, lon = (sums(packed(number)) for number in (1, 8, 9))
    # in the part that tells of versions, which of them are there still
    shown = _parts(data, parts[5]).get(6, (0, 0)) if 5 in parts else (0, 0)
    if not len(ids) == len(lat) == len(lon) or b"\0" in content[shown[0] : shown[1]]:
        raise UnusualError
    places = np.column_stack([lon, lat])
    if len(places) and np.abs(places).max() >= NOWHERE:
        raise UnusualError
    found.nodes.append((ids, places.astype(np.int32)))
    wanted = _is_one_of(words, ("place", "barrier"))
    if not wanted.any() or 10 not in parts:
        return
    tags = np.empty(parts[10][1] - parts[10][0], dtype=np.int64)
    tagged = np.empty((len(ids), 3), dtype=np.int64)
    count = _dense_tags(data, *parts[10], wanted, tags, tagged)
    if count < 0:
        raise UnusualError
    for at, first, last in tagged[:count].tolist():
        said = _tags_of(words, tags[first:last:2], tags[first + 1 : last : 2])
        found.scan.add_node(int(ids[at]), said, int(lon[at]), int(lat[at]))


def _tags_of(words: list[str], keys: NDArray[np.signedinteger], values: NDArray[np.signedinteger]) -> dict[str, str]:
    return {words[key]: words[value] for key, value in zip(keys.tolist(), values.tolist(), strict=True)}


@compiled
def _dense_tags(data, start, end, wanted, tags, tagged):  # type: ignore[no-untyped-def]
    """Unpack keys and values, and write index and bounds of those of each node that has a wanted key; -1 if broken."""
    at, node, filled, count = np.int64(start), 0, 0, 0
    first, taken = 0, False
    while at < end:
        word, at = read_number(data, at)
        if at > end or word < 0 or word >= len(wanted) or node >= len(tagged):
            return -1
        # keys and values take turns; a nothing in the place of a key ends those of a node
        is_key = (filled - first) % 2 == 0
        if is_key and word == 0:
            if taken:
                tagged[count, 0], tagged[count, 1], tagged[count, 2] = node, first, filled
                count += 1
            node, first, taken = node + 1, filled, False
            continue
        taken = taken or (is_key and wanted[word])
        tags[filled] = word
        filled += 1
    return count if first == filled and node == len(tagged) else -1


def _read_ways(data: Bytes, words: list[str], bounds: Ints, found: _Found) -> None:
    """Roads, railways, rivers and outlines of settlements, with the ids of their vertices."""
    ways = _decode_ways(data, bounds, _Keys(*(_is_one_of(words, keys) for keys in (_TAKEN, _WANTED, NAMING_KEYS))))
    starts, ends = ways.refs_end - ways.sizes, ways.refs_end
    rings = ways.sizes > 3
    rings[rings] = ways.refs[starts[rings]] == ways.refs[ends[rings] - 1]
    raw, size = ways.tags.pairs.tobytes(), ways.tags.pairs.itemsize * 2
    said = np.empty(len(ways.ids), dtype=np.int64)
    # Most ways say the same as many others of the block: in its own numbers for words that is quickly seen.
    known: dict[tuple[bytes, bool], int] = {}
    begin = 0
    for at, (end, is_ring) in enumerate(zip(ways.tags.ends.tolist(), rings.tolist(), strict=True)):
        key = raw[begin * size : end * size], is_ring
        number = known.get(key)
        if number is None:
            row = ways.tags.pairs[begin:end]
            number = known[key] = _say(found, _tags_of(words, row[:, 0], row[:, 1]), is_ring=is_ring)
        said[at] = number
        begin = end
    called = _call(found, [words[word] for word in ways.names.pairs.ravel().tolist()], ways.names.ends)
    found.ways.append(np.column_stack([ways.ids, said, called, ways.sizes]))
    found.way_ids.append(ways.all_ids)
    found.refs.append(ways.refs)
    if sum(map(len, found.ways)) > MAX_WAYS or sum(map(len, found.refs)) > MAX_VERTICES:
        raise TooLargeError


def _call(found: _Found, words: list[str], ends: Ints) -> Ints:
    """The numbers of the names of ways: their keys and values in turn, and how many tags there are up to each way's."""
    called = np.empty(len(ends), dtype=np.int64)
    begin = 0
    for at, end in enumerate((2 * ends).tolist()):
        own = tuple(words[begin:end])
        number = found.number_of_names.get(own)
        if number is None:
            number = found.number_of_names[own] = len(found.names)
            found.names.append(dict(zip(own[::2], own[1::2], strict=True)))
        called[at] = number
        begin = end
    return called


class _Keys(NamedTuple):
    """Which words of a block are keys: of ways that are taken, of what they are and of what they are called."""

    taken: Bools
    wanted: Bools
    naming: Bools


class _Tags(NamedTuple):
    """Keys and values as numbers of words, (n_tags, 2), and how many there are up to each way's last one, (n,)."""

    pairs: NDArray[np.int32]
    ends: Ints


@dataclass(frozen=True)
class _Decoded:
    """Ways of a block: ids and sizes (n,), what they are and are called, and where the vertices of each end.

    ``all_ids`` are those of the ways that weren't wanted, too. ``refs`` (n_vertices,) are ids of nodes.
    """

    ids: Ints
    all_ids: Ints
    sizes: Ints
    tags: _Tags
    names: _Tags
    refs_end: Ints
    refs: Ints


def _decode_ways(data: Bytes, bounds: Ints, keys: _Keys, listed: Ints | None = None) -> _Decoded:
    """Ways of a block that have a taken key or a listed id, with the tags of wanted and naming keys."""
    heads = np.empty((len(bounds), 7), dtype=np.int64)
    if not _heads(data, bounds, 8, heads):
        raise UnusualError
    # a tag has two bytes at least, a vertex one
    tags, names = np.empty((2, int((heads[:, 2] - heads[:, 1]).sum()), 2), dtype=np.int32)
    refs = np.empty(int((heads[:, 6] - heads[:, 5]).sum()), dtype=np.int64)
    ends = np.empty((len(heads), 4), dtype=np.int64)
    ids = np.zeros(0, dtype=np.int64) if listed is None else listed
    count = _tags_and_refs(data, heads, *keys, ids, tags, names, refs, ends)
    if count < 0:
        raise UnusualError
    which, tags_end, names_end, refs_end = ends[:count].T
    sizes = np.diff(refs_end, prepend=0)
    n_tags, n_names, n_refs = (int(each[-1]) if count else 0 for each in (tags_end, names_end, refs_end))
    said, called = _Tags(tags[:n_tags], tags_end), _Tags(names[:n_names], names_end)
    # what is kept lets go of the room for all that isn't
    return _Decoded(heads[which, 0], heads[:, 0].copy(), sizes, said, called, refs_end, refs[:n_refs].copy())


def _say(found: _Found, tags: Mapping[str, str], *, is_ring: bool) -> int:
    """The number of what tags say."""
    key = tuple(tags.items()), is_ring
    if key not in found.number_of:
        found.number_of[key] = len(found.said)
        found.said.append(WaySaid.of(dict(tags), is_ring=is_ring))
    return found.number_of[key]


@compiled
def _heads(data, bounds, third, heads):  # type: ignore[no-untyped-def]
    """Write the id of each way or relation and the bounds of keys, values and one more field; whether all are whole."""
    fields = np.empty((64, 4), np.int64)
    for i in range(len(bounds)):
        count = _split(data, bounds[i, 0], bounds[i, 1], fields)
        if count < 0:
            return False
        heads[i] = 0
        for k in range(count):
            number, kind, first, last = fields[k]
            if number == 1 and kind == 0:
                heads[i, 0] = first
            elif number in {2, 3, third}:
                column = 1 if number == 2 else 3 if number == 3 else 5
                if kind != 2 or heads[i, column + 1]:
                    return False
                heads[i, column], heads[i, column + 1] = first, last
            elif number == 4 and _is_hidden(data, first, last):
                return False
    return True


@compiled
def _is_hidden(data, start, end):  # type: ignore[no-untyped-def]
    """Whether what tells of an object's version says that it is deleted, or can't be read."""
    fields = np.empty((64, 4), np.int64)
    count = _split(data, start, end, fields)
    for k in range(count):
        if fields[k, 0] == 6 and fields[k, 2] == 0:
            return True
    return count < 0


@compiled
def _tags_and_refs(  # type: ignore[no-untyped-def]
    data, heads, taken, wanted, naming, listed, tags, names, refs, ends
):
    """Write tags, names and vertices of ways that are taken by a key or their id; give how many, -1 if one is broken.

    Rows of ``ends`` are the way's place among the heads, and how many tags, names and vertices there are up to its own.
    """
    count, n_tags, n_names, vertices = 0, 0, 0, 0
    for i in range(len(heads)):
        key_at, keys_end, value_at, values_end = heads[i, 1], heads[i, 2], heads[i, 3], heads[i, 4]
        here = np.searchsorted(listed, heads[i, 0])
        tags_before, names_before = n_tags, n_names
        is_taken = here < len(listed) and listed[here] == heads[i, 0]
        while key_at < keys_end and value_at < values_end:
            key, key_at = read_number(data, key_at)
            value, value_at = read_number(data, value_at)
            if not (0 <= key < len(wanted) and 0 <= value < len(wanted)):
                return -1
            is_taken = is_taken or taken[key]
            if naming[key]:
                names[n_names, 0], names[n_names, 1] = key, value
                n_names += 1
            elif wanted[key]:
                tags[n_tags, 0], tags[n_tags, 1] = key, value
                n_tags += 1
        # as many values as keys, and none that goes on in what follows
        if key_at != keys_end or value_at != values_end:
            return -1
        if not is_taken:
            n_tags, n_names = tags_before, names_before
            continue
        at, stop = heads[i, 5], heads[i, 6]
        node = np.int64(0)
        while at < stop:
            value, at = read_number(data, at)
            node += unfolded(value)  # the difference from the node before
            refs[vertices] = node
            vertices += 1
        if at != stop:
            return -1
        ends[count, 0], ends[count, 1], ends[count, 2], ends[count, 3] = i, n_tags, n_names, vertices
        count += 1
    return count


def _read_relations(content: bytes, data: Bytes, words: list[str], bounds: Ints, found: _Found) -> None:
    """Turn restrictions, and settlements whose outline is several ways."""
    wanted = _is_one_of(words, ("place", "restriction"))
    heads = np.empty((len(bounds), 7), dtype=np.int64)
    if not _heads(data, bounds, 9, heads):
        raise UnusualError
    for i, head in enumerate(heads.tolist()):
        keys, values = (_unsigned(data, *head[at : at + 2]) for at in (1, 3))
        if len(keys) != len(values) or max(keys.max(initial=-1), values.max(initial=-1)) >= len(words):
            raise UnusualError
        if wanted[keys].any():
            parts = _parts(data, (int(bounds[i, 0]), int(bounds[i, 1])))
            roles, kinds = (_unsigned(data, *parts.get(number, (0, 0))) for number in (8, 10))
            members = sums(content[head[5] : head[6]])
            if not len(roles) == len(kinds) == len(members) or roles.max(initial=-1) >= len(words):
                raise UnusualError
            outer = [
                member
                for member, role, kind in zip(members.tolist(), roles.tolist(), kinds.tolist(), strict=True)
                if kind == 1 and words[role] in {"outer", ""}
            ]
            found.outlines += found.scan.add_relation(_tags_of(words, keys, values), outer)


def _unsigned(data: Bytes, start: int, end: int) -> Ints:
    """Numbers that are written one after another."""
    found = np.empty(end - start, dtype=np.int64)
    count = _numbers(data, start, end, found)
    if count < 0:
        raise UnusualError
    return found[:count]


@compiled
def _numbers(data, start, end, found):  # type: ignore[no-untyped-def]
    """Write numbers of 32 bits one after another and give how many there are; -1 if the last one isn't whole."""
    at, count = np.int64(start), 0
    while at < end:
        found[count], at = read_number(data, at)
        if not 0 <= found[count] < 1 << 32:
            return -1
        count += 1
    return count if at == end else -1


# -- All blocks together ----------------------------------------------------------------------------------------------


def _finish(found: _Found, path: Path) -> None:
    """Put nodes to ways, and ways into the scan."""
    ways = np.concatenate([np.zeros((0, 4), dtype=np.int64), *found.ways])
    # Of several versions libosmium finds out which one counts: it may be one that isn't a road any more.
    all_ids = np.concatenate([np.zeros(0, dtype=np.int64), *found.way_ids])
    all_ids.sort()
    if (all_ids[1:] == all_ids[:-1]).any():
        raise UnusualError
    nodes = _Nodes.of(found.nodes)
    found.nodes.clear()
    refs = np.concatenate([np.zeros(0, dtype=np.int64), *found.refs])
    found.refs.clear()
    x, y = nodes.places(refs)
    ids, said, called, sizes = ways.T
    found.scan.add_ways(WayBatch(ids, said, called, sizes, refs, x, y), found.said, found.names)
    if needed := ways_of_outlines(found.outlines):
        found.scan.add_outlines(found.outlines, _read_lines(path, nodes, np.array(needed, dtype=np.int64)))


def _read_lines(path: Path, nodes: _Nodes, listed: Ints) -> dict[int, list[tuple[float, float]]]:
    """Vertices (lon, lat) of ways by id, whatever their tags, as far as the file has them."""
    lines: dict[int, list[tuple[float, float]]] = {}
    with path.open("rb") as stream:
        next(_contents(stream, b"OSMHeader", MAX_BLOCK))
        for content in _contents(stream, b"OSMData", unpack_limit(path)):
            data = np.frombuffer(content, dtype=np.uint8)
            rows = _fields(data, 0, len(data)).tolist()
            n_words = sum(len(_fields(data, start, end)) for number, _, start, end in rows if number == 1)
            nothing = np.zeros(n_words, dtype=bool)
            for start, end in ((start, end) for number, _, start, end in rows if number == 2):
                parts = _fields(data, start, end)
                ways = _decode_ways(data, parts[parts[:, 0] == _WAY, 2:], _Keys(nothing, nothing, nothing), listed)
                x, y = nodes.places(ways.refs)
                for way, last, size in zip(ways.ids.tolist(), ways.refs_end.tolist(), ways.sizes.tolist(), strict=True):
                    here = np.arange(last - size, last)
                    here = here[x[here] != NOWHERE]
                    lines[way] = list(zip((x[here] / 1e7).tolist(), (y[here] / 1e7).tolist(), strict=True))
    return lines


@dataclass(frozen=True)
class _Nodes:
    """Ids of nodes, sorted, and where they lie in 1e-7 degrees, (n, 2)."""

    ids: Ints
    at: NDArray[np.int32]

    @classmethod
    def of(cls, parts: list[tuple[Ints, NDArray[np.int32]]]) -> _Nodes:
        ids = np.concatenate([np.zeros(0, dtype=np.int64), *(ids for ids, _ in parts)])
        at = np.concatenate([np.zeros((0, 2), dtype=np.int32), *(at for _, at in parts)])
        if not (ids[1:] > ids[:-1]).all():
            order = np.argsort(ids, kind="stable")
            ids, at = ids[order], at[order]
            if (ids[1:] == ids[:-1]).any():
                raise UnusualError
        return cls(ids, at)

    def places(self, wanted: Ints) -> tuple[Ints, Ints]:
        """Longitudes and latitudes of nodes by id; NOWHERE of those that aren't there, and of ids below 0."""
        x, y = np.empty((2, len(wanted)), dtype=np.int64)
        _find_places(self.ids, self.at, wanted, x, y)
        return x, y


@compiled
def _find_places(ids, at, wanted, x, y):  # type: ignore[no-untyped-def]
    """Write the places of those wanted, NOWHERE of those that there are none of."""
    here = 0
    for i in range(len(wanted)):
        here = _find_near(ids, here, wanted[i])
        if here < len(ids) and ids[here] == wanted[i] and wanted[i] >= 0:
            x[i], y[i] = at[here, 0], at[here, 1]
        else:
            x[i], y[i] = NOWHERE, NOWHERE


@compiled
def _find_near(ids, near, wanted):  # type: ignore[no-untyped-def]
    """Place of the first id that isn't below the one wanted, as of searchsorted, looked for from another place on.

    Nodes of a way mostly were mapped together, so that their ids lie near each other: half of them within 64 places.
    """
    low, high = 0, len(ids)
    step = 32
    if near < len(ids) and ids[near] < wanted:
        low = near + 1
        while low + step < high:
            if ids[low + step] >= wanted:
                high = low + step
                break
            low += step + 1
            step *= 4
    else:
        high = near
        while high - step >= 0:
            if ids[high - step] < wanted:
                low = high - step + 1
                break
            high -= step
            step *= 4
    while low < high:
        middle = (low + high) >> 1
        if ids[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
