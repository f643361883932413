"""Ground that a line may not enter: walls thinner than a cell hold, and broad countries end where their border does."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from scipy.ndimage import label

from corridor.alignment.links import CLOSED
from corridor.alignment.problem import frame_terrain
from corridor.io.read.borders import Borders
from corridor.schema.fields import Grid, Source
from corridor.terrain.surface import Dem

WEST, EAST, SOUTH, NORTH = 10.0, 11.0, 45.0, 46.0
SOURCE = Source("made-up", "made up", "", "", "")
DEM = Dem(np.zeros((100, 100), np.float32), Grid("EPSG:4326", Affine(0.01, 0, WEST, 0, -0.01, NORTH), (100, 100)),
          SOURCE, 10.0, 5000.0)  # fmt: skip


def borders(strip: shapely.Geometry) -> Borders:
    """Two countries, and between them a third that is the strip."""
    west, east = shapely.box(9.5, 44.5, 10.5, 46.5), shapely.box(10.5, 44.5, 11.5, 46.5)
    shapes = [shapely.difference(west, strip), strip, shapely.difference(east, strip)]
    frame = gpd.GeoDataFrame({"country": ["XA", "XB", "XC"], "name": ["a", "b", "c"]}, geometry=shapes, crs=4326)
    return Borders(frame, SOURCE)


def closed(known: Borders, cell_m: float = 0.0) -> np.ndarray:
    start, end = (10.45, 45.5), (10.55, 45.503)
    terrain, *_ = frame_terrain(DEM, start, end, "ends", known.inside(("XA", "XC")), cell_m=cell_m)
    return np.asarray(terrain.ground.mask & CLOSED) == CLOSED


@pytest.mark.parametrize("width_deg", [0.0002, 0.0006, 0.0025, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("lean", [0.0, 0.3, 1.0])
def test_a_strip_of_any_width_parts_the_ground(width_deg, lean):
    """Eight neighbours are joined: nothing passes between corners either."""
    line = shapely.LineString([(10.5 - lean, 44.5), (10.5 + lean, 46.5)])
    walls = closed(borders(line.buffer(width_deg / 2, cap_style="flat")))
    parts, count = label(~walls, structure=np.ones((3, 3)))
    assert count >= 2
    row = parts.shape[0] // 2
    assert parts[row, 0] != parts[row, -1]


def test_a_broad_country_is_closed_by_the_middles_of_cells():
    """Its fringe stays open, as far as its border: cells there are mostly the neighbour's."""
    known = borders(shapely.box(10.52, 44.5, 10.95, 46.5))
    walls = closed(known)
    inner = walls[2:-2]
    assert (inner.sum(axis=1).max() - inner.sum(axis=1).min()) <= 1
    start, end = (10.45, 45.5), (10.55, 45.503)
    terrain, *_ = frame_terrain(DEM, start, end, "ends", known.inside(("XA", "XC")), cell_m=0.0)
    rows, cols = np.indices(terrain.grid.shape).reshape(2, -1).astype(float)
    x, y = terrain.grid.centres(rows, cols)
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=terrain.grid.crs).to_crs(4326)
    middle = shapely.contains_xy(known.polygon("XB"), points.x.to_numpy(), points.y.to_numpy()).reshape(walls.shape)
    # The end lies inside and is open all the same.
    assert (walls != middle).sum() <= 1
