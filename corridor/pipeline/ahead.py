"""Reading that begins before the rest of the package is loaded, in a copy of this process.

Loading it takes as long as reading a country's roads does. What reading takes is loaded before the copy is made, which
would otherwise load it once more; nothing else here is loaded that a command hasn't loaded before it reads its study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corridor.memory import room_bytes
from corridor.processes import Fork

if TYPE_CHECKING:
    import pandas as pd

    from corridor.schema.study import Study

LARGE_MAP_BYTES = 1_000_000
"""Reading a smaller map takes no longer than a copy of the process takes to begin."""
ROOM_PER_BYTE = 80
"""Bytes of memory for each of a map: while it is handed over, both processes hold it (60 were measured on a PBF)."""


def lean_texts() -> pd.option_context:
    """Texts as Python's own strings: taking rows and looking at single ones copies none of them."""
    import pandas as pd

    return pd.option_context("mode.string_storage", "python")


def map_path(study: Study, osm: Path | None) -> Path | None:
    """The file of roads and railways: one that is given, or the study's own; None where there is neither.

    Args:
        study: names its own.
        osm: one instead of that.
    """
    return osm or (study.path(study.sources.osm) if study.sources.osm else None)


def read_ahead(path: Path | None, meanwhile: Callable[[], None]) -> Fork:
    """Have a copy of this process read roads and railways.

    Where they can't be read the first process meets the reason when it wants them.

    Args:
        path: their file; None where there is none.
        meanwhile: what the first process does when it would only wait for them, or for what another copy computes.

    Returns:
        What to hand to :func:`corridor.comparison.compute_results`; the copy ends with it.
    """
    try:
        size = path.stat().st_size if path is not None else 0
        is_long = size > LARGE_MAP_BYTES and room_bytes() > ROOM_PER_BYTE * size
    except (OSError, ValueError):  # whoever reads it says what is wrong
        is_long = False

    if is_long:
        _load_reading()

    def read() -> Iterator[tuple[str, Any]]:
        from corridor.io.read.osm import read_parts

        if path is not None:
            with lean_texts():
                yield "osm_parts", read_parts(path)

    return Fork(["osm_parts"] if is_long else [], read, [_load_joining, meanwhile] if is_long else [meanwhile])


def _load_reading() -> None:
    """Load what both processes need, once."""
    from corridor import compiled

    import_module("corridor.io.read.osm")
    compiled.load_compiler()


def _load_joining() -> None:
    """Load what railways of a map are joined by."""
    import_module("scipy.cluster.hierarchy")
