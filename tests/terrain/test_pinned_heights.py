"""Smoothing and pinning of heights along roads against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from corridor.schema.candidate import LineSmoothing
from corridor.terrain.pinned_heights import (
    LineHeights,
    PostGraph,
    Spreading,
    limit_slopes,
    smooth_heights,
    smoothing_length_m,
)
from corridor.terrain.profile import grade_limited

STEP = 100.0


def spread_residuals(graph, pins, residual_m, reach_m):
    """Residuals of pinned posts carried along the roads, metres, shape (n_posts,)."""
    return Spreading(graph, pins, reach_m).of(residual_m)


def road(count: int, structure=()) -> PostGraph:
    """One straight road of ``count`` links of 100 m."""
    carried = np.zeros(count, dtype=bool)
    carried[list(structure)] = True
    return PostGraph(np.arange(count), np.arange(1, count + 1), np.full(count, STEP), carried, count + 1)


def test_smoothing_keeps_a_level_road_and_the_inside_of_a_ramp():
    graph = road(400)
    level = np.full(401, 730.0)
    assert smooth_heights(graph, level, 2500.0) == pytest.approx(level)
    ramp = np.arange(401) * 5.0
    assert smooth_heights(graph, ramp, 2500.0)[150:250] == pytest.approx(ramp[150:250], abs=1e-6)


def test_one_wrong_height_is_spread_with_exponential_weights():
    """The response of a long road to one post: weight times the discrete form of exp(-|s|/l) / 2l."""
    graph, count = road(600), 601
    ground = np.zeros(count)
    ground[300] = 100.0
    found = smooth_heights(graph, ground, 2500.0)
    length = smoothing_length_m(2500.0)
    assert length == pytest.approx(510.3, abs=0.1)
    s = (np.arange(count) - 300) * STEP
    assert found[250:351] == pytest.approx(100 * STEP * np.exp(-np.abs(s) / length)[250:351] / (2 * length), abs=0.05)
    # the mean is kept, and the variance of the weights is that of a plain mean over the window
    assert found.sum() == pytest.approx(100.0)
    assert (found * s**2).sum() / found.sum() == pytest.approx(2500.0**2 / 12, rel=1e-6)


def test_a_structure_runs_straight_from_portal_to_portal():
    graph = road(100, structure=range(40, 60))
    ground = np.full(101, 1000.0)
    ground[60:] = 1200.0
    ground[41:60] = 2500.0  # the mountain over the tunnel
    found = smooth_heights(graph, ground, 0.0)
    assert found[40] == pytest.approx(1000.0, abs=0.1)
    assert found[60] == pytest.approx(1200.0, abs=0.1)
    assert np.diff(found[40:61]) == pytest.approx(10.0, abs=0.02)


def test_roads_beside_each_other_have_nothing_to_do_with_each_other():
    high, low = np.full(51, 900.0), np.full(51, 500.0)
    start = np.concatenate([np.arange(50), np.arange(51, 101)])
    graph = PostGraph(start, start + 1, np.full(100, STEP), np.zeros(100, dtype=bool), 102)
    found = smooth_heights(graph, np.concatenate([high, low]), 2500.0)
    assert found == pytest.approx(np.concatenate([high, low]))


def test_a_road_without_ground_has_no_height_and_others_keep_theirs():
    start = np.concatenate([np.arange(3), np.arange(4, 7)])
    graph = PostGraph(start, start + 1, np.full(6, STEP), np.zeros(6, dtype=bool), 8)
    found = smooth_heights(graph, np.array([np.nan] * 4 + [10.0, np.nan, 10.0, 10.0]), 500.0)
    assert np.isnan(found[:4]).all()
    assert found[4:] == pytest.approx(10.0)


def test_residuals_are_exact_at_pins_and_linear_between_near_ones():
    graph = road(100)
    found = spread_residuals(graph, np.array([0, 100]), np.array([-30.0, 50.0]), 1e9)
    assert found == pytest.approx(np.linspace(-30, 50, 101), abs=1e-6)


def test_a_residual_fades_to_a_share_of_one_over_e_over_its_reach():
    graph = road(2000)
    found = spread_residuals(graph, np.array([0]), np.array([80.0]), 15_000.0)
    s = np.arange(2001) * STEP
    closed = 80 * np.cosh((s[-1] - s) / 15_000) / np.cosh(s[-1] / 15_000)
    assert found == pytest.approx(closed, abs=0.01)
    assert found[150] == pytest.approx(80 / np.e, rel=1e-3)


def test_a_residual_passes_a_junction_and_leaves_roads_that_no_pin_is_on():
    # a pinned road with a branch at post 2, and a road apart
    graph = PostGraph(
        np.array([0, 1, 2, 2, 5]), np.array([1, 2, 3, 4, 6]), np.full(5, STEP), np.zeros(5, dtype=bool), 7
    )
    found = spread_residuals(graph, np.array([0]), np.array([10.0]), 1e9)
    assert found == pytest.approx([10.0] * 5 + [0.0] * 2, abs=1e-5)
    assert spread_residuals(graph, np.zeros(0, dtype=np.int64), np.zeros(0), 1e4) == pytest.approx(0.0)


def test_the_reach_of_a_pin_ends_at_the_limit_and_goes_over_the_shorter_of_two_links():
    graph = PostGraph(
        np.array([0, 0, 1, 2]), np.array([1, 1, 2, 3]), np.array([900.0, 100.0, 100.0, 5000.0]), np.zeros(4, bool), 4
    )
    assert Spreading(graph, np.array([0]), 200.0).within_reach.tolist() == [True, True, True, False]
    assert not Spreading(graph, np.zeros(0, dtype=np.int64), 1000.0).within_reach.any()


def test_one_line_has_the_heights_of_a_network_of_one_road():
    chainage = np.arange(301) * STEP
    ground = 800.0 + 100.0 * np.sin(chainage / 900.0)
    how = LineSmoothing(np.zeros(300, dtype=bool), np.array([150]), np.array([950.0]), 2500.0, 15_000.0)
    found = LineHeights(chainage, how).of(ground)
    smooth = smooth_heights(road(300), ground, 2500.0)
    assert found[150] == pytest.approx(950.0)
    assert found == pytest.approx(smooth + spread_residuals(road(300), how.pins, 950.0 - smooth[[150]], 15_000.0))
    # several grounds at a time are as each alone
    higher = ground + chainage / 100.0
    assert LineHeights(chainage, how).of(np.stack([ground, higher])) == pytest.approx(
        np.stack([found, LineHeights(chainage, how).of(higher)]), abs=1e-9
    )


def comb(count: int) -> PostGraph:
    """A road of ``count`` links with a side street of one link at each of its posts."""
    start = np.concatenate([np.arange(count), np.arange(count + 1)])
    end = np.concatenate([np.arange(1, count + 1), np.arange(count + 1) + count + 1])
    return PostGraph(start, end, np.full(2 * count + 1, STEP), np.zeros(2 * count + 1, dtype=bool), 2 * count + 2)


def main_first(count: int) -> np.ndarray:
    """Ranks of the links of a comb."""
    return np.repeat([0, 1], [count, count + 1])


def test_side_streets_take_nothing_of_a_residual():
    """In a town the road keeps its pin as far as in the open: it fades with the way alone."""
    found = spread_residuals(comb(300), np.array([0]), np.array([80.0]), 15_000.0)
    assert found[:301] == pytest.approx(80 * np.exp(-np.arange(301) * STEP / 15_000))


def test_streets_up_the_slope_don_t_lift_the_road_in_the_valley():
    graph, rank = comb(100), main_first(100)
    ground = np.concatenate([np.full(101, 700.0), np.full(101, 900.0)])
    assert smooth_heights(graph, ground, 2500.0, rank)[:101] == pytest.approx(700.0)
    assert smooth_heights(graph, ground, 2500.0)[:101].min() > 740.0
    assert smooth_heights(graph, ground, 2500.0, rank)[101:].min() > 700.0


def test_a_street_takes_its_height_from_the_road_where_no_ground_is_known():
    graph, rank = comb(10), main_first(10)
    ground = np.concatenate([np.full(11, 700.0), np.full(11, np.nan)])
    assert smooth_heights(graph, ground, 500.0, rank) == pytest.approx(700.0)


def test_slopes_along_one_road_are_limited_as_those_of_a_route():
    rng = np.random.default_rng(5)
    ground = 1000.0 + np.cumsum(rng.normal(0.0, 8.0, 301))
    limited = limit_slopes(road(300), ground, np.full(300, 0.05), np.zeros(300, int), np.zeros(0, int))
    assert limited == pytest.approx(grade_limited(np.arange(301) * STEP / 1000, ground, np.full(301, 5.0)))
    assert np.abs(np.diff(limited)).max() <= 0.05 * STEP + 1e-9


def test_a_climb_that_is_too_steep_is_spread_and_not_lost():
    """300 m in one step, spread over as far as the ceiling of 6 % takes on both sides: 10 km at 3 %."""
    ground = np.where(np.arange(201) < 100, 500.0, 800.0)
    limited = limit_slopes(road(200), ground, np.full(200, 0.06), np.zeros(200, int), np.zeros(0, int))
    assert limited[[0, 49, 150, 200]] == pytest.approx([500.0, 500.0, 800.0, 800.0])
    assert np.abs(np.diff(limited)).max() == pytest.approx(6.0)
    # a documented height stays, and the climb is on its one side
    pinned = limit_slopes(road(200), ground, np.full(200, 0.06), np.zeros(200, int), np.array([99]))
    assert pinned[:100] == pytest.approx(500.0)
    assert pinned[99:150] == pytest.approx(500.0 + np.arange(51) * 6.0)


def test_a_steep_street_bends_to_the_road_and_not_the_road_to_it():
    graph, rank = comb(50), main_first(50)
    heights = np.concatenate([np.full(51, 700.0), np.full(51, 760.0)])
    limited = limit_slopes(graph, heights, np.full(101, 0.1), rank, np.zeros(0, int))
    assert limited[:51] == pytest.approx(700.0)
    assert limited[51:] == pytest.approx(710.0)


def test_roads_that_nothing_bounds_and_heights_that_nobody_knows_stay():
    heights = np.array([0.0, 90.0, np.nan, 80.0])
    graph = PostGraph(np.array([0, 1, 2]), np.array([1, 2, 3]), np.full(3, STEP), np.zeros(3, bool), 4)
    limited = limit_slopes(graph, heights, np.array([np.inf, 0.1, 0.1]), np.zeros(3, int), np.zeros(0, int))
    assert limited == pytest.approx(heights, nan_ok=True)
