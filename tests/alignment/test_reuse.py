"""An old formation is used where it pays, drawn as it lies and priced as an upgrade."""

from dataclasses import replace

import numpy as np
import pytest

from corridor.alignment.align import align
from corridor.alignment.problem import build_terrain
from corridor.alignment.reuse import build_reuse_links
from corridor.alignment.search import build_problem, search
from corridor.errors import AlignmentError
from corridor.schema.vocabulary import LineKind
from tests.alignment.helpers import costs, standard
from tests.alignment.test_align import QUICK, at, frame


def old_line(z, cell=200.0):
    grid = frame(z, cell)
    terrain = build_terrain(z, grid)
    rows = np.array([10.0, 6.0, 6.0, 10.0])
    x, y = grid.centres(rows, np.array([5.0, 12.0, 28.0, 35.0]))
    return grid, terrain, np.column_stack([x, y])


def test_an_old_line_is_followed_when_it_is_cheap():
    z = np.full((21, 41), 100.0)
    grid, terrain, path = old_line(z)
    links = build_reuse_links(terrain, path, costs(), length_km=7.0, tunnel_km=0.7, join_every_km=1.0)
    for turns in (False, True):
        options = replace(QUICK, reuse=links, turns=turns)
        line = align(z, grid, at(grid, 10, 2), at(grid, 10, 38), standard(), costs(), options)
        assert line.price.reused_km == pytest.approx(7.0, rel=1e-6)
        assert line.price.musd_of(LineKind.REUSED).mid == pytest.approx(7.0 * 1.5, rel=1e-6)
        assert line.price.total_musd == pytest.approx(10.5 + 5 * 1.2, rel=1e-6)
        assert line.price.total_musd == pytest.approx(line.search_price_musd, rel=1e-9)
        assert {s.kind for s in line.structures} == {"reused"}
        rows, _ = grid.fractional_index(line.line[:, 0], line.line[:, 1])
        assert rows.min() == pytest.approx(6.0)
        assert np.diff(line.chainage_m).min() > 0


def test_an_old_line_is_left_when_it_is_dear_or_too_steep():
    z = np.full((21, 41), 100.0)
    grid, terrain, path = old_line(z)
    dear = replace(costs(), upgrade=costs().tunnel)
    links = build_reuse_links(terrain, path, dear, join_every_km=1.0)
    line = align(z, grid, at(grid, 10, 2), at(grid, 10, 38), standard(), dear, replace(QUICK, reuse=links))
    assert line.price.reused_km == 0
    assert line.length_km == pytest.approx(7.2)


def test_with_old_pieces_a_search_from_either_end_agrees_and_never_costs_more():
    rng = np.random.default_rng(4)
    z = 100 + np.cumsum(rng.normal(size=(21, 41)), 1) * 3
    _, terrain, path = old_line(z)
    links = build_reuse_links(terrain, path, costs(), length_km=8.0, join_every_km=0.8)
    with_old = build_problem(terrain.ground, (10, 2), (10, 38), standard(), costs(), replace(QUICK, reuse=links))
    without = build_problem(terrain.ground, (10, 2), (10, 38), standard(), costs(), QUICK)
    forward = search(with_old).cost_musd
    assert search(with_old, reverse=True).cost_musd == pytest.approx(forward, rel=1e-12)
    assert search(with_old, informed=False).cost_musd == pytest.approx(forward, rel=1e-12)
    assert forward <= search(without).cost_musd * (1 + 1e-12)


def test_a_path_without_length_or_price_is_refused():
    z = np.full((21, 41), 100.0)
    _, terrain, path = old_line(z)
    with pytest.raises(AlignmentError, match="two points"):
        build_reuse_links(terrain, path[:1], costs())
    with pytest.raises(AlignmentError, match="upgrade"):
        build_reuse_links(terrain, path, replace(costs(), upgrade=costs().upgrade * 0.0))
