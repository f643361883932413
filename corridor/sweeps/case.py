"""What one comparison is computed from, as a value that factors turn into another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from corridor.io.read.catalogue import Catalogue
from corridor.io.read.inputs import Inputs
from corridor.schema.catalogue import Estimate
from corridor.schema.regime import Regime
from corridor.schema.study import Study

Value = float | int | str


class Stage(StrEnum):
    """A step of a comparison, named by what makes it necessary again."""

    LAYOUT = "layout"
    NETWORK = "network"
    LINES = "lines"
    TERRAIN = "terrain"
    REGIMES = "regimes"
    PRICES = "prices"


LAYOUT = frozenset((Stage.LAYOUT,))
NETWORK = LAYOUT | {Stage.NETWORK}
LINES = NETWORK | {Stage.LINES}
TERRAIN = LINES | {Stage.TERRAIN}
REGIMES = LINES | {Stage.REGIMES}
"""Stages that the step of that name rests on: it is repeated only where one of them changes."""


@dataclass(frozen=True)
class Case:
    """A study, its data and the regimes that it is judged under; never changed, only replaced."""

    study: Study
    inputs: Inputs
    regimes: Mapping[str, Regime]

    def with_catalogue(self, change: Callable[[Catalogue], Catalogue]) -> Case:
        """The same with another catalogue."""
        return replace(self, inputs=replace(self.inputs, catalogue=change(self.inputs.catalogue)))


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
