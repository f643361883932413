"""The page's section on long-distance flows: lines as wide as their shares, rows and sentences of each case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corridor.comparison import Comparison
from corridor.report.i18n import page_messages, words
from corridor.report.page.build import build_page
from corridor.report.page.flows import HEIGHT, WIDTH, build_flow_data
from corridor.report.view import ReportView


@pytest.fixture(scope="module")
def view(bundled: Comparison) -> ReportView:
    return ReportView(bundled.results)


@pytest.fixture(scope="module")
def data(view):
    return build_flow_data(view)


def test_every_case_has_a_row_for_each_pair_and_widths_for_each_line(view, data):
    pairs = view.results.flows["pairs"]
    assert len(data["pairs"]) == 12
    assert {key for key in data["cases"] if key != "|"} == {
        f"{row.candidate_id}|{row.regime_id}" for row in pairs.itertuples() if row.candidate_id
    }
    for case in data["cases"].values():
        for year in case.values():
            assert len(year["rows"]) == 12
            assert max(year["rows"]) < len(data["rows"])
            assert len(data["widths"][year["widths"]]) == len(data["lines"])


def test_widths_add_up_the_shares_of_a_cut_through_the_network(view, data):
    # one frontier between Georgia and Russia: what passes it is the share of the branches that go by it
    flows, lines = view.results.flows["flows"], view.results.flow_map.lines
    alone = flows[(flows["candidate_id"] == "") & (flows["year"] == 2026)]
    lars = alone[alone["branch"].isin(["lars", "armenia"]) & (alone["destination"] == "moscow")]["share"].sum()
    width = lines[
        (lines["candidate_id"] == "") & (lines["year"] == 2026) & (lines["link_id"] == "road-larsi-vladikavkaz")
    ]
    assert width["share_sum"].item() == pytest.approx(lars)


def test_sentences_say_what_a_truck_of_a_named_pair_pays_and_what_a_cut_costs_it(view, data):
    less, cut = data["cases"]["kapan-meghri-tunnel|crossroads"][2035]["said"]
    assert (less["t"], cut["t"]) == ("flows.truck_less", "flows.truck_cut")
    ends = ("origin", "destination")
    assert [less["fill"][end] for end in ends] == [cut["fill"][end] for end in ends]
    rows = view.results.flows["pairs"].query(
        "candidate_id == 'kapan-meghri-tunnel' and regime_id == 'crossroads' and year == 2035"
    )
    largest = rows.loc[rows["truck_change_usd"].abs().idxmax()]
    assert view.results.flow_map.places[largest["origin"]] == less["fill"]["origin"]
    for message, column in ((less, "truck_change_usd"), (cut, "truck_regret_usd")):
        assert float(message["fill"]["usd"].replace("\u202f", "")) == pytest.approx(abs(largest[column]), rel=0.006)
    # a railway changes nothing for trucks: then it is said of loads over all their ways
    rail, _ = data["cases"]["aras-rail|tripp"][2035]["said"]
    assert rail["t"] == "flows.less"
    same, _ = data["cases"]["aras-rail|tripp"][2026]["said"]
    assert same["t"] == "flows.same"
    assert data["cases"]["|"][2026]["said"] == []


def test_under_rules_without_transit_nobody_is_said_to_pay_less_but_as_if_they_allowed_it(view, data):
    closed = {regime.regime_id for regime in view.results.regimes if not regime.allows_transit}
    assert closed == {"status-quo"}
    supposed = set()
    for key, years in data["cases"].items():
        for year in years.values():
            for message in year["said"][:1]:
                if message["t"] == "answer.if_opened":
                    supposed.add(key.partition("|")[2])
                    assert message["fill"]["said"]["t"].startswith("flows.")
                elif key.partition("|")[2] in closed:
                    assert message["t"] == "flows.same"
    assert supposed == closed


def test_a_pair_that_loses_all_its_ways_is_said_before_what_others_pay(bundled):
    """It has no change in dollars, so that nothing would be said of it."""
    flows = bundled.results.flows
    pairs = flows["pairs"].copy()
    assert set(pairs["status"]) == {"open"}
    own = (pairs["candidate_id"] == "kapan-meghri-tunnel") & (pairs["regime_id"] == "crossroads")
    row = pairs.index[own & (pairs["year"] == 2035)][-1]
    pairs.loc[row, "status"] = "closed"
    pairs.loc[row, pairs.select_dtypes("float").columns] = np.nan
    view = ReportView(replace(bundled.results, flows=flows | {"pairs": pairs}))
    said = build_flow_data(view)["cases"]["kapan-meghri-tunnel|crossroads"][2035]["said"]
    places = bundled.results.flow_map.places
    assert said[0]["t"] == "flows.lost"
    assert [said[0]["fill"][end] for end in ("origin", "destination")] == [
        places[pairs.at[row, end]] for end in ("origin", "destination")
    ]


def test_every_route_under_every_set_of_rules_that_covers_it_has_a_sentence(view, data):
    metrics = view.results.metrics
    for row in metrics.to_dict("records"):
        key = f"{row['candidate_id']}|{row['regime_id']}"
        assert (key in data["cases"]) != (key in data["unknown"])
    unknown = data["unknown"]["aras-road|sealed"]
    assert unknown["t"] == "flows.undetermined"
    (row,) = metrics.query("candidate_id == 'aras-road' and regime_id == 'sealed'").to_dict("records")
    assert float(unknown["fill"]["high"].replace("\u202f", "")) == pytest.approx(row["flow_cost_usd_high"], rel=0.006)


def _way(data, case, year, origin, destination, kind="truck"):
    index = next(at for at, pair in enumerate(data["pairs"]) if pair[:2] == [origin, destination])
    row = data["rows"][data["cases"][case][year]["rows"][index]]
    return data["ways"][row[0] if kind == "truck" else row[6]]


def test_who_controls_a_way_can_be_read(view, data):
    truck = _way(data, "|", 2026, "Tehran", "Yerevan")
    assert {code: int(km) for code, km in truck["km"]} == {"IR": 817, "AM": 384}
    # Agarak is where the customs union begins
    assert truck["borders"] == [["Norduz", "Agarak", ["EAEU"]]]
    low, middle, high = truck["days"]
    assert low < middle < high
    spoken = page_messages(view.results)["ru"]
    assert {spoken[f"text:{union}"] for way in data["ways"] for *_, unions in way["borders"] for union in unions} == {
        "ЕАЭС", "таможенный союз с ЕС"
    }  # fmt: skip
    sea = _way(data, "|", 2026, "Mumbai", "Moscow")
    assert dict(sea["km"])["sea"] == "2030"
    assert "IN" not in dict(sea["km"])
    # from Aktau the border is passed from Aktau
    ship = _way(data, "|", 2026, "Aktau and Kuryk", "Mersin")
    assert ship["borders"][0][0] == "Aktau and Kuryk"


def test_all_ways_of_a_pair_stand_with_their_shares(view, data):
    flows = view.results.flows["flows"]
    for case, year in (("|", 2026), ("aras-rail|tripp", 2035)):
        candidate, regime = case.split("|")
        own = flows[
            (flows["candidate_id"] == candidate) & (flows["regime_id"] == regime) & (flows["year"] == year)
        ]  # fmt: skip
        chosen = [data["choices"][number] for number in data["cases"][case][year]["choices"]]
        assert len(chosen) == len(own) == len(data["branches"])
        for row, branch, (low, middle, high, share, _) in zip(own.itertuples(), data["branches"], chosen, strict=True):
            assert branch[0] == view.results.flow_map.branches[row.origin, row.destination, row.branch]
            assert data["pairs"][branch[2]][0] == view.results.flow_map.places[row.origin]
            assert share == pytest.approx(100 * row.share, abs=0.051)
            if middle is not None:
                assert low <= middle <= high
                assert middle == pytest.approx(row.cost_usd, rel=0.006)


def test_hours_and_needed_countries_of_a_truck_can_be_read(view, data):
    truck = _way(data, "|", 2026, "Tehran", "Poti")
    assert sum(truck["hours"]) == pytest.approx(24 * truck["days"][1], rel=0.01)
    table = view.results.flows["dependence"].query(
        "origin == 'tehran' and destination == 'poti' and mode == 'road' and candidate_id == '' and year == 2026"
    )
    assert dict(truck["without"]) == {
        row.country: pytest.approx(row.dependence, rel=0.006) for row in table.itertuples()
    }  # fmt: skip


def test_railways_of_a_way_have_their_operators_breaks_of_gauge_and_years(data):
    north = _way(data, "|", 2026, "Yerevan", "Moscow", "rail")
    assert "South Caucasus Railway (concession of Russian Railways)" in north["operators"]
    assert (north["breaks"], north["missing"], north["unnamed"]) == (0, 0, [])
    # the line across Meghri isn't in the concession: nobody is named for it
    south = _way(data, "aras-rail|tripp", 2035, "Baku", "Nakhchivan", "rail")
    assert south["operators"] == ["Azerbaijan Railways"]
    # the section across Meghri is documented as 42 to 45 km
    assert 42 <= int(dict(south["unnamed"])["AM"]) <= 45
    assert south["own"] > 60
    assert any("concession" in note for _, note in data["notes"])
    assert _way(data, "|", 2026, "Tabriz", "Yerevan", "rail")["breaks"] == 1


def test_cities_of_the_drawing_lie_in_it_and_keep_their_directions(data):
    at = {name: (x, y) for name, x, y in data["cities"]}
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in at.values())
    assert at["Tehran"][0] > at["Tabriz"][0]  # east is right
    assert at["Tbilisi"][1] < at["Yerevan"][1]  # north is up


def test_the_section_is_there_only_with_tables(bundled: Comparison, bundled_folder: Path):
    from dataclasses import replace

    assert 'id="flows"' in (bundled_folder / "comparison.html").read_text(encoding="utf-8")
    without = ReportView(replace(bundled.results, flow_map=None, flows={}))
    assert build_flow_data(without) is None
    assert 'id="flows"' not in build_page(without)
    assert words().known("page.flows")
