"""The fit of driving times to documented journeys: closed forms, and one clear line for what can't be."""

from __future__ import annotations

import numpy as np
import pytest

from corridor.errors import NetworkError
from corridor.network.driving_times import DECLARED_SPREAD, DocumentedTime, fit_time_factor


def journey(name: str, low: float, high: float, computed: float, **options) -> DocumentedTime:
    return DocumentedTime(name, options.pop("vehicle", "bus"), 100.0, low, high, computed, "x", **options)


def test_the_factor_is_the_geometric_mean_of_the_ratios():
    fit = fit_time_factor([journey("a-b", 110, 110, 100), journey("b-c", 90, 160, 100)])
    assert fit.factor == pytest.approx(np.sqrt(1.1 * 1.2))


def test_each_residual_is_that_of_the_fit_to_the_others():
    times = [journey(name, t, t, 100) for name, t in (("a", 95), ("b", 120), ("c", 150), ("d", 130))]
    fit = fit_time_factor(times)
    for index, time in enumerate(times):
        others = fit_time_factor([*times[:index], *times[index + 1 :]])
        assert fit.residuals[index] == pytest.approx(np.log(time.low_min / (100 * others.factor)))
    assert fit.spread == pytest.approx(np.sqrt(np.mean(np.square(fit.residuals))))
    spread = fit.time_spread(0.0)
    assert (spread.low, spread.high) == (pytest.approx(np.exp(-fit.spread)), pytest.approx(np.exp(fit.spread)))


def test_lacking_pins_widen_the_interval_and_never_narrow_it():
    fit = fit_time_factor([journey("a", 100, 100, 100), journey("b", 120, 120, 100)])
    narrow, wide = fit.time_spread(0.0), fit.time_spread(0.2)
    assert wide.low < narrow.low < 1 < narrow.high < wide.high
    assert np.log(wide.high) == pytest.approx(np.hypot(fit.spread, 0.2))


def test_bounds_and_shown_journeys_take_no_part():
    plain = [journey("a", 100, 100, 100), journey("b", 120, 120, 100)]
    more = [*plain, journey("c", 900, 900, 100, at_least=True), journey("d", 10, 10, 100, fitted=False)]
    assert fit_time_factor(more).factor == fit_time_factor(plain).factor
    assert [time.name for time in fit_time_factor(more).fitted] == ["a", "b"]
    assert len(fit_time_factor(more).times) == 4


def test_a_vehicle_has_a_factor_of_its_own_from_three_exact_times():
    cars = [journey(name, t, t, 100, vehicle="car") for name, t in (("a", 90), ("b", 100), ("c", 110))]
    trucks = [journey("d", 200, 200, 100, vehicle="truck"), journey("e", 180, 220, 100, vehicle="truck")]
    fit = fit_time_factor([*cars, *trucks])
    assert fit.factor_of("car") == pytest.approx((0.9 * 1.0 * 1.1) ** (1 / 3))
    assert fit.factor_of("truck") == fit.factor
    assert fit_time_factor([*cars[:2], *trucks]).own == {}
    # a range is no exact time
    assert fit_time_factor([*cars[:2], journey("c", 100, 120, 100, vehicle="car")]).own == {}


def test_one_journey_gives_a_factor_and_no_interval_of_its_own():
    fit = fit_time_factor([journey("a", 150, 150, 100)])
    assert fit.factor == pytest.approx(1.5)
    assert fit.residuals == ()
    assert fit.time_spread(0.1) == DECLARED_SPREAD


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([], "none of the documented journeys takes part"),
        ([journey("a", 100, 100, 100, at_least=True)], "none of the documented journeys takes part"),
        ([journey("a-b", 0, 1, 1)], "see a-b"),
        ([journey("a-b", 2, 1, 1)], "see a-b"),
        ([journey("a-b", 1, 1, float("inf"))], "see a-b"),
    ],
)
def test_times_that_cant_be_fitted_are_named(times, said):
    with pytest.raises(NetworkError, match=said):
        fit_time_factor(times)
