"""What a candidate does to the flows of an axis, and how it comes into a comparison."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from corridor.comparison import Comparison
from corridor.flows.changes import Case, LinkChange, build_case
from corridor.flows.cost import logsum_usd
from corridor.flows.indicators import cost_to_flows, regret_if_closed
from corridor.flows.model import FlowModel
from corridor.flows.results import measure_flows
from corridor.flows.sensitivity import measure_sensitivity
from corridor.flows.tables import find_tables, load_tables
from corridor.metrics.flows import measure_flow_cost, measure_flow_regret
from corridor.report.i18n import render
from corridor.schema.catalogue import Estimate
from corridor.schema.settings import LANGUAGES
from corridor.schema.study import Study
from tests.flows import toy
from tests.metrics.figures import row_of


@pytest.fixture
def model(tmp_path):
    return FlowModel(load_tables(toy.alps(tmp_path)))


def _logsum(model, state):
    result = model.pair(model.tables.pairs[0], state, ends=())
    return logsum_usd(np.array([b.cost_usd for b in result.branches]), np.ones(3), model.theta())


def test_a_gate_costs_flows_its_part_of_its_minutes(model):
    gate = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.5)),))
    found = cost_to_flows(model, gate, 2026)
    assert found is not None
    assert found.mid == pytest.approx(_logsum(model, model.state(2026, gate)) - _logsum(model, model.state(2026)))
    # at the low end an hour is worth 10 dollars, at the high end 30; only those who pass pay
    assert 0 < found.low < 0.5 * 10
    assert found.low < found.mid < 0.5 * 20
    assert found.mid < found.high <= 0.5 * 30


@pytest.mark.parametrize("opens", [False, True])
def test_what_a_gate_costs_lies_between_its_ends_at_all_hours_and_ends_of_theta(model, opens):
    """Also where the route saves something else: the least of both is not at one end of all ranges."""
    tunnel = (LinkChange("base-tunnel", opens=True),) if opens else ()
    case = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=Estimate(0.0, 0.5, 6.0)), *tunnel))
    for measure in (cost_to_flows, regret_if_closed):
        whole = measure(model, case, 2040)
        for hours, theta in product((0.0, 0.2, 0.5, 3.0, 6.0), (0.001, 0.01, 0.1)):
            changes = (replace(case.changes[0], extra_h=toy.exactly(hours)), *tunnel)
            parameters = model.tables.parameters | {"theta_per_usd": toy.exactly(theta)}
            certain = FlowModel(replace(model.tables, parameters=parameters))
            one = measure(certain, Case("gate", "", changes), 2040)
            assert whole.low <= one.low + 1e-9 <= one.mid + 2e-9 <= one.high + 3e-9 <= whole.high + 4e-9
        if not opens and measure is cost_to_flows:
            assert whole.low == 0.0  # a gate that may delay nobody may cost nothing


def test_the_range_of_a_branch_holds_that_of_its_delay(model):
    """At the ends of a branch's cost its delay stands at its ends too, as prices do."""
    pair = model.tables.pairs[0]

    def branch(hours):
        case = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=hours),))
        return next(b for b in model.pair(pair, model.state(2026, case)).branches if b.branch.branch_id == "brenner")

    whole, none, most = (branch(hours) for hours in (Estimate(0.0, 0.5, 6.0), toy.exactly(0.0), toy.exactly(6.0)))
    costs = [whole.low.cost_usd, whole.mid.cost_usd, whole.high.cost_usd]
    assert costs == pytest.approx([none.low.cost_usd, none.mid.cost_usd + 0.5 * 20, most.high.cost_usd])


