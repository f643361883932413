"""The reference catalogue holds together: columns, ids, sources, vocabularies, dates, coordinates and ranges."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from corridor.schema.vocabulary import WorkKind
from tests.catalogue_tables import COLUMNS, FOLDER, SECTIONS, TABLES

COUNTRIES = {"AM", "AZ", "IR", "TR", "GE"}
ISO_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")

VOCABULARIES = {
    ("sources", "kind"): {"document"},
    ("sources", "confidence"): {"H", "M", "L"},
    ("nodes", "kind"): {"place", "junction", "station", "pass", "crossing", "bridge"},
    ("nodes", "country"): COUNTRIES,
    ("sections", "mode"): {"road", "rail"},
    ("sections", "class"): {"motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "rail"},
    ("sections", "status"): {"open", "construction", "disused", "abandoned", "planned", "closed", "unknown"},
    ("sections", "country"): COUNTRIES,
    ("sections", "control"): COUNTRIES | {""},
    ("sections", "geometry_quality"): {"schematic"},
    ("sections", "follows_osm"): {"yes", "no"},
    ("sections", "confidence"): {"H", "M", "L"},
    ("structures", "kind"): {"tunnel", "bridge", "gallery"},
    ("structures", "status"): {"open", "construction", "disused", "abandoned", "planned", "closed"},
    ("structures", "decisive"): {"yes", "no"},
    ("crossings", "mode"): {"road", "rail"},
    ("crossings", "status"): {"open", "closed", "planned", "unknown"},
    ("crossings", "before"): {"", "open", "closed", "planned"},
    ("crossings", "country_a"): COUNTRIES,
    ("crossings", "country_b"): COUNTRIES,
    ("unit_costs", "kind"): set(WorkKind),
    ("price_books", "kind"): set(WorkKind),
    ("unit_costs", "includes"): {"", "bridge", "tunnel;bridge"},
    ("sections", "works"): {"", "gap", "none"},
}
KEYS = {
    "sources": ["source_id"],
    "nodes": ["node_id"],
    "sections": ["section_id"],
    "waypoints": ["section_id", "seq"],
    "structures": ["structure_id"],
    "crossings": ["crossing_id"],
    "speeds": ["mode", "class"],
    "unit_costs": ["mode", "kind"],
    "price_books": ["book", "mode", "kind"],
    "upkeep": ["mode", "kind"],
    "costing": ["parameter"],
    "population_totals": ["area", "year"],
    "population_places": ["place", "country"],
    "trip_rates": ["parameter"],
}
RANGES = {
    "sections": ("length_km_low", "length_km_mid", "length_km_high"),
    "crossings": ("delay_min_low", "delay_min_mid", "delay_min_high"),
    "speeds": ("speed_kmh_low", "speed_kmh_mid", "speed_kmh_high"),
    "unit_costs": ("cost_musd_per_km_low", "cost_musd_per_km_mid", "cost_musd_per_km_high"),
    "price_books": ("cost_musd_per_km_low", "cost_musd_per_km_mid", "cost_musd_per_km_high"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_exactly_these(name: str) -> None:
    assert list(TABLES[name].columns) == COLUMNS[name].split()
    assert len(TABLES[name]) > 0


@pytest.mark.parametrize("name", KEYS)
def test_ids_are_unique_and_given(name: str) -> None:
    keys = TABLES[name][KEYS[name]]
    assert not keys.duplicated().any()
    assert not (keys == "").any(axis=None)


@pytest.mark.parametrize(("name", "column"), VOCABULARIES)
def test_words_are_in_the_vocabulary(name: str, column: str) -> None:
    assert set(TABLES[name][column]) <= VOCABULARIES[name, column]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "nodes",
            "sections",
            "structures",
            "crossings",
            "speeds",
            "unit_costs",
            "price_books",
            "costing",
            "upkeep",
            "vehicles",
        ),
        *("driving", "heights", "border_delays", "population_totals", "population_places", "trip_rates"),
    ],
)
def test_every_row_resolves_to_sources(name: str) -> None:
    known = set(TABLES["sources"]["source_id"])
    for cell in TABLES[name]["source_ids"]:
        ids = cell.split(";")
        assert set(ids) <= known, cell
        assert len(ids) == len(set(ids)), cell


def test_every_source_has_licence_publisher_and_is_used() -> None:
    sources = TABLES["sources"]
    for column in ("title", "publisher", "licence"):
        assert (sources[column] != "").all(), column
    others = [p for p in FOLDER.iterdir() if p.name != "sources.csv" and p.suffix in {".csv", ".toml"}]
    others += (FOLDER.parent / "studies").glob("*.toml")
    words = set(re.findall(r"[a-z0-9][a-z0-9-]+", "\n".join(p.read_text(encoding="utf-8") for p in others)))
    assert set(sources["source_id"]) <= words
    general = sources.set_index("source_id").loc["general-knowledge", "confidence"]
    assert general in {"M", "L"}


def test_dates_are_iso() -> None:
    for name, column in (
        ("sources", "date"),
        ("sections", "as_of"),
        ("sections", "opened"),
        ("sections", "progress_as_of"),
        ("sections", "closed"),
        ("crossings", "as_of"),
        ("crossings", "since"),
    ):
        for cell in TABLES[name][column]:
            assert cell == "" or ISO_DATE.fullmatch(cell), (name, column, cell)
    assert (TABLES["sections"]["as_of"] != "").all()
    assert (TABLES["crossings"]["as_of"] != "").all()


@pytest.mark.parametrize("name", ["nodes", "waypoints", "structures", "crossings"])
def test_coordinates_are_rounded_to_a_thousandth_and_inside_the_region(name: str) -> None:
    for lat, lon in TABLES[name][["lat", "lon"]].itertuples(index=False):
        if name == "structures" and lat == lon == "":
            continue
        assert re.fullmatch(r"\d{2}\.\d{3}", lat), lat
        assert re.fullmatch(r"\d{2}\.\d{3}", lon), lon
        assert 38.0 < float(lat) < 42.0, lat
        assert 43.0 < float(lon) < 49.5, lon


@pytest.mark.parametrize("name", RANGES)
def test_low_is_at_most_mid_is_at_most_high(name: str) -> None:
    for row in TABLES[name][list(RANGES[name])].itertuples(index=False):
        if name in ("sections", "crossings") and set(row) == {""}:
            continue  # a crossing's hours stand in the table of border delays
        low, mid, high = map(float, row)
        assert 0 < low <= mid <= high


def test_structures_fit_into_the_total_of_their_section() -> None:
    structures = TABLES["structures"]
    for kind in ("tunnel", "bridge"):
        chosen = structures.query("kind == @kind and length_km != ''")
        for section_id, group in chosen.groupby("section_id"):
            total = SECTIONS.loc[section_id, f"{kind}_km"]
            if total:
                assert group["length_km"].astype(float).sum() <= float(total) + 1e-9, section_id


def test_twenty_one_kilometres_of_m2_are_under_other_control() -> None:
    controlled = SECTIONS[(SECTIONS["control"] != "") & (SECTIONS["control"] != SECTIONS["country"])]
    assert set(controlled.index) == {"m2-karahunj-vorotan", "m2-shurnukh-karmrakar"}
    assert controlled["length_km_mid"].astype(float).sum() == pytest.approx(21.0, abs=0.05)


def test_speeds_rise_with_the_class_of_road() -> None:
    speeds = TABLES["speeds"].query("mode == 'road'").set_index("class")["speed_kmh_mid"].astype(float)
    order = ["track", "unclassified", "tertiary", "secondary", "primary", "trunk", "motorway"]
    assert all(a < b for a, b in pairwise(speeds[order]))


def test_the_bridge_that_decides_is_marked() -> None:
    decisive = TABLES["structures"].query("decisive == 'yes'").set_index("structure_id")
    bridge = decisive.loc["m2-bridge-over-railway"]
    assert (bridge["lat"], bridge["lon"], bridge["length_km"]) == ("38.885", "46.258", "0.069")
    assert "agarak-norduz-bridge" in decisive.index
