"""The border that a route may run along: a country's outline, the line it shares with a neighbour, and what is near."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import isclose

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import WGS84, join, line_lengths_m, project, utm_crs
from corridor.io.read.borders import Borders
from corridor.metrics.registry import Subject, Unmeasured, Values, metric
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Undetermined
from corridor.schema.column import Column, Shown, Unit
from corridor.schema.vocabulary import GeometryQuality, MetricStatus
from corridor.wording import format_position

DISAGREEMENT_M = 1000.0
"""How far parts of a country may lie outside its polygon: borders and roads are drawn by different hands. Declared."""
BANDS_KM = (0.1, 0.25, 0.5, 1.0, 5.0, 10.0)
"""Distances from the neighbour's border within which a route is measured."""
_SHOWN_FROM_KM = 1.0
"""Narrower bands are kept in files: they are finer than most lines are drawn."""


@dataclass(frozen=True)
class BorderGround:
    """A country and the line that it shares with a neighbour, in metres (``crs``).

    ``inside`` is a point of the country's main part.
    ``other`` is the rest of the country's outline. ``scale`` turns planar lengths into geodesic ones, its square areas.
    """

    country: str
    neighbour: str
    polygon: shapely.Geometry
    line: shapely.Geometry
    other: shapely.Geometry
    inside: shapely.Point
    crs: str
    scale: float

    @cached_property
    def zones(self) -> dict[float, shapely.Geometry]:
        """Ground near the shared border by kilometres, as far as it was asked for."""
        return {}

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The country's whole boundary."""
        return shapely.boundary(self.polygon)

    @cached_property
    def other_vertices(self) -> list[tuple[NDArray[np.float64], NDArray[np.object_]]]:
        """Vertices of each line of the rest of the outline: coordinates, shape (n, 2), and points."""
        lines = [shapely.get_coordinates(line) for line in shapely.get_parts(self.other)]
        return [(xy, shapely.points(xy)) for xy in lines]

    def zone(self, km: float) -> shapely.Geometry:
        """The ground within a distance of the shared border, in metres; kept for who asks again."""
        if km not in self.zones:
            self.zones[km] = shapely.buffer(self.line, km * 1000 / self.scale, quad_segs=32)
            shapely.prepare(self.zones[km])
        return self.zones[km]

    @cached_property
    def outline_tree(self) -> shapely.STRtree:
        """Index of the straight stretches of the outline, to measure distances from it."""
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_parts(self.outline)]
        return shapely.STRtree(
            np.concatenate([shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)) for xy in rings])
        )

    def with_other(self, other: shapely.Geometry) -> BorderGround:
        """The same country with the rest of its outline drawn otherwise; the index of the true one is kept."""
        found = replace(self, other=other)
        vars(found)["outline_tree"] = self.outline_tree
        return found

    @cached_property
    def length_km(self) -> float:
        """Geodesic length of the shared line on the polygon's own vertices."""
        return _length_km(self.line, self.crs)


def border_ground(
    borders: Borders, country: str, neighbour: str, inside: tuple[float, float], tolerance_deg: float = 2e-4
) -> BorderGround:
    """The ground that strips are measured on; ``inside`` is (lon, lat) of a point of the main part, the capital's.

    Args:
        borders: whose ground is whose.
        country: whose ground.
        neighbour: across the border.
        inside: lon and lat of a point of the main part.
        tolerance_deg: how near a vertex must lie to the other country to be of the shared border.

    Raises:
        NetworkError: the countries share no border, or ``inside`` lies outside the country.
    """
    home = borders.polygon(country)
    shared, rest = _part_outline(home, borders.polygon(neighbour), tolerance_deg)
    if shared.is_empty:
        raise NetworkError(f"{country} and {neighbour} share no border in the borders file; name two neighbours")
    if not shapely.contains_xy(home, *inside):
        raise NetworkError(
            f"point {format_position(inside[1], inside[0], 4)} lies outside {country}; correct the capital's place"
        )
    middle = shapely.centroid(shared)
    crs = utm_crs(middle.x, middle.y)
    polygon, line, other, point = (project(g, WGS84, crs) for g in (home, shared, rest, shapely.Point(inside)))
    for shape in (polygon, other):
        shapely.prepare(shape)
    # Bands are drawn on the projection, whose metres differ by this share from those on the ground.
    scale = float(line_lengths_m(shapely.get_parts(shared)).sum() / line.length)
    return BorderGround(country, neighbour, polygon, line, other, point, crs, scale)


