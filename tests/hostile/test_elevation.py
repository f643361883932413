"""Rasters that aren't heights in metres, or lie about themselves: refused in one line, before memory is asked for."""

from __future__ import annotations

import gzip
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from corridor.errors import SourceError
from corridor.geo.rasters import heights_files
from corridor.io.read.elevation import compare_known, read_dem
from tests.synthetic.ground import height_m

AREA = (10.0, 45.0, 11.0, 46.0)
LON, LAT = np.arange(9.905, 11.1, 0.01), np.arange(46.095, 44.9, -0.01)
HEIGHTS = height_m(LON[None, :], LAT[:, None])
PLACE = Affine(0.01, 0, 9.9, 0, -0.01, 46.1)


def read(*paths: Path):
    return read_dem(list(paths), AREA, source=None, vertical_error_m=10.0, error_range_km=5.0)


def write(path: Path, heights=HEIGHTS, *, transform=PLACE, crs="EPSG:4326", unit="", bands=1, scale=1.0, **options):
    heights = np.asarray(heights, dtype=options.pop("dtype", "float32"))
    shape = {"height": heights.shape[0], "width": heights.shape[1], "count": bands, "dtype": heights.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **shape, **options) as raster:
            for band in range(bands):
                raster.write(heights, band + 1)
            if unit:
                raster.units = (unit,)
            if scale != 1:
                raster.scales = (scale,)
    return path


