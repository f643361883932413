"""What a regime of transit does to everyone else, and what its text says and leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from corridor.schema.catalogue import Estimate
from corridor.schema.vocabulary import CrossingRuleKind, LocalAccess, RoadsInUse, SharedRuleKind

QUESTIONS = ("where", "domestic_or_international", "civilian_or_military", "who_owns", "who_secures", "what_checks")
"""The interview's open questions that ``clarity`` counts answers to."""

ATTRIBUTES = (*QUESTIONS, "sovereign", "customs", "owner_share", "term_years", "third_country_presence")

ROAD_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road",
    "service", "track",
)  # fmt: skip
"""Classes of roads from the greatest down; a link ranks with its road."""


def class_rank(road_class: str) -> int:
    """Place of a class in ROAD_CLASSES, 0 for motorways; what isn't in the list ranks below all."""
    name = road_class.removesuffix("_link")
    return ROAD_CLASSES.index(name) if name in ROAD_CLASSES else len(ROAD_CLASSES)


@dataclass(frozen=True, slots=True)
class CrossingRule:
    """What happens to roads that meet the route: ``minutes`` for ``gated``, ``min_class`` for ``grade_separated``.

    ``grade_separated`` gives roads of ``min_class`` and above a bridge or tunnel and closes the lesser ones.
    """

    kind: CrossingRuleKind
    minutes: Estimate | None = None
    min_class: str = ""


@dataclass(frozen=True, slots=True)
class SameLineRule:
    """What happens to others' traffic on roads that the route runs on; ``minutes`` for ``gated``, once per stretch."""

    kind: SharedRuleKind
    minutes: Estimate | None = None


@dataclass(frozen=True, slots=True)
class CheckTime:
    """Minutes of a check with where they come from."""

    minutes: Estimate
    source_ids: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a text says on one subject; ``specified`` is False where it doesn't, and ``text`` then says what is open."""

    specified: bool
    text: str
    source_id: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Applicability:
    """To which candidates a regime can be applied; empty tuples allow everything.

    A candidate must run through one of ``through`` and none of ``avoids`` (countries). ``roads_in_use`` is about its
    parts in ``through``: ``only`` roads that exist, ``none`` of them (railways and new roads), or ``any``.
    """

    families: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    roads_in_use: RoadsInUse = RoadsInUse.ANY


@dataclass(frozen=True)
class Regime:
    """Switches that act on the network, and declared attributes that don't.

    The switches act in the countries of ``applies_to.through``. ``switches_from`` says where they come from; no text
    so far says what happens to roads that meet the route. ``local_access`` is whether the route's own new links are
    open to domestic traffic.
    """

    regime_id: str
    label: str
    summary: str
    text_status: str
    as_of: str
    counterfactual: bool
    source_ids: tuple[str, ...]
    crossing: CrossingRule
    same_line: SameLineRule
    switches_from: str
    transit_check_min: CheckTime
    border_check_min: CheckTime
    local_access: LocalAccess
    applies_to: Applicability
    attributes: dict[str, Attribute]

    @property
    def clarity(self) -> int:
        """How many of the six open questions the regime's text answers."""
        return sum(self.attributes[question].specified for question in QUESTIONS)

    @property
    def open_questions(self) -> tuple[str, ...]:
        """The questions that it leaves open."""
        return tuple(question for question in QUESTIONS if not self.attributes[question].specified)
