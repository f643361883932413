"""What narrowing leaves: lines on real relief cost what the whole ground would have given."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.warp import Resampling, reproject
from shapely.geometry import LineString

import corridor.alignment.align as way_in
import corridor.alignment.narrowing as narrowing
from corridor.alignment.align import find_way
from corridor.alignment.links import SearchOptions, Stage, all_moves, build_ground, build_levels
from corridor.alignment.narrowing import narrow, search_left, search_nearby
from corridor.alignment.primed import Question, search_primed
from corridor.alignment.problem import AlignmentProblem, build_terrain
from corridor.alignment.search import build_problem, search, state_points, trace_states
from corridor.files import data_root
from corridor.schema.fields import Grid
from tests.alignment.helpers import costs, hills, standard


def relief(rows, cols, cell_m=900.0, west=530_000.0, north=4_380_000.0):
    """Heights of southern Armenia and around from the bundled model."""
    out = np.full((rows, cols), np.nan)
    with rasterio.open(data_root() / "bundled" / "elevation_globe_30s.tif") as source:
        reproject(
            rasterio.band(source, 1), out, dst_transform=Affine(cell_m, 0, west, 0, -cell_m, north),
            dst_crs="EPSG:32638", dst_nodata=np.nan, resampling=Resampling.cubic,
        )  # fmt: skip
    return build_ground(out, cell_m)


def narrowed_cost(ground, start, goal, design, options):
    left = narrow(Question(ground, start, goal, design, costs(), options))
    problem = build_problem(ground, start, goal, design, costs(), options, left.usable)
    return left, search(problem, known_musd=left.known_musd).cost_musd


def test_stages_use_some_of_the_links_and_no_others():
    options = SearchOptions()
    every, some = ({tuple(m) for m in all_moves(options, 250.0, 250.0, thin)} for thin in (False, True))
    assert some < every
    assert len(some) < 0.4 * len(every)
    assert {m for m in every if np.hypot(*m) < 7} <= some


def pairs(shape, count, seed, least_cells):
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        a, b = ((int(rng.integers(shape[0])), int(rng.integers(shape[1]))) for _ in range(2))
        if np.hypot(a[0] - b[0], a[1] - b[1]) >= least_cells:
            found.append((a, b))
    return found


@pytest.mark.parametrize("grade", [1.8, 6.0])
def test_random_terminals_on_real_relief_lose_little(grade):
    """Any two nodes of a mountainous window, on slopes and summits too: within 2 % each, within 0.4 % on average."""
    ground = relief(224, 224, 250.0)
    options = SearchOptions(offsets_m=(0.0,), max_structure_km=12.0, max_direct_km=12.0)
    ratios = []
    for start, goal in pairs(ground.shape, 4, 3, 70):
        problem = build_problem(ground, start, goal, standard(grade), costs(), options)
        full = search(problem).cost_musd
        if np.isfinite(full):
            left, cost = narrowed_cost(ground, start, goal, standard(grade), options)
            assert left.usable is not None
            assert left.usable.mean() < 0.3
            ratios.append(cost / full)
    assert len(ratios) >= 4
    assert min(ratios) >= 1 - 1e-12
    assert max(ratios) <= 1.02
    assert np.mean(ratios) <= 1.004


def test_all_levels_on_real_relief_lose_little():
    ground = relief(48, 48)
    options = SearchOptions(max_structure_km=12.0)
    ratios = []
    for start, goal in pairs(ground.shape, 2, 8, 16):
        problem = build_problem(ground, start, goal, standard(2.5), costs(), options)
        full = search(problem).cost_musd
        ratios.append(narrowed_cost(ground, start, goal, standard(2.5), options)[1] / full)
    assert min(ratios) >= 1 - 1e-12
    assert max(ratios) <= 1.001


@pytest.mark.parametrize("offsets_m", [(0.0,), (-10.0, -5.0, 0.0, 7.0)])
def test_what_is_known_and_promised_saves_work_and_changes_nothing(offsets_m):
    ground = relief(60, 60)
    stage = Stage(1, 1.03, levels=True, few=len(offsets_m) > 1)
    options = SearchOptions(offsets_m=offsets_m, narrowing=(stage,), max_structure_km=12.0)
    (start, goal) = pairs(ground.shape, 1, 5, 40)[0]
    left = narrow(Question(ground, start, goal, standard(2.5), costs(), options))
    problem = build_problem(ground, start, goal, standard(2.5), costs(), options, left.usable)
    # What a search with fewer levels found is no promise for one with all of them.
    assert (left.promise(problem) is None) == stage.few
    assert np.isfinite(left.primes(problem, 1.0).cost).any()
    plain = search(problem)
    known = search(problem, known_musd=left.known_musd)
    assert plain.cost_musd <= left.known_musd
    assert known.cost_musd == plain.cost_musd
    assert search(problem, known_musd=left.known_musd, promised=left.promise(problem)).cost_musd == plain.cost_musd
    question = Question(ground, start, goal, standard(2.5), costs(), options)
    for near_factor in (1.0, 1.2):
        same, primed = search_left(question, left, near_factor)
        assert np.array_equal(same.node_of, problem.node_of)
        assert primed.cost_musd == pytest.approx(plain.cost_musd, rel=1e-12)
        assert trace_states(same, primed) == trace_states(problem, plain)


def test_a_hope_that_is_too_low_is_dropped(monkeypatch):
    ground = relief(60, 60)
    options = SearchOptions(
        offsets_m=(0.0,), max_structure_km=12.0, narrowing=(Stage(3, 1.15), Stage(1, 1.03, levels=True))
    )
    (start, goal) = pairs(ground.shape, 1, 5, 40)[0]
    usual, usual_cost = narrowed_cost(ground, start, goal, standard(2.5), options)
    monkeypatch.setattr(narrowing, "HOPE", 0.1)
    hopeless, cost = narrowed_cost(ground, start, goal, standard(2.5), options)
    assert cost == usual_cost
    assert np.array_equal(hopeless.usable, usual.usable)


def test_levels_of_coarser_cells_promise_a_price_only_where_the_search_has_them_too():
    ground = hills((60, 60), 200.0, 300.0, seed=2, smooth=5.0)
    few = SearchOptions(narrowing=(Stage(1, 1.02, levels=True, few=True),), max_structure_km=4.0)
    left, cost = narrowed_cost(ground, (5, 5), (50, 52), standard(2.5), few)
    assert left.usable.mean() < 0.5
    assert cost <= left.known_musd < np.inf
    others = replace(few, coarse_offsets_m=(-12.0, 0.0, 9.0))
    hoped = narrow(Question(ground, (5, 5), (50, 52), standard(2.5), costs(), others))
    assert hoped.known_musd == np.inf
    assert cost <= hoped.hoped_musd < np.inf


def test_lines_that_wind_where_wide_cells_have_no_room_are_kept():
    """On a plane slope a line has to turn back and back: on the mean of the slope, at few heights, it can't."""
    cell_m, slope = 100.0, 0.1
    rows = np.arange(60)
    ground = build_ground(np.repeat(slope * cell_m * rows[:, None], 60, axis=1), cell_m)
    options = SearchOptions(offsets_m=(-10.0, -5.0, 0.0, 7.0), max_structure_km=3.0, neighbours=8, directions=16)
    question = Question(ground, (5, 30), (50, 30), standard(2.5), costs(tunnel=100.0, bridge=100.0), options)
    whole = search(build_problem(*question)).cost_musd
    own = narrow(question)
    assert own.usable is not None
    assert search_left(question, own)[1].cost_musd == pytest.approx(whole, rel=1e-9)


