import dataclasses

import numpy as np
import pandas as pd
import pytest

from corridor.errors import ScoringError
from corridor.mcda.matrix import build_matrix
from corridor.report.i18n import render
from corridor.schema.message import Message

from .tables import ROUTE_CRITERIA, route_table


def reasons(matrix):
    return dict(zip(matrix.excluded["candidate_id"], map(render, matrix.excluded["reason"]), strict=True))


def test_through_routes_and_comparators_are_apart():
    matrix = build_matrix(route_table(), ROUTE_CRITERIA)
    through, abroad = matrix.panel(), matrix.panel(kind="comparator")
    assert through.candidate_ids == ("rail", "valley", "pass", "north")
    assert through.criterion_ids == ("length", "cost", "delay", "gain")
    assert abroad.candidate_ids == ("abroad",)
    # Not applicable is not zero: the criterion is gone there, and that is said.
    assert abroad.criterion_ids == ("length", "cost")
    assert any("comparators: no route has a value for “Access delay”" in render(note) for note in matrix.notes)
    assert matrix.excluded.empty


def test_comparators_in_one_panel_or_left_out():
    together = build_matrix(route_table(), ROUTE_CRITERIA, comparators="together")
    assert reasons(together) == {"abroad": "not ranked: no value for Gain (missing)"}
    assert len(together.excluded) == 2
    omitted = build_matrix(route_table(), ROUTE_CRITERIA, comparators="omit")
    assert Message("note.comparators_omitted") in omitted.notes
    assert [panel.kind for panel in omitted.panels] == ["through"]


def test_unreachable_is_a_veto_whatever_number_stands_there():
    table = route_table(access_delay_min_status=["unreachable", "", "", "", "not_applicable"])
    table.loc[0, "access_delay_min"] = 0.0
    matrix = build_matrix(table, ROUTE_CRITERIA)
    assert "rail" not in matrix.panel().candidate_ids
    row = matrix.excluded.iloc[0]
    assert (row["criterion_id"], row["status"]) == ("delay", "unreachable")
    assert render(row["reason"]) == "not ranked: Access delay: unreachable"


def test_a_number_beside_a_status_without_a_value_is_not_used():
    table = route_table(cost_musd_status=["not_supported", "documented", "", "", ""])
    matrix = build_matrix(table, ROUTE_CRITERIA)
    assert reasons(matrix) == {"rail": "not ranked: no value for Cost (not supported)"}
    assert "valley" in matrix.panel().candidate_ids


def test_a_status_of_a_metric_that_is_not_scored_vetoes_too():
    table = route_table(north_south_delay_min_status=["", "unreachable", "", "", ""])
    assert reasons(build_matrix(table, ROUTE_CRITERIA)) == {"valley": "not ranked: north_south_delay_min: unreachable"}
    assert build_matrix(table, ROUTE_CRITERIA, veto_on_any_status=False).excluded.empty


def test_people_cut_off_bar_who_is_scored_on_hours_and_nobody_else():
    """The fewer still have a way the fewer hours they lose: such a sum is no number, and never the best there is."""
    table = route_table(access_delay_min_status=["cut_off", "", "", "", "not_applicable"])
    table.loc[0, "access_delay_min"] = 0.0
    assert reasons(build_matrix(table, ROUTE_CRITERIA)) == {"rail": "not ranked: Access delay: people cut off"}
    unscored = route_table(people_hours_per_day_status=["cut_off", "", "", "", ""])
    assert build_matrix(unscored, ROUTE_CRITERIA).excluded.empty


def test_a_stated_veto():
    table = route_table(veto=["", "", "regime not applicable to roads", None, ""])
    assert reasons(build_matrix(table, ROUTE_CRITERIA)) == {"pass": "not ranked: regime not applicable to roads"}


def test_who_lacks_a_value_is_set_aside_with_the_reason():
    table = route_table(
        cost_musd=[1000.0, np.nan, 200.0, 10.0, 500.0], cost_musd_status=["", "not_supported", "", "", ""]
    )
    matrix = build_matrix(table, ROUTE_CRITERIA)
    assert reasons(matrix) == {"valley": "not ranked: no value for Cost (not supported)"}
    assert matrix.panel().candidate_ids == ("rail", "pass", "north")


def test_or_the_criterion_is_dropped_for_everybody():
    table = route_table(cost_musd=[1000.0, np.nan, 200.0, 10.0, 500.0])
    matrix = build_matrix(table, ROUTE_CRITERIA, missing="drop-criterion")
    assert matrix.panel().criterion_ids == ("length", "delay", "gain")
    assert matrix.panel().candidate_ids == ("rail", "valley", "pass", "north")
    assert any("1 of 4 routes lack a value for “Cost”" in render(note) for note in matrix.notes)


