"""Regimes: the file that ships, what a wrong one is told, and to which candidates they apply."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from corridor.errors import CatalogueError, StudyError
from corridor.files import data_root
from corridor.interactions.regime_effects import applicable_regimes, applies
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.regimes import build_regime, load_regime_sources, load_regimes, require_points
from corridor.report.i18n import render
from corridor.schema.message import Message
from corridor.schema.regime import ATTRIBUTES, QUESTIONS, class_rank
from tests.interactions.roads import rail, regime

FILE = data_root() / "reference" / "regimes.toml"
IDS = [
    "status-quo",
    "article-9",
    "crossroads",
    "no-checks",
    "tripp",
    "aras-iran",
    "existing-roads",
    "package-3plus3",
    "sealed",
    "hours",
]


@pytest.fixture(scope="module")
def shipped():
    return load_regimes(FILE, load_catalogue(FILE.parent).sources)


def test_every_regime_is_there_with_every_attribute_and_its_source(shipped):
    assert list(shipped) == IDS
    documents = load_regime_sources(FILE)
    assert all(document.title and document.licence for document in documents.values())
    for one in shipped.values():
        assert set(one.attributes) == set(ATTRIBUTES)
        assert all(a.text and a.source_id for a in one.attributes.values())
        assert one.switches_from
        assert one.source_ids
        # hours stand in one table, never in a regime of this file
        assert one.transit_check_min is None
        assert one.border_check_min is None
        require_points({one.regime_id: one}, load_catalogue(FILE.parent).border_delays.points, "here")


def test_clarity_counts_the_questions_that_a_text_answers(shipped):
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))["regimes"]
    for key, one in shipped.items():
        answered = [q for q in QUESTIONS if content[key]["attributes"][q]["state"] == "specified"]
        assert one.clarity == len(answered)
        assert set(one.open_questions) == set(QUESTIONS) - set(answered)
    assert shipped["sealed"].clarity == 0
    assert shipped["sealed"].counterfactual
    assert max(shipped.values(), key=lambda one: one.clarity).regime_id == "tripp"


def test_the_statement_of_2020_leaves_route_checks_and_ownership_open(shipped):
    assert {"where", "who_owns", "what_checks"} <= set(shipped["article-9"].open_questions)
    assert "Russian FSB" in shipped["article-9"].attributes["who_secures"].text
    assert shipped["tripp"].attributes["owner_share"].text.startswith("United States 74 %, Armenia 26 %")


def test_words_take_no_side():
    text = FILE.read_text(encoding="utf-8").casefold()
    assert not [word for word in ("liberated", "occupied", "annex", "enemy", "aggress", "so-called") if word in text]


def _fields():
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["regimes"]["sealed"]


def test_a_study_may_add_its_own():
    assert build_regime("mine", _fields()).crossing.kind == "closed"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("crossing", {"kind": "gated"}, "minutes belong to kind 'gated'"),
        ("crossing", {"kind": "free", "minutes": {"low": 1, "mid": 2, "high": 3}}, "minutes belong to kind 'gated'"),
        ("crossing", {"kind": "gated", "minutes": {"low": 3, "mid": 2, "high": 1}}, "must rise"),
        ("crossing", {"kind": "gated", "minutes": {"low": -1, "mid": 2, "high": 3}}, "greater than or equal to 0"),
        ("crossing", {"kind": "grade_separated"}, "min_class belongs to"),
        ("crossing", {"kind": "grade_separated", "min_class": "lane"}, "min_class 'lane' is none of"),
        ("crossing", {"kind": "shut"}, "crossing.kind"),
        ("same_line", {"kind": "gated"}, "minutes belong to kind 'gated'"),
        ("local_access", "maybe", "local_access"),
        ("applies_to", {"through": ["Armenia"]}, "applies_to.through.0"),
        ("applies_to", {"modes": ["canal"]}, "applies_to.modes.0"),
        ("as_of", "last week", "as_of"),
        ("colour", "red", "colour: unknown key"),
        ("counterfactual", "yes", "counterfactual"),
        ("attributes", {}, "attributes.where is missing"),
    ],
)
def test_a_wrong_field_is_named(field, value, said):
    with pytest.raises(CatalogueError) as fault:
        build_regime("mine", _fields() | {field: value}, "my study")
    assert "my study: regime 'mine': " in str(fault.value)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    text = FILE.read_text(encoding="utf-8")
    bad = text.replace('kind = "closed"', 'kind = "shut"').replace(
        'state = "specified", text = "Armenia, in full."', 'state = "yes", text = ""'
    )
    path = tmp_path / "regimes.toml"
    path.write_text(bad, encoding="utf-8")
    with pytest.raises(CatalogueError) as fault:
        load_regimes(path)
    for said in (
        str(path),
        "regimes.sealed.crossing.kind",
        "regimes.tripp.attributes.sovereign.state",
        "regimes.tripp.attributes.sovereign.text",
    ):
        assert said in str(fault.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are none"),
        ("[regimes", "not valid TOML"),
        ("[other]\na = 1\n[regimes.x]\n", "other: unknown table"),
        ("regimes = 3", "there are none"),
        ("[sources.a]\ntitle = 1\n[regimes.x]", "sources.a.title"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, said):
    path = tmp_path / "regimes.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=said):
        load_regimes(path)
    with pytest.raises(CatalogueError, match="no such file"):
        load_regimes(tmp_path / "none.toml")


@pytest.mark.parametrize("value", ["5", '""', "[1]", "true"])
def test_a_document_that_is_no_table_is_refused_in_one_line(tmp_path, value):
    path = tmp_path / "regimes.toml"
    path.write_text(f"[sources]\ndeclared = {value}\n", encoding="utf-8")
    with pytest.raises(
        CatalogueError, match=r"regimes\.toml: sources\.declared\.table: write a table \(given: "
    ) as fault:
        load_regime_sources(path)
    assert "\n" not in str(fault.value)


def test_a_source_that_nobody_defines_is_named():
    with pytest.raises(CatalogueError, match=r"status-quo.source_ids: 'general-knowledge' is no known source"):
        load_regimes(FILE, {})
    own = {"low": 0, "mid": 1, "high": 2, "source_ids": ["rumour"], "note": "heard"}
    cited = build_regime("x", _fields() | {"border_check_min": own}).cited
    assert ("border_check_min.source_ids", "rumour") in cited


def test_an_id_that_could_not_be_a_file_name_is_refused():
    with pytest.raises(CatalogueError, match="is no id"):
        build_regime("../up", _fields())


def test_what_applies_is_declared():
    route = rail([(0, 0), (2000, 0)])
    beside = replace(route, comparator=True)
    assert applies(regime("closed", comparators=False), route)[0]
    assert applies(regime("closed"), beside)[0]
    assert applies(regime("closed", comparators=False), beside) == (False, Message("applies.comparator"))
    assert applies(regime("closed"), route) == (True, Message("applies.as_declared"))
    assert applies(regime("closed", families=("existing",)), route)[0] is False
    assert (
        render(applies(regime("closed", modes=("road",)), route)[1]) == "declared for mode road only; this one is rail"
    )
    assert applies(regime("closed", candidates=("other",)), route)[0] is False
    assert "doesn't run there" in render(applies(regime("closed", through=("BB",)), route)[1])
    assert "runs through AA" in render(applies(regime("closed", avoids=("AA",)), route)[1])


@pytest.mark.parametrize(
    ("mode", "status", "none", "only"),
    [
        ("rail", "abandoned", True, False),
        ("road", "planned", True, False),
        ("road", "open", False, True),
        ("road", "closed", True, True),
    ],
)
def test_roads_in_use_are_not_sealed_and_new_lines_are_not_existing_roads(mode, status, none, only):
    route = rail([(0, 0), (2000, 0)], mode=mode, status=status)
    assert applies(regime("closed", roads_in_use="none"), route)[0] is none
    assert applies(regime("closed", roads_in_use="only"), route)[0] is only


def test_a_regime_that_applies_to_nothing_is_one_clear_line():
    route = rail([(0, 0), (2000, 0)])
    table = applicable_regimes({"a": regime("closed")}, [route])
    assert table["c", "a"] == (True, Message("applies.as_declared"))
    with pytest.raises(StudyError, match=r"regime 'b' applies to none of 1 candidates .* widen its applies_to"):
        applicable_regimes({"b": regime("closed", through=("BB",))}, [route, replace(route, candidate_id="d")][:1])


def test_classes_rank_from_motorway_down_and_links_with_their_road():
    assert (
        class_rank("motorway")
        < class_rank("trunk")
        == class_rank("trunk_link")
        < class_rank("track")
        < class_rank("ferry")
    )
