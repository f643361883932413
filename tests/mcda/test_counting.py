"""Which criteria tell, how first places are counted, and what no transit means for ranks; by hand and by law."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.mcda.matrix import build_matrix
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.robustness import (
    count_first_places,
    distinct_views,
    measure_robustness,
    silent_criteria,
    telling_weight,
)
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_criteria, make_panel, route_table

EVEN = {"distance": 0.25, "terrain": 0.25, "border_access": 0.25, "north_south": 0.25}


def metric_rows(values, regime="r", **columns):
    """A metric table of criteria c0, c1, ... for one regime."""
    values = np.asarray(values, dtype=float)
    table = {f"m{k}": values[:, k] for k in range(values.shape[1])}
    ids = [f"a{i}" for i in range(len(values))]
    return pd.DataFrame({"candidate_id": ids, "regime_id": regime} | table | columns)


def counted(*tables, perspectives=None, tolerance=0.0):
    width = sum(name.startswith("m") and name[1:].isdigit() for name in tables[0])
    matrix = build_matrix(pd.concat(tables, ignore_index=True), make_criteria(width, tolerance=tolerance))
    return count_first_places(matrix, perspectives or {"even": [1.0] * width})


def test_a_criterion_within_its_tolerance_tells_nobody_apart():
    panel = make_panel([[0.5, 0.2], [0.52, 0.9]], tolerance=0.03)
    assert panel.tells_apart.tolist() == [False, True]
    assert telling_weight(panel, {"c0": 3, "c1": 1}) == pytest.approx(0.25)


def test_beyond_the_anchors_nothing_tells():
    # Both lie beyond the best anchor, where every value is 1.
    assert make_panel([[1.5], [4.0]]).tells_apart.tolist() == [False]


def test_an_undetermined_metric_tells_if_its_ends_do():
    low, high = np.array([[0.5], [0.5]]), np.array([[0.5], [0.9]])
    assert make_panel([[0.5], [np.nan]], low, high).tells_apart.tolist() == [True]
    assert make_panel([[0.5], [np.nan]], low, high, tolerance=0.5).tells_apart.tolist() == [False]


def test_an_end_that_can_t_be_reached_tells():
    assert make_panel([[0.5], [np.nan]], [[0.5], [0.5]], [[0.5], [np.inf]]).tells_apart.tolist() == [True]


def test_perspectives_that_come_to_the_same_weights_are_one_view():
    panel = make_panel([[0.5, 0.2, 0.1], [0.6, 0.9, 0.1]], groups=["g", "g", "h"])
    views = {
        "groups": {"g": 1, "h": 1},
        "criteria": {"c0": 0.25, "c1": 0.25, "c2": 0.5},
        "scaled": {"c0": 1, "c1": 1, "c2": 2},
        "uneven": {"c0": 0.3, "c1": 0.2, "c2": 0.5},
    }
    assert distinct_views(panel, views) == ("groups", "uneven")
    # what isn't scored leaves its weight to the others
    alone = dataclasses.replace(panel.take([0, 1]), study_criteria=panel.criteria)
    assert distinct_views(alone, {"even": {"g": 1, "h": 1}, "heavy": {"g": 9, "h": 1}}) == ("even", "heavy")


def test_a_criterion_that_tells_in_no_regime_is_named():
    first, second = metric_rows([[0.1, 0.4], [0.9, 0.4]], "x"), metric_rows([[0.1, 0.7], [0.2, 0.7]], "y")
    matrix = build_matrix(pd.concat([first, second], ignore_index=True), make_criteria(2))
    assert silent_criteria(matrix) == ("c1",)
    third = metric_rows([[0.1, 0.7], [0.2, 0.1]], "z")
    assert silent_criteria(build_matrix(pd.concat([first, third], ignore_index=True), make_criteria(2))) == ()
    alone = build_matrix(metric_rows([[0.1, 0.4]]), make_criteria(2))
    assert silent_criteria(alone) == ()


def test_the_ranking_says_how_much_of_the_weight_tells():
    table = rank_alternatives(build_matrix(route_table(gain_min=5.0), ROUTE_CRITERIA), EVEN)
    through = table[table["panel"] == "through"]
    assert through["telling_weight"].tolist() == [0.75] * 4
    said = [render(note) for note in table.attrs["notes"]]
    assert any("Gain doesn't tell the routes apart here (5 min)" in note for note in said)


def test_a_tie_is_split():
    found = counted(metric_rows([[0.7], [0.7], [0.1]]))
    assert found.shares == {"a0": 0.5, "a1": 0.5}
    assert found.for_sure == {"a0": 1, "a1": 1}
    assert (found.count, found.repeated) == (1, 0)


def test_equal_inputs_count_once_and_equal_orders_each():
    same = counted(metric_rows([[0.7], [0.2]], "x"), metric_rows([[0.7], [0.2]], "y"))
    assert (same.count, same.repeated) == (1, 1)
    other = counted(metric_rows([[0.7], [0.2]], "x"), metric_rows([[0.6], [0.2]], "y"))
    assert (other.count, other.repeated, other.for_sure) == (2, 0, {"a0": 2})
    weighed_alike = {"one": {"c0": 1.0, "c1": 1.0}, "two": {"c0": 2.0, "c1": 2.0}, "three": {"c0": 2.0, "c1": 1.0}}
    found = counted(metric_rows([[0.7, 0.1], [0.2, 0.2]]), perspectives=weighed_alike)
    assert (found.count, found.repeated) == (2, 1)


def test_an_open_first_place_is_at_best_and_split():
    open_rows = metric_rows([[0.7], [np.nan]], m0_low=[0.7, 0.1], m0_high=[0.7, 0.9], m0_status=["", "undetermined"])
    found = counted(open_rows)
    assert found.at_best == {"a0": 1, "a1": 1}
    assert found.for_sure == {}
    assert found.shares == {"a0": 0.5, "a1": 0.5}


def test_one_route_alone_is_no_agreement():
    assert counted(metric_rows([[0.7]])).count == 0


@st.composite
def regimes(draw):
    """Values of alternatives under several regimes."""
    count = draw(st.integers(2, 4))
    cells = st.lists(st.integers(0, 4), min_size=2 * count, max_size=2 * count)
    return [np.array(draw(cells)).reshape(count, 2) / 4 for _ in range(draw(st.integers(1, 3)))]


@given(regimes(), st.data())
@settings(max_examples=80, deadline=None)
def test_shares_sum_to_one_and_a_regime_with_equal_inputs_changes_no_count(tables, data):
    count = len(tables[0])
    held = data.draw(st.lists(st.sampled_from([f"a{i}" for i in range(1, count)]), unique=True))
    members = ["; ".join(held), *[""] * (count - 1)]  # the first may be a package of some of the others
    rows = [metric_rows(values, f"r{k}", members=members) for k, values in enumerate(tables)]
    before = counted(*rows, tolerance=0.1)
    assert sum(before.shares.values()) == pytest.approx(1.0)
    copied = data.draw(st.sampled_from(tables))
    after = counted(*rows, metric_rows(copied, "again", members=members), tolerance=0.1)
    assert dataclasses.replace(after, repeated=before.repeated) == before
    assert after.repeated == before.repeated + 1


@given(regimes())
@settings(max_examples=40, deadline=None)
def test_rank_shares_with_ties_sum_to_one_both_ways(tables):
    found = measure_robustness(make_panel(tables[0]), draws=50)
    np.testing.assert_allclose(found.acceptability.sum(axis=0), 1.0)
    np.testing.assert_allclose(found.acceptability.sum(axis=1), 1.0)


def closed_table():
    rows = [metric_rows([[0.7], [0.2]], "today"), metric_rows([[0.7], [0.2]], "opened")]
    table = pd.concat(rows, ignore_index=True)
    return table.assign(transit_status=["not_travelable", "not_travelable", "", ""])


def test_where_no_transit_is_allowed_nobody_is_ranked():
    table = rank_alternatives(build_matrix(closed_table(), make_criteria(1)), [1.0])
    today, opened = (table[table["regime_id"] == regime] for regime in ("today", "opened"))
    assert today["rank_best"].isna().all()
    assert {render(reason) for reason in today["reason"]} == {"not ranked: no transit is allowed under these rules"}
    assert opened["rank"].tolist() == [1, 2]
    excluded = build_matrix(closed_table(), make_criteria(1)).excluded
    assert excluded["status"].tolist() == ["not_travelable"] * 2


def test_as_if_opened_it_is_ranked_and_said():
    matrix = build_matrix(closed_table(), make_criteria(1), as_if_opened=True)
    table = rank_alternatives(matrix, [1.0])
    assert table["rank"].tolist() == [1, 2, 1, 2]
    said = [render(note) for note in table.attrs["notes"]]
    assert "ranked as if opened, as asked: no transit is allowed under today" in said
    assert count_first_places(matrix, {"all": [1.0]}).repeated == 1
