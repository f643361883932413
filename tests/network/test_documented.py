"""What the catalogue documents of a road holds on the map: closures, later openings, through traffic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from corridor.candidates.parts import section_part
from corridor.errors import CatalogueError
from corridor.files import data_root
from corridor.geo.geodesy import WGS84, project
from corridor.io.read.catalogue import load_catalogue
from corridor.network.conflate_ways import add_sections, build_physical, ways_of_sections
from corridor.network.conflation import (
    conflate,
    dated,
    dated_crossings,
    dated_sections,
    exceeds_limits,
    join_ways,
    truck_exceeds,
)
from corridor.network.driving_times import TimeSpread, _documented_structures
from corridor.network.graph import Network
from corridor.network.map_matching import match_section
from corridor.network.ways import Ways
from corridor.pipeline.comparing import open_run
from corridor.pipeline.diagnosis import diagnose
from corridor.pipeline.graph import silent
from corridor.pipeline.steps import inputs as files
from corridor.pipeline.steps import lines
from corridor.report.i18n import render
from corridor.schema.catalogue import Section, SectionWorks, VehicleLimit
from corridor.schema.study import Baseline, Study
from corridor.schema.vocabulary import CrossingStatus, Mode, SectionStatus, Works
from corridor.sweeps.factors import CrossingsStatus
from tests.interactions import roads
from tests.synthetic.catalogue import COSTS
from tests.synthetic.corrupted import cell
from tests.synthetic.study import build


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = build(tmp_path_factory.mktemp("documented") / "study")
    return open_run(Study.load(path), osm=path.parent / "map.osm", dem=(), progress=silent)


def conflated(run, as_of: str = "2020-01", *more: Section, enforce_limits: bool = False, **changes):
    """Ways with the section ``valley-middle`` changed and further sections beside those of the catalogue."""
    sections = dict(run[files.catalogue].sections)
    sections["valley-middle"] = replace(sections["valley-middle"], **changes)
    sections |= {section.section_id: section for section in more}
    catalogue = run[files.catalogue]
    then = dated_sections(sections, as_of)
    joined = join_ways(then, catalogue.nodes, catalogue.crossings, run[files.borders], run[files.osm])
    return conflate(joined, then, catalogue.nodes, enforce_limits=enforce_limits)


def status(layout) -> set[str]:
    """Statuses of the mapped edges of the valley road between the western gate and the gap."""
    edges = layout.physical.edges
    middle = (
        (edges["ref"] == "V2") & edges.geometry.bounds["minx"].ge(10.399) & edges.geometry.bounds["maxx"].le(10.641)
    )
    assert middle.any()
    return set(edges["status"][middle])


def test_a_road_documented_as_closed_is_closed_on_the_map(run):
    assert status(conflated(run)) == {"open"}
    layout = conflated(run, status=SectionStatus.CLOSED)
    assert status(layout) == {"closed"}
    (said,) = layout.contradictions
    assert render(said).startswith(
        "section valley-middle is documented as closed (2020-01), the map shows 18.8 km of it open"
    )


def test_a_newer_map_opens_nothing_and_an_older_date_closes_nothing(run):
    """The closure holds from its date on, whatever the map's date; a baseline of before has the road open."""
    closed = {"status": SectionStatus.CLOSED, "closed": "2012-01"}
    assert status(conflated(run, "2030-01", **closed)) == {"closed"}
    assert status(conflated(run, "2011-12", **closed)) == {"open"}


def test_only_a_later_row_of_the_catalogue_opens_again(run):
    again = replace(run[files.catalogue].sections["valley-middle"], section_id="valley-again")
    closed = {"status": SectionStatus.CLOSED, "closed": "2012-01"}
    assert status(conflated(run, "2020-01", replace(again, opened="2015-06"), **closed)) == {"open"}
    assert status(conflated(run, "2014-01", replace(again, opened="2015-06"), **closed)) == {"closed"}
    assert status(conflated(run, "2020-01", replace(again, as_of="2011-01"), **closed)) == {"closed"}
    assert status(conflated(run, "2020-01", replace(again, as_of="2012-01"), **closed)) == {"closed"}


def test_a_status_that_nobody_documents_any_more_is_unknown_from_then_on(run):
    unknown = {"status": SectionStatus.UNKNOWN, "closed": "2019-11"}
    assert status(conflated(run, "2020-01", **unknown)) == {"unknown"}
    assert status(conflated(run, "2019-08", **unknown)) == {"open"}


