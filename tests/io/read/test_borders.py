"""Countries of the boundaries that a map holds: whole ones as they are, their neighbours by the border they share."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84
from corridor.io.read.borders import read_borders, read_mapped_borders
from corridor.report.i18n import render
from tests.synthetic.ground import write_borders
from tests.synthetic.osm import with_countries, write_osm


def said(borders):
    return [render(remark) for remark in (*borders.remarks, *borders.overlaps)]


def write_countries(path, **shapes):
    """Countries of one polygon each, by code."""
    rows = [{"country": code, "name": f"Land {code}"} for code in shapes]
    path.write_text(gpd.GeoDataFrame(rows, geometry=list(shapes.values()), crs=WGS84).to_json(), encoding="utf-8")
    return path


@pytest.fixture
def map_file(tmp_path):
    return write_osm(tmp_path / "map.osm")


def test_countries_of_a_map_are_those_of_a_file_of_polygons(map_file, tmp_path):
    found = read_borders(with_countries(map_file))
    assert found.names == {"XA": "Land XA", "XB": "Land XB", "XC": "Land XC"}
    assert found.polygon("XB").equals(shapely.box(10.4, 44.8, 10.7, 46.2))
    lon, lat = np.random.default_rng(5).uniform((9.9, 44.9), (11.1, 46.1), (500, 2)).T
    assert (
        found.country_at(lon, lat) == read_borders(write_borders(tmp_path / "b.geojson")).country_at(lon, lat)
    ).all()
    assert said(found) == ["map.osm: beyond XB ground is given to XA, XC by the nearest border"]
    assert found.overlaps == ()


def test_a_small_gap_is_closed_and_said_and_a_large_one_is_none(map_file):
    """Both ways of the western border are 156 km of 357; a notch of 3 km is less than a twentieth."""
    text = with_countries(map_file).read_text()
    notched = text.replace('lon="10.4000000" lat="45.4000000"', 'lon="10.4000000" lat="45.3730000"', 1)
    map_file.write_text(notched)
    found = read_borders(map_file)
    assert said(found)[0] == "map.osm: lacks 3.0 km of the border of Land XB; closed straight"
    assert found.polygon("XB").symmetric_difference(shapely.box(10.4, 44.8, 10.7, 46.2)).area < 1e-6


@pytest.mark.parametrize("lacking", [(702,), (704, 705), (701, 702, 703, 704, 705)])
def test_a_border_that_is_cut_is_none(map_file, lacking):
    path = with_countries(map_file, lacking=lacking)
    assert read_mapped_borders(path) is None
    with pytest.raises(SourceError, match=r"map\.osm: holds no country's boundary whole; name a file"):
        read_borders(path)


def test_a_map_without_boundaries_and_a_file_that_is_no_map(map_file, tmp_path):
    assert read_mapped_borders(map_file) is None
    (tmp_path / "none.osm").write_text("<osm version='0.6'><relation id='1'")
    with pytest.raises(SourceError, match=r"none\.osm: not readable as OpenStreetMap data"):
        read_borders(tmp_path / "none.osm")
    with pytest.raises(SourceError, match=r"gone\.osm: no such file"):
        read_borders(tmp_path / "gone.osm")


def test_ground_inside_another_country_is_left_out(map_file):
    text = with_countries(map_file).read_text()
    ring = [(10.5, 45.9), (10.6, 45.9), (10.6, 46.0), (10.5, 46.0)]
    nodes = "".join(f'<node id="{8001 + at}" version="1" lon="{x}" lat="{y}"/>' for at, (x, y) in enumerate(ring))
    way = '<way id="710" version="1">' + "".join(f'<nd ref="{8001 + at % 4}"/>' for at in range(5)) + "</way>"
    inner = '<member type="way" ref="705" role="outer"/><member type="way" ref="710" role="inner"/>'
    text = text.replace('<member type="way" ref="705" role="outer"/>', inner).replace(
        "<relation", nodes + way + "<relation", 1
    )
    map_file.write_text(text)
    hole = shapely.box(10.5, 45.9, 10.6, 46.0)
    assert read_borders(map_file).polygon("XB").equals(shapely.box(10.4, 44.8, 10.7, 46.2).difference(hole))


def test_a_byte_order_mark_before_a_map_is_no_fault(tmp_path):
    path = write_borders(tmp_path / "borders.geojson")
    plain = read_borders(path).names
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_borders(path).names == plain


WEST, EAST = shapely.box(10.0, 45.0, 10.5, 46.0), shapely.box(10.5, 45.0, 11.0, 46.0)


@pytest.mark.parametrize(
    ("east", "km2"),
    [
        # a claim of both: 0.1 by 1 degree at 45.5 N is 866.6 km2
        (shapely.box(10.4, 45.0, 11.0, 46.0), "866.6"),
        # an enclave for which the country around has no hole
        (shapely.union(EAST, shapely.box(10.1, 45.1, 10.12, 45.12)), "3.5"),
    ],
)
def test_ground_of_two_countries_is_said_and_is_the_first_ones(tmp_path, east, km2):
    found = read_borders(write_countries(tmp_path / "b.geojson", XB=east, XA=WEST))
    (remark,) = said(found)
    assert remark == f"b.geojson: XA and XB both hold {km2} km² of ground; it counts as that of XA"
    assert found.country_at(10.11, 45.11)[0] == found.country_at(10.45, 45.5)[0] == "XA"


@pytest.mark.parametrize(
    "east",
    [
        EAST,  # a common border
        shapely.box(10.5, 46.0, 11.0, 47.0),  # a common point
        shapely.box(10.7, 45.0, 11.0, 46.0),  # nothing in common
        shapely.box(10.49999, 45.0, 11.0, 46.0),  # a border drawn twice, a metre apart
    ],
)
def test_countries_that_only_meet_share_no_ground(tmp_path, east):
    assert said(read_borders(write_countries(tmp_path / "b.geojson", XA=WEST, XB=east))) == []


def test_a_country_with_a_hole_and_the_enclave_in_it_share_no_ground(tmp_path):
    enclave = shapely.box(10.1, 45.1, 10.2, 45.2)
    path = write_countries(tmp_path / "b.geojson", XA=WEST.difference(enclave), XB=shapely.union(EAST, enclave))
    found = read_borders(path)
    assert said(found) == []
    assert found.country_at([10.15, 10.3], 45.15 * np.ones(2)).tolist() == ["XB", "XA"]


@pytest.mark.parametrize(
    ("country", "geometry", "crs", "says"),
    [("XA", {"type": "Point", "coordinates": [10, 45]}, True, "what it draws of XA is no polygon; leave it out"),
     ("XA", shapely.geometry.mapping(WEST), None, "states no coordinate reference system; write it again"),
     (None, shapely.geometry.mapping(WEST), True, "no column 'country' with two-letter codes; name the one that has")],
)  # fmt: skip
def test_what_is_no_map_of_countries_says_what_to_do(tmp_path, country, geometry, crs, says):
    feature = {"type": "Feature", "properties": {"country": country} if country else {}, "geometry": geometry}
    content = {"type": "FeatureCollection", "features": [feature]} | ({"crs": None} if crs is None else {})
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SourceError, match=rf"b\.geojson: .*{says}"):
        read_borders(path)


def test_a_file_of_no_polygon_says_so(tmp_path):
    path = tmp_path / "b.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with pytest.raises(SourceError, match=r"b\.geojson: holds no polygon; name a file of countries"):
        read_borders(path)
