"""Examples in docstrings: a run of ``>>>`` lines is a block of code on the site, not three quotations in each other."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_EXAMPLE = re.compile(r"^( *)>>> .*?(?=\n *\n|\n*\Z)", re.MULTILINE | re.DOTALL)


def fence_examples(text: str) -> str:
    """A docstring whose examples stand in fences.

    Args:
        text: The docstring, without its indentation.
    """
    return _EXAMPLE.sub(lambda found: f"{found[1]}```pycon\n{found[0]}\n{found[1]}```", text)


class FencedExamples(Extension):
    """Called for each object that the site documents."""

    def on_object(self, *, obj: Object, **_more: Any) -> None:
        """Fence the examples of its docstring."""
        if obj.docstring is not None:
            obj.docstring.value = fence_examples(obj.docstring.value)
