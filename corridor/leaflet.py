"""Leaflet's script, style sheet and pictures, as they stand inside pages and maps."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path

from corridor.errors import OutputError

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_CSS_URL = re.compile(r"url\(\s*['\"]?(?!data:)([^)'\"]+)['\"]?\s*\)")


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


def icon_script() -> str:
    """Script that gives Leaflet's default marker its inlined pictures."""
    return f"L.Icon.Default.imagePath='';L.Icon.Default.mergeOptions({json.dumps(leaflet_marker_icons())});"


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
