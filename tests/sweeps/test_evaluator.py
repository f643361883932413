"""What a task computes: the comparison itself at the middle, laws beside it, and the same whatever was kept."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
import pytest
from distributed.protocol import deserialize, serialize
from pydantic import BaseModel

import corridor
from corridor.errors import SweepError
from corridor.flows.model import FlowModel
from corridor.pipeline.comparing import comparison_graph, open_run
from corridor.pipeline.steps.flows import flow_model
from corridor.schema.catalogue import Estimate
from corridor.schema.regime import OUTSIDE
from corridor.schema.study import NewBuildCandidate
from corridor.sweeps.cluster import SweepEvaluator, build_evaluator
from corridor.sweeps.factors import LongDistance, value_at
from corridor.sweeps.plan import build_vary, check_vary, plan_tasks
from tests.flows import toy
from tests.shared_runs import downstream
from tests.synthetic.catalogue import COSTS

COMPARISON = comparison_graph()
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


def at(evaluator, candidate, column, **values):
    table = evaluator.evaluate(values)
    assert set(table["fault"]) == {""}
    return table[table["candidate_id"] == candidate][column].iloc[0]


def test_the_middle_is_the_comparison_itself(study_path, study, evaluator_of):
    factors = {
        "prices": {"kind": "unit-costs"},
        "checks": {"kind": "check-times"},
        "speeds": {"kind": "speeds", "measure": "multiple", "values": [1.0]},
        "delays": {"kind": "crossing-delays"},
    }
    table = evaluator_of(factors).evaluate({"prices": 0.5, "checks": 0.5, "speeds": 1.0, "delays": 0.5})
    comparison = corridor.compare(study, osm=study_path.parent / "map.osm")
    keys = ["candidate_id", "regime_id"]
    both = comparison.metrics[[*keys, "length_km", "ascent_m", "cost_musd"]]
    pd.testing.assert_frame_equal(table[both.columns], both, check_dtype=False)
    for view in comparison.perspectives:
        ranked = comparison.rank(view).set_index(keys)["score"]
        ours = table.set_index(keys)[f"score:{view}"]
        np.testing.assert_array_equal(ours[ranked.index].to_numpy(), ranked.to_numpy())


@pytest.mark.slow
def test_what_is_kept_changes_nothing(evaluator_of):
    """Tasks in any order, on one evaluator that keeps and on a fresh one each, also after a journey as bytes."""
    keeping = evaluator_of(ALL)
    tasks = list(plan_tasks(keeping.vary, "data"))
    random.Random(7).shuffle(tasks)
    for task in tasks[:4]:
        fresh = deserialize(*serialize(keeping))
        pd.testing.assert_frame_equal(keeping.evaluate(task.values), fresh.evaluate(task.values), check_exact=True)


def test_prices_move_cost_and_nothing_else(evaluator_of_few):
    evaluator = evaluator_of_few({"prices": {"kind": "unit-costs", "mode": "rail"}})
    low, middle, high = (evaluator.evaluate({"prices": p}) for p in (0.0, 0.5, 1.0))
    upgrade = COSTS["rail", "upgrade"]
    rail = middle["candidate_id"] == "railway"
    for table, price in ((low, upgrade[0]), (high, upgrade[2])):
        ratio = table["cost_musd"] / middle["cost_musd"]
        np.testing.assert_allclose(ratio[rail], price / upgrade[1])
        np.testing.assert_array_equal(table["cost_musd"][~rail], middle["cost_musd"][~rail])
        np.testing.assert_array_equal(table["ascent_m"], middle["ascent_m"])


def test_speeds_scale_level_travel_time(evaluator_of_few):
    evaluator = evaluator_of_few(
        {"s": {"kind": "speeds", "measure": "multiple", "low": 0.5, "high": 2}}, metrics=["travel_time_h"]
    )
    slow, fast = (at(evaluator, "railway", "travel_time_h", s=s) for s in (0.5, 2.0))
    assert slow == pytest.approx(4 * fast)


def test_checks_at_gates_delay_only_where_they_are_gated(evaluator_of_few):
    evaluator = evaluator_of_few({"c": {"kind": "check-times", "which": "gates"}}, metrics=["access_delay_min"])
    tables = [
        evaluator.evaluate({"c": c}).set_index(["candidate_id", "regime_id"])["access_delay_min"] for c in (0.0, 1.0)
    ]
    free, gated = (slice(None), "free"), (slice(None), "gated")
    np.testing.assert_array_equal(tables[0].loc[free].to_numpy(), tables[1].loc[free].to_numpy())
    assert tables[1].loc[gated].max() > tables[0].loc[gated].max() > 0


def test_a_draw_is_shared_and_numbered(evaluator_of_few):
    evaluator = evaluator_of_few({"h": {"kind": "dem-error", "draws": 3}})
    tables = [evaluator.evaluate({"h": draw}) for draw in (1, 2, 1)]
    pd.testing.assert_frame_equal(tables[0], tables[2])
    assert (tables[0]["ascent_m"] != tables[1]["ascent_m"]).any()
    np.testing.assert_array_equal(tables[0]["length_km"], tables[1]["length_km"])


def test_a_regime_by_itself_gives_its_rows_of_all(evaluator_of_few):
    alone = evaluator_of_few({"r": {"kind": "regime", "values": ["free", "shut"]}}).evaluate({"r": "shut"})
    whole = evaluator_of_few({"p": {"kind": "unit-costs"}}).evaluate({"p": 0.5})
    rows = whole[whole["regime_id"] == "shut"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), rows)


def test_a_comparison_that_cannot_be_made_says_why(evaluator_of):
    evaluator = evaluator_of({"gates": {"kind": "crossing-status", "crossings": GATES}})
    assert set(evaluator.evaluate({"gates": "open"})["fault"]) == {""}
    closed = evaluator.evaluate({"gates": "closed"})
    assert len(closed) == 1
    assert "no open road from Aster to Corvo" in closed["fault"].iloc[0]
    assert closed.dtypes.equals(evaluator.evaluate({"gates": "open"}).dtypes)


def test_positions_run_through_the_documented_middle():
    span = Estimate(2.0, 5.0, 6.0)
    assert [value_at(span, p).mid for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == [2.0, 3.5, 5.0, 5.5, 6.0]


def test_a_designed_line_is_repeated_for_its_standard_prices_and_heights(study, comparison):
    spec = {
        "family": "new-build", "id": "designed", "name": "New railway", "standard": "rail-12",
        "from_node": "rail-gate-west", "to_node": "rail-gate-east", "before": ["rail-west"], "after": ["rail-east"],
    }  # fmt: skip
    with_line = comparison.replace(candidate_specs=(*study.candidates, NewBuildCandidate(**spec)))
    factors = {
        "standard": {"kind": "design-standard", "values": ["rail-12", "rail-30"]},
        "tunnels": {"kind": "unit-costs", "mode": "rail", "work": "tunnel"},
        "heights": {"kind": "dem-error", "draws": 2},
        "checks": {"kind": "check-times"},
    }
    vary = build_vary({"design": "product", "factors": factors}, "test")
    check_vary(vary, with_line, "test")
    steep = vary.factors["standard"].replaced(with_line, "rail-30")["candidate_specs"]
    assert [c.standard for c in steep if c.id == "designed"] == ["rail-30"]
    assert steep[:-1] == study.candidates
    repeated = {name for name, factor in vary.factors.items() if "new_lines" in downstream(COMPARISON, factor.replaces)}
    assert repeated == {"standard", "tunnels", "heights"}
    wrong = build_vary({"design": "product", "factors": {"s": factors["standard"] | {"values": ["road-60"]}}}, "test")
    with pytest.raises(SweepError, match="no candidate of the family new-build has that name and mode"):
        check_vary(wrong, with_line, "test")


COST = "cells of corridor.metrics.cost.measure_cost"
HEIGHTS = "cells of corridor.metrics.terrain.measure_heights"
AXES = "cells of corridor.metrics.axes.measure_axis_overlap"
LIE = {
    "joined_ways",
    "road_courses",
    "road_survey",
    "lie_of_network",
    "chain_surveys",
    "profiles",
    "met_by_route",
    "route_severances",
}
"""What follows from where ways lie, however long anything takes."""
KEPT = {
    "prices": {"conflation", "profiles", HEIGHTS, "met", "access_results", "impact_rows"},
    "checks": {
        "conflation",
        "profiles",
        "line_rows",
        "met",
        "split",
        "access",
        AXES,
        "line_metrics",
    },
    "delays": {"conflated_ways", "sections_then", "population"} | LIE,
    "regime": {
        "conflation",
        "line_rows",
        "met",
        "split",
        "access",
        AXES,
        "line_metrics",
    },
    "heights": {
        "conflated_ways",
        "conflation",
        "chains",
        "found_ways",
        "met",
        "access_results",
        "impact_rows",
        COST,
    },
    "speeds": {"conflated_ways", "population"} | LIE,
    "gate": {"conflated_ways", "population", "regimes_or_none"},
    "gap": {"population", "dem"},
}
"""What a factor leaves as it was, by name."""


@pytest.fixture(scope="module")
def level_run(evaluator_of):
    """A run that one factor after the other varies: it keeps one value of each step, that of the last factor before.

    Without the effect of grades: else heights move roads' minutes, and all with them.
    """
    return evaluator_of({"regime": ALL["regime"]}).run.replace(grade_effect=False)


@pytest.mark.parametrize("kind", sorted(KEPT))
def test_a_factor_repeats_what_hangs_on_it_and_nothing_else(kind, evaluator_of, level_run):
    evaluator = evaluator_of({kind: ALL[kind]})
    evaluator.run = level_run
    factor = evaluator.vary.factors[kind]
    one, other = (factor.choices() or (0.25, 0.75))[:2]
    evaluator.evaluate({kind: one})
    before = Counter(evaluator.run.cache.made)
    evaluator.evaluate({kind: other})
    made = set(evaluator.run.cache.made - before)
    assert not made & KEPT[kind]
    assert {"metrics", "matrix", "rankings"} <= made <= downstream(COMPARISON, factor.replaces)


def test_a_worker_needs_no_file(study_path, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study_path.parent, folder)
    factors = {"checks": {"kind": "check-times"}, "speeds": ALL["speeds"], "heights": ALL["heights"]}
    run = open_run(corridor.Study.load(folder / study_path.name), osm=folder / "map.osm")
    evaluator = build_evaluator(run, build_vary({"design": "product", "factors": factors}, "test"))
    shutil.rmtree(folder)
    sent = deserialize(*serialize(evaluator))
    assert set(sent.evaluate({"checks": 0.5, "speeds": 1.25, "heights": 1})["fault"]) == {""}


def test_every_factor_replaces_what_it_says(evaluator_of):
    evaluator = evaluator_of(ALL)
    for name, factor in evaluator.vary.factors.items():
        replaced = factor.replaced(evaluator.run, factor.grid()[-1])
        assert set(replaced) <= set(factor.replaces) <= set(COMPARISON.order), name


def names_of(value):
    """Fields of a model or a dataclass; none of anything else."""
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return list(type(value).model_fields) if isinstance(value, BaseModel) else []


def changed(value, path=()):
    """Every way to change one field of a regime, at any depth, as (path, the whole with that field changed).

    Entries of a mapping have the same fields: the first stands for all.
    """
    if names := names_of(value):
        for name in names:
            for where, new in changed(getattr(value, name), (*path, name)):
                # not checked again: what is wrong in a file may well be told apart here
                yield (
                    where,
                    replace(value, **{name: new}) if is_dataclass(value) else value.model_copy(update={name: new}),
                )
    elif isinstance(value, dict):
        for key in [*value][:1]:
            for where, new in changed(value[key], (*path, key)):
                yield where, value | {key: new}
    elif isinstance(value, StrEnum):
        yield from ((path, other) for other in type(value) if other != value)
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, str):
        yield path, f"{value} anew"
    elif isinstance(value, float):
        yield path, value + 7.0
    elif isinstance(value, tuple):
        yield path, (*value, "ZZ")
        if value:
            yield path, ()
    else:
        assert value is None, f"{path}: no way to change a {type(value).__name__} is known; add one"
        yield path, Estimate(3.0, 5.0, 11.0)


def fields_of(value, path=()):
    """Paths of all fields at any depth."""
    if names := names_of(value):
        return {leaf for name in names for leaf in fields_of(getattr(value, name), (*path, name))}
    if isinstance(value, dict):
        return {leaf for key, item in [*value.items()][:1] for leaf in fields_of(item, (*path, key))}
    return {path}


@pytest.mark.slow
def test_no_field_of_a_regime_is_served_from_anothers_cache(study, comparison):
    """Each field of a regime changed by itself: the sweep's rows are those of a comparison that keeps nothing."""
    metrics = ["check_h", "access_delay_min", "access_delay_min_high", "disjoint_routes", "clarity_of_6"]
    asked = {"factors": {"regime": ALL["regime"]}, "metrics": [*metrics, "north_south_gain_min", "length_km"]}
    # the ways over open roads, which no field of a regime is about, are left out
    few = comparison.replace(candidate_specs=study.candidates[:3])
    keeping = build_evaluator(few, build_vary({"design": "product"} | asked, "test"))
    keeping.given["perspectives"] = {"equal": keeping.given["perspectives"]["equal"]}
    regimes = keeping.given["regimes"]
    for key in ALL["regime"]["values"]:
        keeping.evaluate({"regime": key})
    # what hangs on no regime is computed once for both, and checked elsewhere
    acted_on = downstream(COMPARISON, {"regimes", "acting_regimes"})
    settled = keeping.given | keeping.run.pinned([name for name in COMPARISON.steps if name not in acted_on])
    warm, seen, unlike = keeping.run, set(), set()
    usual = keeping.evaluate({"regime": "gated"})
    for path, other in changed(regimes["gated"]):
        changes = {"regimes": regimes | {"gated": other}}
        keeping.run = warm.replace(**changes)
        swept = keeping.evaluate({"regime": "gated"})
        # the other one is given the regime whole: nothing of it is taken for idle
        whole = {"acting_regimes": changes["regimes"] | {OUTSIDE: None}}
        fresh = SweepEvaluator(settled | changes | whole, keeping.vary).evaluate({"regime": "gated"})
        pd.testing.assert_frame_equal(swept, fresh, check_exact=True, obj=".".join(path))
        seen.add(path)
        if not swept.equals(usual):
            unlike.add(path[0])
    assert seen == fields_of(regimes["gated"])
    # the changes are no idle ones: each switch and each figure shows
    assert unlike >= {"crossing", "same_line", "transit_check_min", "border_check_min", "applies_to", "attributes"}


