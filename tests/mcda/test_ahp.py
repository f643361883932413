import numpy as np
import pytest

from corridor.errors import ScoringError
from corridor.mcda.perspectives import comparison_matrix, weights_from_comparisons
from corridor.report.i18n import render

DRINKS = ("coffee", "wine", "tea", "beer", "sodas", "milk", "water")
# Saaty (2008), Decision making with the analytic hierarchy process, Int. J. Services Sciences 1(1), table 2.
CONSUMPTION = np.array(
    [
        [1, 9, 5, 2, 1, 1, 1 / 2],
        [1 / 9, 1, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
        [1 / 5, 3, 1, 1 / 3, 1 / 4, 1 / 3, 1 / 9],
        [1 / 2, 9, 3, 1, 1 / 2, 1, 1 / 3],
        [1, 9, 4, 2, 1, 2, 1 / 2],
        [1, 9, 3, 1, 1 / 2, 1, 1 / 3],
        [2, 9, 9, 3, 2, 3, 1],
    ]
)


def test_saaty_s_drinks():
    found = weights_from_comparisons(DRINKS, CONSUMPTION)
    expected = [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    np.testing.assert_allclose(list(found.weights.values()), expected, atol=5e-4)
    assert found.consistency_ratio == pytest.approx(0.022, abs=1e-3)
    assert found.consistent
    assert found.notes == ()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 15])
def test_comparisons_of_known_weights_give_them_back(size):
    weights = np.random.default_rng(size).dirichlet(np.ones(size))
    names = [f"n{i}" for i in range(size)]
    found = weights_from_comparisons(names, weights[:, None] / weights)
    np.testing.assert_allclose(list(found.weights.values()), weights, rtol=1e-9)
    assert found.lambda_max == pytest.approx(size)
    assert found.consistency_ratio == pytest.approx(0.0, abs=1e-9)


def test_a_contradiction_is_named():
    # a over b over c over a: nobody can mean that.
    matrix = comparison_matrix(["a", "b", "c"], {("a", "b"): 5.0, ("b", "c"): 5.0, ("c", "a"): 5.0})
    found = weights_from_comparisons(["a", "b", "c"], matrix)
    np.testing.assert_allclose(list(found.weights.values()), 1 / 3)
    # By symmetry the largest eigenvalue is the row sum 1 + 5 + 1/5.
    assert found.lambda_max == pytest.approx(6.2)
    assert found.consistency_ratio == pytest.approx((6.2 - 3) / 2 / 0.52)
    assert not found.consistent
    assert "contradict" in render(found.notes[0])


def test_the_worst_comparison_is_the_one_named():
    weights = np.array([0.5, 0.3, 0.15, 0.05])
    matrix = weights[:, None] / weights
    matrix[1, 3], matrix[3, 1] = 1 / 9, 9.0
    assert "“n1” to “n3”" in render(weights_from_comparisons(["n0", "n1", "n2", "n3"], matrix).notes[0])


def test_comparison_matrix_is_reciprocal():
    matrix = comparison_matrix(["a", "b"], {("b", "a"): 4.0})
    assert matrix.tolist() == [[1.0, 0.25], [4.0, 1.0]]


@pytest.mark.parametrize(
    ("comparisons", "words"),
    [
        ({("a", "bb"): 2.0}, "did you mean 'b'"),
        ({("a", "b"): 0.0}, "above 0"),
        ({("a", "b"): 2.0, ("b", "a"): 0.5}, "compared twice"),
        ({}, "missing"),
    ],
)
def test_wrong_comparisons(comparisons, words):
    with pytest.raises(ScoringError, match=words):
        comparison_matrix(["a", "b"], comparisons)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.ones((2, 3)), "2 x 2"),
        (np.array([[1.0, -2.0], [-0.5, 1.0]]), "above zero"),
        (np.array([[1.0, 3.0], [0.5, 1.0]]), "reciprocal"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), "above zero"),
    ],
)
def test_wrong_matrices(matrix, words):
    with pytest.raises(ScoringError, match=words):
        weights_from_comparisons(["a", "b"], matrix)
