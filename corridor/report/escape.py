"""Text from outside made harmless: names, notes and URLs of map data are never trusted."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_SCRIPT_CODES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
_TEMPLATE_SIGNS = re.compile(r"\{(?=[{%#])")
_SCHEMES = ("http", "https")


def clean_text(text: object) -> str:
    """Give a value as text on one line, without control characters and without bidirectional overrides.

    Overrides could make a name rewrite the reading order of what stands beside it; letters of right-to-left scripts
    are kept, and the page isolates every name by itself.

    Example:
        A name with a tab and an override comes back as plain words.
    """
    return _cleaned(str(text))


@lru_cache(maxsize=1 << 14)
def _cleaned(text: str) -> str:
    """Few texts fill many cells of tables."""
    return " ".join(_BIDI.sub("", _CONTROLS.sub("", text)).split())


def clean_line(text: object) -> str:
    """Give a value as one line for a terminal, its spaces as they are.

    Control characters could move the cursor, recolour the screen or write into the terminal's clipboard; overrides
    could turn the rest of the line around. Line ends and tabs become spaces; bytes that are no text are left out.
    """
    return _BIDI.sub("", _CONTROLS.sub("", _BREAKS.sub(" ", str(text))))


def clean(value: Any) -> Any:
    """Apply :func:`clean_text` to every string, also to keys, in nested mappings and sequences."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def script_json(value: Any) -> str:
    """Give JSON that may stand inside a ``<script>`` element.

    ``<``, ``>``, ``&`` and the two line separators of Unicode become escapes, so that no string can end the element
    or open a comment. So do braces that would open a template expression: Folium passes what its elements gave
    through its template engine once more.

    Raises:
        ValueError: a number is not finite (no such number may reach a page).
    """
    text = json.dumps(clean(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _TEMPLATE_SIGNS.sub(r"\\u007b", text.translate(_SCRIPT_CODES))


def safe_url(url: str) -> str:
    """Give a web address that may be linked to, or nothing: other schemes could run code."""
    text = clean_text(url)
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in _SCHEMES and parts.netloc else ""


def csp_hash(script: str) -> str:
    """Give the source expression by which a Content-Security-Policy allows exactly this inline script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
