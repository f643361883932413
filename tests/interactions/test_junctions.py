"""A junction is a place: rings, staggered arms and nodes at a structure's end give what one node would give."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from corridor.interactions.crossings import find_rings
from corridor.interactions.regime_effects import effects
from tests.interactions.roads import build, crossings, gated, rail, regime, turned

RADIUS = 12.0


def ring_nodes(x: float, radius: float = RADIUS, pieces: int = 4) -> list[tuple[float, float]]:
    """Nodes of a ring about (x, 0), from its western end against the clock."""
    turns = np.pi + 2 * np.pi * np.arange(pieces) / pieces
    return [(x + radius * np.cos(t), radius * np.sin(t)) for t in turns]


def arc(x: float, radius: float, start: float, end: float) -> list[tuple[float, float]]:
    """A piece of a ring about (x, 0) between two angles in quarter turns, against the clock."""
    turns = np.linspace(start, end, 7) * np.pi / 2
    return [(x + radius * np.cos(t), radius * np.sin(t)) for t in turns]


def roundabout(arms: dict[str, list[tuple[float, float]]], radius: float = RADIUS):
    """A route west-east through a ring at x = 500 by its southern half, and arms at north and south.

    Lines 0 to 3 are the route's own: in, the ring's south-west and south-east quarters, out; then the ring's northern
    quarters, then the arms.
    """
    quarters = [arc(500, radius, a, a + 1) for a in (2, 3, 0, 1)]
    west, east = (500 - radius, 0), (500 + radius, 0)
    lines = [[(0, 0), west], quarters[0], quarters[1], [east, (1000, 0)], quarters[2], quarters[3], *arms.values()]
    names = ["Ridge road"] * 4 + ["", ""] + list(arms)
    network = build(lines, oneway=[0, 1, 1, 0, 1, 1] + [0] * len(arms), name=names)
    route = [*lines[0], *quarters[0][1:], *quarters[1][1:], (1000, 0)]
    return network, rail(route, mode="road", status="open", edges=(0, 1, 2, 3))


NORTH, SOUTH = [(500, RADIUS), (500, 400)], [(500, -RADIUS), (500, -400)]


@pytest.mark.parametrize("radius", [5.0, RADIUS, 45.0])
def test_a_roundabout_at_a_crossroads_is_one_crossing_that_can_be_closed(radius):
    arms = {"North lane": [(500, radius), (500, 400)], "South lane": [(500, -radius), (500, -400)]}
    network, route = roundabout(arms, radius)
    (event,) = crossings(route, network)
    assert event.separation == "at_grade_assumed"
    assert event.road_name == "South lane"
    split = gated(network, [event])
    shut = effects([event], regime("closed"), split).closed
    north, south = (np.flatnonzero(split.edges["name"].to_numpy() == name) for name in arms)
    assert not connected(split, shut, north, south)
    assert connected(split, np.zeros(len(split.edges), bool), north, south)


def connected(network, closed, ones, others) -> bool:
    """Whether the loose ends of two roads are joined over edges that aren't closed, directions apart."""
    graph = nx.Graph()
    ends = network.edges[["u", "v"]].to_numpy()
    graph.add_edges_from(ends[~closed].tolist())
    loose = [next(node for node in ends[rows].ravel() if graph.degree(node) == 1) for rows in (ones, others)]
    return nx.has_path(graph, *loose)


@pytest.mark.parametrize("arms", [{"North lane": NORTH}, {"South lane": SOUTH}, {}])
def test_a_roundabout_with_arms_on_one_side_is_crossed_by_nobody(arms):
    network, route = roundabout(arms)
    assert crossings(route, network) == []


def test_the_way_of_travel_makes_no_difference():
    network, route = roundabout({"North lane": NORTH, "South lane": SOUTH})
    (there,), (back,) = crossings(route, network), crossings(turned(route), network)
    assert sorted(there.edges) == sorted(back.edges)
    assert there.road_name == back.road_name


