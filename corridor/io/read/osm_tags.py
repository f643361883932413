"""What OpenStreetMap's tags mean here: one table for the reader of files and for the filter of live data.

A way may be a road, a railway, both (tracks in a street, a track on an old formation) or neither. What its tags say
beyond that is kept as they say it; what they say in words that no table here knows is never guessed: it is named as a
:class:`Doubt`, counted by the reader and shown by ``corridor doctor`` and in the manifest.

Sources of the meanings: OpenStreetMap wiki, pages "Key:highway", "Key:railway", "Lifecycle prefix", "Key:oneway",
"Key:bridge", "Key:tunnel", "Key:gauge", "Key:area".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import inf, isnan, nan

from corridor.schema.catalogue import TRUCK_OF_LIMIT
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus

# --- Who may use a road as OpenStreetMap's tags say it: access keys, barriers on nodes, limits of vehicles ---
# Keys form a hierarchy (OpenStreetMap wiki, "Key:access"): a more exact key, such as ``hgv``, beats a more general
# one, such as ``access``. Goods travel by truck, people of villages by car, so both are read.

# from general to exact; the last one that says something known counts
_TRUCK_KEYS = ("access", "vehicle", "motor_vehicle", "hgv", "hgv_articulated")
_CAR_KEYS = ("access", "vehicle", "motor_vehicle", "motorcar")
# of several keys for one measure the lowest value counts
_LIMIT_KEYS = {
    "max_weight_t": ("maxweight", "maxweight:hgv", "maxweightrating", "maxweightrating:hgv"),
    "max_height_m": ("maxheight", "maxheight:physical"),
    "max_width_m": ("maxwidth", "maxwidth:physical"),
    "max_length_m": ("maxlength", "maxlength:hgv", "maxlength:hgv_articulated"),
    "max_axle_t": ("maxaxleload", "maxaxleload:hgv"),
}
_USERS = ("access", "vehicle", "motor_vehicle", "motorcar", "hgv", "hgv_articulated")
# one-way for vehicles: a more exact key beats a more general one here too
_ONEWAY_KEYS = ("oneway:motor_vehicle", "oneway:vehicle", "oneway")
_TRUCK_DIRECTIONS = ("oneway:hgv", "hgv:forward", "hgv:backward")
_SEASONAL_KEYS = ("seasonal", "ice_road", "winter_road")
_DIRECTED_KEYS = tuple(f"{key}:{way}" for way in ("forward", "backward") for key in ("motor_vehicle", "vehicle"))
ACCESS_KEYS = (
    *_USERS, *_ONEWAY_KEYS, *_DIRECTED_KEYS, *_TRUCK_DIRECTIONS,
    *(key for keys in _LIMIT_KEYS.values() for key in keys), "smoothness", "status", "impassable", *_SEASONAL_KEYS,
    *(f"{key}:conditional" for key in (*_USERS, "oneway", *(keys[0] for keys in _LIMIT_KEYS.values()))),
)  # fmt: skip
"""All keys that say who may use a road, and the conditional ones, which are counted."""
_OPEN = frozenset(("yes", "permissive", "designated", "official", "public", "unknown", "toll", "discouraged"))
# to places on it, not through it
_LOCAL = frozenset(("destination", "delivery", "customers", "residents", "permit"))
_SHUT = frozenset((
    "no", "private", "military", "agricultural", "forestry", "emergency", "restricted", "psv", "bus", "employees",
    "foot", "bicycle", "hov", "taxi", "service", "government", "closed", "staff",
))  # fmt: skip
_RANK = {RoadAccess.YES: 2, RoadAccess.LOCAL: 1, RoadAccess.NO: 0}

# barriers that end every road, whoever stands before them, unless a key on the node opens them
_BLOCKS = frozenset((
    "barrier_board", "berm", "block", "bollard", "boulder", "bus_trap", "chain", "concrete_block", "cycle_barrier",
    "debris", "delineators", "ditch", "earth_bank", "fence", "full-height_turnstile", "guard_rail", "handrail", "hedge",
    "horse_stile", "jersey_barrier", "kent_carriage_gap", "kissing_gate", "log", "motorcycle_barrier", "planter",
    "retaining_wall", "rock", "rocks", "rope", "rubble", "stile", "sump_buster", "tank_trap", "turnstile", "wall",
    "wedge", "wicket_gate",
))  # fmt: skip
_YIELDING_BOLLARDS = frozenset(("removable", "rising", "foldable", "flexible"))
_PASSED = frozenset((
    "border_control", "bump_gate", "cattle_grid", "checkpoint", "coupure", "entrance", "gate", "hampshire_gate",
    "height_restrictor", "kerb", "lift_gate", "no", "sally_port", "sliding_beam", "sliding_gate",
    "spikes", "swing_gate", "toll_booth", "width_restrictor", "yes", "police_checkpoint", "traffic_island",
))  # fmt: skip

# a limit of nothing is none that anybody meant
_TONNES = re.compile(r"(?!0+(?:[.,]0+)?\D*$)(\d+(?:[.,]\d+)?)\s*(t|tonnes?|tons?|kg|st|lbs)?")
_METRES = re.compile(r"(?!0+(?:[.,]0+)?\D*$)(\d+(?:[.,]\d+)?)\s*(m|metres?|meters?|cm)?")
_FEET = re.compile(r"(\d+)\s*(?:'|ft)\s*(?:(\d+)\s*(?:\"|in)?)?")
_TO_TONNES = {"kg": 0.001, "st": 0.90718, "lbs": 0.00045359}
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
    max_width_m: float = nan
    max_length_m: float = nan
    max_axle_t: float = nan

    @property
    def all(self) -> tuple[float, ...]:
        """All of them, in the order of ``TRUCK_OF_LIMIT``."""
        return tuple(getattr(self, column) for column in TRUCK_OF_LIMIT)


ANYBODY, NO_LIMITS = Access(), Limits()


def read_access(tags: Mapping[str, str], unsaid: RoadAccess = RoadAccess.YES) -> tuple[Access, bool]:
    """Who may use a way or pass a node, and whether all of its access values are known.

    An unknown value neither opens nor shuts. A condition that opens what is shut otherwise (``access=no`` with
    ``access:conditional=yes @ (Apr-Nov)``) opens it: a pass that is shut in winter is a road; the reader counts it.
    Where no vehicle can drive (``smoothness=impassable``) a right to drive opens nothing.

    Args:
        tags: Of a way or a node.
        unsaid: What holds for a vehicle of which no key says anything.

    Returns:
        Access of trucks and cars, and whether every value was understood.

    >>> read_access({"access": "no", "motor_vehicle": "permissive"})[0]
    Access(truck=<RoadAccess.YES: 'yes'>, car=<RoadAccess.YES: 'yes'>)
    >>> str(read_access({"hgv": "no"})[0].truck), str(read_access({"hgv": "no"})[0].car)
    ('no', 'yes')
    """
    if "impassable" in {tags.get("smoothness"), tags.get("status")} or tags.get("impassable") == "yes":
        return Access(RoadAccess.NO, RoadAccess.NO), True
    truck, truck_known = _resolve(tags, _TRUCK_KEYS, unsaid)
    car, car_known = _resolve(tags, _CAR_KEYS, unsaid)
    return Access(truck, car), truck_known and car_known


def _resolve(tags: Mapping[str, str], keys: tuple[str, ...], unsaid: RoadAccess) -> tuple[RoadAccess, bool]:
    found, known = unsaid, True
    for key in keys:
        # of several values (agricultural;forestry) the most generous counts: any of these users may drive
        meanings = [_meaning(word.strip().casefold()) for word in tags.get(key, "").split(";") if word.strip()]
        # Whoever says both yes and no of the same people tells nothing about them.
        contradicts = "no" in _words(tags.get(key, "")) and RoadAccess.YES in meanings
        known &= None not in meanings and not contradicts
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


def stricter(a: RoadAccess, b: RoadAccess) -> RoadAccess:
    """Of two that both have to let a vehicle pass, the one that lets less.

    Args:
        a: One.
        b: The other.
    """
    return min(a, b, key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Barrier:
    """Who may pass a node, and with what measures."""

    access: Access = ANYBODY
    limits: Limits = NO_LIMITS

    @property
    def blocks(self) -> bool:
        """Whether neither trucks nor cars pass: roads end there."""
        return self.access == Access(RoadAccess.NO, RoadAccess.NO)

    @property
    def lets_all_pass(self) -> bool:
        """Whether every truck and car passes."""
        return self.access == ANYBODY and all(map(isnan, self.limits.all))


def read_barrier(tags: Mapping[str, str]) -> tuple[Barrier, bool]:
    """Who passes a node with a barrier, and whether all that says so is understood and followed.

    A gate lets all pass unless it is locked, a block nobody; a key that is for a vehicle beats both, for this vehicle
    alone: a gate with ``hgv=no`` stops trucks, and a bollard with it stops cars too. ``barrier=block`` at a border
    shuts the border road as the ground shows it.

    Args:
        tags: Of a node.

    Returns:
        Who passes; and False where a value isn't understood, a condition isn't followed, or neither its kind is known
        nor a key says anything: that stops nobody.

    >>> found = read_barrier({"barrier": "gate", "hgv": "no"})[0].access
    >>> str(found.truck), str(found.car)
    ('no', 'yes')
    """
    # bollards that are taken out, sink, fold or bend, where a tag says so, let vehicles pass
    yields = tags.get("bollard") in _YIELDING_BOLLARDS
    # of several kinds at one place (gate;bollard) each has to let them pass
    kinds = [kind for kind in _words(tags.get("barrier", "")) if not (kind == "bollard" and yields)]
    blocks = _is_said(tags, "locked") or any(kind in _BLOCKS for kind in kinds)
    access, access_known = read_access(tags, RoadAccess.NO if blocks else RoadAccess.YES)
    limits, limits_known = read_limits(tags)
    kind_known = blocks or all(kind in _PASSED for kind in kinds) or any(tags.get(key) for key in _USERS)
    unconditional = not any(key.endswith(":conditional") for key in tags)
    return Barrier(access, limits), kind_known and access_known and limits_known and unconditional


def read_limits(tags: Mapping[str, str]) -> tuple[Limits, bool]:
    r"""Limits of a truck's measures (tonnes, metres), and whether all that is said was understood.

    Args:
        tags: Of a way or a node.

    Returns:
        Limits, NaN where none is stated, and whether every value was understood.

    >>> read_limits({"maxweight": "3.5", "maxheight": "13'6\""})[0]
    Limits(max_weight_t=3.5, max_height_m=4.1148, max_width_m=nan, max_length_m=nan, max_axle_t=nan)
    """
    limits, known = {}, True
    for column, keys in _LIMIT_KEYS.items():
        measure = _tonnes if column.endswith("_t") else _metres
        values = [measure(tags[key]) for key in keys if key in tags]
        known &= None not in values
        least = min((value for value in values if value is not None), default=inf)
        limits[column] = least if least < inf else nan
    return Limits(**limits), known


def _tonnes(text: str) -> float | None:
    plain = text.strip().casefold()
    if plain in _NO_LIMIT:
        return inf
    found = _TONNES.fullmatch(plain)
    return float(found[1].replace(",", ".")) * _TO_TONNES.get(found[2], 1.0) if found else None


def _metres(text: str) -> float | None:
    plain = text.strip().casefold()
    if plain in _NO_LIMIT:
        return inf
    if found := _METRES.fullmatch(plain):
        return float(found[1].replace(",", ".")) / (100 if found[2] == "cm" else 1)
    if found := _FEET.fullmatch(plain):
        return round(int(found[1]) * 0.3048 + int(found[2] or 0) * 0.0254, 4)
    return None


# -- Kinds of ways --------------------------------------------------------------------------------------------------

# most important first: of one road drawn twice the higher class counts
ROAD_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "motorway_link", "trunk_link", "primary_link",
    "secondary_link", "tertiary_link", "unclassified", "residential", "living_street", "road", "service", "track",
)  # fmt: skip
UNKNOWN_ROAD = "road"
"""A road of which nobody says what class it is or will be (``highway=road``, a bare ``highway=construction``)."""

# ways for people on foot, on wheels or on horses, places beside roads, and what is no longer there
_NO_ROAD = frozenset((
    "footway", "path", "cycleway", "pedestrian", "steps", "bridleway", "corridor", "platform", "crossing", "sidewalk",
    "via_ferrata", "elevator", "escalator", "ladder", "trailhead", "bus_stop", "services", "rest_area", "raceway",
    "busway", "bus_guideway", "escape", "emergency_bay", "emergency_access_point", "toll_gantry", "street_lamp",
    "traffic_signals", "speed_camera", "turning_circle", "turning_loop", "passing_place", "no", "none", "virtual",
))  # fmt: skip
MAIN_LINE = "rail"
_OTHER_RAIL = frozenset((
    "tram", "subway", "light_rail", "narrow_gauge", "monorail", "funicular", "miniature", "preserved", "rack",
    "cable_car", "platform", "platform_edge", "station", "halt", "stop", "tram_stop", "subway_entrance", "signal_box",
    "turntable", "traverser", "roundhouse", "wash", "workshop", "yard", "depot", "engine_shed", "site", "facility",
    "crossing", "level_crossing", "tram_level_crossing", "tram_crossing", "switch", "railway_crossing", "buffer_stop",
    "derail", "signal", "milestone", "loading_ramp", "loading_rack", "container_terminal", "service_station",
    "owner_change", "ventilation_shaft", "border", "fuel", "water_tower", "water_crane", "museum", "blockpost",
    "rail_brake", "hump_yard", "junction", "interlocking", "no", "none",
))  # fmt: skip
NARROWEST_MM = 1000.0
"""A railway whose every gauge is below this carries no goods wagons of a main line, whatever its kind is called."""

# -- Lifecycle ------------------------------------------------------------------------------------------------------

# what a word means for the status; None is nothing that stands on the ground
LIFECYCLE: dict[str, SectionStatus | None] = {
    "construction": SectionStatus.CONSTRUCTION,
    "proposed": SectionStatus.PLANNED, "planned": SectionStatus.PLANNED,
    "disused": SectionStatus.DISUSED,
    "abandoned": SectionStatus.ABANDONED, "ruins": SectionStatus.ABANDONED, "ruined": SectionStatus.ABANDONED,
    "razed": None, "removed": None, "demolished": None, "destroyed": None, "dismantled": None, "obliterated": None,
    "was": None, "historic": None, "cancelled": None,
}  # fmt: skip
_STATES: dict[str, SectionStatus] = {word: status for word, status in LIFECYCLE.items() if status}
_YES = frozenset(("yes", "true", "1"))
_NO = frozenset(("", "no", "none", "false", "0"))
# works that leave a road open: no more than its surface or width is worked on
_MINOR_WORKS = _NO | {"minor", "widening"}

# -- Structures and directions ----------------------------------------------------------------------------------------

_BRIDGES = frozenset((
    "yes", "true", "1", "viaduct", "aqueduct", "boardwalk", "cantilever", "covered", "low_water_crossing", "movable",
    "trestle", "swing", "suspension", "arch", "beam", "truss", "girder", "simple_brunnel", "culvert", "humpback",
    "pontoon", "floating",
))  # fmt: skip
_TUNNELS = frozenset(("yes", "true", "1", "building_passage", "avalanche_protector", "covered", "gallery"))
# words for a structure that isn't there (any more, or yet), and for what runs under a road rather than as one
_NO_STRUCTURE = _NO | frozenset(LIFECYCLE) | {"collapsed", "broken", "missing"}
_NO_TUNNEL = _NO_STRUCTURE | {"culvert", "flooded"}
_ALONG, _AGAINST = _YES | {"forward"}, frozenset(("-1", "reverse", "backward"))
# traffic takes turns on the one lane: both directions may drive
_BOTH_WAYS = _NO | {"alternating"}
_ONE_WAY_CLASSES = frozenset(("motorway", "motorway_link"))
_ONE_WAY_JUNCTIONS = frozenset(("roundabout", "circular"))

# what a closed line is the outline of, unless it says area=no
_AREA_KEYS = ("landuse", "building", "leisure", "natural", "place", "public_transport", "parking")
_AREA_AMENITIES = frozenset(("parking", "fuel", "bus_station", "marketplace", "ferry_terminal", "school", "hospital"))

READ_KEYS = frozenset((
    "highway", "railway", "route", "junction", "bridge", "tunnel", "layer", "gauge", "area", "amenity", *_AREA_KEYS,
    *LIFECYCLE, *(f"{word}:{key}" for key in ("highway", "railway") for word in LIFECYCLE), *ACCESS_KEYS,
))  # fmt: skip
"""Keys that say whether a way is a road or a railway, and what kind of one."""

PLACE_KINDS = frozenset(("city", "town", "village", "hamlet", "isolated_dwelling"))


class Doubt(StrEnum):
    """What of a way's tags isn't understood or isn't followed; each reads on after a number of ways."""

    ROAD_CLASS = "ways whose highway value isn't known; left out"
    RAIL_KIND = "ways whose railway value isn't known; left out"
    UNBUILT_CLASS = "roads that aren't in use name no class that is known; taken as class 'road'"
    SEVERAL_CLASSES = "ways with several highway or railway values; the first known one is used"
    ONEWAY = "roads whose oneway value isn't known; taken as open both ways"
    TRUCKS_ONE_WAY = "roads whose direction for trucks isn't that of other vehicles, which counts for both"
    REVERSIBLE = "roads whose direction changes (oneway=reversible); taken as open both ways"
    STRUCTURE = "ways whose bridge or tunnel value isn't known; taken as a bridge or a tunnel"
    ACCESS = "roads whose access value isn't known or says both yes and no; taken as open"
    CONDITIONAL = "roads with conditions of time or vehicle (keys with ':conditional'); taken as open at other times"
    SEASONAL = "roads that are there in some seasons only (seasonal, ice_road, winter_road); taken as open"
    LIMIT = "roads with a limit (maxweight, -height, -width, -length, -axleload) not understood; taken as without limit"
    CLOSED = "roads closed to trucks by their access tags; no route uses them"
    LOCAL = "roads for local traffic only by their access tags; used only to reach places on them"
    AREA = "outlines of areas tagged as roads; left out"
    WORKS = "open roads tagged as under construction, disused or abandoned; that state counts"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One road or one railway that a way is.

    ``oneway`` is 1 along the way, -1 against it, 0 both. ``layer`` tells what lies one above the other. ``gauges_mm``
    are all gauges that a railway's tags name, smallest first; empty where they name none.
    """

    mode: Mode
    road_class: str
    status: SectionStatus
    oneway: int = 0
    bridge: bool = False
    tunnel: bool = False
    layer: int = 0
    access: Access = ANYBODY
    limits: Limits = NO_LIMITS
    gauges_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class WayReading:
    """What a way is (nothing, a road, a railway or both) and what of its tags is in doubt."""

    meanings: tuple[Meaning, ...]
    doubts: frozenset[Doubt] = frozenset()


def read_way(tags: Mapping[str, str], *, is_ring: bool = False) -> WayReading:
    """What the tags of a way say.

    Args:
        tags: keys and values as the file has them.
        is_ring: whether the way ends where it begins, so that it may be the outline of an area.

    >>> both = read_way({"highway": "track", "railway": "abandoned"})
    >>> [(str(m.mode), m.road_class, str(m.status)) for m in both.meanings]
    [('road', 'track', 'open'), ('rail', 'rail', 'abandoned')]
    >>> read_way({"highway": "minor"}).doubts
    frozenset({<Doubt.ROAD_CLASS: "ways whose highway value isn't known; left out">})
    """
    said = tuple((key, value) for key, value in tags.items() if key in READ_KEYS)
    return _read_said(said, is_ring)


@lru_cache(maxsize=1 << 16)
def _read_said(said: tuple[tuple[str, str], ...], is_ring: bool) -> WayReading:
    """What the tags that matter say; most ways say the same as many others."""
    tags = dict(said)
    doubts: set[Doubt] = set()
    # What a ferry sails is drawn as a way, with the road's class on some; nothing is built there, and nobody drives.
    if "ferry" in _words(tags.get("route", "")):
        return WayReading(())
    road, rail = _read_road(tags, is_ring, doubts), _read_rail(tags, doubts)
    return WayReading(tuple(found for found in (road, rail) if found is not None), frozenset(doubts))


def _read_road(tags: Mapping[str, str], is_ring: bool, doubts: set[Doubt]) -> Meaning | None:
    found = _read_kind(tags, "highway", doubts)
    if found is None:
        return None
    road_class, status = found
    if is_ring and _is_area(tags):
        doubts.add(Doubt.AREA)
        return None
    access, access_known = read_access(tags)
    limits, limits_known = read_limits(tags)
    # only what is in use can surprise its users
    if status == SectionStatus.OPEN:
        doubts |= {Doubt.ACCESS} if not access_known else set()
        doubts |= {Doubt.LIMIT} if not limits_known else set()
        doubts |= {Doubt.CONDITIONAL} if any(key.endswith(":conditional") for key in tags) else set()
        doubts |= {Doubt.SEASONAL} if any(tags.get(key, "").casefold() not in _NO for key in _SEASONAL_KEYS) else set()
        doubts |= (
            {Doubt.CLOSED}
            if access.truck == RoadAccess.NO
            else {Doubt.LOCAL}
            if access.truck == RoadAccess.LOCAL
            else set()
        )
    oneway = _read_oneway(tags, road_class, doubts)
    bridge, tunnel = _read_structures(tags, doubts)
    return Meaning(Mode.ROAD, road_class, status, oneway, bridge, tunnel, _layer(tags), access, limits)


def _read_rail(tags: Mapping[str, str], doubts: set[Doubt]) -> Meaning | None:
    found = _read_kind(tags, "railway", doubts)
    gauges = read_gauges(tags)
    narrow = max(gauges) < NARROWEST_MM if gauges else "narrow" in _words(tags.get("gauge", ""))
    if found is None or narrow:
        return None
    # oneway on a track says how trains usually run or what a road in the same street does: trains run both ways
    bridge, tunnel = _read_structures(tags, doubts)
    return Meaning(Mode.RAIL, MAIN_LINE, found[1], 0, bridge, tunnel, _layer(tags), gauges_mm=gauges)


def _read_kind(tags: Mapping[str, str], key: str, doubts: set[Doubt]) -> tuple[str, SectionStatus] | None:
    """Class and status of the road (``key`` highway) or the main line (railway) that a way is; None if it is neither.

    The forms that mappers use: a class (``highway=primary``); a state with the class beside it (``railway=disused``
    with ``disused=rail``, ``disused:railway=rail`` or nothing); a prefix alone (``construction:highway=trunk``); a
    class with a state as a flag (``highway=primary`` with ``abandoned=yes``). A key without prefix is about today and
    wins; where it names neither road nor railway (``highway=path``, ``railway=no``), what lay or will lie there counts.
    """
    words = _words(tags.get(key, "no"))
    if all(word in (_NO_ROAD if key == "highway" else _OTHER_RAIL) for word in words):
        for prefix, status in _STATES.items():
            if prefixed := tags.get(f"{prefix}:{key}"):
                return _unbuilt((prefixed,), key, status, doubts)
        return None
    if words and words[0] in LIFECYCLE:
        state = LIFECYCLE[words[0]]
        # "proposed" may say "construction" of its class and the reverse: projects move on faster than tags
        beside = [tags.get(f"{words[0]}:{key}"), tags.get(words[0]), tags.get("construction"), tags.get("proposed")]
        beside += [tags.get(f"{word}:{key}") for word in LIFECYCLE]
        return _unbuilt(tuple(text for text in beside if text), key, state, doubts) if state else None
    if any(_is_said(tags, word) for word, status in LIFECYCLE.items() if not status):
        return None
    kind = _known_kind(words, key, doubts)
    return (kind, _flagged_status(tags, doubts)) if kind else None


def _known_kind(words: list[str], key: str, doubts: set[Doubt]) -> str:
    """The first word that is a class of road or the main line; '' if none is, in doubt if no table knows the words."""
    classes, others = (ROAD_CLASSES, _NO_ROAD) if key == "highway" else ((MAIN_LINE,), _OTHER_RAIL)
    known = [word for word in words if word in classes]
    if known:
        if len(words) > 1:
            doubts.add(Doubt.SEVERAL_CLASSES)
        return known[0]
    if not any(word in others for word in words):
        doubts.add(Doubt.ROAD_CLASS if key == "highway" else Doubt.RAIL_KIND)
    return ""


def _unbuilt(
    texts: tuple[str, ...], key: str, status: SectionStatus, doubts: set[Doubt]
) -> tuple[str, SectionStatus] | None:
    """Class and status of what isn't in use, from the texts that may name its class, best first."""
    classes, others = (ROAD_CLASSES, _NO_ROAD) if key == "highway" else ((MAIN_LINE,), _OTHER_RAIL)
    for text in texts:
        words = _words(text)
        if named := [word for word in words if word in classes]:
            return named[0], status
        # construction=no says nothing of a class; a tram or a footway says that this is neither road nor main line
        if any(word in others and word not in _NO for word in words):
            return None
    if key == "railway":
        return MAIN_LINE, status
    if any(word not in _YES for text in texts for word in _words(text)):
        doubts.add(Doubt.UNBUILT_CLASS)
    return UNKNOWN_ROAD, status


