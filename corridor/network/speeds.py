"""Class speeds of the catalogue, level and dry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError
from corridor.schema.catalogue import Speed

Floats = NDArray[np.float64]


def class_speeds_kmh(modes: ArrayLike, classes: ArrayLike, speeds: Sequence[Speed], end: str = "mid") -> Floats:
    """Free-flow speed of each way from its mode and class; ``end`` low, mid or high of the stated range.

    Raises:
        CatalogueError: a class has no speed.
    """
    table = {(speed.mode, speed.road_class): getattr(speed.speed_kmh, end) for speed in speeds}
    modes, classes = np.asarray(modes, dtype=object), np.asarray(classes, dtype=object)
    pairs = list(zip(modes, classes, strict=True))
    missing = sorted({f"{mode} {road_class}" for mode, road_class in pairs if (mode, road_class) not in table})
    if missing:
        raise CatalogueError(f"speeds.csv: no speed for {', '.join(missing)}; add a row for each")
    return np.array([table[pair] for pair in pairs], dtype=float)
