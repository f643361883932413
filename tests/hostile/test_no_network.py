"""Files on this machine that name an address: nothing is asked for, whatever GDAL would make of them."""

from __future__ import annotations

import select
import socket

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from corridor.errors import SourceError
from corridor.geo.rasters import heights_files
from corridor.io.read.borders import read_borders
from corridor.terrain.surface import write_terrain
from tests.hostile.test_elevation import HEIGHTS, SOURCE, VRT, read, write


@pytest.fixture
def address():
    """An address of this machine at which every connection is noticed, and none may come."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert not select.select([listening], [], [], 0)[0], "a file on this machine led to a request"


INDEX = "<GDALTileIndexDataset><IndexDataset>/vsicurl/{0}/i.gpkg</IndexDataset><IndexLayer>i</IndexLayer></GDAL{1}>"
TEXTS = {
    "virtual raster called tif": ("a.tif", lambda at: VRT.format(SOURCE.format(f"/vsicurl/{at}/v.tif"))),
    "virtual raster": ("a.vrt", lambda at: VRT.format(SOURCE.format(f"/vsicurl/{at}/v.tif"))),
    "by plain address": ("a.vrt", lambda at: VRT.format(SOURCE.format(f"{at}/v.tif").replace('"1"', '"0"'))),
    "by attribute": ("a.vrt", lambda at: VRT.format(f'><SimpleSource SourceFilename="{at}/v.tif"></SimpleSource>')),
    "by overview": ("a.vrt", lambda at: VRT.format(f"><Overview><SourceFilename>{at}</SourceFilename></Overview>")),
    "tile index": ("a.tif", lambda at: INDEX.format(at, "TileIndexDataset")),
    "map service": ("a.tif", lambda at: f'<GDAL_WMS><Service name="WMS"><ServerUrl>{at}</ServerUrl></Service>'),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_rasters_that_are_texts_with_addresses(name, address, tmp_path, capfd):
    file, text = TEXTS[name]
    path = tmp_path / file
    path.write_text(text(address))
    with pytest.raises(SourceError, match=r"not readable as an elevation raster .*(gdal_translate|gdalbuildvrt)"):
        read(path)
    with pytest.raises(SourceError, match="not readable as an elevation raster"):
        write_terrain(path, tmp_path / "out.tif", "slope")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["", "/vsicurl/"])
def test_a_sound_raster_whose_overviews_lie_at_an_address(kind, address, tmp_path):
    path = write(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"{kind}{address}/ov.tif")
    np.testing.assert_array_equal(read(path).heights_m, HEIGHTS[5:115, 5:115].astype("float32"))
    write_terrain(path, tmp_path / "out.tif", "slope")


def test_a_virtual_raster_names_tiles_beside_it_and_they_count_among_its_files(address, tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    tile = write(folder / "tile.tif")
    inside = ('><SimpleSource><SourceFilename relativeToVRT="1">{0}</SourceFilename><SourceBand>1</SourceBand>'
              '<SrcRect xOff="0" yOff="0" xSize="120" ySize="120"/><DstRect xOff="0" yOff="0" xSize="120" ySize="120"/>'
              "</SimpleSource>")  # fmt: skip
    text = VRT.replace("100", "120").replace("0.012", "0.01")
    (tmp_path / "a.vrt").write_text(text.format(inside.format("tiles/tile.tif")))
    np.testing.assert_array_equal(read(tmp_path / "a.vrt").heights_m, read(tile).heights_m)
    assert heights_files(tmp_path / "a.vrt") == (tmp_path / "a.vrt", tile)
    assert len(read(tmp_path / "a.vrt").source.sha256.split()) == 2
    # out of the folder, by a link, or a tile that is itself a text with an address
    (folder / "up.vrt").write_text(text.format(inside.format("../a.tif")))
    write(tmp_path / "a.tif")
    (folder / "link.tif").symlink_to(tmp_path / "a.tif")
    (folder / "link.vrt").write_text(text.format(inside.format("link.tif")))
    (folder / "N45E010.hgt").write_text(VRT.format(SOURCE.format(f"/vsicurl/{address}/v.tif")).ljust(2 * 1201**2))
    (folder / "hgt.vrt").write_text(text.format(inside.format("N45E010.hgt")))
    for name, says in (
        ("up", "doesn't lie beside it"),
        ("link", "doesn't lie beside it"),
        ("hgt", "neither a GeoTIFF"),
    ):
        with pytest.raises(SourceError, match=says):
            read(folder / f"{name}.vrt")


BORDERS = {
    "virtual": ("<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/vsicurl/{0}/b.geojson</SrcDataSource>"
                "</OGRVRTLayer></OGRVRTDataSource>", "is no GeoJSON"),
    "service": ("<OGRWFSDataSource><URL>{0}/wfs</URL></OGRWFSDataSource>", "is no GeoJSON"),
    "link": ('{{"type":"FeatureCollection","crs":{{"type":"link","properties":{{"href":"{0}/crs","type":"proj4"}}}},'
             '"features":[]}}', "a link is not followed"),
    "both": ('{{"x":"<OGRWFSDataSource><URL>{0}/wfs</URL></OGRWFSDataSource>","type":"FeatureCollection",'
             '"features":[]}}', "holds no polygon"),
}  # fmt: skip


@pytest.mark.parametrize("name", BORDERS)
def test_borders_that_name_an_address(name, address, tmp_path):
    text, says = BORDERS[name]
    path = tmp_path / "borders.geojson"
    path.write_text(text.format(address))
    with pytest.raises(SourceError, match=says):
        read_borders(path)


@pytest.mark.parametrize("file", ["b.geojson", "b.gpkg", "b.shp", "b.fgb"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32632"])
def test_borders_of_every_format_are_the_same(file, crs, tmp_path):
    shapes = [shapely.box(10, 45, 10.5, 46), shapely.MultiPolygon([shapely.box(10.5, 45, 11, 46)])]
    frame = gpd.GeoDataFrame({"country": ["XA", "XB"], "name": ["Ä", "B"]}, geometry=shapes, crs="EPSG:4326")
    options = {"RFC7946": "NO"} if file == "b.geojson" else {}
    frame.to_crs(crs).to_file(tmp_path / file, **options)
    found = read_borders(tmp_path / file)
    assert found.names == {"XA": "Ä", "XB": "B"}
    np.testing.assert_allclose(shapely.area(found.countries.geometry), 0.5, rtol=1e-6)
