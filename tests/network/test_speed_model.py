"""The limiting-speed model against closed forms, documented crawl speeds and laws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.parameters import load_driving, load_vehicles
from corridor.io.read.tables import Faults
from corridor.network.speed_model import (
    GRAVITY,
    Pieces,
    air_density,
    combine_speeds,
    crawl_speed_kmh,
    drive_speed,
    driving_minutes,
    limiting_speed_kmh,
)
from corridor.schema.parameters import Vehicle

REFERENCE = data_root() / "reference"
PLAIN = Vehicle("plain", 40_000, 120, 0.85, 0, 400, 0.01, 0.7, 10, 0.15, 0.0, 1.0, 80)


@pytest.fixture(scope="module")
def vehicles() -> dict[str, Vehicle]:
    faults = Faults()
    found = load_vehicles(Path(REFERENCE) / "vehicles.csv", load_catalogue(REFERENCE).sources, faults)
    faults.raise_any()
    return found


@settings(max_examples=300, derandomize=True)
@given(st.floats(1e3, 1e6), st.floats(-60_000, 60_000), st.floats(0.1, 12))
def test_the_power_cubic_is_solved_exactly(power, resistance, drag):
    speed = drive_speed(power, resistance, drag)
    # the residual of the balance, beside its greatest term
    terms = [drag * speed**3, abs(resistance) * speed, power]
    assert speed > 0
    assert drag * speed**3 + resistance * speed - power == pytest.approx(0, abs=1e-9 * max(terms))


@pytest.mark.parametrize("resistance", [-30_000.0, -500.0, 0.0, 500.0, 30_000.0])
def test_the_power_cubic_agrees_with_bisection(resistance):
    root = brentq(lambda v: 4.0 * v**3 + resistance * v - 250_000, 1e-6, 1e4, xtol=1e-12)
    assert drive_speed(250_000.0, resistance, 4.0) == pytest.approx(root, rel=1e-9)


def test_without_drag_power_over_resistance_is_left():
    assert drive_speed(1000.0, 50.0, 0.0) == 20.0
    assert drive_speed(1000.0, -50.0, 0.0) == np.inf


def test_a_level_straight_road_gives_the_desired_speed_as_b_goes_to_nothing():
    for b in (0.0, 1e-4, 1e-2):
        assert limiting_speed_kmh(replace(PLAIN, shape_b=b), 0.0, 55.0) == pytest.approx(55.0, rel=1e-3)
    assert limiting_speed_kmh(replace(PLAIN, shape_b=0.0), 0.0, 55.0) == 55.0


def test_equal_limits_are_lowered_by_two_to_the_minus_b():
    assert combine_speeds(10.0, 10.0, np.inf, np.inf, 0.3) == pytest.approx(10 * 2**-0.3)
    assert combine_speeds(10.0, 10.0, 10.0, 10.0, 0.25) == pytest.approx(10 * 4**-0.25)


def test_the_desired_speed_is_the_ratio_of_the_class_speed_and_capped():
    fast = replace(PLAIN, desired_ratio=1.2)
    assert limiting_speed_kmh(fast, 0.0, 50.0) == pytest.approx(60.0)
    assert limiting_speed_kmh(fast, 0.0, 120.0) == pytest.approx(80.0)


def test_crawl_at_eight_percent_is_the_power_balance():
    speed = float(crawl_speed_kmh(PLAIN, 0.08)) / 3.6
    force = 40_000 * GRAVITY * (0.08 + 0.01) + 0.5 * air_density(0.0) * 7.0 * speed**2
    assert force * speed == pytest.approx(PLAIN.wheel_power_w)


def test_crawl_speeds_lie_where_documents_have_them(vehicles):
    """120 kg/kW and an efficiency of 0.85 crawl at about 38 km/h at 6 % and 29 at 8 %, air left out."""
    assert crawl_speed_kmh(replace(PLAIN, drag_coefficient=1e-6), [0.06, 0.08]) == pytest.approx([37.1, 28.9], abs=0.2)
    # the curves of AASHTO and HCM for 120 kg/kW at 4 to 9 %, as remembered: within a tenth
    curves = {0.04: 50, 0.05: 42, 0.06: 36, 0.07: 31.5, 0.08: 27.5, 0.09: 25}
    assert crawl_speed_kmh(PLAIN, list(curves)) == pytest.approx(list(curves.values()), rel=0.1)
    # a loaded truck of the region at 8 %, whatever its power: 22 to 34 km/h
    truck = vehicles["truck"]
    for name, end in (("mass_per_power_kg_per_kw", "low"), ("mass_per_power_kg_per_kw", "high")):
        driven = replace(truck, **{name: getattr(truck.ranges[name], end)})
        assert 22 <= crawl_speed_kmh(driven, 0.08, height_m=1500) <= 34


def test_downhill_the_brakes_hold_the_slope():
    power_w = 400e3
    expected = power_w / (40_000 * GRAVITY * (0.10 - 0.01)) * 3.6
    assert limiting_speed_kmh(PLAIN, -0.10, 200.0) == pytest.approx(expected)
    assert limiting_speed_kmh(PLAIN, -0.01, 70.0) == pytest.approx(70.0), "rolling resistance holds it alone"


def test_a_bend_limits_by_friction_and_banking():
    expected = np.sqrt(GRAVITY * 60.0 * (0.15 + 0.05)) * 3.6
    assert limiting_speed_kmh(PLAIN, 0.0, 80.0, radius_m=60.0, superelevation=0.05) == pytest.approx(expected)


def test_thin_air_drags_less_and_takes_power():
    assert air_density(0.0) == pytest.approx(1.225)
    assert air_density(2000.0) == pytest.approx(1.0066, abs=2e-4), "International Standard Atmosphere"
    weak = replace(PLAIN, power_loss_pct_per_km=6.0)
    assert crawl_speed_kmh(weak, 0.08, height_m=2000.0) < crawl_speed_kmh(weak, 0.08)


@settings(max_examples=100, derandomize=True)
@given(
    st.floats(-0.12, 0.12), st.floats(0.001, 0.02), st.floats(15, 500), st.floats(0, 0.31), st.floats(20, 110)
)  # fmt: skip
def test_steeper_climbs_and_tighter_bends_never_gain_time(grade, more, radius, b, desired):
    vehicle = replace(PLAIN, shape_b=b)
    here = limiting_speed_kmh(vehicle, abs(grade), desired, radius_m=radius)
    assert limiting_speed_kmh(vehicle, abs(grade) + more, desired, radius_m=radius) <= here + 1e-9
    assert limiting_speed_kmh(vehicle, abs(grade), desired, radius_m=radius * 0.9) <= here + 1e-9
    # no combination is faster than the least of its limits
    assert here <= min(desired, 80.0) + 1e-9


def one_edge(grade: float, length_m: float = 1000.0) -> Pieces:
    """Two stretches of two pieces each."""
    return Pieces(
        np.array([0, 2]), np.array([2]), np.full(2, length_m / 4), np.full(2, grade), np.zeros(2), np.zeros(4)
    )  # fmt: skip


def test_both_directions_of_an_edge():
    along, against = driving_minutes(one_edge(0.07), PLAIN, np.array([60.0]), 0.05)
    up, down = (float(limiting_speed_kmh(PLAIN, grade, 60.0)) for grade in (0.07, -0.07))
    assert (along[0], against[0]) == (pytest.approx(60 / up), pytest.approx(60 / down))
    # a turned edge has them changed over
    assert driving_minutes(one_edge(-0.07), PLAIN, np.array([60.0]), 0.05) == (
        pytest.approx(against),
        pytest.approx(along),
    )


def test_each_piece_is_driven_at_the_speed_of_its_own_bend_and_the_grade_and_height_of_its_stretch():
    rng = np.random.default_rng(5)
    stretches, parts = np.array([1, 3, 2]), np.array([4, 1, 3])
    first, count = np.concatenate([[0], np.cumsum(stretches)]), int((stretches * parts).sum())
    shape = {"length_m": rng.uniform(20, 60, 6), "grade": rng.normal(0, 0.06, 6), "height_m": rng.uniform(0, 3000, 6)}
    pieces = Pieces(first, parts, **shape, curvature_per_m=np.maximum(rng.normal(0, 0.02, count), 0.0))
    desired = np.array([40.0, 60.0, 90.0])
    times = np.repeat(parts, stretches)
    length, grade, height = (np.repeat(values, times) for values in shape.values())
    edge = np.repeat(np.repeat(np.arange(3), stretches), times)
    with np.errstate(divide="ignore"):
        bent = {"radius_m": 1 / pieces.curvature_per_m, "height_m": height, "superelevation": 0.05}
    for way, found in zip((1, -1), driving_minutes(pieces, PLAIN, desired, 0.05), strict=True):
        each = length / limiting_speed_kmh(PLAIN, way * grade, desired[edge], **bent) * 0.06
        assert found == pytest.approx(np.bincount(edge, each), rel=1e-12)
    # some edges alone, in another order
    some = driving_minutes(pieces.of_edges(np.array([2, 0])), PLAIN, desired[[2, 0]], 0.05)
    assert [way.tolist() for way in some] == [
        way[[2, 0]].tolist() for way in driving_minutes(pieces, PLAIN, desired, 0.05)
    ]


def test_a_truck_of_less_power_is_slower_up_and_a_car_hardly_minds(vehicles):
    assert limiting_speed_kmh(vehicles["truck"], 0.08, 60.0) < 0.6 * limiting_speed_kmh(vehicles["car"], 0.08, 60.0)
    assert limiting_speed_kmh(vehicles["car"], 0.04, 60.0) == pytest.approx(70.0, rel=0.02), "1.17 times the class"


def test_packaged_parameters_are_whole_and_each_has_a_source_with_a_licence(vehicles):
    catalogue = load_catalogue(REFERENCE)
    faults = Faults()
    driving = load_driving(REFERENCE / "driving.csv", catalogue.sources, faults)
    faults.raise_any()
    assert set(vehicles) == {"truck", "bus", "car"}
    assert driving is not None
    for item in (*vehicles.values(), driving):
        assert item.source_ids
        assert all(catalogue.sources[key].licence for key in item.source_ids)
        assert all(value.low <= value.mid <= value.high for value in item.ranges.values())
