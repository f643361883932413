import numpy as np
import pandas as pd
import pytest

from corridor.errors import ScoringError
from corridor.mcda.agreement import panel_ranks
from corridor.mcda.matrix import build_matrix
from corridor.mcda.methods import get_method, method_ids
from corridor.mcda.review import review_matrix, review_panel
from corridor.mcda.robustness import WeightSpace
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_panel, route_table


def said(values, weights, **options):
    return " | ".join(map(render, review_panel(make_panel(values), weights, draws=2000, **options).messages()))


def test_a_close_race_in_words():
    # The lead is 0.6 w0 - 0.8 w1: gone when 12.9 points of 0.7 have moved; a0 wins for w0 > 4/7, 43 % of all.
    text = said([[1.0, 0.0], [0.4, 0.8]], [0.7, 0.3])
    assert "a0 is first, and is so in 4" in text
    assert "a1 is first in more of them, 5" in text
    assert "puts a1 level with a0: 12.9 points of a hundred from g0 to g1." in text


def test_a_clear_race_in_words():
    text = said([[0.9, 0.9], [0.2, 0.3]], [0.5, 0.5])
    assert "in 100% of all draws of weights" in text
    assert "No weights put anybody else before a0." in text
    assert "a1 is better on no criterion, and worse on some, than a0." in text
    assert "give the same order" in text


def test_methods_of_which_one_ties_everybody_dont_give_the_same_order():
    """Within a tolerance of a fifth PROMETHEE II tells no neighbours apart; the others part the last from the first."""
    panel = make_panel([[0.9], [0.7], [0.5]], tolerance=0.2)
    ranks = {method: tuple(panel_ranks(panel, [1.0], method)) for method in method_ids()}
    assert len(set(ranks.values())) > 1
    assert sorted({len(set(each)) for each in ranks.values()}) == [1, 2]
    text = " | ".join(map(render, review_panel(panel, [1.0], draws=100).messages()))
    assert "give the same order" not in text
    assert "differ in order" in text
    assert "give the same order" in said([[0.5], [0.5]], [1.0])


def test_a_tie_in_words():
    assert "a0; a1 tie for first within measurement tolerance." in said([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    assert "a1 is level with a0: any change of weights decides." in said([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])


def test_double_counting_in_words():
    x = np.array([0.1, 0.5, 0.9])
    text = said(np.column_stack([x, x / 2, 1 - x]), [0.4, 0.3, 0.3])
    assert "Label 0 and Label 1 speak for the same routes (r = 1.00 over 3): they may count" in text
    assert "Label 2" not in text


def test_methods_that_differ_in_words():
    values = np.random.default_rng(3).random((7, 4))
    review = review_panel(make_panel(values), [0.4, 0.3, 0.2, 0.1], draws=200)
    lowest = review.agreement.to_numpy().min()
    assert lowest < 1
    assert f"at least {lowest:.2f}" in " ".join(map(render, review.messages()))


def test_one_alternative_alone():
    review = review_panel(make_panel([[0.3, 0.4]]), [0.5, 0.5], draws=50)
    assert tuple(map(render, review.messages())) == (
        "a0 is first, and is so in 100% of all draws of weights (give or take 0.0%).",
    )


@pytest.mark.parametrize("method", method_ids())
def test_every_panel_with_somebody_in_it_is_reviewed(method):
    table = pd.concat([route_table(regime_id="open"), route_table(regime_id="shut", veto="closed")], ignore_index=True)
    weights = {"distance": 0.4, "border_access": 0.6}
    reviews = review_matrix(build_matrix(table, ROUTE_CRITERIA), weights, method=method, draws=300)
    assert [(review.panel.regime_id, review.panel.kind) for review in reviews] == [
        ("open", "through"),
        ("open", "comparator"),
    ]
    assert reviews[0].flip_method == (method if get_method(method).linear_in_weights else "weighted-sum")
    assert all(review.messages() for review in reviews)


def test_the_winner_is_the_ranking_s():
    review = review_matrix(build_matrix(route_table(), ROUTE_CRITERIA), {"length": 1.0}, draws=100)[0]
    assert review.winners == ("rail", "valley")


def test_weights_of_criteria_that_a_panel_had_to_drop():
    review = review_matrix(build_matrix(route_table(), ROUTE_CRITERIA), {"length": 0.5, "delay": 0.5}, draws=100)[1]
    assert review.winners == ("abroad",)
    assert review.stability["weight"].sum() == pytest.approx(1.0)


def test_order_of_weights_reaches_the_draws():
    space = WeightSpace(order=(("c1", "c0"),))
    review = review_panel(make_panel(np.eye(2)), [0.5, 0.5], space=space, draws=300)
    assert review.robustness.acceptability[1, 0] == 1.0


def test_nobody_to_review():
    with pytest.raises(ScoringError, match="no alternatives"):
        review_panel(make_panel(np.empty((0, 2))), [0.5, 0.5])


def test_metrics_that_vary_are_said():
    middle = np.array([[0.6, 0.5], [0.4, 0.5]])
    review = review_panel(make_panel(middle, middle - 0.1, middle + 0.1), [0.5, 0.5], draws=200)
    assert "of all draws of weights and metrics" in render(review.messages()[0])


def test_an_order_of_groups_holds_where_both_are_weighted(bundled):
    reviews = bundled.robustness("equal", order=["border_access >= distance"], draws=200)
    panels = {(review.panel.regime_id, review.panel.kind) for review in reviews}
    assert {kind for _, kind in panels} == {"through", "comparator"}
    with pytest.raises(ScoringError, match="order of weights: 'borders' is not weighted here"):
        bundled.robustness("equal", order=["borders >= distance"], draws=200)
