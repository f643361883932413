"""The weighted sum against a published table and pymcdm."""

import numpy as np
import pytest
from pymcdm.methods import WSM
from pymcdm.normalizations import minmax_normalization

from corridor.mcda.methods.weighted_sum import weighted_sum

from .problems import AIRCRAFT, AIRCRAFT_WEIGHTS, random_table


def test_gives_the_book_s_aircraft_table():
    scaled = AIRCRAFT / AIRCRAFT.max(axis=0)
    scaled[:, 3] = AIRCRAFT[:, 3].min() / AIRCRAFT[:, 3]
    # The book rounds the scaled values to two digits before it sums them.
    scores = weighted_sum(scaled.round(2), AIRCRAFT_WEIGHTS)
    np.testing.assert_allclose(scores, [0.835, 0.709, 0.853, 0.738], atol=1.5e-3)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pymcdm_on_random_tables(seed):
    matrix, signs, weights, scaled = random_table(seed)
    theirs = WSM(minmax_normalization)(matrix, weights, signs, validation=False)
    np.testing.assert_allclose(weighted_sum(scaled, weights), theirs, rtol=1e-12)
