"""The registry: what stands where nothing is measured, and what every declared column must have."""

import importlib.util
import inspect
import re
import typing

import numpy as np
import pandas as pd
import pytest

from corridor.errors import RegistryError
from corridor.mcda.matrix import build_matrix
from corridor.metrics import registry
from corridor.metrics.registry import (
    INPUTS,
    Metric,
    Subject,
    Unmeasured,
    all_columns,
    all_metrics,
    complete_table,
    derived,
    derived_inputs,
    metric,
)
from corridor.report.i18n import read_messages
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Column, Criterion, Kind, Shown, Unit, find_column, resolve_columns, with_before
from corridor.schema.settings import LANGUAGES
from corridor.schema.vocabulary import Direction, MetricStatus
from tests.metrics.context import Context

SIGNS = {"°", "%"}
"""Units that are written the same in every language."""


@pytest.fixture
def empty(monkeypatch):
    """A registry with nothing in it."""
    all_metrics()
    monkeypatch.setattr(registry, "_metrics", [])
    monkeypatch.setattr(registry, "_derived", {})


def column(name, **facts):
    return Column(name, facts.pop("unit", Unit.KM), "a figure", "as it comes", **facts)


# What every column that is declared must have.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_of_the_page_has_its_label_and_its_unit_in_every_language(language):
    known = read_messages(language)
    shown = [each for each in all_columns() if each.on_page]
    assert len(shown) > 30
    assert [each.key for each in shown if not known.get(each.key, "").strip()] == []
    units = {each.symbol for each in shown if each.symbol and each.symbol not in SIGNS}
    assert [unit for unit in units if not known.get(f"unit.{unit}", "").strip()] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_labels_are_translated(language):
    english, known = read_messages("en"), read_messages(language)
    assert [each.key for each in all_columns() if each.on_page and known[each.key] == english[each.key]] == []


def test_every_column_says_what_it_means_and_how_it_is_had():
    assert [each.name for each in all_columns() if not (each.meaning.strip() and each.formula.strip())] == []


def test_no_message_labels_a_column_that_is_gone():
    labels = {key for key in read_messages("en") if key.startswith("metric.")}
    assert labels == {each.key for each in all_columns() if each.on_page}


_UNIT_BY_NAME = (
    (r"people_hours_per_day.*", Unit.PERSON_HOURS_PER_DAY),
    (r".*_per_10km", Unit.PER_10KM),
    (r"(.*_)?km(_.*)?", Unit.KM),
    (r".*_km2", Unit.KM2),
    (r".*_musd(_.*)?", Unit.MUSD),
    (r".*_usd", Unit.USD_PER_LOAD),
    (r".*_min(_.*)?", Unit.MIN),
    (r".*_h", Unit.H),
    (r".*_deg", Unit.DEGREE),
    (r".*_pct", Unit.PERCENT),
    (r".*_m", Unit.M),
    (r"people_.*", Unit.PEOPLE),
    (r".*_(share|factor|ratio)", Unit.NONE),
)
"""What a name says of its unit; the first pattern that fits counts."""


def test_units_agree_with_names():
    for each in all_columns():
        if each.kind is Kind.COUNT:
            assert each.unit == Unit.COUNT, each.name
        elif each.kind is Kind.NUMBER:
            assert each.unit == next(unit for pattern, unit in _UNIT_BY_NAME if re.fullmatch(pattern, each.name))
        else:
            assert each.unit == Unit.NONE, each.name


def test_each_subject_is_a_module_of_its_own():
    for subject in Subject:
        assert importlib.util.find_spec(f"corridor.metrics.{subject}"), subject
    assert {each.subject for each in all_metrics()} == set(Subject)


def test_an_input_is_of_one_type_wherever_it_is_taken():
    kinds = {}
    functions = [each.measure for each in all_metrics()] + [function for function, _ in registry._derived.values()]
    for function in functions:
        hints = typing.get_type_hints(function)
        assert "return" in hints
        for name in inspect.signature(function).parameters:
            assert name in INPUTS or name in derived_inputs()
            kinds.setdefault(name, set()).add(str(hints[name]))
    kinds.pop("new_links", None)  # any collection will do for its reader
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_every_figure_that_may_be_lacking_has_a_column_that_says_why():
    lacking = [
        each.name
        for each in all_metrics()
        if "Unmeasured" in str(typing.get_type_hints(each.measure)["return"]) and not each.status
    ]
    assert lacking == []


