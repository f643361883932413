"""Routes that are built and opened together: what one of them does to others, all do at once."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely

import corridor
from corridor.candidates.package import build_package
from corridor.errors import StudyError
from corridor.export.gis import write_gpx
from corridor.flows.changes import LinkChange, build_case, merge_changes, packages_of, read_measured
from corridor.flows.indicators import cost_to_flows
from corridor.flows.model import FlowModel
from corridor.flows.tables import find_tables, load_tables
from corridor.interactions.events import join_events
from corridor.interactions.regime_effects import applies, effects, shared_stretches
from corridor.metrics.cost import cost_bill
from corridor.pipeline.saved_results import read_candidates
from corridor.report.i18n import render
from corridor.report.view import ReportView
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Costing, Estimate, SectionWorks, UnitCost, UpkeepCost
from corridor.schema.study import PackageCandidate, Study
from corridor.schema.vocabulary import BedRoad, Family, GeometryQuality, Mode, SectionStatus, WorkKind
from tests.command import run_command
from tests.flows import toy
from tests.interactions.roads import UTM, all_met, build, digraph, gated, rail, regime, street_grid
from tests.synthetic import build as build_study
from tests.synthetic.study import IMPACT

SPEC = {"family": "package", "id": "both", "name": "Both", "of": ["one", "other"], "sources": ["made-up"]}
RULES = [regime("closed", "transit_only"), regime("gated", "gated"), regime("grade_separated", min_class="secondary")]


def named(route: Candidate, key: str, **changes) -> Candidate:
    return replace(route, candidate_id=key, **changes)


def package(*routes: Candidate, **fields) -> Candidate:
    spec = PackageCandidate(**{**SPEC, "of": [route.candidate_id for route in routes], **fields})
    return build_package(spec, routes, UTM, "midland")


def met_by(pack: Candidate, network):
    return {route.candidate_id: all_met(route, network) for route in pack.routes}


# --- Burdens on others, on the network with all of the routes at once ---


def test_two_closures_that_each_leave_a_way_round_leave_none_together():
    ring = build([[(0, 0), (0, 1000), (1000, 1000)], [(0, 0), (1000, 0), (1000, 1000)]])
    one, other = named(rail([(-500, 500), (500, 500)]), "one"), named(rail([(500, 600), (1500, 600)]), "other")
    pack = package(one, other)
    found = met_by(pack, ring)
    joined = join_events(pack, found)
    network = gated(ring, [*joined, *found["one"], *found["other"]])

    def linked(events) -> bool:
        closed = effects(events, regime("closed"), network).closed
        return nx.has_path(digraph(network, closed), 0, 1)

    assert [len(events) for events in (found["one"], found["other"], joined)] == [1, 1, 2]
    assert linked(found["one"])
    assert linked(found["other"])
    assert not linked(joined)


@pytest.mark.parametrize("seed", range(4))
def test_a_package_closes_and_slows_what_any_of_its_routes_does(seed):
    lines, columns = street_grid(seed)
    streets = build(lines, **columns)
    routes = named(rail([(-200, 130), (1100, 240)]), "one"), named(rail([(-200, 700), (1100, 560)]), "other")
    pack = package(*routes)
    found = met_by(pack, streets)
    joined = join_events(pack, found)
    network = gated(streets, [*joined, *found["one"], *found["other"]])
    assert len(joined) == len(found["one"]) + len(found["other"])
    assert [event.event_id for event in joined] == [f"both:{number}" for number in range(1, len(joined) + 1)]
    for rules in RULES:
        each = [effects(events, rules, network) for events in found.values()]
        whole = effects(joined, rules, network)
        assert (whole.closed == np.logical_or(*(effect.closed for effect in each))).all()
        # a gate that two routes share makes wait once; stretches that they share do too
        assert (whole.delay_min >= np.maximum(*(effect.delay_min for effect in each)) - 1e-12).all()
        assert (whole.delay_min <= sum(effect.delay_min for effect in each) + 1e-12).all()


def test_what_two_routes_meet_on_the_same_section_counts_once():
    streets = build([[(500, -300), (500, 300)], [(2500, -300), (2500, 300)]])
    one = rail([(0, 0), (1000, 0)])
    further = rail([(1000, 0), (3000, 0)])
    longer = named(one, "other", parts=(*one.parts, *further.parts))
    pack = package(named(one, "one"), longer)
    found = met_by(pack, streets)
    assert [len(events) for events in found.values()] == [1, 2]
    assert [event.route_id for event in join_events(pack, found)] == ["one", "other"]
    assert len(pack.parts) == 2
    assert pack.length_km.mid == pytest.approx(longer.length_km.mid)


def test_stretches_of_two_routes_are_checked_apart():
    streets = build([[(0, 0), (1000, 0)], [(0, 900), (1000, 900)]])
    routes = [named(rail(line, mode="road", edges=(row,), status="open"), key) for row, (key, line) in enumerate(
        (("one", [(0, 0), (1000, 0)]), ("other", [(0, 900), (1000, 900)]))
    )]  # fmt: skip
    pack = package(*routes)
    assert len(shared_stretches(join_events(pack, met_by(pack, streets)))) == 2


def test_a_regime_applies_to_a_package_that_it_applies_to_whole():
    railway, road = named(rail([(0, 0), (1000, 0)]), "one"), named(rail([(0, 9), (1000, 9)], mode="road"), "other")
    pack = package(railway, road)
    assert applies(regime(), pack)[0]
    fits, reason = applies(regime(modes=["rail"]), pack)
    assert not fits
    assert render(reason).startswith("not to Made up: ")
    assert not applies(regime(candidates=["both"]), pack)[0]
    assert applies(regime(candidates=["one", "other"]), pack)[0]


# --- Cost, with one bed for all ---

LINE = [(0, 0), (40_000, 0)]
NOTHING = Estimate(0, 0, 0)
PRICES = {("rail", "upgrade"): (2, 4, 9), ("rail", "surface"): (5, 8, 12), ("road", "surface"): (1, 3, 5)}
COSTS = [UnitCost(mode, kind, Estimate(*price), "2024", ("x",)) for (mode, kind), price in PRICES.items()]
KEPT = tuple(UpkeepCost(mode, kind, Estimate(0, 0, 0), "2020", ("x",)) for mode in Mode for kind in WorkKind)
COSTING = Costing(Estimate(0, 0, 0), Estimate(30, 30, 30), Estimate(3, 5, 9), KEPT)


def railway_and_road(gap_m: float = 0.0, quality: GeometryQuality = GeometryQuality.OSM):
    works = SectionWorks(road_on_bed_km=Estimate(18, 20, 22))
    line = rail(LINE, mode=Mode.RAIL, section_id="old", status=SectionStatus.ABANDONED)
    railway = replace(line, parts=tuple(replace(part, documented_works=works) for part in line.parts))
    road = rail([(x, y + gap_m) for x, y in LINE], mode=Mode.ROAD, status=SectionStatus.PLANNED, quality=quality)
    return named(railway, "one"), named(road, "other")


def remaining(candidate: Candidate, bed_road: BedRoad = BedRoad.REPLACED) -> np.ndarray:
    bill = cost_bill(candidate, COSTS, COSTING, bed_road)
    return np.array([sum(getattr(line.remaining_musd, end) for line in bill) for end in ("low", "mid", "high")])


def test_the_cost_is_that_of_the_routes_less_the_road_that_one_of_them_stands_in_for():
    railway, road = railway_and_road()
    alone = remaining(railway) + remaining(road)
    kept = package(railway, road, bed="one")
    assert remaining(kept) == pytest.approx(alone)
    stands_in = package(railway, road, bed="one", bed_road_by="other")
    price = np.multiply((18, 20, 22), PRICES["road", "surface"])
    assert remaining(stands_in) == pytest.approx(alone - price)
    assert remaining(railway, BedRoad.TAKEN) + remaining(road) == pytest.approx(remaining(stands_in))
    assert render(stands_in.assumptions[0]) == "Made up has the bed of the old railway"
    assert "declared by this study, in no document" in (said := render(stands_in.assumptions[1]))
    assert "made-up names the routes together, and no more" in said


def test_a_railway_that_leaves_its_bed_is_built_anew_beside_it():
    railway, road = railway_and_road()
    pack = package(railway, road, bed="other")
    km = railway.parts[0].length_km.mid
    rest, bed = np.array([km - 22, km - 20, km - 18]), np.array([18, 20, 22])
    expected = rest * PRICES["rail", "upgrade"] + bed * PRICES["rail", "surface"]
    assert remaining(pack) == pytest.approx(expected + remaining(road))


def test_a_section_of_two_routes_is_paid_once():
    one = rail([(0, 0), (9000, 0)], status=SectionStatus.PLANNED, mode=Mode.ROAD)
    pack = package(named(one, "one"), named(one, "other", parts=(*one.parts, *rail([(9000, 0), (9500, 0)]).parts)))
    assert remaining(pack) == pytest.approx(remaining(pack.members[1]))


ON_ONE_BED = [
    (0, GeometryQuality.OSM, True),
    (20, GeometryQuality.OSM, True),
    (200, GeometryQuality.OSM, False),
    (200, GeometryQuality.SCHEMATIC, True),
    (1500, GeometryQuality.SCHEMATIC, False),
]


@pytest.mark.parametrize(("gap_m", "quality", "clash"), ON_ONE_BED)
def test_two_on_one_bed_are_refused_where_the_study_does_not_say_who_has_it(gap_m, quality, clash):
    routes = railway_and_road(gap_m, quality)
    if not clash:
        assert package(*routes).old_bed is None
        return
    with pytest.raises(StudyError, match=r"candidates 'both': 'one' and 'other' may both .* 'old'.*add bed = \"one\""):
        package(*routes)


def test_a_bed_is_given_to_who_may_lie_on_it_alone():
    railway, road = railway_and_road(1500)
    with pytest.raises(
        StudyError, match="bed: 'other' lies on no old bed that is a road today; those that may are one"
    ):
        package(railway, road, bed="other")
    second = named(railway, "other")
    assert package(railway, second).old_bed is None  # both on one track
    with pytest.raises(StudyError, match="bed_road_by: 'other' is no road"):
        package(railway, second, bed="one", bed_road_by="other")


# --- Long-distance flows ---


def test_links_of_all_routes_open_at_once_and_no_load_pays_more():
    tables = load_tables(find_tables(Study.bundled("syunik")))
    members = ("aras-rail", "goris-yeraskh")
    each = [build_case(tables, key, "article-9") for key in members]
    pack = build_case(tables, "both", "article-9", None, members)
    opened = [set(merge_changes(case.changes)) for case in each]
    assert set(merge_changes(pack.changes)) == opened[0] | opened[1]
    assert not opened[0] <= opened[1]
    model = FlowModel(tables)
    cost = [cost_to_flows(model, case, 2035) for case in (*each, pack)]
    assert cost[2].mid <= min(cost[0].mid, cost[1].mid) + 1e-9


def test_what_was_measured_of_a_package_acts_once():
    tables = load_tables(find_tables(Study.bundled("syunik")))
    row = {"north_south_delay_min": 30.0, "north_south_if_closed": "slower"}
    pack = build_case(tables, "both", "article-9", row, ("aras-rail", "aras-road"))
    assert merge_changes(pack.changes)["road-norduz-agarak"] == LinkChange(
        "road-norduz-agarak", extra_h=toy.exactly(0.5)
    )


# --- A whole study ---

PACKAGES = """
[[candidates]]
family = "package"
id = "roads"
letter = "Q"
name = "Both roads"
of = ["ridge", "valley"]
sources = ["made-up"]

