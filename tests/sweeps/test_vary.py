"""A sweep's file: what is wrong is said with file, field and remedy."""

from __future__ import annotations

import pytest

from corridor.errors import CorridorError, SweepError
from corridor.sweeps.plan import build_vary, check_vary, load_vary

PRICES = {"kind": "unit-costs"}


def content(design="product", factor=PRICES, **more):
    return {"design": design, "factors": {"a": factor}} | more


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"design": "product"}, "factors: is missing"),
        (content(factor={"kind": "weather"}), r"factors\.a\.kind: must be one of unit-costs, speeds"),
        (content(factor={}), r"factors\.a\.kind: must be one of"),
        (content(design="grid"), "design: .*'product', 'sobol' or 'latin-hypercube'"),
        (content(n=8), "a product takes every combination"),
        (content("sobol"), "say how many points"),
        (content("sobol", n=48), "48 is no power of two, which sobol needs; use 32 or 64"),
        (content("sobol", n=0), "n: "),
        (content(colour="red"), "colour: unknown key"),
        (content(factor=PRICES | {"low": 0.5, "high": 0.5}), r"factors\.a: low 0\.5 must be below high 0\.5"),
        (content(factor=PRICES | {"high": 1.5}), "use measure 'multiple'"),
        (content(factor=PRICES | {"measure": "multiple"}), "a multiple needs low and high"),
        (content(factor=PRICES | {"measure": "multiple", "values": [0.0, 1.0]}), "multiples must be above 0"),
        (content(factor=PRICES | {"values": [0.5], "levels": 3}), "not both"),
        (content(factor=PRICES | {"low": float("nan")}), r"factors\.a\.low"),
        (content(factor={"kind": "dem-error", "draws": 0}), r"factors\.a\.draws"),
        (content(factor={"kind": "regime", "values": ["free", "free"]}), "a value stands twice"),
        (content(factor={"kind": "crossing-status", "crossings": ["a"], "values": ["ajar"]}), r"factors\.a\.values"),
        (content(metrics=["Length; DROP"]), r"metrics\.0"),
        ({"design": "product", "factors": {"Not An Id": PRICES}}, "factors"),
        ({"design": "product", "factors": {}}, "factors"),
    ],
)
def test_faults_name_file_field_and_remedy(wrong, says):
    with pytest.raises(SweepError, match=says) as caught:
        build_vary(wrong, "my-sweep.toml")
    assert str(caught.value).startswith("my-sweep.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        ({"kind": "regime", "values": ["free", "shutt"]}, r"values: 'shutt' isn't known; did you mean 'shut'\?"),
        ({"kind": "baseline", "values": ["later"]}, "values: 'later' isn't known; there are: now"),
        ({"kind": "crossing-status", "crossings": ["ridge-gate-wst"]}, "did you mean 'ridge-gate-west'"),
        ({"kind": "section-status", "sections": ["ridge"], "values": ["open"]}, "sections: 'ridge' isn't known"),
        ({"kind": "check-times", "regimes": ["none"]}, "regimes: 'none' isn't known"),
        ({"kind": "crossing-delays", "crossings": ["nowhere"]}, "crossings: 'nowhere' isn't known"),
    ],
)
def test_names_that_the_study_lacks_are_found_at_once(evaluator_of, factor, says):
    evaluator = evaluator_of({"a": factor})
    with pytest.raises(SweepError, match=says) as caught:
        check_vary(evaluator.vary, evaluator.run, "my-sweep.toml")
    assert str(caught.value).startswith("my-sweep.toml: factors.a: ")


def test_columns_that_are_not_measured_are_not_kept(evaluator_of):
    evaluator = evaluator_of({"a": PRICES})
    vary = evaluator.vary.model_copy(update={"metrics": ("length_km", "lenght_km", "ascent_m_high")})
    with pytest.raises(SweepError, match=r"x\.toml: metrics: there is no 'lenght_km' \(did you mean 'length_km'\?\)$"):
        check_vary(vary, evaluator.run, "x.toml")


def test_nothing_is_varied_twice(evaluator_of):
    evaluator = evaluator_of({"all": PRICES, "tunnels": PRICES | {"work": "tunnel"}})
    with pytest.raises(SweepError, match=r"factors\.tunnels: price of road tunnel is varied by 'all' already"):
        check_vary(evaluator.vary, evaluator.run, "x.toml")


def test_files_that_are_none(tmp_path):
    with pytest.raises(CorridorError, match=r"no such file; give the path of a sweep's TOML"):
        load_vary(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("design = [", encoding="utf-8")
    with pytest.raises(CorridorError, match="is not valid TOML"):
        load_vary(tmp_path / "bad.toml")


def test_standards_are_for_lines_that_are_designed(evaluator_of):
    evaluator = evaluator_of({"a": {"kind": "design-standard", "values": ["rail-12", "rail-18"]}})
    with pytest.raises(SweepError, match="changes nothing: no candidate of the family new-build"):
        check_vary(evaluator.vary, evaluator.run, "x.toml")
    evaluator = evaluator_of({"a": {"kind": "design-standard", "values": ["rail-13"]}})
    with pytest.raises(SweepError, match=r"values: 'rail-13' isn't known; did you mean 'rail-\d\d'"):
        check_vary(evaluator.vary, evaluator.run, "x.toml")
