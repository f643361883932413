"""What a regime of transit does to everyone else, and what its text says and leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from corridor.schema.catalogue import ANY_COUNTRY, ZERO, Estimate
from corridor.schema.fields import Country, Date, Identifier, Lax, Listed, Text
from corridor.schema.message import Message
from corridor.schema.vocabulary import CrossingRuleKind, Family, LocalAccess, Mode, RoadsInUse, SharedRuleKind, Stated

QUESTIONS = ("where", "domestic_or_international", "civilian_or_military", "who_owns", "who_secures", "what_checks")
"""The interview's open questions that ``clarity`` counts answers to."""

ATTRIBUTES = (*QUESTIONS, "sovereign", "customs", "owner_share", "term_years", "third_country_presence")

OUTSIDE = "outside"
"""Stands for the regime of candidates to which none applies, because they don't pass the focus country."""

ROAD_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road",
    "service", "track",
)  # fmt: skip
"""Classes of roads from the greatest down; a link ranks with its road."""


def class_rank(road_class: str) -> int:
    """Place of a class in ROAD_CLASSES, 0 for motorways; what isn't in the list ranks below all.

    Args:
        road_class: an OpenStreetMap class, links included.

    Returns:
        Its place.
    """
    name = road_class.removesuffix("_link")
    return ROAD_CLASSES.index(name) if name in ROAD_CLASSES else len(ROAD_CLASSES)


def class_message(road_class: str) -> Message:
    """What a reader calls a class of roads, such as "local road" for ``unclassified``.

    Args:
        road_class: an OpenStreetMap class, links included.

    Returns:
        The message; the class itself where no catalogue of messages has it.
    """
    name = road_class.removesuffix("_link")
    return Message(f"class.{name}", fallback=name.replace("_", " "))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


MAX_MINUTES = 100_000.0


def _check_minutes(minutes: Estimate) -> Estimate:
    low, mid, high = minutes.low, minutes.mid, minutes.high
    for name, value in (("low", low), ("mid", mid), ("high", high)):
        if not 0 <= value <= MAX_MINUTES:
            raise ValueError(f"{name} {value:g} must be greater than or equal to 0 and at most {MAX_MINUTES:g}")
    if not low <= mid <= high:
        raise ValueError(f"low {low:g}, mid {mid:g}, high {high:g} must rise")
    return minutes


Minutes = Annotated[Estimate, AfterValidator(_check_minutes)]
"""A figure in minutes, from 0 and rising, written as a table with low, mid and high."""


HOURS_A_DAY = 24.0


def _check_hours(hours: Estimate) -> Estimate:
    _check_minutes(hours)
    if not 0 < hours.low <= hours.high <= HOURS_A_DAY:
        raise ValueError(
            f"hours a day lie above 0 and at most at {HOURS_A_DAY:g}, not from {hours.low:g} to {hours.high:g}"
        )
    return hours


def wait_for_window_h(closed_h: Estimate) -> Estimate:
    """Hours that somebody waits at a gate that is shut once a day.

    Who knows the hours waits not at all (low). Who comes at any time of the day finds it shut with probability
    ``closed / 24`` and then waits half of that on average: ``closed^2 / 48`` (middle). Who comes just as it shuts waits
    all of it (high).

    Args:
        closed_h: hours a day that the gate is shut, from 0 to 24.

    Returns:
        Hours of waiting.

    >>> wait_for_window_h(Estimate(6.0, 12.0, 18.0))
    Estimate(low=0.0, mid=3.0, high=18.0)
    """
    return Estimate(0.0, closed_h.mid**2 / (2 * HOURS_A_DAY), closed_h.high)


class CrossingRule(_Strict):
    """What happens to roads that meet the route: ``minutes`` for ``gated``, ``min_class`` for ``grade_separated``.

    ``grade_separated`` gives roads of ``min_class`` and above a bridge or tunnel and closes the lesser ones.
    """

    kind: Lax[CrossingRuleKind]
    minutes: Minutes | None = None
    min_class: str = ""

    @model_validator(mode="after")
    def _whole(self) -> CrossingRule:
        if (self.kind == CrossingRuleKind.GATED) != (self.minutes is not None):
            raise ValueError("minutes belong to kind 'gated', and only to it")
        if (self.kind == CrossingRuleKind.GRADE_SEPARATED) != (self.min_class != ""):
            raise ValueError("min_class belongs to kind 'grade_separated', and only to it")
        if self.min_class and self.min_class not in ROAD_CLASSES:
            raise ValueError(f"min_class '{self.min_class}' is none of {', '.join(ROAD_CLASSES)}")
        return self


class SharedRule(_Strict):
    """What happens to others' traffic on roads that the route runs on; ``minutes`` for ``gated``, once per stretch."""

    kind: Lax[SharedRuleKind]
    minutes: Minutes | None = None

    @model_validator(mode="after")
    def _whole(self) -> SharedRule:
        if (self.kind == SharedRuleKind.GATED) != (self.minutes is not None):
            raise ValueError("minutes belong to kind 'gated', and only to it")
        return self


