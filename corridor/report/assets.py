"""Style sheets and scripts that go into pages: the package's own and the libraries', each with its licence."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from corridor.errors import OutputError

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_CSS_URL = re.compile(r"url\(\s*['\"]?(?!data:)([^)'\"]+)['\"]?\s*\)")
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
def read_messages(language: str) -> dict[str, str]:
    """Give the interface words of a language by key."""
    return dict(json.loads(_read("messages", f"{language}.json")))


@cache
def leaflet_js() -> str:
    """Leaflet's script with its licence line, without the reference to its source map."""
    return _SOURCE_MAP.sub("", _leaflet("leaflet.js")).strip()


@cache
def leaflet_css() -> str:
    """Leaflet's style sheet with its pictures inlined."""
    return _CSS_URL.sub(
        lambda found: f'url("{_leaflet_picture(found[1])}")' if "#" not in found[1] else found[0],
        _leaflet("leaflet.css"),
    )


@cache
def leaflet_marker_icons() -> dict[str, str]:
    """Pictures of Leaflet's default marker as data URIs, for its options ``iconUrl`` and so on."""
    names = {"iconUrl": "marker-icon.png", "iconRetinaUrl": "marker-icon-2x.png", "shadowUrl": "marker-shadow.png"}
    return {option: _leaflet_picture(f"images/{name}") for option, name in names.items()}


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


def _leaflet_folder() -> Path:
    from xstatic.pkg import leaflet

    return Path(leaflet.BASE_DIR)


def _leaflet(name: str) -> str:
    path = _leaflet_folder() / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: Leaflet's file is missing: install XStatic-Leaflet anew") from error


def _leaflet_picture(name: str) -> str:
    path = _leaflet_folder() / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OutputError(f"{path}: Leaflet's picture is missing: install XStatic-Leaflet anew") from error
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
