"""Gazetteer and map matched; ranges where nobody knows."""

from dataclasses import replace
from inspect import signature
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import NetworkError
from corridor.metrics.access import TimeFactors, measure_access
from corridor.metrics.population import (
    build_population,
    check_countries,
    measure_people,
    measure_person_hours,
    plain_name,
    sum_people,
)
from corridor.schema.catalogue import Estimate
from corridor.schema.parameters import PeopleTables, PlacePopulation, PopulationTotal, TripRates
from tests.interactions.grounds import access_to, effect, grid, with_neighbour
from tests.metrics.figures import RATES, row_of
from tests.metrics.test_severance import SIDE, borders, point

BORDERS = borders()
REGION = shapely.box(44.0, 38.0, 46.0, 40.0)


def gazetteer(*rows):
    """Rows of name, (x, y) in metres from the corner, people, aliases."""
    at = [point(*xy) for _, xy, _, _ in rows]
    return pd.DataFrame(
        {
            "name": [r[0] for r in rows], "country": "AA", "lon": [p[0] for p in at], "lat": [p[1] for p in at],
            "population": [float(r[2]) for r in rows], "alternate_names": [r[3] for r in rows],
        }
    )  # fmt: skip


def mapped(*rows):
    """Rows of name, kind, (x, y), people."""
    at = [point(*xy) for _, _, xy, _ in rows]
    return pd.DataFrame(
        {
            "name": [r[0] for r in rows], "kind": [r[1] for r in rows], "population": [float(r[3]) for r in rows],
            "lon": [p[0] for p in at], "lat": [p[1] for p in at],
        }
    )  # fmt: skip


def build(listed, shown, **given):
    found = build_population(listed, shown, "AA", BORDERS, REGION, **given)
    return found, found.places.set_index("place")


def test_a_place_is_matched_by_alias_and_stands_where_the_map_has_it():
    shown = mapped(("Մեղրի", "town", (5000, 5000), np.nan))
    found, table = build(gazetteer(("Meghri", (8900, 5000), 3770, "Megri|Մեղրի")), shown)
    assert table.loc["Meghri", ["people", "people_low", "people_high", "source"]].tolist() == [
        3770,
        3770,
        3770,
        "gazetteer",
    ]
    assert table.loc["Meghri", "lon"] == shown["lon"][0]
    assert found.unmatched == found.unknown == ()


def test_names_much_alike_match_within_three_kilometres_only():
    listed = gazetteer(("Shvanidzor", (5000, 5000), 312, ""))
    near, _ = build(listed, mapped(("Shvanidsor", "village", (7500, 5000), np.nan)))
    far, _ = build(listed, mapped(("Shvanidsor", "village", (8500, 5000), np.nan)))
    assert (near.unmatched, far.unmatched) == ((), ("Shvanidzor",))


def test_unknown_people_are_a_range_up_to_the_largest_known_of_the_kind():
    listed = gazetteer(("Alpha", (1000, 1000), 900, ""), ("Beta", (9000, 9000), 12_000, ""))
    shown = mapped(
        ("Alpha", "village", (1000, 1000), np.nan),
        ("Beta", "town", (9000, 9000), np.nan),
        ("Gamma", "village", (15_000, 15_000), np.nan),
        ("Delta", "hamlet", (15_000, 3000), np.nan),
        ("Epsilon", "hamlet", (3000, 15_000), 40),
    )
    found, table = build(listed, shown)
    assert table.loc["Gamma", ["people_low", "people_high", "source"]].tolist() == [0, 900, "unknown"]
    assert np.isnan(table.loc["Gamma", "people"])
    assert table.loc["Delta", "people_high"] == 40  # a hamlet's range is that of hamlets
    assert table.loc["Epsilon", ["people", "source"]].tolist() == [40, "map"]
    assert found.unknown == ("Gamma", "Delta")


def test_a_kind_without_any_figure_takes_the_next_larger_kind():
    listed = gazetteer(("Alpha", (1000, 1000), 900, ""))
    shown = mapped(("Alpha", "village", (1000, 1000), np.nan), ("Delta", "hamlet", (15_000, 3000), np.nan))
    assert build(listed, shown)[1].loc["Delta", "people_high"] == 900


def test_a_gazetteer_of_zero_is_unknown_and_takes_the_map_figure():
    shown = mapped(("Alpha", "village", (1000, 1000), 77))
    table = build(gazetteer(("Alpha", (1000, 1000), 0, "")), shown)[1]
    assert table.loc["Alpha", ["people", "source"]].tolist() == [77, "map"]


