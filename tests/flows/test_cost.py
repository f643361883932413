"""Generalised costs against sums done by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corridor.flows.cost import build_prices, lognormal_variation, price_link, price_terminal, price_transfer
from corridor.flows.rows import Transfer
from corridor.schema.catalogue import Estimate
from tests.flows import toy


@pytest.fixture
def border_road(tmp_path):
    nodes = [toy.node("south", "AA"), toy.node("north", "BB")]
    road = toy.link("south", "north", 100, countries="AA;BB", first_country_km=25)
    road |= toy.ends("length_km", 90, 100, 120) | toy.ends("speed_kmh", 40, 50, 60)
    borders = [
        toy.border("south-north", "AA", 3, direction="outbound", **toy.ends("fee_usd", 7)),
        toy.border("south-north", "AA", 1, direction="inbound"),
        toy.border("south-north", "BB", 4, hours_p95=9.6),
    ]
    tariffs = [
        {"kind": "running_cost", "mode": "road", "applies_to": "AA", "unit": "usd_per_km", **toy.ends("price", 1)},
        {"kind": "running_cost", "mode": "road", "applies_to": "*", "unit": "usd_per_km", **toy.ends("price", 2)},
        {"kind": "entry_fee", "mode": "road", "applies_to": "BB", "unit": "usd_per_passage", **toy.ends("price", 30)},
    ]
    return toy.tables_of(tmp_path, nodes, [road], border_points=borders, tariffs=tariffs)


def test_a_border_link_costs_what_a_hand_adds_up(border_road):
    prices = replace(build_prices(border_road, "mid"), rest_h_per_driven_h=0.5)
    charge = price_link(border_road, border_road.links["south-north"], "road", prices, backward=False, extra_h=0.25)
    assert charge.distance_usd == pytest.approx(25 * 1 + 75 * 2)
    assert charge.drive_h == pytest.approx(2.0)
    assert charge.rest_h == pytest.approx(1.0)
    assert charge.check_h == pytest.approx(0.25 + 3 + 4)
    assert charge.time_usd == pytest.approx((2 + 1 + 7.25) * 20)
    assert charge.fee_usd == pytest.approx(7 + 30)
    # no percentile is known of the first side: its declared variation is 1; the other's is that of the lognormal law
    first, second = 3 * 20 * 1.0, 4 * 20 * lognormal_variation(4, 9.6)
    assert charge.delay_usd == pytest.approx((first, second))
    assert charge.delay_variance == pytest.approx(first**2 + second**2)


def test_the_way_back_pays_the_other_direction(border_road):
    prices = build_prices(border_road, "mid")
    back = price_link(border_road, border_road.links["south-north"], "road", prices, backward=True)
    assert back.check_h == pytest.approx(4 + 1)
    assert back.fee_usd == 0.0
    assert back.distance_usd == pytest.approx(175)


def test_the_low_end_is_short_and_fast_and_the_high_end_long_and_slow(border_road):
    road = border_road.links["south-north"]
    hours = [
        price_link(border_road, road, "road", build_prices(border_road, end), backward=False).drive_h
        for end in ("low", "mid", "high")
    ]
    assert hours == pytest.approx([90 / 60, 100 / 50, 120 / 40])


def test_one_factor_moves_alone(border_road):
    road = border_road.links["south-north"]
    middle = price_link(border_road, road, "road", build_prices(border_road, "mid"), backward=False)
    moved = price_link(
        border_road, road, "road", build_prices(border_road, "mid", overrides={"speed": "high"}), backward=False
    )
    assert moved.drive_h == pytest.approx(100 / 40)
    assert (moved.km, moved.fee_usd, moved.check_h) == (middle.km, middle.fee_usd, middle.check_h)
    dearer = build_prices(border_road, "mid", overrides={"vehicle_usd_per_h": "high"})
    assert dearer.hour_usd("road") == 30.0


def test_only_a_load_that_leaves_the_truck_pays_a_terminal(border_road):
    prices = build_prices(border_road, "mid", Estimate(24_000, 24_000, 24_000))
    assert prices.cargo_usd_per_h == pytest.approx(24_000 * 0.01 / 24)
    assert price_terminal("road", prices).certain_usd == 0.0
    charge = price_terminal("rail-1520", prices)
    assert charge.certain_usd == pytest.approx(100 + 10 * 10)  # the cargo's hours alone, no truck waits
    assert charge.delay_usd == pytest.approx((10 * 1.0 * 10,))


def test_a_truck_that_boards_a_ferry_waits_with_its_driver(border_road):
    prices = build_prices(border_road, "mid", Estimate(24_000, 24_000, 24_000))
    provenance = border_road.links["south-north"].origin
    transfer = Transfer("south", ("road", "ferry"), Estimate(6, 6, 6), None, Estimate(50, 50, 50), provenance)
    assert price_transfer(transfer, ("road", "ferry"), prices).certain_usd == pytest.approx(50 + 6 * 30)
    changed = Transfer("south", ("rail-1435", "rail-1520"), Estimate(6, 6, 6), None, Estimate(50, 50, 50), provenance)
    assert price_transfer(changed, ("rail-1435", "rail-1520"), prices).certain_usd == pytest.approx(50 + 6 * 10)


@given(st.floats(0.1, 500), st.floats(0.01, 1.6))
def test_lognormal_variation_gives_the_spread_that_made_the_percentile(mean, spread):
    mu = math.log(mean) - spread**2 / 2
    p95 = math.exp(mu + 1.6448536269514722 * spread)
    assume(p95 >= mean)
    assert lognormal_variation(mean, p95) == pytest.approx(math.sqrt(math.expm1(spread**2)), rel=1e-6)


def test_lognormal_variation_against_draws():
    draws = np.random.default_rng(1).lognormal(1.0, 0.6, 400_000)
    found = lognormal_variation(float(draws.mean()), float(np.quantile(draws, 0.95)))
    assert found == pytest.approx(draws.std() / draws.mean(), rel=0.02)


def test_a_percentile_that_no_lognormal_law_has_is_refused():
    with pytest.raises(ValueError, match="no lognormal law"):
        lognormal_variation(6.0, 24.0)