def test_a_section_that_is_named_as_assumed_open_is_open_on_the_map(run):
    layout = conflated(run, status=SectionStatus.CLOSED)
    network = _network(layout)
    shut = network.closed(Mode.ROAD)
    mine = (network.edges["documented_in"] == "valley-middle").to_numpy()
    assert shut[mine].all()
    assert not network.closed(Mode.ROAD, assume_open=["valley-middle"])[mine].any()


def _network(layout):
    return Network(layout.physical.edges, layout.physical.node_lon, layout.physical.node_lat)


def test_through_traffic_runs_on_sections_and_through_classes(run):
    """``link`` is a residential street and a section of the catalogue; other streets are for local traffic."""
    edges = conflated(run).physical.edges
    roads = edges[edges["mode"] == Mode.ROAD]
    through = roads.groupby("class")["through"].agg(set).to_dict()
    assert through["primary"] == through["trunk"] == {True}
    assert through["residential"] == {True, False}
    assert set(roads.loc[roads["documented_in"] == "link", "through"]) == {True}
    assert edges.loc[edges["mode"] == Mode.RAIL, "through"].all()


OPEN, BUILT, SHUT = SectionStatus.OPEN, SectionStatus.CONSTRUCTION, SectionStatus.CLOSED


@pytest.mark.parametrize(
    ("present", "opened", "closed", "then"),
    [
        # by 2009-06, 2012-06, 2015-06 and 2018-06: what happened on 2010-03 and 2014
        (OPEN, "2010-03", "", [BUILT, OPEN, OPEN, OPEN]),
        (SHUT, "", "2010-03", [OPEN, SHUT, SHUT, SHUT]),
        (SHUT, "2010-03", "2014", [BUILT, OPEN, SHUT, SHUT]),
        (OPEN, "2014", "2010-03", [OPEN, SHUT, OPEN, OPEN]),
        (SectionStatus.UNKNOWN, "", "2014", [OPEN, OPEN, SectionStatus.UNKNOWN, SectionStatus.UNKNOWN]),
        (SectionStatus.DISUSED, "2010-03", "2014", [BUILT, OPEN, SectionStatus.DISUSED, SectionStatus.DISUSED]),
        (SectionStatus.ABANDONED, "", "2014", [OPEN, OPEN, SectionStatus.ABANDONED, SectionStatus.ABANDONED]),
        # what lay there is built anew; when it is to be opened changes nothing yet
        (BUILT, "", "2014", [OPEN, OPEN, BUILT, BUILT]),
        (BUILT, "2014", "", [BUILT] * 4),
        (SectionStatus.PLANNED, "2014", "", [SectionStatus.PLANNED] * 4),
        (SHUT, "", "", [SHUT] * 4),
        # of one year, or of a month in it, the status says which came last
        (SHUT, "2014", "2014", [BUILT, BUILT, SHUT, SHUT]),
        (SHUT, "2014-03", "2014", [BUILT, BUILT, SHUT, SHUT]),
        (OPEN, "2014", "2014-03", [OPEN, OPEN, OPEN, OPEN]),
    ],
)
def test_a_section_is_what_its_last_opening_or_closure_made_it(run, present, opened, closed, then):
    section = replace(run[files.catalogue].sections["valley-middle"], status=present, opened=opened, closed=closed)
    dates = ("2009-06", "2012-06", "2015-06", "2018-06")
    assert [dated(section, date).status for date in dates] == then


def test_a_section_that_is_open_again_is_read(tmp_path):
    folder = build(tmp_path / "study").parent
    for column, date in (("closed", "2015"), ("opened", "2019-02")):
        cell("sections.csv", column, date)(folder)
    section = load_catalogue(folder / "reference").sections["ridge-west"]
    assert (section.status, section.closed, section.opened) == (OPEN, "2015", "2019-02")


def test_a_month_has_seen_what_happened_on_its_days(run):
    section = replace(run[files.catalogue].sections["valley-middle"], opened="2021-05-20")
    assert [dated(section, date).status for date in ("2021-04-30", "2021-05", "2021-05-19", "2021-05-20")] == [
        BUILT, OPEN, BUILT, OPEN,
    ]  # fmt: skip


