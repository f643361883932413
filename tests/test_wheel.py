"""What is installed from the wheel works where the sources aren't: in an empty environment, from another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

yaml = pytest.importorskip("yaml")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command without the variables that would let it find the sources."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=clean, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it; nothing is downloaded."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out / f"corridor-{VERSION}.tar.gz", out / f"corridor-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """An environment with the wheel alone; its dependencies are looked up in the one that runs the tests."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", built[1], cwd=home)
    (site,) = (home / "lib").glob("python*/site-packages")
    # A plain path: packages there are found, while what makes editable installs work there isn't run.
    (site / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    _take_compiled(site / "corridor")
    return home


def _take_compiled(package: Path) -> None:
    """Code that is compiled beside the sources of the same text comes along: to compile it anew takes ten seconds."""
    for kept in (ROOT / "corridor").rglob("*.nb[ic]"):
        folder = kept.parent.relative_to(ROOT / "corridor")
        source = folder.parent / f"{kept.name.partition('.')[0]}.py"
        if not (package / source).is_file():
            continue
        (package / folder).mkdir(exist_ok=True)
        shutil.copy2(kept, package / folder)
        # numba knows a source by its time and size
        when = (ROOT / "corridor" / source).stat().st_mtime_ns
        os.utime(package / source, ns=(when, when))


def test_the_wheel_carries_data_words_and_licences(built):
    names = set(zipfile.ZipFile(built[1]).namelist())
    for folder, inside in (("data", "corridor/_data"), ("corridor", "corridor")):
        tracked = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        missing = {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in tracked} - names
        assert not missing
    assert {name.rpartition("/")[2] for name in names} >= {"LICENSE", "NOTICE", "py.typed", "en.json", "METADATA"}
    assert not [name for name in names if name.startswith(("tests/", "scripts/", "docs/"))]


def test_the_sdist_carries_what_tests_need(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "CITATION.cff", "CHANGELOG.md", "Makefile", "constraints.txt"} <= names
    assert {"tests/test_wheel.py", "scripts/make_map.py", "notebooks/01_first_comparison.ipynb"} <= names


def test_the_wheel_runs_from_another_folder_and_gives_the_same_tables(installed, bundled_folder, tmp_path):
    where = run(installed / "bin" / "python", "-c", "import corridor; print(corridor.__file__)", cwd=tmp_path).stdout
    assert Path(where.strip()).is_relative_to(installed)
    done = run(installed / "bin" / "corridor", "run", "--out", "routes", "--formats", "gpkg", cwd=tmp_path)
    assert done.stdout == f"{tmp_path / 'routes' / 'comparison.html'}\n"
    assert (tmp_path / "routes" / "candidates.gpkg").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["routes"]
    for name in ("metrics.csv", "ranking.csv", "cost_breakdown.csv", "flows.csv", "pairs.csv", "potentials.csv"):
        assert (tmp_path / "routes" / name).read_bytes() == (bundled_folder / name).read_bytes(), name


def test_versions_agree():
    import corridor

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert corridor.__version__ == str(citation["version"]) == VERSION
    # What the schema of the Citation File Format 1.2.0 requires.
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["authors"]
    assert {"message", "title"} <= set(citation)
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    assert citation["license"] == licence
