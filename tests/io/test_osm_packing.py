"""How blocks of a PBF are packed: what is looked through, and what is said of the rest."""

from __future__ import annotations

import zlib

import pytest

from corridor.errors import SourceError
from corridor.io.read.osm import read_osm, refuse_dangerous, unpack_lz4


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
        ("map", "<osm/>", "name it as what it is: .osm.pbf, .osm or .opl"),
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
