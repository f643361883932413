"""Decisive crossings: a hand-made case with two bridges, and a brute-force oracle on random streets."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.interactions.events import events_frame
from corridor.interactions.findings import Names, describe_pair
from corridor.interactions.regime_effects import ConnectivityTargets, effects, find_critical_crossings
from corridor.network.graph import Network, Position
from corridor.report.i18n import render
from corridor.schema.vocabulary import Owner, Separation
from tests.interactions.roads import build, crossings, digraph, gated, rail, regime, street_grid

SEALED = regime("closed", "transit_only")
LINE = [(0, 0), (3000, 0)]


def _stakes(net, crossing=0, capital=1, places=()):
    """Stakes at the middle of ungated rows."""
    at = [Position(row, 0.5, 0.0, 0.0, 0.0) for row in (crossing, capital)]
    found = {f"p{row}": Position(row, 0.5, 0.0, 0.0, 0.0) for row in places}
    return ConnectivityTargets(net, np.zeros(len(net.edges), dtype=bool), at[0], at[1], found)


def _town(bridges):
    """South road, north road, and one way across the line for each flag."""
    lines = [[(0, -300), (3000, -300)], [(0, 300), (3000, 300)]]
    across = [[(0, -300), (0, 300)], [(3000, -300), (3000, 300)]][: len(bridges)]
    return build(lines + across, bridge=[False, False, *bridges], ref=["S", "N", "M2", "M17"][: 2 + len(bridges)])


def _decide(bridges, rule=SEALED):
    network = _town(bridges)
    events = crossings(rail([(-100, 0), (3100, 0)]), network)
    net = gated(network, events)
    return events, find_critical_crossings(events, rule, _stakes(net, 0, 1, places=(1,)))


def test_the_only_bridge_decides():
    events, (found,) = _decide([True])
    assert found.event_id == events[0].event_id
    assert found.flipped_to == Separation.AT_GRADE
    assert found.linked_as_assumed
    assert not found.linked_if_flipped
    assert found.places_lost == ("p1",)
    assert found.places_regained == ()


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_a_place_at_a_junction_lies_on_every_road_that_meets_there(fraction):
    """The capital lies on the second of three roads in a row, which is closed: at either end another leads to it."""
    net = gated(build([[(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(0, 0), (0, 900), (2000, 900), (2000, 0)]]), [])
    closed = np.arange(3) == 1
    stakes = replace(
        _stakes(net, 0, 1), capital=Position(1, fraction, 0, 0, 0), places={"p": Position(1, fraction, 0, 0, 0)}
    )
    is_junction = fraction in (0.0, 1.0)
    for crossing in (Position(0, 0.5, 0, 0, 0), Position(1, fraction, 0, 0, 0)):
        asked = replace(stakes, crossing=crossing, capital=stakes.capital if crossing.edge == 0 else crossing)
        assert asked.linked(closed) == (is_junction, frozenset({"p"} if is_junction else ()))
    # from the closed road's end to a place on an open one
    turned = replace(stakes, crossing=stakes.capital, capital=Position(2, 0.5, 0, 0, 0), places={})
    assert turned.linked(closed)[0] == is_junction


def test_a_bridge_for_cars_alone_decides_for_people_and_not_for_goods():
    """Of two bridges one is shut to lorries: goods need the other, people have either."""
    network = _town([True, True])
    edges = network.edges.assign(truck_access=["yes", "yes", "no", "yes"])
    events = crossings(rail([(-100, 0), (3100, 0)]), network)
    net = gated(Network(edges, network.node_lon, network.node_lat), events)
    goods, people = (
        replace(_stakes(net, 0, 1, places=(1,)), closed=net.closed("road", access=access), access=access)
        for access in ("truck_access", "car_access")
    )
    both = replace(goods, by_car=people)
    for stakes in (both, both.watching(events)):
        (found,) = find_critical_crossings(events, SEALED, stakes)
        assert (found.linked_as_assumed, found.linked_if_flipped) == (True, False)
        assert found.places_lost == found.places_regained == ()
    (mixed,) = find_critical_crossings(events, SEALED, goods)
    assert mixed.places_lost == ("p1",)


def test_one_of_two_bridges_decides_nothing():
    assert _decide([True, True])[1] == []


def test_a_bridge_beside_a_level_crossing_decides_alone():
    _, (found,) = _decide([True, False])
    assert (found.flipped_to, found.linked_if_flipped) == (Separation.AT_GRADE, False)


def test_without_any_bridge_each_crossing_would_do():
    _, found = _decide([False, False])
    assert [(d.flipped_to, d.linked_as_assumed, d.linked_if_flipped) for d in found] == [("separated", False, True)] * 2
    assert all(d.places_regained == ("p1",) for d in found)


@pytest.mark.parametrize("rule", ["free", "gated"])
def test_regimes_that_cut_nothing_have_no_decisive_crossing(rule):
    assert _decide([True], regime(rule))[1] == []


def test_grade_separation_of_a_class_takes_its_bridges_out_of_question():
    network = build(
        [[(0, -300), (3000, -300)], [(0, 300), (3000, 300)], [(0, -300), (0, 300)]],
        bridge=[False, False, True],
        **{"class": ["trunk"] * 3},
    )
    events = crossings(rail([(-100, 0), (3100, 0)]), network)
    stakes = _stakes(gated(network, events))
    assert find_critical_crossings(events, regime("grade_separated", min_class="secondary"), stakes) == []
    assert len(find_critical_crossings(events, regime("grade_separated", min_class="motorway"), stakes)) == 1


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_decisive_crossings_are_those_that_a_search_with_each_turned_over_finds(seed):
    """Oracle: every crossing's kind is turned over in the events themselves and networkx is asked again."""
    lines, columns = street_grid(seed)
    columns["oneway"] = (np.random.default_rng(seed).random(len(lines)) < 0.15).astype(int).tolist()
    network = build(lines, **columns)
    events = crossings(rail([(-400.0, 420.0), (2000.0, 500.0)]), network)
    net = gated(network, events)
    places = tuple(range(0, len(lines), 3))
    stakes = _stakes(net, 0, len(lines) - 1, places)
    decided = find_critical_crossings(events, SEALED, stakes)
    assert find_critical_crossings(events, SEALED, stakes.watching(events)) == decided
    found = {d.event_id: d for d in decided}
    before = _oracle(net, events, stakes)
    for event in events:
        kind = "separated" if event.separation == "at_grade_assumed" else "at_grade_assumed"
        after = _oracle(net, [replace(e, separation=kind) if e is event else e for e in events], stakes)
        if before == after:
            assert event.event_id not in found
            continue
        told = found[event.event_id]
        assert (told.linked_as_assumed, told.linked_if_flipped) == (before[0], after[0])
        assert (set(told.places_lost), set(told.places_regained)) == (before[1] - after[1], after[1] - before[1])


