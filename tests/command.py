"""The command line, called in this process as the installed command calls it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from corridor.cli import main


def run_command(monkeypatch: pytest.MonkeyPatch, capture: Any, *words: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; ``capture`` is pytest's ``capsys`` or ``capfd``."""
    monkeypatch.setattr(sys, "argv", ["corridor", *map(str, words)])
    capture.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    said = capture.readouterr()
    return int(end.value.code or 0), said.out, said.err
