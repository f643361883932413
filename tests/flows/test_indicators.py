"""Indicators against closed forms, brute force and the formulas written out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corridor.flows.changes import (
    NETWORK_ALONE,
    Case,
    LinkChange,
    build_cases,
    merge_changes,
    without_undetermined,
)
from corridor.flows.indicators import (
    access_potentials,
    availability,
    check_documented,
    link_regrets,
    measure_rail,
    network_efficiency,
)
from corridor.flows.model import FlowModel, describe_control, loads_per_day
from corridor.flows.results import measure_flows
from corridor.flows.rows import Tariff
from corridor.flows.sensitivity import describe_sensitivity
from corridor.flows.tables import load_tables
from corridor.report.i18n import render
from corridor.schema.catalogue import BorderDelays, Estimate
from tests.flows import toy


@pytest.fixture
def alps(tmp_path):
    return load_tables(toy.alps(tmp_path))


def test_potentials_halve_at_the_half_life():
    costs = np.array([[0.0, 100.0, 300.0], [100.0, 0.0, np.inf], [300.0, np.inf, 0.0]])
    masses = np.array([10.0, 20.0, 40.0])
    found = access_potentials(costs, masses, 100.0)
    assert found == pytest.approx([20 / 2 + 40 / 8, 10 / 2, 10 / 8])


def test_efficiency_is_the_mean_detour_by_mass():
    costs = np.array([[0.0, 200.0, 900.0], [200.0, 0.0, np.inf], [900.0, np.inf, 0.0]])
    ideal = np.array([[0.0, 100.0, 300.0], [100.0, 0.0, 1.0], [300.0, 1.0, 0.0]])
    found = network_efficiency(costs, ideal, np.array([1.0, 2.0, 6.0]))
    assert found == pytest.approx([(2 * 2 + 6 * 3) / 8, 2.0, 3.0])
    assert math.isnan(network_efficiency(np.full((1, 1), np.inf), ideal[:1, :1], np.array([1.0]))[0])


def test_availability_is_an_interval_since_closures_may_coincide(alps):
    links = [alps.links[i] for i in ("verona-brenner", "brenner-innsbruck", "innsbruck-munich")]
    low, high = availability(links, Estimate(0, 1, 5))
    assert low == pytest.approx(1 - (3 + 12 + 5) / 365)
    assert high == pytest.approx(1 - 1 / 365)
    assert availability([], Estimate(0, 1, 5)) == (1.0, 1.0)
    many = availability([links[1]] * 60, Estimate(0, 1, 5))
    assert many[0] == 0.0


def test_rail_lacks_what_isnt_open_yet(alps):
    links = [alps.links[i] for i in ("rail-south", "base-tunnel", "rail-north")]
    facts = measure_rail(links, ["rail-1435"] * 3, ["rail-south", "rail-north"], 2026)
    assert facts.missing_km == Estimate(55, 55, 55)
    assert facts.breaks_of_gauge == 0
    assert facts.least_capacity_mt_per_year == 20
    assert facts.unknown_capacity_km == 172
    assert facts.earliest_year == Estimate(2031, 2032, 2035)
    broken = measure_rail(links, ["rail-1435", "rail-1520", "rail-1435"], [link.link_id for link in links], 2026)
    assert broken.breaks_of_gauge == 2
    assert broken.missing_km.mid == 0


def test_a_link_nobody_dates_leaves_the_earliest_year_open(alps):
    undated = alps.links["base-tunnel"].__class__(
        **{name: getattr(alps.links["base-tunnel"], name) for name in alps.links["base-tunnel"].__slots__}
        | {"opens_year": None}
    )
    assert measure_rail([undated], ["rail-1435"], [], 2026).earliest_year is None


def test_regret_is_never_below_nothing_and_endless_where_there_is_no_other_way():
    costs = {"a": 150.0, "b": 100.0, "c": math.inf}
    assert link_regrets(costs, 100.0, costs.__getitem__) == {"a": 50.0, "b": 0.0, "c": math.inf}


def test_dependence_and_regret_by_removal_by_hand(alps):
    model = FlowModel(alps)
    results = measure_flows(model, [Case()], [2026])
    pair, state = alps.pairs[0], model.state(2026)
    road = results.dependence.query("mode == 'road'").set_index("country")
    # the best road goes by the Brenner; without Austria there is none, Italy and Germany are the pair's own
    assert list(road.index) == ["AT"]
    assert road.loc["AT", "status"] == "no way without it"
    assert math.isnan(road.loc["AT", "dependence"])
    brenner, tauern = (model.pair(pair, state).branches[k].cost_usd for k in (0, 1))
    regret = results.regret.query("mode == 'road'").set_index("link_id")["regret_usd"]
    assert set(regret.index) == {"verona-brenner", "brenner-innsbruck", "innsbruck-munich"}
    assert regret.to_numpy() == pytest.approx([tauern - brenner] * 3)


def test_control_is_described_by_country_and_border(alps):
    model = FlowModel(alps)
    way = model.pair(alps.pairs[0], model.state(2026)).branches[0].mid
    assert way is not None
    control = describe_control(alps, way)
    assert control["km_by_country"] == "IT 231; AT 111; DE 85"
    assert control["borders"] == "IT-AT; AT-DE"
    assert control["customs_lines"] == 0


def test_cases_take_minutes_from_what_was_measured(alps):
    measured = {
        ("toll-gate", "gated"): {"gate_min": 45.0},
        ("toll-gate", "sealed"): {"gate_min": None, "gate_min_status": "unreachable"},
        ("toll-gate", "elsewhere"): {"gate_min": None, "gate_min_status": "not_applicable"},
        ("toll-gate", "unsure"): {"gate_min": None},
        ("tunnel", "gated"): {"gate_min": 45.0},
    }
    found = {(c.candidate_id, c.regime_id): c.changes for c in build_cases(alps, measured)}
    assert found[("", "")] == ()
    assert found[("toll-gate", "gated")] == (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.75)),)
    assert found[("toll-gate", "sealed")] == (LinkChange("brenner-innsbruck", closes=True),)
    assert found[("toll-gate", "elsewhere")] == (LinkChange("brenner-innsbruck"),)
    assert found[("toll-gate", "unsure")] == (LinkChange("brenner-innsbruck", unknown="gate_min"),)
    assert found[("tunnel", "gated")] == (LinkChange("base-tunnel", opens=True),)
    ranged = {("toll-gate", "gated"): {"gate_min": 45.0, "gate_min_low": 0.0, "gate_min_high": 90.0}}
    (change,) = build_cases(alps, ranged)[1].changes
    assert change.extra_h == Estimate(0.0, 0.75, 1.5)


def test_routes_act_by_their_openings_alone_only_where_none_was_measured(alps):
    """Where nothing that was measured is determined, no route acts."""
    assert [case.candidate_id for case in build_cases(alps)] == ["", "toll-gate", "tunnel"]
    row = {"gate_min": None, "gate_min_status": "undetermined"}
    assert build_cases(alps, without_undetermined(alps, {("toll-gate", "gated"): row})) == [NETWORK_ALONE]


def test_a_delay_nobody_measured_is_said_and_not_taken_for_none(alps):
    cases = build_cases(alps, {("toll-gate", "unsure"): {"gate_min": None}})
    results = measure_flows(FlowModel(alps), cases, [2026])
    assert any("gate_min wasn't measured" in render(note) for note in results.notes)


def test_changes_of_one_link_come_together():
    changes = [
        LinkChange("a", extra_h=Estimate(0.1, 0.5, 2.0)), LinkChange("a", closes=True),
        LinkChange("a", extra_h=toy.exactly(0.25)),
    ]  # fmt: skip
    assert merge_changes(changes) == {"a": LinkChange("a", closes=True, extra_h=Estimate(0.35, 0.75, 2.25))}


def test_tables_say_what_a_candidate_opens_shuts_and_costs(alps):
    cases = [
        Case(),
        Case("tunnel", "", (LinkChange("base-tunnel", opens=True),)),
        Case("toll-gate", "sealed", (LinkChange("brenner-innsbruck", closes=True),)),
        Case("toll-gate", "gated", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.5)),)),
    ]
    results = measure_flows(FlowModel(alps), cases, [2026, 2040])
    flows = results.flows.set_index(["candidate_id", "regime_id", "year", "branch"])
    assert flows.loc[("tunnel", "", 2040, "rail"), "status"] == "opened"
    assert flows.loc[("tunnel", "", 2026, "rail"), "status"] == "no way"
    assert flows.loc[("tunnel", "", 2026, "rail"), "share"] == 0.0
    assert flows.loc[("toll-gate", "sealed", 2026, "brenner"), "status"] == "closed"
    assert flows.loc[("toll-gate", "gated", 2026, "brenner"), "change_usd"] == pytest.approx(10.0)
    shares = results.flows.groupby(["candidate_id", "regime_id", "year"])["share"].sum()
    assert shares.to_numpy() == pytest.approx(np.ones(len(shares)))
    pairs = results.pairs.set_index(["candidate_id", "regime_id", "year"])
    assert pairs.loc[("tunnel", "", 2040), "logsum_change_usd"] < 0
    assert pairs.loc[("toll-gate", "sealed", 2026), "logsum_change_usd"] > 0
    assert pairs.loc[("", "", 2026), "logsum_change_usd"] == 0.0


def test_a_fee_that_nobody_quotes_is_said_to_count_as_nothing(alps):
    # one row is of both directions of one side
    first, *rest = alps.delays.rows
    unquoted = replace(alps, delays=BorderDelays((replace(first, fee_usd=None), *rest)))
    quoted, said = (
        [render(note) for note in measure_flows(FlowModel(tables), [Case()], [2026]).notes if "fees" in note.key]
        for tables in (alps, unquoted)
    )
    assert quoted == []
    assert said[0].startswith("Sides of borders whose fee no document quotes, each way: 2. There it counts as nothing")


def test_countries_that_trucks_enter_for_nothing_are_named(alps):
    fee = Tariff("entry_fee", "road", "AT", Estimate(10, 10, 10), alps.links["rail-south"].origin)
    quoted = {**alps.tariffs, ("entry_fee", "road", "AT"): fee}
    for tariffs, countries in ((alps.tariffs, "AT, Country DE, Country IT"), (quoted, "DE, Country IT")):
        notes = measure_flows(FlowModel(replace(alps, tariffs=tariffs)), [Case()], [2026]).notes
        (said,) = [render(note) for note in notes if note.key == "flows.assumes_entry"]
        assert said == (
            f"Countries whose fee on entering the tables don't give for trucks: Country {countries}. "
            "There it counts as nothing."
        )


def test_a_pair_without_any_way_is_named(tmp_path):
    closed = {
        "scenario_id": "shut",
        "name": "Shut",
        "works": "none",
        "closed_links": "verona-brenner;verona-tarvis;rail-south",
    }
    tables = load_tables(toy.alps(tmp_path, scenarios=[closed]))
    results = measure_flows(FlowModel(tables), [Case()], [2026])
    assert "Verona to Munich has no way in 2026" in [render(note) for note in results.notes]
    assert results.flows["share"].tolist() == [0.0, 0.0, 0.0]
    assert results.flows["cost_usd"].isna().all()


def test_a_million_tonnes_a_year_are_loads_a_day():
    assert loads_per_day(Estimate(0, 7.3, 9), "mt_per_year") == pytest.approx(1000.0)
    assert loads_per_day(Estimate(0, 450, 900), "trucks_per_day") == 450


def _documented(**cells):
    return {
        "check_id": "a", "name": "A", "from_node": "verona", "to_node": "munich", "modes": "road", "year": 2026,
        "measure": "km", **cells,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "computed", "verdict"),
    [
        ({**toy.ends("value", 420, 427, 430)}, 230 + 37 + 160, "inside"),
        ({"via": "tarvis", **toy.ends("value", 100)}, 300 + 190 + 145, "differs"),
        ({"via": "brenner", "against_via": "tarvis", **toy.ends("value", 208)}, 635 - 427, "inside"),
        ({"measure": "drive_h", **toy.ends("value", 8.54)}, 427 / 50, "inside"),
        ({"measure": "speed_without_rest_kmh", **toy.ends("value", 45, 46, 47)}, 427 / (427 / 50 + 4 * 0.2), "inside"),
        (toy.ends("value", 430), 427, "close"),
        ({"measure": "usd_per_500km", **toy.ends("value", 480, 500, 520)}, 500.0, "inside"),
        ({"modes": "rail", **toy.ends("value", 400)}, None, "no way"),
    ],
)
def test_documented_figures_are_held_against_computed_ones(tmp_path, cells, computed, verdict):
    tables = load_tables(toy.alps(tmp_path, documented=[_documented(**cells)]))
    (found,) = check_documented(FlowModel(tables))
    assert found.verdict == verdict
    assert (found.computed.mid if found.computed else None) == (computed and pytest.approx(computed))


def test_what_survives_all_ranges_is_counted():
    rows = [
        ("best branch", "a", True, ""),
        ("best branch", "a", False, "speed low: b"),
        ("sign of the change", "lower", False, "theta_per_usd high: none; speed low: higher"),
        ("sign of the change", "none", False, "theta_per_usd low: lower"),
        ("sign of the change", "higher", True, ""),
    ]
    found = describe_sensitivity(pd.DataFrame(rows, columns=["result", "value", "holds", "hangs_on"]))
    by = {message.key: message.values for message in found}
    assert by["flows.best_holds"] == {"holds": 1, "count": 2}
    assert by["flows.signs_hold"] == {"holds": 1, "count": 3, "turned": 1}
    assert render(by["flows.hang_on"]["ranges"]) == "speed 2, theta_per_usd 2"
    assert describe_sensitivity(pd.DataFrame(columns=["result", "value", "holds", "hangs_on"])) == ()


def test_the_middle_of_a_difference_is_that_of_the_middles(tmp_path):
    row = _documented(via="brenner", against_via="tarvis", **toy.ends("value", 200, 208, 220))
    model = FlowModel(load_tables(toy.alps(tmp_path, documented=[row])))
    network = {end: model.network(model.state(2026), end) for end in ("low", "mid", "high")}
    ways = {
        end: [network[end].best_way("verona", "munich", modes=("road",), via=(via,)) for via in ("brenner", "tarvis")]
        for end in network
    }
    each = {end: b.total("km") - a.total("km") for end, (a, b) in ways.items()}
    (found,) = check_documented(model)
    assert found.computed == Estimate(min(each.values()), each["mid"], max(each.values()))
