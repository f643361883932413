"""The made-up study file and everything it names, written into a folder."""

from __future__ import annotations

from pathlib import Path

from corridor.schema.regime import ATTRIBUTES
from tests.synthetic.catalogue import write_catalogue
from tests.synthetic.ground import write_borders, write_dem, write_places
from tests.synthetic.osm import write_osm

NAME = "midland.toml"
RIDGE = ["ridge-west", "ridge-up", "ridge-down", "ridge-gap", "ridge-end", "ridge-east"]
VALLEY = ["valley-west", "valley-middle", "valley-gap", "valley-end", "valley-east"]
RAILWAY = ["rail-west", "rail-middle", "rail-east"]
OPENED = ["ridge-gap", "valley-gap", "ridge-gate-east", "valley-gate-west", "valley-gate-east"]

STUDY = f"""
id = "midland"
title = "Roads from Aster to Corvo"
question = "Which way leads from Aster to Corvo?"
as_of = "2020-01"
area = [10.0, 45.0, 11.0, 46.0]
origin = {{ name = "Aster", lon = 10.1, lat = 45.5, country = "XA" }}
destination = "Corvo"
border_crossing = {{ name = "Gatehouse", lon = 10.39, lat = 45.5, country = "XA" }}
capital = "Dalemoor"
baseline = "now"

[focus]
id = "midland"
name = "Midland"
country = "XB"
outline = [[10.3, 45.1], [10.8, 45.1], [10.8, 45.9], [10.3, 45.9]]

[sources]
reference = "reference"
elevation = ["heights.tif"]
borders = "borders.geojson"
places = "places.csv"
perspectives = "perspectives.toml"

[elevation]
vertical_error_m = 10.0
error_range_km = 5.0
draws = 8
level_sections = ["rail-west"]

[[baselines]]
id = "now"
name = "as it is"
as_of = "2020-01"

[[candidates]]
family = "reference"
id = "ridge"
name = "Over the ridge"
mode = "road"
sections = {RIDGE}

[[candidates]]
family = "reference"
id = "valley"
name = "Through the valley"
mode = "road"
sections = {VALLEY}

[[candidates]]
family = "reference"
id = "railway"
name = "Under the ridge"
mode = "rail"
sections = {RAILWAY}

[[candidates]]
family = "existing"
id = "driven"
keep_found_again = true
name = "Roads as they are"
count = 2
max_shared = 0.3
max_stretch = 2.5
countries = ["XA", "XB", "XC"]
assume_open = {OPENED}

[[criteria]]
id = "length"
label = "Length"
metric = "length_km"
unit = "km"
group = "distance"
best = 50
worst = 150

[[criteria]]
id = "ascent"
label = "Ascent"
metric = "ascent_m"
unit = "m"
group = "terrain"
best = 0
worst = 1000
"""
_PERSPECTIVES = """
[equal]
label = "Equal weights"
weights_from = "Declared."
groups = { distance = 0.5, terrain = 0.5 }

[short]
label = "Short ways"
weights_from = "Declared."
groups = { distance = 1.0, terrain = 0.0 }

[flat]
label = "Flat ways"
weights_from = "Declared."
groups = { distance = 0.0, terrain = 1.0 }
"""

# What routes do to the road from the western border to Dalemoor, under three regimes.
IMPACT = """
[impact]
neighbour = "XA"
regimes = "regimes.toml"
centres = ["Dalemoor"]
stages = [
  { name = "Ridge gate", lon = 10.4, lat = 45.5, radius_km = 1 },
  { name = "Dalemoor east", lon = 10.52, lat = 45.3, radius_km = 1 },
]

[[impact.axes]]
id = "valley-axis"
name = "Valley road"
sections = ["valley-middle"]
"""
GATED_MIN = (5, 10, 20)
_REGIMES = {
    "free": ('{ kind = "free" }', '{ kind = "open" }'),
    "gated": ('{ kind = "free" }', '{ kind = "gated", minutes = { low = 5, mid = 10, high = 20 } }'),
    "shut": ('{ kind = "closed" }', '{ kind = "transit_only" }'),
}


def write_regimes(path: Path) -> Path:
    """Regimes that differ in their switches; their texts answer no question."""
    silent = 'state = "unspecified", text = "Nothing is said.", source_id = "made-up", as_of = "2020-01"'
    no_time = '{ low = 0, mid = 0, high = 0, source_ids = ["made-up"], note = "None." }'
    lines = []
    for key, (crossing, same_line) in _REGIMES.items():
        lines += [
            f"[regimes.{key}]",
            f'label = "{key.capitalize()}"',
            'summary = "Invented."',
            'text_status = "no text"',
            'as_of = "2020-01"',
            'source_ids = ["made-up"]',
            f"crossing = {crossing}",
            f"same_line = {same_line}",
            'switches_from = "Invented."',
            'local_access = "closed"',
            'applies_to = { through = ["XB"] }',
            f"transit_check_min = {no_time}",
            f"border_check_min = {no_time}",
            f"[regimes.{key}.attributes]",
            *(f"{name} = {{ {silent} }}" for name in ATTRIBUTES),
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def build(folder: Path) -> Path:
    """Write the study with all its data, and ``map.osm`` beside it, into a new folder; gives the study's path."""
    folder.mkdir(parents=True)
    write_catalogue(folder / "reference")
    write_dem(folder / "heights.tif")
    write_borders(folder / "borders.geojson")
    write_places(folder / "places.csv")
    write_osm(folder / "map.osm")
    write_regimes(folder / "regimes.toml")
    (folder / "perspectives.toml").write_text(_PERSPECTIVES, encoding="utf-8")
    return write_study(folder)


def write_study(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the study file with pieces of its text replaced; each piece must stand in it (IMPACT goes to its end)."""
    text = STUDY
    for old, new in (changes or {}).items():
        if old not in text:
            raise ValueError(f"the study has no text {old!r}")
        text = text.replace(old, new)
    path = folder / NAME
    path.write_text(text, encoding="utf-8")
    return path
