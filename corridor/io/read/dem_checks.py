"""Whether a raster can be heights in metres: what it says of itself, its size and values, and known heights."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError, SourceError
from corridor.schema.driving import DocumentedHeight
from corridor.schema.message import Message
from corridor.terrain.surface import Dem
from corridor.wording import format_extent

_LOW_M, _HIGH_M = -500.0, 9000.0
_HGT_SIDES = (1201, 3601)
_FILLS = (-32768.0, -32767.0, 32767.0, 65535.0, -9999.0, -99999.0)
"""What stands for unknown in files that don't say so."""
_FEET_PER_M = 3.2808
_MAX_BLOCK_BYTES = 256_000_000
_MISFIT_M, _MISFIT_PER_M = 150.0, 0.1
Bounds = tuple[float, float, float, float]


def refuse_wrong_hgt(path: Path) -> None:
    """Refuse an HGT file (packed or not) that isn't a square of 1201 or 3601 two-byte heights: it says no size itself.

    Args:
        path: Any raster; other formats pass.

    Raises:
        SourceError: as said, with the size found.
    """
    name = path.name.lower()
    if not name.endswith((".hgt", ".hgt.gz")):
        return
    sizes = [2 * side * side for side in _HGT_SIDES]
    if name.endswith(".hgt"):
        size = path.stat().st_size
    else:
        try:
            with gzip.open(path, "rb") as stream:
                size = len(stream.read(max(sizes) + 1))
        except (OSError, EOFError, zlib.error) as fault:
            raise SourceError(f"{path}: is a broken gzip file ({fault}); fetch the elevation tile again") from fault
    if size not in sizes:
        wanted = " or ".join(f"{size:,}" for size in sizes)
        raise SourceError(f"{path}: has {size:,} bytes of heights, an HGT tile has {wanted}; fetch the tile again")


def refuse_unfit(raster: Any, path: Path) -> None:
    """Refuse an open raster that isn't one band of heights in metres, north up, in a stated reference system.

    Args:
        raster: Open in rasterio.
        path: For an error's words.

    Raises:
        SourceError: says which of these it isn't and what to do.
    """
    t = raster.transform
    if raster.crs is None:
        raise SourceError(f"{path}: has no coordinate reference system; set one, for instance with gdal_edit -a_srs")
    if not np.isfinite(t[:6]).all() or t.b or t.d or t.e >= 0 or t.a <= 0:
        raise SourceError(f"{path}: isn't a north-up raster; warp it, for instance with gdalwarp")
    if raster.dtypes[0].startswith("complex"):
        raise SourceError(f"{path}: holds complex numbers, not heights")
    if raster.dtypes[0] in {"uint8", "int8"}:
        raise SourceError(f"{path}: holds numbers of 8 bits, as pictures do, not heights in metres; use the heights")
    if raster.count > 1:
        raise SourceError(
            f"{path}: has {raster.count} bands; take the one with heights out, for instance with gdal_translate -b 1"
        )
    if raster.scales[0] != 1 or raster.offsets[0] != 0:
        raise SourceError(f"{path}: stores scaled heights; write them plainly with gdal_translate -unscale")
    if "foot" in _unit(raster) or "feet" in _unit(raster) or _unit(raster) in {"ft", "us-ft"}:
        raise SourceError(
            f"{path}: says that its heights are in feet; convert them to metres, for instance with "
            "gdal_calc.py --calc='A*0.3048'"
        )


def _unit(raster: Any) -> str:
    """Unit of the heights as the band or a vertical reference system states it, in small letters, or ''."""
    import pyproj

    if raster.units and raster.units[0]:
        return str(raster.units[0]).strip().lower()
    axes = pyproj.CRS.from_user_input(raster.crs.to_wkt()).axis_info
    return axes[2].unit_name.lower() if len(axes) > 2 else ""


def try_reading(raster: Any, path: Path) -> None:
    """Read three pixels, so that a file that lacks its data fails before memory is asked for.

    Args:
        raster: Open in rasterio.
        path: For an error's words.

    Raises:
        SourceError: even one pixel would take a block of over 256 MB.
    """
    from rasterio.windows import Window

    rows, columns = raster.block_shapes[0]
    size = rows * columns * np.dtype(raster.dtypes[0]).itemsize
    if size > _MAX_BLOCK_BYTES:
        raise SourceError(
            f"{path}: says that it is {raster.width:,} x {raster.height:,} pixels in blocks of {size / 1e6:,.0f} MB; "
            "if that is true, write it in tiles with gdal_translate -co TILED=YES"
        )
    for down in (0.0, 0.5, 1.0):
        row, column = int(down * (raster.height - 1)), int(down * (raster.width - 1))
        raster.read(1, window=Window(column, row, 1, 1))


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


def clean_heights(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Heights with NaN for what stands for unknown.

    Args:
        values: ``(rows, cols)`` as the file has them.
        name: For an error's words.

    Returns:
        ``(rows, cols)``, metres.

    Raises:
        SourceError: there is no height at all, or some that no ground on Earth has.
    """
    heights = values.astype(np.float32)
    heights[~np.isfinite(heights) | (np.abs(heights) > 1e6) | np.isin(heights, _FILLS)] = np.nan
    odd = (heights < _LOW_M) | (heights > _HIGH_M)
    if odd.any() and np.isfinite(heights).any():
        raise SourceError(
            f"{name}: holds heights like {heights[odd][0]:g} ({odd.sum():,} of {odd.size:,} pixels), none may be under "
            f"{_LOW_M:g} or over {_HIGH_M:g} m; convert feet to metres, or declare what stands for unknown as nodata"
        )
    if np.isnan(heights).all():
        raise SourceError(f"{name}: holds no height between {_LOW_M:g} and {_HIGH_M:g} m; are its heights in metres?")
    return heights


def compare_known(dem: Dem, lon: ArrayLike, lat: ArrayLike, known_m: ArrayLike) -> None:
    """Hold an elevation model against heights known otherwise (metres), where there are five or more.

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
    if both.sum() < 5:
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
