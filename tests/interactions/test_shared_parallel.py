"""Running together: what is on the same line for certain, what lies beside, and what checks on it cost."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from corridor.interactions.regime_effects import effects, shared_stretches
from corridor.interactions.shared_parallel import find_parallel, find_shared
from tests.interactions.roads import all_met, build, gated, rail, regime

LINE = [(0, 0), (3000, 0)]


def _beside(offset=20.0, turn=0.0, start=500.0, length=1000.0, **columns):
    """A network of one road beside the line: offset at its middle, turned by some degrees."""
    half, angle = length / 2, np.radians(turn)
    dx, dy = half * np.cos(angle), half * np.sin(angle)
    middle = start + half
    return build([[(middle - dx, offset - dy), (middle + dx, offset + dy)]], **columns)


@pytest.mark.parametrize(("offset", "within"), [(10, {15, 30, 60}), (20, {30, 60}), (45, {60}), (70, set())])
def test_a_parallel_road_counts_within_each_distance(offset, within):
    network = _beside(offset)
    found = {limit: find_parallel(rail(LINE), network, limit_m=float(limit)) for limit in (15, 30, 60)}
    assert {limit for limit, events in found.items() if events} == within
    for limit in within:
        assert sum(event.length_km for event in found[limit]) == pytest.approx(1.0, abs=0.05)
    assert find_shared(rail(LINE), network) == []


@pytest.mark.parametrize(("turn", "found"), [(0, True), (1.5, True), (25, False)])
def test_only_roads_within_20_degrees_are_parallel(turn, found):
    assert bool(find_parallel(rail(LINE), _beside(0.0 if turn == 25 else 30.0, turn))) is found


@pytest.mark.parametrize(("length", "found"), [(150, False), (400, True)])
def test_runs_under_200_m_are_none(length, found):
    assert bool(find_parallel(rail(LINE), _beside(12, length=length), limit_m=15.0)) is found


def test_a_road_in_another_country_or_behind_a_barrier_is_not_beside():
    assert not find_parallel(rail(LINE), _beside(20, country=["BB"]))
    network = _beside(20)
    middle = shapely.get_coordinates(network.planar[0]).mean(axis=0)
    river = shapely.LineString(np.add(middle, [[-2000, -10], [2000, -10]]))
    assert find_parallel(rail(LINE), network)
    assert not find_parallel(rail(LINE), network, barriers=np.array([river], dtype=object))


def test_tracks_and_schematic_lines_run_beside_nothing():
    assert not find_parallel(rail(LINE), _beside(20, **{"class": ["track"]}))
    assert not find_parallel(rail(LINE, quality="schematic"), _beside(20))


def test_a_road_that_runs_beside_is_never_cut():
    network = _beside(20)
    events = all_met(rail(LINE), network)
    assert [event.kind for event in events] == ["beside"]
    net = gated(network, events)
    assert not effects(events, regime("closed", "transit_only"), net).closed.any()


OWN = [[(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(2000, 0), (3000, 0)]]


def _on_road(low=0.0, high=3000.0, edges=(0, 1, 2)):
    inner = [(x, 0) for x in (1000, 2000) if low < x < high]
    return rail([(low, 0), *inner, (high, 0)], mode="road", edges=edges, status="open")


def test_edges_in_common_are_the_same_line():
    network = build(OWN, ref=["M2", "M2", "M17"])
    events = find_shared(_on_road(), network)
    assert [(e.road_ref, e.edges) for e in events] == [("M2", (0, 1)), ("M17", (2,))]
    assert sum(e.length_km for e in events) == pytest.approx(3.0, rel=1e-3)


def test_a_section_of_a_network_of_sections_is_the_same_line():
    network = build(OWN, section_id=["a", "b", "c"])
    route = rail([(1000, 0), (2000, 0)], mode="road", section_id="b", status="open")
    (event,) = find_shared(route, network)
    assert event.edges == (1,)
    assert event.length_km == pytest.approx(1.0, rel=1e-3)


def test_railways_and_roads_not_in_use_are_shared_with_nobody():
    assert find_shared(_on_road(), build(OWN, status=["planned"] * 3)) == []
    assert find_shared(rail(LINE, edges=(0, 1, 2)), build(OWN, mode=["rail"] * 3)) == []


def test_only_the_stretch_that_the_route_takes_is_closed():
    network = build(OWN)
    events = find_shared(_on_road(500, 2250), network)
    assert events[0].portions[0] == (0, pytest.approx(0.5, abs=1e-3), 1.0)
    assert events[0].portions[-1] == (2, 0.0, pytest.approx(0.25, abs=1e-3))
    events = all_met(_on_road(500, 2250), network)
    net = gated(network, events)
    closed = effects(events, regime("closed", "transit_only"), net).closed
    shut_km = net.edges["length_m"].to_numpy()[closed].sum() / 1000
    assert shut_km == pytest.approx(1.75, rel=1e-3)
    assert net.edges["length_m"].sum() == pytest.approx(network.edges["length_m"].sum(), rel=1e-9)


def test_a_gated_stretch_costs_its_minutes_once_however_it_is_split():
    for refs in (["M2"] * 3, ["M2", "M17", "M2"]):
        network = build(OWN, ref=refs)
        events = all_met(_on_road(), network)
        net = gated(network, events)
        delay = effects(events, regime("free", "gated", minutes=30.0), net).delay_min
        assert delay.sum() == pytest.approx(30.0)
        assert effects(events, regime("free", "gated", minutes=30.0), net, end="high").delay_min.sum() == pytest.approx(
            60.0
        )
        assert len(shared_stretches(events)) == 1


def test_a_regime_acts_only_in_its_countries():
    network = build([[(500, -300), (500, 300)], [(900, -300), (900, 300)]], country=["AA", "BB"])
    events = all_met(rail([(0, 0), (2000, 0)]), network)
    net = gated(network, events)
    closed = effects(events, regime("closed", "transit_only", through=("AA",)), net).closed
    assert net.edges["country"][closed].tolist() == ["AA"]
