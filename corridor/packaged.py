"""Where the data that ships with the package lies, installed or in a source tree."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def data_root() -> Path:
    """Return the folder with ``bundled/``, ``reference/`` and ``studies/``.

    A wheel carries it as ``corridor/_data``; a source tree (also an editable install) has it beside the package.
    """
    package = Path(str(files("corridor")))
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def bundled_data() -> Path:
    """Where the data that ships with the package lies, to copy from and to read.

    Returns:
        The folder with ``bundled/`` (heights, borders, places), ``reference/`` (the catalogue) and ``studies/``.
    """
    return data_root()
