"""List the functions that no command, script, notebook, page of the documentation or public name reaches.

Every command runs with its options on the bundled study and on a made-up one (with a server on this machine in place of
the network), then the scripts, the notebooks and the blocks of the documentation, all under coverage; the tests don't
run, so that what only they call is found. Compiled functions can't be watched: they count as reached where a function
that is reached names them. With CORRIDOR_EXTRACT the real OpenStreetMap extract is compared too.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CLI = ("-m", "corridor.cli")
DECORATORS = ("njit", "compiled", "kernel", "allocating", "pasted")
"""What is written over functions that numba compiles."""
VARY = """
design = "latin-hypercube"
n = 6
factors.prices = { kind = "unit-costs" }
factors.speeds = { kind = "speeds", measure = "multiple", low = 0.8, high = 1.25 }
factors.checks = { kind = "check-times", which = "gates" }
factors.regimes = { kind = "regime", values = ["free", "shut"] }
factors.gates = { kind = "crossing-status", crossings = ["ridge-gate-east"] }
factors.sections = { kind = "section-status", sections = ["valley-middle"], values = ["open", "construction"] }
factors.heights = { kind = "dem-error", draws = 2 }
"""
PUBLIC = """
import sys
from pathlib import Path
import corridor
study = corridor.Study.load(sys.argv[1])
osm = Path(sys.argv[1]).parent / "map.osm"
found = corridor.compare(study, osm=osm)
network = corridor.build_network(study, osm=osm)
for thing in (study, found, network, *found.candidates[:1]):
    repr(thing)
    getattr(thing, "_repr_html_", str)()
for thing in (found, network, study):
    for name in [name for name in dir(thing) if not name.startswith("_")]:
        value = getattr(thing, name)
        if callable(value):
            try:
                value(*{"write": [Path("written")]}.get(name, []))
            except Exception as error:
                print(f"{name}: {error}")
"""
NOTEBOOK = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells = [cell for cell in notebook.cells if "network" not in cell.metadata.get("tags", ())]
NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
"""
PAGES = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from docs.tools.blocks import find_blocks, page_before, run_page
root, ended = Path({str(ROOT)!r}), {{}}
def run(path):
    if path not in ended:
        before = page_before(path)
        ended[path] = Path("pages").resolve() / path.stem
        ended[path].mkdir(parents=True)
        run_page(path, ended[path], run(before) if before else None)
    return ended[path]
for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
    if find_blocks(path.read_text("utf-8")):
        try:
            run(path)
        except Exception as error:
            print(f"{{path.name}}: {{error}}", file=sys.stderr)
