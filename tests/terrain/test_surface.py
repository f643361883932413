"""Rasters against closed forms: planes, ridges, and the statistics of error draws."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from corridor.errors import CoverageError
from corridor.schema.fields import Grid, Source
from corridor.terrain.surface import Dem, draw_errors, horn_gradient, ruggedness_m, sample_errors, slope_deg

SOURCE = Source("dem", "made-up heights", "nobody", "", "none")


def dem_of(heights, step=0.01, sigma=10.0, reach=5000.0):
    grid = Grid("EPSG:4326", Affine(step, 0, 10.0, 0, -step, 45.0 + heights.shape[0] * step), heights.shape)
    return Dem(heights.astype(np.float32), grid, SOURCE, sigma, reach)


def tilted(rise_per_m, rows=40, cols=30):
    """A plane that rises to the north by ``rise_per_m``."""
    dem = dem_of(np.zeros((rows, cols)))
    north = (rows - 1 - np.arange(rows)) * dem.resolution_m * rise_per_m
    return dem.with_heights(np.repeat(north[:, None], cols, axis=1).astype(np.float32))


def test_slope_of_a_plane():
    inner = slope_deg(tilted(1.0))[2:-2, 2:-2]
    np.testing.assert_allclose(inner, 45.0, atol=0.2)


def test_gradient_points_uphill():
    dem = tilted(0.1)
    east, north = horn_gradient(dem.heights_m, *dem.pixel_size_m())
    np.testing.assert_allclose(north[5:-5, 5:-5], 0.1, rtol=5e-3)
    np.testing.assert_allclose(east[5:-5, 5:-5], 0.0, atol=1e-6)


def test_sample_is_exact_on_a_plane_and_at_centres():
    dem = tilted(0.1)
    lon, lat = dem.grid.centres(np.array([3.0, 7.5]), np.array([4.0, 9.25]))
    step = dem.heights_m[6, 0] - dem.heights_m[7, 0]
    assert dem.sample(lon, lat) == pytest.approx([dem.heights_m[3, 4], dem.heights_m[7, 9] - step / 2], rel=1e-5)


def test_outside_and_holes_are_nan_and_named():
    heights = np.ones((10, 10))
    heights[4, 4] = np.nan
    dem = dem_of(heights)
    assert np.isnan(dem.sample([9.0], [45.05])).all()
    lon, lat = dem.grid.centres(np.array([4.0]), np.array([4.0]))
    with pytest.raises(CoverageError, match=r"has no height at 45\.\d+ N 10\.\d+ E \(1 of 1 points of road 'x'\)"):
        dem.require(lon, lat, "road 'x'")
    with pytest.raises(CoverageError, match=r"doesn't reach 45.050 N 9.000 E \(1 of 1 points of road 'x'\); add a DEM"):
        dem.require([9.0], [45.05], "road 'x'")
    with pytest.raises(CoverageError, match=r"of road 'x'\) \(are latitude and longitude swapped\?\); add a DEM"):
        dem.require(lat, lon, "road 'x'")


def test_ruggedness_of_a_single_peak():
    heights = np.zeros((5, 5))
    heights[2, 2] = 10
    rugged = ruggedness_m(dem_of(heights))
    assert rugged[2, 2] == pytest.approx(np.sqrt(8 * 100))
    assert rugged[1, 1] == pytest.approx(10.0)
    # A single peak two pixels off: all eight neighbours of (1, 1) are there, those of the rim aren't.
    assert np.isnan(rugged[[0, -1]]).all()
    assert np.isnan(rugged[:, [0, -1]]).all()


def test_the_rim_has_no_slope_rather_than_half_of_one():
    slopes = slope_deg(tilted(0.1))
    rim = np.ones(slopes.shape, dtype=bool)
    rim[1:-1, 1:-1] = False
    assert np.isnan(slopes[rim]).all()
    np.testing.assert_allclose(slopes[~rim], np.degrees(np.arctan(0.1)), rtol=5e-3)


def test_draws_have_the_stated_error_and_range_and_follow_the_seed():
    dem = dem_of(np.zeros((200, 200)), sigma=12.0, reach=4000.0)
    fields = list(draw_errors(dem, 40, 0))
    values = np.stack([field.values_m for field in fields])
    assert values.std() == pytest.approx(12.0, rel=0.05)
    lon = np.full(300, 11.0)
    lat = np.linspace(45.2, 46.8, 300)
    one = np.concatenate([field.sample(lon, lat) for field in fields])
    near = np.concatenate([field.sample(lon, lat + 400 / 111_000) for field in fields])
    far = sample_errors(fields, lon, lat + 16_000 / 111_000).ravel()
    assert np.corrcoef(one, near)[0, 1] > 0.9
    assert abs(np.corrcoef(one, far)[0, 1]) < 0.1
    again = next(iter(draw_errors(dem, 1, 0)))
    np.testing.assert_array_equal(again.values_m, fields[0].values_m)
    assert not np.array_equal(next(iter(draw_errors(dem, 1, 1))).values_m, fields[0].values_m)
