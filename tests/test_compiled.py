"""Machine code that was kept is used only for the sources that it was made from."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
import numpy as np
import pytest

from corridor import compiled
from corridor.alignment.chords import earthwork
from tests.conftest import ROOT

INNER = """
from corridor.compiled import compiled

@compiled
def inner(x):
    return x + {added}
"""
OUTER = """
from corridor.compiled import compiled
from inner import inner

@compiled
def outer(x):
    return inner(x) * 2
"""
SERVER = f"""
import os
import sys
import numba
sys.path.insert(0, {str(ROOT)!r})
numba.njit(lambda x: x + 1)(1)
for folder in map(str.strip, sys.stdin):
    if os.fork() == 0:
        os.chdir(folder)
        sys.path.insert(0, folder)
        from pathlib import Path
        import corridor.compiled
        corridor.compiled._FOLDER = Path(folder)
        from outer import outer
        print(outer(1), sum(outer.stats.cache_hits.values()), flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(1)
"""
"""For each folder that it reads a process of its own, in which numba is loaded and nothing of ours, calls a kernel."""


@pytest.fixture
def modules(tmp_path) -> Path:
    (tmp_path / "inner.py").write_text(INNER.format(added=1), encoding="utf-8")
    (tmp_path / "outer.py").write_text(OUTER, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def called() -> Iterator[Callable[[Path], tuple[int, int]]]:
    """What the outer function gives in a process of its own, and how often kept code was used.

    Python's own bytecode is off: it takes a file of equal size that changed within the second for the same.
    """
    command = [sys.executable, "-B", "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def call(folder: Path) -> tuple[int, int]:
            server.stdin.write(f"{folder}\n")
            server.stdin.flush()
            value, hits = map(int, server.stdout.readline().split())
            return value, hits

        yield call
        server.stdin.close()


def test_kept_code_is_used_again(modules, called):
    assert called(modules) == (4, 0)
    assert called(modules) == (4, 1)


def test_code_is_made_anew_when_a_function_of_another_file_changes(modules, called):
    assert called(modules) == (4, 0)
    (modules / "inner.py").write_text(INNER.format(added=2), encoding="utf-8")
    assert called(modules) == (6, 0)


def test_kept_code_of_types_that_have_moved_is_left_alone(modules, called):
    """As an older version of the package leaves it beside the files of a newer one."""
    assert called(modules) == (4, 0)
    indexes = list((modules / "__pycache__").glob("*.nbi"))
    assert len(indexes) == 2
    for index in indexes:
        with index.open("wb") as stream:
            pickle.dump(numba.__version__, stream)
            stream.write(b"cgone_with_the_old_version\nThing\n.")
    assert called(modules) == (4, 0)


def test_the_mark_covers_every_file_with_compiled_functions():
    named = {path for path in (ROOT / "corridor").rglob("*.py") if b"njit" in path.read_bytes()}
    assert named == {ROOT / "corridor" / "compiled.py"}, "compile with corridor.compiled, so that the file is marked"
    assert len(compiled.source_mark()) == 64


def test_python_is_refused_what_only_kernels_call():
    with pytest.raises(TypeError, match="earthwork is compiled for calls from kernels alone"):
        earthwork(1.0, 2.0, np.ones(24))


def test_with_numba_switched_off_python_itself_runs():
    code = "from corridor.compiled import inner, pasted\nprint(inner(lambda a: a + 1)(2), pasted(lambda a: a * 3)(2))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("3 6\n", "")
