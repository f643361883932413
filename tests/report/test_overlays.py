from dataclasses import replace

import numpy as np

from corridor.report.mapdata import place_aliases
from corridor.report.overlays import axis_lines, cut_off_places, cut_off_totals, people_text
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


def test_places_are_cut_off_by_the_route_and_under_the_rules_that_do_it_alone():
    found = cut_off_places(results())
    assert found == {
        "middle": {
            "gated": [
                ["Alba", 39.5, 45.1, "12\u202f000", True, False, "Alba"],
                ["Borg", 39.5, 45.9, "0\u2013499", True, True, "Alba"],
            ]
        }
    }


def test_totals_add_people_up_and_say_so_where_nobody_loses_anything():
    free, gated = cut_off_totals(results(), "middle")
    assert (free["regime_id"], free["places"], free["crossing"], free["centre"]) == ("free", 2, 0, 0)
    assert (gated["crossing"], gated["crossing_people"]) == (2, "12\u202f000\u201312\u202f499")
    assert (gated["centre"], gated["centre_people"]) == (1, "0\u2013499")
    assert cut_off_totals(results(), "south") == []


def test_data_without_places_say_nothing_of_them():
    found = results()
    for nothing in (None, found.place_effects.iloc[:0]):
        bare = replace(found, place_effects=nothing)
        assert cut_off_places(bare) == {}
        assert cut_off_totals(bare, "middle") == []
        assert 'class="cut-off"' not in build_page(bare)


def test_people_that_nobody_counted_are_not_written_as_a_number():
    assert people_text(np.nan, np.nan) == ""
    assert people_text(0.0, 0.0) == "0"


def test_places_are_found_by_their_other_names():
    found = results()
    name = str(found.layers.places["name"].iloc[0])
    aliases = {f"{name}, junction of two roads": ("Elsewhere (XX)",), "Nowhere": ("Nirgends (XX)",)}
    with_others = replace(found, layers=replace(found.layers, aliases=aliases))
    assert place_aliases(with_others) == {"elsewhere": name}
    assert '<option value="Elsewhere">' in build_page(with_others)
