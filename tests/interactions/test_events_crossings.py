"""Crossings: counted, merged and told apart by hand-made cases, an orientation oracle and laws."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corridor.interactions.crossings import END_M, ON_LINE_M, PROBE_M
from corridor.interactions.events import events_frame, supports_local_crossings
from corridor.interactions.regime_effects import effects
from tests.interactions.roads import (
    all_met,
    build,
    count_raw_hits,
    crossings,
    digraph,
    gated,
    lonlat,
    rail,
    regime,
    split_lines,
    street_grid,
    streets,
    turned,
)

LINE = [(0, 0), (2000, 0)]


def test_a_road_that_the_line_crosses_is_one_crossing_assumed_at_grade():
    network = build([[(500, -300), (500, 300)]], ref=["M2"])
    (event,) = crossings(rail(LINE), network)
    assert (event.separation, event.road_ref, event.edges, event.structure) == ("at_grade_assumed", "M2", (0,), None)
    assert event.chainage_km == pytest.approx(0.5, rel=1e-3)
    ((edge, low, high),) = event.portions
    assert edge == 0
    assert low == high == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("flag", ["bridge", "tunnel"])
def test_a_road_on_a_bridge_or_in_a_tunnel_is_separated(flag):
    network = build([[(500, -300), (500, 300)]], **{flag: [True]})
    (event,) = crossings(rail(LINE), network)
    assert event.separation == "separated"
    assert (event.structure.kind, event.structure.owner) == (flag, "road")
    assert event.structure.length_m == pytest.approx(600, rel=1e-3)


@pytest.mark.parametrize(("start", "kind"), [(450, "separated"), (600, "at_grade_assumed")])
def test_a_structure_of_the_route_separates_only_at_the_point(start, kind):
    network = build([[(500, -300), (500, 300)]])
    (event,) = crossings(rail(LINE, spans=[("bridge", start, start + 100)]), network)
    assert event.separation == kind


def test_the_length_of_a_bridge_of_several_edges_is_their_sum():
    lines = [[(500, -300), (500, -20)], [(500, -20), (500, 20)], [(500, 20), (500, 50)], [(500, 50), (500, 300)]]
    network = build(lines, bridge=[False, True, True, False], ref=["M2"] * 4)
    (event,) = crossings(rail(LINE), network)
    assert event.structure.length_m == pytest.approx(70, rel=1e-3)


@pytest.mark.parametrize(
    ("gap", "refs", "opposed", "count"),
    [
        (20, ("M2", "M2"), True, 1),
        (38, ("M2", "M2"), True, 1),
        (60, ("M2", "M2"), True, 2),
        (38, ("M2", "M3"), True, 2),
        (38, ("M2", "M2"), False, 2),
    ],
)
def test_two_carriageways_are_one_crossing(gap, refs, opposed, count):
    up, down = [(500, -300), (500, 300)], [(500 + gap, 300), (500 + gap, -300)]
    network = build([up, down if opposed else down[::-1]], ref=refs, oneway=[1, 1])
    found = crossings(rail(LINE), network)
    assert len(found) == count
    assert sorted(edge for event in found for edge in event.edges) == [0, 1]


def test_two_way_roads_of_one_ref_further_apart_than_25_m_are_two():
    network = build([[(500, -300), (500, 300)], [(538, 300), (538, -300)]], ref=["M2", "M2"])
    assert len(crossings(rail(LINE), network)) == 2


@pytest.mark.parametrize(("width", "count"), [(10, 1), (100, 3)])
def test_a_road_that_winds_about_the_line_is_one_crossing_within_25_m(width, count):
    wave = [
        (500, -300),
        (500, 50),
        (500 + width, 50),
        (500 + width, -50),
        (500 + 2 * width, -50),
        (500 + 2 * width, 300),
    ]
    found = crossings(rail(LINE), build([wave]))
    assert len(found) == count
    assert all(len(event.portions) == 1 for event in found)


def test_a_winding_road_is_cut_once_however_it_is_split():
    whole = [(500, -300), (500, 50), (510, 50), (510, -50), (520, -50), (520, 300)]
    pieces = [whole[:3], whole[2:4], whole[3:]]
    for lines in ([whole], pieces):
        (event,) = crossings(rail(LINE), build(lines))
        assert len(event.portions) == 1


def test_two_roads_that_meet_elsewhere_are_two_crossings():
    fork = [[(500, -300), (490, 300)], [(500, -300), (510, 300)], [(500, -300), (500, -600)]]
    assert len(crossings(rail(LINE), build(fork))) == 2


def test_a_link_beside_its_road_is_apart():
    lines = [[(500, -300), (500, 300)], [(510, -200), (510, 200)]]
    network = build(lines, ref=["M2", "M2"], **{"class": ["trunk", "trunk_link"]})
    assert sorted(event.road_class for event in crossings(rail(LINE), network)) == ["trunk", "trunk_link"]


def test_a_level_crossing_at_a_node_is_one_and_leaves_one_side_joined():
    lines = [
        [(500, -300), (500, 0)],
        [(500, 0), (400, 300)],
        [(500, 0), (600, 300)],
        [(0, 0), (500, 0)],
        [(500, 0), (2000, 0)],
    ]
    network = build(
        lines,
        mode=["road"] * 3 + ["rail"] * 2,
        ref=["H50", "", "", "", ""],
        **{"class": ["service", "secondary", "track", "rail", "rail"]},
    )
    candidate = rail([(0, 0), (500, 0), (2000, 0)], edges=(3, 4))
    assert count_raw_hits(candidate, network) == 6
    (event,) = crossings(candidate, network)
    assert event.road_class == "secondary"
    net = gated(network, [event])
    graph = digraph(net, effects([event], regime("closed", "transit_only"), net).closed)
    south, west, east = (int(network.edges["u" if row == 0 else "v"].iat[row]) for row in range(3))
    assert east in graph
    assert west in graph
    reached = nx.descendants(graph, west)
    assert east in reached
    assert south not in reached


@pytest.mark.parametrize("end", [0, -1e-9])
def test_a_road_that_ends_at_the_line_crosses_nothing(end):
    assert crossings(rail(LINE), build([[(500, -300), (500, end)]])) == []


def test_roads_that_join_the_routes_own_road_cross_it_only_if_they_go_on():
    own = [[(0, 0), (500, 0)], [(500, 0), (1000, 0)]]
    side = [[(500, 0), (500, 300)]]
    across = [*side, [(500, -300), (500, 0)]]
    route = rail([(0, 0), (500, 0), (1000, 0)], mode="road", edges=(0, 1), status="open")
    assert crossings(route, build(own + side)) == []
    (event,) = crossings(route, build(own + across))
    assert event.joins
    assert event.edges == (2, 3)
    shared = [e for e in all_met(route, build(own + across)) if e.kind == "same_line"]
    assert not set(event.edges) & {edge for e in shared for edge in e.edges}, "an edge counts once"


def test_a_closed_road_is_not_met_and_a_country_narrows():
    lines = [[(500, -300), (500, 300)], [(900, -300), (900, 300)]]
    network = build(lines, status=["open", "construction"], country=["AA", "AA"])
    assert len(crossings(rail(LINE), network)) == 1
    assert [e for e in all_met(rail(LINE), network, "BB") if e.kind == "crossing"] == []


@pytest.mark.parametrize(("count", "events"), [(2, 0), (3, 1)])
def test_a_schematic_line_that_wavers_about_a_road_crosses_it_if_the_number_is_odd(count, events):
    xy = [(100 * i, 40 * (-1) ** i) for i in range(count + 1)]
    road = [[(-500, 1), (1500, 1)]]
    found = crossings(rail(xy, quality="schematic"), build(road))
    assert len(found) == events
    assert len(crossings(rail(xy), build(road))) == count


def test_the_table_of_events_has_the_columns_of_the_file():
    frame = events_frame(all_met(rail(LINE), build([[(500, -300), (500, 300)]])), decisive={"c:1"})
    wanted = {"candidate_id", "kind", "separation", "road_class", "road_ref", "country", "chainage_km", "decisive"}
    assert wanted <= set(frame.columns)
    assert frame["decisive"].tolist() == [True]
    assert str(frame.crs) == "EPSG:4326"


def test_no_events_give_an_empty_table():
    assert len(events_frame([])) == 0


def test_a_network_of_sections_alone_knows_no_local_roads():
    assert supports_local_crossings(build([LINE]))
    assert not supports_local_crossings(build([LINE], section_id=["m2"]))


def _side(a, b, p):
    return np.sign((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]))


def _crosses(a, b, p, q):
    """Whether segment pq crosses ab; None if rounding decides: an end within the tolerance, or nearly along it."""
    along = np.subtract(b, a) / np.hypot(*np.subtract(b, a))
    offsets = [along[0] * (y - a[1]) - along[1] * (x - a[0]) for x, y in (p, q)]
    steepness = abs(offsets[1] - offsets[0]) / np.hypot(*np.subtract(q, p))
    if min(map(abs, offsets)) <= 1.01 * END_M or steepness <= 1.01 * ON_LINE_M / PROBE_M:
        return None
    return bool(_side(a, b, p) * _side(a, b, q) < 0 and _side(p, q, a) * _side(p, q, b) < 0)


@given(seed=st.integers(0, 10_000))
@example(seed=1009)
@example(seed=2009)
@settings(max_examples=40)
def test_crossings_of_straight_lines_are_those_that_orientation_tells(seed):
    """Oracle: two segments cross if each has the other's ends on its two sides (roads far apart: nothing merges)."""
    rng = np.random.default_rng(seed)
    a, b = np.array([0.0, 0.0]), np.array([5000.0, rng.uniform(-500, 500)])
    lines = []
    for slot in range(8):
        start = np.array([600 * slot + rng.uniform(100, 200), rng.uniform(-900, 900)])
        lines.append([tuple(start), tuple(np.add(start, [rng.uniform(-90, 90), rng.uniform(-900, 900)]))])
    told = [_crosses(a, b, p, q) for p, q in lines]
    found = {edge for event in crossings(rail([tuple(a), tuple(b)]), build(lines)) for edge in event.edges}
    certain = {row for row, crosses in enumerate(told) if crosses}
    unsure = {row for row, crosses in enumerate(told) if crosses is None}
    assert certain <= found <= certain | unsure


