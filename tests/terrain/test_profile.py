"""Profiles against closed forms: hysteresis, structures, and the grade-limited line."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from corridor.errors import CatalogueError
from corridor.schema.candidate import Span
from corridor.terrain.profile import (
    _grade_limits_pct,
    carry_structures,
    climbs_m,
    grade_limited,
    monotone_between,
    turning_points,
)

heights = arrays(np.float64, st.integers(2, 60), elements=st.floats(-100, 4000, allow_nan=False, width=32))


@given(heights, st.floats(0, 300))
def test_ascent_less_descent_is_the_difference_of_the_ends(line, threshold):
    up, down = climbs_m(line, threshold)
    assert up - down == pytest.approx(line[-1] - line[0], abs=1e-6)
    assert up >= -1e-9
    assert down >= -1e-9


@given(heights, st.floats(0, 300))
def test_reversing_a_line_swaps_ascent_and_descent_up_to_the_threshold(line, threshold):
    up, down = climbs_m(line, threshold)
    back_up, back_down = climbs_m(line[::-1], threshold)
    if threshold == 0:
        assert (back_up, back_down) == pytest.approx((down, up))
    assert abs(back_up - down) <= threshold + 1e-6


@given(heights)
def test_without_threshold_every_rise_counts(line):
    steps = np.diff(line)
    assert climbs_m(line, 0.0) == pytest.approx((steps[steps > 0].sum(), -steps[steps < 0].sum()), abs=1e-6)


def test_wiggles_under_the_threshold_are_no_climb():
    slope = np.linspace(0, 500, 501) + 10 * np.sin(np.arange(501))
    up, _ = climbs_m(slope, 30.0)
    assert up == pytest.approx(500, abs=20)
    assert climbs_m(slope, 0.0)[0] > 1500


def test_a_tunnel_runs_straight_between_its_portals():
    chainage = np.arange(0, 11.0)
    ridge = np.where((chainage >= 3) & (chainage <= 7), 900.0, 100.0)
    carried = carry_structures(chainage, ridge, [Span("tunnel", 2.2, 7.9, "", "documented")])
    assert carried.tolist() == [100.0] * 11


@given(heights, st.floats(0.5, 20))
def test_the_limited_line_keeps_the_limit_and_moves_nothing_that_keeps_it(line, limit):
    chainage = np.arange(len(line)) * 0.1
    pct = np.full(len(line), limit)
    laid = grade_limited(chainage, line, pct)
    assert (np.abs(np.diff(laid)) <= limit * 1.0 + 1e-6).all()
    np.testing.assert_allclose(grade_limited(chainage, laid, pct), laid, atol=1e-6)


@given(heights, st.floats(0.5, 20))
def test_no_line_within_the_limit_is_nearer_to_the_ground(line, limit):
    """The best uniform approximation departs by half of the worst excess of rise over limit between two points."""
    chainage = np.arange(len(line)) * 0.1
    laid = grade_limited(chainage, line, np.full(len(line), limit))
    rise = np.abs(line[:, None] - line[None, :])
    allowed = np.abs(chainage[:, None] - chainage[None, :]) * 10 * limit
    assert np.abs(laid - line).max() == pytest.approx(max((rise - allowed).max() / 2, 0), abs=1e-6)


@given(heights, st.floats(0, 300))
@example(np.array([0.0, -100.0, 1.0, 0.0]), 100.0)
@example(np.array([0.0, -100.0, 150.0, 20.0]), 130.0)
def test_between_turning_points_the_line_is_monotone_and_climbs_the_same(line, threshold):
    points = turning_points(line, threshold)
    smooth = monotone_between(line, points)
    for start, end in pairwise(points.tolist()):
        steps = np.diff(smooth[start : end + 1])
        assert (steps >= -1e-9).all() or (steps <= 1e-9).all()
    np.testing.assert_array_equal(smooth[points], line[points])
    for start, end in pairwise(points.tolist()):
        ends = sorted(line[[start, end]])
        nearest = isotonic_regression(line[start : end + 1], increasing=bool(line[end] >= line[start])).x
        np.testing.assert_array_equal(smooth[start + 1 : end], nearest.clip(*ends)[1:-1])
    assert climbs_m(smooth, 0.0) == pytest.approx(climbs_m(line, threshold), abs=1e-6)
    # Just before its end a line may swing by more than the threshold and half back. Smoothed it swings by less there,
    # which the threshold leaves out when it is counted once more.
    assert climbs_m(smooth, threshold) == pytest.approx(climbs_m(line, threshold), abs=threshold + 1e-6)


@given(heights, st.floats(0, 100), st.floats(0, 100))
def test_a_higher_threshold_never_adds_climb(line, a, b):
    low, high = sorted((a, b))
    assert climbs_m(line, high)[0] <= climbs_m(line, low)[0] + 1e-6


def test_minor_classes_without_a_ceiling_have_that_of_unclassified_roads():
    ceilings = [
        SimpleNamespace(mode=mode, road_class=name, ceiling_pct=pct)
        for mode, name, pct in (("road", "primary", 8.0), ("road", "unclassified", 10.0), ("rail", "rail", 3.0))
    ]

    def limits(*classes, mode="road"):
        parts = [SimpleNamespace(mode=mode, road_class=name, drawn_km=1.0, max_grade_pct=None) for name in classes]
        route = SimpleNamespace(parts=parts, candidate_id="mine")
        return _grade_limits_pct(route, np.arange(len(classes)) + 0.5, ceilings).tolist()

    assert limits("primary_link", "living_street", "road", "unclassified") == [8.0, 10.0, 10.0, 10.0]
    assert limits("narrow_gauge", mode="rail") == [3.0]
    with pytest.raises(CatalogueError, match=r"grades\.csv: no row for road secondary; candidate 'mine' needs it"):
        limits("secondary")