def test_a_stage_that_finds_no_way_leaves_everything():
    wall = np.full((60, 60), 100.0)
    wall[:, 28:33] = 2000.0
    ground = build_ground(wall, 200.0)
    closed = standard(2.5, min_tunnel_depth_m=0.0)
    mask = np.where(wall > 1000, 7, 0)
    options = SearchOptions(offsets_m=(0.0,), narrowing=(Stage(4, 1.15), Stage(1, 1.03, levels=True)))
    shut = build_ground(wall, 200.0, mask=mask)
    assert narrow(Question(shut, (10, 5), (50, 55), closed, costs(), options)).usable is None
    too_coarse = replace(options, narrowing=(Stage(20, 1.15),))
    assert narrow(Question(ground, (10, 5), (50, 55), closed, costs(), too_coarse)).usable is None
    none = replace(options, narrowing=())
    assert narrow(Question(ground, (10, 5), (50, 55), closed, costs(), none)).usable is None


def test_no_more_of_the_ground_is_kept_than_there_is_room_for_and_the_nearest_of_it(monkeypatch):
    ground, options = hills((60, 60), 200.0, 300.0, seed=2, smooth=5.0), SearchOptions(max_structure_km=4.0)
    n_states = len(build_levels(options.offsets_m, standard(2.5)).kind)
    question = Question(
        ground,
        (5, 5),
        (50, 52),
        standard(2.5),
        costs(),
        replace(options, narrowing=(Stage(3, 1.6, levels=True),)),
    )
    kept = []
    for share in (1.0, 0.35, 0.25):
        monkeypatch.setattr(narrowing, "KEPT_STATES", int(share * ground.z.size * n_states))
        kept.append(narrow(question).usable)
    assert kept[0].mean() > 0.3
    assert (kept[0] | ~kept[1]).all()
    assert (kept[1] | ~kept[2]).all()
    # A block more or less; all blocks on and beside the cheapest line cost the same, and stay together.
    assert [k.mean() for k in kept[1:]] == pytest.approx([0.35, 0.25], abs=0.01)


