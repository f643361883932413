"""Files as evidence: present, readable, and known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from corridor.errors import SourceError
from corridor.model.source import Source


def require_file(path: Path, what: str) -> None:
    """Raise a SourceError unless ``path`` is a readable file with something in it."""
    if not path.exists():
        raise SourceError(f"{path}: no such file; give the path of an existing {what}")
    if not path.is_file():
        raise SourceError(f"{path}: is a folder; give the path of a {what}")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as fault:
        raise SourceError(f"{path}: can't be read ({fault.strerror}); check its permissions") from fault
    if empty:
        raise SourceError(f"{path}: is empty; fetch the {what} again")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_source(path: Path, source_id: str, title: str, publisher: str, date: str, licence: str) -> Source:
    """A Source for a data file, with its name and hash."""
    return Source(source_id, title, publisher, date, licence, kind="data", file=path.name, sha256=sha256_of(path))
