"""Truck speeds against the figures of the power balance."""

from __future__ import annotations

import numpy as np
import pytest

from corridor.errors import CatalogueError
from corridor.network.speeds import class_speeds_kmh, climbing_speed_kmh
from corridor.schema.catalogue import Estimate, Speed

SPEEDS = (Speed("road", "trunk", Estimate(50, 60, 70), ("x",)),)


def test_a_loaded_truck_on_a_grade():
    """120 kg per kW, 85 % to the wheels: about 38 km/h at 6 % and 29 at 8 %."""
    assert climbing_speed_kmh([0.06, 0.08]) == pytest.approx([38, 29], abs=0.7)


def test_downhill_needs_no_power():
    assert np.isinf(climbing_speed_kmh(-0.02))


def test_steeper_is_never_faster():
    assert (np.diff(climbing_speed_kmh(np.linspace(0, 0.2, 50))) < 0).all()


def test_class_speeds_and_what_is_missing():
    assert class_speeds_kmh(["road"], ["trunk"], SPEEDS, "low").tolist() == [50]
    with pytest.raises(CatalogueError, match=r"speeds\.csv: no speed for rail rail, road lane"):
        class_speeds_kmh(["road", "rail"], ["lane", "rail"], SPEEDS)
