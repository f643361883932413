"""Colour and letter of each candidate: the letter tells them apart where colours can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corridor.schema.candidate import Candidate

ROUTE_COLOURS = (
    "#0072B2", "#C44E00", "#117733", "#AA4499", "#332288", "#B8860B", "#882255", "#2A8C82", "#C0485A", "#5C2A0A",
)  # fmt: skip
"""After the sets of Okabe and Ito (2008) and of Paul Tol, darkened to stand out on pale relief."""
COMPARATOR_COLOURS = ("#2B2B2B", "#5A5A5A", "#7D7D7D")


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
        colours = COMPARATOR_COLOURS if candidate.comparator else ROUTE_COLOURS
        colour = colours[counts[candidate.comparator] % len(colours)]
        counts[candidate.comparator] += 1
        letter = chr(ord("A") + order % 26) + (str(order // 26 + 1) if order >= 26 else "")
        marks[candidate.candidate_id] = Mark(letter, colour)
    return marks
