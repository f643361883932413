"""Elevation models from raster files: checked, joined on one grid and cut to the study area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from corridor.errors import CatalogueError, CoverageError, SourceError
from corridor.geo.geodesy import WGS84, distance_m
from corridor.geo.rasters import clean_heights, heights_files, no_heights, open_heights, try_reading, unreadable
from corridor.io.read.data_files import known_source
from corridor.io.read.height_errors import HeightError, recognise
from corridor.schema.fields import NO_LICENCE, NO_PUBLISHER, Grid, Source, file_sha256
from corridor.schema.message import Message
from corridor.schema.parameters import DocumentedHeight
from corridor.schema.settings import MOST_HEIGHTS
from corridor.schema.vocabulary import SourceKind
from corridor.terrain.surface import Dem, slope_deg
from corridor.wording import ask_if_swapped, format_extent

# --- Whether a raster is the ground that it should be: where it lies, zeros that stand for unknown, and known
#     heights ---

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
    if swapped := ask_if_swapped((west, east), (south, north), lambda x, y: _meet(wanted, (x[0], y[0], x[1], y[1]))):
        return f"{said}: {swapped}"
    if _meet(wanted, (west - 360, south, east - 360, north)):
        return f"{said}: write longitudes from -180 to 180"
    return said


def _meet(a: Bounds, b: Bounds) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


def find_voids(heights_m: NDArray[np.float32], pixel_m: float) -> dict[float, NDArray[np.bool_]]:
    """Patches of one height that cliffs surround: no ground is so, hence their height stands for unknown.

    A patch is four or more pixels of exactly the same height that touch, also by corners. Of exactly 0 m it is a void
    where every height beside it is over 20 m above or below: the sea and lakes at its height have low ground beside
    them somewhere. Of another height, such as 1 m, it is one if that is the lowest of all and everything beside it lies
    higher by over 20 m and by more than a pixel's width: slopes over 45 degrees would lead down from all sides.

    Args:
        heights_m: ``(rows, cols)``, NaN where unknown.
        pixel_m: Width of a pixel.

    Returns:
        For each height that voids have, ``(rows, cols)``, whether a pixel is one.

    >>> pit = np.full((6, 6), 300, dtype=np.float32); pit[2:4, 2:4] = 1
    >>> {height: int(void.sum()) for height, void in find_voids(pit, 90.0).items()}, find_voids(pit, 1000.0)
    ({1.0: 4}, {})
    """
    lowest = float(np.fmin.reduce(heights_m, axis=None, initial=np.inf))
    cliffs_m = {lowest: max(_CLIFF_M, pixel_m)} | {0.0: _CLIFF_M}
    found = {height: _walled(heights_m, height, cliff) for height, cliff in cliffs_m.items()}
    return {height: void for height, void in found.items() if void.any()}


def _walled(heights_m: NDArray[np.float32], height_m: float, cliff_m: float) -> NDArray[np.bool_]:
    """Which pixels are of a patch of a height from which every height beside it differs by more than a cliff."""
    from scipy import ndimage

    walled: NDArray[np.bool_] = heights_m == height_m
    if walled.sum() < _LEAST_PATCH:
        return np.zeros_like(walled)
    # Only where such pixels lie, and one beside: most of a model needn't be looked at.
    box = tuple(slice(max(int(at.min()) - 1, 0), int(at.max()) + 2) for at in np.nonzero(walled))
    same, heights = walled[box], heights_m[box]
    patches, count = ndimage.label(same, structure=np.ones((3, 3)))
    beside = ndimage.maximum_filter(patches, 3)
    beside[same | np.isnan(heights)] = 0
    # A pixel between two patches counts for one of them only; voids of one file are rarely that near each other.
    which = np.arange(1, count + 1)
    least = ndimage.minimum(np.abs(heights - height_m), beside, which)
    known = ndimage.sum(beside > 0, beside, which) > 0
    sizes = np.bincount(patches.ravel(), minlength=count + 1)[1:]
    void = np.concatenate([[False], known & (np.asarray(least) > cliff_m) & (sizes >= _LEAST_PATCH)])
    walled[box] = void[patches]
    return walled


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


_MARGIN_DEG = 0.05
"""Heights are read so far beyond the area, for slopes and bands at its edge."""
_MIN_PIXELS = 10
"""With fewer across, an area has no relief to measure."""
_SAME_PIXELS = 1e-3
"""Share of a pixel up to which two rasters' pixels are the same."""
Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class _Frame:
    """Where a raster lies: its own transform, and in degrees its bounds and the size of its pixels."""

    path: Path
    crs: Any
    transform: Affine
    shape: tuple[int, int]
    in_degrees: Affine
    bounds: Bounds
    error: HeightError | None

    @property
    def is_degrees(self) -> bool:
        """Whether the raster's own pixels are in degrees, so that nothing need be warped."""
        return self.transform == self.in_degrees

    @property
    def pixel_m(self) -> float:
        """North-south size of a pixel at the raster's middle, metres."""
        west, south, east, north = self.bounds
        lon, lat = (west + east) / 2, (south + north) / 2
        return float(distance_m(lon, lat, lon, lat - self.in_degrees.e))


