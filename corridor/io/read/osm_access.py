"""Who may use a road as OpenStreetMap's tags say it: access keys, barriers on nodes, limits of weight and height.

Keys form a hierarchy (OpenStreetMap wiki, "Key:access"): a more exact key, such as ``hgv``, beats a more general one,
such as ``access``. Goods travel by truck, people of villages by car, so both are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan

from corridor.schema.vocabulary import RoadAccess

# from general to exact; the last one that says something known counts
_TRUCK_KEYS = ("access", "vehicle", "motor_vehicle", "hgv")
_CAR_KEYS = ("access", "vehicle", "motor_vehicle", "motorcar")
_WEIGHT_KEYS = ("maxweight", "maxweight:hgv", "maxweightrating", "maxweightrating:hgv")
_HEIGHT_KEYS = ("maxheight", "maxheight:physical")
_USERS = ("access", "vehicle", "motor_vehicle", "motorcar", "hgv")
ACCESS_KEYS = (
    *_USERS, *_WEIGHT_KEYS, *_HEIGHT_KEYS, "smoothness", "status", "impassable",
    *(f"{key}:conditional" for key in (*_USERS, "oneway", "maxweight", "maxheight")),
)  # fmt: skip
"""All keys that say who may use a road, and the conditional ones, which are counted."""
_OPEN = frozenset(("yes", "permissive", "designated", "official", "public", "unknown", "toll", "discouraged"))
# to places on it, not through it
_LOCAL = frozenset(("destination", "delivery", "customers", "residents", "permit"))
_SHUT = frozenset((
    "no", "private", "military", "agricultural", "forestry", "emergency", "restricted", "psv", "bus", "employees",
    "foot", "bicycle", "hov", "taxi", "service", "government",
))  # fmt: skip
_RANK = {RoadAccess.YES: 2, RoadAccess.LOCAL: 1, RoadAccess.NO: 0}

# barriers that end every road, whoever stands before them, unless a key on the node opens them
_BLOCKS = frozenset((
    "barrier_board", "berm", "block", "bollard", "boulder", "bus_trap", "chain", "concrete_block", "cycle_barrier",
    "debris", "delineators", "ditch", "earth_bank", "fence", "full-height_turnstile", "guard_rail", "handrail", "hedge",
    "horse_stile", "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier", "planter", "retaining_wall", "rock",
    "rocks", "rope", "rubble", "stile", "sump_buster", "tank_trap", "turnstile", "wall", "wedge", "wicket_gate",
))  # fmt: skip
_PASSED = frozenset((
    "border_control", "bump_gate", "cattle_grid", "checkpoint", "coupure", "entrance", "gate", "hampshire_gate",
    "height_restrictor", "kerb", "kent_carriage_gap", "lift_gate", "no", "sally_port", "sliding_beam", "sliding_gate",
    "spikes", "swing_gate", "toll_booth", "width_restrictor", "yes", "police_checkpoint", "traffic_island",
))  # fmt: skip

_TONNES = re.compile(r"(\d+(?:[.,]\d+)?)\s*(t|tonne|tonnes|ton|kg|st|lbs)?")
_METRES = re.compile(r"(\d+(?:[.,]\d+)?)\s*(m|cm)?")
_FEET = re.compile(r"(\d+)\s*(?:'|ft)\s*(?:(\d+)\s*(?:\"|in)?)?")
_TO_TONNES = {"": 1.0, "t": 1.0, "tonne": 1.0, "tonnes": 1.0, "ton": 1.0, "kg": 0.001, "st": 0.90718, "lbs": 0.00045359}
_NO_LIMIT = frozenset(("", "none", "no", "unsigned", "default", "below_default", "no_sign", "no_indications"))


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a road, for trucks and for cars."""

    truck: RoadAccess = RoadAccess.YES
    car: RoadAccess = RoadAccess.YES


@dataclass(frozen=True, slots=True)
class Limits:
    """Signed limits of a road; NaN where there is none."""

    max_weight_t: float = nan
    max_height_m: float = nan


ANYBODY, NO_LIMITS = Access(), Limits()


