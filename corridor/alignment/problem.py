"""What is asked of an alignment: one frozen value that every search, sweep and check takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.ground import build_ground
from corridor.alignment.links import SearchOptions
from corridor.alignment.terrain_frame import Terrain
from corridor.schema.standard import DesignStandard, UnitCosts

Floats = NDArray[np.float64]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentProblem:
    """Two terminals on a terrain, the standard to keep, what things cost and how to search.

    ``terrain`` holds heights, mask and friction in the frame of a grid; ``start_xy`` and ``end_xy`` are in that grid's
    system and stand for the nearest nodes, on the ground. The middle prices of ``costs`` steer.
    """

    terrain: Terrain
    start_xy: Point
    end_xy: Point
    standard: DesignStandard
    costs: UnitCosts
    options: SearchOptions = field(default_factory=SearchOptions)

    def on(
        self, heights: Floats, mask: NDArray[np.uint8], friction_musd_per_km: NDArray[np.floating]
    ) -> AlignmentProblem:
        """The same question on other heights, mask and friction (the last two may be empty) in the same frame."""
        ground = self.terrain.ground
        changed = build_ground(
            heights,
            ground.dx_m,
            ground.dy_m,
            mask if mask.size else None,
            friction_musd_per_km if friction_musd_per_km.size else None,
        )
        return replace(self, terrain=Terrain(changed, self.terrain.grid))
