"""VIKOR against the paper's worked example, a second published table, pymcdm and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymcdm.methods import VIKOR

from corridor.mcda.methods.vikor import losses, vikor
from corridor.mcda.rank import score

from ..tables import make_panel
from .problems import PRODUCTS, PRODUCTS_WEIGHTS, random_table

# Opricovic and Tzeng (2004), three destinations for a climb: risk (less is better) and altitude in metres.
CLIMBS = np.array([[-1.0, 3000.0], [-2.0, 3750.0], [-5.0, 4500.0]])
EVEN = np.array([0.5, 0.5])


def test_gives_the_paper_s_mountain_climb():
    total, largest = losses(CLIMBS, EVEN)
    assert total.tolist() == [0.5, 0.375, 0.5]
    assert largest.tolist() == [0.5, 0.25, 0.5]
    assert vikor(CLIMBS, EVEN).tolist() == [1.0, 0.0, 1.0]


def test_gives_the_table_of_tzeng_and_huang():
    total, largest = losses(PRODUCTS, PRODUCTS_WEIGHTS)
    np.testing.assert_allclose(total, [0.6, 0.3, 0.15, 0.65])
    np.testing.assert_allclose(largest, [0.3, 0.2, 0.15, 0.4])
    np.testing.assert_allclose(vikor(PRODUCTS, PRODUCTS_WEIGHTS), [0.75, 0.25, 0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pymcdm_on_random_tables(seed):
    matrix, signs, weights, _ = random_table(seed)
    theirs = VIKOR(v=0.3)(matrix, weights, signs, validation=False)
    np.testing.assert_allclose(vikor(matrix * signs, weights, utility_share=0.3), theirs, atol=1e-12)


def test_the_score_is_one_less_q_on_the_anchors():
    # Anchors 1 and 0, weights 0.75 and 0.25: S = 0.75 * 0.5 + 0.25 * 0.2 = 0.425 and R = 0.375 of at most 0.75.
    panel = make_panel([[0.5, 0.8], [1.0, 1.0], [0.0, 0.0]])
    expected = 1.0 - (0.5 * 0.425 + 0.5 * 0.375 / 0.75)
    np.testing.assert_allclose(score(panel, np.array([0.75, 0.25]), "vikor"), [expected, 1.0, 0.0])


def test_with_the_anchors_present_the_paper_s_q_is_that_on_anchors():
    # An alternative at every best and one at every worst anchor make S*, S-, R* and R- those of the anchors.
    rng = np.random.default_rng(2)
    values, weights = np.vstack([np.ones(4), np.zeros(4), rng.random((5, 4))]), rng.dirichlet(np.ones(4))
    np.testing.assert_allclose(vikor(values, weights), vikor(values, weights, np.ones(4), np.zeros(4)), atol=1e-12)


def test_all_alike_lose_nothing():
    assert vikor(np.full((3, 2), 0.4), EVEN).tolist() == [0.0, 0.0, 0.0]


@given(
    values=arrays(np.float64, (5, 3), elements=st.floats(0, 1)),
    weights=arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda w: w / w.sum()),
)
@settings(max_examples=60, deadline=None)
def test_the_largest_loss_is_one_of_the_sum(values, weights):
    total, largest = losses(values, weights, np.ones(3), np.zeros(3))
    assert (largest <= total + 1e-12).all()
    assert (total <= 3 * largest + 1e-12).all()
