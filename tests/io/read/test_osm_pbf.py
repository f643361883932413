"""A PBF is read by blocks; libosmium, which reads the same objects as text one at a time, is the oracle."""

import numpy as np
import osmium
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import SourceError
from corridor.io.read.osm import _may_be_repeated, read_osm
from corridor.io.read.osm_pbf import _find_near, _Nodes, scan_blocks
from corridor.io.read.osm_scan import NOWHERE

_TEXT = """n1 Tplace=town,name=Anfang,name:fa=%200c%,population=1%20%200
n2 Tbarrier=block
n3 Tbarrier=strange
n9 Tplace=hamlet,name=Mitte
w1 Thighway=primary,name=Straße,ref=M%20%2,surface=asphalt Nn{0},n1,n2,n3,n4
w2 Thighway=track,railway=abandoned,gauge=1520 Nn4,n5,n6
w3 Thighway=service,area=yes Nn6,n7,n8,n10,n6
w4 Twaterway=river,name=Fluss,name:ru=Река Nn10,n11,n12,n999
w5 Thighway=residential,oneway=-1 Nn12,n888,n13,n14
w6 Tbuilding=yes Nn14,n15,n16,n14
w7 Tplace=village,name=Dorf,population=many Nn20,n21,n22,n23,n20
w8 Tnatural=water Nn30,n31,n32
w9  Nn32,n33,n30
w10 Thighway=primary Nn1,n2
w11 Thighway=no\u0443 Nn1,n9
r1 Tplace=village,type=boundary,name=Weiler Mw8@outer,w9@,n30@admin_centre,w12@inner
r2 Ttype=restriction,restriction=no_left_turn Mw1@from,n4@via,w2@to
r3 Tplace=village,type=route,name=Nichts Mw8@outer
"""


def _write(path, *, first_node="40", more="", **options):
    """Objects as PBF: nodes 1 to 40 on a spiral, every one with a tag or none as in the text."""
    turn = np.arange(1, 41) * 0.7
    xy = np.column_stack([46 + 0.01 * turn * np.cos(turn), 39 + 0.01 * turn * np.sin(turn)])
    lines = (_TEXT + more).format(first_node).splitlines()
    said = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines if line[0] == "n"}
    nodes = [f"n{k + 1} {said.get(f'n{k + 1}', 'T')} x{lon:.7f} y{lat:.7f}" for k, (lon, lat) in enumerate(xy.tolist())]
    text = path.with_suffix(".opl")
    text.write_text("\n".join([*nodes, *(line for line in lines if line[0] != "n"), ""]), encoding="utf-8")
    form = osmium.io.File(str(path), ",".join(["pbf", *(f"{key}={value}" for key, value in options.items())]))
    with osmium.SimpleWriter(form) as writer:
        for item in osmium.FileProcessor(str(text)):
            writer.add(item)
    return path, text


def _assert_same(found, expected):
    for name in ("ways", "places", "rivers"):
        one, other = (getattr(data, name) for data in (found, expected))
        assert list(one.geometry.to_wkb()) == list(other.geometry.to_wkb())
        plain, known = (pd.DataFrame(table.drop(columns="geometry")) for table in (one, other))
        pd.testing.assert_frame_equal(plain, known)
    np.testing.assert_array_equal(found.node_ids, expected.node_ids)
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    told, known = ([(said.values["number"], said.values["what"]) for said in d.remarks] for d in (found, expected))
    assert told == known


@pytest.mark.parametrize("packing", ["zlib", "lz4", "none"])
def test_a_pbf_gives_what_libosmium_gives(tmp_path, packing):
    path, text = _write(tmp_path / "a.osm.pbf", pbf_compression=packing)
    assert scan_blocks(path) is not None
    found = read_osm(path)
    _assert_same(found, read_osm(text))
    # nothing that the file has was passed over by both
    assert set(found.ways["class"]) == {"primary", "track", "rail", "residential"}
    assert list(found.places["name"]) == ["Anfang", "Mitte", "Dorf", "Weiler"]


@pytest.mark.parametrize("options", [{"pbf_dense_nodes": "false"}, {"locations_on_ways": "true"}])
def test_what_is_out_of_the_ordinary_is_left_to_libosmium(tmp_path, options):
    path, text = _write(tmp_path / "a.osm.pbf", **options)
    assert scan_blocks(path) is None
    _assert_same(read_osm(path), read_osm(text))


def test_the_newest_version_of_a_way_counts_where_it_is_no_road_any_more(tmp_path):
    path, text = _write(
        tmp_path / "a.osm.pbf", more="w40 v1 Thighway=primary Nn1,n2\nw40 v2 Tbuilding=yes Nn1,n2,n3,n1\n"
    )
    assert scan_blocks(path) is None
    found = read_osm(path)
    _assert_same(found, read_osm(text))
    assert 40 not in set(found.ways["way_id"])


def test_a_name_that_is_no_text_is_an_error_in_one_line(tmp_path):
    path, _ = _write(tmp_path / "a.osm.pbf", pbf_compression="none")
    path.write_bytes(path.read_bytes().replace(b"Fluss", b"Flus\xd0"))
    with pytest.raises(SourceError, match="not readable as OpenStreetMap data"):
        read_osm(path)


@settings(max_examples=200)
@given(
    st.sets(st.integers(1, 3000), max_size=400),
    st.lists(st.integers(-5, 3010), min_size=1, max_size=60),
)
def test_vertices_are_found_from_wherever_the_search_begins(ids, wanted):
    known = np.array(sorted(ids), dtype=np.int64)
    at = np.column_stack([known * 2, known * 3]).astype(np.int32)
    x, y = _Nodes(known, at).places(np.array(wanted, dtype=np.int64))
    there = [number in ids for number in wanted]
    assert x.tolist() == [2 * number if here else NOWHERE for number, here in zip(wanted, there, strict=True)]
    assert y.tolist() == [3 * number if here else NOWHERE for number, here in zip(wanted, there, strict=True)]
    for begin in range(0, len(known) + 1, 7):
        assert [_find_near(known, begin, number) for number in wanted] == np.searchsorted(known, wanted).tolist()


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60))
def test_every_link_that_is_drawn_twice_is_among_those_that_may_be(vertices):
    place = np.array([vertex for vertex, _ in vertices], dtype=np.int64) << 40
    linked = np.array([link for _, link in vertices[1:]])
    pairs = [frozenset(pair) for pair in zip(place[:-1].tolist(), place[1:].tolist(), strict=True)]
    drawn = [pair for pair, link in zip(pairs, linked, strict=True) if link]
    found = _may_be_repeated(place, linked).tolist()
    assert {at for at, pair in enumerate(pairs) if linked[at] and drawn.count(pair) > 1} <= set(found)
    assert found == sorted(at for at in set(found) if linked[at])