def read_dem(
    paths: Sequence[Path],
    bounds: Bounds,
    *,
    source: Source | None,
    vertical_error_m: float,
    error_range_km: float,
    known_errors: Sequence[HeightError] = (),
) -> Dem:
    """Heights over ``bounds`` (west, south, east, north) from one or more rasters in lon/lat or any other CRS.

    Earlier files win where files overlap, and later ones fill their voids. The grid is that of the finest file;
    heights of files with other pixels are interpolated bilinearly on it, and each pixel keeps the resolution that its
    ground was measured at. ``source`` describes the data where it is known; else the files' names do.

    Args:
        paths: Rasters, the most trusted first.
        bounds: west, south, east, north in degrees.
        source: What is known of the data; its file names if nothing is.
        vertical_error_m: Standard error of a height, for files whose data isn't among ``known_errors``.
        error_range_km: Distance over which errors are alike.
        known_errors: Errors of data sets that are recognised, wherever their files came from.

    Raises:
        SourceError: a file isn't a raster, or can't be heights in metres; see :mod:`corridor.geo.rasters`.
        CoverageError: the files together don't reach over the whole of ``bounds``.
    """
    frames = [_frame(path, tuple(known_errors)) for path in paths]
    grid = _common_grid(frames, bounds)
    heights = np.full(grid.shape, np.nan, dtype=np.float32)
    resolution = np.full(grid.shape, np.nan, dtype=np.float32)
    errors = [frame.error or HeightError("stated", ((0.0, vertical_error_m),)) for frame in frames]
    # Where every file has the same error nobody asks which one a pixel is of, and the memory is saved.
    came_from = np.zeros(grid.shape if len(set(errors)) > 1 else (0, 0), dtype=np.uint16)
    remarks = []
    for number, frame in enumerate(frames):
        found, voids = _on_grid(frame, grid)
        # Files named first go before others, which only fill what is left.
        free = np.isnan(heights) & np.isfinite(found)
        heights[free], resolution[free] = found[free], frame.pixel_m
        if came_from.size:
            came_from[free] = number
        remarks += [f"{frame.path.name}: {said}" for said in voids]
    if np.isnan(heights).all():
        raise no_heights(str(paths[0]) if len(paths) == 1 else ", ".join(path.name for path in paths))
    sizes = [frame.pixel_m for frame in frames]
    alike = max(sizes) <= 1.01 * min(sizes)
    found_source = source or _describe(paths)
    if remarks:
        note = "; ".join(text for text in (found_source.note, *remarks) if text)
        found_source = replace(found_source, note=note)
    dem = Dem(
        heights, grid, found_source, vertical_error_m, error_range_km * 1000, None if alike else resolution,
        tuple(remarks),
    )  # fmt: skip
    return _with_errors(dem, errors, came_from)


