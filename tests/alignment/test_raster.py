"""The raster search against an explicit graph, closed forms and finer integration."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from corridor.alignment.links import build_ground, ground_heights, neighbour_moves
from corridor.alignment.raster import find_raster_path
from corridor.errors import AlignmentError


def explicit(price, start, end, neighbours, exact):
    rows, cols = price.shape
    surface = build_ground(price, 1.0)
    src, dst, val = [], [], []
    t = (np.arange(1000) + 0.5) / 1000
    for r in range(rows):
        for c in range(cols):
            for dr, dc in neighbour_moves(neighbours):
                i, j = r + dr, c + dc
                if 0 <= i < rows and 0 <= j < cols and np.isfinite(price[r, c] + price[i, j]):
                    mean = (price[r, c] + price[i, j]) / 2
                    if exact:
                        mean = ground_heights(surface, r + t * dr, c + t * dc).mean()
                    src.append(r * cols + c)
                    dst.append(i * cols + j)
                    val.append(mean * np.hypot(dr, dc))
    graph = coo_matrix((val, (src, dst)), shape=(rows * cols,) * 2).tocsr()
    return dijkstra(graph, indices=start[0] * cols + start[1])[end[0] * cols + end[1]]


def walked(price, nodes, exact):
    """Cost of a path step by step, from the price alone."""
    surface = build_ground(np.where(np.isfinite(price), price, 1e9), 1.0)
    t = (np.arange(1000) + 0.5)[:, None] / 1000
    steps = np.diff(nodes, axis=0)
    if exact:
        at = nodes[:-1] + t[..., None] * steps
        mean = ground_heights(surface, at[..., 0], at[..., 1]).mean(axis=0)
    else:
        mean = (price[tuple(nodes[:-1].T)] + price[tuple(nodes[1:].T)]) / 2
    return float((mean * np.hypot(*steps.T)).sum())


@pytest.mark.parametrize(
    ("neighbours", "exact", "tolerance"), [(8, False, 1e-12), (16, False, 1e-12), (32, True, 1e-6)]
)
def test_cost_equals_that_of_an_explicit_graph(neighbours, exact, tolerance):
    for seed in range(4):
        price = np.random.default_rng(seed).uniform(1, 9, (13, 11))
        found = find_raster_path(price, (0, 1), (12, 9), 1.0, neighbours, exact)
        assert found.cost == pytest.approx(explicit(price, (0, 1), (12, 9), neighbours, exact), rel=tolerance)
        assert tuple(found.nodes[0]) == (0, 1)
        assert tuple(found.nodes[-1]) == (12, 9)
        assert walked(price, found.nodes, exact) == pytest.approx(found.cost, rel=tolerance)
        back = find_raster_path(price, (12, 9), (0, 1), 1.0, neighbours, exact)
        assert back.cost == pytest.approx(found.cost, rel=1e-12)


def test_even_price_gives_the_straight_line():
    assert find_raster_path(np.full((9, 9), 2.0), (0, 0), (8, 8), 10.0).cost == pytest.approx(2 * 80 * np.sqrt(2))
    assert find_raster_path(np.full((9, 9), 2.0), (0, 0), (8, 4), 1.0, 16, True).cost == pytest.approx(
        2 * np.hypot(8, 4)
    )


def test_closed_cells_are_gone_round_or_part_the_terminals():
    price = np.ones((7, 7))
    price[:6, 3] = np.inf
    assert find_raster_path(price, (0, 0), (0, 6)).cost > 6
    price[6, 3] = np.nan
    with pytest.raises(AlignmentError, match="no way"):
        find_raster_path(price, (0, 0), (0, 6))


def test_every_pair_of_nodes_of_a_rough_raster_with_gaps():
    """Terminals next to each other, at the rim and far apart: the two sides meet anywhere."""
    rng = np.random.default_rng(3)
    price = np.where(rng.random((6, 5)) < 0.2, np.inf, rng.uniform(1, 30, (6, 5)))
    nodes = [tuple(int(v) for v in node) for node in np.argwhere(np.isfinite(price))]
    for a in nodes:
        for b in nodes:
            expected = explicit(price, a, b, 8, False)
            if np.isfinite(expected):
                found = find_raster_path(price, a, b)
                assert found.cost == pytest.approx(expected, rel=1e-12, abs=0)
                assert walked(price, found.nodes, False) == pytest.approx(expected, rel=1e-12, abs=0)
            else:
                with pytest.raises(AlignmentError, match="no way"):
                    find_raster_path(price, a, b)


def test_prices_of_nothing_and_closed_terminals_are_refused():
    with pytest.raises(AlignmentError, match="above 0"):
        find_raster_path(np.zeros((4, 4)), (0, 0), (3, 3))
    price = np.ones((4, 4))
    price[3, 3] = np.inf
    with pytest.raises(AlignmentError, match="end"):
        find_raster_path(price, (0, 0), (3, 3))
