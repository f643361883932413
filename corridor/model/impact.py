"""What a candidate does to the roads it meets: events, and what a regime makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

EventKind = Literal["crossing", "same_line", "beside"]
Separation = Literal["separated", "at_grade_assumed", ""]


@dataclass(frozen=True, slots=True)
class Event:
    """A place or stretch where a candidate meets a road of the network.

    ``edges`` are the rows of the network's edge table that the event cuts or slows; ``chainage_km`` is the candidate's
    drawn chainage where it begins, ``to_chainage_km`` where it ends (equal for a crossing). ``separation`` is said of
    crossings only. ``cause`` says in words why it is an event of this kind. ``distance_m`` is how far beside the road
    runs (0 for the other kinds).
    """

    event_id: str
    candidate_id: str
    kind: EventKind
    separation: Separation
    road_class: str
    road_ref: str
    road_name: str
    country: str
    chainage_km: float
    to_chainage_km: float
    distance_m: float
    length_km: float
    edges: tuple[int, ...]
    structure: str
    cause: str
    geometry: BaseGeometry


@dataclass(frozen=True, slots=True)
class EdgeEffect:
    """What a regime does to the network through a candidate: edges closed and minutes added, shape (n_edges,)."""

    closed: NDArray[np.bool_]
    delay_min: NDArray[np.float64]
