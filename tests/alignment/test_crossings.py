"""Crossings of links with the ground's triangles: laid out once for all nodes, or for one chord at a time."""

import numpy as np
import pytest

from corridor.alignment.chords import new_scratch, pack_parameters, walk_chord, walk_move
from corridor.alignment.links import (
    SearchOptions,
    all_moves,
    build_ground,
    ground_heights,
    lay_crossings,
    lay_moves,
    room_for,
)
from tests.alignment.helpers import costs, hills, standard


@pytest.mark.parametrize("seed", range(20))
def test_heights_at_crossings_are_the_grounds_and_the_depth_is_linear_between(seed):
    rng = np.random.default_rng(seed)
    ground = hills((17, 13), 100.0, 80.0, seed)
    ends = rng.integers(0, 12, (2, 2)).astype(float) if seed % 2 else rng.uniform(0, 12, (2, 2))
    (r0, c0), (r1, c1) = ends
    into = room_for(17, 13)
    n = lay_crossings(r0, c0, r1, c1, 15, 11, into)
    share, cell, weight = into.share[:n], into.cell[:n], into.weight[:n]
    assert share[0] == 0.0
    assert share[-1] == 1.0
    assert (np.diff(share) > 0).all()
    corners = np.stack([ground.z[cell[:, 0] + i, cell[:, 1] + j] for i, j in ((0, 0), (0, 1), (1, 0), (1, 1))], axis=1)
    rows, cols = r0 + share * (r1 - r0), c0 + share * (c1 - c0)
    assert (corners * weight).sum(axis=1) == pytest.approx(ground_heights(ground, rows, cols), rel=1e-12)
    # Half-way between two crossings the ground is half-way between their heights: none was missed.
    middle = ground_heights(ground, 0.5 * (rows[1:] + rows[:-1]), 0.5 * (cols[1:] + cols[:-1]))
    heights = ground_heights(ground, rows, cols)
    assert middle == pytest.approx(0.5 * (heights[1:] + heights[:-1]), rel=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_a_move_costs_what_the_same_chord_costs(seed):
    """All turned and mirrored images of a shape, at the rim too, with masks, friction and oblong cells."""
    rng = np.random.default_rng(seed)
    z = hills((30, 26), 120.0, 150.0, seed, smooth=3.0).z
    mask = (rng.random(z.shape) < 0.03) * rng.choice([1, 2, 4], z.shape) if seed % 3 == 0 else None
    friction = rng.uniform(0, 4, z.shape) if seed % 4 == 0 else None
    ground = build_ground(z, 120.0, 90.0, mask, friction)
    p = pack_parameters(ground, standard(), costs())
    moves = all_moves(SearchOptions(neighbours=32, max_structure_km=2.0), ground.dx_m, ground.dy_m)
    laid, scratch = lay_moves(moves), new_scratch()
    compared = 0
    for m in rng.permutation(len(moves))[:150]:
        d_row, d_col = map(int, moves[m])
        r = int(rng.choice([max(0, -d_row), z.shape[0] - 1 - max(0, d_row)]))
        c = int(rng.choice([max(0, -d_col), z.shape[1] - 1 - max(0, d_col)]))
        if not (r + min(d_row, 0) >= 0 and r + max(d_row, 0) < z.shape[0] and c + min(d_col, 0) >= 0):
            continue
        h0 = float(z[r, c] + rng.uniform(-15, 8))
        h1 = float(z[r + d_row, c + d_col] + rng.uniform(-15, 8))
        metres = float(np.hypot(d_row * ground.dy_m, d_col * ground.dx_m))
        for kind in range(3):
            one, other = np.full(3, np.inf), np.full(3, np.inf)
            one[kind] = other[kind] = 7.0
            a = walk_move(ground.arrays, laid, m, r, c, h0, d_row, d_col, h1 - h0, metres, p, one, np.inf, scratch)
            b = walk_chord(
                ground.arrays, float(r), float(c), h0, float(r + d_row), float(c + d_col), h1, p, other, np.inf,
                scratch, scratch.no_trace, 0, 0.0,
            )  # fmt: skip
            assert (a < 0) == (b < 0)
            if a >= 0:
                assert one == pytest.approx(other, rel=1e-12)
                compared += 1
    assert compared > 100


def test_moves_of_one_shape_share_their_crossings():
    moves = np.array([[2, 3], [3, 2], [-2, 3], [3, -2], [-3, -2], [1, 0], [0, -1]], dtype=np.int32)
    laid = lay_moves(moves)
    assert len(np.unique(laid.pointer, axis=0)) == 2
    assert len(laid.crossings.share) == laid.pointer.max()
