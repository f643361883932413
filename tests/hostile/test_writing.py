"""Full disks, folders that can't be written, names that lead elsewhere, and processes that are killed while writing."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corridor import files as space
from corridor.errors import OutputError
from corridor.export.folder import check_target
from corridor.schema.fields import file_sha256
from tests.synthetic import NAME, build

if TYPE_CHECKING:
    from corridor.schema.results import Results

KILLS = 20
WHOLE_RUNS = 4
"""Of those that are killed; the others write what is computed, which is where harm could be done."""


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    from corridor.comparison import compare
    from corridor.schema.study import Study

    folder = tmp_path_factory.mktemp("writing") / "midland"
    build(folder)
    return compare(Study.load(folder / NAME), osm=folder / "map.osm")


@pytest.fixture(scope="module")
def written(comparison, tmp_path_factory):
    """Its results, written once for all tests that start from earlier ones."""
    return comparison.write(tmp_path_factory.mktemp("written") / "out").parent


def whole(folder: Path) -> bool:
    """Whether every file that the manifest lists is there with the content that it had."""
    import json

    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    return len(listed) > 4 and all(file_sha256(folder / name) == digest for name, digest in listed.items())


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("room", [0, 6_000, 18_000, 150_000, 300_000])
def test_no_room_for_a_file(room, comparison, written, tmp_path):
    """No file may grow beyond ``room`` bytes, as on a full disk: one line, and the earlier results as they were."""
    shutil.copytree(written, tmp_path / "out")
    before = state(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OutputError) as caught:
            comparison.write(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "can't be written (" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert state(tmp_path) == before
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208
    comparison.write(tmp_path / "out")
    assert whole(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_fills_up(comparison, written, tmp_path):
    """A real disk with room for ever more of the files: the results are whole, or there are none."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in written.iterdir()) // 1024
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size + 400}k", "tmpfs", str(disk)], check=False
    ).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        outcomes = []
        for spare in range(40, size + 200, size // 6):
            filler = disk / "filler"
            filler.write_bytes(bytes((size + 400 - spare) * 1024 // 4096 * 4096 - 4096))
            try:
                comparison.write(disk / "out")
            except OutputError:
                assert sorted(path.name for path in disk.iterdir()) == ["filler"]
                outcomes.append(False)
            else:
                assert whole(disk / "out")
                outcomes.append(True)
                shutil.rmtree(disk / "out")
            filler.unlink()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert False in outcomes
    assert True in outcomes
    assert outcomes == sorted(outcomes)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_from_the_first_says_one_line(comparison, tmp_path, capfd):
    """GDAL raises what fails and prints each of its statements besides."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        with pytest.raises(OutputError, match=r"can't be written \(No space left on device\)"):
            comparison.write(disk / "out")
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert capfd.readouterr() == ("", "")


def test_folders_that_can_not_be_named(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"can't be written \(.*file is a file\)"):
        check_target(tmp_path / "file" / "out")
    for name in ("a\0b", "x" * 400, "loop/out"):
        with pytest.raises(OutputError, match="can't be written") as caught:
            check_target(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    for name in ("shut/out", "shut/deep/out"):
        with pytest.raises(OutputError, match=r"can't be written .no permission"):
            check_target(tmp_path / name)


def test_what_others_put_into_the_folder_comes_along_and_links_are_not_followed(comparison, written, tmp_path):
    out, secret = shutil.copytree(written, tmp_path / "out"), tmp_path / "secret.txt"
    secret.write_text("untouched", encoding="utf-8")
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("mine", encoding="utf-8")
    (out / "link.txt").symlink_to(secret)
    (out / "metrics.csv").unlink()
    (out / "metrics.csv").symlink_to(secret)
    comparison.write(out)
    assert (out / "notes" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert (out / "link.txt").is_symlink()
    assert not (out / "metrics.csv").is_symlink()
    assert secret.read_text(encoding="utf-8") == "untouched"
    assert whole(out)


def test_results_go_beside_folders_of_results_and_replace_earlier_ones(comparison, written, tmp_path):
    """The default folder after `make demo`, a new line and a sweep: none of them is in the way, all of them stay."""
    out = tmp_path / "out"
    shutil.copytree(written, out / "demo")
    for folder, names in {
        "alignment": ("alignment.json", "alignment.geojson"),
        "s/weep": ("sweep.json", "plan.parquet"),
    }.items():
        (out / folder).mkdir(parents=True)
        for name in names:
            (out / folder / name).write_text("{}", encoding="utf-8")
    before = state(out)
    for _ in range(2):
        comparison.write(out)
        assert whole(out)
        assert before.items() <= state(out).items()


def a_file(out: Path) -> None:
    (out / "mine.txt").touch()


def an_empty_folder(out: Path) -> None:
    (out / "mine").mkdir()


def a_file_deep_down(out: Path) -> None:
    (out / "deep" / "er").mkdir(parents=True)
    (out / "deep" / "er" / "mine.txt").touch()


def a_manifest_of_another_tool(out: Path) -> None:
    (out / "mine").mkdir()
    (out / "mine" / "manifest.json").write_text('{"tool": "other"}', encoding="utf-8")


def a_link(out: Path) -> None:
    (out / "mine").symlink_to(out / "demo")


@pytest.mark.parametrize("put", [a_file, an_empty_folder, a_file_deep_down, a_manifest_of_another_tool, a_link])
def test_a_folder_that_holds_anything_of_others_too_is_refused(put, tmp_path):
    out = tmp_path / "out"
    (out / "demo").mkdir(parents=True)
    (out / "demo" / "manifest.json").write_text('{"tool": "corridor"}', encoding="utf-8")
    assert check_target(out) == out
    put(out)
    with pytest.raises(OutputError, match="holds other files and no results of an earlier run"):
        check_target(out)


DYING = """
import os, signal, sys
from pathlib import Path
from corridor import files as space

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

real = Path.replace
Path.replace = lambda self, to: die() if self.name == "new" else real(self, to)
space._exchange = die if sys.argv[2] == "exchanged" else lambda *_: False
parent = Path(sys.argv[1])
with space.workspace(parent, "out") as work:
    (work / "new").mkdir()
    (work / "new" / "file.txt").write_text("new", encoding="utf-8")
    space.put_in_place(work / "new", parent / "out", work, ["file.txt"])
"""


@pytest.mark.parametrize("way", ["exchanged", "renamed"])
def test_what_is_away_when_a_process_is_killed_comes_back(way, tmp_path):
    """It is killed just before the new folder takes its place: the next one brings the old back and leaves nothing."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "file.txt").write_text("old", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", DYING, str(tmp_path), way], check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".out-*"))) == 1
    assert out.exists() == (way == "exchanged")
    with space.workspace(tmp_path, "out"):
        assert state(out) == {"file.txt": b"old"}
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("number", "helps"), [(errno.EMFILE, "ulimit -n"), (errno.EFBIG, "ulimit -f"), (errno.ENOSPC, "make room")]
)
def test_what_the_machine_refuses_anywhere_is_not_mended_by_another_folder(
    comparison, tmp_path, number, helps, monkeypatch
):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("corridor.export.results._write_files", refuse)
    with pytest.raises(OutputError, match=helps) as caught:
        comparison.write(tmp_path / "out", formats="none")
    assert f"can't be written ({os.strerror(number)}); " in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_may_not_be_opened_is_not_a_missing_one(monkeypatch):
    from corridor.report import i18n

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        for read in (i18n.read_asset, i18n._read):  # another test may have read it
            read.cache_clear()
        with pytest.raises(OSError, match="Too many open files"):
            i18n.read_asset("page.css")
    with pytest.raises(OutputError, match="missing from the installed package"):
        i18n.read_asset("no-such.css")