def _with_errors(dem: Dem, errors: Sequence[HeightError], came_from: NDArray[np.uint16]) -> Dem:
    """The model with the errors of the data sets that its heights are of.

    Args:
        dem: Heights that were joined.
        errors: Of each file.
        came_from: Number of the file that each height came from, ``(rows, cols)``; empty where all errors are alike.
    """
    if len(set(errors)) == 1 and len(errors[0].steps) == 1:
        return replace(dem, vertical_error_m=errors[0].steps[0][1])
    slopes = slope_deg(dem) if any(len(item.steps) > 1 for item in errors) else np.zeros(dem.grid.shape)
    by_pixel = errors[0].by_slope(slopes)
    for number, item in enumerate(errors[1:], 1) if came_from.size else ():
        where = came_from == number
        by_pixel[where] = item.by_slope(slopes[where])
    # One figure for all pixels is the root of the mean square, as it is variances that average.
    known = by_pixel[np.isfinite(dem.heights_m)].astype(float)
    return replace(dem, vertical_error_m=float(np.sqrt(np.mean(known**2))), pixel_error_m=by_pixel)


def read_extent(paths: Sequence[Path]) -> Bounds:
    """West, south, east, north in degrees of the ground that rasters reach over together.

    Args:
        paths: one or more.

    Raises:
        SourceError: a file isn't a raster, or can't be heights in metres.
    """
    bounds = [_frame(path, ()).bounds for path in paths]
    west, south, _, _ = map(min, zip(*bounds, strict=True))
    _, _, east, north = map(max, zip(*bounds, strict=True))
    return west, south, east, north


def _faults() -> tuple[type[BaseException], ...]:
    """What GDAL and rasterio raise over a file that isn't sound."""
    from rasterio._err import CPLE_BaseError  # GDAL's own, which rasterio lets through when it builds a warp
    from rasterio.errors import RasterioError

    return RasterioError, CPLE_BaseError, ValueError, ArithmeticError, OSError, MemoryError


def _frame(path: Path, known: tuple[HeightError, ...]) -> _Frame:
    import pyproj
    from rasterio.warp import calculate_default_transform

    try:
        with open_heights(path) as raster:
            try_reading(raster)
            error = None
            if known:
                listed = known_source(path, "elevation")
                error = recognise(raster, path.name, listed.title if listed else "", known, path)
            transform, shape = Affine(*raster.transform[:6]), (int(raster.height), int(raster.width))
            # Heights above the sea don't change where a pixel lies.
            flat = pyproj.CRS.from_user_input(raster.crs.to_wkt()).to_2d()
            if flat.to_epsg() == 4326:
                west, south, east, north = raster.bounds
                return _Frame(path, WGS84, transform, shape, transform, (west, south, east, north), error)
            crs = flat.to_wkt()
            turned, width, height = calculate_default_transform(crs, WGS84, shape[1], shape[0], *raster.bounds)
    except _faults() as fault:
        if isinstance(fault, SourceError):
            raise
        raise unreadable(path, fault) from fault
    turned = Affine(*turned[:6])
    bounds = Grid(WGS84, turned, (height, width)).bounds
    return _Frame(path, crs, transform, shape, turned, bounds, error)


def _common_grid(frames: Sequence[_Frame], bounds: Bounds) -> Grid:
    """The finest file's grid over ``bounds`` and a margin, as far as the files together reach."""
    first = frames[0].path
    # A margin, so that slopes and bands at the edge of the area have neighbours.
    west, south, east, north = bounds
    wanted = (west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG)
    clipped = _clip(wanted, [frame.bounds for frame in frames])
    near = [frame for frame in frames if _clip(wanted, [frame.bounds]) is not None]
    if clipped is None or not near:
        where = where_it_lies(bounds, [frame.bounds for frame in frames])
        raise CoverageError(f"{first}: doesn't reach the study area ({where}); add a DEM that covers it with --dem")
    finest = min(near, key=lambda frame: frame.in_degrees.a * -frame.in_degrees.e)
    transform = finest.in_degrees
    pixel = max(transform.a, -transform.e)
    if min(east - west, north - south) < _MIN_PIXELS * pixel:
        raise SourceError(
            f"{finest.path}: its pixels of {pixel:g} degrees are too coarse for the area; use a finer DEM"
        )
    # Checked before memory is asked for.
    if (clipped[2] - clipped[0]) * (clipped[3] - clipped[1]) / (transform.a * -transform.e) > MOST_HEIGHTS:
        raise SourceError(f"{finest.path}: the study area has over {MOST_HEIGHTS:,} pixels; use a coarser DEM")
    west, south, east, north = _snap(clipped, transform)
    shape = round((north - south) / -transform.e), round((east - west) / transform.a)
    return Grid(WGS84, Affine(transform.a, 0, west, 0, transform.e, north), shape)


