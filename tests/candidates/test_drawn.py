"""Drawn lines: on the network where they follow it, new where they don't, joined to the study's ends."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from corridor.errors import AlignmentError, CoverageError, StudyError
from corridor.geo.geodesy import line_lengths_m, sample
from corridor.pipeline.comparing import open_run
from corridor.pipeline.steps import lines
from corridor.report.i18n import render
from corridor.schema.study import Study
from corridor.schema.vocabulary import CrossingStatus, Evidence, GeometryQuality, SectionStatus
from tests.synthetic import build
from tests.synthetic.ground import meridian_km, parallel_km
from tests.synthetic.osm import STEP_NORTH

RIDGE = [(10.1, 45.5), (10.2, 45.5), (10.2, STEP_NORTH), (10.3, STEP_NORTH), (10.3, 45.5), (10.9, 45.5)]
RIDGE_KM = parallel_km(45.5, 0.7) + parallel_km(STEP_NORTH, 0.1) + 2 * meridian_km(45.5, STEP_NORTH)
GAP_KM = parallel_km(45.5, 0.01)
DEGREE_M = 1000 * meridian_km(45.0, 46.0)


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    return Study.load(build(tmp_path_factory.mktemp("drawn") / "midland"))


@pytest.fixture(scope="module")
def run(midland):
    """A run whose network is made once; candidates are replaced."""
    return open_run(midland, osm=midland.folder / "map.osm")


def drawn(run, line, **fields):
    table = {"family": "drawn", "id": "mine", "name": "Mine", "line": [tuple(map(float, xy)) for xy in line], **fields}
    # What is asked for alone is new: with the study in its place all that is made of its files would be made anew.
    asked = run.replace(study=run["study"].with_candidates(table))["drawn_specs"]
    return run.replace(drawn_specs=asked)[lines.drawn_route]["mine"]


def dense(corners, step_m=120.0):
    _, lon, lat = sample(shapely.LineString(corners), step_m)
    return np.column_stack([lon, lat])


def said(values):
    return [render(value) for value in values]


def by_status(candidate):
    return {
        status: sum(part.length_km.mid for part in candidate.parts if part.status == status)
        for status in {part.status for part in candidate.parts}
    }


@pytest.mark.parametrize("noise_m", [0.0, 15.0])
def test_a_line_along_a_road_is_the_road_and_its_gap_is_new(run, noise_m):
    line = dense(RIDGE)
    line[1:-1] += np.random.default_rng(1).normal(0, noise_m / DEGREE_M, (len(line) - 2, 2))
    found = drawn(run, line)
    km = by_status(found)
    # where the road ends and begins again is known to half a step of the observations on either side
    assert km[SectionStatus.PLANNED] == pytest.approx(GAP_KM, abs=0.25)
    assert sum(km.values()) == pytest.approx(RIDGE_KM, rel=0.01)
    assert {part.name for part in found.parts} == {"Ridge road", "Mine"}
    spans = [span for part in found.parts for span in part.spans]
    assert {(span.kind, span.located) for span in spans} == {("bridge", Evidence.MAPPED), ("tunnel", Evidence.MAPPED)}
    assert [passage.status for passage in found.passages] == [CrossingStatus.OPEN, CrossingStatus.CLOSED]
    assert said(found.assumptions)[-1] == "border crossing Ridge gate east: closed"


def test_a_new_stretch_runs_over_a_small_void_of_the_heights(run):
    """Voids of up to 1 km are bridged there, as along roads; wider ones are refused."""
    dem = run["dem"]
    holed = dem.heights_m.copy()
    row, col = (round(float(at)) for at in dem.grid.fractional_index(np.array(10.5), np.array(45.42)))
    holed[row - 1 : row + 2, col] = np.nan
    line = [(10.1, 45.5), (10.4, 45.5), (10.41, 45.42), (10.6, 45.42), (10.7, 45.5), (10.9, 45.5)]
    whole, over = drawn(run, line), drawn(run.replace(dem=dem.with_heights(holed)), line)
    assert over.length_km.mid == pytest.approx(whole.length_km.mid, rel=1e-6)
    holed[row - 1 : row + 2, col - 3 : col + 4] = np.nan
    with pytest.raises(CoverageError, match="points of route 'Mine'"):
        drawn(run.replace(dem=dem.with_heights(holed)), line)


def test_it_is_the_same_route_whichever_way_it_was_drawn(run):
    there, back = drawn(run, dense(RIDGE)), drawn(run, dense(RIDGE)[::-1])
    assert [part.name for part in there.parts] == [part.name for part in back.parts]
    assert back.length_km.mid == pytest.approx(there.length_km.mid, rel=1e-3)
    assert "drawn the other way, and turned round" in said(back.remarks)


def test_a_line_beside_a_road_follows_it_only_within_the_stated_distance(run):
    beside = [(10.1, 45.5), *((x, 45.5 + 160 / DEGREE_M) for x in (10.45, 10.53)), (10.9, 45.5)]
    near = [(x, 45.5) for x in (10.31, 10.44)]
    line = dense([*RIDGE[:-1], *near, *beside[1:3], (10.54, 45.5), (10.9, 45.5)])
    stretch_km = parallel_km(45.5, 0.08)
    strict, loose = drawn(run, line), drawn(run, line, follow_m=300.0)
    assert by_status(strict)[SectionStatus.PLANNED] == pytest.approx(stretch_km + GAP_KM, abs=1.2)
    assert by_status(loose)[SectionStatus.PLANNED] == pytest.approx(GAP_KM, abs=0.5)


def test_a_line_across_open_country_is_new_cut_at_borders_and_names_those_without_a_crossing(run):
    found = drawn(run, [(10.1, 45.5), (10.1, 45.6), (10.9, 45.6), (10.9, 45.5)])
    assert {part.status for part in found.parts} == {SectionStatus.PLANNED}
    assert [part.country for part in found.parts] == ["XA", "XB", "XC"]
    assert all(part.geometry_quality == GeometryQuality.DRAWN for part in found.parts)
    assert said(found.assumptions)[1:] == [
        "crosses the border of XA and XB at 45.6 N 10.4 E, where no crossing is listed: closed",
        "crosses the border of XB and XC at 45.6 N 10.7 E, where no crossing is listed: closed",
    ]
    assert {passage.status for passage in found.passages} == {CrossingStatus.UNLISTED}
    inside = found.parts[1]
    assert inside.length_km.mid == pytest.approx(parallel_km(45.6, 0.3), abs=0.2)


def test_new_stretches_have_the_tunnels_that_their_standard_asks_for(run):
    across = [(10.1, 45.5), (10.1, 45.6), (10.9, 45.6), (10.9, 45.5)]
    steep, flat = drawn(run, across), drawn(run, across, mode="rail")
    # the ridge climbs 400 m over 7.8 km: 5.1 %, which a road of 7 % does on the ground and a railway doesn't
    assert sum(part.tunnel_km for part in steep.parts) == 0
    railway = next(part for part in flat.parts if part.country == "XB")
    assert railway.tunnel_km > 5
    assert {span.located for span in railway.spans} == {Evidence.INFERRED}
    assert railway.design.standard_id == "rail-18"
    grades = np.abs(np.diff(railway.design.height_m)) / np.maximum(np.diff(railway.design.chainage_km) * 1000, 1e-9)
    assert grades.max() <= 0.018 + 1e-9
    with pytest.raises(StudyError, match="standard 'rail-18' isn't for road"):
        drawn(run, across, standard="rail-18")
    with pytest.raises(AlignmentError, match="choose one of"):
        drawn(run, across, standard="rail-99")


def test_heights_of_the_line_are_those_of_its_new_stretches(run):
    across = [(10.1, 45.5, 200.0), (10.1, 45.6, 200.0), (10.9, 45.6, 200.0), (10.9, 45.5, 200.0)]
    found = drawn(run, across)
    assert set(found.parts[1].design.height_m) == {200.0}
    assert found.parts[1].tunnel_km > 10  # level under a ridge of 400 m


def test_a_feature_may_say_that_it_is_a_sketch(run):
    found = drawn(run, [(10.1, 45.5), (10.1, 45.6), (10.9, 45.6), (10.9, 45.5)], schematic=True)
    assert {part.geometry_quality for part in found.parts} == {GeometryQuality.SCHEMATIC}


def test_ends_within_the_limit_are_joined_over_roads_and_straight_elsewhere(run):
    on_road = drawn(run, dense([(10.13, 45.5), *RIDGE[1:]]))
    assert on_road.parts[0].name == "Ridge road"
    assert on_road.length_km.mid == pytest.approx(RIDGE_KM, rel=0.01)
    assert f"joined to Aster over {parallel_km(45.5, 0.03):.1f} km" in said(on_road.remarks)
    off_road = drawn(run, [(10.1, 45.53), (10.1, 45.6), (10.9, 45.6), (10.9, 45.5)])
    assert off_road.line.coords[0] == (10.1, 45.5)
    assert f"joined to Aster over {meridian_km(45.5, 45.53):.1f} km" in said(off_road.remarks)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ([(10.17, 45.5), (10.9, 45.5)], r"route 'Mine': begins 5\.5 km from Aster; draw it to within 5 km"),
        ([(10.1, 45.5), (10.6, 45.5)], r"route 'Mine': ends 23\.4 km from Corvo"),
        ([(45.5, 10.1), (45.5, 10.9)], r"are latitude and longitude swapped\?"),
        ([(12.1, 45.5), (12.9, 45.5)], "lies outside the study's area"),
    ],
)
def test_a_line_that_does_not_lead_from_end_to_end_is_refused(run, line, says):
    with pytest.raises(StudyError, match=says):
        drawn(run, line)


def test_a_line_drawn_over_itself_counts_once(run):
    once = drawn(run, dense(RIDGE))
    thrice = drawn(run, np.vstack([dense(RIDGE), dense(RIDGE)[::-1], dense(RIDGE)]))
    assert thrice.length_km.mid == pytest.approx(once.length_km.mid, rel=0.01)
    left_out = next(remark for remark in thrice.remarks if remark.key == "line.repeats")
    assert float(left_out.values["km"]) == pytest.approx(2 * RIDGE_KM, rel=0.01)
    spur = drawn(
        run, np.vstack([dense(RIDGE[:2]), dense([(10.2, 45.5), (10.2, 45.45), (10.2, 45.5)]), dense(RIDGE[1:])])
    )
    assert spur.length_km.mid == pytest.approx(once.length_km.mid, rel=0.01)


def test_a_line_that_crosses_itself_is_taken_as_it_is(run):
    loop = [
        (10.1, 45.5),
        (10.1, 45.6),
        (10.5, 45.6),
        (10.5, 45.7),
        (10.4, 45.7),
        (10.4, 45.55),
        (10.9, 45.6),
        (10.9, 45.5),
    ]
    found = drawn(run, loop)
    assert found.drawn_km == pytest.approx(line_lengths_m([shapely.LineString(loop)])[0] / 1000, rel=1e-3)
    assert len(found.remarks) == 1
