"""Lines and distances against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString

from corridor.geo.geodesy import (
    distance_m,
    join,
    line_lengths_m,
    locate_m,
    pairs_within_m,
    points_at,
    sample,
    substring,
    utm_crs,
    vertex_chainage_m,
)

coordinates = st.tuples(st.floats(40, 50), st.floats(35, 45))
lines = st.lists(coordinates, min_size=2, max_size=12, unique=True).map(LineString)


def test_a_quarter_meridian_is_ten_thousand_kilometres():
    assert distance_m(0, 0, 0, 90) == pytest.approx(10_001_965.7, abs=1)


def test_lengths_of_several_lines_at_once():
    line = LineString([(46, 39), (46, 40), (46, 39)])
    lengths = line_lengths_m([line, None, LineString([(46, 39), (46, 40)])])
    assert lengths == pytest.approx([222050.09, 0, 111025.05], abs=0.01)


@given(lines, st.floats(0, 1), st.floats(0, 1))
def test_a_line_is_the_sum_of_its_stretches(line, a, b):
    total = vertex_chainage_m(line)[-1]
    low, high = sorted((a * total, b * total))
    if low < 1 or total - high < 1 or high - low < 1:
        return
    parts = [substring(line, 0, low), substring(line, low, high), substring(line, high, total)]
    assert sum(line_lengths_m(parts)) == pytest.approx(total, rel=1e-3)
    assert join(parts).coords[0] == line.coords[0]


@given(lines, st.floats(0, 1))
def test_a_point_of_a_line_is_found_on_it(line, share):
    wanted = share * vertex_chainage_m(line)[-1]
    lon, lat = points_at(line, [wanted])
    along, off = locate_m(line, float(lon[0]), float(lat[0]))
    assert off < 1.0
    lon_back, lat_back = points_at(line, [along])
    assert distance_m(lon, lat, lon_back, lat_back) < 1.0


def test_samples_are_even_and_hold_both_ends():
    chainage, lon, lat = sample(LineString([(46, 39), (46, 39.1)]), 1000)
    assert len(chainage) == 13
    assert np.ptp(np.diff(chainage)) < 1e-6
    assert (lon[0], lat[0], lon[-1], lat[-1]) == (46, 39, 46, 39.1)


def test_utm_zone():
    assert utm_crs(46.2, 39) == "EPSG:32638"
    assert utm_crs(-70.5, -33) == "EPSG:32719"


@given(
    st.lists(st.tuples(st.floats(45.9, 46.1), st.floats(60.0, 60.1)), max_size=8),
    st.lists(st.tuples(st.floats(45.9, 46.1), st.floats(60.0, 60.1)), max_size=8),
)
def test_pairs_within_a_distance_are_those_of_every_point_held_against_every_other(ours, theirs):
    a, b = (np.array(points, dtype=float).reshape(-1, 2) for points in (ours, theirs))
    every = distance_m(a[:, None, 0], a[:, None, 1], b[None, :, 0], b[None, :, 1])
    i, j, metres = pairs_within_m(a[:, 0], a[:, 1], b[:, 0], b[:, 1], 3000.0)
    assert np.column_stack([i, j]).tolist() == np.argwhere(every <= 3000.0).tolist()
    assert metres.tolist() == every[every <= 3000.0].tolist()
