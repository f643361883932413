"""Routes by way of places: the open way if there is one, else one that names everything on it that isn't open."""

from __future__ import annotations

import pytest

from corridor.candidates.via import order_stops
from corridor.errors import NoRouteError, StudyError
from corridor.io.read.own_routes import parse_via, route_id
from corridor.pipeline.comparing import open_run
from corridor.pipeline.diagnosis import diagnose
from corridor.pipeline.steps import inputs, lines
from corridor.report.i18n import render
from corridor.schema.catalogue import Estimate
from corridor.schema.study import CrossingSpec, Place, Study
from corridor.schema.vocabulary import CrossingStatus, Family, Mode
from tests.synthetic import build
from tests.synthetic.corrupted import cell, delays, several
from tests.synthetic.ground import meridian_km, parallel_km
from tests.synthetic.osm import STEP_NORTH
from tests.synthetic.study import OPENED

RIDGE_KM = parallel_km(45.5, 0.8)
STEPS_KM = 2 * meridian_km(45.5, STEP_NORTH) + parallel_km(STEP_NORTH, 0.1) - parallel_km(45.5, 0.1)
VALLEY_KM = parallel_km(45.3, 0.8) + 2 * meridian_km(45.3, 45.5)


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    return Study.load(build(tmp_path_factory.mktemp("via") / "midland"))


def routed(study, *, osm=False, **fields):
    table = {"family": "via", "id": "mine", **fields}
    run = open_run(study.with_candidates(table), osm=study.folder / "map.osm" if osm else None)
    return run[lines.via_route]["mine"]


def said(candidate):
    return [render(value) for value in candidate.assumptions]


@pytest.mark.parametrize(("osm", "more_km"), [(False, 0.0), (True, STEPS_KM)])
def test_without_an_open_way_closed_stretches_are_taken_and_named(midland, osm, more_km):
    found = routed(midland, osm=osm, via=["Highfold"])
    assert found.length_km.mid == pytest.approx(RIDGE_KM + more_km, abs=0.01)
    assert found.name == "Aster-Highfold-Corvo"
    assert [passage.status for passage in found.passages] == [CrossingStatus.OPEN, CrossingStatus.CLOSED]
    gap_km = parallel_km(45.5, 0.01)
    assert said(found) == [f"Ridge gap ({gap_km:.1f} km): planned", "border crossing Ridge gate east: closed"]


def test_what_is_assumed_open_is_driven_first_and_still_named(midland):
    found = routed(midland, via=["Dalemoor"], assume_open=OPENED)
    assert found.length_km.mid == pytest.approx(VALLEY_KM, abs=0.01)
    assert said(found)[0] == f"Valley gap ({parallel_km(45.3, 0.005):.1f} km): planned"
    with pytest.raises(StudyError, match="assume_open: 'moat' is neither a section nor a crossing"):
        routed(midland, via=["Dalemoor"], assume_open=["moat"])


NO_DELAY = several(*(cell("crossings.csv", f"delay_min_{end}", "") for end in ("low", "mid", "high")))
"""Of the gate in the west of the ridge road, which is the first row."""


def waits_of(candidate):
    return [words for words in said(candidate) if "waits" in words]


def test_a_crossing_where_nobody_knows_the_wait_is_named_by_what_was_found_by_minutes(tmp_path):
    path = build(tmp_path / "midland")
    NO_DELAY(path.parent)
    study = Study.load(path)
    driven = open_run(study)[lines.candidates]["driven-highfold-rifton"]
    found = routed(study, via=["Highfold"])
    for each in (found, driven):
        assert [passage.delay_min is None for passage in each.passages] == [True, False]
        assert "no document says how long one waits at Ridge gate west" in " ".join(waits_of(each))