def test_control_and_works_are_those_of_the_date(run):
    section = run[files.catalogue].sections["valley-middle"]
    assert dated(replace(section, control="XC", control_from="2021-05"), "2021-04").control == ""
    assert dated(replace(section, control="XC", control_from="2021-05-20"), "2021-05").control == "XC"
    works = SectionWorks(Works.UPGRADE, 70.0, "2021-05", ("made-up",))
    shut = replace(section, status=SHUT, closed="2020", works=works)
    assert dated(shut, "2021-05").works == works
    assert dated(shut, "2021-04").works == SectionWorks(Works.UPGRADE)  # how far they were then, nobody knows
    assert dated(shut, "2019").works == SectionWorks()  # nothing was to be done to an open road


@pytest.mark.parametrize(
    ("section_is", "tunnel_is", "counts"),
    [
        (OPEN, OPEN, True),
        (OPEN, SectionStatus.PLANNED, False),
        (OPEN, BUILT, False),
        (BUILT, SectionStatus.PLANNED, True),
        (SectionStatus.DISUSED, SectionStatus.DISUSED, True),
    ],
)
def test_a_way_in_use_has_no_structure_that_is_yet_to_come(run, section_is, tunnel_is, counts):
    section = run[files.catalogue].sections["rail-middle"]
    (tunnel,) = section.structures
    section = replace(section, status=section_is, structures=(replace(tunnel, status=tunnel_is),))
    assert section.standing_structures == (section.structures if counts else ())
    part = section_part(section, section.line, 1.0, None, reverse=False, spread=TimeSpread(1.0, 1.0))
    assert [span.kind for span in part.spans] == (["tunnel"] if counts else [])
    drawn = build_physical(ways_of_sections([section])).edges
    assert bool(_documented_structures(drawn, {"rail-middle": section})) is counts


def test_a_route_of_sections_is_built_and_priced_as_they_were_at_the_baseline(tmp_path):
    """The first section of the route over the ridge came into use in 2019: before, it was still to be built."""
    path = build(tmp_path / "study")
    cell("sections.csv", "opened", "2019-06")(path.parent)
    earlier = Baseline(id="earlier", name="before", as_of="2019-05")
    study = Study.load(path)
    found = {}
    for baseline in (study.chosen_baseline, earlier):
        asked = study.model_copy(update={"baselines": (*study.baselines, earlier), "baseline": baseline.id})
        at = open_run(asked, osm=path.parent / "map.osm", dem=(), progress=silent)
        ridge = at[lines.candidates]["ridge"]
        musd = at[lines.line_metrics].set_index("candidate_id").loc["ridge", "cost_musd"]
        found[baseline.id] = ridge.parts[0].works, musd, render(ridge.assumptions[0])
    assert [works for works, *_ in found.values()] == [Works.NONE, Works.UNFINISHED]
    (_, now_musd, _), (_, then_musd, assumed) = found.values()
    km, bridge_km = ridge.parts[0].length_km.mid, ridge.parts[0].bridge_km
    surface, bridge = COSTS["road", "surface"][1], COSTS["road", "bridge"][1]
    assert then_musd - now_musd == pytest.approx((km - bridge_km) * surface + bridge_km * bridge)
    assert "Ridge west" in assumed


def test_a_documented_limit_is_reported_and_closes_only_where_asked(run):
    limit = VehicleLimit("valley-middle", 36.0, None, "2005", ("made-up",), "")
    reported, enforced = (conflated(run, limit=limit, enforce_limits=enforce) for enforce in (False, True))
    for layout, access in ((reported, "yes"), (enforced, "no")):
        edges = layout.physical.edges
        mine = (edges["documented_in"] == "valley-middle").to_numpy()
        assert set(edges["max_weight_t"][mine]) == {36.0}
        assert set(edges["truck_access"][mine]) == {access}
        assert exceeds_limits(edges)[mine].all()
        assert not exceeds_limits(edges)[~mine].any()
    begin = "section valley-middle is limited to 36 t (a truck has 40), documented in 2005: "
    said = begin + "reported as length over a limit, not closed"
    assert tuple(map(render, reported.contradictions)) == (said,)
    assert tuple(map(render, enforced.contradictions)) == (begin + "closed to trucks",)


@pytest.mark.parametrize(
    ("limits", "over"),
    [((40.0,), False), ((39.9,), True), ((None, 3.9), True), ((None, None, 2.5), True),
     ((None, None, None, 16.4), True), ((None, None, None, None, 11.4), True),
     ((40.0, 4.0, 2.55, 16.5, 11.5), False), ((), False)],
)  # fmt: skip
def test_a_limit_counts_if_the_truck_exceeds_it(limits, over):
    weight, height, *others = (*limits, None, None)[: max(len(limits), 2)]
    assert truck_exceeds(VehicleLimit("x", weight, height, "", (), "", *others)) is over
    assert not truck_exceeds(None)