@pytest.mark.parametrize(("end_m", "count"), [(0.05, 0), (0.02, 0), (-0.02, 0), (-0.028, 0), (-0.032, 1), (-0.05, 1)])
def test_a_road_crosses_if_it_goes_on_beyond_the_tolerance(end_m, count):
    assert abs(abs(end_m) - END_M) > 1e-3
    assert len(crossings(rail(LINE), build([[(500, 300), (500, end_m)]]))) == count


CROSS = [(-400.0, 420.0), (2000.0, 500.0)]


def _told(events, total_km=None):
    """What readers are told of crossings, to the nearest centimetre; from the other end if its chainage is given."""
    rows = [(e.chainage_km if total_km is None else total_km - e.chainage_km, e) for e in events]
    rows.sort(key=lambda row: row[0])
    return pytest.approx([km for km, _ in rows], abs=2e-5), [(e.road_class, e.road_ref, e.separation) for _, e in rows]


@given(seed=st.integers(0, 10_000))
@example(seed=1009)  # a road is cut a centimetre short of where it crosses
@settings(max_examples=25)
def test_splitting_roads_changes_no_crossing_and_no_reach(seed):
    lines, columns = street_grid(seed)
    pieces, piece_columns = split_lines(lines, columns, seed)
    whole, parts = build(lines, **columns), build(pieces, **piece_columns)
    one, two = crossings(rail(CROSS), whole), crossings(rail(CROSS), parts)
    assert [e.chainage_km for e in one] == _told(two)[0]
    assert _told(one)[1] == _told(two)[1]
    corners = {tuple(np.round(point, 6)) for line in lines for point in lonlat(line)}
    assert _reach(whole, one, corners) == _reach(parts, two, corners)


