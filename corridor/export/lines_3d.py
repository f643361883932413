"""Routes in three dimensions: line and profile joined, for files that carry altitudes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.lines import vertex_chainage_m
from corridor.schema.candidate import Candidate
from corridor.schema.profile import Profile
from corridor.schema.vocabulary import StructureKind

Floats = NDArray[np.float64]
HEIGHT_TOLERANCE_M = 1.0


def solid_line(candidate: Candidate, profile: Profile) -> tuple[Floats, Floats]:
    """The route with its heights: every vertex of the line, and as many more as keep the profile within a metre.

    Returns:
        Drawn chainage in km, shape (n,), and longitude, latitude, height in metres, shape (n, 3).
    """
    flat = shapely.get_coordinates(candidate.line)
    vertices = vertex_chainage_m(candidate.line) / 1000
    side = np.column_stack([profile.chainage_km * 1000, profile.height_m])
    thinned = shapely.get_coordinates(shapely.simplify(shapely.linestrings(side), HEIGHT_TOLERANCE_M))[:, 0] / 1000
    ends = [km for span in profile.spans for km in (span.from_km, span.to_km)]
    chainage = np.unique(np.clip(np.concatenate([vertices, thinned, ends]), 0.0, vertices[-1]))
    return chainage, at_chainage(chainage, vertices, flat, profile)


def at_chainage(chainage_km: Floats, vertices_km: Floats, flat: Floats, profile: Profile) -> Floats:
    """Longitude, latitude and height at chainages; ``vertices_km`` (n,) and ``flat`` (n, 2) are the line's vertices."""
    return np.column_stack(
        [
            np.interp(chainage_km, vertices_km, flat[:, 0]),
            np.interp(chainage_km, vertices_km, flat[:, 1]),
            np.interp(chainage_km, profile.chainage_km, profile.height_m),
        ]
    )


def tunnel_runs(chainage_km: Floats, profile: Profile) -> list[tuple[slice, bool]]:
    """Stretches of a line in order, each with whether it lies in a tunnel; neighbours share their end point."""
    inside = np.zeros(max(len(chainage_km) - 1, 0), dtype=bool)
    middle = (chainage_km[1:] + chainage_km[:-1]) / 2
    for span in profile.spans:
        if span.kind == StructureKind.TUNNEL:
            inside |= (middle > span.from_km) & (middle < span.to_km)
    cuts = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), len(inside)]
    return [(slice(a, b + 1), bool(inside[a])) for a, b in pairwise(cuts) if b > a]
