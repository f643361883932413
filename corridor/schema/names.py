"""Names that somebody uses for a place or a route beside the one that it goes by."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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
