"""Fixtures that several test folders share."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from hypothesis import settings

# What fixtures need of the package they import: the process that hands out tests needs none of it, and those that run
# them wait for it.
if TYPE_CHECKING:
    from corridor.comparison import Comparison
    from corridor.pipeline.graph import Run

# Machines are noisy and kernels compile on first use: a time limit per example would fail at random. Examples are the
# same in every run, so that a failure is of the change and not of chance; `make fuzz` looks for new ones.
settings.register_profile("corridor", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, max_examples=200, print_blob=True)
settings.load_profile("corridor")

LONGEST = (
    "test_extract", "test_browser", "test_docs", "test_bad_input", "test_evaluator", "test_run",
    "test_notebooks", "test_new_line", "test_laws", "test_terminal", "test_wheel", "test_align", "test_narrowing",
)  # fmt: skip
"""Files whose tests take longest, about in that order; but what two workers would compile at once comes to one of them.

Kernels of a run are compiled by the tests on the extract, while another worker has pages of made-up results in the
browser, which need none: with the documentation in its place both compiled all of them. Tests that search for new lines
come when the pages of the documentation have, which leave the kernels of the search compiled: that takes half a minute.
"""
ON_EXTRACT = ("test_extract", "test_access_extract", "test_events_study")
"""Files that take the steps of the run on the real extract: one worker has them all, so they are computed once."""
ROOT = Path(__file__).resolve().parent.parent
# Made absolute before tests move elsewhere.
_STATED_EXTRACT = Path(os.environ.get("CORRIDOR_EXTRACT", "")).absolute()
_DATA_FOLDERS = [Path(os.environ.get("CORRIDOR_DATA", "none")).absolute(), ROOT.parent / "shared" / "data"]


@pytest.fixture(scope="session")
def extract_path() -> Path:
    """The real OpenStreetMap extract, which isn't part of the project: CORRIDOR_EXTRACT or ../shared/data."""
    from tests.shared_runs import EXTRACT

    for path in (_STATED_EXTRACT, ROOT.parent / "shared" / "data" / EXTRACT):
        if path.is_file():
            return path
    pytest.skip(f"the real extract {EXTRACT} isn't here; set CORRIDOR_EXTRACT to its path")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real tiles and extracts that aren't part of the project: CORRIDOR_DATA or ../shared/data."""
    for path in _DATA_FOLDERS:
        if (path / "alps").is_dir():
            return path
    pytest.skip("the folder of real tiles isn't here; set CORRIDOR_DATA to its path")


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is computed of packaged studies, which all workers of a session have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "computed"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def shared_runs(monkeypatch: pytest.MonkeyPatch, computed: Path) -> None:
    """Whatever compares a packaged study in this process takes the values that are there: nothing is computed twice."""
    from tests.shared_runs import share

    share(monkeypatch, computed)


@pytest.fixture(scope="session")
def bundled(computed: Path) -> Comparison:
    """The bundled study on the bundled data, compared once for all tests that only look at it."""
    from corridor.comparison import compare
    from corridor.schema.study import Study
    from tests.shared_runs import share

    with pytest.MonkeyPatch.context() as patch:
        share(patch, computed)
        return compare(Study.bundled("syunik"))


@pytest.fixture(scope="session")
def extract_run(extract_path: Path, computed: Path) -> Run:
    """The bundled study on the real extract, whose steps are computed once for all tests."""
    from corridor.pipeline.comparing import open_run
    from corridor.schema.study import Study
    from tests.shared_runs import share

    with pytest.MonkeyPatch.context() as patch:
        share(patch, computed)
        return open_run(Study.bundled("syunik"), osm=extract_path)


@pytest.fixture(scope="session")
def bundled_folder(bundled: Comparison, computed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of that comparison, written once for all tests that only read them."""
    folder = computed / "out"
    if not folder.exists():
        # Another worker may be at it too: whoever comes first puts them in place, whole.
        written = bundled.write(tmp_path_factory.mktemp("bundled") / "out").parent
        with contextlib.suppress(OSError):
            written.rename(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to be in: what a test writes without saying where never lands in the checkout, nor reads from it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """Typer builds all commands with all their options anew at each call, longer than many tests take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those that need the extract or a browser, and slow ones, at the end."""
    weight = {"extract": 2, "browser": 2, "slow": 1}
    items.sort(key=lambda item: max((weight.get(mark.name, 0) for mark in item.iter_markers()), default=0))
    if "PYTEST_XDIST_WORKER" in os.environ:
        # whole files go to workers: with the longest first, what is left at the end is short and they end together
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        rank = {name: at for at, name in enumerate(LONGEST)}
        # of a file last what needs the run of the packaged study, whose kernels another worker compiles meanwhile
        items.sort(key=lambda item: "bundled" in getattr(item, "fixturenames", ()))
        items.sort(key=lambda item: (rank.get(item.path.stem, len(rank)), item.path not in slow))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files go to workers, and those on the extract to one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "extract" if Path(file).stem in ON_EXTRACT else file

    return Files(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no cycles while tests are collected: that took a third of the time where asserts are rewritten too."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Look for cycles more seldom, and not among the libraries: that took a quarter of all time."""
    # Libraries and collected tests are a million objects that stay; tables of results make many more that don't cycle.
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
