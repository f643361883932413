"""Designs: how many points, how evenly they lie, and what a task is known by."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.errors import SweepError
from corridor.sweeps.plan import build_vary, in_order_of_work, plan_table, plan_tasks

PRICES = {"kind": "unit-costs"}
CHECKS = {"kind": "check-times", "which": "transit"}
DRAWS = {"kind": "dem-error", "draws": 5}
SPEEDS = {"kind": "speeds", "measure": "multiple", "low": 0.8, "high": 1.25}
FACTORS = {"prices": PRICES, "draws": DRAWS, "speeds": SPEEDS}


def plan(fingerprint="data", **content):
    return plan_tasks(build_vary(content, "test"), fingerprint)


@given(st.lists(st.integers(2, 5), min_size=1, max_size=3))
def test_a_product_has_every_combination_once(levels):
    factors = {f"f{k}": {"kind": "unit-costs", "levels": n} for k, n in enumerate(levels)}
    tasks = plan(design="product", factors=factors)
    assert len(tasks) == math.prod(levels)
    assert len({tuple(task.values.values()) for task in tasks}) == len(tasks)
    assert len({task.key for task in tasks}) == len(tasks)
    assert {task.values["f0"] for task in tasks} == set(np.linspace(0, 1, levels[0]))


def test_too_large_a_product_is_refused_before_it_is_made():
    factors = {f"f{k}": {"kind": "unit-costs", "levels": 1000} for k in range(3)}
    with pytest.raises(SweepError, match=r"1,000,000,000 combinations.*sobol"):
        plan(design="product", factors=factors)


def test_sobol_points_lie_evenly():
    n = 64
    table = plan_table(plan(design="sobol", n=n, factors=FACTORS))
    unit = np.column_stack([table["factor:prices"], (table["factor:speeds"] - 0.8) / 0.45])
    # a (0, m, s)-net in base 2: every dyadic interval of each axis holds its exact share
    for column in unit.T:
        assert np.bincount((column * n).astype(int), minlength=n).tolist() == [1] * n
    assert set(table["factor:draws"]) == {1, 2, 3, 4, 5}
    # the mean of a smooth function over the points is nearer than plain Monte Carlo would be
    assert abs((unit[:, 0] * unit[:, 1]).mean() - 0.25) < 0.01


def test_a_latin_hypercube_has_one_point_in_each_stratum():
    table = plan_table(plan(design="latin-hypercube", n=37, factors=FACTORS))
    for column in (table["factor:prices"], (table["factor:speeds"] - 0.8) / 0.45):
        assert sorted((column * 37).astype(int)) == list(range(37))


def test_a_longer_sobol_sample_begins_with_the_shorter_one():
    short, long = (plan(design="sobol", n=n, factors=FACTORS | {"draws": {"kind": "unit-costs"}}) for n in (8, 32))
    assert [task.key for task in long[:8]] == [task.key for task in short]


def test_the_seed_chooses_the_sample():
    samples = [plan(design="sobol", n=8, seed=seed, factors=FACTORS) for seed in (0, 0, 1)]
    assert samples[0] == samples[1] != samples[2]


def test_a_key_stands_for_values_meaning_and_data():
    base = plan(design="product", factors={"a": PRICES})[0]
    assert plan(design="product", factors={"a": PRICES | {"levels": 7}})[0].key == base.key
    assert plan("other data", design="product", factors={"a": PRICES})[0].key != base.key
    assert plan(design="product", factors={"a": PRICES | {"mode": "rail"}})[0].key != base.key
    assert plan(design="product", factors={"a": PRICES}, metrics=["ascent_m"])[0].key != base.key
    assert len(base.key) == 20


def test_work_goes_on_where_the_network_is_the_same(evaluator_of):
    factors = {"prices": PRICES, "speeds": SPEEDS | {"levels": 3}}
    evaluator = evaluator_of(factors)
    tasks = plan_tasks(evaluator.vary, "data")
    ordered = in_order_of_work(tasks, evaluator.vary, evaluator.run)
    assert sorted(task.number for task in ordered) == list(range(9))
    speeds = [task.values["speeds"] for task in ordered]
    assert sum(a != b for a, b in itertools.pairwise(speeds)) == 2
