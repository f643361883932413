"""CSV tables: all faults at once, each with file, row and field."""

from __future__ import annotations

import csv
import shutil
import unicodedata

import pytest

from corridor.errors import CatalogueError, SourceError
from corridor.files import data_root, odd_character
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.tables import Faults, Row


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(data_root() / "reference", tmp_path / "reference")


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_bundled_catalogue_is_sound():
    catalogue = load_catalogue(data_root() / "reference")
    assert catalogue.section("rail-meghri", "test").length_km.low == 42
    with pytest.raises(CatalogueError, match="test: no section 'none'"):
        catalogue.section("none", "test")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Qafan (AZ)", [("Qafan", "AZ")]),
        ("Zəngilan (AZ);Kovsakan (AM)", [("Zəngilan", "AZ"), ("Kovsakan", "AM")]),
        ("Nüvədi (AZ) ; Nyuvadi", [("Nüvədi", "AZ"), ("Nyuvadi", "")]),
        ("Aghavno (old town) (AM)", [("Aghavno (old town)", "AM")]),
        ("", []),
    ],
)
def test_other_names_are_read_with_who_uses_them(cell, names):
    found = Row({"aliases": cell}, "here", Faults()).aliases("aliases")
    assert [(alias.name, alias.used_by) for alias in found] == names
    assert "; ".join(str(alias) for alias in found) == "; ".join(part.strip() for part in cell.split(";"))


def test_a_node_knows_the_place_that_it_lies_in():
    nodes = load_catalogue(data_root() / "reference").nodes.values()
    assert {node.name: node.place for node in nodes}["Kapan, junction of M2 and M17"] == "Kapan"
    assert all(node.name.startswith(node.place) and "," not in node.place for node in nodes)


def test_all_faults_are_named_at_once(folder):
    edit(folder / "crossings.csv", "agarak-norduz,Agarak-Norduz,38.852", "agarak-norduz,Agarak-Norduz,north")
    edit(folder / "speeds.csv", "road,motorway,70", "boat,motorway,70")
    edit(folder / "unit_costs.csv", "road,surface,3.5", "road,surface,99")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    said = str(caught.value)
    assert "crossings.csv, row 2, lat: is 'north'" in said
    assert "speeds.csv, row 2, mode: is 'boat'; use one of rail, road" in said
    assert "unit_costs.csv, row 2, cost_musd_per_km_low/mid/high" in said


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("sections.csv", "section_id,name", "id,name", "columns missing: ['section_id'], unknown: ['id']"),
        ("nodes.csv", "horadiz,", "Horadiz,", "'horadiz' is not in nodes.csv"),
        ("crossings.csv", "agarak-norduz,Agarak", "astara,Agarak", "crossing_id 'astara' stands twice"),
        ("speeds.csv", ",80,", ",nan,", "is 'nan'"),
        ("speeds.csv", ",80,", ",inf,", "is 'inf'"),
        (
            "sections.csv",
            ",70,2026-02-27,",
            ",170,2026-02-27,",
            "row 2, progress_pct: is '170'; a number from 0 to 100",
        ),
        ("sections.csv", ",70,2026-02-27,", ",70,,", "progress needs its date and a source"),
        (
            "sections.csv",
            ",70,2026-02-27,report-2026-02-27,",
            ",70,2026-02-27,hearsay,",
            "'hearsay' is not in sources.csv",
        ),
        ("sections.csv", ",gap,", ",hole,", "works: is 'hole'; use one of gap, none, upgrade"),
        ("unit_costs.csv", "tunnel;bridge", "tunnel;ford", "includes: is 'ford'; use tunnel, bridge, gallery"),
        ("costing.csv", "upkeep_years,", "upkeep_decades,", "no row for upkeep_years; add each with its source"),
        ("costing.csv", "years,30,30,30", "years,30,30,3000", "of 'upkeep_years' must be at most 200"),
        ("upkeep.csv", "0.010,0.0175,0.025", ",,", "upkeep_musd_per_km_year: is empty"),
        ("trip_rates.csv", "0.005,0.01,0.02", "0.02,0.01,0.005", "are not in rising order"),
        ("population_totals.csv", "141771,141771", "141771,1417", "141771, 1417 are not in rising order"),
        ("sections.csv", "Aras valley railway, Horadiz", "Aras\x07 valley, Horadiz", "control characters"),
    ],
)
def test_faults_name_file_and_field(folder, file, old, new, says):
    edit(folder / file, old, new)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    assert says in str(caught.value)
    assert file in str(caught.value) or "sections.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "column", "wrong"),
    [
        ("nodes.csv", "lat", "91"),
        ("waypoints.csv", "lon", ""),
        ("waypoints.csv", "seq", "first"),
        ("sections.csv", "opened", "soon"),
        ("sections.csv", "from_node", ""),
        ("sections.csv", "length_km_high", "-1"),
        ("unit_costs.csv", "cost_musd_per_km_high", "inf"),
        ("crossings.csv", "lat", "north"),
        ("speeds.csv", "speed_kmh_low", "0"),
        ("border_delays.csv", "year", "2020.5"),
        ("population_totals.csv", "people_high", "all"),
    ],
)
def test_a_fault_of_one_cell_is_told_once_and_no_other_follows_from_it(folder, file, column, wrong):
    with (folder / file).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0][column] = wrong
    with (folder / file).open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    told = str(caught.value)
    assert told.startswith(f"{folder / file}, row 2, {column}: ")
    assert told.count(f"{folder}") == 1, told


def test_a_missing_table_is_named(folder):
    (folder / "grades.csv").unlink()
    with pytest.raises(SourceError, match=r"grades\.csv: no such file"):
        load_catalogue(folder)


def test_odd_characters_are_those_that_unicode_calls_controls_surrogates_and_turners_of_order():
    turners = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # of directions, Unicode annex 9
    for code in (*range(0x3000), *range(0xD700, 0xE100)):
        letter = chr(code)
        odd = unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in turners
        assert (odd_character(f"a{letter}b") is not None) is odd, f"U+{code:04X}"
