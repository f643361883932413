"""Atomic writing: files and folders appear whole or not at all, in place of older ones at once."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from corridor.errors import OutputError

WRITING = "writing.lock"
"""The file that marks a folder somebody writes in."""
_OLD = "old"
_EXCHANGE = 2
_HERE = -100


@contextlib.contextmanager
def workspace(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder in ``parent`` that is gone afterwards, whatever happens; those of killed processes go first.

    Raises:
        OSError: the parent can't be written.
    """
    prefix = f".{name}-"
    for left in parent.glob(f"{_literal(prefix)}*/{WRITING}"):
        with contextlib.suppress(OSError), left.open("r+b") as mark:
            if _lock(mark.fileno()):
                _put_back(left.parent / _OLD, parent / name)
                shutil.rmtree(left.parent, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as made,
        (Path(made) / WRITING).open("w+b") as mark,
    ):
        _lock(mark.fileno())  # the system lets go of it when the process ends, however it ends
        yield Path(made)


def put_in_place(fresh: Path, target: Path, work: Path, ours: Collection[str]) -> None:
    """Let the folder ``fresh`` become ``target``; files of others that lie in an older target come along.

    At every moment either the old or the new folder stands there whole; where the system can't exchange two folders,
    the old one is away for an instant and :func:`workspace` brings it back if the process is killed just then.

    Raises:
        OSError: it can't be done; the old folder stands as it was.
    """
    if not target.exists():
        fresh.replace(target)
        return
    for entry in target.iterdir():
        if entry.name not in ours and not (entry / WRITING).exists():
            _carry(entry, fresh / entry.name)
    if _exchange(fresh, target):
        return
    old = work / _OLD
    target.replace(old)
    try:
        fresh.replace(target)
    except OSError:
        old.replace(target)
        raise


def _carry(entry: Path, to: Path) -> None:
    """A second name for a file or for all of a folder; a copy where there can be none; links stay links."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.copytree(entry, to, symlinks=True, copy_function=_link_or_copy)
    else:
        _link_or_copy(str(entry), str(to))


def _link_or_copy(source: str, to: str, **_: object) -> str:
    try:
        os.link(source, to, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, to, follow_symlinks=False)
    return to


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two folders in one step, where the system and the disk can; says whether it was done."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call is not None and call(_HERE, os.fsencode(a), _HERE, os.fsencode(b), _EXCHANGE) == 0


def _put_back(old: Path, target: Path) -> None:
    if old.is_dir() and not target.exists():
        old.replace(target)


def _lock(descriptor: int) -> bool:
    """Whether this process has the lock of an open file now."""
    try:
        import fcntl
    except ImportError:  # no such locks here: leave what others may be writing
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def require_place_for(path: Path, what: str) -> None:
    """Say before long work whether a file can stand where it is asked for.

    Args:
        path: where to.
        what: what it holds, in a word: ``table``, ``map``.

    Raises:
        OutputError: the path is a folder, or its folder isn't there.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file for the {what} with --out")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.absolute().parent}; make it, or choose another with --out")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file beside its place, then move it there; what was there before stays if that fails.

    Raises:
        OutputError: it can't be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as work:
            fresh = Path(work) / path.name
            write(fresh)
            fresh.replace(path)
    except OSError as fault:
        reason = fault.strerror or fault
        raise OutputError(f"{path}: can't be written ({reason}); choose another place with --out") from fault
