import dataclasses

import numpy as np
import pandas as pd
import pytest

from corridor.errors import ScoringError
from corridor.mcda.agreement import correlated_criteria, method_agreement, minimax_regret, panel_ranks, rank_reversals
from corridor.mcda.matrix import End, build_matrix
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_panel, route_table

EVEN = {"distance": 0.25, "terrain": 0.25, "border_access": 0.25, "north_south": 0.25}


def test_criteria_that_say_the_same_are_named():
    x = np.array([0.1, 0.2, 0.4, 0.8])
    panel = make_panel(np.column_stack([x, 2 * x, 1 - x, np.full(4, 0.5), [0.9, 0.1, 0.8, 0.2]]))
    found = correlated_criteria(panel)
    assert {(a, b): round(r, 9) for a, b, r in zip(found["first"], found["second"], found["pearson"], strict=True)} == {
        ("c0", "c1"): 1.0,
        ("c0", "c2"): -1.0,
        ("c1", "c2"): -1.0,
    }
    assert "speak for the same routes (r = 1.00 over 4)" in render(found["note"].iloc[0])


def test_correlation_is_of_preferences_and_not_of_numbers():
    # Length and gain rise together; less length is better and more gain is: they speak for opposite routes.
    found = correlated_criteria(
        build_matrix(route_table(gain_min=[1.0, 1.2, 8.0, 11.0, np.nan]), ROUTE_CRITERIA).panel()
    )
    row = found[(found["first"] == "length") & (found["second"] == "gain")].iloc[0]
    assert row["pearson"] < -0.8
    assert "opposite" in render(row["note"])


def test_two_alternatives_have_no_correlation():
    assert correlated_criteria(make_panel([[0.1, 0.2], [0.3, 0.4]])).empty


def test_methods_that_agree_and_that_do_not():
    ladder = make_panel(np.column_stack([np.arange(4), np.arange(4)]) / 4)
    np.testing.assert_allclose(method_agreement(ladder, [0.5, 0.5]), 1.0)
    # Tau by its definition: concordant less discordant pairs, of 21.
    panel = make_panel(np.random.default_rng(3).random((7, 4)))
    table = method_agreement(panel, [0.4, 0.3, 0.2, 0.1])
    first, second = (panel_ranks(panel, [0.4, 0.3, 0.2, 0.1], method) for method in ("weighted-sum", "topsis"))
    concordant = sum(np.sign(first[i] - first[j]) * np.sign(second[i] - second[j]) for i in range(7) for j in range(i))
    assert table.loc["weighted-sum", "topsis"] == pytest.approx(concordant / 21)
    np.testing.assert_array_equal(table, table.T)
    alone = method_agreement(make_panel([[0.5]]), [1.0]).to_numpy()
    assert np.isnan(alone[~np.eye(len(alone), dtype=bool)]).all()


def test_min_max_reverses_ranks_and_anchors_do_not():
    # With the third: 0.52 + 0.48 * 5/8 = 0.820 against 0.52 * 2/3 + 0.48 = 0.827. Without it: 0.52 against 0.48.
    panel = make_panel(np.array([[0.9, 0.5], [0.6, 0.8], [0.0, 0.0]]))
    weights = [0.52, 0.48]
    loose = dataclasses.replace(panel, scaling="min-max")
    found = rank_reversals(loose, weights)
    assert found.values.tolist() == [["a2", "a1", "a0"]]
    assert rank_reversals(panel, weights).empty


@pytest.mark.parametrize("method", ["weighted-sum", "topsis"])
@pytest.mark.parametrize("seed", range(10))
def test_anchored_scores_never_reverse(method, seed):
    rng = np.random.default_rng(seed)
    assert rank_reversals(make_panel(rng.random((6, 4))), rng.dirichlet(np.ones(4)), method).empty


def test_promethee_can_reverse_and_says_so():
    found = [
        len(rank_reversals(make_panel(rng.random((6, 4))), rng.dirichlet(np.ones(4)), "promethee-ii"))
        for rng in map(np.random.default_rng, range(10))
    ]
    assert sum(found) > 0


def two_regimes():
    open_, sealed = route_table(regime_id="open"), route_table(regime_id="sealed")
    sealed["access_delay_min"] = [90.0, 60.0, 10.0, np.nan, np.nan]
    sealed["access_delay_min_status"] = ["", "", "", "unreachable", "not_applicable"]
    return build_matrix(pd.concat([open_, sealed], ignore_index=True), ROUTE_CRITERIA)


def test_regret_by_hand():
    found = minimax_regret(two_regimes(), {"delay": 1.0}, ["open", "sealed"]).set_index("candidate_id")
    # Open: values 0.75, 2/3, 11/12, (north 1). Sealed: 0.25, 0.5, 11/12.
    assert found.loc["pass", "max_regret"] == pytest.approx(1 / 12)
    assert found.loc["valley", "max_regret"] == pytest.approx(11 / 12 - 0.5)
    assert found.loc["rail", "max_regret"] == pytest.approx(11 / 12 - 0.25)
    assert found.loc[["pass", "valley", "rail"], "rank"].tolist() == [1, 2, 3]
    assert found.loc["pass", "worst_regime"] == "open"
    assert pd.isna(found.loc["north", "rank"])
    assert render(found.loc["north", "reason"]) == "not ranked: can't be ranked in sealed"
    assert found.loc["north", "name"] == "Northern road"


