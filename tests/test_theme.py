"""The theme: one place for every colour, and nothing asks it for one that it lacks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
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


MACHADO = {  # Machado, Oliveira and Fernandes 2009, severity 1; rows of linear red, green and blue
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])


def seen(code: str, by: str) -> np.ndarray:
    """CIELAB of a colour as somebody sees it."""
    part = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(MACHADO[by]) @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("by", MACHADO)
def test_everybody_tells_packages_from_the_routes_that_they_hold(by):
    packages = theme.sequence("packages")
    others = [*theme.sequence("routes"), *theme.sequence("comparators")]
    gaps = [np.linalg.norm(seen(one, by) - seen(other, by)) for one in packages for other in others]
    assert min(gaps) > 20
    assert np.linalg.norm(seen(packages[0], by) - seen(packages[1], by)) > 12


def test_the_style_block_and_the_script_hold_the_whole_theme():
    css, script = theme.css_theme(), theme.js_theme()
    for name, value in THEME["colours"].items():
        assert f"--{name.replace('_', '-')}: {value};" in css
        assert f'"{name}": "{value}"' in script
