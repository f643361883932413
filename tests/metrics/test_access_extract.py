"""Border access on the real extract, held against documented figures and laws; skipped where the extract is absent."""

import numpy as np
import pytest

from corridor.interactions.regime_effects import effects, split_network
from corridor.io.read.regimes import load_regimes
from corridor.metrics.access import build_access, measure_access
from corridor.metrics.axes import build_axis
from corridor.metrics.border import border_ground, planar_runs
from corridor.metrics.population import build_population
from corridor.metrics.redundancy import Stage, disjoint_legs, find_substitutes
from corridor.metrics.severance import lengthen, measure_severance
from corridor.schema.results import EdgeEffect
from corridor.schema.study import Place, Study
from tests.interactions.roads import all_met
from tests.metrics.figures import figures, route_context, setting_of, under

pytestmark = [pytest.mark.extract, pytest.mark.slow]

KAPAN = Place(name="Kapan", lon=46.4068, lat=39.2076, country="AM")
STAGES = (
    Stage("Agarak", 46.1946, 38.8651, 2), Stage("Meghri", 46.2431, 38.9012, 2), Stage("Kapan", 46.4068, 39.2076, 3),
    Stage("Goris", 46.3417, 39.5111, 3), Stage("Sisian", 46.027, 39.5219, 3), Stage("Vayk", 45.4667, 39.6889, 3),
    Stage("Yerevan", 44.5126, 40.1811, 8),
)  # fmt: skip


@pytest.fixture(scope="module")
def built(extract_run):
    return Study.bundled("syunik"), extract_run, extract_run["conflation"], extract_run["candidates"]


@pytest.fixture(scope="module")
def setting(built):
    study, run, conflation, candidates = built
    events = {key: all_met(c, conflation.network, "AM") for key, c in candidates.items()}
    gated = split_network(conflation.network, [e for found in events.values() for e in found])
    capital = run["capital"]
    settled = build_population(run["places"].frame, run["osm"].places, "AM", run["borders"], run["focus_region"])
    access = build_access(gated, "AM", study.border_crossing, capital, [KAPAN], settled.places)
    ground = border_ground(run["borders"], "AM", "IR", (capital.lon, capital.lat))
    sections = [key for key in run["sections"] if key.startswith("m2-")]
    axes = (build_axis(conflation.network, conflation.matches, "m2", "M2", sections),)
    return setting_of(conflation.network, access, ground, STAGES, axes, draws=10), events


def of_place(result, name):
    return result.places[result.places["place"] == name].iloc[0]


def test_the_way_to_the_capital_has_the_computed_length_of_the_catalogue(setting):
    frame, _ = setting
    # by Kapan and Tatev; the shortest way over minor roads and a pass of 3,023 m has 334 km and carries no traffic
    assert 365 < frame["best_way_before"].km.sum() < 390
    assert 400 < max(frame["access"].before.capital) < 600


def test_the_shared_border_is_the_polygons_own_line(setting):
    assert setting[0]["ground"].length_km == pytest.approx(45.9, abs=0.1)


def test_a_sealed_railway_leaves_the_road_open_and_a_sealed_road_does_not(setting, built):
    frame, events = setting
    sealed = load_regimes(built[0].path("package:reference/regimes.toml"))["sealed"]
    for key, status in (("aras-rail", "ok"), ("aras-road", "unreachable")):
        effect = effects(events[key], sealed, frame["access"].domain.network)
        result = measure_access(frame["access"], effect)
        assert figures(frame["access"], result)["access_delay_min_status"] == status
    rail = measure_access(frame["access"], effects(events["aras-rail"], sealed, frame["access"].domain.network))
    # by car, over the M17 and Kapan: 164 and 178 min by a truck at the speeds of its class
    for name in ("Shvanidzor", "Nrnadzor"):
        row = of_place(rail, name)
        assert 10 < row["crossing_min_before"] < 45
        assert 120 < row["crossing_min_after"] < 260
        assert not row["lost_crossing"]


def test_without_the_bridge_at_meghri_the_sealed_railway_cuts_the_road(setting, built):
    frame, events = setting
    gated = frame["access"].domain.network
    separated = [e for e in events["aras-rail"] if e.separation == "separated" and e.road_class == "trunk"]
    assert len(separated) == 1
    closed = np.zeros(len(gated.edges), dtype=bool)
    for event in events["aras-rail"]:
        if event.kind == "crossing":
            closed[list(gated.gates[event.event_id])] = True
    result = measure_access(frame["access"], EdgeEffect(closed))
    assert figures(frame["access"], result)["access_delay_min_status"] == "unreachable"


def test_disjoint_routes_by_stage(setting):
    """Without minor roads and roads of unknown status (the M17, the hill road by Tatev), and with: one way or two."""
    frame, _ = setting
    domain = frame["access"].domain
    found = [
        [leg.routes for leg in disjoint_legs(domain, STAGES, closed)]
        for closed in find_substitutes(domain, domain.state()).all
    ]
    assert found == [[2, 1, 1, 1, 1, 2], [2, 2, 2, 2, 1, 2], [2, 2, 2, 2, 1, 2]]


def test_the_strip_of_the_railway_is_a_narrow_one_with_the_whole_border_behind(setting, built):
    frame, _ = setting
    runs = planar_runs(frame["ground"], built[3]["aras-rail"])
    strip = measure_severance(frame["ground"], lengthen(frame["ground"], runs))
    back = measure_severance(frame["ground"], lengthen(frame["ground"], [run.reverse() for run in runs]))
    assert strip.behind_share == pytest.approx(1, abs=0.005)
    assert strip.area_km2 == pytest.approx(5.73, rel=0.02)
    assert back.area_km2 == pytest.approx(strip.area_km2, rel=1e-9)


def test_cutting_more_never_helps_on_real_roads(setting):
    access = setting[0]["access"]
    rng = np.random.default_rng(3)
    shut = np.zeros(len(access.domain.local), dtype=bool)
    last = measure_access(access, None).places
    people = last["people_high"][last["crossing_min_before"].notna()].sum()
    for _ in range(5):
        shut[access.domain.rows[rng.integers(0, len(access.domain.rows), 300)]] = True
        result = measure_access(access, EdgeEffect(shut.copy()))
        for name in ("crossing_min_after", "centre_min_after"):
            now, before = result.places[name], last[name]
            assert (now.isna() | (now >= before - 1e-9)).all()
        metrics = figures(access, result)
        assert metrics["people_lost_crossing_high"] + metrics["people_reaching_crossing_high"] == pytest.approx(people)
        last = result.places
    assert last["lost_crossing"].any()


def test_no_candidate_under_any_rules_has_an_infinite_figure(setting, built):
    frame, events = setting
    regimes = load_regimes(built[0].path("package:reference/regimes.toml"))
    for key, candidate in built[3].items():
        if candidate.members:
            continue  # its journey is that of one of its routes
        route = route_context(frame, candidate, events[key])
        for regime in regimes.values():
            effect = effects(events[key], regime, frame["access"].domain.network)
            row = under(route, effect).row
            assert not np.isinf([v for v in row.values() if isinstance(v, float)]).any()
