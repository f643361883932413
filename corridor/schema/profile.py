"""Height along a route."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.schema.candidate import Span

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LineSmoothing:
    """How the ground along a line becomes its heights; see :func:`corridor.terrain.pinned_heights.line_heights`.

    ``straight`` says which steps between samples aren't on the ground that lies there, shape (n - 1,). ``pins`` are
    samples with a documented height, ``pin_m`` these heights, shape (n_pins,).
    """

    straight: NDArray[np.bool_]
    pins: NDArray[np.int64]
    pin_m: Floats
    window_m: float
    reach_m: float


@dataclass(frozen=True)
class Profile:
    """Heights along a candidate, all arrays of shape (n,).

    ``chainage_km`` is drawn chainage; ``ground_m`` the DEM's height, ``height_m`` the route's: the ground smoothed
    along the line and hung on documented heights, as far as ``limit_pct``, the steepest grade taken, allows, straight
    in tunnels and on bridges, and without swings under ``threshold_m``. ``spans`` are the structures by the candidate's
    own chainage. ``designed`` marks heights that are a design's, not laid on the ground. ``smoothing`` is how the
    ground became heights, for other draws of it; None where it stands as it is.
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
    smoothing: LineSmoothing | None = None