def test_the_vetoed_do_not_cost_the_others_a_criterion():
    status = ["unreachable", "", "", "", "not_applicable"]
    matrix = build_matrix(route_table(access_delay_min_status=status), ROUTE_CRITERIA, missing="drop-criterion")
    assert "delay" in matrix.panel().criterion_ids


def test_nobody_has_any_value():
    matrix = build_matrix(route_table(length_km=np.nan), ROUTE_CRITERIA[:1])
    assert matrix.panel().candidate_ids == ()
    assert set(reasons(matrix).values()) == {"not ranked: no criterion has values here"}


def test_regimes_are_panels():
    table = pd.concat([route_table(regime_id="open"), route_table(regime_id="sealed")], ignore_index=True)
    matrix = build_matrix(table, ROUTE_CRITERIA)
    assert [(p.regime_id, p.kind) for p in matrix.panels] == [
        ("open", "through"),
        ("open", "comparator"),
        ("sealed", "through"),
        ("sealed", "comparator"),
    ]
    assert render(matrix.panel("sealed").where) == "“sealed”, through routes"
    with pytest.raises(ScoringError, match=r"name the regime.*'open', 'sealed'"):
        matrix.panel()
    with pytest.raises(ScoringError, match="no regime 'closed'"):
        matrix.panel("closed")


def test_anchors_keep_values_whoever_comes_or_goes():
    whole = build_matrix(route_table(), ROUTE_CRITERIA).panel()
    fewer = build_matrix(route_table().drop(index=[0, 3]), ROUTE_CRITERIA).panel()
    np.testing.assert_array_equal(fewer.values, whole.values[1:3])
    loose = build_matrix(route_table().drop(index=[0, 3]), ROUTE_CRITERIA, scaling="min-max").panel()
    assert not np.array_equal(loose.values, whole.values[1:3])


def test_intervals_are_read_and_holes_in_them_are_points():
    table = route_table(
        length_km_low=[240.0, np.nan, 340.0, 400.0, 300.0], length_km_high=[270.0, 260.0, 350.0, 400.0, 1.0]
    )
    panel = build_matrix(table.iloc[:4], ROUTE_CRITERIA).panel()
    assert panel.low[:, 0].tolist() == [240.0, 250.5, 340.0, 400.0]
    assert panel.high[:, 0].tolist() == [270.0, 260.0, 350.0, 400.0]
    np.testing.assert_array_equal(panel.low[:, 1], panel.metrics[:, 1])
    with pytest.raises(ScoringError, match="'length_km' of 'abroad': low is above high"):
        build_matrix(table, ROUTE_CRITERIA)


def test_what_the_reader_must_know_is_noted():
    table = route_table(length_km=[150.0, 250.0, 300.0, 300.0, 300.0], cost_musd=700.0, gain_min_low=[5.0] * 5)
    table["gain_min_high"] = 70.0
    notes = build_matrix(table, ROUTE_CRITERIA).notes
    assert any("Length of Railway lies outside the stated 200 to 600 km" in render(note) for note in notes)
    assert any("Cost doesn't tell the routes apart here (700 million USD)" in render(note) for note in notes)
    assert any("Gain of rail lies outside its own interval" in render(note) for note in notes)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (route_table().drop(columns="candidate_id"), "no column 'candidate_id'"),
        (route_table().iloc[:0], "no rows"),
        (route_table().rename(columns={"length_km": "lenght_km"}), "no column 'length_km' .did you mean 'lenght_km'"),
        (route_table(length_km="far"), "not a number"),
        (route_table(access_delay_min=[np.inf, 1, 2, 3, 4]), "infinite for 'rail'.*never a number"),
        (route_table(candidate_id="same"), "'same' comes twice"),
        (route_table(candidate_id=["a", "b", "c", "d", None]), "no candidate_id"),
        (route_table(access_delay_min_status="unreachble"), "did you mean 'unreachable'"),
        (route_table(comparator="no"), "true or false"),
        (route_table(veto=False), "reason as text"),
    ],
)
def test_tables_that_can_t_be_used(table, words):
    with pytest.raises(ScoringError, match=words):
        build_matrix(table, ROUTE_CRITERIA)


@pytest.mark.parametrize("option", ["scaling", "missing", "comparators"])
def test_unknown_options(option):
    with pytest.raises(ScoringError, match=f"{option} 'x' is unknown"):
        build_matrix(route_table(), ROUTE_CRITERIA, **{option: "x"})


def test_a_wrong_criterion_is_refused_before_the_table_is_read():
    with pytest.raises(ScoringError, match="shape"):
        build_matrix(route_table(), [dataclasses.replace(ROUTE_CRITERIA[0], shape=0)])


def test_what_would_be_if_a_route_were_closed_bars_nobody():
    table = route_table().assign(north_south_if_closed_ratio_status="unreachable")
    assert build_matrix(table, ROUTE_CRITERIA).excluded.empty
