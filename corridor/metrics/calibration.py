"""Computed truck times held against documented ones: one factor, and how far single documents stray from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corridor.errors import NetworkError
from corridor.metrics.access import SPEED_UNCERTAINTY, TimeFactors


@dataclass(frozen=True)
class DocumentedTime:
    """A journey of which a document states the time: minutes from low to high, and what the network computes."""

    name: str
    low_min: float
    high_min: float
    computed_min: float
    source_id: str


@dataclass(frozen=True)
class Calibration:
    """``factor`` turns computed into documented times; ``spread`` is the greatest ratio of a document to the fit."""

    factor: float
    spread: float
    times: tuple[DocumentedTime, ...]


def fit_time_factor(times: Sequence[DocumentedTime]) -> Calibration:
    """The factor between documented and computed times: least squares of their logarithms, the middle of each range.

    >>> fit_time_factor([DocumentedTime("a-b", 50, 72, 30, "x"), DocumentedTime("b-c", 60, 60, 30, "x")]).factor
    2.0

    Raises:
        NetworkError: no times, or one that isn't positive.
    """
    if not times:
        raise NetworkError(
            "no documented times to calibrate with; give at least one, or use the computed times as they are"
        )
    wrong = [t.name for t in times if not (0 < t.low_min <= t.high_min and 0 < t.computed_min < np.inf)]
    if wrong:
        raise NetworkError(
            f"documented times must be above 0, low before high, and the way reachable: see {', '.join(wrong)}"
        )
    logs = np.array([(np.log(t.low_min) + np.log(t.high_min)) / 2 - np.log(t.computed_min) for t in times])
    factor = float(np.exp(logs.mean()))
    return Calibration(round(factor, 12), float(np.exp(np.abs(logs - logs.mean()).max())), tuple(times))


def time_factors(calibration: Calibration | None = None, uncertainty: float = SPEED_UNCERTAINTY) -> TimeFactors:
    """Factors for intervals: speeds a quarter up and down, about the stated speeds and about the calibrated ones.

    The middle stays at the stated speeds; the fitted factor widens the interval to its side.
    """
    fitted = calibration.factor if calibration else 1.0
    return TimeFactors(min(1.0, fitted) / (1 + uncertainty), 1.0, max(1.0, fitted) / (1 - uncertainty))
