"""Heights in tiles of one degree, joined into one raster over a study's area."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from corridor.errors import SourceError

Bounds = tuple[float, float, float, float]
Tile = tuple[int, int]
"""A square of one degree, by the latitude and longitude of its south-western corner."""
CELLS = 3600  # samples a degree: one a second
_EPS = 1e-9
_HALF = 0.5 / CELLS


def tiles_over(area: Bounds) -> list[Tile]:
    """South-west corners (lat, lon) of the tiles that share ground with ``area`` (west, south, east, north).

    Args:
        area: west, south, east, north in degrees.

    >>> tiles_over((46.5, 38.9, 47.0, 39.1))
    [(38, 46), (39, 46)]
    """
    west, south, east, north = area
    rows = range(math.floor(south + _EPS), math.ceil(north - _EPS))
    return [(lat, lon) for lat in rows for lon in range(math.floor(west + _EPS), math.ceil(east - _EPS))]


def tile_name(tile: Tile) -> str:
    """A tile's name by its south-west corner.

    Args:
        tile: South-west corner (lat, lon) in whole degrees.

    >>> tile_name((39, 46)), tile_name((-1, -5))
    ('N39E046', 'S01W005')

    Returns:
        The name.
    """
    lat, lon = tile
    return f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}{'E' if lon >= 0 else 'W'}{abs(lon):03d}"


def read_geotiff_tile(path: Path, most_samples: int = CELLS + 1) -> NDArray[np.float32]:
    """Read a tile that is a GeoTIFF of one band over one degree.

    Args:
        path: The file.
        most_samples: Rows or columns from which on it can't be a tile.

    Returns:
        Heights in metres ``(rows, cols)``, north up, NaN where none is known.

    Raises:
        SourceError: it isn't such a file, or is damaged.
    """
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path, driver="GTiff") as raster:
            west, south, east, north = raster.bounds
            # A tile that repeats its neighbours' first samples is wider by one of them.
            if max(raster.shape) > most_samples or abs(east - west - 1) > 0.01 or abs(north - south - 1) > 0.01:
                raise SourceError("is no tile of one degree")
            heights = raster.read(1, masked=True, out_dtype="float32")
    except (RasterioError, ValueError, OSError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError("is not a sound GeoTIFF") from fault
    return np.asarray(heights.filled(np.nan), dtype=np.float32)


def coarsen_by(area: Bounds, megapixels: float) -> int:
    """How many cells of a second make one of the raster, so that it has at most about ``megapixels``: a part of 3600.

    Args:
        area: west, south, east, north in degrees.
        megapixels: Largest raster, million pixels.

    >>> coarsen_by((46, 38, 47, 39), 32), coarsen_by((42.6, 38.3, 49.0, 41.7), 32)
    (1, 3)
    """
    west, south, east, north = area
    cells = (east - west) * (north - south) * CELLS**2
    # Divisors of 3600 only, so that pixels of a raster and samples of a tile begin together on every degree.
    fit = [k for k in range(1, CELLS + 1) if CELLS % k == 0 and cells / k**2 <= megapixels * 1e6]
    return fit[0] if fit else CELLS


def write_mosaic(
    path: Path,
    area: Bounds,
    tiles: Iterable[Tile],
    factor: int,
    read: Callable[[Tile], NDArray[np.float32]],
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write the heights of ``tiles`` as one GeoTIFF of ``factor`` seconds, cut to ``area`` in whole pixels.

    Samples of a tile lie on whole degrees and equal steps from there (as in HGT files), so that pixels begin half a
    second before them. A tile without its neighbours' first samples is given them, so that heights are right up to its
    edges. One tile at a time is held, and first rows and columns.

    Args:
        path: GeoTIFF to write.
        area: west, south, east, north in degrees.
        tiles: South-west corners of those that there are.
        factor: Seconds to a pixel; a part of 3600.
        read: Samples of a tile, north up, NaN where nothing is known.
        tags: Of the file, such as what its data is.

    Raises:
        SourceError: no tile has a height.
    """
    import rasterio
    from rasterio.windows import Window

    side = CELLS // factor
    west, south, east, north = area
    # Rows and columns counted in pixels from 0 E, 0 N, rows northward: exact integers, whatever the area's edges are.
    left, right = math.floor(west * side + _EPS), math.ceil(east * side - _EPS)
    top, bottom = math.ceil(north * side - _EPS), math.floor(south * side + _EPS)
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "crs": "EPSG:4326", "compress": "deflate",
        "predictor": 3, "tiled": True, "width": right - left, "height": top - bottom,
        "transform": Affine(1 / side, 0, left / side - _HALF, 0, -1 / side, top / side + _HALF),
    }  # fmt: skip
    known = False
    edges = _Edges(tuple(tiles), read)
    with rasterio.open(path, "w", **profile) as raster:
        raster.update_tags(**(tags or {}))
        for lat, lon in edges.tiles:
            cells = read((lat, lon))
            known = known or bool(np.isfinite(cells).any())
            # Where the tile's north-west corner falls in the raster; what hangs over an edge is cut off.
            x, y = lon * side - left, top - (lat + 1) * side
            cut_x, cut_y = (
                slice(max(0, -x), min(side, right - left - x)),
                slice(max(0, -y), min(side, top - bottom - y)),
            )
            part = _part(cells, (lat, lon), side, (cut_y, cut_x), edges)
            raster.write(part, 1, window=Window(x + cut_x.start, y + cut_y.start, part.shape[1], part.shape[0]))
    if not known:
        raise SourceError("holds no height")


