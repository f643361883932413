"""Thousands of corrupted files: each is read or refused in one line that names it, and none takes ten seconds."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.readers import READERS, outcome, samples
from tests.synthetic import NAME, build

COUNTS = {"toml": 500, "regimes": 150, "perspectives": 300, "csv": 250, "places": 300, "borders": 150, "pbf": 350,
          "osm": 120, "tif": 150, "hgt": 60}  # fmt: skip
LIMIT_S = 10.0
WORDS = (
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 400,
    b"true",
    b"[[[[",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"../../x",
    "\u202e".encode(),
    b'"',
    b"'''",
    b"\r",
    b"{",
    b"}",
    b"=",
    b",",
    b"\x1b[2J",
    b"a" * 3000,
)


def spoil(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three changes: bytes flipped, cut, doubled, dropped, swapped, or a nasty word put in."""
    for _ in range(chance.randint(1, 3)):
        if not content:
            return content
        at, size = chance.randrange(len(content)), chance.randint(1, 60)
        how = chance.choice(("flip", "byte", "cut", "drop", "double", "swap", "word", "number", "zeros"))
        head, piece, tail = content[:at], content[at : at + size], content[at + size :]
        if how == "flip":
            content = head + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
        elif how == "byte":
            content = head + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif how == "cut":
            content = head
        elif how == "drop":
            content = head + tail
        elif how == "double":
            content = head + piece * chance.choice((2, 2, 50)) + tail
        elif how == "swap":
            content = tail + piece + head
        elif how == "word":
            content = head + chance.choice(WORDS) + tail
        elif how == "number":
            number = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 1 << 20))
            content = head + number.to_bytes(4, chance.choice(("little", "big"))) + content[at + 4 :]
        else:
            content = head + bytes(size) + tail
    return content


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("malformed") / "midland")


def check(kind: str, path: Path) -> str:
    started = time.monotonic()
    said = outcome(kind, path)
    assert time.monotonic() - started < LIMIT_S
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["toml", "csv", "places"])
def test_a_sample_through_the_command(kind, study, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(study.parent, folder)
    name, content = samples(study)[kind]
    (folder / name).write_bytes(content[: len(content) // 2] + b"\0\xff" + content[len(content) // 2 :])
    words = [sys.executable, "-m", "corridor.cli", "run", str(folder / NAME), "--out", str(tmp_path / "out"), "--quiet"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("corridor: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
