"""What a folder of results was made from: enough to make it again and to see that nothing changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from corridor.atomic_write import WRITING
from corridor.errors import SourceError
from corridor.input_files import read_json
from corridor.report.escape import clean
from corridor.report.run_facts import TOOL, describe_run
from corridor.schema.results import Results
from corridor.schema.source import file_sha256

MANIFEST = "manifest.json"
MAX_BYTES = 20_000_000
"""A manifest that is larger isn't ours."""
_SIBLINGS = (("alignment.json", "alignment.geojson"), ("sweep.json", "plan.parquet"))
"""Files by which folders of new lines and of sweeps are known."""
_DEPTH = 4


def write_manifest(results: Results, folder: Path, names: tuple[str, ...]) -> None:
    """Write the manifest of a folder whose other files are complete; ``created`` is the only time of the run itself."""
    run = describe_run(results)
    run["files"] = {name: file_sha256(folder / name) for name in names}
    run["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(clean(run), ensure_ascii=False, indent=2, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def is_results_folder(folder: Path) -> bool:
    """Whether a folder holds results that this package wrote."""
    try:
        content = read_json(folder / MANIFEST, "manifest", MAX_BYTES)
    except (SourceError, OSError):
        return False
    return isinstance(content, dict) and content.get("tool") == TOOL


def holds_only_results(folder: Path, depth: int = _DEPTH) -> bool:
    """Whether a folder holds nothing but folders that this package wrote, or folders of such folders.

    The default folder ``out`` becomes one when results are written to ``out/demo``. Results may be put beside them, for
    nothing of anybody else's is there. Folders that a run is just writing in, or was killed in, count as ours.
    """
    return all(entry.is_dir() and not entry.is_symlink() and _is_ours(entry, depth) for entry in folder.iterdir())


def _is_ours(folder: Path, depth: int) -> bool:
    if is_results_folder(folder) or (folder / WRITING).is_file():
        return True
    if any(all((folder / name).is_file() for name in names) for names in _SIBLINGS):
        return True
    return depth > 0 and any(folder.iterdir()) and holds_only_results(folder, depth - 1)
