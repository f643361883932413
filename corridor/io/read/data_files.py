"""Data files as evidence: present, readable, of known hash and origin; the same as in an earlier run, or refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corridor.errors import SourceError
from corridor.files import data_root, read_json
from corridor.schema.fields import NO_LICENCE, NO_PUBLISHER, Fetched, Source, file_sha256
from corridor.schema.study import Study
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
        source_id, title, NO_PUBLISHER, "", NO_LICENCE, kind=SourceKind.DATA, file=path.name, sha256=file_sha256(path)
    )


def _fetched(entry: dict[str, Any]) -> tuple[Fetched, ...]:
    """The network's part in a file: nothing for packaged ones."""
    if not entry.get("fetched"):
        return ()
    # A computed file is known by what it was computed from.
    if entry["made_from"]:
        return tuple(Fetched(**part) for part in entry["made_from"])
    return (Fetched(entry["address"], entry["file"], entry["sha256"], entry["bytes"], entry["fetched"]),)


# --- The same data and rules as in an earlier run, or a refusal that names what differs ---

_MAX_MANIFEST_BYTES = 20_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PinnedInputs:
    """What a manifest names: SHA-256 by input, by address and file name for what was fetched, by rule."""

    path: Path
    study: str
    inputs: dict[str, tuple[str, str]]
    fetched: dict[tuple[str, str], str]
    rules: dict[str, str]

    def require(self, study_id: str, sources: Sequence[Source], rules: Mapping[str, str]) -> None:
        """Raise a SourceError unless the study, every input and every rule are those of the manifest.

        What was fetched is compared as it came; other inputs by their own files.

        Args:
            study_id: Of the study that is to be computed.
            sources: Of its inputs.
            rules: As :func:`hash_rules` gives them.
        """
        if study_id != self.study:
            raise SourceError(
                f"{self.path}: is of the study '{self.study}', not of '{study_id}'; name its own manifest"
            )
        faults = []
        for source in sources:
            if source.source_id not in self.inputs:
                faults.append(f"{source.file} ({source.source_id}) isn't among its inputs")
                continue
            file, digest = self.inputs[source.source_id]
            # What came from the network is compared as it came: the file made from it may differ with the version of a
            # library.
            faults += (
                [self._differs(part) for part in source.fetched if self.fetched.get(_key(part)) != part.sha256]
                if source.fetched
                else [f"{file} has SHA-256 {digest} there, {source.file} has {source.sha256} here"]
                if digest != source.sha256
                else []
            )
        # Both ways: an input less gives another result just as an input more does.
        absent = set(self.inputs) - {source.source_id for source in sources}
        faults += [f"{self.inputs[key][0]} ({key}) is used there and not here" for key in sorted(absent)]
        changed = sorted(name for name in {*rules, *self.rules} if rules.get(name) != self.rules.get(name))
        faults += [f"{name} {_how(self.rules.get(name), rules.get(name))}" for name in changed]
        if faults:
            more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise SourceError(
                f"{self.path}: what decides differs: {'; '.join(faults[:3])}{more}; use the same or run without "
                "--locked"
            )

    def _differs(self, part: Fetched) -> str:
        there = self.fetched.get(_key(part), "")
        if not there:
            return f"{part.file} from {part.address} isn't among what it fetched"
        return f"{part.file} has SHA-256 {there} there, {part.sha256} here"


def _how(there: str | None, here: str | None) -> str:
    if there and here:
        return "was another then"
    return "is used there and not here" if there else "is used here and not there"


_TABLES = ("*.csv", "*.toml")
_STANDARDS = "standards.toml"
_SHARED = frozenset(
    (_STANDARDS, "vehicles.csv", "driving.csv", "costing.csv", "upkeep.csv", "trip_rates.csv", "height_errors.csv")
)
"""Packaged tables that a folder of reference tables need not have."""
_FILES_OF = {"sources": ("reference", "elevation", "borders", "places", "osm", "perspectives", "long_distance")}


