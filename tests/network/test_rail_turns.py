"""A train goes on over a switch; from one branch to the other it can't go without turning round somewhere."""

from __future__ import annotations

import numpy as np
import pytest

from corridor.errors import NoRouteError
from corridor.network.graph import Network
from tests.network.test_rail_joins import network_of, rail

# a stem from the west, a switch at the origin of the branches, which leave it eastwards a few degrees apart
STEM, SWITCH, NORTH, SOUTH = (10.0, 45.0), (10.1, 45.0), (10.2, 45.01), (10.2, 44.99)


def km(network: Network, start, end) -> float:
    return float(network.alternatives(start, end, mode="rail", count=1)["length_km"].iloc[0])


def test_a_switch_leads_from_the_stem_to_both_branches_and_back(tmp_path):
    network, _ = network_of(tmp_path, rail(STEM, SWITCH), rail(SWITCH, NORTH), rail(SWITCH, SOUTH))
    for branch in (NORTH, SOUTH):
        assert km(network, STEM, branch) == pytest.approx(15.8, abs=0.1)
        assert km(network, branch, STEM) == pytest.approx(15.8, abs=0.1)


def test_from_branch_to_branch_there_is_no_way(tmp_path):
    network, _ = network_of(tmp_path, rail(STEM, SWITCH), rail(SWITCH, NORTH), rail(SWITCH, SOUTH))
    for start, end in ((NORTH, SOUTH), (SOUTH, NORTH)):
        with pytest.raises(NoRouteError):
            km(network, start, end)


def test_a_train_does_not_turn_round_at_the_end_of_a_line_or_between_two_tracks(tmp_path):
    """The stem is two tracks in a row, with a dead end behind: neither is a place to go back at."""
    further = (9.9, 45.0)
    network, _ = network_of(
        tmp_path,
        rail(further, STEM, bridge="yes"),
        rail(STEM, SWITCH),
        rail(SWITCH, NORTH),
        rail(SWITCH, SOUTH),
    )
    with pytest.raises(NoRouteError):
        km(network, NORTH, SOUTH)


def test_a_loop_turns_a_train_round(tmp_path):
    """The stem leads into a balloon loop by a second switch, and back: from branch to branch by way of it."""
    west, top, bottom = (9.9, 45.0), (9.8, 45.02), (9.8, 44.98)
    network, _ = network_of(
        tmp_path, rail(west, STEM, SWITCH), rail(SWITCH, NORTH), rail(SWITCH, SOUTH), rail(west, top, bottom, west)
    )
    loop = km(network, NORTH, SOUTH)
    assert loop == pytest.approx(2 * 7.96 + 2 * 15.7 + 20.8, abs=0.5)


def test_a_triangle_joins_each_branch_with_each(tmp_path):
    """Three switches, each with its stem outwards: every one of the three lines reaches the others."""
    west, east, south = (10.05, 45.0), (10.15, 45.0), (10.1, 44.95)
    ends = (9.9, 45.0), (10.3, 45.0), (10.1, 44.8)
    network, _ = network_of(
        tmp_path,
        rail(ends[0], west), rail(ends[1], east), rail(ends[2], south), rail(west, (10.1, 45.0), east),
        rail(west, (10.075, 44.995), (10.095, 44.97), south), rail(east, (10.125, 44.995), (10.105, 44.97), south),
    )  # fmt: skip
    for a in ends:
        for b in ends:
            assert a == b or km(network, a, b) > 20


def test_where_two_tracks_meet_at_any_angle_the_line_goes_on(tmp_path):
    network, _ = network_of(tmp_path, rail(STEM, SWITCH), rail(SWITCH, (10.02, 45.02), bridge="yes"))
    assert km(network, STEM, (10.02, 45.02)) == pytest.approx(7.9 + 6.7, abs=0.2)


def test_oneway_says_nothing_of_a_track(tmp_path):
    network, _ = network_of(tmp_path, rail(STEM, SWITCH, oneway="yes"))
    assert km(network, SWITCH, STEM) == pytest.approx(7.9, abs=0.1)


def test_a_road_turns_where_a_train_cannot(tmp_path):
    """The same three lines as roads: nothing keeps a truck from the sharp turn."""
    road = {"highway": "primary"}
    network, _ = network_of(tmp_path, ([STEM, SWITCH], road), ([SWITCH, NORTH], road), ([SWITCH, SOUTH], road))
    assert float(network.alternatives(NORTH, SOUTH, count=1)["length_km"].iloc[0]) == pytest.approx(15.9, abs=0.1)


def test_in_a_station_at_the_end_of_a_route_a_train_may_turn_round(tmp_path):
    """The switch lies 1.0 km from the start: it is part of a station there, or it isn't."""
    near = (10.1127, 45.00127)
    network, _ = network_of(tmp_path, rail(STEM, SWITCH), rail(SWITCH, near), rail(SWITCH, SOUTH))
    closed = np.zeros(len(network.edges), dtype=bool)
    start, end = (network.snap(*at, closed, limit_m=100, what="end") for at in (near, SOUTH))
    length = network.edges["length_m"].to_numpy()
    with pytest.raises(NoRouteError, match="without turning round"):
        network.route(start, end, length, length, closed, turn_within_m=900)
    assert network.route(start, end, length, length, closed, turn_within_m=1100).cost == pytest.approx(8_960, abs=60)
