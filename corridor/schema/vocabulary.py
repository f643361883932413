"""The vocabulary: every status, kind and outcome that rows, events and metrics are told apart by, as enumerations.

Members are texts (``enum.StrEnum``): they are written to files, compared with columns of tables and formatted as the
value that stands beside them, so that what a file says is read here and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What runs on a way."""

    ROAD = "road"
    RAIL = "rail"


class Family(StrEnum):
    """What a candidate is made from: open roads, catalogue sections, a new line, places, a drawn line, or others."""

    EXISTING = "existing"
    REFERENCE = "reference"
    NEW_BUILD = "new-build"
    VIA = "via"
    DRAWN = "drawn"
    PACKAGE = "package"


class SectionStatus(StrEnum):
    """State of a way on a date; ``UNKNOWN`` where nobody documents any more whether it is open."""

    OPEN = "open"
    CONSTRUCTION = "construction"
    DISUSED = "disused"
    ABANDONED = "abandoned"
    PLANNED = "planned"
    CLOSED = "closed"
    UNKNOWN = "unknown"

    @property
    def is_unbuilt(self) -> bool:
        """Whether the way is yet to be built."""
        return self in {SectionStatus.PLANNED, SectionStatus.CONSTRUCTION}


class RoadAccess(StrEnum):
    """Who of a kind of vehicle may use a road: all, only those with a place on it to go to, nobody."""

    YES = "yes"
    LOCAL = "local"
    NO = "no"


class CrossingStatus(StrEnum):
    """State of a border crossing; ``UNLISTED`` where a route passes a border at no crossing of the catalogue.

    ``UNKNOWN`` where no document says whether it is open, or was at a baseline's date.
    """

    OPEN = "open"
    CLOSED = "closed"
    PLANNED = "planned"
    UNKNOWN = "unknown"
    UNLISTED = "unlisted"


class GeometryQuality(StrEnum):
    """How a line came to lie where it is; ``DRAWN`` by whoever asks for it."""

    SCHEMATIC = "schematic"
    SURVEYED = "surveyed"
    OSM = "osm"
    DESIGNED = "designed"
    DRAWN = "drawn"


class Confidence(StrEnum):
    """How much a documented figure can be relied on."""

    HIGH = "H"
    MEDIUM = "M"
    LOW = "L"
    UNSTATED = ""


class StructureKind(StrEnum):
    """Works that carry a way over, under or along something."""

    TUNNEL = "tunnel"
    BRIDGE = "bridge"
    GALLERY = "gallery"


class Evidence(StrEnum):
    """How a structure is known.

    ``MAPPED`` in OpenStreetMap, ``DOCUMENTED`` in the catalogue, ``INFERRED`` from the ground's departure from the
    design grade, ``DESIGNED`` as part of a new line.
    """

    MAPPED = "mapped"
    DOCUMENTED = "documented"
    INFERRED = "inferred"
    DESIGNED = "designed"


class Owner(StrEnum):
    """Whose structure keeps a route and a road apart."""

    ROUTE = "route"
    ROAD = "road"


class WorkKind(StrEnum):
    """Kinds of construction that have a price by the kilometre; ``UPGRADE`` puts an old formation back into use.

    ``SURFACE`` is a line as it lies in the country, whose price may hold structures. Those from ``OPEN_LINE`` on are
    what a new line is put together from: open line on level ground without structures; what retaining walls add where
    the squared cross-slope (a tangent) grows by one; avalanche or rockfall galleries; half-bridges, whose outer side
    stands on piers. Portals and abutments are priced by the piece.
    """

    SURFACE = "surface"
    BRIDGE = "bridge"
    TUNNEL = "tunnel"
    UPGRADE = "upgrade"
    OPEN_LINE = "open_line"
    RETAINING_WALL = "retaining_wall"
    GALLERY = "gallery"
    HALF_BRIDGE = "half_bridge"
    PORTAL = "portal"
    ABUTMENT = "abutment"


