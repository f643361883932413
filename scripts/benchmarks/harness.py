"""How cases are measured: peers turn by turn in one run, memory in a process of its own, growth over three sizes."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

ENTRY = Path(__file__).resolve().parent.parent / "benchmark.py"


@dataclass(frozen=True)
class Row:
    """One measurement: what was run at which size, by whom, and how it stands beside corridor in the same run.

    ``ratio`` is the peer's time through corridor's (above 1: corridor is quicker). ``goal`` is a sentence with ``held``
    saying whether it was met; None where there is no goal.
    """

    case: str
    size: str
    tool: str
    seconds: float | None
    ratio: float | None = None
    memory_mb: float | None = None
    result: str = ""
    goal: str = ""
    held: bool | None = None


@dataclass(frozen=True)
class Timed:
    """The best of several times, in seconds of processors, and what the job gave."""

    seconds: float
    result: Any


def spent_s() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def in_turn(jobs: dict[str, Callable[[], Any]], repeats: int = 3) -> dict[str, Timed]:
    """Run jobs turn by turn, so that a busy moment of the machine hits all alike, and keep each one's best time.

    The first round warms caches and compiled code; it counts only where ``repeats`` is 1, for jobs that take minutes.
    """
    best: dict[str, Timed] = {}
    for turn in range(repeats + (repeats > 1)):
        for name, job in jobs.items():
            begin = spent_s()
            result = job()
            took = spent_s() - begin
            if repeats == 1 or (turn and (name not in best or took < best[name].seconds)):
                best[name] = Timed(took, result)
    return best


def peak_memory_mb(case: str, tool: str, size: int) -> float:
    """Memory that a tool takes above its input, in MB, measured in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(ENTRY), "--memory", case, tool, str(size)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["mb"])


def rise_mb(job: Callable[[], Any]) -> float:
    """How far a job raises this process's peak memory above what it holds before, in MB (Linux)."""
    # What earlier jobs freed is given back first: a job that takes it again would seem to need nothing.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    job()
    status = Path("/proc/self/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return peak_kb * 1024 / 1e6 - before


def growth(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent b of seconds ~ size ** b, by least squares on logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def growth_rows(case: str, what: str, times: dict[str, dict[float, float]]) -> list[Row]:
    """One row per tool with the exponent of its time over the sizes; ``what`` names the size."""
    return [
        Row(
            case,
            f"growth over {len(seen)} sizes",
            tool,
            None,
            result=f"time ~ {what}^{growth(list(seen), list(seen.values())):.2f}",
        )
        for tool, seen in times.items()
        if len(seen) >= 3
    ]


def name_of(package: str) -> str:
    """A package with its version, or without where it has none."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = (
        next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if "model name" in line
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ("corridor", "numpy", "scipy", "numba", "shapely", "geopandas", "osmium")
    return {
        "processor": model or "unknown",
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "load": f"{os.getloadavg()[2]:.1f} processes over the last quarter of an hour, these measurements included",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": ", ".join(name_of(p) for p in packages),
        "commit": _commit(),
    }


def _commit() -> str:
    """What was measured: the commit of this checkout, marked where files beside the pages differ from it."""

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(ENTRY.parent), *words], capture_output=True, text=True, check=False)

    # the page of the documentation is written while the rest is still being measured
    changed = ask("diff", "--quiet", "HEAD", "--", ":/", ":(exclude,top)docs").returncode
    told = ask("describe", "--always", "--exclude", "*").stdout.strip()
    return f"{told}-dirty" if told and changed else told or "unknown"


def as_json(rows: Sequence[Row], about: dict[str, str]) -> str:
    """All rows and the machine as JSON text."""
    return json.dumps({"machine": about, "cases": [asdict(row) for row in rows]}, indent=2, allow_nan=False) + "\n"
