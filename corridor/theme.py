"""The theme: every colour and size that drawings share, read once from ``theme.toml``.

Style sheets take colours as custom properties (:func:`css_theme`), scripts as one object (:func:`js_theme`), everything
in Python by name (:func:`colour`, :func:`sequence`), so that a colour is changed in one line.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _theme() -> dict[str, Any]:
    return tomllib.loads(files("corridor").joinpath("theme.toml").read_text(encoding="utf-8"))


def colour(name: str) -> str:
    """A colour as ``#rrggbb`` or ``#rrggbbaa``.

    Raises:
        KeyError: the theme has no colour of that name.

    >>> colour("paper")
    '#ffffff'
    """
    return str(_theme()["colours"][name])


def sequence(name: str) -> tuple[str, ...]:
    """Colours that are used one after another (routes, categories, grades), as ``#rrggbb``.

    Raises:
        KeyError: the theme has no sequence of that name.
    """
    return tuple(_theme()["sequences"][name])


def css_theme() -> str:
    """The theme as custom properties of the document: ``var(--ink)``, ``var(--font)``, ``var(--letter-px)`` in px."""
    theme = _theme()
    rows = [f"--{name.replace('_', '-')}: {value};" for name, value in theme["colours"].items()]
    for name, value in theme["sizes"].items():
        rows.append(f"--{name.replace('_', '-')}: {value}{'px' if name.endswith('_px') else ''};")
    return f":root {{ {' '.join(rows)} }}\n"


def js_theme() -> str:
    """The theme as a script that declares ``corridorTheme``: colours and sizes by name, sequences as arrays."""
    theme = _theme()
    return f"var corridorTheme = {json.dumps(theme['colours'] | theme['sequences'] | theme['sizes'])};\n"
