"""Grades of a made-up network: ground, structures, schematic lines, pins."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from corridor.files import data_root
from corridor.geo.geodesy import line_lengths_m
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.parameters import load_driving
from corridor.io.read.tables import Faults
from corridor.network.road_survey import Ground, Pin, RoadSurvey, lay_roads, survey_roads
from corridor.schema.parameters import DrivingParameters

REFERENCE = data_root() / "reference"
# a road to the east beside the equator, 0.1 degree (11.1 km) to an edge
M_PER_DEG = 111_319.5


@pytest.fixture(scope="module")
def parameters() -> DrivingParameters:
    found = load_driving(Path(REFERENCE) / "driving.csv", load_catalogue(REFERENCE).sources, Faults())
    assert found is not None
    return found


def roads(count: int, **columns) -> gpd.GeoDataFrame:
    lines = [shapely.LineString([(0.1 * k, 0.0), (0.1 * (k + 1), 0.0)]) for k in range(count)]
    table = {"u": range(count), "v": range(1, count + 1), "ref": "M2", "class": "trunk", "bridge": False}
    frame = gpd.GeoDataFrame({**table, "tunnel": False, **columns}, geometry=lines, crs="EPSG:4326")
    return frame.assign(length_m=line_lengths_m(frame.geometry.to_numpy()))


def ramp(per_deg: float) -> Ground:
    """Ground that rises to the east."""
    return Ground(lambda lon, lat: 500.0 + per_deg * lon, 2500.0)


def survey(edges, n_nodes, ground, parameters, *, pins=(), max_grade=None, **laid) -> RoadSurvey:
    courses = lay_roads(edges, n_nodes, ground, parameters, **laid)
    return survey_roads(edges, courses, parameters, pins=pins, max_grade=max_grade)


def grade_of(survey: RoadSurvey, edge: int) -> np.ndarray:
    return survey.pieces.grade[survey.pieces.first[edge] : survey.pieces.first[edge + 1]]


def lengths_m(survey: RoadSurvey) -> np.ndarray:
    """Of each stretch between posts."""
    return survey.pieces.length_m * np.repeat(survey.pieces.parts, np.diff(survey.pieces.first))


def test_a_ramp_has_its_grade_in_every_inner_piece(parameters):
    found = survey(roads(5), 6, ramp(0.05 * M_PER_DEG), parameters)
    assert grade_of(found, 2) == pytest.approx(0.05, rel=1e-3)
    assert lengths_m(found).sum() == pytest.approx(roads(5)["length_m"].sum())
    assert not found.pinned.any()


def test_without_a_model_roads_are_level(parameters):
    found = survey(roads(2), 3, None, parameters)
    assert (found.pieces.grade == 0).all()
    assert np.isnan(found.post_height_m).all()


def test_no_grade_is_steeper_than_the_limit_of_its_edge(parameters):
    found = survey(roads(3), 4, ramp(0.12 * M_PER_DEG), parameters, max_grade=np.array([0.2, 0.07, 0.2]))
    assert grade_of(found, 1) == pytest.approx(0.07)
    assert grade_of(found, 0).max() > 0.1


def test_a_climb_is_spread_over_the_road_and_keeps_its_height(parameters):
    """A step of 400 m in the ground, of which the cut grade of its pieces would keep less than half."""
    step = Ground(lambda lon, lat: np.where(lon < 0.25, 600.0, 1000.0), 500.0)
    found = survey(roads(5), 6, step, parameters, max_grade=np.full(5, 0.05))
    climbed = (found.pieces.grade * lengths_m(found)).sum()
    assert climbed == pytest.approx(400.0, abs=1.0)
    assert found.pieces.grade.max() <= 0.05 + 1e-9


def test_a_schematic_line_moves_no_road_that_is_drawn_as_it_is(parameters):
    edges = roads(3)
    wall = Ground(lambda lon, lat: np.where(lon > 0.2001, 3000.0, 600.0), 0.0)
    drawn = np.array([False, False, True])
    found = survey(edges, 4, wall, parameters, max_grade=np.full(3, 0.05), schematic=drawn)
    assert found.post_height_m[:3] == pytest.approx(600.0)


@pytest.mark.parametrize("kind", ["tunnel", "bridge"])
def test_a_structure_has_one_grade_whatever_the_ground_does(parameters, kind):
    def ridge(lon, lat):
        return np.where(np.abs(lon - 0.25) < 0.0499, 3000.0, 900.0) + 100.0 * (lon >= 0.2999)

    flags = [False, False, True, False, False]
    found = survey(roads(5, **{kind: flags}), 6, Ground(ridge, 0.0), parameters)
    assert np.ptp(grade_of(found, 2)) == pytest.approx(0.0, abs=1e-6)
    assert found.post_height_m[[2, 3]] == pytest.approx([900.0, 1000.0], abs=1.0)


def test_a_schematic_line_counts_as_straight(parameters):
    edges = roads(3)
    crooked = shapely.LineString([(0.1, 0.0), (0.13, 0.01), (0.15, 0.0), (0.2, 0.0)])
    edges = edges.set_geometry([edges.geometry[0], crooked, edges.geometry[2]])
    found = survey(edges, 4, ramp(1000.0), parameters, schematic=np.array([False, True, False]))
    pieces = np.diff(found.pieces.first) * found.pieces.parts
    bends = found.pieces.curvature_per_m
    assert bends[pieces[0] : pieces[:2].sum()].max() == 0.0
    assert survey(edges, 4, ramp(1000.0), parameters).pieces.curvature_per_m.max() > 0.0


def test_a_documented_tunnel_on_an_edge_has_one_grade_under_the_mountain(parameters):
    def mountain(lon, lat):
        return np.where(np.abs(lon - 0.15) < 0.0249, 3000.0, 900.0)

    found = survey(roads(3), 4, Ground(mountain, 0.0), parameters, carried={1: [(0.24, 0.76)]})
    assert found.pieces.height_m.max() == pytest.approx(900.0, abs=1.0)
    assert survey(roads(3), 4, Ground(mountain, 0.0), parameters).pieces.height_m.max() > 2900.0


def test_a_pin_holds_its_height_fades_over_its_reach_and_says_its_residual(parameters):
    edges = roads(20)
    pin = Pin("pass", 0.5, 0.001, 900.0)
    found = survey(edges, 21, Ground(lambda lon, lat: np.full(len(lon), 800.0), 2500.0), parameters, pins=[pin])
    assert found.post_height_m[5] == pytest.approx(900.0)
    assert found.post_height_m[[0, 20]] == pytest.approx(800.0, abs=5.0)
    (fit,) = found.pins
    assert (fit.pin_id, fit.residual_m) == ("pass", pytest.approx(100.0))
    assert fit.distance_m == pytest.approx(110.6, abs=1.0)
    # within 15 km: the edges on either side of the pin
    assert np.flatnonzero(found.pinned).tolist() == [4, 5]


def test_a_pin_with_no_road_near_is_said_and_moves_nothing(parameters):
    far = Pin("elsewhere", 0.5, 1.0, 900.0)
    level = Ground(lambda lon, lat: np.full(len(lon), 800.0), 2500.0)
    found = survey(roads(5), 6, level, parameters, pins=[far])
    assert np.isinf(found.pins[0].distance_m)
    assert found.post_height_m == pytest.approx(800.0)


def test_a_pin_stays_on_the_edges_that_it_names(parameters):
    edges = roads(3)
    beside = shapely.LineString([(0.0, 0.0), (0.15, 0.005), (0.3, 0.0)])
    edges = gpd.GeoDataFrame(
        {
            "u": [0, 1, 2, 0], "v": [1, 2, 3, 3], "ref": ["M2"] * 3 + ["M17"], "class": "trunk",
            "bridge": False, "tunnel": False,
        },
        geometry=[*edges.geometry, beside], crs="EPSG:4326",
    )  # fmt: skip
    edges = edges.assign(length_m=line_lengths_m(edges.geometry.to_numpy()))
    level = Ground(lambda lon, lat: np.full(len(lon), 800.0), 2500.0)
    pin = Pin("m17", 0.15, 0.001, 950.0, edges=(3,))
    found = survey(edges, 4, level, parameters, pins=[pin])
    upper = found.pieces.height_m[found.pieces.first[3] :]
    assert upper.max() == pytest.approx(950.0, abs=2.0)
    assert found.pieces.height_m[: found.pieces.first[3]].max() < 900.0