def _flow_study(study_path, folder, **parameters):
    """The made-up study with long-distance tables in which every route delays the Brenner."""
    flows = toy.alps(
        folder,
        actions=[
            {
                "candidate_id": "*", "regime_id": "*", "link_id": "brenner-innsbruck", "action": "delay",
                "measure": "access_delay_min",
            }
        ],
        parameters=[
            {"parameter": name, "unit": unit, **toy.ends("value", *parameters.get(name, value))}
            for name, (unit, *value) in toy.PARAMETERS.items()
        ],
    )  # fmt: skip
    study = corridor.Study.load(study_path)
    sources = study.sources.model_copy(update={"long_distance": str(flows)})
    return study.model_copy(update={"sources": sources})


@pytest.fixture(scope="module")
def flow_run(study_path, tmp_path_factory):
    """Of that study; what hangs on none of its long-distance tables is computed once for all."""
    study = _flow_study(study_path, tmp_path_factory.mktemp("flows") / "as-they-are")
    run = open_run(study, osm=study_path.parent / "map.osm")
    settled = COMPARISON.upstream("metrics") & set(COMPARISON.steps) - downstream(COMPARISON, {"flow_model"})
    return open_run(study, given=run.pinned(settled))


def _flow_costs(run, factors, values):
    vary = build_vary({"design": "product", "factors": factors, "metrics": ["flow_cost_usd"]}, "test")
    check_vary(vary, run, "test")
    table = build_evaluator(run, vary).evaluate(values)
    assert set(table["fault"]) == {""}
    return table.set_index(["candidate_id", "regime_id"])["flow_cost_usd"]


