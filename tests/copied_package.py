"""A copy of the package to which a test adds a file of the page on extending."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from docs.tools.blocks import find_blocks
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "howto" / "extend.md"


def copy_package(folder: Path) -> None:
    """Copy the package into a folder, with what was compiled of it; its data are those of the checkout."""
    # Times are copied too, so that bytecode and machine code hold for the copies and needn't be made anew. What another
    # test writes there just now may be gone before it is copied.
    shutil.copytree(ROOT / "corridor", folder / "corridor", ignore=shutil.ignore_patterns("*.tmp*", "*.pyc.*"))
    (folder / "data").symlink_to(ROOT / "data")


def add_file(folder: Path, title: str, to: str) -> None:
    """Add one file of the page to a folder of the copied package."""
    (text,) = [block.text for block in find_blocks(PAGE.read_text(encoding="utf-8")) if block.title == title]
    (folder / to / title).write_text(text, encoding="utf-8")


def run_copy(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command of the copied package."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    command = [sys.executable, "-m", "corridor.cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
