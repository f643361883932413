"""What the C library keeps of memory that was let go; on systems with another library than Linux's nothing is done."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD = -3
"""The number of that setting for ``mallopt``."""
_LARGE = 1 << 20


def keep_large_apart() -> None:
    """Have arrays of over a megabyte go back to the system as soon as they are let go.

    Left to itself the library raises that bound to the largest array that it has seen: tens of megabytes are then cut
    from one heap, and what is let go between two that stay serves nobody.
    """
    _ask("mallopt", _MMAP_THRESHOLD, _LARGE)


def give_memory_back() -> None:
    """Give back to the system what was let go: what comes next needs it in other sizes."""
    _ask("malloc_trim", 0)


def _ask(name: str, *words: int) -> None:
    with suppress(AttributeError, OSError, TypeError):  # other systems have no such function
        getattr(ctypes.CDLL(None), name)(*words)
