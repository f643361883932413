"""Laws that every optimum obeys and what the certificate of a line promises, on made-up ground and on the Alps."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine

import corridor.alignment.align as way_in
import corridor.alignment.turning as turning_limits
from corridor.alignment import headings, refine
from corridor.alignment.align import align, find_way, share_searches, solve, solve_on_cells
from corridor.alignment.headings import bound_bends
from corridor.alignment.links import SearchOptions, Stage, build_ground
from corridor.alignment.pricing import price_pieces, split_line
from corridor.alignment.primed import Question, find_start_costs, search_primed
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.alignment.search import build_problem, search, state_points, trace_states
from corridor.alignment.spirals import ARC_STEP
from corridor.alignment.turning import Course, TurnSearch
from corridor.errors import SearchRoomError
from corridor.schema.fields import Grid
from tests.alignment.helpers import costs, hills, hillside_costs, standard

PRICES = (8.0, 20.0, 60.0, 120.0)
ENDS = (10_050.0, -650.0), (14_150.0, -4_250.0)


def range_of_hills(cells=50, seed=4, chain=5 / 7):
    """Hills over 5 km with a chain across them at a share of their width, the same on every machine."""
    z = np.array(hills((cells, cells), 100.0, 250.0, seed, smooth=6.0).z)
    ridge = 300.0 * np.exp(-(((np.arange(cells) - int(chain * cells)) / 8.0) ** 2))
    return z + ridge[:, None]


def asked(z, standard_, prices, options):
    rows, cols = z.shape
    grid = Grid("EPSG:32632", Affine(100, 0, 10_000, 0, -100, 0), (rows, cols))
    return AlignmentProblem(build_terrain(z, grid), *ENDS, standard_, prices, options)


def tunnel_km(z, design, prices, options):
    way = find_way(asked(z, design, prices, options))
    points = state_points(way.problem, trace_states(way.problem, way.found))
    pieces = split_line(points, way.problem.ground, design, prices)
    return price_pieces(pieces, design, prices).tunnel_km, way.found.cost_musd


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
        return find_way(asked(z, design, costs(), options)).found.cost_musd

    by_grade = [cost(standard(grade), options) for grade in (1.5, 2.0, 3.0, 5.0)]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_grade))
    levels = ((0.0,), (-20.0, 0.0), (-20.0, 0.0, 10.0), (-20.0, -10.0, 0.0, 10.0))
    by_levels = [cost(standard(2.5), replace(options, offsets_m=offsets)) for offsets in levels]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_levels))
    by_moves = [cost(standard(4.0), replace(options, neighbours=n, directions=0)) for n in (8, 16, 32)]
    assert all(b <= a + 1e-9 for a, b in pairwise(by_moves))


@pytest.mark.parametrize("offsets", [(0.0,), SearchOptions().offsets_m])
def test_the_primed_search_finds_what_a_search_that_begins_anew_finds(offsets):
    ground = build_ground(range_of_hills(40, 3, chain=1.1), 200.0)
    options = SearchOptions(offsets_m=offsets, max_structure_km=8.0)
    rng = np.random.default_rng(1)
    for tunnel in (10.0, 30.0, 90.0):
        start, end = (tuple(int(v) for v in rng.integers(2, 38, 2)) for _ in range(2))
        question = Question(ground, start, end, standard(2.5), costs(tunnel=tunnel), options)
        for factor, from_end in ((1.0, False), (1.2, True)):
            plain = search(build_problem(*question), factor, from_end)
            _, primed = search_primed(question, factor, from_end)
            assert primed.cost_musd == pytest.approx(plain.cost_musd, rel=1e-12)
            # A wider search knows as much of every state that it settles, whatever it didn't have to do again.
            both = plain.settled & primed.settled
            assert factor == 1.0 or np.allclose(primed.cost[both], plain.cost[both], rtol=1e-12, atol=0.0)
            assert factor == 1.0 or (primed.settled == plain.settled).all()


def test_the_primed_search_of_a_part_of_the_ground_finds_what_one_that_begins_anew_finds():
    ground, options = build_ground(range_of_hills(45, 3), 200.0), SearchOptions(max_structure_km=8.0)
    question = Question(ground, (3, 4), (40, 38), standard(2.5), costs(), options)
    row, col = np.indices(ground.shape)
    usable = np.abs(row - col) <= 6
    plain = search(build_problem(*question, usable), 4.0, True)
    problem, primed = search_primed(question, 4.0, True, usable=usable)
    assert len(problem.node_of) == usable.sum()
    assert primed.cost_musd == pytest.approx(plain.cost_musd, rel=1e-12)
    assert (primed.settled == plain.settled).all()
    assert np.allclose(primed.cost[primed.settled], plain.cost[plain.settled], rtol=1e-12, atol=0.0)


def test_what_a_looser_grade_found_leads_searches_of_stricter_ones_to_the_same():
    options = SearchOptions(max_structure_km=8.0)
    question = Question(build_ground(range_of_hills(36, 3), 200.0), (3, 4), (32, 30), standard(4.0), costs(), options)
    looser, shares = find_start_costs(question), []
    for grade in (1.5, 2.5, 4.0):
        stricter = question._replace(standard=standard(grade, min_radius_m=500.0))
        assert looser.hold_for(stricter)
        problem, plain = search_primed(stricter, 1.1, True)
        _, led = search_primed(stricter, 1.1, True, looser.least_musd)
        assert led.cost_musd == pytest.approx(plain.cost_musd, rel=1e-12)
        assert plain.settled[led.settled].all()
        shares.append(led.settled.sum() / plain.settled.sum())
        assert np.allclose(led.cost[led.settled], plain.cost[led.settled], rtol=1e-12, atol=0.0)
        # Every state that a line within the factor passes is known as well as without.
        from_start = search(problem, 1.1, guide=plain)
        passed = from_start.settled & (from_start.cost + plain.cost <= 1.1 * plain.cost_musd * (1.0 - 1e-9))
        assert led.settled[passed].all()
    assert max(shares) < 1.0
    assert np.mean(shares) < 0.8
    assert not looser.hold_for(question._replace(standard=standard(5.0)))
    assert not looser.hold_for(question._replace(standard=standard(2.5, max_cut_m=25.0)))
    assert not looser.hold_for(question._replace(costs=costs(tunnel=31.0)))
    assert not looser.hold_for(question._replace(start=(3, 5)))


def test_lines_that_share_a_search_are_those_that_are_sought_alone():
    problem = asked(range_of_hills(seed=7), standard(4.0), costs(), SearchOptions(offsets_m=(-20.0, 0.0, 10.0)))
    options = replace(problem.options, max_structure_km=6.0, max_direct_km=12.0)
    problem = replace(problem, options=options)
    several = [replace(problem, standard=standard(grade, min_radius_m=50.0)) for grade in (2.5, 4.0)]
    shared = share_searches(several)
    assert all(one.start_costs is not None for one in shared)
    for one, alone in zip(shared, several, strict=True):
        line, other = solve(one), solve(alone)
        assert np.array_equal(line.line, other.line)
        assert line.tunnel_km > 0
        assert (line.search_price_musd, line.gap_musd) == (other.search_price_musd, other.gap_musd)
    # Where parts of the ground are left out, or more than grades differ, each is sought alone.
    assert share_searches(several[:1]) == several[:1]
    assert share_searches([several[0], replace(several[1], standard=standard(4.0, max_cut_m=25.0))])[0] is several[0]
    narrowed = [replace(one, options=replace(one.options, narrowing=(Stage(1, 1.1, levels=True),))) for one in several]
    assert share_searches(narrowed) == narrowed


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
    # a line that bends cost a fifth more than one that needn't, and the hasty one more than the best
    problem = replace(
        asked(range_of_hills(60, 7, chain=5 / 6), standard(3.5), costs(), options), end_xy=(14_950.0, -4_950.0)
    )
    way = find_way(problem, 1.4)
    backward = search(way.problem, 1.4, reverse=True, guide=way.found)
    bound = 1.4 * way.found.cost_musd
    search_all = TurnSearch(way.problem, backward, bound, 300.0)
    course, exact = search_all.exact()
    assert course.states
    assert search_all.least_musd == exact
    held = TurnSearch(way.problem, backward, bound, 300.0)
    monkeypatch.setattr(turning_limits, "FEW_LINKS", search_all._used // 20)
    assert not held.exact()[0].states
    assert not held.is_exhausted
    monkeypatch.setattr(turning_limits, "MAX_LINKS", search_all._used * 19 // 20)
    course, price = held.certify(*held.hasty())
    assert course.states
    assert held.least_musd <= exact * (1 + 1e-9)
    assert exact <= price * (1 + 1e-9)


@pytest.mark.parametrize(("seed", "radius"), [(9, 120.0), (8, 250.0)])
@pytest.mark.parametrize("apart", [0, 4])
def test_what_is_known_of_headings_bounds_the_rest_of_every_line_with_bends(monkeypatch, seed, apart, radius):
    options = SearchOptions(offsets_m=(-20.0, 0.0), max_structure_km=4.0)
    problem = replace(asked(range_of_hills(34, seed), standard(3.5), costs(), options), end_xy=(12_950.0, -3_150.0))
    within = 3.0
    monkeypatch.setattr(headings, "APART_CELLS", apart)
    monkeypatch.setattr(headings, "BEYOND", within)
    way = find_way(problem, within, from_end=True)
    bound = within * way.found.cost_musd
    turning = TurnSearch(way.problem, way.found, bound, radius)
    course, best = turning.exact()
    assert best > 1.5 * way.found.cost_musd
    forward = search(way.problem, within, guide=way.found)
    known = bound_bends(way.problem, forward, bound, radius)
    assert way.found.cost_musd * (1 - 1e-6) <= known.least_musd <= best * (1 + 1e-9)
    # Along the best line what it cost so far and the bound on the rest come to no more than the line.
    so_far = _spent(turning, course)
    assert (so_far + known.behind_musd[course.states] <= best * (1 + 1e-6)).all()
    assert (known.behind_musd[course.states] >= way.found.cost[course.states] * (1 - 1e-6)).all()


def _spent(turning, course):
    """What a line cost up to each of its states."""
    price_of = {}
    for e in range(turning._used):
        link = turning._links.of[e]
        pair = int(turning._links.source[e]), int(link["target"])
        price_of[pair] = min(float(link["price"]), price_of.get(pair, np.inf))
    prices = [price_of[pair] for pair in pairwise(course.states)]
    return np.concatenate([[0.0], np.cumsum(prices)])


@pytest.mark.parametrize("seed", [8, 9])
def test_a_search_that_knows_headings_finds_the_line_of_one_that_does_not(seed):
    options = SearchOptions(offsets_m=(0.0,), max_structure_km=4.0)
    problem = replace(asked(range_of_hills(36, seed), standard(2.5), costs(), options), end_xy=(13_150.0, -3_350.0))
    way = find_way(problem, 3.0, from_end=True)
    bound = 3.0 * way.found.cost_musd
    plain, led = (TurnSearch(way.problem, way.found, bound, 250.0) for _ in range(2))
    course, best = plain.exact()
    assert best > 1.01 * way.found.cost_musd
    for given in ((course, 1.005 * best), (Course([], []), bound)):
        proved, cost = led.certify(*given)
        assert cost == pytest.approx(best, rel=1e-12)
        assert led.least_musd == pytest.approx(best, rel=1e-9)
        assert (proved.states[0], proved.states[-1]) == (course.states[0], course.states[-1])
    assert led._used < plain._used


@pytest.mark.parametrize(
    ("seed", "cells", "height", "smooth", "grade", "radius", "offsets"),
    [
        (16, 20, 120.0, 2.5, 3.0, 110.0, (-10.0, 0.0, 10.0)),
        (50, 22, 60.0, 2.5, 2.0, 150.0, (-10.0, 0.0, 10.0)),
        (267, 24, 120.0, 4.0, 2.0, 300.0, (0.0,)),
        (281, 24, 120.0, 2.5, 2.0, 300.0, (0.0,)),
        (301, 15, 120.0, 2.5, 5.0, 150.0, (0.0,)),
        (376, 18, 60.0, 4.0, 2.0, 110.0, (-10.0, 0.0, 10.0)),
    ],
)
def test_a_state_that_is_come_to_for_less_later_on_is_looked_at_again(
    seed, cells, height, smooth, grade, radius, offsets
):
    # What is left with bends is a bound of states: on one ground in thirty a dearer way to one came up first, and a
    # line up to two per cent above the cheapest counted as proved.
    z, side_m = np.array(hills((cells, cells), 100.0, height, seed, smooth=smooth).z), (cells - 2) * 100.0
    problem = asked(z, standard(grade), costs(), SearchOptions(offsets_m=offsets, max_structure_km=1.5))
    problem = replace(problem, start_xy=(10_150.0, -150.0), end_xy=(9_950.0 + side_m, 50.0 - side_m))
    way = find_way(problem, 2.0, from_end=True)
    bound = 2.0 * way.found.cost_musd
    plain, led, given = (TurnSearch(way.problem, way.found, bound, radius) for _ in range(3))
    course, best = plain.exact()
    assert best > 1.002 * way.found.cost_musd
    assert led.certify(Course([], []), bound)[1] == pytest.approx(best, rel=1e-9)
    assert given.certify(course, 1.01 * best)[1] == pytest.approx(best, rel=1e-9)


def cheapest_over_bends(problem, links, used, radius):
    """Dijkstra's algorithm whose nodes are bends; each knows what its curve takes off the link that follows."""
    at = state_points(problem, list(range(len(problem.node_of) * problem.n_states)))
    cell, grade = problem.ground.dx_m, problem.standard.max_grade_up_pct / 100
    ends = [(at[links.source[e]], at[links.of["target"][e]]) for e in range(used)]

    def loss_between(e, f, before):
        u, v = ((b[:2] - a[:2]) * cell for a, b in (ends[e], ends[f]))
        along, across = u @ v, abs(u[0] * v[1] - u[1] * v[0])
        angle, room = np.arctan2(across, along), 0.5 * min(np.hypot(*u), np.hypot(*v))
        tangent = radius * np.tan(angle / 2)
        if along <= -np.hypot(*u) * np.hypot(*v) * (1 - 1e-9) or tangent > room:
            return None
        chords = max(np.ceil(angle / ARC_STEP), 1)
        loss = tangent - chords * radius * np.sin(angle / (2 * chords)) if angle > 0 else 0.0
        rises = [abs(b[2] - a[2]) for a, b in (ends[e], ends[f])]
        fits = rises[0] <= grade * (np.hypot(*u) - before - loss) and rises[1] <= grade * (np.hypot(*v) - loss)
        return loss if fits else None

    begin, end = problem.state(problem.start), problem.state(problem.goal)
    first, last = links.at["first"], links.at["last"]
    out = {u: range(first[u], last[u]) for u in np.flatnonzero(first >= 0)}
    waiting = [(links.of["price"][e], -1, e, 0.0) for e in out[begin]]
    heapify(waiting)
    done = set()
    while waiting:
        cost, before, e, loss = heappop(waiting)
        if links.of["target"][e] == end:
            return cost
        if (before, e) in done:
            continue
        done.add((before, e))
        for f in out.get(links.of["target"][e], ()):
            following = loss_between(e, f, loss)
            if following is not None:
                heappush(waiting, (cost + links.of["price"][f], e, f, following))
    return np.inf


