"""The search against an explicit graph, and the laws that any optimum obeys."""

from dataclasses import replace

import numpy as np
import pytest

from corridor.alignment import search as searching
from corridor.alignment.links import SearchOptions, build_ground
from corridor.alignment.pricing import price_pieces, split_line
from corridor.alignment.problem import AlignmentProblem
from corridor.alignment.search import build_problem, search, state_points, trace_states
from tests.alignment.helpers import costs, hills, hillside_costs, standard
from tests.alignment.oracle import explicit_cost


def random_problem(seed):
    """A grid, a standard and options that differ with the seed in every option there is."""
    rng = np.random.default_rng(seed)
    largest = 26 if seed % 15 == 0 else 13
    rows, cols = int(rng.integers(4, largest)), int(rng.integers(4, largest))
    offsets = [(0.0,), (-20.0, 0.0), (0.0, 14.0), (-20.0, 0.0, 10.0)][int(rng.integers(4))]
    if rows * cols > 150:
        offsets = (0.0,)
    z = np.cumsum(np.cumsum(rng.normal(size=(rows, cols)), 0), 1)
    z = 500 + z / (np.abs(z).max() + 1e-9) * rng.choice([20.0, 60.0, 200.0])
    mask = (rng.random((rows, cols)) < 0.1) * rng.choice([1, 2, 4, 7], (rows, cols)) if seed % 3 == 0 else None
    friction = rng.uniform(0, 5, (rows, cols)) if seed % 4 == 0 else None
    if mask is not None:
        mask[1, 1] = mask[rows - 2, cols - 2] = 0
    ground = build_ground(z, 200.0, float(rng.choice([200.0, 170.0])), mask, friction)
    design = standard(float(rng.choice([1.2, 2.5, 6.0])), float(rng.choice([1.2, 2.5, 6.0])))
    prices = (costs, hillside_costs)[seed % 2](
        tunnel=float(rng.choice([12.0, 30.0])), bridge=float(rng.choice([8.0, 25.0]))
    )
    options = SearchOptions(
        neighbours=int(rng.choice([8, 16, 32])),
        directions=int(rng.choice([0, 16, 64])),
        max_structure_km=float(rng.choice([0.8, 3.0])),
        max_direct_km=[None, 1.5][int(rng.integers(2))],
        offsets_m=offsets,
    )
    return build_problem(ground, (1, 1), (rows - 2, cols - 2), design, prices, options)


@pytest.mark.parametrize("seed", range(60))
def test_cost_equals_that_of_an_explicit_graph(seed):
    problem = random_problem(seed)
    if problem.start == problem.goal:
        pytest.skip("too small")
    expected = explicit_cost(problem)
    found = search(problem)
    assert np.isfinite(found.cost_musd) == np.isfinite(expected)
    if np.isfinite(expected):
        assert found.cost_musd == pytest.approx(expected, rel=1e-12)
        assert search(problem, reverse=True).cost_musd == pytest.approx(expected, rel=1e-12)
        assert search(problem, informed=False).cost_musd == pytest.approx(expected, rel=1e-12)


def test_a_small_search_equals_a_graph_with_prices_from_plain_python():
    rng = np.random.default_rng(5)
    ground = build_ground(rng.uniform(480, 520, (4, 4)), 400.0)
    options = SearchOptions(neighbours=8, directions=16, max_structure_km=2.0, offsets_m=(-20.0, 0.0))
    problem = build_problem(ground, (0, 0), (3, 3), standard(4.0), costs(), options)
    assert search(problem).cost_musd == pytest.approx(explicit_cost(problem, exact=True), rel=1e-12)


def test_a_line_priced_again_costs_what_the_search_said():
    for seed in range(1, 60, 4):  # without friction, which steers and is not reported
        problem = random_problem(seed)
        found = search(problem)
        if np.isfinite(found.cost_musd):
            points = state_points(problem, trace_states(problem, found))
            pieces = split_line(points, problem.ground, problem.standard, problem.costs)
            price = price_pieces(pieces, problem.standard, problem.costs)
            assert price.total_musd == pytest.approx(found.cost_musd, rel=1e-12)


def test_a_watched_search_finds_the_same_and_says_how_far_it_is(monkeypatch):
    """Asked nearly without a pause, the share rises from search to search and is never above one."""
    monkeypatch.setattr(searching, "WATCH_S", 1e-4)
    problem = build_problem(hills((28, 28), 100.0, 300.0), (3, 3), (24, 24), standard(), costs(), SearchOptions())
    shares: list[float] = []
    watched = replace(problem, options=replace(problem.options, watch=shares.append))
    plain, found = search(problem), search(watched)
    assert (found.cost_musd, found.expanded) == (plain.cost_musd, plain.expanded)
    assert np.array_equal(found.parent, plain.parent)
    assert len(shares) > 0
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0


def test_each_tenth_of_a_search_is_said_once():
    said: list[str] = []
    asked = AlignmentProblem(None, (0, 0), (1, 1), standard(), costs()).watched(said.append, "searching")
    for share in (0.02, 0.11, 0.12, 0.35, 0.01, 0.09, 0.5):
        asked.options.watch(share)
    assert said == [f"searching: search {number}, {pct} %" for number, pct in ((1, 10), (1, 30), (2, 0), (2, 50))]
