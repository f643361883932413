"""Bad input ends in one clear line on stderr and exit code 2; what was written before stays as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.command import run_command
from tests.synthetic import NAME, build, write_study
from tests.synthetic.corrupted import CASES

RESULTS = "results"


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("sound") / "midland").parent


@pytest.fixture
def folder(sound, tmp_path) -> Path:
    """A copy of the sound study to spoil, with a folder of earlier results in it."""
    copy = tmp_path / "midland"
    shutil.copytree(sound, copy)
    (copy / RESULTS).mkdir()
    (copy / RESULTS / "comparison.html").write_text("earlier", encoding="utf-8")
    (copy / RESULTS / "metrics.csv").write_text("earlier", encoding="utf-8")
    (copy / RESULTS / "manifest.json").write_text('{"tool": "corridor"}', encoding="utf-8")
    return copy


def listing(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its content and time, and every folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("name", CASES)
def test_one_line_exit_2_and_nothing_touched(name, folder, monkeypatch, capfd):
    change, says = CASES[name]
    extra = change(folder)
    before = listing(folder)
    code, out, err = run_command(monkeypatch, capfd, "run", folder / NAME, *extra, "--out", folder / RESULTS, "--quiet")
    assert code == 2
    assert out == ""
    assert err.startswith("corridor: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    for words in says:
        assert words in err
    assert "Traceback" not in err
    assert "Errno" not in err
    assert listing(folder) == before


DOCTOR = (
    "neighbour of itself",
    "regime for nobody",
    "checks of no row",
    "a status in the future",
    "a regime of the future",
    "a perspective that weighs nothing",
    "a perspective of what isn't scored",
    "two of one name",
    "two of one letter",
    "progress over 100 %",
    "progress of the future",
    "a delay of the future",
    "delays with the 95th percentile below the mean",
    "a delay told twice",
    "unknown neighbour",
    "regimes of other sources",
    "no regimes",
)


@pytest.mark.parametrize("name", DOCTOR)
def test_doctor_refuses_what_a_run_refuses(name, folder, monkeypatch, capfd):
    change, says = CASES[name]
    extra = change(folder)
    code, out, err = run_command(monkeypatch, capfd, "doctor", folder / NAME, *extra)
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if line.startswith("corridor: ")]
    assert len(lines) == 1
    assert all(words in lines[0] for words in says)
    assert "Traceback" not in err


def test_doctor_says_what_is_closed_before_it_refuses_a_study_without_a_way(folder, monkeypatch, capfd):
    change, says = CASES["no way"]
    change(folder)
    code, out, err = run_command(monkeypatch, capfd, "doctor", folder / NAME)
    assert code == 2
    assert "ridge-gate-east" in out
    (line,) = [line for line in err.splitlines() if line.startswith("corridor: ")]
    assert all(words in line for words in says)


def test_doctor_passes_a_sound_study_with_impacts(folder, monkeypatch, capfd):
    change, _ = CASES["unknown neighbour"]
    change(folder)
    path = folder / NAME
    path.write_text(path.read_text(encoding="utf-8").replace('neighbour = "XD"', 'neighbour = "XA"'), encoding="utf-8")
    code, _, _ = run_command(monkeypatch, capfd, "doctor", path)
    assert code == 0


def test_default_perspective_that_there_is_not(folder):
    from corridor.comparison import compare
    from corridor.errors import CorridorError
    from corridor.schema.study import Study

    path = write_study(folder, {'baseline = "now"\n': 'baseline = "now"\ndefault_perspective = "none"\n'})
    with pytest.raises(CorridorError, match="default_perspective: 'none' is none of"):
        compare(Study.load(path))


def out_is_a_file(folder: Path) -> tuple[Path, str]:
    return folder / "places.csv", "is a file; name a folder"


def out_below_a_file(folder: Path) -> tuple[Path, str]:
    return folder / "places.csv" / "deep" / "results", "can't be written"


def out_where_nobody_writes(folder: Path) -> tuple[Path, str]:
    return Path("/proc/corridor-results"), "can't be written"


def out_of_others(folder: Path) -> tuple[Path, str]:
    return folder / "reference", "holds other files"


@pytest.mark.parametrize("where", [out_is_a_file, out_below_a_file, out_where_nobody_writes, out_of_others])
def test_a_folder_that_cannot_take_results(where, folder, monkeypatch, capfd):
    pytest.importorskip("corridor.report.page.build")
    out, says = where(folder)
    before = listing(folder)
    code, said, err = run_command(monkeypatch, capfd, "run", folder / NAME, "--out", out, "--quiet")
    assert code == 2
    assert said == ""
    assert err.count("\n") == 1
    assert err.startswith("corridor: ")
    assert says in err
    assert listing(folder) == before


def test_a_failure_while_writing_leaves_the_earlier_results(folder, monkeypatch, capfd):
    pytest.importorskip("corridor.report.page.build")
    from corridor.export import results as export

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    shutil.rmtree(folder / RESULTS)
    code, said, _ = run_command(monkeypatch, capfd, "run", folder / NAME, "--out", folder / RESULTS, "--quiet")
    assert (code, said) == (0, f"{folder / RESULTS / 'comparison.html'}\n")
    before = listing(folder)
    monkeypatch.setattr(export, "write_manifest", fail)
    code, said, err = run_command(monkeypatch, capfd, "run", folder / NAME, "--out", folder / RESULTS, "--quiet")
    assert (code, said) == (2, "")
    assert "can't be written (No space left on device)" in err
    assert err.count("\n") == 1
    assert listing(folder) == before


@pytest.mark.parametrize("command", ["doctor", "check"])
@pytest.mark.parametrize("name", ["truncated pbf", "unknown places", "faults in several tables", "many faults"])
def test_other_commands_refuse_the_same(command, name, folder, monkeypatch, capfd):
    change, says = CASES[name]
    extra = change(folder)
    before = listing(folder)
    code, out, err = run_command(monkeypatch, capfd, command, folder / NAME, *extra)
    assert (code, out) == (2, "")
    *progress, last = err.splitlines()
    assert all(line.startswith("[") for line in progress)
    assert last.startswith("corridor: ")
    for words in says:
        assert words in last
    assert listing(folder) == before


def test_an_unknown_bundled_study_is_told_from_a_file(monkeypatch, capfd):
    code, _, err = run_command(monkeypatch, capfd, "run", "atlantis", "--quiet")
    assert code == 2
    assert err == "corridor: no bundled study 'atlantis'; there are: syunik, syunik-new-build\n"


@pytest.mark.parametrize(("name", "steps"), [("many faults", 0), ("text named pbf", 3)])
def test_as_a_process_of_its_own(name, steps, folder):
    change, says = CASES[name]
    extra = change(folder)
    words = [sys.executable, "-m", "corridor.cli", "run", NAME, *extra, "--out", RESULTS]
    before = listing(folder)
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert done.stdout == ""
    *progress, last = done.stderr.splitlines()
    assert len(progress) >= steps
    assert all(line.startswith("[") for line in progress)
    assert last.startswith("corridor: ")
    for words in says:
        assert words in last
    assert listing(folder) == before


NUMBERS = ("0", "-1", "1", "45.5", "10.4", "99", "180", "1e6", "0.0001", "nan", "inf", "1e999", "")


@pytest.mark.slow
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_spoilt_file_breaks_the_comparison(data, sound, tmp_path_factory):
    """Numbers replaced, bytes cut, doubled or dropped: either it still computes or it is refused in one line."""
    from corridor.comparison import compare
    from corridor.errors import CorridorError
    from corridor.schema.study import Study

    folder = tmp_path_factory.mktemp("spoilt") / "midland"
    shutil.copytree(sound, folder)
    name = data.draw(
        st.sampled_from(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()))
    )
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(spoil(content, data))
    said = ""
    try:
        compare(Study.load(folder / NAME), osm=folder / "map.osm")
    except CorridorError as fault:
        said = str(fault)
    shutil.rmtree(folder)
    assert len(said.splitlines()) <= 1


def spoil(content: bytes, data: st.DataObject) -> bytes:
    """The content with one change."""
    numbers = [*re.finditer(rb"-?\d+\.?\d*", content)]
    how = data.draw(st.sampled_from(["number", "number", "cut", "drop", "double", "byte"]))
    if how == "number" and numbers:
        hit = data.draw(st.sampled_from(numbers))
        return content[: hit.start()] + data.draw(st.sampled_from(NUMBERS)).encode() + content[hit.end() :]
    at = data.draw(st.integers(0, len(content) - 1))
    size = data.draw(st.integers(1, 40))
    if how == "cut":
        return content[:at]
    if how == "drop":
        return content[:at] + content[at + size :]
    if how == "double":
        return content[: at + size] + content[at:]
    return content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at + 1 :]
