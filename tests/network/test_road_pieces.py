"""Bends of roads against circles, and how roads go on through junctions."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from corridor.network.road_survey import Vertices, continue_edges, cut_edges, piece_curvature_per_m, road_lines

M_PER_DEG = 111_195.0


def degrees(x, y) -> shapely.LineString:
    """A line in metres as one in degrees beside the equator."""
    return shapely.LineString(np.column_stack([x, y]) / M_PER_DEG)


def bends(lines: list[shapely.LineString], u: list[int], v: list[int], roads: list[int] | None = None):
    geometry = np.array(lines, dtype=object)
    road = road_lines(Vertices.of(geometry))
    length = road.chainage_m[road.first[1:] - 1]
    cuts = cut_edges(length, 250.0, 50.0)
    same = np.array(roads if roads is not None else [0] * len(lines))
    partner = continue_edges(np.array(u), np.array(v), road, same, max(*u, *v) + 1)
    return piece_curvature_per_m(road, partner, cuts, 100.0), cuts, partner


def arc(radius: float, start: float, end: float, step: float = 0.01) -> shapely.LineString:
    angle = np.linspace(start, end, int(abs(end - start) / step) + 2)
    return degrees(radius * np.cos(angle), radius * np.sin(angle))


@pytest.mark.parametrize("radius", [60.0, 120.0, 400.0])
def test_the_bend_of_a_circle_is_one_over_its_radius(radius):
    found, _, _ = bends([arc(radius, 0.0, 1.5 * np.pi)], [0], [1])
    # at the ends the arms are cut short
    assert found[1:-1] == pytest.approx(1 / radius, rel=2e-3)


def test_a_circle_cut_into_edges_bends_as_the_whole():
    quarter = [arc(80.0, k * np.pi / 8, (k + 1) * np.pi / 8) for k in range(12)]
    quarter[3] = quarter[3].reverse()
    u, v = [0, 1, 2, 4, *range(4, 12)], [1, 2, 3, 3, *range(5, 13)]
    found, cuts, _ = bends(quarter, u, v)
    inner = found[cuts.first[3] : cuts.first[9]]
    assert inner == pytest.approx(1 / 80, rel=2e-3)


def test_a_straight_road_has_no_bend_and_one_corner_counts_over_the_window_once():
    found, _, _ = bends([degrees([0, 1000], [0, 0])], [0], [1])
    assert found == pytest.approx(0.0, abs=1e-12)
    corner, cuts, _ = bends([degrees([0, 1000, 1000 + 1000 * np.cos(0.3)], [0, 0, 1000 * np.sin(0.3)])], [0], [1])
    turned = corner.sum() * 2000 / (cuts.first[-1])
    assert turned == pytest.approx(0.3, rel=0.05)


def test_a_road_goes_on_by_its_number_before_the_least_turn():
    # from the west to the node: 10 degrees to a side road, 30 degrees to its own
    west = degrees([-1000, 0], [0, 0])
    side = degrees([0, 1000 * np.cos(0.17)], [0, 1000 * np.sin(0.17)])
    own = degrees([0, 1000 * np.cos(0.5)], [0, -1000 * np.sin(0.5)])
    _, _, partner = bends([west, side, own], [0, 1, 1], [1, 2, 3], roads=[7, 8, 7])
    assert partner.tolist() == [-1, 4, -1, -1, 1, -1]
    _, _, partner = bends([west, side, own], [0, 1, 1], [1, 2, 3], roads=[7, 8, 9])
    assert partner[1] == 2


def test_a_hairpin_goes_on_where_just_two_edges_meet_and_not_at_a_junction():
    up, down = degrees([0, 300], [0, 0]), degrees([300, 0], [0, 20])
    found, _, partner = bends([up, down], [0, 1], [1, 2])
    assert partner[1] == 2
    assert found.max() > 1 / 40
    branch = degrees([300, 600], [0, 200])
    _, _, partner = bends([up, down, branch], [0, 1, 1], [1, 2, 3])
    assert partner[1] == 4


def test_pieces_cover_each_edge():
    cuts = cut_edges(np.array([40.0, 260.0, 1010.0]), 250.0, 50.0)
    assert cuts.posts.tolist() == [1, 1, 4]
    assert np.diff(cuts.first).tolist() == [1, 5, 20]
