"""PROMETHEE II against the paper's worked example, pymcdm and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymcdm.methods import PROMETHEE_II

from corridor.mcda.methods.promethee_ii import preference_degree, promethee_ii, unicriterion_flows
from corridor.mcda.methods.weighted_sum import weighted_sum

from .problems import random_table

# Brans, Vincke and Mareschal (1986), six sites for a hydroelectric power station: manpower, power, building cost,
# maintenance cost, villages to evacuate (all but power: less is better), security.
STATIONS = np.array(
    [
        [80.0, 90.0, 6.0, 5.4, 8.0, 5.0],
        [65.0, 58.0, 2.0, 9.7, 1.0, 1.0],
        [83.0, 60.0, 4.0, 7.2, 4.0, 7.0],
        [40.0, 80.0, 10.0, 7.5, 7.0, 10.0],
        [52.0, 72.0, 6.0, 2.0, 3.0, 8.0],
        [94.0, 96.0, 7.0, 3.6, 5.0, 6.0],
    ]
)
STATION_SIGNS = np.array([-1.0, 1.0, -1.0, -1.0, -1.0, 1.0])
STATION_KINDS = ("u-shape", "v-shape", "linear", "level", "usual", "gaussian")
STATION_Q = np.array([10.0, 0.0, 0.5, 1.0, 0.0, 0.0])
STATION_P = np.array([1.0, 30.0, 5.0, 6.0, 1.0, 5.0])

values_of = arrays(np.float64, (5, 3), elements=st.floats(0, 1).map(lambda x: round(x, 3)))
weights_of = arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda w: w / w.sum())


def test_gives_the_paper_s_power_stations():
    values = STATIONS * STATION_SIGNS
    degrees = [
        preference_degree(values[0, k] - values[1:, k], STATION_KINDS[k], STATION_Q[k], STATION_P[k]) for k in range(6)
    ]
    # The paper's preference indices of the first station over the others.
    np.testing.assert_allclose(np.mean(degrees, axis=0), [0.296, 0.250, 0.268, 0.100, 0.185], atol=1e-3)
    flows = promethee_ii(values, np.full(6, 1 / 6), STATION_KINDS, STATION_Q, STATION_P)
    # Leaving less entering flows, and the complete ranking 5, 2, 4, 6, 3, 1.
    expected = [0.220 - 0.366, 0.396 - 0.379, 0.247 - 0.337, 0.329 - 0.349]
    np.testing.assert_allclose(flows[:4], expected, atol=1.5e-3)
    assert (np.argsort(-flows) + 1).tolist() == [5, 2, 4, 6, 3, 1]


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pymcdm_on_random_tables(seed):
    matrix, signs, weights, _ = random_table(seed)
    theirs = PROMETHEE_II("usual")(matrix, weights, signs, validation=False)
    np.testing.assert_allclose(promethee_ii(matrix * signs, weights, "usual"), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("mine", "theirs"), [("linear", "vshape_2"), ("v-shape", "vshape"), ("u-shape", "ushape"), ("level", "level")]
)
def test_preference_functions_agree_with_pymcdm(mine, theirs):
    rng = np.random.default_rng(8)
    matrix, weights, q, p = rng.random((6, 3)), rng.dirichlet(np.ones(3)), np.full(3, 0.1), np.full(3, 0.4)
    expected = PROMETHEE_II(theirs, p=p, q=q)(matrix, weights, np.ones(3), validation=False)
    np.testing.assert_allclose(promethee_ii(matrix, weights, mine, q, p), expected, atol=1e-12)


def test_gaussian_preference_at_its_inflection():
    assert preference_degree(np.array([5.0]), "gaussian", 0.0, 5.0)[0] == pytest.approx(1 - np.exp(-0.5))


@given(values=values_of, weights=weights_of)
@settings(max_examples=60, deadline=None)
def test_net_flows_sum_to_zero(values, weights):
    assert promethee_ii(values, weights, "linear", 0.01, 0.25).sum() == pytest.approx(0.0, abs=1e-12)


def test_full_preference_at_the_whole_range_is_the_weighted_sum():
    # Why a narrower range is used in rankings: this one would add nothing to the weighted sum.
    rng = np.random.default_rng(6)
    values, weights = rng.random((5, 3)), rng.dirichlet(np.ones(3))
    sums = weighted_sum(values, weights)
    expected = (sums - sums.mean()) * 5 / 4
    np.testing.assert_allclose(promethee_ii(values, weights, "v-shape", 0.0, 1.0), expected, atol=1e-12)


def test_flows_of_a_single_alternative_are_zero():
    assert unicriterion_flows(np.array([[0.3, 0.9]])).tolist() == [[0.0, 0.0]]