def test_a_way_with_known_waits_is_taken_before_a_quicker_one_where_nobody_knows_them(tmp_path):
    path = build(tmp_path / "midland")
    known = open_run(Study.load(path))[lines.candidates]
    ridge, valley = (known[key] for key in ("driven-highfold-rifton", "driven-dalemoor"))
    minutes = {
        way.candidate_id: sum(part.minutes.mid for part in way.parts) + sum(p.delay_min.mid for p in way.passages)
        for way in (ridge, valley)
    }
    assert minutes[ridge.candidate_id] < minutes[valley.candidate_id]
    order = [key for key in known if key.startswith("driven")]
    assert order == [ridge.candidate_id, valley.candidate_id]
    NO_DELAY(path.parent)
    study = Study.load(path)
    unknown = open_run(study)[lines.candidates]
    assert [key for key in unknown if key.startswith("driven")] == order[::-1]
    # what the way over the ridge takes less, its own half hour of waiting not counted
    saved = minutes[valley.candidate_id] - minutes[ridge.candidate_id] + 30
    words = f"by Ridge gate west, where no document says how long one waits, the way would take {saved:.0f} min less"
    assert waits_of(unknown[valley.candidate_id]) == [f"{words}, and that wait more"]
    assert waits_of(unknown[ridge.candidate_id]) == [
        "no document says how long one waits at Ridge gate west: ways on which that is known were taken before it"
    ]
    direct = routed(study, via=[], assume_open=OPENED)
    assert direct.length_km.mid == pytest.approx(VALLEY_KM, abs=0.01)
    assert f"{words}, and that wait more" in said(direct)


def test_a_wait_that_is_known_in_one_direction_alone_is_said(tmp_path):
    path = build(tmp_path / "midland")
    delays(country="XA", direction="outbound", year="2020")(path.parent)
    table = path.parent / "reference" / "border_delays.csv"
    row = table.read_text(encoding="utf-8").splitlines()[1]
    with table.open("a", encoding="utf-8") as stream:
        stream.write(row.replace("XA,outbound", "XB,inbound") + "\n")
    study = Study.load(path)
    assert waits_of(routed(study, via=["Highfold"])) == [
        "how long one waits at Ridge gate west is known from XA to XB alone: the way was sought as if it were the same "
        "both ways"
    ]
    told = [render(remark) for remark in diagnose(study, None, (), lambda _: None).remarks]
    words = "how long one waits is known in one direction alone, which stands for both in the choice of ways: "
    assert [line for line in told if "waits" in line] == [f"{words}Ridge gate west (from XA to XB)"]


def test_doctor_lists_the_crossings_where_nobody_knows_the_wait(tmp_path, midland):
    assert not any("waits" in render(remark) for remark in diagnose(midland, None, (), lambda _: None).remarks)
    path = build(tmp_path / "midland")
    NO_DELAY(path.parent)
    told = [render(remark) for remark in diagnose(Study.load(path), None, (), lambda _: None).remarks]
    (line,) = [line for line in told if "waits" in line]
    assert line.startswith("no document says how long one waits at 1 border crossing: ")
    assert line.endswith(": Ridge gate west")


def test_at_a_crossing_of_the_study_one_waits_what_the_table_says_of_all_points(tmp_path):
    path = build(tmp_path / "midland")
    own = {
        "id": "ford", "name": "Ford", "lon": 10.4, "lat": 45.32, "countries": ("XA", "XB"), "status": "closed",
    }  # fmt: skip
    for spoil, minutes in ((None, None), (delays(point="all", country="*"), Estimate(480, 480, 480))):
        if spoil:
            spoil(path.parent)
        study = Study.load(path)
        crossing = CrossingSpec.model_validate(own)
        run = open_run(study.model_copy(update={"crossings": (crossing,)}))
        assert run[inputs.crossings]["ford"].wait_min("XA", "XB") == minutes


def test_a_railway_over_a_border_without_a_crossing_says_where(midland):
    found = routed(midland, via=["45.7,10.55"], mode="rail")
    assert found.mode == Mode.RAIL
    assert "crosses the border of XB and XC at 45.7 N 10.7 E, where no crossing is listed: closed" in said(found)
    assert found.passages[-1].status == CrossingStatus.UNLISTED


def test_countries_that_are_left_out_are_not_driven_through(midland):
    with pytest.raises(NoRouteError, match="candidate 'mine': Aster to Corvo: no way in XA, XC"):
        routed(midland, via=[], countries=["XA", "XC"])