class Works(StrEnum):
    """What is to be done to a stretch before it can be used: the only answer to what is still "to build".

    ``NEW`` is planned, ``UNFINISHED`` under construction, ``UPGRADE`` puts a closed, disused or abandoned way back into
    use, ``GAP`` lays one where there is none between two that are there. ``REPLACEMENT`` is another road for one that
    lies on the bed of the railway. ``NONE`` where nothing is.
    """

    NEW = "new"
    UNFINISHED = "unfinished"
    UPGRADE = "upgrade"
    GAP = "gap"
    REPLACEMENT = "replacement"
    NONE = "none"


class WayStatus(StrEnum):
    """Whether a load has a way: with a case and without it, with it alone, without it alone, or with neither."""

    OPEN = "open"
    OPENED = "opened"
    CLOSED = "closed"
    NONE = "no way"


class BedRoad(StrEnum):
    """What becomes of a road that lies on a railway's old bed when the railway takes it."""

    REPLACED = "replaced"
    TAKEN = "taken"


class LineKind(StrEnum):
    """What a stretch of a new line is.

    ``SURFACE`` lies on earth slopes, ``BENCH`` on a bench with retaining walls along a steep side slope; there a
    ``GALLERY`` covers it against avalanches and rockfall, or its outer side stands on a ``HALF_BRIDGE``. ``REUSED``
    runs on a formation that is there.
    """

    SURFACE = "surface"
    BENCH = "bench"
    GALLERY = "gallery"
    HALF_BRIDGE = "half_bridge"
    BRIDGE = "bridge"
    TUNNEL = "tunnel"
    REUSED = "reused"


class EventKind(StrEnum):
    """How a candidate meets a road: across it, on the same line, or beside it without being known to share ground.

    ``POSSIBLY_SHARED`` is an axis near a schematic line, which may come to run on it; ``ON_BED`` a road on the old bed
    of a railway that takes it.
    """

    CROSSING = "crossing"
    SHARED = "same_line"
    PARALLEL = "beside"
    POSSIBLY_SHARED = "possibly_same_line"
    ON_BED = "on_bed"


class Separation(StrEnum):
    """Whether a crossing keeps the two apart; ``NONE`` for events that are no crossing.

    ``UNDETERMINED``: a schematic line can't tell, so that either is possible.
    """

    SEPARATED = "separated"
    AT_GRADE = "at_grade_assumed"
    UNDETERMINED = "undetermined"
    NONE = ""


class EventsEnd(StrEnum):
    """How what a schematic line leaves open is taken.

    ``BEST``: every such crossing is separated and nothing is shared; ``WORST``: every one is at grade, and axes near
    the line are shared.
    """

    BEST = "best"
    WORST = "worst"


class Cause(StrEnum):
    """Why an event is of its kind: what is mapped, drawn or documented at the place."""

    MAPPED_APART = "mapped_apart"
    SCHEMATIC_LINE = "schematic_line"
    JUNCTION = "junction"
    NOTHING_MAPPED = "nothing_mapped"
    CATALOGUE_NODE = "catalogue_node"
    DOCUMENTED_STRUCTURE = "documented_structure"
    ROAD_IN_USE = "road_in_use"
    RUNS_PARALLEL = "runs_parallel"


class Outcome(StrEnum):
    """What becomes of the road between border crossing and capital; ``NONE`` where the route isn't in that country.

    ``SINGLE_POINT_DEPENDENT``: it stays open, and would be lost if one structure weren't there. ``UNDETERMINED``: it
    is lost or not as a line turns out that is only drawn schematically.
    """

    LOST = "lost"
    UNDETERMINED = "undetermined"
    SINGLE_POINT_DEPENDENT = "single_point_dependent"
    OPEN = "open"
    NONE = ""


class MetricStatus(StrEnum):
    """What stands beside a metric's value, or in its place; see :data:`VETO_STATUSES` and :data:`GAP_STATUSES`.

    ``UNDETERMINED``: the value lies between two ends, and nothing known says where; ``NOT_QUOTED``: the documents on
    the subject give no figure; ``CUT_OFF``: some of those whom it sums over lose the way to what it is about, so
    that no number of it holds for all.
    """

    NONE = ""
    OK = "ok"
    OPEN = "open"
    SLOWER = "slower"
    ASSUMED = "assumed"
    DOCUMENTED = "documented"
    DRAWN = "drawn"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    NOT_APPLICABLE = "not_applicable"
    NOT_SUPPORTED = "not_supported"
    NOT_MEASURED = "not_measured"
    REFUSED = "refused"
    UNSPECIFIED = "unspecified"
    MISSING = "missing"
    UNKNOWN = "unknown"
    UNDETERMINED = "undetermined"
    NOT_QUOTED = "not_quoted"
    NOT_TRAVELABLE = "not_travelable"
    CUT_OFF = "cut_off"


