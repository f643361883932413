"""What is to be said before it is said in a language: a key into the messages, and what fills it.

Modules that compute give messages; words are made from them at the very end, by :mod:`corridor.report.i18n` and by the
page's own script. Nothing is ever read back out of the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class ListStyle(StrEnum):
    """How the items of a listing stand one after the other; the catalogues have the signs and words between them."""

    SEMICOLON = "list.semicolon"
    COMMA = "list.comma"
    AND = "list.and"
    OR = "list.or"
    OR_ALL = "list.or_all"
    ENUMERATION = "list.enumeration"
    SENTENCES = "list.sentences"


@dataclass(frozen=True, slots=True)
class Listing:
    """Several values said in a row."""

    items: tuple[Value, ...]
    style: ListStyle = ListStyle.SEMICOLON

    def to_json(self) -> dict[str, Any]:
        """The listing as plain data, as the page's script takes it."""
        return {"all": [to_json(item) for item in self.items], "by": str(self.style)}


@dataclass(frozen=True, slots=True)
class Message:
    """A message by its key.

    Attributes:
        key: in the catalogues of messages.
        values: what fills its blanks, by name: plain text, whole numbers, other messages, or listings of them. Figures
            are formatted where they are measured, since their digits belong to them and not to a language. A whole
            number named ``count`` chooses between the message's plural forms.
        fallback: what to say where no catalogue has the key: names that a study gives.
    """

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    fallback: str = ""

    def __hash__(self) -> int:
        return hash((self.key, tuple(sorted(self.values)), self.fallback))

    def to_json(self) -> dict[str, Any]:
        """The message as plain data, as the page's script takes it."""
        found: dict[str, Any] = {"t": self.key, "or": self.fallback or self.key}
        if self.values:
            found["fill"] = message_values(self)
        return found


Value: TypeAlias = str | int | Message | Listing


def message_values(message: Message) -> dict[str, Any]:
    """What fills a message, as plain data."""
    return {name: to_json(value) for name, value in message.values.items()}


def to_json(value: Value) -> Any:
    """A value as plain data: text and numbers as they are, messages and listings as the page's script takes them."""
    return value.to_json() if isinstance(value, Message | Listing) else value


def country_message(code: str, name: str = "") -> Message:
    """A country by its name, or its code where nobody has a name for it.

    Args:
        code: of the country, such as AM.
        name: what it is called where no catalogue of messages has it.
    """
    return Message(f"country.{code}", fallback=name or code)


def listing(items: Iterable[Value], style: ListStyle = ListStyle.SEMICOLON) -> Listing:
    """Several values in a row, in the style given."""
    return Listing(tuple(items), style)


def from_json(data: Any) -> Value:
    """What :func:`to_json` made plain data of."""
    if isinstance(data, dict) and "all" in data:
        return Listing(tuple(from_json(item) for item in data["all"]), ListStyle(data["by"]))
    if isinstance(data, dict):
        return Message(data["t"], {name: from_json(item) for name, item in data.get("fill", {}).items()}, data["or"])
    return data if isinstance(data, int) else str(data)


# --- Names that somebody uses for a place or a route beside the one that it goes by ---

NameText = Annotated[str, Field(min_length=1, max_length=2000)]


class Alias(BaseModel):
    """A name and who uses it; ``used_by`` is empty where nobody is named.

    >>> str(Alias(name="Qafan", used_by="AZ")), str(Alias(name="Nyuvadi"))
    ('Qafan (AZ)', 'Nyuvadi')
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: NameText
    used_by: Annotated[str, Field(max_length=2000)] = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.used_by})" if self.used_by else self.name
