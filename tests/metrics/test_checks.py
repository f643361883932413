"""Checks at borders: the table of delays, the rules that choose its rows, and the laws that hold of a trip."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from corridor.errors import CatalogueError, StudyError
from corridor.files import data_root
from corridor.io.read.border_delays import COLUMNS, load_border_delays, sides_of, with_sides
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.regimes import build_regime, load_regimes, require_points
from corridor.io.read.tables import Faults
from corridor.schema.candidate import BorderPassage
from corridor.schema.catalogue import BorderDelay, BorderDelays, Crossing, Estimate, minutes_of, passed_sides
from corridor.schema.regime import CheckRule, Regime
from corridor.schema.vocabulary import CrossingStatus, Mode
from corridor.sweeps.factors import CheckTimes
from tests.interactions.grounds import candidate, part
from tests.interactions.roads import regime
from tests.metrics.context import Context

REFERENCE = data_root() / "reference"
WEST = shapely.LineString([(10.0, 45.0), (10.5, 45.0)])
EAST = shapely.LineString([(10.5, 45.0), (11.0, 45.0)])


def delay(point="gate", country="AA", direction="both", hours=(1, 2, 4), mode=Mode.ROAD, year=2020, fee=None):
    return BorderDelay(
        point, country, direction, mode, year, Estimate(*map(float, hours)), None, None, fee and Estimate(*fee),
        "declared", ("made-up",), "2020", "L", "",
    )  # fmt: skip


def checks(*rules, **more):
    """A regime that checks by some rules and has no minutes of its own."""
    found = tuple(CheckRule(**rule) for rule in rules)
    return regime().model_copy(update={"checks": found, "border_check_min": None, "transit_check_min": None} | more)


def trip(rows, *ways, mode=Mode.ROAD, point="gate"):
    """A route that passes borders, with what the table has of them."""
    table = BorderDelays(tuple(rows))
    passages = []
    for left, entered in ways:
        passed = passed_sides(sides_of(point, {left, entered}, mode, table), left, entered)
        at = (10.5, 45.0, point, CrossingStatus.OPEN, minutes_of(passed), mode, passed)
        passages.append(BorderPassage((left, entered), *at))
    return replace(candidate(part(WEST), part(EAST)), passages=tuple(passages), mode=mode), table


def check_h(route, rules, table):
    return Context(candidate=route, regime=rules, border_delays=table)["regime_check_h"]


SIDES = [
    delay(country="AA", direction="outbound", hours=(2, 3, 5)),
    delay(country="AA", direction="inbound", hours=(1, 2, 3)),
    delay(country="BB", hours=(0.5, 1, 1.5)),
]


def test_both_sides_are_passed_in_the_direction_of_the_trip():
    route, table = trip(SIDES, ("AA", "BB"), ("BB", "AA"))
    # out of AA, into BB, out of BB, into AA
    assert check_h(route, checks({"countries": ["*"]}), table) == Estimate(4.0, 7.0, 11.0)
    assert check_h(route, checks({"countries": ["AA"]}), table) == Estimate(3.0, 5.0, 8.0)
    assert check_h(route, checks(), table) == Estimate(0.0, 0.0, 0.0)
    # outside every regime all that is listed counts
    assert check_h(route, None, table) == Estimate(4.0, 7.0, 11.0)


def test_the_first_rule_that_fits_a_side_decides_it():
    rows = [*SIDES, delay("office", "BB", hours=(0, 0.25, 0.5))]
    route, table = trip(rows, ("AA", "BB"))
    office = {"countries": ["BB"], "point": "office"}
    assert check_h(route, checks(office, {"countries": ["*"]}), table).mid == 3.25
    assert check_h(route, checks({"countries": ["*"]}, office), table).mid == 4
    assert check_h(route, checks({"countries": ["*"], "crossings": ["elsewhere"]}), table).mid == 0
    assert check_h(route, checks({"countries": ["*"], "modes": ["rail"]}), table).mid == 0


def test_a_check_that_the_text_leaves_open_may_not_be_there():
    route, table = trip(SIDES, ("AA", "BB"))
    assert check_h(route, checks({"countries": ["*"], "stated": False}), table) == Estimate(0.0, 4.0, 6.5)


def test_a_check_on_the_way_counts_once_and_a_change_of_gauge_always():
    rows = [
        *(replace(row, mode=Mode.RAIL) for row in SIDES),
        delay("gate", "BB", "gauge", (6, 12, 24), Mode.RAIL),
        delay("post", "BB", "transit", (0, 0.5, 1), Mode.RAIL),
    ]
    route, table = trip(rows, ("AA", "BB"), ("BB", "AA"), mode=Mode.RAIL)
    on_the_way = {"countries": ["BB"], "at": "transit", "point": "post"}
    assert check_h(route, checks(on_the_way), table) == Estimate(12.0, 24.5, 49.0)
    assert check_h(route, checks(), table) == Estimate(12.0, 24.0, 48.0)


def test_minutes_of_a_regime_stand_instead_of_rows():
    route, table = trip(SIDES, ("AA", "BB"), ("BB", "AA"))
    own = regime().border_check_min.taking(Estimate(30.0, 60.0, 90.0))
    assert check_h(route, checks(border_check_min=own), table) == Estimate(1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="border_check_min stands instead of checks at 'border'"):
        Regime.model_validate(checks({"countries": ["*"]}, border_check_min=own).model_dump())


def test_a_delay_of_the_whole_crossing_is_half_a_side():
    passage = BorderPassage(("AA", "BB"), 10.5, 45.0, "gate", CrossingStatus.OPEN, Estimate(60.0, 120.0, 180.0))
    route = replace(candidate(part(WEST), part(EAST)), passages=(passage,))
    assert check_h(route, checks({"countries": ["*"]}), BorderDelays()) == Estimate(1.0, 2.0, 3.0)
    assert check_h(route, checks({"countries": ["BB"]}), BorderDelays()) == Estimate(0.5, 1.0, 1.5)


def test_a_side_that_nobody_has_hours_of_is_named():
    route, table = trip([SIDES[0]], ("AA", "BB"))
    with pytest.raises(StudyError, match=r"no row of crossing 'gate' for BB, inbound, road; add one"):
        check_h(route, checks({"countries": ["*"]}), table)
    require_points({"x": checks({"countries": ["*"], "point": "gate"})}, table.points, "here")
    with pytest.raises(CatalogueError, match=r"here: regimes\.x\.checks\.0\.point: 'ghost' is no point"):
        require_points({"x": checks({"countries": ["*"], "point": "ghost"})}, table.points, "here")


def hours_only(low, mid, high):
    """The shipped regime with other hours of transit, through its text as a file gives it."""
    with (REFERENCE / "regimes.toml").open("rb") as stream:
        fields = tomllib.load(stream)["regimes"]["hours"]
    return build_regime("hours", fields | {"transit_hours": {"low": low, "mid": mid, "high": high}, "checks": []})


@given(st.lists(st.floats(0.5, 24.0), min_size=3, max_size=3).map(sorted))
def test_who_comes_at_any_time_waits_for_the_hours_by_the_law_of_chance(hours):
    """Oracle: the mean wait of arrivals spread over the day, at a gate shut once a day."""
    low, mid, high = hours
    rules = hours_only(low, mid, high)
    arrivals = (np.arange(240_000) + 0.5) / 10_000
    others = np.clip(mid - arrivals, 0.0, None).mean()  # shut to them while transit passes, from hour 0
    transit = np.clip(24.0 - arrivals, 0.0, None)[arrivals >= mid].sum() / len(arrivals)
    assert rules.crossing.minutes.mid == pytest.approx(others * 60, rel=1e-3, abs=1e-3)
    assert rules.transit_wait_h.mid == pytest.approx(transit, rel=1e-3, abs=1e-3)
    assert rules.same_line.minutes == rules.crossing.minutes
    # who knows the hours doesn't wait; who comes at the wrong moment waits them out
    assert (rules.crossing.minutes.low, rules.transit_wait_h.low) == (0.0, 0.0)
    assert rules.crossing.minutes.high == pytest.approx(high * 60)
    assert rules.transit_wait_h.high == pytest.approx(24 - low)
    route, table = trip(SIDES, ("AA", "BB"))
    assert check_h(route, rules, table) == rules.transit_wait_h


def test_a_route_open_all_day_makes_nobody_of_its_own_wait():
    rules = hours_only(24, 24, 24)
    assert rules.transit_wait_h == Estimate(0.0, 0.0, 0.0)
    assert rules.crossing.minutes == Estimate(0.0, 12 * 60.0, 24 * 60.0)


@pytest.mark.parametrize("hours", [(0, 8, 10), (6, 8, 25), (9, 8, 10), ("6", 8, 10), (6, float("nan"), 8)])
def test_hours_that_no_day_has_are_refused(hours):
    with pytest.raises(CatalogueError, match=r"regime 'hours': .*transit_hours"):
        hours_only(*hours)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"countries": []}, "at least 1"),
        ({"countries": ["armenia"]}, "two capital letters"),
        ({"countries": ["AA"], "at": "transit"}, "names its point"),
        ({"countries": ["AA"], "position": 1.5}, "less than or equal to 1"),
        ({"countries": ["AA"], "multiple": float("inf")}, "finite|less than or equal"),
    ],
)
def test_a_rule_that_says_nothing_sound_is_refused(rule, said):
    with pytest.raises(ValueError, match=said):
        CheckRule(**rule)


HOURS = st.lists(st.floats(0, 100), min_size=3, max_size=3).map(sorted)


@given(
    hours=st.lists(HOURS, min_size=4, max_size=4),
    chosen=st.lists(st.sampled_from(["AA", "BB", "CC"]), unique=True, max_size=3),
    fewer=st.integers(0, 3),
    stated=st.booleans(),
)
def test_fewer_sides_checked_never_take_longer(hours, chosen, fewer, stated):
    """The law: of two regimes with the same rows, the one that checks fewer sides takes no longer at any end."""
    sides = [("AA", "both"), ("BB", "outbound"), ("BB", "inbound"), ("CC", "both")]
    rows = [delay(country=c, direction=d, hours=h) for (c, d), h in zip(sides, hours, strict=True)]
    route, table = trip(rows, ("AA", "BB"), ("BB", "CC"))
    more, less = ([{"countries": c, "stated": stated}] if c else [] for c in (chosen, chosen[:fewer]))
    long, short = (check_h(route, checks(*rules), table) for rules in (more, less))
    for end in ("low", "mid", "high"):
        assert getattr(short, end) <= getattr(long, end) + 1e-9


def test_years_are_one_figure_and_a_point_comes_before_all_points():
    table = BorderDelays((
        delay(year=2021, hours=(9, 9, 9), fee=(5.0, 5.0, 5.0)), delay(year=2023, hours=(4, 4, 4)),
        delay(year=2022, hours=(3, 3, 3), fee=(7.0, 7.0, 7.0)), delay("all", "AA", "outbound", (1, 1, 1)),
        delay("all", "*", "both", (8, 8, 8)),
    ))  # fmt: skip
    found = table.find("gate", "AA", "outbound", Mode.ROAD)
    assert (found.hours, found.fee_usd, found.year) == (Estimate(3, 4, 9), Estimate(5, 7, 7), 2023)
    assert table.find("other", "AA", "outbound", Mode.ROAD).hours.mid == 1
    assert table.find("other", "AA", "inbound", Mode.ROAD).hours.mid == 8
    assert table.find("gate", "AA", "both", Mode.RAIL) is None
    assert table.at("other", "AA", "outbound", Mode.ROAD) is None


def write(path, **cells):
    whole = dict.fromkeys(COLUMNS.split(), "") | {
        "point": "gate", "country": "AA", "direction": "both", "mode": "road", "year": "2020", "hours_mid": "4",
        "basis": "measured", "source_ids": "made-up", "as_of": "2020", "confidence": "H",
    }  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(whole), lineterminator="\n")
        writer.writeheader()
        writer.writerow(whole | cells)
    return path


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"hours_p95": "3.9"}, r"hours_p95: is 3\.9 at a mean of 4; it must lie from the mean"),
        ({"hours_p95": "40"}, r"hours_p95: is 40 at a mean of 4"),
        ({"hours_low": "5"}, r"not in rising order"),
        ({"hours_mid": ""}, r"hours_mid: is empty; a mean number of hours"),
        ({"hours_mid": "-1"}, r"hours_mid: is '-1'"),
        ({"direction": "sideways"}, r"direction: is 'sideways'"),
        ({"year": "soon"}, r"year: is 'soon'"),
        ({"basis": "rumour"}, r"basis: is 'rumour'"),
        ({"source_ids": "nowhere"}, r"'nowhere' is not in sources\.csv"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_row(tmp_path, cells, said):
    faults = Faults()
    load_border_delays(write(tmp_path / "border_delays.csv", **cells), {"made-up"}, faults)
    with pytest.raises(CatalogueError, match=said) as fault:
        faults.raise_any()
    assert "\n" not in str(fault.value)


def test_a_delay_is_told_once():
    crossing = Crossing(
        "gate", "Gate", 10.5, 45.0, frozenset(("AA", "BB")), Mode.ROAD, CrossingStatus.OPEN, "2020",
        Estimate(1.0, 2.0, 3.0), ("made-up",), "",
    )  # fmt: skip
    faults = Faults()
    with_sides(crossing, BorderDelays(tuple(SIDES)), "crossings.csv", faults)
    assert faults.lines == [
        "crossings.csv, gate, delay_min: border_delays.csv has rows of this point; leave one of both out"
    ]
    assert with_sides(crossing, BorderDelays(), "crossings.csv", Faults()).wait_min("AA", "BB") == Estimate(1, 2, 3)
    sided = with_sides(replace(crossing, delay_min=None), BorderDelays(tuple(SIDES)), "crossings.csv", Faults())
    assert sided.wait_min("AA", "BB") == Estimate(150, 240, 390)
    assert sided.wait_min("BB", "AA") == Estimate(90, 180, 270)
    half = BorderDelays(tuple(side for side in SIDES if side.country == "AA"))
    assert with_sides(replace(crossing, delay_min=None), half, "crossings.csv", Faults()).wait_min("AA", "BB") is None


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        ({}, 0.0, (2.5, 2.5, 2.5)),
        ({}, 0.5, (4, 4, 4)),
        ({}, 0.75, (5.25, 5.25, 5.25)),
        ({"measure": "multiple", "low": 0.5, "high": 2}, 2.0, (8, 8, 8)),
        ({"which": "transit"}, 1.0, (2.5, 4, 6.5)),
    ],
)
def test_a_sweep_moves_what_rules_take_from_the_table(asked, value, expected):
    """By hand: out of AA 2, 3, 5 h and into BB 0.5, 1, 1.5 h."""
    route, table = trip(SIDES, ("AA", "BB"))
    factor = CheckTimes(kind="check-times", **asked)
    moved = factor._timed(checks({"countries": ["*"]}), value)
    found = check_h(route, moved, table)
    assert (found.low, found.mid, found.high) == pytest.approx(expected)


# What the catalogue says.


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(REFERENCE)


def test_documented_means_are_those_of_the_survey(catalogue):
    table = catalogue.border_delays
    assert table.find("anywhere", "AZ", "outbound", Mode.ROAD).hours.mid == 4.4
    assert table.find("anywhere", "AZ", "inbound", Mode.ROAD).hours.mid == 4.1
    assert table.at("all", "*", "both", Mode.ROAD).hours.mid == 9.9
    # the mean of all rail points is one of changes of gauge: no crossing takes it
    assert table.at("survey-rail", "*", "both", Mode.RAIL).hours.mid == 40.6
    assert not any(side.hours.mid == 40.6 for crossing in catalogue.crossings.values() for side in crossing.sides)
    armenia = table.find("anywhere", "AM", "outbound", Mode.ROAD)
    assert (armenia.basis, armenia.confidence) == ("declared", "L")
    assert armenia.hours.low < armenia.hours.high


def test_every_crossing_has_hours_of_both_sides_in_both_directions(catalogue):
    for crossing in catalogue.crossings.values():
        a, b = sorted(crossing.countries)
        assert crossing.delay_min is None
        assert len([s for s in crossing.sides if s.direction != "gauge"]) == 4, crossing.crossing_id
        assert crossing.wait_min(a, b).mid > 0


def test_a_change_of_gauge_takes_what_the_long_distance_network_says(catalogue):
    with (REFERENCE / "long_distance" / "transfers.csv").open(encoding="utf-8", newline="") as stream:
        places = {(r["node_id"], frozenset((r["from_system"], r["to_system"]))): r for r in csv.DictReader(stream)}
    gauges = frozenset(("rail-1435", "rail-1520"))
    at = {
        "astara-rail": "astara-ir", "julfa-jolfa-rail": "jolfa", "kartsakhi-canbaz": "akhalkalaki",
        "sadarak-dilucu-rail": "sadarak", "akhurik-dogukapi": "kars",
    }  # fmt: skip
    changes = [r for r in catalogue.border_delays.rows if r.direction == "gauge" and r.basis != "analogue"]
    assert {row.point for row in changes} == set(at)
    for row in changes:
        said = places[at[row.point], gauges]
        assert row.hours == Estimate(*(float(said[f"hours_{end}"]) for end in ("low", "mid", "high")))
        assert row.p95_h == float(said["hours_p95"])


# What comes out.


def rows_of(results, regime_id):
    return results.metrics[results.metrics["regime_id"] == regime_id]


def test_no_figure_of_a_row_contradicts_another(bundled):
    check_rows(bundled)


def check_rows(results):
    """For every row: a trip is the time under way and checks, and the checks are those of the route's own mode."""
    table, delays = results.metrics, load_catalogue(REFERENCE).border_delays
    regimes = load_regimes(REFERENCE / "regimes.toml")
    routes = {route.candidate_id: route for route in results.results.candidates}
    for end in ("", "_low", "_high"):
        total = table[f"travel_time_h{end}"] + table[f"check_h{end}"]
        np.testing.assert_allclose(table[f"trip_time_h{end}"], total, rtol=1e-9)
    rest = table["rest_h"].fillna(0.0)
    driving = table["truck_time_h"].fillna(table["train_time_h"])
    np.testing.assert_allclose(table["travel_time_h"], driving + rest, rtol=1e-9)
    for row in table.itertuples():
        assert row.mode == routes[row.candidate_id].modes
        route = routes[row.trip_by]
        assert route in routes[row.candidate_id].routes
        assert all(p.mode == route.mode and all(s.mode == route.mode for s in p.sides) for p in route.passages)
        own = check_h(route, regimes.get(row.regime_id), delays)
        assert (row.check_h_low, row.check_h, row.check_h_high) == pytest.approx((own.low, own.mid, own.high))
        listed = sum((p.delay_min.mid for p in route.passages if p.delay_min), 0.0) / 60
        assert row.border_check_h == pytest.approx(listed)


def test_where_nothing_is_checked_no_time_is_charged(bundled):
    for key in ("no-checks", "sealed"):
        rows = rows_of(bundled, key)
        assert len(rows)
        assert (rows[["check_h", "check_h_low"]] == 0).all(axis=None)
        assert (rows["trip_time_h"] == rows["travel_time_h"]).all()
    assert (rows_of(bundled, "sealed")["check_h_high"] == 0).all()
    # the position's other words, symmetrical with the road of the time, are its high end
    assert (rows_of(bundled, "no-checks")["check_h_high"] > 0).all()


def test_a_railway_on_one_gauge_isnt_checked_like_a_truck(bundled):
    rows = rows_of(bundled, "crossroads").set_index("candidate_id")
    assert rows.loc["aras-rail", "check_h"] == 2.0
    assert rows.loc["aras-road", "check_h"] == pytest.approx(4.4 + 4.2 + 4.2 + 4.1)
