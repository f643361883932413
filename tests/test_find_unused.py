"""The script that lists functions nothing reaches: told apart by a module that is run under coverage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import find_unused

MODULE = """
from functools import wraps

def njit(function):
    @wraps(function)
    def compiled(*words):
        return COMPILED[function.__name__](*words)
    return compiled

@njit
def inner_kernel(x):
    return x + 1

@njit
def kernel(x):
    return inner_kernel(x)

@njit
def forgotten_kernel(x):
    return x

COMPILED = {"kernel": lambda x: x + 1}

def used(x):
    return kernel(x)

def named_in_a_table():
    return 1

TABLE = {"a": named_in_a_table}

def forgotten():
    y = 1
    return y

class Thing:
    def used(self):
        return used(1)

    def forgotten(self):
        return 2

Thing().used()
"""


@pytest.fixture
def report(tmp_path) -> Path:
    (tmp_path / "module.py").write_text(MODULE, encoding="utf-8")
    for words in (["run", "module.py"], ["json", "-q"]):
        subprocess.run([sys.executable, "-m", "coverage", *words], cwd=tmp_path, check=True, timeout=300)
    return tmp_path / "coverage.json"


def test_functions_that_nothing_enters_are_listed_but_for_compiled_ones_that_are_named(report, tmp_path):
    found = find_unused.find_unused(report, tmp_path)
    assert [(f.file, f.name, f.statements) for f in found] == [
        ("module.py", "forgotten_kernel", 1),
        ("module.py", "named_in_a_table", 1),
        ("module.py", "forgotten", 2),
        ("module.py", "Thing.forgotten", 1),
    ]
    assert [MODULE.splitlines()[f.line - 1].strip().startswith(("def", "@")) for f in found] == [True] * 4


def test_a_report_of_before_is_printed_without_running_anything(report, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(find_unused, "ROOT", tmp_path)
    assert find_unused.main(["--report", str(report)]) == 0
    assert capsys.readouterr().out.endswith("4 functions, 5 statements are reached by nothing\n")
