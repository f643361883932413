"""Elevation profiles thinned for the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.schema.candidate import Candidate, Profile
from corridor.schema.results import Results
from corridor.schema.vocabulary import Mode

POINTS = 500
GRADE_METRIC = "grade_p95_pct"
"""There for a candidate only where the heights are fine enough for grades."""
GRADE_LIMITS_PCT = {Mode.ROAD: (3.0, 6.0, 8.0), Mode.RAIL: (1.0, 1.8, 2.5)}
"""Where one colour of the profile ends and the next begins, by mode."""


def build_profile_data(results: Results) -> dict[str, Any]:
    """Per candidate: chainage (km), heights and ground (m), positions, structures and stretches by country."""
    return {
        candidate.candidate_id: _profile(candidate, results.profiles[candidate.candidate_id])
        | (_grades(candidate, results.profiles[candidate.candidate_id]) if has_grades(results, candidate) else {})
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


def has_grades(results: Results, candidate: Candidate) -> bool:
    """Whether the heights support grades of a candidate."""
    table = results.metrics
    if GRADE_METRIC not in table.columns:
        return False
    rows = table[table["candidate_id"].astype(str) == candidate.candidate_id]
    return bool(rows[GRADE_METRIC].notna().any())


def grade_classes(
    chainage_km: NDArray[np.float64],
    height_m: NDArray[np.float64],
    keep: NDArray[np.int64],
    limits_pct: Sequence[float],
) -> list[int]:
    """Class of the mean grade, up or down, between kept points: 0 under the first limit, 1 from it on, and so on.

    Args:
        chainage_km: shape (n,), rising.
        height_m: heights of the route, shape (n,).
        keep: indices of kept points, shape (m,).
        limits_pct: limits between classes, rising.

    Returns:
        m - 1 classes.
    """
    climbed_m = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(height_m)))])
    run_m = np.maximum(np.diff(chainage_km[keep]) * 1000, 1e-6)
    grade_pct = 100 * np.diff(climbed_m[keep]) / run_m
    return np.digitize(np.round(grade_pct, 6), limits_pct).tolist()  # type: ignore[no-any-return]


def _grades(candidate: Candidate, profile: Profile) -> dict[str, Any]:
    limits = GRADE_LIMITS_PCT[candidate.mode]
    classes = grade_classes(profile.chainage_km, profile.height_m, thin(profile.height_m), limits)
    return {"grades": classes, "gradeLimits": list(limits)}


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
