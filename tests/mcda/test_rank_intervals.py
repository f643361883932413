"""Rank intervals against brute force over corners, and their laws."""

import dataclasses
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corridor.errors import ScoringError
from corridor.mcda.matrix import End, build_matrix
from corridor.mcda.methods import method_ids
from corridor.mcda.rank import competition_ranks, rank_alternatives, rank_intervals, score, tie_widths
from corridor.mcda.review import review_matrix
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_panel, route_table

EVEN = {"distance": 0.25, "terrain": 0.25, "border_access": 0.25, "north_south": 0.25}
TOLERANCES = st.sampled_from([0.0, 0.03, 0.11])


@st.composite
def tables(draw, cells=5):
    """Values on a grid of a tenth, some open between two ends: (low, high, weights, tolerance, members).

    The first row may be a package that holds some of the others.
    """
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    numbers = st.lists(st.integers(0, 10), min_size=rows * columns, max_size=rows * columns)
    low = np.array(draw(numbers), dtype=float).reshape(rows, columns) / 10
    high = low.copy()
    count = min(cells, rows * columns)
    for cell in draw(st.lists(st.integers(0, rows * columns - 1), min_size=1, max_size=count, unique=True)):
        high.flat[cell] = min(low.flat[cell] + draw(st.integers(1, 6)) / 10, 1.0)
    weights = np.array(draw(st.lists(st.integers(1, 5), min_size=columns, max_size=columns)), dtype=float)
    assume((high > low).any())
    held = draw(st.frozensets(st.sampled_from([f"a{i}" for i in range(1, rows)])))
    return low, high, weights / weights.sum(), draw(TOLERANCES), (held, *[frozenset()] * (rows - 1))


def open_panel(low, high, tolerance=0.0, members=()):
    """A panel whose cells are undetermined where low and high differ."""
    panel = make_panel(np.where(low == high, low, np.nan), low, high, tolerance=tolerance)
    return dataclasses.replace(panel, members=members)


def ends(panel, weights, method="weighted-sum"):
    found = rank_intervals(panel, weights, method)
    return list(zip(found.best.tolist(), found.worst.tolist(), strict=True))


def brute_force(panel, weights, method="weighted-sum"):
    """Best and worst rank over every combination of ends."""
    cells = np.argwhere(panel.undetermined)
    seen = []
    for picks in product((0, 1), repeat=len(cells)):
        metrics = panel.metrics.copy()
        for (row, column), pick in zip(cells, picks, strict=True):
            metrics[row, column] = (panel.low, panel.high)[pick][row, column]
        table = dataclasses.replace(panel, metrics=metrics, low=metrics, high=metrics)
        width = tie_widths(table, weights, method)
        seen.append(competition_ranks(score(table, weights, method), width)[0])
    return list(zip(np.min(seen, axis=0).tolist(), np.max(seen, axis=0).tolist(), strict=True))


@given(tables())
@settings(max_examples=120, deadline=None)
def test_the_weighted_sum_s_interval_is_that_of_all_corners(table):
    low, high, weights, tolerance, members = table
    panel = open_panel(low, high, tolerance, members)
    found = rank_intervals(panel, weights)
    assert found.exact
    assert ends(panel, weights) == brute_force(panel, weights)


@given(tables(cells=4), st.sampled_from([method for method in method_ids() if method != "weighted-sum"]))
@settings(max_examples=60, deadline=None)
def test_other_methods_see_at_least_all_corners(table, method):
    low, high, weights, tolerance, members = table
    panel = open_panel(low, high, tolerance, members)
    found = rank_intervals(panel, weights, method)
    assert not found.exact
    # PROMETHEE's width follows the table; without tolerance there is none.
    if method != "promethee-ii" or tolerance == 0.0:
        for (best, worst), (least, most) in zip(
            ends(panel, weights, method), brute_force(panel, weights, method), strict=True
        ):
            assert best <= least
            assert worst >= most