def _reach(network, events, corners):
    """The corners (lon, lat) by who reaches whom once every crossing at grade is cut."""
    net = gated(network, events)
    graph = digraph(net, effects(events, regime("closed", "transit_only"), net).closed)
    at = {}
    for node, point in enumerate(np.round(np.column_stack([network.node_lon, network.node_lat]), 6)):
        at[tuple(point)] = node
    parts = nx.strongly_connected_components(graph)
    return {frozenset(corner for corner in corners if at[corner] in part) for part in parts} - {frozenset()}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_reversing_the_candidate_mirrors_its_crossings_and_changes_no_reach(seed):
    lines, network = streets(seed)
    there, back = rail(CROSS), turned(rail(CROSS))
    one, two = crossings(there, network), crossings(back, network)
    assert sorted(there.drawn_km - e.chainage_km for e in two) == _told(one)[0]
    assert _told(one)[1] == _told(two, there.drawn_km)[1]
    assert sorted(e.edges for e in one) == sorted(e.edges for e in two)
    corners = {tuple(np.round(point, 6)) for line in lines for point in lonlat(line)}
    assert _reach(network, one, corners) == _reach(network, two, corners)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_harder_rules_never_help_and_free_changes_nothing(seed):
    _, network = streets(seed)
    events = crossings(rail(CROSS), network)
    net = gated(network, events)
    free = effects(events, regime("free"), net)
    assert not free.closed.any()
    assert not free.delay_min.any()
    some = effects(events, regime("grade_separated", min_class="secondary"), net).closed
    every = effects(events, regime("closed", "transit_only"), net).closed
    assert (some <= every).all()
    lesser = {"residential", "track"}
    assert some.sum() == sum(
        len(net.gates[e.event_id]) for e in events if e.road_class in lesser and e.separation != "separated"
    )
    assert every.any() == any(e.kind == "crossing" and e.separation == "at_grade_assumed" for e in events)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_a_gate_is_passed_once(seed):
    """Gates alone change no time; slowed, a way costs the minutes once for each crossing that it makes."""
    _, network = streets(seed)
    events = crossings(rail(CROSS), network)
    net = gated(network, events)
    slowed = effects(events, regime("gated", minutes=1000.0), net).delay_min
    bare = nx.single_source_dijkstra_path_length(
        digraph(network, np.zeros(len(network.edges), bool)), 0, weight="minutes"
    )
    open_ = nx.single_source_dijkstra_path_length(digraph(net, np.zeros(len(net.edges), bool)), 0, weight="minutes")
    late = nx.single_source_dijkstra_path_length(
        digraph(net, np.zeros(len(net.edges), bool), slowed), 0, weight="minutes"
    )
    for node in range(network.n_nodes):
        assert open_[node] == pytest.approx(bare[node], abs=1e-9)
        crossed = (late[node] - bare[node]) / 1000
        assert crossed >= -1e-9
        assert abs(crossed - round(crossed)) < 0.05, "whole crossings only: driving here takes a few minutes at most"


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_a_mirrored_country_has_mirrored_crossings(seed):
    lines, columns = street_grid(seed)
    mirrored = [[(-x, y) for x, y in line] for line in lines]
    here = crossings(rail(CROSS), build(lines, **columns))
    there = crossings(rail([(-x, y) for x, y in CROSS]), build(mirrored, **columns))
    assert [e.chainage_km for e in here] == _told(there)[0]
    assert _told(here)[1] == _told(there)[1]
    assert [e.edges for e in here] == [e.edges for e in there]
