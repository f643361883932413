"""The page's section on long-distance flows: lines as wide as their shares, rows and sentences of each case."""

from __future__ import annotations

import pytest

from corridor.comparison import Comparison
from corridor.report.i18n import words
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


def test_sentences_say_what_a_closure_costs_and_to_whom(data):
    less, cut = data["cases"]["kapan-meghri-tunnel|crossroads"][2035]["said"]
    assert less["t"] == "flows.less"
    assert float(less["fill"]["usd"].replace(",", "")) > 0
    assert cut["t"] in ("flows.cut", "flows.cut_none")
    same, _ = data["cases"]["aras-rail|tripp"][2026]["said"]
    assert same["t"] == "flows.same"
    assert data["cases"]["|"][2026]["said"] == []


def test_cities_of_the_drawing_lie_in_it_and_keep_their_directions(data):
    at = {name: (x, y) for name, x, y in data["cities"]}
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in at.values())
    assert at["Tehran"][0] > at["Tabriz"][0]  # east is right
    assert at["Tbilisi"][1] < at["Yerevan"][1]  # north is up


def test_the_section_is_there_only_with_tables(view, bundled: Comparison):
    from dataclasses import replace

    assert 'id="flows"' in build_page(view)
    without = ReportView(replace(bundled.results, flow_map=None, flows={}))
    assert build_flow_data(without) is None
    assert 'id="flows"' not in build_page(without)
    assert words().known("page.flows")
