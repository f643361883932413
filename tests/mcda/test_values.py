import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import ScoringError
from corridor.mcda.matrix import check_criteria, orient, scale
from corridor.plugins import nearest_name
from corridor.schema.column import Criterion

LENGTH = Criterion("length", "Length", "length_km", "km", "min", "distance", 100.0, 300.0)
GAIN = Criterion("gain", "Gain", "gain_min", "min", "max", "north_south", 60.0, 0.0)


def one(value, criterion, scaling="anchors"):
    return float(scale(np.array([[value]]), [criterion], scaling)[0, 0])


def test_anchors_by_hand():
    assert one(150.0, LENGTH) == 0.75
    assert [one(v, LENGTH) for v in (50.0, 100.0, 300.0, 900.0)] == [1.0, 1.0, 0.0, 0.0]
    assert [one(v, GAIN) for v in (-5.0, 0.0, 15.0, 60.0)] == [0.0, 0.0, 0.25, 1.0]


def test_shape_above_one_forgives_the_first_losses():
    curved = dataclasses.replace(LENGTH, shape=2.0)
    assert one(150.0, curved) == 1 - 0.25**2
    assert one(150.0, curved) > one(150.0, LENGTH)


def test_min_max_takes_the_ends_of_those_present():
    values = scale(np.array([[150.0, 10.0], [250.0, 30.0], [200.0, 20.0]]), [LENGTH, GAIN], "min-max")
    np.testing.assert_allclose(values, [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    np.testing.assert_array_equal(scale(np.full((3, 1), 7.0), [LENGTH], "min-max"), np.ones((3, 1)))


@given(
    metric=st.floats(-1e4, 1e4),
    factor=st.floats(1e-3, 1e3),
    shape=st.floats(0.2, 5),
    ends=st.tuples(st.floats(-1e3, 1e3), st.floats(1, 1e3)),
)
@settings(max_examples=200, deadline=None)
def test_another_unit_changes_no_value(metric, factor, shape, ends):
    best, span = ends
    criterion = dataclasses.replace(LENGTH, best=best, worst=best + span, shape=shape)
    other = dataclasses.replace(criterion, best=best * factor, worst=(best + span) * factor)
    assert one(metric * factor, other) == pytest.approx(one(metric, criterion), abs=1e-9)


@given(first=st.floats(-1e3, 1e3), step=st.floats(0, 100), shape=st.floats(0.2, 5))
@settings(max_examples=100, deadline=None)
def test_longer_is_never_worth_more(first, step, shape):
    criterion = dataclasses.replace(LENGTH, shape=shape)
    assert one(first + step, criterion) <= one(first, criterion)


def test_orient_turns_costs_round():
    np.testing.assert_array_equal(orient(np.array([[5.0, 6.0]]), [LENGTH, GAIN]), [[-5.0, 6.0]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"best": 300.0}, "the same"),
        ({"direction": "max"}, "contradicts"),
        ({"direction": "up"}, "'min' or 'max'"),
        ({"shape": 0.0}, "shape"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"worst": float("nan")}, "finite"),
    ],
)
def test_criteria_that_order_nothing(change, words):
    with pytest.raises(ScoringError, match=words):
        check_criteria([dataclasses.replace(LENGTH, **change)])


def test_all_faults_come_at_once():
    with pytest.raises(ScoringError, match=r"given twice.*shape.*tolerance"):
        check_criteria([LENGTH, dataclasses.replace(LENGTH, shape=-1.0, tolerance=-1.0)])
    with pytest.raises(ScoringError, match="no criterion"):
        check_criteria([])


def test_nearest_name():
    assert nearest_name("lenght", ["length", "terrain"]) == " (did you mean 'length'?)"
    assert nearest_name("zzz", ["length"]) == ""
