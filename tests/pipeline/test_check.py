"""The routed way held against the documented one: how long it is, and where it passes."""

from __future__ import annotations

import pytest
from shapely import LineString

from corridor.network.graph import Network, edge_frame
from corridor.pipeline.diagnosis import check_length
from corridor.schema.catalogue import Node
from corridor.schema.study import Check

# A and B, 15.7 km apart; the quick road bends north by M, the slow one south by S
AT = {"a": (10.0, 45.0), "b": (10.2, 45.0), "m": (10.1, 45.05), "s": (10.1, 44.9)}
NODES = {
    key: Node(
        node_id=key, name=key.upper(), kind="place", lon=lon, lat=lat, country="AA", elevation_m=None, aliases=(),
        place="", source_ids=("made-up",),
    )
    for key, (lon, lat) in AT.items()
}  # fmt: skip


def network(country: str = "AA") -> Network:
    lines = [LineString([AT["a"], AT[by], AT["b"]]) for by in "ms"]
    columns = {
        "u": [0, 0], "v": [1, 1], "geometry": lines, "country": [country, "AA"],
        "minutes_forward": [10.0, 99.0], "minutes_backward": [10.0, 99.0],
    }  # fmt: skip
    return Network(edge_frame(columns), *(list(column) for column in zip(AT["a"], AT["b"], strict=True)))


def check(net: Network, **more):
    row = {"name": "A-B", "mode": "road", "from_node": "a", "to_node": "b", "low_km": 19, "high_km": 20, "source": "x"}
    return check_length(Check.model_validate(row | {"low_km": 19.0, "high_km": 20.0} | more), net, NODES, mapped=False)


def test_a_way_of_the_documented_length_that_passes_where_it_should_agrees():
    found = check(network(), via=("m",))
    assert (found.verdict, found.elsewhere) == ("agrees", "")
    assert found.computed_km == pytest.approx(19.3, abs=0.1)


def test_the_way_is_routed_not_led_and_says_where_it_passes_elsewhere():
    found = check(network(), via=("s", "m"))
    assert found.verdict == "elsewhere"
    # S lies 11.1 km south of the middle of the straight line; the quick road leaves A and B towards the north
    assert found.elsewhere == "passes 13.6 km from S"
    assert check(network(), via=("s",), passes_within_km=14.0).verdict == "agrees"


def test_length_and_countries_count():
    assert check(network(), low_km=25.0, high_km=30.0).verdict == "differs"
    abroad = check(network("BB"), countries=("AA",), via=("s",), low_km=25.0, high_km=30.0)
    assert (abroad.verdict, abroad.elsewhere) == ("agrees", "")
    assert check(network("BB"), countries=("CC",)).verdict == "no way"