def _oracle(net, events, stakes):
    """Whether the capital, and which places, are on a way there and back: by middles of edges as nodes of their own."""
    closed = effects(events, SEALED, net).closed
    graph = digraph(net, closed)
    for name, at in [("crossing", stakes.crossing), ("capital", stakes.capital), *stakes.places.items()]:
        edge = net.edges.iloc[at.edge]
        graph.add_edge(edge["u"], name)
        graph.add_edge(name, edge["v"])
        if not edge["oneway"]:
            graph.add_edge(edge["v"], name)
            graph.add_edge(name, edge["u"])
    both = nx.descendants(graph, "crossing") & nx.ancestors(graph, "crossing") | {"crossing"}
    crossing_edge = stakes.crossing.edge
    linked = "capital" in both or stakes.capital.edge == crossing_edge
    return linked, {n for n, at in stakes.places.items() if n in both or at.edge == crossing_edge}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_more_bridges_never_lose_a_place(seed):
    lines, columns = street_grid(seed)
    few, many = build(lines, **columns), build(lines, **(columns | {"bridge": [True] * len(lines)}))
    reached = []
    for network in (few, many):
        events = crossings(rail([(-400.0, 420.0), (2000.0, 500.0)]), network)
        net = gated(network, events)
        reached.append(_stakes(net, 0, 1, range(len(lines))).linked(effects(events, SEALED, net).closed))
    assert reached[0][1] <= reached[1][1]
    assert reached[0][0] <= reached[1][0]


