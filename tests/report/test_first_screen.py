"""The first screen and the tables of rules and conditions: what they say is what tables and texts hold."""

import html
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corridor.candidates.parts import country_message
from corridor.errors import CatalogueError
from corridor.files import data_root
from corridor.io.read.regimes import load_conditions, load_regimes
from corridor.report.i18n import Words, localise_number, page_messages
from corridor.report.page.build import build_page
from corridor.report.page.declared import build_conditions, build_rules, fare_of_conditions
from corridor.report.page.glance import answer, build_glance, build_matrix
from corridor.report.view import ReportView
from corridor.schema.fields import Source
from corridor.schema.message import from_json, to_json
from corridor.schema.regime import ATTRIBUTES
from corridor.schema.results import PanelFacts
from corridor.schema.settings import Condition, Indicator, ReportSettings
from tests.report.synthetic import page_words, results


@pytest.fixture(scope="module")
def regimes():
    """Two bundled texts under the names of the made-up comparison's rules."""
    bundled = list(load_regimes(data_root() / "reference" / "regimes.toml").values())
    proposed = next(regime for regime in bundled if regime.regime_id == "article-9")
    invented = next(regime for regime in bundled if regime.counterfactual)
    return (
        invented.model_copy(update={"regime_id": "free", "label": "Free"}),
        proposed.model_copy(update={"regime_id": "gated", "label": "Gated"}),
    )


@pytest.fixture(scope="module")
def given(regimes):
    conditions = (
        Condition(
            condition="It is short",
            source_id="doc",
            indicators=(
                Indicator(label="Length", metric="length_km"),
                Indicator(label="Place", metric="rank"),
                Indicator(label="Lacking", metric="no_such_km"),
                Indicator(label="Owner", attribute="who_owns"),
                Indicator(label="Border", fact="It stays.", source_id="doc", as_of="2025-01"),
                Indicator(label="Mood", unmeasurable="Nobody asked."),
            ),
        ),
    )
    return replace(
        results(), regimes=regimes, conditions=conditions, report=ReportSettings(opening_regime="gated"),
        documents=(Source("doc", "A document", "Somebody", "2025", "", url="https://example.org/doc"),),
        panels=panels(("equal", "time")),
    )  # fmt: skip


def panels(views):
    """Panels of both sets of rules in which these points of view differ."""
    shown = PanelFacts("", "through", ("north", "middle", "south"), (), {"equal": 1.0, "time": 1.0}, views)
    return tuple(replace(shown, regime_id=key) for key in ("free", "gated"))


def test_every_question_is_answered_or_left_open_with_source_and_date(given, regimes):
    table = build_rules(ReportView(given))
    assert table["regimes"] == ["gated", "free"]  # what nobody proposes comes last
    assert [row["key"] for row in table["rows"]] == [f"asked.{name}" for name in ATTRIBUTES]
    listed = {item["number"] for item in table["sources"]}
    for row in table["rows"]:
        for cell in row["cells"]:
            assert cell["text"]
            assert cell["as_of"]
            assert cell["source"] in listed
    silent = [sum(not row["cells"][at]["specified"] for row in table["rows"]) for at in range(2)]
    assert [said["fill"]["count"] for said in table["open"]] == silent
    assert silent[0] == sum(not item.specified for item in regimes[1].attributes.values())


def test_conditions_have_a_figure_a_text_or_a_reason(given):
    table = build_conditions(ReportView(given))
    rows = table["groups"][0]["rows"]
    assert [row["kind"] for row in rows] == ["metric", "metric", "metric", "attribute", "fact", "unmeasurable"]
    assert set(table["values"]) == {"free", "gated"}
    values = table["values"]["gated"]
    assert dict(zip(table["routes"], values[0], strict=True))["middle"] == ["107.3", "105.3\u2013117.3", None]
    assert dict(zip(table["routes"], values[1], strict=True))["cut"][2]["t"] == "status.not_ranked"
    assert {tuple(cell) for cell in values[2]} == {("", "", None)}
    assert values[3][0] == "Ownership isn't mentioned."
    assert rows[4] == rows[4] | {"text": "It stays.", "source": 1, "as_of": "2025-01"}
    assert values[4] is None
    assert build_conditions(ReportView(results())) is None


