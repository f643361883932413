"""What mkdocs calls while it builds: pages that are made from the code are made here, so that they can't be stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.tools import cli_reference, results_reference, study_reference  # noqa: E402

PAGES = {
    "reference/cli.md": cli_reference.render,
    "reference/study.md": study_reference.render,
    "reference/results.md": results_reference.render,
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are generated."""
    for name, render in PAGES.items():
        files.append(File.generated(config, name, content=render()))
    return files
