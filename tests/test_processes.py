"""Values from a copy of this process: the same as here, whatever befalls the copy."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from corridor import processes
from corridor.memory import room_bytes
from corridor.pipeline.graph import Graph, Run, each, step
from corridor.processes import Fork

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second core and room for a copy, whatever the machine has; and no process is left over."""
    monkeypatch.setattr(processes, "count_threads", lambda: 2)
    monkeypatch.setattr(processes, "room_bytes", lambda: 1 << 40)
    yield
    assert not multiprocessing.active_children()


def test_values_come_from_another_process_in_whatever_order_they_are_asked_for() -> None:
    # more than a pipe holds, so that the copy has to wait for who reads
    large = np.arange(1_000_000.0)

    def compute() -> Iterator[tuple[str, Any]]:
        yield "first", os.getpid()
        yield "large", large * 2
        yield "last", "ready"

    with Fork(["first", "large", "last"], compute) as fork:
        assert fork.take("last") == ("ready",)
        assert fork.names == {"first", "large"}
        assert np.array_equal(fork.take("large")[0], large * 2)
        assert fork.take("first") not in [(), (os.getpid(),)]
        assert fork.names == set()
        assert fork.take("first") == ()
        assert fork.take("never promised") == ()


@pytest.mark.parametrize("has_shared_memory", [True, False])
def test_tables_and_arrays_of_any_size_come_whole_and_may_be_written_to(
    has_shared_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python has the call only where it was built with a C library of 2018 or later
    if not has_shared_memory:
        monkeypatch.delattr(os, "memfd_create")
    rng = np.random.default_rng(5)
    arrays = {f"of {n}": rng.normal(size=n) for n in (0, 1, 8191, 8192, 8193, 300_001)}
    turned = np.asfortranarray(rng.integers(0, 9, (400, 90)))
    table = pd.DataFrame(arrays["of 300001"].reshape(-1, 1).repeat(3, axis=1), columns=["a", "b", "c"])
    table["name"] = "x"

    def compute() -> Iterator[tuple[str, Any]]:
        yield "arrays", (arrays, turned, turned[::3, ::2])
        yield "never asked for", np.zeros(100_000)
        yield "table", table

    def take_all() -> None:
        with Fork(["arrays", "never asked for", "table"], compute) as fork:
            ((came, other, part),) = fork.take("arrays")
            for name, array in arrays.items():
                assert np.array_equal(came[name], array)
                came[name] += 1.0
                assert np.array_equal(came[name], array + 1.0)
            assert np.array_equal(other, turned)
            assert np.array_equal(part, turned[::3, ::2])
            (again,) = fork.take("table")
            pd.testing.assert_frame_equal(again, table)

    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    take_all()
    assert table["a"].iat[0] == arrays["of 300001"][0]
    # memory goes with the last array that lies in it, also where nobody took the value
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="without memory in common no file is held")
def test_a_value_of_many_arrays_holds_few_files_open() -> None:
    arrays = [np.full(10_000, number, dtype=float) for number in range(200)]

    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with Fork(["many"], lambda: [("many", arrays)]) as fork:
        (came,) = fork.take("many")
    assert all(map(np.array_equal, came, arrays))
    held = opened()
    del came
    assert 0 < held - opened() <= processes._MOST_APART


def test_who_waits_does_something_else_first_and_once() -> None:
    done: list[str] = []
    more = [lambda: done.append("one"), lambda: done.append("other")]

    def compute() -> Iterator[tuple[str, Any]]:
        time.sleep(0.3)
        yield "late", 1
        yield "later", 2

    with Fork(["late", "later"], compute, list(more)) as fork:
        assert done == []
        assert (fork.take("late"), fork.take("later")) == ((1,), (2,))
        assert (done, fork.meanwhile) == (["one", "other"], [])

    def at_once() -> Iterator[tuple[str, Any]]:
        yield "ready", 1

    with Fork(["ready"], at_once, more) as fork:
        time.sleep(0.5)
        assert fork.take("ready") == (1,)
        # what nobody had to wait for is left to who waits next
        assert len(fork.meanwhile) == 2
    assert done == ["one", "other"]