"""


@dataclass(frozen=True)
class Unused:
    """A function that nothing entered: file, name, first line and how many statements it has."""

    file: str
    name: str
    line: int
    statements: int


def run_everything(work: Path, only: str) -> None:
    """Run all ways in, each as a process of its own, with coverage in it and in what it starts.

    Args:
        work: an empty folder; data of coverage end up in ``work/data``.
        only: run ways in whose name holds this, all if empty.
    """
    rc = work / "coveragerc"
    data = work / "data" / "coverage"
    data.parent.mkdir()
    rc.write_text(
        f"[run]\nsource_pkgs = corridor\nparallel = true\ndata_file = {data}\npatch = subprocess\nsigterm = true\n",
        encoding="utf-8",
    )
    from tests.io.fetch.conftest import QUERY, TILE
    from tests.io.fetch.server import OsmMap, Server, hgt
    from tests.io.fetch.test_sources import cog
    from tests.synthetic import build
    from tests.synthetic.ground import height_m
    from tests.synthetic.study import IMPACT

    study = build(work / "midland")
    study.write_text(study.read_text(encoding="utf-8") + IMPACT, encoding="utf-8")
    with Server(OsmMap(study.parent / "map.osm")) as server:
        server.files[TILE] = hgt(height_m, 45, 10)
        tile = "Copernicus_DSM_COG_10_N45_00_E010_00_DEM"
        server.files[f"/glo30/{tile}/{tile}.tif"] = cog(600, 45, 10)
        extract = _as_extract(study.parent / "map.osm", work / "whole-latest.osm.pbf")
        server.files["/geofabrik/made-up/whole-latest.osm.pbf"] = extract
        server.files["/geofabrik/made-up/whole-latest.osm.pbf.md5"] = hashlib.md5(extract).hexdigest().encode()
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "CORRIDOR_OVERPASS_URL": f"{server.url}{QUERY.removesuffix('/interpreter')}",
            "CORRIDOR_GEOFABRIK_URL": f"{server.url}/geofabrik",
            "CORRIDOR_GEOFABRIK_EXTRACTS": "made-up/whole",
            "CORRIDOR_SKADI_URL": f"{server.url}/skadi",
            "CORRIDOR_COPERNICUS_URL": f"{server.url}/glo30",
            "CORRIDOR_COPERNICUS_90_URL": f"{server.url}/glo90",
            "CORRIDOR_QUERY_PAUSE_S": "0",
        }
        for name, words in ways_in(work, study):
            if only in name:
                print(f"running {name}", file=sys.stderr, flush=True)
                command = [sys.executable, "-m", "coverage", "run", f"--rcfile={rc}", *words]
                done = subprocess.run(
                    command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=3600
                )
                if done.returncode not in (0, 1) or "Traceback" in done.stderr:
                    print(f"  ended with {done.returncode}: {done.stderr.strip()[-300:]}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q", f"--rcfile={rc}"], cwd=work, check=True)
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", f"--rcfile={rc}", "-o", "coverage.json"], cwd=work, check=True
    )


def _as_extract(osm: Path, pbf: Path) -> bytes:
    """A map as servers of extracts have it."""
    import osmium

    with osmium.SimpleWriter(str(pbf)) as writer:
        for item in osmium.FileProcessor(str(osm)):
            writer.add(item)
    return pbf.read_bytes()


def ways_in(work: Path, study: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Every way to use the package, by name: the words after ``python``."""
    made, osm, dem = str(study), str(study.parent / "map.osm"), str(study.parent / "heights.tif")
    (work / "vary.toml").write_text(VARY, encoding="utf-8")
    for name, text in {"public": PUBLIC, "notebook": NOTEBOOK, "pages": PAGES}.items():
        (work / f"{name}.py").write_text(text, encoding="utf-8")
    commands = [
        ["--version"], ["--help"], ["studies"],
        ["run", "--out", "bundled", "--pdf"],
        ["run", made, "--osm", osm, "--dem", dem, "--out", "made"],
        ["run", "syunik-new-build", "--out", "new-build"],
        ["doctor"], ["doctor", made, "--osm", osm], ["check"], ["check", made, "--osm", osm],
        ["rank", "bundled", "--robust"], ["rank", "made", "--weights", "distance=0.3,terrain=0.7"],
        *(["rank", "bundled", "--method", method] for method in ("topsis", "promethee-ii", "vikor")),
        ["rank", "bundled", "--perspective", "border-access"], ["diff", "bundled", "made", "--all"],
        ["run", "--via", "Goris; Sisian", "--formats", "none", "--out", "via"],
        ["align", "Mincivan", "Julfa", "--sweep", "grade"],
        ["align", "Mincivan", "Julfa", "--standard", "road-60", "--countries", "AM,AZ"],
        ["align", "Goris", "Sisian", "--standard", "road-60", "--alternatives", "1", "--draws", "2"],
        ["align", "Meghri", "38.9096,46.0227", "--reuse", "rail-meghri", "--sweep", "tunnel-price"],
        ["align", "45.5,10.2", "45.5,10.9", "--dem", dem, "--cell", "1000"],
        ["sweep", made, "--osm", osm, "--vary", "vary.toml", "--out", "sweep", "--workers", "2"],
        ["sweep", made, "--osm", osm, "--vary", "vary.toml", "--out", "sweep-alone", "--workers", "0"],
        ["sweep-report", "sweep"],
        ["flows", "--out", "flows", "--sensitivity"],
        ["terrain", dem, "--out", "slope.tif"],
        *(["terrain", dem, "--out", f"{what}.tif", "--measure", what] for what in ("ruggedness", "relief", "cost")),
        ["fetch", made, "--cache", "cache"], ["fetch", made, "--cache", "cache", "--osm", "geofabrik"],
        ["fetch", made, "--cache", "cache", "--dem", "copernicus"],
        ["run", made, "--live", "--cache", "cache", "--out", "live"],
        ["run", made, "--live", "--offline", "--cache", "cache", "--locked", "live/manifest.json", "--out", "live"],
        ["cache", "list", "--cache", "cache"], ["cache", "verify", "--cache", "cache"],
        ["cache", "clear", "--cache", "cache"],
    ]  # fmt: skip
    if extract := os.environ.get("CORRIDOR_EXTRACT"):
        commands += [["run", "--osm", extract, "--out", "extract"], ["doctor", "--osm", extract]]
    for words in commands:
        yield " ".join(["corridor", *words[:2]]), [*CLI, *words]
    yield "public names", ["public.py", made]
    for script, words in {
        "compare_routes.py": ["syunik", made],
        "make_map.py": ["syunik"],
        "compare_results.py": ["bundled", "made"],
    }.items():
        yield f"scripts/{script}", [str(ROOT / "scripts" / script), *words]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        yield f"notebooks/{path.name}", ["notebook.py", str(path)]
    yield "pages of the documentation", ["pages.py"]