def test_a_name_that_fits_two_places_goes_to_the_nearer_and_both_are_to_be_checked():
    shown = mapped(("Vorotan", "village", (5000, 5000), np.nan), ("Vorotan", "village", (8000, 5000), np.nan))
    found, _ = build(gazetteer(("Vorotan", (5500, 5000), 300, "")), shown)
    assert len(found.places) == 2
    assert found.places["people"].tolist()[0] == 300
    assert all("more than one" in check for check in found.places["check"])


def test_mappers_marks_are_no_names():
    found, _ = build(None, mapped(("check", "hamlet", (5000, 5000), np.nan), ("", "hamlet", (8000, 5000), np.nan)))
    assert all(name.startswith("unnamed hamlet at") for name in found.places["place"])
    assert "'check'" in found.places["check"].iat[0]


def test_places_of_other_countries_and_outside_the_domain_are_left_out():
    abroad = mapped(("There", "village", (5000, -3000), 10), ("Here", "village", (5000, 3000), 10))
    assert build(None, abroad)[0].places["place"].tolist() == ["Here"]
    beyond = build_population(None, abroad, "AA", BORDERS, shapely.box(10, 10, 11, 11))
    assert len(beyond.places) == 0


def test_no_sources_at_all_is_an_empty_domain():
    assert len(build(None, None)[0].places) == 0


def test_a_place_in_two_countries_is_refused_with_its_remedy():
    wrong = gazetteer(("Nowhere", (SIDE / 2, -4000), 10, ""), ("Brink", (SIDE / 2, -300), 10, ""))
    with pytest.raises(NetworkError, match=r"'Nowhere' is listed in AA but lies 4\.0 km inside BB; correct") as caught:
        check_countries(wrong, BORDERS)
    assert "Brink" not in str(caught.value)  # within the tolerance of a drawn border


def test_plain_names_forget_case_accents_and_signs():
    assert plain_name("Nor-Arájadzor ") == plain_name("NOR ARAJADZOR")


TOTAL = Estimate(1000.0, 1100.0, 1500.0)


def test_places_of_unknown_population_share_what_the_total_leaves():
    listed = gazetteer(("Alpha", (1000, 1000), 900, ""))
    shown = mapped(
        ("Alpha", "village", (1000, 1000), np.nan),
        ("Beta", "village", (9000, 9000), np.nan),
        ("Gamma", "hamlet", (15_000, 15_000), np.nan),
    )
    found, table = build(listed, shown, total=TOTAL)
    assert found.total == TOTAL
    for name in ("Beta", "Gamma"):
        assert table.loc[name, ["people_low", "people_mid", "people_high"]].tolist() == [0, 100, 600]
        assert np.isnan(table.loc[name, "people"])
    # no village is larger than the largest that is known
    larger = build(listed, shown, total=Estimate(5000.0, 5000.0, 5000.0))[1]
    assert larger.loc["Beta", ["people_low", "people_mid", "people_high"]].tolist() == [0, 900, 900]
    assert table.loc["Alpha", ["people_low", "people_mid", "people_high"]].tolist() == [900, 900, 900]
    # more people are known than were counted: nobody is left
    fuller = build(listed, shown, total=Estimate(700.0, 700.0, 800.0))[1]
    assert fuller.loc["Beta", ["people_low", "people_mid", "people_high"]].tolist() == [0, 0, 0]


def test_documented_populations_fill_places_that_have_none():
    shown = mapped(("Շվանիձոր", "village", (5000, 5000), np.nan), ("Near", "village", (6000, 5000), np.nan))
    lon, lat = point(7000, 5000)

    def of(name, country="AA", people=312.0, at=(lon, lat)):
        return PlacePopulation(name, country, *at, people, "", ("x",))

    table = build(None, shown, documented=(of("Shvanidzor"),))[1]
    assert table.loc["Shvanidzor", ["people", "people_high", "source"]].tolist() == [312, 312, "document"]
    assert np.isnan(table.loc["Near", "people"])
    far = point(12_000, 5000)
    for other in (of("Elsewhere"), of("Shvanidzor", "BB"), of("Shvanidzor", at=far)):
        assert np.isnan(build(None, shown, documented=(other,))[1].loc["Shvanidzor", "people"])
    known = mapped(("Shvanidzor", "village", (5000, 5000), 40))
    assert build(None, known, documented=(of("Shvanidzor"),))[1].loc["Shvanidzor", "people"] == 40


def test_a_total_is_the_latest_count_between_the_least_and_the_most():
    counts = (PopulationTotal("a", "2011", 140.0, 150.0, ()), PopulationTotal("a", "2022", 110.0, 120.0, ()))
    tables = PeopleTables(counts, (), RATES)
    assert tables.total_of("a") == Estimate(110.0, 115.0, 150.0)
    assert tables.total_of("b") is None