def _raises() -> Iterator[tuple[str, Any]]:
    yield "made", 1
    raise ValueError("a fault")


def _ends() -> Iterator[tuple[str, Any]]:
    yield "made", 1
    time.sleep(0.5)  # the pipe takes it meanwhile
    os._exit(7)


def _is_killed() -> Iterator[tuple[str, Any]]:
    yield "made", 1
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def _gives_what_cant_be_sent() -> Iterator[tuple[str, Any]]:
    yield "made", 1
    yield "lost", lambda: None


@pytest.mark.parametrize("compute", [_raises, _ends, _is_killed, _gives_what_cant_be_sent])
def test_a_copy_that_fails_gives_what_it_had_and_no_more(compute: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with Fork(["made", "lost"], compute) as fork:
        assert fork.take("lost") == ()
        assert fork.names == {"made"}
        assert fork.take("made") == (1,)
    assert capfd.readouterr().err == ""


def test_a_copy_that_waits_for_ever_is_given_up_and_one_that_works_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PATIENCE_S", 1.0)

    def compute() -> Iterator[tuple[str, Any]]:
        begun = time.process_time()
        while time.process_time() < begun + 1:
            pass
        yield "made", 1
        threading.Event().wait()
        yield "lost", 2

    with Fork(["made", "lost"], compute) as fork:
        assert fork.take("made") == (1,)
        assert fork.take("lost") == ()


def test_a_copy_ends_with_who_asked_and_not_with_an_interrupt() -> None:
    def compute() -> Iterator[tuple[str, Any]]:
        os.kill(os.getpid(), signal.SIGINT)
        yield "made", 1
        time.sleep(3600)
        yield "late", 2

    with Fork(["made", "late"], compute) as fork:
        assert fork.take("made") == (1,)
    # afterwards nothing comes any more
    assert fork.take("late") == ()


_KILLED = """
import os, signal, time
from corridor import processes

processes.count_threads, processes.room_bytes = (lambda: 2), (lambda: 1 << 40)

def compute():
    yield "large", bytes(10_000_000)
    while {busy}:
        pass

processes.Fork(["large"], compute)
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("busy", [False, True])
def test_a_copy_doesnt_outlive_a_process_that_is_killed(busy: bool) -> None:
    # the copy holds the end of the pipe too that is read here: its end is waited for
    code = _KILLED.replace("{busy}", str(busy))
    found = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, timeout=60)
    assert found.returncode == -signal.SIGKILL


_ENDED_EARLY = """
import signal, time
from corridor import processes

processes.count_threads, processes.room_bytes = (lambda: 2), (lambda: 1 << 40)
signal.signal(signal.SIGTERM, lambda *_: None)
compute = processes._compute

def begin_late(*words):
    time.sleep(1)
    compute(*words)

processes._compute = begin_late
with processes.Fork(["large"], lambda: [("large", bytes(10_000_000))]):
    time.sleep(0.2)
"""


def test_a_copy_ends_that_still_answers_as_the_first_process_does() -> None:
    # who is only asked to end while it begins hears nothing of it, and then waits for somebody to read
    found = subprocess.run([sys.executable, "-c", _ENDED_EARLY], check=False, timeout=60)
    assert found.returncode == 0


def test_a_copy_ends_at_once_though_the_first_process_tidies_up() -> None:
    tidied: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: tidied.append(number))

    def compute() -> Iterator[tuple[str, Any]]:
        yield "made", 1
        while True:
            pass

    try:
        with Fork(["made"], compute) as fork:
            assert fork.take("made") == (1,)
            started = time.monotonic()
        assert time.monotonic() - started < 30
        assert not multiprocessing.active_children()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not tidied


@pytest.mark.parametrize("lacking", ["count_threads", "room_bytes"])
def test_without_a_core_or_memory_for_it_there_is_no_copy(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, lacking, lambda: 1)
    with Fork(["made"], lambda: [("made", 1)]) as fork:
        assert not multiprocessing.active_children()
        assert fork.take("made") == ()


def test_where_no_process_can_be_started_there_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    with Fork(["made"], lambda: [("made", 1)]) as fork:
        assert fork.take("made") == ()


# --- Steps of a graph ---


@step(says="adding up")
def total(numbers: dict[str, int]) -> tuple[int, int]:
    """The sum, and the process that computed it."""
    return sum(numbers.values()), os.getpid()


@each(gives="squares", says="squaring")
def square(number: int) -> tuple[int, int]:
    """A square, and the process that computed it."""
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return number**2, os.getpid()


@step()
def both(total: tuple[int, int], squares: dict[str, tuple[int, int]]) -> list[int]:
    """All of it."""
    return [total[0], *(value for value, _ in squares.values())]


def _run(numbers: dict[str, int], said: list[str]) -> Run:
    return Run(Graph([total, square, both], {"number": "numbers"}), {"numbers": numbers}, progress=said.append)


def test_steps_that_are_computed_by_a_copy_give_what_they_give_here() -> None:
    said: list[str] = []
    run = _run({"a": 2, "b": 3}, said)
    with run.fork(["squares", "total"]):
        values = [run[total], *run[square].values()]
        assert run[both] == [5, 4, 9]
    assert [value for value, _ in values] == [5, 4, 9]
    assert os.getpid() not in {process for _, process in values}
    # they are said here once, when their values are taken
    assert said == ["adding up", "squaring"]
    # and are kept as if they had been computed here
    assert list(run[square].values()) == values[1:]


def test_a_fault_of_a_step_that_is_computed_by_a_copy_is_met_where_its_value_is_wanted() -> None:
    run = _run({"a": 2, "b": -3}, [])
    with run.fork(["squares", "total"]):
        assert run[total][1] == os.getpid()
        with pytest.raises(ValueError, match="-3 is below 0"):
            _ = run[both]


def test_the_later_half_of_the_items_is_computed_by_a_copy_before_all_else() -> None:
    said: list[str] = []
    run = _run({"a": 2, "b": 3, "c": 4, "d": 5, "e": 6}, said)
    with run.fork(["total"], halves=["squares"]):
        values = [*run[square].values(), run[total]]
        # nothing of what both need is let go while one of them is at it
        assert [name for name, _ in run.in_turn(["both"])] == ["both"]
    assert [value for value, _ in values] == [4, 9, 16, 25, 36, 20]
    assert [process == os.getpid() for _, process in values] == [True, True, True, False, False, False]
    assert said == ["squaring", "adding up"]


def test_a_fault_in_the_half_of_the_other_is_met_here() -> None:
    run = _run({"a": 2, "b": -3}, [])
    with run.fork([], halves=["squares"]):
        assert run[square]["a"] == (4, os.getpid())
        with pytest.raises(ValueError, match="-3 is below 0"):
            _ = run[square]["b"]


def test_what_one_copy_was_to_give_the_next_one_knows() -> None:
    run = _run({"a": 2, "b": 3}, [])
    with run.fork(["total"]), run.fork(["both"]):
        assert run[both] == [5, 4, 9]
        assert run[total][1] != os.getpid()


# --- Room ---


def test_room_is_the_least_that_the_system_and_its_groups_leave(tmp_path: Path) -> None:
    def write(path: str, text: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert room_bytes(tmp_path) == 0
    write("proc/meminfo", "MemTotal:  9000 kB\nMemAvailable:  8000 kB\n")
    assert room_bytes(tmp_path) == 8000 * 1024
    # the second version: the group above binds too, and what is only kept of files can be let go
    write("proc/self/cgroup", "0::/user/session\n")
    write("sys/fs/cgroup/user/session/memory.max", "max\n")
    write("sys/fs/cgroup/user/session/memory.current", "100\n")
    assert room_bytes(tmp_path) == 8000 * 1024
    write("sys/fs/cgroup/user/memory.max", "5000\n")
    write("sys/fs/cgroup/user/memory.current", "4000\n")
    write("sys/fs/cgroup/user/memory.stat", "active_file 700\ninactive_file 300\n")
    assert room_bytes(tmp_path) == 1300
    # the first version; over its limit there is none
    write("proc/self/cgroup", "4:memory:/job\n3:cpu:/job\n")
    write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2000\n")
    write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1500\n")
    assert room_bytes(tmp_path) == 500
    write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "2500\n")
    assert room_bytes(tmp_path) == 0
