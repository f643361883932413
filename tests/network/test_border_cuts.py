"""A way that nobody split at the border passes it where the crossing is listed all the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString

from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.borders import Borders
from corridor.network.ways import cut_at_crossings
from corridor.schema.fields import Source
from tests.network.test_network import crossing, squares

BORDER = 10.025


def ways(*lines: list[tuple[float, float]]) -> tuple[gpd.GeoDataFrame, np.ndarray, np.ndarray]:
    drawn = [LineString(line) for line in lines]
    frame = gpd.GeoDataFrame({"mode": "road", "length_m": line_lengths_m(drawn)}, geometry=drawn, crs=4326)
    sizes = [len(line) for line in lines]
    return frame, np.arange(100, 100 + sum(sizes)), np.concatenate([[0], np.cumsum(sizes)])


def test_a_way_is_cut_at_its_vertex_at_the_border():
    frame, ids, offsets = ways([(10.0, 45.0), (BORDER, 45.0), (10.08, 45.0)], [(10.0, 45.1), (10.08, 45.1)])
    cut, new_ids, bounds = cut_at_crossings(frame, ids, offsets, squares(), [crossing("open", 45.0)])
    assert [len(line.coords) for line in cut.geometry] == [2, 2, 2]
    assert new_ids.tolist() == [100, 101, 101, 102, 103, 104]
    assert bounds.tolist() == [0, 2, 4, 6]
    assert cut["length_m"].sum() == pytest.approx(frame["length_m"].sum())


def test_where_no_vertex_is_near_the_border_itself_is_one():
    frame, ids, offsets = ways([(10.0, 45.0), (10.08, 45.0)])
    cut, new_ids, _ = cut_at_crossings(frame, ids, offsets, squares(), [crossing("closed", 45.0)])
    assert cut.geometry.iat[0].coords[-1] == pytest.approx((BORDER, 45.0))
    assert new_ids[1] == new_ids[2] < 0
    assert len(set(new_ids.tolist())) == 3


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        ([(10.0, 45.0), (10.08, 45.0)], 45.05),  # 5.6 km from the crossing
        ([(10.0, 45.0), (10.02, 45.0)], 45.0),  # stays in one country
        ([(10.0, 45.0), (10.03, 45.001), (10.0, 45.002)], 45.0),  # over the border and back
        ([(10.0, 45.0), (10.0251, 45.0)], 45.0),  # ends at the border but for a few metres
    ],
)
def test_other_ways_stay_whole(line, listed):
    frame, ids, offsets = ways(line)
    cut, new_ids, _ = cut_at_crossings(frame, ids, offsets, squares(), [crossing("open", listed)])
    assert len(cut) == 1
    assert new_ids is ids


def test_a_railway_is_not_cut_at_a_road_crossing():
    frame, ids, offsets = ways([(10.0, 45.0), (10.08, 45.0)])
    cut, _, _ = cut_at_crossings(frame.assign(mode="rail"), ids, offsets, squares(), [crossing("open", 45.0)])
    assert shapely.equals(cut.geometry.iat[0], frame.geometry.iat[0])


STRIPS = [9.9, 10.1, 10.2, 10.3, 10.5]


def strips(*codes: str) -> Borders:
    """Countries side by side, with borders at 10.1, 10.2 and 10.3; one that is named twice has two parts."""
    parts = [shapely.box(west, 44.9, east, 45.2) for west, east in pairwise(STRIPS)]
    whole = {code: shapely.MultiPolygon([p for p, c in zip(parts, codes, strict=True) if c == code]) for code in codes}
    frame = gpd.GeoDataFrame({"country": list(whole), "name": list(whole)}, geometry=list(whole.values()), crs=4326)
    return Borders(frame, Source("b", "made up", "", "", ""))


@pytest.mark.parametrize("codes", [("XA", "XB", "XC", "XD"), ("XA", "XB", "XA", "XB"), ("XB", "XA", "XB", "XB")])
@pytest.mark.parametrize("inner", [(), (10.1, 10.2, 10.3), (10.15,), (10.1005, 10.25)])
def test_a_way_through_several_countries_is_cut_at_each_listed_crossing(codes, inner):
    """However it is drawn: with a vertex at the border, near it or far from it, and into a country that it left."""
    frame, ids, offsets = ways([(9.95, 45.0), *((lon, 45.0) for lon in inner), (10.45, 45.0)])
    borders = zip(STRIPS[1:], codes, codes[1:], strict=False)
    listed = [
        replace(crossing("open", 45.0), crossing_id=f"gate-{lon}", lon=lon, countries=frozenset((a, b)))
        for lon, a, b in borders
        if a != b
    ]
    cut, new_ids, bounds = cut_at_crossings(frame, ids, offsets, strips(*codes), listed)
    begin, end = (np.array([line.coords[at][0] for line in cut.geometry]) for at in (0, -1))
    places = [9.95, *(gate.lon for gate in listed), 10.45]
    assert begin == pytest.approx(places[:-1], abs=6e-4)
    assert end == pytest.approx(places[1:], abs=6e-4)
    assert cut["length_m"].sum() == pytest.approx(frame["length_m"].sum(), rel=1e-5)
    for first, second in pairwise(range(len(cut))):
        assert new_ids[bounds[first + 1] - 1] == new_ids[bounds[second]]
    assert len(set(new_ids.tolist())) == len(new_ids) - len(listed)
    assert bounds[-1] == len(new_ids) == sum(len(line.coords) for line in cut.geometry)


@pytest.mark.parametrize("listed", [10.1, 10.115, 10.13])
def test_where_no_country_lies_between_two_a_way_is_cut_nearest_to_the_crossing_however_it_is_drawn(listed):
    """A bay of 2.4 km between two countries, with the crossing on one of its shores or half-way."""
    shores = [shapely.box(9.9, 44.9, 10.1, 45.2), shapely.box(10.13, 44.9, 10.3, 45.2)]
    countries = gpd.GeoDataFrame({"country": ["XA", "XB"], "name": ["XA", "XB"]}, geometry=shores, crs=4326)
    gate = replace(crossing("open", 45.0), lon=listed, countries=frozenset(("XA", "XB")))
    for line in ([(9.95, 45.0), (10.25, 45.0)], [(10.25, 45.0), (9.95, 45.0)]):
        cut, _, _ = cut_at_crossings(*ways(line), Borders(countries, Source("b", "made up", "", "", "")), [gate])
        assert [piece.coords[0][0] for piece in cut.geometry] == pytest.approx([line[0][0], listed])
