"""A lock that processes share and that ends with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corridor.errors import FetchError

_PAUSE_S = 0.05


@contextmanager
def hold_lock(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock file ``path`` for this process, waiting for another that has it.

    Raises:
        FetchError: another process held it for all of ``wait_s``.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    try:
        end = time.monotonic() + wait_s
        while not _take(handle):
            if time.monotonic() > end:
                raise FetchError(f"{path}: another run has held this lock for {wait_s:g} s; wait for it or end it")
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(handle)  # gives the lock back


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _take(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
