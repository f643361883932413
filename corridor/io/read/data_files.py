"""Data files as evidence: present and readable, and what their hash and the listing beside them say of their origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corridor.errors import SourceError
from corridor.schema.source import Fetched, Source, file_sha256
from corridor.schema.vocabulary import SourceKind

LISTING = "provenance.json"
_MAX_LISTING_BYTES = 1_000_000


def file_source(path: Path, source_id: str, title: str, publisher: str, date: str, licence: str) -> Source:
    """A Source for a data file, with its name and hash.

    Args:
        path: The file, which is there.
        source_id: Of the source in a run's list.
        title: What it is.
        publisher: Who publishes it.
        date: Date of the data, as exact as is known.
        licence: Its licence.
    """
    return Source(
        source_id, title, publisher, date, licence, kind=SourceKind.DATA, file=path.name, sha256=file_sha256(path)
    )


def known_source(path: Path, source_id: str) -> Source | None:
    """The Source of a file from the listing beside it, or None for a file that isn't listed there.

    Args:
        path: A data file.
        source_id: Of the source in a run's list.
    """
    listing = path.parent / LISTING
    if not listing.is_file():
        return None
    try:
        if listing.stat().st_size > _MAX_LISTING_BYTES:
            raise ValueError("it is too large")
        entries = json.loads(listing.read_text(encoding="utf-8"))
        entry = next((row for row in entries if row["file"] == path.name), None)
        if entry is None:
            return None
        words = [entry[key] for key in ("title", "publisher", "date", "licence", "note")]
        if not all(isinstance(word, str) for word in words):
            raise TypeError("title, publisher, date, licence and note are texts")
        fetched, address, when = _fetched(entry), str(entry.get("address", "")), str(entry.get("fetched", ""))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as fault:
        raise SourceError(
            f"{listing}: isn't a list of files with file, title, publisher, date, licence and note ({fault}); correct "
            "it or take it away"
        ) from fault
    title, publisher, date, licence, note = words
    if when:
        note = f"{note}; fetched {when[:10]}" if note else f"fetched {when[:10]}"
    return Source(
        source_id, title, publisher, date, licence, url=address, kind=SourceKind.DATA, file=path.name,
        sha256=file_sha256(path), note=note, fetched=fetched,
    )  # fmt: skip


def data_source(path: Path, source_id: str, title: str) -> Source:
    """The Source of a data file: as listed beside it, else by its name and hash with its origin unknown.

    Args:
        path: A data file.
        source_id: Of the source in a run's list.
        title: What to call it where no listing does.
    """
    known = known_source(path, source_id)
    return known or Source(
        source_id, title, "as given", "", "as given", kind=SourceKind.DATA, file=path.name, sha256=file_sha256(path)
    )


def _fetched(entry: dict[str, Any]) -> tuple[Fetched, ...]:
    """The network's part in a file: nothing for packaged ones."""
    if not entry.get("fetched"):
        return ()
    # A computed file is known by what it was computed from.
    if entry["made_from"]:
        return tuple(Fetched(**part) for part in entry["made_from"])
    return (Fetched(entry["address"], entry["file"], entry["sha256"], entry["bytes"], entry["fetched"]),)
