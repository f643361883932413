"""The documentation: pages build offline, what they say of commands and code is what a run says."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import corridor
from corridor.export.folder import OURS
from corridor.pipeline.diagnosis import check_lengths
from corridor.schema.study import Study
from docs.tools import found_maps, results_reference, study_reference, validation
from docs.tools.blocks import BlockError, find_blocks, page_before, run_page, same, split_console
from docs.tools.cli_reference import commands
from docs.tools.drawings import scoring
from docs.tools.drawings.__main__ import DRAWINGS
from docs.tools.drawings.sheet import save
from docs.tools.plugin_tables import TABLES, with_table
from docs.tools.study_reference import fields_of, models
from docs.tools.study_words import WORDS
from tests.command import run_command
from tests.conftest import ROOT
from tests.synthetic.ground import write_dem

DOCS = ROOT / "docs"
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(corridor.__path__, "corridor.")
    if not module.name.endswith("__main__")
)
PAGES = [path for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))] if find_blocks(path.read_text("utf-8"))]


def test_examples_in_docstrings_are_so():
    attempted = 0
    for name in ["corridor", *MODULES]:
        told: list[str] = []
        module = importlib.import_module(name)
        # to look for examples takes four seconds in all files, and few hold any
        if ">>>" not in Path(module.__file__).read_text(encoding="utf-8"):
            continue
        for test in doctest.DocTestFinder(exclude_empty=True).find(module):
            attempted += doctest.DocTestRunner().run(test, out=told.append).attempted
        assert told == []
    assert attempted > 15


@pytest.fixture(scope="session")
def ended(tmp_path_factory) -> dict[Path, tuple[Path, str]]:
    """Pages that have run: their folder and the page as it came out, so that one can start where another ended."""
    return {}


@pytest.mark.slow
@pytest.mark.usefixtures("shared_runs")
@pytest.mark.parametrize("page", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_blocks_of_a_page_run_and_say_what_it_shows(page, ended, tmp_path_factory):
    def run(path: Path) -> tuple[Path, str]:
        if path not in ended:
            before, folder = page_before(path), tmp_path_factory.mktemp(path.stem)
            ended[path] = folder, run_page(path, folder, run(before)[0] if before else None)
        return ended[path]

    shown = page.read_text(encoding="utf-8")
    assert run(page)[1] == shown, f"outputs differ: python -m docs.tools.blocks {page.relative_to(ROOT)}"


def test_a_block_that_says_otherwise_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo 1\n2\n```\n", encoding="utf-8")
    assert run_page(page, tmp_path) == "```console\n$ echo 1\n1\n```\n"
    page.write_text("```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    assert run_page(page, tmp_path) == "```python\n>>> 1 + 1\n2\n```\n"
    page.write_text("```python\n>>> nobody\n3\n```\n", encoding="utf-8")
    with pytest.raises(BlockError, match=r"page.md:1: `nobody`: NameError"):
        run_page(page, tmp_path)
    page.write_text("```console\n$ false\n```\n", encoding="utf-8")
    with pytest.raises(BlockError, match=re.escape("page.md:1: `false` failed")):
        run_page(page, tmp_path)


def test_blocks_share_a_folder_and_a_session_and_can_be_left_out(tmp_path):
    page = tmp_path / "page.md"
    text = (
        '```toml title="a.toml"\nx = 1\n```\n'
        '```toml title="a.toml (add at the end)"\ny = 2\n```\n'
        "```console\n$ cat a.toml\nx = 1\n...\n```\n"
        "```python\nfrom pathlib import Path\nn = len(Path('a.toml').read_text().split())\n```\n"
        "```python\n>>> n\n6\n```\n"
        "<!-- not run: needs the network -->\n```console\n$ false\n```\n"
    )
    page.write_text(text, encoding="utf-8")
    assert run_page(page, tmp_path) == text


def test_white_space_counts_once_and_dots_stand_for_lines():
    assert same("a  b\n...\nz\n", "a b\nc\nd\nz\n")
    assert not same("a b\n", "a c\n")
    assert split_console("$ a \\\n  b\nout\n$ c\n") == [("a \\\n  b", "out\n"), ("c", "")]


def shown_commands() -> list[tuple[str, str]]:
    """Every ``corridor ...`` line of the README and the pages, also in blocks that aren't run."""
    found = []
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        for line in re.findall(r"^(?:    |\s*\$ )(corridor [^\n#]*)", path.read_text("utf-8"), re.MULTILINE):
            found.append((path.name, line.strip().rstrip("\\").strip()))
    return found


