"""What a task computes: the comparison itself at the middle, laws beside it, and the same whatever was kept."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from distributed.protocol import deserialize, serialize

import corridor
from corridor.errors import SweepError
from corridor.schema.catalogue import Estimate
from corridor.schema.study import NewBuildCandidate
from corridor.sweeps.case import Stage, value_at
from corridor.sweeps.evaluator import build_evaluator
from corridor.sweeps.plan import plan_tasks
from corridor.sweeps.vary import build_vary, check_vary
from tests.synthetic.catalogue import COSTS

GATES = ["ridge-gate-west", "ridge-gate-east", "valley-gate-west", "valley-gate-east"]
ALL = {
    "prices": {"kind": "unit-costs", "levels": 2},
    "checks": {"kind": "check-times", "levels": 2},
    "speeds": {"kind": "speeds", "measure": "multiple", "values": [1.0, 1.25]},
    "heights": {"kind": "dem-error", "draws": 2},
    "gate": {"kind": "crossing-status", "crossings": ["ridge-gate-east"]},
    "gap": {"kind": "section-status", "sections": ["valley-gap"], "values": ["planned", "open"]},
    "delays": {"kind": "crossing-delays", "values": [0.0, 1.0]},
    "regime": {"kind": "regime", "values": ["gated", "shut"]},
}


def at(world, candidate, column, **values):
    table = world.evaluate(values)
    assert set(table["fault"]) == {""}
    return table[table["candidate_id"] == candidate][column].iloc[0]


def test_the_middle_is_the_comparison_itself(study_path, study, world_of):
    factors = {
        "prices": {"kind": "unit-costs"},
        "checks": {"kind": "check-times"},
        "speeds": {"kind": "speeds", "measure": "multiple", "values": [1.0]},
        "delays": {"kind": "crossing-delays"},
    }
    table = world_of(factors).evaluate({"prices": 0.5, "checks": 0.5, "speeds": 1.0, "delays": 0.5})
    comparison = corridor.compare(study, osm=study_path.parent / "map.osm")
    keys = ["candidate_id", "regime_id"]
    both = comparison.metrics[[*keys, "length_km", "ascent_m", "cost_musd"]]
    pd.testing.assert_frame_equal(table[both.columns], both, check_dtype=False)
    for view in comparison.perspectives:
        ranked = comparison.rank(view).set_index(keys)["score"]
        ours = table.set_index(keys)[f"score:{view}"]
        np.testing.assert_array_equal(ours[ranked.index].to_numpy(), ranked.to_numpy())


@pytest.mark.slow
def test_what_is_kept_changes_nothing(world_of):
    """Tasks in any order, on one world that keeps and on a fresh one each, also after a journey as bytes."""
    keeping = world_of(ALL)
    tasks = list(plan_tasks(keeping.vary, "data"))
    random.Random(7).shuffle(tasks)
    for task in tasks[:6]:
        fresh = deserialize(*serialize(keeping))
        pd.testing.assert_frame_equal(keeping.evaluate(task.values), fresh.evaluate(task.values), check_exact=True)


def test_prices_move_cost_and_nothing_else(world_of):
    world = world_of({"prices": {"kind": "unit-costs", "mode": "rail"}})
    low, middle, high = (world.evaluate({"prices": p}) for p in (0.0, 0.5, 1.0))
    upgrade = COSTS["rail", "upgrade"]
    rail = middle["candidate_id"] == "railway"
    for table, price in ((low, upgrade[0]), (high, upgrade[2])):
        ratio = table["cost_musd"] / middle["cost_musd"]
        np.testing.assert_allclose(ratio[rail], price / upgrade[1])
        np.testing.assert_array_equal(table["cost_musd"][~rail], middle["cost_musd"][~rail])
        np.testing.assert_array_equal(table["ascent_m"], middle["ascent_m"])


def test_speeds_scale_level_travel_time(world_of):
    world = world_of({"s": {"kind": "speeds", "measure": "multiple", "low": 0.5, "high": 2}}, metrics=["travel_time_h"])
    slow, fast = (at(world, "railway", "travel_time_h", s=s) for s in (0.5, 2.0))
    assert slow == pytest.approx(4 * fast)


def test_checks_at_gates_delay_only_where_they_are_gated(world_of):
    world = world_of({"c": {"kind": "check-times", "which": "gates"}}, metrics=["access_delay_min"])
    tables = [world.evaluate({"c": c}).set_index(["candidate_id", "regime_id"])["access_delay_min"] for c in (0.0, 1.0)]
    free, gated = (slice(None), "free"), (slice(None), "gated")
    np.testing.assert_array_equal(tables[0].loc[free].to_numpy(), tables[1].loc[free].to_numpy())
    assert tables[1].loc[gated].max() > tables[0].loc[gated].max() > 0


def test_a_draw_is_shared_and_numbered(world_of):
    world = world_of({"h": {"kind": "dem-error", "draws": 3}})
    tables = [world.evaluate({"h": draw}) for draw in (1, 2, 1)]
    pd.testing.assert_frame_equal(tables[0], tables[2])
    assert (tables[0]["ascent_m"] != tables[1]["ascent_m"]).any()
    np.testing.assert_array_equal(tables[0]["length_km"], tables[1]["length_km"])


def test_a_regime_by_itself_gives_its_rows_of_all(world_of):
    alone = world_of({"r": {"kind": "regime", "values": ["free", "shut"]}}).evaluate({"r": "shut"})
    whole = world_of({"p": {"kind": "unit-costs"}}).evaluate({"p": 0.5})
    rows = whole[whole["regime_id"] == "shut"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), rows)


def test_a_comparison_that_cannot_be_made_says_why(world_of):
    world = world_of({"gates": {"kind": "crossing-status", "crossings": GATES}})
    assert set(world.evaluate({"gates": "open"})["fault"]) == {""}
    closed = world.evaluate({"gates": "closed"})
    assert len(closed) == 1
    assert "no open road from Aster to Corvo" in closed["fault"].iloc[0]
    assert closed.dtypes.equals(world.evaluate({"gates": "open"}).dtypes)


def test_positions_run_through_the_documented_middle():
    span = Estimate(2.0, 5.0, 6.0)
    assert [value_at(span, p).mid for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == [2.0, 3.5, 5.0, 5.5, 6.0]


def test_a_designed_line_is_repeated_for_its_standard_prices_and_heights(study, inputs):
    spec = {
        "family": "new-build", "id": "designed", "name": "New railway", "standard": "rail-12",
        "from_node": "rail-gate-west", "to_node": "rail-gate-east", "before": ["rail-west"], "after": ["rail-east"],
    }  # fmt: skip
    with_line = study.model_copy(update={"candidates": (*study.candidates, NewBuildCandidate(**spec))})
    factors = {
        "standard": {"kind": "design-standard", "values": ["rail-12", "rail-30"]},
        "tunnels": {"kind": "unit-costs", "mode": "rail", "work": "tunnel"},
        "heights": {"kind": "dem-error", "draws": 2},
        "checks": {"kind": "check-times"},
    }
    vary = build_vary({"design": "product", "factors": factors}, "test")
    case = build_evaluator(with_line, inputs, vary).case
    check_vary(vary, case, "test")
    steep = vary.factors["standard"].apply(case, "rail-30")
    assert [c.standard for c in steep.study.candidates if c.id == "designed"] == ["rail-30"]
    assert steep.study.candidates[:-1] == case.study.candidates[:-1]
    repeated = {name for name, factor in vary.factors.items() if Stage.LINES in factor.touches(case)}
    assert repeated == {"standard", "tunnels", "heights"}
    plain = build_evaluator(study, inputs, vary).case
    assert not any(Stage.LINES in vary.factors[name].touches(plain) for name in ("tunnels", "heights"))
    wrong = build_vary({"design": "product", "factors": {"s": factors["standard"] | {"values": ["road-60"]}}}, "test")
    with pytest.raises(SweepError, match="no candidate of the family new-build has that name and mode"):
        check_vary(wrong, case, "test")
