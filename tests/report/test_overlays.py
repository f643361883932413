from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, MultiLineString

from corridor.report.map.ground import draw_ground, river_lines, road_lines
from corridor.report.map.layers import (
    axis_lines,
    build_map_data,
    cut_off_totals,
    delays_min,
    people_text,
    place_aliases,
    place_changes,
)
from corridor.report.page.build import build_page
from corridor.report.view import ReportView
from corridor.schema.message import Alias
from corridor.schema.results import NamedPlace
from tests.report.synthetic import results


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
    assert len(build_page(ReportView(without_axes(found, None)))) > 100_000


def test_places_are_cut_off_by_the_route_and_under_the_rules_that_do_it_alone():
    assert place_changes(results()) == {
        "places": [["Alba", 39.5, 45.1, "12\u202f000", "Alba"], ["Borg", 39.5, 45.9, "0\u2013499", "Alba"]],
        "by": {"middle": {"gated": [[0, 1, 0, None], [1, 1, 1, None]]}},
    }


def test_a_delay_counts_from_a_minute_on_and_not_where_the_crossing_is_lost_or_never_was_reached():
    table = (
        results()
        .place_effects.iloc[:4]
        .assign(
            crossing_min_before=[10.0, 10.0, 10.0, np.inf],
            crossing_min_after=[10.9, 12.4, np.inf, np.inf],
            lost_crossing=[False, False, True, False],
        )
    )
    assert delays_min(table).tolist() == pytest.approx([0.9, 2.4, 0.0, 0.0])
    changed = place_changes(replace(results(), place_effects=table))
    assert changed["by"] == {"north": {"free": [[0, 0, 0, 2]], "gated": [[1, 1, 0, None]]}}


def test_rivers_are_cut_to_the_window():
    line = MultiLineString([[(44.0, 39.0), (46.0, 39.0)], [(50.0, 39.0), (51.0, 39.0)]])
    rivers = gpd.GeoDataFrame({"name": ["Wet"], "names": [{"ru": "R"}]}, geometry=[line], crs="EPSG:4326")
    found = replace(results(), layers=replace(results().layers, rivers=rivers))
    lines = [[[39.0, 45.0], [39.0, 46.0]]]
    assert river_lines(found.layers.rivers, (45.0, 38.0, 49.0, 40.0)) == [
        {"name": "Wet", "names": {"ru": "R"}, "lines": lines}
    ]
    assert river_lines(found.layers.rivers, (47.0, 38.0, 49.0, 40.0)) == []


def test_pieces_of_a_road_are_joined_and_roads_outside_are_left_out():
    pieces = [[(46.0, 39.0), (47.0, 39.0)], [(47.0, 39.0), (48.0, 39.5)], [(50.0, 39.0), (51.0, 39.0)]]
    told = {"class": ["trunk", "trunk", "motorway"], "ref": ["M2", "M2", "M9"], "name": ["", "", "Far"]}
    roads = gpd.GeoDataFrame(told, geometry=[LineString(piece) for piece in pieces], crs="EPSG:4326")
    joined = {"ref": "M2", "name": "", "high": False, "lines": [[[39.0, 46.0], [39.0, 47.0], [39.5, 48.0]]]}
    assert road_lines(roads, (45.0, 38.0, 49.0, 40.0)) == [joined]
    assert road_lines(roads, (40.0, 38.0, 42.0, 40.0)) == road_lines(None, (45.0, 38.0, 49.0, 40.0)) == []


def test_ground_that_was_drawn_before_is_the_same():
    found = results()
    drawn = replace(found, ground=draw_ground(found.layers))
    assert build_page(ReportView(drawn), "2026-01-01") == build_page(ReportView(found), "2026-01-01")


def test_totals_add_people_up_and_say_so_where_nobody_loses_anything():
    totals = cut_off_totals(results())
    free, gated = totals["middle"]
    assert (free["regime_id"], free["places"], free["crossing"], free["centre"]) == ("free", 2, 0, 0)
    assert (gated["crossing"], gated["crossing_people"]) == (2, "12\u202f000\u201312\u202f499")
    assert (gated["centre"], gated["centre_people"]) == (1, "0\u2013499")
    assert "south" not in totals


def test_data_without_places_say_nothing_of_them():
    found = results()
    for nothing in (None, found.place_effects.iloc[:0]):
        bare = replace(found, place_effects=nothing)
        assert place_changes(bare) == {"places": [], "by": {}}
        assert cut_off_totals(bare) == {}
        assert 'class="cut-off"' not in build_page(ReportView(bare))


def test_people_that_nobody_counted_are_not_written_as_a_number():
    assert people_text(np.nan, np.nan) == ""
    assert people_text(0.0, 0.0) == "0"


def test_places_are_found_by_their_other_names():
    found = results()
    name = str(found.layers.places["name"].iloc[0])
    others = {name: Alias(name="Elsewhere", used_by="XX"), "Nowhere": Alias(name="Nirgends", used_by="XX")}
    named = tuple(NamedPlace(place, (alias,), 45.2, 39.3) for place, alias in others.items())
    with_others = replace(found, layers=replace(found.layers, named=named))
    assert place_aliases(with_others) == {"elsewhere": name}
    # one that the map doesn't show is found where the catalogue has it
    assert build_map_data(ReportView(with_others))["named"] == [[["Nowhere", "Nirgends"], 39.3, 45.2]]
    assert '<option value="Elsewhere">' in build_page(ReportView(with_others))
    places = found.layers.places.assign(names=[{"ru": "Альба", "en": name}, {}])
    assert place_aliases(replace(found, layers=replace(found.layers, places=places))) == {"альба": name}
