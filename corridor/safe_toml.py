"""Text from files of unknown hands: bounded in size and depth, UTF-8, and free of what deceives readers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from corridor.errors import CorridorError

_MAX_BYTES = 2_000_000
_MAX_PARTS = 20
_DOTTED = re.compile(rf"(?:\.[ \t]*[\w\"'-]{{1,50}}[ \t]*){{{_MAX_PARTS}}}")
# what turns the order of letters about (Unicode's embeddings, overrides and isolates); marks that scripts need stay
_TURNERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d\u200e\u200f")


def odd_character(text: str, *, lines: bool = False) -> str | None:
    """The first character that plain text doesn't hold, as ``U+0000``, or None.

    Control characters and those that turn the order of letters about are odd, and so are halves of letters. Joiners
    and direction marks, which Persian and other scripts need, are not. ``lines`` allows line feeds and tabs.
    """
    for letter in text:
        if letter in _JOINERS or letter.isprintable() or (lines and letter in "\n\r\t"):
            continue
        if letter in _TURNERS or letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff":
            return f"U+{ord(letter):04X}"
    return None


def parse_toml(path: Path, what: str, error: type[CorridorError]) -> dict[str, Any]:
    """A short TOML file, parsed; a byte order mark is passed over. ``what`` says in errors what was wanted.

    Raises:
        CorridorError: of the kind ``error``: the file is missing, can't be read, is over 2 MB, isn't TOML, nests
            deeper than any file of this project needs, or holds odd characters.
    """
    try:
        if path.exists() and not path.is_file():
            raise error(f"{path}: is a folder or no plain file; give the path of {what}")
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise error(f"{path}: is larger than {_MAX_BYTES // 1_000_000} MB; give the path of {what}")
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        deep = _DOTTED.search(text)  # the parser's time grows with the square of the depth
        if deep:
            line = text.count("\n", 0, deep.start()) + 1
            raise error(f"{path}: line {line}: a key of over {_MAX_PARTS} parts; no table here nests so deep")
        parsed = tomllib.loads(text)
        _refuse_odd(parsed, path, error, "")
    except FileNotFoundError as fault:
        raise error(f"{path}: no such file; give the path of {what}") from fault
    except OSError as fault:
        raise error(f"{path}: can't be read ({fault.strerror}); give the path of {what}") from fault
    except RecursionError as fault:
        raise error(f"{path}: is not valid TOML: brackets nest too deep") from fault
    except ValueError as fault:
        if isinstance(fault, CorridorError):
            raise
        raise error(f"{path}: is not valid TOML: {str(fault).split('; use sys.')[0]}") from fault
    return parsed


def _refuse_odd(value: Any, path: Path, error: type[CorridorError], field: str) -> None:
    """Look through all keys and texts; numbers beyond 64 bits are refused too, nothing here is that large."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_odd(key, path, error, field)
            _refuse_odd(inner, path, error, f"{field}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            _refuse_odd(inner, path, error, field)
    elif isinstance(value, str):
        odd = odd_character(value, lines=True)
        if odd:
            raise error(f"{path}: {field or 'a key'}: holds the character {odd}, which nobody sees; write plain text")
    elif isinstance(value, int) and abs(value) >= 1 << 63:
        raise error(f"{path}: {field}: a number of over 18 digits; give one that can be meant")