def _flagged_status(tags: Mapping[str, str], doubts: set[Doubt]) -> SectionStatus:
    """The status that flags beside a class give: ``disused=yes``, ``abandoned=yes``, ``construction=*``.

    ``construction`` is often left behind when a road is opened; where a key says that vehicles may use it, it is open.
    """
    status: SectionStatus = SectionStatus.OPEN
    in_use = any(tags.get(key) in _YES for key in ("motor_vehicle", "vehicle", "hgv", "motorcar"))
    if not in_use and any(word not in _MINOR_WORKS for word in _words(tags.get("construction", ""))):
        status = SectionStatus.CONSTRUCTION
    for flag in ("proposed", "planned", "disused", "abandoned", "ruins", "ruined"):
        if _is_said(tags, flag):
            status = _STATES[flag]
    if status != SectionStatus.OPEN:
        doubts.add(Doubt.WORKS)
    return status


def _is_said(tags: Mapping[str, str], flag: str) -> bool:
    return tags.get(flag, "").strip().casefold() in _YES


def _read_structures(tags: Mapping[str, str], doubts: set[Doubt]) -> tuple[bool, bool]:
    """Whether a way runs over a bridge and through a tunnel."""
    found = []
    for key, known, absent in (("bridge", _BRIDGES, _NO_STRUCTURE), ("tunnel", _TUNNELS, _NO_TUNNEL)):
        words = _words(tags.get(key, ""))
        present = [word for word in words if word not in absent]
        if any(word not in known for word in present):
            doubts.add(Doubt.STRUCTURE)
        found.append(bool(present))
    return found[0], found[1]


