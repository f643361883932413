"""Regimes of transit from TOML: switches, checks and declared attributes, each with its source and date."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from corridor.errors import CatalogueError
from corridor.safe_toml import parse_toml
from corridor.schema.catalogue import Estimate
from corridor.schema.regime import (
    ATTRIBUTES,
    ROAD_CLASSES,
    Applicability,
    Attribute,
    CheckTime,
    CrossingRule,
    Regime,
    SameLineRule,
)
from corridor.schema.source import Source
from corridor.schema.vocabulary import CrossingRuleKind, Family, LocalAccess, Mode, RoadsInUse, SharedRuleKind, Stated

_SHOWN = 12
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Date = Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")]
Minutes = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


Chosen = TypeVar("Chosen", bound=StrEnum)
Lax = Annotated[Chosen, Field(strict=False)]
"""A member of an enumeration, written as its text."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Minutes(_Strict):
    low: Minutes
    mid: Minutes
    high: Minutes

    @model_validator(mode="after")
    def _rising(self) -> _Minutes:
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"low {self.low:g}, mid {self.mid:g}, high {self.high:g} must rise")
        return self

    def build(self) -> Estimate:
        return Estimate(self.low, self.mid, self.high)


class _Crossing(_Strict):
    kind: Lax[CrossingRuleKind]
    minutes: _Minutes | None = None
    min_class: str = ""

    @model_validator(mode="after")
    def _whole(self) -> _Crossing:
        if (self.kind == CrossingRuleKind.GATED) != (self.minutes is not None):
            raise ValueError("minutes belong to kind 'gated', and only to it")
        if (self.kind == CrossingRuleKind.GRADE_SEPARATED) != (self.min_class != ""):
            raise ValueError("min_class belongs to kind 'grade_separated', and only to it")
        if self.min_class and self.min_class not in ROAD_CLASSES:
            raise ValueError(f"min_class '{self.min_class}' is none of {', '.join(ROAD_CLASSES)}")
        return self

    def build(self) -> CrossingRule:
        return CrossingRule(self.kind, self.minutes.build() if self.minutes else None, self.min_class)


class _SameLine(_Strict):
    kind: Lax[SharedRuleKind]
    minutes: _Minutes | None = None

    @model_validator(mode="after")
    def _whole(self) -> _SameLine:
        if (self.kind == SharedRuleKind.GATED) != (self.minutes is not None):
            raise ValueError("minutes belong to kind 'gated', and only to it")
        return self

    def build(self) -> SameLineRule:
        return SameLineRule(self.kind, self.minutes.build() if self.minutes else None)


class _Check(_Minutes):
    source_ids: Annotated[list[str], Field(min_length=1)]
    note: Text

    def check(self) -> CheckTime:
        return CheckTime(self.build(), tuple(self.source_ids), self.note)


class _Applies(_Strict):
    families: list[Lax[Family]] = []
    modes: list[Lax[Mode]] = []
    candidates: list[Identifier] = []
    through: list[Country] = []
    avoids: list[Country] = []
    roads_in_use: Lax[RoadsInUse] = RoadsInUse.ANY

    def build(self) -> Applicability:
        return Applicability(
            families=tuple(self.families),
            modes=tuple(self.modes),
            candidates=tuple(self.candidates),
            through=tuple(self.through),
            avoids=tuple(self.avoids),
            roads_in_use=self.roads_in_use,
        )


class _Attribute(_Strict):
    state: Lax[Stated]
    text: Text
    source_id: Text
    as_of: Date


class _Regime(_Strict):
    label: Text
    summary: Text
    text_status: Text
    as_of: Date
    counterfactual: bool = False
    source_ids: Annotated[list[str], Field(min_length=1)]
    crossing: _Crossing
    same_line: _SameLine
    switches_from: Text
    transit_check_min: _Check
    border_check_min: _Check
    local_access: Lax[LocalAccess]
    applies_to: _Applies
    attributes: dict[str, _Attribute]

    @model_validator(mode="after")
    def _attributes(self) -> _Regime:
        missing = [name for name in ATTRIBUTES if name not in self.attributes]
        unknown = [name for name in self.attributes if name not in ATTRIBUTES]
        faults = [f"attributes.{name} is missing; say 'unspecified' where the text is silent" for name in missing]
        faults += [f"attributes.{name} is no attribute; there are {', '.join(ATTRIBUTES)}" for name in unknown]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def build(self, regime_id: str) -> Regime:
        return Regime(
            regime_id=regime_id,
            label=self.label,
            summary=self.summary,
            text_status=self.text_status,
            as_of=self.as_of,
            counterfactual=self.counterfactual,
            source_ids=tuple(self.source_ids),
            crossing=self.crossing.build(),
            same_line=self.same_line.build(),
            switches_from=self.switches_from,
            transit_check_min=self.transit_check_min.check(),
            border_check_min=self.border_check_min.check(),
            local_access=self.local_access,
            applies_to=self.applies_to.build(),
            attributes={
                name: Attribute(a.state == Stated.SPECIFIED, a.text, a.source_id, a.as_of)
                for name in ATTRIBUTES
                for a in (self.attributes[name],)
            },
        )

    def cited(self) -> list[tuple[str, str]]:
        """Every source id with the field that names it."""
        found = [("source_ids", key) for key in self.source_ids]
        found += [("transit_check_min.source_ids", key) for key in self.transit_check_min.source_ids]
        found += [("border_check_min.source_ids", key) for key in self.border_check_min.source_ids]
        return found + [(f"attributes.{name}.source_id", a.source_id) for name, a in self.attributes.items()]