class CheckTime(_Strict):
    """Minutes of a check with where they come from."""

    low: Annotated[float, Field(ge=0, le=MAX_MINUTES, allow_inf_nan=False)]
    mid: Annotated[float, Field(ge=0, le=MAX_MINUTES, allow_inf_nan=False)]
    high: Annotated[float, Field(ge=0, le=MAX_MINUTES, allow_inf_nan=False)]
    source_ids: Annotated[Listed[str], Field(min_length=1)]
    note: Text

    @model_validator(mode="after")
    def _rising(self) -> CheckTime:
        _check_minutes(self.minutes)
        return self

    @property
    def minutes(self) -> Estimate:
        """Low, middle and high minutes."""
        return Estimate(self.low, self.mid, self.high)

    def taking(self, minutes: Estimate) -> CheckTime:
        """The same check with other minutes.

        Args:
            minutes: how long it takes instead.

        Returns:
            The changed check.
        """
        return self.model_copy(update={"low": minutes.low, "mid": minutes.mid, "high": minutes.high})


class CheckRule(_Strict):
    """Which sides of borders are checked, and by which row of the table of border delays; the first that fits counts.

    ``countries`` are those whose sides it is about (``*`` is every one), ``crossings`` and ``modes`` narrow it down
    where they aren't empty. ``point`` names the rows that are taken; empty takes those of each crossing itself.
    ``at`` ``transit`` is a check on the way, once a trip, whose row is of direction ``transit``. With ``stated`` false
    the text leaves open whether there is a check, so that the low end is 0. ``multiple`` scales the hours, and
    ``position`` (0 lowest, 0.5 middle, 1 highest) takes one value out of each range.
    """

    countries: Annotated[Listed[str], Field(min_length=1)]
    at: Literal["border", "transit"] = "border"
    point: str = ""
    crossings: Listed[Identifier] = ()
    modes: Listed[Lax[Mode]] = ()
    stated: bool = True
    multiple: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 1.0
    position: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    @field_validator("countries")
    @classmethod
    def _countries_or_any(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        for country in countries:
            if country != ANY_COUNTRY and not (len(country) == 2 and country.isascii() and country.isupper()):
                raise ValueError(f"'{country[:20]}' is no country; write two capital letters, or '*' for every one")
        return countries

    @model_validator(mode="after")
    def _whole(self) -> CheckRule:
        if self.at == "transit" and (not self.point or self.crossings):
            raise ValueError("a check in transit names its point, and no crossings")
        return self

    def fits(self, country: str, crossing_id: str, mode: Mode) -> bool:
        """Whether it is about a side of a border.

        Args:
            country: whose side.
            crossing_id: of the crossing.
            mode: road or rail.

        Returns:
            Whether the rule says anything of it.
        """
        here = not self.crossings or crossing_id in self.crossings
        return here and self.of_mode(mode) and bool({country, ANY_COUNTRY} & set(self.countries))

    def of_mode(self, mode: Mode) -> bool:
        """Whether it is about a mode.

        Args:
            mode: road or rail.

        Returns:
            Whether the rule says anything of it.
        """
        return not self.modes or mode in self.modes

    def taken(self, hours: Estimate) -> Estimate:
        """Hours as the rule takes them.

        Args:
            hours: what the table has.

        Returns:
            Hours.
        """
        scaled = Estimate(hours.low if self.stated else 0.0, hours.mid, hours.high).scaled(self.multiple)
        if self.position is None:
            return scaled
        low, mid, high = scaled.low, scaled.mid, scaled.high
        first = self.position <= 0.5
        value = low + (mid - low) * 2 * self.position if first else mid + (high - mid) * (2 * self.position - 1)
        return Estimate.exact(value)


class Attribute(_Strict):
    """What a text says on one subject; where it is ``unspecified``, ``text`` says what it leaves open."""

    state: Lax[Stated]
    text: Text
    source_id: Text
    as_of: Date

    @property
    def specified(self) -> bool:
        """Whether the text speaks on the subject."""
        return self.state == Stated.SPECIFIED


class Applicability(_Strict):
    """To which candidates a regime can be applied; empty tuples allow everything.

    A candidate must run through one of ``through`` and none of ``avoids`` (countries). ``roads_in_use`` is about its
    parts in ``through``: ``only`` roads that exist, ``none`` of them (railways and new roads), or ``any``. Without
    ``comparators`` it is about the routes alone that the study compares, not about those that it holds them against.
    """

    families: Listed[Lax[Family]] = ()
    modes: Listed[Lax[Mode]] = ()
    candidates: Listed[Identifier] = ()
    through: Listed[Country] = ()
    avoids: Listed[Country] = ()
    roads_in_use: Lax[RoadsInUse] = RoadsInUse.ANY
    comparators: bool = True


class Regime(_Strict):
    """Switches that act on the network, and declared attributes that don't: a table of a file of regimes, and its id.

    The switches act in the countries of ``applies_to.through``. ``switches_from`` says where they come from; no text
    so far says what happens to roads that meet the route. ``checks`` say which sides of borders are checked, by which
    rows of the table of border delays; without any nothing is. ``transit_hours`` are the hours of a day in which
    transit may pass, once a day in a row: transit waits for them, and roads that are ``gated`` without minutes of their
    own wait while they last. ``border_check_min`` and ``transit_check_min`` stand instead of rules, with minutes of
    their own. Where it doesn't ``allows_transit`` nothing is ranked under it. ``local_access`` is whether the route's
    own new links are open to domestic traffic. ``attributes`` has an entry for each of :data:`ATTRIBUTES`, in their
    order.
    """

    regime_id: Identifier
    label: Text
    summary: Text
    text_status: Text
    as_of: Date
    counterfactual: bool = False
    source_ids: Annotated[Listed[str], Field(min_length=1)]
    crossing: CrossingRule
    same_line: SharedRule
    switches_from: Text
    checks: Listed[CheckRule] = ()
    transit_hours: Annotated[Estimate, AfterValidator(_check_hours)] | None = None
    transit_check_min: CheckTime | None = None
    border_check_min: CheckTime | None = None
    local_access: Lax[LocalAccess]
    allows_transit: bool = True
    applies_to: Applicability
    attributes: dict[str, Attribute]

    @property
    def closes_roads(self) -> bool:
        """Whether it closes any road: what crosses the route, or what the route runs on."""
        cuts = self.crossing.kind in (CrossingRuleKind.CLOSED, CrossingRuleKind.GRADE_SEPARATED)
        return cuts or self.same_line.kind == SharedRuleKind.TRANSIT_ONLY

    @field_validator("attributes")
    @classmethod
    def _every_attribute(cls, attributes: dict[str, Attribute]) -> dict[str, Attribute]:
        missing = [name for name in ATTRIBUTES if name not in attributes]
        unknown = [name for name in attributes if name not in ATTRIBUTES]
        faults = [f"attributes.{name} is missing; say 'unspecified' where the text is silent" for name in missing]
        faults += [f"attributes.{name} is no attribute; there are {', '.join(ATTRIBUTES)}" for name in unknown]
        if faults:
            raise ValueError("; ".join(faults))
        return {name: attributes[name] for name in ATTRIBUTES}

    @model_validator(mode="before")
    @classmethod
    def _gated_by_hours(cls, fields: Any) -> Any:
        """Minutes of gates that shut while transit passes, where a rule gives none of its own."""
        hours = fields.get("transit_hours") if isinstance(fields, Mapping) else None
        if not isinstance(hours, Mapping) or not {"low", "mid", "high"} <= set(hours):
            return fields
        if not all(type(hours[end]) in (int, float) for end in ("low", "mid", "high")):
            return fields  # told of what stands there, field by field
        shut = wait_for_window_h(Estimate(*(float(hours[end]) for end in ("low", "mid", "high")))).scaled(60.0)
        minutes = {"low": shut.low, "mid": shut.mid, "high": shut.high}
        gates = {
            name: {**fields[name], "minutes": minutes}
            for name in ("crossing", "same_line")
            if isinstance(fields.get(name), Mapping) and dict(fields[name]) == {"kind": CrossingRuleKind.GATED}
        }
        return {**fields, **gates}

    @property
    def transit_wait_h(self) -> Estimate:
        """Hours that transit waits for the hours in which it may pass."""
        if self.transit_hours is None:
            return ZERO
        low, mid, high = (
            HOURS_A_DAY - hours for hours in (self.transit_hours.high, self.transit_hours.mid, self.transit_hours.low)
        )
        return wait_for_window_h(Estimate(low, mid, high))

    @model_validator(mode="after")
    def _one_kind_of_check(self) -> Regime:
        for own, at in ((self.border_check_min, "border"), (self.transit_check_min, "transit")):
            if own is not None and any(rule.at == at for rule in self.checks):
                raise ValueError(f"{at}_check_min stands instead of checks at '{at}'; leave one of both out")
        return self

    @property
    def cited(self) -> tuple[tuple[str, str], ...]:
        """Every source id with the field that names it."""
        found = [("source_ids", key) for key in self.source_ids]
        for name, own in (("transit_check_min", self.transit_check_min), ("border_check_min", self.border_check_min)):
            found += [(f"{name}.source_ids", key) for key in (own.source_ids if own else ())]
        found += [(f"attributes.{name}.source_id", said.source_id) for name, said in self.attributes.items()]
        return tuple(found)

    @property
    def clarity(self) -> int:
        """How many of the six open questions the regime's text answers."""
        return sum(self.attributes[question].specified for question in QUESTIONS)

    @property
    def open_questions(self) -> tuple[str, ...]:
        """The questions that it leaves open."""
        return tuple(question for question in QUESTIONS if not self.attributes[question].specified)