def _read_oneway(tags: Mapping[str, str], road_class: str, doubts: set[Doubt]) -> int:
    oneway = _oneway_of_vehicles(tags, road_class, doubts)
    if _oneway_of_trucks(tags, oneway) != oneway:
        doubts.add(Doubt.TRUCKS_ONE_WAY)
    return oneway


def _oneway_of_trucks(tags: Mapping[str, str], of_vehicles: int) -> int | None:
    """The direction of trucks by the keys that are for them alone, that of others without; None if not understood."""
    if "oneway:hgv" in tags:
        words = set(_words(tags["oneway:hgv"])) or {""}
        return 1 if words <= _ALONG else -1 if words <= _AGAINST else 0 if words <= _BOTH_WAYS else None
    shut = [key for key in _TRUCK_DIRECTIONS[1:] if _meaning(tags.get(key, "")) == RoadAccess.NO]
    if len(shut) != 1:
        return None if shut else of_vehicles
    return 1 if shut[0].endswith("backward") else -1


def _oneway_of_vehicles(tags: Mapping[str, str], road_class: str, doubts: set[Doubt]) -> int:
    value = next((tags[key] for key in _ONEWAY_KEYS if key in tags), None)
    if value is None:
        shut = {key.rpartition(":")[2] for key in _DIRECTED_KEYS if _meaning(tags.get(key, "")) == RoadAccess.NO}
        if len(shut) == 1:
            return 1 if "backward" in shut else -1
        ring = tags.get("junction", "").strip().casefold() in _ONE_WAY_JUNCTIONS
        return 1 if ring or road_class in _ONE_WAY_CLASSES else 0
    # a list that says one thing twice says it once
    words = set(_words(value)) or {""}
    if words <= _ALONG or words <= _AGAINST:
        return 1 if words <= _ALONG else -1
    if "reversible" in words:
        doubts.add(Doubt.REVERSIBLE)
    elif not words <= _BOTH_WAYS:
        doubts.add(Doubt.ONEWAY)
    return 0


