"""Tables of vehicles, driving parameters and documented heights: whole as packaged, one clear line for each fault."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.parameters import load_driving, load_heights, load_vehicles
from corridor.io.read.tables import Faults

REFERENCE = data_root() / "reference"


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(REFERENCE)


def changed(tmp_path: Path, name: str, change: Callable[[list[dict[str, str]]], None]) -> Path:
    """A copy of a packaged table with rows changed in place."""
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows, columns = list(reader), list(reader.fieldnames or ())
    change(rows)
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def heights(path: Path, catalogue, faults: Faults):
    return load_heights(path, catalogue.sources, catalogue.nodes, catalogue.sections, faults)


def test_every_documented_height_has_a_place_and_a_source_with_a_licence(catalogue):
    faults = Faults()
    found = heights(REFERENCE / "heights.csv", catalogue, faults)
    assert faults.lines == []
    assert len(found) >= 12
    for height in found:
        assert bool(height.node_id) != bool(height.section_id)
        assert height.confidence in ("H", "M")
        assert height.source_ids
        assert all(catalogue.sources[key].licence for key in height.source_ids)
    places = [(height.lon, height.lat) for height in found]
    assert len(set(places)) == len(places), "one height to a place"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[0].update(node_id="nowhere"), "'nowhere' of height 'kajaran-pass' is not in nodes.csv"),
        (lambda rows: rows[0].update(node_id=""), "'kajaran-pass' must name a node or a section"),
        (lambda rows: rows[0].update(section_id="m2-kajaran-pass"), "must name a node or a section, one of the two"),
        (lambda rows: rows[1].update(section_id="no-road"), "'no-road' of height 'vorotan-pass' is not in sections"),
        (lambda rows: rows[1].update(lat="39.2"), "km off section 'm2-vayk-angeghakot', the limit is 5 km"),
        (lambda rows: rows[0].update(source_ids=""), "source_ids: is empty; every row names its source"),
        (lambda rows: rows[0].update(source_ids="hearsay"), "'hearsay' is not in sources.csv"),
        (lambda rows: rows.append(rows[0]), "'kajaran-pass' stands twice"),
        (lambda rows: rows[0].update(elevation_m="25350"), "a number from -500 to 9000 is needed"),
    ],
)
def test_a_wrong_height_is_one_line(tmp_path, catalogue, change, said):
    faults = Faults()
    heights(changed(tmp_path, "heights.csv", change), catalogue, faults)
    assert len(faults.lines) == 1
    assert said in faults.lines[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[0].update(source_ids=""), "row 2, source_ids: is empty; every row names its source"),
        (lambda rows: rows[0].update(parameter="wings"), "parameter: is 'wings'; use one of"),
        (lambda rows: rows.pop(3), "vehicle 'truck' has no row for power_loss_pct_per_km; add each with its source"),
        (lambda rows: rows[1].update(value_low="0"), "of 'mass_per_power_kg_per_kw' must be above 0"),
        (lambda rows: rows[1].update(value_low="900"), "are not in rising order"),
        (lambda rows: rows.append(rows[1]), "'mass_per_power_kg_per_kw' stands twice"),
        (lambda rows: rows[0].update(unit=""), "unit: is empty"),
    ],
)
def test_a_wrong_vehicle_is_said(tmp_path, catalogue, change, said):
    faults = Faults()
    load_vehicles(changed(tmp_path, "vehicles.csv", change), catalogue.sources, faults)
    assert any(said in line for line in faults.lines), faults.lines


def test_a_missing_driving_parameter_is_said(tmp_path, catalogue):
    faults = Faults()
    path = changed(tmp_path, "driving.csv", lambda rows: rows.pop(0))
    assert load_driving(path, catalogue.sources, faults) is None
    assert faults.lines == [f"{path}: no row for superelevation; add each with its source"]