@pytest.mark.parametrize("seed", range(6))
def test_bends_that_steepen_a_link_at_both_ends_are_weighed_against_each_other(seed):
    """What a curve takes off a steep link may close the next bend: the cheapest way to a link isn't always the best."""
    ground = build_ground(np.array(hills((9, 9), 100.0, 22.0, seed, smooth=1.5).z), 100.0)
    options = SearchOptions(neighbours=16, directions=0, offsets_m=(0.0,), max_structure_km=0.1)
    problem = build_problem(ground, (0, 1), (8, 7), standard(6.0), costs(), options)
    forward = search(problem, 3.0)
    backward = search(problem, 3.0, reverse=True, guide=forward)
    turning = TurnSearch(problem, backward, 3.0 * forward.cost_musd, 110.0)
    _, price = turning.exact()
    # Links of every state that a line can pass are priced once the search has been everywhere.
    turning._run((), 3.0 * forward.cost_musd, np.inf, 0, 10**6)
    links, used = turning._links, turning._used
    assert price == pytest.approx(cheapest_over_bends(problem, links, used, 110.0), rel=1e-12)


def test_on_request_the_whole_ground_proves_how_good_a_narrowed_line_is():
    z, narrowing = range_of_hills(46, 7), (Stage(5, 1.0, dilate_cells=0),)
    options = SearchOptions(offsets_m=(-20.0, 0.0, 10.0), max_structure_km=4.0, narrowing=narrowing)
    problem = replace(asked(z, standard(2.5), costs(), options), end_xy=(13_950.0, -3_950.0))
    assert find_way(problem).least_musd is None
    certified = find_way(replace(problem, options=replace(options, certify=True)))
    whole = find_way(replace(problem, options=replace(options, narrowing=())))
    assert certified.found.cost_musd == pytest.approx(whole.found.cost_musd, rel=1e-12)
    assert certified.least_musd == certified.found.cost_musd
    assert trace_states(certified.problem, certified.found)


