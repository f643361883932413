"""The same data as in an earlier run, or a refusal that names what differs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corridor.errors import SourceError
from corridor.input_files import read_json
from corridor.schema.source import Fetched, Source

_MAX_BYTES = 20_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PinnedInputs:
    """The data that a manifest names: SHA-256 by input, and by address and file name for what was fetched."""

    path: Path
    study: str
    inputs: dict[str, tuple[str, str]]
    fetched: dict[tuple[str, str], str]

    def require(self, study_id: str, sources: Sequence[Source]) -> None:
        """Raise a SourceError unless the study and every input are those of the manifest.

        What was fetched is compared as it came; other inputs by their own files.

        Args:
            study_id: Of the study that is to be computed.
            sources: Of its inputs.
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
        if faults:
            more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise SourceError(
                f"{self.path}: the data differs: {'; '.join(faults[:3])}{more}; use the same or run without --locked"
            )

    def _differs(self, part: Fetched) -> str:
        there = self.fetched.get(_key(part), "")
        if not there:
            return f"{part.file} from {part.address} isn't among what it fetched"
        return f"{part.file} has SHA-256 {there} there, {part.sha256} here"


def read_pinned_inputs(path: Path) -> PinnedInputs:
    """Read a manifest that a run wrote.

    Args:
        path: ``manifest.json`` of an earlier run.

    Raises:
        SourceError: it is missing or isn't a manifest of this tool.
    """
    try:
        content = read_json(path, "manifest of an earlier run", _MAX_BYTES)
        inputs = {str(row["id"]): (str(row["file"]), _digests(row["sha256"])) for row in content["inputs"]}
        parts = [Fetched(**part) for row in content["inputs"] for part in row.get("fetched", ())]
        study = str(content["study"])
        fetched = {_key(part): _digests(part.sha256) for part in parts}
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
    return PinnedInputs(path, study, inputs, fetched)


def _key(part: Fetched) -> tuple[str, str]:
    return part.address, part.file


def _digests(value: Any) -> str:
    """One or more hashes as the manifest has them."""
    if not isinstance(value, str) or not all(_DIGEST.fullmatch(part) for part in value.split()) or not value:
        raise ValueError("is no SHA-256")
    return value
