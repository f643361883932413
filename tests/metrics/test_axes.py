"""North-south metrics, crossing counts and the row that joins all of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corridor.interactions.regime_effects import split_network
from corridor.metrics.axes import (
    Axis,
    axis_overlap,
    build_axis,
    measure_axis_overlap,
    measure_gain,
    measure_if_closed,
    new_links,
)
from corridor.metrics.crossings import count_crossings, count_openings, measure_openings
from corridor.metrics.redundancy import Stage
from corridor.metrics.registry import all_columns
from corridor.schema.column import Kind
from tests.interactions.grounds import LAT, LON, STEP, access_to, candidate, effect, event, part, with_neighbour
from tests.metrics.figures import access_figures, route_context, row_of, setting_of, under
from tests.metrics.test_severance import ground
from tests.metrics.test_severance import line as route_line

NODES = [(LON, LAT + STEP * i) for i in range(4)] + [(LON + STEP, LAT + STEP)]
EDGES = [(0, 1), (1, 2), (2, 3), (0, 4), (4, 3)]
MINUTES = [10.0, 10.0, 10.0, 40.0, 40.0]


def country(**columns):
    return with_neighbour(NODES, EDGES, minutes_forward=MINUTES, minutes_backward=MINUTES, **columns)


def axis_of(net, sections=("spine",)):
    return build_axis(net, {}, "a", "Axis", sections)


def test_shared_length_runs_from_the_same_line_to_what_lies_beside():
    net = country(section_id=["spine", "spine", "spine", "", ""])
    km = net.edges["length_m"].to_numpy() / 1000
    events = [
        event("same_line", edges=(0, 3), portions=((0, 0.5, 1.0), (3, 0.0, 1.0)), length_km=9.0, event_id="s"),
        event("beside", edges=(1,), length_km=1.25, event_id="b", distance_m=20.0),
        event(edges=(2,), event_id="x1"),
        event(edges=(2,), event_id="x2", separation="separated"),
        event(edges=(4,), event_id="x3"),
    ]
    route = candidate(part(net.edges.geometry.iat[3], edges=(3,)))
    table = axis_overlap(net, route, events, (axis_of(net),))
    found = row_of(measure_axis_overlap, candidate=route, access=access_to(net, NODES[3]), axis_overlap=table)
    assert found["north_south_shared_km"] == pytest.approx(km[0] / 2)  # the road off the axis doesn't count
    assert found["north_south_shared_km_high"] == pytest.approx(km[0] / 2 + 1.25)
    assert (found["north_south_conflicts"], found["north_south_conflicts_at_grade"]) == (2, 1)
    assert table["separated"].tolist() == [1, 1, 0]  # the axis, axes in use together, axes out of use together
    assert found["north_south_restored_km"] == 0
    idle = axis_overlap(net, route, events, (replace(axis_of(net), out_of_use_since=1992),))
    restored = row_of(measure_axis_overlap, candidate=route, access=access_to(net, NODES[3]), axis_overlap=idle)
    assert (restored["north_south_shared_km"], restored["north_south_conflicts"]) == (0, 0)
    assert restored["north_south_restored_km"] == found["north_south_shared_km"]
    assert found["shared_a_km"] == found["north_south_shared_km"]


def test_without_an_axis_nothing_is_said_to_be_shared():
    net = country()
    route = candidate(part(net.edges.geometry.iat[3], edges=(3,)))
    table = axis_overlap(net, route, [event("same_line", edges=(0,), length_km=9.0)], ())
    found = row_of(measure_axis_overlap, candidate=route, access=access_to(net, NODES[3]), axis_overlap=table)
    assert found["north_south_status"] == "not_applicable"
    assert np.isnan(found["north_south_shared_km"])


def test_a_stretch_of_two_axes_counts_once_and_membership_counts_as_shared():
    net = country(section_id=["spine", "", "", "", ""])
    two = [axis_of(net), Axis("b", "Other", ("spine",), frozenset({0}))]
    member = part(
        net.edges.geometry.iat[0], section_id="spine"
    )  # the network's edge of the section, not named by the part
    same = event("same_line", edges=(0,), portions=((0, 0.0, 1.0),), length_km=member.drawn_km)
    table = axis_overlap(net, candidate(member), [same], tuple(two))
    assert table["axis_id"].tolist() == ["a", "b", "", ""]
    assert table["shared_km_low"].tolist() == pytest.approx([member.drawn_km] * 3 + [0])


@pytest.mark.parametrize(
    ("edges", "word", "ratio"), [((1,), "slower", 81 / 31), ((4,), "open", 1.0), ((1, 4), "unreachable", np.nan)]
)
def test_if_closed_says_open_slower_or_unreachable(edges, word, ratio):
    net = country()
    events = [event("same_line", edges=(e,), portions=((e, 0.2, 0.7),), event_id=f"s{e}") for e in edges]
    for ground_net in (net, split_network(net, events)):
        route = candidate(part(net.edges.geometry.iat[0]))
        found = row_of(measure_if_closed, candidate=route, access=access_to(ground_net, NODES[3]), events=events)
        assert found["north_south_if_closed"] == word
        assert found["north_south_if_closed_ratio"] == pytest.approx(ratio, nan_ok=True)


def test_a_new_link_gains_only_where_it_is_opened():
    net = country(status=["open", "planned", "open", "open", "open"], section_id=["", "link", "", "", ""])
    access = access_to(net, NODES[3])
    route = candidate(part(net.edges.geometry.iat[1], section_id="link", status="planned"))
    links = new_links(net, route, access)
    assert links == (1,)
    found = measure_gain(access, links, opens_new_links=True)
    assert found["north_south_gain_min"] == pytest.approx(50)
    km = net.edges["length_m"].to_numpy() / 1000
    assert found["north_south_gain_added_km"] == pytest.approx(km[:3].sum() - km[3:5].sum(), rel=1e-4)
    for given in ({"new_links": (), "opens_new_links": True}, {"new_links": links, "opens_new_links": False}):
        assert row_of(measure_gain, access=access, **given)["north_south_gain_min_status"] == "not_applicable"


def test_the_delay_is_the_access_delay_with_its_status():
    net = country()
    access = access_to(net, NODES[3])
    assert access_figures(access, effect(net, delay=[(0, 6.0)]))["north_south_delay_min"] == pytest.approx(6)
    assert access_figures(access, effect(net, closed=[2, 4]))["north_south_delay_min_status"] == "unreachable"


def test_crossings_are_counted_by_class_and_country():
    events = [
        event(event_id="a", road_class="trunk"),
        event(event_id="b", road_class="track"),
        event(event_id="c", road_class="trunk", separation="separated"),
        event(event_id="d", road_class="trunk", country="BB"),
        event("beside", event_id="e"),
    ]
    found = count_crossings(events, "AA")
    assert (found["crossings"], found["crossings_at_grade"], found["crossings_separated"]) == (3, 2, 1)
    assert (
        found["crossings_at_grade_trunk"],
        found["crossings_separated_trunk"],
        found["crossings_at_grade_track"],
    ) == (1, 1, 1)


def test_openings_are_the_crossings_that_a_regime_leaves_passable():
    net = country()
    events = [event(edges=(e,), portions=((e, 0.5, 0.5),), event_id=f"x{e}") for e in (0, 1, 2)]
    gated = split_network(net, events)
    route = candidate(part(net.edges.geometry.iat[0], length_km=20.0))
    found = count_openings(route, events, effect(gated, closed=gated.gates["x1"]), "AA", gated)
    assert found == {"openings": 2, "openings_per_10km": pytest.approx(1.0)}
    assert count_openings(route, events, None, "AA", net)["openings"] == 3
    abroad = candidate(part(net.edges.geometry.iat[0], country="BB"))
    row = row_of(measure_openings, candidate=abroad, events=events, effect=None, access=access_to(net, NODES[3]))
    assert np.isnan(row["openings"])
    assert row["openings_status"] == "not_applicable"


def frame(net, split, **options):
    stages = (Stage("South", *NODES[0], 0.5), Stage("North", *NODES[3], 0.5))
    access = access_to(split, NODES[3], NODES[1:3], [NODES[3]], **options)
    return setting_of(net, access, ground(), stages, (axis_of(net),), draws=8)


def test_a_row_joins_all_metrics_and_keeps_unreachable_out_of_the_numbers():
    net = country(section_id=["", "spine", "", "", ""])
    events = [event(edges=(e,), portions=((e, 0.5, 0.5),), event_id=f"x{e}") for e in (1, 3)]
    split = split_network(net, events)
    setting = frame(net, split)
    route = candidate(part(route_line((0, 1000), (20_000, 1000)), length_km=20.0))
    shut = effect(split, closed=[*split.gates["x1"], *split.gates["x3"]])
    row = under(route_context(setting, route, events), shut).row
    assert row["access_delay_min_status"] == row["north_south_delay_min_status"] == "unreachable"
    assert (row["disjoint_routes_before"], row["disjoint_routes"]) == (2, 0)
    assert (row["disjoint_routes_whole_before"], row["disjoint_routes_whole"]) == (1, 0)  # one crossing
    assert row["openings"] == 0
    assert row["crossings_at_grade"] == 2
    assert row["border_behind_share"] == pytest.approx(1)
    assert row["border_km_within_1"] == pytest.approx(0, abs=0.01) or row["border_km_within_5"] == 20
    assert row["places_lost_crossing"] == 1
    numbers = [v for v in row.values() if isinstance(v, float)]
    assert not np.isinf(numbers).any()


def test_no_table_of_a_row_writes_an_infinity():
    net = country()
    setting = frame(net, net)
    route = candidate(part(route_line((0, 1000), (20_000, 1000))))
    context = under(route_context(setting, route), effect(net, closed=[1, 3]))
    tables = [context["access_result"].places, context["axis_overlap"], context["single_points_after"]]
    for table in (pd.DataFrame([context.row]), *tables):
        assert "inf" not in table.to_csv().lower()


def test_reversing_the_candidate_changes_no_metric():
    net = country(section_id=["", "spine", "", "", ""])
    setting = frame(net, net)
    lines = [route_line((0, 1500), (8000, 700)), route_line((8000, 700), (20_000, 1000))]
    there = candidate(part(lines[0], length_km=9.0), part(lines[1]))
    back = candidate(part(lines[1].reverse()), part(lines[0].reverse(), length_km=9.0))
    one, two = (route_context(setting, route).row for route in (there, back))
    words = {key for key, value in one.items() if isinstance(value, str)}
    assert {key: one[key] for key in words} == {key: two[key] for key in words}
    for key in one.keys() - words:
        assert two[key] == pytest.approx(one[key], rel=1e-6, nan_ok=True), key


def test_a_route_elsewhere_gets_statuses_and_no_figures():
    net = country()
    setting = frame(net, net)
    route = candidate(part(route_line((0, -1000), (20_000, -1000)), country="BB"))
    row = under(route_context(setting, route), effect(net)).row
    # the line itself is known wherever it runs, and so is that it passes no border
    own = {"tunnel_km_status", "bridge_km_status", "border_check_h_status", "check_h_status"}
    statuses = {key: value for key, value in row.items() if key.endswith("_status") and key not in own}
    assert set(statuses.values()) == {"not_applicable"}
    assert row["north_south_if_closed"] == "not_applicable"
    columns = [column for column in all_columns() if column.status and column.status not in own]
    figures = {column.name for column in columns if column.kind is not Kind.STATUS}
    assert all(np.isnan(row[name]) for name in figures & row.keys())


def test_without_local_roads_what_needs_them_is_not_supported():
    net = country()
    setting = frame(net, net, supports_places=False)
    route = candidate(part(route_line((0, 1000), (20_000, 1000)), quality="schematic"))
    row = under(route_context(setting, route), effect(net, closed=[1, 3])).row
    for name in ("places", "crossings", "strip", "disjoint_routes", "single_point_km"):
        assert row[f"{name}_status"] == "not_supported", name
    assert row["access_delay_min_status"] == "unreachable"  # the headline stands all the same