def _on_grid(frame: _Frame, grid: Grid) -> tuple[Floats32, list[str]]:
    """A file's heights on the grid, NaN where it has none, and what of them was taken for unknown."""
    try:
        window = _window(frame, grid)
        if window is None:
            return np.full(grid.shape, np.nan, dtype=np.float32), []
        top, left, rows, cols = window
        if rows * cols > MOST_HEIGHTS:
            raise SourceError(f"{frame.path}: the study area has over {MOST_HEIGHTS:,} pixels; use a coarser DEM")
        with open_heights(frame.path) as raster:
            from rasterio.windows import Window

            values = raster.read(1, window=Window(left, top, cols, rows), masked=True)
        heights = clean_heights(values.astype(np.float32).filled(np.nan), str(frame.path))
        said = []
        for height, void in find_voids(heights, frame.pixel_m).items():
            heights[void] = np.nan
            said.append(_say_void(height, int(void.sum()), frame.pixel_m))
        place = frame.transform * Affine.translation(left, top)
        if _same_pixels(frame, grid):
            return _put(heights, place, grid), said
        return _interpolate(heights, place, frame, (top, left), grid), said
    except _faults() as fault:
        if isinstance(fault, SourceError):
            raise
        raise unreadable(frame.path, fault) from fault


def _say_void(height_m: float, count: int, pixel_m: float) -> str:
    """What is said of pixels that :func:`find_voids` found."""
    lie = (
        f"lie over {_CLIFF_M:g} m below or above"
        if height_m == 0
        else f"are the lowest of all, lie over {max(_CLIFF_M, pixel_m):.0f} m below"
    )
    return f"{count:,} pixels of exactly {height_m:g} m {lie} all ground around them and are taken for unknown"


def _window(frame: _Frame, grid: Grid) -> tuple[int, int, int, int] | None:
    """First row and column, rows and columns of a file's pixels that lie on the grid or next to it, or None."""
    from rasterio.warp import transform_bounds

    west, south, east, north = (
        grid.bounds if frame.is_degrees else transform_bounds(WGS84, frame.crs, *grid.bounds, densify_pts=51)
    )
    (high, low), (right_of, left_of) = (
        sorted(((north - frame.transform.f) / frame.transform.e, (south - frame.transform.f) / frame.transform.e)),
        sorted(((east - frame.transform.c) / frame.transform.a, (west - frame.transform.c) / frame.transform.a)),
    )
    # A rim of two pixels gives the interpolation its neighbours.
    top, left = max(0, int(np.floor(high)) - 2), max(0, int(np.floor(right_of)) - 2)
    bottom = min(frame.shape[0], int(np.ceil(low)) + 2)
    right = min(frame.shape[1], int(np.ceil(left_of)) + 2)
    return (top, left, bottom - top, right - left) if top < bottom and left < right else None


def _same_pixels(frame: _Frame, grid: Grid) -> bool:
    """Whether a file's pixels are pixels of the grid."""
    own, wanted = frame.transform, grid.transform
    if not frame.is_degrees:
        return False
    # Sizes must agree so well that pixels are the same from one end to the other.
    ends = max(grid.shape)
    sizes = abs(own.a / wanted.a - 1) * ends, abs(own.e / wanted.e - 1) * ends
    off = (own.c - wanted.c) / wanted.a, (own.f - wanted.f) / wanted.e
    return max(*sizes, *(abs(value - round(value)) for value in off)) < _SAME_PIXELS


def _put(heights: Floats32, place: Affine, grid: Grid) -> Floats32:
    """Heights whose pixels are those of the grid, where they belong on it."""
    out = np.full(grid.shape, np.nan, dtype=np.float32)
    row, col = (
        round((place.f - grid.transform.f) / grid.transform.e),
        round((place.c - grid.transform.c) / grid.transform.a),
    )
    from_row, from_col = max(0, -row), max(0, -col)
    to_row = min(heights.shape[0], grid.shape[0] - row)
    to_col = min(heights.shape[1], grid.shape[1] - col)
    if from_row < to_row and from_col < to_col:
        part = heights[from_row:to_row, from_col:to_col]
        out[row + from_row : row + to_row, col + from_col : col + to_col] = part
    return out


