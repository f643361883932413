"""The theme: one place for every colour, and nothing asks it for one that it lacks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from corridor import theme

PACKAGE = Path(theme.__file__).parent
THEME = tomllib.loads((PACKAGE / "theme.toml").read_text(encoding="utf-8"))
SOURCES = [
    path
    for path in sorted(PACKAGE.rglob("*"))
    if path.suffix in {".py", ".js", ".css", ".j2"} and not {"vendor", "_data"} & {*path.parts}
]
HEX = re.compile(r"""(?<![&\w])#(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3,4})\b(?![\w-])""")


def test_no_colour_is_written_outside_the_theme():
    found = {
        path.relative_to(PACKAGE).as_posix(): hits
        for path in SOURCES
        if (hits := HEX.findall(path.read_text(encoding="utf-8"))) and path.name != "theme.py"
    }
    assert found == {}


def test_style_sheets_ask_for_nothing_that_the_theme_lacks():
    names = {name.replace("_", "-") for part in ("colours", "sizes") for name in THEME[part]}
    for path in SOURCES:
        if path.suffix not in {".css", ".j2"}:
            continue
        text = path.read_text(encoding="utf-8")
        own = set(re.findall(r"(--[\w-]+)\s*:", text))
        asked = {name for name in re.findall(r"var\((--[\w-]+)", text) if name not in own}
        assert {name.removeprefix("--") for name in asked} <= names, path.name


def test_scripts_ask_for_nothing_that_the_theme_lacks():
    names = {name for part in THEME.values() for name in part}
    for path in SOURCES:
        if path.suffix == ".js":
            asked = set(re.findall(r"corridorTheme\.(\w+)", path.read_text(encoding="utf-8")))
            assert asked <= names, path.name


def test_every_colour_is_used_somewhere():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for name in THEME["colours"]:
        kebab = name.replace("_", "-")
        built = name.startswith("section_")  # the long section asks for them by kind
        used = built or re.search(rf"""--{kebab}\b|corridorTheme\.{name}\b|["']{name}["']""", text)
        assert used, name


def test_colours_are_hexadecimal_and_unknown_ones_an_error():
    for name, value in THEME["colours"].items():
        assert HEX.fullmatch(value), name
    with pytest.raises(KeyError):
        theme.colour("no-such-colour")


def test_the_style_block_and_the_script_hold_the_whole_theme():
    css, script = theme.css_theme(), theme.js_theme()
    for name, value in THEME["colours"].items():
        assert f"--{name.replace('_', '-')}: {value};" in css
        assert f'"{name}": "{value}"' in script
