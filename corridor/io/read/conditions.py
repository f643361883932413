"""Conditions that somebody named, from TOML: what can be shown for each, with its sources."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from corridor.errors import CatalogueError
from corridor.io.read.regimes import load_regime_sources
from corridor.safe_toml import parse_toml
from corridor.schema.fields import Listed
from corridor.schema.report_settings import Condition


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
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in wrong.errors()]
        raise CatalogueError(f"{path}: " + "; ".join(faults[:12])) from wrong
    documents = set(load_regime_sources(path))
    cited = {item.source_id for item in found} | {row.source_id for item in found for row in item.indicators}
    missing = sorted(cited - documents - set(known) - {None}, key=str) if known is not None else []
    if missing:
        raise CatalogueError(f"{path}: '{missing[0]}' is no known source; define [sources.{missing[0]}]")
    return found
