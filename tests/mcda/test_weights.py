import numpy as np
import pytest

from corridor.errors import ScoringError
from corridor.mcda.perspectives import build_perspective, normalise, parse_weights, resolve_weights
from corridor.report.i18n import render

from .tables import ROUTE_CRITERIA, make_criteria

NESTED = make_criteria(4, groups=["distance", "distance", "terrain", "people"])


def perspective(groups, **fields):
    return build_perspective("own", {"label": "Own", "weights_from": "Asked.", "groups": groups} | fields)


def test_group_weights_are_shared_inside_the_group():
    found = resolve_weights({"distance": 0.5, "terrain": 0.3, "people": 0.2}, NESTED)
    np.testing.assert_allclose(found.values, [0.25, 0.25, 0.3, 0.2])
    assert found.notes == ()


def test_weights_inside_a_group():
    own = perspective({"distance": 0.5, "terrain": 0.5}, within={"distance": {"c0": 3.0, "c1": 1.0}})
    np.testing.assert_allclose(resolve_weights(own, NESTED).values, [0.375, 0.125, 0.5, 0.0])


def test_a_group_without_criteria_is_dropped_and_said():
    own = perspective({"distance": 0.4, "north_south": 0.5, "terrain": 0.1})
    found = resolve_weights(own, NESTED)
    np.testing.assert_allclose(found.values, [0.4, 0.4, 0.2, 0.0])
    assert any("'north_south' takes part" in render(note) for note in found.notes)
    assert any("'people': weight 0" in render(note) for note in found.notes)


def test_a_criterion_that_takes_no_part_leaves_its_weight_to_its_group():
    found = resolve_weights({"distance": 0.6, "terrain": 0.4}, [NESTED[1], NESTED[2]], NESTED)
    np.testing.assert_allclose(found.values, [0.6, 0.4])


def test_weights_that_do_not_sum_to_one_are_said_and_normalised():
    found = resolve_weights({"c0": 2.0, "c3": 6.0}, NESTED)
    np.testing.assert_allclose(found.values, [0.25, 0, 0, 0.75])
    assert "sum to 8" in render(found.notes[0])
    assert "'c1', 'c2'" in render(found.notes[1])


def test_numbers_by_position():
    np.testing.assert_allclose(resolve_weights([1, 1, 2, 0], NESTED).values, [0.25, 0.25, 0.5, 0])
    np.testing.assert_allclose(resolve_weights(np.full(4, 0.25), [NESTED[0], NESTED[3]], NESTED).values, [0.5, 0.5])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"c0": -0.1, "c1": 1.1}, "can't be negative"),
        ({"c0": 0.0}, "all weights are zero"),
        ({"c0": 1e308, "c1": 1e308}, "too large to be added up"),
        ({"c0": float("nan")}, "finite"),
        ({"distence": 1.0}, r"did you mean 'distance'"),
        ({"c0": 0.5, "terrain": 0.5}, "mixed"),
        ([0.5, 0.5], "4 weights"),
        ({}, "all weights are zero"),
    ],
)
def test_weights_that_can_t_rank(weights, words):
    with pytest.raises(ScoringError, match=words):
        resolve_weights(weights, NESTED)


def test_a_perspective_with_a_misspelt_name():
    with pytest.raises(ScoringError, match="did you mean 'terrain'"):
        resolve_weights(perspective({"terain": 1.0}), NESTED)
    with pytest.raises(ScoringError, match=r"has no criterion 'lenght'.*did you mean 'length'"):
        resolve_weights(perspective({"distance": 1.0}, within={"distance": {"lenght": 1.0}}), ROUTE_CRITERIA)


def test_all_the_weight_on_what_takes_no_part():
    with pytest.raises(ScoringError, match="nothing is left"):
        resolve_weights({"c0": 1.0}, NESTED[1:], NESTED)


def test_within_weights_all_on_what_takes_no_part():
    own = perspective({"distance": 1.0}, within={"distance": {"c0": 1.0}})
    found = resolve_weights(own, NESTED[1:], NESTED)
    np.testing.assert_allclose(found.values, [1.0, 0.0, 0.0])
    assert any("share it equally" in render(note) for note in found.notes)


def test_weights_as_text():
    assert parse_weights("distance=0.3, terrain = .7,") == {"distance": 0.3, "terrain": 0.7}
    for wrong, words in (
        ("distance", "name=number"),
        ("=3", "name=number"),
        ("a=1,a=2", "twice"),
        ("a=x", "not a number"),
        (" ", "nothing"),
    ):
        with pytest.raises(ScoringError, match=words):
            parse_weights(wrong)


@pytest.mark.parametrize("weight", ["much", None, float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused_with_its_name(weight):
    with pytest.raises(ScoringError, match="the weight of 'a' is not a finite number"):
        normalise({"a": weight, "b": 0.5})


def test_normalise_leaves_what_sums_to_one():
    assert normalise({"a": 0.1, "b": 0.9}) == ({"a": 0.1, "b": 0.9}, ())