def _is_area(tags: Mapping[str, str]) -> bool:
    """Whether a closed line is the outline of an area rather than a ring road."""
    said = tags.get("area", "").strip().casefold()
    if said:
        return said not in _NO
    if tags.get("junction"):
        return False
    return any(key in tags for key in _AREA_KEYS) or tags.get("amenity") in _AREA_AMENITIES


def _layer(tags: Mapping[str, str]) -> int:
    try:
        return max(-9, min(9, int(tags.get("layer", "0"))))
    except ValueError:
        return 0


def read_gauges(tags: Mapping[str, str]) -> tuple[float, ...]:
    """All gauges in mm that the key ``gauge`` names, smallest first; none where it names no number.

    Args:
        tags: Of a railway.

    >>> read_gauges({"gauge": "1520;1435 mm"})
    (1435.0, 1520.0)
    """
    text = re.sub(r"(?<!\d)1[ ,.](\d{3})(?!\d)", r"1\1", tags.get("gauge", ""))
    numbers = {float(number) for number in re.findall(r"(?<![\d.])\d{3,4}(?:\.\d+)?(?![\d.])", text)}
    return tuple(sorted(numbers | ({1435.0} if "standard" in _words(text) else set())))


def _words(value: str) -> list[str]:
    """The values of a list (``primary;secondary``), in lower case, without empty ones."""
    return [word for text in value.split(";") if (word := text.strip().casefold())]