def _part_outline(
    home: shapely.Geometry, other: shapely.Geometry, tolerance_deg: float
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """The outline of a country, segment by segment: what it shares with another, and the rest."""
    parts: tuple[list[shapely.Geometry], list[shapely.Geometry]] = ([], [])
    # Hundreds of vertices ask the same polygon how near it is.
    shapely.prepare(other)
    for ring in shapely.get_parts(shapely.boundary(home)):
        xy = shapely.get_coordinates(ring)
        near = shapely.dwithin(other, shapely.points(xy), tolerance_deg)
        # A segment is shared if both of its ends are: files of borders give both countries the same vertices there, but
        # for rounding.
        shared = near[:-1] & near[1:]
        segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
        parts[0].extend(segments[shared])
        parts[1].extend(segments[~shared])
    merged = [
        shapely.line_merge(shapely.MultiLineString(pieces)) if pieces else shapely.LineString() for pieces in parts
    ]
    return merged[0], merged[1]


def _length_km(line: shapely.Geometry, crs: str) -> float:
    return float(line_lengths_m(shapely.get_parts(project(line, crs, WGS84))).sum() / 1000)


def runs_in_country(candidate: Candidate, country: str) -> list[shapely.LineString]:
    """The candidate's lines in its declared country (lon/lat), one for each unbroken run of parts, in order."""
    runs: list[list[shapely.LineString]] = []
    for route in candidate.routes:
        open_run = False
        for part in route.parts:
            if part.country == country:
                if not open_run:
                    runs.append([])
                runs[-1].append(part.line)
            open_run = part.country == country
    return [join(run) for run in runs]


def check_declared(ground: BorderGround, candidate: Candidate) -> None:
    """Refuse a candidate whose parts declared in the country lie outside its polygon by more than 1 km.

    Args:
        ground: the country's.
        candidate: the route.

    Raises:
        NetworkError: says how far, where, and what to do.
    """
    for part in candidate.parts:
        if part.country != ground.country:
            continue
        # Vertices are enough: a country's polygon is coarser than the line.
        points = shapely.points(shapely.get_coordinates(project(part.line, WGS84, ground.crs)))
        # Whether a point lies inside is quick to say of a prepared polygon; how far off it is takes the whole outline.
        shapely.prepare(ground.polygon)
        outside = ~shapely.intersects(ground.polygon, points)
        off = np.zeros(len(points))
        off[outside] = shapely.distance(ground.polygon, points[outside])
        if off.max() > DISAGREEMENT_M:
            lon, lat = shapely.get_coordinates(part.line)[int(np.argmax(off))]
            raise NetworkError(
                f"candidate '{candidate.candidate_id}': '{part.name}' is declared in {ground.country} but lies "
                f"{off.max() / 1000:.1f} km outside its polygon at {format_position(lat, lon, 4)}; correct the part's "
                "country, its line or the borders file"
            )


def planar_runs(ground: BorderGround, candidate: Candidate) -> list[shapely.LineString]:
    """The candidate's lines in the country in metres.

    Raises:
        NetworkError: the candidate disagrees with the polygon.
    """
    check_declared(ground, candidate)
    return [project(run, WGS84, ground.crs) for run in runs_in_country(candidate, ground.country)]


def _band_column(km: float) -> str:
    return f"border_km_within_{km:g}".replace(".", "p")


@metric(
    Subject.BORDER,
    *(
        Column(
            _band_column(km), Unit.KM,
            f"length of the route within {km:g} km of the neighbour's border",
            "share of each part inside the band x its length; schematic parts may lie their half-width off",
            shown=Shown.PAGE if km >= _SHOWN_FROM_KM else Shown.FILES,
        )
        for km in BANDS_KM
    ),
    status="border_km_status",
)  # fmt: skip
def measure_border_bands(
    ground: BorderGround, candidate: Candidate, schematic_half_width_km: float
) -> Values | Unmeasured:
    """Length of the candidate in the country within distances of the shared border.

    Documented length counts where there is one; of a package the lines of all its routes. A stretch that is drawn
    schematically may lie its half-width nearer or further, so that what it has inside is undetermined: at best what
    lies inside all the same, at worst what may.
    """
    reaches: dict[Part, float] = {}
    for route in candidate.routes:
        reaches |= _strayed_km(route, ground.country, schematic_half_width_km)
    if not reaches:
        return Unmeasured(MetricStatus.NOT_APPLICABLE)
    least = dict.fromkeys(BANDS_KM, 0.0)
    most = dict(least)
    for part, stray_km in reaches.items():
        if part.drawn_km > 0:
            line = project(part.line, WGS84, ground.crs)
            for km in BANDS_KM:
                least[km] += _share_within(ground, line, km - stray_km) * part.length_km.mid
                most[km] += _share_within(ground, line, km + stray_km) * part.length_km.mid
    return {
        _band_column(km): least[km] if isclose(least[km], most[km], abs_tol=1e-9) else Undetermined(least[km], most[km])
        for km in BANDS_KM
    }


def _share_within(ground: BorderGround, line: shapely.LineString, km: float) -> float:
    """Share of a planar line within a distance of the shared border."""
    if km <= 0:
        return 0.0
    return float(shapely.length(shapely.intersection(line, ground.zone(km))) / line.length)


def _strayed_km(route: Candidate, country: str, half_width_km: float) -> dict[Part, float]:
    """How far each part in a country may lie off what is drawn: 0 where its place is known.

    A schematic stretch joins what is known at both of its ends, so that it strays by no more than half of its length.
    """
    found: dict[Part, float] = {}
    drawn = groupby(route.parts, lambda part: (part.country, part.geometry_quality == GeometryQuality.SCHEMATIC))
    for (where, schematic), stretch in drawn:
        parts = list(stretch)
        reach = min(half_width_km, sum(part.drawn_km for part in parts) / 2) if schematic else 0.0
        found |= dict.fromkeys(parts, reach) if where == country else {}
    return found
