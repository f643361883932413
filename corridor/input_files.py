"""Files from outside before anybody reads them: present, plain, readable, and no larger than they may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corridor.errors import SourceError
from corridor.wording import with_article


def require_file(path: Path, what: str, max_bytes: int | None = None) -> None:
    """Raise a SourceError unless ``path`` is a readable plain file with something in it, and not over a size.

    Args:
        path: What is to be read.
        what: What it should be, in a word, for an error.
        max_bytes: The largest that it may be; any size if left out.
    """
    try:
        if not path.exists():
            raise SourceError(f"{path}: no such file; give the path of an existing {what}")
        if path.is_dir():
            raise SourceError(f"{path}: is a folder; give the path of {with_article(what)}")
        # Reading a pipe or a device could wait for ever.
        if not path.is_file():
            raise SourceError(f"{path}: is a device or a pipe; give the path of {with_article(what)}")
        with path.open("rb") as stream:
            empty = not stream.read(1)
        size = path.stat().st_size
    except OSError as fault:
        raise SourceError(f"{str(path)[:200]}: can't be read ({fault.strerror}); check path and permissions") from fault
    if empty:
        raise SourceError(f"{path}: is empty; fetch the {what} again")
    if max_bytes is not None and size > max_bytes:
        raise SourceError(f"{path}: is larger than {max_bytes / 1e6:,.0f} MB; is it really {with_article(what)}?")


def read_json(path: Path, what: str, max_bytes: int) -> Any:
    """The content of a JSON file that somebody else may have written.

    Args:
        path: The file.
        what: What it should be, in a word, for an error.
        max_bytes: The largest that it may be.

    Returns:
        What :func:`json.loads` makes of it; numbers are finite, and every text can be written as UTF-8.

    Raises:
        SourceError: it is missing, no plain file, too large, or no JSON.
    """
    require_file(path, what, max_bytes)
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text, parse_constant=_refuse_constant)
        # Half of a pair of code units passes json and fails wherever the text is written.
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except OSError as fault:
        raise SourceError(f"{path}: can't be read ({fault.strerror}); check path and permissions") from fault
    except (ValueError, RecursionError) as fault:
        reason = "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault).splitlines()[0][:120]
        raise SourceError(f"{path}: isn't {with_article(what)} ({reason}); make it again") from fault
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
