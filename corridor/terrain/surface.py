"""A digital elevation model: heights on a grid, sampled and described."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from corridor.errors import CoverageError
from corridor.geo.geodesy import distance_m
from corridor.schema.grid import Grid
from corridor.schema.source import Source
from corridor.terrain import kernels
from corridor.wording import format_position

Floats = NDArray[np.float64]
GRADE_WINDOW_M = 1000.0
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
            hint = "; ".join((*self.remarks, "is there a gap between files?")) if inside else ""
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
    """Slope in degrees, shape (rows, cols); see :func:`corridor.terrain.kernels.horn_gradient`."""
    return kernels.slope(dem.heights_m, *dem.pixel_size_m())


def gradient(dem: Dem) -> tuple[Floats, Floats]:
    """Rise per metre towards the east and towards the north, shape (rows, cols) each (Horn 1981)."""
    return kernels.horn_gradient(dem.heights_m, *dem.pixel_size_m())


def ruggedness_m(dem: Dem) -> Floats:
    """Terrain ruggedness index in metres, shape (rows, cols); see :func:`corridor.terrain.kernels.ruggedness`.

    It grows with the pixel's size: compare within one DEM only.
    """
    return kernels.ruggedness(dem.heights_m)


_NODES_PER_RANGE = 3.0


@dataclass(frozen=True)
class ErrorField:
    """One draw of height errors in metres, smooth over the DEM's error range."""

    values_m: Floats
    grid: Grid

    def sample(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """Error in metres at points, bilinear."""
        rows, cols = self.grid.fractional_index(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return np.asarray(ndimage.map_coordinates(self.values_m, [rows, cols], order=1, mode="nearest"))


def draw_errors(dem: Dem, count: int, seed: int) -> Iterator[ErrorField]:
    """Draws of Gaussian error with the DEM's standard error and a Gaussian correlation over its error range.

    White noise on nodes a third of the range apart is smoothed and scaled back to the standard error (of the pixel
    that a node lies in, where it differs with the terrain), so that the cost doesn't depend on the DEM's resolution.
    The same seed gives the same draws.
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