@given(tables(), st.data())
@settings(max_examples=120, deadline=None)
def test_a_better_value_never_lowers_a_rank_interval(table, data):
    low, high, weights, tolerance, members = table
    row = data.draw(st.integers(0, len(low) - 1))
    column = data.draw(st.integers(0, low.shape[1] - 1))
    step = data.draw(st.integers(1, 5)) / 10
    better_low, better_high = low.copy(), high.copy()
    better_low[row, column] = min(low[row, column] + step, 1.0)
    better_high[row, column] = min(high[row, column] + step, 1.0)
    before = ends(open_panel(low, high, tolerance, members), weights)[row]
    after = ends(open_panel(better_low, better_high, tolerance, members), weights)[row]
    assert after[0] <= before[0]
    assert after[1] <= before[1]


@given(tables(), st.data())
@settings(max_examples=120, deadline=None)
def test_widening_a_cell_only_widens_every_interval(table, data):
    low, high, weights, tolerance, members = table
    cell = data.draw(st.integers(0, low.size - 1))
    wide_low, wide_high = low.copy(), high.copy()
    wide_low.flat[cell] = max(low.flat[cell] - data.draw(st.integers(0, 4)) / 10, 0.0)
    wide_high.flat[cell] = min(high.flat[cell] + data.draw(st.integers(1, 4)) / 10, 1.0)
    narrow, wide = (
        ends(open_panel(low, high, tolerance, members), weights),
        ends(open_panel(wide_low, wide_high, tolerance, members), weights),
    )
    for (best, worst), (least, most) in zip(narrow, wide, strict=True):
        assert least <= best
        assert most >= worst


def test_an_interval_by_hand():
    # Scores 0.8, 0.5 to 0.9, and 0.6.
    panel = make_panel([[0.8], [np.nan], [0.6]], [[0.8], [0.5], [0.6]], [[0.8], [0.9], [0.6]])
    found = rank_intervals(panel, {"c0": 1.0})
    assert ends(panel, {"c0": 1.0}) == [(1, 2), (1, 3), (2, 3)]
    assert [str(first) for first in found.first] == ["at best", "at best", ""]
    np.testing.assert_allclose(found.low, [0.8, 0.5, 0.6])
    np.testing.assert_allclose(found.high, [0.8, 0.9, 0.6])


def test_within_tolerance_nobody_is_ahead():
    panel = make_panel([[0.8], [np.nan]], [[0.8], [0.5]], [[0.8], [0.85]], tolerance=0.1)
    assert ends(panel, {"c0": 1.0}) == [(1, 1), (1, 2)]
    assert [str(first) for first in rank_intervals(panel, {"c0": 1.0}).first] == ["for sure", "at best"]


def test_promethee_is_looked_for_between_the_ends_too():
    panel = open_panel(np.array([[0.5], [0.4], [0.0]]), np.array([[0.5], [0.6], [1.0]]))
    found = rank_intervals(panel, {"c0": 1.0}, "promethee-ii")
    assert not found.exact
    assert found.best.tolist() == [1, 1, 1]
    assert found.worst.tolist() == [3, 3, 3]
    again = rank_intervals(panel, {"c0": 1.0}, "promethee-ii")
    np.testing.assert_array_equal(found.low, again.low)


