"""Whether a raster is the ground that it should be: where it lies, zeros that stand for unknown, and known heights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError, SourceError
from corridor.schema.driving import DocumentedHeight
from corridor.schema.message import Message
from corridor.terrain.surface import Dem
from corridor.wording import format_extent

_FEET_PER_M = 3.2808
_MISFIT_M, _MISFIT_PER_M = 150.0, 0.1
_LEAST_PATCH, _CLIFF_M = 4, 20.0
LEAST_KNOWN = 5
"""So many heights known otherwise are needed to hold a model against them."""
Bounds = tuple[float, float, float, float]


def where_it_lies(wanted: Bounds, have: Sequence[Bounds]) -> str:
    """What a raster covers, in words, and why it may not be what is wanted (west, south, east, north in degrees).

    Args:
        wanted: west, south, east, north in degrees.
        have: Of each raster.
    """
    west, south = min(b[0] for b in have), min(b[1] for b in have)
    east, north = max(b[2] for b in have), max(b[3] for b in have)
    said = f"it covers {format_extent(west, south, east, north)}"
    if _meet(wanted, (south, west, north, east)):
        return f"{said}: are longitude and latitude swapped?"
    if _meet(wanted, (west - 360, south, east - 360, north)):
        return f"{said}: write longitudes from -180 to 180"
    return said


def _meet(a: Bounds, b: Bounds) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


def find_zero_voids(heights_m: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Patches of exactly 0 m that a cliff surrounds: no ground is so, hence the zeros stand for unknown.

    A patch is four or more pixels that touch, also by corners; every height beside it is over 20 m above or below it.
    The sea and lakes at its height have low ground beside them somewhere.

    Args:
        heights_m: ``(rows, cols)``, NaN where unknown.

    Returns:
        ``(rows, cols)``, whether a pixel is such a void.

    >>> pit = np.full((6, 6), 300, dtype=np.float32); pit[2:4, 2:4] = 0
    >>> int(find_zero_voids(pit).sum()), bool(find_zero_voids(pit - pit).any())
    (4, False)
    """
    from scipy import ndimage

    zero = heights_m == 0
    if zero.sum() < _LEAST_PATCH:
        return np.zeros_like(zero)
    patches, count = ndimage.label(zero, structure=np.ones((3, 3)))
    beside = ndimage.maximum_filter(patches, 3)
    beside[zero | np.isnan(heights_m)] = 0
    # A pixel between two patches counts for one of them only; voids of one file are rarely that near each other.
    which = np.arange(1, count + 1)
    lowest = ndimage.minimum(np.abs(heights_m), beside, which)
    known = ndimage.sum(beside > 0, beside, which) > 0
    sizes = np.bincount(patches.ravel(), minlength=count + 1)[1:]
    void = np.concatenate([[False], known & (np.asarray(lowest) > _CLIFF_M) & (sizes >= _LEAST_PATCH)])
    return np.asarray(void[patches])


def compare_known(dem: Dem, lon: ArrayLike, lat: ArrayLike, known_m: ArrayLike) -> None:
    """Hold an elevation model against heights known otherwise (metres), where there are :data:`LEAST_KNOWN` or more.

    Args:
        dem: The model.
        lon: Longitudes of the places, ``(n,)``, degrees.
        lat: Latitudes likewise.
        known_m: Their heights.

    Raises:
        SourceError: most of its heights are 3.28 times the known ones, or off by over 150 m and a tenth of a pixel.
    """
    found, known = dem.sample(lon, lat), np.asarray(known_m, dtype=float)
    both = np.isfinite(found) & np.isfinite(known)
    if both.sum() < LEAST_KNOWN:
        return
    found, known = found[both], known[both]
    name = dem.source.file or dem.source.title
    # Half of the places: single ones may be wrong in either source, and places sit in valleys that a coarse pixel
    # fills.
    off = float(np.median(np.abs(found - known)))
    if off <= _MISFIT_M + _MISFIT_PER_M * dem.resolution_m:
        return
    # Feet for metres is told from other faults by how well it explains the difference.
    as_feet = float(np.median(np.abs(found / _FEET_PER_M - known)))
    if as_feet < off / 5:
        raise SourceError(
            f"{name}: its heights are about 3.28 times those known of {len(known)} places, so they are in feet; "
            "convert them to metres, for instance with gdal_calc.py --calc='A*0.3048'"
        )
    raise SourceError(
        f"{name}: its heights are off by {off:.0f} m at half of the {len(known)} places whose height is known; is it "
        "upside down, shifted or of other ground? Use another file"
    )


def require_heights_near(dem: Dem, heights: Sequence[DocumentedHeight], fault_m: float) -> None:
    """Refuse documented heights that an elevation model is far off at their place.

    Args:
        dem: the elevation model; places that it doesn't cover aren't looked at.
        heights: rows of ``heights.csv``.
        fault_m: from how many metres on.

    Raises:
        CatalogueError: names each such row with both heights.
    """
    wrong = [
        f"heights.csv: '{height.height_id}' is documented with {height.elevation_m:,.0f} m, the elevation model has "
        f"{found:,.0f} m there; correct its place or height"
        for height, found in _modelled(dem, heights)
        if abs(found - height.elevation_m) >= fault_m
    ]
    if wrong:
        raise CatalogueError("; ".join(wrong))


def remark_on_heights(dem: Dem, heights: Sequence[DocumentedHeight], errors: float) -> list[Message]:
    """Documented heights that differ from an elevation model by more of its local errors than they should.

    Args:
        dem: the elevation model.
        heights: rows of ``heights.csv``.
        errors: how many standard errors of a height at the place count as usual.
    """
    lines = []
    for height, found in _modelled(dem, heights):
        error = float(dem.error_at_m([height.lon], [height.lat])[0])
        off = height.elevation_m - found
        if abs(off) > errors * error:
            lines.append(
                Message(
                    "remark.height_off",
                    {
                        "height_id": height.height_id,
                        "elevation_m": f"{height.elevation_m:,.0f}",
                        "off_m": f"{off:+,.0f}",
                        "error_m": f"{error:.0f}",
                    },
                )
            )
    return lines


def _modelled(dem: Dem, heights: Sequence[DocumentedHeight]) -> list[tuple[DocumentedHeight, float]]:
    """Documented heights with the model's own at their places, where it has one."""
    if not heights:
        return []
    found = dem.sample([height.lon for height in heights], [height.lat for height in heights])
    return [(height, float(value)) for height, value in zip(heights, found, strict=True) if np.isfinite(value)]