def test_every_command_that_is_shown_exists_with_its_options():
    known = commands()
    assert len(shown_commands()) > 20
    for page, line in shown_commands():
        words = line.split()[1:]
        if words[0].startswith("-") or words[0] == "COMMAND":
            continue
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, f"{page}: {line}"
        text = rendered_command(name)
        for option in (word.split("=")[0] for word in words[1:] if re.fullmatch(r"--?[a-z][-a-z=\w]*", word)):
            assert option in {"--help", "-h"} or f"`{option}`" in text, f"{page}: {line}: no {option}"


def rendered_command(name: str) -> str:
    from docs.tools.cli_reference import render

    return re.search(rf"^## corridor {re.escape(name)}\n(.*?)(?=^## |\Z)", render(), re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_page_of_commands_says_what_help_says(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "300")
    code, told, _ = run_command(monkeypatch, capsys, *name.split(), "--help")
    assert code == 0
    told = " ".join(told.split())
    page = rendered_command(name)
    for option in re.findall(r"--[a-z][-a-z]+", told.split("─ Options ─", 1)[1]):
        assert option == "--help" or f"`{option}`" in page
    for row in re.findall(r"^\| [^|]+\| ([^|]+) \|", page, re.MULTILINE)[1:]:
        assert re.sub(r"\\\|", "|", row).replace("`", "").split(".")[0][:60] in told or row.startswith("--")


@pytest.mark.slow
def test_the_site_builds_offline_with_every_link_and_no_request(tmp_path):
    pytest.importorskip("mkdocstrings")
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],  # --quiet counts no warning
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    loads = re.compile(
        r"<(?:script|img|iframe|source)[^>]*\bsrc=[\"']?(?:https?:)?//|<link[^>]*\bhref=[\"']?(?:https?:)?//"
    )
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not loads.findall(text), page.name
        # An example of a docstring is code: as plain text its >>> would be three quotations.
        assert not re.search(r"<blockquote>\s*<blockquote>\s*<blockquote>", text), page.name


def test_every_picture_is_used_and_drawn():
    text = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *DOCS.rglob("*.md")])
    for picture in (DOCS / "images").iterdir():
        assert f"images/{picture.name}" in text
    for name in re.findall(r"images/([\w.-]+)", text):
        assert Path(DOCS / "images" / name).is_file()


def test_every_key_of_a_study_is_explained():
    for name, model in models().items():
        keys = set(fields_of(model)) - ({"folder"} if name == "Study" else set())
        assert keys <= set(WORDS.get(name, {})), f"docs/tools/study_words.py: {name} lacks {keys - set(WORDS[name])}"
    assert set(WORDS) == set(models())


def test_the_page_of_study_files_names_keys_and_tables_not_code():
    page = study_reference.render()
    assert set(study_reference.TABLES) == set(models())
    for word in ("<class", ":mod:", ":class:", "=False", "not empty, not empty"):
        assert word not in page
    # keys that a study may leave out: what stands in for them is said
    study = {"id": "x", "title": "X", "question": "?", "as_of": "2026-03", "area": [0, 0, 1, 1], "sources": {}}
    study |= {"origin": "A", "destination": "B", "candidates": [{"family": "existing", "id": "a", "name": "A"}]}
    criterion = {"id": "c", "label": "C", "metric": "length_km", "unit": "km", "group": "distance"}
    filled = Study.model_validate(study | {"criteria": [criterion | {"best": 0, "worst": 9}]})
    assert filled.baselines[0].as_of == filled.as_of
    assert filled.focus.outline[0] == (0, 0)
    assert filled.criteria[0].direction == "min"
    for key in ("focus", "baselines", "baseline", "direction"):
        assert "needed |" not in re.search(rf"^\| `{key}` \|.*$", page, re.MULTILINE)[0]


def test_the_page_of_results_names_every_file_of_a_run():
    assert {f"`{name}`" for name in OURS} <= set(re.findall(r"`[\w.]+`", results_reference.HEAD))


def test_the_page_of_the_catalogue_lists_every_column():
    page = (DOCS / "reference" / "catalogue.md").read_text(encoding="utf-8")
    for table in (ROOT / "data" / "reference").glob("*.csv"):
        heading = next(line for line in page.splitlines() if re.match(rf"## .*\b{re.escape(table.name)}", line))
        part = page.split(heading, 1)[1].split("\n## ", 1)[0]
        named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE))))
        assert set(table.read_text("utf-8").split("\n", 1)[0].split(",")) <= named, table.name


