import itertools

import numpy as np
import pytest
from scipy.stats import kstest

from corridor.errors import ScoringError
from corridor.mcda.robustness import WeightSpace, draw_metrics, draw_weights, parse_order

from .tables import make_panel


def draw(panel, space, draws=20_000, seed=0):
    return draw_weights(panel, space, draws, np.random.default_rng(seed))


def test_weights_are_uniform_on_the_simplex():
    # The first of m uniform weights has distribution 1 - (1 - w)^(m - 1).
    weights = draw(make_panel(np.eye(4)), WeightSpace())
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    for column in weights.T:
        assert kstest(column, lambda w: 1 - (1 - w) ** 3).pvalue > 1e-3


def test_a_full_order_has_rank_order_centroids():
    # Barron and Barrett (1996, doi:10.1287/mnsc.42.11.1515): for three criteria 0.6111, 0.2778, 0.1111.
    weights = draw(make_panel(np.eye(3)), WeightSpace(order=parse_order("c2 >= c0 >= c1")), 100_000)
    assert (weights[:, 2] >= weights[:, 0]).all()
    assert (weights[:, 0] >= weights[:, 1]).all()
    np.testing.assert_allclose(weights.mean(axis=0), [0.2778, 0.1111, 0.6111], atol=3e-3)


@pytest.mark.parametrize("text", ["c0 >= c1", "c0 >= c1, c0 >= c2", "c0 >= c2, c1 >= c2, c2 >= c3", "c3>=c1,c2>=c0"])
def test_a_partial_order_is_what_rejection_would_give(text):
    panel, order = make_panel(np.eye(4)), parse_order(text)
    mine = draw(panel, WeightSpace(order=order), 60_000)
    free = draw(panel, WeightSpace(), 200_000, seed=9)
    pairs = [(int(a[1]), int(b[1])) for a, b in order]
    assert all((mine[:, a] >= mine[:, b]).all() for a, b in pairs)
    kept = free[np.all([free[:, a] >= free[:, b] for a, b in pairs], axis=0)]
    np.testing.assert_allclose(mine.mean(axis=0), kept.mean(axis=0), atol=6e-3)
    np.testing.assert_allclose(np.cov(mine.T), np.cov(kept.T), atol=3e-3)


def test_a_long_order_that_rejection_would_never_meet():
    panel = make_panel(np.eye(12))
    order = tuple(itertools.pairwise(panel.criterion_ids))
    weights = draw(panel, WeightSpace(order=order), 5000)
    assert (np.diff(weights, axis=1) <= 0).all()
    centroid = [sum(1 / i for i in range(k, 13)) / 12 for k in range(1, 13)]
    np.testing.assert_allclose(weights.mean(axis=0), centroid, atol=0.01)


def test_groups_weigh_the_same_whatever_their_size():
    panel = make_panel(np.eye(4), groups=["big", "big", "big", "small"])
    weights = draw(panel, WeightSpace(over="groups"))
    assert weights[:, 3].mean() == pytest.approx(0.5, abs=0.01)
    assert kstest(weights[:, 3], "uniform").pvalue > 1e-3
    np.testing.assert_allclose(weights[:, :3].mean(axis=0), 1 / 6, atol=0.01)
    shares = weights[:, :3] / weights[:, :3].sum(axis=1, keepdims=True)
    assert kstest(shares[:, 0], lambda w: 1 - (1 - w) ** 2).pvalue > 1e-3


def test_order_of_groups():
    panel = make_panel(np.eye(4), groups=["big", "big", "big", "small"])
    weights = draw(panel, WeightSpace(over="groups", order=(("small", "big"),)))
    assert (weights[:, 3] >= 0.5).all()
    assert weights[:, 3].mean() == pytest.approx(0.75, abs=0.01)


def test_many_criteria_of_which_few_are_ordered():
    weights = draw(make_panel(np.eye(24)), WeightSpace(order=(("c20", "c3"),)), 20_000)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (weights[:, 20] >= weights[:, 3]).all()
    # The larger and the smaller of two out of 24: means 1.5 and 0.5 times 1/24; the rest keep 1/24.
    expected = np.full(24, 1 / 24)
    expected[[20, 3]] = 1.5 / 24, 0.5 / 24
    np.testing.assert_allclose(weights.mean(axis=0), expected, atol=1.5e-3)
    with pytest.raises(ScoringError, match="too many"):
        draw(make_panel(np.eye(24)), WeightSpace(order=tuple(itertools.pairwise(f"c{k}" for k in range(24)))), 10)


