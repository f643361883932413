"""Map matching: what was driven over a grid of streets is found again from a noisy line, and only what was."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.geo.geodesy import WGS84, project
from corridor.network.graph import Network, edge_frame
from corridor.network.map_matching import OffNetwork, OnNetwork, match_line

SIZE, CELL_M, CRS = 6, 1000.0, "EPSG:32632"
EAST, NORTH = 500_000.0, 5_000_000.0


def at(row, col):
    return EAST + col * CELL_M, NORTH + row * CELL_M


def street(a, b):
    return project(shapely.LineString([at(*a), at(*b)]), CRS, WGS84)


@pytest.fixture(scope="module")
def grid():
    """Streets every kilometre, all of one class."""
    nodes = [(row, col) for row in range(SIZE) for col in range(SIZE)]
    pairs = [(a, b) for a in nodes for b in nodes if (b[0] - a[0], b[1] - a[1]) in {(0, 1), (1, 0)}]
    number = {node: index for index, node in enumerate(nodes)}
    lines = [street(a, b) for a, b in pairs]
    columns = {"u": np.array([number[a] for a, _ in pairs]), "v": np.array([number[b] for _, b in pairs])}
    points = project(shapely.points([at(*node) for node in nodes]), CRS, WGS84)
    network = Network(
        edge_frame({**columns, "geometry": np.array(lines, dtype=object)}), shapely.get_x(points), shapely.get_y(points)
    )
    return network, {frozenset(pair): row for row, pair in enumerate(pairs)}


def walk(draw):
    """A walk over the grid that visits no crossing twice."""
    here = (draw(st.integers(0, SIZE - 1)), draw(st.integers(0, SIZE - 1)))
    path = [here]
    for _ in range(draw(st.integers(2, 10))):
        free = [
            (here[0] + r, here[1] + c)
            for r, c in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if 0 <= here[0] + r < SIZE and 0 <= here[1] + c < SIZE and (here[0] + r, here[1] + c) not in path
        ]
        if not free:
            break
        here = draw(st.sampled_from(free))
        path.append(here)
    return path


@given(st.data(), st.integers(0, 1000))
@settings(max_examples=40)
def test_a_walk_is_found_again_from_a_noisy_line(grid, data, seed):
    network, row_of = grid
    path = walk(data.draw)
    line = shapely.LineString([at(*node) for node in path])
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, np.arange(0, line.length + 1, 130.0)))
    noisy = points + np.random.default_rng(seed).normal(0, 20, points.shape)
    found = match_line(network, project(shapely.LineString(noisy), CRS, WGS84), "road")
    driven = [row_of[frozenset(pair)] for pair in pairwise(path)]
    # the first and last metres may lie on a street that meets the walk's own at a crossing
    on = [edge for stretch in found if isinstance(stretch, OnNetwork) for edge in stretch.route.edges]
    assert len(found) == 1
    inner = [edge for edge in on if edge in driven]
    assert inner == driven
    assert set(on) - set(driven) <= {on[0], on[-1]}


def test_a_line_that_crosses_streets_follows_none(grid):
    network, _ = grid
    line = shapely.LineString([at(0.5, 0.1), at(4.5, 4.9)])
    (found,) = match_line(network, project(line, CRS, WGS84), "road")
    assert isinstance(found, OffNetwork)


def test_a_line_leaves_a_street_and_comes_back(grid):
    network, row_of = grid
    line = shapely.LineString([at(1, 0.05), at(1, 2), at(1.5, 2.5), at(1.5, 3.5), at(1, 4), at(1, 4.95)])
    found = match_line(network, project(line, CRS, WGS84), "road")
    assert [type(stretch) for stretch in found] == [OnNetwork, OffNetwork, OnNetwork]
    # where it leaves over a crossing, the first metres may be on the street that it crosses
    assert found[0].route.edges[:2] == tuple(row_of[frozenset(pair)] for pair in (((1, 0), (1, 1)), ((1, 1), (1, 2))))
    assert found[1].to_m - found[1].from_m == pytest.approx(1000 * (1 + 2 * 0.5**0.5), abs=350)


def test_stretches_lie_end_to_end_over_the_whole_line(grid):
    network, _ = grid
    line = shapely.LineString([at(0.3, 0.3), at(2, 1), at(2, 4), at(3.4, 4.4)])
    found = match_line(network, project(line, CRS, WGS84), "road")
    assert found[0].from_m == 0
    assert found[-1].to_m == pytest.approx(line.length, rel=1e-3)
    assert all(a.to_m == b.from_m for a, b in pairwise(found))


def test_nothing_near_is_all_off_the_network(grid):
    network, _ = grid
    far = project(shapely.LineString([at(60, 60), at(60, 61)]), CRS, WGS84)
    (found,) = match_line(network, far, "road")
    assert isinstance(found, OffNetwork)
    assert found.to_m == pytest.approx(CELL_M, rel=1e-2)
    (rail,) = match_line(network, street((0, 0), (0, 3)), "rail")
    assert isinstance(rail, OffNetwork)
