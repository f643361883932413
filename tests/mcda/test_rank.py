import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import ScoringError
from corridor.files import data_root
from corridor.mcda.matrix import build_matrix
from corridor.mcda.methods import method_ids
from corridor.mcda.perspectives import load_perspectives, parse_weights
from corridor.mcda.rank import competition_ranks, rank_alternatives, score, tie_width
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_panel, route_table

EVEN = {"distance": 0.25, "terrain": 0.25, "border_access": 0.25, "north_south": 0.25}


def by_candidate(table, column="rank"):
    return dict(zip(table["candidate_id"], table[column], strict=True))


def test_a_ranking_by_hand():
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN)
    # rail: (0.875 + 2/3 + 0.75 + 0) / 4 and so on.
    expected = {
        "rail": (0.875 + 2 / 3 + 0.75 + 0) / 4,
        "valley": (0.87375 + 0.7 + 2 / 3 + 1 / 6) / 4,
        "pass": (0.625 + 14 / 15 + 11 / 12 + 1 / 3) / 4,
        "north": (0.5 + 299 / 300 + 1 + 1 / 12) / 4,
        "abroad": (0.75 + 5 / 6) / 2,
    }
    assert by_candidate(table, "score") == pytest.approx(expected)
    assert by_candidate(table) == {"pass": 1, "north": 2, "valley": 3, "rail": 4, "abroad": 1}
    assert by_candidate(table, "panel")["abroad"] == "comparator"
    assert not table["tied"].any()


@pytest.mark.parametrize("method", ["weighted-sum", "promethee-ii"])
def test_contributions_sum_to_the_score(method):
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN, method)
    parts = table[[column for column in table.columns if column.startswith("contribution:")]]
    np.testing.assert_allclose(parts.sum(axis=1), table["score"], atol=1e-12)


def test_who_can_t_be_ranked_is_shown_with_every_reason():
    table = route_table(length_km=[np.nan, 250.5, 350.0, 400.0, 300.0], gain_min=[np.nan, 10.0, 20.0, 5.0, np.nan])
    ranked = rank_alternatives(build_matrix(table, ROUTE_CRITERIA), EVEN)
    row = ranked[ranked["candidate_id"] == "rail"].iloc[0]
    assert pd.isna(row["rank"])
    assert pd.isna(row["score"])
    assert row["name"] == "Railway"
    assert render(row["reason"]) == "not ranked: no value for Length (missing); no value for Gain (missing)"


def test_notes_travel_with_the_table():
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), parse_weights("distance=2,terrain=6"))
    notes = table.attrs["notes"]
    assert any("sum to 8" in render(note) for note in notes)
    assert any("'border_access', 'north_south': weight 0" in render(note) for note in notes)
    assert len(notes) == len(set(notes))


def test_every_packaged_perspective_and_method_ranks():
    matrix = build_matrix(route_table(), ROUTE_CRITERIA)
    for perspective in load_perspectives(data_root() / "reference" / "perspectives.toml").values():
        for method in method_ids():
            table = rank_alternatives(matrix, perspective, method)
            assert sorted(table.loc[table["panel"] == "through", "rank"]) == [1, 2, 3, 4]
            assert any("'people' takes part" in render(note) for note in table.attrs["notes"])


def test_within_measurement_tolerance_is_a_tie():
    # 0.5 km is less than the tolerance of 1 km; the first criterion alone decides.
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), {"length": 1.0})
    assert by_candidate(table) == {"rail": 1, "valley": 1, "pass": 3, "north": 4, "abroad": 1}
    assert by_candidate(table, "tied") == {"rail": True, "valley": True, "pass": False, "north": False, "abroad": False}


@pytest.mark.parametrize("method", ["weighted-sum", "topsis"])
def test_tolerance_counts_as_much_as_its_criterion_weighs(method):
    panel = make_panel([[0.5, 0.5], [0.52, 0.5]], tolerance=0.04)
    loose, strict = (tie_width(panel, np.array(w), method) for w in ([1.0, 0.0], [0.0, 1.0]))
    np.testing.assert_allclose(loose, 0.04)
    np.testing.assert_allclose(strict, 0.04)
    half = dataclasses.replace(panel, criteria=(panel.criteria[0], dataclasses.replace(panel.criteria[1], tolerance=0)))
    assert tie_width(half, np.array([0.5, 0.5]), method) < 0.03