def test_where_bends_leave_no_room_a_line_is_sought_on_wider_cells(monkeypatch):
    options = SearchOptions(neighbours=8, directions=0, offsets_m=(0.0,), max_structure_km=1.0)
    z = np.array(hills((32, 32), 100.0, 60.0, 4, smooth=6.0).z)
    ends = {"start_xy": (10_350.0, -350.0), "end_xy": (12_850.0, -2_850.0)}
    fine = replace(asked(z, standard(6.0, min_radius_m=50.0), costs(), options), **ends)
    monkeypatch.setattr(turning_limits, "FEW_LINKS", 1)
    monkeypatch.setattr(turning_limits, "MAX_LINKS", 1)
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
    monkeypatch.setattr(turning_limits, "FEW_LINKS", 1)
    monkeypatch.setattr(turning_limits, "MAX_LINKS", 1)
    # Where wider cells can't be had either, the error is that of the cells asked for.
    with pytest.raises(SearchRoomError, match="minimum radius"):
        solve_on_cells(fine, lambda cell_m: replace(fine, end_xy=(0.0, 0.0)))


def test_on_large_ground_a_line_with_bends_is_found_beside_one_on_wider_cells(monkeypatch):
    options = SearchOptions(offsets_m=(0.0, 10.0), max_structure_km=4.0)
    problem = asked(range_of_hills(46, 7), standard(3.0, min_radius_m=200.0), costs(), options)
    problem = replace(problem, end_xy=(13_950.0, -3_950.0))
    exact = solve(problem)
    monkeypatch.setattr(way_in, "MOST_STATES", 0)
    beside = solve(problem)
    assert beside.gap_musd is None
    assert beside.min_radius_m >= 200.0 * (1 - 1e-9)
    assert exact.search_price_musd * (1 - 1e-9) <= beside.search_price_musd <= 1.02 * exact.search_price_musd
    # A certificate is that of the whole ground, whichever way the line was found.
    monkeypatch.setattr(turning_limits, "FEW_LINKS", 1)
    proved = solve(replace(problem, options=replace(options, certify=True)))
    assert proved.gap_musd is not None
    least = proved.search_price_musd - proved.gap_musd
    assert least <= exact.search_price_musd * (1 + 1e-9)
    assert proved.search_price_musd <= exact.search_price_musd * 1.01 + exact.gap_musd


