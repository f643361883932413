"""The made-up ground: heights in closed form, three square countries, villages; and lengths on the ellipsoid.

A plain at 200 m. A ridge along longitude 10.55 rises 400 m above it, straight up from 0.1 degree to either side. A
valley along latitude 45.3 takes nine tenths off the ridge, less with the distance from it, nothing from 0.1 degree.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEST, BORDER_WEST, BORDER_EAST, EAST = 10.0, 10.4, 10.7, 11.0
PLAIN_M, RIDGE_M, RIDGE_LON, RIDGE_HALF = 200.0, 400.0, 10.55, 0.1
VALLEY_LAT, VALLEY_HALF, VALLEY_DEPTH = 45.3, 0.1, 0.9
STEP = 0.0025
Height = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
_A, _E2 = 6378137.0, 0.0066943799901413165  # WGS 84


def height_m(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Height of the ground in metres."""
    ridge = np.clip(1 - np.abs(np.asarray(lon) - RIDGE_LON) / RIDGE_HALF, 0, None)
    valley = VALLEY_DEPTH * np.clip(1 - np.abs(np.asarray(lat) - VALLEY_LAT) / VALLEY_HALF, 0, None)
    return PLAIN_M + RIDGE_M * ridge * (1 - valley)


def parallel_km(lat: float, degrees: float) -> float:
    """Length of an arc of a parallel: the radius of curvature in the prime vertical times cosine times angle."""
    phi = np.radians(lat)
    return float(_A / np.sqrt(1 - _E2 * np.sin(phi) ** 2) * np.cos(phi) * np.radians(degrees) / 1000)


def meridian_km(south: float, north: float) -> float:
    """Length of an arc of a meridian: the meridional radius of curvature, integrated by the midpoint rule."""
    edges = np.radians(np.linspace(south, north, 201))
    middle = (edges[1:] + edges[:-1]) / 2
    radius = _A * (1 - _E2) / (1 - _E2 * np.sin(middle) ** 2) ** 1.5
    return float((radius * np.diff(edges)).sum() / 1000)


def write_dem(
    path: Path, *, crs: str | None = "EPSG:4326", east: float = 11.1, hole: bool = False, height: Height | None = None
) -> Path:
    """The heights as a GeoTIFF with 277 m pixels whose centres lie on the folds; ``hole`` blanks the ridge.

    ``height`` gives others by longitude and latitude.
    """
    import rasterio

    lon = np.arange(9.9, east + STEP / 2, STEP)
    lat = np.arange(46.1, 44.9 - STEP / 2, -STEP)
    heights = (height or height_m)(lon[None, :], lat[:, None]).astype(np.float32)
    if hole:
        heights[:, np.abs(lon - RIDGE_LON) < 0.02] = -9999.0
    transform = rasterio.Affine(STEP, 0, lon[0] - STEP / 2, 0, -STEP, lat[0] + STEP / 2)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": -9999.0, "compress": "deflate"}
    shape = {"height": heights.shape[0], "width": heights.shape[1]}
    with rasterio.open(path, "w", crs=crs, transform=transform, **shape, **profile) as raster:
        raster.write(heights, 1)
    return path


def write_borders(path: Path) -> Path:
    """Three countries beside each other, a little larger than the study's area."""
    columns = {"XA": (9.8, BORDER_WEST), "XB": (BORDER_WEST, BORDER_EAST), "XC": (BORDER_EAST, 11.2)}
    features = []
    for code, (west, east) in columns.items():
        ring = [[west, 44.8], [east, 44.8], [east, 46.2], [west, 46.2], [west, 44.8]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"country": code, "name": code}, "geometry": geometry})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_places(path: Path) -> Path:
    """Six places; the population of one isn't known."""
    rows = [
        "name,lat,lon,country,population",
        "Aster,45.5,10.1,XA,52000",
        "Corvo,45.5,10.9,XC,31000",
        "Highfold,45.51,10.55,XB,900",
        "Rifton,45.49,10.65,XB,400",
        "Dalemoor,45.31,10.5,XB,2500",
        "Lone Farm,45.9,10.55,XB,",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