@pytest.mark.parametrize("scaling", ["anchors", "min-max"])
@pytest.mark.parametrize("method", method_ids())
def test_every_method_and_scaling_knows_ties(method, scaling):
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA, scaling=scaling), {"length": 1.0}, method)
    assert by_candidate(table) == {"rail": 1, "valley": 1, "pass": 3, "north": 4, "abroad": 1}


def test_a_constant_criterion_under_min_max_ties_nobody():
    criteria = tuple(
        dataclasses.replace(c, tolerance=50.0 if c.criterion_id == "cost" else 0.0) for c in ROUTE_CRITERIA
    )
    matrix = build_matrix(route_table(cost_musd=700.0), criteria, scaling="min-max")
    weights = {"length": 0.4, "cost": 0.2, "delay": 0.3, "gain": 0.1}
    for method in method_ids():
        assert not rank_alternatives(matrix, weights, method)["tied"].any()


def test_ranks_of_scores():
    ranks, tied = competition_ranks(np.array([0.9, 0.5, 0.9]))
    assert (ranks.tolist(), tied.tolist()) == ([1, 3, 1], [True, False, True])


def test_a_chain_of_small_steps_is_not_one_tie():
    # One more than the number that are ahead by over 0.06: nobody, nobody, one and two.
    ranks, _ = competition_ranks(np.array([1.0, 0.95, 0.90, 0.85]), 0.06)
    assert ranks.tolist() == [1, 1, 2, 3]


def test_promethee_takes_the_tolerance_as_indifference():
    panel = make_panel([[0.5], [0.6], [0.4]], tolerance=0.1)
    # Differences 0.1 don't count; 0.2 counts (0.2 - 0.1) / (0.25 - 0.1), over two comparisons.
    np.testing.assert_allclose(score(panel, np.array([1.0]), "promethee-ii"), [0.0, 1 / 3, -1 / 3], atol=1e-9)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_ranks_keep_their_laws(scores, width, random):
    scores = np.array(scores, dtype=float)
    ranks, tied = competition_ranks(scores, float(width))
    assert ranks.min() == 1
    for i in range(len(scores)):
        assert ranks[i] == 1 + np.sum(scores > scores[i] + width)
        for j in range(len(scores)):
            assert not (scores[i] > scores[j] and ranks[i] > ranks[j])
            assert not (ranks[i] == ranks[j] and abs(scores[i] - scores[j]) > width + 1e-9)
    order = list(range(len(scores)))
    random.shuffle(order)
    again, tied_again = competition_ranks(scores[order], float(width))
    assert again.tolist() == ranks[order].tolist()
    assert tied_again.tolist() == tied[order].tolist()


def test_another_unit_changes_nothing():
    table = route_table()
    table["length_m"] = table["length_km"] * 1000
    meters = dataclasses.replace(
        ROUTE_CRITERIA[0], metric="length_m", unit="m", best=200_000.0, worst=600_000.0, tolerance=1000.0
    )
    for method in method_ids():
        first = rank_alternatives(build_matrix(table, ROUTE_CRITERIA), EVEN, method)
        second = rank_alternatives(build_matrix(table, (meters, *ROUTE_CRITERIA[1:])), EVEN, method)
        pd.testing.assert_frame_equal(first, second, atol=1e-12, check_like=True)


@pytest.mark.parametrize("method", method_ids())
def test_the_order_of_rows_changes_nothing(method):
    first = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN, method)
    second = rank_alternatives(build_matrix(route_table().iloc[::-1], ROUTE_CRITERIA), EVEN, method)
    pd.testing.assert_frame_equal(first, second, atol=1e-12)


def test_an_unknown_method():
    with pytest.raises(ScoringError, match="did you mean 'topsis'"):
        rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN, "topsi")


def test_nobody_at_all_can_be_ranked():
    table = rank_alternatives(build_matrix(route_table(veto="closed"), ROUTE_CRITERIA), EVEN)
    assert table["rank"].isna().all()
    assert set(map(render, table["reason"])) == {"not ranked: closed"}


def test_a_package_and_a_route_in_it_never_tie_by_tolerance():
    # 0.5 km is less than the tolerance of 1 km, yet the valley holds the railway, and more.
    table = route_table()
    table["members"] = ["", "rail; pass", "", "", ""]
    found = rank_alternatives(build_matrix(table, ROUTE_CRITERIA), {"length": 1.0})
    assert route_table().set_index("candidate_id")["length_km"].loc[["rail", "valley"]].tolist() == [250.0, 250.5]
    assert by_candidate(found) == {"rail": 1, "valley": 2, "pass": 3, "north": 4, "abroad": 1}
    assert not found["tied"].any()
