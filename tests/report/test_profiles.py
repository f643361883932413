import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.report.page.build import build_profile_data, grade_classes, thin
from tests.report.synthetic import results, with_grades

LIMITS = (3.0, 6.0, 8.0)


def test_an_even_slope_has_the_class_of_its_grade_up_and_down():
    km = np.linspace(0.0, 10.0, 101)
    keep = np.arange(0, 101, 10)
    for grade_pct, expected in ((2.0, 0), (3.0, 1), (5.9, 1), (6.0, 2), (7.9, 2), (12.0, 3)):
        for way in (1, -1):
            assert grade_classes(km, way * km * grade_pct * 10, keep, LIMITS) == [expected] * 10


def test_ups_and_downs_between_kept_points_count_as_grade():
    km = np.array([0.0, 0.1, 0.2])
    assert grade_classes(km, np.array([0.0, 10.0, 0.0]), np.array([0, 2]), LIMITS) == [3]


@given(st.lists(st.floats(0.0, 3000.0), min_size=2, max_size=1500))
def test_there_is_one_class_for_each_stretch_between_kept_points(heights):
    height = np.array(heights)
    keep = thin(height)
    classes = grade_classes(np.arange(len(height)) * 0.1, height, keep, LIMITS)
    assert len(classes) == len(keep) - 1
    assert set(classes) <= {0, 1, 2, 3}


def test_grades_are_there_only_where_the_heights_support_them():
    assert not any("grades" in profile for profile in build_profile_data(results()).values())
    found = build_profile_data(with_grades(results(), ("north",)))
    assert [key for key, profile in found.items() if "grades" in profile] == ["north"]
    assert len(found["north"]["grades"]) == len(found["north"]["km"]) - 1
    assert found["north"]["gradeLimits"] == pytest.approx([3.0, 6.0, 8.0])
