"""What a line that is only drawn schematically leaves open: taken best and worst, and never where all is known."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.interactions.events import has_open_events, take_events
from corridor.interactions.regime_effects import effects
from corridor.schema.vocabulary import EventsEnd
from tests.interactions.roads import all_met, build, gated, rail, regime, streets

LINE = [(0, 0), (4000, 0)]
ACROSS = [(1000, -500), (1000, 500)]
AXIS = [(-500, 600), (4500, 600)]
REGIMES = [regime(c, s, min_class="secondary" if c == "grade_separated" else "") for c, s in itertools.product(
    ("free", "gated", "grade_separated", "closed"), ("open", "gated", "transit_only"))]  # fmt: skip


def met(lines, quality="schematic", **more):
    return all_met(rail(LINE, quality=quality), build(lines), **more)


def test_a_road_that_passes_a_schematic_line_is_apart_at_best_and_at_grade_at_worst():
    (event,) = met([ACROSS])
    assert (event.kind, event.separation, event.is_open) == ("crossing", "undetermined", True)
    assert [take_events([event], end)[0].separation for end in EventsEnd] == ["separated", "at_grade_assumed"]


def test_a_road_that_winds_about_the_line_and_stays_on_its_side_is_not_met():
    winding = [(500, 300), (900, -200), (1500, 200), (2500, -200), (3500, 300)]
    assert met([winding]) == []


def test_a_through_road_is_one_whatever_lesser_roads_join_it():
    # it crosses the drawn line three times between tracks that join it
    at = [(500, 15_000), (800, -200), (1500, 250), (2500, -15_000)]
    spurs = [[at[1], (800, -900)], [at[2], (1500, 900)]]
    lines = [*(list(pair) for pair in itertools.pairwise(at)), *spurs]
    network = build(lines, through=[True] * 3 + [False] * 2, **{"class": ["primary"] * 3 + ["track"] * 2})
    found = all_met(rail(LINE, quality="schematic"), network)
    assert [(event.kind, event.road_class) for event in found] == [("crossing", "primary")]


def test_an_axis_inside_the_half_width_may_be_shared_for_its_length_inside():
    for half_width_km, length_km in ((0.5, None), (0.7, 4.0), (2.0, 4.0)):
        found = met([AXIS], axis_rows=[0], half_width_km=half_width_km)
        assert [event.length_km for event in found] == ([pytest.approx(length_km, rel=1e-3)] if length_km else [])
        assert take_events(found, EventsEnd.BEST) == []
        assert [event.kind for event in take_events(found, EventsEnd.WORST)] == (["same_line"] if length_km else [])


def test_a_short_gap_strays_by_no_more_than_half_of_its_length():
    gap = rail([(1000, 0), (1400, 0)], quality="schematic")
    beside = [(0, 250), (3000, 250)]
    assert all_met(gap, build([beside]), axis_rows=[0], half_width_km=1.0) == []
    assert all_met(gap, build([[(0, 150), (3000, 150)]]), axis_rows=[0], half_width_km=1.0)


@cache
def met_on_streets(seed, quality):
    """Events of a railway over a random street network, and that network with gates."""
    lines, network = streets(seed)
    found = all_met(rail([(-50, 430), (950, 500)], quality=quality), network, axis_rows=range(0, len(lines), 3))
    return found, gated(network, found)


def over_streets(seed, quality, rules):
    """The events, and what they do at best and at worst under a regime."""
    found, split = met_on_streets(seed, quality)
    return found, *(effects(take_events(found, end), rules, split) for end in EventsEnd)


@given(st.integers(0, 60), st.sampled_from(REGIMES))
def test_a_line_whose_place_is_known_leaves_nothing_open(seed, rules):
    found, best, worst = over_streets(seed, "osm", rules)
    assert not has_open_events(found)
    assert np.array_equal(best.closed, worst.closed)
    assert np.array_equal(best.delay_min, worst.delay_min)


@given(st.integers(0, 60), st.sampled_from(REGIMES))
def test_the_worst_closes_and_slows_all_that_the_best_does(seed, rules):
    _, best, worst = over_streets(seed, "schematic", rules)
    assert not (best.closed & ~worst.closed).any()
    assert (best.delay_min <= worst.delay_min + 1e-12).all()
    if rules.crossing.kind == "free" and rules.same_line.kind == "open":
        assert not worst.closed.any()
        assert not worst.delay_min.any()


@given(st.integers(0, 60), st.floats(0.05, 0.6), st.floats(1.0, 3.0))
def test_a_greater_half_width_only_adds(seed, half_width_km, factor):
    lines, network = streets(seed)
    route = rail([(-50, 430), (950, 500)], quality="schematic")
    rules = regime("closed", "transit_only")
    narrow, wide = (
        all_met(route, network, axis_rows=range(0, len(lines), 2), half_width_km=width)
        for width in (half_width_km, half_width_km * factor)
    )
    lengths = [sum(e.length_km for e in found if e.kind == "possibly_same_line") for found in (narrow, wide)]
    assert lengths[0] <= lengths[1] + 1e-9
    crossed = [[e.edges for e in found if e.kind == "crossing"] for found in (narrow, wide)]
    assert crossed[0] == crossed[1]
    # on one split network the wider closes whatever the narrower does
    both = [*narrow, *(e for e in wide if e.kind != "crossing")]
    split = gated(network, both)
    shut = [effects(take_events(found, EventsEnd.WORST), rules, split).closed for found in (narrow, both)]
    assert not (shut[0] & ~shut[1]).any()