def test_words_compare_the_routes_and_say_what_changes(given):
    table = given.metrics.assign(
        trip_time_h=[3.0, 4.0, 9.0, 5.0, 9.0] * 2, access_delay_min=[0.0, 12.0, -3.0, float("nan"), 0.0] * 2,
        access_delay_min_status=["ok", "ok", "ok", "unreachable", "ok"] * 2,
    )  # fmt: skip
    view = ReportView(replace(given, metrics=table))
    glance = build_glance(view)
    assert [subject["name"] for subject in glance["subjects"]] == ["time", "terrain", "link"]
    rows = glance["cases"]["gated"]["rows"]
    said = {key: [cell["words"]["t"] if cell else "" for cell in row["cells"]] for key, row in rows.items()}
    assert said["north"][0] == "glance.time.good"
    assert said["south"][0] == "glance.time.poor"
    assert [said[key][2] for key in ("north", "middle", "south", "cut")] == [
        "glance.link.none", "glance.link.more", "glance.link.less", "glance.link.lost",
    ]  # fmt: skip
    assert rows["north"]["cells"][2]["figure"] == ""
    assert glance["cases"]["gated"]["order"][-1] == "far"


def covering_others_alone(given):
    """The same comparison, whose rules "gated" are about two routes to compare with and no other."""
    table, others = given.ranking, given.ranking["candidate_id"].isin(["south", "cut"])
    kept = (table["regime_id"] != "gated") | others
    candidates = tuple(replace(c, comparator=c.candidate_id in {"south", "cut"}) for c in given.candidates)
    panel = np.where(others, "comparator", table["panel"])
    table = table.assign(panel=panel)[kept].reset_index(drop=True)
    metrics = given.metrics.assign(trip_time_h=[3.0, 4.0, 9.0, 5.0, 9.0] * 2)
    return replace(given, ranking=table, candidates=candidates, metrics=metrics)


def test_rules_about_routes_to_compare_with_alone_say_so_and_compare_those(given):
    view = ReportView(covering_others_alone(given))
    first = answer(view, "gated")[0]
    said = page_words(given).render(first)
    assert first.key == "answer.uncovered"
    assert [f"route {key}" in said.lower() for key in ("north", "middle", "south", "cut")] == [False, False, True, True]
    assert "travelled" not in said
    # 9 hours are not alike 5 hours because no through route is there to be compared with
    rows = build_glance(view)["cases"]["gated"]["rows"]
    assert [rows[key]["cells"][0]["words"]["t"] for key in ("south", "cut")] == ["glance.time.poor", "glance.time.good"]


def test_a_figure_that_is_alone_is_compared_with_nothing(given):
    table = given.ranking[(given.ranking["regime_id"] != "gated") | (given.ranking["candidate_id"] == "south")]
    metrics = given.metrics.assign(trip_time_h=[3.0, 4.0, 9.0, 5.0, 9.0] * 2)
    view = ReportView(replace(given, ranking=table.reset_index(drop=True), metrics=metrics))
    cell = build_glance(view)["cases"]["gated"]["rows"]["south"]["cells"][0]
    assert (cell["words"], cell["level"], cell["figure"]) == (None, "", "9.0")


def test_who_is_not_ranked_is_not_said_to_be_barred_unless_the_rules_bar_transit(given, regimes):
    table = given.ranking.assign(rank_best=np.nan, rank_worst=np.nan)
    assert answer(ReportView(replace(given, ranking=table)), "gated")[0].key == "answer.unranked"
    barred = tuple(r.model_copy(update={"allows_transit": False}) for r in regimes)
    assert answer(ReportView(replace(given, ranking=table, regimes=barred)), "gated")[0].key == "answer.nobody"
    assert answer(ReportView(replace(given, ranking=table, regimes=())), "gated")[0].key == "answer.nobody_plain"


