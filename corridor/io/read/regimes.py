"""Regimes of transit and conditions that somebody named, from TOML, each with its source and date."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from corridor.errors import CatalogueError
from corridor.files import parse_toml
from corridor.schema.faults import fault_words, root_faults
from corridor.schema.fields import Date, Listed, Source, Text
from corridor.schema.regime import Regime
from corridor.schema.settings import Condition

_SHOWN = 12


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

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


def require_points(regimes: Mapping[str, Regime], points: Collection[str], where: str) -> None:
    """That every point which checks name has rows in the table of border delays.

    Args:
        regimes: by id.
        points: that rows of the table are of.
        where: what to name in an error.

    Raises:
        CatalogueError: names every rule whose point has none.
    """
    faults = [
        f"regimes.{key}.checks.{at}.point: '{rule.point}' is no point of border_delays.csv; add its row, or leave it "
        "empty for the crossing's own"
        for key, regime in regimes.items()
        for at, rule in enumerate(regime.checks)
        if rule.point and rule.point not in points
    ]
    if faults:
        raise CatalogueError(f"{where}: " + _listed(faults))


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
            faults += [f"sources.{key}.{_say(fault)}" for fault in root_faults(wrong)]
            continue
        found[key] = Source(
            key, document.title, document.publisher, document.date, document.licence, document.url, note=document.note
        )
    if faults:
        raise CatalogueError(f"{path}: " + _listed(faults))
    return found


def _build(regime_id: str, fields: Any, known: set[str] | None) -> tuple[Regime | None, list[str]]:
    # The same pattern as for candidates: ids go into file names and columns.
    if not _is_id(regime_id):
        return None, [f"'{regime_id[:40]}' is no id: use small letters, digits and hyphens"]
    if not isinstance(fields, Mapping) or "regime_id" in fields:
        return None, ["table: must be a table of fields, without regime_id, which is its name"]
    try:
        # Checked as a whole by its model, so that all faults of a regime come at once.
        regime = Regime.model_validate({**fields, "regime_id": regime_id})
    except ValidationError as wrong:
        return None, [_say(fault) for fault in root_faults(wrong)]
    # Without a list of documents ids are taken on trust: a regime in a study may cite the catalogue, read later.
    missing = [] if known is None else [(field, key) for field, key in regime.cited if key not in known]
    return regime, [f"{field}: '{key}' is no known source; define [sources.{key}]" for field, key in missing]


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
    return f"{field}: {fault_words(fault)}"


# --- Conditions that somebody named, from TOML: what can be shown for each, with its sources ---


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    conditions: Listed[Condition]
    sources: dict[str, object] = {}


def load_conditions(path: Path, known: Collection[str] | None = None) -> tuple[Condition, ...]:
    """Read a file of conditions: tables ``[[conditions]]``, and ``[sources.<id>]`` as in a file of regimes.

    Args:
        path: TOML file.
        known: ids of documents known from elsewhere, which conditions may cite too; without them, ids that the file
            doesn't define are taken on trust.

    Returns:
        The conditions in the order of the file.

    Raises:
        CatalogueError: the file can't be read or has faults; each is named with its field.
    """
    content = parse_toml(path, "a file of conditions", CatalogueError)
    try:
        found = _File.model_validate(content).conditions
    except ValidationError as wrong:
        raise CatalogueError(f"{path}: " + _listed([_say(fault) for fault in root_faults(wrong)])) from wrong
    documents = set(load_regime_sources(path))
    cited = {item.source_id for item in found} | {row.source_id for item in found for row in item.indicators}
    missing = sorted(cited - documents - set(known) - {None}, key=str) if known is not None else []
    if missing:
        raise CatalogueError(f"{path}: '{missing[0]}' is no known source; define [sources.{missing[0]}]")
    return found
