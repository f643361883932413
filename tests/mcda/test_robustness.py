"""SMAA against closed forms, exact areas of the weight triangle, pymcdm and the published number of draws."""

import numpy as np
import pytest
from pymcdm.helpers import rankdata
from pymcdm.methods import TOPSIS
from shapely import Polygon

from corridor.errors import ScoringError
from corridor.mcda.methods import method_ids
from corridor.mcda.rank import cross_score, score
from corridor.mcda.robustness import (
    WeightSpace,
    convergence_error,
    draw_metrics,
    draw_weights,
    measure_robustness,
    rank_draws,
)
from corridor.report.i18n import render

from .tables import make_panel


def exact_first_ranks(values):
    """Share of the weight triangle in which each alternative wins, and its centroid, by clipping polygons."""
    shares, centroids = [], []
    for own in values:
        region = [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]
        for other in values:
            lead = own - other
            region = clip(region, lead[0] - lead[2], lead[1] - lead[2], lead[2])
        polygon = Polygon(region) if len(region) > 2 else Polygon()
        shares.append(polygon.area / 0.5)
        centre = polygon.centroid
        centroids.append((centre.x, centre.y, 1 - centre.x - centre.y) if polygon.area > 0 else (np.nan,) * 3)
    return np.array(shares), np.array(centroids)


def clip(region, a, b, c):
    """Keep the part of a convex polygon where a x + b y + c is not negative."""
    kept = []
    for (x0, y0), (x1, y1) in zip(region, region[1:] + region[:1], strict=True):
        d0, d1 = a * x0 + b * y0 + c, a * x1 + b * y1 + c
        if d0 >= 0:
            kept.append((x0, y0))
        if d0 * d1 < 0:
            t = d0 / (d0 - d1)
            kept.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    return kept


def test_two_alternatives_in_closed_form():
    # a0 wins where w > 0.4 w + 0.8 (1 - w), that is w > 4/7; then w is uniform on (4/7, 1).
    found = measure_robustness(make_panel([[1.0, 0.0], [0.4, 0.8]]), draws=40_000)
    np.testing.assert_allclose(found.acceptability, [[3 / 7, 4 / 7], [4 / 7, 3 / 7]], atol=found.error_95)
    np.testing.assert_allclose(found.central_weights[:, 0], [11 / 14, 2 / 7], atol=0.005)
    np.testing.assert_allclose(found.pairwise, [[0, 3 / 7], [4 / 7, 0]], atol=found.error_95)
    assert found.confidence.tolist() == [1.0, 1.0]


def test_specialists_win_where_their_criterion_weighs_most():
    # Central weights are the rank order centroids: 11/18 for the largest, (5/18 + 2/18) / 2 for the others.
    found = measure_robustness(make_panel(np.eye(3)), draws=60_000)
    np.testing.assert_allclose(found.acceptability, np.full((3, 3), 1 / 3), atol=2 * found.error_95)
    expected = np.where(np.eye(3, dtype=bool), 11 / 18, 7 / 36)
    np.testing.assert_allclose(found.central_weights, expected, atol=0.005)


@pytest.mark.parametrize("seed", range(6))
def test_random_tables_against_exact_areas(seed):
    values = np.random.default_rng(seed).random((6, 3)).round(2)
    shares, centroids = exact_first_ranks(values)
    assert shares.sum() == pytest.approx(1.0)
    found = measure_robustness(make_panel(values), draws=20_000, seed=seed)
    np.testing.assert_allclose(found.acceptability[:, 0], shares, atol=1.6 * found.error_95)
    often = shares > 0.05
    np.testing.assert_allclose(found.central_weights[often], centroids[often], atol=0.02)
    np.testing.assert_allclose(found.acceptability.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.acceptability.sum(axis=0), 1.0)


def test_never_first_has_no_central_weights():
    found = measure_robustness(make_panel([[0.9, 0.9], [0.1, 0.8]]), draws=500)
    assert found.acceptability.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert np.isnan(found.central_weights[1]).all()
    assert np.isnan(found.confidence[1])
    assert found.confidence[0] == 1.0


def test_topsis_counts_as_a_loop_through_pymcdm_does():
    values = np.random.default_rng(2).random((6, 4))
    values[0, ::2], values[1, ::2], values[0, 1::2], values[1, 1::2] = 0.0, 1.0, 1.0, 0.0
    panel = make_panel(values)
    found = measure_robustness(panel, method="topsis", draws=1500, seed=5)
    weights = draw_weights(panel, WeightSpace(), 1500, np.random.default_rng(5).spawn(3)[0])
    method, counts = TOPSIS(), np.zeros((6, 6))
    for row in weights:
        ranks = rankdata(method(values, row, np.ones(4), validation=False), reverse=True)
        counts[np.arange(6), np.asarray(ranks, dtype=int) - 1] += 1
    np.testing.assert_array_equal(found.acceptability, counts / 1500)


def test_shared_factor_and_separate_draws_differ_as_they_must():
    # a0 is always 0.1 ahead if both hang on one price; if they vary alone, a0 wins with chance 1 - 0.9^2 / 2.
    low, high = np.array([[0.1], [0.0]]), np.array([[1.1], [1.0]])
    middle = (low + high) / 2
    together = measure_robustness(make_panel(middle, low, high, factors=["price"]), draws=2000)
    assert together.acceptability[0, 0] == 1.0
    # Values are clamped at 1; the anchors of these criteria end there.
    low, high = low / 2, high / 2
    apart = measure_robustness(make_panel((low + high) / 2, low, high), draws=40_000)
    assert apart.acceptability[0, 0] == pytest.approx(1 - 0.9**2 / 2, abs=apart.error_95)
    assert apart.confidence[0] == pytest.approx(1 - 0.9**2 / 2, abs=2 * apart.error_95)
    assert "not confidence intervals" in render(apart.notes[0])


