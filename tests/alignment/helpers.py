"""Small grounds and prices that the alignment tests share."""

from __future__ import annotations

import numpy as np

from corridor.alignment.links import Ground, build_ground
from corridor.schema.alignment import DesignStandard, PriceRange, UnitCosts

flat = PriceRange.flat


def standard(grade=2.5, down=None, **changes):
    return DesignStandard(
        "test",
        "test",
        "rail",
        grade,
        grade if down is None else down,
        changes.pop("min_radius_m", 300.0),
        5000.0,
        **changes,
    )


def costs(surface=5.0, bridge=25.0, tunnel=30.0, portal=2.0, abutment=0.5, wall=None, gallery=None, half_bridge=None):
    along_slopes = (None if price is None else flat(price) for price in (wall, gallery, half_bridge))
    return UnitCosts(flat(surface), flat(bridge), flat(tunnel), flat(1.5), flat(portal), flat(abutment), *along_slopes)


def hillside_costs(**changes):
    """Prices with all kinds along steep slopes."""
    return costs(**{"wall": 7.0, "gallery": 15.0, "half_bridge": 13.0, **changes})


def heights(shape, rise_m, seed=0, smooth=2.0) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    z = gaussian_filter(rng.normal(size=shape), smooth, mode="nearest")
    return 1000.0 + rise_m * z / (np.abs(z).max() + 1e-12)


def hills(shape, cell_m, rise_m, seed=0, smooth=2.0) -> Ground:
    return build_ground(heights(shape, rise_m, seed, smooth), cell_m)