def _interpolate(heights: Floats32, place: Affine, frame: _Frame, first: tuple[int, int], grid: Grid) -> Floats32:
    """Heights on other pixels, bilinear; a plane stays a plane up to the file's very edges.

    Between a file's outermost samples and its edges, half a pixel, there is nothing to interpolate to. So a rim of
    samples is added that goes on as the last two do; what lies on the rim's own ground is left out again.
    """
    from rasterio.enums import Resampling
    from rasterio.warp import reproject

    top, left = first
    bottom, right = top + heights.shape[0], left + heights.shape[1]
    # A rim only where the file ends: elsewhere the window holds more samples than the grid needs.
    rim = ((int(top == 0), int(bottom == frame.shape[0])), (int(left == 0), int(right == frame.shape[1])))
    padded = heights
    for axis, (before, after) in enumerate(rim):
        padded = _go_on(padded, axis, before, after)
    # The rim lends the edge its slope but is no data: ground that lies nearest to it stays unknown.
    own = np.pad(np.ones(heights.shape, dtype=np.uint8), rim)
    frames = {
        "src_transform": place * Affine.translation(-rim[1][0], -rim[0][0]),
        "src_crs": frame.crs,
        "dst_transform": grid.transform,
        "dst_crs": grid.crs,
    }
    out = np.full(grid.shape, np.nan, dtype=np.float32)
    inside = np.zeros(grid.shape, dtype=np.uint8)
    reproject(padded, out, src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.bilinear, **frames)
    reproject(own, inside, resampling=Resampling.nearest, **frames)
    out[inside == 0] = np.nan
    return out


def _go_on(values: Floats32, axis: int, before: int, after: int) -> Floats32:
    """Values with a row (axis 0) or column (axis 1) more at the ends wanted, that goes on as the last two do."""
    turned = np.moveaxis(values, axis, 0)
    parts = [turned]
    if len(turned) > 1:
        head, tail = 2 * turned[0] - turned[1], 2 * turned[-1] - turned[-2]
    else:
        head, tail = turned[0], turned[0]
    if before:
        parts.insert(0, np.where(np.isnan(head), turned[0], head)[None])
    if after:
        parts.append(np.where(np.isnan(tail), turned[-1], tail)[None])
    return np.ascontiguousarray(np.moveaxis(np.concatenate(parts), 0, axis), dtype=np.float32)


def _clip(wanted: Bounds, have: list[Bounds]) -> Bounds | None:
    """The part of ``wanted`` inside the common frame of all rasters, or None."""
    west, south = max(wanted[0], min(b[0] for b in have)), max(wanted[1], min(b[1] for b in have))
    east, north = min(wanted[2], max(b[2] for b in have)), min(wanted[3], max(b[3] for b in have))
    return (west, south, east, north) if west < east and south < north else None


def _snap(bounds: Bounds, transform: Affine) -> Bounds:
    """Bounds moved out to whole pixels, so that cutting resamples nothing."""
    t = transform
    west, south, east, north = bounds
    # The tolerance keeps an edge that lies on a pixel's edge, up to rounding, from taking in one more.
    columns = np.floor((west - t.c) / t.a + 1e-6), np.ceil((east - t.c) / t.a - 1e-6)
    rows = np.ceil((south - t.f) / t.e - 1e-6), np.floor((north - t.f) / t.e + 1e-6)
    return (t.c + t.a * columns[0], t.f + t.e * rows[0], t.c + t.a * columns[1], t.f + t.e * rows[1])


def _describe(paths: Sequence[Path]) -> Source:
    names = ", ".join(path.name for path in paths)
    digest = " ".join(file_sha256(file) for path in paths for file in heights_files(path))
    return Source(
        "elevation",
        f"Elevation model {names}",
        NO_PUBLISHER,
        "",
        NO_LICENCE,
        kind=SourceKind.DATA,
        file=names,
        sha256=digest,
    )
