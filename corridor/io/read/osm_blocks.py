"""Blocks of a PBF file: what they unpack to, whether that is harmless, and the nodes that they hold, in bulk.

libosmium gives each node to Python by itself. Where tens of millions are only to be held against a box, that takes many
times as long as to decode them here, a block at a time. Formats: https://wiki.openstreetmap.org/wiki/PBF_Format,
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from corridor.compiled import compiled
from corridor.errors import SourceError

Ints = NDArray[np.int64]

_BOMB_BYTES = 1_500_000_000
_BOMB_RATIO = 50
READ_BYTES = 1 << 20
MAX_BLOCK = 32 << 20
_OPL_NUL = re.compile(rb"%0+%")
_STRAY_NUL = re.compile(rb"(?<!\n)\0")
_RAW, _RAW_SIZE, _ZLIB, _LZ4 = 1, 2, 3, 6
_GROUP, _NODE, _DENSE = 2, 1, 2
_WAY_BEGINS = bytes([3 << 3 | 2])
_UNREAD_PACKINGS = {4: "lzma", 5: "bzip2", 7: "zstd"}


class _TooManyError(ValueError):
    """A block has more parts than any program writes."""


def refuse_dangerous(path: Path) -> None:
    """Refuse a file that unpacks to over 1.5 GB and 50 times its size, or has a NUL in a word.

    OpenStreetMap files shrink to a half (PBF) or a fifteenth (packed XML). Blocks of a PBF say what they unpack to,
    and libosmium unpacks no more than that; packed XML says nothing, so it is unpacked here, piece by piece. A NUL ends
    a word early in libosmium, which then reads beyond the end of the tags.

    Args:
        path: A file that is there and is to be read.

    Raises:
        SourceError: as said; what is merely broken is left to the reader, which names it more exactly.
    """
    limit = unpack_limit(path)
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
    try:
        with path.open("rb") as plain:
            if ".pbf" in map(str.lower, path.suffixes):
                if sum(size for size, _ in iterate_blocks(plain)) > limit:
                    raise _bomb(path, limit)
                plain.seek(0)
                for size, block in iterate_blocks(plain, whole=True):
                    _check_words(path, size, block)
                return
        with openers.get(path.suffix, open)(path, "rb") as stream:
            _check_text(path, stream, limit)
    except (EOFError, _TooManyError) as fault:
        reason = "it breaks off" if isinstance(fault, EOFError) else "a block of too many parts"
        raise SourceError(f"{path}: not readable as OpenStreetMap data ({reason}); fetch the file again") from fault
    except (OSError, ValueError, zlib.error) as fault:
        if isinstance(fault, SourceError):
            raise


def unpack_limit(path: Path) -> int:
    """The bytes that a file may unpack to."""
    # Small files may shrink a lot without harm, so the ratio counts only above a size.
    return max(_BOMB_BYTES, _BOMB_RATIO * path.stat().st_size)


def _bomb(path: Path, limit: int) -> SourceError:
    return SourceError(
        f"{path}: unpacks to more than {limit / 1e9:.1f} GB, {_BOMB_RATIO} times its size or more, as no map does; "
        "fetch the file again"
    )


def _nul(path: Path) -> SourceError:
    return SourceError(f"{path}: has a NUL character in a tag, as no map has; fetch the file again")


def _check_text(path: Path, stream: BinaryIO, limit: int) -> None:
    size, tail = 0, b""
    while piece := stream.read(READ_BYTES):
        size += len(piece)
        if size > limit:
            raise _bomb(path, limit)
        if ".opl" in path.suffixes and _OPL_NUL.search(tail + piece):
            raise _nul(path)
        # An escaped NUL may be cut by the end of a piece.
        tail = piece[-40:]


def _check_words(path: Path, size: int, block: bytes) -> None:
    """Look for a NUL in the table of words of a block."""
    for number, data in iterate_fields(block, 100):
        if number in _UNREAD_PACKINGS:
            raise SourceError(
                f"{path}: its blocks are packed by {_UNREAD_PACKINGS[number]}, which isn't read; pack them again: "
                "osmium cat -f pbf,pbf_compression=zlib"
            )
        unpacked = unpack(number, data, size)
        for table in (words for inner, words in iterate_fields(unpacked, 10_000) if inner == 1):
            # an empty word is written as a line feed and a NUL; the first word of each table is empty
            doubtful = _STRAY_NUL.search(table) or table.count(b"\n\0") > 1
            if doubtful and any(b"\0" in word for _, word in iterate_fields(table, 2_000_000)):
                raise _nul(path)


def unpack(number: int, data: bytes, size: int) -> bytes:
    """What a field of a block unpacks to; nothing for fields that hold no content."""
    if number == _ZLIB:
        return zlib.decompressobj().decompress(data, min(size, MAX_BLOCK) + 1)
    if number == _LZ4:
        return unpack_lz4(data, min(size, MAX_BLOCK))
    return data if number == _RAW else b""


def unpack_lz4(data: bytes, size: int) -> bytes:
    """The content of an LZ4 block (LZ4 block format 1.6), as far as it is whole.

    Args:
        data: the packed block.
        size: bytes that it may unpack to.
    """
    unpacked = np.zeros(size, dtype=np.uint8)
    return unpacked[: _lz4(np.frombuffer(data, dtype=np.uint8), unpacked)].tobytes()


@compiled
def _lz4(data, unpacked):  # type: ignore[no-untyped-def]
    """Unpack into an array and give the bytes written; a length or an offset that leaves the arrays ends it."""
    at, done = 0, 0
    while at < len(data):
        token = np.int64(data[at])
        at += 1
        # first bytes as they are, then bytes that stood there before: each length goes on after 15, byte by byte
        for shift in (4, 0):
            length = (token >> shift) & 15
            offset = np.int64(0)
            if shift == 0:
                if at + 2 > len(data):
                    return done
                offset = np.int64(data[at]) + 256 * np.int64(data[at + 1])
                at += 2
                if offset == 0 or offset > done:
                    return done
            more = length == 15
            while more:
                if at >= len(data):
                    return done
                length = length + np.int64(data[at])
                more = data[at] == 255
                at += 1
            if shift == 0:
                length += 4
            elif at + length > len(data):
                return done
            if done + length > len(unpacked):
                return done
            for _ in range(length):
                if shift == 0:
                    unpacked[done] = unpacked[done - offset]
                else:
                    unpacked[done] = data[at]
                    at += 1
                done += 1
            if at >= len(data):
                return done
    return done


def iterate_blocks(stream: BinaryIO, *, whole: bool = False) -> Iterator[tuple[int, bytes]]:
    """Unpacked size and content (or its start) of each block of a PBF, until one is broken.

    Raises:
        EOFError: the file ends inside the length of a block.
    """
    while word := stream.read(4):
        if len(word) < 4:
            raise EOFError
        # A PBF is: length of the header (4 bytes), header, block; the header's field 3 is the block's length.
        size = int.from_bytes(word, "big")
        if size > 1 << 16:
            return
        length = next((value for number, kind, value in _numbers(stream.read(size)) if (number, kind) == (3, 0)), None)
        if length is None or length > MAX_BLOCK:
            return
        block = stream.read(length if whole else min(length, 32))
        stream.seek(length - len(block), 1)
        yield next((value for number, kind, value in _numbers(block) if (number, kind) == (2, 0)), length), block


def _numbers(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Tag, wire type and number (or length) of the fields of a message, of those that begin in these bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        yield key >> 3, key & 7, value
        # Wire type 2 is bytes with a length before them; its content is passed over.
        at += value if key & 7 == 2 else 0


def iterate_fields(message: bytes, most: int) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of the fields of a message, until one that can't be; numbers are passed over.

    Raises:
        ValueError: there are more than ``most``.
    """
    at = count = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if key >> 3 == 0 or kind in {3, 4, 6, 7}:
            return
        count += 1
        if count > most:
            raise _TooManyError
        if kind in {1, 5}:
            at += 8 if kind == 1 else 4
            continue
        value, at = _varint(message, at)
        if kind == 2:
            yield key >> 3, message[at : at + value]
            at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        # Seven bits a byte, the least first; the top bit says that more follow.
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 0x80:
            break
    return value, at


