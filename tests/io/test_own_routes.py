"""Files of drawn lines: the same line from every format, and one clear line for what can't be a route."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from corridor.errors import CorridorError
from corridor.io.read.own_routes import own_candidates, read_drawn, read_lines, read_routes
from corridor.schema.study import DrawnCandidate
from corridor.schema.vocabulary import Family, Mode

LINE = [(46.1, 39.2), (46.2, 39.25), (46.35, 39.3)]


def geojson(path, *features, **more):
    rows = [{"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows, **more}), encoding="utf-8")
    return path


def line(points=LINE):
    return {"type": "LineString", "coordinates": points}


def kml(path, body):
    path.write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>{body}</Folder></Document></kml>', "utf-8"
    )
    return path


def gpx(path, points, name="Mine"):
    rows = "".join(f'<trkpt lon="{x}" lat="{y}"><ele>{z}</ele></trkpt>' for x, y, z in points)
    path.write_text(
        f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><name>{name}</name><trkseg>{rows}</trkseg></trk></gpx>',
        "utf-8",
    )
    return path


def written(path):
    frame = gpd.GeoDataFrame({"name": ["Mine"]}, geometry=[shapely.LineString(LINE)], crs="EPSG:4326")
    match path.suffix:
        case ".geojson":
            return geojson(path, ({"name": "Mine"}, line()))
        case ".kml":
            coordinates = " ".join(f"{x},{y}" for x, y in LINE)
            return kml(
                path,
                f"<Placemark><name>Mine</name><LineString><coordinates>{coordinates}</coordinates></LineString></Placemark>",
            )
        case ".gpx":
            return gpx(path, [(x, y, 0) for x, y in LINE])
        case ".gpkg":
            frame.to_crs(32638).to_file(path)
        case ".fgb":
            frame.to_crs(3857).to_file(path, driver="FlatGeobuf")
    return path


@pytest.mark.parametrize("ending", [".geojson", ".kml", ".gpx", ".gpkg", ".fgb"])
def test_a_line_is_the_same_from_every_format_and_reference_system(tmp_path, ending):
    (found,) = read_lines(written(tmp_path / f"mine{ending}"))
    assert found.name == "Mine"
    assert found.xyz == pytest.approx(np.array(LINE), abs=1e-9)


def test_heights_come_along(tmp_path):
    high = [(x, y, 500.0 + i) for i, (x, y) in enumerate(LINE)]
    for path in (gpx(tmp_path / "a.gpx", high), geojson(tmp_path / "a.geojson", ({"name": "Mine"}, line(high)))):
        assert read_lines(path)[0].xyz[:, 2].tolist() == [500.0, 501.0, 502.0]


def test_names_are_kept_as_text_and_told_apart(tmp_path):
    path = geojson(
        tmp_path / "my file.geojson",
        ({"name": "A <b>b</b> & c"}, line()), ({"name": "A <b>b</b> & c"}, line()), ({}, line()),
        ({"name": "Rail", "mode": "rail", "standard": "rail-12", "schematic": True, "note": "by me"}, line()),
        ({"name": "a place"}, {"type": "Point", "coordinates": LINE[0]}),
    )  # fmt: skip
    first, second, third, rail = read_routes(path, taken=["drawn-rail"])
    assert (first.name, first.id) == ("A <b>b</b> & c", "drawn-a-b-b-b-c")
    assert (second.name, second.id) == ("A <b>b</b> & c (2)", "drawn-a-b-b-b-c-2")
    assert third.name == "my file 3"
    assert (rail.id, rail.mode, rail.standard, rail.schematic, rail.note) == (
        "drawn-rail-2", Mode.RAIL, "rail-12", True, "by me"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "is_sketch"),
    [(True, True), ("true", True), ("Yes", True), (1, True), (1.0, True), (False, False), ("no", False), (0, False),
     ("", False), (None, False), (float("nan"), False)],
)  # fmt: skip
def test_a_sketch_is_one_however_its_format_writes_it(said, is_sketch):
    frame = gpd.GeoDataFrame({"name": ["Mine"], "schematic": [said]}, geometry=[shapely.LineString(LINE)], crs=4326)
    (spec,) = own_candidates(frame, None, "road", taken=[], follow_m=None)
    assert spec.schematic is is_sketch


def test_a_sketch_that_is_not_understood_is_refused(tmp_path):
    path = geojson(tmp_path / "a.geojson", ({"name": "Mine", "schematic": "perhaps"}, line()))
    with pytest.raises(CorridorError, match=r"'Mine': schematic is 'perhaps'; write true or false"):
        read_routes(path)


def test_what_a_feature_says_counts_in_a_study_that_leaves_it_open(tmp_path):
    said = {"name": "Mine", "mode": "rail", "standard": "rail-12", "schematic": True, "note": "by me"}
    path = geojson(tmp_path / "a.geojson", (said, line()))
    open_ones = DrawnCandidate(family=Family.DRAWN, id="mine", name="Of the study", file="a.geojson")
    found = read_drawn(open_ones, path)
    assert (found.name, found.mode, found.standard, found.schematic, found.note) == (
        "Of the study", Mode.RAIL, "rail-12", True, "by me"
    )  # fmt: skip
    own = DrawnCandidate(**open_ones.model_dump(exclude_unset=True), mode=Mode.ROAD, schematic=False, note="mine")
    found = read_drawn(own, path)
    assert (found.mode, found.schematic, found.note) == (Mode.ROAD, False, "mine")


def test_a_folder_of_ten_lines_and_a_track_of_20000_points(tmp_path):
    marks = "".join(
        f"<Placemark><name>L{i}</name><LineString><coordinates>46.1,39.2,{i} 46.2,39.3,{i}</coordinates></LineString>"
        "</Placemark>"
        for i in range(10)
    )
    assert [spec.name for spec in read_routes(kml(tmp_path / "ten.kml", marks))] == [f"L{i}" for i in range(10)]
    long = [(46.1 + i * 1e-5, 39.2 + 1e-4 * np.sin(i), 700) for i in range(20_000)]
    (track,) = read_routes(gpx(tmp_path / "long.gpx", long))
    assert len(track.line) == 20_000


def test_parts_of_a_track_are_one_line_and_parts_far_apart_are_refused(tmp_path):
    near = {"type": "MultiLineString", "coordinates": [LINE[:2], [(46.2001, 39.25), LINE[2]]]}
    assert len(read_lines(geojson(tmp_path / "near.geojson", ({}, near)))[0].xyz) == 4
    far = {"type": "MultiLineString", "coordinates": [LINE[:2], [(46.3, 39.25), LINE[2]]]}
    with pytest.raises(CorridorError, match=r"its parts lie 8\.\d km apart"):
        read_lines(geojson(tmp_path / "far.geojson", ({}, far)))


def test_nothing_that_a_file_names_is_asked_for(tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("the network was asked"))
    linked = "<NetworkLink><Link><href>http://127.0.0.1:9/x.kml</href></Link></NetworkLink>"
    mark = "<Placemark><LineString><coordinates>46.1,39.2 46.2,39.3</coordinates></LineString></Placemark>"
    assert len(read_lines(kml(tmp_path / "linked.kml", linked + mark))) == 1
    bomb = tmp_path / "bomb.kml"
    bomb.write_text('<!DOCTYPE k [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>', "utf-8")
    with pytest.raises(CorridorError, match="defines entities"):
        read_lines(bomb)
    (tmp_path / "list.vrt").write_text("<OGRVRTDataSource></OGRVRTDataSource>", "utf-8")
    with pytest.raises(CorridorError, match="is XML of another kind"):
        read_lines(tmp_path / "list.vrt")


BOX = {"type": "Polygon", "coordinates": [[[46, 39], [46.1, 39], [46.1, 39.1], [46, 39]]]}


@pytest.mark.parametrize(
    ("geometry", "says"),
    [
        (BOX, "feature 1: is a Polygon; a route is a LineString"),
        (line([LINE[0]]), "feature 1: has one point only"),
        (line([LINE[0], LINE[0]]), "has one point only"),
        (line([]), "feature 1: is empty"),
        (None, "feature 1: is empty"),
        ({"type": "Point", "coordinates": LINE[0]}, "has no line"),
        (line([(500_000, 4_300_000), (510_000, 4_300_000)]), "are the coordinates in metres"),
        (line([("a", 39), (46, 39)]), r"not readable as a file of lines \(.*\); write it again with ogr2ogr"),
    ],
)
def test_what_can_be_no_route_is_refused_in_one_line(tmp_path, geometry, says):
    with pytest.raises(CorridorError, match=says) as caught:
        read_routes(geojson(tmp_path / "bad.geojson", ({}, geometry)))
    assert str(tmp_path / "bad.geojson") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello", "it is no GeoJSON, GeoPackage, shapefile or FlatGeobuf"),
        (b"PK\x03\x04", "is packed"),
        (b"<kml><Document>", "isn't well-formed XML"),
        (b"<kml></kml>", "has no line"),
        (b"<gpx><trk><trkseg><trkpt lon='46'/></trkseg></trk></gpx>", "could not convert|lacks longitude"),
        (b'{"type": "FeatureCollection"}', "it has no list of features"),
        (b"x" * 25_000_001, "is larger than 25 MB"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_lines_is_refused_in_one_line(tmp_path, content, says):
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(CorridorError, match=says) as caught:
        read_lines(path)
    assert "\n" not in str(caught.value)


def test_a_name_that_could_direct_a_terminal_is_refused(tmp_path):
    with pytest.raises(CorridorError, match="holds control characters"):
        read_routes(geojson(tmp_path / "odd.geojson", ({"name": "a\u202eb"}, line())))
    for odd in ("boat", 5):
        with pytest.raises(CorridorError, match=f"mode is '{odd}'; write road or rail"):
            read_routes(geojson(tmp_path / "boat.geojson", ({"name": "a", "mode": odd}, line())))
