"""The findings that come first: in order of consequence, from the tables alone, in every language."""

import tomllib
from dataclasses import replace
from types import SimpleNamespace

import pytest

from corridor.report.i18n import page_messages, read_messages, render
from corridor.report.page.summary import summarise
from corridor.report.view import ReportView
from corridor.schema.candidate import ViaName, route_message
from corridor.schema.message import Message
from corridor.schema.results import Finding, FindingFacts, Structure
from corridor.schema.settings import LANGUAGES
from corridor.schema.study import Study
from corridor.schema.vocabulary import Evidence, Outcome, Owner, StructureKind
from tests.report.synthetic import page_words, results

FACTS = FindingFacts("Gate", "Capital", "Alphaland")
BRIDGE = Structure(StructureKind.BRIDGE, Owner.ROAD, "", 20.0, Evidence.MAPPED)
HELD = replace(FACTS, at="R1, 20 m, Alba", structure=BRIDGE, places_lost=2, places=3)
LOST = replace(FACTS, at="R2, Borg", schematic_km="40", km="43")
SAID = Message("finding.nothing")


def found(*findings, **changes):
    base = results()
    delays = [0.0, 12.0, 3.0, 0.0, 0.0, float("nan"), 99.0, 0.0, 0.0, 0.0]
    metrics = base.metrics.assign(access_delay_min=delays, access_delay_min_low=1.0, access_delay_min_high=20.0)
    return replace(base, findings=findings, metrics=metrics, **changes)


def groups(given):
    return summarise(ReportView(given))


def spoken(given, language="en"):
    spelt = page_words(given, language)
    return [" ".join(spelt.render(message) for message in group) for group in groups(given)]


def test_what_is_lost_leads_then_what_hinges_then_today():
    given = found(
        Finding("north", "free", SAID, (), Outcome.OPEN, FACTS),
        Finding("south", "gated", SAID, (), Outcome.SINGLE_POINT_DEPENDENT, HELD),
        Finding("middle", "gated", SAID, (), Outcome.LOST, LOST),
    )
    keys = [[sentence.key for sentence in group] for group in groups(given)]
    assert keys[0] == ["summary.link_lost", "summary.link_kept_by", "summary.schematic"]
    assert keys[1] == ["summary.single_point", "summary.single_point_if", "summary.single_point_places"]
    assert keys[2][0] == "summary.usable_none"
    lost, hinges, *_ = spoken(given)
    assert "road between Gate and Capital is lost with: Route middle." in lost
    assert "(R2, Borg)" in lost
    assert "40 of the route's 43 km in Alphaland" in lost
    assert "only because of one bridge: R1, 20 m, Alba." in hinges
    assert hinges.endswith("So would 2 of 3 places near a road.")


@pytest.mark.parametrize("status", ["unreachable", "cut_off"])
def test_who_isnt_ranked_for_what_is_lost_is_said_whether_roads_or_people_lose_it(status):
    base = found()
    excluded = base.excluded.assign(status=status)
    assert len(excluded)
    said = [sentence.key for group in groups(replace(base, excluded=excluded)) for sentence in group]
    assert said.count("summary.lost") == excluded["regime_id"].nunique()


def test_a_structure_of_the_route_itself_is_not_told_as_the_roads():
    own = replace(HELD, structure=replace(BRIDGE, owner=Owner.ROUTE))
    given = found(Finding("south", "gated", SAID, (), Outcome.SINGLE_POINT_DEPENDENT, own))
    (hinges,) = (group for group in spoken(given) if "R1, 20 m" in group)
    assert "stays open only because the route itself has a bridge there: R1, 20 m, Alba." in hinges
    for language in ("hy", "az", "fa", "ru"):
        assert any("R1, 20 m, Alba" in group and "{" not in group for group in spoken(given, language))


def test_several_routes_that_lose_it_are_one_sentence_and_the_other_rules_are_told(regimes):
    given = found(
        Finding("middle", "gated", SAID, (), Outcome.LOST, LOST),
        Finding("cut", "gated", SAID, (), Outcome.LOST, LOST),
        regimes=regimes,
    )
    assert spoken(given)[0] == (
        "Under “Gated”, the road between Gate and Capital is lost with: Route middle; Route cut. "
        "Under all other sets of rules (1) it stays open with every route, slowed by at most 12 (1\u201320) min."
    )


def test_lists_are_spelt_with_their_spaces():
    text = " ".join(spoken(results())).replace("\u202f", " ")
    assert "length: route A (100.0 km)" in text
    assert "route A (Route north): " in text


def test_without_impacts_the_page_begins_with_today():
    assert groups(results())[0][0].key.startswith("summary.")
    assert not any("link" in s.key for group in groups(results()) for s in group)


@pytest.fixture
def regimes():

    return tuple(
        SimpleNamespace(regime_id=key, label=key.capitalize(), counterfactual=False) for key in ("free", "gated")
    )


def test_every_language_fills_every_blank():
    given = found(
        Finding("south", "gated", SAID, (), Outcome.SINGLE_POINT_DEPENDENT, HELD),
        Finding("middle", "gated", SAID, (), Outcome.LOST, LOST),
    )
    for language in LANGUAGES:
        assert not any("{" in text or "summary." in text for text in spoken(given, language)), language


def test_names_are_translated_only_where_the_study_has_them_for_the_same_thing():
    base = results()
    english = read_messages("en")
    same = replace(base.candidates[0], candidate_id="aras-rail", name=english["route.aras-rail"])
    other = replace(base.candidates[0], candidate_id="aras-road", name="Some other road")
    messages = page_messages(replace(base, candidates=(same, other)))
    assert all("route.aras-road" not in words for words in messages.values())
    assert all("route.aras-rail" in words for words in messages.values())
    assert all("route.kapan-meghri" not in words for words in messages.values())


def test_a_route_named_after_places_is_named_in_every_language():
    route = replace(
        results().candidates[0],
        candidate_id="existing-roads-2",
        family="existing",
        name="Existing roads via Alba, Borg",
        via=ViaName("existing-roads", "Existing roads", ("Alba", "Borg")),
    )
    assert render(route_message(route)) == "Existing roads via Alba, Borg"
    assert render(route_message(route), "ru").endswith(" через Alba, Borg")


def test_a_name_that_a_study_gives_is_not_taken_apart():
    route = replace(results().candidates[0], candidate_id="road-2", family="existing", name="Road via Appia")
    assert render(route_message(route), "ru") == "Road via Appia"


def test_the_bundled_study_s_regimes_and_routes_are_named_in_every_language():
    study = Study.bundled("syunik")
    labels = tomllib.loads(study.path(study.impact.regimes).read_text(encoding="utf-8"))
    english = read_messages("en")
    for key, regime in labels["regimes"].items():
        assert english[f"regime.{key}"] == regime["label"]
    for spec in study.candidates:
        assert english[f"route.{spec.id}"] == spec.name
