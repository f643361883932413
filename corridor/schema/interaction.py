"""What a route meets on the roads of others, and what a regime makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from corridor.schema.message import Message, Value
from corridor.schema.vocabulary import Cause, EventKind, Evidence, Outcome, Owner, Separation, StructureKind


@dataclass(frozen=True, slots=True)
class Structure:
    """A bridge or tunnel that keeps a route and a road apart where they cross.

    ``owner`` is whose it is: a road's bridge leads over the route, its tunnel under it. ``name`` is its own name where
    one is known, ``length_m`` None where no length is. A documented one has its id in the catalogue and what the
    catalogue notes on it.
    """

    kind: StructureKind
    owner: Owner
    name: str
    length_m: float | None
    evidence: Evidence
    structure_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A place or stretch where a candidate meets a road of the network.

    ``edges`` are the rows of the network's edge table that the event cuts or slows; ``chainage_km`` is the candidate's
    drawn chainage where it begins, ``to_chainage_km`` where it ends (equal for a crossing). ``separation`` is said of
    crossings only, and so is ``structure``, what keeps the two apart (None where nothing does). ``cause`` says why it
    is an event of this kind, ``section_id`` which section of the catalogue a shared stretch is. ``distance_m`` is how
    far beside the road runs (0 for the other kinds).

    ``portions`` says where on those edges: (edge, from fraction, to fraction) of the edge's length from u. A crossing
    has equal fractions, the point where the road would be cut; ``joins`` is True where the road crosses the route at a
    junction with it, so that both of its arms are cut.

    ``is_open`` tells events of a schematic line: neither whether they are nor of what kind they are is known, also
    where one end of what is possible has been taken (:func:`corridor.interactions.events.take_events`).
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
    structure: Structure | None
    cause: Cause
    geometry: BaseGeometry
    portions: tuple[tuple[int, float, float], ...] = ()
    joins: bool = False
    section_id: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class EdgeEffect:
    """What a regime does to the network through a candidate: edges closed and minutes added, shape (n_edges,).

    ``most_min`` is the most that it delays any way by, where gates are shut at the same hours: who has waited for one
    passes the others.
    """

    closed: NDArray[np.bool_]
    delay_min: NDArray[np.float64]
    most_min: float = float("inf")


@dataclass(frozen=True, slots=True)
class CriticalCrossing:
    """A crossing whose assumed kind decides what can be reached under a regime.

    ``flipped_to`` is the kind that it would have to turn out to be. ``linked_as_assumed`` and ``linked_if_flipped``
    say whether the capital and the border crossing can reach each other; ``places_lost`` and ``places_regained`` are
    the places that lose or regain the border crossing by the flip.
    """

    event_id: str
    candidate_id: str
    regime_id: str
    flipped_to: Separation
    linked_as_assumed: bool
    linked_if_flipped: bool
    places_lost: tuple[str, ...]
    places_regained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What a finding's sentence is made of.

    Attributes:
        crossing: the border crossing.
        capital: the capital.
        country: the country that both lie in or at.
        at: what decides, and where; None where nothing does.
        structure: the structure that decides, where it is one.
        places_lost: places that would lose the crossing without it.
        places: places that were asked about.
        schematic_km: the route's kilometres in the country that are drawn schematically, "" where too few to matter.
        km: all of its kilometres there.
    """

    crossing: str
    capital: str
    country: str
    at: Value | None = None
    structure: Structure | None = None
    places_lost: int = 0
    places: int = 0
    schematic_km: str = ""
    km: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on a candidate under a regime, what becomes of the road to the capital, and what it rests on.

    ``evidence`` holds ids of events, regimes and sources. ``facts`` are None where the route isn't in the country.
    """

    candidate_id: str
    regime_id: str
    message: Message
    evidence: tuple[str, ...]
    outcome: Outcome = Outcome.NONE
    facts: FindingFacts | None = None
