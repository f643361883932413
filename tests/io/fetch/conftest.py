"""A made-up study whose live data a server on this machine gives."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.command import run_command
from tests.io.fetch.server import OsmMap, Server, hgt
from tests.synthetic import build
from tests.synthetic.ground import height_m

TILE = "/skadi/N45/N45E010.hgt.gz"
QUERY = "/api/interpreter"


@pytest.fixture(scope="session")
def midland_map(tmp_path_factory) -> Path:
    """The folder of the made-up study; its map is what the server answers from."""
    return build(tmp_path_factory.mktemp("live") / "midland").parent


@pytest.fixture(scope="session")
def tile() -> bytes:
    return hgt(height_m, 45, 10)


@pytest.fixture(scope="session")
def osm_map(midland_map) -> OsmMap:
    return OsmMap(midland_map / "map.osm")


def set_addresses(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every source of live data is this server, and waits are short."""
    settings = {
        "OVERPASS_URL": f"{running.url}/api",
        "GEOFABRIK_URL": f"{running.url}/geofabrik",
        "SKADI_URL": f"{running.url}/skadi",
        "COPERNICUS_URL": f"{running.url}/glo30",
        "COPERNICUS_90_URL": f"{running.url}/glo90",
        "DEM_MEGAPIXELS": "0.5",
        "HTTP_TRIES": "3",
        "HTTP_PAUSE_S": "0.01",
        "HTTP_TIMEOUT_S": "10",
        "HTTP_TOTAL_S": "120",
        "QUERY_PAUSE_S": "0",
        "BUSY_PAUSE_S": "0",
        "QUERY_TIMEOUT_S": "2",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CORRIDOR_{name}", value)


@pytest.fixture
def server(osm_map, tile, monkeypatch):
    """A server with the study's roads and its one tile; every address is set to it, waits are short."""
    with Server(osm_map) as running:
        running.files[TILE] = tile
        set_addresses(running, monkeypatch)
        yield running


@pytest.fixture
def study(midland_map, tmp_path) -> Path:
    """A copy of the study, beside which a test may write."""
    import shutil

    shutil.copytree(midland_map, tmp_path / "midland")
    return tmp_path / "midland" / "midland.toml"


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def call(monkeypatch, capfd):
    """Exit code, stdout and stderr of the command line, called as the installed command calls it."""
    return partial(run_command, monkeypatch, capfd)
