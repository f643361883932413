"""What a ranking looks at."""

from __future__ import annotations

from dataclasses import dataclass

from corridor.schema.vocabulary import Direction


@dataclass(frozen=True, slots=True)
class Criterion:
    """One scored property of an alternative.

    ``metric`` names the column of the metric table. ``best`` and ``worst`` are the stated anchors of the value
    function, in ``unit``: the value is 1 at ``best``, 0 at ``worst`` and follows ``shape`` between, clamped outside,
    so that adding or dropping an alternative moves nobody. ``shape`` 1 is linear; above 1 the first losses weigh less.
    ``tolerance`` is the difference, in ``unit``, below which two alternatives count as tied. ``factor`` names what the
    metric's interval hangs on (a unit price, a speed): criteria with the same factor move together in every draw;
    empty means that every alternative's interval is drawn by itself.
    """

    criterion_id: str
    label: str
    metric: str
    unit: str
    direction: Direction
    group: str
    best: float
    worst: float
    shape: float = 1.0
    tolerance: float = 0.0
    explanation: str = ""
    factor: str = ""
