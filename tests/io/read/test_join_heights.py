"""Rasters with different pixels on one grid: planes stay planes, voids are filled, pixels keep their resolution."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from corridor.errors import SourceError
from corridor.io.read.elevation import read_dem
from corridor.terrain.surface import write_terrain
from tests.hostile.test_elevation import HEIGHTS, REFUSED, write

AREA = (10.0, 45.0, 11.0, 46.0)


def plane(lon, lat):
    return 300 + 1000 * (lon - 9.9) + 500 * (46.1 - lat)


def read(*paths):
    return read_dem(list(paths), AREA, source=None, vertical_error_m=10.0, error_range_km=5.0)


def sheet(path, west, east, step, *, off=0.0, height=plane, crs="EPSG:4326"):
    """A raster of a surface from 44.8 to 46.2 N whose first pixel's centre lies ``off`` pixels from whole ones."""
    lon, lat = np.arange(west + off * step, east, step), np.arange(46.2 - off * step, 44.8, -step)
    heights = height(lon[None, :], lat[:, None])
    return write(path, heights, transform=Affine(step, 0, lon[0] - step / 2, 0, -step, lat[0] + step / 2), crs=crs)


def errors_m(dem, height=plane):
    rows, cols = np.indices(dem.grid.shape).astype(float)
    lon, lat = dem.grid.centres(rows, cols)
    return dem.heights_m - height(lon, lat)


@pytest.mark.parametrize("off", [0.0, 0.5, 0.31])
@pytest.mark.parametrize("steps", [(0.01, 0.01), (0.01, 0.004), (0.003, 0.01)])
def test_a_plane_over_two_files_is_exact(steps, off, tmp_path):
    west = sheet(tmp_path / "w.tif", 9.8, 10.5, steps[0])
    east = sheet(tmp_path / "e.tif", 10.4, 11.2, steps[1], off=off)
    for paths in ((west, east), (east, west)):
        found = errors_m(read(*paths))
        assert not np.isnan(found).any()
        np.testing.assert_allclose(found, 0, atol=0.01)


def test_the_order_of_files_throws_no_detail_away(tmp_path):
    coarse, fine = sheet(tmp_path / "c.tif", 9.8, 11.2, 0.02), sheet(tmp_path / "f.tif", 9.8, 11.2, 0.002)
    for paths in ((coarse, fine), (fine, coarse)):
        assert read(*paths).grid.transform.a == pytest.approx(0.002)


def test_each_pixel_knows_the_resolution_of_its_ground(tmp_path):
    sliver = sheet(tmp_path / "fine.tif", 9.8, 10.1, 0.001)
    coarse = sheet(tmp_path / "coarse.tif", 9.8, 11.2, 0.01)
    dem = read(sliver, coarse)
    assert dem.resolution_m == pytest.approx(1111, rel=0.01)
    assert not dem.carries_grades
    assert dem.carries_grades_at([10.0, 10.8], [45.5, 45.5]).tolist() == [True, False]
    alone = read(sheet(tmp_path / "all.tif", 9.8, 11.2, 0.001))
    assert alone.ground_resolution_m is None
    assert alone.carries_grades_at([10.0, 10.8], [45.5, 45.5]).tolist() == [True, True]


def test_a_raster_in_metres_beside_one_in_degrees_has_no_stairs(tmp_path):
    from pyproj import Transformer

    lon_lat = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True)
    x, y = np.meshgrid(np.arange(590000, 760000, 1000.0), np.arange(5130000, 4960000, -1000.0))
    heights = plane(*lon_lat.transform(x, y))
    east = write(tmp_path / "utm.tif", heights, crs="EPSG:32632", transform=Affine(1000, 0, 589500, 0, -1000, 5130500))
    dem = read(sheet(tmp_path / "w.tif", 9.8, 10.3, 0.003), east)
    inner = errors_m(dem)[:, : round(1.1 / 0.003)]
    assert np.isfinite(inner).all()
    assert np.abs(inner).max() < 0.5  # the zone bends the plane a little; stairs would be 6 m


@pytest.mark.parametrize("void", [-9999.0, 0.0, np.nan])
def test_voids_of_one_file_are_filled_from_the_next(void, tmp_path):
    holed = plane(np.arange(9.8, 11.2, 0.01)[None, :], np.arange(46.2, 44.8, -0.01)[:, None])
    holed[50:70, 50:70] = void
    place = Affine(0.01, 0, 9.795, 0, -0.01, 46.205)
    first, second = write(tmp_path / "holed.tif", holed, transform=place), sheet(tmp_path / "all.tif", 9.8, 11.2, 0.01)
    np.testing.assert_allclose(errors_m(read(first, second)), 0, atol=0.01)
    alone = read(first)
    assert np.isnan(alone.heights_m).sum() == 400
    assert ("400 pixels of exactly 0 m" in alone.source.note) == (void == 0)