def test_nothing_is_said_of_a_route_that_the_rules_are_not_about(bundled):
    view = ReportView(bundled.results)
    unplaced = {}
    for regime in view.regime_ids:
        told = [page_words(bundled.results).render(message) for message in answer(view, regime)]
        unplaced[regime] = any("No document was found that says where route B" in text for text in told)
    assert unplaced == {regime: view.rank_cells.get("aras-road", regime) is not None for regime in view.regime_ids}
    assert set(unplaced.values()) == {True, False}


def test_what_becomes_of_the_road_is_said_of_the_route_that_comes_first(bundled):
    """Where nobody is first for sure, another route may do to the road what the first doesn't."""
    view = ReportView(bundled.results)
    for regime in view.regime_ids:
        rows = view.leading("equal")[regime]
        told = " ".join(page_words(bundled.results).render(message) for message in answer(view, regime))
        letter = view.marks[rows[0]["candidate_id"]].letter if rows else ""
        assert (f"With route {letter}, the road Norduz\u2013Yerevan" in told) == bool(rows), regime


@pytest.mark.parametrize(
    ("shared", "named"),
    [
        ({"north_south_shared_km": 1.5}, ["axes"]),
        ({"north_south_shared_km": 0.0}, ["axes"]),
        ({"north_south_shared_km": float("nan"), "north_south_status": "not_applicable"}, []),
        ({}, []),
    ],
)
def test_the_delay_is_one_of_axes_only_where_the_study_names_some(given, shared, named):
    table = given.metrics.assign(north_south_delay_min=3.0, north_south_delay_min_status="ok", **shared)
    found = [subject["name"] for subject in build_glance(ReportView(replace(given, metrics=table)))["subjects"]]
    assert [name for name in found if name == "axes"] == named


def test_a_change_counts_as_none_only_if_all_of_its_range_does(given):
    middle, low, high = [0.4, 0.4, 0.0, 0.0, 0.0], [0.0, 0.0, -5.0, 0.0, 0.0], [0.9, 3.3, 0.0, 0.0, 0.0]
    table = given.metrics.assign(
        access_delay_min=middle * 2, access_delay_min_low=low * 2, access_delay_min_high=high * 2,
        access_delay_min_status="ok",
    )  # fmt: skip
    rows = build_glance(ReportView(replace(given, metrics=table)))["cases"]["gated"]["rows"]
    cells = [rows[key]["cells"][2] for key in ("north", "middle", "south")]
    assert [cell["words"]["t"].rpartition(".")[2] for cell in cells] == ["none", "more", "less"]
    assert [cell["range"] for cell in cells] == ["", "0.00\u20133.30", "\u22125.00 \u2013 0.00"]


def test_the_table_lists_routes_in_the_order_that_the_words_count_in(given):
    table = given.ranking.copy()
    mine = (table["perspective"] == "equal") & (table["regime_id"] == "gated") & (table["panel"] == "through")
    ranked = table[mine & table["rank_best"].notna()].iloc[::-1].assign(rank_best=2.0, rank_worst=3.0)
    view = ReportView(replace(given, ranking=pd.concat([ranked, table.drop(ranked.index)], ignore_index=True)))
    leading = [row["candidate_id"] for row in view.leading("equal")["gated"]]
    assert leading == list(ranked["candidate_id"])
    assert len(leading) > 1
    assert build_glance(view)["cases"]["gated"]["order"][: len(leading)] == leading


def test_routes_that_no_rules_touch_are_listed_by_their_ranks_as_well(given):
    table = given.ranking[~given.ranking["candidate_id"].isin(["cut", "far"])]
    apart = (
        given.ranking[given.ranking["candidate_id"] == "far"].iloc[:2].assign(regime_id="outside", perspective="equal")
    )
    apart = apart.assign(candidate_id=["far", "cut"], rank_best=[1, 2])
    candidates = tuple(replace(c, comparator=c.candidate_id in {"cut", "far"}) for c in given.candidates)
    view = ReportView(replace(given, candidates=candidates, ranking=pd.concat([table, apart], ignore_index=True)))
    assert build_glance(view)["cases"]["gated"]["order"][-2:] == ["far", "cut"]