# -- Settlements ----------------------------------------------------------------------------------------------------

_GROUPED = re.compile(r"\d{1,3}(?:[ .,'\u2019\u00a0\u2009\u202f]\d{3})+|\d+")


def read_population(text: str) -> float | None:
    """A population as people write it; None where the text isn't one number of people.

    Thousands may be parted (``1 700``, ``1,700``), a year or a note may follow in brackets, ``~`` or ``ca.`` may stand
    before. Of several values (``1700;1650``) the first counts. A range or a word is no number.

    Args:
        text: Value of the key ``population``.

    >>> read_population("1 700 (2011)"), read_population("~1,700"), read_population("many"), read_population("1.7")
    (1700.0, 1700.0, None, None)
    """
    first = text.split(";", maxsplit=1)[0].strip()
    # signs of a rough number before it; a note, a plus or decimals that say nothing behind it
    first = re.sub(r"^(?:[~\u2248]|ca?\.|circa\b)\s*", "", first)
    first = re.sub(r"\s*[(\[].*[)\]]$|\s*\+$|\.0{1,2}$", "", first)
    if not _GROUPED.fullmatch(first) or len(first) > 15:
        return None
    return float("".join(c for c in first if c.isdigit()))


# -- What live data is asked for ------------------------------------------------------------------------------------

PREFIXED_KEYS = tuple(f"{state}:{key}" for key in ("highway", "railway") for state in _STATES)
WAY_KEYS = ("highway", "railway", *PREFIXED_KEYS)
"""Keys of which each way that may be a road or a railway has one."""
NO_ROADS = tuple(sorted(_NO_ROAD))
NO_RAILWAYS = tuple(sorted(_OTHER_RAIL))


def may_matter(tags: Mapping[str, str]) -> bool:
    """Whether a way is a road or a railway, or might be one if its tags were understood.

    Args:
        tags: Of a way.
    """
    found = read_way(tags)
    unknown = found.doubts & {Doubt.ROAD_CLASS, Doubt.RAIL_KIND}
    return bool(found.meanings or unknown)