[[candidates]]
family = "package"
id = "pair"
name = "Railway and road"
of = ["railway", "valley"]
sources = ["made-up"]
note = "Made up."
"""
MEMBERS = {"roads": ("ridge", "valley"), "pair": ("railway", "valley")}


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    path = build_study(tmp_path_factory.mktemp("package") / "midland")
    path.write_text(path.read_text(encoding="utf-8") + IMPACT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def compared(midland):
    text = midland.read_text(encoding="utf-8")
    path = midland.with_name("packages.toml")
    path.write_text(text + PACKAGES, encoding="utf-8")
    return corridor.compare(corridor.Study.load(path), osm=midland.parent / "map.osm")


@pytest.fixture(scope="module")
def rows(compared):
    return {(row["candidate_id"], row["regime_id"]): row for row in compared.metrics.to_dict("records")}


def cases(rows):
    return [(row, [rows[key, regime_id] for key in MEMBERS[candidate_id]])
            for (candidate_id, regime_id), row in rows.items() if candidate_id in MEMBERS]  # fmt: skip


JOURNEY = ("length_km", "drawn_km", "detour_factor", "travel_time_h", "check_h", "trip_time_h", "ascent_m", "trip_by",
           "in_midland_km", "truck_time_h", "train_time_h", "border_passages")  # fmt: skip


def test_a_journey_is_that_of_the_quicker_route_whole(rows):
    for row, members in cases(rows):
        quicker = min(members, key=lambda member: member["trip_time_h"])
        for name in JOURNEY:
            assert row[name] == quicker[name] or (row[name] != row[name] and quicker[name] != quicker[name]), name
        assert row["trip_time_h"] == pytest.approx(row["travel_time_h"] + row["check_h"])
    assert all(row["trip_by"] == key for (key, _), row in rows.items() if key not in MEMBERS)


def test_works_and_costs_are_those_of_all(rows):
    for row, members in cases(rows):
        for name in ("new_build_km", "cost_remaining_musd", "cost_musd", "upkeep_musd"):
            for end in ("_low", "", "_high"):
                assert row[name + end] == pytest.approx(sum(member[name + end] for member in members)), name


BURDENS = ("north_south_delay_min", "access_delay_min", "people_lost_crossing", "people_lost_centre", "single_point_km",
           "places_lost_crossing", "crossings", "crossings_at_grade", "people_hours_per_day")  # fmt: skip


def worst(row, name) -> float:
    status = row.get(f"{name}_status", "")
    return (
        float("inf")
        if status in ("unreachable", "lost", "cut_off")
        else float(np.nan_to_num(row.get(f"{name}_high", row[name])))
    )


def test_no_burden_is_less_than_that_of_any_route(rows):
    for row, members in cases(rows):
        for name in BURDENS:
            assert worst(row, name) >= max(worst(member, name) for member in members) - 1e-6, (name, row["regime_id"])
        for name in ("disjoint_routes", "disjoint_routes_whole"):
            assert row[name] <= min(member[name] for member in members)


def test_events_of_a_package_are_those_of_its_routes(compared):
    counts = compared.crossings.query("regime_id == 'shut'").groupby("candidate_id").size()
    assert counts["roads"] == counts["ridge"] + counts["valley"]
    rows = compared.crossings.set_index("candidate_id")
    assert set(rows.loc["roads", "route_id"]) == {"ridge", "valley"}
    # a row of a package lies where that of its route lies, and has its chainage
    at = ["route_id", "regime_id", "kind", "chainage_km", "to_chainage_km"]
    own = {tuple(row) for row in rows.loc[["ridge", "valley"], at].itertuples(index=False)}
    assert {tuple(row) for row in rows.loc["roads", at].itertuples(index=False)} <= own
    assert (rows.drop(index=list(MEMBERS))["route_id"] == rows.drop(index=list(MEMBERS)).index).all()


def test_a_package_is_a_candidate_everywhere(compared, tmp_path):
    pack = compared.candidate("roads")
    assert (pack.modes, pack.family, pack.geometry.geom_type) == ("road", Family.PACKAGE, "MultiLineString")
    assert compared.candidate("pair").modes == "rail+road"
    ranked = compared.rank()
    assert {"roads", "pair"} <= set(ranked["candidate_id"])
    view = ReportView(compared.results)
    assert view.marks["roads"].letter == "Q"
    compared.write(tmp_path)
    lines = read_candidates(tmp_path).set_index("candidate_id")
    assert shapely.get_num_geometries(lines.geometry["pair"]) == 2
    opened = corridor.load_results(tmp_path)
    assert opened.metrics.query("candidate_id == 'pair'")["members"].unique().tolist() == ["railway; valley"]
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "card.together" in page
    for key, members in MEMBERS.items():  # whose heights the page draws
        told = opened.metrics.set_index("candidate_id").loc[key].set_index("regime_id")["trip_by"].to_dict()
        assert json.dumps({"": members[0]} | told, separators=(",", ":")) in page
    assert packages_of(read_measured(tmp_path / "metrics.csv")) == MEMBERS
    write_gpx(compared.results, tmp_path / "tracks.gpx")
    assert (tmp_path / "tracks.gpx").read_text(encoding="utf-8").count("<trk>") == len(compared.results.candidates) - 2
    assert set(opened.profiles) == {c.candidate_id for c in compared.results.candidates if not c.members}


def test_added_and_asked_from_the_start_are_the_same(midland, compared):
    study = corridor.Study.load(midland)
    first = corridor.compare(study, osm=midland.parent / "map.osm")
    added = first.with_candidates(
        {**SPEC, "id": "roads", "name": "Both roads", "of": ["ridge", "valley"], "letter": "Q"}
    )
    then = added.metrics.query("candidate_id == 'roads'").set_index("regime_id")
    whole = compared.metrics.query("candidate_id == 'roads'").set_index("regime_id")
    for name in ("trip_time_h", "cost_remaining_musd", "people_lost_centre", "north_south_delay_min"):
        assert then[name].to_numpy() == pytest.approx(whole[name].to_numpy(), rel=1e-4, nan_ok=True), name
    # and a route of one's own is measured beside packages that are there
    mine = compared.with_route(shapely.LineString([(10.1, 45.5), (10.9, 45.5)]), name="Mine")
    assert len(mine.results.candidates) == len(compared.results.candidates) + 1


# --- What can't be is refused in one line, by run and doctor alike ---

REFUSED = {
    "of = ['nowhere', 'ridge']": "candidates: package 'both': of: 'nowhere' is no candidate of the study; name some of",
    "of = ['ridge', 'both']": "of: 'both' is a package itself; name its routes instead",
    "of = ['ridge', 'driven']": "of: 'driven' is a family of ways that are found only in a run",
    "of = ['ridge']": "of: name two candidates of the study or more",
    "of = ['ridge', 'ridge']": "of: 'ridge' stands twice; name each route once",
    "of = ['ridge', 'valley']\nbed = 'railway'": "bed: 'railway' is none of ridge, valley",
    "of = ['ridge', 'valley']\nbed_road_by = 'valley'": "bed_road_by: say in bed which other route has the bed",
    "of = ['ridge', 'valley']\nbed = 'ridge'": "bed: 'ridge' lies on no old bed that is a road today; leave it out",
    "of = ['ridge', 'valley']\nsources = ['made-up']\n[[candidates]]\nfamily = 'package'\nid = 'again'\n"
    "name = 'Again'\nof = ['valley', 'ridge']\nsources = ['made-up']": "of: is package 'both' again; leave one",
    "of = ['ridge', 'valley']\nsources = ['rumour']": "sources: 'rumour' is no document that is known",
}


@pytest.mark.parametrize("fields", REFUSED)
def test_what_can_not_be_is_refused_in_one_line(midland, fields, monkeypatch, capsys, tmp_path):
    sources = "" if "sources" in fields else "sources = ['made-up']\n"
    text = f"{midland.read_text(encoding='utf-8')}\n[[candidates]]\nfamily = 'package'\nid = 'both'\nname = 'Both'\n"
    path = midland.with_name("refused.toml")
    path.write_text(f"{text}{sources}{fields}\n", encoding="utf-8")
    said = []
    for words in (["run", path, "--out", tmp_path], ["doctor", path]):
        code, _, told = run_command(monkeypatch, capsys, *words, "--quiet")
        assert code == 2
        said.append(" ".join(told.split()))
    assert all(REFUSED[fields] in told for told in said), said
    assert said[0] == said[1]
