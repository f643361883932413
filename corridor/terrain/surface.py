"""Surfaces of a terrain: slope and ruggedness of a grid, whole or in windows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from corridor.errors import CoverageError, OutputError, SourceError
from corridor.files import require_file
from corridor.geo.geodesy import WGS84, distance_m
from corridor.geo.rasters import clean_heights, no_heights, open_heights
from corridor.schema.fields import Grid, Source
from corridor.wording import ask_if_swapped, format_position

# --- Slope, roughness and price of ground as functions of heights and pixel sizes alone ---
# Heights are metres, shape (rows, cols), NaN where unknown. What needs all eight neighbours is NaN where one is
# missing, so also in the outermost rows and columns: half a neighbourhood shows half a slope. Relief looks at the
# pixels that there are. Each value depends on a square of pixels around its own, at most ``reach`` away: a part of a
# raster with that margin gives the same values, to the last bit, as the whole.

Floats = NDArray[np.float64]
CROSS_SLOPE_DOUBLES = 0.5
"""Tangent of the slope at which crossing a pixel costs twice as much. Declared."""
_NONE_BEYOND: dict[str, Any] = {"mode": "constant", "cval": np.nan}
"""There is no ground beyond the edge."""


def horn_gradient(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> tuple[Floats, Floats]:
    """Rise per metre towards the east and the north, from Horn's 3 x 3 weighted differences; reach 1.

    ``width_m`` is the east-west size of a pixel by row, shape (rows, 1), ``height_m`` the north-south size.
    B. K. P. Horn, Hill shading and the reflectance map, Proc. IEEE 69 (1981), doi:10.1109/PROC.1981.11918.

    Args:
        heights_m: heights, shape (rows, cols).
        width_m: east-west size of a pixel by row, metres, shape (rows, 1).
        height_m: north-south size of a pixel, metres.
    """
    heights = heights_m.astype(np.float64)
    # Horn's kernel is a product of a difference along one axis and a smoothing across it, so two short passes do for
    # nine terms.
    smooth = np.array([1.0, 2.0, 1.0]) / 4
    east = ndimage.correlate1d(
        ndimage.correlate1d(heights, [-1, 0, 1], axis=1, **_NONE_BEYOND), smooth, axis=0, **_NONE_BEYOND
    )
    # Rows run from north to south, so the difference is turned round to rise towards the north.
    north = ndimage.correlate1d(
        ndimage.correlate1d(heights, [1, 0, -1], axis=0, **_NONE_BEYOND), smooth, axis=1, **_NONE_BEYOND
    )
    return east / (2 * width_m), north / (2 * height_m)


def slope(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> Floats:
    """Slope in degrees; reach 1.

    Args:
        heights_m: heights, shape (rows, cols).
        width_m: east-west size of a pixel by row, metres, shape (rows, 1).
        height_m: north-south size of a pixel, metres.
    """
    return np.degrees(np.arctan(np.hypot(*horn_gradient(heights_m, width_m, height_m))))


def ruggedness(heights_m: NDArray[np.floating]) -> Floats:
    """Terrain ruggedness index in metres: root of the summed squared differences to the 8 neighbours; reach 1.

    S. J. Riley, S. D. DeGloria and R. Elliot, A terrain ruggedness index that quantifies topographic heterogeneity,
    Intermountain Journal of Sciences 5 (1999).
    """
    rows, cols = heights_m.shape
    # Pixels at the edge lack neighbours: the NaN around makes them unknown instead of smooth.
    heights = np.pad(heights_m.astype(np.float64), 1, constant_values=np.nan)
    centre = heights[1:-1, 1:-1]
    total = np.zeros((rows, cols))
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            total += (heights[down : down + rows, right : right + cols] - centre) ** 2
    return np.sqrt(total)


def relief(heights_m: NDArray[np.floating], radius_px: int) -> Floats:
    """Highest less lowest height in metres in the square of ``2 radius_px + 1`` pixels; reach ``radius_px``.

    Pixels without height don't count; where the middle one has none, the answer is NaN.

    >>> relief(np.array([[0.0, 0.0, 5.0, np.nan]]), 1).tolist()
    [[0.0, 5.0, 5.0, nan]]
    """
    heights = heights_m.astype(np.float64)
    unknown = np.isnan(heights)
    size = 2 * radius_px + 1
    # a NaN would spoil the running extremes of its whole row
    highest = ndimage.maximum_filter(np.where(unknown, -np.inf, heights), size, mode="nearest")
    lowest = ndimage.minimum_filter(np.where(unknown, np.inf, heights), size, mode="nearest")
    return np.where(unknown, np.nan, np.subtract(highest, lowest, out=np.zeros_like(heights), where=~unknown))


def cost(heights_m: NDArray[np.floating], width_m: Floats, height_m: float) -> Floats:
    """Price of a kilometre of open line as a multiple of its price on level ground; reach 1.

    It grows with the square of the slope and is doubled at a tangent of one half, as design standards have it for the
    slope across a line.

    Args:
        heights_m: heights, shape (rows, cols).
        width_m: east-west size of a pixel by row, metres, shape (rows, 1).
        height_m: north-south size of a pixel, metres.
    """
    tangent = np.hypot(*horn_gradient(heights_m, width_m, height_m))
    return np.asarray(1 + (tangent / CROSS_SLOPE_DOUBLES) ** 2)


GRADE_WINDOW_M = 1000.0
"""Length of road that grades are measured over."""
MAX_VOID_M = 1000.0
"""Longest stretch of a route without heights that is bridged: radar saw nothing in steep valleys and on water."""


@dataclass(frozen=True)
class Dem:
    """Heights in metres, shape (rows, cols), NaN where unknown, on a lon/lat grid.

    ``vertical_error_m`` is the standard error of a height, of the data where it is known and else as stated by the
    study; ``error_range_m`` is the distance over which errors are alike. ``pixel_error_m``, ``(rows, cols)``, is the
    error of each height where it differs with the terrain or files of several origins were joined; ``vertical_error_m``
    is then its root mean square. ``ground_resolution_m`` is the size of the pixels that each height was measured at,
    ``(rows, cols)``, where files of several resolutions were joined; None where it is the grid's own everywhere.
    ``remarks`` say what was odd in the files.
    """

    heights_m: NDArray[np.float32]
    grid: Grid
    source: Source
    vertical_error_m: float
    error_range_m: float
    ground_resolution_m: NDArray[np.float32] | None = None
    remarks: tuple[str, ...] = ()
    pixel_error_m: NDArray[np.float32] | None = None

    @cached_property
    def resolution_m(self) -> float:
        """North-south size of the pixels that most heights were measured at, in metres."""
        if self.ground_resolution_m is None:
            return _north_south_m(self.grid)
        return float(np.median(self.ground_resolution_m[np.isfinite(self.heights_m)]))

    @property
    def carries_grades(self) -> bool:
        """Whether pixels are at most half the 1 km window that grades are measured over."""
        return self.resolution_m <= GRADE_WINDOW_M / 2

    def resolution_at_m(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """Size of the pixels that the ground at points was measured at, in metres."""
        lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
        if self.ground_resolution_m is None:
            return np.full(lon.shape, self.resolution_m)
        return np.asarray(self.ground_resolution_m[self.pixels_at(lon, lat)], dtype=float)

    def carries_grades_at(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Whether the ground at points was measured at pixels of at most half the window that grades need."""
        return np.asarray(self.resolution_at_m(lon, lat) <= GRADE_WINDOW_M / 2)

    def covers(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Whether points lie between pixel centres of the grid (nodata not looked at)."""
        rows, cols = self.grid.fractional_index(np.asarray(lon), np.asarray(lat))
        inside = (
            (rows >= -0.5) & (cols >= -0.5) & (rows <= self.grid.shape[0] - 0.5) & (cols <= self.grid.shape[1] - 0.5)
        )
        return np.asarray(inside)

    def sample(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """Bilinear heights in metres at points; NaN outside the grid or beside a pixel without height.

        >>> from affine import Affine
        >>> plane = np.add.outer(np.zeros(3), np.arange(3.0)).astype(np.float32)
        >>> dem = Dem(plane, Grid("EPSG:4326", Affine(1, 0, 0, 0, -1, 3), (3, 3)), Source("d", "", "", "", ""), 1, 1)
        >>> dem.sample([1.0], [1.5]).tolist()
        [0.5]
        """
        rows, cols = self.grid.fractional_index(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        last_row, last_col = self.grid.shape[0] - 1, self.grid.shape[1] - 1
        # The outer half of an edge pixel has no neighbour to be weighed with: it takes the pixel's own height.
        at = [np.clip(rows, 0, last_row), np.clip(cols, 0, last_col)]
        heights = ndimage.map_coordinates(self.heights_m.astype(np.float64), at, order=1, mode="nearest")
        return np.where(self.covers(lon, lat), heights, np.nan)

    @cached_property
    def is_level(self) -> NDArray[np.bool_]:
        """Pixels (rows, cols) of large patches of one height alone, which are lakes and hardly ever land."""
        return _find_level(self)

    @cached_property
    def local_error_m(self) -> Floats:
        """Standard error of the height of a road or railway in each pixel, metres, shape (rows, cols).

        The vertical error, and the rise of the slope over the standard deviation of a place inside a pixel (its side
        over the square root of 12): in a gorge a pixel's mean height says little about the road at its bottom. An
        error that was measured at places, by terrain, holds that rise already: the larger of the two counts.
        """
        measured = self.resolution_m if self.ground_resolution_m is None else self.ground_resolution_m
        # A pixel stands for all heights in it: on a plane these lie evenly over the rise across it, whose deviation is
        # the rise over the root of 12.
        rise = np.tan(np.radians(slope_deg(self))) * measured / np.sqrt(12)
        if self.pixel_error_m is None:
            return np.asarray(np.hypot(self.vertical_error_m, np.nan_to_num(rise)))
        level = float(self.pixel_error_m.min())
        return np.asarray(np.maximum(self.pixel_error_m, np.hypot(level, np.nan_to_num(rise))))

    def error_at_m(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """:attr:`local_error_m` of the pixels that points lie in."""
        return np.asarray(self.local_error_m[self.pixels_at(lon, lat)])

    def pixels_at(self, lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Rows and columns of the pixels that points lie in, the nearest ones for points outside."""
        rows, cols = self.grid.fractional_index(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        last_row, last_col = self.grid.shape[0] - 1, self.grid.shape[1] - 1
        return np.clip(np.rint(rows), 0, last_row).astype(int), np.clip(np.rint(cols), 0, last_col).astype(int)

    def require(self, lon: ArrayLike, lat: ArrayLike, what: str) -> Floats:
        """Heights at points that must all have one.

        Args:
            lon: degrees east, shape (n,).
            lat: degrees north.
            what: what it is, for the message.

        Raises:
            CoverageError: says how many points of ``what`` lack a height, where the first is, and what to do.
        """
        heights = self.sample(lon, lat)
        missing = np.isnan(heights)
        if missing.any():
            at = int(np.flatnonzero(missing)[0])
            where = format_position(np.asarray(lat).ravel()[at], np.asarray(lon).ravel()[at], 3)
            # Ground that the files' frame holds may still be a gap between two of them, or a void in one.
            inside = self.covers(lon, lat).ravel()[at]
            why = "has no height at" if inside else "doesn't reach"
            if inside:
                hint = "; ".join((*self.remarks, "is there a gap between files?"))
            else:
                hint = ask_if_swapped(lon, lat, lambda x, y: self.covers(x, y).ravel()[at])
            raise CoverageError(
                f"{self.source.file or self.source.title}: {why} {where} ({missing.sum()} of {missing.size} "
                f"points of {what}){f' ({hint})' if hint else ''}; add a DEM that covers it with --dem"
            )
        return heights

    def require_along(self, lon: ArrayLike, lat: ArrayLike, chainage_m: Floats, what: str) -> tuple[Floats, float]:
        """Heights along a line; small voids of the model are bridged straight from the last height to the next.

        Args:
            lon: of points along the line, (n,).
            lat: of the same.
            chainage_m: of the same, rising.
            what: the line's name in an error.

        Returns:
            Heights, (n,), and how many metres of the line were bridged.

        Raises:
            CoverageError: heights are missing at an end, beyond the model's edge, or over more than 1 km.
        """
        heights = self.sample(lon, lat)
        known = np.flatnonzero(np.isfinite(heights))
        if len(known) == len(heights):
            return heights, 0.0
        # A known sample is its own neighbour on both sides; a gap lies between the last known one before and the first
        # after.
        before = np.searchsorted(known, np.arange(len(heights)), side="right") - 1
        after = np.searchsorted(known, np.arange(len(heights)), side="left")
        inside = (before >= 0) & (after <= len(known) - 1) & self.covers(lon, lat)
        low, high = (
            known[np.clip(before, 0, None)],
            known[np.clip(after, None, len(known) - 1)] if len(known) else after,
        )
        if not (inside & (chainage_m[high] - chainage_m[low] <= MAX_VOID_M)).all():
            self.require(lon, lat, what)
        gaps = np.unique(np.column_stack([low, high])[np.isnan(heights)], axis=0)
        bridged = float((chainage_m[gaps[:, 1]] - chainage_m[gaps[:, 0]]).sum())
        return np.interp(chainage_m, chainage_m[known], heights[known]), bridged

    def with_heights(self, heights_m: NDArray[np.float32]) -> Dem:
        """The same grid with other heights, for instance with a draw of errors added."""
        return replace(self, heights_m=heights_m)

    def pixel_size_m(self) -> tuple[Floats, float]:
        """East-west size of a pixel for each row, shape (rows, 1), and its north-south size, in metres."""
        return pixel_size_m(self.grid)


def pixel_size_m(grid: Grid) -> tuple[Floats, float]:
    """East-west size of the pixels of a lon/lat grid for each row, shape (rows, 1), and their north-south size."""
    rows = np.arange(grid.shape[0])
    lon, lat = grid.centres(rows.astype(float), np.zeros(len(rows)))
    width = distance_m(lon, lat, lon + grid.transform.a, lat)
    return width[:, None], _north_south_m(grid)


def _north_south_m(grid: Grid) -> float:
    west, south, east, north = grid.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    return float(distance_m(lon, lat, lon, lat + abs(grid.transform.e)))


def slope_deg(dem: Dem) -> Floats:
    """Slope in degrees, shape (rows, cols); see :func:`corridor.terrain.surface.horn_gradient`."""
    return slope(dem.heights_m, *dem.pixel_size_m())


def ruggedness_m(dem: Dem) -> Floats:
    """Terrain ruggedness index in metres, shape (rows, cols); see :func:`corridor.terrain.surface.ruggedness`.

    It grows with the pixel's size: compare within one DEM only.
    """
    return ruggedness(dem.heights_m)


LEVEL_KM2, LEVEL_PX = 0.5, 9  # a patch has so much ground, and so many pixels, that lie within it with all neighbours


def _find_level(dem: Dem) -> NDArray[np.bool_]:
    """Pixels (rows, cols) of large patches of one height alone: elevation models have lakes so, and hardly any land."""
    known = np.isfinite(dem.heights_m)
    z = np.where(known, dem.heights_m, -np.inf)
    around = np.ones((3, 3), dtype=bool)
    inner = known & (ndimage.maximum_filter(z, 3) == ndimage.minimum_filter(z, 3))
    # Neighbours in here share most of the pixels around them, so that a patch has one height.
    patches, n = ndimage.label(inner, around)
    width_m, height_m = dem.pixel_size_m()
    km2 = np.broadcast_to(width_m * height_m / 1e6, inner.shape)
    number = np.arange(n + 1)
    large = (ndimage.sum_labels(km2, patches, number) >= LEVEL_KM2) & (
        ndimage.sum_labels(inner, patches, number) >= LEVEL_PX
    )
    large[0] = False
    return np.asarray(ndimage.binary_dilation(large[patches], around))


_NODES_PER_RANGE = 3.0
"""Nodes of a draw's grid in each range of the error: between them it is smooth."""


@dataclass(frozen=True)
class ErrorField:
    """One draw of height errors in metres, smooth over the DEM's error range."""

    values_m: Floats
    grid: Grid

    def sample(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """Error in metres at points, bilinear."""
        rows, cols = self.grid.fractional_index(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return np.asarray(ndimage.map_coordinates(self.values_m, [rows, cols], order=1, mode="nearest"))


def sample_errors(fields: Sequence[ErrorField], lon: Floats, lat: Floats) -> Floats:
    """Errors in metres at points in several draws for one elevation model, bilinear, shape (draws, n).

    Args:
        fields: draws, all on one grid.
        lon: degrees east, shape (n,).
        lat: degrees north, shape (n,).
    """
    rows, cols = fields[0].values_m.shape
    row, col = fields[0].grid.fractional_index(lon, lat)
    # Beyond the outermost nodes the nearest one counts.
    row, col = np.clip(row, 0, rows - 1), np.clip(col, 0, cols - 1)
    i, j = (np.minimum(np.floor(at).astype(np.int64), size - 2) for at, size in ((row, rows), (col, cols)))
    below, beside = row - i, col - j
    # All draws share the four nodes about a point and their weights: a row of a matrix for each point.
    weights = np.stack([(1 - below) * (1 - beside), (1 - below) * beside, below * (1 - beside), below * beside], axis=1)
    nodes = (i * cols + j)[:, None] + np.array([0, 1, cols, cols + 1])
    taken = sparse.csr_array(
        (weights.ravel(), nodes.ravel(), np.arange(0, 4 * len(lon) + 1, 4)), (len(lon), rows * cols)
    )
    found = np.empty((len(fields), len(lon)))
    for at, field in enumerate(fields):
        found[at] = taken @ field.values_m.ravel()
    return found


def draw_errors(dem: Dem, count: int, seed: int) -> Iterator[ErrorField]:
    """Draws of Gaussian error with the DEM's standard error and a Gaussian correlation over its error range.

    White noise on nodes a third of the range apart is smoothed and scaled back to the standard error (of the pixel
    that a node lies in, where it differs with the terrain), so that the cost doesn't depend on the DEM's resolution.
    The same seed gives the same draws.

    Args:
        dem: the elevation model.
        count: how many.
        seed: of the draws; the same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = dem.grid.bounds
    step_lat = dem.error_range_m / _NODES_PER_RANGE / 111_000
    step_lon = step_lat / np.cos(np.radians((south + north) / 2))
    shape = (int(np.ceil((north - south) / step_lat)) + 2, int(np.ceil((east - west) / step_lon)) + 2)
    grid = Grid(dem.grid.crs, Affine(step_lon, 0, west - step_lon / 2, 0, -step_lat, north + step_lat / 2), shape)
    sigma = _NODES_PER_RANGE / 2
    # Smoothing shrinks the noise: the root of the summed squared weights of the filter gives it its deviation back.
    unit = np.zeros((64, 64))
    unit[32, 32] = 1.0
    gain = float(np.sqrt((ndimage.gaussian_filter(unit, sigma, mode="wrap") ** 2).sum()))
    error_m: float | Floats = dem.vertical_error_m
    if dem.pixel_error_m is not None:
        rows, cols = np.indices(shape)
        lon, lat = grid.centres(rows.ravel().astype(float), cols.ravel().astype(float))
        error_m = dem.pixel_error_m[dem.pixels_at(lon, lat)].reshape(shape).astype(float)
    for _ in range(count):
        noise = ndimage.gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap") / gain
        yield ErrorField(noise * error_m, grid)


# --- Terrain of rasters larger than memory: read, computed and written block by block, each with the margin it
#     needs ---

Measure = Literal["slope", "ruggedness", "relief", "cost"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
BLOCK = (512, 4096)
TILE = 512
MAX_RADIUS_PX = 256
_MOST_DISTORTION = 0.05
_CACHE_MB = 128
_CLIFF_M, _LEAST_ODD = 20.0, 4


@dataclass(frozen=True, slots=True)
class _Pixels:
    """Size of a raster's pixels in metres: east-west by row, shape (rows, 1), and north-south."""

    width_m: Floats
    height_m: float


@dataclass(frozen=True, slots=True)
class _Found:
    """Whether there was a height at all, and how many zeros may stand for unknown."""

    known: bool
    odd_zeros: int


def write_terrain(
    dem: str | Path,
    out: str | Path,
    measure: Measure,
    *,
    radius_px: int = 8,
    block: tuple[int, int] = BLOCK,
    progress: Callable[[str], None] = lambda _: None,
    remark: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write one measure of the ground of an elevation raster, of whatever size, as a tiled GeoTIFF (float32).

    ``slope`` in degrees, ``ruggedness`` in metres, ``relief`` in metres within ``radius_px`` pixels, ``cost`` as a
    multiple of the price on level ground. The values are those of the functions in memory, to the last bit, also where
    blocks meet. Memory needed depends on the block, not on the raster: about
    0.5 GB. The file appears when it is whole.

    Args:
        dem: heights in metres, in degrees (lon/lat) or in a projected CRS in metres.
        out: the file to write.
        measure: what to compute.
        radius_px: of ``relief``, 1 to 256.
        block: rows and columns computed at a time.
        progress: called with the share done.
        remark: called with what was odd in the heights: zeros beside cliffs, which may stand for unknown.

    Raises:
        SourceError: the raster can't be used; see :mod:`corridor.geo.rasters`. Or its map's metres aren't
            metres on the ground.
        OutputError: the measure or its radius is unknown, the file can't be written, or its name isn't that of a
            GeoTIFF.
    """
    source, target = Path(dem), Path(out).expanduser()
    if measure not in MEASURES:
        raise OutputError(f"measure '{measure}' is unknown; there are: {', '.join(MEASURES)}")
    if not 1 <= radius_px <= MAX_RADIUS_PX:
        raise OutputError(f"radius of {radius_px} pixels: must be 1 to {MAX_RADIUS_PX}")
    require_file(source, "elevation raster")
    if target.resolve() == source.resolve():
        raise OutputError(f"{target}: is the elevation raster itself; name another file with --out")
    if target.is_dir() or not target.parent.is_dir():
        raise OutputError(f"{target}: no file can be written there; name a file in a folder that exists")
    # Whatever the name says, a GeoTIFF is written: under another ending programs would take it for something else.
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise OutputError(f"{target}: a GeoTIFF is written; name a file that ends in .tif with --out")
    import rasterio
    from rasterio.errors import RasterioError

    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open_heights(source, cache_mb=_CACHE_MB) as raster:
            pixels = _pixels(raster, source)
            profile = {
                "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "crs": raster.crs,
                "transform": raster.transform, "height": raster.height, "width": raster.width, "tiled": True,
                "blockxsize": TILE, "blockysize": TILE, "compress": "deflate", "predictor": 3, "zlevel": 1,
                "bigtiff": "if_safer", "num_threads": "all_cpus",
            }  # fmt: skip
            with rasterio.open(part, "w", **profile) as written:
                found = _write_blocks(raster, str(source), written, pixels, measure, radius_px, block, progress)
        if not found.known:
            raise no_heights(str(source))
        if found.odd_zeros >= _LEAST_ODD:
            remark(
                f"{source}: {found.odd_zeros:,} pixels of exactly 0 m border on ground over {_CLIFF_M:g} m above or "
                "below and on none near it; if they stand for unknown, declare it with gdal_edit -a_nodata 0"
            )
        part.replace(target)
    except (RasterioError, OSError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise OutputError(f"{source} -> {target}: {reason}; check the raster and the room on the disk") from fault
    finally:
        part.unlink(missing_ok=True)
    return target


def _pixels(raster: Any, path: Path) -> _Pixels:
    t = raster.transform
    if raster.crs.is_geographic:
        unit, radians = raster.crs.units_factor
        if not np.isclose(radians, np.radians(1)):
            raise SourceError(
                f"{path}: its map is in units of '{unit}', not degrees; warp it, for instance with gdalwarp"
            )
        grid = Grid(WGS84, Affine(*t[:6]), (raster.height, raster.width))
        return _Pixels(*pixel_size_m(grid))
    metres = float(raster.crs.linear_units_factor[1])
    _refuse_distortion(raster, path, metres)
    return _Pixels(np.full((raster.height, 1), t.a * metres), float(-t.e * metres))


def _refuse_distortion(raster: Any, path: Path, unit_m: float) -> None:
    """Refuse a map whose metres are far from metres on the ground, as those of EPSG:3857 are away from the equator.

    Geodesic distances over a pixel at the corners and the middle are held against the pixel's size on the map.
    """
    import pyproj

    to_degrees = pyproj.Transformer.from_crs(
        pyproj.CRS.from_user_input(raster.crs.to_wkt()).to_2d(), WGS84, always_xy=True
    )
    t, (rows, cols) = raster.transform, raster.shape
    across, down = np.meshgrid([0, cols / 2, cols], [0, rows / 2, rows])
    x, y = t.c + t.a * across.ravel(), t.f + t.e * down.ravel()
    here = to_degrees.transform(x, y)
    for beside, size_m in (
        (to_degrees.transform(x + t.a, y), t.a * unit_m),
        (to_degrees.transform(x, y + t.e), -t.e * unit_m),
    ):
        ground = distance_m(*here, *beside) / size_m
        # Corners of an askew map may lie where it means nothing; what can't be told isn't held against it.
        odd = np.isfinite(ground) & (np.abs(ground - 1) > _MOST_DISTORTION)
        if odd.any():
            raise SourceError(
                f"{path}: a metre of its map ({str(raster.crs)[:40]}) is {ground[odd][0]:.2f} m on the ground, so its "
                "slopes would be wrong; warp it to degrees or to the UTM zone, for instance with gdalwarp"
            )


def _write_blocks(
    raster: Any,
    name: str,
    written: Any,
    pixels: _Pixels,
    measure: Measure,
    radius_px: int,
    block: tuple[int, int],
    progress: Callable[[str], None],
) -> _Found:
    """Compute and write every block; gives what was seen of the heights."""
    from rasterio.windows import Window

    reach = radius_px if measure == "relief" else 1
    shape = (int(raster.height), int(raster.width))
    said, known, odd_zeros = -1, False, 0
    for row, col, rows, cols in _blocks(shape, block):
        # A block is read with a rim as wide as the measure reaches, and written without it, so that no seams show.
        top, left = max(0, row - reach), max(0, col - reach)
        bottom, right = min(shape[0], row + rows + reach), min(shape[1], col + cols + reach)
        heights = _heights(raster, Window(left, top, right - left, bottom - top), name)
        known = known or bool(np.isfinite(heights).any())
        odd = _odd_zeros(heights)
        odd_zeros += int(odd[row - top : row - top + rows, col - left : col - left + cols].sum())
        values = _measure(heights, pixels.width_m[top:bottom], pixels.height_m, measure, radius_px)
        inner = values[row - top : row - top + rows, col - left : col - left + cols]
        written.write(inner.astype(np.float32), 1, window=Window(col, row, cols, rows))
        share = 100 * (row * shape[1] + rows * (col + cols)) // (shape[0] * shape[1])
        if share // 5 > said:
            said = share // 5
            progress(f"{measure}: {share} %")
    return _Found(known, odd_zeros)


def _odd_zeros(heights: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels of exactly 0 m that touch ground far above or below and no ground near 0 m but zeros."""
    zero = np.asarray(heights == 0)
    if not zero.any():
        return zero
    off = np.where(zero | np.isnan(heights), np.nan, np.abs(heights))
    lowest = ndimage.minimum_filter(np.where(np.isnan(off), np.inf, off), 3, mode="constant", cval=np.inf)
    return np.asarray(zero & np.isfinite(lowest) & (lowest > _CLIFF_M))


def _blocks(shape: tuple[int, int], block: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """First row and column, and number of rows and columns, of each block, row by row."""
    for row in range(0, shape[0], block[0]):
        for col in range(0, shape[1], block[1]):
            yield row, col, min(block[0], shape[0] - row), min(block[1], shape[1] - col)


def _heights(raster: Any, window: Any, name: str) -> NDArray[np.float32]:
    """Heights in a window, NaN where there is none."""
    values = raster.read(1, window=window, masked=True)
    return clean_heights(values.astype(np.float32).filled(np.nan), name)


def _measure(
    heights: NDArray[np.float32], width_m: Floats, height_m: float, measure: Measure, radius_px: int
) -> Floats:
    if measure == "slope":
        return slope(heights, width_m, height_m)
    if measure == "ruggedness":
        return ruggedness(heights)
    if measure == "relief":
        return relief(heights, radius_px)
    return cost(heights, width_m, height_m)
