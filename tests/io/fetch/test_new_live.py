"""A study of two places from live data: map, heights and borders of a server on this machine, to a page."""

from __future__ import annotations

import gzip
import tomllib
import zipfile
from functools import partial

import pytest

from corridor.io.read import osm
from corridor.pipeline import new_study
from tests.command import run_command
from tests.io.fetch.conftest import set_addresses
from tests.io.fetch.server import OsmMap, Server, hgt
from tests.synthetic.ground import height_m
from tests.synthetic.osm import STREETS, WAYS, with_countries, write_osm

ROADS = [*WAYS, *STREETS, ([(10.62, 45.5), (10.63, 45.5)], {"highway": "primary", "name": "Ridge road"})]
NEW = ["new", "midway", "--from", "45.5,10.1", "--to", "45.5,10.9", "--live"]


@pytest.fixture(scope="module")
def whole_map(tmp_path_factory):
    return OsmMap(with_countries(write_osm(tmp_path_factory.mktemp("map") / "map.osm", ROADS), outer=True))


@pytest.fixture
def live(whole_map, monkeypatch):
    with Server(whole_map) as running:
        # a study of 63 km asks for 33 km of ground about both ends
        running.files |= {
            f"/skadi/N{lat}/N{lat}E{lon:03d}.hgt.gz": hgt(height_m, lat, lon) for lat in (45,) for lon in (9, 10, 11)
        }
        set_addresses(running, monkeypatch)
        yield running


def test_from_nothing_to_a_page_on_live_data(live, cache, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    call = partial(run_command, monkeypatch, capfd)
    code, said, err = call(*NEW, "--cache", cache, "--run", "--out", "results")
    assert code == 0, err
    assert said.splitlines()[-2:] == ["midway.toml", str(tmp_path / "results" / "comparison.html")]
    content = tomllib.loads((tmp_path / "midway.toml").read_text(encoding="utf-8"))
    assert content["sources"] == {"borders": "live:osm"}
    assert {tuple(row["countries"]) for row in content["crossings"]} == {("XA", "XB"), ("XB", "XC")}
    asked = len(live.seen)
    # the file runs again on what was fetched, without a request, to the same figures
    code, said, err = call("run", "midway.toml", "--live", "--offline", "--cache", cache, "--out", "again")
    assert code == 0, err
    assert len(live.seen) == asked
    assert (tmp_path / "again" / "metrics.csv").read_bytes() == (tmp_path / "results" / "metrics.csv").read_bytes()
    code, said, err = call("doctor", "midway.toml", "--live", "--offline", "--cache", cache)
    assert code == 0, err
    assert "no catalogue:" in said
    code, _, err = call("doctor", "midway.toml")
    assert code == 2
    assert "--live" in err


def test_what_the_server_lacks_is_one_line_and_nothing_is_written(live, cache, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    call = partial(run_command, monkeypatch, capfd)
    live.files = {}
    code, _, err = call(*NEW, "--cache", cache, "-q")
    assert code == 2
    assert "has no tile N45E009" in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "midway.toml").exists()


@pytest.mark.parametrize("has_areas", [True, False])
def test_a_server_without_borders_leaves_countries_unknown_and_says_so(
    has_areas, live, cache, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    call = partial(run_command, monkeypatch, capfd)
    live.has_areas = has_areas
    live.osm = OsmMap(write_osm(tmp_path / "bare.osm", ROADS))
    # ground whose countries nobody knows may lack a tile
    del live.files["/skadi/N45/N45E009.hgt.gz"]
    code, said, err = call(*NEW, "--cache", cache, "-q", "--run", "--out", "results")
    assert code == 0, err
    says = "knows no feature with admin_level" if has_areas else "it can't say in which country the area lies"
    assert says in said
    if not has_areas:
        return
    assert "no borders: countries are unknown and no border is ever closed" in said
    content = tomllib.loads((tmp_path / "midway.toml").read_text(encoding="utf-8"))
    assert "borders" not in content.get("sources", {})
    assert "crossings" not in content
    code, _, err = call("run", "midway.toml", "--live", "--offline", "--cache", cache, "--out", "again", "-q")
    assert code == 0, err
    assert (tmp_path / "again" / "metrics.csv").read_bytes() == (tmp_path / "results" / "metrics.csv").read_bytes()


def test_andorra_from_a_server(data_folder, cache, tmp_path, monkeypatch, capfd):
    """Real roads, SRTM3 and boundaries that an extract cut: the server gives what the map has of them."""
    here = data_folder / "andorra"
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(here / "N42E001.hgt.zip") as packed:
        heights = packed.read(packed.namelist()[0])
    words = ["new", "envalira", "--from", "42.5465,1.7309", "--to", "42.4636,1.4910", "--live", "--run"]
    with Server(OsmMap(here / "andorra.osm.pbf")) as running:
        running.files["/skadi/N42/N42E001.hgt.gz"] = gzip.compress(heights, 1)
        set_addresses(running, monkeypatch)
        code, said, err = run_command(
            monkeypatch, capfd, *words, "--borders", here / "borders.geojson", "--cache", cache, "--out", "out"
        )
    assert code == 0, err
    assert said.splitlines()[-1].endswith("comparison.html")


def test_a_source_of_heights_is_written_into_the_study_and_no_file_of_the_cache(
    live, cache, tmp_path, monkeypatch, capfd
):
    """The path of what was fetched stood in the file, which ran no more once the cache was cleared."""
    monkeypatch.chdir(tmp_path)
    call = partial(run_command, monkeypatch, capfd)
    code, _, err = call(*NEW, "--dem", "srtm", "--cache", cache)
    assert code == 0, err
    content = tomllib.loads((tmp_path / "midway.toml").read_text(encoding="utf-8"))
    assert content["sources"] == {"borders": "live:osm"}
    assert content["live"] == {"dem": "srtm"}
    for wrong in (["--dem", "srtm", "--dem", "N45E009.hgt"], ["--dem", "srtm"]):
        words = [word for word in NEW if word != "--live" or len(wrong) == 4]
        code, _, err = call(*words, *wrong, "--cache", cache, "--force")
        assert (code, err.count("\n")) == (2, 1)
        assert "'srtm' is fetched; name it alone, with --live" in err


@pytest.mark.parametrize("option", ["--osm", "--dem", "--borders"])
def test_a_file_that_is_not_there_is_told_before_anything_is_fetched(live, cache, tmp_path, monkeypatch, capfd, option):
    monkeypatch.chdir(tmp_path)
    code, said, err = run_command(monkeypatch, capfd, *NEW, option, "misspelled.file", "--cache", cache, "--quiet")
    assert (code, said, err.count("\n")) == (2, "", 1)
    assert "misspelled.file: no such file" in err
    assert not live.seen


def test_a_given_map_with_a_named_place_is_read_once(live, cache, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    path = with_countries(write_osm(tmp_path / "map.osm", ROADS), outer=True)
    read, calls = osm.read_osm, []
    for module in (osm, new_study):
        monkeypatch.setattr(module, "read_osm", lambda file: calls.append(file) or read(file))
    words = ["new", "midway", "--from", "Highfold <b>", "--to", "45.5,10.9", "--live", "--osm", path]
    code, _, err = run_command(monkeypatch, capfd, *words, "--cache", cache)
    assert code == 0, err
    assert calls == [path]
