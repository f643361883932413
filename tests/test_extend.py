"""What the page on extending says: each of its files is added to a copy of the package, and is then there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tools.blocks import find_blocks
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "howto" / "extend.md"


@pytest.fixture
def copied(tmp_path) -> Path:
    """A copy of the package, whose data are those of the checkout."""
    shutil.copytree(ROOT / "corridor", tmp_path / "corridor", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def add_file(copied: Path, title: str, folder: str) -> None:
    """Add one file of the page to a folder of the copied package."""
    (text,) = [block.text for block in find_blocks(PAGE.read_text(encoding="utf-8")) if block.title == title]
    (copied / folder / title).write_text(text, encoding="utf-8")


def call(copied: Path, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command of the copied package."""
    environment = os.environ | {"PYTHONPATH": str(copied), "COLUMNS": "200"} | variables
    command = [sys.executable, "-m", "corridor.cli", *map(str, words)]
    return subprocess.run(command, cwd=copied, env=environment, capture_output=True, text=True, check=False)


def test_a_new_method_is_one_file(copied, bundled, tmp_path):
    results = tmp_path / "results"
    bundled.write(results)
    before = call(copied, "rank", results, "--method", "weighted-product")
    assert before.returncode == 2
    assert "weighted-product" not in call(copied, "rank", "--help").stdout
    add_file(copied, "weighted_product.py", "corridor/mcda/methods")
    assert "weighted-product" in call(copied, "rank", "--help").stdout
    after = call(copied, "rank", results, "--method", "weighted-product", "--robust")
    assert after.returncode == 0, after.stderr
    assert "- weighted product: an alternative at the worst anchor of any criterion scores 0" in after.stdout
    assert "Weighted sum, PROMETHEE II, TOPSIS, VIKOR and Weighted product" in after.stdout