VETO_STATUSES = (MetricStatus.UNREACHABLE, MetricStatus.LOST, MetricStatus.NOT_TRAVELABLE)
"""Statuses with which an alternative can't be ranked at all; ``NOT_TRAVELABLE`` where the rules allow no transit."""

ENDLESS_STATUSES = (*VETO_STATUSES, MetricStatus.CUT_OFF)
"""Statuses that are worse than any number: an alternative that has one where it is scored can't be ranked."""

GAP_STATUSES = (
    MetricStatus.NOT_APPLICABLE,
    MetricStatus.NOT_SUPPORTED,
    MetricStatus.NOT_MEASURED,
    MetricStatus.REFUSED,
    MetricStatus.UNSPECIFIED,
    MetricStatus.MISSING,
    MetricStatus.UNKNOWN,
    MetricStatus.NOT_QUOTED,
)
"""Statuses that stand where there is no value."""

VALUE_STATUSES = (
    MetricStatus.NONE,
    MetricStatus.OK,
    MetricStatus.OPEN,
    MetricStatus.SLOWER,
    MetricStatus.ASSUMED,
    MetricStatus.DOCUMENTED,
    MetricStatus.DRAWN,
)
"""Statuses that stand beside a value.

``UNDETERMINED`` is none of the three: it stands where there is no value but two ends, of which neither is a middle; an
end that is infinite is an alternative that can't be reached there.
"""


class CrossingRuleKind(StrEnum):
    """What a regime does to roads that meet the route."""

    FREE = "free"
    GATED = "gated"
    GRADE_SEPARATED = "grade_separated"
    CLOSED = "closed"


class SharedRuleKind(StrEnum):
    """What a regime does to others' traffic on roads that the route runs on."""

    OPEN = "open"
    GATED = "gated"
    TRANSIT_ONLY = "transit_only"


class RoadsInUse(StrEnum):
    """Which parts of a candidate a regime asks for: ``ONLY`` roads that exist, ``NONE`` of them, or ``ANY``."""

    ANY = "any"
    ONLY = "only"
    NONE = "none"


class LocalAccess(StrEnum):
    """Whether the route's own new links are open to domestic traffic."""

    OPEN = "open"
    CLOSED = "closed"
    UNSPECIFIED = "unspecified"


class Stated(StrEnum):
    """Whether a text speaks on a subject."""

    SPECIFIED = "specified"
    UNSPECIFIED = "unspecified"


class PanelKind(StrEnum):
    """Who is ranked with whom: routes through the focus region, or comparators outside it."""

    THROUGH = "through"
    COMPARATOR = "comparator"


class SourceKind(StrEnum):
    """Files that were computed with, and documents that a value was read from."""

    DATA = "data"
    DOCUMENT = "document"


class Direction(StrEnum):
    """Which end of a criterion is wanted."""

    MIN = "min"
    MAX = "max"


class CriterionGroup(StrEnum):
    """Groups that criteria are weighted in."""

    DISTANCE = "distance"
    TERRAIN = "terrain"
    BORDER_ACCESS = "border_access"
    NORTH_SOUTH = "north_south"
    PEOPLE = "people"


class FirstPlace(StrEnum):
    """Whether a route comes first: whatever the undetermined metrics are, only where they suit it, or not at all."""

    FOR_SURE = "for sure"
    AT_BEST = "at best"
    NO = ""


class Scaling(StrEnum):
    """How metrics become values: between the criteria's stated anchors, or the worst and best alternative present."""

    ANCHORS = "anchors"
    MIN_MAX = "min-max"


class MissingPolicy(StrEnum):
    """What happens where an alternative lacks a value."""

    SET_ASIDE = "set-aside"
    DROP_CRITERION = "drop-criterion"


class Comparators(StrEnum):
    """Where comparators are ranked."""

    APART = "apart"
    TOGETHER = "together"
    OMIT = "omit"