def _edited_costs(run, study):
    """What a comparison with other tables says."""
    metrics = run.replace(study=study)["metrics"]
    return metrics.set_index(["candidate_id", "regime_id"])["flow_cost_usd"]


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        ("value-of-time", {"vehicle_usd_per_h": (30, 30, 30)}),
        ("theta", {"theta_per_usd": (0.1, 0.1, 0.1)}),
        ("reliability", {"reliability_ratio": (1.5, 1.5, 1.5), "delay_variation": (1.5, 1.5, 1.5)}),
    ],
)
def test_ranges_of_long_distance_loads_vary_as_their_tables_would(study_path, flow_run, tmp_path, which, moved):
    factors = {"f": {"kind": "long-distance", "which": which}}
    found = _flow_costs(flow_run, factors, {"f": 1.0})
    own = _edited_costs(flow_run, _flow_study(study_path, tmp_path / "edited", **moved))
    np.testing.assert_allclose(found[own.index].to_numpy(dtype=float), own.to_numpy(dtype=float))
    assert own.max() > 0


def test_ranges_of_long_distance_loads_vary_together(study_path, flow_run, tmp_path):
    factors = {
        "time": {"kind": "long-distance", "which": "value-of-time"},
        "theta": {"kind": "long-distance", "which": "theta"},
        "borders": {"kind": "long-distance", "which": "border-hours", "measure": "multiple", "low": 1, "high": 9},
        "price": {"kind": "long-distance", "which": "running-cost"},
    }
    values = {"time": 0.0, "theta": 0.0, "borders": 1.0, "price": 0.5}
    found = _flow_costs(flow_run, factors, values)
    tables = {"vehicle_usd_per_h": (10, 10, 10), "theta_per_usd": (0.001, 0.001, 0.001)}
    own = _edited_costs(flow_run, _flow_study(study_path, tmp_path / "edited", **tables))
    np.testing.assert_allclose(found[own.index].to_numpy(dtype=float), own.to_numpy(dtype=float))
    for name, value in (("borders", 9.0), ("price", 1.0)):
        moved = _flow_costs(flow_run, factors, values | {name: value})
        assert not np.allclose(moved.to_numpy(dtype=float), found.to_numpy(dtype=float))


def test_a_theta_that_is_varied_is_not_fitted_to_counts(tmp_path):
    """Counts tell 0.004; what a sweep asks for lies between the declared 0.001, 0.01 and 0.1 all the same."""
    model = FlowModel(toy.counted(tmp_path, 0.004, 0.004))
    assert model.theta() == pytest.approx(0.004)
    for which, thetas in (("theta", [0.001, 0.01, 0.1]), ("reliability", [0.004] * 3)):
        factor = LongDistance(kind="long-distance", which=which)
        moved = [factor.replaced({flow_model: model}, value)["flow_model"] for value in (0.0, 0.5, 1.0)]
        assert [each.theta() for each in moved] == pytest.approx(thetas)


def test_a_study_without_long_distance_tables_has_nothing_of_them_to_vary(evaluator_of):
    evaluator = evaluator_of({"a": {"kind": "long-distance", "which": "theta"}})
    with pytest.raises(SweepError, match="changes nothing: the study names no long-distance tables"):
        check_vary(evaluator.vary, evaluator.run, "x.toml")