class _Document(_Strict):
    title: Text
    publisher: Text
    date: Date
    licence: Text
    url: str = ""
    note: str = ""


def load_regimes(path: Path, sources: Mapping[str, Source] | None = None) -> dict[str, Regime]:
    """Read a file of regimes: tables ``[sources.<id>]`` and ``[regimes.<id>]``.

    ``sources`` are documents known from elsewhere (the catalogue's) that regimes may cite too; without them, ids that
    the file doesn't define are taken on trust.

    Args:
        path: TOML file.
        sources: Documents by id.

    Returns:
        Regimes by id, in the order of the file.

    Raises:
        CatalogueError: the file can't be read, or has faults: all are named at once, each with its field.
    """
    content = _read(path)
    documents = load_regime_sources(path)
    faults = [
        f"{key}: unknown table; there are sources and regimes" for key in sorted(set(content) - {"sources", "regimes"})
    ]
    tables = content.get("regimes", {})
    if not isinstance(tables, dict) or not tables:
        raise CatalogueError(f"{path}: regimes: there are none; write one table [regimes.<id>] for each")
    known = None if sources is None else set(sources) | set(documents)
    regimes = {}
    for key, fields in tables.items():
        built, wrong = _build(key, fields, known)
        faults += [f"regimes.{key}.{line}" for line in wrong]
        if built is not None:
            regimes[key] = built
    if faults:
        raise CatalogueError(f"{path}: " + _listed(faults))
    return regimes


def build_regime(regime_id: str, fields: Mapping[str, Any], where: str = "study") -> Regime:
    """Check one regime as written in a TOML table, for instance in a study.

    Args:
        regime_id: Its name, as people type it.
        fields: The table's keys and values.
        where: What to name in an error.

    Raises:
        CatalogueError: names ``where`` it was read, the regime and every wrong field.
    """
    built, faults = _build(regime_id, fields, None)
    if built is None or faults:
        raise CatalogueError(f"{where}: regime '{regime_id}': " + _listed(faults))
    return built


def load_regime_sources(path: Path) -> dict[str, Source]:
    """The documents that a file of regimes defines.

    Args:
        path: TOML file.

    Returns:
        Documents by id.

    Raises:
        CatalogueError: as :func:`load_regimes`.
    """
    tables = _read(path).get("sources", {})
    if not isinstance(tables, dict):
        raise CatalogueError(f"{path}: sources: must be tables [sources.<id>]")
    found, faults = {}, []
    for key, fields in tables.items():
        try:
            document = _Document.model_validate(fields)
        except ValidationError as wrong:
            faults += [f"sources.{key}.{_say(fault)}" for fault in wrong.errors()]
            continue
        found[key] = Source(
            key, document.title, document.publisher, document.date, document.licence, document.url, note=document.note
        )
    if faults:
        raise CatalogueError(f"{path}: " + _listed(faults))
    return found


def _build(regime_id: str, fields: Any, known: set[str] | None) -> tuple[Regime | None, list[str]]:
    try:
        # Checked as a whole by its model, so that all faults of a regime come at once.
        raw = _Regime.model_validate(fields)
        # the same pattern as for candidates: ids go into file names and columns
        if not _is_id(regime_id):
            return None, [f"'{regime_id[:40]}' is no id: use small letters, digits and hyphens"]
    except ValidationError as wrong:
        return None, [_say(fault) for fault in wrong.errors()]
    # Without a list of documents ids are taken on trust: a regime in a study may cite the catalogue, read later.
    missing = [] if known is None else [(field, key) for field, key in raw.cited() if key not in known]
    return raw.build(regime_id), [
        f"{field}: '{key}' is no known source; define [sources.{key}]" for field, key in missing
    ]


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 64 and text[0] != "-" and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in text)


def _read(path: Path) -> dict[str, Any]:
    return parse_toml(path, "a file of regimes", CatalogueError)


def _listed(faults: list[str]) -> str:
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return "; ".join(faults[:_SHOWN]) + more


def _say(fault: Any) -> str:
    field = ".".join(str(part) for part in fault["loc"]) or "table"
    if fault["type"] == "extra_forbidden":
        return f"{field}: unknown key; take it out"
    if fault["type"] == "missing":
        return f"{field}: is missing"
    message = fault["msg"].removeprefix("Value error, ")
    given = "" if fault["type"] == "value_error" else f" (given: {fault.get('input')!r:.60})"
    return f"{field}: {message}{given}"