# of one kind all of them: who has 5,000 people is a town, and says nothing of how large a village may be
PEOPLE = st.lists(st.floats(1, 5000, exclude_max=True) | st.just(np.nan), min_size=1, max_size=30)


def settled(people, total):
    """A table of places as they come from build_population."""
    rows = tuple((f"P{i}", (500 + 500 * i, 5000), figure, "") for i, figure in enumerate(people))
    return build(gazetteer(*rows), None, total=total)[0].places


@given(PEOPLE, st.floats(10, 50_000), st.integers(0, 2**32 - 1))
def test_no_sum_of_people_passes_the_total(people, size, seed):
    total = Estimate(0.8 * size, size, 1.2 * size)
    table = settled(people, total)
    lost = np.random.default_rng(seed).random(len(table)) < 0.5
    for chosen in (lost, ~lost, np.ones(len(table), dtype=bool)):
        found = sum_people(table, chosen.astype(float), total)
        assert 0 <= found.low <= found.mid <= found.high <= total.high + 1e-6
    known, count = np.nansum(people), int(np.isnan(people).sum())
    largest = np.nanmax(people) if known else np.inf
    if known <= size and count:
        whole = sum_people(table, np.ones(len(table)), total)
        assert whole.mid == pytest.approx(min(total.mid, known + count * largest))
        assert whole.high == pytest.approx(min(total.high, known + count * largest))


@given(PEOPLE, st.integers(0, 2**32 - 1))
def test_wherever_the_uncounted_live_the_sum_lies_between_its_ends(people, seed):
    total = Estimate(100_000.0, 120_000.0, 160_000.0)
    table, rng = settled(people, total), np.random.default_rng(seed)
    weight = rng.uniform(-2, 5, len(table))
    found = sum_people(table, weight, total)
    unknown = np.isnan(table["people"].to_numpy())
    left = total.high - np.nansum(people)
    for _ in range(5):
        shares = rng.dirichlet(np.full(max(unknown.sum(), 1), 0.3))[: unknown.sum()] * left * rng.random()
        lived = table["people"].to_numpy(dtype=float).copy()
        lived[unknown] = np.minimum(shares, table["people_high"].to_numpy()[unknown])
        assert found.low - 1e-6 <= (lived * weight).sum() <= found.high + 1e-6


def test_without_a_total_unknown_people_are_nobody_to_the_largest_of_their_kind():
    found = sum_people(settled([900.0, np.nan, np.nan], None), np.ones(3), None)
    assert found == Estimate(900.0, 900.0, 2700.0)


def test_person_hours_by_hand():
    """On a chain crossing, A, B, centre half an hour between A and B delays B to the crossing and A to the centre."""
    nodes = [(45.0 + 0.02 * i, 39.0) for i in range(4)]
    net = with_neighbour(nodes, [(0, 1), (1, 2), (2, 3)])
    access = access_to(net, nodes[3], [nodes[1], nodes[2]], [nodes[3]], people=[100, 300])
    result = measure_access(access, effect(net, delay=[(1, 30.0)]))
    row = row_of(measure_person_hours, local_roads=True, access=access, access_result=result, trip_rates=RATES)
    # half an hour for 300 people at 0.01 trips a day, and for 100 at 0.1
    assert row["people_hours_per_day_crossing"] == pytest.approx(300 * 0.5 * 0.01)
    assert row["people_hours_per_day_centre"] == pytest.approx(100 * 0.5 * 0.1)
    assert row["people_hours_per_day"] == pytest.approx(1.5 + 5.0)
    # people wait half an hour however fast they drive
    assert row["people_hours_per_day_low"] == pytest.approx(150 * 0.005 + 50 * 0.05)
    assert row["people_hours_per_day_high"] == pytest.approx(150 * 0.02 + 50 * 0.2)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_hours_lie_between_their_ends_wherever_people_rates_speeds_and_checks_lie(seed):
    """Each input anywhere in its own range gives a figure inside, with a gate on a way and one that is shut."""
    rng = np.random.default_rng(seed)
    nodes, edges, oneway = grid(seed)
    net = with_neighbour(nodes, edges, oneway=oneway)
    access = access_to(net, nodes[-1], nodes[1:-1], [nodes[0], nodes[-1]], people=rng.integers(1, 900, len(nodes) - 2))
    gates = rng.choice(len(edges), 3, replace=False).tolist()
    waits = np.sort(rng.uniform(0, 60, (3, len(gates))), axis=0)
    shut = [int(rng.integers(len(edges)))]
    mid, low, high = (effect(net, closed=shut, delay=list(zip(gates, waits[k], strict=True))) for k in (1, 0, 2))
    whole = _hours(access, measure_access(access, mid, bounds=(low, high)), RATES)
    if whole["people_hours_per_day_status"] != "ok":
        return
    for _ in range(4):
        factor = rng.uniform(access.factors.low, access.factors.high)
        wait = [(gate, rng.uniform(waits[0][k], waits[2][k])) for k, gate in enumerate(gates)]
        rates = TripRates(*(_anywhere(rng, each) for each in (RATES.crossing, RATES.centre)))
        one = replace(access, factors=TimeFactors(factor, factor, factor))
        found = _hours(one, measure_access(one, effect(net, closed=shut, delay=wait)), rates)
        for name in ("people_hours_per_day", "people_hours_per_day_crossing", "people_hours_per_day_centre"):
            assert whole[f"{name}_low"] - 1e-9 <= found[name] <= whole[f"{name}_high"] + 1e-9


