"""Best ways against all ways that there are, and the laws of cutting and adding links."""

from __future__ import annotations

import itertools
import math
import random
import tempfile
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.flows.changes import Case, LinkChange
from corridor.flows.cost import build_prices
from corridor.flows.model import FlowModel, WayAsked
from corridor.flows.network import DOOR, FlowNetwork, links_in_use
from corridor.flows.states import NetworkState
from corridor.flows.tables import load_tables
from corridor.schema.catalogue import Estimate
from tests.flows import toy

NODES = "abcdef"


@st.composite
def graphs(draw):
    """Roads between six cities in two countries, borders with hours and percentiles of their own."""
    pairs = list(itertools.combinations(NODES, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=3, max_size=9, unique=True))
    return [(a, b, draw(st.integers(1, 60)), draw(st.integers(1, 40))) for a, b in chosen]


def _tables(folder, graph):
    """Every second city lies in BB; a border has as many hours on each side as drawn."""
    country = {name: "AB"[at % 2] * 2 for at, name in enumerate(NODES)}
    links, borders = [], []
    for a, b, km, hours in graph:
        countries = list(dict.fromkeys((country[a], country[b])))
        links.append(toy.link(a, b, km, countries=";".join(countries)))
        if len(countries) > 1:
            borders += [toy.border(f"{a}-{b}", side, hours, hours_p95=hours * 1.5) for side in countries]
    nodes = [toy.node(name, country[name]) for name in NODES]
    return toy.tables_of(Path(folder), nodes, links, border_points=borders)


def _arcs(network):
    """Passages and transfers that are open, first and last legs aside."""
    arcs, doors = network._arcs, network._arcs.doors
    for (_, system), place in network._priced.places.items():
        if system != DOOR:
            at = range(*arcs.first[place:][:2])
            yield from (network._arc(i) for i in at if network._passable[i] and arcs.head[i] < doors)


def _all_ways(network, origin, destination):
    """Cost of every way without a loop, straight from the formula."""
    graph = nx.Graph()
    charges = {}
    for arc in _arcs(network):
        graph.add_edge(arc.tail[0], arc.head[0])
        charges[(arc.tail[0], arc.head[0])] = arc.charge
    if origin not in graph or destination not in graph:
        return []
    costs = []
    for way in nx.all_simple_paths(graph, origin, destination):
        steps = [charges[pair] for pair in itertools.pairwise(way)]
        spread = math.sqrt(sum(usd**2 for step in steps for usd in step.delay_usd))
        costs.append(sum(step.certain_usd for step in steps) + spread)
    return sorted(costs)


@settings(max_examples=60)
@given(graphs())
def test_the_best_way_is_the_least_of_all_ways(graph):
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(folder, graph)
    network = FlowNetwork(tables, tables.links, build_prices(tables, "mid"))
    reached = dict(zip(tables.nodes, network.costs_from("a")[0], strict=True))
    for goal in NODES[1:]:
        costs = _all_ways(network, "a", goal)
        found = network.best_way("a", goal)
        if not costs:
            assert found is None
            assert reached[goal] == math.inf
            continue
        assert found is not None
        assert found.cost_usd == pytest.approx(costs[0], rel=1e-12)
        assert reached[goal] == pytest.approx(costs[0], rel=1e-12)


@settings(max_examples=40)
@given(graphs())
def test_correlated_delays_add_up_as_a_shortest_path_does(graph):
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(folder, graph)
    network = FlowNetwork(tables, tables.links, build_prices(tables, "high"))
    oracle = nx.DiGraph()
    for arc in _arcs(network):
        oracle.add_edge(arc.tail[0], arc.head[0], usd=arc.charge.certain_usd + sum(arc.charge.delay_usd))
    for goal in NODES[1:]:
        found = network.best_way("a", goal)
        if "a" not in oracle or goal not in oracle or not nx.has_path(oracle, "a", goal):
            assert found is None
            continue
        assert found is not None
        assert found.cost_usd == pytest.approx(nx.dijkstra_path_length(oracle, "a", goal, "usd"), rel=1e-12)


