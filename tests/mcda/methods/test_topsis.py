"""TOPSIS against published tables and pymcdm."""

import numpy as np
import pytest
from pymcdm.methods import TOPSIS

from corridor.mcda.methods.topsis import topsis

from .problems import AIRCRAFT, AIRCRAFT_WEIGHTS, PRODUCTS, PRODUCTS_WEIGHTS, random_table


def test_gives_the_book_s_aircraft_table():
    signs = np.array([1, 1, 1, -1, 1, 1])
    normalised = signs * AIRCRAFT / np.linalg.norm(AIRCRAFT, axis=0)
    np.testing.assert_allclose(topsis(normalised, AIRCRAFT_WEIGHTS), [0.643, 0.268, 0.613, 0.312], atol=1e-3)


def test_gives_the_table_of_tzeng_and_huang():
    closeness = topsis(PRODUCTS / np.linalg.norm(PRODUCTS, axis=0), PRODUCTS_WEIGHTS)
    np.testing.assert_allclose(closeness, [0.5037, 0.6581, 0.7482, 0.3340], atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pymcdm_on_random_tables(seed):
    matrix, signs, weights, scaled = random_table(seed)
    theirs = TOPSIS()(matrix, weights, signs, validation=False)
    np.testing.assert_allclose(topsis(scaled, weights), theirs, rtol=1e-12)


def test_where_ideal_and_anti_ideal_coincide():
    np.testing.assert_array_equal(topsis(np.ones((3, 2)), np.array([0.5, 0.5])), [0.5, 0.5, 0.5])