def test_a_pair_without_any_way_neither_pays_nor_makes_a_route_unreachable(tmp_path):
    """A route has done nothing to those who had no way before it."""
    tables = load_tables(toy.alps(tmp_path))
    (pair,) = tables.pairs
    nowhere = replace(pair, origin="munich", destination="verona")  # no branch leads there
    model, both = FlowModel(tables), FlowModel(replace(tables, pairs=(pair, nowhere)))
    assert both.missing_pairs(both.state(2026)) == [nowhere]
    gate = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.5)),))
    stake = Case("risky", "", (LinkChange("brenner-innsbruck", at_stake=True),))
    assert cost_to_flows(both, gate, 2026) == cost_to_flows(model, gate, 2026)
    assert regret_if_closed(both, stake, 2026) == regret_if_closed(model, stake, 2026)
    answers = measure_sensitivity(both, [gate], 2026).set_index("origin")["value"]
    assert (answers["verona"], answers["munich"]) == ("higher", "none")


@pytest.mark.parametrize(("counted", "theta"), [((0.004,) * 2, 0.004), ((0.0004,) * 2, 0.0004), ((0.004, 0.03), 0.01)])
def test_theta_that_counts_tell_is_what_shares_and_logsums_are_made_with(tmp_path, counted, theta):
    """Counts that no one theta explains leave the declared 0.01."""
    model = FlowModel(toy.counted(tmp_path, *counted))
    found = measure_flows(model, [Case()], [2026])
    thetas = [model.theta(end) for end in ("low", "mid", "high")]
    assert thetas == pytest.approx([min(0.001, theta), theta, 0.1], rel=1e-5)
    weights = [math.exp(-theta * usd) for usd in (280, 392)]
    assert found.flows["share"].tolist() == pytest.approx([w / sum(weights) for w in weights], rel=1e-5)
    assert found.pairs["logsum_usd"].item() == pytest.approx(-math.log(sum(weights)) / theta, rel=1e-5)
    assert found.counts["theta_per_usd"].tolist() == pytest.approx([theta] * 2, rel=1e-5)
    said = [render(note) for note in found.notes if note.key.startswith("flows.theta")]
    assert ("is fitted to the counts" in said[0]) == (len(set(counted)) == 1)
    assert len(said) == 1


def test_tables_say_which_pairs_lose_all_their_ways(tmp_path):
    tables = load_tables(toy.alps(tmp_path))
    cut = Case("cut", "", tuple(LinkChange(i, closes=True) for i in ("verona-brenner", "verona-tarvis")))
    shut = FlowModel(tables)
    found = measure_flows(shut, [Case(), cut], [2026], tables=("pairs",)).pairs
    assert found["status"].tolist() == ["open", "closed"]
    assert found["logsum_usd"].isna().tolist() == found["logsum_change_usd"].isna().tolist() == [False, True]


def test_where_no_pair_is_north_south_no_cost_of_such_pairs_is_known(model):
    """A sum over nobody isn't a route that costs nothing."""
    gate = Case("gate", "", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(0.5)),))
    nobody = FlowModel(replace(model.tables, pairs=()))
    for name, measure in (("flow_cost_usd", measure_flow_cost), ("flow_regret_usd", measure_flow_regret)):
        row = row_of(measure, flow_model=nobody, flow_case=gate)
        assert np.isnan(row[name])
        assert row[f"{name}_status"] == "not_applicable"


def test_what_is_opened_is_a_gain_and_what_is_at_stake_a_regret(model):
    tunnel = Case("tunnel", "", (LinkChange("base-tunnel", opens=True),))
    gain, loss = cost_to_flows(model, tunnel, 2040), regret_if_closed(model, tunnel, 2040)
    assert gain is not None
    assert loss is not None
    assert gain.mid < 0
    assert loss.mid == pytest.approx(-gain.mid)
    risky = Case("risky", "", (LinkChange("brenner-innsbruck", at_stake=True),))
    assert cost_to_flows(model, risky, 2026).mid == 0
    regret = regret_if_closed(model, risky, 2026)
    shut = model.state(2026, Case("shut", "", (LinkChange("brenner-innsbruck", closes=True),)))
    assert regret.mid == pytest.approx(_logsum(model, shut) - _logsum(model, model.state(2026)))