@settings(max_examples=25)
@given(graphs(), st.data())
def test_cutting_a_link_never_makes_the_best_way_cheaper(graph, data):
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(folder, graph)
    cut = data.draw(st.sampled_from(sorted(tables.links)))
    for end in ("low", "mid", "high"):
        network = FlowNetwork(tables, tables.links, build_prices(tables, end))
        less = FlowNetwork(tables, set(tables.links) - {cut}, build_prices(tables, end))
        for goal in NODES[1:]:
            whole, rest = network.best_way("a", goal), less.best_way("a", goal)
            without = network.best_way("a", goal, without=(cut,))
            assert (rest is None) == (without is None)
            if rest is not None:
                assert without is not None
                assert whole is not None
                assert rest.cost_usd == pytest.approx(without.cost_usd)
                assert whole.cost_usd <= rest.cost_usd + 1e-9


@settings(max_examples=30)
@given(graphs())
def test_the_low_end_is_never_above_the_middle_nor_the_middle_above_the_high_end(graph):
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(folder, graph)
    networks = [FlowNetwork(tables, tables.links, build_prices(tables, end)) for end in ("low", "mid", "high")]
    for goal in NODES[1:]:
        ways = [network.best_way("a", goal) for network in networks]
        if ways[0] is not None:
            low, mid, high = (way.cost_usd for way in ways if way is not None)
            assert low <= mid + 1e-9
            assert mid <= high + 1e-9


def _square(tmp_path, **other):
    # a-b-d is 20 km shorter than a-c-d
    nodes = [toy.node(name) for name in "abcd"]
    links = [toy.link("a", "b", 50), toy.link("b", "d", 50), toy.link("a", "c", 60), toy.link("c", "d", 60)]
    return toy.tables_of(tmp_path, nodes, links, [("a", "d")], **other)


def test_a_way_passes_the_nodes_and_links_it_is_told_to(tmp_path):
    tables = _square(tmp_path)
    network = FlowNetwork(tables, tables.links, build_prices(tables, "mid"))
    assert network.best_way("a", "d").nodes == ("a", "b", "d")
    assert network.best_way("a", "d", via=("c",)).nodes == ("a", "c", "d")
    assert network.best_way("a", "d", via=("c-d",)).nodes == ("a", "c", "d")
    # back to where it came from, if it is told to
    assert network.best_way("a", "d", via=("c", "b")).nodes == ("a", "c", "a", "b", "d")
    assert network.best_way("a", "d", via=("b", "c-d"), without=("a-c",)).nodes == ("a", "b", "d", "c", "d")


def test_a_change_of_gauge_needs_a_transfer(tmp_path):
    nodes = [toy.node(name) for name in "abc"]
    links = [toy.link("a", "b", 50, "broad", "rail", gauge_mm=1520), toy.link("b", "c", 50, "standard", "rail")]
    rails = {"origin": "a", "destination": "c"}
    del rails
    without = toy.tables_of(tmp_path / "without", nodes, links)
    assert FlowNetwork(without, without.links, build_prices(without, "mid")).best_way("a", "c") is None
    change = {
        "node_id": "b",
        "from_system": "rail-1520",
        "to_system": "rail-1435",
        **toy.ends("hours", 5),
        **toy.ends("price_usd", 80),
    }
    tables = toy.tables_of(tmp_path / "with", nodes, links, transfers=[change])
    way = FlowNetwork(tables, tables.links, build_prices(tables, "mid")).best_way("a", "c")
    assert way.total("transfer_usd") == pytest.approx(80 + 2 * 100)  # the change, and a terminal at each end
    assert way.total("transfer_h") == pytest.approx(5 + 2 * 10)
    assert way.link_ids == ("broad", "standard")


