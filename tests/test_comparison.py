"""The main job on the bundled study: what comes out, and that it agrees with what is known."""

from __future__ import annotations

import numpy as np
import pytest

from corridor.errors import ScoringError
from corridor.metrics.registry import all_columns, all_metrics
from corridor.schema.column import Kind
from corridor.schema.vocabulary import ENDLESS_STATUSES, GAP_STATUSES, MetricStatus


@pytest.fixture
def comparison(bundled):
    return bundled


def row(comparison, candidate, regime="status-quo"):
    table = comparison.metrics
    return table[(table["candidate_id"] == candidate) & (table["regime_id"] == regime)].iloc[0]


def test_the_function_is_reachable_after_its_module_was_loaded():
    import corridor.comparison

    assert callable(corridor.compare)
    assert corridor.compare is corridor.comparison.compare
    assert set(corridor.__all__) <= set(dir(corridor))
    for name in corridor.__all__:
        assert getattr(corridor, name) is not None


def test_every_candidate_runs_from_origin_to_destination(comparison):
    study = comparison.study
    for candidate in comparison.results.candidates:
        assert max(candidate.end_gaps_km) < 5
        assert candidate.drawn_km == pytest.approx(sum(p.drawn_km for p in candidate.parts))
    assert comparison.candidates.crs.to_epsg() == 4326
    # of three ways over open roads those are left that the catalogue doesn't have
    found = comparison.candidates["candidate_id"].str.startswith("existing-roads-").sum()
    assert 1 <= found <= 3
    assert len(comparison.candidates) == len(study.candidates) - 1 + found


def test_lengths_agree_with_documented_ones(comparison):
    assert row(comparison, "aras-rail")["length_km"] == pytest.approx(252, rel=0.03)
    assert row(comparison, "aras-rail")["in_syunik_km"] == pytest.approx(43, abs=2)
    assert row(comparison, "kapan-meghri")["max_elevation_m"] == pytest.approx(2535, abs=60)
    assert row(comparison, "kapan-meghri-tunnel")["length_km"] < row(comparison, "kapan-meghri")["length_km"] - 10
    assert row(comparison, "aras-rail")["ascent_m"] < 1300


def test_documented_and_drawn_aren_t_mixed(comparison):
    for candidate in comparison.results.candidates:
        for part in candidate.parts:
            if not part.documented:
                assert part.length_km.mid == pytest.approx(part.drawn_km)
    table = comparison.metrics
    assert (table["length_km_low"] <= table["length_km"]).all()
    assert (table["length_km"] <= table["length_km_high"]).all()


def test_grades_are_refused_on_thirty_arc_seconds(comparison):
    assert comparison.metrics[["grade_p95_pct", "max_grade_1km_pct"]].isna().all(axis=None)
    assert set(comparison.metrics["grades_status"]) == {"not_supported"}
    assert comparison.notes["grades"][0].startswith("Grades are not shown: pixels of 92")
    assert row(comparison, "kapan-meghri")["documented_max_grade_pct"] == 14


def test_every_metric_that_is_registered_is_measured_or_says_why_not(comparison):
    table = comparison.metrics
    assert [each.name for each in all_columns() if not each.is_pattern and each.name not in table.columns] == []
    for each in all_metrics():
        figures = [own.name for own in each.columns if own.kind in (Kind.NUMBER, Kind.COUNT) and not own.is_pattern]
        if each.status and figures:
            # a figure that is undetermined has ends alone
            unmeasured = table[each.status].isin([*GAP_STATUSES, *ENDLESS_STATUSES, MetricStatus.UNDETERMINED])
            ends = [f"{name}_low" for name in figures if f"{name}_low" in table.columns]
            assert (table.loc[~unmeasured, figures + ends].notna().any(axis=1)).all(), each.name


def test_ranges_hold_their_middle(comparison):
    table = comparison.metrics
    for column in [c.removesuffix("_low") for c in table.columns if c.endswith("_low")]:
        known = table[[f"{column}_low", column, f"{column}_high"]].dropna()
        assert (known.iloc[:, 0] <= known.iloc[:, 1] + 1e-9).all(), column
        assert (known.iloc[:, 1] <= known.iloc[:, 2] + 1e-9).all(), column