def test_beside_wider_cells_a_line_is_sought_where_lines_without_bends_run(monkeypatch):
    options = SearchOptions(offsets_m=(-10.0, 0.0, 7.0), max_structure_km=4.0)
    problem = asked(range_of_hills(46, 7), standard(3.0, min_radius_m=200.0), costs(), options)
    problem = replace(problem, end_xy=(13_950.0, -3_950.0))
    question, way = way_in._question(problem), find_way(problem)
    free = refine.near_free_lines(question)
    nodes = state_points(way.problem, trace_states(way.problem, way.found))[:, :2].astype(int)
    assert free[tuple(nodes.T)].all()
    # A corridor that isn't on the way takes them in; without them there is no way in it.
    corner = np.zeros(question.ground.shape, dtype=bool)
    corner[:2, -2:] = True
    assert refine.search_beside(question, corner, free).free_musd == pytest.approx(way.found.cost_musd, rel=1e-9)
    monkeypatch.setattr(refine, "FREE_STATES", 0)
    assert refine.near_free_lines(question) is None


def test_where_wider_cells_have_no_line_one_is_sought_where_lines_without_bends_run(monkeypatch):
    """A place on a summit may be too steep to get away from on wide cells, and nothing at all was found."""
    options = SearchOptions(offsets_m=(-10.0, 0.0, 7.0), max_structure_km=4.0)
    problem = asked(range_of_hills(46, 7), standard(3.0, min_radius_m=200.0), costs(), options)
    problem = replace(problem, end_xy=(13_950.0, -3_950.0))
    exact = solve(problem)
    monkeypatch.setattr(way_in, "MOST_STATES", 0)
    monkeypatch.setattr(way_in, "sketch_bends", lambda question: None)
    found = solve(problem)
    assert found.gap_musd is None
    assert exact.search_price_musd * (1 - 1e-9) <= found.search_price_musd <= 1.02 * exact.search_price_musd
    monkeypatch.setattr(refine, "FREE_STATES", 0)
    with pytest.raises(SearchRoomError, match="minimum radius"):
        solve(problem)