def test_the_page_on_data_names_every_table_of_the_catalogue():
    named = set(re.findall(r"`([\w.]+)/?`", (ROOT / "data" / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in (ROOT / "data" / "reference").iterdir()} <= named


@pytest.mark.usefixtures("shared_runs")
def test_the_table_of_validation_is_what_a_check_says():
    stored = (DOCS / "snippets" / validation.CATALOGUE).read_text(encoding="utf-8")
    rows = check_lengths(Study.bundled("syunik"), None, lambda _: None)
    assert stored.split("\n\n")[0] == validation.render(rows, "", "").split("\n\n")[0]


def test_pictures_are_those_that_are_drawn(tmp_path):
    stored = {path.stem for path in (DOCS / "images").glob("*.svg")}
    # measured, not drawn: the profile of a run by scripts/profile_run.py, the sheet of a line by the command beside it,
    # maps of lines found by docs/tools/found_maps.py
    found = {f"found-{line}" for line in ("gotthard", "albula", "berguen", "loetschberg")}
    assert stored == {*DRAWINGS, "profile", "reuss-valley", *found}
    for name in ("kinds", "value-functions", "preference", "strip", "truck-speed"):
        save(DRAWINGS[name](), tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.svg").stat().st_size > 5000


def test_pictures_of_ranks_are_under_rules_that_allow_transit():
    rules = tomllib.loads((ROOT / "data" / "reference" / "regimes.toml").read_text(encoding="utf-8"))["regimes"]
    assert rules[scoring.ranked_regime()].get("allows_transit", True)


def test_the_lengths_in_the_readme_are_those_of_the_validation():
    def cells(path: Path) -> list[list[str]]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]

    shown = cells(ROOT / "README.md")
    shown = shown[shown.index(["what", "documented km", "computed km"]) + 2 :]
    measured = cells(DOCS / "snippets" / "validation_extract.md")[2:]
    assert shown == [[what, documented, computed] for what, _, documented, computed, *_ in measured]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_of_plug_ins_are_those_of_the_registries(name):
    path, make = TABLES[name]
    page = path.read_text(encoding="utf-8")
    assert with_table(page, name, make()) == page, "write it anew: python -m docs.tools.plugin_tables"


def test_the_errands_have_few_places_and_those_are_there():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = page.split("## Six errands", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (?!to add|-)(.+?) \| (.+?) \|$", table, re.MULTILINE)
    assert len(rows) == 6
    for errand, places in rows:
        paths = [word for word in re.findall(r"`([^`]+)`", places) if "/" in word]
        assert 1 <= len(paths) <= 4, errand
        for path in paths:
            assert list(ROOT.glob(path.replace("NAME", "[!_]*"))), f"{errand}: there is no {path}"


def test_a_map_has_the_line_that_was_built_beside_the_one_found(tmp_path):
    """Pieces of one kind that meet are one, and what the legend says is what the files hold."""

    def feature(kind, lon, **facts):
        shape = {"type": "LineString", "coordinates": [[x, x + 35.4, 900.0] for x in lon]}
        return {"type": "Feature", "properties": {"kind": kind, **facts}, "geometry": shape}

    def write(path, *features):
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")

    write(
        tmp_path / "true.geojson",
        feature("surface", (10.1, 10.15), line="a", from_km=0, to_km=5),
        feature("tunnel", (10.15, 10.2), line="a", from_km=5, to_km=9),
        feature("tunnel", (10.2, 10.25), line="a", from_km=9, to_km=12),
        feature("surface", (10.3, 10.35), line="b", from_km=0, to_km=5),
    )
    line, bridge = feature("line", (10.1, 10.25), length_km=11), feature("bridge", (10.2, 10.21), length_km=1)
    write(tmp_path / "alignment.geojson", line, bridge)
    (tmp_path / "alignment.json").write_text('{"cell_m": 250.0}', encoding="utf-8")
    built = found_maps.read_built(tmp_path / "true.geojson", "a", "1900")
    found = found_maps.read_found(tmp_path, "today", "#ff0000")
    assert built.row == "built, 1900: 12.0 km; 7.0 in tunnels, the longest 7.0; no bridges"
    assert found.row == "found, prices of today, cells of 250 m: 11.0 km; 0.0 in tunnels; 1.0 on bridges"
    dem = write_dem(tmp_path / "dem.tif")
    drawing = found_maps.draw_map("A & B", [found, built], ["Here,45.6,10.2,w"], [dem], "")
    root = ET.fromstring(drawing)
    words = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"A & B", built.row, found.row, "Here", "7.0 km", "1 km", "N"} <= words
