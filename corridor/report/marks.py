"""Colour and letter of each candidate: the letter tells them apart where colours can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from zlib import crc32

from corridor.schema.candidate import Candidate
from corridor.schema.vocabulary import Family
from corridor.theme import sequence

_LETTERS = (*ascii_uppercase, *(f"{letter}{turn}" for turn in range(2, 9) for letter in ascii_uppercase))
_FOR_FOUND = "RSTHIJ"
_FOUND = (Family.EXISTING, Family.VIA, Family.DRAWN)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a candidate is shown everywhere: one letter (or two) and one colour."""

    letter: str
    colour: str


def assign_marks(candidates: Sequence[Candidate]) -> dict[str, Mark]:
    """Give each candidate, by id, its mark; comparators are grey.

    The letter is the study's where it gives one; routes of the catalogue without one take the free letters in their
    order. Ways that were found, and a reader's own, take a free letter that follows from their id, so that nobody's
    mark hangs on what else was found. The colour follows the letter.

    Args:
        candidates: in the study's order.

    Returns:
        Marks by id.
    """
    letters = {candidate.candidate_id: candidate.letter for candidate in candidates if candidate.letter}
    free = [letter for letter in _LETTERS if letter not in letters.values()]
    found = sorted(
        (c.candidate_id for c in candidates if not c.letter and c.family in _FOUND),
        key=lambda key: (crc32(key.encode()), key),
    )
    for candidate in candidates:
        if not candidate.letter and candidate.family not in _FOUND:
            letters[candidate.candidate_id] = free.pop(0)
    for key in found:
        # From the letter that its id asks for on to the next free one; the colours of these come last in the palette.
        start = crc32(key.encode()) % len(_FOR_FOUND)
        turned = (*_FOR_FOUND[start:], *_FOR_FOUND[:start], *free)
        letters[key] = next(letter for letter in turned if letter in free)
        free.remove(letters[key])
    return {c.candidate_id: Mark(letters[c.candidate_id], _colour(letters[c.candidate_id], c)) for c in candidates}


def _colour(letter: str, candidate: Candidate | None = None) -> str:
    """The colour of a letter, grey for a comparator."""
    colours = sequence("comparators" if candidate is not None and candidate.comparator else "routes")
    return colours[_LETTERS.index(letter) % len(colours)]
