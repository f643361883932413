"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from corridor.comparison import Comparison, compare
from corridor.schema.study import Study

# Machines are noisy and kernels compile on first use: a time limit per example would fail at random.
settings.register_profile("corridor", deadline=None)
settings.load_profile("corridor")

ROOT = Path(__file__).resolve().parent.parent
_EXTRACT = "south-caucasus-2021-08.osm.pbf"


@pytest.fixture(scope="session")
def extract_path() -> Path:
    """The real OpenStreetMap extract, which isn't part of the project: CORRIDOR_EXTRACT or ../shared/data."""
    for path in (Path(os.environ.get("CORRIDOR_EXTRACT", "")), ROOT.parent / "shared" / "data" / _EXTRACT):
        if path.is_file():
            return path
    pytest.skip(f"the real extract {_EXTRACT} isn't here; set CORRIDOR_EXTRACT to its path")


@pytest.fixture(scope="session")
def bundled() -> Comparison:
    """The bundled study on the bundled data, compared once for all tests that only look at it."""
    return compare(Study.bundled("syunik"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those that need the extract or a browser, and slow ones, at the end."""
    weight = {"extract": 2, "browser": 2, "slow": 1}
    items.sort(key=lambda item: max((weight.get(mark.name, 0) for mark in item.iter_markers()), default=0))
