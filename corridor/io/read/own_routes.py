"""Somebody's own routes: places typed in a row."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from corridor.errors import StudyError
from corridor.safe_toml import odd_character
from corridor.schema.study import ViaCandidate
from corridor.schema.vocabulary import Family, Mode

MAX_PLACES = 100
MAX_PLACE_LETTERS = 200
MAX_ID = 56
"""Letters of an id made from a name, so that a number fits behind it (an id has at most 64)."""
_POINT = re.compile(r"\s*-?\d{1,3}(\.\d+)?\s*,\s*-?\d{1,3}(\.\d+)?\s*")


def route_id(name: str, family: Family) -> str:
    """An id for a route of a name: the same in every run, plain letters and hyphens after the family's.

    Args:
        name: in any script; letters without a plain form are left out, and a name without any gets a digest.
        family: what the route is made from.

    >>> route_id("Horadiz-Goris (İkinci)", Family.DRAWN), route_id("Գորիս", Family.VIA)
    ('drawn-horadiz-goris-ikinci', 'via-ab4718')
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not words:
        words = hashlib.blake2b(name.encode(), digest_size=3).hexdigest()
    return f"{family}-{words}"[:MAX_ID].rstrip("-")


def parse_via(text: str, mode: Mode = Mode.ROAD) -> ViaCandidate:
    """A route by way of places that are written in a row: ``Horadiz; 39.51,46.34; Sisian``.

    Args:
        text: places by name or as ``lat,lon``, with semicolons between them; commas do where none is a point.
        mode: what runs on it.

    Returns:
        The candidate that a study may take; its places aren't looked up yet.

    Raises:
        StudyError: there is no place, too many, or one that can't be a name.
    """
    places = [part.strip() for part in _split(text)]
    if not any(places):
        raise StudyError("--via: names no place; write them with semicolons between: --via 'PLACE; LAT,LON; PLACE'")
    if not all(places):
        raise StudyError(f"--via: place {places.index('') + 1} of {len(places)} is empty; take the sign after it out")
    if len(places) > MAX_PLACES:
        raise StudyError(f"--via: names {len(places)} places; {MAX_PLACES} are allowed, draw a longer route (--route)")
    for place in places:
        odd = odd_character(place)
        if odd or len(place) > MAX_PLACE_LETTERS:
            what = f"holds control characters ({odd})" if odd else f"is longer than {MAX_PLACE_LETTERS} letters"
            raise StudyError(f"--via: a place {what}; write plain text")
    key = route_id("-".join(places), Family.VIA)
    return ViaCandidate(family=Family.VIA, id=key, mode=mode, via=tuple(places))


def _split(text: str) -> list[str]:
    if ";" in text or _POINT.fullmatch(text):
        return text.split(";")
    parts = text.split(",")
    if any(re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", part) for part in parts):
        raise StudyError("--via: has a point among names; put semicolons between places: 'PLACE; LAT,LON; PLACE'")
    return parts
