"""Decision problems of the literature that several methods' tests work on."""

import numpy as np

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

# Tzeng and Huang (2011), Multiple Attribute Decision Making, chapter 5: durability, capability, reliability.
PRODUCTS = np.array([[5.0, 8.0, 4.0], [7.0, 6.0, 8.0], [8.0, 8.0, 6.0], [7.0, 4.0, 6.0]])
PRODUCTS_WEIGHTS = np.array([0.3, 0.4, 0.3])


def random_table(seed):
    """Values, signs (-1 where less is better), weights, and the values scaled so that the best present is worth 1."""
    rng = np.random.default_rng(seed)
    matrix, signs = rng.random((7, 4)) * 100, rng.choice([-1, 1], 4)
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    scaled = np.where(signs > 0, (matrix - low) / (high - low), (high - matrix) / (high - low))
    return matrix, signs, rng.dirichlet(np.ones(4)), scaled
