"""Style sheets and scripts that go into pages: the package's own and the libraries', each with its licence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from corridor.errors import OutputError

LANGUAGES = ("en", "ru", "hy", "az", "fa")


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose code is in a page."""

    name: str
    version: str
    licence: str
    copyright: str
    text: str


@cache
def read_asset(name: str) -> str:
    """Give one of the package's own style sheets, scripts or templates by file name.

    Raises:
        OutputError: the file is missing from the installation.
    """
    return _read("assets", name)


@cache
def read_messages(language: str) -> dict[str, Any]:
    """Give the messages of a language by key; see :mod:`corridor.report.i18n`."""
    return dict(json.loads(_read("messages", f"{language}.json")))


@cache
def read_texts(language: str) -> dict[str, str]:
    """Give a language's words for texts of the bundled data (names, notes, declared answers), by the English text.

    A text that a study changed isn't found under its new words, and is then shown as the study has it.
    """
    return {} if language == "en" else dict(json.loads(_read("messages", "texts", f"{language}.json")))


def uplot_js() -> str:
    """UPlot's script (draws the profiles)."""
    return _read("vendor", "uplot", "uPlot.iife.min.js").strip()


def uplot_css() -> str:
    """UPlot's style sheet."""
    return _read("vendor", "uplot", "uPlot.min.css").strip()


def libraries() -> tuple[Library, ...]:
    """The libraries that a page carries, with their licences."""
    return (
        Library(
            "Leaflet",
            version("XStatic-Leaflet").rsplit(".", 1)[0],
            "BSD-2-Clause",
            "© 2010-2022 Vladimir Agafonkin, © 2010-2011 CloudMade",
            _read("vendor", "leaflet", "LICENSE"),
        ),
        Library("uPlot", "1.6.32", "MIT", "© 2022 Leon Sorokin", _read("vendor", "uplot", "LICENSE")),
    )


@cache
def _read(*parts: str) -> str:
    path = files("corridor.report").joinpath(*parts)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{'/'.join(parts)} is missing from the installed package: install corridor anew") from error