# --- Nodes in bulk ---

_UNITS_PER_1E7 = 100
"""Coordinates are in nanodegrees; everything else here is in 1e-7 degrees."""


def iterate_nodes(path: Path) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Nodes of a PBF, block by block, in the file's order.

    Args:
        path: A file that libosmium can read.

    Yields:
        Ids, longitudes and latitudes in 1e-7 degrees, each ``(n,)``; blocks without nodes are left out.

    Raises:
        ValueError: a block isn't what the format says.
    """
    for block in _contents(path):
        yield from _nodes_of(block)


def find_ways(path: Path, nodes: Ints) -> Ints:
    """Ids of the ways of a PBF that have one of some nodes, in the file's order.

    Args:
        path: A file that libosmium can read.
        nodes: Ids, sorted.

    Raises:
        ValueError: a block isn't what the format says.
    """
    found = [np.zeros(0, dtype=np.int64)]
    for block in _contents(path):
        for number, group in iterate_fields(block, 10_000):
            # a group holds things of one kind
            if number == _GROUP and group[:1] == _WAY_BEGINS:
                packed = np.frombuffer(group, dtype=np.uint8)
                ids = np.zeros(len(packed) // 4 + 1, dtype=np.int64)
                found.append(ids[: _ways_with(packed, nodes, ids)])
    return np.concatenate(found)


def _contents(path: Path) -> Iterator[bytes]:
    """What each block of a PBF unpacks to."""
    with path.open("rb") as stream:
        for size, blob in iterate_blocks(stream, whole=True):
            for number, data in iterate_fields(blob, 100):
                if number in {_RAW, _ZLIB, _LZ4}:
                    yield unpack(number, data, size)


def _nodes_of(block: bytes) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Nodes of each group of a block (PrimitiveBlock)."""
    stated = {number: value for number, kind, value in _numbers(block) if kind == 0}
    # Fields 17, 19 and 20: nanodegrees to a step, and where latitudes and longitudes begin.
    step, south, west = stated.get(17, 100), _signed(stated.get(19, 0)), _signed(stated.get(20, 0))
    for number, group in iterate_fields(block, 10_000):
        if number != _GROUP or group[:1] == _WAY_BEGINS:
            continue
        for kind, content in iterate_fields(group, 2_000_000):
            if kind == _DENSE:
                columns = dict(iterate_fields(content, 100))
                ids, lat, lon = (sums(columns.get(field, b"")) for field in (1, 8, 9))
            elif kind == _NODE:
                values = {field: _unfold(value) for field, wire, value in _numbers(content) if wire == 0}
                ids, lat, lon = (np.array([values.get(field, 0)]) for field in (1, 8, 9))
            else:
                continue
            if not len(ids) == len(lat) == len(lon):
                raise ValueError("a block of nodes has not as many places as ids")
            yield ids, (west + step * lon) // _UNITS_PER_1E7, (south + step * lat) // _UNITS_PER_1E7