def _hours(access, result, rates):
    return row_of(measure_person_hours, local_roads=True, access=access, access_result=result, trip_rates=rates)


def _anywhere(rng, estimate):
    value = rng.uniform(estimate.low, estimate.high)
    return Estimate(value, value, value)


@pytest.mark.parametrize(("closed", "kept"), [((1,), ()), ((0, 1, 2), ()), ((2,), ("centre",))])
def test_where_people_lose_their_way_no_number_of_hours_is_said(closed, kept):
    """On a chain crossing, A, B, both centres: who loses the crossing still has hours to a centre that can be said."""
    nodes = [(45.0 + 0.02 * i, 39.0) for i in range(4)]
    net = with_neighbour(nodes, [(0, 1), (1, 2), (2, 3)])
    access = access_to(net, nodes[3], nodes[1:3], nodes[1:3], people=[100, 300])
    result = measure_access(access, effect(net, closed=closed))
    row = row_of(measure_person_hours, local_roads=True, access=access, access_result=result, trip_rates=RATES)
    lost = {what for what in ("crossing", "centre") if result.places[f"lost_{what}"].any()}
    assert row["people_hours_per_day_status"] == ("cut_off" if lost else "ok")
    for what in ("crossing", "centre"):
        assert np.isnan(row.get(f"people_hours_per_day_{what}", np.nan)) == (what in lost)
    assert np.isnan(row["people_hours_per_day"]) == bool(lost)


@pytest.mark.parametrize("measure", [measure_people, measure_person_hours])
def test_where_no_settlement_is_known_nothing_is_said_of_people(measure):
    result = SimpleNamespace(applicable=True, places=pd.DataFrame({"people": []}))
    given = {"local_roads": True, "access": SimpleNamespace(), "access_result": result, "trip_rates": RATES}
    row = row_of(measure, **{name: given[name] for name in signature(measure).parameters})
    assert {value for name, value in row.items() if name.endswith("_status")} == {"not_supported"}
    assert all(pd.isna(value) for name, value in row.items() if not name.endswith("_status"))


def test_people_are_unknown_and_not_none_where_no_population_is_known():
    """Of three places of which nobody says how many live there two lose their way: that is said, and no number."""
    nodes = [(45.0 + 0.02 * i, 39.0) for i in range(4)]
    net = with_neighbour(nodes, [(0, 1), (1, 2), (2, 3)])
    access = access_to(net, nodes[3], nodes[1:], [nodes[3]], people=[1, 1, 1])
    nobody_says = access.places.assign(people=np.nan, people_low=0.0, people_mid=0.0, people_high=np.nan)
    access = replace(access, places=nobody_says)
    given = {"local_roads": True, "access": access}
    for closed, delay, lost in (((1,), (), 2), ((), ((1, 30.0),), 0)):
        result = measure_access(access, effect(net, closed=closed, delay=delay))
        row = row_of(measure_people, access_result=result, **given)
        assert row["places_lost_crossing"] == lost
        hours = row_of(measure_person_hours, access_result=result, trip_rates=RATES, **given)
        if lost:
            assert row["places_status"] == "not_supported"
            assert np.isnan(row["people_lost_crossing"])
            assert "people_lost_crossing_high" not in row or np.isnan(row["people_lost_crossing_high"])
        else:
            # nobody is among those who lose anything, whoever lives there; how many have a longer way isn't known
            assert (row["places_status"], row["people_lost_crossing"], row["people_lost_crossing_high"]) == ("ok", 0, 0)
            assert np.isnan(row["people_reaching_crossing"])
            assert hours["people_hours_per_day_status"] == "not_supported"
            assert np.isnan(hours["people_hours_per_day"])