@pytest.mark.parametrize("method", ["topsis", "promethee-ii"])
def test_of_too_many_corners_some_are_drawn_and_the_same_ones_each_time(method):
    rng = np.random.default_rng(3)
    low = rng.random((7, 3)) * 0.5
    panel = open_panel(low, low + 0.4)
    first, second = (rank_intervals(panel, {"c0": 1, "c1": 1, "c2": 1}, method, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.best, second.best)
    np.testing.assert_array_equal(first.worst, second.worst)
    assert (first.best <= first.worst).all()


def undetermined_routes(low=0.0, high=90.0):
    """The routes of the tables, with the delay of the railway undetermined."""
    return route_table(
        access_delay_min=[np.nan, 40.0, 10.0, 0.0, np.nan],
        access_delay_min_low=[low, 40.0, 10.0, 0.0, np.nan],
        access_delay_min_high=[high, 40.0, 10.0, 0.0, np.nan],
        access_delay_min_status=["undetermined", "", "", "", "not_applicable"],
    )


def ranked(table, method="weighted-sum", criteria=ROUTE_CRITERIA, **options):
    rows = rank_alternatives(build_matrix(table, criteria, **options), EVEN, method)
    return rows[rows["panel"] == "through"].set_index("candidate_id")


def test_the_table_says_ranks_in_words():
    rows = ranked(undetermined_routes())
    # rail: (0.875 + 2/3 + [0.25, 1] + 0) / 4 = 0.448 to 0.635; pass 0.702, north 0.645, valley 0.602.
    assert rows["ranks"].to_dict() == {"pass": "1", "north": "2", "rail": "3-4", "valley": "3-4"}
    assert rows["first"].to_dict() == {"pass": "for sure", "north": "", "rail": "", "valley": ""}
    assert rows["rank"].isna().to_dict() == {"pass": False, "north": False, "rail": True, "valley": True}
    assert rows.loc["rail", ["rank_best", "rank_worst"]].tolist() == [3, 4]
    assert pd.isna(rows.loc["rail", "score"])
    assert rows.loc["rail", "score_low"] == pytest.approx((0.875 + 2 / 3 + 0.25) / 4)
    assert rows.loc["rail", "score_high"] == pytest.approx((0.875 + 2 / 3 + 1.0) / 4)
    assert pd.isna(rows.loc["rail", "contribution:delay"])
    assert list(rows.index) == ["pass", "north", "rail", "valley"]


def test_an_end_that_can_t_be_reached_bars_first_for_sure():
    matrix = build_matrix(undetermined_routes(high=np.inf), ROUTE_CRITERIA)
    rows = rank_alternatives(matrix, {"length": 1.0}).set_index("candidate_id")
    # By length alone the railway and the valley road tie for first; the railway may not be there at all.
    assert rows.loc["rail", "ranks"] == "1-not ranked"
    assert rows.loc["rail", "first"] == "at best"
    assert pd.isna(rows.loc["rail", "rank_worst"])
    assert pd.isna(rows.loc["rail", "score_low"])
    assert rows.loc["valley", "first"] == "for sure"


def test_a_route_that_may_be_lost_is_in_nobody_s_way_at_its_worst():
    rows = ranked(undetermined_routes(high=np.inf))
    assert rows.loc["valley", "ranks"] == "3-4"
    assert rows.loc["rail", "ranks"] == "3-not ranked"
    for method in method_ids():
        assert ranked(undetermined_routes(high=np.inf), method).loc["rail", "ranks"].endswith("-not ranked")


def test_unreachable_at_both_ends_is_unreachable():
    rows = ranked(undetermined_routes(low=np.inf, high=np.inf))
    assert rows.loc["rail", "ranks"] == ""
    assert render(rows.loc["rail", "reason"]) == "not ranked: Access delay: unreachable"


def test_an_undetermined_metric_that_isn_t_scored_may_take_a_route_out():
    scored = tuple(c for c in ROUTE_CRITERIA if c.criterion_id != "delay")
    table = undetermined_routes(high=np.inf)
    three = {"distance": 1, "terrain": 1, "north_south": 1}
    rows = rank_alternatives(build_matrix(table, scored), three).set_index("candidate_id")
    assert rows.loc["rail", "ranks"].endswith("-not ranked")
    alone = build_matrix(table, scored, veto_on_any_status=False)
    assert not rank_alternatives(alone, three).set_index("candidate_id").loc["rail", "ranks"].endswith("ranked")


def test_what_would_be_if_a_route_were_closed_loses_nobody():
    what_if = {"x_if_closed": np.nan, "x_if_closed_low": 1.0, "x_if_closed_high": np.inf}
    rows = ranked(route_table(**what_if, x_if_closed_status="undetermined"))
    assert rows["ranks"].tolist() == ["1", "2", "3", "4"]


def test_without_anything_undetermined_both_ends_are_the_rank():
    rows = ranked(route_table())
    assert rows["rank"].tolist() == rows["rank_best"].tolist() == rows["rank_worst"].tolist() == [1, 2, 3, 4]
    assert rows["ranks"].tolist() == ["1", "2", "3", "4"]
    assert rows["score"].tolist() == rows["score_low"].tolist() == rows["score_high"].tolist()


def test_other_methods_say_that_they_give_an_inner_bound():
    for method in method_ids():
        table = rank_alternatives(build_matrix(undetermined_routes(), ROUTE_CRITERIA), EVEN, method)
        said = [render(note) for note in table.attrs["notes"] if "inner bound" in render(note)]
        assert bool(said) == (method != "weighted-sum")


def test_quoted_ranges_are_reviewed_within_each_end():
    reviews = review_matrix(build_matrix(undetermined_routes(), ROUTE_CRITERIA), EVEN, draws=200)
    through = [review for review in reviews if review.panel.kind == "through"]
    assert [review.end for review in through] == [End.BEST, End.WORST]
    said = [render(message) for message in through[1].messages()]
    assert "worst" in said[0]
    lost = review_matrix(build_matrix(undetermined_routes(high=np.inf), ROUTE_CRITERIA), EVEN, draws=200)
    assert ["rail" in review.panel.candidate_ids for review in lost if review.end] == [True, False]


def test_what_needs_one_figure_refuses_an_open_one():
    panel = build_matrix(undetermined_routes(), ROUTE_CRITERIA).panel()
    with pytest.raises(ScoringError, match="'access_delay_min' of 'rail' is undetermined"):
        score(panel, np.full(4, 0.25))


def test_undetermined_without_ends_is_refused():
    table = undetermined_routes()
    with pytest.raises(ScoringError, match="'access_delay_min' of 'rail' is undetermined and has no ends"):
        build_matrix(table.drop(columns="access_delay_min_high"), ROUTE_CRITERIA)


def test_an_endless_metric_is_still_refused():
    with pytest.raises(ScoringError, match="is infinite for 'pass'"):
        build_matrix(route_table(length_km=[250.0, 250.5, np.inf, 400.0, 300.0]), ROUTE_CRITERIA)


def test_min_max_scaling_has_intervals_too():
    rows = ranked(undetermined_routes(), scaling="min-max")
    assert (rows["rank_best"] <= rows["rank_worst"]).all()
    assert rows.loc["rail", "rank_worst"] == 4


@given(tables(), st.data())
@settings(max_examples=60, deadline=None)
def test_who_may_be_lost_leaves_others_the_ranks_with_it_and_without_it(table, data):
    low, high, weights, tolerance, members = table
    # What takes it out isn't scored, so that it makes no difference whether any scored figure is open.
    high = high if data.draw(st.booleans()) else low
    lost = data.draw(st.frozensets(st.integers(0, len(low) - 1), min_size=1))
    panel = open_panel(low, high, tolerance, members)
    found = rank_intervals(dataclasses.replace(panel, lost_at_worst=lost), weights)
    assert found.may_be_lost.nonzero()[0].tolist() == sorted(lost)
    for who in range(len(low)):
        seen = []
        others = sorted(lost - {who})
        for gone in product((False, True), repeat=len(others)):
            left_out = {row for row, out in zip(others, gone, strict=True) if out}
            rows = np.array([row for row in range(len(low)) if row not in left_out])
            seen.append(brute_force(panel.take(rows), weights)[rows.tolist().index(who)])
        assert found.best[who] == min(best for best, _ in seen)
        assert found.worst[who] == max(worst for _, worst in seen)


def test_a_first_place_of_who_may_be_lost_is_open_to_the_next():
    scored = tuple(c for c in ROUTE_CRITERIA if c.criterion_id == "length")
    table = route_table(length_km=[210.0, 300.0, 350.0, 400.0, 500.0])
    table = table.assign(
        reach=1.0, reach_status=["undetermined", *[""] * 4], reach_low=1.0, reach_high=[np.inf, *[1.0] * 4]
    )
    for method in method_ids():
        rows = rank_alternatives(build_matrix(table, scored), {"length": 1}, method).set_index("candidate_id")
        assert rows.loc["rail", ["ranks", "first"]].tolist() == ["1-not ranked", "at best"]
        assert rows.loc["valley", ["ranks", "first"]].tolist() == ["1-2", "at best"]
