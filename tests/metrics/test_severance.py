"""The strip between a route and a border: closed forms on a square country, laws on random routes."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, project
from corridor.io.read.borders import Borders
from corridor.metrics.border import BANDS_KM, border_ground, measure_border_bands, planar_runs
from corridor.metrics.severance import SeveranceDraws, coarse_ground, lengthen, measure_severance, places_behind
from corridor.schema.fields import Source
from tests.interactions.grounds import candidate, part
from tests.interactions.roads import build
from tests.metrics.context import Context

UTM = "EPSG:32638"
X0, Y0, SIDE = (
    500_000.0,
    4_300_000.0,
    20_000.0,
)  # on the zone's middle, where a planar metre is nearly one on the ground
SCALE = 1 / 0.9996


def borders(wiggle=()):
    """A square country AA (20 km) above BB; the border between them may wiggle: (x, y) in metres from the corner."""
    line = [(X0, Y0), *((X0 + x, Y0 + y) for x, y in wiggle), (X0 + SIDE, Y0)]
    home = shapely.Polygon([*line, (X0 + SIDE, Y0 + SIDE), (X0, Y0 + SIDE)])
    other = shapely.Polygon([*line, (X0 + SIDE, Y0 - SIDE), (X0, Y0 - SIDE)])
    west = shapely.box(X0 - SIDE, Y0 - SIDE, X0, Y0 + SIDE)
    shapes = project(np.array([home, other, west], dtype=object), UTM, WGS84)
    frame = gpd.GeoDataFrame({"country": ["AA", "BB", "CC"], "name": ["a", "b", "c"]}, geometry=shapes, crs=WGS84)
    return Borders(frame, Source("borders", "b.geojson", "Made up", "nobody", "2026", "CC0-1.0"))


def point(x, y):
    at = project(shapely.Point(X0 + x, Y0 + y), UTM, WGS84)
    return at.x, at.y


def ground(wiggle=()):
    return border_ground(borders(wiggle), "AA", "BB", point(SIDE / 2, SIDE * 0.9))


def line(*xy):
    dense = shapely.segmentize(shapely.LineString([(X0 + x, Y0 + y) for x, y in xy]), 500.0)
    return project(dense, UTM, WGS84)


def strip_of(place, *xy):
    route = candidate(part(line(*xy)))
    return measure_severance(place, lengthen(place, planar_runs(place, route)))


def test_a_straight_route_cuts_off_a_rectangle_and_the_whole_border():
    strip = strip_of(ground(), (0, 1000), (SIDE, 1000))
    assert strip.area_km2 == pytest.approx(20 * SCALE**2, rel=1e-3)
    assert strip.behind_share == pytest.approx(1)
    assert strip.behind_km == pytest.approx(20 * SCALE, rel=1e-3)


def test_a_corner_cut_has_the_border_of_its_base():
    # from the western border at 4 km down to the southern border at 5 km
    strip = strip_of(ground(), (0, 4000), (5000, -5))
    assert strip.area_km2 == pytest.approx(10 * SCALE**2, rel=5e-3)
    assert strip.behind_share == pytest.approx(0.25, rel=5e-3)


def test_a_route_that_ends_inside_goes_straight_on_to_the_border_that_is_not_the_neighbours():
    whole = strip_of(ground(), (0, 1000), (SIDE, 1000))
    short = strip_of(ground(), (300, 1000), (SIDE - 400, 1000))
    assert short.area_km2 == pytest.approx(whole.area_km2, rel=1e-3)
    assert short.behind_share == pytest.approx(1)


def test_where_the_drawn_route_strays_over_the_border_there_is_no_strip_but_the_border_is_behind():
    strip = strip_of(ground(), (0, 100), (5000, 100), (6000, -100), (14_000, -100), (15_000, 100), (SIDE, 100))
    assert strip.behind_share == pytest.approx(1)
    assert strip.area_km2 == pytest.approx((2 * 5000 * 100 + 2 * 0.5 * 500 * 100) / 1e6 * SCALE**2, rel=1e-2)


def test_a_route_far_from_the_neighbour_has_no_strip():
    strip = strip_of(ground(), (0, 15_000), (5000, SIDE))
    assert (strip.area_km2, strip.behind_share) == (0, 0)


def test_two_stretches_in_the_country_are_both_counted():
    place = ground()
    abroad = part(line((5000, -10), (15_000, -10)), country="BB")
    route = candidate(part(line((0, 1000), (5000, -10))), abroad, part(line((15_000, -10), (SIDE, 1000))))
    strip = measure_severance(place, lengthen(place, planar_runs(place, route)))
    assert strip.behind_share == pytest.approx(0.5, abs=0.01)


def test_places_behind_are_those_between_route_and_border():
    place = ground()
    strip = strip_of(place, (0, 1000), (SIDE, 1000))
    lon, lat = zip(point(3000, 500), point(3000, 1500), strict=True)
    assert places_behind(place, strip, pd.DataFrame({"lon": lon, "lat": lat})).tolist() == [0]


def severance_figures(route, draws=0, seed=0, local_roads=True, closes_roads=True, half_width_km=1.0):
    context = Context(
        ground=ground(), candidate=route, lie_of_candidate=route, settlements=None, local_roads=local_roads,
        severance_draws=SeveranceDraws(draws, seed), schematic_half_width_km=half_width_km, closes_roads=closes_roads,
        lie_of_network=build([[(0, 0), (100, 0)]]),
    )  # fmt: skip
    return context.row, context["severed_ground"]


def test_metrics_carry_an_interval_that_the_seed_decides():
    route = candidate(part(line((0, 1000), (SIDE, 1000))))
    first, shape = severance_figures(route, draws=40, seed=0)
    again, _ = severance_figures(route, draws=40, seed=0)
    other, _ = severance_figures(route, draws=40, seed=1)
    numbers = [name for name, value in first.items() if isinstance(value, float)]
    assert [first[name] for name in numbers] == pytest.approx([again[name] for name in numbers], nan_ok=True)
    assert first["strip_area_km2_low"] < first["strip_area_km2"] < first["strip_area_km2_high"]
    assert first["strip_area_km2_low"] != other["strip_area_km2_low"]
    # moved by 25 m (15 and 20 together) either way, 95 % of draws: 20 km times 2 x 1.96 x 25 m
    width = first["strip_area_km2_high"] - first["strip_area_km2_low"]
    assert width == pytest.approx(20 * 2 * 1.96 * 0.025, rel=0.35)
    assert shape.intersects(shapely.Point(point(SIDE / 2, 500)))


def test_a_coarse_outline_far_away_keeps_what_is_near():
    jagged = [(SIDE * (1 - i / 200), SIDE + 60 * (i % 2)) for i in range(201)]
    square = ground()
    other = shapely.LineString([(X0 + SIDE, Y0), *((X0 + x, Y0 + y) for x, y in jagged), (X0, Y0)])
    rough = replace(square, other=other, polygon=shapely.Polygon(other))
    runs = planar_runs(rough, candidate(part(line((0, 1000), (SIDE, 1000)))))
    coarse = coarse_ground(rough, runs)
    assert len(shapely.get_coordinates(coarse.other)) < 10
    near, far = (measure_severance(g, lengthen(g, runs)) for g in (coarse, rough))
    assert near.area_km2 == pytest.approx(far.area_km2, rel=1e-9)


def test_a_route_elsewhere_and_one_drawn_too_roughly_have_a_status_instead_of_figures():
    abroad = candidate(part(line((0, -500), (SIDE, -500)), country="BB"))
    metrics, shape = severance_figures(abroad)
    assert metrics["strip_status"] == "not_applicable"
    assert shape.is_empty
    rough = candidate(part(line((0, 1000), (SIDE, 1000)), quality="schematic"))
    assert severance_figures(rough, local_roads=False)[0]["strip_status"] == "not_supported"
    assert severance_figures(rough)[0]["strip_area_km2_status"] == "undetermined"
    assert severance_figures(rough, closes_roads=False)[0]["strip_status"] == "not_applicable"


def test_the_ground_behind_a_schematic_line_is_known_up_to_its_half_width():
    rough = candidate(part(line((0, 1000), (SIDE, 1000)), quality="schematic"))
    ends = []
    for width in (0.2, 0.5, 1.0):
        found, _ = severance_figures(rough, half_width_km=width)
        assert np.isnan(found["strip_area_km2"])
        area = SIDE / 1000
        assert found["strip_area_km2_low"] == pytest.approx(area * (1 - width), rel=0.01, abs=0.05)
        assert found["strip_area_km2_high"] == pytest.approx(area * (1 + width), rel=0.01)
        ends.append((found["strip_area_km2_low"], found["strip_area_km2_high"]))
    assert ends[0][0] > ends[1][0] > ends[2][0]
    assert ends[0][1] < ends[1][1] < ends[2][1]


def test_a_candidate_outside_its_declared_country_is_refused():
    wrong = candidate(part(line((0, 1000), (10_000, -2500), (SIDE, 1000))))
    with pytest.raises(NetworkError, match=r"'c'.*declared in AA but lies 2\.5 km outside"):
        severance_figures(wrong)


@pytest.mark.parametrize(
    ("pair", "inside", "words"),
    [
        (("AA", "AA"), (100, 100), "AA"),
        (("BB", "CC"), (SIDE / 2, SIDE / 2), "lies outside BB"),
        (("AA", "BB"), (SIDE / 2, -50), "lies outside AA"),
    ],
)
def test_grounds_that_make_no_sense_are_refused(pair, inside, words):
    if pair == ("AA", "AA"):
        far = borders()
        far.countries.loc[1, "geometry"] = shapely.box(10, 10, 11, 11)
        with pytest.raises(NetworkError, match="share no border"):
            border_ground(Borders(far.countries, far.source), "AA", "BB", point(*inside))
        return
    with pytest.raises(NetworkError, match=words):
        border_ground(borders(), *pair, point(*inside))


def test_distances_to_the_border_are_those_of_a_slanted_line():
    route = candidate(part(line((0, 0), (SIDE, SIDE))))
    found = measure_border_bands(ground(), route, 1.0)
    for km in BANDS_KM:
        # points of the diagonal nearer than d to the southern side, corrected for the rounded end of the border
        assert found[f"border_km_within_{km:g}".replace(".", "p")] == pytest.approx(km * np.sqrt(2), rel=3e-3)


@pytest.mark.parametrize("half_width_km", [0.3, 1.0, 2.5])
def test_a_schematic_line_may_lie_its_half_width_nearer_or_further(half_width_km):
    sketched = replace(part(line((0, 0), (SIDE, SIDE))), geometry_quality="schematic")
    found = measure_border_bands(ground(), candidate(sketched), half_width_km)
    for km in BANDS_KM:
        value = found[f"border_km_within_{km:g}".replace(".", "p")]
        ends = [max(km + stray, 0.0) * np.sqrt(2) for stray in (-half_width_km, half_width_km)]
        assert [value.best, value.worst] == pytest.approx(ends, rel=3e-3, abs=1e-9)


def test_a_schematic_line_far_inside_a_band_has_a_plain_figure():
    along = line((0, 3000), (SIDE, 3000))
    found = measure_border_bands(ground(), candidate(replace(part(along), geometry_quality="schematic")), 1.0)
    assert found["border_km_within_0p5"] == 0.0
    assert (found["border_km_within_1"], found["border_km_within_10"]) == (0.0, pytest.approx(SIDE / 1000, rel=1e-3))
    # known stretches beside it add to both ends
    known = part(line((0, 500), (SIDE, 500)))
    both = replace(
        candidate(known), parts=(known, replace(part(line((SIDE, 1500), (0, 1500))), geometry_quality="schematic"))
    )
    value = measure_border_bands(ground(), both, 1.0)["border_km_within_1"]
    assert (value.best, value.worst) == pytest.approx((SIDE / 1000, 2 * SIDE / 1000), rel=1e-3)


ROUTES = st.lists(st.floats(200, 6000), min_size=2, max_size=6)
WIGGLES = st.lists(st.floats(-150, 150), min_size=0, max_size=5)


def spread(values):
    return [(SIDE * (i + 1) / (len(values) + 1), v) for i, v in enumerate(values)]


@given(ROUTES, WIGGLES)
@settings(max_examples=25, deadline=None)
def test_area_is_that_under_the_route_and_reversing_changes_nothing(heights, bends):
    place = ground(spread(bends))
    xs = np.linspace(0, SIDE, len(heights))
    xy = list(zip(xs, heights, strict=True))
    strip = strip_of(place, *xy)
    under = np.trapezoid(heights, xs) - np.trapezoid([0, *bends, 0], [0, *(x for x, _ in spread(bends)), SIDE])
    assert strip.area_km2 == pytest.approx(under / 1e6 * SCALE**2, rel=2e-3)
    assert strip.behind_share == pytest.approx(1)
    back = strip_of(place, *xy[::-1])
    assert (back.area_km2, back.behind_share) == (pytest.approx(strip.area_km2), pytest.approx(strip.behind_share))


@given(ROUTES, st.floats(10, 2000))
@settings(max_examples=15, deadline=None)
def test_a_route_farther_from_the_border_cuts_off_more(heights, more):
    place = ground()
    xs = np.linspace(0, SIDE, len(heights))
    near = strip_of(place, *zip(xs, heights, strict=True))
    far = strip_of(place, *zip(xs, np.array(heights) + more, strict=True))
    assert far.area_km2 > near.area_km2
    assert shapely.difference(near.faces, far.faces).area < 1.0