def test_the_answer_says_who_leads_how_firmly_and_by_what(given):
    view = ReportView(given)
    spoken = [page_words(given).render(message) for message in answer(view, "gated")]
    leader = view.leading("equal")["gated"][0]["candidate_id"]
    assert f"Route {leader}" in spoken[0]
    assert "points of view" in spoken[0]
    assert any("questions open" in text for text in spoken)
    for language in ("ru", "hy", "az", "fa"):
        told = [page_words(given, language).render(message) for message in answer(view, "gated")]
        assert not any("{" in text for text in told)


def test_one_point_of_view_alone_says_nothing_of_others(given):
    alone = page_words(given).render(answer(ReportView(replace(given, panels=panels(("equal",)))), "gated")[0])
    assert "points of view" not in alone


def test_every_cell_of_the_matrix_has_the_rank_of_its_route_and_rules(given):
    view = ReportView(given)
    matrix = build_matrix(view)
    assert matrix["regimes"] == ["gated", "free"] == list(view.regime_ids)
    for row in matrix["rows"]:
        for regime, cell in zip(matrix["regimes"], row["cells"], strict=True):
            wanted = [r for r in view.rankings["equal"] if (r["candidate_id"], r["regime_id"]) == (row["id"], regime)]
            shown = cell["rank"] and cell["rank"]["fill"]["rank"]
            assert shown == (None if wanted[0]["rank"] is None else str(wanted[0]["rank"]))


@pytest.mark.parametrize(
    ("harm_above", "asked", "fares"),
    [(1e6, False, "fare.no_harm"), (1e6, True, "fare.not_known"), (0.0, False, "fare.harm"), (0.0, True, "fare.harm")],
)
def test_what_cant_be_measured_is_never_said_to_show_no_harm(given, harm_above, asked, fares):
    indicators = [Indicator(label="Length", metric="length_km", harm_above=harm_above)]
    indicators += [Indicator(label="Mood", unmeasurable="Nobody asked.")] * asked
    condition = Condition(condition="It is short", source_id="doc", indicators=tuple(indicators))
    view = ReportView(replace(given, conditions=(condition,)))
    said = fare_of_conditions(view, "free", next(iter(view.candidates)))
    assert fares in str(to_json(said))


@pytest.mark.parametrize(
    ("status", "low", "high", "fares"),
    [
        ("undetermined", 5.0, 9.0, "fare.harm"), ("undetermined", 0.0, 9.0, "fare.not_known"),
        ("undetermined", 0.0, 1.0, "fare.no_harm"), ("undetermined", 0.0, np.inf, "fare.not_known"),
        ("undetermined", 5.0, np.inf, "fare.harm"), ("cut_off", np.nan, np.nan, "fare.harm"),
        ("unreachable", np.nan, np.nan, "fare.harm"), ("not_supported", np.nan, np.nan, "fare.not_known"),
    ],
)  # fmt: skip
def test_a_figure_without_a_number_shows_harm_where_all_that_it_may_be_is_harm(given, status, low, high, fares):
    table = given.metrics.assign(time_h=np.nan, time_h_low=low, time_h_high=high, time_h_status=status)
    harm = Indicator(label="Delay", metric="time_h", harm_above=2.0)
    condition = Condition(condition="It delays nobody", source_id="doc", indicators=(harm,))
    view = ReportView(replace(given, metrics=table, conditions=(condition,)))
    assert fares in str(to_json(fare_of_conditions(view, "free", "north")))