def test_confidence_is_about_metrics_and_not_about_weights():
    # a0 leads on c0 by 0.2 at the middle, but its metric may be up to 0.4 lower or higher.
    middle = np.array([[0.6, 0.5], [0.4, 0.5]])
    width = np.array([[0.4, 0.0], [0.0, 0.0]])
    found = measure_robustness(make_panel(middle, middle - width, middle + width), draws=40_000)
    assert found.confidence[0] == pytest.approx(0.75, abs=0.01)
    assert found.confidence[1] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("method", method_ids())
def test_scores_of_all_weights_with_all_metrics(method):
    rng = np.random.default_rng(0)
    panel, weights, metrics = make_panel(rng.random((4, 3))), rng.dirichlet(np.ones(3), 5), rng.random((6, 4, 3))
    expected = [[score(panel, row, method, table) for table in metrics] for row in weights]
    np.testing.assert_allclose(cross_score(panel, weights, method, metrics), expected, atol=1e-13)
    assert cross_score(panel, weights[:0], method, metrics).shape == (0, 6, 4)


def test_the_published_number_of_draws():
    # Tervonen and Lahdelma (2007): 9604 draws give 0.01 with 95 % confidence.
    assert convergence_error(np.array([0.5]), 9604) == pytest.approx(0.01, abs=1e-5)


def test_the_stated_error_holds_about_as_often_as_stated():
    panel = make_panel([[1.0, 0.0], [0.4, 0.8]])
    hits = 0
    for seed in range(200):
        found = measure_robustness(panel, draws=400, seed=seed)
        hits += abs(found.acceptability[0, 0] - 3 / 7) <= found.error_95
    # Binomial(200, 0.95): fewer than 180 has chance 0.2 %.
    assert 180 <= hits < 200


def test_same_seed_same_answer_and_zero_is_a_seed():
    middle = np.random.default_rng(0).random((5, 3)) * 0.6 + 0.2
    panel = make_panel(middle, middle - 0.1, middle + 0.1)
    first, again, other = (measure_robustness(panel, draws=600, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.acceptability, again.acceptability)
    np.testing.assert_array_equal(first.central_weights, again.central_weights)
    np.testing.assert_array_equal(first.confidence, again.confidence)
    assert not np.array_equal(first.acceptability, other.acceptability)


@pytest.mark.parametrize("method", method_ids())
def test_permuting_alternatives_permutes_the_answer(method):
    values = np.random.default_rng(7).random((5, 3))
    order = [3, 1, 4, 0, 2]
    first = measure_robustness(make_panel(values), method=method, draws=800)
    moved = measure_robustness(make_panel(values[order]), method=method, draws=800)
    np.testing.assert_array_equal(moved.acceptability, first.acceptability[order])
    np.testing.assert_array_equal(moved.pairwise, first.pairwise[np.ix_(order, order)])


@pytest.mark.parametrize("method", method_ids())
def test_the_dominated_never_ranks_above_its_dominator(method):
    values = np.random.default_rng(8).random((5, 3))
    values[3] = values[1] * 0.9
    assert measure_robustness(make_panel(values), method=method, draws=800).pairwise[3, 1] == 0.0


def test_metrics_drawn_elsewhere_take_the_place_of_intervals():
    panel = make_panel([[0.6, 0.5], [0.4, 0.5]])
    drawn = np.repeat(panel.metrics[None], 1000, axis=0)
    drawn[:250, 0, 0] = 0.1
    found = measure_robustness(panel, draws=1000, metric_draws=drawn)
    assert found.acceptability[0, 0] == 0.75
    with pytest.raises(ScoringError, match="shape"):
        measure_robustness(panel, draws=10, metric_draws=drawn)
    drawn[3, 1, 1] = np.nan
    with pytest.raises(ScoringError, match="finite"):
        measure_robustness(panel, draws=1000, metric_draws=drawn)


def test_one_block_of_draws_continues_the_last():
    middle = np.full((2, 2), 0.5)
    panel = make_panel(middle, middle - 0.5, middle + 0.5, factors=["f", ""])
    rng = np.random.default_rng(0)
    blocks = np.concatenate([draw_metrics(panel, 512, rng) for _ in range(2)])
    assert len(np.unique(blocks[:, 0, 0])) == 1024


def test_ties_share_the_better_rank():
    ranks = rank_draws(np.array([[0.5, 0.9, 0.5, 0.1], [0.2, 0.2, 0.2, 0.2], [0.1, 0.2, 0.3, 0.3]]))
    assert ranks.tolist() == [[2, 1, 2, 4], [1, 1, 1, 1], [4, 3, 1, 1]]


def test_tables_carry_ids():
    found = measure_robustness(make_panel([[1.0, 0.0], [0.4, 0.8]]), draws=100)
    assert found.acceptability_table().loc["a1", "rank 1"] == found.acceptability[1, 0]
    assert list(found.central_weights_table().columns) == ["first", "confidence", "c0", "c1"]
    assert found.pairwise_table().loc["a0", "a1"] == found.pairwise[0, 1]


@pytest.mark.parametrize(
    ("options", "words"), [({"draws": 0}, "at least 1"), ({"seed": -1}, "seed"), ({"method": "topsi"}, "'topsis'")]
)
def test_wrong_requests(options, words):
    with pytest.raises(ScoringError, match=words):
        measure_robustness(make_panel(np.eye(2)), **options)


def test_nobody_to_rank():
    with pytest.raises(ScoringError, match="no alternatives"):
        measure_robustness(make_panel(np.empty((0, 2))))
