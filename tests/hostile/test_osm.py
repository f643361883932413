"""OpenStreetMap files that lie, break off or hold what no map holds: a result that is right, or one clear line."""

from __future__ import annotations

import bz2
import gzip
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from corridor.errors import SourceError
from corridor.geo.geodesy import distance_m, line_lengths_m
from corridor.io.read.osm import read_osm
from corridor.report.i18n import render
from tests.hostile.pbf import blob, field, header, nodes_block, pbf, varint, ways_block
from tests.synthetic.osm import WAYS as ROADS
from tests.synthetic.osm import write_osm

NODES = [(1, 10.1, 45.5), (2, 10.2, 45.5), (3, 10.3, 45.6), (4, 10.4, 45.5)]
ROAD = {"highway": "primary"}
WAYS = [(1, [1, 2, 3], ROAD), (2, [3, 4], ROAD)]
HEAD = header()
NODES_BLOCK, WAYS_BLOCK = blob("OSMData", nodes_block(NODES)), blob("OSMData", ways_block(WAYS))


def said(data):
    return tuple(map(render, data.remarks))


def km(*points: int) -> float:
    at = {number: (lon, lat) for number, lon, lat in NODES}
    return sum(float(distance_m(*at[a], *at[b])) for a, b in pairwise(points)) / 1000


def read(folder: Path, content: bytes, name: str = "a.osm.pbf"):
    (folder / name).write_bytes(content)
    return read_osm(folder / name)


@pytest.mark.parametrize(
    "content",
    [HEAD + NODES_BLOCK + WAYS_BLOCK, HEAD + WAYS_BLOCK + NODES_BLOCK,
     HEAD + blob("OSMData", nodes_block(NODES[::-1])) + WAYS_BLOCK,
     HEAD + blob("OSMData", nodes_block(NODES[2:])) + WAYS_BLOCK + blob("OSMData", nodes_block(NODES[:2]))],
    ids=["sorted", "ways first", "nodes backwards", "ways between"],
)  # fmt: skip
def test_the_order_of_a_file_changes_nothing(content, tmp_path):
    data = read(tmp_path, content)
    assert line_lengths_m(data.ways.geometry) / 1000 == pytest.approx([km(1, 2, 3), km(3, 4)])
    assert data.node_ids.tolist() == [1, 2, 3, 3, 4]
    assert data.offsets.tolist() == [0, 3, 5]
    assert data.remarks == ()


def test_no_road_is_drawn_over_missing_vertices(tmp_path):
    """Node 9 isn't in the file: what lies before and behind it is two pieces, and nothing joins them."""
    data = read(tmp_path, pbf(NODES, [(7, [1, 2, 9, 3, 4], ROAD), (8, [9, 1], ROAD)]))
    assert data.ways["way_id"].tolist() == [7, 7]
    assert line_lengths_m(data.ways.geometry) / 1000 == pytest.approx([km(1, 2), km(3, 4)])
    assert data.node_ids.tolist() == [1, 2, 3, 4]
    assert said(data) == ("a.osm.pbf: 2 ways lack vertices that the file doesn't hold; cut there",)


def test_of_ways_with_one_id_the_last_counts(tmp_path):
    """A road that stands twice isn't two roads: they would count as independent."""
    data = read(tmp_path, pbf(NODES, [(1, [1, 2], ROAD), (2, [2, 3], ROAD), (1, [3, 4], ROAD)]))
    assert data.ways["way_id"].tolist() == [2, 1]
    assert data.node_ids.tolist() == [2, 3, 3, 4]
    assert said(data) == ("a.osm.pbf: 1 ways stand in several versions; the newest of each is used",)


def test_what_has_no_length_or_leaps_is_left_out(tmp_path):
    nodes = [*NODES, (5, 30.0, 45.5), (6, 200.0, 45.5)]
    ways = [(1, [1], ROAD), (2, [], ROAD), (3, [1, 1, 1], ROAD), (4, [1, 2, 5], ROAD), (5, [3, 6], ROAD),
            (6, [2, 2, 3], ROAD)]  # fmt: skip
    data = read(tmp_path, pbf(nodes, ways))
    assert data.ways["way_id"].tolist() == [4, 6]
    assert line_lengths_m(data.ways.geometry) / 1000 == pytest.approx([km(1, 2), km(2, 3)])
    assert " ".join(map(render, data.remarks)).count("a.osm.pbf: ") == 4


def test_a_way_that_crosses_itself_keeps_all_its_length(tmp_path):
    data = read(tmp_path, pbf(NODES, [(1, [1, 2, 3, 4, 2, 1], ROAD)]))
    assert line_lengths_m(data.ways.geometry)[0] / 1000 == pytest.approx(km(1, 2, 3, 4, 2, 1))


