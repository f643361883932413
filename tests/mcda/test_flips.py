import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from corridor.errors import ScoringError
from corridor.mcda.flips import dominance, pareto_front, smallest_flips, weight_stability
from corridor.mcda.rank import score

from .tables import make_panel

tables = arrays(np.float64, (4, 3), elements=st.floats(0, 1).map(lambda x: round(x, 2)))
weight_sets = arrays(np.float64, 3, elements=st.floats(0.05, 1)).map(lambda w: w / w.sum())


def test_two_weights_in_closed_form():
    # The lead of a0 is 0.6 w0 - 0.8 w1: it is gone at w0 = 4/7.
    flip = smallest_flips(make_panel([[1.0, 0.0], [0.4, 0.8]]), {"c0": 0.7, "c1": 0.3}, over="criteria")[0]
    assert (flip.winner, flip.challenger) == ("a0", "a1")
    assert flip.moved == pytest.approx(0.7 - 4 / 7)
    assert flip.new_weights == pytest.approx({"c0": 4 / 7, "c1": 3 / 7})
    assert flip.changes == pytest.approx({"c0": 4 / 7 - 0.7, "c1": 0.7 - 4 / 7})
    assert not flip.only_ties


def test_the_easiest_challenger_comes_first():
    panel = make_panel([[0.9, 0.5, 0.5], [0.5, 0.8, 0.5], [0.1, 0.1, 1.0]])
    flips = smallest_flips(panel, [0.5, 0.3, 0.2])
    assert [flip.challenger for flip in flips] == ["a1", "a2"]
    # 0.4 w0 = 0.3 w1 after moving t from w0 to w1: 0.2 - 0.4 t = 0.09 + 0.3 t.
    assert flips[0].moved == pytest.approx(0.11 / 0.7)


def test_over_groups_the_shares_inside_stay():
    panel = make_panel([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], groups=["big", "big", "small"])
    flip = smallest_flips(panel, {"c0": 0.45, "c1": 0.15, "c2": 0.4})[0]
    assert flip.moved == pytest.approx(0.1)
    assert flip.new_weights == pytest.approx({"big": 0.5, "small": 0.5})


def test_over_groups_unequal_shares_inside_count():
    # Inside the big group 3 : 1, so a0 is worth 0.75 there and a1 0.25; level where 0.5 of the big equals the small.
    panel = make_panel([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], groups=["big", "big", "small"])
    flip = smallest_flips(panel, {"c0": 0.6, "c1": 0.2, "c2": 0.2})[0]
    assert flip.new_weights == pytest.approx({"big": 2 / 3, "small": 1 / 3})
    assert flip.moved == pytest.approx(0.8 - 2 / 3)


def test_the_dominated_can_only_tie_and_the_hopeless_never_win():
    panel = make_panel([[0.9, 0.9], [0.9, 0.1], [0.5, 0.5]])
    flips = {flip.challenger: flip for flip in smallest_flips(panel, [0.5, 0.5])}
    assert flips["a1"].only_ties
    assert flips["a1"].moved == pytest.approx(0.5)
    assert flips["a2"].moved == float("inf")
    assert flips["a2"].new_weights == {}


def test_a_tie_needs_no_change():
    assert smallest_flips(make_panel([[1.0, 0.0], [0.0, 1.0]]), [0.5, 0.5])[0].moved == pytest.approx(0.0, abs=1e-12)


@given(values=tables, weights=weight_sets)
@settings(max_examples=60, deadline=None)
def test_the_new_weights_do_what_they_say(values, weights):
    panel = make_panel(values)
    base = score(panel, weights)
    for flip in smallest_flips(panel, weights, over="criteria"):
        assert base[panel.candidate_ids.index(flip.winner)] == pytest.approx(base.max())
        if np.isfinite(flip.moved):
            new = np.array(list(flip.new_weights.values()))
            assert new.sum() == pytest.approx(1.0)
            assert new.min() >= 0
            assert 0.5 * np.abs(new - weights).sum() == pytest.approx(flip.moved, abs=1e-9)
            scores = score(panel, new)
            assert scores[panel.candidate_ids.index(flip.challenger)] == pytest.approx(scores.max(), abs=1e-7)


