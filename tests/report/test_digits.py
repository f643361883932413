"""How exactly figures are told: rough ones in three significant digits, measured ones as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.report.i18n import THIN_SPACE
from corridor.report.tables import PageColumn, _cell, rough_number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1044.5, 0, f"1{THIN_SPACE}040"), (113_378.7, 0, f"113{THIN_SPACE}000"), (102.34, 1, "102"),
        (21.18, 1, "21.2"), (0.9123, 2, "0.91"), (0.0, 1, "0.0"), (999.6, 1, f"1{THIN_SPACE}000"),
        (float("inf"), 0, ""),
        (2.947, 1, "2.9"), (-3.4468, 1, "\u22123.4"), (26.54, 0, "27"), (999.6, 0, f"1{THIN_SPACE}000"),
    ],
)  # fmt: skip
def test_three_significant_digits_at_most(value, digits, text):
    assert rough_number(value, digits) == text


@given(st.floats(1.0, 1e7))
def test_what_is_told_is_within_half_a_percent(value):
    told = float(rough_number(value, 2).replace(THIN_SPACE, ""))
    assert abs(told - value) <= 0.0051 * value + 1e-9


@given(st.floats(-1e3, 1e3), st.integers(0, 2))
def test_a_figure_is_rounded_once(value, digits):
    """Rounded to three digits and then to the decimals of its column it could be one too high."""
    text = rough_number(value, digits).replace(THIN_SPACE, "").replace("\u2212", "-")
    last = 10.0 ** -len(text.partition(".")[2]) if abs(value) < 999.5 else 10.0
    assert abs(float(text) - value) <= last / 2 + 1e-9


def column(unit, digits=0):
    return PageColumn("figure", "Figure", unit, digits, False, "", "metric.figure")


def test_a_figure_with_a_range_is_rough_unless_it_is_measured():
    cost = _cell(column("M USD"), "", 1044.5, 483.1, 1586.3, "")
    assert (cost.text, cost.range_text) == (f"1{THIN_SPACE}040", f"483\u2013{f'1{THIN_SPACE}590'}")
    assert cost.value == 1044.5
    height = _cell(column("m"), "", 2535.0, 2503.0, 2567.0, "")
    assert height.text == f"2{THIN_SPACE}535"
    exact = _cell(column("million USD"), "", 1234.0, 1234.0, 1234.0, "")
    assert exact.text == f"1{THIN_SPACE}234"


def test_an_end_of_what_is_undetermined_is_rough_in_any_unit():
    found = _cell(column("km", 1), "undetermined", None, 0.0, 123.456, "")
    assert dict(found.ends.values) == {"low": "0.0", "high": "123"}


@pytest.mark.parametrize(
    ("parts", "texts"),
    [((732.2, 312.3), ["730", "310"]), ((32.2, 12.3), ["32", "12"]), ((1197.0, 4.0), [f"1{THIN_SPACE}200", "4"])],
)
def test_parts_are_told_to_the_place_of_their_sum(parts, texts):
    assert [rough_number(part, 0, sum(parts)) for part in parts] == texts
