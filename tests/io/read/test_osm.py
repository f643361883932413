"""Reading OpenStreetMap: what is kept, how it is classed, and broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from corridor.errors import SourceError
from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.osm import read_osm

HEAD = '<?xml version="1.0"?><osm version="0.6" generator="test">'
NODES = "".join(f'<node id="{i}" version="1" lat="{45 + i / 1000}" lon="10.0"/>' for i in range(1, 9))


def way(number, nodes, **tags):
    refs = "".join(f'<nd ref="{n}"/>' for n in nodes)
    tag = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
    return f'<way id="{number}" version="1">{refs}{tag}</way>'


def write(path: Path, *ways: str, extra: str = "") -> Path:
    path.write_text(HEAD + NODES + extra + "".join(ways) + "</osm>", encoding="utf-8")
    return path


def test_classes_statuses_and_flags(tmp_path):
    file = write(
        tmp_path / "a.osm",
        way(1, [1, 2, 3], highway="primary", ref="Մ-2", name="A &lt;b&gt;", bridge="yes"),
        way(2, [3, 4], highway="construction", construction="trunk"),
        way(3, [4, 5], railway="disused", tunnel="yes"),
        way(4, [5, 6], highway="motorway"),
        way(5, [5, 6], highway="secondary", oneway="-1"),
        way(6, [6, 7], highway="footway"),
        way(7, [6, 7], railway="tram"),
        way(8, [7], highway="primary"),
        way(9, [6, 7, 999, 8], highway="track", bridge="no"),
        extra='<node id="20" version="1" lat="45.1" lon="10.1"><tag k="place" v="village"/>'
        '<tag k="name" v="V"/><tag k="population" v="12"/></node>',
    )
    data = read_osm(file)
    table = data.ways.set_index("way_id")
    assert sorted(table.index) == [1, 2, 3, 4, 5, 9]
    assert table.loc[1, ["mode", "class", "status", "oneway", "bridge", "tunnel", "ref", "name"]].tolist() == [
        "road", "primary", "open", 0, True, False, "Մ-2", "A <b>",
    ]  # fmt: skip
    assert table.loc[2, ["class", "status"]].tolist() == ["trunk", "construction"]
    assert table.loc[3, ["mode", "status", "tunnel"]].tolist() == ["rail", "disused", True]
    assert table["oneway"].loc[[4, 5]].tolist() == [1, -1]
    assert not table.loc[9, "bridge"]
    assert len(table.loc[9, "geometry"].coords) == 2
    assert line_lengths_m(table.loc[1, "geometry"])[0] == pytest.approx(222.3, abs=0.2)
    assert len(data.node_ids) == data.offsets[-1]
    assert data.places.loc[0, ["name", "kind", "population"]].tolist() == ["V", "village", 12]
    assert (len(data.roads), len(data.rails)) == (5, 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("text.osm.pbf", b"this is no protocol buffer at all, only words " * 20, "not readable as OpenStreetMap data"),
        ("empty.osm.pbf", b"", "is empty"),
        ("cut.osm", HEAD.encode() + b"<node id='1' lat='4", "not readable as OpenStreetMap data"),
        ("nothing.osm", HEAD.encode() + b"</osm>", "holds no road and no railway"),
    ],
)
def test_broken_files_get_one_clear_line(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        read_osm(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        read_osm(tmp_path / "none.osm.pbf")
    with pytest.raises(SourceError, match="is a folder"):
        read_osm(tmp_path)