def read_access(tags: Mapping[str, str]) -> tuple[Access, bool]:
    """Who may use a way or pass a node, and whether all of its access values are known.

    An unknown value neither opens nor shuts. A condition that opens what is shut otherwise (``access=no`` with
    ``access:conditional=yes @ (Apr-Nov)``) opens it: a pass that is shut in winter is a road; the reader counts it.

    Args:
        tags: Of a way or a node.

    Returns:
        Access of trucks and cars, and whether every value was understood.

    >>> read_access({"access": "no", "motor_vehicle": "permissive"})[0]
    Access(truck=<RoadAccess.YES: 'yes'>, car=<RoadAccess.YES: 'yes'>)
    >>> str(read_access({"hgv": "no"})[0].truck), str(read_access({"hgv": "no"})[0].car)
    ('no', 'yes')
    """
    if not any(key in tags for key in _USERS):
        impassable = "impassable" in {tags.get("smoothness"), tags.get("status")} or tags.get("impassable") == "yes"
        return (Access(RoadAccess.NO, RoadAccess.NO), True) if impassable else (ANYBODY, True)
    truck, truck_known = _resolve(tags, _TRUCK_KEYS)
    car, car_known = _resolve(tags, _CAR_KEYS)
    return Access(truck, car), truck_known and car_known


def _resolve(tags: Mapping[str, str], keys: tuple[str, ...]) -> tuple[RoadAccess, bool]:
    found, known = RoadAccess.YES, True
    for key in keys:
        # of several values (agricultural;forestry) the most generous counts: any of these users may drive
        meanings = [_meaning(word.strip().casefold()) for word in tags.get(key, "").split(";") if word.strip()]
        known &= None not in meanings
        if said := [word for word in meanings if word]:
            found = max(said, key=_RANK.__getitem__)
        opened = re.findall(r"(\w+)\s*@", tags.get(f"{key}:conditional", ""))
        found = max([found, *(word for value in opened if (word := _meaning(value)))], key=_RANK.__getitem__)
    return found, known


def _meaning(word: str) -> RoadAccess | None:
    """What a value says; None for one that no table knows."""
    if word in _OPEN:
        return RoadAccess.YES
    return RoadAccess.LOCAL if word in _LOCAL else RoadAccess.NO if word in _SHUT else None


def blocks_road(tags: Mapping[str, str]) -> bool | None:
    """Whether a node with a barrier ends the roads that run over it; None where the kind of barrier isn't known.

    A gate is passed unless it is locked or its access keys shut it to cars and trucks; a block ends a road unless they
    open it. ``barrier=block`` at a border shuts the border road as the ground shows it.

    Args:
        tags: Of a node.
    """
    said = any(tags.get(key) for key in _USERS)
    access = read_access(tags)[0]
    best = max(access.truck, access.car, key=_RANK.__getitem__)
    if said:
        return best == RoadAccess.NO
    kind = tags.get("barrier", "").strip().casefold()
    if tags.get("locked") == "yes":
        return True
    if kind in _BLOCKS:
        # a bollard that is taken out or sinks into the ground, where its tag says so, lets vehicles pass
        return tags.get("bollard") not in {"removable", "rising"} if kind == "bollard" else True
    return False if kind in _PASSED else None


def read_limits(tags: Mapping[str, str]) -> tuple[Limits, bool]:
    r"""Limits of weight (t) and height (m) for trucks, and whether all that is said was understood.

    Args:
        tags: Of a way.

    Returns:
        Limits, NaN where none is stated, and whether every value was understood.

    >>> read_limits({"maxweight": "3.5", "maxheight": "13'6\""})[0]
    Limits(max_weight_t=3.5, max_height_m=4.1148)
    """
    weights = [tags[key] for key in _WEIGHT_KEYS if key in tags]
    heights = [tags[key] for key in _HEIGHT_KEYS if key in tags]
    read = [_tonnes(text) for text in weights], [_metres(text) for text in heights]
    known = all(value is not None for values in read for value in values)
    least = [min((value for value in values if value is not None), default=inf) for values in read]
    weight, height = (value if value < inf else nan for value in least)
    return Limits(weight, height), known


def _tonnes(text: str) -> float | None:
    plain = text.strip().casefold()
    if plain in _NO_LIMIT:
        return inf
    found = _TONNES.fullmatch(plain)
    return float(found[1].replace(",", ".")) * _TO_TONNES[found[2] or ""] if found else None


def _metres(text: str) -> float | None:
    plain = text.strip().casefold()
    if plain in _NO_LIMIT:
        return inf
    if found := _METRES.fullmatch(plain):
        return float(found[1].replace(",", ".")) / (100 if found[2] == "cm" else 1)
    if found := _FEET.fullmatch(plain):
        return round(int(found[1]) * 0.3048 + int(found[2] or 0) * 0.0254, 4)
    return None