def test_rings_are_round_small_one_way_and_run_one_way_round():
    square = ring_nodes(0.0, 100.0)
    lane = [(0, 0), (150, 0), (150, 12), (0, 12)]
    shapes = {"ring": (ring_nodes(0.0, 20.0, 8), 1), "large": (square, 1), "two-way": (ring_nodes(0, 20.0), 0)}
    shapes["lanes"] = (lane, 1)
    for name, (nodes, oneway) in shapes.items():
        lines = [[a, b] for a, b in zip(nodes, [*nodes[1:], nodes[0]], strict=True)]
        rings = find_rings(build(lines, oneway=[oneway] * len(lines)))
        assert set(rings.of_edge.tolist()) == ({0} if name == "ring" else {-1}), name
    nodes = ring_nodes(0.0, 20.0)
    facing = [[nodes[0], nodes[1]], [nodes[2], nodes[1]], [nodes[2], nodes[3]], [nodes[0], nodes[3]]]
    assert set(find_rings(build(facing, oneway=[1] * 4)).of_edge.tolist()) == {-1}


@pytest.mark.parametrize(("gap", "count"), [(16, 1), (24, 1), (30, 0)])
@pytest.mark.parametrize("names", [("Orchard lane", "Orchard lane"), ("Orchard lane", "Dale lane"), ("", "")])
def test_arms_on_opposite_sides_close_to_each_other_are_a_crossroads(gap, count, names):
    lines = [[(0, 0), (500, 0)], [(500, 0), (500 + gap, 0)], [(500 + gap, 0), (1000, 0)]]
    lines += [[(500, 0), (500, 300)], [(500 + gap, 0), (500 + gap, -300)]]
    network = build(lines, name=["Ridge road"] * 3 + list(names))
    route = rail([(0, 0), (1000, 0)], mode="road", status="open", edges=(0, 1, 2))
    assert len(crossings(route, network)) == count


def test_arms_on_one_side_are_none_and_links_are_no_arms():
    lines = [[(0, 0), (500, 0)], [(500, 0), (516, 0)], [(516, 0), (1000, 0)], [(500, 0), (500, 300)]]
    route = rail([(0, 0), (1000, 0)], mode="road", status="open", edges=(0, 1, 2))
    assert crossings(route, build([*lines, [(516, 0), (516, 300)]])) == []
    classes = ["primary"] * 3 + ["primary_link"] * 2
    assert crossings(route, build([*lines, [(516, 0), (516, -300)]], **{"class": classes})) == []


@pytest.mark.parametrize("mode", ["road", "rail"])
@pytest.mark.parametrize("kind", ["bridge", "tunnel"])
@pytest.mark.parametrize("first", [True, False])
def test_who_meets_the_route_at_the_end_of_its_structure_meets_it_at_grade(mode, kind, first):
    # the structure's end at 500 m is a node where a lane crosses; which way the route runs must not matter
    lines = [[(0, 0), (500, 0)], [(500, 0), (1000, 0)], [(500, 0), (500, 300)], [(500, 0), (500, -300)]]
    flags = [first, not first, False, False]
    network = build(lines, mode=[mode, mode, "road", "road"], name=["", "", "Lane", "Lane"], **{kind: flags})
    span = (kind, 0, 500) if first else (kind, 500, 1000)
    route = rail([(0, 0), (1000, 0)], spans=[span], mode=mode, status="open", edges=(0, 1))
    for way in (route, turned_with_spans(route, 1000)):
        (event,) = crossings(way, network)
        assert (event.separation, event.structure) == ("at_grade_assumed", None)


def test_a_junction_inside_a_structure_of_several_pieces_is_on_it():
    lines = [[(0, 0), (500, 0)], [(500, 0), (1000, 0)], [(500, 0), (500, 300)], [(500, 0), (500, -300)]]
    network = build(lines, mode=["rail", "rail", "road", "road"], bridge=[True, True, False, False])
    (event,) = crossings(rail([(0, 0), (1000, 0)], spans=[("bridge", 0, 1000)], edges=(0, 1)), network)
    assert event.separation == "separated"


def turned_with_spans(candidate, length_m):
    """The candidate travelled back, its structures too."""
    (part,) = turned(candidate).parts
    km = part.drawn_km
    spans = tuple(replace(s, from_km=km - s.to_km, to_km=km - s.from_km) for s in part.spans)
    assert km == pytest.approx(length_m / 1000, rel=1e-2)
    return replace(candidate, parts=(replace(part, spans=spans),))