def winding(**more):
    """A question whose lines wind between places on either side of a range."""
    options = SearchOptions(offsets_m=(-10.0, 0.0, 7.0), max_structure_km=4.0, **more)
    problem = asked(range_of_hills(46, 11), standard(3.0, min_radius_m=200.0), costs(), options)
    return way_in._question(replace(problem, end_xy=(13_950.0, -3_950.0)))


def test_near_a_line_that_a_hasty_search_found_none_is_cheaper(monkeypatch):
    question = winding()
    turning = refine.search_beside(question, None)
    monkeypatch.setattr(turning_limits, "HASTY", ((2, 0.3),))
    course, price = turning.hasty()
    exact = refine.search_beside(question, None).cheapest()[1]
    assert price > 1.01 * exact
    monkeypatch.setattr(refine, "CLOSE", 3)
    close, nearer, its_price = refine.search_close(question, turning, course, price)
    assert exact * (1 - 1e-9) <= its_price < 0.999 * price
    # All lines as near to the one found as it was searched, exactly and with room for any number of links.
    passed = refine.mark_line(state_points(close.problem, nearer.states)[:, :2], question.ground.shape)
    around = refine.binary_dilation(passed, np.ones((3, 3)), iterations=3)
    assert its_price <= 1.001 * refine.search_beside(question, around).cheapest()[1]
    # Where that is too much ground, and where nothing was found, all stays as it was.
    assert refine.search_close(question, turning, Course([], []), np.inf)[0] is turning
    monkeypatch.setattr(refine, "CLOSE_STATES", 0)
    assert refine.search_close(question, turning, course, price) == (turning, course, price)


