"""Full circles that gain height: against an explicit graph, as they are drawn, and what they may never break."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import transform

import corridor
from corridor.alignment.align import align
from corridor.alignment.links import SearchOptions, build_ground
from corridor.alignment.pricing import price_line
from corridor.alignment.search import build_problem, search
from corridor.alignment.spirals import price_crossing
from corridor.errors import AlignmentError
from corridor.schema.fields import Grid
from tests.alignment.helpers import costs, standard
from tests.alignment.oracle import explicit_cost

OPTIONS = SearchOptions(
    neighbours=8, directions=0, offsets_m=(-20.0, 0.0, 10.0), max_structure_km=1.0, max_direct_km=0.5, spirals=2
)
DESIGN = standard(4.0, curve_resistance_permille_m=700.0, min_radius_m=80.0)
PRICES = costs(tunnel=60.0)


def valley(climb=0.10, rows=14, seed=None):
    """A valley between steep walls whose floor climbs in the middle; with a seed it is uneven."""
    r, c = np.indices((rows, 7)) * 250.0
    z = 500 + climb * np.clip(r - 500, 0, 2000) + np.abs(c - 750)
    return z if seed is None else z + np.random.default_rng(seed).uniform(-8, 8, z.shape)


def line(z, options=OPTIONS, design=DESIGN):
    grid = Grid("EPSG:32632", Affine(250, 0, 10_000, 0, -250, 0), z.shape)
    ends = (10_875.0, -125.0), (10_875.0, -125.0 - 250.0 * (z.shape[0] - 1))
    return align(z, grid, *ends, design, PRICES, options), grid


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cost_equals_that_of_an_explicit_graph_with_circles(seed):
    ground = build_ground(valley(rows=9, seed=seed), 250.0)
    problem = build_problem(ground, (0, 3), (8, 3), DESIGN, PRICES, replace(OPTIONS, offsets_m=(-20.0, 0.0)))
    expected = explicit_cost(problem)
    assert np.isfinite(expected)
    assert search(problem).cost_musd == pytest.approx(expected, rel=1e-12)
    assert search(problem, reverse=True).cost_musd == pytest.approx(expected, rel=1e-12)
    assert search(problem, informed=False).cost_musd == pytest.approx(expected, rel=1e-12)
    without = replace(problem.options, spirals=0)
    assert explicit_cost(build_problem(ground, (0, 3), (8, 3), DESIGN, PRICES, without)) > expected


@pytest.mark.parametrize("turns", [False, True])
def test_a_valley_steeper_than_the_grade_is_climbed_in_circles(turns):
    z = valley()
    with pytest.raises(AlignmentError, match="ruling grade of 4 %"):
        line(z, replace(OPTIONS, turns=turns, spirals=0))
    found, grid = line(z, replace(OPTIONS, turns=turns))
    assert found.spirals
    assert found.max_grade_pct <= 4.0 + 1e-9
    passing = sum(s.crossings.mid for s in found.spirals)
    again = price_line(found.line, z, grid, DESIGN, PRICES).total_musd
    assert again + passing == pytest.approx(found.price.total_musd, rel=2e-3)
    assert (np.diff(found.chainage_m) > 0).all()
    run = np.hypot(*np.diff(found.line[:, :2], axis=0).T)
    assert np.diff(found.chainage_m) == pytest.approx(run, abs=2e-3)
    for spiral in found.spirals:
        assert abs(spiral.rise_m) / spiral.turns >= 10.0
        # What the curve resists is taken off the ruling grade.
        assert abs(spiral.rise_m) / (spiral.to_m - spiral.from_m) <= 0.04 - 0.7 / 80.0 + 1e-9


@pytest.mark.parametrize(
    ("depth", "rise", "price"),
    [
        (12.0, 12.0, 0.0749 * 25 * (1 + 12 / 50) / 1.6 + 1.0),  # an open cut, passed on level ground by a bridge
        (2.0, 11.0, 0.0749 * 25 * (1 + 11 / 50) / 1.6 + 1.0),  # neither a cut nor a fill that asks for a structure
        (31.0, 40.0, 0.0),  # too deep for a cut: bored
        (-3.0, 20.0, 0.0),  # too high for a fill: on a bridge
    ],
)
def test_a_track_over_another_has_a_bridge_where_neither_has_a_structure(depth, rise, price):
    problem = build_problem(
        build_ground(valley(), 250.0), (0, 3), (13, 3), replace(DESIGN, min_radius_m=100.0), PRICES, OPTIONS
    )
    assert price_crossing(depth, rise, 74.9, problem.parameters) == pytest.approx(price, rel=1e-9)
    # The tracks are less than a formation's width of 7 m apart as far as the circle leaves its tangent by no more.
    reach = np.sqrt(100.0**2 - 93.0**2)
    assert problem.loops.overlap_m == pytest.approx(2 * reach, rel=0.02)


def test_circles_are_drawn_as_circles_and_turn_to_the_side_that_is_said():
    found, _ = line(valley())
    for s in found.spirals:
        inside = (found.chainage_m > s.from_m + 1) & (found.chainage_m < s.to_m - 1)
        arms = found.line[inside, :2] - (s.x, s.y)
        assert np.hypot(*arms.T) == pytest.approx(80.0, abs=0.02)
        turned = np.unwrap(np.arctan2(arms[:, 1], arms[:, 0]))
        assert (turned[-1] - turned[0]) / (2 * np.pi) == pytest.approx(s.turns if s.is_left else -s.turns, abs=0.02)
        assert (np.diff(found.line[inside, 2]) * np.sign(s.rise_m) > 0).all()


def test_a_looser_limit_and_more_circles_never_cost_more():
    z = valley(seed=5)

    def cost(grade, circles):
        problem = build_problem(
            build_ground(z, 250.0), (0, 3), (13, 3), replace(DESIGN, max_grade_up_pct=grade, max_grade_down_pct=grade),
            PRICES, replace(OPTIONS, spirals=circles),
        )  # fmt: skip
        return search(problem).cost_musd

    for by_limit in ([cost(g, 2) for g in (3.5, 4.0, 5.0, 7.0, 12.0)], [cost(4.0, n) for n in (0, 1, 2, 3)]):
        assert all(b <= a + 1e-9 for a, b in pairwise(by_limit))


def test_a_circle_leaves_no_ground_that_is_barred():
    """With the valley's sides closed there is no room for one."""
    z = valley()
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[:, :3] = mask[:, 4:] = 7
    problem = build_problem(build_ground(z, 250.0, mask=mask), (0, 3), (13, 3), DESIGN, PRICES, OPTIONS)
    assert search(problem).cost_musd == np.inf


def test_circles_that_are_asked_for_between_two_places_are_found(tmp_path):
    z = np.pad(valley(), 2, mode="edge").astype(np.float32)
    frame = {"crs": "EPSG:32632", "transform": Affine(250, 0, 499_500, 0, -250, 5_000_500)}
    path = tmp_path / "valley.tif"
    with rasterio.open(path, "w", driver="GTiff", height=18, width=11, count=1, dtype="float32", **frame) as raster:
        raster.write(z, 1)
    lon, lat = transform(frame["crs"], "EPSG:4326", [500_875.0] * 2, [4_999_875.0, 4_996_625.0])

    def spirals(most):
        ends = [f"{y:.7f},{x:.7f}" for x, y in zip(lon, lat, strict=True)]
        new = corridor.find_new_line(
            *ends, grade_permille=40, radius_m=80, dem=path, tunnel_musd_per_km=60, cell_m=250, spirals=most
        )
        return new.alignment.spirals

    assert spirals(2)
    with pytest.raises(AlignmentError, match="ruling grade of 4 %"):
        spirals(0)
