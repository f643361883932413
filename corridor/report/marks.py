"""Colour and letter of each candidate: the letter tells them apart where colours can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corridor.schema.candidate import Candidate
from corridor.theme import sequence


@dataclass(frozen=True, slots=True)
class Mark:
    """How a candidate is shown everywhere: one letter (or two) and one colour."""

    letter: str
    colour: str


def assign_marks(candidates: Sequence[Candidate]) -> dict[str, Mark]:
    """Give each candidate, by id, its mark; comparators are grey. Depends on nothing but the order."""
    marks: dict[str, Mark] = {}
    counts = {True: 0, False: 0}
    for order, candidate in enumerate(candidates):
        colours = sequence("comparators" if candidate.comparator else "routes")
        colour = colours[counts[candidate.comparator] % len(colours)]
        counts[candidate.comparator] += 1
        letter = chr(ord("A") + order % 26) + (str(order // 26 + 1) if order >= 26 else "")
        marks[candidate.candidate_id] = Mark(letter, colour)
    return marks