@pytest.mark.parametrize(
    ("column", "most", "said_of_it"),
    [("max_width_m", 2.4, "2.4 m of width (a truck has 2.55)"),
     ("max_length_m", 12.0, "12 m of length (a truck has 16.5)"),
     ("max_axle_t", 8.0, "8 t an axle (a truck has 11.5)")],
)  # fmt: skip
def test_what_a_document_states_of_a_truck_counts_as_a_limit(run, column, most, said_of_it):
    limit = replace(VehicleLimit("valley-middle", None, None, "", ("made-up",), ""), **{column: most})
    layout = conflated(run, limit=limit)
    edges = layout.physical.edges
    mine = (edges["documented_in"] == "valley-middle").to_numpy()
    assert set(edges[column][mine]) == {most}
    assert exceeds_limits(edges)[mine].all()
    assert set(edges["truck_access"][mine]) == {"yes"}
    (said,) = map(render, layout.contradictions)
    assert said.startswith(f"section valley-middle is limited to {said_of_it}")


@pytest.mark.parametrize(("road_class", "expected"), [("trunk", "closed"), ("tertiary", "open")])
def test_what_closes_a_lesser_road_does_not_close_the_greater_one_that_it_reaches_over(run, road_class, expected):
    middle = run[files.catalogue].sections["valley-middle"]
    lane = replace(middle, section_id="lane", road_class=road_class, status=SectionStatus.CLOSED)
    assert status(conflated(run, "2020-01", lane)) == {expected}


def _map_of(run, *roads) -> Ways:
    """Ways of class and line, each with vertices of its own."""
    sample = run[files.catalogue].sections["valley-middle"]
    drawn = [
        replace(sample, section_id=f"w{i}", from_node=f"a{i}", to_node=f"b{i}", road_class=name, line=LineString(line))
        for i, (name, line) in enumerate(roads)
    ]
    ways = ways_of_sections(drawn)
    return replace(ways, frame=ways.frame.assign(section_id=""), node_ids=np.arange(len(ways.node_ids)) + 1)


@pytest.mark.parametrize(
    ("state", "access", "through"),
    [("open", "no", (0.0, 1500.0)), ("open", "local", (0.0, 1500.0)), ("closed", "no", (0.0, 0.0))],
)
def test_an_open_section_runs_on_a_road_that_trucks_may_drive_through(run, state, access, through):
    """A private road lies on the schematic line itself, the public one up to 1.5 km north of it."""
    lines = [[(0, 0), (6000, 0)], [(0, 0), (3000, 1500), (6000, 0)]]
    network = roads.build(lines, truck_access=[access, "yes"])
    line = LineString(roads.lonlat([(0, 0), (6000, 0)]))
    section = replace(run[files.catalogue].sections["valley-middle"], status=SectionStatus(state), line=line)
    ends = [network.snap(*point, np.zeros(2, dtype=bool), limit_m=1.0, what="end") for point in line.coords]
    match = match_section(network, section, *ends)
    north_m = project(match.line, WGS84, roads.UTM).bounds[1::2]
    assert np.subtract(north_m, roads.NORTH) == pytest.approx(through, abs=0.1)


@pytest.mark.parametrize(
    ("road_class", "status", "north_m", "joins"),
    [
        ("tertiary", "open", 600, 1),
        ("tertiary", "open", 1400, 3),
        ("unclassified", "open", 600, 3),
        ("tertiary", "abandoned", 600, 3),
    ],
)
def test_a_drawn_section_begins_on_the_classified_road_beside_the_street(run, road_class, status, north_m, joins):
    """Else no through traffic could get on it: streets are for the first and last leg.

    The street passes 100 m south of the section's end, the other road further north.
    """
    north = 40.0 + north_m / 111_195
    ways = _map_of(
        run,
        (road_class, [(10.0, north), (10.01, north)]),
        ("residential", [(10.0, 40.0 - 100 / 111_195), (10.01, 40.0 - 100 / 111_195)]),
    )
    ways = replace(ways, frame=ways.frame.assign(status=[status, "open"]))
    end = replace(run[files.catalogue].nodes["valley-gap-west"], node_id="end", lon=10.0, lat=40.0)
    far = replace(end, node_id="far", lat=39.5)
    section = replace(
        run[files.catalogue].sections["valley-middle"], from_node="end", to_node="far",
        line=LineString([(10.0, 40.0), (10.0, 39.5)]),
    )  # fmt: skip
    joined = add_sections(ways, [section], {"end": end, "far": far}, limit_m=2000.0)
    first, last = joined.offsets[2], joined.offsets[3] - 1
    assert joined.node_ids[first] == joins
    assert joined.node_ids[last] < 0


