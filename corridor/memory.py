"""Memory of this process: what the C library keeps of what was let go, and what is left to take.

On other systems than Linux nothing is done, and nothing known.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path, PurePosixPath

_MMAP_THRESHOLD = -3
"""The number of that setting for ``mallopt``."""
_LARGE = 1 << 24


def keep_large_apart() -> None:
    """Have arrays of over sixteen megabytes go back to the system as soon as they are let go.

    Left to itself the library raises that bound to the largest array that it has seen: tens of megabytes are then cut
    from one heap, and what is let go between two that stay serves nobody. A lower bound costs more than it saves: each
    array beyond it is made of new pages, which the system has to clear one by one. On a country's roads sixteen
    megabytes took 2 MB more than two, and a sixth less of the system's time; 128 took 12 MB more and saved little.
    """
    _ask("mallopt", _MMAP_THRESHOLD, _LARGE)


def give_memory_back() -> None:
    """Give back to the system what was let go: what comes next needs it in other sizes."""
    _ask("malloc_trim", 0)


def _ask(name: str, *words: int) -> None:
    with suppress(AttributeError, OSError, TypeError):  # other systems have no such function
        getattr(ctypes.CDLL(None), name)(*words)


def room_bytes(root: Path = Path("/")) -> int:
    """How much memory may still be taken: the least of what the system has and what each control group leaves.

    Args:
        root: of the system's files.

    Returns:
        Bytes; 0 where nothing is known.
    """
    left = [_number(line) << 10 for line in _lines(root / "proc/meminfo") if line.startswith("MemAvailable:")]
    for line in _lines(root / "proc/self/cgroup"):
        # "0::/path" is of the second version of control groups, "4:memory:/path" of the first; a process is bound by
        # all groups above its own too. Within a container the path may be one outside, and only the top is there.
        number, kinds, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" or "memory" in kinds.split(","):
            tree = root / "sys/fs/cgroup" / ("" if number == "0" else "memory")
            own = PurePosixPath(path.lstrip("/"))
            left += [room for group in (own, *own.parents) for room in _group_room(tree / group)]
    return max(min(left, default=0), 0)


def _group_room(group: Path) -> list[int]:
    """What a control group's limit leaves; nothing where it has none."""
    for limit, usage in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        limits, used = (_lines(group / name) for name in (limit, usage))
        if limits and used and limits[0].isdecimal():
            # files that were read are kept in memory as long as nothing else needs it
            spare = [_number(line) for line in _lines(group / "memory.stat") if line.startswith("inactive_file ")]
            return [int(limits[0]) - int(used[0]) + sum(spare)]
    return []


def _lines(file: Path) -> list[str]:
    with suppress(OSError, ValueError):
        return file.read_text().splitlines()
    return []


def _number(line: str) -> int:
    return int(line.split()[1])