def test_a_case_that_leaves_a_pair_without_a_way_has_no_figure(model):
    cut = Case("cut", "", tuple(LinkChange(i, closes=True) for i in ("verona-brenner", "verona-tarvis")))
    assert cost_to_flows(model, cut, 2026) is None


def test_a_stake_is_read_from_what_was_measured(tmp_path):
    actions = [
        {
            "candidate_id": "*", "regime_id": "*", "link_id": "brenner-innsbruck", "action": "stake",
            "measure": "if_closed",
        }
    ]  # fmt: skip
    tables = load_tables(toy.alps(tmp_path, actions=actions))
    for value, stake in (("unreachable", True), ("slower", False), ("open", False), ("not_applicable", False)):
        (change,) = build_case(tables, "any", "", {"if_closed": value}).changes
        assert change.at_stake == stake
        assert not change.unknown
    assert build_case(tables, "any", "", {}).changes[0].unknown == "if_closed"
    assert build_case(tables, "any", "").changes == ()


# In a comparison.


def test_a_comparison_has_the_flows_of_each_candidate_and_regime(bundled: Comparison):
    flows = bundled.flows
    assert {"", "aras-rail", "kars-nakhchivan"} <= set(flows["candidate_id"])
    sums = flows.groupby(["candidate_id", "regime_id", "year", "origin", "destination"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
    assert set(bundled.results.flows) == {"flows", "pairs", "control", "dependence", "potentials"}


def test_a_closure_costs_north_south_flows_far_more_than_gates(bundled: Comparison):
    rows = bundled.metrics.set_index(["candidate_id", "regime_id"])
    # where the road meets others isn't known: nothing at best, and at worst
    gates, closure = rows.loc[("aras-road", "article-9")], rows.loc[("aras-road", "sealed")]
    assert gates["flow_cost_usd_status"] == closure["flow_cost_usd_status"] == "undetermined"
    assert gates["flow_cost_usd_low"] == closure["flow_cost_usd_low"] == 0
    # the worst end holds the high end of all declared ranges too: an hour and a quarter at gates
    assert 0 < gates["flow_cost_usd_high"] < 25
    assert closure["flow_cost_usd_high"] > 50 * gates["flow_cost_usd_high"]
    # a railway that no road crosses at grade costs them nothing, and the tunnel road saves
    assert rows.loc[("aras-rail", "tripp"), "flow_cost_usd"] == 0
    assert rows.loc[("kapan-meghri-tunnel", "crossroads"), "flow_cost_usd_high"] < 0


def test_flows_are_written_and_every_column_is_described(bundled_folder: Path):
    for name in ("flows", "pairs", "control", "dependence", "potentials"):
        assert (bundled_folder / f"{name}.csv").is_file()
    dictionary = (bundled_folder / "data_dictionary.csv").read_text(encoding="utf-8")
    assert "flows.csv,cost_usd_low,number,USD/load,lower end of: generalised cost" in dictionary
    assert "metrics.csv,flow_regret_usd,number,USD/load" in dictionary


def test_sources_of_the_flow_tables_are_among_the_documents(bundled_folder: Path):
    manifest = json.loads((bundled_folder / "manifest.json").read_text(encoding="utf-8"))
    listed = {row["source_id"]: row for row in manifest["documents"]}
    tables = load_tables(find_tables(Study.bundled("syunik")))
    assert set(tables.sources) <= set(listed)
    assert all(row["title"] and row["publisher"] and row["licence"] for row in listed.values())


def test_what_flows_assume_is_said_in_every_language(bundled: Comparison):
    notes = bundled.results.notes["flows"]
    assert {"flows.theta_declared", "flows.assumes_scenario", "flows.assumes_shares"} <= {note.key for note in notes}
    for language in LANGUAGES[1:]:
        for note in notes:
            assert render(note, language) != render(note)
