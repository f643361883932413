"""The long-distance tables that ship with the toolkit: sound, sourced, and in keeping with what is documented."""

from __future__ import annotations

import csv
import re

import pytest

from corridor.flows.changes import Case, LinkChange
from corridor.flows.model import FlowModel
from corridor.flows.tables import COLUMNS, find_tables, load_tables
from corridor.geo.geodesy import distance_m
from corridor.schema.study import Study
from docs.tools import long_distance as page
from tests.flows import toy


@pytest.fixture(scope="module")
def tables():
    return load_tables(find_tables(Study.bundled("syunik")))


@pytest.fixture(scope="module")
def model(tables):
    return FlowModel(tables, "documented")


def _pair(tables, origin, destination):
    return next(pair for pair in tables.pairs if pair.key == (origin, destination))


def _branch(model, pair, year, branch, case=None):
    result = model.pair(_pair(model.tables, *pair), model.state(year, case or Case()))
    return next(found for found in result.branches if found.branch.branch_id == branch)


def test_it_has_the_corridors_that_are_asked_about(tables):
    assert 60 <= len(tables.nodes) <= 80
    assert sum(link.status == "open" for link in tables.links.values()) > 100
    axes = [pair.axis for pair in tables.pairs]
    assert (axes.count("north-south"), axes.count("east-west")) == (8, 4)
    assert {node.country for node in tables.nodes.values()} == {"AM", "AZ", "GE", "IN", "IR", "KZ", "RU", "TM", "TR"}


