"""One file that a script writes: its place is checked before the work, and it appears whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from corridor.errors import OutputError


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