def find_unused(report: Path, root: Path) -> list[Unused]:
    """Functions without a statement that ran, but for those that are compiled and named by one that ran."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    unused, compiled, named = [], {}, set()
    for file, facts in files.items():
        path = (root / file).resolve()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.lineno: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        ran = set(facts["executed_lines"])
        for name, region in facts["functions"].items():
            if not name or not region["summary"]["num_statements"]:
                continue
            node = _node_of(name, region, functions)
            if region["summary"]["covered_lines"]:
                named |= _names(node) if node else set()
            else:
                line = region.get("start_line") or (node.lineno if node else 0)
                found = Unused(str(path.relative_to(root.resolve())), name, line, region["summary"]["num_statements"])
                if node is not None and _is_compiled(node):
                    compiled[name] = (found, _names(node))
                else:
                    unused.append(found)
        # Names at the top of a module (tables of functions) count as used too.
        named |= {n.id for top in tree.body if not isinstance(top, ast.FunctionDef | ast.ClassDef) and top.lineno in ran
                  for n in ast.walk(top) if isinstance(n, ast.Name)}  # fmt: skip
    while reached := {name for name in compiled if name in named}:
        for name in reached:
            named |= compiled.pop(name)[1]
    return sorted([*unused, *(found for found, _ in compiled.values())], key=lambda f: (f.file, f.line))


def _node_of(name: str, region: dict, functions: dict[int, ast.FunctionDef]) -> ast.FunctionDef | None:
    lines = [*region["executed_lines"], *region["missing_lines"]]
    inside = [n for n in functions.values() if n.name == name.rpartition(".")[2] and n.lineno <= min(lines)
              and max(lines) <= (n.end_lineno or 0)]  # fmt: skip
    return max(inside, key=lambda n: n.lineno, default=None)


def _is_compiled(node: ast.FunctionDef) -> bool:
    return any(
        name in ast.unparse(d)
        for d in node.decorator_list
        for name in ("njit", "compiled", "kernel", "allocating", "pasted")
    )


def _names(node: ast.AST) -> set[str]:
    return {
        n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything and print what was never entered; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only ways in whose name holds this")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="an empty folder for coverage.json and what was written"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="a coverage.json of before: run nothing")
    asked = parser.parse_args(arguments)
    if asked.report:
        found = find_unused(asked.report, ROOT)
    else:
        with tempfile.TemporaryDirectory() as folder:
            work = (asked.keep or Path(folder)).resolve()
            work.mkdir(parents=True, exist_ok=True)
            run_everything(work, asked.only)
            found = find_unused(work / "coverage.json", ROOT)
    for function in found:
        print(f"{function.file}:{function.line}: {function.name} ({function.statements} statements)")
    print(f"{len(found)} functions, {sum(f.statements for f in found)} statements are reached by nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
