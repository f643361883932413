"""What is known of the data files that ship with the package."""

from __future__ import annotations

import json
from pathlib import Path

from corridor.model.source import Source
from corridor.sources.files import sha256_of


def known_source(path: Path, source_id: str) -> Source | None:
    """The Source of a bundled file, from ``provenance.json`` beside it, or None for a file that isn't listed there."""
    listing = path.parent / "provenance.json"
    if not listing.is_file():
        return None
    for entry in json.loads(listing.read_text(encoding="utf-8")):
        if entry["file"] == path.name:
            return Source(
                source_id,
                entry["title"],
                entry["publisher"],
                entry["date"],
                entry["licence"],
                kind="data",
                file=path.name,
                sha256=sha256_of(path),
                note=entry["note"],
            )
    return None


def data_source(path: Path, source_id: str, title: str) -> Source:
    """The Source of a data file: as listed beside it, else by its name and hash with its origin unknown."""
    known = known_source(path, source_id)
    return known or Source(
        source_id, title, "as given", "", "as given", kind="data", file=path.name, sha256=sha256_of(path)
    )
