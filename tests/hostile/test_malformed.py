"""Thousands of corrupted files: each is read or refused in one line that names it, and none takes ten seconds."""

from __future__ import annotations

import random
import shutil
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corridor.errors import SourceError
from tests.command import run_command
from tests.hostile.mutations import spoil
from tests.hostile.readers import READERS, outcome, samples
from tests.synthetic import NAME, build

COUNTS = {"toml": 500, "regimes": 150, "perspectives": 300, "csv": 250, "places": 300, "borders": 150, "pbf": 350,
          "osm": 120, "tif": 150, "hgt": 60}  # fmt: skip
LIMIT_S = 10.0


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("malformed") / "midland")


def check(kind: str, path: Path) -> str:
    started = time.process_time()  # of the processor: other work on the machine says nothing of the reader
    said = outcome(kind, path)
    assert time.process_time() - started < LIMIT_S
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("kind", READERS)
def test_sound_files_are_read(kind, study):
    name, content = samples(study)[kind]
    (study.parent / name).write_bytes(content)
    assert outcome(kind, study.parent / name) == ""


def test_there_are_two_thousand():
    assert sum(COUNTS.values()) >= 2000
    assert set(COUNTS) == set(READERS)


@pytest.mark.parametrize("kind", COUNTS)
def test_spoilt_files_are_read_or_refused(kind, study, tmp_path, capfd):
    folder = tmp_path / "copy"
    shutil.copytree(study.parent, folder)
    name, content = samples(study)[kind]
    chance, refused = random.Random(kind), 0
    for _ in range(COUNTS[kind]):
        (folder / name).write_bytes(spoil(content, chance))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message="Use `@` matmul")
            refused += check(kind, folder / name) != ""
    assert refused > 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["toml", "perspectives", "places", "pbf", "hgt"])
@settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_comes_in(kind, data, study, tmp_path_factory):
    """Bytes of no kind at all, alone or in the midst of a sound file."""
    name, content = samples(study)[kind]
    anything = data.draw(st.binary(max_size=400) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
    at = data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.mktemp("any") / Path(name).name
    path.write_bytes(data.draw(st.sampled_from([anything, content[:at] + anything + content[at:]])))
    check(kind, path)
    path.unlink()


@pytest.mark.parametrize("kind", ["toml", "csv", "places"])
def test_a_sample_through_the_command(kind, study, tmp_path, monkeypatch, capfd):
    folder = tmp_path / "copy"
    shutil.copytree(study.parent, folder)
    name, content = samples(study)[kind]
    (folder / name).write_bytes(content[: len(content) // 2] + b"\0\xff" + content[len(content) // 2 :])
    code, out, err = run_command(monkeypatch, capfd, "run", folder / NAME, "--out", tmp_path / "out", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("corridor: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_endless_word_is_shortened():
    said = str(SourceError(f"/some/where.csv: '{'a' * 5000}' is no name; correct it"))
    assert said.startswith("/some/where.csv: 'aaaa")
    assert said.endswith("... is no name; correct it")
    assert len(said) < 300