def test_stretch_by_stretch_a_line_gets_cheaper_where_there_is_no_room_to_look_along_all_of_it(monkeypatch):
    question = winding()
    turning = refine.search_beside(question, None)
    monkeypatch.setattr(turning_limits, "HASTY", ((2, 0.3),))
    course, price = turning.hasty()
    exact = refine.search_beside(question, None).cheapest()[1]
    nodes = refine._nodes_of(turning, course)
    monkeypatch.setattr(refine, "CLOSE", 5)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(nodes, axis=0).T))])
    shape, stretch = question.ground.shape, along[-1] / 2
    whole = refine._around_stretch(nodes, along, (0.0, np.inf), 5, shape)
    monkeypatch.setattr(refine, "CLOSE_STATES", int(0.9 * np.count_nonzero(whole) * question.node_states))
    monkeypatch.setattr(refine, "STRETCH", np.inf)
    assert refine.search_close(question, turning, course, price) == (turning, course, price)
    monkeypatch.setattr(refine, "STRETCH", stretch)
    close, nearer, its_price = refine.search_close(question, turning, course, price)
    assert exact * (1 - 1e-9) <= its_price < 0.99 * price
    # In none of the stretches of the line that comes of it is a cheaper one left, but for what a round may leave.
    nodes = refine._nodes_of(close, nearer)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(nodes, axis=0).T))])
    for begin in np.arange(0.0, along[-1], stretch / 2):
        freed = refine._around_stretch(nodes, along, (begin, begin + stretch), 5, shape)
        assert freed[tuple(nodes.T)].all()
        assert its_price * 0.998 <= refine.search_beside(question, freed).cheapest()[1]


@pytest.mark.parametrize("room", ["few links", "headings", "none"])
def test_of_lines_below_a_price_the_cheapest_is_found_by_few_links_or_by_headings(room, monkeypatch):
    question = winding()
    course, exact = refine.search_beside(question, None).cheapest()
    plain = refine.search_beside(question, None)
    last = plain._prove((), 1.05 * exact, 10_000_000)
    assert plain._cost(last) == exact
    monkeypatch.setattr(turning_limits, "FEW_LINKS", {"few links": 10 * plain._used, "none": 1}.get(room, plain._used))
    turning = refine.search_beside(question, None)
    found, price = turning.closer(1.05 * exact)
    if room == "none":
        # A hasty search of all links proves nothing, and may find nothing.
        assert exact * (1 - 1e-9) <= price
    else:
        assert price == pytest.approx(exact, rel=1e-12)
        assert (found.states[0], found.states[-1]) == (course.states[0], course.states[-1])
    assert (turning._ahead_to > 0.0) == (room != "few links")
    assert turning.closer(exact) == (Course([], []), np.inf)


