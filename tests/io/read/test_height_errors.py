"""How far heights are off belongs to the data: the same by every way in, by terrain where it was measured so."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import rasterio

from corridor.errors import CatalogueError, SourceError
from corridor.files import data_root
from corridor.io.fetch.elevation import all_providers
from corridor.io.fetch.tiles import read_geotiff_tile, write_mosaic
from corridor.io.read.data_files import known_source
from corridor.io.read.elevation import read_dem
from corridor.io.read.height_errors import DATASET_TAG, ERROR_TAG, load_height_errors
from corridor.terrain.surface import draw_errors, slope_deg
from tests.hostile.test_elevation import write

AREA = (10.0, 45.0, 11.0, 46.0)
GLOBE = data_root() / "bundled" / "elevation_globe_30s.tif"
SYUNIK = (45.5, 38.9, 46.8, 39.6)


def read(*paths, area=AREA):
    return read_dem(
        list(paths), area, source=None, vertical_error_m=5.0, error_range_km=5.0, known_errors=load_height_errors()
    )


def tagged(path, **tags):
    with rasterio.open(write(path), "r+") as raster:
        raster.update_tags(**tags)
    return path


def hgt(path):
    ramp = np.add.outer(np.arange(1201), np.arange(1201)).astype(">i2")
    path.write_bytes(ramp.tobytes())
    return path


def test_the_table_has_what_the_sources_of_live_heights_say():
    known = {item.dataset_id: item for item in load_height_errors()}
    for provider in all_providers():
        if provider.vertical_error_m is not None:
            assert known[provider.id].steps == ((0.0, provider.vertical_error_m),)
            assert provider.title.startswith(known[provider.id].title_begins)


def test_unknown_heights_have_the_error_that_the_study_states(tmp_path):
    assert read(write(tmp_path / "mine.tif")).vertical_error_m == 5.0


@pytest.mark.parametrize(
    ("tags", "error_m"),
    [({DATASET_TAG: "srtm"}, 9.7), ({ERROR_TAG: "3.5"}, 3.5), ({DATASET_TAG: "mine", ERROR_TAG: "3.5"}, 3.5)],
)
def test_a_tag_says_it(tags, error_m, tmp_path):
    assert read(tagged(tmp_path / "mine.tif", **tags)).vertical_error_m == error_m


@pytest.mark.parametrize("text", ["nan", "0", "-3", "1e9", "many", "9" * 500])
def test_a_tag_that_is_no_error_is_refused(text, tmp_path):
    with pytest.raises(SourceError, match=r"HEIGHTS_ERROR_M is .* no error in metres"):
        read(tagged(tmp_path / "mine.tif", **{ERROR_TAG: text}))


def test_names_of_publishers_say_it(tmp_path):
    assert read(hgt(tmp_path / "N45E010.hgt")).vertical_error_m == 9.7
    name = "Copernicus_DSM_COG_10_N45_00_E010_00_DEM.tif"
    assert read(write(tmp_path / name)).vertical_error_m == 2.4


def test_a_raster_joined_from_tiles_is_what_its_tiles_are(tmp_path):
    write(tmp_path / "tile.tif")
    tile = np.zeros((3600, 3600), dtype=np.float32) + 100
    write_mosaic(tmp_path / "any.tif", AREA, [(45, 10)], 12, lambda _: tile, {DATASET_TAG: "srtm", ERROR_TAG: "9.7"})
    shutil.copy(tmp_path / "any.tif", tmp_path / "other.tif")
    assert read(tmp_path / "other.tif").vertical_error_m == 9.7
    with pytest.raises(SourceError):
        read_geotiff_tile(tmp_path / "tile.tif")


def test_globe_is_off_by_terrain_also_as_a_copy_under_another_name(tmp_path):
    packaged, copy = read(GLOBE, area=SYUNIK), read(shutil.copy(GLOBE, tmp_path / "mine.tif"), area=SYUNIK)
    assert known_source(tmp_path / "mine.tif", "elevation") is None
    np.testing.assert_array_equal(packaged.pixel_error_m, copy.pixel_error_m)
    slopes, errors = slope_deg(packaged), packaged.pixel_error_m
    assert (errors[slopes < 1] == 16).all()
    assert (errors[(slopes >= 4) & (slopes < 8)] == 61).all()
    assert (errors[slopes >= 8] == 74).all()
    assert packaged.vertical_error_m == pytest.approx(np.sqrt(np.mean(errors.astype(float) ** 2)))
    assert (packaged.local_error_m >= errors).all()


def test_draws_are_as_large_as_the_error_where_they_lie():
    dem = read(GLOBE, area=SYUNIK)
    fields = list(draw_errors(dem, 300, seed=1))
    spread = np.std([field.values_m for field in fields], axis=0)
    rows, cols = np.indices(spread.shape)
    lon, lat = fields[0].grid.centres(rows.ravel().astype(float), cols.ravel().astype(float))
    wanted = dem.pixel_error_m[dem.pixels_at(lon, lat)].reshape(spread.shape)
    # 300 draws give a standard deviation to within 4 %; at the rim of the noise it is mirrored and larger.
    inside = (slice(4, -4), slice(4, -4))
    assert np.median(spread[inside] / wanted[inside]) == pytest.approx(1, abs=0.03)


def test_each_pixel_has_the_error_of_the_file_that_it_came_from(tmp_path):
    with rasterio.open(write(tmp_path / "a.tif")) as raster:
        heights, profile = raster.read(1), raster.profile
    heights[:, 60:] = profile["nodata"] = -9999
    with rasterio.open(tmp_path / "west.tif", "w", **profile) as raster:
        raster.write(heights, 1)
        raster.update_tags(**{DATASET_TAG: "copernicus"})
    dem = read(tmp_path / "west.tif", tagged(tmp_path / "all.tif", **{DATASET_TAG: "srtm"}))
    assert set(np.unique(dem.pixel_error_m)) == {np.float32(2.4), np.float32(9.7)}
    assert dem.error_at_m([10.2, 10.9], [45.5, 45.5]).tolist()[0] < dem.error_at_m([10.9], [45.5])[0]


def test_a_folder_may_have_a_table_of_its_own(tmp_path):
    shutil.copy(data_root() / "reference" / "sources.csv", tmp_path)
    head = "dataset_id,title_begins,file_names,from_slope_deg,error_m,source_ids,note\n"
    (tmp_path / "height_errors.csv").write_text(f"{head}mine,,mine.tif,0,3,geonames,\nmine,,,5,9,geonames,\n")
    (found,) = load_height_errors(tmp_path)
    assert (found.steps, found.file_names) == (((0.0, 3.0), (5.0, 9.0)), ("mine.tif",))
    (tmp_path / "height_errors.csv").write_text(f"{head}mine,,mine.tif,1,3,geonames,\nmine,,,1,9,nobody,\n")
    with pytest.raises(CatalogueError, match=r"begin at 0.*'nobody'"):
        load_height_errors(tmp_path)