def test_two_that_write_at_once_leave_each_other_alone(tmp_path):
    with space.workspace(tmp_path, "out") as mine, space.workspace(tmp_path, "out") as other:
        assert mine.is_dir()
        assert other.is_dir()
    assert list(tmp_path.iterdir()) == []


def write_alone(results: Results, out: Path) -> None:
    """Write what is computed in this process alone."""
    from corridor.export.results import write_results

    write_results(results, out)


def run_command_quietly(words: list[str]) -> None:
    """The command in this process, with nothing on the terminal."""
    from corridor.cli import main

    sys.argv = ["corridor", *words]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        main()


@pytest.mark.slow
def test_killed_at_random_moments(comparison, tmp_path):
    """SIGKILL at twenty moments of a run: what was there before is whole, and the next run completes and tidies up."""
    study = build(tmp_path / "midland")
    words = ["run", str(study), "--osm", str(study.parent / "map.osm"), "--out", str(tmp_path / "out"), "--quiet"]
    # Processes of their own, which are copies of one that has loaded what a run needs.
    start = get_context("forkserver")
    start.set_forkserver_preload(["corridor.comparison", "corridor.report.page.build", __name__])

    def started(run: Callable[..., None], *given: Any) -> Any:
        process = start.Process(target=run, args=given)
        process.start()
        return process

    def complete() -> float:
        begun, process = time.monotonic(), started(run_command_quietly, words)
        process.join(300)
        assert process.exitcode == 0
        return time.monotonic() - begun

    complete()
    took_s = complete()
    before = state(tmp_path / "out")
    moments = random.Random(7)
    killed = 0
    for turn in range(KILLS):
        if turn < WHOLE_RUNS:
            run = started(run_command_quietly, words)
            time.sleep(moments.uniform(0, took_s))
        else:
            # with so many of its files written; every third time with all, about to be put in place
            some = moments.randrange(1, len(before)) if turn % 3 else len(before)
            run = started(write_alone, comparison.results, tmp_path / "out")
            until = time.monotonic() + 300
            while run.is_alive() and time.monotonic() < until and len(list(tmp_path.glob(".out-*/new/*"))) < some:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.01))
        run.kill()
        run.join(300)
        killed += run.exitcode == -signal.SIGKILL
        assert whole(tmp_path / "out")
        assert state(tmp_path / "out").keys() == before.keys()
    assert killed >= KILLS // 2
    complete()
    assert whole(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["midland", "out"]


@pytest.mark.parametrize("limit_kb", [600_000, 1_100_000])
def test_too_few_addresses_are_said_before_libraries_wait_for_ever(limit_kb, tmp_path):
    words = f'ulimit -v {limit_kb}; "{sys.executable}" -m corridor.cli run'
    ended = subprocess.run(
        ["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "raise the limit over 1,572,864 (ulimit -v)" in ended.stderr
