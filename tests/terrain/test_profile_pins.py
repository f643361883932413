"""A candidate's heights: smoothed, hung on documented ones, and moved by no assumed error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from affine import Affine

from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.schema.candidate import Profile
from corridor.schema.catalogue import GradeCeiling
from corridor.schema.fields import Grid, Source
from corridor.schema.parameters import DocumentedHeight
from corridor.schema.vocabulary import Confidence, Mode
from corridor.terrain.profile import build_profile, climbs_m
from corridor.terrain.surface import Dem
from tests.interactions.grounds import candidate, part

RULES = load_catalogue(data_root() / "reference").driving
CEILINGS = (GradeCeiling(Mode.ROAD, "trunk", 8.0, ("x",)),)
_PART = part(shapely.LineString([(10.05, 45.0), (10.45, 45.0)]))
ROUTE = candidate(replace(_PART, road_class="trunk"))


def noisy_hill(error_m: float) -> Dem:
    """A hill of 600 m over 30 km with noise of 25 m to a pixel, on pixels of 30 arc-seconds."""
    cols = np.arange(61)
    hill = 500 + 600 * np.exp(-(((cols - 30) / 12) ** 2))
    heights = np.tile(hill, (13, 1)) + np.random.default_rng(3).normal(0, 25, (13, 61))
    grid = Grid("EPSG:4326", Affine(1 / 120, 0, 10.0, 0, -1 / 120, 45.05), (13, 61))
    return Dem(heights.astype(np.float32), grid, Source("d", "", "", "", ""), error_m, 5000)


def profile(error_m: float = 18.6, heights=()) -> Profile:
    assert RULES is not None
    return build_profile(ROUTE, noisy_hill(error_m), CEILINGS, RULES, heights)


def test_the_assumed_error_of_the_model_moves_no_height_and_no_ascent():
    small, large = profile(5.0), profile(60.0)
    assert (small.height_m == large.height_m).all()
    assert climbs_m(small.height_m, small.threshold_m) == climbs_m(large.height_m, large.threshold_m)


def test_smoothing_takes_noise_out_of_the_ascent():
    found = profile()
    up, _ = climbs_m(found.height_m, found.threshold_m)
    raw, _ = climbs_m(found.ground_m, found.threshold_m)
    true = 600.0
    assert abs(up - true) < 0.5 * abs(raw - true)


def test_a_documented_height_on_the_line_holds_and_one_beside_it_doesn_t():
    top = DocumentedHeight("top", "Top", "n", "", 10.25, 45.001, 1250.0, Confidence("H"), ("x",))
    found, bare = profile(heights=[top]), profile()
    at = int(np.argmin(np.abs(found.lon - 10.25)))
    assert found.height_m[at] == pytest.approx(1250.0, abs=8.0)
    assert found.height_m[at] - bare.height_m[at] > 100.0
    beside = replace(top, lat=45.03)
    assert (profile(heights=[beside]).height_m == bare.height_m).all()
