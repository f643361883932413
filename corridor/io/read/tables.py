"""CSV tables read row by row, every fault gathered with its file, row and field before anything is raised."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

from corridor.errors import CatalogueError
from corridor.files import data_root, odd_character, require_commas, require_file
from corridor.schema.catalogue import Estimate
from corridor.schema.fields import DATE_FORMS, Source, is_country, is_date
from corridor.schema.message import Alias
from corridor.schema.vocabulary import SourceKind

_SHOWN, _LONGEST = 12, 600
MAX_BYTES, _MAX_ROWS = 20_000_000, 20_000
_ALIAS = re.compile(r"(?P<name>.*\S)\s*\((?P<by>[^()]+)\)")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)


_SOURCES = "source_id title publisher date url licence kind confidence note"

Member = TypeVar("Member", bound=StrEnum)
Item = TypeVar("Item")


class Faults:
    """What is wrong with some tables, to be raised once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Note one fault.

        Args:
            line: Names file, row, field and what to do.
        """
        self.lines.append(line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ...")

    def raise_any(self) -> None:
        """Raise a CatalogueError that names all faults noted (the first dozen in full), if there are any."""
        if self.lines:
            more = f"; and {len(self.lines) - _SHOWN} more" if len(self.lines) > _SHOWN else ""
            raise CatalogueError("; ".join(self.lines[:_SHOWN]) + more)


class Row:
    """One row of a CSV table; readers note a fault where the cell is wrong, and what they return then is never used."""

    def __init__(self, cells: dict[str, str], where: str, faults: Faults) -> None:
        self._cells, self._where, self._faults = cells, where, faults

    def fault(self, field: str, problem: str) -> None:
        """Note a fault of a cell of this row.

        Args:
            field: Column.
            problem: What is wrong with it, and what to do.
        """
        self._faults.add(f"{self._where}, {field}: {problem}")

    def text(self, field: str, *, required: bool = False) -> str:
        """The cell without surrounding space; control characters are faults.

        Args:
            field: Column.
            required: Whether it is a fault if the cell is empty.
        """
        value = (self._cells.get(field) or "").strip()
        if required and not value:
            self.fault(field, "is empty; fill it in")
        if len(value) > 2000:
            self.fault(field, "is longer than 2000 letters; shorten it")
        elif odd := odd_character(value):
            self.fault(field, f"holds control characters ({odd}); write plain text")
        return value

    def country(self, field: str, *, required: bool = True) -> str:
        """The cell, a country's two capital letters.

        Args:
            field: Column.
            required: Whether it is a fault if the cell is empty.
        """
        value = self.text(field, required=required)
        if value and not is_country(value):
            self.fault(field, f"is '{value[:40]}'; write two capital letters")
        return value

    def date(self, field: str, *, required: bool = False) -> str:
        """The cell, a year, a month or a day of the calendar in ISO form; '' where it has a fault.

        Args:
            field: Column.
            required: Whether it is a fault if the cell is empty.
        """
        value = self.text(field, required=required)
        if value and not is_date(value):
            self.fault(field, f"'{value[:40]}' is no date; {DATE_FORMS}")
            return ""
        return value

    def choice(self, field: str, allowed: Collection[str]) -> str:
        """The cell, which must be one of ``allowed``.

        Args:
            field: Column.
            allowed: What may stand there.
        """
        value = self.text(field)
        if value not in allowed:
            self.fault(field, f"is '{value[:40]}'; use one of {', '.join(sorted(allowed))}")
        return value

    def member(self, field: str, enum: type[Member], *, without: Collection[Member] = ()) -> Member:
        """The cell as a member of an enumeration, of those that a table may hold; the first one where it is none.

        Args:
            field: Column.
            enum: The enumeration.
            without: Members that a table may not hold.
        """
        allowed = [member for member in enum if member not in without]
        value = self.choice(field, allowed)
        return enum(value) if value in allowed else allowed[0]

    def flag(self, field: str) -> bool:
        """The cell, yes or no.

        Args:
            field: Column.
        """
        return self.choice(field, ("yes", "no")) == "yes"

    def items(self, field: str) -> tuple[str, ...]:
        """The cell's parts between semicolons.

        Args:
            field: Column.
        """
        return tuple(part.strip() for part in self.text(field).split(";") if part.strip())

    def aliases(self, field: str) -> tuple[Alias, ...]:
        """The cell's names between semicolons, each with who uses it in brackets where known: ``Qafan (AZ)``.

        Args:
            field: Column.
        """
        found = []
        for item in self.items(field):
            parts = _ALIAS.fullmatch(item)
            name, used_by = (parts["name"], parts["by"]) if parts else (item, "")
            found.append(Alias(name=name, used_by=used_by))
        return tuple(found)

    def number(self, field: str, low: float = 0.0, high: float = 1e6) -> float:
        """The cell as a number within bounds; NaN where it has a fault, so that none follows from a made-up figure.

        Args:
            field: Column.
            low: Least that it may be.
            high: Most that it may be.
        """
        value = self.optional(field, low, high)
        if value is None:
            self.fault(field, "is empty; a number is needed")
            return math.nan
        return value

    def whole(self, field: str, low: int, high: int) -> int:
        """The cell as a whole number within bounds; the least where it has a fault.

        Args:
            field: Column.
            low: Least that it may be.
            high: Most that it may be.
        """
        value = self.number(field, low, high)
        if math.isnan(value):
            return low
        if not value.is_integer():
            self.fault(field, f"is {value:g}; a whole number is needed")
        return int(value)

    def optional(self, field: str, low: float = 0.0, high: float = 1e6) -> float | None:
        """The cell as a number within bounds, None where it is empty, NaN where it has a fault.

        Args:
            field: Column.
            low: Least that it may be.
            high: Most that it may be.
        """
        raw = self.text(field)
        if not raw:
            return None
        # float() also takes 1_000 and the digits of other scripts, which a spreadsheet doesn't
        value = float(raw) if _NUMBER.fullmatch(raw) else math.nan
        if not low <= value <= high:
            self.fault(field, f"is '{raw[:40]}'; a number from {low:g} to {high:g} is needed")
            return math.nan
        return value

    def range(self, prefix: str, least: float = 0.0, most: float = 1e6) -> Estimate | None:
        """Cells ``prefix``_low, _mid and _high; missing ends equal the middle, no figure at all gives None.

        Args:
            prefix: What the names of the three columns begin with.
            least: Least that each may be.
            most: Most that each may be.
        """
        low, mid, high = (self.optional(f"{prefix}_{end}", least, most) for end in ("low", "mid", "high"))
        known = [value for value in (low, mid, high) if value is not None]
        if not known:
            return None
        # Without a middle the mean of the ends stands for it; a single figure is all three.
        centre = mid if mid is not None else (known[0] + known[-1]) / 2
        found = Estimate(low if low is not None else centre, centre, high if high is not None else centre)
        if found.low > found.mid or found.mid > found.high:  # neither, where one has a fault of its own
            self.fault(
                f"{prefix}_low/mid/high", f"{found.low:g}, {found.mid:g}, {found.high:g} are not in rising order"
            )
        return found


def read_rows(path: Path, columns: Collection[str], faults: Faults, *, optional: Collection[str] = ()) -> Iterator[Row]:
    """Rows of a CSV file with exactly ``columns`` (any order), and as many of ``optional`` as it has.

    Args:
        path: CSV file in UTF-8.
        columns: Names of all columns that it must have.
        faults: Gathers what rows find wrong with their cells.
        optional: Names of columns that may be left out; their cells are then empty.

    Raises:
        CatalogueError: the file's columns are others, or it isn't UTF-8 text with commas.
        SourceError: there is no such file, or its cells are parted by something else than commas.
    """
    require_file(path, "table", MAX_BYTES)
    require_commas(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            names = list(reader.fieldnames or ())
            have = set(names)
            if len(have) < len(names):
                raise CatalogueError(f"{path}: a column stands twice; keep one of each")
            if not set(columns) <= have <= {*columns, *optional}:
                missing, extra = sorted(set(columns) - have), sorted(have - {*columns, *optional})
                raise CatalogueError(
                    f"{path}: columns missing: {missing or 'none'}, unknown: {_short(extra) or 'none'}"
                )
            for number, cells in enumerate(reader, 2):
                if number > _MAX_ROWS:
                    raise CatalogueError(f"{path}: has over {_MAX_ROWS:,} rows; a table of this kind has hundreds")
                if None in cells or None in cells.values():
                    faults.add(f"{path}, row {number}: has more or fewer cells than columns; quote commas")
                yield Row(cells, f"{path}, row {number}", faults)
    except (UnicodeDecodeError, csv.Error) as fault:
        raise CatalogueError(f"{path}: is not a UTF-8 table with commas ({fault})") from fault


def source_ids_of(row: Row, known: Collection[str]) -> tuple[str, ...]:
    """The sources that a row names in ``source_ids``; none at all, or one that isn't known, is a fault.

    Args:
        row: a row of a table with that column.
        known: ids of ``sources.csv``.
    """
    ids = named_sources(row, "source_ids", known)
    if not ids:
        row.fault("source_ids", "is empty; every row names its source")
    return ids


def named_sources(row: Row, field: str, known: Collection[str]) -> tuple[str, ...]:
    """The sources that a row names in a column; one that isn't known is a fault.

    Args:
        row: a row of a table with that column.
        field: Column.
        known: ids of ``sources.csv``.
    """
    ids = row.items(field)
    for source_id in ids:
        if source_id not in known:
            row.fault(field, f"'{source_id}' is not in sources.csv")
    return ids


def by_id(items: Iterable[Item], field: str, path: Path, faults: Faults) -> dict[str, Item]:
    """Rows by a field of theirs; a value that stands twice is a fault.

    Args:
        items: read from a table.
        field: whose values they are found by.
        path: of the table.
        faults: gathers what is wrong.
    """
    return {key: item for (key,), item in by_ids(items, {field: field}, path, faults).items()}


def by_ids(items: Iterable[Item], fields: Mapping[str, str], path: Path, faults: Faults) -> dict[tuple[str, ...], Item]:
    """Rows by several fields of theirs; values that stand together twice are a fault: which row counts isn't said.

    Args:
        items: read from a table.
        fields: columns, and what the items call them.
        path: of the table.
        faults: gathers what is wrong.
    """
    found: dict[tuple[str, ...], Item] = {}
    for item in items:
        key = tuple(str(getattr(item, field)) for field in fields.values())
        if key in found:
            faults.add(f"{path}: {', '.join(fields)} '{', '.join(key)}' stands twice")
        found[key] = item
    return found


def load_sources(folder: Path, faults: Faults) -> dict[str, Source]:
    """Documents that the tables of a reference folder name.

    Args:
        folder: Holds ``sources.csv``.
        faults: Gathers what is wrong with rows.

    Returns:
        Documents by id.
    """
    found = [
        Source(
            row.text("source_id", required=True),
            row.text("title", required=True),
            row.text("publisher", required=True),
            row.date("date"),
            row.text("licence", required=True),
            row.text("url"),
            kind=SourceKind.DOCUMENT,
            note=row.text("note"),
        )
        for row in read_rows(folder / "sources.csv", _SOURCES.split(), faults)
    ]
    return by_id(found, "source_id", folder / "sources.csv", faults)


@cache
def _packaged_sources() -> Mapping[str, Source]:
    faults = Faults()
    found = load_sources(_packaged_folder(), faults)
    faults.raise_any()
    return found


def _packaged_folder() -> Path:
    return data_root() / "reference"


def own_or_packaged(
    folder: Path, files: Collection[str], sources: Mapping[str, Source]
) -> tuple[Path, Mapping[str, Source]]:
    """Where tables are read that a reference folder may leave out, with the documents that they name.

    Args:
        folder: of the catalogue.
        files: names of tables that belong together.
        sources: the folder's own documents, by id.

    Returns:
        The folder and its documents if it has all of the tables, else the packaged ones.
    """
    if all((folder / name).is_file() for name in files):
        return folder, sources
    return _packaged_folder(), _packaged_sources()


def added_sources(
    named: Iterable[str], known: Mapping[str, Source], sources: Mapping[str, Source]
) -> dict[str, Source]:
    """Documents that packaged tables add to those of a folder.

    Args:
        named: ids that rows of the tables name.
        known: documents beside the tables, as :func:`own_or_packaged` gives them.
        sources: the folder's own.
    """
    return {key: known[key] for key in named if key in known and key not in sources}


def _short(names: list[str]) -> list[str]:
    return [str(name)[:40] for name in names[:_SHOWN]]