class _Edges:
    """First rows and columns of tiles, which are what lies beyond the last ones of their neighbours."""

    def __init__(self, tiles: tuple[Tile, ...], read: Callable[[Tile], NDArray[np.float32]]) -> None:
        self.tiles = tiles
        self._read = read
        self._known: dict[Tile, tuple[NDArray[np.float32], NDArray[np.float32]] | None] = {}

    def close(self, cells: NDArray[np.float32], tile: Tile) -> NDArray[np.float32]:
        """A tile's samples with one more row in the south and column in the east.

        They are the neighbours' first ones, at this tile's own steps; where there is no neighbour, or it knows nothing
        there, they go on as the last two rows or columns do.

        Args:
            cells: ``(rows, cols)``.
            tile: Where it lies.

        Returns:
            ``(rows + 1, cols + 1)``.
        """
        lat, lon = tile
        rows, cols = cells.shape
        out = np.full((rows + 1, cols + 1), np.nan, dtype=np.float32)
        out[:rows, :cols] = cells
        beside, below, across = (
            self._first((lat, lon + 1)),
            self._first((lat - 1, lon)),
            self._first((lat - 1, lon + 1)),
        )
        if beside is not None:
            out[:rows, cols] = _resample(beside[1], rows)
        if below is not None:
            out[rows, :cols] = _resample(below[0], cols)
        if across is not None:
            out[rows, cols] = across[0][0]
        out[:rows, cols] = _or_go_on(out[:rows, cols], out[:rows, cols - 1], out[:rows, cols - 2])
        out[rows] = _or_go_on(out[rows], out[rows - 1], out[rows - 2])
        return out

    def _first(self, tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        if tile not in self._known:
            self._known[tile] = None
            if tile in self.tiles:
                cells = self._read(tile)
                self._known[tile] = cells[0].copy(), cells[:, 0].copy()
        return self._known[tile]


def _resample(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Samples of a degree, from its beginning at equal steps, at so many of its steps instead; linear."""
    own = len(samples) - len(samples) % 2  # an odd number means that the next degree's first sample is among them
    return np.asarray(np.interp(np.arange(count) / count, np.arange(len(samples)) / own, samples), dtype=np.float32)


def _or_go_on(
    found: NDArray[np.float32], last: NDArray[np.float32], before: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What was found, or where that isn't known what follows from the last two."""
    return np.where(np.isnan(found), 2 * last - before, found)


def _part(
    cells: NDArray[np.float32], tile: Tile, side: int, cut: tuple[slice, slice], edges: _Edges
) -> NDArray[np.float32]:
    """What is cut of a tile's heights on the raster's own cells, ``side`` x ``side`` of them, rows and columns.

    Exact means where the tile has a sample a second, else resampled.
    """
    from rasterio.enums import Resampling
    from rasterio.warp import reproject

    # 3601 samples a side are 3600 and the neighbours' first; an odd size always means that.
    rows, columns = (size - size % 2 for size in cells.shape)  # a tile may repeat the first samples of its neighbours
    if rows == columns == CELLS:
        return average(cells[:CELLS, :CELLS], side)[cut]
    if cells.shape == (rows, columns):
        cells = edges.close(cells, tile)
    lat, lon = tile
    part = np.full([slots.stop - slots.start for slots in cut], np.nan, dtype=np.float32)
    cells_of_raster = Affine(1 / side, 0, lon - _HALF, 0, -1 / side, lat + 1 + _HALF)
    reproject(
        cells, part, src_crs="EPSG:4326", dst_crs="EPSG:4326", src_nodata=np.nan, dst_nodata=np.nan,
        src_transform=Affine(1 / columns, 0, lon - 0.5 / columns, 0, -1 / rows, lat + 1 + 0.5 / rows),
        dst_transform=cells_of_raster * Affine.translation(cut[1].start, cut[0].start),
        resampling=Resampling.average if rows > side else Resampling.bilinear,
    )  # fmt: skip
    return part


def average(cells: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means of square groups of cells, so that ``side`` x ``side`` are left; of those that are known.

    Args:
        cells: ``(n, n)``, NaN where nothing is known.
        side: Groups along each side; a part of n.

    >>> average(np.array([[1, 3], [5, np.nan]], dtype=np.float32), 1).tolist()
    [[3.0]]
    """
    step = cells.shape[0] // side
    if step == 1:
        return cells
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mean of empty slice", category=RuntimeWarning)
        means = np.nanmean(cells.reshape(side, step, side, step), axis=(1, 3))
    return np.asarray(means, dtype=np.float32)
