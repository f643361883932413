"""What every factor of a sweep can say: its values, which values of a comparison it replaces, and by what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from corridor.pipeline.graph import Run
from corridor.schema.catalogue import Estimate

Finite = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
DEFAULT_LEVELS = 3
Value = float | int | str


class BaseFactor(BaseModel, ABC):
    """One input that varies; ``kind`` tells which. Nothing here has state: a run and a value go in, values come out."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    replaces: ClassVar[tuple[str, ...]]
    """Names of the values that it may replace."""

    def meaning(self) -> dict[str, Any]:
        """What a value of this factor means: all fields but those that list values."""
        return self.model_dump(mode="json", exclude={"low", "high", "levels", "values", "draws"})

    @abstractmethod
    def choices(self) -> tuple[Value, ...] | None:
        """The values that it takes, or None where any number from low to high will do."""

    def grid(self) -> tuple[Value, ...]:
        """The values that a product takes."""
        return self.choices() or ()

    @abstractmethod
    def targets(self, run: Run) -> tuple[str, ...]:
        """What it changes, as text; empty where nothing fits."""

    @abstractmethod
    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        """The values of a comparison that it replaces at a value of its own, by their names in the graph.

        They are all of :attr:`replaces` or some of them; what is stale for it follows from the graph.
        """


class NumericFactor(BaseFactor):
    """A number from ``low`` to ``high``, or one of ``values``.

    ``position`` runs from the lowest figure that sources give (0) over the middle (0.5) to the highest (1);
    ``multiple`` is times the middle. ``levels`` is into how many values a product divides the range.
    """

    measure: Literal["position", "multiple"] = "position"
    low: Finite | None = None
    high: Finite | None = None
    levels: Annotated[int, Field(ge=2, le=1000)] | None = None
    values: Annotated[tuple[Finite, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _sound(self) -> NumericFactor:
        ends = self.ends
        if self.values is not None and (self.low, self.high, self.levels) != (None, None, None):
            raise ValueError("give values, or low, high and levels, not both")
        if self.values is not None and len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        if self.values is None and self.measure == "multiple" and None in (self.low, self.high):
            raise ValueError("a multiple needs low and high, for instance 0.8 and 1.25")
        if self.values is None and not ends[0] < ends[1]:
            raise ValueError(f"low {ends[0]:g} must be below high {ends[1]:g}")
        numbers = self.values or ends
        if self.measure == "position" and max(numbers) > 1:
            raise ValueError("positions lie between 0 (lowest figure) and 1 (highest); for more use measure 'multiple'")
        if self.measure == "multiple" and min(numbers) <= 0:
            raise ValueError("multiples must be above 0")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return (0.0 if self.low is None else self.low, 1.0 if self.high is None else self.high)

    def choices(self) -> tuple[Value, ...] | None:
        return self.values

    def grid(self) -> tuple[Value, ...]:
        return self.values or tuple(float(v) for v in np.linspace(*self.ends, self.levels or DEFAULT_LEVELS))

    def at(self, span: Estimate, value: Value) -> Estimate:
        """A documented range at a value of this factor."""
        return value_at(span, float(value)) if self.measure == "position" else multiple_of(span, float(value))


class ListedFactor(BaseFactor):
    """One of a list of names."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> ListedFactor:
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        return self

    def choices(self) -> tuple[Value, ...] | None:
        return self.values


def value_at(span: Estimate, position: float) -> Estimate:
    """The value at a position between low (0), middle (0.5) and high (1), straight between them, as an exact figure.

    >>> value_at(Estimate(1.0, 2.0, 4.0), 0.75).mid
    3.0
    """
    if position <= 0.5:
        value = span.low + (span.mid - span.low) * 2 * position
    else:
        value = span.mid + (span.high - span.mid) * (2 * position - 1)
    return Estimate(value, value, value)


def multiple_of(span: Estimate, factor: float) -> Estimate:
    """The middle times a factor, as an exact figure."""
    return Estimate(span.mid * factor, span.mid * factor, span.mid * factor)
