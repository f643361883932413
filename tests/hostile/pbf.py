"""OpenStreetMap PBF written byte by byte, so that every length, order and number in it can be made to lie.

The format is described at https://wiki.openstreetmap.org/wiki/PBF_Format; node coordinates are in 1e-7 degrees here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

NodeRow = tuple[int, float, float]
WayRow = tuple[int, Sequence[int], dict[str, str]]


def varint(value: int) -> bytes:
    """An unsigned number of the protocol, seven bits a byte; negative ones as 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def zigzag(value: int) -> bytes:
    """A signed number of the protocol."""
    return varint((value << 1) ^ (value >> 63))


def field(number: int, content: bytes | int) -> bytes:
    """One field of a message: bytes with their length, or a number."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def deltas(values: Iterable[int]) -> bytes:
    """Numbers, each as the difference to the one before."""
    return b"".join(zigzag(b - a) for a, b in pairwise([0, *values]))


def blob(kind: str, content: bytes, *, raw_size: int | None = None, header_size: int | None = None,
         data_size: int | None = None, packed: bytes | None = None) -> bytes:  # fmt: skip
    """A block of the file: its header, then the content compressed.

    ``raw_size``, ``header_size`` and ``data_size`` are what the block says of itself in place of the truth, ``packed``
    what stands in place of the compressed content.
    """
    data = zlib.compress(content, 6) if packed is None else packed
    body = field(2, len(content) if raw_size is None else raw_size) + field(3, data)
    head = field(1, kind.encode()) + field(3, len(body) if data_size is None else data_size)
    return struct.pack(">I", len(head) if header_size is None else header_size) + head + body


def header(features: Sequence[str] = ("OsmSchema-V0.6", "DenseNodes")) -> bytes:
    """The first block."""
    return blob("OSMHeader", b"".join(field(4, name.encode()) for name in features))


def nodes_block(rows: Sequence[NodeRow]) -> bytes:
    """Content of a block of untagged nodes: id, longitude, latitude."""
    dense = field(1, deltas(i for i, _, _ in rows))
    dense += field(8, deltas(round(lat * 1e7) for _, _, lat in rows))
    dense += field(9, deltas(round(lon * 1e7) for _, lon, _ in rows))
    return field(1, field(1, b"")) + field(2, field(2, dense))


def ways_block(rows: Sequence[WayRow]) -> bytes:
    """Content of a block of ways: id, ids of their nodes, tags."""
    words = [""]
    group = b""
    for way_id, refs, tags in rows:
        keys, values = b"", b""
        for key, value in tags.items():
            keys += varint(len(words))
            values += varint(len(words) + 1)
            words += [key, value]
        group += field(3, field(1, way_id) + field(2, keys) + field(3, values) + field(8, deltas(refs)))
    table = b"".join(field(1, word.encode("utf-8", "surrogateescape")) for word in words)
    return field(1, table) + field(2, group)


def pbf(nodes: Sequence[NodeRow], ways: Sequence[WayRow]) -> bytes:
    """A sound file of three blocks."""
    return header() + blob("OSMData", nodes_block(nodes)) + blob("OSMData", ways_block(ways))