REFUSED = {
    "heights up": ({"heights": HEIGHTS[::-1], "transform": Affine(0.01, 0, 9.9, 0, 0.01, 44.9)}, "isn't a north-up"),
    "rotated": ({"transform": Affine(0.01, 0.002, 9.9, 0.002, -0.01, 46.1)}, "isn't a north-up raster; warp it"),
    "lon and lat swapped": (
        {"heights": HEIGHTS.T, "transform": Affine(0.01, 0, 44.9, 0, -0.01, 11.1)},
        "doesn't reach the study area .it covers 44.9 to 46.1 E, 9.9 to 11.1 N: are latitude and longitude swapped",
    ),
    "0 to 360": ({"transform": Affine(0.01, 0, 369.9, 0, -0.01, 46.1)}, "write longitudes from -180 to 180"),
    "no system": ({"crs": None}, "no coordinate reference system; set one"),
    "plant's own system": ({"crs": 'LOCAL_CS["x",UNIT["metre",1]]'}, "not readable as an elevation raster"),
    "feet by its unit": ({"unit": "foot"}, "says that its heights are in feet; convert"),
    "feet by its system": ({"crs": "EPSG:4326+6360"}, "says that its heights are in feet; convert"),
    "feet by their size": ({"heights": HEIGHTS * 3.28 + 8000}, "holds heights like .* convert feet to metres"),
    "scaled": ({"scale": 0.1}, "stores scaled heights"),
    "three bands": ({"bands": 3}, "has 3 bands; take the one with heights out"),
    "a picture": ({"dtype": "uint8"}, "numbers of 8 bits"),
    "complex": ({"dtype": "complex64"}, "complex numbers"),
    "wrapped around": (
        {"heights": np.where(HEIGHTS > 300, 65436, HEIGHTS), "dtype": "uint16"}, "holds heights like 65436",
    ),
    "nan alone": ({"heights": np.full_like(HEIGHTS, np.nan)}, "holds no height between"),
    "infinite": ({"heights": np.full_like(HEIGHTS, np.inf)}, "holds no height between"),
    "one pixel": ({"transform": Affine(50, 0, -170, 0, -50, 80)}, "too coarse for the area"),
    "pixels of nothing": ({"transform": Affine(1e-300, 0, 10.5, 0, -1e-300, 45.5)}, "its pixels are 1e-295 m wide"),
    "pixels of next to nothing": ({"transform": Affine(1e-12, 0, 10.0, 0, -1e-12, 46.0)}, "its pixels are 1e-07 m"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_heights_is_refused(name, tmp_path, capfd):
    options, says = REFUSED[name]
    options = {"heights": np.clip(HEIGHTS, 0, 250)} | options if name == "a picture" else options
    with pytest.raises(SourceError, match=rf"a\.tif: .*{says}") as caught:
        read(write(tmp_path / "a.tif", **options))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("fill", [-32768, -9999, 32767, np.inf, -np.inf, np.nan, 3.4e38])
def test_what_stands_for_unknown_is_no_height(fill, tmp_path):
    heights = np.where(HEIGHTS > 300, fill, HEIGHTS)
    dem = read(write(tmp_path / "a.tif", heights))
    assert np.isnan(dem.heights_m).mean() == pytest.approx((HEIGHTS > 300).mean(), abs=0.01)
    assert np.nanmax(dem.heights_m) <= 300


def test_no_ground_is_invented_outside_a_warped_raster(tmp_path):
    """A file in metres is askew in degrees; its corners have no height, not height 0."""
    square = np.full((90, 60), 700.0)
    dem = read(
        write(tmp_path / "a.tif", square, crs="EPSG:32632", transform=Affine(1000, 0, 590000, 0, -1000, 5090000))
    )
    assert np.isnan(dem.heights_m).any()
    assert np.nanmin(dem.heights_m) == 700.0


def header_only(width: int, height: int, rows_per_strip: int, packing: int) -> bytes:
    """A GeoTIFF of 16-bit heights that has a header and 64 bytes."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, packing), (262, 3, 1), (273, 4, 400),
            (277, 3, 1), (278, 4, rows_per_strip), (279, 4, 64)]  # fmt: skip
    at = 10 + 12 * (len(tags) + 3) + 4
    text = struct.pack("<2sHIH", b"II", 42, 8, len(tags) + 3)
    for tag, kind, value in tags:
        text += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
    for tag, kind, count, offset in ((33550, 12, 3, at), (33922, 12, 6, at + 24), (34735, 3, 16, at + 72)):
        text += struct.pack("<HHII", tag, kind, count, offset)
    text += struct.pack("<I3d6d", 0, 1.4 / width, 1.4 / height, 0, 0, 0, 0, 9.8, 46.2, 0)
    text += struct.pack("<16H", 1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    return text.ljust(464, b"\0")


@pytest.mark.parametrize("packing", [1, 5])
@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (12_000, 12_000)])
def test_huge_dimensions_take_no_memory(size, packing, tmp_path, capfd):
    import resource

    path = tmp_path / "a.tif"
    path.write_bytes(header_only(*size, size[1], packing))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match=r"a\.tif: "):
        read(path)
    path.write_bytes(header_only(*size, 1, packing))
    with pytest.raises(SourceError, match=r"a\.tif: "):
        read(path)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 600
    assert capfd.readouterr() == ("", "")


def tile(side: int, height: int = 300) -> bytes:
    return struct.pack(">h", height) * side**2


@pytest.mark.parametrize("spoil", [lambda text: text.replace("7 ", "a" * 5000, 1), lambda text: text[:-99]])
def test_an_ascii_grid_that_gdal_would_read_for_ever_is_refused(spoil, tmp_path):
    text = "ncols 120\nnrows 120\nxllcorner 9.9\nyllcorner 44.9\ncellsize 0.01\n" + ("7 " * 120 + "\n") * 120
    path = tmp_path / "heights.asc"
    path.write_text(spoil(text))
    with pytest.raises(SourceError, match=r"holds a word that is no height|fewer heights than its 120 rows"):
        read(path)


def test_hgt_tiles(tmp_path):
    path = tmp_path / "N45E010.hgt"
    for side in (1201, 3601):
        path.write_bytes(tile(side))
        assert read(path).heights_m.shape == (side, side)
    for content in (tile(1000), tile(1201) + b"x", tile(1201)[:-1], tile(1200), b"\0"):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=f"N45E010.hgt: has {len(content):,} bytes of heights, an HGT tile has"):
            read(path)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="is empty; fetch"):
        read(path)
    other = tmp_path / "heights.hgt"
    other.write_bytes(tile(1201))
    with pytest.raises(SourceError, match=r"heights\.hgt: an HGT tile says by its name alone where it lies; name it"):
        read(other)


def test_packed_hgt_tiles(tmp_path):
    path = tmp_path / "N45E010.hgt.gz"
    path.write_bytes(gzip.compress(tile(1201)))
    assert read(path).heights_m[0, 0] == 300
    noise = np.random.default_rng(0).integers(0, 900, 1201**2).astype(">i2").tobytes()
    for content, says in ((gzip.compress(noise)[:-90_000], "broken gzip"), (b"x" * 99, "broken gzip"),
                          (gzip.compress(bytes(100_000_000), 1), "has 25,934,403 bytes")):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(SourceError, match=f"N45E010.hgt.gz: .*{says}"):
            read(path)


def test_zipped_hgt_tiles(tmp_path):
    path = tmp_path / "N45E010.SRTMGL3.hgt.zip"

    def pack(*tiles, content=None):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in tiles:
                archive.writestr(name, tile(1201) if content is None else content)

    pack("N45E010.hgt")
    assert read(path).heights_m[0, 0] == 300
    assert heights_files(path) == (path,)
    for members in ((), ("N45E010.hgt", "N46E010.hgt"), ("../N45E010.hgt",), ("heights.hgt",), ("N45E010.hgt/x",)):
        pack(*members)
        with pytest.raises(SourceError, match="doesn't hold one tile such as"):
            read(path)
    pack("N45E010.hgt", content=bytes(100_000_000))
    with pytest.raises(SourceError, match="has 100,000,000 bytes of heights"):
        read(path)
    path.write_bytes(b"x" * 99)
    with pytest.raises(SourceError, match="broken zip file"):
        read(path)


VRT = ('<VRTDataset rasterXSize="100" rasterYSize="100"><SRS>EPSG:4326</SRS><GeoTransform>9.9,0.012,0,46.1,0,-0.012'
       '</GeoTransform><VRTRasterBand dataType="Float32" band="1"{0}</VRTRasterBand></VRTDataset>')  # fmt: skip
SOURCE = '><SimpleSource><SourceFilename relativeToVRT="1">{0}</SourceFilename></SimpleSource>'


def test_vrts_that_lead_nowhere_or_run_programs(tmp_path, capfd):
    code = f"<PixelFunctionCode>open('{tmp_path}/ran', 'w')</PixelFunctionCode>"
    kind = "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
    program = f' subClass="VRTDerivedRasterBand">{kind}{code}'
    for inside in (SOURCE.format("a.vrt"), SOURCE.format("none.tif"), program):
        (tmp_path / "a.vrt").write_text(VRT.format(inside))
        with pytest.raises(SourceError, match=r"a\.vrt: not readable as an elevation raster"):
            read(tmp_path / "a.vrt")
    assert not (tmp_path / "ran").exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("spoil", ["feet", "upside down", "mirrored", "sound", "half a tunnel"])
def test_known_heights_find_what_the_file_does_not_say(spoil, tmp_path):
    ramp = 100 + 1500 * (LON[None, :] - 9.9) + 500 * (46.1 - LAT[:, None])
    changed = {"feet": ramp * 3.28084, "upside down": ramp[::-1], "mirrored": ramp[:, ::-1]}.get(spoil, ramp)
    dem = read(write(tmp_path / "a.tif", changed))
    lon, lat = np.array([10.1, 10.2, 10.3, 10.8, 10.9, 10.7]), np.array([45.2, 45.9, 45.8, 45.1, 45.9, 45.3])
    known = 100 + 1500 * (lon - 9.9) + 500 * (46.1 - lat)
    if spoil == "half a tunnel":
        known[:2] += 900  # two of six known heights are wrong: most agree
    if spoil in {"sound", "half a tunnel"}:
        compare_known(dem, lon, lat, known)
        return
    says = "so they are in feet; convert" if spoil == "feet" else "is it upside down, shifted or of other ground"
    with pytest.raises(SourceError, match=says):
        compare_known(dem, lon, lat, known)