BOMB = zlib.compress(bytes(31 << 20), 9)
_BAD_STRING = field(1, field(1, b"")) + field(2, field(3, field(1, 1) + field(2, varint(99)) + field(3, varint(99))))
CASES = {
    "half a length": HEAD[:2],
    "no header": NODES_BLOCK + WAYS_BLOCK,
    "header of 2 GB": struct.pack(">I", 2**31 - 1) + HEAD[4:],
    "header of 4 GB": b"\xff\xff\xff\xff" + HEAD[4:],
    "block of 2 GB": HEAD + blob("OSMData", b"x", data_size=2**31 - 1),
    "block of nothing": HEAD + blob("OSMData", b"x", data_size=0) + WAYS_BLOCK,
    "block of less than nothing": HEAD + blob("OSMData", b"x", data_size=-5),
    "bomb that says it is small": HEAD + blob("OSMData", b"", packed=BOMB, raw_size=100) + WAYS_BLOCK,
    "bomb that says what it is": HEAD + blob("OSMData", b"", packed=BOMB, raw_size=31 << 20) + WAYS_BLOCK,
    "more promised than there is": HEAD + blob("OSMData", nodes_block(NODES), raw_size=10**6) + WAYS_BLOCK,
    "not packed": HEAD + blob("OSMData", b"", packed=b"hello" * 9) + WAYS_BLOCK,
    "unknown feature": header(["OsmSchema-V0.6", "Quantum"]) + NODES_BLOCK + WAYS_BLOCK,
    "words that there are not": HEAD + NODES_BLOCK + blob("OSMData", _BAD_STRING),
    "tag of 10 MB": pbf(NODES, [(1, [1, 2], ROAD | {"name": "x" * 10_000_000})]),
    "tag that is no text": pbf(NODES, [(1, [1, 2], ROAD | {"name": "\udcff\udcfe"})]),
    "more behind the end": pbf(NODES, WAYS) + b"junk, and more of it",
}


@pytest.mark.parametrize("name", CASES)
def test_broken_blocks_are_refused(name, tmp_path):
    with pytest.raises(SourceError, match=r"a\.osm\.pbf: .*; fetch the file again$"):
        read(tmp_path, CASES[name])


def test_a_cut_at_any_byte_is_refused_or_leaves_whole_blocks(tmp_path):
    content = pbf(NODES, WAYS)
    whole = {len(HEAD), len(HEAD + NODES_BLOCK)}
    for end in range(1, len(content)):
        says = "holds no road and no railway" if end in whole else "not readable as OpenStreetMap data"
        with pytest.raises(SourceError, match=says):
            read(tmp_path, content[:end])


@pytest.mark.parametrize(
    "reason", ['Query timed out in "query" at line 3 after 26 seconds.', "Query run out of memory"]
)
def test_an_answer_that_broke_off_is_refused(reason, tmp_path):
    path = write_osm(tmp_path / "a.osm", ROADS)
    path.write_text(path.read_text().replace("</osm>", f"<remark> runtime error: {reason} </remark>\n</osm>"))
    with pytest.raises(SourceError, match=r"a\.osm: isn't whole, as it says itself \(runtime error: Query"):
        read_osm(path)


def test_histories_are_refused(tmp_path):
    content = header(["OsmSchema-V0.6", "DenseNodes", "HistoricalInformation"]) + NODES_BLOCK + WAYS_BLOCK
    with pytest.raises(SourceError, match="history of objects; use an extract of one date"):
        read(tmp_path, content)


@pytest.mark.parametrize("nodes", [[], [(-1, 10.1, 45.5), (-2, 10.2, 45.5)]], ids=["none", "negative ids"])
def test_roads_without_vertices_say_so(nodes, tmp_path):
    ways = [(5, [-1, -2], ROAD), (6, [1, 2], ROAD)]
    with pytest.raises(
        SourceError, match=r"used .1 ways lack vertices.*; 1 ways have vertices with ids below 0.*save the"
    ):
        read(tmp_path, pbf(nodes, ways))


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    """Sixty blocks that say they hold 31 MB each, in a file of two: nothing is unpacked to find out."""
    many = HEAD + blob("OSMData", b"", packed=BOMB, raw_size=31 << 20) * 60
    with pytest.raises(SourceError, match=r"unpacks to more than 1\.5 GB"):
        read(tmp_path, many)


def test_names_lose_what_no_name_needs(tmp_path):
    data = read(tmp_path, pbf(NODES, [(1, [1, 2], ROAD | {"name": "A\n\x1b[2J\u202eB" + "c" * 900})]))
    assert data.ways["name"].iloc[0] == ("A[2JB" + "c" * 900)[:200]


