"""The public interface: what documentation and notebooks use is public, what is public is documented, and says how."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

import corridor
from tests.conftest import ROOT

API = ROOT / "docs" / "reference" / "api"
TEXTS = [
    ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "howto").glob("*.md")),
    *sorted((ROOT / "docs" / "explanation").glob("*.md")), *sorted(API.glob("*.md")),
]  # fmt: skip
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


PUBLIC_MODULES = (
    r"corridor\.errors",
    r"corridor\.schema\.\w+",  # types that are handed out
    r"corridor\.metrics\.(registry|distance)",  # what plug-ins are made from
    r"corridor\.mcda\.(method|methods|review|robustness)",
    r"corridor\.io\.fetch\.(elevation_provider|tiles)",
    r"corridor\.network\.graph",
    r"corridor\.alignment\.links",
    r"corridor\.flows\.\w+",  # flows on any tables
)  # fmt: skip
"""Homes of what is public beside ``corridor`` itself."""


def documented() -> dict[str, object]:
    """What the pages of the interface list, by its dotted name."""
    names = [n for page in sorted(API.glob("*.md")) for n in re.findall(r"^::: (\S+)", page.read_text("utf-8"), re.M)]
    assert len(set(names)) == len(names), "an object stands on two pages"
    return {name: find(name) for name in names}


def find(name: str) -> object:
    """A module, or what a module holds."""
    module, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(importlib.import_module(module), last)


def imports(code: str) -> set[str]:
    """What of the package a piece of Python imports, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "corridor"}


def code_of_notebook(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [re.sub(r"^[%!].*$", "pass", text, flags=re.M) for text in lines]


def code_of_page(path: Path) -> list[str]:
    """Blocks of Python, sessions without their prompts, and what ``python -c`` is given."""
    text = path.read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.M | re.S):
        if block.lstrip().startswith(">>>"):
            lines = [line[4:] for line in block.splitlines() if line.startswith((">>> ", "... "))]
            found.append("\n".join(lines))
        else:
            found.append(block)
    return found + re.findall(r"python3? -c '([^']+)'", text)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *TEXTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_documentation_imports_what_is_public_alone(path):
    public = {"corridor", *(f"corridor.{name}" for name in corridor.__all__)}
    listed = documented()
    codes = code_of_notebook(path) if path.suffix == ".ipynb" else code_of_page(path)
    for name in set().union(*(imports(code) for code in codes)):
        of_listed_module = inspect.ismodule(listed.get(name.rpartition(".")[0]))
        assert name in public or name in listed or of_listed_module, f"{name} isn't on a page of {API.name}/"


def test_the_pages_list_what_is_public_and_nothing_else():
    homes = {id(getattr(corridor, name)): name for name in corridor.__all__}
    listed = documented()
    shown = [
        item
        for value in listed.values()
        for item in (value, *(vars(value).values() if inspect.ismodule(value) else ()))
    ]
    missing = set(homes) - {id(item) for item in shown}
    assert {homes[key] for key in missing} == set()
    for name, value in listed.items():
        module = name if inspect.ismodule(value) else name.rpartition(".")[0]
        public = id(value) in homes or any(re.fullmatch(pattern, module) for pattern in PUBLIC_MODULES)
        assert public, f"{name} is neither in corridor.__all__ nor of a public module"


def calls() -> dict[str, object]:
    """Every public function and method that the pages show, by name."""
    found: dict[str, object] = {}
    for name, value in documented().items():
        members = {name: value}
        if inspect.ismodule(value):
            members = {
                f"{name}.{key}": item
                for key, item in vars(value).items()
                if not key.startswith("_") and getattr(item, "__module__", "") == name
            }
        for key, item in members.items():
            if inspect.isclass(item):
                own = vars(item).items()
                found |= {
                    f"{key}.{n}": getattr(item, n)
                    for n, m in own
                    # what pydantic adds to a model is explained by pydantic
                    if not n.startswith(("_", "model_"))
                    and (inspect.isfunction(m) or isinstance(m, (classmethod, staticmethod)))
                }
            elif inspect.isfunction(item):
                found[key] = item
    return found


@pytest.mark.parametrize(("name", "call"), calls().items(), ids=list(calls()))
def test_public_calls_say_what_they_take_and_give(name, call):
    text = inspect.getdoc(call) or ""
    signature = inspect.signature(call)
    taken = [p for p in signature.parameters if p not in {"self", "cls"}]
    sections = re.split(r"^(Args|Returns|Raises|Yields):$", text, flags=re.M)
    parts = dict(zip(sections[1::2], sections[2::2], strict=True))
    said = re.findall(r"^    \*{0,2}(\w+)(?: \([^)]*\))?:", parts.get("Args", ""), re.M)
    assert [p for p in taken if p not in said] == [], f"{name}: parameters that Args lacks"
    assert set(said) <= set(taken), f"{name}: Args of no parameter"
    gives = str(signature.return_annotation)
    assert gives == "None" or "Returns" in parts or "Yields" in parts, f"{name}: no Returns"
