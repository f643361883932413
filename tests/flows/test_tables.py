"""Tables that are wrong: one line each, with file, row and field, and what to do."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from corridor.errors import CatalogueError, SourceError
from corridor.flows.tables import COLUMNS, load_tables
from tests.flows import toy


def _edit(folder: Path, table: str, row: int, **cells: str) -> None:
    """Change cells of one row, counted from 0."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[row].update(cells)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_another_region_loads_with_all_its_rows(tmp_path):
    tables = load_tables(toy.alps(tmp_path))
    assert len(tables.links) == 9
    assert tables.links["base-tunnel"].systems == ("rail-1435",)
    assert tables.links["brenner-innsbruck"].km_by_country() == {"IT": 1.0, "AT": 36.0}
    assert [b.branch_id for b in tables.branches_of(tables.pairs[0])] == ["brenner", "tauern", "rail"]


@pytest.mark.parametrize(
    ("table", "row", "cells", "said"),
    [
        ("links", 0, {"to_node": "bolzano"}, r"links\.csv, verona-brenner, to_node: 'bolzano' is not in nodes\.csv"),
        ("links", 0, {"to_node": "verona"}, r"to_node: is its from_node"),
        ("links", 7, {"opens_year_low": "2005"}, r"opens_year_low: is 2005, before works start in 2008"),
        ("links", 7, {"opens_year_low": "12"}, r"opens_year: runs from 12"),
        ("links", 7, {"opens_year_mid": "2050"}, r"opens_year_low/mid/high: .* not in rising order"),
        ("links", 0, {"length_km_mid": "-3"}, r"length_km_mid: is '-3'"),
        ("links", 0, {"length_km_low": "nan"}, r"length_km_low: is 'nan'"),
        ("links", 0, {"length_km_low": "", "length_km_mid": "", "length_km_high": ""}, r"length_km_mid: is empty"),
        ("links", 0, {"speed_kmh_low": "0"}, r"speed_kmh: runs from 0"),
        ("links", 0, {"gauge_mm": "1435"}, r"gauge_mm: is '1435', but the mode is road"),
        ("links", 6, {"gauge_mm": ""}, r"gauge_mm: is ''; give millimetres"),
        ("links", 0, {"mode": "camel"}, r"mode: is 'camel'; use one of ferry, rail, road, sea"),
        ("links", 0, {"closure_days_high": "400"}, r"closure_days_high: is 400"),
        ("links", 0, {"countries": "AT"}, r"countries: is 'AT', but its nodes lie in IT"),
        ("links", 1, {"first_country_km": "90"}, r"first_country_km: is 90; only a link across a border"),
        ("links", 0, {"source_ids": ""}, r"source_ids: is empty; every row names its source"),
        ("links", 0, {"source_ids": "rumour"}, r"source_ids: 'rumour' is not in sources\.csv"),
        ("links", 0, {"as_of": ""}, r"as_of: is empty"),
        ("links", 0, {"as_of": "2099-01"}, r"links\.csv, row 2, as_of: 2099-01 lies in the future; correct the date"),
        ("demand", 0, {"as_of": "2099"}, r"demand\.csv, row 2, as_of: 2099 lies in the future"),
        ("border_delays", 0, {"year": "2099"}, r"delays\.csv, brenner-innsbruck, year: 2099 lies in the future"),
        ("links", 7, {"status": "open"}, r"status: is open, though opens_year 2031 lies after as_of"),
        ("links", 1, {"link_id": "verona-brenner"}, r"'verona-brenner' stands twice"),
        ("tariffs", 0, {"price_low": "-1"}, r"tariffs\.csv, row 2, price_low: is '-1'; a number from 0"),
        ("tariffs", 0, {"unit": "EUR/km"}, r"unit: is 'EUR/km', but running_cost is in usd_per_km; convert the price"),
        ("tariffs", 0, {"applies_to": "XX"}, r"applies_to 'XX' is not in countries\.csv"),
        ("tariffs", 1, {"applies_to": "IT"}, r"no running_cost of road in AT"),
        ("parameters", 0, {"unit": "usd_per_day"}, r"unit: is 'usd_per_day', but vehicle_usd_per_h is in usd_per_hour"),
        ("parameters", 0, {"parameter": "charm"}, r"parameter: is 'charm'"),
        ("border_delays", 0, {"hours_p95": "9"}, r"hours_p95: is 9 at a mean of 0\.2; .*\(is hours_mid a median\?\)"),
        ("border_delays", 0, {"hours_p95": "0.1"}, r"hours_p95: is 0\.1 at a mean of 0\.2; it must lie from the mean"),
        ("border_delays", 0, {"country": "DE"}, r"brenner-innsbruck has no hours of IT, outbound; add a measured row"),
        ("border_delays", 0, {"direction": "inbound"}, r"no hours of IT, outbound; add a measured row"),
        ("border_delays", 1, {"country": "IT"}, r"point: 'brenner-innsbruck' stands twice for this side"),
        ("border_points", 0, {"point": "elsewhere"}, r"brenner-innsbruck has no hours of IT, outbound"),
        ("border_points", 0, {"link_id": "nowhere"}, r"'nowhere' is not in links\.csv"),
        ("screenlines", 0, {"link_ids": ""}, r"screenlines\.csv, brenner, link_ids: crosses no link"),
        ("screenlines", 0, {"link_ids": "gotthard"}, r"screenlines\.csv, brenner: 'gotthard' is not in links\.csv"),
        ("screenlines", 0, {"unit": "cows"}, r"unit: is 'cows'"),
        ("demand", 0, {"origin": "munich"}, r"origin and destination are one"),
        ("demand", 0, {"origin": "rome"}, r"'rome' is not in nodes\.csv"),
        ("demand", 0, {"flow_mid": "10", "flow_unit": "carts"}, r"flow_unit: is 'carts'"),
        ("branches", 0, {"via": "gotthard"}, r"via: 'gotthard' is in neither nodes\.csv nor links\.csv"),
        ("branches", 0, {"modes": "road;air"}, r"modes: holds 'air'"),
        ("branches", 0, {"origin": "innsbruck"}, r"the pair is not in demand\.csv"),
        ("actions", 0, {"measure": ""}, r"measure: names a column of the metrics"),
        ("actions", 1, {"link_id": "gotthard"}, r"actions\.csv, tunnel: 'gotthard' is not in links\.csv"),
        ("links", 7, {f"opens_year_{end}": "" for end in ("low", "mid", "high")},
         r"actions\.csv, tunnel: opens 'base-tunnel', which is construction and has no opens_year in links\.csv"),
        ("nodes", 0, {"lat": "91"}, r"lat: is '91'"),
        ("nodes", 0, {"name": "Ver\u202eona"}, r"name: holds control characters"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong(tmp_path, table, row, cells, said):
    folder = toy.alps(tmp_path)
    _edit(folder, table, row, **cells)
    with pytest.raises(CatalogueError, match=said) as fault:
        load_tables(folder)
    assert "\n" not in str(fault.value)


def test_a_way_that_would_cost_nothing_is_refused(tmp_path):
    nodes = [toy.node("a", "AA", 10, 45), toy.node("b", "AA", 10, 46)]
    free = {"kind": "running_cost", "mode": "sea", "applies_to": "*", "unit": "usd_per_km", **toy.ends("price", 0)}
    fare = {"kind": "fare", "mode": "sea", "applies_to": "ship", "unit": "usd_per_load", **toy.ends("price", 900)}
    for number, tariffs in enumerate(([free, fare], [free | toy.ends("price", 0, 0, 1)], [free])):
        folder = toy.write(tmp_path / f"{number}", nodes, [toy.link("a", "b", 100, "ship", "sea")], tariffs=tariffs)
        if tariffs == [free]:
            said = r"tariffs\.csv: ship has no fare, and running_cost of sea is 0; add one of both"
            with pytest.raises(CatalogueError, match=said):
                load_tables(folder)
        else:
            assert load_tables(folder).links


def test_what_opened_stays_open_and_a_day_to_come_may_be_asked_about(tmp_path):
    folder = toy.alps(tmp_path)
    opened = {f"opens_year_{end}": "2016" for end in ("low", "mid", "high")}
    _edit(folder, "links", 7, status="open", as_of="2031-02", **opened)
    assert load_tables(folder, "2031-03").links["base-tunnel"].status == "open"
    with pytest.raises(CatalogueError, match="row 9, as_of: 2031-02 lies in the future"):
        load_tables(folder, "2031-01-31")


def test_all_faults_are_named_at_once(tmp_path):
    folder = toy.alps(tmp_path)
    _edit(folder, "links", 0, to_node="bolzano")
    _edit(folder, "tariffs", 0, unit="EUR/km")
    _edit(folder, "screenlines", 0, link_ids="")
    with pytest.raises(CatalogueError) as fault:
        load_tables(folder)
    assert all(word in str(fault.value) for word in ("bolzano", "EUR/km", "crosses no link"))


def test_a_pair_without_a_branch_is_named(tmp_path):
    folder = toy.alps(tmp_path)
    branches = folder / "branches.csv"
    branches.write_text(branches.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match="verona to munich: has no branch"):
        load_tables(folder)


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_a_missing_file_or_column_is_named(tmp_path, name):
    folder = toy.alps(tmp_path)
    path = folder / f"{name}.csv"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    column = COLUMNS[name].split()[-1]
    path.write_text("\n".join([first.replace(f",{column}", ",colour"), *rest]) + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=re.escape(f"{name}.csv: columns missing: ['{column}']")):
        load_tables(folder)
    path.unlink()
    with pytest.raises(SourceError, match=re.escape(f"{name}.csv")):
        load_tables(folder)
