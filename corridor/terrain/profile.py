"""Height along a route: the ground where it runs on the ground, straight between the portals where it doesn't."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from corridor.geo.lines import sample
from corridor.model.candidate import Candidate, Span
from corridor.model.profile import Profile
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]
MAX_STEP_M = 100.0
HYSTERESIS_ERRORS = 3.0


def build_profile(candidate: Candidate, dem: Dem) -> Profile:
    """Sample a candidate every min(resolution / 2, 100 m).

    Raises:
        CoverageError: the DEM has no height somewhere along it.
    """
    step = min(dem.resolution_m / 2, MAX_STEP_M)
    chainage, lon, lat = sample(candidate.line, step)
    ground = dem.require(lon, lat, f"candidate '{candidate.candidate_id}'")
    spans = candidate_spans(candidate)
    return Profile(chainage / 1000, lon, lat, ground, carry_structures(chainage / 1000, ground, spans), spans)


def candidate_spans(candidate: Candidate) -> tuple[Span, ...]:
    """Structures of all parts by the candidate's drawn chainage."""
    spans = []
    start = 0.0
    for part in candidate.parts:
        spans += [Span(s.kind, start + s.from_km, start + s.to_km, s.name, s.located) for s in part.spans]
        start += part.drawn_km
    return tuple(spans)


def carry_structures(chainage_km: Floats, ground_m: Floats, spans: Sequence[Span]) -> Floats:
    """Ground heights with every tunnel and bridge drawn straight from portal to portal; last axis is chainage.

    >>> carry_structures(np.array([0.0, 1.0, 2.0]), np.array([0.0, 90.0, 20.0]), [Span("tunnel", 0, 2, "", "mapped")]).tolist()
    [0.0, 10.0, 20.0]
    """
    heights = ground_m.copy()
    for span in spans:
        low = max(int(np.searchsorted(chainage_km, span.from_km, side="right")) - 1, 0)
        high = min(int(np.searchsorted(chainage_km, span.to_km, side="left")), len(chainage_km) - 1)
        if high - low < 2:
            continue
        share = (chainage_km[low : high + 1] - chainage_km[low]) / (chainage_km[high] - chainage_km[low])
        ends = heights[..., [low, high]]
        heights[..., low : high + 1] = ends[..., :1] + (ends[..., 1:] - ends[..., :1]) * share
    return heights


def climbs_m(height_m: Floats, threshold_m: float) -> tuple[float, float]:
    """Ascent and descent in metres, counting only swings of more than ``threshold_m``.

    A turning point counts once the height has moved away from it by more than the threshold, so that the noise of the
    DEM is no climb; ascent minus descent is always the difference of the ends.

    >>> climbs_m(np.array([0.0, 5.0, 2.0, 30.0, 10.0]), 8.0)
    (30.0, 20.0)
    """
    up, down = _climbs(np.ascontiguousarray(height_m, dtype=np.float64), float(threshold_m))
    return float(up), float(down)


@njit(cache=True)
def _climbs(heights, threshold):  # type: ignore[no-untyped-def]
    up, down = 0.0, 0.0
    turn = heights[0]
    low, high = heights[0], heights[0]
    rising = 0
    for height in heights:
        low, high = min(low, height), max(high, height)
        if rising >= 0 and high - height > threshold:
            up += high - turn
            turn, low, high, rising = high, height, height, -1
        elif rising <= 0 and height - low > threshold:
            down += turn - low
            turn, low, high, rising = low, height, height, 1
    last = heights[-1]
    if last > turn:
        up += last - turn
    else:
        down += turn - last
    return up, down
