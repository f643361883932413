"""Height along a route."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.schema.candidate import Span

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Heights along a candidate, all arrays of shape (n,).

    ``chainage_km`` is drawn chainage; ``ground_m`` the DEM's height, ``height_m`` the route's: on the ground as far as
    ``limit_pct``, the steepest grade taken, allows, straight in tunnels and on bridges, and without swings under
    ``threshold_m`` (three local standard errors of the DEM). ``spans`` are the
    structures by the candidate's own chainage. ``designed`` marks heights that are a design's, not laid on the ground.
    """

    chainage_km: Floats
    lon: Floats
    lat: Floats
    ground_m: Floats
    height_m: Floats
    limit_pct: Floats
    threshold_m: Floats
    spans: tuple[Span, ...]
    designed: NDArray[np.bool_] | None = None