def test_without_long_links_between_some_heights_nothing_is_cheaper_and_a_hasty_line_is_still_one(monkeypatch):
    question = winding(coarse_offsets_m=(0.0,))
    (_, whole), (few_problem, few) = (search_primed(question, 3.0, True, few_far=few) for few in (False, True))
    is_known = few.settled & whole.settled
    assert (few.cost >= whole.cost * (1 - 1e-9))[is_known].all()
    assert (few.cost > whole.cost * (1 + 1e-6))[is_known].any()
    # What leads a rough search lacks links, and what it takes doesn't.
    rough, exact = refine.search_beside(question, None, rough=True), refine.search_beside(question, None)
    assert rough.problem.levels.is_far.all()
    assert not few_problem.levels.is_far.all()
    course, price = rough.hasty()
    assert course.states
    assert price >= exact.cheapest()[1] * (1 - 1e-9)
    # Where all heights are among those of coarser cells nothing is left out.
    same = replace(question.options, coarse_offsets_m=question.options.offsets_m)
    again = search_primed(question._replace(options=same), 3.0, True, few_far=True)[1]
    assert np.array_equal(again.cost, whole.cost)


TUNNELS = (12.5, 25.0, 50.0, 75.0, 100.0)


@pytest.fixture(scope="module")
def under_the_gotthard(data_folder):
    """Asks for lines from Erstfeld to Biasca at 27 per mille, over cells of about 740 by 760 m."""
    with zipfile.ZipFile(data_folder / "alps" / "N46E008.SRTMGL3.hgt.zip") as archive:
        z = np.frombuffer(archive.read(archive.namelist()[0]), ">i2").reshape(1201, 1201).astype(float)
    z = z[152:840, 600:1200].reshape(86, 8, 50, 12).mean(axis=(1, 3))
    grid = Grid("EPSG:32632", Affine(763, 0, 0, 0, -741, 0), z.shape)
    terrain = build_terrain(z, grid)
    start, end = ((763 * (col + 0.5), -741 * (row + 0.5)) for row, col in ((8, 15), (78, 47)))
    options = SearchOptions(offsets_m=(-20.0, 0.0, 10.0))

    def ask(design, tunnel=25.0, **changes):
        return AlignmentProblem(terrain, start, end, design, hillside_costs(tunnel=tunnel), replace(options, **changes))

    return ask


@pytest.mark.parametrize("turns", [False, True])
def test_tunnels_under_the_gotthard_shrink_with_their_price(under_the_gotthard, turns):
    design = standard(2.7, min_radius_m=300.0)
    lines = [solve(under_the_gotthard(design, price, turns=turns)) for price in TUNNELS]
    assert lines[0].tunnel_km > lines[-1].tunnel_km + 5.0
    for (price, line), (next_price, after) in pairwise(zip(TUNNELS, lines, strict=True)):
        assert 0.0 <= after.gap_musd <= 0.01 * after.search_price_musd
        # What is drawn differs from what was searched by curves alone.
        slack = (line.gap_musd + after.gap_musd) / (next_price - price) + 0.005 * line.tunnel_km + 0.1
        assert after.tunnel_km <= line.tunnel_km + slack
        assert after.search_price_musd >= (line.search_price_musd - line.gap_musd) * (1 - 1e-9)


def test_looser_limits_and_more_heights_never_cost_more_under_the_gotthard(under_the_gotthard):
    heights = ((0.0,), (-20.0, 0.0), (-20.0, 0.0, 10.0), (-20.0, -10.0, 0.0, 10.0))
    nested = [
        [under_the_gotthard(standard(grade, min_radius_m=300.0)) for grade in (1.8, 2.7, 4.0)],
        [under_the_gotthard(standard(2.7, min_radius_m=radius)) for radius in (600.0, 300.0, 100.0)],
        [under_the_gotthard(standard(2.7, min_radius_m=300.0), 50.0, offsets_m=offsets) for offsets in heights],
    ]
    for asked_ in nested:
        for strict, loose in pairwise([solve(problem) for problem in asked_]):
            assert loose.search_price_musd - loose.gap_musd <= strict.search_price_musd * (1 + 1e-9)
            assert loose.unconstrained_price_musd <= strict.unconstrained_price_musd * (1 + 1e-9)