@given(values=tables, weights=weight_sets, seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_less_change_than_the_smallest_leaves_the_winner(values, weights, seed):
    panel = make_panel(values)
    flips = [flip for flip in smallest_flips(panel, weights, over="criteria") if np.isfinite(flip.moved)]
    least = min((flip.moved for flip in flips), default=1.0)
    others = np.random.default_rng(seed).dirichlet(np.ones(3), 400)
    far = 0.5 * np.abs(others - weights).sum(axis=1)
    near = weights + (others - weights) * np.minimum(1.0, 0.999 * least / np.maximum(far, 1e-12))[:, None]
    winner = int(np.argmax(score(panel, weights)))
    scores = score(panel, near)
    assert (scores[:, winner] >= scores.max(axis=1) - 1e-9).all()


def test_no_set_of_weights_on_a_grid_is_nearer():
    panel, weights = make_panel(np.random.default_rng(4).random((5, 3))), np.array([0.2, 0.5, 0.3])
    steps = np.arange(0, 201) / 200
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-12])
    best = score(panel, grid).argmax(axis=1)
    for flip in smallest_flips(panel, weights, over="criteria"):
        ours = 0.5 * np.abs(grid[best == panel.candidate_ids.index(flip.challenger)] - weights).sum(axis=1)
        if len(ours):
            assert flip.moved <= ours.min() + 1e-9
            assert flip.moved >= ours.min() - 0.02
        else:
            assert not np.isfinite(flip.moved)


def test_promethee_is_linear_in_weights_too():
    panel = make_panel(np.random.default_rng(5).random((4, 3)))
    flip = smallest_flips(panel, [0.2, 0.5, 0.3], method="promethee-ii")[0]
    if np.isfinite(flip.moved):
        flows = score(panel, np.array(list(flip.new_weights.values())), "promethee-ii")
        assert flows[panel.candidate_ids.index(flip.challenger)] == pytest.approx(flows.max(), abs=1e-9)


@pytest.mark.parametrize("function", [smallest_flips, weight_stability])
def test_what_can_t_be_answered(function):
    panel = make_panel(np.eye(2))
    with pytest.raises(ScoringError, match="not linear"):
        function(panel, [0.5, 0.5], method="topsis")
    with pytest.raises(ScoringError, match="not 'all'"):
        function(panel, [0.5, 0.5], over="all")
    with pytest.raises(ScoringError, match="no alternatives"):
        function(make_panel(np.empty((0, 2))), [0.5, 0.5])


def test_stability_in_closed_form():
    found = weight_stability(make_panel([[1.0, 0.0], [0.4, 0.8]]), {"c0": 0.7, "c1": 0.3}).set_index("name")
    assert found.loc["g0", ["low", "high"]].tolist() == pytest.approx([4 / 7, 1.0])
    assert found.loc["g0", ["below", "above"]].tolist() == ["a1", ""]
    assert found.loc["g1", ["low", "high"]].tolist() == pytest.approx([0.0, 3 / 7])
    assert found.loc["g1", "above"] == "a1"


@given(values=tables, weights=weight_sets)
@settings(max_examples=60, deadline=None)
def test_inside_the_interval_the_winner_stays(values, weights):
    panel = make_panel(values)
    winner = int(np.argmax(score(panel, weights)))
    for term, row in weight_stability(panel, weights, over="criteria").iterrows():
        assert row["low"] <= row["weight"] + 1e-12 <= row["high"] + 2e-12
        for share in np.linspace(row["low"], row["high"], 7):
            moved = weights * (1 - share) / (1 - weights[term])
            moved[term] = share
            scores = score(panel, moved)
            assert scores[winner] >= scores.max() - 1e-9
        for share, rival in ((row["low"] - 1e-3, row["below"]), (row["high"] + 1e-3, row["above"])):
            if rival and 0 <= share <= 1:
                moved = weights * (1 - share) / (1 - weights[term])
                moved[term] = share
                scores = score(panel, moved)
                assert scores[panel.candidate_ids.index(rival)] > scores[winner] - 1e-9


def test_dominance_by_hand():
    beats = dominance(np.array([[2.0, 2.0], [1.0, 2.0], [3.0, 0.0], [2.0, 2.0]]))
    assert np.argwhere(beats).tolist() == [[0, 1], [3, 1]]


def test_the_front_is_of_metrics_and_not_of_clamped_values():
    # Both lie beyond the best anchor and are worth 1; one is still better.
    panel = make_panel([[1.5, 0.5], [1.2, 0.5]])
    np.testing.assert_array_equal(panel.values[0], panel.values[1])
    assert pareto_front(panel)["on_front"].tolist() == [True, False]


def test_the_front_names_who_dominates():
    found = pareto_front(make_panel([[0.5, 0.5], [0.4, 0.5], [0.1, 0.9]])).set_index("candidate_id")
    assert found["on_front"].to_dict() == {"a0": True, "a1": False, "a2": True}
    assert found.loc["a1", "dominated_by"] == "a0"


@given(values=tables)
@settings(max_examples=60, deadline=None)
def test_the_front_is_never_empty_and_only_it_can_win_alone(values):
    panel = make_panel(values)
    front = pareto_front(panel)["on_front"].to_numpy()
    assert front.any()
    for weights in np.random.default_rng(0).dirichlet(np.ones(3), 30):
        scores = score(panel, weights)
        assert scores[front].max() >= scores.max() - 1e-12
