"""Tables of costs: prices of works, how far works have come, upkeep, and the parameters of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

from corridor.io.read.parameters import read_parameters
from corridor.io.read.tables import (
    Faults,
    Row,
    added_sources,
    by_ids,
    named_sources,
    own_or_packaged,
    read_rows,
    source_ids_of,
)
from corridor.schema.catalogue import (
    Costing,
    SectionWorks,
    UnitCost,
    UpkeepCost,
)
from corridor.schema.fields import Source
from corridor.schema.vocabulary import Mode, StructureKind, WorkKind, Works

WORKS_COLUMNS = (
    *("works", "progress_pct", "progress_as_of", "progress_source_ids"),
    *("road_on_bed_km_low", "road_on_bed_km_mid", "road_on_bed_km_high"),
)
"""Columns of ``sections.csv`` on works; a table may leave them out."""
_COSTS = "mode kind cost_musd_per_km_low cost_musd_per_km_mid cost_musd_per_km_high price_year source_ids note"
_UPKEEP = (
    "mode kind upkeep_musd_per_km_year_low upkeep_musd_per_km_year_mid upkeep_musd_per_km_year_high price_year "
    "source_ids note"
)
_PARAMETERS = {"unknown_progress_pct": 100.0, "upkeep_years": 200.0, "discount_rate_pct": 100.0}
Price = TypeVar("Price", UnitCost, UpkeepCost)
_NOT_STATED = (Works.REPLACEMENT, Works.NEW, Works.UNFINISHED)


def read_works(row: Row, sources: Collection[str]) -> SectionWorks:
    """What a row of ``sections.csv`` says of works: those that its status doesn't say, progress, a road on the bed.

    Args:
        row: of a table that may have WORKS_COLUMNS.
        sources: ids that it may name as the source of its progress.

    Returns:
        Its works; progress is None where the cell is empty, which is no 0.
    """
    stated = row.member("works", Works, without=_NOT_STATED) if row.text("works") else None
    progress = row.optional("progress_pct", 0, 100)
    as_of, named = row.date("progress_as_of"), named_sources(row, "progress_source_ids", sources)
    if progress is not None and not (as_of and named):
        row.fault("progress_as_of/progress_source_ids", "is empty; progress needs its date and a source")
    return SectionWorks(stated, progress, as_of, named, row.range("road_on_bed_km"))


def load_unit_costs(path: Path, sources: Collection[str], faults: Faults) -> tuple[UnitCost, ...]:
    """Prices of a kilometre by mode and kind of work (``unit_costs.csv``).

    Args:
        path: the table; portals and abutments are priced by the piece. Its column ``includes`` says which structures a
            price holds already (``tunnel;bridge``); prices of a table without it hold none.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.
    """
    rows = (_unit_cost(row, sources) for row in read_rows(path, _COSTS.split(), faults, optional=("includes",)))
    return _once([cost for cost in rows if cost is not None], path, faults)


def _unit_cost(row: Row, sources: Collection[str]) -> UnitCost | None:
    cost = row.range("cost_musd_per_km")
    kind, mode = row.member("kind", WorkKind), row.member("mode", Mode)
    included = row.items("includes")
    if unknown := [item for item in included if item not in list(StructureKind)]:
        row.fault("includes", f"is '{unknown[0][:40]}'; use {', '.join(StructureKind)}, parted by semicolons")
    if cost is None:
        row.fault("cost_musd_per_km", "is empty; a price is needed")
        return None
    holds = frozenset(StructureKind(item) for item in included if item not in unknown)
    return UnitCost(mode, kind, cost, row.date("price_year"), source_ids_of(row, sources), holds)


def load_price_books(path: Path, sources: Collection[str], faults: Faults) -> dict[str, tuple[UnitCost, ...]]:
    """Prices of other times, for new lines as they would have been built then (``price_books.csv``).

    Args:
        path: the table: rows of ``unit_costs.csv`` with the name of the book that they belong to.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.

    Returns:
        Prices by the name of their book; none where there is no such file.
    """
    books: dict[str, list[UnitCost]] = defaultdict(list)
    if path.is_file():
        for row in read_rows(path, ["book", *_COSTS.split()], faults):
            if (cost := _unit_cost(row, sources)) is not None:
                books[row.text("book", required=True)].append(cost)
    return {book: _once(rows, path, faults) for book, rows in books.items()}


def _once(prices: Iterable[Price], path: Path, faults: Faults) -> tuple[Price, ...]:
    """Prices of which there is one for each mode and kind of work; more are faults."""
    return tuple(by_ids(prices, {"mode": "mode", "kind": "kind"}, path, faults).values())


def load_costing_tables(
    folder: Path, sources: dict[str, Source], faults: Faults
) -> tuple[Costing | None, dict[str, Source]]:
    """Parameters of costs of a folder, or the packaged ones where it has none, with the packaged sources they name.

    Args:
        folder: of the catalogue.
        sources: its own, by id.
        faults: gathers what is wrong.
    """
    at, known = own_or_packaged(folder, ("costing.csv", "upkeep.csv"), sources)
    costing = load_costing(at / "costing.csv", at / "upkeep.csv", known, faults)
    return costing, added_sources(costing.source_ids if costing else (), known, sources)


def load_costing(path: Path, upkeep: Path, sources: Collection[str], faults: Faults) -> Costing | None:
    """Parameters of costs and rates of upkeep; None where a parameter is missing, which is a fault.

    Args:
        path: ``costing.csv``, one row for each parameter.
        upkeep: ``upkeep.csv``, one row for each mode and kind of way.
        sources: ids that rows may name as their source.
        faults: gathers what is wrong.
    """
    values, named = read_parameters(path, _PARAMETERS, sources, faults)
    rates = _load_upkeep(upkeep, sources, faults)
    if len(values) < len(_PARAMETERS):
        return None
    used = dict.fromkeys([*named, *(key for rate in rates for key in rate.source_ids)])
    return Costing(**values, upkeep=rates, source_ids=tuple(used))


def _load_upkeep(path: Path, sources: Collection[str], faults: Faults) -> tuple[UpkeepCost, ...]:
    found = []
    for row in read_rows(path, _UPKEEP.split(), faults):
        rate = row.range("upkeep_musd_per_km_year")
        kind, mode, year = row.member("kind", WorkKind), row.member("mode", Mode), row.date("price_year")
        cited = source_ids_of(row, sources)
        if rate is None:
            row.fault("upkeep_musd_per_km_year", "is empty; what a year of upkeep costs is needed")
            continue
        found.append(UpkeepCost(mode, kind, rate, year, cited))
    return _once(found, path, faults)
