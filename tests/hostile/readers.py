"""Every reader of files from outside, with a small sound file for each, for corrupted copies and fuzzers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from corridor.errors import CorridorError
from corridor.io.read.borders import read_borders
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.elevation import read_dem
from corridor.io.read.osm import read_osm
from corridor.io.read.places import read_places
from corridor.io.read.regimes import load_regimes
from corridor.mcda.perspectives import load_perspectives
from corridor.schema.study import Study
from tests.hostile.pbf import pbf

AREA = (10.0, 45.0, 11.0, 46.0)
ROAD = {"highway": "primary", "name": "Road", "bridge": "yes"}
RAIL = {"railway": "disused", "name": "Line"}
POINTS = [(i, 10 + i / 50, 45.5 + i % 3 / 50) for i in range(1, 40)]


def _read_dem(path: Path) -> object:
    return read_dem([path], AREA, source=None, vertical_error_m=10.0, error_range_km=5.0)


def _hgt() -> bytes:
    ramp = np.add.outer(np.arange(1201), np.arange(1201)).astype(">i2")
    return ramp.tobytes()


READERS: dict[str, Callable[[Path], object]] = {
    "toml": Study.load,
    "regimes": load_regimes,
    "perspectives": load_perspectives,
    "csv": lambda path: load_catalogue(path.parent),
    "places": read_places,
    "borders": read_borders,
    "pbf": read_osm,
    "osm": read_osm,
    "tif": _read_dem,
    "hgt": _read_dem,
}
"""By kind of file: what reads it, and raises nothing but a CorridorError."""


def samples(study: Path) -> dict[str, tuple[str, bytes]]:
    """A sound file of each kind, from a made-up study's folder: its path there, and its content."""
    found = {
        kind: (name, (study.parent / name).read_bytes())
        for kind, name in (
            ("toml", study.name), ("regimes", "regimes.toml"), ("perspectives", "perspectives.toml"),
            ("csv", "reference/sections.csv"), ("places", "places.csv"), ("borders", "borders.geojson"),
            ("osm", "map.osm"), ("tif", "heights.tif"),
        )
    }  # fmt: skip
    found["pbf"] = "map.osm.pbf", pbf(POINTS, [(1, range(1, 20), ROAD), (2, range(19, 40), RAIL)])
    found["hgt"] = "N45E010.hgt", _hgt()
    return found


def outcome(kind: str, path: Path) -> str:
    """What a reader makes of a file: '' if it is read, else the one line that it says."""
    try:
        READERS[kind](path)
    except CorridorError as fault:
        return str(fault)
    return ""