NAMES = Names("Gate", "Capital", "AA", "Alpha", None, True)


def _say(bridges, rule=SEALED):
    network = _town(bridges)
    events = crossings(rail([(-100, 0), (3100, 0)]), network)
    stakes = _stakes(gated(network, events), 0, 1, places=(1,))
    candidate = rail([(-100, 0), (3100, 0)])
    decided = find_critical_crossings(events, rule, stakes)
    linked, _ = stakes.linked(effects(events, rule, stakes.network).closed)
    return describe_pair(candidate, rule, events, linked, decided, NAMES, 1)


def _words(bridges, rule=SEALED):
    return render(_say(bridges, rule).message)


def test_the_sentence_names_the_bridge_that_decides():
    found = _say([True])
    assert render(found.message) == (
        "With the route closed to others and crossed on the level, the road between Gate and Capital stays open "
        "because M2 passes over the route on a 600 m bridge; if that were on the level or fenced, Capital would "
        "lose the crossing, and so would 1 of 1 places near a road."
    )
    assert found.evidence == ("regime:closed-transit-only", "none", "c:1")


def test_the_sentence_names_the_crossings_that_would_help():
    text = _words([False, False])
    assert "is lost" in text
    assert "at any one of the crossings of M2 or M17 would keep it open" in text


def test_the_sentence_says_when_nothing_single_decides():
    assert "no single crossing decides that" in _words([True, True])


def test_the_sentence_on_checks_gives_their_range():
    text = _words([False], regime("gated", minutes=10.0))
    assert "assumed checks of 10 min (5 to 20) at a crossing, for 1 crossing assumed to be on the level" in text
    assert _words([False], regime("free")).startswith(
        "Nothing is closed or slowed at 1 crossing assumed to be on the level"
    )


def test_the_sentence_on_a_route_elsewhere_claims_no_more():
    route = rail(LINE, country="BB")
    assert render(describe_pair(route, SEALED, [], True, [], NAMES, 1).message) == (
        "It doesn't run through Alpha, where the road between Gate and Capital stays as it is."
    )


@pytest.mark.parametrize("name", ["Tunnel Road", "Under the Bridge Lane", "of the route, 5 m"])
@pytest.mark.parametrize(
    ("flag", "clause"),
    [("bridge", "over the route on a 600 m bridge"), ("tunnel", "under the route in a 600 m tunnel")],
)
def test_a_road_s_structure_is_told_by_what_it_is_and_not_by_the_road_s_name(name, flag, clause):
    lines = [[(0, -300), (3000, -300)], [(0, 300), (3000, 300)], [(0, -300), (0, 300)]]
    network = build(lines, name=["S", "N", name], **{flag: [False, False, True]})
    route = rail([(-100, 0), (3100, 0)])
    events = crossings(route, network)
    stakes = _stakes(gated(network, events), 0, 1, places=(1,))
    decided = find_critical_crossings(events, SEALED, stakes)
    found = describe_pair(route, SEALED, events, True, decided, NAMES, 1)
    assert f"because {name} passes {clause};" in render(found.message)
    assert (found.facts.structure.kind, found.facts.structure.owner) == (flag, Owner.ROAD)


def test_a_structure_of_the_route_itself_is_told_as_the_route_s_whatever_its_name():
    lines = [[(0, -300), (3000, -300)], [(0, 300), (3000, 300)], [(0, -300), (0, 300)]]
    network = build(lines, ref=["S", "N", "M2"])
    route = rail([(-100, 0), (3100, 0)], spans=[("bridge", 50, 130)])
    events = crossings(route, network)
    stakes = _stakes(gated(network, events), 0, 1, places=(1,))
    decided = find_critical_crossings(events, SEALED, stakes)
    found = describe_pair(route, SEALED, events, True, decided, NAMES, 1)
    assert "because the route passes M2 on an 80 m structure of its own;" in render(found.message)
    assert render(events_frame(events)["structure"].iloc[0]) == "bridge of the route, 80 m"