@pytest.mark.parametrize(
    ("cells", "then"),
    [
        # documented in 2020 alone: of the time before nobody knows
        ({}, ["unknown", "unknown", "open"]),
        ({"since": "2018-05"}, ["unknown", "open", "open"]),
        ({"since": "2018-05", "before": "closed"}, ["closed", "open", "open"]),
        ({"status": "closed", "since": "2018-05", "before": "open"}, ["open", "closed", "closed"]),
    ],
)
def test_a_crossing_is_at_a_date_what_is_documented_of_it_then(tmp_path, cells, then):
    folder = with_history(build(tmp_path / "study").parent, **cells)
    crossings = load_catalogue(folder / "reference").crossings
    dates = ("2018-04", "2019", "2020-01")
    assert [dated_crossings(crossings, date)["ridge-gate-west"].status for date in dates] == then


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"since": "2020-02"}, "since: is 2020-02, after as_of 2020-01"),
        ({"before": "closed"}, "before: is given without since"),
        ({"since": "2018", "before": "unlisted"}, "before: is 'unlisted'; use one of closed, open, planned, unknown"),
        ({"since": "of old"}, "since: 'of old' is no date"),
    ],
)
def test_a_history_of_a_crossing_that_cannot_be_is_refused(tmp_path, cells, says):
    folder = with_history(build(tmp_path / "study").parent, **cells)
    with pytest.raises(CatalogueError, match=says):
        load_catalogue(folder / "reference")


def with_history(folder, **cells):
    """The made-up study with columns of history in its table of crossings, filled in the first row."""
    path = folder / "reference" / "crossings.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in ("since", "before"):
        table[column] = ""
    for column, value in cells.items():
        table.loc[0, column] = value
    table.to_csv(path, index=False)
    return folder


def test_at_an_earlier_date_a_border_is_passed_only_where_a_document_says_that_it_was_open(tmp_path):
    path = build(tmp_path / "study")
    earlier = Baseline(id="earlier", name="before", as_of="2019-05")

    def on_earlier():
        study = Study.load(path)
        return study.model_copy(update={"baselines": (*study.baselines, earlier), "baseline": "earlier"})

    def ways(study):
        return [key for key in open_run(study)[lines.candidates] if key.startswith("driven")]

    def doubts(study):
        told = [render(remark) for remark in diagnose(study, None, (), silent).remarks]
        return [line for line in told if "the baseline's date" in line]

    # the one gate that isn't assumed to be open is documented for 2020 alone: the way over it was not known to be open
    assert ways(on_earlier()) == ["driven-dalemoor"]
    (line,) = doubts(on_earlier())
    assert "on 2019-05, the baseline's date" in line
    assert "Ridge gate west" in line
    ridge = open_run(on_earlier())[lines.candidates]["ridge"]
    assert ridge.passages[0].status == CrossingStatus.UNKNOWN
    # a factor of a sweep says what is the case whatever the dates
    factor = CrossingsStatus(kind="crossing-status", crossings=("ridge-gate-west",))
    run = open_run(on_earlier())
    opened = run.replace(**factor.replaced(run, "open"))[lines.crossings_then]
    assert opened["ridge-gate-west"].status == CrossingStatus.OPEN
    with_history(path.parent, since="2018")
    assert set(ways(on_earlier())) == {"driven-dalemoor", "driven-highfold-rifton"}
    assert not any("Ridge gate west" in line for line in doubts(on_earlier()))


def test_what_is_open_today_in_the_bundled_catalogue_is_documented_for_the_earlier_baseline_too():
    """Else the study's first baseline would have no way to Iran, nor from Azerbaijan to Nakhchivan."""
    crossings = load_catalogue(data_root() / "reference").crossings
    then = dated_crossings(crossings, "2021-08")
    assert [key for key, crossing in crossings.items() if crossing.is_open and not then[key].is_open] == []
    # of a border where posts were set up in 2021-11 nobody says what it was before
    assert then["kapan-zangilan"].status == CrossingStatus.UNKNOWN
    assert dated_crossings(crossings, "2018-02")["astara-rail"].status == CrossingStatus.PLANNED
