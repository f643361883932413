"""A railway at 25 per mille beside pyorps, on the same ground and at the same prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine

import corridor
from corridor.alignment.align import solve
from corridor.alignment.curves import bend_angles
from corridor.alignment.pricing import price_line
from corridor.alignment.problem import AlignmentProblem, build_terrain, find_standard, frame_terrain, unit_costs
from corridor.geo.rasters import warp
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.inputs import load_dem
from corridor.schema.fields import Grid

pytestmark = pytest.mark.slow
KAPAN, ORDUBAD = (46.4068, 39.2076), (46.0227, 38.9096)


def test_without_tunnels_to_choose_from_a_grade_limit_is_dearer_and_turns_back_on_itself():
    """Its greatest gradient is kept from cell to cell only; bridges of any height are allowed to price its line."""
    pyorps = pytest.importorskip("pyorps")
    study = corridor.Study.bundled("syunik")
    dem, catalogue = load_dem(study, []), load_catalogue(study.path(study.sources.reference))
    stretched, start, end = frame_terrain(dem, KAPAN, ORDUBAD, "ends")
    corner = stretched.grid.transform
    grid = Grid(stretched.grid.crs, Affine(930, 0, corner.c, 0, -930, corner.f), stretched.grid.shape)  # square cells
    terrain = build_terrain(warp(dem.heights_m, dem.grid, grid), grid)
    ground, costs = terrain.ground, unit_costs(catalogue.unit_costs, "rail")
    design = find_standard("rail-25")
    cross2 = (ground.slope.astype(float) ** 2).sum(axis=2) / 2
    price = np.clip(np.rint(100 * (1 + cross2 / design.cross_slope_doubles**2)), 1, 60_000).astype(np.uint16)
    frame = {"crs": terrain.grid.crs, "transform": terrain.grid.transform}
    finder = pyorps.PathFinder(
        price, start, end, **frame, neighborhood_str="r3", search_space_buffer_m=2e5, ignore_max_cost=False,
        dem=ground.z.astype(np.float32), dem_kwargs=frame, objective={"cost": 1.0},
        gradient_options={"max_gradient_pct": design.max_grade_up_pct},
    )  # fmt: skip
    path = np.asarray(finder.find_route(algorithm="dijkstra", calculate_metrics=False).path_coords, dtype=float)
    row, col = (np.rint(v).astype(int) for v in terrain.grid.fractional_index(path[:, 0], path[:, 1]))
    theirs = np.column_stack([path, ground.z[row, col]])
    with pytest.raises(corridor.errors.AlignmentError, match="too high for a bridge"):
        price_line(theirs, ground.z, terrain.grid, design, costs, 20.0)
    their_price = price_line(
        theirs, ground.z, terrain.grid, replace(design, max_bridge_height_m=5000.0), costs, 20.0
    ).total_musd
    ours = solve(AlignmentProblem(terrain, start, end, design, costs))
    assert ours.price.total_musd < 0.7 * their_price
    assert np.degrees(bend_angles(theirs).max()) > 120
    assert np.degrees(bend_angles(ours.line).max()) < 3
