"""Methods against published tables, against pymcdm, and by their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymcdm.methods import PROMETHEE_II, TOPSIS, WSM
from pymcdm.normalizations import minmax_normalization

from corridor.mcda.methods import preference_degree, promethee_ii, topsis, unicriterion_flows, weighted_sum

# Hwang and Yoon (1981), Multiple Attribute Decision Making, the choice of a fighter aircraft: speed, range, payload,
# cost (less is better), reliability, manoeuvrability.
AIRCRAFT = np.array(
    [
        [2.0, 1500.0, 20000.0, 5.5, 5.0, 9.0],
        [2.5, 2700.0, 18000.0, 6.5, 3.0, 5.0],
        [1.8, 2000.0, 21000.0, 4.5, 7.0, 7.0],
        [2.2, 1800.0, 20000.0, 5.0, 5.0, 5.0],
    ]
)
AIRCRAFT_WEIGHTS = np.array([0.2, 0.1, 0.1, 0.1, 0.2, 0.3])

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


def by_weighted_sum(values, weights):
    return weighted_sum(values, weights)


def by_anchored_topsis(values, weights):
    return topsis(values, weights, np.ones(3), np.zeros(3))


def by_promethee(values, weights):
    return promethee_ii(values, weights, "linear", 0.01, 0.25)


every_method = pytest.mark.parametrize("method", [by_weighted_sum, by_anchored_topsis, by_promethee])


def test_weighted_sum_gives_the_book_s_aircraft_table():
    scaled = AIRCRAFT / AIRCRAFT.max(axis=0)
    scaled[:, 3] = AIRCRAFT[:, 3].min() / AIRCRAFT[:, 3]
    # The book rounds the scaled values to two digits before it sums them.
    scores = weighted_sum(scaled.round(2), AIRCRAFT_WEIGHTS)
    np.testing.assert_allclose(scores, [0.835, 0.709, 0.853, 0.738], atol=1.5e-3)


def test_topsis_gives_the_book_s_aircraft_table():
    signs = np.array([1, 1, 1, -1, 1, 1])
    normalised = signs * AIRCRAFT / np.linalg.norm(AIRCRAFT, axis=0)
    np.testing.assert_allclose(topsis(normalised, AIRCRAFT_WEIGHTS), [0.643, 0.268, 0.613, 0.312], atol=1e-3)


def test_topsis_gives_the_table_of_tzeng_and_huang():
    # Tzeng and Huang (2011), Multiple Attribute Decision Making, chapter 5.
    matrix = np.array([[5.0, 8.0, 4.0], [7.0, 6.0, 8.0], [8.0, 8.0, 6.0], [7.0, 4.0, 6.0]])
    closeness = topsis(matrix / np.linalg.norm(matrix, axis=0), np.array([0.3, 0.4, 0.3]))
    np.testing.assert_allclose(closeness, [0.5037, 0.6581, 0.7482, 0.3340], atol=1e-4)


def test_promethee_gives_the_paper_s_power_stations():
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
def test_methods_agree_with_pymcdm_on_random_tables(seed):
    rng = np.random.default_rng(seed)
    matrix, types = rng.random((7, 4)) * 100, rng.choice([-1, 1], 4)
    weights = rng.dirichlet(np.ones(4))
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    scaled = np.where(types > 0, (matrix - low) / (high - low), (high - matrix) / (high - low))
    mine = weighted_sum(scaled, weights)
    np.testing.assert_allclose(mine, WSM(minmax_normalization)(matrix, weights, types, validation=False), rtol=1e-12)
    np.testing.assert_allclose(topsis(scaled, weights), TOPSIS()(matrix, weights, types, validation=False), rtol=1e-12)
    theirs = PROMETHEE_II("usual")(matrix, weights, types, validation=False)
    np.testing.assert_allclose(promethee_ii(matrix * types, weights, "usual"), theirs, atol=1e-12)


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


@every_method
def test_many_weights_at_once_equal_one_after_the_other(method):
    rng = np.random.default_rng(3)
    values, weights = rng.random((6, 3)), rng.dirichlet(np.ones(3), 20)
    many = method(values, weights)
    np.testing.assert_allclose(many, [method(values, row) for row in weights], atol=1e-14)


@every_method
def test_many_tables_at_once_equal_one_after_the_other(method):
    rng = np.random.default_rng(4)
    values, weights = rng.random((20, 6, 3)), rng.dirichlet(np.ones(3), 20)
    pairs = list(zip(values, weights, strict=True))
    np.testing.assert_allclose(method(values, weights), [method(v, w) for v, w in pairs], atol=1e-14)
    np.testing.assert_allclose(method(values, weights[0]), [method(v, weights[0]) for v in values], atol=1e-14)


@every_method
@given(values=values_of, weights=weights_of, order=st.permutations(range(5)))
@settings(max_examples=60, deadline=None)
def test_permuting_alternatives_permutes_scores(method, values, weights, order):
    np.testing.assert_allclose(method(values[list(order)], weights), method(values, weights)[list(order)], atol=1e-12)


@every_method
@given(values=values_of, weights=weights_of, losses=arrays(np.float64, 3, elements=st.floats(0, 0.5)))
@settings(max_examples=60, deadline=None)
def test_the_dominated_never_beats_its_dominator(method, values, weights, losses):
    values = values.copy()
    values[1] = np.maximum(values[0] - losses, 0.0)
    scores = method(values, weights)
    assert scores[1] <= scores[0] + 1e-12


@given(values=values_of, weights=weights_of)
@settings(max_examples=60, deadline=None)
def test_net_flows_sum_to_zero_and_stay_in_range(values, weights):
    flows = by_promethee(values, weights)
    assert flows.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.abs(flows).max() <= 1.0 + 1e-12


def test_promethee_with_full_preference_at_the_whole_range_is_the_weighted_sum():
    # Why a narrower range is used in rankings: this one would add nothing to the weighted sum.
    rng = np.random.default_rng(6)
    values, weights = rng.random((5, 3)), rng.dirichlet(np.ones(3))
    sums = weighted_sum(values, weights)
    expected = (sums - sums.mean()) * 5 / 4
    np.testing.assert_allclose(promethee_ii(values, weights, "v-shape", 0.0, 1.0), expected, atol=1e-12)


def test_topsis_where_ideal_and_anti_ideal_coincide():
    np.testing.assert_array_equal(topsis(np.ones((3, 2)), np.array([0.5, 0.5])), [0.5, 0.5, 0.5])


def test_flows_of_a_single_alternative_are_zero():
    assert unicriterion_flows(np.array([[0.3, 0.9]])).tolist() == [[0.0, 0.0]]
