"""Notebooks are stored without outputs, define nothing, and run from top to bottom on what ships with the package."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IDS = [path.stem for path in NOTEBOOKS]
NETWORK = "network"
"""Tag of cells that ask something of a network; without one they say so in a line, and the notebook works on."""
# Of the libraries that talk to the kernel, not of this package: event loops on Windows, folders that will move.
JUPYTER = [
    "ignore::DeprecationWarning:jupyter_client",
    "ignore::DeprecationWarning:jupyter_core",
    "ignore::RuntimeWarning:zmq",
    "ignore::pytest.PytestUnraisableExceptionWarning",
]


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert [name[:2] for name in IDS] == [f"{number:02d}" for number in range(1, len(IDS) + 1)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_cells_that_need_a_network_are_marked(path):
    asking = re.compile(r"graph_from_(bbox|place|point|address|polygon)|--live|live=|requests|urlopen|https?://")
    for cell in cells(path, "code"):
        assert (NETWORK in cell["metadata"].get("tags", ())) == bool(asking.search(source(cell)))


@pytest.mark.filterwarnings("default")  # those of a library that is asked for what it can't get
@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_cells_that_need_a_network_skip_with_one_line_where_there_is_none(path, monkeypatch, capsys):
    pytest.importorskip("osmnx")

    def refuse(*_args, **_more):
        raise OSError("no network")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(f"socket.{name}", refuse)
    for cell in cells(path, "code"):
        if NETWORK in cell["metadata"].get("tags", ()):
            capsys.readouterr()
            exec(compile(source(cell), path.name, "exec"), {})
            assert re.fullmatch(r"skipped: \w+, no OpenStreetMap from here.*\n", capsys.readouterr().out)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_stored_without_outputs(path):
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_defines_nothing_and_keeps_its_cells_short(path):
    for cell in cells(path, "code"):
        tree = ast.parse(source(cell))
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not [node for node in ast.walk(tree) if isinstance(node, defined)]
        assert len(source(cell).splitlines()) <= 12
        assert max(map(len, source(cell).splitlines())) <= 120


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_each_step_is_explained_before_it_is_taken(path):
    kinds = [cell["cell_type"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert kinds[0] == "markdown"
    assert all(kinds[at - 1] == "markdown" for at, kind in enumerate(kinds) if kind == "code")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for all notebooks, which loads the libraries and compares the packaged study once."""
    manager = pytest.importorskip("jupyter_client").AsyncKernelManager(kernel_name="python3")
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("JUPYTER_PATH", str(Path(sys.prefix) / "share" / "jupyter"))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        patch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        yield manager
        asyncio.run(manager.shutdown_kernel(now=True))


CLEAN = """
%reset -f
import os
import pytest
from pathlib import Path
from tests.shared_runs import share
share(pytest.MonkeyPatch(), Path({computed!r}))
os.chdir({work!r})
%reset -f
"""
"""Before a notebook: nothing is defined, and it is in a folder of its own."""


@pytest.mark.slow
@pytest.mark.filterwarnings(*JUPYTER)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_runs_from_top_to_bottom(path, kernel, computed, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    notebook.cells = [cell for cell in notebook.cells if NETWORK not in cell.metadata.get("tags", ())]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(CLEAN.format(work=str(work), computed=str(computed))))
    client = NotebookClient(notebook, km=kernel, timeout=240, resources={"metadata": {"path": str(work)}})
    try:
        client.execute()
    finally:
        client.kc.stop_channels()
    said = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.text for output in said if output.output_type == "stream" and output.name == "stderr"] == []
    # Ranks that hang on what isn't determined are said in words, and nothing is ranked under rules that allow nothing.
    assert not [output for output in said if "<NA>" in output.get("data", {}).get("text/plain", "")]
    if path.stem == "01_first_comparison":
        written = {item.name for item in (work / "out" / "first-comparison").iterdir()}
        assert {"comparison.html", "metrics.csv", "ranking.csv", "candidates.geojson", "candidates.gpkg"} <= written