@pytest.mark.parametrize(
    ("works", "years"),
    [("early", {2026: 0, 2031: 1, 2032: 1, 2035: 1}), ("documented", {2031: 0, 2032: 1, 2035: 1}),
     ("late", {2032: 0, 2034: 0, 2035: 1}), ("none", {2035: 0, 2100: 0})],
)  # fmt: skip
def test_works_end_when_the_scenario_says(tmp_path, works, years):
    scenario = {"scenario_id": "s", "name": "S", "works": works}
    tables = load_tables(toy.alps(tmp_path, scenarios=[scenario]))
    for year, built in years.items():
        assert ("base-tunnel" in links_in_use(tables, year, tables.scenarios["s"])) == bool(built)


def test_a_scenario_opens_and_shuts_links_by_name(tmp_path):
    scenario = {
        "scenario_id": "s",
        "name": "S",
        "works": "none",
        "opened_links": "base-tunnel",
        "closed_links": "rail-south",
    }
    tables = load_tables(toy.alps(tmp_path, scenarios=[scenario]))
    found = links_in_use(tables, 2026, tables.scenarios["s"])
    assert "base-tunnel" in found
    assert "rail-south" not in found


def test_a_candidates_own_links_are_there_with_it_and_never_without(tmp_path):
    model = FlowModel(load_tables(toy.alps(tmp_path)))
    case = Case("tunnel", "", (LinkChange("base-tunnel", opens=True),))
    for year, built in ((2026, False), (2040, True)):
        assert ("base-tunnel" in model.state(year, case).links) == built
        assert "base-tunnel" not in model.state(year, case, built=False).links
    early = Case("tunnel", "", (LinkChange("base-tunnel", opens=True, opens_year=2026),))
    assert "base-tunnel" in model.state(2026, early).links


def test_a_candidate_doesnt_shut_until_its_own_year_what_a_scenario_has_opened(tmp_path):
    scenario = {"scenario_id": "s", "name": "S", "works": "documented", "opened_links": "base-tunnel"}
    model = FlowModel(load_tables(toy.alps(tmp_path, scenarios=[scenario])))
    case = Case("tunnel", "", (LinkChange("base-tunnel", opens=True),))
    for year in (2026, 2040):
        assert model.state(year, case).links >= model.state(year).links
        assert "base-tunnel" not in model.state(year, case, built=False).links


def test_a_change_that_touches_no_link_changes_nothing(tmp_path):
    model = FlowModel(load_tables(toy.alps(tmp_path)))
    state, before = model.state(2040, Case("nothing")), model.state(2040, Case("nothing"), built=False)
    assert state == before
    pair = model.tables.pairs[0]
    assert model.pair(pair, state).logsum_usd == model.pair(pair, before).logsum_usd


def test_minutes_at_a_gate_cost_their_value_of_time(tmp_path):
    model = FlowModel(load_tables(toy.alps(tmp_path)))
    pair = model.tables.pairs[0]
    gate = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.5)),))
    now, then = model.pair(pair, model.state(2026, gate)), model.pair(pair, model.state(2026))
    by = {a.branch.branch_id: a.cost_usd - b.cost_usd for a, b in zip(now.branches, then.branches, strict=True)}
    assert by["brenner"] == pytest.approx(0.5 * 20)
    assert by["tauern"] == 0.0
    assert 0 < now.logsum_usd - then.logsum_usd < 0.5 * 20


def test_path_sizes_are_the_same_in_every_year_and_case(tmp_path):
    model = FlowModel(load_tables(toy.alps(tmp_path)))
    pair = model.tables.pairs[0]
    for year, case in (
        (2026, Case()),
        (2040, Case()),
        (2026, Case("cut", "", (LinkChange("rail-south", closes=True),))),
    ):
        result = model.pair(pair, model.state(year, case))
        assert [b.path_size for b in result.branches] == [1.0, 1.0, 1.0]
        assert sum(b.share for b in result.branches) == pytest.approx(1.0)