@pytest.mark.parametrize("over", ["criteria", "groups"])
def test_weights_gather_about_a_centre(over):
    panel, centre = make_panel(np.eye(3)), {"c0": 0.6, "c1": 0.4}
    spread = []
    for concentration in (5.0, 500.0):
        space = WeightSpace(over=over, centre=centre, concentration=concentration)
        weights = draw(panel, space)
        np.testing.assert_allclose(weights.mean(axis=0), [0.6, 0.4, 0.0], atol=0.01)
        assert (weights[:, 2] == 0).all()
        # Variance of a Dirichlet weight: mean (1 - mean) / (concentration + 1).
        assert weights[:, 0].var() == pytest.approx(0.24 / (concentration + 1), rel=0.05)
        spread.append(weights[:, 0].std())
    assert spread[1] < spread[0]


def test_a_centre_with_an_order_keeps_both():
    space = WeightSpace(centre={"c0": 0.4, "c1": 0.35, "c2": 0.25}, order=(("c2", "c0"),))
    weights = draw(make_panel(np.eye(3)), space, 2000)
    assert weights.shape == (2000, 3)
    assert (weights[:, 2] >= weights[:, 0]).all()


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (WeightSpace(order=(("c0", "c1"), ("c1", "c0"))), "circle"),
        (WeightSpace(order=(("c0", "c0"),)), "circle"),
        (WeightSpace(order=(("c0", "cc1"),)), "did you mean 'c1'"),
        (WeightSpace(over="sets"), "not 'sets'"),
        (WeightSpace(centre={"c0": 1.0}, concentration=0.0), "concentration"),
        (WeightSpace(centre={"c0": 1.0, "c1": 0.0, "c2": 0.0}, order=(("c1", "c0"),)), "contradicts"),
    ],
)
def test_weights_that_can_t_be_drawn(space, words):
    with pytest.raises(ScoringError, match=words):
        draw(make_panel(np.eye(3)), space, 1000)


def test_order_as_text():
    assert parse_order("a >= b>=c, d >= b") == (("a", "b"), ("b", "c"), ("d", "b"))
    for wrong in ("a", "a >= ", "a > b"):
        with pytest.raises(ScoringError, match="a >= b"):
            parse_order(wrong)


def test_metrics_stay_in_their_intervals_and_factors_are_shared():
    middle = np.full((3, 4), 0.5)
    panel = make_panel(middle, middle - 0.2, middle + 0.3, factors=["price", "price", "", "speed"])
    drawn = draw_metrics(panel, 4000, np.random.default_rng(0))
    assert drawn.min() >= 0.3
    assert drawn.max() <= 0.8
    np.testing.assert_array_equal(drawn[:, 0, 0], drawn[:, 2, 1])
    assert not np.array_equal(drawn[:, 0, 0], drawn[:, 0, 3])
    alone = np.corrcoef(drawn[:, 0, 2], drawn[:, 1, 2])[0, 1]
    assert abs(alone) < 0.05
    assert kstest(drawn[:, 1, 2], "uniform", args=(0.3, 0.5)).pvalue > 1e-3


def test_triangular_metrics_peak_at_the_stated_value():
    panel = make_panel([[0.3, 0.9], [0.5, 0.5]], [[0.2, 0.4], [0.5, 0.5]], [[0.8, 1.0], [0.5, 0.5]])
    drawn = draw_metrics(panel, 20_000, np.random.default_rng(0), "triangular")
    # Mean of a triangular distribution: a third of low + mode + high.
    np.testing.assert_allclose(drawn.mean(axis=0), [[1.3 / 3, 2.3 / 3], [0.5, 0.5]], atol=5e-3)
    assert kstest(drawn[:, 0, 0], "triang", args=(1 / 6, 0.2, 0.6)).pvalue > 1e-3
    with pytest.raises(ScoringError, match="normal"):
        draw_metrics(panel, 10, np.random.default_rng(0), "normal")
