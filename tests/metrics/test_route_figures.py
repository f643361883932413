"""Distance, time, cost and terrain of a route: closed forms on made-up parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from affine import Affine

from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.metrics.distance import FocusArea, measure_detour, measure_inside, measure_length, measure_works
from corridor.metrics.terrain import (
    GradeSupport,
    measure_bridges,
    measure_grades,
    measure_ground_departure,
    measure_heights,
    measure_tunnels,
)
from corridor.metrics.travel_time import measure_driving, measure_listed_checks, measure_trip, rest_hours
from corridor.schema.candidate import BorderPassage, Profile, Span
from corridor.schema.catalogue import BorderDelays, Estimate
from corridor.schema.fields import Grid, Source
from corridor.schema.vocabulary import CrossingStatus, Evidence, Mode, SectionStatus, StructureKind
from corridor.terrain.surface import Dem
from tests.interactions.grounds import candidate, part
from tests.interactions.roads import regime
from tests.metrics.context import Context
from tests.metrics.figures import row_of

WEST = shapely.LineString([(10.0, 45.0), (10.5, 45.0)])
EAST = shapely.LineString([(10.5, 45.0), (11.0, 45.0)])

RULES = load_catalogue(data_root() / "reference").driving
assert RULES is not None


def two_parts(**first):
    return candidate(part(WEST, length_km=first.pop("length_km", 50.0), **first), part(EAST, country="BB"))


def with_passages(route, *delays):
    passages = tuple(
        BorderPassage(("AA", "BB"), 10.5, 45.0, "gate", CrossingStatus.OPEN, delay and Estimate(*delay))
        for delay in delays
    )
    return replace(route, passages=passages)


def test_documented_and_drawn_lengths_are_kept_apart():
    route = two_parts(status=SectionStatus.PLANNED)
    documented = replace(route.parts[0], documented=True, length_km=Estimate(40.0, 50.0, 70.0))
    whole = replace(route, parts=(documented, route.parts[1]))
    row = row_of(measure_length, candidate=whole) | row_of(measure_works, candidate=whole)
    row |= row_of(measure_detour, candidate=whole)
    east = route.parts[1].drawn_km
    assert row["length_km"] == pytest.approx(50 + east)
    assert (row["length_km_low"], row["length_km_high"]) == (pytest.approx(40 + east), pytest.approx(70 + east))
    assert row["drawn_km"] == pytest.approx(2 * east)
    assert row["documented_share"] == pytest.approx(50 / (50 + east))
    assert (row["new_build_km"], row["new_build_km_high"]) == (50, 70)
    # along a parallel the straight line is a little shorter than the line that is drawn
    assert row["detour_factor"] == pytest.approx((50 + east) / (2 * east), rel=1e-4)


def test_structures_that_no_document_gives_are_not_quoted_and_never_0():
    plain = two_parts()
    whole = replace(plain, parts=(replace(plain.parts[0], tunnel_km=2.0), plain.parts[1]))
    row = row_of(measure_tunnels, candidate=whole)
    assert (row["tunnel_km"], row["tunnel_quoted_km"], row["tunnel_km_status"]) == (2.0, 2.0, "ok")
    silent = replace(whole.parts[1], not_quoted=frozenset({StructureKind.TUNNEL}))
    route = replace(whole, parts=(whole.parts[0], silent))
    row = row_of(measure_tunnels, candidate=route)
    assert np.isnan(row["tunnel_km"])
    assert (row["tunnel_quoted_km"], row["tunnel_km_status"]) == (2.0, "not_quoted")
    assert row_of(measure_bridges, candidate=route)["bridge_km"] == 0.0


def test_only_parts_in_the_country_of_the_focus_lie_inside_it():
    focus = FocusArea("mid", "AA", shapely.box(10.25, 44, 10.75, 46))
    row = row_of(measure_inside, candidate=two_parts(), focus=focus)
    # half of the documented 50 km (chords of the geodesic aside); the rest lies in the neighbouring country
    assert row["in_mid_km"] == pytest.approx(25.0, rel=1e-5)


def test_a_trip_is_driving_and_what_the_regime_checks():
    route = with_passages(two_parts(), (30, 60, 90), (0, 0, 0))
    driving = row_of(measure_driving, candidate=route, driving_parameters=RULES)
    assert driving["truck_time_h"] == driving["travel_time_h"] == pytest.approx(2 / 60)
    assert np.isnan(driving["train_time_h"])
    driving |= row_of(measure_listed_checks, candidate=route)
    assert [driving[f"border_check_h{end}"] for end in ("_low", "", "_high")] == [0.5, 1.0, 1.5]
    rules = regime()
    changed = {
        "border_check_min": rules.border_check_min.taking(Estimate(10, 20, 30)),
        "transit_check_min": rules.transit_check_min.taking(Estimate(0, 60, 120)),
    }
    checks = rules.model_copy(update=changed)
    for given, expected in ((checks, (20, 100, 180)), (None, (30, 60, 90))):
        row = row_of(
            measure_trip, candidate=route, regime=given, driving_parameters=RULES, border_delays=BorderDelays()
        )
        assert [row[f"check_h{end}"] for end in ("_low", "", "_high")] == pytest.approx([m / 60 for m in expected])
        assert row["trip_time_h"] == pytest.approx(2 / 60 + expected[1] / 60)
    railway = replace(route, mode=Mode.RAIL)
    assert np.isnan(row_of(measure_driving, candidate=railway, driving_parameters=RULES)["truck_time_h"])


def test_checks_that_nobody_knows_are_no_checks_of_0():
    """Of two crossings one has no listed delay: what is listed of the other is no sum of both."""
    route = with_passages(two_parts(), (30, 60, 90), None)
    listed = row_of(measure_listed_checks, candidate=route)
    assert np.isnan(listed["border_check_h"])
    assert listed["border_check_h_status"] == "missing"
    given = {"candidate": route, "driving_parameters": RULES, "border_delays": BorderDelays()}
    for rules, status in ((None, "missing"), (regime(), "ok")):
        trip = row_of(measure_trip, regime=rules, **given)
        assert trip["check_h_status"] == status
        assert np.isnan(trip["check_h"]) == np.isnan(trip["trip_time_h"]) == (status == "missing")
    assert row_of(measure_listed_checks, candidate=two_parts())["border_check_h"] == 0  # no border, no checks


def test_a_driver_rests_as_the_agreement_says():
    """AETR: 45 minutes after four and a half hours at the wheel, eleven hours instead at each nine, none on arrival."""
    expected = {0.0: 0.0, 4.0: 0.0, 4.5: 0.0, 4.6: 0.75, 9.0: 0.75, 9.1: 11.75, 13.5: 11.75, 13.6: 12.5, 18.0: 12.5,
                18.1: 23.5}  # fmt: skip
    assert [rest_hours(hours, RULES) for hours in expected] == pytest.approx(list(expected.values()))
    # a tenth hour a day: night and break no longer fall together
    longer = replace(RULES, drive_per_day_h=10.0)
    assert rest_hours(10.5, longer) == pytest.approx(11 + 2 * 0.75)
    route = two_parts()
    row = row_of(measure_driving, candidate=route, driving_parameters=RULES)
    assert row["travel_time_h"] == row["truck_time_h"] + row["rest_h"]


def roof(top_m=2200.0):
    """Ten kilometres up from 1,800 m and ten down."""
    chainage = np.linspace(0, 20, 201)
    height = top_m - np.abs(chainage - 10) * (top_m - 1800) / 10
    still, limit, threshold = (np.full_like(chainage, value) for value in (0.0, 8.0, 20.0))
    return Profile(chainage, still, still, height, height, limit, threshold, ())


def test_heights_of_a_roof():
    row = row_of(measure_heights, profile=roof(), error_draws=())
    assert (row["max_elevation_m"], row["relief_m"]) == (2200, 400)
    assert (row["ascent_m"], row["descent_m"]) == (pytest.approx(400), pytest.approx(400))
    assert row["km_above_2000_m"] == pytest.approx(10)
    assert "ascent_m_low" not in row  # without draws nothing is known of the range


def test_grades_only_where_the_heights_carry_them():
    heights = np.zeros((3, 3), dtype=np.float32)
    grid = Grid("EPSG:4326", Affine(0.001, 0, -0.001, 0, -0.001, 0.002), (3, 3))
    dem = Dem(heights, grid, Source("d", "", "", "", ""), 1, 1)
    shown = row_of(measure_grades, profile=roof(), grades=GradeSupport(True, ""), dem=dem)
    short = replace(roof(), **{name: getattr(roof(), name)[:2] for name in ("chainage_km", "lon", "lat", "height_m")})
    assert short.chainage_km[-1] < 1
    found = row_of(measure_grades, profile=short, grades=GradeSupport(True, ""), dem=dem)
    assert (found["grades_status"], np.isnan(found["max_grade_1km_pct"])) == ("not_applicable", True)
    assert shown["max_grade_1km_pct"] == pytest.approx(4)
    assert shown["grades_status"] == "ok"
    # a pixel of fine ones whose ground was measured at coarse ones carries no grade
    coarse = replace(dem, ground_resolution_m=np.full((3, 3), 926, dtype=np.float32))
    for support, ground in ((GradeSupport(False, "too coarse"), dem), (GradeSupport(True, ""), coarse)):
        refused = row_of(measure_grades, profile=roof(), grades=support, dem=ground)
        assert np.isnan(refused["grade_p95_pct"])
        assert refused["grades_status"] == "not_supported"


def test_a_route_in_a_tunnel_all_along_departs_from_no_ground():
    covered = replace(roof(), spans=(Span(StructureKind.TUNNEL, 0.0, 20.0, "", Evidence.MAPPED),))
    assert np.isnan(row_of(measure_ground_departure, profile=covered)["ground_departure_p95_m"])
    assert row_of(measure_ground_departure, profile=roof())["ground_departure_p95_m"] == 0


def test_a_route_by_itself_is_described_and_measured():
    row = Context(candidate=two_parts(), driving_parameters=RULES).row
    assert (row["candidate_id"], row["mode"], row["comparator"]) == ("c", "road", False)
    assert {"length_km", "travel_time_h", "tunnel_km"} <= row.keys()
    assert "trip_time_h" not in row  # it hangs on a regime