def test_a_truck_waits_for_the_ferry_it_drives_to(tmp_path):
    nodes = [toy.node(name) for name in "abc"]
    links = [toy.link("a", "b", 50), toy.link("b", "c", 100, "ship", "ferry")]
    wait = {
        "node_id": "b",
        "from_system": "road",
        "to_system": "ferry",
        **toy.ends("hours", 24),
        **toy.ends("price_usd", 0),
    }
    tables = toy.tables_of(tmp_path, nodes, links, transfers=[wait])
    network = FlowNetwork(tables, tables.links, build_prices(tables, "mid"))
    assert network.best_way("b", "c").total("transfer_h") == pytest.approx(24)
    assert network.best_way("a", "c").total("transfer_h") == pytest.approx(24)


@pytest.mark.parametrize(("hours", "usd"), [(0, 280), (20, 280 + 20 * 20), (100, 280 + 100 * 20)])
def test_a_port_whose_only_road_is_slow_or_shut_boards_nobody_sooner(tmp_path, hours, usd):
    """200 km by road and 20 h of ferry with 40 h of waiting at each end: at 20 USD an hour and 1 a km."""
    wait = {"from_system": "road", "to_system": "ferry", **toy.ends("hours", 40), **toy.ends("price_usd", 0)}
    tables = toy.tables_of(
        tmp_path,
        [toy.node(name, people_k=1, lon=10 + at) for at, name in enumerate("axb")],
        [toy.link("a", "x", 100), toy.link("x", "b", 100), toy.link("a", "b", 1000, "ship", "ferry")],
        [("a", "b")],
        transfers=[{"node_id": port, **wait} for port in "ab"],
    )
    gate, shut = (LinkChange("a-x", extra_h=toy.exactly(hours)),), (LinkChange("a-x", closes=True),)
    model = FlowModel(tables)
    by_ship = 1000 + 20 * 20 + math.sqrt(2) * 40 * 20 + 2 * 40 * 20
    for changes, cost in ((gate, min(usd, by_ship)), (shut, by_ship)):
        state = model.state(2026, Case("x", "", changes))
        (way,) = model.ways(state, [WayAsked(("a", "b"))])
        assert way.cost_usd == pytest.approx(cost)
        assert model.reach(state, ["a"], ("b",))[0, 0] == pytest.approx(cost)
    assert model.best_cost(tables.pairs[0], model.state(2026), without=("a-x",))[0] == pytest.approx(by_ship)