def test_large_ground_of_which_a_line_needs_little_is_searched_whole(monkeypatch):
    ground, options = (
        relief(120, 120, 250.0),
        SearchOptions(offsets_m=(-10.0, 0.0, 7.0), max_structure_km=6.0, turns=False),
    )
    terrain = build_terrain(ground.z, Grid("EPSG:32638", Affine(250, 0, 0, 0, -250, 0), ground.shape))
    asked = AlignmentProblem(terrain, (15_125.0, -15_125.0), (17_625.0, -16_125.0), standard(6.0), costs(), options)
    stages = (Stage(5, 1.6, levels=True),)
    monkeypatch.setattr(narrowing, "default_narrowing", lambda *_: stages)
    n_states = ground.z.size * len(build_levels(options.offsets_m, standard(6.0)).kind)
    whole = search(build_problem(ground, *(terrain.node_at(xy, "")[0] for xy in (asked.start_xy, asked.end_xy)),
                                 standard(6.0), costs(), options))  # fmt: skip
    assert whole.settled.sum() < 0.5 * n_states
    monkeypatch.setattr(way_in, "MOST_STATES", 0.5 * n_states)
    proved = find_way(asked)
    assert proved.least_musd == proved.found.cost_musd == pytest.approx(whole.cost_musd, rel=1e-12)
    # Where it would look at too much, or where it is said how to narrow, nothing is proved.
    monkeypatch.setattr(way_in, "MOST_STATES", 1)
    assert find_way(asked).least_musd is None
    assert find_way(replace(asked, options=replace(options, narrowing=stages))).least_musd is None


@pytest.mark.parametrize("seed", [2, 5])
def test_beside_a_line_on_a_part_of_the_ground_none_is_cheaper(seed, monkeypatch):
    """A part that cuts through the hills anyhow: what comes of it is the cheapest of all lines near it."""
    monkeypatch.setattr(narrowing, "REACH_M", 1200.0)
    ground, options = hills((60, 60), 200.0, 300.0, seed=seed, smooth=5.0), SearchOptions(max_structure_km=4.0)
    question = Question(ground, (5, 5), (50, 52), standard(2.5), costs(), options)
    row, col = np.indices(ground.shape)
    part = np.abs(row - col) <= 3
    on_part, found = search_primed(question, usable=part)
    problem, nearer = search_nearby(question, on_part, found, part)
    points = state_points(problem, trace_states(problem, nearer))
    drawn = LineString(points[:, :2] * 200.0)
    near = shapely.dwithin(shapely.points(row * 200.0, col * 200.0), drawn, 1000.0)
    best_near = search(build_problem(*question, near)).cost_musd
    best = search(build_problem(*question)).cost_musd
    assert best * (1 - 1e-12) <= nearer.cost_musd < found.cost_musd
    assert nearer.cost_musd <= best_near / narrowing.WORTH_MORE
    # Where the part holds all that is near its line there is nothing left to look at.
    everything = np.ones(ground.shape, dtype=bool)
    assert search_nearby(question, problem, nearer, everything) == (problem, nearer)


def test_with_all_of_the_ground_in_reach_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(narrowing, "REACH_M", 1e6)
    ground, options = hills((60, 60), 200.0, 300.0, seed=5, smooth=5.0), SearchOptions(max_structure_km=4.0)
    question = Question(ground, (5, 5), (50, 52), standard(2.5), costs(), options)
    row, col = np.indices(ground.shape)
    on_part, found = search_primed(question, usable=np.abs(row - col) <= 3)
    _, nearer = search_nearby(question, on_part, found, np.abs(row - col) <= 3)
    whole = search(build_problem(*question)).cost_musd
    assert found.cost_musd > 1.001 * whole
    assert nearer.cost_musd == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("certify", [False, True])
def test_a_line_on_large_ground_is_narrowed_or_proved_and_tunnels_answer_to_their_price(certify, monkeypatch):
    """Laws of optima, on ground that counts as large: as proved exactly, else within what narrowing may lose (2 %)."""
    options = SearchOptions(offsets_m=(-10.0, 0.0, 7.0), max_structure_km=4.0, turns=False, certify=certify)
    ground = hills((60, 60), 200.0, 300.0, seed=2, smooth=5.0)
    terrain = build_terrain(ground.z, Grid("EPSG:32638", Affine(200, 0, 0, 0, -200, 0), ground.shape))
    monkeypatch.setattr(way_in, "MOST_STATES", 1)
    monkeypatch.setattr(narrowing, "KEPT_STATES", ground.z.size)
    monkeypatch.setattr(narrowing, "default_narrowing", lambda *_: (Stage(3, 1.6, levels=True),))
    tunnels = []
    for price in (15.0, 60.0):
        ends = (1_100.0, -1_100.0), (10_500.0, -10_100.0)
        asked = AlignmentProblem(terrain, *ends, standard(2.5), costs(tunnel=price), options)
        way, line = find_way(asked), way_in.solve(asked)
        nodes = (terrain.node_at(xy, "")[0] for xy in ends)
        whole = search(build_problem(ground, *nodes, standard(2.5), costs(tunnel=price), options)).cost_musd
        assert whole * (1 - 1e-12) <= way.found.cost_musd <= (1.0 + 1e-12 if certify else 1.02) * whole
        assert way.least_musd == (pytest.approx(whole, rel=1e-12) if certify else None)
        assert line.gap_musd == (0.0 if certify else None)
        tunnels.append(line.tunnel_km)
    if certify:
        assert tunnels[1] <= tunnels[0] + 1e-9
