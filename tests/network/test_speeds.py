"""Class speeds of the catalogue."""

from __future__ import annotations

import pytest

from corridor.errors import CatalogueError
from corridor.network.speed_model import class_speeds_kmh
from corridor.schema.catalogue import Estimate, Speed

SPEEDS = (Speed("road", "trunk", Estimate(50, 60, 70), ("x",)),)


def test_class_speeds_and_what_is_missing():
    assert class_speeds_kmh(["road"], ["trunk"], SPEEDS, "low").tolist() == [50]
    with pytest.raises(CatalogueError, match=r"speeds\.csv: no speed for rail rail, road lane"):
        class_speeds_kmh(["road", "rail"], ["lane", "rail"], SPEEDS)