@pytest.mark.parametrize(
    ("via", "says"),
    [
        (["Hihgfold"], "no place is called 'Hihgfold'; did you mean Highfold?"),
        (["10.55,45.5"], "lies outside the study's area; write latitude before longitude"),
        (["50,50"], "50,50 lies outside the study's area$"),
        (["45.9,10.55"], r"': 45\.900 N 10\.550 E: the nearest usable way is"),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_one_line(midland, via, says):
    with pytest.raises((StudyError, ValueError), match=says) as caught:
        routed(midland, via=via)
    assert "\n" not in str(caught.value)


def at(name, lon, lat=45.5):
    return Place(name=name, lon=lon, lat=lat, country="XA")


A, B, C, D = at("a", 10.0), at("b", 10.3), at("c", 10.6), at("d", 10.9)


@pytest.mark.parametrize("named", [[B, C], [A, B, C, D], [D, C, B, A], [A, B, C], [B, C, D], [C, B, A]])
def test_ends_are_the_study_s_however_the_places_are_named(named):
    near = [place.model_copy(update={"lon": place.lon + 0.01}) if place in (A, D) else place for place in named]
    assert order_stops(near, A, D) == (A, B, C, D)


def test_the_row_of_places_is_read_as_people_write_it():
    assert parse_via("A; 45.5,10.2 ; B").via == ("A", "45.5,10.2", "B")
    assert parse_via("A, B").via == ("A", "B")
    assert parse_via("45.5,10.2").via == ("45.5,10.2",)
    assert parse_via("A; B", Mode.RAIL).mode == Mode.RAIL
    assert parse_via("A; B").id == "via-a-b"
    assert route_id("x" * 500, Family.VIA) == "via-" + "x" * 52


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (" ", "--via: names no place"),
        ("A;;B", "place 2 of 3 is empty"),
        ("45.5,10.2,B", "put semicolons between places"),
        ("A;\x1b[31mB", "control characters"),
        (";".join(["A"] * 101), "names 101 places; 100 are allowed"),
        ("A" * 201, "longer than 200 letters"),
    ],
)
def test_a_row_of_places_that_cannot_be_is_refused(text, says):
    with pytest.raises(StudyError, match=says):
        parse_via(text)


def test_candidates_are_added_to_a_study_and_checked_like_its_own(midland):
    study = midland.with_candidates(parse_via("Highfold"), {"family": "via", "id": "other", "via": ["Rifton"]})
    assert [spec.id for spec in study.candidates[-2:]] == ["via-highfold", "other"]
    assert study.candidates[:-2] == midland.candidates
    assert midland.with_candidates() == midland
    with pytest.raises(StudyError, match="midland: candidates: id 'ridge' stands twice"):
        midland.with_candidates({"family": "via", "id": "ridge", "via": []})
    with pytest.raises(StudyError, match=r"candidates.4.vai: unknown key"):
        midland.with_candidates({"family": "via", "id": "x", "via": [], "vai": 1})


def test_places_of_the_map_and_points_are_passed_where_the_study_has_neither_places_nor_borders(tmp_path):
    from tests.synthetic.ground import write_dem
    from tests.synthetic.osm import STREETS, WAYS, write_osm

    whole = [*WAYS, *STREETS, ([(10.62, 45.5), (10.63, 45.5)], {"highway": "primary", "name": "Ridge road"})]
    osm, dem = write_osm(tmp_path / "map.osm", whole), write_dem(tmp_path / "heights.tif")
    study = Study.between("45.5,10.1", "45.5,10.9", osm=osm, dem=dem)
    for stop in ("Highfold <b>", "45.5,10.55"):
        found = open_run(study.with_candidates(parse_via(stop)))[lines.via_route]
        (route,) = found.values()
        assert route.length_km.mid == pytest.approx(RIDGE_KM + STEPS_KM, rel=2e-3)
        assert route.assumptions == ()
    with pytest.raises(StudyError, match="no place is called 'Nowhere'; give lat,lon instead"):
        dict(open_run(study.with_candidates(parse_via("Nowhere")))[lines.via_route])
