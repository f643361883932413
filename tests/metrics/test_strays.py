"""Ways that run on ground of another country than they count as: said where no crossing let them in."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from corridor.geo.geodesy import WGS84
from corridor.io.read.borders import Borders, no_borders
from corridor.metrics.limits import LEAST_STRAY_KM, stray_notes
from corridor.report.i18n import render
from corridor.schema.fields import Source
from corridor.schema.vocabulary import GeometryQuality
from tests.interactions.grounds import candidate, part
from tests.synthetic.ground import parallel_km

ROAD = shapely.LineString([(10.0, 45.5), (11.0, 45.5)])
HOME = shapely.box(9.0, 45.0, 12.0, 46.0)


def with_enclave(*shapes):
    """Country AA with ground of BB in it."""
    other = shapely.union_all(shapes)
    frame = gpd.GeoDataFrame(
        {"country": ["AA", "BB"], "name": ["Alphaland", "Betaland"]},
        geometry=[HOME.difference(other), other],
        crs=WGS84,
    )
    return Borders(frame, Source("borders", "b", "", "", ""))


def route(quality=GeometryQuality.OSM):
    return candidate(replace(part(ROAD), country="AA", geometry_quality=quality))


@pytest.mark.parametrize("width_deg", [0.02, 0.05, 0.3])
def test_an_enclave_on_the_way_is_said_with_its_length(width_deg):
    enclave = shapely.box(10.4, 45.45, 10.4 + width_deg, 45.55)
    (said,) = stray_notes([route()], with_enclave(enclave))
    assert float(said.values["km"]) == pytest.approx(parallel_km(45.5, width_deg), abs=0.15)
    assert "km lie in Betaland by the borders and count as Alphaland" in render(said)


def test_several_pieces_count_together_and_each_route_by_itself():
    pieces = [shapely.box(west, 45.45, west + 0.01, 45.55) for west in (10.2, 10.5)]
    alone = parallel_km(45.5, 0.01)
    assert alone < LEAST_STRAY_KM < 2 * alone
    assert stray_notes([route()], with_enclave(pieces[0])) == ()
    assert len(stray_notes([route(), route()], with_enclave(*pieces))) == 2


@pytest.mark.parametrize("quality", [GeometryQuality.SCHEMATIC, GeometryQuality.DRAWN])
def test_where_a_rough_line_runs_nobody_knows_and_a_drawn_one_is_cut_at_borders(quality):
    assert stray_notes([route(quality)], with_enclave(shapely.box(10.4, 45.45, 10.7, 45.55))) == ()


def test_a_road_on_its_own_ground_and_one_without_borders_say_nothing():
    beside = shapely.box(10.4, 45.6, 10.7, 45.7)
    assert stray_notes([route()], with_enclave(beside)) == ()
    assert stray_notes([route()], no_borders()) == ()
    assert stray_notes([], with_enclave(beside)) == ()
