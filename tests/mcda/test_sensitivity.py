import builtins
import sys

import numpy as np
import pandas as pd
import pytest

from corridor.errors import ScoringError
from corridor.mcda.sensitivity import join_ends_of, measure_interval_sensitivity, measure_sensitivity, winner_margin

from .tables import make_panel

pytest.importorskip("SALib")

CIRCLE = {"x1": (-np.pi, np.pi), "x2": (-np.pi, np.pi), "x3": (-np.pi, np.pi)}


def ishigami(x):
    return np.sin(x["x1"]) + 7 * np.sin(x["x2"]) ** 2 + 0.1 * x["x3"] ** 4 * np.sin(x["x1"])


def test_ishigami_in_closed_form():
    # Ishigami and Homma (1990): first 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437.
    found = measure_sensitivity(ishigami, CIRCLE, samples=2048).set_index("input")
    assert found["first"].to_dict() == pytest.approx({"x1": 0.3139, "x2": 0.4424, "x3": 0.0}, abs=0.03)
    assert found["total"].to_dict() == pytest.approx({"x1": 0.5576, "x2": 0.4424, "x3": 0.2437}, abs=0.03)


def test_morris_of_a_plane_is_its_slopes():
    found = measure_sensitivity(
        lambda x: 3 * x["a"] - x["b"], {"a": (0, 1), "b": (0, 1)}, screening="morris", samples=8
    )
    assert found["input"].tolist() == ["a", "b"]
    np.testing.assert_allclose(found["mu_star"], [3.0, 1.0])
    np.testing.assert_allclose(found["sigma"], 0.0, atol=1e-9)


@pytest.mark.parametrize("screening", ["sobol", "morris"])
def test_zero_is_a_seed(screening):
    first, again, other = (
        measure_sensitivity(ishigami, CIRCLE, screening=screening, samples=16, seed=seed) for seed in (0, 0, 1)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_an_answer_that_never_changes():
    found = measure_sensitivity(lambda _: 1.0, {"a": (0, 1)}, samples=4)
    assert found.loc[0, ["total", "first"]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("ranges", "options", "words"),
    [
        ({"a": (1.0, 1.0)}, {}, "must rise"),
        ({}, {}, "an input"),
        ({"a": (0.0, 1.0)}, {"samples": 100}, "power of two"),
        ({"a": (0.0, 1.0)}, {"seed": -1}, "seed"),
        ({"a": (0.0, 1.0)}, {"screening": "fast"}, "'fast' is unknown"),
    ],
)
def test_requests_that_can_t_be_met(ranges, options, words):
    with pytest.raises(ScoringError, match=words):
        measure_sensitivity(lambda _: 1.0, ranges, **options)


def test_a_model_without_an_answer():
    with pytest.raises(ScoringError, match="finite"):
        measure_sensitivity(lambda _: float("nan"), {"a": (0, 1)}, samples=4)


def test_without_salib_the_remedy_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("SALib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    assert builtins.__import__
    with pytest.raises(ScoringError, match="pip install SALib"):
        measure_sensitivity(lambda x: x["a"], {"a": (0, 1)}, samples=4)


def test_margin_is_the_lead_over_the_best_of_the_others():
    panel = make_panel([[0.9, 0.5], [0.5, 0.7], [0.1, 0.1]])
    assert winner_margin(panel, [0.5, 0.5], "a0") == pytest.approx(0.1)
    assert winner_margin(panel, [0.5, 0.5], "a1") == pytest.approx(-0.1)
    shifted = panel.metrics[None] + np.array([[[0.0]], [[0.05]]]) * np.array([[1.0], [0.0], [0.0]])
    np.testing.assert_allclose(winner_margin(panel, [0.5, 0.5], "a0", metrics=shifted), [0.1, 0.15])
    with pytest.raises(ScoringError, match="'a9'"):
        winner_margin(panel, [0.5, 0.5], "a9")


def test_the_margin_hangs_on_what_moves_it():
    panel = make_panel([[0.9, 0.5], [0.5, 0.7]])

    def margin(inputs):
        metrics = panel.metrics + np.array([[-inputs["price"], 0.0], [0.0, inputs["wait"]]])
        return float(winner_margin(panel, [0.5, 0.5], "a0", metrics=metrics))

    found = measure_sensitivity(margin, {"wait": (0.0, 0.1), "price": (0.0, 0.3)}, samples=512)
    assert found["input"].tolist() == ["price", "wait"]
    # Variance of a sum of uniforms: shares 0.3^2 : 0.1^2.
    assert found["first"].tolist() == pytest.approx([0.9, 0.1], abs=0.03)


def test_the_lead_hangs_on_the_only_interval():
    values = np.array([[0.9, 0.9], [0.5, 0.6]])
    low, high = values.copy(), values.copy()
    low[0, 0], high[0, 0] = 0.7, 1.0
    found = measure_interval_sensitivity(make_panel(values, low, high), {"c0": 0.5, "c1": 0.5}, samples=64)
    assert found["input"].tolist() == ["c0"]
    assert found["first"][0] == pytest.approx(1.0, abs=0.05)


def test_criteria_of_one_factor_move_together():
    values = np.array([[0.3, 0.4], [0.5, 0.6]])
    panel = make_panel(values, values - 0.1, values + 0.1, factors=("prices", "prices"))
    assert measure_interval_sensitivity(panel, {"c0": 0.5, "c1": 0.5}, samples=16)["input"].tolist() == ["prices"]


def test_without_intervals_there_is_nothing_to_say():
    assert measure_interval_sensitivity(make_panel(np.array([[1.0], [2.0]])), {"c0": 1.0}).empty


def test_shares_at_two_ends_are_an_interval():
    worst = pd.DataFrame({"input": ["speeds", "prices"], "total": [0.7, 0.3], "total_conf": [0.1, 0.1]})
    best = pd.DataFrame({"input": ["prices", "checks"], "total": [0.6, 0.4], "total_conf": [0.1, 0.1]})
    found = join_ends_of([worst, best]).set_index("input")
    assert found.loc["speeds", ["total", "total_low", "total_high"]].tolist() == [0.7, 0.0, 0.7]
    assert found.loc["prices", ["total", "total_low", "total_high"]].tolist() == [0.3, 0.3, 0.6]
    assert found.loc["checks", ["total", "total_low", "total_high"]].tolist() == [0.0, 0.0, 0.4]
    assert join_ends_of([worst]) is worst