def _signed(value: int) -> int:
    """A number of 64 bits that was written as if it had no sign."""
    return value - (1 << 64) if value >> 63 else value


def _unfold(value: int) -> int:
    """A number of which the lowest bit is its sign (zigzag)."""
    return (value >> 1) ^ -(value & 1)


def sums(packed: bytes) -> Ints:
    """Numbers that are written as differences from the one before."""
    out = np.zeros(len(packed), dtype=np.int64)
    return np.cumsum(out[: _differences(np.frombuffer(packed, dtype=np.uint8), out)])


@compiled
def read_number(packed, at):  # type: ignore[no-untyped-def]  # noqa: ANN201 - compiled
    """A varint and the index behind it; one that goes on beyond the end ends there."""
    value = np.uint64(0)
    shift = np.uint64(0)
    while at < len(packed):
        byte = packed[at]
        at += 1
        value |= np.uint64(byte & 127) << shift
        if byte < 128:
            break
        # a number of more bits than there are is broken; what it gives doesn't matter
        shift = (shift + np.uint64(7)) & np.uint64(63)
    return np.int64(value), at


@compiled
def unfolded(value):  # type: ignore[no-untyped-def]  # noqa: ANN201 - compiled
    """The number of 64 bits that was written with its lowest bit for the sign (zigzag)."""
    return ((value >> 1) & np.int64(0x7FFFFFFFFFFFFFFF)) ^ -(value & 1)


@compiled
def _ways_with(group, nodes, out):  # type: ignore[no-untyped-def]
    """Write ids of the ways of a group that have one of the sorted nodes, and give how many there are."""
    count = 0
    at = np.int64(0)
    while at < len(group):
        key, at = read_number(group, at)
        size, at = read_number(group, at)
        end = min(at + size, len(group))
        if key != 26 or size < 0:  # not field 3, a way: what comes then can't be read
            return count
        number = np.int64(0)
        touches = False
        while at < end:
            key, at = read_number(group, at)
            kind = key & 7
            if kind == 0:
                value, at = read_number(group, at)
                number = value if key >> 3 == 1 else number
            elif kind == 2:
                size, at = read_number(group, at)
                last = min(at + size, end)
                if size < 0:
                    return count
                node = np.int64(0)
                while key >> 3 == 8 and not touches and at < last:
                    value, at = read_number(group, at)
                    node += unfolded(value)  # the difference from the node before
                    here = np.searchsorted(nodes, node)
                    touches = here < len(nodes) and nodes[here] == node
                at = last
            else:
                at += 8 if kind == 1 else 4
        at = end
        if touches and count < len(out):
            out[count] = number
            count += 1
    return count


@compiled
def _differences(packed, out):  # type: ignore[no-untyped-def]
    """Unpack varints with folded signs into an array and give how many there were; half a one at the end is none."""
    count = 0
    value = np.uint64(0)
    shift = np.uint64(0)
    for byte in packed:
        value |= np.uint64(byte & 127) << shift
        if byte < 128:
            out[count] = np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))
            count += 1
            value = np.uint64(0)
            shift = np.uint64(0)
        else:
            # a number of more bits than there are is broken; what it gives doesn't matter
            shift = (shift + np.uint64(7)) & np.uint64(63)
    return count