@pytest.mark.parametrize("height_m", [1.0, -7.0, 2.5])
def test_a_pit_of_one_height_that_no_slope_leads_down_to_is_a_void(height_m, tmp_path):
    """On pixels of 111 m ground that is 150 m higher all around, or stands at 100 m somewhere."""
    place = Affine(0.001, 0, 9.8, 0, -0.001, 46.2)
    ground = np.full((1400, 1400), height_m + 150, dtype=np.float32)
    ground[::2] += 1
    pit = ground.copy()
    pit[500:502, 700:703] = height_m
    dem = read(write(tmp_path / "pit.tif", pit, transform=place))
    assert np.isnan(dem.heights_m).sum() == 6
    (said,) = dem.remarks
    assert said.startswith(
        f"pit.tif: 6 pixels of exactly {height_m:g} m are the lowest of all, lie over 111 m below all"
    )
    lake = pit.copy()
    lake[499, 702] = height_m + 100  # its outlet
    few = ground.copy()
    few[500, 700:703] = height_m
    step = np.where(pit == height_m, height_m + np.arange(1400, dtype=np.float32) / 1000, pit)  # of no one height
    for number, other in enumerate((lake, few, step)):
        assert not read(write(tmp_path / f"{number}.tif", other, transform=place)).remarks


def test_low_ground_at_sea_level_is_no_void(tmp_path):
    coast = np.maximum(HEIGHTS - 250, 0)
    assert (coast == 0).sum() > 100
    assert not read(write(tmp_path / "a.tif", coast)).remarks


ELSEWHERE = {"lon and lat swapped", "0 to 360", "one pixel", "pixels of nothing", "infinite"}
UNITS = {unit: ({"unit": unit}, "not in metres|in feet") for unit in ("dm", "cm", "ftUS", "[ft_us]", "km", "0.1 m")}
ALIKE = {name: kind for name, kind in REFUSED.items() if name not in ELSEWHERE} | UNITS | {
    "above the ellipsoid": ({"crs": "EPSG:4979"}, "above the ellipsoid"),
    "ellipsoid and zone": ({"crs": "EPSG:4326+5773"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_run_and_terrain_refuse_the_same(name, tmp_path):
    options, says = ALIKE[name]
    options = {"heights": np.clip(HEIGHTS, 0, 250)} | options if name == "a picture" else options
    path = write(tmp_path / "a.tif", **options)
    if not says:
        read(path)
        write_terrain(path, tmp_path / "o.tif", "slope")
        return
    for use in (read, lambda path: write_terrain(path, tmp_path / "o.tif", "slope")):
        with pytest.raises(SourceError, match=says):
            use(path)
    assert not (tmp_path / "o.tif").exists()


@pytest.mark.parametrize("unit", ["m", "metre", "Meters", ""])
def test_metres_by_any_name_pass(unit, tmp_path):
    assert np.isfinite(read(write(tmp_path / "a.tif", unit=unit)).heights_m).all()


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:3857", Affine(500, 0, 1_000_000, 0, -500, 8_400_000)), ("EPSG:4807", Affine(0.01, 0, 9, 0, -0.01, 50))],
)
def test_terrain_of_a_map_whose_units_are_no_ground_metres_is_refused(crs, transform, tmp_path):
    """At 60 N a metre of EPSG:3857 is half a metre on the ground; EPSG:4807 counts grads."""
    path = write(tmp_path / "a.tif", crs=crs, transform=transform)
    with pytest.raises(SourceError, match=r"on the ground, so its slopes|units of 'grad'"):
        write_terrain(path, tmp_path / "o.tif", "slope")


def test_terrain_of_packed_and_wrong_tiles(tmp_path):
    import gzip

    ramp = np.add.outer(np.arange(1201), np.arange(1201)).astype(">i2").tobytes()
    packed, wrong = tmp_path / "N46E010.hgt.gz", tmp_path / "N46E010.hgt"
    packed.write_bytes(gzip.compress(ramp, 1))
    wrong.write_bytes(ramp[:-2])
    write_terrain(packed, tmp_path / "o.tif", "slope")
    with rasterio.open(tmp_path / "o.tif") as raster:
        assert raster.shape == (1201, 1201)
    with pytest.raises(SourceError, match="bytes of heights, an HGT tile has"):
        write_terrain(wrong, tmp_path / "p.tif", "slope")
