"""Whole runs of this checkout beside those of an earlier commit, turn by turn: what a change costs or saves.

Each run is a process of its own, as a user starts it, so that imports count. Processor seconds stand beside those of
the clock: they hardly change where other work shares the machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ENTRY, Row

ROOT = ENTRY.parent.parent
BASELINE = "01ac698"
"""The last commit before the long-distance flows, intervals and languages: what the goals are stated against."""
GOALS = {"bundled data": 0.45, "a real extract": 0.35}
"""Greatest wall time of a run as a share of the baseline's."""
AFTER_NETWORK_GOAL = 0.2
"""Greatest processor time of all regimes x candidates, once the network stands, as a share of the baseline's."""
MEMORY_GOAL = 0.8
"""Greatest peak memory of a run on an extract as a share of the baseline's."""


@dataclass(frozen=True)
class Spent:
    """What a process took: seconds by the clock, seconds of processors, peak memory in MB."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def environment(folder: Path, kernels: Path | None = None) -> dict[str, str]:
    """Variables for a process that runs a checkout's own code: Python and numba keep what they compile.

    Args:
        folder: the checkout.
        kernels: where numba keeps compiled kernels; beside the sources if None.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return variables | {"PYTHONPATH": str(folder)} | ({"NUMBA_CACHE_DIR": str(kernels)} if kernels else {})


def spend(command: Sequence[str], folder: Path, kernels: Path | None = None) -> Spent:
    """Run a command with a checkout's own code and give what it took.

    Args:
        command: words of the command.
        folder: the checkout, where it is run.
        kernels: as in :func:`environment`.

    Raises:
        RuntimeError: it failed; says how it ended.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment(folder, kernels), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} in {folder} ended with {process.returncode}")
    return Spent(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def check_out(commit: str, folder: Path) -> None:
    """Write the files of a commit of this repository into a new folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def compare_rows(size: str, name: str, before: Sequence[Spent], now: Sequence[Spent]) -> list[Row]:
    """Medians of the runs of both, with the share of the earlier commit's time that this checkout takes."""
    old, new = (
        Spent(*(statistics.median(getattr(run, field) for run in runs) for field in ("wall_s", "cpu_s", "memory_mb")))
        for runs in (before, now)
    )
    case, share = f"corridor run against {name}", new.wall_s / old.wall_s
    light = new.memory_mb / old.memory_mb
    said = f"{share:.2f} of the time, {new.cpu_s / old.cpu_s:.2f} of the processor time, {light:.2f} of the memory"
    goal = f"at most {GOALS[size]:g} of the time" if size in GOALS else ""
    rows = [
        Row(case, size, "corridor", new.wall_s, 1.0, new.memory_mb, said, goal, share <= GOALS[size] if goal else None),
        Row(case, size, name, old.wall_s, old.wall_s / new.wall_s, old.memory_mb),
    ]
    if size == "a real extract":
        rows.append(
            Row(case, size, "peak memory", None, None, new.memory_mb, f"{light:.2f} of the baseline's",
                f"at most {MEMORY_GOAL:g}", light <= MEMORY_GOAL)
        )  # fmt: skip
    return rows


def first_row(size: str, name: str, before: Spent, now: Spent) -> Row:
    """The first run of each after an install, which compiles all kernels that it needs."""
    return Row(
        f"corridor run against {name}", size, "first run after an install", now.wall_s, before.wall_s / now.wall_s,
        result=f"{now.wall_s / before.wall_s:.2f} of the time, {now.cpu_s / before.cpu_s:.2f} of the processor time",
    )  # fmt: skip


def stages_of(folder: Path, extract: str | None, kernels: Path) -> dict[str, float]:
    """Processor seconds of a comparison by the code of a checkout: all, and what follows once the network stands."""
    command = [sys.executable, "-W", "ignore", str(ROOT / "scripts" / "benchmarks" / "after_network.py")]
    run = subprocess.run(
        [*command, *([extract] if extract else [])], check=True, capture_output=True, text=True, cwd=folder,
        env=environment(folder, kernels),
    )  # fmt: skip
    return {name: float(value) for name, value in json.loads(run.stdout).items()}


def compare_stages(size: str, name: str, before: dict[str, float], now: dict[str, float]) -> Row:
    """The processor time of all regimes x candidates as a share of the earlier commit's."""
    share = now["after_network"] / before["after_network"]
    return Row(
        f"corridor run against {name}", size, "all regimes x candidates", now["after_network"], 1 / share,
        result=f"{share:.2f} of the processor time once the network stands",
        goal=f"at most {AFTER_NETWORK_GOAL:g} of it", held=share <= AFTER_NETWORK_GOAL,
    )  # fmt: skip


def measure(commit: str, rounds: int = 2) -> list[Row]:
    """The bundled study, and on a real extract where CORRIDOR_EXTRACT names one.

    Args:
        commit: any name that git knows.
        rounds: how often each is run on either; a first round, which compiles kernels, is told apart.
    """
    named = os.environ.get("CORRIDOR_EXTRACT")
    extract = str(Path(named).resolve()) if named else None
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as work:
        folders = {commit: Path(work) / "before", "corridor": ROOT}
        kernels = {name: Path(work) / f"kernels-{name}" for name in folders}
        check_out(commit, folders[commit])
        for size, osm in [("bundled data", None), *([("a real extract", extract)] if extract else [])]:
            spent: dict[str, list[Spent]] = {name: [] for name in folders}
            for _ in range(rounds + 1):
                for name, folder in folders.items():
                    run = [sys.executable, "-m", "corridor.cli", "run", "--quiet", "--out", f"{work}/out/{name}"]
                    spent[name].append(spend([*run, *(("--osm", osm) if osm else ())], folder, kernels[name]))
            rows += compare_rows(size, commit, spent[commit][1:], spent["corridor"][1:])
            if osm is None:
                rows.append(first_row(size, commit, spent[commit][0], spent["corridor"][0]))
            before, now = (stages_of(folder, osm, kernels[name]) for name, folder in folders.items())
            rows.append(compare_stages(size, commit, before, now))
    return rows
