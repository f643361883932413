"""Countries of the boundaries that a map holds: whole ones as they are, their neighbours by the border they share."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from corridor.errors import SourceError
from corridor.io.read.borders import read_borders, read_mapped_borders
from tests.synthetic.ground import write_borders
from tests.synthetic.osm import with_countries, write_osm


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
    assert found.remarks == ("map.osm: beyond XB ground is given to XA, XC by the nearest border",)


def test_a_small_gap_is_closed_and_said_and_a_large_one_is_none(map_file):
    """Both ways of the western border are 156 km of 357; a notch of 3 km is less than a twentieth."""
    text = with_countries(map_file).read_text()
    notched = text.replace('lon="10.4000000" lat="45.4000000"', 'lon="10.4000000" lat="45.3730000"', 1)
    map_file.write_text(notched)
    found = read_borders(map_file)
    assert found.remarks[0] == "map.osm: lacks 3.0 km of the border of Land XB; closed straight"
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