def test_whether_the_crossing_stays_open_when_a_route_is_sealed(comparison):
    rail, road = row(comparison, "aras-rail", "sealed"), row(comparison, "aras-road", "sealed")
    assert rail["access_delay_min_status"] == "ok"
    assert road["access_delay_min_status"] == "undetermined"  # its line is schematic
    assert np.isnan(road["access_delay_min"])
    found = comparison.findings.set_index(["candidate_id", "regime_id"])["text"]
    assert "69 m" in found["aras-rail", "sealed"]
    assert "at worst every road is met on the level, and it is lost" in found["aras-road", "sealed"]


def test_what_the_catalogue_can_t_tell_is_said(comparison):
    assert row(comparison, "aras-rail")["disjoint_routes_status"] == "not_supported"
    assert "can't be told from these data" in comparison.notes["impacts"][0]


def test_a_veto_at_one_end_is_no_rank_and_never_the_first_for_sure(comparison):
    ranked = comparison.rank()
    vetoed = ranked[(ranked["candidate_id"] == "aras-road") & (ranked["regime_id"] == "sealed")].iloc[0]
    assert np.isnan(vetoed["score"])
    assert "access_delay" in vetoed["undetermined"]
    assert vetoed["ranks"].endswith("not ranked")
    assert vetoed["first"] == "at best"
    through = ranked[(ranked["panel"] == "through") & ranked["rank"].notna()]
    assert not set(through["candidate_id"]) & {"aras-iran", "bilasuvar-julfa", "kars-nakhchivan"}


def test_perspectives_and_weights(comparison):
    assert comparison.rank("equal").equals(comparison.rank())
    only_cost = comparison.rank(weights={"cost": 1.0})
    status_quo = only_cost[(only_cost["regime_id"] == "crossroads") & (only_cost["panel"] == "through")]
    cheapest = comparison.metrics.query("regime_id == 'crossroads' and not comparator")["cost_musd"].min()
    best = status_quo.loc[status_quo["rank"] == 1, "candidate_id"]
    assert {row(comparison, key)["cost_musd"] for key in best} <= {cheapest, *(cheapest + np.arange(0, 50))} or all(
        row(comparison, key)["cost_musd"] <= cheapest + 50 for key in best
    )
    with pytest.raises(ScoringError, match="perspective 'nobody' is unknown; there are: transit-time"):
        comparison.rank("nobody")


def test_regret_is_the_gap_to_the_best_under_each_regime(comparison):
    regimes = ["crossroads", "tripp"]
    table = comparison.regret(regimes, "equal").set_index("candidate_id")
    for regime in regimes:
        ranked = comparison.rank("equal").query("regime_id == @regime and panel == 'through'").set_index("candidate_id")
        gaps = ranked["score"].max() - ranked["score"].dropna()
        told = table[f"regret:{regime}"].dropna()
        known = told.index.intersection(gaps.index)
        np.testing.assert_allclose(told[known], gaps[known], atol=1e-12)
        # a score that isn't known counts at its worst
        open_ = told.index.difference(gaps.index)
        worst = ranked["score"].max() - ranked.loc[open_, "score_low"].astype(float)
        np.testing.assert_allclose(told[open_], worst, atol=1e-12)
    # who isn't ranked under all of them is told why, in words
    assert all(isinstance(reason, str) for reason in table["reason"])
    assert (table["reason"] != "").equals(table["max_regret"].isna())
    whole = table.dropna(subset="max_regret")
    assert whole.sort_values("max_regret")["rank"].is_monotonic_increasing
    with pytest.raises(ScoringError, match="nowhere"):
        comparison.regret(["nowhere"])


def test_robustness_follows_its_seed(comparison):
    one, again = (comparison.robustness(draws=500, seed=0) for _ in range(2))
    np.testing.assert_array_equal(one[0].robustness.acceptability, again[0].robustness.acceptability)
    assert one[0].robustness.acceptability.sum(axis=1) == pytest.approx(1.0)
    assert one[0].messages()


def test_the_lead_hangs_on_named_inputs(comparison):
    pytest.importorskip("SALib")
    table = comparison.sensitivity("crossroads", samples=64)
    assert set(table["input"]) <= {"unit_costs", "speeds", "border_checks", "ascent", "heights", "long_distance"}
    assert table["total"].max() > 0.3
