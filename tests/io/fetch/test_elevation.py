"""Sources of elevation: each states the same facts and follows from its one file; nothing half-added can be fetched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from corridor.errors import FetchError, StudyError
from corridor.io.fetch import elevation
from corridor.io.fetch.elevation import REGISTRY, all_providers, get_provider, provider_ids
from corridor.io.fetch.elevation_provider import AddressSetting, TiledElevation, register
from corridor.io.fetch.fetch_inputs import resolve_live
from corridor.schema.settings import MOST_HEIGHTS, LiveSettings
from tests.copied_package import add_file, copy_package, run_copy
from tests.synthetic.ground import height_m

from .test_sources import cog

every_provider = pytest.mark.parametrize("provider", all_providers(), ids=provider_ids())


def test_ids_are_known_before_anything_is_imported():
    said = subprocess.run(
        [sys.executable, "-c", "import json, sys; from corridor.io.fetch.elevation import provider_ids\n"
         "print(json.dumps([provider_ids(), 'numpy' in sys.modules]))"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(said) == [list(provider_ids()), False]
    files = {path.stem.replace("_", "-") for path in Path(elevation.__file__).parent.glob("[!_]*.py")}
    assert set(provider_ids()) == files >= {"srtm", "copernicus"}


@every_provider
def test_addresses_are_settings_and_variables(provider, monkeypatch):
    settings = resolve_live(LiveSettings())
    for key, setting in provider.settings.items():
        assert key.endswith("_url")
        assert settings.address(key) == setting.default
        assert resolve_live(LiveSettings(**{key: "https://here.org/a/"})).address(key) == "https://here.org/a"
        monkeypatch.setenv(f"CORRIDOR_{key.upper()}", "https://there.org/b")
        assert resolve_live(LiveSettings(**{key: "https://here.org/a/"})).address(key) == "https://there.org/b"


@every_provider
def test_every_tile_has_an_address_on_its_servers(provider):
    settings = resolve_live(LiveSettings())
    files = provider.tile_files((-5, -72), settings)
    assert len(files) == len(provider.settings)
    for (address, title), setting in zip(files, provider.settings.values(), strict=True):
        assert address.startswith(f"{setting.default}/")
        assert "S05" in address
        assert "W072" in title


@every_provider
def test_the_error_and_the_licence_are_stated(provider):
    assert 0 < provider.vertical_error_m < 100
    assert provider.licence
    assert provider.publisher


def test_no_raster_is_joined_that_would_be_refused_when_it_is_read():
    assert LiveSettings(dem_megapixels=MOST_HEIGHTS / 1e6).dem_megapixels == 200
    with pytest.raises(ValidationError, match="dem_megapixels"):
        LiveSettings(dem_megapixels=MOST_HEIGHTS / 1e6 + 1)


def test_a_server_that_no_source_has_is_refused_with_the_nearest():
    with pytest.raises(StudyError, match=r"live.skady_url: no source has such a server \(did you mean 'skadi_url'\?\)"):
        resolve_live(LiveSettings(skady_url="https://example.org"))
    with pytest.raises(ValueError, match="skadi url: is no setting"):
        LiveSettings.model_validate({"skadi url": "https://example.org"})
    with pytest.raises(ValueError, match="password"):
        LiveSettings(skadi_url="https://me:secret@example.org")
    with pytest.raises(StudyError, match=r"live\.dem: must be 'srtm'"):
        resolve_live(LiveSettings(dem="lidar"))


def test_lists_are_written_between_commas_in_a_variable(monkeypatch):
    monkeypatch.setenv("CORRIDOR_GEOFABRIK_EXTRACTS", "europe/malta, asia/iran")
    monkeypatch.setenv("CORRIDOR_HTTP_TRIES", "")
    settings = resolve_live(LiveSettings(http_tries=7, geofabrik_extracts=("asia/armenia",)))
    assert settings.geofabrik_extracts == ("europe/malta", "asia/iran")
    assert settings.http_tries == 7


class Full(TiledElevation):
    """A source that has everything."""

    id = "full"
    summary = title = publisher = licence = date = "x"
    vertical_error_m = 1.0
    settings = {"full_url": AddressSetting("https://example.org/full", "a server")}  # noqa: RUF012

    def tile_files(self, tile, settings):
        return []

    def read_tile(self, path):
        return np.zeros((2, 2), dtype=np.float32)


@pytest.fixture
def restored():
    """The registry as it was, after a test that adds to it."""
    before = dict(REGISTRY._known)
    yield
    REGISTRY._known.clear()
    REGISTRY._known.update(before)


@pytest.mark.usefixtures("restored")
def test_a_source_from_elsewhere_is_there_once_it_is_registered():
    before = provider_ids()
    register(Full)
    assert set(provider_ids()) == {*before, "full"}
    assert resolve_live(LiveSettings(dem="full")).address("full_url") == "https://example.org/full"
    with pytest.raises(FetchError, match="source of elevation 'ful' is unknown"):
        get_provider("ful")


@pytest.mark.parametrize("fact", ["id", "summary", "title", "publisher", "licence", "vertical_error_m", "settings"])
@pytest.mark.usefixtures("restored")
def test_a_source_that_doesn_t_state_a_fact_is_refused(fact):
    with pytest.raises(FetchError, match=rf"Half: doesn't state {fact} \("):
        register(type("Half", (Full,), {fact: None}))
    facts = {name: getattr(Full, name) for name in ("id", "summary", "title", "publisher", "licence", "date")}
    with pytest.raises(FetchError, match="doesn't define read_tile, tile_files"):
        register(type("Half", (TiledElevation,), facts | {"vertical_error_m": 1.0, "settings": {}}))


def test_a_new_source_is_one_file(server, study, cache, call, tmp_path, monkeypatch):
    """The file of the page on extending, added to a copy of the package, which then fetches from a server."""
    copy_package(tmp_path)
    server.files["/hills/N45E010.tif"] = cog(1200, 45, 10)
    monkeypatch.setenv("CORRIDOR_HILL_TILES_URL", f"{server.url}/hills")
    assert "hill-tiles" not in call("fetch", "--help")[1]
    add_file(tmp_path, "hill_tiles.py", "corridor/io/fetch/elevation")
    assert "hill-tiles" in run_copy(tmp_path, "fetch", "--help").stdout
    done = run_copy(tmp_path, "run", study, "--live", "--dem", "hill-tiles", "--cache", cache, "--out", "out", "-q")
    assert done.returncode == 0, done.stderr
    (found,) = cache.glob("files/*/hill-tiles-*.tif")
    with rasterio.open(found) as raster:
        row, column = 300, 200
        lon, lat = raster.transform * (column + 0.5, row + 0.5)
        assert raster.read(1)[row, column] == pytest.approx(height_m(lon, lat), abs=5)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    text = json.dumps(manifest)
    assert "CC BY 4.0" in text
    assert "Hill survey" in text
