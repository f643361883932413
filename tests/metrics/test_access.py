"""Access before and after: closed forms on a line, laws on random planar networks."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import NetworkError
from corridor.interactions.regime_effects import split_network
from corridor.metrics.access import PLACE_COLUMNS, measure_access
from corridor.metrics.reach import check_crossings, reach
from corridor.network.graph import Position
from corridor.report.i18n import render
from corridor.schema.study import Place
from tests.interactions.grounds import (
    LAT,
    LON,
    STEP,
    access_to,
    along,
    effect,
    event,
    grid,
    network,
    with_neighbour,
)
from tests.metrics.figures import access_figures, figures

SEEDS = st.integers(0, 10_000)
LINE = [(LON, LAT + STEP * i) for i in range(4)]
CHAIN = [(0, 1), (1, 2), (2, 3)]


def chain(**columns):
    return with_neighbour(LINE, CHAIN, minutes_forward=[10.0] * 3, minutes_backward=[12.0] * 3, **columns)


def test_times_on_a_line_are_the_worse_of_both_directions():
    net = chain()
    access = access_to(net, LINE[3], [along(net, 1, 0.5)], [LINE[3]])
    place = measure_access(access, None).places.iloc[0]
    # the point abroad lies at the far end of its one-minute road; then 1.5 edges of 12 minutes home to the crossing
    assert place["crossing_min_before"] == pytest.approx(1 + 1.5 * 12, abs=1e-4)
    assert place["centre_min_before"] == pytest.approx(1.5 * 12, abs=1e-4)
    assert access.before.capital == (pytest.approx(31.0), pytest.approx(37.0))


def test_a_delay_is_added_once_whatever_the_speeds():
    net = chain()
    metrics = access_figures(access_to(net, LINE[3]), effect(net, delay=[(1, 7.0)]))
    assert metrics["access_delay_min"] == pytest.approx(7.0)
    assert (metrics["access_delay_min_low"], metrics["access_delay_min_high"]) == (pytest.approx(7), pytest.approx(7))
    assert metrics["access_ratio"] == pytest.approx(38 / 31)
    assert metrics["access_delay_min_status"] == "ok"


def test_a_detour_scales_with_the_speeds():
    nodes = [*LINE, (LON + STEP, LAT + STEP)]
    net = with_neighbour(
        nodes, [*CHAIN, (0, 4), (4, 3)], minutes_forward=[10.0] * 3 + [40, 40], minutes_backward=[10.0] * 3 + [40, 40]
    )
    metrics = access_figures(access_to(net, LINE[3]), effect(net, closed=[1]))
    assert metrics["access_delay_min"] == pytest.approx(50)
    assert metrics["access_delay_min_low"] == pytest.approx(40)
    assert metrics["access_delay_min_high"] == pytest.approx(50 / 0.75)


def test_bounds_widen_the_interval_by_the_range_of_checks():
    net = chain()
    effects = [effect(net, delay=[(1, minutes)]) for minutes in (5.0, 2.0, 30.0)]
    metrics = access_figures(access_to(net, LINE[3]), effects[0], bounds=(effects[1], effects[2]))
    values = [metrics[f"access_delay_min{end}"] for end in ("_low", "", "_high")]
    assert values == pytest.approx([2, 5, 30])


def _range(place, name: str) -> list[float]:
    return [place[f"{name}{end}"] for end in ("_low", "", "_high")]


def test_each_place_has_the_ends_of_its_times_and_of_its_delay():
    """A detour and checks: driving scales with the speeds, checks with what they may take, as for the capital."""
    nodes = [*LINE, (LON + STEP, LAT + STEP)]
    minutes = [10.0] * 3 + [40, 40]
    net = with_neighbour(nodes, [*CHAIN, (0, 4), (4, 3)], minutes_forward=minutes, minutes_backward=minutes)
    access = access_to(net, LINE[3], [LINE[3]])
    effects = [effect(net, closed=[1], delay=[(4, wait)]) for wait in (5.0, 2.0, 30.0)]
    place = measure_access(access, effects[0], bounds=(effects[1], effects[2])).places.iloc[0]
    low, high = access.factors.low, access.factors.high
    drive = 1 + 3 * 10.0
    assert _range(place, "crossing_min_before") == pytest.approx([drive * low, drive, drive * high], abs=1e-3)
    assert _range(place, "crossing_min_after") == pytest.approx([81 * low + 2, 86, 81 * high + 30], abs=1e-3)
    assert _range(place, "crossing_delay_min") == pytest.approx([50 * low + 2, 55, 50 * high + 30], abs=1e-3)


def test_a_place_that_reaches_no_centre_has_none_and_one_that_is_slowed_has_the_ends_of_its_way_there():
    net = chain()
    far = (LON + 1, LAT)
    access = access_to(net, LINE[3], [LINE[3], far], [LINE[0], LINE[2]])
    gates = [effect(net, delay=[(2, minutes)]) for minutes in (5.0, 2.0, 30.0)]
    slowed, off = measure_access(access, gates[0], bounds=(gates[1], gates[2])).places.to_dict("records")
    assert _range(slowed, "centre_delay_min") == pytest.approx([2, 5, 30])
    assert (slowed["centre"], off["centre"]) == ("C1", "")
    assert np.isnan(off["centre_min_before"])
    assert not off["lost_centre"]


def test_a_place_that_nothing_delays_or_that_is_lost_says_so():
    net = chain()
    access = access_to(net, LINE[3], [along(net, 0, 0.2), along(net, 2, 0.5)])
    near, lost = measure_access(access, effect(net, closed=[1])).places.to_dict("records")
    assert _range(near, "crossing_delay_min") == [0.0, 0.0, 0.0]
    assert np.isnan(_range(lost, "crossing_delay_min")).all()
    assert np.isnan(_range(lost, "crossing_min_after")).all()
    assert lost["crossing_min_before_low"] < lost["crossing_min_before"] < lost["crossing_min_before_high"]
    nothing = measure_access(access, None).places.iloc[0]
    assert _range(nothing, "crossing_delay_min") == [0.0, 0.0, 0.0]


def test_a_loss_in_one_direction_is_a_loss():
    nodes = [*LINE, (LON + STEP, LAT + STEP * 1.5)]
    edges = [(0, 1), (1, 2), (2, 3), (2, 4), (4, 1)]
    net = with_neighbour(nodes, edges, oneway=[0, 1, 0, 1, 1])
    access = access_to(net, LINE[3], [LINE[3]])
    result = measure_access(access, effect(net, closed=[3]))
    assert figures(access, result)["access_delay_min_status"] == "unreachable"
    assert result.places["lost_crossing"].tolist() == [True]


def test_unreachable_is_never_a_number_in_metrics_tables_or_csv():
    net = chain()
    access = access_to(net, LINE[3], [along(net, 0, 0.2), along(net, 2, 0.5)], [LINE[3]])
    result = measure_access(access, effect(net, closed=[1]))
    metrics = figures(access, result)
    assert metrics["access_delay_min_status"] == "unreachable"
    assert all(
        np.isnan(metrics.get(k, np.nan))
        for k in ("access_min_after", "access_delay_min", "access_delay_min_high", "access_ratio")
    )
    assert result.places["crossing_min_after"].isna().tolist() == [False, True]
    assert result.places["centre_min_after"].isna().tolist() == [True, False]
    assert list(result.places.columns) == PLACE_COLUMNS
    text = io.StringIO()
    pd.DataFrame([metrics]).to_csv(text)
    result.places.to_csv(text)
    assert "inf" not in text.getvalue().lower()


def test_lost_places_and_people_are_counted_with_ranges():
    net = chain()
    points = [along(net, 0, 0.5), along(net, 2, 0.5), along(net, 2, 0.9)]
    access = access_to(net, LINE[3], points, [along(net, 0, 0.1), LINE[3]], people=[100, 250, np.nan])
    metrics = access_figures(access, effect(net, closed=[1]))
    assert metrics["places_lost_crossing"] == 2
    assert (metrics["people_lost_crossing"], metrics["people_lost_crossing_high"]) == (250, 750)
    assert metrics["places_lost_centre"] == 0  # each keeps the centre nearest to it
    assert metrics["people_reaching_centre_high"] == 850


def test_each_place_belongs_to_its_nearest_centre():
    net = chain()
    access = access_to(net, LINE[3], [along(net, 0, 0.5), along(net, 2, 0.5)], [LINE[0], LINE[3]])
    assert measure_access(access, None).places["centre"].tolist() == ["C0", "C1"]


def test_a_gate_cuts_the_road_where_it_stands():
    net = chain()
    gated = split_network(net, [event(edges=(1,), portions=((1, 0.5, 0.5),))])
    points = [along(net, 1, 0.3), along(net, 1, 0.7)]
    access = access_to(gated, LINE[3], points, [LINE[3]])
    table = measure_access(access, effect(gated, closed=gated.gates["e1"])).places
    assert table["lost_crossing"].tolist() == [False, True]
    assert table["lost_centre"].tolist() == [True, False]


def test_a_candidate_elsewhere_is_not_applicable_rather_than_harmless():
    net = chain()
    metrics = access_figures(access_to(net, LINE[3]), None, applicable=False)
    assert metrics["access_delay_min_status"] == metrics["places_status"] == "not_applicable"
    assert np.isnan(metrics["access_delay_min"])


def test_a_network_without_local_roads_does_not_count_places():
    net = chain()
    access = access_to(net, LINE[3], [LINE[2]], [LINE[3]], supports_places=False)
    metrics = access_figures(access, effect(net, closed=[0]))
    assert metrics["places_status"] == "not_supported"
    assert np.isnan(metrics["places_lost_crossing"])
    assert metrics["access_delay_min_status"] == "unreachable"


def test_another_country_is_no_detour():
    # BB has a quicker road round: from node 0's crossing to a second one at node 3
    nodes = [*LINE, LINE[0], LINE[3], (LON, LAT - STEP)]
    edges = [*CHAIN, (4, 5), (4, 6), (0, 4), (3, 5)]
    columns = {
        "country": ["AA"] * 3 + ["BB", "BB", "", ""],
        "border": [""] * 5 + ["AA-BB", "AA-BB"],
        "crossing_id": [""] * 5 + ["west", "east"],
        "minutes_forward": [10.0] * 3 + [1.0, 1.0, 0, 0],
    }
    columns["minutes_backward"] = columns["minutes_forward"]
    net = network(
        nodes, edges, **{k: np.array(v, dtype=object if isinstance(v[0], str) else float) for k, v in columns.items()}
    )
    access = access_to(net, LINE[2], [LINE[1]], [LINE[3]])
    assert measure_access(access, None).places["centre_min_before"].iat[0] == pytest.approx(20)  # not 10 + 1
    assert access.before.capital[0] == pytest.approx(1 + 1 + 10)  # in through the nearer crossing


def test_a_place_too_far_from_any_road_is_counted_but_never_reached():
    net = chain()
    access = access_to(net, LINE[3], [(LON + 1, LAT + 1)], [LINE[3]], snap_limit_m=2000)
    row = measure_access(access, effect(net, closed=[1])).places.iloc[0]
    assert row[["snap_m", "crossing_min_before"]].isna().all()
    assert not row["lost_crossing"]


@pytest.mark.parametrize(
    ("options", "columns", "words"),
    [
        ({"crossing": Place(name="Gate", lon=LON, lat=LAT - 1, country="BB")}, {}, "border_crossing 'Gate'.*km off"),
        ({"crossing": Place(name="Gate", lon=LON, lat=LAT, country="CC")}, {}, "border_crossing 'Gate'"),
        ({}, {"status": ["open", "closed", "open"]}, "can't be reached from 'Gate'.*even before.*roads part at"),
    ],
)
def test_bad_ground_is_refused_in_one_line(options, columns, words):
    with pytest.raises(NetworkError, match=words) as caught:
        access_to(chain(**columns), LINE[3], **options)
    assert "\n" not in str(caught.value)


def test_a_closed_crossing_is_said_with_its_remedy():
    net = chain()
    net = net.with_edges(net.edges.assign(status=["open"] * 4 + ["closed"]))
    with pytest.raises(NetworkError, match=r"no open crossing AA-BB.*crossings\.csv"):
        access_to(net, LINE[3])
    assert np.isfinite(access_to(net, LINE[3], assume_open=["gate"]).before.capital).all()


def test_listed_crossings_far_from_any_road_are_named():
    net = chain()
    said = [
        render(remark)
        for remark in check_crossings(net, {"gate": (0.0, 0.0), "pass": (LON, LAT + 1), "near": (LON, LAT)}, 1500)
    ]
    assert len(said) == 1  # 'gate' is in use, 'near' lies at a road
    assert "'pass'" in said[0]
    assert "crossings.csv" in said[0]


def test_an_effect_of_another_network_is_refused():
    net = chain()
    other = effect(net)
    with pytest.raises(NetworkError, match="measured on"):
        measure_access(access_to(net, LINE[3]), replace(other, closed=other.closed[:-1]))


def sample(seed, oneways=0.3):
    nodes, edges, oneway = grid(seed, oneways=oneways)
    net = with_neighbour(nodes, edges, oneway=oneway)
    rng = np.random.default_rng(seed + 1)
    points = [along(net, int(rng.integers(len(edges))), float(rng.uniform(0.05, 0.95))) for _ in range(8)]
    crossing = Place(name="Gate", lon=nodes[0][0], lat=nodes[0][1] - STEP, country="BB")
    return net, nodes, edges, points, crossing, rng


def column(result, name):
    return result.places[name].to_numpy(dtype=float)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_cutting_more_never_helps_anyone(seed):
    net, nodes, edges, points, crossing, rng = sample(seed)
    access = access_to(net, nodes[-1], points, [nodes[3]], crossing=crossing)
    order = rng.permutation(len(edges))
    last = measure_access(access, None)
    for count in (1, 3, 6):
        delays = [(int(e), 5.0) for e in order[10 : 10 + count]]
        now = measure_access(access, effect(net, closed=order[:count], delay=delays))
        for name in ("crossing_min_after", "centre_min_after"):
            before, after = column(last, name), column(now, name)
            assert np.all(np.isnan(after) | (after >= before - 1e-9))
            assert not np.any(np.isnan(before) & ~np.isnan(after))
        for name in ("places_lost_crossing", "places_lost_centre", "people_lost_crossing"):
            assert figures(access, now)[name] >= figures(access, last)[name]
        last = now


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_nothing_closed_changes_nothing(seed):
    net, nodes, _, points, crossing, _ = sample(seed)
    access = access_to(net, nodes[-1], points, [nodes[3]], crossing=crossing)
    metrics = access_figures(access, effect(net))
    assert metrics["access_delay_min"] == metrics["people_hours_per_day"] == metrics["places_lost_crossing"] == 0
    assert metrics["access_ratio"] == 1


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_people_lost_and_people_reaching_add_up(seed):
    net, nodes, edges, points, crossing, rng = sample(seed)
    access = access_to(net, nodes[-1], points, [nodes[3]], crossing=crossing)
    sums = set()
    for count in (0, 2, 5, 9):
        metrics = access_figures(access, effect(net, closed=rng.permutation(len(edges))[:count]))
        sums.add(
            (
                metrics["people_lost_crossing"] + metrics["people_reaching_crossing"],
                metrics["people_lost_centre"] + metrics["people_reaching_centre"],
            )
        )
    assert len(sums) == 1


@given(SEEDS, st.floats(0.02, 0.98))
@settings(max_examples=10, deadline=None)
def test_splitting_an_edge_changes_no_metric(seed, fraction):
    net, nodes, edges, points, crossing, rng = sample(seed)
    target, others = int(rng.integers(len(edges))), rng.permutation(len(edges))[:3].tolist()
    struck = [event(edges=(e,), portions=((e, 0.5, 0.5),), event_id=f"x{e}") for e in others]
    splitter = event("same_line", edges=(target,), portions=((target, 0.0, fraction),), event_id="s")
    results, rows = [], []
    for events in (struck, [*struck, splitter]):
        gated = split_network(net, events)
        access = access_to(gated, nodes[-1], points, [nodes[3]], crossing=crossing)
        gates = [row for e in struck for row in gated.gates[e.event_id]]
        result = measure_access(access, effect(gated, closed=gates[:2], delay=[(gates[2], 9.0)]))
        results.append(result)
        rows.append(figures(access, result))
    one, two = results
    for key, value in rows[0].items():
        assert rows[1][key] == (
            value if isinstance(value, str) else pytest.approx(value, rel=1e-5, abs=1e-4, nan_ok=True)
        ), key
    np.testing.assert_allclose(column(one, "crossing_min_after"), column(two, "crossing_min_after"), atol=1e-4)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_mirrored_country_gives_mirrored_results(seed):
    net, nodes, edges, points, crossing, rng = sample(seed, oneways=0)
    shut = rng.permutation(len(edges))[:3]

    def turned(at):
        return 2 * LON - at[0], at[1]

    mirrored = with_neighbour([turned(p) for p in nodes], edges)
    gate = Place(name="Gate", lon=2 * LON - crossing.lon, lat=crossing.lat, country="BB")
    grounds = (
        access_to(net, nodes[-1], points, [nodes[3]], crossing=crossing),
        access_to(mirrored, turned(nodes[-1]), [turned(p) for p in points], [turned(nodes[3])], crossing=gate),
    )
    one, two = (
        measure_access(access, effect(roads, closed=shut))
        for access, roads in zip(grounds, (net, mirrored), strict=True)
    )
    first, second = figures(grounds[0], one), figures(grounds[1], two)
    np.testing.assert_allclose(column(one, "crossing_min_after"), column(two, "crossing_min_after"), rtol=1e-4)
    assert first["places_lost_crossing"] == second["places_lost_crossing"]
    assert first["access_delay_min_status"] == second["access_delay_min_status"]


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_times_agree_with_networkx(seed):
    import networkx as nx

    net, nodes, _, _, crossing, _ = sample(seed)
    access = access_to(net, nodes[-1], nodes, [nodes[3]], crossing=crossing)
    graph = nx.MultiDiGraph()
    for row in net.edges.itertuples():
        graph.add_edge(row.u, row.v, weight=row.minutes_forward if not row.border else 0.0)
        if not row.oneway:
            graph.add_edge(row.v, row.u, weight=row.minutes_backward if not row.border else 0.0)
    abroad = len(nodes) + 1
    there = nx.single_source_dijkstra_path_length(graph, abroad)
    back = nx.single_source_dijkstra_path_length(graph.reverse(), abroad)
    expected = [max(there[i], back[i]) for i in range(len(nodes))]
    np.testing.assert_allclose(column(measure_access(access, None), "crossing_min_before"), expected, atol=0.02)


def test_gates_that_are_shut_at_the_same_hours_are_waited_for_once():
    """Oracle: every way by hand. Two gates on the short way, one on a detour: never longer than one wait."""
    nodes = [*LINE, (LON + STEP, LAT + STEP)]
    net = with_neighbour(
        nodes, [*CHAIN, (0, 4), (4, 3)], minutes_forward=[10.0] * 3 + [20, 20], minutes_backward=[10.0] * 3 + [20, 20]
    )
    access = access_to(net, LINE[3], [LINE[3]])
    for wait in (1.0, 4.0, 30.0):
        twice = effect(net, delay=[(0, wait), (1, wait), (3, wait)])
        once = replace(twice, most_min=wait)
        # added up: 2 waits, or the detour of 10 min with one; shut together: one wait on the short way
        assert measure_access(access, twice).delay_min.mid == pytest.approx(min(2 * wait, 10 + wait))
        result = measure_access(access, once, bounds=(once, once))
        assert result.delay_min.mid == result.delay_min.high == pytest.approx(wait)
        assert result.places["crossing_min_after"].item() <= result.places["crossing_min_before"].item() + wait + 1e-9


def test_times_of_many_places_at_once_are_those_of_each():
    """On roads in both directions and one, open and shut, slowed; also on the edge that the search sets out from."""
    random = np.random.default_rng(5)
    net = chain(oneway=[0, 1, 0])
    access = access_to(net, LINE[1])
    domain = access.domain
    edges, fractions = random.integers(0, len(domain.rows), 40), random.choice([0.0, 0.25, 0.6, 1.0], 40)
    for closed in ((), (1,)):
        state = domain.state(effect(net, closed=closed, delay=[(2, 7.0)]), factor=1.3)
        for origin in (None, Position(1, 0.4, 0.0, 0.0, 0.0), access.capital):
            for way in reach(domain, origin, state):
                places = [Position(*at, 0.0, 0.0, 0.0) for at in zip(edges.tolist(), fractions.tolist(), strict=True)]
                assert way.minutes_at(edges, fractions).tolist() == [way.minutes(at) for at in places]
            # a search that ends at the last of some nodes tells what lies before it as one of all roads does
            asked = np.zeros(domain.n_nodes, dtype=bool)
            asked[domain.u[edges[:2]]] = asked[domain.v[edges[:2]]] = True
            for whole, ended in zip(
                reach(domain, origin, state), reach(domain, origin, state, (asked, asked)), strict=True
            ):
                assert ended.minutes_at(edges[:2], fractions[:2]).tolist() == (
                    whole.minutes_at(edges[:2], fractions[:2]).tolist()
                )


def test_what_is_shut_to_trucks_alone_is_shut_to_no_car():
    """A village at the end of a road without lorries, on a line of 10 min an edge, and a border road of that kind."""
    village = (LON + STEP, LAT + STEP)
    net = with_neighbour(
        [*LINE, village],
        [*CHAIN, (1, 4)],
        minutes_forward=[10.0] * 4,
        minutes_backward=[10.0] * 4,
        car_minutes_forward=[8.0] * 4,
        car_minutes_backward=[8.0] * 4,
        truck_access=["yes", "yes", "yes", "no"],
    )
    access = access_to(net, LINE[3], [along(net, 3, 1.0)], [LINE[3]])
    place = measure_access(access, None).places.iloc[0]
    assert place["crossing_min_before"] == pytest.approx(1 + 2 * 8)
    assert place["centre_min_before"] == pytest.approx(3 * 8)
    # to goods nothing happens when that road is cut: the village loses its way all the same
    cut = measure_access(access, effect(net, closed=(3,)))
    assert cut.after.capital == access.before.capital
    assert cut.places["lost_crossing"].tolist() == cut.places["lost_centre"].tolist() == [True]
    slowed = measure_access(access, effect(net, delay=[(3, 5.0)])).places.iloc[0]
    assert slowed["crossing_delay_min"] == pytest.approx(5.0)


def test_cars_pass_where_trucks_may_only_stop():
    """The middle of a line of 10 min an edge is for local lorries alone: goods go round over five edges, people don't.

    Who may only stop there himself doesn't pass either.
    """
    around = [(LON + STEP, LAT + STEP), (LON + STEP, LAT + 2 * STEP)]
    ways = [*CHAIN, (1, 4), (4, 5), (5, 2)]
    local = [kind == 1 for kind in range(len(ways))]
    for car_local, minutes in ((False, 30.0), (True, 50.0)):
        net = with_neighbour(
            [*LINE, *around],
            ways,
            minutes_forward=[10.0] * len(ways),
            minutes_backward=[10.0] * len(ways),
            truck_access=["local" if here else "yes" for here in local],
            car_access=["local" if here and car_local else "yes" for here in local],
        )
        access = access_to(net, LINE[3], [along(net, 2, 1.0)])
        assert access.before.capital == (pytest.approx(1 + 50.0), pytest.approx(1 + 50.0))
        assert access.before.crossing == pytest.approx([1 + minutes])


@pytest.mark.parametrize("access", ["local", "no"])
def test_cars_pass_abroad_where_trucks_may_not(access):
    """Before the border 10 min of a road that lorries may not pass, or 60 round it: goods go round, people don't."""
    abroad = [LINE[0], (LON, LAT - STEP), (LON, LAT - 2 * STEP), (LON - STEP, LAT - STEP)]
    edges = [*CHAIN, (4, 5), (5, 6), (4, 7), (7, 6), (0, 4)]
    minutes = [10.0, 10.0, 10.0, 5.0, 5.0, 30.0, 30.0, 0.0]
    for car, people in ((access, 60.0), ("yes", 10.0)):
        columns = {
            "country": ["AA"] * 3 + ["BB"] * 4 + [""],
            "border": [""] * 7 + ["AA-BB"],
            "crossing_id": [""] * 7 + ["gate"],
            "truck_access": ["yes"] * 3 + [access] + ["yes"] * 4,
            "car_access": ["yes"] * 3 + [car] + ["yes"] * 4,
            "minutes_forward": minutes,
            "minutes_backward": minutes,
        }
        net = network([*LINE, *abroad], edges, **{name: np.array(values) for name, values in columns.items()})
        beyond = Place(name="Beyond", lon=abroad[2][0], lat=abroad[2][1], country="BB")
        before = access_to(net, LINE[2], [LINE[1]], crossing=beyond).before
        assert before.crossing == pytest.approx([people + 10.0])
        assert before.capital == pytest.approx((60.0 + 20.0, 60.0 + 20.0))


def test_a_street_between_roads_without_lorries_is_no_island_to_cars():
    """A main road of 22 km, then 2 km each without lorries, of a village, and without lorries again, two edges long.

    To goods the village's street leads nowhere. People drive on over it to a house at the far end.
    """
    nodes = [(LON, LAT + 0.01 * k) for k in (0, 20, 22, 24, 25, 26)]
    ways = [(k, k + 1) for k in range(5)]
    minutes = [20.0, 2.0, 2.0, 1.0, 1.0]
    net = with_neighbour(
        nodes,
        ways,
        minutes_forward=minutes,
        minutes_backward=minutes,
        car_minutes_forward=minutes,
        car_minutes_backward=minutes,
        truck_access=["yes", "no", "yes", "no", "no"],
    )
    assert not net.through_for("truck_access")[2]
    assert net.through_for("car_access")[:5].all()
    access = access_to(net, nodes[1], [along(net, 4, 1.0)], [nodes[1]])
    place = measure_access(access, None).places.iloc[0]
    assert place["crossing_min_before"] == pytest.approx(1 + sum(minutes))
    assert place["centre_min_before"] == pytest.approx(sum(minutes[1:]))
