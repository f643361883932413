from dataclasses import replace

from corridor.report.overlays import axis_lines
from corridor.report.page import build_page
from tests.report.made_up import results


def without_axes(found, axes):
    return replace(found, layers=replace(found.layers, axes=axes))


def test_a_stretch_that_two_axes_share_is_drawn_once_with_both_names():
    lines = axis_lines(results())
    assert [(line["names"], line["status"]) for line in lines] == [
        (["Long road", "Twin road"], "open"),
        (["Long road"], "planned"),
    ]
    assert lines[0]["line"] == [[40.0, 45.4], [39.4, 45.4]]


def test_a_stretch_drawn_the_other_way_round_is_the_same_stretch():
    found = results()
    axes = found.layers.axes.copy()
    axes.geometry = [axes.geometry[0], axes.geometry[0].reverse(), axes.geometry[2]]
    assert len(axis_lines(without_axes(found, axes))) == 2


def test_a_study_without_axes_gets_a_page_all_the_same():
    found = results()
    assert axis_lines(without_axes(found, None)) == []
    assert axis_lines(without_axes(found, found.layers.axes.iloc[:0])) == []
    assert len(build_page(without_axes(found, None))) > 100_000
