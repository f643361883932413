"""How blocks of a PBF are packed: what is looked through, and what is said of the rest."""

from __future__ import annotations

import zlib

import numpy as np
import osmium
import pytest

from corridor.errors import SourceError
from corridor.io.read.osm import read_osm
from corridor.io.read.osm_blocks import find_ways, iterate_nodes, refuse_dangerous, unpack_lz4


def number(value: int) -> bytes:
    """A number of the format, seven bits a byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(key: int, content: bytes) -> bytes:
    return number(key << 3 | 2) + number(len(content)) + content


def pbf(packing: int, content: bytes, size: int) -> bytes:
    """A file of one block."""
    block = number(2 << 3) + number(size) + field(packing, content)
    header = field(1, b"OSMData") + number(3 << 3) + number(len(block))
    return len(header).to_bytes(4, "big") + header + block


def literals(content: bytes) -> bytes:
    """An LZ4 block of bytes as they are."""
    assert 15 <= len(content) < 270
    return bytes([0xF0, len(content) - 15]) + content


def test_lz4_blocks_of_known_content():
    assert unpack_lz4(b"\x50hello", 5) == b"hello"
    # "ab", then 10 bytes from 2 back, which overlap what they write; then "end"
    assert unpack_lz4(b"\x26ab\x02\x00" + b"\x30end", 100) == b"ab" * 6 + b"end"
    long = bytes(range(200))
    assert unpack_lz4(literals(long), 200) == long
    # 4 + 15 + 255 + 26 bytes of one
    assert unpack_lz4(b"\x1fa\x01\x00\xff\x1a", 400) == b"a" * 301


@pytest.mark.parametrize(
    "broken", [b"", b"\x50he", b"\xf0", b"\x10a\x00\x00", b"\x10a\x09\x00", b"\x1fa\x01", b"\x1fa\x01\x00\xff"]
)
def test_a_broken_lz4_block_gives_what_is_whole(broken):
    assert unpack_lz4(broken, 50) in {b"", b"a"}


def test_no_more_is_unpacked_than_the_block_says():
    assert len(unpack_lz4(b"\x1fa\x01\x00" + b"\xff" * 1000 + b"\x00", 64)) <= 64


@pytest.mark.parametrize(("packing", "pack"), [(1, bytes), (3, zlib.compress), (6, literals)])
def test_a_nul_in_a_word_is_found_however_the_block_is_packed(tmp_path, packing, pack):
    words = field(1, b"") + field(1, b"high\0way") + field(1, b"primary")
    content = field(1, words)
    path = tmp_path / "map.osm.pbf"
    path.write_bytes(pbf(packing, pack(content), len(content)))
    with pytest.raises(SourceError, match="has a NUL character in a tag"):
        refuse_dangerous(path)
    fine = content.replace(b"\0w", b"_w")
    path.write_bytes(pbf(packing, pack(fine), len(fine)))
    refuse_dangerous(path)


@pytest.mark.parametrize(("packing", "name"), [(4, "lzma"), (5, "bzip2"), (7, "zstd")])
def test_other_packings_are_named_with_what_helps(tmp_path, packing, name):
    path = tmp_path / "map.osm.pbf"
    path.write_bytes(pbf(packing, b"anything", 100))
    with pytest.raises(SourceError, match=f"packed by {name}, which isn't read; pack them again: osmium cat"):
        read_osm(path)


ROAD = """<osm version="0.6"><way id="{way}" version="1"><nd ref="{one}"{a}/><nd ref="{two}"{b}/>
<tag k="highway" v="primary"/></way></osm>"""


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("map", "n1 v1 x10 y45", "name it as what it is: .osm.pbf, .osm or .opl"),
        ("map.json", "{}", "ask for XML or PBF"),
        ("map.osm", ROAD.format(way=-1, one=-2, two=-3, a="", b=""), "renumber with osmium renumber"),
        (
            "map.osm",
            ROAD.format(way=1, one=2, two=3, a=' lat="40.0" lon="44.0"', b=' lat="40.1" lon="44.0"'),
            "add-locations-to-ways --keep-untagged-nodes",
        ),
        ("map.osm", ROAD.format(way=1, one=2, two=3, a="", b=""), "use an extract with complete ways"),
    ],
)
def test_what_a_new_copy_wouldn_t_mend_has_a_remedy_of_its_own(tmp_path, name, text, says):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=says) as fault:
        read_osm(path)
    assert "fetch the file again" not in str(fault.value)


def test_nodes_and_ways_in_bulk_are_those_that_libosmium_gives(tmp_path):
    """Dense nodes and plain ones, steps and beginnings of a block's own, ids that fall, ways with one node near."""
    rng = np.random.default_rng(3)
    path = tmp_path / "map.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for key in rng.permutation(20_000).tolist():
            place = (float(rng.uniform(-180, 180)), float(rng.uniform(-90, 90)))
            writer.add_node(osmium.osm.mutable.Node(id=(key + 1) << 20, location=place))
        for key in range(1, 400):
            nodes = ((rng.integers(0, 20_000, 5) + 1) << 20).tolist()
            writer.add_way(osmium.osm.mutable.Way(id=key << 9, nodes=nodes, tags={"highway": "track"}))
    items = osmium.FileProcessor(str(path), osmium.osm.NODE)
    said = [(item.id, item.location.x, item.location.y) for item in items]
    assert [row for block in iterate_nodes(path) for row in zip(*map(np.ndarray.tolist, block), strict=True)] == said
    wanted = np.sort(rng.choice(20_000, 1000, replace=False) + 1) << 20
    with_one = [
        way.id
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY)
        if np.isin([node.ref for node in way.nodes], wanted).any()
    ]
    assert 50 < len(with_one) < 350
    assert find_ways(path, wanted).tolist() == with_one
    # a plain node (field 1 of a group) at 2 steps of 1000 nanodegrees east of 5 E, 3 south of 1 N
    node = b"\x08\x0e" + b"\x40\x05" + b"\x48\x04"
    plain = b"\x12" + bytes([len(node) + 2]) + b"\x0a" + bytes([len(node)]) + node
    plain += b"\x88\x01\xe8\x07" + b"\x98\x01" + number(10**9) + b"\xa0\x01" + number(5 * 10**9)
    (tmp_path / "plain.osm.pbf").write_bytes(pbf(1, plain, len(plain)))
    ((ids, x, y),) = iterate_nodes(tmp_path / "plain.osm.pbf")
    assert (ids.tolist(), x.tolist(), y.tolist()) == ([7], [50_000_020], [9_999_970])
