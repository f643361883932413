"""Folders that go on where they were, and real processes that are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from importlib import import_module
from multiprocessing import get_context

import pandas as pd
import pytest

import corridor
from corridor.cli import main
from corridor.errors import ExtraError, OutputError, SweepError
from corridor.sweeps import cluster
from corridor.sweeps.dataset import SweepFolder
from corridor.sweeps.plan import build_vary

PRICES = {"kind": "unit-costs", "values": [0.0, 1.0]}
VARY = """
design = "product"
[factors.prices]
kind = "unit-costs"
levels = 2
[factors.speeds]
kind = "speeds"
measure = "multiple"
values = [0.8, 1.25]
[factors.checks]
kind = "check-times"
levels = 2
"""
TASKS = 8
HELD = 3
"""Of a sweep that is to be stopped on the way: so many results are written, and no more."""


@pytest.fixture(scope="module")
def vary_path(study_path):
    path = study_path.parent / "sweep.toml"
    path.write_text(VARY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(study, study_path, vary_path, tmp_path_factory):
    """The same sweep without a fault, in this process."""
    found = corridor.sweep(
        study, vary_path, tmp_path_factory.mktemp("whole") / "sweep", osm=study_path.parent / "map.osm", workers=0
    )
    assert (found.tasks, found.computed) == (TASKS, TASKS)
    return found.folder


def small(values, **more):
    return build_vary({"design": "product", "factors": {"prices": PRICES | {"values": values}}} | more, "test")


def files_of(folder):
    return {path.relative_to(folder.path): path.read_bytes() for path in folder.path.rglob("*.parquet")}


PROCESSES = get_context("forkserver")
"""Starts processes of their own, which are copies of one that has loaded what they need."""
PROCESSES.set_forkserver_preload(["distributed.cli.dask_scheduler", "distributed.cli.dask_worker", __name__])


@pytest.fixture
def start(tmp_path):
    """Starts a process that leads a group of its own, with what it says in ``log-0`` and so on; none is left behind."""
    started = []

    def begin(run, *given):
        process = PROCESSES.Process(target=alone, args=(tmp_path / f"log-{len(started)}", run, *given))
        process.start()
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the workers that a killed one left
        process.kill()
        process.join()


def alone(log, run, *given):
    os.setsid()
    with log.open("wb") as told:
        for stream in (1, 2):
            os.dup2(told.fileno(), stream)
    # Tests that run in the background of a shell are told to ignore Ctrl-C, and what they start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run(*given)


def serve(command, *arguments):
    """One of Dask's own commands."""
    import_module(f"distributed.cli.{command}").main(arguments)


def sweep_held(*words):
    """The command, which waits before it writes more than the first results: it is always stopped on the way."""
    write = SweepFolder.write

    def held(self, *given):
        while len(self.done()) >= HELD:
            time.sleep(0.05)
        write(self, *given)

    SweepFolder.write = held
    sys.argv = ["corridor", "sweep", *words]
    main()


def wait_for(condition, what, limit_s=300.0):
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


# ---- folders


def test_results_are_a_dataset_that_others_read(expected):
    ours = expected.read()
    theirs = pd.read_parquet(expected.path / "results")
    assert len(theirs) == len(ours)
    assert theirs["shard"].nunique() > 1
    assert ours["task"].is_monotonic_increasing
    assert set(ours["factor:speeds"]) == {0.8, 1.25}
    assert json.loads((expected.path / "sweep.json").read_text())["tasks"] == TASKS


def test_a_sweep_that_is_whole_computes_nothing(study, tmp_path):
    first = corridor.sweep(study, small([0.0, 1.0]), tmp_path / "s", workers=0)
    again = corridor.sweep(study, small([0.0, 1.0]), tmp_path / "s", workers=0)
    assert (first.computed, again.computed) == (2, 0)
    assert again.sentence() == "all 2 tasks were done already"
    pd.testing.assert_frame_equal(first.results, again.results)


def test_a_longer_list_goes_on_and_another_sweep_is_refused(study, tmp_path):
    corridor.sweep(study, small([0.0, 1.0]), tmp_path / "s", workers=0)
    assert corridor.sweep(study, small([0.0, 0.5, 1.0]), tmp_path / "s", workers=0).computed == 1
    with pytest.raises(SweepError, match=r"3 of its 3 results belong to none of the planned tasks.*--restart"):
        corridor.sweep(study, small([0.0, 1.0], metrics=["ascent_m"]), tmp_path / "s", workers=0)
    fresh = corridor.sweep(study, small([0.0], metrics=["ascent_m"]), tmp_path / "s", workers=0, restart=True)
    assert len(fresh.results["task"].unique()) == 1


def test_changed_data_is_refused_by_name(study, tmp_path):
    corridor.sweep(study, small([0.0]), tmp_path / "s", workers=0)
    other = study.model_copy(update={"snap_limit_km": 3.0})
    with pytest.raises(SweepError, match=r"holds a sweep of other data \(study changed since\); give another --out"):
        corridor.sweep(other, small([0.0]), tmp_path / "s", workers=0)


