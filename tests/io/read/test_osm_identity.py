"""Each thing on the ground counts once, in its newest version: roads, barriers on them, settlements."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from corridor.io.read.osm import OsmData, read_osm
from corridor.report.i18n import render

AT = {n: (10 + n / 100, 45.0) for n in range(1, 9)} | {n: (10 + (n - 10) / 100, 45.01) for n in range(11, 19)}


def said(data):
    return tuple(map(render, data.remarks))


def tagged(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


def node(number: int, tags: dict[str, str] | None = None, at: tuple[float, float] | None = None, more: str = "") -> str:
    lon, lat = at or AT[number]
    return f'<node id="{number}" lon="{lon:.7f}" lat="{lat:.7f}" {more}>{tagged(tags or {})}</node>'


def way(number: int, refs: list[int], tags: dict[str, str], more: str = 'version="1"') -> str:
    members = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    return f'<way id="{number}" {more}>{members}{tagged(tags)}</way>'


def read(folder: Path, *items: str, nodes: str | None = None) -> OsmData:
    path = folder / "a.osm"
    body = "".join(node(n) for n in AT) if nodes is None else nodes
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{body}{"".join(items)}</osm>', encoding="utf-8")
    return read_osm(path)


SAID = ["truck_access", "car_access", "max_height_m"]
PRIMARY, LANE = {"highway": "primary"}, {"highway": "residential"}


# -- versions -------------------------------------------------------------------------------------------------------


def test_the_newest_version_counts_wherever_it_stands_in_the_file(tmp_path):
    data = read(
        tmp_path,
        way(1, [1, 2], {"highway": "construction", "construction": "primary"}, 'version="5"'),
        way(1, [1, 2], PRIMARY, 'version="3"'),
        way(2, [2, 3], LANE, 'version="1"'),
        way(2, [2, 3], PRIMARY, 'version="2"'),
    )
    assert data.ways[["way_id", "class", "status"]].to_numpy().tolist() == [
        [1, "primary", "construction"],
        [2, "primary", "open"],
    ]
    assert said(data) == ("a.osm: 2 ways stand in several versions; the newest of each is used",)


@pytest.mark.parametrize(
    "newest",
    [
        way(1, [], {}, 'version="2" visible="false"'),
        way(1, [1, 2], {"highway": "footway"}, 'version="2"'),
        way(1, [1, 2], {"barrier": "wall"}, 'version="2"'),
        way(1, [1, 2], {}, 'version="2"'),
    ],
    ids=["deleted", "now a path", "now a wall", "without tags"],
)
def test_a_road_that_is_none_any_more_is_none(newest, tmp_path):
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(9, [3, 4], PRIMARY), newest)
    assert data.ways["way_id"].tolist() == [9]


def test_what_an_editor_marks_as_deleted_is_gone(tmp_path):
    data = read(
        tmp_path,
        way(1, [1, 2], PRIMARY),
        way(2, [2, 3], PRIMARY, "version='1' action='delete'"),
        way(3, [3, 4], PRIMARY, 'action="modify" version="1"'),
        way(4, [4, 5], PRIMARY, 'version="3" visible="false"'),
    )
    assert data.ways["way_id"].tolist() == [1, 3]


def test_a_node_lies_where_its_newest_version_lies(tmp_path):
    moved = node(2, at=(10.02, 45.005), more='version="2"')
    nodes = node(1, more='version="1"') + moved + node(2, more='version="1"') + node(3)
    data = read(tmp_path, way(1, [1, 2, 3], PRIMARY), nodes=nodes)
    assert data.ways.geometry.iloc[0].coords[1] == (10.02, 45.005)


def test_vertices_of_unsaved_edits_are_said_to_be_that(tmp_path):
    nodes = node(1) + node(2) + node(-3, at=(10.03, 45.0))
    data = read(tmp_path, way(1, [1, 2, -3], PRIMARY), nodes=nodes)
    assert data.node_ids.tolist() == [1, 2]
    assert said(data) == ("a.osm: 1 ways have vertices with ids below 0, of edits that weren't saved; cut there",)


def test_a_barrier_or_settlement_that_its_node_lost_is_gone(tmp_path):
    village = {"place": "village", "name": "V"}
    nodes = "".join(node(n) for n in (1, 3)) + node(2, {"barrier": "block"}, more='version="1"')
    nodes += node(2, more='version="2"') + node(4, village, more='version="1"') + node(4, more='version="2"')
    data = read(tmp_path, way(1, [1, 2, 3], PRIMARY), nodes=nodes)
    assert len(data.ways) == 1
    assert len(data.places) == 0


# -- one road drawn twice -------------------------------------------------------------------------------------------


def test_a_road_drawn_twice_over_the_same_nodes_is_one_road(tmp_path):
    data = read(tmp_path, way(1, [1, 2, 3], PRIMARY), way(2, [3, 2, 1], PRIMARY))
    assert data.ways["way_id"].tolist() == [1]
    assert said(data) == ("a.osm: 1 ways run over the vertices of another way; such parts count once",)


def test_where_two_ways_part_the_rest_of_each_stays(tmp_path):
    data = read(tmp_path, way(1, [1, 2, 3, 4], PRIMARY), way(2, [11, 2, 3, 13], LANE))
    assert data.ways[["way_id", "class"]].to_numpy().tolist() == [
        [1, "primary"],
        [2, "residential"],
        [2, "residential"],
    ]
    assert data.node_ids.tolist() == [1, 2, 3, 4, 11, 2, 3, 13]


def test_the_better_of_two_drawings_stays(tmp_path):
    """A road in use beats one under construction, whatever their classes; then the higher class; then both ways."""
    built = {"highway": "construction", "construction": "motorway"}
    data = read(
        tmp_path,
        *(way(1, [1, 2], built), way(2, [1, 2], LANE)),
        *(way(3, [2, 3], LANE), way(4, [3, 2], PRIMARY)),
        *(way(5, [3, 4], PRIMARY | {"oneway": "yes"}), way(6, [3, 4], PRIMARY)),
        *(way(7, [4, 5], PRIMARY | {"access": "no"}), way(8, [4, 5], LANE)),
    )
    assert data.ways["way_id"].tolist() == [2, 4, 6, 8]


def test_two_one_way_sides_of_a_road_on_the_same_nodes_both_stay(tmp_path):
    one = PRIMARY | {"oneway": "yes"}
    data = read(tmp_path, way(1, [1, 2], one), way(2, [2, 1], one), way(3, [1, 2], one))
    assert data.ways["way_id"].tolist() == [1, 2]


def test_an_import_with_nodes_of_its_own_is_the_same_road_and_its_side_roads_stay_joined(tmp_path):
    nodes = "".join(node(n) for n in (1, 2, 3, 12)) + "".join(node(20 + n, at=AT[n]) for n in (1, 2, 3))
    data = read(
        tmp_path, way(1, [1, 2, 3], PRIMARY), way(2, [21, 22, 23], PRIMARY), way(3, [22, 12], LANE), nodes=nodes
    )
    assert data.ways["way_id"].tolist() == [1, 3]
    assert data.node_ids.tolist() == [1, 2, 3, 2, 12]


def test_a_road_above_another_is_another_road(tmp_path):
    nodes = "".join(node(n) for n in (1, 2)) + "".join(node(20 + n, at=AT[n]) for n in (1, 2))
    above = PRIMARY | {"bridge": "yes", "layer": "1"}
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(2, [21, 22], above), nodes=nodes)
    assert data.ways["way_id"].tolist() == [1, 2]


def test_a_track_in_the_street_is_no_second_drawing(tmp_path):
    both = LANE | {"railway": "rail", "gauge": "1520"}
    data = read(tmp_path, way(1, [1, 2, 3], both))
    assert data.ways[["way_id", "mode", "gauges_mm"]].to_numpy().tolist() == [[1, "road", ""], [1, "rail", "1520"]]
    assert data.node_ids.tolist() == [1, 2, 3, 1, 2, 3]


# -- barriers -------------------------------------------------------------------------------------------------------


def test_a_block_ends_all_roads_over_it_and_no_railway(tmp_path):
    nodes = "".join(node(n) for n in (1, 3, 11, 12)) + node(2, {"barrier": "block"})
    data = read(
        tmp_path,
        way(1, [1, 2, 3], PRIMARY),
        way(2, [11, 2], LANE),
        way(3, [12, 2, 3], {"railway": "rail"}),
        nodes=nodes,
    )
    assert data.ways["way_id"].tolist() == [1, 1, 2, 3]
    ends = [data.node_ids[i].item() for i in (1, 2, 5)]
    assert len(set(ends)) == 3
    assert max(ends) < 0
    assert data.node_ids.tolist()[-2:] == [2, 3]
    assert said(data) == ("a.osm: 1 barriers on roads that let no vehicle pass; roads end there",)


def test_gates_and_opened_blocks_are_passed_and_strange_barriers_are_counted(tmp_path):
    tags = ({"barrier": "gate"}, {"barrier": "block", "motor_vehicle": "yes"}, {"barrier": "gizmo"})
    nodes = "".join(node(n, t) for n, t in zip((2, 3, 4), tags, strict=True)) + node(1) + node(5)
    data = read(tmp_path, way(1, [1, 2, 3, 4, 5], PRIMARY), nodes=nodes)
    assert len(data.ways) == 1
    assert said(data) == (
        "a.osm: 1 barriers on roads with a kind, key or condition that isn't understood or followed; it stops nobody",
    )


@pytest.mark.parametrize("gate_at", [1, 2, 3, 4, 5])
def test_a_barrier_for_some_vehicles_holds_between_its_neighbours_and_for_nothing_else(gate_at, tmp_path):
    gate = {"barrier": "gate", "hgv": "no", "maxheight": "2.5"}
    nodes = "".join(node(n, gate if n == gate_at else None) for n in range(1, 6))
    data = read(tmp_path, way(1, [1, 2, 3, 4, 5], PRIMARY), way(2, [5, 4, 3, 2, 1], {"railway": "rail"}), nodes=nodes)
    pieces = [data.node_ids[a:b].tolist() for a, b in pairwise(data.offsets)]
    road = [(*row, ids) for row, ids in zip(data.ways[SAID].to_numpy().tolist(), pieces, strict=True)][:-1]
    shut = list(range(max(gate_at - 1, 1), min(gate_at + 1, 5) + 1))
    # the pieces share the ids of the nodes between them, so that cars drive on
    assert [ids for *_, ids in road] == [
        ids for ids in (list(range(1, shut[0] + 1)), shut, list(range(shut[-1], 6))) if len(ids) > 1
    ]
    for truck, car, height, ids in road:
        assert (truck, car) == ("no" if ids == shut else "yes", "yes")
        assert height == 2.5 if ids == shut else math.isnan(height)
    # a gate across a road is none across the railway that shares its node
    assert (pieces[-1], data.ways["mode"].iloc[-1]) == ([5, 4, 3, 2, 1], "rail")
    assert said(data) == ("a.osm: 1 barriers on roads that let some vehicles pass; followed",)


def test_a_barrier_opens_nothing_that_the_way_shuts(tmp_path):
    nodes = node(1) + node(2, {"barrier": "gate", "hgv": "destination"}) + node(3)
    shut = read(tmp_path, way(1, [1, 2, 3], PRIMARY | {"hgv": "no", "maxheight": "3"}), nodes=nodes)
    assert shut.ways[SAID].to_numpy().tolist() == [["no", "yes", 3.0]]


# -- settlements ----------------------------------------------------------------------------------------------------

RING = [1, 3, 13, 11, 1]


def test_a_settlement_mapped_as_an_area_lies_in_it(tmp_path):
    tags = {"place": "village", "name": "Area", "population": "1 700"}
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(2, RING, tags))
    (place,) = data.places.to_dict("records")
    assert (place["name"], place["kind"], place["population"]) == ("Area", "village", 1700)
    assert 10.01 < place["lon"] < 10.03
    assert 45.0 < place["lat"] < 45.01


def test_a_settlement_mapped_as_point_and_area_is_one_where_the_point_is(tmp_path):
    nodes = "".join(node(n) for n in AT) + node(90, {"place": "village", "name": "Twice"}, at=(10.02, 45.002))
    area = {"place": "village", "name:en": "twice", "population": "300"}
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(2, RING, area), nodes=nodes)
    (place,) = data.places.to_dict("records")
    assert (place["name"], place["lon"], place["lat"], place["population"]) == ("Twice", 10.02, 45.002, 300)
    assert said(data) == ("a.osm: 1 settlements stand as a point and as an outline; the point counts",)


def test_a_settlement_of_another_name_inside_an_area_is_another(tmp_path):
    nodes = "".join(node(n) for n in AT) + node(90, {"place": "hamlet", "name": "Other"}, at=(10.02, 45.002))
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(2, RING, {"place": "village", "name": "Area"}), nodes=nodes)
    assert sorted(data.places["name"]) == ["Area", "Other"]


def test_a_settlement_whose_outline_is_several_ways(tmp_path):
    tags = tagged({"type": "multipolygon", "place": "town", "name": "Wide", "population": "many"})
    members = "".join(f'<member type="way" ref="{n}" role="outer"/>' for n in (2, 3))
    relation = f'<relation id="1" version="1">{members}{tags}</relation>'
    data = read(tmp_path, way(1, [1, 2], PRIMARY), way(2, [1, 3, 13], {}), way(3, [13, 11, 1], {}), relation)
    (place,) = data.places.to_dict("records")
    assert (place["name"], place["kind"]) == ("Wide", "town")
    assert 10.01 < place["lon"] < 10.03
    assert said(data) == ("a.osm: 1 populations that aren't a number; taken as unknown",)


def test_what_is_not_followed_is_said(tmp_path):
    ban = tagged({"type": "restriction", "restriction": "no_left_turn"})
    data = read(
        tmp_path,
        way(1, [1, 2], {"highway": "minor"}),
        way(2, [2, 3], PRIMARY | {"oneway": "reversible"}),
        way(3, [3, 4], PRIMARY | {"access:conditional": "no @ winter"}),
        way(4, [1, 2, 12, 1], LANE | {"area": "yes"}),
        f'<relation id="1" version="1"><member type="way" ref="1" role="from"/>{ban}</relation>',
    )
    assert [render(remark).removeprefix("a.osm: ") for remark in data.remarks] == [
        "1 ways whose highway value isn't known; left out",
        "1 roads whose direction changes (oneway=reversible); taken as open both ways",
        "1 roads with conditions of time or vehicle (keys with ':conditional'); taken as open at other times",
        "1 outlines of areas tagged as roads; left out",
        "1 turn restrictions; not followed",
    ]