# What a metric's row holds.


def test_a_range_stands_in_three_cells_and_what_is_not_given_is_empty(empty):
    @metric(Subject.DISTANCE, column("a_km", interval=True), column("b_km"), column("c_{what}_km"), status="a_status")
    def measure(candidate: int):
        return {"a_km": Estimate(1.0, 2.0, 4.0), "c_x_km": 3.0}

    row = Context(candidate=1).row
    assert {name: row[name] for name in ("a_km", "a_km_low", "a_km_high", "c_x_km", "a_status")} == {
        "a_km": 2.0, "a_km_low": 1.0, "a_km_high": 4.0, "c_x_km": 3.0, "a_status": "ok",
    }  # fmt: skip
    assert np.isnan(row["b_km"])
    assert list(row) == ["a_km", "b_km", "a_status", "a_km_low", "a_km_high", "c_x_km"]


def test_what_cannot_be_measured_is_empty_and_says_why(empty):
    @metric(Subject.DISTANCE, column("a_km", interval=True), column("b_km"), status="a_status")
    def measure(candidate: int):
        return Unmeasured(MetricStatus.UNREACHABLE, {"b_km": 7.0})

    row = Context(candidate=1).row
    assert np.isnan(row["a_km"])
    assert (row["b_km"], row["a_status"]) == (7.0, "unreachable")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"b_km": 1.0}, "gives 'b_km', which is none of its columns"),
        ({"a_km": Estimate(0.0, 1.0, 2.0)}, "gives a range for 'a_km'; declare it with interval=True"),
    ],
)
def test_what_is_not_declared_is_refused(empty, given, message):
    @metric(Subject.DISTANCE, column("a_km"))
    def measure(candidate: int):
        return given

    with pytest.raises(RegistryError, match=message):
        _ = Context(candidate=1).row


def test_a_column_is_given_by_one_metric(empty):
    @metric(Subject.DISTANCE, column("a_km"))
    def measure(candidate: int):
        return {"a_km": 1}

    with pytest.raises(RegistryError, match=r"column 'a_km' is already given by .*measure"):

        @metric(Subject.TIME, column("a_km"))
        def measure_again(candidate: int):
            return {"a_km": 2}


def test_a_module_that_is_read_again_replaces_its_metric(empty):
    def measure(candidate: int):
        return {"a_km": 1}

    for unit in (Unit.KM, Unit.M):
        metric(Subject.DISTANCE, column("a_km", unit=unit))(measure)
    assert [each.columns[0].unit for each in all_metrics()] == [Unit.M]


def test_an_input_that_nobody_gives_is_named_at_once(empty):
    @metric(Subject.DISTANCE, column("a_km"))
    def measure(candidat: int):
        return {"a_km": 1}

    with pytest.raises(RegistryError, match=r"needs 'candidat', which is no input \(did you mean 'candidate'\?\)"):
        all_metrics()


def test_an_input_has_one_origin(empty):
    with pytest.raises(RegistryError, match=r"input 'profile' of .* is there already"):

        @derived
        def profile(candidate: int):
            return 1


def test_what_follows_from_inputs_is_an_input_too(empty):
    @derived
    def roots(network: int):
        return network * 10

    @derived
    def branches(candidate: int, roots: int):
        return candidate + roots

    @metric(Subject.DISTANCE, column("of_study_km"))
    def measure_study(roots: int):
        return {"of_study_km": roots}

    @metric(Subject.COST, column("of_regime_km"))
    def measure_regime(branches: int, regime: int | None):
        return {"of_regime_km": branches * (regime or 0)}

    assert Context(network=1, candidate=2, regime=3).row == {"of_study_km": 10, "of_regime_km": 36}
    assert Context(network=1).row == {"of_study_km": 10}
    assert Context(candidate=1).row == {}


