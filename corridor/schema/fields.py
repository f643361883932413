"""Small types that models share: identifiers, sources, grids."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from corridor.schema.vocabulary import SourceKind

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
_COUNTRY = "[A-Z]{2}"
Country = Annotated[str, Field(pattern=f"^{_COUNTRY}$")]
CountryOrNone = Annotated[str, Field(pattern=f"^({_COUNTRY})?$")]
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
DATE_FORMS = "write one of the calendar, as 2026, 2026-03 or 2026-03-31"


def is_country(text: str) -> bool:
    """Whether a text is a country's code as studies and tables write it.

    >>> [is_country(text) for text in ("XB", "xb", "XBX", "")]
    [True, False, False, False]

    Args:
        text: to look at.

    Returns:
        Whether it is two capital letters.
    """
    return re.fullmatch(_COUNTRY, text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a year, a month or a day of the calendar in ISO form.

    >>> [is_date(text) for text in ("2026", "2024-02-29", "2026-02-29", "2026-13", "spring 2026")]
    [True, True, False, False, False]

    Args:
        text: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.

    Returns:
        Whether the calendar has it.
    """
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :])  # a year or a month is its first day
    except ValueError:
        return False
    return True


def date_today() -> str:
    """ISO date of today by the clock, in UTC.

    Returns:
        The date.
    """
    return datetime.now(UTC).date().isoformat()


def lies_after(date: str, other: str) -> bool:
    """Whether a date lies after another one: a month or a year counts to its end, and a day within it isn't after it.

    >>> [lies_after(date, "2021-11") for date in ("2021-12-01", "2021-11-30", "2021", "2022")]
    [True, False, False, True]

    Args:
        date: ISO date, a month or a year.
        other: the same.

    Returns:
        Whether it does.
    """
    return date[: len(other)] > other[: len(date)]


def _require_date(text: str) -> str:
    if text and not is_date(text):
        raise ValueError(f"'{text[:40]}' is no date; {DATE_FORMS}")
    return text


MonthOrDay = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$"), AfterValidator(_require_date)]
KnownDate = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"), AfterValidator(_require_date)]
Date = Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$"), AfterValidator(_require_date)]
"""A date, or nothing where none is known."""

Chosen = TypeVar("Chosen", bound=StrEnum)
Lax = Annotated[Chosen, Field(strict=False)]
"""A member of an enumeration in a strict model, written as its text."""

Item = TypeVar("Item")
Listed = Annotated[tuple[Item, ...], Field(strict=False)]
"""Several values in a strict model, written as a list."""


# --- Where something comes from ---


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it came from the network: from which address, with which content, at what time (ISO, UTC)."""

    address: str
    file: str
    sha256: str
    bytes: int
    fetched: str


NO_PUBLISHER, NO_LICENCE = "publisher not stated", "licence not stated"
"""What a source says of a file that nobody says anything about."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document or data set that a value rests on.

    ``kind`` is ``data`` for files that were computed with and ``document`` for what a value was read from.
    ``date`` is ISO (YYYY, YYYY-MM or YYYY-MM-DD) or empty where the source has none. ``fetched`` names the files from
    the network that the data is or was made from.
    """

    source_id: str
    title: str
    publisher: str
    date: str
    licence: str
    url: str = ""
    kind: SourceKind = SourceKind.DOCUMENT
    file: str = ""
    sha256: str = ""
    note: str = ""
    fetched: tuple[Fetched, ...] = ()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal text.

    Args:
        path: of the file.

    Returns:
        64 digits.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# --- Where a raster lies: coordinate reference system, transform and shape, kept together ---

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster frame.

    ``transform`` maps (column, row) of pixel *corners* to x, y in ``crs``, as in rasterio; a value belongs to the
    centre of its pixel. ``shape`` is (rows, cols).
    """

    crs: str
    transform: Affine
    shape: tuple[int, int]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges (west, south, east, north) in units of ``crs``."""
        rows, cols = self.shape
        t = self.transform
        return (t.c, t.f + t.e * rows, t.c + t.a * cols, t.f)

    def fractional_index(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Rows and columns, as floats, of points; whole numbers are pixel centres.

        Args:
            x: coordinates in the grid's system, any shape.
            y: the same of the other axis.

        Returns:
            Rows and columns, of that shape.
        """
        inverse = ~self.transform
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        cols = inverse.a * x + inverse.b * y + inverse.c
        rows = inverse.d * x + inverse.e * y + inverse.f
        return rows - 0.5, cols - 0.5

    def centres(self, rows: Floats, cols: Floats) -> tuple[Floats, Floats]:
        """Coordinates x, y of the centres of pixels (fractional indices allowed).

        Args:
            rows: any shape.
            cols: of the same shape.

        Returns:
            x and y, of that shape.
        """
        right, down = np.asarray(cols, dtype=float) + 0.5, np.asarray(rows, dtype=float) + 0.5
        t = self.transform
        return t.a * right + t.b * down + t.c, t.d * right + t.e * down + t.f
