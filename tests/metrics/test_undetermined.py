"""Figures of which only the ends are known: as cells, as rows of two ends, and as a table."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.mcda.matrix import build_matrix
from corridor.mcda.rank import rank_intervals
from corridor.metrics.registry import all_columns, complete_table, join_ends
from corridor.report.tables import plain_table, write_csv
from corridor.schema.catalogue import Undetermined
from corridor.schema.column import Criterion, resolve_columns

OK = {"access_delay_min_status": "ok", "access_min_before": 500.0}


def access(after, status="ok", **more):
    delay = after - 500.0
    cells = {"access_min_after": after, "access_delay_min": delay, "access_ratio": after / 500.0}
    if status != "ok":
        cells = dict.fromkeys(cells, float("nan"))
    return OK | {"access_delay_min_status": status} | cells | more


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_the_low_end_is_never_above_the_high_one(best, worst):
    assert Undetermined(best, worst).low <= Undetermined(best, worst).high


def test_ends_that_agree_are_the_figure_with_the_wider_range():
    row = join_ends(
        access(500.0, access_delay_min_low=0.0, access_delay_min_high=0.0),
        access(500.0, access_delay_min_low=0.0, access_delay_min_high=30.0),
    )
    assert row["access_delay_min"] == 0.0
    assert (row["access_delay_min_low"], row["access_delay_min_high"]) == (0.0, 30.0)
    assert row["access_delay_min_status"] == "ok"
    assert "access_ratio_status" not in row


def test_ends_that_differ_leave_no_number():
    row = join_ends(access(500.0), access(520.0))
    assert math.isnan(row["access_delay_min"])
    assert (row["access_delay_min_low"], row["access_delay_min_high"]) == (0.0, 20.0)
    assert row["access_delay_min_status"] == row["access_ratio_status"] == "undetermined"
    assert row["access_min_before"] == 500.0
    # other rows have their metric's status, and so have this row's known figures
    table = complete_table([{"candidate_id": "a"} | row, {"candidate_id": "b"} | access(510.0)])
    assert list(table["access_ratio_status"]) == ["undetermined", "ok"]
    assert list(table["access_min_before"]) == [500.0, 500.0]


WAIT = {"access_delay_min_low": 0.0, "access_delay_min_high": 0.0}


def test_the_worst_end_takes_the_worst_of_its_range_and_the_best_the_best():
    # a gate is waited at for 5 to 90 minutes, 20 on average: at worst one waits for 90
    row = join_ends(access(500.0, **WAIT), access(520.0, access_delay_min_low=5.0, access_delay_min_high=90.0))
    assert (row["access_delay_min_low"], row["access_delay_min_high"]) == (0.0, 90.0)
    assert (row["access_delay_min_best"], row["access_delay_min_worst"]) == (0.0, 20.0)
    assert math.isnan(row["access_delay_min"])


def test_ranks_go_by_what_is_unknown_alone_with_all_else_at_its_middle():
    open_row = join_ends(access(500.0, **WAIT), access(520.0, access_delay_min_low=5.0, access_delay_min_high=90.0))
    table = complete_table(
        [{"candidate_id": "a"} | open_row, {"candidate_id": "b"} | access(530.0, access_delay_min_low=10.0)]
    )
    rule = Criterion("delay", "Delay", "access_delay_min", "min", "min", "access", 0, 100)
    panel = build_matrix(table, [rule]).panel()
    assert (panel.low[0, 0], panel.high[0, 0]) == (0.0, 20.0)
    assert list(rank_intervals(panel, [1.0]).worst) == [1, 2]
    read = plain_table(table)
    assert list(read.loc[0, [f"access_delay_min{end}" for end in ("_low", "_best", "_worst", "_high")]]) == [
        0,
        0,
        20,
        90,
    ]


@given(st.lists(st.floats(0, 100), min_size=6, max_size=6), st.floats(0, 50))
def test_widening_the_range_at_an_end_only_widens_what_is_undetermined(values, more):
    (a, b, c), (d, e, f) = sorted(values[:3]), sorted(values[3:])
    found = []
    for extra in (0.0, more):
        best = access(500.0 + b, access_delay_min_low=a - extra, access_delay_min_high=c + extra)
        worst = access(500.0 + e, access_delay_min_low=d, access_delay_min_high=f + extra)
        row = join_ends(best, worst)
        found.append((row["access_delay_min_low"], row["access_delay_min_high"]))
    (low, high), (lower, higher) = found
    assert lower <= low <= high <= higher
    assert low <= min(a, d) + 1e-6
    assert high >= max(c, f) - 1e-6


def test_an_end_that_cannot_be_reached_is_infinite():
    row = join_ends(access(500.0), access(np.nan, "unreachable"))
    assert (row["access_delay_min_low"], row["access_delay_min_high"]) == (0.0, math.inf)
    assert row["access_delay_min_status"] == "undetermined"
    lost = join_ends(access(np.nan, "unreachable"), access(np.nan, "unreachable"))
    assert lost["access_delay_min_status"] == "unreachable"


LOST = {"places_counted": 3, "places_lost_crossing": 0, "people_lost_crossing": 0.0, "places_status": "ok"}


def test_a_figure_that_is_known_at_one_end_alone_isnt_known():
    """Nobody loses the crossing at best; at worst two villages do of which nobody says how many live there."""
    ends = {"people_lost_crossing_low": 0.0, "people_lost_crossing_high": 0.0}
    worst = LOST | {"places_lost_crossing": 2, "people_lost_crossing": np.nan, "places_status": "not_supported"}
    criterion = Criterion(
        criterion_id="lost", label="Lost", metric="people_lost_crossing", unit="people", direction="min",
        group="people", best=0.0, worst=100.0,
    )  # fmt: skip
    for one, other in ((LOST | ends, worst), (worst, LOST | ends)):
        row = join_ends(one, other)
        assert np.isnan([row[name] for name in ("people_lost_crossing", *ends)]).all()
        assert row["people_lost_crossing_status"] == "not_supported"
        assert {row["places_lost_crossing_low"], row["places_lost_crossing_high"]} == {0.0, 2.0}
        assert row["places_counted"] == 3
        # who isn't known isn't first: here nobody else is worse than ten people
        table = complete_table(
            [{"candidate_id": "open"} | row, {"candidate_id": "b"} | LOST | {"people_lost_crossing": 10.0}]
        )
        assert list(table["people_lost_crossing_status"]) == ["not_supported", "ok"]
        assert build_matrix(table, [criterion]).panel().candidate_ids == ("b",)
    hours = {"people_hours_per_day": 0.0, "people_hours_per_day_status": "ok"}
    unknown = {"people_hours_per_day": np.nan, "people_hours_per_day_status": "not_supported"}
    assert join_ends(hours, unknown)["people_hours_per_day_status"] == "not_supported"
    unlike = join_ends(unknown, unknown | {"people_hours_per_day_status": "not_applicable"})
    assert unlike["people_hours_per_day_status"] == "not_applicable"
    assert join_ends(unknown, unknown) == unknown | {"people_hours_per_day": pytest.approx(np.nan, nan_ok=True)}


def test_a_status_alone_may_be_undetermined():
    ends = ({"north_south_if_closed": said, "north_south_if_closed_ratio": 1.0} for said in ("open", "slower"))
    assert join_ends(*ends)["north_south_if_closed"] == "undetermined"


def test_a_status_that_is_a_figure_in_itself_stays_the_only_one(tmp_path):
    # one that vetoes nothing must not come to veto under another name
    open_, lost = ({"north_south_if_closed": said, "north_south_if_closed_ratio": ratio}
                   for said, ratio in (("open", 1.0), ("unreachable", np.nan)))  # fmt: skip
    table = complete_table([{"candidate_id": "a"} | join_ends(open_, lost), {"candidate_id": "b"} | lost])
    assert table["north_south_if_closed_ratio_high"][0] == math.inf
    assert "north_south_if_closed_ratio_status" not in table
    write_csv(table, tmp_path / "metrics.csv")
    read = pd.read_csv(tmp_path / "metrics.csv")
    assert read["north_south_if_closed_ratio_high"][0] == math.inf
    assert "north_south_if_closed_ratio_status" not in read


def test_classes_met_at_one_end_alone_count_as_none_at_the_other():
    best = {"crossings_status": "ok", "crossings": 0}
    worst = {"crossings_status": "ok", "crossings": 2, "crossings_at_grade_track": 2}
    row = join_ends(best, worst)
    assert (row["crossings_at_grade_track_low"], row["crossings_at_grade_track_high"]) == (0.0, 2.0)
    assert row["crossings_status"] == "undetermined"
    table = complete_table(
        [{"candidate_id": "a"} | row, {"candidate_id": "b", "crossings_status": "ok", "crossings": 1}]
    )
    assert np.isnan(table["crossings_at_grade_track"][0])
    assert table["crossings_at_grade_track"][1] == 0.0


def test_files_keep_the_ends_and_no_number(tmp_path):
    table = complete_table([{"candidate_id": "a"} | join_ends(access(500.0), access(np.nan, "unreachable"))])
    assert np.isinf(plain_table(table)["access_delay_min_high"][0])
    write_csv(table, tmp_path / "metrics.csv")
    read = pd.read_csv(tmp_path / "metrics.csv")
    assert np.isnan(read["access_delay_min"][0])
    assert read["access_delay_min_high"][0] == math.inf


def test_nobody_is_ranked_by_a_figure_that_is_not_known():
    criterion = Criterion(
        criterion_id="delay", label="Delay", metric="access_delay_min", unit="min", direction="min",
        group="border_access", best=0.0, worst=120.0,
    )  # fmt: skip
    rows = [
        {"candidate_id": "known"} | access(510.0),
        {"candidate_id": "open"} | join_ends(access(500.0), access(np.nan, "unreachable")),
    ]
    matrix = build_matrix(complete_table(rows), [criterion])
    assert "open" not in matrix.panel().candidate_ids or not (matrix.panel().metrics == 0).any()


@pytest.mark.parametrize("regime_id", ["status-quo", "article-9", "sealed"])
def test_a_line_of_unknown_place_has_no_plain_figure_that_hangs_on_crossings(bundled, regime_id):
    row = bundled.metrics.set_index(["candidate_id", "regime_id"]).loc["aras-road", regime_id]
    assert row["north_south_if_closed"] == "undetermined"
    names = ["north_south_shared_km", "north_south_conflicts"]
    names += ["access_delay_min", "north_south_delay_min"] if regime_id != "status-quo" else []
    for name in names:
        assert np.isnan(row[name]), name
        assert row[f"{name}_status"] == "undetermined"
        assert row[f"{name}_low"] < row[f"{name}_high"]
    # where nothing is closed or slowed the ends agree
    if regime_id == "status-quo":
        assert row["access_delay_min"] == 0.0


def test_ends_are_named_by_what_is_unknown_and_the_worst_may_be_the_lesser_figure():
    # gates make a route worth less, and so what its closure costs
    ends = [
        {"flow_regret_usd": figure, "flow_regret_usd_low": 100.0, "flow_regret_usd_high": 400.0}
        for figure in (273, 272)
    ]
    row = join_ends(*ends)
    assert (row["flow_regret_usd_best"], row["flow_regret_usd_worst"]) == (273, 272)
    (column,) = resolve_columns(["flow_regret_usd"], all_columns())
    for end in ("best", "worst"):
        said = column.end(f"_{end}")
        assert said.meaning.startswith(f"with what isn't known at its {end}: what north-south loads")
        assert "better of the two or not" in said.formula
