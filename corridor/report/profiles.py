"""Elevation profiles thinned for the page."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.model.candidate import Candidate
from corridor.model.profile import Profile
from corridor.model.results import Results

POINTS = 500


def build_profile_data(results: Results) -> dict[str, Any]:
    """Per candidate: chainage (km), heights and ground (m), positions, structures and stretches by country."""
    return {
        candidate.candidate_id: _profile(candidate, results.profiles[candidate.candidate_id])
        for candidate in results.candidates
        if candidate.candidate_id in results.profiles
    }


def thin(heights_m: NDArray[np.float64], count: int = POINTS) -> NDArray[np.int64]:
    """Indices of about ``count`` points that keep both ends and the highest and lowest point of every stretch."""
    total = len(heights_m)
    if total <= count:
        return np.arange(total)
    edges = np.linspace(0, total, count // 2 + 1).astype(int)
    kept = {0, total - 1}
    for start, end in pairwise(edges):
        if end > start:
            kept.add(int(start + np.argmin(heights_m[start:end])))
            kept.add(int(start + np.argmax(heights_m[start:end])))
    return np.array(sorted(kept), dtype=np.int64)


def _profile(candidate: Candidate, profile: Profile) -> dict[str, Any]:
    keep = thin(profile.height_m)
    return {
        "km": np.round(profile.chainage_km[keep], 2).tolist(),
        "height": np.round(profile.height_m[keep]).astype(int).tolist(),
        "ground": np.round(profile.ground_m[keep]).astype(int).tolist(),
        "lat": np.round(profile.lat[keep], 4).tolist(),
        "lon": np.round(profile.lon[keep], 4).tolist(),
        "spans": [[s.kind, round(s.from_km, 2), round(s.to_km, 2), s.name] for s in profile.spans],
        "countries": _stretches(candidate),
    }


def _stretches(candidate: Candidate) -> list[list[Any]]:
    """Runs of one country along the drawn line: country, from and to in km."""
    out: list[list[Any]] = []
    at = 0.0
    for part in candidate.parts:
        if out and out[-1][0] == part.country:
            out[-1][2] = round(at + part.drawn_km, 2)
        else:
            out.append([part.country, round(at, 2), round(at + part.drawn_km, 2)])
        at += part.drawn_km
    return out
