"""Extracts, Copernicus tiles, a person's own raster, borders and places: each from a server on this machine."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import rasterio
import shapely

from corridor.io.fetch.cache import Cache
from corridor.io.read.borders import read_borders
from corridor.io.read.osm import read_osm
from corridor.io.read.places import read_places
from tests.io.fetch import server as fault
from tests.io.fetch.server import OsmMap, hgt
from tests.synthetic.ground import height_m

EXTRACTS = {
    "/geofabrik/made-up/west-latest.osm.pbf": (9.0, 10.55),
    "/geofabrik/made-up/east-latest.osm.pbf": (10.5, 12),
}


def cop_path(glo: int, lat: int, lon: int) -> str:
    stem = f"Copernicus_DSM_COG_{glo}_N{lat:02d}_00_E{lon:03d}_00_DEM"
    return f"/glo{glo if glo == 30 else 0}/{stem}/{stem}.tif"


def cut(midland_map, west: float, east: float) -> bytes:
    """An extract as real ones are: ways with a vertex inside, whole; sorted; other things too."""
    import osmium

    path = midland_map / f"cut-{west}.osm.pbf"
    if not path.exists():
        with osmium.BackReferenceWriter(str(path), str(midland_map / "map.osm")) as writer:
            for item in osmium.FileProcessor(str(midland_map / "map.osm")).with_locations():
                if item.is_way() and any(west <= node.lon <= east for node in item.nodes):
                    writer.add(item)
    return path.read_bytes()


@pytest.fixture
def extracts(server, midland_map, monkeypatch):
    for path, (west, east) in EXTRACTS.items():
        content = cut(midland_map, west, east)
        server.files[path] = content
        server.files[f"{path}.md5"] = f"{hashlib.md5(content).hexdigest()}  {path.rsplit('/', 1)[1]}\n".encode()
    monkeypatch.setenv("CORRIDOR_GEOFABRIK_EXTRACTS", "made-up/west,made-up/east")
    return server


def one(cache, beginning: str):
    here = Cache(cache)
    return next(here.path(r) for r in here.entries() if r.file.startswith(beginning) and r.made_from)


def test_extracts_give_the_same_roads_as_the_map(extracts, study, cache, call, midland_map):
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache)[0] == 0
    fetched, given = read_osm(one(cache, "osm")), read_osm(midland_map / "map.osm")
    assert fetched.ways["way_id"].tolist() == sorted(given.ways["way_id"])
    assert set(fetched.node_ids) == set(given.node_ids)
    assert len(fetched.source.fetched) == 2
    asked = len(extracts.seen)
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache, "--offline")[0] == 0
    assert len(extracts.seen) == asked


def test_only_ways_of_the_area_are_kept(extracts, study, cache, call):
    """The area ends at 10.45 E: of what lies east of it only ways that come from inside are there."""
    text = study.read_text().replace("area = [10.0, 45.0, 11.0, 46.0]", "area = [10.0, 45.0, 10.45, 46.0]")
    study.write_text(text.replace('destination = "Corvo"', 'destination = "Lone Farm"'))
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache)[0] == 0
    ways = read_osm(one(cache, "osm")).ways
    assert (ways.bounds["minx"] <= 10.45).all()
    assert len(ways) > 5


def test_a_dropped_extract_goes_on_where_it_stopped(extracts, study, cache, call):
    path = next(iter(EXTRACTS))
    content = extracts.files[path]
    extracts.faults.append((path, fault.drop(content, 700)))
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache)[0] == 0
    ranges = [headers.get("Range") for _, asked, headers in extracts.seen if asked == path]
    assert ranges == [None, "bytes=700-"]


def test_an_extract_that_changed_meanwhile_begins_anew(extracts, study, cache, call):
    path = next(iter(EXTRACTS))
    extracts.faults.append((path, fault.drop(b"an older version" * 100, 700)))
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache)[0] == 0
    assert Cache(cache).verify() == []


def test_an_extract_with_another_checksum_is_refused(extracts, study, cache, call):
    path = next(iter(EXTRACTS))
    extracts.files[f"{path}.md5"] = b"0" * 32 + b"  west\n"
    code, _, err = call("fetch", study, "--osm", "geofabrik", "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "MD5" in err
    assert "west-latest" in err
    assert Cache(cache).entries() == []
    assert [p for p in (cache / "partial").iterdir() if p.is_file()] == []
    # It may be hundreds of megabytes: once more and no more.
    assert [asked for _, asked, _ in extracts.seen].count(path) == 2


def test_a_checksum_that_was_renewed_later_is_asked_for_again(extracts, study, cache, call):
    """File and MD5 are renewed one after the other: between them the old one is served for a moment."""
    path = next(iter(EXTRACTS))
    right, answers = extracts.files[f"{path}.md5"], iter([b"0" * 32 + b"  west\n"])
    extracts.files[f"{path}.md5"] = lambda: next(answers, right)
    assert call("fetch", study, "--osm", "geofabrik", "--cache", cache)[0] == 0
    assert [asked for _, asked, _ in extracts.seen].count(path) == 1


def test_extracts_must_be_named(server, study, cache, call):
    code, _, err = call("fetch", study, "--osm", "geofabrik", "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "geofabrik_extracts" in err


def cog(side: int, lat: int, lon: int) -> bytes:
    """A tile of the made-up ground whose samples lie on whole degrees and equal steps from there."""
    step = np.arange(side) / side
    heights = height_m(lon + step[None, :], lat + 1 - step[:, None]).astype(np.float32)
    transform = rasterio.Affine(1 / side, 0, lon - 0.5 / side, 0, -1 / side, lat + 1 + 0.5 / side)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "tiled": True}
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile, transform=transform, width=side, height=side) as raster:
            raster.write(heights, 1)
        return memory.read()


@pytest.mark.parametrize(("glo", "side"), [("/glo30/", 600), ("/glo90/", 300)])
def test_copernicus_takes_the_coarse_tile_where_the_fine_one_is_withheld(glo, side, server, study, cache, call):
    seconds = 10 if glo == "/glo30/" else 30
    stem = f"Copernicus_DSM_COG_{seconds}_N45_00_E010_00_DEM"
    server.files[f"{glo}{stem}/{stem}.tif"] = cog(side, 45, 10)
    assert call("fetch", study, "--dem", "copernicus", "--cache", cache)[0] == 0
    with rasterio.open(one(cache, "copernicus")) as raster:
        rows, columns = np.mgrid[50 : raster.height - 50 : 17, 50 : raster.width - 50 : 17]
        lon, lat = raster.transform * (columns + 0.5, rows + 0.5)
        # bilinear between samples: off only where the ground folds inside a step
        off = np.abs(raster.read(1)[rows, columns] - height_m(lon, lat))
        assert np.quantile(off, 0.95) < 0.5
        assert off.max() < 400 / 0.1 / side
    asked = len(server.seen)
    assert call("fetch", study, "--dem", "copernicus", "--cache", cache)[0] == 0
    assert len(server.seen) == asked


def test_a_tile_over_sea_may_be_missing(server, study, cache, call):
    """Two tiles, the eastern one beyond all countries: it stays open, and is not asked for again."""
    study.write_text(study.read_text().replace("area = [10.0, 45.0, 11.0, 46.0]", "area = [10.0, 45.0, 12.0, 46.0]"))
    borders = study.parent / "borders.geojson"
    borders.write_text(borders.read_text().replace("11.2", "11.0"))
    assert call("fetch", study, "--cache", cache)[0] == 0
    with rasterio.open(one(cache, "srtm")) as raster:
        heights = raster.read(1)
    middle = raster.width // 2
    assert np.isnan(heights[:, middle + 1 :]).all()
    assert np.isfinite(heights[:, : middle - 1]).all()
    asked = len(server.seen)
    assert call("fetch", study, "--cache", cache, "--offline")[0] == 0
    assert len(server.seen) == asked


def test_a_coarser_raster_has_the_means_of_the_samples(server, study, cache, call):
    server.files["/skadi/N45/N45E010.hgt.gz"] = hgt(height_m, 45, 10, 3601)
    assert call("fetch", study, "--cache", cache)[0] == 0
    with rasterio.open(one(cache, "srtm")) as raster:
        assert raster.width in {600, 601}
        row, column = 300, 200
        (lon, lat) = raster.transform * (column + 0.5, row + 0.5)
        step = (np.arange(6) - 2.5) / 3600
        samples = np.rint(height_m(lon + step[None, :], lat + step[:, None]))
        assert raster.read(1)[row, column] == pytest.approx(samples.mean(), abs=0.01)


@pytest.mark.parametrize("prefix", ["", "/vsicurl/"])
def test_a_person_s_own_raster_is_read_from_its_address(prefix, server, study, cache, call, tmp_path):
    server.files["/mine.tif"] = (study.parent / "heights.tif").read_bytes()
    words = ("run", study, "--dem", f"{prefix}{server.url}/mine.tif", "--cache", cache, "-q")
    code, _, err = call(*words, "--out", tmp_path / "live")
    assert code == 0, err
    assert call("run", study, "--dem", study.parent / "heights.tif", "--out", tmp_path / "file", "-q")[0] == 0
    columns = slice(0, -1)
    live, given = ((tmp_path / name / "ranking.csv").read_text()[columns] for name in ("live", "file"))
    assert live == given
    asked = len(server.seen)
    assert call(*words, "--offline", "--out", tmp_path / "live")[0] == 0
    assert len(server.seen) == asked


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fault.status(404), "there is no such file"),
        (fault.web_page, "a web page instead of data"),
        (fault.body(b"II*\0" + bytes(200)), "can't be read as an elevation raster"),
        (fault.redirect("http://example.org/mine.tif"), "redirects to an address that is plain http"),
        (fault.redirect("file:///etc/passwd"), "redirects to an address that must begin with https://"),
    ],
)
def test_an_address_that_gives_no_raster_is_refused(answer, says, server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_HTTP_TRIES", "1")
    server.faults += [("/mine.tif", answer)] * 20
    code, _, err = call("fetch", study, "--dem", f"{server.url}/mine.tif", "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1), err
    assert says in err
    assert "/mine.tif" in err


def test_a_raster_that_has_moved_is_read_where_it_is(server, study, cache, call):
    server.files["/moved/mine.tif"] = (study.parent / "heights.tif").read_bytes()
    server.faults.append(("/mine.tif", fault.redirect("/moved/mine.tif")))
    code, _, err = call("fetch", study, "--dem", f"{server.url}/mine.tif", "--cache", cache, "-q")
    assert code == 0, err
    assert server.asked("/mine.tif").count("/mine.tif") == 1


def test_a_password_in_an_address_is_refused_and_not_told(study, cache, call):
    code, _, err = call("run", study, "--dem", "https://me:secret@example.org/dem.tif", "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "https://example.org/dem.tif: holds a name or password" in err
    assert "secret" not in err


def test_plain_http_to_elsewhere_is_refused(study, cache, call, server):
    code, _, err = call("run", study, "--dem", "http://example.org/dem.tif", "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "ALLOW_HTTP" in err


OSM_XML = """<osm version="0.6">
<node id="1" lat="44.5" lon="9.5"/><node id="2" lat="44.5" lon="10.5"/><node id="3" lat="46.5" lon="10.5"/>
<node id="4" lat="46.5" lon="9.5"/><node id="5" lat="44.5" lon="11.5"/><node id="6" lat="46.5" lon="11.5"/>
<node id="10" lat="45.5" lon="10.1"><tag k="place" v="city"/><tag k="name" v="Астер"/><tag k="name:en" v="Aster"/>
<tag k="population" v="52000"/></node>
<node id="11" lat="45.4" lon="10.9"><tag k="place" v="village"/><tag k="name" v="Corvo&#x202E;"/></node>
<node id="12" lat="45.6" lon="10.9"><tag k="place" v="suburb"/><tag k="name" v="Outer Corvo"/></node>
<way id="1"><nd ref="1"/><nd ref="2"/></way><way id="2"><nd ref="2"/><nd ref="3"/></way>
<way id="3"><nd ref="3"/><nd ref="4"/><nd ref="1"/></way>
<way id="4"><nd ref="2"/><nd ref="5"/><nd ref="6"/><nd ref="3"/></way>
<way id="20"><nd ref="10"/><nd ref="11"/><tag k="highway" v="primary"/></way>
<relation id="1"><member type="way" ref="1" role="outer"/><member type="way" ref="2" role="outer"/>
<member type="way" ref="3" role="outer"/><tag k="type" v="boundary"/><tag k="boundary" v="administrative"/>
<tag k="admin_level" v="2"/><tag k="ISO3166-1:alpha2" v="XA"/><tag k="name" v="Westland"/></relation>
<relation id="2"><member type="way" ref="2" role="outer"/><member type="way" ref="4" role="outer"/>
<tag k="type" v="boundary"/><tag k="boundary" v="administrative"/><tag k="admin_level" v="2"/>
<tag k="ISO3166-1" v="XB"/><tag k="name:en" v="Eastland"/></relation>
</osm>"""


def test_borders_and_places_come_from_the_map_too(study, cache, call, tmp_path, server):
    (tmp_path / "world.osm").write_text(OSM_XML, encoding="utf-8")
    server.osm = OsmMap(tmp_path / "world.osm")
    text = study.read_text().replace('"borders.geojson"', '"live:osm"').replace('"places.csv"', '"live:osm"')
    study.write_text(text)
    code, _, err = call("fetch", study, "--cache", cache)
    assert code == 0, err
    here = Cache(cache)
    found = {entry.file.split("-")[1]: here.path(entry) for entry in here.entries() if "-" in entry.file}
    borders = read_borders(found["borders"])
    assert borders.names == {"XA": "Westland", "XB": "Eastland"}
    assert borders.polygon("XB").equals(shapely.box(10.5, 44.5, 11.5, 46.5))
    places = read_places(found["places"])
    rows = places.frame[["name", "lat", "lon", "country", "alternate_names"]].values.tolist()
    assert rows == [["Aster", 45.5, 10.1, "XA", "Астер"], ["Corvo", 45.4, 10.9, "XB", "Corvo"]]
    assert places.frame["population"][0] == 52000
    code, _, err = call("run", study, "-q")
    assert code == 2
    assert "--live" in err
