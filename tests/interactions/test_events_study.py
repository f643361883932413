"""The bundled study's headline, on the catalogue alone and on the real extract: which bridge decides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from corridor.interactions.events import supports_local_crossings
from corridor.interactions.findings import Names, build_findings
from corridor.interactions.regime_effects import ConnectivityTargets, applies, effects, split_network
from corridor.io.read.regimes import load_regimes
from corridor.pipeline.comparing import open_run
from corridor.report.i18n import render
from corridor.schema.study import Study
from corridor.schema.vocabulary import Separation
from tests.interactions.roads import all_met, count_raw_hits


@dataclass(frozen=True)
class Ground:
    """A study assembled: candidates and events by id, regimes, stakes, network."""

    candidates: dict
    events: dict
    regimes: dict
    stakes: ConnectivityTargets
    network: object
    names: Names


def _assemble(run):
    study = Study.bundled("syunik")
    conflation, candidates = run["conflation"], run["candidates"]
    events = {key: all_met(c, conflation.network, "AM", structures=run["structures"]) for key, c in candidates.items()}
    net = split_network(conflation.network, [event for found in events.values() for event in found])
    closed = net.closed("road", countries=["AM", "IR"])
    border, capital = run["border_crossing"], run["capital"]
    at = [net.snap(p.lon, p.lat, closed, limit_m=2000, what=p.name) for p in (border, capital)]
    towns = {}
    for name in ("Meghri", "Kajaran", "Kapan", "Goris", "Sisian"):
        town = run["gazetteer"].find(name, "place")
        towns[name] = net.snap(town.lon, town.lat, closed, limit_m=3000, what=name)
    return Ground(
        candidates,
        events,
        load_regimes(study.path("package:reference/regimes.toml"), run["documents"]),
        ConnectivityTargets(net, closed, *at, towns),
        conflation.network,
        Names("Norduz", "Yerevan", "AM", "Armenia", run["places"].frame, supports_local_crossings(conflation.network)),
    )


@pytest.fixture(scope="module")
def catalogue():
    return _assemble(open_run(Study.bundled("syunik")))


@pytest.fixture(scope="module")
def extract(extract_run):
    return _assemble(extract_run)


def _headline(ground):
    """Whether the capital keeps the crossing, by candidate and regime, for what both data know."""
    told = {}
    for key, candidate in ground.candidates.items():
        if candidate.family == "existing":
            continue  # found on the network itself, so that they differ
        for regime in ground.regimes.values():
            if applies(regime, candidate)[0]:
                closed = effects(ground.events[key], regime, ground.stakes.network).closed
                told[key, regime.regime_id] = ground.stakes.linked(closed)[0]
    return told


def _check_bridge(ground):
    """Closed at grade, the railway leaves Iran's road open by one bridge of 69 m, and all of Syunik hangs on it."""
    findings, decisive = build_findings(
        [ground.candidates["aras-rail"]],
        {"sealed": ground.regimes["sealed"]},
        ground.events,
        ground.stakes,
        ground.names,
    )
    (bridge,) = [d for d in decisive if d.linked_as_assumed != d.linked_if_flipped]
    (event,) = [e for e in ground.events["aras-rail"] if e.event_id == bridge.event_id]
    assert bridge.flipped_to == Separation.AT_GRADE
    assert bridge.linked_as_assumed
    assert bridge.places_lost == ("Goris", "Kajaran", "Kapan", "Meghri", "Sisian")
    assert (event.geometry.x, event.geometry.y) == (pytest.approx(46.258, abs=0.002), pytest.approx(38.885, abs=0.002))
    assert event.structure.length_m == pytest.approx(69, abs=0.5)
    (finding,) = findings
    assert "stays open because" in render(finding.message)
    assert "69 m" in render(finding.message)
    assert bridge.event_id in finding.evidence


def test_on_the_catalogue_one_bridge_decides_about_a_closed_railway(catalogue):
    _check_bridge(catalogue)
    assert not supports_local_crossings(catalogue.network)
    (event,) = catalogue.events["aras-rail"]
    assert event.separation == "separated"
    assert event.road_class == "trunk"


def test_on_the_catalogue_a_closed_aras_road_cuts_the_m2_at_their_junction(catalogue):
    assert _headline(catalogue)["aras-road", "sealed"] is False


def test_every_applicable_pair_has_one_sentence(catalogue):
    findings, _ = build_findings(
        list(catalogue.candidates.values()), catalogue.regimes, catalogue.events, catalogue.stakes, catalogue.names
    )
    pairs = [(f.candidate_id, f.regime_id) for f in findings]
    expected = [
        (c.candidate_id, r.regime_id)
        for c in catalogue.candidates.values()
        for r in catalogue.regimes.values()
        if applies(r, c)[0]
    ]
    # what rests on a line whose place isn't known comes last
    known = [(f.candidate_id, f.regime_id) for f in findings if f.outcome != "undetermined"]
    assert sorted(pairs) == sorted(expected)
    assert pairs[: len(known)] == known == [pair for pair in expected if pair in known]
    assert ("aras-road", "sealed") in pairs[len(known) :]
    for finding in findings:
        assert render(finding.message).endswith(".")
        assert "\n" not in render(finding.message)
        assert finding.evidence
        through = any(part.country == "AM" for part in catalogue.candidates[finding.candidate_id].parts)
        if finding.outcome != "undetermined":
            assert ("aren't supported by this data" in render(finding.message)) is through


@pytest.mark.extract
def test_the_aras_railway_meets_armenias_roads_in_35_points_that_are_11_crossings(extract):
    railway = extract.candidates["aras-rail"]
    met = [event for event in extract.events["aras-rail"] if event.kind == "crossing"]
    assert count_raw_hits(railway, extract.network, "AM") == 35  # 37 with the roads that the file holds twice
    assert Counter(event.road_class for event in met) == {"trunk": 5, "secondary": 2, "service": 1, "track": 3}
    assert [event.separation for event in met].count("separated") == 1


@pytest.mark.extract
def test_on_the_extract_the_same_bridge_decides(extract):
    _check_bridge(extract)


@pytest.mark.extract
def test_comparators_outside_meet_nothing_in_armenia(extract):
    outside = [
        key
        for key, c in extract.candidates.items()
        if c.comparator and not any(part.country == "AM" for part in c.parts)
    ]
    assert outside
    assert all(extract.events[key] == [] for key in outside)


@pytest.mark.extract
def test_catalogue_and_extract_agree_on_the_headline(extract, catalogue):
    assert _headline(extract) == _headline(catalogue)