def test_regret_is_the_largest_and_not_the_mean():
    table = pd.concat([route_table(regime_id=regime) for regime in ("open", "gated", "sealed")], ignore_index=True)
    table = table[table["candidate_id"].isin(["rail", "valley"])]
    # rail loses 0.3 once, valley 0.2 twice: the largest is rail's, the sum valley's.
    table["access_delay_min"] = [0.0, 24.0, 0.0, 24.0, 36.0, 0.0]
    found = minimax_regret(build_matrix(table, ROUTE_CRITERIA), {"delay": 1.0}, ["open", "gated", "sealed"])
    assert found["candidate_id"].tolist() == ["valley", "rail"]
    assert found["max_regret"].tolist() == pytest.approx([0.2, 0.3])


def test_regret_over_one_regime_is_its_ranking():
    found = minimax_regret(two_regimes(), EVEN, ["open"])
    assert found["candidate_id"].tolist() == ["pass", "north", "valley", "rail"]
    assert found["max_regret"].iloc[0] == 0.0


@pytest.mark.parametrize(
    ("regimes", "options", "words"),
    [
        ([], {}, "at least one"),
        (["open", "shut"], {}, "no regime 'shut'"),
        (["open"], {"method": "promethee-ii"}, "fixed anchors"),
    ],
)
def test_regret_that_means_nothing(regimes, options, words):
    with pytest.raises(ScoringError, match=words):
        minimax_regret(two_regimes(), EVEN, regimes, **options)


def test_regret_needs_the_same_criteria_everywhere():
    table = pd.concat(
        [route_table(regime_id="open"), route_table(regime_id="dark", gain_min=np.nan)], ignore_index=True
    )
    with pytest.raises(ScoringError, match="same criteria"):
        minimax_regret(build_matrix(table, ROUTE_CRITERIA), EVEN, ["open", "dark"])


def test_regret_has_ends_where_metrics_are_undetermined():
    table = pd.concat([route_table(regime_id=regime) for regime in ("open", "sealed")], ignore_index=True)
    table = table[table["candidate_id"].isin(["rail", "valley"])]
    # delays of rail and valley, scaled on 120 min: open 12 and 36; sealed between 0 and 60, and 24
    table["access_delay_min"] = [12.0, 36.0, np.nan, 24.0]
    table["access_delay_min_low"], table["access_delay_min_high"] = [12.0, 36.0, 0.0, 24.0], [12.0, 36.0, 60.0, 24.0]
    table["access_delay_min_status"] = ["", "", "undetermined", ""]
    matrix = build_matrix(table, ROUTE_CRITERIA)
    found = minimax_regret(matrix, {"delay": 1.0}, ["open", "sealed"]).set_index("candidate_id")
    assert found.loc["rail", ["max_regret_low", "max_regret_high"]].tolist() == pytest.approx([0.0, 0.3])
    assert found.loc["valley", ["max_regret_low", "max_regret_high"]].tolist() == pytest.approx([0.2, 0.2])
    assert found[["rank_best", "rank_worst"]].to_numpy().tolist() == [[1, 2], [1, 2]]


def test_who_may_not_be_there_at_all_takes_nothing_from_the_least_regret():
    """A route that is first wherever it can be reached, and may be cut off, leaves the next one without regret."""
    table = pd.concat([route_table(regime_id=regime) for regime in ("open", "sealed")], ignore_index=True)
    table = table[table["candidate_id"].isin(["rail", "valley"])]
    table["access_delay_min"] = [12.0, 36.0, np.nan, 36.0]
    table["access_delay_min_low"], table["access_delay_min_high"] = [12.0, 36.0, 0.0, 36.0], [12.0, 36.0, np.inf, 36.0]
    table["access_delay_min_status"] = ["", "", "undetermined", ""]
    matrix = build_matrix(table, ROUTE_CRITERIA)
    found = minimax_regret(matrix, {"delay": 1.0}, ["sealed"]).set_index("candidate_id")
    assert found.loc["valley", ["max_regret_low", "max_regret", "max_regret_high"]].tolist() == pytest.approx(
        [0.0, 0.0, 0.3]
    )
    assert found.loc["valley", ["rank_best", "rank_worst"]].tolist() == [1, 2]
    # it is shown, though it has no rank at the end that is asked for
    assert pd.isna(found.loc["rail", "rank"])
    assert render(found.loc["rail", "reason"]) == "not ranked: can't be ranked in sealed"
    assert found.loc["rail", ["max_regret_low", "max_regret_high"]].tolist() == [0.0, np.inf]


@pytest.mark.parametrize("end", ["best", "worst"])
def test_a_regret_at_an_end_lies_between_its_ends(end):
    rng = np.random.default_rng(5)
    for _ in range(20):
        rows = []
        for regime in ("a", "b"):
            low = rng.integers(0, 60, 4).astype(float)
            high = low + rng.integers(0, 60, 4) * (rng.random(4) < 0.5)
            # one of them may be cut off at its worst, and then is in nobody's way
            high[0] = np.inf if low[0] < high[0] else high[0]
            rows.append(
                pd.DataFrame(
                    {
                        "candidate_id": list("pqrs"), "regime_id": regime,
                        "access_delay_min": np.where(low < high, np.nan, low), "access_delay_min_low": low,
                        "access_delay_min_high": high,
                        "access_delay_min_status": np.where(low < high, "undetermined", "ok"),
                    }
                )
            )  # fmt: skip
        rule = [c for c in ROUTE_CRITERIA if c.metric == "access_delay_min"]
        matrix = build_matrix(pd.concat(rows, ignore_index=True), rule)
        found = minimax_regret(matrix, [1.0], ["a", "b"], end=End(end))
        found = found[found["rank"].notna()]
        assert (found["max_regret_low"] <= found["max_regret"] + 1e-12).all()
        assert (found["max_regret"] <= found["max_regret_high"] + 1e-12).all()
        assert (found["rank_best"] <= found["rank"]).all()
        assert (found["rank"] <= found["rank_worst"]).all()