@pytest.mark.parametrize("word", ["\0", "na\0me", "name\n\0"])
def test_nul_in_a_tag_is_refused(word, tmp_path):
    """It would end a word early, and the reader's process with it."""
    for tags in ({word: "x"}, {"name": word}):
        with pytest.raises(SourceError, match=r"a\.osm\.pbf: has a NUL character in a tag"):
            read(tmp_path, pbf(NODES, [(1, [1, 2], ROAD | {"empty": ""} | tags)]))
    with pytest.raises(SourceError, match=r"a\.opl: has a NUL character in a tag"):
        read(tmp_path, b"n1 v1 x10 y45\nn2 x10.1 y45\nw1 Thighway=primary,na%00%me=x Nn1,n2\n", "a.opl")
    assert len(read(tmp_path, pbf(NODES, [(1, [1, 2], ROAD | {"empty": "", "more": ""})])).ways) == 1


@pytest.mark.parametrize(
    ("start", "says"),
    [("<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><osm version='0.6'>", "entities are not supported"),
     ("<osm version='0.6'><node id='1' lat='nan' lon='10'/>", "wrong format for coordinate"),
     ("<osm version='0.6'><node id='99999999999999999999' lat='1' lon='10'/>", "illegal id"),
     ("<osm version='0.6'>" + "<a>" * 100_000, "too deep"),
     ("<html>", "Unknown top-level element")],
)  # fmt: skip
def test_hostile_xml(start, says, tmp_path):
    with pytest.raises(SourceError, match=f"a.osm: not readable .*{says}"):
        read(tmp_path, f"<?xml version='1.0'?>{start}".encode(), "a.osm")


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [("a.osm", gzip.compress, "it is packed by gzip: unpack it, or name it .osm.gz"),
     ("a.osm", bz2.compress, "it is packed by bzip2: unpack it, or name it .osm.bz2"),
     ("a.osm", lambda xml: xml.decode().encode("utf-16"), "it is in UTF-16: write it in UTF-8"),
     ("a.osm", lambda _: pbf(NODES, [(1, [1, 2], ROAD)]), "it is a PBF: name it .osm.pbf"),
     ("a.osm.pbf", gzip.compress, "it is packed by gzip: unpack it"),
     ("a.osm.pbf", lambda xml: xml, "it is XML: name it .osm"),
     ("a.osm.pbf", lambda xml: b"\xef\xbb\xbf" + xml, "it is XML: name it .osm"),
     ("a.osm.pbf", lambda _: b"PK\x03\x04" + b"x" * 99, "it is a zip archive: unpack it"),
     ("noending", lambda _: pbf(NODES, [(1, [1, 2], ROAD)]), "it is a PBF: name it .osm.pbf"),
     ("a.osm", lambda _: b"\xfd7zXZ\x00" + b"x" * 99, "it is packed by xz, 7-Zip or zstd: unpack it"),
     ("a.osm", lambda _: b'{"version": 0.6, "elements": []}', "it is JSON: ask for XML or PBF"),
     ("a.json", lambda _: b'{"version": 0.6, "elements": []}', "it is JSON: ask for XML or PBF"),
     ("a.osm", lambda _: b"<?xml version='1.0'?>\n<gpx></gpx>", "it is a line and no map: give it with --route"),
     ("a.osm", lambda _: b"<!DOCTYPE html><html><body>Too many requests", "it is a web page, which says why"),
     ("noending", lambda _: b"what is this", "name it as what it is"),
     ("a.osm", lambda xml: xml[:-20], "fetch the file again")],
)  # fmt: skip
def test_files_that_are_others_than_their_names_say(name, spoil, says, tmp_path):
    """Fetched again they'd be the same."""
    xml = b"<?xml version='1.0' encoding='UTF-8'?><osm version='0.6'><node id='1' lat='45' lon='10'/></osm>"
    with pytest.raises(SourceError, match=rf"{name}: not readable .*; {says}"):
        read(tmp_path, spoil(xml), name)


def test_memory_grows_by_the_vertices_kept_not_by_the_file(tmp_path):
    """A million nodes of which twelve carry a road: sixteen bytes each while reading, next to nothing after."""
    import resource

    rows = [(i, 10 + i / 1e7, 45.5) for i in range(1, 8001)]
    blocks = b"".join(blob("OSMData", nodes_block([(8000 * k + i, x, y) for i, x, y in rows])) for k in range(25))
    content = HEAD + blocks + blob("OSMData", ways_block([(1, range(1, 13), ROAD)]))
    read(tmp_path, pbf(NODES, WAYS))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = read(tmp_path, content)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert data.offsets.tolist() == [0, 12]
    assert grown_mb < 60