def hash_rules(study: Study) -> dict[str, str]:
    """SHA-256 of all that decides beside the data: the study itself, catalogue tables, regimes, perspectives.

    So do conditions, drawn lines, and what ships with the toolkit and fills in for the study's own: design standards,
    and tables that its folder doesn't have.

    Where data lies is no rule: the same files may lie in another folder or in the cache.

    Args:
        study: As it is computed.

    Returns:
        By a name that a reader knows: ``study``, ``reference/sections.csv``, ``regimes`` ...
    """
    content = study.model_dump(mode="json", exclude={"folder", "live"})
    for table, names in _FILES_OF.items():
        content[table] = {key: value for key, value in content[table].items() if key not in names}
    if content.get("impact"):
        del content["impact"]["regimes"]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    found = {"study": hashlib.sha256(text.encode()).hexdigest()}
    # Named by what they are to the study, so that its folder may have any name.
    folders = {"reference": study.sources.reference, "long_distance": study.sources.long_distance}
    for role, folder in ((role, study.path(name)) for role, name in folders.items() if name):
        tables = (path for pattern in _TABLES for path in folder.glob(pattern) if path.is_file())
        found |= {f"{role}/{path.name}": file_sha256(path) for path in sorted(tables)}
    files = {
        "perspectives": study.sources.perspectives,
        "regimes": study.impact.regimes if study.impact else None,
        "conditions": study.report.conditions,
    }
    files |= {f"line of {spec.id}": getattr(spec, "file", None) for spec in study.candidates}
    for role, path in ((role, study.path(name)) for role, name in files.items() if name):
        if path.is_file():
            found[role] = file_sha256(path)
    return found | _hash_packaged(study)


def _hash_packaged(study: Study) -> dict[str, str]:
    """Tables that ship with the toolkit and stand in for those that the study's own folder lacks, or has none of."""
    packaged = data_root() / "reference"
    own = study.path(study.sources.reference) if study.sources.reference else None
    if own and own.resolve() == packaged.resolve():
        return {}
    tables = [path for pattern in _TABLES for path in packaged.glob(pattern)]
    # Without a folder every general table counts; with one, those that it need not have.
    used = [path for path in tables if own is None or path.name in _SHARED]
    # Standards are always the toolkit's.
    missing = [path for path in used if own is None or path.name == _STANDARDS or not (own / path.name).is_file()]
    return {f"packaged/{path.name}": file_sha256(path) for path in sorted(missing)}


def read_pinned_inputs(path: Path) -> PinnedInputs:
    """Read a manifest that a run wrote.

    Args:
        path: ``manifest.json`` of an earlier run.

    Raises:
        SourceError: it is missing or isn't a manifest of this tool.
    """
    try:
        content = read_json(path, "manifest of an earlier run", _MAX_MANIFEST_BYTES)
        inputs = {str(row["id"]): (str(row["file"]), _digests(row["sha256"])) for row in content["inputs"]}
        parts = [Fetched(**part) for row in content["inputs"] for part in row.get("fetched", ())]
        study = str(content["study"])
        fetched = {_key(part): _digests(part.sha256) for part in parts}
        if "rules" not in content:
            raise SourceError(f"{path}: is of an earlier version, which didn't note the study's rules; run it anew")
        rules = {str(name): _digests(digest) for name, digest in content["rules"].items()}
    except FileNotFoundError as fault:
        raise SourceError(f"{path}: no such file; give the manifest.json of an earlier run") from fault
    except OSError as fault:
        raise SourceError(
            f"{path}: can't be read ({fault.strerror}); give the manifest.json of an earlier run"
        ) from fault
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError(f"{path}: isn't a manifest of an earlier run; give its manifest.json") from fault
    return PinnedInputs(path, study, inputs, fetched, rules)


def _key(part: Fetched) -> tuple[str, str]:
    return part.address, part.file


def _digests(value: Any) -> str:
    """One or more hashes as the manifest has them."""
    if not isinstance(value, str) or not all(_DIGEST.fullmatch(part) for part in value.split()) or not value:
        raise ValueError("is no SHA-256")
    return value