@pytest.mark.parametrize(
    ("status", "low", "high", "best", "worst"),
    [
        ("ok", 0.0, 0.0, ["north"], ["cut"]),
        ("undetermined", 1.0, 3.5, [], []),  # may be quicker than all and slower
        ("undetermined", 2.1, 3.5, ["north"], []),
        ("undetermined", 1.0, 2.2, [], ["cut"]),
        ("undetermined", 2.1, np.inf, ["north"], []),
        ("unreachable", np.nan, np.nan, ["north"], []),  # worse than any number
    ],
)  # fmt: skip
def test_best_and_worst_are_marked_where_nothing_that_isnt_known_may_be_better_or_worse(
    given, status, low, high, best, worst
):
    table = given.metrics.assign(time_h_low=given.metrics["time_h"], time_h_high=given.metrics["time_h"])
    table["time_h_status"] = "ok"
    if status != "ok":
        own = table["candidate_id"] == "middle"
        table.loc[own, ["time_h", "time_h_low", "time_h_high"]] = (np.nan, low, high)
        table.loc[own, "time_h_status"] = status
    view = ReportView(replace(given, metrics=table))
    at = next(index for index, column in enumerate(view.columns) if column.metric == "time_h")
    marks = {row.candidate_id: row.cells[at].mark for row in view.rows if row.regime_id == "free"}
    assert [key for key, mark in marks.items() if mark == "best"] == best
    assert [key for key, mark in marks.items() if mark == "worst"] == worst


def test_bundled_conditions_name_only_what_there_is():
    found = load_conditions(data_root() / "reference" / "conditions.toml")
    labels = [condition.condition for condition in found]
    assert any("Eurasian Economic Union (EAEU)" in label for label in labels)
    assert any(row.unmeasurable for condition in found for row in condition.indicators)


def test_a_condition_without_its_kind_is_refused(tmp_path):
    path = tmp_path / "conditions.toml"
    path.write_text('[[conditions]]\ncondition = "A"\nsource_id = "x"\nindicators = [{ label = "B" }]\n')
    with pytest.raises(CatalogueError, match="exactly one of metric"):
        load_conditions(path)
    path.write_text('[[conditions]]\ncondition = "A"\nsource_id = "x"\nindicators = [{ label = "B", metric = "c" }]\n')
    with pytest.raises(CatalogueError, match="'x' is no known source"):
        load_conditions(path, known=())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.5", "1,5"),
        ("0.1\u20132.5", "0,1\u20132,5"),
        ("12.5 (4.0\u20139.5)", "12,5 (4,0\u20139,5)"),
        ("v1.5", "v1.5"),
        ("2026-03", "2026-03"),
    ],
)  # fmt: skip
def test_figures_have_the_decimal_sign_of_the_language(text, shown):
    assert localise_number(text, "ru") == shown
    assert localise_number(text, "en") == text


def test_messages_come_back_from_plain_data(given):
    for message in answer(ReportView(given), "gated"):
        assert from_json(to_json(message)).to_json() == message.to_json()


def test_a_country_without_a_word_of_its_own_is_called_as_the_borders_call_it():
    """The made-up country AA is Alphaland; a code that languages here have a word for keeps that word."""
    found = results()
    countries = found.layers.countries.assign(country=["AA", "AM"], name=["Alpha <b>land</b>", "Another name"])
    messages = page_messages(replace(found, layers=replace(found.layers, countries=countries)))
    assert render_in("ru", messages, country_message("AA")) == "Alpha <b>land</b>"
    assert render_in("ru", messages, country_message("AM")) == "Армения"
    assert render_in("en", messages, "AA") == "Alpha <b>land</b>"


def render_in(language, messages, value):
    return Words(language, messages[language], messages["en"], on_page=True).render(value)


def test_a_route_has_one_name_in_a_language(bundled):
    """The first sight of the page, which no script has touched, names routes as all later sights do."""
    view = ReportView(bundled.results)
    page = build_page(view)
    found = 0
    for key in view.candidates:
        said = view.english.render(view.name(key))
        for shown in re.findall(rf'<tr data-id="{key}"[^>]*>.*?<bdi[^>]*>([^<]*)</bdi>', page, re.DOTALL):
            assert html.unescape(shown) == said
            found += 1
    assert found > len(view.candidates)
