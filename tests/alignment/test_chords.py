"""The compiled walk along a chord against a plain Python one, closed forms and short steps."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.alignment.chords import least_price, new_scratch, pack_parameters, walk_chord
from corridor.alignment.links import build_ground, ground_heights
from corridor.alignment.pricing import price_pieces, price_steps, split_line, structures_of
from tests.alignment.helpers import costs, hills, hillside_costs, standard
from tests.alignment.helpers import costs as unit_prices
from tests.alignment.oracle import exact_chord


def walk(ground, a, b, design=None, prices=None, kind=0, limit=np.inf):
    p = pack_parameters(ground, design or standard(), prices or costs())
    cost = np.full(3, np.inf)
    cost[kind] = 0.0
    scratch = new_scratch()
    ends = (*map(float, a), *map(float, b))
    done = walk_chord(ground.arrays, *ends, p, cost, limit, scratch, scratch.no_trace, 0, 0.0)
    return cost if done >= 0 else np.full(3, np.inf)


@pytest.mark.parametrize("seed", range(40))
def test_a_chord_costs_what_plain_python_says(seed):
    rng = np.random.default_rng(seed)
    ground = build_ground(rng.uniform(0, [40, 120][seed % 2], (9, 8)), 120.0, 90.0)
    whole = seed % 3 == 0
    a, b = (rng.integers(0, 8, 2) if whole else rng.uniform(0, 7, 2) for _ in range(2))
    a = (*a, float(rng.uniform(0, 60)))
    b = (*(b if tuple(b) != tuple(a[:2]) else (3, 4)), float(rng.uniform(0, 60)))
    prices = hillside_costs() if seed % 4 < 2 else costs()
    expected = exact_chord(ground, standard(), prices, a, b)
    for kind in range(3):
        assert walk(ground, a, b, prices=prices, kind=kind) == pytest.approx(expected[kind], rel=1e-12, abs=1e-12)


def test_level_ground_costs_the_unit_price():
    ground = build_ground(np.full((5, 11), 300.0), 100.0)
    assert walk(ground, (2, 0, 300), (2, 10, 300))[0] == pytest.approx(5.0, rel=1e-14)


def test_a_cut_of_constant_depth_follows_the_square_of_the_depth():
    ground = build_ground(np.full((5, 11), 300.0), 100.0)
    assert walk(ground, (2, 0, 295), (2, 10, 295))[0] == pytest.approx(5.0 * (1 + 0.25), rel=1e-14)
    assert walk(ground, (2, 0, 304), (2, 10, 304))[0] == pytest.approx(5.0 * (1 + 0.25), rel=1e-14)


def test_cross_slope_counts_along_the_contour_and_not_up_the_hill():
    z = np.repeat(np.arange(9.0)[:, None] * 20.0, 9, axis=1)  # falls 20 m per 100 m row
    ground = build_ground(z, 100.0)
    along = walk(ground, (4, 0, 80), (4, 8, 80))[0]
    assert along == pytest.approx(4.0 * (1 + (0.2 / 0.5) ** 2), rel=1e-6)
    assert walk(ground, (0, 4, 0), (8, 4, 160))[0] == pytest.approx(4.0, rel=1e-6)


def test_a_deep_chord_is_a_tunnel_between_portals():
    z = np.full((3, 41), 500.0)
    z[:, :5] = z[:, -5:] = 100.0
    ground = build_ground(z, 100.0)
    line = np.array([[1.0, 0.0, 100.0], [1.0, 40.0, 100.0]])
    pieces = split_line(line, ground, standard(), costs())
    (tunnel,) = structures_of(pieces)
    # The slope climbs 400 m over 100 m: open line costs as much as a tunnel at sqrt(5) x 10 m depth.
    edge = np.sqrt(30 / 5 - 1) * 10 / 4
    assert tunnel.kind == "tunnel"
    assert tunnel.from_m == pytest.approx(400 + edge, abs=1e-6)
    assert tunnel.length_m == pytest.approx(3200 - 2 * edge, abs=1e-6)
    assert tunnel.extent_m == pytest.approx(400)
    assert price_pieces(pieces, standard(), costs()).portals == 2


def test_too_high_for_a_bridge_is_not_possible():
    z = np.full((3, 21), 500.0)
    z[:, 8:13] = 300.0
    ground = build_ground(z, 100.0)
    assert np.isinf(walk(ground, (1, 0, 500), (1, 20, 500))).all()
    assert np.isfinite(walk(ground, (1, 0, 500), (1, 20, 500), standard(max_bridge_height_m=200.0))[0])


@given(seed=st.integers(0, 10**6))
def test_a_chord_costs_the_same_from_either_end(seed):
    rng = np.random.default_rng(seed)
    ground = hills((14, 14), 150.0, 80.0, seed % 7)
    (a, b) = rng.uniform(0, 13, (2, 2))
    ha, hb = rng.uniform(960, 1040, 2)
    there, back = walk(ground, (*a, ha), (*b, hb)), walk(ground, (*b, hb), (*a, ha))
    assert there[0] == pytest.approx(back[0], rel=1e-9)


def test_pricing_stops_at_a_limit_but_never_below_the_true_price():
    ground = hills((14, 14), 150.0, 60.0)
    a, b = (1, 1, ground.z[1, 1]), (12, 9, ground.z[12, 9])
    price = walk(ground, a, b)[0]
    assert np.isinf(walk(ground, a, b, limit=0.9 * price)).all()
    assert walk(ground, a, b, limit=price * 1.0001)[0] == price


SLOPE = 0.9  # of a plane hillside, as a tangent


def on_a_hillside(depth_m, **prices):
    """A line along a plane hillside, 1 km long: its price and the kind that it has in the middle."""
    z = np.repeat(np.arange(9.0)[:, None] * -100.0 * SLOPE, 13, axis=1)
    ground, height = build_ground(z, 100.0), -400.0 * SLOPE - depth_m
    line = np.array([[4.0, 1.0, height], [4.0, 11.0, height]])
    pieces = split_line(line, ground, standard(), hillside_costs(**prices))
    price = price_pieces(pieces, standard(), hillside_costs(**prices))
    return price.total_musd, structures_of(pieces)


def test_a_hillside_is_built_as_engineers_build_it():
    """Closed forms on a plane: bench with walls at little depth, a gallery in a cut, a half-bridge outside."""
    bench, kinds = on_a_hillside(0.0, wall=4.0)
    assert [s.kind for s in kinds] == ["bench"]
    assert bench == pytest.approx(5.0 * (1 + (0.5 / 0.5) ** 2) + 4.0 * (SLOPE**2 - 0.5**2), rel=1e-6)
    assert on_a_hillside(-2.0, wall=4.0)[0] == pytest.approx(bench + 5.0 * (2 / 8) ** 2, rel=1e-6)
    assert [s.kind for s in on_a_hillside(11.0)[1]] == ["gallery"]
    assert on_a_hillside(11.0)[0] == pytest.approx(15.0, rel=1e-12)
    assert [s.kind for s in on_a_hillside(-5.0)[1]] == ["half_bridge"]
    assert on_a_hillside(-5.0)[0] == pytest.approx(13.0, rel=1e-12)
    # Deeper a tunnel takes over from the gallery, higher a bridge from the half-bridge, each with its ends.
    assert [s.kind for s in on_a_hillside(40.0)[1]] == ["tunnel"]
    assert [s.kind for s in on_a_hillside(-30.0)[1]] == ["bridge"]
    assert on_a_hillside(-30.0)[0] == pytest.approx(25.0 + 2 * 0.5, rel=1e-12)


def test_a_bridge_costs_more_the_higher_it_stands():
    z = np.full((3, 23), 500.0)
    z[:, 1:22] = 400.0
    ground = build_ground(z, 100.0)
    level, higher = (walk(ground, (1, 3, 400 + h), (1, 19, 400 + h), kind=1)[1] for h in (30.0, 80.0))
    assert level == pytest.approx(1.6 * 25.0, rel=1e-12)
    assert higher == pytest.approx(1.6 * 25.0 * (1 + 80 / 50) / (1 + 30 / 50), rel=1e-12)


@pytest.mark.parametrize("along", [{}, {"wall": 7.0}, {"wall": 7.0, "gallery": 15.0, "half_bridge": 13.0}])
def test_the_pieces_add_up_and_short_steps_agree(along):
    ground, costs = hills((40, 40), 200.0, 600.0), partial(unit_prices, **along)
    corners = np.array([[2.0, 3.0], [20.0, 11.0], [24.5, 30.2], [37.0, 36.0]])
    line = np.column_stack([corners, ground_heights(ground, corners[:, 0], corners[:, 1])])
    pieces = split_line(line, ground, standard(), costs())
    assert pieces.from_m[1:] == pytest.approx(pieces.to_m[:-1], abs=1e-6)
    price = price_pieces(pieces, standard(), costs())
    exact = price.total_musd
    cost = np.array([0.0, np.inf, np.inf])
    p = pack_parameters(ground, standard(), costs())
    for a, b in pairwise(line):
        scratch = new_scratch()
        walk_chord(ground.arrays, *a, *b, p, cost, np.inf, scratch, scratch.no_trace, 0, 0.0)
    assert exact == pytest.approx(cost[0], rel=1e-12)
    stepped = price_steps(line, ground, standard(), costs())
    assert stepped.total_musd == pytest.approx(exact, rel=1e-4)
    assert set(stepped.km) == set(price.km)
    assert stepped.km == pytest.approx(price.km, abs=0.02)
    for kind in price.km:
        assert stepped.musd[kind].high == pytest.approx(price.musd[kind].high, rel=1e-2, abs=0.05)


@pytest.mark.parametrize("seed", range(30))
def test_the_quick_bound_is_never_above_the_price(seed):
    rng = np.random.default_rng(seed)
    ground = hills((60, 60), 200.0, [100.0, 400.0, 900.0][seed % 3], seed, smooth=4.0)
    p = pack_parameters(ground, standard(), costs())
    checked = dropped = 0
    for _ in range(40):
        a, b = rng.integers(0, 60, (2, 2))
        if np.abs(a - b).max() < 3:
            continue
        ends = [(float(r), float(c), float(ground.z[r, c])) for r, c in (a, b)]
        metres, rise = 200.0 * float(np.hypot(*(b - a))), ends[1][2] - ends[0][2]
        link = (int(a[0]), int(a[1]), ends[0][2], int(b[0] - a[0]), int(b[1] - a[1]), rise, metres)
        price = min(walk(ground, *ends, kind=kind).min() for kind in range(3))
        if np.isfinite(price):
            checked += 1
            assert least_price(ground.arrays, *link, 0.0, 0.0, np.inf, p) <= price * (1 + 1e-12)
            lower = walk(ground, (*a, ends[0][2]), (*b, ends[1][2] - 15.0)).min()
            assert least_price(ground.arrays, *link, 5.0, 15.0, np.inf, p) <= lower * (1 + 1e-12)
        dropped += least_price(ground.arrays, *link, 0.0, 0.0, np.inf, p) > 0.6 * min(price, 1e6)
    assert checked > 3
    assert dropped > 0