def test_other_folders_are_left_alone(study, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="holds other files and no sweep"):
        corridor.sweep(study, small([0.0]), tmp_path, workers=0, restart=True)
    with pytest.raises(OutputError, match="is a file"):
        corridor.sweep(study, small([0.0]), tmp_path / "mine.txt", workers=0)
    with pytest.raises(SweepError, match="holds no sweep"):
        SweepFolder(tmp_path).read()


def test_a_damaged_file_is_named(study, tmp_path):
    found = corridor.sweep(study, small([0.0]), tmp_path / "s", workers=0)
    part = next(found.folder.path.glob("results/*/*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(SweepError, match=f"{part.name}: is damaged; delete it"):
        found.folder.read()


# ---- clusters


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer(study, tmp_path, monkeypatch, address):
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.5)
    with pytest.raises(SweepError, match=rf"--scheduler {address}: no scheduler answers there"):
        corridor.sweep(study, small([0.0]), tmp_path / "s", scheduler=address)
    assert not (tmp_path / "s").exists()


def test_what_fails_before_its_first_result_leaves_no_folder_and_afterwards_all_results(study, tmp_path, monkeypatch):
    folder, mine, take = tmp_path / "s", tmp_path / "mine", SweepFolder.write
    mine.mkdir()

    def fails_from(number):
        def write(self, *given):
            if len(self.done()) >= number:
                raise SweepError("no memory")
            take(self, *given)

        monkeypatch.setattr(SweepFolder, "write", write)

    fails_from(0)
    for out in (folder, mine):
        with pytest.raises(SweepError, match="no memory"):
            corridor.sweep(study, small([0.0, 1.0]), out, workers=0)
    assert (folder.exists(), mine.exists()) == (False, True)
    fails_from(1)
    with pytest.raises(SweepError, match="no memory"):
        corridor.sweep(study, small([0.0, 1.0]), folder, workers=0)
    assert len(SweepFolder(folder).done()) == 1


def test_arguments_that_contradict_each_other(study, tmp_path):
    with pytest.raises(SweepError, match="exclude each other"):
        corridor.sweep(study, small([0.0]), tmp_path / "s", scheduler="tcp://127.0.0.1:9", workers=2)


def test_without_dask_the_extra_is_named(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraError, match=r"pip install 'corridor\[sweep\]'"):
        corridor.sweep(study, small([0.0]), tmp_path / "s", workers=2)


@pytest.fixture
def dask_cluster(start, tmp_path):
    """A scheduler and two workers as processes of their own: its address and the workers."""
    place = tmp_path / "scheduler.json"
    here = ("--host", "127.0.0.1", "--port", "0")
    start(serve, "dask_scheduler", *here, "--no-dashboard", "--scheduler-file", str(place))
    wait_for(place.exists, "the scheduler")
    address = json.loads(place.read_text(encoding="utf-8"))["address"]
    folder = ("--local-directory", str(tmp_path))
    workers = [
        start(serve, "dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *folder)
        for _ in range(2)
    ]
    return address, workers


@pytest.mark.slow
def test_a_worker_killed_on_the_way_loses_nothing(
    study, study_path, vary_path, expected, dask_cluster, tmp_path, monkeypatch
):
    address, workers = dask_cluster
    folder = SweepFolder(tmp_path / "sweep")
    at_death, dead, write = [], threading.Event(), SweepFolder.write

    def held(self, *given):
        assert len(self.done()) < HELD or dead.wait(300)
        write(self, *given)

    def kill_one():
        wait_for(lambda: len(folder.done()) >= HELD, "results")
        workers[0].kill()
        workers[0].join()
        at_death.append(len(folder.done()))
        dead.set()

    monkeypatch.setattr(SweepFolder, "write", held)
    killer = threading.Thread(target=kill_one)
    killer.start()
    osm = study_path.parent / "map.osm"
    found = corridor.sweep(study, vary_path, folder.path, osm=osm, scheduler=address)
    killer.join()
    assert at_death == [HELD]
    assert workers[1].is_alive()
    pd.testing.assert_frame_equal(found.results, expected.read(), check_exact=True)
    assert files_of(folder) == files_of(expected)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_sweep_goes_on_where_it_was(study, study_path, vary_path, expected, start, tmp_path, how):
    folder = SweepFolder(tmp_path / "sweep")
    words = (study_path, "--vary", vary_path, "--osm", study_path.parent / "map.osm", "--out", folder.path)
    process = start(sweep_held, *map(str, words), "--workers", "1")
    wait_for(lambda: len(folder.done()) >= 2, "results")
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: to the worker too
    else:
        process.kill()
    process.join(300)
    if how == signal.SIGINT:
        said = (tmp_path / "log-0").read_text(encoding="utf-8")
        assert process.exitcode == 130
        assert f"tasks are done and kept in {folder.path}" in " ".join(said.split())
        assert "Traceback" not in said
    kept = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.parquet") if path.name != "plan.parquet"}
    assert 2 <= len(kept) < TASKS
    again = corridor.sweep(study, vary_path, folder.path, osm=study_path.parent / "map.osm", workers=0)
    assert again.computed == TASKS - len(kept)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert files_of(folder) == files_of(expected)
