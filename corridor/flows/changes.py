"""How candidates and regimes act on links, and what an earlier run measured of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from corridor.errors import SourceError
from corridor.files import require_commas, require_file
from corridor.flows.cost import End, pick
from corridor.flows.rows import FlowTables
from corridor.schema.catalogue import ZERO, Estimate

UNREACHABLE = "unreachable"
UNDETERMINED = "undetermined"
Measures = Mapping[str, float | str | None]
"""Columns of one row of the regional metrics: minutes, or ``unreachable``, or None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class LinkChange:
    """What a candidate does to one link under one regime.

    Args:
        link_id: The link.
        opens: The candidate builds or opens it; it is in use from ``opens_year``, or from the link's own opening year
            where that is None.
        closes: The link is shut.
        extra_h: Hours of delay added to each passage, at least, as computed with and at most.
        opens_year: Year of opening, where it isn't the link's own.
        at_stake: If the candidate were closed, the link would be shut with it.
        unknown: A delay that was to be measured and wasn't; then it isn't applied, and is said.
    """

    link_id: str
    opens: bool = False
    closes: bool = False
    extra_h: Estimate = ZERO
    opens_year: int | None = None
    at_stake: bool = False
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate under a regime, with all that it does to links; both ids empty is the network by itself."""

    candidate_id: str = ""
    regime_id: str = ""
    changes: tuple[LinkChange, ...] = ()


NETWORK_ALONE = Case()


def merge_changes(changes: Iterable[LinkChange]) -> dict[str, LinkChange]:
    """One change per link: closures win, delays add up.

    Args:
        changes: any number for a link.

    Returns:
        By the link's id.
    """
    merged: dict[str, LinkChange] = {}
    for change in changes:
        before = merged.get(change.link_id, LinkChange(change.link_id))
        # Flags join by "or" and delays add up, so the order of the actions matters only for the year (the last one
        # holds) and for the name of what is unknown (the first one holds).
        merged[change.link_id] = LinkChange(
            change.link_id,
            before.opens or change.opens,
            before.closes or change.closes,
            before.extra_h + change.extra_h,
            change.opens_year if change.opens_year is not None else before.opens_year,
            before.at_stake or change.at_stake,
            before.unknown or change.unknown,
        )
    return merged


def pin_delays(case: Case, end: End) -> Case:
    """A case with all its delays at one end of their ranges.

    Args:
        case: of a candidate under a regime.
        end: ``low``, ``mid`` or ``high``.

    Returns:
        The case, whose delays are exact.
    """
    hours = (pick(change.extra_h, end) for change in case.changes)
    pinned = (replace(c, extra_h=Estimate.exact(h)) for c, h in zip(case.changes, hours, strict=True))
    return replace(case, changes=tuple(pinned))


def cut_case(case: Case) -> Case:
    """A case with all shut that it opens and that is at stake with it.

    Args:
        case: of a candidate under a regime.

    Returns:
        The case with those links cut.
    """
    # Closures win when changes are merged, so nothing that opens has to be taken out.
    closed = tuple(LinkChange(c.link_id, closes=True) for c in case.changes if c.opens or c.at_stake)
    return Case(case.candidate_id, case.regime_id, (*case.changes, *closed))


def without_undetermined(
    tables: FlowTables, measured: Mapping[tuple[str, str], Measures]
) -> dict[tuple[str, str], Measures]:
    """The measured rows but for those of which an action takes what isn't determined.

    A case that hangs on what a schematic line meets has no figures of its own: its metrics have the two ends.

    Args:
        tables: The network's tables, whose ``actions.csv`` says which measures are taken.
        measured: Rows of the regional metrics by candidate and regime.

    Returns:
        The other rows.
    """
    taken = {action.measure for action in tables.actions if action.measure}
    return {
        key: row
        for key, row in measured.items()
        if all(UNDETERMINED not in (row.get(measure), row.get(f"{measure}_status")) for measure in taken)
    }


def build_cases(
    tables: FlowTables,
    measured: Mapping[tuple[str, str], Measures] | None = None,
    packages: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Case]:
    """The network by itself, and each candidate with its regimes.

    Args:
        tables: The network's tables, whose ``actions.csv`` says which links a candidate acts on.
        measured: Row of the regional metrics by candidate and regime; candidates without one don't act. Without any
            table of them candidates act by their openings and closures alone, under no regime.
        packages: Ids of the routes of each package of routes, which act together.

    Returns:
        Cases in the order of the table: first the one without a candidate. Actions of the candidate ``*`` are those of
        every candidate that was measured.
    """
    cases = [NETWORK_ALONE]
    named = list(dict.fromkeys(a.candidate_id for a in tables.actions if a.candidate_id != "*"))
    named += [key for key in packages if key not in named]
    rows = {(candidate, ""): None for candidate in named} if measured is None else measured
    return cases + [build_case(tables, *key, row, packages.get(key[0], ())) for key, row in rows.items()]


def build_case(
    tables: FlowTables,
    candidate: str,
    regime: str,
    measured: Measures | None = None,
    members: Collection[str] = (),
) -> Case:
    """A candidate under a regime.

    Args:
        tables: The network's tables, whose ``actions.csv`` says which links the candidate acts on.
        candidate: Its id.
        regime: The regime's id; empty for none.
        measured: Its row of the regional metrics; without it delays and stakes are left out.
        members: Ids of the routes of a package, all of which act at once: their links open together, and what is
            measured is that of the package.

    Returns:
        The case with all that it does to links.
    """
    changes = []
    acting = {candidate, "*", *members}
    for action in tables.actions:
        if action.candidate_id not in acting or action.regime_id not in (regime, "*"):
            continue
        if action.action == "open":
            changes.append(LinkChange(action.link_id, opens=True))
        elif action.action == "close":
            changes.append(LinkChange(action.link_id, closes=True))
        elif measured is not None and action.action == "delay":
            changes.append(_delay(action.link_id, action.measure, measured))
        elif measured is not None:
            changes.append(_stake(action.link_id, action.measure, measured))
    return Case(candidate, regime, tuple(changes))


def _stake(link_id: str, measure: str, row: Measures) -> LinkChange:
    value = row.get(measure)
    # What is missing or undetermined stays unknown: it must not pass for a link that is safe.
    if value is None or not isinstance(value, str) or value == UNDETERMINED:
        return LinkChange(link_id, unknown=measure)
    return LinkChange(link_id, at_stake=value == UNREACHABLE)


def _delay(link_id: str, measure: str, row: Measures) -> LinkChange:
    """Minutes of a column as a change; the column's status may say that nothing gets through."""
    status, value = row.get(f"{measure}_status"), row.get(measure)
    # The word may stand in the column of the status or in place of the minutes.
    if UNREACHABLE in (status, value):
        return LinkChange(link_id, closes=True)
    if status == "not_applicable" or value == "not_applicable":
        return LinkChange(link_id)
    # An empty cell is an unknown delay, not a delay of zero.
    if value is None or isinstance(value, str) or math.isnan(value):
        return LinkChange(link_id, unknown=measure)
    # A measure without ends is known exactly.
    low, high = (_number(row.get(f"{measure}{end}"), value) for end in ("_low", "_high"))
    return LinkChange(link_id, extra_h=Estimate(min(low, value), value, max(high, value)).scaled(1 / 60))


