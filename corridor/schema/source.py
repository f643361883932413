"""Where something comes from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from corridor.schema.vocabulary import SourceKind


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it came from the network: from which address, with which content, at what time (ISO, UTC)."""

    address: str
    file: str
    sha256: str
    bytes: int
    fetched: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document or data set that a value rests on.

    ``kind`` is ``data`` for files that were computed with and ``document`` for what a value was read from.
    ``date`` is ISO (YYYY, YYYY-MM or YYYY-MM-DD) or empty where the source has none. ``fetched`` names the files from
    the network that the data is or was made from.
    """

    source_id: str
    title: str
    publisher: str
    date: str
    licence: str
    url: str = ""
    kind: SourceKind = SourceKind.DOCUMENT
    file: str = ""
    sha256: str = ""
    note: str = ""
    fetched: tuple[Fetched, ...] = ()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal text.

    Args:
        path: of the file.

    Returns:
        64 digits.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
