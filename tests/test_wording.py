"""Positions with their hemispheres and nouns with their articles; nobody else writes either."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor import wording
from corridor.wording import format_latitude, format_longitude, format_position, with_article
from tests.conftest import ROOT


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("lat", "lon", "digits", "text"),
    [
        (48.6, -124.7, 3, "48.600 N 124.700 W"),
        (-33.9, 18.4, 1, "33.9 S 18.4 E"),
        (-54.8, -68.3, None, "54.8 S 68.3 W"),
        (0.0, -0.0, 2, "0.00 N 0.00 E"),
        (-0.0004, -0.0006, 3, "0.000 N 0.001 W"),
        (38.9096, 46.0227, None, "38.9096 N 46.0227 E"),
    ],
)
def test_a_position_names_its_hemispheres(lat, lon, digits, text):
    assert format_position(lat, lon, digits) == text


@given(st.floats(-90, 90), st.integers(0, 6))
def test_a_latitude_reads_back(lat, digits):
    number, side = format_latitude(lat, digits).split()
    assert float(number) * (-1 if side == "S" else 1) == round(lat, digits)
    assert format_longitude(lat, digits) == f"{number} {'W' if side == 'S' else 'E'}"


@pytest.mark.parametrize(
    ("noun", "article"),
    [
        ("OpenStreetMap file", "an"),
        ("elevation raster", "an"),
        ("unclassified road", "an"),
        ("unimproved track", "an"),
        ("uninhabited place", "an"),
        ("unit", "a"),
        ("universal rule", "a"),
        ("used road", "a"),
        ("ushered guest", "an"),
        ("one-way road", "a"),
        ("European road", "a"),
        ("80 m bridge", "an"),
        ("8 km tunnel", "an"),
        ("11 m bridge", "an"),
        ("18 m bridge", "an"),
        ("11,000 m tunnel", "an"),
        ("110 m bridge", "a"),
        ("1,100 m tunnel", "a"),
        ("69 m bridge", "a"),
        ("study file", "a"),
    ],
)
def test_articles(noun, article):
    assert with_article(noun) == f"{article} {noun}"


def test_nobody_else_writes_a_position():
    """A number before a hemisphere's letter is written in one place, so that no place is put on the wrong side."""
    by_hand = re.compile(r"\{[^{}]*\}°? ?[NESW]\b(?!\{)")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("corridor", "scripts")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name != "wording.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if by_hand.search(line)
    ]
    assert not found