def _number(cell: float | str | None, otherwise: float) -> float:
    return otherwise if cell is None or isinstance(cell, str) or math.isnan(cell) else cell


_MAX_BYTES = 50_000_000


def packages_of(measured: Mapping[tuple[str, str], Measures]) -> dict[str, tuple[str, ...]]:
    """Ids of the routes of each package among measured rows, by the package's id.

    Args:
        measured: rows of the regional metrics, of which the column ``members`` names the routes of a package.

    Returns:
        Ids of its routes by the id of each package.
    """
    named = ((candidate, row.get("members")) for (candidate, _), row in measured.items())
    return {candidate: tuple(members.split("; ")) for candidate, members in named if isinstance(members, str)}


def read_measured(path: Path) -> dict[tuple[str, str], Measures]:
    """Read rows of ``metrics.csv`` by candidate and regime.

    Args:
        path: The table that ``corridor run`` wrote.

    Returns:
        Columns by candidate and regime: numbers where a cell is one, text elsewhere, None where it is empty.

    Raises:
        SourceError: there is no such file, or it has no column ``candidate_id`` or no rows.
    """
    require_file(path, "table of metrics", _MAX_BYTES)
    require_commas(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise SourceError(f"{path}: is not a UTF-8 table with commas ({fault})") from fault
    if not rows or "candidate_id" not in rows[0]:
        raise SourceError(f"{path}: has no column candidate_id or no rows; give metrics.csv of `corridor run`")
    return {
        (row.get("candidate_id") or "", row.get("regime_id") or ""): {
            name: _value(cell) for name, cell in row.items() if isinstance(name, str)
        }
        for row in rows
    }


def _value(cell: object) -> float | str | None:
    text = cell.strip() if isinstance(cell, str) else ""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    # "inf" and "nan" parse as numbers but are no measure: they stay words, which are taken as unknown.
    return number if math.isfinite(number) else text
