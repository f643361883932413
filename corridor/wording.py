"""How values stand in sentences: positions with their hemispheres, nouns with their articles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

Number = TypeVar("Number")
_AN = re.compile(r"(?!(?:one|once|uni(?!n|m)|us[aeiu]|eu)\w*)[aeiou]|8|1[18](?!\d)|1[18](?=,\d{3}\b)", re.IGNORECASE)


def format_latitude(lat: float, digits: int | None = None) -> str:
    """Give a latitude in degrees with N or S, as ``39.25 N``; with so many decimals, or as few as it has."""
    return _degrees(lat, "N", "S", digits)


def format_longitude(lon: float, digits: int | None = None) -> str:
    """Give a longitude in degrees with E or W, as ``46.5 E``; with so many decimals, or as few as it has."""
    return _degrees(lon, "E", "W", digits)


def format_position(lat: float, lon: float, digits: int | None = None) -> str:
    """Give a position as people write it.

    Args:
        lat: latitude in degrees, negative in the south.
        lon: longitude in degrees, negative in the west.
        digits: decimals; as few as the numbers have (up to six figures) by default.

    Example:
        >>> format_position(48.6, -124.7, 3)
        '48.600 N 124.700 W'
    """
    return f"{format_latitude(lat, digits)} {format_longitude(lon, digits)}"


RANGE_SIGN = "\u2013"
_MINUS = "\u2212"


def join_range(low: str, high: str) -> str:
    """Two ends as a range; set apart where one is negative: a minus beside the sign between them is hard to read.

    Args:
        low: the lower end, with a true minus where it is negative.
        high: the upper one.

    Example:
        >>> join_range("2.9", "4.9"), join_range("\u221261.1", "107"), join_range("\u2212136", "\u22122.5")
        ('2.9–4.9', '−61.1 – 107', '−136 – −2.5')
    """
    space = " " if _MINUS in low + high else ""
    return f"{low}{space}{RANGE_SIGN}{space}{high}"


def ask_if_swapped(lon: Number, lat: Number, holds: Callable[[Number, Number], object]) -> str:
    """Ask whether a position that lies off some ground would lie on it the other way round; else give ''.

    Args:
        lon: longitude in degrees.
        lat: latitude in degrees.
        holds: whether the ground has a longitude and latitude.

    Example:
        >>> ask_if_swapped(39.25, 46.5, lambda lon, lat: 45 < lon < 47 and 38 < lat < 40)
        'are latitude and longitude swapped?'
    """
    return "are latitude and longitude swapped?" if holds(lat, lon) else ""


def format_extent(west: float, south: float, east: float, north: float) -> str:
    """Give the bounds of an area in degrees as people write them.

    Args:
        west: degrees east of the western bound.
        south: degrees north of the southern one.
        east: of the eastern one.
        north: of the northern one.

    Example:
        >>> format_extent(45, 38.5, 47, 40), format_extent(-5, -2, 10, 3)
        ('45 to 47 E, 38.5 to 40 N', '5 W to 10 E, 2 S to 3 N')
    """
    across, along = _span(format_longitude(west), format_longitude(east)), _span(*map(format_latitude, (south, north)))
    return f"{across}, {along}"


def format_millions(millions: float) -> str:
    """Give a sum in millions as tables show it: whole ones from a hundred on, else three digits.

    Args:
        millions: the sum, 0 or more.

    Example:
        >>> format_millions(1617.6), format_millions(3.0949), format_millions(0)
        ('1,618', '3.09', '0')
    """
    if millions >= 99.95 or millions == 0:
        return f"{millions:,.0f}"
    return f"{millions:#.3g}".rstrip(".")


def _span(low: str, high: str) -> str:
    return f"{low[:-2] if low[-1] == high[-1] else low} to {high}"


def _degrees(value: float, positive: str, negative: str, digits: int | None) -> str:
    text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    size = text.removeprefix("-")
    # What rounds to the equator or the prime meridian lies on it, not south or west of it.
    south = text != size and float(size) != 0
    return f"{size} {negative if south else positive}"


def with_article(noun: str) -> str:
    """Give a noun, or a number with its noun, after ``a`` or ``an``, by how it is spoken.

    Example:
        >>> with_article("OpenStreetMap file"), with_article("raster"), with_article("80 m bridge")
        ('an OpenStreetMap file', 'a raster', 'an 80 m bridge')
    """
    return f"{'an' if _AN.match(noun) else 'a'} {noun}"
