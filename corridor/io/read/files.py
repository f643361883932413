"""Files as evidence: present, readable, and known by their hash."""

from __future__ import annotations

from pathlib import Path

from corridor.errors import SourceError
from corridor.schema.source import Source, file_sha256
from corridor.schema.vocabulary import SourceKind
from corridor.wording import with_article


def require_file(path: Path, what: str, max_bytes: int | None = None) -> None:
    """Raise a SourceError unless ``path`` is a readable plain file with something in it, and not over a size."""
    try:
        if not path.exists():
            raise SourceError(f"{path}: no such file; give the path of an existing {what}")
        if path.is_dir():
            raise SourceError(f"{path}: is a folder; give the path of {with_article(what)}")
        if not path.is_file():
            raise SourceError(f"{path}: is a device or a pipe; give the path of {with_article(what)}")
        with path.open("rb") as stream:
            empty = not stream.read(1)
        size = path.stat().st_size
    except OSError as fault:
        raise SourceError(f"{str(path)[:200]}: can't be read ({fault.strerror}); check path and permissions") from fault
    if empty:
        raise SourceError(f"{path}: is empty; fetch the {what} again")
    if max_bytes is not None and size > max_bytes:
        raise SourceError(f"{path}: is larger than {max_bytes / 1e6:,.0f} MB; is it really {with_article(what)}?")


def file_source(path: Path, source_id: str, title: str, publisher: str, date: str, licence: str) -> Source:
    """A Source for a data file, with its name and hash."""
    return Source(
        source_id, title, publisher, date, licence, kind=SourceKind.DATA, file=path.name, sha256=file_sha256(path)
    )
