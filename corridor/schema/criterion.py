"""What a ranking looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from corridor.schema.fields import Text
from corridor.schema.vocabulary import Direction

# strict: neither true nor "10" is a number
Anchor = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False, strict=True)]
Shape = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, strict=True)]
Tolerance = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]
Group = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A group of criteria: one that studies share (:data:`corridor.mcda.perspectives.GROUPS`), or the study's own."""


@with_config(ConfigDict(extra="forbid", str_strip_whitespace=True))
@dataclass(frozen=True, slots=True)
class Criterion:
    """One scored property of an alternative: a table of a study, whose key ``id`` is ``criterion_id`` here.

    ``metric`` names the column of the metric table. ``best`` and ``worst`` are the stated anchors of the value
    function, in ``unit``: the value is 1 at ``best``, 0 at ``worst`` and follows ``shape`` between, clamped outside,
    so that adding or dropping an alternative moves nobody. ``shape`` 1 is linear; above 1 the first losses weigh less.
    ``tolerance`` is the difference, in ``unit``, below which two alternatives count as tied. ``factor`` names what the
    metric's interval hangs on (a unit price, a speed): criteria with the same factor move together in every draw;
    empty means that every alternative's interval is drawn by itself.
    """

    criterion_id: Annotated[str, Field(alias="id", pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    label: Text
    metric: Text
    unit: str
    direction: Direction
    group: Group
    best: Anchor
    worst: Anchor
    shape: Shape = 1.0
    tolerance: Tolerance = 0.0
    explanation: str = ""
    factor: str = ""