@pytest.mark.parametrize("asked_before", [False, True])
def test_who_drives_from_the_station_needs_a_road_there(tmp_path, asked_before):
    """50 km by rail from a terminal (100 USD) to a truck that is there for nothing, or else to another terminal."""
    change = {"from_system": "rail-1435", "to_system": "road", **toy.ends("hours", 0), **toy.ends("price_usd", 0)}
    tables = toy.tables_of(
        tmp_path,
        [toy.node(name) for name in "abc"],
        [toy.link("a", "b", 50, "line", "rail"), toy.link("b", "c", 30)],
        [("a", "b")],
        transfers=[{"node_id": "b", **change}],
    )
    model = FlowModel(tables)
    if asked_before:
        model.ways(model.state(2026), [WayAsked(("a", "b"))])
        model.reach(model.state(2026), ["a"], ("b",))
    slow, shut = LinkChange("b-c", extra_h=toy.exactly(9)), LinkChange("b-c", closes=True)
    for change_of_road, cost in ((slow, 150), (shut, 250)):
        state = model.state(2026, Case("x", "", (change_of_road,)))
        (way,) = model.ways(state, [WayAsked(("a", "b"))])
        assert way.cost_usd == pytest.approx(cost)
        assert model.reach(state, ["a"], ("b",))[0, 0] == pytest.approx(cost)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_kept_holds_with_railways_ships_and_changes_of_vehicle(tmp_path, seed):
    """Random networks, of which links are shut and slowed: the kept ways cost what a search on that state finds."""
    draw, systems, links = random.Random(seed), {name: set() for name in NODES}, []
    for number in range(9):
        a, b = draw.sample(NODES, 2)
        mode, gauge = draw.choice(["road", "road", "rail", "ferry", "sea"]), draw.choice([1435, 1520])
        cells = {"gauge_mm": gauge} if mode == "rail" else {}
        links.append(toy.link(a, b, draw.randint(20, 400), f"{mode}-{number}", mode, **cells))
        for end in (a, b):
            systems[end].add(f"rail-{gauge}" if mode == "rail" else mode)
    changes = [
        {"node_id": name, "from_system": a, "to_system": b, **toy.ends("hours", 9), **toy.ends("price_usd", 30)}
        for name in NODES
        for a, b in itertools.combinations(sorted(systems[name]), 2)
    ]
    tables = toy.tables_of(tmp_path, [toy.node(name) for name in NODES], links, transfers=changes)
    model, pairs = FlowModel(tables), list(itertools.combinations(NODES, 2))
    for _ in range(12):
        slowed = draw.sample(sorted(tables.links), draw.randint(0, 2))
        changed = [LinkChange(key, extra_h=toy.exactly(draw.choice([1, 40]))) for key in slowed]
        changed += [LinkChange(key, closes=True) for key in draw.sample(sorted(tables.links), draw.randint(0, 4))]
        state = model.state(2026, Case("x", "", tuple(changed)))
        kept, network = model.ways(state, [WayAsked(pair) for pair in pairs]), model.network(state)
        found = [network.best_way(*pair) for pair in pairs]
        assert [way and way.cost_usd for way in kept] == pytest.approx([way and way.cost_usd for way in found])
        plain, _ = network.costs_from("a")
        assert model.reach(state, ["a"], tuple(tables.nodes))[0] == pytest.approx(plain)


@settings(max_examples=25)
@given(graphs(), st.data())
def test_what_is_kept_of_a_better_state_is_what_would_be_found(graph, data):
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(folder, graph)
    links = sorted(tables.links)
    delays = data.draw(st.dictionaries(st.sampled_from(links), st.sampled_from([0.5, 30.0]), max_size=2))
    shut = data.draw(st.sets(st.sampled_from(links)))
    whole = NetworkState(frozenset(links))
    hours = {i: h for i, h in delays.items() if i not in shut}
    # a way is asked for at the middle: what else a delay may be doesn't touch it
    worse = NetworkState(whole.links - shut, tuple(sorted((i, Estimate(0.1, h, 90.0)) for i, h in hours.items())))
    used, fresh = FlowModel(tables), FlowModel(tables)
    for goal in NODES[1:]:
        asked = [WayAsked(("a", goal))]
        used.ways(whole, asked)
        ((kept,), (found,)) = used.ways(worse, asked), fresh.ways(worse, asked)
        searched = FlowNetwork(tables, worse.links, build_prices(tables, "mid"), hours).best_way("a", goal)
        assert (kept is None) == (found is None) == (searched is None)
        if searched is not None:
            assert kept.cost_usd == pytest.approx(searched.cost_usd, rel=1e-12)
            assert found.cost_usd == pytest.approx(searched.cost_usd, rel=1e-12)
            assert kept.trip_h == pytest.approx(sum(arc.charge.drive_h + arc.charge.check_h for arc in kept.arcs))
    used.reach(whole, ["a"], tuple(tables.nodes))
    plain, _ = FlowNetwork(tables, worse.links, build_prices(tables, "mid"), hours).costs_from("a")
    for model in (used, fresh):
        assert model.reach(worse, ["a"], tuple(tables.nodes))[0] == pytest.approx(plain, rel=1e-12)
