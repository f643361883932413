"""Figures of the bundled study and of a made-up region, recomputed from the tables by code of another kind."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from corridor.comparison import Comparison
from corridor.flows.changes import Case, LinkChange
from corridor.flows.model import FlowModel
from corridor.flows.results import measure_flows
from corridor.flows.tables import find_tables, load_tables
from corridor.schema.study import Study
from tests.flows import toy
from tests.flows.oracle import Oracle

CLOSE = 1e-9


@pytest.fixture(scope="module")
def oracle():
    return Oracle(find_tables(Study.bundled("syunik")))


def _pick(table, **cells):
    """The one row with these cells."""
    found = table
    for name, value in cells.items():
        found = found[found[name] == value]
    (row,) = found.to_dict("records")
    return row


ALONE = {"candidate_id": "", "regime_id": ""}


@pytest.mark.parametrize(
    ("pair", "branch", "year", "end"),
    [
        (("tehran", "yerevan"), "norduz", 2026, "low"),
        (("tehran", "yerevan"), "norduz", 2026, "mid"),
        (("tehran", "yerevan"), "norduz", 2026, "high"),
        (("tehran", "yerevan"), "rail-georgia", 2026, "mid"),
        (("mumbai", "moscow"), "west-rail", 2035, "mid"),
        (("mumbai", "moscow"), "caspian", 2026, "low"),
        (("yerevan", "moscow"), "ferry", 2026, "mid"),
        (("yerevan", "moscow"), "lars", 2030, "high"),
        (("baku", "mersin"), "georgia-rail", 2026, "mid"),
        (("bandar-abbas", "batumi"), "turkey", 2026, "mid"),
        (("aktau", "mersin"), "georgia-road", 2026, "low"),
    ],
)
def test_what_a_branch_costs(bundled: Comparison, oracle, pair, branch, year, end):
    row = _pick(bundled.flows, origin=pair[0], destination=pair[1], branch=branch, year=year, **ALONE)
    (own,) = [each for each in oracle.branches(pair) if each["branch_id"] == branch]
    cost, _ = oracle.branch(oracle.graph(oracle.in_use(year), end, oracle.value(pair)), own)
    name = "cost_usd" if end == "mid" else f"cost_usd_{end}"
    assert row[name] == pytest.approx(cost, rel=CLOSE)


@pytest.mark.parametrize(
    ("pair", "year"), [(("tehran", "yerevan"), 2026), (("mumbai", "moscow"), 2026), (("baku", "mersin"), 2035)]
)
def test_shares_and_logsum(bundled: Comparison, oracle, pair, year):
    costs, shares, logsum = oracle.choice(pair, oracle.in_use(year))
    flows = bundled.flows
    for row, cost, share in zip(oracle.branches(pair), costs, shares, strict=True):
        own = _pick(flows, origin=pair[0], destination=pair[1], branch=row["branch_id"], year=year, **ALONE)
        assert own["share"] == pytest.approx(share, rel=1e-6, abs=1e-12)
        assert math.isinf(cost) == pd.isna(own["cost_usd"])
    pairs = bundled.results.flows["pairs"]
    own = _pick(pairs, origin=pair[0], destination=pair[1], year=year, **ALONE)
    assert own["logsum_usd"] == pytest.approx(logsum, rel=CLOSE)


@pytest.mark.parametrize(
    ("candidate", "regime", "pair", "year"),
    [
        ("kapan-meghri", "crossroads", ("tehran", "yerevan"), 2035),
        ("aras-rail", "tripp", ("baku", "nakhchivan"), 2035),
        ("valley-road", "article-9", ("baku", "mersin"), 2030),
        ("agstafa-yeraskh-rail", "package-3plus3", ("yerevan", "moscow"), 2035),
    ],
)
def test_what_a_route_changes_and_what_a_cut_costs(bundled: Comparison, oracle, candidate, regime, pair, year):
    metrics = _pick(bundled.metrics, candidate_id=candidate, regime_id=regime)
    measured = {
        name: "unreachable"
        if "unreachable" in (str(value), str(metrics.get(f"{name}_status")))
        else None
        if pd.isna(value)
        else value
        for name, value in metrics.items()
    }
    opened, hours, shut, stake = oracle.acts(candidate, regime, measured)
    before = oracle.in_use(year, without=opened)
    after = oracle.in_use(year, opened, shut)
    cut = after - opened - stake
    logsums = [
        oracle.choice(pair, links, extra)[2] for links, extra in ((before, None), (after, hours), (cut, hours))
    ]  # fmt: skip
    ends = {"origin": pair[0], "destination": pair[1], "candidate_id": candidate, "regime_id": regime, "year": year}
    own = _pick(bundled.results.flows["pairs"], **ends)
    assert own["logsum_change_usd"] == pytest.approx(logsums[1] - logsums[0], abs=1e-5)
    if math.isinf(logsums[2]):
        assert pd.isna(own["regret_usd"])
    else:
        assert own["regret_usd"] == pytest.approx(logsums[2] - logsums[1], abs=1e-5)


@pytest.mark.parametrize(
    ("pair", "mode", "country", "year"),
    [
        (("tehran", "yerevan"), "any", "AZ", 2026),
        (("mumbai", "moscow"), "any", "KZ", 2026),
        (("tehran", "poti"), "road", "AZ", 2026),
        (("baku", "nakhchivan"), "road", "IR", 2026),
        (("yerevan", "moscow"), "road", "GE", 2026),
        (("tehran", "moscow"), "road", "AZ", 2035),
    ],
)
def test_dependence_by_taking_a_country_away(bundled: Comparison, oracle, pair, mode, country, year):
    table = bundled.results.flows["dependence"]
    row = _pick(table, origin=pair[0], destination=pair[1], mode=mode, country=country, year=year, **ALONE)
    modes = ("road",) if mode == "road" else None
    links = oracle.in_use(year)
    left = {key for key in links if country not in oracle.links[key]["countries"].split(";")}
    whole, without = (
        oracle.best(oracle.graph(rest, "mid", oracle.value(pair)), *pair, modes=modes)[0] for rest in (links, left)
    )
    assert row["cost_usd"] == pytest.approx(whole, rel=CLOSE)
    if math.isinf(without):
        assert row["status"] == "no way without it"
        assert pd.isna(row["dependence"])
    else:
        assert row["cost_without_usd"] == pytest.approx(without, rel=CLOSE)
        assert row["dependence"] == pytest.approx(without / whole, rel=CLOSE)


@pytest.mark.parametrize(("city", "mode", "year"), [("yerevan", "road", 2026), ("tabriz", "any", 2035)])
def test_what_a_city_reaches(bundled: Comparison, oracle, city, mode, year):
    row = _pick(bundled.results.flows["potentials"], city=city, mode=mode, year=year, **ALONE)
    steps = oracle.graph(oracle.in_use(year), "mid")
    modes = ("road",) if mode == "road" else None
    half_lives, found, reached = oracle.parameter["half_life_usd"], [0.0, 0.0, 0.0], 0
    for node_id, node in oracle.nodes.items():
        if node["people_k"] and node_id != city:
            cost, _ = oracle.best(steps, city, node_id, modes=modes)
            reached += math.isfinite(cost)
            for at, half in enumerate(half_lives):
                found[at] += 1000 * float(node["people_k"]) * 2 ** (-cost / half)
    assert row["cities_reached"] == reached
    assert [row["potential_low"], row["potential"], row["potential_high"]] == pytest.approx(found, rel=1e-8)


def test_a_made_up_region(tmp_path):
    folder = toy.alps(tmp_path)
    oracle, model = Oracle(folder), FlowModel(load_tables(folder))
    pair = ("verona", "munich")
    gate = Case("toll-gate", "", (LinkChange("brenner-innsbruck", extra_h=toy.exactly(3.0)),))
    flows = measure_flows(model, [Case(), gate], [2026, 2040])
    for year in (2026, 2040):
        for case, hours in ((Case(), None), (gate, {"brenner-innsbruck": 3.0})):
            costs, shares, logsum = oracle.choice(pair, oracle.in_use(year), hours)
            cells = {"candidate_id": case.candidate_id, "year": year}
            own = [_pick(flows.flows, branch=row["branch_id"], **cells) for row in oracle.branches(pair)]
            assert [row["share"] for row in own] == pytest.approx(shares)
            for row, cost in zip(own, costs, strict=True):
                assert row["cost_usd"] == pytest.approx(cost) or (math.isinf(cost) and row["status"] == "no way")
            assert _pick(flows.pairs, **cells)["logsum_usd"] == pytest.approx(logsum)
    links = oracle.in_use(2026)
    for row in flows.regret[(flows.regret["year"] == 2026) & (flows.regret["candidate_id"] == "")].to_dict("records"):
        modes = ("road",) if row["mode"] == "road" else None
        whole, without = (
            oracle.best(oracle.graph(rest, "mid", oracle.value(pair)), *pair, modes=modes)[0]
            for rest in (links, links - {row["link_id"]})
        )
        assert row["regret_usd"] == pytest.approx(without - whole)