def test_every_source_is_used_and_has_a_licence(tables):
    used = {key for row in tables.delays.rows for key in row.source_ids}
    for name in COLUMNS:
        if "source_ids" in COLUMNS[name].split():
            with (tables.folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    used.update(row["source_ids"].split(";"))
    assert used == set(tables.sources)
    assert all(source.licence and source.publisher for source in tables.sources.values())


def test_rows_of_general_knowledge_are_never_of_high_confidence(tables):
    rows = [*tables.nodes.values(), *tables.links.values(), *tables.transfers]
    for row in [*(row.origin for row in rows), *tables.delays.rows]:
        if set(row.source_ids) <= {"general-knowledge", "declared"}:
            assert row.confidence in ("L", "M"), row


def test_no_link_is_shorter_than_the_straight_line(tables):
    for link in tables.links.values():
        a, b = tables.nodes[link.from_node], tables.nodes[link.to_node]
        straight = float(distance_m(a.lon, a.lat, b.lon, b.lat)) / 1000
        if straight > 10:  # both sides of a border are drawn apart
            assert 0.99 * straight <= link.length_km.high, link.link_id
            assert link.length_km.low <= 2.7 * straight, link.link_id


def test_the_forum_s_package_is_one_as_a_scenario_and_as_a_regime(tables):
    opened = {row.link_id for row in tables.actions if row.regime_id == "package-3plus3" and row.action == "open"}
    assert opened == set(tables.scenarios["package-3plus3"].opened)


def test_the_closures_of_2026_are_dated_and_attributed(tables):
    scenario = tables.scenarios["closures-2026"]
    assert "2026-03-05 to 03-09" in scenario.origin.note
    assert scenario.origin.as_of.startswith("2026")
    assert scenario.origin.source_ids
    assert {"road-astara-ir-astara-az", "sea-mumbai-bandar-abbas"} <= set(scenario.closed)
    # the one border of Armenia with Iran stayed open
    assert "road-norduz-agarak" not in scenario.closed


def test_closed_borders_are_closed_and_no_scenario_opens_one_in_silence(tables):
    for link in ("road-margara-igdir", "road-yeraskh-sadarak", "rail-sadarak-yeraskh", "road-ijevan-agstafa"):
        assert tables.links[link].status in ("closed", "disused")
        assert link not in FlowModel(tables, "documented").state(2035).links
        assert link in FlowModel(tables, "package-3plus3").state(2026).links


@pytest.mark.parametrize(
    ("pair", "branch", "kilometres"),
    [
        # Tehran-Tabriz 620, Tabriz-Jolfa 132, Jolfa-Norduz 60-65, M2 384.3
        (("tehran", "yerevan"), "norduz", (1195, 1205)),
        (("yerevan", "kars"), "georgia-road", (1200, 1400)),
    ],
)
def test_ways_are_as_long_as_their_documented_pieces(model, pair, branch, kilometres):
    way = _branch(model, pair, 2026, branch).mid
    assert kilometres[0] <= way.total("km") <= kilometres[1]


def test_the_m2_is_as_long_as_documented(model):
    way = _branch(model, ("tehran", "yerevan"), 2026, "norduz").mid
    armenia = [i for i in way.link_ids if model.tables.links[i].countries == ("AM",)]
    assert sum(model.tables.links[i].length_km.mid for i in armenia) == pytest.approx(384.3, abs=3)


def test_documented_days_lie_within_the_computed_ranges(model):
    # Moscow region-Aprin by the eastern branch took 13 days (2025-11)
    east = _branch(model, ("tehran", "moscow"), 2026, "east-rail")
    assert east.low.trip_h / 24 <= 13 <= east.high.trip_h / 24
    # Mumbai-Moscow 14 to 20 days claimed for the corridor
    west = _branch(model, ("mumbai", "moscow"), 2026, "west-rail")
    assert west.low.trip_h / 24 <= 14
    assert west.high.trip_h / 24 >= 20


def test_no_road_candidate_moves_tehran_to_moscow_by_the_western_branch(model):
    gate = Case("any", "", (LinkChange("road-agarak-meghri", closes=True),))
    for branch in ("west-road", "west-rail", "caspian", "east-rail"):
        before = _branch(model, ("tehran", "moscow"), 2035, branch).cost_usd
        assert _branch(model, ("tehran", "moscow"), 2035, branch, gate).cost_usd == before


def test_a_gates_minutes_cost_far_less_than_a_closure(model):
    pair = _pair(model.tables, "tehran", "yerevan")
    before = model.best_cost(pair, model.state(2026), modes=("road",))[0]
    gate = Case("gate", "", (LinkChange("road-agarak-meghri", extra_h=toy.exactly(0.5)),))
    shut = Case("shut", "", (LinkChange("road-agarak-meghri", closes=True),))
    by_gate, by_closure = (
        model.best_cost(pair, model.state(2026, case), modes=("road",))[0] - before for case in (gate, shut)
    )
    assert 0 < by_gate < 20
    assert by_closure > 30 * by_gate


def test_the_tunnel_roads_save(model):
    tunnel = tuple(
        LinkChange(link, opens=True)
        for link in ("road-tunnel-south-kajaran-tunnel", "road-agarak-tunnel-south-new", "road-sisian-kajaran-new")
    )
    case = Case("tunnels", "", tunnel)
    pair = _pair(model.tables, "tehran", "yerevan")
    now, then = (
        model.best_cost(pair, model.state(2035, case, built=built), modes=("road",))[0] for built in (True, False)
    )
    assert now < then - 100


def test_cutting_any_link_never_helps_anybody(model):
    state = model.state(2026)
    for pair in model.tables.pairs:
        whole = model.pair(pair, state, ends=())
        for link in sorted({i for b in whole.branches if b.mid for i in b.mid.link_ids}):
            cut = model.state(2026, Case("cut", "", (LinkChange(link, closes=True),)))
            less = model.pair(pair, cut, ends=())
            assert less.logsum_usd >= whole.logsum_usd - 1e-9
            for a, b in zip(less.branches, whole.branches, strict=True):
                assert a.cost_usd >= b.cost_usd - 1e-9


@pytest.mark.parametrize("name", ["DOCUMENTED", "PAIRS", "HOLDS"])
def test_the_tables_of_the_page_are_what_is_computed(model, name):
    render = {
        "DOCUMENTED": page.render_documented, "PAIRS": page.render_pairs, "HOLDS": page.render_holds
    }[name]  # fmt: skip
    stored = (page.SNIPPETS / getattr(page, name)).read_text(encoding="utf-8")
    assert stored.split("\n\n")[0] == render(model).rstrip("\n")


def test_the_page_of_tables_names_every_column():
    text = (page.SNIPPETS.parent / "reference" / "long-distance.md").read_text(encoding="utf-8")
    for name, columns in COLUMNS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}.csv` |"))
        named = set(re.findall(r"`(\w+_…|\w+)`", row))
        for column in columns.split():
            prefix = re.sub(r"_(low|mid|high)$", "_…", column)
            tail = column in ("source_ids", "as_of", "confidence", "note")
            assert {column, prefix} & named or tail, f"{name}: {column}"
