"""The made-up study with its impacts, and its data read once."""

from __future__ import annotations

import pytest

import corridor
from corridor.pipeline.comparing import open_run
from corridor.pipeline.digests import fingerprint
from corridor.sweeps import run as sweeping
from corridor.sweeps.cluster import SweepEvaluator, build_evaluator
from corridor.sweeps.plan import build_vary
from tests.synthetic import study as synthetic

_KNOWN: dict[tuple[bytes | None, ...], SweepEvaluator] = {}


@pytest.fixture(autouse=True)
def shared_evaluators(monkeypatch):
    """A sweep in this process takes what earlier ones of an equal study computed; what it writes is its own.

    Fixtures of whole modules come before: the sweeps that others are held against are computed by themselves.
    """

    def build(run, vary):
        key = (fingerprint(run["study"]), fingerprint(run["osm_path"]))
        if key not in _KNOWN:
            _KNOWN[key] = build_evaluator(run, vary)
        evaluator = SweepEvaluator(_KNOWN[key].given, vary)
        evaluator.run = _KNOWN[key].run
        return evaluator

    monkeypatch.setattr(sweeping, "build_evaluator", build)


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


def _evaluators(run):
    def build(factors, **more):
        return build_evaluator(run, build_vary({"design": "product", "factors": factors} | more, "test"))

    return build


@pytest.fixture(scope="session")
def evaluator_of(comparison):
    """An evaluator for some factors; nothing is kept from other worlds."""
    return _evaluators(comparison)


@pytest.fixture(scope="session")
def evaluator_of_few(study, comparison):
    """The same of the routes that stand in the catalogue, without ways over open roads, which take half of the time."""
    return _evaluators(comparison.replace(candidate_specs=study.candidates[:3]))