# Tables and names.


def test_a_table_has_its_columns_by_subject_and_whole_ranges():
    rows = [
        {"zebra": 1, "cost_musd": 5.0, "candidate_id": "a", "regime_id": "r", "length_km": 3.0,
         "length_km_low": 2.0, "length_km_high": 4.0, "crossings_status": "ok", "crossings_at_grade_trunk": 2.0},
        {"candidate_id": "b", "regime_id": "r", "length_km": 7.0, "cost_musd": 0.0, "crossings_status": "ok"},
        {"candidate_id": "c", "regime_id": "r", "length_km": 8.0, "crossings_status": "not_supported"},
    ]  # fmt: skip
    table = complete_table(rows)
    assert list(table.columns) == [
        "candidate_id", "regime_id", "length_km", "length_km_low", "length_km_high", "cost_musd",
        "crossings_at_grade_trunk", "crossings_status", "zebra",
    ]  # fmt: skip
    assert table["length_km_high"].tolist() == [4.0, 7.0, 8.0]
    # a class of road that isn't met is crossed 0 times where crossings were counted, and unknown elsewhere
    np.testing.assert_array_equal(table["crossings_at_grade_trunk"], [2.0, 0.0, np.nan])
    pd.testing.assert_frame_equal(complete_table(table), table)


def test_what_would_be_if_closed_bars_nobody_from_being_ranked():
    """The road that is lost if its own part were closed is still a road; one that loses the border isn't ranked."""
    rows = [
        {"candidate_id": "a", "regime_id": "r", "north_south_if_closed": "undetermined", "access_delay_min": 1.0,
         "north_south_if_closed_ratio_status": "undetermined", "access_delay_min_status": "ok",
         "north_south_if_closed_ratio_low": 1.0, "north_south_if_closed_ratio_high": 3.0},
        {"candidate_id": "b", "regime_id": "r", "north_south_if_closed": "unreachable", "access_delay_min": 2.0,
         "access_delay_min_status": "ok"},
        {"candidate_id": "c", "regime_id": "r", "north_south_if_closed": "open", "north_south_if_closed_ratio": 1.0,
         "access_delay_min_status": "unreachable"},
    ]  # fmt: skip
    table = complete_table(rows)
    criterion = Criterion("delay", "Delay", "access_delay_min", "min", Direction.MIN, "access", 0.0, 10.0)
    panel = build_matrix(table, [criterion]).panel("r")
    assert panel.candidate_ids == ("a", "b")
    assert table["north_south_if_closed"].tolist() == ["undetermined", "unreachable", "open"]


def test_names_find_their_columns():
    known = (
        column("a_km", interval=True), column("a_{what}_km", interval=True), *with_before(column("b_{from}_{to}")),
        column("b_whole"), column("c_km"),
    )  # fmt: skip
    assert find_column("a_km", known).name == "a_km"
    assert find_column("a_x_km", known).meaning == "a figure (what: x)"
    assert find_column("a_x_km_low", known).meaning == "lower end of: a figure (what: x)"
    assert find_column("b_x_y_before", known).meaning == "before, with nothing done: a figure (from: x) (to: y)"
    assert find_column("b_whole", known).name == "b_whole"
    # a figure without an interval has ends where it is undetermined
    assert find_column("c_km_low", known).meaning == "lower end of: a figure"
    assert find_column("d", known) is None
    shown = resolve_columns(["c_km", "a_x_km", "a_x_km_low", "d", "b_x_y_before"], known)
    assert [(each.name, each.shown) for each in shown] == [
        ("c_km", Shown.PAGE), ("a_x_km", Shown.PAGE), ("b_x_y_before", Shown.FILES),
    ]  # fmt: skip
    assert shown[1].key == "metric.a_{what}_km"


def test_what_is_on_the_page_is_declared_not_guessed():
    assert column("dem_km").on_page
    assert not column("dem_km", shown=Shown.FILES).on_page
    assert not column("words", kind=Kind.TEXT).on_page
    assert all(isinstance(each, Metric) for each in all_metrics())
