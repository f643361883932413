"""Laws that every optimum obeys and what the certificate of a line promises, on made-up ground and on the Alps."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine

import corridor.alignment.assembly as curves
from corridor.alignment.align import align, find_way, solve, solve_on_cells
from corridor.alignment.assembly import TurnSearch
from corridor.alignment.links import SearchOptions, build_ground
from corridor.alignment.pricing import price_pieces, split_line
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.alignment.search import Question, build_problem, search, search_primed, state_points, trace_states
from corridor.errors import SearchRoomError
from corridor.schema.fields import Grid
from tests.alignment.helpers import costs, hills, standard

PRICES = (8.0, 20.0, 60.0, 120.0)
ENDS = (10_050.0, -950.0), (16_050.0, -8_950.0)


def range_of_hills(cells=100, seed=4):
    """Hills over 10 km with a chain across them, the same on every machine."""
    z = np.array(hills((cells, cells), 100.0, 250.0, seed, smooth=6.0).z)
    ridge = 300.0 * np.exp(-(((np.arange(cells) - 50) / 8.0) ** 2))
    return z + ridge[:, None]


def asked(z, standard_, prices, options):
    rows, cols = z.shape
    grid = Grid("EPSG:32632", Affine(100, 0, 10_000, 0, -100, 0), (rows, cols))
    return AlignmentProblem(build_terrain(z, grid), *ENDS, standard_, prices, options)


def tunnel_km(z, design, prices, options):
    way = find_way(asked(z, design, prices, options))
    points = state_points(way.problem, trace_states(way.problem, way.forward))
    pieces = split_line(points, way.problem.ground, design, prices)
    return price_pieces(pieces, design, prices).tunnel_km, way.forward.cost_musd


@pytest.mark.parametrize(("offsets", "seed"), [((0.0,), 4), ((0.0,), 11), ((-20.0, 0.0, 10.0), 4)])
def test_dearer_tunnels_never_give_more_tunnel_and_never_a_cheaper_line(offsets, seed):
    z, options = range_of_hills(seed=seed), SearchOptions(offsets_m=offsets, max_structure_km=6.0)
    found = [tunnel_km(z, standard(2.5), costs(tunnel=price), options) for price in PRICES]
    assert found[0][0] > found[-1][0]
    for (km, musd), (next_km, next_musd) in pairwise(found):
        assert next_km <= km + 1e-9
        assert next_musd >= musd - 1e-9


def test_a_looser_limit_and_more_heights_never_cost_more():
    z, options = range_of_hills(), SearchOptions(offsets_m=(0.0,), max_structure_km=6.0)

    def cost(design, options):
        return find_way(asked(z, design, costs(), options)).forward.cost_musd

    by_grade = [cost(standard(grade), options) for grade in (1.5, 2.0, 3.0, 5.0)]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_grade))
    levels = ((0.0,), (-20.0, 0.0), (-20.0, 0.0, 10.0), (-20.0, -10.0, 0.0, 10.0))
    by_levels = [cost(standard(2.5), replace(options, offsets_m=offsets)) for offsets in levels]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_levels))
    by_moves = [cost(standard(2.5), replace(options, neighbours=n, directions=0)) for n in (8, 16, 32)]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_moves))


@pytest.mark.parametrize("offsets", [(0.0,), SearchOptions().offsets_m])
def test_the_primed_search_finds_what_a_search_that_begins_anew_finds(offsets):
    ground = build_ground(range_of_hills(45, 3), 200.0)
    options = SearchOptions(offsets_m=offsets, max_structure_km=8.0)
    rng = np.random.default_rng(1)
    for tunnel in (10.0, 30.0, 90.0):
        start, end = (tuple(int(v) for v in rng.integers(2, 43, 2)) for _ in range(2))
        question = Question(ground, start, end, standard(2.5), costs(tunnel=tunnel), options)
        plain = search(build_problem(*question))
        assert search_primed(question)[1].cost_musd == pytest.approx(plain.cost_musd, rel=1e-12)


def test_drawn_lines_keep_the_law_within_their_certificates():
    z, options = range_of_hills(), SearchOptions(offsets_m=(-20.0, 0.0), max_structure_km=6.0, max_direct_km=12.0)
    grid = Grid("EPSG:32632", Affine(100, 0, 10_000, 0, -100, 0), z.shape)
    design, prices = standard(4.0, min_radius_m=50.0), PRICES[1:]
    lines = [align(z, grid, *ENDS, design, costs(tunnel=price), options) for price in prices]
    assert all(line.gap_musd is not None and line.gap_musd >= 0 for line in lines)
    for (price, line), (next_price, after) in pairwise(zip(prices, lines, strict=True)):
        slack = (line.gap_musd + after.gap_musd) / (next_price - price) + 0.005 * line.tunnel_km + 0.1
        assert after.tunnel_km <= line.tunnel_km + slack


def test_a_search_without_room_finds_a_line_and_says_by_how_much_it_may_be_off(monkeypatch):
    options = SearchOptions(offsets_m=(-20.0, 0.0, 10.0), max_structure_km=6.0)
    problem = asked(range_of_hills(), standard(2.5), costs(), options)
    way = find_way(problem, 1.4)
    backward = search(way.problem, 1.4, reverse=True, guide=way.forward)
    bound = 1.4 * way.forward.cost_musd
    course, exact, least = TurnSearch(way.problem, backward, bound, 300.0).cheapest()
    assert course.states
    assert least == exact
    held = TurnSearch(way.problem, backward, bound, 300.0)
    used = []
    real = curves.search_turns
    monkeypatch.setattr(curves, "search_turns", lambda *args: used.append(args[12]) or real(*args))
    monkeypatch.setattr(curves, "MAX_LINKS", 30_000)
    course, price, least = held.cheapest()
    assert used[0] == 1.0
    assert len(used) > 1
    assert course.states
    assert least <= exact * (1 + 1e-9)
    assert exact <= price * (1 + 1e-9)


def test_where_bends_leave_no_room_a_line_is_sought_on_wider_cells(monkeypatch):
    options = SearchOptions(neighbours=8, directions=0, offsets_m=(0.0,), max_structure_km=1.0)
    z = np.array(hills((32, 32), 100.0, 60.0, 4, smooth=6.0).z)
    ends = {"start_xy": (10_350.0, -350.0), "end_xy": (12_850.0, -2_850.0)}
    fine = replace(asked(z, standard(6.0, min_radius_m=50.0), costs(), options), **ends)
    monkeypatch.setattr(curves, "MAX_LINKS", 1)
    with pytest.raises(SearchRoomError) as fault:
        solve(fine)
    assert fault.value.least_musd == pytest.approx(find_way(fine).least_musd)

    def framed(cell_m):
        monkeypatch.undo()
        grid = replace(fine.terrain.grid, transform=fine.terrain.grid.transform * Affine.scale(2), shape=(16, 16))
        return replace(fine, terrain=build_terrain(z.reshape(16, 2, 16, 2).mean(axis=(1, 3)), grid))

    found = solve_on_cells(fine, framed)
    assert found.cell_m == 200.0
    assert found.gap_musd is not None
    assert found.notes[0].key == "new_line.wider"
    monkeypatch.setattr(curves, "MAX_LINKS", 1)
    # Where wider cells can't be had either, the error is that of the cells asked for.
    with pytest.raises(SearchRoomError, match="minimum radius"):
        solve_on_cells(fine, lambda cell_m: replace(fine, end_xy=(0.0, 0.0)))


def test_tunnels_under_the_gotthard_shrink_with_their_price(data_folder):
    with zipfile.ZipFile(data_folder / "alps" / "N46E008.SRTMGL3.hgt.zip") as archive:
        z = np.frombuffer(archive.read(archive.namelist()[0]), ">i2").reshape(1201, 1201).astype(float)
    ground = z[200:800:6, 500:1180:4]  # cells of about 500 by 300 m
    options = SearchOptions(offsets_m=(-20.0, 0.0, 10.0))
    question = Question(build_ground(ground, 258.0, 556.0), (5, 25), (90, 160), standard(2.7), costs(), options)
    found = []
    for price in (20.0, 60.0, 120.0):
        problem, forward = search_primed(question._replace(costs=costs(tunnel=price)))
        points = state_points(problem, trace_states(problem, forward))
        pieces = split_line(points, problem.ground, problem.standard, problem.costs)
        found.append(price_pieces(pieces, problem.standard, costs()).tunnel_km)
    assert found[0] >= found[1] >= found[2]
