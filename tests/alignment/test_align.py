"""Whole lines: closed forms, limits that hold along what is drawn, and the laws of an optimum."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine

import corridor.alignment.align as align_module
from corridor.alignment.align import (
    align,
    draw_errors,
    find_alternatives,
    measure_price_spread,
    overlap,
    sweep_grade,
    sweep_tunnel_price,
)
from corridor.alignment.curves import bend_angles
from corridor.alignment.links import SearchOptions, Stage
from corridor.alignment.pricing import find_closed, price_line
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.errors import AlignmentError, SearchRoomError
from corridor.schema.alignment import PriceRange
from corridor.schema.fields import Grid
from corridor.schema.vocabulary import LineKind
from tests.alignment.helpers import costs, heights, standard

QUICK = SearchOptions(offsets_m=(0.0,), narrowing=(), max_structure_km=6.0)


def frame(z, cell=200.0):
    return Grid("EPSG:32638", Affine(cell, 0, 500_000, 0, -cell, 4_300_000), z.shape)


def at(grid, row, col):
    x, y = grid.centres(np.array([row]), np.array([col]))
    return float(x[0]), float(y[0])


def line_on(z, a, b, design=None, prices=None, options=QUICK, cell=200.0, **more):
    grid = frame(z, cell)
    return align(z, grid, at(grid, *a), at(grid, *b), design or standard(), prices or costs(), options, **more)


ROUGH = heights((40, 50), 160.0, seed=3, smooth=3.0)


def test_on_a_plane_within_the_limit_the_line_is_straight():
    z = np.add.outer(np.arange(20) * 2.0, np.arange(30) * 3.0)
    result = line_on(z, (2, 3), (16, 27), standard(cross_slope_doubles=1e6))
    distance = 0.2 * np.hypot(14, 24)
    assert result.length_km == pytest.approx(distance)
    assert result.price.total_musd == pytest.approx(5 * distance)
    assert len(result.vertices) == 2


def test_up_a_plane_that_is_too_steep_length_is_rise_over_limit():
    # 8 m per 200 m row: straight up would be 4 %. At 2 % the line has to be at least twice as long.
    z = np.repeat(np.arange(41.0)[::-1, None] * 8.0, 61, axis=1)
    options = replace(QUICK, neighbours=32, max_structure_km=30.0)
    steep = standard(2.0, cross_slope_doubles=1e6, min_radius_m=0.0, max_bridge_height_m=1e-3, max_fill_m=1e-3,
                     min_bridge_height_m=0.0)  # fmt: skip
    result = line_on(z, (38, 30), (2, 30), steep, costs(tunnel=5000.0), options)
    least = 36 * 8 / 0.02 / 1000
    assert least <= result.length_km <= 1.02 * least
    assert result.max_grade_pct <= 2.0 + 1e-9


@pytest.mark.parametrize(("tunnel", "bored"), [(10.0, True), (60.0, False)])
def test_a_ridge_is_bored_where_the_tunnel_just_pays(tunnel, bored):
    # A wall 300 m high, 3 columns thick, with a gap 12 rows to the south; straight 5 km against the way round.
    z = np.full((31, 26), 100.0)
    z[:25, 12:15] = 400.0
    prices = costs(tunnel=tunnel)
    result = line_on(z, (12, 0), (12, 25), standard(), prices, replace(QUICK, neighbours=32))
    assert (result.tunnel_km > 0) == bored
    around = 5 * 0.2 * 2 * np.hypot(13, 12)
    bore = 0.2 * 2 + 2 * 0.2 * (1 - np.sqrt(tunnel / 5 - 1) * 10 / 300)  # where open line costs as much
    open_km = 5.0 - bore
    through = tunnel * bore + 5 * open_km + 4
    if bored:
        assert result.price.total_musd == pytest.approx(through, rel=0.02)
        assert result.price.portals == 2
    else:
        assert result.price.total_musd >= 0.95 * around


def test_a_wall_with_a_gap_is_passed_at_the_gap():
    z = np.full((21, 21), 50.0)
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[:, 10] = 7
    mask[17, 10] = 0
    result = line_on(z, (3, 2), (3, 18), options=replace(QUICK, turns=False), mask=mask)
    rows, cols = frame(z).fractional_index(result.line[:, 0], result.line[:, 1])
    assert np.interp(10.0, cols, rows) == pytest.approx(17.0)
    # On the way to and from the gap the triangles beside the wall are closed too.
    assert 0.4 * np.hypot(14, 8) <= result.length_km <= 0.4 * np.hypot(14, 7) + 0.4


def test_what_is_drawn_keeps_every_limit_and_its_price():
    for grade, radius in ((2.5, 300.0), (4.0, 150.0), (1.5, 400.0)):
        design = standard(grade, min_radius_m=radius)
        options = replace(QUICK, offsets_m=(-20.0, 0.0, 10.0))
        result = line_on(ROUGH, (3, 3), (36, 45), design, options=options)
        run = np.hypot(*np.diff(result.line[:, :2], axis=0).T)
        assert (np.abs(np.diff(result.line[:, 2])) <= (grade / 100 + 1e-11) * run).all()
        assert np.cumsum(run) == pytest.approx(result.chainage_m[1:], abs=1e-6)
        links = np.hypot(*np.diff(result.vertices[:, :2], axis=0).T)
        tangents = radius * np.tan(bend_angles(result.vertices) / 2)
        assert (tangents <= 0.5 * np.minimum(links[:-1], links[1:]) + 1e-6).all()
        assert result.min_radius_m >= radius - 1e-6
        bends = bend_angles(result.line)
        assert np.degrees(bends.max()) <= 2.0 + 1e-6
        heights = [s.extent_m for s in result.structures if s.kind == "bridge"]
        assert max(heights, default=0) <= design.max_bridge_height_m + 1e-9
        again = price_line(result.line, ROUGH, frame(ROUGH), design, costs())
        assert again.total_musd == pytest.approx(result.price.total_musd, rel=1e-4)
        assert result.unconstrained_price_musd <= result.search_price_musd * (1 + 1e-12)


def free(z, a, b, design=None, prices=None, options=QUICK, **more):
    """Price of the best line without turn limit."""
    return line_on(z, a, b, design, prices, replace(options, turns=False), **more).price.total_musd


ENDS = ((3, 3), (36, 45))


def test_a_looser_grade_never_costs_more():
    prices = [free(ROUGH, *ENDS, standard(g)) for g in (1.5, 2.0, 3.0, 5.0)]
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(prices))


def test_a_cheaper_tunnel_longer_structures_and_more_directions_never_cost_more():
    cheap = [free(ROUGH, *ENDS, prices=costs(tunnel=t)) for t in (40.0, 25.0, 12.0)]
    longer = [free(ROUGH, *ENDS, options=replace(QUICK, max_structure_km=k)) for k in (0.5, 2.0, 8.0)]
    denser = [free(ROUGH, *ENDS, options=replace(QUICK, directions=d)) for d in (16, 32, 64)]
    nearer = [free(ROUGH, *ENDS, options=replace(QUICK, neighbours=n)) for n in (8, 16, 32)]
    for prices in (cheap, longer, denser, nearer):
        assert all(b <= a * (1 + 1e-12) for a, b in pairwise(prices))


def test_a_mask_never_costs_less():
    rng = np.random.default_rng(2)
    mask = np.zeros(ROUGH.shape, dtype=np.uint8)
    before = free(ROUGH, *ENDS)
    for bit in (1, 2, 4, 7):
        mask[rng.random(mask.shape) < 0.03] |= bit
        mask[3, 3] = mask[36, 45] = 0
        after = free(ROUGH, *ENDS, mask=mask)
        assert after >= before * (1 - 1e-12)
        before = after


def test_equal_limits_cost_the_same_both_ways_and_unequal_ones_do_not():
    a, b = ENDS
    assert free(ROUGH, a, b) == pytest.approx(free(ROUGH, b, a), rel=1e-12)
    tilted = ROUGH + np.linspace(0, 150, ROUGH.shape[1])[None, :]
    uneven = standard(1.5, 4.0)
    assert free(tilted, a, b, uneven) != pytest.approx(free(tilted, b, a, uneven), rel=1e-3)


def test_scaling_all_prices_scales_the_result_and_moves_no_line():
    one = line_on(ROUGH, *ENDS)
    three = line_on(ROUGH, *ENDS, prices=costs().scaled(3.0))
    assert three.price.total_musd == pytest.approx(3 * one.price.total_musd, rel=1e-12)
    assert np.array_equal(one.line, three.line)


def test_friction_steers_and_is_not_reported():
    z = np.full((15, 25), 10.0)
    friction = np.zeros(z.shape)
    friction[5:10, 8:17] = 50.0
    straight = line_on(z, (7, 2), (7, 22))
    pushed = line_on(z, (7, 2), (7, 22), friction_musd_per_km=friction)
    assert pushed.length_km > straight.length_km
    assert pushed.price.total_musd == pytest.approx(5 * pushed.length_km, rel=1e-9)


def test_narrowing_keeps_the_price():
    z = heights((120, 140), 500.0, seed=8, smooth=9.0)
    wide = replace(QUICK, turns=False)
    full = line_on(z, (10, 10), (105, 125), options=wide).price.total_musd
    narrow = line_on(z, (10, 10), (105, 125), options=replace(wide, narrowing=(Stage(4, 1.15),))).price.total_musd
    assert full <= narrow * (1 + 1e-12)
    assert narrow <= 1.001 * full


def test_a_valley_beside_a_base_tunnel_survives_narrowing():
    # Pinned to the ground the rough valley looks dear and the tunnel doesn't; the levels then make the valley cheaper.
    z = heights((50, 60), 45.0, seed=5, smooth=1.2)
    z[:, 5:55] += np.where(np.abs(np.arange(50) - 44) > 4, 900.0, 0.0)[:, None]
    design = standard(1.5)
    for tunnel in (24.0, 30.0, 36.0, 45.0):
        ends, prices = ((25, 2), (25, 57)), costs(tunnel=tunnel)
        options = SearchOptions(turns=False, max_structure_km=8.0, directions=32)
        full = line_on(z, *ends, design, prices, replace(options, narrowing=()), cell=900.0).price.total_musd
        narrowed = line_on(z, *ends, design, prices, options, cell=900.0).price.total_musd
        assert narrowed == pytest.approx(full, rel=1e-3)


def test_no_way_names_the_limit_that_closes_it_and_the_one_that_opens_it():
    z = np.repeat(np.arange(12.0)[:, None] * 40.0, 12, axis=1)  # 20 % everywhere, too small to wind
    with pytest.raises(AlignmentError, match=r"ruling grade of 1 % closes it, [\d.]+ % opens it") as caught:
        line_on(z, (1, 5), (10, 6), standard(1.0))
    opened = float(str(caught.value).split("closes it, ")[1].split(" %")[0])
    line_on(z, (1, 5), (10, 6), standard(opened * 1.01), options=replace(QUICK, turns=False))
    with pytest.raises(AlignmentError):
        line_on(z, (1, 5), (10, 6), standard(opened * 0.9))


def test_a_wall_without_a_gap_is_blamed_on_the_mask():
    z = np.full((12, 12), 50.0)
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[6, :] = 7
    with pytest.raises(AlignmentError, match=r"entering masked ground .* opens it"):
        line_on(z, (2, 2), (10, 9), mask=mask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": (-9, 3)}, "outside"),
        ({"b": (3, 3)}, "same node"),
    ],
)
def test_wrong_questions_are_refused(change, message):
    z = np.full((12, 12), 50.0)
    with pytest.raises(AlignmentError, match=message):
        line_on(z, change.get("a", (3, 3)), change.get("b", (8, 8)))


def test_wrong_options_are_refused_with_all_their_faults():
    with pytest.raises(AlignmentError, match=r"neighbours must be 8, 16 or 32, got 5; .*offsets_m"):
        replace(QUICK, neighbours=5, offsets_m=(5.0,))


def test_degrees_are_refused():
    grid = Grid("EPSG:4326", Affine(0.01, 0, 46, 0, -0.01, 39), (10, 10))
    with pytest.raises(AlignmentError, match="degrees"):
        build_terrain(np.zeros((10, 10)), grid)


def test_alternatives_differ():
    z = np.full((45, 40), 100.0)
    z[15:30, 10:30] = 400.0  # a block in the middle: north or south of it
    grid = frame(z, 400.0)
    terrain = build_terrain(z, grid)
    a, b = at(grid, 21, 2), at(grid, 21, 37)
    options = replace(QUICK, neighbours=8, directions=32)
    asked = AlignmentProblem(terrain, a, b, standard(), costs(tunnel=200.0), options)
    lines = find_alternatives(asked, count=2)
    assert len(lines) == 2
    assert overlap(lines[1].line, lines[0].line) <= 0.5
    assert lines[0].price.total_musd <= lines[1].price.total_musd <= 1.5 * lines[0].price.total_musd


def test_sweeps_carry_figures_or_reasons():
    grid = frame(ROUGH)
    terrain = build_terrain(ROUGH, grid)
    ends = (at(grid, 3, 3), at(grid, 36, 45))
    asked = AlignmentProblem(terrain, *ends, standard(), costs(), QUICK)
    points = sweep_grade(asked, (0.001, 2.0, 4.0))
    assert points[0].alignment is None
    assert "no way" in points[0].as_row()["reason"]
    assert points[2].alignment.unconstrained_price_musd <= points[1].alignment.unconstrained_price_musd
    assert points[2].alignment.price.total_musd <= points[1].alignment.price.total_musd
    dear = sweep_tunnel_price(asked, (10.0, 60.0))
    assert dear[0].alignment.tunnel_km >= dear[1].alignment.tunnel_km


def test_a_looser_grade_takes_the_line_of_a_stricter_one_that_is_cheaper_when_drawn(monkeypatch):
    asked = AlignmentProblem(build_terrain(ROUGH, frame(ROUGH)), (0.0, 0.0), (1.0, 1.0), standard(), costs(), QUICK)
    drawn = line_on(ROUGH, *ENDS)
    dearer = replace(drawn, price=replace(drawn.price, ends=PriceRange.flat(drawn.price.ends.mid + 1.0)))
    lines = {2.0: drawn, 2.5: dearer, 3.0: None}

    def found(problem):
        line = lines[problem.standard.max_grade_up_pct]
        if line is None:
            raise AlignmentError("no way: the minimum radius closes it")
        return line

    monkeypatch.setattr("corridor.alignment.align.solve", found)
    points = sweep_grade(asked, (3.0, 2.5, 2.0))
    assert [p.value for p in points] == [3.0, 2.5, 2.0]
    assert all(p.alignment is drawn and p.reason == "" for p in points)


def test_error_draws_have_the_stated_size_and_reach():
    fields = np.stack(list(draw_errors((60, 60), 100.0, 8.0, 500.0, 60, seed=1)))
    assert fields.std() == pytest.approx(8.0, rel=0.05)
    at_range = (fields[:, :, 5:] * fields[:, :, :-5]).mean() / fields.var()
    assert at_range == pytest.approx(np.exp(-1), abs=0.08)


def test_the_spread_over_draws_holds_its_middle():
    grid = frame(ROUGH)
    terrain = build_terrain(ROUGH, grid)
    ends = at(grid, 3, 3), at(grid, 36, 45)
    asked = AlignmentProblem(terrain, *ends, standard(), costs(), replace(QUICK, turns=False))
    spread = measure_price_spread(asked, 10.0, 600.0, 3)["cost_musd"]
    assert spread.low < spread.median < spread.high
    assert spread.found == 3


def test_low_and_high_prices_come_from_quantities():
    prices = replace(costs(), surface=PriceRange(3.0, 5.0, 9.0))
    price = line_on(ROUGH, *ENDS, prices=prices).price
    surface = price.musd[LineKind.SURFACE]
    assert surface.low == pytest.approx(3.0 / 5.0 * surface.mid)
    assert surface.mid > 5.0 * price.km[LineKind.SURFACE]
    assert price.total.low < price.total.mid < price.total.high


def test_a_line_along_the_end_of_the_ground_says_so():
    z = np.full((30, 30), 50.0)
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[2:22, 15] = 7  # open at both ends
    options = replace(QUICK, turns=False)
    said = [
        "new_line.edge" in {note.key for note in line_on(z, (row, 5), (row, 25), options=options, mask=mask).notes}
        for row in (8, 25)
    ]
    assert said == [True, False]


@pytest.mark.parametrize("seed", range(6))
def test_curves_keep_to_what_a_mask_leaves_open(seed):
    rng = np.random.default_rng(seed)
    mask = np.where(rng.random(ROUGH.shape) < 0.08, 7, 0).astype(np.uint8)
    mask[3, 3] = mask[36, 45] = 0
    design = standard(4.0, min_radius_m=90.0)
    result = line_on(ROUGH, *ENDS, design, options=replace(QUICK, max_structure_km=3.0), mask=mask)
    terrain = build_terrain(ROUGH, frame(ROUGH), mask)
    on_grid = terrain.to_grid(result.line)
    assert not len(find_closed(on_grid, terrain.ground, design, costs()))
    rows, cols = np.nonzero(mask)
    steps = np.linspace(0, result.chainage_m[-1], 20_000)
    along = np.column_stack([np.interp(steps, result.chainage_m, on_grid[:, k]) for k in (0, 1)])
    # A triangle with a forbidden corner is closed: its inner circle reaches a fifth of a cell from the node.
    assert np.hypot(along[:, :1] - rows, along[:, 1:] - cols).min() > 0.2
    assert result.min_radius_m >= 90.0 - 1e-6


def test_curves_on_bridges_at_their_highest_are_given_up():
    # A trough that only a bridge at its limit spans, to be passed by bends and by changes of grade.
    z = np.full((40, 40), 100.0)
    z[:, 18:23] = 100.0 - 40.0
    z[8:32, 18:23] = 100.0 - 60.0
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[:, 18:23] = 1
    design = standard(2.0, max_bridge_height_m=40.0, min_radius_m=300.0)
    options = replace(QUICK, offsets_m=(-10.0, 0.0, 14.0))
    result = line_on(z, (35, 2), (5, 37), design, options=options, mask=mask)
    assert max(s.extent_m for s in result.structures if s.kind == "bridge") <= 40.0 + 1e-9


def test_where_no_curve_can_be_built_the_limit_is_named(monkeypatch):
    z = np.full((20, 20), 50.0)
    mask = np.full(z.shape, 7, dtype=np.uint8)
    mask[4, 2:16] = mask[4:16, 15] = 0  # one bend of a right angle
    mask[3:6, 14:17] = 0
    options = replace(QUICK, neighbours=8, max_structure_km=0.4, max_direct_km=0.4)
    with pytest.raises(AlignmentError, match=r"within 4 times .* none keeps the minimum radius of 900 m"):
        line_on(z, (4, 2), (15, 15), standard(min_radius_m=900.0), options=options, mask=mask)
    # Where only a part of the ground was searched, a line may lie on the rest: no limit is blamed.
    monkeypatch.setattr(align_module, "MOST_STATES", 1)
    options = replace(options, narrowing=None)
    with pytest.raises(SearchRoomError, match=r"on the part of the ground that was searched.*certify") as caught:
        line_on(z, (4, 2), (15, 15), standard(min_radius_m=900.0), options=options, mask=mask)
    assert caught.value.least_musd is None
