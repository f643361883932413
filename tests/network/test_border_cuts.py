"""A way that nobody split at the border passes it where the crossing is listed all the same."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString

from corridor.geo.geodesy import line_lengths_m
from corridor.network.ways import cut_at_crossings
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
