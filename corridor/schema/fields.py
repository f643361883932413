"""Types of fields that models share: identifiers, texts, countries, dates, and members written as their text."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Date = Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")]

Chosen = TypeVar("Chosen", bound=StrEnum)
Lax = Annotated[Chosen, Field(strict=False)]
"""A member of an enumeration in a strict model, written as its text."""

Item = TypeVar("Item")
Listed = Annotated[tuple[Item, ...], Field(strict=False)]
"""Several values in a strict model, written as a list."""
