"""The made-up study with its impacts, and its data read once."""

from __future__ import annotations

import pytest

import corridor
from corridor.pipeline.comparing import open_run
from corridor.sweeps.cluster import build_evaluator
from corridor.sweeps.plan import build_vary
from tests.synthetic import study as synthetic


@pytest.fixture(scope="session")
def study_path(tmp_path_factory):
    path = synthetic.build(tmp_path_factory.mktemp("sweep") / "study")
    path.write_text(path.read_text(encoding="utf-8") + synthetic.IMPACT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def study(study_path):
    return corridor.Study.load(study_path)


@pytest.fixture(scope="session")
def comparison(study, study_path):
    """A run whose data is read once."""
    run = open_run(study, osm=study_path.parent / "map.osm")
    return open_run(study, given=run.pinned(["catalogue", "borders", "places", "read_heights", "osm"]))


@pytest.fixture(scope="session")
def evaluator_of(comparison):
    """A evaluator for some factors; nothing is kept from other worlds."""

    def build(factors, **more):
        return build_evaluator(comparison, build_vary({"design": "product", "factors": factors} | more, "test"))

    return build
